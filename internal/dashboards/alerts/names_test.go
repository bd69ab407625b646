// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"testing"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
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

// knownLabels returns the labels, by metric, of all series that rules can use, without job and instance.
func knownLabels(t *testing.T) map[string]map[string]bool {
	t.Helper()
	known := map[string]map[string]bool{}
	for name, labels := range collectorMetrics {
		known[name] = set(labels)
	}
	metrics, _ := rtctest.PageMetrics(t)
	for name, m := range metrics {
		known[name] = set(m.Labels)
	}
	return known
}

func set(names []string) map[string]bool {
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	return found
}
