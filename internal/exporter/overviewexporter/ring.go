// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"math"
	"time"
)

const (
	ringStep = 20 * time.Second
	ringSize = int64(time.Hour / ringStep)
)

// ring holds the values of the last hour, one for each step.
type ring struct {
	values [ringSize]float32
	newest int64 // number of the step since 1970, or 0 without values
}

// put sets the value of the step at the given time. Steps in between have none.
func (r *ring) put(at time.Time, value float64) {
	step := at.UnixNano() / int64(ringStep)
	if step < r.newest {
		return // the clock was set back
	}
	for i := max(r.newest, step-ringSize) + 1; i <= step; i++ {
		r.values[i%ringSize] = float32(math.NaN())
	}
	r.newest = step
	r.values[step%ringSize] = float32(value)
}

// last returns the values of the hour that ends at the given time, oldest first. Steps without a value are NaN.
func (r *ring) last(now time.Time) []float32 {
	values := make([]float32, ringSize)
	end := now.UnixNano() / int64(ringStep)
	for i := range values {
		step := end - ringSize + 1 + int64(i)
		values[i] = float32(math.NaN())
		if r != nil && step <= r.newest && step > r.newest-ringSize {
			values[i] = r.values[step%ringSize]
		}
	}
	return values
}
