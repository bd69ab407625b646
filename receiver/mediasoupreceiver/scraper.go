// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// scraper scrapes one application, through its agent or the exporter of edumeet.
type scraper struct {
	format Format
	run    *scrape.Runner
	mb     *builder
	client *client
	target scrape.Target

	statistics []string // statistics that enabled metrics need from the agent
	snapshot   *snapshotRecord
	edumeet    *edumeetRecord
	call       scrape.Call // the only call
}

// limits maps entities to the settings that limit them.
var limits = map[string]string{
	metadata.AttributeRtcEntityWorker.String():   "workers::limit",
	metadata.AttributeRtcEntityProducer.String(): "streams::limit",
	metadata.AttributeRtcEntityConsumer.String(): "streams::limit",
	metadata.AttributeRtcEntityRoom.String():     "rooms::limit",
}

func newScraper(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (*scraper, error) {
	target, err := newTarget(cfg.ClientConfig.Endpoint)
	if err != nil {
		return nil, err
	}
	s := &scraper{format: cfg.Format, target: target, mb: &builder{Generated: metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)}}
	process := scrape.Process{
		Endpoint: cfg.ClientConfig.Endpoint, Logger: set.Logger, Limits: limits,
		Scrape: s.scrape, Resource: s.resource, StartTime: s.startTime, Close: func() { s.client.close() },
	}
	if s.format == FormatEdumeet {
		process.Limits = map[string]string{metadata.AttributeRtcEntityRoom.String(): "streams::limit"}
		process.Amend = markNonMonotonic
	}
	s.run = scrape.NewRunner(s.mb, words, process)
	s.statistics = requestedStatistics(s.run, cfg)
	s.snapshot = newSnapshotRecord(s.mb, s.run, s.statistics, cfg)
	s.edumeet = newEdumeetRecord(s.mb, s.run, cfg.Streams.Limit)
	s.call = s.newCall(cfg)
	s.client, err = newClient(ctx, cfg, host, set.TelemetrySettings)
	return s, err
}

// newTarget returns the target of an endpoint.
func newTarget(endpoint string) (scrape.Target, error) {
	if path, ok := scrape.SocketPath(endpoint); ok {
		return scrape.NewSocketTarget(path)
	}
	return scrape.NewTarget(endpoint, "/metrics")
}

// words are the attribute values of the scrape metrics.
var words = scrape.Words[metadata.AttributeErrorType, entity, metadata.AttributeRtcOmissionReason]{
	ErrorTypes: metadata.MapAttributeErrorType, Entities: metadata.MapAttributeRtcEntity, Reasons: metadata.MapAttributeRtcOmissionReason,
}

// requestedStatistics returns the statistics that enabled metrics need.
func requestedStatistics(run *scrape.Runner, cfg *Config) (requested []string) {
	for _, s := range statistics {
		ofRooms := len(cfg.Rooms.Labels) > 0 && len(run.Enabled(roomStatistics[s.name]...)) > 0
		if ofRooms || len(run.Enabled(s.tables...)) > 0 {
			requested = append(requested, s.name)
		}
	}
	return requested
}

func (s *scraper) scrape(ctx context.Context, calls *scrape.Scrape) { calls.Run(ctx, s.call) }

// newCall returns the only call. It is always made, because it shows whether the application is up.
func (s *scraper) newCall(cfg *Config) scrape.Call {
	if s.format == FormatEdumeet {
		return scrape.Call{
			API: pathOf(cfg.ClientConfig.Endpoint), Metrics: s.run.Enabled(edumeetTables...), Always: true,
			Ask: scrape.Fetch(s.readPage, s.edumeet.record),
		}
	}
	return scrape.Call{
		API: apiSnapshot, Metrics: s.run.Enabled(tablesOf(cfg)...), Always: true,
		Ask: scrape.Fetch(s.readSnapshot, s.snapshot.record),
	}
}

// readSnapshot requests a snapshot. Its objects are counted as they are read; nothing of a truncated snapshot is recorded.
func (s *scraper) readSnapshot(ctx context.Context) (snapshot, error) {
	answer, err := s.client.Snapshot(ctx, s.statistics, &s.snapshot.visitor)
	s.snapshot.end(err == nil || scrape.IsPartial(err))
	return answer, err
}

func (s *scraper) readPage(ctx context.Context) (*edumeetPage, error) {
	page := newEdumeetPage(s.edumeet.maxRooms)
	err := s.client.Page(ctx, page.add)
	return page, err
}

// resource describes the application.
func (s *scraper) resource() pcommon.Resource {
	last := &s.snapshot.last
	rb := s.mb.Generated.NewResourceBuilder()
	s.target.Describe(rb, map[Format]string{FormatSnapshot: "mediasoup", FormatEdumeet: "edumeet"}[s.format])
	if pid, ok := last.Process.PID.Get(); ok {
		rb.SetProcessPid(pid)
	}
	scrape.SetText(rb.SetServiceVersion, last.Version)
	scrape.SetText(rb.SetMediasoupAgentVersion, last.AgentVersion)
	scrape.SetText(rb.SetMediasoupBinding, last.Binding)
	scrape.SetText(rb.SetMediasoupInstanceID, last.InstanceID)
	return rb.Emit()
}

// startTime returns the start time of sums over objects.
func (s *scraper) startTime() pcommon.Timestamp { return s.snapshot.start }
