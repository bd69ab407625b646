// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

const testSecret = "s3cr3t/+&="

// startServer starts an emulated server that requires testSecret.
func startServer(t testing.TB, o zlmediakit.Options) *emulator.Server {
	t.Helper()
	o.Secret = testSecret
	server, err := zlmediakit.New(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// system is a started system with its scraper.
type system struct {
	*scrape.System
	*scraper
}

// startScraper starts a scraper of the server at url with the default configuration, changed by edit.
func startScraper(t testing.TB, url string, edit func(*Config)) (*system, *observer.ObservedLogs) {
	t.Helper()
	cfg := createDefaultConfig()
	cfg.ClientConfig.Endpoint = url
	cfg.Secret = testSecret
	if edit != nil {
		edit(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s := &system{}
	s.System = scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) (_ []*scrape.Runner, err error) {
		if s.scraper, err = newScraper(ctx, cfg, host, set); err != nil {
			return nil, err
		}
		return []*scrape.Runner{s.run}, nil
	})
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s, logs
}

func TestScenes(t *testing.T) {
	for _, tt := range []struct {
		scene, name string
		edit        func(*Config)
	}{
		{scene: "idle", name: "idle"},
		{scene: "busy", name: "busy"},
		{scene: "busy", name: "busy_everything", edit: everything},
		{scene: "busy_later", name: "busy_later"},
		{scene: "degraded", name: "degraded"},
		{scene: "degraded", name: "degraded_everything", edit: everything},
		{scene: "empty", name: "empty"},
		{scene: "on_demand_later", name: "on_demand_later"},
		{scene: "all_on_demand_later", name: "all_on_demand_later"},
		{scene: "sample", name: "sample_everything", edit: withoutStreamCalls},
		{scene: "legacy_shape", name: "legacy_shape"},
		{scene: "legacy_shape", name: "legacy_shape_everything", edit: withoutStreamCalls},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := startScraper(t, startServer(t, zlmediakit.Options{Scene: tt.scene}).URL(), tt.edit)
			s.client.isOwn = func(*session) bool { return false }
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			rtctest.Golden(t, tt.name, metrics)
			rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), tt.name, rtctest.Points(t, metrics))
		})
	}
}

// everything enables all metrics and resource attributes.
func everything(c *Config) {
	expectSome(c)
	rtctest.EnableAll(&c.MetricsBuilderConfig.Metrics)
	rtctest.EnableAll(&c.MetricsBuilderConfig.ResourceAttributes)
}

// expectSome expects a proxy and an RTP server that the captured servers have, and some that they do not have.
func expectSome(c *Config) {
	c.Proxies.Expected = []string{"__defaultVhost__/proxy/p1", "push:__defaultVhost__/live/cam1", "push:__defaultVhost__/proxy/p1"}
	c.RTPServers.Expected = []string{"__defaultVhost__/rtp/gb1/main", "__defaultVhost__/rtp/gb2"}
}

// withoutStreamCalls is everything except the metrics that need a call per stream, for which some scenes lack responses.
func withoutStreamCalls(c *Config) {
	everything(c)
	m := &c.MetricsBuilderConfig.Metrics
	m.ZlmediakitStreamPacketLoss.Enabled = false
	m.ZlmediakitRtpSenderCount.Enabled = false
	m.ZlmediakitRtpSenderIo.Enabled = false
	m.ZlmediakitRtpSenderThroughput.Enabled = false
}

// The sums of a stream start at its registration.
func TestStartTimes(t *testing.T) {
	s, _ := startScraper(t, startServer(t, zlmediakit.Options{}).URL(), nil)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	want := map[string]time.Time{ // createStamp of rtmp://__defaultVhost__/live/cam1, by jq
		"zlmediakit.stream.io":           time.Unix(1795215975, 0),
		"zlmediakit.stream.track.frames": time.Unix(1795215975, 0),
	}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		start, ok := want[m.Name()]
		if !ok {
			continue
		}
		delete(want, m.Name())
		found := false
		for _, dp := range m.Sum().DataPoints().All() {
			if name, _ := dp.Attributes().Get("zlmediakit.stream.name"); name.Str() == "cam1" {
				assert.Equal(t, start.UTC(), dp.StartTimestamp().AsTime(), m.Name())
				found = true
			}
		}
		assert.True(t, found, m.Name())
	}
	assert.Empty(t, want)
}

func TestStartTimeIsNeverAfterThePoint(t *testing.T) {
	ahead := time.Now().Add(time.Hour)
	server := startServer(t, zlmediakit.Options{Streams: 1, Now: func() time.Time { return ahead }})
	require.NoError(t, server.SetFault("restart"))
	s, _ := startScraper(t, server.URL(), nil)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Type() == pmetric.MetricTypeSum {
			for _, dp := range m.Sum().DataPoints().All() {
				assert.LessOrEqual(t, dp.StartTimestamp(), dp.Timestamp(), m.Name())
			}
		}
	}
}

