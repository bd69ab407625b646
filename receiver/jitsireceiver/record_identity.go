// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// identity holds the fields that identify a component. Fields that it does not report are empty.
type identity struct {
	version, region, relayID, release, octo string
	about                                   string  // the version from /about/version
	started                                 float64 // in seconds since 1970
}

func version(i *identity) *string { return &i.version }

// anyVersion returns the version, which may come from /about/version.
func (i *identity) anyVersion() string { return cmp.Or(i.version, i.about) }

// update sets the fields that a later scrape of the same component reported.
func (i *identity) update(reported identity) {
	*i = identity{
		version: cmp.Or(reported.version, i.version), region: cmp.Or(reported.region, i.region), relayID: cmp.Or(reported.relayID, i.relayID),
		release: cmp.Or(reported.release, i.release), octo: cmp.Or(reported.octo, i.octo),
		about: cmp.Or(reported.about, i.about), started: cmp.Or(reported.started, i.started),
	}
}

// fingerprint returns the fields that distinguish components. The version may come from /about/version.
func (i *identity) fingerprint(about string) identity {
	return identity{version: cmp.Or(i.version, about), region: i.region, relayID: i.relayID, started: i.started}
}

// same reports whether two scrapes may be of one component: all fields that both report are equal.
func (i *identity) same(as identity) bool {
	return agree(i.version, as.version) && agree(i.region, as.region) && agree(i.relayID, as.relayID) && agree(i.started, as.started)
}

func agree[T comparable](a, b T) bool {
	var absent T
	return a == absent || b == absent || a == b
}

// String describes the component in a log.
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
	// remembered is the number of scrapes after which a single identity proves that a mixture has ended.
	remembered = 10
	// startTolerance is the number of seconds by which a start may move back.
	startTolerance = 5
)

// mixture detects several components that respond in turn at one address, as behind a load balancer. The zero value is ready to use.
type mixture struct {
	recent []identity // of the last scrapes that reported one, oldest first
	mixed  bool
}

// observe adds the identity from a scrape and reports whether a mixture began or ended.
func (m *mixture) observe(reported identity) (changed bool) {
	if reported == (identity{}) {
		return false
	}
	if len(m.recent) == remembered {
		m.recent = slices.Delete(m.recent, 0, 1)
	}
	m.recent = append(m.recent, reported)
	before := m.mixed
	if m.mixed {
		m.mixed = len(m.recent) < remembered || len(m.different()) > 1
	} else {
		m.mixed = m.alternates()
	}
	return m.mixed != before
}

// different returns the distinct components of the last scrapes.
func (m *mixture) different() (met []identity) {
	for _, reported := range m.recent {
		at := slices.IndexFunc(met, reported.same)
		if at < 0 {
			met = append(met, reported)
			continue
		}
		met[at].update(reported)
	}
	return met
}

// alternates reports whether the last scrape found an earlier start, or a component that had been followed by another one. Neither
// happens on a restart or an upgrade.
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

// noteMixture logs when components begin or cease to respond in turn, and reports whether they have ceased.
func (s *scraper) noteMixture() (ended bool) {
	changed := s.mixture.observe(s.reported.fingerprint(s.identity.about))
	others := 0
	if s.mixture.mixed {
		others = len(s.mixture.different()) - 1
	}
	if len(s.mixture.recent) > 0 {
		s.run.Omit(metadata.AttributeRtcEntityBridge, metadata.AttributeRtcOmissionReasonMerged, int64(others))
	}
	switch {
	case !changed:
		return false
	case s.mixture.mixed:
		s.run.Logger.Warn("several components answer at one endpoint in turn, and their sums are omitted: "+
			"point each receiver at one of them (pod address, headless service)",
			zap.String("endpoint", s.ClientConfig.Endpoint), zap.Stringers("identities", s.mixture.different()))
		return false
	}
	s.run.Logger.Info("the endpoint is no longer shared by several components", zap.String("endpoint", s.ClientConfig.Endpoint))
	return true
}
