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
