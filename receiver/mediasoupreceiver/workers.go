// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// Here is what the agent tells of the application as a whole, of its workers and of their routers.

type (
	// intPoint and doublePoint record a point without attributes.
	intPoint    = func(*builder, pcommon.Timestamp, int64)
	doublePoint = func(*builder, pcommon.Timestamp, float64)
)

// counters are the events that the agent counts since the application started.
var counters = []struct {
	name   string
	metric string
	record intPoint
}{
	{"workersDied", metadata.MetricsInfo.MediasoupWorkerDeaths.Name, (*builder).RecordMediasoupWorkerDeathsDataPoint},
	{"routersCreated", metadata.MetricsInfo.MediasoupRouterCreations.Name, (*builder).RecordMediasoupRouterCreationsDataPoint},
	{"routersClosed", metadata.MetricsInfo.MediasoupRouterClosures.Name, (*builder).RecordMediasoupRouterClosuresDataPoint},
	{"transportsCreated", metadata.MetricsInfo.MediasoupTransportCreations.Name, (*builder).RecordMediasoupTransportCreationsDataPoint},
	{"transportsClosed", metadata.MetricsInfo.MediasoupTransportClosures.Name, (*builder).RecordMediasoupTransportClosuresDataPoint},
	{"iceDisconnected", metadata.MetricsInfo.MediasoupTransportIceDisconnections.Name, (*builder).RecordMediasoupTransportIceDisconnectionsDataPoint},
	{"dtlsFailed", metadata.MetricsInfo.MediasoupTransportDtlsFailures.Name, (*builder).RecordMediasoupTransportDtlsFailuresDataPoint},
	{"sctpFailed", metadata.MetricsInfo.MediasoupTransportSctpFailures.Name, (*builder).RecordMediasoupTransportSctpFailuresDataPoint},
	{"producersCreated", metadata.MetricsInfo.MediasoupProducerCreations.Name, (*builder).RecordMediasoupProducerCreationsDataPoint},
	{"producersClosed", metadata.MetricsInfo.MediasoupProducerClosures.Name, (*builder).RecordMediasoupProducerClosuresDataPoint},
	{"consumersCreated", metadata.MetricsInfo.MediasoupConsumerCreations.Name, (*builder).RecordMediasoupConsumerCreationsDataPoint},
	{"consumersClosed", metadata.MetricsInfo.MediasoupConsumerClosures.Name, (*builder).RecordMediasoupConsumerClosuresDataPoint},
	{"statsErrors", metadata.MetricsInfo.MediasoupAgentErrors.Name, agentErrors(metadata.AttributeAgentErrorTypeFailed)},
	{"statsTimeouts", metadata.MetricsInfo.MediasoupAgentErrors.Name, agentErrors(metadata.AttributeAgentErrorTypeTimeout)},
}

func agentErrors(t metadata.AttributeAgentErrorType) intPoint {
	return func(mb *builder, now pcommon.Timestamp, n int64) { mb.RecordMediasoupAgentErrorsDataPoint(now, n, t) }
}

// seconds records milliseconds that may be absent.
func (s *scraper) seconds(ms optional.Value[float64], record doublePoint) {
	if v, ok := ms.Get(); ok {
		record(s.mb, s.now, v/1000)
	}
}

// recordApplication records what the agent tells besides the objects.
func (s *scraper) recordApplication() {
	start := s.applicationStart()
	for _, c := range counters {
		if n, told := s.told.Counters[c.name]; told {
			c.record(s.mb, s.now, n)
			s.starts.Add(c.metric, start, s.now)
		}
	}
	if n, ok := s.told.Servers.Get(); ok {
		s.mb.RecordMediasoupWebrtcServerCountDataPoint(s.now, n)
	}
	s.recordProcess(start)
	s.recordCollection()
}

