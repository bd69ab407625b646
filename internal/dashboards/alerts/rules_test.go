// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	directory = "../../../distribution/alerts"
	runbook   = "https://github.com/otelcol-rtc/otelcol-rtc/blob/main/distribution/alerts/README.md#"
)

// glob returns the files that match a pattern in the directory of the rules.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(directory, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	return files
}

// readRules returns the rules of all files. Prometheus' own reader refuses unknown fields, invalid expressions and templates.
func readRules(t *testing.T) (rules []rulefmt.Rule) {
	t.Helper()
	for _, file := range glob(t, "*.yaml") {
		groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		require.Empty(t, errs, file)
		for _, group := range groups.Groups {
			rules = append(rules, group.Rules...)
		}
	}
	return rules
}

// readAlerts returns the alerts by name.
func readAlerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	alerts := map[string]rulefmt.Rule{}
	for _, rule := range readRules(t) {
		if rule.Alert != "" {
			require.NotContains(t, alerts, rule.Alert)
			alerts[rule.Alert] = rule
		}
	}
	return alerts
}

func parse(t *testing.T, expression string) parser.Expr {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	require.NoError(t, err, expression)
	return parsed
}

// TestLabelsAndAnnotations checks that each alert has a severity, a summary, a description with a value or label, and a runbook.
func TestLabelsAndAnnotations(t *testing.T) {
	for name, alert := range readAlerts(t) {
		assert.Contains(t, []string{"page", "ticket", "info"}, alert.Labels["severity"], name)
		assert.Len(t, alert.Labels, 1, name)
		assert.ElementsMatch(t, []string{"summary", "description", "runbook_url"}, slices.Collect(maps.Keys(alert.Annotations)), name)
		assert.NotEmpty(t, alert.Annotations["summary"], name)
		assert.Regexp(t, `\{\{.*(\$value|\$labels).*\}\}`, alert.Annotations["description"], name)
		assert.Equal(t, runbook+strings.ToLower(name), alert.Annotations["runbook_url"], name)
	}
}

// unguarded are the alerts on servers that do not depend on rtc_target_up: the server being down is their subject, or they aggregate several
// servers, or their metrics are not from a server that a receiver reads.
var unguarded = regexp.MustCompile(`^(RTC(Target|Versions).*|Host.*|Collector.*|.*Down|KamailioRestarted|ZLMediaKitSecretRefused|` +
	`JitsiBridgesBusy|JitsiManyEndpointsLossy)$`)

// TestServerThatIsDown checks that a server that is down causes one alert: all others require rtc_target_up to be 1.
func TestServerThatIsDown(t *testing.T) {
	for name, alert := range readAlerts(t) {
		root, ok := parse(t, alert.Expr).(*parser.BinaryExpr)
		require.True(t, ok, name)
		guarded := root.Op == parser.LAND && root.RHS.String() == "rtc_target_up == 1" &&
			root.VectorMatching.On && slices.Equal(root.VectorMatching.MatchingLabels, []string{"job", "instance"})
		if strings.HasSuffix(name, "Down") && strings.Contains(alert.Expr, "rtc_target_up == 1") {
			assert.True(t, guarded, name)
			continue
		}
		assert.NotEqual(t, unguarded.MatchString(name), guarded, name)
	}
}

// TestNames checks that the metrics and labels of all expressions exist.
func TestNames(t *testing.T) {
	known, rules := knownLabels(t), readRules(t)
	for _, rule := range rules {
		if rule.Record != "" {
			known[rule.Record] = labelsOf(parse(t, rule.Expr), known)
		}
	}
	for _, rule := range rules {
		parser.Inspect(parse(t, rule.Expr), func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.VectorSelector:
				assert.NotNil(t, known[n.Name], "%s: %s", rule.Alert+rule.Record, n)
				for _, matcher := range n.LabelMatchers {
					if matcher.Name != "__name__" && matcher.Name != "job" {
						assert.Contains(t, known[n.Name], matcher.Name, "%s: %s", rule.Alert+rule.Record, n)
					}
				}
			case *parser.AggregateExpr:
				checkLabels(t, rule, n.Grouping, n, known)
			case *parser.BinaryExpr:
				if n.VectorMatching != nil && n.VectorMatching.On {
					checkLabels(t, rule, n.VectorMatching.MatchingLabels, n.LHS, known)
				}
			}
			return nil
		})
	}
}

