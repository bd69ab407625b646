// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// scope is the instrumentation scope of the metrics of this package.
const scope = "github.com/otelcol-rtc/otelcol-rtc/internal/fleet"

// metrics are the metrics of the collector about discovery. They are documented in distribution/fleet.md.
type metrics struct {
	registration metric.Registration
	fleet        *fleet

	targets, sourceTargets, skipped, refreshed metric.Int64ObservableGauge
	failures                                   metric.Int64ObservableCounter

	// The numbers of targets have no lock, because the SDK calls observe while it prevents others from creating instruments, which the
	// receivers of targets do.
	running, failed, omitted atomic.Int64
}

// count sets the numbers of targets that are read, that could not be started, and that are over the limit.
func (m *metrics) count(running, failed int, omitted map[string]int) {
	m.running.Store(int64(running))
	m.failed.Store(int64(failed))
	sum := 0
	for _, n := range omitted {
		sum += n
	}
	m.omitted.Store(int64(sum))
}

// start registers the metrics of a fleet.
func (m *metrics) start(f *fleet) (err error) {
	m.fleet = f
	meter := f.set.MeterProvider.Meter(scope)
	for _, g := range []struct {
		gauge                   *metric.Int64ObservableGauge
		name, unit, description string
	}{
		{&m.targets, "otelcol_fleet_targets", "{target}", "Targets that this collector reads."},
		{&m.sourceTargets, "otelcol_fleet_source_targets", "{target}", "Targets that a source lists, of all shards."},
		{&m.skipped, "otelcol_fleet_skipped_targets", "{target}", "Targets that are not read, by reason."},
		{&m.refreshed, "otelcol_fleet_source_refresh_time", "s", "Unix time of the last refresh of a source without a failure."},
	} {
		if *g.gauge, err = meter.Int64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.description)); err != nil {
			return err
		}
	}
	m.failures, err = meter.Int64ObservableCounter("otelcol_fleet_source_failures", metric.WithUnit("{failure}"),
		metric.WithDescription("Failed refreshes of a source; each file that cannot be read counts."))
	if err != nil {
		return err
	}
	m.registration, err = meter.RegisterCallback(m.observe, m.targets, m.sourceTargets, m.skipped, m.refreshed, m.failures)
	return err
}

// stop ends the metrics.
func (m *metrics) stop() {
	if m.registration != nil {
		_ = m.registration.Unregister() // fails only if it is not registered
	}
}

func (m *metrics) observe(_ context.Context, o metric.Observer) error {
	id := attribute.String("receiver", m.fleet.set.ID.String())
	var refused int64
	bySetting := map[string]sourceState{}
	for _, s := range m.fleet.sources {
		state, sum := s.state(), bySetting[s.setting]
		refused += state.refused
		state.targets += sum.targets
		state.failures += sum.failures
		if !sum.refreshed.IsZero() && sum.refreshed.Before(state.refreshed) {
			state.refreshed = sum.refreshed
		}
		bySetting[s.setting] = state
	}
	for setting, state := range bySetting {
		attributes := metric.WithAttributes(id, attribute.String("source", setting))
		o.ObserveInt64(m.sourceTargets, state.targets, attributes)
		o.ObserveInt64(m.failures, state.failures, attributes)
		if !state.refreshed.IsZero() {
			o.ObserveInt64(m.refreshed, state.refreshed.Unix(), attributes)
		}
	}
	o.ObserveInt64(m.targets, m.running.Load(), metric.WithAttributes(id))
	for reason, n := range map[string]int64{"limit": m.omitted.Load(), "network": refused, "start": m.failed.Load()} {
		o.ObserveInt64(m.skipped, n, metric.WithAttributes(id, attribute.String("reason", reason)))
	}
	return nil
}
