// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// fails expects that no response arrives within patience, for this reason.
func fails(reason error, patience time.Duration) func(*testing.T, *testServer) {
	return func(t *testing.T, server *testServer) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL()+"/index/api/getMediaList", http.NoBody)
		require.NoError(t, err)
		response, err := emulatortest.NewClient(t).Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		assert.ErrorIs(t, err, reason)
	}
}

// answers expects a complete response with this status, and checks the body.
func answers(status int, check func(*testing.T, emulatortest.Reply, []byte)) func(*testing.T, *testServer) {
	return func(t *testing.T, server *testServer) {
		t.Helper()
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/index/api/getMediaList")
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, status, response.Status)
		check(t, response, body)
	}
}

// faultChecks checks what a client observes of each fault.
var faultChecks = map[string]func(*testing.T, *testServer){
	"refuse": fails(syscall.ECONNREFUSED, 10*time.Second),
	"reset":  fails(syscall.ECONNRESET, 10*time.Second),
	"hang":   fails(context.DeadlineExceeded, 50*time.Millisecond),
	"slow_header": func(t *testing.T, server *testServer) {
		t.Helper()
		w := emulatortest.Dial(t, server.URL())
		_, err := io.WriteString(w.Conn, "GET /index/api/getMediaList HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		begin := make([]byte, len("HTTP/1.1 200 OK\r\nServer: xx"))
		_, err = io.ReadFull(w, begin)
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 200 OK\r\nServer: xx", string(begin))
		fails(context.DeadlineExceeded, 50*time.Millisecond)(t, server)
	},
	"slow_body": func(t *testing.T, server *testServer) {
		t.Helper()
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/index/api/getMediaList")
		assert.Equal(t, http.StatusOK, response.Status)
		for range 3 { // one byte at a time
			body := make([]byte, 100)
			n, err := response.Body.Read(body)
			require.NoError(t, err)
			assert.Empty(t, strings.TrimSpace(string(body[:n])))
		}
	},
	"endless_body": func(t *testing.T, server *testServer) {
		t.Helper()
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/index/api/getMediaList")
		body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
		require.NoError(t, err)
		assert.Len(t, body, 4<<20)
		assert.True(t, strings.HasPrefix(string(body), `{"code":0,"data":[{},{},`))
	},
	"cut_body": func(t *testing.T, server *testServer) {
		t.Helper()
		response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+"/index/api/getMediaList")
		body, err := io.ReadAll(response.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, response.Length/2, int64(len(body)))
	},
	"gzip_bomb": answers(http.StatusOK, func(t *testing.T, response emulatortest.Reply, packed []byte) {
		t.Helper()
		assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
		assert.Less(t, len(packed), 2<<20)
		assert.Greater(t, binary.LittleEndian.Uint32(packed[len(packed)-4:]), uint32(1<<30))
		whole, err := gzip.NewReader(bytes.NewReader(packed))
		require.NoError(t, err)
		begin := make([]byte, 3<<20)
		_, err = io.ReadFull(whole, begin)
		require.NoError(t, err)
		assert.True(t, bytes.HasPrefix(begin, []byte(bodyBegin)))
		assert.Len(t, bytes.TrimSpace(begin), len(bodyBegin))
	}),
	"status_500": answers(http.StatusInternalServerError, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, "internal server error\n", string(body))
	}),
	"status_401": answers(http.StatusUnauthorized, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, "unauthorized\n", string(body))
	}),
	"status_403": answers(http.StatusForbidden, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, "forbidden\n", string(body))
	}),
	"status_429": answers(http.StatusTooManyRequests, func(t *testing.T, response emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, "too many requests\n", string(body))
		assert.Equal(t, "60", response.Header.Get("Retry-After"))
	}),
	"html_404": answers(http.StatusNotFound, func(t *testing.T, response emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, "text/html", response.Header.Get("Content-Type"))
		assert.Contains(t, string(body), "<html>")
	}),
	"redirect_elsewhere": answers(http.StatusFound, func(t *testing.T, response emulatortest.Reply, _ []byte) {
		t.Helper()
		assert.Equal(t, "http://192.0.2.1/", response.Header.Get("Location"))
	}),
	"wrong_secret": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Contains(t, string(body), `"code" : -100`)
	}),
	"invalid_json": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.NotEmpty(t, body)
		assert.False(t, json.Valid(body))
	}),
	"wrong_types": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		var list struct {
			Code string                    `json:"code"`
			Data map[string]map[string]any `json:"data"`
		}
		require.NoError(t, json.Unmarshal(body, &list))
		assert.Equal(t, "0", list.Code)
		assert.Len(t, list.Data, 55)
		assert.Equal(t, map[string]any{"value": 85.0}, list.Data["0"]["aliveSecond"])
		assert.Equal(t, "32163", list.Data["0"]["bytesSpeed"])
	}),
	"invalid_utf8": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Contains(t, string(body), "\"app\" : \"live\xff\xc3\"")
		assert.True(t, json.Valid(body), "broken inside of strings only")
	}),
	"numbers_out_of_range": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		for _, number := range outOfRange {
			assert.Contains(t, string(body), `" : `+number+",")
		}
		assert.True(t, json.Valid(body))
		assert.NotRegexp(t, `"aliveSecond" : \d\d,`, string(body))
	}),
	"deep_nesting": answers(http.StatusOK, func(t *testing.T, _ emulatortest.Reply, body []byte) {
		t.Helper()
		assert.Equal(t, NestingDepth+1, bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")))
		assert.Contains(t, string(body), `"code":0,"data":[{"a":[{"a":`)
	}),
	"restart": func(t *testing.T, server *testServer) {
		t.Helper()
		assert.EqualValues(t, 1, server.restarts.Load())
		assert.Equal(t, string(server.list), get(t, server, "getMediaList"))
	},
}

