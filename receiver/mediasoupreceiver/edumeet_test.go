// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

func edumeet(c *Config) { c.Format = FormatEdumeet }

func edumeetEverything(c *Config) {
	edumeet(c)
	everything(c)
}

// startEdumeet starts an emulated exporter that requires testToken for its page /metrics.
func startEdumeet(t testing.TB, o mediasoup.EdumeetOptions) *emulator.Server {
	t.Helper()
	o.Secret = testToken
	server, err := mediasoup.NewEdumeet(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

func TestPages(t *testing.T) {
	for _, tt := range []struct {
		name, page, path string
		edit             func(*Config)
	}{
		{"edumeet_default", "default", "", edumeet},
		{"edumeet_default_everything", "default", "/", edumeetEverything},
		{"edumeet_later_everything", "default-5s-later", "", edumeetEverything},
		{"edumeet_quiet_everything", "default-quiet", "", edumeetEverything},
		{"edumeet_aggregated", "default", "/metrics", edumeet},
		{"edumeet_aggregated_everything", "default", "/metrics", edumeetEverything},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := startSystem(t, startEdumeet(t, mediasoup.EdumeetOptions{Page: tt.page}).URL()+tt.path, tt.edit)
			metrics := scrapeOnce(t, s)
			rtctest.Golden(t, tt.name, metrics)
			rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), tt.name, rtctest.Points(t, metrics))
			name, _ := metrics.ResourceMetrics().At(0).Resource().Attributes().Get("service.name")
			assert.Equal(t, "edumeet", name.Str())
		})
	}
}

// Sums over open objects in edumeet fall when an object is closed and are not monotonic. The agent's sums never fall and are
// monotonic.
func TestMonotonic(t *testing.T) {
	for name, tt := range map[string]struct {
		url  string
		edit func(*Config)
		want bool
	}{
		"edumeet":  {startEdumeet(t, mediasoup.EdumeetOptions{}).URL(), edumeet, false},
		"snapshot": {startAgent(t, mediasoup.AgentOptions{}).URL(), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, tt.url, tt.edit)
			found := 0
			for _, m := range scrapeOnce(t, s).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
				if m.Name() == "mediasoup.producer.io" || m.Name() == "mediasoup.consumer.io" {
					assert.Equal(t, tt.want, m.Sum().IsMonotonic(), m.Name())
					found++
				}
			}
			assert.Equal(t, 2, found)
		})
	}
}

