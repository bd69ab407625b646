// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// streams turns the list of streams into metrics, and keeps what must be known of them between two scrapes.
type streams struct {
	*scraper
	items  *selection.Set[streamState]
	remote map[string]bool // owned by other servers, as the list said last
	what   *selected
	active []streamPoint                // those whose metrics are enabled
	points [streamFields][]*streamPoint // of active, by field
	onPage int                          // enabled metrics that the Prometheus page has too

	// Of the current scrape.
	complete bool   // the list was
	told     uint64 // fields that the list has told of any stream
	paged    bool   // the Prometheus page was read
	states   [streamStates]int64
	merged   int64
	over     map[metadata.AttributeRtcEntity]int64 // parts of streams over the client's bound
	name     []byte
	seen     map[entryKey]bool // of one stream
}

// streamState is what is kept of one stream.
type streamState struct {
	name      string
	firstSeen pcommon.Timestamp

	// Of the current scrape.
	given    uint64 // fields that have been told, a bit each
	start    pcommon.Timestamp
	disabled bool
}

const _ = uint(64 - streamFields) // or given has too few bits

// The states of streams.
const (
	stateRunning = iota
	stateWaiting
	stateError
	stateDisabled
	stateOther
	streamStates
)

var stateAttributes = [streamStates]metadata.AttributeFlussonicStreamState{
	metadata.AttributeFlussonicStreamStateRunning,
	metadata.AttributeFlussonicStreamStateWaiting,
	metadata.AttributeFlussonicStreamStateError,
	metadata.AttributeFlussonicStreamStateDisabled,
	metadata.AttributeFlussonicStreamStateOther,
}

func newStreams(s *scraper) *streams {
	w := &streams{
		scraper: s,
		items:   selection.New[streamState](s.cfg.Streams.selection()),
		remote:  map[string]bool{},
		over:    map[metadata.AttributeRtcEntity]int64{},
		seen:    map[entryKey]bool{},
	}
	enabled := map[string]bool{}
	for _, name := range scrape.EnabledMetrics(&s.cfg.MetricsBuilderConfig.Metrics) {
		enabled[name] = true
	}
	paged := map[string]bool{}
	fields := map[streamField]bool{streamDisabled: true}
	for _, p := range streamPoints {
		if enabled[p.metric] {
			w.active = append(w.active, p)
			fields[p.field] = true
			fields[streamOpenedAt] = fields[streamOpenedAt] || p.sum
			fields[streamFrameAt] = fields[streamFrameAt] || p.field == streamFrameDelay
		}
	}
	for i := range w.active {
		p := &w.active[i]
		w.points[p.field] = append(w.points[p.field], p)
	}
	for _, source := range pageStreams {
		for _, p := range w.points[source.field] {
			paged[p.metric] = true
		}
	}
	w.onPage = len(paged) - scrape.Enabled(paged[metadata.MetricsInfo.FlussonicStreamClientDelay.Name])
	groups := map[streamGroup]bool{}
	for metric, group := range groupMetrics {
		if enabled[metric] {
			groups[group] = true
			fields[streamOpenedAt] = true
		}
	}
	w.what = selectStreams(fields, groups)
	return w
}

// begin starts a scrape, whatever becomes of the list.
func (s *streams) begin() {
	s.items.Begin()
	s.complete, s.paged, s.told = false, false, 0
	s.states, s.merged = [streamStates]int64{}, 0
	clear(s.over)
}

// list asks for the list and records it while it comes in. What came before a page that fails, stays.
func (s *streams) list(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		err := s.client.EachStream(ctx, s.what, func(row *stream) { s.add(now, row) })
		s.complete = err == nil || scrape.IsPartial(err)
		if !s.complete && len(s.items.Seen()) == 0 {
			return nil, err
		}
		return func() {}, err
	}
}

// add takes one row of the list. A second one of the same name is left out: the list may move while it is read, and names
// may become equal where they are no UTF-8.
func (s *streams) add(now pcommon.Timestamp, row *stream) {
	s.name = selection.AppendName(s.name[:0], row.Name)
	if s.isElsewhere(row) {
		return
	}
	item, first := s.get(now, s.name)
	if !first {
		if !bytes.Equal(s.name, row.Name) {
			s.merged++
		}
		return
	}
	st := &item.Value
	state := stateOf(row)
	s.states[state]++
	st.disabled = state == stateDisabled
	if at, ok := row.Get(streamOpenedAt); ok && at > 0 {
		st.start = timestamp(at)
	}
	if !item.Kept {
		return
	}
	for i, attribute := range stateAttributes {
		s.mb.RecordFlussonicStreamStateDataPoint(now, scrape.Number(i == state), st.name, attribute)
	}
	if !st.disabled {
		s.recordRow(now, st, row)
	}
}

