// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// clock is a clock that tests set.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_795_300_000+c.seconds.Load(), 0) }

// plainSnapshot holds the members of a snapshot that model needs, decoded by encoding/json.
type plainSnapshot struct {
	InstanceID string
	Producers  []plainObject
	Consumers  []plainObject
	Transports []struct {
		ID    string
		Stats *struct{ BytesSent int64 }
	}
}

type plainObject struct {
	ID, TransportID string
	Stats           []struct{ SSRC, ByteCount, PacketsLost int64 }
}

func ask(t *testing.T, url string) (s plainSnapshot) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+apiSnapshot, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(body, &s))
	return s
}

// counterKey identifies a stream in a snapshot.
type counterKey struct {
	list, transport, id string
	ssrc                int64
}

// model is a simple implementation of the sums over streams.
type model struct {
	instance string
	first    map[counterKey]bool // listed in the first snapshot, but without statistics so far
	bytes    map[counterKey]int64
	lost     map[counterKey]int64
	highest  map[counterKey]int64 // highest value of lost
	sums     map[string]int64     // by list
	lostSums map[string]int64
	lossSums map[string]int64
}

func (m *model) read(s plainSnapshot) {
	begins := s.InstanceID != m.instance
	if begins {
		*m = model{
			instance: s.InstanceID, first: map[counterKey]bool{},
			bytes: map[counterKey]int64{}, lost: map[counterKey]int64{}, highest: map[counterKey]int64{},
			sums: map[string]int64{}, lostSums: map[string]int64{}, lossSums: map[string]int64{},
		}
	}
	for list, objects := range map[string][]plainObject{"producer": s.Producers, "consumer": s.Consumers} {
		for _, o := range objects {
			object := counterKey{list, o.TransportID, o.ID, 0}
			if begins {
				m.first[object] = true
			}
			for _, stream := range o.Stats {
				key := counterKey{list, o.TransportID, o.ID, stream.SSRC}
				m.add(key, m.first[object], stream.ByteCount, stream.PacketsLost)
			}
			if o.Stats != nil {
				delete(m.first, object)
			}
		}
	}
	for _, tr := range s.Transports {
		if tr.Stats != nil {
			m.add(counterKey{"transport", tr.ID, "", 0}, begins, tr.Stats.BytesSent, 0)
		}
	}
}

func (m *model) add(key counterKey, baseline bool, bytes, lost int64) {
	last, known := m.bytes[key]
	lastLost, highest := m.lost[key], m.highest[key]
	switch {
	case !known && baseline:
		last, lastLost, highest = bytes, lost, max(lost, 0)
	case bytes < last: // restarted
		last, lastLost, highest = 0, 0, 0
	}
	m.sums[key.list] += bytes - last
	m.lostSums[key.list] += lost - lastLost
	m.lossSums[key.list] += max(lost, highest) - highest
	m.bytes[key], m.lost[key], m.highest[key] = bytes, lost, max(lost, highest)
}

