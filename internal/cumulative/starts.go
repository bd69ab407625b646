// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package cumulative computes start times of sums, and sums over objects that come and go.
package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Starts holds start times of single data points, because a generated builder has one start time for all of them. The zero
// value is ready to use.
type Starts struct {
	times map[string][]pcommon.Timestamp // by metric
}

// Add notes the start time of the last recorded data point of metric. If start is after now, because the server's clock is
// ahead, the start time is now.
func (s *Starts) Add(metric string, start, now pcommon.Timestamp) {
	if s.times == nil {
		s.times = map[string][]pcommon.Timestamp{}
	}
	s.times[metric] = append(s.times[metric], min(start, now))
}

// Apply sets the noted start times on the data points of their metrics, in the order of recording, and forgets them.
func (s *Starts) Apply(metrics pmetric.Metrics) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if times := s.times[m.Name()]; len(times) > 0 {
					set(m.Sum().DataPoints(), times)
				}
			}
		}
	}
	for metric, times := range s.times {
		s.times[metric] = times[:0]
	}
}

func set(points pmetric.NumberDataPointSlice, starts []pcommon.Timestamp) {
	for i, start := range starts {
		points.At(i).SetStartTimestamp(start)
	}
}

// Seconds returns the Unix time s as a timestamp.
func Seconds(s int64) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.Unix(s, 0))
}

// Counter derives the start time of a counter whose server does not report it: the time of the first value or, after the
// counter has fallen, the time of the last value before the fall. The zero value is ready to use.
type Counter struct {
	start, seen, since pcommon.Timestamp
	value              int64
}

// Start takes the current value of the counter and returns its start time.
func (c *Counter) Start(value int64, now pcommon.Timestamp) pcommon.Timestamp {
	switch {
	case c.seen == 0:
		c.start = now
	case value < c.value:
		c.start = c.seen
	}
	c.value, c.seen = value, now
	return c.start
}

// StartSince is like Start for a counter whose start time the server reports as since. If the counter falls and since does not
// change, the start time is that of the last value before the fall. It never moves back and is never after now.
func (c *Counter) StartSince(since pcommon.Timestamp, value int64, now pcommon.Timestamp) pcommon.Timestamp {
	switch {
	case c.seen == 0, since != c.since && since > c.start:
		c.start = min(since, now)
	case value < c.value:
		c.start = max(c.start, min(c.seen, now))
	}
	c.since, c.value, c.seen = since, value, now
	return c.start
}
