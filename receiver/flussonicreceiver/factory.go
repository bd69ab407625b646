// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// NewFactory returns the factory of the Flussonic receiver.
func NewFactory() receiver.Factory {
	return fleet.NewFactory(metadata.Type, metadata.MetricsStability, fleet.Settings[Config]{
		Defaults:  createDefaultConfig,
		Schedule:  func(c *Config) *scraperhelper.ControllerConfig { return &c.ControllerConfig },
		Endpoints: (*Config).endpoints,
		Shard:     func(c *Config) *configoptional.Optional[fleet.Shard] { return &c.Shard },
		Start:     startRunners,
	})
}

// startRunners returns the Runner of the server.
func startRunners(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) ([]*scrape.Runner, error) {
	s, err := newScraper(ctx, cfg, host, set)
	if err != nil {
		return nil, err
	}
	return []*scrape.Runner{s.run}, nil
}
