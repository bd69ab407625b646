// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// startTolerance is by how much a start that is derived from an uptime may differ from scrape to scrape, because the uptime
// is told in whole seconds and comes late.
const startTolerance = 5 * time.Second

// Uptime tells when a server started that tells only for how long it has been running. The zero value knows nothing.
type Uptime struct {
	start  pcommon.Timestamp
	uptime float64
}

// Start returns when the server started, 0 when it has not told yet. It stays the same until the server starts again.
func (u *Uptime) Start() pcommon.Timestamp { return u.start }

// Update takes the uptime of a scrape, in seconds, and reports whether the server has started again since the last one.
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
