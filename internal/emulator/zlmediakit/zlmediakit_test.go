// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakit

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// indexed is the entry of a captured response in index.json.
type indexed struct {
	File           string            `json:"file"`
	Scheme         string            `json:"scheme"`
	Method         string            `json:"method"`
	Path           string            `json:"path"`
	Query          map[string]any    `json:"query"`
	RequestHeaders map[string]string `json:"request_headers"`
	RequestBody    string            `json:"request_body"`
	Status         int               `json:"http_status"`
	Headers        map[string]string `json:"headers"`
	Closed         bool              `json:"connection_closed_by_server"`
}

func captured(tb testing.TB, file string) string {
	tb.Helper()
	content, err := fs.ReadFile(testdata.Files, "zlmediakit/"+file)
	require.NoError(tb, err)
	return string(content)
}

func index(t *testing.T, folder string) (entries []indexed) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(captured(t, folder+"/index.json")), &entries))
	require.NotEmpty(t, entries)
	return entries
}

// assertHeaders compares the headers except for the length, which was captured before secrets were redacted.
func assertHeaders(t *testing.T, want map[string]string, got http.Header, message string) {
	t.Helper()
	for name, value := range want {
		if name != "Content-Length" {
			assert.Equal(t, value, got.Get(name), "%s: %s", message, name)
		}
	}
	assert.Len(t, got, len(want), message)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o Options) *emulator.Server {
	t.Helper()
	return emulatortest.Start(t, New, o)
}

// get requests an API and returns the complete body.
func get(t *testing.T, server *emulator.Server, api string) string {
	t.Helper()
	reply := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodGet, server.URL()+apiPrefix+api)
	body, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	return string(body)
}

func TestCapturedAnswers(t *testing.T) {
	for _, scene := range []string{
		"idle", "busy", "busy_later", "degraded", "empty", "on_demand", "on_demand_later", "all_on_demand", "all_on_demand_later",
	} {
		t.Run(scene, func(t *testing.T) {
			w := emulatortest.Dial(t, start(t, Options{Scene: scene}).URL())
			for _, entry := range index(t, scene) {
				query := url.Values{}
				for name, value := range entry.Query {
					query.Set(name, fmt.Sprint(value))
				}
				response, body := w.Ask(t, http.MethodGet, "GET "+entry.Path+"?"+query.Encode()+" HTTP/1.1\r\nHost: x\r\nsecret: any\r\n\r\n")
				assert.Equal(t, entry.Status, response.Status, entry.File)
				assert.Equal(t, captured(t, scene+"/"+entry.File), body, entry.File)
				assertHeaders(t, entry.Headers, response.Header, entry.File)
			}
		})
	}
}

func TestLegacyAnswers(t *testing.T) {
	server := start(t, Options{Scene: "legacy_shape"})
	files, err := fs.Glob(testdata.Files, "zlmediakit/legacy_shape/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimPrefix(file, "zlmediakit/")
		api := strings.TrimSuffix(strings.TrimPrefix(name, "legacy_shape/"), ".json")
		assert.Equal(t, captured(t, name), get(t, server, api), api)
	}
	for _, api := range []string{"listFFmpegSource", "getMediaInfo?schema=hls&vhost=__defaultVhost__&app=live&stream=cam1"} {
		assert.Equal(t, captured(t, "errors/err_unknown_api.txt"), get(t, server, api), api)
	}
}

