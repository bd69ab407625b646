// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// begin returns the part of a response that is read ahead.
func begin(text []byte) []byte { return text[:min(len(text), peeked)] }

// TestRecogniseCapturedBodies checks that captured bodies are recognised if they are characteristic, and never as those of another
// system.
func TestRecogniseCapturedBodies(t *testing.T) {
	for pattern, want := range map[string]System{
		"zlmediakit/errors/err_unknown_api.txt":    ZLMediaKit,
		"zlmediakit/*/*.json":                      jsonDocument,
		"kamailio/jsonrpc/*.json":                  jsonDocument,
		"kamailio/prometheus/rtpengine.txt":        RTPEngine,
		"kamailio/prometheus/xhttp_prom.txt":       metricsPage,
		"jitsi/jvb/metrics.*.txt":                  JVB,
		"jitsi/jicofo/metrics.*.txt":               Jicofo,
		"jitsi/jigasi/metrics.*.txt":               Jigasi,
		"jitsi/jibri/metrics.*.txt":                Jibri,
		"jitsi/*/*.json":                           jsonDocument,
		"flussonic/prometheus/metrics-*.prom":      Flussonic,
		"flussonic/prometheus/openmetrics-*.txt":   metricsPage,
		"flussonic/api-v3/errors/404-jsonapi.json": Flussonic,
		"flussonic/api-v3/errors/401-old.json":     jsonDocument,
		"flussonic/api-v3/[2f]*/*.json":            jsonDocument,
		"flussonic/legacy/*.json":                  jsonDocument,
		"mediasoup/snapshot-*.json":                MediasoupAgent,
		"mediasoup/getstats-*.json":                jsonDocument,
		"mediasoup/edumeet-default*.prom":          Edumeet,
		"mediasoup/edumeet-room-server*.prom":      Edumeet,
		"mediasoup/edumeet-aggregated.prom":        metricsPage,
		"jitsi/jvb/about-health.500.body":          "",
		"jitsi/jicofo/about-health.200.body":       "",
		"kamailio/config/kamailio.cfg":             "",
	} {
		t.Run(strings.ReplaceAll(pattern, "/", " "), func(t *testing.T) {
			files, err := fs.Glob(testdata.Files, pattern)
			require.NoError(t, err)
			require.NotEmpty(t, files)
			for _, file := range files {
				if path.Base(file) == "index.json" {
					continue
				}
				body, err := fs.ReadFile(testdata.Files, file)
				require.NoError(t, err)
				assert.Equal(t, want, recognise(http.Header{}, begin(body)), file)
			}
		})
	}
}

// TestRecogniseCapturedHeaders checks that all captured headers of ZLMediaKit and Kamailio are recognised, whatever the body.
func TestRecogniseCapturedHeaders(t *testing.T) {
	headers := 0
	indexes, err := fs.Glob(testdata.Files, "zlmediakit/*/index.json")
	require.NoError(t, err)
	for _, index := range indexes {
		text, err := fs.ReadFile(testdata.Files, index)
		require.NoError(t, err)
		var entries []struct{ Headers map[string]string }
		require.NoError(t, json.Unmarshal(text, &entries))
		for _, entry := range entries {
			headers++
			assert.Equal(t, ZLMediaKit, recognise(http.Header{"Server": {entry.Headers["Server"]}}, nil), index)
		}
	}
	captured, err := fs.Glob(testdata.Files, "kamailio/*/*.headers")
	require.NoError(t, err)
	for _, file := range captured {
		text, err := fs.ReadFile(testdata.Files, file)
		require.NoError(t, err)
		_, value, found := strings.Cut(string(text), "\r\nSia: ")
		if !found { // no response at all, or one of rtpengine
			assert.Contains(t, []string{"_parse_error.headers", "rtpengine.headers"}, path.Base(file))
			continue
		}
		headers++
		assert.Equal(t, Kamailio, recognise(http.Header{"Sia": {value}}, nil), file)
	}
	assert.Greater(t, headers, 100)
}

