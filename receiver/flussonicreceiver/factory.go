// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// NewFactory returns the factory of the Flussonic receiver.
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

// newSystem returns the Flussonic server that a configuration describes.
func newSystem(cfg *Config, set receiver.Settings) *scrape.System {
	return scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) ([]*scrape.Runner, error) {
		s, err := newScraper(ctx, cfg, host, set)
		if err != nil {
			return nil, err
		}
		return []*scrape.Runner{s.run}, nil
	})
}
