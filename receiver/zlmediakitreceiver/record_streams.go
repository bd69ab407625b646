// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"cmp"
	"context"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// streams records the media list and keeps the state of the streams between two lists.
type streams struct {
	mb          *builder
	report      *scrape.Report
	client      *client
	proxies     *proxies
	config      *cachedAnswer[serverConfig]
	interval    time.Duration // between scrapes
	recordInfos bool

	listing  listing
	items    *selection.Set[stream]
	complete bool                 // the current scrape has a complete list
	lastList timestamp            // the last complete list; 0 if there was none
	silent   map[string]timestamp // time of the last media in expected streams, by name; 0 before the first list
	codecs   map[string]string    // attribute values by the server's codec names
	counts   *tally[streamGroup]
	inputs   *tally[originType] // in bytes per second
	io       ioSums

	trackSums []trackSum // of the current list
}

// stream holds the state of one stream.
type stream struct {
	streamName
	firstSeen   timestamp
	sources     [schemaOther + 1]sourceState
	hasBytes    schemaSet        // schemas that have reported totalBytes
	inputSchema int              // the schema whose growth is that of the input
	tracks      [2][]*trackState // by codec_type, in list order
	state       state            // as last judged
	before      schemaSet        // schemas of the last list
	seen        timestamp        // time of the last list
	start       timestamp        // the earliest registration of its schemas, latched
	lastMedia   timestamp        // the last list that showed media; until then, the first list

	// The following fields are from the current list.
	listed, reported schemaSet // schemas in the list; those of them that have data points
	repeated         schemaSet // the schema in which a second stream of the same name was found first
	signs            schemaSet // schemas in which media has flowed
	framesGrew       bool      // in any track
	hasSpeed         bool      // bytesSpeed or totalBytes was present
	hasFrames        bool
	earliest         timestamp // registration of its schemas; 0 if none is known
	readers          int64     // of all schemas
	origin           originType
	native           int   // the schema of the origin; schemaOther if there is none
	mp4, hls         bool  // whether it is being recorded
	uptime           int64 // seconds; -1 if unknown
	ingest, fastest  int64 // bytes per second in the native schema, and in the fastest one

	sent cumulative.Counter // bytes sent by its RTP sender
}

func newStreams(cfg *Config, mb *builder, report *scrape.Report, c *client, p *proxies, config *cachedAnswer[serverConfig]) *streams {
	s := &streams{
		mb: mb, report: report, client: c, proxies: p, config: config,
		interval: cfg.ControllerConfig.CollectionInterval, recordInfos: cfg.MetricsBuilderConfig.Metrics.ZlmediakitStreamInfo.Enabled,
		listing: newListing(cfg.Streams.Schemas, cfg.ControllerConfig.CollectionInterval),
		items:   selection.New[stream](cfg.Streams.selection(), cfg.Streams.expected()...),
		silent:  map[string]timestamp{},
		io:      ioSums{received: map[originType]int64{}},
		codecs:  map[string]string{"mpeg4-generic": "aac"},
		counts: newTally(streamCount, streamGroup{origin: metadata.AttributeZlmediakitOriginTypeUnknown}).
			limited(cfg.Streams.Limit, streamGroup.other),
		inputs: newTally(ingestThroughput, metadata.AttributeZlmediakitOriginTypeUnknown),
	}
	for _, name := range cfg.Streams.expected() {
		s.silent[name] = 0
	}
	return s
}

// other is the group of all streams of an origin that are over the limit.
func (g streamGroup) other() streamGroup { return streamGroup{g.origin, nameOther, nameOther} }

func (s *streams) beginScrape() {
	s.complete = false
	s.listing.beginScrape()
}

// recordList requests the media list and records it while reading it.
func (s *streams) recordList(ctx context.Context) (recorded bool, err error) {
	l := s.beginList()
	began := time.Now()
	for _, schema := range s.listing.requests() {
		if failed := s.client.EachMediaSource(ctx, schema, l.add); failed != nil {
			err = failed
			if !scrape.IsPartial(err) {
				break
			}
		}
	}
	s.complete = err == nil || scrape.IsPartial(err)
	l.end()
	truncated := !s.complete && len(s.items.Items()) > 0 // the number of missing streams is unknown
	s.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonTruncated, rows.BoolToInt(truncated))
	if s.complete {
		s.listing.took(time.Since(began))
		l.finish()
	} else {
		s.listing.failed()
	}
	return s.complete, err
}