// TestRecogniseExporters checks that pages of exporters are not recognised as pages of the systems they monitor.
func TestRecogniseExporters(t *testing.T) {
	files, err := filepath.Glob("../../testdata/compat/*.prom")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		want := metricsPage
		switch name := filepath.Base(file); { // pages of the systems themselves
		case strings.HasPrefix(name, "flussonic_exporter"):
			want = Flussonic
		case name == "mediasoup_exporter.prom", name == "mediasoup_exporter.aggregated.prom":
			want = Edumeet
		}
		assert.Equal(t, want, recognise(http.Header{}, begin(page)), file)
	}
}

// TestRecognise checks responses of other servers, and ambiguous ones.
func TestRecognise(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   System
	}{
		"nothing":                   {nil, "", ""},
		"text":                      {nil, "404 page not found\n", ""},
		"nginx":                     {http.Header{"Server": {"nginx/1.24.0"}, "Content-Type": {"text/html"}}, "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>", htmlPage},
		"HTML that does not say so": {nil, " <!doctype html>", htmlPage},
		"HTML without a body":       {http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "", htmlPage},
		"ZLMediaKit behind a proxy": {http.Header{"Server": {"nginx"}}, "<html><hr><center>ZLMediaKit(git hash:daaa74a", ZLMediaKit},
		"Kamailio":                  {http.Header{"Sia": {"SIP/2.0/TCP 127.0.0.1:5060"}, "Content-Type": {"text/html"}}, "<html>no</html>", Kamailio},
		// For a complete error page of JVB, see https://github.com/jitsi/jitsi-videobridge/issues/1768.
		"Jetty, with its version": {http.Header{"Server": {"Jetty(9.4.44.v20210927)"}}, "", jetty},
		"Jetty, HTML":             {http.Header{"Content-Type": {"text/html;charset=iso-8859-1"}}, "<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=ISO-8859-1\"/>\n<title>Error 404 Not Found</title>\n</head>\n<body><h2>HTTP ERROR 404 Not Found</h2>\n<table>\n", jetty},
		"Jetty, text":             {nil, "HTTP ERROR 404 Not Found\nURI: /metrics\nSTATUS: 404\nMESSAGE: Not Found\n", jetty},
		"Jetty, JSON":             {nil, `{"servlet":"org.glassfish.jersey.servlet.ServletContainer-78dc4696","message":"Not Found","url":"/colibri/stats","status":"404"}`, jetty},
		"a servlet elsewhere":     {nil, `{"servlet":"com.example.Servlet","status":"404"}`, jsonDocument},
		"the agent, 401":          {nil, `{"error":"missing or wrong token: send the token of the agent as a bearer token"}`, MediasoupAgent},
		"the agent, 404":          {nil, `{"error":"ask for /v1/snapshot or /v1/health"}`, MediasoupAgent},
		"the agent, 421":          {nil, `{"error":"this agent has no token and answers to localhost only: set its option token"}`, MediasoupAgent},
		"another error":           {nil, `{"error":"not_found"}`, jsonDocument},
		"another JSON:API":        {nil, `{"errors":[{"status":"404","code":"not_found","title":"Not found"}]}`, jsonDocument},
		"a list":                  {nil, ` [1]`, jsonDocument},
		"an empty object":         {nil, `{}`, jsonDocument},
		"a Prometheus page":       {nil, "# HELP go_goroutines Number of goroutines.\n# TYPE go_goroutines gauge\ngo_goroutines 7\n", metricsPage},
		"bare samples":            {nil, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1.5e+06\n", metricsPage},
		"quoted names":            {nil, "{\"a.b\",c=\"d\"} 1\n", ""},
		"our own page":            {nil, "# HELP jitsi_jvb_conference_count The number of conferences.\n# TYPE jitsi_jvb_conference_count gauge\njitsi_jvb_conference_count{instance=\"10.0.0.5:8080\",job=\"jitsi-videobridge\"} 8\n", metricsPage},
		"what Prometheus repeats": {nil, "# TYPE rtpengine_sessions untyped\nrtpengine_sessions{type=\"own\",instance=\"10.0.0.5:2225\",job=\"rtpengine\"} 6\n", metricsPage},
		"a family of another":     {nil, "rtpengine_sessions_custom 1\n", ""},
		"a system in a text":      {nil, "proxy of jitsi_jvb_ and rtpengine_sessions\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, recognise(tt.header, []byte(tt.body)))
		})
	}
}

