// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
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
	wants  map[string]int // enabled metrics by the method that they need

	// What the server told of itself.
	version string
	methods []string // nil when unknown
	known   bool     // both have been asked for since the server started
	uptime  cumulative.Uptime

	statistics *statisticsScraper
	tables     *tables
	rtpengine  *rtpengine   // nil when none is configured
	user       *userMetrics // nil when none are configured

	clock   func() time.Time
	notices scrape.Notices
}

// report is what the scrapes tell of themselves.
type report = scrape.Report[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]

func newReport(starts *cumulative.Starts) *report {
	return scrape.NewReport[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason](metadata.MapAttributeErrorType, starts)
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	s := &scraper{
		cfg: cfg, set: set,
		mb:    metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		wants: countWanted(&cfg.MetricsBuilderConfig.Metrics),
		clock: time.Now,
	}
	s.report = newReport(&s.starts)
	s.statistics = newStatisticsScraper(s)
	s.tables = newTables(s)
	return s
}

func (s *scraper) start(ctx context.Context, host component.Host) (err error) {
	if s.target, err = newTarget(s.cfg.ClientConfig.Endpoint); err != nil {
		return err
	}
	s.warnOfOpenPort()
	s.health = scrape.NewHealth(host)
	if s.client, err = newClient(ctx, s.cfg, host, s.set.TelemetrySettings); err != nil {
		return err
	}
	if s.cfg.RTPEngine.Endpoint != "" {
		if s.rtpengine, err = newRTPEngine(ctx, s.cfg, host, s.set); err != nil {
			return err
		}
	}
	if s.cfg.UserMetrics.Endpoint != "" {
		s.user, err = newUserMetrics(ctx, s.cfg, host, s.set)
	}
	return err
}

// newTarget reads the target off an endpoint. For a socket, its path stands for the port, and this machine's name for the host.
func newTarget(endpoint string) (scrape.Target, error) {
	if isHTTP(endpoint) {
		return scrape.NewTarget(endpoint, "/RPC")
	}
	network, address, err := binrpc.ParseEndpoint(endpoint)
	if err != nil {
		return scrape.Target{}, err
	}
	if network == "tcp" {
		return scrape.NewTarget("tcp://"+address, "")
	}
	machine, err := os.Hostname()
	return scrape.Target{Address: address, Instance: machine + ":" + address}, err
}

// warnOfOpenPort tells those who read ctl over a network what else can be done through it.
func (s *scraper) warnOfOpenPort() {
	network, address, err := binrpc.ParseEndpoint(s.cfg.ClientConfig.Endpoint)
	if err != nil || network != "tcp" {
		return
	}
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return
	}
	s.set.Logger.Warn("kamailio's module ctl has no authentication and no encryption: whoever reaches its port can stop the server; "+
		"let only this collector reach it, or read a unix socket with a collector beside kamailio", zap.String("endpoint", s.cfg.ClientConfig.Endpoint))
}

func (s *scraper) shutdown(context.Context) error {
	if s.client != nil {
		s.client.close()
	}
	if s.rtpengine != nil {
		s.rtpengine.page.close()
	}
	if s.user != nil {
		s.user.page.close()
	}
	return nil
}

// scrape asks Kamailio, rtpengine and the page of user metrics at once, so that one that hangs costs itself only.
func (s *scraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	now := pcommon.NewTimestampFromTime(s.clock())
	var wg sync.WaitGroup
	if s.user != nil {
		wg.Go(func() { s.user.scrape(ctx, now) })
	}
	if s.rtpengine != nil {
		wg.Go(func() { s.rtpengine.scrape(ctx, now) })
	}
	results := s.ask(ctx, now)
	wg.Wait()

	err := scrape.Err(s.cfg.ClientConfig.Endpoint, results)
	var down []error
	if !scrape.Up(results) {
		s.known = false // another server may come up in its place
		down = append(down, err)
	}
	metrics := s.emit(now, results)
	errs := []error{err}
	if s.user != nil {
		errs = append(errs, s.user.err)
	}
	if s.rtpengine != nil {
		errs = append(errs, s.rtpengine.err)
		if !s.rtpengine.up {
			down = append(down, s.rtpengine.err)
		}
		s.rtpengine.metrics.ResourceMetrics().MoveAndAppendTo(metrics.ResourceMetrics())
	}
	s.health.Report(errors.Join(down...))
	return metrics, scrape.Join(errs...)
}

