// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// maxAhead is the maximum time by which a start time may be ahead of the server's clock.
const maxAhead = 5 * time.Minute

// unixSeconds converts a time from the server to seconds. It is in seconds or milliseconds, depending on the release. Other values
// are not times.
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

// serverClock estimates the time on the server's clock from the last time that the server sent.
type serverClock struct {
	report       *scrape.Report
	milliseconds float64   // Unix time; 0 if unknown
	read         time.Time // when the server sent it
}

// set sets the clock to a time from the server, if it is valid.
func (c *serverClock) set(n number) {
	v, _ := n.Get()
	if seconds, ok := unixSeconds(v); ok {
		c.milliseconds, c.read = seconds*1000, c.report.Clock()
	}
}

// now returns the time in milliseconds, 0 if unknown.
func (c *serverClock) now() float64 {
	if c.milliseconds == 0 {
		return 0
	}
	return c.milliseconds + float64(c.report.Clock().Sub(c.read).Milliseconds())
}

// start returns a start time as Unix time in seconds, and whether it is valid: the server sends 0 for never.
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
		noteImpossible(c.report, field, v)
		return 0, false
	}
	return seconds, true
}
