// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/scraper/scrapererror"
)

func TestTypeOfAndIsPartial(t *testing.T) {
	whole, partial := &failure{counted: Status}, &failure{counted: Format, partial: true}
	for name, tc := range map[string]struct {
		err     error
		counted ErrorType
		partial bool
	}{
		"nil":             {nil, Other, false},
		"plain":           {errors.New("x"), Other, false},
		"typed":           {whole, Status, false},
		"partial":         {partial, Format, true},
		"wrapped":         {fmt.Errorf("a: %w", fmt.Errorf("b: %w", whole)), Status, false},
		"partial wrapped": {fmt.Errorf("a: %w", partial), Format, true},
		"joined":          {errors.Join(errors.New("x"), partial), Format, true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tc.counted, TypeOf(tc.err))
			assert.Equal(t, tc.partial, IsPartial(tc.err))
		})
	}
}

func TestJoinResults(t *testing.T) {
	refused := func() error { return &failure{text: "connection refused"} }
	result := func(api string, n int, err error) Result {
		return Result{Call: Call{API: api, Metrics: metrics(api, n)}, Err: err, made: true}
	}
	notAsked := Result{Call: Call{API: "n", Metrics: metrics("n", 2)}, Outcome: NotAsked}
	for name, tc := range map[string]struct {
		results []Result
		want    string
		failed  int
	}{
		"none":      {[]Result{result("a", 3, nil)}, "", 0},
		"one":       {[]Result{result("a", 3, nil), result("b", 4, refused())}, "b of example:80: connection refused", 4},
		"one cause": {[]Result{result("a", 3, refused()), result("b", 4, refused())}, "a, b of example:80: connection refused", 7},
		"several causes": {
			[]Result{result("a", 1, refused()), result("b", 2, &failure{text: "HTML", partial: true}), result("c", 3, refused()), result("d", 4, nil)},
			"a, c of example:80: connection refused; b of example:80: HTML", 6,
		},
		"not asked": {
			[]Result{result("a", 1, refused()), notAsked},
			"a of example:80: connection refused; n of example:80: not asked, because the server answers nothing else", 3,
		},
		"a metric of two calls is missing once": {[]Result{result("a", 2, refused()), result("a", 2, refused())}, "a, a of example:80: connection refused", 2},
	} {
		t.Run(name, func(t *testing.T) {
			err := joinResults("example:80", tc.results)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
			partial, ok := errors.AsType[scrapererror.PartialScrapeError](err)
			require.True(t, ok)
			assert.Equal(t, tc.failed, partial.Failed)
		})
	}
}

func TestJoinProcesses(t *testing.T) {
	require.NoError(t, joinProcesses([]error{nil, nil}))
	err := joinProcesses([]error{
		scrapererror.NewPartialScrapeError(errors.New("first"), 3), nil, scrapererror.NewPartialScrapeError(errors.New("second"), 4),
	})
	require.EqualError(t, err, "first; second")
	partial, ok := errors.AsType[scrapererror.PartialScrapeError](err)
	require.True(t, ok)
	assert.Equal(t, 7, partial.Failed)
}
