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

// ErrorType is the reason of a failed call, the value of the attribute error.type of rtc.scrape.errors.
type ErrorType string

// The reasons of failed calls.
const (
	// Authentication means that the server rejected the credentials or the address of the client.
	Authentication ErrorType = "authentication"
	// Connection means that there was no connection, that it broke, or that the TLS handshake failed.
	Connection ErrorType = "connection"
	// Timeout means that the response was not complete in time.
	Timeout ErrorType = "timeout"
	// Status means that the HTTP status was not a success.
	Status ErrorType = "status"
	// Response means that the server returned an error of its own, such as a negative code or an RPC fault.
	Response ErrorType = "response"
	// Format means that the response had an unexpected format, such as HTML, malformed JSON or a truncated page.
	Format ErrorType = "format"
	// Size means that the response was larger than the limit.
	Size ErrorType = "size"
	// Other is any other reason.
	Other ErrorType = "_OTHER"
)

// Typed is an error with a type.
type Typed interface {
	error
	ErrorType() ErrorType
}

// TypeOf returns the type of an error, or Other if it has none.
func TypeOf(err error) ErrorType {
	if t, ok := errors.AsType[Typed](err); ok {
		return t.ErrorType()
	}
	return Other
}

// IsPartial reports whether an error affects only a part of a response, so that the rest can be used.
func IsPartial(err error) bool {
	var p interface{ Partial() bool }
	return errors.As(err, &p) && p.Partial()
}

// errNotAsked is the error of a call that was not made because the process answered no other one.
var errNotAsked = errors.New("not asked, because the server answers nothing else")

// joinResults joins the errors of a process's calls into one partial scrape error, or returns nil if no call failed. Calls with the
// same error are listed together.
func joinResults(endpoint string, results []Result) error {
	var causes []error
	apis := map[string][]string{}
	missing := map[string]bool{} // names of metrics
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

// joinProcesses joins the errors of several processes into one partial scrape error, or returns nil if there are none.
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

// joined formats errors on one line, because the collector's log prints a line feed as \n.
type joined []error

func (e joined) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e joined) Unwrap() []error { return e }
