// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

const testSecret = "s3cr3t/+&="

// faultRow is the expected result of a scrape with a fault on all paths.
type faultRow struct {
	up      bool
	message string // in the error
	counted string // error.type
}

// ofAll holds the faults that have the same result in both sources.
var ofAll = map[string]faultRow{
	"refuse":             {false, "connection refused: check that the server runs and that the setting endpoint names its host and port", "connection"},
	"reset":              {false, "connection reset by peer", "connection"},
	"hang":               {false, "no complete answer in time", "timeout"},
	"slow_header":        {false, "no complete answer in time", "timeout"},
	"slow_body":          {false, "no complete answer in time", "timeout"},
	"status_500":         {false, "HTTP status 500 Internal Server Error", "status"},
	"status_401":         {false, "HTTP status 401 Unauthorized: `unauthorized`: check the credentials in the configuration", "authentication"},
	"status_403":         {false, "HTTP status 403 Forbidden: `forbidden`: check the credentials in the configuration", "authentication"},
	"status_429":         {false, "HTTP status 429 Too Many Requests: `too many requests`", "status"},
	"html_404":           {false, "HTTP status 404 Not Found with an HTML page", "status"},
	"redirect_elsewhere": {false, "redirect to another host, 192.0.2.1: check the setting endpoint", "status"},
	"wrong_secret":       {false, "HTTP status 401 Unauthorized", "authentication"},
	"cut_body":           {false, "unexpected EOF", "format"},
	"restart":            {true, "", ""},
}

// ofStats and ofPage add the faults that have different results in JSON and text.
var (
	ofStats = override(ofAll, map[string]faultRow{
		"endless_body":         {false, "one value of the answer is larger than 1024 KiB", "size"},
		"gzip_bomb":            {false, "one value of the answer is larger than 1024 KiB", "size"},
		"invalid_json":         {false, "cannot be decoded", "format"},
		"wrong_types":          {true, "skipped values of a wrong type or range: ", "format"},
		"invalid_utf8":         {true, "", ""}, // the rest of a name is valid
		"numbers_out_of_range": {true, "skipped values of a wrong type or range: ", "format"},
		"deep_nesting":         {true, "skipped values of a wrong type or range: ", "format"},
	})
	// A page that ends early and a page with quoted numbers are valid.
	ofPage = override(ofAll, map[string]faultRow{
		"endless_body":         {false, "the answer is larger than 256 MiB", "size"},
		"gzip_bomb":            {false, "", "size"},
		"invalid_json":         {true, "", ""},
		"wrong_types":          {true, "", ""},
		"invalid_utf8":         {true, "", ""},
		"numbers_out_of_range": {true, "skipped lines that cannot be parsed: ", "format"},
		"deep_nesting":         {true, "", ""},
	})
	// The bucket bounds of JVB's histograms are numbers in labels.
	ofJVBPage = override(ofPage, map[string]faultRow{"invalid_utf8": {true, "skipped values of a wrong type or range: jitsi_jvb_conferences_by_size_bucket", "format"}})
	// Jigasi's page and health check work while its statistics fail. Status 500 is a valid result of its health check.
	ofJigasi = override(ofStats, map[string]faultRow{
		"invalid_json": {true, "cannot be decoded", "format"},
		"status_500":   {true, "HTTP status 500 Internal Server Error", "status"},
	})
	// Jibri's health response contains only strings.
	ofJibri = override(ofStats, map[string]faultRow{"wrong_types": {true, "", ""}, "numbers_out_of_range": {true, "", ""}})
)

func override(rows, more map[string]faultRow) map[string]faultRow {
	rows = maps.Clone(rows)
	maps.Copy(rows, more)
	return rows
}

