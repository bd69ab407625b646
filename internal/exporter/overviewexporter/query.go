// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

// evaluate returns the result of a query without rate, and the time of the newest data point. It is NaN without a series.
func (q query) evaluate(snapshot *current.TargetSnapshot) (result float64, at pcommon.Timestamp) {
	result = math.NaN()
	for _, part := range snapshot.Metrics[q.metric] {
		for series := range part.Series() {
			if q.matches(series) {
				result = q.merge(result, series.Value())
				at = max(at, series.Time)
			}
		}
	}
	if q.over != "" {
		divisor, _ := query{metric: q.over}.evaluate(snapshot)
		result /= divisor
	}
	return result, at
}

// merge adds a value to the result, which is NaN at first.
func (q query) merge(result, value float64) float64 {
	switch {
	case math.IsNaN(result):
		return value
	case math.IsNaN(value):
		return result
	case q.largest:
		return max(result, value)
	}
	return result + value
}

// matches reports whether the query includes the series.
func (q query) matches(series current.Series) bool {
	if len(q.where) == 0 {
		return true
	}
	for name, value := range series.Attributes() {
		for i := 0; i < len(q.where); i += 2 {
			if name == q.where[i] && value != q.where[i+1] {
				return false
			}
		}
	}
	return true
}