// listRecorder records one media list and adds up its totals.
type listRecorder struct {
	*streams
	now      timestamp
	reported schemaSet
	full     bool // the list contains all schemas
	// undecided is set for the first list of schemas: auto, after which the reported schemas are chosen. Native schemas are recorded at
	// once, others are postponed unless there are so many that not all schemas can be chosen.
	undecided bool
	postponed []postponedSource
	dropped   bool // there were too many to postpone
	doubt     bool // a stream may flow in a schema that was not requested

	sources [schemaOther + 1]int64
	egress  [schemaOther + 1]float64
	merged  int64
	waiting []waitingSource

	// Reused for each source.
	name   []byte
	source sourceID
	info   streamInfo
}

// waitingSource is a source of a stream that waits.
type waitingSource struct {
	item   *selection.Item[stream]
	source mediaSource
	first  bool // of its stream
}

// postponedSource is a source that is recorded if its schema is chosen.
type postponedSource struct {
	stream *stream
	source mediaSource
}

func (s *streams) beginList() *listRecorder {
	s.items.Begin()
	s.trackSums = s.trackSums[:0]
	return &listRecorder{streams: s, now: s.report.Now(), reported: s.listing.chosen, full: s.listing.full(), undecided: s.listing.undecided()}
}

// add adds one media source. A second one of the same schema and name is skipped: the server prints names that are not valid UTF-8 in
// a way that makes different ones equal.
func (l *listRecorder) add(m *mediaSource) {
	item := l.get(m)
	st := &item.Value
	schema := schemaIndex(m.Schema)
	if st.listed.has(schema) {
		if st.repeated == 0 {
			st.repeated = 1 << schema
		}
		if st.repeated.has(schema) {
			l.merged++
		}
		return
	}
	first := st.listed == 0
	st.listed |= 1 << schema
	l.observeGrowth(st, m, schema)
	st.observe(m, schema, l.now)
	if l.reported.has(schema) {
		st.reported |= 1 << schema
		l.count(m, schema)
	}
	switch {
	case item.Kept:
		l.record(st, m, first)
	case item.Waits:
		l.waiting = append(l.waiting, waitingSource{item, m.Take(), first})
	}
}

// record records a source and, if it is the first one of its stream, the stream.
func (l *listRecorder) record(st *stream, m *mediaSource, first bool) {
	if first {
		recordRows(streamRows, l.mb, m, &st.streamName)
		l.recordTracks(st, m)
	}
	switch schema := schemaIndex(m.Schema); {
	case !l.reported.has(schema):
	case !l.undecided || schema == st.native:
		l.recordSource(st, m, schema)
	case l.dropped:
	case len(l.postponed) == fullListMax:
		l.postponed, l.dropped = nil, true
	default:
		l.postponed = append(l.postponed, postponedSource{st, m.Take()})
	}
}

// recordPostponed records the postponed sources whose schemas have been chosen.
func (l *listRecorder) recordPostponed() {
	for i := range l.postponed {
		one := &l.postponed[i]
		if schema := schemaIndex(one.source.Schema); l.listing.chosen.has(schema) {
			l.recordSource(one.stream, &one.source, schema)
		}
	}
}

// end records what had to wait for the end of the list.
func (l *listRecorder) end() {
	l.items.End(l.complete)
	l.recordWaiting()
	l.recordTrackSums()
	l.addGrowth()
}

// recordWaiting records the sources of streams that have waited and are kept now.
func (l *listRecorder) recordWaiting() {
	for i := range l.waiting {
		if one := &l.waiting[i]; one.item.Kept {
			l.record(&one.item.Value, &one.source, one.first)
		}
	}
}

