// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// walkList records one complete media list with the given sources and returns the points.
func walkList(t *testing.T, s *recordingSystem, sources ...*mediaSource) map[string]float64 {
	t.Helper()
	return rtctest.Points(t, walkMetrics(t, s, sources...))
}

// valuesOf returns the values of all points of a metric.
func valuesOf(metrics pmetric.Metrics, name string) (values []float64) {
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == name {
			for _, dp := range rtctest.NumberPoints(m).All() {
				values = append(values, float64(dp.IntValue())+dp.DoubleValue())
			}
		}
	}
	return values
}

// walkMetrics is walkList, but returns the metrics.
func walkMetrics(t *testing.T, s *recordingSystem, sources ...*mediaSource) pmetric.Metrics {
	t.Helper()
	return walkAt(t, s, 1800000000, sources...)
}

// walkAt is walkMetrics at a Unix time.
func walkAt(t *testing.T, s *recordingSystem, at int64, sources ...*mediaSource) pmetric.Metrics {
	t.Helper()
	return s.recordAt(t, at, func() {
		l := s.streams.beginList()
		for _, m := range sources {
			l.add(m)
		}
		s.streams.complete = true
		l.end()
		l.finish()
	})
}

func newTestStreams(t *testing.T, edit func(*StreamsConfig)) *recordingSystem {
	t.Helper()
	return newTestScraper(t, func(c *Config) {
		if edit != nil {
			edit(&c.Streams)
		}
	})
}

// source returns a media source named vhost/app/stream.
func source(name, schema string, speed, total int64) *mediaSource {
	parts := strings.SplitN(name, "/", 3)
	return &mediaSource{
		Vhost: []byte(parts[0]), App: []byte(parts[1]), Stream: []byte(parts[2]), Schema: []byte(schema),
		OriginType: []byte("rtmp_push"), BytesSpeed: optional.Of(speed), TotalBytes: optional.Of(total),
	}
}

func alive(name string) string {
	parts := strings.SplitN(name, "/", 3)
	return fmt.Sprintf("zlmediakit.stream.alive{zlmediakit.app=%s,zlmediakit.stream.name=%s,zlmediakit.vhost=%s}", parts[1], parts[2], parts[0])
}

const (
	merged  = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=merged}"
	limited = "rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=limit}"
)

// A stream is alive if media flows in any of its schemas, because it does not flow in schemas on demand without readers.
func TestAlive(t *testing.T) {
	s := newTestStreams(t, nil)
	got := walkList(t, s, source("v/a/one", "rtsp", 0, 100), source("v/a/one", "hls", 7, 100), source("v/a/two", "rtsp", 0, 100), source("v/a/two", "hls", 0, 100))
	assert.InDelta(t, 1, got[alive("v/a/one")], 0)
	assert.InDelta(t, 0, got[alive("v/a/two")], 0)

	// Speed 0, but more bytes than last time.
	got = walkList(t, s, source("v/a/one", "rtsp", 0, 100), source("v/a/one", "hls", 0, 100), source("v/a/two", "rtsp", 0, 101), source("v/a/two", "hls", 0, 100))
	assert.InDelta(t, 0, got[alive("v/a/one")], 0)
	assert.InDelta(t, 1, got[alive("v/a/two")], 0)

	// Fewer bytes mean a new registration, not growth.
	got = walkList(t, s, source("v/a/two", "rtsp", 0, 50))
	assert.InDelta(t, 0, got[alive("v/a/two")], 0)
}

func TestExpected(t *testing.T) {
	s := newTestStreams(t, func(c *StreamsConfig) {
		c.Expected = []string{"v/a/one", "v/a/two", "v/a/with/slash"}
		c.Exclude = []filter.Config{{Strict: "v/a/one"}}
		c.Limit = 1
	})
	got := walkList(t, s, source("v/a/other", "rtsp", 1, 1), source("v/a/one", "rtsp", 1, 1))
	assert.Contains(t, got, alive("v/a/other"))
	assert.InDelta(t, 1, got[alive("v/a/one")], 0, "an expected stream is shown whatever else the configuration says")
	assert.Contains(t, got, alive("v/a/two"))
	assert.InDelta(t, 0, got[alive("v/a/two")], 0)
	assert.Contains(t, got, "zlmediakit.stream.alive{zlmediakit.app=a,zlmediakit.stream.name=with/slash,zlmediakit.vhost=v}")
}

