// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// ofServer returns the points of the server, without those of streams and of the scrape.
func ofServer(points map[string]float64) map[string]float64 {
	server := maps.Clone(points)
	maps.DeleteFunc(server, func(point string, _ float64) bool {
		return strings.HasPrefix(point, "rtc.") || strings.HasPrefix(point, "flussonic.stream.")
	})
	return server
}

// startStats starts a server with the given config/stats and an empty list.
func startStats(t *testing.T, stats string) string {
	t.Helper()
	return startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = w.Write([]byte(stats))
		case apiPath + apiStreams:
			_, _ = w.Write([]byte(`{"streams":[]}`))
		default:
			http.NotFound(w, r)
		}
	})
}

// Impossible values are skipped. Values at the limits are recorded.
func TestImplausibleValuesOfTheServer(t *testing.T) {
	for stats, want := range map[string]map[string]float64{
		`{"cpu_usage":1000,"memory_usage":1001,"scheduler_load":-1,"bandwidth_usage":1e300}`: {"flussonic.cpu.utilization{}": 10},
		`{"scheduler_load":1000}`: {"flussonic.scheduler.utilization{}": 10},
		`{"scheduler_load":1001,"cpu_usage":1001,"bandwidth_usage":1001}`: {},
		`{"uptime":3.2e9}`:                              {"flussonic.uptime{}": 3.2e9},
		`{"uptime":3.21e9}`:                             {},
		`{"uptime":-1}`:                                 {},
		`{"input_kbit":1e10,"output_kbit":1.1e10}`:      {"flussonic.network.throughput{network.io.direction=receive}": 1.25e12},
		`{"input_kbit":1e307,"output_kbit":-1e307}`:     {},
		`{"started_at":1e9}`:                            {"flussonic.start_time{}": 1e9},
		`{"started_at":1763000000000}`:                  {"flussonic.start_time{}": 1763000000},
		`{"started_at":0}`:                              {},
		`{"started_at":-1}`:                             {},
		`{"started_at":99999}`:                          {},
		`{"started_at":1e11}`:                           {},
		`{"started_at":1e14}`:                           {},
		`{"now":1763000000000,"started_at":1763000300}`: {"flussonic.start_time{}": 1763000300},
		`{"now":1763000000000,"started_at":1763000390}`: {},
		`{"total_clients":-1,"total_streams":9223372036854775807,"online_streams":1.5}`: {},
		`{"partitions":[{"path":"a","usage":-1,"io_util":1100,"total_mb":-1}]}`:         {},
		`{"partitions":[{"path":"a","usage":0,"total_mb":1e300}]}`:                      {"flussonic.disk.utilization{flussonic.disk.path=a}": 0},
		`{"transcoder_devices":[{"id":0,"gpu_temp":-51,"gpu_enc":-1,"gpu_dec":2000}]}`:  {},
		`{"transcoder_devices":[{"id":0,"memUsed":1001,"memTotal":100}]}`:               {},
		`{"transcoder_devices":[{"id":0,"gpu_temp":200}]}`:                              {"flussonic.gpu.temperature{flussonic.gpu.id=0,flussonic.gpu.name=}": 200},
		`{"transcoder_devices":[{"id":0,"gpu_temp":0,"memUsed":9,"memTotal":1e-320}]}`:  {"flussonic.gpu.temperature{flussonic.gpu.id=0,flussonic.gpu.name=}": 0},
	} {
		s, _ := startScraper(t, startStats(t, stats), everythingOfAPI)
		assert.Equal(t, want, ofServer(scrapePoints(t, s)), stats)
	}
}

// The server's clock advances with ours between two responses.
func TestServerClock(t *testing.T) {
	now := sceneTime
	s, _ := startScraper(t, startStats(t, `{"now":1763000000000}`), everythingOfAPI)
	s.SetClock(func() time.Time { return now })
	scrapePoints(t, s)
	now = now.Add(7 * time.Second)
	assert.InDelta(t, 1763000007000, s.scraper.server.clock.now(), 0)
}

