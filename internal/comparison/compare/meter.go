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

// cost is what a scrape takes of one process.
type cost struct {
	Series      int           // that it delivered
	CPU         time.Duration // of user and system
	Allocations float64
	Heap        float64 // bytes at the peak, above those before the first scrape
}

// warmUp is the number of scrapes that are not measured: caches are filled, servers made known.
const warmUp = 2

// meter measures what scrapes cost this process: first CPU and allocations, then the heap, because looking at it costs CPU.
type meter struct {
	scrapes int // that each of the two lasts
	extra   int // series of a scrape that are not counted
	idle    uint64
	result  chan cost

	mu    sync.Mutex
	seen  int // scrapes
	most  int // series of a scrape
	began usage
	cost  cost
	heap  func() uint64 // ends the watch over the heap and returns its peak
}

func newMeter(scrapes int) *meter {
	runtime.GC()
	return &meter{scrapes: scrapes, idle: heap(), result: make(chan cost, 1)}
}

// scraped is called at the end of each scrape. One that lacks series, because it failed or because the receiver spares the
// server, does not count as a scrape; what it costs does count.
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
		m.began = used()
	case warmUp + m.scrapes:
		m.cost = used().since(m.began, m.scrapes)
		m.cost.Series = series
		m.heap = watchHeap()
	case warmUp + 2*m.scrapes:
		m.cost.Heap = float64(max(m.heap(), m.idle) - m.idle)
		m.result <- m.cost
	}
}

// tell waits for the result, tells it, and waits for the end.
func (m *meter) tell(ctx context.Context, tell func(any) error) error {
	select {
	case result := <-m.result:
		if err := tell(result); err != nil {
			return err
		}
		<-ctx.Done()
	case <-ctx.Done():
	}
	return nil
}

// usage is what a process has used so far.
type usage struct {
	cpu         time.Duration
	allocations uint64
}

func used() usage {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails on wrong arguments only
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs}
}

// since is what each of so many scrapes cost.
func (u usage) since(began usage, scrapes int) cost {
	return cost{
		CPU:         (u.cpu - began.cpu) / time.Duration(scrapes),
		Allocations: float64(u.allocations-began.allocations) / float64(scrapes),
	}
}

// heap returns the bytes of all objects, those included that are no longer needed and have not been collected yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap looks at the heap every millisecond until stop is called, which returns the peak.
func watchHeap() (stop func() uint64) {
	end, peak := make(chan struct{}), make(chan uint64)
	go func() {
		highest := uint64(0)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, heap())
			select {
			case <-tick.C:
			case <-end:
				peak <- max(highest, heap())
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-peak
	}
}
