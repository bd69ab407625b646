// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// ZLMediaKit are the options of an emulated ZLMediaKit server.
type ZLMediaKit struct {
	Addr    string           // where to listen; a free loopback port when empty
	Scene   string           // folder of testdata/zlmediakit; "busy" when empty
	Streams int              // 0: the captured answers byte for byte; n: scaled to n streams
	Secret  string           // the API secret; any is accepted when empty
	Now     func() time.Time // time.Now when nil; counters and rates advance with it
}

const zlmPrefix = "/index/api/"

// zlmSource are the arguments that name one media source.
var zlmSource = []string{"schema", "vhost", "app", "stream"}

// zlmAPI says how the arguments of an API choose its answer.
type zlmAPI struct {
	args     []string
	required bool   // without them the call fails
	missing  string // the captured answer, by file name, when nothing is known under these arguments
}

// zlmAPIs are the APIs whose answer depends on arguments, by name in lower case.
var zlmAPIs = map[string]zlmAPI{
	"getmedialist":          {args: zlmSource},
	"getmediainfo":          {args: zlmSource, required: true, missing: "err_stream_not_found.json"},
	"getmediaplayerlist":    {args: zlmSource, required: true, missing: "err_stream_not_found.json"},
	"ismediaonline":         {args: zlmSource, required: true, missing: "not_online.json"},
	"isrecording":           {args: []string{"type", "vhost", "app", "stream"}, required: true, missing: "err_stream_not_found.json"},
	"listrtpsender":         {args: zlmSource[1:], required: true, missing: "err_stream_not_found.json"},
	"getrtpinfo":            {args: []string{"stream_id"}, required: true, missing: "err_rtpinfo_not_found.json"},
	"getproxyinfo":          {args: []string{"key"}, required: true, missing: "err_proxy_not_found.json"},
	"getproxypusherinfo":    {args: []string{"key"}, required: true, missing: "err_proxy_not_found.json"},
	"liststreamproxy":       {args: []string{"key"}, missing: "err_list_proxy_key_not_found.json"},
	"liststreampusherproxy": {args: []string{"key"}, missing: "err_list_proxy_key_not_found.json"},
}

type zlmediakit struct {
	secret   string
	captures map[string][]capture // by API in lower case
	errors   map[string]answer    // by file name
	sources  *zlmSources
}

// NewZLMediaKit starts an emulated ZLMediaKit server.
func NewZLMediaKit(o ZLMediaKit) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scene == "" {
		o.Scene = "busy"
	}
	z := &zlmediakit{secret: o.Secret, captures: map[string][]capture{}, errors: map[string]answer{}}
	if err := z.read(o.Scene); err != nil {
		return nil, err
	}
	list := z.captures["getmedialist"]
	if len(list) == 0 || len(z.captures["getapilist"]) == 0 {
		return nil, fmt.Errorf("testdata/zlmediakit/%s is no scene: it lacks getMediaList or getApiList", o.Scene)
	}
	var err error
	if z.sources, err = newZLMSources(list[0].body, otherMediaList(o.Scene), o.Streams, o.Now); err != nil {
		return nil, fmt.Errorf("testdata/zlmediakit/%s/getMediaList.json: %w", o.Scene, err)
	}
	return newServer(o.Addr, system{
		api:     zlmAPIName,
		answer:  z.answer,
		denied:  func() answer { return z.errors["err_wrong_secret.json"] },
		restart: z.sources.restart,
	})
}

// read reads the captures of a scene, and the errors that all scenes share.
func (z *zlmediakit) read(scene string) error {
	failures, err := readCaptures("zlmediakit/errors")
	if err != nil {
		return err
	}
	for _, c := range failures {
		z.errors[c.file] = c.answer
	}
	captures, err := readCaptures("zlmediakit/" + scene)
	if errors.Is(err, fs.ErrNotExist) {
		captures, err = readUnlisted("zlmediakit/"+scene, zlmPrefix, z.errors["ok_header_secret.json"])
	}
	if err != nil {
		return err
	}
	for _, c := range captures {
		api := strings.ToLower(strings.TrimPrefix(c.path, zlmPrefix))
		z.captures[api] = append(z.captures[api], c)
	}
	return nil
}

// otherMediaList returns the media list that was captured from the same server a few seconds before or after a scene, nil
// where there is none.
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

// zlmAPIName is the API that a request is for; the whole path when it is for none.
func zlmAPIName(r *http.Request) string {
	if len(r.URL.Path) > len(zlmPrefix) && strings.EqualFold(r.URL.Path[:len(zlmPrefix)], zlmPrefix) {
		return r.URL.Path[len(zlmPrefix):]
	}
	return r.URL.Path
}

