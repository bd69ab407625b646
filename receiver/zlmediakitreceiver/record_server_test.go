// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// serve starts a server that responds to each API with the given body, and to other APIs with 404.
func serve(t *testing.T, bodies map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[strings.TrimPrefix(r.URL.Path, apiPath)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// base returns the responses that every server sends, and more.
func base(more map[string]string) map[string]string {
	bodies := map[string]string{
		"version":        `{"code":0,"data":{"commitHash":"abc"}}`,
		"getThreadsLoad": `{"code":0}`, "getWorkThreadsLoad": `{"code":0}`, "getStatistic": `{"code":0}`, "getAllSession": `{"code":0}`,
		"listStreamProxy": `{"code":0}`, "listStreamPusherProxy": `{"code":0}`, "listFFmpegSource": `{"code":0}`,
		"listRtpServer": `{"code":0}`, "getMediaList": `{"code":0}`, "listWebrtcRooms": `{"code":0}`, "listWebrtcRoomKeepers": `{"code":0}`,
		"getServerConfig": `{"code":0}`,
	}
	maps.Copy(bodies, more)
	var apis []string
	for api := range bodies {
		apis = append(apis, `"`+apiPath+api+`"`)
	}
	bodies["getApiList"] = `{"code":0,"data":["/index/",` + strings.Join(apis, ",") + `]}`
	return bodies
}

// scrapeBodies scrapes a server with the given responses once, with all metrics enabled.
func scrapeBodies(t *testing.T, more map[string]string) (map[string]float64, error) {
	t.Helper()
	s, _ := startScraper(t, serve(t, base(more)), everything)
	metrics, err := s.Scrape(t.Context())
	return rtctest.Points(t, metrics), err
}

func TestMemoryDebugBuild(t *testing.T) {
	points, err := scrapeBodies(t, map[string]string{"getStatistic": `{"code":0,"data":{"Buffer":3,"totalMemUsage":4096,"totalMemUsageMB":0,
		"totalMemBlock":12,"totalMemBlockTypeCount":"0~16:5;","threadMem":[{"threadName":"event poller 0","threadMemUsage":1000},
		{"threadName":"stamp","threadMemUsage":1},{"threadName":"stamp","threadMemUsage":2}]}}`})
	require.NoError(t, err)
	assert.InDelta(t, 3, points["zlmediakit.object.count{zlmediakit.object.type=buffer}"], 0)
	assert.InDelta(t, 4096, points["zlmediakit.memory.usage{}"], 0)
	assert.InDelta(t, 12, points["zlmediakit.memory.block.count{}"], 0)
	assert.InDelta(t, 1000, points["zlmediakit.thread.memory.usage{zlmediakit.thread.name=event poller 0}"], 0)
	assert.InDelta(t, 3, points["zlmediakit.thread.memory.usage{zlmediakit.thread.name=stamp}"], 0, "threads of one name are added up")
}

func TestWebRTCRooms(t *testing.T) {
	points, err := scrapeBodies(t, map[string]string{
		"listWebrtcRooms": `{"code":0,"data":[{},{}]}`, "listWebrtcRoomKeepers": `{"code":0,"data":["x"]}`,
	})
	require.NoError(t, err)
	assert.InDelta(t, 2, points["zlmediakit.webrtc.room.count{}"], 0)
	assert.InDelta(t, 1, points["zlmediakit.webrtc.room_keeper.count{}"], 0)
}

// An RTP port is idle while it receives no stream. The list of ports truncates names at the first slash.
func TestIdleRTPServers(t *testing.T) {
	stream := func(name, origin string) string {
		return `{"vhost":"v","app":"rtp","stream":"` + name + `","schema":"rtsp","originTypeStr":"` + origin + `"}`
	}
	points, err := scrapeBodies(t, map[string]string{
		"listRtpServer": `{"code":0,"data":[
			{"vhost":"v","app":"rtp","stream_id":"fed","port":30000,"ssrc":1,"tcp_mode":1},
			{"vhost":"v","app":"rtp","stream_id":"gb","port":"30002","ssrc":2,"tcp_mode":2},
			{"vhost":"v","app":"other","stream_id":"fed","port":30004,"ssrc":3,"tcp_mode":0},
			{"vhost":"v","app":"rtp","stream_id":"pushed","port":30006,"ssrc":4,"tcp_mode":0}]}`,
		"getMediaList": `{"code":0,"data":[` + stream("fed", "rtp_push") + `,` + stream("gb/slash", "rtp_push") + `,` + stream("pushed", "rtmp_push") + `]}`,
		"getMediaInfo": `{"code":0}`, "listRtpSender": `{"code":0}`,
	})
	require.NoError(t, err)
	assert.InDelta(t, 2, points["zlmediakit.rtp_server.idle.count{}"], 0)
	assert.InDelta(t, 1, points["zlmediakit.rtp_server.count{zlmediakit.app=rtp,zlmediakit.rtp_server.mode=tcp_active}"], 0)
	assert.InDelta(t, 1, points["zlmediakit.rtp_server.info{zlmediakit.app=rtp,zlmediakit.rtp_server.mode=tcp_active,zlmediakit.rtp_server.port=30002,zlmediakit.ssrc=2,zlmediakit.stream.name=gb,zlmediakit.vhost=v}"], 0)
}

// Loss is a percentage for RTP that the server receives, a ratio for streams that it pulls, and -1 if unknown. That of audio is ignored.
func TestPacketLoss(t *testing.T) {
	for _, tt := range []struct {
		origin, loss string
		want         float64
		point        bool
	}{
		{"rtp_push", "5.0", 0.05, true},
		{"rtc_push", "12", 0.12, true},
		{"pull", "0.25", 0.25, true},
		{"pull", "-1.0", 0, false},
		{"rtmp_push", "3", 0, false},
	} {
		points, err := scrapeBodies(t, map[string]string{
			"getMediaList":  `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtsp","originTypeStr":"` + tt.origin + `"}]}`,
			"getMediaInfo":  `{"code":0,"tracks":[{"codec_type":0,"loss":` + tt.loss + `},{"codec_type":1,"loss":99}]}`,
			"listRtpSender": `{"code":0}`,
		})
		require.NoError(t, err)
		got, ok := points["zlmediakit.stream.packet_loss{zlmediakit.app=a,zlmediakit.origin.type="+tt.origin+",zlmediakit.stream.name=s,zlmediakit.vhost=v}"]
		assert.Equal(t, tt.point, ok, tt.origin)
		assert.InDelta(t, tt.want, got, 1e-9, tt.origin)
	}
}

// If a stream has several RTP senders, their bytes are not recorded, because the server reports those of only one.
func TestRTPSenders(t *testing.T) {
	const series = "{zlmediakit.app=a,zlmediakit.stream.name=s,zlmediakit.vhost=v}"
	for senders, bytes := range map[string]bool{`["1"]`: true, `["1","2"]`: false} {
		points, err := scrapeBodies(t, map[string]string{
			"getMediaList":  `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtsp","originTypeStr":"rtmp_push"}]}`,
			"getMediaInfo":  `{"code":0}`,
			"listRtpSender": `{"code":0,"bytesSpeed":10,"totalBytes":100,"data":` + senders + `}`,
		})
		require.NoError(t, err)
		assert.InDelta(t, float64(strings.Count(senders, `"`)/2), points["zlmediakit.rtp_sender.count"+series], 0)
		_, ok := points["zlmediakit.rtp_sender.io"+series]
		assert.Equal(t, bytes, ok, senders)
		_, ok = points["zlmediakit.rtp_sender.throughput"+series]
		assert.Equal(t, bytes, ok, senders)
	}
}

// The bytes of an RTP sender start at the first scrape that has it, and again when they decrease.
func TestRTPSenderStart(t *testing.T) {
	bodies := base(map[string]string{
		"getMediaList": `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtsp","originTypeStr":"rtmp_push"}]}`,
		"getMediaInfo": `{"code":0}`, "listRtpSender": "",
	})
	var senders atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		if api == apiRTPSenders {
			_, _ = io.WriteString(w, senders.Load().(string))
			return
		}
		_, _ = io.WriteString(w, bodies[api])
	}))
	t.Cleanup(server.Close)
	s, _ := startScraper(t, server.URL, everything)
	for _, tt := range []struct{ at, bytes, start int64 }{{100, 50, 100}, {130, 90, 100}, {160, 10, 130}, {190, 20, 130}} {
		senders.Store(fmt.Sprintf(`{"code":0,"totalBytes":%d,"data":["1"]}`, tt.bytes))
		s.SetClock(func() time.Time { return time.Unix(tt.at, 0) })
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		assert.Equal(t, time.Unix(tt.start, 0).UTC(), startOf(t, metrics, "zlmediakit.rtp_sender.io"))
	}
}

