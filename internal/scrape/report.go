// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"iter"
	"reflect"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
)

// Recorder is the generated builder of a receiver, as far as all of them are alike. T, E and R are its enums of error.type,
// rtc.entity and rtc.omission.reason.
type Recorder[T, E, R any] interface {
	RecordRtcTargetUpDataPoint(now pcommon.Timestamp, up int64)
	RecordRtcScrapesDataPoint(now pcommon.Timestamp, n int64)
	RecordRtcScrapeDurationDataPoint(now pcommon.Timestamp, seconds float64, api string)
	RecordRtcScrapeErrorsDataPoint(now pcommon.Timestamp, n int64, api string, errorType T)
	RecordRtcScrapeOmittedCountDataPoint(now pcommon.Timestamp, n int64, entity E, reason R)
}

// Report is what all receivers tell alike of the scrapes of one process.
type Report[T any, E, R comparable] struct {
	began   pcommon.Timestamp
	starts  *cumulative.Starts
	types   map[string]T
	scrapes int64
	errors  Errors
	omitted map[omission[E, R]]int64 // of the current scrape
}

// omission is why things of one kind are left out.
type omission[E, R comparable] struct {
	entity E
	reason R
}

// NewReport returns the report of a process that is scraped from now on. Scrapes and errors are counted since then, whenever
// the process itself began, which starts is told. The types are the generated map of error.type's values.
func NewReport[T any, E, R comparable](types map[string]T, starts *cumulative.Starts) *Report[T, E, R] {
	return &Report[T, E, R]{
		began: pcommon.NewTimestampFromTime(time.Now()), starts: starts,
		types: types, omitted: map[omission[E, R]]int64{},
	}
}

// Began returns when the first scrape was prepared: the start of what the process does not tell the start of.
func (r *Report[T, E, R]) Began() pcommon.Timestamp { return r.began }

// Begin starts the next scrape.
func (r *Report[T, E, R]) Begin() { clear(r.omitted) }

// Omit counts things that are left out; n may be 0, to say that none are.
func (r *Report[T, E, R]) Omit(entity E, reason R, n int64) {
	r.omitted[omission[E, R]{entity, reason}] += n
}

// Omitted returns the kinds of things that the current scrape has left out for a reason, and how many.
func (r *Report[T, E, R]) Omitted(reason R) iter.Seq2[E, int64] {
	return func(yield func(E, int64) bool) {
		for o, n := range r.omitted {
			if o.reason == reason && n > 0 && !yield(o.entity, n) {
				return
			}
		}
	}
}

// Record records how the scrape went: whether the process is up, what became of its calls, and what was left out.
func (r *Report[T, E, R]) Record(mb Recorder[T, E, R], now pcommon.Timestamp, up bool, results []Result) {
	mb.RecordRtcTargetUpDataPoint(now, Number(up))
	r.scrapes++
	mb.RecordRtcScrapesDataPoint(now, r.scrapes)
	r.starts.Add("rtc.scrapes", r.began, now)
	for i := range results {
		if results[i].Asked() {
			mb.RecordRtcScrapeDurationDataPoint(now, results[i].Duration.Seconds(), results[i].API)
		}
	}
	r.errors.Add(results)
	for _, e := range r.errors.All() {
		mb.RecordRtcScrapeErrorsDataPoint(now, e.N, e.API, r.types[string(e.Type)])
		r.starts.Add("rtc.scrape.errors", r.began, now)
	}
	for o, n := range r.omitted {
		mb.RecordRtcScrapeOmittedCountDataPoint(now, n, o.entity, o.reason)
	}
}

// Notices holds what has been logged, because a log line per scrape helps nobody. The zero value is ready.
type Notices struct{ given map[string]bool }

// First reports whether a notice has not been given yet.
func (n *Notices) First(notice string) bool {
	if n.given == nil {
		n.given = map[string]bool{}
	}
	given := n.given[notice]
	n.given[notice] = true
	return !given
}

// EnabledMetrics returns the names of the metrics that are switched on in a generated MetricsConfig; config is a pointer to it.
func EnabledMetrics(config any) (names []string) {
	for field, metric := range reflect.ValueOf(config).Elem().Fields() {
		if metric.FieldByName("Enabled").Bool() {
			names = append(names, field.Tag.Get("mapstructure"))
		}
	}
	return names
}
