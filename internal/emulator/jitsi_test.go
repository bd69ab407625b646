// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// startJitsi starts one of the four servers of Jitsi.
func startJitsi[O any](t *testing.T, start func(O) (*Server, error), o O) *Server {
	t.Helper()
	server, err := start(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// ask sends a request that accepts this, and nothing in particular when it is empty.
func ask(t *testing.T, server *Server, method, path, accept string) (reply, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL()+path, http.NoBody)
	require.NoError(t, err)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := newClient(t).Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{status: response.StatusCode, header: response.Header}, string(body)
}

// askWell is ask for what must be answered well.
func askWell(t *testing.T, server *Server, path, accept string) string {
	t.Helper()
	response, body := ask(t, server, http.MethodGet, path, accept)
	require.Equal(t, http.StatusOK, response.status, path)
	return body
}

func readJitsi(t *testing.T, file string) string {
	t.Helper()
	content, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	require.NoError(t, err)
	return string(content)
}

// numbersOf are the numbers of a JSON document, by path.
func numbersOf(t *testing.T, document string) map[string]float64 {
	t.Helper()
	numbers := map[string]float64{}
	require.True(t, json.Valid([]byte(document)))
	walkJSON([]byte(document), "", true, func(path string, _ int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber {
			number, err := n.Float64()
			require.NoError(t, err)
			numbers[path] = number
		}
	})
	return numbers
}

// The four servers by what they answer without Moving: the captured bytes, however much time goes by.
func TestJitsiCaptured(t *testing.T) {
	now := newClock()
	servers := map[string]*Server{
		"jvb":    startJitsi(t, NewJVB, JVB{Stats: true, Now: now.Now}),
		"jicofo": startJitsi(t, NewJicofo, Jicofo{Now: now.Now}),
		"jigasi": startJitsi(t, NewJigasi, Jigasi{Now: now.Now}),
		"jibri":  startJitsi(t, NewJibri, Jibri{Metrics: true, Busy: true, Now: now.Now}),
	}
	now.advance(time.Hour)
	for _, test := range []struct{ path, accept, contentType, file string }{
		{jvbStatsPath, "", jitsiJSON, "jvb/colibri-stats.constructed-2.3.312-master-2026-08-19.json"},
		{metricsPath, "text/plain;version=0.0.4", jitsiText, "jvb/metrics.constructed-2.3.312-master.004.txt"},
		{metricsPath, "application/openmetrics-text", jitsiOpenMetrics, "jvb/metrics.constructed-2.3.312-master.openmetrics.txt"},
		{metricsPath, "application/json", jitsiJSON, "jvb/metrics.constructed-2.3.312-master.json"},
		{jitsiVersion, "", jitsiJSON, "jvb/about-version.json"},
		{jitsiHealth, "", "text/plain", "jvb/about-health.200.body"},
		{jvbDrainPath, "", jitsiJSON, "jvb/colibri-drain.json"},
		{jicofoStatsPath, "", jitsiJSON, "jicofo/stats.constructed-master-2026-08-19.json"},
		{metricsPath, "", jitsiText, "jicofo/metrics.constructed-master-2026-08-19.004.txt"},
		{metricsPath, "application/openmetrics-text", jitsiOpenMetrics, "jicofo/metrics.constructed-master-2026-08-19.openmetrics.txt"},
		{metricsPath, "application/json", jitsiJSON, "jicofo/metrics.constructed-master-2026-08-19.json"},
		{jitsiVersion, "", jitsiJSON, "jicofo/about-version.json"},
		{jitsiHealth, "", "text/plain", "jicofo/about-health.200.body"},
		{jigasiStatsPath, "", jitsiJSON, "jigasi/about-stats.constructed-master-2026-06-17.json"},
		{metricsPath, "text/plain", jitsiText, "jigasi/metrics.constructed-master-2026-06-17.004.txt"},
		{jibriHealthPath, "", jitsiJSON, "jibri/health.busy.constructed.json"},
		{metricsPath, "text/plain", jitsiText, "jibri/metrics.constructed-master-2026-08-05.004.txt"},
	} {
		server := servers[path.Dir(test.file)]
		response, body := ask(t, server, http.MethodGet, test.path, test.accept)
		assert.Equal(t, http.StatusOK, response.status, test.file)
		assert.Equal(t, test.contentType, response.header.Get("Content-Type"), test.file)
		assert.Equal(t, readJitsi(t, test.file), body)
	}
}

func TestJitsiAccept(t *testing.T) {
	jvb, jicofo := startJitsi(t, NewJVB, JVB{}), startJitsi(t, NewJicofo, Jicofo{})
	for _, test := range []struct {
		accept      string
		jvb, jicofo int
		contentType string
	}{
		{"", http.StatusInternalServerError, http.StatusOK, jitsiText},
		{"*/*", http.StatusOK, http.StatusOK, jitsiText},
		{"text/plain;version=0.0.4;q=0.5, */*;q=0.1", http.StatusOK, http.StatusOK, jitsiText},
		{"text/html, application/openmetrics-text; version=1.0.0", http.StatusOK, http.StatusOK, jitsiOpenMetrics},
		{"application/json", http.StatusOK, http.StatusOK, jitsiJSON},
		{"text/html", http.StatusNotAcceptable, http.StatusNotAcceptable, ""},
	} {
		response, _ := ask(t, jvb, http.MethodGet, metricsPath, test.accept)
		assert.Equal(t, test.jvb, response.status, test.accept)
		response, _ = ask(t, jicofo, http.MethodGet, metricsPath, test.accept)
		assert.Equal(t, test.jicofo, response.status, test.accept)
		assert.Equal(t, test.contentType, response.header.Get("Content-Type"), test.accept)
	}
	response, _ := ask(t, startJitsi(t, NewJigasi, Jigasi{}), http.MethodGet, metricsPath, "application/json")
	assert.Equal(t, http.StatusNotAcceptable, response.status, "this form was not captured")
}

func TestJitsiPathsThatChange(t *testing.T) {
	jvb, jicofo, jibri := startJitsi(t, NewJVB, JVB{}), startJitsi(t, NewJicofo, Jicofo{}), startJitsi(t, NewJibri, Jibri{})
	for _, test := range []struct {
		server       *Server
		method, path string
		status       int
	}{
		{jvb, http.MethodGet, "/debug/features/jvb/node-stats/true", http.StatusOK},
		{jvb, http.MethodPost, "/colibri/drain/enable", http.StatusOK},
		{jvb, http.MethodPost, jitsiVersion, http.StatusMethodNotAllowed},
		{jvb, http.MethodGet, jvbStatsPath, http.StatusNotFound},
		{jicofo, http.MethodGet, "/move-endpoints/move-endpoint?endpoint=1", http.StatusOK},
		{jicofo, http.MethodGet, "/other", http.StatusNotFound},
		{jibri, http.MethodPost, "/jibri/api/v1.0/stopService", http.StatusOK},
		{jibri, http.MethodGet, metricsPath, http.StatusNotFound},
	} {
		response, _ := ask(t, test.server, test.method, test.path, jitsiText)
		assert.Equal(t, test.status, response.status, test.path)
		requests := test.server.Requests()
		assert.Equal(t, test.path, requests[len(requests)-1])
	}
}

func TestJitsiUnhealthy(t *testing.T) {
	for name, test := range map[string]struct {
		server       *Server
		path, body   string
		status       int
		told, detail string
	}{
		"jvb":                                 {startJitsi(t, NewJVB, JVB{Unhealthy: true}), jitsiHealth, readJitsi(t, "jvb/about-health.500.body"), 500, metricsPath, "\njitsi_jvb_healthy 0.0\n"},
		"jicofo":                              {startJitsi(t, NewJicofo, Jicofo{Unhealthy: true}), jitsiHealth, readJitsi(t, "jicofo/about-health.500.body"), 500, jicofoStatsPath, `"healthy":false`},
		"jigasi":                              {startJitsi(t, NewJigasi, Jigasi{Unhealthy: true}), jitsiHealth, `{"reason":"CallManager is not healthy."}`, 500, jigasiStatsPath, `"conferences":3`},
		"jigasi, a gateway that is not ready": {startJitsi(t, NewJigasi, Jigasi{NotReady: true}), jitsiHealth, "", 503, jigasiStatsPath, `"conferences":3`},
		"jigasi, no gateway, statistics":      {startJitsi(t, NewJigasi, Jigasi{NoGateway: true}), jigasiStatsPath, "", 503, jitsiVersion, `"name":"JIGASI"`},
		"jigasi, no gateway, health":          {startJitsi(t, NewJigasi, Jigasi{NoGateway: true}), jitsiHealth, `{"reason":"No gateways configured."}`, 500, jitsiVersion, `"name":"JIGASI"`},
		"jibri":                               {startJitsi(t, NewJibri, Jibri{Unhealthy: true}), "/", "", 404, jibriHealthPath, `"healthStatus":"UNHEALTHY"`},
	} {
		response, body := ask(t, test.server, http.MethodGet, test.path, "")
		assert.Equal(t, test.status, response.status, name)
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

// jitsiFaultChecks is what a client of a text page sees of each fault; how JSON and headers fare is tested elsewhere.
var jitsiFaultChecks = map[string]struct {
	status int
	body   string // a pattern
	err    error
}{
	refuse:                 {err: syscall.ECONNREFUSED},
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
	"deep_nesting":         {status: 200, body: "^# HELP "}, // nor has it depth
	restart:                {status: 200, body: "^# HELP "},
	"hang":                 {err: os.ErrDeadlineExceeded},
	"slow_header":          {err: os.ErrDeadlineExceeded},
	"slow_body":            {err: os.ErrDeadlineExceeded},
	"endless_body":         {err: os.ErrDeadlineExceeded},
}

func TestJitsiFaults(t *testing.T) {
	for name, server := range map[string]*Server{
		"jvb":    startJitsi(t, NewJVB, JVB{}),
		"jicofo": startJitsi(t, NewJicofo, Jicofo{}),
		"jigasi": startJitsi(t, NewJigasi, Jigasi{}),
		"jibri":  startJitsi(t, NewJibri, Jibri{Metrics: true}),
	} {
		for _, fault := range Faults {
			t.Run(name+"/"+fault.Name, func(t *testing.T) {
				require.Contains(t, jitsiFaultChecks, fault.Name, "every fault needs a row in jitsiFaultChecks")
				want := jitsiFaultChecks[fault.Name]
				require.NoError(t, server.SetFault(fault.Name))
				client := newClient(t)
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

// What was written after a published answer has its keys, in their order, and its types; what it says is its own.
func TestLikeReal(t *testing.T) {
	const published = "../../../shared/testdata/jitsi/"
	files, err := fs.Glob(testdata.Files, "jitsi/*/*.like-real-*")
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, file := range files {
		t.Run(path.Base(file), func(t *testing.T) {
			file = strings.TrimPrefix(file, "jitsi/")
			original, err := os.ReadFile(published + strings.Replace(file, ".like-real-", ".real-", 1))
			if err != nil {
				t.Skip("the published answers are not at hand")
			}
			ours := readJitsi(t, file)
			assert.Equal(t, jsonShape(t, string(original)), jsonShape(t, ours))
			numbers := numbersOf(t, ours)
			for at, number := range numbersOf(t, string(original)) {
				if number > 2 { // smaller ones are the scene: nobody there, one conference, two people
					assert.NotEqual(t, number, numbers[at], at)
				}
			}
			for _, text := range regexp.MustCompile(`"(?:version|current_timestamp)":\s*"([^"]+)"`).FindAllStringSubmatch(string(original), -1) {
				assert.NotContains(t, ours, text[1])
			}
		})
	}
}

// jsonShape is a document with the kind of each value in its place: digits count as one, texts by their form.
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
