// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
)

// request is a kind of request that receivers make.
type request int

const (
	forJSON    request = iota // of an API
	forMetrics                // the page /metrics
	forRoot                   // the page /
	requestKinds
)

// names holds the name of a sender in errors, by request. A name is empty if the response is not characteristic.
type names [requestKinds]string

// always returns the names of a system whose responses are all recognised.
func always(name string) names { return names{name, name, name} }

// onJetty returns the names of a system with a page of metrics and the error pages of Jetty.
func onJetty(name string) names { return names{forJSON: jetty, forMetrics: name, forRoot: jetty} }

const jetty = "a Jetty server, such as JVB or Jicofo"

// foreignSystem is a system that can respond at an endpoint.
type foreignSystem struct {
	name    string
	start   func(t *testing.T) (url string)
	names   names
	hasPage bool // /metrics is a page of metrics
}

var foreignSystems = []foreignSystem{
	{"ZLMediaKit", emulate(zlmediakit.New, zlmediakit.Options{}), always("ZLMediaKit"), false},
	{"Flussonic", emulate(flussonic.New, flussonic.Options{}), always("Flussonic"), false},
	{"Flussonic before API v3", emulate(flussonic.New, flussonic.Options{Generation: "legacy"}), always("Flussonic"), false},
	// JVB rejects requests without an Accept header. The name of the sender of its error page, jetty, contains JVB.
	{"JVB", emulate(jitsi.NewJVB, jitsi.JVBOptions{}), onJetty("JVB"), false},
	{"JVB with statistics", emulate(jitsi.NewJVB, jitsi.JVBOptions{Stats: true}), onJetty("JVB"), false},
	{"Jicofo", emulate(jitsi.NewJicofo, jitsi.JicofoOptions{}), onJetty("Jicofo"), true},
	{"Jigasi", emulate(jitsi.NewJigasi, jitsi.JigasiOptions{}), onJetty("Jigasi"), true},
	{"Jibri", emulate(jitsi.NewJibri, jitsi.JibriOptions{}), names{}, false},
	{"Jibri with a page", emulate(jitsi.NewJibri, jitsi.JibriOptions{Metrics: true}), names{forMetrics: "Jibri"}, true},
	{"Kamailio", emulate(kamailio.NewHTTP, kamailio.HTTPOptions{}), always("Kamailio"), true},
	{"rtpengine", emulate(kamailio.NewRTPEngine, kamailio.RTPEngineOptions{}), names{forMetrics: "rtpengine"}, true},
	{"agent", emulate(mediasoup.NewAgent, mediasoup.AgentOptions{}), always("mediasoup's agent"), false},
	{"agent with a token", emulate(mediasoup.NewAgent, mediasoup.AgentOptions{Token: agentToken}), always("mediasoup's agent"), false},
	{"edumeet", emulate(mediasoup.NewEdumeet, mediasoup.EdumeetOptions{}), names{forRoot: "edumeet"}, true},
	{"nginx", serve(404, "text/html", emulator.Page404), always("with an HTML page"), false},
	{"web site", serve(200, "text/html", "<!doctype html><title>Welcome</title>"), always("an HTML page instead of the API's answer"), false},
	{"page", serve(200, "text/plain; version=0.0.4", "# TYPE go_goroutines gauge\ngo_goroutines 7\n"), names{forJSON: "a Prometheus page"}, true},
	{"JSON", serve(200, "application/json", `{"status":"ok"}`), names{forMetrics: "JSON instead of", forRoot: "JSON instead of"}, false},
	{"JSON with 404", serve(404, "application/json", `{"error":"not found"}`), names{}, false},
}

// emulate starts an emulated system.
func emulate[O any](start func(O) (*emulator.Server, error), options O) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		return emulatortest.Start(t, start, options).URL()
	}
}

// serve starts a server with a fixed response. An error response echoes the headers of the request, which contain secrets.
func serve(status int, contentType, body string) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			echo := ""
			if status != http.StatusOK {
				echo = fmt.Sprint(r.Header)
			}
			_, _ = fmt.Fprint(w, body, echo)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
}

