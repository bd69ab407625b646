// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strconv"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// rtpServers records the ports that are open for RTP.
type rtpServers struct {
	mb          *builder
	report      *scrape.Report
	recordInfos bool
	limit       int // of infos
	counts      *tally[rtpGroup]
	expected    []string // names of streams

	listed  bool // in the current scrape
	servers []rtpServer
}

func newRTPServers(cfg *Config, mb *builder, report *scrape.Report) *rtpServers {
	return &rtpServers{
		mb: mb, report: report, recordInfos: cfg.MetricsBuilderConfig.Metrics.ZlmediakitRtpServerInfo.Enabled, limit: cfg.Streams.Limit,
		expected: normalNames(cfg.RTPServers.Expected),
		counts: newTally(rtpServerCount, rtpGroup{mode: metadata.AttributeZlmediakitRtpServerModeUnknown}).
			limited(cfg.Streams.Limit, rtpGroup.other),
	}
}

// other is the group of all RTP servers of a mode that are over the limit.
func (g rtpGroup) other() rtpGroup { return rtpGroup{g.mode, nameOther} }

func (r *rtpServers) beginScrape() { r.listed, r.servers = false, nil }

func (r *rtpServers) record(servers []rtpServer) {
	r.listed, r.servers = true, servers
	for i := range servers {
		r.counts.add(rtpGroup{modeOf(&servers[i]), selection.Name(servers[i].App)}, 1)
	}
	r.recordPresent()
	omitted := r.counts.record(r.mb)
	if r.recordInfos {
		reported := min(len(servers), r.limit)
		omitted += int64(len(servers) - reported)
		for i := range servers[:reported] {
			r.recordInfo(&servers[i])
		}
	}
	r.report.Omit(metadata.AttributeRtcEntityRtpServer, metadata.AttributeRtcOmissionReasonLimit, omitted)
}

// recordPresent records whether the expected servers are open.
func (r *rtpServers) recordPresent() {
	present := map[streamName]bool{}
	for i := range r.servers {
		present[nameOf(&r.servers[i])] = true
	}
	for _, name := range r.expected {
		server := splitName(name)
		rtpServerPresent.Record(r.mb, rows.BoolToInt(present[listedName(server)]), &server)
	}
}

// listedName returns the name of a stream as the list of ports has it, which truncates the stream part at the first slash.
func listedName(name streamName) streamName {
	name.stream, _, _ = strings.Cut(name.stream, "/")
	return name
}

func nameOf(server *rtpServer) streamName {
	return listedName(streamName{selection.Name(server.Vhost), selection.Name(server.App), selection.Name(server.StreamID)})
}

func (r *rtpServers) recordInfo(server *rtpServer) {
	port, hasPort := server.Port.Get()
	ssrc, hasSSRC := server.SSRC.Get()
	if hasPort && hasSSRC {
		rtpServerInfo.Record(r.mb, 1, rtpInfo{
			streamName: streamName{selection.Name(server.Vhost), selection.Name(server.App), selection.Name(server.StreamID)},
			port:       port, ssrc: strconv.FormatInt(ssrc, 10), mode: modeOf(server),
		})
	}
}

func modeOf(server *rtpServer) rtpMode {
	if n, ok := server.TCPMode.Get(); ok {
		if mode, known := rtpModes[n]; known {
			return mode
		}
	}
	return metadata.AttributeZlmediakitRtpServerModeUnknown
}

// recordIdle records the number of ports that receive nothing, if the current scrape has the ports and a complete media list.
func (r *rtpServers) recordIdle(list *streams) {
	if !list.complete || !r.listed {
		return
	}
	fed := map[streamName]bool{}
	for _, item := range list.items.Items() {
		if st := &item.Value; st.origin == metadata.AttributeZlmediakitOriginTypeRtpPush {
			fed[listedName(st.streamName)] = true
		}
	}
	idle := int64(0)
	for i := range r.servers {
		if !fed[nameOf(&r.servers[i])] {
			idle++
		}
	}
	rtpServerIdleCount.Record(r.mb, idle, rows.None{})
}
