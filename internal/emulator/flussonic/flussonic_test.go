// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonic

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o Options) *emulator.Server {
	t.Helper()
	return emulatortest.Start(t, New, o)
}

// fetchWell requests a path and returns the complete body of a response with status 200.
func fetchWell(t *testing.T, server *emulator.Server, path string) string {
	t.Helper()
	response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+path)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.Status, string(body))
	return string(body)
}

func capture(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, captureFolder+file)
	require.NoError(t, err)
	return string(content)
}

const (
	v3      = "/streamer/api/v3/"
	v3alias = "/flussonic/api/v3/"
)

func TestCapturedAnswers(t *testing.T) {
	for _, c := range []struct{ generation, path, file string }{
		{"", v3 + "config/stats", "api-v3/25.11/config_stats.json"},
		{"25.11", v3alias + "config/stats?select=now", "api-v3/25.11/config_stats.json"},
		{"25.11", v3 + "streams?limit=2", "api-v3/25.11/streams_page1.json"},
		{"25.11", v3 + "streams?limit=2&cursor=JTI0cG9zaXRpb25fZ3Q9MQ%3D%3D", "api-v3/25.11/streams_page2.json"},
		{"25.11", v3 + "streams?limit=2&cursor=JTI0cG9zaXRpb25fZ3Q9Mw%3D%3D", "api-v3/25.11/streams_page3.json"},
		{"25.11", v3 + "sessions", "api-v3/25.11/sessions.json"},
		{"25.11", v3 + "dvrs?limit=1000", "api-v3/25.11/dvrs.json"},
		{"25.11", v3 + "dvb_cards", "api-v3/25.11/dvb_cards.json"},
		{"25.11", v3alias + "vods/opened_files", "api-v3/25.11/opened_files.json"},
		{"25.11", v3 + "cluster/peers", "api-v3/25.11/peers.json"},
		{"25.11", v3 + "monitoring/liveness", "api-v3/25.11/liveness.json"},
		{"25.11", v3 + "monitoring/readiness", "api-v3/25.11/readiness.json"},
		{"23.10", v3 + "config/stats", "api-v3/23.10/config_stats.json"},
		{"23.10", v3 + "streams", "api-v3/23.10/streams.json"},
		{"23.10", v3 + "sessions", "api-v3/full-23.10/sessions.json"},
		{"23.10", v3 + "monitoring/readiness", "api-v3/23.10/readiness.json"},
		{"23.01", v3 + "config/stats", "api-v3/23.01/config_stats.json"},
		{"23.01", v3 + "streams", "api-v3/23.01/streams.json"},
		{"23.01", v3 + "streams?format=openmetrics", "api-v3/23.01/streams.json"},
		{"full-23.10", v3 + "config/stats", "api-v3/full-23.10/config_stats.json"},
		{"edge", v3 + "config/stats", "api-v3/edge/config_stats.json"},
		{"edge", v3 + "dvrs", "api-v3/edge/dvrs.json"},
		{"edge", v3 + "sessions", "api-v3/25.11/sessions.json"},
		{"25.11", v3 + "streams?format=openmetrics", "prometheus/openmetrics-streams.txt"},
		{"23.10", v3 + "config?format=openmetrics", "prometheus/openmetrics-config.txt"},
		{"25.11", metricsPath, "prometheus/metrics-typed.prom"},
		{"25.11", "/flussonic/api/server", "legacy/server.json"},
		{"legacy", "/flussonic/api/server", "legacy/server.json"},
		{"legacy", "/flussonic/api/media", "legacy/media.json"},
		{"23.10", "/flussonic/api/sessions", "legacy/sessions.json"},
	} {
		t.Run(c.generation+" "+c.path, func(t *testing.T) {
			server := start(t, Options{Generation: c.generation, Now: emulatortest.NewClock().Now})
			assert.Equal(t, capture(t, c.file), fetchWell(t, server, c.path))
		})
	}
}

