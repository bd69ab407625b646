// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// pointsOf scrapes a component with the responses a and returns its points.
func pointsOf(t *testing.T, block string, a answers, edit ...func(*Config)) map[string]float64 {
	t.Helper()
	s, _ := startSystem(t, append(edit, at(block, serve(t, filepath.Join(captures, block), a).URL))...)
	s.SetClock(func() time.Time { return captured })
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	for point := range points {
		if strings.HasPrefix(point, "rtc.") {
			delete(points, point)
		}
	}
	return points
}

// Both sources of a component give the same points, except those that only one of them has. JSON truncates throughput to whole kbit/s.
func TestSourcesAgree(t *testing.T) {
	for _, tt := range []struct {
		block                string
		stats, page          answers
		statsOnly, different []string
	}{
		{
			"jvb",
			answers{apiColibri: jvb3},
			answers{apiMetrics: jvbPage},
			[]string{"jitsi.jvb.endpoint.stress{}"},
			[]string{"jitsi.jvb.network.throughput{jitsi.peer=endpoint,network.io.direction=receive}", "jitsi.jvb.network.throughput{jitsi.peer=endpoint,network.io.direction=transmit}"},
		},
		{
			"jicofo",
			answers{apiStats: focus},
			answers{apiMetrics: focusPage},
			[]string{
				"jitsi.jicofo.conference.count_by_size", "jitsi.jicofo.queue.", "jitsi.jicofo.slow_health_checks{}",
				"jitsi.jicofo.jigasi.errors{error.type=no_instance}", "jitsi.jicofo.jigasi.errors{error.type=xmpp_not_connected}",
			},
			[]string{"jitsi.jicofo.participant.pair.count{}"}, // the captures were made with different formulas
		},
		{
			"jigasi",
			answers{apiAboutStats: gateway, apiHealth: " {}"},
			answers{apiMetrics: "metrics.constructed-master-2026-06-17.004.txt", apiHealth: " {}"},
			[]string{"jitsi.jigasi.conference.count_by_size"},
			nil,
		},
	} {
		t.Run(tt.block, func(t *testing.T) {
			stats, page := pointsOf(t, tt.block, tt.stats, everything), pointsOf(t, tt.block, tt.page, everything)
			require.Greater(t, len(stats), 30)
			for _, point := range tt.different {
				require.Contains(t, stats, point)
				if strings.Contains(point, "throughput") {
					assert.InDelta(t, page[point]-62.5, stats[point], 62.5, point)
				}
				delete(stats, point)
			}
			for _, only := range tt.statsOnly {
				assert.Positive(t, remove(stats, only), only)
				assert.Zero(t, remove(page, only), only)
			}
			for point, value := range stats {
				if assert.Contains(t, page, point) {
					assert.InDelta(t, value, page[point], 1e-9, point)
				}
			}
		})
	}
}

// remove deletes the points whose names begin with prefix and returns their number.
func remove(points map[string]float64, prefix string) (n int) {
	for point := range points {
		if strings.HasPrefix(point, prefix) {
			delete(points, point)
			n++
		}
	}
	return n
}

// Both formats of the page give the same points.
func TestFormatsAgree(t *testing.T) {
	for block, page := range map[string]string{
		"jvb": "metrics.constructed-2.3.312-master", "jicofo": "metrics.constructed-master-2026-08-19",
		"jigasi": "metrics.constructed-master-2026-06-17", "jibri": "metrics.constructed-master-2026-08-05",
	} {
		old := pointsOf(t, block, answers{apiMetrics: page + ".004.txt", apiHealth: " {}"}, everything)
		assert.NotEmpty(t, old)
		assert.Equal(t, old, pointsOf(t, block, answers{apiMetrics: page + ".openmetrics.txt", apiHealth: " {}"}, everything), block)
	}
}

// Old pages give the same points: JVB's families began with jitsi_ alone before 2023-03, and counters had no suffix before 2022.
func TestOldPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(captures, "jvb", jvbPage))
	require.NoError(t, err)
	old := strings.ReplaceAll(strings.ReplaceAll(string(page), "jitsi_jvb_", "jitsi_"), "_total ", " ")
	assert.Equal(t, pointsOf(t, "jvb", answers{apiMetrics: jvbPage}, everything), pointsOf(t, "jvb", answers{apiMetrics: " " + old}, everything))
}

