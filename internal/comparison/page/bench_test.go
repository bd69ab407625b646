// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/prometheuspageexporter"
)

// scrape makes the payload of a server with many streams: 20 metrics, half of them counters.
func scrape(series int, at pcommon.Timestamp) pmetric.Metrics {
	payload := pmetric.NewMetrics()
	rm := payload.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "zlmediakit")
	rm.Resource().Attributes().PutStr("service.instance.id", "media.example.com:8080")
	list := rm.ScopeMetrics().AppendEmpty().Metrics()
	const kinds = 20
	for i := range kinds {
		metric := list.AppendEmpty()
		metric.SetName(fmt.Sprintf("zlmediakit.stream.metric%d", i))
		points := metric.SetEmptyGauge().DataPoints()
		if i%2 == 0 {
			metric.SetEmptySum().SetIsMonotonic(true)
			metric.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = metric.Sum().DataPoints()
		}
		points.EnsureCapacity(series / kinds)
		for j := range series / kinds {
			p := points.AppendEmpty()
			p.Attributes().EnsureCapacity(4)
			p.Attributes().PutStr("zlmediakit.vhost", "__defaultVhost__")
			p.Attributes().PutStr("zlmediakit.app", "live")
			p.Attributes().PutStr("zlmediakit.stream", fmt.Sprintf("camera-%05d", j))
			p.Attributes().PutStr("zlmediakit.schema", "rtmp")
			p.SetTimestamp(at)
			p.SetStartTimestamp(at / 2)
			if i%4 == 3 {
				p.SetDoubleValue(float64(at) / 1e9 * float64(j+1) / 7)
			} else {
				p.SetIntValue(int64(at) / 1e6 * int64(j+1))
			}
		}
	}
	return payload
}

// BenchmarkPage takes a payload in and fetches the page, in turn. CPU time includes that of the client.
func BenchmarkPage(b *testing.B) {
	for _, series := range []int{10_000, 200_000} {
		payloads := []pmetric.Metrics{scrape(series, 1e18), scrape(series, 1e18+15e9)}
		for name, factory := range map[string]exporter.Factory{
			"ours": prometheuspageexporter.NewFactory(), "contrib": prometheusexporter.NewFactory(),
		} {
			for _, encoding := range []string{"", "gzip"} {
				b.Run(fmt.Sprintf("%s/%d/%s", name, series, encoding), func(b *testing.B) {
					s := start(b, factory, map[string]any{"without_scope_info": true})
					ctx := completeness.With(b.Context(), completeness.Full)
					peak := watchHeap()
					b.ReportAllocs()
					before := processorTime(b)
					for i := 0; b.Loop(); i++ {
						require.NoError(b, s.ConsumeMetrics(ctx, payloads[i%2]))
						s.discard(b, encoding)
					}
					b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N)/float64(series), "cpu-ns/series")
					b.ReportMetric(float64(peak())/1e6, "peak-MB")
				})
			}
		}
	}
}

// discard fetches the page.
func (s server) discard(b *testing.B, encoding string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://exporter/metrics", http.NoBody)
	require.NoError(b, err)
	request.Header.Set("Accept-Encoding", encoding)
	response, err := s.client.Do(request)
	require.NoError(b, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// watchHeap returns a function that returns the largest growth of the heap so far, in bytes.
func watchHeap() func() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(sample)
	base, peak := sample[0].Value.Uint64(), uint64(0)
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				metrics.Read(sample)
				peak = max(peak, sample[0].Value.Uint64())
			case <-stop:
				return
			}
		}
	})
	return func() uint64 {
		close(stop)
		watching.Wait()
		return max(peak, base) - base
	}
}