func TestImplausibleValuesOfCardsAndArchives(t *testing.T) {
	server := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = w.Write([]byte(`{"total_clients":1}`))
		case apiPath + apiCards:
			_, _ = w.Write([]byte(`{"dvb_cards":[{"name":"a","stats":{"strength":1000,"snr":1000,"ber":1000}},{"name":"b","stats":{"strength":1001,"snr":1001,"ber":1001}}]}`))
		case apiPath + apiDVRs:
			_, _ = w.Write([]byte(`{"dvrs":[{"name":"a","stats":{"usage":1000},"disks":[{"path":"p","stats":{"io_usage":1000}},` +
				`{"path":"q","stats":{"io_usage":1001}}]},{"name":"b","stats":{"usage":1001}}]}`))
		default:
			http.NotFound(w, r)
		}
	})
	s, _ := startScraper(t, server, everythingOfAPI)
	points := scrapePoints(t, s)
	maps.DeleteFunc(points, func(point string, _ float64) bool {
		return !strings.HasPrefix(point, "flussonic.dvb.signal.") && !strings.HasPrefix(point, "flussonic.dvr.")
	})
	assert.Equal(t, map[string]float64{
		"flussonic.dvr.utilization{flussonic.dvr.name=a}":                              10,
		"flussonic.dvr.disk.io_utilization{flussonic.dvr.disk=p,flussonic.dvr.name=a}": 10,
		"flussonic.dvb.signal.strength{flussonic.dvb.card=a}":                          10, "flussonic.dvb.signal.snr{flussonic.dvb.card=a}": 10,
		"flussonic.dvb.signal.bit_error{flussonic.dvb.card=a}": 10,
	}, points)
}

func TestImplausibleValuesOfStreams(t *testing.T) {
	const name = "flussonic.stream.name=a}"
	for stats, want := range map[string]map[string]float64{
		`{"ts_delay":3.2e11}`:  {"flussonic.stream.frame.age{" + name: 3.2e8},
		`{"ts_delay":3.3e11}`:  {},
		`{"ts_delay":-1}`:      {},
		`{"lifetime":-1}`:      {},
		`{"lifetime":3.2e12}`:  {"flussonic.stream.uptime{" + name: 3.2e9},
		`{"lifetime":3.21e12}`: {},
		`{"dvr_info":{"depth":-1,"duration":3.3e9,"bytes":-1,"disk_size":0.5}}`: {},
		`{"input":{"error_rate":-60}}`:                                          {},
		`{"input":{"error_rate":60e9}}`:                                         {"flussonic.stream.input.error_rate{" + name: 1e9},
		`{"input":{"error_rate":61e9}}`:                                         {},
		`{"input":{"srt":{"rtt":-1}}}`:                                          {},
		`{"input":{"srt":{"rtt":3.3e11}}}`:                                      {},
		`{"input":{"num_sec_on_primary_input":3.3e9}}`:                          {},
		`{"input":{"num_sec_on_primary_input":-1}}`:                             {},
		`{"output_bandwidth":-8,"input_bitrate":-1}`:                            {},
		`{"out_bandwidth":1.1e10}`:                                              {},
		`{"out_bandwidth":1e306}`:                                               {},
		`{"start_running_at":1763600300000}`:                                    {"flussonic.stream.start_time{" + name: 1763600300}, // now is 1763600000
		`{"start_running_at":1763600390000}`:                                    {},
		`{"start_running_at":5}`:                                                {},
		`{"start_running_at":-1}`:                                               {},
		`{"last_dts_at":-1}`:                                                    {},
		`{"last_dts_at":5}`:                                                     {},
		`{"input":{"errors_x":-1}}`:                                             {},
		`{"push":[{"bytes":-1,"retries":1e300}]}`:                               {},
	} {
		s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":`+stats+`}]}`)), everythingOfAPI)
		got := ofStreams(scrapePoints(t, s))
		maps.DeleteFunc(got, func(point string, _ float64) bool { return strings.HasPrefix(point, "flussonic.stream.state{") })
		assert.Equal(t, want, got, stats)
	}
}