// ask asks Kamailio once for everything that enabled metrics need: a server that is known in one exchange, another in two,
// because the first one tells what to ask it for.
func (s *scraper) ask(ctx context.Context, now pcommon.Timestamp) []scrape.Result {
	s.report.Begin()
	s.statistics.begin()
	uptime := newPart(apiUptime, ask(apiUptime, readUptime), func(seconds float64) { s.recordUptime(now, seconds) })
	var results []scrape.Result
	if s.known {
		results = scrape.Run(ctx, nil, func() []scrape.Part { return s.exchange(append([]part{uptime}, s.parts(now)...)) })
		if !s.known { // the uptime shows a restart
			results = append(results, scrape.Run(ctx, nil, func() []scrape.Part { return s.exchange(s.identity()) })...)
		}
	} else {
		first := s.exchange(append([]part{uptime}, s.identity()...))
		results = scrape.Run(ctx, first, func() []scrape.Part { return s.exchange(s.parts(now)) })
	}
	s.statistics.finish(now)
	return results
}

// part is one RPC, in one call or several, with what records the answer.
type part struct {
	api    string
	calls  func() []*call
	finish func(context.Context) (record func(), err error) // after the calls have been made
}

func newPart[T any](api string, q *query[T], record func(T)) part {
	return part{api, func() []*call { return q.calls }, scrape.Fetch(q.answer, record)}
}

// exchange makes the calls of all parts that are wanted at once, when the first of them is run.
func (s *scraper) exchange(parts []part) []scrape.Part {
	var calls []*call
	var once sync.Once
	wanted := make([]scrape.Part, 0, len(parts))
	for _, p := range parts {
		metrics := s.wanted(p.api)
		if metrics == 0 {
			continue
		}
		calls = append(calls, p.calls()...)
		finish := p.finish
		if !alwaysThere[p.api] {
			finish = s.mayBeAbsent(p.api, p.finish)
		}
		wanted = append(wanted, scrape.Part{
			API: p.api, Metrics: metrics,
			Call: func(ctx context.Context) (func(), error) {
				once.Do(func() { s.client.do(ctx, calls) })
				return finish(ctx)
			},
			Took: func() (took time.Duration) {
				for _, c := range p.calls() {
					took += c.duration
				}
				return took
			},
		})
	}
	return wanted
}

// recordUptime keeps the server's start. Modules and statistics stay the same until the server starts again.
func (s *scraper) recordUptime(now pcommon.Timestamp, seconds float64) {
	s.mb.RecordKamailioUptimeDataPoint(now, seconds)
	if s.uptime.Update(seconds, now) {
		s.known, s.methods = false, nil
		s.statistics.groups = nil
		s.client.Restarted()
	}
}

// identity is what to ask of a server that is new, or has been away.
func (s *scraper) identity() []part {
	return []part{
		newPart(apiMethods, ask(apiMethods, readMethods), func(methods []string) { s.methods, s.known = methods, true }),
		newPart(apiVersion, ask(apiVersion, readVersion), func(version string) { s.version = version }),
	}
}

// sources say which method each metric is made from; the first prefix counts.
var sources = []struct{ prefix, api string }{
	{"kamailio.dialog.count_by_profile", apiProfileSize},
	{"kamailio.dialog.count", apiDialogs},
	{"kamailio.dispatcher.", apiDispatcher},
	{"kamailio.dmq.", apiDMQ},
	{"kamailio.htable.", apiHtables},
	{"kamailio.pike.address.", apiPike},
	{"kamailio.process.", apiProcesses},
	{"kamailio.rtpengine.call.", apiRTPEngineCalls},
	{"kamailio.rtpengine.", apiRTPEngines},
	{"kamailio.tcp.connection.limit", apiTCP},
	{"kamailio.tcp.reader.", apiTCP},
	{"kamailio.transaction.delayed_releases", apiTransactions},
	{"kamailio.transaction.releases", apiTransactions},
	{"kamailio.uptime", apiUptime},
	{"kamailio.tcp.connection.count", apiStatistics},
	{"kamailio.tcp.write_queue.", apiStatistics},
	{"kamailio.tls.", apiStatistics},
	{"kamailio.transaction.", apiStatistics},
	{"kamailio.", apiStatistics},
	{"rtpengine.", pageRTPEngine},
}

