// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// proxies records the pull and push proxies.
type proxies struct {
	mb         *builder
	report     *scrape.Report
	pull, push *selection.Set[knownProxy]
	expected   map[proxyType][]string // names of streams
	gone       map[string]bool        // streams whose pull proxy has failed or was shut down, in the current scrape; nil if unknown
}

// knownProxy holds the state of a proxy between two scrapes.
type knownProxy struct {
	proxyID
	listed            bool // in an earlier scrape: the server starts to measure on the first request
	io, reconnections cumulative.Counter
}

func newProxies(cfg *Config, mb *builder, report *scrape.Report) *proxies {
	pull, push := cfg.Proxies.expected()
	return &proxies{
		mb: mb, report: report,
		expected: map[proxyType][]string{metadata.AttributeZlmediakitProxyTypePull: pull, metadata.AttributeZlmediakitProxyTypePush: push},
		pull:     selection.New[knownProxy](cfg.Streams.selection()), push: selection.New[knownProxy](cfg.Streams.selection()),
	}
}

func (p *proxies) beginScrape() { p.gone = nil }

func (p *proxies) recordPull(list []proxy) {
	p.gone = map[string]bool{}
	p.record(p.pull, metadata.AttributeZlmediakitProxyTypePull, list)
}

func (p *proxies) recordPush(list []proxy) {
	p.record(p.push, metadata.AttributeZlmediakitProxyTypePush, list)
}

// record records the proxies of one type.
func (p *proxies) record(items *selection.Set[knownProxy], of proxyType, list []proxy) {
	counts := map[proxyState]int64{}
	present := map[string]bool{} // by name of the stream
	merged := int64(0)
	for i := range list {
		list[i].Key = selection.Name(list[i].Key)
	}
	items.BeginWith(selection.Keys(list, func(one *proxy) []byte { return []byte(one.Key) }))
	for i := range list {
		one := &list[i]
		state, name := stateOf(of, one), streamOf(one)
		counts[state]++
		present[string(name)] = true
		if items == p.pull && (state == metadata.AttributeZlmediakitProxyStateFailed || state == metadata.AttributeZlmediakitProxyStateShutdown) {
			p.gone[string(name)] = true
		}
		item, first := items.GetKey([]byte(one.Key), name)
		switch {
		case !first:
			merged++
		case item.Kept:
			item.Value.proxyID = proxyID{splitName(string(name)), of, one.Key}
			p.recordOne(&item.Value, one, state)
		}
	}
	for _, state := range proxyStates {
		proxyCount.Record(p.mb, counts[state], proxyGroup{of, state})
	}
	for _, name := range p.expected[of] {
		proxyPresent.Record(p.mb, rows.BoolToInt(present[name]), expectedProxy{splitName(name), of})
	}
	p.report.Omit(metadata.AttributeRtcEntityProxy, metadata.AttributeRtcOmissionReasonLimit, int64(items.Limited()))
	p.report.Omit(metadata.AttributeRtcEntityProxy, metadata.AttributeRtcOmissionReasonMerged, merged)
	items.End(true)
}

func (p *proxies) recordOne(known *knownProxy, one *proxy, current proxyState) {
	id := &known.proxyID
	rows.RecordState(proxyStatePoint, p.mb, proxyStates, current, func(state proxyState) proxyInState { return proxyInState{*id, state} })
	recordRows(proxyRows, p.mb, one, id)
	if n, ok := one.Reconnections.Get(); ok {
		proxyReconnections.RecordSince(p.mb, known.reconnections.Observe(n, p.report.Now()), n, id)
	}
	if n, ok := one.TotalBytes.Get(); ok {
		proxyIO.RecordSince(p.mb, known.io.Observe(n, p.report.Now()), n, id)
	}
	if speed, ok := one.BytesSpeed.Get(); ok && known.listed {
		proxyThroughput.Record(p.mb, speed, id)
	}
	known.listed = true
}

// stateOf returns the state of a proxy. The status says only whether a pull proxy has ever worked, or whether the last attempt of a push
// proxy worked. status_str is the current state.
func stateOf(of proxyType, p *proxy) proxyState {
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
	case of == metadata.AttributeZlmediakitProxyTypePush:
		return metadata.AttributeZlmediakitProxyStatePlaying
	}
	return metadata.AttributeZlmediakitProxyStateUnknown
}

// streamOf returns the name of a proxy's stream, as written in the configuration. A push proxy whose stream has ended does not report
// it, but its key contains it: schema/vhost/app/stream/hash.
func streamOf(p *proxy) []byte {
	vhost, app, stream := p.Vhost, p.App, p.Stream
	if parts := strings.SplitN(p.Key, "/", 4); stream == "" && len(parts) == 4 {
		vhost, app, stream = parts[1], parts[2], parts[3]
		if hash := strings.LastIndexByte(stream, '/'); hash >= 0 {
			stream = stream[:hash]
		}
	}
	return appendStream(nil, []byte(vhost), []byte(app), []byte(stream))
}
