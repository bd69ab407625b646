// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

type labels map[string]string

func (l labels) with(more labels) labels {
	both := maps.Clone(l)
	maps.Copy(both, more)
	return both
}

// in reports whether the series has all these labels.
func (l labels) in(series *dto.Metric) bool {
	missing := maps.Clone(l)
	for _, pair := range series.GetLabel() {
		if missing[pair.GetName()] == pair.GetValue() {
			delete(missing, pair.GetName())
		}
	}
	return len(missing) == 0
}

// families are the metric families of a page by name.
type families map[string]*dto.MetricFamily

func scrapePage(t require.TestingT, c *collector) families {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(strings.NewReader(fetch(t, c.Page)))
	require.NoError(t, err)
	return f
}

// values returns the values of all series of a family that have these labels.
func (f families) values(name string, wanted labels) (values []float64) {
	for _, series := range f[name].GetMetric() {
		if wanted.in(series) {
			values = append(values, value(series))
		}
	}
	return values
}

// target returns the labels that identify a server.
func target(t *testing.T, server *emulator.Server) labels {
	t.Helper()
	return labels{"job": "zlmediakit", "instance": instance(t, server)}
}

var (
	cam1 = labels{"zlmediakit_vhost": "__defaultVhost__", "zlmediakit_app": "live", "zlmediakit_stream_name": "cam1"}
	rtmp = labels{"zlmediakit_schema": "rtmp"}
	h264 = labels{"zlmediakit_media_codec": "h264", "zlmediakit_track_index": "0"}
)

// onPage lists documented series. The values were read with jq from testdata/zlmediakit/busy.
var onPage = []struct {
	name   string
	kind   dto.MetricType
	labels labels
	value  float64
}{
	{"zlmediakit_stream_io_bytes_total", dto.MetricType_COUNTER, cam1.with(rtmp), 7407973},
	{"zlmediakit_stream_throughput_bytes_per_second", dto.MetricType_GAUGE, cam1.with(rtmp), 84389},
	{"zlmediakit_stream_alive", dto.MetricType_GAUGE, cam1, 1},
	{"zlmediakit_stream_reader_count", dto.MetricType_GAUGE, cam1, 11},
	{"zlmediakit_stream_uptime_seconds", dto.MetricType_GAUGE, cam1, 89},
	{"zlmediakit_stream_track_frames_total", dto.MetricType_COUNTER, cam1.with(h264), 2227},
	{"zlmediakit_stream_track_gop_duration_seconds", dto.MetricType_GAUGE, cam1.with(h264), 1.992},
	{"zlmediakit_stream_count", dto.MetricType_GAUGE, labels{"zlmediakit_app": "proxy"}, 2},
	{"zlmediakit_media_source_count", dto.MetricType_GAUGE, rtmp, 11},
	{"zlmediakit_egress_throughput_bytes_per_second", dto.MetricType_GAUGE, rtmp, 421945},
	{"zlmediakit_thread_count", dto.MetricType_GAUGE, labels{"zlmediakit_thread_pool": "network"}, 4},
	{"zlmediakit_thread_utilization_ratio", dto.MetricType_GAUGE, labels{"zlmediakit_thread_pool": "work", "zlmediakit_thread_name": "work poller 0"}, 0},
	{"rtc_target_up", dto.MetricType_GAUGE, nil, 1},
	{"target_info", dto.MetricType_GAUGE, nil, 1},
}

// TestPrometheus checks that two servers on one page are independent while one of them is down.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	captured := startZLMediaKit(t, zlmediakit.Options{})
	moving := startZLMediaKit(t, zlmediakit.Options{Streams: 3})
	a, b := target(t, captured), target(t, moving)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + captured.URL(), "SECOND=" + moving.URL()}, shipped("zlmediakit.yaml"), often, `yaml:
receivers:
  zlmediakit/b: {endpoint: "${env:SECOND}", secret: "${env:ZLMEDIAKIT_SECRET}", collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
service:
  pipelines: {metrics/zlmediakit: {receivers: [zlmediakit, zlmediakit/b]}}
`)
	const carried, alive = "zlmediakit_stream_io_bytes_total", "zlmediakit_stream_alive"
	check := func(aUp float64, aStreams int, more func(*assert.CollectT, families)) {
		t.Helper()
		eventually(t, func(ct *assert.CollectT) {
			page := scrapePage(ct, c)
			assert.Equal(ct, []float64{aUp}, page.values("rtc_target_up", a))
			assert.Len(ct, page.values(alive, a), aStreams)
			assert.Equal(ct, []float64{1}, page.values("rtc_target_up", b))
			assert.Len(ct, page.values(alive, b), 3)
			more(ct, page)
		})
	}
	check(1, 11, checkPage(a))
	assert.NotContains(t, fetch(t, c.Page), "otel_scope")
	before := sum(scrapePage(t, c).values(carried, b))

	require.NoError(t, captured.SetFault("refuse"))
	check(0, 0, func(ct *assert.CollectT, page families) {
		assert.Empty(ct, page.values(carried, a))
		assert.Greater(ct, sum(page.values(carried, b)), before)
	})
	require.NoError(t, captured.SetFault(""))
	check(1, 11, checkPage(a))
	c.Stop(t)
}

// TestSpacedList checks that streams remain on the page while the list of a slow server is requested in some scrapes only.
func TestSpacedList(t *testing.T) {
	t.Parallel()
	const streams, slowness = 5, 1100 * time.Millisecond // at this speed, the list is requested in every second scrape at most
	server, err := url.Parse(startZLMediaKit(t, zlmediakit.Options{Streams: streams}).URL())
	require.NoError(t, err)
	proxy, lists := httputil.NewSingleHostReverseProxy(server), atomic.Int64{}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/getMediaList") {
			lists.Add(1)
			<-time.After(slowness)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + slow.URL}, shipped("zlmediakit.yaml"), `yaml:
receivers:
  zlmediakit: {collection_interval: 2s, timeout: 2s, initial_delay: 1ms, metrics: {rtc.scrapes: {enabled: true}}}
`)
	listed := false
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		alive, scrapes := len(page.values("zlmediakit_stream_alive", nil)), sum(page.values("rtc_scrapes_total", nil))
		assert.False(t, listed && alive != streams, "%d streams after %v scrapes and %d lists", alive, scrapes, lists.Load())
		listed = listed || alive == streams
		assert.True(ct, listed)
		assert.GreaterOrEqual(ct, scrapes, 6.)
		assert.Less(ct, lists.Load(), int64(scrapes)-1)
	})
	c.Stop(t)
}

func checkPage(target labels) func(*assert.CollectT, families) {
	return func(ct *assert.CollectT, page families) {
		for _, row := range onPage {
			assert.Equal(ct, row.kind, page[row.name].GetType(), row.name)
			assert.Equal(ct, []float64{row.value}, page.values(row.name, target.with(row.labels)), row.name)
		}
	}
}

func sum(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}
