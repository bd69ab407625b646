// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"bufio"
	"context"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startCtl(t *testing.T, o CtlOptions) *emulator.Server {
	t.Helper()
	return emulatortest.Start(t, NewCtl, o)
}

// wire is a connection to ctl.
type wire struct{ emulatortest.Wire }

// dial connects to a socket.
func dial(server *emulator.Server) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	endpoint, err := url.Parse(server.URL())
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, endpoint.Scheme, endpoint.Host+endpoint.Path)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(10 * time.Second))
}

func talk(t *testing.T, server *emulator.Server) wire {
	t.Helper()
	conn, err := dial(server)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return wire{emulatortest.Wire{Conn: conn, Reader: bufio.NewReader(conn)}}
}

// request returns the packet of a call. Method and arguments are separated by spaces.
func request(cookie uint32, call string) []byte {
	p := packet{typ: typeRequest, cookie: cookie}
	for word := range strings.FieldsSeq(call) {
		p.body = appendText(p.body, recordString, word)
	}
	return p.bytes()
}

// send makes a call without waiting for the reply.
func (w wire) send(t *testing.T, cookie uint32, call string) {
	t.Helper()
	_, err := w.Write(request(cookie, call))
	require.NoError(t, err)
}

// call makes a call and reads the reply.
func (w wire) call(t *testing.T, call string) packet {
	t.Helper()
	w.send(t, 7, call)
	reply, err := readPacket(w)
	require.NoError(t, err)
	assert.Equal(t, uint32(7), reply.cookie)
	return reply
}

// texts returns the records of a reply as text, without tags.
func texts(t *testing.T, p packet) (all []string) {
	t.Helper()
	records, err := cutRecords(p.body)
	require.NoError(t, err)
	for _, r := range records {
		if r.typ != recordStruct {
			all = append(all, r.text())
		}
	}
	return all
}

func TestPacketHeader(t *testing.T) {
	for _, p := range []packet{
		{typ: typeReply, cookie: 0, body: []byte{}},
		{typ: typeFault, cookie: 0xff, body: make([]byte, 0xff)},
		{typ: typeRequest, cookie: 0x100, body: make([]byte, 0x100)},
		{typ: typeReply, cookie: math.MaxUint32, body: make([]byte, maxRequest)},
	} {
		packet := p.bytes()
		read, err := readPacket(strings.NewReader(string(packet)))
		require.NoError(t, err)
		assert.Equal(t, p, read)
	}
	// On a real server, a small cookie returns in one byte, and a reply without records has length 0.
	assert.Equal(t, []byte{0xa1, 0x10, 0x00, 0x05}, packet{typ: typeReply, cookie: 5}.bytes())
}

func TestPipelining(t *testing.T) {
	w := talk(t, startCtl(t, CtlOptions{}))
	var all []byte
	calls := []string{"core.version", "no.such_method", "core.uptime"}
	for i, call := range calls {
		all = append(all, request(uint32(i+1), call)...)
	}
	_, err := w.Write(all)
	require.NoError(t, err)
	for i, begin := range []string{"kamailio 5.6.3", "500", "now"} {
		reply, err := readPacket(w)
		require.NoError(t, err)
		assert.Equal(t, uint32(i+1), reply.cookie)
		assert.True(t, strings.HasPrefix(texts(t, reply)[0], begin), begin)
	}
}

// TestSplitRequest checks that a request is answered however it is split.
func TestSplitRequest(t *testing.T) {
	w := talk(t, startCtl(t, CtlOptions{Network: "tcp"}))
	whole := request(1, "core.version")
	for at := 1; at < len(whole); at++ {
		for _, part := range [][]byte{whole[:at], whole[at:]} {
			_, err := w.Write(part)
			require.NoError(t, err)
		}
		reply, err := readPacket(w)
		require.NoError(t, err)
		assert.Contains(t, texts(t, reply)[0], "kamailio 5.6.3")
	}
}

