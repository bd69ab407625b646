// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// startFunc starts a server at an address, or at a free one if it is empty.
type startFunc func(address string) (*emulator.Server, error)

func zlm(o zlmediakit.Options) startFunc {
	return func(address string) (*emulator.Server, error) {
		o.Addr = address
		return zlmediakit.New(o)
	}
}

func jvb(o jitsi.JVBOptions) startFunc {
	return func(address string) (*emulator.Server, error) {
		o.Addr = address
		return jitsi.NewJVB(o)
	}
}

func ctl(o kamailio.CtlOptions) startFunc {
	return func(address string) (*emulator.Server, error) {
		o.Network, o.Addr = "tcp", address
		return kamailio.NewCtl(o)
	}
}

func streamer(o flussonic.Options) startFunc {
	return func(address string) (*emulator.Server, error) {
		o.Addr = address
		return flussonic.New(o)
	}
}

func agent(o mediasoup.AgentOptions) startFunc {
	return func(address string) (*emulator.Server, error) {
		o.Addr = address
		return mediasoup.NewAgent(o)
	}
}

// outage makes an alert fire: with a fault of the server, which may be limited to APIs, or with another server in its place.
type outage struct {
	alert    string
	settings string // of the receiver, in addition to those of package systems
	server   startFunc
	fault    string
	apis     []string
	instead  startFunc
}

// outages lists the most important alerts by system.
var outages = map[string][]outage{
	"zlmediakit": {
		{alert: "ZLMediaKitDown", server: zlm(zlmediakit.Options{}), fault: emulator.Refuse},
		{alert: "ZLMediaKitSecretRefused", server: zlm(zlmediakit.Options{}), fault: "wrong_secret", apis: []string{"getThreadsLoad"}},
		{alert: "ZLMediaKitLoopUnresponsive", server: zlm(zlmediakit.Options{}), fault: "hang", apis: []string{"getThreadsLoad"}},
		{
			alert: "ZLMediaKitStreamMissing", settings: "streams: {expected: [__defaultVhost__/live/cam1]}",
			server: zlm(zlmediakit.Options{}), instead: zlm(zlmediakit.Options{Scene: "idle"}),
		},
		{alert: "ZLMediaKitStreamFrozen", server: zlm(zlmediakit.Options{}), instead: zlm(zlmediakit.Options{Scene: "sample"})},
		{alert: "ZLMediaKitStreamsVanished", server: zlm(zlmediakit.Options{Streams: 40}), instead: zlm(zlmediakit.Options{Streams: 5})},
		{alert: "RTCScrapeErrors", server: zlm(zlmediakit.Options{}), fault: "status_500", apis: []string{"getStatistic"}},
		{
			alert: "RTCDataOmitted", settings: "streams: {limit: 20}",
			server: zlm(zlmediakit.Options{Streams: 10}), instead: zlm(zlmediakit.Options{Streams: 30}),
		},
	},
	"jitsi": {
		{alert: "JitsiDown", server: jvb(jitsi.JVBOptions{}), fault: emulator.Refuse},
		{alert: "JitsiUnhealthy", server: jvb(jitsi.JVBOptions{}), instead: jvb(jitsi.JVBOptions{Unhealthy: true})},
	},
	"kamailio": {
		{alert: "KamailioDown", server: ctl(kamailio.CtlOptions{}), fault: emulator.Refuse},
		{alert: "KamailioRestarted", server: ctl(kamailio.CtlOptions{Moving: true}), fault: emulator.Restart},
		{alert: "KamailioDispatcherSetDown", server: ctl(kamailio.CtlOptions{Scene: "minimal"}), instead: ctl(kamailio.CtlOptions{})},
	},
	"flussonic": {
		{alert: "FlussonicDown", server: streamer(flussonic.Options{}), fault: emulator.Refuse},
		{alert: "FlussonicStreamDown", server: streamer(flussonic.Options{Generation: "legacy"}), instead: streamer(flussonic.Options{})},
	},
	"mediasoup": {
		{alert: "MediasoupDown", server: agent(mediasoup.AgentOptions{}), fault: emulator.Refuse},
		{alert: "MediasoupRestarted", server: agent(mediasoup.AgentOptions{Moving: true}), fault: emulator.Restart},
	},
}

