// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package zlmediakit emulates ZLMediaKit servers.
package zlmediakit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Options configures an emulated ZLMediaKit server.
type Options struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Scene is a directory of testdata/zlmediakit. The default is "busy".
	Scene string
	// Streams is the number of streams to scale to. If it is 0, captured responses are sent unchanged.
	Streams int
	// Secret is the API secret. If it is empty, any secret is accepted.
	Secret string
	// Life makes viewers come and go in waves. Some of the streams that were added by scaling leave and return, and some freeze.
	Life emulator.Life
	// Now is the clock, by default time.Now. Counters and rates of scaled streams advance with it.
	Now func() time.Time
}

const apiPrefix = "/index/api/"

// sourceArguments lists the arguments that identify a media source.
var sourceArguments = []string{"schema", "vhost", "app", "stream"}

// apiSpec describes how the response of an API depends on its arguments.
type apiSpec struct {
	args     []string
	required bool   // the call fails without them
	missing  string // file of the response to argument values that were not captured
}

// apiSpecs holds the APIs whose response depends on arguments, by lower-case name.
var apiSpecs = map[string]apiSpec{
	"getmedialist":          {args: sourceArguments},
	"getmediainfo":          {args: sourceArguments, required: true, missing: "err_stream_not_found.json"},
	"getmediaplayerlist":    {args: sourceArguments, required: true, missing: "err_stream_not_found.json"},
	"ismediaonline":         {args: sourceArguments, required: true, missing: "not_online.json"},
	"isrecording":           {args: []string{"type", "vhost", "app", "stream"}, required: true, missing: "err_stream_not_found.json"},
	"listrtpsender":         {args: sourceArguments[1:], required: true, missing: "err_stream_not_found.json"},
	"getrtpinfo":            {args: []string{"stream_id"}, required: true, missing: "err_rtpinfo_not_found.json"},
	"getproxyinfo":          {args: []string{"key"}, required: true, missing: "err_proxy_not_found.json"},
	"getproxypusherinfo":    {args: []string{"key"}, required: true, missing: "err_proxy_not_found.json"},
	"liststreamproxy":       {args: []string{"key"}, missing: "err_list_proxy_key_not_found.json"},
	"liststreampusherproxy": {args: []string{"key"}, missing: "err_list_proxy_key_not_found.json"},
}

type server struct {
	secret   string
	captures map[string][]capture       // by API in lower case
	errors   map[string]emulator.Answer // by file name
	sources  *sourceList
}

// New starts an emulated ZLMediaKit server.
func New(o Options) (*emulator.Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scene == "" {
		o.Scene = "busy"
	}
	s := &server{secret: o.Secret, captures: map[string][]capture{}, errors: map[string]emulator.Answer{}}
	if err := s.read(o.Scene); err != nil {
		return nil, err
	}
	list := s.captures["getmedialist"]
	if len(list) == 0 || len(s.captures["getapilist"]) == 0 {
		return nil, fmt.Errorf("testdata/zlmediakit/%s is no scene: it lacks getMediaList or getApiList", o.Scene)
	}
	var err error
	if s.sources, err = newSourceList(list[0].Body, otherMediaList(o.Scene), o.Streams, o.Now); err != nil {
		return nil, fmt.Errorf("testdata/zlmediakit/%s/getMediaList.json: %w", o.Scene, err)
	}
	s.sources.life = o.Life
	return emulator.NewServer(o.Addr, emulator.Handler{
		API:     apiName,
		Answer:  s.answer,
		Denied:  func() emulator.Answer { return s.errors["err_wrong_secret.json"] },
		Restart: s.sources.restart,
	})
}

// read reads the captures of a scene and the errors that all scenes share.
func (s *server) read(scene string) error {
	failures, err := readCaptures("zlmediakit/errors")
	if err != nil {
		return err
	}
	for _, c := range failures {
		s.errors[c.file] = c.Answer
	}
	captures, err := readCaptures("zlmediakit/" + scene)
	if errors.Is(err, fs.ErrNotExist) {
		captures, err = readUnlisted("zlmediakit/"+scene, apiPrefix, s.errors["ok_header_secret.json"])
	}
	if err != nil {
		return err
	}
	for _, c := range captures {
		api := strings.ToLower(strings.TrimPrefix(c.path, apiPrefix))
		s.captures[api] = append(s.captures[api], c)
	}
	return nil
}

// otherMediaList returns the media list that was captured from the same server a few seconds before or after a scene, or nil if there
// is none.
func otherMediaList(scene string) []byte {
	other, later := strings.CutSuffix(scene, "_later")
	if !later {
		other += "_later"
	}
	body, err := fs.ReadFile(testdata.Files, "zlmediakit/"+other+"/getMediaList.json")
	if err != nil {
		return nil
	}
	return body
}

// apiName returns the API of a request, or the whole path if it is not a path of the API.
func apiName(r *http.Request) string {
	if len(r.URL.Path) > len(apiPrefix) && strings.EqualFold(r.URL.Path[:len(apiPrefix)], apiPrefix) {
		return r.URL.Path[len(apiPrefix):]
	}
	return r.URL.Path
}

