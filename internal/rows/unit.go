// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import "math"

// Unit is a unit in which servers give numbers. The zero value is the base unit of the metric.
type Unit struct {
	times, by float64 // a number times times, divided by by, is in base units
}

// The units of servers, with the base units that they become.
var (
	Percent      = Unit{1, 100}         // ratio
	Per256       = Unit{1, 256}         // ratio, as in RTCP's fraction lost
	Milliseconds = Unit{1, 1000}        // seconds
	Microseconds = Unit{1, 1e6}         // seconds
	Minutes      = Unit{60, 1}          // seconds
	PerMinute    = Unit{1, 60}          // per second
	Bits         = Unit{1, 8}           // bytes; bits per second become bytes per second
	Kilobits     = Unit{1000, 8}        // bytes
	Kibibytes    = Unit{1024, 1}        // bytes
	Megabytes    = Unit{1e6, 1}         // bytes
	Mebibytes    = Unit{1024 * 1024, 1} // bytes
)

// Base returns a number in base units.
func (u Unit) Base(v float64) float64 {
	if u == (Unit{}) {
		return v
	}
	return v * u.times / u.by
}

// isWhole reports whether whole numbers are whole in base units too.
func (u Unit) isWhole() bool { return u.by == 1 || u == (Unit{}) }

// baseWhole returns a whole number in base units of a unit that is whole itself, unless it is beyond int64.
func (u Unit) baseWhole(n int64) (int64, bool) {
	factor := int64(u.times)
	switch {
	case factor <= 1:
		return n, true
	case n > math.MaxInt64/factor || n < math.MinInt64/factor:
		return 0, false
	}
	return n * factor, true
}