func checkLabels(t *testing.T, rule rulefmt.Rule, names []string, expr parser.Expr, known map[string]map[string]bool) {
	t.Helper()
	labels := labelsOf(expr, known)
	for _, name := range names {
		if name != "job" && name != "instance" {
			assert.Contains(t, labels, name, "%s: %s", rule.Alert+rule.Record, expr)
		}
	}
}

// labelsOf returns the labels of all series that an expression reads.
func labelsOf(expr parser.Expr, known map[string]map[string]bool) map[string]bool {
	labels := map[string]bool{}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			maps.Copy(labels, known[selector.Name])
		}
		return nil
	})
	return labels
}

// TestRunbook checks that the runbook has a section with three parts for each alert, and no other sections.
func TestRunbook(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(directory, "README.md"))
	require.NoError(t, err)
	var sections []string
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		sections = append(sections, name)
		for _, part := range []string{"- **Meaning:** ", "- **Look at:** ", "- **Do:** "} {
			assert.Equal(t, 1, strings.Count(body, part), "%s: %s", name, part)
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(readAlerts(t))), sections)
	for _, match := range regexp.MustCompile(`\]\(#(\w+)\)`).FindAllStringSubmatch(string(text), -1) {
		assert.Contains(t, strings.ToLower("\n### "+strings.Join(sections, "\n### ")+"\n"), "\n### "+match[1]+"\n")
	}
}

// TestQuestions checks that the runbook lists alerts, or a reason why there are none, for each question of distribution/questions.md.
func TestQuestions(t *testing.T) {
	isRow := regexp.MustCompile(`(?m)^\| ([ZJKFMA]\d+) \| (.*?) \|`)
	ids := func(file string) (found []string) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, row := range isRow.FindAllStringSubmatch(string(text), -1) {
			found = append(found, row[1])
		}
		return found
	}
	readme := filepath.Join(directory, "README.md")
	assert.Equal(t, ids(directory+"/../questions.md"), ids(readme))

	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	alerts, listed := slices.Collect(maps.Keys(readAlerts(t))), map[string]bool{}
	for _, row := range isRow.FindAllStringSubmatch(string(text), -1) {
		for _, match := range regexp.MustCompile(`\[(\w+)\]`).FindAllStringSubmatch(row[2], -1) {
			assert.Contains(t, alerts, match[1], row[1])
			listed[match[1]] = true
		}
		assert.Regexp(t, `^(\[|None: )`, row[2], row[1])
	}
	assert.ElementsMatch(t, alerts, slices.Collect(maps.Keys(listed)))
}

// TestTests checks that each alert has a test in which it fires and one in which it almost does.
func TestTests(t *testing.T) {
	found := map[string][]string{}
	for _, file := range glob(t, "tests/*.yaml") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var suite struct {
			Tests []struct {
				Name   string
				Alerts []struct {
					Name   string `yaml:"alertname"`
					Firing []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &suite))
		for _, test := range suite.Tests {
			for _, alert := range test.Alerts {
				kind := " almost fires"
				if len(alert.Firing) > 0 {
					kind = " fires"
				}
				assert.Equal(t, alert.Name+kind, test.Name)
				found[alert.Name] = append(found[alert.Name], kind)
			}
		}
	}
	for name := range readAlerts(t) {
		assert.ElementsMatch(t, []string{" fires", " almost fires"}, found[name], name)
		delete(found, name)
	}
	assert.Empty(t, found, "tests of alerts that do not exist")
}
