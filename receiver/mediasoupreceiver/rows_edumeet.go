// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

const (
	audio = metadata.AttributeMediasoupMediaKindAudio
	video = metadata.AttributeMediasoupMediaKindVideo
	// anyTransport is the transport type of edumeet's sums, which include all types.
	anyTransport = metadata.AttributeMediasoupTransportTypeUnknown
)

// edumeetTables are all rows of a page of edumeet's exporter.
var edumeetTables = []any{edumeetNumbers, edumeetRoomPeers, edumeetIO, edumeetScore}

// edumeetNumbers map families with a single number. If the page has several of the families, the first one is used.
var edumeetNumbers = []struct {
	families []string
	Point    point[none]
}{
	{[]string{"edumeet_rooms", "mediasoup_rooms", "generic_rooms"}, exact(rows.Whole((*generated).RecordEdumeetRoomCountDataPoint))},
	{[]string{"edumeet_peers", "mediasoup_peers", "generic_peers"}, exact(rows.Whole((*generated).RecordEdumeetPeerCountDataPoint))},
	{[]string{"mediasoup_workers_count"}, exact(workerRows.Count)},
	{[]string{"mediasoup_audio_in_count"}, exact(rows.Whole(rows.With((*generated).RecordMediasoupProducerStreamCountDataPoint, audio)))},
	{[]string{"mediasoup_video_in_count"}, exact(rows.Whole(rows.With((*generated).RecordMediasoupProducerStreamCountDataPoint, video)))},
	{[]string{"mediasoup_audio_out_count"}, exact(rows.Whole(rows.With((*generated).RecordMediasoupConsumerStreamCountDataPoint, audio)))},
	{[]string{"mediasoup_video_out_count"}, exact(rows.Whole(rows.With((*generated).RecordMediasoupConsumerStreamCountDataPoint, video)))},
	{[]string{"mediasoup_audio_bitrates_in_sum"}, rows.Decimal(rows.With2((*generated).RecordMediasoupProducerThroughputDataPoint, audio, anyTransport)).In(rows.Bits)},
	{[]string{"mediasoup_video_bitrates_in_sum"}, rows.Decimal(rows.With2((*generated).RecordMediasoupProducerThroughputDataPoint, video, anyTransport)).In(rows.Bits)},
	{[]string{"mediasoup_audio_bitrates_out_sum"}, rows.Decimal(rows.With2((*generated).RecordMediasoupConsumerThroughputDataPoint, audio, anyTransport)).In(rows.Bits)},
	{[]string{"mediasoup_video_bitrates_out_sum"}, rows.Decimal(rows.With2((*generated).RecordMediasoupConsumerThroughputDataPoint, video, anyTransport)).In(rows.Bits)},
}

// edumeetSeries maps families with several series to methods that add a sample.
var edumeetSeries = map[string]func(*edumeetPage, *edumeetSample){
	"edumeet_peers":                       (*edumeetPage).addPeers,
	"mediasoup_producer_byte_count_bytes": func(p *edumeetPage, s *edumeetSample) { p.addBytes(producers, s) },
	"mediasoup_consumer_byte_count_bytes": func(p *edumeetPage, s *edumeetSample) { p.addBytes(consumers, s) },
	"mediasoup_producer_score":            func(p *edumeetPage, s *edumeetSample) { p.addScore(producers, s) },
	"mediasoup_consumer_score":            func(p *edumeetPage, s *edumeetSample) { p.addScore(consumers, s) },
}

// The points of these series. The bytes are those of open producers and consumers.
var (
	edumeetRoomPeers = exact(rows.WholeOf((*generated).RecordEdumeetPeerCountByRoomDataPoint))
	edumeetIO        = [roles]point[streamGroup]{
		producers: exact(roleRows[producers].Measured.Sums[streamBytes]),
		consumers: exact(roleRows[consumers].Measured.Sums[streamBytes]),
	}
	edumeetScore = [roles]figureRows[mediaKind]{
		producers: roleRows[producers].Measured.Figures[figureScore],
		consumers: roleRows[consumers].Measured.Figures[figureScore],
	}
)

// exact skips sums above maxExact.
func exact[K any](p point[K]) point[K] { return p.Within(0, maxExact).Rounded() }
