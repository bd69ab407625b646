// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/overviewexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithMetrics(createMetrics, metadata.MetricsStability))
}

func createMetrics(ctx context.Context, settings exporter.Settings, config component.Config) (exporter.Metrics, error) {
	e := newExporter(settings.TelemetrySettings, config.(*Config))
	return exporterhelper.NewMetrics(ctx, settings, config, e.consume,
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.server.Shutdown),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
	)
}