// The page of 2.3.92 has fewer values than its statistics, and they agree. Later pages lack some of its families.
func TestPageOf2024(t *testing.T) {
	stats, page := pointsOf(t, "jvb", answers{apiColibri: jvb2}, everything), pointsOf(t, "jvb", answers{apiMetrics: jvbPage2}, everything)
	delete(page, "jitsi.jvb.shutting_down{}") // which the statistics report only during a shutdown
	require.Len(t, page, 29)
	for point, value := range page {
		if assert.Contains(t, stats, point) {
			assert.InDelta(t, stats[point], value, 0, point)
		}
	}
	for _, gone := range []string{
		"jitsi.jvb.conference.failures{jitsi.failure.scope=full}", "jitsi.jvb.conference.failures{jitsi.failure.scope=partial}", "jitsi.jvb.bwe.expirations{}",
	} {
		assert.Contains(t, page, gone)
	}
}

// Both sources are requested at first, after a failure and after rechooseAfter scrapes, otherwise only those with values of their own.
func TestChoice(t *testing.T) {
	onlyStats := answers{apiColibri: jvb2}
	onlyPage := answers{apiMetrics: jvbPage, apiVersion: about}
	both := answers{apiColibri: jvb3, apiMetrics: jvbPage}
	server := serve(t, filepath.Join(captures, "jvb"), onlyPage)
	s, logs := startSystem(t, at("jvb", server.URL))
	asked := func(a answers) []string {
		server.change(a)
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
		return server.change(nil)
	}
	fails := func() {
		server.change(answers{})
		_, err := s.Scrape(t.Context())
		require.Error(t, err)
	}
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics, apiVersion}, asked(onlyPage))
	assert.ElementsMatch(t, []string{apiMetrics}, asked(onlyPage))
	assert.ElementsMatch(t, []string{apiMetrics}, asked(both), "the choice lasts")
	fails()
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, asked(both))
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, asked(both))
	fails()
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, asked(onlyStats))
	for scrape := 1; scrape < rechooseAfter-1; scrape++ {
		want := []string{apiColibri}
		if scrape%10 == 0 { // what is not offered is requested again
			want = append(want, apiMetrics)
		}
		require.ElementsMatch(t, want, asked(nil), scrape)
	}
	assert.ElementsMatch(t, []string{apiColibri}, asked(both))
	for range 2 {
		assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, asked(both))
	}
	var chosen []any
	for _, entry := range logs.FilterMessageSnippet("chose the paths").All() {
		chosen = append(chosen, entry.ContextMap()["paths"])
	}
	assert.Equal(t, []any{[]any{apiMetrics}, []any{apiColibri, apiMetrics}, []any{apiColibri}, []any{apiColibri, apiMetrics}}, chosen)
	assert.LessOrEqual(t, logs.FilterMessageSnippet("does not offer an API").Len(), 2)
}

// Statistics that a JVB offers only after a restart are requested.
func TestRestartOffersMore(t *testing.T) {
	page := func(started int) string { return fmt.Sprintf(" jitsi_jvb_startup_time %d000\n", started) }
	server := serve(t, "", answers{apiMetrics: page(1000)})
	s, _ := startSystem(t, at("jvb", server.URL), withoutVersion)
	requested := func(a answers) []string {
		server.change(a)
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
		return server.change(nil)
	}
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, requested(nil))
	assert.Equal(t, []string{apiMetrics}, requested(nil))
	assert.Equal(t, []string{apiMetrics}, requested(answers{apiMetrics: page(2000), apiColibri: ` {"conferences":1}`}))
	assert.ElementsMatch(t, []string{apiColibri, apiMetrics}, requested(nil))
}

// A page without values that JSON lacks is not requested again.
func TestChoiceLeavesOutWhatTellsNoMore(t *testing.T) {
	server := serve(t, filepath.Join(captures, "jigasi"), answers{apiAboutStats: gateway, apiMetrics: "metrics.constructed-master-2026-06-17.004.txt", apiHealth: " {}"})
	s, _ := startSystem(t, at("jigasi", server.URL), withoutVersion)
	for _, want := range [][]string{{apiAboutStats, apiHealth, apiMetrics}, {apiAboutStats, apiHealth}} {
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
		assert.ElementsMatch(t, want, server.change(nil))
	}
}

