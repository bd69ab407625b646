// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// maxAhead is how far a start may lie ahead of the server's own clock.
const maxAhead = 5 * time.Minute

// unixSeconds converts a time of the server, which sends seconds or milliseconds depending on its generation. Other values are not times.
func unixSeconds(v float64) (seconds float64, ok bool) {
	if !isTime(v) {
		v /= 1000
	}
	return v, isTime(v)
}

func isTime(seconds float64) bool { return seconds >= minTime && seconds <= maxTime }

func toTimestamp(seconds float64) timestamp {
	return pcommon.NewTimestampFromTime(time.UnixMicro(int64(seconds * 1e6)))
}

// serverClock is the clock of the server. It goes on between the answers that have its time.
type serverClock struct {
	report       *scrape.Report
	milliseconds float64   // Unix time; 0 while it is unknown
	read         time.Time // when it was that time
}

// set sets the clock to a time that the server has sent, if it is one.
func (c *serverClock) set(n number) {
	v, _ := n.Get()
	if seconds, ok := unixSeconds(v); ok {
		c.milliseconds, c.read = seconds*1000, c.report.Clock()
	}
}

// now returns the time in milliseconds, 0 while it is unknown.
func (c *serverClock) now() float64 {
	if c.milliseconds == 0 {
		return 0
	}
	return c.milliseconds + float64(c.report.Clock().Sub(c.read).Milliseconds())
}

// start returns when something started, as Unix time in seconds, if it has: the server sends 0 for never.
func (c *serverClock) start(field string, n number) (seconds float64, ok bool) {
	v, _ := n.Get()
	if v == 0 {
		return 0, false
	}
	seconds, ok = unixSeconds(v)
	if now := c.now(); now > 0 && seconds*1000 > now+float64(maxAhead.Milliseconds()) {
		ok = false
	}
	if !ok {
		logImpossible(c.report, field, v)
		return 0, false
	}
	return seconds, true
}
