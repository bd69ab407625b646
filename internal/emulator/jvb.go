// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// JVB are the options of an emulated Jitsi Videobridge, as it shows itself on its private HTTP port.
type JVB struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Version is the release to play: 2.3.312 (when empty), 2.3.168, 2.3.92, 2.1.508, 2.1.169 or 1.x. Only 2.3.312 has the
	// page /metrics: that of the others is not known.
	Version string
	// Upgrade is the version that the bridge reports after a restart; the same one when empty.
	Upgrade string
	// Stats turns /colibri/stats on, which is off as servers are delivered.
	Stats bool
	// Unhealthy makes the health checks fail.
	Unhealthy bool
	// Moving makes conferences come and go with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	jvbStatsPath   = "/colibri/stats"
	jvbDrainPath   = "/colibri/drain"
	jitsiVersion   = "/about/version"
	jitsiHealth    = "/about/health"
	jvbBitsDown    = 500_000 // bit/s of a guest; whole kbit/s, so that JSON, which cuts off the rest, agrees with the page
	jvbBitsUp      = 1_500_000
	jvbPacketsDown = 60
	jvbPacketsUp   = 180
)

// jvbSample is what was captured of a release.
type jvbSample struct {
	stats string // file
	page  string // file, empty where none was captured
	drain bool   // it has /colibri/drain
}

var jvbSamples = map[string]jvbSample{
	"2.3.312": {stats: "constructed-2.3.312-master-2026-08-19", page: "jvb/metrics.constructed-2.3.312-master", drain: true},
	"2.3.168": {stats: "like-real-2.3.168-idle", drain: true},
	"2.3.92":  {stats: "constructed-2.3.92-stable-9364", drain: true},
	"2.1.508": {stats: "like-real-2.1.508-active"},
	"2.1.169": {stats: "like-real-2.1.169-idle"},
	"1.x":     {stats: "constructed-1.x-stable-4101"},
}

// jvbChanging are the beginnings of paths that change a bridge, be it with GET.
var jvbChanging = []string{"/debug", "/colibri/conferences", "/colibri/v2/", "/colibri/shutdown", "/colibri/drain/", "/colibri/muc-client/"}

// jvbResets are the values that are 0 after a restart; total_memory is none of them.
var jvbResets = regexp.MustCompile(`^(total_[^m]|largest_|conferences|inactive_|p2p_|octo_|endpoints|participants|local_|active_|receive_only|current_|visitors` +
	`|num_|relays_|relay_(in|out)|dtls_failed|preemptive_kfr|bit_rate|packet_rate|incoming_|outgoing_|overall_|loss_|rtp_loss|rtt_|jitter_|average_rtt` +
	`|stress|tcc_|tossed_|jvm_gc_|audiochannels|videochannels|videostreams)|_total$`)

// jvbValues are the values that move. A guest sends video when it is the first one, and audio never.
var jvbValues = slices.Concat([]jitsiValue{
	{"conferences", "conferences", jitsiPerMeeting},
	{"total_conferences_created", "conferences_created_total", jitsiBegun},
	{"total_conferences_completed", "conferences_completed_total", jitsiOnEnd(1)},
	{"total_conference_seconds", "conference_seconds_total", jitsiOnEnd(jitsiEnd - jitsiJoinEvery)},
	{"endpoints", "current_endpoints", jitsiPerGuest(1)},
	{"participants", "", jitsiPerGuest(1)},
	{"local_endpoints", "local_endpoints", jitsiPerGuest(1)},
	{"local_active_endpoints", "active_endpoints", jitsiPerGuest(1)},
	{"videochannels", "", jitsiPerGuest(1)},
	{"total_participants", "endpoints_total", jitsiPerJoin},
	{"total_ice_succeeded", "ice_succeeded_total", jitsiPerJoin},
	{"endpoints_sending_video", "endpoints_sending_video", jitsiPerMeeting},
	{"receive_only_endpoints", "endpoints_recvonly", func(m jitsiMoment) float64 { return float64(m.guests() - m.meets()) }},
	{"stress_level", "stress", jitsiPerGuest(0.01)},
	{"bit_rate_download", "", jitsiPerGuest(jvbBitsDown / 1000)},
	{"bit_rate_upload", "", jitsiPerGuest(jvbBitsUp / 1000)},
	{"", "incoming_bitrate", jitsiPerGuest(jvbBitsDown)},
	{"", "outgoing_bitrate", jitsiPerGuest(jvbBitsUp)},
	{"packet_rate_download", "incoming_packet_rate", jitsiPerGuest(jvbPacketsDown)},
	{"packet_rate_upload", "outgoing_packet_rate", jitsiPerGuest(jvbPacketsUp)},
	{"total_bytes_received", "bytes_received_total", jitsiOnEnd(jitsiStayed * jvbBitsDown / 8)},
	{"total_bytes_sent", "bytes_sent_total", jitsiOnEnd(jitsiStayed * jvbBitsUp / 8)},
	{"total_packets_received", "packets_received_total", jitsiOnEnd(jitsiStayed * jvbPacketsDown)},
	{"total_packets_sent", "packets_sent_total", jitsiOnEnd(jitsiStayed * jvbPacketsUp)},
},
	jitsiSizes("conference_sizes", jitsiMoment.guests),
	jitsiSizes("conferences_by_video_senders", jitsiMoment.meets),
	jitsiSizes("conferences_by_audio_senders", jitsiNobody),
	jitsiHistogram("conferences_by_size", jitsiMoment.guests),
	jitsiHistogram("conferences_by_video_sender", jitsiMoment.meets),
	jitsiHistogram("conferences_by_audio_sender", jitsiNobody),
)

