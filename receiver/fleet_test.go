// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver"
)

var factories = map[string]receiver.Factory{
	"zlmediakit": zlmediakitreceiver.NewFactory(), "flussonic": flussonicreceiver.NewFactory(), "jitsi": jitsireceiver.NewFactory(),
	"kamailio": kamailioreceiver.NewFactory(), "mediasoup": mediasoupreceiver.NewFactory(),
}

// loadReceiver returns the configuration of a receiver in YAML, and the result of its validation.
func loadReceiver(t *testing.T, system, text string) (component.Config, error) {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &content))
	cfg := factories[system].CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(content).Unmarshal(cfg))
	return cfg, xconfmap.Validate(cfg)
}

// TestTargetsConfig checks which targets each receiver accepts.
func TestTargetsConfig(t *testing.T) {
	const discovered = "files: [/etc/otelcol-rtc/*.yaml], http: {endpoint: 'https://a/b'}, dns: [{name: a, type: A, port: 80}]"
	for _, tc := range []struct{ system, text, want string }{
		{"zlmediakit", "targets: {static: [a], " + discovered + "}\nshard: {index: 0, count: 3}", ""},
		{"zlmediakit", "{endpoint: 'http://a', targets: {static: [a]}}", "endpoint: must not be set beside targets"},
		{"zlmediakit", "targets: {sockets: [/run/a]}", "targets::sockets: this receiver cannot read sockets"},
		{"zlmediakit", "targets: {dns: [{name: a, type: A}]}", "dns::0: port: 0 must be 1 to 65535"},
		{"zlmediakit", "targets: {static: [a]}\nshard: {index: 3, count: 3}", "shard: index: must be 0 to 2"},
		{"zlmediakit", "targets: {static: [a]}\nsecret: ", "secret: is empty"},
		{"flussonic", "targets: {static: [a], " + discovered + "}", ""},
		{"flussonic", "shard: {index: 0, count: 3}", "shard: needs targets"},
		{"mediasoup", "targets: {static: [a], " + discovered + "}", ""},
		{"kamailio", "targets: {static: [a, 'tcp://a:2049', 'unix:///run/a'], sockets: [/run/a*], " + discovered + "}", ""},
		{"kamailio", "rtpengine: {targets: {static: [a], " + discovered + "}}", ""},
		{"kamailio", "rtpengine: {targets: {static: ['tcp://a']}}", "rtpengine::targets::static::0: endpoint: must be an http or https URL"},
		{"kamailio", "rtpengine: {targets: {sockets: [/run/a]}}", "rtpengine::targets::sockets: this receiver cannot read sockets"},
		{"kamailio", "targets: {static: [a]}\nuser_metrics: {endpoint: 'http://a'}", "user_metrics::endpoint: must not be set beside targets"},
		{"kamailio", "endpoint: ''", "endpoint: must be the path of a socket"},
		{
			"jitsi", "{jvb: {targets: {static: [a], " + discovered + "}}, jicofo: {endpoint: 'http://a:8888'}, jigasi: {targets: {static: [a]}}," +
				"jibri: {targets: {static: [a]}}, shard: {index: 0, count: 3}}", "",
		},
		{"jitsi", "jvb: {targets: {static: ['a:8080/colibri/stats']}}", "jvb::targets::static::0: endpoint: must end before /colibri/stats"},
		{"jitsi", "jibri: {endpoint: 'http://a', targets: {static: [a]}}", "jibri::endpoint: must not be set beside targets: add it to jibri::targets::static"},
	} {
		t.Run(tc.system+" "+tc.text, func(t *testing.T) {
			_, err := loadReceiver(t, tc.system, tc.text)
			if tc.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.want)
			}
		})
	}
}

// startReceiver starts a receiver with a configuration in YAML until the end of the test.
func startReceiver(t *testing.T, id component.ID, text string) (receiver.Metrics, *consumertest.MetricsSink, *observer.ObservedLogs) {
	t.Helper()
	cfg, err := loadReceiver(t, id.Type().String(), text)
	require.NoError(t, err)
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(id.Type())
	set.ID, set.Logger = id, zap.New(core)
	sink := &consumertest.MetricsSink{}
	r, err := factories[id.Type().String()].CreateMetrics(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	return r, sink, logs
}

// resources returns the resource attributes that a sink has received, by service.instance.id.
func resources(sink *consumertest.MetricsSink) map[string]map[string]any {
	found := map[string]map[string]any{}
	for _, md := range sink.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			attributes := rm.Resource().Attributes().AsRaw()
			found[attributes["service.instance.id"].(string)] = attributes
		}
	}
	return found
}

