// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"context"
	"maps"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// streamRecorder records the streams of the list and of the page, and keeps their state between scrapes.
type streamRecorder struct {
	mb            *builder
	report        *scrape.Report
	clock         *serverClock
	server        *identity
	includeRemote bool

	items      *selection.Set[keptStream]
	expected   map[string]bool
	elsewhere  map[string]uint64 // streams omitted because they run on other servers, with the last scrape in which they did
	provenHost string            // the server's host name, once an item of the list has named it
	listed     bool              // whether any scrape had a list
	scrapes    uint64            // number of scrapes begun

	// Rows whose metrics are enabled.
	numbers []enabledStreamRow
	sums    int                             // number of monotonic numbers
	byField [streamFields]*enabledStreamRow // rows in numbers
	groups  [streamGroups][]enabledGroupRow
	inputs  []enabledRow[input, partName]
	pushes  []enabledRow[push, partName]
	totals  *streamTotals

	inScrape streamAnswers

	// Reused.
	name []byte
	seen map[entryKey]bool // entries of one stream
}

// streamAnswers holds what the sources of the current scrape have returned so far.
type streamAnswers struct {
	complete  bool     // whether the whole list was read
	hasList   bool     // whether the list was requested, and the server offers it
	rows      int      // number of items in the list
	fields    fieldSet // the fields that the list had for any stream
	wholePage bool     // whether the whole Prometheus page was read
	states    []int64  // number of streams by state
	merged    int64
	elsewhere int64 // streams omitted because they run on other servers
	recorded  int   // streams with points of their own
	// Inputs and pushes beyond maxParts.
	excessInputs, excessPushes int64

	waiting []waitingStream
}

// waitingStream is an item of the list that waits.
type waitingStream struct {
	item *selection.Item[keptStream]
	row  *stream
}

// keptStream is the state that is kept of one stream.
type keptStream struct {
	name     string
	start    timestamp            // as reported by the server, otherwise when the stream was first seen
	counters []cumulative.Counter // by row
	entries  map[entryKey]*cumulative.Counter

	// State of the current scrape.
	fields   fieldSet // the recorded ones
	disabled bool
}

func newStreamRecorder(cfg *StreamsConfig, mb *builder, run *scrape.Runner, server *serverRecorder) *streamRecorder {
	s := &streamRecorder{
		mb: mb, report: run.Report, clock: &server.clock, server: &server.identity, includeRemote: cfg.IncludeRemote,
		items:     selection.New[keptStream](cfg.selection(), cfg.expected()...),
		expected:  map[string]bool{},
		elsewhere: map[string]uint64{},
		groups:    enabledGroupRows(run),
		inputs:    enabledRows(run, inputRows),
		pushes:    enabledRows(run, pushRows),
		totals:    newStreamTotals(mb, run),
		seen:      map[entryKey]bool{},
	}
	for _, name := range cfg.expected() {
		s.expected[name] = true
	}
	s.numbers, s.sums = enabledStreamRows(run)
	for i := range s.numbers {
		s.byField[s.numbers[i].field] = &s.numbers[i]
	}
	return s
}

// beginScrape starts a scrape.
func (s *streamRecorder) beginScrape() {
	s.items.Begin()
	s.totals.beginScrape()
	s.scrapes++
	s.inScrape = streamAnswers{states: make([]int64, len(streamStates)+1)} // states start at 1
}

// recordList records the list as it is read, and reports whether it had any item. If a page fails, the items before it remain
// recorded.
func (s *streamRecorder) recordList(ctx context.Context, c *client, query *streamQuery) (recorded bool, err error) {
	err = c.EachStream(ctx, query, s.recordListed)
	s.inScrape.complete = err == nil || scrape.IsPartial(err)
	s.listed = s.listed || s.inScrape.complete || s.inScrape.rows > 0
	return s.inScrape.complete || s.inScrape.rows > 0, err
}

