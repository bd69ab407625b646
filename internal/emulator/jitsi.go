// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// The types in which a page is to be had, in the words of the servers.
const (
	jitsiJSON        = "application/json"
	jitsiText        = "text/plain; version=0.0.4; charset=utf-8"
	jitsiOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// jitsiPage is a page /metrics in the forms in which it was captured, by type.
type jitsiPage map[string][]byte

// readJitsiPage reads FILE.004.txt, FILE.openmetrics.txt and FILE.json; a form may be missing.
func readJitsiPage(file string) (jitsiPage, error) {
	page := jitsiPage{}
	for form, extension := range map[string]string{jitsiText: ".004.txt", jitsiOpenMetrics: ".openmetrics.txt", jitsiJSON: ".json"} {
		body, err := fs.ReadFile(testdata.Files, "jitsi/"+file+extension)
		if errors.Is(err, fs.ErrNotExist) && form == jitsiJSON {
			continue
		}
		if err != nil {
			return nil, err
		}
		page[form] = body
	}
	return page, nil
}

// choose returns the type of the first of the accepted ones that is to be had. Anything at all, and nothing said, is
// the text format.
func (p jitsiPage) choose(accept string) (form string, ok bool) {
	if accept == "" {
		return jitsiText, true
	}
	for asked := range strings.SplitSeq(accept, ",") {
		asked, _, _ = strings.Cut(strings.TrimSpace(asked), ";")
		if asked == "*/*" {
			return jitsiText, true
		}
		for _, form := range []string{jitsiText, jitsiOpenMetrics, jitsiJSON} {
			if p[form] != nil && strings.HasPrefix(form, asked) {
				return form, true
			}
		}
	}
	return "", false
}

// answer answers with the page in the form that is asked for, edited.
func (p jitsiPage) answer(r *http.Request, l *jitsiLife) answer {
	form, ok := p.choose(r.Header.Get("Accept"))
	if !ok {
		return answer{status: http.StatusNotAcceptable}
	}
	edit := l.editPage
	if form == jitsiJSON {
		edit = l.editJSON
	}
	return jitsiAnswer(http.StatusOK, form, edit(p[form]))
}

func jitsiAnswer(status int, contentType string, body []byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// jitsiPaths are the answers of a server to GET, by path.
type jitsiPaths map[string]func(*http.Request) answer

// read adds the path of a captured answer that never changes. Its type is that of its file.
func (p jitsiPaths) read(at string, status int, file string) error {
	body, err := fs.ReadFile(testdata.Files, "jitsi/"+file)
	if err != nil {
		return err
	}
	contentType := "text/plain"
	if path.Ext(file) == ".json" {
		contentType = jitsiJSON
	}
	p[at] = func(*http.Request) answer { return jitsiAnswer(status, contentType, body) }
	return nil
}

// newJitsi starts a server. What begins with one of changing would change the state of a real one: it is answered with
// nothing, whatever the method, and stands in Requests for all to see.
func newJitsi(addr string, paths jitsiPaths, changing []string, restart func()) (*Server, error) {
	return newServer(addr, system{
		api: func(r *http.Request) string { return r.URL.Path },
		answer: func(r *http.Request) answer {
			get, known := paths[r.URL.Path]
			switch {
			case slices.ContainsFunc(changing, func(begin string) bool { return strings.HasPrefix(r.URL.Path, begin) }):
				return answer{status: http.StatusOK}
			case !known:
				return answer{status: http.StatusNotFound}
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				return answer{status: http.StatusMethodNotAllowed}
			}
			return get(r)
		},
		denied:  unauthorized,
		restart: restart,
	})
}

// jitsiSample finds the file of a version.
func jitsiSample[T any](samples map[string]T, version, first string) (T, error) {
	sample, known := samples[cmp.Or(version, first)]
	if !known {
		names := make([]string, 0, len(samples))
		for name := range samples {
			names = append(names, name)
		}
		slices.Sort(names)
		return sample, fmt.Errorf("nothing was captured of version %q, there are %s", version, strings.Join(names, ", "))
	}
	return sample, nil
}

var (
	jitsiHealthyJSON = regexp.MustCompile(`"healthy":true`)
	jitsiHealthyLine = regexp.MustCompile(`(?m)^(jitsi_\w+_healthy) 1.0$`)
)

// jitsiIll makes an answer of a server that is not well of one that is.
func jitsiIll(body []byte, unhealthy bool) []byte {
	if !unhealthy {
		return body
	}
	body = jitsiHealthyJSON.ReplaceAllLiteral(body, []byte(`"healthy":false`))
	return jitsiHealthyLine.ReplaceAll(body, []byte("$1 0.0"))
}