func TestSelection(t *testing.T) {
	s := newTestStreams(t, func(c *StreamsConfig) {
		c.Include = []filter.Config{{Regex: "^v/live/"}}
		c.Exclude = []filter.Config{{Strict: "v/live/test"}}
		c.Limit = 2
	})
	got := walkList(t, s, source("v/live/1", "rtsp", 1, 1), source("v/live/test", "rtsp", 1, 1), source("v/vod/1", "rtsp", 1, 1),
		source("v/live/2", "rtsp", 1, 1), source("v/live/3", "rtsp", 1, 1), source("v/live/3", "hls", 1, 1))
	assert.Contains(t, got, alive("v/live/1"))
	assert.Contains(t, got, alive("v/live/2"))
	assert.NotContains(t, got, alive("v/live/3"))
	assert.NotContains(t, got, alive("v/live/test"))
	assert.NotContains(t, got, alive("v/vod/1"))
	assert.InDelta(t, 1, got[limited], 0)
	assert.InDelta(t, 4, got["zlmediakit.stream.count{zlmediakit.app=live,zlmediakit.origin.type=rtmp_push,zlmediakit.vhost=v}"], 0, "sums cover all streams")

	// The first streams stay, whatever the order. If one ends, another takes its place.
	got = walkList(t, s, source("v/live/3", "rtsp", 1, 1), source("v/live/2", "rtsp", 1, 1), source("v/live/1", "rtsp", 1, 1))
	assert.NotContains(t, got, alive("v/live/3"))
	got = walkList(t, s, source("v/live/3", "rtsp", 1, 1), source("v/live/2", "rtsp", 1, 1))
	assert.Contains(t, got, alive("v/live/3"))
	assert.InDelta(t, 0, got[limited], 0)
}

// What fits is never omitted: streams that are gone give their places to new ones at once, with all that those have.
func TestReplacedStreams(t *testing.T) {
	list := func(prefix string, n int) string {
		var all []string
		for i := range n {
			for _, schema := range []string{"rtmp", "rtsp"} {
				all = append(all, fmt.Sprintf(`{"vhost":"v","app":"a","stream":"%s%d","schema":"%s","originTypeStr":"rtmp_push","totalBytes":%d,"aliveSecond":7,
					"tracks":[{"codec_type":0,"codec_id_name":"H264","frames":%d}]}`, prefix, i, schema, i, 10*i))
			}
		}
		return `{"code":0,"data":[` + strings.Join(all, ",") + `]}`
	}
	bodies := base(nil)
	var current atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		if api == "getMediaList" {
			_, _ = w.Write([]byte(*current.Load()))
			return
		}
		_, _ = w.Write([]byte(bodies[api]))
	}))
	defer server.Close()
	s, _ := startScraper(t, server.URL, func(c *Config) { c.Streams.Limit = 25 })
	var want map[string]float64
	for _, prefix := range []string{"old", "new", "newer"} {
		body := list(prefix, 20)
		current.Store(&body)
		s.streams.listing.wait = 0
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		got := map[string]float64{}
		for point, v := range rtctest.Points(t, metrics) {
			if strings.Contains(point, "zlmediakit.stream.name=") || point == limited {
				got[strings.ReplaceAll(point, "zlmediakit.stream.name="+prefix, "zlmediakit.stream.name=")] = v
			}
		}
		if want == nil {
			want = got
			require.Greater(t, len(want), 20*5)
		}
		assert.Equal(t, want, got, prefix)
	}
}

// If the server prints the names of two streams alike, the first one is used.
func TestMergedNames(t *testing.T) {
	s := newTestStreams(t, nil)
	got := walkList(t, s,
		source("v/a/\u0263", "rtsp", 1, 10), source("v/a/\u0263", "rtsp", 2, 20),
		source("v/a/\u0263", "hls", 3, 30), source("v/a/\u0263", "hls", 4, 40),
		source("v/a/"+strings.Repeat("x", 300)+"1", "rtsp", 5, 50), source("v/a/"+strings.Repeat("x", 300)+"2", "rtsp", 6, 60))
	assert.InDelta(t, 2, got[merged], 0)
	assert.InDelta(t, 10, got["zlmediakit.stream.io{zlmediakit.app=a,zlmediakit.schema=rtsp,zlmediakit.stream.name=\u0263,zlmediakit.vhost=v}"], 0)
	assert.InDelta(t, 30, got["zlmediakit.stream.io{zlmediakit.app=a,zlmediakit.schema=hls,zlmediakit.stream.name=\u0263,zlmediakit.vhost=v}"], 0)
}

