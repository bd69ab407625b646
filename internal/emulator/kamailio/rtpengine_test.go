// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

func startRTPEngine(t *testing.T, o RTPEngineOptions) (server *emulator.Server, page func() string) {
	t.Helper()
	server = emulatortest.Start(t, NewRTPEngine, o)
	return server, func() string {
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+metricsPath)
		assert.Equal(t, "text/plain", response.Header.Get("Content-Type"))
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
}

func TestRTPEngine(t *testing.T) {
	now := emulatortest.NewClock()
	server, page := startRTPEngine(t, RTPEngineOptions{Now: now.Now})
	captured := capture(t, "prometheus/rtpengine.txt")
	now.Advance(time.Hour)
	assert.Equal(t, captured, page())
	assert.Equal(t, http.StatusNotFound, emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/other").Status)
	assert.Equal(t, []string{"/metrics", "/other"}, server.Requests())

	require.NoError(t, server.SetFault(emulator.Restart))
	assert.Contains(t, page(), "\nrtpengine_uptime_seconds 0\n")
	assert.Contains(t, page(), "\nrtpengine_call_duration_total 0.000000\n")
	assert.Contains(t, page(), "\nrtpengine_sessions{type=\"own\"} 6\n")
}

func TestRTPEngineCounters(t *testing.T) {
	now := emulatortest.NewClock()
	_, page := startRTPEngine(t, RTPEngineOptions{Moving: true, Now: now.Now})
	captured := capture(t, "prometheus/rtpengine.txt")
	assert.Equal(t, captured, page())
	now.Advance(687 * time.Second) // twice the captured uptime
	moved := page()
	for _, line := range []string{
		"rtpengine_uptime_seconds 1374",
		"rtpengine_sessions_total 92",
		`rtpengine_closed_sessions_total{reason="terminated"} 80`,
		`rtpengine_requests_total{proxy="127.0.0.1",request="offer"} 104`,
		`rtpengine_request_seconds_total{proxy="127.0.0.1",request="ping"} 0.000006`,
		"rtpengine_call_duration_total 732.091546",
		`rtpengine_sessions{type="own"} 6`,
	} {
		assert.Contains(t, moved, "\n"+line+"\n")
	}
	assert.Equal(t, strings.Count(captured, "\n"), strings.Count(moved, "\n"))
}
