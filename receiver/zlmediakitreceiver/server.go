// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// Here is what the server tells of itself as a whole: threads, objects, memory, sessions, APIs.

func (s *scraper) threads(now pcommon.Timestamp, api string, pool metadata.AttributeZlmediakitThreadPool) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) ([]thread, error) { return s.client.Threads(ctx, api) },
		func(threads []thread) { s.recordThreads(now, pool, threads) },
	)
}

func (s *scraper) recordThreads(now pcommon.Timestamp, pool metadata.AttributeZlmediakitThreadPool, threads []thread) {
	s.mb.RecordZlmediakitThreadCountDataPoint(now, int64(len(threads)), pool)
	for _, t := range threads {
		name := selection.Name(t.Name)
		if percent, ok := t.Load.Get(); ok {
			s.mb.RecordZlmediakitThreadUtilizationDataPoint(now, float64(percent)/100, pool, name)
		}
		if ms, ok := t.Delay.Get(); ok {
			s.mb.RecordZlmediakitThreadDelayDataPoint(now, float64(ms)/1000, pool, name)
		}
		if fds, ok := t.FDs.Get(); ok {
			s.mb.RecordZlmediakitThreadFileDescriptorCountDataPoint(now, fds, pool, name)
		}
	}
}

// objectTypes are the classes that getStatistic counts.
var objectTypes = map[string]metadata.AttributeZlmediakitObjectType{
	"Buffer":                metadata.AttributeZlmediakitObjectTypeBuffer,
	"BufferLikeString":      metadata.AttributeZlmediakitObjectTypeBufferLikeString,
	"BufferList":            metadata.AttributeZlmediakitObjectTypeBufferList,
	"BufferRaw":             metadata.AttributeZlmediakitObjectTypeBufferRaw,
	"Frame":                 metadata.AttributeZlmediakitObjectTypeFrame,
	"FrameImp":              metadata.AttributeZlmediakitObjectTypeFrameImp,
	"MediaSource":           metadata.AttributeZlmediakitObjectTypeMediaSource,
	"MultiMediaSourceMuxer": metadata.AttributeZlmediakitObjectTypeMultiMediaSourceMuxer,
	"RtmpPacket":            metadata.AttributeZlmediakitObjectTypeRtmpPacket,
	"RtpPacket":             metadata.AttributeZlmediakitObjectTypeRtpPacket,
	"Socket":                metadata.AttributeZlmediakitObjectTypeSocket,
	"TcpClient":             metadata.AttributeZlmediakitObjectTypeTCPClient,
	"TcpServer":             metadata.AttributeZlmediakitObjectTypeTCPServer,
	"TcpSession":            metadata.AttributeZlmediakitObjectTypeTCPSession,
	"UdpServer":             metadata.AttributeZlmediakitObjectTypeUDPServer,
	"UdpSession":            metadata.AttributeZlmediakitObjectTypeUDPSession,
}

func isObjectType(class string) bool {
	_, known := objectTypes[class]
	return known
}

func (s *scraper) statistic(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) (statistic, error) { return s.client.Statistic(ctx, isObjectType) },
		func(st statistic) { s.recordStatistic(now, st) },
	)
}

func (s *scraper) recordStatistic(now pcommon.Timestamp, st statistic) {
	for class, n := range st.Objects {
		s.mb.RecordZlmediakitObjectCountDataPoint(now, n, objectTypes[class])
	}
	if n, ok := st.Memory.Get(); ok {
		s.mb.RecordZlmediakitMemoryUsageDataPoint(now, n)
	}
	if n, ok := st.MemoryBlocks.Get(); ok {
		s.mb.RecordZlmediakitMemoryBlockCountDataPoint(now, n)
	}
	threads := map[string]int64{} // several threads may have one name
	for _, t := range st.Threads {
		if n, ok := t.Bytes.Get(); ok {
			name := selection.Name(t.Name)
			threads[name] += min(n, math.MaxInt64-threads[name])
		}
	}
	for name, n := range threads {
		s.mb.RecordZlmediakitThreadMemoryUsageDataPoint(now, n, name)
	}
}

// count asks for the length of a list.
func (s *scraper) count(api string, record func(int64)) func(context.Context) (func(), error) {
	return scrape.Fetch(func(ctx context.Context) (int64, error) { return s.client.Count(ctx, api) }, record)
}

