// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// listServer starts a server that handles requests for streams with page and has nothing else to report.
func listServer(t *testing.T, page http.HandlerFunc) string {
	t.Helper()
	return startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStreams:
			page(w, r)
		case apiPath + apiStats:
			_, _ = w.Write([]byte(`{"server_version":"25.11","now":1763600000000}`))
		default:
			http.NotFound(w, r)
		}
	})
}

// fixedList returns a handler that returns text.
func fixedList(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// ofStreams returns the points of individual streams.
func ofStreams(points map[string]float64) map[string]float64 {
	streams := map[string]float64{}
	for point, value := range points {
		if strings.Contains(point, "flussonic.stream.name=") {
			streams[point] = value
		}
	}
	return streams
}

const (
	omittedLimit     = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=limit}"
	omittedMerged    = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=merged}"
	omittedTruncated = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=truncated}"
	countRunning     = "flussonic.stream.count_by_state{flussonic.stream.state=running}"
)

// The result of a list does not depend on the page size, the form of the cursor or earlier scrapes.
func TestPagesAreOneList(t *testing.T) {
	points := func(size int, o flussonic.Options) map[string]float64 {
		o.Streams = 250
		s, _ := startScraper(t, startServer(t, o).URL(), func(c *Config) { c.PageSize = size })
		first := scrapePoints(t, s)
		assert.Equal(t, first, scrapePoints(t, s), "the second scrape")
		return first
	}
	want := points(500, flussonic.Options{})
	assert.InDelta(t, 100, want[countRunning], 0)
	assert.Equal(t, want, points(7, flussonic.Options{}))
	assert.Equal(t, want, points(250, flussonic.Options{}))
	assert.Equal(t, want, points(100, flussonic.Options{Paging: "number"}))
	assert.Equal(t, want, points(500, flussonic.Options{MaxPage: 100}), "a server that refuses large pages")
}

// After a server has refused a large page, only small pages are requested.
func TestRefusedPageSize(t *testing.T) {
	server := startServer(t, flussonic.Options{Streams: 150, MaxPage: 100})
	s, _ := startScraper(t, server.URL(), onlyAPI)
	refused := func() (n int64) {
		for _, request := range server.Requests() {
			n += rows.BoolToInt(strings.Contains(request, "limit=500"))
		}
		return n
	}
	_ = scrapePoints(t, s)
	once := refused()
	assert.Positive(t, once)
	_ = scrapePoints(t, s)
	assert.Equal(t, once, refused())
}

// Reading stops if a list never ends, and the streams that were read are kept.
func TestEndlessLists(t *testing.T) {
	t.Run("the cursor repeats", func(t *testing.T) {
		s, _ := startScraper(t, startServer(t, flussonic.Options{Streams: 20, Paging: "repeat"}).URL(), func(c *Config) { c.PageSize = 5 })
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, "the cursor repeats")
		checkTruncated(t, rtctest.Points(t, metrics))
	})
	t.Run("ever new cursors", func(t *testing.T) {
		s, _ := startScraper(t, startServer(t, flussonic.Options{Streams: 2, Paging: "endless"}).URL(), func(c *Config) { c.PageSize = 2 })
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, "more than 1000 pages: raise the setting page_size")
		checkTruncated(t, rtctest.Points(t, metrics))
	})
	t.Run("empty pages", func(t *testing.T) {
		var requests atomic.Int64
		url := listServer(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"streams":[],"next":"c%d"}`, requests.Add(1))
		})
		s, _ := startScraper(t, url, onlyAPI)
		points := scrapePoints(t, s)
		assert.EqualValues(t, 1, requests.Load())
		assert.InDelta(t, 0, points[countRunning], 0)
	})
	t.Run("too many streams on a page", func(t *testing.T) {
		s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":{"alive":true}}`+strings.Repeat(",{}", maxItems)+`]}`)), onlyAPI)
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, "more than 200000 streams")
		checkTruncated(t, rtctest.Points(t, metrics))
	})
	t.Run("a stream that is too large", func(t *testing.T) {
		s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":{"alive":true}},{"name":"`+strings.Repeat("b", 2<<20)+`"}]}`)), onlyAPI)
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, "one value of the answer is larger than 1024 KiB")
		checkTruncated(t, rtctest.Points(t, metrics))
	})
}

// checkTruncated checks that the streams that were read are reported and that the list is reported as truncated.
func checkTruncated(t *testing.T, points map[string]float64) {
	t.Helper()
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.InDelta(t, 1, points[omittedTruncated], 0)
	assert.NotEmpty(t, ofStreams(points))
	assert.NotContains(t, points, countRunning)
}

