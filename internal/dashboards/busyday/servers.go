// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package busyday

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

type settings = map[string]any

// source is a receiver with its emulated servers.
type source struct {
	factory receiver.Factory
	roots   []string // first words of the names of its metrics
	config  func(*fleet) settings
}

var sources = []source{
	{zlmediakitreceiver.NewFactory(), []string{"zlmediakit"}, func(f *fleet) settings {
		server := start(f, "zlmediakit", zlmediakit.New, zlmediakit.Options{Streams: 12, Now: f.now})
		return settings{
			"endpoint": overTLS(f.tb, server), "secret": "any", "tls": settings{"insecure_skip_verify": true},
			"streams": settings{"expected": []any{"live/missing"}},
		}
	}},
	{zlmediakitreceiver.NewFactory(), []string{"zlmediakit"}, func(f *fleet) settings { // captured with recordings and lost packets
		options := zlmediakit.Options{Scene: "busy", Now: f.now}
		return settings{
			"endpoint": start(f, "zlmediakit-captured", zlmediakit.New, options), "secret": "any",
			"proxies":     settings{"expected": []any{"__defaultVhost__/proxy/p1", "push:__defaultVhost__/live/gone"}},
			"rtp_servers": settings{"expected": []any{"__defaultVhost__/rtp/gb1", "__defaultVhost__/rtp/gone"}},
		}
	}},
	{zlmediakitreceiver.NewFactory(), []string{"zlmediakit"}, func(f *fleet) settings { // captured after a publisher was killed
		options := zlmediakit.Options{Scene: "degraded", Now: f.now}
		return settings{"endpoint": start(f, "zlmediakit-degraded", zlmediakit.New, options), "secret": "any"}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(f *fleet) settings {
		return settings{
			"jvb":    settings{"endpoint": start(f, "jvb", jitsi.NewJVB, jitsi.JVBOptions{Stats: true, Moving: true, Now: f.now})},
			"jicofo": settings{"endpoint": start(f, "jicofo", jitsi.NewJicofo, jitsi.JicofoOptions{Bridges: 2, Moving: true, Now: f.now})},
			"jigasi": settings{"endpoint": start(f, "jigasi", jitsi.NewJigasi, jitsi.JigasiOptions{Moving: true, Now: f.now})},
			"jibri":  settings{"endpoint": start(f, "jibri", jitsi.NewJibri, jitsi.JibriOptions{Metrics: true, Moving: true, Now: f.now})},
		}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(f *fleet) settings { // unhealthy
		options := jitsi.JVBOptions{Stats: true, Unhealthy: true, Now: f.now}
		return settings{"jvb": settings{"endpoint": start(f, "jvb-unhealthy", jitsi.NewJVB, options)}}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(f *fleet) settings { // version that reports jitter and delays
		options := jitsi.JVBOptions{Version: "2.3.92", Stats: true, Moving: true, Now: f.now}
		return settings{"jvb": settings{"endpoint": start(f, "jvb-old", jitsi.NewJVB, options)}}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(f *fleet) settings { // version that reports transit times
		return settings{"jvb": settings{"endpoint": serveFiles(f.tb, map[string]string{
			"/metrics": "jitsi/jvb/metrics.constructed-2.3.149-used.004.txt", "/about/health": "jitsi/jvb/about-health.200.body",
		})}}
	}},
	{kamailioreceiver.NewFactory(), []string{"kamailio", "rtpengine"}, func(f *fleet) settings { // rtpengine with interfaces and quality
		page := map[string]string{"/metrics": "kamailio/prometheus/rtpengine_sample.txt"}
		return settings{
			"endpoint":  start(f, "kamailio-ctl", kamailio.NewCtl, kamailio.CtlOptions{Moving: true, Now: f.now}),
			"rtpengine": settings{"endpoint": serveFiles(f.tb, page) + "/metrics"},
		}
	}},
	{kamailioreceiver.NewFactory(), []string{"kamailio", "rtpengine"}, func(f *fleet) settings {
		options := kamailio.RTPEngineOptions{Moving: true, Now: f.now}
		return settings{
			"endpoint":  start(f, "kamailio", kamailio.NewHTTP, kamailio.HTTPOptions{Moving: true, Now: f.now}) + "/RPC",
			"rtpengine": settings{"endpoint": start(f, "rtpengine", kamailio.NewRTPEngine, options) + "/metrics"},
		}
	}},
	{flussonicreceiver.NewFactory(), []string{"flussonic"}, func(f *fleet) settings { // every field is set
		options := flussonic.Options{Generation: "full-23.10", Moving: true, Now: f.now}
		return settings{"endpoint": start(f, "flussonic-full", flussonic.New, options)}
	}},
	{flussonicreceiver.NewFactory(), []string{"flussonic"}, func(f *fleet) settings { // pulls from another server
		return settings{"endpoint": start(f, "flussonic-edge", flussonic.New, flussonic.Options{Generation: "edge", Moving: true, Now: f.now})}
	}},
	{flussonicreceiver.NewFactory(), []string{"flussonic"}, func(f *fleet) settings { // serves the page of inputs and archives
		return settings{
			"endpoint": start(f, "flussonic", flussonic.New, flussonic.Options{Generation: "25.11", Moving: true, Now: f.now}),
			"streams":  settings{"expected": []any{"missing"}},
		}
	}},
	{mediasoupreceiver.NewFactory(), []string{"mediasoup", "edumeet"}, func(f *fleet) settings {
		return settings{
			"endpoint": start(f, "mediasoup", mediasoup.NewAgent, mediasoup.AgentOptions{Consumers: 200, Unread: 5, Moving: true, Now: f.now}),
		}
	}},
	{mediasoupreceiver.NewFactory(), []string{"mediasoup", "edumeet"}, func(f *fleet) settings { // with every field and rooms
		return settings{
			"endpoint": serveFiles(f.tb, map[string]string{"/v1/snapshot": "mediasoup/snapshot-3.constructed.json"}),
			"rooms":    settings{"labels": []any{"room_id"}},
		}
	}},
	{hostnetworkreceiver.NewFactory(), nil, func(f *fleet) settings {
		return settings{"root_path": f.repository + "/internal/receiver/hostnetworkreceiver/testdata/host"}
	}},
}

// fleet holds the emulated servers by name.
type fleet struct {
	tb         testing.TB
	repository string
	now        func() time.Time
	servers    map[string]*emulator.Server
}

func newFleet(tb testing.TB, now func() time.Time) *fleet {
	tb.Helper()
	return &fleet{tb: tb, repository: findRepository(tb), now: now, servers: map[string]*emulator.Server{}}
}

// start starts an emulated server and returns its URL.
func start[O any](f *fleet, name string, newServer func(O) (*emulator.Server, error), options O) string {
	f.tb.Helper()
	server, err := newServer(options)
	require.NoError(f.tb, err)
	f.tb.Cleanup(server.Close)
	f.servers[name] = server
	return server.URL()
}

// serveFiles starts a server that answers with files of testdata, by path.
func serveFiles(tb testing.TB, files map[string]string) string {
	tb.Helper()
	mux := http.NewServeMux()
	for path, file := range files {
		content, err := fs.ReadFile(testdata.Files, file)
		require.NoError(tb, err)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(content)
		})
	}
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	return server.URL
}

// overTLS starts a proxy with a certificate and returns its URL.
func overTLS(tb testing.TB, server string) string {
	tb.Helper()
	target, err := neturl.Parse(server)
	require.NoError(tb, err)
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	tb.Cleanup(proxy.Close)
	return proxy.URL
}

// findRepository returns the root of the repository.
func findRepository(tb testing.TB) string {
	tb.Helper()
	directory, err := os.Getwd()
	require.NoError(tb, err)
	for {
		if _, err := os.Stat(filepath.Join(directory, "builder-config.yaml")); err == nil {
			return directory
		}
		parent := filepath.Dir(directory)
		require.NotEqual(tb, directory, parent, "the test does not run in the repository")
		directory = parent
	}
}
