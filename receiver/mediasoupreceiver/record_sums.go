// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// maxKeys bounds the number of groups, far above what real applications have.
const maxKeys = 1000

// tally counts objects by group. A group is kept with 0 when its last object is gone, so that its last number does not remain in
// backends.
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

func (t tally[K]) record(mb *builder, to point[K]) {
	for key, n := range t {
		to.Record(mb, n, key)
	}
}

// figure is the average and the extremes of a value over several objects.
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

// record records a figure, unless it is over no objects.
func (r *figureRows[K]) record(mb *builder, f *figure, of K) {
	if f.n == 0 {
		return
	}
	r.Average.RecordFloat(mb, f.sum/float64(f.n), of)
	r.Min.RecordFloat(mb, f.min, of)
	r.Max.RecordFloat(mb, f.max, of)
}

// sum is a counter summed over objects.
type sum struct {
	value    int64
	reported bool // whether any object has the counter
}

// add adds n, which is 0 if the object does not have the counter. A number that would overflow the sum is skipped.
func (s *sum) add(report *scrape.Report, n int64, reported bool) {
	if value, ok := cumulative.Add(s.value, n); ok {
		s.value = value
	} else if report.Once("overflow") {
		report.Logger.Warn("a sum would exceed the largest number: what would make it do so is not added")
	}
	s.reported = s.reported || reported
}

// recordSum records a sum, unless no object has the counter.
func recordSum[K any](mb *builder, to point[K], s *sum, of K) {
	if s.reported {
		to.Record(mb, s.value, of)
	}
}