// A configured source is the only one requested. If it is absent, the error says what to do.
func TestSetSource(t *testing.T) {
	for _, tt := range []struct{ block, source, path, off, hint string }{
		{"jvb", "colibri", apiColibri, apiMetrics, "videobridge.apis.rest.enabled=true in jvb.conf turns it on"},
		{"jvb", "metrics", apiMetrics, apiColibri, "videobridge.rest.prometheus.enabled=false"},
		{"jicofo", "stats", apiStats, apiMetrics, "on port 8888"},
		{"jicofo", "metrics", apiMetrics, apiStats, "since 2022"},
	} {
		t.Run(tt.block+" "+tt.source, func(t *testing.T) {
			files := map[string]answers{"jvb": {apiColibri: jvb3, apiMetrics: jvbPage}, "jicofo": {apiStats: focus, apiMetrics: focusPage}}[tt.block]
			server := serve(t, filepath.Join(captures, tt.block), files)
			s, _ := startSystem(t, at(tt.block, server.URL), withSource(tt.source), withoutVersion)
			_, err := s.Scrape(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{tt.path}, server.change(answers{tt.off: files[tt.off]}))
			_, err = s.Scrape(t.Context())
			require.ErrorContains(t, err, tt.path+" of "+server.URL+": HTTP status 404 Not Found")
			require.ErrorContains(t, err, tt.hint)
		})
	}
}

// A 404 means that the statistics are disabled only if JVB may have sent it. JVB's error pages are those of Jetty.
func TestAbsentStatistics(t *testing.T) {
	const jetty = "<html>\n<head>\n<title>Error 404 Not Found</title>\n</head>\n<body><h2>HTTP ERROR 404 Not Found</h2>\n</body>\n</html>\n"
	page, err := os.ReadFile(filepath.Join(captures, "jvb", jvbPage))
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		header, body string
		foreign      string // in the error
	}{
		"nothing":           {"", "", ""},
		"text":              {"", "404 page not found\n", ""},
		"Jetty":             {"", jetty, ""},
		"Jetty's name":      {"Jetty(9.4.44.v20210927)", "<html>no</html>", ""},
		"a web site":        {"nginx", "<html>no</html>", "HTTP status 404 Not Found with an HTML page: `<html>no</html>`: check that the setting jvb::endpoint leads to a JVB"},
		"another system":    {"ZLMediaKit(git hash:x)", "", "HTTP status 404 Not Found from ZLMediaKit: check that the setting jvb::endpoint leads to a JVB"},
		"mediasoup's agent": {"", `{"error":"ask for /v1/snapshot or /v1/health"}`, "HTTP status 404 Not Found from mediasoup's agent: check that the setting jvb::endpoint leads to a JVB"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == apiMetrics {
					_, _ = w.Write(page)
					return
				}
				w.Header().Set("Server", tt.header)
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(tt.body))
			}))
			t.Cleanup(server.Close)
			s, logs := startSystem(t, at("jvb", server.URL), withoutVersion)
			for range 2 {
				metrics, err := s.Scrape(t.Context())
				assert.InDelta(t, 1, rtctest.Points(t, metrics)["rtc.target.up{}"], 0)
				if tt.foreign == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, apiColibri+" of "+server.URL+": "+tt.foreign)
				}
			}
			assert.Equal(t, tt.foreign == "", logs.FilterMessageSnippet("does not offer an API").Len() == 1)
		})
	}
}

// Only the paths that enabled metrics need are requested, and always at least one.
func TestRequests(t *testing.T) {
	none := func(c *Config) { c.MetricsBuilderConfig.Metrics = metadata.MetricsConfig{} }
	for name, tt := range map[string]struct {
		edit func(*Config)
		want []string
	}{
		"nothing":     {none, []string{apiColibri}},
		"conferences": {func(c *Config) { none(c); c.MetricsBuilderConfig.Metrics.JitsiJvbConferenceCount.Enabled = true }, []string{apiColibri}},
		"uptime": {
			func(c *Config) { none(c); c.MetricsBuilderConfig.Metrics.JitsiJvbUptime.Enabled = true },
			[]string{apiColibri, apiMetrics},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, filepath.Join(captures, "jvb"), answers{apiColibri: jvb3, apiMetrics: jvbPage})
			s, _ := startSystem(t, at("jvb", server.URL), tt.edit)
			for range 2 { // the second one requests only the chosen sources
				server.change(nil)
				_, err := s.Scrape(t.Context())
				require.NoError(t, err)
			}
			assert.ElementsMatch(t, tt.want, server.change(nil))
		})
	}
}

