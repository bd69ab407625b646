// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package cumulative keeps the start times of sums true.
package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Starts holds the start time of every point of one sum, because a generated builder knows a single start for all of them.
// The zero value is ready.
type Starts struct {
	times []pcommon.Timestamp
}

// Add notes when the sum of the point began that was recorded last. A start after now, as of a server whose clock is
// ahead, becomes now.
func (s *Starts) Add(start, now pcommon.Timestamp) {
	s.times = append(s.times, min(start, now))
}

// Apply sets the noted times to the points of the metric called name, in the order in which they were recorded, and forgets them.
func (s *Starts) Apply(metrics pmetric.Metrics, name string) {
	defer func() { s.times = s.times[:0] }()
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() == name && m.Type() == pmetric.MetricTypeSum {
					s.set(m.Sum().DataPoints())
				}
			}
		}
	}
}

func (s *Starts) set(points pmetric.NumberDataPointSlice) {
	for i, start := range s.times {
		points.At(i).SetStartTimestamp(start)
	}
}

// Seconds returns the Unix time s as a timestamp.
func Seconds(s int64) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.Unix(s, 0))
}
