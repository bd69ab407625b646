// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// scraper scrapes one component.
type scraper struct {
	endpointConfig
	run    *scrape.Runner
	mb     *builder
	client *client
	target scrape.Target
	rows   []row

	// Metrics that the rows record.
	metrics       []rows.Metric    // by row; without a name if disabled
	fromSource    [2][]rows.Metric // by source
	fromPageOnly  []rows.Metric
	healthMetrics []rows.Metric
	wantsVersion  bool

	choice   sourceChoice
	answers  [2]*answer // of the current scrape, by source; nil if there is none
	complete bool       // no source failed in the current scrape

	met      bool     // the component responded in the last scrape
	identity identity // as it was last reported
	reported identity // in the current scrape
	mixture  mixture
	illness  string // reason why the last health check failed; empty if it passed
	sums     sums
	named    map[entity]*selection.Set[namedState]
	key      []byte // reused
}

// limits holds the settings that have a limit, by entity.
var limits = map[string]string{
	metadata.AttributeRtcEntityBridge.String(): "bridges",
	metadata.AttributeRtcEntityQueue.String():  "queues",
}

// newScrapers returns the scrapers of the components that have an endpoint. On an error, it returns those created so far.
func newScrapers(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (scrapers []*scraper, err error) {
	for _, e := range cfg.components() {
		if e.ClientConfig.Endpoint == "" {
			continue
		}
		s, err := newScraper(ctx, cfg, e, host, set)
		if err != nil {
			return scrapers, err
		}
		scrapers = append(scrapers, s)
	}
	return scrapers, nil
}

func newScraper(ctx context.Context, cfg *Config, e endpointConfig, host component.Host, set receiver.Settings) (*scraper, error) {
	target, err := scrape.NewTarget(e.ClientConfig.Endpoint, "")
	if err != nil {
		return nil, err
	}
	s := &scraper{
		endpointConfig: e, target: target, rows: componentRows[e.name],
		mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)},
		named: map[entity]*selection.Set[namedState]{
			metadata.AttributeRtcEntityBridge: selection.New[namedState](cfg.Bridges),
			metadata.AttributeRtcEntityQueue:  selection.New[namedState](cfg.Queues),
		},
		wantsVersion: e.about != "" && cfg.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled,
	}
	s.run = scrape.NewRunner(s.mb, words, scrape.Process{
		Endpoint: e.ClientConfig.Endpoint, Logger: set.Logger.With(zap.String("component", e.name)), Limits: limits,
		Scrape: s.scrape, Resource: s.resource, StartTime: s.startTime, NotOffered: isNotOffered, Amend: s.dropMixedSums,
		Close: func() { s.client.close() },
	})
	s.learnMetrics()
	s.client, err = newClient(ctx, e, keysOf(s.rows), cfg.MaxResponseSize, host, set.TelemetrySettings)
	return s, err
}

// words holds the values of the attributes that the Runner sets.
var words = scrape.Words[metadata.AttributeErrorType, entity, metadata.AttributeRtcOmissionReason]{
	ErrorTypes: metadata.MapAttributeErrorType, Entities: metadata.MapAttributeRtcEntity, Reasons: metadata.MapAttributeRtcOmissionReason,
}

// learnMetrics determines which enabled metrics come from which row and source.
func (s *scraper) learnMetrics() {
	s.metrics = make([]rows.Metric, len(s.rows))
	s.sums.last = [2][]float64{make([]float64, len(s.rows)), make([]float64, len(s.rows))}
	var points [2][]point
	for i, r := range s.rows {
		if enabled := s.run.Enabled(r.Point); len(enabled) > 0 {
			s.metrics[i] = enabled[0]
		}
		if r.stats != "" {
			points[fromStats] = append(points[fromStats], r.Point)
		}
		if r.page != "" {
			points[fromPage] = append(points[fromPage], r.Point)
		}
	}
	s.fromSource = [2][]rows.Metric{s.run.Enabled(points[fromStats]), s.run.Enabled(points[fromPage])}
	for _, m := range s.fromSource[fromPage] {
		if !slices.Contains(s.fromSource[fromStats], m) {
			s.fromPageOnly = append(s.fromPageOnly, m)
		}
	}
	if s.health != "" {
		s.healthMetrics = s.run.Enabled(jigasiHealthy)
	}
}

