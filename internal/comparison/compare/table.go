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

// tableRows returns the medians of our receiver and of the parts of the alternative, and the quotients of both sides.
func tableRows(s *system, size int, c *comparison) string {
	var b strings.Builder
	if len(c.ours) == 0 {
		return ""
	}
	ours, collector := median(c.ours), median(c.collector)
	number := grouped(float64(size))
	if s.fixed {
		number = ""
	}
	fmt.Fprintf(&b, "| %s | %s | our receiver |%s", s.name, number, ours.cells())
	alternative := collector
	if len(c.exporter) > 0 {
		exporter := median(c.exporter)
		exporter.Series = collector.Series
		fmt.Fprintf(&b, "| | | exporter |%s", exporter.cells())
		alternative.CPU += exporter.CPU
		alternative.Allocations += exporter.Allocations
		alternative.Heap += exporter.Heap
	}
	fmt.Fprintf(&b, "| | | prometheusreceiver |%s", collector.cells())
	fmt.Fprintf(&b, "| | | **alternative / ours** | %.2f | **%.1f** | | %.1f | | **%.1f** |\n", float64(alternative.Series)/float64(ours.Series),
		float64(alternative.CPU)/float64(ours.CPU), alternative.Allocations/ours.Allocations, alternative.Heap/ours.Heap)
	return b.String()
}

const pageTableHead = `| system | size | page of | series | CPU per scrape and fetch | CPU per series | peak memory |
| --- | ---: | --- | ---: | ---: | ---: | ---: |
`

// pageTableRows returns the medians of the collector and of the exporter, and the quotients of both.
func pageTableRows(s *system, size int, p *pages) string {
	var b strings.Builder
	if len(p.ours) == 0 {
		return ""
	}
	ours := medianPage(p.ours)
	number := grouped(float64(size))
	if s.fixed {
		number = ""
	}
	fmt.Fprintf(&b, "| %s | %s | our collector |%s", s.name, number, ours.cells())
	if len(p.exporter) > 0 {
		exporter := medianPage(p.exporter)
		fmt.Fprintf(&b, "| | | exporter |%s", exporter.cells())
		fmt.Fprintf(&b, "| | | **exporter / ours** | %.2f | **%.1f** | | **%.1f** |\n",
			float64(exporter.Series)/float64(ours.Series), float64(exporter.CPU)/float64(ours.CPU), exporter.Memory/ours.Memory)
	}
	return b.String()
}

func (c *pageCost) cells() string {
	n := float64(c.Series)
	return fmt.Sprintf(" %s | %.1f ms | %.2f µs | %.0f MB |\n", grouped(n), ms(c.CPU), 1000*ms(c.CPU)/n, c.Memory/1e6)
}

// medianPage returns the median of each field.
func medianPage(all []pageCost) pageCost {
	return pageCost{
		Series: medianOf(all, func(c pageCost) int { return c.Series }),
		CPU:    medianOf(all, func(c pageCost) time.Duration { return c.CPU }),
		Memory: medianOf(all, func(c pageCost) float64 { return c.Memory }),
	}
}

func (c *cost) cells() string {
	n := float64(c.Series)
	return fmt.Sprintf(" %s | %.1f ms | %.2f µs | %s | %.1f | %.1f MB |\n", grouped(n), ms(c.CPU), 1000*ms(c.CPU)/n,
		grouped(c.Allocations), c.Allocations/n, c.Heap/1e6)
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// median returns the median of each field.
func median(all []cost) cost {
	return cost{
		Series:      medianOf(all, func(c cost) int { return c.Series }),
		CPU:         medianOf(all, func(c cost) time.Duration { return c.CPU }),
		Allocations: medianOf(all, func(c cost) float64 { return c.Allocations }),
		Heap:        medianOf(all, func(c cost) float64 { return c.Heap }),
	}
}

// medianOf returns the median of one field, or the upper median of an even number of values.
func medianOf[C any, N cmp.Ordered](all []C, number func(C) N) N {
	values := make([]N, len(all))
	for i, c := range all {
		values[i] = number(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// grouped formats an integer with commas.
func grouped(n float64) string {
	text := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
