// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receivertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ExpectedScript requires that testdata/expected.py of the package under test prints the table testdata/expected.tsv. The script
// computes the values from the captured answers and shares no code with the receiver.
func ExpectedScript(t *testing.T) {
	t.Helper()
	expectedScript(t.Context(), t)
}

func expectedScript(ctx context.Context, t *testing.T) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		stop := t.Skip
		if os.Getenv("CI") == "1" {
			stop = t.Fatal
		}
		stop("python3 is not installed: run make test-deps")
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, python, filepath.Join("testdata", "expected.py")) //nolint:gosec // a script of this repository
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	want, err := os.ReadFile(filepath.Join("testdata", "expected.tsv"))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "update expected.tsv: python3 testdata/expected.py >testdata/expected.tsv")
}
