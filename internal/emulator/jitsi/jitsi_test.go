// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends a request with an Accept header unless accept is empty.
func ask(t *testing.T, server *emulator.Server, method, path, accept string) (emulatortest.Reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	return emulatortest.Read(t, request)
}

// askWell sends a GET request that must succeed with status 200.
func askWell(t *testing.T, server *emulator.Server, path, accept string) string {
	t.Helper()
	response, body := ask(t, server, http.MethodGet, path, accept)
	require.Equal(t, http.StatusOK, response.Status, path)
	return body
}

func capture(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	require.NoError(t, err)
	return string(content)
}

// numbersOf returns the numbers of a JSON document, by path.
func numbersOf(t *testing.T, document string) map[string]float64 {
	t.Helper()
	numbers := map[string]float64{}
	require.True(t, json.Valid([]byte(document)))
	emulator.WalkJSON([]byte(document), "", true, func(path string, _ int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber {
			number, err := n.Float64()
			require.NoError(t, err)
			numbers[path] = number
		}
	})
	return numbers
}

// TestCaptured checks that the four servers send the captured bytes without Moving, however much time passes.
func TestCaptured(t *testing.T) {
	now := emulatortest.NewClock()
	servers := map[string]*emulator.Server{
		"jvb":    emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Now: now.Now}),
		"jicofo": emulatortest.Start(t, NewJicofo, JicofoOptions{Now: now.Now}),
		"jigasi": emulatortest.Start(t, NewJigasi, JigasiOptions{Now: now.Now}),
		"jibri":  emulatortest.Start(t, NewJibri, JibriOptions{Metrics: true, Busy: true, Now: now.Now}),
	}
	now.Advance(time.Hour)
	for _, test := range []struct{ path, accept, contentType, file string }{
		{jvbStatsPath, "", typeJSON, "jvb/colibri-stats.constructed-2.3.312-master-2026-08-19.json"},
		{metricsPath, "text/plain;version=0.0.4", typeText, "jvb/metrics.constructed-2.3.312-master.004.txt"},
		{metricsPath, "application/openmetrics-text", typeOpenMetrics, "jvb/metrics.constructed-2.3.312-master.openmetrics.txt"},
		{metricsPath, "application/json", typeJSON, "jvb/metrics.constructed-2.3.312-master.json"},
		{versionPath, "", typeJSON, "jvb/about-version.json"},
		{healthPath, "", "text/plain", "jvb/about-health.200.body"},
		{jvbDrainPath, "", typeJSON, "jvb/colibri-drain.json"},
		{jicofoStatsPath, "", typeJSON, "jicofo/stats.constructed-master-2026-08-19.json"},
		{metricsPath, "", typeText, "jicofo/metrics.constructed-master-2026-08-19.004.txt"},
		{metricsPath, "application/openmetrics-text", typeOpenMetrics, "jicofo/metrics.constructed-master-2026-08-19.openmetrics.txt"},
		{metricsPath, "application/json", typeJSON, "jicofo/metrics.constructed-master-2026-08-19.json"},
		{versionPath, "", typeJSON, "jicofo/about-version.json"},
		{healthPath, "", "text/plain", "jicofo/about-health.200.body"},
		{jigasiStatsPath, "", typeJSON, "jigasi/about-stats.constructed-master-2026-06-17.json"},
		{metricsPath, "text/plain", typeText, "jigasi/metrics.constructed-master-2026-06-17.004.txt"},
		{jibriHealthPath, "", typeJSON, "jibri/health.busy.constructed.json"},
		{metricsPath, "text/plain", typeText, "jibri/metrics.constructed-master-2026-08-05.004.txt"},
	} {
		server := servers[path.Dir(test.file)]
		response, body := ask(t, server, http.MethodGet, test.path, test.accept)
		assert.Equal(t, http.StatusOK, response.Status, test.file)
		assert.Equal(t, test.contentType, response.Header.Get("Content-Type"), test.file)
		assert.Equal(t, capture(t, test.file), body)
	}
}

