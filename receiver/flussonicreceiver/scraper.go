// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// scraper turns the server's answers into metrics.
type scraper struct {
	cfg    *Config
	set    receiver.Settings
	mb     *metadata.MetricsBuilder
	client *client
	target scrape.Target
	health *scrape.Health
	clock  func() time.Time
	starts cumulative.Starts
	report *report
	wants  map[string]int // enabled metrics by the call that they need
	offers offers

	server  *serverScraper
	streams *streams

	notices scrape.Notices
}

// report is what the scrapes tell of themselves.
type report = scrape.Report[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]

func newReport(starts *cumulative.Starts) *report {
	return scrape.NewReport[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason](metadata.MapAttributeErrorType, starts)
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	s := &scraper{
		cfg: cfg, set: set, clock: time.Now,
		mb:     metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		wants:  countWanted(&cfg.MetricsBuilderConfig.Metrics),
		offers: offers{},
	}
	s.report = newReport(&s.starts)
	s.server = newServerScraper(s)
	s.streams = newStreams(s)
	return s
}

func (s *scraper) start(ctx context.Context, host component.Host) (err error) {
	if s.target, err = scrape.NewTarget(s.cfg.ClientConfig.Endpoint, ""); err != nil {
		return err
	}
	s.health = scrape.NewHealth(host)
	s.client, err = newClient(ctx, s.cfg, host, s.set.TelemetrySettings)
	return err
}

func (s *scraper) shutdown(context.Context) error {
	if s.client != nil {
		s.client.close()
	}
	return nil
}

// scrape asks the server once for everything that enabled metrics need.
func (s *scraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	now := pcommon.NewTimestampFromTime(s.clock())
	s.report.Begin()
	s.server.begin()
	s.streams.begin()
	results := s.ask(ctx, now)
	up := scrape.Up(results)
	if up {
		s.forgive(results)
	}
	err := scrape.Err(s.cfg.ClientConfig.Endpoint, results)
	s.streams.finish(now)
	s.recordScrape(now, up, results)
	if up {
		s.health.Report(nil)
	} else {
		s.health.Report(err)
	}
	start := min(cmp.Or(s.server.start(), s.report.Began()), now)
	metrics := s.mb.Emit(metadata.WithResource(s.resource()), metadata.WithStartTimeOverride(start))
	s.starts.Apply(metrics)
	return metrics, err
}

// ask reads the sources in the order of their precedence: API v3, then the page, which fills in what is missing, then what
// servers have that know neither.
func (s *scraper) ask(ctx context.Context, now pcommon.Timestamp) []scrape.Result {
	var results []scrape.Result
	if slices.Contains(s.cfg.Sources, sourceAPI) {
		apiCtx, cancel := s.share(ctx)
		defer cancel()
		results = scrape.Run(apiCtx, nil, func() []scrape.Part { return s.parts(now) })
	}
	if slices.Contains(s.cfg.Sources, sourcePrometheus) {
		results = slices.Concat(results, scrape.Run(ctx, nil, func() []scrape.Part { return s.page(now) }))
	}
	if s.lacks(sourceAPI, apiStats, results) && s.lacks(sourcePrometheus, apiPage, results) {
		results = slices.Concat(results, scrape.Run(ctx, nil, func() []scrape.Part { return s.oldServer(now) }))
	}
	return results
}

// share leaves API v3 three quarters of the time where there is another source.
func (s *scraper) share(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited || len(s.cfg.Sources) == 1 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)/4*3)
}

// lacks reports whether a source, which may not be wanted, turned out not to be offered.
func (s *scraper) lacks(source, api string, results []scrape.Result) bool {
	return !slices.Contains(s.cfg.Sources, source) || s.offers.lack(api) ||
		slices.ContainsFunc(results, func(r scrape.Result) bool { return r.API == api && isAbsent(r.Err) })
}

// forgive clears the 404s of paths that the server does not offer, from a server that answered something else. Where it
// offers none of API v3, it does not offer the heavy calls either, which were not made.
func (s *scraper) forgive(results []scrape.Result) {
	s.offers.pass()
	release := ""
	if s.server.told {
		release = s.server.given.Version + " " + s.server.given.Build
	}
	forgiven := 0
	for i := range results {
		switch r := &results[i]; {
		case r.Answered():
			s.offers.answer(r.API, release)
		case r.Asked() && !isAbsent(r.Err):
			s.offers.fail(r.API)
		case r.Asked() && s.offers.miss(r.API, release):
			if s.notices.First("absent " + r.API) {
				s.set.Logger.Info("the server does not offer an API: the metrics that need it are left out, unless another source tells them",
					zap.String("api", r.API))
			}
			r.Err = nil
			forgiven++
		}
	}
	for i := range results {
		if r := &results[i]; !r.Asked() && forgiven > 0 && s.offers.lack(apiStats) {
			s.offers.missAll(r.API)
			r.Err = nil
		}
	}
}