// A negative number of viewers of a file is not subtracted from those of other files.
func TestNegativeViewers(t *testing.T) {
	url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = w.Write([]byte(`{"uptime":1}`))
		case apiPath + apiFiles:
			_, _ = w.Write([]byte(`{"files":[{"prefix":"a","stats":{"client_count":7}},{"prefix":"a","stats":{"client_count":-5}},{"prefix":"b","stats":{"client_count":-1}}]}`))
		default:
			http.NotFound(w, r)
		}
	})
	s, _ := startScraper(t, url, everythingOfAPI)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "skipped values of a wrong type or range: client_count")
	points := ofServer(rtctest.Points(t, metrics))
	assert.Equal(t, map[string]float64{"flussonic.uptime{}": 1, "flussonic.vod.client.count{flussonic.vod.prefix=a}": 7}, points)
}

// Infinities, negative ages and impossible ratios on the page are skipped.
func TestImplausibleValuesOfThePage(t *testing.T) {
	page := `flussonic_clients 7
flussonic_cpu_usage +Inf
flussonic_memory_usage -1
flussonic_disk_usage{path="a"} 1001
flussonic_gpu_temp{gpu="0"} 1e9
flussonic_stream_client_delay{stream="a"} 3.3e11
flussonic_stream_bitrate{stream="a"} -Inf
flussonic_stream_dvr_info_depth{stream="a"} 1e300
flussonic_boot_time_seconds 12
`
	s, logs := startScraper(t, startPage(t, page, "text/plain"), onlyPage)
	for range 2 {
		points := scrapePoints(t, s)
		maps.DeleteFunc(points, func(point string, _ float64) bool { return strings.HasPrefix(point, "rtc.") })
		assert.Equal(t, map[string]float64{"flussonic.client.count{}": 7}, points)
	}
	var fields []string
	for _, entry := range logs.FilterMessageSnippet("an impossible value").All() {
		fields = append(fields, entry.ContextMap()["field"].(string))
	}
	assert.ElementsMatch(t, []string{
		"flussonic.cpu.utilization", "flussonic.memory.utilization", "flussonic.disk.utilization", "flussonic.gpu.temperature",
		"flussonic.stream.client.delay", "flussonic.stream.throughput", "flussonic.stream.dvr.depth", "flussonic.start_time",
	}, fields, "once each")
}

// Unknown states have an attribute value of their own. A state that the server does not report has no point.
func TestUnknownStates(t *testing.T) {
	states := func(points map[string]float64, metric string) (states []string) {
		for point, value := range points {
			if _, state, ok := strings.Cut(point, metric+".state="); ok && value == 1 {
				state, _, _ = strings.Cut(state, ",")
				states = append(states, strings.TrimSuffix(state, "}"))
			}
		}
		return states
	}
	for status, want := range map[string][]string{
		`"running"`: {"running"}, `"config_external_error"`: {"config_external_error"}, `"melted"`: {"unknown"}, `null`: nil, `""`: nil,
	} {
		s, _ := startScraper(t, startStats(t, `{"uptime":1,"streamer_status":`+status+`}`), onlyAPI)
		points := scrapePoints(t, s)
		assert.Equal(t, want, states(points, "{flussonic"), status)
		assert.InDelta(t, float64(len(want)), sumOf(points, "flussonic.state{"), 0, status)

		push := strings.Replace(status, "config_external_error", "starting", 1)
		s, _ = startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":{"push":[{"status":`+push+`}]}}]}`)), onlyAPI)
		got := states(scrapePoints(t, s), "flussonic.push")
		if len(want) > 0 && want[0] == "config_external_error" {
			want = []string{"starting"}
		}
		assert.Equal(t, want, got, push)
	}
}

