// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"math"
	"slices"
)

// Absent is the value of a counter that a reading does not tell. What it was last stays; one that was never told has not
// grown when it is.
const Absent = math.MinInt64

// forgetAfter is for how many readings an object may be missing before it counts as gone: one that comes back must not be
// counted twice.
const forgetAfter = 5

// Growth tells by how much counters of objects that come and go have grown from reading to reading, so that a sum over them
// never falls when one goes. The first reading is where sums begin: what was counted before it does not belong to them.
// What an object counts between the last reading that has it and its end is lost.
type Growth struct {
	kinds   []Kind
	objects map[string]*Object
	reading int // number of the current reading, 1 for the first
	begun   int // readings, with those that broke off
}

// Kind says whether a counter may fall, and what a fall means.
type Kind uint8

// The kinds of counters.
const (
	// Monotonic counters fall only when they begin anew. Values below 0 are none.
	Monotonic Kind = iota
	// Signed counters, such as lost packets that arrive late after all, may fall at any time.
	Signed
	// Maximum counters may fall like Signed ones, but they grow only by what exceeds their highest value so far, which is at least 0.
	Maximum
)

// Object is one thing that counts, with one or more streams of counters.
type Object struct {
	growth        *Growth
	first, last   int // readings that had it
	firstMeasured int // the first one that had its counters, 0 for none
	measured      int // readings that had its counters
	seen          int // begun when it was met last
	streams       []stream
}

// stream is one set of counters.
type stream struct {
	id     uint64
	last   int // of the object's measured
	values []int64
}

// NewGrowth returns the growth of objects whose streams have counters of these kinds.
func NewGrowth(kinds ...Kind) *Growth {
	return &Growth{kinds: kinds, objects: map[string]*Object{}}
}

// Reset forgets everything: the next reading is the first.
func (g *Growth) Reset() {
	clear(g.objects)
	g.reading = 0
}

// Begin starts a reading.
func (g *Growth) Begin() {
	g.reading++
	g.begun++
}

// End ends a reading and forgets the objects that are gone. One that broke off proves nothing about what it lacks: what it
// had has been counted, but the next reading takes its number, and if it was the first, all begins again.
func (g *Growth) End(complete bool) {
	switch {
	case complete:
	case g.reading == 1:
		g.Reset()
		return
	default:
		g.reading--
		return
	}
	for key, o := range g.objects {
		if g.reading-o.last >= forgetAfter {
			delete(g.objects, key)
		}
	}
}

// Object returns the object with a key, which the current reading lists, and whether it does so for the first time. It may
// be listed without its counters: measured says whether they came.
func (g *Growth) Object(key []byte, measured bool) (o *Object, first bool) {
	o = g.objects[string(key)]
	if o == nil {
		o = &Object{growth: g, first: g.reading}
		g.objects[string(key)] = o
	}
	if o.seen == g.begun {
		return o, false
	}
	o.last, o.seen = g.reading, g.begun
	if measured {
		o.measured++
		if o.firstMeasured == 0 {
			o.firstMeasured = g.reading
		}
	}
	return o, true
}

// Add sets growth to what the counters of one stream have grown by since they were read last. A stream that is new counts
// from 0, but for those of objects that were there at the first reading and whose counters were not read before. Values below 0
// of monotonic counters become Absent, and values of Maximum counters become the highest so far.
func (o *Object) Add(id uint64, values, growth []int64) {
	for i, value := range values {
		switch kind := o.growth.kinds[i]; {
		case kind == Monotonic && value < 0:
			values[i] = Absent
		case kind == Maximum && value != Absent:
			values[i] = max(value, 0)
		}
	}
	s := o.stream(id)
	switch {
	case s == nil:
		o.remember(id, values)
		count(values, growth)
		if o.first == 1 && o.firstMeasured == o.growth.reading {
			clear(growth)
		}
		return
	case s.restarted(o.growth.kinds, values):
		count(values, growth)
	default:
		for i, value := range values {
			growth[i] = 0
			if value != Absent && s.values[i] != Absent {
				if o.growth.kinds[i] == Maximum {
					values[i] = max(value, s.values[i])
				}
				growth[i] = values[i] - s.values[i]
			}
		}
	}
	for i, value := range values {
		if value != Absent {
			s.values[i] = value
		}
	}
	s.last = o.measured
}

// count is the growth of counters that were 0 before.
func count(values, growth []int64) {
	for i, value := range values {
		growth[i] = value
		if value == Absent {
			growth[i] = 0
		}
	}
}

func (o *Object) stream(id uint64) *stream {
	for i := range o.streams {
		if o.streams[i].id == id {
			return &o.streams[i]
		}
	}
	return nil
}

// remember adds a stream, in the place of those that are gone.
func (o *Object) remember(id uint64, values []int64) {
	o.streams = slices.DeleteFunc(o.streams, func(s stream) bool { return o.measured-s.last >= forgetAfter })
	o.streams = append(o.streams, stream{id: id, last: o.measured, values: slices.Clone(values)})
}

// restarted reports whether a counter fell that never falls.
func (s *stream) restarted(kinds []Kind, values []int64) bool {
	for i, kind := range kinds {
		if kind == Monotonic && values[i] != Absent && values[i] < s.values[i] {
			return true
		}
	}
	return false
}
