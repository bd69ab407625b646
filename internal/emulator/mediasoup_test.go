// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func startMediasoup(t *testing.T, o Mediasoup) *Server {
	t.Helper()
	server, err := NewMediasoup(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

func TestMediasoupCaptures(t *testing.T) {
	for option, capture := range map[string]string{
		"": "3.12.16-a", "3.12.16-b": "3.12.16-b", "3.27.1-a": "3.27.1-a", "3.27.1-b": "3.27.1-b", "3.7.19-a": "3.7.19-a", "3.7.19-b": "3.7.19-b",
	} {
		t.Run(capture, func(t *testing.T) {
			clock := newClock()
			server := startMediasoup(t, Mediasoup{Capture: option, Now: clock.Now})
			clock.advance(time.Hour)
			status, body := fetch(t, server, "/v1/snapshot", "")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, mediasoupFile(t, "snapshot-"+capture+".json"), body)
		})
	}
	_, err := NewMediasoup(Mediasoup{Capture: "2.0.0-a"})
	assert.ErrorContains(t, err, `"2.0.0-a" is no captured snapshot`)
}

func TestMediasoupContract(t *testing.T) {
	server := startMediasoup(t, Mediasoup{Token: "t0ken"})
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/v1/snapshot", "t0ken", http.StatusOK},
		{"/v1/snapshot", "wrong", http.StatusUnauthorized},
		{"/v1/snapshot", "", http.StatusUnauthorized},
		{"/v1/health", "t0ken", http.StatusOK},
		{"/v1/health", "", http.StatusUnauthorized},
		{"/v2/snapshot", "t0ken", http.StatusNotFound},
		{"/", "", http.StatusNotFound},
	} {
		status, body := fetch(t, server, c.path, c.token)
		assert.Equal(t, c.status, status, c)
		assert.True(t, json.Valid([]byte(body)), c)
	}
	response := do(t, newClient(t), http.MethodPost, server.URL()+"/v1/snapshot")
	assert.Equal(t, http.StatusMethodNotAllowed, response.status)
	assert.Equal(t, "GET", response.header.Get("Allow"))
}

func TestMediasoupPacks(t *testing.T) {
	w := dial(t, startMediasoup(t, Mediasoup{}))
	_, err := io.WriteString(w.Conn, "GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(w.Reader, nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
	content, err := gzip.NewReader(response.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(content)
	require.NoError(t, err)
	assert.Equal(t, mediasoupFile(t, "snapshot-3.12.16-a.json"), string(body))
}