// A page that fails does not affect the streams on the pages before it.
func TestLatePageFails(t *testing.T) {
	row := func(i int) string { return fmt.Sprintf(`{"name":"s%d","stats":{"alive":true,"bytes_out":%d}}`, i, i) }
	var fails atomic.Bool
	fails.Store(true)
	url := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch cursor := r.URL.Query().Get("cursor"); {
		case cursor == "":
			_, _ = fmt.Fprintf(w, `{"streams":[%s,%s],"next":"a=b&c"}`, row(1), row(2))
		case fails.Load():
			http.Error(w, "boom", http.StatusBadGateway)
		default:
			assert.Equal(t, "a=b&c", cursor)
			_, _ = fmt.Fprintf(w, `{"streams":[%s],"next":""}`, row(3))
		}
	})
	s, _ := startScraper(t, url, func(c *Config) { onlyAPI(c); c.Streams.Expected = []string{"s1", "not there"} })
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "streams of "+url+": page 2: HTTP status 502")
	points := rtctest.Points(t, metrics)
	checkTruncated(t, points)
	assert.Len(t, ofStreams(points), 4)
	assert.NotContains(t, points, "flussonic.stream.alive{flussonic.stream.name=not there}", "it may be on the page that failed")

	fails.Store(false)
	points = scrapePoints(t, s)
	assert.Len(t, ofStreams(points), 7)
	assert.Contains(t, points, "flussonic.stream.alive{flussonic.stream.name=not there}")
	assert.InDelta(t, 3, points["flussonic.stream.io{flussonic.stream.name=s3,network.io.direction=transmit}"], 0)
}

// A truncated response results in an error, and in no points that the complete response does not have.
func TestCutAnswers(t *testing.T) {
	for _, tt := range []struct {
		file string
		list bool
	}{
		{"api-v3/25.11/streams_page1.json", true},
		{"api-v3/23.10/streams.json", true},
		{"prometheus/metrics-typed.prom", false},
	} {
		text := string(capture(t, tt.file))
		var cut atomic.Int64
		answer := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = w.Write([]byte(text[:cut.Load()]))
			if cut.Load() < int64(len(text)) {
				panic(http.ErrAbortHandler)
			}
		}
		url, edit := startHandler(t, answer), onlyPage
		if tt.list {
			text = strings.Replace(text, `"next": "JTI0cG9zaXRpb25fZ3Q9MQ=="`, `"next": null`, 1)
			url, edit = listServer(t, answer), onlyAPI
		}
		s, _ := startScraper(t, url, edit)
		cut.Store(int64(len(text)))
		want := scrapePoints(t, s)
		require.NotEmpty(t, ofStreams(want))
		for at := 0; at < len(text); at += 97 {
			cut.Store(int64(at))
			metrics, err := s.Scrape(t.Context())
			require.Error(t, err, "%s cut at %d", tt.file, at)
			for point, value := range rtctest.Points(t, metrics) {
				if strings.HasPrefix(point, "flussonic.") {
					assert.InDelta(t, want[point], value, 0, "%s cut at %d: %s", tt.file, at, point)
					assert.Contains(t, want, point)
				}
			}
		}
	}
}

// An expected stream is reported as not alive while it is missing or disabled.
func TestExpectedStreams(t *testing.T) {
	s, _ := startScraper(t, startServer(t, flussonic.Options{}).URL(), func(c *Config) {
		c.Streams.Expected = []string{"hockey1", "cam-7", "off", "gone"}
	})
	points := scrapePoints(t, s)
	for name, want := range map[string]float64{"hockey1": 1, "cam-7": 0, "off": 0, "gone": 0} {
		value, there := points["flussonic.stream.alive{flussonic.stream.name="+name+"}"]
		assert.True(t, there, name)
		assert.InDelta(t, want, value, 0, name)
	}
	s, _ = startScraper(t, startServer(t, flussonic.Options{}).URL(), func(c *Config) {
		onlyPage(c)
		c.Streams.Expected = []string{"hockey1", "gone"}
	})
	points = scrapePoints(t, s)
	assert.InDelta(t, 0, points["flussonic.stream.alive{flussonic.stream.name=gone}"], 0)
	assert.Contains(t, points, "flussonic.stream.alive{flussonic.stream.name=gone}")
	assert.NotContains(t, points, "flussonic.stream.alive{flussonic.stream.name=hockey1}", "the page does not tell")
}

