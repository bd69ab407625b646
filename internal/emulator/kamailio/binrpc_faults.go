// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// converse answers requests in order until the client disconnects or a fault closes the connection.
func (k *ctl) converse(server *emulator.Server, conn net.Conn) {
	for in := bufio.NewReader(conn); ; {
		call, cookie, err := readCall(in)
		if errors.Is(err, errNotBINRPC) { // the start of the next request is unknown
			_, _ = conn.Write(newFault(http.StatusBadRequest, "bad request").bytes())
		}
		if err != nil {
			return
		}
		reply := k.answer(call)
		reply.cookie = cookie
		answer := packet.writeTo
		if fault := server.Record(call[0], call.String()); fault != "" {
			answer = faults[fault]
		}
		if !answer(reply, conn) {
			return
		}
	}
}

// readCall reads a request.
func readCall(in io.Reader) (call rpcCall, cookie uint32, err error) {
	request, err := readPacket(in)
	if err == nil && request.typ != typeRequest {
		err = errNotBINRPC
	}
	if err == nil {
		call, err = newRPCCall(request.body)
	}
	return call, request.cookie, err
}

// writeTo sends the packet and reports whether the connection stays open.
func (p packet) writeTo(conn net.Conn) bool {
	_, err := conn.Write(p.bytes())
	return err == nil
}

// faults implements emulator.Faults for BINRPC. Each function sends a faulty reply and reports whether the connection stays open.
var faults = map[string]func(packet, net.Conn) bool{
	emulator.Refuse:      leaveConn, // the connection was accepted just before
	"reset":              resetConn,
	"hang":               hangConn,
	"slow_header":        slowHeader,
	"slow_body":          slowBody,
	"endless_body":       endlessBody,
	"cut_body":           cutBody,
	"gzip_bomb":          claimLength, // nothing is compressed, but a length can be wrong
	"status_500":         fail(http.StatusInternalServerError, "Internal error"),
	"status_401":         fail(http.StatusUnauthorized, "Unauthorized"), // faults have codes, too
	"status_403":         fail(http.StatusForbidden, "Forbidden"),
	"status_429":         fail(http.StatusTooManyRequests, "Too many requests"),
	"html_404":           answerHTTP,
	"redirect_elsewhere": misdirect, // there are no redirects, but a reply can belong to another request
	"wrong_secret":       leaveConn, // there are no secrets: a rejected client gets no reply
	"invalid_json":       halve,
	"wrong_types":        mistype,

	"invalid_utf8":         breakText,
	"numbers_out_of_range": exceedNumbers,
	"deep_nesting":         nest,
}

func leaveConn(packet, net.Conn) bool { return false }

// resetConn resets a TCP connection and closes any other one.
func resetConn(_ packet, conn net.Conn) bool {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return false
}

// hangConn never replies. It keeps reading, to notice when the client disconnects.
func hangConn(_ packet, conn net.Conn) bool {
	_, _ = io.Copy(io.Discard, conn)
	return false
}

// slowHeader sends the longest possible header slowly and without its last byte.
func slowHeader(p packet, conn net.Conn) bool {
	header := packetHeader(p.typ, math.MaxUint32, math.MaxUint32)
	if dripConn(conn, header[:len(header)-1]) {
		hangConn(p, conn)
	}
	return false
}

// slowBody slowly sends the number 0, one byte each, a million times.
func slowBody(p packet, conn net.Conn) bool {
	numbers := make([]byte, 1<<20)
	if _, err := conn.Write(packetHeader(p.typ, len(numbers), p.cookie)); err == nil {
		dripConn(conn, numbers)
	}
	return false
}

// dripConn sends one byte every DripInterval and reports whether it has sent all bytes.
func dripConn(conn net.Conn, content []byte) bool {
	tick := time.NewTicker(emulator.DripInterval)
	defer tick.Stop()
	for i := range content {
		if _, err := conn.Write(content[i : i+1]); err != nil {
			return false
		}
		<-tick.C
	}
	return true
}

