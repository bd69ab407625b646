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

// Builder is the builder of a receiver: the generated one with a Refusals.
type Builder interface{ Refuse(n int64) }

// Refusals counts values that have no data points because they are impossible.
type Refusals struct{ n int64 }

// Refuse counts n values.
func (r *Refusals) Refuse(n int64) { r.n += n }

// TakeRefusals returns the number of values since the last call.
func (r *Refusals) TakeRefusals() int64 {
	n := r.n
	r.n = 0
	return n
}

// None is the attribute source of metrics without attributes or with fixed ones.
type None struct{}

// Point records the data points of one metric. B is the generated builder of the receiver, and K is the type that provides the
// attributes of a data point. The zero value records nothing. By default, values must be finite and not negative. The builder counts
// values that are refused.
type Point[B Builder, K any] struct {
	whole       func(b B, start pcommon.Timestamp, v int64, of K)
	decimal     func(b B, start pcommon.Timestamp, v float64, of K)
	unit        Unit
	least, most float64 // range of recorded values; no range if most is 0
	signed      bool
	rounded     bool
	none        float64 // means that there is no value, if hasNone
	hasNone     bool
}

// Whole returns the Point of an integer metric without attributes.
func Whole[B Builder](record func(B, pcommon.Timestamp, int64)) Point[B, None] {
	return WholeOf(func(b B, start pcommon.Timestamp, v int64, _ None) { record(b, start, v) })
}

// WholeOf returns the Point of an integer metric whose attributes are taken from K.
func WholeOf[B Builder, K any](record func(B, pcommon.Timestamp, int64, K)) Point[B, K] {
	return Point[B, K]{whole: record}
}

// Decimal returns the Point of a floating-point metric without attributes.
func Decimal[B Builder](record func(B, pcommon.Timestamp, float64)) Point[B, None] {
	return DecimalOf(func(b B, start pcommon.Timestamp, v float64, _ None) { record(b, start, v) })
}

// DecimalOf returns the Point of a floating-point metric whose attributes are taken from K.
func DecimalOf[B Builder, K any](record func(B, pcommon.Timestamp, float64, K)) Point[B, K] {
	return Point[B, K]{decimal: record}
}

// With fixes the only attribute of a metric.
func With[B, V, A any](record func(B, pcommon.Timestamp, V, A), a A) func(B, pcommon.Timestamp, V) {
	return func(b B, start pcommon.Timestamp, v V) { record(b, start, v, a) }
}

// With2 fixes both attributes of a metric.
func With2[B, V, A1, A2 any](record func(B, pcommon.Timestamp, V, A1, A2), a1 A1, a2 A2) func(B, pcommon.Timestamp, V) {
	return func(b B, start pcommon.Timestamp, v V) { record(b, start, v, a1, a2) }
}

// WithLast fixes the second of two attributes of a metric.
func WithLast[B, V, K, A any](record func(B, pcommon.Timestamp, V, K, A), a A) func(B, pcommon.Timestamp, V, K) {
	return func(b B, start pcommon.Timestamp, v V, of K) { record(b, start, v, of, a) }
}

// In returns a Point whose input values are in the given unit.
func (p Point[B, K]) In(unit Unit) Point[B, K] {
	p.unit = unit
	return p
}

// Within returns a Point that records values from least to most, in the unit of the metric.
func (p Point[B, K]) Within(least, most float64) Point[B, K] {
	p.least, p.most, p.signed = least, most, false
	return p
}

// Signed returns a Point that also records negative values.
func (p Point[B, K]) Signed() Point[B, K] {
	p.signed = true
	return p
}

// Rounded returns a Point of an integer metric that rounds its values.
func (p Point[B, K]) Rounded() Point[B, K] {
	p.rounded = true
	return p
}

// Except returns a Point for which none, before the conversion of units, means that there is no value. Such values are not counted as
// refused.
func (p Point[B, K]) Except(none float64) Point[B, K] {
	p.none, p.hasNone = none, true
	return p
}

// Record records an integer with the attributes of an item. A sum starts with the process. Record reports whether the value is valid.
func (p Point[B, K]) Record(b B, n int64, of K) bool { return p.RecordSince(b, 0, n, of) }

// RecordSince is like Record for a sum with its own start time.
func (p Point[B, K]) RecordSince(b B, start pcommon.Timestamp, n int64, of K) bool {
	if p.whole == nil || !p.unit.isWhole() || p.hasNone {
		return p.RecordFloatSince(b, start, float64(n), of)
	}
	n, ok := p.unit.baseWhole(n)
	if !ok || !p.allows(float64(n)) {
		b.Refuse(1)
		return false
	}
	p.whole(b, start, n, of)
	return true
}

// RecordFloat is like Record for a floating-point value. For an integer metric, the value must be whole unless the Point rounds.
func (p Point[B, K]) RecordFloat(b B, v float64, of K) bool { return p.RecordFloatSince(b, 0, v, of) }

// RecordFloatSince is like RecordSince for a floating-point value. For an integer metric, the value must be whole unless the Point
// rounds.
func (p Point[B, K]) RecordFloatSince(b B, start pcommon.Timestamp, v float64, of K) bool {
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
		p.decimal(b, start, v, of)
	case p.whole != nil:
		p.whole(b, start, int64(v), of)
	}
	return true
}

// Allows reports whether RecordFloat records a value. Callers that keep the start time of a sum check it before they note the value.
func (p *Point[B, K]) Allows(v float64) bool {
	return p.fits(p.base(v))
}

// fits reports whether a value in base units can be recorded.
func (p *Point[B, K]) fits(v float64) bool {
	if p.whole != nil {
		if _, ok := ToWhole(v); !ok {
			return false
		}
	}
	return p.allows(v)
}

// base converts a value to base units and rounds it if required.
func (p *Point[B, K]) base(v float64) float64 {
	v = p.unit.Base(v)
	if p.rounded {
		v = math.Round(v)
	}
	return v
}

// allows reports whether a value is within the range of the metric. NaN is not.
func (p *Point[B, K]) allows(v float64) bool {
	switch {
	case p.most != 0:
		return v >= p.least && v <= p.most
	case p.signed:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return v >= 0 && !math.IsInf(v, 1)
}

// Example records a value of a zero item, which shows the metric that the Point records.
func (p Point[B, K]) Example(builder any) {
	var of K
	if t := reflect.TypeFor[K](); t.Kind() == reflect.Pointer {
		of = reflect.New(t.Elem()).Interface().(K)
	}
	b := builder.(B)
	switch {
	case p.whole != nil:
		p.whole(b, 0, 1, of)
	case p.decimal != nil:
		p.decimal(b, 0, 1, of)
	}
}

// RecordState records 1 for the current state and 0 for all others. The function of returns the source of the attributes of a state.
func RecordState[B Builder, K any, S comparable](p Point[B, K], b B, states []S, current S, of func(S) K) {
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
