// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

// lookAgain is the number of scrapes after which a path that the server does not offer is asked for again: it may have been
// updated. After as many 404s in a row, a path that the server did offer counts as one that it no longer does.
const lookAgain = 10

// offers remembers which paths the server offers. A 404 means that it does not offer a path only as long as the path has
// never answered.
type offers map[string]*offer

// offer records how one path has answered so far.
type offer struct {
	answered bool   // at least once
	release  string // of the server when the path answered last; empty when unknown
	misses   int    // 404s in a row
	skips    int    // scrapes for which it is not asked for
}

func (o offers) of(api string) *offer {
	if o[api] == nil {
		o[api] = &offer{}
	}
	return o[api]
}

// lack reports whether a path is not to be asked for.
func (o offers) lack(api string) bool { return o.of(api).skips > 0 }

// neverHad reports whether the server does not offer a path, and has not done so before.
func (o offers) neverHad(api string) bool { return o.of(api).misses > 0 && !o.of(api).answered }

// pass counts a scrape.
func (o offers) pass() {
	for _, one := range o {
		one.skips = max(0, one.skips-1)
	}
}

// answer notes that a path of a server of this release answered.
func (o offers) answer(api, release string) {
	*o.of(api) = offer{answered: true, release: release}
}

// fail notes a failure that is no 404.
func (o offers) fail(api string) { o.of(api).misses = 0 }

// miss notes a 404 of a server of this release, and reports whether the server does not offer the path.
func (o offers) miss(api, release string) bool {
	one := o.of(api)
	one.misses++
	updated := release != "" && one.release != "" && release != one.release
	if one.answered && one.misses < lookAgain && !updated {
		return false
	}
	one.skips = lookAgain
	return true
}

// missAll notes that a path was not asked for, because the server offers none of its kind.
func (o offers) missAll(api string) {
	one := o.of(api)
	one.misses, one.skips = max(1, one.misses), lookAgain
}
