// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonic

import (
	"bytes"
	"regexp"
)

// metricsPage is a page of metrics.
type metricsPage struct {
	blocks  []pageBlock
	streams *rowList
	first   int // limit of the number of streams; 0 for all
}

// pageBlock is a line, or the lines of one family if it has a line per stream.
type pageBlock struct {
	family   string
	line     template
	byStream map[int]template // by number of the captured stream; nil for a single line
}

// sampleLine matches a line with a value: family, labels and value.
var sampleLine = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)\n$`)

// newMetricsPage splits a captured page at the values that are rewritten.
func newMetricsPage(content []byte, streams *rowList, capturedAt int64, first int) *metricsPage {
	page := &metricsPage{streams: streams, first: first}
	for line := range bytes.Lines(content) {
		at := sampleLine.FindSubmatchIndex(line)
		if at == nil {
			page.blocks = append(page.blocks, pageBlock{line: template{end: line}})
			continue
		}
		family := string(line[at[2]:at[3]])
		number, nameEnd := streams.named(line)
		text := newLineTemplate(line, family, at[6:8], nameEnd, streams.activityOf(number, capturedAt))
		if number < 0 {
			page.blocks = append(page.blocks, pageBlock{line: text})
			continue
		}
		if last := len(page.blocks) - 1; last < 0 || page.blocks[last].family != family {
			page.blocks = append(page.blocks, pageBlock{family: family, byStream: map[int]template{}})
		}
		page.blocks[len(page.blocks)-1].byStream[number] = text
	}
	return page
}

// named returns the number of the captured stream in a line and the end of its name, or -1.
func (l *rowList) named(line []byte) (number, end int) {
	for i := range l.rows {
		quoted := []byte(`"` + l.rows[i].name + `"`)
		if at := bytes.Index(line, quoted); at >= 0 {
			return i, at + len(quoted) - 1
		}
	}
	return -1, -1
}

// activityOf returns the activity of a captured stream, or of the server if number is -1, on a page captured at this time.
func (l *rowList) activityOf(number int, capturedAt int64) activity {
	var of activity
	if number >= 0 {
		of = l.rows[number].activity
	}
	of.capturedAt = capturedAt
	return of
}

// newLineTemplate splits a line at the name of its stream and at its value.
func newLineTemplate(line []byte, family string, value []int, nameEnd int, of activity) (text template) {
	from := 0
	if nameEnd >= 0 {
		text.slots = append(text.slots, valueSlot{before: line[:nameEnd]})
		from = nameEnd
	}
	if slot, ok := newValueSlot(family, line[value[0]:value[1]], &of); ok {
		slot.before = line[from:value[0]]
		text.slots = append(text.slots, slot)
		from = value[1]
	}
	text.end = line[from:]
	return text
}

// render renders the page.
func (p *metricsPage) render(m moment) (body []byte) {
	total := p.streams.total()
	if p.first > 0 {
		total = min(total, p.first)
	}
	for i := range p.blocks {
		block := &p.blocks[i]
		if block.byStream == nil {
			body = block.line.appendTo(body, &m)
			continue
		}
		for number := range total {
			of := p.streams.momentOf(number, m)
			if text, ok := block.byStream[of.original]; ok && p.streams.isPresent(number, &m) {
				body = text.appendTo(body, &of)
			}
		}
	}
	return body
}
