// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// builderStart is the start time that a generated builder sets on every data point.
const builderStart pcommon.Timestamp = 5

// sums returns metrics with a sum called name of n data points, between two others.
func sums(name string, n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range []string{"before", name, "after"} {
		m := metrics.AppendEmpty()
		m.SetName(name)
		points := m.SetEmptySum().DataPoints()
		for range n {
			points.AppendEmpty().SetStartTimestamp(builderStart)
		}
	}
	return md
}

// starts returns the start times of the data points of the sums called name.
func starts(md pmetric.Metrics, name string) (all []pcommon.Timestamp) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != name || m.Type() != pmetric.MetricTypeSum {
					continue
				}
				for _, p := range m.Sum().DataPoints().All() {
					all = append(all, p.StartTimestamp())
				}
			}
		}
	}
	return all
}

func TestApply(t *testing.T) {
	var s Starts
	s.Add("x.io", 10, 100)
	s.Add("after", 1, 100)
	s.Add("x.io", 100, 100)
	s.Add("x.io", 101, 100) // the server's clock is ahead
	s.Add("x.io", 0, 100)
	md := sums("x.io", 4)
	s.Apply(md)
	assert.Equal(t, []pcommon.Timestamp{10, 100, 100, 0}, starts(md, "x.io"))
	assert.Equal(t, []pcommon.Timestamp{builderStart, builderStart, builderStart, builderStart}, starts(md, "before"))
	assert.Equal(t, []pcommon.Timestamp{1, builderStart, builderStart, builderStart}, starts(md, "after"))
}

// Apply forgets the start times even if the metric is disabled.
func TestApplyForgets(t *testing.T) {
	var s Starts
	for name, md := range map[string]pmetric.Metrics{"present": sums("x.io", 1), "absent": sums("y.io", 1), "empty": pmetric.NewMetrics()} {
		t.Run(name, func(t *testing.T) {
			s.Add("x.io", 10, 100)
			s.Apply(md)
			next := sums("x.io", 2)
			s.Apply(next)
			assert.Equal(t, []pcommon.Timestamp{builderStart, builderStart}, starts(next, "x.io"))
			s.Add("x.io", 20, 100)
			s.Add("x.io", 21, 100)
			s.Apply(next)
			assert.Equal(t, []pcommon.Timestamp{20, 21}, starts(next, "x.io"))
		})
	}
}

func TestApplyWithoutStarts(t *testing.T) {
	md := sums("x.io", 1)
	new(Starts).Apply(md)
	assert.Equal(t, []pcommon.Timestamp{builderStart}, starts(md, "x.io"))
}

func TestCounter(t *testing.T) {
	for name, tc := range map[string]struct {
		values []int64 // at the times 10, 20, 30 ...
		want   []pcommon.Timestamp
	}{
		"never falls":         {[]int64{5, 5, 6}, []pcommon.Timestamp{10, 10, 10}},
		"starts at zero":      {[]int64{0, 1, 2}, []pcommon.Timestamp{10, 10, 10}},
		"falls once":          {[]int64{5, 9, 2, 3}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls again":         {[]int64{5, 4, 3, 3}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls to zero":       {[]int64{5, 6, 0, 0}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls, then exceeds": {[]int64{5, 6, 1, 99}, []pcommon.Timestamp{10, 10, 20, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			var c Counter
			for i, value := range tc.values {
				assert.Equal(t, tc.want[i], c.Start(value, pcommon.Timestamp(10*(i+1))))
			}
		})
	}
}

func TestCounterStartSince(t *testing.T) {
	type observation struct {
		since, now pcommon.Timestamp
		value      int64
		want       pcommon.Timestamp
	}
	for name, observations := range map[string][]observation{
		"never falls":                     {{5, 10, 1, 5}, {5, 20, 2, 5}},
		"falls":                           {{5, 10, 9, 5}, {5, 20, 1, 10}, {5, 30, 2, 10}},
		"falls again":                     {{5, 10, 9, 5}, {5, 20, 8, 10}, {5, 30, 7, 20}},
		"restarts":                        {{5, 10, 9, 5}, {15, 20, 1, 15}, {15, 30, 2, 15}},
		"restarts and exceeds":            {{5, 10, 9, 5}, {15, 20, 99, 15}},
		"falls, then restarts":            {{5, 10, 9, 5}, {5, 20, 1, 10}, {25, 30, 0, 25}},
		"restarts before the last fall":   {{5, 10, 9, 5}, {5, 20, 1, 10}, {8, 30, 0, 20}},
		"never moves back":                {{5, 10, 9, 5}, {3, 20, 10, 5}},
		"the server's clock is ahead":     {{50, 10, 1, 10}, {50, 20, 2, 10}, {50, 30, 1, 20}, {50, 60, 2, 20}},
		"the collector's clock goes back": {{5, 100, 9, 5}, {5, 50, 10, 5}, {5, 60, 1, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			var c Counter
			for i, o := range observations {
				assert.Equal(t, o.want, c.StartSince(o.since, o.value, o.now), i)
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	assert.Equal(t, pcommon.NewTimestampFromTime(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)), Seconds(1795132800))
	assert.Zero(t, Seconds(0))
}