// The selection applies to all sources. Sums include all streams, and the streams beyond the limit are counted and logged once.
func TestSelection(t *testing.T) {
	s, logs := startScraper(t, startServer(t, flussonic.Options{}).URL(), func(c *Config) {
		c.Streams.Exclude = []filter.Config{{Strict: "hockey1"}}
		c.Streams.Limit = 1
	})
	for range 2 {
		points := scrapePoints(t, s)
		for point := range ofStreams(points) {
			assert.Contains(t, point, "flussonic.stream.name=mylive/bunny")
		}
		assert.Contains(t, points, "flussonic.stream.client.delay{flussonic.stream.name=mylive/bunny}")
		assert.InDelta(t, 2, points[countRunning], 0)
		assert.InDelta(t, 3, points[omittedLimit], 0)
		assert.InDelta(t, 0, points[omittedTruncated], 0)
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("raise streams::limit").Len())
}

// What fits is never omitted: streams that are gone give their places to new ones at once, on the list and on the page.
func TestReplacedStreams(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(*Config)
		path string
		body func(names []string) string
	}{
		"list": {everythingOfAPI, apiPath + apiStreams, func(names []string) string {
			var all []string
			for i, name := range names {
				all = append(all, fmt.Sprintf(`{"name":%q,"stats":{"alive":true,"status":"running","bytes_in":%d,"inputs":[{"active":true}],
					"push":[{"status":"running","bytes":%d}],"media_info":{"tracks":[{"content":"video"}]}}}`, name, i, i))
			}
			return `{"streams":[` + strings.Join(all, ",") + `]}`
		}},
		"page": {func(c *Config) { everything(c); onlyPage(c) }, apiPage, func(names []string) (page string) {
			for i, name := range names {
				page += fmt.Sprintf("flussonic_stream_bytes_in{name=%q} %d\nstream_online_clients{name=%q} 1\n", name, i, name)
			}
			return page
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var current atomic.Pointer[string]
			url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case tt.path:
					_, _ = w.Write([]byte(*current.Load()))
				case apiPath + apiStats:
					_, _ = w.Write([]byte(`{"server_version":"25.11","now":1763600000000}`))
				default:
					http.NotFound(w, r)
				}
			})
			s, _ := startScraper(t, url, func(c *Config) {
				tt.edit(c)
				c.Streams.Limit = 25
			})
			var want map[string]float64
			for _, prefix := range []string{"old", "new", "newer"} {
				var names []string
				for i := range 20 {
					names = append(names, fmt.Sprint(prefix, i))
				}
				body := tt.body(names)
				current.Store(&body)
				points := scrapePoints(t, s)
				assert.InDelta(t, 0, points[omittedLimit], 0, prefix)
				got := map[string]float64{}
				for point, value := range ofStreams(points) {
					got[strings.Replace(point, "flussonic.stream.name="+prefix, "flussonic.stream.name=", 1)] = value
				}
				if want == nil {
					want = got
					require.GreaterOrEqual(t, len(want), 2*20)
				}
				assert.Equal(t, want, got, prefix)
			}
		})
	}
}

// If two names are equal as attributes, the first stream is used and the other is counted as merged. A repetition of the same name is
// not counted.
func TestEqualNames(t *testing.T) {
	long := strings.Repeat("x", 300)
	list := `{"streams":[{"name":"` + long + `1","stats":{"alive":true}},{"name":"` + long + `2","stats":{"alive":false}},
		{"name":"a","stats":{"alive":true}},{"name":"a","stats":{"alive":false}},{"name":""},{}]}`
	s, _ := startScraper(t, listServer(t, fixedList(list)), onlyAPI)
	points := scrapePoints(t, s)
	assert.InDelta(t, 1, points[omittedMerged], 0)
	assert.Equal(t, map[string]float64{
		"flussonic.stream.alive{flussonic.stream.name=" + long[:256] + "}": 1,
		"flussonic.stream.alive{flussonic.stream.name=a}":                  1,
	}, ofStreams(points))
}

