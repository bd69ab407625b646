// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

type (
	mediaKind  = metadata.AttributeMediasoupMediaKind
	streamType = metadata.AttributeMediasoupStreamType

	lossBound          = metadata.AttributeMediasoupPacketLossBound
	jitterBound        = metadata.AttributeMediasoupJitterBound
	roundTripTimeBound = metadata.AttributeMediasoupRoundTripTimeBound
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

// bucket is a range of values up to a bound. It begins above the bound of the previous bucket.
type bucket[A any] struct {
	bound     float64
	attribute A
}

// bucketOf holds the attributes of the number of streams in a bucket.
type bucketOf[A any] struct {
	kind      mediaKind
	attribute A
}

// The buckets of streams by value.
var (
	scoreBuckets         = scores()
	lossBuckets          = buckets(metadata.MapAttributeMediasoupPacketLossBound)
	jitterBuckets        = buckets(metadata.MapAttributeMediasoupJitterBound)
	roundTripTimeBuckets = buckets(metadata.MapAttributeMediasoupRoundTripTimeBound)
)

// scores returns a bucket for each score.
func scores() (all []bucket[int64]) {
	for score := range int64(maxScore + 1) {
		all = append(all, bucket[int64]{float64(score), score})
	}
	return all
}

// buckets returns the buckets of an attribute whose values are their bounds, in ascending order.
func buckets[A any](values map[string]A) (all []bucket[A]) {
	for text, value := range values {
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		all = append(all, bucket[A]{bound, value})
	}
	slices.SortFunc(all, func(a, b bucket[A]) int { return cmp.Compare(a.bound, b.bound) })
	return all
}

// distributionRows map the numbers of streams by bucket. Only streams of participants are counted.
type distributionRows struct {
	Scores         point[bucketOf[int64]]
	Losses         point[bucketOf[lossBound]]
	Jitters        point[bucketOf[jitterBound]]
	RoundTripTimes point[bucketOf[roundTripTimeBound]]
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
	Distributions    distributionRows
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
		Count: rows.WholeOf(ofObjects((*generated).RecordMediasoupProducerCountDataPoint)),
		Measured: measuredRoleRows{
			Sums: [streamCounters]point[streamGroup]{
				streamBytes:         rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerIoDataPoint)),
				streamPackets:       rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerPacketsDataPoint)),
				streamLost:          rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerLostPacketsDataPoint)).Signed(),
				streamLosses:        rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerPacketLossesDataPoint)),
				streamRetransmitted: rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerRetransmittedPacketsDataPoint)),
				streamDiscarded:     rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerDiscardedPacketsDataPoint)),
				streamRepaired:      rows.WholeOf(ofStreams((*generated).RecordMediasoupProducerRepairedPacketsDataPoint)),
			},
			SumsByKind: [streamCounters]point[mediaKind]{
				streamNACKs:         rows.WholeOf(rows.WithLast((*generated).RecordMediasoupProducerRtcpMessagesDataPoint, nack)),
				streamPLIs:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupProducerRtcpMessagesDataPoint, pli)),
				streamFIRs:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupProducerRtcpMessagesDataPoint, fir)),
				streamNACKedPackets: rows.WholeOf((*generated).RecordMediasoupProducerRtcpNackedPacketsDataPoint),
			},
			Silent:  rows.WholeOf((*generated).RecordMediasoupProducerSilentCountDataPoint),
			Streams: rows.WholeOf((*generated).RecordMediasoupProducerStreamCountDataPoint),
			Distributions: distributionRows{
				Scores:         rows.WholeOf(ofBuckets((*generated).RecordMediasoupProducerStreamCountByScoreDataPoint)),
				Losses:         rows.WholeOf(ofBuckets((*generated).RecordMediasoupProducerStreamCountByPacketLossDataPoint)),
				Jitters:        rows.WholeOf(ofBuckets((*generated).RecordMediasoupProducerStreamCountByJitterDataPoint)),
				RoundTripTimes: rows.WholeOf(ofBuckets((*generated).RecordMediasoupProducerStreamCountByRoundTripTimeDataPoint)),
			},
			Figures: [figureCount]figureRows[mediaKind]{
				figureScore:         figures(rows.Unit{}, (*generated).RecordMediasoupProducerScoreAverageDataPoint, (*generated).RecordMediasoupProducerScoreMinDataPoint, nil),
				figureLoss:          figures(rows.Per256, (*generated).RecordMediasoupProducerPacketLossAverageDataPoint, nil, (*generated).RecordMediasoupProducerPacketLossMaxDataPoint),
				figureJitter:        figures(rows.Unit{}, (*generated).RecordMediasoupProducerJitterAverageDataPoint, nil, (*generated).RecordMediasoupProducerJitterMaxDataPoint),
				figureRoundTripTime: figures(rows.Milliseconds, (*generated).RecordMediasoupProducerRoundTripTimeAverageDataPoint, nil, (*generated).RecordMediasoupProducerRoundTripTimeMaxDataPoint),
			},
			Throughput: rows.DecimalOf(ofFlow((*generated).RecordMediasoupProducerThroughputDataPoint)).In(rows.Bits),
			StreamThroughput: figures(rows.Bits,
				ofFlow((*generated).RecordMediasoupProducerStreamThroughputAverageDataPoint),
				ofFlow((*generated).RecordMediasoupProducerStreamThroughputMinDataPoint),
				ofFlow((*generated).RecordMediasoupProducerStreamThroughputMaxDataPoint)),
		},
	},
	consumers: {
		Count:        rows.WholeOf(ofObjects((*generated).RecordMediasoupConsumerCountDataPoint)),
		CountByLayer: rows.WholeOf(ofLayers((*generated).RecordMediasoupConsumerCountByLayerDataPoint)),
		Measured: measuredRoleRows{
			Sums: [streamCounters]point[streamGroup]{
				streamBytes:         rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerIoDataPoint)),
				streamPackets:       rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerPacketsDataPoint)),
				streamLost:          rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerLostPacketsDataPoint)).Signed(),
				streamLosses:        rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerPacketLossesDataPoint)),
				streamRetransmitted: rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerRetransmittedPacketsDataPoint)),
				streamDiscarded:     rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerDiscardedPacketsDataPoint)),
				streamRepaired:      rows.WholeOf(ofStreams((*generated).RecordMediasoupConsumerRepairedPacketsDataPoint)),
			},
			SumsByKind: [streamCounters]point[mediaKind]{
				streamNACKs:         rows.WholeOf(rows.WithLast((*generated).RecordMediasoupConsumerRtcpMessagesDataPoint, nack)),
				streamPLIs:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupConsumerRtcpMessagesDataPoint, pli)),
				streamFIRs:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupConsumerRtcpMessagesDataPoint, fir)),
				streamNACKedPackets: rows.WholeOf((*generated).RecordMediasoupConsumerRtcpNackedPacketsDataPoint),
			},
			Silent:  rows.WholeOf((*generated).RecordMediasoupConsumerSilentCountDataPoint),
			Streams: rows.WholeOf((*generated).RecordMediasoupConsumerStreamCountDataPoint),
			Distributions: distributionRows{
				Scores:         rows.WholeOf(ofBuckets((*generated).RecordMediasoupConsumerStreamCountByScoreDataPoint)),
				Losses:         rows.WholeOf(ofBuckets((*generated).RecordMediasoupConsumerStreamCountByPacketLossDataPoint)),
				Jitters:        rows.WholeOf(ofBuckets((*generated).RecordMediasoupConsumerStreamCountByJitterDataPoint)),
				RoundTripTimes: rows.WholeOf(ofBuckets((*generated).RecordMediasoupConsumerStreamCountByRoundTripTimeDataPoint)),
			},
			Figures: [figureCount]figureRows[mediaKind]{
				figureScore:         figures(rows.Unit{}, (*generated).RecordMediasoupConsumerScoreAverageDataPoint, (*generated).RecordMediasoupConsumerScoreMinDataPoint, nil),
				figureLoss:          figures(rows.Per256, (*generated).RecordMediasoupConsumerPacketLossAverageDataPoint, nil, (*generated).RecordMediasoupConsumerPacketLossMaxDataPoint),
				figureJitter:        figures(rows.Unit{}, (*generated).RecordMediasoupConsumerJitterAverageDataPoint, nil, (*generated).RecordMediasoupConsumerJitterMaxDataPoint),
				figureRoundTripTime: figures(rows.Milliseconds, (*generated).RecordMediasoupConsumerRoundTripTimeAverageDataPoint, nil, (*generated).RecordMediasoupConsumerRoundTripTimeMaxDataPoint),
			},
			Throughput: rows.DecimalOf(ofFlow((*generated).RecordMediasoupConsumerThroughputDataPoint)).In(rows.Bits),
			StreamThroughput: figures(rows.Bits,
				ofFlow((*generated).RecordMediasoupConsumerStreamThroughputAverageDataPoint),
				ofFlow((*generated).RecordMediasoupConsumerStreamThroughputMinDataPoint),
				ofFlow((*generated).RecordMediasoupConsumerStreamThroughputMaxDataPoint)),
		},
	},
}