// emulated are the emulated components, each with a point that every complete scrape has.
var emulated = map[string]struct {
	block, source string
	start         func() (*emulator.Server, error)
	rows          map[string]faultRow
	whole         string
}{
	"jvb stats":    {"jvb", "colibri", func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{Stats: true}) }, ofStats, "jitsi.jvb.conference.count{}"},
	"jvb page":     {"jvb", "metrics", func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{}) }, ofJVBPage, "jitsi.jvb.conference.count{}"},
	"jicofo stats": {"jicofo", "stats", func() (*emulator.Server, error) { return jitsi.NewJicofo(jitsi.JicofoOptions{}) }, ofStats, "jitsi.jicofo.conference.count{}"},
	"jicofo page":  {"jicofo", "metrics", func() (*emulator.Server, error) { return jitsi.NewJicofo(jitsi.JicofoOptions{}) }, ofPage, "jitsi.jicofo.conference.count{}"},
	"jigasi":       {"jigasi", "auto", func() (*emulator.Server, error) { return jitsi.NewJigasi(jitsi.JigasiOptions{}) }, ofJigasi, "jitsi.jigasi.conference.count{}"},
	"jibri":        {"jibri", "auto", func() (*emulator.Server, error) { return jitsi.NewJibri(jitsi.JibriOptions{}) }, ofJibri, "jitsi.jibri.healthy{}"},
}

// emulate starts an emulated component.
func emulate(t testing.TB, start func() (*emulator.Server, error)) *emulator.Server {
	t.Helper()
	server, err := start()
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// withSecret sends the secret, which must not appear in any output.
func withSecret(c *Config) {
	for _, b := range c.components() {
		b.ClientConfig.Headers.Set("Authorization", configopaque.String("Bearer "+testSecret))
	}
}

// withoutVersion disables the request for the version, which is made only once.
func withoutVersion(c *Config) {
	c.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled = false
}

func withSource(source string) func(*Config) {
	return func(c *Config) {
		for component, setting := range map[string]*string{"jvb": &c.JVB.Source, "jicofo": &c.Jicofo.Source} {
			if source == sourceMetrics || source == components[component].statsSource {
				*setting = source
			}
		}
	}
}

// For every fault of the emulator, component and source, in the first scrape and in a later one: the points and the error are as
// expected, the deadline is kept, the next scrape is complete again, and the secret appears nowhere.
func TestFaults(t *testing.T) {
	for name, component := range emulated {
		for _, fault := range emulator.Faults {
			t.Run(name+"/"+fault.Name, func(t *testing.T) {
				t.Parallel()
				row, ok := component.rows[fault.Name]
				require.True(t, ok, "a fault without a row")
				row.message = strings.ReplaceAll(row.message, "setting endpoint", "setting "+component.block+"::endpoint")
				server := emulate(t, component.start)
				s, logs := startSystem(t, at(component.block, server.URL()), withSource(component.source), withSecret, withoutVersion)
				timeout := plenty
				if row.counted == "timeout" {
					timeout = 500 * time.Millisecond
				}
				counted := 0.0
				for range 2 { // a first scrape, and a later one
					require.NoError(t, server.SetFault(fault.Name))
					points, err := scrapeInTime(t, s, timeout)
					checkFault(t, row, server.URL(), points, err)
					n := sumOf(points, "rtc.scrape.errors{error.type="+row.counted)
					assert.Equal(t, row.counted != "", n > counted)
					counted = n
					require.NoError(t, server.SetFault(""))
					points, err = scrapeInTime(t, s, plenty)
					require.NoError(t, err)
					assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
					assert.Contains(t, points, component.whole)
				}
				for _, entry := range logs.All() {
					rtctest.NoSecret(t, testSecret, entry.Message, fmt.Sprint(entry.ContextMap()))
				}
			})
		}
	}
}

// plenty is a timeout that no scrape should reach, even on a slow machine.
const plenty = 30 * time.Second

func scrapeInTime(t *testing.T, s *system, timeout time.Duration) (map[string]float64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	deadline, _ := ctx.Deadline()
	assert.Less(t, time.Since(deadline), plenty, "long after the deadline")
	rtctest.NoSecret(t, testSecret, rtctest.Text(t, metrics), fmt.Sprint(err))
	return rtctest.Points(t, metrics), err
}

func checkFault(t *testing.T, row faultRow, url string, points map[string]float64, err error) {
	t.Helper()
	assert.InDelta(t, float64(rows.BoolToInt(row.up)), points["rtc.target.up{}"], 0)
	if row.counted == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, scrapererror.IsPartialScrapeError(err))
	require.ErrorContains(t, err, row.message)
	require.ErrorContains(t, err, " of "+url+": ")
	if row.up {
		return
	}
	for point := range points {
		assert.True(t, strings.HasPrefix(point, "rtc."), point)
	}
}

