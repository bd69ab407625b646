// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailio

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// numbers converts the numbers of a reply.
func numbers(t *testing.T, w wire, call string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for name, text := range members(t, w, call) {
		all[name], _ = strconv.Atoi(text) // 0 for the negative statistic
	}
	return all
}

// TestTraffic checks the load on top of the counters that grow with the uptime, which is 7 times the captured 14 s after 84 s.
func TestTraffic(t *testing.T) {
	now := emulatortest.NewClock()
	w := talk(t, startCtl(t, CtlOptions{Moving: true, Life: 1, Now: now.Now}))
	now.Advance(84 * time.Second)
	for call, want := range map[string]map[string]int{
		"stats.fetch all": {
			"core.rcv_requests":          7*140 + 75 + 71 + 30 + 225,
			"core.rcv_requests_ack":      7*21 + 71,
			"core.rcv_requests_bye":      7*10 + 30,
			"core.rcv_requests_invite":   7*21 + 75,
			"core.rcv_requests_register": 7*5 + 225,
			"core.rcv_replies_2xx":       7*35 + 71 + 30,
			"dialog.active_dialogs":      3 + 41,
			"dialog.early_dialogs":       4,
			"dialog.processed_dialogs":   7*21 + 75,
			"registrar.accepted_regs":    7*5 + 225,
			"usrloc.location_expires":    40,
			"usrloc.registered_users":    5 + 185,
		},
		"tm.stats":         {"total": 7*53 + 75 + 30, "current": 18 + 4, "waiting": 16},
		"dlg.stats_active": {"starting": 0, "connecting": 4, "answering": 0, "ongoing": 3 + 41, "all": 3 + 4 + 41},
	} {
		found := numbers(t, w, call)
		for name, value := range want {
			assert.Equal(t, value, found[name], "%s of %s", name, call)
		}
	}
}

// TestTrafficAddsUp checks that totals equal the sums of their parts and that counters only grow, also after a restart.
func TestTrafficAddsUp(t *testing.T) {
	now := emulatortest.NewClock()
	server := startCtl(t, CtlOptions{Moving: true, Life: 3, Now: now.Now})
	still := numbers(t, talk(t, startCtl(t, CtlOptions{})), "stats.fetch all")
	var methods []string
	for name := range still {
		if strings.HasPrefix(name, "core.rcv_requests_") {
			methods = append(methods, name)
		}
	}
	require.Len(t, methods, 14)
	methods = append(methods, "core.unsupported_methods")
	for _, restarted := range []bool{false, true} {
		if restarted {
			require.NoError(t, server.SetFault(emulator.Restart))
		}
		w, before := talk(t, server), map[string]int{}
		for range 40 {
			found := numbers(t, w, "stats.fetch all")
			sum := 0
			for _, name := range methods {
				sum += found[name]
			}
			assert.Equal(t, found["core.rcv_requests"], sum)
			assert.Equal(t, found["usrloc.registered_users"], found["usrloc.location_users"])
			for name, value := range found {
				if counterPatterns["stats.fetch"].MatchString(name) {
					require.GreaterOrEqual(t, value, before[name], name)
				}
			}
			before = found
			now.Advance(14 * time.Second) // the captured uptime, so that no fraction is cut off
		}
	}
}

func TestRTPEngineTraffic(t *testing.T) {
	now := emulatortest.NewClock()
	_, page := startRTPEngine(t, RTPEngineOptions{Moving: true, Life: 1, Now: now.Now})
	now.Advance(687 * time.Second) // twice the captured uptime
	moved := page()
	for _, line := range []string{
		`rtpengine_sessions{type="own"} 55`,
		"rtpengine_sessions_total 429",
		`rtpengine_closed_sessions_total{reason="terminated"} 417`, // and 12 after a timeout
		"rtpengine_call_duration_total 33084.091546",
		"rtpengine_call_duration_avg 77.119095",
		`rtpengine_mediastreams{type="kernel"} 94`,
		`rtpengine_packets_total{type="kernel"} 3112100`,
		`rtpengine_bytes_total{type="kernel"} 535281200`,
		`rtpengine_requests_total{proxy="127.0.0.1",request="offer"} 490`,
		`rtpengine_ports_used{name="default",address="127.0.0.1"} 220`,
		`rtpengine_ports_free{name="default",address="127.0.0.1"} 181`,
		`rtpengine_ports{name="default",address="127.0.0.1"} 401`,
	} {
		assert.Contains(t, moved, "\n"+line+"\n")
	}
}
