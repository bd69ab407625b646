// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

func setOf(schemas ...int) (s schemaSet) {
	for _, i := range schemas {
		s |= 1 << i
	}
	return s
}

const (
	rtmpPush = metadata.AttributeZlmediakitOriginTypeRtmpPush
	rtspPush = metadata.AttributeZlmediakitOriginTypeRtspPush
	rtpPush  = metadata.AttributeZlmediakitOriginTypeRtpPush
	pull     = metadata.AttributeZlmediakitOriginTypePull
)

func TestBestSchemas(t *testing.T) {
	const rtsp, rtmp, ts, fmp4, hls = schemaRTSP, schemaRTMP, schemaTS, schemaFMP4, schemaHLS
	all := setOf(rtsp, rtmp, ts, fmp4, hls)
	for _, tt := range []struct {
		name    string
		streams map[profile]int
		want    schemaSet
	}{
		{"no streams", nil, 0},
		{"the native schema, though most streams have others", map[profile]int{{rtmpPush, rtmp, all, all}: 900}, setOf(rtmp)},
		{"the native schemas of several origins", map[profile]int{
			{rtmpPush, rtmp, all, all}: 900, {rtspPush, rtsp, all, all}: 10, {rtpPush, ts, all, all}: 10,
		}, setOf(rtmp, rtsp, ts)},
		{"pull proxies by the protocol of their source", map[profile]int{{pull, rtmp, all, all}: 900, {pull, rtsp, all, all}: 1}, setOf(rtmp, rtsp)},
		{"the native schema is on demand", map[profile]int{{rtpPush, ts, all, setOf(rtmp)}: 900}, setOf(rtmp)},
		{"the native schema shows half of the streams", map[profile]int{
			{rtpPush, ts, all, setOf(rtmp)}: 10, {rtpPush, ts, all, setOf(ts)}: 10,
		}, setOf(ts, rtmp)},
		{"the native schema shows less than half", map[profile]int{
			{rtpPush, ts, all, setOf(rtmp)}: 10, {rtpPush, ts, all, setOf(ts, rtmp)}: 9,
		}, setOf(rtmp)},
		{"streams that nothing shows do not count in the half", map[profile]int{
			{rtpPush, ts, all, setOf(ts)}: 1, {rtpPush, ts, all, 0}: 900,
		}, setOf(ts)},
		{"presence shows nothing", map[profile]int{
			{rtpPush, ts, all, setOf(rtmp)}: 1, {rtpPush, ts, setOf(rtsp, ts), 0}: 900,
		}, setOf(rtmp, ts)},
		{"the fewest schemas for the others", map[profile]int{
			{pull, schemaOther, all, setOf(hls, rtmp)}: 10, {pull, schemaOther, all, setOf(hls, ts)}: 10, {pull, schemaOther, all, setOf(ts)}: 1,
		}, setOf(hls, ts)},
		{"a silent stream that is listed already", map[profile]int{{rtmpPush, rtmp, all, all}: 1, {rtpPush, ts, all, 0}: 900}, setOf(rtmp)},
		{"a silent stream in its native schema", map[profile]int{{rtpPush, ts, all, 0}: 900}, setOf(ts)},
		{"a silent stream without it, in its first one", map[profile]int{{rtpPush, ts, setOf(rtmp, hls), 0}: 900}, setOf(rtmp)},
		{"the most frequent silent streams decide", map[profile]int{
			{rtpPush, ts, setOf(rtmp), 0}: 1, {pull, schemaOther, setOf(rtsp, rtmp), 0}: 2, {rtspPush, rtsp, setOf(rtmp, hls), 0}: 3,
		}, setOf(rtmp)},
		{"the native schema of the most frequent silent streams", map[profile]int{
			{rtspPush, rtsp, setOf(rtsp, rtmp), 0}: 5, {rtmpPush, rtmp, setOf(rtsp, rtmp), 0}: 1,
		}, setOf(rtsp)},
		{"the native schema of the others if they are more frequent", map[profile]int{
			{rtspPush, rtsp, setOf(rtsp, rtmp), 0}: 1, {rtmpPush, rtmp, setOf(rtsp, rtmp), 0}: 5,
		}, setOf(rtmp)},
		{"the first of their native schemas if they are equally frequent", map[profile]int{
			{rtspPush, rtsp, setOf(rtsp, rtmp), 0}: 5, {rtmpPush, rtmp, setOf(rtsp, rtmp), 0}: 5,
		}, setOf(rtsp)},
		{"a schema that has no name", map[profile]int{{rtmpPush, rtmp, all, all}: 900, {pull, schemaOther, setOf(schemaOther), 0}: 1}, allSchemas},
	} {
		for range 20 { // maps have no order
			assert.Equal(t, tt.want, bestSchemas(tt.streams), tt.name)
		}
	}
}

