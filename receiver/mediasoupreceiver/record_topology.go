// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"math"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// topology records workers and routers. It keeps them and the transports of the current snapshot by ID, for the objects that refer to
// them.
type topology struct {
	mb       *builder
	report   *scrape.Report
	coverage *coverageRecord
	rooms    *roomRecord // of the instance; nil without rooms

	workers    *selection.Set[workerState]
	routers    *selection.Set[routerState]
	transports *selection.Set[transportState]

	unknownWorker workerState // for objects whose worker is unknown
	name          []byte      // reused
}

// workerState is the state of a worker in the current snapshot.
type workerState struct {
	listed     bool // false if only a router refers to it
	start      optional.Value[int64]
	usage      [usageCount]optional.Value[int64]
	memory     optional.Value[int64]
	responsive optional.Value[bool]
	routers    int64
	objects    [roles]int64 // producers and consumers
	transports coverage
	bitrates   [directions]float64 // of its transports
}

// routerState is the state of a router in the current snapshot.
type routerState struct {
	listed     bool  // false if only a transport refers to it
	room       *room // nil if it is in none
	worker     *workerState
	observers  optional.Value[int64]
	transports int64
}

// transportState is the state of a transport in the current snapshot that its producers and consumers need.
type transportState struct {
	kind   transportType
	worker *workerState
	room   *room // nil if it is in none
}

func newTopology(mb *builder, report *scrape.Report, coverage *coverageRecord, maxWorkers int) *topology {
	everything := selection.Config{Limit: math.MaxInt}
	return &topology{
		mb: mb, report: report, coverage: coverage,
		workers:    selection.New[workerState](selection.Config{Limit: maxWorkers}),
		routers:    selection.New[routerState](everything),
		transports: selection.New[transportState](everything),
	}
}

func (t *topology) begin() {
	t.workers.Begin()
	t.routers.Begin()
	t.transports.Begin()
	t.rooms.begin()
}

func (t *topology) end(complete bool) {
	t.workers.End(complete)
	t.routers.End(complete)
	t.transports.End(complete)
	t.rooms.end(complete)
}

// worker returns the state of a worker, and whether this is its first occurrence in the snapshot.
func (t *topology) worker(id []byte) (state *workerState, first bool) {
	t.name = selection.AppendName(t.name[:0], id)
	item, first := t.workers.Get(t.name)
	if first {
		item.Value = workerState{}
	}
	return &item.Value, first
}

// router returns the state of a router, and whether this is its first occurrence in the snapshot.
func (t *topology) router(id []byte) (state *routerState, first bool) {
	item, first := t.routers.Get(id)
	if first {
		item.Value = routerState{worker: &t.unknownWorker}
	}
	return &item.Value, first
}

// transport returns the state of a transport, and whether this is its first occurrence in the snapshot.
func (t *topology) transport(id []byte) (state *transportState, first bool) {
	item, first := t.transports.Get(id)
	if first {
		item.Value = transportState{kind: metadata.AttributeMediasoupTransportTypeUnknown, worker: &t.unknownWorker}
	}
	return &item.Value, first
}

// addWorker counts a worker. If several have the same ID, the first one is used.
func (t *topology) addWorker(w *worker) {
	state, first := t.worker(w.ID)
	if !first {
		t.report.Omit(metadata.AttributeRtcEntityWorker, metadata.AttributeRtcOmissionReasonMerged, 1)
		return
	}
	state.listed, state.start, state.usage = true, w.StartTime, w.Usage
	state.memory, state.responsive = w.Memory, w.Responsive
	if _, reported := state.responsive.Get(); !reported && w.Measured {
		state.responsive = optional.Of(true)
	}
	t.coverage.lists[listWorkers].add(w.Measured, w.Carried)
}

// addRouter counts a router. If several have the same ID, the first one is used.
func (t *topology) addRouter(r *router) {
	state, first := t.router(r.ID)
	if !first {
		t.report.Omit(metadata.AttributeRtcEntityRouter, metadata.AttributeRtcOmissionReasonMerged, 1)
		return
	}
	state.listed, state.observers, state.room = true, r.Observers, t.rooms.room(r)
	state.worker, _ = t.worker(r.WorkerID)
	state.worker.routers++
}

// record records the workers and routers of an application that started at start. now is the time of the snapshot.
func (t *topology) record(start timestamp, now optional.Value[int64]) {
	n, omitted := int64(0), int64(0)
	for _, item := range t.workers.Items() {
		if !item.Value.listed {
			continue
		}
		n++
		t.recordWorker(&item.Value, item.Name, start, now)
		if item.Kept {
			item.Value.recordObjects(t.mb, item.Name)
		} else {
			omitted++
		}
	}
	t.report.Omit(metadata.AttributeRtcEntityWorker, metadata.AttributeRtcOmissionReasonLimit, omitted)
	workerRows.Count.Record(t.mb, n, none{})
	t.recordRouters()
}

// recordWorker records a worker. If its start time is absent, its counters start with the application.
func (t *topology) recordWorker(state *workerState, id string, start timestamp, now optional.Value[int64]) {
	workerRows.Routers.Record(t.mb, state.routers, id)
	if started, ok := state.start.Get(); ok {
		if now, ok := now.Get(); ok {
			workerRows.Uptime.Record(t.mb, now-started, id)
		}
	}
	to := &workerRows.Measured
	if bytes, ok := state.memory.Get(); ok {
		to.Memory.Record(t.mb, bytes, id)
	}
	if responsive, ok := state.responsive.Get(); ok {
		to.Responsive.Record(t.mb, rows.BoolToInt(responsive), id)
	}
	start = startOf(state.start, start)
	for i := range state.usage {
		if n, ok := state.usage[i].Get(); ok {
			to.Usage[i].RecordSince(t.mb, start, n, id)
		}
	}
	if state.transports.sufficesForSums() {
		for i, bits := range state.bitrates {
			workerRows.Throughput[i].RecordFloat(t.mb, bits, id)
		}
	}
}

// recordObjects records the numbers of objects of a worker.
func (w *workerState) recordObjects(mb *builder, id string) {
	workerRows.Transports.Record(mb, w.transports.listed, id)
	for r, n := range w.objects {
		workerRows.Objects[r].Record(mb, n, id)
	}
}

func (t *topology) recordRouters() {
	empty, observers := int64(0), sum{}
	for _, item := range t.routers.Items() {
		state := &item.Value
		if !state.listed {
			continue
		}
		if state.transports == 0 {
			empty++
		}
		n, ok := state.observers.Get()
		observers.add(t.report, n, ok)
	}
	routerRows.Empty.Record(t.mb, empty, none{})
	if observers.reported {
		routerRows.Observers.Record(t.mb, observers.value, none{})
	}
}
