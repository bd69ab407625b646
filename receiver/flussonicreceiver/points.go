// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// Here is what becomes of what the server tells of one stream.

// streamPoint is a metric of a stream that is made of one field.
type streamPoint struct {
	field  streamField
	metric string
	sum    bool // counted since the stream was opened
	record func(mb *builder, now pcommon.Timestamp, v float64, stream string) bool

	total int // position of a sum among those of the stream
}

// streamPoints are the numbers of a stream.
var streamPoints = []streamPoint{
	numberOf(streamStatic, metadata.MetricsInfo.FlussonicStreamStatic.Name, (*builder).RecordFlussonicStreamStaticDataPoint),
	numberOf(streamAlive, metadata.MetricsInfo.FlussonicStreamAlive.Name, (*builder).RecordFlussonicStreamAliveDataPoint),
	numberOf(streamClients, metadata.MetricsInfo.FlussonicStreamClientCount.Name, (*builder).RecordFlussonicStreamClientCountDataPoint),
	gaugeOf(streamClientDelay, metadata.MetricsInfo.FlussonicStreamClientDelay.Name, 1000, ages, (*builder).RecordFlussonicStreamClientDelayDataPoint),
	totalBy(streamBytesIn, metadata.MetricsInfo.FlussonicStreamIo.Name, metadata.AttributeNetworkIoDirectionReceive, (*builder).RecordFlussonicStreamIoDataPoint),
	totalBy(streamBytesOut, metadata.MetricsInfo.FlussonicStreamIo.Name, metadata.AttributeNetworkIoDirectionTransmit, (*builder).RecordFlussonicStreamIoDataPoint),
	streamThroughput(streamInputKbit, kbit, metadata.AttributeNetworkIoDirectionReceive),
	streamThroughput(streamOutputBits, 1.0/8, metadata.AttributeNetworkIoDirectionTransmit),
	totalOf(streamRetries, metadata.MetricsInfo.FlussonicStreamRetries.Name, (*builder).RecordFlussonicStreamRetriesDataPoint),
	gaugeOf(streamErrorRate, metadata.MetricsInfo.FlussonicStreamInputErrorRate.Name, 1, errorRates, (*builder).RecordFlussonicStreamInputErrorRateDataPoint),
	gaugeOf(streamFrameDelay, metadata.MetricsInfo.FlussonicStreamFrameAge.Name, 1000, ages, (*builder).RecordFlussonicStreamFrameAgeDataPoint),
	gaugeOf(streamRunningAt, metadata.MetricsInfo.FlussonicStreamStartTime.Name, 1, moments, (*builder).RecordFlussonicStreamStartTimeDataPoint),
	gaugeOf(streamLifetime, metadata.MetricsInfo.FlussonicStreamUptime.Name, 1000, spans, (*builder).RecordFlussonicStreamUptimeDataPoint),
	numberOf(streamBackup, metadata.MetricsInfo.FlussonicStreamBackupActive.Name, (*builder).RecordFlussonicStreamBackupActiveDataPoint),
	gaugeOf(streamDepth, metadata.MetricsInfo.FlussonicStreamDvrDepth.Name, 1, spans, (*builder).RecordFlussonicStreamDvrDepthDataPoint),
	gaugeOf(streamDuration, metadata.MetricsInfo.FlussonicStreamDvrDuration.Name, 1, spans, (*builder).RecordFlussonicStreamDvrDurationDataPoint),
	numberOf(streamArchive, metadata.MetricsInfo.FlussonicStreamDvrArchiveSize.Name, (*builder).RecordFlussonicStreamDvrArchiveSizeDataPoint),
	numberOf(streamDisk, metadata.MetricsInfo.FlussonicStreamDvrDiskUsage.Name, (*builder).RecordFlussonicStreamDvrDiskUsageDataPoint),
	numberOf(streamTranscoding, metadata.MetricsInfo.FlussonicStreamTranscoderRunning.Name, (*builder).RecordFlussonicStreamTranscoderRunningDataPoint),
	numberOf(streamOverloaded, metadata.MetricsInfo.FlussonicStreamTranscoderOverloaded.Name, (*builder).RecordFlussonicStreamTranscoderOverloadedDataPoint),
	totalOf(streamRestarts, metadata.MetricsInfo.FlussonicStreamTranscoderRestarts.Name, (*builder).RecordFlussonicStreamTranscoderRestartsDataPoint),
	totalOf(streamTranscoded, metadata.MetricsInfo.FlussonicStreamTranscoderFrames.Name, (*builder).RecordFlussonicStreamTranscoderFramesDataPoint),
	numberOf(streamQualities, metadata.MetricsInfo.FlussonicStreamTranscoderQualityCount.Name, (*builder).RecordFlussonicStreamTranscoderQualityCountDataPoint),
	totalOf(streamFrames, metadata.MetricsInfo.FlussonicStreamInputFrames.Name, (*builder).RecordFlussonicStreamInputFramesDataPoint),
	totalOf(streamSwitches, metadata.MetricsInfo.FlussonicStreamInputSwitches.Name, (*builder).RecordFlussonicStreamInputSwitchesDataPoint),
	inputTime(streamOnPrimary, metadata.AttributeFlussonicInputKindPrimary),
	inputTime(streamOnSecondary, metadata.AttributeFlussonicInputKindSecondary),
	inputTime(streamOnNone, metadata.AttributeFlussonicInputKindNone),
	numberBy(streamValidInputs, metadata.MetricsInfo.FlussonicStreamInputSecondaryCount.Name, metadata.AttributeFlussonicInputStateValid, (*builder).RecordFlussonicStreamInputSecondaryCountDataPoint),
	numberBy(streamInvalidInputs, metadata.MetricsInfo.FlussonicStreamInputSecondaryCount.Name, metadata.AttributeFlussonicInputStateInvalid, (*builder).RecordFlussonicStreamInputSecondaryCountDataPoint),
	totalBy(streamResyncs, metadata.MetricsInfo.FlussonicStreamInputResyncs.Name, metadata.AttributeFlussonicResyncReasonNormal, (*builder).RecordFlussonicStreamInputResyncsDataPoint),
	totalBy(streamResyncJumps, metadata.MetricsInfo.FlussonicStreamInputResyncs.Name, metadata.AttributeFlussonicResyncReasonJump, (*builder).RecordFlussonicStreamInputResyncsDataPoint),
	totalBy(streamResyncDrifts, metadata.MetricsInfo.FlussonicStreamInputResyncs.Name, metadata.AttributeFlussonicResyncReasonDrift, (*builder).RecordFlussonicStreamInputResyncsDataPoint),
	gaugeOf(streamRoundTrip, metadata.MetricsInfo.FlussonicStreamInputSrtRoundTripTime.Name, 1000, ages, (*builder).RecordFlussonicStreamInputSrtRoundTripTimeDataPoint),
	totalBy(streamWritesFast, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeFast, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesSlow, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeSlow, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesDelayed, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeDelayed, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesCollapsed, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeCollapsed, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesFailed, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeFailed, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesSkipped, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeSkipped, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamWritesBroken, metadata.MetricsInfo.FlussonicStreamDvrSegmentWrites.Name, metadata.AttributeFlussonicDvrWriteOutcomeDiscontinuity, (*builder).RecordFlussonicStreamDvrSegmentWritesDataPoint),
	totalBy(streamReadsMissing, metadata.MetricsInfo.FlussonicStreamDvrSegmentReadFailures.Name, metadata.AttributeFlussonicDvrReadReasonEnoent, (*builder).RecordFlussonicStreamDvrSegmentReadFailuresDataPoint),
	totalBy(streamReadsFailed, metadata.MetricsInfo.FlussonicStreamDvrSegmentReadFailures.Name, metadata.AttributeFlussonicDvrReadReasonFailed, (*builder).RecordFlussonicStreamDvrSegmentReadFailuresDataPoint),
	totalBy(streamAuthorizations, metadata.MetricsInfo.FlussonicStreamPlayAuthorizations.Name, metadata.AttributeFlussonicOutcomeSuccess, (*builder).RecordFlussonicStreamPlayAuthorizationsDataPoint),
	totalBy(streamAuthorizationsFailed, metadata.MetricsInfo.FlussonicStreamPlayAuthorizations.Name, metadata.AttributeFlussonicOutcomeFailed, (*builder).RecordFlussonicStreamPlayAuthorizationsDataPoint),
	totalBy(streamAuthorizationsDenied, metadata.MetricsInfo.FlussonicStreamPlayAuthorizations.Name, metadata.AttributeFlussonicOutcomeDenied, (*builder).RecordFlussonicStreamPlayAuthorizationsDataPoint),
	totalBy(streamAuthorizationsRefused, metadata.MetricsInfo.FlussonicStreamPlayAuthorizations.Name, metadata.AttributeFlussonicOutcomeDeclined, (*builder).RecordFlussonicStreamPlayAuthorizationsDataPoint),
}