// TestLabels checks that each variant of the page of metrics is as captured.
func TestLabels(t *testing.T) {
	for _, labels := range []string{"typed", "bare", "other-labels"} {
		page := fetchWell(t, start(t, Options{Labels: labels}), metricsPath)
		assert.Equal(t, capture(t, "prometheus/metrics-"+labels+".prom"), page)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		options Options
		message string
	}{
		{Options{Generation: "19.04"}, "testdata/flussonic/api-v3/19.04 is no generation"},
		{Options{Generation: "errors"}, "testdata/flussonic/api-v3/errors is no generation"},
		{Options{Labels: "other"}, `there are no labels "other"`},
		{Options{Paging: "odd"}, `paging "odd" is none of repeat, endless, number`},
		{Options{Streams: -1}, "cannot scale to -1 streams"},
	} {
		_, err := New(c.options)
		assert.ErrorContains(t, err, c.message)
	}
}

func TestUnknown(t *testing.T) {
	server := start(t, Options{})
	legacy := start(t, Options{Generation: "legacy"})
	client := emulatortest.NewClient(t)
	for _, url := range []string{
		server.URL() + v3 + "nothing", server.URL() + v3 + "config", server.URL() + "/", server.URL() + "/flussonic/api/nothing",
		legacy.URL() + v3 + "config/stats", legacy.URL() + metricsPath,
	} {
		response := emulatortest.Do(t, client, http.MethodGet, url)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, response.Status, url)
		assert.Equal(t, capture(t, "api-v3/errors/404-jsonapi.json"), string(body), url)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, emulatortest.Do(t, client, http.MethodDelete, server.URL()+v3+"streams").Status)
	fetchWell(t, server, v3alias+"streams?limit=3")
	assert.Equal(t, []string{"nothing", "config", "/", "/flussonic/api/nothing", "streams", "streams?limit=3"}, server.Requests())
}

func TestContentTypes(t *testing.T) {
	server := start(t, Options{})
	for path, want := range map[string]string{
		v3 + "streams":                      "application/json",
		v3 + "config?format=openmetrics":    openMetrics,
		metricsPath:                         textPlain,
		metricsPath + "?format=json":        textPlain,
		v3 + "streams?format=json&select=a": "application/json",
	} {
		assert.Equal(t, want, emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+path).Header.Get("Content-Type"), path)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+v3+"streams", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	response, err := emulatortest.NewClient(t).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, openMetrics, response.Header.Get("Content-Type"))
}

func TestAuthorization(t *testing.T) {
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	user := start(t, Options{User: "view", Password: "pass:word"})
	token := start(t, Options{Token: "t0ken"})
	both := start(t, Options{User: "view", Password: "p", Token: "t0ken"})
	open := start(t, Options{})
	for _, c := range []struct {
		server *emulator.Server
		header string
		status int
	}{
		{user, basic("view:pass:word"), http.StatusOK},
		{user, basic("view:wrong"), http.StatusUnauthorized},
		{user, basic("edit:pass:word"), http.StatusUnauthorized},
		{user, "Bearer ", http.StatusUnauthorized},
		{user, "", http.StatusUnauthorized},
		{token, "Bearer t0ken", http.StatusOK},
		{token, "Bearer token", http.StatusUnauthorized},
		{token, basic(":"), http.StatusUnauthorized},
		{both, "Bearer t0ken", http.StatusOK},
		{both, basic("view:p"), http.StatusOK},
		{open, "", http.StatusOK},
		{open, basic("any:thing"), http.StatusOK},
	} {
		for _, path := range []string{v3 + "config/stats", v3 + "nothing", metricsPath} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.server.URL()+path, http.NoBody)
			require.NoError(t, err)
			if c.header != "" {
				request.Header.Set("Authorization", c.header)
			}
			response, err := emulatortest.NewClient(t).Do(request)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			if c.status == http.StatusOK {
				assert.NotEqual(t, http.StatusUnauthorized, response.StatusCode, "%q %s", c.header, path)
				continue
			}
			assert.Equal(t, c.status, response.StatusCode, "%q %s", c.header, path)
			assert.Equal(t, capture(t, "api-v3/errors/401-old.json"), string(body))
			assert.Equal(t, `Basic realm="Flussonic"`, response.Header.Get("Www-Authenticate"))
		}
	}
}

// streamsPage is a page of streams decoded by a client.
type streamsPage struct {
	Count   int             `json:"estimated_count"`
	Next    json.RawMessage `json:"next"`
	Prev    *string         `json:"prev"`
	Streams []stream
}

