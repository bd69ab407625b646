// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// backend receives OTLP over HTTP on address until the end of the test.
func backend(t *testing.T, address string) *consumertest.MetricsSink {
	t.Helper()
	sink := new(consumertest.MetricsSink)
	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	http := map[string]any{"protocols::http::endpoint": address}
	require.NoError(t, confmap.NewFromStringMap(http).Unmarshal(cfg))
	r, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return sink
}

// shape holds the unit and the instrument of a metric.
type shape struct{ unit, instrument string }

// onWire lists the shapes of some metrics of each instrument.
var onWire = map[string]shape{
	"zlmediakit.stream.io":           {"By", "counter"},
	"zlmediakit.stream.track.frames": {"{frame}", "counter"},
	"zlmediakit.stream.alive":        {"1", "sum"},
	"zlmediakit.stream.count":        {"{stream}", "sum"},
	"zlmediakit.stream.throughput":   {"By/s", "gauge"},
	"zlmediakit.stream.uptime":       {"s", "gauge"},
	"zlmediakit.thread.utilization":  {"1", "gauge"},
	"rtc.target.up":                  {"1", "sum"},
	"rtc.scrape.duration":            {"s", "gauge"},
}

func shapeOf(m pmetric.Metric) shape {
	switch {
	case m.Type() == pmetric.MetricTypeGauge:
		return shape{m.Unit(), "gauge"}
	case m.Sum().IsMonotonic():
		return shape{m.Unit(), "counter"}
	default:
		return shape{m.Unit(), "sum"}
	}
}

func TestOTLP(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{})
	address := freeAddress(t)
	sink := backend(t, address)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + address}, shipped("zlmediakit.yaml"), shipped("otlp.yaml"), immediately)
	eventually(t, func(ct *assert.CollectT) { assert.NotEmpty(ct, sink.AllMetrics()) })
	c.Stop(t)

	host, port := hostPort(t, server)
	for _, md := range sink.AllMetrics() {
		require.Equal(t, 1, md.ResourceMetrics().Len())
		assert.Subset(t, md.ResourceMetrics().At(0).Resource().Attributes().AsRaw(), map[string]any{
			"service.name": "zlmediakit", "service.version": "daaa74a", "service.instance.id": instance(t, server),
			"server.address": host, "server.port": port,
		})
		seen := map[string]shape{}
		for m := range metricsOf(md) {
			if _, known := onWire[m.Name()]; known {
				seen[m.Name()] = shapeOf(m)
			}
			checkTimes(t, m)
		}
		assert.Equal(t, onWire, seen)
		checkStreamBytes(t, md)
	}
}

func checkTimes(t *testing.T, m pmetric.Metric) {
	t.Helper()
	if m.Type() == pmetric.MetricTypeSum {
		assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality(), m.Name())
	}
	for _, dp := range pointsOf(m).All() {
		assert.LessOrEqual(t, dp.StartTimestamp(), dp.Timestamp(), m.Name())
		assert.WithinDuration(t, time.Now(), dp.Timestamp().AsTime(), waitTimeout, m.Name())
	}
}

// checkStreamBytes requires the captured bytes of one stream with its start time, createStamp.
func checkStreamBytes(t *testing.T, md pmetric.Metrics) {
	t.Helper()
	const totalBytes, createStamp = 7407973, 1795215975
	found := 0
	for m := range metricsOf(md) {
		if m.Name() != "zlmediakit.stream.io" {
			continue
		}
		for _, dp := range pointsOf(m).All() {
			if dp.IntValue() == totalBytes {
				found++
				want := pcommon.NewTimestampFromTime(time.Unix(createStamp, 0))
				assert.Equal(t, min(want, dp.Timestamp()), dp.StartTimestamp(), "if the clock is behind that of the capture, the time of the point")
			}
		}
	}
	assert.Equal(t, 1, found)
}

// TestOutage restarts the collector before the backend starts. All scrapes must arrive.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{})
	address := freeAddress(t)
	env := []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + address, "OTELCOL_RTC_STORAGE=" + t.TempDir()}
	configs := []string{shipped("zlmediakit.yaml"), shipped("otlp.yaml"), often, `yaml:
exporters:
  otlp_http: {retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}}
`}
	scrapes := func() (n int) {
		for _, api := range server.Requests() {
			if api == "getThreadsLoad" { // called once per scrape
				n++
			}
		}
		return n
	}
	awaitScrapes := func(n int) {
		eventually(t, func(ct *assert.CollectT) { assert.GreaterOrEqual(ct, scrapes(), n) })
	}
	first := start(t, env, configs...)
	var queued float64
	eventually(t, func(ct *assert.CollectT) {
		queued = 0
		for _, series := range parsePage(ct, fetch(ct, first.Telemetry))["otelcol_exporter_queue_size"].GetMetric() {
			queued += value(series)
		}
		assert.GreaterOrEqual(ct, queued, 3.0)
	})
	first.Stop(t)
	before, stopped := scrapes(), time.Now()
	second := start(t, env, configs...)
	awaitScrapes(before + 2)
	sink := backend(t, address)
	eventually(t, func(ct *assert.CollectT) {
		assert.GreaterOrEqual(ct, len(scrapeTimes(sink)), before+2)
	})
	second.Stop(t)

	old := 0
	for at := range scrapeTimes(sink) {
		if at.AsTime().Before(stopped) {
			old++
		}
	}
	assert.GreaterOrEqual(t, float64(old), queued, "the queue of the first run")
	assert.GreaterOrEqual(t, old, before-1, "scrapes of the first run, except one that was running at its end, which is canceled")
	assert.LessOrEqual(t, old, before)
}

// scrapeTimes returns the times of the scrapes that the backend has received.
func scrapeTimes(sink *consumertest.MetricsSink) map[pcommon.Timestamp]bool {
	times := map[pcommon.Timestamp]bool{}
	for _, md := range sink.AllMetrics() {
		for m := range metricsOf(md) {
			if m.Name() == "rtc.target.up" {
				times[pointsOf(m).At(0).Timestamp()] = true
			}
		}
	}
	return times
}

func metricsOf(md pmetric.Metrics) iter.Seq[pmetric.Metric] {
	return func(yield func(pmetric.Metric) bool) {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if !yield(m) {
						return
					}
				}
			}
		}
	}
}

func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeGauge {
		return m.Gauge().DataPoints()
	}
	return m.Sum().DataPoints()
}
