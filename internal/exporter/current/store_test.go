// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

const (
	full        = completeness.Full
	incremental = completeness.Incremental
	unknown     = completeness.Unknown

	expiration = time.Minute
)

// server is the resource of a target in short form. Further resources have more attributes after it.
const server = "service.name=zlm service.instance.id=host:80"

// A step takes a payload in and compares the page afterwards. Payloads are written as in parse.
type step struct {
	after   time.Duration // the step before
	extent  completeness.Completeness
	payload string
	page    string // the lines without job and instance
}

// bench is a store with what it has refused and logged.
type bench struct {
	*current.Store
	refused []string
	logs    *observer.ObservedLogs
	now     time.Time
}

func newBench(change func(*current.Config)) *bench {
	core, logs := observer.New(zapcore.WarnLevel)
	b := &bench{logs: logs, now: time.Now()}
	config := current.Config{
		MetricName: func(m pmetric.Metric) (string, error) {
			if m.Name() == "bad" {
				return "", errors.New("bad name")
			}
			return strings.ReplaceAll(m.Name(), ".", "_"), nil
		},
		LabelName:     func(key string) (string, error) { return strings.ReplaceAll(key, ".", "_"), nil },
		ResourceLabel: func(key string) bool { return key == "site" },
		TargetInfo:    "target_info",
		Expiration:    expiration,
		Logger:        zap.New(core),
		Refused: func(reason current.Reason, metric string, points int, err error) {
			if err == nil {
				reason = "no error"
			}
			b.refused = append(b.refused, fmt.Sprintf("%s %s %d", reason, metric, points))
		},
	}
	if change != nil {
		change(&config)
	}
	b.Store = current.New(config)
	return b
}

// page returns all lines. Labels of the target host:80 are omitted.
func (b *bench) page() string {
	snapshot := b.Snapshot(b.now)
	defer snapshot.Release()
	var page strings.Builder
	for _, family := range snapshot.Families {
		for _, part := range family.Parts {
			page.Write(part.Text)
		}
	}
	text := strings.NewReplacer(`{instance="host:80",job="zlm"}`, "", `instance="host:80",job="zlm",`, "", `,instance="host:80",job="zlm"`, "").
		Replace(page.String())
	return strings.TrimSuffix(strings.ReplaceAll(text, "target_info 1\n", ""), "\n")
}

// parse reads a payload:
//
//	resource key=value key=value
//	scope name
//	gauge|sum|delta|updown name key=value value @seconds [>seconds of the start]
//
// Resource and scope may be omitted.
func parse(text string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	var scope pmetric.ScopeMetrics
	resource := func(words []string) {
		rm := metrics.ResourceMetrics().AppendEmpty()
		for _, word := range words {
			key, value, _ := strings.Cut(word, "=")
			rm.Resource().Attributes().PutStr(key, value)
		}
		scope = rm.ScopeMetrics().AppendEmpty()
	}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "resource":
			resource(words[1:])
		case words[0] == "scope":
			if metrics.ResourceMetrics().Len() == 0 {
				resource(strings.Fields(server))
			} else if scope.Metrics().Len() > 0 {
				last := metrics.ResourceMetrics().At(metrics.ResourceMetrics().Len() - 1)
				scope = last.ScopeMetrics().AppendEmpty()
			}
			scope.Scope().SetName(words[1])
		default:
			if metrics.ResourceMetrics().Len() == 0 {
				resource(strings.Fields(server))
			}
			addPoint(scope.Metrics(), words)
		}
	}
	return metrics
}

