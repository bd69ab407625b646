// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
)

// startFixedServer starts an emulated server with a fixed clock behind a cache of its responses, so that the server costs little more
// than sending them. fetch requests all responses and discards them, which measures that cost.
func startFixedServer(b *testing.B, streams int) (url string, fetch func()) {
	b.Helper()
	now := time.Now()
	server := startServer(b, flussonic.Options{Streams: streams, Now: func() time.Time { return now }})
	var answers sync.Map // *answer by request
	type answer struct {
		header http.Header
		status int
		body   []byte
	}
	url = startHandler(b, func(w http.ResponseWriter, r *http.Request) {
		known, _ := answers.Load(r.RequestURI)
		a, _ := known.(*answer)
		if a == nil {
			req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, server.URL()+r.RequestURI, http.NoBody)
			if err != nil {
				panic(err)
			}
			req.Header.Set("Authorization", r.Header.Get("Authorization"))
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				panic(err)
			}
			a = &answer{header: resp.Header, status: resp.StatusCode}
			a.body, _ = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			answers.Store(r.RequestURI, a)
		}
		w.Header().Set("Content-Type", a.header.Get("Content-Type"))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	})
	return url, func() {
		answers.Range(func(uri, _ any) bool {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+uri.(string), http.NoBody)
			require.NoError(b, err)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(b, err)
			return assert.NoError(b, resp.Body.Close())
		})
	}
}

// BenchmarkScrape measures a whole scrape over a socket: with the default configuration, and with all metrics enabled.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range []struct {
		name   string
		edit   func(*Config)
		points map[int]int // by number of streams
	}{
		{"default", nil, map[int]int{100: 1_325, 1_000: 12_485, 10_000: 124_085}},
		{"every_metric", everything, map[int]int{100: 4_413, 1_000: 43_113, 10_000: 430_113}},
	} {
		for _, streams := range []int{100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/streams=%d", bench.name, streams), func(b *testing.B) {
				url, fetch := startFixedServer(b, streams)
				s, _ := startScraper(b, url, bench.edit)
				benchmarkScrape(b, s, bench.points[streams], fetch)
			})
		}
	}
}

func benchmarkScrape(b *testing.B, s *system, points int, fetch func()) {
	b.Helper()
	scrapeOnce := func() int {
		metrics, err := s.Scrape(b.Context())
		require.NoError(b, err)
		return metrics.DataPointCount()
	}
	scrapeOnce()
	require.Equal(b, points, scrapeOnce())
	peak := peakHeap(func() { scrapeOnce() })
	var own time.Duration // CPU time without that of the server
	for b.Loop() {
		own += cpuTime(func() { scrapeOnce() })
		b.StopTimer()
		own -= cpuTime(fetch)
		b.StartTimer()
	}
	b.ReportMetric(float64(own.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(peak, "peak-MB")
	b.ReportMetric(float64(points), "points")
}

// cpuTime returns the CPU time that this process uses during f.
func cpuTime(f func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}

// peakHeap samples the heap in use during f and returns its peak above the initial use, in MB.
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
