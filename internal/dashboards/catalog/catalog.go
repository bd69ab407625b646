// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package catalog reads the metrics of the receivers from their metadata.yaml.
package catalog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Metric is a metric of a receiver.
type Metric struct {
	// Name is the name in metadata.yaml.
	Name string
	// Disabled is set if the metric is disabled by default.
	Disabled bool
	// Labels are the labels on the page for Prometheus.
	Labels []string
}

// metadata is the part of a metadata.yaml that determines names and labels on the page.
type metadata struct {
	Attributes map[string]struct {
		NameOverride string `yaml:"name_override"`
	}
	Metrics map[string]struct {
		Unit       string
		Enabled    bool
		Attributes []string
		Sum        *struct{ Monotonic bool }
	}
}

// Read returns the metrics of all receivers by their names on the page. A metric of several receivers has the labels of all of them.
func Read(tb testing.TB, repository string) map[string]Metric {
	tb.Helper()
	var files []string
	for _, pattern := range []string{"receiver/*/metadata.yaml", "internal/receiver/*/metadata.yaml"} {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		require.NoError(tb, err)
		files = append(files, found...)
	}
	require.Len(tb, files, 6)
	metrics := map[string]Metric{}
	for _, file := range files {
		add(tb, metrics, file)
	}
	return metrics
}

func add(tb testing.TB, metrics map[string]Metric, file string) {
	tb.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of the repository
	require.NoError(tb, err)
	var m metadata
	require.NoError(tb, yaml.Unmarshal(text, &m))
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	for name, one := range m.Metrics {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		if one.Sum != nil {
			kind = otlptranslator.MetricTypeNonMonotonicCounter
			if one.Sum.Monotonic {
				kind = otlptranslator.MetricTypeMonotonicCounter
			}
		}
		onPage, err := namer.Build(otlptranslator.Metric{Name: name, Unit: one.Unit, Type: kind})
		require.NoError(tb, err)
		labels := append([]string{"job", "instance"}, metrics[onPage].Labels...)
		metrics[onPage] = Metric{Name: name, Disabled: !one.Enabled, Labels: append(labels, m.labels(tb, one.Attributes)...)}
	}
}

// labels returns the names of attributes on the page.
func (m *metadata) labels(tb testing.TB, attributes []string) (names []string) {
	tb.Helper()
	namer := otlptranslator.LabelNamer{}
	for _, attribute := range attributes {
		if override := m.Attributes[attribute].NameOverride; override != "" {
			attribute = override
		}
		name, err := namer.Build(attribute)
		require.NoError(tb, err)
		names = append(names, name)
	}
	return names
}