// Only the calls that enabled metrics need are made, the media list last, and the version once.
func TestRequests(t *testing.T) {
	none := func(c *Config) {
		c.MetricsBuilderConfig.Metrics = metadata.MetricsConfig{}
	}
	for _, tt := range []struct {
		name          string
		edit          func(*Config)
		first, second []string
	}{
		{
			name: "default",
			first: []string{
				"version", "getApiList", "getThreadsLoad", "getWorkThreadsLoad", "getStatistic", "getAllSession", "listStreamProxy",
				"listStreamPusherProxy", "listRtpServer", "listFFmpegSource", "getServerConfig", "getMediaList",
			},
			second: []string{
				"getThreadsLoad", "getWorkThreadsLoad", "getStatistic", "getAllSession", "listStreamProxy",
				"listStreamPusherProxy", "listRtpServer", "listFFmpegSource", "getMediaList",
			},
		},
		{
			name:   "nothing",
			edit:   none,
			first:  []string{"version", "getApiList"},
			second: []string{"version"},
		},
		{
			name: "objects",
			edit: func(c *Config) {
				none(c)
				c.MetricsBuilderConfig.Metrics.ZlmediakitObjectCount.Enabled = true
			},
			first:  []string{"version", "getApiList", "getStatistic"},
			second: []string{"getStatistic"},
		},
		{
			name: "expected proxies, but no expected RTP server",
			edit: func(c *Config) {
				none(c)
				c.MetricsBuilderConfig.Metrics.ZlmediakitProxyPresent.Enabled = true
				c.MetricsBuilderConfig.Metrics.ZlmediakitRtpServerPresent.Enabled = true
				c.Proxies.Expected = []string{"v/a/s"}
			},
			first:  []string{"version", "getApiList", "listStreamProxy", "listStreamPusherProxy"},
			second: []string{"listStreamProxy", "listStreamPusherProxy"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := startServer(t, zlmediakit.Options{Scene: "idle"})
			s, _ := startScraper(t, server.URL(), tt.edit)
			for _, want := range [][]string{tt.first, tt.second} {
				before := len(server.Requests())
				_, err := s.Scrape(t.Context())
				require.NoError(t, err)
				got := server.Requests()[before:]
				assert.ElementsMatch(t, want, got)
				if want[len(want)-1] == "getMediaList" {
					assert.Equal(t, "getMediaList", got[len(got)-1])
				}
			}
		})
	}
}

func TestOwnSessionsAreLeftOut(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Scene: "idle"})
	s, _ := startScraper(t, server.URL(), nil)
	// The captured session list of the idle server contains only the session of the client that captured it.
	s.client.own.used["127.0.0.1:33102"] = time.Now()
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{plainSessions: 0}, series(rtctest.Points(t, metrics), "zlmediakit.session.count"))
}

func TestSessionKinds(t *testing.T) {
	for _, tt := range []struct {
		class, transport string
		want             sessionGroup
	}{
		{"mediakit::HttpSession", "tcp", sessionGroup{sessionType{"http", false}, metadata.AttributeNetworkTransportTCP}},
		{"toolkit::SessionWithSSL<mediakit::RtspSession>", "tcp", sessionGroup{sessionType{"rtsp", true}, metadata.AttributeNetworkTransportTCP}},
		{"toolkit::SessionWithSSL<mediakit::HttpSession >", "", sessionGroup{sessionType{"http", true}, metadata.AttributeNetworkTransportTCP}},
		{"toolkit::SessionWithSSL<mediakit::RtmpSession>", "tcp", sessionGroup{sessionType{"rtmp", true}, metadata.AttributeNetworkTransportTCP}},
		{"SRT::SrtSession", "", sessionGroup{sessionType{"srt", false}, metadata.AttributeNetworkTransportUDP}},
		{"mediakit::WebRtcSession", "udp", sessionGroup{sessionType{"webrtc", false}, metadata.AttributeNetworkTransportUDP}},
		{"mediakit::WebRtcSession", "", sessionGroup{sessionType{"webrtc", false}, metadata.AttributeNetworkTransportUnknown}},
		{"", "sctp", sessionGroup{sessionType{"", false}, metadata.AttributeNetworkTransportUnknown}},
	} {
		got := groupOf(&session{TypeID: []byte(tt.class), Transport: []byte(tt.transport)})
		assert.Equal(t, tt.want, got, tt.class)
	}
}

// A server that was up keeps its identity while it is down.
func TestResourceOutlivesTheServer(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Scene: "idle"})
	s, _ := startScraper(t, server.URL(), nil)
	up, err := s.Scrape(t.Context())
	require.NoError(t, err)
	require.NoError(t, server.SetFault("refuse"))
	down, err := s.Scrape(t.Context())
	require.True(t, scrapererror.IsPartialScrapeError(err))
	resource := up.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "daaa74a", resource["service.version"])
	assert.Equal(t, "master", resource["zlmediakit.build.branch"])
	assert.Equal(t, resource, down.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
}

func TestVersionOfHeader(t *testing.T) {
	header := "ZLMediaKit(git hash:daaa74a/2026-07-22T20:43:21-07:00,branch:master,build time:2026-11-20T22:57:38)"
	assert.Equal(t, version{Branch: "master", Commit: "daaa74a", BuildTime: "2026-11-20T22:57:38"}, versionOf(header))
	assert.Equal(t, version{}, versionOf("nginx"))
}
