// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

// askAgainAfter is the number of scrapes after which a call that the process does not offer is made again, in case of an upgrade. It
// is also the number of consecutive misses after which a call that was answered before counts as not offered.
const askAgainAfter = 10

// offers remembers which calls a process offers. The zero value is ready to use.
type offers struct{ calls map[string]*offer }

// offer holds the history of one call.
type offer struct {
	answered bool // since the process started
	misses   int  // consecutive responses that the call does not exist
	wait     int  // scrapes until the call is made again
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

// lacks reports whether to skip a call in this scrape because the process does not offer it.
func (o *offers) lacks(api string) bool {
	one := o.calls[api]
	return one != nil && one.wait > 0
}

// nextScrape counts down the scrapes until missing calls are made again.
func (o *offers) nextScrape() {
	for _, one := range o.calls {
		one.wait = max(0, one.wait-1)
	}
}

// answer notes that a call was answered.
func (o *offers) answer(api string) { *o.of(api) = offer{answered: true} }

// fail notes that a call failed for a reason other than that it does not exist.
func (o *offers) fail(api string) { o.of(api).misses = 0 }

// miss notes a response that a call does not exist, and reports whether the call counts as not offered.
func (o *offers) miss(api string) bool {
	one := o.of(api)
	if one.misses++; one.answered && one.misses < askAgainAfter {
		return false
	}
	one.wait = askAgainAfter
	return true
}

// reset forgets all calls, because another release of the server may run now.
func (o *offers) reset() { clear(o.calls) }
