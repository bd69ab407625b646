// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestRandom compares the pages after each of several random payloads.
func TestRandom(t *testing.T) {
	const sequences, payloads = 12, 6
	for name, variant := range variants {
		t.Run(name, func(t *testing.T) {
			before := compared.Load()
			for seed := range uint64(sequences) {
				compareRandom(t, variant.settings, variant.accept, seed, payloads)
			}
			t.Logf("%d pages compared", compared.Load()-before)
		})
	}
}

// FuzzRandom does so without end.
func FuzzRandom(f *testing.F) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range variants {
			if !yield(name) {
				return
			}
		}
	})
	f.Add(uint64(1), uint8(0), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, variant, payloads uint8) {
		v := variants[names[int(variant)%len(names)]]
		compareRandom(t, v.settings, v.accept, seed, int(payloads%10))
	})
}

func compareRandom(t *testing.T, settings map[string]any, accept []string, seed uint64, payloads int) {
	t.Helper()
	if strategy := settings["translation_strategy"]; strategy == "NoUTF8EscapingWithSuffixes" || strategy == "NoTranslation" {
		// For other clients, contrib's exporter writes names that become equal twice.
		accept = slices.DeleteFunc(slices.Clone(accept), func(s string) bool { return !strings.Contains(s, "allow-utf-8") })
	}
	p := newPair(t, settings, accept...)
	g := generator{Rand: rand.New(rand.NewPCG(seed, seed)), scopes: settings["without_scope_info"] == false}
	_, g.conversion = settings["resource_to_telemetry_conversion"]
	for i := range payloads {
		metrics := g.payload(i)
		for _, part := range g.split(metrics) {
			p.consume(t, part)
		}
		require.True(t, p.compare(t), "seed %d, payload %d", seed, i)
	}
}

// generator makes payloads that the two exporters take in the same way. It avoids what contrib's exporter leaves to chance or loses,
// which README.md of the exporter lists: equal series of two metrics, descriptions and types that differ within the first payload,
// data points after a stale marker, delta histograms.
type generator struct {
	*rand.Rand
	scopes     bool // series have labels of their scope
	conversion bool // attributes of the resource are labels
	past       []pmetric.Metrics
}

// kinds are the metrics, by name: names collide when they are translated, but the attributes of metrics whose names do differ.
var kinds = []struct{ name, unit, kind string }{
	{"server.up", "", "gauge"},
	{"server_up", "", "gauge"},
	{"cpu.load", "1", "gauge"},
	{"5xx.replies", "{reply}", "sum"},
	{"network.io", "By", "sum"},
	{"network/io", "By", "sum"},
	{"streams", "{stream}", "updown"},
	{"requests.total", "", "delta"},
	{"duration", "s", "histogram"},
	{"rate", "By/s", "gauge"},
	{"quantiles", "ms", "summary"},
	{"温度", "Cel", "gauge"},
	{"日本", "", "gauge"},
	{"conflict", "", "gauge"},
	{"temperature", "Cel", "gauge"},
}

const description = `What "it" is,` + " \\ and\nmore."

var (
	keys   = []string{"stream", "app.name", "app_name", "5xx", "_under", "__reserved", "__both__", "ключ", "a..b", "c", "quantile", "..", "otel_scope_name"}
	values = []string{
		"live", "a\"b", `a\b`, "a\nb", "世界", "", "\xff", `\"`, "a b", "{}", "}", "42", `x",y="z`, "\r", "\t", "\x00", " ", "}} 1", "0",
	}
	numbers = []float64{0, 1, -1, 0.1, 1e-9, 1e21, 123456789, 1e15, 1e16, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.Copysign(0, -1)}
)

func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

func (g *generator) payload(i int) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for range 1 + g.IntN(3) {
		rm := metrics.ResourceMetrics().AppendEmpty()
		g.resource(rm.Resource().Attributes())
		for range 1 + g.IntN(2) {
			sm := rm.ScopeMetrics().AppendEmpty()
			alive := sm.Metrics().AppendEmpty() // contrib's exporter has target_info for targets of which it refuses everything else
			alive.SetName("alive")
			alive.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(pcommon.Timestamp((1000 + g.Uint64N(5)) * 1e9))
			if g.scopes && g.IntN(3) > 0 {
				sm.Scope().SetName(pick(g, []string{"one", "two"}))
				sm.Scope().SetVersion(pick(g, []string{"", "1"}))
				sm.Scope().Attributes().PutStr("key.a", pick(g, []string{"1", "2"}))
			}
			if i == 0 { // the first type counts
				first := sm.Metrics().AppendEmpty()
				first.SetName("conflict")
				first.SetDescription(description)
				first.SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutInt("metric", 13)
			}
			for range g.IntN(8) {
				g.metric(sm.Metrics(), g.IntN(len(kinds)), i)
			}
		}
	}
	return metrics
}

// resource makes one of few targets. Its attributes follow from its name.
func (g *generator) resource(attributes pcommon.Map) {
	name := g.IntN(4)
	if name == 0 {
		attributes.PutStr("host.name", "h")
		return
	}
	attributes.PutStr("service.name", fmt.Sprint("service", name))
	if name > 1 {
		attributes.PutStr("service.namespace", "space")
		attributes.PutInt("service.instance.id", int64(name))
	}
	attributes.PutStr("server.address", `a"b`)
	if !g.conversion { // equal names are joined in target_info, and refused elsewhere
		attributes.PutStr("server_address", "c")
	}
	attributes.PutDouble("zone", 1.5)
}

