// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// EachMetricAlone requires that each metric has the same points when it is enabled alone as when all metrics are enabled. M is the
// generated MetricsConfig. scrape starts a receiver with the metrics that enable selects, and returns its metrics; its clock must
// stand still, so that equal answers give equal points. Metrics of the scrape itself (rtc.*) are skipped, because they depend on the
// calls made, and so are the metrics named in except.
func EachMetricAlone[M any](t *testing.T, scrape func(t *testing.T, enable func(*M)) pmetric.Metrics, except ...string) {
	t.Helper()
	all := Points(t, scrape(t, func(m *M) { EnableAll(m) }))
	for field := range reflect.TypeFor[M]().Fields() {
		name := field.Tag.Get("mapstructure")
		if strings.HasPrefix(name, "rtc.") || slices.Contains(except, name) {
			continue
		}
		got := Points(t, scrape(t, func(m *M) {
			reflect.ValueOf(m).Elem().SetZero()
			reflect.ValueOf(m).Elem().FieldByName(field.Name).FieldByName("Enabled").SetBool(true)
		}))
		assert.Equal(t, pointsOf(name, all), got, name)
	}
}

// pointsOf returns the points of a single metric.
func pointsOf(metric string, points map[string]float64) map[string]float64 {
	points = maps.Clone(points)
	maps.DeleteFunc(points, func(key string, _ float64) bool { return !strings.HasPrefix(key, metric+"{") })
	return points
}
