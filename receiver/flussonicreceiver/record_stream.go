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
	s.recordEntries(st, row)
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

// entryKey identifies an entry of a stream or a number of one of its pushes.
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

// recordEntries records the entries of a stream. If several result in the same name, the first one is used.
func (s *streamRecorder) recordEntries(st *keptStream, row *stream) {
	clear(s.seen)
	for i := range row.Entries {
		e := &row.Entries[i]
		v, ok := e.Value.Get()
		key := entryKey{group: e.Group, name: selection.Name(e.Name)}
		if !ok || s.seen[key] {
			continue
		}
		for i := range s.groups[e.Group] {
			if s.recordEntry(st, &s.groups[e.Group][i], key, v) {
				s.seen[key] = true
				break
			}
		}
	}
}

// recordEntry records an entry, if the metric accepts its name.
func (s *streamRecorder) recordEntry(st *keptStream, r *enabledGroupRow, key entryKey, v float64) (recorded bool) {
	of, ok := r.parse(key.name)
	if !ok || r.refuses(v, s.report) {
		return false
	}
	start := timestamp(0)
	if r.metric.Monotonic {
		start = st.counter(key).ObserveSince(st.start, int64(v), s.report.Now())
	}
	of.stream = st.name
	return r.RecordFloatSince(s.mb, start, v, of)
}

// recordParts records the inputs and pushes of a stream.
func (s *streamRecorder) recordParts(st *keptStream, row *stream) {
	for i, input := range row.Inputs {
		if active, ok := input.Get(); ok {
			inputActive.Record(s.mb, rows.BoolToInt(active), partName{st.name, int64(i)})
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
	opened := st.start
	if at, ok := s.clock.start("opened_at of a push", p.OpenedAt); ok {
		opened = toTimestamp(at)
	}
	for i := range s.pushes {
		r := &s.pushes[i]
		if v, ok := r.number(p).Get(); ok && !r.refuses(v, s.report) {
			counter := st.counter(entryKey{groupPushes, r.metric.Name, of.index})
			r.RecordFloatSince(s.mb, counter.ObserveSince(opened, int64(v), s.report.Now()), v, of)
		}
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