func TestFaults(t *testing.T) {
	for _, fault := range Faults {
		t.Run(fault.Name, func(t *testing.T) {
			require.Contains(t, faultChecks, fault.Name, "every fault needs a row in faultChecks")
			if fault.Name != Restart {
				require.Contains(t, httpFaults, fault.Name, "every fault needs a row in httpFaults")
			}
			assert.NotEmpty(t, fault.Doc)
			server := start(t)
			require.NoError(t, server.SetFault(fault.Name))
			faultChecks[fault.Name](t, server)

			require.NoError(t, server.SetFault(""))
			assert.Contains(t, get(t, server, "version"), "daaa74a")
			if fault.Whole {
				assert.ErrorContains(t, server.SetFault(fault.Name, "version"), "concerns the whole server")
				return
			}
			require.NoError(t, server.SetFault(fault.Name, "getApiList", "getmedialist"))
			faultChecks[fault.Name](t, server)
			assert.Contains(t, get(t, server, "version"), "daaa74a")
		})
	}
}

func TestUnknownFault(t *testing.T) {
	server := start(t)
	require.ErrorContains(t, server.SetFault("flood"), `no fault is named "flood", there are refuse, reset, hang,`)
	server.Close()
	assert.ErrorContains(t, server.SetFault("hang"), "closed")
}

// TestWholeFaultsCloseConnections checks that Refuse and Restart close open connections.
func TestWholeFaultsCloseConnections(t *testing.T) {
	for _, fault := range []string{Refuse, Restart} {
		t.Run(fault, func(t *testing.T) {
			server := start(t)
			w := emulatortest.Dial(t, server.URL())
			w.Ask(t, http.MethodGet, "GET /index/api/version HTTP/1.1\r\nHost: x\r\n\r\n")
			require.NoError(t, server.SetFault(fault))
			_, err := w.ReadByte()
			assert.ErrorIs(t, err, io.EOF)
		})
	}
}

// TestHangEnds checks that a hanging request ends when its client or the server closes.
func TestHangEnds(t *testing.T) {
	server := start(t)
	require.NoError(t, server.SetFault("hang"))
	ask := func(ctx context.Context) <-chan error {
		result := make(chan error, 1)
		asked := len(server.Requests())
		client := emulatortest.NewClient(t)
		go func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL()+"/index/api/version", strings.NewReader("secret=x"))
			if err != nil {
				result <- err
				return
			}
			response, err := client.Do(request)
			if err == nil {
				err = errors.Join(errors.New("answered"), response.Body.Close())
			}
			result <- err
		}()
		require.Eventually(t, func() bool { return len(server.Requests()) > asked }, 10*time.Second, time.Millisecond)
		return result
	}
	open := func() int {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.conns)
	}

	ctx, cancel := context.WithCancel(t.Context())
	first := ask(ctx)
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	require.Eventually(t, func() bool { return open() == 0 }, 10*time.Second, time.Millisecond, "the server noticed that the client is gone")

	second := ask(t.Context())
	server.Close()
	assert.ErrorIs(t, <-second, io.EOF)
}

