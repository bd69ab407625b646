// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"reflect"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Metric describes a metric that a Point records.
type Metric struct {
	Name string
	// Monotonic reports whether the metric is a monotonic sum.
	Monotonic bool
}

// example is a Point of any metric.
type example interface{ Example(generated any) }

// Metrics returns the enabled metrics that tables record. A table is a Point or a value that contains Points in exported fields,
// elements or map values. generated is the generated builder, and emit is its Emit.
func Metrics(generated any, emit func() pmetric.Metrics, tables ...any) []Metric {
	for _, table := range tables {
		eachPoint(reflect.ValueOf(table), func(e example) { e.Example(generated) })
	}
	var metrics []Metric
	for _, rm := range emit().ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				metrics = append(metrics, Metric{m.Name(), IsMonotonic(m)})
			}
		}
	}
	return metrics
}

// eachPoint calls f for each Point in a table.
func eachPoint(v reflect.Value, f func(example)) {
	if !v.IsValid() || !v.CanInterface() {
		return
	}
	if e, ok := reflect.TypeAssert[example](v); ok {
		f(e)
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		eachPoint(v.Elem(), f)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			eachPoint(v.Index(i), f)
		}
	case reflect.Map:
		for _, value := range v.Seq2() {
			eachPoint(value, f)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			eachPoint(field, f)
		}
	}
}

// IsMonotonic reports whether a metric is a monotonic sum.
func IsMonotonic(m pmetric.Metric) bool {
	return m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()
}

// Finish sets the timestamps and start times of recorded data points. Data points without a start time of their own get that of the
// process. No start time is later than now, even if the clock of the server is wrong.
func Finish(metrics pmetric.Metrics, start, now pcommon.Timestamp) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, dp := range Points(m).All() {
					own := dp.Timestamp()
					if own == 0 {
						own = start
					}
					dp.SetStartTimestamp(min(own, now))
					dp.SetTimestamp(now)
				}
			}
		}
	}
}

// Points returns the data points of a gauge or sum, the only types of generated builders.
func Points(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}
