// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"bytes"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// role is what an object is to the media: its source or its target.
type role int

const (
	producers role = iota
	consumers
	roles
)

// maxCodecs bounds the names of codecs; mediasoup knows about 20. All further ones are called other.
const maxCodecs = 100

type (
	kind       = metadata.AttributeMediasoupMediaKind
	streamType = metadata.AttributeMediasoupStreamType
)

// kindCount is one more than the largest kind.
const kindCount = metadata.AttributeMediasoupMediaKindUnknown + 1

// streamGroup is what counters of streams are summed by.
type streamGroup struct {
	kind      kind
	codec     string
	transport transportType
}

// objectGroup is what producers and consumers are counted by.
type objectGroup struct {
	kind      kind
	of        streamType
	transport transportType
	paused    bool
}

// flow is what bytes per second are told apart by.
type flow struct {
	kind      kind
	transport transportType
}

// bitrate is how many bits per second streams have.
type bitrate struct {
	sum  float64
	each figure // of those with new statistics
}

// layers are those that a consumer gets.
type layers struct{ spatial, temporal int64 }

// scored are streams of a kind with a score.
type scored struct {
	kind  kind
	score int64
}

// The figures over the streams of a kind.
const (
	figureScore = iota
	figureLoss
	figureJitter
	figureRoundTripTime
	figureCount
)

// roleState is what is kept of all producers, or of all consumers.
type roleState struct {
	sums map[streamGroup]*[streamCounters]sum // since the first snapshot

	// All that follows is of the current snapshot.
	counts  tally[objectGroup]
	layers  tally[layers]
	silent  tally[kind]
	streams tally[kind]
	scores  tally[scored]
	figures [kindCount][figureCount]figure
	flows   map[flow]*bitrate
}

// streams turns producers and consumers into metrics.
type streams struct {
	*scraper
	growth   *cumulative.Growth
	increase [streamCounters]int64
	roles    [roles]roleState
	codecs   map[string]string // by the MIME types that the agent writes
	singles  *singles
	key      []byte
}

func newStreams(s *scraper) *streams {
	kinds := make([]cumulative.Kind, streamCounters)
	for i := range kinds {
		kinds[i] = i != streamLost // the others are monotonic
	}
	st := &streams{scraper: s, growth: cumulative.NewGrowth(kinds...), codecs: map[string]string{}, singles: newSingles(s)}
	st.reset()
	return st
}

// reset forgets everything: the application has started again.
func (s *streams) reset() {
	s.growth.Reset()
	for r := range s.roles {
		s.roles[r] = roleState{
			sums: map[streamGroup]*[streamCounters]sum{}, counts: tally[objectGroup]{}, layers: tally[layers]{},
			silent: tally[kind]{}, streams: tally[kind]{}, scores: tally[scored]{}, flows: map[flow]*bitrate{},
		}
	}
}

func (s *streams) begin() {
	s.growth.Begin()
	s.singles.begin()
	for r := range s.roles {
		state := &s.roles[r]
		state.counts.begin()
		state.layers.begin()
		state.silent.begin()
		state.streams.begin()
		state.scores.begin()
		state.figures = [kindCount][figureCount]figure{}
		for _, f := range state.flows {
			*f = bitrate{}
		}
		s.report.Omit(rolePoints[r].entity, metadata.AttributeRtcOmissionReasonMerged, 0)
	}
}

func (s *streams) end(complete bool) {
	s.growth.End(complete)
	s.singles.items.End(complete)
	entity := metadata.AttributeRtcEntityConsumer // the last and longest of the lists: how many are missing is not known
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonTruncated, scrape.Number(!complete))
}

// rolePrefix begins the keys of producers, and of consumers.
const rolePrefix = "pc"

// appendKey appends what tells an object from all others to dst: ids repeat where a producer is piped to another router.
func appendKey(dst []byte, r role, transportID, id []byte) []byte {
	dst = append(append(dst, rolePrefix[r]), transportID...)
	return append(append(dst, 0), id...)
}

func mediaKind(word []byte) kind {
	return enum(metadata.MapAttributeMediasoupMediaKind, word, metadata.AttributeMediasoupMediaKindUnknown)
}

func yes(v optional.Value[bool]) bool {
	is, _ := v.Get()
	return is
}

