// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAdd(t *testing.T) {
	for _, tt := range []struct {
		a, b, sum int64
		ok        bool
	}{
		{2, 3, 5, true},
		{2, -3, -1, true},
		{math.MaxInt64, 0, math.MaxInt64, true},
		{math.MaxInt64 - 1, 1, math.MaxInt64, true},
		{math.MaxInt64, 1, math.MaxInt64, false},
		{1, math.MaxInt64, math.MaxInt64, false},
		{math.MinInt64 + 1, -1, math.MinInt64, true},
		{math.MinInt64, -1, math.MinInt64, false},
		{math.MinInt64, math.MinInt64, math.MinInt64, false},
		{math.MaxInt64, math.MinInt64, -1, true},
	} {
		sum, ok := Add(tt.a, tt.b)
		assert.Equal(t, tt.sum, sum, "%d + %d", tt.a, tt.b)
		assert.Equal(t, tt.ok, ok, "%d + %d", tt.a, tt.b)
	}
}