// answer answers as the server does, whatever the method: it reads GET, POST and PUT alike.
func (z *zlmediakit) answer(r *http.Request) answer {
	name := strings.ToLower(zlmAPIName(r))
	captures := z.captures[name]
	if captures == nil {
		return z.errors["err_unknown_api.txt"]
	}
	if r.Method == http.MethodHead {
		return z.errors["head.txt"]
	}
	args := zlmArguments(r)
	if z.secret != "" && args["secret"] != z.secret && r.Header.Get("secret") != z.secret {
		return z.errors["err_wrong_secret.json"]
	}
	api := zlmAPIs[name]
	if api.required && slices.ContainsFunc(api.args, func(arg string) bool { return args[arg] == "" }) {
		return z.missingArguments(api.args)
	}
	switch name {
	case "getmedialist":
		return z.mediaList(captures, args)
	case "getstatistic":
		return z.statistic(captures[0].answer)
	case "getserverconfig":
		return z.serverConfig(captures[0].answer)
	}
	if slices.Contains(api.args, "stream") {
		return z.ofStream(name, args)
	}
	if found, ok := match(captures, api.args, args); ok {
		return found
	}
	return z.notFound(api, args["key"])
}

// match finds the answer that was captured for these values of the named arguments.
func match(captures []capture, names []string, args map[string]string) (answer, bool) {
	for _, c := range captures {
		if !slices.ContainsFunc(names, func(name string) bool { return c.query[name] != args[name] }) {
			return c.answer, true
		}
	}
	return answer{}, false
}

// zlmArguments reads the arguments of a request as the server does: from the query, a form or a JSON object, under
// names in any case. A body that cannot be read counts as none.
func zlmArguments(r *http.Request) map[string]string {
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

// mediaList answers getMediaList with the rows that the filters leave.
func (z *zlmediakit) mediaList(captures []capture, args map[string]string) answer {
	if !z.sources.live() {
		if captured, ok := match(captures, zlmSource, args); ok {
			return captured
		}
	}
	list := captures[0].answer
	list.body = z.sources.list(zlmFilter{args["schema"], args["vhost"], args["app"], args["stream"]})
	return list
}

// ofStream answers an API about one stream. A copy answers what was captured for its original, a schema that was not
// captured what was captured for another one.
func (z *zlmediakit) ofStream(name string, args map[string]string) answer {
	api := zlmAPIs[name]
	row, number, ok := z.sources.find(zlmFilter{args["schema"], args["vhost"], args["app"], args["stream"]})
	if !ok {
		return z.errors[api.missing]
	}
	original := maps.Clone(args)
	original["stream"] = row.stream
	found, ok := match(z.captures[name], api.args, original)
	if !ok {
		names := slices.DeleteFunc(slices.Clone(api.args), func(arg string) bool { return arg == "schema" })
		found, ok = match(z.captures[name], names, original)
	}
	if !ok {
		return z.errors[api.missing]
	}
	if name == "getmediainfo" {
		found.body = z.sources.info(found.body, row.schema, number)
	}
	return found
}

// notFound answers a key under which nothing was captured.
func (z *zlmediakit) notFound(api zlmAPI, key string) answer {
	missing := z.errors[api.missing]
	missing.body = bytes.Replace(missing.body, []byte("key not found: no"), []byte("key not found: "+key), 1)
	return missing
}

// missingArguments names the arguments that an API cannot do without.
func (z *zlmediakit) missingArguments(names []string) answer {
	quoted := func(names []string) []byte { return []byte(`\"` + strings.Join(names, `\",\"`) + `\"`) }
	failure := z.errors["err_missing_args.json"]
	failure.body = bytes.Replace(failure.body, quoted(zlmSource), quoted(names), 1)
	return failure
}

// serverConfig puts the server's own secret where the capture has it blanked, as the real server does.
func (z *zlmediakit) serverConfig(captured answer) answer {
	if z.secret != "" {
		secret, _ := json.Marshal(z.secret) // a string can be encoded
		captured.body = bytes.Replace(captured.body, []byte(`"REDACTED"`), secret, 1)
	}
	return captured
}

// statistic counts the media sources that scaling adds or removes.
func (z *zlmediakit) statistic(captured answer) answer {
	streams, sources := z.sources.added()
	captured.body = addTo(captured.body, "MediaSource", sources)
	captured.body = addTo(captured.body, "MultiMediaSourceMuxer", streams)
	return captured
}
