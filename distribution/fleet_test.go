// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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
)

// fleetPipeline exports only rtc.target.up, so that pages of hundreds of servers are small.
const fleetPipeline = `yaml:
processors:
  filter: {metrics: {metric: ['name != "rtc.target.up"']}}
exporters:
  prometheus_page: {resource_labels: [site]}
extensions:
  healthcheckv2: {use_v2: true}
service:
  extensions: [healthcheckv2]
  telemetry: {logs: {disable_stacktrace: true}}
  pipelines: {metrics: {receivers: [%s], processors: [filter], exporters: [prometheus_page]}}
`

// anyPorts completes fleetPipeline for the command validate.
const anyPorts = `yaml:
exporters: {prometheus_page: {endpoint: "127.0.0.1:0"}}
extensions: {healthcheckv2: {http: {endpoint: "127.0.0.1:0"}}}
`

// targetsUp returns the values of rtc_target_up by job and instance.
func targetsUp(t require.TestingT, c *collector) map[string]float64 {
	up := map[string]float64{}
	for _, series := range scrapePage(t, c)["rtc_target_up"].GetMetric() {
		var job, instance string
		for _, label := range series.GetLabel() {
			switch label.GetName() {
			case "job":
				job = label.GetValue()
			case "instance":
				instance = label.GetValue()
			}
		}
		up[job+" "+instance] = value(series)
	}
	return up
}

// awaitTargets waits until the page has exactly this number of targets that are up and down.
func awaitTargets(t *testing.T, c *collector, up, down int) {
	t.Helper()
	var got [2]int
	require.Eventually(t, func() bool {
		got = [2]int{}
		for _, value := range targetsUp(t, c) {
			got[1-int(value)]++
		}
		return got == [2]int{up, down}
	}, 3*waitTimeout, 200*time.Millisecond, "want %d up and %d down, got %v", up, down, &got) // hundreds of servers share the machine
}

