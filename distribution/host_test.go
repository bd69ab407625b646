// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// TestHost checks that host.yaml adds the metrics of the host to the page.
func TestHost(t *testing.T) {
	t.Parallel()
	server := startZLMediaKit(t, zlmediakit.Options{})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("zlmediakit.yaml"), shipped("host.yaml"), `yaml:
receivers:
  host_metrics: {initial_delay: 1ms}
  rtc_host_network: {initial_delay: 1ms}
`)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		for _, name := range []string{"system_cpu_time_seconds_total", "system_memory_utilization_ratio", "system_network_dropped_total"} {
			assert.Contains(ct, page, name)
		}
		assert.Equal(ct, hasDisk(ct), page["system_filesystem_usage_bytes"] != nil)
		ipv4 := labels{"network_type": "ipv4"}
		assert.Len(ct, page.values("rtc_host_network_udp_datagrams_total", ipv4), 2)
		assert.Len(ct, page.values("rtc_host_network_udp_receive_buffer_errors_total", ipv4), 1)
		assert.Len(ct, page.values("rtc_host_network_softnet_dropped_packets_total", nil), 1)
	})
	c.Stop(t)
}

// wholeDisk matches the mount of a disk in mountinfo(5). In a container, only parts of the disks of its host are mounted.
var wholeDisk = regexp.MustCompile(`(?m)^\d+ \d+ \d+:\d+ / .* /dev/`)

func hasDisk(t require.TestingT) bool {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	return wholeDisk.Match(mounts)
}
