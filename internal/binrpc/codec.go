// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package binrpc speaks BINRPC, the protocol of Kamailio's module ctl. Its replies are walked, not collected.
//
// The document of the format is src/modules/ctl/binrpc.h in Kamailio's source; constants are named after its words.
package binrpc

import (
	"iter"
	"math"
	"slices"
)

// Bounds of a reply. The largest known are a few hundred KB with some ten thousand records, six levels deep.
const (
	// MaxBody is the size in bytes over which a reply is refused, without its header.
	MaxBody = 16 << 20
	// MaxRecords is the most values that a reply may hold, those in structs included.
	MaxRecords = 1_000_000
	// MaxDepth is how many structs and arrays may lie within each other.
	MaxDepth = 32
)

// A packet is a header and records, numbers in it are big-endian:
//
//	  4 bits   4 bits    4 bits  2 bits  2 bits    LL+1 bytes  CL+1 bytes    total_len bytes
//	| MAGIC  | VERS   || TYPE  | LL    | CL    || total_len | cookie     || records ...
//
// Kamailio writes numbers as short as they can be: the cookie 0x000000ff comes back as one byte.
const (
	magic   = 0xA
	version = 1

	typeRequest = 0
	typeReply   = 1
	typeFault   = 3

	fixedHeader   = 2 // up to LL and CL, which tell the size of the rest
	longestHeader = fixedHeader + 4 + 4
)

type header struct {
	typ    byte
	size   uint32 // of the records
	cookie uint32
}

// headerSize returns the size in bytes of the header that begins with b.
func headerSize(b []byte) (int, error) {
	typ := b[1] >> 4
	switch {
	case b[0]>>4 != magic:
		return 0, malformed("not BINRPC, it begins with %#q", quote(b))
	case b[0]&0xf != version:
		return 0, malformed("BINRPC version %d where 1 was expected", b[0]&0xf)
	case typ != typeReply && typ != typeFault:
		return 0, malformed("packet of type %d where a reply or fault was expected", typ)
	}
	return fixedHeader + int(b[1]>>2&3) + 1 + int(b[1]&3) + 1, nil
}

// parseHeader reads a header of which headerSize approved.
func parseHeader(b []byte) header {
	lengthEnd := fixedHeader + int(b[1]>>2&3) + 1
	return header{
		typ:    b[1] >> 4,
		size:   uint32(number(b[fixedHeader:lengthEnd])), //nolint:gosec // four bytes at most
		cookie: uint32(number(b[lengthEnd:])),            //nolint:gosec // four bytes at most
	}
}

// number reads a big-endian number of up to 8 bytes; of none, it is 0.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// Type is what a record holds.
type Type byte

// The types of records, BINRPC_T_* in Kamailio's source.
const (
	// Int is a whole number.
	Int Type = iota
	// String is text, NUL at its end on the wire.
	String
	// Double is a number with three decimals.
	Double
	// Struct holds records with names; Kamailio's lists are structs too, so names may be missing or stand there twice.
	Struct
	// Array holds records without names.
	Array
	avp // the name of the record that follows, in structs only
	// Bytes is like String, without the NUL.
	Bytes
)

// record is a record as it lies on the wire:
//
//	 1 bit  3 bits  4 bits
//	| S   | size  | type  || size of the value, if S = 1: size bytes || value
//
// Struct and Array are a tag where they begin (size 0) and another where they end (S = 1, size 0).
// Double takes S for a bit of its size: 0x82 is one of 8 bytes.
type record struct {
	typ   Type
	end   bool
	value []byte
}

// cut takes the first record off b, which is not empty. It trusts no length that b does not bear out.
func cut(b []byte) (r record, rest []byte, err error) {
	typ, size, rest := Type(b[0]&0xf), uint64(b[0]>>4), b[1:]
	switch {
	case typ > Bytes:
		return r, nil, malformed("record of unknown type %d", typ)
	case typ == Struct || typ == Array:
		if size&7 != 0 {
			return r, nil, malformed("struct or array with a size of its own")
		}
		return record{typ: typ, end: size != 0}, rest, nil
	case typ != Double && size == 8:
		return r, nil, malformed("end of what never began: type %d", typ)
	case typ != Double && size > 8:
		width := size & 7
		if width > uint64(len(rest)) {
			return r, nil, malformed("record cut off within its length")
		}
		size, rest = number(rest[:width]), rest[width:]
	}
	switch {
	case (typ == Int || typ == Double) && size > 8:
		return r, nil, malformed("number of %d bytes", size)
	case size > uint64(len(rest)):
		return r, nil, malformed("record claims %d bytes where %d are left", size, len(rest))
	}
	return record{typ: typ, value: rest[:size]}, rest[size:], nil
}

