// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// streams turns the media list into metrics, and keeps what must be known of the streams between two lists.
type streams struct {
	*scraper
	listing  listing
	items    *selection.Set[stream]
	complete bool              // the media list of this scrape was complete
	codecs   map[string]string // as the server writes them -> as we do
	counts   *tally[streamGroup, int64]
	inputs   *tally[metadata.AttributeZlmediakitOriginType, float64] // bytes per second

	trackStarts []trackStart // of the points of the current list
}

// stream is what is kept of one stream.
type stream struct {
	vhost, app, name string
	firstSeen        pcommon.Timestamp
	bytes            [schemaOther + 1]int64 // totalBytes of the last list that had the schema
	hasBytes         schemaSet              // those of bytes that are known
	tracks           [2][]trackState        // by codec_type, in the order of the list
	state            state                  // as it was judged last
	before           schemaSet              // schemas of the last list
	seen             pcommon.Timestamp      // time of the last list
	start            pcommon.Timestamp      // its registration in the first of its schemas, latched

	// All that follows is of the current list.
	listed, reported schemaSet // schemas in the list; those of them that data points are made of
	repeated         schemaSet // the schema in which a second stream of the same name came up
	signs            schemaSet // schemas in which media has moved
	framesGrew       bool      // in any track
	hasSpeed         bool      // bytesSpeed or totalBytes was there
	hasFrames        bool
	earliest         pcommon.Timestamp // of the registrations of its schemas; 0 when none is known
	readers          int64             // of all schemas
	origin           metadata.AttributeZlmediakitOriginType
	native           int   // the schema in which the stream came, schemaOther when there is none
	mp4, hls         bool  // is being recorded
	uptime           int64 // seconds, -1 when unknown
	ingest, fastest  int64 // bytes per second in the native schema, and in the fastest one

	sent cumulative.Counter // by its RTP sender
}

// trackState is the state of a track between two lists.
type trackState struct {
	frames    int64             // -1 when unknown
	restarted pcommon.Timestamp // the last list before frames fell
}

func newStreams(s *scraper) *streams {
	return &streams{
		scraper: s,
		listing: newListing(s.cfg.Streams.Schemas, s.cfg.ControllerConfig.CollectionInterval),
		items:   selection.New[stream](s.cfg.Streams.selection()),
		codecs:  map[string]string{"mpeg4-generic": "aac"},
		counts:  newTally[streamGroup, int64](s.cfg.Streams.Limit, streamGroup.other),
		inputs:  newTally[metadata.AttributeZlmediakitOriginType, float64](0, nil),
	}
}

// wanted counts the enabled metrics that this scrape needs the media list for. It is called once a scrape.
func (s *streams) wanted() int {
	s.complete = false
	if !s.listing.due() {
		return 0
	}
	m := &s.cfg.MetricsBuilderConfig.Metrics
	return scrape.Enabled(
		m.ZlmediakitEgressThroughput.Enabled, m.ZlmediakitIngestThroughput.Enabled, m.ZlmediakitMediaSourceCount.Enabled,
		m.ZlmediakitRtpSenderCount.Enabled, m.ZlmediakitRtpSenderIo.Enabled, m.ZlmediakitRtpSenderThroughput.Enabled,
		m.ZlmediakitRtpServerIdleCount.Enabled, m.ZlmediakitStreamAlive.Enabled, m.ZlmediakitStreamCount.Enabled,
		m.ZlmediakitStreamInfo.Enabled, m.ZlmediakitStreamIo.Enabled, m.ZlmediakitStreamPacketLoss.Enabled,
		m.ZlmediakitStreamReaderCount.Enabled, m.ZlmediakitStreamReaderCountBySchema.Enabled,
		m.ZlmediakitStreamRecordingActive.Enabled, m.ZlmediakitStreamRecordingCount.Enabled,
		m.ZlmediakitStreamStartTime.Enabled, m.ZlmediakitStreamThroughput.Enabled, m.ZlmediakitStreamUptime.Enabled, m.ZlmediakitStreamUptimeBySchema.Enabled,
		m.ZlmediakitStreamTrackChannelCount.Enabled, m.ZlmediakitStreamTrackFrameRate.Enabled, m.ZlmediakitStreamTrackFrames.Enabled,
		m.ZlmediakitStreamTrackGopDuration.Enabled, m.ZlmediakitStreamTrackGopSize.Enabled, m.ZlmediakitStreamTrackHeight.Enabled,
		m.ZlmediakitStreamTrackKeyFrames.Enabled, m.ZlmediakitStreamTrackReady.Enabled, m.ZlmediakitStreamTrackSampleDepth.Enabled,
		m.ZlmediakitStreamTrackSampleRate.Enabled, m.ZlmediakitStreamTrackTime.Enabled, m.ZlmediakitStreamTrackWidth.Enabled,
	)
}