// startsOf returns the start time of every monotonic sum of a stream or the server, keyed as points are.
func startsOf(t *testing.T, metrics pmetric.Metrics) map[string]pcommon.Timestamp {
	t.Helper()
	starts := map[string]pcommon.Timestamp{}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Type() != pmetric.MetricTypeSum || !m.Sum().IsMonotonic() {
			continue
		}
		for _, dp := range m.Sum().DataPoints().All() {
			key := m.Name()
			for _, attribute := range []string{"flussonic.stream.name", "network.interface.name", "network.io.direction", "error.type", "flussonic.dvr.operation"} {
				if v, ok := dp.Attributes().Get(attribute); ok {
					key += " " + v.Str()
				}
			}
			starts[key] = dp.StartTimestamp()
			assert.LessOrEqual(t, dp.StartTimestamp(), dp.Timestamp(), key)
		}
	}
	return starts
}

// scrapeSteps scrapes once a minute and returns the times of the scrapes and the start times of the sums.
func scrapeSteps(t *testing.T, s *system, steps int, set func(step int)) (times []pcommon.Timestamp, starts []map[string]pcommon.Timestamp) {
	t.Helper()
	first := time.Now()
	for step := range steps {
		set(step)
		now := first.Add(time.Duration(step) * time.Minute)
		s.SetClock(func() time.Time { return now })
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		times = append(times, pcommon.NewTimestampFromTime(now))
		starts = append(starts, startsOf(t, metrics))
	}
	return times, starts
}

// A counter that falls gets a new start time, independently of the stream's other counters. A time of the server is not used if it is
// before the last value.
func TestStartsAfterFalls(t *testing.T) {
	const told = 1763590000
	opened := pcommon.NewTimestampFromTime(time.Unix(told, 0))
	rows := []string{
		`{"opened_at":1763590000000,"bytes_out":100,"input":{"bytes":100,"errors_x":5,"errors_y":5}}`,
		`{"opened_at":1763590000000,"bytes_out":200,"input":{"bytes":50,"errors_x":4,"errors_y":6}}`,
		`{"opened_at":1763590000000,"bytes_out":300,"input":{"bytes":60,"errors_x":5,"errors_y":7}}`,
		`{"opened_at":1763599000000,"bytes_out":0,"input":{"bytes":0,"errors_x":0,"errors_y":0}}`,
	}
	var list atomic.Value
	url := listServer(t, func(w http.ResponseWriter, _ *http.Request) {
		row := list.Load().(string)
		_, _ = fmt.Fprintf(w, `{"streams":[{"name":"told","stats":%s},{"name":"untold","stats":%s},{"name":"wrong","stats":%s}]}`,
			row, strings.ReplaceAll(row, "opened_at", "x"), strings.ReplaceAll(row, `"opened_at":1`, `"opened_at":9`))
	})
	s, _ := startScraper(t, url, func(c *Config) {
		onlyAPI(c)
		c.MetricsBuilderConfig.Metrics.FlussonicStreamInputErrorsByType.Enabled = true
	})
	times, starts := scrapeSteps(t, s, len(rows), func(step int) { list.Store(rows[step]) })
	for counter, want := range map[string][]pcommon.Timestamp{
		"flussonic.stream.io told transmit":            {opened, opened, opened, times[2]},
		"flussonic.stream.io told receive":             {opened, times[0], times[0], times[2]},
		"flussonic.stream.input.errors_by_type told x": {opened, times[0], times[0], times[2]},
		"flussonic.stream.input.errors_by_type told y": {opened, opened, opened, times[2]},
		"flussonic.stream.io untold transmit":          {times[0], times[0], times[0], times[2]},
		"flussonic.stream.io untold receive":           {times[0], times[0], times[0], times[2]},
		"flussonic.stream.io wrong transmit":           {times[0], times[0], times[0], times[2]},
	} {
		for step, start := range want {
			assert.Equal(t, start, starts[step][counter], "%s, step %d", counter, step)
		}
	}
}

