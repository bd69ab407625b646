// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// transportRecord records transports.
type transportRecord struct {
	mb       *builder
	report   *scrape.Report
	coverage *coverageRecord
	topology *topology

	deltas   *cumulative.DeltaTracker
	increase [transportCounters]int64                  // reused
	sums     map[transportType]*[transportCounters]sum // since the first snapshot

	// State of the current snapshot.
	counts    tally[transportType]
	ice       tally[iceState]
	dtls      tally[dtlsState]
	sctp      tally[sctpState]
	protocols tally[protocol]
	bitrates  [directions]map[transportType]float64
	available [directions]figure // bits per second
	loss      [directions]figure
}

// directionOf is the attribute value of each direction.
var directionOf = [directions]direction{received: receive, sent: transmit}

func newTransportRecord(mb *builder, report *scrape.Report, coverage *coverageRecord, topology *topology) *transportRecord {
	kinds := make([]cumulative.CounterKind, transportCounters)
	for i := range kinds {
		kinds[i] = cumulative.Monotonic
	}
	return &transportRecord{
		mb: mb, report: report, coverage: coverage, topology: topology,
		deltas: cumulative.NewDeltaTracker(kinds...), sums: map[transportType]*[transportCounters]sum{},
		counts: tally[transportType]{}, ice: tally[iceState]{}, dtls: tally[dtlsState]{}, sctp: tally[sctpState]{}, protocols: tally[protocol]{},
		bitrates: [directions]map[transportType]float64{{}, {}},
	}
}

func (t *transportRecord) begin() {
	t.deltas.Begin()
	t.counts.begin()
	t.ice.begin()
	t.dtls.begin()
	t.sctp.begin()
	t.protocols.begin()
	for _, bitrates := range t.bitrates {
		for kind := range bitrates {
			bitrates[kind] = 0
		}
	}
	t.available, t.loss = [directions]figure{}, [directions]figure{}
}

// enum returns the attribute value for a string, unknown if there is none.
func enum[A any](values map[string]A, word []byte, unknown A) A {
	if value, known := values[string(word)]; known {
		return value
	}
	return unknown
}

// add counts a transport. If several have the same ID, the first one is used.
func (t *transportRecord) add(one *transport) {
	state, first := t.topology.transport(one.ID)
	if !first {
		t.report.Omit(metadata.AttributeRtcEntityTransport, metadata.AttributeRtcOmissionReasonMerged, 1)
		return
	}
	state.kind = enum(metadata.MapAttributeMediasoupTransportType, one.Type, metadata.AttributeMediasoupTransportTypeUnknown)
	router, _ := t.topology.router(one.RouterID)
	router.transports++
	state.worker = router.worker
	state.worker.transports.add(one.Measured, one.Carried)
	t.count(one, state.kind)

	if isParticipant(state.kind) {
		state.room = router.room
	}
	object, _ := t.deltas.Object(one.ID, one.Measured)
	t.coverage.lists[listTransports].add(one.Measured, one.Carried)
	if one.Measured {
		object.Add(0, one.Counters[:], t.increase[:])
		t.grow(one, state.kind)
		t.measure(one, state)
	}
	state.room.addTransport(t.report, one, &t.increase)
}

// count counts a transport by its properties. Some states exist only for some types of transports.
func (t *transportRecord) count(one *transport, kind transportType) {
	t.counts.add(kind, 1)
	t.protocols.add(enum(metadata.MapAttributeNetworkTransport, one.Protocol, metadata.AttributeNetworkTransportUnknown), 1)
	if len(one.ICE) > 0 {
		t.ice.add(enum(metadata.MapAttributeMediasoupIceState, one.ICE, metadata.AttributeMediasoupIceStateUnknown), 1)
	}
	if len(one.DTLS) > 0 {
		t.dtls.add(enum(metadata.MapAttributeMediasoupDtlsState, one.DTLS, metadata.AttributeMediasoupDtlsStateUnknown), 1)
	}
	if len(one.SCTP) > 0 {
		t.sctp.add(enum(metadata.MapAttributeMediasoupSctpState, one.SCTP, metadata.AttributeMediasoupSctpStateUnknown), 1)
	}
}

// grow adds what a transport has counted since the last snapshot.
func (t *transportRecord) grow(one *transport, kind transportType) {
	sums := t.sums[kind]
	if sums == nil {
		sums = &[transportCounters]sum{}
		t.sums[kind] = sums
	}
	for i := range sums {
		sums[i].add(t.report, t.increase[i], one.Counters[i] != cumulative.Absent)
	}
}

// measure adds the current values of a transport. Statistics carried over from an earlier snapshot are included in sums only.
func (t *transportRecord) measure(one *transport, state *transportState) {
	for i := range directions {
		if bits, ok := one.Bitrate[i].Get(); ok {
			t.bitrates[i][state.kind] += float64(bits)
			state.worker.bitrates[i] += float64(bits)
		}
		if one.Carried {
			continue
		}
		if bits, ok := one.Available[i].Get(); ok {
			t.available[i].add(float64(bits))
		}
		if loss, ok := one.Loss[i].Get(); ok {
			t.loss[i].add(loss)
		}
	}
}

func (t *transportRecord) record() {
	t.counts.record(t.mb, transportRows.Count)
	t.ice.record(t.mb, transportRows.ICE)
	t.dtls.record(t.mb, transportRows.DTLS)
	t.sctp.record(t.mb, transportRows.SCTP)
	t.protocols.record(t.mb, transportRows.Protocols)
	to := &transportRows.Measured
	for kind, sums := range t.sums {
		for i := range sums {
			recordSum(t.mb, to.Sums[i], &sums[i], kind)
		}
	}
	coverage := &t.coverage.lists[listTransports]
	if coverage.sufficesForSums() {
		for i, bitrates := range t.bitrates {
			for kind, bits := range bitrates {
				to.Throughput[i].RecordFloat(t.mb, bits, kind)
			}
		}
	}
	if coverage.sufficesForFigures() {
		for i, of := range directionOf {
			to.Available.record(t.mb, &t.available[i], of)
			to.Loss.record(t.mb, &t.loss[i], of)
		}
	}
}