// list asks for the media list and records it while it comes in.
func (s *streams) list(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		w := s.begin(now)
		began := time.Now()
		var failed error
		for _, schema := range s.listing.requests() {
			if err := s.client.EachMediaSource(ctx, schema, w.add); err != nil {
				failed = err
				if !scrape.IsPartial(err) {
					break
				}
			}
		}
		w.setTrackStarts()
		s.complete = failed == nil || scrape.IsPartial(failed)
		cut := !s.complete && len(s.items.Seen()) > 0 // how many are missing is not known
		s.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonTruncated, scrape.Number(cut))
		defer s.items.End(s.complete)
		if !s.complete {
			s.listing.failed()
			return nil, failed
		}
		s.listing.took(time.Since(began))
		w.finish()
		return func() {}, failed
	}
}

// walk is the way through one media list, with what is added up on it.
type walk struct {
	*streams
	now      pcommon.Timestamp
	reported schemaSet
	full     bool // the list holds all schemas
	doubt    bool // a stream may flow in a schema that was not asked for

	sources [schemaOther + 1]int64
	egress  [schemaOther + 1]float64
	merged  int64
	name    []byte
}

// trackStart is the start of a point of a track's sum, which the end of the list decides.
type trackStart struct {
	sum       string
	stream    *stream
	restarted pcommon.Timestamp
}

func (s *streams) begin(now pcommon.Timestamp) *walk {
	s.items.Begin()
	s.trackStarts = s.trackStarts[:0]
	return &walk{streams: s, now: now, reported: s.listing.chosen, full: s.listing.full()}
}

// add takes one media source. A second one of the same schema and name is left out: the server prints names
// that are no UTF-8 in a way that makes different ones equal.
func (w *walk) add(m *mediaSource) {
	item := w.get(m)
	st := &item.Value
	schema := schemaIndex(m.Schema)
	if st.listed.has(schema) {
		if st.repeated == 0 {
			st.repeated = 1 << schema
		}
		if st.repeated.has(schema) {
			w.merged++
		}
		return
	}
	if item.Kept && st.listed == 0 {
		w.recordStream(st, m)
	}
	st.listed |= 1 << schema
	st.observe(m, schema, w.now)
	if !w.reported.has(schema) {
		return
	}
	st.reported |= 1 << schema
	if item.Kept {
		w.recordSource(st, m, schema)
	}
	w.count(m, schema)
}

// get returns what is kept of the source's stream.
func (w *walk) get(m *mediaSource) *selection.Item[stream] {
	w.name = appendStream(w.name[:0], m.Vhost, m.App, m.Stream)
	item, first := w.items.Get(w.name)
	st := &item.Value
	if !first {
		return item
	}
	if st.firstSeen == 0 {
		st.vhost, st.app, st.name = splitName(item.Name)
		st.firstSeen = w.now
	}
	st.before, st.listed, st.reported, st.repeated, st.signs = st.listed, 0, 0, 0, 0
	st.framesGrew, st.hasSpeed, st.hasFrames, st.readers, st.earliest = false, false, false, 0, 0
	st.mp4, st.hls, st.uptime = false, false, -1
	st.ingest, st.fastest = 0, 0
	st.origin = originOf(m.OriginType)
	st.native = nativeSchema(st.origin, m.OriginURL)
	return item
}

func originOf(name []byte) metadata.AttributeZlmediakitOriginType {
	if origin, known := metadata.MapAttributeZlmediakitOriginType[string(name)]; known {
		return origin
	}
	return metadata.AttributeZlmediakitOriginTypeUnknown
}

