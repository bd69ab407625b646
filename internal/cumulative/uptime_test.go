// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestUptime(t *testing.T) {
	at := func(s int) pcommon.Timestamp { return pcommon.NewTimestampFromTime(time.Unix(int64(s), 0)) }
	var u Uptime
	for _, tt := range []struct {
		now, start int
		uptime     float64
		moved      bool
	}{
		{1000, 900, 100, false}, // the first
		{1010, 900, 108, false}, // late
		{1020, 900, 125, false}, // early
		{1030, 1029, 1, true},   // restarted
		{1031, 1031, 0, true},   // restarted again
		{1100, 1040, 60, true},  // the clock was adjusted
	} {
		assert.Equal(t, tt.moved, u.Update(tt.uptime, at(tt.now)), tt.now)
		assert.Equal(t, at(tt.start), u.Start(), tt.now)
	}
}
