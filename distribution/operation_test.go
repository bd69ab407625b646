// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// A server that is dead from the start: the collector is well, and its log says what to check.
func TestDeadTarget(t *testing.T) {
	t.Parallel()
	endpoint := "http://" + freeAddress(t)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + endpoint}, shipped("prometheus.yaml"), often)
	eventually(t, func(ct *assert.CollectT) {
		assert.Equal(ct, []float64{0}, scrapePage(ct, c).values("rtc_target_up", nil))
	})
	status := fetch(t, c.Status+"?verbose")
	assert.Contains(t, status, `{"healthy":true,"status":"StatusRecoverableError","error":"`)
	assert.NotContains(t, status, `"healthy":false`)
	complaint := ""
	for line := range strings.Lines(c.Log()) {
		if strings.Contains(line, "\terror\t") {
			complaint = line
			break
		}
	}
	for _, part := range []string{
		"Error scraping metrics", "getThreadsLoad", endpoint, "connection refused",
		"check that the server runs and that the setting endpoint names its host and port",
	} {
		assert.Contains(t, complaint, part)
	}
	c.Stop(t)
}

// verbose is laid over a configuration to let the collector tell all it can: its spans go to the log too.
const verbose = `yaml:
exporters:
  debug: {verbosity: detailed}
extensions:
  healthcheckv2: {http: {status: {path: /status}, config: {enabled: true, path: /config}}}
service:
  extensions: [healthcheckv2, zpages]
  pipelines: {metrics: {exporters: [prometheus, debug]}}
  telemetry:
    logs: {level: debug}
    traces: {processors: [{simple: {exporter: {console: {}}}}]}
`

// The secret is on no page and in no line of the log, whatever the server answers.
func TestSecretStaysInside(t *testing.T) {
	t.Parallel()
	server := zlmediakit(t, emulator.ZLMediaKit{})
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("prometheus.yaml"), often, verbose)
	for _, step := range []struct{ fault, logged string }{
		{"", "-> Name: zlmediakit.stream.io"},
		{"", `"Name": "scraper/zlmediakit/ScrapeMetrics"`},
		{"wrong_secret", "check the setting secret"},
		{"status_500", "HTTP status 500"},
		{"html_404", "HTTP status 404 Not Found with an HTML page"},
		{"redirect_elsewhere", "redirect to another host"},
		{"hang", "no complete answer in time"},
	} {
		require.NoError(t, server.SetFault(step.fault))
		eventually(t, func(ct *assert.CollectT) {
			if !strings.Contains(c.Log(), step.logged) { // Contains of assert would print the log each time
				assert.Fail(ct, "not in the log: "+step.logged)
			}
		})
	}
	pages := []string{c.Page, c.Telemetry, c.Status + "?verbose", strings.Replace(c.Status, "/status", "/config", 1)}
	for _, page := range []string{"servicez", "pipelinez", "extensionz", "featurez", "tracez?zspanname=scraper/zlmediakit/ScrapeMetrics&ztype=2"} {
		pages = append(pages, c.ZPages+page)
	}
	for _, url := range pages {
		page := fetch(t, url)
		assert.NotEmpty(t, page, url)
		rtctest.NoSecret(t, secret, page)
	}
	c.Stop(t)
	rtctest.NoSecret(t, secret, c.Log())
}

// A scrape that hangs does not keep the collector from ending: its timeout does it.
func TestStopDuringScrape(t *testing.T) {
	t.Parallel()
	const timeout, slack = 3 * time.Second, 3 * time.Second
	server := zlmediakit(t, emulator.ZLMediaKit{})
	require.NoError(t, server.SetFault("hang"))
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL()}, shipped("prometheus.yaml"), soon, `yaml:
receivers:
  zlmediakit: {timeout: `+timeout.String()+`}
`)
	eventually(t, func(ct *assert.CollectT) { assert.NotEmpty(ct, server.Requests()) })
	asked := time.Now()
	c.Stop(t)
	assert.Less(t, time.Since(asked), timeout+slack)
}
