// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"cmp"
	"slices"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// distributions count the streams of a snapshot by several values.
type distributions struct {
	scores         distribution[int64]
	losses         distribution[lossBound]
	jitters        distribution[jitterBound]
	roundTripTimes distribution[roundTripTimeBound]
}

func newDistributions() distributions {
	return distributions{
		scores:         distribution[int64]{buckets: scoreBuckets},
		losses:         distribution[lossBound]{buckets: lossBuckets},
		jitters:        distribution[jitterBound]{buckets: jitterBuckets},
		roundTripTimes: distribution[roundTripTimeBound]{buckets: roundTripTimeBuckets},
	}
}

func (d *distributions) begin() {
	d.scores.begin()
	d.losses.begin()
	d.jitters.begin()
	d.roundTripTimes.begin()
}

// add counts a stream by the values that it has.
func (d *distributions) add(kind mediaKind, o *rtpObject, stream *rtpStream) {
	if score, ok := o.score(stream); ok {
		d.scores.add(kind, score)
	}
	if lost, ok := stream.FractionLost.Get(); ok {
		d.losses.add(kind, rows.Per256.Base(float64(lost)))
	}
	if jitter, ok := o.jitter(stream); ok {
		d.jitters.add(kind, jitter)
	}
	if ms, ok := stream.roundTripTime(); ok {
		d.roundTripTimes.add(kind, rows.Milliseconds.Base(ms))
	}
}

func (d *distributions) record(mb *builder, to *distributionRows) {
	d.scores.record(mb, to.Scores)
	d.losses.record(mb, to.Losses)
	d.jitters.record(mb, to.Jitters)
	d.roundTripTimes.record(mb, to.RoundTripTimes)
}

// distribution counts streams by the bucket of a value. A is the type of the attribute that identifies a bucket.
type distribution[A any] struct {
	buckets []bucket[A]
	counts  [mediaKinds][]int64 // by bucket; nil for kinds without any value so far
}

func (d *distribution[A]) begin() {
	for _, counts := range d.counts {
		clear(counts)
	}
}

// add counts a value in the bucket with the smallest bound that is not below it.
func (d *distribution[A]) add(kind mediaKind, value float64) {
	if d.counts[kind] == nil {
		d.counts[kind] = make([]int64, len(d.buckets))
	}
	i, _ := slices.BinarySearchFunc(d.buckets, value, func(b bucket[A], v float64) int { return cmp.Compare(b.bound, v) })
	d.counts[kind][i]++
}

func (d *distribution[A]) record(mb *builder, to point[bucketOf[A]]) {
	for kind, counts := range d.counts {
		for i, n := range counts {
			to.Record(mb, n, bucketOf[A]{mediaKind(kind), d.buckets[i].attribute})
		}
	}
}

// isParticipant reports whether a transport connects the server with a peer. The streams of other transports are copies inside the
// application.
func isParticipant(kind transportType) bool {
	return kind == metadata.AttributeMediasoupTransportTypeWebrtc || kind == metadata.AttributeMediasoupTransportTypePlain
}
