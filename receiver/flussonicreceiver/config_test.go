// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
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
			c.ClientConfig.Endpoint = "http://10.0.0.5"
		}},
		{"full", func(c *Config) {
			c.ClientConfig.Endpoint = "https://media.example.com:8443"
			c.ClientConfig.TLS.InsecureSkipVerify = true
			c.ClientConfig.Timeout, c.ControllerConfig.Timeout = 5*time.Second, 5*time.Second
			c.ControllerConfig.CollectionInterval = 15 * time.Second
			c.Sources = []string{"prometheus"}
			c.PageSize = 100
			c.Streams.Include = []filter.Config{{Regex: "^sports/"}}
			c.Streams.Exclude = []filter.Config{{Strict: "sports/test"}}
			c.Streams.Limit = 1000
			c.Streams.Expected = []string{"sports/hockey"}
			c.Streams.IncludeRemote = true
			c.MetricsBuilderConfig.Metrics.FlussonicStreamClientDelay.Enabled = false
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := load(t, conf, tt.name)
			require.NoError(t, xconfmap.Validate(got))
			want := createDefaultConfig()
			tt.want(want)
			assert.Equal(t, component.MustNewID("basicauth"), got.ClientConfig.Auth.Get().AuthenticatorID)
			want.ClientConfig.Auth = got.ClientConfig.Auth
			assert.Equal(t, want.ClientConfig, got.ClientConfig)
			assert.Equal(t, want.ControllerConfig, got.ControllerConfig)
			assert.Equal(t, want.Sources, got.Sources)
			assert.Equal(t, want.PageSize, got.PageSize)
			assert.Equal(t, want.Streams, got.Streams)
			assert.Equal(t, want.MetricsBuilderConfig.Metrics.FlussonicStreamClientDelay.Enabled, got.MetricsBuilderConfig.Metrics.FlussonicStreamClientDelay.Enabled)
		})
	}
}

func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"no_scheme":        "endpoint: must be an http or https URL, such as http://10.0.0.5:8080",
		"credentials":      "endpoint: must not hold a user name or password: they would show up in logs",
		"query":            "endpoint: must not hold a query or fragment: it would show up in logs",
		"timeout_too_long": "timeout: 40s is longer than the collection_interval of 30s: remove the setting, or set it to at most 30s",
		"limit":            "streams: limit: must be at least 1, such as 20000",
		"expected":         "streams: expected: must not hold an empty name, such as [sports/hockey]",
		"no_source":        "sources: must not be empty, such as [api, prometheus]",
		"unknown_source":   `sources: "json" must be api or prometheus, and once, such as [api, prometheus]`,
		"source_twice":     `sources: "api" must be api or prometheus, and once, such as [api, prometheus]`,
		"no_page":          "page_size: 0 must be 1 to 1000, such as 500",
		"large_page":       "page_size: 1001 must be 1 to 1000, such as 500",
		"bad_filter":       "streams::include::0: error parsing regexp",
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