// endlessBody announces the longest possible body and repeats the reply.
func endlessBody(p packet, conn net.Conn) bool {
	_, err := conn.Write(packetHeader(p.typ, math.MaxUint32, p.cookie))
	row := append(bytes.Clone(p.body), recordInt) // never empty
	for rows := bytes.Repeat(row, 1+1<<16/len(row)); err == nil; {
		_, err = conn.Write(rows)
	}
	return false
}

func cutBody(p packet, conn net.Conn) bool {
	b := packetHeader(p.typ, len(p.body), p.cookie)
	_, _ = conn.Write(append(b, p.body[:len(p.body)/2]...))
	return false
}

// claimLength sends a small reply with a string that claims a length of more than 1 GiB.
func claimLength(p packet, conn net.Conn) bool {
	p.body = append([]byte{(8+4)<<4 | recordString, 0x7f, 0xff, 0xff, 0xff}, "text"...)
	return p.writeTo(conn)
}

func fail(code uint32, text string) func(packet, net.Conn) bool {
	return func(p packet, conn net.Conn) bool {
		fault := newFault(code, text)
		fault.cookie = p.cookie
		return fault.writeTo(conn)
	}
}

// answerHTTP sends an HTTP response in place of a reply of ctl.
func answerHTTP(_ packet, conn net.Conn) bool {
	_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"+emulator.Page404)
	return false
}

// misdirect sends the reply to another request.
func misdirect(p packet, conn net.Conn) bool {
	p.cookie++
	return p.writeTo(conn)
}

func halve(p packet, conn net.Conn) bool {
	p.body = p.body[:len(p.body)/2]
	return p.writeTo(conn)
}

// mistype turns numbers alternately into strings and structs, and strings into structs and numbers.
func mistype(p packet, conn net.Conn) bool {
	var body []byte
	records, _ := cutRecords(p.body) // the reply is complete
	for i, r := range records {
		wraps := i/2%2 == 0 // every other record in a struct is a name
		switch {
		case r.typ > recordDouble:
			body = append(body, r.raw...)
		case wraps:
			body = append(append(append(body, structBegin), r.raw...), structEnd)
		case r.typ == recordString:
			body = appendInt(body, 7)
		default:
			body = appendText(body, recordString, r.text())
		}
	}
	p.body = body
	return p.writeTo(conn)
}

// edit sends the reply with each record changed.
func edit(p packet, conn net.Conn, change func(body []byte, r record) []byte) bool {
	var body []byte
	records, _ := cutRecords(p.body) // the reply is complete
	for _, r := range records {
		body = change(body, r)
	}
	p.body = body
	return p.writeTo(conn)
}

// breakText appends NotUTF8 to strings.
func breakText(p packet, conn net.Conn) bool {
	return edit(p, conn, func(body []byte, r record) []byte {
		if r.typ == recordString {
			return appendText(body, recordString, r.text()+emulator.NotUTF8)
		}
		return append(body, r.raw...)
	})
}

// exceedNumbers replaces numbers alternately with -1 and a number of 56 bits. Kamailio's numbers have 32 bits.
func exceedNumbers(p packet, conn net.Conn) bool {
	turn := 0
	return edit(p, conn, func(body []byte, r record) []byte {
		if r.typ != recordInt && r.typ != recordDouble {
			return append(body, r.raw...)
		}
		turn++
		if turn%2 == 0 {
			return append(body, 7<<4|r.typ, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		}
		return append(body, 4<<4|r.typ, 0xff, 0xff, 0xff, 0xff)
	})
}

// nest sends nested arrays in place of the reply.
func nest(p packet, conn net.Conn) bool {
	p.body = append(bytes.Repeat([]byte{recordArray}, emulator.NestingDepth), bytes.Repeat([]byte{8<<4 | recordArray}, emulator.NestingDepth)...)
	return p.writeTo(conn)
}
