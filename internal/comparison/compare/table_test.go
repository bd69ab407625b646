// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// costs returns the costs of three rounds with the given medians.
func costs(series int, cpu time.Duration, allocations, heap float64) []cost {
	return []cost{
		{Series: series, CPU: cpu, Allocations: 2 * allocations, Heap: heap / 2},
		{Series: series, CPU: 2 * cpu, Allocations: allocations / 2, Heap: heap},
		{Series: series, CPU: cpu / 2, Allocations: allocations, Heap: 2 * heap},
	}
}

func TestTable(t *testing.T) {
	c := comparison{
		ours:      costs(1000, 10*time.Millisecond, 5_000, 1e6),
		exporter:  costs(0, 70*time.Millisecond, 25_000, 2e6),
		collector: costs(1010, 30*time.Millisecond, 1_234_567, 3_500_000),
	}
	assert.Equal(t, `| X | 10,000 | our receiver | 1,000 | 10.0 ms | 10.00 µs | 5,000 | 5.0 | 1.0 MB |
| | | exporter | 1,010 | 70.0 ms | 69.31 µs | 25,000 | 24.8 | 2.0 MB |
| | | prometheusreceiver | 1,010 | 30.0 ms | 29.70 µs | 1,234,567 | 1222.3 | 3.5 MB |
| | | **alternative / ours** | 1.01 | **10.0** | | 251.9 | | **5.5** |
`, tableRows(&system{name: "X"}, 10_000, &c))
	c.exporter = nil
	assert.Equal(t, `| X | 100 | our receiver | 1,000 | 10.0 ms | 10.00 µs | 5,000 | 5.0 | 1.0 MB |
| | | prometheusreceiver | 1,010 | 30.0 ms | 29.70 µs | 1,234,567 | 1222.3 | 3.5 MB |
| | | **alternative / ours** | 1.01 | **3.0** | | 246.9 | | **3.5** |
`, tableRows(&system{name: "X"}, 100, &c))
}

func TestPageTable(t *testing.T) {
	p := pages{
		ours:     []pageCost{{1000, 10 * time.Millisecond, 5e7}, {1000, 5 * time.Millisecond, 6e7}, {1000, 20 * time.Millisecond, 4e7}},
		exporter: []pageCost{{1010, 70 * time.Millisecond, 1e8}},
	}
	assert.Equal(t, `| X | 10,000 | our collector | 1,000 | 10.0 ms | 10.00 µs | 50 MB |
| | | exporter | 1,010 | 70.0 ms | 69.31 µs | 100 MB |
| | | **exporter / ours** | 1.01 | **7.0** | | **2.0** |
`, pageTableRows(&system{name: "X"}, 10_000, &p))
	p.exporter = nil
	assert.Equal(t, "| X |  | our collector | 1,000 | 10.0 ms | 10.00 µs | 50 MB |\n", pageTableRows(&system{name: "X", fixed: true}, 10_000, &p))
}