func auto() listing { return newListing(Schemas{schemasAuto}, 30*time.Second) }

// A chosen schema stays for 20 lists, even if other schemas are chosen in between. More than three are requested all at once.
func TestChosenSchemasStay(t *testing.T) {
	l := auto()
	by := func(schema int) map[profile]int {
		return map[profile]int{{pull, schemaOther, setOf(schemaRTSP, schemaRTMP, schemaTS, schemaFMP4, schemaHLS), setOf(schema)}: 101}
	}
	l.learn(by(schemaRTMP), false)
	require.Equal(t, setOf(schemaRTMP), l.chosen)
	again := func(schema int) {
		l.check = true
		l.learn(by(schema), false)
	}
	again(schemaHLS)
	assert.Equal(t, setOf(schemaRTMP, schemaHLS), l.chosen)
	again(schemaTS)
	assert.Equal(t, setOf(schemaRTMP, schemaHLS, schemaTS), l.chosen)
	again(schemaFMP4)
	assert.Equal(t, allSchemas, l.chosen)
	for range fullListEvery - 3 { // until the first choice expires
		assert.Equal(t, allSchemas, l.chosen)
		l.learn(by(schemaFMP4), false)
	}
	assert.Equal(t, setOf(schemaHLS, schemaTS, schemaFMP4), l.chosen)
	for range fullListEvery {
		assert.Equal(t, setOf(schemaHLS, schemaTS, schemaFMP4), l.chosen)
		l.learn(by(schemaFMP4), false)
	}
	l.learn(by(schemaFMP4), false)
	assert.Equal(t, setOf(schemaFMP4), l.chosen)
}

// A doubt requests one full list, and no other one within the next four lists.
func TestDoubts(t *testing.T) {
	streams := map[profile]int{{rtmpPush, schemaRTMP, allSchemas, setOf(schemaRTMP)}: 101}
	l := auto()
	l.learn(streams, false)
	var full []int
	for i := 1; i <= 14; i++ {
		if l.full() {
			full = append(full, i)
		}
		l.learn(streams, i >= 3)
	}
	assert.Equal(t, []int{4, 9, 14}, full)
}

// schemas: auto requests all schemas of a small server and those of the origins of a large one. The number of points stays the same
// when it requests all schemas again.
func TestAutoSchemas(t *testing.T) {
	for _, tt := range []struct {
		streams int
		want    []string
	}{{100, []string{"getMediaList"}}, {101, []string{"getMediaList?schema=rtsp", "getMediaList?schema=rtmp"}}} {
		server := startServer(t, zlmediakit.Options{Streams: tt.streams})
		s, _ := startScraper(t, server.URL(), func(c *Config) { c.MetricsBuilderConfig.Metrics.ZlmediakitMediaListInterval.Enabled = false })
		var sizes []int
		var lists [][]string
		for range 2 + fullListEvery {
			s.streams.listing.wait = 0
			before := len(server.Requests())
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			sizes = append(sizes, metrics.DataPointCount())
			var list []string
			for _, request := range server.Requests()[before:] {
				if strings.HasPrefix(request, "getMediaList") {
					list = append(list, request)
				}
			}
			lists = append(lists, list)
		}
		all := []string{"getMediaList"}
		assert.Equal(t, all, lists[0])
		assert.Equal(t, tt.want, lists[1])
		assert.Equal(t, tt.want, lists[fullListEvery])
		assert.Equal(t, all, lists[fullListEvery+1])
		assert.Equal(t, sizes[1], sizes[fullListEvery+1])
	}
}

