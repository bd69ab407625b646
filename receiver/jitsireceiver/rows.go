// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// row maps one value of a component to a metric.
type row struct {
	// stats is the path of its key in the JSON answer, a.b for b within a, and * for any name. Of several, the first that is there counts.
	stats string
	// page is its family on the page of metrics, without the prefix and _total. With {label} the value is, or is named by, the value of
	// the label; with {label=value} it is the sample with that label.
	page string
	// unit is the unit of numbers.
	unit unit
	recorder
}

// componentRows are the rows of each component.
var componentRows = map[string][]row{"jvb": jvbRows, "jicofo": jicofoRows, "jigasi": jigasiRows, "jibri": jibriRows}

// unit is the unit of a value, which may differ between the two sources.
type unit struct {
	stats, page rows.Unit
	// in is the only version whose JSON answer had the unit was.
	in  string
	was rows.Unit
}

// The units of components.
var (
	milliseconds = same(rows.Milliseconds)
	megabytes    = same(rows.Megabytes)
	// kilobits are kilobits in JSON only.
	kilobits = unit{stats: rows.Kilobits, page: rows.Bits}
	// octoBits were kilobits in the first version that had them.
	octoBits = unit{stats: rows.Bits, page: rows.Bits, in: "2.1.157-", was: rows.Kilobits}
)

func same(u rows.Unit) unit { return unit{stats: u, page: u} }

// of returns the unit of a source, for a component of some version.
func (u *unit) of(from source, version string) rows.Unit {
	switch {
	case from == fromPage:
		return u.page
	case u.in != "" && strings.HasPrefix(version, u.in):
		return u.was
	}
	return u.stats
}

type (
	builder   = metadata.MetricsBuilder
	timestamp = pcommon.Timestamp
	entity    = metadata.AttributeRtcEntity
	// point takes its attribute, if it is not fixed, from a text: a size, a name or a state.
	point = rows.Point[*builder, string]
)

// recorder says what becomes of a value.
type recorder struct {
	kind  kind
	Point point
	// record, when set, records the value in another way than kind says.
	record func(s *scraper, p point, v *value)
	// of is set where each of several named things has the value.
	of entity
}

// whole records a number of things.
func whole(record func(*builder, timestamp, int64)) recorder {
	return recorder{kind: kindWhole, Point: rows.WholeOf(ignoreText(record))}
}

// wholeOf records a number of things with a fixed attribute.
func wholeOf[A any](record func(*builder, timestamp, int64, A), a A) recorder {
	return whole(rows.With(record, a))
}

// wholeOf2 records a number of things with two fixed attributes.
func wholeOf2[A, B any](record func(*builder, timestamp, int64, A, B), a A, b B) recorder {
	return whole(rows.With2(record, a, b))
}

// yesNo records true as 1 and false as 0.
func yesNo(record func(*builder, timestamp, int64)) recorder {
	r := whole(record)
	r.kind = kindYesNo
	return r
}

// decimal records a floating-point number.
func decimal(record func(*builder, timestamp, float64)) recorder {
	return recorder{kind: kindDecimal, Point: rows.DecimalOf(ignoreText(record))}
}

// decimalOf records a floating-point number with a fixed attribute.
func decimalOf[A any](record func(*builder, timestamp, float64, A), a A) recorder {
	return decimal(rows.With(record, a))
}

// decimalOf2 records a floating-point number with two fixed attributes.
func decimalOf2[A, B any](record func(*builder, timestamp, float64, A, B), a A, b B) recorder {
	return decimal(rows.With2(record, a, b))
}

// rounded records a floating-point number as a whole one.
func rounded(record func(*builder, timestamp, int64)) recorder {
	r := whole(record)
	r.kind, r.Point = kindDecimal, r.Point.Rounded()
	return r
}

// positive leaves out 0, which some components send while they have measured nothing.
func positive(r recorder) recorder {
	r.Point = r.Point.Within(math.SmallestNonzeroFloat64, math.MaxFloat64)
	return r
}

// sizes records the number of things of each size.
func sizes(record func(*builder, timestamp, int64, string)) recorder {
	return recorder{kind: kindSizes, Point: rows.WholeOf(record)}
}

// each records a number of each of several named things.
func each(of entity, record func(*builder, timestamp, int64, string)) recorder {
	return recorder{kind: kindWhole, of: of, Point: rows.WholeOf(record)}
}

// keep keeps a text that describes the component.
func keep(field func(*identity) *string) recorder {
	return recorder{kind: kindText, record: func(s *scraper, _ point, v *value) { *field(&s.reported) = v.text }}
}

func ignoreText[V any](record func(*builder, timestamp, V)) func(*builder, timestamp, V, string) {
	return func(mb *builder, start timestamp, v V, _ string) { record(mb, start, v) }
}

// keysOf returns what a client must know of rows to read their values.
func keysOf(all []row) []key {
	keys := make([]key, len(all))
	for i := range all {
		r := &all[i]
		keys[i] = key{stats: r.stats, page: r.page, kind: r.kind, named: r.of != 0}
	}
	return keys
}
