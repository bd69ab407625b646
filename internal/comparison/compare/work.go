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

// What a process can be.
const (
	roleServer     = "server"     // emulated
	roleReceiver   = "receiver"   // ours
	roleExporter   = "exporter"   // as written today
	rolePrometheus = "prometheus" // contrib's receiver, which reads an exporter or a server's own page
)

// scrapeSeries is how many series prometheusreceiver adds to those of a page: up, and four about the scrape.
const scrapeSeries = 5

// work does a job until ctx ends: a server or exporter tells its URL, all but the server tell what a scrape costs.
func (j job) work(ctx context.Context, tell func(any) error) error {
	at := slices.IndexFunc(systems, func(s system) bool { return s.name == j.System })
	if at < 0 {
		return fmt.Errorf("no system is named %q", j.System)
	}
	s, m := &systems[at], newMeter(j.Scrapes)
	switch j.Role {
	case roleServer:
		return j.serve(ctx, s, tell)
	case roleExporter:
		return j.export(ctx, s, m, tell)
	case roleReceiver:
		settings := s.settings(j.Endpoint, j.Size)
		settings["collection_interval"], settings["timeout"] = j.Interval.String(), j.Interval.String()
		return scrape(ctx, s.factory, settings, m, tell)
	case rolePrometheus:
		settings, err := prometheusSettings(j.Endpoint, j.Interval)
		if err != nil {
			return err
		}
		m.extra = scrapeSeries
		return scrape(ctx, prometheusreceiver.NewFactory(), settings, m, tell)
	}
	return fmt.Errorf("no process can be a %q", j.Role)
}

// serve plays the server. Its clock stands still, so that it sends the same bytes each time, and costs little.
func (j job) serve(ctx context.Context, s *system, tell func(any) error) error {
	now := time.Now()
	server, err := s.serve(j.Size, func() time.Time { return now })
	if err != nil {
		return err
	}
	defer server.Close()
	if err := tell(server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// scrape runs a receiver, and tells what it cost.
func scrape(ctx context.Context, factory receiver.Factory, settings map[string]any, m *meter, tell func(any) error) error {
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
	err = m.tell(ctx, tell)
	return errors.Join(err, r.Shutdown(context.WithoutCancel(ctx)))
}

// prometheusSettings are those of a prometheusreceiver that reads one page.
func prometheusSettings(page string, interval time.Duration) (map[string]any, error) {
	at, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"discovery_reload_on_startup": true, // else it waits for seconds before it looks for targets
		"config": map[string]any{"scrape_configs": []any{map[string]any{
			"job_name":        "today",
			"scrape_interval": interval.String(),
			"scrape_timeout":  interval.String(),
			"metrics_path":    at.Path,
			"static_configs":  []any{map[string]any{"targets": []any{at.Host}}},
		}}},
	}, nil
}

// export serves what a collector makes of a server, the way exporters do, and tells what it cost.
func (j job) export(ctx context.Context, s *system, m *meter, tell func(any) error) error {
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
	err = tell("http://" + listener.Addr().String() + "/metrics")
	if err == nil {
		err = m.tell(ctx, tell)
	}
	return errors.Join(err, server.Close())
}
