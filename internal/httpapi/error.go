// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// Kind is the way in which a request failed.
type Kind int

// The ways in which a request can fail.
const (
	// KindOther is a failure that fits nowhere else.
	KindOther Kind = iota
	// KindRefused: no connection could be made, or it broke before the answer was complete.
	KindRefused
	// KindTimeout: the answer did not come, or not whole, before the deadline.
	KindTimeout
	// KindTLS: client and server could not agree on an encrypted connection.
	KindTLS
	// KindAuth: the server wants another secret, or refuses our address.
	KindAuth
	// KindStatus: an HTTP status other than success.
	KindStatus
	// KindHTML: a web page where the API should have answered.
	KindHTML
	// KindDecode: the answer is broken, cut off, or of another form than the API's.
	KindDecode
	// KindCode: the API answered with an error of its own.
	KindCode
	// KindTooLarge: the answer is larger than the client's MaxBody.
	KindTooLarge
)

// kinds tells of each kind how it is counted and, for the person on call, what to check first.
var kinds = map[Kind]struct {
	counted scrape.ErrorType
	hint    string
}{
	KindOther:    {scrape.Other, ""},
	KindRefused:  {scrape.Connection, "check that the server runs and that the setting endpoint names its host and port"},
	KindTimeout:  {scrape.Timeout, "the server is overloaded or unreachable; the setting timeout says how long to wait"},
	KindTLS:      {scrape.Connection, "check the scheme of the setting endpoint and the settings below tls"},
	KindAuth:     {scrape.Authentication, "check the credentials in the configuration"},
	KindStatus:   {scrape.Status, "check the setting endpoint and the server's log"},
	KindHTML:     {scrape.Format, "check that the setting endpoint leads to the API, not to a web site or proxy"},
	KindDecode:   {scrape.Format, "check that the setting endpoint leads to the right server"},
	KindCode:     {scrape.Response, ""},
	KindTooLarge: {scrape.Size, "check that the setting endpoint leads to the right server, or raise max_response_size"},
}

// Error is a request that failed. It never holds a secret or the query of a URL.
type Error struct {
	Kind Kind
	// Status is the HTTP status where that is what is wrong, else 0.
	Status int
	// From is who answered, where this is evidently not the system that was asked; else empty.
	From System
	// Text is what came back.
	Text string
	// Hint is what to check; when empty, the usual advice for the kind is given.
	Hint string
	// Err is the cause, nil when Text says all.
	Err error
}

// Error says what came back and what to check.
func (e *Error) Error() string {
	msg := e.Text
	if e.Err != nil && e.Kind != KindTimeout { // net/http has several texts for a timeout, which say no more
		if msg != "" {
			msg += ": "
		}
		msg += e.Err.Error()
	}
	if hint := e.hint(); hint != "" {
		msg += ": " + hint
	}
	return msg
}

func (e *Error) hint() string { return cmp.Or(e.Hint, kinds[e.Kind].hint) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Partial reports that the error spoilt the whole answer, whatever its cause is.
func (*Error) Partial() bool { return false }

// ErrorType returns how the error is counted in rtc.scrape.errors.
func (e *Error) ErrorType() scrape.ErrorType { return kinds[e.Kind].counted }

// classify turns an error of net/http or of a decoder into an *Error, unless it already tells its type.
// The URL that net/http puts into its errors is left out.
func classify(err error) error {
	if known, ok := errors.AsType[scrape.Typed](err); ok {
		return known
	}
	e := &Error{Kind: kindOf(err), Err: plain(err)}
	if e.Kind == KindTimeout {
		e.Text = "no complete answer in time"
	}
	return e
}

// plain returns the cause without what is of no use to the reader, or differs from call to call: the URL, the number of
// our own port, the path of a decoder through the answer.
func plain(err error) error {
	if atURL, ok := errors.AsType[*url.Error](err); ok {
		err = atURL.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	if kindOf(err) == KindDecode {
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			err = cause
		}
	}
	// net/http quotes what it cannot read: a line of whatever length, an address with its secrets.
	switch text := err.Error(); {
	case strings.HasPrefix(text, "failed to parse Location header"):
		return errors.New("redirect to what is no URL")
	case len(text) > 2*quoted:
		return errors.New(strings.ToValidUTF8(text[:2*quoted], "") + "...")
	}
	return err
}

func kindOf(err error) Kind {
	switch {
	case errors.Is(err, context.Canceled):
		return KindOther
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return KindTimeout
	case isTLS(err):
		return KindTLS
	case errors.Is(err, io.ErrUnexpectedEOF):
		return KindDecode
	case is[*net.OpError](err), is[*net.DNSError](err), errors.Is(err, io.EOF):
		return KindRefused
	}
	return KindDecode
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func isTLS(err error) bool {
	// An alert of either side comes as an OpError.
	op, _ := errors.AsType[*net.OpError](err)
	alert := op != nil && (op.Op == "remote error" || op.Op == "local error")
	return alert || is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) ||
		is[x509.HostnameError](err) || errors.Is(err, http.ErrSchemeMismatch)
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
