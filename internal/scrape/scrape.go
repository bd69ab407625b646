// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package scrape runs the calls of one scrape and sums up how they went, alike for all receivers.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/scraper/scrapererror"
)

// errNotAsked stands for a call that was not made because the server answered no other.
var errNotAsked = errors.New("not asked, because the server answers nothing else")

// Part is one call to the monitored server, with the metrics that come from its answer.
type Part struct {
	// API is the call's name, as in the attribute rtc.api.
	API string
	// Metrics is the number of enabled metrics that need the call; with 0 it is not made.
	Metrics int
	// Heavy calls cost the server much. They are made one by one, after all others.
	Heavy bool
	// Call asks the server. It may return what records the answer beside an error that spoilt only a part of it.
	Call func(context.Context) (record func(), err error)
	// Took, when set, returns how long the server took for the call, where Call waits for others too.
	Took func() time.Duration
}

// Fetch joins a call that returns an answer with the function that records it, also where the answer is spoilt in part.
func Fetch[T any](get func(context.Context) (T, error), record func(T)) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		answer, err := get(ctx)
		if err != nil && !IsPartial(err) {
			return nil, err
		}
		return func() { record(answer) }, err
	}
}

// Result tells how one part went.
type Result struct {
	Part
	// Duration is the time from the request to the end of the decoded answer, or what Took returned.
	Duration time.Duration
	// Err is nil when the whole answer was understood.
	Err error

	record func()
}

// Asked reports whether the call was made at all.
func (r *Result) Asked() bool {
	return !errors.Is(r.Err, errNotAsked)
}

// Answered reports whether at least a part of the answer could be used.
func (r *Result) Answered() bool {
	return r.Err == nil || r.record != nil
}

// Run makes the calls of all parts that a metric needs. First come those of before: what they learn decides what parts returns. When
// no other call can succeed either, nothing else is asked. Then come the light parts at once; then the heavy ones, unless nothing at
// all was answered. Once one of them was answered, the first calls get a quarter of the time that ctx leaves, and light ones before
// heavy ones half of it, so that one that hangs costs itself only. A server that answers nothing is waited for until ctx ends.
// Answers are recorded one after the other, in the order of parts.
func Run(ctx context.Context, before []Part, parts func() []Part) []Result {
	first, _ := needed(before)
	runTogether(ctx, first, 4)
	light, heavy := needed(parts())
	if hopeless(first) {
		return slices.Concat(first, notAsked(light), notAsked(heavy))
	}
	share := 1
	if len(heavy) > 0 {
		share = 2
	}
	runTogether(ctx, light, share)
	light = slices.Concat(first, light)
	if len(light) > 0 && !Up(light) {
		return slices.Concat(light, notAsked(heavy))
	}
	for i := range heavy {
		heavy[i].run(ctx)
		heavy[i].recordAnswer()
	}
	return slices.Concat(light, heavy)
}

// hopeless reports whether calls failed for reasons that all others share.
func hopeless(results []Result) bool {
	for i := range results {
		switch TypeOf(results[i].Err) {
		case Connection, Timeout, Authentication:
		default:
			return false
		}
	}
	return len(results) > 0
}

// needed leaves the parts that a metric needs.
func needed(parts []Part) (light, heavy []Result) {
	for _, p := range parts {
		switch {
		case p.Metrics == 0:
		case p.Heavy:
			heavy = append(heavy, Result{Part: p})
		default:
			light = append(light, Result{Part: p})
		}
	}
	return light, heavy
}

func notAsked(results []Result) []Result {
	for i := range results {
		results[i].Err = errNotAsked
	}
	return results
}

// runTogether makes calls at once. Those that are not answered within a share of the time that ctx leaves, all of it, half, a quarter,
// have timed out once another one was answered.
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
		if r.run(ctx); r.Answered() {
			answered <- struct{}{}
		}
	}
	var wg sync.WaitGroup
	for i := range light[1:] {
		wg.Go(func() { run(&light[1+i]) })
	}
	run(&light[0]) // here, where the stack has grown in earlier scrapes
	wg.Wait()
	for i := range light {
		light[i].recordAnswer()
	}
}

func (r *Result) run(ctx context.Context) {
	began := time.Now()
	r.record, r.Err = r.Call(ctx)
	r.Duration = time.Since(began)
	if r.Took != nil {
		r.Duration = r.Took()
	}
}

func (r *Result) recordAnswer() {
	if r.record != nil {
		r.record()
	}
}

// Up reports whether the server answered any of the calls.
func Up(results []Result) bool {
	for i := range results {
		if results[i].Answered() {
			return true
		}
	}
	return false
}

// Err joins the errors of a scrape of target into one partial scrape error, nil when there are none.
// Calls that failed for the same reason share a line.
func Err(target string, results []Result) error {
	var causes []error
	apis := map[string][]string{}
	failed := 0
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		failed += r.Metrics
		cause := r.Err.Error()
		if apis[cause] == nil {
			causes = append(causes, r.Err)
		}
		apis[cause] = append(apis[cause], r.API)
	}
	if len(causes) == 0 {
		return nil
	}
	for i, cause := range causes {
		causes[i] = fmt.Errorf("%s of %s: %w", strings.Join(apis[cause.Error()], ", "), target, cause)
	}
	return scrapererror.NewPartialScrapeError(joined(causes), failed)
}

// joined are errors on one line, because the collector's log prints a line feed as \n.
type joined []error

func (e joined) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e joined) Unwrap() []error { return e }

// Join makes one partial scrape error of those of several targets, nil when there are none.
func Join(errs ...error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	failed := 0
	for _, e := range errs {
		partial, _ := errors.AsType[scrapererror.PartialScrapeError](e)
		failed += partial.Failed
	}
	return scrapererror.NewPartialScrapeError(joined(errs), failed)
}

// Enabled counts what is switched on, such as the metrics that need a call.
func Enabled(switches ...bool) int {
	n := 0
	for _, on := range switches {
		if on {
			n++
		}
	}
	return n
}

// Number is the value of a yes or no: 1 or 0.
func Number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
