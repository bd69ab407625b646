// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package cumulative

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read maps objects to the counters of their streams. nil stands for an object that is listed without counters.
type read map[string]map[uint64][2]int64

// grow processes readings in order and returns the sums after each. The first counter is monotonic.
func grow(g *DeltaTracker, readings ...read) (after [][2]int64) {
	var sum [2]int64
	var growth [2]int64
	for _, objects := range readings {
		g.Begin()
		for key, streams := range objects {
			o, _ := g.Object([]byte(key), streams != nil)
			for id, values := range streams {
				o.Add(id, values[:], growth[:])
				sum[0] += growth[0]
				sum[1] += growth[1]
			}
		}
		g.End(true)
		after = append(after, sum)
	}
	return after
}

func TestDeltaTracker(t *testing.T) {
	one := func(bytes, lost int64) map[uint64][2]int64 { return map[uint64][2]int64{7: {bytes, lost}} }
	none := map[uint64][2]int64{}
	for name, tt := range map[string]struct {
		readings []read
		want     [][2]int64
	}{
		"sums start at the first reading": {
			[]read{{"a": one(100, 5)}, {"a": one(130, 6)}}, [][2]int64{{0, 0}, {30, 1}},
		},
		"a new object counts from 0": {
			[]read{{}, {"a": one(100, 5)}, {"a": one(150, 5)}}, [][2]int64{{0, 0}, {100, 5}, {150, 5}},
		},
		"sums keep the growth of an object that is gone": {
			[]read{{"a": one(0, 0)}, {"a": one(100, 1)}, {}}, [][2]int64{{0, 0}, {100, 1}, {100, 1}},
		},
		"an object that is missing for a reading is not counted twice": {
			[]read{{"a": one(0, 0)}, {"a": one(100, 1)}, {}, {"a": one(160, 2)}}, [][2]int64{{0, 0}, {100, 1}, {100, 1}, {160, 2}},
		},
		"negative values of monotonic counters are absent": {
			[]read{{"a": one(100, 0)}, {"a": one(-1, -1)}, {"a": one(130, 1)}}, [][2]int64{{0, 0}, {0, -1}, {30, 1}},
		},
		"an object without counters for a reading": {
			[]read{{"a": one(0, 0)}, {"a": nil}, {"a": one(160, 2)}}, [][2]int64{{0, 0}, {0, 0}, {160, 2}},
		},
		"an object of the first reading whose counters appear later starts at their values": {
			[]read{{"a": nil}, {"a": one(500, 9)}, {"a": one(510, 9)}}, [][2]int64{{0, 0}, {0, 0}, {10, 0}},
		},
		"a new object without counters counts from 0": {
			[]read{{}, {"a": nil}, {"a": one(500, 9)}}, [][2]int64{{0, 0}, {0, 0}, {500, 9}},
		},
		"a stream that starts after the first reading counts from 0": {
			[]read{{"a": none}, {"a": one(500, 9)}}, [][2]int64{{0, 0}, {500, 9}},
		},
		"a second stream counts from 0": {
			[]read{{"a": one(5, 0)}, {"a": {7: {6, 0}, 8: {100, 2}}}}, [][2]int64{{0, 0}, {101, 2}},
		},
		"a signed counter falls": {
			[]read{{"a": one(10, 5)}, {"a": one(20, 3)}, {"a": one(30, -1)}}, [][2]int64{{0, 0}, {10, -2}, {20, -6}},
		},
		"an absent counter has not grown": {
			[]read{{"a": one(10, 5)}, {"a": one(Absent, 6)}, {"a": one(30, Absent)}, {"a": one(31, 8)}}, [][2]int64{{0, 0}, {0, 1}, {20, 1}, {21, 3}},
		},
		"a counter that appears late grows from its first value": {
			[]read{{}, {"a": one(Absent, 5)}, {"a": one(100, 5)}, {"a": one(130, 5)}}, [][2]int64{{0, 0}, {0, 5}, {0, 5}, {30, 5}},
		},
		"a stream restarts": {
			[]read{{"a": one(100, 5)}, {"a": one(30, 1)}}, [][2]int64{{0, 0}, {30, 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, grow(NewDeltaTracker(Monotonic, Signed), tt.readings...))
		})
	}
}