// writeTargets replaces a file of file_sd.
func writeTargets(t *testing.T, path string, servers []*emulator.Server) {
	t.Helper()
	text, err := json.Marshal([]any{map[string]any{"targets": urls(servers), "labels": map[string]string{"site": "fra"}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".new", text, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func urls(servers []*emulator.Server) []string {
	list := make([]string, len(servers))
	for i, server := range servers {
		list[i] = strings.TrimPrefix(server.URL(), "http://")
	}
	return list
}

// startServers starts n emulated servers of a system.
func startServers(t *testing.T, system systems.System, n int) []*emulator.Server {
	t.Helper()
	servers := make([]*emulator.Server, n)
	for i := range servers {
		servers[i] = emulatortest.Start(t, system.Start, 0)
	}
	return servers
}

// TestFleet runs a collector with 300 servers of five systems, of which some hang, die, leave and are replaced.
func TestFleet(t *testing.T) {
	sizes := map[string]int{"zlmediakit": 20, "kamailio": 80, "jitsi": 100, "flussonic": 50, "mediasoup": 50}
	dir := t.TempDir()
	settings := "yaml:\nreceivers:\n"
	servers := map[string][]*emulator.Server{}
	for _, system := range systems.All {
		name, file := system.Receiver, filepath.Join(dir, system.Receiver+".json")
		servers[name] = startServers(t, system, sizes[name])
		writeTargets(t, file, servers[name])
		settings += fmt.Sprintf("  %s: {collection_interval: 5s, timeout: 5s, initial_delay: 1ms, %s}\n", name,
			strings.ReplaceAll(system.Settings, "endpoint: %q", fmt.Sprintf("targets: {files: [%q]}", file)))
	}
	c := start(t, nil, fmt.Sprintf(fleetPipeline, strings.Join(slices.Collect(maps.Keys(sizes)), ", ")), settings)
	awaitTargets(t, c, 300, 0)
	assert.Contains(t, fetch(t, c.Page), `site="fra"`)

	for name := range sizes {
		require.NoError(t, servers[name][0].SetFault("hang"))
		require.NoError(t, servers[name][1].SetFault("refuse"))
	}
	jitsi := systems.All[2] // 30 of its servers leave, among them those with faults, and 5 come
	moved := append(slices.Clone(servers["jitsi"][30:]), startServers(t, jitsi, 5)...)
	writeTargets(t, filepath.Join(dir, "jitsi.json"), moved)
	awaitTargets(t, c, 200-8+75, 8)
	assert.Contains(t, fetch(t, c.Status+"?verbose"), "2 of 80 targets down: ")
	telemetry := fetch(t, c.Telemetry)
	for receiver, n := range map[string]int{"jitsi": 75, "kamailio": 80} {
		assert.Regexp(t, fmt.Sprintf(`(?m)^otelcol_fleet_targets\{.*receiver=%q.*\} %d$`, receiver, n), telemetry)
		assert.Regexp(t, fmt.Sprintf(`(?m)^otelcol_fleet_source_targets\{.*receiver=%q.*source="\S*targets::files".*\} %d$`, receiver, n), telemetry)
	}
	began := time.Now()
	c.Stop(t)
	t.Logf("stopped in %v with 275 targets, 4 of which hang", time.Since(began))
	assert.Less(t, time.Since(began), 5*time.Second)
}

// TestDeadFleet checks that each of many servers that fail at once has its error line.
func TestDeadFleet(t *testing.T) {
	t.Parallel()
	var targets []string
	for range 50 {
		targets = append(targets, freeAddress(t))
	}
	c := start(t, nil, shipped("zlmediakit.yaml"), often,
		fmt.Sprintf(`yaml:receivers: {zlmediakit: {endpoint: "", targets: {static: [%s]}}}`, strings.Join(targets, ", ")))
	eventually(t, func(ct *assert.CollectT) {
		log := c.Log()
		for _, target := range targets {
			assert.Regexp(ct, "error.*http://"+target+": connect: connection refused", log)
		}
	})
	c.Stop(t)
}

// TestFleetShards checks that three collectors read every server exactly once, also after one of them has restarted, and measures how
// long its servers are read by nobody.
func TestFleetShards(t *testing.T) {
	const targets, count = 60, 3
	servers := startServers(t, systems.All[2], targets)
	file := filepath.Join(t.TempDir(), "jvb.json")
	writeTargets(t, file, servers)
	settings := fmt.Sprintf(`yaml:
receivers:
  jitsi: {collection_interval: 2s, initial_delay: 1ms, jvb: {targets: {files: [%q]}}, shard: {index: "${env:SHARD}", count: %d}}
`, file, count)
	collectors := make([]*collector, count)
	startShard := func(index int) {
		collectors[index] = start(t, []string{fmt.Sprintf("SHARD=%d", index)}, fmt.Sprintf(fleetPipeline, "jitsi"), settings)
	}
	for index := range collectors {
		startShard(index)
	}
	steady := func() (sizes []int) {
		t.Helper()
		require.EventuallyWithT(t, func(ct *assert.CollectT) {
			sizes = nil
			readers := map[string]int{}
			for _, c := range collectors {
				up := targetsUp(ct, c)
				sizes = append(sizes, len(up))
				for target := range up {
					readers[target]++
				}
			}
			assert.Len(ct, readers, targets)
			assert.Equal(ct, 1, slices.Max(slices.Collect(maps.Values(readers))), "collectors per target")
		}, waitTimeout, 200*time.Millisecond)
		return sizes
	}
	sizes := steady()
	t.Logf("%d targets in %d shards: %v", targets, count, sizes)

	restarted := time.Now()
	collectors[1].Stop(t)
	stopped := time.Since(restarted)
	startShard(1)
	require.Eventually(t, func() bool { return len(targetsUp(t, collectors[1])) == sizes[1] }, waitTimeout, 20*time.Millisecond)
	t.Logf("restart of a shard: stopped after %v, all targets read again after %v, with an interval of 2 s", stopped, time.Since(restarted))
	assert.Equal(t, sizes, steady())
	for _, c := range collectors {
		c.Stop(t)
	}
}

// TestFleetReload checks that a reload by SIGHUP applies to all sources of targets.
func TestFleetReload(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "fleet") //nolint:usetesting // the path of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	rpc := func() *emulator.Server { return emulatortest.Start(t, kamailio.NewHTTP, kamailio.HTTPOptions{}) }
	socket := func(name string) *emulator.Server {
		return emulatortest.Start(t, kamailio.NewCtl, kamailio.CtlOptions{Network: "unix", Addr: filepath.Join(dir, name)})
	}
	inventory := func(server *emulator.Server) string {
		text, err := json.Marshal([]any{map[string]any{"targets": []string{strings.TrimPrefix(server.URL(), "http://")}}})
		require.NoError(t, err)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	// configure writes a configuration with one new server per source and returns the instances.
	configure := func(generation string) (instances []string) {
		static, file, http, dns := rpc(), rpc(), rpc(), rpc()
		writeTargets(t, filepath.Join(dir, generation+".json"), []*emulator.Server{file})
		socket(generation + ".sock")
		_, port, err := net.SplitHostPort(strings.TrimPrefix(dns.URL(), "http://"))
		require.NoError(t, err)
		text := fmt.Sprintf(`
receivers:
  kamailio:
    collection_interval: 500ms
    initial_delay: 1ms
    targets:
      static: [%q]
      files: [%q]
      http: {endpoint: %q}
      dns: [{name: localhost, type: A, port: %s}]
      sockets: [%q]
`, strings.TrimPrefix(static.URL(), "http://"), dir+"/"+generation+".json", inventory(http), port, dir+"/"+generation+"*.sock")
		require.NoError(t, os.WriteFile(filepath.Join(dir, "otelcol-rtc.yaml"), []byte(text), 0o600))
		for _, server := range []*emulator.Server{static, file, http, dns} {
			instances = append(instances, "kamailio "+instance(t, server))
		}
		name, err := os.Hostname()
		require.NoError(t, err)
		instances = append(instances, "kamailio "+name+":"+filepath.Join(dir, generation+".sock"))
		slices.Sort(instances)
		return instances
	}
	await := func(c *collector, instances []string) {
		t.Helper()
		require.EventuallyWithT(t, func(ct *assert.CollectT) {
			up := targetsUp(ct, c)
			assert.Equal(ct, instances, slices.Sorted(maps.Keys(up)))
			assert.NotContains(ct, slices.Collect(maps.Values(up)), 0.0)
		}, waitTimeout, 200*time.Millisecond)
	}
	first := configure("a")
	c := start(t, nil, filepath.Join(dir, "otelcol-rtc.yaml"), fmt.Sprintf(fleetPipeline, "kamailio"))
	await(c, first)
	second := configure("b")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGHUP))
	await(c, second)
	c.Stop(t)
}

// TestValidateFleet checks that the command validate finds mistakes in targets, shards and credentials.
func TestValidateFleet(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"zlmediakit: {targets: {static: ['http://a b']}}":                                      "targets::static::0: endpoint: must be an http or https URL",
		"zlmediakit: {targets: {files: ['/etc/[a']}}":                                          "must be a pattern of absolute paths",
		"zlmediakit: {targets: {static: [a]}, shard: {index: '${env:SHARD_INDEX}', count: 3}}": "is the variable set that it is read from?",
		"zlmediakit: {targets: {static: [a]}, shard: {index: 3, count: 3}}":                    "index: must be 0 to 2",
		"zlmediakit: {targets: {static: [a]}, secret: '${env:UNSET}'}":                         "secret: is empty",
		"zlmediakit: {targets: {static: [a]}, secret_file: '${env:UNSET}'}":                    "secret_file: is empty",
		"jitsi: {jvb: {targets: {http: {endpoint: 'http://a'}}}}":                              "must be https",
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(settings, ":")
			output, err := command(t, nil, "validate", "--config", fmt.Sprintf(fleetPipeline, name), "--config", anyPorts,
				"--config", "yaml:\nreceivers:\n  "+settings).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(output), want)
		})
	}
	output, err := command(t, nil, "validate", "--config", shipped("flussonic.yaml")).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(output), "extensions::basicauth::client_auth::username: is empty: set the variable that it is read from")
}

// TestFleetExamples checks that the examples on the page about many servers and in the READMEs are valid.
func TestFleetExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../receiver/*/README.md")
	require.NoError(t, err)
	examples := 0
	for _, file := range append(files, "fleet.md") {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		_, text, found := strings.Cut(string(content), "# Many servers\n")
		require.True(t, found, file)
		text, _, _ = strings.Cut(text, "\n## Performance\n")
		for _, block := range strings.Split(text, "```yaml\nreceivers:\n")[1:] {
			examples++
			block, _, _ = strings.Cut(block, "```")
			name, _, _ := strings.Cut(strings.TrimSpace(block), ":")
			run(t, []string{"ZLMEDIAKIT_SECRET=a", "SHARD_INDEX=2"}, "validate",
				"--config", fmt.Sprintf(fleetPipeline, name), "--config", anyPorts, "--config", "yaml:\nreceivers:\n"+block)
		}
	}
	assert.Equal(t, len(systems.All)+3, examples)
}
