// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// The error for an invalid snapshot or one of another version says what to do.
func TestRefusedSnapshots(t *testing.T) {
	const head = `"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i"`
	for name, tt := range map[string]struct{ body, want string }{
		"a newer version":   {`{"schema":"mediasoup.snapshot","schemaVersion":2,"instanceId":"i"}`, "version 2 of the snapshot, and this collector knows version 1: update the collector"},
		"an older version":  {`{"schema":"mediasoup.snapshot","schemaVersion":0,"instanceId":"i"}`, "version 0 of the snapshot, and this collector knows version 1: update the agent in the application"},
		"no version":        {`{"schema":"mediasoup.snapshot"}`, "no member schemaVersion: check that the setting endpoint"},
		"no instance":       {`{"schema":"mediasoup.snapshot","schemaVersion":1}`, "no member instanceId"},
		"another schema":    {`{"schema":"x"}`, `no snapshot of mediasoup: the member schema is "x"`},
		"another API":       {`{"status":"ok"}`, `no snapshot of mediasoup: the member schema is ""`},
		"null":              {`null`, `no snapshot of mediasoup: the member schema is ""`},
		"a list":            {`[]`, `no snapshot of mediasoup: the member schema is ""`},
		"edumeet's page":    {"# HELP edumeet_rooms\n", "an answer from edumeet: set format: edumeet, or check that the setting endpoint leads to mediasoup's agent"},
		"no workers":        {`{` + head + `}`, "no member workers"},
		"no consumers":      {`{` + head + `,"workers":[],"routers":[],"transports":[],"producers":[]}`, "no member consumers"},
		"a list that is no": {`{` + head + `,"workers":[],"routers":{},"transports":[],"producers":[],"consumers":[]}`, "the member routers is of a wrong type"},
		"statistics":        {`{` + head + `,"workers":[],"routers":[],"transports":[],"producers":[],"consumers":[{"id":"c","transportId":"t","kind":"audio","stats":{}}]}`, "the member stats is of a wrong type"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, tt.body), nil)
			metrics, err := s.Scrape(t.Context())
			require.ErrorContains(t, err, tt.want)
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, sumOf(points, "rtc.scrape.errors{error.type=format,rtc.api=/v1/snapshot}"), 0)
			assert.InDelta(t, 0, points["rtc.target.up{}"], 0)
		})
	}
	server := startAgent(t, mediasoup.AgentOptions{SchemaVersion: 3})
	s, _ := startSystem(t, server.URL(), nil)
	_, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "version 3 of the snapshot, and this collector knows version 1: update the collector")
}

// The order of a snapshot's members does not affect the result.
func TestOrderOfMembers(t *testing.T) {
	body := captured(t, "snapshot-3.12.16-a.json")
	s, _ := startSystem(t, answers(t, body), everything)
	want := rtctest.Points(t, scrapeOnce(t, s))
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &members))
	byName, err := json.Marshal(members)
	require.NoError(t, err)
	var backwards []string
	for name, member := range members {
		text, err := json.Marshal(map[string]any{name: member})
		require.NoError(t, err)
		backwards = append(backwards, string(text[1:len(text)-1]))
	}
	for _, body := range []string{string(byName), "{" + strings.Join(backwards, ",") + "}"} {
		s, _ := startSystem(t, answers(t, body), everything)
		got := rtctest.Points(t, scrapeOnce(t, s))
		for point := range want {
			if !strings.HasPrefix(point, "rtc.scrape.duration") {
				assert.InDelta(t, want[point], got[point], 0, point)
			}
		}
		assert.Len(t, got, len(want))
	}
}

// small returns a snapshot with one worker, router and transport, and the given members.
func small(members ...string) string {
	return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","workers":[{"id":"w"}],"routers":[{"id":"r","workerId":"w"}],` +
		`"transports":[{"id":"t","routerId":"r","type":"webrtc","state":{}}],` + strings.Join(members, ",") + `}`
}

