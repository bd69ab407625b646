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
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const testSecret = "s3cr3t/+&="

// faultRow says what a scrape makes of a fault that concerns all paths.
type faultRow struct {
	up      bool
	message string // in the error
	counted string // error.type
}

// ofAll are the faults that look the same in both sources.
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

// ofStats and ofPage are the faults that look different in JSON and text.
var (
	ofStats = override(ofAll, map[string]faultRow{
		"endless_body":         {false, "one value of the answer is larger than 1024 KiB", "size"},
		"gzip_bomb":            {false, "one value of the answer is larger than 1024 KiB", "size"},
		"invalid_json":         {false, "cannot be decoded", "format"},
		"wrong_types":          {true, "values of a wrong type, which are left out: ", "format"},
		"invalid_utf8":         {true, "", ""}, // what is left of a name is valid
		"numbers_out_of_range": {true, "values of a wrong type, which are left out: ", "format"},
		"deep_nesting":         {true, "values of a wrong type, which are left out: ", "format"},
	})
	// A page that ends early, and numbers in quotes, look like any other page.
	ofPage = override(ofAll, map[string]faultRow{
		"endless_body":         {false, "the answer is larger than 256 MiB", "size"},
		"gzip_bomb":            {false, "", "size"},
		"invalid_json":         {true, "", ""},
		"wrong_types":          {true, "", ""},
		"invalid_utf8":         {true, "", ""},
		"numbers_out_of_range": {true, "lines that cannot be read and are left out: ", "format"},
		"deep_nesting":         {true, "", ""},
	})
	// The limits of JVB's histograms are numbers in labels.
	ofJVBPage = override(ofPage, map[string]faultRow{"invalid_utf8": {true, "which are left out: jitsi_jvb_conferences_by_size_bucket", "format"}})
	// Jigasi's page and health check work while its statistics fail. Its health check fails with status 500.
	ofJigasi = override(ofStats, map[string]faultRow{
		"invalid_json": {true, "cannot be decoded", "format"},
		"status_500":   {true, "HTTP status 500 Internal Server Error", "status"},
	})
	// Jibri's health has words only.
	ofJibri = override(ofStats, map[string]faultRow{"wrong_types": {true, "", ""}, "numbers_out_of_range": {true, "", ""}})
)

func override(rows, more map[string]faultRow) map[string]faultRow {
	rows = maps.Clone(rows)
	maps.Copy(rows, more)
	return rows
}

// emulated are the components as the emulator plays them, with what tells that a scrape is whole.
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

// withSecret sends the secret, which must not come out anywhere.
func withSecret(c *Config) {
	for _, b := range c.blocks() {
		b.client.Headers.Set("Authorization", configopaque.String("Bearer "+testSecret))
	}
}

// withoutVersion leaves out the request that is made once only.
func withoutVersion(c *Config) {
	c.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled = false
}

func withSource(source string) func(*Config) {
	return func(c *Config) {
		for component, setting := range map[string]*string{"jvb": &c.JVB.Source, "jicofo": &c.Jicofo.Source} {
			if source == sourceMetrics || source == programs[component].source {
				*setting = source
			}
		}
	}
}

// Every fault of the emulator, of every component and source, of a server that is new and of one that is known: what is
// emitted, what the error says, that the deadline is kept, that the next scrape is whole again, and that the secret is nowhere.
func TestFaults(t *testing.T) {
	for name, component := range emulated {
		for _, fault := range emulator.Faults {
			t.Run(name+"/"+fault.Name, func(t *testing.T) {
				t.Parallel()
				row, ok := component.rows[fault.Name]
				require.True(t, ok, "a fault without a row")
				row.message = strings.ReplaceAll(row.message, "setting endpoint", "setting "+component.block+"::endpoint")
				server := emulate(t, component.start)
				s, logs := startScraper(t, at(component.block, server.URL()), withSource(component.source), withSecret, withoutVersion)
				timeout := plenty
				if row.counted == "timeout" {
					timeout = 500 * time.Millisecond
				}
				counted := 0.0
				for range 2 { // a server that is new, and one that is known
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

// plenty is a timeout for scrapes that must not run into it, however slow the machine.
const plenty = 30 * time.Second

func scrapeInTime(t *testing.T, s *scraper, timeout time.Duration) (map[string]float64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	metrics, err := s.scrape(ctx)
	deadline, _ := ctx.Deadline()
	assert.Less(t, time.Since(deadline), plenty, "long after the deadline")
	rtctest.NoSecret(t, testSecret, rtctest.Text(t, metrics), fmt.Sprint(err))
	return rtctest.Points(t, metrics), err
}

func checkFault(t *testing.T, row faultRow, url string, points map[string]float64, err error) {
	t.Helper()
	assert.InDelta(t, float64(scrape.Number(row.up)), points["rtc.target.up{}"], 0)
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

// sumOf adds up the points of the series that begin so.
func sumOf(points map[string]float64, metric string) float64 {
	sum := 0.0
	for point, value := range points {
		if strings.HasPrefix(point, metric) {
			sum += value
		}
	}
	return sum
}

// One source that fails costs what it alone tells, and the other is asked on.
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
			s, _ := startScraper(t, at("jvb", server.URL()))
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

// A component that hangs costs itself only.
func TestOneComponentFails(t *testing.T) {
	bridge := emulate(t, emulated["jvb page"].start)
	focus := emulate(t, emulated["jicofo stats"].start)
	require.NoError(t, focus.SetFault("hang"))
	s, _ := startScraper(t, at("jvb", bridge.URL()), at("jicofo", focus.URL()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	metrics, err := s.scrape(ctx)
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

// Neither clock has to be right.
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
			s, _ := startScraper(t, at(name, emulated.URL()))
			s.clock = collector.Now
			rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
				metrics, err := s.scrape(t.Context())
				assert.NoError(t, err)
				return metrics
			})
		})
	}
}
