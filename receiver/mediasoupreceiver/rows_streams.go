// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

type (
	mediaKind  = metadata.AttributeMediasoupMediaKind
	streamType = metadata.AttributeMediasoupStreamType
)

// mediaKinds is the length of an array that is indexed by media kind.
const mediaKinds = metadata.AttributeMediasoupMediaKindUnknown + 1

const (
	nack = metadata.AttributeMediasoupRtcpTypeNack
	pli  = metadata.AttributeMediasoupRtcpTypePli
	fir  = metadata.AttributeMediasoupRtcpTypeFir
)

// role is whether an object is a source of media (producer) or a target (consumer).
type role uint8

const (
	producers role = iota
	consumers
	roles
)

// objectGroup holds the properties by which producers and consumers are counted.
type objectGroup struct {
	kind      mediaKind
	streams   streamType
	transport transportType
	paused    bool
}

// streamGroup holds the properties by which counters of streams are summed.
type streamGroup struct {
	kind      mediaKind
	codec     string
	transport transportType
}

// flow holds the properties by which the throughput of streams is summed.
type flow struct {
	kind      mediaKind
	transport transportType
}

// layers are the simulcast or SVC layers that a consumer receives.
type layers struct{ spatial, temporal int64 }

// scored holds the properties by which streams with a score are counted.
type scored struct {
	kind  mediaKind
	score int64
}

// The values with averages and extremes over the streams of a kind.
const (
	figureScore = iota
	figureLoss
	figureJitter
	figureRoundTripTime
	figureCount
)

// measuredRoleRows map the statistics of producers or consumers.
type measuredRoleRows struct {
	Sums             [streamCounters]point[streamGroup] // since the first snapshot
	SumsByKind       [streamCounters]point[mediaKind]   // since the first snapshot
	Silent, Streams  point[mediaKind]
	Scores           point[scored]
	Figures          [figureCount]figureRows[mediaKind]
	Throughput       point[flow]
	StreamThroughput figureRows[flow]
}

// roleRows map producers and consumers.
var roleRows = [roles]struct {
	Count        point[objectGroup]
	CountByLayer point[layers]
	Measured     measuredRoleRows
}{
	producers: {
		Count: rows.WholeOf(ofObjects((*builder).RecordMediasoupProducerCountDataPoint)),
		Measured: measuredRoleRows{
			Sums: [streamCounters]point[streamGroup]{
				streamBytes:         rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerIoDataPoint)),
				streamPackets:       rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerPacketsDataPoint)),
				streamLost:          rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerLostPacketsDataPoint)).Signed(),
				streamLosses:        rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerPacketLossesDataPoint)),
				streamRetransmitted: rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerRetransmittedPacketsDataPoint)),
				streamDiscarded:     rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerDiscardedPacketsDataPoint)),
				streamRepaired:      rows.WholeOf(ofStreams((*builder).RecordMediasoupProducerRepairedPacketsDataPoint)),
			},
			SumsByKind: [streamCounters]point[mediaKind]{
				streamNACKs:         rows.WholeOf(rows.WithLast((*builder).RecordMediasoupProducerRtcpMessagesDataPoint, nack)),
				streamPLIs:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupProducerRtcpMessagesDataPoint, pli)),
				streamFIRs:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupProducerRtcpMessagesDataPoint, fir)),
				streamNACKedPackets: rows.WholeOf((*builder).RecordMediasoupProducerRtcpNackedPacketsDataPoint),
			},
			Silent:  rows.WholeOf((*builder).RecordMediasoupProducerSilentCountDataPoint),
			Streams: rows.WholeOf((*builder).RecordMediasoupProducerStreamCountDataPoint),
			Scores:  rows.WholeOf(ofScored((*builder).RecordMediasoupProducerStreamCountByScoreDataPoint)),
			Figures: [figureCount]figureRows[mediaKind]{
				figureScore:         figures(rows.Unit{}, (*builder).RecordMediasoupProducerScoreAverageDataPoint, (*builder).RecordMediasoupProducerScoreMinDataPoint, nil),
				figureLoss:          figures(rows.Per256, (*builder).RecordMediasoupProducerPacketLossAverageDataPoint, nil, (*builder).RecordMediasoupProducerPacketLossMaxDataPoint),
				figureJitter:        figures(rows.Unit{}, (*builder).RecordMediasoupProducerJitterAverageDataPoint, nil, (*builder).RecordMediasoupProducerJitterMaxDataPoint),
				figureRoundTripTime: figures(rows.Milliseconds, (*builder).RecordMediasoupProducerRoundTripTimeAverageDataPoint, nil, (*builder).RecordMediasoupProducerRoundTripTimeMaxDataPoint),
			},
			Throughput: rows.DecimalOf(ofFlow((*builder).RecordMediasoupProducerThroughputDataPoint)).In(rows.Bits),
			StreamThroughput: figures(rows.Bits,
				ofFlow((*builder).RecordMediasoupProducerStreamThroughputAverageDataPoint),
				ofFlow((*builder).RecordMediasoupProducerStreamThroughputMinDataPoint),
				ofFlow((*builder).RecordMediasoupProducerStreamThroughputMaxDataPoint)),
		},
	},
	consumers: {
		Count:        rows.WholeOf(ofObjects((*builder).RecordMediasoupConsumerCountDataPoint)),
		CountByLayer: rows.WholeOf(ofLayers((*builder).RecordMediasoupConsumerCountByLayerDataPoint)),
		Measured: measuredRoleRows{
			Sums: [streamCounters]point[streamGroup]{
				streamBytes:         rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerIoDataPoint)),
				streamPackets:       rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerPacketsDataPoint)),
				streamLost:          rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerLostPacketsDataPoint)).Signed(),
				streamLosses:        rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerPacketLossesDataPoint)),
				streamRetransmitted: rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerRetransmittedPacketsDataPoint)),
				streamDiscarded:     rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerDiscardedPacketsDataPoint)),
				streamRepaired:      rows.WholeOf(ofStreams((*builder).RecordMediasoupConsumerRepairedPacketsDataPoint)),
			},
			SumsByKind: [streamCounters]point[mediaKind]{
				streamNACKs:         rows.WholeOf(rows.WithLast((*builder).RecordMediasoupConsumerRtcpMessagesDataPoint, nack)),
				streamPLIs:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupConsumerRtcpMessagesDataPoint, pli)),
				streamFIRs:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupConsumerRtcpMessagesDataPoint, fir)),
				streamNACKedPackets: rows.WholeOf((*builder).RecordMediasoupConsumerRtcpNackedPacketsDataPoint),
			},
			Silent:  rows.WholeOf((*builder).RecordMediasoupConsumerSilentCountDataPoint),
			Streams: rows.WholeOf((*builder).RecordMediasoupConsumerStreamCountDataPoint),
			Scores:  rows.WholeOf(ofScored((*builder).RecordMediasoupConsumerStreamCountByScoreDataPoint)),
			Figures: [figureCount]figureRows[mediaKind]{
				figureScore:         figures(rows.Unit{}, (*builder).RecordMediasoupConsumerScoreAverageDataPoint, (*builder).RecordMediasoupConsumerScoreMinDataPoint, nil),
				figureLoss:          figures(rows.Per256, (*builder).RecordMediasoupConsumerPacketLossAverageDataPoint, nil, (*builder).RecordMediasoupConsumerPacketLossMaxDataPoint),
				figureJitter:        figures(rows.Unit{}, (*builder).RecordMediasoupConsumerJitterAverageDataPoint, nil, (*builder).RecordMediasoupConsumerJitterMaxDataPoint),
				figureRoundTripTime: figures(rows.Milliseconds, (*builder).RecordMediasoupConsumerRoundTripTimeAverageDataPoint, nil, (*builder).RecordMediasoupConsumerRoundTripTimeMaxDataPoint),
			},
			Throughput: rows.DecimalOf(ofFlow((*builder).RecordMediasoupConsumerThroughputDataPoint)).In(rows.Bits),
			StreamThroughput: figures(rows.Bits,
				ofFlow((*builder).RecordMediasoupConsumerStreamThroughputAverageDataPoint),
				ofFlow((*builder).RecordMediasoupConsumerStreamThroughputMinDataPoint),
				ofFlow((*builder).RecordMediasoupConsumerStreamThroughputMaxDataPoint)),
		},
	},
}

