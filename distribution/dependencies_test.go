// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
)

// TestDependencies checks that each go.mod says in a comment what a dependency is for, except for the modules of the collector itself.
// make lint finds those that are not used.
func TestDependencies(t *testing.T) {
	t.Parallel()
	for _, directory := range []string{"..", "../internal/comparison", "../internal/dashboards", "../internal/manifests"} {
		file := filepath.Join(directory, "go.mod")
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		module, err := modfile.ParseLax(file, content, nil)
		require.NoError(t, err)
		require.NotEmpty(t, module.Require)
		for _, requirement := range module.Require {
			path := requirement.Mod.Path
			if !requirement.Indirect && !strings.HasPrefix(path, "go.opentelemetry.io/collector/") {
				assert.NotEmpty(t, requirement.Syntax.Suffix, "%s: %s", file, path)
			}
		}
	}
}
