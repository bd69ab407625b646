// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/html"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/overviewexporter/internal/metadata"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)

// bench is an exporter with a clock that the test sets.
type bench struct {
	*overviewExporter
	at time.Time
}

func newBench() *bench {
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Endpoint = "127.0.0.1:9468"
	b := &bench{newExporter(componenttest.NewNopTelemetrySettings(), config), noon}
	b.now, b.started = func() time.Time { return b.at }, noon.Add(-time.Hour)
	return b
}

// get returns the response to a request for a path.
func (b *bench) get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	b.handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:9468"+path, http.NoBody))
	return recorder
}

// text returns the visible text of a page, with a bar between elements.
func (b *bench) text(t *testing.T, path string) string {
	t.Helper()
	response := b.get(t, path)
	require.Equal(t, http.StatusOK, response.Code, response.Body)
	root, err := html.Parse(response.Body)
	require.NoError(t, err)
	var words []string
	for node := range root.Descendants() {
		if text := strings.TrimSpace(node.Data); node.Type == html.TextNode && text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, "|")
}

// payload builds the metrics of one target.
type payload struct {
	metrics pmetric.Metrics
	list    pmetric.MetricSlice
	at      time.Time
}

func (b *bench) payload(s *system, instance string) payload {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", strings.ToLower(s.name))
	rm.Resource().Attributes().PutStr("service.instance.id", instance)
	rm.Resource().Attributes().PutStr("service.version", "1.2.3")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("github.com/otelcol-rtc/otelcol-rtc/receiver/" + s.receiver)
	return payload{metrics, sm.Metrics(), b.at}
}

// gauge adds a data point. Attributes are pairs.
func (p payload) gauge(name string, value float64, attributes ...string) payload {
	metric := p.list.AppendEmpty()
	metric.SetName(name)
	p.set(metric.SetEmptyGauge().DataPoints().AppendEmpty(), value, attributes)
	return p
}

// counter adds a data point of a cumulative sum.
func (p payload) counter(name string, value float64, attributes ...string) payload {
	metric := p.list.AppendEmpty()
	metric.SetName(name)
	metric.SetEmptySum().SetIsMonotonic(true)
	metric.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p.set(metric.Sum().DataPoints().AppendEmpty(), value, attributes)
	return p
}

func (p payload) set(point pmetric.NumberDataPoint, value float64, attributes []string) {
	point.SetDoubleValue(value)
	point.SetTimestamp(pcommon.NewTimestampFromTime(p.at))
	for i := 0; i < len(attributes); i += 2 {
		point.Attributes().PutStr(attributes[i], attributes[i+1])
	}
}

// take has the exporter consume a full payload.
func (b *bench) take(t *testing.T, p payload) {
	t.Helper()
	require.NoError(t, b.consume(completeness.With(t.Context(), completeness.Full), p.metrics))
}

// stream is the attributes of a stream of ZLMediaKit.
func stream(name string) []string {
	return []string{"zlmediakit.vhost", "v", "zlmediakit.app", "live", "zlmediakit.stream.name", name}
}

func target1(instance string, pairs ...string) string {
	values := url.Values{"job": {"zlmediakit"}, "instance": {instance}}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return "/target?" + values.Encode()
}

func TestEmpty(t *testing.T) {
	b := newBench()
	text := b.text(t, "/")
	assert.Contains(t, text, "|No servers.|")
	assert.Contains(t, text, "No servers yet. A server appears here after its first scrape.")
	b.take(t, b.payload(zlmediakit, "a:80").gauge("rtc.target.up", 1))
	assert.Contains(t, b.text(t, target1("a:80")), "No streams. This server reports none.")
	assert.Contains(t, b.text(t, "/?q=x"), "No server matches the search.|Show all")
	assert.Equal(t, http.StatusNotFound, b.get(t, target1("b:80")).Code)
	b.take(t, b.payload(jitsi, "j:80").gauge("rtc.target.up", 1))
	assert.Contains(t, b.text(t, "/target?job=jitsi&instance=j:80"), "This server reports no lists.")
}

