// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"go.uber.org/zap"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/jitsireceiver/internal/metadata"
)

// record records the values of both sources. Values that both have are taken from the JSON response.
func (s *scraper) record() {
	fell := s.sumsFell()
	s.reported = identity{}
	for i := range s.rows {
		for from, a := range s.answers {
			if a == nil || a.values[i].rank == 0 {
				continue
			}
			v, r := &a.values[i], &s.rows[i]
			v.decimal = r.unit.of(source(from), s.reported.version).Base(v.decimal)
			s.recordValue(r, v)
			break
		}
	}
	s.identity.update(s.reported)
	unmixed := s.noteMixture()
	s.sums.start = s.startOfSums(fell || unmixed)
	for of, set := range s.named {
		s.recordNamed(of, set)
	}
	s.sums.recorded = s.run.Now()
}

func (s *scraper) recordValue(r *row, v *value) {
	switch {
	case r.record != nil:
		r.record(s, r.Point, v)
	case r.kind == kindSizes:
		for _, size := range v.sizes {
			r.Point.Record(s.mb, size.count, size.label)
		}
	case r.kind == kindParts:
		for _, part := range v.parts {
			r.Point.Record(s.mb, rows.BoolToInt(part.healthy), part.name)
		}
	case r.kind == kindDecimal:
		r.Point.RecordFloat(s.mb, v.decimal, "")
	default:
		r.Point.Record(s.mb, v.whole, "")
	}
}

// onPage returns the value of a family on the page.
func (s *scraper) onPage(family string) value {
	a := s.answers[fromPage]
	if a == nil {
		return value{}
	}
	return a.values[s.client.names.page[family].key]
}

// recordUptime records how long the bridge has been running. After a restart, the bridge may have another version.
func recordUptime(s *scraper, p point, started *value) {
	if started.decimal <= 0 {
		return
	}
	s.reported.started = started.decimal
	if s.identity.started != 0 && s.reported.started != s.identity.started {
		s.identity.about = ""
		s.run.Restarted()
	}
	p.RecordFloat(s.mb, float64(s.run.Now())/1e9-started.decimal, "")
}

// jibriStates are the values of busyStatus.
var jibriStates = map[string]metadata.AttributeJitsiJibriState{
	"IDLE":    metadata.AttributeJitsiJibriStateIdle,
	"BUSY":    metadata.AttributeJitsiJibriStateBusy,
	"EXPIRED": metadata.AttributeJitsiJibriStateExpired,
}

func recordJibriState(s *scraper, p point, v *value) {
	current, known := jibriStates[v.text]
	if !known {
		current = metadata.AttributeJitsiJibriStateUnknown
	}
	for name, state := range metadata.MapAttributeJitsiJibriState {
		p.Record(s.mb, rows.BoolToInt(state == current), name)
	}
}

// recordJibriHealth records the health, which is a string in the JSON response and a number on the page.
func recordJibriHealth(s *scraper, p point, v *value) {
	p.Record(s.mb, rows.BoolToInt(v.text == healthyStatus || v.text == "1"), "")
}

// recordHealth records the result of a health check, and logs the reason of a failure when it changes.
func (s *scraper) recordHealth(h health) {
	jigasiHealthy.Record(s.mb, rows.BoolToInt(h.passed), rows.None{})
	switch {
	case h.reason == s.illness:
		return
	case h.passed:
		s.run.Logger.Info("the health check of the component passes again")
	default:
		s.run.Logger.Warn("the health check of the component fails", zap.String("reason", h.reason))
	}
	s.illness = h.reason
}
