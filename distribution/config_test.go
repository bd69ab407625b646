// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/systems"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "otelcol-rtc version "+version+"\n", run(t, nil, "--version"))
}

// TestComponents checks that the collector has exactly the components of builder-config.yaml, and a receiver for each system.
func TestComponents(t *testing.T) {
	t.Parallel()
	type component struct{ Name, Module, GoMod string }
	var listed, built map[string]any
	decode := func(content string, into any) { require.NoError(t, yaml.Unmarshal([]byte(content), into)) }
	file, err := os.ReadFile("../builder-config.yaml")
	require.NoError(t, err)
	decode(string(file), &listed)
	decode(run(t, nil, "components"), &built)

	section := func(of map[string]any, kind string) (components []component) {
		text, err := yaml.Marshal(of[kind])
		require.NoError(t, err)
		decode(string(text), &components)
		return components
	}
	modules := func(components []component) (modules []string) {
		for _, c := range components {
			modules = append(modules, cmp.Or(c.Module, c.GoMod))
		}
		slices.Sort(modules)
		return modules
	}
	for _, kind := range []string{"receivers", "processors", "exporters", "connectors", "extensions", "providers"} {
		assert.Equal(t, modules(section(listed, kind)), modules(section(built, kind)), kind)
	}
	var names []string
	for _, c := range section(built, "receivers") {
		names = append(names, c.Name)
	}
	require.NotEmpty(t, systems.All)
	for _, system := range systems.All {
		assert.Contains(t, names, system.Receiver)
	}
}

// config holds the settings of a configuration that the tests check.
type config struct {
	Receivers map[string]struct {
		CollectionInterval time.Duration `yaml:"collection_interval"`
	}
	Exporters map[string]struct {
		Endpoint       string
		RetryOnFailure struct {
			MaxElapsedTime any `yaml:"max_elapsed_time"`
		} `yaml:"retry_on_failure"`
		SendingQueue struct {
			Storage   string
			QueueSize int `yaml:"queue_size"`
		} `yaml:"sending_queue"`
		DisableScopeInfo bool `yaml:"disable_scope_info"`
		RemoteWriteQueue struct {
			QueueSize    int `yaml:"queue_size"`
			NumConsumers int `yaml:"num_consumers"`
		} `yaml:"remote_write_queue"`
	}
	Service struct {
		Extensions []string
		Pipelines  map[string]pipeline
	}
}

type pipeline struct{ Receivers, Processors, Exporters []string }

// required matches environment variables without a default.
var required = regexp.MustCompile(`\$\{env:(\w+)}`)

// optional matches environment variables with a default.
var optional = regexp.MustCompile(`\$\{env:\w+:-(.*)}`)

// requiredBy returns the environment variables that configurations require, with arbitrary values.
func requiredBy(t *testing.T, files ...string) (env []string) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range required.FindAllSubmatch(text, -1) {
			env = append(env, string(name[1])+"=something")
		}
	}
	return env
}

// merge returns the settings of configurations, each of which overrides those before it.
func merge(t *testing.T, files ...string) map[string]any {
	t.Helper()
	merged := confmap.New()
	for _, file := range files {
		conf, err := confmaptest.LoadConf(file)
		require.NoError(t, err)
		require.NoError(t, merged.Merge(conf))
	}
	return merged.ToStringMap()
}

// packaged is the configuration that the packages install for administrators to edit.
const packaged = "packaging/config.yaml"

// combinations returns the shipped configurations that are used together, by the name of the last one: each system and that of the packages
// with base.yaml, and each other configuration with base.yaml and zlmediakit.yaml.
func combinations(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(shipped("*.yaml"))
	require.NoError(t, err)
	base, zlmediakit := shipped("base.yaml"), shipped("zlmediakit.yaml")
	combined := map[string][]string{packaged: {base, packaged}}
	for _, file := range files {
		if file != base {
			combined[filepath.Base(file)] = []string{base, zlmediakit, file}
		}
	}
	for _, system := range systems.All {
		name := system.Receiver + ".yaml"
		require.Contains(t, combined, name)
		combined[name] = []string{base, shipped(name)}
	}
	return combined
}

// unstable matches the log line of a component with the stability level development.
var unstable = regexp.MustCompile(`Development component\..*"otelcol\.component\.id": "([^"]+)"`)

