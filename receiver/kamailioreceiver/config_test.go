// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
			c.ClientConfig.Endpoint = "https://sip.example.com:5061/RPC"
			c.ClientConfig.TLS.InsecureSkipVerify = true
			c.ClientConfig.Timeout, c.ControllerConfig.Timeout = 5*time.Second, 5*time.Second
			c.ControllerConfig.CollectionInterval = 15 * time.Second
			c.Statistics.Include = []filter.Config{{Regex: "^script\\."}}
			c.Statistics.Exclude = []filter.Config{{Strict: "script.test"}}
			c.Statistics.Counters = []filter.Config{{Strict: "tenant1.sc_calls"}}
			c.Statistics.Limit = 100
			c.Statistics.Naming = namingName
			c.DialogProfiles = []string{"inbound", "caller/alice"}
			c.DispatcherTargets.Exclude = []filter.Config{{Regex: "^99/"}}
			c.DispatcherTargets.Limit = 50
			c.Htables.Limit = 10
			c.UsrlocDomains.Limit = 5
			c.Processes.Include = []filter.Config{{Regex: "receiver"}}
			c.RTPEngine.ClientConfig.Endpoint = "http://127.0.0.1:9901/metrics"
			c.UserMetrics.Endpoint = "http://127.0.0.1:5060/metrics"
			c.MetricsBuilderConfig.Metrics.KamailioUptime.Enabled = false
		}},
		{"tcp", func(c *Config) { c.ClientConfig.Endpoint = "tcp://10.0.0.5:2049" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sub, err := conf.Sub(tt.name)
			require.NoError(t, err)
			cfg, want := createDefaultConfig(), createDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			require.NoError(t, xconfmap.Validate(cfg))
			tt.want(want)
			assert.Equal(t, want.Statistics, cfg.Statistics)
			assert.Equal(t, want.DispatcherTargets, cfg.DispatcherTargets)
			assert.Equal(t, want.Htables, cfg.Htables)
			assert.Equal(t, want.UsrlocDomains, cfg.UsrlocDomains)
			assert.Equal(t, want.Processes, cfg.Processes)
			assert.Equal(t, want.DialogProfiles, cfg.DialogProfiles)
			assert.Equal(t, want.ControllerConfig, cfg.ControllerConfig)
			assert.Equal(t, want.ClientConfig.Endpoint, cfg.ClientConfig.Endpoint)
			assert.Equal(t, want.ClientConfig.Timeout, cfg.ClientConfig.Timeout)
			assert.Equal(t, want.ClientConfig.TLS, cfg.ClientConfig.TLS)
			assert.Equal(t, want.RTPEngine, cfg.RTPEngine)
			assert.Equal(t, want.UserMetrics, cfg.UserMetrics)
			assert.Equal(t, want.MetricsBuilderConfig.Metrics.KamailioUptime.Enabled, cfg.MetricsBuilderConfig.Metrics.KamailioUptime.Enabled)
		})
	}
}

// The error for each invalid setting names the setting and gives an example or the rule.
func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	messages := map[string]string{
		"no_scheme":          "such as unix:///run/kamailio/kamailio_ctl, or a host and port, such as tcp://127.0.0.1:2049, or the URL of JSON-RPC, such as http://127.0.0.1:5060/RPC",
		"datagram":           "endpoint: must be the path of a socket",
		"no_path":            "endpoint: must be the path of a socket",
		"credentials":        "endpoint: must not hold a user name or password",
		"query":              "endpoint: must not hold a query",
		"timeout":            "timeout: 20s is longer than the collection_interval of 10s: remove the setting, or set it to at most 10s",
		"limit":              "statistics: limit: must be at least 1",
		"targets":            "dispatcher_targets: limit: must be at least 1",
		"naming":             `naming: "names" must be attributes or name`,
		"profile":            `dialog_profiles: "/alice" must be written profile or profile/value, such as caller/alice`,
		"rtpengine":          "rtpengine::endpoint: must be an http or https URL, such as http://10.0.0.5:8080; of the page, such as http://127.0.0.1:9901/metrics",
		"rtpengine_timeout":  "rtpengine::timeout: must not be set",
		"user_metrics":       "user_metrics::endpoint: must be an http or https URL",
		"user_metrics_login": "user_metrics::endpoint: must not hold a user name",
	}
	assert.Len(t, conf.ToStringMap(), len(messages))
	for name, want := range messages {
		t.Run(name, func(t *testing.T) {
			sub, err := conf.Sub(name)
			require.NoError(t, err)
			cfg := createDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			err = xconfmap.Validate(cfg)
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}