// Duplicates are counted once, absent values are skipped, and unknown values are reported as unknown.
func TestOddSnapshots(t *testing.T) {
	const stream = `"stats":[{"ssrc":1,"byteCount":10,"bitrate":80}]`
	for name, tt := range map[string]struct {
		members []string
		want    map[string]float64
	}{
		"an object that is listed twice": {
			[]string{`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple",` + stream + `},{"id":"p","transportId":"t","kind":"audio","type":"simple",` + stream + `}]`, `"consumers":[]`},
			map[string]float64{
				"mediasoup.producer.count{mediasoup.media.kind=audio,mediasoup.paused=false,mediasoup.stream.type=simple,mediasoup.transport.type=webrtc}": 1,
				"rtc.scrape.omitted.count{rtc.entity=producer,rtc.omission.reason=merged}":                                                                 1,
				"mediasoup.producer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}":                                                10,
			},
		},
		"an id that is there twice on two transports": {
			[]string{`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple"},{"id":"p","transportId":"u","kind":"audio","type":"pipe"}]`, `"consumers":[]`},
			map[string]float64{
				"mediasoup.producer.count{mediasoup.media.kind=audio,mediasoup.paused=false,mediasoup.stream.type=simple,mediasoup.transport.type=webrtc}": 1,
				"mediasoup.producer.count{mediasoup.media.kind=audio,mediasoup.paused=false,mediasoup.stream.type=pipe,mediasoup.transport.type=unknown}":  1,
				"mediasoup.producer.count_by_worker{mediasoup.worker.id=w}":                                                                                1,
			},
		},
		"words that nobody knows": {
			[]string{`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"hologram"}]`, `"consumers":[{"id":"c","transportId":"t","kind":"smell","stats":[]}]`, `"dataProducers":[{"id":"d","transportId":"t"}]`},
			map[string]float64{
				"mediasoup.producer.count{mediasoup.media.kind=audio,mediasoup.paused=false,mediasoup.stream.type=unknown,mediasoup.transport.type=webrtc}":   1,
				"mediasoup.data_producer.count{mediasoup.data.type=unknown}":                                                                                  1,
				"mediasoup.consumer.count{mediasoup.media.kind=unknown,mediasoup.paused=false,mediasoup.stream.type=unknown,mediasoup.transport.type=webrtc}": 1,
				"mediasoup.consumer.count_by_worker{mediasoup.worker.id=w}":                                                                                   1,
				"mediasoup.consumer.silent.count{mediasoup.media.kind=unknown}":                                                                               1,
				"mediasoup.transport.count_by_protocol{network.transport=unknown}":                                                                            1,
			},
		},
		"paused on either side": {
			[]string{`"producers":[]`, `"consumers":[{"id":"c","transportId":"t","kind":"video","type":"simple","producerPaused":true,"stats":[{"ssrc":1,"bitrate":0,"score":3,"packetCount":9}]},` +
				`{"id":"d","transportId":"t","kind":"video","type":"simple","stats":[{"ssrc":1,"bitrate":0,"score":7,"packetCount":9}]}]`},
			map[string]float64{
				"mediasoup.consumer.silent.count{mediasoup.media.kind=video}": 1,
				"mediasoup.consumer.score.min{mediasoup.media.kind=video}":    7,
				"mediasoup.consumer.stream.count{mediasoup.media.kind=video}": 2,
				"mediasoup.consumer.count_by_worker{mediasoup.worker.id=w}":   2,
			},
		},
		"entries of the other direction, as consumer.getStats() has them": {
			[]string{
				`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple","stats":[{"type":"inbound-rtp","ssrc":1,"bitrate":80},{"type":"outbound-rtp","ssrc":2,"bitrate":800}]}]`,
				`"consumers":[{"id":"c","transportId":"t","kind":"audio","type":"simple","stats":[{"type":"outbound-rtp","ssrc":2,"bitrate":160},{"ssrc":1,"bitrate":1600,"type":"inbound-rtp"}]},` +
					`{"id":"d","transportId":"t","kind":"video","type":"simple","stats":[{"ssrc":3,"bitrate":240}]}]`,
			},
			map[string]float64{
				"mediasoup.producer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}": 10,
				"mediasoup.producer.stream.count{mediasoup.media.kind=audio}":                               1,
				"mediasoup.consumer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}": 20,
				"mediasoup.consumer.stream.count{mediasoup.media.kind=audio}":                               1,
				"mediasoup.consumer.throughput{mediasoup.media.kind=video,mediasoup.transport.type=webrtc}": 30,
			},
		},
		"a score of what is paused or has not begun": {
			[]string{`"producers":[]`, `"consumers":[{"id":"c","transportId":"t","kind":"video","type":"simple","paused":true,"stats":[{"ssrc":1,"score":3,"packetCount":9}]},` +
				`{"id":"d","transportId":"t","kind":"video","type":"simple","stats":[{"ssrc":1,"score":3,"packetCount":0}]},` +
				`{"id":"e","transportId":"t","kind":"video","type":"simple","stats":[{"ssrc":1,"score":3,"packetCount":9}]}]`},
			map[string]float64{"mediasoup.consumer.stream.count_by_score{mediasoup.media.kind=video,mediasoup.score=3}": 1},
		},
		"a producer that sends nothing": {
			[]string{`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple","stats":[]}]`, `"consumers":[]`},
			map[string]float64{"mediasoup.producer.silent.count{mediasoup.media.kind=audio}": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, small(tt.members...)), everything)
			points := rtctest.Points(t, scrapeOnce(t, s))
			for point, want := range tt.want {
				got, there := points[point]
				assert.True(t, there, point)
				assert.InDelta(t, want, got, 0, point)
			}
			for point := range points {
				assert.NotContains(t, point, "mediasoup.transport.io", "nothing was told of it")
				assert.NotContains(t, point, "mediasoup.transport.count_by_ice_state")
				assert.NotContains(t, point, "mediasoup.uptime")
				assert.NotContains(t, point, "mediasoup.agent.skipped.count")
				assert.NotContains(t, point, "mediasoup.agent.collection.duration")
				assert.NotContains(t, point, "lost_packets")
				assert.NotContains(t, point, "packet_losses")
			}
		})
	}
}

