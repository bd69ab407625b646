// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

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
		{"minimal", func(*Config) {}},
		{"full", func(c *Config) {
			c.ClientConfig.Endpoint = "https://sfu.example.com:9414/agent"
			c.ClientConfig.TLS.InsecureSkipVerify = true
			c.Token = "token"
			c.ClientConfig.Timeout, c.ControllerConfig.Timeout = 5*time.Second, 5*time.Second
			c.ControllerConfig.CollectionInterval = 15 * time.Second
			c.Streams.Limit = 500
			c.Workers.Limit = 64
			c.Rooms.Labels, c.Rooms.Limit, c.Rooms.Key = []string{"tenant", "room"}, 20, "key"
			c.Rooms.Exclude = []filter.Config{{Strict: "acme/test"}}
			c.MetricsBuilderConfig.Metrics.MediasoupStreamIo.Enabled = true
		}},
		{"edumeet", func(c *Config) {
			c.ClientConfig.Endpoint = "http://127.0.0.1:8889"
			c.Format = FormatEdumeet
		}},
		{"socket", func(c *Config) { c.ClientConfig.Endpoint = "unix:///run/mediasoup-agent/0.sock" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := load(t, conf, tt.name)
			require.NoError(t, xconfmap.Validate(got))
			want := createDefaultConfig()
			tt.want(want)
			assert.Equal(t, want.ClientConfig, got.ClientConfig)
			assert.Equal(t, want.ControllerConfig, got.ControllerConfig)
			assert.Equal(t, want.Format, got.Format)
			assert.Equal(t, want.Token, got.Token)
			assert.Equal(t, want.Streams, got.Streams)
			assert.Equal(t, want.Workers, got.Workers)
			assert.Equal(t, want.Rooms, got.Rooms)
			assert.Equal(t, want.MetricsBuilderConfig.Metrics.MediasoupStreamIo.Enabled, got.MetricsBuilderConfig.Metrics.MediasoupStreamIo.Enabled)
		})
	}
}

func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"no_scheme":         "endpoint: must be an http or https URL, such as http://10.0.0.5:8080",
		"relative_socket":   "endpoint: must be the path of a socket, such as unix:///run/mediasoup-agent/0.sock",
		"socket_query":      "endpoint: must be the path of a socket, such as unix:///run/mediasoup-agent/0.sock",
		"socket_of_edumeet": "endpoint: must be an http or https URL with format: edumeet, because only the agent listens on a socket",
		"credentials":       "endpoint: must not hold a user name or password: they would show up in logs",
		"query":             "endpoint: must not hold a query or fragment: it would show up in logs",
		"timeout_too_long":  "timeout: 40s is longer than the collection_interval of 30s: remove the setting, or set it to at most 30s",
		"no_timeout":        "timeout: 0s must be more than 0, such as 10s",
		"limit":             "streams: limit: must be at least 1, such as 20000",
		"workers_limit":     "workers: limit: must be at least 1, such as 32",
		"rooms_limit":       "rooms: limit: must be at least 1, such as 200",
		"rooms_labels":      "rooms: labels: must be at most 3 names, such as [tenant, room]",
		"rooms_same_label":  `rooms: labels: "room": must be different names of labels, such as [tenant, room]`,
		"rooms_no_key":      "rooms::key: is empty",
		"unknown_format":    `format: "prometheus": must be snapshot or edumeet`,
		"no_format":         `format: "": must be snapshot or edumeet`,
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
