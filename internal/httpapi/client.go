// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package httpapi sends HTTP requests to monitored servers. It limits the size of responses and classifies errors.
package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const (
	// peeked is the number of bytes of a response that are read ahead to recognise its sender.
	peeked = 1 << 10
	// quoted is the maximum number of bytes of a response that an error quotes.
	quoted = 200
)

// Client sends requests to one server. It is safe for concurrent use.
type Client struct {
	// Block is the configuration section of the server, such as jibri, for errors that name a setting. It is empty if the settings
	// are at the top level.
	Block string
	// MaxBody is the maximum size of a response in bytes, after decompression. New sets it to scrape.DefaultMaxResponseSize.
	MaxBody int64
	// System is the expected system, for errors about responses of other systems. If it is empty, any system is accepted.
	System System

	http *http.Client
	base string
}

// New returns a client of the server at endpoint, a URL that scrape.CheckEndpoint accepts. It takes over the HTTP client and makes it
// refuse redirects to other hosts.
func New(client *http.Client, endpoint string) *Client {
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if next.URL.Host != via[0].URL.Host {
			return &Error{Kind: KindStatus, Text: "redirect to another host, " + next.URL.Host, Hint: "check the setting endpoint"}
		}
		if next.URL.Scheme == "http" && via[0].URL.Scheme == "https" {
			return &Error{Kind: KindStatus, Text: "redirect from https to http", Hint: "check the setting endpoint"}
		}
		if len(via) >= 10 {
			return &Error{Kind: KindStatus, Text: "10 redirects in a row", Hint: "check the setting endpoint"}
		}
		return nil
	}
	return &Client{http: client, base: strings.TrimRight(endpoint, "/"), MaxBody: scrape.DefaultMaxResponseSize}
}

// StripURL reduces a URL from a server to its scheme, host and path, without user, password and query. If these cannot be separated
// reliably, it returns only the scheme. It returns "" for text that is not a URL.
func StripURL(reported string) string {
	u, err := url.Parse(reported)
	if err != nil || strings.Contains(u.Path+u.RawQuery+u.Fragment, "@") {
		if scheme, _, ok := strings.Cut(reported, "://"); ok {
			return scheme + "://"
		}
		return ""
	}
	if u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// CloseIdle closes idle connections.
func (c *Client) CloseIdle() {
	c.http.CloseIdleConnections()
}

// Get requests a path below the endpoint and passes a successful response to read. The body fails if it is larger than MaxBody. Every
// error has a scrape.ErrorType, including those of read.
func (c *Client) Get(ctx context.Context, path string, query url.Values, header http.Header, read func(http.Header, io.Reader) error) error {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return classify(err)
	}
	maps.Copy(req.Header, header)
	return c.do(req, read)
}

// Post is Get for a POST request with JSON. If the connection breaks, it sends the request once more and may call read again, so the
// request must not change the server. It also passes JSON responses of status 500 to read, because JSON-RPC faults have this status.
func (c *Client) Post(ctx context.Context, path string, body []byte, read func(http.Header, io.Reader) error) error {
	err := c.post(ctx, path, body, read)
	// net/http does not repeat a POST request if the server closes an idle connection at the same time.
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == KindRefused {
		err = c.post(ctx, path, body, read)
	}
	return err
}