// TestTargetsOfEachReceiver checks that each receiver reads the targets in a file, and adds their labels except those that it sets
// itself.
func TestTargetsOfEachReceiver(t *testing.T) {
	for _, system := range systems.All {
		t.Run(system.Receiver, func(t *testing.T) {
			t.Parallel()
			first, second := emulatortest.Start(t, system.Start, 0), emulatortest.Start(t, system.Start, 0)
			file := filepath.Join(t.TempDir(), "targets.yaml")
			text := fmt.Sprintf("- targets: [%q, %q]\n  labels: {site: fra, service.name: mine}\n", first.URL(), second.URL())
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			settings := strings.ReplaceAll(system.Settings, "endpoint: %q", fmt.Sprintf("targets: {files: [%q]}", file))
			id := component.MustNewIDWithName(system.Receiver, t.Name())
			r, sink, logs := startReceiver(t, id, "{collection_interval: 200ms, initial_delay: 1ms, "+settings+"}")
			require.Eventually(t, func() bool { return len(resources(sink)) == 2 }, 10*time.Second, 10*time.Millisecond, "%v", logs.All())
			require.NoError(t, r.Shutdown(t.Context()))
			for _, attributes := range resources(sink) {
				assert.Equal(t, "fra", attributes["site"])
				assert.NotEqual(t, "mine", attributes["service.name"])
			}
			assert.Equal(t, 1, logs.FilterMessageSnippet("a label is ignored").FilterField(zap.String("label", "service.name")).Len())
		})
	}
}

// TestConfiguredTargetDisplacesDiscovered checks that a server that is both in a file of one receiver and in the configuration of another
// is read by the latter, whichever starts first.
func TestConfiguredTargetDisplacesDiscovered(t *testing.T) {
	server := emulatortest.Start(t, systems.All[0].Start, 0)
	file := filepath.Join(t.TempDir(), "targets.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "- targets: [%q]\n", server.URL()), 0o600))
	discovering := fmt.Sprintf("{collection_interval: 50ms, initial_delay: 1ms, targets: {files: [%q]}}", file)
	configured := fmt.Sprintf("{collection_interval: 50ms, initial_delay: 1ms, endpoint: %q}", server.URL())
	discoverer, found, logs := startReceiver(t, component.MustNewIDWithName("zlmediakit", "files"), discovering)
	require.Eventually(t, func() bool { return found.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)

	owner, sink, _ := startReceiver(t, component.MustNewIDWithName("zlmediakit", "owner"), configured)
	require.Eventually(t, func() bool { return logs.FilterMessage("the target is skipped").Len() == 1 }, 10*time.Second, 10*time.Millisecond)
	assert.Contains(t, logs.FilterMessage("the target is skipped").All()[0].ContextMap()["error"], "is also read by zlmediakit/owner")
	found.Reset()
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)
	assert.Zero(t, found.DataPointCount())

	require.NoError(t, owner.Shutdown(t.Context()))
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "- targets: [%q]\n\n", server.URL()), 0o600))
	require.Eventually(t, func() bool { return found.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, discoverer.Shutdown(t.Context()))
}

// TestSectionsWithTargets checks that the components of a receiver with targets are read on their own: those with an endpoint as well.
func TestSectionsWithTargets(t *testing.T) {
	urls := []string{
		emulatortest.Start(t, jitsi.NewJVB, jitsi.JVBOptions{Stats: true}).URL(), emulatortest.Start(t, jitsi.NewJicofo, jitsi.JicofoOptions{}).URL(),
	}
	r, sink, logs := startReceiver(t, component.MustNewIDWithName("jitsi", t.Name()), fmt.Sprintf(
		"{collection_interval: 200ms, initial_delay: 1ms, jvb: {targets: {static: [%q]}}, jicofo: {endpoint: %q}}", urls[0], urls[1]))
	require.Eventually(t, func() bool { return len(resources(sink)) == 2 }, 10*time.Second, 10*time.Millisecond, "%v", logs.All())
	require.NoError(t, r.Shutdown(t.Context()))
	var services []string
	for _, attributes := range resources(sink) {
		services = append(services, attributes["service.name"].(string))
	}
	slices.Sort(services)
	assert.Equal(t, []string{"jitsi-jicofo", "jitsi-videobridge"}, services)
}

// TestNothingIsLeftBehind checks that 1,000 starts and stops of targets leave no goroutines and no memory behind.
func TestNothingIsLeftBehind(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(component.MustNewType("zlmediakit"))
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	cfg, err := loadReceiver(t, "zlmediakit", "targets: {static: [127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3, 127.0.0.1:4, 127.0.0.1:5]}")
	require.NoError(t, err)
	change := func(times int) (goroutines int, memory uint64) {
		for range times {
			r, err := factories["zlmediakit"].CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
			require.NoError(t, err)
			require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
			require.NoError(t, r.Shutdown(t.Context()))
		}
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return runtime.NumGoroutine(), stats.HeapAlloc
	}
	goroutines, memory := change(20)
	afterwards, grown := change(200)
	assert.LessOrEqual(t, afterwards, goroutines)
	assert.Less(t, grown, memory+2<<20, "less than 2 KiB for each of 1,000 targets")
	t.Logf("heap: %d KiB after 100 targets, %d KiB after 1,100", memory>>10, grown>>10)
	require.NoError(t, telemetry.Shutdown(t.Context()))
}