func (g *generator) metric(metrics pmetric.MetricSlice, number, payload int) {
	kind := kinds[number]
	if kind.name == "conflict" && payload > 1 {
		kind.kind = pick(g, []string{"gauge", "histogram"})
	}
	m := metrics.AppendEmpty()
	m.SetName(kind.name)
	m.SetUnit(kind.unit)
	m.SetDescription(description)
	count := g.IntN(6)
	switch kind.kind {
	case "gauge":
		g.points(m.SetEmptyGauge().DataPoints(), count, number, false)
	case "sum", "updown", "delta":
		m.SetEmptySum().SetIsMonotonic(kind.kind != "updown")
		m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		if kind.kind == "delta" {
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		}
		g.points(m.Sum().DataPoints(), count, number, kind.kind == "delta")
	case "histogram":
		m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for range count {
			g.histogram(m.Histogram().DataPoints().AppendEmpty(), number)
		}
	case "summary":
		m.SetEmptySummary()
		for range count {
			p := m.Summary().DataPoints().AppendEmpty()
			g.attributes(p.Attributes(), number)
			g.times(p)
			p.SetCount(g.Uint64N(100))
			p.SetSum(pick(g, numbers))
			for i := range g.IntN(3) {
				q := p.QuantileValues().AppendEmpty()
				q.SetQuantile(float64(i) / 4)
				q.SetValue(pick(g, numbers))
			}
		}
	}
}

func (g *generator) times(p interface {
	SetTimestamp(pcommon.Timestamp)
	SetStartTimestamp(pcommon.Timestamp)
},
) {
	p.SetTimestamp(pcommon.Timestamp((1000 + g.Uint64N(5)) * 1e9))
	p.SetStartTimestamp(pcommon.Timestamp((1000 + g.Uint64N(5)) * 1e9 / 2))
}

func (g *generator) points(points pmetric.NumberDataPointSlice, count, number int, delta bool) {
	for i := range count {
		p := points.AppendEmpty()
		g.attributes(p.Attributes(), number)
		g.times(p)
		if delta { // some follow one another
			end := 1000 + g.Uint64N(5)
			p.SetTimestamp(pcommon.Timestamp(end * 1e9))
			p.SetStartTimestamp(pcommon.Timestamp((end - 1 - g.Uint64N(2)) * 1e9))
		}
		switch {
		case delta:
			p.SetIntValue(g.Int64N(1000))
		case g.IntN(2) == 0:
			p.SetIntValue(g.Int64N(1 << 40))
		default:
			p.SetDoubleValue(pick(g, numbers))
		}
		if i == count-1 && g.IntN(4) == 0 && kinds[number].name != "conflict" {
			// Contrib's exporter ignores its time.
			p.SetFlags(p.Flags().WithNoRecordedValue(true))
			p.SetTimestamp(pcommon.Timestamp(1004 * 1e9))
		}
	}
}

func (g *generator) histogram(p pmetric.HistogramDataPoint, number int) {
	g.attributes(p.Attributes(), number)
	g.times(p)
	var bounds []float64
	for range g.IntN(5) {
		bounds = append(bounds, pick(g, []float64{0, 0.5, 1, 2.5, 10, -1, 1e6}))
	}
	if g.IntN(4) > 0 {
		slices.Sort(bounds)
	}
	p.ExplicitBounds().FromRaw(bounds)
	var count uint64
	for range max(0, len(bounds)+1-g.IntN(2)) {
		n := g.Uint64N(10)
		p.BucketCounts().Append(n)
		count += n
	}
	p.SetCount(count)
	if g.IntN(4) > 0 {
		p.SetSum(pick(g, numbers))
	}
}

// attributes makes few different sets in any order. One attribute belongs to the metric, so that no two metrics have equal series.
func (g *generator) attributes(attributes pcommon.Map, number int) {
	attributes.PutInt("metric", int64(number))
	for range g.IntN(3) {
		key := pick(g, keys)
		switch n := g.IntN(6); {
		case key == "app_name":
			attributes.PutStr(key, key) // never what app.name is
		case n == 0:
			attributes.PutInt(key, g.Int64N(3))
		case n == 1:
			attributes.PutBool(key, true)
		default:
			attributes.PutStr(key, pick(g, values))
		}
	}
	if g.IntN(30) == 0 {
		attributes.PutStr("job", "own")
	}
}

// split cuts a payload into several, and repeats earlier ones between them.
func (g *generator) split(metrics pmetric.Metrics) []pmetric.Metrics {
	parts := []pmetric.Metrics{metrics}
	if g.IntN(2) == 0 {
		rest := pmetric.NewMetrics()
		metrics.CopyTo(rest)
		cut := func(first bool) func(pmetric.ResourceMetrics) bool {
			i := 0
			return func(pmetric.ResourceMetrics) bool {
				i++
				return (i%2 == 0) == first
			}
		}
		metrics.ResourceMetrics().RemoveIf(cut(true))
		rest.ResourceMetrics().RemoveIf(cut(false))
		parts = append(parts, rest)
	}
	if len(g.past) > 0 && g.IntN(2) == 0 {
		again := pmetric.NewMetrics()
		pick(g, g.past).CopyTo(again)
		parts = slices.Insert(parts, g.IntN(len(parts)), again)
	}
	for _, part := range parts {
		kept := pmetric.NewMetrics()
		part.CopyTo(kept)
		g.past = append(g.past, kept)
	}
	return parts
}
