// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// Why a line cannot be read.
var (
	errName      = errors.New("it does not begin with the name of a metric")
	errTwoNames  = errors.New("it has two names")
	errLabels    = errors.New("its labels are malformed")
	errDuplicate = errors.New("a label comes twice")
	errMany      = fmt.Errorf("it has more than %d labels", maxLabels)
	errOpen      = errors.New("a quotation mark is not closed")
	errValue     = errors.New("its value is no number")
	errTime      = errors.New("its time is no number")
	errBehind    = errors.New("something follows the sample")
	errLong      = fmt.Errorf("it is longer than %d KiB", maxLine>>10)
	errCut       = errors.New("the page ends without # EOF")
)

// LineError names lines of a page that could not be read. All others were.
type LineError struct {
	// Count is the number of lines.
	Count int
	// First holds the first of them, at most eight.
	First []BadLine

	partial bool
}

// BadLine is a line that could not be read.
type BadLine struct {
	// Number counts from 1; it is 0 where a page without lines is what is wrong.
	Number int
	// Name is what the line begins with, as far as it can be a metric's name. The rest might hold secrets.
	Name string
	// Err tells what is wrong with the line.
	Err error
}

// Error names the lines.
func (e *LineError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "lines that cannot be read and are left out: %d", e.Count)
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

// Partial says whether the rest of the page is good: some sample was read.
func (e *LineError) Partial() bool { return e.partial }

// SizeError is a page that is larger than the reader takes.
type SizeError struct {
	// What is too large.
	What string
}

// Error says what is too large.
func (e *SizeError) Error() string { return e.What }

// ErrorType returns scrape.Size.
func (e *SizeError) ErrorType() scrape.ErrorType { return scrape.Size }
