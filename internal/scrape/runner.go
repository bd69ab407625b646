// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrape contains the common logic of the receivers: it makes the calls of a scrape, reports their results, and keeps the
// state of the monitored processes.
package scrape

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// Process describes one monitored process. A Runner calls its functions one at a time.
type Process struct {
	// Endpoint is the address of the process for error messages.
	Endpoint string
	// Logger adds the names of the receiver and the process.
	Logger *zap.Logger
	// Limits maps values of rtc.entity to the settings that limit them: a selection, such as streams, or a limit without a selection,
	// such as streams::limit.
	Limits map[string]string

	// Scrape makes the calls of one scrape and records their responses.
	Scrape func(context.Context, *Scrape)
	// Finish records data derived from several responses. up reports whether the process answered any call. It may be nil.
	Finish func(up bool)
	// Resource returns the last known resource of the process, so that its identity does not change while it is down.
	Resource func() pcommon.Resource
	// StartTime returns when the process started, or 0 if that is unknown. It may be nil.
	StartTime func() pcommon.Timestamp
	// NotOffered reports whether an error means that the process does not offer a call. It may be nil.
	NotOffered func(error) bool
	// Amend changes the metrics of a scrape before their timestamps are set. It may append sums and gauges only. It may be nil.
	Amend func(pmetric.MetricSlice)
	// Close closes the connections to the process.
	Close func()
}

// Generated holds the common methods of the receivers' generated builders. T, E and R are a builder's types of the attributes
// error.type, rtc.entity and rtc.omission.reason. O is the type of its Emit options.
type Generated[T, E, R, O any] interface {
	RecordRtcTargetUpDataPoint(start pcommon.Timestamp, up int64)
	RecordRtcTargetCertificateRemainingDataPoint(start pcommon.Timestamp, seconds float64)
	RecordRtcScrapesDataPoint(start pcommon.Timestamp, n int64)
	RecordRtcScrapeDurationDataPoint(start pcommon.Timestamp, seconds float64, api string)
	RecordRtcScrapeErrorsDataPoint(start pcommon.Timestamp, n int64, api string, errorType T)
	RecordRtcScrapeOmittedCountDataPoint(start pcommon.Timestamp, n int64, entity E, reason R)
	Emit(options ...O) pmetric.Metrics
}

// Words holds the generated maps of attribute values.
type Words[T, E, R any] struct {
	ErrorTypes map[string]T
	Entities   map[string]E
	Reasons    map[string]R
}

// Runner scrapes one monitored process.
type Runner struct {
	*Report
	process   Process
	generated any
	refused   func() int64
	emit      func() pmetric.Metrics

	offers  offers
	scrapes int64
	errors  errorCounts
	self    selfMetrics
}

// selfMetrics holds functions that record the result of a scrape, with the attribute types of a receiver.
type selfMetrics struct {
	up, scrapes func(start pcommon.Timestamp, n int64)
	certificate func(start pcommon.Timestamp, seconds float64)
	duration    func(start pcommon.Timestamp, seconds float64, api string)
	errors      func(start pcommon.Timestamp, n int64, api, errorType string)
	omitted     func(start pcommon.Timestamp, n int64, entity, reason string)
}

// NewRunner returns the Runner of a process that records its metrics with b.
func NewRunner[G Generated[T, E, R, O], T, E, R, O any](b *rows.Builder[G], words Words[T, E, R], process Process) *Runner {
	g := b.Generated
	return &Runner{
		Report: newReport(process.Logger), process: process, generated: g, refused: b.TakeRefused,
		emit: func() pmetric.Metrics { return g.Emit() },
		self: selfMetrics{
			up: g.RecordRtcTargetUpDataPoint, scrapes: g.RecordRtcScrapesDataPoint, duration: g.RecordRtcScrapeDurationDataPoint,
			certificate: g.RecordRtcTargetCertificateRemainingDataPoint,
			errors: func(start pcommon.Timestamp, n int64, api, errorType string) {
				g.RecordRtcScrapeErrorsDataPoint(start, n, api, words.ErrorTypes[errorType])
			},
			omitted: func(start pcommon.Timestamp, n int64, entity, reason string) {
				g.RecordRtcScrapeOmittedCountDataPoint(start, n, words.Entities[entity], words.Reasons[reason])
			},
		},
	}
}

// Enabled returns the enabled metrics that tables of rows record. It must be called before the first scrape.
func (r *Runner) Enabled(tables ...any) []rows.Metric {
	return rows.Metrics(r.generated, r.emit, tables...)
}

// Restarted notes that the process has restarted since the previous scrape, so that calls it did not offer are made again.
func (r *Runner) Restarted() { r.offers.reset() }

// Offers reports whether the process offers a call, as far as known.
func (r *Runner) Offers(api string) bool { return !r.offers.lacks(api) }

// outcome is the result of scraping a process.
type outcome struct {
	metrics  pmetric.Metrics
	up       bool
	complete bool // see Scrape.complete
	err      error
}

