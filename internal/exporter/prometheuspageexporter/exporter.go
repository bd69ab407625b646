// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package prometheuspageexporter

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/server"
)

// pageExporter serves what the store keeps.
type pageExporter struct {
	config    *Config
	settings  component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	store     *current.Store
	logged    map[refusal]bool
	server    server.Server
}

// refusal identifies a reason and a metric. It is logged only once.
type refusal struct {
	reason current.Reason
	metric string
}

func newExporter(settings exporter.Settings, config *Config) (*pageExporter, error) {
	telemetry, err := metadata.NewTelemetryBuilder(settings.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	labels := otlptranslator.LabelNamer{UTF8Allowed: !config.TranslationStrategy.ShouldEscape(), PreserveMultipleUnderscores: true}
	metrics := otlptranslator.NewMetricNamer(config.Namespace, config.TranslationStrategy)
	targetInfo := "target_info"
	if config.Namespace != "" {
		namespace, err := labels.Build(config.Namespace)
		if err != nil {
			return nil, err
		}
		targetInfo = namespace + "_" + targetInfo
	}
	e := &pageExporter{config: config, settings: settings.TelemetrySettings, telemetry: telemetry, logged: map[refusal]bool{}}
	e.store = current.New(current.Config{
		MetricName:    func(m pmetric.Metric) (string, error) { return metrics.Build(translatable(m)) },
		LabelName:     labels.Build,
		ConstLabels:   config.ConstLabels,
		ResourceLabel: config.resourceLabel,
		ScopeLabels:   !config.WithoutScopeInfo,
		Timestamps:    config.SendTimestamps,
		TargetInfo:    targetInfo,
		Expiration:    config.MetricExpiration,
		Refused:       e.refused,
		Logger:        settings.Logger,
	})
	return e, nil
}

// resourceLabel reports whether an attribute of the resource becomes a label of its series.
func (c *Config) resourceLabel(key string) bool {
	if !c.ResourceToTelemetry.Enabled {
		return slices.Contains(c.ResourceLabels, key)
	}
	service := key == "service.name" || key == "service.namespace" || key == "service.instance.id"
	return !service || !c.ResourceToTelemetry.ExcludeServiceAttributes
}

// translatable returns the properties of a metric that determine its name on the page.
func translatable(m pmetric.Metric) otlptranslator.Metric {
	t := otlptranslator.Metric{Name: m.Name(), Unit: m.Unit()}
	switch {
	case m.Type() == pmetric.MetricTypeGauge:
		t.Type = otlptranslator.MetricTypeGauge
	case m.Type() == pmetric.MetricTypeHistogram:
		t.Type = otlptranslator.MetricTypeHistogram
	case m.Type() == pmetric.MetricTypeSummary:
		t.Type = otlptranslator.MetricTypeSummary
	case m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic():
		t.Type = otlptranslator.MetricTypeMonotonicCounter
	default:
		t.Type = otlptranslator.MetricTypeNonMonotonicCounter
	}
	return t
}

func (e *pageExporter) start(ctx context.Context, host component.Host) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", e.serve)
	// Expire frees the memory of what has expired while nobody fetches the page.
	_, err := e.server.Start(ctx, host, e.settings, e.config.ServerConfig, mux, e.config.MetricExpiration, e.store.Expire)
	return err
}

func (e *pageExporter) shutdown(ctx context.Context) error {
	e.telemetry.Shutdown()
	return e.server.Shutdown(ctx)
}

func (e *pageExporter) consume(ctx context.Context, metrics pmetric.Metrics) error {
	e.store.Take(metrics, completeness.From(ctx), time.Now())
	return nil
}

// advice says what to do about refused data points.
var advice = map[current.Reason]string{
	current.Temporality:          "let the sender use cumulative temporality, or convert with the processor deltatocumulative on the way",
	current.ExponentialHistogram: "let the sender use explicit buckets, or export it over OTLP or remote write",
	current.MetricName:           "rename the metric",
	current.Labels:               "rename or remove attributes",
	current.TypeConflict:         "rename one of the two metrics",
	current.NameCollision:        "rename one of the two metrics",
}

// refused counts refused data points, and logs each metric once. The store calls it from one goroutine at a time.
func (e *pageExporter) refused(reason current.Reason, name string, points int, cause error) {
	e.telemetry.ExporterPrometheusPageRefusedPoints.Add(context.Background(), int64(points),
		metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", string(reason)))))
	const enough = 1000
	if r := (refusal{reason, name}); !e.logged[r] && len(e.logged) < enough {
		e.logged[r] = true
		e.settings.Logger.Warn("data points cannot be on the page: "+advice[reason], zap.String("metric", name), zap.Error(cause))
	}
}