// addPoint adds a data point to the metric of its name.
func addPoint(metrics pmetric.MetricSlice, words []string) {
	var metric pmetric.Metric
	n := metrics.Len()
	if n > 0 && metrics.At(n-1).Name() == words[1] && (metrics.At(n-1).Type() == pmetric.MetricTypeGauge) == (words[0] == "gauge") {
		metric = metrics.At(n - 1)
	} else {
		metric = metrics.AppendEmpty()
		metric.SetName(words[1])
	}
	var points pmetric.NumberDataPointSlice
	if words[0] == "gauge" {
		if metric.Type() != pmetric.MetricTypeGauge {
			metric.SetEmptyGauge()
		}
		points = metric.Gauge().DataPoints()
	} else {
		if metric.Type() != pmetric.MetricTypeSum {
			metric.SetEmptySum().SetIsMonotonic(words[0] != "updown")
		}
		metric.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		if words[0] == "delta" {
			metric.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		}
		points = metric.Sum().DataPoints()
	}
	p := points.AppendEmpty()
	for _, word := range words[2:] {
		key, value, isAttribute := strings.Cut(word, "=")
		integer, err := strconv.ParseInt(word, 10, 64)
		switch {
		case isAttribute:
			p.Attributes().PutStr(key, value)
		case word[0] == '@':
			p.SetTimestamp(seconds(word[1:]))
		case word[0] == '>':
			p.SetStartTimestamp(seconds(word[1:]))
		case word == "stale":
			p.SetFlags(p.Flags().WithNoRecordedValue(true))
		case err == nil:
			p.SetIntValue(integer)
		default:
			float, _ := strconv.ParseFloat(word, 64)
			p.SetDoubleValue(float)
		}
	}
}

func seconds(s string) pcommon.Timestamp {
	n, _ := strconv.ParseUint(s, 10, 64)
	return pcommon.Timestamp(n * 1e9)
}

