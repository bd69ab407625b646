// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
)

// TestOverview checks the pages of the overview for a server that is up, and then down. No secret may be on them.
func TestOverview(t *testing.T) {
	t.Parallel()
	const streams = 25
	server := startZLMediaKit(t, zlmediakit.Options{Streams: streams})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("zlmediakit.yaml"), often)
	target := c.Overview + "target?" + url.Values{"job": {"zlmediakit"}, "instance": {instance(t, server)}}.Encode()
	var fleet, one string
	eventually(t, func(ct *assert.CollectT) {
		fleet, one = fetch(ct, c.Overview), fetch(ct, target)
		assert.Contains(ct, fleet, "1 of 1 server up.")
		assert.Contains(ct, fleet, fmt.Sprintf("%d streams ", streams))
		assert.Contains(ct, one, fmt.Sprintf("%d streams</span>", streams))
	})
	server.Close()
	eventually(t, func(ct *assert.CollectT) {
		fleet += fetch(ct, c.Overview)
		assert.Contains(ct, fleet, "0 of 1 server up, 1 down.")
		assert.Contains(ct, fleet, ">connection<")
	})
	for _, page := range []string{fleet, one} {
		assert.NotContains(t, page, secret)
		assert.NotContains(t, page, url.QueryEscape(secret))
	}
	status, _, err := get(c.Overview + "metrics")
	require.NoError(t, err)
	assert.Equal(t, http.StatusNotFound, status)
	c.Stop(t)
}
