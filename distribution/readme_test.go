// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeCommands runs the commands of README.md that start a collector, and checks that there are no commands that no test runs.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	pages, err := documents()
	require.NoError(t, err)
	script, err := os.ReadFile("run.sh")
	require.NoError(t, err)
	printed := strings.NewReplacer("$page", "127.0.0.1:9464", "$example", "127.0.0.1:18080").Replace(string(script))
	var collectors []string
	for _, b := range pages["README.md"].blocks {
		switch {
		case b.language == "console":
			for line := range strings.Lines(b.text) {
				if command, isCommand := strings.CutPrefix(line, "$ "); isCommand {
					assert.Contains(t, printed, command, "TestRun runs what run.sh prints")
				}
			}
		case b.language != "sh":
		case strings.Contains(b.text, "otelcol-rtc --config"):
			collectors = append(collectors, b.text)
		case strings.Contains(b.text, "make run"): // TestRun, and .ci/run
			assert.Equal(t, 2, strings.Count(b.text, "\n"), b.text)
		default: // TestInstructions of internal/packaging
			assert.Contains(t, b.text, "apt install ")
		}
	}
	require.Len(t, collectors, 1)
	validate(t, collectors[0])
}

// validate runs shell commands in the directory of the configurations, with a collector that validates its configuration and exits.
func validate(t *testing.T, commands string) {
	t.Helper()
	collector, err := binary()
	require.NoError(t, err)
	folder := t.TempDir()
	stub := fmt.Sprintf("#!/bin/sh\nexec %q validate \"$@\"\n", collector)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "otelcol-rtc"), []byte(stub), 0o755))
	shell := exec.CommandContext(t.Context(), "sh", "-euc", commands)
	shell.Dir = "config"
	shell.Env = []string{"PATH=" + folder + ":" + os.Getenv("PATH")}
	output, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", output)
	assert.Empty(t, output)
}
