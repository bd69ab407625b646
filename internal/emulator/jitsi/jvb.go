// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"cmp"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// JVBOptions configures the private HTTP port of an emulated Jitsi Videobridge.
type JVBOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Version is the release to emulate: 2.3.312 (the default), 2.3.168, 2.3.92, 2.1.508, 2.1.169 or 1.x. Only 2.3.312 has /metrics,
	// because that page of the others is unknown.
	Version string
	// Upgrade is the version that the bridge reports after a restart. If it is empty, the version does not change.
	Upgrade string
	// Stats enables /colibri/stats, which servers disable by default.
	Stats bool
	// Unhealthy makes the health checks fail.
	Unhealthy bool
	// Moving makes conferences come and go with Now. After a restart, this always happens.
	Moving bool
	// Life adds conferences. In the last minute of every ten, the bridge refuses connections, and then it starts again.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	jvbStatsPath   = "/colibri/stats"
	jvbDrainPath   = "/colibri/drain"
	jvbBitsDown    = 500_000 // bit/s of a guest; a multiple of 1 kbit/s, so that JSON, in kbit/s, agrees with the page
	jvbBitsUp      = 1_500_000
	jvbPacketsDown = 60
	jvbPacketsUp   = 180
)

// jvbSample names the captures of a release.
type jvbSample struct {
	stats string // file
	page  string // file; empty if none was captured
	drain bool   // has /colibri/drain
}

var jvbSamples = map[string]jvbSample{
	"2.3.312": {stats: "constructed-2.3.312-master-2026-08-19", page: "jvb/metrics.constructed-2.3.312-master", drain: true},
	"2.3.168": {stats: "like-real-2.3.168-idle", drain: true},
	"2.3.92":  {stats: "constructed-2.3.92-stable-9364", drain: true},
	"2.1.508": {stats: "like-real-2.1.508-active"},
	"2.1.169": {stats: "like-real-2.1.169-idle"},
	"1.x":     {stats: "constructed-1.x-stable-4101"},
}

// jvbChanging lists prefixes of paths that change a bridge, some of them with GET.
var jvbChanging = []string{"/debug", "/colibri/conferences", "/colibri/v2/", "/colibri/shutdown", "/colibri/drain/", "/colibri/muc-client/"}

// jvbResets matches the values that are 0 after a restart. total_memory does not match.
var jvbResets = regexp.MustCompile(`^(total_[^m]|largest_|conferences|inactive_|p2p_|octo_|endpoints|participants|local_|active_|receive_only|current_|visitors` +
	`|num_|relays_|relay_(in|out)|dtls_failed|preemptive_kfr|bit_rate|packet_rate|incoming_|outgoing_|overall_|loss_|rtp_loss|rtt_|jitter_|average_rtt` +
	`|stress|tcc_|tossed_|jvm_gc_|audiochannels|videochannels|videostreams)|_total$`)

// jvbValues lists the values that change. The first guest sends video, no guest sends audio.
var jvbValues = slices.Concat([]movingValue{
	{"conferences", "conferences", perConference},
	{"total_conferences_created", "conferences_created_total", perBegun},
	{"total_conferences_completed", "conferences_completed_total", perEnded(1)},
	{"total_conference_seconds", "conference_seconds_total", perEnded(conferenceEnd - joinInterval)},
	{"endpoints", "current_endpoints", perGuest(1)},
	{"participants", "", perGuest(1)},
	{"local_endpoints", "local_endpoints", perGuest(1)},
	{"local_active_endpoints", "active_endpoints", perGuest(1)},
	{"videochannels", "", perGuest(1)},
	{"total_participants", "endpoints_total", perJoin},
	{"total_ice_succeeded", "ice_succeeded_total", perJoin},
	{"endpoints_sending_video", "endpoints_sending_video", perConference},
	{"receive_only_endpoints", "endpoints_recvonly", func(m moment) float64 { return float64(m.guests() - m.active()) }},
	{"stress_level", "stress", perGuest(0.01)},
	{"bit_rate_download", "", perGuest(jvbBitsDown / 1000)},
	{"bit_rate_upload", "", perGuest(jvbBitsUp / 1000)},
	{"", "incoming_bitrate", perGuest(jvbBitsDown)},
	{"", "outgoing_bitrate", perGuest(jvbBitsUp)},
	{"packet_rate_download", "incoming_packet_rate", perGuest(jvbPacketsDown)},
	{"packet_rate_upload", "outgoing_packet_rate", perGuest(jvbPacketsUp)},
	{"total_bytes_received", "bytes_received_total", perEnded(guestSeconds * jvbBitsDown / 8)},
	{"total_bytes_sent", "bytes_sent_total", perEnded(guestSeconds * jvbBitsUp / 8)},
	{"total_packets_received", "packets_received_total", perEnded(guestSeconds * jvbPacketsDown)},
	{"total_packets_sent", "packets_sent_total", perEnded(guestSeconds * jvbPacketsUp)},
},
	sizeList("conference_sizes", moment.guests),
	sizeList("conferences_by_video_senders", moment.active),
	sizeList("conferences_by_audio_senders", nobody),
	sizeHistogram("conferences_by_size", moment.guests),
	sizeHistogram("conferences_by_video_sender", moment.active),
	sizeHistogram("conferences_by_audio_sender", nobody),
)

