// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"maps"
	"slices"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// The directions of network metrics.
const (
	receive  = metadata.AttributeNetworkIoDirectionReceive
	transmit = metadata.AttributeNetworkIoDirectionTransmit
)

// serverRows are the rows for numbers of the server as a whole that any source may have.
var serverRows = []row[server, rows.None]{
	{numberOf(serverBandwidth), rows.Decimal((*generated).RecordFlussonicBandwidthUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{numberOf(serverCPU), rows.Decimal((*generated).RecordFlussonicCPUUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{numberOf(serverMemory), rows.Decimal((*generated).RecordFlussonicMemoryUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{numberOf(serverScheduler), rows.Decimal((*generated).RecordFlussonicSchedulerUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{numberOf(serverClients), rows.Whole((*generated).RecordFlussonicClientCountDataPoint)},
	{numberOf(serverStreams), rows.Whole((*generated).RecordFlussonicStreamCountDataPoint)},
	{numberOf(serverOnlineStreams), rows.Whole((*generated).RecordFlussonicStreamOnlineCountDataPoint)},
	{numberOf(serverOpenFiles), rows.Whole((*generated).RecordFlussonicFileOpenCountDataPoint)},
	{numberOf(serverInput), networkThroughput(receive).In(rows.Kilobits)},
	{numberOf(serverOutput), networkThroughput(transmit).In(rows.Kilobits)},
	{numberOf(serverStarted), rows.Decimal((*generated).RecordFlussonicStartTimeDataPoint).Within(minTime, maxTime)},
	{numberOf(serverUptime), rows.Decimal((*generated).RecordFlussonicUptimeDataPoint).Within(0, maxDuration)},
	{numberOf(serverDrops), rows.Whole((*generated).RecordFlussonicEventDropsDataPoint)},
	{numberOf(serverResends), rows.Whole((*generated).RecordFlussonicEventResendsDataPoint)},
}

func numberOf(field serverField) func(*server) number {
	return func(s *server) number { return s.Numbers[field] }
}

func networkThroughput(direction metadata.AttributeNetworkIoDirection) rows.Point[*generated, rows.None] {
	return rows.Decimal(rows.With((*generated).RecordFlussonicNetworkThroughputDataPoint, direction)).Within(0, maxThroughput)
}

// statsRows are the rows for numbers that only config/stats has.
var statsRows = []row[server, rows.None]{
	{func(s *server) number { return s.Alerts }, rows.Whole((*generated).RecordFlussonicAlertCountDataPoint)},
	{func(s *server) number { return flag(s.ConfigInvalid) }, rows.Whole((*generated).RecordFlussonicConfigInvalidDataPoint)},
	{
		func(s *server) number { return wordFlag(s.ConfigExternal, "loaded", "error") },
		rows.Whole((*generated).RecordFlussonicConfigExternalLoadedDataPoint),
	},
}

// wordFlag returns 1 for the word yes, 0 for the word no, and no number for any other.
func wordFlag(word, yes, no string) number {
	if word != yes && word != no {
		return number{}
	}
	return flag(optional.Of(word == yes))
}

// serverState is the point of the server's state, whose values are serverStates.
var (
	serverState  = rows.WholeOf((*generated).RecordFlussonicStateDataPoint)
	serverStates = slices.Sorted(maps.Values(metadata.MapAttributeFlussonicState))
)

// diskRows are the rows for a mounted file system with a path.
var diskRows = []row[disk, string]{
	{func(d *disk) number { return d.Bytes }, rows.WholeOf((*generated).RecordFlussonicDiskLimitDataPoint)},
	{(*disk).mebibytes, rows.WholeOf((*generated).RecordFlussonicDiskLimitDataPoint).In(rows.Mebibytes)},
	{func(d *disk) number { return d.Usage }, rows.DecimalOf((*generated).RecordFlussonicDiskUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(d *disk) number { return d.Busy }, rows.DecimalOf((*generated).RecordFlussonicDiskIoUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
}

// mebibytes returns the size of a disk in MiB, unless it is given in bytes.
func (d *disk) mebibytes() number {
	if _, ok := d.Bytes.Get(); ok {
		return number{}
	}
	return d.Mebibytes
}

// gpuName holds the attributes of a GPU.
type gpuName struct{ id, name string }

// gpuRows are the rows for a GPU.
var gpuRows = []row[gpu, gpuName]{
	{func(g *gpu) number { return g.Decoder }, ofGPU((*generated).RecordFlussonicGpuDecoderUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(g *gpu) number { return g.Encoder }, ofGPU((*generated).RecordFlussonicGpuEncoderUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(g *gpu) number { return g.Temperature }, ofGPU((*generated).RecordFlussonicGpuTemperatureDataPoint).Within(minTemperature, maxTemperature)},
	{(*gpu).memoryRatio, ofGPU((*generated).RecordFlussonicGpuMemoryUtilizationDataPoint).Within(0, maxRatio)},
}

func ofGPU(record func(*generated, timestamp, float64, string, string)) rows.Point[*generated, gpuName] {
	return rows.DecimalOf(func(mb *generated, start timestamp, v float64, g gpuName) { record(mb, start, v, g.id, g.name) })
}

// memoryRatio returns the ratio of used to total memory.
func (g *gpu) memoryRatio() number {
	used, ok := g.MemoryUsed.Get()
	if total, _ := g.MemoryTotal.Get(); ok && total > 0 {
		return optional.Of(used / total)
	}
	return number{}
}

// cardRows are the rows for a DVB card with a name.
var cardRows = []row[card, string]{
	{func(c *card) number { return c.Strength }, rows.DecimalOf((*generated).RecordFlussonicDvbSignalStrengthDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(c *card) number { return c.SNR }, rows.DecimalOf((*generated).RecordFlussonicDvbSignalSnrDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(c *card) number { return c.BitError }, rows.DecimalOf((*generated).RecordFlussonicDvbSignalBitErrorDataPoint).In(rows.Percent).Within(0, maxRatio)},
	{func(c *card) number { return flag(c.Locked) }, rows.WholeOf((*generated).RecordFlussonicDvbLockedDataPoint)},
}

// interfaceRows are the rows for a network interface with a name.
var interfaceRows = []row[ethernet, string]{
	{func(e *ethernet) number { return e.Received }, rows.WholeOf(rows.WithLast((*generated).RecordFlussonicNetworkIoDataPoint, receive))},
	{func(e *ethernet) number { return e.Transmit }, rows.WholeOf(rows.WithLast((*generated).RecordFlussonicNetworkIoDataPoint, transmit))},
}

// dvrRows are the rows for an archive with a name.
var dvrRows = []row[dvr, string]{
	{func(d *dvr) number { return d.Size }, rows.WholeOf((*generated).RecordFlussonicDvrLimitDataPoint)},
	{func(d *dvr) number { return d.Used }, rows.WholeOf((*generated).RecordFlussonicDvrUsageDataPoint)},
	{func(d *dvr) number { return d.Usage }, rows.DecimalOf((*generated).RecordFlussonicDvrUtilizationDataPoint).In(rows.Percent).Within(0, maxRatio)},
	dvrErrors("read_errors", metadata.AttributeFlussonicDvrOperationRead),
	dvrErrors("write_errors", metadata.AttributeFlussonicDvrOperationWrite),
	dvrErrors("delete_errors", metadata.AttributeFlussonicDvrOperationDelete),
	dvrErrors("drop_write_count", metadata.AttributeFlussonicDvrOperationDropWrite),
	dvrErrors("collapsed_write_count", metadata.AttributeFlussonicDvrOperationCollapsedWrite),
}

// dvrErrors returns the row for the failures of an operation of an archive.
func dvrErrors(key string, operation metadata.AttributeFlussonicDvrOperation) row[dvr, string] {
	return row[dvr, string]{
		func(d *dvr) number { return d.Errors[key] }, rows.WholeOf(rows.WithLast((*generated).RecordFlussonicDvrErrorsDataPoint, operation)),
	}
}

// dvrDiskName holds the attributes of a disk of an archive.
type dvrDiskName struct{ dvr, path string }

// dvrDiskRows are the rows for a disk of an archive.
var dvrDiskRows = []row[dvrDisk, dvrDiskName]{
	{func(d *dvrDisk) number { return d.Busy }, rows.DecimalOf(recordDVRDiskBusy).In(rows.Percent).Within(0, maxRatio)},
	{func(d *dvrDisk) number { return flag(d.Mounted) }, rows.WholeOf(recordDVRDiskMounted)},
	{func(d *dvrDisk) number { return d.Usage }, rows.DecimalOf(recordDVRDiskUsage).In(rows.Percent).Within(0, maxRatio)},
	{func(d *dvrDisk) number { return wordFlag(d.Status, "degraded", "active") }, rows.WholeOf(recordDVRDiskDegraded)},
}

func recordDVRDiskUsage(mb *generated, start timestamp, v float64, d dvrDiskName) {
	mb.RecordFlussonicDvrDiskUtilizationDataPoint(start, v, d.dvr, d.path)
}

func recordDVRDiskDegraded(mb *generated, start timestamp, n int64, d dvrDiskName) {
	mb.RecordFlussonicDvrDiskDegradedDataPoint(start, n, d.dvr, d.path)
}

// dvrDiskError holds the attributes of the errors of a disk of an archive.
type dvrDiskError struct {
	dvrDiskName
	errorType string
}

var dvrDiskErrors = rows.WholeOf(func(mb *generated, start timestamp, n int64, e dvrDiskError) {
	mb.RecordFlussonicDvrDiskErrorsDataPoint(start, n, e.dvr, e.path, e.errorType)
})

func recordDVRDiskBusy(mb *generated, start timestamp, v float64, d dvrDiskName) {
	mb.RecordFlussonicDvrDiskIoUtilizationDataPoint(start, v, d.dvr, d.path)
}

func recordDVRDiskMounted(mb *generated, start timestamp, n int64, d dvrDiskName) {
	mb.RecordFlussonicDvrDiskMountedDataPoint(start, n, d.dvr, d.path)
}

// peerStateName holds the attributes of the state of a peer.
type peerStateName struct {
	peer  string
	state metadata.AttributeFlussonicState
}

// peerState is the point of a peer's state, whose values are serverStates.
var peerState = rows.WholeOf(func(mb *generated, start timestamp, n int64, p peerStateName) {
	mb.RecordFlussonicClusterPeerStateDataPoint(start, n, p.peer, p.state)
})

// The attributes are the name of a peer for peerUp, a prefix for vodClients, and a group of sessions for sessionCount.
var (
	peerUp       = rows.WholeOf((*generated).RecordFlussonicClusterPeerUpDataPoint)
	vodClients   = rows.WholeOf((*generated).RecordFlussonicVodClientCountDataPoint)
	sessionCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, s session) {
		mb.RecordFlussonicSessionCountDataPoint(start, n, s.Protocol, s.Type, s.DVR)
	})
)