// TestShippedConfigurations checks that every shipped configuration is valid, follows the rules below, starts and stops. The
// receivers must be beta components.
func TestShippedConfigurations(t *testing.T) {
	t.Parallel()
	for name, files := range combinations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves := merge(t, files...)
			text, err := yaml.Marshal(leaves)
			require.NoError(t, err)
			var cfg config
			require.NoError(t, yaml.Unmarshal(text, &cfg))
			checkAddresses(t, leaves)
			checkSecrets(t, leaves)
			checkPipelines(t, cfg)

			env := append(requiredBy(t, files...), "OTELCOL_RTC_STORAGE="+t.TempDir())
			env = append(env, tlsEnv(newCertificate(t), newCertificate(t))...)
			validate := []string{"validate"}
			for _, file := range files {
				validate = append(validate, "--config", file)
			}
			run(t, env, validate...)
			c := start(t, env, files[1:]...)
			assert.Contains(t, fetch(t, c.Telemetry), "otelcol_process_uptime")
			var names []string
			for _, match := range unstable.FindAllStringSubmatch(c.Log(), -1) {
				names = append(names, match[1])
			}
			assert.Equal(t, []string{"healthcheckv2"}, names)
			c.Stop(t)
		})
	}
}

// TestTargets checks that the configurations for Kubernetes, for its chart and for Docker Compose, and that of the page on Jitsi, are
// valid.
func TestTargets(t *testing.T) {
	t.Parallel()
	values, err := os.ReadFile("kubernetes/collector-chart-values.yaml")
	require.NoError(t, err)
	var chart struct {
		AlternateConfig map[string]any `yaml:"alternateConfig"`
	}
	require.NoError(t, yaml.Unmarshal(values, &chart))
	inChart, err := yaml.Marshal(chart.AlternateConfig)
	require.NoError(t, err)
	env := []string{"ZLMEDIAKIT_SECRET=" + secret, "SHARD_INDEX=2", "SHARD_COUNT=3"}
	for name, configs := range map[string][]string{
		"kubernetes": {"kubernetes/common/config.yaml"},
		"chart":      {"yaml:" + string(inChart)},
		"compose":    {shipped("base.yaml"), "compose/zlmediakit.yaml"},
		"jitsi":      {shipped("base.yaml"), documented(t, "jitsi-at-scale.md", "discovery.yaml")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arguments := []string{"validate"}
			for _, config := range configs {
				arguments = append(arguments, "--config", config)
			}
			run(t, env, arguments...)
		})
	}
}

// TestSystemsTogether checks that a collector with the configurations of several systems scrapes each of them.
func TestSystemsTogether(t *testing.T) {
	t.Parallel()
	for name, isUsed := range map[string]func(receiver string) bool{
		"two": func(receiver string) bool { return receiver == "jitsi" || receiver == "kamailio" },
		"all": func(string) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var files, settings []string
			up := map[string][]float64{}
			for _, system := range systems.All {
				job := cmp.Or(map[string]string{"jitsi": "jitsi-videobridge"}[system.Receiver], system.Receiver)
				if up[job] = nil; !isUsed(system.Receiver) {
					continue
				}
				up[job] = []float64{1}
				server := emulatortest.Start(t, system.Start, 0)
				files = append(files, shipped(system.Receiver+".yaml"))
				settings = append(settings, fmt.Sprintf("yaml:receivers: {%s: {"+system.Settings+", initial_delay: 1ms}}", system.Receiver, server.URL()))
			}
			c := start(t, requiredBy(t, files...), append(files, settings...)...)
			eventually(t, func(ct *assert.CollectT) {
				page := scrapePage(ct, c)
				for job, want := range up {
					assert.Equal(ct, want, page.values("rtc_target_up", labels{"job": job}), job)
				}
			})
			c.Stop(t)
		})
	}
}

// TestPackagedConfiguration checks that each system is scraped after the comment signs of its two lines are removed.
func TestPackagedConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(packaged)
	require.NoError(t, err)
	for _, system := range systems.All {
		t.Run(system.Receiver, func(t *testing.T) {
			t.Parallel()
			commented := regexp.MustCompile(`(?m)^( +)# ((metrics/)?` + system.Receiver + `: )`)
			require.Len(t, commented.FindAll(text, -1), 2)
			edited := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(edited, commented.ReplaceAll(text, []byte("$1$2")), 0o600))
			env := requiredBy(t, edited)
			run(t, env, "validate", "--config", shipped("base.yaml"), "--config", edited)

			server := emulatortest.Start(t, system.Start, 0)
			settings := fmt.Sprintf("yaml:receivers: {%s: {"+system.Settings+", initial_delay: 1ms}}", system.Receiver, server.URL())
			c := start(t, env, edited, settings)
			job := cmp.Or(map[string]string{"jitsi": "jitsi-videobridge"}[system.Receiver], system.Receiver)
			eventually(t, func(ct *assert.CollectT) {
				assert.Equal(ct, []float64{1}, scrapePage(ct, c).values("rtc_target_up", labels{"job": job}))
			})
			c.Stop(t)
		})
	}
}

// checkAddresses requires that the collector listens on loopback addresses only, and not on a default port of a monitored system,
// which often runs on the same machine.
func checkAddresses(t *testing.T, leaves map[string]any) {
	t.Helper()
	addresses := listenAddresses(leaves)
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		assert.Equal(t, "127.0.0.1", host, address)
		number, err := strconv.Atoi(port)
		require.NoError(t, err)
		for _, system := range systems.All {
			assert.NotContains(t, system.Ports, number, system.Receiver)
		}
	}
	assert.Contains(t, addresses, "127.0.0.1:18888", "the collector's own metrics")
	assert.Contains(t, addresses, "127.0.0.1:13133", "the health check")
}

