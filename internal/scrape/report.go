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

// Report holds the state that the records of a process share: the time of the scrape, the omitted items, and the keys of messages
// that have been logged.
type Report struct {
	// Logger adds the names of the receiver and the process.
	Logger *zap.Logger

	clock      func() time.Time
	now, start pcommon.Timestamp
	omitted    map[omission]int64 // of the current scrape
	noticed    map[string]bool
}

// omission is a kind of omitted items and the reason.
type omission struct{ entity, reason string }

func newReport(logger *zap.Logger) *Report {
	return &Report{
		Logger: logger, clock: time.Now, start: pcommon.NewTimestampFromTime(time.Now()),
		omitted: map[omission]int64{}, noticed: map[string]bool{},
	}
}

// Now returns the timestamp of all data points of the current scrape.
func (r *Report) Now() pcommon.Timestamp { return r.now }

// Clock returns the current time, which advances during a scrape.
func (r *Report) Clock() time.Time { return r.clock() }

// StartTime returns when the receiver began to scrape the process. It is the start of sums for which the process reports no start
// time.
func (r *Report) StartTime() pcommon.Timestamp { return r.start }

// beginScrape starts the next scrape.
func (r *Report) beginScrape() {
	r.now = pcommon.NewTimestampFromTime(r.clock())
	clear(r.omitted)
}

// Omit counts items that are omitted from the metrics. n may be 0 to report that none are omitted. The other arguments are values of
// the attributes rtc.entity and rtc.omission.reason.
func (r *Report) Omit(entity, reason fmt.Stringer, n int64) {
	r.omitted[omission{entity.String(), reason.String()}] += n
}

// limited returns the number of items of each kind that a limit omits from the current scrape.
func (r *Report) limited() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for o, n := range r.omitted {
			if o.reason == "limit" && n > 0 && !yield(o.entity, n) {
				return
			}
		}
	}
}

// Once reports whether this is the first call with key. It prevents messages from being logged in every scrape.
func (r *Report) Once(key string) bool {
	seen := r.noticed[key]
	r.noticed[key] = true
	return !seen
}

// errorCount is the number of failures of a call for one reason.
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
