// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package completeness passes to exporters in the same process how much of a target a payload describes.
package completeness

import "context"

// Completeness says what the absence of a series from a payload means.
type Completeness int

const (
	// Unknown payloads say nothing about the series that they do not contain.
	Unknown Completeness = iota
	// Incremental payloads contain all series of the metrics that they contain.
	Incremental
	// Full payloads contain all series that their targets have in their scopes.
	Full
)

type contextKey struct{}

// With returns a context for a payload of the given completeness.
func With(ctx context.Context, c Completeness) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the completeness of the payload that is passed along with the context. Components that pass payloads on later or merge
// them, such as the batch processor, lose it: it is then Unknown.
func From(ctx context.Context) Completeness {
	c, _ := ctx.Value(contextKey{}).(Completeness)
	return c
}
