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

// Kind classifies the failure of a request.
type Kind int

// The kinds of failures.
const (
	// KindOther is any other failure.
	KindOther Kind = iota
	// KindRefused means that no connection could be made, or that it broke before the response was complete.
	KindRefused
	// KindTimeout means that the response was not complete before the deadline.
	KindTimeout
	// KindTLS means that the TLS handshake failed.
	KindTLS
	// KindAuth means that the server rejected the credentials or the address of the client.
	KindAuth
	// KindStatus means that the HTTP status was not a success.
	KindStatus
	// KindHTML means that the response was an HTML page.
	KindHTML
	// KindDecode means that the response was malformed, truncated or of an unexpected form.
	KindDecode
	// KindCode means that the response contained an error of the API.
	KindCode
	// KindTooLarge means that the response was larger than the client's MaxBody.
	KindTooLarge
)

// kinds holds the error type of each kind and a hint on what to check first.
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

// Error is a failed request. It never contains a secret or the query of a URL.
type Error struct {
	Kind Kind
	// Status is the HTTP status if it is the reason of the failure, otherwise 0.
	Status int
	// From is the system that evidently sent the response if it is not the expected one, otherwise empty.
	From System
	// Text describes the response.
	Text string
	// Hint says what to check. If it is empty, the hint of the kind is used.
	Hint string
	// Err is the cause. It is nil if Text is sufficient.
	Err error
}

// Error returns the description of the response and the hint.
func (e *Error) Error() string {
	msg := e.Text
	if e.Err != nil && e.Kind != KindTimeout { // net/http has several texts for a timeout, all without further information
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

// Partial returns false: no part of the response can be used.
func (*Error) Partial() bool { return false }

// ErrorType returns the value of error.type in rtc.scrape.errors.
func (e *Error) ErrorType() scrape.ErrorType { return kinds[e.Kind].counted }

// classify converts an error of net/http or of a decoder to an *Error without its URL. It returns errors that have a type unchanged.
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

// plain returns the cause of an error without details that do not help or that differ between calls: the URL, the local port, the
// decoder's path through the response.
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
	// net/http quotes whatever it cannot parse, which can be long or contain secrets.
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
	// TLS alerts of either side are reported as an OpError.
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
