// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"slices"
)

// Type is the type of a family of samples.
type Type uint8

// The types of both formats.
const (
	// Unknown: not announced, untyped, or a word that neither format knows.
	Unknown Type = iota
	// Counter: a sum since a start.
	Counter
	// Gauge: a value that rises and falls.
	Gauge
	// Histogram: a sum of observations in buckets since a start.
	Histogram
	// Summary: quantiles, and a sum of observations since a start.
	Summary
	// Info: a 1 whose labels tell something.
	Info
	// StateSet: 1 for the states that are on, 0 for the others.
	StateSet
	// GaugeHistogram: a histogram of what there is now.
	GaugeHistogram
)

// types holds the word for each type and the suffixes that it gives to the family's name.
var types = [...]struct {
	word     string
	suffixes []string
}{
	Unknown:        {"unknown", []string{""}},
	Counter:        {"counter", []string{"", "_total", "_created"}},
	Gauge:          {"gauge", []string{""}},
	Histogram:      {"histogram", []string{"_bucket", "_sum", "_count", "_created"}},
	Summary:        {"summary", []string{"", "_sum", "_count", "_created"}},
	Info:           {"info", []string{"", "_info"}},
	StateSet:       {"stateset", []string{""}},
	GaugeHistogram: {"gaugehistogram", []string{"_bucket", "_gsum", "_gcount"}},
}

// String returns the formats' word for the type.
func (t Type) String() string { return types[t].word }

func typeOf(word []byte) Type {
	for t := range types {
		if types[t].word == string(word) {
			return Type(t)
		}
	}
	return Unknown
}

// comment takes in what is announced behind a #. No comment is bad: the formats allow any.
func (r *Reader) comment(text []byte) {
	if len(text) == 0 || class[text[0]] != blank {
		return
	}
	keyword, rest := word(blanks(text))
	rest = blanks(withoutEnd(rest))
	switch string(keyword) {
	case "EOF":
		r.ended = r.openMetrics && len(rest) == 0
	case "TYPE":
		if rest, ok := r.announce(rest); ok {
			r.family.Type = typeOf(rest)
			r.remember()
		}
	case "UNIT":
		if rest, ok := r.announce(rest); ok {
			r.family.Unit = append(r.family.Unit[:0], rest...)
		}
	case "HELP":
		if rest, ok := r.announce(rest); ok {
			r.family.Help = append(r.family.Help[:0], r.unescape(rest)...)
		}
	}
}

// announce makes the family that text names the current one and returns what is said of it.
func (r *Reader) announce(text []byte) (said []byte, ok bool) {
	r.unescaped = r.unescaped[:0]
	named, rest := name(text, letter|colon)
	if len(named) == 0 {
		named, rest, _ = r.quoted(text)
	}
	if len(named) == 0 || len(rest) > 0 && class[rest[0]] != blank {
		return nil, false
	}
	if f := &r.family; !bytes.Equal(f.Name, named) {
		*f = Family{Name: append(f.Name[:0], named...), Type: r.announcedType(named), Help: f.Help[:0], Unit: f.Unit[:0]}
	}
	return blanks(rest), true
}

// announcement is what the last page that named a family called its type. It outlasts the page, because the next one mostly
// has the same names.
type announcement struct {
	kind Type
	page uint64
}

// announcedType returns the type that this page has announced of a family.
func (r *Reader) announcedType(family []byte) Type {
	if a := r.types[string(family)]; a != nil && a.page == r.page {
		return a.kind
	}
	return Unknown
}

// remember keeps the type of the current family up to the page's end.
func (r *Reader) remember() {
	a := r.types[string(r.family.Name)]
	if a == nil {
		if len(r.types) == maxTypes || len(r.family.Name) > maxTyped {
			return
		}
		a = &announcement{}
		r.types[string(r.family.Name)] = a
	}
	a.kind, a.page = r.family.Type, r.page
}

// familyOf returns what was announced of a sample: by the comments before it, or, of its type, by any earlier ones, because
// families can be interleaved (rtpengine's are).
func (r *Reader) familyOf(sample []byte) *Family {
	if suffix, ok := bytes.CutPrefix(sample, r.family.Name); ok && r.family.has(suffix) {
		return &r.family
	}
	r.other = Family{}
	if len(r.types) == 0 {
		return &r.other
	}
	for _, suffix := range suffixes {
		if base, ok := bytes.CutSuffix(sample, suffix); ok {
			other := Family{Name: base, Type: r.announcedType(base)}
			if other.Type != Unknown && other.has(suffix) {
				r.other = other
				break
			}
		}
	}
	return &r.other
}

// has reports whether a sample can be of the family, by what its name has more than the family's.
func (f *Family) has(suffix []byte) bool {
	return len(f.Name) > 0 && slices.Contains(types[f.Type].suffixes, string(suffix))
}

// suffixes of all types; the empty one comes first.
var suffixes = func() (all [][]byte) {
	for _, t := range types {
		for _, suffix := range t.suffixes {
			if !slices.ContainsFunc(all, func(known []byte) bool { return string(known) == suffix }) {
				all = append(all, []byte(suffix))
			}
		}
	}
	return all
}()
