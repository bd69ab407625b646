// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// captures is the directory of the replies that were captured from real servers.
const captures = "../../testdata/kamailio"

// fakeCtl emulates Kamailio's module ctl with captured replies.
type fakeCtl struct {
	endpoint string
	// answer overrides the captured reply to a request if ok is true: it returns a body, and whether it is a fault.
	answer func(words []string) (body []byte, fault, ok bool)

	byRequest, byMethod map[string][]byte // complete captured replies

	mu          sync.Mutex
	listener    net.Listener
	requests    []string
	atOnce      int // number of requests to receive before any is answered
	connections []net.Conn
	wg          sync.WaitGroup
}

// startCtl starts a server with the captures in some directories, of which the first one takes precedence.
func startCtl(t testing.TB, folders ...string) *fakeCtl {
	t.Helper()
	f := &fakeCtl{byRequest: map[string][]byte{}, byMethod: map[string][]byte{}}
	for _, folder := range slices.Backward(folders) {
		files, err := filepath.Glob(filepath.Join(captures, "binrpc", folder, "*.req.bin"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range slices.Backward(files) {
			request, err := os.ReadFile(file)
			require.NoError(t, err)
			reply, err := os.ReadFile(strings.TrimSuffix(file, ".req.bin") + ".rep.bin")
			require.NoError(t, err)
			words := requestWords(request[headerLength(request):])
			f.byRequest[strings.Join(words, " ")] = reply
			f.byMethod[words[0]] = reply
		}
	}
	dir, err := os.MkdirTemp("", "ctl") //nolint:usetesting // names of tests are too long for the path of a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f.endpoint = "unix://" + filepath.Join(dir, "ctl")
	f.listen(t)
	t.Cleanup(func() {
		f.stop()
		f.wg.Wait()
	})
	return f
}

func (f *fakeCtl) listen(t testing.TB) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", strings.TrimPrefix(f.endpoint, "unix://"))
	require.NoError(t, err)
	f.listener = listener
	f.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.connections = append(f.connections, conn)
			f.mu.Unlock()
			f.wg.Go(func() { f.serve(conn) })
		}
	})
}

// stop closes the listener and all connections, as Kamailio does when it exits.
func (f *fakeCtl) stop() {
	_ = f.listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, conn := range f.connections {
		_ = conn.Close()
	}
	f.connections = nil
}

func (f *fakeCtl) restart(t testing.TB) {
	t.Helper()
	f.stop()
	f.listen(t)
}

// Requests returns the received requests, each with its method and arguments.
func (f *fakeCtl) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// expectAtOnce makes the server wait for n requests before it answers them.
func (f *fakeCtl) expectAtOnce(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.atOnce = n
}

func (f *fakeCtl) serve(conn net.Conn) {
	defer conn.Close()
	var replies []byte
	for held := 1; ; held++ {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		rest := make([]byte, headerLength(head)-2)
		if _, err := io.ReadFull(conn, rest); err != nil {
			return
		}
		width := int(head[1]>>2&3) + 1
		body := make([]byte, number32(rest[:width]))
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		replies = append(replies, f.reply(requestWords(body), number32(rest[width:]))...)
		f.mu.Lock()
		wait := held < f.atOnce
		f.mu.Unlock()
		if wait {
			continue
		}
		if _, err := conn.Write(replies); err != nil {
			return
		}
		replies, held = replies[:0], 0
	}
}

func (f *fakeCtl) reply(words []string, cookie uint32) []byte {
	request := strings.Join(words, " ")
	f.mu.Lock()
	f.requests = append(f.requests, request)
	f.mu.Unlock()
	if f.answer != nil {
		if body, fault, ok := f.answer(words); ok {
			return packet(body, fault, cookie)
		}
	}
	captured := f.byRequest[request]
	if captured == nil && words[0] == apiStatistics { // a group that the captured server does not have
		return packet(structBody(), false, cookie)
	}
	if captured == nil {
		captured = f.byMethod[words[0]]
	}
	if captured == nil {
		return packet(faultBody("command "+words[0]+" not found"), true, cookie)
	}
	return packet(captured[headerLength(captured):], captured[1]>>4 == 3, cookie)
}

