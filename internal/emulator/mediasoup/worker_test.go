// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

// TestWorkerDies checks that the mortal worker dies with its two rooms, and that another one replaces it.
func TestWorkerDies(t *testing.T) {
	now := emulatortest.NewClock()
	server := startAgent(t, AgentOptions{Consumers: 400, Moving: true, Life: 1, Now: now.Now})
	start := now.Now().UnixMilli()
	for _, moment := range []struct {
		minute                 int
		ids                    []string
		created, died, routers int // routers of the third worker
	}{
		{0, []string{"0", "1", "2"}, 3, 0, 2},
		{5, []string{"0", "1", "2"}, 3, 0, 1}, // the other room is empty
		{6, []string{"0", "1"}, 3, 1, 0},
		{7, []string{"0", "1", "3"}, 4, 1, 2},
		{13, []string{"0", "1"}, 4, 2, 0},
		{14, []string{"0", "1", "4"}, 5, 2, 2},
	} {
		now.Advance(time.UnixMilli(start).Add(time.Duration(moment.minute) * time.Minute).Sub(now.Now()))
		s := readSnapshot(t, server, "")
		assertWhole(t, &s)
		var ids []string
		for _, worker := range s.Workers {
			ids = append(ids, worker.ID)
		}
		assert.Equal(t, moment.ids, ids, moment.minute)
		assert.Equal(t, moment.created, s.Counters["workersCreated"], moment.minute)
		assert.Equal(t, moment.died, s.Counters["workersDied"], moment.minute)
		assert.Len(t, s.Workers, s.Counters["workersCreated"]-s.Counters["workersDied"])
		routers := 0
		for _, router := range s.Routers {
			if len(ids) == 3 && router.WorkerID == ids[2] {
				routers++
			}
		}
		assert.Equal(t, moment.routers, routers, moment.minute)
		if moment.minute == 7 {
			assert.Equal(t, start+7*60_000, s.Workers[2].StartTimeUnixMs)
			assert.Zero(t, s.Workers[2].ResourceUsage["ru_utime"])
		}
	}
	require.NoError(t, server.SetFault(emulator.Restart))
	s := readSnapshot(t, server, "")
	assert.Equal(t, "2", s.Workers[2].ID)
	assert.Zero(t, s.Counters["workersDied"])
	assertWhole(t, &s)
}