func TestAccept(t *testing.T) {
	jvb, jicofo := emulatortest.Start(t, NewJVB, JVBOptions{}), emulatortest.Start(t, NewJicofo, JicofoOptions{})
	for _, test := range []struct {
		accept      string
		jvb, jicofo int
		contentType string
	}{
		{"", http.StatusInternalServerError, http.StatusOK, typeText},
		{"*/*", http.StatusOK, http.StatusOK, typeText},
		{"text/plain;version=0.0.4;q=0.5, */*;q=0.1", http.StatusOK, http.StatusOK, typeText},
		{"text/html, application/openmetrics-text; version=1.0.0", http.StatusOK, http.StatusOK, typeOpenMetrics},
		{"application/json", http.StatusOK, http.StatusOK, typeJSON},
		{"text/html", http.StatusNotAcceptable, http.StatusNotAcceptable, ""},
	} {
		response, _ := ask(t, jvb, http.MethodGet, metricsPath, test.accept)
		assert.Equal(t, test.jvb, response.Status, test.accept)
		response, _ = ask(t, jicofo, http.MethodGet, metricsPath, test.accept)
		assert.Equal(t, test.jicofo, response.Status, test.accept)
		assert.Equal(t, test.contentType, response.Header.Get("Content-Type"), test.accept)
	}
	response, _ := ask(t, emulatortest.Start(t, NewJigasi, JigasiOptions{}), http.MethodGet, metricsPath, "application/json")
	assert.Equal(t, http.StatusNotAcceptable, response.Status, "this form was not captured")
}

func TestPathsThatChange(t *testing.T) {
	jvb, jicofo, jibri := emulatortest.Start(t, NewJVB, JVBOptions{}), emulatortest.Start(t, NewJicofo, JicofoOptions{}), emulatortest.Start(t, NewJibri, JibriOptions{})
	for _, test := range []struct {
		server       *emulator.Server
		method, path string
		status       int
	}{
		{jvb, http.MethodGet, "/debug/features/jvb/node-stats/true", http.StatusOK},
		{jvb, http.MethodPost, "/colibri/drain/enable", http.StatusOK},
		{jvb, http.MethodPost, versionPath, http.StatusMethodNotAllowed},
		{jvb, http.MethodGet, jvbStatsPath, http.StatusNotFound},
		{jicofo, http.MethodGet, "/move-endpoints/move-endpoint?endpoint=1", http.StatusOK},
		{jicofo, http.MethodGet, "/other", http.StatusNotFound},
		{jibri, http.MethodPost, "/jibri/api/v1.0/stopService", http.StatusOK},
		{jibri, http.MethodGet, metricsPath, http.StatusNotFound},
	} {
		response, _ := ask(t, test.server, test.method, test.path, typeText)
		assert.Equal(t, test.status, response.Status, test.path)
		requests := test.server.Requests()
		assert.Equal(t, test.path, requests[len(requests)-1])
	}
}

// TestNotFound checks that Jetty responds to unknown paths in the requested type, and that the response of Jibri is empty.
func TestNotFound(t *testing.T) {
	jvb, jibri := emulatortest.Start(t, NewJVB, JVBOptions{}), emulatortest.Start(t, NewJibri, JibriOptions{})
	for accept, begin := range map[string]string{
		"":       "<html>\n<head>\n<meta http-equiv",
		"*/*":    "<html>\n<head>\n<meta http-equiv",
		typeJSON: `{"servlet":"org.glassfish.jersey.servlet.ServletContainer-78dc4696","message":"Not Found","url":"/a<b","status":"404"}`,
		typeText: "HTTP ERROR 404 Not Found\nURI: /a<b\n",
	} {
		response, body := ask(t, jvb, http.MethodGet, "/a%3cb", accept)
		assert.Equal(t, http.StatusNotFound, response.Status)
		assert.True(t, strings.HasPrefix(body, begin), body)
		response, body = ask(t, jibri, http.MethodGet, "/a", accept)
		assert.Equal(t, http.StatusNotFound, response.Status)
		assert.Empty(t, body)
	}
}

