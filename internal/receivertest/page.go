// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// PageMetric is a metric of a receiver of this repository as the page for Prometheus has it.
type PageMetric struct {
	Name   string   // in metadata.yaml
	Off    bool     // disabled by default
	Keys   []string // attributes
	Labels []string // attributes as labels; without job and instance
}

// PageMetrics reads the metadata.yaml of all receivers and returns their metrics by the names on the page, and their resource attributes. A
// metric of several receivers, such as rtc.target.up, has the labels of all of them.
func PageMetrics(tb testing.TB) (metrics map[string]PageMetric, resource []string) {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	repository := filepath.Join(filepath.Dir(file), "..", "..")
	metrics = map[string]PageMetric{}
	for _, pattern := range []string{"receiver/*/metadata.yaml", "internal/receiver/*/metadata.yaml"} {
		files, err := filepath.Glob(filepath.Join(repository, pattern))
		require.NoError(tb, err)
		require.NotEmpty(tb, files)
		for _, file := range files {
			resource = append(resource, addPageMetrics(tb, metrics, file)...)
		}
	}
	return metrics, resource
}

// addPageMetrics adds the metrics of a metadata.yaml and returns the resource attributes.
func addPageMetrics(tb testing.TB, metrics map[string]PageMetric, file string) (resource []string) {
	tb.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // of this repository
	require.NoError(tb, err)
	var metadata struct {
		Attributes map[string]struct {
			Name string `yaml:"name_override"`
		}
		Resource map[string]any `yaml:"resource_attributes"`
		Metrics  map[string]struct {
			Unit       string
			Enabled    bool
			Attributes []string
			Sum        *struct{ Monotonic bool }
		}
	}
	require.NoError(tb, yaml.Unmarshal(text, &metadata))
	metricNamer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	labelNamer := otlptranslator.LabelNamer{}
	for name, declared := range metadata.Metrics {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		switch {
		case declared.Sum != nil && declared.Sum.Monotonic:
			kind = otlptranslator.MetricTypeMonotonicCounter
		case declared.Sum != nil:
			kind = otlptranslator.MetricTypeNonMonotonicCounter
		}
		onPage, err := metricNamer.Build(otlptranslator.Metric{Name: name, Unit: declared.Unit, Type: kind})
		require.NoError(tb, err)
		m := metrics[onPage]
		m.Name, m.Off = name, !declared.Enabled
		for _, attribute := range declared.Attributes {
			key := cmp.Or(metadata.Attributes[attribute].Name, attribute)
			label, err := labelNamer.Build(key)
			require.NoError(tb, err)
			if !slices.Contains(m.Keys, key) {
				m.Keys, m.Labels = append(m.Keys, key), append(m.Labels, label)
			}
		}
		metrics[onPage] = m
	}
	return slices.Collect(maps.Keys(metadata.Resource))
}
