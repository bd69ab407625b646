// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

// zerosFor is the number of complete answers for which a group that is gone is given as 0.
const zerosFor = 20

// nameOther stands for the names of groups over the limit.
const nameOther = "_OTHER"

// tally adds up the things of an answer by group, and remembers the groups: one that is gone is 0, not silent.
type tally[K comparable, N int64 | float64] struct {
	groups map[K]*group[N]

	// The limit (0 means no limit) bounds groups whose names publishers choose. The oldest groups stay; other replaces the rest.
	limit int
	other func(K) K
	kept  int        // groups that count against the limit
	over  map[K]bool // groups of this answer that other stands for
}

type group[N int64 | float64] struct {
	n      N
	met    bool // in this answer
	absent int  // complete answers since it was met last
	kept   bool
}

func newTally[K comparable, N int64 | float64](limit int, other func(K) K) *tally[K, N] {
	return &tally[K, N]{groups: map[K]*group[N]{}, limit: limit, other: other, over: map[K]bool{}}
}

// add adds n things to a group.
func (t *tally[K, N]) add(k K, n N) {
	g := t.groups[k]
	kept := t.limit == 0 || t.kept < t.limit
	if g == nil && !kept {
		t.over[k] = true
		k = t.other(k)
		g = t.groups[k]
	}
	if g == nil {
		g = &group[N]{kept: kept}
		t.groups[k] = g
		if kept {
			t.kept++
		}
	}
	g.n += n
	g.met = true
}

// end ends a complete answer: it records all groups, plain where there is none, and returns how many groups were over the limit.
func (t *tally[K, N]) end(plain K, record func(k K, n N)) (over int64) {
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
		record(k, g.n)
		g.n, g.met = 0, false
	}
	if len(t.groups) == 0 {
		var zero N
		record(plain, zero)
	}
	over = int64(len(t.over))
	clear(t.over)
	return over
}
