// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package binrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const (
	// defaultPort is that of ctl, TCP.
	defaultPort = "2049"
	// maxRequest is the largest packet in bytes that ctl reads (STREAM_BUF_SIZE in Kamailio's source).
	maxRequest = 65535
	// firstBuffer is what is read at once, in bytes, before more has been seen to come.
	firstBuffer = 16 << 10
	// keptBuffer is the size in bytes over which the buffer of a reply is not kept for the next one.
	keptBuffer = 1 << 20
)

// ParseEndpoint returns the network and address that net.Dial wants for an endpoint: unix:///path of a stream socket, or
// tcp://host:port, where the port is 2049 unless given. The error names the setting and an example.
func ParseEndpoint(endpoint string) (network, address string, err error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.User != nil, u.RawQuery != "", u.Fragment != "":
	case u.Scheme == "unix" && u.Host == "" && len(u.Path) > 1:
		return "unix", u.Path, nil
	case u.Scheme == "tcp" && u.Hostname() != "" && (u.Path == "" || u.Path == "/"):
		port := u.Port()
		if port == "" {
			port = defaultPort
		}
		return "tcp", net.JoinHostPort(u.Hostname(), port), nil
	}
	return "", "", errors.New("endpoint: must be the path of a socket, such as unix:///run/kamailio/kamailio_ctl, " +
		"or a host and port, such as tcp://127.0.0.1:2049")
}

// Conn is a connection to Kamailio's module ctl. It is not safe for concurrent use.
//
// It starts no goroutine. One that broke stays so: Broken tells, and the caller dials again.
type Conn struct {
	conn   net.Conn
	broken error
	cookie uint32 // of the last request
	out    []byte
	in     []byte // what has been received
	used   int    // how much of it has been walked over
}

// Dial connects to an endpoint that ParseEndpoint accepts, before ctx ends. The errors are *Error of the types connection
// and timeout, or those of ParseEndpoint.
func Dial(ctx context.Context, endpoint string) (*Conn, error) {
	network, address, err := ParseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, dialError(ctx, err)
	}
	return &Conn{conn: conn}, nil
}

// Close ends the connection.
func (c *Conn) Close() error {
	if c.Broken() {
		return nil
	}
	c.broken = net.ErrClosed
	return c.conn.Close()
}

// Broken tells whether the connection is of no more use.
func (c *Conn) Broken() bool { return c.broken != nil }

// Call is a request and what becomes of its reply.
type Call struct {
	// Request is what is asked.
	Request Request
	// Walk is given the records of the reply, which are valid until it returns. It is not called when there is no reply.
	// It must be quick: Kamailio gives up on the replies that follow when nobody reads for 10 ms.
	Walk func(Records) error
	// Err is set by Do: a *Fault, an *Error, what Walk returned, or nil.
	Err error
	// Duration is set by Do: how long it waited for this reply alone, from the arrival of the one before it, or from the end
	// of the sending.
	Duration time.Duration
}

// Call makes one call and returns its error.
func (c *Conn) Call(ctx context.Context, request Request, walk func(Records) error) error {
	calls := []Call{{Request: request, Walk: walk}}
	c.Do(ctx, calls)
	return calls[0].Err
}

// Do makes calls and reads their replies in order, before ctx ends. All calls are sent at once, or in as few writes as
// Kamailio can read. A fault, or a reply that is whole but cannot be read, costs its own call only. When the connection
// breaks, the calls without a reply are lost: the error of the first one says why, and the others name it, unless the
// connection is gone. Those whose Err is ErrGone are worth repeating on a new connection. With a request of more than 65535
// bytes among them, all calls fail and nothing is sent.
func (c *Conn) Do(ctx context.Context, calls []Call) {
	if err := checkSizes(calls); err != nil {
		for i := range calls {
			calls[i].Err = err
		}
		return
	}
	err := c.begin(ctx)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
		defer func() {
			// A deadline that comes late would strike the next calls.
			if !stop() {
				_ = c.breakOff(ctx.Err())
			}
		}()
	}
	for err == nil && len(calls) > 0 {
		var sent, answered int
		if sent, err = c.send(ctx, calls); err == nil {
			answered, err = c.receiveAll(ctx, calls[:sent])
		}
		calls = calls[answered:]
	}
	for i := range calls {
		calls[i].Err = err
		if i == 0 {
			err = Behind(calls[0].Request.method, err)
		}
	}
	if cap(c.in) > keptBuffer {
		c.in, c.used = nil, 0 // all of it has been read
	}
}

