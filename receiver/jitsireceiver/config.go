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

// Config is what a user may write below jitsi. A component without endpoint is not asked; at least one has one.
type Config struct {
	// JVB is the private API of a Videobridge. Its source is auto, colibri or metrics.
	JVB SourceConfig `mapstructure:"jvb"`
	// Jicofo is the private API of the focus. Its source is auto, stats or metrics.
	Jicofo SourceConfig `mapstructure:"jicofo"`
	// Jigasi is the private API of a SIP gateway.
	Jigasi confighttp.ClientConfig `mapstructure:"jigasi"`
	// Jibri is the private API of a recorder.
	Jibri confighttp.ClientConfig `mapstructure:"jibri"`
	// ControllerConfig says how often the components are asked, and how long a scrape may take as a whole.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MaxResponseSize is the size in bytes, after decompression, above which an answer is refused, at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig switches metrics and resource attributes on and off.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Bridges says which of Jicofo's bridges are reported one by one. Names are JIDs.
	Bridges selection.Config `mapstructure:"bridges"`
	// Queues says which of Jicofo's packet queues are reported.
	Queues selection.Config `mapstructure:"queues"`
}

// SourceConfig is how a component is reached that tells the same in two ways.
type SourceConfig struct {
	// ClientConfig is the HTTP client. The receiver adds the paths to its endpoint.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// Source is metrics for /metrics, colibri or stats for the JSON of JVB or Jicofo, and auto for all of it that is there.
	Source string `mapstructure:"source"`
}

// The sources besides the name of the JSON.
const (
	sourceAuto    = "auto"
	sourceMetrics = "metrics"
)

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 0 // that of the scrape

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

// endpointConfig is how one component is reached.
type endpointConfig struct {
	*jitsiComponent
	client *confighttp.ClientConfig
	source string
}

// endpoints returns how the components are reached, also those that are not monitored.
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

// Validate refuses what cannot work, each complaint with the setting's name and an example.
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

// pathOf returns the path of an API that an endpoint ends in, because it was copied from the configuration of an exporter.
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
