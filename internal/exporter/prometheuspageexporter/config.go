// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package prometheuspageexporter

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Config holds the settings of the exporter. Those that contrib's prometheus exporter has as well have the same names and meanings.
type Config struct {
	// ServerConfig is the HTTP server: endpoint, TLS, authentication and more.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Namespace is put in front of all metric names.
	Namespace string `mapstructure:"namespace"`
	// ConstLabels are labels of all series.
	ConstLabels map[string]string `mapstructure:"const_labels"`
	// SendTimestamps adds the time of the data point to each line.
	SendTimestamps bool `mapstructure:"send_timestamps"`
	// MetricExpiration is how long something is served that is not updated.
	MetricExpiration time.Duration `mapstructure:"metric_expiration"`
	// ResourceToTelemetry turns all attributes of the resource into labels of its series.
	ResourceToTelemetry ResourceToTelemetryConfig `mapstructure:"resource_to_telemetry_conversion"`
	// ResourceLabels lists attributes of the resource that become labels of its series.
	ResourceLabels []string `mapstructure:"resource_labels"`
	// EnableOpenMetrics allows clients to ask for OpenMetrics 1.0.
	EnableOpenMetrics bool `mapstructure:"enable_open_metrics"`
	// WithoutScopeInfo leaves the labels of the instrumentation scope out.
	WithoutScopeInfo bool `mapstructure:"without_scope_info"`
	// TranslationStrategy says how names are translated.
	TranslationStrategy otlptranslator.TranslationStrategyOption `mapstructure:"translation_strategy"`
}

// ResourceToTelemetryConfig says which attributes of the resource become labels.
type ResourceToTelemetryConfig struct {
	// Enabled turns the attributes into labels.
	Enabled bool `mapstructure:"enabled"`
	// ExcludeServiceAttributes leaves those out of which job and instance are made.
	ExcludeServiceAttributes bool `mapstructure:"exclude_service_attributes"`
}

func createDefaultConfig() component.Config {
	return &Config{
		ServerConfig:        confighttp.NewDefaultServerConfig(),
		MetricExpiration:    5 * time.Minute,
		WithoutScopeInfo:    true,
		TranslationStrategy: otlptranslator.UnderscoreEscapingWithSuffixes,
	}
}

// Unmarshal refuses settings of contrib's exporter that this one does not have.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	switch {
	case conf.IsSet("sending_queue"):
		return errors.New("sending_queue: not supported: the page is in memory, and nothing can fail: remove the setting")
	case conf.IsSet("add_metric_suffixes"):
		return errors.New("add_metric_suffixes: not supported: instead of false, set translation_strategy to " +
			string(otlptranslator.UnderscoreEscapingWithoutSuffixes))
	}
	return conf.Unmarshal(c)
}

// Validate checks the settings.
func (c *Config) Validate() error {
	var errs error
	if c.ServerConfig.NetAddr.Endpoint == "" {
		errs = errors.Join(errs, errors.New("endpoint: must be set, for example to 127.0.0.1:9464"))
	}
	if c.MetricExpiration <= 0 {
		errs = errors.Join(errs, fmt.Errorf("metric_expiration: must be positive, is %s", c.MetricExpiration))
	}
	for name, value := range c.ConstLabels {
		if !model.UTF8Validation.IsValidLabelName(name) || len(name) >= 2 && name[:2] == "__" {
			errs = errors.Join(errs, fmt.Errorf("const_labels: %q cannot be the name of a label", name))
		}
		if !utf8.ValidString(value) {
			errs = errors.Join(errs, fmt.Errorf("const_labels: the value of %s is not UTF-8", name))
		}
	}
	if c.ResourceToTelemetry.Enabled && len(c.ResourceLabels) > 0 {
		errs = errors.Join(errs, errors.New("resource_labels: not with resource_to_telemetry_conversion, which includes all attributes"))
	}
	switch c.TranslationStrategy {
	case otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes,
		otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation:
	default:
		errs = errors.Join(errs, fmt.Errorf("translation_strategy: %q is not one of %s, %s, %s and %s", c.TranslationStrategy,
			otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes,
			otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation))
	}
	return errs
}
