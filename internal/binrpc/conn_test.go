// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package binrpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var networks = []string{"unix", "tcp"}

// serve handles every connection with answer and returns the endpoint. It closes a connection when answer returns.
func serve(t testing.TB, network string, answer func(net.Conn)) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = socketPath(t)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), network, address)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		assert.NoError(t, l.Close())
		<-done
	})
	return network + "://" + l.Addr().String()
}

// socketPath returns a path shorter than t.TempDir, because the path of a socket has at most 108 bytes.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "ctl")
}

// replying answers each request with the next of bodies, then waits for the client to close the connection.
func replying(bodies ...[]byte) func(net.Conn) {
	return func(conn net.Conn) {
		for _, body := range bodies {
			cookie, err := readRequest(conn)
			if err != nil {
				return
			}
			_, _ = conn.Write(packet(typeReply, cookie, body))
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

// sending answers the first request with b, then waits for the client to close the connection.
func sending(b []byte) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := readRequest(conn); err == nil {
			_, _ = conn.Write(b)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
}

// readRequest reads one request and returns its cookie.
func readRequest(conn net.Conn) (uint32, error) {
	b := make([]byte, fixedHeader, 16)
	if _, err := io.ReadFull(conn, b); err != nil {
		return 0, err
	}
	b = b[:fixedHeader+int(b[1]>>2&3)+1+int(b[1]&3)+1]
	if _, err := io.ReadFull(conn, b[fixedHeader:]); err != nil {
		return 0, err
	}
	h := parseHeader(b)
	_, err := io.CopyN(io.Discard, conn, int64(h.size))
	return h.cookie, err
}

func dial(t testing.TB, endpoint string) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), endpoint)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

// shortDeadline is for calls that are expected to time out. All others use longDeadline.
func shortDeadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func longDeadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// noReply fails the test if it is called with a reply.
func noReply(t testing.TB) func(Records) error {
	t.Helper()
	return func(Records) error {
		t.Error("unexpected reply")
		return nil
	}
}

var versionRequest = NewRequest("core.version")

func collect(into *[]any) func(Records) error {
	return func(r Records) error {
		*into = append(*into, plainAll(r)...)
		return nil
	}
}

func str(text string) []byte { return appendText(nil, String, text) }

func plainStrings(texts ...string) (all []any) {
	for _, text := range texts {
		all = append(all, map[string]any{"str": text})
	}
	return all
}

func TestCalls(t *testing.T) {
	for _, network := range networks {
		c := dial(t, serve(t, network, replying(str("one"), str("two"), nil)))
		var got []any
		for range 3 {
			require.NoError(t, c.Call(longDeadline(t), versionRequest, collect(&got)))
		}
		assert.Equal(t, plainStrings("one", "two"), got)
		require.NoError(t, c.Close())
		assert.True(t, c.Broken())
		err := c.Call(longDeadline(t), versionRequest, noReply(t))
		require.ErrorIs(t, err, ErrClosed, "closed")
		require.NoError(t, c.Close())
	}
}

// TestPieces sends two replies, one of them large, in pieces of various sizes.
func TestPieces(t *testing.T) {
	small := capture(t, "unix/stats.fetch_one.rep.bin")
	n, err := headerSize(small)
	require.NoError(t, err)
	want, err := Decode(large(t))
	require.NoError(t, err)
	for size := 1; size < 200_000; size = size*3 + 1 {
		body := want.body
		if size < 40 { // sufficient to split the header and the first records at every byte
			body = small[n:]
		}
		answer := append(packet(typeReply, 1, small[n:]), packet(typeReply, 2, body)...)
		c := dial(t, serve(t, "unix", func(conn net.Conn) {
			for piece := range bytesOf(answer, size) {
				_, _ = conn.Write(piece)
			}
			_, _ = io.Copy(io.Discard, conn)
		}))
		var got [2][]byte
		calls := []Call{{Request: versionRequest}, {Request: versionRequest}}
		for i := range calls {
			calls[i].Handle = func(r Records) error {
				got[i] = encode(nil, r)
				return nil
			}
		}
		c.Do(longDeadline(t), calls)
		require.NoError(t, errors.Join(calls[0].Err, calls[1].Err), "pieces of %d bytes", size)
		require.Equal(t, small[n:], got[0])
		require.True(t, bytes.Equal(body, got[1]))
	}
}

func bytesOf(b []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// TestPipeline sends all requests before any is answered. A fault, a malformed reply and an error of Handle affect only their own
// calls.
func TestPipeline(t *testing.T) {
	errHandle := errors.New("rejected")
	c := dial(t, serve(t, "unix", func(conn net.Conn) {
		for range 2 {
			var cookies []uint32
			for range 5 {
				cookie, err := readRequest(conn)
				if err != nil {
					return
				}
				cookies = append(cookies, cookie)
			}
			for i, answer := range [][]byte{
				packet(typeReply, cookies[0], str("one")),
				packet(typeFault, cookies[1], append(appendNumber(nil, Int, 500), str("command x not found")...)),
				packet(typeReply, cookies[2], []byte{0x03}),
				packet(typeReply, cookies[3], str("four")),
				packet(typeReply, cookies[4], str("five")),
			} {
				// A reply of a server that encodes every number in four bytes.
				if i == 4 {
					answer = widened(answer)
				}
				_, _ = conn.Write(answer)
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}))
	c.cookie = math.MaxUint32 - 3 // the next cookies include 0 and 0xff
	for range 2 {
		var got []any
		calls := []Call{
			{Request: versionRequest, Handle: collect(&got)},
			{Request: versionRequest, Handle: noReply(t)},
			{Request: versionRequest, Handle: noReply(t)},
			{Request: versionRequest, Handle: func(Records) error { return errHandle }},
			{Request: versionRequest, Handle: collect(&got), Err: errHandle},
		}
		c.Do(longDeadline(t), calls)
		require.NoError(t, calls[0].Err)
		require.EqualError(t, calls[1].Err, `fault 500 "command x not found"`)
		require.Equal(t, scrape.Response, scrape.TypeOf(calls[1].Err))
		require.Equal(t, scrape.Format, scrape.TypeOf(calls[2].Err))
		require.ErrorIs(t, calls[3].Err, errHandle)
		require.NoError(t, calls[4].Err)
		assert.Equal(t, plainStrings("one", "five"), got)
		assert.False(t, c.Broken())
		c.cookie = 0xfe
	}
}

// widened returns a small packet with the numbers of its header in four bytes.
func widened(small []byte) []byte {
	n := fixedHeader + int(small[1]>>2&3) + 1 + int(small[1]&3) + 1
	h := parseHeader(small[:n])
	wide := []byte{small[0], h.typ<<4 | 0xf, 0, 0, 0, byte(h.size)}
	wide = append(wide, byte(h.cookie>>24), byte(h.cookie>>16), byte(h.cookie>>8), byte(h.cookie))
	return append(wide, small[n:]...)
}

func TestMalformedReplies(t *testing.T) {
	for name, tc := range malformedReplies(t) {
		for _, network := range networks {
			t.Run(name+" "+network, func(t *testing.T) {
				c := dial(t, serve(t, network, sending(tc.packet)))
				err := c.Call(longDeadline(t), versionRequest, noReply(t))
				require.ErrorContains(t, err, tc.text)
				assert.Equal(t, tc.want, scrape.TypeOf(err))
				assert.NotErrorIs(t, err, ErrClosed)
			})
		}
	}
}

// TestBrokenStreams covers defects after which the position in the stream is unknown, so that the connection is closed.
func TestBrokenStreams(t *testing.T) {
	reply := packet(typeReply, 1, str("5.6.3"))
	for name, tc := range map[string]struct {
		sent []byte
		want scrape.ErrorType
		text string
	}{
		"cookie":         {packet(typeReply, 7, nil), scrape.Format, "reply to request 7, expected the reply to request 1"},
		"fault, cookie":  {packet(typeFault, 0, nil), scrape.Format, "reply to request 0"},
		"bytes after":    {slices.Concat(reply, []byte("extra")), scrape.Format, "unexpected bytes after the reply: `extra`"},
		"second reply":   {slices.Concat(reply, reply), scrape.Format, "unexpected bytes after the reply"},
		"endless":        {slices.Concat(reply, make([]byte, 1<<20)), scrape.Format, "unexpected bytes after the reply"},
		"16 MiB + 1":     {unhex(t, "a1 1c 01 00 00 01 01"), scrape.Size, "reply too large: 16777217 bytes"},
		"4 GiB":          {unhex(t, "a1 1c ff ff ff ff 01 00"), scrape.Size, "reply too large: 4294967295 bytes"},
		"2^31":           {unhex(t, "a1 1c 80 00 00 00 01 00"), scrape.Size, "reply too large: 2147483648 bytes"},
		"SIP port":       {[]byte("SIP/2.0 400 Bad Request\r\n"), scrape.Format, "SIP/2.0 400 Bad Request"},
		"bytes of 0":     {make([]byte, 100), scrape.Format, "not BINRPC"},
		"bytes of 0xff":  {bytes.Repeat([]byte{0xff}, 100), scrape.Format, "not BINRPC"},
		"echoed request": {packet(typeRequest, 1, versionRequest.body), scrape.Format, "type 0"},
	} {
		for _, network := range networks {
			t.Run(name+" "+network, func(t *testing.T) {
				c := dial(t, serve(t, network, sending(tc.sent)))
				err := c.Call(longDeadline(t), versionRequest, noReply(t))
				require.ErrorContains(t, err, tc.text)
				assert.Equal(t, tc.want, scrape.TypeOf(err))
				assert.True(t, c.Broken())
				err = c.Call(longDeadline(t), versionRequest, noReply(t))
				require.ErrorIs(t, err, ErrClosed)
				assert.Equal(t, scrape.Connection, scrape.TypeOf(err))
			})
		}
	}
}

// TestStrayReply sends a second reply to a finished call. It is not mistaken for the reply to the next call.
func TestStrayReply(t *testing.T) {
	c := dial(t, serve(t, "tcp", func(conn net.Conn) {
		for _, cookies := range [][]uint32{{1}, {1, 2}} {
			_, _ = readRequest(conn)
			for _, cookie := range cookies {
				_, _ = conn.Write(packet(typeReply, cookie, nil))
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}))
	require.NoError(t, c.Call(longDeadline(t), versionRequest, func(Records) error { return nil }))
	err := c.Call(longDeadline(t), versionRequest, noReply(t))
	require.ErrorContains(t, err, "reply to request 1, expected the reply to request 2")
	assert.True(t, c.Broken())
}

// TestTruncatedReplies truncates the reply at every byte: the server closes the connection or stops sending.
func TestTruncatedReplies(t *testing.T) {
	reply := packet(typeReply, 1, str("kamailio 5.6.3"))
	for i := range reply {
		c := dial(t, serve(t, "unix", func(conn net.Conn) {
			_, _ = readRequest(conn)
			_, _ = conn.Write(reply[:i])
		}))
		err := c.Call(longDeadline(t), versionRequest, noReply(t))
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorContains(t, err, "after "+strconv.Itoa(i)+" bytes of the reply")
		require.Equal(t, scrape.Connection, scrape.TypeOf(err))
		require.True(t, c.Broken())
	}
	for _, i := range []int{0, 1, 3, 4, len(reply) - 1} {
		c := dial(t, serve(t, "unix", sending(reply[:i])))
		err := c.Call(shortDeadline(t), versionRequest, noReply(t))
		require.ErrorContains(t, err, "no complete reply in time, after "+strconv.Itoa(i)+" bytes of the reply: kamailio is overloaded")
		require.Equal(t, scrape.Timeout, scrape.TypeOf(err))
		require.NotErrorIs(t, err, ErrClosed)
		require.True(t, c.Broken(), "the reply may still come")
	}
}

// TestTrickle sends one byte at a time. The deadline applies to the whole call, not to each read.
func TestTrickle(t *testing.T) {
	c := dial(t, serve(t, "unix", func(conn net.Conn) {
		_, _ = readRequest(conn)
		_, err := conn.Write(unhex(t, "a1 1c 00 ff ff ff 01"))
		for err == nil {
			_, err = conn.Write([]byte{0})
		}
	}))
	err := c.Call(shortDeadline(t), versionRequest, noReply(t))
	require.Equal(t, scrape.Timeout, scrape.TypeOf(err))
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(t, serve(t, "unix", func(conn net.Conn) {
		_, _ = readRequest(conn)
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	}))
	err := c.Call(ctx, versionRequest, noReply(t))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, scrape.Other, scrape.TypeOf(err))
	assert.True(t, c.Broken())

	c = dial(t, serve(t, "unix", replying()))
	require.ErrorIs(t, c.Call(ctx, versionRequest, noReply(t)), context.Canceled, "before the request")
	assert.True(t, c.Broken())
}

// TestRemainingCalls closes the connection between two replies: the remaining calls can be retried on a new one.
func TestRemainingCalls(t *testing.T) {
	endpoint := serve(t, "tcp", func(conn net.Conn) {
		for range 2 {
			_, _ = readRequest(conn)
		}
		_, _ = conn.Write(packet(typeReply, 1, str("one")))
	})
	c := dial(t, endpoint)
	var got []any
	calls := []Call{
		{Request: versionRequest, Handle: collect(&got)},
		{Request: versionRequest, Handle: noReply(t)},
		{Request: versionRequest, Handle: noReply(t)},
	}
	c.Do(longDeadline(t), calls)
	require.NoError(t, calls[0].Err)
	require.ErrorIs(t, calls[1].Err, ErrClosed)
	require.ErrorIs(t, calls[2].Err, ErrClosed)
	assert.Equal(t, plainStrings("one"), got)
	assert.ErrorContains(t, calls[1].Err, "check that kamailio runs")
}

// TestLostCalls ends an exchange at its second call. The errors of the calls behind it name that call.
func TestLostCalls(t *testing.T) {
	first := packet(typeReply, 1, str("one"))
	for name, tc := range map[string]struct {
		answer      []byte
		ctx         func(testing.TB) context.Context
		text        string
		want, after scrape.ErrorType
		behind      string
	}{
		"hangs": {first, shortDeadline, "no complete reply in time", scrape.Timeout, scrape.Timeout, "behind dispatcher.list, which did not answer in time"},
		"cookie": {
			slices.Concat(first, packet(typeReply, 7, nil)), longDeadline, "reply to request 7", scrape.Format, scrape.Connection,
			"behind dispatcher.list, whose reply cannot be read",
		},
		"size": {
			slices.Concat(first, unhex(t, "a1 1c ff ff ff ff 02 00")), longDeadline, "reply too large: 4294967295 bytes", scrape.Size, scrape.Connection,
			"behind dispatcher.list, whose reply cannot be read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, serve(t, "unix", func(conn net.Conn) {
				for range 4 {
					_, _ = readRequest(conn)
				}
				_, _ = conn.Write(tc.answer)
				_, _ = io.Copy(io.Discard, conn)
			}))
			var got []any
			calls := []Call{
				{Request: versionRequest, Handle: collect(&got)},
				{Request: NewRequest("dispatcher.list"), Handle: noReply(t)},
				{Request: versionRequest, Handle: noReply(t)},
				{Request: versionRequest, Handle: noReply(t)},
			}
			c.Do(tc.ctx(t), calls)
			require.NoError(t, calls[0].Err)
			assert.Equal(t, plainStrings("one"), got)
			require.ErrorContains(t, calls[1].Err, tc.text)
			assert.Equal(t, tc.want, scrape.TypeOf(calls[1].Err))
			for _, lost := range calls[2:] {
				require.EqualError(t, lost.Err, tc.behind)
				assert.Equal(t, tc.after, scrape.TypeOf(lost.Err))
				assert.Zero(t, lost.Duration)
			}
			assert.Positive(t, calls[0].Duration)
			assert.Positive(t, calls[1].Duration)
			assert.True(t, c.Broken())
		})
	}
}

// peer is a connection whose other end answers each write at once and records its size.
type peer struct {
	net.Conn
	writes  []int
	replies bytes.Buffer
}

func (p *peer) Write(b []byte) (int, error) {
	p.writes = append(p.writes, len(b))
	for requests := bytes.NewReader(b); requests.Len() > 0; {
		head := make([]byte, longestHeader)
		_, _ = io.ReadFull(requests, head[:fixedHeader])
		n := fixedHeader + int(head[1]>>2&3) + 1 + int(head[1]&3) + 1
		_, _ = io.ReadFull(requests, head[fixedHeader:n])
		h := parseHeader(head[:n])
		_, _ = io.CopyN(io.Discard, requests, int64(h.size))
		p.replies.Write(packet(typeReply, h.cookie, str("x")))
	}
	return len(b), nil
}

func (p *peer) Read(b []byte) (int, error)  { return p.replies.Read(b) }
func (p *peer) SetDeadline(time.Time) error { return nil }
func (p *peer) Close() error                { return nil }

// TestManyRequests sends at most as many bytes as Kamailio's buffer holds, and the rest after their replies.
func TestManyRequests(t *testing.T) {
	for _, tc := range []struct {
		size, calls int
		writes      []int
	}{
		{100, 2, []int{2 * (100 + 4)}},
		{1000, 150, []int{65 * 1005, 65 * 1005, 20 * 1005}},
		{60_000, 3, []int{60_005, 60_005, 60_005}},
		{maxRequest - longestHeader, 2, []int{maxRequest - longestHeader + 5, maxRequest - longestHeader + 5}},
	} {
		p := &peer{}
		c := &Conn{conn: p}
		calls := make([]Call, tc.calls)
		var got []any
		for i := range calls {
			calls[i] = Call{Request: Request{body: make([]byte, tc.size)}, Handle: collect(&got)}
		}
		c.Do(longDeadline(t), calls)
		for i := range calls {
			require.NoError(t, calls[i].Err)
		}
		assert.Len(t, got, tc.calls)
		assert.Equal(t, tc.writes, p.writes)
	}
}

// TestDurations checks that the duration of a slow call does not count for the calls sent with it.
func TestDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		c := &Conn{conn: client}
		defer func() { assert.NoError(t, c.Close()) }()
		go func() {
			defer server.Close()
			var cookies [3]uint32
			for i := range cookies {
				var err error
				if cookies[i], err = readRequest(server); !assert.NoError(t, err) {
					return
				}
			}
			for i, wait := range []time.Duration{0, 3 * time.Second, 0} {
				time.Sleep(wait) // in the fake time of synctest
				if _, err := server.Write(packet(typeReply, cookies[i], str("ok"))); !assert.NoError(t, err) {
					return
				}
			}
		}()

		calls := make([]Call, 3)
		for i := range calls {
			calls[i] = Call{Request: versionRequest, Handle: func(Records) error { return nil }}
		}
		c.Do(longDeadline(t), calls)
		var durations []time.Duration
		for _, call := range calls {
			require.NoError(t, call.Err)
			durations = append(durations, call.Duration)
		}
		assert.Equal(t, []time.Duration{0, 3 * time.Second, 0}, durations)
	})
}

