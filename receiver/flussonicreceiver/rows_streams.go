// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// streamPoint is a point whose attributes are the name of a stream and fixed ones.
type streamPoint = rows.Point[*generated, string]

// streamRow maps a number of a stream to a metric.
type streamRow struct {
	Field streamField
	Point streamPoint
}

// streamRows are the rows for the numbers of a stream.
var streamRows = []streamRow{
	{streamStatic, rows.WholeOf((*generated).RecordFlussonicStreamStaticDataPoint)},
	{streamAlive, streamAliveness},
	{streamClients, rows.WholeOf((*generated).RecordFlussonicStreamClientCountDataPoint)},
	{streamClientDelay, rows.DecimalOf((*generated).RecordFlussonicStreamClientDelayDataPoint).In(rows.Milliseconds).Within(0, maxDelay)},
	{streamBytesIn, countBy((*generated).RecordFlussonicStreamIoDataPoint, receive)},
	{streamBytesOut, countBy((*generated).RecordFlussonicStreamIoDataPoint, transmit)},
	{streamInputKbit, streamThroughput(receive).In(rows.Kilobits)},
	{streamOutputBits, streamThroughput(transmit).In(rows.Bits)},
	{streamOutputKbit, streamThroughput(transmit).In(rows.Kilobits)},
	{streamRetries, rows.WholeOf((*generated).RecordFlussonicStreamRetriesDataPoint)},
	{streamErrors, rows.WholeOf((*generated).RecordFlussonicStreamInputErrorsDataPoint)},
	{streamErrorsPerMinute, streamInputErrorRate.In(rows.PerMinute)},
	{streamErrorsPerSecond, streamInputErrorRate},
	{streamFrameDelay, rows.DecimalOf((*generated).RecordFlussonicStreamFrameAgeDataPoint).In(rows.Milliseconds).Within(0, maxDelay)},
	{streamRunningAt, rows.DecimalOf((*generated).RecordFlussonicStreamStartTimeDataPoint)},
	{streamLifetime, rows.DecimalOf((*generated).RecordFlussonicStreamUptimeDataPoint).In(rows.Milliseconds).Within(0, maxDuration)},
	{streamBackup, rows.WholeOf((*generated).RecordFlussonicStreamBackupActiveDataPoint)},
	{streamDepth, rows.DecimalOf((*generated).RecordFlussonicStreamDvrDepthDataPoint).Within(0, maxDuration)},
	{streamDuration, rows.DecimalOf((*generated).RecordFlussonicStreamDvrDurationDataPoint).Within(0, maxDuration)},
	{streamArchive, rows.WholeOf((*generated).RecordFlussonicStreamDvrArchiveSizeDataPoint)},
	{streamDisk, rows.WholeOf((*generated).RecordFlussonicStreamDvrDiskUsageDataPoint)},
	{streamTranscoding, rows.WholeOf((*generated).RecordFlussonicStreamTranscoderRunningDataPoint)},
	{streamOverloaded, rows.WholeOf((*generated).RecordFlussonicStreamTranscoderOverloadedDataPoint)},
	{streamRestarts, rows.WholeOf((*generated).RecordFlussonicStreamTranscoderRestartsDataPoint)},
	{streamTranscoded, rows.WholeOf((*generated).RecordFlussonicStreamTranscoderFramesDataPoint)},
	{streamQualities, rows.WholeOf((*generated).RecordFlussonicStreamTranscoderQualityCountDataPoint)},
	{streamFrames, rows.WholeOf((*generated).RecordFlussonicStreamInputFramesDataPoint)},
	{streamSwitches, rows.WholeOf((*generated).RecordFlussonicStreamInputSwitchesDataPoint)},
	{streamOnPrimary, inputTime(metadata.AttributeFlussonicInputKindPrimary)},
	{streamOnSecondary, inputTime(metadata.AttributeFlussonicInputKindSecondary)},
	{streamOnNone, inputTime(metadata.AttributeFlussonicInputKindNone)},
	{streamValidInputs, countBy((*generated).RecordFlussonicStreamInputSecondaryCountDataPoint, metadata.AttributeFlussonicInputStateValid)},
	{streamInvalidInputs, countBy((*generated).RecordFlussonicStreamInputSecondaryCountDataPoint, metadata.AttributeFlussonicInputStateInvalid)},
	{streamResyncs, countBy((*generated).RecordFlussonicStreamInputResyncsDataPoint, metadata.AttributeFlussonicResyncReasonNormal)},
	{streamResyncJumps, countBy((*generated).RecordFlussonicStreamInputResyncsDataPoint, metadata.AttributeFlussonicResyncReasonJump)},
	{streamResyncDrifts, countBy((*generated).RecordFlussonicStreamInputResyncsDataPoint, metadata.AttributeFlussonicResyncReasonDrift)},
	{streamRoundTrip, rows.DecimalOf((*generated).RecordFlussonicStreamInputSrtRoundTripTimeDataPoint).In(rows.Milliseconds).Within(0, maxDelay)},
	{streamWritesFast, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeFast)},
	{streamWritesSlow, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeSlow)},
	{streamWritesDelayed, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeDelayed)},
	{streamWritesCollapsed, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeCollapsed)},
	{streamWritesFailed, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeFailed)},
	{streamWritesSkipped, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeSkipped)},
	{streamWritesBroken, countBy((*generated).RecordFlussonicStreamDvrSegmentWritesDataPoint, metadata.AttributeFlussonicDvrWriteOutcomeDiscontinuity)},
	{streamReadsMissing, countBy((*generated).RecordFlussonicStreamDvrSegmentReadFailuresDataPoint, metadata.AttributeFlussonicDvrReadReasonEnoent)},
	{streamReadsFailed, countBy((*generated).RecordFlussonicStreamDvrSegmentReadFailuresDataPoint, metadata.AttributeFlussonicDvrReadReasonFailed)},
	{streamAuthorizations, countBy((*generated).RecordFlussonicStreamPlayAuthorizationsDataPoint, metadata.AttributeFlussonicOutcomeSuccess)},
	{streamAuthorizationsFailed, countBy((*generated).RecordFlussonicStreamPlayAuthorizationsDataPoint, metadata.AttributeFlussonicOutcomeFailed)},
	{streamAuthorizationsDenied, countBy((*generated).RecordFlussonicStreamPlayAuthorizationsDataPoint, metadata.AttributeFlussonicOutcomeDenied)},
	{streamAuthorizationsRefused, countBy((*generated).RecordFlussonicStreamPlayAuthorizationsDataPoint, metadata.AttributeFlussonicOutcomeDeclined)},
	{streamDivergent, rows.WholeOf((*generated).RecordFlussonicStreamInputDivergentDataPoint)},
	{streamMediaInfoChanges, rows.WholeOf((*generated).RecordFlussonicStreamInputMediaInfoChangesDataPoint)},
	{streamSRTPackets, rows.WholeOf((*generated).RecordFlussonicStreamInputSrtPacketsDataPoint)},
	{streamSRTDropped, rows.WholeOf((*generated).RecordFlussonicStreamInputSrtDroppedPacketsDataPoint)},
	{streamSRTLost, rows.WholeOf((*generated).RecordFlussonicStreamInputSrtLostPacketsDataPoint)},
	{streamSRTRetransmitted, rows.WholeOf((*generated).RecordFlussonicStreamInputSrtRetransmittedPacketsDataPoint)},
	{streamSRTLatency, rows.DecimalOf((*generated).RecordFlussonicStreamInputSrtLatencyDataPoint).In(rows.Milliseconds).Within(0, maxDelay)},
	{streamUDPPackets, rows.WholeOf((*generated).RecordFlussonicStreamInputUDPPacketsDataPoint)},
	{streamUDPUnaligned, rows.WholeOf((*generated).RecordFlussonicStreamInputUDPUnalignedPacketsDataPoint)},
	{streamNACKs, rows.WholeOf((*generated).RecordFlussonicStreamPlayWebrtcNacksDataPoint)},
	{streamRetransmitted, rows.WholeOf((*generated).RecordFlussonicStreamPlayWebrtcRetransmittedPacketsDataPoint)},
	{streamExpiration, rows.DecimalOf((*generated).RecordFlussonicStreamDvrExpirationDataPoint).Within(0, maxDuration).Except(0)},
	{streamTSContinuity, countBy((*generated).RecordFlussonicStreamInputMpegtsErrorsDataPoint, metadata.AttributeMpegtsErrorTypeContinuity)},
	{streamTSScrambled, countBy((*generated).RecordFlussonicStreamInputMpegtsErrorsDataPoint, metadata.AttributeMpegtsErrorTypeScrambled)},
	{streamTSTransport, countBy((*generated).RecordFlussonicStreamInputMpegtsErrorsDataPoint, metadata.AttributeMpegtsErrorTypeTransport)},
	{streamThumbnailDrops, rows.WholeOf((*generated).RecordFlussonicStreamThumbnailDropsDataPoint)},
	{streamThumbnailErrors, rows.WholeOf((*generated).RecordFlussonicStreamThumbnailErrorsDataPoint)},
}

