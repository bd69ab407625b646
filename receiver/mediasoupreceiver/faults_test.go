// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

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
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// faultRow is the expected result of a scrape with a fault.
type faultRow struct {
	up      bool
	message string // part of the error
	counted string // error.type
}

// faultRows apply to both formats, except where pageFaultRows has a row for edumeet's page.
var faultRows = map[string]faultRow{
	"refuse":               {false, "connection refused: check that the server runs and that the setting endpoint names its host and port", "connection"},
	"reset":                {false, "connection reset by peer", "connection"},
	"hang":                 {false, "no complete answer in time", "timeout"},
	"slow_header":          {false, "no complete answer in time", "timeout"},
	"slow_body":            {false, "no complete answer in time", "timeout"},
	"endless_body":         {false, "one value of the answer is larger than 1024 KiB", "size"},
	"cut_body":             {false, "unexpected EOF", "format"},
	"gzip_bomb":            {false, "one value of the answer is larger than 1024 KiB", "size"},
	"status_500":           {false, "HTTP status 500 Internal Server Error", "status"},
	"status_401":           {false, "HTTP status 401 Unauthorized: `unauthorized`: check the credentials in the configuration", "authentication"},
	"status_403":           {false, "HTTP status 403 Forbidden: `forbidden`: check the credentials in the configuration", "authentication"},
	"status_429":           {false, "HTTP status 429 Too Many Requests: `too many requests`", "status"},
	"html_404":             {false, "HTTP status 404 Not Found with an HTML page", "status"},
	"redirect_elsewhere":   {false, "redirect to another host, 192.0.2.1: check the setting endpoint", "status"},
	"wrong_secret":         {false, "HTTP status 401 Unauthorized", "authentication"},
	"invalid_json":         {false, "cannot be decoded", "format"},
	"wrong_types":          {false, "the member consumers is of a wrong type", "format"},
	"invalid_utf8":         {false, `no snapshot of mediasoup: the member schema is "mediasoup.snapshot\xff\xc3"`, "format"},
	"numbers_out_of_range": {true, "skipped values of a wrong type or range: ", "format"},
	"deep_nesting":         {true, "skipped values of a wrong type or range: ", "format"},
	"restart":              {true, "", ""},
}

var pageFaultRows = map[string]faultRow{
	"endless_body":         {false, "the answer is larger than 256 MiB", "size"},
	"gzip_bomb":            {false, "the answer is larger than 256 MiB", "size"},
	"invalid_json":         {true, "lines that cannot be parsed", "format"},
	"wrong_types":          {true, "", ""}, // text has no types
	"invalid_utf8":         {true, "", ""},
	"deep_nesting":         {true, "", ""}, // text has no nesting
	"numbers_out_of_range": {true, "lines that cannot be parsed", "format"},
}

// Every fault of the emulator, in both formats, results in the expected points and error, the deadline is met, the next scrape is
// complete, and the token does not appear anywhere.
func TestFaults(t *testing.T) {
	for _, fault := range emulator.Faults {
		row, ok := faultRows[fault.Name]
		require.True(t, ok, "a fault without a row")
		t.Run("snapshot/"+fault.Name, func(t *testing.T) {
			t.Parallel()
			testFault(t, fault.Name, row, startAgent(t, mediasoup.AgentOptions{Consumers: 50}), nil)
		})
		t.Run("edumeet/"+fault.Name, func(t *testing.T) {
			t.Parallel()
			of, differs := pageFaultRows[fault.Name]
			if !differs {
				of = row
			}
			testFault(t, fault.Name, of, startEdumeet(t, mediasoup.EdumeetOptions{}), edumeet)
		})
	}
}

func testFault(t *testing.T, fault string, row faultRow, server *emulator.Server, edit func(*Config)) {
	t.Helper()
	s, logs := startSystem(t, server.URL(), func(c *Config) {
		c.ClientConfig.Timeout = plenty
		if edit != nil {
			edit(c)
		}
	})
	timeout := plenty
	if row.counted == "timeout" {
		timeout = 500 * time.Millisecond // for a single call: nothing else has to succeed
	}
	require.NoError(t, server.SetFault(fault))
	before, err := scrapeInTime(t, s, timeout)
	checkFault(t, row, before, err)
	require.NoError(t, server.SetFault(""))
	checkRecovery(t, s)

	require.NoError(t, server.SetFault(fault))
	points, err := scrapeInTime(t, s, timeout)
	checkFault(t, row, points, err)
	if failed := "rtc.scrape.errors{error.type=" + row.counted; row.counted != "" {
		assert.Greater(t, sumOf(points, failed), sumOf(before, failed))
	}
	require.NoError(t, server.SetFault(""))
	checkRecovery(t, s)
	for _, entry := range logs.All() {
		rtctest.NoSecret(t, testToken, entry.Message, fmt.Sprint(entry.ContextMap()))
	}
}

// plenty is a timeout that scrapes do not reach, even on a slow machine.
const plenty = time.Minute

func scrapeInTime(t *testing.T, s *system, timeout time.Duration) (map[string]float64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	deadline, _ := ctx.Deadline()
	assert.Less(t, time.Since(deadline), plenty, "long after the deadline")
	rtctest.NoSecret(t, testToken, rtctest.Text(t, metrics), fmt.Sprint(err))
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
		assert.True(t, strings.HasPrefix(point, "rtc."), point)
	}
}

func checkRecovery(t *testing.T, s *system) {
	t.Helper()
	points, err := scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.Positive(t, sumOf(points, "mediasoup.consumer.count{")+sumOf(points, "edumeet.peer.count{"))
}

// Clock jumps of the collector or the server do not break start times.
func TestClockJumps(t *testing.T) {
	var collector, server rtctest.Clock
	emulated := startAgent(t, mediasoup.AgentOptions{Consumers: 50, Moving: true, Now: server.Now})
	s, _ := startSystem(t, emulated.URL(), everything)
	s.SetClock(collector.Now)
	rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
		metrics, err := s.Scrape(t.Context())
		assert.NoError(t, err)
		return metrics
	})
}
