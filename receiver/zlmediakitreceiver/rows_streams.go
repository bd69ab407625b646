// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

type (
	schemaAttribute = metadata.AttributeZlmediakitSchema
	originType      = metadata.AttributeZlmediakitOriginType
	mediaKind       = metadata.AttributeZlmediakitMediaKind
	streamState     = metadata.AttributeZlmediakitStreamState
	recordingFormat = metadata.AttributeZlmediakitRecordingFormat
)

// streamTables are the tables whose values come only from the media list.
var streamTables = []any{
	streamRows, streamAlive, streamStatePoint, streamCountByState, streamSilence, streamUptime,
	streamIO, sourceRows, streamInfoPoint, trackSums, trackRows, trackFrameRate,
	streamCount, recordingCount, ingestIO, ingestThroughput, mediaSourceCount, egressIO, egressThroughput,
}

// These need no call.
var (
	mediaListInterval = rows.Decimal((*generated).RecordZlmediakitMediaListIntervalDataPoint)
	mediaListAge      = rows.Decimal((*generated).RecordZlmediakitMediaListAgeDataPoint)
)

// Values that all schemas of a stream have in common.
var (
	streamRows = []row[mediaSource, *streamName]{
		{func(m *mediaSource) number { return m.TotalReaders }, rows.WholeOf(ofStream((*generated).RecordZlmediakitStreamReaderCountDataPoint))},
		{func(m *mediaSource) number { return yesNo(m.RecordingMP4) }, recordingOf(metadata.AttributeZlmediakitRecordingFormatMp4)},
		{func(m *mediaSource) number { return yesNo(m.RecordingHLS) }, recordingOf(metadata.AttributeZlmediakitRecordingFormatHls)},
	}
	streamAlive      = rows.WholeOf(ofStream((*generated).RecordZlmediakitStreamAliveDataPoint))
	streamStatePoint = rows.WholeOf(func(mb *generated, start timestamp, n int64, s streamInState) {
		mb.RecordZlmediakitStreamStateDataPoint(start, n, s.vhost, s.app, s.stream, s.state)
	})
	streamCountByState = rows.WholeOf((*generated).RecordZlmediakitStreamCountByStateDataPoint)
	streamSilence      = rows.DecimalOf(ofStream((*generated).RecordZlmediakitStreamSilenceDurationDataPoint))
	streamUptime       = rows.DecimalOf(ofStream((*generated).RecordZlmediakitStreamUptimeDataPoint))
)

// streamInState is a stream in one of the states.
type streamInState struct {
	streamName
	state streamState
}

func recordingOf(format recordingFormat) rows.Point[*generated, *streamName] {
	return rows.WholeOf(rows.WithLast(ofStreamAnd((*generated).RecordZlmediakitStreamRecordingActiveDataPoint), format))
}

func ofStream[V any](record func(*generated, timestamp, V, string, string, string)) func(*generated, timestamp, V, *streamName) {
	return func(mb *generated, start timestamp, v V, s *streamName) {
		record(mb, start, v, s.vhost, s.app, s.stream)
	}
}

// ofStreamAnd is ofStream for a metric with one more attribute.
func ofStreamAnd[V, A any](record func(*generated, timestamp, V, string, string, string, A)) func(*generated, timestamp, V, *streamName, A) {
	return func(mb *generated, start timestamp, v V, s *streamName, a A) {
		record(mb, start, v, s.vhost, s.app, s.stream, a)
	}
}

// sourceID identifies a stream in one schema.
type sourceID struct {
	streamName
	schema schemaAttribute
}

// streamInfo describes a stream in one schema.
type streamInfo struct {
	sourceID
	origin  originType
	url, ip string
}

// Values of one stream in one schema.
var (
	sourceRows = []row[mediaSource, *sourceID]{
		{func(m *mediaSource) number { return m.BytesSpeed }, rows.DecimalOf(ofSource((*generated).RecordZlmediakitStreamThroughputDataPoint))},
		{func(m *mediaSource) number { return m.Readers }, rows.WholeOf(ofSource((*generated).RecordZlmediakitStreamReaderCountBySchemaDataPoint))},
		{func(m *mediaSource) number { return m.CreateStamp }, rows.DecimalOf(ofSource((*generated).RecordZlmediakitStreamStartTimeDataPoint))},
		{func(m *mediaSource) number { return m.AliveSeconds }, rows.DecimalOf(ofSource((*generated).RecordZlmediakitStreamUptimeBySchemaDataPoint))},
	}
	streamIO        = rows.WholeOf(ofSource((*generated).RecordZlmediakitStreamIoDataPoint))
	streamInfoPoint = rows.WholeOf(func(mb *generated, start timestamp, n int64, i *streamInfo) {
		mb.RecordZlmediakitStreamInfoDataPoint(start, n, i.vhost, i.app, i.stream, i.schema, i.origin, i.url, i.ip)
	})
)

func ofSource[V any](record func(*generated, timestamp, V, string, string, string, schemaAttribute)) func(*generated, timestamp, V, *sourceID) {
	return func(mb *generated, start timestamp, v V, s *sourceID) {
		record(mb, start, v, s.vhost, s.app, s.stream, s.schema)
	}
}

// trackID identifies a track of a stream.
type trackID struct {
	streamName
	index int64
	kind  mediaKind
	codec string
}

