// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
)

// The classes of bytes.
const (
	letter = 1 << iota // letters and underscore
	colon              // allowed in the names of metrics, but not of labels
	digit
	blank
	lineEnd
)

// class maps each byte to its class, 0 for bytes in none of them.
var class = func() (class [256]uint8) {
	for _, kind := range []struct {
		bytes string
		class uint8
	}{
		{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", letter},
		{":", colon},
		{"0123456789", digit},
		{" \t", blank},
		{"\r\n", lineEnd},
	} {
		for _, c := range []byte(kind.bytes) {
			class[c] = kind.class
		}
	}
	return class
}()

// parse parses the sample at the start of text and returns the rest of text. With an error, it returns the rest after the
// position of the error, which is empty if text may be incomplete.
func (r *Reader) parse(text []byte) (rest []byte, err error) {
	s := &r.sample
	r.unescaped = r.unescaped[:0]
	s.Labels = s.Labels[:0]
	s.Name, rest = name(trimBlanks(text), letter|colon)
	if rest = trimBlanks(rest); len(rest) > 0 && rest[0] == '{' {
		if s.Labels, rest, err = r.labels(s.Labels, rest[1:]); err != nil {
			return rest, err
		}
	}
	if len(s.Name) == 0 {
		return rest, errNoName
	}
	if s.Value, rest, err = value(rest); err != nil {
		return rest, err
	}
	if s.Time, rest, err = r.time(rest); err != nil {
		return rest, err
	}
	s.Family = r.familyOf(s.Name)
	if len(rest) > 0 && rest[0] == '#' {
		return r.exemplar(rest[1:])
	}
	return rest, nil
}

// labels appends the labels up to the closing brace. A quoted name without a value is the name of the metric.
func (r *Reader) labels(to []Label, text []byte) (labels []Label, rest []byte, err error) {
	for rest = trimBlanks(text); len(rest) > 0 && rest[0] != '}'; {
		var l Label
		quoted := rest[0] == '"'
		if quoted {
			l.Name, rest, err = r.quoted(rest)
		} else {
			l.Name, rest = name(rest, letter)
		}
		rest = trimBlanks(rest)
		switch {
		case err != nil:
		case len(l.Name) == 0:
			err = errLabels
		case len(rest) > 0 && rest[0] == '=':
			if l.Value, rest, err = r.quoted(trimBlanks(rest[1:])); err == nil {
				to, err = add(to, l)
			}
		case !quoted:
			err = errLabels
		case len(r.sample.Name) > 0:
			err = errTwoNames
		default:
			r.sample.Name = l.Name
		}
		if err != nil {
			return to, rest, err
		}
		if rest = trimBlanks(rest); len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = trimBlanks(rest[1:])
	}
	if len(rest) == 0 || rest[0] != '}' {
		return to, rest, errLabels
	}
	return to, rest[1:], nil
}

func add(to []Label, l Label) ([]Label, error) {
	for i := range to {
		if string(to[i].Name) == string(l.Name) {
			return to, errDuplicate
		}
	}
	if len(to) == maxLabels {
		return to, errTooManyLabels
	}
	return append(to, l), nil
}

// exemplar checks and discards an OpenMetrics exemplar: {labels} value [time].
func (r *Reader) exemplar(text []byte) (rest []byte, err error) {
	rest = trimBlanks(text)
	if len(rest) == 0 || rest[0] != '{' {
		return rest, errTrailing
	}
	if _, rest, err = r.labels(r.sample.Labels[len(r.sample.Labels):], rest[1:]); err != nil {
		return rest, err
	}
	if _, rest, err = value(rest); err == nil && !atEnd(trimBlanks(rest)) {
		_, rest, err = value(rest)
	}
	return trimBlanks(rest), err
}

// value parses a number. It accepts the syntax of strconv.ParseFloat except hexadecimal numbers and underscores.
func value(text []byte) (v float64, rest []byte, err error) {
	number, rest := word(trimBlanks(text))
	if i, ok := parseDigits(bytes.TrimSuffix(number, pointZero)); ok {
		return float64(i), rest, nil
	}
	if v, err = strconv.ParseFloat(string(number), 64); err != nil || bytes.ContainsAny(number, "xX_") {
		return 0, rest, errValue
	}
	return v, rest, nil
}

var pointZero = []byte(".0") // Java appends it to integers

// parseDigits parses a number of 1 to 15 digits, which a float64 represents exactly. It is the fast path for most values.
func parseDigits(number []byte) (i int64, ok bool) {
	for _, c := range number {
		if class[c] != digit {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	return i, len(number)-1 < 15 && len(number) > 0
}

// time parses the optional timestamp after a value and the blanks around it.
func (r *Reader) time(text []byte) (t optional.Value[time.Time], rest []byte, err error) {
	rest = trimBlanks(text)
	if atEnd(rest) || rest[0] == '#' {
		return t, rest, nil
	}
	number, rest := word(rest)
	rest = trimBlanks(rest)
	var milliseconds int64
	if r.openMetrics {
		var seconds float64
		seconds, err = strconv.ParseFloat(string(number), 64)
		if !(math.Abs(seconds) < math.MaxInt32*1e3) { // also rejects NaN
			return t, rest, errTime
		}
		milliseconds = int64(math.Round(seconds * 1e3))
	} else {
		milliseconds, err = strconv.ParseInt(string(number), 10, 64)
	}
	if err != nil {
		return t, rest, errTime
	}
	return optional.Of(time.UnixMilli(milliseconds)), rest, nil
}

// quoted parses the quoted string at the start of text and returns its unescaped content.
func (r *Reader) quoted(text []byte) (content, rest []byte, err error) {
	if len(text) == 0 || text[0] != '"' {
		return nil, text, errLabels
	}
	text = text[1:]
	end := bytes.IndexByte(text, '"')
	if end < 0 {
		return nil, nil, errUnclosedQuote
	}
	if bytes.IndexByte(text[:end], '\\') < 0 { // the usual case
		return text[:end], text[end+1:], nil
	}
	for end = 0; end < len(text) && text[end] != '"'; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	if end >= len(text) {
		return nil, nil, errUnclosedQuote
	}
	return r.unescape(text[:end]), text[end+1:], nil
}

// unescape replaces \n, \" and \\. It keeps all other backslashes.
func (r *Reader) unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	begin := len(r.unescaped)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			switch text[i+1] {
			case 'n':
				c = '\n'
				i++
			case '"', '\\':
				i++
				c = text[i]
			}
		}
		r.unescaped = append(r.unescaped, c)
	}
	return slices.Clip(r.unescaped[begin:])
}

