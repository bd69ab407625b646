// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// NewFactory returns the factory of the Kamailio receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
	)
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	c := cfg.(*Config)
	return scrape.NewReceiver(metadata.Type, &c.ControllerConfig, next, newSystem(c, set))
}

// newSystem returns the Kamailio that a configuration describes, and its rtpengine.
func newSystem(cfg *Config, set receiver.Settings) *scrape.System {
	return scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) ([]*scrape.Runner, error) {
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
	})
}
