// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import "github.com/otelcol-rtc/otelcol-rtc/internal/rows"

// zerosFor is the number of complete responses for which a missing group is recorded as 0.
const zerosFor = 20

// nameOther stands for the names of groups over the limit.
const nameOther = "_OTHER"

// tally adds up the items of a response by group. It remembers the groups, so that a missing one is recorded as 0.
type tally[K comparable] struct {
	point  rows.Point[*generated, K]
	plain  K // recorded as 0 if there are no groups
	groups map[K]*group

	// The limit (0 means no limit) bounds groups whose names publishers choose. The oldest groups stay; other replaces the rest.
	limit   int
	other   func(K) K
	kept    int       // number of groups that count against the limit
	waiting map[K]int // groups of this response without a place, by index in excess
	excess  []excess[K]
}

type group struct {
	sum    float64
	met    bool // in this response
	absent int  // complete responses since it was last met
	kept   bool
}

// excess is a group without a place.
type excess[K comparable] struct {
	key K
	sum float64
}

func newTally[K comparable](point rows.Point[*generated, K], plain K) *tally[K] {
	return &tally[K]{point: point, plain: plain, groups: map[K]*group{}, waiting: map[K]int{}}
}

// limited sets the limit of a tally and the function that replaces the groups over it.
func (t *tally[K]) limited(limit int, other func(K) K) *tally[K] {
	t.limit, t.other = limit, other
	return t
}

// add adds n to a group.
func (t *tally[K]) add(k K, n float64) {
	if t.groups[k] != nil || t.limit == 0 || t.kept < t.limit {
		t.addKept(k, n)
		return
	}
	i, waits := t.waiting[k]
	if !waits {
		i = len(t.excess)
		t.waiting[k] = i
		t.excess = append(t.excess, excess[K]{key: k})
	}
	t.excess[i].sum += n
}

func (t *tally[K]) addKept(k K, n float64) {
	g := t.groups[k]
	if g == nil {
		g = &group{kept: true}
		t.groups[k] = g
		t.kept++
	}
	g.sum += n
	g.met = true
}

// record records all groups of a complete response and returns how many were over the limit.
func (t *tally[K]) record(mb *builder) (over int64) {
	over = t.settle()
	for k, g := range t.groups {
		if g.absent++; g.met {
			g.absent = 0
		}
		if g.absent > zerosFor {
			t.forget(k, g)
			continue
		}
		t.point.RecordFloat(mb, g.sum, k)
		g.sum, g.met = 0, false
	}
	if len(t.groups) == 0 {
		t.point.Record(mb, 0, t.plain)
	}
	return over
}

// settle gives the places of groups that are gone to those without a place, in order, and adds up the rest. It returns their number.
func (t *tally[K]) settle() (over int64) {
	for k, g := range t.groups {
		if len(t.excess) > 0 && g.kept && !g.met {
			t.forget(k, g)
		}
	}
	for _, one := range t.excess {
		if t.kept < t.limit {
			t.addKept(one.key, one.sum)
			continue
		}
		over++
		g := t.groups[t.other(one.key)]
		if g == nil {
			g = &group{}
			t.groups[t.other(one.key)] = g
		}
		g.sum += one.sum
		g.met = true
	}
	clear(t.waiting)
	t.excess = t.excess[:0]
	return over
}

func (t *tally[K]) forget(k K, g *group) {
	delete(t.groups, k)
	if g.kept {
		t.kept--
	}
}