// TestErrors sends malformed requests, including those that the server accepts, each on its own connection.
func TestErrors(t *testing.T) {
	const secret = "k3y/+&"
	server := start(t, Options{Secret: secret})
	for _, entry := range index(t, "errors") {
		if entry.Scheme == "https" {
			continue
		}
		t.Run(entry.File, func(t *testing.T) {
			body := strings.ReplaceAll(entry.RequestBody, "REDACTED", secret)
			if entry.RequestHeaders["Content-Type"] == "application/x-www-form-urlencoded" {
				body = strings.ReplaceAll(entry.RequestBody, "REDACTED", url.QueryEscape(secret))
			}
			request := entry.Method + " " + strings.ReplaceAll(entry.Path, "REDACTED", url.QueryEscape(secret)) + " HTTP/1.1\r\nHost: x\r\n"
			for name, value := range entry.RequestHeaders {
				request += name + ": " + strings.ReplaceAll(value, "REDACTED", secret) + "\r\n"
			}
			request += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)

			want := captured(t, "errors/"+entry.File)
			if strings.HasSuffix(entry.Path, "/getStatistic") { // captured from an idle server
				want = captured(t, "busy/getStatistic.json")
			}
			w := emulatortest.Dial(t, server.URL())
			response, got := w.Ask(t, entry.Method, request)
			assert.Equal(t, entry.Status, response.Status)
			assert.Equal(t, want, got)
			assertHeaders(t, entry.Headers, response.Header, entry.File)
			if entry.Closed {
				_, err := w.ReadByte()
				assert.Error(t, err, "the server closes the connection")
				return
			}
			w.Ask(t, entry.Method, request)
		})
	}
}

func TestArguments(t *testing.T) {
	server := start(t, Options{})
	const source = "vhost=__defaultVhost__&app=live&stream=cam1"
	for query, want := range map[string]string{
		"GETMEDIAINFO?SCHEMA=hls&VHOST=__defaultVhost__&App=live&Stream=cam1": captured(t, "busy/getMediaInfo.10.json"),
		"isMediaOnline?schema=rtsp&" + source:                                 captured(t, "busy/isMediaOnline.10.json"),
		"isMediaOnline?schema=none&" + source:                                 captured(t, "errors/not_online.json"),
		"getMediaPlayerList?schema=ts&" + source:                              captured(t, "busy/getMediaPlayerList.readers.04.json"),
		"getMediaPlayerList?schema=ts&vhost=v&app=live&stream=cam1":           captured(t, "errors/err_stream_not_found.json"),
		"isRecording?type=0&" + source:                                        captured(t, "errors/err_stream_not_found.json"),
		"getRtpInfo?stream_id=gb1":                                            captured(t, "busy/getRtpInfo.01.json"),
		"getProxyPusherInfo?key=no":                                           captured(t, "errors/err_proxy_not_found.json"),
		"listStreamProxy?key=yes":                                             strings.Replace(captured(t, "errors/err_list_proxy_key_not_found.json"), ": no", ": yes", 1),
		"getProxyInfo":                                                        "{\n\t\"code\" : -300,\n\t\"msg\" : \"Required parameter missed: \\\"key\\\"\"\n}\n",
		"getMediaList?app=none":                                               captured(t, "idle/getMediaList.json"),
		"getMediaInfo?schema=rtsp&" + source:                                  strings.Replace(captured(t, "busy/getMediaInfo.10.json"), `"hls"`, `"rtsp"`, 1),
	} {
		assert.Equal(t, want, get(t, server, query), query)
	}
}

func TestServerConfigHasTheSecret(t *testing.T) {
	want := strings.Replace(captured(t, "busy/getServerConfig.json"), `"REDACTED"`, `"demo"`, 1)
	assert.Equal(t, want, get(t, start(t, Options{Secret: "demo"}), "getServerConfig?secret=demo"))
}

func TestNoScene(t *testing.T) {
	for _, c := range []struct {
		options Options
		message string
	}{
		{Options{Scene: "party"}, "testdata/zlmediakit/party: the folder is missing or empty"},
		{Options{Scene: "hooks"}, "testdata/zlmediakit/hooks: the folder is missing or empty"},
		{Options{Scene: "errors"}, "testdata/zlmediakit/errors is no scene"},
		{Options{Scene: "idle", Streams: 5}, "cannot scale 0 media sources to 5 streams"},
		{Options{Streams: -1}, "cannot scale 55 media sources to -1 streams"},
	} {
		_, err := New(c.options)
		assert.ErrorContains(t, err, c.message)
	}
}

// source is a media source as a client reads it.
type source struct {
	Schema, Vhost, App, Stream                string
	AliveSecond, BytesSpeed, CreateStamp      int64
	TotalBytes, ReaderCount, TotalReaderCount int64
	Tracks                                    []struct{ Duration, Frames, Key_frames int64 } //nolint:revive // as on the wire
}