// insteadOf maps fields to fields with the same number in another unit, which take precedence.
var insteadOf = map[streamField]streamField{streamOutputKbit: streamOutputBits, streamErrorsPerSecond: streamErrorsPerMinute}

// countBy returns the point of an integer metric with a fixed attribute in addition to the name of the stream.
func countBy[A any](record func(*generated, timestamp, int64, string, A), a A) streamPoint {
	return rows.WholeOf(rows.WithLast(record, a))
}

var (
	streamAliveness      = rows.WholeOf((*generated).RecordFlussonicStreamAliveDataPoint)
	streamInputErrorRate = rows.DecimalOf((*generated).RecordFlussonicStreamInputErrorRateDataPoint).Within(0, maxErrorRate)
)

func inputTime(kind metadata.AttributeFlussonicInputKind) streamPoint {
	return rows.DecimalOf(rows.WithLast((*generated).RecordFlussonicStreamInputTimeDataPoint, kind)).Within(0, maxDuration)
}

func streamThroughput(direction metadata.AttributeNetworkIoDirection) streamPoint {
	return rows.DecimalOf(rows.WithLast((*generated).RecordFlussonicStreamThroughputDataPoint, direction)).Within(0, maxThroughput)
}

// enabledStreamRow is a row whose metric is enabled.
type enabledStreamRow struct {
	field streamField
	enabledPoint[string]
	number  streamField // the first one of the fields with the same number
	counter int         // index of a monotonic number among those of a stream
}

