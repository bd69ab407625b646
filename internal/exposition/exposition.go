// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package exposition is a streaming parser for the Prometheus text format 0.0.4 and OpenMetrics 1.0, including the quoted names
// of Prometheus 3. A malformed line yields no sample and does not affect other lines.
//
// The formats are specified at https://prometheus.io/docs/instrumenting/exposition_formats/ and
// https://prometheus.io/docs/specs/om/open_metrics_spec/.
package exposition

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

const (
	// maxLine is the maximum length of a line in bytes, including its end.
	maxLine = 64 << 10
	// maxLabels is the maximum number of labels of a sample. Each label is compared with all others.
	maxLabels = 64
	// maxTypes is the maximum number of families whose types are remembered, maxTypedName the maximum length of their names.
	maxTypes, maxTypedName = 16 << 10, 1 << 10
	// maxBadLines is the maximum number of malformed lines that an error lists.
	maxBadLines = 8
	// maxEmptyReads is the maximum number of consecutive reads that return neither data nor an error.
	maxEmptyReads = 100
)

// Sample is one sample of a page. It is valid until the function it was passed to returns.
type Sample struct {
	// Name is not empty and includes the suffix, such as _total or _bucket. A quoted name can contain any bytes.
	Name []byte
	// Labels are unescaped and in the order of the page. Their names are unique. Values can contain invalid UTF-8.
	Labels []Label
	// Value can be NaN or an infinity.
	Value float64
	// Time is the timestamp of the sample, with a resolution of milliseconds. Few servers send one.
	Time optional.Value[time.Time]
	// Family is never nil. Its name is empty if no comment describes the sample.
	Family *Family
}

// Label is a label of a sample.
type Label struct {
	Name, Value []byte
}

// Label returns the value of the label with this name, or nil if the sample does not have the label.
func (s *Sample) Label(name string) []byte {
	for i := range s.Labels {
		if string(s.Labels[i].Name) == name {
			return s.Labels[i].Value
		}
	}
	return nil
}

// Family holds the metadata of a sample from the preceding # TYPE, # HELP and # UNIT comments.
type Family struct {
	// Name is the name of the sample without the suffix of its type.
	Name []byte
	Type Type
	// Help is unescaped. It is empty if a comment has described another family since.
	Help []byte
	// Unit is an OpenMetrics unit, such as seconds. It is empty if a comment has described another family since.
	Unit []byte
}

// Reader reads one page at a time. It can be reused, but not concurrently.
type Reader struct {
	body        io.Reader
	openMetrics bool
	err         error // error of the body

	window []byte // unread part of buffer
	buffer []byte
	number int  // number of the current line, from 1
	ended  bool // by # EOF

	sample      Sample
	family      Family // described last
	otherFamily Family // of the current sample, if it does not belong to family
	types       map[string]*declaredType
	page        uint64 // number of the page, from 1
	unescaped   []byte // buffer of the names and values in the sample that had escapes
	good        int    // samples read
	bad         LineError
}

// NewReader returns a Reader. Call Reset before Each.
func NewReader() *Reader {
	return &Reader{
		buffer: make([]byte, 2*maxLine),
		types:  map[string]*declaredType{},
		sample: Sample{Labels: make([]Label, 0, 2*maxLabels)}, // including those of an exemplar
	}
}

