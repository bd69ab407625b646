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

// DeltaTracker computes by how much the counters of objects have grown from reading to reading. A sum of this growth does not fall
// when an object disappears. Sums start at the first reading: values counted before it are excluded. The growth of an object
// between its last reading and its end is lost.
type DeltaTracker struct {
	kinds    []CounterKind
	objects  map[string]*Object
	reading  int // number of the current reading, from 1
	attempts int // readings including incomplete ones
}

// CounterKind says whether a counter may fall, and what counts as its growth.
type CounterKind uint8

// The kinds of counters.
const (
	// Monotonic counters fall only when they restart. Negative values are treated as Absent.
	Monotonic CounterKind = iota
	// Signed counters may fall at any time, such as lost packets when late packets arrive.
	Signed
	// Maximum counters may fall at any time, too, but they grow only by what exceeds their maximum so far, which starts at 0.
	Maximum
)

// Object holds the counters of one object, in one or more streams.
type Object struct {
	tracker       *DeltaTracker
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

// NewDeltaTracker returns an empty DeltaTracker for objects whose streams have counters of these kinds.
func NewDeltaTracker(kinds ...CounterKind) *DeltaTracker {
	return &DeltaTracker{kinds: kinds, objects: map[string]*Object{}}
}

// Reset forgets all objects. The next reading is the first.
func (t *DeltaTracker) Reset() {
	clear(t.objects)
	t.reading = 0
}

// Begin starts a reading.
func (t *DeltaTracker) Begin() {
	t.reading++
	t.attempts++
}

// End ends a reading. A complete reading forgets the objects that are gone. An incomplete reading forgets none: the growth in it
// counts, and the next reading gets the same number. If the first reading is incomplete, End resets g.
func (t *DeltaTracker) End(complete bool) {
	switch {
	case complete:
	case t.reading == 1:
		t.Reset()
		return
	default:
		t.reading--
		return
	}
	for key, o := range t.objects {
		if t.reading-o.last >= forgetAfter {
			delete(t.objects, key)
		}
	}
}

// Object returns the object with this key, adding it if it is new, and whether the current reading lists it for the first time.
// measured says whether the reading includes the counters of the object.
func (t *DeltaTracker) Object(key []byte, measured bool) (o *Object, first bool) {
	o = t.objects[string(key)]
	if o == nil {
		o = &Object{tracker: t, first: t.reading}
		t.objects[string(key)] = o
	}
	if o.seen == t.attempts {
		return o, false
	}
	o.last, o.seen = t.reading, t.attempts
	if measured {
		o.measured++
		if o.firstMeasured == 0 {
			o.firstMeasured = t.reading
		}
	}
	return o, true
}

// Add sets deltas to the growth of the counters of one stream since they were last read. A new stream grows from 0, unless its
// object existed at the first reading and is measured for the first time: then the growth is 0. Negative values of monotonic
// counters become Absent, and values of Maximum counters become their maximum.
func (o *Object) Add(id uint64, values, deltas []int64) {
	for i, value := range values {
		switch kind := o.tracker.kinds[i]; {
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
		countFromZero(values, deltas)
		if o.first == 1 && o.firstMeasured == o.tracker.reading {
			clear(deltas)
		}
		return
	case s.restarted(o.tracker.kinds, values):
		countFromZero(values, deltas)
	default:
		for i, value := range values {
			deltas[i] = 0
			if value != Absent && s.values[i] != Absent {
				if o.tracker.kinds[i] == Maximum {
					values[i] = max(value, s.values[i])
				}
				deltas[i] = values[i] - s.values[i]
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

// countFromZero sets growth for counters that started at 0.
func countFromZero(values, deltas []int64) {
	for i, value := range values {
		deltas[i] = value
		if value == Absent {
			deltas[i] = 0
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
func (s *stream) restarted(kinds []CounterKind, values []int64) bool {
	for i, kind := range kinds {
		if kind == Monotonic && values[i] != Absent && values[i] < s.values[i] {
			return true
		}
	}
	return false
}
