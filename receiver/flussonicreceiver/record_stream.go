// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// recordStream records an item of the list.
func (s *streamRecorder) recordStream(st *keptStream, row *stream) {
	s.inScrape.recorded++
	if !row.HasStats { // the stream does not run
		row.set(streamAlive, 0, 1)
	}
	if _, ok := row.Get(streamFrameDelay); !ok {
		s.setFrameDelay(row)
	}
	for i := range s.numbers {
		r := &s.numbers[i]
		if v, ok := row.Get(r.field); ok {
			s.recordNumber(st, r, v)
		}
	}
	s.inScrape.fields.addAll(&st.fields)
	s.recordOrigin(st, row)
	s.recordEntries(st, row.Entries, 0, st.start)
	s.recordParts(st, row)
	s.recordTracks(st, row)
}

// maxClockError is the number of milliseconds by which a frame may be ahead of the server's clock, which is read before the list.
const maxClockError = 1000

// setFrameDelay derives the age of the last frame from its timestamp and the server's clock.
func (s *streamRecorder) setFrameDelay(row *stream) {
	v, _ := row.Get(streamFrameAt)
	at, ok := unixSeconds(v)
	now := s.clock.now()
	switch age := now - at*1000; {
	case v != 0 && !ok:
		noteImpossible(s.report, "last_dts_at", v)
	case !ok || now == 0:
	case age < 0 && age >= -maxClockError:
		row.set(streamFrameDelay, 0, 1)
	default:
		row.set(streamFrameDelay, age, 1)
	}
}

// recordNumber records a number of a stream, unless an earlier source of the scrape recorded it, or it is impossible.
func (s *streamRecorder) recordNumber(st *keptStream, r *enabledStreamRow, v float64) {
	if st.fields.has(r.number) {
		return
	}
	st.fields.add(r.number)
	if r.field == streamRunningAt {
		var ok bool
		if v, ok = s.clock.start(r.metric.Name, optional.Of(v)); !ok {
			return
		}
	}
	if r.refuses(v, s.report) {
		return
	}
	start := timestamp(0)
	if r.metric.Monotonic {
		if st.counters == nil {
			st.counters = make([]cumulative.Counter, s.sums)
		}
		start = st.counters[r.counter].ObserveSince(st.start, int64(v), s.report.Now())
	}
	r.RecordFloatSince(s.mb, start, v, st.name)
}

// recordOrigin records whether a stream is pulled from another streamer, and why its source cannot be captured.
func (s *streamRecorder) recordOrigin(st *keptStream, row *stream) {
	if string(row.NamedBy) == namedRemote {
		streamRemote.Record(s.mb, 1, st.name)
	}
	if len(row.SourceError) > 0 {
		sourceFailed.Record(s.mb, 1, sourceError{st.name, selection.Name(row.SourceError)})
	}
}

// entryKey identifies an entry of a stream, or an entry or a number of one of its inputs or pushes.
type entryKey struct {
	group streamGroup
	name  string
	index int64
}

// counter returns the counter for a key. If there are too many counters, it discards all.
func (st *keptStream) counter(key entryKey) *cumulative.Counter {
	counter := st.entries[key]
	if counter == nil {
		if st.entries == nil || len(st.entries) == 2*maxEntries {
			st.entries = map[entryKey]*cumulative.Counter{}
		}
		counter = &cumulative.Counter{}
		st.entries[key] = counter
	}
	return counter
}

// recordEntries records the entries of a stream, or of its push at index, whose counters start at opened. If several result in the same
// name, the first one is used.
func (s *streamRecorder) recordEntries(st *keptStream, entries []entry, index int64, opened timestamp) {
	clear(s.seen)
	for i := range entries {
		e := &entries[i]
		v, ok := e.Value.Get()
		if !ok || len(s.groups[e.Group]) == 0 {
			continue
		}
		key := entryKey{e.Group, selection.Name(e.Name), index}
		if s.seen[key] {
			continue
		}
		for i := range s.groups[e.Group] {
			if s.recordEntry(st, &s.groups[e.Group][i], key, v, opened) {
				s.seen[key] = true
				break
			}
		}
	}
}

// recordEntry records an entry, if the metric accepts its name.
func (s *streamRecorder) recordEntry(st *keptStream, r *enabledGroupRow, key entryKey, v float64, opened timestamp) (recorded bool) {
	of, ok := r.parse(key.name)
	if !ok || r.refuses(v, s.report) {
		return false
	}
	start := timestamp(0)
	if r.metric.Monotonic {
		start = st.counter(key).ObserveSince(opened, int64(v), s.report.Now())
	}
	of.stream, of.index = st.name, key.index
	return r.RecordFloatSince(s.mb, start, v, of)
}

// recordParts records the inputs and pushes of a stream.
func (s *streamRecorder) recordParts(st *keptStream, row *stream) {
	for i := range row.Inputs {
		if len(s.inputs) > 0 {
			one := &row.Inputs[i]
			opened := s.opened(st, "opened_at of an input", one.OpenedAt)
			recordPart(s, st, groupInputs, s.inputs, one, partName{st.name, int64(i)}, opened)
		}
	}
	for i := range row.Pushes {
		s.recordPush(st, &row.Pushes[i], partName{st.name, int64(i)})
	}
	s.inScrape.excessInputs += row.InputsOver
	s.inScrape.excessPushes += row.PushesOver
}

func (s *streamRecorder) recordPush(st *keptStream, p *push, of partName) {
	if len(p.Status) > 0 {
		current, known := metadata.MapAttributeFlussonicPushState[string(p.Status)]
		if !known {
			current = metadata.AttributeFlussonicPushStateUnknown
		}
		rows.RecordState(pushState, s.mb, pushStates, current, func(state metadata.AttributeFlussonicPushState) pushStateName {
			return pushStateName{of, state}
		})
	}
	opened := s.opened(st, "opened_at of a push", p.OpenedAt)
	recordPart(s, st, groupPushes, s.pushes, p, of, opened)
	s.recordEntries(st, p.Errors, of.index, opened)
}

// opened returns the time since which an input or a push counts: its own, otherwise that of the stream.
func (s *streamRecorder) opened(st *keptStream, field string, at number) timestamp {
	if opened, ok := s.clock.start(field, at); ok {
		return toTimestamp(opened)
	}
	return st.start
}

// recordPart records the numbers of an input or a push.
func recordPart[E any](
	s *streamRecorder, st *keptStream, group streamGroup, table []enabledRow[E, partName], part *E, of partName, opened timestamp,
) {
	for i := range table {
		r := &table[i]
		v, ok := r.number(part).Get()
		if !ok || r.refuses(v, s.report) {
			continue
		}
		start := timestamp(0)
		if r.metric.Monotonic {
			start = st.counter(entryKey{group, r.metric.Name, of.index}).ObserveSince(opened, int64(v), s.report.Now())
		}
		r.RecordFloatSince(s.mb, start, v, of)
	}
}

// recordTracks counts the tracks of a stream by media type.
func (s *streamRecorder) recordTracks(st *keptStream, row *stream) {
	other := int64(len(row.Tracks))
	for _, of := range trackMedia {
		n := int64(0)
		for _, content := range row.Tracks {
			n += rows.BoolToInt(bytes.Equal(content, of.content))
		}
		if other -= n; n > 0 {
			trackCount.Record(s.mb, n, trackName{st.name, of.media})
		}
	}
	if other > 0 {
		trackCount.Record(s.mb, other, trackName{st.name, metadata.AttributeFlussonicMediaKindOther})
	}
}
