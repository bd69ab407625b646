// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// TestConferences checks the conferences that life adds. After a minute, there are 6 with 6, 3, 3, 5, 3 and 3 guests.
func TestConferences(t *testing.T) {
	now := emulatortest.NewClock()
	bridge := emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Moving: true, Life: 1, Now: now.Now})
	focus := emulatortest.Start(t, NewJicofo, JicofoOptions{Moving: true, Life: 1, Now: now.Now})
	gateway := emulatortest.Start(t, NewJigasi, JigasiOptions{Moving: true, Life: 1, Now: now.Now})
	now.Advance(time.Minute)

	stats := numbersOf(t, askWell(t, bridge, jvbStatsPath, ""))
	page := numbersOf(t, askWell(t, bridge, metricsPath, typeJSON))
	for key, want := range map[string]float64{
		"conferences": 8 + 6, "endpoints": 58 + 23, "total_conferences_created": 913 + 6, "total_participants": 4211 + 23,
		"endpoints_sending_video": 24 + 6, "receive_only_endpoints": 21 + 17, "bit_rate_upload": 79812 + 23*1500, "largest_conference": 25,
		"total_conferences_completed": 905,
	} {
		assert.InDelta(t, want, stats[key], 0, key)
	}
	assert.InDelta(t, stats["conferences"], page["conferences_by_size.count"], 0)
	assert.InDelta(t, stats["endpoints"], page["conferences_by_size.sum"], 0)

	stats = numbersOf(t, askWell(t, focus, jicofoStatsPath, ""))
	for key, want := range map[string]float64{
		"conferences": 9 + 6, "participants": 64 + 23, "conference_sizes.total_count": 9 + 6, "conference_sizes.total_value": 64 + 23,
		"conference_sizes.buckets.3_to_5": 2 + 4, "conference_sizes.buckets.5_to_10": 3 + 2,
		"bridge_selector.bridge_count": 3 + 1, "bridge_selector.lost_bridges": 2, // one bridge joins midway, as without life
	} {
		assert.InDelta(t, want, stats[key], 0, key)
	}
	assert.InDelta(t, 3+6, numbersOf(t, askWell(t, gateway, jigasiStatsPath, ""))["conferences"], 0)
}

// TestOutage checks that a bridge refuses connections in the tenth minute, and that its counters begin at 0 after it.
func TestOutage(t *testing.T) {
	now := emulatortest.NewClock()
	bridge := emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Moving: true, Life: 1, Now: now.Now})
	request := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, bridge.URL()+jvbStatsPath, http.NoBody)
		require.NoError(t, err)
		response, err := emulatortest.NewClient(t).Do(r)
		if err == nil {
			require.NoError(t, response.Body.Close())
		}
		return err
	}
	now.Advance(9*time.Minute - time.Second)
	require.NoError(t, request())
	now.Advance(time.Second)
	require.Error(t, request()) // ends with the connection
	require.ErrorContains(t, request(), "connection refused")

	now.Advance(time.Minute)
	require.NoError(t, bridge.SetFault("")) // the outage ends by real time
	stats := numbersOf(t, askWell(t, bridge, jvbStatsPath, ""))
	for _, key := range []string{"conferences", "endpoints", "total_conferences_created", "total_bytes_sent", "largest_conference"} {
		assert.Zero(t, stats[key], key)
	}
	now.Advance(time.Minute)
	stats = numbersOf(t, askWell(t, bridge, jvbStatsPath, ""))
	assert.InDelta(t, 6, stats["conferences"], 0)
	assert.InDelta(t, 23, stats["total_participants"], 0)
	assert.InDelta(t, 6, stats["largest_conference"], 0)
}
