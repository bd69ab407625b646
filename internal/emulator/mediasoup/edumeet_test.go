// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"io/fs"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// readCapture reads a file of testdata/mediasoup.
func readCapture(tb testing.TB, file string) string {
	tb.Helper()
	content, err := fs.ReadFile(testdata.Files, "mediasoup/"+file)
	require.NoError(tb, err)
	return string(content)
}

// fetch requests a path, with a bearer token unless it is empty, and returns the status and the complete body.
func fetch(t *testing.T, server *emulator.Server, path, token string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	reply, body := emulatortest.Read(t, request)
	return reply.Status, body
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
			clock := emulatortest.NewClock()
			server := emulatortest.Start(t, NewEdumeet, EdumeetOptions{Page: page, Secret: "s3cret", Now: clock.Now})
			clock.Advance(time.Hour)
			status, body := fetch(t, server, "/", "")
			assert.Equal(t, http.StatusOK, status, "the real server requires no secret here")
			assert.Equal(t, readCapture(t, file), body)
			status, body = fetch(t, server, "/metrics", "s3cret")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, readCapture(t, "edumeet-aggregated.prom"), body)
			status, _ = fetch(t, server, "/metrics", "wrong")
			assert.Equal(t, http.StatusUnauthorized, status)
			status, _ = fetch(t, server, "/other", "")
			assert.Equal(t, http.StatusNotFound, status)
			assert.Equal(t, []string{"/", "/metrics", "/metrics", "/other"}, server.Requests())
		})
	}
	_, err := NewEdumeet(EdumeetOptions{Page: "party"})
	assert.ErrorContains(t, err, `"party" is no captured page`)
}

func TestEdumeetMoves(t *testing.T) {
	clock := emulatortest.NewClock()
	server := emulatortest.Start(t, NewEdumeet, EdumeetOptions{Moving: true, Now: clock.Now})
	_, body := fetch(t, server, "/", "")
	assert.Equal(t, readCapture(t, "edumeet-default.prom"), body)
	clock.Advance(edumeetUptime * time.Second)
	_, body = fetch(t, server, "/", "")
	assert.Contains(t, body, "type=\"outbound-rtp\"} 445106\n", "222,553 bytes twice")
	assert.Contains(t, body, "\nedumeet_peers{room_id=\"room-a\"} 2\n")
	require.NoError(t, server.SetFault(emulator.Restart))
	_, body = fetch(t, server, "/", "")
	assert.NotContains(t, body, "445106")
	assert.Contains(t, body, "type=\"outbound-rtp\"} 0\n")
}

func TestEdumeetFaults(t *testing.T) {
	server := emulatortest.Start(t, NewEdumeet, EdumeetOptions{})
	page := readCapture(t, "edumeet-default.prom")
	for fault, want := range map[string]string{
		"wrong_secret": "Unauthorized\n",
		"invalid_json": page[:len(page)/2],
		"wrong_types":  page, // text has no types
		"html_404":     emulator.Page404,
	} {
		require.NoError(t, server.SetFault(fault))
		_, body := fetch(t, server, "/", "")
		assert.Equal(t, want, body, fault)
	}
}
