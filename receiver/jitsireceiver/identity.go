// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// identity holds how a process identifies itself. Fields that it does not report are empty.
type identity struct {
	version, region, relayID, release, octo string
	about                                   string  // the version from /about/version
	started                                 float64 // in seconds since 1970
}

func version(i *identity) *string { return &i.version }

// update takes the fields that a later scrape of the same process reported.
func (i *identity) update(told identity) {
	*i = identity{
		version: cmp.Or(told.version, i.version), region: cmp.Or(told.region, i.region), relayID: cmp.Or(told.relayID, i.relayID),
		release: cmp.Or(told.release, i.release), octo: cmp.Or(told.octo, i.octo),
		about: cmp.Or(told.about, i.about), started: cmp.Or(told.started, i.started),
	}
}

// fingerprint returns the fields that distinguish processes. The version may come from /about/version.
func (i *identity) fingerprint(about string) identity {
	return identity{version: cmp.Or(i.version, about), region: i.region, relayID: i.relayID, started: i.started}
}

// same reports whether two scrapes may be of one process: all fields that both report are equal.
func (i *identity) same(as identity) bool {
	return agree(i.version, as.version) && agree(i.region, as.region) && agree(i.relayID, as.relayID) && agree(i.started, as.started)
}

func agree[T comparable](a, b T) bool {
	var untold T
	return a == untold || b == untold || a == b
}

// String names the process for a log.
func (i identity) String() string {
	var words []string
	for name, word := range map[string]string{"version ": i.version, "region ": i.region, "relay id ": i.relayID} {
		if word != "" {
			words = append(words, name+selection.Name(word))
		}
	}
	slices.Sort(words)
	if i.started != 0 {
		words = append(words, "started "+time.UnixMilli(int64(i.started*1000)).UTC().Format(time.RFC3339))
	}
	return strings.Join(words, ", ")
}

const (
	// remembered is how many scrapes prove that a single process answers.
	remembered = 10
	// startTolerance is by how many seconds a start may move back.
	startTolerance = 5
)

// mixture notices that several processes answer at one address in turn, as behind a load balancer. The zero value is ready.
type mixture struct {
	recent []identity // of the last scrapes that reported one, oldest first
	mixed  bool
}

// observe takes the identity that a scrape reported, and reports whether a mixture began or ended.
func (m *mixture) observe(told identity) (changed bool) {
	if told == (identity{}) {
		return false
	}
	if len(m.recent) == remembered {
		m.recent = slices.Delete(m.recent, 0, 1)
	}
	m.recent = append(m.recent, told)
	before := m.mixed
	if m.mixed {
		m.mixed = len(m.recent) < remembered || len(m.different()) > 1
	} else {
		m.mixed = m.alternates()
	}
	return m.mixed != before
}

// different returns the processes that the last scrapes met.
func (m *mixture) different() (processes []identity) {
	for _, told := range m.recent {
		at := slices.IndexFunc(processes, told.same)
		if at < 0 {
			processes = append(processes, told)
			continue
		}
		processes[at].update(told)
	}
	return processes
}

// alternates reports whether the last scrape moved the start back, or met a process again after another one. A restart or an
// upgrade does neither.
func (m *mixture) alternates() bool {
	before, last := m.recent[:len(m.recent)-1], m.recent[len(m.recent)-1]
	for i := range before {
		if last.started != 0 && before[i].started > last.started+startTolerance {
			return true
		}
		another := func(between identity) bool { return !between.same(last) && !between.same(before[i]) }
		if before[i].same(last) && slices.ContainsFunc(before[i+1:], another) {
			return true
		}
	}
	return false
}
