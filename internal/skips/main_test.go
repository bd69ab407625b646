// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Output of go test -json for a package p.
const (
	passes = `go vet ./...
{"Action":"start","Package":"github.com/otelcol-rtc/otelcol-rtc/p"}
{"Action":"output","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Output":"-test.shuffle 7\n"}
{"Action":"run","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestA"}
{"Action":"output","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestA","Output":"talk\n"}
{"Action":"pass","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestA","Elapsed":0}
`
	skips = `{"Action":"skip","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestB/sub","Elapsed":0}
`
	fails = `{"Action":"output","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestC","Output":"    c_test.go:1: broken\n"}
{"Action":"fail","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Test":"TestC","Elapsed":0}
`
	ends = `{"Action":"output","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Output":"PASS\n"}
{"Action":"output","Package":"github.com/otelcol-rtc/otelcol-rtc/p","Output":"ok  \tp\t0.1s\n"}
{"Action":"skip","Package":"github.com/otelcol-rtc/otelcol-rtc/untested"}
`
)

func TestRun(t *testing.T) {
	for name, tt := range map[string]struct{ list, in, out, fails string }{
		"all pass": {"", passes + ends, "go vet ./...\nok  \tp\t0.1s\nskipped tests: 0\n", ""},
		"listed": {
			"# comment\n\np TestB a reason\n", passes + skips + ends,
			"go vet ./...\nok  \tp\t0.1s\nskipped tests: 1\n  " + module + "/p TestB/sub: a reason\n", "",
		},
		"unlisted": {
			"q TestB a reason\n", skips + ends,
			"ok  \tp\t0.1s\nskipped tests: 1\n  " + module + "/p TestB/sub: NOT IN THE LIST\n", "1 skipped tests are not in the list",
		},
		"failed":       {"", passes + fails, "go vet ./...\n    c_test.go:1: broken\nskipped tests: 0\n", "tests failed"},
		"no reason":    {"p TestB\n", "", "", `expected a package, a test and a reason: "p TestB"`},
		"other output": {"", "{broken\nno end", "{broken\nno endskipped tests: 0\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			list := filepath.Join(t.TempDir(), "skips.txt")
			require.NoError(t, os.WriteFile(list, []byte(tt.list), 0o600))
			var out strings.Builder
			err := run(list, strings.NewReader(tt.in), &out)
			assert.Equal(t, tt.out, out.String())
			if tt.fails == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.fails)
			}
		})
	}
}

func TestMissingList(t *testing.T) {
	assert.ErrorIs(t, run(filepath.Join(t.TempDir(), "none"), strings.NewReader(""), &strings.Builder{}), os.ErrNotExist)
}

// TestCommittedList checks that the tests in .ci/skips.txt exist.
func TestCommittedList(t *testing.T) {
	reasons, err := readList("../../.ci/skips.txt")
	require.NoError(t, err)
	for listed := range reasons {
		folder := strings.TrimPrefix(listed.Package, module)
		files, err := filepath.Glob(filepath.Join("..", "..", folder, "*_test.go"))
		require.NoError(t, err)
		found := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			found = found || strings.Contains(string(text), "func "+listed.Test+"(t *testing.T)")
		}
		assert.True(t, found, "%s has no %s", folder, listed.Test)
	}
}
