// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

const omittedElsewhere = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=elsewhere}"

// startCluster starts a server with a host name, whose list may change between scrapes.
func startCluster(t *testing.T, hostname string, list func() string) string {
	t.Helper()
	return startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = fmt.Fprintf(w, `{"server_version":"26.06","now":1763600000000,"hostname":%q}`, hostname)
		case apiPath + apiStreams:
			_, _ = fmt.Fprintf(w, `{"streams":[%s]}`, list())
		default:
			http.NotFound(w, r)
		}
	})
}

// A stream is reported by the server on which it runs, regardless of where it is configured.
func TestWhereStreamsRun(t *testing.T) {
	const (
		own   = `{"name":"own","named_by":"config","stats":{"alive":true,"running_on":["Edge1.example.com"]}}`
		other = `"running_on":["origin.example.com","edge2.example.com"]`
	)
	for name, tt := range map[string]struct {
		hostname string // edge1.example.com if empty
		list     string
		here     bool
	}{
		"config":                         {list: `{"name":"x","named_by":"config","stats":{"alive":false}}`, here: true},
		"no owner":                       {list: `{"name":"x","stats":{"alive":false}}`, here: true},
		"external":                       {list: `{"name":"x","named_by":"external","stats":{"alive":false}}`, here: true},
		"remote, idle":                   {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"opened_at":0,"bytes_out":0}}`},
		"remote, without stats":          {list: `{"name":"x","named_by":"remote"}`},
		"remote, opened":                 {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"opened_at":1763590000000}}`, here: true},
		"remote, with input":             {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"input":{"bytes":1}}}`, here: true},
		"remote, with input of 23.10":    {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"bytes_in":1}}`, here: true},
		"remote, with output":            {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"bytes_out":1}}`, here: true},
		"remote, with clients":           {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"play":{"play_opened_sessions":1}}}`, here: true},
		"remote, with clients of 23.01":  {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"client_count":1}}`, here: true},
		"remote, running and alive":      {list: `{"name":"x","named_by":"remote","stats":{"status":"running","alive":true}}`, here: true},
		"remote, running and not alive":  {list: `{"name":"x","named_by":"remote","stats":{"status":"running","alive":false}}`},
		"remote, alive and not running":  {list: `{"name":"x","named_by":"remote","stats":{"status":"waiting","alive":true}}`},
		"runs here":                      {list: `{"name":"x","named_by":"remote","stats":{"alive":false,"running_on":["a","EDGE1.example.com:8080"]}}`, here: true},
		"runs elsewhere":                 {list: own + `,{"name":"x","named_by":"config","stats":{"alive":true,"bytes_out":1,` + other + `}}`},
		"runs elsewhere, remote":         {list: own + `,{"name":"x","named_by":"remote","stats":{"status":"running","alive":true,` + other + `}}`},
		"the name is not proven":         {list: `{"name":"x","named_by":"config","stats":{"alive":true,` + other + `}}`, here: true},
		"the name is proven too late":    {list: `{"name":"x","named_by":"config","stats":{"alive":true,` + other + `}},` + own, here: true},
		"the name is configured wrongly": {hostname: "localhost", list: own + `,{"name":"x","named_by":"config","stats":{"alive":true,` + other + `}}`, here: true},
		"runs nowhere":                   {list: own + `,{"name":"x","named_by":"config","stats":{"alive":true,"running_on":[]}}`, here: true},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.hostname == "" {
				tt.hostname = "edge1.example.com"
			}
			for _, how := range []struct {
				edit  func(*Config)
				shown bool
			}{
				{onlyAPI, tt.here},
				{func(c *Config) { onlyAPI(c); c.Streams.IncludeRemote = true }, true},
				{func(c *Config) { onlyAPI(c); c.Streams.Expected = []string{"x"} }, true},
			} {
				s, _ := startScraper(t, startCluster(t, tt.hostname, func() string { return tt.list }), how.edit)
				points := scrapePoints(t, s)
				_, shown := points[aliveOf("x")]
				assert.Equal(t, how.shown, shown)
				omitted, there := points[omittedElsewhere]
				assert.True(t, there)
				assert.Equal(t, !how.shown, omitted == 1)
				assert.InDelta(t, float64(1+strings.Count(tt.list, "},{"))-omitted, sumOf(points, "flussonic.stream.count_by_state"), 0)
			}
		})
	}
}

// A host name that one list has confirmed is trusted for later lists.
func TestNameStaysProven(t *testing.T) {
	const moved = `{"name":"x","named_by":"config","stats":{"alive":true,"running_on":["edge2.example.com"]}}`
	const own = `{"name":"own","named_by":"config","stats":{"alive":true,"running_on":["edge1.example.com"]}}`
	s, _ := startScraper(t, startCluster(t, "edge1.example.com", func() string { return moved + "," + own }), onlyAPI)
	assert.Contains(t, scrapePoints(t, s), aliveOf("x"))
	points := scrapePoints(t, s)
	assert.NotContains(t, points, aliveOf("x"))
	assert.InDelta(t, 1, points[omittedElsewhere], 0)
	assert.InDelta(t, 1, points[aliveOf("own")], 0)
}

// Streams that the last list had on other servers are also skipped on the page while the list fails, because the page does not report
// where a stream runs.
func TestPageLeavesOutWhatRunsElsewhere(t *testing.T) {
	const list = `{"streams":[
		{"name":"own","named_by":"config","stats":{"status":"running","alive":true}},
		{"name":"pulled","named_by":"remote","stats":{"status":"running","alive":true}},
		{"name":"theirs","named_by":"remote","stats":{"status":"waiting","alive":false}},
		{"name":"wanted","named_by":"remote","stats":{"status":"waiting","alive":false}}]}`
	const page = "flussonic_stream_client_delay{stream=\"own\"} 1000\nflussonic_stream_client_delay{stream=\"theirs\"} 2000\n"
	var broken atomic.Bool
	url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == apiPage:
			_, _ = w.Write([]byte(page))
		case r.URL.Path == apiPath+apiStats:
			_, _ = w.Write([]byte(`{"total_clients":1}`))
		case r.URL.Path == apiPath+apiStreams && broken.Load():
			http.Error(w, "boom", http.StatusInternalServerError)
		case r.URL.Path == apiPath+apiStreams:
			_, _ = w.Write([]byte(list))
		default:
			http.NotFound(w, r)
		}
	})
	const delay, remote = "flussonic.stream.client.delay{flussonic.stream.name=", "flussonic.stream.remote{flussonic.stream.name="
	s, _ := startScraper(t, url, func(c *Config) { c.Streams.Expected = []string{"wanted"} })
	points := scrapePoints(t, s)
	assert.Equal(t, map[string]float64{
		aliveOf("own"): 1, aliveOf("pulled"): 1, aliveOf("wanted"): 0, delay + "own}": 1, remote + "pulled}": 1, remote + "wanted}": 1,
	}, ofStreams(points))
	assert.InDelta(t, 2, points[countRunning], 0)
	assert.InDelta(t, 1, points[omittedElsewhere], 0)
	broken.Store(true)
	metrics, err := s.Scrape(t.Context())
	require.Error(t, err)
	points = rtctest.Points(t, metrics)
	assert.Equal(t, map[string]float64{delay + "own}": 1}, ofStreams(points))
	assert.NotContains(t, points, omittedElsewhere, "nobody knows")

	broken.Store(false)
	s, _ = startScraper(t, url, func(c *Config) { c.Streams.IncludeRemote = true })
	points = scrapePoints(t, s)
	assert.Equal(t, map[string]float64{
		aliveOf("own"): 1, aliveOf("pulled"): 1, aliveOf("theirs"): 0, aliveOf("wanted"): 0, delay + "own}": 1, delay + "theirs}": 2,
		remote + "pulled}": 1, remote + "theirs}": 1, remote + "wanted}": 1,
	}, ofStreams(points))
	assert.InDelta(t, 0, points[omittedElsewhere], 0)
}
