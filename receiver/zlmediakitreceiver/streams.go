// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

// streams turns the media list into metrics, and keeps what must be known of the streams between two lists.
type streams struct {
	cfg     *Config
	mb      *metadata.MetricsBuilder
	logger  *zap.Logger
	listing listing
	set     *selection.Set[stream]
	limited bool              // that the limit left streams out has been logged
	codecs  map[string]string // as the server writes them -> as we do

	ioStarts, frameStarts cumulative.Starts
}

// stream is what is kept of one stream.
type stream struct {
	vhost, app, name string
	firstSeen        pcommon.Timestamp
	bytes            [schemaOther + 1]int64 // totalBytes of the last list, by schema
	hasBytes         schemaSet              // those of bytes that are known

	// All that follows is of the current list.
	listed, reported schemaSet // schemas in the list; those of them that data points are made of
	repeated         schemaSet // the schema in which a second stream of the same name came up
	origin           metadata.AttributeZlmediakitOriginType
	mp4, hls         bool // is being recorded
	alive            bool
	uptime           int64 // seconds, -1 when unknown
	native, fastest  int64 // bytes per second in the schema in which the stream came, and in the fastest one
}

func newStreams(cfg *Config, mb *metadata.MetricsBuilder, logger *zap.Logger) *streams {
	return &streams{
		cfg: cfg, mb: mb, logger: logger,
		listing: newListing(cfg.Streams.Schemas),
		set:     selection.New[stream](cfg.Streams.selection()),
		codecs:  map[string]string{"mpeg4-generic": "aac"},
	}
}

// wanted counts the enabled metrics that this scrape needs the media list for.
func (s *streams) wanted() int {
	if !s.listing.due() {
		return 0
	}
	m := &s.cfg.MetricsBuilderConfig.Metrics
	return enabled(
		m.ZlmediakitEgressThroughput.Enabled, m.ZlmediakitIngestThroughput.Enabled, m.ZlmediakitMediaSourceCount.Enabled,
		m.ZlmediakitStreamAlive.Enabled, m.ZlmediakitStreamCount.Enabled, m.ZlmediakitStreamIo.Enabled,
		m.ZlmediakitStreamReaderCount.Enabled, m.ZlmediakitStreamRecordingActive.Enabled, m.ZlmediakitStreamRecordingCount.Enabled,
		m.ZlmediakitStreamThroughput.Enabled, m.ZlmediakitStreamTrackFrameRate.Enabled, m.ZlmediakitStreamTrackFrames.Enabled,
		m.ZlmediakitStreamTrackGopDuration.Enabled, m.ZlmediakitStreamUptime.Enabled,
	)
}

// scrape asks for the media list and records it while it comes in.
func (s *streams) scrape(c *client, now pcommon.Timestamp) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		w := s.begin(now)
		began := time.Now()
		var failed error
		for _, schema := range s.listing.requests() {
			if err := c.EachMediaSource(ctx, schema, w.add); err != nil {
				failed = err
				if !scrape.IsPartial(err) {
					break
				}
			}
		}
		s.listing.took(time.Since(began))
		complete := failed == nil || scrape.IsPartial(failed)
		defer s.set.End(complete)
		if !complete {
			return nil, failed
		}
		w.finish()
		return func() {}, failed
	}
}

// walk is the way through one media list, with what is added up on it.
type walk struct {
	*streams
	now      pcommon.Timestamp
	reported schemaSet

	sources [schemaOther + 1]int64
	egress  [schemaOther + 1]float64
	merged  int64
	name    []byte
}

func (s *streams) begin(now pcommon.Timestamp) *walk {
	s.set.Begin()
	return &walk{streams: s, now: now, reported: s.listing.chosen}
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
	st.listed |= 1 << schema
	if !w.reported.has(schema) {
		return
	}
	if item.Kept {
		if st.reported == 0 {
			w.recordStream(st, m)
		}
		w.recordSource(st, m, schema)
	}
	w.count(st, m, schema)
}

// get returns what is kept of the source's stream.
func (w *walk) get(m *mediaSource) *selection.Item[stream] {
	w.name = appendPart(w.name[:0], m.Vhost)
	w.name = append(w.name, '/')
	w.name = appendPart(w.name, m.App)
	w.name = append(w.name, '/')
	w.name = selection.AppendName(w.name, m.Stream)
	item, first := w.set.Get(w.name)
	st := &item.Value
	if !first {
		return item
	}
	if st.firstSeen == 0 {
		st.vhost, st.app, st.name = splitName(item.Name)
		st.firstSeen = w.now
	}
	st.listed, st.reported, st.repeated = 0, 0, 0
	st.mp4, st.hls, st.alive, st.uptime = false, false, false, -1
	st.native, st.fastest = 0, 0
	st.origin = originOf(m.OriginType)
	return item
}

