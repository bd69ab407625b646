// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package binrpc is a client for BINRPC, the protocol of Kamailio's ctl module. Callers iterate over replies in place;
// nothing is copied.
//
// The format is documented in src/modules/ctl/binrpc.h of Kamailio's source, from which the constants take their names.
package binrpc

import (
	"iter"
	"math"
	"slices"
)

// Limits of a reply. The largest known replies have a few hundred KB, some ten thousand records and six levels of nesting.
const (
	// MaxBody is the maximum size of a reply in bytes, without its header.
	MaxBody = 16 << 20
	// MaxRecords is the maximum number of records in a reply, including nested ones.
	MaxRecords = 1_000_000
	// MaxDepth is the maximum depth to which structs and arrays are nested.
	MaxDepth = 32
)

// A packet is a header followed by records. Numbers are big-endian:
//
//	  4 bits   4 bits    4 bits  2 bits  2 bits    LL+1 bytes  CL+1 bytes    total_len bytes
//	| MAGIC  | VERS   || TYPE  | LL    | CL    || total_len | cookie     || records ...
//
// Kamailio encodes numbers in as few bytes as possible: it returns the cookie 0x000000ff as one byte.
const (
	magic   = 0xA
	version = 1

	typeRequest = 0
	typeReply   = 1
	typeFault   = 3

	fixedHeader   = 2 // through LL and CL, which determine the size of the rest
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
		return 0, malformed("not BINRPC: the reply begins with %#q", quote(b))
	case b[0]&0xf != version:
		return 0, malformed("BINRPC version %d, expected version 1", b[0]&0xf)
	case typ != typeReply && typ != typeFault:
		return 0, malformed("packet of type %d, expected a reply or a fault", typ)
	}
	return fixedHeader + int(b[1]>>2&3) + 1 + int(b[1]&3) + 1, nil
}

// parseHeader parses a complete header, which headerSize has validated.
func parseHeader(b []byte) header {
	lengthEnd := fixedHeader + int(b[1]>>2&3) + 1
	return header{
		typ:    b[1] >> 4,
		size:   uint32(number(b[fixedHeader:lengthEnd])), //nolint:gosec // four bytes at most
		cookie: uint32(number(b[lengthEnd:])),            //nolint:gosec // four bytes at most
	}
}

// number decodes a big-endian number of up to 8 bytes. It returns 0 for an empty slice.
func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// Type is the type of a record.
type Type byte

// The types of records, BINRPC_T_* in Kamailio's source.
const (
	// Int is an integer.
	Int Type = iota
	// String is text that ends with NUL on the wire.
	String
	// Double is a number with three decimal places.
	Double
	// Struct holds named records. Kamailio also encodes lists as structs, so names can be missing or repeated.
	Struct
	// Array holds unnamed records.
	Array
	avp // the name of the next record, only in structs
	// Bytes is a String without the NUL.
	Bytes
)

// record is a record in its wire format:
//
//	 1 bit  3 bits  4 bits
//	| S   | size  | type  || size of the value, if S = 1: size bytes || value
//
// A Struct or Array is delimited by a start tag (size 0) and an end tag (S = 1, size 0).
// A Double uses S as a bit of its size: 0x82 is a Double of 8 bytes.
type record struct {
	typ   Type
	end   bool
	value []byte
}

// nextRecord splits the first record off b, which must not be empty. It checks every length against the length of b.
func nextRecord(b []byte) (r record, rest []byte, err error) {
	typ, size, rest := Type(b[0]&0xf), uint64(b[0]>>4), b[1:]
	switch {
	case typ > Bytes:
		return r, nil, malformed("record of unknown type %d", typ)
	case typ == Struct || typ == Array:
		if size&7 != 0 {
			return r, nil, malformed("start of a struct or array has a size")
		}
		return record{typ: typ, end: size != 0}, rest, nil
	case typ != Double && size == 8:
		return r, nil, malformed("end tag of type %d, which is neither a struct nor an array", typ)
	case typ != Double && size > 8:
		width := size & 7
		if width > uint64(len(rest)) {
			return r, nil, malformed("record truncated within its length")
		}
		size, rest = number(rest[:width]), rest[width:]
	}
	switch {
	case (typ == Int || typ == Double) && size > 8:
		return r, nil, malformed("number of %d bytes", size)
	case size > uint64(len(rest)):
		return r, nil, malformed("record of %d bytes, but only %d bytes are left", size, len(rest))
	}
	return record{typ: typ, value: rest[:size]}, rest[size:], nil
}