// durations matches durations in rules, but not those in names, such as rate5m.
var durations = regexp.MustCompile(`(for: )?\b(\d+)([smhdw])\b`)

// shorten divides a duration by 60. The result is at least 1 second, and at most 10 seconds, or 5 seconds for the delay of an alert.
func shorten(duration string) string {
	match := durations.FindStringSubmatch(duration)
	n, _ := strconv.Atoi(match[2])
	seconds := n * map[string]int{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[match[3]]
	longest := 10
	if match[1] != "" {
		longest = 5
	}
	return fmt.Sprintf("%s%ds", match[1], min(max(seconds/60, 1), longest))
}

// ruleConfig returns the configuration of Prometheus for the shipped rules that match a pattern, with short durations.
func ruleConfig(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("alerts", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	dir := t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		text = durations.ReplaceAllFunc(text, func(d []byte) []byte { return []byte(shorten(string(d))) })
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600))
	}
	return "rule_files: ['" + filepath.Join(dir, "*.yaml") + "']\n"
}

// monitored is a server with an outage.
type monitored struct {
	outage
	server  *emulator.Server
	address string
	fired   bool
}

// begin begins the outage.
func (m *monitored) begin(t *testing.T) {
	t.Helper()
	if m.instead != nil {
		m.replace(t, m.instead)
	} else {
		assert.NoError(t, m.server.SetFault(m.fault, m.apis...))
	}
}

// end ends the outage.
func (m *monitored) end(t *testing.T) {
	t.Helper()
	if m.instead != nil {
		m.replace(t, m.outage.server)
	} else if m.fault != emulator.Restart {
		assert.NoError(t, m.server.SetFault(""))
	}
}

// replace starts another server at the same address.
func (m *monitored) replace(t *testing.T, start startFunc) {
	t.Helper()
	m.server.Close()
	if server, err := start(m.address); assert.NoError(t, err) {
		m.server = server
	}
}

// startMonitored starts the servers of all outages and a collector that scrapes them.
func startMonitored(t *testing.T) (servers []*monitored, c *collector) {
	t.Helper()
	settings, receivers := "", []string{}
	for _, system := range systems.All {
		for _, o := range outages[system.Receiver] {
			server, err := o.server("")
			require.NoError(t, err)
			_, address, _ := strings.Cut(server.URL(), "://")
			m := &monitored{outage: o, server: server, address: address}
			t.Cleanup(func() { m.server.Close() })
			servers = append(servers, m)
			receiver := system.Receiver + "/" + o.alert
			receivers = append(receivers, receiver)
			settings += fmt.Sprintf("  %s: {"+system.Settings+", collection_interval: 1s, timeout: 1s, initial_delay: 1ms, %s}\n",
				receiver, server.URL(), o.settings)
		}
	}
	return servers, start(t, nil, "yaml:\nreceivers:\n"+settings+`
service:
  pipelines: {metrics: {receivers: [`+strings.Join(receivers, ", ")+`], processors: [memory_limiter], exporters: [prometheus_page]}}
`)
}

