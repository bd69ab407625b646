// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// streams turns the list of streams into metrics, and keeps what must be known of them between two scrapes.
type streams struct {
	*scraper
	items     *selection.Set[streamState]
	expected  map[string]bool
	elsewhere map[string]uint64 // left out because they run on other servers, by the scrape that last said so
	proven    string            // the server's host name, once a row has named it
	what      *selected
	active    []streamPoint                // those whose metrics are enabled
	points    [streamFields][]*streamPoint // of active, by field
	totals    int                          // sums among active
	onPage    int                          // enabled metrics that the Prometheus page has too
	scrapes   uint64                       // begun so far

	// Of the current scrape.
	complete bool   // the list was
	rows     int    // of the list
	told     uint64 // fields that the list has told of any stream
	paged    bool   // the Prometheus page was read as a whole
	states   [streamStates]int64
	merged   int64
	leftOut  int64                                 // streams that run elsewhere
	over     map[metadata.AttributeRtcEntity]int64 // parts of streams over the client's bound
	name     []byte
	seen     map[entryKey]bool // of one stream
}

// streamState is what is kept of one stream.
type streamState struct {
	name    string
	start   pcommon.Timestamp // as the server reports it, else when the stream was first seen
	totals  []cumulative.Counter
	entries map[entryKey]*cumulative.Counter

	// Of the current scrape.
	given    uint64 // fields that have been told, a bit each
	disabled bool
}

// counter returns the counter of a number under a name of the server's own.
func (st *streamState) counter(key entryKey) *cumulative.Counter {
	counter := st.entries[key]
	if counter == nil {
		if st.entries == nil || len(st.entries) == 2*maxEntries { // a server that names ever new ones has them forgotten
			st.entries = map[entryKey]*cumulative.Counter{}
		}
		counter = &cumulative.Counter{}
		st.entries[key] = counter
	}
	return counter
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
		scraper:   s,
		items:     selection.New[streamState](s.cfg.Streams.selection()),
		expected:  map[string]bool{},
		elsewhere: map[string]uint64{},
		over:      map[metadata.AttributeRtcEntity]int64{},
		seen:      map[entryKey]bool{},
	}
	for _, name := range s.cfg.Streams.selection().Expected {
		w.expected[name] = true
	}
	enabled := map[string]bool{}
	for _, name := range scrape.EnabledMetrics(&s.cfg.MetricsBuilderConfig.Metrics) {
		enabled[name] = true
	}
	paged := map[string]bool{}
	fields := map[streamField]bool{streamDisabled: true}
	for _, sign := range signsOfLife {
		fields[sign] = true
	}
	for _, p := range streamPoints {
		if enabled[p.metric] {
			if p.sum {
				p.total = w.totals
				w.totals++
			}
			w.active = append(w.active, p)
			fields[p.field] = true
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
		}
	}
	w.what = selectStreams(fields, groups)
	return w
}

// begin starts a scrape, whatever becomes of the list.
func (s *streams) begin() {
	s.items.Begin()
	s.scrapes++
	s.complete, s.rows, s.told, s.paged = false, 0, 0, false
	s.states, s.merged, s.leftOut = [streamStates]int64{}, 0, 0
	clear(s.over)
}

// list asks for the list and records it while it comes in. What came before a page that fails, stays.
func (s *streams) list(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		err := s.client.EachStream(ctx, s.what, func(row *stream) { s.add(now, row) })
		s.complete = err == nil || scrape.IsPartial(err)
		if !s.complete && s.rows == 0 {
			return nil, err
		}
		return func() {}, err
	}
}

// add takes one row of the list. A second one of the same name is left out: the list may move while it is read, and names
// may become equal where they are no UTF-8.
func (s *streams) add(now pcommon.Timestamp, row *stream) {
	s.rows++
	s.name = selection.AppendName(s.name[:0], row.Name)
	if s.isLeftOut(row) {
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
	if !item.Kept {
		return
	}
	if at, ok := s.server.began("opened_at of a stream", row.number(streamOpenedAt)); ok {
		st.start = timestamp(at)
	}
	for i, attribute := range stateAttributes {
		s.mb.RecordFlussonicStreamStateDataPoint(now, scrape.Number(i == state), st.name, attribute)
	}
	if !st.disabled {
		s.recordRow(now, st, row)
	}
}

// isLeftOut reports whether a stream runs elsewhere and is not wanted. An expected one is, wherever it runs.
func (s *streams) isLeftOut(row *stream) bool {
	left := s.runsElsewhere(row) && !s.cfg.Streams.IncludeRemote && !s.expected[string(s.name)]
	switch last, known := s.elsewhere[string(s.name)]; {
	case !left && known:
		delete(s.elsewhere, string(s.name))
	case left && last != s.scrapes:
		s.leftOut++
		if known || len(s.elsewhere) < maxItems {
			s.elsewhere[string(s.name)] = s.scrapes
		}
	}
	return left
}

// signsOfLife are numbers that a server has only of streams that run on it.
var signsOfLife = []streamField{streamOpenedAt, streamBytesIn, streamBytesOut, streamClients, streamAlive}

// runsElsewhere reports whether a stream of the list runs on another server of the cluster. A row that names the servers on
// which it runs decides that, but only once some row has named this server: its host name may be configured wrongly. A
// remote stream may be pulled by this server, or only offered by another one.
func (s *streams) runsElsewhere(row *stream) bool {
	own := s.server.about.Hostname
	for _, host := range row.RunningOn {
		if own != "" && strings.EqualFold(withoutPort(string(host)), withoutPort(own)) {
			s.proven = own
			return false
		}
	}
	if len(row.RunningOn) > 0 && own != "" && s.proven == own {
		return true
	}
	return string(row.NamedBy) == "remote" && !isLive(row)
}

// isLive reports whether a row has a sign of life.
func isLive(row *stream) bool {
	for _, sign := range signsOfLife {
		v, _ := row.Get(sign)
		if v > 0 && (sign != streamAlive || string(row.Status) == "running") {
			return true
		}
	}
	return false
}

// withoutPort returns a host as it is without a port behind it.
func withoutPort(host string) string {
	if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		return name
	}
	return host
}