// packet adds the header of a reply or a fault to a body.
func packet(body []byte, fault bool, cookie uint32) []byte {
	kind := byte(1)
	if fault {
		kind = 3
	}
	p := []byte{0xA1, kind<<4 | 3<<2 | 3}
	p = binary.BigEndian.AppendUint32(p, uint32(len(body)))
	return append(binary.BigEndian.AppendUint32(p, cookie), body...)
}

func headerLength(head []byte) int { return 2 + int(head[1]>>2&3) + 1 + int(head[1]&3) + 1 }

func number32(b []byte) (n uint32) {
	for _, c := range b {
		n = n<<8 | uint32(c)
	}
	return n
}

// requestWords returns the strings and numbers in a request.
func requestWords(body []byte) (words []string) {
	for len(body) > 0 {
		kind, size, long := body[0]&0xf, int(body[0]>>4&7), body[0]&0x80 != 0
		body = body[1:]
		if long {
			size, body = int(number32(body[:size])), body[size:]
		}
		switch kind {
		case 0:
			words = append(words, strconv.FormatUint(uint64(number32(body[:size])), 10))
		case 1:
			words = append(words, strings.TrimSuffix(string(body[:size]), "\x00"))
		}
		body = body[size:]
	}
	return words
}

// record encodes a string or the name of a member.
func record(kind byte, text string) []byte {
	b := []byte{0x90 | kind, byte(len(text) + 1)}
	return append(append(b, text...), 0)
}

func faultBody(text string) []byte {
	return append([]byte{0x20, 0x01, 0xF4}, record(1, text)...) // 500
}

// structBody is a struct of strings.
func structBody(pairs ...string) []byte {
	body := []byte{0x03}
	for i := 0; i < len(pairs); i += 2 {
		body = append(append(body, record(5, pairs[i])...), record(1, pairs[i+1])...)
	}
	return append(body, 0x83)
}

func stringsBody(texts ...string) (body []byte) {
	for _, text := range texts {
		body = append(body, record(1, text)...)
	}
	return body
}

// startRPC starts a JSON-RPC server with the captured replies in some directories, of which the first one takes precedence. A non-nil
// result of result overrides them.
func startRPC(t testing.TB, result func(words []string) json.RawMessage, folders ...string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Method string `json:"method"`
			Params []any  `json:"params"`
			ID     int    `json:"id"`
		}
		assert.Equal(t, http.MethodPost, r.Method)
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&request))
		w.Header().Set("Content-Type", "application/json")
		if result != nil {
			body := result(strings.Fields(fmt.Sprintln(append([]any{request.Method}, request.Params...)...)))
			if bytes.HasPrefix(body, []byte(`{"jsonrpc":"2.0","error"`)) {
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = w.Write(body)
			return
		}
		body, err := []byte(nil), os.ErrNotExist
		for _, folder := range append(folders, "") {
			if errors.Is(err, os.ErrNotExist) {
				body, err = os.ReadFile(filepath.Join(captures, "jsonrpc", folder, filepath.Base(request.Method)+".json"))
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			w.WriteHeader(http.StatusInternalServerError)
			body, err = os.ReadFile(filepath.Join(captures, "jsonrpc", "no.such_method.json"))
		}
		assert.NoError(t, err)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server
}

// startPages starts a server with the captured pages of metrics.
func startPages(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		http.ServeFile(w, r, filepath.Join(captures, "prometheus", filepath.Base(r.URL.Path)+".txt"))
	}))
	t.Cleanup(server.Close)
	return server
}

// decoded is a captured reply in the form of a .rep.json file.
type decoded struct {
	Type    string  `json:"type"`
	Records []datum `json:"records"`
}

type datum struct {
	Int    *int64              `json:"int"`
	String *string             `json:"str"`
	Double *json.Number        `json:"double"`
	Struct [][]json.RawMessage `json:"struct"`
}

func readDecoded(t testing.TB, file string) (d decoded) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d), file)
	return d
}

// member is one member of a struct.
type member struct {
	name  string
	value datum
}

func (d datum) members(t testing.TB) []member {
	t.Helper()
	all := make([]member, len(d.Struct))
	for i, pair := range d.Struct {
		_ = json.Unmarshal(pair[0], &all[i].name) // null leaves it empty
		require.NoError(t, json.Unmarshal(pair[1], &all[i].value))
	}
	return all
}
