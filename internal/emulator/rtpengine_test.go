// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startRTPEngine(t *testing.T, o RTPEngine) (server *Server, page func() string) {
	t.Helper()
	server, err := NewRTPEngine(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server, func() string {
		response := do(t, newClient(t), http.MethodGet, server.URL()+metricsPath)
		assert.Equal(t, "text/plain", response.header.Get("Content-Type"))
		body, err := io.ReadAll(response.body)
		require.NoError(t, err)
		return string(body)
	}
}

func TestRTPEngine(t *testing.T) {
	now := newClock()
	server, page := startRTPEngine(t, RTPEngine{Now: now.Now})
	captured := readCapture(t, "prometheus/rtpengine.txt")
	now.advance(time.Hour)
	assert.Equal(t, captured, page())
	assert.Equal(t, http.StatusNotFound, do(t, newClient(t), http.MethodGet, server.URL()+"/other").status)
	assert.Equal(t, []string{"/metrics", "/other"}, server.Requests())

	require.NoError(t, server.SetFault(restart))
	assert.Contains(t, page(), "\nrtpengine_uptime_seconds 0\n")
	assert.Contains(t, page(), "\nrtpengine_call_duration_total 0.000000\n")
	assert.Contains(t, page(), "\nrtpengine_sessions{type=\"own\"} 6\n")
}

func TestRTPEngineCounters(t *testing.T) {
	now := newClock()
	_, page := startRTPEngine(t, RTPEngine{Moving: true, Now: now.Now})
	captured := readCapture(t, "prometheus/rtpengine.txt")
	assert.Equal(t, captured, page())
	now.advance(687 * time.Second) // twice the captured uptime
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
