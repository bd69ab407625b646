// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package emulatortest provides helpers for the tests of emulated servers. It does not import the engine, whose own tests use it.
package emulatortest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Clock is a clock that advances only on request.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows 1,800,000,000 s since 1970.
func NewClock() *Clock { return &Clock{now: time.Unix(1_800_000_000, 0)} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance advances the clock.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// Start starts a server, such as Start(t, zlmediakit.New, zlmediakit.Options{}), and closes it at the end of the test.
func Start[S interface{ Close() }, O any](tb testing.TB, start func(O) (S, error), options O) S {
	tb.Helper()
	server, err := start(options)
	require.NoError(tb, err)
	tb.Cleanup(server.Close)
	return server
}

// NewClient returns a client that does not follow redirects or decompress responses.
func NewClient(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{DisableCompression: true}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Reply is a response as a client receives it.
type Reply struct {
	Status int
	Header http.Header
	Length int64
	Body   io.Reader
}

// Do sends a request and fails the test if there is no response. The body of the response is closed at the end of the test.
func Do(tb testing.TB, client *http.Client, method, url string) Reply {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, url, http.NoBody)
	require.NoError(tb, err)
	response, err := client.Do(request)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = response.Body.Close() })
	return Reply{response.StatusCode, response.Header, response.ContentLength, response.Body}
}

// Read sends a request and reads the complete response. It fails the test if there is no response.
func Read(tb testing.TB, request *http.Request) (reply Reply, body string) {
	tb.Helper()
	response, err := NewClient(tb).Do(request) //nolint:gosec // the URL is that of a test server
	require.NoError(tb, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(tb, err)
	return Reply{Status: response.StatusCode, Header: response.Header}, string(content)
}

// Wire is a connection without an HTTP client.
type Wire struct {
	net.Conn
	*bufio.Reader
}

// Read reads from the buffer.
func (w Wire) Read(b []byte) (int, error) { return w.Reader.Read(b) }

// Dial connects to the server at an HTTP URL.
func Dial(tb testing.TB, url string) Wire {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	require.NoError(tb, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return Wire{conn, bufio.NewReader(conn)}
}

// Ask sends the text of an HTTP request and reads the complete response.
func (w Wire) Ask(tb testing.TB, method, request string) (reply Reply, body string) {
	tb.Helper()
	_, err := io.WriteString(w.Conn, request)
	require.NoError(tb, err)
	response, err := http.ReadResponse(w.Reader, &http.Request{Method: method})
	require.NoError(tb, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(tb, err)
	return Reply{Status: response.StatusCode, Header: response.Header}, string(content)
}
