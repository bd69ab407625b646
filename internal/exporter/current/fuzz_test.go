// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current_test

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

// FuzzRender reads the line of a data point back. Payloads that follow have the same data point, which is then recognized, and one more.
func FuzzRender(f *testing.F) {
	f.Add("up", "a", "b", "c", "d", 1.5)
	f.Add("server.up", "a.b", `x",y="z`, "c:d", "\\\n\"", math.Inf(-1))
	f.Add("日本", "ключ", "}} 1", "job", "\\", math.NaN())
	f.Add("a\"b\\", "__name__", "\xff", "le", "", 1e300)
	f.Fuzz(func(t *testing.T, name, key1, value1, key2, value2 string, number float64) {
		b := newBench(func(c *current.Config) {
			c.MetricName = func(m pmetric.Metric) (string, error) { return m.Name(), nil }
			c.LabelName = func(key string) (string, error) { return key, nil }
			c.TargetInfo = "target_info"
		})
		metrics := pmetric.NewMetrics()
		metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		metric.SetName(name)
		points := metric.SetEmptyGauge().DataPoints()
		p := points.AppendEmpty()
		p.SetDoubleValue(number)
		p.Attributes().PutStr(key1, value1)
		p.Attributes().PutStr(key2, value2)
		want := p.Attributes().AsRaw() // the keys may be equal
		b.Take(metrics, completeness.Full, b.now)
		if len(b.refused) > 0 {
			valid := name != ""
			for key, value := range want {
				valid = valid && key != "" && !strings.HasPrefix(key, "__") && utf8.ValidString(key) && utf8.ValidString(value.(string))
			}
			require.False(t, valid && utf8.ValidString(name), "%v", b.refused)
			return
		}
		checkLine(t, b.page(), name, number, want)
		for _, extent := range []completeness.Completeness{completeness.Full, completeness.Unknown} {
			b.Take(metrics, extent, b.now)
			checkLine(t, b.page(), name, number, want)
		}
		other := points.AppendEmpty()
		p.CopyTo(other)
		other.Attributes().PutStr("another", "one")
		b.Take(metrics, completeness.Full, b.now)
		if _, ok := want["another"]; !ok {
			require.Equal(t, 2, strings.Count(b.page()+"\n", "\n"), "%q", b.page())
		}
	})
}

// checkLine reads a page of one line.
func checkLine(t *testing.T, page, name string, number float64, labels map[string]any) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page + "\n"))
	require.NoError(t, err, "%q", page)
	require.Len(t, families, 1)
	require.Contains(t, families, name)
	require.Len(t, families[name].GetMetric(), 1, "%q", page)
	got := map[string]any{}
	metric := families[name].GetMetric()[0]
	for _, label := range metric.GetLabel() {
		got[label.GetName()] = label.GetValue()
	}
	require.Equal(t, labels, got)
	if value := metric.GetUntyped().GetValue(); !math.IsNaN(number) || !math.IsNaN(value) {
		require.InDelta(t, number, value, 0)
	}
}
