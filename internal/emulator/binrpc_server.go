// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"time"
)

// binrpcServer answers BINRPC on the connections of a Server.
type binrpcServer struct {
	*Server
	answer func(binrpcCall) binrpcPacket // its cookie is put in later
}

// newBINRPCServer listens on a socket of network "unix" or "tcp".
func newBINRPCServer(network, address string, answer func(binrpcCall) binrpcPacket, restart func()) (*Server, error) {
	b := binrpcServer{&Server{scheme: network, network: network, address: address, system: system{restart: restart}}, answer}
	b.serve = b.accept
	if err := b.begin(); err != nil {
		return nil, err
	}
	return b.Server, nil
}

// accept serves connections until the listener is closed.
func (b binrpcServer) accept(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		b.track(conn, http.StateNew)
		go func() {
			defer b.track(conn, http.StateClosed)
			b.converse(conn)
			_ = conn.Close()
		}()
	}
}

// converse answers requests in their order, until the client leaves or a fault ends it.
func (b binrpcServer) converse(conn net.Conn) {
	for in := bufio.NewReader(conn); ; {
		request, err := readBINRPC(in)
		var call binrpcCall
		if err == nil && request.typ != binrpcRequest {
			err = errBINRPC
		}
		if err == nil {
			call, err = newBINRPCCall(request.body)
		}
		if errors.Is(err, errBINRPC) { // nobody knows where the next request begins
			_, _ = conn.Write(newBINRPCFault(http.StatusBadRequest, "bad request").bytes())
		}
		if err != nil {
			return
		}
		reply := b.answer(call)
		reply.cookie = request.cookie
		answer := binrpcPacket.writeTo
		if fault := b.note(call[0], call.String()); fault != "" {
			answer = binrpcFaults[fault]
		}
		if !answer(reply, conn) {
			return
		}
	}
}

// writeTo sends the packet and tells whether the conversation goes on.
func (p binrpcPacket) writeTo(conn net.Conn) bool {
	_, err := conn.Write(p.bytes())
	return err == nil
}

// binrpcFaults is how BINRPC does each of Faults to a reply. Each tells whether the conversation goes on.
var binrpcFaults = map[string]func(binrpcPacket, net.Conn) bool{
	refuse:               leaveConn, // accepted just before
	"reset":              resetConn,
	"hang":               hangConn,
	"slow_header":        slowBINRPCHeader,
	"slow_body":          slowBINRPCBody,
	"endless_body":       endlessBINRPCBody,
	"cut_body":           cutBINRPCBody,
	"gzip_bomb":          claimBINRPC, // nothing is packed, but lengths can lie
	"status_500":         failBINRPC(http.StatusInternalServerError, "Internal error"),
	"status_401":         failBINRPC(http.StatusUnauthorized, "Unauthorized"), // faults have codes too
	"status_403":         failBINRPC(http.StatusForbidden, "Forbidden"),
	"status_429":         failBINRPC(http.StatusTooManyRequests, "Too many requests"),
	"html_404":           answerHTTP,
	"redirect_elsewhere": misdirectBINRPC, // nothing points elsewhere, but a reply can come from there
	"wrong_secret":       leaveConn,       // there are no secrets: whom a server does not want gets nothing
	"invalid_json":       halveBINRPC,
	"wrong_types":        mistypeBINRPC,

	"invalid_utf8":         breakBINRPCText,
	"numbers_out_of_range": exceedBINRPCNumbers,
	"deep_nesting":         nestBINRPC,
}

func leaveConn(binrpcPacket, net.Conn) bool { return false }

// resetConn sends a reset where there is such a thing; a unix socket just closes.
func resetConn(_ binrpcPacket, conn net.Conn) bool {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return false
}

// hangConn reads on, to notice that the client has gone away.
func hangConn(_ binrpcPacket, conn net.Conn) bool {
	_, _ = io.Copy(io.Discard, conn)
	return false
}

// slowBINRPCHeader sends all of the longest header but its end: an endless one there cannot be.
func slowBINRPCHeader(p binrpcPacket, conn net.Conn) bool {
	header := binrpcHeader(p.typ, math.MaxUint32, math.MaxUint32)
	if dripConn(conn, header[:len(header)-1]) {
		hangConn(p, conn)
	}
	return false
}

// slowBINRPCBody announces more than anybody waits for: a million times the number 0, a byte each.
func slowBINRPCBody(p binrpcPacket, conn net.Conn) bool {
	numbers := make([]byte, 1<<20)
	if _, err := conn.Write(binrpcHeader(p.typ, len(numbers), p.cookie)); err == nil {
		dripConn(conn, numbers)
	}
	return false
}

