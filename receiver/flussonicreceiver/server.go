// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"cmp"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// serverScraper turns into metrics what the server tells of itself as a whole: load, disks, GPUs, cards, archives, sessions.
type serverScraper struct {
	*scraper
	onPage int // enabled metrics that the Prometheus page has too

	// What the server told of itself.
	about    server // its strings only
	started  pcommon.Timestamp
	uptime   cumulative.Uptime
	clock    clock
	counters map[counterKey]*cumulative.Counter

	// Of the current scrape.
	told  bool // API v3 has answered
	given server
}

// counterKey identifies a counter of the server.
type counterKey struct {
	metric, name string // of a DVR or an interface
	part         int
}

// maxCounters bounds the counters that are remembered: a server that names ever new things has them forgotten.
const maxCounters = 20 * maxDevices

// clock is the server's: what it showed, and when that was.
type clock struct {
	milliseconds float64 // Unix time; 0 when unknown
	read         time.Time
}

// now returns the server's time in milliseconds, 0 when it is unknown.
func (s *serverScraper) now() float64 {
	if s.clock.milliseconds == 0 {
		return 0
	}
	return s.clock.milliseconds + float64(s.scraper.clock().Sub(s.clock.read).Milliseconds())
}

func newServerScraper(s *scraper) *serverScraper {
	server := &serverScraper{scraper: s, counters: map[counterKey]*cumulative.Counter{}}
	paged := map[serverField]bool{}
	for _, field := range pageServer {
		paged[field] = true
	}
	names := map[string]bool{}
	for _, name := range deviceMetrics {
		names[name] = true
	}
	for _, p := range serverPoints {
		names[p.metric] = paged[p.field]
	}
	for _, name := range scrape.EnabledMetrics(&s.cfg.MetricsBuilderConfig.Metrics) {
		server.onPage += scrape.Enabled(names[name])
	}
	return server
}

func (s *serverScraper) begin() {
	s.told, s.given = false, server{}
}

// start returns when the server started, 0 when it has never told.
func (s *serverScraper) start() pcommon.Timestamp { return cmp.Or(s.started, s.uptime.Start()) }

// addStart notes when the sum began whose point was recorded last in metric.
func (s *serverScraper) addStart(now pcommon.Timestamp, key counterKey, value int64) {
	counter := s.counters[key]
	if counter == nil {
		if len(s.counters) == maxCounters {
			clear(s.counters)
		}
		counter = &cumulative.Counter{}
		s.counters[key] = counter
	}
	s.starts.Add(key.metric, counter.StartSince(cmp.Or(s.start(), s.report.Began()), value, now), now)
}

type (
	builder = metadata.MetricsBuilder
	// point records a number, unless it cannot be one of its metric.
	point = func(mb *builder, now pcommon.Timestamp, v float64) bool
)

// whole records what is counted. What is negative, or no whole number, is none.
func whole(record func(*builder, pcommon.Timestamp, int64)) point {
	return func(mb *builder, now pcommon.Timestamp, v float64) bool {
		n, ok := wholeNumber(v)
		if ok {
			record(mb, now, n)
		}
		return ok
	}
}

// over records a quotient within bounds: percent over 100.
func over(divisor float64, within bounds, record func(*builder, pcommon.Timestamp, float64)) point {
	return func(mb *builder, now pcommon.Timestamp, v float64) bool {
		v /= divisor
		if within.has(v) {
			record(mb, now, v)
		}
		return within.has(v)
	}
}

// kbit is how many bytes per second a kbit/s is.
const kbit = 125

func throughput(direction metadata.AttributeNetworkIoDirection) point {
	return func(mb *builder, now pcommon.Timestamp, v float64) bool {
		v *= kbit
		if throughputs.has(v) {
			mb.RecordFlussonicNetworkThroughputDataPoint(now, v, direction)
		}
		return throughputs.has(v)
	}
}