// add takes one producer or consumer.
func (s *streams) add(r role, o *rtpObject) {
	kind := mediaKind(o.Kind)
	s.key = appendKey(s.key[:0], r, o.TransportID, o.ID)
	object, first := s.growth.Object(s.key, o.Measured)
	if !first {
		s.merged(rolePoints[r].entity)
		return
	}
	transport, _ := s.findTransport(o.TransportID)
	transport.worker.objects[r]++
	s.coverage[rolePoints[r].list].add(o.Measured, o.Carried)
	state := &s.roles[r]
	state.count(kind, transport.kind, o)
	if !o.Measured {
		return
	}
	group := streamGroup{kind, s.codec(o.MimeType), transport.kind}
	for i := range o.Streams {
		stream := &o.Streams[i]
		if ssrc, ok := stream.SSRC.Get(); ok {
			object.Add(uint64(ssrc), stream.Counters[:], s.increase[:]) //nolint:gosec // it is not negative
			s.grow(state, group, stream)
			s.singles.add(r, kind, o, stream, s.key)
		}
	}
	state.measure(kind, transport.kind, o)
}

// count counts a producer or consumer by what it is.
func (s *roleState) count(kind kind, transport transportType, o *rtpObject) {
	of := enum(metadata.MapAttributeMediasoupStreamType, o.Type, metadata.AttributeMediasoupStreamTypeUnknown)
	s.counts.add(objectGroup{kind, of, transport, o.paused()}, 1)
	s.silent.add(kind, 0)
	s.streams.add(kind, 0)
	spatial, hasSpatial := o.Spatial.Get()
	temporal, hasTemporal := o.Temporal.Get()
	if hasSpatial && hasTemporal {
		s.layers.add(layers{spatial, temporal}, 1)
	}
}

// paused reports whether either side has paused.
func (o *rtpObject) paused() bool { return yes(o.Paused) || yes(o.ProducerPaused) }

// grow adds what a stream counted since the last snapshot.
func (s *streams) grow(state *roleState, group streamGroup, stream *rtpStream) {
	sums := state.sums[group]
	if sums == nil {
		if len(state.sums) == maxKeys {
			return
		}
		sums = &[streamCounters]sum{}
		state.sums[group] = sums
	}
	for i := range sums {
		s.addTo(&sums[i], s.increase[i], stream.Counters[i] != cumulative.Absent)
	}
}

