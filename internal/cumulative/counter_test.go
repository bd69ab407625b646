// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestCounter(t *testing.T) {
	for name, tc := range map[string]struct {
		values []int64 // at the times 10, 20, 30 ...
		want   []pcommon.Timestamp
	}{
		"never falls":         {[]int64{5, 5, 6}, []pcommon.Timestamp{10, 10, 10}},
		"starts at zero":      {[]int64{0, 1, 2}, []pcommon.Timestamp{10, 10, 10}},
		"falls once":          {[]int64{5, 9, 2, 3}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls again":         {[]int64{5, 4, 3, 3}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls to zero":       {[]int64{5, 6, 0, 0}, []pcommon.Timestamp{10, 10, 20, 20}},
		"falls, then exceeds": {[]int64{5, 6, 1, 99}, []pcommon.Timestamp{10, 10, 20, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			var c Counter
			for i, value := range tc.values {
				assert.Equal(t, tc.want[i], c.Observe(value, pcommon.Timestamp(10*(i+1))))
			}
		})
	}
}

func TestCounterObserveSince(t *testing.T) {
	type observation struct {
		since, now pcommon.Timestamp
		value      int64
		want       pcommon.Timestamp
	}
	for name, observations := range map[string][]observation{
		"never falls":                     {{5, 10, 1, 5}, {5, 20, 2, 5}},
		"falls":                           {{5, 10, 9, 5}, {5, 20, 1, 10}, {5, 30, 2, 10}},
		"falls again":                     {{5, 10, 9, 5}, {5, 20, 8, 10}, {5, 30, 7, 20}},
		"restarts":                        {{5, 10, 9, 5}, {15, 20, 1, 15}, {15, 30, 2, 15}},
		"restarts and exceeds":            {{5, 10, 9, 5}, {15, 20, 99, 15}},
		"falls while the time is inexact": {{5, 10, 9, 5}, {6, 20, 1, 10}, {6, 30, 2, 10}},
		"falls, then restarts":            {{5, 10, 9, 5}, {5, 20, 1, 10}, {25, 30, 0, 25}},
		"restarts before the last fall":   {{5, 10, 9, 5}, {5, 20, 1, 10}, {8, 30, 0, 20}},
		"never moves back":                {{5, 10, 9, 5}, {3, 20, 10, 5}},
		"the server's clock is ahead":     {{50, 10, 1, 10}, {50, 20, 2, 10}, {50, 30, 1, 20}, {50, 60, 2, 20}},
		"the collector's clock goes back": {{5, 100, 9, 5}, {5, 50, 10, 5}, {5, 60, 1, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			var c Counter
			for i, o := range observations {
				assert.Equal(t, o.want, c.ObserveSince(o.since, o.value, o.now), i)
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	assert.Equal(t, pcommon.NewTimestampFromTime(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)), Seconds(1795132800))
	assert.Zero(t, Seconds(0))
}