// get returns the state of the source's stream.
func (l *listRecorder) get(m *mediaSource) *selection.Item[stream] {
	l.name = appendStream(l.name[:0], m.Vhost, m.App, m.Stream)
	item, first := l.items.Get(l.name)
	st := &item.Value
	if !first {
		return item
	}
	if st.firstSeen == 0 {
		st.streamName = splitName(item.Name)
		st.firstSeen = l.now
		st.lastMedia = cmp.Or(l.silent[item.Name], l.now)
	}
	st.before, st.listed, st.reported, st.repeated, st.signs = st.listed, 0, 0, 0, 0
	st.framesGrew, st.hasSpeed, st.hasFrames, st.readers, st.earliest = false, false, false, 0, 0
	st.mp4, st.hls, st.uptime = false, false, -1
	st.ingest, st.fastest = 0, 0
	st.origin = originOf(m.OriginType)
	st.native = nativeSchema(st.origin, m.OriginURL)
	if st.before == 0 {
		st.inputSchema = st.native
	}
	return item
}

func originOf(name []byte) originType {
	if origin, known := metadata.MapAttributeZlmediakitOriginType[string(name)]; known {
		return origin
	}
	return metadata.AttributeZlmediakitOriginTypeUnknown
}

// nativeSchema returns the schema closest to the origin, or schemaOther if there is none.
func nativeSchema(origin originType, url []byte) int {
	if schema, ok := nativeSchemas[origin]; ok {
		return schema
	}
	if origin == metadata.AttributeZlmediakitOriginTypePull {
		if scheme, _, ok := bytes.Cut(url, []byte("://")); ok {
			return schemaIndex(bytes.TrimSuffix(scheme, []byte("s"))) // rtsps and rtmps too
		}
	}
	return schemaOther
}

// recordSource records one stream in one schema.
func (l *listRecorder) recordSource(st *stream, m *mediaSource, schema int) {
	l.source = sourceID{st.streamName, schemaAttributes[schema]}
	recordRows(sourceRows, l.mb, m, &l.source)
	if n, ok := m.TotalBytes.Get(); ok {
		streamIO.RecordSince(l.mb, cmp.Or(registrationOf(m, l.now), st.firstSeen), n, &l.source)
	}
	if l.recordInfos {
		l.info = streamInfo{l.source, st.origin, selection.Name(m.StrippedURL()), selection.Name(m.OriginIP)}
		streamInfoPoint.Record(l.mb, 1, &l.info)
	}
}

// registrationOf returns the time when a source was registered, or 0 if it is unknown. It is never after now, even if the server's clock
// is ahead.
func registrationOf(m *mediaSource, now timestamp) timestamp {
	stamp, _ := m.CreateStamp.Get()
	return cumulative.Seconds(min(stamp, now.AsTime().Unix()))
}

// count adds a source to the sums by schema. They cover all streams, including those without data points of their own.
func (l *listRecorder) count(m *mediaSource, schema int) {
	speed, _ := m.BytesSpeed.Get()
	readers, _ := m.Readers.Get()
	l.sources[schema]++
	l.egress[schema] += float64(speed) * float64(readers)
}

// observe updates the state of a stream from one of its sources.
func (st *stream) observe(m *mediaSource, schema int, now timestamp) {
	speed, hasSpeed := m.BytesSpeed.Get()
	st.fastest = max(st.fastest, speed)
	if schema == st.native {
		st.ingest = speed
	}
	total, hasTotal := m.TotalBytes.Get()
	if speed > 0 || hasTotal && st.hasBytes.has(schema) && total > st.sources[schema].bytes {
		st.signs |= 1 << schema
	}
	if hasTotal {
		st.sources[schema].bytes = total
		st.hasBytes |= 1 << schema
	}
	st.hasSpeed = st.hasSpeed || hasSpeed || hasTotal
	if readers, ok := m.TotalReaders.Get(); ok {
		st.readers = readers
	}
	if age, ok := m.AliveSeconds.Get(); ok {
		st.uptime = max(st.uptime, age)
	}
	if start := registrationOf(m, now); st.earliest == 0 || start != 0 && start < st.earliest {
		st.earliest = start
	}
	st.mp4, _ = m.RecordingMP4.Get()
	st.hls, _ = m.RecordingHLS.Get()
}

