// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
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
	Jigasi EndpointConfig `mapstructure:"jigasi"`
	// Jibri is the private API of a recorder.
	Jibri EndpointConfig `mapstructure:"jibri"`
	// ControllerConfig holds the interval and the timeout of scrapes.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Shard selects a part of the targets of all components.
	Shard configoptional.Optional[fleet.Shard] `mapstructure:"shard"`
	// MaxResponseSize is the maximum size of a response in bytes, after decompression. It is at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Bridges selects the bridges of Jicofo that are reported individually. Names are JIDs.
	Bridges selection.Config `mapstructure:"bridges"`
	// Queues selects the packet queues of Jicofo that are reported.
	Queues selection.Config `mapstructure:"queues"`
}

// EndpointConfig configures where a component is.
type EndpointConfig struct {
	// ClientConfig is the HTTP client. The receiver adds the paths to its endpoint.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Targets lists the servers to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
}

// SourceConfig configures a component that reports its values in two formats.
type SourceConfig struct {
	EndpointConfig `mapstructure:",squash"`
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

	endpoint := EndpointConfig{ClientConfig: client, Targets: fleet.DefaultTargets()}

	return &Config{
		JVB:                  SourceConfig{EndpointConfig: endpoint, Source: sourceAuto},
		Jicofo:               SourceConfig{EndpointConfig: endpoint, Source: sourceAuto},
		Jigasi:               endpoint,
		Jibri:                endpoint,
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
	*EndpointConfig
	source string
}

// components returns the endpoint settings of all components, including those that are not monitored.
func (c *Config) components() []endpointConfig {
	return []endpointConfig{
		{components["jvb"], &c.JVB.EndpointConfig, c.JVB.Source},
		{components["jicofo"], &c.Jicofo.EndpointConfig, c.Jicofo.Source},
		{components["jigasi"], &c.Jigasi, sourceAuto},
		{components["jibri"], &c.Jibri, sourceAuto},
	}
}

// endpoints returns the settings that contain the servers.
func (c *Config) endpoints() (endpoints []fleet.Endpoint) {
	for _, e := range c.components() {
		endpoints = append(endpoints, fleet.Endpoint{Section: e.name, Client: &e.ClientConfig, Targets: &e.Targets, Check: e.checkEndpoint})
	}
	return endpoints
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	return scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
}

// Validate refuses settings that cannot work. Each message names the setting and a valid value.
func (c *Config) Validate() error {
	errs := []error{
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize), fleet.Validate(c.endpoints(), &c.Shard),
	}
	monitored := false
	for _, e := range c.components() {
		errs = append(errs, e.validate())
		monitored = monitored || e.ClientConfig.Endpoint != "" || e.Targets.HasValue()
	}
	if !monitored {
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
	if e.ClientConfig.Timeout != 0 {
		errs = append(errs, fmt.Errorf("%s::timeout: must not be set, because the receiver has one timeout for all, such as timeout: 10s", e.name))
	}
	return errors.Join(errs...)
}

func (e *endpointConfig) checkEndpoint(endpoint string) error {
	if err := scrape.CheckEndpoint(endpoint); err != nil {
		return fmt.Errorf("%w; of the private API, such as %s", err, e.example)
	}
	if path := pathOf(endpoint); path != "" {
		return fmt.Errorf("endpoint: must end before %s, such as %s: the receiver adds the paths", path, e.example)
	}
	return nil
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
