// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// scraper scrapes Kamailio.
type scraper struct {
	cfg    *Config
	run    *scrape.Runner
	mb     *builder
	client *client
	target scrape.Target

	metrics   map[string][]rows.Metric // by method
	fallbacks [][]rows.Metric          // by index in fallbacks
	// targetMembers are the arguments that select the members of the destinations in the dispatcher's list.
	targetMembers []string

	statistics  *statisticsRecorder
	lists       *listRecorder
	userMetrics *userMetrics // nil if none are configured

	// Identity of the server, as last reported.
	version string
	methods []string // nil if unknown
	known   bool     // whether both were requested since the server started
	uptime  cumulative.Uptime
}

// limits maps entities to the settings that limit them.
var limits = map[string]string{
	metadata.AttributeRtcEntityStatistic.String():        "statistics",
	metadata.AttributeRtcEntityDispatcherTarget.String(): "dispatcher_targets",
	metadata.AttributeRtcEntityHtable.String():           "htables",
	metadata.AttributeRtcEntityUsrlocDomain.String():     "usrloc_domains",
	metadata.AttributeRtcEntityProcess.String():          "processes",
	metadata.AttributeRtcEntityPipe.String():             "pipes",
}

func newScraper(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (s *scraper, err error) {
	s = &scraper{cfg: cfg, mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)}}
	endpoint := cfg.ClientConfig.Endpoint
	if s.target, err = newTarget(endpoint); err != nil {
		return nil, err
	}
	if s.client, err = newClient(ctx, cfg, host, set.TelemetrySettings); err != nil {
		return nil, err
	}
	if cfg.UserMetrics.Endpoint != "" {
		if s.userMetrics, err = newUserMetrics(ctx, cfg, host, set.TelemetrySettings); err != nil {
			return nil, err
		}
	}
	s.run = scrape.NewRunner(s.mb, words, scrape.Process{
		Endpoint: endpoint, Logger: set.Logger, Limits: limits, Scrape: s.scrape, Finish: s.finish, Resource: s.resource,
		StartTime: s.uptime.Start, NotOffered: isNotOffered, Amend: s.appendMetrics, Close: s.close,
	})
	s.statistics = newStatisticsRecorder(cfg, s.mb, s.run.Report)
	s.lists = newListRecorder(cfg, s.mb, s.run.Report)
	s.learnMetrics()
	warnOfOpenPort(endpoint, set.Logger)
	return s, nil
}

// words are the attribute values of the scrape metrics.
var words = scrape.Words[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]{
	ErrorTypes: metadata.MapAttributeErrorType, Entities: metadata.MapAttributeRtcEntity, Reasons: metadata.MapAttributeRtcOmissionReason,
}

// learnMetrics determines which enabled metrics need which method.
func (s *scraper) learnMetrics() {
	s.metrics = map[string][]rows.Metric{}
	for api, table := range methodRows {
		s.metrics[api] = s.run.Enabled(table)
	}
	if len(s.cfg.DialogProfiles) == 0 {
		delete(s.metrics, apiProfileSize)
	}
	if isHTTP(s.cfg.ClientConfig.Endpoint) { // JSON-RPC keeps only the last number
		delete(s.metrics, apiDNSMemory)
	}
	if len(s.run.Enabled(targetReduction)) > 0 {
		s.targetMembers = []string{"full"}
	}
	for i := range fallbacks {
		s.fallbacks = append(s.fallbacks, s.run.Enabled(fallbacks[i].rows()))
	}
}

func (s *scraper) close() {
	s.client.close()
	if s.userMetrics != nil {
		s.userMetrics.page.close()
	}
}

// scrape requests everything that enabled metrics need: from a known server in one exchange, otherwise in two, because the second
// depends on the results of the first. The page of user metrics is requested concurrently, so that a slow page does not affect other
// metrics.
func (s *scraper) scrape(ctx context.Context, calls *scrape.Scrape) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if s.userMetrics != nil {
		wg.Go(func() { s.userMetrics.scrape(ctx, calls) })
	}
	s.statistics.beginScrape()
	if !s.known {
		calls.RunFirst(ctx, s.exchange(append([]part{s.uptimePart()}, s.identity()...))...)
		calls.Run(ctx, s.exchange(s.parts())...)
		return
	}
	calls.Run(ctx, s.exchange(append([]part{s.uptimePart()}, s.parts()...))...)
	if !s.known { // the uptime shows that the server restarted
		calls.Run(ctx, s.exchange(s.identity())...)
	}
}

// part is a part of an exchange with one result, in one call or several.
type part struct {
	api    string
	always bool
	calls  func() []*call
	finish scrape.Ask // called after the calls have been made
}

func newPart[T any](api string, q *query[T], record func(T)) part {
	return part{api: api, calls: func() []*call { return q.calls }, finish: scrape.Fetch(q.answer, record)}
}

