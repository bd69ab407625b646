// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"slices"
)

// Type is the type of a metric family.
type Type uint8

// The types of both formats.
const (
	// Unknown is the type of untyped families, and of families without a type or with one that neither format defines.
	Unknown Type = iota
	// Counter is a cumulative value.
	Counter
	// Gauge is a value that can rise and fall.
	Gauge
	// Histogram counts observations in cumulative buckets.
	Histogram
	// Summary holds quantiles, and the sum and count of observations.
	Summary
	// Info is always 1 and carries information in labels.
	Info
	// StateSet is 1 for the active states and 0 for the others.
	StateSet
	// GaugeHistogram is the histogram of a current distribution.
	GaugeHistogram
)

// types holds the keyword of each type and the suffixes that its samples append to the name of the family.
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

// String returns the keyword of the type.
func (t Type) String() string { return types[t].word }

func typeOf(word []byte) Type {
	for t := range types {
		if types[t].word == string(word) {
			return Type(t)
		}
	}
	return Unknown
}

// comment applies the metadata in a comment. It ignores all other comments.
func (r *Reader) comment(text []byte) {
	if len(text) == 0 || class[text[0]] != blank {
		return
	}
	keyword, rest := word(trimBlanks(text))
	rest = trimBlanks(trimEnd(rest))
	switch string(keyword) {
	case "EOF":
		r.ended = r.openMetrics && len(rest) == 0
	case "TYPE":
		if rest, ok := r.selectFamily(rest); ok {
			r.family.Type = typeOf(rest)
			r.storeType()
		}
	case "UNIT":
		if rest, ok := r.selectFamily(rest); ok {
			r.family.Unit = append(r.family.Unit[:0], rest...)
		}
	case "HELP":
		if rest, ok := r.selectFamily(rest); ok {
			r.family.Help = append(r.family.Help[:0], r.unescape(rest)...)
		}
	}
}

// selectFamily makes the family whose name text begins with the current one, and returns the text after the name.
func (r *Reader) selectFamily(text []byte) (rest []byte, ok bool) {
	r.unescaped = r.unescaped[:0]
	named, rest := name(text, letter|colon)
	if len(named) == 0 {
		named, rest, _ = r.quoted(text)
	}
	if len(named) == 0 || len(rest) > 0 && class[rest[0]] != blank {
		return nil, false
	}
	if f := &r.family; !bytes.Equal(f.Name, named) {
		*f = Family{Name: append(f.Name[:0], named...), Type: r.storedType(named), Help: f.Help[:0], Unit: f.Unit[:0]}
	}
	return trimBlanks(rest), true
}

// declaredType is the type of a family and the page that declared it. Entries are kept after the page, because the next page
// usually has the same families.
type declaredType struct {
	typ  Type
	page uint64
}

// storedType returns the type that the current page has declared for a family.
func (r *Reader) storedType(family []byte) Type {
	if d := r.types[string(family)]; d != nil && d.page == r.page {
		return d.typ
	}
	return Unknown
}

// storeType stores the type of the current family until the end of the page.
func (r *Reader) storeType() {
	d := r.types[string(r.family.Name)]
	if d == nil {
		if len(r.types) == maxTypes || len(r.family.Name) > maxTypedName {
			return
		}
		d = &declaredType{}
		r.types[string(r.family.Name)] = d
	}
	d.typ, d.page = r.family.Type, r.page
}

// familyOf returns the current family if the sample belongs to it. Otherwise it returns a family with the type that an earlier
// comment declared, because families can be interleaved, as those of rtpengine are.
func (r *Reader) familyOf(sample []byte) *Family {
	if suffix, ok := bytes.CutPrefix(sample, r.family.Name); ok && r.family.hasSuffix(suffix) {
		return &r.family
	}
	r.otherFamily = Family{}
	if len(r.types) == 0 {
		return &r.otherFamily
	}
	for _, suffix := range suffixes {
		if base, ok := bytes.CutSuffix(sample, suffix); ok {
			other := Family{Name: base, Type: r.storedType(base)}
			if other.Type != Unknown && other.hasSuffix(suffix) {
				r.otherFamily = other
				break
			}
		}
	}
	return &r.otherFamily
}

// hasSuffix reports whether samples of the family can have this suffix.
func (f *Family) hasSuffix(suffix []byte) bool {
	return len(f.Name) > 0 && slices.Contains(types[f.Type].suffixes, string(suffix))
}

// suffixes holds the suffixes of all types, the empty one first.
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