// TestAlerts makes servers fail and checks in a real Prometheus that the alerts fire, and that they end when the servers recover. While a
// server is down, no other alert fires for it. All durations in the rules are shortened.
func TestAlerts(t *testing.T) {
	t.Parallel()
	prometheusTool(t, "prometheus")
	servers, c := startMonitored(t)
	p := startPrometheus(t, ruleConfig(t, "*.yaml")+scrapeConfig(t, c.Page))
	eventually(t, func(ct *assert.CollectT) { // rules compare with up to 10 seconds ago
		assert.Len(ct, p.values(ct, "rtc_target_up offset 11s"), len(servers))
	})
	firing := p.firing(t)
	for _, m := range servers {
		assert.NotContains(t, firing[m.port()], m.alert)
		m.begin(t)
	}
	ended := func() bool {
		firing, all := p.firing(t), true
		for _, m := range servers {
			alerts := firing[m.port()]
			fires := slices.Contains(alerts, m.alert)
			if alone := len(alerts) == 1; fires && !m.fired && (alone || m.fault != emulator.Refuse) {
				m.fired = true
				m.end(t)
			}
			all = all && m.fired && !fires
		}
		return all
	}
	if !assert.Eventually(t, ended, 3*waitTimeout, 5*pollInterval) {
		for _, m := range servers {
			t.Logf("%s: has fired: %v, fires: %v", m.alert, m.fired, slices.Contains(p.firing(t)[m.port()], m.alert))
		}
	}
	c.Stop(t)
}

// port returns the port of the server, with which its instance ends.
func (m *monitored) port() string { return m.address[strings.LastIndex(m.address, ":"):] }

// firing returns the names of the alerts that fire, each once, by the port of the instance.
func (p *prometheus) firing(t require.TestingT) map[string][]string {
	names := map[string][]string{}
	for _, series := range p.query(t, `count by (alertname, instance) (ALERTS{alertstate="firing", instance!=""})`) {
		instance := series.Metric["instance"]
		port := instance[strings.LastIndex(instance, ":"):]
		names[port] = append(names[port], series.Metric["alertname"])
	}
	return names
}

// TestFleetAlerts checks the alerts about discovered targets as TestAlerts does, and that of fleet.yaml for a server that is down, which
// fires if the rules of its system are not loaded.
func TestFleetAlerts(t *testing.T) {
	t.Parallel()
	prometheusTool(t, "prometheus")
	var servers []*emulator.Server
	for range 4 {
		server, err := mediasoup.NewAgent(mediasoup.AgentOptions{})
		require.NoError(t, err)
		t.Cleanup(server.Close)
		servers = append(servers, server)
	}
	file := filepath.Join(t.TempDir(), "targets.yaml")
	writeTargets(t, file, servers[:3])
	c := start(t, nil, `yaml:
receivers:
  mediasoup: {targets: {files: ["`+file+`"], limit: 3}, collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
service:
  pipelines: {metrics: {receivers: [mediasoup], processors: [memory_limiter], exporters: [prometheus_page]}}
`)
	p := startPrometheus(t, ruleConfig(t, "fleet.yaml")+scrapeConfig(t, c.Page)+`
  - job_name: collector
    static_configs: [{targets: ["`+strings.TrimSuffix(strings.TrimPrefix(c.Telemetry, "http://"), "/metrics")+`"]}]
`)
	awaitFiring := func(alerts ...string) {
		t.Helper()
		seen := map[string]bool{}
		eventually(t, func(ct *assert.CollectT) {
			firing := p.alertNames(ct)
			for _, alert := range firing {
				seen[alert] = true
			}
			for _, alert := range alerts {
				assert.True(ct, seen[alert], alert)
			}
			assert.True(ct, len(alerts) > 0 || len(firing) == 0, firing)
		})
	}
	eventually(t, func(ct *assert.CollectT) { assert.Len(ct, p.values(ct, "rtc_target_up offset 11s"), 3) })
	awaitFiring()
	require.NoError(t, servers[0].SetFault(emulator.Refuse))
	writeTargets(t, file, servers[:2])
	awaitFiring("RTCTargetDown", "RTCTargetsVanished", "RTCTargetsDropped")
	require.NoError(t, servers[0].SetFault(""))
	writeTargets(t, file, servers)
	awaitFiring("RTCTargetsSkipped")
	writeTargets(t, file, servers[:3])
	awaitFiring()
	c.Stop(t)
}

// alertNames returns the names of the alerts that fire.
func (p *prometheus) alertNames(t require.TestingT) (names []string) {
	for _, series := range p.query(t, `count by (alertname) (ALERTS{alertstate="firing"})`) {
		names = append(names, series.Metric["alertname"])
	}
	return names
}