// If a stream has fields of two releases, the newer field is used, regardless of the order. Null and missing fields are skipped.
func TestGenerationsInOneAnswer(t *testing.T) {
	const name = "flussonic.stream.name=a"
	for stats, want := range map[string]map[string]float64{
		`{"bytes_in":1,"input":{"bytes":2}}`:                        {"flussonic.stream.io{" + name + ",network.io.direction=receive}": 2},
		`{"input":{"bytes":2},"bytes_in":1}`:                        {"flussonic.stream.io{" + name + ",network.io.direction=receive}": 2},
		`{"bytes_in":1,"input":{"bytes":null}}`:                     {"flussonic.stream.io{" + name + ",network.io.direction=receive}": 1},
		`{"bytes_in":null,"input":{}}`:                              {},
		`{"input":null}`:                                            {},
		`{"out_bandwidth":8,"output_bandwidth":0}`:                  {"flussonic.stream.throughput{" + name + ",network.io.direction=transmit}": 0},
		`{"out_bandwidth":8}`:                                       {"flussonic.stream.throughput{" + name + ",network.io.direction=transmit}": 1000},
		`{"client_count":1,"online_clients":2}`:                     {"flussonic.stream.client.count{" + name + "}": 2},
		`{"online_clients":2,"play":{"play_opened_sessions":3}}`:    {"flussonic.stream.client.count{" + name + "}": 3},
		`{"play":{"play_opened_sessions":null},"online_clients":2}`: {"flussonic.stream.client.count{" + name + "}": 2},
		`{"bitrate":8,"input_bitrate":4}`:                           {"flussonic.stream.throughput{" + name + ",network.io.direction=receive}": 500},
		`{"bitrate":8,"input_bitrate":null}`:                        {"flussonic.stream.throughput{" + name + ",network.io.direction=receive}": 1000},
		`{"input":{"error_rate":90},"input_error_rate":4}`:          {"flussonic.stream.input.error_rate{" + name + "}": 1.5},
		`{"input_error_rate":4}`:                                    {"flussonic.stream.input.error_rate{" + name + "}": 4},
		`{"client_count":1.5}`:                                      {},
		`{"retry_count":-1}`:                                        {},
		`{"input":{"retries":1.2e13},"retry_count":1}`:              {"flussonic.stream.retries{" + name + "}": 1.2e13},
		`{"start_running_at":0}`:                                    {},
		`{"start_running_at":1763590000700}`:                        {"flussonic.stream.start_time{" + name + "}": 1763590000.7},
		`{"start_running_at":1763590000}`:                           {"flussonic.stream.start_time{" + name + "}": 1763590000},
		`{"push":[{"status":"retry","bytes":1}]}`:                   {"flussonic.stream.push.io{flussonic.push.index=0," + name + "}": 1},
		`{"media_info":{"tracks":[{"content":"text"},{"content":"x"}]}}`: {
			"flussonic.stream.track.count{flussonic.media.kind=text," + name + "}": 1, "flussonic.stream.track.count{flussonic.media.kind=other," + name + "}": 1,
		},
		`{"play":{"play_webrtc_http_200":3,"play_mss_segment_time_longms":4,"play_x_http_777":5}}`: {
			"flussonic.stream.play.responses{flussonic.protocol=webrtc,flussonic.resource=other,flussonic.response.class=2xx," + name + "}":                  3,
			"flussonic.stream.play.responses_by_duration{flussonic.protocol=mss,flussonic.resource=segment,flussonic.response.duration=longer," + name + "}": 4,
		},
		`{"input":{"errors":9,"errors_brand_new":1}}`: {
			"flussonic.stream.input.errors{" + name + "}": 9, "flussonic.stream.input.errors_by_type{error.type=brand_new," + name + "}": 1,
		},
	} {
		s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":`+stats+`}]}`)), everythingOfAPI)
		got := ofStreams(scrapePoints(t, s))
		for point := range got {
			if strings.Contains(point, ".state{") {
				delete(got, point)
			}
		}
		assert.Equal(t, want, got, stats)
	}
}

// If the server does not report a delay, the age of a frame is derived from the server's clock, not the collector's.
func TestFrameAge(t *testing.T) {
	age := func(stats string) (float64, bool) {
		s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":`+stats+`}]}`)), onlyAPI)
		v, ok := scrapePoints(t, s)["flussonic.stream.frame.age{flussonic.stream.name=a}"]
		return v, ok
	}
	v, _ := age(`{"ts_delay":1284.5,"last_dts_at":1}`)
	assert.InDelta(t, 1.2845, v, 0)
	v, _ = age(`{"ts_delay":null,"last_dts_at":1763599990000}`) // config/stats: now 1763600000000
	assert.GreaterOrEqual(t, v, 10.0)
	assert.Less(t, v, 10+plenty.Seconds())
	for _, none := range []string{`{"last_dts_at":null}`, `{"last_dts_at":0}`, `{}`, `{"last_dts_at":1763700000000}`} {
		_, ok := age(none)
		assert.False(t, ok, none)
	}
}

