// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/filter"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// Config is the configuration of the receiver.
type Config struct {
	// ClientConfig holds how the server is reached, and with which authentication. Its Timeout is the controller's: one setting for both.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// ControllerConfig holds the interval and the timeout of scrapes.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// MaxResponseSize is the size in bytes, after decompression, above which an answer is refused, at least 1024.
	MaxResponseSize int64 `mapstructure:"max_response_size"`
	// MetricsBuilderConfig enables and disables metrics and resource attributes.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
	// Sources lists what is read of the server: api, prometheus. Where both have a value, api wins.
	Sources []string `mapstructure:"sources"`
	// PageSize is the number of streams per request, 1 to 1000.
	PageSize int `mapstructure:"page_size"`
	// Streams selects the streams that are reported one by one.
	Streams StreamsConfig `mapstructure:"streams"`
}

const (
	sourceAPI        = "api"
	sourcePrometheus = "prometheus"

	maxPageSize = 1000
)

// StreamsConfig selects the streams that are reported one by one. Sums over streams cover all of them.
type StreamsConfig struct {
	// Include lists the streams to report; all when empty.
	Include []filter.Config `mapstructure:"include"`
	// Exclude lists streams not to report; it wins over Include.
	Exclude []filter.Config `mapstructure:"exclude"`
	// Limit is the largest number of streams to report at a time, at least 1.
	Limit int `mapstructure:"limit"`
	// Expected lists streams that must be there: they are always reported, as not alive when they are missing or disabled.
	Expected []string `mapstructure:"expected"`
	// IncludeRemote includes the streams that run on other servers of the cluster, which their own receivers report already.
	IncludeRemote bool `mapstructure:"include_remote"`
}

// selection returns the selection of the streams. It is not embedded, because errors would name its settings streams::config::include.
func (c *StreamsConfig) selection() selection.Config {
	return selection.Config{Include: c.Include, Exclude: c.Exclude, Limit: c.Limit}
}

// expected returns the names of the expected streams as they are in attributes, each once.
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
	// The small calls run at once, the list of streams alone.
	client.MaxConnsPerHost = 4
	client.MaxIdleConnsPerHost = 4

	return &Config{
		ClientConfig:         client,
		ControllerConfig:     scrape.DefaultSchedule(),
		MaxResponseSize:      scrape.DefaultMaxResponseSize,
		MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig(),
		Sources:              []string{sourceAPI, sourcePrometheus},
		PageSize:             500,
		Streams:              StreamsConfig{Limit: 20_000},
	}
}

// Unmarshal reads the configuration. The timeout is no longer than the interval, unless the user wrote it.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	return scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
}

// Validate refuses what cannot work, each complaint with the setting's name and an example.
func (c *Config) Validate() error {
	errs := []error{
		scrape.CheckEndpoint(c.ClientConfig.Endpoint),
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

// Validate refuses a limit that lets nothing through, and expected streams without a name.
func (c *StreamsConfig) Validate() error {
	selected := c.selection()
	errs := []error{selected.Validate()}
	if slices.Contains(c.Expected, "") {
		errs = append(errs, errors.New("expected: must not hold an empty name, such as [sports/hockey]"))
	}
	return errors.Join(errs...)
}