// TestLargeReplyIsNotKept checks that the buffer of a large reply is released.
func TestLargeReplyIsNotKept(t *testing.T) {
	for size, kept := range map[int]bool{maxIdleBuffer / 2: true, 2 * maxIdleBuffer: false} {
		c := dial(t, serve(t, "unix", replying(str(strings.Repeat("x", size)), str("two"))))
		for _, want := range []int{size, 3} {
			var got []any
			require.NoError(t, c.Call(longDeadline(t), versionRequest, collect(&got)))
			assert.Len(t, got[0].(map[string]any)["str"], want)
		}
		assert.Equal(t, kept, cap(c.in) > initialBuffer)
		assert.Less(t, cap(c.in), 2*maxIdleBuffer)
	}
}

// TestRestart closes an idle connection, as a restarting server does.
func TestRestart(t *testing.T) {
	for _, network := range networks {
		c := dial(t, serve(t, network, func(conn net.Conn) {
			cookie, _ := readRequest(conn)
			_, _ = conn.Write(packet(typeReply, cookie, nil))
		}))
		require.NoError(t, c.Call(longDeadline(t), versionRequest, func(Records) error { return nil }))
		require.ErrorIs(t, c.Call(longDeadline(t), versionRequest, noReply(t)), ErrClosed)
	}
}

