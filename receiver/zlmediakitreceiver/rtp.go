// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// rtpModes are the values of tcp_mode.
var rtpModes = map[int64]metadata.AttributeZlmediakitRtpServerMode{
	0: metadata.AttributeZlmediakitRtpServerModeUDP,
	1: metadata.AttributeZlmediakitRtpServerModeTCPPassive,
	2: metadata.AttributeZlmediakitRtpServerModeTCPActive,
}

func modeOf(s *rtpServer) metadata.AttributeZlmediakitRtpServerMode {
	if n, ok := s.TCPMode.Get(); ok {
		if mode, known := rtpModes[n]; known {
			return mode
		}
	}
	return metadata.AttributeZlmediakitRtpServerModeUnknown
}

// rtpGroup is the key by which RTP servers are counted.
type rtpGroup struct {
	mode metadata.AttributeZlmediakitRtpServerMode
	app  string
}

// other is the group of all RTP servers of a mode that are over the limit.
func (g rtpGroup) other() rtpGroup { return rtpGroup{g.mode, nameOther} }

func (s *scraper) recordRTPServers(now pcommon.Timestamp, servers []rtpServer) {
	infos, over := 0, int64(0)
	for i := range servers {
		one := &servers[i]
		s.rtpCounts.add(rtpGroup{modeOf(one), selection.Name(one.App)}, 1)
		if infos++; infos > s.cfg.Streams.Limit {
			over++
			continue
		}
		s.recordRTPServer(now, one)
	}
	if !s.cfg.MetricsBuilderConfig.Metrics.ZlmediakitRtpServerInfo.Enabled {
		over = 0
	}
	over += s.rtpCounts.end(rtpGroup{mode: metadata.AttributeZlmediakitRtpServerModeUnknown}, func(g rtpGroup, n int64) {
		s.mb.RecordZlmediakitRtpServerCountDataPoint(now, n, g.mode, g.app)
	})
	s.report.Omit(metadata.AttributeRtcEntityRtpServer, metadata.AttributeRtcOmissionReasonLimit, over)
	if s.rtpServers = servers; servers == nil {
		s.rtpServers = []rtpServer{}
	}
}

func (s *scraper) recordRTPServer(now pcommon.Timestamp, one *rtpServer) {
	port, hasPort := one.Port.Get()
	ssrc, hasSSRC := one.SSRC.Get()
	if hasPort && hasSSRC {
		s.mb.RecordZlmediakitRtpServerInfoDataPoint(now, 1, port, selection.Name(one.Vhost), selection.Name(one.App),
			selection.Name(one.StreamID), strconv.FormatInt(ssrc, 10), modeOf(one))
	}
}

// rtpStream is what an RTP server and the stream that it feeds have in common: the server lists the stream's name up to the first slash.
type rtpStream struct{ vhost, app, name string }

// recordIdleRTPServers counts the ports to which nobody sends, once both the ports and the streams are known.
func (s *scraper) recordIdleRTPServers(now pcommon.Timestamp) {
	if !s.streams.complete || s.rtpServers == nil {
		return
	}
	fed := map[rtpStream]bool{}
	for _, item := range s.streams.items.Seen() {
		if st := &item.Value; st.origin == metadata.AttributeZlmediakitOriginTypeRtpPush {
			name, _, _ := strings.Cut(st.name, "/")
			fed[rtpStream{st.vhost, st.app, name}] = true
		}
	}
	idle := int64(0)
	for i := range s.rtpServers {
		one := &s.rtpServers[i]
		name, _, _ := strings.Cut(one.StreamID, "/")
		if !fed[rtpStream{one.Vhost, one.App, name}] {
			idle++
		}
	}
	s.mb.RecordZlmediakitRtpServerIdleCountDataPoint(now, idle)
}

// recordRTPLimit records how many RTP servers the range of ports holds: each takes an even port for RTP and the odd one after it for RTCP.
func (s *scraper) recordRTPLimit(now pcommon.Timestamp) {
	from, to, _ := strings.Cut(s.config.value.PortRange, "-")
	first, err := strconv.ParseUint(from, 10, 16)
	if err != nil {
		return
	}
	last, err := strconv.ParseUint(to, 10, 16)
	if err != nil || last < first {
		return
	}
	s.mb.RecordZlmediakitRtpServerLimitDataPoint(now, int64(last/2)-int64((first+1)/2))
}
