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

// EachMetricAlone requires that each metric, enabled alone, has the points that it has among all others. M is the generated
// MetricsConfig; scrape starts a receiver whose metrics enable has chosen, and returns its metrics. Equal answers must give equal
// points, so the receiver's clock stands still. The metrics of the scrape itself are left out: they depend on which calls are made;
// except names others that depend on which metrics are enabled.
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

// pointsOf returns the points of one metric.
func pointsOf(metric string, points map[string]float64) map[string]float64 {
	points = maps.Clone(points)
	maps.DeleteFunc(points, func(key string, _ float64) bool { return !strings.HasPrefix(key, metric+"{") })
	return points
}
