// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

type (
	transportType = metadata.AttributeMediasoupTransportType
	direction     = metadata.AttributeNetworkIoDirection
)

// directionOf follows the order of received and sent.
var directionOf = [directions]direction{metadata.AttributeNetworkIoDirectionReceive, metadata.AttributeNetworkIoDirectionTransmit}

// transportState is what producers and consumers need to know of their transport. It is of the current snapshot.
type transportState struct {
	kind   transportType
	worker *workerState
}

// transportFlow is what bytes per second through transports are told apart by.
type transportFlow struct {
	kind      transportType
	direction int
}

// links turns transports into metrics.
type links struct {
	*scraper
	growth   *cumulative.Growth
	increase [transportCounters]int64

	sums map[transportType]*[transportCounters]sum // since the first snapshot

	// All that follows is of the current snapshot.
	counts    tally[transportType]
	ice       tally[metadata.AttributeMediasoupIceState]
	dtls      tally[metadata.AttributeMediasoupDtlsState]
	sctp      tally[metadata.AttributeMediasoupSctpState]
	protocols tally[metadata.AttributeNetworkTransport]
	flows     map[transportFlow]float64 // bits per second
	available [directions]figure        // bits per second
	loss      [directions]figure
}

func newLinks(s *scraper) *links {
	kinds := make([]cumulative.Kind, transportCounters)
	for i := range kinds {
		kinds[i] = cumulative.Monotonic
	}
	l := &links{scraper: s, growth: cumulative.NewGrowth(kinds...)}
	l.reset()
	return l
}

// reset forgets everything: the application has started again.
func (l *links) reset() {
	l.growth.Reset()
	l.sums = map[transportType]*[transportCounters]sum{}
	l.counts = tally[transportType]{}
	l.ice = tally[metadata.AttributeMediasoupIceState]{}
	l.dtls = tally[metadata.AttributeMediasoupDtlsState]{}
	l.sctp = tally[metadata.AttributeMediasoupSctpState]{}
	l.protocols = tally[metadata.AttributeNetworkTransport]{}
	l.flows = map[transportFlow]float64{}
}

func (l *links) begin() {
	l.growth.Begin()
	l.counts.begin()
	l.ice.begin()
	l.dtls.begin()
	l.sctp.begin()
	l.protocols.begin()
	for flow := range l.flows {
		l.flows[flow] = 0
	}
	l.available, l.loss = [directions]figure{}, [directions]figure{}
}

// enum returns the attribute that a word stands for, unknown where it stands for none.
func enum[A any](values map[string]A, word []byte, unknown A) A {
	if value, known := values[string(word)]; known {
		return value
	}
	return unknown
}

// findTransport returns what is kept of a transport, and whether this snapshot meets it for the first time.
func (s *scraper) findTransport(id []byte) (state *transportState, first bool) {
	item, first := s.transports.Get(id)
	if first {
		item.Value = transportState{kind: metadata.AttributeMediasoupTransportTypeUnknown, worker: &s.nobody}
	}
	return &item.Value, first
}

// add takes one transport.
func (l *links) add(t *transport) {
	state, first := l.findTransport(t.ID)
	if !first {
		l.merged(metadata.AttributeRtcEntityTransport)
		return
	}
	state.kind = enum(metadata.MapAttributeMediasoupTransportType, t.Type, metadata.AttributeMediasoupTransportTypeUnknown)
	router, _ := l.findRouter(t.RouterID)
	router.transports++
	state.worker = router.worker
	state.worker.transports++
	l.count(t, state.kind)

	object, _ := l.growth.Object(t.ID, t.Measured)
	l.coverage[listTransports].add(t.Measured, t.Carried)
	if !t.Measured {
		return
	}
	object.Add(0, t.Counters[:], l.increase[:])
	l.grow(state.kind, t)
	l.measure(state.kind, t)
}

// count counts a transport by what it is. Not every type has every state.
func (l *links) count(t *transport, kind transportType) {
	l.counts.add(kind, 1)
	l.protocols.add(enum(metadata.MapAttributeNetworkTransport, t.Protocol, metadata.AttributeNetworkTransportUnknown), 1)
	if len(t.ICE) > 0 {
		l.ice.add(enum(metadata.MapAttributeMediasoupIceState, t.ICE, metadata.AttributeMediasoupIceStateUnknown), 1)
	}
	if len(t.DTLS) > 0 {
		l.dtls.add(enum(metadata.MapAttributeMediasoupDtlsState, t.DTLS, metadata.AttributeMediasoupDtlsStateUnknown), 1)
	}
	if len(t.SCTP) > 0 {
		l.sctp.add(enum(metadata.MapAttributeMediasoupSctpState, t.SCTP, metadata.AttributeMediasoupSctpStateUnknown), 1)
	}
}