func TestMalformedRequest(t *testing.T) {
	server := startCtl(t, CtlOptions{})
	for name, sent := range map[string]string{
		"magic":     "GET / HTTP/1.1\r\n\r\n",
		"too long":  "\xa1\x0f\x7f\xff\xff\xff\x00\x00\x00\x01",
		"a reply":   "\xa1\x10\x02\x01\x11\x00",
		"no method": "\xa1\x00\x00\x01",
		"a number":  "\xa1\x00\x01\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			w := talk(t, server)
			_, err := io.WriteString(w.Conn, sent)
			require.NoError(t, err)
			reply, err := readPacket(w)
			require.NoError(t, err)
			assert.Equal(t, byte(typeFault), reply.typ)
			assert.Zero(t, reply.cookie)
			_, err = w.ReadByte()
			assert.Error(t, err)
		})
	}
	for name, sent := range map[string]string{
		"cut header": "\xa1", "cut rest": "\xa1\x00\x09", "cut body": "\xa1\x00\x09\x01\x91", "cut record": "\xa1\x00\x02\x01\x91\x09", "cut size": "\xa1\x00\x01\x01\xc1",
	} {
		t.Run(name, func(t *testing.T) {
			w := talk(t, server)
			_, err := io.WriteString(w.Conn, sent)
			require.NoError(t, err)
			require.NoError(t, w.Conn.(*net.UnixConn).CloseWrite())
			_, err = w.ReadByte()
			assert.ErrorIs(t, err, io.EOF)
		})
	}
}

// silent expects these bytes and then nothing.
func silent(begin []byte) func(*testing.T, wire) {
	return func(t *testing.T, w wire) {
		t.Helper()
		got := make([]byte, len(begin))
		_, err := io.ReadFull(w, got)
		require.NoError(t, err)
		assert.Equal(t, string(begin), string(got))
		require.NoError(t, w.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		_, err = w.ReadByte()
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}

// ends expects that the connection ends after these bytes, with this error if it is not nil.
func ends(reason error, begin []byte) func(*testing.T, wire) {
	return func(t *testing.T, w wire) {
		t.Helper()
		got, err := io.ReadAll(w)
		require.ErrorIs(t, err, reason)
		assert.Equal(t, string(begin), string(got))
	}
}

// replies expects a complete packet and checks it.
func replies(check func(*testing.T, packet)) func(*testing.T, wire) {
	return func(t *testing.T, w wire) {
		t.Helper()
		reply, err := readPacket(w)
		require.NoError(t, err)
		check(t, reply)
	}
}

// faultsWith expects a fault with this code and text.
func faultsWith(code, text string) func(*testing.T, wire) {
	return replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, byte(typeFault), p.typ)
		assert.Equal(t, []string{code, text}, texts(t, p))
	})
}

const askedCookie = 0x1234

// uptimeReply returns the captured reply to the call of TestFaults.
func uptimeReply(t *testing.T) packet {
	t.Helper()
	p, err := readPacketFile(ctlFolder + "unix/core.uptime.rep.bin")
	require.NoError(t, err)
	p.cookie = askedCookie
	return p
}

// faultChecks checks what a client that has called core.uptime observes of each fault.
var faultChecks = map[string]func(*testing.T, wire){
	"reset":       ends(syscall.ECONNRESET, nil),
	"hang":        silent(nil),
	"slow_header": silent([]byte("\xa1\x1f\xff\xff\xff\xff\xff\xff\xff")),
	"slow_body": func(t *testing.T, w wire) {
		t.Helper()
		begin := make([]byte, 7+3)
		_, err := io.ReadFull(w, begin)
		require.NoError(t, err)
		assert.Equal(t, "\xa1\x19\x10\x00\x00\x12\x34\x00\x00\x00", string(begin))
	},
	"endless_body": func(t *testing.T, w wire) {
		t.Helper()
		begin := make([]byte, 4<<20)
		_, err := io.ReadFull(w, begin)
		require.NoError(t, err)
		assert.Equal(t, "\xa1\x1d\xff\xff\xff\xff\x12\x34"+string(uptimeReply(t).body)+"\x00\x03", string(begin[:8+82+2]))
	},
	"cut_body": func(t *testing.T, w wire) {
		t.Helper()
		whole := uptimeReply(t).bytes()
		ends(nil, whole[:5+82/2])(t, w)
	},
	"gzip_bomb": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Less(t, len(p.body), 10)
		_, err := cutRecords(p.body)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}),
	"status_500": faultsWith("500", "Internal error"),
	"status_401": faultsWith("401", "Unauthorized"),
	"status_403": faultsWith("403", "Forbidden"),
	"status_429": faultsWith("429", "Too many requests"),
	"html_404": func(t *testing.T, w wire) {
		t.Helper()
		got, err := io.ReadAll(w)
		require.NoError(t, err)
		assert.Regexp(t, `^HTTP/1\.1 404 Not Found\r\n[\s\S]*<html>`, string(got))
	},
	"redirect_elsewhere": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, uint32(askedCookie+1), p.cookie)
		assert.Equal(t, uptimeReply(t).body, p.body)
	}),
	"wrong_secret": ends(nil, nil),
	"invalid_json": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, uptimeReply(t).body[:82/2], p.body)
	}),
	"wrong_types": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, []string{"now", "7", "up_since", "Fri Nov 20 23:06:01 2026", "uptime", "14"}, texts(t, p))
		assert.Contains(t, string(p.body), "\x75uptime\x00\x3114\x00\x83")
		assert.Contains(t, string(p.body), "up_since\x00\x03\x91\x19Fri")
	}),
	"invalid_utf8": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, "Fri Nov 20 23:06:01 2026"+emulator.NotUTF8, texts(t, p)[3])
	}),
	"numbers_out_of_range": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Contains(t, string(p.body), "uptime\x00\x40\xff\xff\xff\xff")
	}),
	"deep_nesting": replies(func(t *testing.T, p packet) {
		t.Helper()
		assert.Equal(t, strings.Repeat("\x04", emulator.NestingDepth)+strings.Repeat("\x84", emulator.NestingDepth), string(p.body))
	}),
}

