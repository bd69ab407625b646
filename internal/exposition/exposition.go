// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package exposition reads pages of metrics as a stream: Prometheus' text format 0.0.4 and OpenMetrics 1.0, both also with
// the quoted names of Prometheus 3. It never invents a sample and never loses the rest of a page to one line.
//
// The formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and
// https://prometheus.io/docs/specs/om/open_metrics_spec/.
package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

const (
	// maxLine bounds one line in bytes, the line's end included.
	maxLine = 64 << 10
	// maxPage bounds one page in bytes: as much as the largest answer that httpapi reads.
	maxPage = 256 << 20
	// maxLabels bounds the labels of one sample; each is compared with the others.
	maxLabels = 64
	// maxTypes bounds the families whose types are kept up to the page's end, maxTyped the bytes of their names.
	maxTypes, maxTyped = 16 << 10, 1 << 10
	// maxNamed bounds how many bad lines are named.
	maxNamed = 8
	// maxIdle bounds how often in a row a body may give nothing and no error.
	maxIdle = 100
)

// Sample is one line of a page. It and all that it holds are valid until the function that it is given to returns.
type Sample struct {
	// Name has at least one byte: with its suffix, such as _total or _bucket. A quoted name can hold any bytes.
	Name []byte
	// Labels are in the page's order, unescaped, with different names. Values can hold any bytes, also invalid UTF-8.
	Labels []Label
	// Value can be NaN or an infinity.
	Value float64
	// Time is when the server says that it took the sample, in milliseconds. Few servers do.
	Time optional.Value[time.Time]
	// Family is never nil; it has no name when the page announces none around this sample.
	Family *Family
}

// Label is a name and a value of one sample.
type Label struct {
	Name, Value []byte
}

// Label returns the value of a label, nil when the sample does not have it.
func (s *Sample) Label(name string) []byte {
	for i := range s.Labels {
		if string(s.Labels[i].Name) == name {
			return s.Labels[i].Value
		}
	}
	return nil
}

// Family is what the comments before a sample announce of it: # TYPE, # HELP, # UNIT. What comes after it counts for the
// samples that follow only.
type Family struct {
	// Name is the sample's without the suffix that the type gives it.
	Name []byte
	Type Type
	// Help is unescaped; empty when other families were announced since.
	Help []byte
	// Unit is OpenMetrics' word for the unit, such as seconds; empty when other families were announced since.
	Unit []byte
}

// Reader reads one page at a time. It can be used again and again, but not concurrently.
type Reader struct {
	body        io.Reader
	openMetrics bool
	left        int   // bytes up to maxPage
	err         error // why the body ended

	window []byte // what has been read and not been passed
	buffer []byte // where the window lies
	number int    // of the line being read, from 1
	ended  bool   // by # EOF

	sample    Sample
	family    Family // announced last
	other     Family // of a sample that is not of the last one
	types     map[string]*announcement
	page      uint64 // counts from 1
	unescaped []byte // names and values of the sample that had escapes
	good      int    // samples read
	bad       LineError
}

// NewReader returns a reader without a page: call Reset.
func NewReader() *Reader {
	return &Reader{
		buffer: make([]byte, 2*maxLine),
		types:  map[string]*announcement{},
		sample: Sample{Labels: make([]Label, 0, 2*maxLabels)}, // with those of an exemplar
	}
}

// Reset begins a new page. Its content type, as the server sent it, tells OpenMetrics from Prometheus' text format: the
// former has times in seconds and ends with # EOF, the latter has times in milliseconds and ends anywhere.
func (r *Reader) Reset(body io.Reader, contentType string) {
	*r = Reader{
		body: body, left: maxPage, buffer: r.buffer, window: r.buffer[:0], unescaped: r.unescaped[:0],
		types: r.types, page: r.page + 1, sample: Sample{Labels: r.sample.Labels[:0]},
		family: Family{Name: r.family.Name[:0], Help: r.family.Help[:0], Unit: r.family.Unit[:0]},
	}
	if len(r.types) > maxTypes/2 { // there must be room for the page's own
		clear(r.types)
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	r.openMetrics = strings.EqualFold(strings.TrimSpace(mediaType), "application/openmetrics-text")
}

// Each calls sample for every sample of the page, in its order, and ends with the first error that sample returns. Lines
// that cannot be read are left out and named at the end by a *LineError; a page that is too large gives a *SizeError. When
// the body breaks off, its error is returned and what came of the last line is left out.
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
		r.leaveOut(nil, errCut)
	}
	if r.bad.Count == 0 {
		return nil
	}
	bad := r.bad
	bad.partial = r.good > 0
	return &bad
}

