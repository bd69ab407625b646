// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// A pull proxy's status stays 0 once it has worked, dead or alive: only status_str tells. A push proxy has no status_str.
func TestProxyState(t *testing.T) {
	const (
		pull = metadata.AttributeZlmediakitProxyTypePull
		push = metadata.AttributeZlmediakitProxyTypePush
	)
	for _, tt := range []struct {
		kind   metadata.AttributeZlmediakitProxyType
		status optional.Value[int64]
		text   string
		want   metadata.AttributeZlmediakitProxyState
	}{
		{pull, optional.Of[int64](0), "playing", metadata.AttributeZlmediakitProxyStatePlaying},
		{pull, optional.Of[int64](0), "play failed: play rtsp timeout", metadata.AttributeZlmediakitProxyStateFailed},
		{pull, optional.Of[int64](0), "play shutdown: eof: end of file", metadata.AttributeZlmediakitProxyStateShutdown},
		{pull, optional.Of[int64](1), "connecting", metadata.AttributeZlmediakitProxyStateConnecting},
		{pull, optional.Of[int64](0), "unknown", metadata.AttributeZlmediakitProxyStateUnknown},
		{pull, optional.Of[int64](0), "something new", metadata.AttributeZlmediakitProxyStateUnknown},
		{pull, optional.Of[int64](0), "", metadata.AttributeZlmediakitProxyStateUnknown},
		{pull, optional.Of[int64](1), "", metadata.AttributeZlmediakitProxyStateFailed},
		{push, optional.Of[int64](0), "", metadata.AttributeZlmediakitProxyStatePlaying},
		{push, optional.Of[int64](1), "", metadata.AttributeZlmediakitProxyStateFailed},
		{push, optional.Value[int64]{}, "", metadata.AttributeZlmediakitProxyStateUnknown},
	} {
		got := stateOf(tt.kind, &proxy{Status: tt.status, StatusText: tt.text})
		assert.Equal(t, tt.want, got, "%v %v %q", tt.kind, tt.status, tt.text)
	}
}

// recordProxies records one list of pull proxies at a time in seconds and returns the metrics.
func recordProxies(s *scraper, at int64, proxies ...proxy) pmetric.Metrics {
	s.report.Begin()
	now := pcommon.NewTimestampFromTime(time.Unix(at, 0))
	s.proxies.record(now, s.proxies.pull, proxies)
	s.recordScrape(now, true, nil)
	metrics := s.mb.Emit()
	s.starts.Apply(metrics)
	return metrics
}

func newTestScraper(edit func(*Config)) *scraper {
	cfg := createDefaultConfig()
	if edit != nil {
		edit(cfg)
	}
	return newScraper(cfg, receivertest.NewNopSettings(metadata.Type))
}

// The byte counter of a proxy begins with the first request for it and again with each connection; the speed of the first answer means nothing.
func TestProxyCounters(t *testing.T) {
	s := newTestScraper(nil)
	cam := func(bytes int64) proxy {
		return proxy{Key: "v/a/cam", Vhost: "v", App: "a", Stream: "cam", TotalBytes: optional.Of(bytes), BytesSpeed: optional.Of[int64](7)}
	}
	const series = "{zlmediakit.app=a,zlmediakit.proxy.key=v/a/cam,zlmediakit.proxy.type=pull,zlmediakit.stream.name=cam,zlmediakit.vhost=v}"
	for _, tt := range []struct {
		at, bytes, start int64
		speed            bool
	}{
		{at: 100, bytes: 0, start: 100},
		{at: 130, bytes: 500, start: 100, speed: true},
		{at: 160, bytes: 900, start: 100, speed: true},
		{at: 190, bytes: 40, start: 160, speed: true}, // connected anew between 160 and 190
		{at: 220, bytes: 80, start: 160, speed: true},
	} {
		metrics := recordProxies(s, tt.at, cam(tt.bytes))
		points := rtctest.Points(t, metrics)
		assert.InDelta(t, float64(tt.bytes), points["zlmediakit.proxy.io"+series], 0)
		_, speed := points["zlmediakit.proxy.throughput"+series]
		assert.Equal(t, tt.speed, speed)
		assert.Equal(t, time.Unix(tt.start, 0).UTC(), startOf(t, metrics, "zlmediakit.proxy.io"))
	}
}

// startOf returns the start time of the first point of a sum.
func startOf(t *testing.T, metrics pmetric.Metrics, name string) time.Time {
	t.Helper()
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == name {
			return m.Sum().DataPoints().At(0).StartTimestamp().AsTime()
		}
	}
	require.Fail(t, "no metric "+name)
	return time.Time{}
}

// A push proxy whose stream has gone does not name it, but its key does. Several may push one stream.
func TestProxyStreamName(t *testing.T) {
	for _, tt := range []struct {
		proxy proxy
		want  string
	}{
		{proxy{Key: "v/a/s", Vhost: "v", App: "a", Stream: "s"}, "v/a/s"},
		{proxy{Key: "rtmp/v/a/s/23fe3ff316f4ab622ee30aabcd3048c5"}, "v/a/s"},
		{proxy{Key: "rtmp/v/a/with/slash/23fe3ff316f4ab622ee30aabcd3048c5"}, "v/a/with/slash"},
		{proxy{Key: "rtmp/v/other/s/23fe", Vhost: "v", App: "a", Stream: "s"}, "v/a/s"},
		{proxy{Key: "nothing of the kind"}, "//"},
	} {
		assert.Equal(t, tt.want, string(streamName(&tt.proxy)), tt.proxy.Key)
	}
}

func TestProxySelection(t *testing.T) {
	s := newTestScraper(func(c *Config) {
		c.Streams.Exclude = []filter.Config{{Strict: "v/a/two"}}
		c.Streams.Limit = 2
	})
	one := func(key, stream string) proxy {
		return proxy{Key: key, Vhost: "v", App: "a", Stream: stream, StatusText: "playing"}
	}
	points := rtctest.Points(t, recordProxies(s, 100, one("k1", "one"), one("k2", "two"), one("k3", "one"), one("k4", "one"), one("k4", "one")))
	playing := func(key, stream string) string {
		return "zlmediakit.proxy.state{zlmediakit.app=a,zlmediakit.proxy.key=" + key +
			",zlmediakit.proxy.state=playing,zlmediakit.proxy.type=pull,zlmediakit.stream.name=" + stream + ",zlmediakit.vhost=v}"
	}
	assert.Contains(t, points, playing("k1", "one"))
	assert.NotContains(t, points, playing("k2", "two"), "excluded")
	assert.Contains(t, points, playing("k3", "one"))
	assert.NotContains(t, points, playing("k4", "one"), "over the limit")
	assert.InDelta(t, 5, points["zlmediakit.proxy.count{zlmediakit.proxy.state=playing,zlmediakit.proxy.type=pull}"], 0, "sums cover all")
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=proxy,rtc.omission.reason=limit}"], 0)
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=proxy,rtc.omission.reason=merged}"], 0)
}
