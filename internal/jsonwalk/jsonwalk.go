// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonwalk is a streaming JSON reader. It skips members of a wrong type, and its memory does not grow with the document.
package jsonwalk

import (
	"bytes"
	"encoding/json"
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
	// windowSize is the initial size in bytes of each of the two buffers.
	windowSize = 128 << 10
	// maxValue is the maximum size in bytes of an element of an outermost array, and of a string, number or raw value outside of
	// arrays. It is a hundred times the size of the largest known value.
	maxValue = 1 << 20
	// maxDepth is the maximum nesting depth, as in jx and encoding/json.
	maxDepth = 10_000
	// maxDigits is the number of decimal digits that always fit into an int64.
	maxDigits = 18
	// maxExact is the limit up to which a float64 represents every integer.
	maxExact = 1 << 53
	// maxWrong is the maximum number of members that a TypeError lists.
	maxWrong = 8
)

// Reader reads one document at a time. It can be reused, but not concurrently.
//
// The Reader moves a window over the stream. Outer objects and arrays may have any length. An element of an outermost array stays
// in the window until it has been read, so that its parts need no copy. Plain keys, strings, numbers and literals are parsed in
// place in one pass. All others are passed to the decoder.
type Reader struct {
	body   io.Reader
	buffer []byte // holds the window
	spare  []byte // previous buffer, which may hold values that callers still use
	position
	afterReread position

	begin  int        // start of the element that stays in the window
	inside bool       // an element stays in the window
	depth  int        // of the current value
	value  jx.Decoder // for values that are not plain
	key    []byte     // of the current member
	keys   []byte     // copies of the current and enclosing keys that do not stay in the window
	wrong  []string   // keys of skipped members
}

// position is a position in the stream.
type position struct {
	window []byte // bytes in memory
	head   int    // index of the next byte
	eof    bool   // the window ends at the end of the stream
}

// NewReader returns a Reader. Call Reset before reading.
func NewReader() *Reader {
	return &Reader{buffer: make([]byte, windowSize)}
}

// Reset starts a new document.
func (r *Reader) Reset(body io.Reader) {
	*r = Reader{body: body, buffer: r.buffer, spare: r.spare, wrong: r.wrong[:0], keys: r.keys[:0]}
	r.window = r.buffer[:0]
}

// Object reads an object and calls member for each key. member must read or Skip the value. The key is valid until member
// returns.
func (r *Reader) Object(member func(key []byte) error) error {
	if !r.expect(jx.Object, "") {
		return r.Skip()
	}
	outer, kept := r.key, len(r.keys)
	more, err := r.open('}')
	for ; more; more, err = r.more('}') {
		if err := r.readKey(kept); err != nil {
			return err
		}
		if err := member(r.key); err != nil {
			return err
		}
	}
	r.key, r.keys = outer, r.keys[:kept]
	return err
}

// readKey reads a key and the colon after it. A key that does not stay in the window is copied to r.keys[kept:].
func (r *Reader) readKey(kept int) error {
	if c, err := r.peek(); c != '"' {
		return unexpected(c, err)
	}
	text, plain := r.plainText()
	switch {
	case plain && r.inside:
		r.key = text
	case plain:
		r.keys = append(r.keys[:kept], text...)
		r.key = r.keys[kept:]
	default:
		err := r.load()
		if err == nil {
			r.keys, err = r.value.StrAppend(r.keys[:kept])
		}
		if err != nil {
			return err
		}
		r.key = r.keys[kept:]
	}
	return r.passColon()
}

func (r *Reader) passColon() error {
	for !r.pass(':') {
		if c, err := r.peek(); c != ':' {
			return unexpected(c, err)
		}
	}
	return nil
}

// Array reads an array and calls element for each element. element must read or Skip it.
func (r *Reader) Array(element func() error) error {
	if !r.expect(jx.Array, "") {
		return r.Skip()
	}
	outermost := !r.inside
	more, err := r.open(']')
	for ; more; more, err = r.more(']') {
		if outermost {
			r.inside, r.begin = true, r.head
		}
		if err := element(); err != nil {
			return err
		}
		if outermost {
			r.inside = false
			r.endReread()
		}
	}
	return err
}

// Objects is like Array, but skips elements that are not objects.
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

// IsNull reports whether the next value is null.
func (r *Reader) IsNull() bool { return r.next() == jx.Null }

// NoteWrong notes that the current member has a wrong type or range, for checks that the Reader cannot make.
func (r *Reader) NoteWrong() { r.noteWrong("") }

