// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/httpapi"
)

// startFixedAgent starts an agent with a fixed clock, which sends the same bytes each time and costs little itself.
func startFixedAgent(b testing.TB, consumers int) *emulator.Server {
	b.Helper()
	now := time.Now()
	return startAgent(b, mediasoup.AgentOptions{Consumers: consumers, Now: func() time.Time { return now }})
}

// BenchmarkScrape measures a whole scrape over a socket. Its CPU time per consumer excludes that of making and sending the same
// bytes, which is measured with a client that discards them.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range []struct {
		name   string
		edit   func(*Config)
		points map[int]int // by number of consumers
	}{
		{"default", nil, map[int]int{2_000: 283, 20_000: 283}},
		{"unpacked", unpacked, map[int]int{2_000: 283, 20_000: 283}},
		{"every_metric", everything, map[int]int{2_000: 12_765, 20_000: 100_455}},
	} {
		for _, consumers := range []int{2_000, 20_000} {
			b.Run(fmt.Sprintf("%s/consumers=%d", bench.name, consumers), func(b *testing.B) {
				s, _ := startSystem(b, startFixedAgent(b, consumers).URL(), bench.edit)
				scrapeOnce(b, s) // the agent creates its data for the first response
				require.Equal(b, bench.points[consumers], scrapeOnce(b, s).DataPointCount())
				peak := peakHeap(func() { scrapeOnce(b, s) })
				var sending, all time.Duration
				for b.Loop() {
					sending += cpuTimeOf(b, func() { discard(b, s) })
					all += cpuTimeOf(b, func() { scrapeOnce(b, s) })
				}
				b.ReportMetric(float64((all-sending).Nanoseconds())/float64(b.N*consumers), "cpu-ns/consumer")
				b.ReportMetric(peak, "peak-MB")
				b.ReportMetric(float64(bench.points[consumers]), "points")
			})
		}
	}
}

// unpacked requests responses without gzip.
func unpacked(c *Config) {
	c.ClientConfig.Headers.Set("Accept-Encoding", "identity")
}

// cpuTimeOf returns the CPU time of this process during f.
func cpuTimeOf(t testing.TB, f func()) time.Duration {
	t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
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

// discard requests the same snapshot as s and discards it undecoded.
func discard(t testing.TB, s *system) {
	t.Helper()
	query := url.Values{"stats": {strings.Join(s.statistics, ",")}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.cfg.ClientConfig.Endpoint+apiSnapshot+"?"+query, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	encoding, _ := s.cfg.ClientConfig.Headers.Get("Accept-Encoding")
	req.Header.Set("Accept-Encoding", cmp.Or(string(encoding), "gzip"))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// recorded returns a client that always receives the recorded response of the agent at url, so that only the receiver allocates.
func recorded(t testing.TB, url string) *httpapi.Client {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+apiSnapshot, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return httpapi.New(&http.Client{Transport: answer(text)}, "http://127.0.0.1")
}

// A known consumer causes no allocations in a scrape.
func TestAllocations(t *testing.T) {
	perScrape := func(consumers int) float64 {
		s, _ := startSystem(t, startFixedAgent(t, consumers).URL(), nil)
		s.client.http = recorded(t, s.cfg.ClientConfig.Endpoint)
		scrapeOnce(t, s)
		return testing.AllocsPerRun(5, func() { scrapeOnce(t, s) })
	}
	few, many := perScrape(500), perScrape(2_500)
	assert.Less(t, (many-few)/2_000, 0.01, "%v allocations with 500 consumers, %v with 2,500", few, many)
}
