// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package current

import (
	"iter"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Snapshot is the content of the store between two payloads. It shares the memory of the store.
type Snapshot struct {
	// Families are sorted by name.
	Families []Family
	store    *Store
}

// Family is a metric family of the page.
type Family struct {
	// Name and Help are not escaped.
	Name, Help string
	Kind       Kind
	// Quoted is true if the name, or that of a label, is in quotes.
	Quoted bool
	// Parts are the lines, by target and scope.
	Parts []Part
}

// Part holds the lines of a family that come from one scope of a target.
type Part struct {
	// Text is finished: it ends with a line feed.
	Text   []byte
	series []series
	kind   Kind
}

// Series is a series of a part.
type Series struct {
	// Lines are the lines of the series. A histogram or a summary has several.
	Lines []byte
	// Labels are the labels of the series as its lines have them.
	Labels []byte
	// Start is when a cumulative series began, and Time that of its data point.
	Start, Time pcommon.Timestamp
	value       int // where the value is in Lines, or 0
}

// Series returns the series one by one.
func (p Part) Series() iter.Seq[Series] {
	return func(yield func(Series) bool) {
		start := 0
		for i := range p.series {
			r := &p.series[i]
			s := Series{Lines: p.Text[start:r.end], Labels: r.labels(p.Text), Start: r.start, Time: r.time}
			if p.kind == Gauge || p.kind == Counter {
				s.value = r.value() - start
			}
			if !yield(s) {
				return
			}
			start = r.end
		}
	}
}

// Snapshot removes what has expired and returns the rest. Release must be called after use.
func (s *Store) Snapshot(now time.Time) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now.Sub(s.epoch))
	s.readers++
	snapshot := &Snapshot{store: s, Families: make([]Family, 0, len(s.sorted))}
	for _, f := range s.sorted {
		snapshot.Families = append(snapshot.Families, Family{Name: f.name, Help: f.help, Kind: f.kind, Quoted: f.quoted, Parts: f.parts()})
	}
	return snapshot
}

// TargetSnapshot is the content of the store for one target. It shares the memory of the store.
type TargetSnapshot struct {
	// Metrics are the lines of each metric by its name on the page, a part for each scope.
	Metrics map[string][]Part
	store   *Store
}

// TargetSnapshot returns the content of the store for a target. Its cost does not depend on other targets. Release must be called after use.
func (s *Store) TargetSnapshot(id TargetID) *TargetSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers++
	snapshot := &TargetSnapshot{store: s, Metrics: map[string][]Part{}}
	if t := s.targets[targetKey{id, id.Job != "", id.Instance != ""}]; t != nil {
		for _, scope := range t.scopes {
			for name, m := range scope.metrics {
				snapshot.Metrics[name] = append(snapshot.Metrics[name], Part{Text: m.text, series: m.series, kind: m.family.kind})
			}
		}
	}
	return snapshot
}

// Release allows the store to use the memory of the snapshot again.
func (s *TargetSnapshot) Release() {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.readers--
}

// Release allows the store to use the memory of the snapshot again.
func (s *Snapshot) Release() {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.readers--
}

// Expire removes what was not updated for too long. A snapshot does so as well.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now.Sub(s.epoch))
}

// parts returns the lines of all metrics of the family. Of equal series only the newest remains.
func (f *family) parts() []Part {
	parts := make([]Part, 0, len(f.metrics))
	newest := map[string]*series{}
	shared := f.shared && len(f.metrics) > 1
	if shared {
		for _, m := range f.metrics {
			for i := range m.series {
				r := &m.series[i]
				if other := newest[string(r.labels(m.text))]; other == nil || r.newer(other) {
					newest[string(r.labels(m.text))] = r
				}
			}
		}
	}
	for _, m := range f.metrics {
		text, list := m.text, m.series
		if shared {
			i := 0
			text, list = retain(slices.Clone(text), slices.Clone(list), func(*series) bool {
				r := &m.series[i]
				i++
				return newest[string(r.labels(m.text))] == r
			})
		}
		parts = append(parts, Part{Text: text, series: list, kind: f.kind})
	}
	return parts
}

// newer reports whether the series replaces the other one.
func (r *series) newer(other *series) bool {
	if r.time != other.time {
		return r.time > other.time
	}
	return r.updated >= other.updated
}
