// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// promtool runs promtool, which make test-deps builds, and checks that it finds no error.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	path := filepath.Join(cache, "otelcol-rtc", "prometheus-"+prometheusVersion(t), "promtool")
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v: run make test-deps", err)
		}
		t.Skipf("%v: run make test-deps", err)
	}
	output, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
	assert.NoError(t, err, string(output))
}

// prometheusVersion returns the version of Prometheus that this module requires.
func prometheusVersion(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	match := regexp.MustCompile(`github\.com/prometheus/prometheus (v\S+)`).FindSubmatch(text)
	require.NotNil(t, match)
	return string(match[1])
}

// TestCheckRules runs promtool check rules.
func TestCheckRules(t *testing.T) {
	promtool(t, append([]string{"check", "rules", "--lint-fatal"}, glob(t, "*.yaml")...)...)
}

// TestRules runs the tests of the rules.
func TestRules(t *testing.T) {
	for _, file := range glob(t, "tests/*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			promtool(t, "test", "rules", file)
		})
	}
}
