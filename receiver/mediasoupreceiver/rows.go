// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

type (
	generated     = metadata.MetricsBuilder
	builder       = rows.Builder[*generated]
	timestamp     = pcommon.Timestamp
	entity        = metadata.AttributeRtcEntity
	direction     = metadata.AttributeNetworkIoDirection
	dataType      = metadata.AttributeMediasoupDataType
	transportType = metadata.AttributeMediasoupTransportType
	iceState      = metadata.AttributeMediasoupIceState
	dtlsState     = metadata.AttributeMediasoupDtlsState
	sctpState     = metadata.AttributeMediasoupSctpState
	protocol      = metadata.AttributeNetworkTransport
	none          = rows.None

	// point records a metric whose attributes are taken from K.
	point[K any] = rows.Point[*generated, K]
)

const (
	receive  = metadata.AttributeNetworkIoDirectionReceive
	transmit = metadata.AttributeNetworkIoDirectionTransmit
)

// figureRows map a value of objects to its average and extremes over all of them.
type figureRows[K any] struct{ Average, Min, Max point[K] }

// figures returns the rows of a value in a unit; nil if a metric does not exist.
func figures[K any](unit rows.Unit, average, least, most func(*generated, timestamp, float64, K)) figureRows[K] {
	return figureRows[K]{rows.DecimalOf(average).In(unit), rows.DecimalOf(least).In(unit), rows.DecimalOf(most).In(unit)}
}

// snapshotTables are all rows of a snapshot except those of rooms.
var snapshotTables = []any{
	eventRows, groupedEventRows, applicationRows, collectionRows, workerRows, routerRows, transportRows, roleRows, singleRows, dataRows,
}

// tablesOf returns the rows of a snapshot that a configuration needs.
func tablesOf(cfg *Config) []any {
	if len(cfg.Rooms.Labels) == 0 {
		return snapshotTables
	}
	return append(slices.Clone(snapshotTables), roomRows)
}

// statistics are the statistics that an agent can collect, with the rows that need them. All other rows need only the lists.
var statistics = []struct {
	name   string
	tables []any
}{
	{"workers", []any{workerRows.Measured}},
	{"transports", []any{transportRows.Measured, workerRows.Throughput}},
	{"producers", []any{roleRows[producers].Measured, singleRows}},
	{"consumers", []any{roleRows[consumers].Measured, singleRows}},
	{"data", []any{dataRows.Measured}},
}

// eventRows map the counters of a snapshot, which start with the application.
var eventRows = []struct {
	key   string
	Point point[none]
}{
	{"workersDied", rows.Whole((*generated).RecordMediasoupWorkerDeathsDataPoint)},
	{"routersCreated", rows.Whole((*generated).RecordMediasoupRouterCreationsDataPoint)},
	{"routersClosed", rows.Whole((*generated).RecordMediasoupRouterClosuresDataPoint)},
	{"transportsCreated", rows.Whole((*generated).RecordMediasoupTransportCreationsDataPoint)},
	{"transportsClosed", rows.Whole((*generated).RecordMediasoupTransportClosuresDataPoint)},
	{"transportsClosedUnconnected", rows.Whole((*generated).RecordMediasoupTransportUnconnectedClosuresDataPoint)},
	{"transportConnectMs", rows.Decimal((*generated).RecordMediasoupTransportConnectionTimeDataPoint).In(rows.Milliseconds)},
	{"iceConnected", rows.Whole((*generated).RecordMediasoupTransportIceConnectionsDataPoint)},
	{"iceDisconnected", rows.Whole((*generated).RecordMediasoupTransportIceDisconnectionsDataPoint)},
	{"dtlsConnected", rows.Whole((*generated).RecordMediasoupTransportDtlsConnectionsDataPoint)},
	{"dtlsFailed", rows.Whole((*generated).RecordMediasoupTransportDtlsFailuresDataPoint)},
	{"sctpFailed", rows.Whole((*generated).RecordMediasoupTransportSctpFailuresDataPoint)},
	{"producersCreated", rows.Whole((*generated).RecordMediasoupProducerCreationsDataPoint)},
	{"producersClosed", rows.Whole((*generated).RecordMediasoupProducerClosuresDataPoint)},
	{"consumersCreated", rows.Whole((*generated).RecordMediasoupConsumerCreationsDataPoint)},
	{"consumersClosed", rows.Whole((*generated).RecordMediasoupConsumerClosuresDataPoint)},
	{"statsErrors", rows.Whole(rows.With((*generated).RecordMediasoupAgentErrorsDataPoint, metadata.AttributeAgentErrorTypeFailed))},
	{"statsTimeouts", rows.Whole(rows.With((*generated).RecordMediasoupAgentErrorsDataPoint, metadata.AttributeAgentErrorTypeTimeout))},
}

// eventGroup holds the properties by which some events are counted.
type eventGroup struct {
	transport transportType
	kind      mediaKind
	reason    metadata.AttributeCreationErrorType
}

