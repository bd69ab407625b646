// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/subtle"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Flussonic are the options of an emulated Flussonic server.
type Flussonic struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Generation is a folder of testdata/flussonic/api-v3: "25.11" (when empty), "23.10", "23.01"; "full-23.10", in which
	// every field is set; "edge", a server of a cluster that pulls most of its streams from another one; or "legacy" for a
	// server that has neither API v3 nor the page of metrics.
	Generation string
	// Streams scales the streams of the API and of the pages to so many; 0: the captured ones.
	Streams int
	// User and Password are asked for when there is a user, Token is taken as well when there is one.
	User, Password, Token string
	// Labels is how the page of metrics is written, metrics-LABELS.prom: "typed" (when empty), "bare" or "other-labels".
	Labels string
	// IgnoreSelect sends all fields, whatever was selected.
	IgnoreSelect bool
	// MaxPage is the largest limit that is not refused; 1,000 when 0.
	MaxPage int
	// Paging is how a list of streams goes on: "" properly, "repeat" with the cursor that was sent, "endless" with
	// ever new cursors and all streams again, "number" properly with numbers for cursors.
	Paging string
	// Moving makes values advance with Now, and a few streams of a scaled list come and go. Values do so in any case
	// once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	flussonicFolder  = "flussonic/"
	flussonicMaxPage = 1000
	flussonicMetrics = "/flussonic/api/metrics"

	textPlain   = "text/plain; version=0.0.4"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// flussonicBases are where API v3 is.
var flussonicBases = []string{"/streamer/api/v3/", "/flussonic/api/v3/"}

// flussonicGenerations says where the captures of a generation are: what the first folder lacks is in the next one.
var flussonicGenerations = map[string]struct {
	folders     []string
	openMetrics bool
}{
	"25.11":      {folders: []string{"25.11"}, openMetrics: true},
	"23.10":      {folders: []string{"23.10", "full-23.10"}, openMetrics: true},
	"23.01":      {folders: []string{"23.01", "full-23.10"}},
	"full-23.10": {folders: []string{"full-23.10"}, openMetrics: true},
	"edge":       {folders: []string{"edge", "25.11"}, openMetrics: true},
	"legacy":     {},
}

// flussonicDocuments and flussonicLists are the captures, by API. A list may come in several files, one per page.
var (
	flussonicDocuments = map[string]string{
		"config/stats":         "config_stats.json",
		"monitoring/liveness":  "liveness.json",
		"monitoring/readiness": "readiness.json",
	}
	flussonicLists = map[string]string{
		"cluster/peers":     "peers.json",
		"dvb_cards":         "dvb_cards.json",
		"dvrs":              "dvrs.json",
		"sessions":          "sessions.json",
		"streams":           "streams*.json",
		"vods/opened_files": "opened_files.json",
	}
)

// When the pages were made, as far as their own values tell: ms since 1970.
const (
	flussonicMetricsMade     = 1636393728400
	flussonicOpenMetricsMade = 1639937825000
)

type flussonic struct {
	Flussonic
	apis    map[string]func(*http.Request, flussonicMoment) answer
	pages   map[string]func(*http.Request, flussonicMoment) answer // the same as OpenMetrics
	errors  map[string][]byte                                      // by file name
	streams *flussonicList
	clock   flussonicClock
}

// NewFlussonic starts an emulated Flussonic server. APIs are named by their path within API v3, such as config/stats;
// what is outside of it has its whole path for a name.
func NewFlussonic(o Flussonic) (*Server, error) {
	f := &flussonic{
		Flussonic: o,
		apis:      map[string]func(*http.Request, flussonicMoment) answer{},
		pages:     map[string]func(*http.Request, flussonicMoment) answer{},
		errors:    map[string][]byte{},
	}
	if err := f.complete(); err != nil {
		return nil, err
	}
	f.clock.begin(o.Now, o.Moving)
	for _, read := range []func() error{f.readErrors, f.readAPIs, f.readPages, f.readLegacy} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return newServer(f.Addr, system{api: flussonicAPIName, answer: f.answer, denied: f.denied, restart: f.clock.restart})
}

