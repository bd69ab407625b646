// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// curve is a drawing of the values of the last hour. It is empty if none is known.
type curve struct {
	Line, Area  string // paths
	From, Width int    // of the coordinates that are shown
	Peak        quantity
	Label       string // for screen readers
}

// curveHeight is the height of the drawing's coordinates. Its width has one for each step of a ring.
const curveHeight = 40

// window is the part of the last hour that curves show: the time since the start of the exporter, but at least two minutes.
type window int // steps of a ring

func newWindow(started, now time.Time) window {
	const shortest = int64(2 * time.Minute / ringStep)
	elapsed := int64((now.Sub(started) + ringStep - 1) / ringStep)
	return window(min(max(elapsed, shortest), ringSize))
}

// String returns the length of the window.
func (w window) String() string {
	if int64(w) == ringSize {
		return "hour"
	}
	return strconv.Itoa(int((time.Duration(w)*ringStep+time.Minute-1)/time.Minute)) + " min"
}

// draw draws the values of the window, from 0 or the smallest negative one up to the largest. Gaps remain where values are unknown.
func draw(title string, u unit, values []float32, w window) curve {
	lowest, highest, known := float32(0), float32(0), 0
	for _, v := range values {
		if v == v { // not NaN
			lowest, highest = min(lowest, v), max(highest, v)
			known++
		}
	}
	c := curve{
		From: len(values) - int(w), Width: int(w) - 1, Peak: u.format(float64(highest)), Label: fmt.Sprintf("%s in the last %s: ", title, w),
	}
	if known == 0 {
		c.Label += "not known"
		return c
	}
	c.Label += fmt.Sprintf("highest %s", c.Peak)
	y := func(v float32) string {
		const margin = 2 // for the width of the line
		if highest == lowest {
			return strconv.Itoa(curveHeight - margin)
		}
		share := float64((v - lowest) / (highest - lowest))
		return strconv.FormatFloat(margin+(1-share)*(curveHeight-2*margin), 'f', 1, 64)
	}
	var line, area []byte
	for i := 0; i < len(values); i++ {
		if math.IsNaN(float64(values[i])) {
			continue
		}
		start := i
		for ; i < len(values) && !math.IsNaN(float64(values[i])); i++ {
			command := "L"
			if i == start {
				command = "M"
			}
			line = append(line, command+strconv.Itoa(i)+" "+y(values[i])...)
		}
		end := i - 1
		if end == start {
			line = append(line, "h-0.5"...) // one value alone is a dot
			continue
		}
		area = append(area, fmt.Sprintf("M%d %d", start, curveHeight)...)
		for j := start; j <= end; j++ {
			area = append(area, "L"+strconv.Itoa(j)+" "+y(values[j])...)
		}
		area = append(area, fmt.Sprintf("L%d %dZ", end, curveHeight)...)
	}
	c.Line, c.Area = string(line), string(area)
	return c
}
