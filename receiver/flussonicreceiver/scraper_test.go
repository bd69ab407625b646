// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"
	"encoding/base64"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const (
	testUser   = "view"
	testSecret = "s3cr3t/+&="
)

// startServer starts an emulated server that requires testSecret.
func startServer(t testing.TB, o flussonic.Options) *emulator.Server {
	t.Helper()
	o.User, o.Password = testUser, testSecret
	server, err := flussonic.New(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// system is a started receiver with its scraper.
type system struct {
	*scrape.System
	scraper *scraper
}

// newTestSystem returns a system that is not started yet.
func newTestSystem(cfg *Config, set receiver.Settings) *system {
	s := &system{}
	s.System = scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) (_ []*scrape.Runner, err error) {
		if s.scraper, err = newScraper(ctx, cfg, host, set); err != nil {
			return nil, err
		}
		return []*scrape.Runner{s.scraper.run}, nil
	})
	return s
}

// startScraper starts a scraper of the server at url. edit changes the default configuration.
func startScraper(t testing.TB, url string, edit func(*Config)) (*system, *observer.ObservedLogs) {
	t.Helper()
	cfg := createDefaultConfig()
	cfg.ClientConfig.Endpoint = url
	cfg.ClientConfig.Headers.Set("Authorization", configopaque.String("Basic "+base64.StdEncoding.EncodeToString([]byte(testUser+":"+testSecret))))
	if edit != nil {
		edit(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s := newTestSystem(cfg, set)
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s, logs
}

// startHandler starts a server with the given handler.
func startHandler(t testing.TB, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// capture returns a file of testdata/flussonic.
func capture(t testing.TB, file string) []byte {
	t.Helper()
	text, err := fs.ReadFile(testdata.Files, "flussonic/"+file)
	require.NoError(t, err)
	return text
}

// scrapePoints returns the points of a scrape, which must have no errors.
func scrapePoints(t *testing.T, s *system) map[string]float64 {
	t.Helper()
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	return withoutDurations(rtctest.Points(t, metrics))
}

func withoutDurations(points map[string]float64) map[string]float64 {
	maps.DeleteFunc(points, func(point string, _ float64) bool { return strings.HasPrefix(point, "rtc.scrape.duration") })
	return points
}

func onlyPage(c *Config) { c.Sources = []string{sourcePrometheus} }

func onlyAPI(c *Config) { c.Sources = []string{sourceAPI} }

// everything enables all metrics and resource attributes.
func everything(c *Config) {
	rtctest.EnableAll(&c.MetricsBuilderConfig.Metrics)
	rtctest.EnableAll(&c.MetricsBuilderConfig.ResourceAttributes)
}

func everythingOfAPI(c *Config) {
	everything(c)
	onlyAPI(c)
}

func TestScenes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server flussonic.Options
		edit   func(*Config)
	}{
		{name: "23.01", server: flussonic.Options{Generation: "23.01"}, edit: everythingOfAPI},
		{name: "23.10", server: flussonic.Options{Generation: "23.10"}},
		{name: "23.10_everything", server: flussonic.Options{Generation: "23.10"}, edit: everythingOfAPI},
		{name: "25.11", server: flussonic.Options{}},
		{name: "25.11_everything", server: flussonic.Options{}, edit: everythingOfAPI},
		{name: "edge", server: flussonic.Options{Generation: "edge"}, edit: everythingOfAPI},
		{name: "full-23.10_everything", server: flussonic.Options{Generation: "full-23.10"}, edit: everythingOfAPI},
		{name: "page", server: flussonic.Options{}, edit: func(c *Config) { everything(c); onlyPage(c) }},
		{name: "aliases", server: flussonic.Options{Labels: "aliases"}, edit: func(c *Config) { everything(c); onlyPage(c) }},
		{name: "legacy", server: flussonic.Options{Generation: "legacy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := startScraper(t, startServer(t, tt.server).URL(), tt.edit)
			s.SetClock(func() time.Time { return sceneTime }) // otherwise the age of a frame grows between two responses
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			rtctest.Golden(t, tt.name, metrics)
			rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), tt.name, rtctest.Points(t, metrics))
		})
	}
}

// Every point from API v3 is listed in expected.tsv, which a script derives from the captures.
func TestNothingElseIsReported(t *testing.T) {
	expected := map[string]bool{}
	for _, row := range rtctest.Table(t, filepath.Join("testdata", "expected.tsv")) {
		expected[row[0]+" "+row[1]] = row[2] != "-"
	}
	for scene, generation := range map[string]string{
		"23.01": "23.01", "23.10_everything": "23.10", "25.11_everything": "25.11", "full-23.10_everything": "full-23.10", "edge": "edge",
	} {
		s, _ := startScraper(t, startServer(t, flussonic.Options{Generation: generation}).URL(), everythingOfAPI)
		for point := range scrapePoints(t, s) {
			assert.True(t, expected[scene+" "+point] || strings.HasPrefix(point, "rtc."), "%s: %s", scene, point)
		}
	}
}

