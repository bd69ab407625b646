// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonwalk reads JSON answers as a stream. A member of a wrong type costs itself only; memory does not grow with the answer.
package jsonwalk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

const (
	windowSize = 256 << 10
	// maxValue bounds one value below the outer levels in bytes: a hundred times the largest that a server is known to send.
	maxValue = 1 << 20
	// maxExact is the largest number up to which every whole number can be written with an exponent.
	maxExact = 1 << 53
	// maxWrong bounds how many members of a wrong type are named.
	maxWrong = 8
)

// Reader reads one answer at a time. It can be used again and again, but not concurrently.
//
// The outer levels of an answer, which are objects and lists of any length, are walked through a window on the stream.
// Every value below them is brought into the window as a whole and decoded there, where keys and strings cost no allocation.
type Reader struct {
	body   io.Reader
	window []byte // what has been read and not been walked over
	buffer []byte // where the window lies
	eof    bool

	value  jx.Decoder // of the value in the window
	inside bool       // reading below the outer levels
	key    []byte     // of the member being read
	keys   []byte     // of it and of those around it, on the outer levels
	wrong  []string   // keys of members that had a wrong type
}

// NewReader returns a reader without an answer: call Reset.
func NewReader() *Reader {
	return &Reader{buffer: make([]byte, windowSize)}
}

// Reset begins a new answer.
func (r *Reader) Reset(body io.Reader) {
	*r = Reader{body: body, buffer: r.buffer, wrong: r.wrong[:0], keys: r.keys[:0]}
	r.window = r.buffer[:0]
}

// Object calls member for every key of an object; member must read or Skip the value. The key is valid until then.
func (r *Reader) Object(member func(key []byte) error) error {
	if !r.expect(jx.Object, "") {
		return r.Skip()
	}
	outer, begin := r.key, len(r.keys)
	defer func() { r.key, r.keys = outer, r.keys[:begin] }()
	if r.inside {
		return r.value.ObjBytes(func(_ *jx.Decoder, key []byte) error {
			r.key = key
			return member(key)
		})
	}
	return r.each('{', '}', func() error {
		if err := r.load(); err != nil {
			return err
		}
		var err error
		if r.keys, err = r.value.StrAppend(r.keys[:begin]); err != nil {
			return err
		}
		if c, err := r.token(); c != ':' {
			return unexpected(c, err)
		}
		r.key = r.keys[begin:]
		return member(r.key)
	})
}

// Array calls element for every element of a list; element must read or Skip it.
func (r *Reader) Array(element func() error) error {
	if !r.expect(jx.Array, "") {
		return r.Skip()
	}
	if r.inside {
		return r.value.Arr(func(*jx.Decoder) error { return element() })
	}
	return r.each('[', ']', func() error {
		if err := r.load(); err != nil {
			return err
		}
		r.inside = true
		defer func() { r.inside = false }()
		return element()
	})
}

// Objects is Array for a list of objects; elements of another type are passed over.
func (r *Reader) Objects(element func() error) error {
	return r.Array(func() error {
		if !r.expect(jx.Object, "[]") {
			return r.Skip()
		}
		return element()
	})
}

// IsObject reports whether the next value is an object.
func (r *Reader) IsObject() bool { return r.next() == jx.Object }

// IsText reports whether the next value is a string.
func (r *Reader) IsText() bool { return r.next() == jx.String }

// Wrong says that the member being read has a wrong type in a way that only its reader can tell.
func (r *Reader) Wrong() { r.noteWrong("") }

// End refuses what follows an answer that has been read.
func (r *Reader) End() error {
	c, err := r.peek()
	if r.eof && errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return unexpected(c, err)
}

// Skip passes over a value.
func (r *Reader) Skip() error {
	if err := r.enter(); err != nil {
		return err
	}
	return r.value.Skip()
}

// Raw passes over a value and returns it, for Reread while the value around it lasts.
func (r *Reader) Raw() ([]byte, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	return r.value.Raw()
}

// Reread goes back to a value that Raw returned; it must be the last that is read of the value around it.
func (r *Reader) Reread(raw []byte) {
	r.value.ResetBytes(raw)
}