// serverPoints are the numbers of the server as a whole.
var serverPoints = []struct {
	field  serverField
	metric string
	record point
}{
	{serverBandwidth, metadata.MetricsInfo.FlussonicBandwidthUtilization.Name, over(100, ratios, (*builder).RecordFlussonicBandwidthUtilizationDataPoint)},
	{serverCPU, metadata.MetricsInfo.FlussonicCPUUtilization.Name, over(100, ratios, (*builder).RecordFlussonicCPUUtilizationDataPoint)},
	{serverMemory, metadata.MetricsInfo.FlussonicMemoryUtilization.Name, over(100, ratios, (*builder).RecordFlussonicMemoryUtilizationDataPoint)},
	{serverScheduler, metadata.MetricsInfo.FlussonicSchedulerUtilization.Name, over(100, ratios, (*builder).RecordFlussonicSchedulerUtilizationDataPoint)},
	{serverClients, metadata.MetricsInfo.FlussonicClientCount.Name, whole((*builder).RecordFlussonicClientCountDataPoint)},
	{serverStreams, metadata.MetricsInfo.FlussonicStreamCount.Name, whole((*builder).RecordFlussonicStreamCountDataPoint)},
	{serverOnlineStreams, metadata.MetricsInfo.FlussonicStreamOnlineCount.Name, whole((*builder).RecordFlussonicStreamOnlineCountDataPoint)},
	{serverOpenFiles, metadata.MetricsInfo.FlussonicFileOpenCount.Name, whole((*builder).RecordFlussonicFileOpenCountDataPoint)},
	{serverInput, metadata.MetricsInfo.FlussonicNetworkThroughput.Name, throughput(metadata.AttributeNetworkIoDirectionReceive)},
	{serverOutput, metadata.MetricsInfo.FlussonicNetworkThroughput.Name, throughput(metadata.AttributeNetworkIoDirectionTransmit)},
	{serverStarted, metadata.MetricsInfo.FlussonicStartTime.Name, over(1, moments, (*builder).RecordFlussonicStartTimeDataPoint)},
	{serverUptime, metadata.MetricsInfo.FlussonicUptime.Name, over(1, spans, (*builder).RecordFlussonicUptimeDataPoint)},
	{serverDrops, metadata.MetricsInfo.FlussonicEventDrops.Name, whole((*builder).RecordFlussonicEventDropsDataPoint)},
	{serverResends, metadata.MetricsInfo.FlussonicEventResends.Name, whole((*builder).RecordFlussonicEventResendsDataPoint)},
}

// deviceMetrics are those of devices that the Prometheus page has too.
var deviceMetrics = []string{
	metadata.MetricsInfo.FlussonicDiskIoUtilization.Name, metadata.MetricsInfo.FlussonicDiskLimit.Name, metadata.MetricsInfo.FlussonicDiskUtilization.Name,
	metadata.MetricsInfo.FlussonicDvbSignalStrength.Name, metadata.MetricsInfo.FlussonicGpuDecoderUtilization.Name,
	metadata.MetricsInfo.FlussonicGpuEncoderUtilization.Name, metadata.MetricsInfo.FlussonicGpuTemperature.Name,
}

// recordStats records config/stats.
func (s *serverScraper) recordStats(now pcommon.Timestamp, told *server) {
	s.told = true
	if v, ok := told.Numbers[serverNow].Get(); ok {
		if seconds, ok := moment(v); ok {
			s.clock = clock{seconds * 1000, s.scraper.clock()}
		}
	}
	if told.State != "" {
		current, known := metadata.MapAttributeFlussonicState[told.State]
		if !known {
			current = metadata.AttributeFlussonicStateUnknown
		}
		for _, state := range metadata.MapAttributeFlussonicState {
			s.mb.RecordFlussonicStateDataPoint(now, scrape.Number(state == current), state)
		}
	}
	if n, ok := told.Alerts.Get(); ok {
		s.mb.RecordFlussonicAlertCountDataPoint(now, n)
	}
	if invalid, ok := told.ConfigInvalid.Get(); ok {
		s.mb.RecordFlussonicConfigInvalidDataPoint(now, scrape.Number(invalid))
	}
	s.recordPage(now, told)
}

