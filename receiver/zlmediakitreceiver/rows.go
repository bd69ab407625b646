// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

type (
	generated = metadata.MetricsBuilder
	builder   = rows.Builder[*generated]
	timestamp = pcommon.Timestamp
	number    = optional.Value[int64]
)

// row maps a number in a response T to a metric whose attributes are taken from K.
type row[T, K any] struct {
	value func(*T) number
	Point rows.Point[*generated, K]
}

// recordRows records the numbers that the server sent.
func recordRows[T, K any](table []row[T, K], mb *builder, answer *T, of K) {
	for i := range table {
		if n, ok := table[i].value(answer).Get(); ok {
			table[i].Point.Record(mb, n, of)
		}
	}
}

// yesNo returns 1 for true, 0 for false, and no number if b is absent.
func yesNo(b optional.Value[bool]) number {
	if yes, ok := b.Get(); ok {
		return optional.Of(rows.BoolToInt(yes))
	}
	return number{}
}

// callTables lists, for each call, the tables whose metrics are missing if it fails.
var callTables = map[string][]any{
	apiList:           {offeredAPICount, offeredAPI},
	apiServerConfig:   {rtpServerLimit, streamAlive, streamStatePoint, streamCountByState},
	apiNetworkThreads: {threadCount, threadRows},
	apiWorkThreads:    {threadCount, threadRows},
	apiStatistic:      {statisticRows, objectCount, threadMemoryUsage},
	apiSessions:       {sessionCount, sessionCountByPort, sessionPeerCount, sessionInfoPoint},
	apiPullProxies:    {proxyTables, streamAlive, streamStatePoint, streamCountByState},
	apiPushProxies:    {proxyTables},
	apiRTPServers:     {rtpServerCount, rtpServerInfo, rtpServerPresent, rtpServerIdleCount},
	apiFFmpegSources:  {lengthRows[apiFFmpegSources]},
	apiRooms:          {lengthRows[apiRooms]},
	apiRoomKeepers:    {lengthRows[apiRoomKeepers]},
	apiMediaList:      {streamTables, mediaListAge, rtpServerIdleCount, packetLoss, senderTables},
	apiMediaInfo:      {packetLoss},
	apiRTPSenders:     {senderTables},
}

// lengthRows holds the metrics of lists of which only the length is reported.
var lengthRows = map[string]rows.Point[*generated, rows.None]{
	apiFFmpegSources: rows.Whole((*generated).RecordZlmediakitFfmpegSourceCountDataPoint),
	apiRooms:         rows.Whole((*generated).RecordZlmediakitWebrtcRoomCountDataPoint),
	apiRoomKeepers:   rows.Whole((*generated).RecordZlmediakitWebrtcRoomKeeperCountDataPoint),
}

// The APIs that the server offers.
var (
	offeredAPICount = rows.Whole((*generated).RecordZlmediakitAPICountDataPoint)
	offeredAPI      = rows.WholeOf((*generated).RecordZlmediakitAPIAvailableDataPoint)
)

type threadPool = metadata.AttributeZlmediakitThreadPool

// threadID identifies a thread.
type threadID struct {
	pool threadPool
	name string
}

var (
	threadCount = rows.WholeOf((*generated).RecordZlmediakitThreadCountDataPoint)
	threadRows  = []row[thread, threadID]{
		{func(t *thread) number { return t.Load }, rows.DecimalOf(ofThread((*generated).RecordZlmediakitThreadUtilizationDataPoint)).In(rows.Percent)},
		{func(t *thread) number { return t.Delay }, rows.DecimalOf(ofThread((*generated).RecordZlmediakitThreadDelayDataPoint)).In(rows.Milliseconds)},
		{func(t *thread) number { return t.FDs }, rows.WholeOf(ofThread((*generated).RecordZlmediakitThreadFileDescriptorCountDataPoint))},
	}
)

func ofThread[V any](record func(*generated, timestamp, V, threadPool, string)) func(*generated, timestamp, V, threadID) {
	return func(mb *generated, start timestamp, v V, t threadID) { record(mb, start, v, t.pool, t.name) }
}

var (
	statisticRows = []row[statistic, rows.None]{
		{func(s *statistic) number { return s.Memory }, rows.Whole((*generated).RecordZlmediakitMemoryUsageDataPoint)},
		{func(s *statistic) number { return s.MemoryBlocks }, rows.Whole((*generated).RecordZlmediakitMemoryBlockCountDataPoint)},
	}
	threadMemoryUsage = rows.WholeOf((*generated).RecordZlmediakitThreadMemoryUsageDataPoint)
	objectCount       = rows.WholeOf((*generated).RecordZlmediakitObjectCountDataPoint)
)

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

// sessionType is the protocol of a session, with or without TLS.
type sessionType struct {
	protocol string
	tls      bool
}

// sessionGroup is a group in which sessions are counted.
type sessionGroup struct {
	sessionType
	transport metadata.AttributeNetworkTransport
}

// sessionPort is a group in which sessions are counted by local port.
type sessionPort struct {
	sessionType
	port int64
}

// sessionInfo identifies a session.
type sessionInfo struct {
	sessionGroup
	id, class, local, peer string
	localPort, peerPort    int64
}

var (
	sessionCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, g sessionGroup) {
		mb.RecordZlmediakitSessionCountDataPoint(start, n, g.protocol, g.tls, g.transport)
	})
	sessionCountByPort = rows.WholeOf(func(mb *generated, start timestamp, n int64, p sessionPort) {
		mb.RecordZlmediakitSessionCountByPortDataPoint(start, n, p.protocol, p.tls, p.port)
	})
	sessionPeerCount = rows.Whole((*generated).RecordZlmediakitSessionPeerCountDataPoint)
	sessionInfoPoint = rows.WholeOf(func(mb *generated, start timestamp, n int64, i *sessionInfo) {
		mb.RecordZlmediakitSessionInfoDataPoint(start, n, i.id, i.protocol, i.class, i.transport, i.local, i.localPort, i.peer, i.peerPort)
	})
)

type rtpMode = metadata.AttributeZlmediakitRtpServerMode

// rtpModes are the values of tcp_mode.
var rtpModes = map[int64]rtpMode{
	0: metadata.AttributeZlmediakitRtpServerModeUDP,
	1: metadata.AttributeZlmediakitRtpServerModeTCPPassive,
	2: metadata.AttributeZlmediakitRtpServerModeTCPActive,
}

// rtpGroup is a group in which RTP servers are counted.
type rtpGroup struct {
	mode rtpMode
	app  string
}

// rtpInfo identifies an RTP server.
type rtpInfo struct {
	streamName
	port int64
	ssrc string
	mode rtpMode
}

var (
	rtpServerCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, g rtpGroup) {
		mb.RecordZlmediakitRtpServerCountDataPoint(start, n, g.mode, g.app)
	})
	rtpServerInfo = rows.WholeOf(func(mb *generated, start timestamp, n int64, i rtpInfo) {
		mb.RecordZlmediakitRtpServerInfoDataPoint(start, n, i.port, i.vhost, i.app, i.stream, i.ssrc, i.mode)
	})
	rtpServerPresent   = rows.WholeOf(ofStream((*generated).RecordZlmediakitRtpServerPresentDataPoint))
	rtpServerIdleCount = rows.Whole((*generated).RecordZlmediakitRtpServerIdleCountDataPoint)
	rtpServerLimit     = rows.Whole((*generated).RecordZlmediakitRtpServerLimitDataPoint)
)
