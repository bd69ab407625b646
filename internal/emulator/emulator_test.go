// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func start(t *testing.T, o ZLMediaKit) *Server {
	t.Helper()
	server, err := NewZLMediaKit(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// newClient is a plain client that follows no redirect and unpacks nothing.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reply is an answer whose body is closed when the test ends, if not before.
type reply struct {
	status int
	header http.Header
	length int64
	body   io.Reader
}

// do sends a request that must be answered; the body is read later.
func do(t *testing.T, client *http.Client, method, url string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return reply{response.StatusCode, response.Header, response.ContentLength, response.Body}
}

// get asks for one API and returns the whole body.
func get(t *testing.T, server *Server, api string) string {
	t.Helper()
	body, err := io.ReadAll(do(t, newClient(t), http.MethodGet, server.URL()+zlmPrefix+api).body)
	require.NoError(t, err)
	return string(body)
}

// wire is one connection, spoken to without an HTTP client.
type wire struct {
	net.Conn
	*bufio.Reader
}

func (w wire) Read(b []byte) (int, error) { return w.Reader.Read(b) }

func dial(t *testing.T, server *Server) wire {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(server.URL(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return wire{conn, bufio.NewReader(conn)}
}

// ask sends a request as it is written and reads the answer.
func (w wire) ask(t *testing.T, method, request string) (reply, string) {
	t.Helper()
	_, err := io.WriteString(w.Conn, request)
	require.NoError(t, err)
	response, err := http.ReadResponse(w.Reader, &http.Request{Method: method})
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{status: response.StatusCode, header: response.Header}, string(body)
}

func TestRequests(t *testing.T) {
	server := start(t, ZLMediaKit{})
	get(t, server, "version")
	get(t, server, "getMediaList?schema=rtsp")
	get(t, server, "NoSuch")
	assert.Equal(t, http.StatusNotFound, do(t, newClient(t), http.MethodGet, server.URL()+"/somewhere").status)
	do(t, newClient(t), http.MethodGet, server.URL()+"/_emulator/faults")
	assert.Equal(t, []string{"version", "getMediaList?schema=rtsp", "NoSuch", "/somewhere"}, server.Requests())

	w := dial(t, server)
	for range maxRequests {
		w.ask(t, http.MethodGet, "GET /index/api/version HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	requests := server.Requests()
	assert.Len(t, requests, maxRequests)
	assert.Equal(t, "version", requests[0])
}

func TestRequestTooLarge(t *testing.T) {
	server := start(t, ZLMediaKit{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/index/api/version",
		io.LimitReader(strings.NewReader(strings.Repeat("x", 2*maxRequestBody)), 2*maxRequestBody))
	require.NoError(t, err)
	response, err := newClient(t).Do(request)
	if err == nil { // the server may also close before the whole body is sent
		defer func() { _ = response.Body.Close() }()
		assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	}
}

func TestAddressInUse(t *testing.T) {
	server := start(t, ZLMediaKit{})
	_, err := NewZLMediaKit(ZLMediaKit{Addr: strings.TrimPrefix(server.URL(), "http://")})
	assert.ErrorContains(t, err, "cannot listen on 127.0.0.1:")
}

// The emulator would prove nothing if it shared code with what it tests.
func TestImportsNoReceiver(t *testing.T) {
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...").Output()
	require.NoError(t, err)
	for path := range strings.FieldsSeq(string(list)) {
		if strings.Contains(path, "otelcol-rtc") {
			assert.Regexp(t, `/(internal/emulator(/cmd/emulator)?|testdata)$`, path)
		}
	}
}
