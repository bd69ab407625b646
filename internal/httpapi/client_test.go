// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret  = "pa55w0rd"
	maxBody = scrape.DefaultMaxResponseSize
)

// newClient returns a client whose connections are closed at the end of the test.
func newClient(t *testing.T, endpoint string) *Client {
	t.Helper()
	c := New(&http.Client{Transport: &http.Transport{}}, endpoint)
	t.Cleanup(c.CloseIdle)
	return c
}

// serve starts a server that does not log.
func serve(t *testing.T, start func(*httptest.Server), h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(server)
	t.Cleanup(server.Close)
	return server.URL
}

// answer returns a handler with a fixed response.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// broken returns a handler that writes and then closes the connection.
func broken(written string) http.HandlerFunc { return breaking(written, -1) }

// resetting returns a handler that resets the connection.
func resetting() http.HandlerFunc { return breaking("", 0) }

func breaking(written string, linger int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(linger)
		_, _ = io.WriteString(conn, written)
		_ = conn.Close()
	}
}

// hanging returns a handler that writes and then waits until the client disconnects.
func hanging(written string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if written != "" {
			_, _ = io.WriteString(w, written)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// roundTripper is a transport without a server.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// decode reads a JSON value, as the receivers do.
func decode(_ http.Header, body io.Reader) error {
	var v any
	return json.NewDecoder(body).Decode(&v)
}

func discard(_ http.Header, body io.Reader) error {
	_, err := io.Copy(io.Discard, body)
	return err
}

// ask makes a request with secrets in every place where a caller can put one.
func ask(ctx context.Context, c *Client, read func(http.Header, io.Reader) error) error {
	return c.Get(ctx, "/api", url.Values{"token": {secret}}, http.Header{"Secret": {secret}}, read)
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestGetClassifiesFailures(t *testing.T) {
	const html = "<html><head><title>nginx</title></head></html>"
	plain := (*httptest.Server).Start
	for name, tc := range map[string]struct {
		start   func(*httptest.Server)
		handler http.HandlerFunc
		scheme  string
		read    func(http.Header, io.Reader) error
		timeout time.Duration
		trust   bool // accept any certificate
		want    Kind
		message []string
	}{
		"connection reset":     {handler: resetting(), want: KindRefused, message: []string{"check that the server runs"}},
		"closed before answer": {handler: broken(""), want: KindRefused, message: []string{"EOF"}},
		"reset in the body": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, "[1,")
				_ = http.NewResponseController(w).Flush()
				resetting()(w, r)
			},
			want: KindRefused, message: []string{"connection reset"},
		},
		"no answer in time":         {handler: hanging(""), timeout: 20 * time.Millisecond, want: KindTimeout, message: []string{"no complete answer in time: the server is overloaded"}},
		"half an answer in time":    {handler: hanging("[1,"), timeout: 50 * time.Millisecond, want: KindTimeout, message: []string{"no complete answer in time: the server is overloaded"}},
		"https to a server of http": {handler: answer(200, "application/json", "{}"), scheme: "https", want: KindTLS, message: []string{"below tls"}},
		"unknown certificate":       {start: (*httptest.Server).StartTLS, handler: answer(200, "application/json", "{}"), want: KindTLS, message: []string{"certificate"}},
		"certificate of our own wanted": {
			start: func(s *httptest.Server) {
				s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
				s.StartTLS()
			},
			handler: answer(200, "application/json", "{}"), trust: true, want: KindTLS, message: []string{"certificate required", "below tls"},
		},
		"no common version of TLS": {
			start: func(s *httptest.Server) {
				s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
				s.StartTLS()
			},
			handler: answer(200, "application/json", "{}"), trust: true, want: KindTLS, message: []string{"protocol version not supported", "below tls"},
		},
		"no HTTP, and much":         {handler: broken(strings.Repeat("x", 50_000) + "\r\n"), want: KindDecode, message: []string{"xxx..."}},
		"redirect to nowhere":       {handler: broken("HTTP/1.1 302 Found\r\nLocation: http://[::1/?token=" + secret + "\r\n\r\n"), want: KindDecode, message: []string{"redirect to what is no URL"}},
		"http to a server of https": {start: (*httptest.Server).StartTLS, handler: answer(200, "application/json", "{}"), scheme: "http", want: KindStatus, message: []string{"HTTP status 400 Bad Request: `Client sent an HTTP request to an HTTPS server.`"}},
		"401":                       {handler: answer(401, "text/plain", "no"), want: KindAuth, message: []string{"HTTP status 401 Unauthorized: `no`", "check the credentials"}},
		"403":                       {handler: answer(403, "text/plain", ""), want: KindAuth, message: []string{"HTTP status 403 Forbidden: check"}},
		"429":                       {handler: answer(429, "text/plain", "slow down"), want: KindStatus, message: []string{"HTTP status 429 Too Many Requests: `slow down`"}},
		"500":                       {handler: answer(500, "text/plain", "boom"), want: KindStatus, message: []string{"HTTP status 500 Internal Server Error: `boom`"}},
		"304":                       {handler: answer(304, "", ""), want: KindStatus, message: []string{"HTTP status 304 Not Modified: check"}},
		"HTML that says so":         {handler: answer(200, "text/html; charset=utf-8", "welcome"), want: KindHTML, message: []string{"an HTML page instead of the API's answer: `welcome`", "leads to the API"}},
		"HTML that does not":        {handler: answer(200, "application/json", "\n "+html), want: KindHTML, message: []string{"`" + html + "`"}},
		"HTML with 404":             {handler: answer(404, "text/html", html), want: KindStatus, message: []string{"HTTP status 404 Not Found with an HTML page: `" + html + "`"}},
		"HTML with 401":             {handler: answer(401, "text/html", html), want: KindAuth, message: []string{"HTTP status 401 Unauthorized with an HTML page"}},
		"broken JSON":               {handler: answer(200, "application/json", "{x}"), want: KindDecode, message: []string{"cannot be decoded (3 bytes read, it begins with `{x}`)", "invalid character 'x'"}},
		"empty answer":              {handler: answer(200, "application/json", ""), want: KindDecode, message: []string{"cannot be decoded (0 bytes read, it begins with ``): unexpected EOF"}},
		"JSON that stops":           {handler: answer(200, "application/json", `{"a":`), want: KindDecode, message: []string{"(5 bytes read", "unexpected EOF"}},
		"cut off": {
			handler: broken("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1,"),
			want:    KindDecode, message: []string{"(3 bytes read", "unexpected EOF"},
		},
		"cut off behind the first bytes": {
			handler: broken("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[" + strings.Repeat("1,", 200)),
			want:    KindDecode, message: []string{"(401 bytes read", "unexpected EOF"},
		},
		"broken gzip": {
			handler: broken("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all"),
			want:    KindDecode,
		},
		"the reader's own classification": {
			handler: answer(200, "application/json", "{}"),
			read: func(http.Header, io.Reader) error {
				return fmt.Errorf("read: %w", &Error{Kind: KindCode, Text: "code -1"})
			},
			want: KindCode, message: []string{"code -1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			start, read := tc.start, tc.read
			if start == nil {
				start = plain
			}
			if read == nil {
				read = decode
			}
			endpoint, err := url.Parse(serve(t, start, tc.handler))
			require.NoError(t, err)
			if tc.scheme != "" {
				endpoint.Scheme = tc.scheme
			}
			ctx := t.Context()
			if tc.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tc.timeout)
				defer cancel()
			}
			client := newClient(t, endpoint.String())
			client.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: tc.trust}
			requireKind(t, ask(ctx, client, read), tc.want, tc.message...)
		})
	}
}

