// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"
)

// cost is the cost of a scrape in one process.
type cost struct {
	Series      int
	CPU         time.Duration // user and system time
	Allocations float64
	Heap        float64 // peak in bytes above the size before the first scrape
}

// warmUp is the number of initial scrapes that are not measured.
const warmUp = 2

// meter measures the cost of scrapes in this process. It measures CPU time and allocations first and then the heap, because sampling
// the heap costs CPU time.
type meter struct {
	scrapes int    // number of scrapes for each of the two measurements
	extra   int    // number of series in a scrape that are not counted
	idle    uint64 // heap before the first scrape
	result  chan cost

	mu    sync.Mutex
	seen  int // number of complete scrapes
	most  int // maximum number of series in a scrape
	start usage
	cost  cost
	heap  func() uint64 // stops sampling the heap and returns its peak
}

func newMeter(scrapes int) *meter {
	runtime.GC()
	return &meter{scrapes: scrapes, idle: heap(), result: make(chan cost, 1)}
}

// scraped must be called at the end of each scrape. A scrape with missing series, because it failed or because the receiver skipped
// calls, does not count as a scrape, but its cost counts.
func (m *meter) scraped(series int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	series -= m.extra
	m.most = max(m.most, series)
	if series < m.most*9/10 {
		return
	}
	switch m.seen++; m.seen {
	case warmUp:
		m.start = currentUsage()
	case warmUp + m.scrapes:
		m.cost = currentUsage().since(m.start, m.scrapes)
		m.cost.Series = series
		m.heap = watchHeap()
	case warmUp + 2*m.scrapes:
		m.cost.Heap = float64(max(m.heap(), m.idle) - m.idle)
		m.result <- m.cost
	}
}

// report waits for the result, sends it, and waits until ctx is done.
func (m *meter) report(ctx context.Context, send func(any) error) error {
	select {
	case result := <-m.result:
		if err := send(result); err != nil {
			return err
		}
		<-ctx.Done()
	case <-ctx.Done():
	}
	return nil
}

// usage holds the resources used by a process since its start.
type usage struct {
	cpu         time.Duration
	allocations uint64
}

func currentUsage() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // only fails for invalid arguments
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs}
}

// since returns the mean cost of the scrapes between start and u.
func (u usage) since(start usage, scrapes int) cost {
	return cost{
		CPU:         (u.cpu - start.cpu) / time.Duration(scrapes),
		Allocations: float64(u.allocations-start.allocations) / float64(scrapes),
	}
}

// heap returns the size of all objects, including unreachable ones that have not been collected.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap samples the heap every millisecond. stop ends that and returns the peak.
func watchHeap() (stop func() uint64) {
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		highest := uint64(0)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, heap())
			select {
			case <-tick.C:
			case <-done:
				peak <- max(highest, heap())
				return
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-peak
	}
}
