// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

type (
	proxyType  = metadata.AttributeZlmediakitProxyType
	proxyState = metadata.AttributeZlmediakitProxyState
)

// proxyID identifies a proxy.
type proxyID struct {
	streamName
	of  proxyType
	key string
}

// proxyInState is a proxy in one of the states.
type proxyInState struct {
	proxyID
	state proxyState
}

// expectedProxy is a proxy by the name of its stream.
type expectedProxy struct {
	streamName
	of proxyType
}

// proxyGroup is a group in which proxies are counted.
type proxyGroup struct {
	of    proxyType
	state proxyState
}

var (
	proxyRows = []row[proxy, *proxyID]{
		{func(p *proxy) number { return p.LiveSeconds }, rows.DecimalOf(ofProxy((*generated).RecordZlmediakitProxyAgeDataPoint))},
		{func(p *proxy) number { return p.Readers }, rows.WholeOf(ofProxy((*generated).RecordZlmediakitProxyReaderCountDataPoint))},
	}
	proxyReconnections = rows.WholeOf(ofProxy((*generated).RecordZlmediakitProxyReconnectionsDataPoint))
	proxyIO            = rows.WholeOf(ofProxy((*generated).RecordZlmediakitProxyIoDataPoint))
	proxyThroughput    = rows.DecimalOf(ofProxy((*generated).RecordZlmediakitProxyThroughputDataPoint))
	proxyStatePoint    = rows.WholeOf(func(mb *generated, start timestamp, n int64, p proxyInState) {
		mb.RecordZlmediakitProxyStateDataPoint(start, n, p.vhost, p.app, p.stream, p.of, p.key, p.state)
	})
	proxyCount = rows.WholeOf(func(mb *generated, start timestamp, n int64, g proxyGroup) {
		mb.RecordZlmediakitProxyCountDataPoint(start, n, g.of, g.state)
	})
	proxyPresent = rows.WholeOf(func(mb *generated, start timestamp, n int64, p expectedProxy) {
		mb.RecordZlmediakitProxyPresentDataPoint(start, n, p.vhost, p.app, p.stream, p.of)
	})
	proxyTables = []any{proxyPresent, proxyRows, proxyReconnections, proxyIO, proxyThroughput, proxyStatePoint, proxyCount}
)

func ofProxy[V any](record func(*generated, timestamp, V, string, string, string, proxyType, string)) func(*generated, timestamp, V, *proxyID) {
	return func(mb *generated, start timestamp, v V, p *proxyID) {
		record(mb, start, v, p.vhost, p.app, p.stream, p.of, p.key)
	}
}

// proxyStates are the states of a proxy.
var proxyStates = []proxyState{
	metadata.AttributeZlmediakitProxyStateConnecting,
	metadata.AttributeZlmediakitProxyStatePlaying,
	metadata.AttributeZlmediakitProxyStateFailed,
	metadata.AttributeZlmediakitProxyStateShutdown,
	metadata.AttributeZlmediakitProxyStateUnknown,
}

// statusTexts are the values of status_str, without the reason that may follow.
var statusTexts = map[string]proxyState{
	"connecting":    metadata.AttributeZlmediakitProxyStateConnecting,
	"playing":       metadata.AttributeZlmediakitProxyStatePlaying,
	"play failed":   metadata.AttributeZlmediakitProxyStateFailed,
	"play shutdown": metadata.AttributeZlmediakitProxyStateShutdown,
}