// receiveAll reads the replies to calls and returns how many came.
func (c *Conn) receiveAll(ctx context.Context, calls []Call) (answered int, err error) {
	first := c.cookie - uint32(len(calls)) + 1 //nolint:gosec // the cookies of the last requests
	last := time.Now()
	for i := range calls {
		call := &calls[i]
		h, body, err := c.receive(ctx, first+uint32(i), i == len(calls)-1)
		now := time.Now()
		call.Duration, last = now.Sub(last), now
		if err != nil {
			return i, err
		}
		var records Records
		if records, call.Err = decode(h.typ, body); call.Err == nil {
			call.Err = call.Walk(records)
		}
	}
	return len(calls), nil
}

// begin makes the connection keep to the deadline of ctx.
func (c *Conn) begin(ctx context.Context) error {
	if c.broken != nil {
		return &Error{Type: scrape.Connection, Err: fmt.Errorf("%w: %w", ErrGone, c.broken)}
	}
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return c.breakOff(transferError(ctx, "before the request", err))
	}
	return nil
}

// checkSizes refuses requests that Kamailio would not read.
func checkSizes(calls []Call) error {
	for i := range calls {
		if size := len(calls[i].Request.body); longestHeader+size > maxRequest {
			return &Error{Type: scrape.Size, Text: fmt.Sprintf("a request of %d bytes is more than the %d that kamailio reads", size, maxRequest)}
		}
	}
	return nil
}

// send writes as many requests as Kamailio can hold until it reads them, and returns how many. The others wait for the
// replies, because Kamailio does not wait until somebody reads those.
func (c *Conn) send(ctx context.Context, calls []Call) (sent int, err error) {
	c.out = c.out[:0]
	for sent < len(calls) {
		body := calls[sent].Request.body
		if len(c.out)+longestHeader+len(body) > maxRequest {
			break
		}
		c.cookie++
		c.out = append(appendHeader(c.out, typeRequest, len(body), c.cookie), body...)
		sent++
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, c.breakOff(transferError(ctx, "while sending", err))
	}
	return sent, nil
}

// receive reads the reply to the request with this cookie. Nothing may follow the last one. The body is valid until the
// next call.
func (c *Conn) receive(ctx context.Context, cookie uint32, last bool) (h header, body []byte, err error) {
	c.in = c.in[:copy(c.in, c.in[c.used:])]
	c.used = 0

	if err := c.fill(ctx, fixedHeader); err != nil {
		return h, nil, err
	}
	n, err := headerSize(c.in)
	if err != nil {
		return h, nil, c.breakOff(err)
	}
	if err := c.fill(ctx, n); err != nil {
		return h, nil, err
	}
	h = parseHeader(c.in[:n])
	switch {
	case h.cookie != cookie:
		return h, nil, c.breakOff(malformed("the answer to request %d where that to request %d was due", h.cookie, cookie))
	case h.size > MaxBody:
		return h, nil, c.breakOff(tooLarge("a reply of %d bytes", h.size))
	}
	c.used = n + int(h.size)
	if err := c.fill(ctx, c.used); err != nil {
		return h, nil, err
	}
	if rest := c.in[c.used:]; last && len(rest) > 0 {
		return h, nil, c.breakOff(malformed("more bytes after the reply, they begin with %#q", quote(rest)))
	}
	return h, c.in[n:c.used], nil
}

// fill reads until n bytes of the reply are there. The buffer grows with what came, never with what was claimed.
func (c *Conn) fill(ctx context.Context, n int) error {
	for len(c.in) < n {
		if len(c.in) == cap(c.in) {
			c.in = slices.Grow(c.in, max(firstBuffer, min(len(c.in), n-len(c.in))))
		}
		got, err := c.conn.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+got]
		if err != nil && len(c.in) < n {
			return c.breakOff(transferError(ctx, fmt.Sprintf("after %d bytes of the reply", len(c.in)), err))
		}
	}
	return nil
}

// breakOff ends the connection for the first reason given, because nobody knows what would come next on it.
func (c *Conn) breakOff(reason error) error {
	if c.broken == nil {
		c.broken = reason
		_ = c.conn.Close()
	}
	return reason
}