// text returns a name or string without the NUL that should end it.
func (r record) text() []byte {
	if n := len(r.value); n > 0 && r.typ != Bytes && r.value[n-1] == 0 {
		return r.value[:n-1]
	}
	return r.value
}

// checker knows of the records before one what tells whether it may stand there.
type checker struct {
	around [MaxDepth]Type // structs and arrays that have not ended
	depth  int
	named  bool // a name waits for its value
	count  int
}

// check tells whether a body is whole and within bounds, so that walking over it cannot fail.
func check(body []byte) error {
	var c checker
	for rest := body; len(rest) > 0; {
		r, next, err := cut(rest)
		if err == nil {
			err = c.accept(r)
		}
		if err != nil {
			return at(len(body)-len(rest), err)
		}
		rest = next
	}
	if c.named || c.depth > 0 {
		return at(len(body), malformed("the reply ends within a struct or array"))
	}
	return nil
}

func (c *checker) accept(r record) error {
	var within Type // Int where there is none
	if c.depth > 0 {
		within = c.around[c.depth-1]
	}
	switch {
	case r.end && (r.typ != within || c.named), r.typ == avp && (within != Struct || c.named):
		return malformed("name or end where a value was expected")
	case r.end:
		c.depth--
		return nil
	case r.typ == avp:
		c.named = true
		return nil
	}
	c.named = false
	if c.count++; c.count > MaxRecords {
		return tooLarge("more than %d records", MaxRecords)
	}
	if r.typ == Struct || r.typ == Array {
		if c.depth == MaxDepth {
			return tooLarge("structs more than %d deep", MaxDepth)
		}
		c.around[c.depth] = r.typ
		c.depth++
	}
	return nil
}

// Records are those of a reply, or of a struct or array in it. They have been checked: walking over them cannot fail.
type Records struct {
	body []byte
}

// Size returns how many bytes the records are on the wire.
func (r Records) Size() int { return len(r.body) }

// Len returns the number of records, without those within structs and arrays.
func (r Records) Len() (n int) {
	for range r.All() {
		n++
	}
	return n
}

// Count returns the number of records, with those within structs and arrays.
func (r Records) Count() (n int) {
	for rest := r.body; len(rest) > 0; {
		var v record
		v, rest, _ = cut(rest) // checked before
		if v.typ != avp && !v.end {
			n++
		}
	}
	return n
}

// Decode returns the records of one reply, given as a whole packet; they share its memory. The error is a *Fault when the
// packet is one, else an *Error.
func Decode(packet []byte) (Records, error) {
	if len(packet) < fixedHeader {
		return Records{}, malformed("cut off within the header")
	}
	n, err := headerSize(packet)
	switch {
	case err != nil:
		return Records{}, err
	case len(packet) < n:
		return Records{}, malformed("cut off within the header")
	}
	h, body := parseHeader(packet[:n]), packet[n:]
	if uint64(h.size) != uint64(len(body)) {
		return Records{}, malformed("a body of %d bytes where the header says %d", len(body), h.size)
	}
	return decode(h.typ, body)
}

func decode(typ byte, body []byte) (Records, error) {
	if len(body) > MaxBody {
		return Records{}, tooLarge("a reply of %d bytes", len(body))
	}
	if err := check(body); err != nil {
		return Records{}, err
	}
	if typ == typeFault {
		return Records{}, faultOf(Records{body})
	}
	return Records{body}, nil
}

// faultOf reads a fault, which is an int and a string.
func faultOf(r Records) error {
	var f Fault
	var hasCode, hasText bool
	for _, v := range r.All() {
		if code, ok := v.Int(); ok && !hasCode {
			f.Code, hasCode = code, true
		}
		if text, ok := v.Text(); ok && !hasText {
			f.Text, hasText = quote(text), true
		}
	}
	if !hasCode || !hasText {
		return malformed("fault without code or text")
	}
	return &f
}

// All walks over the records with their names, in the order of the wire. The name is nil where there is none. Names and
// values lie in the connection's buffer: they are valid until the walk over the reply returns.
func (r Records) All() iter.Seq2[[]byte, Value] {
	return func(yield func(name []byte, v Value) bool) {
		var name []byte
		for rest := r.body; len(rest) > 0; {
			var v record
			v, rest, _ = cut(rest) // checked before
			switch v.typ {
			case avp:
				name = v.text()
				continue
			case Struct, Array:
				v.value, rest = contents(rest)
			}
			if !yield(name, Value{v}) {
				return
			}
			name = nil
		}
	}
}

