// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// word is an attribute's type, as mdatagen makes them.
type word string

func (w word) String() string { return string(w) }

// words maps values of attributes to types that differ from them, so that a value that was not looked up shows.
var words = Words[word, word, word]{
	ErrorTypes: map[string]word{"connection": "CONNECTION", "status": "STATUS", "_OTHER": "OTHER"},
	Entities:   map[string]word{"stream": "STREAM", "room": "ROOM"},
	Reasons:    map[string]word{"limit": "LIMIT", "merged": "MERGED"},
}

// fakeBuilder records points as a generated builder does.
type fakeBuilder struct{ metrics pmetric.MetricSlice }

func newFakeBuilder() *fakeBuilder { return &fakeBuilder{pmetric.NewMetricSlice()} }

func (b *fakeBuilder) record(start pcommon.Timestamp, name string, v float64) {
	m := b.metrics.AppendEmpty()
	m.SetName(name)
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(start)
	dp.SetDoubleValue(v)
}

func (b *fakeBuilder) RecordRtcTargetUpDataPoint(start pcommon.Timestamp, up int64) {
	b.record(start, "up", float64(up))
}

func (b *fakeBuilder) RecordRtcScrapesDataPoint(start pcommon.Timestamp, n int64) {
	b.record(start, "scrapes", float64(n))
}

func (b *fakeBuilder) RecordRtcScrapeDurationDataPoint(start pcommon.Timestamp, seconds float64, api string) {
	b.record(start, "duration "+api, seconds)
}

func (b *fakeBuilder) RecordRtcScrapeErrorsDataPoint(start pcommon.Timestamp, n int64, api string, errorType word) {
	b.record(start, fmt.Sprintf("errors %s %s", api, errorType), float64(n))
}

func (b *fakeBuilder) RecordRtcScrapeOmittedCountDataPoint(start pcommon.Timestamp, n int64, entity, reason word) {
	b.record(start, fmt.Sprintf("omitted %s %s", entity, reason), float64(n))
}

func (b *fakeBuilder) RecordCallsDataPoint(start pcommon.Timestamp, n int64) {
	b.record(start, "calls", float64(n))
}

func (b *fakeBuilder) Emit(...struct{}) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	if b.metrics.Len() > 0 {
		b.metrics.MoveAndAppendTo(metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics())
	}
	return metrics
}

var calls = rows.Whole((*fakeBuilder).RecordCallsDataPoint)

// errAbsent is the error of a call that a process does not offer.
var errAbsent = errors.New("absent")

// fakeProcess is a process whose calls answer with errors of a test's choice.
type fakeProcess struct {
	runner *Runner
	b      *fakeBuilder
	logs   *observer.ObservedLogs
	errs   map[string]error // by call; nil for those that are answered
	calls  []Call
	during func() // while the calls are recorded
	start  pcommon.Timestamp
	mu     sync.Mutex
	asked  []string
}

// newFakeProcess returns a process with light calls of these names.
func newFakeProcess(apis ...string) *fakeProcess {
	core, logs := observer.New(zapcore.InfoLevel)
	p := &fakeProcess{b: newFakeBuilder(), logs: logs, errs: map[string]error{}}
	p.runner = NewRunner(p.b, words, Process{
		Endpoint: "example:80", Logger: zap.New(core), Limits: map[string]string{"stream": "streams"},
		Scrape:     func(ctx context.Context, s *Scrape) { s.Run(ctx, p.calls...) },
		Resource:   func() pcommon.Resource { return resource("fake", "example:80") },
		StartTime:  func() pcommon.Timestamp { return p.start },
		NotOffered: func(err error) bool { return errors.Is(err, errAbsent) },
	})
	for _, api := range apis {
		p.calls = append(p.calls, Call{API: api, Metrics: metrics(api, 1), Ask: func(context.Context) (func(), error) {
			p.mu.Lock()
			p.asked = append(p.asked, api)
			p.mu.Unlock()
			if err := p.errs[api]; err != nil {
				return nil, err
			}
			return func() {
				if p.during != nil {
					p.during()
				}
			}, nil
		}})
	}
	return p
}

// scrape returns what came of a scrape, and the calls that it made.
func (p *fakeProcess) scrape(t *testing.T) (outcome, string) {
	t.Helper()
	p.asked = nil
	o := p.runner.scrape(t.Context())
	slices.Sort(p.asked)
	return o, strings.Join(p.asked, " ")
}

