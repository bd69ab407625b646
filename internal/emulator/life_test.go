// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var testLoad = Load{Item: 1, PerMinute: 30, Stay: 96 * time.Second}

func TestLoad(t *testing.T) {
	for at, want := range map[time.Duration][3]int64{ // arrived, left, and left after a restart
		0:                 {33, 0, 0},
		30 * time.Second:  {42, 16, 0},
		2 * time.Minute:   {104, 40, 7},
		24 * time.Hour:    {43233, 43200, 43167},
		-30 * time.Second: {26, -21, 0},
	} {
		arrived, left := Life(1).Count(testLoad, at, false)
		assert.Equal(t, want[0], arrived, at)
		assert.Equal(t, want[1], left, at)
		if at >= 0 {
			arrived, left = Life(1).Count(testLoad, at, true)
			assert.Equal(t, want[0]-33, arrived, at)
			assert.Equal(t, want[2], left, at)
		}
		assert.Zero(t, Life(0).Present(testLoad, at, false))
	}
	assert.NotEqual(t, Life(1).Present(testLoad, 0, false), Life(2).Present(testLoad, 0, false))
}

// TestLoadGrows checks that counters never decrease, and that Seconds is the sum of what is present.
func TestLoadGrows(t *testing.T) {
	const step = 100 * time.Millisecond
	for _, restarted := range []bool{false, true} {
		var arrived, left int64
		var seconds float64
		for at := time.Duration(0); at < 10*time.Minute; at += step {
			nowArrived, nowLeft := Life(7).Count(testLoad, at, restarted)
			require.GreaterOrEqual(t, nowArrived, arrived)
			require.GreaterOrEqual(t, nowLeft, left)
			require.GreaterOrEqual(t, nowArrived, nowLeft)
			arrived, left = nowArrived, nowLeft
			require.InDelta(t, seconds, Life(7).Seconds(testLoad, at, restarted), 2+at.Seconds(), at)
			seconds += float64(arrived-left) * step.Seconds()
		}
	}
	assert.Zero(t, Life(0).Seconds(testLoad, time.Hour, false))
}

func TestStream(t *testing.T) {
	always := func(at time.Duration) Stream { return Stream{Present: true, Flowing: at} }
	for _, at := range []time.Duration{0, time.Second, time.Hour} {
		assert.Equal(t, always(at), Life(0).Stream(16, at))
		assert.Equal(t, always(at), Life(1).Stream(11, at))
	}
	const leaves, freezes = 16, 24 // streams 16 with a period of 4 minutes, and 24
	for at, want := range map[time.Duration]Stream{
		0:                 always(0),
		7 * time.Second:   always(7 * time.Second),
		8 * time.Second:   {Flowing: 8 * time.Second},
		48 * time.Second:  {Present: true, Began: 48 * time.Second},
		247 * time.Second: {Present: true, Began: 48 * time.Second, Flowing: 199 * time.Second},
		248 * time.Second: {Began: 48 * time.Second, Flowing: 200 * time.Second},
		288 * time.Second: {Present: true, Began: 288 * time.Second},
	} {
		assert.Equal(t, want, Life(1).Stream(leaves, at), at)
	}
	for at, want := range map[time.Duration]Stream{
		0:                 always(0),
		2 * time.Second:   always(2 * time.Second),
		3 * time.Second:   {Present: true, Flowing: 3 * time.Second, Frozen: true},
		47 * time.Second:  {Present: true, Flowing: 3 * time.Second, Frozen: true, Silence: 44 * time.Second},
		48 * time.Second:  {Present: true, Flowing: 3 * time.Second},
		302 * time.Second: {Present: true, Flowing: 257 * time.Second},
		303 * time.Second: {Present: true, Flowing: 258 * time.Second, Frozen: true},
	} {
		assert.Equal(t, want, Life(1).Stream(freezes, at), at)
	}
}

func TestOutage(t *testing.T) {
	for at, want := range map[time.Duration][2]time.Duration{
		0:                 {},
		539 * time.Second: {},
		540 * time.Second: {0, time.Minute},
		599 * time.Second: {0, time.Second},
		600 * time.Second: {600 * time.Second, 0},
		25 * time.Minute:  {20 * time.Minute, 0},
	} {
		started, remaining := Life(1).Outage(at)
		assert.Equal(t, want, [2]time.Duration{started, remaining}, at)
		started, remaining = Life(0).Outage(at)
		assert.Zero(t, started+remaining, at)
	}
}
