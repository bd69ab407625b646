// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/scraper/scrapererror"
)

// ErrorType is the value of the attribute error.type of rtc.scrape.errors: why a call failed.
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

// Typed is an error with a type.
type Typed interface {
	error
	ErrorType() ErrorType
}

// TypeOf returns why a call failed, Other for an error without a type.
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

// errNotAsked stands for a call that was not made because the process answered no other one.
var errNotAsked = errors.New("not asked, because the server answers nothing else")

// joinResults makes one partial scrape error of the calls of a process that failed, nil when there are none. Calls that failed for the
// same reason share a line.
func joinResults(endpoint string, results []Result) error {
	var causes []error
	apis := map[string][]string{}
	missing := map[string]bool{} // metrics
	for i := range results {
		err := results[i].Err
		if results[i].Outcome == NotAsked {
			err = errNotAsked
		}
		if err == nil {
			continue
		}
		if apis[err.Error()] == nil {
			causes = append(causes, err)
		}
		apis[err.Error()] = append(apis[err.Error()], results[i].API)
		for _, m := range results[i].Metrics {
			missing[m.Name] = true
		}
	}
	if len(causes) == 0 {
		return nil
	}
	for i, cause := range causes {
		causes[i] = fmt.Errorf("%s of %s: %w", strings.Join(apis[cause.Error()], ", "), endpoint, cause)
	}
	return scrapererror.NewPartialScrapeError(joined(causes), len(missing))
}

// joinProcesses makes one partial scrape error of those of several processes, nil when there are none.
func joinProcesses(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	failed := 0
	for _, err := range errs {
		partial, _ := errors.AsType[scrapererror.PartialScrapeError](err)
		failed += partial.Failed
	}
	return scrapererror.NewPartialScrapeError(joined(errs), failed)
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
