// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// streamTotals records sums over the streams of the list that run on this server, whether or not they have points of their own.
type streamTotals struct {
	mb     *builder
	report *scrape.Report

	// Rows whose metrics are enabled, nil otherwise.
	errors, sessions *enabledPoint[string]

	growth   *cumulative.DeltaTracker // of the input errors of each stream
	byType   []errorTotal             // by inputErrorTypes
	start    timestamp                // of byType: the first complete list
	protocol map[string]*float64      // open sessions in the current list, by protocol

	counts, deltas []int64 // of one stream, by inputErrorTypes; reused
}

// errorTotal is the sum of the errors of one type.
type errorTotal struct {
	sum  int64
	seen bool // whether any stream has reported this type
}

func newStreamTotals(mb *builder, run *scrape.Runner) *streamTotals {
	kinds := make([]cumulative.CounterKind, len(inputErrorTypes)) // monotonic
	t := &streamTotals{
		mb: mb, report: run.Report, growth: cumulative.NewDeltaTracker(kinds...), byType: make([]errorTotal, len(kinds)),
		protocol: map[string]*float64{}, counts: make([]int64, len(kinds)), deltas: make([]int64, len(kinds)),
	}
	if p, ok := enable(run, inputErrors); ok {
		t.errors = &p
	}
	if p, ok := enable(run, openSessions); ok {
		t.sessions = &p
	}
	return t
}

// beginScrape starts a scrape.
func (t *streamTotals) beginScrape() {
	t.growth.Begin()
	clear(t.protocol)
}

// add adds a stream of the list.
func (t *streamTotals) add(name []byte, row *stream) {
	for i := range t.counts {
		t.counts[i] = cumulative.Absent
	}
	measured := false
	for i := range row.Entries {
		e := &row.Entries[i]
		v, ok := e.Value.Get()
		switch {
		case !ok:
		case e.Group == groupInputErrors && t.errors != nil:
			measured = t.readErrors(e, v) || measured
		case e.Group == groupOpened && t.sessions != nil && !t.sessions.refuses(v, t.report):
			t.addSessions(e, v)
		}
	}
	if t.errors == nil {
		return
	}
	object, _ := t.growth.Object(name, measured)
	if !measured {
		return
	}
	object.Add(0, t.counts, t.deltas)
	for i, n := range t.counts {
		if total := &t.byType[i]; n != cumulative.Absent {
			total.sum, _ = cumulative.Add(total.sum, t.deltas[i])
			total.seen = true
		}
	}
}

// readErrors reads the errors of a documented type into counts, and reports whether it did.
func (t *streamTotals) readErrors(e *entry, v float64) bool {
	i, known := inputErrorIndex[string(e.Name)]
	if !known || t.counts[i] != cumulative.Absent || t.errors.refuses(v, t.report) {
		return false
	}
	t.counts[i] = int64(v)
	return true
}

func (t *streamTotals) addSessions(e *entry, v float64) {
	sum := t.protocol[string(e.Name)]
	if sum == nil {
		if len(t.protocol) == maxEntries {
			return
		}
		sum = new(float64)
		t.protocol[string(e.Name)] = sum
	}
	*sum += v
}

// finish ends the list and records the sums if it was read completely.
func (t *streamTotals) finish(complete bool) {
	t.growth.End(complete)
	if !complete {
		return
	}
	if t.start == 0 {
		t.start = t.report.Now()
	}
	for i, total := range t.byType {
		if total.seen {
			t.errors.RecordSince(t.mb, t.start, total.sum, inputErrorTypes[i])
		}
	}
	sums := map[string]float64{}
	for protocol, n := range t.protocol {
		sums[selection.Name([]byte(protocol))] += *n
	}
	for protocol, n := range sums {
		t.sessions.RecordFloat(t.mb, n, protocol)
	}
}