// recordStream records what all schemas of a stream have in common.
func (w *walk) recordStream(st *stream, m *mediaSource) {
	if n, ok := m.TotalReaders.Get(); ok {
		w.mb.RecordZlmediakitStreamReaderCountDataPoint(w.now, n, st.vhost, st.app, st.name)
	}
	if on, ok := m.RecordingMP4.Get(); ok {
		w.mb.RecordZlmediakitStreamRecordingActiveDataPoint(w.now, scrape.Number(on), st.vhost, st.app, st.name, metadata.AttributeZlmediakitRecordingFormatMp4)
	}
	if on, ok := m.RecordingHLS.Get(); ok {
		w.mb.RecordZlmediakitStreamRecordingActiveDataPoint(w.now, scrape.Number(on), st.vhost, st.app, st.name, metadata.AttributeZlmediakitRecordingFormatHls)
	}
	var indexes [2]int64 // of the tracks of a kind
	m.EachTrack(func(t *track) {
		if codecType, ok := t.Type.Get(); ok && (codecType == codecTypeVideo || codecType == codecTypeAudio) {
			w.recordTrack(st, t, indexes[codecType], st.observeTrack(codecType, indexes[codecType], t))
			indexes[codecType]++
		}
	})
}

type (
	kind = metadata.AttributeZlmediakitMediaKind
	// intPoint and doublePoint record a point of a track: its value, then vhost, app, stream, index, kind and codec.
	intPoint    = func(*metadata.MetricsBuilder, pcommon.Timestamp, int64, string, string, string, int64, kind, string)
	doublePoint = func(*metadata.MetricsBuilder, pcommon.Timestamp, float64, string, string, string, int64, kind, string)
)

// trackNumbers are the whole numbers of a track; sum names the metric of those that count since the stream's registration.
var trackNumbers = []struct {
	value  func(*track) optional.Value[int64]
	record intPoint
	sum    string
}{
	{func(t *track) optional.Value[int64] { return t.Frames }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackFramesDataPoint, metadata.MetricsInfo.ZlmediakitStreamTrackFrames.Name},
	{func(t *track) optional.Value[int64] { return t.KeyFrames }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackKeyFramesDataPoint, metadata.MetricsInfo.ZlmediakitStreamTrackKeyFrames.Name},
	{func(t *track) optional.Value[int64] { return t.GOPSize }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackGopSizeDataPoint, ""},
	{func(t *track) optional.Value[int64] { return t.Width }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackWidthDataPoint, ""},
	{func(t *track) optional.Value[int64] { return t.Height }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackHeightDataPoint, ""},
	{func(t *track) optional.Value[int64] { return t.SampleRate }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackSampleRateDataPoint, ""},
	{func(t *track) optional.Value[int64] { return t.Channels }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackChannelCountDataPoint, ""},
	{func(t *track) optional.Value[int64] { return t.SampleBits }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackSampleDepthDataPoint, ""},
}

// trackSeconds are the milliseconds of a track.
var trackSeconds = []struct {
	value  func(*track) optional.Value[int64]
	record doublePoint
	sum    string
}{
	{func(t *track) optional.Value[int64] { return t.Duration }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackTimeDataPoint, metadata.MetricsInfo.ZlmediakitStreamTrackTime.Name},
	{func(t *track) optional.Value[int64] { return t.GOPInterval }, (*metadata.MetricsBuilder).RecordZlmediakitStreamTrackGopDurationDataPoint, ""},
}

func (w *walk) recordTrack(st *stream, t *track, index int64, restarted pcommon.Timestamp) {
	kind, codec := metadata.AttributeZlmediakitMediaKindAudio, w.codec(t.Codec)
	if codecType, _ := t.Type.Get(); codecType == codecTypeVideo {
		kind = metadata.AttributeZlmediakitMediaKindVideo
	}
	for _, number := range trackNumbers {
		if n, ok := number.value(t).Get(); ok {
			number.record(w.mb, w.now, n, st.vhost, st.app, st.name, index, kind, codec)
			w.trackBegan(number.sum, st, restarted)
		}
	}
	for _, seconds := range trackSeconds {
		if ms, ok := seconds.value(t).Get(); ok {
			seconds.record(w.mb, w.now, float64(ms)/1000, st.vhost, st.app, st.name, index, kind, codec)
			w.trackBegan(seconds.sum, st, restarted)
		}
	}
	if fps, ok := t.FPS.Get(); ok {
		w.mb.RecordZlmediakitStreamTrackFrameRateDataPoint(w.now, fps, st.vhost, st.app, st.name, index, kind, codec)
	}
	if ready, ok := t.Ready.Get(); ok {
		w.mb.RecordZlmediakitStreamTrackReadyDataPoint(w.now, scrape.Number(ready), st.vhost, st.app, st.name, index, kind, codec)
	}
}

// trackBegan notes that a point of a track's sum was just recorded; metrics that are no sums have no name here.
func (w *walk) trackBegan(sum string, st *stream, restarted pcommon.Timestamp) {
	if sum != "" {
		w.trackStarts = append(w.trackStarts, trackStart{sum, st, restarted})
	}
}

