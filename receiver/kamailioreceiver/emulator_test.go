// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// protocol is a way to reach the emulated server.
type protocol struct {
	start func(t testing.TB) (server *emulator.Server, endpoint string)
	rows  map[string]faultRow
}

// faultRow is the expected result of a scrape with a fault that affects all methods.
type faultRow struct {
	up      bool
	message string // part of the error
	counted string // error.type
}

var protocols = map[string]protocol{
	"binrpc":  {startUnix, binrpcFaultRows},
	"jsonrpc": {startHTTP, jsonrpcFaultRows},
}

var binrpcFaultRows = map[string]faultRow{
	"refuse":               {false, "connection refused", "connection"},
	"reset":                {false, "connection closed after 0 bytes of the reply", "connection"},
	"hang":                 {false, "no complete reply in time", "timeout"},
	"slow_header":          {false, "no complete reply in time", "timeout"},
	"slow_body":            {false, "no complete reply in time", "timeout"},
	"endless_body":         {false, "reply too large: 4294967295 bytes", "size"},
	"cut_body":             {false, "connection closed", "connection"},
	"gzip_bomb":            {false, "check that the setting endpoint names a socket", "format"},
	"status_500":           {false, `fault 500 "Internal error"`, "response"},
	"status_401":           {false, `fault 401 "Unauthorized"`, "response"},
	"status_403":           {false, `fault 403 "Forbidden"`, "response"},
	"status_429":           {false, `fault 429 "Too many requests"`, "response"},
	"html_404":             {false, "check that the setting endpoint names a socket", "format"},
	"redirect_elsewhere":   {false, "expected the reply to request", "format"},
	"wrong_secret":         {false, "connection closed", "connection"},
	"invalid_json":         {false, "check that the setting endpoint names a socket", "format"},
	"wrong_types":          {true, "cannot be understood", "format"},
	"invalid_utf8":         {true, "no statistic in it that is a whole number", "format"},
	"numbers_out_of_range": {true, "no uptime in it", "format"},
	"deep_nesting":         {false, "structs nested more than 32 deep", "size"},
	"restart":              {true, "", ""},
}

var jsonrpcFaultRows = map[string]faultRow{
	"refuse":               {false, "connection refused", "connection"},
	"reset":                {false, "connection reset by peer", "connection"},
	"hang":                 {false, "no complete answer in time", "timeout"},
	"slow_header":          {false, "no complete answer in time", "timeout"},
	"slow_body":            {false, "no complete answer in time", "timeout"},
	"endless_body":         {false, "the answer is larger than 1 MiB", "size"},
	"cut_body":             {false, "unexpected EOF", "format"},
	"gzip_bomb":            {false, "the answer is larger than 1 MiB", "size"},
	"status_500":           {false, "HTTP status 500 Internal Server Error", "status"},
	"status_401":           {false, "HTTP status 401 Unauthorized: `unauthorized`: check the credentials in the configuration", "authentication"},
	"status_403":           {false, "HTTP status 403 Forbidden: `forbidden`: check the credentials in the configuration", "authentication"},
	"status_429":           {false, "HTTP status 429 Too Many Requests: `too many requests`", "status"},
	"html_404":             {false, "HTTP status 404 Not Found with an HTML page", "status"},
	"redirect_elsewhere":   {false, "redirect to another host, 192.0.2.1", "status"},
	"wrong_secret":         {false, "HTTP status 401 Unauthorized", "authentication"},
	"invalid_json":         {false, "cannot be decoded", "format"},
	"wrong_types":          {true, "cannot be understood", "format"},
	"invalid_utf8":         {true, "no statistic in it that is a whole number", "format"},
	"numbers_out_of_range": {true, "no uptime in it", "format"},
	"deep_nesting":         {false, "values more than 32 deep in a reply", "size"},
	"restart":              {true, "", ""},
}

