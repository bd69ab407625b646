// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain does the job of a child if the test binary was started as one.
func TestMain(m *testing.M) {
	err := workAsChild(context.Background(), os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, errNoChild):
		os.Exit(m.Run())
	case err != nil:
		fmt.Fprintln(os.Stderr, os.Getenv(jobVariable)+":", err)
		os.Exit(1)
	}
}

// The numbers of series of both sides may differ by the metrics of the scrape itself and by a fraction of ours.
const (
	scrapeMetrics = 12
	tolerance     = 0.1
)

// TestCompare checks that both sides deliver the same number of series of a small server.
func TestCompare(t *testing.T) {
	for i := range systems {
		s := &systems[i]
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c, err := compare(t.Context(), s, 20, &options{rounds: 2, scrapes: 1, interval: 500 * time.Millisecond})
			require.NoError(t, err)
			require.Len(t, c.ours, 2)
			require.Len(t, c.collector, 2)
			for round := range c.ours {
				ours, collector := c.ours[round], c.collector[round]
				require.Positive(t, ours.Series)
				assert.InDelta(t, ours.Series, collector.Series, scrapeMetrics+tolerance*float64(ours.Series))
			}
			for _, side := range [][]cost{c.ours, c.exporter, c.collector} {
				for _, one := range side {
					assert.Positive(t, one.CPU)
					assert.Positive(t, one.Allocations)
				}
			}
		})
	}
}

// TestComparePages checks that a small server has as many series on the page of the exporter as the exporter exports, and that the collector
// is started with a configuration that it accepts.
func TestComparePages(t *testing.T) {
	program := filepath.Join(t.TempDir(), "otelcol-rtc")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, ".")
	build.Dir, build.Env = "../../../distribution/otelcol-rtc", append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0") // as make build does
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	for _, name := range []string{"ZLMediaKit, one schema", "Jitsi, JVB"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &systems[slices.IndexFunc(systems, func(s system) bool { return s.name == name })]
			p, err := comparePages(t.Context(), s, 20, &options{rounds: 1, scrapes: 1, interval: 500 * time.Millisecond, collector: program})
			require.NoError(t, err)
			require.Len(t, p.ours, 1)
			assert.Greater(t, p.ours[0].Series, 100)
			assert.Greater(t, p.ours[0].Memory, 1e7)
			if s.exporter == nil {
				assert.Empty(t, p.exporter)
				return
			}
			require.Len(t, p.exporter, 1)
			assert.InDelta(t, p.ours[0].Series, p.exporter[0].Series, scrapeMetrics+tolerance*float64(p.ours[0].Series))
			assert.Greater(t, p.exporter[0].Memory, 1e6)
		})
	}
}
