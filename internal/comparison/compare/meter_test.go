// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMeter checks that a scrape with missing series is not counted, but adds to the cost of the others.
func TestMeter(t *testing.T) {
	m := newMeter(2)
	m.extra = 5
	var kept [][]byte
	scrape := func(series, allocations int) {
		for range allocations {
			kept = append(kept, make([]byte, 1<<10))
		}
		m.scraped(series)
	}
	scrape(105, 1_000) // warm-up
	scrape(105, 1_000)
	scrape(105, 1_000)
	scrape(50, 10_000) // incomplete
	scrape(105, 1_000)
	require.Empty(t, m.result)
	scrape(105, 1_000) // samples the heap
	scrape(94, 1_000)  // incomplete
	scrape(105, 1_000)
	got := <-m.result
	assert.Equal(t, 100, got.Series)
	assert.InDelta(t, 6_000, got.Allocations, 100)
	assert.Greater(t, got.Heap, float64(len(kept)<<10))
	assert.Less(t, got.Heap, 2*float64(len(kept)<<10))
	assert.Less(t, got.CPU, time.Minute)
}