// complete fills in what the options leave open.
func (f *flussonic) complete() error {
	if f.Generation == "" {
		f.Generation = "25.11"
	}
	if f.Labels == "" {
		f.Labels = "typed"
	}
	if f.MaxPage == 0 {
		f.MaxPage = flussonicMaxPage
	}
	if _, known := flussonicGenerations[f.Generation]; !known {
		return fmt.Errorf("testdata/flussonic/api-v3/%s is no generation", f.Generation)
	}
	if !slices.Contains([]string{"", "repeat", "endless", "number"}, f.Paging) {
		return fmt.Errorf("paging %q is none of repeat, endless, number", f.Paging)
	}
	if f.Streams < 0 {
		return fmt.Errorf("cannot scale to %d streams", f.Streams)
	}
	return nil
}

func (f *flussonic) readErrors() (err error) {
	for _, name := range []string{"401-old.json", "404-jsonapi.json"} {
		if f.errors[name], err = fs.ReadFile(testdata.Files, flussonicFolder+"api-v3/errors/"+name); err != nil {
			return err
		}
	}
	return nil
}

// readAPIs reads API v3 of the generation.
func (f *flussonic) readAPIs() error {
	folders := flussonicGenerations[f.Generation].folders
	if folders == nil {
		return nil
	}
	made := int64(0)
	for api, name := range flussonicDocuments { // all were made at the same time
		files, err := readFirst(folders, name)
		if err != nil {
			return err
		}
		made = flussonicNow(files[0])
		f.apis[api] = f.text(newFlussonicJSON(api, files[0], flussonicPace{made: made}))
	}
	for api, pattern := range flussonicLists {
		pages, err := readFirst(folders, pattern)
		if err != nil {
			return err
		}
		list, err := newFlussonicList(api, pages, made)
		if err != nil {
			return fmt.Errorf("testdata/flussonic/api-v3: %s of %s: %w", pattern, f.Generation, err)
		}
		if api == "streams" {
			list.scaledTo, list.paging, f.streams = f.Streams, f.Paging, list
		}
		f.apis[api] = func(r *http.Request, m flussonicMoment) answer { return f.list(list, r, m) }
	}
	return nil
}

