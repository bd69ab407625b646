// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

func TestGetPage(t *testing.T) {
	for name, tc := range map[string]struct {
		page    string
		samples int
		message string // empty if the page is accepted
		partial bool
	}{
		"good":                      {"a 1\nb 2\n", 2, "", false},
		"a bad line":                {"a 1\nb x\n", 1, "skipped lines that cannot be parsed: 1", true},
		"another program's":         {"b 1\n", 1, "a page without a metric of edumeet: check that the setting endpoint leads to edumeet", false},
		"another's with a bad line": {"b 1\nc x\n", 1, "a page without a metric of edumeet: skipped lines that cannot be parsed", false},
		"no sample":                 {"# HELP a A.\n", 0, "a page without a metric of edumeet: check that", false},
		"no page":                   {"ok\n", 0, "a page without a metric of edumeet: ", false},
		"nothing":                   {"", 0, "a page without a metric of edumeet: ", false},
		"JSON":                      {`{"a":1}`, 0, "JSON instead of a page of metrics", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, serve(t, (*httptest.Server).Start, answer(200, "text/plain", tc.page)))
			client.System = Edumeet
			samples := 0
			err := client.GetPage(t.Context(), "/metrics", nil, exposition.NewReader(), func(s *exposition.Sample) (bool, error) {
				samples++
				return string(s.Name) == "a", nil
			})
			assert.Equal(t, tc.samples, samples)
			if tc.message == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.message)
			assert.Equal(t, tc.partial, scrape.IsPartial(err))
			assert.Equal(t, scrape.Format, scrape.TypeOf(err))
		})
	}
}

// TestGetPageIsBounded checks that MaxBody is the only limit of the size of a page.
func TestGetPageIsBounded(t *testing.T) {
	const line = "a 1\n"
	client := New(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(strings.Repeat(line, 10_000)))}, nil
	})}, "http://media.example")
	client.MaxBody = 1000 * int64(len(line))
	samples := 0
	err := client.GetPage(t.Context(), "/metrics", nil, exposition.NewReader(), func(*exposition.Sample) (bool, error) {
		samples++
		return true, nil
	})
	requireKind(t, err, KindTooLarge)
	assert.LessOrEqual(t, samples, 1000)
}