// The sums equal those of the model in every snapshot of seven minutes in which rooms fill and empty, streams restart, and objects
// lack statistics for a while. Sums of bytes never fall.
func TestSumsOverALife(t *testing.T) {
	var c clock
	server := startAgent(t, mediasoup.AgentOptions{Consumers: 200, Moving: true, Now: c.now})
	s, _ := startSystem(t, server.URL(), nil)
	var m model
	last := map[string]float64{}
	fell, gone := false, 0
	for second := int64(0); second < 420; second += 10 {
		c.seconds.Store(second)
		before := len(m.bytes)
		plain := ask(t, server.URL())
		m.read(plain)
		if len(plain.Consumers) < before {
			gone++
		}
		points := rtctest.Points(t, scrapeOnce(t, s))
		for list, metric := range map[string]string{"producer": "mediasoup.producer.io{", "consumer": "mediasoup.consumer.io{"} {
			assert.InDelta(t, float64(m.sums[list]), sumOf(points, metric), 0, "%s after %d s", metric, second)
		}
		sent := 0.0
		for _, kind := range []string{"webrtc", "plain", "pipe", "direct"} {
			sent += points["mediasoup.transport.io{mediasoup.transport.type="+kind+",network.io.direction=transmit}"]
		}
		assert.InDelta(t, float64(m.sums["transport"]), sent, 0, "after %d s", second)
		lost := sumOf(points, "mediasoup.consumer.lost_packets{")
		assert.InDelta(t, float64(m.lostSums["consumer"]), lost, 0, "after %d s", second)
		fell = fell || lost < last["lost"]
		last["lost"] = lost
		losses := sumOf(points, "mediasoup.consumer.packet_losses{")
		assert.InDelta(t, float64(m.lossSums["consumer"]), losses, 0, "after %d s", second)
		assert.GreaterOrEqual(t, losses, last["losses"], "after %d s", second)
		last["losses"] = losses
		for point, value := range points {
			if len(point) > 22 && point[:22] == "mediasoup.consumer.io{" {
				assert.GreaterOrEqual(t, value, last[point], point)
				last[point] = value
			}
		}
	}
	assert.True(t, fell, "lost packets have come late after all")
	assert.Positive(t, gone, "consumers have gone")
}

// Late packets reduce lost_packets, but not packet_losses, and losses up to the earlier maximum are not counted again. A restarted
// stream counts from 0, and a new stream from its creation.
func TestPacketLosses(t *testing.T) {
	const attributes = "{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}"
	stats := func(streams string) string {
		object := `[{"id":"o","transportId":"t","kind":"audio","type":"simple","mimeType":"audio/opus","stats":[` + streams + `]}]`
		return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","collection":{},"workers":[{"id":"w"}],` +
			`"routers":[{"id":"r","workerId":"w"}],"transports":[{"id":"t","routerId":"r","type":"webrtc"}],` +
			`"producers":` + object + `,"consumers":` + object + `}`
	}
	steps := []struct {
		streams      string
		lost, losses float64
	}{
		{`{"ssrc":1,"packetCount":100,"packetsLost":5}`, 0, 0}, // sums start
		{`{"ssrc":1,"packetCount":110,"packetsLost":8}`, 3, 3},
		{`{"ssrc":1,"packetCount":120,"packetsLost":6}`, 1, 3},
		{`{"ssrc":1,"packetCount":130,"packetsLost":8}`, 3, 3},
		{`{"ssrc":1,"packetCount":140,"packetsLost":10}`, 5, 5},
		{`{"ssrc":1,"packetCount":150}`, 5, 5},
		{`{"ssrc":1,"packetCount":160,"packetsLost":11}`, 6, 6},
		{`{"ssrc":1,"packetCount":170,"packetsLost":11},{"ssrc":2,"packetCount":1,"packetsLost":-2}`, 4, 6},
		{`{"ssrc":1,"packetCount":180,"packetsLost":11},{"ssrc":2,"packetCount":2,"packetsLost":1}`, 7, 7},
		{`{"ssrc":1,"packetCount":3,"packetsLost":2},{"ssrc":2,"packetCount":3,"packetsLost":1}`, 9, 9}, // the first stream restarted
	}
	var bodies []string
	for _, step := range steps {
		bodies = append(bodies, stats(step.streams))
	}
	s, _ := startSystem(t, answers(t, bodies...), nil)
	for i, step := range steps {
		points := rtctest.Points(t, scrapeOnce(t, s))
		for _, role := range []string{"producer", "consumer"} {
			assert.InDelta(t, step.lost, points["mediasoup."+role+".lost_packets"+attributes], 0, "%s, step %d", role, i)
			assert.InDelta(t, step.losses, points["mediasoup."+role+".packet_losses"+attributes], 0, "%s, step %d", role, i)
		}
	}
}

