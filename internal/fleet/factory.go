// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"time"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// longestSpread is the maximum time over which the first scrapes of targets are spread.
const longestSpread = 10 * time.Second

// Settings describes the configuration C of a receiver.
type Settings[C any] struct {
	// Defaults returns the default configuration.
	Defaults func() *C
	// Schedule returns the interval, the timeout and the initial delay.
	Schedule func(*C) *scraperhelper.ControllerConfig
	// Endpoints returns the settings that contain servers.
	Endpoints func(*C) []Endpoint
	// Shard returns the setting shard.
	Shard func(*C) *configoptional.Optional[Shard]
	// Start returns a Runner for each process in a configuration without targets.
	Start func(context.Context, *C, component.Host, receiver.Settings) ([]*scrape.Runner, error)
}

// NewFactory returns the factory of receivers that scrape the endpoints or targets in their configurations.
func NewFactory[C any](t component.Type, stability component.StabilityLevel, s Settings[C]) receiver.Factory {
	create := func(_ context.Context, set receiver.Settings, config component.Config, next consumer.Metrics) (receiver.Metrics, error) {
		cfg := config.(*C)
		if HasTargets(s.Endpoints(cfg)) {
			return s.newFleet(t, cfg, set, next)
		}
		return scrape.NewReceiver(t, s.Schedule(cfg), next, s.newSystem(cfg, set))
	}
	return receiver.NewFactory(t, func() component.Config { return s.Defaults() }, receiver.WithMetrics(create, stability))
}

// newSystem returns the system that a configuration without targets describes.
func (s *Settings[C]) newSystem(cfg *C, set receiver.Settings) *scrape.System {
	return scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) ([]*scrape.Runner, error) {
		return s.Start(ctx, cfg, host, set)
	})
}

// newFleet returns the receiver of a configuration with targets.
func (s *Settings[C]) newFleet(t component.Type, cfg *C, set receiver.Settings, next consumer.Metrics) (receiver.Metrics, error) {
	attributes, err := s.resourceAttributes()
	if err != nil {
		return nil, err
	}
	return newFleet(set, s.Endpoints(cfg), s.Shard(cfg).Get(), func(a *assignment) (targetReceiver, error) {
		set := set
		set.Logger = set.Logger.With(zap.String("target", a.Endpoint))
		labeled, err := withLabels(next, attributes.without(a.Labels, set.Logger))
		if err != nil {
			return nil, err
		}
		one := s.configOf(cfg, a)
		system := s.newSystem(one, set)
		if !a.configured {
			system.Yield = a.displace
		}
		return scrape.NewReceiver(t, s.Schedule(one), labeled, system)
	}), nil
}

// configOf returns the configuration of the receiver of a target: cfg with this endpoint only.
func (s *Settings[C]) configOf(cfg *C, a *assignment) *C {
	one := *cfg
	for i, e := range s.Endpoints(&one) {
		e.Client.Endpoint = ""
		if i == a.index {
			a.configure(e.Client)
		}
	}
	schedule := s.Schedule(&one)
	spread := min(schedule.CollectionInterval, longestSpread)
	schedule.InitialDelay += time.Duration(xxhash.Sum64String(a.key) % uint64(spread)) //nolint:gosec // less than spread
	return &one
}

// attributes holds the resource attributes that a receiver can set, and whether a label with the name has been logged.
type attributes map[string]bool

// resourceAttributes returns the resource attributes that the receiver can set.
func (s *Settings[C]) resourceAttributes() (attributes, error) {
	conf := confmap.New()
	if err := conf.Marshal(s.Defaults()); err != nil {
		return nil, err
	}
	section, err := conf.Sub("resource_attributes")
	if err != nil {
		return nil, err
	}
	own := attributes{}
	for name := range section.ToStringMap() {
		own[name] = false
	}
	return own, nil
}

// without returns labels without the attributes, and logs once each which are ignored.
func (a attributes) without(labels map[string]string, logger *zap.Logger) map[string]string {
	others := map[string]string{}
	for name, value := range labels {
		logged, own := a[name]
		if !own {
			others[name] = value
		} else if !logged {
			a[name] = true
			logger.Warn("a label is ignored, because the receiver sets the resource attribute itself", zap.String("label", name))
		}
	}
	return others
}

// withLabels returns a consumer that adds labels to all resources.
func withLabels(next consumer.Metrics, labels map[string]string) (consumer.Metrics, error) {
	return consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		for _, rm := range md.ResourceMetrics().All() {
			for name, value := range labels {
				rm.Resource().Attributes().PutStr(name, value)
			}
		}
		return next.ConsumeMetrics(ctx, md)
	}, consumer.WithCapabilities(next.Capabilities()))
}
