// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package hostnetworkreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParsers checks that no file crashes a parser, and that no counter is negative.
func FuzzParsers(f *testing.F) {
	files, err := filepath.Glob("testdata/*/proc/1/net/*")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (map[string]int64, error){parseSNMP, parseSNMP6} {
			counters, _ := parse(text)
			for name, n := range counters {
				require.GreaterOrEqual(t, n, int64(0), name)
			}
		}
		cpus, _ := parseSoftnet(text)
		for _, c := range cpus {
			require.GreaterOrEqual(t, min(c.CPU, c.Dropped, c.TimeSqueezes), int64(0))
		}
	})
}
