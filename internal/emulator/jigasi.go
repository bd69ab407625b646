// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Jigasi are the options of an emulated Jigasi.
type Jigasi struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Unhealthy makes the health check fail: status 500 with a reason.
	Unhealthy bool
	// NotReady leaves a gateway unready: the health check answers with status 503 and nothing else.
	NotReady bool
	// NoGateway leaves Jigasi without a gateway: the health check fails, and there are no statistics.
	NoGateway bool
	// Moving makes conferences come and go with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const jigasiStatsPath = "/about/stats"

// jigasiResets are the values that are 0 after a restart.
var jigasiResets = regexp.MustCompile(`^(total_|conferences$|participants$|conference_sizes|stress_level)`)

// jigasiValues are the values that move.
var jigasiValues = slices.Concat([]jitsiValue{
	{"conferences", "conferences", jitsiPerMeeting},
	{"participants", "participants", jitsiPerGuest(1)},
	{"stress_level", "stress_level", func(m jitsiMoment) float64 { return float64(m.meets()) / 100 }},
	{"total_participants", "total_participants_total", jitsiPerJoin},
	{"total_conferences_completed", "total_conferences_completed_total", jitsiOnEnd(1)},
	{"total_conference_seconds", "total_conference_seconds_total", jitsiOnEnd(jitsiEnd - jitsiJoinEvery)},
	{"total_transcriber_started", "total_transcriber_started_total", jitsiMidwayBegun},
	{"total_transcriber_stopped", "total_transcriber_stopped_total", jitsiOnEnd(1)},
	{"total_transcriber_ggl_millis", "total_transcriber_ggl_millis", jitsiOnEnd(1000 * (jitsiEnd - jitsiMidway))},
}, jitsiSizes("conference_sizes", jitsiMoment.guests))

// NewJigasi starts an emulated Jigasi.
func NewJigasi(o Jigasi) (*Server, error) {
	stats, err := fs.ReadFile(testdata.Files, "jitsi/jigasi/about-stats.constructed-master-2026-06-17.json")
	if err != nil {
		return nil, err
	}
	page, err := readJitsiPage("jigasi/metrics.constructed-master-2026-06-17")
	if err != nil {
		return nil, err
	}
	life := newJitsiLife("jitsi_jigasi_", jigasiValues, jigasiResets, o.Now, o.Moving)
	paths := jitsiPaths{
		jigasiStatsPath: func(*http.Request) answer {
			if o.NoGateway {
				return answer{status: http.StatusServiceUnavailable}
			}
			return jitsiAnswer(http.StatusOK, jitsiJSON, life.editJSON(stats))
		},
		metricsPath: func(r *http.Request) answer { return page.answer(r, life) },
		jitsiHealth: func(*http.Request) answer { return o.health() },
	}
	if err := paths.read(jitsiVersion, http.StatusOK, "jigasi/about-version.constructed-master-2026-06-17.json"); err != nil {
		return nil, err
	}
	return newJitsi(o.Addr, paths, nil, life.restart)
}

// health is the answer of the health check.
func (o *Jigasi) health() answer {
	failed := func(reason string) answer {
		return jitsiAnswer(http.StatusInternalServerError, jitsiJSON, []byte(`{"reason":"`+reason+`"}`))
	}
	switch {
	case o.NotReady:
		return answer{status: http.StatusServiceUnavailable}
	case o.NoGateway:
		return failed("No gateways configured.")
	case o.Unhealthy:
		return failed("CallManager is not healthy.")
	}
	return jitsiAnswer(http.StatusOK, jitsiJSON, []byte("{}"))
}