// input estimates the incoming bytes per second of a stream.
func (st *stream) input() int64 {
	if st.ingest > 0 {
		return st.ingest
	}
	return st.fastest
}

// finish records the metrics that need a complete list.
func (l *listRecorder) finish() {
	var mp4, hls int64
	states := map[streamState]int64{}
	profiles := map[profile]int{}
	for _, item := range l.items.Items() {
		st := &item.Value
		profiles[profile{st.origin, st.native, st.listed, st.signs &^ (1 << schemaOther)}]++
		l.counts.add(streamGroup{st.origin, st.vhost, st.app}, 1)
		l.inputs.add(st.origin, float64(st.input()))
		mp4 += rows.BoolToInt(st.mp4)
		hls += rows.BoolToInt(st.hls)
		st.state = l.judge(st, item.Name)
		states[streamStates[st.state]]++
		if _, expected := l.silent[item.Name]; expected {
			l.silent[item.Name] = st.lastMedia
		}
		if item.Kept {
			l.recordAlive(st)
		}
	}
	for _, missing := range l.items.Missing() {
		l.recordMissing(missing)
	}
	for _, state := range allStreamStates {
		streamCountByState.Record(l.mb, states[state], state)
	}
	recordingCount.Record(l.mb, mp4, metadata.AttributeZlmediakitRecordingFormatMp4)
	recordingCount.Record(l.mb, hls, metadata.AttributeZlmediakitRecordingFormatHls)
	l.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonLimit, l.recordTotals()+int64(l.items.Limited()))
	l.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonMerged, l.merged)
	l.listing.learn(profiles, l.doubt)
	l.recordPostponed()
	l.lastList = l.now
}

// recordAlive records whether media flows in a stream, and how long the stream has existed.
func (l *listRecorder) recordAlive(st *stream) {
	rows.RecordState(streamStatePoint, l.mb, allStreamStates, streamStates[st.state], func(state streamState) streamInState {
		return streamInState{st.streamName, state}
	})
	if alive, known := st.state.alive(); known {
		streamAlive.Record(l.mb, alive, &st.streamName)
	}
	streamSilence.RecordFloat(l.mb, secondsBetween(st.lastMedia, l.now), &st.streamName)
	if st.uptime >= 0 {
		streamUptime.Record(l.mb, st.uptime, &st.streamName)
	}
}

// recordMissing records an expected stream that is not on the server.
func (l *listRecorder) recordMissing(expected string) {
	name := splitName(expected)
	l.silent[expected] = cmp.Or(l.silent[expected], l.now)
	streamAlive.Record(l.mb, 0, &name)
	streamSilence.RecordFloat(l.mb, secondsBetween(l.silent[expected], l.now), &name)
}

// secondsBetween returns the time from then to now, or 0 if the clock was set back.
func secondsBetween(then, now timestamp) float64 {
	return max(now.AsTime().Sub(then.AsTime()).Seconds(), 0)
}

// recordTotals records the sums over all streams and returns how many groups of streams are over the limit.
func (l *listRecorder) recordTotals() (over int64) {
	over = l.counts.record(l.mb)
	l.inputs.record(l.mb)
	l.recordIO()
	for schema, n := range l.sources {
		if l.reported.has(schema) && (schema != schemaOther || n > 0) {
			mediaSourceCount.Record(l.mb, n, schemaAttributes[schema])
			egressThroughput.RecordFloat(l.mb, l.egress[schema], schemaAttributes[schema])
		}
	}
	return over
}

// recordSchedule records how often the list is requested, and the age of the last one.
func (s *streams) recordSchedule() {
	interval := time.Duration(s.listing.spacing) * s.interval
	mediaListInterval.RecordFloat(s.mb, interval.Seconds(), rows.None{})
	if s.lastList != 0 {
		mediaListAge.RecordFloat(s.mb, secondsBetween(s.lastList, s.report.Now()), rows.None{})
	}
}
