// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// enableOnly disables all metrics except the given ones.
func enableOnly(t testing.TB, c *Config, names ...string) {
	t.Helper()
	c.MetricsBuilderConfig.Metrics = metadata.NewDefaultMetricsBuilderConfig().Metrics
	found := 0
	for field, metric := range reflect.ValueOf(&c.MetricsBuilderConfig.Metrics).Elem().Fields() {
		on := slices.Contains(names, field.Tag.Get("mapstructure"))
		metric.FieldByName("Enabled").SetBool(on)
		if on {
			found++
		}
	}
	require.Len(t, names, found)
}

// sumOf returns the sum of the points whose names have the prefix metric.
func sumOf(points map[string]float64, metric string) float64 {
	sum := 0.0
	for point, value := range points {
		if strings.HasPrefix(point, metric) {
			sum += value
		}
	}
	return sum
}

// with returns the points whose names have the prefix metric.
func with(points map[string]float64, metric string) map[string]float64 {
	found := map[string]float64{}
	for point, value := range points {
		if strings.HasPrefix(point, metric) {
			found[point] = value
		}
	}
	return found
}
