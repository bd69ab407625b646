// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func startKamailioHTTP(t *testing.T, o KamailioHTTP) *Server {
	t.Helper()
	server, err := NewKamailioHTTP(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// postRPC sends a body and reads the answer.
func postRPC(t *testing.T, server *Server, body string) (reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+kamRPCPath, strings.NewReader(body))
	require.NoError(t, err)
	response, err := newClient(t).Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	answered, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{status: response.StatusCode, header: response.Header}, string(answered)
}

func readCapture(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, "kamailio/"+file)
	require.NoError(t, err)
	return string(content)
}

func TestJSONRPC(t *testing.T) {
	server := startKamailioHTTP(t, KamailioHTTP{Now: newClock().Now})
	files, err := fs.Glob(testdata.Files, kamRPCFolder+"/[^_]*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		method := strings.TrimSuffix(path.Base(file), ".json")
		want := readCapture(t, "jsonrpc/"+method+".json")
		id := regexp.MustCompile(`"id":\t(\d+)\n}$`).FindStringSubmatch(want)[1]
		response, got := postRPC(t, server, `{"jsonrpc":"2.0","method":"`+method+`","params":["all"],"id":`+id+`}`)
		assert.Equal(t, want, got, method)
		headers := readCapture(t, "jsonrpc/"+method+".headers")
		assert.Contains(t, headers, fmt.Sprintf("HTTP/1.1 %d ", response.status), method)
		assert.Contains(t, headers, "Sia: "+response.header.Get("Sia")+"\r\n", method)
		assert.Equal(t, "kamailio-test", response.header.Get("Server"))
		assert.Equal(t, "application/json", response.header.Get("Content-Type"))
	}
	assert.Contains(t, server.Requests(), "core.uptime")
}

func TestJSONRPCForms(t *testing.T) {
	server := startKamailioHTTP(t, KamailioHTTP{})
	_, withoutID := postRPC(t, server, `{"jsonrpc":"2.0","method":"core.uptime"}`)
	assert.Equal(t, strings.Replace(readCapture(t, "jsonrpc/core.uptime.json"), ",\n\t\"id\":\t5", "", 1), withoutID)
	_, batch := postRPC(t, server, ` [{"method":"core.uptime","id":1}]`)
	assert.Equal(t, readCapture(t, "jsonrpc/_batch.json"), batch)
	for _, method := range []string{"core.kill", "_batch"} {
		response, fault := postRPC(t, server, `{"method":"`+method+`","id":"x"}`)
		assert.Equal(t, http.StatusInternalServerError, response.status)
		assert.Contains(t, fault, "\"Method Not Found\"\n\t},\n\t\"id\":\t\"x\"\n}")
	}
	assert.Equal(t, http.StatusNotFound, do(t, newClient(t), http.MethodGet, server.URL()+"/").status)
	assert.Equal(t, []string{"core.uptime", "/RPC", "core.kill", "_batch", "/"}, server.Requests())
}

// As measured: what is no JSON is never answered.
func TestJSONRPCWithoutJSON(t *testing.T) {
	server := startKamailioHTTP(t, KamailioHTTP{})
	for _, body := range []string{"", `{"method":`} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL()+kamRPCPath, strings.NewReader(body))
		require.NoError(t, err)
		response, err := newClient(t).Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
}

func TestJSONRPCCounters(t *testing.T) {
	now := newClock()
	server := startKamailioHTTP(t, KamailioHTTP{Moving: true, Now: now.Now})
	result := func(method string) map[string]any {
		_, body := postRPC(t, server, `{"method":"`+method+`","id":1}`)
		var answered struct{ Result map[string]any }
		require.NoError(t, json.Unmarshal([]byte(body), &answered))
		return answered.Result
	}
	before := result("stats.fetch")
	assert.Equal(t, "18446744073709551469", before["script.my_negative"])
	now.advance(15 * time.Second) // twice the captured uptime
	assert.InDelta(t, 30, result("core.uptime")["uptime"], 0)
	assert.InDelta(t, 114, result("tm.stats")["total"], 0)
	after := result("stats.fetch")
	assert.Equal(t, "18446744073709551322", after["script.my_negative"])
	assert.Equal(t, before["shmem.used_size"], after["shmem.used_size"])
	assert.Len(t, after, len(before))

	require.NoError(t, server.SetFault(restart))
	assert.InDelta(t, 0, result("core.uptime")["uptime"], 0)
	assert.Equal(t, "0", result("stats.fetch")["core.rcv_requests"])
}

func TestKamailioPage(t *testing.T) {
	server := startKamailioHTTP(t, KamailioHTTP{})
	response := do(t, newClient(t), http.MethodGet, server.URL()+metricsPath)
	body, err := io.ReadAll(response.body)
	require.NoError(t, err)
	assert.Equal(t, readCapture(t, "prometheus/xhttp_prom.txt"), string(body))
	assert.Equal(t, "text/plain; version=0.0.4", response.header.Get("Content-Type"))
}

// The faults are those of HTTP; only the secret is the system's own matter.
func TestKamailioHTTPFaults(t *testing.T) {
	server := startKamailioHTTP(t, KamailioHTTP{})
	require.NoError(t, server.SetFault("wrong_secret", "core.uptime"))
	response, _ := postRPC(t, server, `{"method":"core.uptime","id":1}`)
	assert.Equal(t, http.StatusUnauthorized, response.status)
	assert.NotEmpty(t, response.header.Get("Www-Authenticate"))
	response, _ = postRPC(t, server, `{"method":"core.version","id":1}`)
	assert.Equal(t, http.StatusOK, response.status)
	require.NoError(t, server.SetFault("wrong_types", "core.uptime"))
	_, body := postRPC(t, server, `{"method":"core.uptime","id":1}`)
	assert.Contains(t, body, `"uptime":{"value":15}`)
	require.NoError(t, server.SetFault("html_404", metricsPath))
	assert.Equal(t, http.StatusNotFound, do(t, newClient(t), http.MethodGet, server.URL()+metricsPath).status)
}
