// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

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
	errors scrape.Errors

	version      version
	versionBuild string // the Server header that version belongs to
	streams      *streams
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	mb := metadata.NewMetricsBuilder(cfg.MetricsBuilderConfig, set)
	return &scraper{cfg: cfg, set: set, mb: mb, streams: newStreams(cfg, mb, set.Logger)}
}

func (s *scraper) start(ctx context.Context, host component.Host) (err error) {
	if s.target, err = scrape.NewTarget(s.cfg.ClientConfig.Endpoint); err != nil {
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
	now := pcommon.NewTimestampFromTime(time.Now())
	results := scrape.Run(ctx, s.parts(now))
	err := scrape.Err(s.cfg.ClientConfig.Endpoint, results)
	up := scrape.Up(results)
	s.recordScrape(now, up, results)
	s.streams.recordInterval(now)
	if up {
		s.health.Report(nil)
	} else {
		s.health.Report(err)
	}
	metrics := s.mb.Emit(metadata.WithResource(s.resource()))
	s.streams.applyStarts(metrics)
	return metrics, err
}

// parts is the table of calls: what each is for, and how many enabled metrics are missing when it fails.
func (s *scraper) parts(now pcommon.Timestamp) []scrape.Part {
	m := &s.cfg.MetricsBuilderConfig.Metrics
	threads := enabled(m.ZlmediakitThreadCount.Enabled, m.ZlmediakitThreadDelay.Enabled,
		m.ZlmediakitThreadFileDescriptorCount.Enabled, m.ZlmediakitThreadUtilization.Enabled)
	parts := []scrape.Part{
		{API: apiNetworkThreads, Metrics: threads, Call: s.threads(now, apiNetworkThreads, metadata.AttributeZlmediakitThreadPoolNetwork)},
		{API: apiWorkThreads, Metrics: threads, Call: s.threads(now, apiWorkThreads, metadata.AttributeZlmediakitThreadPoolWork)},
		{API: apiObjects, Metrics: enabled(m.ZlmediakitObjectCount.Enabled), Call: s.objects(now)},
		{API: apiSessions, Metrics: enabled(m.ZlmediakitSessionCount.Enabled), Call: s.sessions(now)},
		{API: apiMediaList, Metrics: s.streams.wanted(), Heavy: true, Call: s.streams.scrape(s.client, now)},
	}
	return append(parts, scrape.Part{API: apiVersion, Metrics: s.versionWanted(parts), Call: scrape.Fetch(s.client.Version, s.setVersion)})
}

// enabled counts the metrics that are switched on.
func enabled(metrics ...bool) int {
	n := 0
	for _, on := range metrics {
		if on {
			n++
		}
	}
	return n
}

// versionWanted tells whether the version is unknown or outdated, or no other call would show that the server is up.
func (s *scraper) versionWanted(others []scrape.Part) int {
	r := &s.cfg.MetricsBuilderConfig.ResourceAttributes
	wanted := r.ServiceVersion.Enabled || r.ZlmediakitBuildBranch.Enabled || r.ZlmediakitBuildTime.Enabled
	if build := s.client.Build(); wanted && (build == "" || build != s.versionBuild) {
		return 1
	}
	for _, p := range others {
		if p.Metrics > 0 {
			return 0
		}
	}
	return 1
}

func (s *scraper) setVersion(v version) {
	s.version, s.versionBuild = v, s.client.Build()
}

// resource describes the server as it was last seen, so that its identity stays the same while it is down.
func (s *scraper) resource() pcommon.Resource {
	v := s.version
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
	} {
		if attribute.value != "" {
			attribute.set(selection.Name([]byte(attribute.value)))
		}
	}
	return rb.Emit()
}

// recordScrape records how the scrape itself went.
func (s *scraper) recordScrape(now pcommon.Timestamp, up bool, results []scrape.Result) {
	s.mb.RecordRtcTargetUpDataPoint(now, number(up))
	for _, r := range results {
		if r.Asked() {
			s.mb.RecordRtcScrapeDurationDataPoint(now, r.Duration.Seconds(), r.API)
		}
	}
	s.errors.Add(results)
	for _, e := range s.errors.All() {
		s.mb.RecordRtcScrapeErrorsDataPoint(now, e.N, e.API, metadata.MapAttributeErrorType[string(e.Type)])
	}
}

// number is the value of a yes or no.
func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func (s *scraper) threads(now pcommon.Timestamp, api string, pool metadata.AttributeZlmediakitThreadPool) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) ([]thread, error) { return s.client.Threads(ctx, api) },
		func(threads []thread) { s.recordThreads(now, pool, threads) },
	)
}

