// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// userMetrics passes the metrics of a page through under their own names.
type userMetrics struct {
	page     *page
	endpoint string

	// State of the current scrape.
	answer  pageAnswer
	refused map[string]bool // names of the receiver's own metrics
}

func newUserMetrics(
	ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings,
) (u *userMetrics, err error) {
	u = &userMetrics{endpoint: cfg.UserMetrics.Endpoint, refused: map[string]bool{}}
	u.page, err = newPage(ctx, "user_metrics", &cfg.UserMetrics, cfg.MaxResponseSize, u.accept, host, set)
	return u, err
}

// scrape requests the page while other calls are made. Its samples are recorded by appendTo.
func (u *userMetrics) scrape(ctx context.Context, calls *scrape.Scrape) {
	calls.RunElsewhere(ctx, u.endpoint, scrape.Call{API: u.page.path, Ask: scrape.Walk(u.read)})
}

// read requests the page. If the page uses names of the receiver's own metrics, the error lists them.
func (u *userMetrics) read(ctx context.Context) (recorded bool, err error) {
	u.answer = pageAnswer{}
	clear(u.refused)
	answer, err := u.page.Get(ctx)
	if err != nil && !scrape.IsPartial(err) {
		return false, err
	}
	u.answer = *answer
	if len(u.refused) > 0 {
		names := strings.Join(slices.Sorted(maps.Keys(u.refused)), ", ")
		err = errors.Join(err, &partialError{scrape.Format, "skipped samples with names of the receiver's own metrics: " + names})
	}
	return true, err
}

// ownNames are the names of the receiver's own metrics in Prometheus.
var ownNames = func() map[string]bool {
	names := map[string]bool{}
	for field := range reflect.TypeFor[metadata.MetricsConfig]().Fields() {
		name := strings.ReplaceAll(field.Tag.Get("mapstructure"), ".", "_")
		for _, suffix := range []string{"", "_total", "_seconds", "_seconds_total", "_bytes", "_bytes_total", "_ratio"} {
			names[name+suffix] = true
		}
	}
	return names
}()

// isOwn reports whether a name is one of the receiver's own metrics or has one of their prefixes.
func isOwn(name string) bool {
	return strings.HasPrefix(name, "kamailio.") || strings.HasPrefix(name, "rtpengine.") || strings.HasPrefix(name, "rtc.") || ownNames[name]
}

// maxRefused bounds the number of refused names that an error lists.
const maxRefused = 8

// accept reports whether a metric may pass, and remembers refused names.
func (u *userMetrics) accept(name string) bool {
	if !isOwn(name) {
		return true
	}
	if len(u.refused) < maxRefused {
		u.refused[name] = true
	}
	return false
}

// appendTo appends the metrics of the page.
func (u *userMetrics) appendTo(metrics pmetric.MetricSlice) {
	byName := map[string]pmetric.NumberDataPointSlice{}
	for i := range u.answer.Samples {
		s := &u.answer.Samples[i]
		points, known := byName[s.Name]
		if !known {
			points = appendMetric(metrics, s.Name, s.Help, s.Counter)
			byName[s.Name] = points
		}
		dp := points.AppendEmpty()
		dp.SetDoubleValue(s.Value)
		for _, l := range s.Labels {
			dp.Attributes().PutStr(l.Name, l.Value)
		}
	}
}

// appendMetric appends a monotonic sum or a gauge and returns its data points.
func appendMetric(metrics pmetric.MetricSlice, name, description string, counter bool) pmetric.NumberDataPointSlice {
	m := metrics.AppendEmpty()
	m.SetName(name)
	m.SetDescription(description)
	if !counter {
		return m.SetEmptyGauge().DataPoints()
	}
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return sum.DataPoints()
}