// pageOf returns the points of the page alone, with a variant of its labels.
func pageOf(t *testing.T, labels string) map[string]float64 {
	t.Helper()
	s, _ := startScraper(t, startServer(t, flussonic.Options{Labels: labels}).URL(), onlyPage)
	return scrapePoints(t, s)
}

// The page results in the same points with and without types, and with all variants of labels.
func TestSpellingsOfThePage(t *testing.T) {
	want := pageOf(t, "typed")
	assert.Greater(t, len(want), 40)
	for _, labels := range []string{"bare", "other-labels"} {
		assert.Equal(t, want, pageOf(t, labels), labels)
	}
}

// names returns the names of the metrics in points.
func names(points map[string]float64) map[string]bool {
	names := map[string]bool{}
	for point := range points {
		name, _, _ := strings.Cut(point, "{")
		names[name] = true
	}
	return names
}

// Releases report common values under the same metric names, and older releases have no metrics that newer ones lack.
func TestGenerationsHaveTheSameNames(t *testing.T) {
	of := func(generation string) map[string]bool {
		s, _ := startScraper(t, startServer(t, flussonic.Options{Generation: generation}).URL(), onlyAPI)
		return names(scrapePoints(t, s))
	}
	newer := of("25.11")
	for _, older := range []string{"23.01", "23.10"} {
		missing := of(older)
		assert.NotEmpty(t, missing)
		maps.DeleteFunc(missing, func(name string, _ bool) bool { return newer[name] })
		assert.Empty(t, missing, older)
		added := maps.Clone(newer)
		for name := range of(older) {
			delete(added, name)
		}
		assert.Subset(t, []string{ // fields that are newer than 2023 or missing in the captures of 23
			"flussonic.disk.io_utilization", "flussonic.stream.dvr.segment.writes", "flussonic.stream.transcoder.restarts", "flussonic.dvr.errors",
			"flussonic.stream.input.errors", "flussonic.stream.dvr.expiration", "flussonic.stream.source.failed",
			"flussonic.stream.input.mpegts.errors", "flussonic.input.errors_by_type", "flussonic.play.session.count",
		}, slices.Sorted(maps.Keys(added)), older)
	}
}

// startPage starts a server that has text as the Prometheus page and nothing else.
func startPage(t *testing.T, text, contentType string) string {
	t.Helper()
	return startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != apiPage {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(text))
	})
}

// The OpenMetrics vocabulary results in the expected points. Its two names for viewers are recorded once.
func TestOpenMetricsVocabulary(t *testing.T) {
	text := strings.TrimSuffix(string(capture(t, "prometheus/openmetrics-config.txt")), "# EOF\n") + string(capture(t, "prometheus/openmetrics-streams.txt"))
	s, _ := startScraper(t, startPage(t, text, "application/openmetrics-text; version=1.0.0"), func(c *Config) {
		everything(c)
		onlyPage(c)
	})
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	rtctest.Golden(t, "openmetrics", metrics)
	rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), "openmetrics", rtctest.Points(t, metrics))
	id, _ := metrics.ResourceMetrics().At(0).Resource().Attributes().Get("flussonic.server.id")
	assert.Equal(t, "123e4567-e89b-12d3-a456-426614174000", id.Str())
}

// Devices and streams with unknown labels have names. NaN, fractional counts, negative counts and repeated samples are skipped.
func TestPageOfUnknownLabels(t *testing.T) {
	page := `flussonic_clients -1
flussonic_clients 7
flussonic_streams 2.5
flussonic_cpu_usage NaN
flussonic_disk_usage{server_id="x",volume="a"} 50
flussonic_disk_usage{volume="a"} 60
flussonic_disk_usage{zone="z",volume="b"} 70
flussonic_disk_usage 80
flussonic_stream_bytes_in{feed="one"} 1.2e13
flussonic_stream_bytes_in{feed="one"} 5
flussonic_stream_bytes_in{feed="two"} +Inf
flussonic_stream_retry_count{feed="two"} -3
flussonic_stream_start_running_at{feed="one"} 0
flussonic_stream_start_running_at{feed="two"} 1600000000
something_else 1
`
	s, _ := startScraper(t, startPage(t, page, "text/plain"), func(c *Config) {
		onlyPage(c)
		c.MetricsBuilderConfig.Metrics.FlussonicStreamStartTime.Enabled = true
	})
	points := scrapePoints(t, s)
	maps.DeleteFunc(points, func(point string, _ float64) bool { return strings.HasPrefix(point, "rtc.") })
	assert.Equal(t, map[string]float64{
		"flussonic.disk.utilization{flussonic.disk.path=a}":                           0.5,
		"flussonic.disk.utilization{flussonic.disk.path=volume=b,zone=z}":             0.7,
		"flussonic.stream.io{flussonic.stream.name=one,network.io.direction=receive}": 1.2e13,
		"flussonic.stream.start_time{flussonic.stream.name=two}":                      1600000000,
	}, points)
}