func TestFaults(t *testing.T) {
	for _, fault := range emulator.Faults {
		if fault.Whole {
			continue // below
		}
		t.Run(fault.Name, func(t *testing.T) {
			check := faultChecks[fault.Name]
			require.NotNil(t, check, "every fault needs a row in faultChecks")
			require.Contains(t, faults, fault.Name, "every fault needs a row in faults")
			server := startCtl(t, CtlOptions{Network: "tcp"})
			for _, methods := range [][]string{nil, {"pkg.stats", "core.uptime"}} {
				require.NoError(t, server.SetFault(fault.Name, methods...))
				w := talk(t, server)
				w.send(t, askedCookie, "core.uptime")
				check(t, w)
			}
			assert.Contains(t, texts(t, talk(t, server).call(t, "core.version"))[0], "kamailio")
			require.NoError(t, server.SetFault(""))
			assert.Len(t, texts(t, talk(t, server).call(t, "core.uptime")), 6)
		})
	}
}

// TestFaultBetweenReplies checks that a fault that leaves the connection open affects one reply only.
func TestFaultBetweenReplies(t *testing.T) {
	server := startCtl(t, CtlOptions{})
	w := talk(t, server)
	require.NoError(t, server.SetFault("status_500", "core.uptime"))
	assert.Equal(t, []string{"500", "Internal error"}, texts(t, w.call(t, "core.uptime")))
	assert.Contains(t, texts(t, w.call(t, "core.version"))[0], "kamailio")
}

func TestRefuses(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			server := startCtl(t, CtlOptions{Network: network})
			w := talk(t, server)
			w.call(t, "core.version")
			require.NoError(t, server.SetFault(emulator.Refuse))
			_, err := w.ReadByte()
			require.ErrorIs(t, err, io.EOF)
			_, err = dial(server)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			require.NoError(t, server.SetFault(""))
			talk(t, server).call(t, "core.version")
			require.NoError(t, server.SetFault(emulator.Refuse))
		})
	}
}

// TestSocketFile checks that the file of a socket is removed with its server, even if the server refused connections.
func TestSocketFile(t *testing.T) {
	for _, fault := range []string{"", emulator.Refuse} {
		path := t.TempDir() + "/ctl"
		server := startCtl(t, CtlOptions{Addr: path})
		assert.Equal(t, "unix://"+path, server.URL())
		require.NoError(t, server.SetFault(fault))
		require.FileExists(t, path)
		_, err := NewCtl(CtlOptions{Addr: path})
		require.ErrorContains(t, err, "cannot listen on "+path)
		server.Close()
		assert.NoFileExists(t, path)
	}
}

// TestCloseEndsFaults checks that Close ends every connection, whatever its fault.
func TestCloseEndsFaults(t *testing.T) {
	for _, fault := range []string{"hang", "slow_header", "slow_body", "endless_body"} {
		t.Run(fault, func(t *testing.T) {
			server := startCtl(t, CtlOptions{})
			require.NoError(t, server.SetFault(fault))
			w := talk(t, server)
			w.send(t, 1, "core.version")
			require.Eventually(t, func() bool { return len(server.Requests()) == 1 }, 10*time.Second, time.Millisecond)
			server.Close()
			_, err := io.Copy(io.Discard, w)
			assert.NoError(t, err)
		})
	}
}