// gaugeOf makes a metric of a quotient within bounds.
func gaugeOf(f streamField, metric string, divisor float64, within bounds, record func(*builder, pcommon.Timestamp, float64, string)) streamPoint {
	return streamPoint{field: f, metric: metric, record: func(mb *builder, now pcommon.Timestamp, v float64, stream string) bool {
		v /= divisor
		if within.has(v) {
			record(mb, now, v, stream)
		}
		return within.has(v)
	}}
}

// numberOf makes a metric of what there is now.
func numberOf(f streamField, metric string, record func(*builder, pcommon.Timestamp, int64, string)) streamPoint {
	return streamPoint{field: f, metric: metric, record: func(mb *builder, now pcommon.Timestamp, v float64, stream string) bool {
		n, ok := wholeNumber(v)
		if ok {
			record(mb, now, n, stream)
		}
		return ok
	}}
}

// totalOf makes a metric of what is counted.
func totalOf(f streamField, metric string, record func(*builder, pcommon.Timestamp, int64, string)) streamPoint {
	p := numberOf(f, metric, record)
	p.sum = true
	return p
}

// numberBy is numberOf with one more attribute, and totalBy is totalOf with one.
func numberBy[A any](f streamField, metric string, attribute A, record func(*builder, pcommon.Timestamp, int64, string, A)) streamPoint {
	return numberOf(f, metric, func(mb *builder, now pcommon.Timestamp, n int64, stream string) {
		record(mb, now, n, stream, attribute)
	})
}

