// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"regexp"
)

// flussonicPage is a page of metrics.
type flussonicPage struct {
	blocks  []flussonicBlock
	streams *flussonicList
	first   int // so many streams are told of; 0: all
}

// flussonicBlock is a line, or the lines of one family, one per stream.
type flussonicBlock struct {
	family    string
	line      flussonicText
	ofStreams map[int]flussonicText // by number of the captured stream; nil when it is one line
}

// flussonicSample is a line that has a value: its family, labels and value.
var flussonicSample = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? (\S+)\n$`)

// newFlussonicPage cuts a captured page at the values that are written anew.
func newFlussonicPage(content []byte, streams *flussonicList, made int64, first int) *flussonicPage {
	page := &flussonicPage{streams: streams, first: first}
	for line := range bytes.Lines(content) {
		at := flussonicSample.FindSubmatchIndex(line)
		if at == nil {
			page.blocks = append(page.blocks, flussonicBlock{line: flussonicText{end: line}})
			continue
		}
		family := string(line[at[2]:at[3]])
		number, nameEnd := streams.named(line)
		text := newFlussonicLine(line, family, at[6:8], nameEnd, streams.paceOf(number, made))
		if number < 0 {
			page.blocks = append(page.blocks, flussonicBlock{line: text})
			continue
		}
		if last := len(page.blocks) - 1; last < 0 || page.blocks[last].family != family {
			page.blocks = append(page.blocks, flussonicBlock{family: family, ofStreams: map[int]flussonicText{}})
		}
		page.blocks[len(page.blocks)-1].ofStreams[number] = text
	}
	return page
}

// named finds the captured stream that a line is about, and where its name ends; -1 when it is about none.
func (l *flussonicList) named(line []byte) (number, end int) {
	for i := range l.rows {
		quoted := []byte(`"` + l.rows[i].name + `"`)
		if at := bytes.Index(line, quoted); at >= 0 {
			return i, at + len(quoted) - 1
		}
	}
	return -1, -1
}

// paceOf is how a captured stream was doing, or the server when there is none, on a page that was made then.
func (l *flussonicList) paceOf(number int, made int64) flussonicPace {
	pace := flussonicPace{}
	if number >= 0 {
		pace = l.rows[number].pace
	}
	pace.made = made
	return pace
}

// newFlussonicLine cuts a line at the name of its stream and at its value.
func newFlussonicLine(line []byte, family string, value []int, nameEnd int, pace flussonicPace) (text flussonicText) {
	from := 0
	if nameEnd >= 0 {
		text.slots = append(text.slots, flussonicSlot{before: line[:nameEnd]})
		from = nameEnd
	}
	if slot, ok := newFlussonicSlot(family, line[value[0]:value[1]], &pace); ok {
		slot.before = line[from:value[0]]
		text.slots = append(text.slots, slot)
		from = value[1]
	}
	text.end = line[from:]
	return text
}

// render is the page as it is now.
func (p *flussonicPage) render(m flussonicMoment) (body []byte) {
	total := p.streams.total()
	if p.first > 0 {
		total = min(total, p.first)
	}
	for i := range p.blocks {
		block := &p.blocks[i]
		if block.ofStreams == nil {
			body = block.line.appendTo(body, &m)
			continue
		}
		for m.number = range total {
			m.original = m.number % len(p.streams.rows)
			if text, ok := block.ofStreams[m.original]; ok && p.streams.isPresent(m.number, &m) {
				body = text.appendTo(body, &m)
			}
		}
		m.number, m.original = 0, 0
	}
	return body
}