// Whatever is enabled, no request changes a component, as GET requests for some paths do.
func TestOnlyReadingPaths(t *testing.T) {
	allowed := map[string][]string{
		"jvb stats": {apiColibri, apiVersion}, "jvb page": {apiMetrics, apiVersion}, "jicofo stats": {apiStats, apiVersion},
		"jicofo page": {apiMetrics, apiVersion}, "jigasi": {apiAboutStats, apiMetrics, apiHealth, apiVersion}, "jibri": {apiJibri, apiMetrics},
	}
	for name, component := range emulated {
		server := emulate(t, component.start)
		s, _ := startSystem(t, at(component.block, server.URL()), withSource(component.source), everything)
		for range 3 {
			_, err := s.Scrape(t.Context())
			require.NoError(t, err)
		}
		assert.NotEmpty(t, server.Requests())
		for _, path := range server.Requests() {
			assert.Contains(t, allowed[name], path)
		}
	}
}

// A state of Jibri that is not listed is reported as unknown.
func TestJibriStates(t *testing.T) {
	for busy, want := range map[string]string{"IDLE": "idle", "BUSY": "busy", "EXPIRED": "expired", "DRAINING": "unknown", "": ""} {
		points := pointsOf(t, "jibri", answers{apiJibri: fmt.Sprintf(` {"status":{"busyStatus":%q,"health":{"healthStatus":"HEALTHY"}}}`, busy)})
		for _, state := range []string{"idle", "busy", "expired", "unknown"} {
			got, there := points["jitsi.jibri.state{jitsi.jibri.state="+state+"}"]
			assert.Equal(t, want != "", there, busy)
			assert.Equal(t, state == want, got == 1, busy)
		}
	}
}

// Jigasi's health check has status 500 and a reason if it fails, and 503 if a gateway is not ready: both are results. Other statuses
// give no point and, except 404, an error.
func TestJigasiHealth(t *testing.T) {
	for status, tt := range map[int]struct {
		healthy float64
		message string
		absent  bool // the component has no health check
	}{
		http.StatusOK:                  {healthy: 1},
		http.StatusInternalServerError: {healthy: 0},
		http.StatusServiceUnavailable:  {healthy: 0},
		http.StatusBadGateway:          {message: "HTTP status 502"},
		http.StatusNotFound:            {absent: true},
		http.StatusForbidden:           {message: "HTTP status 403"},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s, _ := startSystem(t, at("jigasi", serveGateway(t, func(w http.ResponseWriter) {
				w.WriteHeader(status)
				_, _ = w.Write([]byte("{}"))
			})))
			metrics, err := s.Scrape(t.Context())
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			healthy, there := points["jitsi.jigasi.healthy{}"]
			if tt.message != "" {
				require.ErrorContains(t, err, tt.message)
				assert.False(t, there)
				return
			}
			require.NoError(t, err)
			assert.Zero(t, remove(points, "rtc.scrape.errors"))
			require.Equal(t, !tt.absent, there)
			assert.InDelta(t, tt.healthy, healthy, 0)
		})
	}
}