var (
	escapeSlash   = strings.NewReplacer("%", "%25", "/", "%2F")
	unescapeSlash = strings.NewReplacer("%25", "%", "%2F", "/")
)

// appendPart appends a vhost or app to a stream's name, a slash in it escaped: a/b + c is not a + b/c.
func appendPart(dst, part []byte) []byte {
	if bytes.IndexByte(part, '/') < 0 && bytes.IndexByte(part, '%') < 0 {
		return selection.AppendName(dst, part)
	}
	return append(dst, escapeSlash.Replace(selection.Name(part))...)
}

// splitName takes vhost/app/stream apart.
func splitName(name string) (vhost, app, stream string) {
	vhost, rest, _ := strings.Cut(name, "/")
	app, stream, _ = strings.Cut(rest, "/")
	return unescapeSlash.Replace(vhost), unescapeSlash.Replace(app), stream
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
		w.mb.RecordZlmediakitStreamRecordingActiveDataPoint(w.now, number(on), st.vhost, st.app, st.name, metadata.AttributeZlmediakitRecordingFormatMp4)
	}
	if on, ok := m.RecordingHLS.Get(); ok {
		w.mb.RecordZlmediakitStreamRecordingActiveDataPoint(w.now, number(on), st.vhost, st.app, st.name, metadata.AttributeZlmediakitRecordingFormatHls)
	}
	var indexes [2]int64 // of the tracks of a kind
	m.EachTrack(func(t *track) {
		if codecType, ok := t.Type.Get(); ok && (codecType == codecTypeVideo || codecType == codecTypeAudio) {
			w.recordTrack(st, t, indexes[codecType], w.start(st, m))
			indexes[codecType]++
		}
	})
}

