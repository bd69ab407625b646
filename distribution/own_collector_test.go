// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

const ownConfiguration = `
receivers:
  zlmediakit: {endpoint: "${env:ZLMEDIAKIT_ENDPOINT}", secret: "${env:ZLMEDIAKIT_SECRET}", initial_delay: 1ms}
exporters:
  otlp_http: {endpoint: "${env:BACKEND}"}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [zlmediakit], exporters: [otlp_http]}
`

// TestOwnCollector builds a collector from the manifest of own-collector.md, in a directory of its own, and scrapes a server with it. The
// module comes from this repository instead of its release.
func TestOwnCollector(t *testing.T) {
	page, err := os.ReadFile("own-collector.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, block)
	repository, err := filepath.Abs("..")
	require.NoError(t, err)
	manifest := regexp.MustCompile(`(?m)^    import: github\.com/otelcol-rtc/.*$`).
		ReplaceAllString(string(block[1]), "$0\n    path: "+repository)
	require.Equal(t, 5, strings.Count(manifest, repository))
	directory := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(directory, "my-collector.yaml"), []byte(manifest), 0o600))

	builder, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "-modfile=../internal/tools/go.mod", "builder").Output()
	require.NoError(t, err)
	build := exec.CommandContext(t.Context(), strings.TrimSpace(string(builder)), "--config", "my-collector.yaml")
	build.Dir = directory
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)

	address := freeAddress(t)
	sink := backend(t, address)
	require.NoError(t, os.WriteFile(filepath.Join(directory, "config.yaml"), []byte(ownConfiguration), 0o600))
	collector := exec.CommandContext(t.Context(), filepath.Join(directory, "my-collector", "my-collector"), "--config", "config.yaml")
	collector.Dir = directory
	collector.Env = []string{
		"ZLMEDIAKIT_ENDPOINT=" + startZLMediaKit(t, zlmediakit.Options{}).URL(), "BACKEND=http://" + address, "ZLMEDIAKIT_SECRET=" + secret,
	}
	require.NoError(t, collector.Start())
	eventually(t, func(ct *assert.CollectT) {
		require.NotEmpty(ct, sink.AllMetrics())
		assert.InDelta(ct, 1, rtctest.Points(t, sink.AllMetrics()[0])["rtc.target.up{}"], 0)
	})
	require.NoError(t, collector.Process.Kill())
	_ = collector.Wait()
}
