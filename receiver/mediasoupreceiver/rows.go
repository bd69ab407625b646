// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// builder is the generated builder, which also counts values that are refused.
type builder struct {
	*metadata.MetricsBuilder
	rows.Refusals
}

type (
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
	point[K any] = rows.Point[*builder, K]
)

const (
	receive  = metadata.AttributeNetworkIoDirectionReceive
	transmit = metadata.AttributeNetworkIoDirectionTransmit
)

// figureRows map a value of objects to its average and extremes over all of them.
type figureRows[K any] struct{ Average, Min, Max point[K] }

// figures returns the rows of a value in a unit; nil if a metric does not exist.
func figures[K any](unit rows.Unit, average, least, most func(*builder, timestamp, float64, K)) figureRows[K] {
	return figureRows[K]{rows.DecimalOf(average).In(unit), rows.DecimalOf(least).In(unit), rows.DecimalOf(most).In(unit)}
}

// snapshotTables are all rows of a snapshot.
var snapshotTables = []any{
	eventRows, applicationRows, collectionRows, workerRows, routerRows, transportRows, roleRows, singleRows, dataRows,
}

// statistics are the statistics that an agent can collect, with the rows that need them. All other rows need only the lists.
var statistics = []struct {
	name   string
	tables []any
}{
	{"workers", []any{workerRows.Usage}},
	{"transports", []any{transportRows.Measured}},
	{"producers", []any{roleRows[producers].Measured, singleRows}},
	{"consumers", []any{roleRows[consumers].Measured, singleRows}},
	{"data", []any{dataRows.Measured}},
}

// eventRows map the counters of a snapshot, which start with the application.
var eventRows = []struct {
	key   string
	Point point[none]
}{
	{"workersDied", rows.Whole((*builder).RecordMediasoupWorkerDeathsDataPoint)},
	{"routersCreated", rows.Whole((*builder).RecordMediasoupRouterCreationsDataPoint)},
	{"routersClosed", rows.Whole((*builder).RecordMediasoupRouterClosuresDataPoint)},
	{"transportsCreated", rows.Whole((*builder).RecordMediasoupTransportCreationsDataPoint)},
	{"transportsClosed", rows.Whole((*builder).RecordMediasoupTransportClosuresDataPoint)},
	{"iceDisconnected", rows.Whole((*builder).RecordMediasoupTransportIceDisconnectionsDataPoint)},
	{"dtlsFailed", rows.Whole((*builder).RecordMediasoupTransportDtlsFailuresDataPoint)},
	{"sctpFailed", rows.Whole((*builder).RecordMediasoupTransportSctpFailuresDataPoint)},
	{"producersCreated", rows.Whole((*builder).RecordMediasoupProducerCreationsDataPoint)},
	{"producersClosed", rows.Whole((*builder).RecordMediasoupProducerClosuresDataPoint)},
	{"consumersCreated", rows.Whole((*builder).RecordMediasoupConsumerCreationsDataPoint)},
	{"consumersClosed", rows.Whole((*builder).RecordMediasoupConsumerClosuresDataPoint)},
	{"statsErrors", rows.Whole(rows.With((*builder).RecordMediasoupAgentErrorsDataPoint, metadata.AttributeAgentErrorTypeFailed))},
	{"statsTimeouts", rows.Whole(rows.With((*builder).RecordMediasoupAgentErrorsDataPoint, metadata.AttributeAgentErrorTypeTimeout))},
}

// applicationRows map the values of the application, except its counters and objects.
var applicationRows = struct {
	CPUUser, CPUSystem, Memory, EventLoopLag, Uptime, WebRTCServers point[none]
}{
	CPUUser:       rows.Decimal(rows.With((*builder).RecordMediasoupProcessCPUTimeDataPoint, metadata.AttributeCPUModeUser)).In(rows.Milliseconds),
	CPUSystem:     rows.Decimal(rows.With((*builder).RecordMediasoupProcessCPUTimeDataPoint, metadata.AttributeCPUModeSystem)).In(rows.Milliseconds),
	Memory:        rows.Whole((*builder).RecordMediasoupProcessMemoryUsageDataPoint),
	EventLoopLag:  rows.Decimal((*builder).RecordMediasoupAgentEventLoopLagDataPoint).In(rows.Milliseconds),
	Uptime:        rows.Decimal((*builder).RecordMediasoupUptimeDataPoint).In(rows.Milliseconds),
	WebRTCServers: rows.Whole((*builder).RecordMediasoupWebrtcServerCountDataPoint),
}

// collectionRows map the values about the collection of a snapshot by the agent.
var collectionRows = struct {
	Duration                           point[none]
	Skipped, Errors, Carried, Coverage point[entity]
}{
	Duration: rows.Decimal((*builder).RecordMediasoupAgentCollectionDurationDataPoint).In(rows.Milliseconds),
	Skipped:  rows.WholeOf(rows.WithLast((*builder).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonLimit)),
	Errors:   rows.WholeOf(rows.WithLast((*builder).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonError)),
	Carried:  rows.WholeOf(rows.WithLast((*builder).RecordMediasoupAgentSkippedCountDataPoint, metadata.AttributeMediasoupSkipReasonCarried)),
	Coverage: rows.DecimalOf((*builder).RecordMediasoupAgentCoverageDataPoint),
}

