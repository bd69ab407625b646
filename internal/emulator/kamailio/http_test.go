// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func startHTTP(t *testing.T, o HTTPOptions) *emulator.Server {
	t.Helper()
	return emulatortest.Start(t, NewHTTP, o)
}

// postRPC sends a body and reads the response.
func postRPC(t *testing.T, server *emulator.Server, body string) (emulatortest.Reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+rpcPath, strings.NewReader(body))
	require.NoError(t, err)
	return emulatortest.Read(t, request)
}

func capture(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, "kamailio/"+file)
	require.NoError(t, err)
	return string(content)
}

func TestJSONRPC(t *testing.T) {
	server := startHTTP(t, HTTPOptions{Now: emulatortest.NewClock().Now})
	files, err := fs.Glob(testdata.Files, rpcFolder+"/[^_]*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		method := strings.TrimSuffix(path.Base(file), ".json")
		want := capture(t, "jsonrpc/"+method+".json")
		id := regexp.MustCompile(`"id":\t(\d+)\n}$`).FindStringSubmatch(want)[1]
		response, got := postRPC(t, server, `{"jsonrpc":"2.0","method":"`+method+`","params":["all"],"id":`+id+`}`)
		assert.Equal(t, want, got, method)
		headers := capture(t, "jsonrpc/"+method+".headers")
		assert.Contains(t, headers, fmt.Sprintf("HTTP/1.1 %d ", response.Status), method)
		assert.Contains(t, headers, "Sia: "+response.Header.Get("Sia")+"\r\n", method)
		assert.Equal(t, "kamailio-test", response.Header.Get("Server"))
		assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	}
	assert.Contains(t, server.Requests(), "core.uptime")
}

func TestJSONRPCForms(t *testing.T) {
	server := startHTTP(t, HTTPOptions{})
	_, withoutID := postRPC(t, server, `{"jsonrpc":"2.0","method":"core.uptime"}`)
	assert.Equal(t, strings.Replace(capture(t, "jsonrpc/core.uptime.json"), ",\n\t\"id\":\t5", "", 1), withoutID)
	_, batch := postRPC(t, server, ` [{"method":"core.uptime","id":1}]`)
	assert.Equal(t, capture(t, "jsonrpc/_batch.json"), batch)
	for _, method := range []string{"core.kill", "_batch"} {
		response, fault := postRPC(t, server, `{"method":"`+method+`","id":"x"}`)
		assert.Equal(t, http.StatusInternalServerError, response.Status)
		assert.Contains(t, fault, "\"Method Not Found\"\n\t},\n\t\"id\":\t\"x\"\n}")
	}
	other := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/")
	assert.Equal(t, http.StatusNotFound, other.Status)
	assert.Equal(t, "kamailio-test", other.Header.Get("Server"))
	assert.Regexp(t, "^SIP/2.0/TCP ", other.Header.Get("Sia"))
	assert.Equal(t, "text/plain", other.Header.Get("Content-Type"))
	assert.Equal(t, []string{"core.uptime", "/RPC", "core.kill", "_batch", "/"}, server.Requests())
}

// TestJSONRPCWithoutJSON checks that a request that is not JSON gets no response, as on a real server.
func TestJSONRPCWithoutJSON(t *testing.T) {
	server := startHTTP(t, HTTPOptions{})
	for _, body := range []string{"", `{"method":`} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL()+rpcPath, strings.NewReader(body))
		require.NoError(t, err)
		response, err := emulatortest.NewClient(t).Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
}

func TestJSONRPCCounters(t *testing.T) {
	now := emulatortest.NewClock()
	server := startHTTP(t, HTTPOptions{Moving: true, Now: now.Now})
	result := func(method string) map[string]any {
		_, body := postRPC(t, server, `{"method":"`+method+`","id":1}`)
		var answered struct{ Result map[string]any }
		require.NoError(t, json.Unmarshal([]byte(body), &answered))
		return answered.Result
	}
	before := result("stats.fetch")
	assert.Equal(t, "18446744073709551469", before["script.my_negative"])
	now.Advance(15 * time.Second) // twice the captured uptime
	assert.InDelta(t, 30, result("core.uptime")["uptime"], 0)
	assert.InDelta(t, 114, result("tm.stats")["total"], 0)
	after := result("stats.fetch")
	assert.Equal(t, "18446744073709551322", after["script.my_negative"])
	assert.Equal(t, before["shmem.used_size"], after["shmem.used_size"])
	assert.Len(t, after, len(before))

	require.NoError(t, server.SetFault(emulator.Restart))
	assert.InDelta(t, 0, result("core.uptime")["uptime"], 0)
	assert.Equal(t, "0", result("stats.fetch")["core.rcv_requests"])
}

func TestHTTPPage(t *testing.T) {
	server := startHTTP(t, HTTPOptions{})
	response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+metricsPath)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, capture(t, "prometheus/xhttp_prom.txt"), string(body))
	assert.Equal(t, "text/plain; version=0.0.4", response.Header.Get("Content-Type"))
}

// TestHTTPFaults checks the faults of HTTP, and the response to a wrong secret, which differs.
func TestHTTPFaults(t *testing.T) {
	server := startHTTP(t, HTTPOptions{})
	require.NoError(t, server.SetFault("wrong_secret", "core.uptime"))
	response, _ := postRPC(t, server, `{"method":"core.uptime","id":1}`)
	assert.Equal(t, http.StatusUnauthorized, response.Status)
	assert.NotEmpty(t, response.Header.Get("Www-Authenticate"))
	response, _ = postRPC(t, server, `{"method":"core.version","id":1}`)
	assert.Equal(t, http.StatusOK, response.Status)
	require.NoError(t, server.SetFault("wrong_types", "core.uptime"))
	_, body := postRPC(t, server, `{"method":"core.uptime","id":1}`)
	assert.Contains(t, body, `"uptime":{"value":15}`)
	require.NoError(t, server.SetFault("html_404", metricsPath))
	assert.Equal(t, http.StatusNotFound, emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+metricsPath).Status)
}
