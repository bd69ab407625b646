// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"iter"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// namedState holds the state of a bridge or queue between two scrapes.
type namedState struct {
	rows []int // recorded in this scrape
	sums []namedSum
}

// namedSum is a monotonic value of a bridge or queue. It may restart while those of the component continue.
type namedSum struct {
	row   int
	value int64
	start pcommon.Timestamp
}

// namedValues iterates over the values of enabled metrics of the bridges or queues, those of the JSON response first.
func (s *scraper) namedValues(of entity) iter.Seq[*namedValue] {
	return func(yield func(*namedValue) bool) {
		for _, a := range s.answers {
			if a == nil {
				continue
			}
			for i := range a.named {
				v := &a.named[i]
				if s.rows[v.key].of == of && s.metrics[v.key].Name != "" && !yield(v) {
					return
				}
			}
		}
	}
}

// beginNamed begins a scrape of the bridges or queues. Unless a source failed, all names are known in advance.
func (s *scraper) beginNamed(of entity, set *selection.Set[namedState]) {
	if !s.complete {
		set.Begin()
		return
	}
	set.BeginWith(func(yield func([]byte) bool) {
		for v := range s.namedValues(of) {
			s.key = selection.AppendName(s.key[:0], v.text)
			if !yield(s.key) {
				return
			}
		}
	})
}

// recordNamed records the values of the bridges or queues. If several have the same name, the first one is used.
func (s *scraper) recordNamed(of entity, set *selection.Set[namedState]) {
	s.beginNamed(of, set)
	merged := int64(0)
	for v := range s.namedValues(of) {
		if v.whole < 0 {
			s.mb.Refuse(1)
			continue
		}
		s.key = selection.AppendName(s.key[:0], v.text)
		item, first := set.Get(s.key)
		state := &item.Value
		if first {
			state.rows = state.rows[:0]
		}
		if slices.Contains(state.rows, v.key) {
			merged++
			continue
		}
		state.rows = append(state.rows, v.key)
		start := pcommon.Timestamp(0)
		if s.metrics[v.key].Monotonic {
			start = max(state.startOf(v.key, v.whole, s.sums.recorded), s.sums.start)
		}
		if item.Kept {
			s.rows[v.key].Point.RecordSince(s.mb, start, v.whole, item.Name)
		}
	}
	if len(set.Items()) > 0 {
		s.run.Omit(of, metadata.AttributeRtcOmissionReasonLimit, int64(set.Limited()))
		s.run.Omit(of, metadata.AttributeRtcOmissionReasonMerged, merged)
	}
	set.End(s.complete)
}

// startOf returns the start time of a monotonic value, which is the last scrape if the value is new or has decreased.
func (n *namedState) startOf(row int, value int64, last pcommon.Timestamp) pcommon.Timestamp {
	at := slices.IndexFunc(n.sums, func(sum namedSum) bool { return sum.row == row })
	if at < 0 {
		n.sums = append(n.sums, namedSum{row: row, value: value, start: last})
		return last
	}
	sum := &n.sums[at]
	if value < sum.value {
		sum.start = last
	}
	sum.value = value
	return sum.start
}