type stream struct {
	Name     string
	Position *int
	Inputs   []map[string]any
	Stats    *struct {
		Status    string
		BytesIn   int64   `json:"bytes_in"`
		BytesOut  int64   `json:"bytes_out"`
		Retries   int64   `json:"retry_count"`
		Clients   int64   `json:"online_clients"`
		Lifetime  float64 `json:"lifetime"`
		Bitrate   int64
		OpenedAt  int64    `json:"opened_at"`
		LastDtsAt int64    `json:"last_dts_at"`
		TSDelay   *float64 `json:"ts_delay"`
		Input     struct{ Bytes, Retries, Frames int64 }
		DVRWrite  map[string]int64 `json:"dvr_write"`
	}
}

// streamsOf requests one page.
func streamsOf(t *testing.T, server *emulator.Server, query url.Values) (page streamsPage) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(fetchWell(t, server, v3+"streams?"+query.Encode())), &page))
	return page
}

// allStreams follows the cursors over a limited number of pages and returns the names in order.
func allStreams(t *testing.T, server *emulator.Server, query url.Values, pages int) (names []string, cursors []string) {
	t.Helper()
	for range pages {
		page := streamsOf(t, server, query)
		for _, s := range page.Streams {
			names = append(names, s.Name)
		}
		if page.Next == nil || string(page.Next) == "null" {
			return names, cursors
		}
		cursor := strings.Trim(string(page.Next), `"`)
		cursors = append(cursors, cursor)
		query.Set("cursor", cursor)
	}
	return names, append(cursors, "and so on")
}

func TestPaging(t *testing.T) {
	for _, c := range []struct {
		generation string
		streams    int
		limit      int
		pages      int
	}{
		{"25.11", 0, 1, 5},
		{"25.11", 0, 5, 1},
		{"25.11", 3, 2, 2},
		{"25.11", 250, 0, 3},
		{"25.11", 1200, 500, 3},
		{"25.11", 12, 4, 3},
		{"23.10", 250, 0, 3},
		{"23.01", 250, 100, 3},
		{"full-23.10", 5, 2, 3},
		{"25.11", 20_000, 1000, 20},
	} {
		t.Run(fmt.Sprintf("%s %d by %d", c.generation, c.streams, c.limit), func(t *testing.T) {
			server := start(t, Options{Generation: c.generation, Streams: c.streams, Now: emulatortest.NewClock().Now})
			query := url.Values{"select": {"name"}}
			if c.limit > 0 {
				query.Set("limit", strconv.Itoa(c.limit))
			}
			names, cursors := allStreams(t, server, query, c.pages)
			assert.Len(t, cursors, c.pages-1)
			for _, cursor := range cursors {
				assert.True(t, strings.HasSuffix(cursor, "="), "a cursor that is not escaped must not be valid: %s", cursor)
			}
			want := max(c.streams, 5)
			if c.streams > 0 {
				want = c.streams
			}
			assert.Len(t, names, want)
			slices.Sort(names)
			assert.Len(t, slices.Compact(names), want, "each comes once")
		})
	}
}

func TestLastPage(t *testing.T) {
	for generation, want := range map[string]string{"25.11": "null", "23.10": "null", "23.01": "", "full-23.10": ""} {
		server := start(t, Options{Generation: generation, Streams: 4})
		assert.Equal(t, want, string(streamsOf(t, server, url.Values{}).Next), generation)
		page := streamsOf(t, server, url.Values{"limit": {"2"}})
		assert.Equal(t, `"JTI0cG9zaXRpb25fZ3Q9MQ=="`, string(page.Next), generation)
		assert.Equal(t, 4, page.Count, generation)
		assert.Nil(t, page.Prev)
	}
}

