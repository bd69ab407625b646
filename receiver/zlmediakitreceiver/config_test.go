// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

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
			c.Secret = "secret"
		}},
		{"full", func(c *Config) {
			c.ClientConfig.Endpoint = "https://media.example.com:8443/zlm"
			c.ClientConfig.TLS.InsecureSkipVerify = true
			c.Secret = "secret"
			c.ClientConfig.Timeout, c.ControllerConfig.Timeout = 5*time.Second, 5*time.Second
			c.ControllerConfig.CollectionInterval = 15 * time.Second
			c.Streams.Include = []filter.Config{{Regex: "^__defaultVhost__/live/"}}
			c.Streams.Exclude = []filter.Config{{Strict: "__defaultVhost__/live/test"}}
			c.Streams.Limit = 1000
			c.Streams.Expected = []string{"__defaultVhost__/live/cam1"}
			c.Streams.Schemas = Schemas{"rtsp", "hls"}
			c.Proxies.Expected = []string{"__defaultVhost__/proxy/p1", "push:__defaultVhost__/live/cam1"}
			c.RTPServers.Expected = []string{"__defaultVhost__/rtp/gb1"}
			c.MetricsBuilderConfig.Metrics.ZlmediakitObjectCount.Enabled = false
		}},
		{"one_schema", func(c *Config) {
			c.Streams.Schemas = Schemas{"rtmp"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := load(t, conf, tt.name)
			require.NoError(t, xconfmap.Validate(got))
			want := createDefaultConfig()
			tt.want(want)
			assert.Equal(t, want.ClientConfig, got.ClientConfig)
			assert.Equal(t, want.ControllerConfig, got.ControllerConfig)
			assert.Equal(t, want.Secret, got.Secret)
			assert.Equal(t, want.Streams, got.Streams)
			assert.Equal(t, want.Proxies, got.Proxies)
			assert.Equal(t, want.RTPServers, got.RTPServers)
			assert.Equal(t, want.MetricsBuilderConfig.Metrics.ZlmediakitObjectCount.Enabled, got.MetricsBuilderConfig.Metrics.ZlmediakitObjectCount.Enabled)
		})
	}
}

func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"no_scheme":           "endpoint: must be an http or https URL, such as http://10.0.0.5:8080",
		"unix":                "endpoint: must be an http or https URL, such as http://10.0.0.5:8080",
		"credentials":         "endpoint: must not hold a user name or password: they would show up in logs",
		"query":               "endpoint: must not hold a query or fragment: it would show up in logs",
		"timeout_too_long":    "timeout: 40s is longer than the collection_interval of 30s: remove the setting, or set it to at most 30s",
		"no_timeout":          "timeout: 0s must be more than 0, such as 10s",
		"limit":               "streams: limit: must be at least 1, such as 20000",
		"expected":            `streams: expected: "live/cam1" must be written vhost/app/stream, such as __defaultVhost__/live/cam1`,
		"expected_proxy":      `proxies: expected: "push:live/cam1" must be written vhost/app/stream, such as __defaultVhost__/live/cam1`,
		"expected_rtp_server": `rtp_servers: expected: "gb1" must be written vhost/app/stream, such as __defaultVhost__/live/cam1`,
		"unknown_schema":      `streams::schemas: "webrtc": must be auto, all, or a list of rtsp, rtmp, ts, fmp4, hls, hls.fmp4, such as [rtsp]`,
		"auto_among_others":   `streams::schemas: "auto": must be auto, all, or a list of rtsp, rtmp, ts, fmp4, hls, hls.fmp4, such as [rtsp]`,
		"no_schema":           "streams::schemas: must not be empty: auto is the default",
		"bad_filter":          "streams::include::0: error parsing regexp",
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
