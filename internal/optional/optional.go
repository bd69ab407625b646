// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package optional provides values that may be absent.
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

// Get returns the value and true, or the zero value and false if it is absent.
func (o Value[T]) Get() (T, bool) {
	return o.value, o.present
}