func (w *walk) recordTrack(st *stream, t *track, index int64, start pcommon.Timestamp) {
	kind, codec := metadata.AttributeZlmediakitMediaKindAudio, w.codec(t.Codec)
	if codecType, _ := t.Type.Get(); codecType == codecTypeVideo {
		kind = metadata.AttributeZlmediakitMediaKindVideo
		if fps, ok := t.FPS.Get(); ok {
			w.mb.RecordZlmediakitStreamTrackFrameRateDataPoint(w.now, fps, st.vhost, st.app, st.name, index, kind, codec)
		}
		if ms, ok := t.GOPInterval.Get(); ok {
			w.mb.RecordZlmediakitStreamTrackGopDurationDataPoint(w.now, float64(ms)/1000, st.vhost, st.app, st.name, index, kind, codec)
		}
	}
	if frames, ok := t.Frames.Get(); ok {
		w.mb.RecordZlmediakitStreamTrackFramesDataPoint(w.now, frames, st.vhost, st.app, st.name, index, kind, codec)
		w.frameStarts.Add(start, w.now)
	}
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

// start returns when the counters of a source began: at its registration.
func (w *walk) start(st *stream, m *mediaSource) pcommon.Timestamp {
	if stamp, ok := m.CreateStamp.Get(); ok {
		return cumulative.Seconds(stamp)
	}
	return st.firstSeen
}

// recordSource records one stream in one schema.
func (w *walk) recordSource(st *stream, m *mediaSource, schema int) {
	attribute := schemaAttributes[schema]
	if n, ok := m.TotalBytes.Get(); ok {
		w.mb.RecordZlmediakitStreamIoDataPoint(w.now, n, st.vhost, st.app, st.name, attribute)
		w.ioStarts.Add(w.start(st, m), w.now)
	}
	if speed, ok := m.BytesSpeed.Get(); ok {
		w.mb.RecordZlmediakitStreamThroughputDataPoint(w.now, float64(speed), st.vhost, st.app, st.name, attribute)
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

// count adds a source to what is known of its stream and of the server. Sums cover all streams, also those left out of the points.
func (w *walk) count(st *stream, m *mediaSource, schema int) {
	speed, _ := m.BytesSpeed.Get()
	readers, _ := m.Readers.Get()
	w.sources[schema]++
	w.egress[schema] += float64(speed) * float64(readers)
	st.fastest = max(st.fastest, speed)
	if schema == nativeSchema(st.origin, m.OriginURL) {
		st.native = speed
	}
	total, counted := m.TotalBytes.Get()
	grew := counted && st.hasBytes.has(schema) && total > st.bytes[schema]
	st.alive = st.alive || speed > 0 || grew
	if counted {
		st.bytes[schema] = total
		st.hasBytes |= 1 << schema
	}
	if age, ok := m.AliveSeconds.Get(); ok {
		st.uptime = max(st.uptime, age)
	}
	st.mp4, _ = m.RecordingMP4.Get()
	st.hls, _ = m.RecordingHLS.Get()
	st.reported |= 1 << schema
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
			return schemaIndex(scheme)
		}
	}
	return schemaOther
}

// ingest estimates the bytes per second that come in for a stream.
func (st *stream) ingest() int64 {
	if st.native > 0 {
		return st.native
	}
	return st.fastest
}

// streamGroup is what streams are counted by.
type streamGroup struct {
	origin     metadata.AttributeZlmediakitOriginType
	vhost, app string
}

// totals are sums over the streams of one list.
type totals struct {
	streams  map[streamGroup]int64
	ingest   map[metadata.AttributeZlmediakitOriginType]int64
	mp4, hls int64
}

// finish records what only a complete list can tell.
func (w *walk) finish() {
	t := totals{map[streamGroup]int64{}, map[metadata.AttributeZlmediakitOriginType]int64{}, 0, 0}
	bySchemas := map[schemaSet]int{}
	for _, item := range w.set.Seen() {
		st := &item.Value
		bySchemas[st.listed]++
		if st.reported == 0 {
			continue
		}
		t.streams[streamGroup{st.origin, st.vhost, st.app}]++
		t.ingest[st.origin] += st.ingest()
		t.mp4 += number(st.mp4)
		t.hls += number(st.hls)
		if !item.Kept {
			continue
		}
		w.mb.RecordZlmediakitStreamAliveDataPoint(w.now, number(st.alive), st.vhost, st.app, st.name)
		if st.uptime >= 0 {
			w.mb.RecordZlmediakitStreamUptimeDataPoint(w.now, float64(st.uptime), st.vhost, st.app, st.name)
		}
	}
	for _, name := range w.set.Missing() {
		vhost, app, stream := splitName(name)
		w.mb.RecordZlmediakitStreamAliveDataPoint(w.now, 0, vhost, app, stream)
	}
	w.recordTotals(&t)
	w.recordOmissions()
	w.listing.learn(bySchemas)
}

func (w *walk) recordTotals(t *totals) {
	for group, n := range t.streams {
		w.mb.RecordZlmediakitStreamCountDataPoint(w.now, n, group.origin, group.vhost, group.app)
	}
	for origin, speed := range t.ingest {
		w.mb.RecordZlmediakitIngestThroughputDataPoint(w.now, float64(speed), origin)
	}
	w.mb.RecordZlmediakitStreamRecordingCountDataPoint(w.now, t.mp4, metadata.AttributeZlmediakitRecordingFormatMp4)
	w.mb.RecordZlmediakitStreamRecordingCountDataPoint(w.now, t.hls, metadata.AttributeZlmediakitRecordingFormatHls)
	for schema, n := range w.sources {
		if w.reported.has(schema) && (schema != schemaOther || n > 0) {
			w.mb.RecordZlmediakitMediaSourceCountDataPoint(w.now, n, schemaAttributes[schema])
			w.mb.RecordZlmediakitEgressThroughputDataPoint(w.now, w.egress[schema], schemaAttributes[schema])
		}
	}
}

func (w *walk) recordOmissions() {
	limited := w.set.Limited()
	w.mb.RecordRtcScrapeOmittedCountDataPoint(w.now, int64(limited), metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonLimit)
	w.mb.RecordRtcScrapeOmittedCountDataPoint(w.now, w.merged, metadata.AttributeRtcEntityStream, metadata.AttributeRtcOmissionReasonMerged)
	if limited > 0 && !w.limited {
		w.logger.Warn("streams are left out of the metrics: raise streams::limit, or narrow it with streams::include and streams::exclude",
			zap.Int("limit", w.cfg.Streams.Limit), zap.Int("left out", limited))
	}
	w.streams.limited = limited > 0
}

// recordInterval tells how often the list is asked for.
func (s *streams) recordInterval(now pcommon.Timestamp) {
	interval := time.Duration(s.listing.spacing) * s.cfg.ControllerConfig.CollectionInterval
	s.mb.RecordZlmediakitMediaListIntervalDataPoint(now, interval.Seconds())
}

// applyStarts gives the sums of the streams the times of their registration.
func (s *streams) applyStarts(metrics pmetric.Metrics) {
	s.ioStarts.Apply(metrics, metadata.MetricsInfo.ZlmediakitStreamIo.Name)
	s.frameStarts.Apply(metrics, metadata.MetricsInfo.ZlmediakitStreamTrackFrames.Name)
}
