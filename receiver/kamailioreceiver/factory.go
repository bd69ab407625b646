// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/fleet"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// NewFactory returns the factory of the Kamailio receiver.
func NewFactory() receiver.Factory {
	return fleet.NewFactory(metadata.Type, metadata.MetricsStability, fleet.Settings[Config]{
		Defaults:  createDefaultConfig,
		Schedule:  func(c *Config) *scraperhelper.ControllerConfig { return &c.ControllerConfig },
		Endpoints: (*Config).endpoints,
		Shard:     func(c *Config) *configoptional.Optional[fleet.Shard] { return &c.Shard },
		Start:     startRunners,
	})
}

// startRunners returns the Runners of Kamailio and of its rtpengine, as far as they have an endpoint.
func startRunners(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) (runners []*scrape.Runner, err error) {
	if cfg.ClientConfig.Endpoint != "" {
		kamailio, err := newScraper(ctx, cfg, host, set)
		if err != nil {
			return nil, err
		}
		runners = append(runners, kamailio.run)
	}
	if cfg.RTPEngine.ClientConfig.Endpoint != "" {
		relay, err := newRTPEngine(ctx, cfg, host, set)
		if err != nil {
			return runners, err
		}
		runners = append(runners, relay.run)
	}
	return runners, nil
}