// fieldSet is a set of fields.
type fieldSet [(streamFields + 63) / 64]uint64

func (s *fieldSet) has(f streamField) bool { return s[f/64]&(1<<(f%64)) != 0 }

func (s *fieldSet) add(f streamField) { s[f/64] |= 1 << (f % 64) }

func (s *fieldSet) addAll(other *fieldSet) {
	for i, word := range other {
		s[i] |= word
	}
}

// enabledStreamRows returns the rows whose metrics are enabled, and how many of them are monotonic.
func enabledStreamRows(run *scrape.Runner) (enabled []enabledStreamRow, sums int) {
	for _, r := range streamRows {
		p, ok := enable(run, r.Point)
		if !ok {
			continue
		}
		enabled = append(enabled, enabledStreamRow{r.Field, p, cmp.Or(insteadOf[r.Field], r.Field), sums})
		if p.metric.Monotonic {
			sums++
		}
	}
	return enabled, sums
}

// streamRowsOf returns the rows whose fields contains accepts.
func streamRowsOf(contains func(streamField) bool) []streamRow {
	return slices.DeleteFunc(slices.Clone(streamRows), func(r streamRow) bool { return !contains(r.Field) })
}

// streamRemote marks a stream that is pulled from another streamer.
var streamRemote = rows.WholeOf((*generated).RecordFlussonicStreamRemoteDataPoint)

// sourceError holds the attributes of the error of a stream's source.
type sourceError struct{ stream, code string }

// sourceFailed marks a stream whose source cannot be captured.
var sourceFailed = rows.WholeOf(func(mb *generated, start timestamp, n int64, e sourceError) {
	mb.RecordFlussonicStreamSourceFailedDataPoint(start, n, e.stream, e.code)
})

// streamStateName holds the attributes of the state of a stream.
type streamStateName struct {
	stream string
	state  metadata.AttributeFlussonicStreamState
}

// streamState is the point of a stream's state, whose values are streamStates. countByState counts the streams in a state.
var (
	streamState = rows.WholeOf(func(mb *generated, start timestamp, n int64, s streamStateName) {
		mb.RecordFlussonicStreamStateDataPoint(start, n, s.stream, s.state)
	})
	countByState = rows.WholeOf((*generated).RecordFlussonicStreamCountByStateDataPoint)
	streamStates = slices.Sorted(maps.Values(metadata.MapAttributeFlussonicStreamState))
)

// partName holds the attributes of an input or a push of a stream. The index is its position in the configuration.
type partName struct {
	stream string
	index  int64
}

// Sums over all streams by the type of an error and by protocol.
var (
	inputErrors  = rows.WholeOf((*generated).RecordFlussonicInputErrorsByTypeDataPoint)
	openSessions = rows.WholeOf((*generated).RecordFlussonicPlaySessionCountDataPoint)
)

// inputErrorIndex maps the names of errors of an input to positions in inputErrorTypes.
var inputErrorIndex = indexErrors(inputErrorTypes)

func indexErrors(types []string) map[string]int {
	index := map[string]int{}
	for i, name := range types {
		index[errorsPrefix+name] = i
	}
	return index
}