func (c *Client) post(ctx context.Context, path string, body []byte, read func(http.Header, io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return classify(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(req, read)
}

func (c *Client) do(req *http.Request, read func(http.Header, io.Reader) error) error {
	err := c.exchange(req, read)
	if e, ok := errors.AsType[*Error](err); ok && c.Block != "" {
		e.Hint = strings.NewReplacer("setting endpoint", "setting "+c.Block+"::endpoint", "below tls", "below "+c.Block+"::tls").Replace(e.hint())
	}
	return err
}

func (c *Client) exchange(req *http.Request, read func(http.Header, io.Reader) error) error {
	resp, err := c.http.Do(req)
	if err != nil {
		noteUnverified(req.Context(), err)
		return classify(err)
	}
	defer resp.Body.Close()
	if resp.TLS != nil {
		noteLeaf(req.Context(), resp.TLS.PeerCertificates)
	}

	b := &body{r: resp.Body, limit: c.MaxBody, left: c.MaxBody}
	b.peek()
	if err := refuse(resp, b); err != nil && (req.Method != http.MethodPost || !isFault(resp)) {
		return redact(c.attribute(err, resp, b), resp.Request)
	}
	if err := read(resp.Header, b); err != nil {
		return redact(c.attribute(b.explain(err), resp, b), resp.Request)
	}
	// Drain a short rest so that the connection can be reused.
	_, _ = io.CopyN(io.Discard, b, 64<<10)
	return nil
}

// noteUnverified notes the certificate that caused an error, because one that has ended is usually the cause.
func noteUnverified(ctx context.Context, err error) {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		noteLeaf(ctx, e.UnverifiedCertificates)
	}
}

// noteLeaf notes when the certificate of a server ends. chain begins with it.
func noteLeaf(ctx context.Context, chain []*x509.Certificate) {
	if len(chain) > 0 {
		scrape.NoteCertificate(ctx, chain[0].NotAfter)
	}
}

// isFault reports whether a response can be a JSON-RPC fault.
func isFault(resp *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusInternalServerError && mediaType == "application/json"
}

// refuse returns an error if the response is an HTML page or not successful.
func refuse(resp *http.Response, b *body) error {
	page := b.isHTML(resp.Header.Get("Content-Type"))
	if resp.StatusCode/100 == 2 {
		if page {
			return &Error{Kind: KindHTML, Text: "an HTML page instead of the API's answer: " + b.quote()}
		}
		return nil
	}
	kind := KindStatus
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		kind = KindAuth
	}
	text := describe(resp, kind)
	switch {
	case page:
		text += " with an HTML page: " + b.quote()
	case len(b.head) > 0:
		text += ": " + b.quote()
	}
	return &Error{Kind: kind, Status: resp.StatusCode, Text: text}
}

// body limits the size of a response body. It keeps the error that ended the body, because decoders hide it.
type body struct {
	r           io.Reader
	limit, left int64
	head        []byte // the first bytes, read ahead
	at          int    // number of bytes read from head
	err         error
}

func (b *body) peek() {
	b.head = make([]byte, peeked)
	n, err := io.ReadFull(b.r, b.head)
	b.head = b.head[:n]
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.err = err
	}
}

func (b *body) Read(p []byte) (int, error) {
	if b.at < len(b.head) {
		n := copy(p, b.head[b.at:])
		b.at += n
		b.left -= int64(n)
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.err = &Error{Kind: KindTooLarge, Text: "the answer is larger than " + inBytes(b.limit)}
		return 0, b.err // a decoder that has read enough would miss the error
	}
	b.err = err
	return n, err
}

// explain returns the error that ended the body, if any, in preference to the decoder's error.
func (b *body) explain(err error) error {
	switch {
	case b.err != nil && !errors.Is(b.err, io.EOF):
		err = b.err
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF // the response ended early, not the connection
	}
	err = classify(err)
	var e *Error
	if errors.As(err, &e) && e.Kind == KindDecode && e.Text == "" {
		e.Text = fmt.Sprintf("cannot be decoded (%d bytes read, it begins with %s)", b.limit-b.left, b.quote())
	}
	return err
}

// inBytes formats a size with its unit.
func inBytes(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

func (b *body) isHTML(contentType string) bool {
	return strings.HasPrefix(contentType, "text/html") || strings.HasPrefix(strings.TrimSpace(string(b.head)), "<")
}

func (b *body) quote() string {
	begin := b.head[:min(len(b.head), quoted)]
	return fmt.Sprintf("%#q", strings.Join(strings.Fields(strings.ToValidUTF8(string(begin), "?")), " "))
}
