// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonwalk reads JSON answers as a stream. A member of a wrong type costs itself only; memory does not grow with the answer.
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
	windowSize = 128 << 10 // there are two of them
	// maxValue bounds one value below the outer levels in bytes: a hundred times the largest that a server is known to send.
	maxValue = 1 << 20
	// maxDepth bounds how deep values are nested. It is the decoder's, and encoding/json's.
	maxDepth = 10_000
	// maxDigits is how many digits fit into every int64.
	maxDigits = 18
	// maxExact is the largest number up to which every whole number can be written with an exponent.
	maxExact = 1 << 53
	// maxWrong bounds how many members of a wrong type are named.
	maxWrong = 8
)

// Reader reads one answer at a time. It can be used again and again, but not concurrently.
//
// An answer is walked through a window on the stream. Its outer levels, which are objects and lists of any length, pass by;
// an element of an outer list stays in the window until it is read, so that what lies in it needs no copy. Plain keys,
// strings, numbers and words are read where they stand, in one pass. All others are left to the decoder.
type Reader struct {
	body   io.Reader
	buffer []byte // where the window begins
	spare  []byte // what the buffer was before; values that were handed out may lie there
	place
	after place // where to go on after values that are reread

	begin  int        // where the element begins that stays in the window
	inside bool       // reading such an element
	depth  int        // of the value being read
	value  jx.Decoder // of one that is not plain
	key    []byte     // of the member being read
	keys   []byte     // of it and of those around it, but for those that stay in the window
	wrong  []string   // keys of members that had a wrong type
}

// place is how far the answer has been walked over.
type place struct {
	window []byte // what has been read
	head   int    // what of it has been walked over
	eof    bool   // nothing comes after it
}

// NewReader returns a reader without an answer: call Reset.
func NewReader() *Reader {
	return &Reader{buffer: make([]byte, windowSize)}
}

// Reset begins a new answer.
func (r *Reader) Reset(body io.Reader) {
	*r = Reader{body: body, buffer: r.buffer, spare: r.spare, wrong: r.wrong[:0], keys: r.keys[:0]}
	r.window = r.buffer[:0]
}

// Object calls member for every key of an object; member must read or Skip the value. The key is valid until then.
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

// readKey reads a key and the colon behind it. One that does not stay in the window is copied behind the kept ones.
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

// Array calls element for every element of a list; element must read or Skip it.
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
			r.goOn()
		}
	}
	return err
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

// IsNull reports whether the next value is null.
func (r *Reader) IsNull() bool { return r.next() == jx.Null }

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
		if r.plainWord("null") || r.plainWord("false") || r.plainWord("true") {
			return nil
		}
	}
	return r.load()
}

// skipObject is Object for one whose keys do not matter.
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

// Raw passes over a value and returns it, for Reread while the value around it lasts.
func (r *Reader) Raw() ([]byte, error) {
	if _, err := r.peek(); err != nil {
		return nil, err
	}
	if !r.inside {
		r.inside, r.begin = true, r.head
		defer func() { r.inside = false }()
	}
	before := r.head - r.begin // the window may move
	if err := r.skip(); err != nil {
		return nil, err
	}
	return r.window[r.begin+before : r.head], nil
}

// Reread goes back to a value that Raw returned; it must be the last that is read of the value around it.
func (r *Reader) Reread(raw []byte) {
	r.goOn()
	r.after, r.place = r.place, place{window: raw, eof: true}
}

// goOn goes on behind what values were reread of.
func (r *Reader) goOn() {
	if r.after.window != nil {
		r.place, r.after = r.after, place{}
	}
}

// Int reads a whole number: also one written as 25.0, 2.5E1 or "25".
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

