// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// backend receives OTLP over HTTP and records every scrape.
type backend struct {
	server   *http.Server
	listener net.Listener
	down     atomic.Bool

	mu      sync.Mutex
	targets map[string]*targetHistory // by service.name and service.instance.id
	points  int64
}

// targetHistory holds the received scrapes of one target.
type targetHistory struct {
	times   []time.Time // in order of arrival
	numbers []int64     // values of rtc.scrapes
	down    int         // scrapes with rtc.target.up = 0
}

func startBackend() (*backend, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{listener: listener, targets: map[string]*targetHistory{}}
	b.server = &http.Server{Handler: http.HandlerFunc(b.receive), ReadHeaderTimeout: time.Minute}
	go func() { _ = b.server.Serve(listener) }() // until close
	return b, nil
}

func (b *backend) url() string { return "http://" + b.listener.Addr().String() }

func (b *backend) close() { _ = b.server.Close() }

func (b *backend) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || b.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.note(request.Metrics())
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (b *backend) note(md pmetric.Metrics) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.points += int64(md.DataPointCount())
	for _, rm := range md.ResourceMetrics().All() {
		name, _ := rm.Resource().Attributes().Get("service.name")
		id, _ := rm.Resource().Attributes().Get("service.instance.id")
		key := name.Str() + " " + id.Str()
		h := b.targets[key]
		if h == nil {
			h = &targetHistory{}
			b.targets[key] = h
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				h.note(m)
			}
		}
	}
}

func (h *targetHistory) note(m pmetric.Metric) {
	switch m.Name() {
	case "rtc.target.up":
		if m.Sum().DataPoints().At(0).IntValue() == 0 {
			h.down++
		}
	case "rtc.scrapes":
		dp := m.Sum().DataPoints().At(0)
		h.times = append(h.times, dp.Timestamp().AsTime())
		h.numbers = append(h.numbers, dp.IntValue())
	}
}

// totals returns the numbers of scrapes that were received, lost, duplicated, and reported their target as down, and the number of
// data points.
func (b *backend) totals() (received, lost, duplicates, down int, points int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.targets {
		numbers := slices.Clone(h.numbers)
		slices.Sort(numbers)
		distinct := len(slices.Compact(numbers))
		received += distinct
		duplicates += len(h.numbers) - distinct
		if distinct > 0 {
			lost += int(slices.Max(h.numbers)) - distinct
		}
		down += h.down
	}
	return received, lost, duplicates, down, b.points
}

// lateness returns the lateness of the scrapes between two times, sorted: the time since the previous scrape of the target minus the
// interval.
func (b *backend) lateness(interval time.Duration, from, to time.Time) (late []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.targets {
		times := slices.SortedFunc(slices.Values(h.times), time.Time.Compare)
		for i := 1; i < len(times); i++ {
			if times[i].After(from) && !times[i].After(to) {
				late = append(late, max(0, times[i].Sub(times[i-1])-interval))
			}
		}
	}
	slices.Sort(late)
	return late
}
