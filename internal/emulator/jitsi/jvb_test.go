// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

func TestJVBVersions(t *testing.T) {
	for version, sample := range jvbSamples {
		t.Run(version, func(t *testing.T) {
			server := emulatortest.Start(t, NewJVB, JVBOptions{Version: version, Stats: true, Now: emulatortest.NewClock().Now})
			assert.Equal(t, capture(t, "jvb/colibri-stats."+sample.stats+".json"), askWell(t, server, jvbStatsPath, ""))
			response, about := ask(t, server, http.MethodGet, versionPath, "")
			if version == "1.x" {
				assert.Equal(t, http.StatusNotFound, response.Status)
			} else {
				assert.Contains(t, about, `{"name":"JVB","version":"`+version+`-g`)
			}
			response, _ = ask(t, server, http.MethodGet, metricsPath, "text/plain")
			assert.Equal(t, version == "2.3.312", response.Status == http.StatusOK)
		})
	}
	_, err := NewJVB(JVBOptions{Version: "3.0"})
	assert.ErrorContains(t, err, `nothing was captured of version "3.0", there are 1.x, 2.1.169,`)
}

// TestJVBLife checks that a conference grows, and that its traffic is counted when it ends.
func TestJVBLife(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Moving: true, Now: now.Now})
	captured := numbersOf(t, capture(t, "jvb/colibri-stats.constructed-2.3.312-master-2026-08-19.json"))
	from := now.Now()
	for _, moment := range []struct {
		second int64
		more   map[string]float64
	}{
		{0, nil},
		{25, map[string]float64{
			"conferences": 1, "endpoints": 2, "local_endpoints": 2, "participants": 2, "local_active_endpoints": 2, "receive_only_endpoints": 1,
			"endpoints_sending_video": 1, "total_conferences_created": 1, "total_participants": 2, "total_ice_succeeded": 2,
			"bit_rate_download": 1000, "bit_rate_upload": 3000, "packet_rate_download": 120, "packet_rate_upload": 360, "stress_level": 0.02,
		}},
		{90, map[string]float64{
			"total_conferences_created": 1, "total_conferences_completed": 1, "total_conference_seconds": 80, "total_participants": 6,
			"total_ice_succeeded": 6, "total_bytes_received": 20_625_000, "total_bytes_sent": 61_875_000,
			"total_packets_received": 19_800, "total_packets_sent": 59_400,
		}},
		{120, map[string]float64{
			"total_conferences_created": 1, "total_conferences_completed": 1, "total_conference_seconds": 80, "total_participants": 6,
			"total_ice_succeeded": 6, "total_bytes_received": 20_625_000, "total_bytes_sent": 61_875_000,
			"total_packets_received": 19_800, "total_packets_sent": 59_400,
		}},
	} {
		now.Advance(from.Add(time.Duration(moment.second) * time.Second).Sub(now.Now()))
		for key, value := range numbersOf(t, askWell(t, server, jvbStatsPath, "")) {
			assert.InDelta(t, captured[key]+moment.more[key], value, 1e-9, "%s after %d s", key, moment.second)
		}
	}
}

// TestJVBFacesAgree checks that the statistics and all forms of the page have the same values at the same time.
func TestJVBFacesAgree(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Moving: true, Now: now.Now})
	for range 12 {
		stats := numbersOf(t, askWell(t, server, jvbStatsPath, ""))
		page := numbersOf(t, askWell(t, server, metricsPath, typeJSON))
		samples := map[string]string{}
		for _, line := range sampleLine.FindAllStringSubmatch(askWell(t, server, metricsPath, typeText), -1) {
			samples[line[1]+line[2]] = line[3]
		}
		for _, value := range jvbValues {
			if captured, isThere := stats[value.stats]; isThere && value.page != "" {
				assert.InDelta(t, captured, page[value.page], 0, value.page)
			}
			if value.page != "" && samples["jitsi_jvb_"+value.page] != "" && page[value.page] != 0 {
				assert.Equal(t, javaDouble(page[value.page]), samples["jitsi_jvb_"+value.page])
			}
		}
		assert.InDelta(t, stats["bit_rate_download"], float64(int64(page["incoming_bitrate"])/1000), 0)
		assert.InDelta(t, stats["bit_rate_upload"], float64(int64(page["outgoing_bitrate"])/1000), 0)
		assert.InDelta(t, stats["conferences"], page["conferences_by_size.count"], 0)
		assert.InDelta(t, stats["endpoints"], page["conferences_by_size.sum"], 0)
		assert.Equal(t, javaDouble(page["conferences_by_size.bucket_le_3.0"]), samples["jitsi_jvb_conferences_by_size_bucket3.0"])
		now.Advance(17 * time.Second)
	}
}

// TestJVBSizes checks that the lists of an older bridge count its conferences and endpoints.
func TestJVBSizes(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJVB, JVBOptions{Version: "2.1.508", Stats: true, Moving: true, Now: now.Now})
	now.Advance(62 * time.Second)
	stats := askWell(t, server, jvbStatsPath, "")
	assert.Contains(t, stats, `"conference_sizes":[0,0,1,1,0,0,1,0,`)
	assert.Contains(t, stats, `"conferences_by_video_senders":[0,2,1,0,`)
	assert.Contains(t, stats, `"conferences_by_audio_senders":[2,1,0,`)
	assert.Contains(t, stats, `"largest_conference":6,`)
	assert.Contains(t, stats, `"bit_rate_download":5310.418,`)
}

func TestJVBRestart(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJVB, JVBOptions{Stats: true, Upgrade: "2.3.400-g0a1b2c3d", Now: now.Now})
	require.NoError(t, server.SetFault(emulator.Restart))
	stats := askWell(t, server, jvbStatsPath, "")
	assert.Contains(t, stats, `"version":"2.3.400-g0a1b2c3d"`)
	kept := map[string]float64{
		"threads": 131, "average_participant_stress": 0.01,
		"muc_clients_configured": 2, "muc_clients_connected": 2, "mucs_configured": 2, "mucs_joined": 2,
	}
	for key, value := range numbersOf(t, stats) {
		assert.InDelta(t, kept[key], value, 0, key)
	}
	page := askWell(t, server, metricsPath, typeText)
	for _, line := range []string{
		"jitsi_jvb_startup_time 1.8E12", "jitsi_jvb_ice_failed_created 1.8E9", "jitsi_jvb_bytes_sent_total 0.0", "jitsi_jvb_thread_count 131.0",
		`jitsi_jvb_conferences_by_size_bucket{le="20.0",} 0.0`, "jitsi_jvb_conferences_by_size_count 0.0",
	} {
		assert.Contains(t, page, "\n"+line+"\n")
	}
	assert.NotRegexp(t, `(?m)^jitsi_jvb_\w+_total 0*[1-9]`, page)
	now.Advance(10 * time.Second)
	assert.Contains(t, askWell(t, server, jvbStatsPath, ""), `"total_conferences_created":1,`)

	old := emulatortest.Start(t, NewJVB, JVBOptions{Version: "1.x", Stats: true})
	require.NoError(t, old.SetFault(emulator.Restart))
	assert.Contains(t, askWell(t, old, jvbStatsPath, ""), `"used_memory":3102,"total_memory":8364,`)
}