func TestUnhealthy(t *testing.T) {
	for name, test := range map[string]struct {
		server       *emulator.Server
		path, body   string
		status       int
		told, detail string
	}{
		"jvb":                                 {emulatortest.Start(t, NewJVB, JVBOptions{Unhealthy: true}), healthPath, capture(t, "jvb/about-health.500.body"), 500, metricsPath, "\njitsi_jvb_healthy 0.0\n"},
		"jicofo":                              {emulatortest.Start(t, NewJicofo, JicofoOptions{Unhealthy: true}), healthPath, capture(t, "jicofo/about-health.500.body"), 500, jicofoStatsPath, `"healthy":false`},
		"jigasi":                              {emulatortest.Start(t, NewJigasi, JigasiOptions{Unhealthy: true}), healthPath, `{"reason":"CallManager is not healthy."}`, 500, jigasiStatsPath, `"conferences":3`},
		"jigasi, a gateway that is not ready": {emulatortest.Start(t, NewJigasi, JigasiOptions{NotReady: true}), healthPath, "", 503, jigasiStatsPath, `"conferences":3`},
		"jigasi, no gateway, statistics":      {emulatortest.Start(t, NewJigasi, JigasiOptions{NoGateway: true}), jigasiStatsPath, "", 503, versionPath, `"name":"JIGASI"`},
		"jigasi, no gateway, health":          {emulatortest.Start(t, NewJigasi, JigasiOptions{NoGateway: true}), healthPath, `{"reason":"No gateways configured."}`, 500, versionPath, `"name":"JIGASI"`},
		"jibri":                               {emulatortest.Start(t, NewJibri, JibriOptions{Unhealthy: true}), "/", "", 404, jibriHealthPath, `"healthStatus":"UNHEALTHY"`},
	} {
		response, body := ask(t, test.server, http.MethodGet, test.path, "")
		assert.Equal(t, test.status, response.Status, name)
		assert.Equal(t, test.body, body, name)
		assert.Contains(t, askWell(t, test.server, test.told, "text/plain"), test.detail, name)
	}
}

func TestJavaDouble(t *testing.T) {
	for want, value := range map[string]float64{
		"0.0": 0, "1.0": 1, "0.001": 0.001, "9.9E-4": 0.00099, "9999999.0": 9999999, "1.0E7": 1e7, "2.5341773E7": 25341773, "1.823123451234E12": 1823123451234,
	} {
		assert.Equal(t, want, javaDouble(value))
	}
}

// faultChecks checks what a client of a text page observes of each fault. The tests of the engine check JSON and headers.
var faultChecks = map[string]struct {
	status int
	body   string // a pattern
	err    error
}{
	emulator.Refuse:        {err: syscall.ECONNREFUSED},
	"reset":                {err: syscall.ECONNRESET},
	"cut_body":             {err: io.ErrUnexpectedEOF},
	"gzip_bomb":            {status: 200, body: "^\x1f"},
	"status_500":           {status: 500, body: "^internal server error\n$"},
	"status_401":           {status: 401, body: "^unauthorized\n$"},
	"status_403":           {status: 403, body: "^forbidden\n$"},
	"status_429":           {status: 429, body: "^too many requests\n$"},
	"html_404":             {status: 404, body: "<html>"},
	"redirect_elsewhere":   {status: 302, body: ""},
	"wrong_secret":         {status: 401, body: "^Unauthorized\n$"},
	"invalid_json":         {status: 200, body: "^# HELP "},
	"wrong_types":          {status: 200, body: "^# HELP "}, // a page has no types
	"invalid_utf8":         {status: 200, body: "^# HELP "},
	"numbers_out_of_range": {status: 200, body: "^# HELP .*\n.*\n.* 1e400\n"},
	"deep_nesting":         {status: 200, body: "^# HELP "}, // a page has no nesting
	emulator.Restart:       {status: 200, body: "^# HELP "},
	"hang":                 {err: os.ErrDeadlineExceeded},
	"slow_header":          {err: os.ErrDeadlineExceeded},
	"slow_body":            {err: os.ErrDeadlineExceeded},
	"endless_body":         {err: os.ErrDeadlineExceeded},
}

