// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// Config is the configuration of the receiver. Only components with an endpoint are monitored; at least one is required.
type Config struct {
	// JVB is the private API of a Videobridge. Its source is auto, colibri or metrics.
	JVB SourceConfig `mapstructure:"jvb"`
	// Jicofo is the private API of the focus. Its source is auto, stats or metrics.
	Jicofo SourceConfig `mapstructure:"jicofo"`
	// Jigasi is the private API of a SIP gateway.
	Jigasi confighttp.ClientConfig `mapstructure:"jigasi"`
	// Jibri is the private API of a recorder.
	Jibri confighttp.ClientConfig `mapstructure:"jibri"`
	// ControllerConfig holds the interval and the timeout of scrapes.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MaxResponseSize is the maximum size of a response in bytes, after decompression. It is at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Bridges selects the bridges of Jicofo that are reported individually. Names are JIDs.
	Bridges selection.Config `mapstructure:"bridges"`
	// Queues selects the packet queues of Jicofo that are reported.
	Queues selection.Config `mapstructure:"queues"`
}

// SourceConfig configures a component that reports its values in two formats.
type SourceConfig struct {
	// ClientConfig is the HTTP client. The receiver adds the paths to its endpoint.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Source is metrics for /metrics, colibri or stats for the JSON of JVB or Jicofo, and auto for all that is available.
	Source string `mapstructure:"source"`
}

// Values of source, besides the names of the JSON responses.
const (
	sourceAuto    = "auto"
	sourceMetrics = "metrics"
)

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 0 // the timeout of the scrape applies

	return &Config{
		JVB:                  SourceConfig{ClientConfig: client, Source: sourceAuto},
		Jicofo:               SourceConfig{ClientConfig: client, Source: sourceAuto},
		Jigasi:               client,
		Jibri:                client,
		ControllerConfig:     scrape.DefaultSchedule(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Bridges:              selection.Config{Limit: 1000},
		Queues:               selection.Config{Limit: 1000},
	}
}

// endpointConfig holds the endpoint settings of one component.
type endpointConfig struct {
	*jitsiComponent
	client *confighttp.ClientConfig
	source string
}

// endpoints returns the endpoint settings of all components, including those that are not monitored.
func (c *Config) endpoints() []endpointConfig {
	return []endpointConfig{
		{components["jvb"], &c.JVB.ClientConfig, c.JVB.Source},
		{components["jicofo"], &c.Jicofo.ClientConfig, c.Jicofo.Source},
		{components["jigasi"], &c.Jigasi, sourceAuto},
		{components["jibri"], &c.Jibri, sourceAuto},
	}
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	return scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
}

// Validate refuses settings that cannot work. Each message names the setting and a valid value.
func (c *Config) Validate() error {
	errs := []error{scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize)}
	monitored := 0
	for _, e := range c.endpoints() {
		errs = append(errs, e.validate())
		if e.client.Endpoint != "" {
			monitored++
		}
	}
	if monitored == 0 {
		errs = append(errs, errors.New("none of jvb, jicofo, jigasi and jibri has an endpoint: at least one is needed, such as jvb::endpoint: "+
			components["jvb"].example))
	}
	return errors.Join(errs...)
}

func (e *endpointConfig) validate() error {
	var errs []error
	if e.source != sourceAuto && e.source != sourceMetrics && e.source != e.statsSource {
		errs = append(errs, fmt.Errorf("%s::source: %q must be auto, %s or metrics", e.name, e.source, e.statsSource))
	}
	if e.client.Timeout != 0 {
		errs = append(errs, fmt.Errorf("%s::timeout: must not be set, because the receiver has one timeout for all, such as timeout: 10s", e.name))
	}
	if e.client.Endpoint == "" {
		return errors.Join(errs...)
	}
	if err := scrape.CheckEndpoint(e.client.Endpoint); err != nil {
		errs = append(errs, fmt.Errorf("%s::%w; of the private API, such as %s", e.name, err, e.example))
	} else if path := pathOf(e.client.Endpoint); path != "" {
		errs = append(errs, fmt.Errorf("%s::endpoint: must end before %s, such as %s: the receiver adds the paths", e.name, path, e.example))
	}
	return errors.Join(errs...)
}

// pathOf returns the API path that an endpoint ends in, or "". Endpoints copied from the configuration of an exporter have one.
func pathOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	for _, path := range []string{apiColibri, apiAboutStats, apiStats, apiMetrics, apiVersion, apiJibri, apiHealth} {
		if strings.HasSuffix(strings.TrimRight(u.Path, "/"), path) {
			return path
		}
	}
	return ""
}
