// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// scraper scrapes one server.
type scraper struct {
	cfg     *Config
	run     *scrape.Runner
	mb      *builder
	client  *client
	target  scrape.Target
	server  *serverRecorder
	streams *streamRecorder
	query   *streamQuery

	metrics map[string][]rows.Metric // by call
	// Metrics that the page has too. The page is requested for them if API v3 does not have them.
	serverOnPage, streamsOnPage []rows.Metric
}

// limits maps entities to the settings that limit them.
var limits = map[string]string{metadata.AttributeRtcEntityStream.String(): "streams"}

func newScraper(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (*scraper, error) {
	target, err := scrape.NewTarget(cfg.ClientConfig.Endpoint, "")
	if err != nil {
		return nil, err
	}
	s := &scraper{cfg: cfg, target: target, mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)}}
	s.client, err = newClient(ctx, cfg, host, set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	s.run = scrape.NewRunner(s.mb, words, scrape.Process{
		Endpoint: cfg.ClientConfig.Endpoint, Logger: set.Logger, Limits: limits,
		Scrape: s.scrape, Resource: s.resource, StartTime: s.startTime, NotOffered: isAbsent, Close: s.client.close,
	})
	s.server = newServerRecorder(s.mb, s.run)
	s.streams = newStreamRecorder(&cfg.Streams, s.mb, s.run, s.server)
	s.query = s.streams.query(s.run)
	s.learnMetrics()
	return s, nil
}

// words are the attribute values of the scrape metrics.
var words = scrape.Words[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]{
	ErrorTypes: metadata.MapAttributeErrorType, Entities: metadata.MapAttributeRtcEntity, Reasons: metadata.MapAttributeRtcOmissionReason,
}

// learnMetrics determines which enabled metrics come from which call.
func (s *scraper) learnMetrics() {
	inList := func(field streamField) bool {
		return slices.ContainsFunc(streamSources, func(source streamSource) bool { return source.field == field })
	}
	s.metrics = map[string][]rows.Metric{
		apiStats:    s.run.Enabled(serverRows, statsRows, serverState, diskRows, gpuRows),
		apiDVRs:     s.run.Enabled(dvrRows, dvrDiskRows, dvrDiskErrors),
		apiCards:    s.run.Enabled(cardRows),
		apiPeers:    s.run.Enabled(peerUp, peerState),
		apiSessions: s.run.Enabled(sessionCount),
		apiFiles:    s.run.Enabled(vodClients),
		apiStreams: s.run.Enabled(
			streamRowsOf(inList), streamState, countByState, streamRemote, sourceFailed, groupRows, inputRows, pushRows, pushState, trackCount,
			inputErrors, openSessions,
		),
		apiPage:      s.run.Enabled(interfaceRows, streamRowsOf(func(field streamField) bool { return !inList(field) })),
		apiOldServer: s.run.Enabled(serverRows, diskRows, gpuRows),
	}
	full := fullServer()
	s.serverOnPage = s.run.Enabled(
		rowsWith(serverRows, full), rowsWith(diskRows, &full.Disks[0]), rowsWith(gpuRows, &full.GPUs[0]),
		rowsWith(cardRows, &full.Cards[0]), rowsWith(dvrDiskRows, &full.DVRDisks[0]),
	)
	onPage := slices.Collect(maps.Values(pageStreams))
	s.streamsOnPage = s.run.Enabled(streamRowsOf(func(field streamField) bool { return slices.Contains(onPage, field) }))
}

// scrape requests the sources in order of precedence: API v3, then the page, which adds what is missing, then the API of servers that
// have neither.
func (s *scraper) scrape(ctx context.Context, calls *scrape.Scrape) {
	s.server.beginScrape()
	s.streams.beginScrape()
	if s.hasSource(sourceAPI) {
		share, cancel := s.shareOfAPI(ctx)
		defer cancel()
		calls.Run(share, s.apiCalls()...)
	}
	outcome, listed := calls.Outcome(apiStreams)
	s.streams.endList(listed && outcome != scrape.NotOffered)
	if s.hasSource(sourcePrometheus) {
		calls.Run(ctx, s.pageCall())
	}
	if (!s.hasSource(sourceAPI) || calls.Lacks(apiStats)) && (!s.hasSource(sourcePrometheus) || calls.Lacks(apiPage)) {
		calls.Run(ctx, s.oldServerCall())
	}
	s.streams.finish()
}

