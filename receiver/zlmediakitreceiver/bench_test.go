// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-faster/jx"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// startFixedServer starts a server whose clock does not advance, so that it sends the same bytes each time and costs little itself.
func startFixedServer(b *testing.B, streams int) *emulator.Server {
	b.Helper()
	now := time.Now()
	return startServer(b, zlmediakit.Options{Streams: streams, Now: func() time.Time { return now }})
}

// BenchmarkScrape measures a whole scrape over a socket: with the default configuration (the two schemas of the origins above 100
// streams), with one schema, with all schemas, and with all schemas and every metric except those that need a call per stream.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range []struct {
		name   string
		edit   func(*Config)
		points map[int]int // by number of streams
	}{
		{"default", nil, map[int]int{100: 2_132, 1_000: 13_874, 10_000: 137_420}},
		{"one_schema", func(c *Config) { c.Streams.Schemas = Schemas{"rtsp"} }, map[int]int{100: 1_317, 1_000: 11_871, 10_000: 117_417}},
		{"all_schemas", allOfThem, map[int]int{100: 2_132, 1_000: 19_886, 10_000: 197_432}},
		{"every_metric", everyMetric, map[int]int{100: 5_781, 1_000: 55_443, 10_000: 552_081}},
	} {
		for _, streams := range []int{100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/streams=%d", bench.name, streams), func(b *testing.B) {
				s, _ := startScraper(b, startFixedServer(b, streams).URL(), bench.edit)
				benchmarkScrape(b, s, bench.points[streams])
			})
		}
	}
}

func allOfThem(c *Config) { c.Streams.Schemas = Schemas{schemasAll} }

func everyMetric(c *Config) {
	allOfThem(c)
	withoutStreamCalls(c)
}

func benchmarkScrape(b *testing.B, s *system, points int) {
	b.Helper()
	scrapeOnce := func() int {
		s.streams.listing.wait, s.streams.listing.age = 0, 0
		metrics, err := s.Scrape(b.Context())
		require.NoError(b, err)
		return metrics.DataPointCount()
	}
	scrapeOnce() // the first scrape requests all schemas, the second the chosen ones
	require.Equal(b, points, scrapeOnce())
	peak := peakHeap(func() { scrapeOnce() })
	for b.Loop() {
		scrapeOnce()
	}
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(float64(points), "points")
}

// peakHeap samples the heap in use during f and returns by how many MB its peak exceeds the heap in use before.
func peakHeap(f func()) float64 {
	runtime.GC()
	idle, peak := heap(), uint64(0)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; !stop.Load(); time.Sleep(time.Millisecond) {
			peak = max(peak, heap())
		}
	}()
	f()
	stop.Store(true)
	<-done
	return float64(max(peak, idle)-idle) / 1e6
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkSkip is the baseline: the JSON decoder skips the same list from the same socket.
func BenchmarkSkip(b *testing.B) {
	server := startFixedServer(b, 10_000)
	skipList(b, server.URL()) // the server has to generate the first response
	for b.Loop() {
		b.SetBytes(skipList(b, server.URL()))
	}
}

// BenchmarkTimesSkip compares a scrape with the baseline. It alternates between them, so that a busy machine slows both.
func BenchmarkTimesSkip(b *testing.B) {
	for _, bench := range []struct {
		name string
		edit func(*Config)
	}{
		{"all_schemas", allOfThem},
		{"every_metric", everyMetric},
	} {
		b.Run(bench.name, func(b *testing.B) {
			server := startFixedServer(b, 10_000)
			s, _ := startScraper(b, server.URL(), bench.edit)
			scrapeOnce := func() {
				s.streams.listing.wait = 0
				_, err := s.Scrape(b.Context())
				require.NoError(b, err)
			}
			scrapeOnce()
			var skips, scrapes time.Duration
			for b.Loop() {
				skips += duration(func() { skipList(b, server.URL()) })
				scrapes += duration(scrapeOnce)
			}
			b.ReportMetric(scrapes.Seconds()/skips.Seconds(), "times-skip")
		})
	}
}

func duration(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func skipList(b *testing.B, url string) int64 {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+apiPath+apiMediaList, http.NoBody)
	require.NoError(b, err)
	req.Header.Set("secret", testSecret)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	require.NoError(b, jx.Decode(resp.Body, 64<<10).Skip())
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(b, err)
	require.Less(b, n, int64(10))
	require.NoError(b, resp.Body.Close())
	return resp.ContentLength
}
