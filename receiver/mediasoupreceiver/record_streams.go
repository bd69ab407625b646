// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"bytes"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// maxCodecs bounds the number of codec names; mediasoup supports about 20. Any others are called other.
const maxCodecs = 100

// streamRecord records producers and consumers with their streams.
type streamRecord struct {
	mb       *builder
	report   *scrape.Report
	coverage *coverageRecord
	topology *topology
	singles  *singleRecord

	deltas   *cumulative.DeltaTracker
	increase [streamCounters]int64 // reused
	roles    [roles]roleState
	codecs   map[string]string // by MIME type
	key      []byte            // reused
}

// roleState is the state of all producers, or of all consumers.
type roleState struct {
	sums map[streamGroup]*[streamCounters]sum // since the first snapshot

	// State of the current snapshot.
	counts        tally[objectGroup]
	layers        tally[layers]
	silent        tally[mediaKind]
	streams       tally[mediaKind]
	distributions distributions
	figures       [mediaKinds][figureCount]figure
	flows         map[flow]*bitrate
}

// bitrate is the bitrate of streams in bits per second.
type bitrate struct {
	sum  float64
	each figure // of streams with new statistics
}

func newStreamRecord(mb *builder, report *scrape.Report, coverage *coverageRecord, topology *topology, singles *singleRecord) *streamRecord {
	kinds := slices.Repeat([]cumulative.CounterKind{cumulative.Monotonic}, streamCounters)
	kinds[streamLost], kinds[streamLosses] = cumulative.Signed, cumulative.Maximum
	s := &streamRecord{
		mb: mb, report: report, coverage: coverage, topology: topology, singles: singles,
		deltas: cumulative.NewDeltaTracker(kinds...), codecs: map[string]string{},
	}
	for r := range s.roles {
		s.roles[r] = roleState{
			sums: map[streamGroup]*[streamCounters]sum{}, counts: tally[objectGroup]{}, layers: tally[layers]{},
			silent: tally[mediaKind]{}, streams: tally[mediaKind]{}, distributions: newDistributions(), flows: map[flow]*bitrate{},
		}
	}
	return s
}

func (s *streamRecord) begin() {
	s.deltas.Begin()
	s.singles.items.Begin()
	for r := range s.roles {
		s.roles[r].begin()
		s.report.Omit(roleOf[r].entity, metadata.AttributeRtcOmissionReasonMerged, 0)
	}
}

func (s *roleState) begin() {
	s.counts.begin()
	s.layers.begin()
	s.silent.begin()
	s.streams.begin()
	s.distributions.begin()
	s.figures = [mediaKinds][figureCount]figure{}
	for _, f := range s.flows {
		*f = bitrate{}
	}
}

// end ends a snapshot. An incomplete snapshot lacks an unknown number of objects, which are reported as one omitted consumer, because
// consumers are the last and longest list.
func (s *streamRecord) end(complete bool) {
	s.deltas.End(complete)
	s.singles.end(complete)
	s.report.Omit(metadata.AttributeRtcEntityConsumer, metadata.AttributeRtcOmissionReasonTruncated, rows.BoolToInt(!complete))
}

// roleOf describes producers and consumers.
var roleOf = [roles]struct {
	entity    entity
	list      int
	direction direction
}{
	producers: {metadata.AttributeRtcEntityProducer, listProducers, receive},
	consumers: {metadata.AttributeRtcEntityConsumer, listConsumers, transmit},
}

// appendKey appends the key of an object to dst. IDs alone are not unique, because a producer that is piped to another router has the
// same ID there.
func appendKey(dst []byte, r role, transportID, id []byte) []byte {
	dst = append(append(dst, byte(r)), transportID...)
	return append(append(dst, 0), id...)
}

func mediaKindOf(word []byte) mediaKind {
	return enum(metadata.MapAttributeMediasoupMediaKind, word, metadata.AttributeMediasoupMediaKindUnknown)
}