// name splits off an unquoted name, which is empty if text does not begin with one.
func name(text []byte, letters uint8) (name, rest []byte) {
	allowed := letters // and digits from the second byte on
	n := 0
	for n < len(text) && class[text[n]]&allowed != 0 {
		allowed = letters | digit
		n++
	}
	return text[:n], text[n:]
}

// word splits off the text before the next blank or line end.
func word(text []byte) (word, rest []byte) {
	n := 0
	for n < len(text) && class[text[n]]&(blank|lineEnd) == 0 {
		n++
	}
	return text[:n], text[n:]
}

// trimBlanks removes leading blanks.
func trimBlanks(text []byte) []byte {
	for i, c := range text {
		if class[c] != blank {
			return text[i:]
		}
	}
	return text[len(text):]
}

// trimEnd removes trailing blanks and line ends.
func trimEnd(text []byte) []byte {
	n := len(text)
	for n > 0 && class[text[n-1]]&(blank|lineEnd) != 0 {
		n--
	}
	return text[:n]
}

// atEnd reports whether a line ends at the start of text. The last line of a page may end without LF.
func atEnd(text []byte) bool {
	switch {
	case len(text) == 0 || text[0] == '\n':
		return true
	case text[0] == '\r':
		return len(text) == 1 || text[1] == '\n'
	}
	return false
}

// leadingName returns the first 64 bytes of the name that a line begins with.
func leadingName(line []byte) []byte {
	name, _ := name(trimBlanks(line), letter|colon)
	return name[:min(len(name), 64)]
}
