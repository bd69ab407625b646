// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// example is the configuration of a receiver with an endpoint at the top level and one in a section.
type example struct {
	ClientConfig confighttp.ClientConfig        `mapstructure:",squash"`
	Targets      Targets                        `mapstructure:"targets"`
	Shard        configoptional.Optional[Shard] `mapstructure:"shard"`
	Relay        section                        `mapstructure:"relay"`
}

type section struct {
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	Targets      Targets                 `mapstructure:"targets"`
}

func defaultExample() *example {
	return &example{
		ClientConfig: confighttp.ClientConfig{Endpoint: "http://127.0.0.1"}, Targets: DefaultTargets(),
		Relay: section{Targets: DefaultTargets()},
	}
}

func (c *example) endpoints() []Endpoint {
	return []Endpoint{
		{Client: &c.ClientConfig, Targets: &c.Targets, Check: scrape.CheckEndpoint},
		{Section: "relay", Client: &c.Relay.ClientConfig, Targets: &c.Relay.Targets, Path: "/metrics", Check: scrape.CheckEndpoint},
	}
}

func (c *example) Unmarshal(conf *confmap.Conf) error {
	err := conf.Unmarshal(c)
	DropDefault(conf, c.endpoints())
	return err
}

func (c *example) Validate() error { return Validate(c.endpoints(), &c.Shard) }

// load reads a configuration in YAML.
func load(t *testing.T, text string) *example {
	t.Helper()
	var content map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &content))
	c := defaultExample()
	require.NoError(t, confmap.NewFromStringMap(content).Unmarshal(c))
	return c
}

func TestConfig(t *testing.T) {
	c := load(t, `
targets:
  static: [10.0.0.5, "https://zlm.example:8443/a"]
  http: {endpoint: "https://inventory/zlm?site=1"}
  dns: [{name: zlm.example, type: A, port: 80}]
  allowed_networks: [10.0.0.0/8, "fd00::/8"]
shard: {index: 0, count: 3}
`)
	require.NoError(t, xconfmap.Validate(c))
	assert.Empty(t, c.ClientConfig.Endpoint, "the default does not apply")
	assert.Equal(t, defaultHTTPRefresh, c.Targets.Get().HTTP.Get().RefreshInterval)
	assert.Equal(t, lookupTimeout, c.Targets.Get().HTTP.Get().ClientConfig.Timeout)
	assert.Equal(t, DNSConfig{Name: "zlm.example", Type: "A", Port: 80, RefreshInterval: defaultDNSRefresh}, c.Targets.Get().DNS[0])
	assert.Equal(t, defaultLimit, c.Targets.Get().Limit)
	assert.Equal(t, &Shard{Index: 0, Count: 3}, c.Shard.Get())

	c = load(t, `relay: {targets: {static: [10.0.0.5]}}`)
	require.NoError(t, xconfmap.Validate(c))
	assert.Empty(t, c.ClientConfig.Endpoint, "targets of any section replace the default")
	c = load(t, `{}`)
	require.NoError(t, xconfmap.Validate(c))
	assert.Equal(t, "http://127.0.0.1", c.ClientConfig.Endpoint)
}

