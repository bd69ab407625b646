// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io"
	"io/fs"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func startFlussonic(t *testing.T, o Flussonic) *Server {
	t.Helper()
	server, err := NewFlussonic(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// fetch asks for a path and returns the whole body of an answer that is 200.
func fetch(t *testing.T, server *Server, path string) string {
	t.Helper()
	response := do(t, newClient(t), http.MethodGet, server.URL()+path)
	body, err := io.ReadAll(response.body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.status, string(body))
	return string(body)
}

func flussonicCapture(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, flussonicFolder+file)
	require.NoError(t, err)
	return string(content)
}

const (
	v3      = "/streamer/api/v3/"
	v3alias = "/flussonic/api/v3/"
)

func TestFlussonicCapturedAnswers(t *testing.T) {
	for _, c := range []struct{ generation, path, file string }{
		{"", v3 + "config/stats", "api-v3/25.11/config_stats.json"},
		{"25.11", v3alias + "config/stats?select=now", "api-v3/25.11/config_stats.json"},
		{"25.11", v3 + "streams?limit=2", "api-v3/25.11/streams_page1.json"},
		{"25.11", v3 + "streams?limit=2&cursor=JTI0cG9zaXRpb25fZ3Q9MQ%3D%3D", "api-v3/25.11/streams_page2.json"},
		{"25.11", v3 + "streams?limit=2&cursor=JTI0cG9zaXRpb25fZ3Q9Mw%3D%3D", "api-v3/25.11/streams_page3.json"},
		{"25.11", v3 + "sessions", "api-v3/25.11/sessions.json"},
		{"25.11", v3 + "dvrs?limit=1000", "api-v3/25.11/dvrs.json"},
		{"25.11", v3 + "dvb_cards", "api-v3/25.11/dvb_cards.json"},
		{"25.11", v3alias + "vods/opened_files", "api-v3/25.11/opened_files.json"},
		{"25.11", v3 + "cluster/peers", "api-v3/25.11/peers.json"},
		{"25.11", v3 + "monitoring/liveness", "api-v3/25.11/liveness.json"},
		{"25.11", v3 + "monitoring/readiness", "api-v3/25.11/readiness.json"},
		{"23.10", v3 + "config/stats", "api-v3/23.10/config_stats.json"},
		{"23.10", v3 + "streams", "api-v3/23.10/streams.json"},
		{"23.10", v3 + "sessions", "api-v3/full-23.10/sessions.json"},
		{"23.10", v3 + "monitoring/readiness", "api-v3/23.10/readiness.json"},
		{"23.01", v3 + "config/stats", "api-v3/23.01/config_stats.json"},
		{"23.01", v3 + "streams", "api-v3/23.01/streams.json"},
		{"23.01", v3 + "streams?format=openmetrics", "api-v3/23.01/streams.json"},
		{"full-23.10", v3 + "config/stats", "api-v3/full-23.10/config_stats.json"},
		{"25.11", v3 + "streams?format=openmetrics", "prometheus/openmetrics-streams.txt"},
		{"23.10", v3 + "config?format=openmetrics", "prometheus/openmetrics-config.txt"},
		{"25.11", flussonicMetrics, "prometheus/metrics-typed.prom"},
		{"25.11", "/flussonic/api/server", "legacy/server.json"},
		{"legacy", "/flussonic/api/server", "legacy/server.json"},
		{"legacy", "/flussonic/api/media", "legacy/media.json"},
		{"23.10", "/flussonic/api/sessions", "legacy/sessions.json"},
	} {
		t.Run(c.generation+" "+c.path, func(t *testing.T) {
			server := startFlussonic(t, Flussonic{Generation: c.generation, Now: newClock().Now})
			assert.Equal(t, flussonicCapture(t, c.file), fetch(t, server, c.path))
		})
	}
}