func (s *scraper) recordProcess(start pcommon.Timestamp) {
	p := &s.told.Process
	cpuTime := metadata.MetricsInfo.MediasoupProcessCPUTime.Name
	for mode, ms := range map[metadata.AttributeCPUMode]optional.Value[float64]{
		metadata.AttributeCPUModeUser: p.CPUUser, metadata.AttributeCPUModeSystem: p.CPUSystem,
	} {
		s.seconds(ms, func(mb *builder, now pcommon.Timestamp, v float64) {
			mb.RecordMediasoupProcessCPUTimeDataPoint(now, v, mode)
			s.starts.Add(cpuTime, start, now)
		})
	}
	if n, ok := p.Memory.Get(); ok {
		s.mb.RecordMediasoupProcessMemoryUsageDataPoint(s.now, n)
	}
	s.seconds(p.Lag, (*builder).RecordMediasoupAgentEventLoopLagDataPoint)
	from, hasStart := p.StartTime.Get()
	to, hasTime := s.told.Time.Get()
	if hasStart && hasTime && to >= from {
		s.mb.RecordMediasoupUptimeDataPoint(s.now, float64(to-from)/1000)
	}
}

func (s *scraper) recordCollection() {
	c := &s.told.Collection
	s.seconds(c.Duration, (*builder).RecordMediasoupAgentCollectionDurationDataPoint)
	if !c.Present {
		return
	}
	for _, m := range measurable {
		list := lists[m.list].name
		s.mb.RecordMediasoupAgentSkippedCountDataPoint(s.now, c.Skipped[list], m.entity, metadata.AttributeMediasoupSkipReasonLimit)
		s.mb.RecordMediasoupAgentSkippedCountDataPoint(s.now, c.Errors[list], m.entity, metadata.AttributeMediasoupSkipReasonError)
		s.mb.RecordMediasoupAgentSkippedCountDataPoint(s.now, c.Carried[list], m.entity, metadata.AttributeMediasoupSkipReasonCarried)
	}
}

// applicationStart returns when the application started, or when the receiver did where it does not tell.
func (s *scraper) applicationStart() pcommon.Timestamp {
	return startOf(s.told.Process.StartTime, s.report.Began())
}

// startOf returns a Unix time in milliseconds as a timestamp, or otherwise where it is absent or later than timestamps can be.
func startOf(ms optional.Value[int64], otherwise pcommon.Timestamp) pcommon.Timestamp {
	if v, ok := ms.Get(); ok && v <= math.MaxInt64/int64(time.Millisecond) {
		return pcommon.NewTimestampFromTime(time.UnixMilli(v))
	}
	return otherwise
}

// workerState is what is kept of one worker. All of it is of the current snapshot.
type workerState struct {
	listed              bool // else a router names it and nothing is known of it
	start               optional.Value[int64]
	usage               [usageCount]optional.Value[int64]
	routers, transports int64
	objects             [roles]int64 // producers and consumers
}

// routerState is what is kept of one router. All of it is of the current snapshot.
type routerState struct {
	listed     bool // else a transport names it and nothing is known of it
	worker     *workerState
	observers  optional.Value[int64]
	transports int64
}

// findWorker returns what is kept of a worker, and whether this snapshot meets it for the first time.
func (s *scraper) findWorker(id []byte) (state *workerState, first bool) {
	s.name = selection.AppendName(s.name[:0], id)
	item, first := s.workers.Get(s.name)
	if first {
		item.Value = workerState{}
	}
	return &item.Value, first
}

func (s *scraper) findRouter(id []byte) (state *routerState, first bool) {
	item, first := s.routers.Get(id)
	if first {
		item.Value = routerState{worker: &s.nobody}
	}
	return &item.Value, first
}

// merged counts an object that the snapshot lists twice, or whose id equals another's in attributes: the first one counts.
func (s *scraper) merged(entity metadata.AttributeRtcEntity) {
	s.report.Omit(entity, metadata.AttributeRtcOmissionReasonMerged, 1)
}

func (s *scraper) addWorker(w *worker) {
	state, first := s.findWorker(w.ID)
	if !first {
		s.merged(metadata.AttributeRtcEntityWorker)
		return
	}
	state.listed, state.start, state.usage = true, w.StartTime, w.Usage
	s.coverage[listWorkers].add(w.Measured, w.Carried)
}

func (s *scraper) addRouter(r *router) {
	state, first := s.findRouter(r.ID)
	if !first {
		s.merged(metadata.AttributeRtcEntityRouter)
		return
	}
	state.listed, state.observers = true, r.Observers
	state.worker, _ = s.findWorker(r.WorkerID)
	state.worker.routers++
}

// usagePoint records one figure of a worker.
type usagePoint = func(mb *builder, now pcommon.Timestamp, n int64, worker string)