func decode(t *testing.T, body string) []source {
	t.Helper()
	var list struct{ Data []source }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	return list.Data
}

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		scene   string
		streams int
		sources int
	}{
		{"busy", 5, 25}, {"busy", 11, 55}, {"busy", 25, 125}, {"busy", 500, 2500}, {"legacy_shape", 25, 125}, {"degraded", 25, 125},
	} {
		t.Run(fmt.Sprintf("%s %d", c.scene, c.streams), func(t *testing.T) {
			server := start(t, Options{Scene: c.scene, Streams: c.streams, Now: emulatortest.NewClock().Now})
			sources := decode(t, get(t, server, "getMediaList"))
			require.Len(t, sources, c.sources)
			streams, keys := map[string]int{}, map[string]bool{}
			for i, s := range sources {
				streams[s.Stream]++
				keys[s.Schema+"/"+s.Stream] = true
				if i >= c.streams {
					assert.NotEqual(t, sources[i-c.streams].Schema, s.Schema, "sources are grouped by schema")
				}
			}
			assert.Len(t, streams, c.streams)
			assert.Len(t, keys, c.sources)
			var statistic struct{ Data map[string]int }
			require.NoError(t, json.Unmarshal([]byte(get(t, server, "getStatistic")), &statistic))
			assert.Equal(t, c.streams, statistic.Data["MultiMediaSourceMuxer"])
		})
	}
}

func TestScaledStatistic(t *testing.T) {
	body := get(t, start(t, Options{Streams: 25}), "getStatistic")
	want := strings.Replace(captured(t, "busy/getStatistic.json"), `"MediaSource" : 68`, `"MediaSource" : 138`, 1)
	assert.Equal(t, strings.Replace(want, `"MultiMediaSourceMuxer" : 11`, `"MultiMediaSourceMuxer" : 25`, 1), body)
}

func TestScaledFilters(t *testing.T) {
	server := start(t, Options{Streams: 25, Now: emulatortest.NewClock().Now})
	for query, want := range map[string]int{
		"schema=rtsp":                       25,
		"schema=":                           125,
		"vhost=__defaultVhost__":            125,
		"app=live":                          2 * 4 * 5,
		"stream=cam1":                       5,
		"stream=cam1-00020":                 5,
		"stream=p2-00022&schema=ts":         1,
		"stream=cam1-20":                    0,
		"stream=cam1-00021":                 0,
		"stream=cam1-00031":                 0,
		"schema=none":                       0,
		"app=proxy&stream=cam1-00020":       0,
		"vhost=other&app=live&stream=cam1":  0,
		"app=live&stream=hevc&schema=fmp4":  1,
		"stream=cam":                        0,
		"app=live&stream=cam1x&schema=fmp4": 0,
	} {
		body := get(t, server, "getMediaList?"+query)
		assert.Len(t, decode(t, body), want, query)
		if want == 0 {
			assert.Equal(t, captured(t, "idle/getMediaList.json"), body, query)
		}
	}
}

// TestScaledKeepsTheBytes checks that all other values are as captured.
func TestScaledKeepsTheBytes(t *testing.T) {
	server := start(t, Options{Streams: 11, Now: emulatortest.NewClock().Now})
	blank := func(body string) string {
		return memberPattern.ReplaceAllStringFunc(body, func(member string) string {
			name := strings.Split(member, `"`)[1]
			if _, named := rewrittenValues[name]; named && name != "stream" {
				return name
			}
			return member
		})
	}
	sorted := func(body string) map[string]int { // the order within a schema is arbitrary
		rows := map[string]int{}
		for row := range strings.SplitSeq(blank(body), "\n\t\t}") {
			rows[strings.TrimPrefix(row, ",")]++
		}
		return rows
	}
	assert.Equal(t, sorted(captured(t, "busy/getMediaList.json")), sorted(get(t, server, "getMediaList")))
}