func TestLargeRequest(t *testing.T) {
	c := dial(t, serve(t, "unix", replying(str("one"))))
	err := c.Call(longDeadline(t), NewRequest(strings.Repeat("x", maxRequest)), noReply(t))
	require.ErrorContains(t, err, "request of 65540 bytes exceeds kamailio's limit of 65535")
	assert.Equal(t, scrape.Size, scrape.TypeOf(err))
	require.NoError(t, c.Call(longDeadline(t), versionRequest, func(Records) error { return nil }), "nothing was sent")
}

// TestAnnouncedSize checks that memory grows with the bytes received and not with the size that the header announces.
func TestAnnouncedSize(t *testing.T) {
	truncated := packet(typeReply, 1, make([]byte, MaxBody))[:100_000]
	endpoint := serve(t, "unix", func(conn net.Conn) {
		_, _ = readRequest(conn)
		_, _ = conn.Write(truncated)
	})
	c := dial(t, endpoint)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.Call(longDeadline(t), versionRequest, noReply(t))
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "after 100000 bytes of the reply")
	assert.Less(t, cap(c.in), 4*len(truncated))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// TestCallAllocations bounds the allocations of a call on a connection whose buffers have grown.
func TestCallAllocations(t *testing.T) {
	whole := capture(t, "unix/stats.fetch_all.rep.bin")
	n, err := headerSize(whole)
	require.NoError(t, err)
	reply := packet(typeReply, 1, whole[n:])
	c := dial(t, serve(t, "unix", func(conn net.Conn) {
		b := make([]byte, 100)
		for {
			if _, err := conn.Read(b); err != nil {
				return
			}
			_, _ = conn.Write(reply)
		}
	}))
	ctx := longDeadline(t)
	walk := func(r Records) error {
		walkAll(r)
		return nil
	}
	allocations := testing.AllocsPerRun(100, func() {
		c.cookie = 0
		if err := c.Call(ctx, versionRequest, walk); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocations, 10.0)
}

func TestParseEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"unix:///run/kamailio/kamailio_ctl": "unix /run/kamailio/kamailio_ctl",
		"tcp://10.0.0.5:12049":              "tcp 10.0.0.5:12049",
		"tcp://10.0.0.5":                    "tcp 10.0.0.5:2049",
		"tcp://[::1]/":                      "tcp [::1]:2049",
		"tcp://sip.example.org:2049":        "tcp sip.example.org:2049",
		"":                                  "",
		"/run/kamailio/kamailio_ctl":        "",
		"unix://run/kamailio/kamailio_ctl":  "",
		"unix:///":                          "",
		"unixs:/run/kamailio/kamailio_ctl":  "",
		"tcp:127.0.0.1:2049":                "",
		"tcp://":                            "",
		"tcp://:2049":                       "",
		"tcp://host:port":                   "",
		"tcp://host/path":                   "",
		"tcp://user:secret@host":            "",
		"tcp://host?x=secret":               "",
		"udp://host:2049":                   "",
		"http://host/RPC":                   "",
	} {
		network, address, err := ParseEndpoint(endpoint)
		assert.Equal(t, want, strings.TrimSpace(network+" "+address), endpoint)
		if want == "" {
			require.ErrorContains(t, err, "endpoint: must be", endpoint)
			require.NotContains(t, err.Error(), "secret")
		}
	}
	_, err := Dial(t.Context(), "udp://host")
	require.ErrorContains(t, err, "endpoint: must be")
}

