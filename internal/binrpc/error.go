// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package binrpc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// ErrClosed is wrapped by the error of every request whose connection was closed, for example by a restart of Kamailio.
// Such a request can be retried on a new connection.
var ErrClosed = errors.New("connection closed")

// Fault is an error that Kamailio returned for a request. The connection remains usable.
type Fault struct {
	// Code is 400 for a wrong argument, 404 for an object that was not found, and 500 for most other faults, including
	// unknown methods.
	Code int64
	// Text is Kamailio's message, at most 256 bytes of valid UTF-8.
	Text string
}

// Error returns code and text.
func (f *Fault) Error() string { return fmt.Sprintf("fault %d %q", f.Code, f.Text) }

// ErrorType returns scrape.Response.
func (*Fault) ErrorType() scrape.ErrorType { return scrape.Response }

// Error is the error of a request without a reply, or with a reply that cannot be read.
type Error struct {
	// Type is the type under which the error is counted: connection, timeout, format, size or _OTHER.
	Type scrape.ErrorType
	// Text describes what happened.
	Text string
	// Hint says what to check.
	Hint string
	// Err is the cause, if there is one.
	Err error
}

// Error returns text, cause and hint.
func (e *Error) Error() string {
	var parts []string
	if e.Text != "" {
		parts = append(parts, e.Text)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if e.Hint != "" {
		parts = append(parts, e.Hint)
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorType returns the type under which rtc.scrape.errors counts the error.
func (e *Error) ErrorType() scrape.ErrorType { return e.Type }

const (
	hintPort    = "check that the setting endpoint names a socket that kamailio's ctl module opens for binrpc"
	hintTimeout = "kamailio is overloaded or stopped, or the setting endpoint does not name the port of its ctl module; " +
		"to wait longer, raise the setting timeout"
	hintClosed = "check that kamailio runs and that the setting endpoint names a socket that its ctl module opens for binrpc"
)

// dialHints maps the causes of failed connection attempts to what to check.
var dialHints = []struct {
	cause error
	hint  string
}{
	{fs.ErrPermission, `kamailio's socket is open to its own user only: set modparam("ctl", "mode", 0660) and ` +
		`modparam("ctl", "group", ...) in kamailio.cfg, and add the collector's user to that group, then restart the collector`},
	{fs.ErrNotExist, `check that kamailio runs and loads the ctl module, and compare the setting endpoint with modparam("ctl", "binrpc", ...)`},
	{syscall.ECONNREFUSED, `nothing listens there: check that kamailio runs, and compare the setting endpoint with modparam("ctl", "binrpc", ...)`},
	{syscall.EPROTOTYPE, `datagram socket: the setting endpoint must name a socket that modparam("ctl", "binrpc", ...) opens as unix: or unixs:`},
}

// dialError returns the error of a failed connection attempt.
func dialError(ctx context.Context, err error) error {
	if isTimeout(err) || ctx.Err() != nil {
		return timeoutError(ctx, "no connection in time")
	}
	hint := hintClosed
	for _, r := range dialHints {
		if errors.Is(err, r.cause) {
			hint = r.hint
			break
		}
	}
	return &Error{Type: scrape.Connection, Err: withoutAddresses(err), Hint: hint}
}

// transferError returns the error of a connection that broke at the given point of the exchange.
func transferError(ctx context.Context, point string, err error) error {
	if isTimeout(err) {
		return timeoutError(ctx, "no complete reply in time, "+point)
	}
	return &Error{Type: scrape.Connection, Err: fmt.Errorf("%w %s: %w", ErrClosed, point, withoutAddresses(err)), Hint: hintClosed}
}

// timeoutError returns a timeout with the given text, or context.Canceled if the scrape was canceled.
func timeoutError(ctx context.Context, text string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Type: scrape.Other, Err: ctx.Err()}
	}
	return &Error{Type: scrape.Timeout, Text: text, Hint: hintTimeout}
}

// LostReplyError returns the error of a call whose reply was lost because the earlier call of method failed with reason. If the
// connection was closed, both calls have the same error.
func LostReplyError(method string, reason error) error {
	switch scrape.TypeOf(reason) {
	case scrape.Timeout:
		return &Error{Type: scrape.Timeout, Text: "behind " + method + ", which did not answer in time"}
	case scrape.Format, scrape.Size:
		return &Error{Type: scrape.Connection, Text: "behind " + method + ", whose reply cannot be read"}
	}
	return reason
}

func malformed(format string, args ...any) *Error {
	return &Error{Type: scrape.Format, Text: fmt.Sprintf(format, args...), Hint: hintPort}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{Type: scrape.Size, Text: "reply too large: " + fmt.Sprintf(format, args...), Hint: hintPort}
}

// atOffset adds the offset of a record, in bytes from the first record, to the text of its error.
func atOffset(offset int, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Text = fmt.Sprintf("byte %d of the reply: %s", offset, e.Text)
	}
	return err
}

// withoutAddresses removes the addresses from a network error: the local port changes from call to call, and callers name the
// remote one.
func withoutAddresses(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// quote returns at most 256 bytes of b as valid UTF-8.
func quote(b []byte) string {
	const maxLength = 256
	return strings.ToValidUTF8(string(b[:min(len(b), maxLength)]), "?")
}
