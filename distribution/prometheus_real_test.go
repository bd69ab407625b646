// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// prometheus is a running Prometheus.
type prometheus struct {
	URL string

	cmd  *exec.Cmd
	log  log
	done chan struct{} // closed when the process has exited
}

// prometheusTool returns the path of prometheus or promtool, which make test-deps builds. Without it, the test is skipped, or fails if
// CI=1.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	pin, err := os.ReadFile(filepath.Join("..", "internal", "tools", "prometheus", "go.mod"))
	require.NoError(t, err)
	_, version, found := strings.Cut(string(pin), "github.com/prometheus/prometheus v")
	require.True(t, found)
	version, _, _ = strings.Cut(version, "\n")
	version, _, _ = strings.Cut(version, " ")
	path := filepath.Join(cache, "otelcol-rtc", "prometheus-v"+version, name)
	if _, err := os.Stat(path); err != nil {
		stop := t.Skipf
		if os.Getenv("CI") == "1" {
			stop = t.Fatalf
		}
		stop("%s %s is not installed: run make test-deps", name, version)
	}
	return path
}

// startPrometheus runs Prometheus with a configuration and additional flags until the end of the test. It listens on a free port.
func startPrometheus(t *testing.T, config string, flags ...string) *prometheus {
	t.Helper()
	const attempts = 3
	for attempt := 1; ; attempt++ {
		p := launchPrometheus(t, config, flags)
		if p.ready(t) {
			return p
		}
		taken := strings.Contains(p.log.String(), "address already in use")
		require.True(t, taken && attempt < attempts, "Prometheus does not start:\n%s", end(p.log.String()))
	}
}

func launchPrometheus(t *testing.T, config string, flags []string) *prometheus {
	t.Helper()
	path, dir, address := prometheusTool(t, "prometheus"), t.TempDir(), freeAddress(t)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	args := append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
	}, flags...)
	p := &prometheus{URL: "http://" + address, cmd: exec.CommandContext(t.Context(), path, args...), done: make(chan struct{})}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGKILL) }
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // killed by the context of the test
		close(p.done)
	}()
	t.Cleanup(func() {
		<-p.done
		if t.Failed() {
			t.Logf("last lines of the log of Prometheus:\n%s", end(p.log.String()))
		}
	})
	return p
}

// ready waits until Prometheus answers. It returns false if Prometheus exits.
func (p *prometheus) ready(t *testing.T) (ready bool) {
	t.Helper()
	exited := false
	require.Eventually(t, func() bool {
		status, _, err := get(p.URL + "/-/ready")
		ready = err == nil && status == http.StatusOK
		select {
		case <-p.done:
			exited = true
		default:
		}
		return ready || exited
	}, waitTimeout, pollInterval, "Prometheus does not become ready")
	return ready && !exited
}

// api requests a path of the HTTP API and decodes its data.
func (p *prometheus) api(t require.TestingT, path string, parameters url.Values, data any) {
	var answer struct {
		Error string
		Data  json.RawMessage
	}
	status, body, err := get(p.URL + "/api/v1/" + path + "?" + parameters.Encode())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(body), &answer), "%s: %s", path, body)
	require.Equal(t, http.StatusOK, status, "%s: %s", parameters.Get("query"), answer.Error)
	require.NoError(t, json.Unmarshal(answer.Data, data), body)
}

// point is a sample as the HTTP API sends it.
type point struct {
	at    time.Time
	value float64
}

// UnmarshalJSON decodes [1435781451.781, "1"].
func (p *point) UnmarshalJSON(data []byte) error {
	var (
		seconds float64
		text    string
	)
	if err := json.Unmarshal(data, &[]any{&seconds, &text}); err != nil {
		return fmt.Errorf("sample %s: %w", data, err)
	}
	value, err := strconv.ParseFloat(text, 64)
	p.at, p.value = time.UnixMilli(int64(seconds*1000+0.5)), value
	return err
}

// result is a series in the answer to a query: Value for an instant vector, Values for a range vector.
type result struct {
	Metric labels
	Value  point
	Values []point
}

