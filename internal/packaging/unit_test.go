// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unitFile = "../../distribution/packaging/otelcol-rtc.service"

// exposure matches the last line of systemd-analyze security.
var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`)

// TestExposure checks that the unit has at most the exposure 2.0 in the rating of systemd, from 0 to 10.
func TestExposure(t *testing.T) {
	t.Parallel()
	score := exposure.FindStringSubmatch(output(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unitFile))
	require.NotNil(t, score)
	value, err := strconv.ParseFloat(score[1], 64)
	require.NoError(t, err)
	t.Logf("exposure %.1f", value)
	assert.LessOrEqual(t, value, 2.0)
}

// TestMemory checks that the limits of the unit are in proportion.
func TestMemory(t *testing.T) {
	t.Parallel()
	unit := settings(t, unitFile)
	limit, err := strconv.Atoi(strings.TrimSuffix(unit["MemoryMax"][0], "M"))
	require.NoError(t, err)
	assert.Equal(t, []string{"GOMEMLIMIT=" + strconv.Itoa(limit*80/100) + "MiB"}, unit["Environment"])
}

// TestSystemCalls checks that a collector that scrapes the host and a server uses only system calls that the unit allows.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	output(t, "strace", "--version")
	allowed := map[string]bool{}
	for name := range systemCalls(t, "@default") {
		allowed[name] = true
	}
	for _, filter := range settings(t, unitFile)["SystemCallFilter"] {
		denied, isDenied := strings.CutPrefix(filter, "~")
		for set := range strings.FieldsSeq(denied) {
			for name := range systemCalls(t, set) {
				allowed[name] = !isDenied
			}
		}
	}
	built(t, "*_amd64.deb") // make package has built the collector, too
	// With -D, the collector is the process that is started and stopped, and strace its child.
	trace := filepath.Join(t.TempDir(), "trace")
	c := startCollector(t, []string{"ZLMEDIAKIT_SECRET=" + secret, "ZLMEDIAKIT_ENDPOINT=" + startEmulator(t)}, "strace", []string{
		"-D", "-f", "-qq", "-o", trace, "../../bin/linux/amd64/otelcol-rtc", "--config", "../../distribution/config/base.yaml",
		"--config", "../../distribution/packaging/config.yaml", "--config", "../../distribution/config/zlmediakit.yaml",
	})
	c.await(t, zlmediakitUp)
	c.await(t, "system_memory_usage_bytes")
	fetch(t, c.telemetry)
	c.stop()

	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	used := map[string]bool{}
	for _, call := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		used[call[1]] = true
	}
	assert.Greater(t, len(used), 20)
	for name := range used {
		assert.True(t, allowed[name], name)
	}
}

// systemCalls returns the system calls of a set of systemd, which can contain other sets.
func systemCalls(t *testing.T, set string) map[string]bool {
	t.Helper()
	calls := map[string]bool{}
	for line := range strings.Lines(output(t, "systemd-analyze", "syscall-filter", "--no-pager", set)) {
		name := strings.TrimSpace(line)
		switch {
		case name == set || name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(name, "@"):
			for inner := range systemCalls(t, name) {
				calls[inner] = true
			}
		default:
			calls[name] = true
		}
	}
	return calls
}
