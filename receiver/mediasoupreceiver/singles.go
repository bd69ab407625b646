// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// singles are streams that are reported one by one.
type singles struct {
	*scraper
	wanted bool
	items  *selection.Set[single]
	key    []byte
}

// single is what is kept of one stream.
type single struct {
	transport, object string
	bytes             cumulative.Counter
}

func newSingles(s *scraper) *singles {
	m := &s.cfg.MetricsBuilderConfig.Metrics
	return &singles{
		scraper: s, items: selection.New[single](selection.Config{Limit: s.cfg.Streams.Limit}),
		wanted: scrape.Enabled(m.MediasoupStreamIo.Enabled, m.MediasoupStreamLostPackets.Enabled, m.MediasoupStreamRoundTripTime.Enabled,
			m.MediasoupStreamScore.Enabled, m.MediasoupStreamThroughput.Enabled) > 0,
	}
}

func (s *singles) begin() {
	s.items.Begin()
	if s.wanted {
		for r := range rolePoints {
			s.report.Omit(rolePoints[r].entity, metadata.AttributeRtcOmissionReasonLimit, 0)
		}
	}
}

// add records one stream of the object with a key.
func (s *singles) add(r role, kind kind, o *rtpObject, stream *rtpStream, object []byte) {
	if !s.wanted {
		return
	}
	ssrc, _ := stream.SSRC.Get()
	s.key = binary.BigEndian.AppendUint64(append(s.key[:0], object...), uint64(ssrc)) //nolint:gosec // it is not negative
	item, first := s.items.GetKey(s.key, nil)
	switch {
	case !first:
		return
	case !item.Kept:
		s.report.Omit(rolePoints[r].entity, metadata.AttributeRtcOmissionReasonLimit, 1)
		return
	case item.Value.object == "":
		item.Value.transport, item.Value.object = selection.Name(o.TransportID), selection.Name(o.ID)
	}
	s.record(&item.Value, singleOf{ssrc, rolePoints[r].direction, kind}, stream)
	if !o.Carried {
		s.recordFigures(&item.Value, singleOf{ssrc, rolePoints[r].direction, kind}, stream)
	}
}

// singleOf is what the points of a stream are told apart by, besides its transport and object.
type singleOf struct {
	ssrc      int64
	direction direction
	kind      kind
}

// record records the counters of a stream. Its bytes count since it was first seen, or since they fell.
func (s *singles) record(one *single, of singleOf, stream *rtpStream) {
	if n := stream.Counters[streamBytes]; n != cumulative.Absent {
		s.mb.RecordMediasoupStreamIoDataPoint(s.now, n, one.transport, one.object, of.ssrc, of.direction, of.kind)
		s.starts.Add(metadata.MetricsInfo.MediasoupStreamIo.Name, one.bytes.Start(n, s.now), s.now)
	}
	if n := stream.Counters[streamLost]; n != cumulative.Absent {
		s.mb.RecordMediasoupStreamLostPacketsDataPoint(s.now, n, one.transport, one.object, of.ssrc, of.direction, of.kind)
	}
}

// recordFigures records what a stream does now.
func (s *singles) recordFigures(one *single, of singleOf, stream *rtpStream) {
	if n, ok := stream.Score.Get(); ok {
		s.mb.RecordMediasoupStreamScoreDataPoint(s.now, n, one.transport, one.object, of.ssrc, of.direction, of.kind)
	}
	double := func(record func(*builder, pcommon.Timestamp, float64, string, string, int64, direction, kind), v float64) {
		record(s.mb, s.now, v, one.transport, one.object, of.ssrc, of.direction, of.kind)
	}
	if bits, ok := stream.Bitrate.Get(); ok {
		double((*builder).RecordMediasoupStreamThroughputDataPoint, float64(bits)/8)
	}
	if seconds, ok := stream.roundTripTime(); ok {
		double((*builder).RecordMediasoupStreamRoundTripTimeDataPoint, seconds)
	}
}
