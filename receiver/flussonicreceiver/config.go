// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig configures the connection to the server and the authentication. Its Timeout is shared with ControllerConfig.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// ControllerConfig sets the collection interval and the timeout of a whole scrape.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Targets lists the servers to read instead of the one at the endpoint.
	Targets fleet.Targets `mapstructure:"targets"`
	// Shard selects a part of the targets.
	Shard configoptional.Optional[fleet.Shard] `mapstructure:"shard"`
	// MaxResponseSize is the maximum size of a response in bytes, after decompression. It must be at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Sources lists the sources to read: api, prometheus. If both have a value, api takes precedence.
	Sources []string `mapstructure:"sources"`
	// PageSize is the number of streams per request, 1 to 1000.
	PageSize int `mapstructure:"page_size"`
	// Streams selects the streams that are reported individually.
	Streams StreamsConfig `mapstructure:"streams"`
}

const (
	sourceAPI        = "api"
	sourcePrometheus = "prometheus"

	maxPageSize = 1000
)

// StreamsConfig selects the streams that are reported individually. Sums over streams include all of them.
type StreamsConfig struct {
	// Include lists the streams to report. All are reported if it is empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists streams not to report. It takes precedence over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the maximum number of streams to report. It must be at least 1.
	Limit int `mapstructure:"limit"`
	// Expected lists streams that are always reported: as not alive if they are missing or disabled.
	Expected []string `mapstructure:"expected"`
	// IncludeRemote includes streams that run on other servers of the cluster, whose own receivers already report them.
	IncludeRemote bool `mapstructure:"include_remote"`
}

// selection returns the selection settings. They are not embedded, because errors would then name streams::config::include.
func (c *StreamsConfig) selection() selection.Config {
	return selection.Config{Include: c.Include, Exclude: c.Exclude, Limit: c.Limit}
}

// expected returns the names of the expected streams as in attributes, without duplicates.
func (c *StreamsConfig) expected() []string {
	names := make([]string, len(c.Expected))
	for i, name := range c.Expected {
		names[i] = selection.Name(name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func createDefaultConfig() *Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://127.0.0.1"
	client.Timeout = scrape.DefaultSchedule().Timeout
	// The small calls are made concurrently, the list of streams is requested alone.
	client.MaxConnsPerHost = 4
	client.MaxIdleConnsPerHost = 4

	return &Config{
		ClientConfig:         client,
		ControllerConfig:     scrape.DefaultSchedule(),
		Targets:              fleet.DefaultTargets(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Sources:              []string{sourceAPI, sourcePrometheus},
		PageSize:             500,
		Streams:              StreamsConfig{Limit: 20_000},
	}
}

// endpoints returns the settings that contain the server.
func (c *Config) endpoints() []fleet.Endpoint {
	return []fleet.Endpoint{{Client: &c.ClientConfig, Targets: &c.Targets, Check: scrape.CheckEndpoint}}
}

// Unmarshal reads the configuration. The timeout defaults to at most the collection interval.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	err := scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
	fleet.DropDefault(conf, c.endpoints())
	return err
}

// Validate checks the configuration. Each error names the setting and gives an example.
func (c *Config) Validate() error {
	errs := []error{
		fleet.Validate(c.endpoints(), &c.Shard),
		scrape.CheckSchedule(c.ControllerConfig), scrape.CheckResponseSize(c.MaxResponseSize),
		checkSources(c.Sources),
	}
	if c.PageSize < 1 || c.PageSize > maxPageSize {
		errs = append(errs, fmt.Errorf("page_size: %d must be 1 to %d, such as 500", c.PageSize, maxPageSize))
	}
	return errors.Join(errs...)
}

func checkSources(sources []string) error {
	for i, source := range sources {
		if source != sourceAPI && source != sourcePrometheus || slices.Contains(sources[:i], source) {
			return fmt.Errorf("sources: %q must be api or prometheus, and once, such as [api, prometheus]", source)
		}
	}
	if len(sources) == 0 {
		return errors.New("sources: must not be empty, such as [api, prometheus]")
	}
	return nil
}

// Validate checks the selection and the names of expected streams.
func (c *StreamsConfig) Validate() error {
	selected := c.selection()
	errs := []error{selected.Validate()}
	if slices.Contains(c.Expected, "") {
		errs = append(errs, errors.New("expected: must not hold an empty name, such as [sports/hockey]"))
	}
	return errors.Join(errs...)
}