// scrape requests the sources of the component, and its version if the sources do not contain it.
func (s *scraper) scrape(ctx context.Context, calls *scrape.Scrape) {
	s.answers = [2]*answer{}
	calls.Run(ctx, s.calls()...)
	s.chooseSources(calls)
	if !calls.Answered() {
		s.met = false // another component may come up in its place
		return
	}
	if !s.met {
		s.met, s.identity = true, identity{}
	}
	s.record()
	if s.wantsVersion && s.identity.anyVersion() == "" && !s.mixture.mixed && ctx.Err() == nil {
		calls.Run(ctx, scrape.Call{
			API: s.about, Always: true, Ask: scrape.Fetch(s.client.Version, func(v string) { s.identity.about = v }),
		})
	}
}

// calls returns the table of calls.
func (s *scraper) calls() []scrape.Call {
	calls := []scrape.Call{{API: s.health, Metrics: s.healthMetrics, Ask: scrape.Fetch(s.client.Health, s.recordHealth)}}
	if s.requests(fromStats) {
		calls = append(calls, scrape.Call{
			API: s.stats, Metrics: s.fromSource[fromStats], Always: true,
			Ask: scrape.Fetch(s.client.Stats, func(a *answer) { s.answers[fromStats] = a }),
		})
	}
	if s.requests(fromPage) {
		metrics := s.fromSource[fromPage]
		if s.requests(fromStats) {
			metrics = s.fromPageOnly
		}
		calls = append(calls, scrape.Call{
			API: apiMetrics, Metrics: metrics, Always: true,
			Ask: scrape.Fetch(s.client.Page, func(a *answer) { s.answers[fromPage] = a }),
		})
	}
	return calls
}

// sourceChoice holds which sources are requested. Both are requested until it is made.
type sourceChoice struct {
	made      bool
	requested [2]bool
	scrapes   int // since it was made
	logged    [2]bool
}

// rechooseAfter is the number of scrapes after which the sources are chosen again, in case one of them has more values by then.
const rechooseAfter = 100

func (s *scraper) requests(from source) bool {
	switch {
	case s.source == sourceMetrics:
		return from == fromPage
	case s.source != sourceAuto:
		return from == fromStats
	case s.choice.made:
		return s.choice.requested[from]
	}
	return from == fromStats || len(s.fromSource[fromPage]) > 0
}

// chooseSources chooses the JSON response, and the page if it has values that the JSON response lacks.
func (s *scraper) chooseSources(calls *scrape.Scrape) {
	var absent [2]bool
	s.complete = true
	for from, api := range [...]string{fromStats: s.stats, fromPage: apiMetrics} {
		outcome, requested := calls.Outcome(api)
		absent[from] = requested && outcome == scrape.NotOffered
		s.complete = s.complete && (!requested || outcome != scrape.Failed && outcome != scrape.NotAsked)
	}
	s.choice.scrapes++
	switch {
	case s.source != sourceAuto:
	case !s.complete, s.choice.scrapes >= rechooseAfter:
		s.choice = sourceChoice{logged: s.choice.logged}
	case !s.choice.made:
		useful := [2]bool{s.answers[fromStats] != nil, s.answers[fromPage] != nil && s.pageHasMore()}
		s.logChoice(useful)
		s.choice = sourceChoice{made: true, requested: [2]bool{useful[0] || absent[0], useful[1] || absent[1]}, logged: useful}
	}
}

func (s *scraper) logChoice(useful [2]bool) {
	if s.choice.logged == useful {
		return
	}
	var paths []string
	for from, path := range [...]string{fromStats: s.stats, fromPage: apiMetrics} {
		if useful[from] {
			paths = append(paths, path)
		}
	}
	s.run.Logger.Info("chose the paths to request", zap.Strings("paths", paths))
}

// pageHasMore reports whether the page has values of enabled metrics that the JSON response lacks.
func (s *scraper) pageHasMore() bool {
	stats, page := s.answers[fromStats], s.answers[fromPage]
	for i := range s.rows {
		if s.metrics[i].Name != "" && page.values[i].rank > 0 && (stats == nil || stats.values[i].rank == 0) {
			return true
		}
	}
	return slices.ContainsFunc(page.named, func(v namedValue) bool { return s.metrics[v.key].Name != "" })
}

// resource returns the resource of the component.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.Generated.NewResourceBuilder()
	s.target.Describe(rb, s.service)
	scrape.SetText(rb.SetServiceVersion, s.identity.anyVersion())
	scrape.SetText(rb.SetJitsiRegion, s.identity.region)
	scrape.SetText(rb.SetJitsiRelayID, s.identity.relayID)
	scrape.SetText(rb.SetJitsiRelease, s.identity.release)
	scrape.SetText(rb.SetJitsiOctoVersion, s.identity.octo)
	return rb.Emit()
}
