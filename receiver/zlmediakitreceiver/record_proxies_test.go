// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// A pull proxy's status stays 0 once it has worked, so that only status_str has its state. A push proxy has no status_str.
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

// recordProxies records one list of pull proxies at a Unix time and returns the metrics.
func recordProxies(t *testing.T, s *recordingSystem, at int64, proxies ...proxy) pmetric.Metrics {
	t.Helper()
	return s.recordAt(t, at, func() { s.proxies.recordPull(proxies) })
}

// recordingSystem is a system whose scrapes make no calls.
type recordingSystem struct {
	*scrape.System
	*scraper
	record func()
}

func newTestScraper(t *testing.T, edit func(*Config)) *recordingSystem {
	t.Helper()
	started, _ := startScraper(t, "http://127.0.0.1", edit)
	s := &recordingSystem{scraper: started.scraper}
	s.System = scrape.NewSystem(receivertest.NewNopSettings(metadata.Type), func(context.Context, component.Host, receiver.Settings) ([]*scrape.Runner, error) {
		s.run = scrape.NewRunner(s.mb, words, scrape.Process{
			Logger: zap.NewNop(), Scrape: func(context.Context, *scrape.Scrape) { s.record() }, Resource: s.resource,
		})
		s.streams.report, s.proxies.report = s.run.Report, s.run.Report
		return []*scrape.Runner{s.run}, nil
	})
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	return s
}

// recordAt returns the metrics that record records at a Unix time.
func (s *recordingSystem) recordAt(t *testing.T, at int64, record func()) pmetric.Metrics {
	t.Helper()
	s.record = record
	s.SetClock(func() time.Time { return time.Unix(at, 0) })
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	return metrics
}

// The byte counter of a proxy starts on the first request for it and again on each connection. The first speed is not recorded.
func TestProxyCounters(t *testing.T) {
	s := newTestScraper(t, nil)
	cam := func(bytes int64) proxy { // with as many reconnections as bytes
		return proxy{
			Key: "v/a/cam", Vhost: "v", App: "a", Stream: "cam",
			TotalBytes: optional.Of(bytes), Reconnections: optional.Of(bytes), BytesSpeed: optional.Of[int64](7),
		}
	}
	const series = "{zlmediakit.app=a,zlmediakit.proxy.key=v/a/cam,zlmediakit.proxy.type=pull,zlmediakit.stream.name=cam,zlmediakit.vhost=v}"
	for _, tt := range []struct {
		at, bytes, start int64
		speed            bool
	}{
		{at: 100, bytes: 0, start: 100},
		{at: 130, bytes: 500, start: 100, speed: true},
		{at: 160, bytes: 900, start: 100, speed: true},
		{at: 190, bytes: 40, start: 160, speed: true}, // reconnected between 160 and 190
		{at: 220, bytes: 80, start: 160, speed: true},
	} {
		metrics := recordProxies(t, s, tt.at, cam(tt.bytes))
		points := rtctest.Points(t, metrics)
		assert.InDelta(t, float64(tt.bytes), points["zlmediakit.proxy.io"+series], 0)
		_, speed := points["zlmediakit.proxy.throughput"+series]
		assert.Equal(t, tt.speed, speed)
		for _, sum := range []string{"zlmediakit.proxy.io", "zlmediakit.proxy.reconnections"} {
			assert.Equal(t, time.Unix(tt.start, 0).UTC(), startOf(t, metrics, sum), sum)
		}
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

// A push proxy whose stream has ended does not report its name, but its key contains it. Several proxies may push one stream.
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
		assert.Equal(t, tt.want, string(streamOf(&tt.proxy)), tt.proxy.Key)
	}
}

func TestProxySelection(t *testing.T) {
	s := newTestScraper(t, func(c *Config) {
		c.Streams.Exclude = []filter.Config{{Strict: "v/a/two"}}
		c.Streams.Limit = 2
	})
	one := func(key, stream string) proxy {
		return proxy{Key: key, Vhost: "v", App: "a", Stream: stream, StatusText: "playing"}
	}
	points := rtctest.Points(t, recordProxies(t, s, 100, one("k1", "one"), one("k2", "two"), one("k3", "one"), one("k4", "one"), one("k4", "one")))
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

// An expected proxy is present in any state. The stream of a push proxy that has ended is known from its key.
func TestExpectedProxies(t *testing.T) {
	s := newTestScraper(t, func(c *Config) {
		c.Proxies.Expected = []string{"v/a%b/s", "v/a%25b/s", "push:v/a/s/t", "v/a/s/t", "push:v/a/gone"}
	})
	present := func(app, stream, of string) string {
		return "zlmediakit.proxy.present{zlmediakit.app=" + app + ",zlmediakit.proxy.type=" + of + ",zlmediakit.stream.name=" + stream + ",zlmediakit.vhost=v}"
	}
	pull := []proxy{{Key: "1", Vhost: "v", App: "a%b", Stream: "s", StatusText: "play failed: x"}}
	push := []proxy{{Key: "rtmp/v/a/s/t/hash"}, {Key: "rtmp/v/a/s/t/other", Vhost: "v", App: "a", Stream: "s/t"}}
	for _, tt := range []struct {
		pull, push []proxy
		want       map[string]float64
	}{
		{pull, push, map[string]float64{
			present("a%b", "s", "pull"): 1, present("a", "s/t", "pull"): 0, present("a", "s/t", "push"): 1, present("a", "gone", "push"): 0,
		}},
		{nil, nil, map[string]float64{
			present("a%b", "s", "pull"): 0, present("a", "s/t", "pull"): 0, present("a", "s/t", "push"): 0, present("a", "gone", "push"): 0,
		}},
	} {
		metrics := s.recordAt(t, 100, func() {
			s.proxies.recordPull(tt.pull)
			s.proxies.recordPush(tt.push)
		})
		assert.Equal(t, tt.want, series(rtctest.Points(t, metrics), "zlmediakit.proxy.present"))
	}
}

// The list of ports has the names of streams up to the first slash.
func TestExpectedRTPServers(t *testing.T) {
	expect := func(c *Config) {
		c.RTPServers.Expected = []string{"v/a/cam/main", "v/a/cam", "v/a/came", "v/b/cam", "w/a/cam"}
	}
	s, _ := startScraper(t, serve(t, base(map[string]string{
		"listRtpServer": `{"code":0,"data":[{"vhost":"v","app":"a","stream_id":"cam","port":1}]}`,
	})), expect)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	present := func(vhost, app, stream string) string {
		return "zlmediakit.rtp_server.present{zlmediakit.app=" + app + ",zlmediakit.stream.name=" + stream + ",zlmediakit.vhost=" + vhost + "}"
	}
	assert.Equal(t, map[string]float64{
		present("v", "a", "cam/main"): 1, present("v", "a", "cam"): 1, present("v", "a", "came"): 0, present("v", "b", "cam"): 0, present("w", "a", "cam"): 0,
	}, series(rtctest.Points(t, metrics), "zlmediakit.rtp_server.present"))
}