// dripConn sends a byte now and then, and tells whether all of them could be sent.
func dripConn(conn net.Conn, content []byte) bool {
	tick := time.NewTicker(dripInterval)
	defer tick.Stop()
	for i := range content {
		if _, err := conn.Write(content[i : i+1]); err != nil {
			return false
		}
		<-tick.C
	}
	return true
}

// endlessBINRPCBody announces as much as can be and repeats the reply.
func endlessBINRPCBody(p binrpcPacket, conn net.Conn) bool {
	_, err := conn.Write(binrpcHeader(p.typ, math.MaxUint32, p.cookie))
	row := append(bytes.Clone(p.body), binrpcInt) // never nothing
	for rows := bytes.Repeat(row, 1+1<<16/len(row)); err == nil; {
		_, err = conn.Write(rows)
	}
	return false
}

func cutBINRPCBody(p binrpcPacket, conn net.Conn) bool {
	b := binrpcHeader(p.typ, len(p.body), p.cookie)
	_, _ = conn.Write(append(b, p.body[:len(p.body)/2]...))
	return false
}

// claimBINRPC sends a small reply with a string that claims to have more than 1 GiB.
func claimBINRPC(p binrpcPacket, conn net.Conn) bool {
	p.body = append([]byte{(8+4)<<4 | binrpcString, 0x7f, 0xff, 0xff, 0xff}, "text"...)
	return p.writeTo(conn)
}

func failBINRPC(code uint32, text string) func(binrpcPacket, net.Conn) bool {
	return func(p binrpcPacket, conn net.Conn) bool {
		fault := newBINRPCFault(code, text)
		fault.cookie = p.cookie
		return fault.writeTo(conn)
	}
}

// answerHTTP answers as an HTTP server does that listens where ctl was expected.
func answerHTTP(_ binrpcPacket, conn net.Conn) bool {
	_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"+page404)
	return false
}

// misdirectBINRPC sends the reply to another request than the one that was made.
func misdirectBINRPC(p binrpcPacket, conn net.Conn) bool {
	p.cookie++
	return p.writeTo(conn)
}

func halveBINRPC(p binrpcPacket, conn net.Conn) bool {
	p.body = p.body[:len(p.body)/2]
	return p.writeTo(conn)
}

// mistypeBINRPC turns numbers into strings and structs by turns, and strings into structs and numbers.
func mistypeBINRPC(p binrpcPacket, conn net.Conn) bool {
	var body []byte
	records, _ := cutBINRPCAll(p.body) // the reply is whole
	for i, r := range records {
		wraps := i/2%2 == 0 // in a struct every other record is a name
		switch {
		case r.typ > binrpcDouble:
			body = append(body, r.raw...)
		case wraps:
			body = append(append(append(body, binrpcStructBegin), r.raw...), binrpcStructEnd)
		case r.typ == binrpcString:
			body = appendBINRPCInt(body, 7)
		default:
			body = appendBINRPCText(body, binrpcString, r.text())
		}
	}
	p.body = body
	return p.writeTo(conn)
}

// editBINRPC sends the reply with each record edited.
func editBINRPC(p binrpcPacket, conn net.Conn, change func(body []byte, r binrpcRecord) []byte) bool {
	var body []byte
	records, _ := cutBINRPCAll(p.body) // the reply is whole
	for _, r := range records {
		body = change(body, r)
	}
	p.body = body
	return p.writeTo(conn)
}

// breakBINRPCText puts bytes that are no UTF-8 at the end of strings.
func breakBINRPCText(p binrpcPacket, conn net.Conn) bool {
	return editBINRPC(p, conn, func(body []byte, r binrpcRecord) []byte {
		if r.typ == binrpcString {
			return appendBINRPCText(body, binrpcString, r.text()+noUTF8)
		}
		return append(body, r.raw...)
	})
}

// exceedBINRPCNumbers puts -1 and a number of 56 bits in the place of numbers by turns; Kamailio has 32.
func exceedBINRPCNumbers(p binrpcPacket, conn net.Conn) bool {
	turn := 0
	return editBINRPC(p, conn, func(body []byte, r binrpcRecord) []byte {
		if r.typ != binrpcInt && r.typ != binrpcDouble {
			return append(body, r.raw...)
		}
		turn++
		if turn%2 == 0 {
			return append(body, 7<<4|r.typ, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		}
		return append(body, 4<<4|r.typ, 0xff, 0xff, 0xff, 0xff)
	})
}

// nestBINRPC sends arrays in arrays in the place of the reply.
func nestBINRPC(p binrpcPacket, conn net.Conn) bool {
	p.body = append(bytes.Repeat([]byte{binrpcArray}, nested), bytes.Repeat([]byte{8<<4 | binrpcArray}, nested)...)
	return p.writeTo(conn)
}