// The second counter is a Maximum: a fall adds nothing, and nothing is counted twice.
func TestDeltaTrackerOfMaximum(t *testing.T) {
	one := func(bytes, lost int64) read { return read{"a": {7: {bytes, lost}}} }
	for name, tt := range map[string]struct {
		readings []read
		want     []int64
	}{
		"it rises":                                     {[]read{one(1, 5), one(2, 5), one(3, 8)}, []int64{0, 0, 3}},
		"it falls":                                     {[]read{one(1, 5), one(2, 3)}, []int64{0, 0}},
		"it rises to its maximum":                      {[]read{one(1, 5), one(2, 3), one(3, 5)}, []int64{0, 0, 0}},
		"it rises beyond its maximum":                  {[]read{one(1, 5), one(2, 3), one(3, 9), one(4, 8), one(5, 11)}, []int64{0, 0, 4, 4, 6}},
		"a new stream counts from 0":                   {[]read{{}, one(1, 5), one(2, 3), one(3, 6)}, []int64{0, 5, 5, 6}},
		"a new stream with a negative value":           {[]read{{}, one(1, -4), one(2, -1), one(3, 2)}, []int64{0, 0, 0, 2}},
		"a negative value at the first reading":        {[]read{one(1, -4), one(2, 2)}, []int64{0, 2}},
		"it falls below 0":                             {[]read{one(1, 5), one(2, -9), one(3, 6)}, []int64{0, 0, 1}},
		"a stream that restarts counts from 0":         {[]read{one(9, 5), one(2, 3), one(3, 4)}, []int64{0, 3, 4}},
		"a stream that restarts with a negative value": {[]read{one(9, 5), one(2, -3), one(3, 4)}, []int64{0, 0, 4}},
		"an absent value":                              {[]read{one(1, 5), one(2, 3), one(3, Absent), one(4, 6)}, []int64{0, 0, 0, 1}},
		"a value that is absent at first":              {[]read{{}, one(1, Absent), one(2, 5), one(3, 4), one(4, 6)}, []int64{0, 0, 0, 0, 1}},
		"an object that is missing for a reading":      {[]read{one(1, 5), one(2, 3), {}, one(4, 6)}, []int64{0, 0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int64
			for _, sums := range grow(NewDeltaTracker(Monotonic, Maximum), tt.readings...) {
				got = append(got, sums[1])
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// Incomplete readings count the objects they list and do not forget the others.
func TestDeltaTrackerOfIncompleteReadings(t *testing.T) {
	type reading struct {
		bytes    int64 // 0: the object is not listed
		complete bool
	}
	for name, tt := range map[string]struct {
		readings []reading
		want     int64
	}{
		"sums start at the first complete reading": {[]reading{{100, false}, {120, false}, {150, true}, {160, true}}, 10},
		"a listed object counts once":              {[]reading{{100, true}, {150, false}, {170, true}}, 70},
		"a missing object is not forgotten":        {[]reading{{100, true}, {}, {}, {}, {}, {}, {}, {170, true}}, 70},
		"a new object counts once":                 {[]reading{{0, true}, {50, false}, {70, true}}, 70},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewDeltaTracker(Monotonic)
			sum, growth := int64(0), make([]int64, 1)
			for _, r := range tt.readings {
				g.Begin()
				if r.bytes > 0 {
					o, first := g.Object([]byte("a"), true)
					assert.True(t, first)
					o.Add(7, []int64{r.bytes}, growth)
					sum += growth[0]
					_, first = g.Object([]byte("a"), true)
					assert.False(t, first, "listed twice")
				}
				g.End(r.complete)
			}
			assert.Equal(t, tt.want, sum)
		})
	}
}

// The streams of a listed object are not forgotten while its counters are not read.
func TestDeltaTrackerKeepsStreamsOfRareReadings(t *testing.T) {
	listed := read{"a": nil}
	readings := []read{{"a": {1: {100, 0}}}, listed, listed, listed, listed, listed, listed, listed}
	readings = append(readings, read{"a": {2: {5, 0}, 1: {150, 0}}})
	after := grow(NewDeltaTracker(Monotonic, Signed), readings...)
	assert.Equal(t, [2]int64{55, 0}, after[len(after)-1])
}

// Objects and streams that are gone are removed from memory.
func TestDeltaTrackerForgets(t *testing.T) {
	g := NewDeltaTracker(Monotonic, Signed)
	stay := read{"stays": {1: {1, 0}}}
	grow(g, read{"stays": {1: {1, 0}, 2: {1, 0}}, "goes": {1: {1, 0}}}, stay, stay, stay, stay)
	assert.Len(t, g.objects, 2)
	grow(g, stay)
	assert.Len(t, g.objects, 1)
	grow(g, read{"stays": {1: {1, 0}, 3: {1, 0}}})
	assert.Len(t, g.objects["stays"].streams, 2)
	g.Reset()
	assert.Equal(t, [][2]int64{{0, 0}, {2, 0}}, grow(g, read{"stays": {1: {9, 0}}}, read{"stays": {1: {11, 0}}}))
}

// epoch is the interval between two restarts of a stream. It holds the first and the last value of its counters, and the first and the
// last maximum of the second one.
type epoch struct {
	from, to               [2]int64
	maximumFrom, maximumTo int64
}

// Sums over random readings equal those of a model that keeps every epoch of every stream, and monotonic sums never fall.
func TestDeltaTrackerOfRandomLives(t *testing.T) {
	for seed := range uint64(200) {
		lives := lives{random: rand.New(rand.NewPCG(seed, 1))}
		readings := make([]read, 40)
		want, wantMaximum := make([][2]int64, len(readings)), make([][2]int64, len(readings))
		for i := range readings {
			readings[i] = lives.next(i == 0)
			want[i], wantMaximum[i] = lives.sums()
		}
		require.Equal(t, wantMaximum, grow(NewDeltaTracker(Monotonic, Maximum), readings...), "seed %d", seed)
		got := grow(NewDeltaTracker(Monotonic, Signed), readings...)
		for i := range got {
			require.Equal(t, want[i], got[i], "seed %d, reading %d", seed, i)
			require.GreaterOrEqual(t, got[i][0], got[max(i-1, 0)][0], "seed %d, reading %d", seed, i)
		}
	}
}

// lives models objects that appear, count, restart, are missing and disappear.
type lives struct {
	random *rand.Rand
	made   int
	alive  []*life
	epochs []*epoch
}

type life struct {
	key        string
	streams    []*streamLife
	unmeasured bool // existed at the first reading and has not been measured
	missing    int  // consecutive readings
}

type streamLife struct {
	counters [2]int64
	epoch    *epoch // nil if the stream has not been read since it started
}

// next advances the model and returns the next reading.
func (l *lives) next(first bool) read {
	for range l.random.IntN(4) {
		l.made++
		born := &life{key: strconv.Itoa(l.made), unmeasured: first}
		for range l.random.IntN(3) {
			born.streams = append(born.streams, &streamLife{})
		}
		l.alive = append(l.alive, born)
	}
	l.alive = slices.DeleteFunc(l.alive, func(*life) bool { return l.random.IntN(10) == 0 })
	reading := read{}
	for _, o := range l.alive {
		for _, s := range o.streams {
			s.counters[0] += l.random.Int64N(1000)
			s.counters[1] += l.random.Int64N(11) - 5
		}
		switch {
		case o.missing < forgetAfter-1 && !first && l.random.IntN(5) == 0:
			o.missing++
			continue
		case l.random.IntN(4) == 0:
			reading[o.key] = nil
		default:
			reading[o.key] = l.measure(o)
		}
		o.missing = 0
	}
	return reading
}

// measure reads the counters of an object and records them in the model. It restarts some streams just before, because a
// restart is detected only if the counters are still below their last values.
func (l *lives) measure(o *life) map[uint64][2]int64 {
	reading := map[uint64][2]int64{}
	for id, s := range o.streams {
		if s.epoch != nil && s.epoch.to[0] > 0 && l.random.IntN(8) == 0 {
			s.counters = [2]int64{l.random.Int64N(s.epoch.to[0]), l.random.Int64N(3)}
			s.epoch = nil
		}
		if s.epoch == nil {
			s.epoch = &epoch{}
			if o.unmeasured {
				s.epoch.from, s.epoch.maximumFrom = s.counters, max(s.counters[1], 0)
			}
			l.epochs = append(l.epochs, s.epoch)
		}
		s.epoch.to, s.epoch.maximumTo = s.counters, max(s.counters[1], s.epoch.maximumTo)
		reading[uint64(id)] = s.counters
	}
	o.unmeasured = false
	return reading
}

// sums returns the growth of all streams in all epochs, and the same with the second counter as a Maximum.
func (l *lives) sums() (sum, maximum [2]int64) {
	for _, e := range l.epochs {
		for i := range sum {
			sum[i] += e.to[i] - e.from[i]
		}
		maximum[1] += e.maximumTo - e.maximumFrom
	}
	maximum[0] = sum[0]
	return sum, maximum
}