func startUnix(t testing.TB) (*emulator.Server, string) {
	t.Helper()
	server, err := kamailio.NewCtl(kamailio.CtlOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	endpoint := server.URL()
	return server, endpoint
}

func startHTTP(t testing.TB) (*emulator.Server, string) {
	t.Helper()
	server, err := kamailio.NewHTTP(kamailio.HTTPOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server, server.URL() + "/RPC"
}

// Every fault of the emulator, over both protocols, with a new and with a known server, results in the expected points and error, the
// deadline is met, and the next scrape is complete.
func TestFaults(t *testing.T) {
	for name, p := range protocols {
		for _, fault := range emulator.Faults {
			t.Run(name+"/"+fault.Name, func(t *testing.T) {
				t.Parallel()
				row, ok := p.rows[fault.Name]
				require.True(t, ok, "a fault without a row")
				testFault(t, p, fault.Name, row)
			})
		}
	}
}

func testFault(t *testing.T, p protocol, fault string, row faultRow) {
	t.Helper()
	server, endpoint := p.start(t)
	s, _ := startSystem(t, endpoint, func(c *Config) { c.MaxResponseSize = 1 << 20 }) // the race detector is slow
	timeout := plenty
	if row.counted == "timeout" {
		timeout = 2 * time.Second
	}
	counted := 0.0
	for range 2 { // a new server, then a known one
		require.NoError(t, server.SetFault(fault))
		points, err := scrapeInTime(t, s, timeout)
		checkFault(t, row, endpoint, points, err)
		if row.counted != "" {
			n := sumOf(points, "rtc.scrape.errors{error.type="+row.counted)
			assert.Greater(t, n, counted)
			counted = n
		}
		require.NoError(t, server.SetFault(""))
		points, err = scrapeInTime(t, s, plenty)
		require.NoError(t, err)
		assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
		assert.Contains(t, points, "kamailio.requests{}")
	}
}

func checkFault(t *testing.T, row faultRow, endpoint string, points map[string]float64, err error) {
	t.Helper()
	assert.InDelta(t, float64(rows.BoolToInt(row.up)), points["rtc.target.up{}"], 0)
	if row.counted == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, scrapererror.IsPartialScrapeError(err))
	require.ErrorContains(t, err, row.message)
	require.ErrorContains(t, err, " of "+endpoint+": ")
	if row.up {
		return
	}
	for point := range points {
		assert.True(t, strings.HasPrefix(point, "rtc."), point)
	}
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

// A method that fails affects only its own metrics.
func TestOneMethodOfTheEmulatorFails(t *testing.T) {
	for _, tt := range []struct{ fault, method, lost string }{
		{"status_500", apiDispatcher, "kamailio.dispatcher.set.count"},
		{"invalid_json", apiProcesses, "kamailio.process.count"},
		{"wrong_types", apiTCP, "kamailio.tcp.reader.count"},
		{"gzip_bomb", apiRTPEngines, "kamailio.rtpengine.node.state"},
		{"status_500", apiStatistics, "kamailio.requests"},
	} {
		t.Run(tt.fault+" "+tt.method, func(t *testing.T) {
			t.Parallel()
			server, endpoint := startUnix(t)
			require.NoError(t, server.SetFault(tt.fault, tt.method))
			s, _ := startSystem(t, endpoint, nil)
			points, err := scrapeInTime(t, s, plenty)
			require.ErrorContains(t, err, tt.method+" of "+endpoint+": ")
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			for _, name := range []string{
				"kamailio.dispatcher.set.count", "kamailio.process.count", "kamailio.htable.item.count", "kamailio.rtpengine.node.state",
				"kamailio.requests", "kamailio.uptime", "kamailio.tcp.reader.count",
			} {
				assert.Equal(t, name != tt.lost, hasMetric(points, name), name)
			}
		})
	}
}

// A method that hangs also loses the calls behind it, but neither the results before it nor the next scrape.
func TestOneMethodOfTheEmulatorHangs(t *testing.T) {
	for name, p := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, endpoint := p.start(t)
			s, _ := startSystem(t, endpoint, nil)
			require.NoError(t, server.SetFault("hang", apiDispatcher))
			points, err := scrapeInTime(t, s, 2*time.Second)
			require.ErrorContains(t, err, apiDispatcher)
			require.ErrorContains(t, err, "in time")
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			assert.Contains(t, points, "kamailio.uptime{}")
			assert.NotContains(t, points, "kamailio.dispatcher.set.count{}")
			assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=timeout,rtc.api="+apiDispatcher+"}"], 0)
			require.NoError(t, server.SetFault(""))
			points, err = scrapeInTime(t, s, plenty)
			require.NoError(t, err)
			assert.Contains(t, points, "kamailio.dispatcher.set.count{}")
		})
	}
}

