// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package busyday

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// Engine evaluates expressions over the series of a storage.
type Engine struct {
	storage storage.Queryable
	promql  *promql.Engine
}

// NewEngine returns an engine for a storage.
func NewEngine(series storage.Queryable) *Engine {
	return &Engine{series, promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{}),
	})}
}

// Range evaluates an expression at the times of all scrapes of the day.
func (e *Engine) Range(tb testing.TB, expression string) promql.Matrix {
	tb.Helper()
	query, err := e.promql.NewRangeQuery(tb.Context(), e.storage, nil, expression, Start, End, Interval)
	require.NoError(tb, err, expression)
	defer query.Close()
	result := query.Exec(tb.Context())
	require.NoError(tb, result.Err, expression)
	matrix, err := result.Matrix()
	require.NoError(tb, err, expression)
	return matrix
}

// At evaluates an expression at a time.
func (e *Engine) At(tb testing.TB, expression string, at time.Time) promql.Vector {
	tb.Helper()
	query, err := e.promql.NewInstantQuery(tb.Context(), e.storage, nil, expression, at)
	require.NoError(tb, err, expression)
	defer query.Close()
	result := query.Exec(tb.Context())
	require.NoError(tb, result.Err, expression)
	vector, err := result.Vector()
	require.NoError(tb, err, expression)
	return vector
}