// End returns an error if anything but white space follows the document.
func (r *Reader) End() error {
	c, err := r.peek()
	if r.eof && errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return unexpected(c, err)
}

// Skip skips a value.
func (r *Reader) Skip() error {
	if r.inside {
		return r.skip()
	}
	_, err := r.Raw()
	return err
}

func (r *Reader) skip() error {
	switch r.next() {
	case jx.Object:
		return r.skipObject()
	case jx.Array:
		return r.Array(r.skip)
	case jx.String:
		return r.skipText()
	case jx.Number:
		if _, _, n := r.plainNumber(); n > 0 {
			r.head += n
			return nil
		}
	case jx.Bool, jx.Null:
		if r.plainLiteral("null") || r.plainLiteral("false") || r.plainLiteral("true") {
			return nil
		}
	}
	return r.load()
}

// skipObject skips an object without decoding its keys.
func (r *Reader) skipObject() error {
	more, err := r.open('}')
	for ; more; more, err = r.more('}') {
		if c, err := r.peek(); c != '"' {
			return unexpected(c, err)
		}
		if err := r.skipText(); err != nil {
			return err
		}
		if err := r.passColon(); err != nil {
			return err
		}
		if err := r.skip(); err != nil {
			return err
		}
	}
	return err
}

func (r *Reader) skipText() error {
	if _, plain := r.plainText(); plain {
		return nil
	}
	return r.load()
}

// Raw skips a value and returns its text, which is valid while the enclosing value is being read.
func (r *Reader) Raw() ([]byte, error) {
	if _, err := r.peek(); err != nil {
		return nil, err
	}
	if !r.inside {
		r.inside, r.begin = true, r.head
		defer func() { r.inside = false }()
	}
	offset := r.head - r.begin // skip may move the window
	if err := r.skip(); err != nil {
		return nil, err
	}
	return r.window[r.begin+offset : r.head], nil
}

// Reread makes raw, which Raw returned, the next value. Nothing else of the enclosing value may be read after it.
func (r *Reader) Reread(raw []byte) {
	r.endReread()
	r.afterReread, r.position = r.position, position{window: raw, eof: true}
}

// endReread returns to the position before Reread.
func (r *Reader) endReread() {
	if r.afterReread.window != nil {
		r.position, r.afterReread = r.afterReread, position{}
	}
}

// Int reads an integer, which may be written as 25, 25.0, 2.5E1 or "25".
func (r *Reader) Int(v *optional.Value[int64]) error {
	if r.next() == jx.Number {
		if i, places, n := r.plainNumber(); n > 0 && places == 0 {
			r.head += n
			*v = optional.Of(i)
			return nil
		}
	}
	return r.num(func(digits []byte) error {
		i, err := parseInt(digits)
		if err == nil {
			*v = optional.Of(i)
		}
		return err
	})
}

// Float reads a number, which may be a string. It ignores "NaN", "Infinity" and "-Infinity", which some servers send as strings.
func (r *Reader) Float(v *optional.Value[float64]) error {
	if r.next() == jx.Number {
		// Both numbers are exact, so the quotient is the float64 nearest to the decimal fraction.
		if i, places, n := r.plainNumber(); n > 0 && i <= maxExact {
			r.head += n
			*v = optional.Of(float64(i) / powers[places])
			return nil
		}
	}
	return r.num(func(digits []byte) error {
		f, err := strconv.ParseFloat(string(digits), 64)
		if err == nil {
			*v = optional.Of(f)
		}
		return err
	})
}

// num reads a number, or a string that contains only a number.
func (r *Reader) num(set func(digits []byte) error) error {
	if r.next() != jx.String && !r.expect(jx.Number, "") {
		return r.Skip()
	}
	if err := r.load(); err != nil {
		return err
	}
	raw, err := r.value.Raw()
	if err != nil {
		return err
	}
	if raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
		if isNonFinite(raw) {
			return nil
		}
		if len(bytes.Trim(raw, "-.0123456789Ee")) > 0 || !json.Valid(raw) { // strconv accepts more than JSON does
			r.noteWrong("")
			return nil
		}
	}
	if set(raw) != nil {
		r.noteWrong("")
	}
	return nil
}

// isNonFinite reports whether text stands for NaN or an infinity.
func isNonFinite(text []byte) bool {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	return false
}

