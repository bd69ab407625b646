// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

type (
	generated = metadata.MetricsBuilder
	builder   = rows.Builder[*generated]
	timestamp = pcommon.Timestamp
)

// The limits of plausible values, in the units of the metrics. Values beyond them are server errors and are skipped.
const (
	maxRatio       = 10
	maxThroughput  = 1.25e12 // By/s
	maxErrorRate   = 1e9     // per second
	maxDelay       = 3.2e8   // seconds, also for ages and round-trip times
	maxDuration    = 3.2e9   // seconds
	minTime        = 1e9     // Unix time
	maxTime        = 1e10
	minTemperature = -50 // degrees Celsius
	maxTemperature = 200
)

// row maps a number of an E to a metric whose attributes are taken from a K.
type row[E, K any] struct {
	number func(*E) number
	Point  rows.Point[*generated, K]
}

// enabledPoint is the Point of an enabled metric.
type enabledPoint[K any] struct {
	rows.Point[*generated, K]
	metric rows.Metric
}

// enable returns p with its metric, and whether the metric is enabled.
func enable[K any](run *scrape.Runner, p rows.Point[*generated, K]) (enabledPoint[K], bool) {
	metrics := run.Enabled(p)
	if len(metrics) == 0 {
		return enabledPoint[K]{}, false
	}
	return enabledPoint[K]{p, metrics[0]}, true
}

// refuses reports whether a number is impossible, and counts and logs it if it is.
func (p *enabledPoint[K]) refuses(v float64, report *scrape.Report) bool {
	allowed := p.Allows(v)
	if !allowed {
		noteImpossible(report, p.metric.Name, v)
	}
	return !allowed
}

// enabledRow is a row whose metric is enabled.
type enabledRow[E, K any] struct {
	number func(*E) number
	enabledPoint[K]
}

// enabledRows returns the rows whose metrics are enabled.
func enabledRows[E, K any](run *scrape.Runner, table []row[E, K]) (enabled []enabledRow[E, K]) {
	for _, r := range table {
		if p, ok := enable(run, r.Point); ok {
			enabled = append(enabled, enabledRow[E, K]{r.number, p})
		}
	}
	return enabled
}

// rowsWith returns the rows whose numbers are present in e.
func rowsWith[E, K any](table []row[E, K], e *E) (with []row[E, K]) {
	for _, r := range table {
		if _, ok := r.number(e).Get(); ok {
			with = append(with, r)
		}
	}
	return with
}

// flag returns 1 for true and 0 for false.
func flag(b optional.Value[bool]) number {
	v, ok := b.Get()
	if !ok {
		return number{}
	}
	return optional.Of(float64(rows.BoolToInt(v)))
}

// noteImpossible counts a value that is skipped, and logs that once for each field.
func noteImpossible(report *scrape.Report, field string, v float64) {
	report.Omit(metadata.AttributeRtcEntityValue, metadata.AttributeRtcOmissionReasonInvalid, 1)
	if report.Once("impossible: " + field) {
		report.Logger.Info("the server sent an impossible value, which is skipped", zap.String("field", field), zap.Float64("value", v))
	}
}
