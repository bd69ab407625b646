// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// scraper scrapes one server.
type scraper struct {
	run           *scrape.Runner
	mb            *builder
	client        *client
	target        scrape.Target
	metrics       map[string][]rows.Metric // enabled metrics that need a call, by API
	wantsServerID bool

	// Responses that do not change while the server runs.
	version cachedAnswer[version]
	apis    cachedAnswer[[]string]
	config  cachedAnswer[serverConfig]

	sessions   *sessions
	rtpServers *rtpServers
	proxies    *proxies
	streams    *streams
}

// limits holds the settings that have a limit, by entity.
var limits = map[string]string{
	metadata.AttributeRtcEntityProxy.String():     "streams",
	metadata.AttributeRtcEntityRtpServer.String(): "streams",
	metadata.AttributeRtcEntitySession.String():   "streams",
	metadata.AttributeRtcEntityStream.String():    "streams",
}

func newScraper(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (*scraper, error) {
	target, err := scrape.NewTarget(cfg.ClientConfig.Endpoint, "")
	if err != nil {
		return nil, err
	}
	c, err := newClient(ctx, cfg, host, set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	s := &scraper{
		mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.metrics(), set)}, client: c, target: target, metrics: map[string][]rows.Metric{},
		wantsServerID: cfg.MetricsBuilderConfig.ResourceAttributes.ZlmediakitServerID.Enabled,
	}
	s.run = scrape.NewRunner(s.mb, words, scrape.Process{
		Endpoint: cfg.ClientConfig.Endpoint, Logger: set.Logger, Limits: limits,
		Scrape: s.scrape, Resource: s.resource, NotOffered: isNotOffered, Close: c.close,
	})
	for api, tables := range callTables {
		s.metrics[api] = s.run.Enabled(tables...)
	}
	s.sessions = newSessions(cfg, s.mb, s.run.Report, c)
	s.rtpServers = newRTPServers(cfg, s.mb, s.run.Report)
	s.proxies = newProxies(cfg, s.mb, s.run.Report)
	s.streams = newStreams(cfg, s.mb, s.run.Report, c, s.proxies, &s.config)
	return s, nil
}

// words holds the values of the attributes that the Runner sets.
var words = scrape.Words[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]{
	ErrorTypes: metadata.MapAttributeErrorType, Entities: metadata.MapAttributeRtcEntity, Reasons: metadata.MapAttributeRtcOmissionReason,
}

// scrape makes the calls that enabled metrics need, and records the metrics that combine several responses.
func (s *scraper) scrape(ctx context.Context, calls *scrape.Scrape) {
	s.rtpServers.beginScrape()
	s.proxies.beginScrape()
	s.streams.beginScrape()
	build := s.client.Build()
	if s.version.known && s.version.build != build {
		s.run.Restarted()
	}
	calls.RunFirst(ctx, s.versionCall(s.version.isCurrent(build)), s.apiListCall(s.apis.isCurrent(build)))
	calls.Run(ctx, s.calls()...)
	if !calls.Made() { // no metric needs a call, but rtc.target.up does
		calls.Run(ctx, s.versionCall(false))
	}
	s.streams.recordSchedule()
	s.rtpServers.recordIdle(s.streams)
	if !calls.Answered() { // another server may come up in its place
		s.version.current, s.apis.current, s.config.current = false, false, false
		return
	}
	recordAPIs(s.mb, s.apis.value)
	recordRTPLimit(s.mb, s.config.value.PortRange)
}

