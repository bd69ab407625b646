// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// scraper turns the server's answers into metrics.
type scraper struct {
	cfg    *Config
	set    receiver.Settings
	mb     *metadata.MetricsBuilder
	client *client
	target scrape.Target
	health *scrape.Health
	starts cumulative.Starts
	report *report

	// Answers that stay the same while the server runs.
	version cachedAnswer[version]
	apis    cachedAnswer[[]string]
	config  cachedAnswer[serverConfig]

	streams       *streams
	proxies       *proxies
	sessionCounts *tally[sessionKind, int64]
	rtpCounts     *tally[rtpGroup, int64]

	// Of the current scrape.
	rtpServers []rtpServer // nil when unknown

	clock   func() time.Time
	notices scrape.Notices
}

// cachedAnswer is the answer to a call that is made once per build of the server. The last answer is kept while the server is down.
type cachedAnswer[T any] struct {
	value   T
	has     bool   // value is an answer
	current bool   // the call needs no repetition
	build   string // the Server header that came with the answer
}

// due reports whether the call has to be made: it has not succeeded yet, or the server has been exchanged.
func (a *cachedAnswer[T]) due(build string) bool {
	return !a.current || a.build != build
}

// fetch is scrape.Fetch for such a call. An answer that is spoilt in part is used, and asked for again.
func (a *cachedAnswer[T]) fetch(c *client, get func(context.Context) (T, error)) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		value, err := get(ctx)
		if err != nil && !scrape.IsPartial(err) {
			return nil, err
		}
		return func() { *a = cachedAnswer[T]{value: value, has: true, current: err == nil, build: c.Build()} }, err
	}
}

// report is what the scrapes tell of themselves.
type report = scrape.Report[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]

func newReport(starts *cumulative.Starts) *report {
	return scrape.NewReport[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason](metadata.MapAttributeErrorType, starts)
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	s := &scraper{
		cfg: cfg, set: set,
		mb:            metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		clock:         time.Now,
		sessionCounts: newTally[sessionKind, int64](0, nil),
		rtpCounts:     newTally[rtpGroup, int64](cfg.Streams.Limit, rtpGroup.other),
	}
	s.report = newReport(&s.starts)
	s.streams = newStreams(s)
	s.proxies = newProxies(s)
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
	s.rtpServers, s.proxies.gone = nil, nil
	s.report.Begin()
	results := scrape.Run(ctx, s.identity(), func() []scrape.Part { return s.parts(now) })
	if len(results) == 0 { // nothing is wanted but whether the server is there
		s.version.current = false
		results = scrape.Run(ctx, s.identity(), func() []scrape.Part { return nil })
	}
	err := scrape.Err(s.cfg.ClientConfig.Endpoint, results)
	up := scrape.Up(results)
	s.recordIdleRTPServers(now)
	if up {
		s.recordAPIs(now)
		s.recordRTPLimit(now)
	}
	s.streams.recordInterval(now)
	s.recordScrape(now, up, results)
	if up {
		s.health.Report(nil)
	} else {
		s.health.Report(err)
		s.version.current, s.apis.current, s.config.current = false, false, false // another server may come up in its place
	}
	start := min(s.report.Began(), now)
	metrics := s.mb.Emit(metadata.WithResource(s.resource()), metadata.WithStartTimeOverride(start))
	s.starts.Apply(metrics)
	return metrics, err
}

// identity returns the first calls to a server that is new, was replaced or was down, until it has answered them.
func (s *scraper) identity() []scrape.Part {
	m := &s.cfg.MetricsBuilderConfig.Metrics
	var parts []scrape.Part
	if s.version.due(s.client.Build()) {
		parts = append(parts, scrape.Part{API: apiVersion, Metrics: 1, Call: s.version.fetch(s.client, s.client.Version)})
	}
	if s.apis.due(s.client.Build()) {
		parts = append(parts, scrape.Part{
			API: apiList, Metrics: 1 + scrape.Enabled(m.ZlmediakitAPIAvailable.Enabled, m.ZlmediakitAPICount.Enabled),
			Call: s.apis.fetch(s.client, s.client.APIs),
		})
	}
	return parts
}

// configMetrics counts what is enabled and needs the server's configuration.
func (s *scraper) configMetrics() int {
	if !s.config.due(s.client.Build()) {
		return 0
	}
	m := &s.cfg.MetricsBuilderConfig.Metrics
	return scrape.Enabled(s.cfg.MetricsBuilderConfig.ResourceAttributes.ZlmediakitServerID.Enabled,
		m.ZlmediakitRtpServerLimit.Enabled, m.ZlmediakitStreamAlive.Enabled)
}

// offered leaves out the calls that the server does not know.
func (s *scraper) offered(parts []scrape.Part) []scrape.Part {
	for i, p := range parts {
		if s.apis.value == nil || p.Metrics == 0 || slices.Contains(s.apis.value, p.API) {
			continue
		}
		parts[i].Metrics = 0
		if s.notices.First("api " + p.API) {
			s.set.Logger.Info("the server does not offer an API: the metrics that need it are left out", zap.String("api", p.API))
		}
	}
	return parts
}

