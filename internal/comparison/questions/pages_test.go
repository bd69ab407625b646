// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package questions_test runs the expressions of distribution/questions.md.
package questions_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter"
	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
)

type settings = map[string]any

// source is a receiver with its emulated servers.
type source struct {
	factory receiver.Factory
	roots   []string // first words of the names of its metrics
	config  func(t *testing.T) settings
}

var sources = []source{
	{zlmediakitreceiver.NewFactory(), []string{"zlmediakit"}, func(t *testing.T) settings {
		t.Helper()
		endpoint := overTLS(t, url(t, zlmediakit.New, zlmediakit.Options{Scene: "busy"}))
		return settings{
			"endpoint": endpoint, "secret": "any", "tls": settings{"insecure_skip_verify": true},
			"proxies":     settings{"expected": []any{"__defaultVhost__/proxy/p1", "push:__defaultVhost__/live/gone"}},
			"rtp_servers": settings{"expected": []any{"__defaultVhost__/rtp/gb1", "__defaultVhost__/rtp/gone"}},
		}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(t *testing.T) settings {
		t.Helper()
		return settings{
			"jvb":    settings{"endpoint": url(t, jitsi.NewJVB, jitsi.JVBOptions{Stats: true})},
			"jicofo": settings{"endpoint": url(t, jitsi.NewJicofo, jitsi.JicofoOptions{Bridges: 2})},
			"jigasi": settings{"endpoint": url(t, jitsi.NewJigasi, jitsi.JigasiOptions{})},
			"jibri":  settings{"endpoint": url(t, jitsi.NewJibri, jitsi.JibriOptions{Metrics: true})},
		}
	}},
	{jitsireceiver.NewFactory(), []string{"jitsi"}, func(t *testing.T) settings { // version that reports jitter and delays
		t.Helper()
		return settings{"jvb": settings{"endpoint": url(t, jitsi.NewJVB, jitsi.JVBOptions{Version: "2.3.92", Stats: true})}}
	}},
	{kamailioreceiver.NewFactory(), []string{"kamailio", "rtpengine"}, func(t *testing.T) settings {
		t.Helper()
		return settings{
			"endpoint":  url(t, kamailio.NewHTTP, kamailio.HTTPOptions{}) + "/RPC",
			"rtpengine": settings{"endpoint": url(t, kamailio.NewRTPEngine, kamailio.RTPEngineOptions{}) + "/metrics"},
		}
	}},
	{flussonicreceiver.NewFactory(), []string{"flussonic"}, func(t *testing.T) settings {
		t.Helper()
		return settings{"endpoint": url(t, flussonic.New, flussonic.Options{Generation: "full-23.10"})}
	}},
	{flussonicreceiver.NewFactory(), []string{"flussonic"}, func(t *testing.T) settings { // serves the page of inputs and archives
		t.Helper()
		return settings{"endpoint": url(t, flussonic.New, flussonic.Options{Generation: "25.11"})}
	}},
	{mediasoupreceiver.NewFactory(), []string{"mediasoup"}, func(t *testing.T) settings {
		t.Helper()
		return settings{"endpoint": url(t, mediasoup.NewAgent, mediasoup.AgentOptions{})}
	}},
	{hostnetworkreceiver.NewFactory(), nil, func(*testing.T) settings {
		return settings{"root_path": "../../receiver/hostnetworkreceiver/testdata/host"}
	}},
}

// url starts an emulated server and returns its URL.
func url[O any](t *testing.T, start func(O) (*emulator.Server, error), options O) string {
	t.Helper()
	return emulatortest.Start(t, start, options).URL()
}

// overTLS starts a proxy with a certificate and returns its URL.
func overTLS(t *testing.T, server string) string {
	t.Helper()
	target, err := neturl.Parse(server)
	require.NoError(t, err)
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// scrapePage returns the page of all sources after one scrape, with the default metrics and the given ones.
func scrapePage(t *testing.T, enabled []string) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "questions") //nolint:usetesting // paths of sockets must be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	socket := filepath.Join(directory, "socket")
	factory := prometheuspageexporter.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(settings{"endpoint": socket, "transport": "unix"}).Unmarshal(cfg))
	exporter, err := factory.CreateMetrics(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, exporter.Start(t.Context(), componenttest.NewNopHost()))
	for _, s := range sources {
		s.scrapeInto(t, exporter, enabled)
	}
	page := fetch(t, socket)
	require.NoError(t, exporter.Shutdown(t.Context()))
	return page
}

// scrapeInto passes the metrics of one scrape to next.
func (s *source) scrapeInto(t *testing.T, next consumer.Metrics, enabled []string) {
	t.Helper()
	metrics := settings{}
	for _, name := range enabled {
		root, _, _ := strings.Cut(name, ".")
		if slices.Contains(s.roots, root) {
			metrics[name] = settings{"enabled": true}
		}
	}
	config := settings{"collection_interval": "1h", "timeout": "20s", "initial_delay": "1ms", "metrics": metrics}
	maps.Copy(config, s.config(t))
	cfg := s.factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(config).Unmarshal(cfg))
	done := make(chan error, 1)
	sink, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		err := next.ConsumeMetrics(ctx, md)
		done <- err
		return err
	})
	require.NoError(t, err)
	r, err := s.factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(s.factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, <-done)
	require.NoError(t, r.Shutdown(t.Context()))
}

// fetch returns the page that is served on a socket.
func fetch(t *testing.T, socket string) string {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://exporter/metrics", http.NoBody)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(page)
}
