// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Scrape is one scrape of a process and holds the results of its calls. Its methods can be called concurrently.
type Scrape struct {
	runner *Runner

	mu        sync.Mutex
	results   []Result
	elsewhere []Result // of calls to other servers
	rounds    int
	down      bool // the first calls failed for reasons that affect all calls
}

// Answered reports whether any call of this scrape was answered.
func (s *Scrape) Answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return anyAnswered(s.results)
}

// Made reports whether any call of this scrape was made.
func (s *Scrape) Made() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.results, func(r Result) bool { return r.made })
}

// Outcome returns the outcome of a call, and whether this scrape includes the call.
func (s *Scrape) Outcome(api string) (outcome Outcome, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.results, func(r Result) bool { return r.API == api })
	if i < 0 {
		return 0, false
	}
	return s.results[i].Outcome, true
}

// Lacks reports whether the process does not offer a call of this scrape. Unlike the outcome, this is known before the process
// answers any call.
func (s *Scrape) Lacks(api string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.results, func(r Result) bool {
		return r.API == api && (r.Outcome == NotOffered || s.runner.neverOffered(&r))
	})
}

// RunFirst makes light calls whose responses determine which other calls are made. If all of them fail for reasons that affect every
// call, the scrape makes no other calls. Once one of them is answered, the others get a quarter of the remaining time of ctx.
func (s *Scrape) RunFirst(ctx context.Context, calls ...Call) {
	first, _ := s.needed(calls)
	runTogether(ctx, first, 4)
	s.add(first)
	s.down = len(first) > 0 && !slices.ContainsFunc(first, func(r Result) bool { return !sharedReasons[TypeOf(r.Err)] })
}

// sharedReasons are the reasons that affect every call.
var sharedReasons = map[ErrorType]bool{Connection: true, Timeout: true, Authentication: true}

// Run makes the calls that an enabled metric needs: the light ones concurrently, then the heavy ones, unless no call of this scrape
// was answered. If heavy calls follow and a light call is answered, the other light calls get half of the remaining time of ctx, so
// that a hanging call affects only its own metrics. If no call is answered, Run waits until ctx ends.
func (s *Scrape) Run(ctx context.Context, calls ...Call) {
	light, heavy := s.needed(calls)
	if s.down {
		s.add(notAsked(light))
		s.add(notAsked(heavy))
		return
	}
	share := 1
	if len(heavy) > 0 {
		share = 2
	}
	runTogether(ctx, light, share)
	s.add(light)
	s.runHeavy(ctx, heavy)
}

// RunElsewhere makes a call to another server at endpoint. Its response does not show that the process is up. It can be called while
// other calls run; then the function that records the response must not use the builder.
func (s *Scrape) RunElsewhere(ctx context.Context, endpoint string, call Call) {
	result := Result{Call: call, endpoint: endpoint}
	result.run(new(certificates).in(ctx)) // not those of the process
	result.recordAnswer()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elsewhere = append(s.elsewhere, result)
}

// complete reports whether the scrape covers all metrics of the process. It does not if a call was not due, unless the process is down:
// then its earlier data points are no longer valid.
func (s *Scrape) complete() bool {
	return !anyAnswered(s.results) || !slices.ContainsFunc(s.results, func(r Result) bool { return r.Outcome == NotDue })
}

// err joins the errors of all calls with their endpoints. endpoint is that of the process.
func (s *Scrape) err(endpoint string) error {
	errs := []error{joinResults(endpoint, s.results)}
	for i := range s.elsewhere {
		errs = append(errs, joinResults(s.elsewhere[i].endpoint, s.elsewhere[i:i+1]))
	}
	return joinProcesses(errs)
}

func (s *Scrape) runHeavy(ctx context.Context, heavy []Result) {
	if s.Made() && !s.Answered() {
		s.add(notAsked(heavy))
		return
	}
	for i := range heavy {
		heavy[i].run(ctx)
		heavy[i].recordAnswer()
	}
	s.add(heavy)
}

// needed returns the calls to make. It adds results for calls that are not due or not offered.
func (s *Scrape) needed(calls []Call) (light, heavy []Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rounds++
	for _, c := range calls {
		r := Result{Call: c, round: s.rounds}
		switch {
		case len(c.Metrics) == 0 && !c.Always:
		case c.Known:
			s.results = append(s.results, r)
		case c.NotDue:
			r.Outcome = NotDue
			s.results = append(s.results, r)
		case s.runner.offers.lacks(c.API):
			r.Outcome = NotOffered
			s.results = append(s.results, r)
		case c.Heavy:
			heavy = append(heavy, r)
		default:
			light = append(light, r)
		}
	}
	return light, heavy
}

func (s *Scrape) add(results []Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, results...)
	if anyAnswered(s.results) {
		s.runner.noteOffers(s.results)
	}
}

func notAsked(results []Result) []Result {
	for i := range results {
		results[i].Outcome = NotAsked
	}
	return results
}

func anyAnswered(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.made && r.Outcome == Answered })
}

// runTogether makes calls concurrently. If one of them is answered, the others time out after 1/share of the remaining time of ctx.
func runTogether(ctx context.Context, light []Result, share int) {
	if len(light) == 0 {
		return
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	answered := make(chan struct{}, len(light))
	if deadline, ok := ctx.Deadline(); ok && share > 1 {
		defer time.AfterFunc(time.Until(deadline)/time.Duration(share), func() {
			select {
			case <-answered:
				stop(context.DeadlineExceeded)
			case <-ctx.Done():
			}
		}).Stop()
	}
	run := func(r *Result) {
		if r.run(ctx); r.Outcome == Answered {
			answered <- struct{}{}
		}
	}
	var wg sync.WaitGroup
	for i := range light[1:] {
		wg.Go(func() { run(&light[1+i]) })
	}
	run(&light[0]) // on this goroutine, whose stack has grown in earlier scrapes
	wg.Wait()
	for i := range light {
		light[i].recordAnswer()
	}
}

func (r *Result) recordAnswer() {
	if r.record != nil {
		r.record()
	}
}