// The secrets of the receivers: one in headers, one in a setting.
const (
	foreignSecret = "s3cr3t/+&="
	agentToken    = "t0ken/+&="
)

// rtcEndpoint is an endpoint in the configuration of a receiver.
type rtcEndpoint struct {
	name     string
	factory  receiver.Factory
	block    string         // configuration section; empty for the top level
	path     string         // of the endpoint
	extra    map[string]any // other settings in the section
	service  string         // service.name of the process; empty if there is none
	requests []request
	right    string // beginning of the expected system's name; empty if any system with a page of metrics is accepted
}

var (
	ofJSON    = []request{forJSON}
	ofMetrics = []request{forMetrics}
	ofJitsi   = []request{forJSON, forMetrics}
	toEdumeet = map[string]any{"format": "edumeet"}
	toAgent   = map[string]any{"token": agentToken, "headers": map[string]any{"Secret": foreignSecret}}
)

var rtcEndpoints = []rtcEndpoint{
	{"zlmediakit", zlmediakitreceiver.NewFactory(), "", "", nil, "zlmediakit", ofJSON, "ZLMediaKit"},
	{"flussonic", flussonicreceiver.NewFactory(), "", "", nil, "flussonic", ofJSON, "Flussonic"},
	{"kamailio", kamailioreceiver.NewFactory(), "", "/RPC", nil, "kamailio", ofJSON, "Kamailio"},
	{"rtpengine", kamailioreceiver.NewFactory(), "rtpengine", "/metrics", nil, "rtpengine", ofMetrics, "rtpengine"},
	{"user metrics", kamailioreceiver.NewFactory(), "user_metrics", "/metrics", nil, "", ofMetrics, ""},
	{"jvb", jitsireceiver.NewFactory(), "jvb", "", nil, "jitsi-videobridge", ofJitsi, "JVB"},
	{"jicofo", jitsireceiver.NewFactory(), "jicofo", "", nil, "jitsi-jicofo", ofJitsi, "Jicofo"},
	{"jigasi", jitsireceiver.NewFactory(), "jigasi", "", nil, "jitsi-jigasi", ofJitsi, "Jigasi"},
	{"jibri", jitsireceiver.NewFactory(), "jibri", "", nil, "jitsi-jibri", ofJitsi, "Jibri"},
	{"mediasoup", mediasoupreceiver.NewFactory(), "", "", toAgent, "mediasoup", ofJSON, "agent"},
	{"edumeet", mediasoupreceiver.NewFactory(), "", "", toEdumeet, "edumeet", []request{forRoot}, "edumeet"},
	{"edumeet sums", mediasoupreceiver.NewFactory(), "", "/metrics", toEdumeet, "edumeet", ofMetrics, "edumeet"},
}

// config returns a configuration with the endpoint of a server and secrets. If it includes Kamailio, that endpoint is valid.
func (e *rtcEndpoint) config(t *testing.T, url string) map[string]any {
	t.Helper()
	client := map[string]any{"endpoint": url + e.path, "headers": map[string]any{"Secret": foreignSecret, "Authorization": "Bearer " + foreignSecret}}
	maps.Copy(client, e.extra)
	config := client
	if e.block != "" {
		config = map[string]any{e.block: client}
	}
	if e.block != "" && e.factory.Type().String() == "kamailio" {
		config["endpoint"] = emulatortest.Start(t, kamailio.NewHTTP, kamailio.HTTPOptions{}).URL() + "/RPC"
	}
	return config
}

// setting returns the name of the setting in errors.
func (e *rtcEndpoint) setting() string {
	if e.block == "" {
		return "setting endpoint"
	}
	return "setting " + e.block + "::endpoint"
}

// isRight reports whether a system belongs to the endpoint.
func (e *rtcEndpoint) isRight(s *foreignSystem) bool {
	if e.right == "" {
		return s.hasPage
	}
	return strings.HasPrefix(s.name, e.right)
}

