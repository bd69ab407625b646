// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package optional holds values that a server may leave out.
package optional

// Value is a value that may be absent. The zero value is absent.
type Value[T any] struct {
	value   T
	present bool
}

// Of returns a present value.
func Of[T any](v T) Value[T] {
	return Value[T]{value: v, present: true}
}

// Get returns the value and whether it is present; an absent one is the zero value of its type.
func (o Value[T]) Get() (T, bool) {
	return o.value, o.present
}