var byteOrderMark = []byte("\uFEFF")

// next walks to the next sample.
func (r *Reader) next() bool {
	for !r.ended {
		line := r.line()
		if line == nil {
			return false
		}
		if r.number++; r.number == 1 && bytes.HasPrefix(line, byteOrderMark) {
			r.pass(len(byteOrderMark))
			line = line[len(byteOrderMark):]
		}
		text := blanks(line)
		switch {
		case len(line) > maxLine:
			r.leaveOut(line, errLong)
			r.passLine()
		case atEnd(text):
			r.pass(len(line))
		case text[0] == '#':
			r.comment(text[1:])
			r.pass(len(line))
		case r.openMetrics && line[len(line)-1] != '\n': // cut: there is no # EOF behind it
			r.pass(len(line))
		default:
			if r.read(line) {
				r.good++
				return true
			}
		}
	}
	return false
}

// read reads the sample of a line, and passes it.
func (r *Reader) read(line []byte) bool {
	length := len(line)
	rest, err := r.parse(bytes.TrimSuffix(line, newline))
	if errors.Is(err, errOpen) {
		return r.readOn(length)
	}
	if err == nil && !atEnd(rest) {
		err = errBehind
	}
	if err != nil {
		r.leaveOut(line, err)
	}
	r.pass(length)
	return err == nil
}

// readOn reads a line that ends within quotes. Some servers do not escape line feeds in what their users typed: if what
// follows closes the quotes and completes the sample, then it belongs to it, and is not to be taken for samples of its own.
func (r *Reader) readOn(length int) bool {
	for len(r.window) < maxLine {
		if !r.fill() {
			break
		}
	}
	text := r.window[:min(len(r.window), maxLine)]
	rest, err := r.parse(text)
	cut := len(bytes.TrimPrefix(rest, carriageReturn)) == 0 // there may be more behind what was parsed
	ended := errors.Is(r.err, io.EOF)
	switch {
	case cut && r.err != nil && !ended: // nobody knows what these lines are
		r.pass(len(r.window))
		return false
	case cut && (!ended || r.openMetrics || len(text) < len(r.window)):
	case err == nil && atEnd(rest):
		used := text[:len(text)-len(rest)]
		r.number += bytes.Count(used, newline)
		r.pass(len(used))
		r.passLine()
		return true
	}
	r.leaveOut(text[:length], errOpen)
	r.pass(length)
	return false
}

var newline, carriageReturn = []byte("\n"), []byte("\r")

// line returns the next line with its end, or what there is of it when it is longer than maxLine; nil when there is no more.
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

// passLine passes what is left of a line.
func (r *Reader) passLine() {
	for {
		if n := bytes.IndexByte(r.window, '\n'); n >= 0 {
			r.pass(n + 1)
			return
		}
		r.pass(len(r.window))
		if !r.fill() {
			return
		}
	}
}

func (r *Reader) pass(n int) { r.window = r.window[n:] }

// fill reads more into the window, which is never full when it is called, and reports whether it got any.
func (r *Reader) fill() bool {
	kept := copy(r.buffer, r.window)
	r.window = r.buffer[:kept]
	for idle := 0; r.err == nil; idle++ {
		var n int
		n, r.err = r.body.Read(r.buffer[kept:])
		r.window = r.buffer[:kept+n]
		switch r.left -= n; {
		case r.left < 0:
			r.err = &SizeError{What: fmt.Sprintf("the page is larger than %d MiB", maxPage>>20)}
		case n > 0:
			return true
		case r.err == nil && idle == maxIdle:
			r.err = io.ErrNoProgress
		}
	}
	return false
}

func (r *Reader) leaveOut(line []byte, why error) {
	if r.bad.Count++; len(r.bad.First) < maxNamed {
		r.bad.First = append(r.bad.First, BadLine{Number: r.number, Name: string(beginning(line)), Err: why})
	}
}