// scrapeOnce runs a receiver for one scrape and returns the metrics and the logged error.
func scrapeOnce(t *testing.T, factory receiver.Factory, config map[string]any) (pmetric.Metrics, string) {
	t.Helper()
	config["collection_interval"], config["timeout"], config["initial_delay"] = "1h", "10s", "1ms"
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(config).Unmarshal(cfg))
	core, logs := observer.New(zap.ErrorLevel)
	set := receivertest.NewNopSettings(factory.Type())
	set.Logger = zap.New(core)
	sink := new(consumertest.MetricsSink)
	r, err := factory.CreateMetrics(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) > 0 }, 20*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	text := ""
	for _, entry := range logs.All() {
		text += fmt.Sprint(entry.ContextMap()["error"])
	}
	return sink.AllMetrics()[0], text
}

// upOf returns rtc.target.up of a service.
func upOf(t *testing.T, md pmetric.Metrics, service string) float64 {
	t.Helper()
	for _, rm := range md.ResourceMetrics().All() {
		if name, _ := rm.Resource().Attributes().Get("service.name"); name.Str() == service {
			only := pmetric.NewMetrics()
			rm.CopyTo(only.ResourceMetrics().AppendEmpty())
			up, there := rtctest.Points(t, only)["rtc.target.up{}"]
			require.True(t, there)
			return up
		}
	}
	require.Fail(t, "no resource of "+service)
	return 0
}

// TestForeignSystems checks for each system at each endpoint that it is not mistaken for the expected system, and that the error
// names the sender and the setting.
func TestForeignSystems(t *testing.T) {
	var cells, silent atomic.Int64
	t.Run("matrix", func(t *testing.T) {
		for i := range rtcEndpoints {
			for j := range foreignSystems {
				endpoint, system := &rtcEndpoints[i], &foreignSystems[j]
				t.Run(endpoint.name+"/"+system.name, func(t *testing.T) {
					t.Parallel()
					cells.Add(1)
					right := endpoint.isRight(system)
					md, text := scrapeOnce(t, endpoint.factory, endpoint.config(t, system.start(t)))
					for _, secret := range []string{foreignSecret, agentToken} {
						rtctest.NoSecret(t, secret, text, rtctest.Text(t, md))
					}
					if endpoint.service == "" {
						assert.InDelta(t, 1, upOf(t, md, "kamailio"), 0)
					} else {
						assert.Equal(t, right, upOf(t, md, endpoint.service) == 1, text)
					}
					if right {
						assert.NotContains(t, text, "check ")
					} else if !checkForeignError(t, endpoint, system, text) {
						silent.Add(1)
						t.Log("not recognised:", text)
					}
				})
			}
		}
	})
	t.Logf("%d cells, in %d of which nothing can be recognised", cells.Load(), silent.Load())
}

// checkForeignError checks an error and reports whether it can name the sender.
func checkForeignError(t *testing.T, endpoint *rtcEndpoint, system *foreignSystem, text string) bool {
	t.Helper()
	require.NotEmpty(t, text)
	assert.False(t, strings.HasPrefix(text, " of"), text)
	assert.NotContains(t, text, ";  of")
	assert.Contains(t, text, endpoint.setting())
	recognised := 0
	for _, request := range endpoint.requests {
		name := system.names[request]
		if name == "" || name == jetty && endpoint.factory.Type().String() == "jitsi" { // may be the component itself
			continue
		}
		recognised++
		assert.Contains(t, text, name)
	}
	if recognised == len(endpoint.requests) {
		assert.NotContains(t, text, "off by default")
	}
	return recognised > 0
}

// TestMaxResponseSize checks that the setting limits the size of every HTTP response.
func TestMaxResponseSize(t *testing.T) {
	for i := range rtcEndpoints {
		endpoint := &rtcEndpoints[i]
		t.Run(endpoint.name, func(t *testing.T) {
			t.Parallel()
			var texts []string
			for j := range foreignSystems {
				if system := &foreignSystems[j]; endpoint.isRight(system) {
					config := endpoint.config(t, system.start(t))
					config["max_response_size"] = 1024
					_, text := scrapeOnce(t, endpoint.factory, config)
					texts = append(texts, text)
				}
			}
			assert.Contains(t, strings.Join(texts, "; "), "the answer is larger than 1024 bytes: check that the "+endpoint.setting()+" leads to the right server, or raise max_response_size")
		})
	}
}
