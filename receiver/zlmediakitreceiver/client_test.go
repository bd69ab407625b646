// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// The error for every captured error response quotes the server and says what to check.
func TestErrorAnswers(t *testing.T) {
	const (
		login = `code -100 "Please login first": check the setting secret against api.secret, and this machine's address against http.allow_ip_range, in the server's config.ini`
		page  = "HTTP status 404 Not Found with an HTML page: `<html><head><title>404 Not Found</title></head>"
	)
	for file, want := range map[string]struct {
		message string
		counted scrape.ErrorType
	}{
		"ok_header_secret.json":                {},
		"ok_query_secret.json":                 {},
		"ok_form_secret.json":                  {},
		"ok_json_secret.json":                  {},
		"ok_https.json":                        {},
		"ok_case_insensitive_path.json":        {},
		"err_post_bad_json.json":               {},
		"err_method_put.json":                  {},
		"not_online.json":                      {},
		"err_rtpinfo_not_found.json":           {},
		"bearer_secret.json":                   {login, scrape.Authentication},
		"err_wrong_secret.json":                {login, scrape.Authentication},
		"err_missing_secret.json":              {login, scrape.Authentication},
		"err_missing_secret_getMediaList.json": {login, scrape.Authentication},
		"err_ip_not_allowed.json":              {`code -100 "Your ip is not allowed to access the service.": check the setting secret`, scrape.Authentication},
		"err_unknown_api.txt":                  {page, scrape.Status},
		"err_trailing_slash.txt":               {page, scrape.Status},
		"err_double_slash.txt":                 {page, scrape.Status},
		"err_missing_args.json":                {"code -300 ", scrape.Response},
		"err_stream_not_found.json":            {`code -500 "can not find the stream"`, scrape.Response},
		"err_proxy_not_found.json":             {`code -500 "can not find the proxy"`, scrape.Response},
		"err_list_proxy_key_not_found.json":    {`code -400 "key not found: no"`, scrape.Response},
		"head.txt":                             {"cannot be decoded (0 bytes read, it begins with ``): unexpected EOF", scrape.Format},
	} {
		t.Run(file, func(t *testing.T) {
			body, err := fs.ReadFile(testdata.Files, "zlmediakit/errors/"+file)
			require.NoError(t, err)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if strings.HasPrefix(string(body), "<html>") {
					w.WriteHeader(http.StatusNotFound)
				}
				_, _ = w.Write(body)
			}))
			defer server.Close()
			s, _ := startScraper(t, server.URL, nil)
			_, err = s.client.Version(t.Context())
			if want.message == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want.message)
			assert.Equal(t, want.counted, scrape.TypeOf(err))
		})
	}
}

func TestErrorAnswersAreAllTested(t *testing.T) {
	files, err := fs.Glob(testdata.Files, "zlmediakit/errors/*")
	require.NoError(t, err)
	assert.Len(t, files, 24, "23 answers and their index")
}

// A response that does not come from the API is an error.
func TestForeignAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		contentType, body, want string
		counted                 scrape.ErrorType
	}{
		"another API":  {"application/json", `{"status":"ok"}`, "no member code", scrape.Format},
		"a list":       {"application/json", `[]`, "no member code", scrape.Format},
		"null":         {"application/json", `null`, "no member code", scrape.Format},
		"text":         {"text/plain", `hello`, "cannot be decoded (5 bytes read, it begins with `hello`): unexpected byte 104 'h' at 0", scrape.Format},
		"a page":       {"text/html", `<!doctype html>`, "an HTML page instead of the API's answer: `<!doctype html>`", scrape.Format},
		"a bare page":  {"", ` <html>`, "an HTML page instead of the API's answer: `<html>`", scrape.Format},
		"wrong types":  {"application/json", `{"code":0,"data":{"branchName":7,"commitHash":["x"]}}`, "skipped values of a wrong type or range: branchName, commitHash", scrape.Format},
		"broken value": {"application/json", `{"code":0,"data":{"branchName":"x}`, "cannot be decoded", scrape.Format},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			s, _ := startScraper(t, server.URL, nil)
			_, err := s.client.Version(t.Context())
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.counted, scrape.TypeOf(err))
		})
	}
}
