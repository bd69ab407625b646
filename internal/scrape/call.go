// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// Call is one call to a monitored process.
type Call struct {
	// API is the name of the call, as in the attribute rtc.api.
	API string
	// Metrics are the enabled metrics that need the call, from Runner.Enabled. Without any it is not made, unless Always is set.
	Metrics []rows.Metric
	// Always says that the call is made whatever is enabled, because it tells whether the process answers, or what it is.
	Always bool
	// Heavy calls cost the server much. They are made one by one, after all others.
	Heavy bool
	// Known says that the answer of an earlier scrape is used instead of making the call.
	Known bool
	// NotDue says that the call is made in some scrapes only, and not in this one. The data points of its last answer remain valid.
	NotDue bool
	// Ask makes the call. What records the answer is run after all light calls have ended, in the order of the calls.
	Ask Ask
	// Took returns how long the process took for the call, where Ask waits for others too. It may be nil.
	Took func() time.Duration
}

// Ask makes a call. It returns a function that records the answer, also beside an error that spoilt only a part of it; the function
// is nil where the call failed.
type Ask func(context.Context) (record func(), err error)

// Fetch returns an Ask that gets an answer as a whole and then records it.
func Fetch[T any](get func(context.Context) (T, error), record func(T)) Ask {
	return func(ctx context.Context) (func(), error) {
		answer, err := get(ctx)
		if err != nil && !IsPartial(err) {
			return nil, err
		}
		return func() { record(answer) }, err
	}
}

// Walk returns an Ask for an answer that is recorded while it comes in. Recorded says whether what came before an error is of use.
func Walk(walk func(context.Context) (recorded bool, err error)) Ask {
	return func(ctx context.Context) (func(), error) {
		recorded, err := walk(ctx)
		if !recorded {
			return nil, err
		}
		return func() {}, err
	}
}

// Outcome says what became of a call in a scrape.
type Outcome int

// The outcomes of a call.
const (
	// Answered calls have an answer, at least a part of which could be used.
	Answered Outcome = iota
	// Failed calls have none.
	Failed
	// NotAsked calls were not made because the process answered no other one.
	NotAsked
	// NotOffered calls are none of the process's: it was asked in this scrape or in one of those before.
	NotOffered
	// NotDue calls are made in some scrapes only, and not in this one.
	NotDue
)

// Result is what became of a call.
type Result struct {
	Call
	Outcome Outcome
	// Duration is the time from the request to the end of the decoded answer, or what Took returned.
	Duration time.Duration
	// Err is nil when the whole answer was understood, and when the call was not made.
	Err error

	round    int    // of the scrape; calls that are run together have the same
	endpoint string // of a call to another server
	made     bool   // in this scrape
	known    bool   // whether the process offers the call has been noted
	record   func()
}

func (r *Result) run(ctx context.Context) {
	start := time.Now()
	r.record, r.Err = r.Ask(ctx)
	r.made, r.Duration = true, time.Since(start)
	if r.Took != nil {
		r.Duration = r.Took()
	}
	r.Outcome = Answered
	if r.Err != nil && r.record == nil {
		r.Outcome = Failed
	}
}
