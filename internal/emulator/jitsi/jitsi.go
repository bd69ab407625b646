// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package jitsi emulates the servers of a Jitsi deployment: Jitsi Videobridge, Jicofo, Jigasi and Jibri.
package jitsi

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Paths of several servers.
const (
	metricsPath = "/metrics"
	versionPath = "/about/version"
	healthPath  = "/about/health"
)

// The content types of metrics pages as the servers send them.
const (
	typeJSON        = "application/json"
	typeText        = "text/plain; version=0.0.4; charset=utf-8"
	typeOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// metricsPage is a captured page /metrics by content type.
type metricsPage map[string][]byte

// readPage reads FILE.004.txt, FILE.openmetrics.txt and, if it exists, FILE.json.
func readPage(file string) (metricsPage, error) {
	page := metricsPage{}
	for contentType, extension := range map[string]string{typeText: ".004.txt", typeOpenMetrics: ".openmetrics.txt", typeJSON: ".json"} {
		body, err := fs.ReadFile(testdata.Files, "jitsi/"+file+extension)
		if errors.Is(err, fs.ErrNotExist) && contentType == typeJSON {
			continue
		}
		if err != nil {
			return nil, err
		}
		page[contentType] = body
	}
	return page, nil
}

// choose returns the first accepted content type that the page has. For */* and without an Accept header, it is text.
func (p metricsPage) choose(accept string) (contentType string, ok bool) {
	if accept == "" {
		return typeText, true
	}
	for accepted := range strings.SplitSeq(accept, ",") {
		accepted, _, _ = strings.Cut(strings.TrimSpace(accepted), ";")
		if accepted == "*/*" {
			return typeText, true
		}
		for _, contentType := range []string{typeText, typeOpenMetrics, typeJSON} {
			if p[contentType] != nil && strings.HasPrefix(contentType, accepted) {
				return contentType, true
			}
		}
	}
	return "", false
}

// answer returns the current page in an accepted content type.
func (p metricsPage) answer(r *http.Request, s *scenario) emulator.Answer {
	contentType, ok := p.choose(r.Header.Get("Accept"))
	if !ok {
		return emulator.Answer{Status: http.StatusNotAcceptable}
	}
	edit := s.editPage
	if contentType == typeJSON {
		edit = s.editJSON
	}
	return newAnswer(http.StatusOK, contentType, edit(p[contentType]))
}

func newAnswer(status int, contentType string, body []byte) emulator.Answer {
	return emulator.Answer{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// handlers maps paths to the functions that handle GET requests.
type handlers map[string]func(*http.Request) emulator.Answer

// addFile adds a captured file that never changes. The content type follows from the file name.
func (h handlers) addFile(at string, status int, file string) error {
	body, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	if err != nil {
		return err
	}
	contentType := "text/plain"
	if path.Ext(file) == ".json" {
		contentType = typeJSON
	}
	h[at] = func(*http.Request) emulator.Answer { return newAnswer(status, contentType, body) }
	return nil
}

// otherPaths is the key of the handler for all other paths. Without it, Jetty responds.
const otherPaths = "*"

// jettyError returns an error page of Jetty, on which all components except Jibri run, in an accepted content type. For an example,
// see https://github.com/jitsi/jitsi-videobridge/issues/1768.
func jettyError(r *http.Request, status int, message string) emulator.Answer {
	const (
		servlet = "org.glassfish.jersey.servlet.ServletContainer-78dc4696"
		page    = `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error %[1]d %[2]s</title>
</head>
<body><h2>HTTP ERROR %[1]d %[2]s</h2>
<table>
<tr><th>URI:</th><td>%[3]s</td></tr>
<tr><th>STATUS:</th><td>%[1]d</td></tr>
<tr><th>MESSAGE:</th><td>%[2]s</td></tr>
<tr><th>SERVLET:</th><td>` + servlet + `</td></tr>
</table>

</body>
</html>
`
		text     = "HTTP ERROR %[1]d %[2]s\nURI: %[3]s\nSTATUS: %[1]d\nMESSAGE: %[2]s\nSERVLET: " + servlet + "\n"
		document = `{"servlet":"` + servlet + `","message":%[2]q,"url":%[3]q,"status":"%[1]d"}`
	)
	contentType, format, uri := "text/html;charset=iso-8859-1", page, html.EscapeString(r.URL.Path)
	switch accepted, _, _ := strings.Cut(r.Header.Get("Accept"), ";"); accepted {
	case typeJSON:
		contentType, format, uri = typeJSON, document, r.URL.Path
	case "text/plain":
		contentType, format, uri = "text/plain;charset=iso-8859-1", text, r.URL.Path
	}
	return newAnswer(status, contentType, fmt.Appendf(nil, format, status, message, uri))
}

// newServer starts a server. Paths that begin with one of changing would change the state of a real server. Requests to them get an
// empty response, whatever the method, and a test finds them in Requests.
func newServer(addr string, paths handlers, changing []string, s *scenario) (*emulator.Server, error) {
	return emulator.NewServer(addr, emulator.Handler{
		API: func(r *http.Request) string { return r.URL.Path },
		Answer: func(r *http.Request) emulator.Answer {
			get, known := paths[r.URL.Path]
			switch {
			case slices.ContainsFunc(changing, func(prefix string) bool { return strings.HasPrefix(r.URL.Path, prefix) }):
				return emulator.Answer{Status: http.StatusOK}
			case !known && paths[otherPaths] != nil:
				return paths[otherPaths](r)
			case !known:
				return jettyError(r, http.StatusNotFound, http.StatusText(http.StatusNotFound))
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				return emulator.Answer{Status: http.StatusMethodNotAllowed}
			}
			return get(r)
		},
		Denied:  emulator.Unauthorized,
		Restart: s.restart,
		Outage:  s.outage,
	})
}

// findSample returns the sample of a version, or of defaultVersion if version is empty.
func findSample[T any](samples map[string]T, version, defaultVersion string) (T, error) {
	sample, known := samples[cmp.Or(version, defaultVersion)]
	if !known {
		versions := strings.Join(slices.Sorted(maps.Keys(samples)), ", ")
		return sample, fmt.Errorf("nothing was captured of version %q, there are %s", version, versions)
	}
	return sample, nil
}

var (
	healthyJSON = regexp.MustCompile(`"healthy":true`)
	healthyLine = regexp.MustCompile(`(?m)^(jitsi_\w+_healthy) 1.0$`)
)

// setHealth changes the response of a healthy server to that of an unhealthy one if unhealthy is true.
func setHealth(body []byte, unhealthy bool) []byte {
	if !unhealthy {
		return body
	}
	body = healthyJSON.ReplaceAllLiteral(body, []byte(`"healthy":false`))
	return healthyLine.ReplaceAll(body, []byte("$1 0.0"))
}
