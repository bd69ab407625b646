// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// proxies turns the lists of pull and push proxies into metrics.
type proxies struct {
	*scraper
	pull, push *proxyList
	gone       map[string]bool // streams whose pull proxy has failed or was shut down; nil when unknown
}

// proxyList is what is kept of the proxies of one type between two scrapes.
type proxyList struct {
	kind  metadata.AttributeZlmediakitProxyType
	items *selection.Set[proxyCounters]
}

// proxyCounters are the counters of one proxy.
type proxyCounters struct {
	asked             bool // before: the server begins to measure when it is asked for the first time
	io, reconnections cumulative.Counter
}

func newProxies(s *scraper) *proxies {
	cfg := s.cfg.Streams.selection()
	cfg.Expected = nil // of streams
	return &proxies{
		scraper: s,
		pull:    &proxyList{metadata.AttributeZlmediakitProxyTypePull, selection.New[proxyCounters](cfg)},
		push:    &proxyList{metadata.AttributeZlmediakitProxyTypePush, selection.New[proxyCounters](cfg)},
	}
}

func (s *proxies) call(now pcommon.Timestamp, api string, list *proxyList) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) ([]proxy, error) { return s.client.Proxies(ctx, api) },
		func(proxies []proxy) { s.record(now, list, proxies) },
	)
}

// proxyStates are all states that a proxy can be in.
var proxyStates = []metadata.AttributeZlmediakitProxyState{
	metadata.AttributeZlmediakitProxyStateConnecting,
	metadata.AttributeZlmediakitProxyStatePlaying,
	metadata.AttributeZlmediakitProxyStateFailed,
	metadata.AttributeZlmediakitProxyStateShutdown,
	metadata.AttributeZlmediakitProxyStateUnknown,
}

func (s *proxies) record(now pcommon.Timestamp, list *proxyList, proxies []proxy) {
	counts := map[metadata.AttributeZlmediakitProxyState]int64{}
	merged := int64(0)
	for i := range proxies {
		proxies[i].Key = selection.Name(proxies[i].Key)
	}
	list.items.BeginOf(selection.KeysOf(proxies, func(p *proxy) []byte { return []byte(p.Key) }))
	if list == s.pull {
		s.gone = map[string]bool{}
	}
	for i := range proxies {
		p := &proxies[i]
		state := stateOf(list.kind, p)
		counts[state]++
		name := streamName(p)
		if list == s.pull && (state == metadata.AttributeZlmediakitProxyStateFailed || state == metadata.AttributeZlmediakitProxyStateShutdown) {
			s.gone[string(name)] = true
		}
		item, first := list.items.GetKey([]byte(p.Key), name)
		switch {
		case !first:
			merged++
		case item.Kept:
			s.recordProxy(now, list.kind, p, state, &item.Value)
		}
	}
	for _, state := range proxyStates {
		s.mb.RecordZlmediakitProxyCountDataPoint(now, counts[state], list.kind, state)
	}
	s.report.Omit(metadata.AttributeRtcEntityProxy, metadata.AttributeRtcOmissionReasonLimit, int64(list.items.Limited()))
	s.report.Omit(metadata.AttributeRtcEntityProxy, metadata.AttributeRtcOmissionReasonMerged, merged)
	list.items.End(true)
}

func (s *proxies) recordProxy(now pcommon.Timestamp, kind metadata.AttributeZlmediakitProxyType, p *proxy, state metadata.AttributeZlmediakitProxyState, counters *proxyCounters) {
	vhost, app, stream := splitName(string(streamName(p)))
	for _, known := range proxyStates {
		s.mb.RecordZlmediakitProxyStateDataPoint(now, scrape.Number(known == state), vhost, app, stream, kind, p.Key, known)
	}
	if seconds, ok := p.LiveSeconds.Get(); ok {
		s.mb.RecordZlmediakitProxyAgeDataPoint(now, float64(seconds), vhost, app, stream, kind, p.Key)
	}
	if n, ok := p.Readers.Get(); ok {
		s.mb.RecordZlmediakitProxyReaderCountDataPoint(now, n, vhost, app, stream, kind, p.Key)
	}
	if n, ok := p.Reconnections.Get(); ok {
		s.mb.RecordZlmediakitProxyReconnectionsDataPoint(now, n, vhost, app, stream, kind, p.Key)
		s.starts.Add(metadata.MetricsInfo.ZlmediakitProxyReconnections.Name, counters.reconnections.Start(n, now), now)
	}
	if n, ok := p.TotalBytes.Get(); ok {
		s.mb.RecordZlmediakitProxyIoDataPoint(now, n, vhost, app, stream, kind, p.Key)
		s.starts.Add(metadata.MetricsInfo.ZlmediakitProxyIo.Name, counters.io.Start(n, now), now)
	}
	if speed, ok := p.BytesSpeed.Get(); ok && counters.asked {
		s.mb.RecordZlmediakitProxyThroughputDataPoint(now, float64(speed), vhost, app, stream, kind, p.Key)
	}
	counters.asked = true
}

// stateOf tells what a proxy does. Its status says only whether it ever worked, or, of a push proxy, worked when it was
// last tried; status_str says what is true now.
func stateOf(kind metadata.AttributeZlmediakitProxyType, p *proxy) metadata.AttributeZlmediakitProxyState {
	text, _, _ := strings.Cut(p.StatusText, ":")
	if state, ok := statusTexts[text]; ok {
		return state
	}
	status, known := p.Status.Get()
	switch {
	case p.StatusText != "" || !known:
		return metadata.AttributeZlmediakitProxyStateUnknown
	case status != 0:
		return metadata.AttributeZlmediakitProxyStateFailed
	case kind == metadata.AttributeZlmediakitProxyTypePush:
		return metadata.AttributeZlmediakitProxyStatePlaying
	}
	return metadata.AttributeZlmediakitProxyStateUnknown
}

// statusTexts are the values of status_str, up to the reason that may follow.
var statusTexts = map[string]metadata.AttributeZlmediakitProxyState{
	"connecting":    metadata.AttributeZlmediakitProxyStateConnecting,
	"playing":       metadata.AttributeZlmediakitProxyStatePlaying,
	"play failed":   metadata.AttributeZlmediakitProxyStateFailed,
	"play shutdown": metadata.AttributeZlmediakitProxyStateShutdown,
}

// streamName returns the name of a proxy's stream, as the configuration writes it. A push proxy whose stream has gone
// does not tell it, but its key does: schema/vhost/app/stream/hash.
func streamName(p *proxy) []byte {
	vhost, app, stream := p.Vhost, p.App, p.Stream
	if parts := strings.SplitN(p.Key, "/", 4); stream == "" && len(parts) == 4 {
		vhost, app, stream = parts[1], parts[2], parts[3]
		if hash := strings.LastIndexByte(stream, '/'); hash >= 0 {
			stream = stream[:hash]
		}
	}
	return appendStream(nil, []byte(vhost), []byte(app), []byte(stream))
}