func TestScaled(t *testing.T) {
	server := start(t, Options{Streams: 12, Now: emulatortest.NewClock().Now})
	page := streamsOf(t, server, url.Values{})
	require.Len(t, page.Streams, 12)
	assert.Equal(t, "hockey1", page.Streams[0].Name)
	assert.Equal(t, "hockey1-00005", page.Streams[5].Name)
	assert.Equal(t, "mylive/bunny-00011", page.Streams[11].Name)
	for i, s := range page.Streams {
		assert.Equal(t, i, *s.Position)
		assert.Equal(t, page.Streams[i%5].Stats, s.Stats, s.Name)
	}
	var stats map[string]any
	require.NoError(t, json.Unmarshal([]byte(fetchWell(t, server, v3+"config/stats")), &stats))
	assert.InDelta(t, 12, stats["total_streams"], 0)
	assert.InDelta(t, 6, stats["online_streams"], 0, "hockey1 and mylive/bunny with their copies")
	assert.InDelta(t, 2040, stats["total_clients"], 0)

	// The pages have one line for each stream with the metric.
	native := fetchWell(t, server, metricsPath)
	assert.Equal(t, 3+3+2, strings.Count(native, "\nflussonic_stream_bytes_in{"))
	assert.Equal(t, 3, strings.Count(native, "\nflussonic_stream_dvr_info_depth{"))
	assert.Contains(t, native, `flussonic_stream_retry_count{stream="cam-7-00007"} 27`+"\n")
	assert.Contains(t, native, "\nflussonic_streams 12\n")
	assert.Equal(t, 2, strings.Count(native, "\nflussonic_disk_size{"))
	assert.Equal(t, 1, strings.Count(native, "# TYPE flussonic_stream_bytes_in counter\n"))
	text := fetchWell(t, server, v3+"streams?format=openmetrics")
	assert.Contains(t, text, `name="hockey1-00010",id="61fa2d68-75e4-433b-8c82-f2ce5444bf23"} 2`+"\n# EOF\n")
}

// TestOpenMetricsIsCut checks that the page ends at the default limit, because OpenMetrics has no cursors.
func TestOpenMetricsIsCut(t *testing.T) {
	server := start(t, Options{Streams: 250})
	text := fetchWell(t, server, v3+"streams?format=openmetrics")
	assert.Equal(t, 40, strings.Count(text, "\nstream_bitrate{"), "hockey1 and mylive/bunny of the first 100")
	assert.Equal(t, 3*50, strings.Count(fetchWell(t, server, metricsPath), "\nflussonic_stream_bitrate{"))
}

func TestSelect(t *testing.T) {
	server := start(t, Options{})
	rows := func(path string) string {
		body := fetchWell(t, server, v3+path)
		_, rows, found := strings.Cut(body, "[")
		require.True(t, found)
		return strings.Join(strings.Fields("["+rows), "")
	}
	for path, want := range map[string]string{
		"streams?limit=1&select=static":                         `[{"name":"hockey1","static":true}]}`,
		"streams?limit=1&select=stats.status,stats.input.bytes": `[{"name":"hockey1","stats":{"status":"running","input":{"bytes":2445568}}}]}`,
		"streams?limit=1&select=inputs.stats.active":            `[{"name":"hockey1","inputs":[{"stats":{"active":true}},{"stats":{"active":false}}]}]}`,
		"streams?limit=1&select=stats.dvr_info.depth,nothing.x": `[{"name":"hockey1","stats":{"dvr_info":{"depth":259200}}}]}`,
		"streams?limit=1&select=name.x":                         `[{"name":"hockey1"}]}`,
		"dvb_cards?select=stats.strength":                       `[{"name":"a16","stats":{"strength":95}},{"name":"a17","stats":null}]}`,
		"cluster/peers?select=stats.error":                      `[{"stats":{}},{"stats":{"error":"timeout"}}]}`,
		"streams?limit=1&select=position.x,stats.status":        `[{"name":"hockey1","position":0,"stats":{"status":"running"}}]}`,
		"dvb_cards?limit=1&select=stats.snr,stats,stats.ber": `[{"name":"a16","stats":{"ber":0,"strength":95,"strength_raw":62446,"snr":71,"snr_raw":894,` +
			`"has_signal":true,"has_carrier":true,"has_viterbi":true,"has_sync":true,"has_lock":true,"has_timedout":false}}]}`,
	} {
		assert.Equal(t, want, rows(path), path)
	}
	whole := start(t, Options{IgnoreSelect: true})
	assert.Equal(t, capture(t, "api-v3/25.11/streams_page1.json"), fetchWell(t, whole, v3+"streams?limit=2&select=name"))
}