// requireKind checks the kind of an error, and that it contains no secret.
func requireKind(t *testing.T, err error, want Kind, message ...string) {
	t.Helper()
	require.Error(t, err)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Kind, "%v", err)
	assert.Equal(t, kinds[want].counted, scrape.TypeOf(err))
	for _, m := range message {
		require.ErrorContains(t, err, m)
	}
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, err.Error(), "token=")
	assert.True(t, utf8.ValidString(err.Error()))
	assert.Less(t, len(err.Error()), 1000)
}

// TestGetTellsTheStatus checks that errors have the HTTP status, so that a missing path differs from a refused request.
func TestGetTellsTheStatus(t *testing.T) {
	for _, status := range []int{401, 404, 500} {
		err := ask(t.Context(), newClient(t, serve(t, (*httptest.Server).Start, answer(status, "text/plain", "no"))), decode)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, status, e.Status)
	}
	err := ask(t.Context(), newClient(t, serve(t, (*httptest.Server).Start, answer(200, "application/json", "{x}"))), decode)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Zero(t, e.Status)
}

func TestGetOfClosedPort(t *testing.T) {
	client := newClient(t, "http://"+closedPort(t))
	requireKind(t, ask(t.Context(), client, decode), KindRefused, "connection refused", "check that the server runs")
}

