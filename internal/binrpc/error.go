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

// ErrGone is in the chain of every error of a request that failed because its connection had ended, as it does when
// Kamailio restarts: the request is worth repeating on a new one.
var ErrGone = errors.New("the connection is gone")

// Fault is Kamailio's own error in answer to a request. The connection stays usable.
type Fault struct {
	// Code is 500 for most faults, that of an unknown method among them; 400 is a wrong argument, 404 a thing not found.
	Code int64
	// Text is Kamailio's explanation: valid UTF-8 of at most 256 bytes.
	Text string
}

// Error tells code and text.
func (f *Fault) Error() string { return fmt.Sprintf("fault %d %q", f.Code, f.Text) }

// ErrorType returns scrape.Response.
func (*Fault) ErrorType() scrape.ErrorType { return scrape.Response }

// Error is a request that got no answer, or one that cannot be read.
type Error struct {
	// Type is how the error is counted: connection, timeout, format, size or _OTHER.
	Type scrape.ErrorType
	// Text is what came back.
	Text string
	// Hint is what to check.
	Hint string
	// Err is the cause, nil when Text says all.
	Err error
}

// Error says what came back and what to check.
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

// ErrorType returns how the error is counted in rtc.scrape.errors.
func (e *Error) ErrorType() scrape.ErrorType { return e.Type }

const (
	hintPort    = "check that the setting endpoint names a socket that kamailio's module ctl opens for binrpc"
	hintTimeout = "kamailio is overloaded or stopped, or the setting endpoint names another port than that of its module ctl; " +
		"the setting timeout says how long to wait"
	hintGone = "check that kamailio runs and that the setting endpoint names a socket that its module ctl opens for binrpc"
)

// refusals tells what to check when no connection can be made.
var refusals = []struct {
	cause error
	hint  string
}{
	{fs.ErrPermission, `kamailio's socket is open to its own user only: set modparam("ctl", "mode", 0660) and ` +
		`modparam("ctl", "group", ...) in kamailio.cfg, and add the collector's user to that group`},
	{fs.ErrNotExist, `check that kamailio runs, that it loads the module ctl, and the setting endpoint against modparam("ctl", "binrpc", ...)`},
	{syscall.ECONNREFUSED, `nobody listens there: check that kamailio runs, and the setting endpoint against modparam("ctl", "binrpc", ...)`},
	{syscall.EPROTOTYPE, `a datagram socket: the setting endpoint must name one that modparam("ctl", "binrpc", ...) opens as unix: or unixs:`},
}

// dialError explains why there is no connection.
func dialError(ctx context.Context, err error) error {
	if isTimeout(err) || ctx.Err() != nil {
		return late(ctx, "no connection in time")
	}
	hint := hintGone
	for _, r := range refusals {
		if errors.Is(err, r.cause) {
			hint = r.hint
			break
		}
	}
	return &Error{Type: scrape.Connection, Err: plain(err), Hint: hint}
}

// transferError explains why a connection broke, done being how far it came.
func transferError(ctx context.Context, done string, err error) error {
	if isTimeout(err) {
		return late(ctx, "no complete reply in time, "+done)
	}
	return &Error{Type: scrape.Connection, Err: fmt.Errorf("%w, %s: %w", ErrGone, done, plain(err)), Hint: hintGone}
}

// late tells a deadline from a scrape that was called off.
func late(ctx context.Context, text string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Type: scrape.Other, Err: ctx.Err()}
	}
	return &Error{Type: scrape.Timeout, Text: text, Hint: hintTimeout}
}

// Behind returns the error of a call whose reply was lost because that of an earlier call to method failed for a reason. Calls
// that found their connection gone share the reason.
func Behind(method string, reason error) error {
	switch scrape.TypeOf(reason) {
	case scrape.Timeout:
		return &Error{Type: scrape.Timeout, Text: "behind " + method + ", which did not answer in time"}
	case scrape.Format, scrape.Size:
		return &Error{Type: scrape.Connection, Text: "behind " + method + ", whose answer cannot be read"}
	}
	return reason
}

func malformed(format string, args ...any) *Error {
	return &Error{Type: scrape.Format, Text: fmt.Sprintf(format, args...), Hint: hintPort}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{Type: scrape.Size, Text: fmt.Sprintf(format, args...) + " is more than is read", Hint: hintPort}
}

// at adds to an error of a record where it stands, in bytes from the first record.
func at(offset int, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Text = fmt.Sprintf("byte %d of the reply: %s", offset, e.Text)
	}
	return err
}

// plain leaves out of an error our own port, which differs from call to call, and the address, which the caller names.
func plain(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// quote makes text of what a server sent: valid UTF-8 of at most 256 bytes.
func quote(b []byte) string {
	const most = 256
	return strings.ToValidUTF8(string(b[:min(len(b), most)]), "?")
}
