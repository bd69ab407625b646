// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/filter"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// inRooms returns a snapshot with a router and a transport for each set of labels. A transport has received 10 bytes per count.
func inRooms(count int, labels ...string) string {
	var routers, transports []string
	for i, of := range labels {
		routers = append(routers, fmt.Sprintf(`{"id":"r%d","workerId":"w","labels":%s}`, i, of))
		transports = append(transports, fmt.Sprintf(`{"id":"t%d","routerId":"r%d","type":"webrtc","stats":{"bytesReceived":%d,"bytesSent":0}}`, i, i, 10*count))
	}
	return `{"schema":"mediasoup.snapshot","schemaVersion":1,"instanceId":"i","timeUnixMs":1,"workers":[{"id":"w"}],"producers":[],"consumers":[],` +
		`"routers":[` + strings.Join(routers, ",") + `],"transports":[` + strings.Join(transports, ",") + `]}`
}

// roomNames returns the names of the rooms with points.
func roomNames(points map[string]float64) (names []string) {
	for point := range with(points, "mediasoup.room.transport.count{") {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(point, "mediasoup.room.transport.count{mediasoup.room.name="), "}"))
	}
	slices.Sort(names)
	return names
}

func TestRooms(t *testing.T) {
	snapshot := inRooms(0,
		`{"room":"x","tenant":"acme"}`, `{"room":"x","tenant":"acme"}`, `{"room":"y/z","tenant":"50%"}`,
		`{"room":"test","tenant":"acme"}`, `{"room":"alone"}`, `{}`, `{"room":5,"tenant":"acme"}`)
	for name, tt := range map[string]struct {
		edit    func(*RoomsConfig)
		names   []string
		rooms   float64
		limited float64
	}{
		"by labels in their order": {func(*RoomsConfig) {}, []string{"50%25/y%2Fz", "acme/test", "acme/x"}, 3, 0},
		"exclude": {
			func(c *RoomsConfig) { c.Exclude = []filter.Config{{Strict: "acme/test"}} },
			[]string{"50%25/y%2Fz", "acme/x"},
			3, 0,
		},
		"limit": {func(c *RoomsConfig) { c.Limit = 1 }, []string{"acme/x"}, 3, 2},
		// By printf acme/x | openssl dgst -sha256 -hmac secret.
		"pseudonyms": {
			func(c *RoomsConfig) { c.Key, c.Include = "secret", []filter.Config{{Strict: "acme/x"}} },
			[]string{"b0fe390c5cb6a69c"},
			3, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, logs := startSystem(t, answers(t, snapshot), func(c *Config) {
				c.Rooms.Labels = []string{"tenant", "room"}
				tt.edit(&c.Rooms)
			})
			points := rtctest.Points(t, scrapeOnce(t, s))
			assert.Equal(t, tt.names, roomNames(points))
			assert.InDelta(t, tt.rooms, points["mediasoup.room.count{}"], 0)
			assert.InDelta(t, tt.limited, points["rtc.scrape.omitted.count{rtc.entity=room,rtc.omission.reason=limit}"], 0)
			for _, entry := range logs.All() {
				assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "acme")
			}
		})
	}
}

// Without labels, there are no metrics of rooms, and nothing is requested for them.
func TestNoRooms(t *testing.T) {
	s, _ := startSystem(t, answers(t, inRooms(0, `{"room":"x"}`)), func(c *Config) { enableOnly(t, c, "mediasoup.room.io", "mediasoup.room.count") })
	assert.Empty(t, with(rtctest.Points(t, scrapeOnce(t, s)), "mediasoup.room."))
	assert.Empty(t, s.statistics)
}

// The bytes of a room start with its first snapshot, and again when it returns.
func TestRoomThatReturns(t *testing.T) {
	const room = `{"room":"x"}`
	s, _ := startSystem(t, answers(t, inRooms(1), inRooms(1, room), inRooms(3, room), inRooms(1), inRooms(5, room)), func(c *Config) {
		c.Rooms.Labels = []string{"room"}
	})
	first := time.Unix(1_795_300_000, 0).UTC()
	now := first
	s.SetClock(func() time.Time { return now })
	for i, want := range []struct {
		bytes float64
		start int // scrape
	}{{0, 0}, {10, 1}, {30, 1}, {0, 0}, {20, 4}} {
		now = first.Add(time.Duration(i) * time.Minute)
		metrics := scrapeOnce(t, s)
		received := with(rtctest.Points(t, metrics), "mediasoup.room.io{mediasoup.room.name=x,network.io.direction=receive")
		if want.bytes == 0 {
			assert.Empty(t, received, i)
			continue
		}
		assert.InDelta(t, want.bytes, sumOf(received, ""), 0, i)
		for _, start := range sums(metrics)["mediasoup.room.io"] {
			assert.Equal(t, first.Add(time.Duration(want.start)*time.Minute), start)
		}
	}
}