// groupedEventRows map the counters of a snapshot that are objects, with a counter for each group.
var groupedEventRows = []struct {
	key   string
	Point point[eventGroup]
}{
	{"transportsCreatedByType", rows.WholeOf(byType((*generated).RecordMediasoupTransportCreationsByTypeDataPoint))},
	{"transportsClosedByType", rows.WholeOf(byType((*generated).RecordMediasoupTransportClosuresByTypeDataPoint))},
	{"transportsFailed", rows.WholeOf(byTypeAndReason((*generated).RecordMediasoupTransportFailedCreationsDataPoint))},
	{"producersStarted", rows.WholeOf(byKind((*generated).RecordMediasoupProducerStartsDataPoint))},
	{"producerStartMs", rows.DecimalOf(byKind((*generated).RecordMediasoupProducerStartTimeDataPoint)).In(rows.Milliseconds)},
}

func byType(record func(*generated, timestamp, int64, transportType)) func(*generated, timestamp, int64, eventGroup) {
	return func(mb *generated, start timestamp, n int64, g eventGroup) { record(mb, start, n, g.transport) }
}

func byTypeAndReason(
	record func(*generated, timestamp, int64, transportType, metadata.AttributeCreationErrorType),
) func(*generated, timestamp, int64, eventGroup) {
	return func(mb *generated, start timestamp, n int64, g eventGroup) {
		record(mb, start, n, g.transport, g.reason)
	}
}

func byKind[V any](record func(*generated, timestamp, V, mediaKind)) func(*generated, timestamp, V, eventGroup) {
	return func(mb *generated, start timestamp, v V, g eventGroup) { record(mb, start, v, g.kind) }
}

// applicationRows map the values of the application, except its counters and objects.
var applicationRows = struct {
	CPUUser, CPUSystem, Memory, EventLoopLag, EventLoopDelayP99, Uptime, WebRTCServers point[none]
}{
	CPUUser:           rows.Decimal(rows.With((*generated).RecordMediasoupProcessCPUTimeDataPoint, metadata.AttributeCPUModeUser)).In(rows.Milliseconds),
	CPUSystem:         rows.Decimal(rows.With((*generated).RecordMediasoupProcessCPUTimeDataPoint, metadata.AttributeCPUModeSystem)).In(rows.Milliseconds),
	Memory:            rows.Whole((*generated).RecordMediasoupProcessMemoryUsageDataPoint),
	EventLoopLag:      rows.Decimal((*generated).RecordMediasoupAgentEventLoopLagDataPoint).In(rows.Milliseconds),
	EventLoopDelayP99: rows.Decimal((*generated).RecordMediasoupAgentEventLoopDelayP99DataPoint).In(rows.Milliseconds),
	Uptime:            rows.Decimal((*generated).RecordMediasoupUptimeDataPoint).In(rows.Milliseconds),
	WebRTCServers:     rows.Whole((*generated).RecordMediasoupWebrtcServerCountDataPoint),
}

// collectionRows map the values about the collection of a snapshot by the agent.
var collectionRows = struct {
	Duration                           point[none]
	Skipped, Errors, Carried, Coverage point[entity]
}{
	Duration: rows.Decimal((*generated).RecordMediasoupAgentCollectionDurationDataPoint).In(rows.Milliseconds),
	Skipped:  rows.WholeOf(rows.WithLast((*generated).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonLimit)),
	Errors:   rows.WholeOf(rows.WithLast((*generated).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonError)),
	Carried:  rows.WholeOf(rows.WithLast((*generated).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonCarried)),
	Coverage: rows.DecimalOf((*generated).RecordMediasoupAgentCoverageDataPoint),
}

// workerRows map workers by ID.
var workerRows = struct {
	Count           point[none]
	Routers, Uptime point[string]
	Transports      point[string]
	Objects         [roles]point[string]
	Measured        measuredWorkerRows
	Throughput      [directions]point[string]
}{
	Count:      rows.Whole((*generated).RecordMediasoupWorkerCountDataPoint),
	Routers:    rows.WholeOf((*generated).RecordMediasoupRouterCountDataPoint),
	Uptime:     rows.DecimalOf((*generated).RecordMediasoupWorkerUptimeDataPoint).In(rows.Milliseconds),
	Transports: rows.WholeOf((*generated).RecordMediasoupTransportCountByWorkerDataPoint),
	Objects: [roles]point[string]{
		producers: rows.WholeOf((*generated).RecordMediasoupProducerCountByWorkerDataPoint),
		consumers: rows.WholeOf((*generated).RecordMediasoupConsumerCountByWorkerDataPoint),
	},
	Measured: measuredWorkerRows{
		Memory:     rows.WholeOf((*generated).RecordMediasoupWorkerMemoryUsageDataPoint),
		Responsive: rows.WholeOf((*generated).RecordMediasoupWorkerResponsiveDataPoint),
		Usage: [usageCount]point[string]{
			usageUserTime:            rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupWorkerCPUTimeDataPoint, metadata.AttributeCPUModeUser)).In(rows.Milliseconds),
			usageSystemTime:          rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupWorkerCPUTimeDataPoint, metadata.AttributeCPUModeSystem)).In(rows.Milliseconds),
			usagePeakMemory:          rows.WholeOf((*generated).RecordMediasoupWorkerMemoryPeakDataPoint).In(rows.Kibibytes),
			usageMinorFaults:         rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMinor)),
			usageMajorFaults:         rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMajor)),
			usageBlockReads:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionRead)),
			usageBlockWrites:         rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionWrite)),
			usageVoluntarySwitches:   rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeVoluntary)),
			usageInvoluntarySwitches: rows.WholeOf(rows.WithLast((*generated).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeInvoluntary)),
		},
	},
	Throughput: [directions]point[string]{
		received: rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupWorkerThroughputDataPoint, receive)).In(rows.Bits),
		sent:     rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupWorkerThroughputDataPoint, transmit)).In(rows.Bits),
	},
}