// Numbers above 2^53-1 and negative numbers other than lost packets are skipped, and sums of the others do not overflow.
func TestNumbersOutOfRange(t *testing.T) {
	const exact, beyond = "9007199254740991", "9007199254740992"
	numbers := func(n string) string {
		stream := `"stats":[{"ssrc":1,"byteCount":` + n + `,"bitrate":` + n + `,"jitter":` + n + `,"roundTripTime":` + n + `}]`
		object := `"transportId":"t","kind":"audio","type":"simple","mimeType":"audio/opus","clockRate":1000,` + stream + `}`
		return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","process":{"rssBytes":` + n + `,"startTimeUnixMs":` + n + `},` +
			`"counters":{"transportsCreated":` + n + `},"workers":[{"id":"w","startTimeUnixMs":` + n + `,"resourceUsage":{"ru_maxrss":` + n + `,"ru_majflt":` + n + `}}],` +
			`"routers":[{"id":"r","workerId":"w","rtpObservers":` + n + `}],` +
			`"transports":[{"id":"t","routerId":"r","type":"webrtc","stats":{"bytesSent":` + n + `,"sendBitrate":` + n + `,"rtpPacketLossSent":` + n + `}}],` +
			`"producers":[],"consumers":[{"id":"c",` + object + `,{"id":"d",` + object + `],` +
			`"dataConsumers":[{"id":"e","transportId":"t","type":"sctp","stats":{"bytesSent":` + n + `,"bufferedAmount":` + n + `}}]}`
	}
	want := map[string]float64{
		"mediasoup.process.memory.usage{}":                                                                             9007199254740991,
		"mediasoup.transport.creations{}":                                                                              9007199254740991,
		"mediasoup.worker.memory.peak{mediasoup.worker.id=w}":                                                          9007199254740991 * 1024,
		"mediasoup.worker.page_faults{mediasoup.page_fault.type=major,mediasoup.worker.id=w}":                          9007199254740991,
		"mediasoup.rtp_observer.count{}":                                                                               9007199254740991,
		"mediasoup.transport.throughput{mediasoup.transport.type=webrtc,network.io.direction=transmit}":                9007199254740991.0 / 8,
		"mediasoup.transport.packet_loss.max{network.io.direction=transmit}":                                           9007199254740991,
		"mediasoup.consumer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}":                    2 * 9007199254740991.0 / 8,
		"mediasoup.consumer.jitter.max{mediasoup.media.kind=audio}":                                                    9007199254740.991,
		"mediasoup.consumer.round_trip_time.max{mediasoup.media.kind=audio}":                                           9007199254740.991,
		"mediasoup.data.buffer.size{}":                                                                                 9007199254740991,
		"mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}": 0,
		"mediasoup.transport.io{mediasoup.transport.type=webrtc,network.io.direction=transmit}":                        0,
		"mediasoup.data.io{network.io.direction=transmit}":                                                             0,
	}
	for n, present := range map[string]bool{exact: true, beyond: false, "9223372036854775807": false, "-1": false} {
		t.Run(n, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, numbers(n)), everything)
			metrics, err := s.Scrape(t.Context())
			if present {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "skipped values of a wrong type or range: rssBytes, startTimeUnixMs, transportsCreated, ru_maxrss")
			}
			points := rtctest.Points(t, metrics)
			for point, value := range want {
				got, there := points[point]
				assert.Equal(t, present, there, point)
				if present {
					assert.InDelta(t, value, got, 0, point)
				}
			}
			for metric, starts := range sums(metrics) {
				for _, start := range starts {
					assert.WithinDuration(t, s.run.Now().AsTime(), start, time.Minute, metric) // the year 287396 is not a valid start
				}
			}
		})
	}
}