// query evaluates an expression now, or at a time.
func (p *prometheus) query(t require.TestingT, expression string, at ...time.Time) (series []result) {
	parameters := url.Values{"query": {expression}}
	for _, at := range at {
		parameters.Set("time", fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000))
	}
	var data struct{ Result []result }
	p.api(t, "query", parameters, &data)
	return data.Result
}

// values evaluates an expression and returns the values in ascending order.
func (p *prometheus) values(t require.TestingT, expression string, at ...time.Time) (values []float64) {
	for _, series := range p.query(t, expression, at...) {
		values = append(values, series.Value.value)
	}
	slices.Sort(values)
	return values
}

// scrapeConfig returns the scrape configuration of the README for a page, with a short interval.
func scrapeConfig(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\nscrape_configs:\n")
	require.True(t, found)
	config, _, _ := strings.Cut(rest, "```")
	require.Contains(t, config, "127.0.0.1:9464")
	address := strings.TrimSuffix(strings.TrimPrefix(page, "http://"), "/metrics")
	return "global: {scrape_interval: 300ms, scrape_timeout: 300ms, evaluation_interval: 500ms}\nscrape_configs:\n" +
		strings.Replace(config, "127.0.0.1:9464", address, 1)
}

// selector returns the selector of a series.
func (l labels) selector(name string) string {
	var matchers []string
	for label, value := range l {
		matchers = append(matchers, label+"="+strconv.Quote(value))
	}
	return name + "{" + strings.Join(matchers, ",") + "}"
}

// checkOnPage requires that Prometheus has the documented series, and the attributes of the server in target_info.
func (p *prometheus) checkOnPage(ct require.TestingT, target labels) {
	for _, row := range onPage {
		selector := target.with(row.labels).selector(row.name)
		assert.Equal(ct, []float64{row.value}, p.values(ct, selector), selector)
	}
	assert.Len(ct, p.values(ct, target.with(labels{"service_version": "daaa74a", "server_address": "127.0.0.1"}).selector("target_info")), 1)
}

// TestPrometheusScrapes checks the page in a real Prometheus with the scrape configuration of the README: values, types and target_info,
// and that series end with the next scrape when a stream ends, when the server is down, and when the target is no longer monitored.
func TestPrometheusScrapes(t *testing.T) {
	t.Parallel()
	captured, small := startZLMediaKit(t, zlmediakit.Options{}), startZLMediaKit(t, zlmediakit.Options{Streams: 3})
	a, b := target(t, captured), target(t, small)
	targets := filepath.Join(t.TempDir(), "targets.yaml")
	writeTargets(t, targets, []*emulator.Server{captured, small})
	c := start(t, nil, shipped("zlmediakit.yaml"), `yaml:
receivers:
  zlmediakit:
    endpoint: ""
    collection_interval: 1s
    timeout: 1s
    initial_delay: 1ms
    targets: {files: ["`+targets+`"]}
`)
	p := startPrometheus(t, scrapeConfig(t, c.Page))
	eventually(t, func(ct *assert.CollectT) {
		p.checkOnPage(ct, a)
		assert.Len(ct, p.values(ct, b.selector("zlmediakit_stream_alive")), 3)
	})
	for _, row := range onPage {
		var metadata map[string][]struct{ Type, Help string }
		p.api(t, "metadata", url.Values{"metric": {row.name}}, &metadata)
		require.Len(t, metadata[row.name], 1, row.name)
		assert.Equal(t, strings.ToLower(row.kind.String()), metadata[row.name][0].Type, row.name)
		assert.NotEmpty(t, metadata[row.name][0].Help, row.name)
	}

	const alive = "zlmediakit_stream_alive"
	check := func(target labels, up []float64, streams int) {
		t.Helper()
		eventually(t, func(ct *assert.CollectT) {
			assert.Equal(ct, up, p.values(ct, target.selector("rtc_target_up")))
			assert.Len(ct, p.values(ct, target.selector(alive)), streams)
		})
	}
	small.Close()
	check(b, []float64{0}, 0)
	startZLMediaKit(t, zlmediakit.Options{Streams: 2, Addr: strings.TrimPrefix(small.URL(), "http://")})
	check(b, []float64{1}, 2)
	writeTargets(t, targets, []*emulator.Server{captured})
	check(b, nil, 0)
	check(a, []float64{1}, 11)
	c.Stop(t)
}