func (s *scraper) recordThreads(now pcommon.Timestamp, pool metadata.AttributeZlmediakitThreadPool, threads []thread) {
	s.mb.RecordZlmediakitThreadCountDataPoint(now, int64(len(threads)), pool)
	for _, t := range threads {
		name := selection.Name([]byte(t.Name))
		if percent, ok := t.Load.Get(); ok {
			s.mb.RecordZlmediakitThreadUtilizationDataPoint(now, float64(percent)/100, pool, name)
		}
		if ms, ok := t.Delay.Get(); ok {
			s.mb.RecordZlmediakitThreadDelayDataPoint(now, float64(ms)/1000, pool, name)
		}
		if fds, ok := t.FDs.Get(); ok {
			s.mb.RecordZlmediakitThreadFileDescriptorCountDataPoint(now, fds, pool, name)
		}
	}
}

// objectTypes are the classes that getStatistic counts.
var objectTypes = map[string]metadata.AttributeZlmediakitObjectType{
	"Buffer":                metadata.AttributeZlmediakitObjectTypeBuffer,
	"BufferLikeString":      metadata.AttributeZlmediakitObjectTypeBufferLikeString,
	"BufferList":            metadata.AttributeZlmediakitObjectTypeBufferList,
	"BufferRaw":             metadata.AttributeZlmediakitObjectTypeBufferRaw,
	"Frame":                 metadata.AttributeZlmediakitObjectTypeFrame,
	"FrameImp":              metadata.AttributeZlmediakitObjectTypeFrameImp,
	"MediaSource":           metadata.AttributeZlmediakitObjectTypeMediaSource,
	"MultiMediaSourceMuxer": metadata.AttributeZlmediakitObjectTypeMultiMediaSourceMuxer,
	"RtmpPacket":            metadata.AttributeZlmediakitObjectTypeRtmpPacket,
	"RtpPacket":             metadata.AttributeZlmediakitObjectTypeRtpPacket,
	"Socket":                metadata.AttributeZlmediakitObjectTypeSocket,
	"TcpClient":             metadata.AttributeZlmediakitObjectTypeTCPClient,
	"TcpServer":             metadata.AttributeZlmediakitObjectTypeTCPServer,
	"TcpSession":            metadata.AttributeZlmediakitObjectTypeTCPSession,
	"UdpServer":             metadata.AttributeZlmediakitObjectTypeUDPServer,
	"UdpSession":            metadata.AttributeZlmediakitObjectTypeUDPSession,
}

func isObjectType(class string) bool {
	_, known := objectTypes[class]
	return known
}

func (s *scraper) objects(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) (map[string]int64, error) { return s.client.Objects(ctx, isObjectType) },
		func(objects map[string]int64) { s.recordObjects(now, objects) },
	)
}

func (s *scraper) recordObjects(now pcommon.Timestamp, objects map[string]int64) {
	for class, n := range objects {
		s.mb.RecordZlmediakitObjectCountDataPoint(now, n, objectTypes[class])
	}
}

// sessionKind is what sessions are counted by.
type sessionKind struct {
	protocol  string
	transport metadata.AttributeNetworkTransport
}

func (s *scraper) sessions(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return scrape.Fetch(
		func(ctx context.Context) (map[sessionKind]int64, error) {
			counts := map[sessionKind]int64{}
			err := s.client.EachSession(ctx, func(session *session) { counts[kindOf(session)]++ })
			return counts, err
		},
		func(counts map[sessionKind]int64) { s.recordSessions(now, counts) },
	)
}

func (s *scraper) recordSessions(now pcommon.Timestamp, counts map[sessionKind]int64) {
	for kind, n := range counts {
		s.mb.RecordZlmediakitSessionCountDataPoint(now, n, kind.protocol, kind.transport)
	}
}

// protocolTransports are the transports of session types that know only one, for servers that do not tell.
var protocolTransports = map[string]metadata.AttributeNetworkTransport{
	"http": metadata.AttributeNetworkTransportTCP,
	"rtmp": metadata.AttributeNetworkTransportTCP,
	"rtsp": metadata.AttributeNetworkTransportTCP,
	"srt":  metadata.AttributeNetworkTransportUDP,
}

func kindOf(s *session) sessionKind {
	kind := sessionKind{protocol: protocolOf(string(s.TypeID))}
	transport, known := metadata.MapAttributeNetworkTransport[string(s.Transport)]
	if !known {
		transport, known = protocolTransports[kind.protocol]
	}
	if !known {
		transport = metadata.AttributeNetworkTransportUnknown
	}
	kind.transport = transport
	return kind
}

// protocolOf reads the protocol off a C++ class: http of mediakit::HttpSession and of toolkit::SessionWithSSL<mediakit::HttpSession>.
func protocolOf(class string) string {
	if i := strings.LastIndexAny(class, ":<"); i >= 0 {
		class = class[i+1:]
	}
	class = strings.TrimSuffix(strings.TrimRight(class, " >"), "Session")
	return selection.Name([]byte(strings.ToLower(class)))
}