// App a/b with stream c and app a with stream b/c are different streams.
func TestSlashesInNames(t *testing.T) {
	s := newTestStreams(t, nil)
	first, second := source("v/a/b/c", "rtsp", 1, 1), source("v/a/c", "rtsp", 1, 1)
	second.App = []byte("a/b")
	got := walkList(t, s, first, second)
	assert.InDelta(t, 0, got[merged], 0)
	assert.Contains(t, got, "zlmediakit.stream.alive{zlmediakit.app=a,zlmediakit.stream.name=b/c,zlmediakit.vhost=v}")
	assert.Contains(t, got, "zlmediakit.stream.alive{zlmediakit.app=a/b,zlmediakit.stream.name=c,zlmediakit.vhost=v}")
}

// The sums of a track start at the earliest registration of the stream's schemas, whatever the order of the list.
func TestTrackStart(t *testing.T) {
	s := newTestStreams(t, nil)
	registered := func(schema string, stamp, video, audio int64) *mediaSource {
		m := source("v/a/s", schema, 7, 10)
		m.CreateStamp = optional.Of(stamp)
		m.reader, m.tracks = jsonwalk.NewReader(), fmt.Appendf(nil, `[{"codec_type":1,"frames":%d},{"codec_type":0,"frames":%d}]`, audio, video)
		return m
	}
	for _, tt := range []struct {
		name         string
		at           int64
		sources      []*mediaSource
		audio, video int64
	}{
		{"first", 1000, []*mediaSource{registered("rtsp", 903, 50, 90), registered("rtmp", 900, 50, 90), registered("hls", 904, 50, 90)}, 900, 900},
		{"another order", 1030, []*mediaSource{registered("hls", 904, 60, 99), registered("rtsp", 903, 60, 99), registered("rtmp", 900, 60, 99)}, 900, 900},
		{"without the first one", 1060, []*mediaSource{registered("hls", 904, 60, 99)}, 900, 900},
		{"the clock of the server was set a little", 1090, []*mediaSource{registered("rtmp", 895, 60, 99)}, 900, 900},
		{"one track began anew", 1120, []*mediaSource{registered("rtmp", 900, 3, 100)}, 900, 1090},
		{"and goes on", 1150, []*mediaSource{registered("rtmp", 900, 4, 101)}, 900, 1090},
		{"registered anew, with more frames than before", 1180, []*mediaSource{registered("hls", 1172, 400, 401), registered("rtmp", 1170, 400, 401)}, 1170, 1170},
		{"the server's clock is ahead", 1210, []*mediaSource{registered("rtmp", 1<<62, 500, 501)}, 1210, 1210},
	} {
		metrics := walkAt(t, s, tt.at, tt.sources...)
		assert.Equal(t, []int64{tt.audio, tt.video}, startsOf(metrics, "zlmediakit.stream.track.frames"), tt.name)
	}
}

// startsOf returns the start times of all points of a sum, in Unix seconds.
func startsOf(metrics pmetric.Metrics, name string) (starts []int64) {
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == name {
			for _, dp := range m.Sum().DataPoints().All() {
				starts = append(starts, dp.StartTimestamp().AsTime().Unix())
			}
		}
	}
	return starts
}

// A truncated list has start times, too.
func TestTrackStartOfAnIncompleteList(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Streams: 50})
	s, _ := startScraper(t, server.URL(), nil)
	require.NoError(t, server.SetFault("cut_body", "getMediaList"))
	metrics, err := s.Scrape(t.Context())
	require.Error(t, err)
	starts := startsOf(metrics, "zlmediakit.stream.track.frames")
	require.NotEmpty(t, starts)
	for _, start := range starts {
		assert.InDelta(t, float64(time.Now().Unix()-89), float64(start), 30) // the age of the captured streams
	}
}

func TestInvalidUTF8(t *testing.T) {
	got := walkList(t, newTestStreams(t, nil), source("v/a/\xff\xfe", "rtsp", 1, 1))
	assert.Contains(t, got, alive("v/a/\uFFFD"))
}

