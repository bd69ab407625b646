// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"io"
	"io/fs"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testPath is the path prefix of the test server's APIs.
const testPath = "/index/api/"

// testServer is a server with three APIs.
type testServer struct {
	*Server
	list     []byte // a captured response
	restarts atomic.Int32
}

func start(t *testing.T) *testServer {
	t.Helper()
	list, err := fs.ReadFile(testdata.Files, "zlmediakit/busy/getMediaList.json")
	require.NoError(t, err)
	s := &testServer{list: list}
	s.Server, err = NewServer("", Handler{
		API:     testAPI,
		Answer:  s.answer,
		Denied:  func() Answer { return testAnswer(http.StatusOK, `{"code" : -100}`) },
		Restart: func() { s.restarts.Add(1) },
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func testAPI(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, testPath) }

func (s *testServer) answer(r *http.Request) Answer {
	switch testAPI(r) {
	case "version":
		return testAnswer(http.StatusOK, `{"code" : 0, "version" : "daaa74a"}`)
	case "getMediaList":
		return testAnswer(http.StatusOK, string(s.list))
	case "getStatistic":
		return testAnswer(http.StatusOK, `{"code" : 0, "TcpServer" : 5}`)
	}
	return testAnswer(http.StatusNotFound, "not found\n")
}

func testAnswer(status int, body string) Answer {
	return Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// get requests an API and returns the complete body.
func get(t *testing.T, server *testServer, api string) string {
	t.Helper()
	body, err := io.ReadAll(emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+testPath+api).Body)
	require.NoError(t, err)
	return string(body)
}

func TestRequests(t *testing.T) {
	server := start(t)
	get(t, server, "version")
	get(t, server, "getMediaList?schema=rtsp")
	get(t, server, "NoSuch")
	assert.Equal(t, http.StatusNotFound, emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/somewhere").Status)
	emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/_emulator/faults")
	assert.Equal(t, []string{"version", "getMediaList?schema=rtsp", "NoSuch", "/somewhere"}, server.Requests())

	w := emulatortest.Dial(t, server.URL())
	for range maxRequests {
		w.Ask(t, http.MethodGet, "GET /index/api/version HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	requests := server.Requests()
	assert.Len(t, requests, maxRequests)
	assert.Equal(t, "version", requests[0])
}

func TestRequestTooLarge(t *testing.T) {
	server := start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/index/api/version",
		io.LimitReader(strings.NewReader(strings.Repeat("x", 2*maxRequestBody)), 2*maxRequestBody))
	require.NoError(t, err)
	response, err := emulatortest.NewClient(t).Do(request)
	if err == nil { // the server may also close before the whole body is sent
		defer func() { _ = response.Body.Close() }()
		assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	}
}

func TestAddressInUse(t *testing.T) {
	server := start(t)
	_, err := NewServer(strings.TrimPrefix(server.URL(), "http://"), Handler{})
	assert.ErrorContains(t, err, "cannot listen on 127.0.0.1:")
}

// TestCloses checks that the server can close a connection without announcing it.
func TestCloses(t *testing.T) {
	server, err := NewServer("", Handler{
		API:    testAPI,
		Answer: func(*http.Request) Answer { return Answer{Status: http.StatusOK, Body: []byte("last"), Closes: true} },
	})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	w := emulatortest.Dial(t, server.URL())
	reply, body := w.Ask(t, http.MethodGet, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Equal(t, "last", body)
	assert.Empty(t, reply.Header.Get("Connection"))
	_, err = w.ReadByte()
	assert.Error(t, err)
}

// TestConnServer tests a server of another protocol: it echoes bytes until there is a fault.
func TestConnServer(t *testing.T) {
	server, err := NewConnServer("tcp", "127.0.0.1:0", func(s *Server, conn net.Conn) {
		for b := make([]byte, 1); ; {
			if _, err := conn.Read(b); err != nil || s.Record("echo", string(b)) != "" {
				return
			}
			_, _ = conn.Write(b)
		}
	}, func() {})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	assert.Regexp(t, `^tcp://127\.0\.0\.1:\d+$`, server.URL())
	w := emulatortest.Dial(t, strings.TrimPrefix(server.URL(), "tcp://"))
	_, err = w.Write([]byte("a"))
	require.NoError(t, err)
	echoed, err := w.ReadByte()
	require.NoError(t, err)
	assert.Equal(t, byte('a'), echoed)

	require.NoError(t, server.SetFault("hang", "Echo"))
	_, err = w.Write([]byte("b"))
	require.NoError(t, err)
	_, err = w.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, []string{"a", "b"}, server.Requests())

	_, err = NewConnServer("unix", "/nonexistent/ctl", nil, nil)
	assert.ErrorContains(t, err, "cannot listen on /nonexistent/ctl: ")
}

// modulePackage matches the packages of this module that the emulator may import. It excludes the receivers' packages: mistakes in
// code shared by a receiver and its emulated server would not be noticed.
const modulePackage = `/(internal/emulator(/.*)?|testdata)$`

func TestImportsNoReceiver(t *testing.T) {
	for _, path := range dependencies(t, "./...") {
		assert.Regexp(t, modulePackage, path)
	}
}

func TestEngineImportsNoSystem(t *testing.T) {
	assert.Equal(t, []string{"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"}, dependencies(t, "."))
}

// dependencies returns the packages of this module among the named packages and their dependencies.
func dependencies(t *testing.T, packages string) (paths []string) {
	t.Helper()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", packages).Output()
	require.NoError(t, err)
	for path := range strings.FieldsSeq(string(list)) {
		if strings.Contains(path, "otelcol-rtc") {
			paths = append(paths, path)
		}
	}
	return paths
}
