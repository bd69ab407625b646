// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

// askAgainAfter is the number of scrapes after which a call that a process does not offer is made again: it may have been upgraded.
// A call that it did offer counts as not offered after as many scrapes in a row that say so.
const askAgainAfter = 10

// offers remembers which calls a process offers. The zero value knows nothing.
type offers struct{ calls map[string]*offer }

// offer records how one call was answered so far.
type offer struct {
	answered bool // since the process started
	misses   int  // answers in a row that the call does not exist
	wait     int  // scrapes until it is made again
}

func (o *offers) of(api string) *offer {
	if o.calls == nil {
		o.calls = map[string]*offer{}
	}
	if o.calls[api] == nil {
		o.calls[api] = &offer{}
	}
	return o.calls[api]
}

// lacks reports whether a call is not to be made in this scrape because the process does not offer it.
func (o *offers) lacks(api string) bool {
	one := o.calls[api]
	return one != nil && one.wait > 0
}

// nextScrape brings the calls that are not offered closer to being made again.
func (o *offers) nextScrape() {
	for _, one := range o.calls {
		one.wait = max(0, one.wait-1)
	}
}

// answer notes that a call was answered.
func (o *offers) answer(api string) { *o.of(api) = offer{answered: true} }

// fail notes that a call failed for another reason than that it does not exist.
func (o *offers) fail(api string) { o.of(api).misses = 0 }

// miss notes an answer that a call does not exist, and reports whether the process does not offer it.
func (o *offers) miss(api string) bool {
	one := o.of(api)
	if one.misses++; one.answered && one.misses < askAgainAfter {
		return false
	}
	one.wait = askAgainAfter
	return true
}

// reset forgets everything: another release may have taken the place of the process.
func (o *offers) reset() { clear(o.calls) }
