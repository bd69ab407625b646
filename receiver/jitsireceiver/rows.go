// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// row maps one value of a component to a metric.
type row struct {
	// stats is the path of the key in the JSON response: a.b for b within a, and * for any name. If it lists several, the first one found
	// is used.
	stats string
	// page is the family on the metrics page, without the prefix and _total. {label} is the label that holds the value or the name of the
	// object; {label=value} selects the sample with that label.
	page string
	// unit is the unit of the value in the responses.
	unit unit
	recorder
}

// componentRows are the rows of each component.
var componentRows = map[string][]row{"jvb": jvbRows, "jicofo": jicofoRows, "jigasi": jigasiRows, "jibri": jibriRows}

// unit is the unit of a value, which may differ between the two sources.
type unit struct {
	stats, page rows.Unit
	// in is the prefix of the only version whose JSON response has the unit was.
	in  string
	was rows.Unit
}

// The units of the components' values.
var (
	milliseconds = same(rows.Milliseconds)
	megabytes    = same(rows.Megabytes)
	// kilobits are kilobits in JSON and bits on the page.
	kilobits = unit{stats: rows.Kilobits, page: rows.Bits}
	// octoBits were kilobits in the first version that had them.
	octoBits = unit{stats: rows.Bits, page: rows.Bits, in: "2.1.157-", was: rows.Kilobits}
)

func same(u rows.Unit) unit { return unit{stats: u, page: u} }

// of returns the unit in a source, for a component of the given version.
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
	generated = metadata.MetricsBuilder
	builder   = rows.Builder[*generated]
	timestamp = pcommon.Timestamp
	entity    = metadata.AttributeRtcEntity
	// point takes its attribute, unless it is fixed, from a string: a size, a name or a state.
	point = rows.Point[*generated, string]
)

// recorder describes how a value is recorded.
type recorder struct {
	kind  kind
	Point point
	// record, if set, replaces the default way to record a value of this kind.
	record func(s *scraper, p point, v *value)
	// of is the entity of a named object that has the value; 0 for values of the component.
	of entity
}

// whole records an integer.
func whole(record func(*generated, timestamp, int64)) recorder {
	return recorder{kind: kindWhole, Point: rows.WholeOf(ignoreText(record))}
}

// wholeOf records an integer with a fixed attribute.
func wholeOf[A any](record func(*generated, timestamp, int64, A), a A) recorder {
	return whole(rows.With(record, a))
}

// wholeOf2 records an integer with two fixed attributes.
func wholeOf2[A, B any](record func(*generated, timestamp, int64, A, B), a A, b B) recorder {
	return whole(rows.With2(record, a, b))
}

// yesNo records true as 1 and false as 0.
func yesNo(record func(*generated, timestamp, int64)) recorder {
	r := whole(record)
	r.kind = kindYesNo
	return r
}

// decimal records a floating-point number.
func decimal(record func(*generated, timestamp, float64)) recorder {
	return recorder{kind: kindDecimal, Point: rows.DecimalOf(ignoreText(record))}
}

// decimalOf records a floating-point number with a fixed attribute.
func decimalOf[A any](record func(*generated, timestamp, float64, A), a A) recorder {
	return decimal(rows.With(record, a))
}

// decimalOf2 records a floating-point number with two fixed attributes.
func decimalOf2[A, B any](record func(*generated, timestamp, float64, A, B), a A, b B) recorder {
	return decimal(rows.With2(record, a, b))
}

// rounded records a floating-point number as an integer.
func rounded(record func(*generated, timestamp, int64)) recorder {
	r := whole(record)
	r.kind, r.Point = kindDecimal, r.Point.Rounded()
	return r
}

// positive skips 0, which some components send while they have no measurements.
func positive(r recorder) recorder {
	r.Point = r.Point.Except(0)
	return r
}

// sizes records the number of conferences of each size.
func sizes(record func(*generated, timestamp, int64, string)) recorder {
	return recorder{kind: kindSizes, Point: rows.WholeOf(record)}
}

// each records an integer of each bridge or queue.
func each(of entity, record func(*generated, timestamp, int64, string)) recorder {
	return recorder{kind: kindWhole, of: of, Point: rows.WholeOf(record)}
}

// keep keeps a string that describes the component.
func keep(field func(*identity) *string) recorder {
	return recorder{kind: kindText, record: func(s *scraper, _ point, v *value) { *field(&s.reported) = v.text }}
}

func ignoreText[V any](record func(*generated, timestamp, V)) func(*generated, timestamp, V, string) {
	return func(mb *generated, start timestamp, v V, _ string) { record(mb, start, v) }
}

// keysOf returns the keys that a client needs to read the values of rows.
func keysOf(all []row) []key {
	keys := make([]key, len(all))
	for i := range all {
		r := &all[i]
		keys[i] = key{stats: r.stats, page: r.page, kind: r.kind, named: r.of != 0}
	}
	return keys
}