// parseInt parses an integer. A fraction must be zero.
func parseInt(digits []byte) (int64, error) {
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
	yes := r.plainLiteral("true")
	if yes || r.plainLiteral("false") {
		*v = optional.Of(yes)
		return nil
	}
	if err := r.load(); err != nil {
		return err
	}
	b, err := r.value.Bool()
	*v = optional.Of(b)
	return err
}

// Str reads a string into buf and returns it. The result is empty if the value is not a string.
func (r *Reader) Str(buf []byte) ([]byte, error) {
	if !r.expect(jx.String, "") {
		return buf[:0], r.Skip()
	}
	if text, plain := r.plainText(); plain {
		return append(buf[:0], text...), nil
	}
	if err := r.load(); err != nil {
		return buf[:0], err
	}
	return r.value.StrAppend(buf[:0])
}

// Err returns a *TypeError if members of a wrong type or range were skipped.
func (r *Reader) Err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	return &TypeError{Members: slices.Clone(r.wrong)}
}

// TypeError lists members whose values had a wrong type or range. All other members have been read.
type TypeError struct {
	// Members holds the keys, at most eight.
	Members []string
}

// Error lists the members.
func (e *TypeError) Error() string {
	return "skipped values of a wrong type or range: " + strings.Join(e.Members, ", ")
}

// ErrorType returns scrape.Format.
func (e *TypeError) ErrorType() scrape.ErrorType { return scrape.Format }

// Partial returns true, because all other members have been read.
func (e *TypeError) Partial() bool { return true }

// SizeError is the error of a document that exceeds a limit.
type SizeError struct {
	// What describes what is too large.
	What string
}

// Error returns What.
func (e *SizeError) Error() string { return e.What }

// ErrorType returns scrape.Size.
func (e *SizeError) ErrorType() scrape.ErrorType { return scrape.Size }

// expect reports whether the next value is of type t. It notes other types except null as wrong, under the current key with
// the given suffix.
func (r *Reader) expect(t jx.Type, suffix string) bool {
	next := r.next()
	if next != t && next != jx.Null && next != jx.Invalid {
		r.noteWrong(suffix)
	}
	return next == t
}

// types maps the first byte of a value to its type.
var types = [256]jx.Type{
	'{': jx.Object, '[': jx.Array, '"': jx.String, 't': jx.Bool, 'f': jx.Bool, 'n': jx.Null, '-': jx.Number,
	'0': jx.Number, '1': jx.Number, '2': jx.Number, '3': jx.Number, '4': jx.Number,
	'5': jx.Number, '6': jx.Number, '7': jx.Number, '8': jx.Number, '9': jx.Number,
}

// next returns the type of the next value, or Invalid if there is none.
func (r *Reader) next() jx.Type {
	c, _ := r.peek()
	return types[c]
}

func (r *Reader) noteWrong(suffix string) {
	if name := string(r.key) + suffix; len(r.wrong) < maxWrong && !slices.Contains(r.wrong, name) {
		r.wrong = append(r.wrong, name)
	}
}

// open enters an object or array and reports whether it has any items.
func (r *Reader) open(end byte) (more bool, err error) {
	if r.depth++; r.depth > maxDepth {
		return false, &SizeError{What: fmt.Sprintf("the answer exceeds the maximum nesting depth of %d", maxDepth)}
	}
	r.head++
	c, err := r.peek()
	if err != nil {
		return false, err
	}
	if c == end {
		r.depth--
		r.head++
	}
	return c != end, nil
}

// more passes the separator or closing bracket after an item, and reports whether another item follows.
func (r *Reader) more(end byte) (more bool, err error) {
	if r.pass(',') {
		return true, nil
	}
	c, err := r.peek()
	switch {
	case err != nil:
		return false, err
	case c == end:
		r.depth--
	case c != ',':
		return false, unexpected(c, nil)
	}
	r.head++
	return c != end, nil
}

// special marks the bytes that end the plain part of a string: quotation mark, backslash and control characters.
var special = func() (special [256]bool) {
	for c := range ' ' {
		special[c] = true
	}
	special['"'], special['\\'] = true, true
	return special
}()

// whiteSpace marks the bytes that JSON ignores between values.
var whiteSpace = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// plainText passes a string without escapes and returns its content.
func (r *Reader) plainText() (text []byte, plain bool) {
	for {
		rest := r.window[r.head+1:]
		for i, c := range rest {
			if !special[c] {
				continue
			}
			if c != '"' {
				return nil, false
			}
			r.head += i + 2
			return rest[:i], true
		}
		if r.fill() != nil {
			return nil, false
		}
	}
}

