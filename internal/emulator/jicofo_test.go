// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJicofoVersions(t *testing.T) {
	for version, sample := range jicofoSamples {
		server := startJitsi(t, NewJicofo, Jicofo{Version: version})
		assert.Equal(t, readJitsi(t, "jicofo/stats."+sample.stats+".json"), askWell(t, server, jicofoStatsPath, ""))
	}
	_, err := NewJicofo(Jicofo{Version: "1999"})
	assert.ErrorContains(t, err, "nothing was captured of version")
}

func TestJicofoBridges(t *testing.T) {
	for _, bridges := range []int{1, 3, 4, 500} {
		server := startJitsi(t, NewJicofo, Jicofo{Bridges: bridges})
		page := askWell(t, server, metricsPath, jitsiText)
		assert.Equal(t, bridges, strings.Count(page, "\njitsi_jicofo_bridge_endpoints{jvb=\"jvbbrewery@internal.example.org/jvb"))
		assert.Equal(t, (bridges+2)/3, strings.Count(page, "\njitsi_jicofo_bridge_restart_requests_total{"), "only the first of three has this series")
		assert.Contains(t, page, "\njitsi_jicofo_bridge_selector_bridge_count "+javaDouble(float64(bridges))+"\n")
		numbers := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
		assert.InDelta(t, bridges, numbers["bridge_selector.bridge_count"], 0)
	}
}

// A bridge joins and leaves, and the next one has a new name.
func TestJicofoLife(t *testing.T) {
	now := newClock()
	server := startJitsi(t, NewJicofo, Jicofo{Moving: true, Now: now.Now})
	counts := func() [4]float64 {
		n := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
		return [4]float64{n["bridge_selector.bridge_count"], n["bridge_selector.operational_bridge_count"], n["bridge_selector.lost_bridges"], n["conferences"]}
	}
	assert.Equal(t, [4]float64{3, 2, 2, 9}, counts())
	now.advance(30 * time.Second)
	assert.Equal(t, [4]float64{4, 3, 2, 10}, counts())
	joined := "\njitsi_jicofo_bridge_endpoints{jvb=\"jvbbrewery@internal.example.org/jvb4\",} 40.0\n"
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), joined)
	now.advance(60 * time.Second)
	assert.Equal(t, [4]float64{3, 2, 3, 9}, counts())
	assert.NotContains(t, askWell(t, server, metricsPath, jitsiText), joined)
	now.advance(60 * time.Second)
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), `org/jvb5",} 18.0`)
	sizes := numbersOf(t, askWell(t, server, jicofoStatsPath, ""))
	assert.InDelta(t, 3, sizes["conference_sizes.buckets.3_to_5"], 0)
	assert.InDelta(t, 67, sizes["conference_sizes.total_value"], 0)
	assert.InDelta(t, 10, sizes["conference_sizes.total_count"], 0)

	require.NoError(t, server.SetFault(restart))
	assert.Equal(t, [4]float64{3, 2, 0, 0}, counts())
	assert.Contains(t, askWell(t, server, jicofoStatsPath, ""), `"p99_upper_bound":-1,`)
	assert.NotRegexp(t, `(?m)^jitsi_jicofo_\w+_total(\{.*\})? 0*[1-9]`, askWell(t, server, metricsPath, jitsiText))
}

func TestJigasiLife(t *testing.T) {
	now := newClock()
	server := startJitsi(t, NewJigasi, Jigasi{Moving: true, Now: now.Now})
	now.advance(45 * time.Second)
	stats := askWell(t, server, jigasiStatsPath, "")
	for _, member := range []string{
		`"conferences":4,`, `"participants":21,`, `"stress_level":0.04,`, `"total_participants":816,`, `"total_transcriber_started":13,`,
		`"conference_sizes":[0,0,0,0,2,0,1,1,`,
	} {
		assert.Contains(t, stats, member)
	}
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), "\njitsi_jigasi_total_participants_total 816.0\n")
	require.NoError(t, server.SetFault(restart))
	stats = askWell(t, server, jigasiStatsPath, "")
	assert.Contains(t, stats, `"total_participants":0,`)
	assert.Contains(t, stats, `"threads":88,`)
}

func TestJibriLife(t *testing.T) {
	now := newClock()
	server := startJitsi(t, NewJibri, Jibri{Moving: true, Metrics: true, Now: now.Now})
	idle, busy := readJitsi(t, "jibri/health.idle.json"), readJitsi(t, "jibri/health.busy.constructed.json")
	assert.Equal(t, idle, askWell(t, server, jibriHealthPath, ""))
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), "\njitsi_jibri_recording 0.0\n")
	now.advance(30 * time.Second)
	assert.Equal(t, busy, askWell(t, server, jibriHealthPath, ""))
	page := askWell(t, server, metricsPath, jitsiText)
	assert.Contains(t, page, "\njitsi_jibri_sessions_started_total 32.0\n")
	assert.Contains(t, page, "\njitsi_jibri_recording 1.0\n")
	now.advance(60 * time.Second)
	assert.Equal(t, idle, askWell(t, server, jibriHealthPath, ""))
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), "\njitsi_jibri_sessions_stopped_total 31.0\n")
	require.NoError(t, server.SetFault(restart))
	assert.Contains(t, askWell(t, server, metricsPath, jitsiText), "\njitsi_jibri_sessions_started_total 0.0\n")
}