// scrape scrapes the process once.
func (r *Runner) scrape(ctx context.Context) outcome {
	r.beginScrape()
	r.offers.nextScrape()
	s := &Scrape{runner: r}
	var presented certificates
	r.process.Scrape(presented.in(ctx), s)
	up := s.Answered()
	if !up {
		r.offers.reset() // another release may start in its place
	}
	if r.process.Finish != nil {
		r.process.Finish(up)
	}
	r.record(up, slices.Concat(s.results, s.elsewhere))
	if seconds, ok := presented.remaining(r.now.AsTime()); ok {
		r.self.certificate(0, seconds)
	}
	return outcome{r.finish(), up, s.complete(), s.err(r.process.Endpoint)}
}

// noteOffers notes which calls a process offers that answered at least one call. It clears the errors of calls that are not offered.
// If none of the calls of a round are offered, the heavy calls that were skipped for this reason are not offered either.
func (r *Runner) noteOffers(results []Result) {
	offered := map[int]bool{} // rounds with at least one offered call
	for i := range results {
		one := &results[i]
		if one.made && !one.known {
			one.known = true
			r.noteOffer(one)
		}
		offered[one.round] = offered[one.round] || one.made && one.Outcome != NotOffered
	}
	for i := range results {
		if one := &results[i]; one.Outcome == NotAsked && !offered[one.round] {
			r.offers.miss(one.API)
			r.clearNotOffered(one)
		}
	}
}

// noteOffer notes whether the process offers a call that was made.
func (r *Runner) noteOffer(result *Result) {
	switch {
	case result.Outcome == Answered:
		r.offers.answer(result.API)
	case r.process.NotOffered == nil || !r.process.NotOffered(result.Err):
		r.offers.fail(result.API)
	case r.offers.miss(result.API):
		r.clearNotOffered(result)
	}
}

// neverOffered reports whether a call failed because the process does not offer it and has never answered it.
func (r *Runner) neverOffered(result *Result) bool {
	return r.process.NotOffered != nil && r.process.NotOffered(result.Err) && !r.offers.of(result.API).answered
}

func (r *Runner) clearNotOffered(result *Result) {
	r.LogNotOffered(result.API, result.Err)
	result.Err, result.Outcome = nil, NotOffered
}

// LogNotOffered logs once per API that the process does not offer it. Scrapers call it for APIs that are missing from a list of the
// process. why may be nil.
func (r *Runner) LogNotOffered(api string, why error) {
	if r.Once("not offered: " + api) {
		r.Logger.Info("the server does not offer an API: the metrics that need it are omitted", zap.String("api", api), zap.Error(why))
	}
}

// record records the result of the scrape: whether the process is up, the results of its calls, and what was omitted.
func (r *Runner) record(up bool, results []Result) {
	r.self.up(0, rows.BoolToInt(up))
	r.scrapes++
	r.self.scrapes(r.start, r.scrapes)
	for i := range results {
		if results[i].made {
			r.self.duration(0, results[i].Duration.Seconds(), results[i].API)
		}
	}
	r.errors.add(results)
	for _, e := range r.errors.all() {
		r.self.errors(r.start, e.n, e.api, string(e.why))
	}
	if n := r.refused(); n > 0 {
		r.omitted[omission{"value", "invalid"}] += n
	}
	for o, n := range r.omitted {
		r.self.omitted(0, n, o.entity, o.reason)
	}
	for entity, n := range r.limited() {
		r.warnOfLimit(entity, n)
	}
}

// warnOfLimit logs once per kind of items that a limit omits some of them, and which setting to change.
func (r *Runner) warnOfLimit(entity string, n int64) {
	if !r.Once("limit: " + entity) {
		return
	}
	advice := "there are more items than the receiver reports"
	switch setting := r.process.Limits[entity]; {
	case strings.HasSuffix(setting, "::limit"):
		advice = "raise " + setting
	case setting != "":
		advice = fmt.Sprintf("raise %s::limit, or narrow the selection with %s::include and %s::exclude", setting, setting, setting)
	}
	r.Logger.Warn("items are omitted from the metrics: "+advice, zap.String("entity", entity), zap.Int64("omitted", n))
}

// withdrawal returns rtc.target.up without a value, which means that the process is no longer scraped.
func (r *Runner) withdrawal() pmetric.Metrics {
	r.beginScrape()
	r.self.up(0, 0)
	metrics := r.emit()
	rows.Finish(metrics, r.StartTime(), r.now)
	for _, rm := range metrics.ResourceMetrics().All() {
		r.process.Resource().CopyTo(rm.Resource())
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range rows.Points(m).All() {
				dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			}
		}
	}
	return metrics
}

// finish returns the metrics of the scrape with their timestamps and the resource of the process.
func (r *Runner) finish() pmetric.Metrics {
	metrics := r.emit()
	if metrics.ResourceMetrics().Len() == 0 {
		if r.process.Amend == nil {
			return metrics
		}
		metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty()
	}
	rm := metrics.ResourceMetrics().At(0)
	r.process.Resource().CopyTo(rm.Resource())
	if r.process.Amend != nil {
		r.process.Amend(rm.ScopeMetrics().At(0).Metrics())
	}
	start := r.StartTime()
	if r.process.StartTime != nil {
		start = cmp.Or(r.process.StartTime(), start)
	}
	rows.Finish(metrics, start, r.now)
	return metrics
}