// points returns the values of metrics by name, without the durations.
func points(metrics pmetric.Metrics) map[string]float64 {
	values := map[string]float64{}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if !strings.HasPrefix(m.Name(), "duration") {
			values[m.Name()] = m.Gauge().DataPoints().At(0).DoubleValue()
		}
	}
	return values
}

func TestRunnerReportsScrapes(t *testing.T) {
	p := newFakeProcess("a", "b")
	p.errs["b"] = &failure{text: "refused", counted: Connection}
	p.during = func() {
		p.runner.Omit(word("stream"), word("limit"), 2)
		p.runner.Omit(word("stream"), word("limit"), 1)
		p.runner.Omit(word("room"), word("merged"), 0)
	}
	for n := range 2 {
		o, _ := p.scrape(t)
		assert.True(t, o.up)
		require.EqualError(t, o.err, "b of example:80: refused")
		assert.Equal(t, map[string]float64{
			"up": 1, "scrapes": float64(n + 1), "errors b CONNECTION": float64(n + 1), "omitted STREAM LIMIT": 3, "omitted ROOM MERGED": 0,
		}, points(o.metrics))
		assert.Equal(t, "example:80", o.metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()["service.instance.id"])
	}
	limits := p.logs.FilterMessageSnippet("left out")
	require.Equal(t, 1, limits.Len(), "once, not once a scrape")
	assert.Equal(t, "things are left out of the metrics: raise streams::limit, or narrow the selection with streams::include and streams::exclude",
		limits.All()[0].Message)
}

func TestRunnerOfDeadProcess(t *testing.T) {
	p := newFakeProcess("a", "b")
	p.errs["a"], p.errs["b"] = errors.New("x"), errAbsent
	o, _ := p.scrape(t)
	assert.False(t, o.up)
	require.EqualError(t, o.err, "a of example:80: x; b of example:80: absent")
	assert.Equal(t, map[string]float64{"up": 0, "scrapes": 1, "errors a OTHER": 1, "errors b OTHER": 1}, points(o.metrics))
}

// A point has the start time of the process, of itself, or of the receiver, and none is later than the scrape.
func TestRunnerSetsTimes(t *testing.T) {
	now := time.Unix(5000, 0)
	seconds := func(s int64) pcommon.Timestamp { return pcommon.NewTimestampFromTime(time.Unix(s, 0)) }
	for name, tt := range map[string]struct{ process, own, want pcommon.Timestamp }{
		"of the process":           {process: seconds(1000), want: seconds(1000)},
		"its own":                  {process: seconds(1000), own: seconds(2000), want: seconds(2000)},
		"of a clock that is ahead": {process: seconds(9000), want: seconds(5000)},
		"of the receiver":          {want: seconds(3000)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeProcess("a")
			p.runner.clock, p.runner.start, p.start = func() time.Time { return now }, seconds(3000), tt.process
			p.during = func() { assert.True(t, calls.RecordSince(p.b, tt.own, 7, rows.None{})) }
			o, _ := p.scrape(t)
			for _, m := range o.metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
				dp := m.Gauge().DataPoints().At(0)
				assert.Equal(t, seconds(5000), dp.Timestamp(), m.Name())
				switch m.Name() {
				case "calls":
					assert.Equal(t, tt.want, dp.StartTimestamp())
				case "scrapes":
					assert.Equal(t, seconds(3000), dp.StartTimestamp())
				}
			}
		})
	}
}

// A call that the process does not offer is no error, logged once, and made again every 10th scrape. A call that it did offer fails for
// 10 scrapes first. An upgrade, or a process that was away, changes what is offered.
func TestOffers(t *testing.T) {
	p := newFakeProcess("a", "b")
	p.errs["b"] = errAbsent
	for n := range 31 {
		o, asked := p.scrape(t)
		require.NoError(t, o.err, n)
		assert.NotContains(t, points(o.metrics), "errors b OTHER")
		want := "a"
		if n%10 == 0 {
			want = "a b"
		}
		require.Equal(t, want, asked, n)
		assert.False(t, p.runner.Offers("b"))
	}
	assert.Equal(t, 1, p.logs.FilterMessageSnippet("does not offer an API").Len())

	p.runner.Restarted()
	delete(p.errs, "b")
	_, asked := p.scrape(t)
	assert.Equal(t, "a b", asked)
	p.errs["b"] = errAbsent
	for n := range 9 {
		o, asked := p.scrape(t)
		require.EqualError(t, o.err, "b of example:80: absent", n)
		assert.Equal(t, "a b", asked)
	}
	o, _ := p.scrape(t)
	require.NoError(t, o.err)
	_, asked = p.scrape(t)
	assert.Equal(t, "a", asked)

	p.errs["a"] = errors.New("away")
	p.scrape(t)
	delete(p.errs, "a")
	_, asked = p.scrape(t)
	assert.Equal(t, "a b", asked, "another release may have come up")
}

