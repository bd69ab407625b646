// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// scraper asks the components of one Jitsi.
type scraper struct {
	cfg       *Config
	set       receiver.Settings
	health    *scrape.Health
	processes []*process
	clock     func() time.Time
}

func newScraper(cfg *Config, set receiver.Settings) *scraper {
	return &scraper{cfg: cfg, set: set, clock: time.Now}
}

func (s *scraper) start(ctx context.Context, host component.Host) error {
	s.health = scrape.NewHealth(host)
	for _, b := range s.cfg.blocks() {
		if b.client.Endpoint == "" {
			continue
		}
		p, err := newProcess(ctx, s.cfg, b, host, s.set)
		if err != nil {
			return err
		}
		s.processes = append(s.processes, p)
	}
	return nil
}

func (s *scraper) shutdown(context.Context) error {
	for _, p := range s.processes {
		p.client.close()
	}
	return nil
}

// resources describes the components.
func (s *scraper) resources() []pcommon.Resource {
	resources := make([]pcommon.Resource, len(s.processes))
	for i, p := range s.processes {
		resources[i] = p.describe()
	}
	return resources
}

// scrape asks all components at once, so that one that hangs costs itself only.
func (s *scraper) scrape(ctx context.Context) (pmetric.Metrics, error) {
	now := pcommon.NewTimestampFromTime(s.clock())
	var wg sync.WaitGroup
	for _, p := range s.processes[1:] {
		wg.Go(func() { p.scrape(ctx, now) })
	}
	s.processes[0].scrape(ctx, now)
	wg.Wait()

	metrics := pmetric.NewMetrics()
	var errs, down []error
	for _, p := range s.processes {
		errs = append(errs, p.err)
		if !p.up {
			down = append(down, p.err)
		}
		p.metrics.ResourceMetrics().MoveAndAppendTo(metrics.ResourceMetrics())
	}
	s.health.Report(errors.Join(down...))
	return metrics, scrape.Join(errs...)
}
