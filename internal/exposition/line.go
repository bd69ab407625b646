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

// What a byte can be part of.
const (
	letter = 1 << iota // of a name; a label's has no colon
	colon
	digit
	blank
	lineEnd
)

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

// parse reads the sample that text begins with and returns what follows it. With an error it returns what follows the
// mistake: nothing, when text may just be cut short.
func (r *Reader) parse(text []byte) (rest []byte, err error) {
	s := &r.sample
	r.unescaped = r.unescaped[:0]
	s.Labels = s.Labels[:0]
	s.Name, rest = name(blanks(text), letter|colon)
	if rest = blanks(rest); len(rest) > 0 && rest[0] == '{' {
		if s.Labels, rest, err = r.labels(s.Labels, rest[1:]); err != nil {
			return rest, err
		}
	}
	if len(s.Name) == 0 {
		return rest, errName
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

// labels appends the labels up to the closing brace. A quoted name without a value is the metric's own.
func (r *Reader) labels(to []Label, text []byte) (labels []Label, rest []byte, err error) {
	for rest = blanks(text); len(rest) > 0 && rest[0] != '}'; {
		var l Label
		quoted := rest[0] == '"'
		if quoted {
			l.Name, rest, err = r.quoted(rest)
		} else {
			l.Name, rest = name(rest, letter)
		}
		rest = blanks(rest)
		switch {
		case err != nil:
		case len(l.Name) == 0:
			err = errLabels
		case len(rest) > 0 && rest[0] == '=':
			if l.Value, rest, err = r.quoted(blanks(rest[1:])); err == nil {
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
		if rest = blanks(rest); len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = blanks(rest[1:])
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
		return to, errMany
	}
	return append(to, l), nil
}

// exemplar passes over what OpenMetrics lets follow a sample: {labels} value [time]. It is checked all the same, because a
// line with anything else behind its value is no sample.
func (r *Reader) exemplar(text []byte) (rest []byte, err error) {
	rest = blanks(text)
	if len(rest) == 0 || rest[0] != '{' {
		return rest, errBehind
	}
	if _, rest, err = r.labels(r.sample.Labels[len(r.sample.Labels):], rest[1:]); err != nil {
		return rest, err
	}
	if _, rest, err = value(rest); err == nil && !atEnd(blanks(rest)) {
		_, rest, err = value(rest)
	}
	return blanks(rest), err
}

// value reads what strconv.ParseFloat does, less hexadecimal numbers: the formats know none.
func value(text []byte) (v float64, rest []byte, err error) {
	number, rest := word(blanks(text))
	if i, ok := digits(bytes.TrimSuffix(number, pointZero)); ok {
		return float64(i), rest, nil
	}
	if v, err = strconv.ParseFloat(string(number), 64); err != nil || bytes.ContainsAny(number, "xX_") {
		return 0, rest, errValue
	}
	return v, rest, nil
}

var pointZero = []byte(".0") // which Java ends whole numbers with

// digits reads a number of 1 to 15 digits and nothing else, all of which a float64 can hold: what most values are.
func digits(number []byte) (i int64, ok bool) {
	for _, c := range number {
		if class[c] != digit {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	return i, len(number)-1 < 15 && len(number) > 0
}

// time reads the time behind a value, if there is one, and the blanks around it.
func (r *Reader) time(text []byte) (t optional.Value[time.Time], rest []byte, err error) {
	rest = blanks(text)
	if atEnd(rest) || rest[0] == '#' {
		return t, rest, nil
	}
	number, rest := word(rest)
	rest = blanks(rest)
	var milliseconds int64
	if r.openMetrics {
		var seconds float64
		seconds, err = strconv.ParseFloat(string(number), 64)
		if !(math.Abs(seconds) < math.MaxInt32*1e3) { // nor NaN: no clock goes that far
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

// quoted returns what stands between the quotation marks that text begins with, unescaped.
func (r *Reader) quoted(text []byte) (content, rest []byte, err error) {
	if len(text) == 0 || text[0] != '"' {
		return nil, text, errLabels
	}
	text = text[1:]
	end := bytes.IndexByte(text, '"')
	if end < 0 {
		return nil, nil, errOpen
	}
	if bytes.IndexByte(text[:end], '\\') < 0 { // nearly all
		return text[:end], text[end+1:], nil
	}
	for end = 0; end < len(text) && text[end] != '"'; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	if end >= len(text) {
		return nil, nil, errOpen
	}
	return r.unescape(text[:end]), text[end+1:], nil
}

// unescape replaces \n, \" and \\; of any other the backslash stays.
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

// name cuts off a name that is not quoted, empty when text does not begin with one.
func name(text []byte, letters uint8) (name, rest []byte) {
	allowed := letters // digits from the second byte on
	n := 0
	for n < len(text) && class[text[n]]&allowed != 0 {
		allowed = letters | digit
		n++
	}
	return text[:n], text[n:]
}

// word cuts off what stands before a blank or the line's end.
func word(text []byte) (word, rest []byte) {
	n := 0
	for n < len(text) && class[text[n]]&(blank|lineEnd) == 0 {
		n++
	}
	return text[:n], text[n:]
}

// blanks cuts off leading blanks.
func blanks(text []byte) []byte {
	for i, c := range text {
		if class[c] != blank {
			return text[i:]
		}
	}
	return text[len(text):]
}

// withoutEnd cuts off the blanks and line ends that text ends with.
func withoutEnd(text []byte) []byte {
	n := len(text)
	for n > 0 && class[text[n-1]]&(blank|lineEnd) != 0 {
		n--
	}
	return text[:n]
}

// atEnd reports whether a line ends here: with LF, CR LF, or the page.
func atEnd(text []byte) bool {
	switch {
	case len(text) == 0 || text[0] == '\n':
		return true
	case text[0] == '\r':
		return len(text) == 1 || text[1] == '\n'
	}
	return false
}

// beginning returns the name that a line begins with, at most 64 bytes of it.
func beginning(line []byte) []byte {
	begin, _ := name(blanks(line), letter|colon)
	return begin[:min(len(begin), 64)]
}
