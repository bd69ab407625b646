// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
)

// bounds limit what a quantity can be. A value outside of them is a fault of the server's and has no point.
type bounds struct{ least, most float64 }

var (
	ages         = bounds{0, 3.2e8} // seconds; also of delays and round trips
	spans        = bounds{0, 3.2e9} // seconds; of uptimes and archives
	moments      = bounds{1e9, 1e10}
	ratios       = bounds{0, 10}
	throughputs  = bounds{0, 1.25e12} // bytes per second
	temperatures = bounds{-50, 200}   // degrees Celsius
	errorRates   = bounds{0, 1e9}     // per second
)

// has reports whether v is within the bounds. NaN never is.
func (b bounds) has(v float64) bool { return v >= b.least && v <= b.most }

// maxAhead is by how much a start may lie ahead of the server's own clock.
const maxAhead = 5 * time.Minute

// wholeNumber returns a count as such. Servers may write it as 1.2e13.
func wholeNumber(v float64) (int64, bool) {
	if v < 0 || v >= 1<<63 || v != math.Trunc(v) {
		return 0, false
	}
	return int64(v), true
}

// moment returns a Unix time in seconds. Depending on its generation, the server sends seconds or milliseconds; other values are not times.
func moment(v float64) (seconds float64, ok bool) {
	if !moments.has(v) {
		v /= 1000
	}
	return v, moments.has(v)
}

func timestamp(seconds float64) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(time.UnixMicro(int64(seconds * 1e6)))
}

// implausible logs, once for each field, that a value is left out.
func (s *scraper) implausible(field string, v float64) {
	if s.notices.First("implausible " + field) {
		s.set.Logger.Info("the server sends a value that cannot be: it is left out", zap.String("field", field), zap.Float64("value", v))
	}
}

// count returns a count if there is one.
func (s *scraper) count(field string, n number) (int64, bool) {
	v, there := n.Get()
	whole, ok := wholeNumber(v)
	if there && !ok {
		s.implausible(field, v)
	}
	return whole, there && ok
}

// possible returns a quotient if there is one that is within bounds.
func (s *scraper) possible(field string, n number, divisor float64, within bounds) (float64, bool) {
	v, there := n.Get()
	v /= divisor
	if there && !within.has(v) {
		s.implausible(field, v)
	}
	return v, there && within.has(v)
}

// percent returns a share in percent as a ratio.
func (s *scraper) percent(field string, n number) (float64, bool) {
	return s.possible(field, n, 100, ratios)
}

// began returns when something began, as Unix time in seconds, if it has. 0 is never.
func (s *serverScraper) began(field string, n number) (seconds float64, ok bool) {
	v, _ := n.Get()
	if v == 0 {
		return 0, false
	}
	seconds, ok = moment(v)
	if now := s.now(); now > 0 && seconds*1000 > now+float64(maxAhead.Milliseconds()) {
		ok = false
	}
	if !ok {
		s.implausible(field, v)
		return 0, false
	}
	return seconds, true
}