// The sum of lost packets falls when late packets arrive, even below its first value.
func TestLostPacketsThatComeLate(t *testing.T) {
	snapshot := func(lost int) string {
		return small(`"consumers":[]`, fmt.Sprintf(`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple",`+
			`"mimeType":"audio/opus","stats":[{"ssrc":1,"byteCount":10,"packetsLost":%d}]}]`, lost))
	}
	s, _ := startSystem(t, answers(t, snapshot(5), snapshot(7), snapshot(-2)), everything)
	const point = "mediasoup.producer.lost_packets{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
	for _, want := range []struct{ sum, single float64 }{{0, 5}, {2, 7}, {-7, -2}} {
		points := rtctest.Points(t, scrapeOnce(t, s))
		assert.Contains(t, points, point)
		assert.InDelta(t, want.sum, points[point], 0)
		assert.InDelta(t, want.single, sumOf(points, "mediasoup.stream.lost_packets{"), 0)
	}
}

// Sums that would overflow int64 keep their value, and this is logged once.
func TestSumsThatWouldWrap(t *testing.T) {
	const each = 9007199254740991 // the sum of 1025 exceeds 2^63
	snapshot := func(objects int, n int64) string {
		var routers, consumers, data []string
		for i := range objects {
			routers = append(routers, fmt.Sprintf(`{"id":"r%d","workerId":"w","rtpObservers":%d}`, i, n))
			consumers = append(consumers, fmt.Sprintf(`{"id":"c%d","transportId":"t","kind":"audio","type":"simple","mimeType":"audio/opus","stats":[{"ssrc":1,"byteCount":%d,"nackCount":%d}]}`, i, n, n))
			data = append(data, fmt.Sprintf(`{"id":"d%d","transportId":"t","type":"sctp","stats":{"bytesSent":%d,"bufferedAmount":%d}}`, i, n, n))
		}
		return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","workers":[{"id":"w"}],"routers":[` + strings.Join(routers, ",") + `],` +
			`"transports":[{"id":"t","routerId":"r0","type":"webrtc","state":{}}],"producers":[],"consumers":[` + strings.Join(consumers, ",") + `],` +
			`"dataConsumers":[` + strings.Join(data, ",") + `]}`
	}
	s, logs := startSystem(t, answers(t, snapshot(1025, 0), snapshot(1025, each)), everything)
	scrapeOnce(t, s)
	for range 2 {
		points := rtctest.Points(t, scrapeOnce(t, s))
		for _, point := range []string{
			"mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}",
			"mediasoup.consumer.rtcp.messages{mediasoup.media.kind=audio,mediasoup.rtcp.type=nack}",
			"mediasoup.data.io{network.io.direction=transmit}",
			"mediasoup.data.buffer.size{}",
			"mediasoup.rtp_observer.count{}",
		} {
			assert.InDelta(t, 1024*float64(each), points[point], 0, point)
		}
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("a sum would exceed the largest number").Len())
}

// A group whose last member disappears keeps its sums, and its count becomes 0.
func TestEmptyGroupsKeepTheirPoints(t *testing.T) {
	full := small(`"producers":[]`, `"consumers":[{"id":"c","transportId":"t","kind":"audio","type":"simple","mimeType":"audio/opus","stats":[{"ssrc":1,"byteCount":10,"bitrate":80}]}]`)
	later := strings.Replace(full, `"byteCount":10`, `"byteCount":25`, 1)
	empty := small(`"producers":[]`, `"consumers":[]`)
	s, _ := startSystem(t, answers(t, full, later, empty), nil)
	scrapeOnce(t, s)
	scrapeOnce(t, s)
	points := rtctest.Points(t, scrapeOnce(t, s))
	for point, want := range map[string]float64{
		"mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}":                             15,
		"mediasoup.consumer.count{mediasoup.media.kind=audio,mediasoup.paused=false,mediasoup.stream.type=simple,mediasoup.transport.type=webrtc}": 0,
		"mediasoup.consumer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}":                                                0,
		"mediasoup.consumer.silent.count{mediasoup.media.kind=audio}":                                                                              0,
	} {
		got, there := points[point]
		assert.True(t, there, point)
		assert.InDelta(t, want, got, 0, point)
	}
}