// text returns a name or string without its terminating NUL, if it has one.
func (r record) text() []byte {
	if n := len(r.value); n > 0 && r.typ != Bytes && r.value[n-1] == 0 {
		return r.value[:n-1]
	}
	return r.value
}

// validator checks the order and nesting of records.
type validator struct {
	open        [MaxDepth]Type // structs and arrays that have not ended
	depth       int
	pendingName bool
	count       int
}

// validate checks that a body is complete and within the limits, so that iterating over it cannot fail.
func validate(body []byte) error {
	var v validator
	for rest := body; len(rest) > 0; {
		r, next, err := nextRecord(rest)
		if err == nil {
			err = v.add(r)
		}
		if err != nil {
			return atOffset(len(body)-len(rest), err)
		}
		rest = next
	}
	if v.pendingName || v.depth > 0 {
		return atOffset(len(body), malformed("the reply ends within a struct or array"))
	}
	return nil
}

func (v *validator) add(r record) error {
	var parent Type // Int at the top level
	if v.depth > 0 {
		parent = v.open[v.depth-1]
	}
	switch {
	case r.end && (r.typ != parent || v.pendingName), r.typ == avp && (parent != Struct || v.pendingName):
		return malformed("unexpected name or end tag")
	case r.end:
		v.depth--
		return nil
	case r.typ == avp:
		v.pendingName = true
		return nil
	}
	v.pendingName = false
	if v.count++; v.count > MaxRecords {
		return tooLarge("more than %d records", MaxRecords)
	}
	if r.typ == Struct || r.typ == Array {
		if v.depth == MaxDepth {
			return tooLarge("structs nested more than %d deep", MaxDepth)
		}
		v.open[v.depth] = r.typ
		v.depth++
	}
	return nil
}

// Records are the validated records of a reply, or of a struct or array in it.
type Records struct {
	body []byte
}

// Size returns the size of the records on the wire in bytes.
func (r Records) Size() int { return len(r.body) }

// Len returns the number of records, excluding nested ones.
func (r Records) Len() (n int) {
	for range r.All() {
		n++
	}
	return n
}

// Count returns the number of records, including nested ones.
func (r Records) Count() (n int) {
	for rest := r.body; len(rest) > 0; {
		var v record
		v, rest, _ = nextRecord(rest) // validated before
		if v.typ != avp && !v.end {
			n++
		}
	}
	return n
}

// Decode decodes one complete reply packet. The records share its memory. The error is a *Fault if the packet is a fault,
// otherwise an *Error.
func Decode(packet []byte) (Records, error) {
	if len(packet) < fixedHeader {
		return Records{}, malformed("header is truncated")
	}
	n, err := headerSize(packet)
	switch {
	case err != nil:
		return Records{}, err
	case len(packet) < n:
		return Records{}, malformed("header is truncated")
	}
	h, body := parseHeader(packet[:n]), packet[n:]
	if uint64(h.size) != uint64(len(body)) {
		return Records{}, malformed("body of %d bytes, but the header announces %d", len(body), h.size)
	}
	return decode(h.typ, body)
}

func decode(typ byte, body []byte) (Records, error) {
	if len(body) > MaxBody {
		return Records{}, tooLarge("%d bytes", len(body))
	}
	if err := validate(body); err != nil {
		return Records{}, err
	}
	if typ == typeFault {
		return Records{}, parseFault(Records{body})
	}
	return Records{body}, nil
}

