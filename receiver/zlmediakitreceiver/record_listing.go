// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/receiver/zlmediakitreceiver/internal/metadata"
)

const (
	// fullListMax is the number of media sources up to which schemas: auto requests all of them.
	fullListMax = 500
	// fullListEvery is the number of lists after which schemas: auto requests all schemas again.
	fullListEvery = 20
	// fewSchemas is the number of schemas up to which schemas: auto requests them one by one.
	fewSchemas = 3
	// checkEvery is the number of lists after which schemas: auto may request all schemas again because of a doubt.
	checkEvery = 5
	// listBudget is the time that the list may take per scrape. A list that takes n times as long is requested in every nth scrape.
	listBudget = 500 * time.Millisecond
	// maxSpacing and maxSpacingTime bound the scrapes and the time from one list to the next. Pushed samples become stale in Prometheus
	// after 5 minutes.
	maxSpacing     = 10
	maxSpacingTime = 4 * time.Minute
)

// listing decides when the media list is requested and for which schemas, because each request blocks one of the server's event loops.
type listing struct {
	auto       bool
	learned    bool             // whether chosen results from a full list
	chosen     schemaSet        // schemas that are reported
	age        int              // lists since the last full one
	check      bool             // request a full list next, because of a doubt
	checked    int              // lists until the next such request is allowed
	keep       [schemaOther]int // number of further lists for which a schema stays chosen
	spacing    int              // scrapes from one list to the next
	maxSpacing int              // bounds spacing
	wait       int              // scrapes until the next list
	failures   int              // since the last complete list
}

func newListing(schemas Schemas, interval time.Duration) listing {
	l := listing{chosen: allSchemas, spacing: 1, maxSpacing: min(max(int(maxSpacingTime/interval), 1), maxSpacing)}
	switch {
	case slices.Equal(schemas, Schemas{schemasAuto}):
		l.auto = true
	case !slices.Equal(schemas, Schemas{schemasAll}):
		l.chosen = 0
		for _, name := range schemas {
			l.chosen |= 1 << schemaIndex([]byte(name))
		}
	}
	return l
}

// beginScrape counts down to the next list.
func (l *listing) beginScrape() { l.wait = max(l.wait-1, 0) }

// due reports whether the current scrape requests the list.
func (l *listing) due() bool { return l.wait == 0 }

// full reports whether the next list must contain all schemas.
func (l *listing) full() bool {
	return l.chosen == allSchemas || l.check || l.auto && l.age >= fullListEvery
}

// undecided reports whether the next list determines for the first time which schemas are reported.
func (l *listing) undecided() bool { return l.auto && !l.learned }

// requests returns the schemas to request one by one; the empty string stands for all at once.
func (l *listing) requests() []string {
	if l.full() {
		return []string{""}
	}
	var names []string
	for i, name := range schemaNames {
		if l.chosen.has(i) {
			names = append(names, name)
		}
	}
	return names
}

// took sets the spacing of lists according to the time that a complete list took.
func (l *listing) took(d time.Duration) {
	l.failures = 0
	l.spacing = min(1+int((d-1)/listBudget), l.maxSpacing)
	l.wait = l.spacing
}

// failed increases the spacing with each consecutive failure, because the server may need more time than it is given. After the first
// failure, the next scrape retries.
func (l *listing) failed() {
	l.failures++
	l.spacing = min(max(l.spacing, l.failures), l.maxSpacing)
	l.wait = l.spacing
}

// profile holds the properties of a stream on which the choice of schemas depends.
type profile struct {
	origin metadata.AttributeZlmediakitOriginType
	native int       // schema of the origin
	listed schemaSet // schemas that the stream has
	shown  schemaSet // those of them in which media flowed
}

// learn evaluates a complete list, whose streams are counted by profile. After a full list, it chooses the schemas of the next lists.
// After a doubt about a stream, it may request a full list next.
func (l *listing) learn(streams map[profile]int, doubt bool) {
	if !l.auto {
		return
	}
	full := l.full()
	l.age++
	l.checked = max(l.checked-1, 0)
	for i := range l.keep {
		l.keep[i] = max(l.keep[i]-1, 0)
	}
	if !full {
		l.check = doubt && l.checked == 0
		return
	}
	if l.check {
		l.check, l.checked = false, checkEvery-1
	}
	l.age, l.learned = 0, true
	sources := 0
	for p, n := range streams {
		sources += n * bits.OnesCount8(uint8(p.listed))
	}
	l.chosen = allSchemas
	if sources > fullListMax {
		l.choose(streams)
	}
}

// choose chooses the schemas that show the streams, in addition to those chosen recently.
func (l *listing) choose(streams map[profile]int) {
	chosen := bestSchemas(streams)
	for i := range l.keep {
		if chosen.has(i) {
			l.keep[i] = fullListEvery
		} else if l.keep[i] > 0 {
			chosen |= 1 << i
		}
	}
	if bits.OnesCount8(uint8(chosen)) <= fewSchemas {
		l.chosen = chosen
	}
}

// bestSchemas returns the schemas that show whether media flows: first native schemas of the origins that show it, then the fewest that
// show the other streams, then one for each stream that no schema shows.
func bestSchemas(streams map[profile]int) schemaSet {
	for p := range streams {
		if p.listed == 1<<schemaOther { // a schema without a name cannot be requested
			return allSchemas
		}
	}
	chosen := cover(streams, nativeChoice(streams))
	silent := slices.SortedFunc(maps.Keys(streams), func(a, b profile) int { // most frequent first
		return cmp.Or(streams[b]-streams[a], int(a.listed)-int(b.listed), a.native-b.native)
	})
	for _, p := range silent {
		switch {
		case p.shown != 0 || p.listed&chosen != 0:
		case p.native != schemaOther && p.listed.has(p.native):
			chosen |= 1 << p.native
		default:
			chosen |= 1 << bits.TrailingZeros8(uint8(p.listed))
		}
	}
	return chosen
}

// nativeChoice returns the native schemas that show at least half of those streams of their origin which any schema shows.
func nativeChoice(streams map[profile]int) (chosen schemaSet) {
	type source struct {
		origin metadata.AttributeZlmediakitOriginType
		native int
	}
	balance := map[source]int{} // streams that the native schema shows, minus those that only others show
	for p, n := range streams {
		switch {
		case p.native == schemaOther || p.shown == 0:
		case p.shown.has(p.native):
			balance[source{p.origin, p.native}] += n
		default:
			balance[source{p.origin, p.native}] -= n
		}
	}
	for s, n := range balance {
		if n >= 0 {
			chosen |= 1 << s.native
		}
	}
	return chosen
}

// cover adds the fewest schemas to chosen, found greedily, so that every stream which any schema shows is shown.
func cover(streams map[profile]int, chosen schemaSet) schemaSet {
	for {
		best, most := 0, 0
		for i := range schemaOther {
			n := 0
			for p, count := range streams {
				if p.shown&chosen == 0 && p.shown.has(i) {
					n += count
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		if most == 0 {
			return chosen
		}
		chosen |= 1 << best
	}
}
