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

func mediasoupFile(tb testing.TB, file string) string {
	tb.Helper()
	content, err := fs.ReadFile(testdata.Files, "mediasoup/"+file)
	require.NoError(tb, err)
	return string(content)
}

// fetch asks for a path, as a bearer of a token if there is one, and returns the status and the whole body.
func fetch(t *testing.T, server *Server, path, token string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := newClient(t).Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(content)
}

func TestEdumeetPages(t *testing.T) {
	for page, file := range map[string]string{
		"":                 "edumeet-default.prom",
		"default":          "edumeet-default.prom",
		"default-5s-later": "edumeet-default-5s-later.prom",
		"quiet":            "edumeet-default-quiet.prom",
		"aggregated":       "edumeet-aggregated.prom",
	} {
		t.Run(page, func(t *testing.T) {
			clock := newClock()
			server, err := NewEdumeet(Edumeet{Page: page, Secret: "s3cret", Now: clock.Now})
			require.NoError(t, err)
			t.Cleanup(server.Close)
			clock.advance(time.Hour)
			status, body := fetch(t, server, "/", "")
			assert.Equal(t, http.StatusOK, status, "the real server asks for no secret here")
			assert.Equal(t, mediasoupFile(t, file), body)
			status, body = fetch(t, server, "/metrics", "s3cret")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, mediasoupFile(t, "edumeet-aggregated.prom"), body)
			status, _ = fetch(t, server, "/metrics", "wrong")
			assert.Equal(t, http.StatusUnauthorized, status)
			status, _ = fetch(t, server, "/other", "")
			assert.Equal(t, http.StatusNotFound, status)
			assert.Equal(t, []string{"/", "/metrics", "/metrics", "/other"}, server.Requests())
		})
	}
	_, err := NewEdumeet(Edumeet{Page: "party"})
	assert.ErrorContains(t, err, `"party" is no captured page`)
}

func TestEdumeetMoves(t *testing.T) {
	clock := newClock()
	server, err := NewEdumeet(Edumeet{Moving: true, Now: clock.Now})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	_, body := fetch(t, server, "/", "")
	assert.Equal(t, mediasoupFile(t, "edumeet-default.prom"), body)
	clock.advance(edumeetUptime * time.Second)
	_, body = fetch(t, server, "/", "")
	assert.Contains(t, body, "type=\"outbound-rtp\"} 445106\n", "222,553 bytes twice")
	assert.Contains(t, body, "\nedumeet_peers{room_id=\"room-a\"} 2\n")
	require.NoError(t, server.SetFault(restart))
	_, body = fetch(t, server, "/", "")
	assert.NotContains(t, body, "445106")
	assert.Contains(t, body, "type=\"outbound-rtp\"} 0\n")
}

func TestEdumeetFaults(t *testing.T) {
	server, err := NewEdumeet(Edumeet{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	page := mediasoupFile(t, "edumeet-default.prom")
	for fault, want := range map[string]string{
		"wrong_secret": "Unauthorized\n",
		"invalid_json": page[:len(page)/2],
		"wrong_types":  page, // there are none in text
		"html_404":     page404,
	} {
		require.NoError(t, server.SetFault(fault))
		_, body := fetch(t, server, "/", "")
		assert.Equal(t, want, body, fault)
	}
}