func totalBy[A any](f streamField, metric string, attribute A, record func(*builder, pcommon.Timestamp, int64, string, A)) streamPoint {
	p := numberBy(f, metric, attribute, record)
	p.sum = true
	return p
}

func inputTime(f streamField, kind metadata.AttributeFlussonicInputKind) streamPoint {
	p := gaugeOf(f, metadata.MetricsInfo.FlussonicStreamInputTime.Name, 1, spans, func(mb *builder, now pcommon.Timestamp, v float64, stream string) {
		mb.RecordFlussonicStreamInputTimeDataPoint(now, v, stream, kind)
	})
	p.sum = true
	return p
}

// streamThroughput makes a metric of a rate in a unit of so many bytes per second.
func streamThroughput(f streamField, unit float64, direction metadata.AttributeNetworkIoDirection) streamPoint {
	record := func(mb *builder, now pcommon.Timestamp, v float64, stream string) bool {
		v *= unit
		if throughputs.has(v) {
			mb.RecordFlussonicStreamThroughputDataPoint(now, v, stream, direction)
		}
		return throughputs.has(v)
	}
	return streamPoint{field: f, metric: metadata.MetricsInfo.FlussonicStreamThroughput.Name, record: record}
}

// groupMetrics are the metrics that are made of groups.
var groupMetrics = map[string]streamGroup{
	metadata.MetricsInfo.FlussonicStreamInputErrors.Name:             groupInputErrors,
	metadata.MetricsInfo.FlussonicStreamPlaySessionCount.Name:        groupOpened,
	metadata.MetricsInfo.FlussonicStreamPlaySessionCreations.Name:    groupPlays,
	metadata.MetricsInfo.FlussonicStreamPlayIo.Name:                  groupBytes,
	metadata.MetricsInfo.FlussonicStreamPlayResponses.Name:           groupAnswers,
	metadata.MetricsInfo.FlussonicStreamPlayResponsesByDuration.Name: groupAnswers,
	metadata.MetricsInfo.FlussonicStreamDvrSegmentReads.Name:         groupReads,
	metadata.MetricsInfo.FlussonicStreamInputActive.Name:             groupInputs,
	metadata.MetricsInfo.FlussonicStreamPushIo.Name:                  groupPushes,
	metadata.MetricsInfo.FlussonicStreamPushRetries.Name:             groupPushes,
	metadata.MetricsInfo.FlussonicStreamPushState.Name:               groupPushes,
	metadata.MetricsInfo.FlussonicStreamTrackCount.Name:              groupTracks,
}