// TestDialErrors checks the hints for the usual reasons why a connection fails.
func TestDialErrors(t *testing.T) {
	missing := socketPath(t)
	stale := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	datagram := socketPath(t)
	d, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: datagram, Net: "unixgram"})
	require.NoError(t, err)
	defer func() { assert.NoError(t, d.Close()) }()

	for endpoint, text := range map[string]string{
		"unix://" + missing:  "connect: no such file or directory: check that kamailio runs and loads the ctl module",
		"unix://" + stale:    "connect: connection refused: nothing listens there",
		"unix://" + datagram: "connect: protocol wrong type for socket: datagram socket: the setting endpoint must name",
		"tcp://127.0.0.1:1":  "connect: connection refused: nothing listens there",
	} {
		_, err := Dial(longDeadline(t), endpoint)
		require.ErrorContains(t, err, text)
		assert.Equal(t, scrape.Connection, scrape.TypeOf(err))
	}
	denied := dialError(t.Context(), &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", os.ErrPermission)})
	require.ErrorContains(t, denied, `modparam("ctl", "mode", 0660)`)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Dial(ended, "tcp://127.0.0.1:1")
	require.ErrorIs(t, err, context.Canceled)
	past, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err = Dial(past, "tcp://127.0.0.1:1")
	require.ErrorContains(t, err, "no connection in time")
	assert.Equal(t, scrape.Timeout, scrape.TypeOf(err))
}