// TestPrometheusReceives checks OTLP and remote write into a real Prometheus: values, target_info, and with OTLP types and units. A
// series that has ended remains for the lookback delta, which is 5 seconds here and 5 minutes by default.
func TestPrometheusReceives(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		flag, env, path string
		typed           bool
	}{
		"otlp":         {"--web.enable-otlp-receiver", "OTEL_EXPORTER_OTLP_ENDPOINT", "/api/v1/otlp", true},
		"remote_write": {"--web.enable-remote-write-receiver", "REMOTE_WRITE_ENDPOINT", "/api/v1/write", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startZLMediaKit(t, zlmediakit.Options{})
			target := target(t, server)
			p := startPrometheus(t, "", way.flag, "--query.lookback-delta=5s", "--enable-feature=type-and-unit-labels")
			env := []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL(), way.env + "=" + p.URL + way.path}
			c := start(t, env, shipped("zlmediakit.yaml"), shipped(name+".yaml"), often)
			eventually(t, func(ct *assert.CollectT) { p.checkOnPage(ct, target) })
			if way.typed {
				typed := labels{"__type__": "counter", "__unit__": "bytes"}
				assert.Len(t, p.values(t, target.with(cam1).with(rtmp).with(typed).selector("zlmediakit_stream_io_bytes_total")), 1)
				typed = labels{"__type__": "gauge", "__unit__": "seconds"}
				assert.Len(t, p.values(t, target.with(cam1).with(typed).selector("zlmediakit_stream_uptime_seconds")), 1)
			}

			require.NoError(t, server.SetFault(emulator.Refuse))
			alive := target.selector("zlmediakit_stream_alive")
			var down []result
			eventually(t, func(ct *assert.CollectT) {
				down = p.query(ct, "timestamp("+target.selector("rtc_target_up")+" == 0)")
				assert.Len(ct, down, 1)
			})
			at := time.UnixMilli(int64(down[0].Value.value * 1000))
			assert.Len(t, p.values(t, alive, at), 11)
			eventually(t, func(ct *assert.CollectT) { assert.Empty(ct, p.values(ct, alive)) })
			c.Stop(t)
		})
	}
}

// TestPrometheusStartTimes checks that Prometheus has a zero at the start time of a counter, from the page with OpenMetrics and from OTLP,
// so that rate() and increase() count the first value.
func TestPrometheusStartTimes(t *testing.T) {
	t.Parallel()
	const feature = "--enable-feature=created-timestamp-zero-ingestion"
	for name, viaPage := range map[string]bool{"page": true, "otlp": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := kamailio.NewCtl(kamailio.CtlOptions{Moving: true})
			require.NoError(t, err)
			t.Cleanup(server.Close)
			env := []string{"KAMAILIO_ENDPOINT=" + server.URL()}
			configs := []string{shipped("kamailio.yaml"), oftenKamailio, "yaml:exporters::prometheus_page::enable_open_metrics: true"}
			var p *prometheus
			if !viaPage {
				p = startPrometheus(t, "", feature, "--web.enable-otlp-receiver")
				env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+p.URL+"/api/v1/otlp")
				configs = append(configs, shipped("otlp.yaml"), `yaml:
service:
  pipelines:
    metrics/kamailio: {exporters: [otlp_http, prometheus_page]}
    metrics/zlmediakit: {receivers: [kamailio]} # of otlp.yaml
`)
			}
			c := start(t, env, configs...)
			if viaPage {
				p = startPrometheus(t, scrapeConfig(t, c.Page), feature)
			}
			eventually(t, func(ct *assert.CollectT) { assert.NotEmpty(ct, p.values(ct, "kamailio_requests_total")) })
			old := created(t, c)
			var restarted time.Time
			eventually(t, func(ct *assert.CollectT) {
				if time.Since(restarted) > 3*time.Second { // Prometheus drops the zero if it has fetched the page since the restart
					require.NoError(ct, server.SetFault(emulator.Restart))
					restarted = time.Now()
				}
				started := created(ct, c)
				assert.NotEqual(ct, old, started)
				series := p.query(ct, "kamailio_requests_total[1m]")
				if assert.Len(ct, series, 1) {
					assert.Contains(ct, series[0].Values, point{at: started, value: 0})
				}
			})
			c.Stop(t)
		})
	}
}

