// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package prometheuspageexporter

import (
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	for name, want := range map[string]func(*Config){
		"minimal": func(c *Config) {
			c.ServerConfig.NetAddr.Endpoint = "127.0.0.1:9464"
		},
		"full": func(c *Config) {
			c.ServerConfig.NetAddr.Endpoint = "0.0.0.0:9464"
			c.Namespace, c.ConstLabels, c.SendTimestamps, c.MetricExpiration = "rtc", map[string]string{"env": "prod"}, true, 2*time.Minute
			c.ResourceToTelemetry = ResourceToTelemetryConfig{Enabled: true, ExcludeServiceAttributes: true}
			c.EnableOpenMetrics, c.WithoutScopeInfo = true, false
			c.TranslationStrategy = otlptranslator.NoUTF8EscapingWithSuffixes
			c.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{
				Config: configauth.Config{AuthenticatorID: component.MustNewID("basicauth")},
			})
		},
		"resource_labels": func(c *Config) {
			c.ServerConfig.NetAddr.Endpoint = "127.0.0.1:9464"
			c.ResourceLabels = []string{"site", "rack"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, conf, name)
			require.NoError(t, err)
			require.NoError(t, xconfmap.Validate(got))
			expected := createDefaultConfig().(*Config)
			want(expected)
			if name == "full" {
				require.Equal(t, "server.crt", got.ServerConfig.TLS.Get().CertFile)
				expected.ServerConfig.TLS = got.ServerConfig.TLS
			}
			assert.Equal(t, expected, got)
		})
	}
}

func TestConfigRefused(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config_refused.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"no_endpoint": "endpoint: must be set, for example to 127.0.0.1:9464",
		"queue":       "sending_queue: not supported: the page is in memory, and nothing can fail: remove the setting",
		"suffixes":    "add_metric_suffixes: not supported: instead of false, set translation_strategy to UnderscoreEscapingWithoutSuffixes",
		"expiration":  "metric_expiration: must be positive, is 0s",
		"label_name":  `const_labels: "__name__" cannot be the name of a label`,
		"both":        "resource_labels: not with resource_to_telemetry_conversion, which includes all attributes",
		"strategy": `translation_strategy: "none" is not one of UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes, ` +
			"NoUTF8EscapingWithSuffixes and NoTranslation",
		"unknown": "resource_label",
	} {
		t.Run(name, func(t *testing.T) {
			config, err := load(t, conf, name)
			if err == nil {
				err = xconfmap.Validate(config)
			}
			assert.ErrorContains(t, err, want)
		})
	}
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Endpoint = "127.0.0.1:9464"
	config.ConstLabels = map[string]string{"a": "\xff"}
	assert.EqualError(t, config.Validate(), "const_labels: the value of a is not UTF-8")
}

func load(t *testing.T, conf *confmap.Conf, name string) (*Config, error) {
	t.Helper()
	sub, err := conf.Sub("prometheus_page/" + name)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	return config, sub.Unmarshal(config)
}

// TestReadme checks that the table of settings has all of them.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for field := range reflect.TypeFor[Config]().Fields() {
		if setting := field.Tag.Get("mapstructure"); setting != ",squash" {
			assert.Contains(t, string(readme), "\n| `"+setting+"` |")
		}
	}
}