// exchange returns the calls of the parts that are needed. The first one that runs makes all of them at once.
func (s *scraper) exchange(parts []part) []scrape.Call {
	var batch []*call
	var once sync.Once
	calls := make([]scrape.Call, 0, len(parts))
	for _, p := range parts {
		metrics := s.metricsOf(p.api)
		if len(metrics) == 0 && !p.always || !s.hasMethod(p.api) {
			continue
		}
		if s.run.Offers(p.api) {
			batch = append(batch, p.calls()...)
		}
		calls = append(calls, scrape.Call{
			API: p.api, Metrics: metrics, Always: p.always, Took: p.took,
			Ask: func(ctx context.Context) (func(), error) {
				once.Do(func() { s.client.do(ctx, batch) })
				return p.finish(ctx)
			},
		})
	}
	return calls
}

// took returns the time that the server took for the calls of a part.
func (p *part) took() (took time.Duration) {
	for _, c := range p.calls() {
		took += c.duration
	}
	return took
}

func (s *scraper) uptimePart() part {
	p := newPart(apiUptime, ask(apiUptime, readUptime).required(), s.recordUptime)
	p.always = true
	return p
}

// identity returns the parts that identify a server that is new or has restarted.
func (s *scraper) identity() []part {
	methods := newPart(apiMethods, ask(apiMethods, readMethods).required(), s.recordMethods)
	version := newPart(apiVersion, ask(apiVersion, readVersion).required(), func(version string) { s.version = version })
	methods.always, version.always = true, s.cfg.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled
	return []part{methods, version}
}

// parts is the table of calls in the order in which they are made. Methods that take locks or grow with use come last, because a call
// that hangs makes those behind it fail.
func (s *scraper) parts() []part {
	st, l := s.statistics, s.lists
	parts := []part{
		newPart(apiTLS, ask(apiTLS, readNumbers("max_connections")), func(n map[string]int64) { st.recordMembers(apiTLS, n) }),
		newPart(apiTCP, ask(apiTCP, readNumbers("readers")), func(n map[string]int64) { st.recordMembers(apiTCP, n) }),
		newPart(apiTransactions, ask(apiTransactions, readTransactions), st.recordTransactions),
		newPart(apiRTPEngineCalls, ask(apiRTPEngineCalls, readNumber), func(n int64) { relayCalls.Record(s.mb, n, rows.None{}) }),
		newPart(apiStatistics, s.client.Statistics(), st.record),
		newPart(apiProcesses, ask(apiProcesses, readProcesses), l.recordProcesses),
		newPart(apiHtables, htablesQuery(), l.recordHtables),
		newPart(apiRTPEngines, relaysQuery(), l.recordRelays),
		newPart(apiDispatcher, dispatcherQuery(s.targetMembers...), l.recordDispatcher),
		newPart(apiDMQ, ask(apiDMQ, readDMQNodes), l.recordNodes),
		newPart(apiDialogs, ask(apiDialogs, readNumbers("ongoing")), func(n map[string]int64) { st.recordMembers(apiDialogs, n) }),
		newPart(apiProfileSize, profileSizes(s.cfg.DialogProfiles), l.recordProfiles),
		newPart(apiPike, ask(apiPike, readPike, "ALL"), l.recordPike),
	}
	for _, p := range rareParts {
		if len(s.metrics[p.api]) > 0 {
			parts = append(parts, p.part(s))
		}
	}
	return parts
}

// rareParts are parts whose metrics are all disabled by default.
var rareParts = []struct {
	api  string
	part func(*scraper) part
}{
	{apiDNSMemory, func(s *scraper) part {
		return newPart(apiDNSMemory, ask(apiDNSMemory, readDNSMemory), s.lists.recordDNSMemory)
	}},
	{apiSecfilter, func(s *scraper) part {
		return newPart(apiSecfilter, ask(apiSecfilter, readSecfilter), s.lists.recordSecfilter)
	}},
	{apiPipes, func(s *scraper) part { return newPart(apiPipes, ask(apiPipes, readPipes), s.lists.recordPipes) }},
	{apiPeers, func(s *scraper) part {
		return newPart(apiPeers, ask(apiPeers, readNumbers("total_peers")), func(n map[string]int64) { s.statistics.recordMembers(apiPeers, n) })
	}},
	{apiDNSStatistics, func(s *scraper) part {
		return newPart(apiDNSStatistics, dnsStatisticsQuery(), func(n map[string]int64) { s.statistics.recordMembers(apiDNSStatistics, n) })
	}},
}

// metricsOf returns the enabled metrics that need a method, including those of statistics that it replaces.
func (s *scraper) metricsOf(api string) []rows.Metric {
	metrics := s.metrics[api]
	for i, f := range fallbacks {
		if f.api == api && !s.statistics.groups[f.group] && (f.unless == "" || !s.hasMethod(f.unless)) {
			metrics = slices.Concat(metrics, s.fallbacks[i])
		}
	}
	return metrics
}