// A stream that ends between the media list and its own calls is not an error.
func TestStreamEndsMeanwhile(t *testing.T) {
	gone := `{"code":-500,"msg":"can not find the stream"}`
	points, err := scrapeBodies(t, map[string]string{
		"getMediaList": `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtsp","originTypeStr":"pull"}]}`,
		"getMediaInfo": gone, "listRtpSender": gone,
	})
	require.NoError(t, err)
	assert.InDelta(t, 1, points["zlmediakit.stream.count{zlmediakit.app=a,zlmediakit.origin.type=pull,zlmediakit.vhost=v}"], 0)
}

func TestRTPLimit(t *testing.T) {
	for ports, want := range map[string]float64{"30000-35000": 2500, "30001-30010": 4, "": -1, "35000-30000": -1, "a-b": -1, "1-99999": -1} {
		points, err := scrapeBodies(t, map[string]string{
			"getServerConfig": `{"code":0,"data":[{"rtp_proxy.port_range":"` + ports + `","general.mediaServerId":"one","api.secret":"hunter2"}]}`,
		})
		require.NoError(t, err)
		got, ok := points["zlmediakit.rtp_server.limit{}"]
		if want < 0 {
			assert.False(t, ok, ports)
			continue
		}
		assert.InDelta(t, want, got, 0, ports)
	}
}

