// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
)

// Scraper holds the functions of a receiver's scraper.
type Scraper struct {
	Start    component.StartFunc
	Scrape   scraper.ScrapeMetricsFunc
	Shutdown component.ShutdownFunc
	// Resources returns the resources that the scraper reports, once it has started.
	Resources func() []pcommon.Resource
}

// scrapingReceiver is the controller of a scraper. In contrast to the controller alone it does not wait for a running scrape when it
// is shut down: it cancels it.
type scrapingReceiver struct {
	receiver.Metrics
	stop    context.CancelFunc
	release func() // of its identities; nil while it has none
}

// NewReceiver returns a receiver of type t that scrapes on the schedule of cfg. The settings that newScraper is given are those of set, with
// a logger that repeats a lasting failure every 10 minutes instead of every scrape. The receiver does not start while another one of this
// process reports the same resources.
func NewReceiver(
	set receiver.Settings, t component.Type, cfg *scraperhelper.ControllerConfig, next consumer.Metrics, newScraper func(receiver.Settings) Scraper,
) (receiver.Metrics, error) {
	var failures failureLog
	set.Logger = failures.wrap(set.Logger)
	s := newScraper(set)
	stopping, stop := context.WithCancel(context.Background())
	r := &scrapingReceiver{stop: stop}
	m, err := scraper.NewMetrics(func(ctx context.Context) (pmetric.Metrics, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stopping, cancel)()
		metrics, err := s.Scrape(ctx)
		if stopping.Err() != nil {
			return pmetric.NewMetrics(), nil // the scrape was broken off, which says nothing of the server
		}
		if err == nil {
			failures.end(set.Logger)
		}
		return metrics, err
	}, scraper.WithShutdown(s.Shutdown), scraper.WithStart(func(ctx context.Context, host component.Host) (err error) {
		if err = s.Start.Start(ctx, host); err == nil {
			r.release, err = identities.claim(set.ID, s.Resources())
		}
		return err
	}))
	if err == nil {
		r.Metrics, err = scraperhelper.NewMetricsController(cfg, set, next, scraperhelper.AddMetricsScraper(t, m))
	}
	if err != nil {
		stop()
		return nil, err
	}
	return r, nil
}

// Shutdown cancels the running scrape, whose metrics are dropped, and stops the scraper.
func (r *scrapingReceiver) Shutdown(ctx context.Context) error {
	r.stop()
	if r.release != nil {
		defer r.release()
	}
	return r.Metrics.Shutdown(ctx)
}