// groupNames say in the log what the entries of a group are.
var groupNames = [streamGroups]string{
	groupInputErrors: "errors of an input",
	groupOpened:      "play_opened_sessions_by_proto",
	groupPlays:       "play_total_sessions_by_proto",
	groupBytes:       "play_bytes_by_proto",
	groupAnswers:     "answers to viewers",
	groupReads:       "dvr_read_performance",
}

// entryPoints record an entry of a group; they return the metric if it is a sum that has been recorded.
var entryPoints = [streamGroups]func(mb *builder, now pcommon.Timestamp, n int64, stream, name string) (sum string){
	groupInputErrors: func(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
		mb.RecordFlussonicStreamInputErrorsDataPoint(now, n, stream, strings.TrimPrefix(name, inputErrors))
		return metadata.MetricsInfo.FlussonicStreamInputErrors.Name
	},
	groupOpened: func(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
		mb.RecordFlussonicStreamPlaySessionCountDataPoint(now, n, stream, name)
		return ""
	},
	groupPlays: func(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
		mb.RecordFlussonicStreamPlaySessionCreationsDataPoint(now, n, stream, name)
		return metadata.MetricsInfo.FlussonicStreamPlaySessionCreations.Name
	},
	groupBytes: func(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
		mb.RecordFlussonicStreamPlayIoDataPoint(now, n, stream, name)
		return metadata.MetricsInfo.FlussonicStreamPlayIo.Name
	},
	groupAnswers: recordAnswers,
	groupReads:   recordReads,
}

// responseClasses and responseDurations are how the names of answers end.
var (
	responseClasses = map[string]metadata.AttributeFlussonicResponseClass{
		"200": metadata.AttributeFlussonicResponseClass2xx,
		"400": metadata.AttributeFlussonicResponseClass4xx,
		"500": metadata.AttributeFlussonicResponseClass5xx,
	}
	responseDurations = map[string]metadata.AttributeFlussonicResponseDuration{
		"100ms":  metadata.AttributeFlussonicResponseDuration100ms,
		"500ms":  metadata.AttributeFlussonicResponseDuration500ms,
		"1000ms": metadata.AttributeFlussonicResponseDuration1000ms,
		"longms": metadata.AttributeFlussonicResponseDurationLonger,
	}
)

func recordAnswers(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
	name = strings.TrimPrefix(name, answersPrefix)
	if what, status, ok := strings.Cut(name, answersByStatus); ok {
		class, known := responseClasses[status]
		if !known {
			return ""
		}
		protocol, resource := splitAnswer(what)
		mb.RecordFlussonicStreamPlayResponsesDataPoint(now, n, stream, protocol, resource, class)
		return metadata.MetricsInfo.FlussonicStreamPlayResponses.Name
	}
	what, time, _ := strings.Cut(name, answersByTime)
	duration, known := responseDurations[time]
	if !known {
		return ""
	}
	protocol, resource := splitAnswer(what)
	mb.RecordFlussonicStreamPlayResponsesByDurationDataPoint(now, n, stream, protocol, resource, duration)
	return metadata.MetricsInfo.FlussonicStreamPlayResponsesByDuration.Name
}

// otherProtocol stands for that of answers whose names have none.
const otherProtocol = "other"

// splitAnswer tells the protocol from the resource: hls_segment, ll_hls_playlist, other, preview.
func splitAnswer(what string) (protocol string, resource metadata.AttributeFlussonicResource) {
	if resource, known := metadata.MapAttributeFlussonicResource[what]; known {
		return otherProtocol, resource
	}
	if at := strings.LastIndexByte(what, '_'); at > 0 {
		if resource, known := metadata.MapAttributeFlussonicResource[what[at+1:]]; known {
			return what[:at], resource
		}
	}
	return what, metadata.AttributeFlussonicResourceOther
}

func recordReads(mb *builder, now pcommon.Timestamp, n int64, stream, name string) string {
	how, where, _ := strings.Cut(name, ".")
	outcome := metadata.MapAttributeFlussonicDvrReadOutcome[how]
	source, known := metadata.MapAttributeFlussonicDvrReadSource[where]
	if !known {
		return ""
	}
	mb.RecordFlussonicStreamDvrSegmentReadsDataPoint(now, n, stream, outcome, source)
	return metadata.MetricsInfo.FlussonicStreamDvrSegmentReads.Name
}