// add counts a producer or consumer. If several on a transport have the same ID, the first one is used.
func (s *streamRecord) add(r role, o *rtpObject) {
	kind := mediaKindOf(o.Kind)
	s.key = appendKey(s.key[:0], r, o.TransportID, o.ID)
	object, first := s.deltas.Object(s.key, o.Measured)
	if !first {
		s.report.Omit(roleOf[r].entity, metadata.AttributeRtcOmissionReasonMerged, 1)
		return
	}
	transport, _ := s.topology.transport(o.TransportID)
	transport.worker.objects[r]++
	s.coverage.lists[roleOf[r].list].add(o.Measured, o.Carried)
	state := &s.roles[r]
	state.count(kind, transport.kind, o)
	transport.room.addObject(r, kind, o)
	if !o.Measured {
		return
	}
	group := streamGroup{kind, s.codec(o.MimeType), transport.kind}
	for i := range o.Streams {
		stream := &o.Streams[i]
		if ssrc, ok := stream.SSRC.Get(); ok {
			stream.Counters[streamLosses] = stream.Counters[streamLost]
			object.Add(uint64(ssrc), stream.Counters[:], s.increase[:]) //nolint:gosec // it is not negative
			s.grow(state, group, stream)
			s.singles.add(r, kind, o, stream, s.key)
		}
	}
	state.measure(kind, transport.kind, o)
}

// count counts a producer or consumer by its properties.
func (s *roleState) count(kind mediaKind, transport transportType, o *rtpObject) {
	streams := enum(metadata.MapAttributeMediasoupStreamType, o.Type, metadata.AttributeMediasoupStreamTypeUnknown)
	s.counts.add(objectGroup{kind, streams, transport, o.paused()}, 1)
	s.silent.add(kind, 0)
	s.streams.add(kind, 0)
	spatial, hasSpatial := o.Spatial.Get()
	temporal, hasTemporal := o.Temporal.Get()
	if hasSpatial && hasTemporal {
		s.layers.add(layers{spatial, temporal}, 1)
	}
}

// paused reports whether the object or its producer is paused.
func (o *rtpObject) paused() bool { return isTrue(o.Paused) || isTrue(o.ProducerPaused) }

func isTrue(v optional.Value[bool]) bool {
	is, _ := v.Get()
	return is
}

// grow adds what a stream has counted since the last snapshot.
func (s *streamRecord) grow(state *roleState, group streamGroup, stream *rtpStream) {
	sums := state.sums[group]
	if sums == nil {
		if len(state.sums) == maxKeys {
			return
		}
		sums = &[streamCounters]sum{}
		state.sums[group] = sums
	}
	for i := range sums {
		sums[i].add(s.report, s.increase[i], stream.Counters[i] != cumulative.Absent)
	}
}

// measure adds the current values of a producer or consumer. Statistics carried over from an earlier snapshot are included in sums
// only.
func (s *roleState) measure(kind mediaKind, transport transportType, o *rtpObject) {
	for i := range o.Streams {
		stream := &o.Streams[i]
		if !o.Carried {
			s.measureStream(kind, o, stream)
			if isParticipant(transport) {
				s.distributions.add(kind, o, stream)
			}
		}
		if n, ok := stream.Bitrate.Get(); ok {
			s.flow(flow{kind, transport}).add(n, o.Carried)
		}
	}
	s.streams.add(kind, int64(len(o.Streams)))
	if o.silent() {
		s.silent.add(kind, 1)
	}
}

// silent reports whether the object is not paused and has no bitrate. It is false if no stream reports its bitrate.
func (o *rtpObject) silent() bool {
	known := len(o.Streams) == 0
	for i := range o.Streams {
		bits, ok := o.Streams[i].Bitrate.Get()
		if bits != 0 {
			return false
		}
		known = known || ok
	}
	return known && !o.paused()
}

func (s *roleState) flow(key flow) *bitrate {
	f := s.flows[key]
	if f == nil {
		f = &bitrate{}
		s.flows[key] = f
	}
	return f
}

func (b *bitrate) add(bits int64, carried bool) {
	b.sum += float64(bits)
	if !carried {
		b.each.add(float64(bits))
	}
}