// sumOf returns the sum of the points whose names begin with metric.
func sumOf(points map[string]float64, metric string) float64 {
	sum := 0.0
	for point, value := range points {
		if strings.HasPrefix(point, metric) {
			sum += value
		}
	}
	return sum
}

// If one source fails, only the values that it alone has are missing, and the other source is still requested.
func TestOneSourceFails(t *testing.T) {
	for _, tt := range []struct{ fault, path, lost, kept string }{
		{"status_500", apiColibri, "jitsi.jvb.endpoint.stress{}", "jitsi.jvb.conference.count{}"},
		{"hang", apiColibri, "jitsi.jvb.endpoint.stress{}", "jitsi.jvb.conference.count{}"},
		{"status_500", apiMetrics, "jitsi.jvb.ice.restarts{}", "jitsi.jvb.conference.count{}"},
		{"cut_body", apiMetrics, "jitsi.jvb.ice.restarts{}", "jitsi.jvb.conference.count{}"},
	} {
		t.Run(tt.fault+" "+tt.path, func(t *testing.T) {
			t.Parallel()
			server := emulate(t, func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{Stats: true}) })
			s, _ := startSystem(t, at("jvb", server.URL()))
			for range 2 {
				require.NoError(t, server.SetFault(tt.fault, tt.path))
				timeout := plenty
				if tt.fault == "hang" {
					timeout = time.Second
				}
				points, err := scrapeInTime(t, s, timeout)
				require.ErrorContains(t, err, tt.path+" of "+server.URL()+": ")
				assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
				assert.NotContains(t, points, tt.lost)
				assert.Contains(t, points, tt.kept)
				require.NoError(t, server.SetFault(""))
				points, err = scrapeInTime(t, s, plenty)
				require.NoError(t, err)
				assert.Contains(t, points, tt.lost)
			}
		})
	}
}

// A component that hangs affects only its own metrics.
func TestOneComponentFails(t *testing.T) {
	bridge := emulate(t, emulated["jvb page"].start)
	focus := emulate(t, emulated["jicofo stats"].start)
	require.NoError(t, focus.SetFault("hang"))
	s, _ := startSystem(t, at("jvb", bridge.URL()), at("jicofo", focus.URL()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	require.ErrorContains(t, err, apiStats+", "+apiMetrics+" of "+focus.URL()+": no complete answer in time")
	assert.NotContains(t, err.Error(), bridge.URL())
	up := map[string]float64{}
	for _, rm := range metrics.ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get("service.name")
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Name() == "rtc.target.up" {
				up[service.Str()] = float64(m.Sum().DataPoints().At(0).IntValue())
			}
		}
	}
	assert.Equal(t, map[string]float64{"jitsi-videobridge": 1, "jitsi-jicofo": 0}, up)
}

// Start times are right after jumps of the collector's and of the server's clock.
func TestClockJumps(t *testing.T) {
	for name, start := range map[string]func(now func() time.Time) (*emulator.Server, error){
		"jvb": func(now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJVB(jitsi.JVBOptions{Moving: true, Stats: true, Now: now})
		},
		"jicofo": func(now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJicofo(jitsi.JicofoOptions{Moving: true, Now: now})
		},
		"jigasi": func(now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJigasi(jitsi.JigasiOptions{Moving: true, Now: now})
		},
		"jibri": func(now func() time.Time) (*emulator.Server, error) {
			return jitsi.NewJibri(jitsi.JibriOptions{Moving: true, Metrics: true, Now: now})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var collector, server rtctest.Clock
			emulated := emulate(t, func() (*emulator.Server, error) { return start(server.Now) })
			s, _ := startSystem(t, at(name, emulated.URL()))
			s.SetClock(collector.Now)
			rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
				metrics, err := s.Scrape(t.Context())
				assert.NoError(t, err)
				return metrics
			})
		})
	}
}
