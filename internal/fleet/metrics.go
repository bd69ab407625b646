// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"

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
	m.fleet.mu.Lock()
	running, failed, omitted := int64(len(m.fleet.members)), int64(len(m.fleet.failed)), int64(0)
	for _, n := range m.fleet.omitted {
		omitted += int64(n)
	}
	m.fleet.mu.Unlock()
	o.ObserveInt64(m.targets, running, metric.WithAttributes(id))
	for reason, n := range map[string]int64{"limit": omitted, "network": refused, "start": failed} {
		o.ObserveInt64(m.skipped, n, metric.WithAttributes(id, attribute.String("reason", reason)))
	}
	return nil
}