// neededBy says which call a metric needs, by the beginning of its name; the first that fits counts.
var neededBy = []struct{ metric, api string }{
	{"rtc.", ""},
	{"flussonic.network.io", apiPage},
	{"flussonic.stream.client.delay", apiPage},
	{"flussonic.stream.count_by_state", apiStreams},
	{"flussonic.stream.count", apiStats},
	{"flussonic.stream.online.count", apiStats},
	{"flussonic.stream.", apiStreams},
	{"flussonic.dvr.", apiDVRs},
	{"flussonic.dvb.", apiCards},
	{"flussonic.cluster.", apiPeers},
	{"flussonic.session.", apiSessions},
	{"flussonic.vod.", apiFiles},
	{"flussonic.", apiStats},
}

func countWanted(m *metadata.MetricsConfig) map[string]int {
	wants := map[string]int{}
	for _, name := range scrape.EnabledMetrics(m) {
		for _, row := range neededBy {
			if strings.HasPrefix(name, row.metric) {
				wants[row.api]++
				break
			}
		}
	}
	return wants
}

// parts is the table of calls of API v3: how many enabled metrics are missing when each fails, and what becomes of its answer.
func (s *scraper) parts(now pcommon.Timestamp) []scrape.Part {
	c := s.client
	parts := []scrape.Part{
		{API: apiStats, Call: scrape.Fetch(c.Stats, func(told server) { s.server.recordStats(now, &told) })},
		{API: apiDVRs, Call: scrape.Fetch(c.DVRs, func(all []dvr) { s.server.recordDVRs(now, all) })},
		{API: apiCards, Call: scrape.Fetch(c.Cards, func(all []card) { s.server.recordCards(now, all) })},
		{API: apiPeers, Call: scrape.Fetch(c.Peers, func(peers map[string]bool) { s.server.recordPeers(now, peers) })},
		{API: apiSessions, Call: scrape.Fetch(c.Sessions, func(all sessions) { s.server.recordSessions(now, &all) })},
		{API: apiFiles, Call: scrape.Fetch(c.Files, func(viewers map[string]float64) { s.server.recordFiles(now, viewers) })},
		{API: apiStreams, Heavy: true, Call: s.streams.list(now)},
	}
	s.wants[apiStats] = max(1, s.wants[apiStats]) // it also tells whether the server is there, and its version
	for i := range parts {
		if !s.offers.lack(parts[i].API) {
			parts[i].Metrics = s.wants[parts[i].API]
		}
	}
	return parts
}

// page is the call for the Prometheus page, which is needed for what API v3 does not have, or has failed to tell.
func (s *scraper) page(now pcommon.Timestamp) []scrape.Part {
	n := s.wants[apiPage]
	if !s.server.told {
		n = max(1, n+s.server.onPage)
	}
	if !s.streams.complete {
		n += s.streams.onPage
	}
	if s.offers.lack(apiPage) {
		n = 0
	}
	read := func(ctx context.Context) (page, error) { return s.client.Page(ctx, s.streams.wanted) }
	return []scrape.Part{{API: apiPage, Metrics: n, Call: scrape.Fetch(read, func(p page) {
		s.server.recordPage(now, &p.server)
		s.streams.recordPage(now, p.Streams)
	})}}
}

// oldServer is the last resort.
func (s *scraper) oldServer(now pcommon.Timestamp) []scrape.Part {
	return []scrape.Part{{API: apiOldServer, Metrics: max(1, s.server.onPage), Call: scrape.Fetch(s.client.OldServer, func(told server) {
		s.server.recordPage(now, &told)
	})}}
}

func (s *scraper) resources() []pcommon.Resource { return []pcommon.Resource{s.resource()} }

// resource describes the server as it was last seen, so that its identity stays the same while it is down.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.NewResourceBuilder()
	rb.SetServiceName("flussonic")
	rb.SetServiceInstanceID(s.target.Instance)
	rb.SetServerAddress(s.target.Address)
	rb.SetServerPort(s.target.Port)
	about := &s.server.about
	for _, attribute := range []struct {
		set   func(string)
		value string
	}{
		{rb.SetServiceVersion, about.Version},
		{rb.SetFlussonicBuild, about.Build},
		{rb.SetFlussonicHostname, about.Hostname},
		{rb.SetFlussonicServerID, cmp.Or(s.client.ServerID(), about.ID)},
	} {
		if attribute.value != "" {
			attribute.set(selection.Name(attribute.value))
		}
	}
	return rb.Emit()
}

// recordScrape records how the scrape itself went.
func (s *scraper) recordScrape(now pcommon.Timestamp, up bool, results []scrape.Result) {
	s.report.Record(s.mb, now, up, results)
	for entity, n := range s.report.Omitted(metadata.AttributeRtcOmissionReasonLimit) {
		if !s.notices.First("limit " + entity.String()) {
			continue
		}
		if entity == metadata.AttributeRtcEntityStream {
			s.set.Logger.Warn("things are left out of the metrics: raise streams::limit, or narrow it with streams::include and streams::exclude",
				zap.Stringer("kind", entity), zap.Int64("left out", n), zap.Int("limit", s.cfg.Streams.Limit))
			continue
		}
		s.set.Logger.Warn("things are left out of the metrics: there are more of a kind than the receiver reports",
			zap.Stringer("kind", entity), zap.Int64("left out", n))
	}
}