func TestConfigRefused(t *testing.T) {
	for text, want := range map[string]string{
		`endpoint: ""`: "endpoint: must be an http or https URL",
		`{endpoint: "http://a", targets: {static: [b]}}`:                           "endpoint: must not be set beside targets: add it to targets::static",
		`relay: {endpoint: "http://a", targets: {static: [b]}}`:                    "relay::endpoint: must not be set beside targets: add it to relay::targets::static",
		`relay: {endpoint: a}`:                                                     "relay::endpoint: must be an http or https URL",
		`targets:`:                                                                 "targets: must have at least one of static, files, http, dns and sockets",
		`targets: {static: ["10.0.0.5", "http://u:hunter2@b"]}`:                    "targets::static::1: endpoint: must not hold a user name or password",
		`targets: {static: ["http://a b"]}`:                                        "targets::static::0: endpoint: must be an http or https URL",
		`targets: {files: ["*.yaml"]}`:                                             `targets: files::0: "*.yaml" must be a pattern of absolute paths, such as /etc/otelcol-rtc/*.yaml`,
		`targets: {files: ["/etc/[a.yaml"]}`:                                       `targets: files::0: "/etc/[a.yaml" must be a pattern`,
		`targets: {sockets: ["/run/*.sock"]}`:                                      "targets::sockets: this receiver cannot read sockets",
		`targets: {http: {endpoint: "http://inventory/a"}}`:                        "targets: http: endpoint: must be https, because it chooses which servers receive the credentials of the receiver; set insecure: true to trust the network",
		`targets: {http: {endpoint: "https://u:hunter2@inventory"}}`:               "targets: http: endpoint: must not hold a user name or password",
		`targets: {http: {refresh_interval: 10s}}`:                                 "targets: http: endpoint: must be an http or https URL",
		`targets: {http: {endpoint: "https://a", refresh_interval: 5}}`:            "targets: http: refresh_interval: 5ns must be at least 1s",
		`targets: {dns: [{type: A, port: 80}]}`:                                    "targets: dns::0: name: must not be empty",
		`targets: {dns: [{name: a, type: MX}]}`:                                    `targets: dns::0: type: "MX" must be A, AAAA or SRV`,
		`targets: {dns: [{name: a, type: A}]}`:                                     "targets: dns::0: port: 0 must be 1 to 65535",
		`targets: {dns: [{name: a, type: SRV, port: 80}]}`:                         "targets: dns::0: port: must not be set, because SRV records contain it",
		`targets: {dns: [{name: a, type: SRV, refresh_interval: 1ms}]}`:            "targets: dns::0: refresh_interval: 1ms must be at least 1s",
		`targets: {static: [a], limit: 0}`:                                         "targets: limit: must be at least 1, such as 1000",
		`targets: {static: [a], scheme: tcp}`:                                      `targets: scheme: "tcp" must be http or https`,
		`targets: {static: [a], allowed_networks: [10.0.0.1]}`:                     `targets: allowed_networks::0: "10.0.0.1" must be a network, such as 10.0.0.0/8`,
		`{targets: {static: [a]}, shard: {index: 3, count: 3}}`:                    "shard: index: must be 0 to 2, because count is 3",
		`{targets: {static: [a]}, shard: {index: , count: 3}}`:                     "shard: index: must be 0 to 2, because count is 3; is the variable set that it is read from?",
		`{targets: {static: [a]}, shard: {count: 3}}`:                              "shard: index: must be 0 to 2",
		`{targets: {static: [a]}, shard: {index: 0}}`:                              "shard: count: must be the number of collectors, at least 1",
		`shard: {index: 0, count: 1}`:                                              "shard: needs targets, such as targets::static",
		`{targets: {static: [a], http: {endpoint: "http://127.0.0.1/a#hunter2"}}}`: "targets: http: endpoint: must not hold a query or fragment",
	} {
		t.Run(text, func(t *testing.T) {
			err := xconfmap.Validate(load(t, text))
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestTarget(t *testing.T) {
	c := load(t, `relay: {targets: {static: [a], scheme: https}}`)
	relay := &c.endpoints()[1]
	for name, tc := range map[string]struct {
		address string
		labels  map[string]string
		want    Target
		key     string
	}{
		"host":      {"relay.example", nil, Target{Endpoint: "https://relay.example/metrics"}, "https://relay.example:443/metrics"},
		"host:port": {"10.0.0.5:9901", nil, Target{Endpoint: "https://10.0.0.5:9901/metrics"}, "https://10.0.0.5:9901/metrics"},
		"URL":       {"http://Relay.example:80/a/", nil, Target{Endpoint: "http://Relay.example:80/a/"}, "http://relay.example:80/a"},
		"IPv6":      {"[fd00::1]:9901", nil, Target{Endpoint: "https://[fd00::1]:9901/metrics"}, "https://[fd00::1]:9901/metrics"},
		"labels of Prometheus": {
			"a:1",
			map[string]string{"__scheme__": "http", "__metrics_path__": "/m", "__meta_x": "y", "__param_z": "z", "site": "fra", "empty": ""},
			Target{Endpoint: "http://a:1/m", Labels: map[string]string{"site": "fra"}},
			"http://a:1/m",
		},
		"labels of a URL": {
			"http://a:1", map[string]string{"__scheme__": "https", "__metrics_path__": "/m"}, Target{Endpoint: "http://a:1"}, "http://a:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := relay.target(tc.address, tc.labels)
			require.NoError(t, err)
			assert.True(t, tc.want.equal(&got), "%+v", got)
			assert.Equal(t, tc.key, got.key())
		})
	}
	for _, address := range []string{"", "a b", "a:1?token=hunter2", "ftp://a", "a:1#x", "u:hunter2@a"} {
		_, err := relay.target(address, nil)
		require.Error(t, err, address)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	assert.Equal(t, "unix:///run/a.sock", (&Target{Endpoint: "unix:///run/a.sock"}).key())
}

// TestServerName checks that a server that was found by DNS is verified under its name.
func TestServerName(t *testing.T) {
	for endpoint, host := range map[string]string{"https://10.0.0.5:8443": "zlm.example:8443", "http://10.0.0.5:80": ""} {
		client := confighttp.ClientConfig{}
		(&Target{Endpoint: endpoint, Name: "zlm.example"}).configure(&client)
		assert.Equal(t, endpoint, client.Endpoint)
		got, _ := client.Headers.Get("Host")
		assert.Equal(t, host, string(got))
		assert.Equal(t, host != "", client.TLS.ServerName == "zlm.example")
	}
}