// created returns the start time of kamailio_requests_total on the page.
func created(t require.TestingT, c *collector) time.Time {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, c.Page, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	page, err := content(resp)
	require.NoError(t, err)
	_, line, found := strings.Cut(page, "\nkamailio_requests_created{")
	require.True(t, found, "no start time")
	line, _, _ = strings.Cut(line, "\n")
	seconds, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
	require.NoError(t, err)
	return time.UnixMilli(int64(seconds * 1000))
}

// TestPromtool checks the pages of all servers with promtool check metrics.
func TestPromtool(t *testing.T) {
	t.Parallel()
	endpoint := func(system, name string) string {
		for _, s := range systems.All {
			for _, server := range s.Servers {
				if s.Receiver == system && server.Name == name {
					start := server.Define(flag.NewFlagSet(name, flag.ContinueOnError))
					return emulatortest.Start(t, func(int) (*emulator.Server, error) { return start("", 0) }, 0).URL()
				}
			}
		}
		require.Fail(t, "no server is called "+name)
		return ""
	}
	tool := prometheusTool(t, "promtool")
	c := start(t, []string{
		"ZLMEDIAKIT_ENDPOINT=" + endpoint("zlmediakit", "zlmediakit"),
		"KAMAILIO_ENDPOINT=" + endpoint("kamailio", "kamailio"), "RTPENGINE_ENDPOINT=" + endpoint("kamailio", "rtpengine"),
		"JVB_ENDPOINT=" + endpoint("jitsi", "jvb"), "JICOFO_ENDPOINT=" + endpoint("jitsi", "jicofo"),
		"JIGASI_ENDPOINT=" + endpoint("jitsi", "jigasi"), "JIBRI_ENDPOINT=" + endpoint("jitsi", "jibri"),
		"FLUSSONIC_ENDPOINT=" + endpoint("flussonic", "flussonic"), "FLUSSONIC_USER=any", "FLUSSONIC_PASSWORD=any",
		"MEDIASOUP_ENDPOINT=" + endpoint("mediasoup", "mediasoup"), "EDUMEET_ENDPOINT=" + endpoint("mediasoup", "edumeet"),
	},
		shipped("zlmediakit.yaml"), shipped("kamailio.yaml"), shipped("jitsi.yaml"), shipped("flussonic.yaml"), shipped("mediasoup.yaml"),
		often, oftenKamailio, oftenJitsi, oftenFlussonic, oftenMediasoup, `yaml:
receivers:
  kamailio: {rtpengine: {endpoint: "${env:RTPENGINE_ENDPOINT}/metrics"}}
  mediasoup/edumeet: {format: edumeet, endpoint: "${env:EDUMEET_ENDPOINT}", collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
service:
  pipelines: {metrics/mediasoup: {receivers: [mediasoup, mediasoup/edumeet]}}
`)
	eventually(t, func(ct *assert.CollectT) {
		up := scrapePage(ct, c).values("rtc_target_up", nil)
		assert.Equal(ct, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, up)
	})
	check := exec.CommandContext(t.Context(), tool, "check", "metrics")
	check.Stdin = strings.NewReader(fetch(t, c.Page))
	output, _ := check.CombinedOutput() // fails if there is a complaint
	// The current number of items is called count in OpenTelemetry, such as system.process.count. On this page, it ends in _count like the
	// series of a histogram that holds the number of observations.
	for line := range strings.Lines(strings.TrimSpace(string(output))) {
		assert.Regexp(t, `^\w+_count non-histogram and non-summary metrics should not have "_count" suffix\n?$`, line)
	}
	assert.Contains(t, string(output), "zlmediakit_stream_count ")
	c.Stop(t)
}