// measuredWorkerRows map the statistics of workers.
type measuredWorkerRows struct {
	Memory, Responsive point[string]
	Usage              [usageCount]point[string] // since the start of the worker
}

// routerRows map sums over routers.
var routerRows = struct{ Empty, Observers point[none] }{
	Empty:     rows.Whole((*generated).RecordMediasoupRouterEmptyCountDataPoint),
	Observers: rows.Whole((*generated).RecordMediasoupRtpObserverCountDataPoint),
}

// transportRows map transports.
var transportRows = struct {
	Count     point[transportType]
	ICE       point[iceState]
	DTLS      point[dtlsState]
	SCTP      point[sctpState]
	Protocols point[protocol]
	Measured  measuredTransportRows
}{
	Count:     rows.WholeOf((*generated).RecordMediasoupTransportCountDataPoint),
	ICE:       rows.WholeOf((*generated).RecordMediasoupTransportCountByIceStateDataPoint),
	DTLS:      rows.WholeOf((*generated).RecordMediasoupTransportCountByDtlsStateDataPoint),
	SCTP:      rows.WholeOf((*generated).RecordMediasoupTransportCountBySctpStateDataPoint),
	Protocols: rows.WholeOf((*generated).RecordMediasoupTransportCountByProtocolDataPoint),
	Measured: measuredTransportRows{
		Sums: [transportCounters]point[transportType]{
			transportReceived:      rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportIoDataPoint, receive)),
			transportSent:          rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportIoDataPoint, transmit)),
			transportRTPReceived:   rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportRtpIoDataPoint, receive)),
			transportRTPSent:       rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportRtpIoDataPoint, transmit)),
			transportRTXReceived:   rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportRtxIoDataPoint, receive)),
			transportRTXSent:       rows.WholeOf(rows.WithLast((*generated).RecordMediasoupTransportRtxIoDataPoint, transmit)),
			transportProbationSent: rows.WholeOf((*generated).RecordMediasoupTransportProbationIoDataPoint),
		},
		Throughput: [directions]point[transportType]{
			received: rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupTransportThroughputDataPoint, receive)).In(rows.Bits),
			sent:     rows.DecimalOf(rows.WithLast((*generated).RecordMediasoupTransportThroughputDataPoint, transmit)).In(rows.Bits),
		},
		Available: figures(rows.Bits,
			(*generated).RecordMediasoupTransportAvailableThroughputAverageDataPoint,
			(*generated).RecordMediasoupTransportAvailableThroughputMinDataPoint,
			(*generated).RecordMediasoupTransportAvailableThroughputMaxDataPoint),
		Loss: figures(rows.Unit{}, (*generated).RecordMediasoupTransportPacketLossAverageDataPoint, nil, (*generated).RecordMediasoupTransportPacketLossMaxDataPoint),
	},
}

// measuredTransportRows map the statistics of transports.
type measuredTransportRows struct {
	Sums            [transportCounters]point[transportType] // since the first snapshot
	Throughput      [directions]point[transportType]
	Available, Loss figureRows[direction]
}

// dataRows map data producers and data consumers.
var dataRows = struct {
	Count    [roles]point[dataType]
	Measured measuredDataRows
}{
	Count: [roles]point[dataType]{
		producers: rows.WholeOf((*generated).RecordMediasoupDataProducerCountDataPoint),
		consumers: rows.WholeOf((*generated).RecordMediasoupDataConsumerCountDataPoint),
	},
	Measured: measuredDataRows{
		Sums: [roles][dataCounters]point[none]{
			producers: {
				dataMessages: rows.Whole(rows.With((*generated).RecordMediasoupDataMessagesDataPoint, receive)),
				dataBytes:    rows.Whole(rows.With((*generated).RecordMediasoupDataIoDataPoint, receive)),
			},
			consumers: {
				dataMessages: rows.Whole(rows.With((*generated).RecordMediasoupDataMessagesDataPoint, transmit)),
				dataBytes:    rows.Whole(rows.With((*generated).RecordMediasoupDataIoDataPoint, transmit)),
			},
		},
		Buffered: rows.Whole((*generated).RecordMediasoupDataBufferSizeDataPoint),
	},
}

// measuredDataRows map the statistics of data producers and data consumers.
type measuredDataRows struct {
	Sums     [roles][dataCounters]point[none] // since the first snapshot
	Buffered point[none]
}
