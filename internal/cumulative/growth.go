// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"math"
	"slices"
)

// Absent is the value of a counter that is missing from a reading. The counter keeps its last value, if it has one; otherwise,
// its first value does not count as growth.
const Absent = math.MinInt64

// forgetAfter is the number of consecutive readings without an object after which it is forgotten. An object that returns
// sooner is not counted twice.
const forgetAfter = 5

// Growth computes by how much the counters of objects have grown from reading to reading. A sum of this growth does not fall
// when an object disappears. Sums start at the first reading: values counted before it are excluded. The growth of an object
// between its last reading and its end is lost.
type Growth struct {
	kinds    []Kind
	objects  map[string]*Object
	reading  int // number of the current reading, from 1
	attempts int // readings including incomplete ones
}

// Kind says whether a counter may fall, and what counts as its growth.
type Kind uint8

// The kinds of counters.
const (
	// Monotonic counters fall only when they restart. Negative values are treated as Absent.
	Monotonic Kind = iota
	// Signed counters may fall at any time, such as lost packets when late packets arrive.
	Signed
	// Maximum counters may fall at any time, too, but they grow only by what exceeds their maximum so far, which starts at 0.
	Maximum
)

// Object holds the counters of one object, in one or more streams.
type Object struct {
	growth        *Growth
	first, last   int // readings that listed the object
	firstMeasured int // first reading with its counters, 0 if there was none
	measured      int // number of readings with its counters
	seen          int // last attempt that listed the object
	streams       []stream
}

// stream is one set of counters.
type stream struct {
	id     uint64
	last   int // value of Object.measured at the last update
	values []int64
}

// NewGrowth returns a Growth for objects whose streams have counters of these kinds.
func NewGrowth(kinds ...Kind) *Growth {
	return &Growth{kinds: kinds, objects: map[string]*Object{}}
}

// Reset forgets all objects. The next reading is the first.
func (g *Growth) Reset() {
	clear(g.objects)
	g.reading = 0
}

// Begin starts a reading.
func (g *Growth) Begin() {
	g.reading++
	g.attempts++
}

// End ends a reading. A complete reading forgets the objects that are gone. An incomplete reading forgets none: the growth in it
// counts, and the next reading gets the same number. If the first reading is incomplete, End resets g.
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

// Object returns the object with this key, adding it if it is new, and whether the current reading lists it for the first time.
// measured says whether the reading includes the counters of the object.
func (g *Growth) Object(key []byte, measured bool) (o *Object, first bool) {
	o = g.objects[string(key)]
	if o == nil {
		o = &Object{growth: g, first: g.reading}
		g.objects[string(key)] = o
	}
	if o.seen == g.attempts {
		return o, false
	}
	o.last, o.seen = g.reading, g.attempts
	if measured {
		o.measured++
		if o.firstMeasured == 0 {
			o.firstMeasured = g.reading
		}
	}
	return o, true
}

// Add sets growth to the growth of the counters of one stream since they were last read. A new stream grows from 0, unless its
// object existed at the first reading and is measured for the first time: then the growth is 0. Negative values of monotonic
// counters become Absent, and values of Maximum counters become their maximum.
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
		growFromZero(values, growth)
		if o.first == 1 && o.firstMeasured == o.growth.reading {
			clear(growth)
		}
		return
	case s.restarted(o.growth.kinds, values):
		growFromZero(values, growth)
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

// growFromZero sets growth for counters that started at 0.
func growFromZero(values, growth []int64) {
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

// remember adds a stream and removes the streams that are gone.
func (o *Object) remember(id uint64, values []int64) {
	o.streams = slices.DeleteFunc(o.streams, func(s stream) bool { return o.measured-s.last >= forgetAfter })
	o.streams = append(o.streams, stream{id: id, last: o.measured, values: slices.Clone(values)})
}

// restarted reports whether a monotonic counter has fallen.
func (s *stream) restarted(kinds []Kind, values []int64) bool {
	for i, kind := range kinds {
		if kind == Monotonic && values[i] != Absent && values[i] < s.values[i] {
			return true
		}
	}
	return false
}