// recordAPIs records what the server offers, which stays the same while it runs.
func (s *scraper) recordAPIs(now pcommon.Timestamp) {
	if s.apis.value == nil {
		return
	}
	s.mb.RecordZlmediakitAPICountDataPoint(now, int64(len(s.apis.value)))
	for _, name := range s.apis.value {
		s.mb.RecordZlmediakitAPIAvailableDataPoint(now, 1, selection.Name(name))
	}
}

// sessionKind is what sessions are counted by.
type sessionKind struct {
	protocol  string
	transport metadata.AttributeNetworkTransport
}

// sessionInfo is a session with its addresses.
type sessionInfo struct {
	kind                   sessionKind
	id, class, local, peer string
	localPort, peerPort    int64
}

// sessions is what is kept of the list of sessions.
type sessions struct {
	counts map[sessionKind]int64
	peers  map[string]bool
	infos  []sessionInfo
	over   int64 // sessions over the limit of infos
}

func (s *scraper) sessions(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) (sessions, error) {
			all := sessions{counts: map[sessionKind]int64{}, peers: map[string]bool{}}
			err := s.client.EachSession(ctx, func(one *session) { s.addSession(&all, one) })
			return all, err
		},
		func(all sessions) { s.recordSessions(now, &all) },
	)
}

func (s *scraper) addSession(all *sessions, one *session) {
	kind := kindOf(one)
	all.counts[kind]++
	m := &s.cfg.MetricsBuilderConfig.Metrics
	if m.ZlmediakitSessionPeerCount.Enabled && !all.peers[string(one.PeerIP)] {
		all.peers[string(one.PeerIP)] = true
	}
	if !m.ZlmediakitSessionInfo.Enabled {
		return
	}
	if len(all.infos) == s.cfg.Streams.Limit {
		all.over++
		return
	}
	localPort, _ := one.LocalPort.Get()
	peerPort, _ := one.PeerPort.Get()
	all.infos = append(all.infos, sessionInfo{
		kind: kind, id: selection.Name(one.ID), class: selection.Name(one.TypeID),
		local: selection.Name(one.LocalIP), localPort: localPort,
		peer: selection.Name(one.PeerIP), peerPort: peerPort,
	})
}

func (s *scraper) recordSessions(now pcommon.Timestamp, all *sessions) {
	for kind, n := range all.counts {
		s.sessionCounts.add(kind, n)
	}
	s.sessionCounts.end(sessionKind{transport: metadata.AttributeNetworkTransportUnknown}, func(kind sessionKind, n int64) {
		s.mb.RecordZlmediakitSessionCountDataPoint(now, n, kind.protocol, kind.transport)
	})
	s.mb.RecordZlmediakitSessionPeerCountDataPoint(now, int64(len(all.peers)))
	if !s.cfg.MetricsBuilderConfig.Metrics.ZlmediakitSessionInfo.Enabled {
		return
	}
	for _, i := range all.infos {
		s.mb.RecordZlmediakitSessionInfoDataPoint(now, 1, i.id, i.kind.protocol, i.class, i.kind.transport, i.local, i.localPort, i.peer, i.peerPort)
	}
	s.report.Omit(metadata.AttributeRtcEntitySession, metadata.AttributeRtcOmissionReasonLimit, all.over)
}

// protocolTransports are the transports of session types that know only one, for servers that do not tell.
var protocolTransports = map[string]metadata.AttributeNetworkTransport{
	"http": metadata.AttributeNetworkTransportTCP,
	"rtmp": metadata.AttributeNetworkTransportTCP,
	"rtsp": metadata.AttributeNetworkTransportTCP,
	"srt":  metadata.AttributeNetworkTransportUDP,
}

func kindOf(s *session) sessionKind {
	kind := sessionKind{protocol: protocolOf(string(s.TypeID))}
	transport, known := metadata.MapAttributeNetworkTransport[string(s.Transport)]
	if !known {
		transport, known = protocolTransports[kind.protocol]
	}
	if !known {
		transport = metadata.AttributeNetworkTransportUnknown
	}
	kind.transport = transport
	return kind
}

// protocolOf reads the protocol off a C++ class: http of mediakit::HttpSession and of toolkit::SessionWithSSL<mediakit::HttpSession>.
func protocolOf(class string) string {
	if i := strings.LastIndexAny(class, ":<"); i >= 0 {
		class = class[i+1:]
	}
	class = strings.TrimSuffix(strings.TrimRight(class, " >"), "Session")
	return selection.Name([]byte(strings.ToLower(class)))
}
