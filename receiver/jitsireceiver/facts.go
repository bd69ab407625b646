// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// row is one fact of a component: under which names its answers tell it, and what it becomes.
type row struct {
	// stats is the path of its key in the JSON answer, a.b for b within a, and * for any name. Of several, the first that is there counts.
	stats string
	// page is its family on the page of metrics, without the prefix and _total. With {label} it is the label's value that tells
	// the fact, or whose fact it is; with {label=value} it is the sample with that label.
	page string
	// unit is what numbers are counted in.
	unit unit
	// recorder makes points of the fact, or keeps it.
	recorder
}

// factor turns a number into base units: it is multiplied by times, then divided by by.
type factor struct{ times, by float64 }

// unit is what a fact is counted in, which may differ between its two sources. The zero value is base units.
type unit struct {
	stats, page factor
	// in is the only version whose JSON answer counted in was instead.
	in  string
	was factor
}

// The units in which components count.
var (
	milliseconds = same(factor{1, 1000})
	megabytes    = same(factor{1e6, 1})
	// kilobits are whole ones in JSON.
	kilobits = unit{stats: factor{1000, 8}, page: factor{1, 8}}
	// octoBits were kilobits when they were new.
	octoBits = unit{stats: factor{1, 8}, page: factor{1, 8}, in: "2.1.157-", was: factor{1000, 8}}
)

func same(f factor) unit { return unit{stats: f, page: f} }

// base turns a number of a source into base units, for a component of some version.
func (u *unit) base(v float64, from source, version string) float64 {
	f := u.stats
	switch {
	case from == fromPage:
		f = u.page
	case u.in != "" && strings.HasPrefix(version, u.in):
		f = u.was
	}
	if f == (factor{}) {
		return v
	}
	return v * f.times / f.by
}

type (
	builder   = metadata.MetricsBuilder
	timestamp = pcommon.Timestamp
	entity    = metadata.AttributeRtcEntity
)

// recorder makes points of a fact, or keeps it. The fact's number is in base units.
type recorder struct {
	kind   kind
	record func(p *process, now timestamp, f *fact)
	// of is what has a name and a fact of its own, if each of several does.
	of entity
}

// whole records a whole number of things, which is never below 0.
func whole(record func(*builder, timestamp, int64)) recorder {
	return recorder{kind: kindWhole, record: func(p *process, now timestamp, f *fact) {
		if f.whole >= 0 {
			record(p.mb, now, f.whole)
		}
	}}
}

// wholeOf records a whole number with a fixed attribute.
func wholeOf[A any](record func(*builder, timestamp, int64, A), a A) recorder {
	return whole(func(mb *builder, now timestamp, n int64) { record(mb, now, n, a) })
}

// wholeOf2 records a whole number with two fixed attributes.
func wholeOf2[A, B any](record func(*builder, timestamp, int64, A, B), a A, b B) recorder {
	return whole(func(mb *builder, now timestamp, n int64) { record(mb, now, n, a, b) })
}

// yesNo records true as 1 and false as 0.
func yesNo(record func(*builder, timestamp, int64)) recorder {
	r := whole(record)
	r.kind = kindYesNo
	return r
}

// decimal records a number that is neither below 0 nor, in base units, infinite.
func decimal(record func(*builder, timestamp, float64)) recorder {
	return recorder{kind: kindDecimal, record: func(p *process, now timestamp, f *fact) {
		if f.decimal >= 0 && !math.IsInf(f.decimal, 1) {
			record(p.mb, now, f.decimal)
		}
	}}
}

// decimalOf records a number with a fixed attribute.
func decimalOf[A any](record func(*builder, timestamp, float64, A), a A) recorder {
	return decimal(func(mb *builder, now timestamp, v float64) { record(mb, now, v, a) })
}

// decimalOf2 records a number with two fixed attributes.
func decimalOf2[A, B any](record func(*builder, timestamp, float64, A, B), a A, b B) recorder {
	return decimal(func(mb *builder, now timestamp, v float64) { record(mb, now, v, a, b) })
}

// rounded records a whole number that is not one before it is in base units.
func rounded(record func(*builder, timestamp, int64)) recorder {
	return decimal(func(mb *builder, now timestamp, v float64) {
		if n, ok := wholeNumber(math.Round(v)); ok {
			record(mb, now, n)
		}
	})
}

// positive leaves out 0, which some send when they have measured nothing.
func positive(r recorder) recorder {
	record := r.record
	r.record = func(p *process, now timestamp, f *fact) {
		if f.decimal > 0 {
			record(p, now, f)
		}
	}
	return r
}

// sizes records how many things there are of each size.
func sizes(record func(*builder, timestamp, int64, string)) recorder {
	return recorder{kind: kindSizes, record: func(p *process, now timestamp, f *fact) {
		for i := range f.sizes {
			if f.sizes[i].count >= 0 {
				record(p.mb, now, f.sizes[i].count, f.sizes[i].label)
			}
		}
	}}
}

// each records a whole number of each of several things.
func each(of entity, record func(*builder, timestamp, int64, string)) recorder {
	return recorder{kind: kindWhole, of: of, record: func(p *process, now timestamp, f *fact) { record(p.mb, now, f.whole, f.word) }}
}

// keep keeps a word that describes the process.
func keep(field func(*identity) *string) recorder {
	return recorder{kind: kindWord, record: func(p *process, _ timestamp, f *fact) { *field(&p.reported) = f.word }}
}
