// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
)

// documented returns the configuration on a page that begins with a comment with its name.
func documented(t *testing.T, page, name string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\n# "+name+"\n")
	require.True(t, found, name)
	config, _, found := strings.Cut(rest, "```")
	require.True(t, found, name)
	return "yaml:" + config
}

// TestGateway checks the documented configurations of a collector on a machine of Jitsi that exports to a gateway.
func TestGateway(t *testing.T) {
	t.Parallel()
	const page = "jitsi-at-scale.md"
	bridge, err := jitsi.NewJVB(jitsi.JVBOptions{})
	require.NoError(t, err)
	t.Cleanup(bridge.Close)
	address := freeAddress(t)
	gateway := start(t, []string{"GATEWAY_ADDRESS=" + address}, documented(t, page, "gateway.yaml"))
	machine := start(t, []string{"GATEWAY_ENDPOINT=http://" + address}, documented(t, page, "machine.yaml"), `yaml:
receivers:
  jitsi: {jvb: {endpoint: "`+bridge.URL()+`"}, collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`)
	check := func(up float64, conferences ...float64) {
		t.Helper()
		target := labels{"job": "jitsi-videobridge", "instance": instance(t, bridge)}
		eventually(t, func(ct *assert.CollectT) {
			page := scrapePage(ct, gateway)
			assert.Equal(ct, []float64{up}, page.values("rtc_target_up", target))
			assert.Equal(ct, conferences, page.values("jitsi_jvb_conference_count", target))
		})
	}
	check(1, 8)
	require.NoError(t, bridge.SetFault("refuse"))
	check(0, 8) // the gateway does not know which series have ended until they expire
	machine.Stop(t)
	gateway.Stop(t)
}