// entryKey identifies an entry of a stream, or a number of one of its inputs or pushes.
type entryKey struct {
	group streamGroup
	name  string
	part  int
}

// recordEntries records the numbers with names of the server's own. Of two whose names become equal the first counts.
func (s *streams) recordEntries(now pcommon.Timestamp, st *streamState, row *stream) {
	clear(s.seen)
	for i := range row.Entries {
		e := &row.Entries[i]
		n, ok := s.count(groupNames[e.Group], e.Value)
		key := entryKey{group: e.Group, name: selection.Name(e.Name)}
		if !ok || s.seen[key] {
			continue
		}
		s.seen[key] = true
		if sum := entryPoints[e.Group](s.mb, now, n, st.name, key.name); sum != "" {
			s.starts.Add(sum, st.counter(key).StartSince(st.start, n, now), now)
		}
	}
}

// trackKinds are the values of content that have a kind of their own.
var trackKinds = []struct {
	content string
	kind    metadata.AttributeFlussonicMediaKind
}{
	{"video", metadata.AttributeFlussonicMediaKindVideo},
	{"audio", metadata.AttributeFlussonicMediaKindAudio},
	{"text", metadata.AttributeFlussonicMediaKindText},
}

// recordParts records the inputs, pushes and tracks of a stream.
func (s *streams) recordParts(now pcommon.Timestamp, st *streamState, row *stream) {
	for i, input := range row.Inputs {
		if active, ok := input.Get(); ok {
			s.mb.RecordFlussonicStreamInputActiveDataPoint(now, scrape.Number(active), st.name, int64(i))
		}
	}
	for i := range row.Pushes {
		s.recordPush(now, st, int64(i), &row.Pushes[i])
	}
	other := int64(len(row.Tracks))
	for _, k := range trackKinds {
		n := int64(0)
		for _, content := range row.Tracks {
			n += scrape.Number(bytes.Equal(content, []byte(k.content)))
		}
		if other -= n; n > 0 {
			s.mb.RecordFlussonicStreamTrackCountDataPoint(now, n, st.name, k.kind)
		}
	}
	if other > 0 {
		s.mb.RecordFlussonicStreamTrackCountDataPoint(now, other, st.name, metadata.AttributeFlussonicMediaKindOther)
	}
	s.over[metadata.AttributeRtcEntityInput] += row.InputsOver
	s.over[metadata.AttributeRtcEntityPush] += row.PushesOver
}

// pushStates are the states of a push; to range over the generated map takes longer than to record it.
var pushStates = slices.Sorted(maps.Values(metadata.MapAttributeFlussonicPushState))

func (s *streams) recordPush(now pcommon.Timestamp, st *streamState, index int64, p *push) {
	if len(p.Status) > 0 {
		current, known := metadata.MapAttributeFlussonicPushState[string(p.Status)]
		if !known {
			current = metadata.AttributeFlussonicPushStateUnknown
		}
		for _, state := range pushStates {
			s.mb.RecordFlussonicStreamPushStateDataPoint(now, scrape.Number(state == current), st.name, index, state)
		}
	}
	start := st.start
	if at, ok := s.server.began("opened_at of a push", p.OpenedAt); ok {
		start = timestamp(at)
	}
	for _, sum := range []struct {
		metric string
		value  number
		record func(*builder, pcommon.Timestamp, int64, string, int64)
	}{
		{metadata.MetricsInfo.FlussonicStreamPushIo.Name, p.Bytes, (*builder).RecordFlussonicStreamPushIoDataPoint},
		{metadata.MetricsInfo.FlussonicStreamPushRetries.Name, either(p.Restarts, p.Retries), (*builder).RecordFlussonicStreamPushRetriesDataPoint},
	} {
		if n, ok := s.count(sum.metric, sum.value); ok {
			sum.record(s.mb, now, n, st.name, index)
			counter := st.counter(entryKey{group: groupPushes, name: sum.metric, part: int(index)})
			s.starts.Add(sum.metric, counter.StartSince(start, n, now), now)
		}
	}
}
