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
	// defaultPort is the default TCP port of ctl.
	defaultPort = "2049"
	// maxRequest is the size in bytes of the largest packet that ctl reads (STREAM_BUF_SIZE in Kamailio's source).
	maxRequest = 65535
	// initialBuffer is the initial size in bytes of the receive buffer.
	initialBuffer = 16 << 10
	// maxIdleBuffer is the maximum size in bytes of a receive buffer that is kept for the next reply.
	maxIdleBuffer = 1 << 20
)

// ParseEndpoint returns the network and address to pass to net.Dial. The endpoint is unix:///path of a stream socket, or
// tcp://host:port, where the port defaults to 2049.
func ParseEndpoint(endpoint string) (network, address string, err error) {
	if path, ok := scrape.SocketPath(endpoint); ok {
		return "unix", path, nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.User != nil, u.RawQuery != "", u.Fragment != "":
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

// Conn is a connection to Kamailio's ctl module. It is not safe for concurrent use and starts no goroutines. It does not
// reconnect: if Broken returns true, the caller must dial again.
type Conn struct {
	conn   net.Conn
	broken error
	cookie uint32 // of the last request
	out    []byte
	in     []byte // received
	used   int    // length of the part of in that has been decoded
}

// Dial connects to an endpoint that ParseEndpoint accepts. Its error is an *Error of type connection or timeout, or the error
// of ParseEndpoint.
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

// Close closes the connection.
func (c *Conn) Close() error {
	if c.Broken() {
		return nil
	}
	c.broken = net.ErrClosed
	return c.conn.Close()
}

// Broken reports whether the connection is closed or no longer usable.
func (c *Conn) Broken() bool { return c.broken != nil }

// Call is a request and the handling of its reply.
type Call struct {
	// Request is sent to Kamailio.
	Request Request
	// Handle is called with the records of the reply, which are valid until it returns. It is not called if there is no reply.
	// It must return quickly: Kamailio drops the replies that follow if the client does not read for 10 ms.
	Handle func(Records) error
	// Err is set by Do: a *Fault, an *Error, the error of Handle, or nil.
	Err error
	// Duration is set by Do: the time spent waiting for this reply since the previous one arrived, or since the requests
	// were sent.
	Duration time.Duration
}

// Call makes a single call and returns its error.
func (c *Conn) Call(ctx context.Context, request Request, handle func(Records) error) error {
	calls := []Call{{Request: request, Handle: handle}}
	c.Do(ctx, calls)
	return calls[0].Err
}

// Do sends calls in as few writes as Kamailio accepts, and reads their replies in order until ctx is done. It sets Err and
// Duration of each call.
//
// A fault, or a complete reply that cannot be decoded, fails only its own call. If the connection breaks, all calls without a
// reply fail: the error of the first one has the cause, and LostReplyError makes those of the others. Calls that fail
// with ErrClosed can be retried on a new connection. If any request exceeds 65535 bytes, all calls fail and nothing is sent.
func (c *Conn) Do(ctx context.Context, calls []Call) {
	if err := checkSizes(calls); err != nil {
		for i := range calls {
			calls[i].Err = err
		}
		return
	}
	err := c.setDeadline(ctx)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
		defer func() {
			// Once AfterFunc has started, it can still set its deadline during the next calls.
			if !stop() {
				_ = c.abort(ctx.Err())
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
			err = LostReplyError(calls[0].Request.method, err)
		}
	}
	if cap(c.in) > maxIdleBuffer {
		c.in, c.used = nil, 0 // all of it has been decoded
	}
}

// receiveAll reads the replies to calls and returns the number of replies read.
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
			call.Err = call.Handle(records)
		}
	}
	return len(calls), nil
}

// setDeadline sets the deadline of ctx on the connection.
func (c *Conn) setDeadline(ctx context.Context) error {
	if c.broken != nil {
		return &Error{Type: scrape.Connection, Err: fmt.Errorf("%w: %w", ErrClosed, c.broken)}
	}
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return c.abort(transferError(ctx, "before the request", err))
	}
	return nil
}

// checkSizes returns an error if a request exceeds Kamailio's limit.
func checkSizes(calls []Call) error {
	for i := range calls {
		if size := len(calls[i].Request.body); longestHeader+size > maxRequest {
			return &Error{Type: scrape.Size, Text: fmt.Sprintf("request of %d bytes exceeds kamailio's limit of %d", size, maxRequest)}
		}
	}
	return nil
}

// send writes as many requests as fit into Kamailio's buffer and returns their number. The others are sent after the replies
// have been read, because Kamailio drops replies that are not read promptly.
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
		return 0, c.abort(transferError(ctx, "while sending", err))
	}
	return sent, nil
}

// receive reads the reply to the request with this cookie. It returns an error if bytes follow the last reply. The body is
// valid until the next call of receive.
func (c *Conn) receive(ctx context.Context, cookie uint32, last bool) (h header, body []byte, err error) {
	c.in = c.in[:copy(c.in, c.in[c.used:])]
	c.used = 0

	if err := c.fill(ctx, fixedHeader); err != nil {
		return h, nil, err
	}
	n, err := headerSize(c.in)
	if err != nil {
		return h, nil, c.abort(err)
	}
	if err := c.fill(ctx, n); err != nil {
		return h, nil, err
	}
	h = parseHeader(c.in[:n])
	switch {
	case h.cookie != cookie:
		return h, nil, c.abort(malformed("reply to request %d, expected the reply to request %d", h.cookie, cookie))
	case h.size > MaxBody:
		return h, nil, c.abort(tooLarge("%d bytes", h.size))
	}
	c.used = n + int(h.size)
	if err := c.fill(ctx, c.used); err != nil {
		return h, nil, err
	}
	if rest := c.in[c.used:]; last && len(rest) > 0 {
		return h, nil, c.abort(malformed("unexpected bytes after the reply: %#q", quote(rest)))
	}
	return h, c.in[n:c.used], nil
}

// fill reads until the buffer holds n bytes. The buffer grows with the bytes received, never with the size announced.
func (c *Conn) fill(ctx context.Context, n int) error {
	for len(c.in) < n {
		if len(c.in) == cap(c.in) {
			c.in = slices.Grow(c.in, max(initialBuffer, min(len(c.in), n-len(c.in))))
		}
		got, err := c.conn.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+got]
		if err != nil && len(c.in) < n {
			return c.abort(transferError(ctx, fmt.Sprintf("after %d bytes of the reply", len(c.in)), err))
		}
	}
	return nil
}

// abort closes the connection, whose position in the stream of replies is unknown, and returns reason. The first reason is
// kept.
func (c *Conn) abort(reason error) error {
	if c.broken == nil {
		c.broken = reason
		_ = c.conn.Close()
	}
	return reason
}
