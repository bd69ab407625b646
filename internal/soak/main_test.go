// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
)

// TestServe checks that there are servers of every system, each on its own port.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	n := 2 * len(systems.All)
	go func() { done <- serve(ctx, options{servers: n, streams: 3}, in) }()
	lines := bufio.NewScanner(out)
	var endpoints []string
	for i := range n {
		require.True(t, lines.Scan())
		name, settings, _ := strings.Cut(lines.Text(), " ")
		assert.Equal(t, fmt.Sprintf("%s/%d", systems.All[i%len(systems.All)].Receiver, i), name)
		assert.Regexp(t, `endpoint: "(http|tcp)://127\.0\.0\.1:\d+"`, settings)
		assert.NotContains(t, endpoints, settings)
		endpoints = append(endpoints, settings)
	}
	cancel()
	assert.NoError(t, <-done)
}

// scrapeOf returns the metrics of the nth scrape of a target.
func scrapeOf(id string, n, up int64, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "zlmediakit")
	rm.Resource().Attributes().PutStr("service.instance.id", id)
	sm := rm.ScopeMetrics().AppendEmpty()
	for name, value := range map[string]int64{"rtc.scrapes": n, "rtc.target.up": up} {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		dp := m.SetEmptySum().DataPoints().AppendEmpty()
		dp.SetIntValue(value)
		dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	}
	return md
}

func send(t *testing.T, b *backend, md pmetric.Metrics) (status int) {
	t.Helper()
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url()+"/v1/metrics", bytes.NewReader(body))
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// TestBackend checks the counts of lost and duplicate scrapes, and the lateness.
func TestBackend(t *testing.T) {
	b, err := startBackend()
	require.NoError(t, err)
	defer b.close()
	begin := time.Unix(1_800_000_000, 0)
	for _, s := range []struct{ n, up, after int64 }{{1, 1, 0}, {2, 1, 10}, {2, 1, 10}, {5, 0, 41}, {4, 1, 30}} {
		assert.Equal(t, http.StatusOK, send(t, b, scrapeOf("a:1", s.n, s.up, begin.Add(time.Duration(s.after)*time.Second))))
	}
	b.down.Store(true)
	assert.Equal(t, http.StatusServiceUnavailable, send(t, b, scrapeOf("a:1", 6, 1, begin)))
	received, lost, duplicates, down, points := b.totals()
	assert.Equal(t, []int{4, 1, 1, 1, 10}, []int{received, lost, duplicates, down, int(points)})
	late := b.lateness(10*time.Second, begin.Add(20*time.Second), begin.Add(time.Minute))
	assert.Equal(t, []time.Duration{time.Second, 10 * time.Second}, late)
}

// TestReport checks that growth and losses fail the run.
func TestReport(t *testing.T) {
	flat := func(int) float64 { return 100 }
	grows := func(i int) float64 { return float64(100 + i*5) }
	for name, tt := range map[string]struct {
		rss     func(i int) float64
		scrapes []int64
		outage  time.Duration
		verdict string
	}{
		"flat":          {flat, []int64{1, 2}, 0, "Verdict: flat, nothing lost."},
		"grows":         {grows, []int64{1, 2}, 0, "Verdict: FAILED; 1 values grew by more than 10 % [RSS]."},
		"loses":         {flat, []int64{1, 3}, 0, "Verdict: FAILED; 0 values grew by more than 10 % []."},
		"outage":        {grows, []int64{1, 2}, time.Minute, "Verdict: nothing lost."},
		"outage, loses": {flat, []int64{1, 3}, time.Minute, "Verdict: FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{targets: map[string]*targetHistory{}}
			samples := make([]sample, 9)
			for i := range samples {
				samples[i] = sample{at: time.Unix(int64(i), 0), share: 0.5, rss: tt.rss(i) * (1 << 20), goroutines: 50}
			}
			for i, n := range tt.scrapes {
				b.note(scrapeOf("a:1", n, 1, time.Unix(int64(i), 0)))
			}
			var out strings.Builder
			err := report(&out, options{servers: 1, interval: time.Second, duration: time.Minute, outage: tt.outage}, samples, b)
			assert.Contains(t, out.String(), "| CPU, of one core | 50.0 % | 50.0 % | 50.0 % |")
			assert.Contains(t, out.String(), tt.verdict)
			assert.Equal(t, !strings.Contains(tt.verdict, "FAILED"), err == nil)
		})
	}
}

func TestNumber(t *testing.T) {
	const page = "# TYPE otelcol_process_memory_rss gauge\notelcol_process_memory_rss{a=\"b c\"} 4.8e+07\n"
	assert.InDelta(t, 4.8e7, number(page, `(?m)^otelcol_process_memory_rss(?:_bytes)?(?:\{.*\})? (\S+)`), 0)
	assert.Zero(t, number(page, `^goroutine profile: total (\d+)`))
}

// TestConfig checks that the configuration and its pipeline include every receiver.
func TestConfig(t *testing.T) {
	c := collector{backend: "http://127.0.0.1:1", storage: t.TempDir()}
	receivers := []string{
		`jitsi/0 jvb: {endpoint: "http://127.0.0.1:2"}`, `kamailio/1 endpoint: "tcp://127.0.0.1:3"`, `jitsi/2 jvb: {endpoint: "http://127.0.0.1:7"}`,
	}
	addresses := [4]string{"127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6", "127.0.0.1:7"}
	text, err := c.config(options{interval: 10 * time.Second}, receivers, addresses)
	require.NoError(t, err)
	for _, part := range []string{
		`jitsi/0: {jvb: {endpoint: "http://127.0.0.1:2"}, collection_interval: 10s, timeout: 10s,`,
		"receivers: [jitsi/0, kamailio/1, jitsi/2]", "port: 5",
	} {
		assert.Contains(t, text, part)
	}
	text, err = c.config(options{interval: 10 * time.Second, targets: true}, receivers, addresses)
	require.NoError(t, err)
	file := filepath.Join(c.storage, "jitsi.yaml")
	assert.Contains(t, text, fmt.Sprintf("jitsi: {jvb: {targets: {files: [%q]}}, collection_interval: 10s", file))
	assert.Contains(t, text, "receivers: [jitsi, kamailio]")
	targets, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "- targets: [\"http://127.0.0.1:2\", \"http://127.0.0.1:7\"]\n", string(targets))
}

func TestCommandFails(t *testing.T) {
	require.Error(t, command(t.Context(), []string{"-nothing"}, io.Discard))
	file := filepath.Join(t.TempDir(), "none")
	c := collector{storage: t.TempDir()}
	assert.ErrorIs(t, c.start(t.Context(), options{collector: file, log: file + ".log"}, nil), os.ErrNotExist)
}