// TestSelections checks that more selections work than are cached.
func TestSelections(t *testing.T) {
	server := start(t, Options{})
	for range 2 {
		for i := range 2 * maxSelections {
			page := streamsOf(t, server, url.Values{"select": {fmt.Sprintf("stats.status,x%d", i)}})
			require.Len(t, page.Streams, 5)
			assert.Equal(t, "running", page.Streams[0].Stats.Status)
		}
	}
}

func TestBadRequests(t *testing.T) {
	server := start(t, Options{MaxPage: 200})
	for query, title := range map[string]string{
		"limit=201":                           "limit 201 is above 200",
		"limit=0":                             "limit 0 is no positive number",
		"limit=all":                           "limit all is no positive number",
		"cursor=!":                            "unknown cursor",
		"cursor=1":                            "unknown cursor",
		"cursor=JTI0cG9zaXRpb25fZ3Q9LTE%3D":   "unknown cursor", // position -1
		"cursor=JTI0cG9zaXRpb25fbHQ9Mg%3D%3D": "unknown cursor", // position_lt
		"cursor=JTI0cG9zaXRpb25fZ3Q9MQ":       "unknown cursor", // without ==
	} {
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+v3+"streams?"+query)
		assert.Equal(t, http.StatusBadRequest, response.Status, query)
		var failure struct {
			Errors []struct{ Status, Code, Title string }
		}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&failure))
		require.Len(t, failure.Errors, 1)
		assert.Equal(t, "400", failure.Errors[0].Status)
		assert.Equal(t, "bad_request", failure.Errors[0].Code)
		assert.Equal(t, title, failure.Errors[0].Title, query)
	}
	assert.Len(t, streamsOf(t, server, url.Values{"limit": {"200"}}).Streams, 5)
	over := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, start(t, Options{}).URL()+v3+"streams?limit=1001")
	assert.Equal(t, http.StatusBadRequest, over.Status)
}

func TestBadPaging(t *testing.T) {
	follow := func(paging string) (names, cursors []string) {
		server := start(t, Options{Paging: paging})
		return allStreams(t, server, url.Values{"limit": {"2"}, "select": {"name"}}, 8)
	}
	names, cursors := follow("repeat")
	assert.Equal(t, []string{"hockey1", "mylive/bunny", "cam-7", "ondemand", "cam-7", "ondemand"}, names[:6])
	assert.Equal(t, cursors[0], cursors[1])
	assert.Len(t, cursors, 9, "without an end")

	names, cursors = follow("endless")
	assert.Equal(t, []string{"hockey1", "mylive/bunny", "cam-7", "ondemand", "off", "hockey1", "mylive/bunny"}, names[:7])
	assert.Len(t, cursors, 9, "without an end")
	slices.Sort(cursors)
	assert.Len(t, slices.Compact(cursors), 9, "ever new")

	names, cursors = follow("number")
	assert.Equal(t, []string{"hockey1", "mylive/bunny", "cam-7", "ondemand", "off"}, names)
	assert.Equal(t, []string{"1", "3"}, cursors)
	assert.Equal(t, "1", string(streamsOf(t, start(t, Options{Paging: "number"}), url.Values{"limit": {"2"}}).Next))
}

// TestStandsStill checks that all values stay as captured without Moving.
func TestStandsStill(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Streams: 5, Now: now.Now})
	before := fetchWell(t, server, v3+"streams")
	now.Advance(time.Hour)
	assert.Equal(t, before, fetchWell(t, server, v3+"streams"))
	assert.Equal(t, capture(t, "prometheus/metrics-typed.prom"), strings.Replace(fetchWell(t, server, metricsPath), "_streams 5\n", "_streams 45\n", 1))
}

