// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/receiver/hostnetworkreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// Config is the configuration of the receiver.
type Config struct {
	// ControllerConfig sets the collection interval and the timeout of a scrape.
	ControllerConfig scraperhelper.ControllerConfig `mapstructure:",squash"`
	// RootPath is the directory at which the root of the host is mounted, such as /hostfs in a container. If it is empty, the
	// receiver reads the network namespace of the collector.
	RootPath string `mapstructure:"root_path"`
	// MetricsBuilderConfig enables and disables metrics.
	MetricsBuilderConfig metadata.MetricsBuilderConfig `mapstructure:",squash"`
}

func createDefaultConfig() component.Config {
	return &Config{ControllerConfig: scrape.DefaultSchedule(), MetricsBuilderConfig: metadata.NewDefaultMetricsBuilderConfig()}
}

// Unmarshal reduces a default timeout to the interval.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	return scrape.UnmarshalConfig(conf, c, &c.ControllerConfig)
}

// Validate returns an error for an impossible schedule and for a root_path that is not a directory.
func (c *Config) Validate() error {
	errs := []error{scrape.CheckSchedule(c.ControllerConfig)}
	if c.RootPath != "" {
		if info, err := os.Stat(c.RootPath); err != nil {
			errs = append(errs, fmt.Errorf("root_path: %w", err))
		} else if !info.IsDir() {
			errs = append(errs, fmt.Errorf("root_path: %s is not a directory", c.RootPath))
		}
	}
	return errors.Join(errs...)
}