// parseFault returns the fault with the first Int of r as its code and the first String as its text.
func parseFault(r Records) error {
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

// All iterates over the records and their names in wire order. The name is nil if a record has none. Names and values share
// the buffer of the connection: they are valid until Call.Handle returns.
func (r Records) All() iter.Seq2[[]byte, Value] {
	return func(yield func(name []byte, v Value) bool) {
		var name []byte
		for rest := r.body; len(rest) > 0; {
			var v record
			v, rest, _ = nextRecord(rest) // validated before
			switch v.typ {
			case avp:
				name = v.text()
				continue
			case Struct, Array:
				v.value, rest = splitAtEnd(rest)
			}
			if !yield(name, Value{v}) {
				return
			}
			name = nil
		}
	}
}

// splitAtEnd splits b, which follows the start tag of a struct or array, at the matching end tag.
func splitAtEnd(b []byte) (inside, rest []byte) {
	depth := 1
	for rest = b; ; {
		r, next, _ := nextRecord(rest) // validated before
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

// Value is the value of one record. Its methods return false for records of other types than those they name.
type Value struct {
	record record
}

// Type returns the type of the record.
func (v Value) Type() Type { return v.record.typ }

// Int returns an Int as a signed number. Kamailio's integers have 32 bits, and their encoding does not carry the sign.
func (v Value) Int() (int64, bool) {
	n, ok := v.Uint()
	if n <= math.MaxUint32 {
		return int64(int32(n)), ok //nolint:gosec // two's complement
	}
	return int64(n), ok //nolint:gosec // two's complement
}

// Uint returns an Int as an unsigned number. Use it for fields that are known to be unsigned, such as sizes.
func (v Value) Uint() (uint64, bool) {
	if v.record.typ != Int {
		return 0, false
	}
	return number(v.record.value), true
}

// Float returns a Double, or an Int as a signed number, because some fields change their type between releases of Kamailio.
// Kamailio clamps a Double that exceeds 9.2e15 to the smallest or largest number: Float returns false for it.
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

// Text returns the bytes of a String or Bytes, which need not be valid UTF-8. They are valid until Call.Handle returns.
func (v Value) Text() ([]byte, bool) {
	if v.record.typ != String && v.record.typ != Bytes {
		return nil, false
	}
	return v.record.text(), true
}

// Records returns the records of a Struct or Array. It returns no records for other types.
func (v Value) Records() Records {
	if v.record.typ != Struct && v.record.typ != Array {
		return Records{}
	}
	return Records{v.record.value}
}

// Request is an encoded method and its arguments. It can be sent any number of times.
type Request struct {
	method string
	body   []byte
}

// requestCapacity is the initial capacity of a request in bytes. It suffices for a few words.
const requestCapacity = 64

// NewRequest returns a request that calls method with args.
func NewRequest(method string, args ...string) Request {
	body := appendText(make([]byte, 0, requestCapacity), String, method)
	for _, arg := range args {
		body = appendText(body, String, arg)
	}
	return Request{method, body}
}

// WithInt returns a copy of the request with arg appended to its arguments.
func (r Request) WithInt(arg int32) Request {
	return Request{r.method, appendNumber(slices.Clip(r.body), Int, uint64(uint32(arg)))} //nolint:gosec // two's complement
}

// appendHeader appends the header of a packet with size bytes of records.
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
	b = append(b, byte(size)<<4|byte(typ)) //nolint:gosec // replaced below if it overflows
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

// appendMinimal appends n in as few bytes as possible, but at least minWidth, and returns their number.
func appendMinimal(b []byte, n uint64, minWidth int) ([]byte, int) {
	width := minWidth
	for width < 8 && n>>(8*width) != 0 {
		width++
	}
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i))) //nolint:gosec // truncated to one byte on purpose
	}
	return b, width
}