// Averages, minima and maxima need new statistics of a quarter of the objects, sums need any statistics, and counts need none.
func TestCoverage(t *testing.T) {
	sums := []string{
		"mediasoup.consumer.throughput{", "mediasoup.consumer.silent.count{", "mediasoup.consumer.stream.count{", "mediasoup.producer.throughput{",
		"mediasoup.transport.throughput{",
	}
	figures := []string{
		"mediasoup.consumer.score.average{", "mediasoup.consumer.packet_loss.max{", "mediasoup.consumer.round_trip_time.max{",
		"mediasoup.consumer.stream.count_by_score{", "mediasoup.consumer.stream.throughput.max{", "mediasoup.producer.score.min{",
		"mediasoup.transport.available_throughput.min{",
	}
	always := []string{
		"mediasoup.consumer.count{", "mediasoup.consumer.io{", "mediasoup.consumer.lost_packets{", "mediasoup.consumer.packet_losses{",
		"mediasoup.consumer.count_by_layer{", "mediasoup.transport.count_by_ice_state{",
	}
	for _, tt := range []struct {
		unread, carried int // out of 100
		sums, figures   bool
		warnings        int
	}{
		{0, 0, true, true, 0},
		{20, 0, true, true, 0},
		{50, 30, true, true, 0},
		{0, 70, true, true, 0},
		{0, 80, true, false, 3}, // one for each of the long lists
		{70, 80, true, false, 3},
		{80, 0, false, false, 3},
	} {
		t.Run(fmt.Sprintf("%d unread, %d carried", tt.unread, tt.carried), func(t *testing.T) {
			server := startAgent(t, mediasoup.AgentOptions{Consumers: 200})
			some := startAgent(t, mediasoup.AgentOptions{Consumers: 200, Unread: tt.unread, Carried: tt.carried})
			s, logs := startSystem(t, server.URL(), everything)
			scrapeOnce(t, s)
			s.client.http = recorded(t, some.URL())
			points := rtctest.Points(t, scrapeOnce(t, s))
			scrapeOnce(t, s)
			for _, metrics := range []struct {
				names []string
				want  bool
			}{{sums, tt.sums}, {figures, tt.figures}, {always, true}} {
				for _, metric := range metrics.names {
					assert.Equal(t, metrics.want, len(with(points, metric)) > 0, metric)
				}
			}
			assert.InDelta(t, float64(len(ask(t, server.URL()).Consumers)), sumOf(points, "mediasoup.consumer.count{"), 0)
			assert.InDelta(t, float64(100-tt.unread)*float64(100-tt.carried)/1e4, points["mediasoup.agent.coverage{rtc.entity=consumer}"], 0.01)
			assert.Equal(t, tt.warnings, logs.FilterMessageSnippet("too few objects have new statistics").Len(), "once, and not with each scrape")
		})
	}
}

// crowd returns a snapshot with the given collection and four consumers, the last of which is on a worker of its own.
func crowd(collection string, stats ...string) string {
	var consumers []string
	for i := range 4 {
		rest := ""
		if i < len(stats) {
			rest = stats[i]
		}
		consumers = append(consumers, fmt.Sprintf(`{"id":"c%d","transportId":"t%d","kind":"audio","type":"simple"%s}`, i, i, rest))
	}
	return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","collection":` + collection + `,` +
		`"workers":[{"id":"w"},{"id":"x"}],"routers":[{"id":"r","workerId":"w"},{"id":"s","workerId":"x"}],` +
		`"transports":[{"id":"t0","routerId":"r","type":"webrtc"},{"id":"t1","routerId":"r","type":"webrtc"},{"id":"t2","routerId":"r","type":"webrtc"},{"id":"t3","routerId":"s","type":"webrtc"}],` +
		`"producers":[],"consumers":[` + strings.Join(consumers, ",") + `]}`
}

