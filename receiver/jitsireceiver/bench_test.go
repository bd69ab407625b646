// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// maxAllocations bounds a scrape of a bridge; some 60 of them are those of the server that plays it.
const maxAllocations = 1100

// benched are the components, at a moment that stands still so that the servers cost little themselves.
var benched = []struct {
	name, block, source string
	paths               []string
	start               func() (*emulator.Server, error)
	points              int
}{
	{"jvb_stats", "jvb", "colibri", []string{apiColibri}, func() (*emulator.Server, error) { return emulator.NewJVB(emulator.JVB{Stats: true, Now: still}) }, 83},
	{"jvb_page", "jvb", "metrics", []string{apiMetrics}, func() (*emulator.Server, error) { return emulator.NewJVB(emulator.JVB{Now: still}) }, 131},
	{"jvb_both", "jvb", "auto", []string{apiColibri, apiMetrics}, func() (*emulator.Server, error) { return emulator.NewJVB(emulator.JVB{Stats: true, Now: still}) }, 133},
	{"jicofo_200_bridges", "jicofo", "auto", []string{apiStats, apiMetrics}, func() (*emulator.Server, error) { return emulator.NewJicofo(emulator.Jicofo{Bridges: 200, Now: still}) }, 1},
}

func still() time.Time { return captured }

// BenchmarkScrape is a whole scrape over a socket.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			s, _ := startScraper(b, at(bench.block, emulate(b, bench.start).URL()), withSource(bench.source))
			scrapeOnce := func() int {
				metrics, err := s.scrape(b.Context())
				require.NoError(b, err)
				return metrics.DataPointCount()
			}
			scrapeOnce() // the first scrape chooses what to ask for
			require.Equal(b, bench.points, scrapeOnce())
			b.ReportAllocs()
			for b.Loop() {
				scrapeOnce()
			}
			b.ReportMetric(float64(bench.points), "points")
		})
	}
}

// BenchmarkBareGet is the yardstick: the same bytes over the same socket, and nothing done with them.
func BenchmarkBareGet(b *testing.B) {
	for _, bench := range benched {
		b.Run(bench.name, func(b *testing.B) {
			url := emulate(b, bench.start).URL()
			b.ReportAllocs()
			for b.Loop() {
				for _, path := range bench.paths {
					bareGet(b, url+path)
				}
			}
		})
	}
}

func bareGet(b *testing.B, url string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(b, err)
	req.Header = acceptText
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(b, err)
	require.NoError(b, resp.Body.Close())
}

// A scrape of a bridge stays cheap.
func TestScrapeAllocations(t *testing.T) {
	for _, bench := range benched[:2] {
		s, _ := startScraper(t, at(bench.block, emulate(t, bench.start).URL()), withSource(bench.source))
		allocations := testing.AllocsPerRun(10, func() {
			_, err := s.scrape(t.Context())
			require.NoError(t, err)
		})
		require.Less(t, allocations, float64(maxAllocations), bench.name)
	}
}