// A push that does not report its start time starts with its stream.
func TestStartsOfPushes(t *testing.T) {
	url := listServer(t, fixedList(`{"streams":[
		{"name":"a","stats":{"opened_at":1763590000000,"push":[{"bytes":1,"opened_at":1763591000000}]}},
		{"name":"b","stats":{"opened_at":1763590000000,"push":[{"bytes":1,"opened_at":null}]}},
		{"name":"c","pushes":[{"stats":{"bytes":1,"opened_at":1763591000}}],"stats":{"opened_at":1763590000000}}]}`))
	s, _ := startScraper(t, url, func(c *Config) { onlyAPI(c); c.MetricsBuilderConfig.Metrics.FlussonicStreamPushIo.Enabled = true })
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	stream, push := pcommon.NewTimestampFromTime(time.Unix(1763590000, 0)), pcommon.NewTimestampFromTime(time.Unix(1763591000, 0))
	assert.Equal(t, map[string]pcommon.Timestamp{
		"flussonic.stream.push.io a": push, "flussonic.stream.push.io b": stream, "flussonic.stream.push.io c": push,
	}, startsOf(t, metrics))
}

// The page reports no start time except that of the server.
func TestStartsOfThePage(t *testing.T) {
	pages := []string{
		"flussonic_boot_time_seconds 1763000000\nflussonic_net_input_bytes{interface=\"eth0\"} 100\nflussonic_stream_bytes_in{stream=\"a\"} 100\n",
		"flussonic_boot_time_seconds 1763000000\nflussonic_net_input_bytes{interface=\"eth0\"} 50\nflussonic_stream_bytes_in{stream=\"a\"} 150\n",
		"flussonic_boot_time_seconds 1763000000\nflussonic_net_input_bytes{interface=\"eth0\"} 60\nflussonic_stream_bytes_in{stream=\"a\"} 10\n",
	}
	var page atomic.Value
	s, _ := startScraper(t, startHandler(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page.Load().(string))) }), onlyPage)
	times, starts := scrapeSteps(t, s, len(pages), func(step int) { page.Store(pages[step]) })
	booted := pcommon.NewTimestampFromTime(time.Unix(1763000000, 0))
	for counter, want := range map[string][]pcommon.Timestamp{
		"flussonic.network.io eth0 receive": {booted, times[0], times[0]},
		"flussonic.stream.io a receive":     {times[0], times[0], times[1]},
	} {
		for step, start := range want {
			assert.Equal(t, start, starts[step][counter], "%s, step %d", counter, step)
		}
	}
}

// Counters of the server and its archives that fall while it runs get a new start time.
func TestStartsOfTheServer(t *testing.T) {
	var n atomic.Int64
	url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStats:
			_, _ = fmt.Fprintf(w, `{"started_at":1763000000,"events":{"dropped_events":%d,"resent_events":1}}`, n.Load())
		case apiPath + apiDVRs:
			_, _ = fmt.Fprintf(w, `{"dvrs":[{"name":"d","stats":{"errors":{"write_errors":%d,"read_errors":1}}}]}`, n.Load())
		default:
			http.NotFound(w, r)
		}
	})
	s, _ := startScraper(t, url, everythingOfAPI)
	times, starts := scrapeSteps(t, s, 2, func(step int) { n.Store(int64(5 - step)) })
	started := pcommon.NewTimestampFromTime(time.Unix(1763000000, 0))
	for counter, want := range map[string]pcommon.Timestamp{
		"flussonic.event.drops": times[0], "flussonic.event.resends": started,
		"flussonic.dvr.errors write": times[0], "flussonic.dvr.errors read": started,
	} {
		assert.Equal(t, started, starts[0][counter], counter)
		assert.Equal(t, want, starts[1][counter], counter)
	}
}

