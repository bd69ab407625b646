// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import "github.com/otelcol-rtc/otelcol-rtc/internal/rows"

// zerosFor is the number of complete responses for which a missing group is recorded as 0.
const zerosFor = 20

// nameOther stands for the names of groups over the limit.
const nameOther = "_OTHER"

// tally adds up the items of a response by group. It remembers the groups, so that a missing one is recorded as 0 and not left out.
type tally[K comparable] struct {
	point  rows.Point[*builder, K]
	plain  K // recorded as 0 if there are no groups
	groups map[K]*group

	// The limit (0 means no limit) bounds groups whose names publishers choose. The oldest groups stay; other replaces the rest.
	limit int
	other func(K) K
	kept  int        // number of groups that count against the limit
	over  map[K]bool // groups of this response that other stands for
}

type group struct {
	sum    float64
	met    bool // in this response
	absent int  // complete responses since it was last met
	kept   bool
}

func newTally[K comparable](point rows.Point[*builder, K], plain K) *tally[K] {
	return &tally[K]{point: point, plain: plain, groups: map[K]*group{}, over: map[K]bool{}}
}

// limited sets the limit of a tally and the function that replaces the groups over it.
func (t *tally[K]) limited(limit int, other func(K) K) *tally[K] {
	t.limit, t.other = limit, other
	return t
}

// add adds n to a group.
func (t *tally[K]) add(k K, n float64) {
	g := t.groups[k]
	kept := t.limit == 0 || t.kept < t.limit
	if g == nil && !kept {
		t.over[k] = true
		k = t.other(k)
		g = t.groups[k]
	}
	if g == nil {
		g = &group{kept: kept}
		t.groups[k] = g
		if kept {
			t.kept++
		}
	}
	g.sum += n
	g.met = true
}

// record records all groups of a complete response and returns how many were over the limit.
func (t *tally[K]) record(mb *builder) (over int64) {
	for k, g := range t.groups {
		if g.absent++; g.met {
			g.absent = 0
		}
		if g.absent > zerosFor {
			delete(t.groups, k)
			if g.kept {
				t.kept--
			}
			continue
		}
		t.point.RecordFloat(mb, g.sum, k)
		g.sum, g.met = 0, false
	}
	if len(t.groups) == 0 {
		t.point.Record(mb, 0, t.plain)
	}
	over = int64(len(t.over))
	clear(t.over)
	return over
}
