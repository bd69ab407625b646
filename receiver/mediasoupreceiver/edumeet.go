// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// page turns a page of edumeet's exporter into metrics: / with its samples of each producer and consumer, or /metrics with
// its sums, or that of its room server. All of it is of the current scrape.
type page struct {
	*scraper
	path    string
	known   int                // samples that become something
	numbers map[string]float64 // samples without labels that matter, and sums of peers, by name
	rooms   map[string]float64 // peers by room
	bytes   [roles]map[streamGroup]float64
	scores  [roles][kindCount]figure
}

func newPage(s *scraper) *page {
	p := &page{scraper: s, path: "/"}
	if u, err := url.Parse(s.cfg.ClientConfig.Endpoint); err == nil && u.Path != "" {
		p.path = u.Path
	}
	return p
}

// pageSums are the names under which a page tells one number: the first that is there counts.
var pageSums = []struct {
	names  []string
	record func(*builder, pcommon.Timestamp, float64)
}{
	{[]string{"edumeet_rooms", "mediasoup_rooms", "generic_rooms"}, rounded((*builder).RecordEdumeetRoomCountDataPoint)},
	{[]string{"edumeet_peers", "mediasoup_peers", "generic_peers"}, rounded((*builder).RecordEdumeetPeerCountDataPoint)},
	{[]string{"mediasoup_workers_count"}, rounded((*builder).RecordMediasoupWorkerCountDataPoint)},
	{[]string{"mediasoup_audio_in_count"}, ofKind((*builder).RecordMediasoupProducerStreamCountDataPoint, metadata.AttributeMediasoupMediaKindAudio)},
	{[]string{"mediasoup_video_in_count"}, ofKind((*builder).RecordMediasoupProducerStreamCountDataPoint, metadata.AttributeMediasoupMediaKindVideo)},
	{[]string{"mediasoup_audio_out_count"}, ofKind((*builder).RecordMediasoupConsumerStreamCountDataPoint, metadata.AttributeMediasoupMediaKindAudio)},
	{[]string{"mediasoup_video_out_count"}, ofKind((*builder).RecordMediasoupConsumerStreamCountDataPoint, metadata.AttributeMediasoupMediaKindVideo)},
	{[]string{"mediasoup_audio_bitrates_in_sum"}, bitsOf((*builder).RecordMediasoupProducerThroughputDataPoint, metadata.AttributeMediasoupMediaKindAudio)},
	{[]string{"mediasoup_video_bitrates_in_sum"}, bitsOf((*builder).RecordMediasoupProducerThroughputDataPoint, metadata.AttributeMediasoupMediaKindVideo)},
	{[]string{"mediasoup_audio_bitrates_out_sum"}, bitsOf((*builder).RecordMediasoupConsumerThroughputDataPoint, metadata.AttributeMediasoupMediaKindAudio)},
	{[]string{"mediasoup_video_bitrates_out_sum"}, bitsOf((*builder).RecordMediasoupConsumerThroughputDataPoint, metadata.AttributeMediasoupMediaKindVideo)},
}

func rounded(record intPoint) doublePoint {
	return func(mb *builder, now pcommon.Timestamp, v float64) {
		if isCount(v) {
			record(mb, now, int64(v))
		}
	}
}

func ofKind(record kindPoint, of kind) doublePoint {
	return rounded(func(mb *builder, now pcommon.Timestamp, n int64) { record(mb, now, n, of) })
}

// isCount reports whether a number may count something: it is not negative, and JavaScript can count to it.
func isCount(v float64) bool { return v >= 0 && v <= maxExact }

// bitsOf records bits per second over transports of all types.
func bitsOf(record flowPoint, of kind) doublePoint {
	return func(mb *builder, now pcommon.Timestamp, v float64) {
		record(mb, now, v/8, of, metadata.AttributeMediasoupTransportTypeUnknown)
	}
}

// pageSamples are the samples with labels.
var pageSamples = map[string]func(*page, *exposition.Sample){
	"edumeet_peers":                       (*page).addPeers,
	"mediasoup_producer_byte_count_bytes": func(p *page, s *exposition.Sample) { p.addBytes(producers, s) },
	"mediasoup_consumer_byte_count_bytes": func(p *page, s *exposition.Sample) { p.addBytes(consumers, s) },
	"mediasoup_producer_score":            func(p *page, s *exposition.Sample) { p.addScore(producers, s) },
	"mediasoup_consumer_score":            func(p *page, s *exposition.Sample) { p.addScore(consumers, s) },
}

