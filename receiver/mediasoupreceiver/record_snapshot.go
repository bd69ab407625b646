// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// snapshotRecord records the snapshots of an agent. While a snapshot is read, its objects are only counted; data points are recorded
// when it is complete.
type snapshotRecord struct {
	mb     *builder
	report *scrape.Report
	cfg    *Config

	last        snapshot  // last complete snapshot, with the ID of the last instance
	inSnapshot  bool      // whether the objects of a snapshot are being read
	sawComplete bool      // whether the instance has sent a complete snapshot
	start       timestamp // of sums over objects; 0 before the first snapshot
	events      map[eventID]*cumulative.Counter

	coverage *coverageRecord
	topology *topology
	singles  *singleRecord
	visitor  visitor

	// State of the instance.
	transports *transportRecord
	streams    *streamRecord
	data       *dataRecord
}

func newSnapshotRecord(mb *builder, run *scrape.Runner, statistics []string, cfg *Config) *snapshotRecord {
	coverage := &coverageRecord{mb: mb, report: run.Report, statistics: statistics}
	s := &snapshotRecord{
		mb: mb, report: run.Report, cfg: cfg, coverage: coverage, events: map[eventID]*cumulative.Counter{},
		topology: newTopology(mb, run.Report, coverage, cfg.Workers.Limit), singles: newSingleRecord(mb, run, cfg.Streams.Limit),
	}
	s.visitor = visitor{
		labels: cfg.Rooms.Labels,
		begin:  s.begin, worker: s.topology.addWorker, router: s.topology.addRouter,
		transport:    func(t *transport) { s.transports.add(t) },
		producer:     func(o *rtpObject) { s.streams.add(producers, o) },
		consumer:     func(o *rtpObject) { s.streams.add(consumers, o) },
		dataProducer: func(o *dataObject) { s.data.add(producers, o) },
		dataConsumer: func(o *dataObject) { s.data.add(consumers, o) },
	}
	return s
}

// begin prepares for the objects of a snapshot. The sums of an instance start with its first complete snapshot.
func (s *snapshotRecord) begin(instanceID string) {
	if s.last.InstanceID != instanceID || !s.sawComplete {
		s.sawComplete = false
		s.start = s.report.Now()
		s.topology.rooms = newRoomRecord(s.mb, s.report, &s.cfg.Rooms)
		s.transports = newTransportRecord(s.mb, s.report, s.coverage, s.topology)
		s.streams = newStreamRecord(s.mb, s.report, s.coverage, s.topology, s.singles)
		s.data = newDataRecord(s.mb, s.report, s.coverage)
	}
	s.inSnapshot = true
	s.coverage.begin()
	s.topology.begin()
	s.transports.begin()
	s.streams.begin()
	s.data.begin()
}

// end ends a snapshot. complete is whether all its objects were read.
func (s *snapshotRecord) end(complete bool) {
	if !s.inSnapshot {
		return
	}
	s.inSnapshot = false
	s.sawComplete = s.sawComplete || complete
	s.topology.end(complete)
	s.transports.deltas.End(complete)
	s.streams.end(complete)
	s.data.deltas.End(complete)
}

// record records a complete snapshot.
func (s *snapshotRecord) record(answer snapshot) {
	s.last = answer
	start := startOf(answer.Process.StartTime, s.report.StartTime())
	s.coverage.record(&answer.Collection)
	s.recordApplication(start)
	s.recordCollection()
	s.topology.record(start, answer.Time)
	s.transports.record()
	s.streams.record()
	s.data.record()
	s.topology.rooms.record(answer.Time)
}

// eventID identifies a counter of the agent by its key and group.
type eventID struct {
	key   string
	group eventGroup
}

// startOfEvents returns the start time of a counter of the agent: that of the application, until the agent alone is started again.
func (s *snapshotRecord) startOfEvents(id eventID, n int64, application timestamp) timestamp {
	counter := s.events[id]
	if counter == nil {
		counter = &cumulative.Counter{}
		s.events[id] = counter
	}
	return counter.ObserveSince(application, n, s.report.Now())
}

// recordApplication records the metrics of the application, which was started at start.
func (s *snapshotRecord) recordApplication(start timestamp) {
	for i := range eventRows {
		row := &eventRows[i]
		if n, present := s.last.Counters[row.key]; present {
			row.Point.RecordSince(s.mb, s.startOfEvents(eventID{key: row.key}, n, start), n, none{})
		}
	}
	s.recordGroupedEvents(start)
	p, to := &s.last.Process, &applicationRows
	recordPresent(to.CPUUser, s.mb, start, p.CPUUser)
	recordPresent(to.CPUSystem, s.mb, start, p.CPUSystem)
	recordPresent(to.Memory, s.mb, start, p.Memory)
	recordPresent(to.EventLoopLag, s.mb, start, p.Lag)
	recordPresent(to.EventLoopDelayP99, s.mb, start, p.DelayP99)
	recordPresent(to.WebRTCServers, s.mb, start, s.last.Servers)
	started, hasStart := p.StartTime.Get()
	now, hasTime := s.last.Time.Get()
	if hasStart && hasTime {
		to.Uptime.Record(s.mb, now-started, none{})
	}
}

// recordGroupedEvents records the counters that the agent reports by group.
func (s *snapshotRecord) recordGroupedEvents(start timestamp) {
	for i := range groupedEventRows {
		counts := tally[eventGroup]{}
		for path, n := range s.last.Counters {
			if key, group, grouped := strings.Cut(path, "."); grouped && key == groupedEventRows[i].key {
				counts[eventGroupOf(group)] += n
			}
		}
		for group, n := range counts {
			row := &groupedEventRows[i]
			row.Point.RecordSince(s.mb, s.startOfEvents(eventID{row.key, group}, n, start), n, group)
		}
	}
}

// eventGroupOf returns the group of a counter whose path ends with a type of transport or a kind of media, and perhaps a reason.
func eventGroupOf(path string) eventGroup {
	word, reason, _ := strings.Cut(path, ".")
	return eventGroup{
		transport: enum(metadata.MapAttributeMediasoupTransportType, []byte(word), metadata.AttributeMediasoupTransportTypeUnknown),
		kind:      mediaKindOf([]byte(word)),
		reason:    enum(metadata.MapAttributeCreationErrorType, []byte(reason), metadata.AttributeCreationErrorTypeOTHER),
	}
}

// recordCollection records how the agent collected the snapshot.
func (s *snapshotRecord) recordCollection() {
	c := &s.last.Collection
	recordPresent(collectionRows.Duration, s.mb, 0, c.Duration)
	if !c.Present {
		return
	}
	for _, m := range measurable {
		list := lists[m.list].name
		collectionRows.Skipped.Record(s.mb, c.Skipped[list], m.entity)
		collectionRows.Errors.Record(s.mb, c.Errors[list], m.entity)
		collectionRows.Carried.Record(s.mb, c.Carried[list], m.entity)
	}
}

// recordPresent records a number if it is present. It is at most maxExact, which float64 represents exactly.
func recordPresent[V int64 | float64](p point[none], mb *builder, start timestamp, v optional.Value[V]) {
	if v, ok := v.Get(); ok {
		p.RecordFloatSince(mb, start, float64(v), none{})
	}
}

// startOf returns a Unix time in milliseconds as a timestamp. If it is absent or out of range, it returns otherwise.
func startOf(ms optional.Value[int64], otherwise timestamp) timestamp {
	if v, ok := ms.Get(); ok && v <= math.MaxInt64/int64(time.Millisecond) {
		return pcommon.NewTimestampFromTime(time.UnixMilli(v))
	}
	return otherwise
}