// TestStates checks what the fleet page says about targets in all states, and in which order.
func TestStates(t *testing.T) {
	b := newBench()
	b.take(t, b.payload(zlmediakit, "silent:80").gauge("rtc.target.up", 1))
	b.take(t, b.payload(zlmediakit, "up:80").gauge("rtc.target.up", 1))
	b.take(t, b.payload(zlmediakit, "down:80").gauge("rtc.target.up", 1))
	b.at = noon.Add(61 * time.Second)
	b.take(t, b.payload(zlmediakit, "up:80").gauge("rtc.target.up", 1))
	b.take(t, b.payload(zlmediakit, "down:80").gauge("rtc.target.up", 0))
	b.take(t, b.payload(zlmediakit, "errors:80").gauge("rtc.target.up", 1).
		counter("rtc.scrape.errors", 1, "rtc.api", "getStatistic", "error.type", "timeout"))
	b.take(t, b.payload(zlmediakit, "unknown:80").gauge("zlmediakit.stream.count", 1))
	b.at = b.at.Add(4 * time.Second)
	text := b.text(t, "/")
	assert.Contains(t, text, "|2 of 5 servers up, 1 down, 1 without data, 1 with errors, 1 unknown.|")
	last := 0
	for _, want := range []string{
		"|down|for 4 s|down:80|", "|no data|for 1 min|silent:80|", "|up, with errors|for 4 s|errors:80|", "|unknown|unknown:80|",
		"|up|for 1 min|up:80|",
	} {
		at := strings.Index(text, want)
		assert.Greater(t, at, last, "%s in %s", want, text)
		last = at
	}
	assert.Contains(t, text, "|timeout|getStatistic, now|")
	assert.Contains(t, b.get(t, "/").Body.String(), `<span class="state bad"><span class="dot bad" aria-hidden="true"></span>down</span>`)

	b.take(t, b.payload(zlmediakit, "errors:80").gauge("rtc.target.up", 1).
		counter("rtc.scrape.errors", 1, "rtc.api", "getStatistic", "error.type", "timeout"))
	assert.Contains(t, b.text(t, "/"), "|timeout|getStatistic, 4 s ago|")
	b.fleet.forget(noon.Add(forgetAfter + time.Second))
	assert.NotContains(t, b.text(t, "/"), "silent:80")
}

