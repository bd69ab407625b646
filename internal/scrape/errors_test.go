// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
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

// The counts last for the receiver's life; what was not asked has not failed.
func TestErrors(t *testing.T) {
	result := func(api string, err error) Result { return Result{Part: Part{API: api}, Err: err} }
	var e Errors
	assert.Empty(t, e.All())
	for range 2 {
		e.Add([]Result{
			result("b", &failure{counted: Timeout}),
			result("b", errors.New("x")),
			result("c", nil),
			result("a", &failure{counted: Status, partial: true}),
			result("d", errNotAsked),
		})
	}
	e.Add([]Result{result("b", fmt.Errorf("wrapped: %w", &failure{counted: Connection}))})
	e.Add(nil)
	assert.Equal(t, []ErrorCount{
		{"a", Status, 2}, {"b", Other, 2}, {"b", Connection, 1}, {"b", Timeout, 2},
	}, e.All())
}
