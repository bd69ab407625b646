// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// sent is a transport that responds to every request with the same body.
type sent []byte

func (s sent) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s))}, nil
}

// newFuzzed returns a scraper for each component, with all metrics enabled.
func newFuzzed(f *testing.F) (scrapers []*scraper) {
	f.Helper()
	cfg := createDefaultConfig()
	everything(cfg)
	for _, b := range cfg.components() {
		b.ClientConfig.Endpoint = b.example
		p, err := newScraper(f.Context(), cfg, b, componenttest.NewNopHost(), receivertest.NewNopSettings(metadata.Type))
		require.NoError(f, err)
		scrapers = append(scrapers, p)
	}
	return scrapers
}

func seed(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(captures, "*", pattern))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text[:min(len(text), 4<<10)]) // small inputs keep fuzzing fast
	}
}

// fuzz reads text as the response of each component and records it. It must not panic, no point may be repeated, and every string
// must be valid and bounded.
func fuzz(t *testing.T, scrapers []*scraper, from source, text []byte) {
	t.Helper()
	for _, p := range scrapers {
		p.client.http = httpapi.New(&http.Client{Transport: sent(text)}, "http://127.0.0.1")
		get := p.client.Stats
		if from == fromPage {
			get = p.client.Page
		}
		a, err := get(t.Context())
		if err == nil && from == fromStats {
			assert.True(t, json.Valid(text), "%q was read", text)
		}
		if err != nil && !scrape.IsPartial(err) {
			continue
		}
		p.answers = [2]*answer{}
		p.answers[from] = a
		p.record()
		metrics := p.mb.Generated.Emit()
		rtctest.Points(t, metrics)
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
}

func FuzzStats(f *testing.F) {
	seed(f, "*.json")
	f.Add([]byte(`{"queues":{"\ud800":{"added_packets":1},"a":{"added_packets":"NaN"}},"conference_sizes":"[]"}`))
	scrapers := newFuzzed(f)
	f.Fuzz(func(t *testing.T, text []byte) { fuzz(t, scrapers, fromStats, text) })
}

func FuzzPage(f *testing.F) {
	seed(f, "*.004.txt")
	f.Add([]byte("jitsi_jicofo_bridge_endpoints{jvb=\"\xff\"} 1\njitsi_conferences_by_size_bucket{le=\"-1\"} 2\n"))
	scrapers := newFuzzed(f)
	f.Fuzz(func(t *testing.T, text []byte) { fuzz(t, scrapers, fromPage, text) })
}
