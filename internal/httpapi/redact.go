// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// public lists the request headers that never contain secrets.
var public = []string{"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Traceparent", "Tracestate", "User-Agent"}

// minSecret is the minimum length of a secret in bytes. Shorter strings occur in any text.
const minSecret = 4

// redacted replaces the text of an error that quotes the request's secrets. The wrapped error keeps its type.
type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }

func (e *redacted) Unwrap() error { return e.err }

// redact removes the secrets of a request from an error, because servers and proxies echo requests. The request is the one that was
// sent, including the headers of authenticators and of the setting headers.
func redact(err error, sent *http.Request) error {
	if err == nil || sent == nil {
		return err
	}
	secrets := secretsOf(sent.Header)
	clean := func(text string) string {
		for _, secret := range secrets {
			text = removeSecret(text, secret)
		}
		return text
	}
	if text := err.Error(); clean(text) == text {
		return err
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // one that is wrapped is in the text of what wraps it
		e = &Error{Kind: e.Kind, Status: e.Status, From: e.From, Text: clean(e.Text), Hint: e.Hint, Err: e.Err}
		if e.Err != nil {
			e.Err = &redacted{clean(e.Err.Error()), e.Err}
		}
		return e
	}
	return &redacted{clean(err.Error()), err}
}

// secretsOf returns the secrets in a header in all forms in which they may be echoed, longest first.
func secretsOf(header http.Header) (forms []string) {
	for name, values := range header {
		if slices.Contains(public, name) {
			continue
		}
		for _, value := range values {
			forms = append(forms, formsOf(value)...)
			_, credentials, hasScheme := strings.Cut(value, " ")
			if !hasScheme {
				continue
			}
			forms = append(forms, formsOf(credentials)...)
			if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil {
				_, password, _ := strings.Cut(string(pair), ":")
				forms = append(forms, formsOf(password)...)
			}
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(forms)
}

// formsOf returns a secret as it appears in plain text, URLs, JSON, HTML, Basic credentials and quoted strings.
func formsOf(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	inJSON, err := json.Marshal(secret)
	if err != nil {
		inJSON = nil
	}
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		strings.Trim(string(inJSON), `"`), strings.Trim(strconv.Quote(secret), `"`),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.URLEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
}

// removeSecret replaces a secret, or the beginning of it if the text was truncated there.
func removeSecret(text, secret string) string {
	beginning := secret[:max(minSecret, (len(secret)+1)/2)]
	var clean strings.Builder
	for {
		before, after, found := strings.Cut(text, beginning)
		clean.WriteString(before)
		if !found {
			return clean.String()
		}
		rest := secret[len(beginning):]
		common := 0
		for common < min(len(rest), len(after)) && rest[common] == after[common] {
			common++
		}
		clean.WriteString("[redacted]")
		text = after[common:]
	}
}
