// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package flussonic emulates Flussonic servers.
package flussonic

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

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Options configures an emulated Flussonic server.
type Options struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Generation is a directory of testdata/flussonic/api-v3: "25.11" (the default), "23.10", "23.01", "full-23.10", in which every
	// field is set, or "edge", a cluster node that pulls most of its streams from another server. "legacy" is a server without API v3
	// and the page of metrics.
	Generation string
	// Streams is the number of streams to which the API and the pages are scaled. If it is 0, only the captured ones exist.
	Streams int
	// User and Password are required unless User is empty. If Token is not empty, it is accepted instead.
	User, Password, Token string
	// Labels is the variant of the page of metrics, metrics-LABELS.prom: "typed" (the default), "bare", "other-labels" or "aliases".
	Labels string
	// IgnoreSelect sends all fields, whatever fields are selected.
	IgnoreSelect bool
	// MaxPage is the largest accepted limit. The default is 1,000.
	MaxPage int
	// Paging is the kind of cursors for the next page of streams: correct ones if it is empty, "repeat" for the cursor of the
	// request, "endless" for new cursors without end that repeat all streams, "number" for correct cursors that are numbers.
	Paging string
	// Moving makes values advance with Now, and a few streams of a scaled list come and go. After a restart, this always happens.
	Moving bool
	// Life makes viewers come and go in waves. Some of the streams that were added by scaling leave and return, and some freeze.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	captureFolder  = "flussonic/"
	defaultMaxPage = 1000
	metricsPath    = "/flussonic/api/metrics"

	textPlain   = "text/plain; version=0.0.4"
	openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// apiBases lists the base paths of API v3.
var apiBases = []string{"/streamer/api/v3/", "/flussonic/api/v3/"}