// isElsewhere reports whether a stream is another server's and not wanted. An expected one is, wherever it is.
func (s *streams) isElsewhere(row *stream) bool {
	remote := string(row.NamedBy) == "remote" && !s.cfg.Streams.IncludeRemote && !slices.Contains(s.cfg.Streams.Expected, string(s.name))
	switch known := len(s.remote) > 0 && s.remote[string(s.name)]; {
	case remote && !known && len(s.remote) < maxItems:
		s.remote[string(s.name)] = true
	case known && !remote:
		delete(s.remote, string(s.name))
	}
	return remote
}

// get returns what is kept of a stream, and whether this scrape meets it for the first time.
func (s *streams) get(now pcommon.Timestamp, name []byte) (*selection.Item[streamState], bool) {
	item, first := s.items.Get(name)
	st := &item.Value
	if first {
		if st.firstSeen == 0 {
			st.name, st.firstSeen = item.Name, now
		}
		st.given, st.start, st.disabled = 0, st.firstSeen, false
	}
	return item, first
}

func stateOf(row *stream) int {
	disabled, _ := row.Get(streamDisabled)
	switch status := string(row.Status); {
	case disabled > 0:
		return stateDisabled
	case status == "running":
		return stateRunning
	case status == "waiting":
		return stateWaiting
	case status == "error":
		return stateError
	}
	return stateOther
}

func (s *streams) recordRow(now pcommon.Timestamp, st *streamState, row *stream) {
	if _, told := row.Get(streamFrameDelay); !told {
		s.setFrameDelay(row)
	}
	for i := range s.active {
		p := &s.active[i]
		if v, ok := row.Get(p.field); ok {
			s.record(now, st, p, v)
		}
	}
	s.told |= st.given
	s.recordEntries(now, st, row)
	s.recordParts(now, st, row)
}

// wanted reports whether the page is to tell a field: where there is a whole list, only what the list has told of no stream.
func (s *streams) wanted(field streamField) bool {
	return len(s.points[field]) > 0 && (!s.complete || s.told&(1<<field) == 0)
}

// setFrameDelay derives the age of the last frame from when it came, by the server's clock.
func (s *streams) setFrameDelay(row *stream) {
	at, ok := row.Get(streamFrameAt)
	if clock := s.server.clock.now(); ok && at > 0 && clock > 0 {
		row.set(streamFrameDelay, max(0, clock-at), 1)
	}
}

// record records a number of a stream, once a scrape.
func (s *streams) record(now pcommon.Timestamp, st *streamState, p *streamPoint, v float64) {
	st.given |= 1 << p.field
	if p.record(s.mb, now, v, st.name) && p.sum {
		s.starts.Add(p.metric, st.start, now)
	}
}

// recordPage fills in what the list does not have, or, where there was no list, records all that the page has.
func (s *streams) recordPage(now pcommon.Timestamp, samples *streamSamples) {
	s.paged = true
	samples.Each(func(name []byte, field streamField, v float64) {
		item := s.find(now, name)
		if item == nil || !item.Kept || item.Value.disabled || item.Value.given&(1<<field) != 0 {
			return
		}
		for _, p := range s.points[field] {
			s.record(now, &item.Value, p, v)
		}
	})
}

// find returns the stream that the page calls name; nil when it is none of this server's, as far as that can be told.
func (s *streams) find(now pcommon.Timestamp, name []byte) *selection.Item[streamState] {
	if s.complete {
		return s.items.Find(name)
	}
	if s.remote[string(name)] {
		return nil
	}
	item, _ := s.get(now, name)
	return item
}

// finish records what only a complete list can tell.
func (s *streams) finish(now pcommon.Timestamp) {
	listed := slices.Contains(s.cfg.Sources, sourceAPI) && s.wants[apiStreams] > 0 && !s.offers.neverHad(apiStreams)
	known := s.complete || s.paged && !listed
	defer s.items.End(known)
	met := len(s.items.Seen()) > 0
	if s.complete {
		for state, n := range s.states {
			s.mb.RecordFlussonicStreamCountByStateDataPoint(now, n, stateAttributes[state])
		}
	}
	if known {
		for _, name := range s.items.Missing() {
			s.mb.RecordFlussonicStreamAliveDataPoint(now, 0, selection.Name(name))
		}
		for _, name := range s.cfg.Streams.Expected {
			if item := s.items.Find([]byte(name)); item != nil && item.Value.disabled {
				s.mb.RecordFlussonicStreamAliveDataPoint(now, 0, item.Name)
			}
		}
	}
	for entity, n := range s.over {
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, n)
	}
	if known || met {
		entity := metadata.AttributeRtcEntityStream
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(s.items.Limited()))
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, s.merged)
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, scrape.Number(!known)) // how many are missing is not known
	}
}
