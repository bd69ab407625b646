// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Jibri are the options of an emulated Jibri.
type Jibri struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Busy makes it record from the beginning.
	Busy bool
	// Metrics turns /metrics on, which is off as servers are delivered.
	Metrics bool
	// Unhealthy makes it say that it is not well; what it says of the reasons was not captured.
	Unhealthy bool
	// Moving makes a recording begin and end with Now. It does so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const jibriHealthPath = "/jibri/api/v1.0/health"

// jibriChanging are the paths that begin and end recordings.
var jibriChanging = []string{"/jibri/api/v1.0/startService", "/jibri/api/v1.0/stopService"}

// jibriResets are the values that are 0 after a restart.
var jibriResets = regexp.MustCompile(`^recording$|_total$`)

type jibri struct {
	Jibri
	life       *jitsiLife
	page       jitsiPage
	idle, busy []byte
}

// NewJibri starts an emulated Jibri.
func NewJibri(o Jibri) (*Server, error) {
	j := &jibri{Jibri: o}
	j.life = newJitsiLife("jitsi_jibri_", []jitsiValue{
		{page: "sessions_started_total", moves: jitsiMidwayBegun},
		{page: "sessions_stopped_total", moves: jitsiOnEnd(1)},
	}, jibriResets, o.Now, o.Moving)
	var err error
	if j.page, err = readJitsiPage("jibri/metrics.constructed-master-2026-08-05"); err != nil {
		return nil, err
	}
	if j.idle, err = fs.ReadFile(testdata.Files, "jitsi/jibri/health.idle.json"); err != nil {
		return nil, err
	}
	if j.busy, err = fs.ReadFile(testdata.Files, "jitsi/jibri/health.busy.constructed.json"); err != nil {
		return nil, err
	}
	paths := jitsiPaths{jibriHealthPath: j.health}
	if o.Metrics {
		paths[metricsPath] = j.metrics
	}
	return newJitsi(o.Addr, paths, jibriChanging, j.life.restart)
}

// records says whether a recording goes on; a restart ends that of the beginning.
func (j *jibri) records() bool {
	at, restarted, _ := j.life.state()
	return at.midway() == 1 || j.Busy && !restarted
}

func (j *jibri) health(*http.Request) answer {
	body := j.idle
	if j.records() {
		body = j.busy
	}
	if j.Unhealthy {
		body = bytes.Replace(body, []byte(`"HEALTHY"`), []byte(`"UNHEALTHY"`), 1)
	}
	return jitsiAnswer(http.StatusOK, jitsiJSON, body)
}

// jibriRecording is the line that says whether a recording goes on. That of the capture goes on.
var jibriRecording = regexp.MustCompile(`(?m)^(jitsi_jibri_recording) \S+$`)

func (j *jibri) metrics(r *http.Request) answer {
	answered := j.page.answer(r, j.life)
	recording := []byte("$1 0.0")
	if j.records() {
		recording = []byte("$1 1.0")
	}
	answered.body = jitsiIll(jibriRecording.ReplaceAll(answered.body, recording), j.Unhealthy)
	return answered
}