// generations lists the directories of each generation. Captures that are missing from the first one are in the next one.
var generations = map[string]struct {
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

// documents and lists map APIs to captures. A list may have several files, one per page.
var (
	documents = map[string]string{
		"config/stats":         "config_stats.json",
		"monitoring/liveness":  "liveness.json",
		"monitoring/readiness": "readiness.json",
	}
	lists = map[string]string{
		"cluster/peers":     "peers.json",
		"dvb_cards":         "dvb_cards.json",
		"dvrs":              "dvrs.json",
		"sessions":          "sessions.json",
		"streams":           "streams*.json",
		"vods/opened_files": "opened_files.json",
	}
)

// The times in ms since 1970 at which the pages were captured, derived from their values.
const (
	metricsCapturedAt     = 1636393728400
	openMetricsCapturedAt = 1639937825000
)

type server struct {
	Options
	apis    map[string]func(*http.Request, moment) emulator.Answer
	pages   map[string]func(*http.Request, moment) emulator.Answer // OpenMetrics variants
	errors  map[string][]byte                                      // by file name
	streams *rowList
	clock   serverClock
}

// New starts an emulated Flussonic server. The name of an API is its path below API v3, such as config/stats. Outside of API v3, it
// is the whole path.
func New(o Options) (*emulator.Server, error) {
	s := &server{
		Options: o,
		apis:    map[string]func(*http.Request, moment) emulator.Answer{},
		pages:   map[string]func(*http.Request, moment) emulator.Answer{},
		errors:  map[string][]byte{},
	}
	if err := s.complete(); err != nil {
		return nil, err
	}
	s.clock.begin(o.Now, o.Moving)
	s.clock.life = o.Life
	for _, read := range []func() error{s.readErrors, s.readAPIs, s.readPages, s.readLegacy} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return emulator.NewServer(s.Addr, emulator.Handler{API: apiName, Answer: s.answer, Denied: s.denied, Restart: s.clock.restart})
}

// complete validates the options and sets their defaults.
func (s *server) complete() error {
	if s.Generation == "" {
		s.Generation = "25.11"
	}
	if s.Labels == "" {
		s.Labels = "typed"
	}
	if s.MaxPage == 0 {
		s.MaxPage = defaultMaxPage
	}
	if _, known := generations[s.Generation]; !known {
		return fmt.Errorf("testdata/flussonic/api-v3/%s is no generation", s.Generation)
	}
	if !slices.Contains([]string{"", "repeat", "endless", "number"}, s.Paging) {
		return fmt.Errorf("paging %q is none of repeat, endless, number", s.Paging)
	}
	if s.Streams < 0 {
		return fmt.Errorf("cannot scale to %d streams", s.Streams)
	}
	return nil
}

func (s *server) readErrors() (err error) {
	for _, name := range []string{"401-old.json", "404-jsonapi.json"} {
		if s.errors[name], err = fs.ReadFile(testdata.Files, captureFolder+"api-v3/errors/"+name); err != nil {
			return err
		}
	}
	return nil
}

// readAPIs reads API v3 of the generation.
func (s *server) readAPIs() error {
	folders := generations[s.Generation].folders
	if folders == nil {
		return nil
	}
	capturedAt := int64(0)
	for api, name := range documents { // all were captured at the same time
		files, err := readFirst(folders, name)
		if err != nil {
			return err
		}
		capturedAt = serverTime(files[0])
		s.apis[api] = s.document(newJSONTemplate(api, files[0], activity{capturedAt: capturedAt}))
	}
	for api, pattern := range lists {
		pages, err := readFirst(folders, pattern)
		if err != nil {
			return err
		}
		list, err := newRowList(api, pages, capturedAt)
		if err != nil {
			return fmt.Errorf("testdata/flussonic/api-v3: %s of %s: %w", pattern, s.Generation, err)
		}
		if api == "streams" {
			list.scaledTo, list.paging, s.streams = s.Streams, s.Paging, list
		}
		s.apis[api] = func(r *http.Request, m moment) emulator.Answer { return s.list(list, r, m) }
	}
	return nil
}

// readFirst reads the matching files of the first directory that has any.
func readFirst(folders []string, pattern string) (contents [][]byte, err error) {
	for _, folder := range folders {
		files, err := fs.Glob(testdata.Files, path.Join(captureFolder, "api-v3", folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files { // sorted by name
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

// readPages reads the page of metrics, and the OpenMetrics variants if the generation has them.
func (s *server) readPages() error {
	if s.streams == nil {
		return nil
	}
	page, err := fs.ReadFile(testdata.Files, captureFolder+"prometheus/metrics-"+s.Labels+".prom")
	if err != nil {
		return fmt.Errorf("there are no labels %q: %w", s.Labels, err)
	}
	s.apis[metricsPath] = s.page(newMetricsPage(page, s.streams, metricsCapturedAt, 0), textPlain)
	if !generations[s.Generation].openMetrics {
		return nil
	}
	for api, first := range map[string]int{"config": 0, "streams": defaultLimit} {
		page, err := fs.ReadFile(testdata.Files, captureFolder+"prometheus/openmetrics-"+api+".txt")
		if err != nil {
			return err
		}
		s.pages[api] = s.page(newMetricsPage(page, s.streams, openMetricsCapturedAt, first), openMetrics)
	}
	return nil
}

// readLegacy reads the API of servers before API v3. Newer servers still support it.
func (s *server) readLegacy() error {
	for _, name := range []string{"media", "server", "sessions"} {
		content, err := fs.ReadFile(testdata.Files, captureFolder+"legacy/"+name+".json")
		if err != nil {
			return err
		}
		s.apis["/flussonic/api/"+name] = s.document(newJSONTemplate(name, content, activity{}))
	}
	return nil
}

// document returns a handler for one document.
func (s *server) document(text template) func(*http.Request, moment) emulator.Answer {
	return func(_ *http.Request, m moment) emulator.Answer {
		return newAnswer("application/json", text.appendTo(nil, &m))
	}
}

// page returns a handler for a page of metrics.
func (s *server) page(page *metricsPage, contentType string) func(*http.Request, moment) emulator.Answer {
	return func(_ *http.Request, m moment) emulator.Answer {
		return newAnswer(contentType, page.render(m))
	}
}

// list returns one page of a list.
func (s *server) list(list *rowList, r *http.Request, m moment) emulator.Answer {
	query := r.URL.Query()
	request, err := newPageRequest(query, list.paging == "number")
	if err == nil && request.limit > s.MaxPage {
		err = fmt.Errorf("limit %d is above %d", request.limit, s.MaxPage)
	}
	if err != nil {
		return s.failure(http.StatusBadRequest, "bad_request", err.Error())
	}
	if s.IgnoreSelect {
		request.fields = ""
	}
	return newAnswer("application/json", list.page(request, m))
}

func newAnswer(contentType string, body []byte) emulator.Answer {
	return emulator.Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// failure returns an error in the documented form.
func (s *server) failure(status int, code, title string) emulator.Answer {
	edit := strings.NewReplacer(`"404"`, fmt.Sprintf(`"%d"`, status), `"not_found"`, strconv.Quote(code), `"Not found"`, strconv.Quote(title))
	body := []byte(edit.Replace(string(s.errors["404-jsonapi.json"])))
	return emulator.Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}

// denied returns the response to wrong credentials.
func (s *server) denied() emulator.Answer {
	header := http.Header{"Content-Type": {"application/json"}, "Www-Authenticate": {`Basic realm="Flussonic"`}}
	return emulator.Answer{Status: http.StatusUnauthorized, Header: header, Body: s.errors["401-old.json"]}
}

// apiName returns the API of a request, or the whole path outside of API v3.
func apiName(r *http.Request) string {
	for _, base := range apiBases {
		if api, ok := strings.CutPrefix(r.URL.Path, base); ok {
			return api
		}
	}
	return r.URL.Path
}

// answer handles a request. Requests for changes fail.
func (s *server) answer(r *http.Request) emulator.Answer {
	api := apiName(r)
	serve := s.apis[api]
	if page := s.pages[api]; page != nil && wantsOpenMetrics(r) {
		serve = page
	}
	switch {
	case !s.isAuthorized(r):
		return s.denied()
	case serve == nil:
		return s.failure(http.StatusNotFound, "not_found", "Not found")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return s.failure(http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed")
	}
	return serve(r, s.clock.moment(s.streams))
}

// isAuthorized reports whether a request has the right credentials.
func (s *server) isAuthorized(r *http.Request) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	if s.User == "" && s.Token == "" {
		return true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.Token != "" && same(token, s.Token)
	}
	user, password, ok := r.BasicAuth()
	return ok && s.User != "" && same(user, s.User) && same(password, s.Password)
}

// wantsOpenMetrics reports whether a request is for OpenMetrics.
func wantsOpenMetrics(r *http.Request) bool {
	if format := r.URL.Query().Get("format"); format != "" {
		return format == "openmetrics"
	}
	return strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text")
}
