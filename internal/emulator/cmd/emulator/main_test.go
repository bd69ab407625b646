// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-zlmediakit", "127.0.0.1:0", "-streams", "3", "-secret", "demo", "-scene", "busy"}, in)
	}()
	line := make([]byte, 200)
	n, err := out.Read(line)
	require.NoError(t, err)
	words := strings.Fields(string(line[:n]))
	require.Greater(t, len(words), 3)
	address := strings.TrimSuffix(words[3], ",")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/index/api/getMediaList?secret=demo", http.NoBody)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, 15, strings.Count(string(body), `"schema"`))

	cancel()
	assert.NoError(t, <-done)
}

// Every system is announced, and answers or at least accepts.
func TestRunAll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	socket := t.TempDir() + "/ctl"
	go func() {
		done <- run(ctx, []string{
			"-zlmediakit", "", "-kamailio", socket, "-targets", "7", "-kamailio-http", "127.0.0.1:0", "-rtpengine", "127.0.0.1:0",
			"-jvb", "127.0.0.1:0", "-jvb-version", "2.3.92", "-jicofo", "127.0.0.1:0", "-bridges", "7", "-jigasi", "127.0.0.1:0", "-jibri", "127.0.0.1:0",
			"-mediasoup", "127.0.0.1:0", "-mediasoup-consumers", "20", "-edumeet", "127.0.0.1:0",
			"-flussonic", "127.0.0.1:0", "-flussonic-streams", "7", "-flussonic-generation", "23.10",
		}, in)
	}()
	lines := bufio.NewScanner(out)
	for _, want := range []string{
		"^kamailio answers at unix://" + socket + "$",
		`^kamailio-http answers at (http://127\.0\.0\.1:\d+), its faults are listed at http://127\.0\.0\.1:\d+/_emulator/faults$`,
		`^rtpengine answers at http://127\.0\.0\.1:\d+,`,
		`^jvb answers at http://127\.0\.0\.1:\d+,`,
		`^jicofo answers at http://127\.0\.0\.1:\d+,`,
		`^jigasi answers at http://127\.0\.0\.1:\d+,`,
		`^jibri answers at http://127\.0\.0\.1:\d+,`,
		`^mediasoup answers at http://127\.0\.0\.1:\d+,`,
		`^edumeet answers at http://127\.0\.0\.1:\d+,`,
		`^flussonic answers at http://127\.0\.0\.1:\d+,`,
	} {
		require.True(t, lines.Scan())
		assert.Regexp(t, want, lines.Text())
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", socket)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	cancel()
	assert.NoError(t, <-done)
}

func TestRunFails(t *testing.T) {
	for name, args := range map[string][]string{
		"flag":       {"-nothing"},
		"scene":      {"-zlmediakit", "127.0.0.1:0", "-scene", "party"},
		"version":    {"-zlmediakit", "", "-jvb", "127.0.0.1:0", "-jvb-version", "3"},
		"later":      {"-zlmediakit", "127.0.0.1:0", "-kamailio", "nowhere"},
		"scale":      {"-zlmediakit", "", "-mediasoup", "127.0.0.1:0", "-mediasoup-consumers", "-1"},
		"generation": {"-zlmediakit", "", "-flussonic", "127.0.0.1:0", "-flussonic-generation", "19.04"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Error(t, run(t.Context(), args, io.Discard))
		})
	}
}