// Int reads a whole number: also one written as 25.0, 2.5E1 or "25".
func (r *Reader) Int(v *optional.Value[int64]) error {
	return r.num(func(digits []byte) error {
		i, err := parseInt(digits)
		if err == nil {
			*v = optional.Of(i)
		}
		return err
	})
}

// Float reads a number. "NaN" and the infinities, which some servers write as strings, are the same as no value.
func (r *Reader) Float(v *optional.Value[float64]) error {
	return r.num(func(digits []byte) error {
		f, err := strconv.ParseFloat(string(digits), 64)
		if err == nil {
			*v = optional.Of(f)
		}
		return err
	})
}

// num reads a number, or a string that holds nothing but a number.
func (r *Reader) num(set func(digits []byte) error) error {
	if r.next() != jx.String && !r.expect(jx.Number, "") {
		return r.Skip()
	}
	if err := r.enter(); err != nil {
		return err
	}
	raw, err := r.value.Raw()
	if err != nil {
		return err
	}
	raw = bytes.TrimSpace(raw)
	if raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
		if isNoNumber(raw) {
			return nil
		}
		if len(bytes.Trim(raw, "-.0123456789Ee")) > 0 { // strconv takes more for numbers than JSON does
			r.noteWrong("")
			return nil
		}
	}
	if set(raw) != nil {
		r.noteWrong("")
	}
	return nil
}

// isNoNumber tells the strings that stand for what JSON cannot write as a number.
func isNoNumber(text []byte) bool {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	return false
}

// parseInt reads a whole number whose fraction, if any, is zero.
func parseInt(digits []byte) (int64, error) {
	i, plain := int64(0), len(digits) > 0 && len(digits) <= 18
	for _, c := range digits {
		if c < '0' || c > '9' {
			plain = false
			break
		}
		i = i*10 + int64(c-'0')
	}
	if plain { // as nearly all are
		return i, nil
	}
	if bytes.ContainsAny(digits, "Ee") {
		f, err := strconv.ParseFloat(string(digits), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > maxExact {
			return 0, strconv.ErrSyntax
		}
		return int64(f), nil
	}
	whole, fraction, _ := strings.Cut(string(digits), ".")
	if strings.Trim(fraction, "0") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(whole, 10, 64)
}

// Bool reads true or false.
func (r *Reader) Bool(v *optional.Value[bool]) error {
	if !r.expect(jx.Bool, "") {
		return r.Skip()
	}
	if err := r.enter(); err != nil {
		return err
	}
	b, err := r.value.Bool()
	*v = optional.Of(b)
	return err
}

// Str reads a string into buf and returns it; empty when the value is no string.
func (r *Reader) Str(buf []byte) ([]byte, error) {
	if !r.expect(jx.String, "") {
		return buf[:0], r.Skip()
	}
	if err := r.enter(); err != nil {
		return buf[:0], err
	}
	return r.value.StrAppend(buf[:0])
}

// Err returns a *TypeError when members had to be passed over.
func (r *Reader) Err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return &TypeError{Members: slices.Clone(r.wrong)}
}

// TypeError names members whose values had a wrong type. All others were read.
type TypeError struct {
	// Members holds the keys, at most eight.
	Members []string
}

// Error names the members.
func (e *TypeError) Error() string {
	return "values of a wrong type, which are left out: " + strings.Join(e.Members, ", ")
}

// ErrorType returns scrape.Format.
func (e *TypeError) ErrorType() scrape.ErrorType { return scrape.Format }

// Partial says that the rest of the answer is good.
func (e *TypeError) Partial() bool { return true }

// SizeError is an answer that holds more than its reader takes.
type SizeError struct {
	// What is too large.
	What string
}

// Error says what is too large.
func (e *SizeError) Error() string { return e.What }

// ErrorType returns scrape.Size.
func (e *SizeError) ErrorType() scrape.ErrorType { return scrape.Size }