// Float reads a number. "NaN" and the infinities, which some servers write as strings, are the same as no value.
func (r *Reader) Float(v *optional.Value[float64]) error {
	if r.next() == jx.Number {
		// The quotient of two numbers that a float64 holds exactly is the one that is nearest to the decimal fraction.
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

// num reads a number, or a string that holds nothing but a number.
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
		if isNoNumber(raw) {
			return nil
		}
		if len(bytes.Trim(raw, "-.0123456789Ee")) > 0 || !json.Valid(raw) { // strconv takes more for numbers than JSON does
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
	yes := r.plainWord("true")
	if yes || r.plainWord("false") {
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

// Str reads a string into buf and returns it; empty when the value is no string.
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

// types tells of which type the value is that a byte begins.
var types = [256]jx.Type{
	'{': jx.Object, '[': jx.Array, '"': jx.String, 't': jx.Bool, 'f': jx.Bool, 'n': jx.Null, '-': jx.Number,
	'0': jx.Number, '1': jx.Number, '2': jx.Number, '3': jx.Number, '4': jx.Number,
	'5': jx.Number, '6': jx.Number, '7': jx.Number, '8': jx.Number, '9': jx.Number,
}

// next returns the type of the next value; of one that breaks off it is Invalid.
func (r *Reader) next() jx.Type {
	c, _ := r.peek()
	return types[c]
}

func (r *Reader) noteWrong(within string) {
	if name := string(r.key) + within; len(r.wrong) < maxWrong && !slices.Contains(r.wrong, name) {
		r.wrong = append(r.wrong, name)
	}
}

// open begins to walk over an object or list, and reports whether anything is in it.
func (r *Reader) open(end byte) (more bool, err error) {
	if r.depth++; r.depth > maxDepth {
		return false, &SizeError{What: fmt.Sprintf("values of the answer are nested to a depth of more than %d", maxDepth)}
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

// more passes what follows an item of an object or list, and reports whether another item does.
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

// special are the bytes that are not what they stand for in a string.
var special = func() (special [256]bool) {
	for c := range ' ' {
		special[c] = true
	}
	special['"'], special['\\'] = true, true
	return special
}()

// blanks are the bytes that mean nothing between values.
var blanks = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

// plainText passes over a string without escapes, and returns what is in it.
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

// plainWord passes over one of the three words of JSON, if it lies in the window.
func (r *Reader) plainWord(word string) bool {
	rest := r.window[r.head:]
	plain := len(rest) >= len(word) && string(rest[:len(word)]) == word
	if plain {
		r.head += len(word)
	}
	return plain
}

// powers are those of ten, which float64 holds exactly up to 22.
var powers = [maxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// plainNumber reads a number that has neither sign nor exponent nor too many digits: it is whole/10^places and takes up
// n bytes. Any other number has none.
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
	case n == len(rest) && r.fill() == nil: // it may go on
		return r.plainNumber()
	case !plain || n == len(rest) || !ends[rest[n]]:
		return 0, 0, 0
	}
	return whole, places, n
}

// ends are the bytes that may follow a number.
var ends = [256]bool{',': true, ']': true, '}': true, ' ': true, '\t': true, '\n': true, '\r': true}

// digits appends the digits that text begins with to a number, and returns how many they are.
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

// load brings a string, number or word into the window as a whole, and from there into the decoder.
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

// scalarLength returns the length of the string, number or word in the window, 0 when it may go on behind it.
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

// peek returns the next byte that is no white space, without passing it.
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
	return r.peekOn()
}

// pass passes over a byte if it is the next one: a short way without white space.
func (r *Reader) pass(c byte) bool {
	is := r.head < len(r.window) && r.window[r.head] == c
	if is {
		r.head++
	}
	return is
}

// peekOn passes over white space, which is none or one space in most places.
func (r *Reader) peekOn() (byte, error) {
	for blank := 0; blank < maxValue; {
		rest := r.window[r.head:]
		for i, c := range rest {
			if !blanks[c] {
				r.head += i
				return c, nil
			}
		}
		blank += len(rest)
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

// move makes room for more. What is still needed goes to the other buffer, and the window with it; in this one nothing
// changes before the next element, so that keys and values that were handed out stay as they are.
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