// parts is the table of calls: how many enabled metrics are missing when each fails, and what becomes of its answer.
func (s *scraper) parts(now pcommon.Timestamp) []scrape.Part {
	m := &s.cfg.MetricsBuilderConfig.Metrics
	threads := scrape.Enabled(m.ZlmediakitThreadCount.Enabled, m.ZlmediakitThreadDelay.Enabled,
		m.ZlmediakitThreadFileDescriptorCount.Enabled, m.ZlmediakitThreadUtilization.Enabled)
	proxies := scrape.Enabled(m.ZlmediakitProxyAge.Enabled, m.ZlmediakitProxyCount.Enabled, m.ZlmediakitProxyIo.Enabled,
		m.ZlmediakitProxyReaderCount.Enabled, m.ZlmediakitProxyReconnections.Enabled, m.ZlmediakitProxyState.Enabled,
		m.ZlmediakitProxyThroughput.Enabled)
	return s.offered([]scrape.Part{
		{API: apiServerConfig, Metrics: s.configMetrics(), Call: s.config.fetch(s.client, s.client.ServerConfig)},
		{
			API: apiNetworkThreads, Metrics: threads,
			Call: s.threads(now, apiNetworkThreads, metadata.AttributeZlmediakitThreadPoolNetwork),
		},
		{
			API: apiWorkThreads, Metrics: threads,
			Call: s.threads(now, apiWorkThreads, metadata.AttributeZlmediakitThreadPoolWork),
		},
		{
			API: apiStatistic, Metrics: scrape.Enabled(m.ZlmediakitObjectCount.Enabled, m.ZlmediakitMemoryUsage.Enabled,
				m.ZlmediakitMemoryBlockCount.Enabled, m.ZlmediakitThreadMemoryUsage.Enabled),
			Call: s.statistic(now),
		},
		{
			API: apiSessions, Metrics: scrape.Enabled(m.ZlmediakitSessionCount.Enabled, m.ZlmediakitSessionPeerCount.Enabled, m.ZlmediakitSessionInfo.Enabled),
			Call: s.sessions(now),
		},
		{
			API: apiPullProxies, Metrics: proxies + scrape.Enabled(m.ZlmediakitStreamAlive.Enabled),
			Call: s.proxies.call(now, apiPullProxies, s.proxies.pull),
		},
		{
			API: apiPushProxies, Metrics: proxies,
			Call: s.proxies.call(now, apiPushProxies, s.proxies.push),
		},
		{
			API: apiRTPServers, Metrics: scrape.Enabled(m.ZlmediakitRtpServerCount.Enabled, m.ZlmediakitRtpServerIdleCount.Enabled, m.ZlmediakitRtpServerInfo.Enabled),
			Call: scrape.Fetch(s.client.RTPServers, func(servers []rtpServer) { s.recordRTPServers(now, servers) }),
		},
		{
			API: apiFFmpegSources, Metrics: scrape.Enabled(m.ZlmediakitFfmpegSourceCount.Enabled),
			Call: s.count(apiFFmpegSources, func(n int64) { s.mb.RecordZlmediakitFfmpegSourceCountDataPoint(now, n) }),
		},
		{
			API: apiRooms, Metrics: scrape.Enabled(m.ZlmediakitWebrtcRoomCount.Enabled),
			Call: s.count(apiRooms, func(n int64) { s.mb.RecordZlmediakitWebrtcRoomCountDataPoint(now, n) }),
		},
		{
			API: apiRoomKeepers, Metrics: scrape.Enabled(m.ZlmediakitWebrtcRoomKeeperCount.Enabled),
			Call: s.count(apiRoomKeepers, func(n int64) { s.mb.RecordZlmediakitWebrtcRoomKeeperCountDataPoint(now, n) }),
		},
		{API: apiMediaList, Metrics: s.streams.wanted(), Heavy: true, Call: s.streams.list(now)},
		{API: apiMediaInfo, Metrics: scrape.Enabled(m.ZlmediakitStreamPacketLoss.Enabled), Heavy: true, Call: s.streams.losses(now)},
		{
			API: apiRTPSenders, Metrics: scrape.Enabled(m.ZlmediakitRtpSenderCount.Enabled, m.ZlmediakitRtpSenderIo.Enabled, m.ZlmediakitRtpSenderThroughput.Enabled),
			Heavy: true, Call: s.streams.senders(now),
		},
	})
}

func (s *scraper) resources() []pcommon.Resource { return []pcommon.Resource{s.resource()} }

// resource describes the server as it was last seen, so that its identity stays the same while it is down.
func (s *scraper) resource() pcommon.Resource {
	v := s.version.value
	if v == (version{}) {
		v = versionOf(s.client.Build())
	}
	rb := s.mb.NewResourceBuilder()
	rb.SetServiceName("zlmediakit")
	rb.SetServiceInstanceID(s.target.Instance)
	rb.SetServerAddress(s.target.Address)
	rb.SetServerPort(s.target.Port)
	for _, attribute := range []struct {
		set   func(string)
		value string
	}{
		{rb.SetServiceVersion, v.Commit},
		{rb.SetZlmediakitBuildBranch, v.Branch},
		{rb.SetZlmediakitBuildTime, v.BuildTime},
		{rb.SetZlmediakitServerID, s.config.value.ServerID},
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
		if s.notices.First("limit " + entity.String()) {
			s.set.Logger.Warn("things are left out of the metrics: raise streams::limit, or narrow it with streams::include and streams::exclude",
				zap.Stringer("kind", entity), zap.Int64("left out", n), zap.Int("limit", s.cfg.Streams.Limit))
		}
	}
}