func TestGetOfUnknownHost(t *testing.T) {
	client := New(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "media.example", IsNotFound: true}}
	})}, "http://media.example")
	requireKind(t, ask(t.Context(), client, decode), KindRefused, "lookup media.example: no such host")
}

// TestGetCanceled checks that an error of a canceled request is KindOther, because shutdown is not a failure of the server.
func TestGetCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	requireKind(t, ask(ctx, newClient(t, "http://"+closedPort(t)), decode), KindOther, "context canceled")
}

func TestGetOfBadPath(t *testing.T) {
	err := newClient(t, "http://127.0.0.1").Get(t.Context(), "/%zz?token="+secret, nil, nil, decode)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
}

// TestGetAsks checks that the URL consists of endpoint, path and query, and that headers are sent unchanged.
func TestGetAsks(t *testing.T) {
	var got *http.Request
	endpoint := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		answer(200, "application/json", `{"a":1}`)(w, r)
	})
	var body string
	err := newClient(t, endpoint+"/base/").Get(t.Context(), "/api", url.Values{"a": {"b c"}}, http.Header{"Secret": {secret}},
		func(h http.Header, r io.Reader) error {
			assert.Equal(t, "application/json", h.Get("Content-Type"))
			b, err := io.ReadAll(r)
			body = string(b)
			return err
		})
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, body)
	assert.Equal(t, http.MethodGet, got.Method)
	assert.Equal(t, "/base/api?a=b+c", got.RequestURI)
	assert.Equal(t, secret, got.Header.Get("Secret"))
}

// readInto reads a whole response into text.
func readInto(text *string) func(http.Header, io.Reader) error {
	return func(_ http.Header, body io.Reader) error {
		b, err := io.ReadAll(body)
		*text = string(b)
		return err
	}
}

func TestPostAsks(t *testing.T) {
	var got *http.Request
	var asked, answered string
	endpoint := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		assert.NoError(t, readInto(&asked)(nil, r.Body))
		answer(200, "application/json", `{"a":1}`)(w, r)
	})
	require.NoError(t, newClient(t, endpoint+"/base/").Post(t.Context(), "/api", []byte(`{"method":"x"}`), readInto(&answered)))
	assert.Equal(t, `{"a":1}`, answered)
	assert.Equal(t, http.MethodPost, got.Method)
	assert.Equal(t, "/base/api", got.RequestURI)
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.EqualValues(t, len(asked), got.ContentLength)
	assert.JSONEq(t, `{"method":"x"}`, asked)
}

// TestPostReadsFaults checks that JSON-RPC faults are read, and that all other responses are handled as by Get.
func TestPostReadsFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		status      int
		contentType string
		want        Kind // KindOther if the response is read
	}{
		"fault":              {500, "application/json", KindOther},
		"fault with charset": {500, "application/json; charset=utf-8", KindOther},
		"no JSON":            {500, "text/plain", KindStatus},
		"another status":     {502, "application/json", KindStatus},
		"secret refused":     {401, "application/json", KindAuth},
		"a page":             {200, "text/html", KindHTML},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, serve(t, (*httptest.Server).Start, answer(tc.status, tc.contentType, `{"error":{}}`)))
			var answered string
			err := client.Post(t.Context(), "", nil, readInto(&answered))
			if tc.want != KindOther {
				requireKind(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			assert.JSONEq(t, `{"error":{}}`, answered)
			requireKind(t, client.Get(t.Context(), "", nil, nil, readInto(&answered)), KindStatus)
		})
	}
}

