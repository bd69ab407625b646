// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// maxAllocations bounds a whole default scrape; some 200 of them are those of the server that plays Kamailio.
const maxAllocations = 3200

// BenchmarkScrape is a whole scrape over a socket, of a captured server with 16 processes and 170 statistics.
func BenchmarkScrape(b *testing.B) {
	for name, edit := range map[string]func(*Config){"default": nil, "every_metric": everything} {
		b.Run(name, func(b *testing.B) {
			s, _ := startScraper(b, startCtl(b, "unix").endpoint, edit)
			points := 0
			scrapeOnce := func() {
				metrics, err := s.scrape(b.Context())
				require.NoError(b, err)
				points = metrics.DataPointCount()
			}
			scrapeOnce() // the first one also asks who the server is
			b.ReportAllocs()
			for b.Loop() {
				scrapeOnce()
			}
			b.ReportMetric(float64(points), "points")
		})
	}
}

// A default scrape stays cheap.
func TestScrapeAllocations(t *testing.T) {
	s, _ := startScraper(t, startCtl(t, "unix").endpoint, nil)
	allocations := testing.AllocsPerRun(10, func() {
		_, err := s.scrape(t.Context())
		require.NoError(t, err)
	})
	require.Less(t, allocations, float64(maxAllocations))
}
