// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

// streams builds a payload with the metrics that a ZLMediaKit server reports of its streams.
func (b *bench) streams(instance string, n int) payload {
	p := b.payload(zlmediakit, instance).gauge("rtc.target.up", 1).gauge("zlmediakit.stream.count", float64(n))
	add := func(name string, extra ...string) {
		metric := p.list.AppendEmpty()
		metric.SetName(name)
		points := metric.SetEmptyGauge().DataPoints()
		for i := range n {
			p.set(points.AppendEmpty(), float64(i), append(stream(fmt.Sprintf("camera-%05d", i)), extra...))
		}
	}
	add("zlmediakit.stream.alive")
	add("zlmediakit.stream.reader.count")
	add("zlmediakit.stream.uptime")
	add("zlmediakit.stream.throughput", "zlmediakit.schema", "rtmp")
	add("zlmediakit.stream.track.frame_rate", "zlmediakit.track.index", "0", "zlmediakit.media.kind", "video", "zlmediakit.media.codec", "H264")
	add("zlmediakit.stream.recording.active", "zlmediakit.recording.format", "mp4")
	return p
}

// BenchmarkTake takes one scrape of each of 300 servers with 50 streams in. The metric MB is the growth of the heap after an hour.
func BenchmarkTake(b *testing.B) {
	const targets, streams = 300, 50
	var payloads []payload
	bench := newBench()
	for i := range targets {
		payloads = append(payloads, bench.streams(fmt.Sprintf("media%03d.example.com:80", i), streams))
	}
	before := heap() // after the payloads were made
	round := func() {
		bench.at = bench.at.Add(10 * time.Second)
		for _, p := range payloads {
			if err := bench.consume(completeness.With(b.Context(), completeness.Full), p.metrics); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(heap()-before)/1e6, "MB")
	runtime.KeepAlive(bench)
	runtime.KeepAlive(payloads)
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkPages renders the pages of 300 servers, and of one server with 10,000 streams.
func BenchmarkPages(b *testing.B) {
	const targets, streams = 300, 10000
	bench := newBench()
	for i := range targets {
		if err := bench.consume(b.Context(), bench.streams(fmt.Sprintf("media%03d.example.com:80", i), 1).metrics); err != nil {
			b.Fatal(err)
		}
	}
	if err := bench.consume(b.Context(), bench.streams("large", streams).metrics); err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"fleet": "/", "target": target1("large"), "sorted": target1("large", "sort", "4", "order", "desc")} {
		b.Run(name, func(b *testing.B) {
			handler := bench.handler()
			for b.Loop() {
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://localhost"+path, http.NoBody))
				b.ReportMetric(float64(recorder.Body.Len())/1e3, "kB/page")
			}
		})
	}
}
