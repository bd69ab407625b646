// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The fields of the answers below /index/api/ that the exporter reads.
type (
	zlmThread struct {
		Name    string
		Load    float64
		Delay   float64
		FDCount float64 `json:"fd_count"`
	}
	zlmSession struct {
		TypeID string `json:"typeid"`
		Type   string
	}
	zlmProxy struct {
		Key        string
		Src        struct{ Vhost, App, Stream string }
		StatusText string `json:"status_str"`
		LiveSecs   float64
		RePull     *float64 `json:"rePullCount"`
		RePublish  *float64 `json:"rePublishCount"`
		BytesSpeed float64
		TotalBytes float64
	}
	zlmRTPServer struct {
		Vhost, App string
		StreamID   string `json:"stream_id"`
		TCPMode    int    `json:"tcp_mode"`
	}
	zlmSource struct {
		Schema, Vhost, App, Stream string
		OriginType                 string `json:"originTypeStr"`
		AliveSecond                float64
		BytesSpeed, TotalBytes     float64
		ReaderCount                float64
		TotalReaderCount           float64
		IsRecordingHLS             bool
		IsRecordingMP4             bool
		Tracks                     []zlmTrack
	}
	zlmTrack struct {
		CodecType   int      `json:"codec_type"`
		Codec       string   `json:"codec_id_name"`
		FPS         *float64 `json:"fps"`
		Frames      *float64
		GOPInterval *float64 `json:"gop_interval_ms"`
	}
)

var (
	zlmStreamLabels = []string{"vhost", "app", "stream"}
	zlmSchemaLabels = append(slices.Clone(zlmStreamLabels), "schema")
	zlmTrackLabels  = append(slices.Clone(zlmStreamLabels), "index", "kind", "codec")
	zlmProxyLabels  = append(slices.Clone(zlmStreamLabels), "type", "key")
	zlmThreadLabels = []string{"pool", "thread"}
)

// zlmDesc describes a metric with the name that our receiver's metric has in Prometheus.
func zlmDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("zlmediakit_"+name, help, labels, nil)
}

var (
	zlmUp             = zlmDesc("up", "Whether the server answers.")
	zlmScrapeDuration = zlmDesc("scrape_duration_seconds", "Duration of a call.", "api")

	zlmThreadCount = zlmDesc("thread_count", "Threads of a pool.", "pool")
	zlmThreadLoad  = zlmDesc("thread_utilization_ratio", "Fraction of time in which a thread was busy.", zlmThreadLabels...)
	zlmThreadDelay = zlmDesc("thread_delay_seconds", "Delay of a task.", zlmThreadLabels...)
	zlmThreadFDs   = zlmDesc("thread_file_descriptor_count", "File descriptors watched by a thread.", zlmThreadLabels...)

	zlmObjects  = zlmDesc("object_count", "Objects of a class.", "type")
	zlmSessions = zlmDesc("session_count", "Incoming connections.", "type", "transport")
	zlmFFmpeg   = zlmDesc("ffmpeg_source_count", "Sources pulled with FFmpeg.")
	zlmPorts    = zlmDesc("rtp_server_count", "Open RTP ports.", "mode", "app")
	zlmIdle     = zlmDesc("rtp_server_idle_count", "Open RTP ports without a sender.")

	zlmProxies          = zlmDesc("proxy_count", "Proxies.", "type", "state")
	zlmProxyState       = zlmDesc("proxy_state", "State of a proxy.", append(slices.Clone(zlmProxyLabels), "state")...)
	zlmProxyAge         = zlmDesc("proxy_age_seconds", "Time since a proxy first connected.", zlmProxyLabels...)
	zlmProxyReconnected = zlmDesc("proxy_reconnections_total", "Reconnections of a proxy.", zlmProxyLabels...)
	zlmProxyBytes       = zlmDesc("proxy_io_bytes_total", "Bytes transferred by a proxy.", zlmProxyLabels...)
	zlmProxySpeed       = zlmDesc("proxy_throughput_bytes_per_second", "Throughput of a proxy.", zlmProxyLabels...)

	zlmStreams   = zlmDesc("stream_count", "Streams.", "origin", "vhost", "app")
	zlmIngest    = zlmDesc("ingest_throughput_bytes_per_second", "Incoming throughput.", "origin")
	zlmRecording = zlmDesc("stream_recording_count", "Streams being recorded.", "format")
	zlmSources   = zlmDesc("media_source_count", "Media sources.", "schema")
	zlmEgress    = zlmDesc("egress_throughput_bytes_per_second", "Outgoing throughput.", "schema")

	zlmStreamBytes    = zlmDesc("stream_io_bytes_total", "Bytes produced by a stream.", zlmSchemaLabels...)
	zlmStreamSpeed    = zlmDesc("stream_throughput_bytes_per_second", "Throughput of a stream.", zlmSchemaLabels...)
	zlmStreamReaders  = zlmDesc("stream_reader_count", "Readers of a stream.", zlmStreamLabels...)
	zlmStreamRecorded = zlmDesc("stream_recording_active", "Whether a stream is recorded.", append(slices.Clone(zlmStreamLabels), "format")...)
	zlmStreamAlive    = zlmDesc("stream_alive", "Whether media flows in a stream.", zlmStreamLabels...)
	zlmStreamUptime   = zlmDesc("stream_uptime_seconds", "Time since a stream was registered.", zlmStreamLabels...)
	zlmTrackRate      = zlmDesc("stream_track_frame_rate_per_second", "Frame rate of a track.", zlmTrackLabels...)
	zlmTrackFrames    = zlmDesc("stream_track_frames_total", "Frames of a track.", zlmTrackLabels...)
	zlmTrackGOP       = zlmDesc("stream_track_gop_duration_seconds", "Length of the last group of pictures.", zlmTrackLabels...)
)

