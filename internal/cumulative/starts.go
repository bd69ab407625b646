// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package cumulative keeps the start times of sums true.
package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Starts holds the start time of every point of some sums, because a generated builder knows a single start for all of them.
// The zero value is ready.
type Starts struct {
	times map[string][]pcommon.Timestamp // by metric
}

// Add notes when the sum began whose point was recorded last in metric. A start after now, as of a server whose clock
// is ahead, becomes now.
func (s *Starts) Add(metric string, start, now pcommon.Timestamp) {
	if s.times == nil {
		s.times = map[string][]pcommon.Timestamp{}
	}
	s.times[metric] = append(s.times[metric], min(start, now))
}

// Apply sets the noted times to the points of their metrics, in the order in which they were recorded, and forgets them.
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

// Counter tells when a counter of the server's began that does not tell it itself: when it was first seen, or, after a
// fall, when it was last seen before. The zero value is a counter that was never seen.
type Counter struct {
	start, seen, since pcommon.Timestamp
	value              int64
}

// Start returns the start of a counter that now stands at value.
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

// StartSince is Start for a counter that began at since, as the server says. After a fall while since stays, the counter
// began when it was last seen before the fall. The start never moves back, and is never after now.
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
