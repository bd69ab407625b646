// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"bytes"
	"iter"
	"math"
	"strconv"
	"strings"
)

// Value returns the value of a gauge or a counter. Series of other types have none: it is NaN.
func (s Series) Value() float64 {
	if s.value == 0 {
		return math.NaN()
	}
	text, _, _ := bytes.Cut(s.Lines[s.value:len(s.Lines)-1], []byte{' '}) // a time may follow
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

// Attributes returns the names and values of the labels, without quotes and escapes.
func (s Series) Attributes() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := string(s.Labels); rest != ""; {
			var name, value string
			if rest[0] == '"' {
				name, rest = unquote(rest)
			} else {
				i := strings.IndexByte(rest, '=')
				name, rest = rest[:i], rest[i:]
			}
			value, rest = unquote(rest[1:])
			if !yield(name, value) {
				return
			}
			rest = strings.TrimPrefix(rest, ",")
		}
	}
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

// unquote reads a string in quotes, and returns it and what follows.
func unquote(quoted string) (text, rest string) {
	escaped := false
	for i := 1; i < len(quoted); i++ {
		switch quoted[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			text, rest = quoted[1:i], quoted[i+1:]
			if escaped {
				text = unescape.Replace(text)
			}
			return text, rest
		}
	}
	return "", "" // not written by this package
}