// API v3 takes precedence over the page for each metric, and the page adds what is missing. No value is recorded twice.
func TestPrecedence(t *testing.T) {
	server := startServer(t, flussonic.Options{})
	s, _ := startScraper(t, server.URL(), nil)
	points := scrapePoints(t, s)
	for point, want := range map[string]float64{
		"flussonic.start_time{}":                                                          1763000000, // 1620000000 on the page
		"flussonic.disk.utilization{flussonic.disk.path=_storage}":                        0.73,
		"flussonic.network.io{network.interface.name=eth0,network.io.direction=receive}":  918273645546,
		"flussonic.stream.client.delay{flussonic.stream.name=hockey1}":                    1.284,
		"flussonic.stream.io{flussonic.stream.name=hockey1,network.io.direction=receive}": 2445568,
		"flussonic.gpu.temperature{flussonic.gpu.id=0,flussonic.gpu.name=NVIDIA T4}":      71,
	} {
		assert.InDelta(t, want, points[point], 0, point)
	}
	assert.NotContains(t, points, "flussonic.disk.utilization{flussonic.disk.path=/storage}")
	assert.NotContains(t, points, "flussonic.gpu.temperature{flussonic.gpu.id=0,flussonic.gpu.name=}")

	// Without API v3, the page is recorded completely.
	require.NoError(t, server.SetFault("status_500", "config/stats", "streams", "dvb_cards"))
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "HTTP status 500")
	points = rtctest.Points(t, metrics)
	assert.InDelta(t, 0.73, points["flussonic.disk.utilization{flussonic.disk.path=/storage}"], 0)
	assert.InDelta(t, 27, points["flussonic.stream.retries{flussonic.stream.name=cam-7}"], 0)
	assert.NotContains(t, points, "flussonic.stream.count_by_state{flussonic.stream.state=running}", "nobody knows how many there are")
}

// Only APIs that enabled metrics need are requested: the list of streams after the small calls, the page last.
func TestRequests(t *testing.T) {
	none := func(c *Config) { c.MetricsBuilderConfig.Metrics = metadata.MetricsConfig{} }
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"default", nil, []string{"cluster/peers", "config/stats", "dvb_cards", "dvrs", "streams", "/flussonic/api/metrics"}},
		{"api", onlyAPI, []string{"cluster/peers", "config/stats", "dvb_cards", "dvrs", "streams"}},
		{"page", onlyPage, []string{"/flussonic/api/metrics"}},
		{"nothing", none, []string{"config/stats"}},
		{"sessions", func(c *Config) {
			none(c)
			c.MetricsBuilderConfig.Metrics.FlussonicSessionCount.Enabled = true
		}, []string{"config/stats", "sessions"}},
		{"files", func(c *Config) {
			none(c)
			c.MetricsBuilderConfig.Metrics.FlussonicVodClientCount.Enabled = true
		}, []string{"config/stats", "vods/opened_files"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := startServer(t, flussonic.Options{})
			s, _ := startScraper(t, server.URL(), tt.edit)
			_ = scrapePoints(t, s)
			got := paths(server)
			light := slices.Index(append(got, "streams"), "streams")
			slices.Sort(got[:min(light, len(got))]) // they are concurrent
			assert.Equal(t, tt.want, got)
		})
	}
}

// paths returns the requested paths without their queries.
func paths(server *emulator.Server) (paths []string) {
	for _, request := range server.Requests() {
		path, _, _ := strings.Cut(request, "?")
		paths = append(paths, path)
	}
	return paths
}

// With all metrics enabled, no API is requested that contains secrets or changes the server: config, single streams, addresses.
func TestForbiddenRequests(t *testing.T) {
	allowed := []string{apiStats, apiStreams, apiDVRs, apiCards, apiSessions, apiFiles, apiPeers, apiPage, apiOldServer}
	for _, generation := range []string{"23.10", "25.11", "legacy"} {
		server := startServer(t, flussonic.Options{Generation: generation})
		s, _ := startScraper(t, server.URL(), everything)
		_ = scrapePoints(t, s)
		assert.Subset(t, allowed, paths(server))
		for _, request := range server.Requests() {
			_, query, _ := strings.Cut(request, "?")
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			for field := range strings.SplitSeq(values.Get("select"), ",") {
				assert.NotContains(t, []string{"inputs", "inputs.url", "inputs.stats", "pushes", "pushes.url", "pushes.stats", "stats.push", "token", "ip", "password", "config_on_disk"}, field)
			}
		}
	}
}