func jitsiNobody(jitsiMoment) int64 { return 0 }

// jvbReleased is the version in the answers of a release.
var jvbReleased = regexp.MustCompile(`"version":"([^"]*)"`)

type jvb struct {
	JVB
	life    *jitsiLife
	stats   []byte
	about   []byte
	version string // of the sample; empty where it tells none
}

// NewJVB starts an emulated Jitsi Videobridge.
func NewJVB(o JVB) (*Server, error) {
	sample, err := jitsiSample(jvbSamples, o.Version, "2.3.312")
	if err != nil {
		return nil, err
	}
	b := &jvb{JVB: o, life: newJitsiLife("jitsi_jvb_", jvbValues, jvbResets, o.Now, o.Moving)}
	if b.stats, err = fs.ReadFile(testdata.Files, "jitsi/jvb/colibri-stats."+sample.stats+".json"); err != nil {
		return nil, err
	}
	if b.about, err = fs.ReadFile(testdata.Files, "jitsi/jvb/about-version.json"); err != nil {
		return nil, err
	}
	if found := jvbReleased.FindSubmatch(b.stats); found != nil {
		b.version = string(found[1])
	}
	paths, err := b.paths(sample)
	if err != nil {
		return nil, err
	}
	return newJitsi(o.Addr, paths, jvbChanging, b.life.restart)
}

// paths are what this release answers.
func (b *jvb) paths(sample jvbSample) (jitsiPaths, error) {
	paths := jitsiPaths{}
	health, status := "jvb/about-health.200.body", http.StatusOK
	if b.Unhealthy {
		health, status = "jvb/about-health.500.body", http.StatusInternalServerError
	}
	if err := paths.read(jitsiHealth, status, health); err != nil {
		return nil, err
	}
	if sample.drain {
		if err := paths.read(jvbDrainPath, http.StatusOK, "jvb/colibri-drain.json"); err != nil {
			return nil, err
		}
	}
	if b.version != "" { // what an older release answers is not known
		paths[jitsiVersion] = func(*http.Request) answer { return b.document(b.about) }
	}
	if b.Stats {
		paths[jvbStatsPath] = func(*http.Request) answer { return b.document(b.life.editJSON(b.stats)) }
	}
	if sample.page != "" {
		page, err := readJitsiPage(sample.page)
		if err != nil {
			return nil, err
		}
		paths[metricsPath] = func(r *http.Request) answer { return b.metrics(page, r) }
	}
	return paths, nil
}

// document answers with JSON that tells the version and the health of the moment.
func (b *jvb) document(body []byte) answer {
	version := b.version
	if _, restarted, _ := b.life.state(); restarted {
		version = cmp.Or(b.Upgrade, version)
	}
	if version != "" {
		body = jvbReleased.ReplaceAllLiteral(body, []byte(`"version":"`+version+`"`))
	}
	return jitsiAnswer(http.StatusOK, jitsiJSON, jitsiIll(body, b.Unhealthy))
}

// metrics answers /metrics. The bridge fails on a request that accepts nothing in particular, without a header that is.
func (b *jvb) metrics(page jitsiPage, r *http.Request) answer {
	if r.Header.Get("Accept") == "" {
		return jitsiAnswer(http.StatusInternalServerError, "text/html", []byte("<h1>HTTP ERROR 500 java.lang.NullPointerException</h1>\n"))
	}
	answered := page.answer(r, b.life)
	answered.body = jitsiIll(answered.body, b.Unhealthy)
	return answered
}