// listenAddresses returns the addresses on which the collector listens: pairs of host and port, and endpoints without a scheme.
// Endpoints with a scheme are URLs of clients.
func listenAddresses(node any) (addresses []string) {
	members, _ := node.(map[string]any)
	if host, ok := members["host"].(string); ok {
		port, _ := members["port"].(int)
		addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	if endpoint, ok := members["endpoint"].(string); ok && !strings.Contains(endpoint, "://") {
		addresses = append(addresses, optional.ReplaceAllString(endpoint, "$1"))
	}
	for _, child := range children(node) {
		addresses = append(addresses, listenAddresses(child)...)
	}
	return addresses
}

// children returns the members of a map or list.
func children(node any) map[string]any {
	nodes := map[string]any{}
	switch n := node.(type) {
	case map[string]any:
		return n
	case []any:
		for i, child := range n {
			nodes[strconv.Itoa(i)] = child
		}
	}
	return nodes
}

var (
	secretName  = regexp.MustCompile(`(?i)(secret|password|token|authorization|key)$`)
	secretValue = regexp.MustCompile(`^((Basic|Bearer) )?\$\{env:\w+}$`)
)

// checkSecrets requires that secrets come from environment variables without a default.
func checkSecrets(t *testing.T, node any) {
	t.Helper()
	for name, child := range children(node) {
		if secretName.MatchString(name) {
			assert.Regexp(t, secretValue, child, name)
		}
		checkSecrets(t, child)
	}
}

func checkPipelines(t *testing.T, c config) {
	t.Helper()
	require.NotEmpty(t, c.Service.Pipelines)
	for name, p := range c.Service.Pipelines {
		require.NotEmpty(t, p.Processors, name)
		assert.Equal(t, "memory_limiter", p.Processors[0], name)
		for _, exporter := range p.Exporters {
			kind, _, _ := strings.Cut(exporter, "/")
			check, known := exporterChecks[kind]
			require.True(t, known, "an exporter without a check: %s", exporter)
			check(t, c, p, exporter)
		}
	}
}

var exporterChecks = map[string]func(t *testing.T, c config, p pipeline, exporter string){
	"prometheus_page":         checkPageExporter,
	"overview":                checkOverview,
	"prometheus_remote_write": checkRemoteWrite,
	"otlp_http":               checkOTLP,
	"otlp_grpc":               checkOTLP,
}

// checkOverview requires that only this machine can open the page, which has no password.
func checkOverview(t *testing.T, c config, _ pipeline, exporter string) {
	t.Helper()
	assert.Equal(t, "127.0.0.1:9468", c.Exporters[exporter].Endpoint)
}

// checkPageExporter requires that no processor holds payloads back: the page would not learn when a scrape is complete.
func checkPageExporter(t *testing.T, c config, p pipeline, exporter string) {
	t.Helper()
	assert.Equal(t, "127.0.0.1:9464", optional.ReplaceAllString(c.Exporters[exporter].Endpoint, "$1"))
	assert.NotContains(t, strings.Join(p.Processors, " "), "batch")
}

// checkOTLP requires that an outage of the backend of 30 minutes loses no data.
func checkOTLP(t *testing.T, c config, p pipeline, exporter string) {
	t.Helper()
	e := c.Exporters[exporter]
	assert.Equal(t, 0, e.RetryOnFailure.MaxElapsedTime, "retries must not end")
	assert.Contains(t, c.Service.Extensions, e.SendingQueue.Storage)
	assert.GreaterOrEqual(t, e.SendingQueue.QueueSize, requestsOfOutage(t, c, p))
}

// checkRemoteWrite requires the same of remote write, and that samples arrive in order without the labels of the scope.
func checkRemoteWrite(t *testing.T, c config, p pipeline, exporter string) {
	t.Helper()
	e := c.Exporters[exporter]
	assert.Equal(t, 0, e.RetryOnFailure.MaxElapsedTime, "retries must not end")
	assert.True(t, e.DisableScopeInfo)
	assert.Equal(t, 1, e.RemoteWriteQueue.NumConsumers)
	assert.GreaterOrEqual(t, e.RemoteWriteQueue.QueueSize, requestsOfOutage(t, c, p))
}

// requestsOfOutage returns the number of requests that wait during an outage of 30 minutes.
func requestsOfOutage(t *testing.T, c config, p pipeline) (requests int) {
	t.Helper()
	for _, receiver := range p.Receivers {
		interval := c.Receivers[receiver].CollectionInterval
		require.Positive(t, interval, receiver)
		requests += int(30 * time.Minute / interval)
	}
	return requests
}