// Only fields that enabled metrics need are selected, so disabled groups cost nothing.
func TestSelectFollowsTheMetrics(t *testing.T) {
	fields := func(edit func(*Config)) []string {
		server := startServer(t, flussonic.Options{})
		s, _ := startScraper(t, server.URL(), edit)
		_ = scrapePoints(t, s)
		for _, request := range server.Requests() {
			if path, query, _ := strings.Cut(request, "?"); path == apiStreams {
				values, err := url.ParseQuery(query)
				require.NoError(t, err)
				return strings.Split(values.Get("select"), ",")
			}
		}
		return nil
	}
	byDefault := fields(nil)
	for _, field := range []string{"stats.input", "stats.play", "inputs.stats.active", "stats.media_info.tracks.content", "stats.lifetime"} {
		assert.NotContains(t, byDefault, field)
	}
	assert.Contains(t, byDefault, "stats.input.bytes")
	assert.Equal(t, []string{ // these fields also show whether the stream runs here
		"name", "named_by", "stats.running_on", "stats.status", "disabled", "stats.alive",
		"stats.play.play_opened_sessions", "stats.online_clients", "stats.client_count", "stats.input.bytes", "stats.bytes_in", "stats.bytes_out", "stats.opened_at",
	}, fields(func(c *Config) {
		c.MetricsBuilderConfig.Metrics = metadata.MetricsConfig{}
		c.MetricsBuilderConfig.Metrics.FlussonicStreamAlive.Enabled = true
	}))
}

// A server that ignores the selection results in the same points, and in none for disabled metrics.
func TestIgnoredSelection(t *testing.T) {
	points := func(ignore bool) map[string]float64 {
		s, _ := startScraper(t, startServer(t, flussonic.Options{IgnoreSelect: ignore}).URL(), nil)
		return scrapePoints(t, s)
	}
	assert.Equal(t, points(false), points(true))
}

// The sums of a stream start when the stream starts, all others when the server starts, and none after its own point.
func TestStartTimes(t *testing.T) {
	s, _ := startScraper(t, startServer(t, flussonic.Options{}).URL(), nil)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	want := map[string]time.Time{ // opened_at of hockey1, and started_at, by jq
		"flussonic.stream.io":      time.Unix(1763590000, 0),
		"flussonic.stream.retries": time.Unix(1763590000, 0),
		"flussonic.dvr.errors":     time.Unix(1763000000, 0),
	}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Type() != pmetric.MetricTypeSum {
			continue
		}
		for _, dp := range m.Sum().DataPoints().All() {
			assert.LessOrEqual(t, dp.StartTimestamp(), dp.Timestamp(), m.Name())
			name, isStream := dp.Attributes().Get("flussonic.stream.name")
			if start, ok := want[m.Name()]; ok && (!isStream || name.Str() == "hockey1") {
				assert.Equal(t, start.UTC(), dp.StartTimestamp().AsTime(), m.Name())
			}
		}
	}
}

// The resource attributes stay the same while the server is down.
func TestResourceOutlivesTheServer(t *testing.T) {
	server := startServer(t, flussonic.Options{})
	s, _ := startScraper(t, server.URL(), nil)
	up, err := s.Scrape(t.Context())
	require.NoError(t, err)
	require.NoError(t, server.SetFault("refuse"))
	down, err := s.Scrape(t.Context())
	require.True(t, scrapererror.IsPartialScrapeError(err))
	resource := up.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "25.11", resource["service.version"])
	assert.Equal(t, "streamer1.example.com", resource["flussonic.hostname"])
	assert.Equal(t, "123e4567-e89b-12d3-a456-426614174000", resource["flussonic.server.id"])
	assert.Equal(t, resource, down.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
}

// askAgainAfter is the number of scrapes after which the runner repeats a call that the server does not offer.
const askAgainAfter = 10

// A server without API v3 is not a failure: it is logged once, and the API is requested again every askAgainAfter scrapes.
func TestAbsentAPIs(t *testing.T) {
	server := startServer(t, flussonic.Options{Generation: "legacy"})
	s, logs := startScraper(t, server.URL(), nil)
	for scrapes := 1; scrapes <= 2*askAgainAfter; scrapes++ {
		points := scrapePoints(t, s)
		assert.InDelta(t, 1592, points["flussonic.client.count{}"], 0)
	}
	asked := map[string]int{}
	for _, path := range paths(server) {
		asked[path]++
	}
	assert.Equal(t, map[string]int{
		"cluster/peers": 2, "config/stats": 2, "dvb_cards": 2, "dvrs": 2, "/flussonic/api/metrics": 2, "/flussonic/api/server": 2 * askAgainAfter,
	}, asked)
	assert.Equal(t, len(asked), logs.FilterMessageSnippet("does not offer an API").Len(), "streams too, but not the old API")
}