// grow adds what a transport counted since the last snapshot.
func (l *links) grow(kind transportType, t *transport) {
	sums := l.sums[kind]
	if sums == nil {
		sums = &[transportCounters]sum{}
		l.sums[kind] = sums
	}
	for i := range sums {
		l.addTo(&sums[i], l.increase[i], t.Counters[i] != cumulative.Absent)
	}
}

// measure takes what a transport does now. Statistics of an earlier snapshot are good enough for sums only.
func (l *links) measure(kind transportType, t *transport) {
	for i := range directions {
		if bits, ok := t.Bitrate[i].Get(); ok {
			l.flows[transportFlow{kind, i}] += float64(bits)
		}
		if t.Carried {
			continue
		}
		if bits, ok := t.Available[i].Get(); ok {
			l.available[i].add(float64(bits))
		}
		if loss, ok := t.Loss[i].Get(); ok {
			l.loss[i].add(loss)
		}
	}
}

// transportSums records the counters of transports.
var transportSums = [transportCounters]func(*builder, pcommon.Timestamp, int64, transportType){
	transportReceived:      directed((*builder).RecordMediasoupTransportIoDataPoint, received),
	transportSent:          directed((*builder).RecordMediasoupTransportIoDataPoint, sent),
	transportRTPReceived:   directed((*builder).RecordMediasoupTransportRtpIoDataPoint, received),
	transportRTPSent:       directed((*builder).RecordMediasoupTransportRtpIoDataPoint, sent),
	transportRTXReceived:   directed((*builder).RecordMediasoupTransportRtxIoDataPoint, received),
	transportRTXSent:       directed((*builder).RecordMediasoupTransportRtxIoDataPoint, sent),
	transportProbationSent: (*builder).RecordMediasoupTransportProbationIoDataPoint,
}

func directed(record func(*builder, pcommon.Timestamp, int64, transportType, direction), to int) func(*builder, pcommon.Timestamp, int64, transportType) {
	return func(mb *builder, now pcommon.Timestamp, n int64, kind transportType) {
		record(mb, now, n, kind, directionOf[to])
	}
}

func (l *links) record() {
	for kind, n := range l.counts {
		l.mb.RecordMediasoupTransportCountDataPoint(l.now, n, kind)
	}
	for state, n := range l.ice {
		l.mb.RecordMediasoupTransportCountByIceStateDataPoint(l.now, n, state)
	}
	for state, n := range l.dtls {
		l.mb.RecordMediasoupTransportCountByDtlsStateDataPoint(l.now, n, state)
	}
	for state, n := range l.sctp {
		l.mb.RecordMediasoupTransportCountBySctpStateDataPoint(l.now, n, state)
	}
	for protocol, n := range l.protocols {
		l.mb.RecordMediasoupTransportCountByProtocolDataPoint(l.now, n, protocol)
	}
	for kind, sums := range l.sums {
		for i, record := range transportSums {
			if sums[i].told {
				record(l.mb, l.now, sums[i].value, kind)
			}
		}
	}
	if l.coverage[listTransports].forSums() {
		for flow, bits := range l.flows {
			l.mb.RecordMediasoupTransportThroughputDataPoint(l.now, bits/8, flow.kind, directionOf[flow.direction])
		}
	}
	if l.coverage[listTransports].forFigures() {
		l.recordFigures()
	}
}

func (l *links) recordFigures() {
	for i, to := range directionOf {
		if f := &l.available[i]; f.n > 0 {
			l.mb.RecordMediasoupTransportAvailableThroughputAverageDataPoint(l.now, f.average()/8, to)
			l.mb.RecordMediasoupTransportAvailableThroughputMinDataPoint(l.now, f.min/8, to)
			l.mb.RecordMediasoupTransportAvailableThroughputMaxDataPoint(l.now, f.max/8, to)
		}
		if f := &l.loss[i]; f.n > 0 {
			l.mb.RecordMediasoupTransportPacketLossAverageDataPoint(l.now, f.average(), to)
			l.mb.RecordMediasoupTransportPacketLossMaxDataPoint(l.now, f.max, to)
		}
	}
}
