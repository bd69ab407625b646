// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/server"
)

// expiration is how long current data points are kept without an update.
const expiration = 5 * time.Minute

// overviewExporter serves the pages.
type overviewExporter struct {
	config   *Config
	settings component.TelemetrySettings
	now      func() time.Time
	started  time.Time
	server   server.Server

	mu     sync.Mutex
	fleet  fleet
	store  *current.Store
	warned bool // that there are more targets than the pages can show
}

func newExporter(settings component.TelemetrySettings, config *Config) *overviewExporter {
	e := &overviewExporter{
		config: config, settings: settings, now: time.Now, started: time.Now(),
		fleet: fleet{targets: map[current.TargetID]*target{}, refused: map[current.TargetID]time.Time{}},
	}
	e.store = current.New(current.Config{
		MetricName:    func(m pmetric.Metric) (string, error) { return m.Name(), nil },
		LabelName:     func(key string) (string, error) { return key, nil },
		ResourceLabel: func(string) bool { return false },
		WithoutTarget: true,
		KeepTarget:    e.fleet.has,
		KeepMetric:    func(name string) bool { return keptMetrics[name] },
		TargetInfo:    "target_info",
		Expiration:    expiration,
		Refused: func(reason current.Reason, metric string, _ int, cause error) {
			settings.Logger.Debug("data points cannot be on the page",
				zap.String("reason", string(reason)), zap.String("metric", metric), zap.Error(cause))
		},
		Logger: zap.NewNop(), // the page for Prometheus warns of the same
	})
	return e
}

func (e *overviewExporter) start(ctx context.Context, host component.Host) error {
	address, err := e.server.Start(ctx, host, e.settings, e.config.ServerConfig, e.handler(), time.Minute, e.expire)
	if err != nil {
		return err
	}
	e.settings.Logger.Info("serving the overview page", zap.Stringer("address", address), zap.Bool("loopback_only", e.config.loopback()))
	return nil
}

// expire removes what has not been updated for long.
func (e *overviewExporter) expire(now time.Time) {
	e.store.Expire(now)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fleet.forget(now)
}

// consume takes a payload in, and updates the targets that it is about.
func (e *overviewExporter) consume(ctx context.Context, metrics pmetric.Metrics) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	touched := e.fleet.register(metrics, now)
	if len(e.fleet.refused) > 0 && !e.warned {
		e.warned = true
		e.settings.Logger.Warn("the overview page shows no further servers", zap.Int("limit", maxTargets))
	}
	e.store.Take(metrics, completeness.From(ctx), now)
	for _, t := range touched {
		snapshot := e.store.TargetSnapshot(t.id)
		t.observe(snapshot, now)
		snapshot.Release()
	}
	return nil
}
