// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// ioRow is a media source with an origin of RTMP.
type ioRow struct {
	name, schema string
	bytes        int64
	stamp, age   int64 // createStamp, which is missing if it is 0, and aliveSecond
	readers      int64
}

// ioList is a media list, 30 s after the last one.
type ioList struct {
	rows      []ioRow
	truncated bool
	in, rtmp  float64 // expected sums: received, and sent in rtmp
	hls       float64 // sent in hls
	refused   int64   // values
}

const (
	rtmpIngest = "zlmediakit.ingest.io{zlmediakit.origin.type=rtmp_push}"
	rtmpEgress = "zlmediakit.egress.io{zlmediakit.schema=rtmp}"
	hlsEgress  = "zlmediakit.egress.io{zlmediakit.schema=hls}"
	refused    = "rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}"
)

// The bytes of all streams are counted from the first list, through the ends and restarts of streams, truncated lists and changes of the
// schemas that are listed.
func TestIO(t *testing.T) {
	const a, b = "v/a/a", "v/a/b"
	for name, lists := range map[string][]ioList{
		"growth": {
			{rows: []ioRow{{a, "rtmp", 1000, 50, 50, 2}, {b, "rtmp", 500, 60, 40, 0}}},
			{rows: []ioRow{{a, "rtmp", 1100, 50, 80, 3}, {b, "rtmp", 501, 60, 70, 5}}, in: 101, rtmp: 200},
			{rows: []ioRow{{a, "rtmp", 1110, 50, 110, 1}, {b, "rtmp", 501, 60, 100, 5}}, in: 111, rtmp: 210},
		},
		"a stream ends": {
			{rows: []ioRow{{a, "rtmp", 1000, 50, 50, 2}}},
			{rows: []ioRow{{a, "rtmp", 1100, 50, 80, 2}}, in: 100, rtmp: 200},
			{in: 100, rtmp: 200},
			{rows: []ioRow{{a, "rtmp", 30, 150, 10, 2}}, in: 130, rtmp: 200}, // its readers are new
			{rows: []ioRow{{a, "rtmp", 40, 150, 40, 2}}, in: 140, rtmp: 220},
		},
		"a stream restarts with fewer bytes": {
			{rows: []ioRow{{a, "rtmp", 1000, 0, 50, 2}}},
			{rows: []ioRow{{a, "rtmp", 30, 0, 10, 1}}, in: 30, rtmp: 30},
		},
		"a stream restarts with more bytes": {
			{rows: []ioRow{{a, "rtmp", 1000, 50, 50, 2}}},
			{rows: []ioRow{{a, "rtmp", 1200, 150, 10, 1}}, in: 1200, rtmp: 1200},
		},
		"a registration that becomes known is not a restart": {
			{rows: []ioRow{{a, "rtmp", 1000, 0, 50, 0}}},
			{rows: []ioRow{{a, "rtmp", 1200, 50, 80, 0}}, in: 200},
			{rows: []ioRow{{a, "rtmp", 1300, 0, 110, 0}}, in: 300},
			{rows: []ioRow{{a, "rtmp", 1400, 50, 140, 0}}, in: 400},
		},
		"a new stream counts from 0, an older one does not": {
			{},
			{rows: []ioRow{{a, "rtmp", 100, 50, 30, 7}, {b, "rtmp", 5000, 10, 31, 7}}, in: 100},
			{rows: []ioRow{{a, "rtmp", 110, 50, 60, 7}, {b, "rtmp", 5001, 10, 61, 7}}, in: 111, rtmp: 77},
		},
		"a truncated list counts": {
			{rows: []ioRow{{a, "rtmp", 1000, 50, 50, 2}, {b, "rtmp", 500, 60, 40, 0}}},
			{rows: []ioRow{{a, "rtmp", 1100, 50, 80, 2}}, truncated: true},
			{rows: []ioRow{{a, "rtmp", 1110, 50, 110, 2}, {b, "rtmp", 600, 60, 100, 0}}, in: 210, rtmp: 220},
		},
		"a truncated list before the first complete one does not": {
			{rows: []ioRow{{a, "rtmp", 900, 50, 20, 2}}, truncated: true},
			{rows: []ioRow{{a, "rtmp", 1000, 50, 50, 2}}},
			{rows: []ioRow{{a, "rtmp", 1001, 50, 80, 2}}, in: 1, rtmp: 2},
		},
		"another schema represents the input while the native one stands still": {
			{rows: []ioRow{{a, "rtmp", 100, 50, 50, 0}, {a, "hls", 100, 50, 50, 0}, {a, "ts", 100, 50, 50, 0}}},
			{rows: []ioRow{{a, "rtmp", 110, 50, 80, 0}, {a, "hls", 300, 50, 80, 0}, {a, "ts", 400, 50, 80, 0}}, in: 10},
			{rows: []ioRow{{a, "rtmp", 110, 50, 110, 0}, {a, "hls", 500, 50, 110, 1}, {a, "ts", 401, 50, 110, 0}}, in: 210},
			{rows: []ioRow{{a, "rtmp", 111, 50, 140, 0}, {a, "hls", 503, 50, 140, 1}, {a, "ts", 909, 50, 140, 0}}, in: 213, hls: 3}, // stays
			{rows: []ioRow{{a, "rtmp", 112, 50, 170, 0}, {a, "hls", 503, 50, 170, 1}, {a, "ts", 999, 50, 170, 0}}, in: 214, hls: 3},
		},
		"a schema that was not in the last list": {
			{rows: []ioRow{{a, "rtmp", 100, 50, 50, 1}, {a, "hls", 100, 50, 50, 1}}},
			{rows: []ioRow{{a, "hls", 120, 50, 80, 1}}, in: 20, hls: 20},
			{rows: []ioRow{{a, "rtmp", 900, 50, 110, 1}, {a, "hls", 120, 50, 110, 1}}, in: 20, hls: 20},
			{rows: []ioRow{{a, "rtmp", 905, 50, 140, 1}, {a, "hls", 120, 50, 140, 1}}, in: 25, rtmp: 5, hls: 20},
		},
		"streams with the same name": {
			{rows: []ioRow{{a, "rtmp", 100, 50, 50, 1}, {b, "rtmp", 100, 50, 50, 1}}},
			{rows: []ioRow{{a, "rtmp", 150, 50, 80, 1}, {a, "rtmp", 7000, 60, 70, 1}, {b, "rtmp", 103, 50, 80, 1}}, in: 3, rtmp: 3},
			{rows: []ioRow{{a, "rtmp", 7100, 60, 100, 1}, {a, "rtmp", 200, 50, 110, 1}, {b, "rtmp", 103, 50, 110, 1}}, in: 3, rtmp: 3},
			{rows: []ioRow{{a, "rtmp", 250, 50, 140, 1}, {b, "rtmp", 103, 50, 140, 1}}, in: 3, rtmp: 3},
			{rows: []ioRow{{a, "rtmp", 251, 50, 170, 1}, {b, "rtmp", 103, 50, 170, 1}}, in: 4, rtmp: 4},
		},
		"numbers that are too large": {
			{rows: []ioRow{{a, "rtmp", 0, 50, 50, 4}}},
			{rows: []ioRow{{a, "rtmp", math.MaxInt64 / 2, 50, 80, 3}}, in: math.MaxInt64 / 2, refused: 1},
			{rows: []ioRow{{a, "rtmp", math.MaxInt64/2 + 8, 50, 110, 3}}, in: math.MaxInt64/2 + 8, rtmp: 24},
			{rows: []ioRow{{a, "rtmp", math.MaxInt64/2 + 7, 70, 10, 0}}, in: math.MaxInt64/2 + 8, rtmp: 24, refused: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStreams(t, nil)
			first, known := int64(0), false
			for i, list := range lists {
				at := int64(1_800_000_000 + 30*i)
				metrics := s.recordList(t, at, list)
				points := rtctest.Points(t, metrics)
				assert.InDelta(t, float64(list.refused), points[refused], 0, "list %d", i)
				if list.truncated {
					assert.Empty(t, series(points, "zlmediakit.ingest.io", "zlmediakit.egress.io"), "list %d", i)
					continue
				}
				if first == 0 {
					first = at
				}
				if known = known || len(list.rows) > 0; !known { // no stream has reported bytes
					assert.Empty(t, series(points, "zlmediakit.ingest.io", "zlmediakit.egress.io"), "list %d", i)
					continue
				}
				want := map[string]float64{rtmpIngest: list.in, rtmpEgress: list.rtmp, hlsEgress: list.hls}
				for _, schema := range []string{"rtsp", "ts", "fmp4", "hls.fmp4"} {
					want["zlmediakit.egress.io{zlmediakit.schema="+schema+"}"] = 0
				}
				assert.Equal(t, want, series(points, "zlmediakit.ingest.io", "zlmediakit.egress.io"), "list %d", i)
				for _, sum := range []string{"zlmediakit.ingest.io", "zlmediakit.egress.io"} {
					assert.Equal(t, []int64{first}, slices.Compact(startsOf(metrics, sum)), "list %d", i)
				}
			}
		})
	}
}

// recordList records a list.
func (s *recordingSystem) recordList(t *testing.T, at int64, list ioList) pmetric.Metrics {
	t.Helper()
	return s.recordAt(t, at, func() {
		l := s.streams.beginList()
		for _, r := range list.rows {
			m := source(r.name, r.schema, 0, r.bytes)
			m.AliveSeconds, m.Readers = optional.Of(r.age), optional.Of(r.readers)
			if r.stamp != 0 {
				m.CreateStamp = optional.Of(r.stamp)
			}
			l.add(m)
		}
		s.streams.complete = !list.truncated
		l.end()
		if s.streams.complete {
			l.finish()
		}
	})
}

// Servers that do not report bytes, and lists of schemas without them, have no sums.
func TestNoIO(t *testing.T) {
	s := newTestStreams(t, nil)
	m := source("v/a/s", "rtmp", 5, 0)
	m.TotalBytes = optional.Value[int64]{}
	for range 2 {
		assert.Empty(t, series(walkList(t, s, m), "zlmediakit.ingest.io", "zlmediakit.egress.io"))
	}
}