// plainLiteral passes true, false or null if it lies completely in the window.
func (r *Reader) plainLiteral(word string) bool {
	rest := r.window[r.head:]
	plain := len(rest) >= len(word) && string(rest[:len(word)]) == word
	if plain {
		r.head += len(word)
	}
	return plain
}

// powers holds powers of ten. A float64 represents them exactly up to 1e22.
var powers = [maxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// plainNumber parses a number without sign and exponent and with at most maxDigits characters. Its value is whole/10^places and its
// length is n bytes. For any other number, n is 0.
func (r *Reader) plainNumber() (whole int64, places, n int) {
	rest := r.window[r.head:]
	whole, n = digits(rest, 0)
	plain := n == 1 || n > 0 && rest[0] != '0'
	if n < len(rest) && rest[n] == '.' {
		whole, places = digits(rest[n+1:], whole)
		plain = plain && places > 0
		n += 1 + places
	}
	switch {
	case n > maxDigits:
		return 0, 0, 0
	case n == len(rest) && r.fill() == nil: // the number may continue
		return r.plainNumber()
	case !plain || n == len(rest) || !ends[rest[n]]:
		return 0, 0, 0
	}
	return whole, places, n
}

// ends marks the bytes that may follow a number.
var ends = [256]bool{',': true, ']': true, '}': true, ' ': true, '\t': true, '\n': true, '\r': true}

// digits appends the leading digits of text to number and returns their count.
func digits(text []byte, number int64) (int64, int) {
	for i, c := range text {
		digit := c - '0'
		if digit > 9 {
			return number, i
		}
		number = number*10 + int64(digit)
	}
	return number, len(text)
}

// load reads a complete string, number or literal into the window, and passes it to the decoder.
func (r *Reader) load() error {
	for {
		n, err := r.scalarLength()
		if err != nil {
			return err
		}
		if n > 0 {
			r.value.ResetBytes(r.window[r.head : r.head+n])
			r.head += n
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// scalarLength returns the length of the string, number or literal at the head of the window, or 0 if it may continue beyond it.
func (r *Reader) scalarLength() (int, error) {
	rest := r.window[r.head:]
	r.value.ResetBytes(rest)
	raw, err := r.value.Raw()
	switch {
	case err == nil && (len(raw) < len(rest) || r.eof):
		return len(raw), nil
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return 0, nil
	}
	return 0, err
}

// peek passes white space and returns the byte after it, without passing that byte.
func (r *Reader) peek() (byte, error) {
	if rest := r.window[r.head:]; len(rest) > 1 {
		if rest[0] > ' ' {
			return rest[0], nil
		}
		if rest[0] == ' ' && rest[1] > ' ' {
			r.head++
			return rest[1], nil
		}
	}
	return r.peekSlow()
}

// pass passes c and returns true if it is the next byte in the window. It does not pass white space.
func (r *Reader) pass(c byte) bool {
	is := r.head < len(r.window) && r.window[r.head] == c
	if is {
		r.head++
	}
	return is
}

// peekSlow is peek for any amount of white space.
func (r *Reader) peekSlow() (byte, error) {
	for passed := 0; passed < maxValue; {
		rest := r.window[r.head:]
		for i, c := range rest {
			if !whiteSpace[c] {
				r.head += i
				return c, nil
			}
		}
		passed += len(rest)
		r.head = len(r.window)
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return 0, tooLarge()
}

// fill reads more into the window.
func (r *Reader) fill() error {
	if r.eof {
		return io.ErrUnexpectedEOF
	}
	if len(r.window) == len(r.buffer) {
		if err := r.move(); err != nil {
			return err
		}
	}
	n, err := r.body.Read(r.buffer[len(r.window):])
	r.window = r.buffer[:len(r.window)+n]
	if errors.Is(err, io.EOF) {
		r.eof, err = true, nil
	}
	return err
}

// move copies the part of the window that is still needed to the other buffer. It leaves the old buffer unchanged until the next
// element, so that keys and values that callers hold remain valid.
func (r *Reader) move() error {
	if !r.inside {
		r.begin = r.head
	}
	needed := r.window[r.begin:]
	size := len(r.buffer)
	if len(needed) == size {
		size *= 2
	}
	switch {
	case len(needed) >= maxValue:
		return tooLarge()
	case len(r.spare) < size:
		r.spare = make([]byte, size)
	}
	r.buffer, r.spare = r.spare, r.buffer
	r.head -= r.begin
	r.begin = 0
	r.window = r.buffer[:copy(r.buffer, needed)]
	return nil
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