// measure takes what a producer or consumer does now. Statistics of an earlier snapshot are good enough for sums only.
func (s *roleState) measure(kind kind, transport transportType, o *rtpObject) {
	bits, told := int64(0), len(o.Streams) == 0
	for i := range o.Streams {
		stream := &o.Streams[i]
		if !o.Carried {
			s.measureStream(kind, o, stream)
		}
		if n, ok := stream.Bitrate.Get(); ok {
			bits += n
			told = true
			s.flow(flow{kind, transport}).add(n, o.Carried)
		}
	}
	s.streams.add(kind, int64(len(o.Streams)))
	if told && bits == 0 && !o.paused() {
		s.silent.add(kind, 1)
	}
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

// measureStream takes the figures of a stream. The score of what is paused, or has not begun, means nothing.
func (s *roleState) measureStream(kind kind, o *rtpObject, stream *rtpStream) {
	figures := &s.figures[kind]
	if score, ok := stream.Score.Get(); ok && !o.paused() && stream.Counters[streamPackets] > 0 {
		s.scores.add(scored{kind, score}, 1)
		figures[figureScore].add(float64(score))
	}
	if lost, ok := stream.FractionLost.Get(); ok {
		figures[figureLoss].add(float64(lost) / 256)
	}
	rate, hasRate := o.ClockRate.Get()
	if jitter, ok := stream.Jitter.Get(); ok && hasRate && rate > 0 {
		figures[figureJitter].add(jitter / float64(rate))
	}
	if seconds, ok := stream.roundTripTime(); ok {
		figures[figureRoundTripTime].add(seconds)
	}
}

// roundTripTime returns seconds, and whether they are known: 0 stands for not yet.
func (s *rtpStream) roundTripTime() (seconds float64, ok bool) {
	ms, _ := s.RoundTripTime.Get()
	return ms / 1000, ms > 0
}

// codec returns the codec of a MIME type in lower case: vp8 of video/VP8.
func (s *streams) codec(mimeType []byte) string {
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

type (
	sumPoint     = func(*builder, pcommon.Timestamp, int64, kind, string, transportType)
	kindPoint    = func(*builder, pcommon.Timestamp, int64, kind)
	figurePoint  = func(*builder, pcommon.Timestamp, float64, kind)
	flowPoint    = func(*builder, pcommon.Timestamp, float64, kind, transportType)
	figurePoints struct{ average, min, max figurePoint }
	flowPoints   struct{ sum, average, min, max flowPoint }
)

// rolePoints says what becomes of producers, and of consumers.
var rolePoints = [roles]struct {
	entity        metadata.AttributeRtcEntity
	list          int
	direction     direction
	count         func(*builder, pcommon.Timestamp, int64, kind, streamType, transportType, bool)
	countByLayer  func(*builder, pcommon.Timestamp, int64, int64, int64)
	sums          [streamCounters]sumPoint
	messages      func(*builder, pcommon.Timestamp, int64, kind, metadata.AttributeMediasoupRtcpType)
	nackedPackets kindPoint
	figures       [figureCount]figurePoints
	throughput    flowPoints
	silent        kindPoint
	streams       kindPoint
	scores        func(*builder, pcommon.Timestamp, int64, kind, int64)
}{
	producers: {
		entity: metadata.AttributeRtcEntityProducer, list: listProducers, direction: metadata.AttributeNetworkIoDirectionReceive,
		count: (*builder).RecordMediasoupProducerCountDataPoint, countByLayer: nil,
		sums: [streamCounters]sumPoint{
			streamBytes:         (*builder).RecordMediasoupProducerIoDataPoint,
			streamPackets:       (*builder).RecordMediasoupProducerPacketsDataPoint,
			streamLost:          (*builder).RecordMediasoupProducerLostPacketsDataPoint,
			streamRetransmitted: (*builder).RecordMediasoupProducerRetransmittedPacketsDataPoint,
			streamDiscarded:     (*builder).RecordMediasoupProducerDiscardedPacketsDataPoint,
			streamRepaired:      (*builder).RecordMediasoupProducerRepairedPacketsDataPoint,
		},
		messages:      (*builder).RecordMediasoupProducerRtcpMessagesDataPoint,
		nackedPackets: (*builder).RecordMediasoupProducerRtcpNackedPacketsDataPoint,
		figures: [figureCount]figurePoints{
			figureScore:         {(*builder).RecordMediasoupProducerScoreAverageDataPoint, (*builder).RecordMediasoupProducerScoreMinDataPoint, nil},
			figureLoss:          {(*builder).RecordMediasoupProducerPacketLossAverageDataPoint, nil, (*builder).RecordMediasoupProducerPacketLossMaxDataPoint},
			figureJitter:        {(*builder).RecordMediasoupProducerJitterAverageDataPoint, nil, (*builder).RecordMediasoupProducerJitterMaxDataPoint},
			figureRoundTripTime: {(*builder).RecordMediasoupProducerRoundTripTimeAverageDataPoint, nil, (*builder).RecordMediasoupProducerRoundTripTimeMaxDataPoint},
		},
		throughput: flowPoints{
			(*builder).RecordMediasoupProducerThroughputDataPoint,
			(*builder).RecordMediasoupProducerStreamThroughputAverageDataPoint,
			(*builder).RecordMediasoupProducerStreamThroughputMinDataPoint,
			(*builder).RecordMediasoupProducerStreamThroughputMaxDataPoint,
		},
		silent: (*builder).RecordMediasoupProducerSilentCountDataPoint, streams: (*builder).RecordMediasoupProducerStreamCountDataPoint, scores: (*builder).RecordMediasoupProducerStreamCountByScoreDataPoint,
	},
	consumers: {
		entity: metadata.AttributeRtcEntityConsumer, list: listConsumers, direction: metadata.AttributeNetworkIoDirectionTransmit,
		count: (*builder).RecordMediasoupConsumerCountDataPoint, countByLayer: (*builder).RecordMediasoupConsumerCountByLayerDataPoint,
		sums: [streamCounters]sumPoint{
			streamBytes:         (*builder).RecordMediasoupConsumerIoDataPoint,
			streamPackets:       (*builder).RecordMediasoupConsumerPacketsDataPoint,
			streamLost:          (*builder).RecordMediasoupConsumerLostPacketsDataPoint,
			streamRetransmitted: (*builder).RecordMediasoupConsumerRetransmittedPacketsDataPoint,
			streamDiscarded:     (*builder).RecordMediasoupConsumerDiscardedPacketsDataPoint,
			streamRepaired:      (*builder).RecordMediasoupConsumerRepairedPacketsDataPoint,
		},
		messages:      (*builder).RecordMediasoupConsumerRtcpMessagesDataPoint,
		nackedPackets: (*builder).RecordMediasoupConsumerRtcpNackedPacketsDataPoint,
		figures: [figureCount]figurePoints{
			figureScore:         {(*builder).RecordMediasoupConsumerScoreAverageDataPoint, (*builder).RecordMediasoupConsumerScoreMinDataPoint, nil},
			figureLoss:          {(*builder).RecordMediasoupConsumerPacketLossAverageDataPoint, nil, (*builder).RecordMediasoupConsumerPacketLossMaxDataPoint},
			figureJitter:        {(*builder).RecordMediasoupConsumerJitterAverageDataPoint, nil, (*builder).RecordMediasoupConsumerJitterMaxDataPoint},
			figureRoundTripTime: {(*builder).RecordMediasoupConsumerRoundTripTimeAverageDataPoint, nil, (*builder).RecordMediasoupConsumerRoundTripTimeMaxDataPoint},
		},
		throughput: flowPoints{
			(*builder).RecordMediasoupConsumerThroughputDataPoint,
			(*builder).RecordMediasoupConsumerStreamThroughputAverageDataPoint,
			(*builder).RecordMediasoupConsumerStreamThroughputMinDataPoint,
			(*builder).RecordMediasoupConsumerStreamThroughputMaxDataPoint,
		},
		silent: (*builder).RecordMediasoupConsumerSilentCountDataPoint, streams: (*builder).RecordMediasoupConsumerStreamCountDataPoint, scores: (*builder).RecordMediasoupConsumerStreamCountByScoreDataPoint,
	},
}

// messageTypes are the counters of feedback that are one metric.
var messageTypes = map[int]metadata.AttributeMediasoupRtcpType{
	streamNACKs: metadata.AttributeMediasoupRtcpTypeNack,
	streamPLIs:  metadata.AttributeMediasoupRtcpTypePli,
	streamFIRs:  metadata.AttributeMediasoupRtcpTypeFir,
}

func (s *streams) record() {
	for r := range s.roles {
		state, points := &s.roles[r], &rolePoints[r]
		for g, n := range state.counts {
			points.count(s.mb, s.now, n, g.kind, g.of, g.transport, g.paused)
		}
		for l, n := range state.layers {
			points.countByLayer(s.mb, s.now, n, l.spatial, l.temporal)
		}
		s.recordSums(role(r))
		if s.coverage[points.list].forSums() {
			s.recordPresent(role(r))
		}
		if s.coverage[points.list].forFigures() {
			s.recordFigures(role(r))
		}
	}
}

// recordSums records what streams counted since the first snapshot.
func (s *streams) recordSums(r role) {
	points := &rolePoints[r]
	var byKind [kindCount][streamCounters]sum
	for g, sums := range s.roles[r].sums {
		for i, one := range sums {
			s.addTo(&byKind[g.kind][i], one.value, one.told)
			if record := points.sums[i]; record != nil && one.told {
				record(s.mb, s.now, one.value, g.kind, g.codec, g.transport)
			}
		}
	}
	for kind := range kindCount {
		for i, of := range messageTypes {
			if all := byKind[kind][i]; all.told {
				points.messages(s.mb, s.now, all.value, kind, of)
			}
		}
		if all := byKind[kind][streamNACKedPackets]; all.told {
			points.nackedPackets(s.mb, s.now, all.value, kind)
		}
	}
}

// recordPresent records sums over what streams do now.
func (s *streams) recordPresent(r role) {
	state, points := &s.roles[r], &rolePoints[r]
	for kind, n := range state.silent {
		points.silent(s.mb, s.now, n, kind)
	}
	for kind, n := range state.streams {
		points.streams(s.mb, s.now, n, kind)
	}
	for key, f := range state.flows {
		points.throughput.sum(s.mb, s.now, f.sum/8, key.kind, key.transport)
	}
}

// recordFigures records how streams do now, one with another.
func (s *streams) recordFigures(r role) {
	state, points := &s.roles[r], &rolePoints[r]
	for of, n := range state.scores {
		points.scores(s.mb, s.now, n, of.kind, of.score)
	}
	for kind := range kindCount {
		for i := range state.figures[kind] {
			points.figures[i].record(s, kind, &state.figures[kind][i])
		}
	}
	for key, f := range state.flows {
		points.throughput.record(s, key, &f.each)
	}
}

func (p *figurePoints) record(s *streams, kind kind, f *figure) {
	if f.n == 0 {
		return
	}
	p.average(s.mb, s.now, f.average(), kind)
	if p.min != nil {
		p.min(s.mb, s.now, f.min, kind)
	}
	if p.max != nil {
		p.max(s.mb, s.now, f.max, kind)
	}
}

// record turns bits into bytes.
func (p *flowPoints) record(s *streams, key flow, f *figure) {
	if f.n == 0 {
		return
	}
	p.average(s.mb, s.now, f.average()/8, key.kind, key.transport)
	p.min(s.mb, s.now, f.min/8, key.kind, key.transport)
	p.max(s.mb, s.now, f.max/8, key.kind, key.transport)
}
