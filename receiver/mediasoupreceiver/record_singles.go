// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"strconv"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// singleRecord records individual streams, up to a limit.
type singleRecord struct {
	mb      *builder
	report  *scrape.Report
	enabled bool
	items   *selection.Set[single]
	key     []byte // reused
}

// single is one stream in the current snapshot.
type single struct {
	role              role
	transport, object string
	ssrc              int64
	kind              mediaKind

	stream  rtpStream
	carried bool
	io      cumulative.Counter // of its bytes
}

func newSingleRecord(mb *builder, run *scrape.Runner, limit int) *singleRecord {
	return &singleRecord{
		mb: mb, report: run.Report, enabled: len(run.Enabled(singleRows)) > 0,
		items: selection.New[single](selection.Config{Limit: limit}),
	}
}

// end ends a snapshot. complete is whether all its streams were added.
func (s *singleRecord) end(complete bool) {
	s.items.End(complete)
	if !s.enabled {
		return
	}
	var omitted [roles]int64
	for _, item := range s.items.Items() {
		omitted[item.Value.role] += rows.BoolToInt(!item.Kept)
	}
	for r, n := range omitted {
		s.report.Omit(roleOf[r].entity, metadata.AttributeRtcOmissionReasonLimit, n)
	}
}

// add adds one stream of the object with the given key. If several have the same SSRC, the first one is used.
func (s *singleRecord) add(r role, kind mediaKind, o *rtpObject, stream *rtpStream, object []byte) {
	if !s.enabled {
		return
	}
	ssrc, _ := stream.SSRC.Get()
	s.key = strconv.AppendInt(append(append(s.key[:0], object...), 0), ssrc, 10)
	item, first := s.items.GetKey(s.key, nil)
	if !first {
		return
	}
	one := &item.Value
	one.role = r
	if !item.Kept && !item.Waits {
		return
	}
	if one.object == "" {
		one.transport, one.object = selection.Name(o.TransportID), selection.Name(o.ID)
	}
	one.ssrc, one.kind = ssrc, kind
	one.stream, one.carried = *stream, o.Carried
}

func (s *singleRecord) record() {
	for _, item := range s.items.Items() {
		if one := &item.Value; item.Kept {
			s.recordCounters(one)
			if !one.carried {
				s.recordFigures(one)
			}
		}
	}
}

// recordCounters records the counters of a stream. Its bytes start when it was first seen, or when they fell.
func (s *singleRecord) recordCounters(one *single) {
	if n := one.stream.Counters[streamBytes]; n != cumulative.Absent {
		singleRows.IO.RecordSince(s.mb, one.io.Observe(n, s.report.Now()), n, one)
	}
	if n := one.stream.Counters[streamLost]; n != cumulative.Absent {
		singleRows.LostPackets.Record(s.mb, n, one)
	}
}

func (s *singleRecord) recordFigures(one *single) {
	if score, ok := one.stream.Score.Get(); ok {
		singleRows.Score.Record(s.mb, score, one)
	}
	if bits, ok := one.stream.Bitrate.Get(); ok {
		singleRows.Throughput.Record(s.mb, bits, one)
	}
	if ms, ok := one.stream.roundTripTime(); ok {
		singleRows.RoundTripTime.RecordFloat(s.mb, ms, one)
	}
}