// pageRTPEngine stands for the page of rtpengine among the methods.
const pageRTPEngine = "rtpengine"

// countWanted counts the enabled metrics by source: those of a method, and those of a prefix.
func countWanted(metrics *metadata.MetricsConfig) map[string]int {
	counts := map[string]int{}
	for _, name := range scrape.EnabledMetrics(metrics) {
		for _, source := range sources {
			if strings.HasPrefix(name, source.prefix) {
				counts[source.api]++
				counts[source.prefix]++
				break
			}
		}
	}
	return counts
}

// parts is the table of calls, in the order in which they are made: what takes locks, or grows with use, comes last, because a
// call that hangs costs those behind it.
func (s *scraper) parts(now pcommon.Timestamp) []part {
	t := s.tables
	return []part{
		newPart(apiTLS, ask(apiTLS, readNumbers("max_connections")), func(n map[string]int64) { s.statistics.standIn(apiTLS, n) }),
		newPart(apiTCP, ask(apiTCP, readNumbers("readers")), func(n map[string]int64) { s.recordTCP(now, n) }),
		newPart(apiTransactions, ask(apiTransactions, readTransactions), func(n map[string]int64) { s.recordTransactions(now, n) }),
		newPart(apiRTPEngineCalls, ask(apiRTPEngineCalls, readNumber), func(n int64) { s.mb.RecordKamailioRtpengineCallCountDataPoint(now, n) }),
		newPart(apiStatistics, s.client.Statistics(), func(all statistics) { s.statistics.record(now, &all) }),
		newPart(apiProcesses, ask(apiProcesses, readProcesses), func(all []process) { t.recordProcesses(now, all) }),
		newPart(apiHtables, htablesQuery(), func(all []htable) { t.recordHtables(now, all) }),
		newPart(apiRTPEngines, relaysQuery(), func(all []relay) { t.recordRelays(now, all) }),
		newPart(apiDispatcher, dispatcherQuery(), func(d dispatcher) { t.recordDispatcher(now, &d) }),
		newPart(apiDMQ, ask(apiDMQ, readDMQNodes), func(all []dmqNode) { t.recordDMQ(now, all) }),
		newPart(apiDialogs, ask(apiDialogs, readNumbers("ongoing")), func(n map[string]int64) { s.recordDialogs(now, n) }),
		newPart(apiProfileSize, profileSizes(s.cfg.DialogProfiles), func(sizes []profileSize) { s.recordProfiles(now, sizes) }),
		newPart(apiPike, ask(apiPike, readPike, "ALL"), func(counts map[string]int64) { s.recordPike(now, counts) }),
	}
}

// wanted counts the enabled metrics that need a method; 0 when the server does not offer it.
func (s *scraper) wanted(api string) int {
	n := s.wants[api]
	switch {
	case api == apiUptime, api == apiMethods:
		n = 1
	case api == apiVersion:
		n = scrape.Enabled(s.cfg.MetricsBuilderConfig.ResourceAttributes.ServiceVersion.Enabled)
	case !s.offers(api):
		n = 0
	case api == apiTCP:
		if !s.statistics.groups["tcp"] {
			n += s.wants["kamailio.tcp.connection.count"] + s.wants["kamailio.tcp.write_queue."]
		}
		if !s.statistics.groups["tls"] && !s.offers(apiTLS) {
			n += s.wants["kamailio.tls."]
		}
	case api == apiTLS && !s.statistics.groups["tls"]:
		n += s.wants["kamailio.tls."]
	case api == apiTransactions && !s.statistics.groups["tmx"]:
		n += s.wants["kamailio.transaction."]
	case api == apiProfileSize && len(s.cfg.DialogProfiles) == 0:
		n = 0
	}
	return n
}