// get returns what is kept of a stream, and whether this scrape meets it for the first time.
func (s *streams) get(now pcommon.Timestamp, name []byte) (*selection.Item[streamState], bool) {
	item, first := s.items.Get(name)
	st := &item.Value
	if first {
		if st.start == 0 {
			st.name, st.start = item.Name, now
		}
		st.given, st.disabled = 0, false
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
	if !row.HasStats { // it does not run
		row.set(streamAlive, 0, 1)
	}
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
	v, _ := row.Get(streamFrameAt)
	at, ok := moment(v)
	clock := s.server.now()
	switch age := clock - at*1000; {
	case v != 0 && !ok:
		s.implausible("last_dts_at", v)
	case !ok || clock == 0:
	case age < 0 && age >= -maxClockError:
		row.set(streamFrameDelay, 0, 1)
	default:
		row.set(streamFrameDelay, age, 1)
	}
}

// maxClockError is by how many milliseconds a frame may be ahead of the server's clock, which is read before the list.
const maxClockError = 1000

// record records a number of a stream, once a scrape.
func (s *streams) record(now pcommon.Timestamp, st *streamState, p *streamPoint, v float64) {
	st.given |= 1 << p.field
	if p.field == streamRunningAt {
		var began bool
		if v, began = s.server.began(p.metric, optional.Of(v)); !began {
			return
		}
	}
	switch recorded := p.record(s.mb, now, v, st.name); {
	case !recorded:
		s.implausible(p.metric, v)
	case p.sum:
		if st.totals == nil {
			st.totals = make([]cumulative.Counter, s.totals)
		}
		s.starts.Add(p.metric, st.totals[p.total].StartSince(st.start, int64(v), now), now)
	}
}

// recordPage fills in what the list does not have, or, where there was no list, records all that the page has.
func (s *streams) recordPage(now pcommon.Timestamp, samples *streamSamples) {
	s.paged = !samples.cut
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
	if s.elsewhere[string(name)] > 0 {
		return nil
	}
	item, _ := s.get(now, name)
	return item
}

// finish records what only a complete list can tell.
func (s *streams) finish(now pcommon.Timestamp) {
	known := s.complete || s.paged && !s.isOffered()
	defer s.forget(known)
	if s.complete {
		for state, n := range s.states {
			s.mb.RecordFlussonicStreamCountByStateDataPoint(now, n, stateAttributes[state])
		}
	}
	if known {
		s.recordMissing(now)
	}
	for entity, n := range s.over {
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, n)
	}
	entity := metadata.AttributeRtcEntityStream
	if s.complete || s.leftOut > 0 {
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonElsewhere, s.leftOut)
	}
	if known || len(s.items.Seen()) > 0 {
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonLimit, int64(s.items.Limited()))
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, s.merged)
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, scrape.Number(!known)) // how many are missing is not known
	}
}

// isOffered reports whether there is a list to ask for, as far as is known: the page cannot stand in for one that failed.
func (s *streams) isOffered() bool {
	return slices.Contains(s.cfg.Sources, sourceAPI) && s.wants[apiStreams] > 0 && !s.offers.neverHad(apiStreams)
}

// recordMissing records the expected streams that are missing or switched off.
func (s *streams) recordMissing(now pcommon.Timestamp) {
	for _, name := range s.items.Missing() {
		s.mb.RecordFlussonicStreamAliveDataPoint(now, 0, name)
	}
	for name := range s.expected {
		if item := s.items.Find([]byte(name)); item != nil && item.Value.disabled {
			s.mb.RecordFlussonicStreamAliveDataPoint(now, 0, item.Name)
		}
	}
}

// forget forgets the streams that are gone, or, while no scrape can tell that, those of earlier scrapes once they are too many.
func (s *streams) forget(known bool) {
	s.items.End(known || s.items.Len() > 2*maxItems)
	if s.complete {
		maps.DeleteFunc(s.elsewhere, func(_ string, last uint64) bool { return last != s.scrapes })
	}
}