// answer handles a request. Like the real server, it treats GET, POST and PUT alike.
func (s *server) answer(r *http.Request) emulator.Answer {
	name := strings.ToLower(apiName(r))
	captures := s.captures[name]
	if captures == nil {
		return s.errors["err_unknown_api.txt"]
	}
	if r.Method == http.MethodHead {
		return s.errors["head.txt"]
	}
	args := arguments(r)
	if s.secret != "" && args["secret"] != s.secret && r.Header.Get("secret") != s.secret {
		return s.errors["err_wrong_secret.json"]
	}
	api := apiSpecs[name]
	if api.required && slices.ContainsFunc(api.args, func(arg string) bool { return args[arg] == "" }) {
		return s.missingArguments(api.args)
	}
	switch name {
	case "getmedialist":
		return s.mediaList(captures, args)
	case "getstatistic":
		return s.statistic(captures[0].Answer)
	case "getserverconfig":
		return s.serverConfig(captures[0].Answer)
	}
	if slices.Contains(api.args, "stream") {
		return s.ofStream(name, args)
	}
	if found, ok := match(captures, api.args, args); ok {
		return found
	}
	return s.notFound(api, args["key"])
}

// match returns the response that was captured for the values of the named arguments.
func match(captures []capture, names []string, args map[string]string) (emulator.Answer, bool) {
	for _, c := range captures {
		if !slices.ContainsFunc(names, func(name string) bool { return c.query[name] != args[name] }) {
			return c.Answer, true
		}
	}
	return emulator.Answer{}, false
}

// arguments reads the arguments of a request from the query, a form or a JSON object. Names are case-insensitive. A malformed body is
// ignored, as by the real server.
func arguments(r *http.Request) map[string]string {
	args := map[string]string{}
	add := func(values url.Values) {
		for name := range values {
			args[strings.ToLower(name)] = values.Get(name)
		}
	}
	add(r.URL.Query())
	body, _ := io.ReadAll(r.Body) // held in memory by the server
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		add(form)
	case "application/json":
		var members map[string]any
		if json.Unmarshal(body, &members) == nil {
			for name, value := range members {
				args[strings.ToLower(name)] = fmt.Sprint(value)
			}
		}
	}
	return args
}

// mediaList returns the getMediaList response with the rows that match the filters.
func (s *server) mediaList(captures []capture, args map[string]string) emulator.Answer {
	if !s.sources.isMoving() {
		if captured, ok := match(captures, sourceArguments, args); ok {
			return captured
		}
	}
	list := captures[0].Answer
	list.Body = s.sources.list(sourceFilter{args["schema"], args["vhost"], args["app"], args["stream"]})
	return list
}

// ofStream returns the response of an API about one stream. A copy has the response of its original, and a schema that was not
// captured has the response of another one.
func (s *server) ofStream(name string, args map[string]string) emulator.Answer {
	api := apiSpecs[name]
	row, number, ok := s.sources.find(sourceFilter{args["schema"], args["vhost"], args["app"], args["stream"]})
	if !ok {
		return s.errors[api.missing]
	}
	original := maps.Clone(args)
	original["stream"] = row.stream
	found, ok := match(s.captures[name], api.args, original)
	if !ok {
		names := slices.DeleteFunc(slices.Clone(api.args), func(arg string) bool { return arg == "schema" })
		found, ok = match(s.captures[name], names, original)
	}
	if !ok {
		return s.errors[api.missing]
	}
	if name == "getmediainfo" {
		found.Body = s.sources.info(found.Body, row.schema, number)
	}
	return found
}

// notFound returns the response to a request for a key that was not captured.
func (s *server) notFound(api apiSpec, key string) emulator.Answer {
	missing := s.errors[api.missing]
	missing.Body = bytes.Replace(missing.Body, []byte("key not found: no"), []byte("key not found: "+key), 1)
	return missing
}

// missingArguments returns the response to a request without required arguments.
func (s *server) missingArguments(names []string) emulator.Answer {
	quoted := func(names []string) []byte { return []byte(`\"` + strings.Join(names, `\",\"`) + `\"`) }
	failure := s.errors["err_missing_args.json"]
	failure.Body = bytes.Replace(failure.Body, quoted(sourceArguments), quoted(names), 1)
	return failure
}

// serverConfig restores the secret of the server, which the capture has redacted: the real server shows it.
func (s *server) serverConfig(captured emulator.Answer) emulator.Answer {
	if s.secret != "" {
		secret, _ := json.Marshal(s.secret) // a string can always be encoded
		captured.Body = bytes.Replace(captured.Body, []byte(`"REDACTED"`), secret, 1)
	}
	return captured
}

// statistic adds the streams and media sources that were added to the captured ones.
func (s *server) statistic(captured emulator.Answer) emulator.Answer {
	streams, sources := s.sources.added()
	captured.Body = addTo(captured.Body, "MediaSource", sources)
	captured.Body = addTo(captured.Body, "MultiMediaSourceMuxer", streams)
	return captured
}