// recordPage records what any source may tell: numbers that none before it told, and devices of a kind of which none before
// it told, because the sources name them differently.
func (s *serverScraper) recordPage(now pcommon.Timestamp, told *server) {
	s.learn(now, told)
	for _, p := range serverPoints {
		v, ok := told.Numbers[p.field].Get()
		if _, given := s.given.Numbers[p.field].Get(); !ok || given {
			continue
		}
		if !p.record(s.mb, now, v) {
			s.implausible(p.metric, v)
			continue
		}
		s.given.Numbers[p.field] = told.Numbers[p.field]
		if p.field == serverDrops || p.field == serverResends {
			s.addStart(now, counterKey{metric: p.metric}, int64(v))
		}
	}
	if s.given.Disks == nil {
		s.recordDisks(now, told.Disks)
	}
	if s.given.GPUs == nil {
		s.recordGPUs(now, told.GPUs)
	}
	if s.given.Cards == nil {
		s.recordCards(now, told.Cards)
	}
	if s.given.DVRDisks == nil {
		for i := range told.DVRDisks {
			s.recordDVRDisk(now, "", &told.DVRDisks[i])
		}
	}
	s.recordInterfaces(now, told.Interfaces)
}

// learn keeps what the server says of its identity and its start; the first source of a scrape that does counts.
func (s *serverScraper) learn(now pcommon.Timestamp, told *server) {
	for _, one := range []struct{ told, given, about *string }{
		{&told.Version, &s.given.Version, &s.about.Version},
		{&told.Build, &s.given.Build, &s.about.Build},
		{&told.Hostname, &s.given.Hostname, &s.about.Hostname},
		{&told.ID, &s.given.ID, &s.about.ID},
	} {
		if *one.told != "" && *one.given == "" {
			*one.given, *one.about = *one.told, *one.told
		}
	}
	started, isStart := s.began(metadata.MetricsInfo.FlussonicStartTime.Name, told.Numbers[serverStarted])
	uptime, isUptime := told.Numbers[serverUptime].Get()
	_, isGiven := s.given.Numbers[serverStarted].Get()
	told.Numbers[serverStarted] = number{}
	switch {
	case isStart:
		told.Numbers[serverStarted] = optional.Of(started)
		if !isGiven {
			s.started = timestamp(started)
		}
	case isUptime && spans.has(uptime):
		s.started = 0
		s.uptime.Update(uptime, now)
	}
}

func (s *serverScraper) recordDisks(now pcommon.Timestamp, disks []disk) {
	seen, merged := map[string]bool{}, int64(0)
	for i := range disks {
		d := &disks[i]
		path := selection.Name(d.Path)
		if path == "" {
			continue
		}
		if seen[path] {
			merged++
			continue
		}
		seen[path] = true
		size, ok := d.Bytes.Get()
		if !ok {
			size, ok = d.Megabyte.Get()
			size *= 1 << 20
		}
		if n, valid := wholeNumber(size); valid && ok {
			s.mb.RecordFlussonicDiskLimitDataPoint(now, n, path)
		} else if ok {
			s.implausible(metadata.MetricsInfo.FlussonicDiskLimit.Name, size)
		}
		if share, ok := s.percent(metadata.MetricsInfo.FlussonicDiskUtilization.Name, d.Usage); ok {
			s.mb.RecordFlussonicDiskUtilizationDataPoint(now, share, path)
		}
		if share, ok := s.percent(metadata.MetricsInfo.FlussonicDiskIoUtilization.Name, d.Busy); ok {
			s.mb.RecordFlussonicDiskIoUtilizationDataPoint(now, share, path)
		}
	}
	if len(seen) > 0 {
		s.given.Disks = disks
		s.report.Omit(metadata.AttributeRtcEntityDisk, metadata.AttributeRtcOmissionReasonMerged, merged)
	}
}

