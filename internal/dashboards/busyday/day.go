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

// Day evaluates expressions over what Prometheus stored.
type Day struct {
	storage storage.Queryable
	engine  *promql.Engine
}

// NewDay returns a day with the series of a storage.
func NewDay(series storage.Queryable) *Day {
	return &Day{series, promql.NewEngine(promql.EngineOpts{MaxSamples: 50e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})}
}

// Range evaluates an expression at the times of all scrapes.
func (d *Day) Range(tb testing.TB, expression string) promql.Matrix {
	tb.Helper()
	query, err := d.engine.NewRangeQuery(tb.Context(), d.storage, nil, expression, Start, End, Interval)
	require.NoError(tb, err, expression)
	defer query.Close()
	result := query.Exec(tb.Context())
	require.NoError(tb, result.Err, expression)
	matrix, err := result.Matrix()
	require.NoError(tb, err, expression)
	return matrix
}

// At evaluates an expression at a time.
func (d *Day) At(tb testing.TB, expression string, at time.Time) promql.Vector {
	tb.Helper()
	query, err := d.engine.NewInstantQuery(tb.Context(), d.storage, nil, expression, at)
	require.NoError(tb, err, expression)
	defer query.Close()
	result := query.Exec(tb.Context())
	require.NoError(tb, result.Err, expression)
	vector, err := result.Vector()
	require.NoError(tb, err, expression)
	return vector
}
