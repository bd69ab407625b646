// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// startJitsi starts one of the four servers of Jitsi.
func startJitsi[O any](t *testing.T, start func(O) (*Server, error), o O) *Server {
	t.Helper()
	server, err := start(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// ask sends a request that accepts this, nothing in particular when it is empty.
func ask(t *testing.T, server *Server, method, path, accept string) (reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := newClient(t).Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{status: response.StatusCode, header: response.Header}, string(body)
}

func readJitsi(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	require.NoError(t, err)
	return string(content)
}

// Without Moving the captured bytes are answered, however much time goes by.
func TestJVBCaptured(t *testing.T) {
	for version, sample := range jvbSamples {
		t.Run(version, func(t *testing.T) {
			now := newClock()
			server := startJitsi(t, NewJVB, JVB{Version: version, Stats: true, Now: now.Now})
			now.advance(time.Hour)
			response, stats := ask(t, server, http.MethodGet, jvbStatsPath, "")
			assert.Equal(t, http.StatusOK, response.status)
			assert.Equal(t, "application/json", response.header.Get("Content-Type"))
			assert.Equal(t, readJitsi(t, "jvb/colibri-stats."+sample.stats+".json"), stats)
			response, _ = ask(t, server, http.MethodGet, metricsPath, "text/plain")
			assert.Equal(t, sample.page != "", response.status == http.StatusOK)
		})
	}
	_, err := NewJVB(JVB{Version: "3.0"})
	assert.ErrorContains(t, err, `nothing was captured of version "3.0", there are 1.x, 2.1.169,`)
}
