// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package cumulative computes start times of sums, and sums over objects that come and go.
package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

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

// Observe takes the current value of the counter and returns its start time.
func (c *Counter) Observe(value int64, now pcommon.Timestamp) pcommon.Timestamp {
	switch {
	case c.seen == 0:
		c.start = now
	case value < c.value:
		c.start = c.seen
	}
	c.value, c.seen = value, now
	return c.start
}

// ObserveSince is like Start for a counter whose start time the server reports as since. If the counter falls and since is not
// after the last value, the start time is that of the last value. It never moves back and is never after now.
func (c *Counter) ObserveSince(since pcommon.Timestamp, value int64, now pcommon.Timestamp) pcommon.Timestamp {
	moved := since != c.since && since > c.start
	switch {
	case c.seen == 0, moved && (value >= c.value || since > c.seen):
		c.start = min(since, now)
	case value < c.value:
		c.start = max(c.start, min(c.seen, now))
	}
	c.since, c.value, c.seen = since, value, now
	return c.start
}