// An API that the server does not offer is not an error. It is logged once and not requested.
func TestAPIsThatAreNotOffered(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Scene: "legacy_shape"})
	s, logs := startScraper(t, server.URL(), nil)
	for range 3 {
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
	}
	assert.NotContains(t, server.Requests(), "listStreamProxy")
	var told []string
	for _, entry := range logs.FilterLevelExact(zap.InfoLevel).All() {
		told = append(told, entry.ContextMap()["api"].(string))
	}
	assert.ElementsMatch(t, []string{"listStreamProxy", "listStreamPusherProxy", "listFFmpegSource"}, told)
}

// On a server without a list of APIs, an unknown API is not an error either.
func TestServerWithoutAPIList(t *testing.T) {
	bodies := base(nil)
	delete(bodies, "getApiList")
	delete(bodies, "listFFmpegSource")
	s, logs := startScraper(t, serve(t, bodies), nil)
	for range 3 {
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		points := rtctest.Points(t, metrics)
		assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
		assert.Empty(t, series(points, "zlmediakit.ffmpeg_source.count", "rtc.scrape.errors"))
	}
	var logged []string
	for _, entry := range logs.FilterMessageSnippet("does not offer an API").All() {
		logged = append(logged, entry.ContextMap()["api"].(string))
	}
	assert.ElementsMatch(t, []string{"getApiList", "listFFmpegSource"}, logged)
}

// The version is requested again after an outage, because another server may have come up.
func TestIdentityIsAskedForAgain(t *testing.T) {
	server := startServer(t, zlmediakit.Options{Scene: "idle"})
	s, _ := startScraper(t, server.URL(), nil)
	asked := func() (n int) {
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
		for _, request := range server.Requests() {
			if request == "version" {
				n++
			}
		}
		return n
	}
	assert.Equal(t, 1, asked())
	assert.Equal(t, 1, asked())
	require.NoError(t, server.SetFault("refuse"))
	_, err := s.Scrape(t.Context())
	require.Error(t, err)
	require.NoError(t, server.SetFault(""))
	assert.Equal(t, 2, asked())
}