// expect reports whether the next value, the member being read or an element within it, is of type t. Null is the same as
// no value; anything else is noted.
func (r *Reader) expect(t jx.Type, within string) bool {
	next := r.next()
	if next != t && next != jx.Null && next != jx.Invalid {
		r.noteWrong(within)
	}
	return next == t
}

// next returns the type of the next value; of one that breaks off it is Invalid.
func (r *Reader) next() jx.Type {
	if r.inside {
		return r.value.Next()
	}
	if _, err := r.peek(); err != nil {
		return jx.Invalid
	}
	return jx.Raw(r.window).Type()
}

// enter brings a value of the outer levels into the decoder.
func (r *Reader) enter() error {
	if r.inside {
		return nil
	}
	return r.load()
}

func (r *Reader) noteWrong(within string) {
	if name := string(r.key) + within; len(r.wrong) < maxWrong && !slices.Contains(r.wrong, name) {
		r.wrong = append(r.wrong, name)
	}
}

// each walks over an object or list of the outer levels.
func (r *Reader) each(begin, end byte, item func() error) error {
	if c, err := r.token(); c != begin {
		return unexpected(c, err)
	}
	switch c, err := r.peek(); {
	case err != nil:
		return err
	case c == end:
		r.pass(1)
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch c, err := r.token(); c {
		case end:
			return nil
		case ',':
		default:
			return unexpected(c, err)
		}
	}
}

// load moves one whole value from the window into the decoder.
func (r *Reader) load() error {
	first, err := r.peek()
	if err != nil {
		return err
	}
	measure := r.scalarLength
	if first == '{' || first == '[' {
		measure = func() (int, error) { return nestedLength(r.window), nil }
	}
	for {
		n, err := measure()
		switch {
		case err != nil:
			return err
		case n > 0:
			r.value.ResetBytes(r.window[:n])
			r.pass(n)
			return nil
		case r.eof:
			return io.ErrUnexpectedEOF
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// scalarLength returns the length of the string, number or word in the window, 0 when it may go on behind it.
func (r *Reader) scalarLength() (int, error) {
	r.value.ResetBytes(r.window)
	raw, err := r.value.Raw()
	switch {
	case err == nil && (len(raw) < len(r.window) || r.eof):
		return len(raw), nil
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return 0, nil
	}
	return 0, err
}

// The bytes that matter for where an object or list ends.
const (
	quote = iota + 1
	opening
	closing
)

var structure = [256]uint8{'"': quote, '{': opening, '[': opening, '}': closing, ']': closing}

// nestedLength returns the length of the object or list that text begins with, 0 when it goes on behind it. It only looks
// for the end, in a third of the time that a decoder takes; whether what lies between is valid, the decoder tells.
func nestedLength(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch structure[text[i]] {
		case quote:
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case opening:
			depth++
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// peek returns the next byte that is no white space, without passing it.
func (r *Reader) peek() (byte, error) {
	for blank := 0; blank < maxValue; {
		for i, c := range r.window {
			if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				r.pass(i)
				return c, nil
			}
		}
		blank += len(r.window)
		r.pass(len(r.window))
		if r.eof {
			return 0, io.ErrUnexpectedEOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return 0, tooLarge()
}

// token passes the next byte that is no white space.
func (r *Reader) token() (byte, error) {
	c, err := r.peek()
	if err == nil {
		r.pass(1)
	}
	return c, err
}

func (r *Reader) pass(n int) { r.window = r.window[n:] }

// fill reads more into the window.
func (r *Reader) fill() error {
	if len(r.window) == len(r.buffer) {
		if len(r.buffer) >= maxValue {
			return tooLarge()
		}
		r.buffer = make([]byte, 2*len(r.buffer))
	}
	kept := copy(r.buffer, r.window)
	n, err := r.body.Read(r.buffer[kept:])
	r.window = r.buffer[:kept+n]
	if errors.Is(err, io.EOF) {
		r.eof, err = true, nil
	}
	return err
}

func tooLarge() error {
	return &SizeError{What: fmt.Sprintf("one value of the answer is larger than %d KiB", maxValue>>10)}
}

func unexpected(c byte, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("unexpected byte %q", c)
}
