// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// The roles of a child.
const (
	roleServer     = "server"     // emulated server
	roleReceiver   = "receiver"   // our receiver
	roleExporter   = "exporter"   // exporter for prometheusreceiver
	rolePrometheus = "prometheus" // prometheusreceiver, which scrapes an exporter or the metrics page of a server
)

// scrapeSeries is the number of series that prometheusreceiver adds: up, and four about the scrape.
const scrapeSeries = 5

// work does a job until ctx is done. A server or exporter sends its URL. All roles but the server send the cost of a scrape.
func (j job) work(ctx context.Context, send func(any) error) error {
	i := slices.IndexFunc(systems, func(s system) bool { return s.name == j.System })
	if i < 0 {
		return fmt.Errorf("unknown system %q", j.System)
	}
	s, m := &systems[i], newMeter(j.Scrapes)
	switch j.Role {
	case roleServer:
		return j.serve(ctx, s, send)
	case roleExporter:
		return j.export(ctx, s, m, send)
	case roleReceiver:
		settings := s.settings(j.Endpoint, j.Size)
		settings["collection_interval"], settings["timeout"] = j.Interval.String(), j.Interval.String()
		return scrape(ctx, s.factory, settings, m, send)
	case rolePrometheus:
		settings, err := prometheusSettings(j.Endpoint, j.Interval)
		if err != nil {
			return err
		}
		m.extra = scrapeSeries
		return scrape(ctx, prometheusreceiver.NewFactory(), settings, m, send)
	}
	return fmt.Errorf("unknown role %q", j.Role)
}

// serve runs the emulated server. Its clock stands still, so that it always sends the same bytes.
func (j job) serve(ctx context.Context, s *system, send func(any) error) error {
	now := time.Now()
	server, err := s.serve(j.Size, func() time.Time { return now })
	if err != nil {
		return err
	}
	defer server.Close()
	if err := send(server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// scrape runs a receiver and sends its cost.
func scrape(ctx context.Context, factory receiver.Factory, settings map[string]any, m *meter, send func(any) error) error {
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(settings).Unmarshal(cfg); err != nil {
		return err
	}
	next, err := consumer.NewMetrics(func(_ context.Context, metrics pmetric.Metrics) error {
		m.scraped(metrics.DataPointCount())
		return nil
	})
	if err != nil {
		return err
	}
	r, err := factory.CreateMetrics(ctx, receivertest.NewNopSettings(factory.Type()), cfg, next)
	if err != nil {
		return err
	}
	if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	err = m.report(ctx, send)
	return errors.Join(err, r.Shutdown(context.WithoutCancel(ctx)))
}

// prometheusSettings returns the settings of a prometheusreceiver that scrapes one page.
func prometheusSettings(page string, interval time.Duration) (map[string]any, error) {
	u, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"discovery_reload_on_startup": true, // start without a delay of several seconds
		"config": map[string]any{"scrape_configs": []any{map[string]any{
			"job_name":        "alternative",
			"scrape_interval": interval.String(),
			"scrape_timeout":  interval.String(),
			"metrics_path":    u.Path,
			"static_configs":  []any{map[string]any{"targets": []any{u.Host}}},
		}}},
	}, nil
}

// export runs the exporter of a server and sends its URL and its cost.
func (j job) export(ctx context.Context, s *system, m *meter, send func(any) error) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(s.exporter(j.Endpoint)); err != nil {
		return err
	}
	page := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	server := http.Server{ReadHeaderTimeout: j.Interval, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.ServeHTTP(w, r)
		m.scraped(0)
	})}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = server.Serve(listener) }()
	err = send("http://" + listener.Addr().String() + "/metrics")
	if err == nil {
		err = m.report(ctx, send)
	}
	return errors.Join(err, server.Close())
}
