// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// NewFactory returns the factory of the Kamailio receiver.
func NewFactory() receiver.Factory {
	schedule := func(c *Config) *scraperhelper.ControllerConfig { return &c.ControllerConfig }
	return scrape.NewFactory(metadata.Type, metadata.MetricsStability, createDefaultConfig, schedule, startRunners)
}

// startRunners returns the Runners of Kamailio and of its rtpengine, if one is configured.
func startRunners(ctx context.Context, cfg *Config, host component.Host, set receiver.Settings) ([]*scrape.Runner, error) {
	kamailio, err := newScraper(ctx, cfg, host, set)
	if err != nil {
		return nil, err
	}
	runners := []*scrape.Runner{kamailio.run}
	if cfg.RTPEngine.Endpoint == "" {
		return runners, nil
	}
	relay, err := newRTPEngine(ctx, cfg, host, set)
	if err != nil {
		return runners, err
	}
	return append(runners, relay.run), nil
}
