// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// faultRow is the expected result of a scrape with a fault that affects all APIs.
type faultRow struct {
	up      bool
	message string // part of the error
	counted string // error.type
}

// sources are the configurations under test: API v3 alone, the page alone.
var sources = map[string]func(*Config){sourceAPI: onlyAPI, sourcePrometheus: onlyPage}

var faultRows = map[string]map[string]faultRow{
	"refuse":               both(faultRow{false, "connection refused: check that the server runs and that the setting endpoint names its host and port", "connection"}),
	"reset":                both(faultRow{false, "connection reset by peer", "connection"}),
	"hang":                 both(faultRow{false, "no complete answer in time", "timeout"}),
	"slow_header":          both(faultRow{false, "no complete answer in time", "timeout"}),
	"slow_body":            both(faultRow{false, "no complete answer in time", "timeout"}),
	"endless_body":         {sourceAPI: {false, "larger than 1024 KiB", "size"}, sourcePrometheus: {false, "larger than 256 MiB", "size"}},
	"cut_body":             both(faultRow{false, "unexpected EOF", "format"}),
	"gzip_bomb":            {sourceAPI: {false, "larger than 1024 KiB", "size"}, sourcePrometheus: {false, "larger than 256 MiB", "size"}},
	"status_500":           both(faultRow{false, "HTTP status 500 Internal Server Error", "status"}),
	"status_401":           both(faultRow{false, "HTTP status 401 Unauthorized", "authentication"}),
	"status_403":           both(faultRow{false, "HTTP status 403 Forbidden", "authentication"}),
	"status_429":           both(faultRow{false, "HTTP status 429 Too Many Requests", "status"}),
	"html_404":             both(faultRow{false, "HTTP status 404 Not Found with an HTML page", "status"}),
	"redirect_elsewhere":   both(faultRow{false, "redirect to another host, 192.0.2.1: check the setting endpoint", "status"}),
	"wrong_secret":         both(faultRow{false, "check the setting auth: the server wants the user and password of view_auth", "authentication"}),
	"invalid_json":         {sourceAPI: {false, "cannot be decoded", "format"}, sourcePrometheus: {true, "skipped lines that cannot be parsed: 1", "format"}},
	"wrong_types":          {sourceAPI: {true, "values of a wrong type or range", "format"}, sourcePrometheus: {true, "", ""}},
	"invalid_utf8":         both(faultRow{true, "", ""}), // the rest of the name is valid
	"numbers_out_of_range": {sourceAPI: {true, "values of a wrong type or range", "format"}, sourcePrometheus: {true, "skipped lines that cannot be parsed: ", "format"}},
	"deep_nesting":         {sourceAPI: {true, "values of a wrong type or range", "format"}, sourcePrometheus: {true, "", ""}},
	"restart":              both(faultRow{true, "", ""}),
}

func both(row faultRow) map[string]faultRow {
	return map[string]faultRow{sourceAPI: row, sourcePrometheus: row}
}

// Every fault of the emulator, with a new and with a known server, results in the expected points and error, the deadline is met, the
// next scrape is complete, and the secret does not appear anywhere.
func TestFaults(t *testing.T) {
	for _, fault := range emulator.Faults {
		rows, ok := faultRows[fault.Name]
		require.True(t, ok, "a fault without a row: %s", fault.Name)
		for source, row := range rows {
			t.Run(fault.Name+" "+source, func(t *testing.T) {
				t.Parallel()
				server := startServer(t, flussonic.Options{Streams: 20})
				s, logs := startScraper(t, server.URL(), func(c *Config) {
					sources[source](c)
					c.ClientConfig.Timeout = plenty
				})
				timeout := plenty
				if row.counted == "timeout" {
					timeout = 2 * time.Second
				}
				before := map[string]float64{}
				for range 2 {
					require.NoError(t, server.SetFault(fault.Name))
					points, err := scrapeInTime(t, s, timeout)
					checkFault(t, row, points, err)
					if failed := "rtc.scrape.errors{error.type=" + row.counted; row.counted != "" {
						assert.Greater(t, sumOf(points, failed), sumOf(before, failed))
					}
					before = points
					require.NoError(t, server.SetFault(""))
					checkRecovery(t, s, fault.Name == "restart")
				}
				for _, entry := range logs.All() {
					rtctest.NoSecret(t, testSecret, entry.Message, fmt.Sprint(entry.ContextMap()))
				}
			})
		}
	}
}

