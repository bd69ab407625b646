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

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
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

// TestRunAll checks that every server of every system is announced and that the socket accepts connections.
func TestRunAll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	socket := t.TempDir() + "/ctl"
	args := []string{
		"-life", "1", "-targets", "7", "-jvb-version", "2.3.92", "-bridges", "7", "-mediasoup-consumers", "20", "-flussonic-streams", "7", "-flussonic-generation", "23.10",
	}
	const http = `http://127\.0\.0\.1:\d+`
	var announced []string
	for _, system := range systems.All {
		for _, s := range system.Servers {
			address, line := "127.0.0.1:0", "^"+s.Name+" answers at "+http+", its faults are listed at "+http+"/_emulator/faults$"
			if s.Name == "kamailio" {
				address, line = socket, "^kamailio answers at unix://"+socket+"$"
			}
			args = append(args, "-"+s.Name, address)
			announced = append(announced, line)
		}
	}
	go func() { done <- run(ctx, args, in) }()
	lines := bufio.NewScanner(out)
	for _, line := range announced {
		require.True(t, lines.Scan())
		assert.Regexp(t, line, lines.Text())
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