// recordListed records one item of the list. It skips a second item with the same name: the list may change while it is read, and
// invalid UTF-8 may make names equal.
func (s *streamRecorder) recordListed(row *stream) {
	s.inScrape.rows++
	s.name = selection.AppendName(s.name[:0], row.Name)
	elsewhere := s.runsElsewhere(row)
	if s.omits(elsewhere) {
		return
	}
	item, first := s.get(s.name)
	if !first {
		if !bytes.Equal(s.name, row.Name) {
			s.inScrape.merged++
		}
		return
	}
	st := &item.Value
	current := stateOf(row)
	s.inScrape.states[current]++
	if !elsewhere {
		s.totals.add(s.name, row)
	}
	st.disabled = current == metadata.AttributeFlussonicStreamStateDisabled
	switch {
	case item.Kept:
		s.recordItem(st, row, current)
	case item.Waits:
		s.inScrape.waiting = append(s.inScrape.waiting, waitingStream{item, row.Take()})
	}
}

// recordItem records an item of the list.
func (s *streamRecorder) recordItem(st *keptStream, row *stream, current metadata.AttributeFlussonicStreamState) {
	if opened, ok := s.clock.start("opened_at of a stream", row.number(streamOpenedAt)); ok {
		st.start = toTimestamp(opened)
	}
	rows.RecordState(streamState, s.mb, streamStates, current, func(state metadata.AttributeFlussonicStreamState) streamStateName {
		return streamStateName{st.name, state}
	})
	if !st.disabled {
		s.recordStream(st, row)
	}
}

// endList ends the list. If it is complete, it records the streams that have waited and are kept now.
func (s *streamRecorder) endList(hasList bool) {
	s.inScrape.hasList = hasList
	if !s.inScrape.complete {
		return
	}
	maps.DeleteFunc(s.elsewhere, func(_ string, last uint64) bool { return last != s.scrapes })
	s.items.End(true)
	for _, one := range s.inScrape.waiting {
		if one.item.Kept {
			s.recordItem(&one.item.Value, one.row, stateOf(one.row))
		}
	}
}

// omits reports whether to omit the current stream because it runs on another server. Expected streams are always reported.
func (s *streamRecorder) omits(elsewhere bool) bool {
	out := elsewhere && !s.includeRemote && !s.expected[string(s.name)]
	switch last, known := s.elsewhere[string(s.name)]; {
	case !out && known:
		delete(s.elsewhere, string(s.name))
	case out && last != s.scrapes:
		s.inScrape.elsewhere++
		if known || len(s.elsewhere) < maxItems {
			s.elsewhere[string(s.name)] = s.scrapes
		}
	}
	return out
}

// runsElsewhere reports whether a stream in the list runs on another server of the cluster. The server names in an item decide, but
// only after some item has named this server, whose host name may be configured wrongly. A remote stream may be pulled by this
// server, or only offered by another one.
func (s *streamRecorder) runsElsewhere(row *stream) bool {
	own := s.server.Hostname
	for _, host := range row.RunningOn {
		if own != "" && strings.EqualFold(withoutPort(string(host)), withoutPort(own)) {
			s.provenHost = own
			return false
		}
	}
	if len(row.RunningOn) > 0 && own != "" && s.provenHost == own {
		return true
	}
	return string(row.NamedBy) == namedRemote && !isLive(row)
}

// namedRemote is the owner of a stream that is pulled from another streamer.
const namedRemote = "remote"

// signsOfLife are numbers that a server reports only for streams that run on it.
var signsOfLife = []streamField{streamOpenedAt, streamBytesIn, streamBytesOut, streamClients, streamAlive}

// isLive reports whether an item has a sign of life.
func isLive(row *stream) bool {
	for _, sign := range signsOfLife {
		v, _ := row.Get(sign)
		if v > 0 && (sign != streamAlive || string(row.Status) == "running") {
			return true
		}
	}
	return false
}

// withoutPort returns a host without its port.
func withoutPort(host string) string {
	if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		return name
	}
	return host
}

// get returns the state of a stream, and whether this is its first occurrence in the scrape.
func (s *streamRecorder) get(name []byte) (*selection.Item[keptStream], bool) {
	item, first := s.items.Get(name)
	st := &item.Value
	if first {
		if st.start == 0 {
			st.name, st.start = item.Name, s.report.Now()
		}
		st.fields, st.disabled = fieldSet{}, false
	}
	return item, first
}

// needsFromPage reports whether a field of streams is taken from the page: any field if the list is incomplete, otherwise only a
// field that the list had for no stream.
func (s *streamRecorder) needsFromPage(field streamField) bool {
	r := s.byField[field]
	return r != nil && (!s.inScrape.complete || !s.inScrape.fields.has(r.number))
}

