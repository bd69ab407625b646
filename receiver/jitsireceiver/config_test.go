// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/filter"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		want func(*Config)
	}{
		{"minimal", func(c *Config) {
			c.JVB.ClientConfig.Endpoint = "http://127.0.0.1:8080"
		}},
		{"full", func(c *Config) {
			c.JVB.ClientConfig.Endpoint, c.JVB.Source = "https://jvb1.example.com:8443/private", "metrics"
			c.JVB.ClientConfig.TLS.InsecureSkipVerify = true
			c.Jicofo.ClientConfig.Endpoint, c.Jicofo.Source = "http://10.0.0.5:8888", "stats"
			c.Jigasi.ClientConfig.Endpoint = "http://10.0.0.6:8788"
			c.Jibri.ClientConfig.Endpoint = "http://10.0.0.7:2222"
			c.ControllerConfig.CollectionInterval, c.ControllerConfig.Timeout = 15*time.Second, 5*time.Second
			c.Bridges.Exclude = []filter.Config{{Regex: "/test"}}
			c.Bridges.Limit, c.Queues.Limit = 50, 5
			c.MetricsBuilderConfig.Metrics.JitsiJvbJitterAverage.Enabled = false
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := load(t, conf, tt.name)
			require.NoError(t, xconfmap.Validate(got))
			want := createDefaultConfig()
			tt.want(want)
			assert.Equal(t, want.JVB, got.JVB)
			assert.Equal(t, want.Jicofo, got.Jicofo)
			assert.Equal(t, want.Jigasi, got.Jigasi)
			assert.Equal(t, want.Jibri, got.Jibri)
			assert.Equal(t, want.ControllerConfig, got.ControllerConfig)
			assert.Equal(t, want.Bridges, got.Bridges)
			assert.Equal(t, want.Queues, got.Queues)
			assert.Equal(t, want.MetricsBuilderConfig.Metrics.JitsiJvbJitterAverage.Enabled, got.MetricsBuilderConfig.Metrics.JitsiJvbJitterAverage.Enabled)
		})
	}
}

func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"nothing":                "none of jvb, jicofo, jigasi and jibri has an endpoint: at least one is needed, such as jvb::endpoint: http://127.0.0.1:8080",
		"no_scheme":              "jvb::endpoint: must be an http or https URL, such as http://10.0.0.5:8080; of the private API, such as http://127.0.0.1:8080",
		"credentials":            "jicofo::endpoint: must not hold a user name or password: they would show up in logs; of the private API, such as http://127.0.0.1:8888",
		"query":                  "jigasi::endpoint: must not hold a query or fragment: it would show up in logs",
		"path":                   "jvb::endpoint: must end before /colibri/stats, such as http://127.0.0.1:8080: the receiver adds the paths",
		"path_with_slash":        "jibri::endpoint: must end before /jibri/api/v1.0/health, such as http://127.0.0.1:2222: the receiver adds the paths",
		"source_of_jvb":          `jvb::source: "stats" must be auto, colibri or metrics`,
		"source_of_jicofo":       `jicofo::source: "colibri" must be auto, stats or metrics`,
		"no_source":              `jicofo::source: "" must be auto, stats or metrics`,
		"timeout_too_long":       "timeout: 40s is longer than the collection_interval of 30s: remove the setting, or set it to at most 30s",
		"no_timeout":             "timeout: 0s must be more than 0, such as 10s",
		"timeout_of_a_component": "jibri::timeout: must not be set, because the receiver has one timeout for all, such as timeout: 10s",
		"limit":                  "bridges: limit: must be at least 1, such as 20000",
		"bad_filter":             "queues::include::0: error parsing regexp",
	} {
		t.Run(name, func(t *testing.T) {
			err := xconfmap.Validate(load(t, conf, name))
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func load(t *testing.T, conf *confmap.Conf, name string) *Config {
	t.Helper()
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}
