// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// A server that is dead from the start: the collector is well, and its log says what to check.
func TestDeadTarget(t *testing.T) {
	t.Parallel()
	endpoint := "http://" + freeAddress(t)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + endpoint}, shipped("prometheus.yaml"), often)
	eventually(t, func(ct *assert.CollectT) {
		assert.Equal(ct, []float64{0}, scrapePage(ct, c).values("rtc_target_up", nil))
	})
	status := fetch(t, c.Status+"?verbose")
	assert.Contains(t, status, `{"healthy":true,"status":"StatusRecoverableError","error":"`)
	assert.NotContains(t, status, `"healthy":false`)
	complaint := ""
	for line := range strings.Lines(c.Log()) {
		if strings.Contains(line, "\terror\t") {
			complaint = line
			break
		}
	}
	for _, part := range []string{
		"Error scraping metrics", "getThreadsLoad", endpoint, "connection refused",
		"check that the server runs and that the setting endpoint names its host and port",
	} {
		assert.Contains(t, complaint, part)
	}
	c.Stop(t)
}

// verbose is laid over a configuration to let the collector tell all it can: its spans go to the log too.
const verbose = `yaml:
exporters:
  debug: {verbosity: detailed}
extensions:
  healthcheckv2: {http: {status: {path: /status}, config: {enabled: true, path: /config}}}
service:
  extensions: [healthcheckv2, zpages]
  pipelines: {metrics: {exporters: [prometheus, debug]}}
  telemetry:
    logs: {level: debug}
    traces: {processors: [{simple: {exporter: {console: {}}}}]}
`

// The secret is on no page and in no line of the log, whatever the server answers.
func TestSecretStaysInside(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("prometheus.yaml"), often, verbose)
	for _, step := range []struct{ fault, logged string }{
		{"", "-> Name: zlmediakit.stream.io"},
		{"", `"Name": "scraper/zlmediakit/ScrapeMetrics"`},
		{"wrong_secret", "check the setting secret"},
		{"status_500", "HTTP status 500"},
		{"html_404", "HTTP status 404 Not Found with an HTML page"},
		{"redirect_elsewhere", "redirect to another host"},
		{"hang", "no complete answer in time"},
	} {
		require.NoError(t, server.SetFault(step.fault))
		eventually(t, func(ct *assert.CollectT) {
			if !strings.Contains(c.Log(), step.logged) { // Contains of assert would print the log each time
				assert.Fail(ct, "not in the log: "+step.logged)
			}
		})
	}
	pages := []string{c.Page, c.Telemetry, c.Status + "?verbose", strings.Replace(c.Status, "/status", "/config", 1)}
	for _, page := range []string{"servicez", "pipelinez", "extensionz", "featurez", "tracez?zspanname=scraper/zlmediakit/ScrapeMetrics&ztype=2"} {
		pages = append(pages, c.ZPages+page)
	}
	for _, url := range pages {
		page := fetch(t, url)
		assert.NotEmpty(t, page, url)
		rtctest.NoSecret(t, secret, page)
	}
	c.Stop(t)
	rtctest.NoSecret(t, secret, c.Log())
}

// A scrape that hangs does not keep the collector from ending, whatever the protocol: its timeout does it.
func TestStopDuringScrape(t *testing.T) {
	t.Parallel()
	const timeout, slack = 3 * time.Second, 3 * time.Second
	for receiver, tt := range map[string]struct {
		config, endpoint string
		start            func() (*emulator.Server, error)
	}{
		"zlmediakit": {"prometheus.yaml", "ZLMEDIAKIT_ENDPOINT", func() (*emulator.Server, error) { return zlmediakit.New(zlmediakit.Options{}) }},
		"kamailio":   {"kamailio.yaml", "KAMAILIO_ENDPOINT", func() (*emulator.Server, error) { return kamailio.NewCtl(kamailio.CtlOptions{}) }},
		"jitsi":      {"jitsi.yaml", "JVB_ENDPOINT", func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{}) }},
		"flussonic":  {"flussonic.yaml", "FLUSSONIC_ENDPOINT", func() (*emulator.Server, error) { return flussonic.New(flussonic.Options{}) }},
		"mediasoup":  {"mediasoup.yaml", "MEDIASOUP_ENDPOINT", func() (*emulator.Server, error) { return mediasoup.NewAgent(mediasoup.AgentOptions{}) }},
	} {
		t.Run(receiver, func(t *testing.T) {
			t.Parallel()
			server, err := tt.start()
			require.NoError(t, err)
			t.Cleanup(server.Close)
			require.NoError(t, server.SetFault("hang"))
			c := start(t, []string{tt.endpoint + "=" + server.URL(), "MEDIASOUP_AGENT_TOKEN=" + secret, "FLUSSONIC_USER=viewer", "FLUSSONIC_PASSWORD=" + secret}, shipped(tt.config), `yaml:
receivers:
  `+receiver+`: {timeout: `+timeout.String()+`, initial_delay: 1ms}
`)
			eventually(t, func(ct *assert.CollectT) { assert.NotEmpty(ct, server.Requests()) })
			asked := time.Now()
			c.Stop(t)
			assert.Less(t, time.Since(asked), timeout+slack)
		})
	}
}