// Reset starts a new page. The Content-Type header of the server selects the format: OpenMetrics has timestamps in seconds and
// ends with # EOF, the Prometheus text format has timestamps in milliseconds and no end marker.
func (r *Reader) Reset(body io.Reader, contentType string) {
	*r = Reader{
		body: body, buffer: r.buffer, window: r.buffer[:0], unescaped: r.unescaped[:0],
		types: r.types, page: r.page + 1, sample: Sample{Labels: r.sample.Labels[:0]},
		family: Family{Name: r.family.Name[:0], Help: r.family.Help[:0], Unit: r.family.Unit[:0]},
	}
	if len(r.types) > maxTypes/2 { // make room for the families of this page
		clear(r.types)
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	r.openMetrics = strings.EqualFold(strings.TrimSpace(mediaType), "application/openmetrics-text")
}

// Each calls sample for every sample of the page in order, and returns the first error of sample. It skips malformed lines and
// returns a *LineError at the end. If the body fails, it returns the error of the body and skips the incomplete last line. It sets no
// limit to the size of the page.
func (r *Reader) Each(sample func(*Sample) error) error {
	for r.next() {
		if err := sample(&r.sample); err != nil {
			return err
		}
	}
	switch {
	case !r.ended && !errors.Is(r.err, io.EOF):
		return r.err
	case !r.ended && r.openMetrics:
		r.addBadLine(nil, errNoEOF)
	}
	if r.bad.Count == 0 {
		return nil
	}
	bad := r.bad
	bad.partial = r.good > 0
	return &bad
}

var byteOrderMark = []byte("\uFEFF")

// next advances to the next sample.
func (r *Reader) next() bool {
	for !r.ended {
		line := r.line()
		if line == nil {
			return false
		}
		if r.number++; r.number == 1 && bytes.HasPrefix(line, byteOrderMark) {
			r.consume(len(byteOrderMark))
			line = line[len(byteOrderMark):]
		}
		text := trimBlanks(line)
		switch {
		case len(line) > maxLine:
			r.addBadLine(line, errLongLine)
			r.consumeLine()
		case atEnd(text):
			r.consume(len(line))
		case text[0] == '#':
			r.comment(text[1:])
			r.consume(len(line))
		case r.openMetrics && line[len(line)-1] != '\n': // truncated: no # EOF follows
			r.consume(len(line))
		default:
			if r.readSample(line) {
				r.good++
				return true
			}
		}
	}
	return false
}

// readSample parses a line, consumes it, and reports whether it is a sample.
func (r *Reader) readSample(line []byte) bool {
	length := len(line)
	rest, err := r.parse(bytes.TrimSuffix(line, newline))
	if errors.Is(err, errUnclosedQuote) {
		return r.readMultiline(length)
	}
	if err == nil && !atEnd(rest) {
		err = errTrailing
	}
	if err != nil {
		r.addBadLine(line, err)
	}
	r.consume(length)
	return err == nil
}

// readMultiline reads a sample whose first line ends within quotes. Some servers do not escape line feeds in user input: if the
// next lines close the quotes and complete the sample, they are part of it and must not be parsed as samples.
func (r *Reader) readMultiline(length int) bool {
	for len(r.window) < maxLine {
		if !r.fill() {
			break
		}
	}
	text := r.window[:min(len(r.window), maxLine)]
	rest, err := r.parse(text)
	incomplete := len(bytes.TrimPrefix(rest, carriageReturn)) == 0 // the sample may continue after text
	ended := errors.Is(r.err, io.EOF)
	switch {
	case incomplete && r.err != nil && !ended: // the body failed within the sample
		r.consume(len(r.window))
		return false
	case incomplete && (!ended || r.openMetrics || len(text) < len(r.window)):
	case err == nil && atEnd(rest):
		used := text[:len(text)-len(rest)]
		r.number += bytes.Count(used, newline)
		r.consume(len(used))
		r.consumeLine()
		return true
	}
	r.addBadLine(text[:length], errUnclosedQuote)
	r.consume(length)
	return false
}

var newline, carriageReturn = []byte("\n"), []byte("\r")

// line returns the next line including its end, more than maxLine bytes of it if it is too long, or nil at the end of the body.
func (r *Reader) line() []byte {
	for searched := 0; ; {
		if n := bytes.IndexByte(r.window[searched:], '\n'); n >= 0 {
			return r.window[:searched+n+1]
		}
		if searched = len(r.window); searched > maxLine {
			return r.window
		}
		if !r.fill() {
			if errors.Is(r.err, io.EOF) && len(r.window) > 0 {
				return r.window
			}
			return nil
		}
	}
}

// consumeLine consumes the rest of the current line.
func (r *Reader) consumeLine() {
	for {
		if n := bytes.IndexByte(r.window, '\n'); n >= 0 {
			r.consume(n + 1)
			return
		}
		r.consume(len(r.window))
		if !r.fill() {
			return
		}
	}
}

func (r *Reader) consume(n int) { r.window = r.window[n:] }

// fill reads more into the window and reports whether it got any bytes. The window must not be full.
func (r *Reader) fill() bool {
	kept := copy(r.buffer, r.window)
	r.window = r.buffer[:kept]
	for emptyReads := 0; r.err == nil; emptyReads++ {
		var n int
		n, r.err = r.body.Read(r.buffer[kept:])
		r.window = r.buffer[:kept+n]
		switch {
		case n > 0:
			return true
		case r.err == nil && emptyReads == maxEmptyReads:
			r.err = io.ErrNoProgress
		}
	}
	return false
}

func (r *Reader) addBadLine(line []byte, reason error) {
	if r.bad.Count++; len(r.bad.First) < maxBadLines {
		r.bad.First = append(r.bad.First, BadLine{Number: r.number, Name: string(leadingName(line)), Err: reason})
	}
}