// singleRows map single streams.
var singleRows = struct{ IO, LostPackets, Score, Throughput, RoundTripTime point[*single] }{
	IO:            rows.WholeOf(ofSingle((*builder).RecordMediasoupStreamIoDataPoint)),
	LostPackets:   rows.WholeOf(ofSingle((*builder).RecordMediasoupStreamLostPacketsDataPoint)).Signed(),
	Score:         rows.WholeOf(ofSingle((*builder).RecordMediasoupStreamScoreDataPoint)),
	Throughput:    rows.DecimalOf(ofSingle((*builder).RecordMediasoupStreamThroughputDataPoint)).In(rows.Bits),
	RoundTripTime: rows.DecimalOf(ofSingle((*builder).RecordMediasoupStreamRoundTripTimeDataPoint)).In(rows.Milliseconds),
}

// The functions below take the attributes of a metric from a group.

func ofObjects(record func(*builder, timestamp, int64, mediaKind, streamType, transportType, bool)) func(*builder, timestamp, int64, objectGroup) {
	return func(mb *builder, start timestamp, n int64, g objectGroup) {
		record(mb, start, n, g.kind, g.streams, g.transport, g.paused)
	}
}

func ofStreams(record func(*builder, timestamp, int64, mediaKind, string, transportType)) func(*builder, timestamp, int64, streamGroup) {
	return func(mb *builder, start timestamp, n int64, g streamGroup) {
		record(mb, start, n, g.kind, g.codec, g.transport)
	}
}

func ofFlow(record func(*builder, timestamp, float64, mediaKind, transportType)) func(*builder, timestamp, float64, flow) {
	return func(mb *builder, start timestamp, v float64, f flow) { record(mb, start, v, f.kind, f.transport) }
}

func ofScored(record func(*builder, timestamp, int64, mediaKind, int64)) func(*builder, timestamp, int64, scored) {
	return func(mb *builder, start timestamp, n int64, s scored) { record(mb, start, n, s.kind, s.score) }
}

func ofLayers(record func(*builder, timestamp, int64, int64, int64)) func(*builder, timestamp, int64, layers) {
	return func(mb *builder, start timestamp, n int64, l layers) { record(mb, start, n, l.spatial, l.temporal) }
}

func ofSingle[V any](record func(*builder, timestamp, V, string, string, int64, direction, mediaKind)) func(*builder, timestamp, V, *single) {
	return func(mb *builder, start timestamp, v V, s *single) {
		record(mb, start, v, s.transport, s.object, s.ssrc, roleOf[s.role].direction, s.kind)
	}
}
