// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const tableHead = `| system | size | read by | series | CPU per scrape | CPU per series | allocations per scrape | allocations per series | peak heap |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |
`

// tableRows are the medians of one comparison: of our receiver, of the parts of what is done today, and how many times
// the first all of the second is.
func tableRows(s *system, size int, c *comparison) string {
	var b strings.Builder
	ours, collector := median(c.ours), median(c.collector)
	number := grouped(float64(size))
	if s.fixed {
		number = ""
	}
	fmt.Fprintf(&b, "| %s | %s | our receiver |%s", s.name, number, ours.cells())
	today := collector
	if len(c.exporter) > 0 {
		exporter := median(c.exporter)
		exporter.Series = collector.Series
		fmt.Fprintf(&b, "| | | exporter |%s", exporter.cells())
		today.CPU += exporter.CPU
		today.Allocations += exporter.Allocations
		today.Heap += exporter.Heap
	}
	fmt.Fprintf(&b, "| | | prometheusreceiver |%s", collector.cells())
	fmt.Fprintf(&b, "| | | **today / ours** | %.2f | **%.1f** | | %.1f | | **%.1f** |\n", float64(today.Series)/float64(ours.Series),
		float64(today.CPU)/float64(ours.CPU), today.Allocations/ours.Allocations, today.Heap/ours.Heap)
	return b.String()
}

func (c *cost) cells() string {
	n := float64(c.Series)
	return fmt.Sprintf(" %s | %.1f ms | %.2f µs | %s | %.1f | %.1f MB |\n", grouped(n), ms(c.CPU), 1000*ms(c.CPU)/n,
		grouped(c.Allocations), c.Allocations/n, c.Heap/1e6)
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// median is that of each number by itself.
func median(all []cost) cost {
	return cost{
		Series:      middle(all, func(c cost) int { return c.Series }),
		CPU:         middle(all, func(c cost) time.Duration { return c.CPU }),
		Allocations: middle(all, func(c cost) float64 { return c.Allocations }),
		Heap:        middle(all, func(c cost) float64 { return c.Heap }),
	}
}

// middle is the median of one number; of an even number of values the upper one.
func middle[N cmp.Ordered](all []cost, number func(cost) N) N {
	values := make([]N, len(all))
	for i, c := range all {
		values[i] = number(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// grouped writes a whole number with commas.
func grouped(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