// singleRows map single streams.
var singleRows = struct{ IO, LostPackets, Score, Throughput, RoundTripTime point[*single] }{
	IO:            rows.WholeOf(ofSingle((*generated).RecordMediasoupStreamIoDataPoint)),
	LostPackets:   rows.WholeOf(ofSingle((*generated).RecordMediasoupStreamLostPacketsDataPoint)).Signed(),
	Score:         rows.WholeOf(ofSingle((*generated).RecordMediasoupStreamScoreDataPoint)),
	Throughput:    rows.DecimalOf(ofSingle((*generated).RecordMediasoupStreamThroughputDataPoint)).In(rows.Bits),
	RoundTripTime: rows.DecimalOf(ofSingle((*generated).RecordMediasoupStreamRoundTripTimeDataPoint)).In(rows.Milliseconds),
}

// The functions below take the attributes of a metric from a group.

func ofObjects(record func(*generated, timestamp, int64, mediaKind, streamType, transportType, bool)) func(*generated, timestamp, int64, objectGroup) {
	return func(mb *generated, start timestamp, n int64, g objectGroup) {
		record(mb, start, n, g.kind, g.streams, g.transport, g.paused)
	}
}

func ofStreams(record func(*generated, timestamp, int64, mediaKind, string, transportType)) func(*generated, timestamp, int64, streamGroup) {
	return func(mb *generated, start timestamp, n int64, g streamGroup) {
		record(mb, start, n, g.kind, g.codec, g.transport)
	}
}

func ofFlow(record func(*generated, timestamp, float64, mediaKind, transportType)) func(*generated, timestamp, float64, flow) {
	return func(mb *generated, start timestamp, v float64, f flow) { record(mb, start, v, f.kind, f.transport) }
}

func ofBuckets[A any](record func(*generated, timestamp, int64, mediaKind, A)) func(*generated, timestamp, int64, bucketOf[A]) {
	return func(mb *generated, start timestamp, n int64, of bucketOf[A]) {
		record(mb, start, n, of.kind, of.attribute)
	}
}

func ofLayers(record func(*generated, timestamp, int64, int64, int64)) func(*generated, timestamp, int64, layers) {
	return func(mb *generated, start timestamp, n int64, l layers) { record(mb, start, n, l.spatial, l.temporal) }
}

func ofSingle[V any](record func(*generated, timestamp, V, string, string, int64, direction, mediaKind)) func(*generated, timestamp, V, *single) {
	return func(mb *generated, start timestamp, v V, s *single) {
		record(mb, start, v, s.transport, s.object, s.ssrc, roleOf[s.role].direction, s.kind)
	}
}