// TestPages checks the numbers of both pages.
func TestPages(t *testing.T) {
	b := newBench()
	for i := range 3 {
		b.at = noon.Add(time.Duration(i) * 20 * time.Second)
		p := b.payload(zlmediakit, "a:80").gauge("rtc.target.up", 1).gauge("rtc.scrape.duration", 0.0123, "rtc.api", "a").
			gauge("rtc.scrape.duration", 0.5, "rtc.api", "b").
			gauge("zlmediakit.stream.count", 1200, "zlmediakit.app", "live").gauge("zlmediakit.stream.count", 34, "zlmediakit.app", "vod").
			gauge("zlmediakit.ingest.throughput", 1.25e6).
			gauge("zlmediakit.stream.alive", 1, stream("cam")...).gauge("zlmediakit.stream.alive", 0, stream("dark")...).
			gauge("zlmediakit.stream.throughput", 125000, append(stream("cam"), "zlmediakit.schema", "rtmp")...).
			gauge("zlmediakit.stream.throughput", 250000, append(stream("cam"), "zlmediakit.schema", "rtsp")...).
			gauge("zlmediakit.stream.uptime", 3723, stream("cam")...)
		b.take(t, p)
		b.take(t, b.payload(kamailio, "k:5060").gauge("rtc.target.up", 1).gauge("kamailio.uptime", 200000).
			counter("kamailio.requests", float64(100*i*i)).
			gauge("kamailio.memory.shared.usage", 25, "kamailio.memory.state", "used").
			gauge("kamailio.memory.shared.usage", 75, "kamailio.memory.state", "free").gauge("kamailio.memory.shared.limit", 100).
			gauge("kamailio.dispatcher.target.state", 1, "kamailio.dispatcher.uri", "sip:a", "kamailio.dispatcher.set", "1", "kamailio.dispatcher.state", "inactive").
			gauge("kamailio.dispatcher.target.state", 0, "kamailio.dispatcher.uri", "sip:a", "kamailio.dispatcher.set", "1", "kamailio.dispatcher.state", "active"))
	}
	fleet := b.text(t, "/")
	assert.Contains(t, fleet, "|2 of 2 servers up.|Streams|1,234|Bandwidth in|10.0|Mbit/s|")
	assert.Contains(t, fleet, "|All 2|ZLMediaKit 1|Kamailio 1|")
	assert.Contains(t, fleet, "|a:80|zlmediakit 1.2.3|1,234 streams|10.0|Mbit/s|–|–|500|ms|–|")
	assert.Contains(t, fleet, "|k:5060|kamailio 1.2.3|–|–|–|2 d 7|h|")
	assert.NotContains(t, b.text(t, "/?system=Kamailio"), "a:80")

	one := b.text(t, target1("a:80"))
	assert.Contains(t, one, "|a:80|Up.|System|")
	assert.Contains(t, one, "|System|ZLMediaKit|Version|1.2.3|Scrape|500 ms|Last data|0 s ago|In this state|40 s|")
	assert.Contains(t, one, "|In|10.0|Mbit/s|peak 10.0 Mbit/s|")
	assert.Contains(t, one, "|silent|dark|live|v|–|–|alive|cam|live|v|2.00|Mbit/s|1:02|h|2 streams")
	sip := b.text(t, "/target?job=kamailio&instance=k:5060")
	assert.Contains(t, sip, "|Requests|15.0|/s|peak 15.0 /s|")
	assert.Contains(t, sip, "|Shared memory in use|25.0|%|")
	assert.Contains(t, sip, "|inactive|sip:a|1|1 destination")
}

// TestListing checks search, order and pages with 10,000 streams.
func TestListing(t *testing.T) {
	b := newBench()
	p := b.payload(zlmediakit, "a:80").gauge("rtc.target.up", 1)
	for i := range 10000 {
		p.gauge("zlmediakit.stream.alive", 1, stream(fmt.Sprintf("cam%05d", i))...)
		p.gauge("zlmediakit.stream.reader.count", float64(i), stream(fmt.Sprintf("cam%05d", i))...)
	}
	b.take(t, p)
	for name, test := range map[string]struct {
		parameters                   []string
		first, count, previous, next string
	}{
		"first":       {nil, "cam00000", "1 to 100 of 10,000 streams", "", "page=2"},
		"second":      {[]string{"page", "2"}, "cam00100", "101 to 200 of 10,000 streams", "page=1", "page=3"},
		"last":        {[]string{"page", "100"}, "cam09900", "9,901 to 10,000 of 10,000 streams", "page=99", ""},
		"beyond":      {[]string{"page", "999999999999"}, "cam09900", "9,901 to 10,000 of 10,000 streams", "page=99", ""},
		"not a page":  {[]string{"page", "-1"}, "cam00000", "1 to 100 of 10,000 streams", "", "page=2"},
		"viewers":     {[]string{"sort", "4", "order", "desc"}, "cam09999", "1 to 100 of 10,000 streams", "", "order=desc&page=2&sort=4"},
		"search":      {[]string{"q", "CAM0999"}, "cam09990", "10 streams", "", ""},
		"search page": {[]string{"q", "cam09", "page", "2"}, "cam09100", "101 to 200 of 1,000 streams", "page=1&q=cam09", "page=3&q=cam09"},
		"not a sort":  {[]string{"sort", "99"}, "cam00000", "1 to 100 of 10,000 streams", "", "page=2"},
	} {
		t.Run(name, func(t *testing.T) {
			values := url.Values{"job": {"zlmediakit"}, "instance": {"a:80"}}
			for i := 0; i < len(test.parameters); i += 2 {
				values.Set(test.parameters[i], test.parameters[i+1])
			}
			view := b.targetPage(parameters{"target", values})
			require.NotNil(t, view)
			assert.Equal(t, test.first, view.List.Rows[0][1].Text)
			assert.Equal(t, test.count, view.List.Count)
			for want, got := range map[string]string{test.previous: view.List.Previous, test.next: view.List.Next} {
				if want == "" {
					assert.Empty(t, got)
				} else {
					assert.Contains(t, got, want)
				}
			}
			assert.LessOrEqual(t, len(view.List.Rows), pageSize)
		})
	}
	assert.Less(t, b.get(t, target1("a:80")).Body.Len(), 100<<10)
	assert.Contains(t, b.text(t, target1("a:80", "q", "nothing")), "Nothing matches the search.")
}

