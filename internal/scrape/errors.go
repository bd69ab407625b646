// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"cmp"
	"errors"
	"slices"
)

// ErrorType says in one word why a call failed: the attribute error.type of rtc.scrape.errors.
type ErrorType string

// The reasons for which a call can fail.
const (
	// Authentication: the server refused the secret or our address.
	Authentication ErrorType = "authentication"
	// Connection: there is none, or it broke, or TLS could not be agreed on.
	Connection ErrorType = "connection"
	// Timeout: the answer did not come in time.
	Timeout ErrorType = "timeout"
	// Status: an HTTP status that is no success.
	Status ErrorType = "status"
	// Response: the server's own error, such as a negative code or an RPC fault.
	Response ErrorType = "response"
	// Format: not what was asked for, such as HTML, broken JSON, a cut page.
	Format ErrorType = "format"
	// Size: the answer is larger than the receiver reads.
	Size ErrorType = "size"
	// Other: none of these.
	Other ErrorType = "_OTHER"
)

// Typed is an error that knows why its call failed.
type Typed interface {
	error
	ErrorType() ErrorType
}

// TypeOf returns why a call failed, Other when the error does not tell.
func TypeOf(err error) ErrorType {
	if t, ok := errors.AsType[Typed](err); ok {
		return t.ErrorType()
	}
	return Other
}

// IsPartial reports whether an error spoilt only a part of an answer, whose rest was delivered.
func IsPartial(err error) bool {
	var p interface{ Partial() bool }
	return errors.As(err, &p) && p.Partial()
}

// ErrorCount is the number of failures of one API for one reason.
type ErrorCount struct {
	API  string
	Type ErrorType
	N    int64
}

// Errors counts failed calls since the receiver's start. The zero value is ready.
type Errors struct {
	counts map[ErrorCount]int64 // N is 0 in the keys
}

// Add counts the failures among the results of one scrape.
func (e *Errors) Add(results []Result) {
	if e.counts == nil {
		e.counts = map[ErrorCount]int64{}
	}
	for i := range results {
		if r := &results[i]; r.Err != nil && r.Asked() {
			e.counts[ErrorCount{API: r.API, Type: TypeOf(r.Err)}]++
		}
	}
}

// All returns every count, sorted by API and type.
func (e *Errors) All() []ErrorCount {
	counts := make([]ErrorCount, 0, len(e.counts))
	for k, n := range e.counts {
		counts = append(counts, ErrorCount{k.API, k.Type, n})
	}
	slices.SortFunc(counts, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(a.API, b.API), cmp.Compare(a.Type, b.Type))
	})
	return counts
}
