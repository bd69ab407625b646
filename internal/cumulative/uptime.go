// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// startTolerance is the maximum difference between start times derived from uptimes of the same process. They differ because
// uptimes are reported in whole seconds and with a delay.
const startTolerance = 5 * time.Second

// Uptime derives the start time of a server from its uptime. The zero value is ready to use.
type Uptime struct {
	start  pcommon.Timestamp
	uptime float64
}

// Start returns the start time, or 0 before the first Update. It changes only when the server restarts.
func (u *Uptime) Start() pcommon.Timestamp { return u.start }

// Update takes the current uptime in seconds and reports whether the start time has moved since the last call.
func (u *Uptime) Update(uptime float64, now pcommon.Timestamp) (moved bool) {
	start := min(now, pcommon.NewTimestampFromTime(now.AsTime().Add(-time.Duration(uptime*float64(time.Second)))))
	difference := start.AsTime().Sub(u.start.AsTime()).Abs()
	first := u.start == 0
	moved = !first && (uptime < u.uptime || difference > startTolerance)
	if first || moved {
		u.start = start
	}
	u.uptime = uptime
	return moved
}