// setTrackStarts sets the start times of the points of tracks, once all registrations in the list are known.
func (w *walk) setTrackStarts() {
	for _, item := range w.items.Seen() {
		item.Value.latchStart(w.now)
	}
	for _, s := range w.trackStarts {
		w.starts.Add(s.sum, max(s.stream.start, s.restarted), w.now)
	}
}

// registeredAnew is by how much later than before the first registration of a stream has to be to count as another one.
const registeredAnew = 5 * time.Second

func (st *stream) latchStart(now pcommon.Timestamp) {
	switch {
	case st.earliest == 0 && st.start == 0:
		st.start = st.firstSeen
	case st.earliest != 0 && (st.start == 0 || st.earliest > st.start+pcommon.Timestamp(registeredAnew)):
		st.start = st.earliest
	}
	st.seen = now
}

// maxCodecs bounds the codec names that are kept; the server knows about 20.
const maxCodecs = 100

func (s *streams) codec(name []byte) string {
	codec, known := s.codecs[string(name)]
	if !known {
		codec = strings.ToLower(selection.Name(name))
		if len(s.codecs) < maxCodecs {
			s.codecs[string(name)] = codec
		}
	}
	return codec
}

// registration returns when a source was registered, 0 when that is unknown. It is not later than now, whatever the server's clock says.
func (m *mediaSource) registration(now pcommon.Timestamp) pcommon.Timestamp {
	stamp, _ := m.CreateStamp.Get()
	return cumulative.Seconds(min(stamp, now.AsTime().Unix()))
}

// recordSource records one stream in one schema.
func (w *walk) recordSource(st *stream, m *mediaSource, schema int) {
	attribute := schemaAttributes[schema]
	if n, ok := m.TotalBytes.Get(); ok {
		w.mb.RecordZlmediakitStreamIoDataPoint(w.now, n, st.vhost, st.app, st.name, attribute)
		start := m.registration(w.now)
		if start == 0 {
			start = st.firstSeen
		}
		w.starts.Add(metadata.MetricsInfo.ZlmediakitStreamIo.Name, start, w.now)
	}
	if speed, ok := m.BytesSpeed.Get(); ok {
		w.mb.RecordZlmediakitStreamThroughputDataPoint(w.now, float64(speed), st.vhost, st.app, st.name, attribute)
	}
	if n, ok := m.Readers.Get(); ok {
		w.mb.RecordZlmediakitStreamReaderCountBySchemaDataPoint(w.now, n, st.vhost, st.app, st.name, attribute)
	}
	if stamp, ok := m.CreateStamp.Get(); ok {
		w.mb.RecordZlmediakitStreamStartTimeDataPoint(w.now, float64(stamp), st.vhost, st.app, st.name, attribute)
	}
	if age, ok := m.AliveSeconds.Get(); ok {
		w.mb.RecordZlmediakitStreamUptimeBySchemaDataPoint(w.now, float64(age), st.vhost, st.app, st.name, attribute)
	}
	if w.cfg.MetricsBuilderConfig.Metrics.ZlmediakitStreamInfo.Enabled {
		w.mb.RecordZlmediakitStreamInfoDataPoint(w.now, 1, st.vhost, st.app, st.name, attribute, st.origin,
			selection.Name([]byte(httpapi.StripURL(string(m.OriginURL)))), selection.Name(m.OriginIP))
	}
}

// schemaAttributes follows the order of schemaNames.
var schemaAttributes = [schemaOther + 1]metadata.AttributeZlmediakitSchema{
	metadata.AttributeZlmediakitSchemaRtsp,
	metadata.AttributeZlmediakitSchemaRtmp,
	metadata.AttributeZlmediakitSchemaTs,
	metadata.AttributeZlmediakitSchemaFmp4,
	metadata.AttributeZlmediakitSchemaHls,
	metadata.AttributeZlmediakitSchemaHlsFmp4,
	metadata.AttributeZlmediakitSchemaOther,
}

// count adds a source to the sums by schema. They cover all streams, also those left out of the points.
func (w *walk) count(m *mediaSource, schema int) {
	speed, _ := m.BytesSpeed.Get()
	readers, _ := m.Readers.Get()
	w.sources[schema]++
	w.egress[schema] += float64(speed) * float64(readers)
}

