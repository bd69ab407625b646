// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/dashboards/busyday"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// grafana replaces variables as Grafana does when the user selects All.
type grafana struct {
	day      *busyday.Day
	replacer []string
}

// newGrafana determines the values of all variables of a dashboard. Each must have one.
func newGrafana(t *testing.T, d *dashboard.Dashboard, day *busyday.Day) *grafana {
	t.Helper()
	g := &grafana{day, []string{"$__rate_interval", "2m", "$__interval", "30s"}}
	for _, v := range d.Templating.List {
		if v.Type == dashboard.VariableTypeDatasource {
			continue
		}
		values := g.labelValues(t, *v.Definition)
		assert.NotEmpty(t, values, "$%s of %s", v.Name, *d.Title)
		all := "(" + strings.Join(values, "|") + ")"
		if v.AllValue != nil {
			all = *v.AllValue
		}
		g.replacer = append(g.replacer, "$"+v.Name, all)
	}
	return g
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// labelValues returns the values of a variable, quoted for a regular expression.
func (g *grafana) labelValues(t *testing.T, definition string) (values []string) {
	t.Helper()
	match := labelValues.FindStringSubmatch(definition)
	require.NotNil(t, match, definition)
	for _, s := range g.day.Range(t, g.replace(match[1])) {
		if value := s.Metric.Get(match[2]); value != "" {
			values = append(values, quote(value))
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// quote returns a value as Grafana writes it into a regular expression.
func quote(value string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`)
}

func (g *grafana) replace(expression string) string {
	return strings.NewReplacer(g.replacer...).Replace(expression)
}

// targets calls visit for each query of each panel, with the panel.
func targets(d *dashboard.Dashboard, visit func(*dashboard.Panel, *prometheus.Dataquery)) {
	for _, p := range d.Panels {
		if p.Panel == nil {
			continue
		}
		for _, target := range p.Panel.Targets {
			visit(p.Panel, target.(*prometheus.Dataquery))
		}
	}
}

// TestQueries evaluates every query of every dashboard. Each must have a value that is not constantly 0, or be in testdata/still.tsv with
// the reason.
func TestQueries(t *testing.T) {
	metrics := readMetrics(t)
	all := readAll(t)
	day, growing := busyday.Run(t, disabledMetrics(t, all, metrics)...)
	expected := readReasons(t)
	for name, d := range all {
		g := newGrafana(t, d, day)
		check := func(title, id, expression string) {
			key := strings.Join([]string{name, title, id}, "\t")
			expression = g.replace(expression)
			assert.NotContains(t, expression, "$_", key)
			reason, listed := expected[key]
			delete(expected, key)
			assert.Equal(t, !listed, hasValue(t, day, expression), "%s\n%s", key, expression)
			if strings.HasPrefix(reason, "growing: ") {
				assert.True(t, hasValue(t, growing, expression), "%s\n%s", key, expression)
			}
		}
		targets(d, func(p *dashboard.Panel, q *prometheus.Dataquery) { check(*p.Title, *q.RefId, q.Expr) })
		for _, a := range d.Annotations.List {
			if a.Name != "Alerts" { // Prometheus has them when rules are evaluated
				check(a.Name, "Anno", *a.Expr)
			}
		}
	}
	assert.Empty(t, expected, "not a query of a dashboard")
}

// TestLinks checks that the links of the fleet lead to dashboards with a variable that has the server as a value.
func TestLinks(t *testing.T) {
	all := readAll(t)
	day, _ := busyday.Run(t)
	linkedTo := map[string]bool{"fleet": true}
	for _, s := range day.At(t, linked("rtc_target_up"), busyday.Start) {
		d := all[s.Metric.Get("dashboard")]
		require.NotNil(t, d, s.Metric)
		linkedTo[s.Metric.Get("dashboard")] = true
		i := slices.IndexFunc(d.Templating.List, func(v dashboard.VariableModel) bool { return v.Name == s.Metric.Get("variable") })
		require.GreaterOrEqual(t, i, 0, s.Metric)
		servers := newGrafana(t, d, day).labelValues(t, *d.Templating.List[i].Definition)
		assert.Contains(t, servers, quote(s.Metric.Get("instance")), s.Metric)
	}
	assert.Len(t, linkedTo, len(all))
}

// hasValue reports whether an expression has a value other than 0 at any time, or any value if it selects zeros.
func hasValue(t *testing.T, day *busyday.Day, expression string) bool {
	t.Helper()
	for _, s := range day.Range(t, expression) {
		for _, point := range s.Floats {
			if (point.F != 0 || strings.Contains(expression, "== 0")) && !math.IsNaN(point.F) {
				return true
			}
		}
	}
	return false
}

// readReasons returns the reasons of queries without a value. A reason that begins with "growing:" is that the emulated counters do not
// grow.
func readReasons(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("testdata/still.tsv")
	require.NoError(t, err)
	reader := csv.NewReader(bytes.NewReader(content))
	reader.Comma, reader.Comment, reader.LazyQuotes = '\t', '#', true
	rows, err := reader.ReadAll()
	require.NoError(t, err)
	reasons := map[string]string{}
	for _, row := range rows {
		reasons[strings.Join(row[:3], "\t")] = row[3]
	}
	return reasons
}

// readMetrics returns the metrics of all receivers and target_info by their names on the page.
func readMetrics(t *testing.T) map[string]rtctest.PageMetric {
	t.Helper()
	metrics, _ := rtctest.PageMetrics(t)
	metrics["target_info"] = rtctest.PageMetric{Labels: []string{"service_version"}}
	return metrics
}

// disabledMetrics returns the metrics of the dashboards that are disabled by default.
func disabledMetrics(t *testing.T, all map[string]*dashboard.Dashboard, metrics map[string]rtctest.PageMetric) (names []string) {
	t.Helper()
	for _, d := range all {
		targets(d, func(_ *dashboard.Panel, q *prometheus.Dataquery) {
			for page := range selectors(t, q.Expr) {
				if metrics[page].Off {
					names = append(names, metrics[page].Name)
				}
			}
		})
	}
	return names
}

// words replaces the variables of Grafana by words that are valid in their places.
var words = strings.NewReplacer("$__rate_interval", "2m", "$__interval", "30s")

// selectors returns the names of the metrics of an expression, with the labels of their matchers.
func selectors(t *testing.T, expression string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	inspect(t, expression, func(node parser.Node) {
		s, ok := node.(*parser.VectorSelector)
		if !ok {
			return
		}
		for _, m := range s.LabelMatchers {
			if m.Name != model.MetricNameLabel {
				found[s.Name] = append(found[s.Name], m.Name)
			}
		}
		if _, named := found[s.Name]; !named {
			found[s.Name] = nil
		}
	})
	return found
}

func inspect(t *testing.T, expression string, visit func(parser.Node)) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(words.Replace(expression))
	require.NoError(t, err, expression)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		visit(node)
		return nil
	})
}

// TestNames checks that a receiver has each metric and each label of the queries, and that a panel names the metrics that are disabled by
// default.
func TestNames(t *testing.T) {
	metrics := readMetrics(t)
	for name, d := range readAll(t) {
		t.Run(name, func(t *testing.T) {
			targets(d, func(p *dashboard.Panel, q *prometheus.Dataquery) {
				checkNames(t, metrics, q.Expr)
				for page := range selectors(t, q.Expr) {
					assert.Equal(t, metrics[page].Off, strings.Contains(*p.Description, "`"+metrics[page].Name+"`"), *p.Title)
				}
			})
			for _, v := range d.Templating.List {
				if v.Type == dashboard.VariableTypeQuery {
					match := labelValues.FindStringSubmatch(*v.Definition)
					checkNames(t, metrics, "max by ("+match[2]+") ("+match[1]+")")
				}
			}
			for _, a := range d.Annotations.List {
				if a.Name != "Alerts" {
					checkNames(t, metrics, *a.Expr)
				}
			}
		})
	}
}

// isForeign matches the metrics of the collector and of the receiver of host metrics.
var isForeign = regexp.MustCompile(`^(otelcol|system)_`)

// checkNames checks the names of metrics and labels of an expression.
func checkNames(t *testing.T, metrics map[string]rtctest.PageMetric, expression string) {
	t.Helper()
	target := []string{"job", "instance"}
	known := append([]string{"dashboard"}, target...) // the first is of linked
	for page, used := range selectors(t, expression) {
		switch {
		case isForeign.MatchString(page):
			known = append(known, "mountpoint", "state")
			continue
		case page == "": // the name is a regular expression
			continue
		}
		if !assert.Contains(t, metrics, page, expression) {
			continue
		}
		known = append(known, metrics[page].Labels...)
		assert.Subset(t, append(target, metrics[page].Labels...), used, expression)
	}
	inspect(t, expression, func(node parser.Node) {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			assert.Subset(t, known, n.Grouping, expression)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				assert.Subset(t, known, n.VectorMatching.MatchingLabels, expression)
			}
		}
	})
}
