// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import "math"

// Add returns a + b, and whether the sum is within int64. One beyond int64 does not wrap around: it is the nearest int64.
func Add(a, b int64) (sum int64, ok bool) {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64, false
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64, false
	}
	return a + b, true
}