// TestPostIsRepeatedOnce checks that a request succeeds after one broken connection, such as an idle one when the server restarts,
// and fails after two.
func TestPostIsRepeatedOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		broken int64 // number of requests without a response
		asked  int64
		want   Kind // KindOther if there is no error
	}{
		"whole":        {0, 1, KindOther},
		"broken":       {1, 2, KindOther},
		"broken twice": {2, 2, KindRefused},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			client := newClient(t, serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= tc.broken {
					resetting()(w, r)
					return
				}
				answer(200, "application/json", "{}")(w, r)
			}))
			if err := client.Post(t.Context(), "", []byte("{}"), decode); tc.want == KindOther {
				require.NoError(t, err)
			} else {
				requireKind(t, err, tc.want)
			}
			assert.Equal(t, tc.asked, asked.Load())
		})
	}
}

func TestPostOfBadPath(t *testing.T) {
	err := newClient(t, "http://127.0.0.1").Post(t.Context(), "/%zz?token="+secret, nil, decode)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
}

func TestGetRefusesLargeAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		size int64
		want bool
	}{
		"the largest":   {maxBody, true},
		"one byte more": {maxBody + 1, false},
		"endless":       {1 << 60, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(zeros{}, tc.size))}, nil
			})}, "http://media.example")
			err := ask(t.Context(), client, discard)
			if tc.want {
				require.NoError(t, err)
				return
			}
			requireKind(t, err, KindTooLarge, "the answer is larger than 256 MiB")
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestGetTellsWhyTheAnswerEnded checks that the error says why the response ended even if the decoder hides it.
func TestGetTellsWhyTheAnswerEnded(t *testing.T) {
	client := New(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(zeros{})}, nil
	})}, "http://media.example")
	err := ask(t.Context(), client, func(h http.Header, body io.Reader) error {
		_ = discard(h, body)
		return errors.New("value is broken")
	})
	requireKind(t, err, KindTooLarge)
}

// TestGetRefusesBombs checks that the limit applies to the decompressed size.
func TestGetRefusesBombs(t *testing.T) {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, err := w.Write(make([]byte, 1<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	// Concatenated members form one gzip stream.
	bomb := bytes.Repeat(member.Bytes(), maxBody>>20+1)
	endpoint := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	})
	requireKind(t, ask(t.Context(), newClient(t, endpoint), discard), KindTooLarge)
}

func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int64
	other := serve(t, (*httptest.Server).Start, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	endpoint := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other/api":
			http.Redirect(w, r, other+"/login?token="+secret, http.StatusFound)
		case "/same/api":
			http.Redirect(w, r, "/found", http.StatusMovedPermanently)
		case "/loop/api":
			http.Redirect(w, r, "/loop/api", http.StatusFound)
		case "/found":
			assert.Equal(t, secret, r.Header.Get("Secret"))
			answer(200, "application/json", "{}")(w, r)
		}
	})
	t.Run("to another host", func(t *testing.T) {
		err := ask(t.Context(), newClient(t, endpoint+"/other"), decode)
		requireKind(t, err, KindStatus, "redirect to another host, "+strings.TrimPrefix(other, "http://")+": check the setting endpoint")
		assert.Zero(t, elsewhere.Load(), "no request, and so no secret, reaches the other host")
	})
	t.Run("to the same host", func(t *testing.T) {
		require.NoError(t, ask(t.Context(), newClient(t, endpoint+"/same"), decode))
	})
	t.Run("without end", func(t *testing.T) {
		requireKind(t, ask(t.Context(), newClient(t, endpoint+"/loop"), decode), KindStatus, "10 redirects in a row")
	})
}

// TestRedirectFromTLSIsRefused checks that a redirect never sends secrets unencrypted.
func TestRedirectFromTLSIsRefused(t *testing.T) {
	client := New(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "https", r.URL.Scheme)
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"http://media.example/"}}, Body: http.NoBody}, nil
	})}, "https://media.example")
	requireKind(t, ask(t.Context(), client, decode), KindStatus, "redirect from https to http")
}

// TestConnectionsAreReused checks that connections are reused even if the reader stops at the end of the value.
func TestConnectionsAreReused(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"with a length":     answer(200, "application/json", "{} \n"),
		"short with status": answer(500, "text/plain", "boom"),
		"in chunks": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{}")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, strings.Repeat(" ", 10<<10))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var connections atomic.Int64
			endpoint := serve(t, func(s *httptest.Server) {
				s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
					if state == http.StateNew {
						connections.Add(1)
					}
				}
				s.Start()
			}, handler)
			client := newClient(t, endpoint)
			for range 5 {
				_ = ask(t.Context(), client, decode)
			}
			assert.EqualValues(t, 1, connections.Load())
		})
	}
}