// usages are the figures of a worker; sum names the metric of those that count since the worker's start.
var usages = [usageCount]struct {
	sum    string
	record usagePoint
}{
	usageUserTime:            {metadata.MetricsInfo.MediasoupWorkerCPUTime.Name, cpuTime(metadata.AttributeCPUModeUser)},
	usageSystemTime:          {metadata.MetricsInfo.MediasoupWorkerCPUTime.Name, cpuTime(metadata.AttributeCPUModeSystem)},
	usagePeakMemory:          {"", recordPeakMemory},
	usageMinorFaults:         {metadata.MetricsInfo.MediasoupWorkerPageFaults.Name, usageBy((*builder).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMinor)},
	usageMajorFaults:         {metadata.MetricsInfo.MediasoupWorkerPageFaults.Name, usageBy((*builder).RecordMediasoupWorkerPageFaultsDataPoint, metadata.AttributeMediasoupPageFaultTypeMajor)},
	usageBlockReads:          {metadata.MetricsInfo.MediasoupWorkerBlockOperations.Name, usageBy((*builder).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionRead)},
	usageBlockWrites:         {metadata.MetricsInfo.MediasoupWorkerBlockOperations.Name, usageBy((*builder).RecordMediasoupWorkerBlockOperationsDataPoint, metadata.AttributeDiskIoDirectionWrite)},
	usageVoluntarySwitches:   {metadata.MetricsInfo.MediasoupWorkerContextSwitches.Name, usageBy((*builder).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeVoluntary)},
	usageInvoluntarySwitches: {metadata.MetricsInfo.MediasoupWorkerContextSwitches.Name, usageBy((*builder).RecordMediasoupWorkerContextSwitchesDataPoint, metadata.AttributeMediasoupContextSwitchTypeInvoluntary)},
}

// usageBy records a whole number with a fixed attribute.
func usageBy[A any](record func(*builder, pcommon.Timestamp, int64, string, A), attribute A) usagePoint {
	return func(mb *builder, now pcommon.Timestamp, n int64, worker string) {
		record(mb, now, n, worker, attribute)
	}
}

func cpuTime(mode metadata.AttributeCPUMode) usagePoint {
	return func(mb *builder, now pcommon.Timestamp, ms int64, worker string) {
		mb.RecordMediasoupWorkerCPUTimeDataPoint(now, float64(ms)/1000, worker, mode)
	}
}

// recordPeakMemory multiplies a number of at most maxExact, so that the product is at most 2^63 - 1024.
func recordPeakMemory(mb *builder, now pcommon.Timestamp, kib int64, worker string) {
	mb.RecordMediasoupWorkerMemoryPeakDataPoint(now, kib*1024, worker)
}

func (s *scraper) recordWorkers() {
	n := int64(0)
	for _, item := range s.workers.Seen() {
		state, id := &item.Value, item.Name
		if !state.listed {
			continue
		}
		n++
		s.mb.RecordMediasoupRouterCountDataPoint(s.now, state.routers, id)
		s.mb.RecordMediasoupTransportCountByWorkerDataPoint(s.now, state.transports, id)
		s.mb.RecordMediasoupProducerCountByWorkerDataPoint(s.now, state.objects[producers], id)
		s.mb.RecordMediasoupConsumerCountByWorkerDataPoint(s.now, state.objects[consumers], id)
		s.recordUsage(state, id)
	}
	s.mb.RecordMediasoupWorkerCountDataPoint(s.now, n)
}

func (s *scraper) recordUsage(state *workerState, id string) {
	start := startOf(state.start, s.applicationStart())
	for i, usage := range usages {
		v, ok := state.usage[i].Get()
		if !ok {
			continue
		}
		usage.record(s.mb, s.now, v, id)
		if usage.sum != "" {
			s.starts.Add(usage.sum, start, s.now)
		}
	}
}

func (s *scraper) recordRouters() {
	empty, observers := int64(0), sum{}
	for _, item := range s.routers.Seen() {
		state := &item.Value
		if !state.listed {
			continue
		}
		if state.transports == 0 {
			empty++
		}
		n, ok := state.observers.Get()
		s.addTo(&observers, n, ok)
	}
	s.mb.RecordMediasoupRouterEmptyCountDataPoint(s.now, empty)
	if observers.told {
		s.mb.RecordMediasoupRtpObserverCountDataPoint(s.now, observers.value)
	}
}
