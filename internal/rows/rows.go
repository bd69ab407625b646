// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package rows maps values of servers to metrics as data: a row of a table holds the key and the unit of the server and the metric
// that the value becomes.
//
// The generated builder of a receiver records data points with one start time per scrape. A Point therefore passes the start time of
// each data point in place of its timestamp, and Finish sets both at the end of a scrape. Only Points call the builder, so that a
// start time cannot be assigned to another data point.
package rows

import (
	"math"
	"reflect"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Builder is the generated builder G of a receiver. It also counts values that have no data points because they are impossible.
type Builder[G any] struct {
	Generated G

	refused int64
}

// Refuse counts n impossible values.
func (b *Builder[G]) Refuse(n int64) { b.refused += n }

// TakeRefused returns the number of impossible values since the last call.
func (b *Builder[G]) TakeRefused() int64 {
	n := b.refused
	b.refused = 0
	return n
}

// None is the attribute source of metrics without attributes or with fixed ones.
type None struct{}

// Point records the data points of one metric. G is the generated builder of the receiver, and K is the type that provides the
// attributes of a data point. The zero value records nothing. By default, values must be finite and not negative. The builder counts
// values that are refused.
type Point[G, K any] struct {
	whole       func(g G, start pcommon.Timestamp, v int64, of K)
	decimal     func(g G, start pcommon.Timestamp, v float64, of K)
	unit        Unit
	least, most float64 // range of recorded values; no range if most is 0
	signed      bool
	rounded     bool
	none        float64 // means that there is no value, if hasNone
	hasNone     bool
}

// Whole returns the Point of an integer metric without attributes.
func Whole[G any](record func(G, pcommon.Timestamp, int64)) Point[G, None] {
	return WholeOf(func(g G, start pcommon.Timestamp, v int64, _ None) { record(g, start, v) })
}

// WholeOf returns the Point of an integer metric whose attributes are taken from K.
func WholeOf[G, K any](record func(G, pcommon.Timestamp, int64, K)) Point[G, K] {
	return Point[G, K]{whole: record}
}

// Decimal returns the Point of a floating-point metric without attributes.
func Decimal[G any](record func(G, pcommon.Timestamp, float64)) Point[G, None] {
	return DecimalOf(func(g G, start pcommon.Timestamp, v float64, _ None) { record(g, start, v) })
}

// DecimalOf returns the Point of a floating-point metric whose attributes are taken from K.
func DecimalOf[G, K any](record func(G, pcommon.Timestamp, float64, K)) Point[G, K] {
	return Point[G, K]{decimal: record}
}

// With fixes the only attribute of a metric.
func With[G, V, A any](record func(G, pcommon.Timestamp, V, A), a A) func(G, pcommon.Timestamp, V) {
	return func(g G, start pcommon.Timestamp, v V) { record(g, start, v, a) }
}

// With2 fixes both attributes of a metric.
func With2[G, V, A1, A2 any](record func(G, pcommon.Timestamp, V, A1, A2), a1 A1, a2 A2) func(G, pcommon.Timestamp, V) {
	return func(g G, start pcommon.Timestamp, v V) { record(g, start, v, a1, a2) }
}

// WithLast fixes the second of two attributes of a metric.
func WithLast[G, V, K, A any](record func(G, pcommon.Timestamp, V, K, A), a A) func(G, pcommon.Timestamp, V, K) {
	return func(g G, start pcommon.Timestamp, v V, of K) { record(g, start, v, of, a) }
}

// In returns a Point whose input values are in the given unit.
func (p Point[G, K]) In(unit Unit) Point[G, K] {
	p.unit = unit
	return p
}

// Within returns a Point that records values from least to most, in the unit of the metric.
func (p Point[G, K]) Within(least, most float64) Point[G, K] {
	p.least, p.most, p.signed = least, most, false
	return p
}

// Signed returns a Point that also records negative values.
func (p Point[G, K]) Signed() Point[G, K] {
	p.signed = true
	return p
}

// Rounded returns a Point of an integer metric that rounds its values.
func (p Point[G, K]) Rounded() Point[G, K] {
	p.rounded = true
	return p
}

// Except returns a Point for which none, before the conversion of units, means that there is no value. Such values are not counted as
// refused.
func (p Point[G, K]) Except(none float64) Point[G, K] {
	p.none, p.hasNone = none, true
	return p
}

// Record records an integer with the attributes of an item. A sum starts with the process. Record reports whether the value is valid.
func (p Point[G, K]) Record(b *Builder[G], n int64, of K) bool { return p.RecordSince(b, 0, n, of) }

// RecordSince is like Record for a sum with its own start time.
func (p Point[G, K]) RecordSince(b *Builder[G], start pcommon.Timestamp, n int64, of K) bool {
	if p.whole == nil || !p.unit.isWhole() || p.hasNone {
		return p.RecordFloatSince(b, start, float64(n), of)
	}
	n, ok := p.unit.baseWhole(n)
	if !ok || !p.allows(float64(n)) {
		b.Refuse(1)
		return false
	}
	p.whole(b.Generated, start, n, of)
	return true
}

// RecordFloat is like Record for a floating-point value. For an integer metric, the value must be whole unless the Point rounds.
func (p Point[G, K]) RecordFloat(b *Builder[G], v float64, of K) bool {
	return p.RecordFloatSince(b, 0, v, of)
}

// RecordFloatSince is like RecordSince for a floating-point value. For an integer metric, the value must be whole unless the Point
// rounds.
func (p Point[G, K]) RecordFloatSince(b *Builder[G], start pcommon.Timestamp, v float64, of K) bool {
	if p.hasNone && v == p.none {
		return false
	}
	v = p.base(v)
	if !p.fits(v) {
		b.Refuse(1)
		return false
	}
	switch {
	case p.decimal != nil:
		p.decimal(b.Generated, start, v, of)
	case p.whole != nil:
		p.whole(b.Generated, start, int64(v), of)
	}
	return true
}

// Allows reports whether RecordFloat records a value. Callers that keep the start time of a sum check it before they note the value.
func (p *Point[G, K]) Allows(v float64) bool {
	return p.fits(p.base(v))
}

// fits reports whether a value in base units can be recorded.
func (p *Point[G, K]) fits(v float64) bool {
	if p.whole != nil {
		if _, ok := ToWhole(v); !ok {
			return false
		}
	}
	return p.allows(v)
}

// base converts a value to base units and rounds it if required.
func (p *Point[G, K]) base(v float64) float64 {
	v = p.unit.Base(v)
	if p.rounded {
		v = math.Round(v)
	}
	return v
}

// allows reports whether a value is within the range of the metric. NaN is not.
func (p *Point[G, K]) allows(v float64) bool {
	switch {
	case p.most != 0:
		return v >= p.least && v <= p.most
	case p.signed:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return v >= 0 && !math.IsInf(v, 1)
}

// Example records a value of a zero item, which shows the metric that the Point records.
func (p Point[G, K]) Example(generated any) {
	var of K
	if t := reflect.TypeFor[K](); t.Kind() == reflect.Pointer {
		of = reflect.New(t.Elem()).Interface().(K)
	}
	g := generated.(G)
	switch {
	case p.whole != nil:
		p.whole(g, 0, 1, of)
	case p.decimal != nil:
		p.decimal(g, 0, 1, of)
	}
}

// RecordState records 1 for the current state and 0 for all others. The function of returns the source of the attributes of a state.
func RecordState[G, K any, S comparable](p Point[G, K], b *Builder[G], states []S, current S, of func(S) K) {
	for _, state := range states {
		p.Record(b, BoolToInt(state == current), of(state))
	}
}

// BoolToInt returns 1 for true and 0 for false.
func BoolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// ToWhole converts a value that a server may write as a floating-point number, such as 1.2e13. It returns false if the value is not
// whole or overflows int64.
func ToWhole(v float64) (int64, bool) {
	if v < math.MinInt64 || v >= 1<<63 || v != math.Trunc(v) {
		return 0, false
	}
	return int64(v), true
}