// plenty is a timeout that scrapes do not reach, even on a slow machine.
const plenty = 60 * time.Second

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

func checkFault(t *testing.T, row faultRow, points map[string]float64, err error) {
	t.Helper()
	assert.InDelta(t, float64(rows.BoolToInt(row.up)), points["rtc.target.up{}"], 0)
	if row.counted == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, scrapererror.IsPartialScrapeError(err))
	require.ErrorContains(t, err, row.message)
	require.ErrorContains(t, err, " of http://127.0.0.1:")
	assert.NotContains(t, err.Error(), "?")
	assert.NotContains(t, err.Error(), "select=")
	if row.up {
		return
	}
	for point := range points {
		assert.True(t, strings.HasPrefix(point, "rtc."), point)
	}
}

// checkRecovery requires that the next scrape is complete. After a restart, counters may be 0 for a short time.
func checkRecovery(t *testing.T, s *system, restarted bool) {
	t.Helper()
	for deadline := time.Now().Add(plenty); ; {
		points, err := scrapeInTime(t, s, plenty)
		require.NoError(t, err)
		require.InDelta(t, 1, points["rtc.target.up{}"], 0)
		require.True(t, hasSeries(points, "flussonic.stream.io"))
		if sumOf(points, "flussonic.stream.io") > 0 {
			return
		}
		require.True(t, restarted && time.Now().Before(deadline), "the counters are at 0")
	}
}

func hasSeries(points map[string]float64, metric string) bool {
	for point := range points {
		if strings.HasPrefix(point, metric+"{") {
			return true
		}
	}
	return false
}

// sumOf returns the sum of the points whose names have the prefix metric.
func sumOf(points map[string]float64, metric string) float64 {
	sum := 0.0
	for point, value := range points {
		if strings.HasPrefix(point, metric) {
			sum += value
		}
	}
	return sum
}

// An API that fails affects only its own metrics, and none that another source has.
func TestOneAPIFails(t *testing.T) {
	for _, tt := range []struct {
		fault, api string
		lost       []string
	}{
		{"status_500", "dvrs", []string{"flussonic.dvr.errors"}},
		{"hang", "dvrs", []string{"flussonic.dvr.errors"}},
		{"wrong_secret", "config/stats", []string{"flussonic.alert.count"}}, // the page has the other metrics
		{"wrong_types", "streams", []string{"flussonic.stream.count_by_state"}},
		{"hang", "streams", []string{"flussonic.stream.count_by_state"}},
		{"cut_body", "/flussonic/api/metrics", []string{"flussonic.network.io"}},
		{"hang", "/flussonic/api/metrics", []string{"flussonic.network.io"}},
	} {
		t.Run(tt.fault+" "+tt.api, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, flussonic.Options{})
			require.NoError(t, server.SetFault(tt.fault, tt.api))
			s, _ := startScraper(t, server.URL(), nil)
			timeout := plenty
			if tt.fault == "hang" {
				timeout = 6 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			metrics, err := s.Scrape(ctx)
			require.ErrorContains(t, err, tt.api+" of "+server.URL()+": ")
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			lost := map[string]bool{}
			for _, name := range tt.lost {
				lost[name] = true
			}
			for _, name := range []string{
				"flussonic.alert.count", "flussonic.dvr.errors", "flussonic.network.io", "flussonic.client.count", "flussonic.stream.count_by_state", "flussonic.stream.io",
			} {
				assert.Equal(t, lost[name], sumOf(points, name) == 0, name)
			}
		})
	}
}

// The list of streams is not requested from a server that answers no other request.
func TestDeadServerIsNotAskedForTheList(t *testing.T) {
	server := startServer(t, flussonic.Options{})
	require.NoError(t, server.SetFault("status_500"))
	s, _ := startScraper(t, server.URL(), nil)
	_, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "streams of "+server.URL()+": not asked, because the server answers nothing else")
	assert.NotContains(t, paths(server), "streams")
}

// Clock jumps of the collector or the server do not break start times.
func TestClockJumps(t *testing.T) {
	var collector, server rtctest.Clock
	emulated := startServer(t, flussonic.Options{Streams: 20, Moving: true, Now: server.Now})
	s, _ := startScraper(t, emulated.URL(), everything)
	s.SetClock(collector.Now)
	rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
		metrics, err := s.Scrape(t.Context())
		assert.NoError(t, err)
		return metrics
	})
}