// The coverage is computed from the objects that have statistics and from the agent's own counts, if it has them.
func TestWhatFiguresStandFor(t *testing.T) {
	const (
		fresh    = `,"stats":[{"ssrc":1,"bitrate":80,"score":8,"packetCount":1}]`
		carried  = `,"stats":[{"ssrc":1,"bitrate":160,"score":2,"packetCount":1}],"statsAgeMs":9000`
		coverage = "mediasoup.agent.coverage{rtc.entity=consumer}"
		sum      = "mediasoup.consumer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
		average  = "mediasoup.consumer.stream.throughput.average{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
		worst    = "mediasoup.consumer.score.min{mediasoup.media.kind=audio}"
		silent   = "mediasoup.consumer.silent.count{mediasoup.media.kind=audio}"
		limited  = "mediasoup.agent.skipped.count{mediasoup.skip.reason=limit,rtc.entity=consumer}"
		failed   = "mediasoup.agent.skipped.count{mediasoup.skip.reason=error,rtc.entity=consumer}"
		older    = "mediasoup.agent.skipped.count{mediasoup.skip.reason=carried,rtc.entity=consumer}"
	)
	const none = -1 // no such point
	for name, tt := range map[string]struct {
		snapshot string
		want     map[string]float64
	}{
		"all": {
			crowd(`{}`, fresh, fresh, fresh, fresh),
			map[string]float64{coverage: 1, sum: 40, average: 10, worst: 8, silent: 0, limited: 0, failed: 0, older: 0},
		},
		"one worker of two hangs": {
			crowd(`{"skipped":{},"carried":{},"errors":{"consumers":1}}`, fresh, fresh, fresh),
			map[string]float64{coverage: 0.75, sum: 30, average: 10, worst: 8, limited: 0, failed: 1, older: 0},
		},
		"carried ones count in sums only": {
			crowd(`{"skipped":{},"carried":{"consumers":2},"errors":{}}`, fresh, carried, fresh, carried),
			map[string]float64{coverage: 0.5, sum: 60, average: 10, worst: 8, limited: 0, failed: 0, older: 2},
		},
		"a quarter": {
			crowd(`{"skipped":{"consumers":3},"errors":{}}`, fresh),
			map[string]float64{coverage: 0.25, sum: 10, average: 10, worst: 8, limited: 3},
		},
		"carried ones alone": {
			crowd(`{"skipped":{"consumers":3},"carried":{"consumers":1},"errors":{}}`, carried),
			map[string]float64{coverage: 0, sum: 20, average: none, worst: none, silent: 0, limited: 3, older: 1},
		},
		"none": {
			crowd(`{"skipped":{"consumers":4},"errors":{}}`),
			map[string]float64{coverage: 0, sum: none, average: none, worst: none, silent: none, limited: 4},
		},
		"what came meanwhile is not missing": {
			crowd(`{"skipped":{},"errors":{"consumers":1}}`, fresh),
			map[string]float64{coverage: 0.5, sum: 10, average: 10, worst: 8, failed: 1},
		},
		"an agent that does not say what it skipped": {
			crowd(`{}`, fresh, fresh),
			map[string]float64{coverage: 0.5, sum: 20, limited: 0, failed: 0, older: 0},
		},
		"an agent that counts what it read": {
			crowd(`{"fresh":{"consumers":1},"skipped":{},"errors":{}}`, fresh, fresh, carried, carried),
			map[string]float64{coverage: 0.25, sum: 60, average: 10},
		},
		"an agent that counts too much": {
			crowd(`{"fresh":{"consumers":9}}`, fresh, fresh),
			map[string]float64{coverage: 1, sum: 20},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, tt.snapshot), everything)
			points := rtctest.Points(t, scrapeOnce(t, s))
			for point, want := range tt.want {
				got, there := points[point]
				assert.Equal(t, want != none, there, point)
				if there {
					assert.InDelta(t, want, got, 1e-9, point)
				}
			}
			for _, kind := range []string{"producer", "data_producer", "data_consumer"} {
				assert.NotContains(t, points, "mediasoup.agent.coverage{rtc.entity="+kind+"}", "there is none")
			}
		})
	}
}