// zlmExporter serves the default series of our receiver, written in the usual style of exporters.
type zlmExporter struct {
	url    string
	schema string // to request, all if empty
}

func newZLMediaKitExporter(endpoint, schema string) prometheus.Collector {
	return &zlmExporter{endpoint + "/index/api/", schema}
}

// Describe implements prometheus.Collector.
func (e *zlmExporter) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(e, ch) }

// Collect calls all APIs one after the other.
func (e *zlmExporter) Collect(ch chan<- prometheus.Metric) {
	s := zlmScrape{zlmExporter: e, samples: samples{ch}, fed: map[string]bool{}}
	up := 1.0
	for _, step := range []func() error{
		func() error { return s.threads("getThreadsLoad", "network") },
		func() error { return s.threads("getWorkThreadsLoad", "work") },
		s.objects, s.sessions,
		func() error { return s.proxies("listStreamProxy", "pull") },
		func() error { return s.proxies("listStreamPusherProxy", "push") },
		s.ffmpeg, s.media, s.ports,
	} {
		if err := step(); err != nil {
			up = 0
		}
	}
	s.gauge(zlmUp, up)
}

// zlmScrape is one scrape.
type zlmScrape struct {
	*zlmExporter
	samples
	fed map[string]bool // vhost/app/stream of streams received over RTP
}

// get calls an API and decodes its data.
func (s *zlmScrape) get(api string, data any) error {
	start := time.Now()
	address := s.url + api
	if api == "getMediaList" && s.schema != "" {
		address += "?schema=" + url.QueryEscape(s.schema)
	}
	resp, err := http.Get(address) //nolint:gosec,noctx // the emulator always answers
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Code int
		Msg  string
		Data any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Code != 0 {
		return fmt.Errorf("%s: code %d %s", api, answer.Code, answer.Msg)
	}
	s.gauge(zlmScrapeDuration, time.Since(start).Seconds(), api)
	return nil
}

func (s *zlmScrape) threads(api, pool string) error {
	var threads []zlmThread
	if err := s.get(api, &threads); err != nil {
		return err
	}
	s.gauge(zlmThreadCount, float64(len(threads)), pool)
	for _, t := range threads {
		s.gauge(zlmThreadLoad, t.Load/100, pool, t.Name)
		s.gauge(zlmThreadDelay, t.Delay/1000, pool, t.Name)
		s.gauge(zlmThreadFDs, t.FDCount, pool, t.Name)
	}
	return nil
}

func (s *zlmScrape) objects() error {
	var objects map[string]float64
	if err := s.get("getStatistic", &objects); err != nil {
		return err
	}
	for class, n := range objects {
		s.gauge(zlmObjects, n, class)
	}
	return nil
}

func (s *zlmScrape) sessions() error {
	var sessions []zlmSession
	if err := s.get("getAllSession", &sessions); err != nil {
		return err
	}
	counts := map[zlmSession]float64{}
	for _, session := range sessions {
		counts[session]++
	}
	for session, n := range counts {
		s.gauge(zlmSessions, n, session.TypeID, session.Type)
	}
	return nil
}

var zlmProxyStates = []string{"connecting", "playing", "play failed", "play shutdown", ""}

func (s *zlmScrape) proxies(api, kind string) error {
	var proxies []zlmProxy
	if err := s.get(api, &proxies); err != nil {
		return err
	}
	counts := map[string]float64{}
	for i := range proxies {
		p := &proxies[i]
		state, _, _ := strings.Cut(p.StatusText, ":")
		counts[state]++
		labels := []string{p.Src.Vhost, p.Src.App, p.Src.Stream, kind, p.Key}
		for _, known := range zlmProxyStates {
			s.gauge(zlmProxyState, number(known == state), append(slices.Clone(labels), known)...)
		}
		s.gauge(zlmProxyAge, p.LiveSecs, labels...)
		for _, n := range []*float64{p.RePull, p.RePublish} {
			s.optional(zlmProxyReconnected, prometheus.CounterValue, n, 1, labels...)
		}
		s.counter(zlmProxyBytes, p.TotalBytes, labels...)
		s.gauge(zlmProxySpeed, p.BytesSpeed, labels...)
	}
	for _, known := range zlmProxyStates {
		s.gauge(zlmProxies, counts[known], kind, known)
	}
	return nil
}