// serveGateway starts a Jigasi whose health check is served by health.
func serveGateway(t *testing.T, health func(http.ResponseWriter)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiHealth:
			health(w)
		case apiAboutStats:
			_, _ = w.Write([]byte(`{"conferences":1}`))
		case apiVersion:
			_, _ = w.Write([]byte(`{"name":"JIGASI","version":"1.1","os":"Linux"}`))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The reason of a failed health check is logged when it changes, truncated to 256 bytes.
func TestJigasiHealthReason(t *testing.T) {
	var reason atomic.Value
	s, logs := startSystem(t, at("jigasi", serveGateway(t, func(w http.ResponseWriter) {
		if text := reason.Load().(string); text != "" {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprintf(w, `{"reason":%q}`, text)
			return
		}
		_, _ = w.Write([]byte("{}"))
	})))
	for _, text := range []string{"", "GW not ready.", "GW not ready.", "CallManager is not healthy.", "", "", "GW not ready.", strings.Repeat("`\t", 1000)} {
		reason.Store(text)
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
	}
	var logged []string
	for _, entry := range logs.FilterMessageSnippet("health check").All() {
		text, _ := entry.ContextMap()["reason"].(string)
		assert.LessOrEqual(t, len(text), 256)
		logged = append(logged, entry.Level.String()+": "+text)
	}
	require.Len(t, logged, 5)
	assert.Contains(t, logged[0], "warn: HTTP status 500 Internal Server Error: `{\"reason\":\"GW not ready.\"}`")
	assert.Contains(t, logged[1], "CallManager is not healthy.")
	assert.Equal(t, "info: ", logged[2])
	assert.Contains(t, logged[3], "GW not ready.")
	assert.True(t, strings.HasPrefix(logged[4], "warn: HTTP status 500"))
}

// A Jigasi without a gateway has no statistics, but its health is reported.
func TestJigasiWithoutGateway(t *testing.T) {
	server := emulate(t, func() (*emulator.Server, error) { return jitsi.NewJigasi(jitsi.JigasiOptions{NoGateway: true}) })
	s, logs := startSystem(t, at("jigasi", server.URL()))
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, apiAboutStats+" of "+server.URL()+": HTTP status 503")
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.InDelta(t, 0, points["jitsi.jigasi.healthy{}"], 0)
	assert.Contains(t, points, "jitsi.jigasi.healthy{}")
	assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=status,rtc.api=/about/stats}"], 0)
	assert.InDelta(t, 1, sumOf(points, "rtc.scrape.errors"), 0)
	reasons := logs.FilterMessageSnippet("health check").All()
	require.Len(t, reasons, 1)
	assert.Contains(t, reasons[0].ContextMap()["reason"], "No gateways configured.")
}

// Jigasi's version is requested once. If Jigasi does not report one, it is requested again in every tenth scrape.
func TestJigasiVersion(t *testing.T) {
	server := serve(t, filepath.Join(captures, "jigasi"), answers{apiAboutStats: gateway, apiHealth: " {}", apiVersion: gatewayAbout})
	s, _ := startSystem(t, at("jigasi", server.URL))
	version := func() string {
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		attributes := metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
		version, _ := attributes["service.version"].(string)
		return version
	}
	asked := func() bool { return slices.Contains(server.change(nil), apiVersion) }
	assert.Equal(t, "1.1-420-g6fbf4f2d", version())
	assert.True(t, asked())
	assert.Equal(t, "1.1-420-g6fbf4f2d", version())
	assert.False(t, asked())

	server.change(answers{apiAboutStats: gateway, apiHealth: " {}"})
	server.status = map[string]int{apiVersion: http.StatusServiceUnavailable}
	s, logs := startSystem(t, at("jigasi", server.URL))
	for range 2 {
		assert.Empty(t, version())
		assert.True(t, asked())
		for range 9 {
			require.Empty(t, version())
		}
		require.False(t, asked())
	}
	assert.Equal(t, 1, logs.FilterField(zap.String("api", apiVersion)).Len())
}

// Responses of real servers give no error and as many points as the samples that are modeled on them.
func TestRealSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared, "*", "*.real-*.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("requires published responses that may not be copied")
	}
	for _, file := range files {
		folder, name := filepath.Split(file)
		block := filepath.Base(folder)
		server := serve(t, folder, answers{map[string]string{"jvb": apiColibri, "jicofo": apiStats}[block]: name})
		s, _ := startSystem(t, at(block, server.URL), everything)
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err, name)
		assert.Greater(t, metrics.DataPointCount(), 40, name)
		likeReal, err := fs.ReadFile(os.DirFS(captures), block+"/"+strings.Replace(name, ".real-", ".like-real-", 1))
		require.NoError(t, err)
		like := serve(t, folder, answers{map[string]string{"jvb": apiColibri, "jicofo": apiStats}[block]: " " + string(likeReal)})
		s, _ = startSystem(t, at(block, like.URL), everything)
		own, err := s.Scrape(t.Context())
		require.NoError(t, err, name)
		assert.Len(t, rtctest.Points(t, own), metrics.DataPointCount(), "our own sample is like %s", name)
	}
}