// lines removes the indentation of a page.
func lines(page string) string {
	var kept []string
	for line := range strings.Lines(page) {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestTake(t *testing.T) {
	for name, test := range map[string]struct {
		steps    []step
		refused  []string
		warnings int
	}{
		"full payloads replace everything": {steps: []step{
			{0, full, "gauge up 1 @10\ngauge viewers stream=a 5 @10\ngauge viewers stream=b 7 @10", `
				up 1
				viewers{stream="a"} 5
				viewers{stream="b"} 7`},
			{0, full, "gauge up 1 @20\ngauge viewers stream=b 8 @20", `
				up 1
				viewers{stream="b"} 8`},
			{0, full, "gauge up 0 @30", "up 0"},
			{0, full, "gauge up 1 @40\ngauge viewers stream=a 1 @40", `
				up 1
				viewers{stream="a"} 1`},
		}},
		"incremental payloads replace their metrics": {steps: []step{
			{0, full, "gauge up 1 @10\ngauge viewers stream=a 5 @10\ngauge load thread=0 1 @10\ngauge load thread=1 1 @10", `
				load{thread="0"} 1
				load{thread="1"} 1
				up 1
				viewers{stream="a"} 5`},
			{expiration / 2, incremental, "gauge up 1 @20\ngauge load thread=1 2 @20", `
				load{thread="1"} 2
				up 1
				viewers{stream="a"} 5`},
			// What was not due stays for as long as the target is heard of.
			{expiration, incremental, "gauge up 1 @30", `
				load{thread="1"} 2
				up 1
				viewers{stream="a"} 5`},
			{expiration, full, "gauge up 1 @40", "up 1"},
		}},
		"a target that is silent expires": {steps: []step{
			{0, full, "gauge up 1 @10", "up 1"},
			{
				expiration, incremental, "resource service.name=other service.instance.id=1\ngauge other 1 @10",
				"other{instance=\"1\",job=\"other\"} 1\ntarget_info{instance=\"1\",job=\"other\"} 1\nup 1",
			},
			{1, unknown, "", "other{instance=\"1\",job=\"other\"} 1\ntarget_info{instance=\"1\",job=\"other\"} 1"},
			{expiration, unknown, "", ""},
		}},
		"other payloads merge and expire by series": {steps: []step{
			{0, unknown, "gauge load cpu=0 1 @10\ngauge load cpu=1 1 @10", `
				load{cpu="0"} 1
				load{cpu="1"} 1`},
			{expiration / 2, unknown, "gauge load cpu=1 2 @20\ngauge load cpu=2 2 @20", `
				load{cpu="1"} 2
				load{cpu="2"} 2
				load{cpu="0"} 1`},
			{expiration/2 + 1, unknown, "", `
				load{cpu="1"} 2
				load{cpu="2"} 2`},
			{expiration, unknown, "", ""},
		}},
		"an older payload never replaces a newer one": {steps: []step{
			{0, full, "gauge up 1 @20\ngauge viewers stream=a 5 @20", "up 1\nviewers{stream=\"a\"} 5"},
			{0, full, "gauge up 0 @10", "up 1\nviewers{stream=\"a\"} 5"},
			{0, incremental, "gauge viewers stream=b 1 @10", "up 1\nviewers{stream=\"a\"} 5"},
			{0, full, "gauge up 0 @30", "up 0"},
			{0, full, "gauge viewers stream=a 5 @20", "up 0"},
			{0, full, "gauge up 1 @30", "up 1"}, // of the same time: the later one counts
			// The clock of the server was set back: what it sends counts once the rest has expired.
			{expiration / 2, full, "gauge up 0 @1", "up 1"},
			{expiration/2 + 1, full, "gauge up 0 @2", ""},
			{0, full, "gauge up 0 @3", "up 0"},
		}},
		"retries out of order": {steps: []step{
			{0, unknown, "sum n a=1 5 @20\nsum n a=2 5 @10", "n{a=\"1\"} 5\nn{a=\"2\"} 5"},
			{0, unknown, "sum n a=1 4 @10\nsum n a=2 6 @20\nsum n a=3 1 @10", "n{a=\"2\"} 6\nn{a=\"3\"} 1\nn{a=\"1\"} 5"},
		}},
		"equal series in a payload": {steps: []step{
			{0, full, "gauge n a=1 1 @20\ngauge n a=2 2 @10\ngauge n a=1 3 @10\ngauge n a=2 4 @20", "n{a=\"1\"} 1\nn{a=\"2\"} 4"},
			{0, full, "gauge n a=1 1 @30\ngauge n a=1 2 @30\ngauge n a=2 3 @30\ngauge n a=1 4 @30", "n{a=\"2\"} 3\nn{a=\"1\"} 4"},
			{0, unknown, "gauge n b=2 a=1 1 @40\ngauge n a=1 b=2 5 @40", "n{a=\"1\",b=\"2\"} 5\nn{a=\"2\"} 3\nn{a=\"1\"} 4"},
		}},
		"a payload that names a metric, a scope and a resource several times": {steps: []step{
			{0, full, `
				scope one
				gauge n a=1 1 @10
				gauge m 1 @10
				gauge n a=2 2 @10
				resource ` + server + `
				scope one
				gauge n a=3 3 @10
				scope two
				gauge k 1 @10`, `
				k 1
				m 1
				n{a="1"} 1
				n{a="2"} 2
				n{a="3"} 3`},
			{0, full, "scope one\ngauge n a=2 1 @20", "k 1\nn{a=\"2\"} 1"}, // the other scope is not part of it
		}},
		"a server that is upgraded": {steps: []step{
			{0, full, "resource " + server + " service.version=1\ngauge up 1 @10", "target_info{service_version=\"1\"} 1\nup 1"},
			{0, full, "resource " + server + " service.version=2\ngauge up 1 @20", "target_info{service_version=\"2\"} 1\nup 1"},
			{0, full, "resource " + server + " service.version=3\ngauge up 1 @30", "target_info{service_version=\"3\"} 1\nup 1"},
			{0, full, "resource " + server + " service.version=2\ngauge up 1 @40", "target_info{service_version=\"2\"} 1\nup 1"}, // and back
			{0, full, "resource " + server + " service.version=2\ngauge up 1 @50", "target_info{service_version=\"2\"} 1\nup 1"},
		}},
		"a server that starts after the collector": {steps: []step{
			{0, full, "gauge up 0 @10", "up 0"},
			{
				0, full, "resource " + server + " service.version=2\ngauge up 1 @20\ngauge viewers stream=a 1 @20",
				"target_info{service_version=\"2\"} 1\nup 1\nviewers{stream=\"a\"} 1",
			},
		}},
		"forked pushers behind one resource": {steps: []step{
			{0, unknown, "resource " + server + " process.pid=1\nsum n worker=1 5 @10 >1", "n{worker=\"1\"} 5\ntarget_info{process_pid=\"1\"} 1"},
			{
				0, unknown, "resource " + server + " process.pid=2\nsum n worker=2 6 @10 >2",
				"n{worker=\"2\"} 6\nn{worker=\"1\"} 5\ntarget_info{process_pid=\"2\"} 1",
			},
			{
				0, unknown, "resource " + server + " process.pid=1\nsum n worker=1 7 @20 >1",
				"n{worker=\"1\"} 7\nn{worker=\"2\"} 6\ntarget_info{process_pid=\"1\"} 1",
			},
			{
				0, unknown, "resource " + server + " process.pid=2\nsum n worker=2 8 @20 >2",
				"n{worker=\"2\"} 8\nn{worker=\"1\"} 7\ntarget_info{process_pid=\"2\"} 1",
			},
		}},
		"attributes that are learnt and lost": {steps: []step{
			{0, full, "gauge up 0 @10", "up 0"},
			{0, full, "resource " + server + " service.version=2\ngauge up 1 @20", "target_info{service_version=\"2\"} 1\nup 1"},
			{0, full, "gauge up 0 @30", "up 0"},
			{0, full, "resource " + server + " service.version=2\ngauge up 1 @40", "target_info{service_version=\"2\"} 1\nup 1"},
			{0, full, "gauge up 0 @50", "up 0"},
		}},
		"two writers of one series": {warnings: 1, steps: []step{
			{0, full, "resource " + server + " server.address=a\ngauge up 1 @10", "target_info{server_address=\"a\"} 1\nup 1"},
			{0, full, "resource " + server + " server.address=b\ngauge up 0 @10", "target_info{server_address=\"b\"} 1\nup 0"},
			{0, full, "resource " + server + " server.address=a\ngauge up 1 @20", "target_info{server_address=\"a\"} 1\nup 1"},
			{0, full, "resource " + server + " server.address=b\ngauge up 0 @20", "target_info{server_address=\"b\"} 1\nup 0"},
			{0, full, "resource " + server + " server.address=a\ngauge up 1 @30", "target_info{server_address=\"a\"} 1\nup 1"},
		}},
		"two processes with the same resource write one series": {warnings: 1, steps: []step{
			{0, unknown, "sum n 5 @10 >1", "n 5"},
			{0, unknown, "sum n 3 @11 >2", "n 3"},
			{0, unknown, "sum n 6 @20 >1", "n 6"},
			{0, unknown, "sum n 4 @21 >2", "n 4"},
			{0, unknown, "sum n 7 @30 >1", "n 7"},
		}},
		"equal series of two scopes: the newest": {steps: []step{
			{
				0, unknown, "scope one\ngauge n a=1 1 @10\ngauge n a=2 1 @10\nscope two\ngauge n a=1 2 @20\ngauge n a=3 2 @20",
				"n{a=\"2\"} 1\nn{a=\"1\"} 2\nn{a=\"3\"} 2",
			},
			{0, unknown, "scope one\ngauge n a=1 3 @30", "n{a=\"1\"} 3\nn{a=\"2\"} 1\nn{a=\"3\"} 2"},
		}},
		"equal series of a target and of data points with its labels": {steps: []step{
			{0, unknown, "resource a=b\ngauge n job=zlm instance=host:80 1 @10\nresource " + server + "\ngauge n 2 @20\n", "n 2"},
			{0, unknown, "resource a=b\ngauge n job=zlm instance=host:80 3 @30", "n 3"},
		}},
		"metrics that get the same name are one": {steps: []step{
			{0, full, "gauge a.b c=1 1 @10\ngauge a_b c=2 2 @10\ngauge a.b c=2 3 @5", "a_b{c=\"1\"} 1\na_b{c=\"2\"} 2"},
		}},
		"types": {
			steps: []step{
				{0, full, "gauge n 1 @10", "n 1"},
				{0, full, "sum n 2 @20", "n 2"}, // the server was upgraded
				{0, full, "sum n 3 @30\ngauge n 4 @30", "n 3"},
				{0, full, "gauge n 4 @40\nsum n 5 @40", "n 4"},
				{0, unknown, "resource service.name=other\nsum n 1 @50\nsum n a=1 1 @50", "n 4"},
			},
			refused: []string{"type_conflict n 1", "type_conflict n 1", "type_conflict n 2"},
		},
		"refused": {
			steps: []step{
				{0, full, "gauge ok 1 @10\ngauge bad 1 @10\ngauge n job=1 1 @10\ngauge n a.b=1 a_b=1 1 @10\ngauge n __a=1 1 @10\ngauge n 1 @10", "n 1\nok 1"},
				{0, full, "gauge m a=\xff 1 @20", ""},
			},
			refused: []string{"metric_name bad 1", "labels n 1", "labels n 1", "labels n 1", "labels m 1"},
		},
		"stale markers": {steps: []step{
			{0, unknown, "gauge n a=1 1 @10\ngauge n a=2 1 @10", "n{a=\"1\"} 1\nn{a=\"2\"} 1"},
			{0, unknown, "gauge n a=1 stale @20\ngauge n a=3 stale @20\ngauge n a=4 1 @20\ngauge n a=4 stale @30", "n{a=\"2\"} 1"},
			{0, unknown, "gauge n a=2 stale @5\ngauge n a=1 stale @30\ngauge n a=1 2 @40", "n{a=\"1\"} 2\nn{a=\"2\"} 1"},
			{0, full, "gauge n a=2 stale @50\ngauge n a=1 stale @50", ""},
		}},
		"delta sums": {steps: []step{
			{0, unknown, "delta n a=1 5 >10 @20\ndelta n a=2 0.5 >10 @20", "n{a=\"1\"} 5\nn{a=\"2\"} 0.5"},
			{0, unknown, "delta n a=1 3 >20 @30\ndelta n a=1 2 >30 @40\ndelta n a=2 1.25 >20 @30", "n{a=\"1\"} 10\nn{a=\"2\"} 1.75"},
			{0, unknown, "delta n a=1 3 >20 @30", "n{a=\"1\"} 10\nn{a=\"2\"} 1.75"}, // a retry
			{0, full, "delta n a=1 1 >40 @50\ndelta n a=2 1 >35 @50", "n{a=\"1\"} 11\nn{a=\"2\"} 1"},
		}},
		"labels of the resource": {steps: []step{
			{
				0, full, "resource " + server + " site=fra\ngauge n a=1 site=x 1 @10\ngauge up 1 @10",
				"n{a=\"1\",site=\"fra\"} 1\ntarget_info{site=\"fra\"} 1\nup{site=\"fra\"} 1",
			},
			{0, full, "resource " + server + " site=ams\ngauge n a=1 1 @20", "n{a=\"1\",site=\"ams\"} 1\ntarget_info{site=\"ams\"} 1"},
		}},
		"attributes that come in another order, and change": {steps: []step{
			{0, full, "gauge n b=2 a=1 1 @10\ngauge n a=1 2 @10\ngauge n a=1 b=3 3 @10", "n{a=\"1\",b=\"2\"} 1\nn{a=\"1\"} 2\nn{a=\"1\",b=\"3\"} 3"},
			{0, full, "gauge n a=1 b=2 1 @20\ngauge n b=3 a=1 3 @20", "n{a=\"1\",b=\"2\"} 1\nn{a=\"1\",b=\"3\"} 3"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(nil)
			for i, step := range test.steps {
				b.now = b.now.Add(step.after)
				b.Take(parse(step.payload), step.extent, b.now)
				page := strings.ReplaceAll(strings.ReplaceAll(b.page(), `instance="host:80",job="zlm",`, ""), `{instance="host:80",job="zlm"}`, "")
				require.Equal(t, lines(step.page), page, "step %d", i)
			}
			assert.Equal(t, test.refused, b.refused)
			assert.Equal(t, test.warnings, b.logs.Len(), "%v", b.logs.All())
		})
	}
}

func TestWarningNamesBothSources(t *testing.T) {
	b := newBench(nil)
	for i := range 5 {
		b.Take(parse(fmt.Sprintf("resource %s server.address=10.0.0.%d\ngauge up 1 @%d", server, i%2, i)), full, b.now)
	}
	require.Equal(t, 1, b.logs.Len())
	assert.Equal(t, map[string]any{
		"job": "zlm", "instance": "host:80",
		"source":       "server.address=10.0.0.1",
		"other_source": "server.address=10.0.0.0",
	}, b.logs.All()[0].ContextMap())
}

func TestEscaping(t *testing.T) {
	b := newBench(nil)
	metrics := parse("gauge n 1 @10")
	points := metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	values := []string{`a"b`, `a\b`, "a\nb", `a\"b`, `a",job="x`, `a\\b`, "世界", "", `\`, `"`}
	points.RemoveIf(func(pmetric.NumberDataPoint) bool { return true })
	for _, value := range values {
		p := points.AppendEmpty()
		p.Attributes().PutStr("v", value)
		p.SetDoubleValue(math.Inf(1))
	}
	const want = `n{v="a\"b"} +Inf
n{v="a\\b"} +Inf
n{v="a\nb"} +Inf
n{v="a\\\"b"} +Inf
n{v="a\",job=\"x"} +Inf
n{v="a\\\\b"} +Inf
n{v="世界"} +Inf
n{v=""} +Inf
n{v="\\"} +Inf
n{v="\""} +Inf`
	for range 3 { // the second time, labels are compared with rendered ones
		b.Take(metrics, full, b.now)
		page := b.page()
		require.Equal(t, want, strings.ReplaceAll(page, `instance="host:80",job="zlm",`, ""))
	}
}

// TestWholePayloads fetches while payloads come in, each with one value in all of its series.
func TestWholePayloads(t *testing.T) {
	const series, payloads = 500, 200
	b := newBench(nil)
	var text strings.Builder
	for i := range series {
		fmt.Fprintf(&text, "gauge m%d a=%d 0 @1\n", i%10, i)
	}
	metrics := parse(text.String())
	set := func(value int64) {
		for _, metric := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			for _, p := range metric.Gauge().DataPoints().All() {
				p.SetIntValue(value)
			}
		}
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				snapshot := b.Snapshot(b.now)
				values, count := map[string]bool{}, 0
				for _, family := range snapshot.Families {
					for _, part := range family.Parts {
						for line := range strings.Lines(string(part.Text)) {
							if family.Name != "target_info" {
								values[line[strings.LastIndexByte(line, ' ')+1:]] = true
								count++
							}
						}
					}
				}
				snapshot.Release()
				assert.LessOrEqual(t, len(values), 1)
				assert.Contains(t, []int{0, series}, count)
			}
		})
	}
	for i := range payloads {
		set(int64(i * 12345))
		b.Take(metrics, []completeness.Completeness{full, unknown, incremental}[i%3], b.now)
	}
	close(done)
	readers.Wait()
}