func TestScaledAdvances(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Now: clock.Now})
	begin := clock.Now().Unix()
	one := func(query string) source {
		sources := decode(t, get(t, server, "getMediaList?"+query))
		require.Len(t, sources, 1, query)
		return sources[0]
	}

	// live/cam1 as captured: 89 s old, 8,603,444 bytes at 97,164 B/s, 3,840 audio and 2,227 video frames.
	now := one("schema=hls&stream=cam1")
	assert.EqualValues(t, 89, now.AliveSecond)
	assert.Equal(t, begin-89, now.CreateStamp)
	assert.EqualValues(t, 8603444, now.TotalBytes)
	assert.EqualValues(t, 3840, now.Tracks[0].Frames)
	assert.EqualValues(t, 1, now.ReaderCount)
	first := get(t, server, "getMediaList")
	assert.Equal(t, first, get(t, server, "getMediaList"), "the clock stands still")

	duration := now.Tracks[0].Duration
	clock.Advance(10500 * time.Millisecond)
	for _, name := range []string{"cam1", "cam1-00020"} {
		later := one("schema=hls&stream=" + name)
		assert.EqualValues(t, 99, later.AliveSecond, name)
		assert.Equal(t, begin-89, later.CreateStamp, name)
		assert.EqualValues(t, 8603444+97164*105/10, later.TotalBytes, name)
		assert.InDelta(t, 97164, later.BytesSpeed, 97164*0.04, name)
		assert.Equal(t, duration+10500, later.Tracks[0].Duration, name)
		assert.Equal(t, 3840+10500*3840/duration, later.Tracks[0].Frames, name)
	}
	assert.NotEqual(t, one("schema=hls&stream=cam1").BytesSpeed, one("schema=hls&stream=cam1-00020").BytesSpeed)

	// The publisher of rtp/gb1 was silent.
	for _, name := range []string{"gb1", "gb1-00014"} {
		stalled := one("schema=hls&stream=" + name)
		assert.Zero(t, stalled.BytesSpeed, name)
		assert.EqualValues(t, 2914188, stalled.TotalBytes, name)
		assert.EqualValues(t, 3381, stalled.Tracks[0].Frames, name)
		assert.EqualValues(t, 99, stalled.AliveSecond, name)
	}

	// A viewer of every stream connects and disconnects.
	with := one("schema=rtmp&stream=cam1")
	clock.Advance(time.Minute)
	without := one("schema=rtmp&stream=cam1")
	assert.EqualValues(t, 5, without.ReaderCount)
	assert.EqualValues(t, 11, without.TotalReaderCount)
	assert.EqualValues(t, 6, with.ReaderCount)
	assert.EqualValues(t, 12, with.TotalReaderCount)
}

// TestScaledOnDemand checks that the counters of an on-demand schema without readers do not advance in a scaled list.
func TestScaledOnDemand(t *testing.T) {
	const rtmp, made = "rtmp rtmp ", "rtmp rtmp frames frames " // twice, of the captured stream and of its copy
	flowing := map[string]string{"cam1": rtmp, "cam2": rtmp, "cam3": made + "rtsp rtsp ", "gb1": made, "p1": made, "srt1": made}
	for scene, want := range map[string]map[string]string{
		"on_demand": flowing, "on_demand_later": flowing,
		"all_on_demand": {"cam1": rtmp, "cam2": rtmp, "cam3": "rtsp rtsp ", "p1": made, "srt1": made},
	} {
		clock := emulatortest.NewClock()
		server := start(t, Options{Scene: scene, Streams: 12, Now: clock.Now})
		before := decode(t, get(t, server, "getMediaList"))
		clock.Advance(10 * time.Minute)
		after := decode(t, get(t, server, "getMediaList"))
		require.Len(t, after, 60)
		moving := map[string]string{} // by stream: schemas whose bytes grow, and whether frames do
		for i, s := range after {
			name, _, _ := strings.Cut(s.Stream, "-")
			assert.Equal(t, s.TotalBytes > before[i].TotalBytes, s.BytesSpeed > 0, "%s %s", s.Schema, s.Stream)
			if s.Schema == "fmp4" && s.Tracks[0].Frames > before[i].Tracks[0].Frames {
				moving[name] += "frames "
			}
			if s.TotalBytes > before[i].TotalBytes {
				moving[name] += s.Schema + " "
			}
		}
		assert.Equal(t, want, moving, scene)
	}
}

