// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// The errors of a single line.
var (
	errNoName        = errors.New("no metric name")
	errTwoNames      = errors.New("two metric names")
	errLabels        = errors.New("malformed labels")
	errDuplicate     = errors.New("duplicate label")
	errTooManyLabels = fmt.Errorf("more than %d labels", maxLabels)
	errUnclosedQuote = errors.New("unclosed quotation mark")
	errValue         = errors.New("value is not a number")
	errTime          = errors.New("timestamp is not a number")
	errTrailing      = errors.New("unexpected text after the sample")
	errLongLine      = fmt.Errorf("longer than %d KiB", maxLine>>10)
	errNoEOF         = errors.New("the page ends without # EOF")
)

// LineError lists lines of a page that could not be read. All other lines have been read.
type LineError struct {
	// Count is the number of lines.
	Count int
	// First holds the first of them, at most eight.
	First []BadLine

	partial bool
}

// BadLine is a line that could not be read.
type BadLine struct {
	// Number is the line number, from 1. It is 0 for the missing # EOF of an empty page.
	Number int
	// Name is the metric name that the line begins with, if any. The rest of the line is withheld, because it might contain
	// secrets.
	Name string
	// Err is the reason.
	Err error
}

// Error lists the lines and the reasons.
func (e *LineError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "skipped lines that cannot be parsed: %d", e.Count)
	for i := range e.First {
		line := &e.First[i]
		fmt.Fprintf(&text, "; line %d", line.Number)
		if line.Name != "" {
			fmt.Fprintf(&text, " (%s)", line.Name)
		}
		fmt.Fprintf(&text, ": %v", line.Err)
	}
	return text.String()
}

// ErrorType returns scrape.Format.
func (e *LineError) ErrorType() scrape.ErrorType { return scrape.Format }

// Partial reports whether any sample of the page was read.
func (e *LineError) Partial() bool { return e.partial }
