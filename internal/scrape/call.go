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
	// API is the name of the call, the value of the attribute rtc.api.
	API string
	// Metrics are the enabled metrics that need the call, from Runner.Enabled. If there are none, the call is not made unless Always
	// is set.
	Metrics []rows.Metric
	// Always makes the call whatever metrics are enabled, because it shows whether the process is up or identifies it.
	Always bool
	// Heavy marks calls that are expensive for the server. They are made one by one, after all others.
	Heavy bool
	// Known skips the call because an earlier response still holds, and its data points are recorded in every scrape.
	Known bool
	// NotDue skips the call in this scrape, because it is made less often. The data points of its previous response remain valid.
	NotDue bool
	// Ask makes the call. The functions that it returns are called after all light calls have ended, in the order of the calls.
	Ask Ask
	// Took returns the time that the process needed for the call, if Ask also waits for others. It may be nil.
	Took func() time.Duration
}

// Ask makes a call. It returns a function that records the response, or nil if the call failed. With an error that affects only a
// part of the response, it returns both.
type Ask func(context.Context) (record func(), err error)

// Fetch returns an Ask that reads a complete response and then records it.
func Fetch[T any](get func(context.Context) (T, error), record func(T)) Ask {
	return func(ctx context.Context) (func(), error) {
		answer, err := get(ctx)
		if err != nil && !IsPartial(err) {
			return nil, err
		}
		return func() { record(answer) }, err
	}
}

// Walk returns an Ask that records a response while reading it. walk reports whether data recorded before an error is usable.
func Walk(walk func(context.Context) (recorded bool, err error)) Ask {
	return func(ctx context.Context) (func(), error) {
		recorded, err := walk(ctx)
		if !recorded {
			return nil, err
		}
		return func() {}, err
	}
}

// Outcome is the result of a call in a scrape.
type Outcome int

// The outcomes of a call.
const (
	// Answered means that at least a part of the response could be used.
	Answered Outcome = iota
	// Failed means that nothing of the response could be used.
	Failed
	// NotAsked means that the call was not made because the process answered no other one.
	NotAsked
	// NotOffered means that the process does not offer the call, according to this scrape or an earlier one.
	NotOffered
	// NotDue means that the call was skipped because it is made less often.
	NotDue
)

// Result is the result of a call.
type Result struct {
	Call
	Outcome Outcome
	// Duration is the time from the request to the end of the decoded response, or the result of Took.
	Duration time.Duration
	// Err is nil if the complete response was read or the call was not made.
	Err error

	round    int    // number of the round in the scrape; calls that run together share it
	endpoint string // of another server, for calls to it
	made     bool   // in this scrape
	known    bool   // the result has been passed to offers
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
