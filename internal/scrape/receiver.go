// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

// Receiver scrapes a system. It wraps a controller, which alone would wait for a running scrape on shutdown.
type Receiver struct {
	receiver.Metrics
	system  *System
	next    consumer.Metrics
	release func() // releases the identities of the system; nil if it has none
}

// NewReceiver returns a receiver of type t that scrapes a system on the schedule of cfg. It fails to start if another receiver of
// this collector reports the same resources.
func NewReceiver(t component.Type, cfg *scraperhelper.ControllerConfig, next consumer.Metrics, system *System) (*Receiver, error) {
	r := &Receiver{system: system, next: next}
	m, err := scraper.NewMetrics(system.Scrape, scraper.WithStart(r.startSystem), scraper.WithShutdown(system.Shutdown))
	if err == nil {
		next, err = withCompleteness(next, system)
	}
	if err == nil {
		r.Metrics, err = scraperhelper.NewMetricsController(cfg, system.set, next, scraperhelper.AddMetricsScraper(t, m))
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// withCompleteness returns a consumer that passes metrics on to next with the completeness of the scrape. The controller calls it right
// after the scrape, in the same goroutine.
func withCompleteness(next consumer.Metrics, system *System) (consumer.Metrics, error) {
	return consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		return next.ConsumeMetrics(completeness.With(ctx, system.extent), md)
	}, consumer.WithCapabilities(next.Capabilities()))
}

// startSystem starts the system before its first scrape.
func (r *Receiver) startSystem(ctx context.Context, host component.Host) error {
	err := r.system.Start(ctx, host)
	if err == nil {
		r.release, err = identities.claim(&owner{r.system.set.ID, r.system.Yield}, r.system.resources())
	}
	return err
}

// Shutdown cancels the running scrape, whose metrics are dropped, and stops the system.
func (r *Receiver) Shutdown(ctx context.Context) error {
	r.system.stop()
	if r.release != nil {
		defer r.release()
	}
	return r.Metrics.Shutdown(ctx)
}

// Withdraw ends the series of a system that is no longer scraped. It must be called after Shutdown. It sends rtc.target.up without a value,
// which ends this series in all backends, and all series of the system on a page in this process.
func (r *Receiver) Withdraw(ctx context.Context) error {
	return r.next.ConsumeMetrics(completeness.With(ctx, completeness.Full), r.system.withdrawal())
}
