// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"bytes"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// JibriOptions configures an emulated Jibri.
type JibriOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Busy starts it with a recording.
	Busy bool
	// Metrics enables /metrics, which servers disable by default.
	Metrics bool
	// Unhealthy makes it report that it is unhealthy, without the reasons that a real one gives, which were not captured.
	Unhealthy bool
	// Moving makes a recording begin and end with Now. After a restart, this always happens.
	Moving bool
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const jibriHealthPath = "/jibri/api/v1.0/health"

// jibriChanging lists the paths that start and stop recordings.
var jibriChanging = []string{"/jibri/api/v1.0/startService", "/jibri/api/v1.0/stopService"}

// jibriResets matches the values that are 0 after a restart.
var jibriResets = regexp.MustCompile(`^recording$|_total$`)

type jibri struct {
	JibriOptions
	scenario   *scenario
	page       metricsPage
	idle, busy []byte
}

// NewJibri starts an emulated Jibri.
func NewJibri(o JibriOptions) (*emulator.Server, error) {
	j := &jibri{JibriOptions: o}
	j.scenario = newScenario("jitsi_jibri_", []movingValue{
		{page: "sessions_started_total", delta: perMidwayBegun},
		{page: "sessions_stopped_total", delta: perEnded(1)},
	}, jibriResets, o.Now, o.Moving, 0)
	var err error
	if j.page, err = readPage("jibri/metrics.constructed-master-2026-08-05"); err != nil {
		return nil, err
	}
	if j.idle, err = fs.ReadFile(testdata.Files, "jitsi/jibri/health.idle.json"); err != nil {
		return nil, err
	}
	if j.busy, err = fs.ReadFile(testdata.Files, "jitsi/jibri/health.busy.constructed.json"); err != nil {
		return nil, err
	}
	paths := handlers{
		jibriHealthPath: j.health,
		otherPaths:      func(*http.Request) emulator.Answer { return emulator.Answer{Status: http.StatusNotFound} },
	}
	if o.Metrics {
		paths[metricsPath] = j.metrics
	}
	return newServer(o.Addr, paths, jibriChanging, j.scenario)
}

// isRecording reports whether there is a recording. A restart ends that of Busy.
func (j *jibri) isRecording() bool {
	at, restarted := j.scenario.state()
	return at.midway() == 1 || j.Busy && !restarted
}

func (j *jibri) health(*http.Request) emulator.Answer {
	body := j.idle
	if j.isRecording() {
		body = j.busy
	}
	if j.Unhealthy {
		body = bytes.Replace(body, []byte(`"HEALTHY"`), []byte(`"UNHEALTHY"`), 1)
	}
	return newAnswer(http.StatusOK, typeJSON, body)
}

// jibriRecording matches the line that shows whether there is a recording.
var jibriRecording = regexp.MustCompile(`(?m)^(jitsi_jibri_recording) \S+$`)

func (j *jibri) metrics(r *http.Request) emulator.Answer {
	answered := j.page.answer(r, j.scenario)
	recording := []byte("$1 0.0")
	if j.isRecording() {
		recording = []byte("$1 1.0")
	}
	answered.Body = setHealth(jibriRecording.ReplaceAll(answered.Body, recording), j.Unhealthy)
	return answered
}
