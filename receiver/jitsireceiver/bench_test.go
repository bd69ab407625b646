// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
)

// maxAllocations bounds the allocations of a scrape of a bridge, in any configuration. The test server makes about 50 of them per call.
const maxAllocations = 1100

// benched are the components to scrape. A server replays one response of each, so that it costs little itself.
var benched = []struct {
	name, block, source string
	paths               []string
	start               func() (*emulator.Server, error)
	points              int
}{
	{"jvb_stats", "jvb", "colibri", []string{apiColibri}, func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{Stats: true}) }, 79},
	{"jvb_page", "jvb", "metrics", []string{apiMetrics}, func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{}) }, 128},
	{"jvb_both", "jvb", "auto", []string{apiColibri, apiMetrics}, func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{Stats: true}) }, 130},
	{"jicofo_200_bridges", "jicofo", "auto", []string{apiStats, apiMetrics}, func() (*emulator.Server, error) { return jitsi.NewJicofo(jitsi.JicofoOptions{Bridges: 200}) }, 588},
}

// repeat starts a server that replays the current responses of an emulated component, and returns its URL.
func repeat(t testing.TB, start func() (*emulator.Server, error), paths []string) string {
	t.Helper()
	emulated := emulate(t, start)
	bodies := map[string][]byte{}
	for _, path := range paths {
		bodies[path] = bareGet(t, emulated.URL()+path)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bodies[r.URL.Path] == nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(bodies[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// BenchmarkScrape measures a whole scrape over a socket.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			s, _ := startSystem(b, at(bench.block, repeat(b, bench.start, bench.paths)), withSource(bench.source))
			scrapeOnce := func() int {
				metrics, err := s.Scrape(b.Context())
				require.NoError(b, err)
				return metrics.DataPointCount()
			}
			scrapeOnce() // the first scrape chooses the sources
			require.Equal(b, bench.points, scrapeOnce())
			b.ReportAllocs()
			for b.Loop() {
				scrapeOnce()
			}
			b.ReportMetric(float64(bench.points), "points")
		})
	}
}

// BenchmarkBareGet is the baseline: it reads the same bytes over the same socket and discards them.
func BenchmarkBareGet(b *testing.B) {
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			url := repeat(b, bench.start, bench.paths)
			b.ReportAllocs()
			for b.Loop() {
				for _, path := range bench.paths {
					bareGet(b, url+path)
				}
			}
		})
	}
}

func bareGet(t testing.TB, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	req.Header = acceptText
	if !strings.HasSuffix(url, apiMetrics) {
		req.Header = acceptJSON
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NotEmpty(t, body)
	return body
}

// A scrape of a bridge makes fewer than maxAllocations allocations.
func TestScrapeAllocations(t *testing.T) {
	for _, bench := range benched {
		if bench.block != "jvb" {
			continue
		}
		s, _ := startSystem(t, at(bench.block, repeat(t, bench.start, bench.paths)), withSource(bench.source))
		allocations := testing.AllocsPerRun(10, func() {
			_, err := s.Scrape(t.Context())
			require.NoError(t, err)
		})
		require.Less(t, allocations, float64(maxAllocations), bench.name)
	}
}
