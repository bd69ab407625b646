// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/exporter/current"
)

const (
	// maxTargets and maxCurves limit the memory: an hour of one curve takes less than 1 kB.
	maxTargets = 1000
	maxCurves  = 12
	// A target without data is shown as such after this number of intervals, but not before silentAfter.
	silentIntervals = 3
	silentAfter     = time.Minute
	// forgetAfter is how long a target without data is shown.
	forgetAfter = time.Hour
)

// target holds the state of a monitored server, except for its current data points.
type target struct {
	id       current.TargetID
	system   *system
	version  string
	seen     time.Time // when the last data came
	interval time.Duration

	up       float64   // NaN if not reported
	since    time.Time // when up got its value
	uptime   float64
	duration float64 // of the longest call of the last scrape
	values   []reading

	errors    map[string]float64 // counts by labels
	lastError scrapeError
}

// scrapeError is the last kind of error of a target.
type scrapeError struct {
	call, kind string
	at         time.Time
	current    bool // it occurred in the last scrape
}

// reading is a headline value of a target.
type reading struct {
	now  float64
	hour *ring // nil until there is a value, and of values beyond maxCurves
	// total and at are the counter's value of which the last rate was computed, and its time.
	total float64
	at    pcommon.Timestamp
}

// fleet holds the targets.
type fleet struct {
	targets map[current.TargetID]*target
	refused map[current.TargetID]time.Time // over the limit, with the time when they were seen last
}

// register notes which targets have sent a payload, and returns those of known systems.
func (f *fleet) register(payload pmetric.Metrics, now time.Time) (touched []*target) {
	for _, rm := range payload.ResourceMetrics().All() {
		var known *system
		for _, sm := range rm.ScopeMetrics().All() {
			if s := systemOf(sm.Scope().Name()); s != nil {
				known = s
			}
		}
		if known == nil {
			continue
		}
		id := current.Target(rm.Resource().Attributes())
		t := f.targets[id]
		if t == nil {
			if len(f.targets) >= maxTargets {
				f.refuse(id, now)
				continue
			}
			t = &target{
				id: id, system: known, up: math.NaN(), uptime: math.NaN(), duration: math.NaN(),
				values: make([]reading, len(known.values)), errors: map[string]float64{}, seen: now,
			}
			for i := range t.values {
				t.values[i].now, t.values[i].total = math.NaN(), math.NaN()
			}
			f.targets[id] = t
			delete(f.refused, id)
		}
		if version, ok := rm.Resource().Attributes().Get("service.version"); ok {
			t.version = version.AsString()
		}
		t.interval, t.seen = now.Sub(t.seen), now
		touched = append(touched, t)
	}
	return touched
}

// refuse notes a target over the limit. It counts no more than another maxTargets.
func (f *fleet) refuse(id current.TargetID, now time.Time) {
	if _, ok := f.refused[id]; ok || len(f.refused) < maxTargets {
		f.refused[id] = now
	}
}

// has reports whether the target is kept.
func (f *fleet) has(id current.TargetID) bool { return f.targets[id] != nil }

// forget removes targets that have not sent data for long.
func (f *fleet) forget(now time.Time) {
	for id, t := range f.targets {
		if now.Sub(t.seen) > forgetAfter {
			delete(f.targets, id)
		}
	}
	for id, seen := range f.refused {
		if now.Sub(seen) > silentAfter {
			delete(f.refused, id)
		}
	}
}

// observe updates the target from its current data points.
func (t *target) observe(snapshot *current.TargetSnapshot, now time.Time) {
	if up, _ := (query{metric: metricUp}).evaluate(snapshot); up != t.up && !math.IsNaN(up) {
		t.up, t.since = up, now
	}
	t.duration, _ = query{metric: metricDuration, largest: true}.evaluate(snapshot)
	t.uptime = math.NaN()
	for _, metric := range t.system.uptime {
		if uptime, _ := (query{metric: metric}).evaluate(snapshot); !math.IsNaN(uptime) {
			t.uptime = uptime
		}
	}
	t.observeErrors(snapshot, now)
	curves := 0
	for i := range t.values {
		r := &t.values[i]
		r.observe(t.system.values[i].of, snapshot)
		if r.hour == nil && curves < maxCurves && !math.IsNaN(r.now) {
			r.hour = &ring{}
		}
		if r.hour != nil {
			curves++
			r.hour.put(now, r.now)
		}
	}
}

// observe updates the current value.
func (r *reading) observe(q query, snapshot *current.TargetSnapshot) {
	value, at := q.evaluate(snapshot)
	switch {
	case !q.rate:
		r.now = value
	case at > r.at || math.IsNaN(value):
		r.now = (value - r.total) / (time.Duration(at-r.at) * time.Nanosecond).Seconds() //nolint:gosec // minutes
		if r.now < 0 {
			r.now = math.NaN() // the server was restarted, or an object has ended
		}
		r.total, r.at = value, at
	}
}

// observeErrors looks for errors that were counted since the last scrape.
func (t *target) observeErrors(snapshot *current.TargetSnapshot, now time.Time) {
	t.lastError.current = false
	for _, part := range snapshot.Metrics[metricErrors] {
		for series := range part.Series() {
			count, labels := series.Value(), string(series.Labels)
			if count > t.errors[labels] {
				t.lastError = scrapeError{at: now, current: true}
				for name, value := range series.Attributes() {
					switch name {
					case attributeAPI:
						t.lastError.call = value
					case attributeErrorType:
						t.lastError.kind = value
					}
				}
			}
			t.errors[labels] = count
		}
	}
}

// The states of a target.
var (
	stateDown    = state{"down", bad}
	stateSilent  = state{"no data", warn}
	stateErrors  = state{"up, with errors", warn}
	stateUp      = state{"up", good}
	stateUnknown = state{"unknown", neutral}
)

// state returns the state of the target. A target that no longer sends data is neither up nor down.
func (t *target) state(now time.Time) state {
	switch {
	case now.Sub(t.seen) > max(silentAfter, silentIntervals*t.interval):
		return stateSilent
	case t.up == 0:
		return stateDown
	case math.IsNaN(t.up):
		return stateUnknown
	case t.lastError.current:
		return stateErrors
	}
	return stateUp
}

// use returns the value that the fleet page uses as the bandwidth in or out.
func (t *target) use(u use) float64 {
	for i, v := range t.system.values {
		if v.use == u {
			return t.values[i].now
		}
	}
	return math.NaN()
}
