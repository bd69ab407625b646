// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
)

// NewFactory returns the factory of receivers that scrape systems. C is the type of their configuration. controller returns the
// schedule in a configuration, and start returns a Runner for each process in it.
func NewFactory[C any](
	t component.Type, stability component.StabilityLevel, defaults func() *C, controller func(*C) *scraperhelper.ControllerConfig,
	start func(context.Context, *C, component.Host, receiver.Settings) ([]*Runner, error),
) receiver.Factory {
	create := func(_ context.Context, set receiver.Settings, config component.Config, next consumer.Metrics) (receiver.Metrics, error) {
		cfg := config.(*C)
		system := NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) ([]*Runner, error) {
			return start(ctx, cfg, host, set)
		})
		return NewReceiver(t, controller(cfg), next, system)
	}
	return receiver.NewFactory(t, func() component.Config { return defaults() }, receiver.WithMetrics(create, stability))
}
