// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"time"
)

// Life is the seed of events on an emulated server: calls and viewers come and go in waves, streams leave and freeze. All values are
// functions of the seed and of the time since the start of the server. Without events, it is 0.
type Life uint64

// Load describes items that come and go, such as calls. Loads with different items have their peaks at different times.
type Load struct {
	Item      int
	PerMinute float64 // arrivals, on average
	Stay      time.Duration
}

const (
	wavePeriod = 4 * time.Minute
	waveSwing  = 0.6 // the rate of arrivals rises and falls by this share
)

// Count returns the numbers of arrivals and departures so far, at a time since the start of the server. Items that were present at
// the start have arrived. After a restart, none were. The difference is the number of items that are present.
func (l Life) Count(load Load, at time.Duration, restarted bool) (arrived, left int64) {
	if restarted {
		return l.arrivals(load, at), l.arrivals(load, max(at-load.Stay, 0))
	}
	before := l.arrivals(load, -load.Stay)
	return l.arrivals(load, at) - before, l.arrivals(load, at-load.Stay) - before
}

// Present returns the number of items that are present.
func (l Life) Present(load Load, at time.Duration, restarted bool) int64 {
	arrived, left := l.Count(load, at, restarted)
	return arrived - left
}

// arrivals returns the number of arrivals since the start. Before the start, it is negative.
func (l Life) arrivals(load Load, at time.Duration) int64 {
	if l == 0 {
		return 0
	}
	speed, phase := l.wave(load)
	return int64(math.Floor(load.PerMinute * (at.Minutes() + waveSwing/speed*(math.Sin(speed*at.Minutes()+phase)-math.Sin(phase)))))
}

// Seconds returns the total time for which the items have been present since the start of the server, in seconds.
func (l Life) Seconds(load Load, at time.Duration, restarted bool) float64 {
	if l == 0 {
		return 0
	}
	arrived := func(from, to time.Duration) float64 { return l.integral(load, to) - l.integral(load, from) }
	left := arrived(-load.Stay, at-load.Stay)
	if restarted {
		left = arrived(0, max(at-load.Stay, 0))
	}
	return 60 * (arrived(0, at) - left)
}

// integral returns the integral over time of the number of arrivals, in minutes.
func (l Life) integral(load Load, at time.Duration) float64 {
	speed, phase := l.wave(load)
	t := at.Minutes()
	return load.PerMinute * (t*t/2 - waveSwing/speed*(math.Cos(speed*t+phase)/speed+t*math.Sin(phase)))
}

// wave returns the speed of the wave in radians per minute, and its phase.
func (l Life) wave(load Load) (speed, phase float64) {
	const full = 2 * math.Pi
	return full / wavePeriod.Minutes(), float64(l.Draw(load.Item, 360)) * full / 360
}

// Draw returns a number below limit for an item.
func (l Life) Draw(item, limit int) int {
	x := uint64(l)*0x9e3779b97f4a7c15 + uint64(item)*0xbf58476d1ce4e5b9 //nolint:gosec // an item is not negative
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return int((x ^ x>>31) % uint64(limit)) //nolint:gosec // limit is positive
}

// Of eight streams, about two leave and return, and one freezes.
const (
	streamKinds = 8
	leaving     = 2 // kinds below it leave
	freezing    = 2
)

const (
	absence      = 40 * time.Second
	freezePeriod = 5 * time.Minute
	freezeLength = 45 * time.Second
)

// Stream is the state of a stream.
type Stream struct {
	Present bool
	Began   time.Duration // when it returned, since the start of the server; 0 if it never left
	Flowing time.Duration // for how long it has sent media since it began or since the start of the server
	Frozen  bool          // it is there and sends nothing
	Silence time.Duration // for how long it has been frozen
}

// Stream returns the state of a stream by its number.
func (l Life) Stream(number int, at time.Duration) Stream {
	stream := Stream{Present: true, Flowing: at}
	if l == 0 {
		return stream
	}
	switch kind := l.Draw(number, streamKinds); {
	case kind < leaving:
		period := time.Duration(3+number%3) * time.Minute
		offset := time.Duration(number) * 37 * time.Second % (period - absence)
		elapsed := (at + offset) % period
		stream.Present = elapsed < period-absence
		stream.Began = max(at-elapsed, 0)
		stream.Flowing = at - stream.Began
	case kind == freezing:
		offset := time.Duration(number) * 53 * time.Second % (freezePeriod - freezeLength)
		freezes, frozen := int64((at+offset)/freezePeriod), (at+offset)%freezePeriod-(freezePeriod-freezeLength)
		stream.Frozen, stream.Silence = frozen >= 0, max(frozen, 0)
		stream.Flowing = at - time.Duration(freezes)*freezeLength - stream.Silence
	}
	return stream
}

const (
	outagePeriod = 10 * time.Minute
	outageLength = time.Minute
)

// Outage returns when a server last started again after an outage, 0 if it never did, and how long the current outage lasts. A server
// is down in the last minute of every ten.
func (l Life) Outage(at time.Duration) (started, remaining time.Duration) {
	if l == 0 {
		return 0, 0
	}
	elapsed := at % outagePeriod
	if elapsed >= outagePeriod-outageLength {
		remaining = outagePeriod - elapsed
	}
	return at - elapsed, remaining
}