func (s *serverScraper) recordGPUs(now pcommon.Timestamp, gpus []gpu) {
	type identity struct{ id, name string }
	seen := map[identity]bool{}
	for i := range gpus {
		g := &gpus[i]
		id, name := selection.Name(g.ID), selection.Name(g.Name)
		_, isDecoder := g.Decoder.Get()
		_, isEncoder := g.Encoder.Get()
		_, isHot := g.Temperature.Get()
		_, isUsed := g.MemoryUsed.Get()
		if !isDecoder && !isEncoder && !isHot && !isUsed || seen[identity{id, name}] {
			continue // a processor among them, whose number may be that of a GPU
		}
		seen[identity{id, name}] = true
		if share, ok := s.percent(metadata.MetricsInfo.FlussonicGpuDecoderUtilization.Name, g.Decoder); ok {
			s.mb.RecordFlussonicGpuDecoderUtilizationDataPoint(now, share, id, name)
		}
		if share, ok := s.percent(metadata.MetricsInfo.FlussonicGpuEncoderUtilization.Name, g.Encoder); ok {
			s.mb.RecordFlussonicGpuEncoderUtilizationDataPoint(now, share, id, name)
		}
		if degrees, ok := s.possible(metadata.MetricsInfo.FlussonicGpuTemperature.Name, g.Temperature, 1, temperatures); ok {
			s.mb.RecordFlussonicGpuTemperatureDataPoint(now, degrees, id, name)
		}
		if total, _ := g.MemoryTotal.Get(); total > 0 {
			if share, ok := s.possible(metadata.MetricsInfo.FlussonicGpuMemoryUtilization.Name, g.MemoryUsed, total, ratios); ok {
				s.mb.RecordFlussonicGpuMemoryUtilizationDataPoint(now, share, id, name)
			}
		}
		s.given.GPUs = gpus
	}
}

func (s *serverScraper) recordCards(now pcommon.Timestamp, cards []card) {
	seen := map[string]bool{}
	for i := range cards {
		c := &cards[i]
		name := selection.Name(c.Name)
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		for _, share := range []struct {
			metric  string
			percent number
			record  func(*builder, pcommon.Timestamp, float64, string)
		}{
			{metadata.MetricsInfo.FlussonicDvbSignalStrength.Name, c.Strength, (*builder).RecordFlussonicDvbSignalStrengthDataPoint},
			{metadata.MetricsInfo.FlussonicDvbSignalSnr.Name, c.SNR, (*builder).RecordFlussonicDvbSignalSnrDataPoint},
			{metadata.MetricsInfo.FlussonicDvbSignalBitError.Name, c.BitError, (*builder).RecordFlussonicDvbSignalBitErrorDataPoint},
		} {
			if v, ok := s.percent(share.metric, share.percent); ok {
				share.record(s.mb, now, v, name)
			}
		}
		if locked, ok := c.Locked.Get(); ok {
			s.mb.RecordFlussonicDvbLockedDataPoint(now, scrape.Number(locked), name)
		}
		s.given.Cards = cards
	}
}

func (s *serverScraper) recordInterfaces(now pcommon.Timestamp, interfaces []ethernet) {
	for i := range interfaces {
		e := &interfaces[i]
		for _, io := range []struct {
			bytes     number
			direction metadata.AttributeNetworkIoDirection
		}{
			{e.Received, metadata.AttributeNetworkIoDirectionReceive},
			{e.Transmit, metadata.AttributeNetworkIoDirectionTransmit},
		} {
			if n, ok := s.count(metadata.MetricsInfo.FlussonicNetworkIo.Name, io.bytes); ok {
				s.mb.RecordFlussonicNetworkIoDataPoint(now, n, e.Name, io.direction)
				s.addStart(now, counterKey{metadata.MetricsInfo.FlussonicNetworkIo.Name, e.Name, int(io.direction)}, n)
			}
		}
	}
}