// Statistics that no enabled metric needs are not requested, and do not count as missing.
func TestCoverageOfWhatIsNotAskedFor(t *testing.T) {
	server := startAgent(t, mediasoup.AgentOptions{Consumers: 100, Unread: 90})
	s, logs := startSystem(t, server.URL(), func(c *Config) {
		enableOnly(t, c, "mediasoup.agent.coverage", "mediasoup.worker.cpu.time")
	})
	points := rtctest.Points(t, scrapeOnce(t, s))
	assert.Len(t, with(points, "mediasoup.agent.coverage{"), 1)
	assert.Contains(t, points, "mediasoup.agent.coverage{rtc.entity=worker}")
	assert.Equal(t, 0, logs.FilterMessageSnippet("too few objects have new statistics").Len())
}

// The warning is logged again after the coverage was sufficient in between.
func TestWarningOfEachStretch(t *testing.T) {
	const fresh = `,"stats":[{"ssrc":1,"bitrate":80}]`
	few, enough := crowd(`{}`), crowd(`{}`, fresh)
	s, logs := startSystem(t, answers(t, few, few, enough, few, few), func(c *Config) { enableOnly(t, c, "mediasoup.consumer.io") })
	for range 5 {
		scrapeOnce(t, s)
	}
	warnings := logs.FilterMessageSnippet("too few objects have new statistics").All()
	require.Len(t, warnings, 2)
	for _, warning := range warnings {
		assert.Contains(t, warning.Message, "timeoutMs")
		assert.Equal(t, map[string]any{"kind": "consumer", "share": 0.0}, warning.ContextMap())
	}
}

// Statistics that the agent carries over from an earlier snapshot are included in sums, but not in averages and individual streams.
func TestCarriedStatistics(t *testing.T) {
	of := func(bytes, bits, age string) string {
		return small(`"producers":[]`, `"consumers":[{"id":"c","transportId":"t","kind":"audio","type":"simple","mimeType":"audio/opus",`+
			`"stats":[{"ssrc":1,"byteCount":`+bytes+`,"bitrate":`+bits+`}]`+age+`}]`)
	}
	const (
		io         = "mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
		throughput = "mediasoup.consumer.throughput{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
		average    = "mediasoup.consumer.stream.throughput.average{mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
	)
	s, _ := startSystem(t, answers(t, of("10", "80", ""), of("25", "160", ""), of("25", "160", `,"statsAgeMs":1000`), of("30", "240", "")), everything)
	for _, want := range []map[string]float64{
		{io: 0, throughput: 10, average: 10},
		{io: 15, throughput: 20, average: 20},
		{io: 15, throughput: 20},
		{io: 20, throughput: 30, average: 30},
	} {
		points := rtctest.Points(t, scrapeOnce(t, s))
		for _, point := range []string{io, throughput, average} {
			value, wanted := want[point]
			got, there := points[point]
			assert.Equal(t, wanted, there, point)
			assert.InDelta(t, value, got, 0, point)
		}
		assert.InDelta(t, want[average], sumOf(points, "mediasoup.stream.throughput{"), 0)
		assert.Positive(t, sumOf(points, "mediasoup.stream.io{"))
		assert.InDelta(t, 1, sumOf(points, "mediasoup.consumer.count{"), 0)
	}
}

// The number of workers whose objects are counted separately is limited, and those beyond the limit are counted.
func TestLimitOfWorkers(t *testing.T) {
	s, logs := startSystem(t, answers(t, captured(t, constructed)), func(c *Config) { c.Workers.Limit = 1 })
	points := rtctest.Points(t, scrapeOnce(t, s))
	for _, metric := range []string{"mediasoup.transport.count_by_worker", "mediasoup.producer.count_by_worker", "mediasoup.consumer.count_by_worker"} {
		assert.Len(t, with(points, metric), 1, metric)
	}
	assert.Len(t, with(points, "mediasoup.worker.throughput"), 3*2)
	assert.InDelta(t, 2, points["rtc.scrape.omitted.count{rtc.entity=worker,rtc.omission.reason=limit}"], 0)
	assert.Len(t, logs.FilterMessage("items are omitted from the metrics: raise workers::limit").All(), 1)
}