// TestAllocations takes payloads in that differ from the ones before in their values only.
func TestAllocations(t *testing.T) {
	const series = 1000
	var payloads [2]pmetric.Metrics
	for i := range payloads {
		var text strings.Builder
		for j := range series {
			fmt.Fprintf(&text, "gauge m%d a=stream-%d b=live %d @1\n", j/100, j, 123456+1000*i+j)
		}
		payloads[i] = parse(text.String())
	}
	for name, extent := range map[string]completeness.Completeness{"full": full, "incremental": incremental, "unknown": unknown} {
		t.Run(name, func(t *testing.T) {
			b := newBench(nil)
			b.Take(payloads[0], extent, b.now)
			n := 0
			allocations := testing.AllocsPerRun(10, func() {
				n++
				b.Take(payloads[n%2], extent, b.now)
			})
			assert.Less(t, allocations, 50.0, "for %d series", series)
			t.Logf("%.0f allocations for %d series", allocations, series)
		})
	}
}

// TestTargetSnapshot checks what a snapshot of one target contains, and that later payloads do not change it.
func TestTargetSnapshot(t *testing.T) {
	b := newBench(func(c *current.Config) {
		c.LabelName = func(key string) (string, error) { return key, nil }
		c.WithoutTarget = true
		c.KeepTarget = func(id current.TargetID) bool { return id.Job != "hidden" }
		c.KeepMetric = func(name string) bool { return name != "ignored" }
	})
	b.Take(parse(`
		resource service.namespace=prod service.name=zlm service.instance.id=host:80
		gauge up 1 @100
		gauge ignored 1 @100
		gauge load a.b=x c=1 0.5 @100
		gauge load a.b=y c=2 2 @100
		sum io 5 @100 >50
		resource service.name=hidden service.instance.id=host:81
		gauge up 1 @100
		resource service.name=other service.instance.id=host:82
		gauge up 0 @100
	`), full, b.now)
	snapshot := b.TargetSnapshot(current.TargetID{Job: "prod/zlm", Instance: "host:80"})
	b.Take(parse("resource service.namespace=prod service.name=zlm service.instance.id=host:80\ngauge up 0 @101"), full, b.now)
	var got []string
	for name, parts := range snapshot.Metrics {
		for _, part := range parts {
			for series := range part.Series() {
				text := fmt.Sprint(name, " ", series.Value(), " ", series.Time.AsTime().Unix(), " ", series.Start.AsTime().Unix())
				for key, value := range series.Attributes() {
					text += " " + key + "=" + value
				}
				got = append(got, text)
			}
		}
	}
	snapshot.Release()
	assert.ElementsMatch(t, []string{
		"up 1 100 0", "load 0.5 100 0 a.b=x c=1", "load 2 100 0 a.b=y c=2", "io 5 100 50",
	}, got)
	for _, id := range []current.TargetID{{Job: "hidden", Instance: "host:81"}, {Job: "unknown"}} {
		nothing := b.TargetSnapshot(id)
		assert.Empty(t, nothing.Metrics)
		nothing.Release()
	}
	assert.Empty(t, b.refused)
}