func TestControl(t *testing.T) {
	server := start(t)
	client := emulatortest.NewClient(t)
	post := func(query string) (int, string) {
		response := emulatortest.Do(t, client, http.MethodPost, server.URL()+"/_emulator/fault?"+query)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.Status, string(body)
	}
	list, err := io.ReadAll(emulatortest.Do(t, client, http.MethodGet, server.URL()+"/_emulator/faults").Body)
	require.NoError(t, err)
	assert.Len(t, strings.Split(strings.TrimSpace(string(list)), "\n"), len(Faults))
	assert.Contains(t, string(list), "hang                the request is read and never answered\n")

	for query, message := range map[string]string{
		"":                                 "name is missing",
		"name=flood":                       "no fault is named",
		"name=hang&for=soon":               "for=soon is not a time",
		"name=hang&for=-1s":                "for=-1s is not a time",
		"name=restart&api=getMediaList":    "concerns the whole server",
		"name=refuse&api=version&for=500s": "concerns the whole server",
	} {
		status, text := post(query)
		assert.Equal(t, http.StatusBadRequest, status, query)
		assert.Contains(t, text, message, query)
	}

	status, _ := post("name=html_404&api=version&api=getApiList")
	assert.Equal(t, http.StatusNoContent, status)
	assert.Contains(t, get(t, server, "version"), "nginx")
	assert.Contains(t, get(t, server, "getApiList"), "nginx")
	assert.Contains(t, get(t, server, "getStatistic"), "TcpServer")
	status, _ = post("name=none")
	assert.Equal(t, http.StatusNoContent, status)
	assert.Contains(t, get(t, server, "version"), "daaa74a")

	status, _ = post("name=html_404&for=1ms")
	assert.Equal(t, http.StatusNoContent, status)
	require.Eventually(t, func() bool { return strings.Contains(get(t, server, "version"), "daaa74a") }, 10*time.Second, time.Millisecond)

	// A server that refuses connections still completes the control request, and it listens again when the fault ends.
	status, _ = post("name=refuse&for=1h")
	assert.Equal(t, http.StatusNoContent, status)
	fails(syscall.ECONNREFUSED, 10*time.Second)(t, server)
	server.expire(current(server))
	assert.Contains(t, get(t, server, "version"), "daaa74a")
	status, _ = post("name=restart")
	assert.Equal(t, http.StatusNoContent, status)
}

func current(server *testServer) *activeFault {
	server.mu.Lock()
	defer server.mu.Unlock()
	return server.fault
}

// TestReplacedFaultLasts checks that the timer of a fault does not end a later fault.
func TestReplacedFaultLasts(t *testing.T) {
	server := start(t)
	require.NoError(t, server.setFault("hang", nil, time.Hour, nil))
	first := current(server)
	require.NoError(t, server.SetFault("html_404"))
	server.expire(first)
	assert.Contains(t, get(t, server, "version"), "nginx")
}

// TestEdits checks the edits of text and of JSON documents of various forms.
func TestEdits(t *testing.T) {
	const page = "# HELP a What it is.\n# TYPE a gauge\na{b=\"c d\",e=\"\"} 1 1700000000\nf 2\n"
	assert.Equal(t, "# HELP a What it is."+NotUTF8+"\n# TYPE a gauge\na{b=\"c d"+NotUTF8+"\",e=\""+NotUTF8+"\"} 1 1700000000\nf 2\n", string(breakText([]byte(page))))
	assert.Equal(t, "# HELP a What it is.\n# TYPE a gauge\na{b=\"c d\",e=\"\"} 1e400 1700000000\nf -1\n", string(exceedNumbers([]byte(page))))
	assert.Equal(t, page, string(nestDeep([]byte(page))))
	assert.Equal(t, page, string(mistype([]byte(page))))

	for text, want := range map[string]struct {
		edit   func([]byte) []byte
		edited string
	}{
		`{"a":["1","b\"2"],"c":3}`:       {breakText, `{"a":["1` + NotUTF8 + `","b\"2` + NotUTF8 + `"],"c":3}`},
		`{"a1":[0,1,10,"2"],"c":-3.5e7}`: {exceedNumbers, `{"a1":[0,1,1e400,"2"],"c":-1}`},
	} {
		assert.Equal(t, want.edited, string(want.edit([]byte(text))))
	}
	assert.Len(t, nestDeep([]byte(`[1]`)), NestingDepth*4+1)
	assert.Len(t, nestDeep([]byte(`{"a":1,"b":2}`)), 2*(NestingDepth*4+1)+len(`{"a":,"b":}`))
	assert.Len(t, nestDeep([]byte(`{"a":1,"b":{}}`)), NestingDepth*4+1+len(`{"a":1,"b":}`))
}
