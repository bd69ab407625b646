// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

func TestJicofoVersions(t *testing.T) {
	for version, sample := range jicofoSamples {
		server := emulatortest.Start(t, NewJicofo, JicofoOptions{Version: version})
		assert.Equal(t, capture(t, "jicofo/stats."+sample.stats+".json"), askWell(t, server, jicofoStatsPath, ""))
	}
	_, err := NewJicofo(JicofoOptions{Version: "1999"})
	assert.ErrorContains(t, err, "nothing was captured of version")
}

func TestJicofoBridges(t *testing.T) {
	for _, bridges := range []int{1, 3, 4, 500} {
		server := emulatortest.Start(t, NewJicofo, JicofoOptions{Bridges: bridges})
		page := askWell(t, server, metricsPath, typeText)
		assert.Equal(t, bridges, strings.Count(page, "\njitsi_jicofo_bridge_endpoints{jvb=\"jvbbrewery@internal.example.org/jvb"))
		assert.Equal(t, (bridges+2)/3, strings.Count(page, "\njitsi_jicofo_bridge_restart_requests_total{"), "only the first of three has this series")
		assert.Contains(t, page, "\njitsi_jicofo_bridge_selector_bridge_count "+javaDouble(float64(bridges))+"\n")
		numbers := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
		assert.InDelta(t, bridges, numbers["bridge_selector.bridge_count"], 0)
	}
}

// TestJicofoLife checks that a bridge joins and leaves, and that the next one has a new name.
func TestJicofoLife(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJicofo, JicofoOptions{Moving: true, Now: now.Now})
	counts := func() [4]float64 {
		n := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
		return [4]float64{n["bridge_selector.bridge_count"], n["bridge_selector.operational_bridge_count"], n["bridge_selector.lost_bridges"], n["conferences"]}
	}
	assert.Equal(t, [4]float64{3, 2, 2, 9}, counts())
	now.Advance(30 * time.Second)
	assert.Equal(t, [4]float64{4, 3, 2, 10}, counts())
	joined := "\njitsi_jicofo_bridge_endpoints{jvb=\"jvbbrewery@internal.example.org/jvb4\",} 40.0\n"
	assert.Contains(t, askWell(t, server, metricsPath, typeText), joined)
	now.Advance(60 * time.Second)
	assert.Equal(t, [4]float64{3, 2, 3, 9}, counts())
	assert.NotContains(t, askWell(t, server, metricsPath, typeText), joined)
	now.Advance(60 * time.Second)
	assert.Contains(t, askWell(t, server, metricsPath, typeText), `org/jvb5",} 18.0`)
	sizes := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
	assert.InDelta(t, 3, sizes["conference_sizes.buckets.3_to_5"], 0)
	assert.InDelta(t, 67, sizes["conference_sizes.total_value"], 0)
	assert.InDelta(t, 10, sizes["conference_sizes.total_count"], 0)

	require.NoError(t, server.SetFault(emulator.Restart))
	assert.Equal(t, [4]float64{3, 2, 0, 0}, counts())
	assert.Contains(t, askWell(t, server, jicofoStatsPath, ""), `"p99_upper_bound":-1,`)
	assert.NotRegexp(t, `(?m)^jitsi_jicofo_\w+_total(\{.*\})? 0*[1-9]`, askWell(t, server, metricsPath, typeText))
}

func TestJigasiLife(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJigasi, JigasiOptions{Moving: true, Now: now.Now})
	now.Advance(45 * time.Second)
	stats := askWell(t, server, jigasiStatsPath, "")
	for _, member := range []string{
		`"conferences":4,`, `"participants":21,`, `"stress_level":0.04,`, `"total_participants":816,`, `"total_transcriber_started":13,`,
		`"conference_sizes":[0,0,0,0,2,0,1,1,`,
	} {
		assert.Contains(t, stats, member)
	}
	assert.Contains(t, askWell(t, server, metricsPath, typeText), "\njitsi_jigasi_total_participants_total 816.0\n")
	require.NoError(t, server.SetFault(emulator.Restart))
	stats = askWell(t, server, jigasiStatsPath, "")
	assert.Contains(t, stats, `"total_participants":0,`)
	assert.Contains(t, stats, `"threads":88,`)
}

func TestJibriLife(t *testing.T) {
	now := emulatortest.NewClock()
	server := emulatortest.Start(t, NewJibri, JibriOptions{Moving: true, Metrics: true, Now: now.Now})
	idle, busy := capture(t, "jibri/health.idle.json"), capture(t, "jibri/health.busy.constructed.json")
	assert.Equal(t, idle, askWell(t, server, jibriHealthPath, ""))
	assert.Contains(t, askWell(t, server, metricsPath, typeText), "\njitsi_jibri_recording 0.0\n")
	now.Advance(30 * time.Second)
	assert.Equal(t, busy, askWell(t, server, jibriHealthPath, ""))
	page := askWell(t, server, metricsPath, typeText)
	assert.Contains(t, page, "\njitsi_jibri_sessions_started_total 32.0\n")
	assert.Contains(t, page, "\njitsi_jibri_recording 1.0\n")
	now.Advance(60 * time.Second)
	assert.Equal(t, idle, askWell(t, server, jibriHealthPath, ""))
	assert.Contains(t, askWell(t, server, metricsPath, typeText), "\njitsi_jibri_sessions_stopped_total 31.0\n")
	require.NoError(t, server.SetFault(emulator.Restart))
	assert.Contains(t, askWell(t, server, metricsPath, typeText), "\njitsi_jibri_sessions_started_total 0.0\n")
}