func TestAdvances(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Generation: "23.10", Moving: true, Now: now.Now})
	begin := now.Now().UnixMilli()
	hockey := func() stream { return streamsOf(t, server, url.Values{}).Streams[0] }
	first := hockey()
	assert.Equal(t, begin-10_000_123, first.Stats.OpenedAt, "as long before the answer as captured")
	assert.Equal(t, begin-1123, first.Stats.LastDtsAt)
	assert.EqualValues(t, 2445568, first.Stats.BytesIn)
	assert.Equal(t, first, hockey(), "the clock stands still")

	now.Advance(10 * time.Second)
	later := hockey()
	assert.EqualValues(t, 2445568+10*2543*125, later.Stats.BytesIn, "at 2,543 kbit/s")
	assert.EqualValues(t, 97822720+10*7629*125, later.Stats.BytesOut, "at 7,629 kbit/s")
	assert.InDelta(t, 2543, later.Stats.Bitrate, 2543*0.04)
	assert.InDelta(t, 9_999_400+10_000, later.Stats.Lifetime, 0)
	assert.Equal(t, first.Stats.OpenedAt, later.Stats.OpenedAt)
	assert.Equal(t, first.Stats.LastDtsAt+10_000, later.Stats.LastDtsAt)
	assert.InDelta(t, 1284, *later.Stats.TSDelay, 0)
	native := fetchWell(t, server, metricsPath)
	assert.Contains(t, native, fmt.Sprintf("\nflussonic_stream_bytes_in{stream=\"hockey1\"} %d\n", later.Stats.BytesIn), "all sources agree")
	assert.Contains(t, native, fmt.Sprintf("\nflussonic_stream_start_running_at{stream=\"hockey1\"} %d\n", begin-(metricsCapturedAt-1636383729002)))

	// A viewer of every running stream connects and disconnects.
	now.Advance(time.Minute)
	viewed := streamsOf(t, server, url.Values{}).Streams
	assert.EqualValues(t, 4, viewed[0].Stats.Clients)
	assert.EqualValues(t, 0, viewed[1].Stats.Clients)
	assert.EqualValues(t, 0, viewed[2].Stats.Clients, "it does not run")
	assert.Nil(t, viewed[2].Stats.TSDelay)

	// cam-7 continues to retry: 27 times in the 600,000 s of the server.
	now.Advance(600_000*time.Second - 70*time.Second)
	assert.EqualValues(t, 54, streamsOf(t, server, url.Values{}).Streams[2].Stats.Retries)
}

func TestAdvances25(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Moving: true, Streams: 10, Now: now.Now})
	stats := func() (s struct {
		Now, Uptime int64
		StartedAt   int64            `json:"started_at"`
		Events      map[string]int64 `json:"events"`
	},
	) {
		require.NoError(t, json.Unmarshal([]byte(fetchWell(t, server, v3+"config/stats")), &s))
		return s
	}
	before := stats()
	assert.Equal(t, now.Now().UnixMilli(), before.Now)
	assert.Equal(t, now.Now().Unix()-600_000, before.StartedAt)
	now.Advance(600_000 * time.Second)
	after := stats()
	assert.Equal(t, before.Now+600_000_000, after.Now)
	assert.Equal(t, before.StartedAt, after.StartedAt)
	assert.EqualValues(t, 1_200_000, after.Uptime)
	assert.Equal(t, map[string]int64{"resent_events": 6, "dropped_events": 2}, after.Events)
	for _, number := range []int{0, 5} {
		s := streamsOf(t, server, url.Values{}).Streams[number].Stats
		assert.EqualValues(t, 2445568+600_000*2543*125, s.Input.Bytes)
		assert.EqualValues(t, 97822720+600_000*7629000/8, s.BytesOut)
		assert.EqualValues(t, 250_000+250_000*600_000_000/9_999_400, s.Input.Frames)
		assert.EqualValues(t, 990+990*600_000_000/9_999_400, s.DVRWrite["segments_written_fast"])
	}
}

// TestComesAndGoes checks that a few copies come and go, and that the stream count of the server agrees.
func TestComesAndGoes(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Moving: true, Streams: 500, Now: now.Now})
	names := func() map[string]bool {
		all, _ := allStreams(t, server, url.Values{"select": {"name"}}, 5)
		set := map[string]bool{}
		for _, name := range all {
			set[name] = true
		}
		assert.Len(t, set, len(all), "each comes once")
		assert.Equal(t, len(all), streamsOf(t, server, url.Values{"limit": {"1"}}).Count)
		assert.Contains(t, fetchWell(t, server, v3+"config/stats"), fmt.Sprintf(`"total_streams": %d,`, len(all)))
		return set
	}
	before := names()
	assert.Equal(t, before, names())
	now.Advance(time.Minute)
	after := names()
	for _, set := range []map[string]bool{before, after} {
		assert.GreaterOrEqual(t, len(set), 490)
		assert.Less(t, len(set), 500)
	}
	gone := 0
	for name := range before {
		if !after[name] {
			gone++
		}
	}
	assert.Positive(t, gone)
	assert.LessOrEqual(t, gone, 10)
}