func nobody(moment) int64 { return 0 }

// jvbVersion matches the version in a response.
var jvbVersion = regexp.MustCompile(`"version":"([^"]*)"`)

type jvb struct {
	JVBOptions
	scenario *scenario
	stats    []byte
	about    []byte
	version  string // of the sample; empty if it has none
}

// NewJVB starts an emulated Jitsi Videobridge.
func NewJVB(o JVBOptions) (*emulator.Server, error) {
	sample, err := findSample(jvbSamples, o.Version, "2.3.312")
	if err != nil {
		return nil, err
	}
	b := &jvb{JVBOptions: o, scenario: newScenario("jitsi_jvb_", jvbValues, jvbResets, o.Now, o.Moving, o.Life)}
	b.scenario.outages = o.Life
	if b.stats, err = fs.ReadFile(testdata.Files, "jitsi/jvb/colibri-stats."+sample.stats+".json"); err != nil {
		return nil, err
	}
	if b.about, err = fs.ReadFile(testdata.Files, "jitsi/jvb/about-version.json"); err != nil {
		return nil, err
	}
	if found := jvbVersion.FindSubmatch(b.stats); found != nil {
		b.version = string(found[1])
	}
	paths, err := b.paths(sample)
	if err != nil {
		return nil, err
	}
	return newServer(o.Addr, paths, jvbChanging, b.scenario)
}

// paths returns the handlers of the release.
func (b *jvb) paths(sample jvbSample) (handlers, error) {
	paths := handlers{}
	health, status := "jvb/about-health.200.body", http.StatusOK
	if b.Unhealthy {
		health, status = "jvb/about-health.500.body", http.StatusInternalServerError
	}
	if err := paths.addFile(healthPath, status, health); err != nil {
		return nil, err
	}
	if sample.drain {
		if err := paths.addFile(jvbDrainPath, http.StatusOK, "jvb/colibri-drain.json"); err != nil {
			return nil, err
		}
	}
	if b.version != "" { // the response of older releases is unknown
		paths[versionPath] = func(*http.Request) emulator.Answer { return b.document(b.about) }
	}
	if b.Stats {
		paths[jvbStatsPath] = func(*http.Request) emulator.Answer { return b.document(b.scenario.editJSON(b.stats)) }
	}
	if sample.page != "" {
		page, err := readPage(sample.page)
		if err != nil {
			return nil, err
		}
		paths[metricsPath] = func(r *http.Request) emulator.Answer { return b.metrics(page, r) }
	}
	return paths, nil
}

// document returns a JSON response with the current version and health.
func (b *jvb) document(body []byte) emulator.Answer {
	version := b.version
	if _, restarted := b.scenario.state(); restarted {
		version = cmp.Or(b.Upgrade, version)
	}
	if version != "" {
		body = jvbVersion.ReplaceAllLiteral(body, []byte(`"version":"`+version+`"`))
	}
	return newAnswer(http.StatusOK, typeJSON, setHealth(body, b.Unhealthy))
}

// metrics handles /metrics. Like the real bridge, it fails without an Accept header.
func (b *jvb) metrics(page metricsPage, r *http.Request) emulator.Answer {
	if r.Header.Get("Accept") == "" {
		return jettyError(r, http.StatusInternalServerError, "java.lang.NullPointerException")
	}
	answered := page.answer(r, b.scenario)
	answered.Body = setHealth(answered.Body, b.Unhealthy)
	return answered
}