// Metrics that only old versions of JVB report are absent for a current one.
func TestVersionsStayApart(t *testing.T) {
	old := []string{
		"jitsi.jvb.channel.creations", "jitsi.jvb.channel.failures", "jitsi.jvb.connection.creations", "jitsi.jvb.host.memory.usage",
		"jitsi.jvb.host.memory.limit", "jitsi.jvb.host.cpu.utilization", "jitsi.jvb.video_stream.count", "jitsi.jvb.network.dropped_packets",
	}
	today := pointsOf(t, "jvb", answers{apiColibri: jvb3, apiMetrics: jvbPage}, everything)
	first := pointsOf(t, "jvb", answers{apiColibri: jvb1}, everything)
	for _, name := range old[:7] {
		assert.Positive(t, remove(first, name+"{"), name)
	}
	for _, name := range old {
		assert.Zero(t, remove(today, name+"{"), name)
	}
}

// Sums start when the bridge started, if it reports that, and again when it restarts.
func TestStartTimes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(captures, "jvb", jvbPage))
	require.NoError(t, err)
	startedAt := func(ms string) answers {
		return answers{apiMetrics: " " + strings.Replace(string(page), "startup_time 1.755650000123E12", "startup_time "+ms, 1), apiVersion: about}
	}
	server := serve(t, filepath.Join(captures, "jvb"), startedAt("1.787187000000E12"))
	s, _ := startSystem(t, at("jvb", server.URL))
	s.SetClock(func() time.Time { return captured })
	startOf := func() int64 {
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		return metricOf(t, metrics, "jitsi.jvb.conference.creations").Sum().DataPoints().At(0).StartTimestamp().AsTime().Unix()
	}
	assert.EqualValues(t, 1787187000, startOf())
	assert.EqualValues(t, 1787187000, startOf())
	server.change(startedAt("1.787187700000E12"))
	assert.EqualValues(t, 1787187700, startOf())
	assert.Contains(t, server.change(startedAt("1.9E12")), apiVersion, "it may be another version")
	assert.EqualValues(t, 1787187700, startOf(), "a start to come is none")
}

func metricOf(t *testing.T, metrics pmetric.Metrics, name string) pmetric.Metric {
	t.Helper()
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == name {
			return m
		}
	}
	require.Fail(t, "no metric "+name)
	return pmetric.Metric{}
}

// A component keeps its identity while it is down, and gets a new one when another version comes up.
func TestResource(t *testing.T) {
	start := func() (*emulator.Server, error) {
		return jitsi.NewJVB(jitsi.JVBOptions{Stats: true, Upgrade: "2.3.999-g0"})
	}
	server := emulate(t, start)
	s, _ := startSystem(t, at("jvb", server.URL()), everything)
	resource := func() map[string]any {
		metrics, _ := s.Scrape(t.Context())
		attributes := metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
		delete(attributes, "server.port")
		delete(attributes, "service.instance.id")
		return attributes
	}
	want := map[string]any{
		"service.name": "jitsi-videobridge", "service.version": "2.3.312-ga29d97d1", "server.address": "127.0.0.1",
		"jitsi.region": "eu-central-1", "jitsi.relay.id": "jvb-eu-1", "jitsi.release": "7777",
	}
	assert.Equal(t, want, resource())
	require.NoError(t, server.SetFault("refuse"))
	assert.Equal(t, want, resource())
	require.NoError(t, server.SetFault(""))
	require.NoError(t, server.SetFault("restart"))
	want["service.version"] = "2.3.999-g0"
	assert.Equal(t, want, resource())
}