// pageNames are the names in pageSums.
var pageNames = func() map[string]bool {
	names := map[string]bool{}
	for _, sum := range pageSums {
		for _, name := range sum.names {
			names[name] = true
		}
	}
	return names
}()

// read asks for the page. What came of one that broke off is dropped.
func (p *page) read(ctx context.Context) (func(), error) {
	p.known = 0
	p.numbers, p.rooms = map[string]float64{}, map[string]float64{}
	p.bytes = [roles]map[streamGroup]float64{{}, {}}
	p.scores = [roles][kindCount]figure{}
	err := p.client.EachSample(ctx, func(s *exposition.Sample) error {
		p.add(s)
		return nil
	})
	if err == nil && p.known == 0 {
		return nil, errors.New("no sample of edumeet's exporter: check that the setting endpoint leads to its page, and the setting format")
	}
	if err != nil && !scrape.IsPartial(err) {
		return nil, err
	}
	return p.record, err
}

// add takes one sample. None of those that matter can be negative, or more than JavaScript can count to; NaN is neither.
func (p *page) add(s *exposition.Sample) {
	add, labelled := pageSamples[string(s.Name)]
	plain := pageNames[string(s.Name)]
	if !labelled && !plain {
		return
	}
	p.known++
	if !isCount(s.Value) {
		return
	}
	if plain {
		p.numbers[string(s.Name)] += s.Value
	}
	if labelled {
		add(p, s)
	}
}

// addPeers takes the peers of a room. Its label is room_id in the old exporter, roomId in the room server.
func (p *page) addPeers(s *exposition.Sample) {
	if !p.cfg.MetricsBuilderConfig.Metrics.EdumeetPeerCountByRoom.Enabled {
		return
	}
	for _, label := range []string{"room_id", "roomId"} {
		if id := s.Label(label); id != nil {
			room := selection.Name(id)
			if _, known := p.rooms[room]; known || len(p.rooms) < p.cfg.Streams.Limit {
				p.rooms[room] += s.Value
			} else {
				p.report.Omit(metadata.AttributeRtcEntityRoom, metadata.AttributeRtcOmissionReasonLimit, 1)
			}
		}
	}
}

// addBytes takes the bytes of one producer or consumer. The page has those over WebRTC only.
func (p *page) addBytes(r role, s *exposition.Sample) {
	codec := strings.ToLower(selection.Name(s.Label("codec")))
	group := streamGroup{mediaKind(s.Label("kind")), codec, metadata.AttributeMediasoupTransportTypeWebrtc}
	if _, there := p.bytes[r][group]; there || len(p.bytes[r]) < maxKeys {
		p.bytes[r][group] += s.Value
	}
}

func (p *page) addScore(r role, s *exposition.Sample) {
	p.scores[r][mediaKind(s.Label("kind"))].add(s.Value)
}

func (p *page) record() {
	for _, sum := range pageSums {
		for _, name := range sum.names {
			if v, told := p.numbers[name]; told {
				sum.record(p.mb, p.now, v)
				break
			}
		}
	}
	for room, n := range p.rooms {
		if isCount(n) {
			p.mb.RecordEdumeetPeerCountByRoomDataPoint(p.now, int64(n), room)
		}
	}
	for r, points := range rolePoints {
		for g, n := range p.bytes[r] {
			if isCount(n) {
				points.sums[streamBytes](p.mb, p.now, int64(n), g.kind, g.codec, g.transport)
			}
		}
		for kind := range kindCount {
			points.figures[figureScore].record(p.streams, kind, &p.scores[r][kind])
		}
	}
}

// unsettle says of the sums over what is open now that they may fall: it is no use to call them monotonic.
func (p *page) unsettle(metrics pmetric.Metrics) {
	if p.cfg.Format != FormatEdumeet {
		return
	}
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Name() {
				case metadata.MetricsInfo.MediasoupProducerIo.Name, metadata.MetricsInfo.MediasoupConsumerIo.Name:
					m.Sum().SetIsMonotonic(false)
				}
			}
		}
	}
}