// calls returns the table of calls.
func (s *scraper) calls() []scrape.Call {
	calls := []scrape.Call{
		{
			API: apiServerConfig, Always: s.wantsServerID, Known: s.config.isCurrent(s.client.Build()),
			Ask: s.config.fetch(s.client, s.client.ServerConfig),
		},
		{API: apiNetworkThreads, Ask: s.threads(apiNetworkThreads, metadata.AttributeZlmediakitThreadPoolNetwork)},
		{API: apiWorkThreads, Ask: s.threads(apiWorkThreads, metadata.AttributeZlmediakitThreadPoolWork)},
		{API: apiStatistic, Ask: scrape.Fetch(s.statistic, func(st statistic) { recordStatistic(s.mb, st) })},
		{API: apiSessions, Ask: scrape.Fetch(s.sessions.read, s.sessions.record)},
		{API: apiPullProxies, Ask: fetchOf(apiPullProxies, s.client.Proxies, s.proxies.recordPull)},
		{API: apiPushProxies, Ask: fetchOf(apiPushProxies, s.client.Proxies, s.proxies.recordPush)},
		{API: apiRTPServers, Ask: scrape.Fetch(s.client.RTPServers, s.rtpServers.record)},
		{API: apiFFmpegSources, Ask: s.length(apiFFmpegSources)},
		{API: apiRooms, Ask: s.length(apiRooms)},
		{API: apiRoomKeepers, Ask: s.length(apiRoomKeepers)},
		{API: apiMediaList, Heavy: true, NotDue: !s.streams.listing.due(), Ask: scrape.Walk(s.streams.recordList)},
		{API: apiMediaInfo, Heavy: true, Ask: scrape.Walk(s.streams.recordLosses)},
		{API: apiRTPSenders, Heavy: true, Ask: scrape.Walk(s.streams.recordSenders)},
	}
	for i := range calls {
		calls[i].Metrics = s.metrics[calls[i].API]
	}
	return s.dropUnoffered(calls)
}

func (s *scraper) threads(api string, pool threadPool) scrape.Ask {
	return fetchOf(api, s.client.Threads, func(threads []thread) { recordThreads(s.mb, pool, threads) })
}

func (s *scraper) statistic(ctx context.Context) (statistic, error) {
	return s.client.Statistic(ctx, isObjectType)
}

// length returns an Ask that requests a list and records its length.
func (s *scraper) length(api string) scrape.Ask {
	return fetchOf(api, s.client.Count, func(n int64) { lengthRows[api].Record(s.mb, n, rows.None{}) })
}

// fetchOf is scrape.Fetch for a method of the client that serves several APIs.
func fetchOf[T any](api string, get func(context.Context, string) (T, error), record func(T)) scrape.Ask {
	return scrape.Fetch(func(ctx context.Context) (T, error) { return get(ctx, api) }, record)
}

// dropUnoffered drops the calls that are not in the server's list of APIs.
func (s *scraper) dropUnoffered(calls []scrape.Call) []scrape.Call {
	return slices.DeleteFunc(calls, func(c scrape.Call) bool {
		if s.apis.value == nil || slices.Contains(s.apis.value, c.API) {
			return false
		}
		if len(c.Metrics) > 0 || c.Always {
			s.run.LogNotOffered(c.API, nil)
		}
		return true
	})
}

// cachedAnswer holds the response to a call that is made once per build of the server. It is kept while the server is down.
type cachedAnswer[T any] struct {
	value   T
	known   bool   // value is a response
	current bool   // value is a complete response of the server that was up in the last scrape
	build   string // the Server header of the response
}

// isCurrent reports whether the call need not be repeated: it has succeeded, and the server has not been replaced.
func (a *cachedAnswer[T]) isCurrent(build string) bool { return a.current && a.build == build }

// fetch returns an Ask that keeps the response. A partial response is used, but requested again.
func (a *cachedAnswer[T]) fetch(c *client, get func(context.Context) (T, error)) scrape.Ask {
	return func(ctx context.Context) (func(), error) {
		value, err := get(ctx)
		if err != nil && !scrape.IsPartial(err) {
			return nil, err
		}
		return func() { *a = cachedAnswer[T]{value: value, known: true, current: err == nil, build: c.Build()} }, err
	}
}

func (s *scraper) versionCall(known bool) scrape.Call {
	return scrape.Call{API: apiVersion, Always: true, Known: known, Ask: s.version.fetch(s.client, s.client.Version)}
}

func (s *scraper) apiListCall(known bool) scrape.Call {
	return scrape.Call{
		API: apiList, Metrics: s.metrics[apiList], Always: true, Known: known, Ask: s.apis.fetch(s.client, s.client.APIs),
	}
}

// resource returns the resource of the server.
func (s *scraper) resource() pcommon.Resource {
	v := s.version.value
	if v == (version{}) {
		v = versionOf(s.client.Build())
	}
	rb := s.mb.Generated.NewResourceBuilder()
	s.target.Describe(rb, "zlmediakit")
	scrape.SetText(rb.SetServiceVersion, v.Commit)
	scrape.SetText(rb.SetZlmediakitBuildBranch, v.Branch)
	scrape.SetText(rb.SetZlmediakitBuildTime, v.BuildTime)
	scrape.SetText(rb.SetZlmediakitServerID, s.config.value.ServerID)
	return rb.Emit()
}
