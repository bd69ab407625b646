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

// streamRecorder records the list of streams and the streams of the page, and keeps what must be known of them between two scrapes.
type streamRecorder struct {
	mb            *builder
	report        *scrape.Report
	clock         *serverClock
	server        *identity
	includeRemote bool

	items      *selection.Set[keptStream]
	expected   map[string]bool
	elsewhere  map[string]uint64 // left out because they run on other servers, by the last scrape in which they did
	provenHost string            // the server's host name, once a row of the list has named it
	listed     bool              // any scrape had a list
	scrapes    uint64            // begun so far

	// Rows whose metrics are enabled.
	numbers []enabledStreamRow
	sums    int                             // monotonic ones among numbers
	byField [streamFields]*enabledStreamRow // of numbers
	groups  [streamGroups][]enabledGroupRow
	pushes  []enabledRow[push, partName]

	inScrape streamAnswers

	// Reused.
	name []byte
	seen map[entryKey]bool // of one stream
}

// streamAnswers holds what the sources of one scrape have answered so far.
type streamAnswers struct {
	complete  bool    // the whole list was read
	rows      int     // of the list
	fields    uint64  // that the list had of any stream, a bit each
	wholePage bool    // the Prometheus page was read to its end
	states    []int64 // streams by state
	merged    int64
	elsewhere int64 // streams that are left out because they run there
	recorded  int   // streams with points of their own
	// Inputs and pushes beyond the client's bound.
	excessInputs, excessPushes int64
}

// keptStream is what is kept of one stream.
type keptStream struct {
	name     string
	start    timestamp            // as the server reports it, else when the stream was first seen
	counters []cumulative.Counter // of its rows
	entries  map[entryKey]*cumulative.Counter

	// Of the current scrape.
	fields   uint64 // that a source had, a bit each
	disabled bool
}

func newStreamRecorder(cfg *StreamsConfig, mb *builder, run *scrape.Runner, server *serverRecorder) *streamRecorder {
	s := &streamRecorder{
		mb: mb, report: run.Report, clock: &server.clock, server: &server.identity, includeRemote: cfg.IncludeRemote,
		items:     selection.New[keptStream](cfg.selection(), cfg.expected()...),
		expected:  map[string]bool{},
		elsewhere: map[string]uint64{},
		groups:    enabledGroupRows(run),
		pushes:    enabledRows(run, pushRows),
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

// beginScrape starts a scrape, whatever becomes of the list.
func (s *streamRecorder) beginScrape() {
	s.items.Begin()
	s.scrapes++
	s.inScrape = streamAnswers{states: make([]int64, len(streamStates)+1)} // states count from 1
}

// recordList records the list while it comes in, and reports whether it had any row. What came before a page that fails, stays.
func (s *streamRecorder) recordList(ctx context.Context, c *client, query *streamQuery) (recorded bool, err error) {
	err = c.EachStream(ctx, query, s.recordListed)
	s.inScrape.complete = err == nil || scrape.IsPartial(err)
	s.listed = s.listed || s.inScrape.complete || s.inScrape.rows > 0
	return s.inScrape.complete || s.inScrape.rows > 0, err
}

// recordListed records one row of the list. A second one of the same name is left out: the list may change while it is read, and names
// may become equal where they are not valid UTF-8.
func (s *streamRecorder) recordListed(row *stream) {
	s.inScrape.rows++
	s.name = selection.AppendName(s.name[:0], row.Name)
	if s.leaveOut(row) {
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
	st.disabled = current == metadata.AttributeFlussonicStreamStateDisabled
	if !item.Kept {
		return
	}
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

// leaveOut leaves a stream out that runs elsewhere, unless such ones are included. An expected one is reported wherever it runs.
func (s *streamRecorder) leaveOut(row *stream) bool {
	out := s.runsElsewhere(row) && !s.includeRemote && !s.expected[string(s.name)]
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

// runsElsewhere reports whether a stream of the list runs on another server of the cluster. A row that names the servers on
// which it runs decides that, but only once some row has named this server: its host name may be configured wrongly. A
// remote stream may be pulled by this server, or only offered by another one.
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
	return string(row.NamedBy) == "remote" && !isLive(row)
}

// signsOfLife are numbers that a server has only of streams that run on it.
var signsOfLife = []streamField{streamOpenedAt, streamBytesIn, streamBytesOut, streamClients, streamAlive}

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

// withoutPort returns a host without the port behind it.
func withoutPort(host string) string {
	if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		return name
	}
	return host
}

// get returns what is kept of a stream, and whether this scrape meets it for the first time.
func (s *streamRecorder) get(name []byte) (*selection.Item[keptStream], bool) {
	item, first := s.items.Get(name)
	st := &item.Value
	if first {
		if st.start == 0 {
			st.name, st.start = item.Name, s.report.Now()
		}
		st.fields, st.disabled = 0, false
	}
	return item, first
}

// needsFromPage reports whether a field of streams is taken from the page: where the list is complete, only one that the list had of no
// stream.
func (s *streamRecorder) needsFromPage(field streamField) bool {
	r := s.byField[field]
	return r != nil && (!s.inScrape.complete || s.inScrape.fields&r.bit == 0)
}

// recordPage adds what the list does not have, or, where there was no list, records all that the page has.
func (s *streamRecorder) recordPage(samples *streamSamples) {
	s.inScrape.wholePage = !samples.cut
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

// find returns the stream that the page calls name, nil when it is known to run elsewhere or not to exist.
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

// finish records what follows from all sources of a scrape. The page may stand in for a list that there never was, but not for one that
// failed.
func (s *streamRecorder) finish(hasList bool) {
	known := s.inScrape.complete || s.inScrape.wholePage && !hasList && !s.listed
	if s.inScrape.complete {
		for _, state := range streamStates {
			countByState.Record(s.mb, s.inScrape.states[state], state)
		}
	}
	if known {
		s.recordMissing()
	}
	s.omit(known)
	s.forget(known)
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

// omit counts what is left out; known says whether all streams are known.
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
		s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, rows.BoolToInt(!known)) // how many are missing is not known
	}
}

// forget forgets the streams that are gone, or, while that is not known, those of earlier scrapes once they are too many.
func (s *streamRecorder) forget(known bool) {
	s.items.End(known || s.items.Len() > 2*maxItems)
	if s.inScrape.complete {
		maps.DeleteFunc(s.elsewhere, func(_ string, last uint64) bool { return last != s.scrapes })
	}
}

// query returns what to select of each stream of the list.
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
		groupInputs: len(run.Enabled(inputActive)) > 0,
		groupPushes: len(run.Enabled(pushRows, pushState)) > 0,
		groupTracks: len(run.Enabled(trackCount)) > 0,
	}
	for group, active := range s.groups {
		groups[streamGroup(group)] = groups[streamGroup(group)] || len(active) > 0
	}
	return newStreamQuery(fields, groups)
}

// stateOf returns the state of a row of the list.
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
