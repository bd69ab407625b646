// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// JigasiOptions configures an emulated Jigasi.
type JigasiOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Unhealthy makes the health check fail with status 500 and a reason.
	Unhealthy bool
	// NotReady makes the gateway not ready: the health check fails with status 503 and an empty response.
	NotReady bool
	// NoGateway leaves Jigasi without a gateway: the health check and the statistics fail.
	NoGateway bool
	// Moving makes conferences come and go with Now. After a restart, this always happens.
	Moving bool
	// Life adds conferences.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const jigasiStatsPath = "/about/stats"

// jigasiResets matches the values that are 0 after a restart.
var jigasiResets = regexp.MustCompile(`^(total_|conferences$|participants$|conference_sizes|stress_level)`)

// jigasiValues lists the values that change.
var jigasiValues = slices.Concat([]movingValue{
	{"conferences", "conferences", perConference},
	{"participants", "participants", perGuest(1)},
	{"stress_level", "stress_level", func(m moment) float64 { return float64(m.active()) / 100 }},
	{"total_participants", "total_participants_total", perJoin},
	{"total_conferences_completed", "total_conferences_completed_total", perEnded(1)},
	{"total_conference_seconds", "total_conference_seconds_total", perEnded(conferenceEnd - joinInterval)},
	{"total_transcriber_started", "total_transcriber_started_total", perMidwayBegun},
	{"total_transcriber_stopped", "total_transcriber_stopped_total", perEnded(1)},
	{"total_transcriber_ggl_millis", "total_transcriber_ggl_millis", perEnded(1000 * (conferenceEnd - midwayStart))},
}, sizeList("conference_sizes", moment.guests))

// NewJigasi starts an emulated Jigasi.
func NewJigasi(o JigasiOptions) (*emulator.Server, error) {
	stats, err := fs.ReadFile(testdata.Files, "jitsi/jigasi/about-stats.constructed-master-2026-06-17.json")
	if err != nil {
		return nil, err
	}
	page, err := readPage("jigasi/metrics.constructed-master-2026-06-17")
	if err != nil {
		return nil, err
	}
	scenario := newScenario("jitsi_jigasi_", jigasiValues, jigasiResets, o.Now, o.Moving, o.Life)
	paths := handlers{
		jigasiStatsPath: func(*http.Request) emulator.Answer {
			if o.NoGateway {
				return emulator.Answer{Status: http.StatusServiceUnavailable}
			}
			return newAnswer(http.StatusOK, typeJSON, scenario.editJSON(stats))
		},
		metricsPath: func(r *http.Request) emulator.Answer { return page.answer(r, scenario) },
		healthPath:  func(*http.Request) emulator.Answer { return o.health() },
	}
	if err := paths.addFile(versionPath, http.StatusOK, "jigasi/about-version.constructed-master-2026-06-17.json"); err != nil {
		return nil, err
	}
	return newServer(o.Addr, paths, nil, scenario)
}

// health returns the response of the health check.
func (o *JigasiOptions) health() emulator.Answer {
	failed := func(reason string) emulator.Answer {
		return newAnswer(http.StatusInternalServerError, typeJSON, []byte(`{"reason":"`+reason+`"}`))
	}
	switch {
	case o.NotReady:
		return emulator.Answer{Status: http.StatusServiceUnavailable}
	case o.NoGateway:
		return failed("No gateways configured.")
	case o.Unhealthy:
		return failed("CallManager is not healthy.")
	}
	return newAnswer(http.StatusOK, typeJSON, []byte("{}"))
}