// observe adds a source to what is known of its stream.
func (st *stream) observe(m *mediaSource, schema int, now pcommon.Timestamp) {
	speed, hasSpeed := m.BytesSpeed.Get()
	st.fastest = max(st.fastest, speed)
	if schema == st.native {
		st.ingest = speed
	}
	total, hasTotal := m.TotalBytes.Get()
	if speed > 0 || hasTotal && st.hasBytes.has(schema) && total > st.bytes[schema] {
		st.signs |= 1 << schema
	}
	if hasTotal {
		st.bytes[schema] = total
		st.hasBytes |= 1 << schema
	}
	st.hasSpeed = st.hasSpeed || hasSpeed || hasTotal
	if readers, ok := m.TotalReaders.Get(); ok {
		st.readers = readers
	}
	if age, ok := m.AliveSeconds.Get(); ok {
		st.uptime = max(st.uptime, age)
	}
	if start := m.registration(now); st.earliest == 0 || start != 0 && start < st.earliest {
		st.earliest = start
	}
	st.mp4, _ = m.RecordingMP4.Get()
	st.hls, _ = m.RecordingHLS.Get()
}

// observeTrack takes the frames of a track, by its codec_type and its number among those of the same type, and returns when it was
// seen last before they fell; 0 when they never did.
func (st *stream) observeTrack(codecType, index int64, t *track) pcommon.Timestamp {
	known := &st.tracks[codecType]
	for int64(len(*known)) <= index {
		*known = append(*known, trackState{frames: -1})
	}
	state := &(*known)[index]
	if frames, ok := t.Frames.Get(); ok {
		st.hasFrames = true
		st.framesGrew = st.framesGrew || state.frames >= 0 && frames > state.frames
		if frames < state.frames {
			state.restarted = st.seen
		}
		state.frames = frames
	}
	return state.restarted
}

// nativeSchemas are the schemas whose bytes are closest to those of a stream's origin.
var nativeSchemas = map[metadata.AttributeZlmediakitOriginType]int{
	metadata.AttributeZlmediakitOriginTypeRtmpPush:   schemaRTMP,
	metadata.AttributeZlmediakitOriginTypeFfmpegPull: schemaRTMP,
	metadata.AttributeZlmediakitOriginTypeRtspPush:   schemaRTSP,
	metadata.AttributeZlmediakitOriginTypeRtcPush:    schemaRTSP,
	metadata.AttributeZlmediakitOriginTypeRtpPush:    schemaTS,
	metadata.AttributeZlmediakitOriginTypeSrtPush:    schemaTS,
	metadata.AttributeZlmediakitOriginTypeMp4Vod:     schemaFMP4,
}

// nativeSchema returns the schema closest to the origin, schemaOther when there is none.
func nativeSchema(origin metadata.AttributeZlmediakitOriginType, url []byte) int {
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

// input estimates the bytes per second that come in for a stream.
func (st *stream) input() int64 {
	if st.ingest > 0 {
		return st.ingest
	}
	return st.fastest
}

// streamGroup is what streams are counted by.
type streamGroup struct {
	origin     metadata.AttributeZlmediakitOriginType
	vhost, app string
}

// other is the group of all streams of an origin that are over the limit.
func (g streamGroup) other() streamGroup { return streamGroup{g.origin, nameOther, nameOther} }

// finish records what only a complete list can tell.
func (w *walk) finish() {
	var mp4, hls int64
	profiles := map[profile]int{}
	for _, item := range w.items.Seen() {
		st := &item.Value
		profiles[profile{st.origin, st.native, st.listed, st.signs &^ (1 << schemaOther)}]++
		w.counts.add(streamGroup{st.origin, st.vhost, st.app}, 1)
		w.inputs.add(st.origin, float64(st.input()))
		mp4 += scrape.Number(st.mp4)
		hls += scrape.Number(st.hls)
		if !item.Kept {
			continue
		}
		st.state = w.judge(st, item.Name)
		if alive, known := st.state.alive(); known {
			w.mb.RecordZlmediakitStreamAliveDataPoint(w.now, alive, st.vhost, st.app, st.name)
		}
		if st.uptime >= 0 {
			w.mb.RecordZlmediakitStreamUptimeDataPoint(w.now, float64(st.uptime), st.vhost, st.app, st.name)
		}
	}
	for _, name := range w.items.Missing() {
		vhost, app, stream := splitName(name)
		w.mb.RecordZlmediakitStreamAliveDataPoint(w.now, 0, vhost, app, stream)
	}
	w.mb.RecordZlmediakitStreamRecordingCountDataPoint(w.now, mp4, metadata.AttributeZlmediakitRecordingFormatMp4)
	w.mb.RecordZlmediakitStreamRecordingCountDataPoint(w.now, hls, metadata.AttributeZlmediakitRecordingFormatHls)
	w.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonLimit, w.recordTotals()+int64(w.items.Limited()))
	w.report.Omit(metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonMerged, w.merged)
	w.listing.learn(profiles, w.doubt)
}