// decodePage reads a page, as the receivers do. It returns an error of its own if the page has no known metric.
func decodePage(_ http.Header, body io.Reader) error {
	r := exposition.NewReader()
	r.Reset(body, "")
	if err := r.Each(func(*exposition.Sample) error { return nil }); err != nil {
		return err
	}
	return &Error{Kind: KindDecode, Text: "no metric of ours"}
}

// TestErrorsNameWhoAnswered checks that an error names the system that responded and the setting to check.
func TestErrorsNameWhoAnswered(t *testing.T) {
	const (
		html    = "<html>hello</html>"
		page    = "# TYPE go_goroutines gauge\ngo_goroutines 7\n"
		jvbPage = "# TYPE jitsi_jvb_threads gauge\njitsi_jvb_threads 7\n"
		agent   = `{"error":"ask for /v1/snapshot or /v1/health"}`
		lead    = ": check that the setting endpoint leads to Flussonic"
	)
	for name, tt := range map[string]struct {
		status  int
		header  http.Header
		body    string
		read    func(http.Header, io.Reader) error
		from    System
		message string
		counted scrape.ErrorType
	}{
		"404":                       {404, http.Header{"Server": {"ZLMediaKit(git hash:x"}}, html, decode, ZLMediaKit, "HTTP status 404 Not Found from ZLMediaKit" + lead, scrape.Status},
		"404 with a body":           {404, nil, agent, decode, MediasoupAgent, "HTTP status 404 Not Found from mediasoup's agent" + lead, scrape.Status},
		"401":                       {401, nil, `{"error":"missing or wrong token: send the token of the agent as a bearer token"}`, decode, MediasoupAgent, "HTTP status 401 Unauthorized from mediasoup's agent" + lead, scrape.Authentication},
		"500":                       {500, http.Header{"Sia": {"SIP/2.0/TCP 127.0.0.1"}}, "{}", decode, Kamailio, "HTTP status 500 Internal Server Error from Kamailio" + lead, scrape.Status},
		"a page of a system":        {200, nil, jvbPage, decode, JVB, "an answer from a JVB" + lead, scrape.Format},
		"another page":              {200, nil, jvbPage, decodePage, JVB, "an answer from a JVB" + lead, scrape.Format},
		"HTML of a system":          {200, http.Header{"Server": {"ZLMediaKit(git hash:x"}}, html, decode, ZLMediaKit, "an HTML page from ZLMediaKit" + lead, scrape.Format},
		"HTML":                      {200, nil, html, decode, htmlPage, "an HTML page instead of the API's answer: `" + html + "`" + lead, scrape.Format},
		"HTML, 404":                 {404, nil, html, decode, htmlPage, "HTTP status 404 Not Found with an HTML page: `" + html + "`" + lead, scrape.Status},
		"HTML, 405":                 {405, nil, html, decode, htmlPage, "HTTP status 405 Method Not Allowed with an HTML page: `" + html + "`" + lead, scrape.Status},
		"HTML, 502":                 {502, nil, html, decode, htmlPage, "HTTP status 502 Bad Gateway with an HTML page: `" + html + "`: check the setting endpoint and the server's log", scrape.Status},
		"HTML, 401":                 {401, nil, html, decode, htmlPage, "HTTP status 401 Unauthorized with an HTML page: `" + html + "`: check the credentials in the configuration", scrape.Authentication},
		"a page":                    {200, nil, page, decode, metricsPage, "a Prometheus page instead of the API's answer: `# TYPE go_goroutines gauge go_goroutines 7`" + lead, scrape.Format},
		"a page without metrics":    {200, nil, page, decodePage, "", "no metric of ours: check that the setting endpoint leads to the right server", scrape.Format},
		"JSON for a page":           {200, nil, `{"status":"ok"}`, decodePage, jsonDocument, "JSON instead of a page of metrics: `{\"status\":\"ok\"}`" + lead, scrape.Format},
		"JSON that is cut":          {200, nil, `{"status":`, decode, "", "cannot be decoded", scrape.Format},
		"404 of nobody known":       {404, nil, "no", decode, "", "HTTP status 404 Not Found: `no`: check the setting endpoint and the server's log", scrape.Status},
		"404 of JSON":               {404, nil, `{"error":"no"}`, decode, "", "HTTP status 404 Not Found: `{\"error\":\"no\"}`: check the setting endpoint and the server's log", scrape.Status},
		"404 of the system":         {404, nil, `{"errors":[{"id":null,"status":"404","code":"not_found","title":"Not found","source":null,"meta":null}]}`, decode, "", "HTTP status 404 Not Found: `{\"errors\"", scrape.Status},
		"an error of the reader":    {200, nil, jvbPage, func(http.Header, io.Reader) error { return &Error{Kind: KindDecode, Text: "of JVB", From: JVB} }, JVB, "of JVB: check that the setting endpoint leads to the right server", scrape.Format},
		"an error of the system":    {200, http.Header{"Sia": {"SIP/2.0/TCP 127.0.0.1"}}, "{}", func(http.Header, io.Reader) error { return &Error{Kind: KindCode, Text: "code -1"} }, "", "code -1", scrape.Response},
		"an answer without a fault": {200, http.Header{"Sia": {"SIP/2.0/TCP 127.0.0.1"}}, "{}", decode, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				maps.Copy(w.Header(), tt.header)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			client.System = Flussonic
			err := client.Get(t.Context(), "/api", nil, nil, tt.read)
			if tt.message == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.message)
			assert.Equal(t, tt.counted, scrape.TypeOf(err))
			e, _ := errors.AsType[*Error](err)
			require.NotNil(t, e)
			assert.Equal(t, tt.from, e.From)
			if tt.status != 200 {
				assert.Equal(t, tt.status, e.Status)
			}
		})
	}
}

