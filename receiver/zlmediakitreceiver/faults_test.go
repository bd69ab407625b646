// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

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
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// faultRow is the expected result of a scrape with a fault in all APIs.
type faultRow struct {
	up      bool
	message string // in the error
	counted string // error.type
}

var faultRows = map[string]faultRow{
	"refuse":               {false, "connection refused: check that the server runs and that the setting endpoint names its host and port", "connection"},
	"reset":                {false, "connection reset by peer", "connection"},
	"hang":                 {false, "no complete answer in time", "timeout"},
	"slow_header":          {false, "no complete answer in time", "timeout"},
	"slow_body":            {false, "no complete answer in time", "timeout"},
	"endless_body":         {false, "more than 4096 threads", "size"},
	"cut_body":             {false, "unexpected EOF", "format"},
	"gzip_bomb":            {false, "one value of the answer is larger than 1024 KiB", "size"},
	"status_500":           {false, "HTTP status 500 Internal Server Error", "status"},
	"status_401":           {false, "HTTP status 401 Unauthorized: `unauthorized`: check the credentials in the configuration", "authentication"},
	"status_403":           {false, "HTTP status 403 Forbidden: `forbidden`: check the credentials in the configuration", "authentication"},
	"status_429":           {false, "HTTP status 429 Too Many Requests: `too many requests`", "status"},
	"html_404":             {false, "HTTP status 404 Not Found with an HTML page", "status"},
	"redirect_elsewhere":   {false, "redirect to another host, 192.0.2.1: check the setting endpoint", "status"},
	"wrong_secret":         {false, `code -100 "Please login first": check the setting secret`, "authentication"},
	"invalid_json":         {false, "cannot be decoded", "format"},
	"wrong_types":          {true, "the member data is of a wrong type", "format"},
	"invalid_utf8":         {true, "", ""}, // the rest of a name is valid
	"numbers_out_of_range": {true, "skipped values of a wrong type or range: ", "format"},
	"deep_nesting":         {true, "the member data is of a wrong type", "format"},
	"restart":              {true, "", ""},
}

// For every fault of the emulator, in the first scrape and in a later one: the points and the error are as expected, the deadline
// is kept, the next scrape is complete again, and the secret appears nowhere.
func TestFaults(t *testing.T) {
	for _, fault := range emulator.Faults {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			row, ok := faultRows[fault.Name]
			require.True(t, ok, "a fault without a row")
			server := startServer(t, zlmediakit.Options{Streams: 20})
			s, logs := startScraper(t, server.URL(), func(c *Config) { c.MaxResponseSize = 16 << 20 }) // the race detector is slow
			timeout := plenty
			if row.counted == "timeout" {
				timeout = 2 * time.Second
			}
			require.NoError(t, server.SetFault(fault.Name))
			points, err := scrapeInTime(t, s, timeout)
			checkFault(t, row, points, err)
			require.NoError(t, server.SetFault(""))
			checkRecovery(t, s)

			before := points
			require.NoError(t, server.SetFault(fault.Name))
			points, err = scrapeInTime(t, s, timeout)
			checkFault(t, row, points, err)
			if failed := "rtc.scrape.errors{error.type=" + row.counted; row.counted != "" {
				assert.Greater(t, sumOf(points, failed), sumOf(before, failed))
			}
			require.NoError(t, server.SetFault(""))
			checkRecovery(t, s)
			for _, entry := range logs.All() {
				rtctest.NoSecret(t, testSecret, entry.Message, fmt.Sprint(entry.ContextMap()))
			}
		})
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
	if row.up {
		return
	}
	for point := range points {
		known := strings.HasPrefix(point, "rtc.") || strings.HasPrefix(point, "zlmediakit.media_list.")
		assert.True(t, known, point)
	}
}

func checkRecovery(t *testing.T, s *system) {
	t.Helper()
	s.streams.listing.wait = 0 // a slow machine must not look like a slow server
	points, err := scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.InDelta(t, 20, sumOf(points, "zlmediakit.stream.count{"), 0)
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

// A failed API affects only its own metrics. Two APIs that hang leave time and connections for the others.
func TestOneAPIFails(t *testing.T) {
	for _, tt := range []struct {
		fault string
		apis  []string
		lost  []string
	}{
		{"status_500", []string{"getStatistic"}, []string{"zlmediakit.object.count"}},
		{"hang", []string{"getThreadsLoad", "getWorkThreadsLoad"}, []string{"zlmediakit.thread.count"}},
		{"wrong_types", []string{"getMediaList"}, []string{"zlmediakit.stream.count", "zlmediakit.stream.io", "zlmediakit.media_source.count"}},
		{"hang", []string{"getMediaList"}, []string{"zlmediakit.stream.count", "zlmediakit.stream.io", "zlmediakit.media_source.count"}},
	} {
		t.Run(tt.fault+" "+strings.Join(tt.apis, " "), func(t *testing.T) {
			t.Parallel()
			server := startServer(t, zlmediakit.Options{})
			require.NoError(t, server.SetFault(tt.fault, tt.apis...))
			s, _ := startScraper(t, server.URL(), nil)
			timeout := plenty
			if tt.fault == "hang" {
				timeout = 4 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			metrics, err := s.Scrape(ctx)
			require.ErrorContains(t, err, strings.Join(tt.apis, ", ")+" of "+server.URL()+": ")
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			lost := map[string]bool{}
			for _, name := range tt.lost {
				lost[name] = true
			}
			for _, name := range []string{"zlmediakit.object.count", "zlmediakit.thread.count", "zlmediakit.stream.count", "zlmediakit.stream.io", "zlmediakit.media_source.count"} {
				assert.Equal(t, lost[name], sumOf(points, name) == 0, name)
			}
		})
	}
}

// If no other call succeeds, the media list is not requested.
func TestDeadServerIsNotAskedForTheList(t *testing.T) {
	server := startServer(t, zlmediakit.Options{})
	require.NoError(t, server.SetFault("status_500"))
	s, _ := startScraper(t, server.URL(), nil)
	_, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "getMediaList of "+server.URL()+": not asked, because the server answers nothing else")
	assert.NotContains(t, server.Requests(), "getMediaList")
}

// Start times are right after jumps of the collector's and of the server's clock.
func TestClockJumps(t *testing.T) {
	var collector, server rtctest.Clock
	emulated := startServer(t, zlmediakit.Options{Streams: 20, Now: server.Now})
	s, _ := startScraper(t, emulated.URL(), everything)
	s.SetClock(collector.Now)
	rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
		metrics, err := s.Scrape(t.Context())
		assert.NoError(t, err)
		return metrics
	})
}