func TestFaults(t *testing.T) {
	for name, server := range map[string]*emulator.Server{
		"jvb":    emulatortest.Start(t, NewJVB, JVBOptions{}),
		"jicofo": emulatortest.Start(t, NewJicofo, JicofoOptions{}),
		"jigasi": emulatortest.Start(t, NewJigasi, JigasiOptions{}),
		"jibri":  emulatortest.Start(t, NewJibri, JibriOptions{Metrics: true}),
	} {
		for _, fault := range emulator.Faults {
			t.Run(name+"/"+fault.Name, func(t *testing.T) {
				require.Contains(t, faultChecks, fault.Name, "every fault needs a row in faultChecks")
				want := faultChecks[fault.Name]
				require.NoError(t, server.SetFault(fault.Name))
				client := emulatortest.NewClient(t)
				if want.err == os.ErrDeadlineExceeded { //nolint:errorlint // not a returned error
					client.Timeout = 50 * time.Millisecond
				}
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+metricsPath, http.NoBody)
				require.NoError(t, err)
				request.Header.Set("Accept", "text/plain")
				response, err := client.Do(request)
				var body []byte
				if err == nil {
					defer func() { _ = response.Body.Close() }()
					body, err = io.ReadAll(response.Body)
				}
				if want.err == os.ErrDeadlineExceeded { //nolint:errorlint // not a returned error
					assert.True(t, os.IsTimeout(err))
				} else {
					require.ErrorIs(t, err, want.err)
				}
				if want.err == nil {
					assert.Equal(t, want.status, response.StatusCode)
					assert.Regexp(t, want.body, string(body))
				}
				require.NoError(t, server.SetFault(""))
				assert.Contains(t, askWell(t, server, metricsPath, "text/plain"), "_total ")
			})
		}
	}
}

// TestLikeReal checks that a capture modeled on a published response has the same keys in the same order and the same types, but
// other values.
func TestLikeReal(t *testing.T) {
	const published = "../../../../shared/testdata/jitsi/"
	files, err := fs.Glob(testdata.Files, "jitsi/*/*.like-real-*")
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, file := range files {
		t.Run(path.Base(file), func(t *testing.T) {
			file = strings.TrimPrefix(file, "jitsi/")
			original, err := os.ReadFile(published + strings.Replace(file, ".like-real-", ".real-", 1))
			if err != nil {
				t.Skip("requires published responses that may not be copied")
			}
			ours := capture(t, file)
			assert.Equal(t, jsonShape(t, string(original)), jsonShape(t, ours))
			numbers := numbersOf(t, ours)
			for at, number := range numbersOf(t, string(original)) {
				if number > 2 { // smaller numbers are those of the scene: nobody, one conference, two participants
					assert.NotEqual(t, number, numbers[at], at)
				}
			}
			for _, text := range regexp.MustCompile(`"(?:version|current_timestamp)":\s*"([^"]+)"`).FindAllStringSubmatch(string(original), -1) {
				assert.NotContains(t, ours, text[1])
			}
		})
	}
}

// jsonShape replaces each value of a document with its kind: a number with 0 or 0.0, a string with its form.
func jsonShape(t *testing.T, document string) string {
	t.Helper()
	require.True(t, json.Valid([]byte(document)))
	shape := regexp.MustCompile(`\s+`).ReplaceAllString(document, "")
	shape = regexp.MustCompile(`:"[^"]*"`).ReplaceAllStringFunc(shape, func(text string) string {
		return regexp.MustCompile(`[0-9a-f]+`).ReplaceAllString(text, "x")
	})
	return regexp.MustCompile(`([:,[])-?\d+(\.\d+(E-?\d+)?)?`).ReplaceAllStringFunc(shape, func(number string) string {
		if strings.Contains(number, ".") {
			return number[:1] + "0.0"
		}
		return number[:1] + "0"
	})
}