func TestRestart(t *testing.T) {
	for _, generation := range []string{"23.10", "25.11"} {
		t.Run(generation, func(t *testing.T) {
			now := emulatortest.NewClock()
			server := start(t, Options{Generation: generation, Streams: 7, Now: now.Now})
			now.Advance(time.Hour)
			require.NoError(t, server.SetFault(emulator.Restart))
			begin := now.Now()
			now.Advance(2 * time.Second)
			s := streamsOf(t, server, url.Values{}).Streams[5]
			assert.Equal(t, "hockey1-00005", s.Name)
			assert.EqualValues(t, 2*2543*125, s.Stats.BytesIn+s.Stats.Input.Bytes)
			assert.Equal(t, begin.UnixMilli(), s.Stats.OpenedAt)
			assert.InDelta(t, 2000, s.Stats.Lifetime, 0.5)
			stats := fetchWell(t, server, v3+"config/stats")
			assert.Contains(t, stats, fmt.Sprintf(`"started_at": %d,`, begin.Unix()))
			assert.Contains(t, stats, `"uptime": 2,`)
			assert.Contains(t, fetchWell(t, server, "/flussonic/api/server"), `"uptime": 2,`)
			native := fetchWell(t, server, metricsPath)
			assert.Contains(t, native, fmt.Sprintf("\nflussonic_boot_time_seconds %d\n", begin.Unix()))
			assert.Contains(t, native, fmt.Sprintf("\nflussonic_stream_bytes_in{stream=\"hockey1-00005\"} %d\n", 2*2543*125))
			assert.Contains(t, native, "\nflussonic_net_input_bytes{interface=\"eth1\"} 0\n")
		})
	}
}

// outcome briefly describes what a client receives within patience.
func outcome(t *testing.T, server *emulator.Server, path, whole string, patience time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	response, err := emulatortest.NewClient(t).Do(request)
	var body []byte
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(response.Body, 8<<20))
	}
	for _, reason := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
		if errors.Is(err, reason) {
			return reason.Error()
		}
	}
	require.NoError(t, err)
	switch {
	case response.StatusCode != http.StatusOK:
		return strconv.Itoa(response.StatusCode)
	case len(body) == 8<<20:
		return "endless"
	case response.Header.Get("Content-Encoding") != "":
		return "packed"
	case string(body) == whole:
		return "whole"
	case string(body) == whole[:len(whole)/2]:
		return "half"
	}
	return "other"
}

var outcomes = map[string]string{
	emulator.Refuse:        "connection refused",
	"reset":                "connection reset by peer",
	"hang":                 "context deadline exceeded",
	"slow_header":          "context deadline exceeded",
	"slow_body":            "context deadline exceeded",
	"endless_body":         "endless",
	"cut_body":             "unexpected EOF",
	"gzip_bomb":            "packed",
	"status_500":           "500",
	"status_401":           "401",
	"status_403":           "403",
	"status_429":           "429",
	"html_404":             "404",
	"redirect_elsewhere":   "302",
	"wrong_secret":         "401",
	"invalid_json":         "half",
	"wrong_types":          "other",
	"invalid_utf8":         "other",
	"numbers_out_of_range": "other",
	"deep_nesting":         "other",
	emulator.Restart:       "other",
}

// ofJSONOnly lists the faults that do not apply to a page of metrics.
var ofJSONOnly = []string{"wrong_types", "deep_nesting"}

