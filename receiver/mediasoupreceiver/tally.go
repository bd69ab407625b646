// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import "math"

// maxKeys bounds what things are told apart by, far above what an application can have.
const maxKeys = 1000

// tally counts things by what they are. A key that came once keeps its 0, so that the last of a kind leaves no stale number.
type tally[K comparable] map[K]int64

func (t tally[K]) begin() {
	for key := range t {
		t[key] = 0
	}
}

func (t tally[K]) add(key K, n int64) {
	if len(t) >= maxKeys {
		if _, known := t[key]; !known {
			return
		}
	}
	t[key] += n
}

// figure is one figure over many things.
type figure struct {
	n             int64
	sum, min, max float64
}

func (f *figure) add(value float64) {
	if f.n == 0 {
		f.min, f.max = value, value
	}
	f.n++
	f.sum += value
	f.min, f.max = min(f.min, value), max(f.max, value)
}

func (f *figure) average() float64 { return f.sum / float64(f.n) }

// sum is a counter summed over things that come and go.
type sum struct {
	value int64
	told  bool // by any of them
}

// fits reports whether n can be added to the sum without leaving int64.
func (s *sum) fits(n int64) bool {
	return n <= 0 && s.value >= math.MinInt64-n || n > 0 && s.value <= math.MaxInt64-n
}

// addTo adds n to a sum, unless the result would overflow. told is whether the object reported n.
func (s *scraper) addTo(to *sum, n int64, told bool) {
	if to.fits(n) {
		to.value += n
	} else if s.notices.First("sum") {
		s.set.Logger.Warn("a sum would exceed the largest number: what would make it do so is not added")
	}
	to.told = to.told || told
}