// The number of individual streams is limited, and those beyond the limit are counted.
func TestStreamLimit(t *testing.T) {
	server := startAgent(t, mediasoup.AgentOptions{})
	s, logs := startSystem(t, server.URL(), func(c *Config) {
		everything(c)
		c.Streams.Limit = 8
	})
	for range 2 {
		metrics := scrapeOnce(t, s)
		points := rtctest.Points(t, metrics)
		assert.Equal(t, 8, byMetric(metrics)["mediasoup.stream.io"])
		streams := sumOf(points, "mediasoup.consumer.stream.count{") + sumOf(points, "mediasoup.producer.stream.count{")
		assert.InDelta(t, streams-8, sumOf(points, "rtc.scrape.omitted.count{"), 0)
	}
	assert.Len(t, logs.FilterMessage("items are omitted from the metrics: raise streams::limit").All(), 2, "one for producers, one for consumers")
}

// What fits is never omitted: streams that are gone give their places to new ones at once.
func TestReplacedStreams(t *testing.T) {
	snapshot := func(ids ...string) string {
		var all []string
		for _, id := range ids {
			all = append(all, `{"id":"`+id+`","transportId":"t","kind":"audio","type":"simple","stats":[{"ssrc":1,"byteCount":10}]}`)
		}
		return small(`"producers":[`+strings.Join(all, ",")+`]`, `"consumers":[]`)
	}
	lists := [][]string{{"a", "b", "c"}, {"d", "e", "f"}, {"g", "e", "f", "d"}}
	s, _ := startSystem(t, answers(t, snapshot(lists[0]...), snapshot(lists[1]...), snapshot(lists[2]...)), func(c *Config) {
		everything(c)
		c.Streams.Limit = 3
	})
	for i, want := range [][]string{{"a", "b", "c"}, {"d", "e", "f"}, {"e", "f", "d"}} {
		points := rtctest.Points(t, scrapeOnce(t, s))
		for _, id := range lists[i] {
			point := "mediasoup.stream.io{mediasoup.media.kind=audio,mediasoup.object.id=" + id + ",mediasoup.ssrc=1,mediasoup.transport.id=t,network.io.direction=receive}"
			_, has := points[point]
			assert.Equal(t, slices.Contains(want, id), has, "snapshot %d: %s", i, id)
		}
		assert.InDelta(t, len(lists[i])-3, points["rtc.scrape.omitted.count{rtc.entity=producer,rtc.omission.reason=limit}"], 0)
	}
}

// No point contains an address, a name or a user agent that the agent or the exporter reports.
func TestPrivacy(t *testing.T) {
	// Personal data in the captures: see testdata/mediasoup/README.md.
	secrets := []string{"127.0.0.1:", "192.0.2", "Alice", "alice", "Bob", "bob", "Mozilla", "Chrome", "room_id"}
	check := func(t *testing.T, url string, edit func(*Config)) {
		t.Helper()
		s, _ := startSystem(t, url, edit)
		text := rtctest.Text(t, scrapeOnce(t, s))
		for _, secret := range secrets {
			assert.NotContains(t, text, secret)
		}
	}
	for _, version := range captures {
		for _, letter := range []string{"a", "b"} {
			check(t, startAgent(t, mediasoup.AgentOptions{Capture: version + "-" + letter}).URL(), everything)
		}
	}
	for _, page := range []string{"default", "default-5s-later", "quiet", "aggregated"} {
		check(t, startEdumeet(t, mediasoup.EdumeetOptions{Page: page}).URL(), edumeetEverything)
	}
	loud := small(`"producers":[{"id":"p","transportId":"t","kind":"audio","type":"simple","appData":{"name":"Alice"},"labels":{"peer":"alice"},"displayName":"Bob","userAgent":"Mozilla","stats":[{"ssrc":1,"cname":"bob"}]}]`, `"consumers":[]`)
	check(t, answers(t, strings.Replace(loud, `"state":{}`, `"state":{},"tuple":{"remoteIp":"192.0.2.2"},"labels":{"room_id":"192.0.2.3"}`, 1)), everything)
}

// A member of a wrong type affects no other member and results in a partial error.
func TestWrongTypes(t *testing.T) {
	body := strings.Replace(captured(t, "snapshot-3.12.16-a.json"), `"durationMs": 2.969`, `"durationMs": {}`, 1)
	s, _ := startSystem(t, answers(t, body), nil)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "skipped values of a wrong type or range: durationMs")
	assert.True(t, scrapererror.IsPartialScrapeError(err))
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.NotContains(t, points, "mediasoup.agent.collection.duration{}")
	assert.InDelta(t, 2, points["mediasoup.worker.count{}"], 0)
}
