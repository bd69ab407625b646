// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// authenticator adds credentials to a copy of the request, as the collector's authenticators do.
type authenticator struct{ value string }

func (a authenticator) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", a.value)
	return http.DefaultTransport.RoundTrip(req)
}

// TestErrorsAreRedacted checks that errors contain no secrets if the server echoes the request.
func TestErrorsAreRedacted(t *testing.T) {
	const strong = `s3cr3t/+&="<ä` + "`"
	basic := base64.StdEncoding.EncodeToString([]byte("operator:" + strong))
	for name, tc := range map[string]struct {
		authorization string
		echo          string
	}{
		"header, plain":          {"", "you sent secret " + strong},
		"header, in a query":     {"", "/api?secret=" + url.QueryEscape(strong)},
		"header, in a path":      {"", "/api/" + url.PathEscape(strong)},
		"header, in HTML":        {"", "<html>" + html.EscapeString(strong)},
		"header, in base64":      {"", base64.StdEncoding.EncodeToString([]byte(strong))},
		"header, base64 of URLs": {"", base64.RawURLEncoding.EncodeToString([]byte(strong))},
		"twice":                  {"", strong + " and " + strong},
		"cut":                    {"", strings.Repeat("x", quoted-10) + strong},
		"basic, as sent":         {"Basic " + basic, "Authorization: Basic " + basic},
		"basic, decoded":         {"Basic " + basic, "operator:" + strong},
		"bearer":                 {"Bearer " + strong, "token " + strong},
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadGateway} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				endpoint := serve(t, (*httptest.Server).Start, answer(status, "text/plain", tc.echo))
				client := &http.Client{Transport: http.DefaultTransport}
				if tc.authorization != "" {
					client.Transport = authenticator{tc.authorization}
				}
				t.Cleanup(client.CloseIdleConnections)
				err := New(client, endpoint).Get(t.Context(), "/", nil, http.Header{"Secret": {strong}}, func(_ http.Header, body io.Reader) error {
					text, err := io.ReadAll(body)
					require.NoError(t, err)
					return &Error{Kind: KindCode, Text: fmt.Sprintf("code -1 %.200q", text)}
				})
				require.Error(t, err)
				rtctest.NoSecret(t, strong, err.Error())
				assert.NotContains(t, err.Error(), "s3cr3t")
				assert.NotContains(t, err.Error(), basic)
				assert.Contains(t, err.Error(), "[redacted]")
				assert.NotEqual(t, scrape.Other, scrape.TypeOf(err), "the error tells its type")
				if e, ok := errors.AsType[*Error](err); ok {
					rtctest.NoSecret(t, strong, e.Text)
				}
			})
		}
	}
}

// TestErrorsWithoutSecrets checks that text without secrets is quoted unchanged.
func TestErrorsWithoutSecrets(t *testing.T) {
	sent := &http.Request{Header: http.Header{"Accept": {"application/json"}, "Token": {"abc"}, "Secret": {"pa55w0rd"}}}
	for _, text := range []string{"not application/json", "abc", "pa5 and w0rd"} {
		err := &Error{Text: text}
		assert.Same(t, err, redact(err, sent))
	}
	require.NoError(t, redact(nil, sent))
}
