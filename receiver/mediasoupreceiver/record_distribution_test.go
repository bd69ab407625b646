// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// A value is counted in the bucket with the smallest bound that is not below it.
func TestBounds(t *testing.T) {
	const audio = metadata.AttributeMediasoupMediaKindAudio
	d := distribution[roundTripTimeBound]{buckets: roundTripTimeBuckets}
	for value, want := range map[float64]string{0.001: "0.05", 0.05: "0.05", 0.0501: "0.1", 1: "1", 1.5: "inf"} {
		d.begin()
		d.add(audio, value)
		for i, n := range d.counts[audio] {
			assert.Equal(t, d.buckets[i].attribute.String() == want, n == 1, "%v in %v", value, d.buckets[i].attribute)
		}
	}
	assert.Empty(t, d.counts[metadata.AttributeMediasoupMediaKindVideo], "a kind without streams")
}

// Streams over pipes are copies and are in no bucket, and impossible values are in none either.
func TestStreamsOutsideOfBuckets(t *testing.T) {
	body := small(`"producers":[]`, `"consumers":[`+
		`{"id":"a","transportId":"t","kind":"audio","type":"simple","stats":[{"ssrc":1,"score":7,"packetCount":9,"fractionLost":0}]},`+
		`{"id":"b","transportId":"t","kind":"audio","type":"simple","stats":[{"ssrc":2,"score":11,"packetCount":9,"fractionLost":256}]},`+
		`{"id":"c","transportId":"other","kind":"audio","type":"simple","stats":[{"ssrc":3,"score":7,"packetCount":9,"fractionLost":0}]}]`)
	s, _ := startSystem(t, answers(t, body), everything)
	metrics, _ := s.Scrape(t.Context())
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 1, sumOf(points, "mediasoup.consumer.stream.count_by_score{"), 0)
	assert.InDelta(t, 1, points["mediasoup.consumer.stream.count_by_packet_loss{mediasoup.media.kind=audio,mediasoup.packet_loss.bound=0}"], 0)
	assert.InDelta(t, 1, sumOf(points, "mediasoup.consumer.stream.count_by_packet_loss{"), 0)
	assert.Len(t, with(points, "mediasoup.consumer.stream.count_by_packet_loss{"), 7, "a bucket without streams has 0")
}