// After s seconds, the sum of every stream has grown by s times a tenth of its captured bytes, rounded up.
func TestSumsAreExact(t *testing.T) {
	var c clock
	server := startAgent(t, mediasoup.AgentOptions{Moving: true, Now: c.now})
	s, _ := startSystem(t, server.URL(), nil)
	want := int64(0)
	for _, o := range ask(t, server.URL()).Consumers {
		for _, stream := range o.Stats {
			want += (stream.ByteCount + 9) / 10
		}
	}
	require.Positive(t, want)
	for _, second := range []int64{0, 7, 25} {
		c.seconds.Store(second)
		assert.InDelta(t, float64(second*want), sumOf(rtctest.Points(t, scrapeOnce(t, s)), "mediasoup.consumer.io{"), 0)
	}
}

// After a restart of the application, the sums start again at 0 with a new start time.
func TestNewInstance(t *testing.T) {
	var c clock
	server := startAgent(t, mediasoup.AgentOptions{Moving: true, Now: c.now})
	s, _ := startSystem(t, server.URL(), nil)
	scrapeOnce(t, s)
	c.seconds.Store(30)
	points := rtctest.Points(t, scrapeOnce(t, s))
	assert.Positive(t, sumOf(points, "mediasoup.consumer.io{"))
	start := s.snapshot.start
	require.NoError(t, server.SetFault("restart"))
	c.seconds.Store(40)
	metrics := scrapeOnce(t, s)
	points = rtctest.Points(t, metrics)
	assert.Zero(t, sumOf(points, "mediasoup.consumer.io{"))
	assert.Positive(t, sumOf(points, "mediasoup.consumer.count{"))
	assert.Greater(t, s.snapshot.start, start)
	for _, start := range sums(metrics)["mediasoup.consumer.io"] {
		assert.Equal(t, s.snapshot.start.AsTime(), start)
	}
	c.seconds.Store(50)
	assert.Positive(t, sumOf(rtctest.Points(t, scrapeOnce(t, s)), "mediasoup.consumer.io{"))
}

// A truncated snapshot neither loses counts nor doubles them. A truncated first snapshot is ignored.
func TestSumsOverSnapshotsThatBreakOff(t *testing.T) {
	a, b := captured(t, "snapshot-3.12.16-a.json"), captured(t, "snapshot-3.12.16-b.json")
	whole, _ := startSystem(t, answers(t, a, b), nil)
	scrapeOnce(t, whole)
	want := rtctest.Points(t, scrapeOnce(t, whole))
	for name, bodies := range map[string][]string{
		"in between": {a, b[:len(b)*9/10], b},
		"often":      {a, a[:9000], a[:9000], a[:9000], a[:9000], a[:9000], a[:9000], a[:9000], b},
		"at first":   {b[:len(b)*9/10], a, b},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, bodies...), nil)
			for _, body := range bodies[:len(bodies)-1] {
				_, err := s.Scrape(t.Context())
				assert.Equal(t, body != a, err != nil)
			}
			got := rtctest.Points(t, scrapeOnce(t, s))
			for _, metric := range []string{
				"mediasoup.consumer.io{", "mediasoup.producer.io{", "mediasoup.transport.io{", "mediasoup.consumer.lost_packets{",
				"mediasoup.consumer.packet_losses{",
			} {
				assert.InDelta(t, sumOf(want, metric), sumOf(got, metric), 0, metric)
			}
		})
	}
}

// Nothing is recorded of a truncated snapshot, not even its individual streams.
func TestSnapshotThatBreaksOffRecordsNothing(t *testing.T) {
	a, b := captured(t, "snapshot-3.12.16-a.json"), captured(t, "snapshot-3.12.16-b.json")
	s, _ := startSystem(t, answers(t, a, b[:len(b)*9/10], b), everything)
	want := byMetric(scrapeOnce(t, s))["mediasoup.stream.io"]
	require.Positive(t, want)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "unexpected EOF")
	for metric := range byMetric(metrics) {
		assert.True(t, strings.HasPrefix(metric, "rtc."), metric)
	}
	assert.Equal(t, want, byMetric(scrapeOnce(t, s))["mediasoup.stream.io"])
}