// hasMethod reports whether the server lists a method, or has not reported its list yet.
func (s *scraper) hasMethod(api string) bool {
	return s.methods == nil || slices.Contains(s.methods, api)
}

// recordUptime records the uptime and detects restarts. Modules and statistics stay the same until the server restarts.
func (s *scraper) recordUptime(seconds float64) {
	serverUptime.RecordFloat(s.mb, seconds, rows.None{})
	if s.uptime.Update(seconds, s.run.Now()) {
		s.known, s.methods = false, nil
		s.statistics.groups = nil
		s.client.Restarted()
		s.run.Restarted()
	}
}

// recordMethods keeps the list of methods and logs methods that are needed but not listed.
func (s *scraper) recordMethods(methods []string) {
	s.methods, s.known = methods, true
	for _, api := range slices.Sorted(maps.Keys(s.metrics)) {
		if len(s.metrics[api]) > 0 && !s.hasMethod(api) {
			s.run.LogNotOffered(api, nil)
		}
	}
}

// finish records metrics that depend on several results.
func (s *scraper) finish(up bool) {
	s.known = s.known && up // another server may replace it
	s.statistics.recordRows()
	if s.userMetrics != nil {
		s.run.Omit(metadata.AttributeRtcEntityStatistic, metadata.AttributeRtcOmissionReasonLimit, s.userMetrics.answer.Omitted)
		s.mb.Refuse(s.userMetrics.answer.Refused)
	}
}

// appendMetrics appends the metrics that do not have the receiver's names.
func (s *scraper) appendMetrics(metrics pmetric.MetricSlice) {
	s.statistics.appendNamed(metrics)
	if s.userMetrics != nil {
		s.userMetrics.appendTo(metrics)
	}
}

// newTarget returns the target of an endpoint.
func newTarget(endpoint string) (scrape.Target, error) {
	if isHTTP(endpoint) {
		return scrape.NewTarget(endpoint, "/RPC")
	}
	network, address, err := parseEndpoint(endpoint)
	if err != nil {
		return scrape.Target{}, err
	}
	if network == "tcp" {
		return scrape.NewTarget("tcp://"+address, "")
	}
	return scrape.NewSocketTarget(address)
}

// warnOfOpenPort logs a warning if ctl is reached over a network, because anyone who reaches its port can control the server.
func warnOfOpenPort(endpoint string, logger *zap.Logger) {
	network, address, err := parseEndpoint(endpoint)
	if err != nil || network != "tcp" {
		return
	}
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return
	}
	logger.Warn("kamailio's module ctl has no authentication and no encryption: whoever reaches its port can stop the server; "+
		"let only this collector reach it, or read a unix socket with a collector beside kamailio", zap.String("endpoint", endpoint))
}

// resource describes the server.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.Generated.NewResourceBuilder()
	s.target.Describe(rb, "kamailio")
	scrape.SetText(rb.SetServiceVersion, s.version)
	return rb.Emit()
}

// rtpengine scrapes the metrics page of an rtpengine.
type rtpengine struct {
	run     *scrape.Runner
	mb      *builder
	page    *page
	target  scrape.Target
	metrics []rows.Metric
	uptime  cumulative.Uptime

	// State of the current scrape.
	unlisted map[string]float64 // sums over unlisted label values, by sample
	refused  []string           // samples with impossible values
}

func newRTPEngine(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (r *rtpengine, err error) {
	r = &rtpengine{mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)}, unlisted: map[string]float64{}}
	if r.target, err = scrape.NewTarget(cfg.RTPEngine.ClientConfig.Endpoint, "/metrics"); err != nil {
		return nil, err
	}
	if r.page, err = newPage(ctx, "rtpengine", &cfg.RTPEngine.ClientConfig, cfg.MaxResponseSize, hasSampleRow, host, set.TelemetrySettings); err != nil {
		return nil, err
	}
	r.run = scrape.NewRunner(r.mb, words, scrape.Process{
		Endpoint: cfg.RTPEngine.ClientConfig.Endpoint, Logger: set.Logger, Scrape: r.scrape, Resource: r.resource, StartTime: r.uptime.Start,
		Close: r.page.close,
	})
	r.metrics = r.run.Enabled(sampleRows)
	return r, nil
}

// scrape requests the page.
func (r *rtpengine) scrape(ctx context.Context, calls *scrape.Scrape) {
	calls.Run(ctx, scrape.Call{API: r.page.path, Metrics: r.metrics, Always: true, Ask: scrape.Walk(r.readPage)})
}

// resource describes the rtpengine.
func (r *rtpengine) resource() pcommon.Resource {
	rb := r.mb.Generated.NewResourceBuilder()
	r.target.Describe(rb, "rtpengine")
	return rb.Emit()
}