// dvrErrors are the errors of a DVR by what failed.
var dvrErrors = map[string]metadata.AttributeFlussonicDvrOperation{
	"read_errors":           metadata.AttributeFlussonicDvrOperationRead,
	"write_errors":          metadata.AttributeFlussonicDvrOperationWrite,
	"delete_errors":         metadata.AttributeFlussonicDvrOperationDelete,
	"drop_write_count":      metadata.AttributeFlussonicDvrOperationDropWrite,
	"collapsed_write_count": metadata.AttributeFlussonicDvrOperationCollapsedWrite,
}

func (s *serverScraper) recordDVRs(now pcommon.Timestamp, all []dvr) {
	seen := map[string]bool{}
	s.given.DVRDisks = []dvrDisk{}
	for i := range all {
		d := &all[i]
		name := selection.Name(d.Name)
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		if n, ok := s.count(metadata.MetricsInfo.FlussonicDvrLimit.Name, d.Size); ok {
			s.mb.RecordFlussonicDvrLimitDataPoint(now, n, name)
		}
		if n, ok := s.count(metadata.MetricsInfo.FlussonicDvrUsage.Name, d.Used); ok {
			s.mb.RecordFlussonicDvrUsageDataPoint(now, n, name)
		}
		if share, ok := s.percent(metadata.MetricsInfo.FlussonicDvrUtilization.Name, d.Usage); ok {
			s.mb.RecordFlussonicDvrUtilizationDataPoint(now, share, name)
		}
		for field, operation := range dvrErrors {
			if n, ok := s.count(metadata.MetricsInfo.FlussonicDvrErrors.Name, d.Errors[field]); ok {
				s.mb.RecordFlussonicDvrErrorsDataPoint(now, n, name, operation)
				s.addStart(now, counterKey{metadata.MetricsInfo.FlussonicDvrErrors.Name, name, int(operation)}, n)
			}
		}
		disks := map[string]bool{}
		for j := range d.Disks {
			if path := d.Disks[j].Path; !disks[path] {
				disks[path] = true
				s.recordDVRDisk(now, name, &d.Disks[j])
			}
		}
	}
}

func (s *serverScraper) recordDVRDisk(now pcommon.Timestamp, dvr string, d *dvrDisk) {
	path := selection.Name(d.Path)
	if path == "" {
		return
	}
	if share, ok := s.percent(metadata.MetricsInfo.FlussonicDvrDiskIoUtilization.Name, d.Busy); ok {
		s.mb.RecordFlussonicDvrDiskIoUtilizationDataPoint(now, share, dvr, path)
	}
	if mounted, ok := d.Mounted.Get(); ok {
		s.mb.RecordFlussonicDvrDiskMountedDataPoint(now, scrape.Number(mounted), dvr, path)
	}
}

func (s *serverScraper) recordPeers(now pcommon.Timestamp, peers map[string]bool) {
	seen := map[string]bool{}
	for peer, up := range peers {
		if name := selection.Name(peer); !seen[name] {
			seen[name] = true
			s.mb.RecordFlussonicClusterPeerUpDataPoint(now, scrape.Number(up), name)
		}
	}
}

func (s *serverScraper) recordSessions(now pcommon.Timestamp, all *sessions) {
	counts := map[session]int64{}
	for group, n := range all.Counts {
		counts[session{selection.Name(group.Protocol), selection.Name(group.Type), group.DVR}] += n
	}
	for group, n := range counts {
		s.mb.RecordFlussonicSessionCountDataPoint(now, n, group.Protocol, group.Type, group.DVR)
	}
	s.report.Omit(metadata.AttributeRtcEntitySession, metadata.AttributeRtcOmissionReasonLimit, all.Over)
}

func (s *serverScraper) recordFiles(now pcommon.Timestamp, viewers map[string]float64) {
	sums := map[string]float64{}
	for prefix, n := range viewers {
		sums[selection.Name(prefix)] += n
	}
	for prefix, v := range sums {
		if n, ok := wholeNumber(v); ok {
			s.mb.RecordFlussonicVodClientCountDataPoint(now, n, prefix)
		}
	}
}