func TestFaults(t *testing.T) {
	for _, fault := range emulator.Faults {
		for api, path := range map[string]string{"streams": v3 + "streams", metricsPath: metricsPath} {
			t.Run(fault.Name+" "+path, func(t *testing.T) {
				t.Parallel()
				require.Contains(t, outcomes, fault.Name, "every fault needs a row in outcomes")
				server := start(t, Options{Now: emulatortest.NewClock().Now})
				whole := fetchWell(t, server, path)
				if fault.Whole {
					require.NoError(t, server.SetFault(fault.Name))
				} else {
					require.NoError(t, server.SetFault(fault.Name, api))
					fetchWell(t, server, v3+"config/stats")
				}
				patience := 10 * time.Second
				if outcomes[fault.Name] == context.DeadlineExceeded.Error() {
					patience = 50 * time.Millisecond
				}
				want := outcomes[fault.Name]
				if api == metricsPath && slices.Contains(ofJSONOnly, fault.Name) {
					want = "whole"
				}
				assert.Equal(t, want, outcome(t, server, path, whole, patience))
				require.NoError(t, server.SetFault(""))
				if fault.Name != emulator.Restart { // which does not end
					assert.Equal(t, "whole", outcome(t, server, path, whole, 10*time.Second))
				}
			})
		}
	}
}

func TestWrongTypes(t *testing.T) {
	server := start(t, Options{})
	require.NoError(t, server.SetFault("wrong_types"))
	var list struct {
		Streams map[string]struct{ Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(fetchWell(t, server, v3+"streams")), &list))
	assert.Equal(t, "cam-7", list.Streams["2"].Name)
}

// leaves returns the types of the values of a JSON document, by path.
func leaves(t *testing.T, document []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	emulator.WalkJSON(document, "", false, func(path string, _ int, value json.Token) {
		if kind := fmt.Sprintf("%T ", value); !strings.Contains(all[path], kind) {
			all[path] += kind
		}
	})
	return all
}

// TestFullSample checks that the sample with all fields has the same fields and types as the vendor's mock server, but other values.
func TestFullSample(t *testing.T) {
	originals, err := filepath.Glob("../../../../shared/testdata/flussonic/vendor-mock-23.10/*.json")
	require.NoError(t, err)
	if len(originals) == 0 {
		t.Skip("requires published responses that may not be copied")
	}
	for _, file := range originals {
		original, err := os.ReadFile(file)
		require.NoError(t, err)
		sample := capture(t, path.Join("api-v3/full-23.10", filepath.Base(file)))
		want, got := leaves(t, original), leaves(t, []byte(sample))
		assert.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), file)
		assert.Equal(t, want, got, file)
	}
}

// TestGenerations checks that each generation has only the fields of its version.
func TestGenerations(t *testing.T) {
	for generation, names := range map[string][]string{
		"23.01": {"client_count", "bytes_in", "retry_count", "out_bandwidth"},
		"23.10": {"client_count", "bytes_in", "retry_count", "out_bandwidth", "online_clients", "device"},
		"25.11": {"online_clients", "output_bandwidth", "io_util", "dvr_write", "retries", "device"},
	} {
		server := start(t, Options{Generation: generation, Streams: 10})
		body := fetchWell(t, server, v3+"streams") + fetchWell(t, server, v3+"config/stats")
		for _, name := range []string{
			"client_count", "online_clients", "bytes_in", "retry_count", "retries", "out_bandwidth", "output_bandwidth", "io_util", "device", "dvr_write",
		} {
			if name == "retries" && generation == "23.10" || name == "retries" && generation == "23.01" {
				continue // a field of pushes
			}
			assert.Equal(t, slices.Contains(names, name), strings.Contains(body, `"`+name+`"`), "%s %s", generation, name)
		}
	}
}

// BenchmarkStreams renders a page of 500 of 10,000 streams without reuse.
func BenchmarkStreams(b *testing.B) {
	page, err := fs.ReadFile(testdata.Files, captureFolder+"api-v3/25.11/streams_page1.json")
	require.NoError(b, err)
	list, err := newRowList("streams", [][]byte{page}, serverTime(page))
	require.NoError(b, err)
	list.scaledTo = 10_000
	now := emulatortest.NewClock()
	var c serverClock
	c.begin(now.Now, true)
	request := pageRequest{limit: 500, after: 4999, fields: "static,stats.status,stats.bytes_out,stats.input.bytes,stats.input.retries,stats.bitrate,stats.online_clients"}
	for b.Loop() {
		now.Advance(time.Second)
		b.SetBytes(int64(len(list.page(request, c.moment(list)))))
	}
}