// reloaded is laid over otlp.yaml: a page besides, and a second receiver, whose sums begin with it.
const reloaded = `yaml:
receivers:
  zlmediakit: {metrics: {rtc.scrapes: {enabled: true}}}
  mediasoup: {endpoint: "${env:MEDIASOUP}", collection_interval: 1s, timeout: 1s, initial_delay: 1ms, metrics: {rtc.scrapes: {enabled: true}}}
exporters:
  prometheus: {without_scope_info: true}
service:
  pipelines: {metrics: {receivers: [zlmediakit, mediasoup], exporters: [otlp_http, prometheus]}}
`

// A reload under load gives no series twice: the page has each once, and OTLP has one point for each at a time, the times in
// order. Sums that the server tells the start of go on; those that the receiver counts begin anew, after the reload.
func TestReload(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{Streams: 50})
	agent, err := mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: 50, Moving: true})
	require.NoError(t, err)
	t.Cleanup(agent.Close)
	address := freeAddress(t)
	sink := backend(t, address)
	env := []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL(), "MEDIASOUP=" + agent.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + address}
	c := start(t, env, shipped("otlp.yaml"), often, reloaded)
	eventually(t, func(ct *assert.CollectT) { assert.GreaterOrEqual(ct, len(scrapeTimes(sink)), 6) })

	asked := time.Now()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
	eventually(t, func(ct *assert.CollectT) { assert.Contains(ct, firstScrapes(sink, asked), "mediasoup") })
	before := len(scrapeTimes(sink))
	eventually(t, func(ct *assert.CollectT) { assert.GreaterOrEqual(ct, len(scrapeTimes(sink)), before+6) })
	checkNoneTwice(t, c)
	c.Stop(t)

	history := historyOf(sink)
	checkStarts(t, history, asked, "zlmediakit.stream.io", false)
	checkStarts(t, history, asked, "mediasoup.consumer.io", true)
	checkStarts(t, history, asked, "rtc.scrapes", true)
	for series, points := range history {
		for i := 1; i < len(points); i++ {
			assert.Greater(t, points[i].Timestamp(), points[i-1].Timestamp(), series)
		}
	}
}

// firstScrapes returns the services whose first scrape since a time has arrived.
func firstScrapes(sink *consumertest.MetricsSink, since time.Time) (services []string) {
	for series, points := range historyOf(sink) {
		service, metric, _ := strings.Cut(series, " ")
		last := points[len(points)-1]
		if strings.HasPrefix(metric, "rtc.scrapesmap[") && last.StartTimestamp().AsTime().After(since) {
			services = append(services, service)
		}
	}
	return services
}

// historyOf returns the points of every series in the order in which they arrived.
func historyOf(sink *consumertest.MetricsSink) map[string][]pmetric.NumberDataPoint {
	history := map[string][]pmetric.NumberDataPoint{}
	for _, md := range sink.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			service, _ := rm.Resource().Attributes().Get("service.name")
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					for _, dp := range pointsOf(m).All() {
						series := service.Str() + " " + m.Name() + fmt.Sprint(dp.Attributes().AsRaw())
						history[series] = append(history[series], dp)
					}
				}
			}
		}
	}
	return history
}

// checkStarts looks for series of a sum on both sides of the reload, and whether they began anew.
func checkStarts(t *testing.T, history map[string][]pmetric.NumberDataPoint, reload time.Time, metric string, anew bool) {
	t.Helper()
	found := 0
	for series, points := range history {
		first, last := points[0], points[len(points)-1]
		if !strings.Contains(series, " "+metric+"map[") || first.Timestamp().AsTime().After(reload) || last.Timestamp().AsTime().Before(reload) {
			continue
		}
		found++
		assert.Equal(t, anew, last.StartTimestamp().AsTime().After(reload), series)
		if !anew {
			assert.Equal(t, first.StartTimestamp(), last.StartTimestamp(), series)
		}
	}
	assert.Positive(t, found, metric)
}

// checkNoneTwice looks for series that stand on the page more than once.
func checkNoneTwice(t *testing.T, c *collector) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(fetch(t, c.Page)) {
		if series := line[:max(0, strings.LastIndexByte(line, ' '))]; line[0] != '#' {
			assert.False(t, seen[series], series)
			seen[series] = true
		}
	}
	assert.NotEmpty(t, seen)
}

// The memory limiter refuses what comes while there is too much of it, says so, and lets the rest in once the load is gone.
func TestMemoryPressure(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	large := startZLMediaKit(t, zlmediakit.Options{Addr: address, Streams: 4000})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + large.URL()}, shipped("prometheus.yaml"), `yaml:
receivers:
  zlmediakit: {collection_interval: 2s, timeout: 2s, initial_delay: 1ms, streams: {limit: 10000}}
processors:
  memory_limiter: {check_interval: 100ms, min_gc_interval_when_hard_limited: 1s, limit_mib: 40, spike_limit_mib: 4}
exporters:
  prometheus: {metric_expiration: 8s}
`)
	eventually(t, func(ct *assert.CollectT) {
		if !strings.Contains(c.Log(), "Memory usage is above soft limit. Refusing data.") { // Contains of assert would print the log each time
			assert.Fail(ct, "the log does not tell")
		}
		assert.Regexp(ct, `(?m)^otelcol_receiver_refused_metric_points(_total)?\{.*\} [1-9]`, fetch(ct, c.Telemetry))
	})
	large.Close()
	startZLMediaKit(t, zlmediakit.Options{Addr: address, Streams: 5})
	eventually(t, func(ct *assert.CollectT) { // what has expired leaves the memory when somebody reads the page
		assert.Len(ct, scrapePage(ct, c).values("zlmediakit_stream_alive", nil), 5)
	})
	c.Stop(t)
}
