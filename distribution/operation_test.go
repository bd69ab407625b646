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

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// TestDeadTarget checks that the collector stays healthy with a server that never answers, and that the log says what to check.
func TestDeadTarget(t *testing.T) {
	t.Parallel()
	endpoint := "http://" + freeAddress(t)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + endpoint}, shipped("zlmediakit.yaml"), often)
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

// verbose enables all diagnostic output of the collector, including spans in the log.
const verbose = `yaml:
exporters:
  debug: {verbosity: detailed}
extensions:
  healthcheckv2: {http: {status: {path: /status}, config: {enabled: true, path: /config}}}
service:
  extensions: [healthcheckv2, zpages]
  pipelines: {metrics/zlmediakit: {exporters: [prometheus_page, debug]}}
  telemetry:
    logs: {level: debug}
    traces: {processors: [{simple: {exporter: {console: {}}}}]}
`

// TestSecretDoesNotLeak checks that no page and no log line contains the secret, whatever the server answers.
func TestSecretDoesNotLeak(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("zlmediakit.yaml"), often, verbose)
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
			if !strings.Contains(c.Log(), step.logged) { // assert.Contains would print the log each time
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

// TestStopDuringScrape checks that a hanging scrape of any system, which could last a minute, does not delay the end of the collector.
func TestStopDuringScrape(t *testing.T) {
	t.Parallel()
	for _, system := range systems.All {
		t.Run(system.Receiver, func(t *testing.T) {
			t.Parallel()
			server := emulatortest.Start(t, system.Start, 0)
			require.NoError(t, server.SetFault("hang"))
			file := shipped(system.Receiver + ".yaml")
			c := start(t, requiredBy(t, file), file, fmt.Sprintf(`yaml:
receivers:
  %s: {`+system.Settings+`, collection_interval: 1m, timeout: 1m, initial_delay: 1ms}
`, system.Receiver, server.URL()))
			eventually(t, func(ct *assert.CollectT) { assert.NotEmpty(ct, server.Requests()) })
			stopped := time.Now()
			c.Stop(t)
			assert.Less(t, time.Since(stopped), 5*time.Second, "1 s is wanted; a busy machine takes longer")
		})
	}
}

// reloaded adds to otlp.yaml a metrics page, and a second receiver whose sums start with the receiver.
const reloaded = `yaml:
receivers:
  zlmediakit: {metrics: {rtc.scrapes: {enabled: true}}}
  mediasoup: {endpoint: "${env:MEDIASOUP}", collection_interval: 1s, timeout: 1s, initial_delay: 1ms, metrics: {rtc.scrapes: {enabled: true}}}
service:
  pipelines: {metrics/zlmediakit: {receivers: [zlmediakit, mediasoup], exporters: [otlp_http, prometheus_page]}}
`

// TestReload reloads the configuration under load. The page must not repeat a series, and the points of a series must arrive in
// order. Sums keep the start times reported by the server, and sums counted by the receiver restart after the reload.
func TestReload(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{Streams: 50})
	agent, err := mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: 50, Moving: true})
	require.NoError(t, err)
	t.Cleanup(agent.Close)
	address := freeAddress(t)
	sink := backend(t, address)
	env := []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL(), "MEDIASOUP=" + agent.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + address}
	c := start(t, env, shipped("zlmediakit.yaml"), shipped("otlp.yaml"), often, reloaded)
	eventually(t, func(ct *assert.CollectT) { assert.GreaterOrEqual(ct, len(scrapeTimes(sink)), 6) })

	reload := time.Now()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
	eventually(t, func(ct *assert.CollectT) { assert.Contains(ct, firstScrapes(sink, reload), "mediasoup") })
	before := len(scrapeTimes(sink))
	eventually(t, func(ct *assert.CollectT) { assert.GreaterOrEqual(ct, len(scrapeTimes(sink)), before+6) })
	checkUnique(t, c)
	c.Stop(t)

	history := historyOf(sink)
	checkStarts(t, history, reload, "zlmediakit.stream.io", false)
	checkStarts(t, history, reload, "mediasoup.consumer.io", true)
	checkStarts(t, history, reload, "rtc.scrapes", true)
	for series, points := range history {
		for i := 1; i < len(points); i++ {
			assert.Greater(t, points[i].Timestamp(), points[i-1].Timestamp(), series)
		}
	}
}

// firstScrapes returns the services whose receivers started after since.
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

// historyOf returns the points of every series in order of arrival.
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

// checkStarts requires series of a sum before and after the reload, and checks whether they have restarted.
func checkStarts(t *testing.T, history map[string][]pmetric.NumberDataPoint, reload time.Time, metric string, restarted bool) {
	t.Helper()
	found := 0
	for series, points := range history {
		first, last := points[0], points[len(points)-1]
		if !strings.Contains(series, " "+metric+"map[") || first.Timestamp().AsTime().After(reload) || last.Timestamp().AsTime().Before(reload) {
			continue
		}
		found++
		assert.Equal(t, restarted, last.StartTimestamp().AsTime().After(reload), series)
		if !restarted {
			assert.Equal(t, first.StartTimestamp(), last.StartTimestamp(), series)
		}
	}
	assert.Positive(t, found, metric)
}

// checkUnique requires that the page contains each series only once.
func checkUnique(t *testing.T, c *collector) {
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

// TestMemoryPressure checks that the memory limiter refuses data above its limit, logs that, and accepts data after the load is gone.
func TestMemoryPressure(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	large := startZLMediaKit(t, zlmediakit.Options{Addr: address, Streams: 4000})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + large.URL()}, shipped("zlmediakit.yaml"), `yaml:
receivers:
  zlmediakit: {collection_interval: 2s, timeout: 2s, initial_delay: 1ms, streams: {limit: 10000}}
processors:
  memory_limiter: {check_interval: 100ms, min_gc_interval_when_hard_limited: 1s, limit_mib: 40, spike_limit_mib: 4}
`)
	eventually(t, func(ct *assert.CollectT) {
		if !strings.Contains(c.Log(), "Memory usage is above soft limit. Refusing data.") { // assert.Contains would print the log each time
			assert.Fail(ct, "no message of the memory limiter in the log")
		}
		assert.Regexp(ct, `(?m)^otelcol_receiver_refused_metric_points(_total)?\{.*\} [1-9]`, fetch(ct, c.Telemetry))
	})
	large.Close()
	startZLMediaKit(t, zlmediakit.Options{Addr: address, Streams: 5})
	eventually(t, func(ct *assert.CollectT) { // a request of the page removes expired series from memory
		assert.Len(ct, scrapePage(ct, c).values("zlmediakit_stream_alive", nil), 5)
	})
	c.Stop(t)
}
