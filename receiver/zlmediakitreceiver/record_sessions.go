// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// sessions records the incoming connections.
type sessions struct {
	mb          *builder
	report      *scrape.Report
	client      *client
	recordPorts bool
	recordPeers bool
	recordInfos bool
	limit       int // of infos
	counts      *tally[sessionGroup]
	ports       *tally[sessionPort]
}

// sessionList holds the values to record from the list of sessions.
type sessionList struct {
	counts  map[sessionGroup]int64
	ports   map[sessionPort]int64
	peers   map[string]bool
	infos   []sessionInfo
	omitted int64 // sessions over the limit of infos
}

func newSessions(cfg *Config, mb *builder, report *scrape.Report, c *client) *sessions {
	m := &cfg.MetricsBuilderConfig.Metrics
	return &sessions{
		mb: mb, report: report, client: c,
		recordPorts: m.ZlmediakitSessionCountByPort.Enabled, recordPeers: m.ZlmediakitSessionPeerCount.Enabled,
		recordInfos: m.ZlmediakitSessionInfo.Enabled, limit: cfg.Streams.Limit,
		counts: newTally(sessionCount, sessionGroup{transport: metadata.AttributeNetworkTransportUnknown}),
		ports:  newTally(sessionCountByPort, sessionPort{}),
	}
}

// read requests the list of sessions.
func (s *sessions) read(ctx context.Context) (sessionList, error) {
	list := sessionList{counts: map[sessionGroup]int64{}, ports: map[sessionPort]int64{}, peers: map[string]bool{}}
	err := s.client.EachSession(ctx, func(one *session) { s.add(&list, one) })
	return list, err
}

func (s *sessions) add(list *sessionList, one *session) {
	group := groupOf(one)
	list.counts[group]++
	localPort, hasPort := one.LocalPort.Get()
	if s.recordPorts && hasPort {
		list.ports[sessionPort{group.sessionType, localPort}]++
	}
	if s.recordPeers && !list.peers[string(one.PeerIP)] {
		list.peers[string(one.PeerIP)] = true
	}
	if !s.recordInfos {
		return
	}
	if len(list.infos) == s.limit {
		list.omitted++
		return
	}
	peerPort, _ := one.PeerPort.Get()
	list.infos = append(list.infos, sessionInfo{
		sessionGroup: group, id: selection.Name(one.ID), class: selection.Name(one.TypeID),
		local: selection.Name(one.LocalIP), localPort: localPort,
		peer: selection.Name(one.PeerIP), peerPort: peerPort,
	})
}

func (s *sessions) record(list sessionList) {
	for group, n := range list.counts {
		s.counts.add(group, float64(n))
	}
	s.counts.record(s.mb)
	for port, n := range list.ports {
		s.ports.add(port, float64(n))
	}
	s.ports.record(s.mb)
	sessionPeerCount.Record(s.mb, int64(len(list.peers)), rows.None{})
	if !s.recordInfos {
		return
	}
	for i := range list.infos {
		sessionInfoPoint.Record(s.mb, 1, &list.infos[i])
	}
	s.report.Omit(metadata.AttributeRtcEntitySession, metadata.AttributeRtcOmissionReasonLimit, list.omitted)
}

// protocolTransports are the transports of session types that have only one, for servers that do not report it.
var protocolTransports = map[string]metadata.AttributeNetworkTransport{
	"http": metadata.AttributeNetworkTransportTCP,
	"rtmp": metadata.AttributeNetworkTransportTCP,
	"rtsp": metadata.AttributeNetworkTransportTCP,
	"srt":  metadata.AttributeNetworkTransportUDP,
}

func groupOf(s *session) sessionGroup {
	group := sessionGroup{sessionType: typeOf(string(s.TypeID))}
	transport, known := metadata.MapAttributeNetworkTransport[string(s.Transport)]
	if !known {
		transport, known = protocolTransports[group.protocol]
	}
	if !known {
		transport = metadata.AttributeNetworkTransportUnknown
	}
	group.transport = transport
	return group
}

// typeOf derives the type from a C++ class: http from mediakit::HttpSession, and http with TLS from
// toolkit::SessionWithSSL<mediakit::HttpSession>.
func typeOf(class string) sessionType {
	of := sessionType{tls: strings.Contains(class, "SessionWithSSL<")}
	if i := strings.LastIndexAny(class, ":<"); i >= 0 {
		class = class[i+1:]
	}
	class = strings.TrimSuffix(strings.TrimRight(class, " >"), "Session")
	of.protocol = selection.Name(strings.ToLower(class))
	return of
}