func (s *zlmScrape) ffmpeg() error {
	var sources []struct{}
	if err := s.get("listFFmpegSource", &sources); err != nil {
		return err
	}
	s.gauge(zlmFFmpeg, float64(len(sources)))
	return nil
}

func (s *zlmScrape) ports() error {
	var servers []zlmRTPServer
	if err := s.get("listRtpServer", &servers); err != nil {
		return err
	}
	type group struct{ mode, app string }
	counts, idle := map[group]float64{}, 0.0
	for _, one := range servers {
		counts[group{strconv.Itoa(one.TCPMode), one.App}]++
		idle += number(!s.fed[one.Vhost+"/"+one.App+"/"+one.StreamID])
	}
	for g, n := range counts {
		s.gauge(zlmPorts, n, g.mode, g.app)
	}
	s.gauge(zlmIdle, idle)
	return nil
}

// zlmTotals are sums over the media list.
type zlmTotals struct {
	streams                 map[[3]string]float64
	ingest, sources, egress map[string]float64
	mp4, hls                float64
}

func (s *zlmScrape) media() error {
	var sources []zlmSource
	if err := s.get("getMediaList", &sources); err != nil {
		return err
	}
	t := zlmTotals{map[[3]string]float64{}, map[string]float64{}, map[string]float64{}, map[string]float64{}, 0, 0}
	seen := map[[3]string]bool{}
	for i := range sources {
		m := &sources[i]
		s.counter(zlmStreamBytes, m.TotalBytes, m.Vhost, m.App, m.Stream, m.Schema)
		s.gauge(zlmStreamSpeed, m.BytesSpeed, m.Vhost, m.App, m.Stream, m.Schema)
		t.sources[m.Schema]++
		t.egress[m.Schema] += m.BytesSpeed * m.ReaderCount
		if name := [3]string{m.Vhost, m.App, m.Stream}; !seen[name] {
			seen[name] = true
			s.stream(m, &t)
		}
	}
	s.totals(&t)
	return nil
}

// stream serves the values common to all schemas of a stream.
func (s *zlmScrape) stream(m *zlmSource, t *zlmTotals) {
	t.streams[[3]string{m.OriginType, m.Vhost, m.App}]++
	t.ingest[m.OriginType] += m.BytesSpeed
	t.mp4 += number(m.IsRecordingMP4)
	t.hls += number(m.IsRecordingHLS)
	if m.OriginType == "rtp_push" {
		s.fed[m.Vhost+"/"+m.App+"/"+m.Stream] = true
	}
	s.gauge(zlmStreamReaders, m.TotalReaderCount, m.Vhost, m.App, m.Stream)
	s.gauge(zlmStreamRecorded, number(m.IsRecordingMP4), m.Vhost, m.App, m.Stream, "mp4")
	s.gauge(zlmStreamRecorded, number(m.IsRecordingHLS), m.Vhost, m.App, m.Stream, "hls")
	s.gauge(zlmStreamAlive, number(m.BytesSpeed > 0), m.Vhost, m.App, m.Stream)
	s.gauge(zlmStreamUptime, m.AliveSecond, m.Vhost, m.App, m.Stream)
	var indexes [2]int // next index of video and audio tracks
	for _, track := range m.Tracks {
		if track.CodecType < 0 || track.CodecType > 1 {
			continue
		}
		labels := []string{m.Vhost, m.App, m.Stream, strconv.Itoa(indexes[track.CodecType]), [2]string{"video", "audio"}[track.CodecType], track.Codec}
		indexes[track.CodecType]++
		s.optional(zlmTrackRate, prometheus.GaugeValue, track.FPS, 1, labels...)
		s.optional(zlmTrackFrames, prometheus.CounterValue, track.Frames, 1, labels...)
		s.optional(zlmTrackGOP, prometheus.GaugeValue, track.GOPInterval, 1e-3, labels...)
	}
}

func (s *zlmScrape) totals(t *zlmTotals) {
	for group, n := range t.streams {
		s.gauge(zlmStreams, n, group[:]...)
	}
	for origin, n := range t.ingest {
		s.gauge(zlmIngest, n, origin)
	}
	s.gauge(zlmRecording, t.mp4, "mp4")
	s.gauge(zlmRecording, t.hls, "hls")
	for schema, n := range t.sources {
		s.gauge(zlmSources, n, schema)
		s.gauge(zlmEgress, t.egress[schema], schema)
	}
}
