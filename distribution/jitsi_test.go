// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
)

// oftenJitsi overrides the shipped configuration for fast tests, and adds the other two components.
const oftenJitsi = `yaml:
receivers:
  jitsi:
    jigasi: {endpoint: "${env:JIGASI_ENDPOINT}"}
    jibri: {endpoint: "${env:JIBRI_ENDPOINT}"}
    collection_interval: 1s
    timeout: 1s
    initial_delay: 1ms
`

// jitsiOnPage lists documented series. The values were read with jq and grep from testdata/jitsi.
var jitsiOnPage = []struct {
	name   string
	labels labels
	value  float64
}{
	{"rtc_target_up", labels{"job": "jitsi-videobridge"}, 1},
	{"rtc_target_up", labels{"job": "jitsi-jicofo"}, 1},
	{"rtc_target_up", labels{"job": "jitsi-jigasi"}, 1},
	{"rtc_target_up", labels{"job": "jitsi-jibri"}, 1},
	{"jitsi_jvb_conference_count", nil, 8},
	{"jitsi_jvb_conference_count_by_size", labels{"jitsi_conference_size": "21+"}, 1},
	{"jitsi_jvb_conference_creations_total", nil, 913},
	{"jitsi_jvb_stress_ratio", nil, 0.26216},
	{"jitsi_jvb_network_throughput_bytes_per_second", labels{"jitsi_peer": "relay", "network_io_direction": "receive"}, 526625},
	{"jitsi_jvb_network_io_bytes_total", labels{"jitsi_peer": "endpoint", "network_io_direction": "transmit"}, 5012312345123},
	{"jitsi_jvb_round_trip_time_average_seconds", nil, 0.06175},
	{"jitsi_jicofo_bridge_operational_count", nil, 2},
	{"jitsi_jicofo_bridge_endpoint_count", labels{"jitsi_bridge_id": "jvbbrewery@internal.example.org/jvb1"}, 40},
	{"jitsi_jigasi_participant_count", nil, 17},
	{"jitsi_jibri_state", labels{"jitsi_jibri_state": "idle"}, 1},
	{"jitsi_jibri_state", labels{"jitsi_jibri_state": "busy"}, 0},
}

// TestJitsi checks that the four components are independent targets on one page while one of them is down.
func TestJitsi(t *testing.T) {
	t.Parallel()
	servers := map[string]*emulator.Server{}
	var env []string
	for name, start := range map[string]func() (*emulator.Server, error){
		"JVB":    func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{}) },
		"JICOFO": func() (*emulator.Server, error) { return jitsi.NewJicofo(jitsi.JicofoOptions{}) },
		"JIGASI": func() (*emulator.Server, error) { return jitsi.NewJigasi(jitsi.JigasiOptions{}) },
		"JIBRI":  func() (*emulator.Server, error) { return jitsi.NewJibri(jitsi.JibriOptions{}) },
	} {
		server, err := start()
		require.NoError(t, err)
		t.Cleanup(server.Close)
		servers[name] = server
		env = append(env, name+"_ENDPOINT="+server.URL())
	}
	c := start(t, env, shipped("jitsi.yaml"), oftenJitsi)
	check := func() {
		t.Helper()
		eventually(t, func(ct *assert.CollectT) {
			page := scrapePage(ct, c)
			for _, want := range jitsiOnPage {
				if got := page.values(want.name, want.labels); assert.Len(ct, got, 1, "%s%v", want.name, want.labels) {
					assert.InDelta(ct, want.value, got[0], 1e-9, "%s%v", want.name, want.labels)
				}
			}
		})
	}
	check()
	assert.Empty(t, complaints(c))
	require.NoError(t, servers["JVB"].SetFault("refuse"))
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Equal(ct, []float64{0}, page.values("rtc_target_up", labels{"job": "jitsi-videobridge"}))
		assert.Equal(ct, []float64{1}, page.values("rtc_target_up", labels{"job": "jitsi-jicofo"}))
		assert.Empty(ct, page["jitsi_jvb_conference_count"])
	})
	assert.Contains(t, complaints(c), "/metrics of "+servers["JVB"].URL()+": connect: connection refused")
	require.NoError(t, servers["JVB"].SetFault(""))
	check()
	c.Stop(t)
}
