// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"cmp"
	"context"
	"math"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// builder is short for what the tables of this package are full of.
type builder = metadata.MetricsBuilder

// scraper turns what the agent tells, or edumeet's page, into metrics.
type scraper struct {
	cfg    *Config
	set    receiver.Settings
	mb     *builder
	client *client
	target scrape.Target
	health *scrape.Health
	starts cumulative.Starts
	report *report
	wanted int      // enabled metrics that the format has
	stats  []string // the statistics that they need

	told    snapshot          // the last whole one, but for its objects
	visitor visitor           // of the objects
	reading bool              // they are coming
	whole   bool              // a whole snapshot of this start of the application has come
	began   pcommon.Timestamp // of sums over objects, 0 before the first

	// By id, from snapshot to snapshot.
	workers    *selection.Set[workerState]
	routers    *selection.Set[routerState]
	transports *selection.Set[transportState]
	nobody     workerState // of what names no worker that is listed

	coverage [listCount]coverage // of the current snapshot
	few      [listCount]bool     // the coverage of the last one was too low for figures

	links   *links
	streams *streams
	data    *dataChannels
	page    *page

	clock   func() time.Time
	now     pcommon.Timestamp // of the current scrape
	name    []byte
	notices scrape.Notices
}

// report is what the scrapes tell of themselves.
type report = scrape.Report[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason]

func newReport(starts *cumulative.Starts) *report {
	return scrape.NewReport[metadata.AttributeErrorType, metadata.AttributeRtcEntity, metadata.AttributeRtcOmissionReason](metadata.MapAttributeErrorType, starts)
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	everything := selection.Config{Limit: math.MaxInt}
	s := &scraper{
		cfg: cfg, set: set,
		mb:         metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set),
		workers:    selection.New[workerState](everything),
		routers:    selection.New[routerState](everything),
		transports: selection.New[transportState](everything),
		clock:      time.Now,
	}
	s.wanted, s.stats = needs(cfg)
	s.report = newReport(&s.starts)
	s.links = newLinks(s)
	s.streams = newStreams(s)
	s.data = newDataChannels(s)
	s.page = newPage(s)
	s.visitor = visitor{
		begin: s.begin, worker: s.addWorker, router: s.addRouter, transport: s.links.add,
		producer:     func(o *rtpObject) { s.streams.add(producers, o) },
		consumer:     func(o *rtpObject) { s.streams.add(consumers, o) },
		dataProducer: func(o *dataObject) { s.data.add(producers, o) },
		dataConsumer: func(o *dataObject) { s.data.add(consumers, o) },
	}
	return s
}

func (s *scraper) start(ctx context.Context, host component.Host) (err error) {
	if s.target, err = scrape.NewTarget(s.cfg.ClientConfig.Endpoint, "/metrics"); err != nil {
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

// scrape asks once for everything that enabled metrics need.
func (s *scraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	s.now = pcommon.NewTimestampFromTime(s.clock())
	s.report.Begin()
	results := scrape.Run(ctx, nil, func() []scrape.Part { return []scrape.Part{s.part()} })
	err := scrape.Err(s.cfg.ClientConfig.Endpoint, results)
	up := scrape.Up(results)
	s.recordScrape(up, results)
	if up {
		s.health.Report(nil)
	} else {
		s.health.Report(err)
	}
	metrics := s.mb.Emit(metadata.WithResource(s.resource()), metadata.WithStartTimeOverride(s.sumStart()))
	s.starts.Apply(metrics)
	s.page.unsettle(metrics)
	return metrics, err
}

// part is the only call of a scrape. It is made whatever is wanted: to know whether somebody answers.
func (s *scraper) part() scrape.Part {
	if s.cfg.Format == FormatEdumeet {
		return scrape.Part{API: s.page.path, Metrics: max(1, s.wanted), Call: s.page.read}
	}
	return scrape.Part{API: apiSnapshot, Metrics: max(1, s.wanted), Call: s.read}
}

// read asks for a snapshot. What came of one that broke off is counted, and nothing of it is recorded.
func (s *scraper) read(ctx context.Context) (func(), error) {
	told, err := s.client.Snapshot(ctx, s.stats, &s.visitor)
	complete := err == nil || scrape.IsPartial(err)
	s.end(complete)
	if !complete {
		s.starts.Apply(s.mb.Emit())
		return nil, err
	}
	s.told = told
	return s.recordSnapshot, err
}

// begin prepares for the objects of a snapshot. A start of the application that was not met before has sums of its own.
func (s *scraper) begin(instanceID string) {
	if s.told.InstanceID != instanceID || !s.whole {
		s.whole = false
		s.began = s.now
		s.links.reset()
		s.streams.reset()
		s.data.reset()
	}
	s.told.InstanceID = instanceID
	s.reading = true
	s.coverage = [listCount]coverage{}
	s.workers.Begin()
	s.routers.Begin()
	s.transports.Begin()
	s.links.begin()
	s.streams.begin()
	s.data.begin()
}

func (s *scraper) end(complete bool) {
	if !s.reading {
		return
	}
	s.reading = false
	s.whole = s.whole || complete
	s.workers.End(complete)
	s.routers.End(complete)
	s.transports.End(complete)
	s.links.growth.End(complete)
	s.streams.end(complete)
	s.data.growth.End(complete)
}

func (s *scraper) recordSnapshot() {
	s.settleCoverage()
	s.recordCoverage()
	s.recordApplication()
	s.recordWorkers()
	s.recordRouters()
	s.links.record()
	s.streams.record()
	s.data.record()
}

// sumStart is when the sums began that have no start of their own.
func (s *scraper) sumStart() pcommon.Timestamp {
	return min(cmp.Or(s.began, s.report.Began()), s.now)
}

func (s *scraper) resources() []pcommon.Resource { return []pcommon.Resource{s.resource()} }

// resource describes the application as it was last seen, so that its identity stays the same while it is down.
func (s *scraper) resource() pcommon.Resource {
	rb := s.mb.NewResourceBuilder()
	rb.SetServiceName(map[Format]string{FormatSnapshot: "mediasoup", FormatEdumeet: "edumeet"}[s.cfg.Format])
	rb.SetServiceInstanceID(s.target.Instance)
	rb.SetServerAddress(s.target.Address)
	rb.SetServerPort(s.target.Port)
	if pid, ok := s.told.Process.PID.Get(); ok {
		rb.SetProcessPid(pid)
	}
	for _, attribute := range []struct {
		set   func(string)
		value string
	}{
		{rb.SetServiceVersion, s.told.Version},
		{rb.SetMediasoupAgentVersion, s.told.AgentVersion},
		{rb.SetMediasoupBinding, s.told.Binding},
		{rb.SetMediasoupInstanceID, s.told.InstanceID},
	} {
		if attribute.value != "" {
			attribute.set(selection.Name(attribute.value))
		}
	}
	return rb.Emit()
}

// recordScrape records how the scrape itself went.
func (s *scraper) recordScrape(up bool, results []scrape.Result) {
	s.report.Record(s.mb, s.now, up, results)
	for entity, n := range s.report.Omitted(metadata.AttributeRtcOmissionReasonLimit) {
		if s.notices.First("limit " + entity.String()) {
			s.set.Logger.Warn("things are left out of the metrics: raise streams::limit",
				zap.Stringer("kind", entity), zap.Int64("left out", n), zap.Int("limit", s.cfg.Streams.Limit))
		}
	}
}
