// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonic

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// TestLife checks stream 16, which is away from second 8 to 48, and stream 10, which is frozen from second 235 to 280.
func TestLife(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Moving: true, Life: 1, Now: now.Now})
	begin := now.Now()
	at := func(second int, name string) []stream {
		now.Advance(begin.Add(time.Duration(second) * time.Second).Sub(now.Now()))
		var found []stream
		for _, s := range streamsOf(t, server, url.Values{}).Streams {
			if s.Name == name {
				found = append(found, s)
			}
		}
		return found
	}
	const leaves, freezes = "mylive/bunny-00016", "hockey1-00010"
	require.Len(t, at(7, leaves), 1)
	assert.InDelta(t, 5_007_000, at(7, leaves)[0].Stats.Lifetime, 0)
	assert.Empty(t, at(8, leaves))
	assert.NotContains(t, fetchWell(t, server, metricsPath), leaves)
	returned := at(58, leaves)[0].Stats
	assert.InDelta(t, 10_000, returned.Lifetime, 0)
	assert.Equal(t, begin.UnixMilli()+48_000, returned.OpenedAt)
	assert.EqualValues(t, 10*186*125, returned.Input.Bytes)

	before := at(235, freezes)[0].Stats
	frozen := at(279, freezes)[0].Stats
	assert.Zero(t, frozen.Bitrate)
	assert.Equal(t, before.Input, frozen.Input)
	assert.Equal(t, before.LastDtsAt, frozen.LastDtsAt)
	assert.InDelta(t, before.Lifetime+44_000, frozen.Lifetime, 0)
	flows := at(290, freezes)[0].Stats
	assert.Equal(t, before.Input.Bytes+10*2543*125, flows.Input.Bytes)
	assert.Equal(t, before.LastDtsAt+55_000, flows.LastDtsAt)
}

// TestLifeAddsUp checks that the totals of the server equal the numbers of streams and viewers.
func TestLifeAddsUp(t *testing.T) {
	now := emulatortest.NewClock()
	server := start(t, Options{Streams: 25, Moving: true, Life: 1, Now: now.Now})
	totals := map[int64]bool{}
	for second := 0; second < 300; second += 20 {
		want := 0
		for number := range 25 {
			if number < 5 || emulator.Life(1).Stream(number, time.Duration(second)*time.Second).Present {
				want++
			}
		}
		page := streamsOf(t, server, url.Values{})
		assert.Len(t, page.Streams, want)
		assert.Equal(t, want, page.Count)
		clients, captured := int64(0), int64(0)
		for _, s := range page.Streams {
			if s.Stats != nil {
				clients += s.Stats.Clients
			}
			if strings.HasPrefix(s.Name, "hockey1") {
				captured += 3
			}
		}
		var stats struct {
			Clients int64 `json:"total_clients"`
			Streams int   `json:"total_streams"`
		}
		require.NoError(t, json.Unmarshal([]byte(fetchWell(t, server, v3+"config/stats")), &stats))
		assert.Equal(t, want, stats.Streams)
		assert.Equal(t, 2040+clients-captured, stats.Clients, second)
		totals[stats.Clients] = true
		now.Advance(20 * time.Second)
	}
	assert.Greater(t, len(totals), 10)
}
