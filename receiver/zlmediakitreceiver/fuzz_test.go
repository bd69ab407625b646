// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// answer is a transport that responds to every request with the same body.
type answer []byte

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	recorder := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body{bytes.NewReader(a)}}
	return recorder, nil
}

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

// FuzzMediaList reads an arbitrary media list and records it. It must not panic, every string must be valid and bounded, and a
// complete list must have as many sources as encoding/json finds.
func FuzzMediaList(f *testing.F) {
	for _, scene := range []string{"busy", "degraded", "idle", "legacy_shape"} {
		text, err := fs.ReadFile(testdata.Files, "zlmediakit/"+scene+"/getMediaList.json")
		require.NoError(f, err)
		var list struct {
			Code int               `json:"code"`
			Data []json.RawMessage `json:"data"`
		}
		require.NoError(f, json.Unmarshal(text, &list))
		list.Data = list.Data[:min(len(list.Data), 1)] // small inputs keep fuzzing fast
		seed, err := json.Marshal(list)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Add([]byte(`{"code":0,"data":[{"vhost":"v","app":"a","stream":"s\ud800","schema":"rtsp","tracks":[{"codec_type":1.0,"fps":"x"}]}]}`))
	c := &client{list: jsonwalk.NewReader(), secret: &scrape.Credential{}}
	f.Fuzz(func(t *testing.T, list []byte) {
		s := newTestScraper(t, everything)
		c.http = httpapi.New(&http.Client{Transport: answer(list)}, "http://127.0.0.1")
		sources := 0
		var err error
		metrics := s.recordAt(t, 1, func() {
			l := s.streams.beginList()
			err = c.EachMediaSource(t.Context(), "", func(m *mediaSource) {
				sources++
				l.add(m)
			})
			s.streams.complete = err == nil || scrape.IsPartial(err)
			l.end()
			if s.streams.complete {
				l.finish()
			}
		})
		checkStrings(t, metrics)
		if want, same := plainCount(list); same && err == nil {
			assert.Equal(t, want, sources)
		}
	})
}

// plainCount counts the sources of a list that have a name. It reports false if decoders may differ because a member is repeated.
func plainCount(list []byte) (n int, same bool) {
	var plain map[string]any
	if json.NewDecoder(bytes.NewReader(list)).Decode(&plain) != nil || bytes.Count(list, []byte(`"data"`)) > 1 {
		return 0, false
	}
	sources, _ := plain["data"].([]any)
	for _, source := range sources {
		members, _ := source.(map[string]any)
		app, _ := members["app"].(string)
		stream, _ := members["stream"].(string)
		if app != "" && stream != "" {
			n++
		}
	}
	return n, true
}

func checkStrings(t *testing.T, metrics pmetric.Metrics) {
	t.Helper()
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range rtctest.NumberPoints(m).All() {
				for key, value := range dp.Attributes().All() {
					assert.True(t, utf8.ValidString(value.Str()), key)
					assert.LessOrEqual(t, len(value.Str()), 256, key)
				}
			}
		}
	}
}
