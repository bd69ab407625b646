// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package rows maps the numbers of servers to metrics, as data: a row of a table holds the key and the unit of the server and the
// metric that the number becomes.
//
// Data points are recorded by the generated builder of a receiver, which knows one start time for all points of a scrape. A Point
// therefore passes the start time of each point in place of its time, and Finish puts both in their places when a scrape ends. Nothing
// but a Point calls the builder, so that no start time can get to another point.
package rows

import (
	"math"
	"reflect"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// None is what the attributes of a metric without attributes, or with fixed ones, are taken from.
type None struct{}

// Point records the data points of one metric. B is the generated builder of the receiver, K holds what the attributes of a point are
// taken from. The zero value records nothing. By default a point is neither negative nor infinite.
type Point[B, K any] struct {
	whole       func(b B, start pcommon.Timestamp, v int64, of K)
	decimal     func(b B, start pcommon.Timestamp, v float64, of K)
	unit        Unit
	least, most float64 // of what is recorded; most 0 means that there is no range
	signed      bool
	rounded     bool
}

// Whole returns the Point of an integer metric without attributes.
func Whole[B any](record func(B, pcommon.Timestamp, int64)) Point[B, None] {
	return WholeOf(func(b B, start pcommon.Timestamp, v int64, _ None) { record(b, start, v) })
}

// WholeOf returns the Point of an integer metric whose attributes are taken from K.
func WholeOf[B, K any](record func(B, pcommon.Timestamp, int64, K)) Point[B, K] {
	return Point[B, K]{whole: record}
}

// Decimal returns the Point of a floating-point metric without attributes.
func Decimal[B any](record func(B, pcommon.Timestamp, float64)) Point[B, None] {
	return DecimalOf(func(b B, start pcommon.Timestamp, v float64, _ None) { record(b, start, v) })
}

// DecimalOf returns the Point of a floating-point metric whose attributes are taken from K.
func DecimalOf[B, K any](record func(B, pcommon.Timestamp, float64, K)) Point[B, K] {
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

// In returns a Point whose numbers come in a unit of the server's.
func (p Point[B, K]) In(unit Unit) Point[B, K] {
	p.unit = unit
	return p
}

// Within returns a Point that records numbers from least to most, in the unit of the metric.
func (p Point[B, K]) Within(least, most float64) Point[B, K] {
	p.least, p.most, p.signed = least, most, false
	return p
}

// Signed returns a Point that records negative numbers too.
func (p Point[B, K]) Signed() Point[B, K] {
	p.signed = true
	return p
}

// Rounded returns a Point of an integer metric that rounds.
func (p Point[B, K]) Rounded() Point[B, K] {
	p.rounded = true
	return p
}

// Record records an integer of a thing, which counts since the start of the process where it is a sum. It reports whether the number
// is a possible one.
func (p Point[B, K]) Record(b B, n int64, of K) bool { return p.RecordSince(b, 0, n, of) }

// RecordSince is Record for a number that counts since a time of its own.
func (p Point[B, K]) RecordSince(b B, start pcommon.Timestamp, n int64, of K) bool {
	if p.whole == nil || !p.unit.isWhole() {
		return p.RecordFloatSince(b, start, float64(n), of)
	}
	n, ok := p.unit.baseWhole(n)
	if ok = ok && p.allows(float64(n)); ok {
		p.whole(b, start, n, of)
	}
	return ok
}

// RecordFloat is Record for a floating-point number. Those of integer metrics must be whole, unless they are
// rounded.
func (p Point[B, K]) RecordFloat(b B, v float64, of K) bool { return p.RecordFloatSince(b, 0, v, of) }

// RecordFloatSince is RecordSince for a floating-point number. Those of integer metrics must be whole.
func (p Point[B, K]) RecordFloatSince(b B, start pcommon.Timestamp, v float64, of K) bool {
	v = p.base(v)
	switch {
	case !p.allows(v):
		return false
	case p.decimal != nil:
		p.decimal(b, start, v, of)
	case p.whole != nil:
		n, ok := ToWhole(v)
		if !ok {
			return false
		}
		p.whole(b, start, n, of)
	}
	return true
}

// Allows reports whether RecordFloat records a number. Whoever keeps the start of a sum asks before it notes the number.
func (p *Point[B, K]) Allows(v float64) bool {
	v = p.base(v)
	if p.whole != nil {
		if _, ok := ToWhole(v); !ok {
			return false
		}
	}
	return p.allows(v)
}

// base returns a number as it is recorded.
func (p *Point[B, K]) base(v float64) float64 {
	v = p.unit.Base(v)
	if p.rounded {
		v = math.Round(v)
	}
	return v
}

// allows reports whether a number is within the range of the metric. NaN never is.
func (p *Point[B, K]) allows(v float64) bool {
	switch {
	case p.most != 0:
		return v >= p.least && v <= p.most
	case p.signed:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return v >= 0 && !math.IsInf(v, 1)
}

// Example records a number of a thing of which nothing is known: it shows which metric the Point records.
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

// RecordState records 1 for the state of a thing and 0 for all others; of returns what the attributes of a state are taken from.
func RecordState[B, K any, S comparable](p Point[B, K], b B, states []S, current S, of func(S) K) {
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

// ToWhole returns a whole number that servers may write as a floating-point one, such as 1.2e13. What is no whole number, or beyond
// int64, is none.
func ToWhole(v float64) (int64, bool) {
	if v < math.MinInt64 || v >= 1<<63 || v != math.Trunc(v) {
		return 0, false
	}
	return int64(v), true
}
