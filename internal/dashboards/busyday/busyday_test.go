// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package busyday

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRun checks that the day has its events and that series of a server that is down are stale.
func TestRun(t *testing.T) {
	day, growing := Run(t)
	assert.Len(t, day.Range(t, `min_over_time(rtc_target_up{job="jitsi-videobridge"}[1h]) == 0`), 1, "one bridge was down")
	assert.NotEmpty(t, day.Range(t, `resets(kamailio_uptime_seconds[2m]) > 0`), "Kamailio restarted")
	assert.Len(t, day.At(t, `rtc_target_up == 0`, End), 1)
	assert.Len(t, day.At(t, `jitsi_jvb_stress_ratio offset 2m and on (instance) (rtc_target_up == 0)`, End), 1, "the bridge was up")
	assert.Empty(t, day.At(t, `jitsi_jvb_stress_ratio and on (instance) (rtc_target_up == 0)`, End), "its series are stale")
	still := `rate(otelcol_exporter_send_failed_metric_points[5m])`
	assert.Zero(t, day.At(t, still, End)[0].F)
	assert.InDelta(t, 1, growing.At(t, still, End)[0].F, 1e-9)
}