// Calls that failed at the start are repeated until they succeed, and then no more.
func TestIdentityCallsAreRepeated(t *testing.T) {
	for _, api := range []string{"version", "getApiList", "getServerConfig"} {
		t.Run(api, func(t *testing.T) {
			server := startServer(t, zlmediakit.Options{Scene: "legacy_shape"}) // which lacks three of the APIs
			s, _ := startScraper(t, server.URL(), func(c *Config) {
				c.MetricsBuilderConfig.Metrics.ZlmediakitRtpServerLimit.Enabled = true
				c.MetricsBuilderConfig.ResourceAttributes.ZlmediakitServerID.Enabled = true
			})
			require.NoError(t, server.SetFault("status_500", api))
			for range 2 {
				_, err := s.Scrape(t.Context())
				require.ErrorContains(t, err, api)
			}
			require.NoError(t, server.SetFault(""))
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			assert.Contains(t, rtctest.Points(t, metrics), "zlmediakit.rtp_server.limit{}")
			resource := metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
			assert.Equal(t, "zlm-test-1", resource["zlmediakit.server.id"])
			assert.Equal(t, "master", resource["zlmediakit.build.branch"])
			before := len(server.Requests())
			_, err = s.Scrape(t.Context())
			require.NoError(t, err)
			for _, request := range server.Requests()[before:] {
				assert.NotContains(t, []string{"version", "getApiList", "getServerConfig"}, request)
			}
		})
	}
}

// A changed Server header means another build, whose identity and configuration are requested again.
func TestIdentityOfANewBuild(t *testing.T) {
	var mu sync.Mutex
	build, asked := "ZLMediaKit(git hash:1/x,branch:a,build time:b)", map[string]int{}
	answers := base(nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		asked[api]++
		w.Header().Set("Server", build)
		_, _ = w.Write([]byte(answers[api]))
	}))
	defer server.Close()
	s, _ := startScraper(t, server.URL, nil)
	scrapes := func(n int) {
		for range n {
			_, err := s.Scrape(t.Context())
			require.NoError(t, err)
		}
	}
	scrapes(3)
	want := map[string]int{"version": 1, "getApiList": 1, "getServerConfig": 1}
	check := func() {
		mu.Lock()
		defer mu.Unlock()
		for api, n := range want {
			assert.Equal(t, n, asked[api], api)
		}
	}
	check()
	mu.Lock()
	build = "ZLMediaKit(git hash:2/x,branch:a,build time:b)"
	mu.Unlock()
	scrapes(3)
	want = map[string]int{"version": 2, "getApiList": 2, "getServerConfig": 2}
	check()
}

// With everything enabled, the receiver makes only these calls, which change nothing.
func TestReadOnly(t *testing.T) {
	reading := map[string]bool{
		"version": true, "getApiList": true, "getServerConfig": true, "getThreadsLoad": true, "getWorkThreadsLoad": true,
		"getStatistic": true, "getAllSession": true, "listStreamProxy": true, "listStreamPusherProxy": true,
		"listFFmpegSource": true, "listRtpServer": true, "getMediaList": true, "getMediaInfo": true, "listRtpSender": true,
	}
	server := startServer(t, zlmediakit.Options{})
	s, _ := startScraper(t, server.URL(), everything)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, request := range server.Requests() {
		api, _, _ := strings.Cut(request, "?")
		asked[api] = true
	}
	assert.Equal(t, reading, asked)
	// The requested configuration of the server contains its secret.
	rtctest.NoSecret(t, testSecret, rtctest.Text(t, metrics))
	assert.Equal(t, "zlm-test-1", metrics.ResourceMetrics().At(0).Resource().Attributes().AsRaw()["zlmediakit.server.id"])
}