// workerRows map workers by ID.
var workerRows = struct {
	Count               point[none]
	Routers, Transports point[string]
	Objects             [roles]point[string]
	Usage               [usageCount]point[string] // since the start of the worker
}{
	Count:      rows.Whole((*builder).RecordMediasoupWorkerCountDataPoint),
	Routers:    rows.WholeOf((*builder).RecordMediasoupRouterCountDataPoint),
	Transports: rows.WholeOf((*builder).RecordMediasoupTransportCountByWorkerDataPoint),
	Objects: [roles]point[string]{
		producers: rows.WholeOf((*builder).RecordMediasoupProducerCountByWorkerDataPoint),
		consumers: rows.WholeOf((*builder).RecordMediasoupConsumerCountByWorkerDataPoint),
	},
	Usage: [usageCount]point[string]{
		usageUserTime:            rows.DecimalOf(rows.WithLast((*builder).RecordMediasoupWorkerCPUTimeDataPoint, metadata.AttributeCPUModeUser)).In(rows.Milliseconds),
		usageSystemTime:          rows.DecimalOf(rows.WithLast((*builder).RecordMediasoupWorkerCPUTimeDataPoint, metadata.AttributeCPUModeSystem)).In(rows.Milliseconds),
		usagePeakMemory:          rows.WholeOf((*builder).RecordMediasoupWorkerMemoryPeakDataPoint).In(rows.Kibibytes),
		usageMinorFaults:         rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMinor)),
		usageMajorFaults:         rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMajor)),
		usageBlockReads:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionRead)),
		usageBlockWrites:         rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionWrite)),
		usageVoluntarySwitches:   rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeVoluntary)),
		usageInvoluntarySwitches: rows.WholeOf(rows.WithLast((*builder).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeInvoluntary)),
	},
}

// routerRows map sums over routers.
var routerRows = struct{ Empty, Observers point[none] }{
	Empty:     rows.Whole((*builder).RecordMediasoupRouterEmptyCountDataPoint),
	Observers: rows.Whole((*builder).RecordMediasoupRtpObserverCountDataPoint),
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
	Count:     rows.WholeOf((*builder).RecordMediasoupTransportCountDataPoint),
	ICE:       rows.WholeOf((*builder).RecordMediasoupTransportCountByIceStateDataPoint),
	DTLS:      rows.WholeOf((*builder).RecordMediasoupTransportCountByDtlsStateDataPoint),
	SCTP:      rows.WholeOf((*builder).RecordMediasoupTransportCountBySctpStateDataPoint),
	Protocols: rows.WholeOf((*builder).RecordMediasoupTransportCountByProtocolDataPoint),
	Measured: measuredTransportRows{
		Sums: [transportCounters]point[transportType]{
			transportReceived:      rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportIoDataPoint, receive)),
			transportSent:          rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportIoDataPoint, transmit)),
			transportRTPReceived:   rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportRtpIoDataPoint, receive)),
			transportRTPSent:       rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportRtpIoDataPoint, transmit)),
			transportRTXReceived:   rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportRtxIoDataPoint, receive)),
			transportRTXSent:       rows.WholeOf(rows.WithLast((*builder).RecordMediasoupTransportRtxIoDataPoint, transmit)),
			transportProbationSent: rows.WholeOf((*builder).RecordMediasoupTransportProbationIoDataPoint),
		},
		Throughput: [directions]point[transportType]{
			received: rows.DecimalOf(rows.WithLast((*builder).RecordMediasoupTransportThroughputDataPoint, receive)).In(rows.Bits),
			sent:     rows.DecimalOf(rows.WithLast((*builder).RecordMediasoupTransportThroughputDataPoint, transmit)).In(rows.Bits),
		},
		Available: figures(rows.Bits,
			(*builder).RecordMediasoupTransportAvailableThroughputAverageDataPoint,
			(*builder).RecordMediasoupTransportAvailableThroughputMinDataPoint,
			(*builder).RecordMediasoupTransportAvailableThroughputMaxDataPoint),
		Loss: figures(rows.Unit{}, (*builder).RecordMediasoupTransportPacketLossAverageDataPoint, nil, (*builder).RecordMediasoupTransportPacketLossMaxDataPoint),
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
		producers: rows.WholeOf((*builder).RecordMediasoupDataProducerCountDataPoint),
		consumers: rows.WholeOf((*builder).RecordMediasoupDataConsumerCountDataPoint),
	},
	Measured: measuredDataRows{
		Sums: [roles][dataCounters]point[none]{
			producers: {
				dataMessages: rows.Whole(rows.With((*builder).RecordMediasoupDataMessagesDataPoint, receive)),
				dataBytes:    rows.Whole(rows.With((*builder).RecordMediasoupDataIoDataPoint, receive)),
			},
			consumers: {
				dataMessages: rows.Whole(rows.With((*builder).RecordMediasoupDataMessagesDataPoint, transmit)),
				dataBytes:    rows.Whole(rows.With((*builder).RecordMediasoupDataIoDataPoint, transmit)),
			},
		},
		Buffered: rows.Whole((*builder).RecordMediasoupDataBufferSizeDataPoint),
	},
}

// measuredDataRows map the statistics of data producers and data consumers.
type measuredDataRows struct {
	Sums     [roles][dataCounters]point[none] // since the first snapshot
	Buffered point[none]
}
