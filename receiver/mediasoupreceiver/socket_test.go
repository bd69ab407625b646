// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// startOnSocket starts a server on a new Unix socket and returns its path.
func startOnSocket(t *testing.T, handler http.Handler) (path string, server *httptest.Server) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "0.sock")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	server = httptest.NewUnstartedServer(handler)
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return path, server
}

// TestSocket checks that requests through a socket are those of a URL, and that path and machine identify the application.
func TestSocket(t *testing.T) {
	body := captured(t, "snapshot-3.12.16-a.json")
	path, server := startOnSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "localhost", r.Host)
		assert.Equal(t, "/v1/snapshot?stats=workers%2Ctransports%2Cproducers%2Cconsumers", r.RequestURI)
		assert.Equal(t, "Bearer "+testToken, r.Header.Get("Authorization"))
		assert.Equal(t, "a", r.Header.Get("X-Additional"))
		_, _ = w.Write([]byte(body))
	}))
	edit := func(c *Config) {
		c.ClientConfig.Headers = configopaque.MapList{{Name: "X-Additional", Value: "a"}}
		c.ClientConfig.ProxyURL = "http://127.0.0.1:1" // is not used
	}
	s, _ := startSystem(t, "unix://"+path, edit)
	metrics := scrapeOnce(t, s)
	rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), "3.12.16_a", rtctest.Points(t, metrics))

	machine, err := os.Hostname()
	require.NoError(t, err)
	resource := metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, machine+":"+path, resource["service.instance.id"])
	assert.Equal(t, path, resource["server.address"])
	assert.NotContains(t, resource, "server.port")

	server.Close() // removes the file
	_, err = s.Scrape(t.Context())
	require.ErrorContains(t, err, "no such file or directory: check that the application runs, that the setting endpoint names its socket, "+
		"and that the collector may write to it")
}

// TestAbandonedSocket checks that a socket without a process that listens is an application that is down.
func TestAbandonedSocket(t *testing.T) {
	path, server := startOnSocket(t, http.NotFoundHandler())
	server.Listener.(*net.UnixListener).SetUnlinkOnClose(false)
	server.Close()
	require.FileExists(t, path)
	s, _ := startSystem(t, "unix://"+path, nil)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "connection refused: check that the application runs")
	assert.Equal(t, 1, byMetric(metrics)["rtc.target.up"])
}
