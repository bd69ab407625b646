// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import "math"

// Unit is a unit in which a server reports values. The zero value is the base unit of the metric.
type Unit struct {
	times, by float64 // value * times / by is in base units
}

// The units of servers. The comments name the base units.
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

// Base converts a value to base units.
func (u Unit) Base(v float64) float64 {
	if u == (Unit{}) {
		return v
	}
	return v * u.times / u.by
}

// isWhole reports whether integers stay integers in base units.
func (u Unit) isWhole() bool { return u.by == 1 || u == (Unit{}) }

// baseWhole converts an integer to base units if isWhole is true. It returns false if the result overflows int64.
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
