// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// KamailioHTTP are the options of an emulated Kamailio as its SIP port shows it over HTTP: JSON-RPC at /RPC, the page of
// its module xhttp_prom at /metrics.
type KamailioHTTP struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Moving makes uptime and counters of JSON-RPC advance with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	kamRPCFolder = "kamailio/jsonrpc"
	kamRPCPath   = "/RPC"
	metricsPath  = "/metrics"
)

type kamailioHTTP struct {
	calls   map[string]answer // by method
	metrics answer
	age     serverAge
}

// NewKamailioHTTP starts an emulated Kamailio that speaks HTTP. A method is answered the same whatever its parameters.
func NewKamailioHTTP(o KamailioHTTP) (*Server, error) {
	k := &kamailioHTTP{calls: map[string]answer{}}
	files, err := fs.Glob(testdata.Files, path.Join(kamRPCFolder, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		file = strings.TrimSuffix(file, ".json")
		if k.calls[path.Base(file)], err = readWithHeaders(file, ".json"); err != nil {
			return nil, err
		}
	}
	if k.metrics, err = readWithHeaders("kamailio/prometheus/xhttp_prom", ".txt"); err != nil {
		return nil, err
	}
	var uptime struct{ Result struct{ Uptime int64 } }
	if err := json.Unmarshal(k.calls["core.uptime"].body, &uptime); err != nil {
		return nil, fmt.Errorf("testdata/%s/core.uptime.json: %w", kamRPCFolder, err)
	}
	if err := k.age.begin(uptime.Result.Uptime, o.Now, o.Moving); err != nil {
		return nil, fmt.Errorf("testdata/%s: %w", kamRPCFolder, err)
	}
	return newServer(o.Addr, system{api: jsonRPCMethod, answer: k.answer, denied: unauthorized, restart: k.age.restart})
}

// readWithHeaders reads a captured body and, beside it, its headers.
func readWithHeaders(file, extension string) (answer, error) {
	body, err := fs.ReadFile(testdata.Files, file+extension)
	if err != nil {
		return answer{}, err
	}
	headers, err := fs.ReadFile(testdata.Files, file+".headers")
	if err != nil {
		return answer{}, err
	}
	captured := io.MultiReader(bytes.NewReader(headers), bytes.NewReader(body))
	response, err := http.ReadResponse(bufio.NewReader(captured), nil)
	if err != nil {
		return answer{}, fmt.Errorf("testdata/%s.headers: %w", file, err)
	}
	_ = response.Body.Close()
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
}

// unauthorized is the answer to a wrong secret, as it is usual for scripts and proxies; none was captured.
func unauthorized() answer {
	header := http.Header{"Content-Type": {"text/plain"}, "Www-Authenticate": {`Basic realm="rtc"`}}
	return answer{status: http.StatusUnauthorized, header: header, body: []byte("Unauthorized\n")}
}

// jsonRPC is a request as the server reads it.
type jsonRPC struct {
	Method string          `json:"method"`
	ID     json.RawMessage `json:"id"`
}

// readJSONRPC reads the body of a request, which stays there to be read again.
func readJSONRPC(r *http.Request) (call jsonRPC, isBatch bool, err error) {
	body, _ := io.ReadAll(r.Body) // held in memory by the server
	r.Body = io.NopCloser(bytes.NewReader(body))
	isBatch = bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
	if !isBatch {
		err = json.Unmarshal(body, &call)
	}
	return call, isBatch, err
}

// jsonRPCMethod is the method that a request calls; its path when it calls none.
func jsonRPCMethod(r *http.Request) string {
	if r.URL.Path == kamRPCPath {
		if call, _, err := readJSONRPC(r); err == nil && call.Method != "" {
			return call.Method
		}
	}
	return r.URL.Path
}

func (k *kamailioHTTP) answer(r *http.Request) answer {
	switch r.URL.Path {
	case metricsPath:
		return k.metrics
	case kamRPCPath:
		return k.call(r)
	}
	return answer{status: http.StatusNotFound, header: http.Header{"Content-Type": {"text/plain"}}, body: []byte("Not Found\n")}
}

// call answers JSON-RPC. The real server never answers what it cannot parse.
func (k *kamailioHTTP) call(r *http.Request) answer {
	call, isBatch, err := readJSONRPC(r)
	switch {
	case err != nil:
		<-r.Context().Done()
		return answer{status: http.StatusServiceUnavailable}
	case isBatch:
		return k.calls["_batch"]
	}
	reply, known := k.calls[call.Method]
	if !known || strings.HasPrefix(call.Method, "_") {
		reply = k.calls["no.such_method"]
	}
	if counters := kamCounters[call.Method]; counters != nil {
		reply.body = k.age.advanceJSON(reply.body, counters)
	}
	id := []byte("\n}")
	if call.ID != nil {
		id = fmt.Appendf(nil, ",\n\t\"id\":\t%s\n}", call.ID)
	}
	reply.body = append(jsonRPCID.ReplaceAllLiteral(reply.body, nil), id...)
	return reply
}

var (
	// jsonRPCID is the end of a captured answer.
	jsonRPCID = regexp.MustCompile(`(,\n\t"id":\t\d+)?\n}$`)
	// jsonNumber is a member that is a number, be it quoted.
	jsonNumber = regexp.MustCompile(`"([^"]+)":\t"?(\d+)`)
)

// advanceJSON edits the counters of a JSON document.
func (a *serverAge) advanceJSON(body []byte, counters *regexp.Regexp) []byte {
	if !a.moves() {
		return body
	}
	var edited []byte
	from := 0
	for _, at := range jsonNumber.FindAllSubmatchIndex(body, -1) {
		if !counters.Match(body[at[2]:at[3]]) {
			continue
		}
		value, _ := strconv.ParseUint(string(body[at[4]:at[5]]), 10, 64) // so %lu was printed
		edited = append(edited, body[from:at[4]]...)
		edited = strconv.AppendUint(edited, uint64(a.grown(int64(value))), 10) //nolint:gosec // the sign is that bit
		from = at[5]
	}
	return append(edited, body[from:]...)
}