// Failures of another kind in between begin the count of answers that a call does not exist anew.
func TestOffersCountsInARow(t *testing.T) {
	var o offers
	o.answer("x")
	for range askAgainAfter - 1 {
		assert.False(t, o.miss("x"))
	}
	o.fail("x")
	for range askAgainAfter - 1 {
		assert.False(t, o.miss("x"))
	}
	assert.True(t, o.miss("x"))
	assert.True(t, o.lacks("x"))
}

// Heavy calls that were not made because the process offers none of the light ones are not offered either, once it answers something else.
func TestOffersOfHeavyCalls(t *testing.T) {
	p := newFakeProcess("a", "list")
	p.errs["a"] = errAbsent
	p.calls[1].Heavy = true
	other := Call{API: "page", Always: true, Ask: func(context.Context) (func(), error) { return func() {}, nil }}
	p.runner.process.Scrape = func(ctx context.Context, s *Scrape) {
		s.Run(ctx, p.calls...)
		s.Run(ctx, other)
	}
	for range 10 {
		o, _ := p.scrape(t)
		require.NoError(t, o.err)
		assert.False(t, p.runner.Offers("list"))
	}
	p.errs["a"] = errors.New("broken")
	o, asked := p.scrape(t)
	assert.Equal(t, "a", asked)
	require.EqualError(t, o.err, "a of example:80: broken; list of example:80: not asked, because the server answers nothing else")
}

// Appended metrics get the times of all others.
func TestRunnerAmends(t *testing.T) {
	p := newFakeProcess("a")
	p.start = 1000
	p.runner.process.Amend = func(metrics pmetric.MetricSlice) {
		more := metrics.AppendEmpty()
		more.SetName("more")
		more.SetEmptySum().DataPoints().AppendEmpty().SetIntValue(1)
	}
	o, _ := p.scrape(t)
	metrics := o.metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	last := metrics.At(metrics.Len() - 1)
	assert.Equal(t, "more", last.Name())
	assert.Equal(t, pcommon.Timestamp(1000), last.Sum().DataPoints().At(0).StartTimestamp())
	assert.Equal(t, p.runner.Now(), last.Sum().DataPoints().At(0).Timestamp())
}

// A call to another server is counted, and its error names the other server; whether the process is up does not depend on it.
func TestRunnerCallsElsewhere(t *testing.T) {
	for name, tt := range map[string]struct {
		process, page error
		want          string
	}{
		"both answer":       {nil, nil, ""},
		"the process fails": {errors.New("broken"), nil, "a of example:80: broken"},
		"the page fails":    {nil, errAbsent, "page of other:81: absent"},
		"both fail":         {errors.New("broken"), errAbsent, "a of example:80: broken; page of other:81: absent"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeProcess("a")
			p.errs["a"] = tt.process
			recorded := false
			p.runner.process.Scrape = func(ctx context.Context, s *Scrape) {
				var wg sync.WaitGroup
				wg.Go(func() {
					s.RunElsewhere(ctx, "other:81", Call{API: "page", Ask: Fetch(
						func(context.Context) (int, error) { return 0, tt.page }, func(int) { recorded = true },
					)})
				})
				s.RunFirst(ctx, p.calls...)
				wg.Wait()
			}
			o, _ := p.scrape(t)
			assert.Equal(t, tt.process == nil, o.up)
			assert.Equal(t, tt.page == nil, recorded)
			if tt.want == "" {
				require.NoError(t, o.err)
			} else {
				require.EqualError(t, o.err, tt.want)
			}
			values := points(o.metrics)
			assert.InDelta(t, float64(rows.BoolToInt(tt.process == nil)), values["up"], 0)
			assert.InDelta(t, float64(rows.BoolToInt(tt.page != nil)), values["errors page OTHER"], 0)
		})
	}
}

func TestEnabled(t *testing.T) {
	p := newFakeProcess()
	assert.Equal(t, []rows.Metric{{Name: "calls"}}, p.runner.Enabled(calls))
	assert.Empty(t, p.runner.Enabled())
}