// A stream that is listed without stats is not alive. A stream whose stats do not report alive has no such point.
func TestListedWithoutStats(t *testing.T) {
	list := `{"streams":[{"name":"absent"},{"name":"null","stats":null},{"name":"empty","stats":{}},{"name":"off","disabled":true}]}`
	s, _ := startScraper(t, listServer(t, fixedList(list)), func(c *Config) { onlyAPI(c); c.Streams.Expected = []string{"null"} })
	assert.Equal(t, map[string]float64{aliveOf("absent"): 0, aliveOf("null"): 0}, ofStreams(scrapePoints(t, s)))
}

// Expected names that are equal, also after truncation, result in one stream.
func TestExpectedTwice(t *testing.T) {
	long := strings.Repeat("x", 256)
	list := `{"streams":[{"name":"off","disabled":true},{"name":"on","stats":{"alive":true}}]}`
	s, _ := startScraper(t, listServer(t, fixedList(list)), func(c *Config) {
		onlyAPI(c)
		c.Streams.Expected = []string{"gone", "off", "on", "gone", "off", "on", long + "1", long + "2"}
	})
	assert.Equal(t, map[string]float64{aliveOf("gone"): 0, aliveOf("off"): 0, aliveOf("on"): 1, aliveOf(long): 0}, ofStreams(scrapePoints(t, s)))
}

// The numbers of streams and devices that are kept of a page are bounded.
func TestPageOfTooManyNames(t *testing.T) {
	var page strings.Builder
	for i := range maxItems + 1000 {
		fmt.Fprintf(&page, "flussonic_stream_bytes_in{stream=\"s%d\"} 1\n", i)
	}
	for i := range maxDevices + 1000 {
		fmt.Fprintf(&page, "flussonic_gpu_temp{gpu=\"g%d\"} 50\nflussonic_gpu_temp{gpu=\"g%[1]d\"} 60\n", i)
	}
	s, _ := startScraper(t, startPage(t, page.String(), "text/plain"), func(c *Config) {
		onlyPage(c)
		c.ClientConfig.Timeout = plenty // the race detector makes the page slow to read
		c.Streams.Limit = 10
		c.Streams.Expected = []string{"gone"}
	})
	points := scrapePoints(t, s)
	assert.Len(t, s.scraper.streams.items.Items(), maxItems)
	assert.InDelta(t, 10, sumOf(points, "flussonic.stream.io"), 0)
	assert.InDelta(t, maxItems-10, points[omittedLimit], 0)
	assert.InDelta(t, 1, points[omittedTruncated], 0)
	assert.NotContains(t, points, aliveOf("gone"), "it may be among those that were not read")
	assert.InDelta(t, 50*maxDevices, sumOf(points, "flussonic.gpu.temperature"), 0)
}

// A page with malformed lines is incomplete: no stream is reported as missing.
func TestPageWithBadLinesProvesNothing(t *testing.T) {
	page := "flussonic_stream_bytes_in{stream=\"a\"} 1\nflussonic_stream_bytes_in{stream=\"b\"} undefined\n"
	s, _ := startScraper(t, startPage(t, page, "text/plain"), func(c *Config) { onlyPage(c); c.Streams.Expected = []string{"b"} })
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "lines that cannot be parsed")
	points := rtctest.Points(t, metrics)
	assert.NotContains(t, points, aliveOf("b"))
	assert.InDelta(t, 1, points[omittedTruncated], 0)
}