// Other pages and malformed lines result in the expected points and errors.
func TestPageContents(t *testing.T) {
	for name, tt := range map[string]struct {
		page    string
		want    map[string]float64 // all points except those of the scrape
		message string
	}{
		"the room server's": {
			"generic_rooms 3\ngeneric_peers 9\nedumeet_peers{roomId=\"a\"} 4\nedumeet_peers{roomId=\"b\"} 5\n",
			map[string]float64{
				"edumeet.room.count{}": 3, "edumeet.peer.count{}": 9,
				"edumeet.peer.count_by_room{edumeet.room.id=a}": 4, "edumeet.peer.count_by_room{edumeet.room.id=b}": 5,
			},
			"",
		},
		"no number is none": {
			"edumeet_rooms Nan\nmediasoup_workers_count +Inf\nmediasoup_producer_score{kind=\"audio\"} NaN\nmediasoup_peers 2\n",
			map[string]float64{"edumeet.peer.count{}": 2},
			"",
		},
		"an unknown kind": {
			"edumeet_rooms 1\nmediasoup_consumer_byte_count_bytes{kind=\"text\",codec=\"x\"} 7\nmediasoup_consumer_byte_count_bytes{kind=\"smell\",codec=\"x\"} 5\nmediasoup_consumer_score{kind=\"text\"} 7\n",
			map[string]float64{
				"edumeet.room.count{}": 1,
				"mediasoup.consumer.io{mediasoup.media.codec=x,mediasoup.media.kind=unknown,mediasoup.transport.type=webrtc}": 12,
				"mediasoup.consumer.score.average{mediasoup.media.kind=unknown}":                                              7,
				"mediasoup.consumer.score.min{mediasoup.media.kind=unknown}":                                                  7,
			},
			"",
		},
		"numbers out of range": {
			"edumeet_rooms 1e+21\nedumeet_peers{room_id=\"a\"} -1\nedumeet_peers{room_id=\"b\"} 3\nmediasoup_workers_count 9007199254740992\n" +
				"mediasoup_audio_in_count 9007199254740991\nmediasoup_video_bitrates_in_sum 1e+21\n" +
				"mediasoup_consumer_byte_count_bytes{kind=\"audio\",codec=\"opus\"} 1e+21\nmediasoup_consumer_byte_count_bytes{kind=\"audio\",codec=\"opus\"} 5\n",
			map[string]float64{
				"edumeet.peer.count{}": 3, "edumeet.peer.count_by_room{edumeet.room.id=b}": 3,
				"mediasoup.producer.stream.count{mediasoup.media.kind=audio}":                                                  9007199254740991,
				"mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}": 5,
			},
			"",
		},
		"fractions": {
			"edumeet_rooms 1\nedumeet_peers{room_id=\"a\"} 2.6\nmediasoup_consumer_byte_count_bytes{kind=\"audio\",codec=\"opus\"} 5.4\n",
			map[string]float64{
				"edumeet.room.count{}": 1, "edumeet.peer.count{}": 3, "edumeet.peer.count_by_room{edumeet.room.id=a}": 3,
				"mediasoup.consumer.io{mediasoup.media.codec=opus,mediasoup.media.kind=audio,mediasoup.transport.type=webrtc}": 5,
			},
			"",
		},
		"sums out of range": {
			"edumeet_rooms 1\n" + strings.Repeat("edumeet_peers{room_id=\"a\"} 9007199254740991\n", 1025) +
				strings.Repeat("edumeet_peers{room_id=\"b\"} 9007199254740991\n", 2) +
				strings.Repeat("mediasoup_consumer_byte_count_bytes{kind=\"audio\",codec=\"opus\"} 9007199254740991\n", 1025),
			map[string]float64{"edumeet.room.count{}": 1},
			"",
		},
		"scores": {
			"mediasoup_consumer_score{kind=\"video\",id=\"a\"} 10\nmediasoup_consumer_score{kind=\"video\",id=\"b\"} 5\n",
			map[string]float64{
				"mediasoup.consumer.score.average{mediasoup.media.kind=video}": 7.5,
				"mediasoup.consumer.score.min{mediasoup.media.kind=video}":     5,
			},
			"",
		},
		"another exporter's": {
			"go_goroutines 7\n", nil, "a page without a metric of edumeet: check that the setting endpoint leads to edumeet, and the setting format",
		},
		"nothing": {"", nil, "a page without a metric of edumeet"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, answers(t, tt.page), edumeetEverything)
			metrics, err := s.Scrape(t.Context())
			if tt.message != "" {
				require.ErrorContains(t, err, tt.message)
			} else {
				require.NoError(t, err)
			}
			got := rtctest.Points(t, metrics)
			for point := range got {
				if len(point) > 4 && point[:4] == "rtc." {
					delete(got, point)
				}
			}
			if tt.want == nil {
				tt.want = map[string]float64{}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// Rooms beyond the limit are counted and affect only the metric by room.
func TestRoomLimit(t *testing.T) {
	page := "edumeet_peers{room_id=\"a\"} 4\nedumeet_peers{room_id=\"b\"} 5\nedumeet_peers{room_id=\"c\"} 6\n"
	s, logs := startSystem(t, answers(t, page), func(c *Config) {
		edumeetEverything(c)
		c.Streams.Limit = 2
	})
	points := rtctest.Points(t, scrapeOnce(t, s))
	assert.InDelta(t, 15, points["edumeet.peer.count{}"], 0)
	assert.InDelta(t, 9, sumOf(points, "edumeet.peer.count_by_room{"), 0)
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=room,rtc.omission.reason=limit}"], 0)
	assert.Equal(t, 1, logs.FilterMessageSnippet("items are omitted from the metrics").Len())
}