// On a large server with schemas on demand, every stream in which media flows is alive in every list, and its input is known.
func TestOnDemandServer(t *testing.T) {
	began := time.Now()
	var age atomic.Int64
	now := func() time.Time { return began.Add(time.Duration(age.Load())) }
	server := startServer(t, zlmediakit.Options{Scene: "on_demand", Streams: 126, Now: now})
	s, _ := startScraper(t, server.URL(), nil)
	for i := range 2 * fullListEvery {
		s.streams.listing.wait = 0
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		points := rtctest.Points(t, metrics)
		require.InDelta(t, 126, sumOf(points, "zlmediakit.stream.alive"), 0, "list %d", i)
		for _, origin := range []string{"rtmp_push", "rtsp_push", "srt_push", "rtp_push", "pull"} {
			require.Positive(t, points["zlmediakit.ingest.throughput{zlmediakit.origin.type="+origin+"}"], "%s in list %d", origin, i)
		}
		age.Add(int64(30 * time.Second))
	}
}

// Pushed samples become stale in Prometheus after 5 minutes: lists are at most 4 minutes and 10 scrapes apart.
func TestSpacingIsBounded(t *testing.T) {
	for interval, want := range map[time.Duration]int{
		10 * time.Second: 10, 24 * time.Second: 10, 25 * time.Second: 9, time.Minute: 4, 90 * time.Second: 2, 4 * time.Minute: 1, time.Hour: 1,
	} {
		l := newListing(Schemas{schemasAll}, interval)
		l.took(time.Hour)
		assert.Equal(t, want, l.spacing, interval)
		for range 20 {
			l.failed()
		}
		assert.Equal(t, want, l.spacing, interval)
	}
}

// The first list of a large server has points only in native schemas, those of which most are reported later: the others would take much
// memory for one scrape. The first list of a small server has all.
func TestFirstList(t *testing.T) {
	for streams, want := range map[int][]int{100: {500, 500}, 101: {101, 101}, 1000: {1000, 1000}} {
		t.Run(strconv.Itoa(streams), func(t *testing.T) {
			s := newTestStreams(t, nil)
			var list []*mediaSource
			for i := range streams {
				for _, schema := range schemaNames[:5] {
					list = append(list, source(fmt.Sprint("v/a/", i), schema, 1, 1))
				}
			}
			var got []int
			for range want {
				all := slices.Clone(list)
				for i, m := range all {
					clone := *m
					all[i] = &clone // a source is valid only during the list
				}
				got = append(got, len(valuesOf(walkMetrics(t, s, all...), "zlmediakit.stream.io")))
			}
			assert.Equal(t, want, got)
		})
	}
}

// The age of the list has a point in every scrape after the first list, whether the scrape requests the list or not.
func TestMediaListAge(t *testing.T) {
	var failing atomic.Bool
	bodies := base(map[string]string{"getMediaList": `{"code":0}`})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		body := bodies[api]
		if api == "getMediaList" && failing.Load() {
			body = `{"code":-400,"msg":"broken"}`
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	s, _ := startScraper(t, server.URL, nil)
	for _, tt := range []struct {
		at       int64
		fails    bool
		isNotDue bool
		want     map[string]float64
	}{
		{at: 70, fails: true, want: map[string]float64{}},
		{at: 100, want: map[string]float64{"zlmediakit.media_list.age{}": 0}},
		{at: 130, isNotDue: true, want: map[string]float64{"zlmediakit.media_list.age{}": 30}},
		{at: 160, fails: true, want: map[string]float64{"zlmediakit.media_list.age{}": 60}},
		{at: 190, want: map[string]float64{"zlmediakit.media_list.age{}": 0}},
		{at: 220, want: map[string]float64{"zlmediakit.media_list.age{}": 0}},
	} {
		failing.Store(tt.fails)
		s.SetClock(func() time.Time { return time.Unix(tt.at, 0) })
		s.streams.listing.wait = 2 * int(rows.BoolToInt(tt.isNotDue))
		metrics, err := s.Scrape(t.Context())
		assert.Equal(t, tt.fails, err != nil)
		assert.Equal(t, tt.want, series(rtctest.Points(t, metrics), "zlmediakit.media_list.age"), "at %d", tt.at)
	}
}