// Malformed lines of the page do not affect a list that was read completely.
func TestBadPageBesideAList(t *testing.T) {
	url := startHandler(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPath + apiStreams:
			_, _ = w.Write([]byte(`{"streams":[{"name":"a","stats":{"alive":true}}]}`))
		case apiPath + apiStats:
			_, _ = w.Write([]byte(`{"uptime":1}`))
		case apiPage:
			_, _ = w.Write([]byte("flussonic_stream_bytes_in{stream=\"a\"} 1\nflussonic_stream_bytes_in{stream=\"b\"} undefined\n"))
		default:
			http.NotFound(w, r)
		}
	})
	s, _ := startScraper(t, url, func(c *Config) { c.Streams.Expected = []string{"gone"} })
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "lines that cannot be parsed")
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 0, points[omittedTruncated], 0)
	assert.Contains(t, points, aliveOf("gone"))
	assert.InDelta(t, 1, points["flussonic.stream.io{flussonic.stream.name=a,network.io.direction=receive}"], 0)
}

// If old and new fields describe the same input or push, the new field takes precedence, value by value.
func TestPlacesOfParts(t *testing.T) {
	list := `{"streams":[{"name":"a",
		"inputs":[{"stats":{"active":true}},{"stats":{"active":true}},{"stats":{"active":false}}],
		"pushes":[{"stats":{"status":"error","bytes":1,"retries":7}},{"stats":{"status":"retry","bytes":2}}],
		"stats":{"inputs":[{"active":false},{}],"push":[{"status":"running","bytes":3,"pusher_restarts":null}]}},
		{"name":"b","stats":{"push":[{"pusher_restarts":4,"retries":5}]}}]}`
	s, _ := startScraper(t, listServer(t, fixedList(list)), everythingOfAPI)
	points := scrapePoints(t, s)
	input := func(i int) string {
		return fmt.Sprintf("flussonic.stream.input.active{flussonic.input.index=%d,flussonic.stream.name=a}", i)
	}
	push := func(metric, stream string, i int) string {
		return fmt.Sprintf("flussonic.stream.push.%s{flussonic.push.index=%d,flussonic.stream.name=%s}", metric, i, stream)
	}
	state := func(i int, state string) string {
		return fmt.Sprintf("flussonic.stream.push.state{flussonic.push.index=%d,flussonic.push.state=%s,flussonic.stream.name=a}", i, state)
	}
	for point, want := range map[string]float64{
		input(0): 0, input(1): 1, input(2): 0,
		state(0, "running"): 1, state(0, "error"): 0, state(1, "retry"): 1,
		push("io", "a", 0): 3, push("io", "a", 1): 2, push("retries", "a", 0): 7, push("retries", "b", 0): 4,
	} {
		value, there := points[point]
		assert.True(t, there, point)
		assert.InDelta(t, want, value, 0, point)
	}
	assert.NotContains(t, points, input(3))
}

// Sums over packet identifiers include those without a number. Negative numbers of errors are an error of the server.
func TestPacketIdentifiers(t *testing.T) {
	const sums, byPID = "flussonic.stream.input.mpegts.errors{", "flussonic.stream.input.mpegts.errors_by_pid{"
	s, _ := startScraper(t, listServer(t, fixedList(`{"streams":[{"name":"a","stats":{"input":{"pids":[
		{"errors_ts_cc":5,"pid":256},{"pid":256,"errors_ts_cc":6},{"pid":null,"errors_ts_cc":7},{"pid":1.5,"errors_ts_cc":1},
		{"pid":257,"errors_ts_cc":-1,"errors_pid_lost":2}]}}}]}`)), everythingOfAPI)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "wrong type")
	points := rtctest.Points(t, metrics)
	maps.DeleteFunc(points, func(point string, _ float64) bool { return !strings.HasPrefix(point, "flussonic.stream.input.mpegts.") })
	assert.Equal(t, map[string]float64{
		sums + "error.type=continuity,flussonic.stream.name=a}":                           19,
		byPID + "error.type=continuity,flussonic.mpegts.pid=256,flussonic.stream.name=a}": 5,
		byPID + "error.type=pid_lost,flussonic.mpegts.pid=257,flussonic.stream.name=a}":   2,
	}, points)
}