func hasMetric(points map[string]float64, name string) bool {
	for point := range points {
		if strings.HasPrefix(point, name+"{") {
			return true
		}
	}
	return false
}

// A fault of Kamailio does not affect the metrics of rtpengine, and vice versa.
func TestKamailioAndRTPEngineFailAlone(t *testing.T) {
	for _, fault := range []string{"refuse", "hang", "status_500"} {
		for _, tt := range []struct {
			name                string
			kamailio, rtpengine bool
		}{
			{"kamailio", false, true},
			{"rtpengine", true, false},
		} {
			t.Run(fault+" of "+tt.name, func(t *testing.T) {
				t.Parallel()
				server, endpoint := startUnix(t)
				rtpengine, err := kamailio.NewRTPEngine(kamailio.RTPEngineOptions{})
				require.NoError(t, err)
				t.Cleanup(rtpengine.Close)
				s, _ := startSystem(t, endpoint, func(c *Config) { c.RTPEngine.ClientConfig.Endpoint = rtpengine.URL() + "/metrics" })
				if tt.kamailio {
					require.NoError(t, rtpengine.SetFault(fault))
				} else {
					require.NoError(t, server.SetFault(fault))
				}
				timeout := plenty
				if fault == "hang" {
					timeout = 4 * time.Second
				}
				up := scrapeTargets(t, s, timeout)
				assert.Equal(t, map[string]bool{"kamailio": tt.kamailio, "rtpengine": tt.rtpengine}, up)
				require.NoError(t, rtpengine.SetFault(""))
				require.NoError(t, server.SetFault(""))
				assert.Equal(t, map[string]bool{"kamailio": true, "rtpengine": true}, scrapeTargets(t, s, plenty))
			})
		}
	}
}

// scrapeTargets returns which services are up. It requires that only those that are up have other metrics than those about the
// scrape.
func scrapeTargets(t *testing.T, s *system, timeout time.Duration) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	up := map[string]bool{}
	for _, rm := range metrics.ResourceMetrics().All() {
		one := pmetric.NewMetrics()
		rm.CopyTo(one.ResourceMetrics().AppendEmpty())
		service, _ := rm.Resource().Attributes().Get("service.name")
		points := rtctest.Points(t, one)
		isUp := points["rtc.target.up{}"] == 1
		up[service.Str()] = isUp
		assert.Equal(t, isUp, hasMetric(points, service.Str()+".uptime"), service.Str())
	}
	if up["kamailio"] && up["rtpengine"] {
		require.NoError(t, err)
	} else {
		require.True(t, scrapererror.IsPartialScrapeError(err))
	}
	return up
}

// Clock jumps of the collector or the server do not break start times.
func TestClockJumps(t *testing.T) {
	var collector, server rtctest.Clock
	ctl, err := kamailio.NewCtl(kamailio.CtlOptions{Moving: true, Now: server.Now})
	require.NoError(t, err)
	t.Cleanup(ctl.Close)
	page, err := kamailio.NewRTPEngine(kamailio.RTPEngineOptions{Moving: true, Now: server.Now})
	require.NoError(t, err)
	t.Cleanup(page.Close)
	s, _ := startSystem(t, ctl.URL(), func(c *Config) { c.RTPEngine.ClientConfig.Endpoint = page.URL() + "/metrics" })
	s.SetClock(collector.Now)
	rtctest.ClockJumps(t, &collector, &server, func() pmetric.Metrics {
		metrics, err := s.Scrape(t.Context())
		assert.NoError(t, err)
		return metrics
	})
}
