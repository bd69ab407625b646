// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// answer is a transport that returns the same body for every request.
type answer []byte

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a))}, nil
}

// newFuzzScraper returns a scraper with all metrics enabled, whose server returns text for every request.
func newFuzzScraper(t *testing.T, text []byte) *scraper {
	t.Helper()
	cfg := createDefaultConfig()
	everything(cfg)
	s, err := newScraper(t.Context(), cfg, componenttest.NewNopHost(), receivertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	s.client = newClientOf(httpapi.New(&http.Client{Transport: answer(text)}, "http://127.0.0.1"), cfg.PageSize)
	s.server.beginScrape()
	s.streams.beginScrape()
	return s
}

// FuzzStreams reads an arbitrary list and records it. Every string must be valid and bounded, and no series may occur twice.
func FuzzStreams(f *testing.F) {
	for _, file := range []string{"25.11/streams_page1.json", "25.11/streams_page3.json", "23.10/streams.json", "23.01/streams.json", "edge/streams.json"} {
		f.Add(capture(f, "api-v3/"+file))
	}
	f.Add([]byte(`{"next":0,"streams":[{"name":"s\ud800","stats":{"input":{"bytes":1e300,"errors_\u0000":"7"},"push":[{},[]]}},{"name":"s"},{"name":"s"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newFuzzScraper(t, text)
		_, err := s.streams.recordList(t.Context(), s.client, s.query)
		assert.Equal(t, err == nil || scrape.IsPartial(err), s.streams.inScrape.complete)
		s.streams.endList(true)
		s.streams.finish()
		checkMetrics(t, s)
	})
}

// FuzzServer reads an arbitrary response as that of each small call.
func FuzzServer(f *testing.F) {
	for _, file := range []string{"config_stats.json", "dvrs.json", "dvb_cards.json", "sessions.json", "opened_files.json", "peers.json"} {
		f.Add(capture(f, "api-v3/25.11/"+file))
	}
	f.Add(capture(f, "legacy/server.json"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newFuzzScraper(t, text)
		for _, call := range append(s.apiCalls(), s.oldServerCall()) {
			if call.API == apiStreams {
				continue
			}
			if record, _ := call.Ask(t.Context()); record != nil {
				record()
			}
		}
		checkMetrics(t, s)
	})
}

// FuzzPage reads an arbitrary page.
func FuzzPage(f *testing.F) {
	for _, file := range []string{"metrics-typed.prom", "metrics-other-labels.prom", "metrics-aliases.prom", "openmetrics-config.txt", "openmetrics-streams.txt"} {
		f.Add(capture(f, "prometheus/"+file))
	}
	f.Add([]byte("flussonic_disk_size{a=\"\xff\",b=\"x\"} 1e300\nflussonic_stream_bytes_in{stream=\"\"} 1\nflussonic_gpu_temp{id=\"1\",name=\"2\"} 3\nflussonic_gpu_temp{id=\"12\"} 3\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newFuzzScraper(t, text)
		if record, _ := s.pageCall().Ask(t.Context()); record != nil {
			record()
		}
		s.streams.finish()
		checkMetrics(t, s)
	})
}

// checkMetrics checks that the recorded metrics are valid for every backend.
func checkMetrics(t *testing.T, s *scraper) {
	t.Helper()
	metrics := s.mb.Generated.Emit()
	rows.Finish(metrics, s.run.StartTime(), s.run.StartTime())
	require.NotNil(t, rtctest.Points(t, metrics))
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range rtctest.NumberPoints(m).All() {
				checkPoint(t, m, dp)
			}
		}
	}
}

func checkPoint(t *testing.T, m pmetric.Metric, dp pmetric.NumberDataPoint) {
	t.Helper()
	for key, value := range dp.Attributes().All() {
		if value.Type() == pcommon.ValueTypeStr {
			assert.True(t, utf8.ValidString(value.Str()), key)
			assert.LessOrEqual(t, len(value.Str()), 256, key)
		}
	}
	if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
		assert.GreaterOrEqual(t, dp.IntValue(), int64(0), m.Name())
	}
}
