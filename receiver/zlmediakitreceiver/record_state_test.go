// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// sourceRow is a media source of the stream v/a/s, in one list.
type sourceRow struct {
	schema       string
	speed, total int64
	frames       int64 // of its only track; no track if 0
	readers      int64
}

const none = -1 // stream.alive has no point

func TestAliveByState(t *testing.T) {
	const cam = "v/a/s"
	everything := allSchemas &^ (1 << schemaOther)
	direct := setOf(schemaRTSP, schemaRTMP)
	defaults := &serverConfig{Direct: direct}
	onDemand := &serverConfig{OnDemand: everything, Direct: direct}
	madeRTMP := &serverConfig{OnDemand: everything &^ setOf(schemaRTMP), Direct: direct}
	indirect := &serverConfig{OnDemand: everything}
	for _, tt := range []struct {
		name    string
		config  *serverConfig // nil if unknown
		schemas Schemas
		chosen  schemaSet // by schemas: auto
		origin  string
		url     string
		gone    bool // its pull proxy has failed
		lists   [][]sourceRow
		want    []int
	}{
		{
			name: "speed, bytes, nothing", config: defaults, origin: "rtmp_push",
			lists: [][]sourceRow{{{"rtmp", 7, 10, 0, 0}}, {{"rtmp", 0, 20, 0, 0}}, {{"rtmp", 0, 20, 0, 0}}, {{"rtmp", 0, 5, 0, 0}}},
			want:  []int{1, 1, 0, 0}, // fewer bytes mean a new registration
		},
		{
			name: "frames only", config: onDemand, origin: "srt_push",
			lists: [][]sourceRow{{{"rtmp", 0, 10, 100, 0}}, {{"rtmp", 0, 10, 101, 0}}, {{"rtmp", 0, 10, 101, 0}}, {{"rtmp", 0, 10, 5, 0}}},
			want:  []int{none, 1, none, none},
		},
		{
			name: "all on demand and nobody reads", config: onDemand, origin: "rtp_push",
			lists: [][]sourceRow{{{"rtmp", 4, 10, 100, 0}, {"ts", 9, 10, 100, 0}}, {{"rtmp", 0, 10, 100, 0}, {"ts", 0, 10, 100, 0}}},
			want:  []int{1, none},
		},
		{
			name: "all on demand, but somebody reads", config: onDemand, origin: "rtp_push",
			lists: [][]sourceRow{{{"rtmp", 4, 10, 100, 1}}, {{"rtmp", 0, 10, 100, 1}}}, want: []int{1, 0},
		},
		{
			name: "one schema is always made", config: madeRTMP, origin: "rtp_push",
			lists: [][]sourceRow{{{"ts", 9, 10, 100, 0}, {"rtmp", 7, 10, 100, 0}}, {{"ts", 0, 10, 100, 0}, {"rtmp", 0, 10, 100, 0}}}, want: []int{1, 0},
		},
		{
			name: "the stream has no such schema", config: madeRTMP, origin: "rtp_push",
			lists: [][]sourceRow{{{"ts", 9, 10, 100, 0}}, {{"ts", 0, 10, 100, 0}}}, want: []int{1, none},
		},
		{
			name: "an RTMP origin feeds rtmp directly", config: onDemand, origin: "rtmp_push",
			lists: [][]sourceRow{{{"ts", 9, 10, 100, 0}, {"rtmp", 7, 10, 100, 0}}, {{"ts", 0, 10, 100, 0}, {"rtmp", 0, 10, 100, 0}}}, want: []int{1, 0},
		},
		{
			name: "an RTSP origin feeds rtsp directly", config: onDemand, origin: "pull", url: "rtsps://10.0.0.1/x",
			lists: [][]sourceRow{{{"rtsp", 7, 10, 100, 0}}, {{"rtsp", 0, 10, 100, 0}}}, want: []int{1, 0},
		},
		{
			name: "an RTMP origin with direct feeding disabled", config: indirect, origin: "rtmp_push",
			lists: [][]sourceRow{{{"rtmp", 7, 10, 100, 0}}, {{"rtmp", 0, 10, 100, 0}}}, want: []int{1, none},
		},
		{
			name: "the proxy has lost its source", config: onDemand, origin: "pull", url: "http://10.0.0.1/x", gone: true,
			lists: [][]sourceRow{{{"rtmp", 7, 10, 100, 0}}, {{"rtmp", 0, 10, 100, 0}}}, want: []int{1, 0},
		},
		{
			name: "unknown options and no reader", origin: "rtmp_push",
			lists: [][]sourceRow{{{"rtmp", 7, 10, 100, 0}}, {{"rtmp", 0, 10, 100, 0}}}, want: []int{1, none},
		},
		{
			name: "unknown options and a reader", origin: "rtp_push",
			lists: [][]sourceRow{{{"rtmp", 7, 10, 100, 1}}, {{"rtmp", 0, 10, 100, 1}}}, want: []int{1, 0},
		},
		{
			name: "the server tells nothing", config: onDemand, origin: "rtp_push",
			lists: [][]sourceRow{{{"rtmp", none, none, 0, 1}}}, want: []int{none},
		},
		{
			name: "schemas of the user, without the one that flows", config: onDemand, schemas: Schemas{"hls"}, origin: "rtsp_push",
			lists: [][]sourceRow{{{"hls", 7, 10, 100, 0}}, {{"hls", 0, 10, 100, 0}}, {{"hls", 0, 10, 100, 1}}}, want: []int{1, none, none},
		},
		{
			name: "a short list without the schema that flows: no verdict before all have been seen twice", config: onDemand,
			chosen: setOf(schemaTS), origin: "rtsp_push",
			lists: [][]sourceRow{
				{{"ts", 7, 10, 100, 0}},
				{{"ts", 0, 10, 100, 0}},
				{{"ts", 0, 10, 100, 0}, {"rtsp", 7, 90, 100, 0}}, // since when is unknown
				{{"ts", 0, 10, 100, 0}, {"rtsp", 0, 90, 100, 0}},
			},
			want: []int{1, 1, 1, 0},
		},
		{
			name: "a schema that was not asked for before revives nothing", config: defaults, chosen: setOf(schemaRTMP), origin: "rtmp_push",
			lists: [][]sourceRow{
				{{"rtmp", 7, 10, 100, 0}},
				{{"rtmp", 0, 10, 100, 0}},
				{{"rtmp", 0, 10, 100, 0}, {"hls", 3, 90, 100, 0}},
			},
			want: []int{1, 0, 0},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestStreams(t, func(c *StreamsConfig) {
				if tt.schemas != nil {
					c.Schemas = tt.schemas
				}
			})
			if tt.config != nil {
				s.config = cachedAnswer[serverConfig]{value: *tt.config, known: true}
			}
			if tt.gone {
				s.proxies.gone = map[string]bool{cam: true}
			}
			for i, list := range tt.lists {
				if tt.chosen != 0 {
					s.streams.listing.chosen, s.streams.listing.check = tt.chosen, len(list) > 1
				}
				var sources []*mediaSource
				for _, r := range list {
					sources = append(sources, r.source(tt.origin, tt.url))
				}
				got, known := walkList(t, s, sources...)[alive(cam)]
				if !known {
					got = none
				}
				assert.InDelta(t, float64(tt.want[i]), got, 0, "list %d", i)
			}
		})
	}
}

