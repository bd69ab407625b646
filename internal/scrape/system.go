// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

// Start returns a Runner for each process of a system. The logger of set logs a persistent failure every 10 minutes instead of every
// scrape. Runners that are returned with an error are closed.
type Start func(ctx context.Context, host component.Host, set receiver.Settings) ([]*Runner, error)

// System is the set of processes that one receiver monitors. Each process is a resource of its own.
type System struct {
	// Yield is called when a receiver in the configuration claims the identity of a process of this discovered system. It must make the
	// receiver shut down. It is nil for a system in the configuration.
	Yield func()

	set      receiver.Settings
	start    Start
	runners  []*Runner
	health   health
	failures failureLog
	extent   completeness.Completeness // of the metrics of the last scrape

	stopping context.Context // canceled on shutdown
	stop     context.CancelFunc
}

// NewSystem returns a system with the processes that start returns.
func NewSystem(set receiver.Settings, start Start) *System {
	s := &System{set: set, start: start}
	s.set.Logger = s.failures.wrap(set.Logger)
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s
}

// Start starts the processes before the first scrape.
func (s *System) Start(ctx context.Context, host component.Host) (err error) {
	s.health.host = host
	s.runners, err = s.start(ctx, host, s.set)
	return err
}

// Shutdown cancels the running scrape and closes all connections.
func (s *System) Shutdown(context.Context) error {
	s.stop()
	for _, r := range s.runners {
		r.process.Close()
	}
	return nil
}

// withdrawal returns the payload that ends the series of all processes.
func (s *System) withdrawal() pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	for _, r := range s.runners {
		r.withdrawal().ResourceMetrics().MoveAndAppendTo(metrics.ResourceMetrics())
	}
	return metrics
}

// resources returns the resources of the processes.
func (s *System) resources() []pcommon.Resource {
	resources := make([]pcommon.Resource, len(s.runners))
	for i, r := range s.runners {
		resources[i] = r.process.Resource()
	}
	return resources
}

// Scrape scrapes all processes concurrently, so that a hanging process does not affect the others. A scrape that is canceled by the
// shutdown returns no metrics, because it does not reflect the state of the system.
func (s *System) Scrape(ctx context.Context) (pmetric.Metrics, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	outcomes := make([]outcome, len(s.runners))
	var wg sync.WaitGroup
	for i, r := range s.runners[1:] {
		wg.Go(func() { outcomes[1+i] = r.scrape(ctx) })
	}
	outcomes[0] = s.runners[0].scrape(ctx) // on this goroutine, whose stack has grown in earlier scrapes
	wg.Wait()
	if s.stopping.Err() != nil {
		return pmetric.NewMetrics(), nil
	}
	return s.join(outcomes)
}

// join joins the outcomes of all processes.
func (s *System) join(outcomes []outcome) (pmetric.Metrics, error) {
	metrics := outcomes[0].metrics
	s.extent = completeness.Full
	var errs, down []error
	for i, o := range outcomes {
		if !o.complete {
			s.extent = completeness.Incremental
		}
		errs = append(errs, o.err)
		if !o.up {
			down = append(down, o.err)
		}
		if i > 0 {
			o.metrics.ResourceMetrics().MoveAndAppendTo(metrics.ResourceMetrics())
		}
	}
	s.health.report(errors.Join(down...))
	err := joinProcesses(errs)
	if err == nil {
		s.failures.end(s.set.Logger)
	}
	return metrics, err
}

// SetClock sets the clock of the started processes, for tests.
func (s *System) SetClock(now func() time.Time) {
	for _, r := range s.runners {
		r.clock = now
	}
}
