// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"bufio"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// large is a server for BenchmarkCompat, and how the collector reads it.
type large struct {
	exporter, receiver, config string
	settings                   string // of the receiver, beside its interval
	start                      func(b *testing.B) (env []string)
	ours, old                  int // series, at least: less would mean that a scrape has failed
}

const many = 10_000

var larges = []large{
	{
		exporter: "flussonic_exporter", receiver: "flussonic", config: "flussonic.yaml", ours: 10 * many, old: many,
		start: func(b *testing.B) []string {
			b.Helper()
			return flussonicEnv(startFlussonic(b, flussonic.Options{Streams: many}))
		},
	},
	{
		exporter: "jitsi_exporter", receiver: "jitsi", config: "jitsi.yaml", ours: 100, old: 50, // of one bridge: it has no series for each participant
		settings: `jicofo: {endpoint: ""}`,
		start: func(b *testing.B) []string {
			b.Helper()
			bridge, err := jitsi.NewJVB(jitsi.JVBOptions{Stats: true})
			require.NoError(b, err)
			b.Cleanup(bridge.Close)
			return []string{"JVB_ENDPOINT=" + bridge.URL()}
		},
	},
	{
		exporter: "kamailio_exporter", receiver: "kamailio", config: "kamailio.yaml", ours: many, old: many, // of the script
		settings: "statistics: {limit: 20000}",
		start: func(b *testing.B) []string {
			b.Helper()
			server, err := kamailio.NewCtl(kamailio.CtlOptions{Statistics: many, StructLimit: binrpc.MaxBody})
			require.NoError(b, err)
			b.Cleanup(server.Close)
			return []string{"KAMAILIO_ENDPOINT=" + server.URL()}
		},
	},
	{
		exporter: "mediasoup_exporter", receiver: "mediasoup", config: "mediasoup.yaml", ours: 100, old: 10, // sums of 10,000 consumers
		start: func(b *testing.B) []string {
			b.Helper()
			server, err := mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: many})
			require.NoError(b, err)
			b.Cleanup(server.Close)
			return []string{"MEDIASOUP_ENDPOINT=" + server.URL()}
		},
	},
	{
		exporter: "zlm_exporter", receiver: "zlmediakit", config: "prometheus.yaml", ours: 10 * many, old: 10 * many,
		start: func(b *testing.B) []string {
			b.Helper()
			return []string{"ZLMEDIAKIT_ENDPOINT=" + startZLMediaKit(b, zlmediakit.Options{Streams: many}).URL()}
		},
	},
}

// BenchmarkCompat is what the built collector costs per scrape and fetch of its pages, with the old names and without them,
// where there are 10,000 streams. An operation takes a whole interval, most of which the collector waits.
func BenchmarkCompat(b *testing.B) {
	for _, x := range larges {
		b.Run(x.exporter+"/without", func(b *testing.B) { x.run(b, "") })
		b.Run(x.exporter+"/with", func(b *testing.B) { x.run(b, freeAddress(b)) })
	}
}

// run measures the collector, which serves the old names on an address if there is one.
func (x *large) run(b *testing.B, address string) {
	b.Helper()
	const interval = 30 * time.Second
	configs := []string{shipped(x.config)}
	if address != "" {
		configs = append(configs, filepath.Join("compat", x.exporter+".yaml"), "yaml:exporters::prometheus/"+x.exporter+"::endpoint: "+address)
	}
	c := start(b, x.start(b), append(configs, `yaml:
receivers:
  `+x.receiver+`: {collection_interval: 30s, timeout: 29s, initial_delay: 15s}
processors:
  memory_limiter: {limit_mib: 8192, spike_limit_mib: 512}
`, "yaml:receivers: {"+x.receiver+": {"+x.settings+"}}")...)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	<-tick.C // the first scrape is over, the next one is half an interval ahead
	cpu, _ := c.used(b)
	for b.Loop() {
		b.ReportMetric(countSeries(b, c.Page, x.ours), "series")
		if address != "" {
			b.ReportMetric(countSeries(b, "http://"+address+"/metrics", x.old), "old-series")
		}
		<-tick.C
	}
	after, rss := c.used(b)
	b.ReportMetric((after-cpu)/float64(b.N)*1000, "cpu-ms/op")
	b.ReportMetric(rss/(1<<20), "rss-MiB")
	c.Stop(b)
}

// used returns what the collector has used so far, in seconds, and uses, in bytes.
func (c *collector) used(t testing.TB) (cpu, rss float64) {
	t.Helper()
	own := parsePage(t, fetch(t, c.Telemetry))
	cpu, rss = sum(own.values("otelcol_process_cpu_seconds", nil)), sum(own.values("otelcol_process_memory_rss", nil))
	require.Positive(t, cpu*rss)
	return cpu, rss
}

// countSeries fetches a page, however long it takes, and returns how many series it has, which are no fewer than wanted.
func countSeries(b *testing.B, url string, wanted int) float64 {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(b, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer resp.Body.Close()
	found := 0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "#") {
			found++
		}
	}
	require.NoError(b, lines.Err())
	require.GreaterOrEqual(b, found, wanted, url)
	return float64(found)
}
