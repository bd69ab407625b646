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

// large is a server for BenchmarkCompat and the configuration of its receiver.
type large struct {
	exporter, receiver, config string
	settings                   string // additional settings of the receiver
	start                      func(b *testing.B) (env []string)
	ours, old                  int // minimum numbers of series of a successful scrape
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
		exporter: "jitsi_exporter", receiver: "jitsi", config: "jitsi.yaml", ours: 100, old: 50, // one bridge, which has no series per participant
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
		exporter: "kamailio_exporter", receiver: "kamailio", config: "kamailio.yaml", ours: many, old: many, // script statistics
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
		exporter: "mediasoup_exporter", receiver: "mediasoup", config: "mediasoup.yaml", ours: 100, old: 10, // sums over 10,000 consumers
		start: func(b *testing.B) []string {
			b.Helper()
			server, err := mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: many})
			require.NoError(b, err)
			b.Cleanup(server.Close)
			return []string{"MEDIASOUP_ENDPOINT=" + server.URL()}
		},
	},
	{
		exporter: "zlm_exporter", receiver: "zlmediakit", config: "zlmediakit.yaml", ours: 10 * many, old: 10 * many,
		start: func(b *testing.B) []string {
			b.Helper()
			return []string{"ZLMEDIAKIT_ENDPOINT=" + startZLMediaKit(b, zlmediakit.Options{Streams: many}).URL()}
		},
	},
}

// BenchmarkCompat measures the CPU time and memory of the collector per scrape of 10,000 streams and request of its pages, with and
// without the old names. An operation takes a whole interval, of which the collector is mostly idle.
func BenchmarkCompat(b *testing.B) {
	for _, x := range larges {
		b.Run(x.exporter+"/without", func(b *testing.B) { x.run(b, "") })
		b.Run(x.exporter+"/with", func(b *testing.B) { x.run(b, freeAddress(b)) })
	}
}

// run measures the collector. It serves the old names on address unless that is empty.
func (x *large) run(b *testing.B, address string) {
	b.Helper()
	const interval = 10 * time.Second
	configs := []string{shipped(x.config)}
	if address != "" {
		configs = append(configs, filepath.Join("compat", x.exporter+".yaml"), "yaml:exporters::prometheus_page/"+x.exporter+"::endpoint: "+address)
	}
	c := start(b, x.start(b), append(configs, `yaml:
receivers:
  `+x.receiver+`: {collection_interval: 10s, timeout: 9s, initial_delay: 5s}
processors:
  memory_limiter: {limit_mib: 8192, spike_limit_mib: 512}
`, "yaml:receivers: {"+x.receiver+": {"+x.settings+"}}")...)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	<-tick.C // half an interval after the first scrape
	cpu, _ := c.usage(b)
	for b.Loop() {
		b.ReportMetric(countSeries(b, c.Page, x.ours), "series")
		if address != "" {
			b.ReportMetric(countSeries(b, "http://"+address+"/metrics", x.old), "old-series")
		}
		<-tick.C
	}
	after, rss := c.usage(b)
	b.ReportMetric((after-cpu)/float64(b.N)*1000, "cpu-ms/op")
	b.ReportMetric(rss/(1<<20), "rss-MiB")
	c.Stop(b)
}

// usage returns the CPU time of the collector in seconds and its resident memory in bytes.
func (c *collector) usage(t testing.TB) (cpu, rss float64) {
	t.Helper()
	own := parsePage(t, fetch(t, c.Telemetry))
	cpu, rss = sum(own.values("otelcol_process_cpu_seconds", nil)), sum(own.values("otelcol_process_memory_rss", nil))
	require.Positive(t, cpu*rss)
	return cpu, rss
}

// countSeries requests a page without a timeout and returns its number of series. It requires at least minimum series.
func countSeries(b *testing.B, url string, minimum int) float64 {
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
	require.GreaterOrEqual(b, found, minimum, url)
	return float64(found)
}
