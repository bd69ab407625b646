// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test's program do the jobs of its children.
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

// How far the series of both sides may differ: those about the scrape itself, which only ours has, and a share of ours.
const (
	ofScrape = 12
	differ   = 0.1
)

// Both sides deliver the same series of a small server.
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
				assert.InDelta(t, ours.Series, collector.Series, ofScrape+differ*float64(ours.Series))
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