func (s *scraper) hasSource(source string) bool { return slices.Contains(s.cfg.Sources, source) }

// shareOfAPI limits API v3 to three quarters of the time if there is another source.
func (s *scraper) shareOfAPI(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, limited := ctx.Deadline()
	if !limited || len(s.cfg.Sources) == 1 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)/4*3)
}

// apiCalls returns the calls of API v3. The first one is always made: it shows whether the server is up, and its release.
func (s *scraper) apiCalls() []scrape.Call {
	c := s.client
	return []scrape.Call{
		{API: apiStats, Metrics: s.metrics[apiStats], Always: true, Ask: scrape.Fetch(c.Stats, s.recordStats)},
		{API: apiDVRs, Metrics: s.metrics[apiDVRs], Ask: scrape.Fetch(c.DVRs, s.server.recordDVRs)},
		{API: apiCards, Metrics: s.metrics[apiCards], Ask: scrape.Fetch(c.Cards, s.server.recordCards)},
		{API: apiPeers, Metrics: s.metrics[apiPeers], Ask: scrape.Fetch(c.Peers, s.server.recordPeers)},
		{API: apiSessions, Metrics: s.metrics[apiSessions], Ask: scrape.Fetch(c.Sessions, s.server.recordSessions)},
		{API: apiFiles, Metrics: s.metrics[apiFiles], Ask: scrape.Fetch(c.Files, s.server.recordFiles)},
		{API: apiStreams, Metrics: s.metrics[apiStreams], Heavy: true, Ask: scrape.Walk(func(ctx context.Context) (bool, error) {
			return s.streams.recordList(ctx, c, s.query)
		})},
	}
}

// pageCall returns the call of the Prometheus page, which is needed for metrics that API v3 does not have or has not returned.
func (s *scraper) pageCall() scrape.Call {
	metrics := s.metrics[apiPage]
	if !s.server.inScrape.api {
		metrics = slices.Concat(metrics, s.serverOnPage)
	}
	if !s.streams.inScrape.complete {
		metrics = slices.Concat(metrics, s.streamsOnPage)
	}
	get := func(ctx context.Context) (page, error) { return s.client.Page(ctx, s.streams.needsFromPage) }
	return scrape.Call{API: apiPage, Metrics: metrics, Always: !s.server.inScrape.api, Ask: scrape.Fetch(get, s.recordPage)}
}

// oldServerCall returns the call for servers that have neither API v3 nor the page.
func (s *scraper) oldServerCall() scrape.Call {
	return scrape.Call{
		API: apiOldServer, Metrics: s.metrics[apiOldServer], Always: true,
		Ask: scrape.Fetch(s.client.OldServer, func(answer server) { s.server.recordAnswer(&answer) }),
	}
}

// recordStats records config/stats. A different release may offer different APIs.
func (s *scraper) recordStats(answer server) {
	if s.server.recordStats(&answer) {
		s.run.Restarted()
	}
}

func (s *scraper) recordPage(p page) {
	s.server.recordAnswer(&p.server)
	s.streams.recordPage(p.Streams)
}

// resource describes the server.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.Generated.NewResourceBuilder()
	identity := &s.server.identity
	s.target.Describe(rb, "flussonic")
	scrape.SetText(rb.SetServiceVersion, identity.Version)
	scrape.SetText(rb.SetFlussonicBuild, identity.Build)
	scrape.SetText(rb.SetFlussonicHostname, identity.Hostname)
	scrape.SetText(rb.SetFlussonicServerID, cmp.Or(s.client.ServerID(), identity.ID))
	return rb.Emit()
}

// startTime returns the start time of the server, 0 if not reported yet.
func (s *scraper) startTime() pcommon.Timestamp { return s.server.startTime() }