// readFirst reads the files of the first folder that has some.
func readFirst(folders []string, pattern string) (contents [][]byte, err error) {
	for _, folder := range folders {
		files, err := fs.Glob(testdata.Files, path.Join(flussonicFolder, "api-v3", folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files { // in the order of their names
			content, err := fs.ReadFile(testdata.Files, file)
			if err != nil {
				return nil, err
			}
			contents = append(contents, content)
		}
		if contents != nil {
			return contents, nil
		}
	}
	return nil, fmt.Errorf("testdata/flussonic/api-v3: %s is missing in %s", pattern, strings.Join(folders, ", "))
}

// readPages reads the page of metrics, and the OpenMetrics variants where the generation has them.
func (f *flussonic) readPages() error {
	if f.streams == nil {
		return nil
	}
	page, err := fs.ReadFile(testdata.Files, flussonicFolder+"prometheus/metrics-"+f.Labels+".prom")
	if err != nil {
		return fmt.Errorf("there are no labels %q: %w", f.Labels, err)
	}
	f.apis[flussonicMetrics] = f.page(newFlussonicPage(page, f.streams, flussonicMetricsMade, 0), textPlain)
	if !flussonicGenerations[f.Generation].openMetrics {
		return nil
	}
	for api, first := range map[string]int{"config": 0, "streams": flussonicLimit} {
		page, err := fs.ReadFile(testdata.Files, flussonicFolder+"prometheus/openmetrics-"+api+".txt")
		if err != nil {
			return err
		}
		f.pages[api] = f.page(newFlussonicPage(page, f.streams, flussonicOpenMetricsMade, first), openMetrics)
	}
	return nil
}

// readLegacy reads the API of servers before API v3, which newer ones still answer.
func (f *flussonic) readLegacy() error {
	for _, name := range []string{"media", "server", "sessions"} {
		content, err := fs.ReadFile(testdata.Files, flussonicFolder+"legacy/"+name+".json")
		if err != nil {
			return err
		}
		f.apis["/flussonic/api/"+name] = f.text(newFlussonicJSON(name, content, flussonicPace{}))
	}
	return nil
}

// text answers with one document.
func (f *flussonic) text(text flussonicText) func(*http.Request, flussonicMoment) answer {
	return func(_ *http.Request, m flussonicMoment) answer {
		return flussonicOK("application/json", text.appendTo(nil, &m))
	}
}

// page answers with a page of metrics.
func (f *flussonic) page(page *flussonicPage, contentType string) func(*http.Request, flussonicMoment) answer {
	return func(_ *http.Request, m flussonicMoment) answer {
		return flussonicOK(contentType, page.render(m))
	}
}

// list answers with a page of a list.
func (f *flussonic) list(list *flussonicList, r *http.Request, m flussonicMoment) answer {
	query := r.URL.Query()
	request, err := newFlussonicRequest(query, list.paging == "number")
	if err == nil && request.limit > f.MaxPage {
		err = fmt.Errorf("limit %d is above %d", request.limit, f.MaxPage)
	}
	if err != nil {
		return f.failure(http.StatusBadRequest, "bad_request", err.Error())
	}
	if f.IgnoreSelect {
		request.fields = ""
	}
	return flussonicOK("application/json", list.page(request, m))
}

func flussonicOK(contentType string, body []byte) answer {
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// failure is an error in the form in which one is documented.
func (f *flussonic) failure(status int, code, title string) answer {
	edit := strings.NewReplacer(`"404"`, fmt.Sprintf(`"%d"`, status), `"not_found"`, strconv.Quote(code), `"Not found"`, strconv.Quote(title))
	body := []byte(edit.Replace(string(f.errors["404-jsonapi.json"])))
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// denied is the answer to a wrong secret.
func (f *flussonic) denied() answer {
	header := http.Header{"Content-Type": {"application/json"}, "Www-Authenticate": {`Basic realm="Flussonic"`}}
	return answer{status: http.StatusUnauthorized, header: header, body: f.errors["401-old.json"]}
}

// flussonicAPIName is the API that a request is for; the whole path when it is not for API v3.
func flussonicAPIName(r *http.Request) string {
	for _, base := range flussonicBases {
		if api, ok := strings.CutPrefix(r.URL.Path, base); ok {
			return api
		}
	}
	return r.URL.Path
}

// answer answers as the server does to one who reads; nothing can be changed.
func (f *flussonic) answer(r *http.Request) answer {
	api := flussonicAPIName(r)
	serve := f.apis[api]
	if page := f.pages[api]; page != nil && wantsOpenMetrics(r) {
		serve = page
	}
	switch {
	case !f.knows(r):
		return f.denied()
	case serve == nil:
		return f.failure(http.StatusNotFound, "not_found", "Not found")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return f.failure(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed")
	}
	return serve(r, f.clock.moment(f.streams))
}

// knows tells whether a request may be answered.
func (f *flussonic) knows(r *http.Request) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	if f.User == "" && f.Token == "" {
		return true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return f.Token != "" && same(token, f.Token)
	}
	user, password, ok := r.BasicAuth()
	return ok && f.User != "" && same(user, f.User) && same(password, f.Password)
}

// wantsOpenMetrics tells whether a request asks for text.
func wantsOpenMetrics(r *http.Request) bool {
	if format := r.URL.Query().Get("format"); format != "" {
		return format == "openmetrics"
	}
	return strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text")
}