func TestExcerpt(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"short":               {"no", "`no`"},
		"nothing":             {"", ""},
		"one line":            {"a\r\n\tb  c\n", "`a b c`"},
		"long":                {strings.Repeat("x", 1000), "`" + strings.Repeat("x", quoted) + "`"},
		"cut within a letter": {strings.Repeat("x", quoted-1) + "é", "`" + strings.Repeat("x", quoted-1) + "?`"},
		"no UTF-8":            {"a\xff\xfeb", "`a?b`"},
		"control characters":  {"a\x00\x1b[31mb", `"a\x00\x1b[31mb"`},
		"back quotes":         {"a`b", "\"a`b\""},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusInternalServerError, Body: io.NopCloser(strings.NewReader(tc.body))}, nil
			})}, "http://media.example")
			want := "HTTP status 500 Internal Server Error"
			if tc.want != "" {
				want += ": " + tc.want
			}
			requireKind(t, ask(t.Context(), client, decode), KindStatus)
			require.EqualError(t, ask(t.Context(), client, decode), want+": check the setting endpoint and the server's log")
		})
	}
}

// TestStatus checks that errors have the HTTP status.
func TestStatus(t *testing.T) {
	for status, want := range map[int]int{200: 0, 401: 401, 404: 404, 503: 503} {
		server := httptest.NewServer(answer(status, "text/plain", "not JSON"))
		t.Cleanup(server.Close)
		var e *Error
		require.ErrorAs(t, ask(t.Context(), newClient(t, server.URL), decode), &e)
		assert.Equal(t, want, e.Status, "status %d", status)
	}
}

func TestStripURL(t *testing.T) {
	for reported, want := range map[string]string{
		"rtsp://cam.example/live":                           "rtsp://cam.example/live",
		"rtsp://cam.example:554/live/":                      "rtsp://cam.example:554/live/",
		"rtsp://admin:pa55w0rd@cam.example/live":            "rtsp://cam.example/live",
		"rtsp://admin@cam.example":                          "rtsp://cam.example",
		"srt://[2001:db8::1]:9000?streamid=pa55w0rd":        "srt://[2001:db8::1]:9000",
		"http://cam.example/a%20b/?token=pa55w0rd#pa55w0rd": "http://cam.example/a%20b/",
		"rtsp://admin:x@pa55w0rd@cam.example/live":          "rtsp://cam.example/live",
		"rtsp://admin:pa/pa55w0rd@cam.example/live":         "rtsp://",
		"rtsp://admin:12/pa55w0rd@cam.example/live":         "rtsp://",
		"rtsp://admin:12/pa55w0rd%40cam.example/live":       "rtsp://",
		"rtsp://admin:%zz@pa55w0rd@cam.example":             "rtsp://",
		"rtsp://admin:12?pa55w0rd@cam.example/live":         "rtsp://",
		"rtsp://admin:12#pa55w0rd@cam.example/live":         "rtsp://",
		"/var/media/pa55w0rd.mp4":                           "",
		"cam.example/pa55w0rd":                              "",
		"rtsp:admin:pa55w0rd@cam.example":                   "",
		"file:///media/pa55w0rd.mp4":                        "",
		"pa55w0rd":                                          "",
		"pa55\x7fw0rd":                                      "",
		"":                                                  "",
	} {
		assert.Equal(t, want, StripURL(reported), reported)
	}
}

// TestErrorsNameTheBlock checks that errors name the settings in the configuration section of the server.
func TestErrorsNameTheBlock(t *testing.T) {
	endpoint := serve(t, (*httptest.Server).Start, answer(http.StatusNotFound, "text/plain", "no"))
	for block, want := range map[string]string{
		"":      "check the setting endpoint and the server's log",
		"jibri": "check the setting jibri::endpoint and the server's log",
	} {
		client := newClient(t, endpoint)
		client.Block = block
		require.ErrorContains(t, client.Get(t.Context(), "/", nil, nil, nil), want)
	}
	secure := newClient(t, serve(t, (*httptest.Server).StartTLS, answer(http.StatusOK, "text/plain", "yes")))
	secure.Block = "jvb"
	require.ErrorContains(t, secure.Get(t.Context(), "/", nil, nil, nil), "check the scheme of the setting jvb::endpoint and the settings below jvb::tls")
}
