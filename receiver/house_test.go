// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// planted is a package whose files import packages that they must not.
const planted = "./testdata/receiver/plantedreceiver"

// TestWall checks that the linter reports every forbidden import.
func TestWall(t *testing.T) {
	lint := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../internal/tools/go.mod", "golangci-lint", "run", "--allow-parallel-runners",
		"--config", "../.golangci.yml", "--enable-only", "depguard", "--output.text.print-issued-lines=false", "--output.text.colors=false", planted)
	text, err := lint.CombinedOutput()
	require.Error(t, err, "%s", text)
	notAllowed := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^\S*?(\w+\.go):\d+:\d+: import '(\S+)' is not allowed`).FindAllSubmatch(text, -1) {
		notAllowed[string(found[1])+" "+string(found[2])] = true
	}
	var want []string
	for _, file := range []string{"config.go", "record_streams.go", "rows.go", "scraper.go"} {
		for _, wire := range []string{"encoding/json", "github.com/otelcol-rtc/otelcol-rtc/internal/jsonwalk", "net/http"} {
			want = append(want, file+" "+wire)
		}
	}
	want = append(want, "client_streams.go go.opentelemetry.io/collector/pdata/pmetric")
	slices.Sort(want)
	assert.Equal(t, want, slices.Sorted(maps.Keys(notAllowed)), "%s", text)
}

// receiverFile matches the files that a receiver may have.
var receiverFile = regexp.MustCompile(`^(config|factory|doc|scraper|(client|rows)(_\w+)?|record_\w+|generated_\w+|\w+_test)\.go$`)

// TestFiles checks that all receivers have the same files.
func TestFiles(t *testing.T) {
	for _, folder := range receivers(t) {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".go" {
				assert.Regexp(t, receiverFile, e.Name(), folder)
			}
		}
		for _, file := range []string{"metadata.yaml", "config.go", "factory.go", "doc.go", "client.go", "rows.go", "scraper.go", "README.md", "documentation.md"} {
			assert.FileExists(t, filepath.Join(folder, file))
		}
	}
}

// TestOnlyRowsRecord checks that only rows use the methods of the builder, so that a rows.Point sets the start time of each data
// point.
func TestOnlyRowsRecord(t *testing.T) {
	for _, folder := range receivers(t) {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if name := filepath.Base(file); strings.HasPrefix(name, "rows") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				if e, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(e.Sel.Name, "Record") && strings.HasSuffix(e.Sel.Name, "DataPoint") {
					assert.Fail(t, "a method of the builder outside of rows", "%s: %s", file, e.Sel.Name)
				}
				return true
			})
		}
	}
}

// receivers returns the directories of all receivers.
func receivers(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("*receiver")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	return folders
}
