// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"math/bits"
	"slices"
	"time"
)

const (
	// fullListMax is the number of media sources up to which schemas: auto asks for all of them.
	fullListMax = 500
	// fullListEvery is the number of lists after which schemas: auto looks at all schemas again.
	fullListEvery = 20
	// listBudget is the time that the list may take in each scrape; one that takes n times as long is asked for in every nth scrape.
	listBudget = 500 * time.Millisecond
	// maxSpacing bounds the number of scrapes from one list to the next.
	maxSpacing = 10
)

// The schemas of media sources; schemaOther stands for those that are not known yet.
const (
	schemaRTSP = iota
	schemaRTMP
	schemaTS
	schemaFMP4
	schemaHLS
	schemaHLSFMP4
	schemaOther
)

// schemaNames are the schemas as the server and the user write them.
var schemaNames = []string{"rtsp", "rtmp", "ts", "fmp4", "hls", "hls.fmp4"}

// schemaIndex returns the place of a schema in schemaNames.
func schemaIndex(name []byte) int {
	for i, known := range schemaNames {
		if string(name) == known {
			return i
		}
	}
	return schemaOther
}

// schemaSet is a set of schemas, one bit each.
type schemaSet uint8

const allSchemas schemaSet = 1<<(schemaOther+1) - 1

func (s schemaSet) has(i int) bool { return s&(1<<i) != 0 }

// listing decides when the media list is asked for and for which schemas, because it stops one of the server's event loops.
type listing struct {
	auto     bool
	chosen   schemaSet // what is reported
	age      int       // lists since the last full one
	spacing  int       // scrapes from one list to the next
	wait     int       // scrapes until the next list
	failures int       // since the last whole list
}

func newListing(schemas Schemas) listing {
	l := listing{chosen: allSchemas, spacing: 1}
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

// due reports whether this scrape asks for the list; it is called once a scrape.
func (l *listing) due() bool {
	if l.wait > 0 {
		l.wait--
	}
	return l.wait == 0
}

// full reports whether the next list is to hold all schemas.
func (l *listing) full() bool {
	return l.chosen == allSchemas || l.auto && l.age >= fullListEvery
}

// requests returns the schemas to ask for one by one; the empty string asks for all at once.
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

// took notes the time that a whole list took, and makes room when it was long.
func (l *listing) took(d time.Duration) {
	l.failures = 0
	l.spacing = min(1+int((d-1)/listBudget), maxSpacing)
	l.wait = l.spacing
}

// failed makes more room with each failure in a row: the server may need longer for the list than it is given. The first
// one is tried again at once.
func (l *listing) failed() {
	l.failures++
	l.spacing = min(max(l.spacing, l.failures), maxSpacing)
	l.wait = l.spacing
}

// learn chooses the schemas of the next lists after a complete one; streams counts the streams by the schemas that they have.
func (l *listing) learn(streams map[schemaSet]int) {
	full := l.full()
	l.age++
	if !l.auto || !full {
		return
	}
	l.age = 0
	l.chosen = allSchemas
	sources := 0
	for set, n := range streams {
		sources += n * bits.OnesCount8(uint8(set))
	}
	if sources > fullListMax {
		l.chosen = cover(streams)
	}
}

// cover returns the fewest schemas, found greedily, that show every stream: usually a single one, that with most streams.
func cover(streams map[schemaSet]int) schemaSet {
	var chosen schemaSet
	for {
		best, most := 0, 0
		for i := range schemaOther {
			n := 0
			for set, count := range streams {
				if set&chosen == 0 && set.has(i) {
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