// TestSeries checks that values and labels of lines are read as they were written.
func TestSeries(t *testing.T) {
	b := newBench(func(c *current.Config) {
		c.MetricName = func(m pmetric.Metric) (string, error) { return m.Name(), nil }
		c.LabelName = func(key string) (string, error) { return key, nil }
		c.WithoutTarget, c.Timestamps = true, true
	})
	for name, test := range map[string]struct {
		key, value string
		number     float64
	}{
		"no.labels":  {"", "", -1.5},
		"with space": {"", "", 7},
		"a":          {"key", "value", math.Inf(1)},
		"a.b":        {"k.k", `quote " and \ and \n`, 1e300},
		"lines":      {`k"k`, "a\nb\"} 1", math.NaN()},
		"unicode":    {"ключ", "\u202eעברית 😀 <b>", 12345678901},
	} {
		metrics := pmetric.NewMetrics()
		rm := metrics.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", name)
		metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		metric.SetName(name)
		p := metric.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetDoubleValue(test.number)
		want := map[string]string{}
		if test.key != "" {
			p.Attributes().PutStr(test.key, test.value)
			want[test.key] = test.value
		}
		b.Take(metrics, full, b.now)
		snapshot := b.TargetSnapshot(current.TargetID{Job: name})
		require.Len(t, snapshot.Metrics[name], 1, name)
		for series := range snapshot.Metrics[name][0].Series() {
			assert.Equal(t, math.Float64bits(test.number), math.Float64bits(series.Value()), name)
			assert.Equal(t, want, maps.Collect(series.Attributes()), name)
		}
		snapshot.Release()
	}
	histogram := pmetric.NewMetrics()
	metric := histogram.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("histogram")
	metric.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	metric.Histogram().DataPoints().AppendEmpty().SetCount(3)
	b.Take(histogram, full, b.now)
	snapshot := b.TargetSnapshot(current.TargetID{})
	defer snapshot.Release()
	for series := range snapshot.Metrics["histogram"][0].Series() {
		assert.True(t, math.IsNaN(series.Value()))
	}
}
