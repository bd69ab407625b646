// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// unit says how a number is shown. Numbers come in base units, as the receivers emit them.
type unit int

const (
	count     unit = iota
	bitRate        // from By/s
	byteSize       // from By
	duration       // from s
	percent        // from a ratio
	perSecond      // from the rate of a counter
	frameRate      // from {frame}/s
)

// quantity is a number as text, and its unit.
type quantity struct{ Number, Unit string }

// String returns the number with its unit.
func (q quantity) String() string { return strings.TrimSpace(q.Number + " " + q.Unit) }

// missing is shown instead of a number that is not known.
const missing = "–"

var prefixes = []string{"", "k", "M", "G", "T", "P"}

// format returns a number in units that a person reads.
func (u unit) format(v float64) quantity {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return quantity{Number: missing}
	}
	switch u {
	case bitRate:
		const bits = 8
		number, prefix := scale(v * bits)
		return quantity{number, prefix + "bit/s"}
	case byteSize:
		number, prefix := scale(v)
		return quantity{number, prefix + "B"}
	case duration:
		return formatDuration(v)
	case percent:
		const hundred = 100
		return quantity{significant(v * hundred), "%"}
	case perSecond:
		return quantity{significant(v), "/s"}
	case frameRate:
		return quantity{significant(v), "fps"}
	}
	return quantity{formatCount(v), ""}
}

// formatCount separates thousands. Numbers from ten million are rounded.
func formatCount(v float64) string {
	const tooLong = 1e7
	if math.Abs(v) >= tooLong {
		number, prefix := scale(v)
		return number + " " + prefix
	}
	if v != math.Trunc(v) {
		return significant(v)
	}
	text := strconv.FormatInt(int64(v), 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// scale returns a number below 1000 with three digits, and the prefix of its unit.
func scale(v float64) (number, prefix string) {
	const thousand, almost = 1000, 999.5
	i := 0
	for ; math.Abs(v) >= almost && i < len(prefixes)-1; i++ {
		v /= thousand
	}
	if i == 0 {
		return strconv.FormatFloat(v, 'f', 0, 64), ""
	}
	return significant(v), prefixes[i]
}

// significant returns a number with three digits, or all digits before the point.
func significant(v float64) string {
	digits := 2
	switch a := math.Abs(v); {
	case a == 0, a >= 99.95:
		digits = 0
	case a >= 9.995:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// formatDuration returns milliseconds, seconds, hours and minutes, or days and hours.
func formatDuration(seconds float64) quantity {
	const second, ten, minute, day = 1, 10, 60, 24 * 60 * 60
	switch a := math.Abs(seconds); {
	case a == 0:
		return quantity{"0", "s"}
	case a < second:
		return quantity{significant(seconds * 1000), "ms"}
	case a < ten:
		return quantity{significant(seconds), "s"}
	case a < minute:
		return quantity{strconv.Itoa(int(seconds)), "s"}
	case a < day:
		m := int64(seconds) / minute
		return quantity{strconv.FormatInt(m/minute, 10) + ":" + twoDigits(m%minute), "h"}
	}
	hours := int64(seconds) / (minute * minute)
	return quantity{strconv.FormatInt(hours/24, 10) + " d " + strconv.FormatInt(hours%24, 10), "h"}
}

func twoDigits(n int64) string {
	if n < 10 && n >= 0 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// ago returns how long something is ago, in whole seconds or minutes, hours and minutes, or days and hours.
func ago(now, then time.Time) string {
	elapsed := max(0, now.Sub(then))
	switch {
	case elapsed < time.Minute:
		return strconv.Itoa(int(elapsed.Seconds())) + " s"
	case elapsed < time.Hour:
		return strconv.Itoa(int(elapsed.Minutes())) + " min"
	}
	return formatDuration(elapsed.Seconds()).String()
}