// measureStream adds the current values of a stream.
func (s *roleState) measureStream(kind mediaKind, o *rtpObject, stream *rtpStream) {
	figures := &s.figures[kind]
	if score, ok := o.score(stream); ok {
		figures[figureScore].add(score)
	}
	if lost, ok := stream.FractionLost.Get(); ok {
		figures[figureLoss].add(float64(lost))
	}
	if jitter, ok := o.jitter(stream); ok {
		figures[figureJitter].add(jitter)
	}
	if ms, ok := stream.roundTripTime(); ok {
		figures[figureRoundTripTime].add(ms)
	}
}

// score returns the score of a stream. That of a stream that is paused or has not started is meaningless.
func (o *rtpObject) score(stream *rtpStream) (score float64, ok bool) {
	n, ok := stream.Score.Get()
	return float64(n), ok && !o.paused() && stream.Counters[streamPackets] > 0
}

// jitter returns the jitter of a stream in seconds.
func (o *rtpObject) jitter(stream *rtpStream) (seconds float64, ok bool) {
	jitter, ok := stream.Jitter.Get()
	rate, hasRate := o.ClockRate.Get()
	if !ok || !hasRate || rate <= 0 {
		return 0, false
	}
	return jitter / float64(rate), true
}

// roundTripTime returns the round-trip time in milliseconds, and whether it is known: 0 means that it has not been measured yet.
func (s *rtpStream) roundTripTime() (ms float64, known bool) {
	ms, _ = s.RoundTripTime.Get()
	return ms, ms > 0
}

// codec returns the codec of a MIME type in lower case, such as vp8 for video/VP8.
func (s *streamRecord) codec(mimeType []byte) string {
	codec, known := s.codecs[string(mimeType)]
	if known {
		return codec
	}
	if len(s.codecs) == maxCodecs {
		return "other"
	}
	_, subtype, _ := bytes.Cut(mimeType, []byte("/"))
	codec = strings.ToLower(selection.Name(subtype))
	s.codecs[string(mimeType)] = codec
	return codec
}

func (s *streamRecord) record() {
	for r := range s.roles {
		state, coverage := &s.roles[r], &s.coverage.lists[roleOf[r].list]
		state.counts.record(s.mb, roleRows[r].Count)
		state.layers.record(s.mb, roleRows[r].CountByLayer)
		to := &roleRows[r].Measured
		s.recordSums(state, to)
		if coverage.sufficesForSums() {
			state.recordPresent(s.mb, to)
		}
		if coverage.sufficesForFigures() {
			state.recordFigures(s.mb, to)
		}
	}
	s.singles.record()
}

// recordSums records what streams have counted since the first snapshot.
func (s *streamRecord) recordSums(state *roleState, to *measuredRoleRows) {
	var byKind [mediaKinds][streamCounters]sum
	for group, sums := range state.sums {
		for i := range sums {
			recordSum(s.mb, to.Sums[i], &sums[i], group)
			byKind[group.kind][i].add(s.report, sums[i].value, sums[i].reported)
		}
	}
	for kind := range mediaKinds {
		for i := range byKind[kind] {
			recordSum(s.mb, to.SumsByKind[i], &byKind[kind][i], kind)
		}
	}
}

// recordPresent records sums over the current values of streams.
func (s *roleState) recordPresent(mb *builder, to *measuredRoleRows) {
	s.silent.record(mb, to.Silent)
	s.streams.record(mb, to.Streams)
	for key, f := range s.flows {
		to.Throughput.RecordFloat(mb, f.sum, key)
	}
}

// recordFigures records averages and extremes over the streams, and the numbers of streams by value.
func (s *roleState) recordFigures(mb *builder, to *measuredRoleRows) {
	s.distributions.record(mb, &to.Distributions)
	for kind := range mediaKinds {
		for i := range s.figures[kind] {
			to.Figures[i].record(mb, &s.figures[kind][i], kind)
		}
	}
	for key, f := range s.flows {
		to.StreamThroughput.record(mb, &f.each, key)
	}
}