// TestEscaping checks that text of servers is only text on the page.
func TestEscaping(t *testing.T) {
	for _, name := range []string{
		`"><script>alert(1)</script>`, `' onmouseover='x`, "\u202egnp.exe", "שלום עולם", "😀🏳️‍🌈", "{{.}}", "javascript:alert(1)", "a\x00b\ncd", "&amp;",
	} {
		b := newBench()
		b.take(t, b.payload(zlmediakit, name).gauge("rtc.target.up", 1).gauge("zlmediakit.stream.alive", 1, stream(name)...).
			counter("rtc.scrape.errors", 1, "rtc.api", name, "error.type", name))
		for _, path := range []string{"/", "/?q=" + url.QueryEscape(name), target1(name), target1(name, "q", name)} {
			response := b.get(t, path)
			require.Equal(t, http.StatusOK, response.Code)
			root, err := html.Parse(response.Body)
			require.NoError(t, err)
			scripts, found := 0, false
			for node := range root.Descendants() {
				if node.Type == html.TextNode {
					found = found || node.Data == strings.ReplaceAll(name, "\x00", "\ufffd")
				}
				if node.Data == "script" && node.Type == html.ElementNode {
					scripts++
				}
				for _, attribute := range node.Attr {
					assert.False(t, strings.HasPrefix(attribute.Key, "on") || attribute.Key == "style", "%s on %s", attribute.Key, path)
					if attribute.Key == "href" {
						assert.Regexp(t, `^(\./|target|#main|style\.css|icon\.svg)`, attribute.Val)
					}
				}
			}
			assert.Equal(t, 1, scripts)
			assert.True(t, found, "%q on %s", name, path)
		}
	}
}

// TestRequests checks status and headers of responses.
func TestRequests(t *testing.T) {
	b := newBench()
	for name, test := range map[string]struct {
		method, host, path string
		status             int
	}{
		"fleet":          {"GET", "localhost:9468", "/", 200},
		"head":           {"HEAD", "127.0.0.1:9468", "/", 200},
		"loopback":       {"GET", "127.8.9.1", "/style.css", 200},
		"IPv6":           {"GET", "[::1]:9468", "/script.js", 200},
		"IPv6 alone":     {"GET", "[::1]", "/icon.svg", 200},
		"upper case":     {"GET", "LOCALHOST:80", "/", 200},
		"rebinding":      {"GET", "evil.example:9468", "/", 403},
		"subdomain":      {"GET", "localhost.evil.example", "/", 403},
		"address":        {"GET", "192.0.2.1:9468", "/script.js", 403},
		"no host":        {"GET", "", "/", 403},
		"post":           {"POST", "localhost", "/", 405},
		"delete":         {"DELETE", "localhost", "/target", 405},
		"other":          {"GET", "localhost", "/metrics", 404},
		"folder":         {"GET", "localhost", "/assets/", 404},
		"unknown target": {"GET", "localhost", "/target?job=a&instance=b", 404},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), test.method, "http://localhost"+test.path, http.NoBody)
			request.Host = test.host
			recorder := httptest.NewRecorder()
			b.handler().ServeHTTP(recorder, request)
			assert.Equal(t, test.status, recorder.Code)
			assert.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "+
				"frame-ancestors 'none'; base-uri 'none'; form-action 'self'", recorder.Header().Get("Content-Security-Policy"))
			assert.Equal(t, "nosniff", recorder.Header().Get("X-Content-Type-Options"))
		})
	}
	b.config.ServerConfig.NetAddr.Endpoint = "0.0.0.0:9468"
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://collector.example/", http.NoBody)
	recorder := httptest.NewRecorder()
	b.handler().ServeHTTP(recorder, request)
	assert.Equal(t, http.StatusOK, recorder.Code)
}