// recordTotals records what is added up over all streams, and returns how many groups of them are over the limit.
func (w *walk) recordTotals() (over int64) {
	over = w.counts.end(streamGroup{origin: metadata.AttributeZlmediakitOriginTypeUnknown}, func(g streamGroup, n int64) {
		w.mb.RecordZlmediakitStreamCountDataPoint(w.now, n, g.origin, g.vhost, g.app)
	})
	w.inputs.end(metadata.AttributeZlmediakitOriginTypeUnknown, func(origin metadata.AttributeZlmediakitOriginType, speed float64) {
		w.mb.RecordZlmediakitIngestThroughputDataPoint(w.now, speed, origin)
	})
	for schema, n := range w.sources {
		if w.reported.has(schema) && (schema != schemaOther || n > 0) {
			w.mb.RecordZlmediakitMediaSourceCountDataPoint(w.now, n, schemaAttributes[schema])
			w.mb.RecordZlmediakitEgressThroughputDataPoint(w.now, w.egress[schema], schemaAttributes[schema])
		}
	}
	return over
}

// recordInterval tells how often the list is asked for.
func (s *streams) recordInterval(now pcommon.Timestamp) {
	interval := time.Duration(s.listing.spacing) * s.cfg.ControllerConfig.CollectionInterval
	s.mb.RecordZlmediakitMediaListIntervalDataPoint(now, interval.Seconds())
}

// lossUnits say what the packet loss of an origin is a multiple of; of all other origins it is unknown.
var lossUnits = map[metadata.AttributeZlmediakitOriginType]float64{
	metadata.AttributeZlmediakitOriginTypeRtpPush: 0.01,
	metadata.AttributeZlmediakitOriginTypeRtcPush: 0.01,
	metadata.AttributeZlmediakitOriginTypePull:    1,
}

// losses asks for the packet loss of every stream of which it can be known.
func (s *streams) losses(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return s.eachStream(func(ctx context.Context, st *stream) error {
		unit, known := lossUnits[st.origin]
		if !known {
			return nil
		}
		schema := ""
		for i, name := range schemaNames {
			if st.reported.has(i) {
				schema = name
			}
		}
		loss, err := s.client.VideoLoss(ctx, st.vhost, st.app, st.name, schema)
		if value, ok := loss.Get(); ok && value >= 0 {
			s.mb.RecordZlmediakitStreamPacketLossDataPoint(now, value*unit, st.vhost, st.app, st.name, st.origin)
		}
		return err
	})
}

// senders asks for the RTP senders of every stream.
func (s *streams) senders(now pcommon.Timestamp) func(context.Context) (func(), error) {
	return s.eachStream(func(ctx context.Context, st *stream) error {
		senders, err := s.client.RTPSenders(ctx, st.vhost, st.app, st.name)
		if err != nil {
			return err
		}
		s.mb.RecordZlmediakitRtpSenderCountDataPoint(now, senders.Count, st.vhost, st.app, st.name)
		if senders.Count != 1 { // of several, the server tells the bytes of one
			return nil
		}
		if n, ok := senders.TotalBytes.Get(); ok {
			s.mb.RecordZlmediakitRtpSenderIoDataPoint(now, n, st.vhost, st.app, st.name)
			s.starts.Add(metadata.MetricsInfo.ZlmediakitRtpSenderIo.Name, st.sent.Start(n, now), now)
		}
		if speed, ok := senders.BytesSpeed.Get(); ok {
			s.mb.RecordZlmediakitRtpSenderThroughputDataPoint(now, float64(speed), st.vhost, st.app, st.name)
		}
		return nil
	})
}

// eachStream makes one call for every stream of the last list that is reported, one after the other. Streams that have
// ended since are passed over.
func (s *streams) eachStream(call func(context.Context, *stream) error) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		for _, item := range s.items.Seen() {
			if !item.Kept || item.Value.reported == 0 {
				continue
			}
			err := call(ctx, &item.Value)
			if _, gone := errors.AsType[notFoundError](err); err != nil && !gone {
				return nil, err
			}
		}
		return func() {}, nil
	}
}