// TestPartialAnswersAreNotAttributed checks that a partly usable response is not attributed to another system.
func TestPartialAnswersAreNotAttributed(t *testing.T) {
	client := newClient(t, serve(t, (*httptest.Server).Start, answer(200, "text/plain", "jitsi_jvb_threads 7\nbad line {\n")))
	client.System = Flussonic
	err := client.Get(t.Context(), "", nil, nil, decodePage)
	require.True(t, scrape.IsPartial(err))
	require.ErrorContains(t, err, "lines that cannot be parsed")
}

// TestJettyMayBeJitsi checks that Jetty's error pages are accepted from the components that run on Jetty, and from no other system.
func TestJettyMayBeJitsi(t *testing.T) {
	endpoint := serve(t, (*httptest.Server).Start, answer(404, "text/html", "<html><title>Error 404 Not Found</title><body><h2>HTTP ERROR 404 Not Found</h2>"))
	for system, from := range map[System]System{
		JVB: "", Jicofo: "", Jigasi: "", Jibri: "", ZLMediaKit: jetty, Flussonic: jetty, Kamailio: jetty, RTPEngine: jetty, MediasoupAgent: jetty, Edumeet: jetty, "": jetty,
	} {
		t.Run(fmt.Sprint(system), func(t *testing.T) {
			client := newClient(t, endpoint)
			client.System, client.Block = system, "block"
			err := client.Get(t.Context(), "", nil, nil, decode)
			e, _ := errors.AsType[*Error](err)
			require.NotNil(t, e)
			assert.Equal(t, from, e.From)
			require.ErrorContains(t, err, "setting block::endpoint")
		})
	}
}