// inputRows are the rows for the numbers of an input.
var inputRows = []row[input, partName]{
	{func(i *input) number { return flag(i.Active) }, ofPart((*generated).RecordFlussonicStreamInputActiveDataPoint)},
	{func(i *input) number { return i.Bytes }, ofPart((*generated).RecordFlussonicStreamInputIoDataPoint)},
	{func(i *input) number { return i.Retries }, ofPart((*generated).RecordFlussonicStreamInputRetriesDataPoint)},
	{func(i *input) number { return i.Errors }, ofPart((*generated).RecordFlussonicStreamInputErrorsByIndexDataPoint)},
	{func(i *input) number { return i.FrameDelay }, rows.DecimalOf(recordInputFrameAge).In(rows.Milliseconds).Within(0, maxDelay)},
}

func recordInputFrameAge(mb *generated, start timestamp, v float64, p partName) {
	mb.RecordFlussonicStreamInputFrameAgeDataPoint(start, v, p.stream, p.index)
}

// pushRows are the rows for the numbers of a push.
var pushRows = []row[push, partName]{
	{func(p *push) number { return p.Bytes }, ofPart((*generated).RecordFlussonicStreamPushIoDataPoint)},
	{func(p *push) number { return either(p.Restarts, p.Retries) }, ofPart((*generated).RecordFlussonicStreamPushRetriesDataPoint)},
}

// ofPart returns the point of an integer metric of an input or a push.
func ofPart(record func(*generated, timestamp, int64, string, int64)) rows.Point[*generated, partName] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, p partName) { record(mb, start, n, p.stream, p.index) })
}

// pushStateName holds the attributes of the state of a push.
type pushStateName struct {
	partName
	state metadata.AttributeFlussonicPushState
}

// pushState is the point of a push's state, whose values are pushStates.
var (
	pushState = rows.WholeOf(func(mb *generated, start timestamp, n int64, p pushStateName) {
		mb.RecordFlussonicStreamPushStateDataPoint(start, n, p.stream, p.index, p.state)
	})
	pushStates = slices.Sorted(maps.Values(metadata.MapAttributeFlussonicPushState))
)

// trackName holds the attributes of the tracks of a stream with the same media type.
type trackName struct {
	stream string
	media  metadata.AttributeFlussonicMediaKind
}

// trackCount counts tracks by media type.
var (
	trackCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, t trackName) {
		mb.RecordFlussonicStreamTrackCountDataPoint(start, n, t.stream, t.media)
	})
	trackMedia = []struct {
		content []byte
		media   metadata.AttributeFlussonicMediaKind
	}{
		{[]byte("video"), metadata.AttributeFlussonicMediaKindVideo},
		{[]byte("audio"), metadata.AttributeFlussonicMediaKindAudio},
		{[]byte("text"), metadata.AttributeFlussonicMediaKindText},
	}
)

// entryName holds the attributes that are derived from the name of an entry.
type entryName struct {
	stream string
	// text is a protocol or the type of an error.
	text     string
	index    int64 // of a push
	pid      int64
	pidError metadata.AttributePidErrorType
	resource metadata.AttributeFlussonicResource
	class    metadata.AttributeFlussonicResponseClass
	duration metadata.AttributeFlussonicResponseDuration
	outcome  metadata.AttributeFlussonicDvrReadOutcome
	source   metadata.AttributeFlussonicDvrReadSource
}

// groupRow maps the entries of a group to a metric.
type groupRow struct {
	Group streamGroup
	// parse returns the attributes of an entry except the stream, and whether the metric accepts its name.
	parse func(name string) (entryName, bool)
	Point rows.Point[*generated, entryName]
}

// groupRows are the rows for entries.
var groupRows = []groupRow{
	{groupInputErrors, parseError, byText((*generated).RecordFlussonicStreamInputErrorsByTypeDataPoint)},
	{groupOpened, parseProtocol, byText((*generated).RecordFlussonicStreamPlaySessionCountDataPoint)},
	{groupPlays, parseProtocol, byText((*generated).RecordFlussonicStreamPlaySessionCreationsDataPoint)},
	{groupBytes, parseProtocol, byText((*generated).RecordFlussonicStreamPlayIoDataPoint)},
	{groupAnswers, parseResponse, rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) {
		mb.RecordFlussonicStreamPlayResponsesDataPoint(start, n, e.stream, e.text, e.resource, e.class)
	})},
	{groupAnswers, parseResponseTime, rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) {
		mb.RecordFlussonicStreamPlayResponsesByDurationDataPoint(start, n, e.stream, e.text, e.resource, e.duration)
	})},
	{groupPIDs, parsePIDError, rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) {
		mb.RecordFlussonicStreamInputMpegtsErrorsByPidDataPoint(start, n, e.stream, e.pid, e.pidError)
	})},
	{groupPushErrors, parseError, rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) {
		mb.RecordFlussonicStreamPushErrorsDataPoint(start, n, e.stream, e.index, e.text)
	})},
	{groupReads, parseRead, rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) {
		mb.RecordFlussonicStreamDvrSegmentReadsDataPoint(start, n, e.stream, e.outcome, e.source)
	})},
}

