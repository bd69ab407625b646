// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
)

// Report is what the records of one process share: the time of the scrape, what it leaves out, and what has been logged already.
type Report struct {
	// Logger logs with the names of the receiver and the process.
	Logger *zap.Logger

	clock      func() time.Time
	now, start pcommon.Timestamp
	omitted    map[omission]int64 // of the current scrape
	noticed    map[string]bool
}

// omission is why things of one kind are left out.
type omission struct{ entity, reason string }

func newReport(logger *zap.Logger) *Report {
	return &Report{
		Logger: logger, clock: time.Now, start: pcommon.NewTimestampFromTime(time.Now()),
		omitted: map[omission]int64{}, noticed: map[string]bool{},
	}
}

// Now returns the time of the current scrape, which all its points have.
func (r *Report) Now() pcommon.Timestamp { return r.now }

// Clock returns the current time, which goes on while the calls of a scrape are made.
func (r *Report) Clock() time.Time { return r.clock() }

// StartTime returns when the receiver began to scrape the process: the start of sums for which the process does not report one.
func (r *Report) StartTime() pcommon.Timestamp { return r.start }

// beginScrape starts the next scrape.
func (r *Report) beginScrape() {
	r.now = pcommon.NewTimestampFromTime(r.clock())
	clear(r.omitted)
}

// Omit counts things that are left out of the metrics; n may be 0, to say that none are. The arguments are values of the attributes
// rtc.entity and rtc.omission.reason.
func (r *Report) Omit(entity, reason fmt.Stringer, n int64) {
	r.omitted[omission{entity.String(), reason.String()}] += n
}

// limited returns the kinds of things that a limit has left out of the current scrape, and how many.
func (r *Report) limited() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for o, n := range r.omitted {
			if o.reason == "limit" && n > 0 && !yield(o.entity, n) {
				return
			}
		}
	}
}

// Once reports whether it is called for the first time with a key: what is worth a line in the log is worth one, not one per scrape.
func (r *Report) Once(key string) bool {
	seen := r.noticed[key]
	r.noticed[key] = true
	return !seen
}

// errorCount is the number of failures of one call for one reason.
type errorCount struct {
	api string
	why ErrorType
	n   int64
}

// errorCounts counts failed calls since the first scrape.
type errorCounts struct {
	counts map[errorCount]int64 // n is 0 in the keys
}

func (e *errorCounts) add(results []Result) {
	if e.counts == nil {
		e.counts = map[errorCount]int64{}
	}
	for i := range results {
		if r := &results[i]; r.Err != nil && r.made {
			e.counts[errorCount{api: r.API, why: TypeOf(r.Err)}]++
		}
	}
}

// all returns every count, sorted by call and reason.
func (e *errorCounts) all() []errorCount {
	counts := make([]errorCount, 0, len(e.counts))
	for k, n := range e.counts {
		counts = append(counts, errorCount{k.api, k.why, n})
	}
	slices.SortFunc(counts, func(a, b errorCount) int {
		return cmp.Or(cmp.Compare(a.api, b.api), cmp.Compare(a.why, b.why))
	})
	return counts
}
