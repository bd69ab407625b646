// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"bytes"
	"iter"
	"math"
	"strconv"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// maxValues bounds the number of values in one reply. A list of 10,000 destinations has about as many.
const maxValues = 200_000

// kind is the type of a value.
type kind uint8

const (
	kindNone kind = iota
	kindInt       // JSON
	kindWord      // BINRPC: 32 bits, signed or unsigned
	kindBool      // JSON; integer is 0 or 1
	kindFloat
	kindText
	kindStruct // also a list in BINRPC
	kindArray
)

// value is one value of a reply over either transport. Its bytes are valid as long as the reply is.
type value struct {
	name    []byte // in a struct; otherwise nil
	kind    kind
	integer int64
	decimal float64
	bytes   []byte
	members []value // of structs and arrays; names may repeat
}

var none value

// first returns the first value of a reply.
func first(reply []value) *value {
	if len(reply) == 0 {
		return &none
	}
	return &reply[0]
}

// get returns a member of a struct.
func (v *value) get(name string) *value {
	for i := range v.members {
		if string(v.members[i].name) == name {
			return &v.members[i]
		}
	}
	return &none
}

// each iterates over a list. In BINRPC, all elements are members with this name; in JSON-RPC, each element is an object with this one
// member.
func (v *value) each(name string) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		for i := range v.members {
			element := &v.members[i]
			if name != "" && string(element.name) != name {
				element = element.get(name)
			}
			if element.kind != kindNone && !yield(element) {
				return
			}
		}
	}
}

// isList reports whether the value is a struct or an array.
func (v *value) isList() bool { return v.kind == kindStruct || v.kind == kindArray }

// int returns an integer. Some fields are doubles in some releases.
func (v *value) int() number {
	switch {
	case v.kind == kindInt || v.kind == kindWord:
		return optional.Of(v.integer)
	case v.kind == kindFloat && v.decimal == math.Trunc(v.decimal) && math.Abs(v.decimal) < 1<<53:
		return optional.Of(int64(v.decimal))
	}
	return number{}
}

// isNumber reports whether the value is an integer.
func (v *value) isNumber() bool {
	_, ok := v.int().Get()
	return ok
}

// count returns a nonnegative integer.
func (v *value) count() number {
	n := v.int()
	if i, ok := n.Get(); ok && i < 0 {
		return number{}
	}
	return n
}

// unsigned returns an unsigned 32-bit integer, which BINRPC may report as negative.
func (v *value) unsigned() number {
	if v.kind == kindWord && v.integer < 0 && v.integer >= math.MinInt32 {
		return optional.Of(v.integer + 1<<32)
	}
	return v.count()
}

// bool returns a boolean, which is 0 or 1 in BINRPC and in releases before 6.0.
func (v *value) bool() optional.Value[bool] {
	isNumber := v.kind == kindInt || v.kind == kindWord || v.kind == kindBool
	if !isNumber || v.integer != 0 && v.integer != 1 {
		return optional.Value[bool]{}
	}
	return optional.Of(v.integer == 1)
}

func (v *value) float() optional.Value[float64] {
	switch v.kind {
	case kindInt, kindWord:
		return optional.Of(float64(v.integer))
	case kindFloat:
		return optional.Of(v.decimal)
	}
	return optional.Value[float64]{}
}

// text returns a copy of a string.
func (v *value) text() string {
	if v.kind != kindText || string(v.bytes) == "<null string>" {
		return ""
	}
	return string(v.bytes)
}

// word returns a string or a number as a string.
func (v *value) word() string {
	if n, ok := v.int().Get(); ok {
		return strconv.FormatInt(n, 10)
	}
	return v.text()
}

// statistic returns the value of a statistic. Kamailio prints longs with %lu, so -7 arrives as 18446744073709551609.
func (v *value) statistic() number {
	if v.kind != kindText {
		return v.int()
	}
	text := string(bytes.TrimSpace(v.bytes))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return optional.Of(n)
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return optional.Of(int64(n)) //nolint:gosec // two's complement
	}
	return number{}
}

// tooLarge returns the error for a reply that exceeds a limit.
func tooLarge(what string) error {
	return &binrpc.Error{Type: scrape.Size, Text: what + " in a reply", Hint: "check that the setting endpoint leads to the right server"}
}

func tooMany() error { return tooLarge("more than " + strconv.Itoa(maxValues) + " values") }
