// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// rounding is by which part of it a decimal value may fall without having begun anew.
const rounding = 1e-9

// sumsFell reports whether any monotonic value of a source has fallen, because the process has restarted.
func (p *process) sumsFell() (fell bool) {
	for from, a := range p.answers {
		if a == nil {
			continue
		}
		for i := range a.facts {
			f := &a.facts[i]
			if p.wants.sums[i] == "" || f.rank == 0 {
				continue
			}
			value, least := float64(f.whole), p.sums[from][i]
			if p.rows[i].kind == kindDecimal {
				value, least = f.decimal, least-rounding*least
			}
			if value < 0 { // is not recorded either
				continue
			}
			fell = fell || value < least
			p.sums[from][i] = value
		}
	}
	return fell
}

// startOfSums returns the start time of the process's sums: its own start if it reports that, else the first scrape or, after a
// restart, the last scrape before it.
func (p *process) startOfSums(now pcommon.Timestamp, anew bool) pcommon.Timestamp {
	switch started := p.reported.started; {
	case started > 0 && started <= float64(now)/1e9:
		return pcommon.NewTimestampFromTime(time.UnixMilli(int64(math.Round(started * 1000))))
	case anew && p.last != 0:
		return p.last
	}
	return cmp.Or(p.start, p.report.Began())
}

// thingSum is a monotonic value of a thing, which may begin anew while those of the process go on.
type thingSum struct {
	row   int
	value int64
	start pcommon.Timestamp
}

// startOf returns when a monotonic value of a thing began: with the last scrape where it is new or has fallen.
func (r *recorded) startOf(row int, value int64, last pcommon.Timestamp) pcommon.Timestamp {
	at := slices.IndexFunc(r.sums, func(s thingSum) bool { return s.row == row })
	if at < 0 {
		r.sums = append(r.sums, thingSum{row: row, value: value, start: last})
		return last
	}
	s := &r.sums[at]
	if value < s.value {
		s.start = last
	}
	s.value = value
	return s.start
}

func isMonotonic(m pmetric.Metric) bool {
	return m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()
}

// dropSums removes the monotonic sums of a component, but not those of the receiver.
func dropSums(metrics pmetric.Metrics) {
	for _, rm := range metrics.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				return isMonotonic(m) && strings.HasPrefix(m.Name(), "jitsi.")
			})
		}
	}
}