// recordPage adds the values that the list does not have. Without a list, it records the whole page.
func (s *streamRecorder) recordPage(samples *streamSamples) {
	s.inScrape.wholePage = !samples.cut
	if !s.inScrape.complete && s.known() {
		for _, name := range samples.names {
			s.find(name)
		}
		s.items.End(true)
	}
	samples.Each(func(name []byte, field streamField, v float64) {
		item := s.find(name)
		if item == nil || !item.Kept || item.Value.disabled {
			return
		}
		if r := s.byField[field]; r != nil {
			s.recordNumber(&item.Value, r, v)
		}
	})
}

// find returns the stream with this name on the page, nil if it is known not to exist or to run on another server.
func (s *streamRecorder) find(name []byte) *selection.Item[keptStream] {
	if s.inScrape.complete {
		return s.items.Find(name)
	}
	if s.elsewhere[string(name)] > 0 {
		return nil
	}
	item, _ := s.get(name)
	return item
}

// known reports whether all streams are known. The page may replace a list that was never offered, but not a list that failed.
func (s *streamRecorder) known() bool {
	return s.inScrape.complete || s.inScrape.wholePage && !s.inScrape.hasList && !s.listed
}

// finish records metrics that depend on all sources of a scrape.
func (s *streamRecorder) finish() {
	known := s.known()
	if s.inScrape.complete {
		for _, state := range streamStates {
			countByState.Record(s.mb, s.inScrape.states[state], state)
		}
	}
	s.totals.finish(s.inScrape.complete)
	if known {
		s.recordMissing()
	}
	if !known {
		s.items.End(s.items.Len() > 2*maxItems)
	}
	s.omit(known)
}

// recordMissing records the expected streams that are missing or disabled as not alive.
func (s *streamRecorder) recordMissing() {
	for _, name := range s.items.Missing() {
		streamAliveness.Record(s.mb, 0, name)
	}
	for name := range s.expected {
		if item := s.items.Find([]byte(name)); item != nil && item.Value.disabled {
			streamAliveness.Record(s.mb, 0, item.Name)
		}
	}
}

// omit reports the number of omitted streams. known is whether all streams are known.
func (s *streamRecorder) omit(known bool) {
	const entity, limit = metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonLimit
	if s.inScrape.recorded > 0 {
		s.report.Omit(metadata.AttributeRtcEntityInput, limit, s.inScrape.excessInputs)
		s.report.Omit(metadata.AttributeRtcEntityPush, limit, s.inScrape.excessPushes)
	}
	if s.inScrape.complete || s.inScrape.elsewhere > 0 {
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonElsewhere, s.inScrape.elsewhere)
	}
	if known || len(s.items.Items()) > 0 {
		s.report.Omit(entity, limit, int64(s.items.Limited()))
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, s.inScrape.merged)
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, rows.BoolToInt(!known)) // their number is unknown
	}
}

// query returns the query for the fields that the enabled metrics need.
func (s *streamRecorder) query(run *scrape.Runner) *streamQuery {
	fields := map[streamField]bool{streamDisabled: true}
	for _, sign := range signsOfLife {
		fields[sign] = true
	}
	for _, r := range s.numbers {
		fields[r.field] = true
		fields[streamFrameAt] = fields[streamFrameAt] || r.field == streamFrameDelay
	}
	groups := map[streamGroup]bool{
		groupInputErrors: s.totals.errors != nil,
		groupOpened:      s.totals.sessions != nil,
		groupInputs:      len(s.inputs) > 0,
		groupPushes:      len(run.Enabled(pushRows, pushState)) > 0,
		groupTracks:      len(run.Enabled(trackCount)) > 0,
	}
	for group, active := range s.groups {
		groups[streamGroup(group)] = groups[streamGroup(group)] || len(active) > 0
	}
	return newStreamQuery(fields, groups, len(run.Enabled(sourceFailed)) > 0)
}

// stateOf returns the state of an item of the list.
func stateOf(row *stream) metadata.AttributeFlussonicStreamState {
	if disabled, _ := row.Get(streamDisabled); disabled > 0 {
		return metadata.AttributeFlussonicStreamStateDisabled
	}
	switch string(row.Status) {
	case "running":
		return metadata.AttributeFlussonicStreamStateRunning
	case "waiting":
		return metadata.AttributeFlussonicStreamStateWaiting
	case "error":
		return metadata.AttributeFlussonicStreamStateError
	}
	return metadata.AttributeFlussonicStreamStateOther
}