var (
	// trackSums start with the registration of the stream.
	trackSums = []row[track, *trackID]{
		{func(t *track) number { return t.Frames }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackFramesDataPoint))},
		{func(t *track) number { return t.KeyFrames }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackKeyFramesDataPoint))},
		{func(t *track) number { return t.Duration }, rows.DecimalOf(ofTrack((*generated).RecordZlmediakitStreamTrackTimeDataPoint)).In(rows.Milliseconds)},
	}
	trackRows = []row[track, *trackID]{
		{func(t *track) number { return yesNo(t.Ready) }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackReadyDataPoint))},
		{func(t *track) number { return t.GOPSize }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackGopSizeDataPoint))},
		{func(t *track) number { return t.GOPInterval }, rows.DecimalOf(ofTrack((*generated).RecordZlmediakitStreamTrackGopDurationDataPoint)).In(rows.Milliseconds)},
		{func(t *track) number { return t.Width }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackWidthDataPoint))},
		{func(t *track) number { return t.Height }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackHeightDataPoint))},
		{func(t *track) number { return t.SampleRate }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackSampleRateDataPoint))},
		{func(t *track) number { return t.Channels }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackChannelCountDataPoint))},
		{func(t *track) number { return t.SampleBits }, rows.WholeOf(ofTrack((*generated).RecordZlmediakitStreamTrackSampleDepthDataPoint))},
	}
	trackFrameRate = rows.DecimalOf(ofTrack((*generated).RecordZlmediakitStreamTrackFrameRateDataPoint))
)

func ofTrack[V any](record func(*generated, timestamp, V, string, string, string, int64, mediaKind, string)) func(*generated, timestamp, V, *trackID) {
	return func(mb *generated, start timestamp, v V, t *trackID) {
		record(mb, start, v, t.vhost, t.app, t.stream, t.index, t.kind, t.codec)
	}
}

// streamGroup is a group in which streams are counted.
type streamGroup struct {
	origin     originType
	vhost, app string
}

// Sums over all streams.
var (
	streamCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, g streamGroup) {
		mb.RecordZlmediakitStreamCountDataPoint(start, n, g.origin, g.vhost, g.app)
	})
	recordingCount   = rows.WholeOf((*generated).RecordZlmediakitStreamRecordingCountDataPoint)
	ingestIO         = rows.WholeOf((*generated).RecordZlmediakitIngestIoDataPoint)
	ingestThroughput = rows.DecimalOf((*generated).RecordZlmediakitIngestThroughputDataPoint)
	mediaSourceCount = rows.WholeOf((*generated).RecordZlmediakitMediaSourceCountDataPoint)
	egressIO         = rows.WholeOf((*generated).RecordZlmediakitEgressIoDataPoint)
	egressThroughput = rows.DecimalOf((*generated).RecordZlmediakitEgressThroughputDataPoint)
)

// packetLoss holds the origins whose packet loss has a known unit.
var packetLoss = map[originType]rows.Point[*generated, *streamName]{
	metadata.AttributeZlmediakitOriginTypeRtpPush: lossOf(metadata.AttributeZlmediakitOriginTypeRtpPush).In(rows.Percent),
	metadata.AttributeZlmediakitOriginTypeRtcPush: lossOf(metadata.AttributeZlmediakitOriginTypeRtcPush).In(rows.Percent),
	metadata.AttributeZlmediakitOriginTypePull:    lossOf(metadata.AttributeZlmediakitOriginTypePull),
}

func lossOf(origin originType) rows.Point[*generated, *streamName] {
	return rows.DecimalOf(rows.WithLast(ofStreamAnd((*generated).RecordZlmediakitStreamPacketLossDataPoint), origin)).Except(-1)
}

// RTP senders of a stream.
var (
	senderCount      = rows.WholeOf(ofStream((*generated).RecordZlmediakitRtpSenderCountDataPoint))
	senderIO         = rows.WholeOf(ofStream((*generated).RecordZlmediakitRtpSenderIoDataPoint))
	senderThroughput = rows.DecimalOf(ofStream((*generated).RecordZlmediakitRtpSenderThroughputDataPoint))
	senderTables     = []any{senderCount, senderIO, senderThroughput}
)

// schemaAttributes follows the order of schemaNames.
var schemaAttributes = [schemaOther + 1]schemaAttribute{
	metadata.AttributeZlmediakitSchemaRtsp,
	metadata.AttributeZlmediakitSchemaRtmp,
	metadata.AttributeZlmediakitSchemaTs,
	metadata.AttributeZlmediakitSchemaFmp4,
	metadata.AttributeZlmediakitSchemaHls,
	metadata.AttributeZlmediakitSchemaHlsFmp4,
	metadata.AttributeZlmediakitSchemaOther,
}

// nativeSchemas are the schemas whose bytes are closest to those of a stream's origin.
var nativeSchemas = map[originType]int{
	metadata.AttributeZlmediakitOriginTypeRtmpPush:   schemaRTMP,
	metadata.AttributeZlmediakitOriginTypeFfmpegPull: schemaRTMP,
	metadata.AttributeZlmediakitOriginTypeRtspPush:   schemaRTSP,
	metadata.AttributeZlmediakitOriginTypeRtcPush:    schemaRTSP,
	metadata.AttributeZlmediakitOriginTypeRtpPush:    schemaTS,
	metadata.AttributeZlmediakitOriginTypeSrtPush:    schemaTS,
	metadata.AttributeZlmediakitOriginTypeMp4Vod:     schemaFMP4,
}
