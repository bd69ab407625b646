// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/dashboards/busyday"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// TestDay evaluates all rules over the day of the emulated servers. Every series that a rule selects must exist there, or be in
// testdata/absent.tsv with the reason.
func TestDay(t *testing.T) {
	rules := readRules(t)
	metrics, _ := rtctest.PageMetrics(t)
	day, _ := busyday.Run(t, disabledMetrics(t, rules, metrics)...)
	for _, rule := range rules {
		if rule.Record != "" {
			record(t, day, rule.Record, rule.Expr)
		}
	}
	absent := map[string]string{}
	for _, row := range rtctest.Table(t, "testdata/absent.tsv") {
		absent[row[0]] = row[1]
	}
	checked := map[string]bool{"ALERTS": true}
	for _, rule := range rules {
		day.Range(t, rule.Expr)
		eachSelector(t, rule.Expr, func(s *parser.VectorSelector) {
			selector := (&parser.VectorSelector{Name: s.Name, LabelMatchers: s.LabelMatchers}).String()
			if checked[s.Name] || checked[selector] {
				return
			}
			checked[selector] = true
			_, listed := absent[selector]
			assert.Equal(t, !listed, len(day.Range(t, selector)) > 0, "%s: %s", rule.Alert+rule.Record, selector)
			delete(absent, selector)
		})
	}
	assert.Empty(t, absent, "not selected by a rule")
}

// TestNothing checks that no alert fires on what does not exist.
func TestNothing(t *testing.T) {
	nothing := busyday.NewEngine(teststorage.New(t))
	for _, rule := range readRules(t) {
		assert.Empty(t, nothing.At(t, rule.Expr, busyday.End), rule.Alert+rule.Record)
	}
}

// disabledMetrics returns the metrics of the rules that are disabled by default.
func disabledMetrics(t *testing.T, rules []rulefmt.Rule, metrics map[string]rtctest.PageMetric) (names []string) {
	t.Helper()
	for _, rule := range rules {
		eachSelector(t, rule.Expr, func(s *parser.VectorSelector) {
			if m := metrics[s.Name]; m.Off {
				names = append(names, m.Name)
			}
		})
	}
	return names
}

func eachSelector(t *testing.T, expression string, visit func(*parser.VectorSelector)) {
	t.Helper()
	parser.Inspect(parse(t, expression), func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			visit(s)
		}
		return nil
	})
}

// record stores the values of a recording rule, of which there must be some.
func record(t *testing.T, day *busyday.Day, name, expression string) {
	t.Helper()
	matrix := day.Range(t, expression)
	assert.NotEmpty(t, matrix, name)
	appender := day.Storage.Appender(t.Context())
	for _, s := range matrix {
		recorded := labels.NewBuilder(s.Metric).Set(model.MetricNameLabel, name).Labels()
		for _, point := range s.Floats {
			_, err := appender.Append(0, recorded, point.T, point.F)
			require.NoError(t, err)
		}
	}
	require.NoError(t, appender.Commit())
}