func TestIngest(t *testing.T) {
	for _, tt := range []struct {
		origin, url string
		speeds      map[string]int64
		want        float64
	}{
		{"rtmp_push", "", map[string]int64{"rtmp": 10, "hls": 12}, 10},
		{"rtmp_push", "", map[string]int64{"rtmp": 0, "hls": 12}, 12}, // on demand, without readers
		{"srt_push", "", map[string]int64{"rtmp": 10, "ts": 11}, 11},
		{"pull", "rtsp://user:pass@10.0.0.1/x", map[string]int64{"rtsp": 9, "rtmp": 10}, 9},
		{"pull", "https://10.0.0.1/x.flv", map[string]int64{"rtsp": 9, "rtmp": 10}, 10},
		{"device_chn", "", map[string]int64{"rtsp": 9, "rtmp": 10}, 10},
		{"carrier_pigeon", "", map[string]int64{"rtsp": 9}, 9},
	} {
		var sources []*mediaSource
		for schema, speed := range tt.speeds {
			m := source("v/a/s", schema, speed, 1)
			m.OriginType, m.OriginURL = []byte(tt.origin), []byte(tt.url)
			sources = append(sources, m)
		}
		origin := tt.origin
		if origin == "carrier_pigeon" {
			origin = "unknown"
		}
		got := walkList(t, newTestStreams(t, nil), sources...)
		assert.InDelta(t, tt.want, got["zlmediakit.ingest.throughput{zlmediakit.origin.type="+origin+"}"], 0, tt.origin+" "+tt.url)
	}
}

// A truncated list gives the points of the streams it contains, but no sums, which would be too low.
func TestIncompleteList(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Streams: 50})
	s, _ := startScraper(t, server.URL(), func(c *Config) { c.Streams.Expected = []string{"v/a/missing"} })
	require.NoError(t, server.SetFault("cut_body", "getMediaList"))
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "getMediaList of "+server.URL()+": cannot be decoded")
	points := rtctest.Points(t, metrics)
	names := map[string]int{}
	for point := range points {
		name, _, _ := strings.Cut(point, "{")
		names[name]++
	}
	assert.Positive(t, names["zlmediakit.stream.io"])
	for _, name := range []string{"zlmediakit.stream.count", "zlmediakit.stream.alive", "zlmediakit.media_source.count", "zlmediakit.egress.throughput", "zlmediakit.stream.recording.count", "zlmediakit.rtp_server.idle.count"} {
		assert.Zero(t, names[name], name)
	}
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.NotContains(t, points, limited)
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=stream,rtc.omission.reason=truncated}"], 0)
}

// The list is requested so rarely that it takes at most half a second per interval on average.
func TestSpacing(t *testing.T) {
	for _, tt := range []struct {
		took time.Duration
		want int
	}{
		{time.Millisecond, 1},
		{500 * time.Millisecond, 1},
		{501 * time.Millisecond, 2},
		{1600 * time.Millisecond, 4},
		{time.Minute, 8}, // 4 minutes
	} {
		l := newListing(Schemas{schemasAll}, 30*time.Second)
		require.True(t, l.due())
		l.took(tt.took)
		scrapes := 1
		for l.beginScrape(); !l.due(); l.beginScrape() {
			scrapes++
		}
		assert.Equal(t, tt.want, scrapes, tt.took)
		assert.Equal(t, tt.want, l.spacing, tt.took)
	}
}

// A failed list is requested again in the next scrape, and then less and less often.
func TestSpacingAfterFailures(t *testing.T) {
	l := newListing(Schemas{schemasAll}, 30*time.Second)
	l.took(time.Millisecond)
	var spacings []int
	for range 12 {
		l.failed()
		spacings = append(spacings, l.spacing)
	}
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8}, spacings)
	l.took(time.Millisecond)
	assert.Equal(t, 1, l.spacing)
}

// After a list that hung once, the next scrape has a complete list.
func TestListRecovers(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Streams: 20})
	s, _ := startScraper(t, server.URL(), nil)
	require.NoError(t, server.SetFault("hang", "getMediaList"))
	_, err := scrapeInTime(t, s, 2*time.Second)
	require.ErrorContains(t, err, "getMediaList of ")
	require.NoError(t, server.SetFault(""))
	checkRecovery(t, s)
}

func TestSpacingIsShown(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Scene: "idle"})
	s, _ := startScraper(t, server.URL(), nil)
	s.streams.listing.took(1200 * time.Millisecond)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, server.Requests(), "getMediaList")
	assert.InDelta(t, 90, rtctest.Points(t, metrics)["zlmediakit.media_list.interval{}"], 0)
}

// The limit is logged once, when streams are first omitted.
func TestLimitIsLogged(t *testing.T) {
	server := startServer(t, zlmediakit.Options{})
	s, logs := startScraper(t, server.URL(), func(c *Config) { c.Streams.Limit = 3 })
	for range 3 {
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
	}
	entries := logs.FilterMessageSnippet("streams::limit").FilterField(zap.String("entity", metadata.AttributeRtcEntityStream.String())).All()
	require.Len(t, entries, 1)
	assert.EqualValues(t, 8+6, entries[0].ContextMap()["omitted"], "streams, and groups by origin and app")
}
