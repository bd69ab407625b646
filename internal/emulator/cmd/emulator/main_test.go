// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
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

func TestRunFails(t *testing.T) {
	for name, args := range map[string][]string{
		"flag":  {"-nothing"},
		"scene": {"-zlmediakit", "127.0.0.1:0", "-scene", "party"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Error(t, run(t.Context(), args, io.Discard))
		})
	}
}