// Credentials and tokens are removed from the URLs that the server reports.
func TestOriginURLIsStripped(t *testing.T) {
	points, err := scrapeBodies(t, map[string]string{
		"getMediaList": `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtsp","originTypeStr":"pull",
			"originUrl":"rtsp://admin:p%40ss@10.0.0.9:554/live/1?token=hunter2","originSock":{"peer_ip":"10.0.0.9"}},
			{"vhost":"v","app":"a","stream":"file","schema":"rtsp","originTypeStr":"mp4_vod","originUrl":"/srv/hunter2.mp4","originSock":null}]}`,
		"getMediaInfo": `{"code":0}`, "listRtpSender": `{"code":0}`,
	})
	require.NoError(t, err)
	info := func(peer, stream, origin, url string) string {
		return "zlmediakit.stream.info{network.peer.address=" + peer + ",zlmediakit.app=a,zlmediakit.origin.type=" + origin +
			",zlmediakit.origin.url=" + url + ",zlmediakit.schema=rtsp,zlmediakit.stream.name=" + stream + ",zlmediakit.vhost=v}"
	}
	assert.Contains(t, points, info("10.0.0.9", "s", "pull", "rtsp://10.0.0.9:554/live/1"))
	assert.Contains(t, points, info("", "file", "mp4_vod", ""))
}

// The class of a session is reported as the server writes it, and its type is derived from it.
func TestSessionClasses(t *testing.T) {
	var sessions []string
	for i, class := range sessionClasses {
		sessions = append(sessions, fmt.Sprintf(`{"id":"%d","typeid":%q,"type":"tcp","local_ip":"l","local_port":1,"peer_ip":"p","peer_port":2}`, i, class[0]))
	}
	points, err := scrapeBodies(t, map[string]string{"getAllSession": `{"code":0,"data":[` + strings.Join(sessions, ",") + `]}`})
	require.NoError(t, err)
	for i, class := range sessionClasses {
		assert.Contains(t, points, fmt.Sprintf("zlmediakit.session.info{network.local.address=l,network.local.port=1,network.peer.address=p,network.peer.port=2,"+
			"network.transport=tcp,zlmediakit.session.class=%s,zlmediakit.session.id=%d,zlmediakit.session.type=%s}", class[0], i, class[1]))
	}
}

// sessionClasses are the classes of sessions, each with its type.
var sessionClasses = [][2]string{
	{"mediakit::HttpSession", "http"},
	{"mediakit::RtmpSession", "rtmp"},
	{"mediakit::RtspSession", "rtsp"},
	{"mediakit::RtpSession", "rtp"},
	{"mediakit::WebRtcSession", "webrtc"},
	{"mediakit::IceSession", "ice"},
	{"mediakit::WebRtcSignalingSession", "webrtcsignaling"},
	{"SRT::SrtSession", "srt"},
	{"toolkit::SessionWithSSL<mediakit::HttpSession>", "http"},
	{"toolkit::SessionWithSSL<mediakit::RtmpSession>", "rtmp"},
	{"toolkit::SessionWithSSL<mediakit::RtspSession>", "rtsp"},
}

func TestSessionLimit(t *testing.T) {
	one := `{"id":"1-1","typeid":"mediakit::RtmpSession","type":"tcp","local_ip":"l","local_port":1935,"peer_ip":"p","peer_port":1}`
	s, _ := startScraper(t, serve(t, base(map[string]string{"getAllSession": `{"code":0,"data":[` + one + `,` + strings.Replace(one, "1-1", "2-2", 1) + `]}`})), func(c *Config) {
		everything(c)
		c.Streams.Limit = 1
	})
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 2, points["zlmediakit.session.count{network.transport=tcp,zlmediakit.session.tls=false,zlmediakit.session.type=rtmp}"], 0)
	assert.InDelta(t, 1, sumOf(points, "zlmediakit.session.info"), 0)
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=session,rtc.omission.reason=limit}"], 0)
}

