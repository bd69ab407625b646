// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// series returns the points of some metrics.
func series(points map[string]float64, names ...string) map[string]float64 {
	found := map[string]float64{}
	for point, value := range points {
		for _, name := range names {
			if strings.HasPrefix(point, name+"{") {
				found[point] = value
			}
		}
	}
	return found
}

const (
	plainStreams  = "zlmediakit.stream.count{zlmediakit.app=,zlmediakit.origin.type=unknown,zlmediakit.vhost=}"
	plainIngest   = "zlmediakit.ingest.throughput{zlmediakit.origin.type=unknown}"
	plainSessions = "zlmediakit.session.count{network.transport=unknown,zlmediakit.session.tls=false,zlmediakit.session.type=}"
	plainServers  = "zlmediakit.rtp_server.count{zlmediakit.app=,zlmediakit.rtp_server.mode=unknown}"
)

// A missing group is 0 for 20 complete responses. If no group is left afterwards, there is a single 0 without names.
func TestZeros(t *testing.T) {
	var full, failing atomic.Bool
	empty, busy := base(nil), base(map[string]string{
		"getMediaList":  `{"code":0,"data":[{"vhost":"v","app":"a","stream":"s","schema":"rtmp","originTypeStr":"rtmp_push","bytesSpeed":9}]}`,
		"getAllSession": `{"code":0,"data":[{"id":"1","typeid":"mediakit::RtmpSession","type":"tcp"}]}`,
		"listRtpServer": `{"code":0,"data":[{"vhost":"v","app":"a","stream_id":"s","port":1,"tcp_mode":1}]}`,
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := strings.TrimPrefix(r.URL.Path, apiPath)
		body := empty[api]
		if full.Load() {
			body = busy[api]
		}
		if failing.Load() && (api == "getMediaList" || api == "getAllSession" || api == "listRtpServer") {
			body = `{"code":-400,"msg":"broken"}`
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	s, _ := startScraper(t, server.URL, nil)
	scrape := func() map[string]float64 {
		s.streams.listing.wait = 0
		metrics, err := s.Scrape(t.Context())
		assert.Equal(t, failing.Load(), err != nil)
		return series(rtctest.Points(t, metrics), "zlmediakit.stream.count", "zlmediakit.ingest.throughput", "zlmediakit.session.count", "zlmediakit.rtp_server.count")
	}
	plain := map[string]float64{plainStreams: 0, plainIngest: 0, plainSessions: 0, plainServers: 0}
	groups := map[string]float64{
		"zlmediakit.stream.count{zlmediakit.app=a,zlmediakit.origin.type=rtmp_push,zlmediakit.vhost=v}":             1,
		"zlmediakit.ingest.throughput{zlmediakit.origin.type=rtmp_push}":                                            9,
		"zlmediakit.session.count{network.transport=tcp,zlmediakit.session.tls=false,zlmediakit.session.type=rtmp}": 1,
		"zlmediakit.rtp_server.count{zlmediakit.app=a,zlmediakit.rtp_server.mode=tcp_passive}":                      1,
	}
	zeros := maps.Clone(groups)
	for group := range zeros {
		zeros[group] = 0
	}
	require.Equal(t, plain, scrape())
	for _, gone := range []int{5, 20} { // a group that comes back starts over
		full.Store(true)
		require.Equal(t, groups, scrape())
		full.Store(false)
		for i := range gone {
			require.Equal(t, zeros, scrape(), i)
			failing.Store(true)
			require.Empty(t, scrape(), "unknown is not 0")
			failing.Store(false)
		}
	}
	require.Equal(t, plain, scrape())
}

// Sessions are counted by the local port that they came to, except those of which the server does not report it.
func TestSessionsByPort(t *testing.T) {
	one := func(class, port string) string { return `{"typeid":"` + class + `","type":"tcp"` + port + `}` }
	const https = "toolkit::SessionWithSSL<mediakit::HttpSession>"
	s, _ := startScraper(t, serve(t, base(map[string]string{"getAllSession": `{"code":0,"data":[` + strings.Join([]string{
		one(https, `,"local_port":443`), one(https, `,"local_port":443`), one(https, `,"local_port":8443`),
		one("mediakit::HttpSession", `,"local_port":443`), one("mediakit::HttpSession", ""),
	}, ",") + `]}`})), func(c *Config) { c.MetricsBuilderConfig.Metrics.ZlmediakitSessionCountByPort.Enabled = true })
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	port := func(port, tls string) string {
		return "zlmediakit.session.count_by_port{network.local.port=" + port + ",zlmediakit.session.tls=" + tls + ",zlmediakit.session.type=http}"
	}
	assert.Equal(t, map[string]float64{port("443", "true"): 2, port("8443", "true"): 1, port("443", "false"): 1},
		series(rtctest.Points(t, metrics), "zlmediakit.session.count_by_port"))
	count := func(tls string) string {
		return "zlmediakit.session.count{network.transport=tcp,zlmediakit.session.tls=" + tls + ",zlmediakit.session.type=http}"
	}
	assert.Equal(t, map[string]float64{count("true"): 3, count("false"): 2}, series(rtctest.Points(t, metrics), "zlmediakit.session.count"))
}

// Apps over the limit, whose names publishers choose, are one group per origin or mode.
func TestGroupLimit(t *testing.T) {
	row := func(app, origin string) string {
		return `{"vhost":"v","app":"` + app + `","stream":"s","schema":"rtmp","originTypeStr":"` + origin + `"}`
	}
	port := func(app, mode string) string {
		return `{"vhost":"v","app":"` + app + `","stream_id":"s","tcp_mode":` + mode + `}`
	}
	s, _ := startScraper(t, serve(t, base(map[string]string{
		"getMediaList": `{"code":0,"data":[` + strings.Join([]string{
			row("a", "rtmp_push"), row("b", "rtmp_push"), row("c", "rtmp_push"), row("d", "rtmp_push"), row("e", "rtsp_push"), row("f", "rtsp_push"),
		}, ",") + `]}`,
		"listRtpServer": `{"code":0,"data":[` + strings.Join([]string{port("a", "0"), port("b", "0"), port("c", "0"), port("c", "1"), port("a", "0")}, ",") + `]}`,
	})), func(c *Config) { c.Streams.Limit = 2 })
	for range 2 {
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		points := rtctest.Points(t, metrics)
		count := func(app, origin, vhost string) string {
			return "zlmediakit.stream.count{zlmediakit.app=" + app + ",zlmediakit.origin.type=" + origin + ",zlmediakit.vhost=" + vhost + "}"
		}
		assert.Equal(t, map[string]float64{
			count("a", "rtmp_push", "v"): 1, count("b", "rtmp_push", "v"): 1,
			count("_OTHER", "rtmp_push", "_OTHER"): 2, count("_OTHER", "rtsp_push", "_OTHER"): 2,
		}, series(points, "zlmediakit.stream.count"))
		ports := func(app, mode string) string {
			return "zlmediakit.rtp_server.count{zlmediakit.app=" + app + ",zlmediakit.rtp_server.mode=" + mode + "}"
		}
		assert.Equal(t, map[string]float64{
			ports("a", "udp"): 2, ports("b", "udp"): 1, ports("_OTHER", "udp"): 1, ports("_OTHER", "tcp_passive"): 1,
		}, series(points, "zlmediakit.rtp_server.count"))
		assert.InDelta(t, 4+4, points[limited], 0, "streams and groups of streams")
		assert.InDelta(t, 2, points["rtc.scrape.omitted.count{rtc.entity=rtp_server,rtc.omission.reason=limit}"], 0)
	}
}

// Groups that are gone, and are recorded as 0, give their places to new ones.
func TestGroupsThatAreGone(t *testing.T) {
	s := newTestStreams(t, func(c *StreamsConfig) { c.Limit = 2 })
	count := func(app string) string {
		return "zlmediakit.stream.count{zlmediakit.app=" + app + ",zlmediakit.origin.type=rtmp_push,zlmediakit.vhost=v}"
	}
	other := "zlmediakit.stream.count{zlmediakit.app=_OTHER,zlmediakit.origin.type=rtmp_push,zlmediakit.vhost=_OTHER}"
	for i, list := range []struct {
		apps string
		want map[string]float64
	}{
		{"ab", map[string]float64{count("a"): 1, count("b"): 1}},
		{"b", map[string]float64{count("a"): 0, count("b"): 1}},
		{"cdb", map[string]float64{count("b"): 1, count("c"): 1, other: 1}},
		{"ef", map[string]float64{count("e"): 1, count("f"): 1, other: 0}},
	} {
		var sources []*mediaSource
		for _, app := range list.apps {
			sources = append(sources, source("v/"+string(app)+"/s", "rtsp", 1, 1))
		}
		assert.Equal(t, list.want, series(walkList(t, s, sources...), "zlmediakit.stream.count"), "list %d", i)
	}
}