// The numbers of inputs and pushes of a stream are bounded.
func TestManyParts(t *testing.T) {
	parts := strings.TrimSuffix(strings.Repeat(`{"stats":{"active":true,"status":"running"}},`, maxParts+3), ",")
	s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","inputs":[`+parts+`],"pushes":[`+parts+`],"stats":{}}]}`)), everythingOfAPI)
	points := scrapePoints(t, s)
	for _, entity := range []string{"input", "push"} {
		assert.InDelta(t, 3, points["rtc.scrape.omitted.count{rtc.entity="+entity+",rtc.omission.reason=limit}"], 0)
	}
	assert.InDelta(t, maxParts, sumOf(points, "flussonic.stream.input.active"), 0)
	assert.InDelta(t, maxParts, sumOf(points, "flussonic.stream.push.state"), 0)
}

// A response without a valid list is an error, and no stream is considered removed.
func TestNoList(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                   "the answer has no member streams",
		`[]`:                   "the answer has no member streams",
		`{"error":"x"}`:        "the answer has no member streams",
		`{"streams":{}}`:       "the member streams is of a wrong type",
		`{"streams":"x"}`:      "the member streams is of a wrong type",
		`<html></html>`:        "an HTML page instead of the API's answer",
		`{"streams":[{"name":`: "unexpected EOF",
	} {
		s, _ := startScraper(t, listServer(t, fixedList(text)), func(c *Config) { onlyAPI(c); c.Streams.Expected = []string{"a"} })
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, want, text)
		points := rtctest.Points(t, metrics)
		assert.NotContains(t, points, countRunning, text)
		assert.Empty(t, ofStreams(points), text)
	}
}

// At the deadline, reading a slow list stops, and its first pages are kept.
func TestSlowList(t *testing.T) {
	url := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") != "" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte(`{"streams":[{"name":"a","stats":{"alive":true}}],"next":"c"}`))
	})
	s, _ := startScraper(t, url, onlyAPI)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	metrics, err := s.Scrape(ctx)
	require.ErrorContains(t, err, "no complete answer in time")
	checkTruncated(t, rtctest.Points(t, metrics))
}

// The responses of the vendor's mock server, which set every field, result in the expected values. They may not be copied, so the
// test is skipped without them.
func TestVendorMock(t *testing.T) {
	const folder = "../../../shared/testdata/flussonic/vendor-mock-23.10/"
	files := map[string]string{
		apiStats: "config_stats", apiCards: "dvb_cards", apiDVRs: "dvrs", apiFiles: "opened_files", apiPeers: "peers", apiSessions: "sessions",
	}
	url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		name := files[api]
		if api == apiStreams {
			name = map[string]string{"": "streams_first", "1": "streams_last"}[r.URL.Query().Get("cursor")]
		}
		http.ServeFile(w, r, folder+name+".json")
	})
	if _, err := os.Stat(folder); err != nil {
		t.Skip("requires published responses that may not be copied")
	}
	s, _ := startScraper(t, url, everythingOfAPI)
	points := scrapePoints(t, s)
	for point, want := range map[string]float64{
		"flussonic.cpu.utilization{}": 0.48, "flussonic.client.count{}": 2040, "flussonic.uptime{}": 4325502, "flussonic.start_time{}": 1639337825,
		"flussonic.network.throughput{network.io.direction=receive}":                                    50037500,
		"flussonic.stream.alive{flussonic.stream.name=mylive/bunny}":                                    1,
		"flussonic.stream.backup.active{flussonic.stream.name=mylive/bunny}":                            1,
		"flussonic.stream.client.count{flussonic.stream.name=mylive/bunny}":                             3,
		"flussonic.stream.io{flussonic.stream.name=mylive/bunny,network.io.direction=receive}":          2445568,
		"flussonic.stream.frame.age{flussonic.stream.name=mylive/bunny}":                                1.284,
		"flussonic.stream.throughput{flussonic.stream.name=mylive/bunny,network.io.direction=receive}":  23250,
		"flussonic.stream.throughput{flussonic.stream.name=mylive/bunny,network.io.direction=transmit}": 12.5,
	} {
		value, there := points[point]
		assert.True(t, there, point)
		assert.InDelta(t, want, value, 1e-9, point)
	}
	assert.NotContains(t, points, "flussonic.stream.dvr.depth{flussonic.stream.name=mylive/bunny}")
	assert.NotContains(t, points, "flussonic.stream.start_time{flussonic.stream.name=mylive/bunny}")
}