// enabledGroupRow is a row whose metric is enabled.
type enabledGroupRow struct {
	parse func(name string) (entryName, bool)
	enabledPoint[entryName]
}

// enabledGroupRows returns the rows of each group whose metrics are enabled.
func enabledGroupRows(run *scrape.Runner) (enabled [streamGroups][]enabledGroupRow) {
	for _, r := range groupRows {
		if p, ok := enable(run, r.Point); ok {
			enabled[r.Group] = append(enabled[r.Group], enabledGroupRow{r.parse, p})
		}
	}
	return enabled
}

// byText returns the point of a metric with a part of the entry's name as an attribute.
func byText(record func(*generated, timestamp, int64, string, string)) rows.Point[*generated, entryName] {
	return rows.WholeOf(func(mb *generated, start timestamp, n int64, e entryName) { record(mb, start, n, e.stream, e.text) })
}

func parseError(name string) (entryName, bool) {
	return entryName{text: strings.TrimPrefix(name, errorsPrefix)}, true
}

// pidErrorTypes maps the numbers of errors of a packet identifier to types.
var pidErrorTypes = map[string]metadata.AttributePidErrorType{
	"errors_ts_cc":             metadata.AttributePidErrorTypeContinuity,
	"errors_ts_scrambled":      metadata.AttributePidErrorTypeScrambled,
	"errors_ts_tei":            metadata.AttributePidErrorTypeTransport,
	"errors_ts_pmt":            metadata.AttributePidErrorTypePmt,
	"errors_ts_psi_checksum":   metadata.AttributePidErrorTypeChecksum,
	"errors_pid_lost":          metadata.AttributePidErrorTypePidLost,
	"errors_adaptation_broken": metadata.AttributePidErrorTypeAdaptation,
}

// parsePIDError parses names such as 256.errors_ts_cc.
func parsePIDError(name string) (e entryName, ok bool) {
	pid, field, _ := strings.Cut(name, ".")
	e.pid, _ = strconv.ParseInt(pid, 10, 64)
	e.pidError, ok = pidErrorTypes[field]
	return e, ok
}

func parseProtocol(name string) (entryName, bool) { return entryName{text: name}, true }

// The suffixes of the names of responses.
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

// parseResponse parses names such as play_hls_segment_http_200.
func parseResponse(name string) (e entryName, ok bool) {
	viewed, status, _ := strings.Cut(strings.TrimPrefix(name, answersPrefix), answersByStatus)
	e.class, ok = responseClasses[status]
	e.text, e.resource = splitViewed(viewed)
	return e, ok
}

// parseResponseTime parses names such as play_other_time_longms.
func parseResponseTime(name string) (e entryName, ok bool) {
	viewed, time, _ := strings.Cut(strings.TrimPrefix(name, answersPrefix), answersByTime)
	e.duration, ok = responseDurations[time]
	e.text, e.resource = splitViewed(viewed)
	return e, ok
}

// otherProtocol is the protocol of responses whose names do not contain one.
const otherProtocol = "other"

// splitViewed splits a name such as hls_segment, ll_hls_playlist, other or preview into protocol and resource.
func splitViewed(viewed string) (protocol string, resource metadata.AttributeFlussonicResource) {
	if resource, known := metadata.MapAttributeFlussonicResource[viewed]; known {
		return otherProtocol, resource
	}
	if at := strings.LastIndexByte(viewed, '_'); at > 0 {
		if resource, known := metadata.MapAttributeFlussonicResource[viewed[at+1:]]; known {
			return viewed[:at], resource
		}
	}
	return viewed, metadata.AttributeFlussonicResourceOther
}

// parseRead parses names such as fast.local, which consist of an outcome and a source.
func parseRead(name string) (e entryName, ok bool) {
	outcome, source, _ := strings.Cut(name, ".")
	e.outcome = metadata.MapAttributeFlussonicDvrReadOutcome[outcome]
	e.source, ok = metadata.MapAttributeFlussonicDvrReadSource[source]
	return e, ok
}