// TestLimit checks that further targets are counted, but not kept.
func TestLimit(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	b := newBench()
	b.settings.Logger = zap.New(core)
	for i := range maxTargets + 2 {
		b.take(t, b.payload(zlmediakit, fmt.Sprint("host:", i)).gauge("rtc.target.up", 1))
	}
	assert.Len(t, b.fleet.targets, maxTargets)
	assert.Contains(t, b.text(t, "/"), "This page shows the first 1000 servers. Not shown: 2 more.")
	assert.Equal(t, 1, logs.Len())
	snapshot := b.store.TargetSnapshot(current.TargetID{Job: "zlmediakit", Instance: fmt.Sprint("host:", maxTargets)})
	defer snapshot.Release()
	assert.Empty(t, snapshot.Metrics)
	b.fleet.forget(noon.Add(2 * silentAfter))
	assert.NotContains(t, b.text(t, "/"), "Not shown")
}

// TestForeign checks that other metrics and other receivers take no memory.
func TestForeign(t *testing.T) {
	b := newBench()
	p := b.payload(zlmediakit, "a:80").gauge("zlmediakit.memory.block.count", 1)
	p.metrics.ResourceMetrics().At(0).ScopeMetrics().AppendEmpty().Scope().SetName("hostmetrics")
	b.take(t, p)
	p = b.payload(zlmediakit, "host").gauge("system.cpu.time", 1)
	p.metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().SetName("hostmetrics")
	b.take(t, p)
	assert.Len(t, b.fleet.targets, 1)
	snapshot := b.store.TargetSnapshot(current.TargetID{Job: "zlmediakit", Instance: "a:80"})
	defer snapshot.Release()
	assert.Empty(t, snapshot.Metrics)
}

// TestServer starts the exporter and fetches a page.
func TestServer(t *testing.T) {
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr = confignet.AddrConfig{Endpoint: "127.0.0.1:0", Transport: confignet.TransportTypeTCP}
	core, logs := observer.New(zapcore.InfoLevel)
	settings := exportertest.NewNopSettings(metadata.Type)
	settings.Logger = zap.New(core)
	metrics, err := NewFactory().CreateMetrics(t.Context(), settings, config)
	require.NoError(t, err)
	require.NoError(t, metrics.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, metrics.Shutdown(context.WithoutCancel(t.Context()))) })
	b := newBench()
	require.NoError(t, metrics.ConsumeMetrics(t.Context(), b.payload(zlmediakit, "a:80").gauge("rtc.target.up", 1).metrics))
	started := logs.FilterMessage("serving the overview page").All()
	require.Len(t, started, 1)
	assert.Equal(t, true, started[0].ContextMap()["loopback_only"])
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/", started[0].ContextMap()["address"]), http.NoBody)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "1 of 1 server up.")
}

func TestConfig(t *testing.T) {
	config := createDefaultConfig().(*Config)
	require.EqualError(t, config.Validate(), "endpoint: must be set, for example to 127.0.0.1:9468")
	for endpoint, loopback := range map[string]bool{
		"127.0.0.1:9468": true, "localhost:1": true, "[::1]:1": true, "127.3.2.1:1": true, "[::ffff:127.0.0.1]:1": true,
		"0.0.0.0:1": false, ":1": false, "10.0.0.1:1": false, "example.com:1": false, "/socket": false,
	} {
		config.ServerConfig.NetAddr.Endpoint = endpoint
		require.NoError(t, config.Validate())
		assert.Equal(t, loopback, config.loopback(), endpoint)
	}
	assert.Equal(t, 1, reflect.TypeFor[Config]().NumField(), "the README describes all settings")
}