// offers reports whether the server has a method, as far as it is known.
func (s *scraper) offers(api string) bool { return s.methods == nil || slices.Contains(s.methods, api) }

// alwaysThere are the methods that every Kamailio has.
var alwaysThere = map[string]bool{apiUptime: true, apiMethods: true, apiVersion: true}

// mayBeAbsent finishes a call to a module that the server may not have, which is no error.
func (s *scraper) mayBeAbsent(api string, finish func(context.Context) (func(), error)) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		record, err := finish(ctx)
		if isAbsent(err) {
			return func() { s.noteAbsent(api, err) }, nil
		}
		return record, err
	}
}

func (s *scraper) noteAbsent(api string, why error) {
	if s.notices.First("absent " + api) {
		s.set.Logger.Info("kamailio does not offer an RPC: the metrics that need it are left out", zap.String("method", api), zap.Error(why))
	}
}

// emit makes Kamailio's metrics of what has been recorded.
func (s *scraper) emit(now pcommon.Timestamp, results []scrape.Result) pmetric.Metrics {
	up := scrape.Up(results)
	if s.user != nil {
		results = slices.Concat(results, s.user.results)
		s.report.Omit(metadata.AttributeRtcEntityStatistic, metadata.AttributeRtcOmissionReasonLimit, s.user.omitted)
	}
	s.recordScrape(now, up, results)
	start := min(cmp.Or(s.uptime.Start(), s.report.Began()), now)
	metrics := s.mb.Emit(metadata.WithResource(s.resource()), metadata.WithStartTimeOverride(start))
	s.starts.Apply(metrics)
	own := s.ownMetrics(metrics)
	s.statistics.appendNamed(own, start, now)
	if s.user != nil {
		s.user.moveTo(own, start)
	}
	return metrics
}

// ownMetrics returns Kamailio's metrics, for more to be appended. The builder makes none where all metrics are switched off.
func (s *scraper) ownMetrics(metrics pmetric.Metrics) pmetric.MetricSlice {
	if metrics.ResourceMetrics().Len() == 0 {
		rm := metrics.ResourceMetrics().AppendEmpty()
		s.resource().MoveTo(rm.Resource())
		rm.ScopeMetrics().AppendEmpty().Scope().SetName(metadata.ScopeName)
	}
	return metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
}

// resources describes Kamailio and rtpengine.
func (s *scraper) resources() []pcommon.Resource {
	resources := []pcommon.Resource{s.resource()}
	if s.rtpengine != nil {
		resources = append(resources, s.rtpengine.resource())
	}
	return resources
}

// resource describes the server as it was last seen, so that its identity stays the same while it is down.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.NewResourceBuilder()
	rb.SetServiceName("kamailio")
	rb.SetServiceInstanceID(s.target.Instance)
	rb.SetServerAddress(s.target.Address)
	if s.target.Port != 0 { // a socket has none
		rb.SetServerPort(s.target.Port)
	}
	if s.version != "" {
		rb.SetServiceVersion(selection.Name(s.version))
	}
	return rb.Emit()
}

// settings are the parts of the configuration that limit things.
var settings = map[metadata.AttributeRtcEntity]string{
	metadata.AttributeRtcEntityStatistic:        "statistics",
	metadata.AttributeRtcEntityDispatcherTarget: "dispatcher_targets",
	metadata.AttributeRtcEntityHtable:           "htables",
	metadata.AttributeRtcEntityUsrlocDomain:     "usrloc_domains",
	metadata.AttributeRtcEntityProcess:          "processes",
}

// recordScrape records how the scrape itself went.
func (s *scraper) recordScrape(now pcommon.Timestamp, up bool, results []scrape.Result) {
	s.report.Record(s.mb, now, up, results)
	for entity, n := range s.report.Omitted(metadata.AttributeRtcOmissionReasonLimit) {
		if s.notices.First("limit " + entity.String()) {
			key := settings[entity]
			s.set.Logger.Warn("things are left out of the metrics: raise "+key+"::limit, or narrow it with "+key+"::include and "+key+"::exclude",
				zap.Stringer("kind", entity), zap.Int64("left out", n))
		}
	}
}