// contents divides what follows the beginning of a struct or array where that ends.
func contents(b []byte) (inside, rest []byte) {
	depth := 1
	for rest = b; ; {
		r, next, _ := cut(rest) // checked before
		switch {
		case r.end:
			depth--
		case r.typ == Struct || r.typ == Array:
			depth++
		}
		if depth == 0 {
			return b[:len(b)-len(rest)], next
		}
		rest = next
	}
}

// Value is one record. What does not have the type that is asked for has no such value; nothing is converted but as said.
type Value struct {
	record record
}

// Type returns what the value is.
func (v Value) Type() Type { return v.record.typ }

// Int returns an Int as a signed number. Kamailio's are of 32 bits; the wire does not tell whether one was signed.
func (v Value) Int() (int64, bool) {
	n, ok := v.Uint()
	if n <= math.MaxUint32 {
		return int64(int32(n)), ok //nolint:gosec // two's complement
	}
	return int64(n), ok //nolint:gosec // two's complement
}

// Uint returns an Int as an unsigned number, for fields that are known to be: sizes and the like.
func (v Value) Uint() (uint64, bool) {
	if v.record.typ != Int {
		return 0, false
	}
	return number(v.record.value), true
}

// Float returns a Double, which has three decimals, or an Int as a signed number, because fields turn from one to the other
// between releases of Kamailio. A Double that was too large for the wire (9.2e15) arrives as the outermost number there is:
// it has no value.
func (v Value) Float() (float64, bool) {
	if v.record.typ != Double {
		i, ok := v.Int()
		return float64(i), ok
	}
	thousandths := int64(number(v.record.value)) //nolint:gosec // two's complement
	if thousandths == math.MinInt64 || thousandths == math.MaxInt64 {
		return 0, false
	}
	return float64(thousandths) / 1000, true
}

// Text returns the bytes of a String or Bytes, which may be any. They are valid until the walk over the reply returns.
func (v Value) Text() ([]byte, bool) {
	if v.record.typ != String && v.record.typ != Bytes {
		return nil, false
	}
	return v.record.text(), true
}

// Records returns what a Struct or Array holds; of other types, nothing.
func (v Value) Records() Records {
	if v.record.typ != Struct && v.record.typ != Array {
		return Records{}
	}
	return Records{v.record.value}
}

// Request is a method and its arguments, encoded once and sent as often as needed.
type Request struct {
	method string
	body   []byte
}

// usualRequest is the room in bytes that a request with a few words needs.
const usualRequest = 64

// NewRequest returns a request to call a method with arguments.
func NewRequest(method string, args ...string) Request {
	body := appendText(make([]byte, 0, usualRequest), String, method)
	for _, arg := range args {
		body = appendText(body, String, arg)
	}
	return Request{method, body}
}

// WithInt returns the request with one more argument, a number.
func (r Request) WithInt(arg int32) Request {
	return Request{r.method, appendNumber(slices.Clip(r.body), Int, uint64(uint32(arg)))} //nolint:gosec // two's complement
}

// appendHeader appends the header of a packet whose records are size bytes.
func appendHeader(b []byte, typ byte, size int, cookie uint32) []byte {
	begin := len(b)
	b = append(b, magic<<4|version, 0)
	b, length := appendMinimal(b, uint64(size), 1) //nolint:gosec // a size is not negative
	b, width := appendMinimal(b, uint64(cookie), 1)
	b[begin+1] = typ<<4 | byte(length-1)<<2 | byte(width-1) //nolint:gosec // 0 to 3
	return b
}

// appendNumber appends an Int or Double.
func appendNumber(b []byte, typ Type, n uint64) []byte {
	begin := len(b)
	b, width := appendMinimal(append(b, 0), n, 0)
	b[begin] = byte(width)<<4 | byte(typ) //nolint:gosec // 0 to 8
	return b
}

// appendText appends a String, Bytes or name.
func appendText(b []byte, typ Type, text string) []byte {
	size := len(text)
	if typ != Bytes {
		size++ // the NUL
	}
	begin := len(b)
	b = append(b, byte(size)<<4|byte(typ)) //nolint:gosec // replaced if it does not fit
	if size > 7 {
		var width int
		b, width = appendMinimal(b, uint64(size), 1)
		b[begin] = byte(8|width)<<4 | byte(typ) //nolint:gosec // 9 to 12
	}
	b = append(b, text...)
	if typ != Bytes {
		b = append(b, 0)
	}
	return b
}

// appendMinimal appends a number in as few bytes as it needs, and says how many.
func appendMinimal(b []byte, n uint64, atLeast int) ([]byte, int) {
	width := atLeast
	for width < 8 && n>>(8*width) != 0 {
		width++
	}
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i))) //nolint:gosec // one byte after the other
	}
	return b, width
}