// Negative values of counts have no points, and an error names them.
func TestNegativeNumbers(t *testing.T) {
	points, err := scrapeBodies(t, map[string]string{
		"getThreadsLoad": `{"code":0,"data":[{"name":"a","load":-1,"delay":-1,"fd_count":-1}]}`,
		"getStatistic":   `{"code":0,"data":{"Buffer":-3,"totalMemUsage":-1,"totalMemBlock":-1,"threadMem":[{"threadName":"a","threadMemUsage":-1}]}}`,
		"listStreamProxy": `{"code":0,"data":[{"key":"v/a/s","src":{"vhost":"v","app":"a","stream":"s"},"status_str":"playing","liveSecs":-1,"rePullCount":-1,
			"totalReaderCount":-1,"bytesSpeed":-1,"totalBytes":-1}]}`,
		"getMediaList": `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtmp","originTypeStr":"rtmp_push","bytesSpeed":-1,"totalBytes":-1,
			"readerCount":-1,"totalReaderCount":-1,"aliveSecond":-1,"createStamp":-1,"tracks":[{"codec_type":0,"frames":-1,"key_frames":-1,"fps":-1.0,
			"duration":-1,"gop_size":-1,"gop_interval_ms":-1,"width":-1,"height":-1},{"codec_type":1,"sample_rate":-1,"channels":-1,"sample_bit":-1}]}]}`,
		"getMediaInfo": `{"code":0}`, "listRtpSender": `{"code":0,"data":["1"],"bytesSpeed":-1,"totalBytes":-1}`,
	})
	for _, members := range []string{"load, delay, fd_count", "Buffer, totalMemUsage", "liveSecs, rePullCount", "bytesSpeed, totalBytes, readerCount"} {
		require.ErrorContains(t, err, "skipped values of a wrong type or range: "+members)
	}
	for point, value := range points {
		assert.GreaterOrEqual(t, value, 0.0, point)
	}
	for _, name := range []string{
		"thread.utilization", "thread.delay", "thread.file_descriptor.count", "object.count", "memory.usage", "memory.block.count", "thread.memory.usage",
		"proxy.age", "proxy.reconnections", "proxy.reader.count", "proxy.io", "proxy.throughput", "stream.io", "stream.throughput", "stream.reader.count",
		"stream.reader.count_by_schema", "stream.uptime", "stream.uptime_by_schema", "stream.start_time", "stream.track.frames", "stream.track.key_frames",
		"stream.track.frame_rate", "stream.track.time", "stream.track.gop.size", "stream.track.gop.duration", "stream.track.width", "stream.track.height",
		"stream.track.sample_rate", "stream.track.channel.count", "stream.track.sample_depth", "rtp_sender.io", "rtp_sender.throughput",
	} {
		assert.Empty(t, series(points, "zlmediakit."+name), name)
	}
	assert.Len(t, series(points, "zlmediakit.rtp_sender.count"), 1)
}

// Sums of large values do not wrap around.
func TestLargeNumbers(t *testing.T) {
	const huge = "9223372036854775807"
	row := func(stream string) string {
		return `{"vhost":"v","app":"a","stream":"` + stream + `","schema":"rtmp","originTypeStr":"rtmp_push","bytesSpeed":` + huge + `,"readerCount":` + huge + `}`
	}
	points, err := scrapeBodies(t, map[string]string{
		"getMediaList": `{"code":0,"data":[` + row("s") + `,` + row("t") + `]}`,
		"getStatistic": `{"code":0,"data":{"threadMem":[{"threadName":"a","threadMemUsage":` + huge + `},{"threadName":"a","threadMemUsage":` + huge + `}]}}`,
		"getMediaInfo": `{"code":0}`, "listRtpSender": `{"code":0}`,
	})
	require.NoError(t, err)
	assert.InEpsilon(t, 2*float64(math.MaxInt64), points["zlmediakit.ingest.throughput{zlmediakit.origin.type=rtmp_push}"], 1e-9)
	assert.InEpsilon(t, 2*float64(math.MaxInt64)*float64(math.MaxInt64), points["zlmediakit.egress.throughput{zlmediakit.schema=rtmp}"], 1e-9)
	assert.InEpsilon(t, float64(math.MaxInt64), points["zlmediakit.thread.memory.usage{zlmediakit.thread.name=a}"], 1e-9)
}
