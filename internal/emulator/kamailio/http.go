// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// HTTPOptions configures the HTTP server of an emulated Kamailio: JSON-RPC at /RPC and the page of the module xhttp_prom at /metrics.
type HTTPOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Moving makes uptime and counters of JSON-RPC advance with Now. After a restart, this always happens.
	Moving bool
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	rpcFolder   = "kamailio/jsonrpc"
	rpcPath     = "/RPC"
	metricsPath = "/metrics"
)

type httpServer struct {
	calls   map[string]emulator.Answer // by method
	metrics emulator.Answer
	uptime  *emulator.Uptime
}

// NewHTTP starts the HTTP server of an emulated Kamailio. The response of a method does not depend on its parameters.
func NewHTTP(o HTTPOptions) (*emulator.Server, error) {
	s := &httpServer{calls: map[string]emulator.Answer{}}
	files, err := fs.Glob(testdata.Files, path.Join(rpcFolder, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		file = strings.TrimSuffix(file, ".json")
		if s.calls[path.Base(file)], err = readWithHeaders(file, ".json"); err != nil {
			return nil, err
		}
	}
	if s.metrics, err = readWithHeaders("kamailio/prometheus/xhttp_prom", ".txt"); err != nil {
		return nil, err
	}
	var captured struct{ Result struct{ Uptime int64 } }
	if err := json.Unmarshal(s.calls["core.uptime"].Body, &captured); err != nil {
		return nil, fmt.Errorf("testdata/%s/core.uptime.json: %w", rpcFolder, err)
	}
	if s.uptime, err = emulator.NewUptime(captured.Result.Uptime, o.Now, o.Moving); err != nil {
		return nil, fmt.Errorf("testdata/%s: %w", rpcFolder, err)
	}
	return emulator.NewServer(o.Addr, emulator.Handler{
		API: jsonRPCMethod, Answer: s.answer, Denied: emulator.Unauthorized, Restart: s.uptime.Restart,
	})
}

// readWithHeaders reads a captured body and the file with its headers.
func readWithHeaders(file, extension string) (emulator.Answer, error) {
	body, err := fs.ReadFile(testdata.Files, file+extension)
	if err != nil {
		return emulator.Answer{}, err
	}
	headers, err := fs.ReadFile(testdata.Files, file+".headers")
	if err != nil {
		return emulator.Answer{}, err
	}
	captured := io.MultiReader(bytes.NewReader(headers), bytes.NewReader(body))
	response, err := http.ReadResponse(bufio.NewReader(captured), nil)
	if err != nil {
		return emulator.Answer{}, fmt.Errorf("testdata/%s.headers: %w", file, err)
	}
	_ = response.Body.Close()
	return emulator.Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// jsonRPC is a JSON-RPC request.
type jsonRPC struct {
	Method string          `json:"method"`
	ID     json.RawMessage `json:"id"`
}

// readJSONRPC reads the body of a request, which can be read again afterwards.
func readJSONRPC(r *http.Request) (call jsonRPC, isBatch bool, err error) {
	body, _ := io.ReadAll(r.Body) // held in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	isBatch = bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
	if !isBatch {
		err = json.Unmarshal(body, &call)
	}
	return call, isBatch, err
}

// jsonRPCMethod returns the method that a request calls, or the path of the request if it calls none.
func jsonRPCMethod(r *http.Request) string {
	if r.URL.Path == rpcPath {
		if call, _, err := readJSONRPC(r); err == nil && call.Method != "" {
			return call.Method
		}
	}
	return r.URL.Path
}

func (s *httpServer) answer(r *http.Request) emulator.Answer {
	switch r.URL.Path {
	case metricsPath:
		return s.metrics
	case rpcPath:
		return s.call(r)
	}
	header := s.metrics.Header.Clone() // xhttp adds Sia and Server to every response
	header.Set("Content-Type", "text/plain")
	return emulator.Answer{Status: http.StatusNotFound, Header: header, Body: []byte("Not Found\n")}
}

// call handles JSON-RPC. Like the real server, it never responds to a request that it cannot parse.
func (s *httpServer) call(r *http.Request) emulator.Answer {
	call, isBatch, err := readJSONRPC(r)
	switch {
	case err != nil:
		<-r.Context().Done()
		return emulator.Answer{Status: http.StatusServiceUnavailable}
	case isBatch:
		return s.calls["_batch"]
	}
	reply, known := s.calls[call.Method]
	if !known || strings.HasPrefix(call.Method, "_") {
		reply = s.calls["no.such_method"]
	}
	if counters := counterPatterns[call.Method]; counters != nil {
		reply.Body = advanceJSON(s.uptime, reply.Body, counters)
	}
	id := []byte("\n}")
	if call.ID != nil {
		id = fmt.Appendf(nil, ",\n\t\"id\":\t%s\n}", call.ID)
	}
	reply.Body = append(jsonRPCID.ReplaceAllLiteral(reply.Body, nil), id...)
	return reply
}

var (
	// jsonRPCID matches the end of a captured response.
	jsonRPCID = regexp.MustCompile(`(,\n\t"id":\t\d+)?\n}$`)
	// jsonNumber matches a member that is a number, quoted or not.
	jsonNumber = regexp.MustCompile(`"([^"]+)":\t"?(\d+)`)
)

// advanceJSON advances the counters of a JSON document.
func advanceJSON(uptime *emulator.Uptime, body []byte, counters *regexp.Regexp) []byte {
	if !uptime.IsMoving() {
		return body
	}
	var edited []byte
	from := 0
	for _, at := range jsonNumber.FindAllSubmatchIndex(body, -1) {
		if !counters.Match(body[at[2]:at[3]]) {
			continue
		}
		value, _ := strconv.ParseUint(string(body[at[4]:at[5]]), 10, 64) // was printed with %lu
		edited = append(edited, body[from:at[4]]...)
		edited = strconv.AppendUint(edited, uint64(uptime.Advance(int64(value))), 10) //nolint:gosec // a negative number was printed as unsigned
		from = at[5]
	}
	return append(edited, body[from:]...)
}
