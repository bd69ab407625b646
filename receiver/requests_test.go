// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
)

// TestRequests checks that with all metrics enabled, each receiver makes GET requests for exactly the listed paths, all of which only read.
// Kamailio's RPCs and the requests to the components of Jitsi have tests of their own in their receivers.
func TestRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		factory  receiver.Factory
		block    string // configuration section; empty for the top level
		path     string // of the endpoint
		settings map[string]any
		start    func(*testing.T) string
		want     []string
	}{
		"zlmediakit": {
			factory: zlmediakitreceiver.NewFactory(), start: emulate(zlmediakit.New, zlmediakit.Options{Scene: "busy"}),
			want: []string{
				"/index/api/getAllSession", "/index/api/getApiList", "/index/api/getMediaInfo", "/index/api/getMediaList",
				"/index/api/getServerConfig", "/index/api/getStatistic", "/index/api/getThreadsLoad", "/index/api/getWorkThreadsLoad",
				"/index/api/listFFmpegSource", "/index/api/listRtpSender", "/index/api/listRtpServer", "/index/api/listStreamProxy",
				"/index/api/listStreamPusherProxy", "/index/api/version",
			},
		},
		"flussonic": {
			factory: flussonicreceiver.NewFactory(), start: emulate(flussonic.New, flussonic.Options{}),
			want: []string{
				"/flussonic/api/metrics", "/streamer/api/v3/cluster/peers", "/streamer/api/v3/config/stats",
				"/streamer/api/v3/dvb_cards", "/streamer/api/v3/dvrs", "/streamer/api/v3/sessions", "/streamer/api/v3/streams",
				"/streamer/api/v3/vods/opened_files",
			},
		},
		"mediasoup": {
			factory: mediasoupreceiver.NewFactory(), start: emulate(mediasoup.NewAgent, mediasoup.AgentOptions{}),
			want: []string{"/v1/snapshot"},
		},
		"edumeet": {
			factory: mediasoupreceiver.NewFactory(), start: emulate(mediasoup.NewEdumeet, mediasoup.EdumeetOptions{}),
			settings: map[string]any{"format": "edumeet"},
			want:     []string{"/"},
		},
		"rtpengine": {
			factory: kamailioreceiver.NewFactory(), block: "rtpengine", path: "/metrics",
			start: emulate(kamailio.NewRTPEngine, kamailio.RTPEngineOptions{}),
			want:  []string{"/metrics"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, requests := recordRequests(t, tt.start(t))
			client := map[string]any{"endpoint": endpoint + tt.path}
			config := client
			if tt.block != "" {
				config = map[string]any{tt.block: client, "endpoint": emulate(kamailio.NewHTTP, kamailio.HTTPOptions{})(t) + "/RPC"}
			}
			maps.Copy(config, tt.settings)
			scrapeAll(t, tt.factory, config)
			assert.ElementsMatch(t, tt.want, requests())
		})
	}
}

// recordRequests starts a proxy in front of a server. It returns its URL, and a function that returns the paths of the requests so
// far, after the method if it is not GET.
func recordRequests(t *testing.T, server string) (proxyURL string, requests func() []string) {
	t.Helper()
	target, err := url.Parse(server)
	require.NoError(t, err)
	var mu sync.Mutex
	seen := map[string]bool{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.URL.Path
		if r.Method != http.MethodGet {
			request = r.Method + " " + request
		}
		mu.Lock()
		seen[request] = true
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Collect(maps.Keys(seen))
	}
}

// scrapeAll runs a receiver with all metrics for three scrapes.
func scrapeAll(t *testing.T, factory receiver.Factory, config map[string]any) {
	t.Helper()
	config["collection_interval"], config["timeout"], config["initial_delay"] = "1s", "1s", "1ms"
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(config).Unmarshal(cfg))
	builder := reflect.ValueOf(cfg).Elem().FieldByName("MetricsBuilderConfig")
	rtctest.EnableAll(builder.FieldByName("Metrics").Addr().Interface())
	sink := new(consumertest.MetricsSink)
	r, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) >= 3 }, 20*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
}
