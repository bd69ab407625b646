// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// collectorMetrics are the labels, by metric, of what the collector exports besides the metrics of our receivers: its own metrics, those of
// host_metrics, and the series that Prometheus adds.
var collectorMetrics = map[string][]string{
	"ALERTS":                                     {"alertname", "alertstate", "severity"},
	"otelcol_exporter_queue_capacity":            {"data_type", "exporter"},
	"otelcol_exporter_queue_size":                {"data_type", "exporter"},
	"otelcol_exporter_send_failed_metric_points": {"exporter"},
	"otelcol_fleet_skipped_targets":              {"receiver", "reason"},
	"otelcol_fleet_source_refresh_time":          {"receiver", "source"},
	"otelcol_fleet_source_targets":               {"receiver", "source"},
	"otelcol_process_memory_rss":                 {},
	"otelcol_receiver_refused_metric_points":     {"receiver", "transport"},
	"otelcol_scraper_scraped_metric_points":      {"receiver", "scraper"},
	"system_cpu_utilization_ratio":               {"cpu", "state"},
	"system_filesystem_usage_bytes":              {"device", "mode", "mountpoint", "state", "type"},
	"system_memory_utilization_ratio":            {"state"},
	"system_network_dropped_total":               {"device", "direction"},
	"target_info":                                {"service_version"},
}

// metadata is the part of a metadata.yaml that determines names and labels on the page for Prometheus.
type metadata struct {
	Attributes map[string]struct {
		NameOverride string `yaml:"name_override"`
	}
	Metrics map[string]struct {
		Unit       string
		Sum        *struct{ Monotonic bool }
		Attributes []string
	}
}

// knownLabels returns the labels, by metric, of all series that rules can use, without job and instance.
func knownLabels(t *testing.T) map[string]map[string]bool {
	t.Helper()
	known := map[string]map[string]bool{}
	for name, labels := range collectorMetrics {
		known[name] = set(labels)
	}
	for _, pattern := range []string{"../../../receiver/*/metadata.yaml", "../../receiver/*/metadata.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			addMetadata(t, known, file)
		}
	}
	return known
}

func addMetadata(t *testing.T, known map[string]map[string]bool, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var m metadata
	require.NoError(t, yaml.Unmarshal(text, &m))
	metricNamer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	labelNamer := otlptranslator.LabelNamer{}
	for name, metric := range m.Metrics {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		if metric.Sum != nil {
			kind = otlptranslator.MetricTypeNonMonotonicCounter
			if metric.Sum.Monotonic {
				kind = otlptranslator.MetricTypeMonotonicCounter
			}
		}
		translated, err := metricNamer.Build(otlptranslator.Metric{Name: name, Unit: metric.Unit, Type: kind})
		require.NoError(t, err)
		if known[translated] == nil {
			known[translated] = map[string]bool{}
		}
		for _, attribute := range metric.Attributes {
			if override := m.Attributes[attribute].NameOverride; override != "" {
				attribute = override
			}
			label, err := labelNamer.Build(attribute)
			require.NoError(t, err)
			known[translated][label] = true
		}
	}
}

func set(names []string) map[string]bool {
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	return found
}