// TestScaledOnDemandReaders checks that an idle on-demand schema has no readers: with a reader, its counters would advance.
func TestScaledOnDemandReaders(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Scene: "all_on_demand", Streams: 12, Now: clock.Now})
	for range 2 {
		for _, s := range decode(t, get(t, server, "getMediaList?app=rtp")) {
			assert.Zero(t, s.TotalReaderCount)
			assert.Zero(t, s.ReaderCount)
		}
		clock.Advance(time.Minute)
	}
}

func TestScaledStreamAPIs(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Now: clock.Now})
	clock.Advance(time.Second)
	const source20 = "vhost=__defaultVhost__&app=live&stream=cam1-00020"
	var info struct {
		source
		Code int
	}
	require.NoError(t, json.Unmarshal([]byte(get(t, server, "getMediaInfo?schema=rtsp&"+source20)), &info))
	assert.Equal(t, "cam1-00020", info.Stream)
	assert.Equal(t, "rtsp", info.Schema)
	assert.EqualValues(t, 8607204+97164, info.TotalBytes)
	for query, want := range map[string]string{
		"isMediaOnline?schema=ts&" + source20:                               "busy/isMediaOnline.10.json",
		"isRecording?type=1&" + source20:                                    "busy/isRecording.10.json",
		"listRtpSender?" + source20:                                         "busy/listRtpSender.10.json",
		"getMediaPlayerList?schema=rtmp&" + source20:                        "busy/getMediaPlayerList.readers.05.json",
		"listRtpSender?vhost=__defaultVhost__&app=live&stream=cam1-00031":   "errors/err_stream_not_found.json",
		"listRtpSender?vhost=__defaultVhost__&app=other&stream=cam1-00020":  "errors/err_stream_not_found.json",
		"getProxyInfo?key=__defaultVhost__/proxy/p1":                        "busy/getProxyInfo.03.json",
		"isMediaOnline?schema=no&vhost=__defaultVhost__&app=live&stream=no": "errors/not_online.json",
	} {
		assert.Equal(t, captured(t, want), get(t, server, query), query)
	}
}

func TestRestart(t *testing.T) {
	for _, streams := range []int{0, 25} {
		t.Run(strconv.Itoa(streams), func(t *testing.T) {
			clock := emulatortest.NewClock()
			server := start(t, Options{Streams: streams, Now: clock.Now})
			before := decode(t, get(t, server, "getMediaList"))
			clock.Advance(time.Minute)
			require.NoError(t, server.SetFault("restart"))
			clock.Advance(2 * time.Second)
			after := decode(t, get(t, server, "getMediaList"))
			require.Len(t, after, len(before))
			for i, s := range after {
				if streams > 0 {
					assert.Equal(t, before[i].Stream, s.Stream)
				}
				assert.EqualValues(t, 2, s.AliveSecond)
				assert.Equal(t, clock.Now().Unix()-2, s.CreateStamp)
				assert.Less(t, s.TotalBytes, before[i].TotalBytes)
			}
			assert.EqualValues(t, 2*32163, after[0].TotalBytes)
		})
	}
}

// BenchmarkMediaList renders the list of 10,000 streams without reuse.
func BenchmarkMediaList(b *testing.B) {
	clock := emulatortest.NewClock()
	sources, err := newSourceList([]byte(captured(b, "busy/getMediaList.json")), nil, 10_000, clock.Now)
	require.NoError(b, err)
	for b.Loop() {
		clock.Advance(time.Second)
		b.SetBytes(int64(len(sources.list(sourceFilter{}))))
	}
}

// TestFaults checks the faults whose effects depend on the system.
func TestFaults(t *testing.T) {
	clock := emulatortest.NewClock()
	server := start(t, Options{Now: clock.Now})
	require.NoError(t, server.SetFault("wrong_secret"))
	assert.Equal(t, captured(t, "errors/err_wrong_secret.json"), get(t, server, "getMediaList"))
	require.NoError(t, server.SetFault(emulator.Restart))
	sources := decode(t, get(t, server, "getMediaList"))
	require.Len(t, sources, 55)
	assert.Zero(t, sources[0].TotalBytes)
	assert.Zero(t, sources[0].AliveSecond)
	assert.Equal(t, clock.Now().Unix(), sources[0].CreateStamp)
}