// The silence of a stream lasts from the last list that showed media, or the first list. That of an expected stream continues while the
// stream is missing, and after it has come back without media.
func TestSilence(t *testing.T) {
	const expected, other = "v/a/expected", "v/a/other"
	s := newTestStreams(t, func(c *StreamsConfig) { c.Expected = []string{expected, "v/a/never"} })
	silence := func(name string) string {
		return strings.Replace(alive(name), "stream.alive", "stream.silence.duration", 1)
	}
	const gone = -1 // the stream is not listed
	for i, list := range []struct {
		at              int64
		expected, other int64              // speeds
		want            map[string]float64 // in addition to the one that is never listed
	}{
		{at: 100, expected: 5, other: 0, want: map[string]float64{expected: 0, other: 0}},
		{at: 130, expected: 0, other: 0, want: map[string]float64{expected: 30, other: 30}},
		{at: 160, expected: gone, other: 7, want: map[string]float64{expected: 60, other: 0}},
		{at: 190, expected: gone, other: gone, want: map[string]float64{expected: 90}},
		{at: 220, expected: 0, other: 0, want: map[string]float64{expected: 120, other: 0}},
		{at: 250, expected: 9, other: 0, want: map[string]float64{expected: 0, other: 30}},
		{at: 240, expected: 0, other: 0, want: map[string]float64{expected: 0, other: 20}}, // the clock was set back
		{at: 290, expected: gone, other: 0, want: map[string]float64{expected: 40, other: 70}},
	} {
		var sources []*mediaSource
		for name, speed := range map[string]int64{expected: list.expected, other: list.other} {
			if speed != gone {
				sources = append(sources, source(name, "rtmp", speed, 100))
			}
		}
		want := map[string]float64{silence("v/a/never"): float64(list.at - 100)}
		for name, seconds := range list.want {
			want[silence(name)] = seconds
		}
		assert.Equal(t, want, series(rtctest.Points(t, walkAt(t, s, list.at, sources...)), "zlmediakit.stream.silence.duration"), "list %d", i)
	}
}

