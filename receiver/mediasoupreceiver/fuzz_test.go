// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exposition"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// answer is a transport that returns the same body for every request.
type answer []byte

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	recorder := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body{bytes.NewReader(a)}}
	return recorder, nil
}

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

// newFuzzSystem returns a system that uses c, whose transport returns the responses. Systems may share a client, one at a time.
func newFuzzSystem(t *testing.T, c *client, edit func(*Config)) *system {
	t.Helper()
	cfg := createDefaultConfig()
	edit(cfg)
	s := newTestSystem(t, cfg, receivertest.NewNopSettings(metadata.Type))
	s.client = c
	return s
}

func newFuzzClient() *client {
	return &client{token: &scrape.Credential{}, walk: walk{reader: jsonwalk.NewReader()}, page: exposition.NewReader()}
}

// FuzzSnapshot reads a captured snapshot, an arbitrary one twice, and the captured one again. Strings must be valid and bounded,
// numbers finite, and monotonic sums not negative. A complete snapshot must have as many workers as a plain decoder finds.
func FuzzSnapshot(f *testing.F) {
	for _, file := range []string{"snapshot-3.7.19-a.json", "snapshot-3.12.16-a.json", "snapshot-3.27.1-a.json", constructed} {
		var members map[string]json.RawMessage
		require.NoError(f, json.Unmarshal([]byte(captured(f, file)), &members))
		for name, member := range members { // small inputs make fuzzing faster
			var list []json.RawMessage
			if json.Unmarshal(member, &list) == nil {
				short, err := json.Marshal(list[:min(len(list), 1)])
				require.NoError(f, err)
				members[name] = short
			}
		}
		seed, err := json.Marshal(members)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Add([]byte(small(`"producers":[{"id":"p\ud800","transportId":"t","kind":"audio","stats":[{"ssrc":-1},{"ssrc":1e3,"byteCount":-5,"packetsLost":-5}]}]`, `"consumers":[]`)))
	f.Add([]byte(small(`"producers":[{"id":"p","transportId":"t","kind":"x","clockRate":1,"stats":[{"type":"outbound-rtp"},{"ssrc":1,"byteCount":9007199254740991,"bitrate":9223372036854775807,"jitter":1e308,"roundTripTime":1e308}]}]`, `"consumers":[]`)))
	before := []byte(captured(f, "snapshot-3.12.16-a.json"))
	c := newFuzzClient()
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		s := newFuzzSystem(t, c, everything)
		for _, text := range [][]byte{before, snapshot, snapshot, before} {
			s.client.http = httpapi.New(&http.Client{Transport: answer(text)}, "http://127.0.0.1")
			metrics, err := s.Scrape(t.Context())
			checkPoints(t, metrics)
			if n, same := plainWorkers(text); err == nil && same {
				assert.InDelta(t, n, rtctest.Points(t, metrics)["mediasoup.worker.count{}"], 0)
			}
		}
	})
}

// plainWorkers counts the workers that have an ID. It returns false if decoders may disagree because of duplicates.
func plainWorkers(text []byte) (n int, same bool) {
	var plain struct {
		Workers []map[string]any `json:"workers"`
	}
	if json.Unmarshal(text, &plain) != nil || bytes.Count(bytes.ToLower(text), []byte(`workers"`)) > 1 {
		return 0, false
	}
	ids := map[string]bool{}
	for _, worker := range plain.Workers {
		if id, _ := worker["id"].(string); id != "" {
			ids[id] = true
		}
	}
	return len(ids), len(ids) == len(plain.Workers)
}

// FuzzPage reads an arbitrary page of edumeet. Every string must be valid and bounded.
func FuzzPage(f *testing.F) {
	for _, page := range []string{"default", "default-quiet", "aggregated"} {
		f.Add([]byte(captured(f, "edumeet-"+page+".prom")))
	}
	f.Add([]byte("edumeet_peers{room_id=\"\xff\"} 1e300\nedumeet_rooms -1\nmediasoup_consumer_score{kind=\"x\"} 9007199254740991\n"))
	c := newFuzzClient()
	f.Fuzz(func(t *testing.T, page []byte) {
		s := newFuzzSystem(t, c, edumeetEverything)
		s.client.http = httpapi.New(&http.Client{Transport: answer(page)}, "http://127.0.0.1")
		metrics, _ := s.Scrape(t.Context())
		checkPoints(t, metrics)
	})
}

func checkPoints(t *testing.T, metrics pmetric.Metrics) {
	t.Helper()
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range rtctest.NumberPoints(m).All() {
				if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
					assert.GreaterOrEqual(t, dp.DoubleValue(), 0.0, m.Name())
					assert.GreaterOrEqual(t, dp.IntValue(), int64(0), m.Name())
				}
				assert.False(t, math.IsNaN(dp.DoubleValue()) || math.IsInf(dp.DoubleValue(), 0), m.Name())
				for key, value := range dp.Attributes().All() {
					assert.True(t, utf8.ValidString(value.Str()), key)
					assert.LessOrEqual(t, len(value.Str()), 256, key)
				}
			}
		}
	}
}
