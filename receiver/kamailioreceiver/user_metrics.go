// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// userMetrics passes a page of metrics through, under its own names.
type userMetrics struct {
	cfg  *Config
	page *page

	// Of the current scrape.
	seen    map[string]bool // series
	byName  map[string]pmetric.Metric
	refused map[string]bool // names that are ours
	omitted int64
	metrics pmetric.MetricSlice
	results []scrape.Result
	err     error
}

func newUserMetrics(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (*userMetrics, error) {
	p, err := newPage(ctx, "user_metrics", &cfg.UserMetrics, host, set.TelemetrySettings)
	return &userMetrics{cfg: cfg, page: p}, err
}

// scrape reads the page once.
func (u *userMetrics) scrape(ctx context.Context, now pcommon.Timestamp) {
	u.seen, u.byName, u.refused = map[string]bool{}, map[string]pmetric.Metric{}, map[string]bool{}
	u.omitted, u.metrics = 0, pmetric.NewMetricSlice()
	u.results = scrape.Run(ctx, nil, func() []scrape.Part {
		return []scrape.Part{{API: u.page.path, Metrics: 1, Call: func(ctx context.Context) (func(), error) {
			err := u.page.Each(ctx, func(s *exposition.Sample) error {
				u.add(now, s)
				return nil
			})
			if err != nil && !scrape.IsPartial(err) {
				u.metrics = pmetric.NewMetricSlice()
				return nil, err
			}
			if len(u.refused) > 0 {
				refused := &partialError{scrape.Format, fmt.Sprintf("names of the receiver's own metrics, which are left out: %s", strings.Join(slices.Sorted(maps.Keys(u.refused)), ", "))}
				err = errors.Join(err, refused)
			}
			return func() {}, err
		}}}
	})
	u.err = scrape.Err(u.cfg.UserMetrics.Endpoint, u.results)
}

// ownNames are the names that the receiver's own metrics have at Prometheus.
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

// isOurs reports whether a name is, or looks like, one of the receiver's own metrics.
func isOurs(name string) bool {
	return strings.HasPrefix(name, "kamailio.") || strings.HasPrefix(name, "rtpengine.") || strings.HasPrefix(name, "rtc.") || ownNames[name]
}

// maxRefused bounds how many names are told that are refused.
const maxRefused = 8

// add adds one sample. What is no finite number is none.
func (u *userMetrics) add(now pcommon.Timestamp, s *exposition.Sample) {
	name := selection.Name(s.Name)
	key := seriesOf(s)
	switch {
	case math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || u.seen[key]:
		return
	case isOurs(name):
		if len(u.refused) < maxRefused {
			u.refused[name] = true
		}
		return
	case len(u.seen) == maxSeries:
		u.omitted++
		return
	}
	u.seen[key] = true
	dp := u.points(name, s.Family).AppendEmpty()
	dp.SetTimestamp(now)
	dp.SetDoubleValue(s.Value)
	for _, l := range s.Labels {
		dp.Attributes().PutStr(selection.Name(l.Name), selection.Name(l.Value))
	}
}

// points returns the points of a metric, which is made when it is first met. What is not announced as a counter is a gauge.
func (u *userMetrics) points(name string, family *exposition.Family) pmetric.NumberDataPointSlice {
	m, known := u.byName[name]
	if !known {
		m = u.metrics.AppendEmpty()
		u.byName[name] = m
		m.SetName(name)
		m.SetDescription(selection.Name(family.Help))
		if family.Type == exposition.Counter {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		} else {
			m.SetEmptyGauge()
		}
	}
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}

// moveTo appends the metrics to those of the server, which is the one that counts.
func (u *userMetrics) moveTo(metrics pmetric.MetricSlice, start pcommon.Timestamp) {
	for _, m := range u.metrics.All() {
		if m.Type() == pmetric.MetricTypeSum {
			for _, dp := range m.Sum().DataPoints().All() {
				dp.SetStartTimestamp(start)
			}
		}
	}
	u.metrics.MoveAndAppendTo(metrics)
}