// A full list follows a short one that does not show whether a stream flows. If a schema in which media must flow has none, the
// stream is stalled at once.
func TestDoubtAsksForAllSchemas(t *testing.T) {
	onDemand := serverConfig{OnDemand: allSchemas, Direct: setOf(schemaRTSP, schemaRTMP)}
	for _, tt := range []struct {
		name   string
		config serverConfig
		origin string
		frames int64
		want   []string
	}{
		{"it may flow in rtsp", onDemand, "rtsp_push", 100, []string{""}},
		{"nobody reads", onDemand, "rtp_push", 100, []string{"ts"}},
		{"ts must flow", serverConfig{Direct: onDemand.Direct}, "rtsp_push", 100, []string{"ts"}},
	} {
		s := newTestStreams(t, nil)
		s.config = cachedAnswer[serverConfig]{value: tt.config, known: true}
		s.streams.listing.chosen = setOf(schemaTS)
		walkList(t, s, sourceRow{"ts", 0, 10, tt.frames, 0}.source(tt.origin, ""))
		assert.Equal(t, tt.want, s.streams.listing.requests(), tt.name)
	}
}

func (r sourceRow) source(origin, url string) *mediaSource {
	m := source("v/a/s", r.schema, r.speed, r.total)
	m.OriginType, m.OriginURL = []byte(origin), []byte(url)
	m.TotalReaders = optional.Of(r.readers)
	if r.speed == none {
		m.BytesSpeed, m.TotalBytes = optional.Value[int64]{}, optional.Value[int64]{}
	}
	if r.frames > 0 {
		m.reader, m.tracks = jsonwalk.NewReader(), fmt.Appendf(nil, `[{"codec_type":0,"frames":%d}]`, r.frames)
	}
	return m
}

// Streams of servers with schemas on demand, captured twice ten seconds apart while media flowed, are alive unless nothing shows it.
func TestOnDemandCaptures(t *testing.T) {
	for scene, unknown := range map[string][]string{
		"on_demand":     nil,
		"all_on_demand": {"__defaultVhost__/rtp/gb1"}, // no counter changes on this server
	} {
		t.Run(scene, func(t *testing.T) {
			var current atomic.Pointer[url.URL]
			target := func(scene string) {
				server, err := url.Parse(startServer(t, zlmediakit.Options{Scene: scene}).URL())
				require.NoError(t, err)
				current.Store(server)
			}
			server := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(current.Load()) }})
			defer server.Close()
			target(scene)
			s, _ := startScraper(t, server.URL, nil)
			_, err := s.Scrape(t.Context())
			require.NoError(t, err)
			target(scene + "_later")
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			points := rtctest.Points(t, metrics)
			want := 6.0
			for _, name := range unknown {
				assert.NotContains(t, points, alive(name))
				want--
			}
			assert.InDelta(t, want, sumOf(points, "zlmediakit.stream.alive"), 0)
		})
	}
}