// Bridges over the limit and bridges whose names become equal are reported as omitted.
func TestThings(t *testing.T) {
	long := strings.Repeat("x", 300)
	page := " " + `jitsi_jicofo_bridge_endpoints{jvb="a"} 1
jitsi_jicofo_bridge_endpoints{jvb="b"} 2
jitsi_jicofo_bridge_endpoints{jvb="c"} 3
jitsi_jicofo_bridge_endpoints{jvb="` + long + `1"} 4
jitsi_jicofo_bridge_endpoints{jvb="` + long + `2"} 5
jitsi_jicofo_bridge_failing_ice{jvb="b"} 0
jitsi_jicofo_bridge_endpoints{jvb=""} 9
jitsi_jicofo_bridge_endpoints 9
`
	server := serve(t, "", answers{apiMetrics: page})
	s, logs := startSystem(t, at("jicofo", server.URL), func(c *Config) { c.Bridges.Limit = 3 })
	for range 2 {
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		points := rtctest.Points(t, metrics)
		assert.InDelta(t, 6, sumOf(points, "jitsi.jicofo.bridge.endpoint.count"), 0)
		assert.InDelta(t, 0, points["jitsi.jicofo.bridge.failing_ice{jitsi.bridge.id=b}"], 0)
		assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=limit}"], 0)
		assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"], 0)
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("raise bridges::limit").Len())
}

// Values of the last page do not appear in the next scrape, even if bridges come, go or change places.
func TestBridgesThatMove(t *testing.T) {
	server := serve(t, "", answers{})
	s, _ := startSystem(t, at("jicofo", server.URL))
	for _, bridges := range []string{"abc", "abc", "cb", "bdc", "", "a", "cba"} {
		page := " jitsi_jicofo_threads 1\n"
		want := map[string]float64{}
		for i, bridge := range bridges {
			page += fmt.Sprintf("jitsi_jicofo_bridge_endpoints{jvb=%q} %d\n", string(bridge), i)
			want[fmt.Sprintf("jitsi.jicofo.bridge.endpoint.count{jitsi.bridge.id=%c}", bridge)] = float64(i)
		}
		server.change(answers{apiMetrics: page})
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		points := rtctest.Points(t, metrics)
		maps.DeleteFunc(points, func(name string, _ float64) bool {
			return !strings.HasPrefix(name, "jitsi.jicofo.bridge.endpoint.count{")
		})
		assert.Equal(t, want, points, bridges)
	}
}

// If one source fails, the bridges of the other have their current values.
func TestBridgesOfOneSource(t *testing.T) {
	server := serve(t, "", answers{})
	s, _ := startSystem(t, at("jicofo", server.URL))
	for i, stats := range []string{` {"threads":1}`, ` {`, ` {`, ` {"threads":1}`} {
		server.change(answers{apiStats: stats, apiMetrics: fmt.Sprintf(" jitsi_jicofo_threads 1\njitsi_jicofo_bridge_endpoints{jvb=\"a\"} %d\n", i)})
		metrics, err := s.Scrape(t.Context())
		assert.Equal(t, stats == ` {`, err != nil)
		points := rtctest.Points(t, metrics)
		assert.Contains(t, points, "jitsi.jicofo.bridge.endpoint.count{jitsi.bridge.id=a}")
		assert.InDelta(t, i, points["jitsi.jicofo.bridge.endpoint.count{jitsi.bridge.id=a}"], 0)
	}
}

// Each part of Jibri that reports its health has a point. Parts whose names are equal as attributes count once.
func TestPartsOfJibri(t *testing.T) {
	const part = "component.healthy{jitsi.jibri.component="
	long := strings.Repeat("x", 300)
	for details, want := range map[string]map[string]float64{
		`{}`:   {},
		`null`: {},
		`{"JibriManager":{"healthStatus":"UNHEALTHY","detail":"a"},"other":{"detail":"b","healthStatus":"HEALTHY"}}`: {
			part + "JibriManager}": 0, part + "other}": 1,
		},
		`{"none":{"detail":"a"},"null":null}`:                                                       {},
		`{"` + long + `1":{"healthStatus":"HEALTHY"},"` + long + `2":{"healthStatus":"UNHEALTHY"}}`: {part + long[:256] + "}": 1},
	} {
		points := pointsOf(t, "jibri", answers{apiJibri: ` {"status":{"busyStatus":"IDLE","health":{"healthStatus":"HEALTHY","details":` + details + `}}}`})
		got := map[string]float64{}
		for point, value := range points {
			if name := strings.TrimPrefix(point, "jitsi.jibri."); strings.HasPrefix(name, part) {
				got[name] = value
			}
		}
		assert.Equal(t, want, got, details)
	}
}
