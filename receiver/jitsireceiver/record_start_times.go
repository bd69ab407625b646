// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"cmp"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// sums holds the state of the component's monotonic values between two scrapes.
type sums struct {
	start    pcommon.Timestamp // 0 until something is recorded
	recorded pcommon.Timestamp // time of the last scrape that was recorded
	last     [2][]float64      // last values by source and row
}

// rounding is the relative decrease of a floating-point value that is not taken for a restart.
const rounding = 1e-9

// sumsFell reports whether any monotonic value of a source has fallen, because the component has restarted.
func (s *scraper) sumsFell() (fell bool) {
	for from, a := range s.answers {
		if a == nil {
			continue
		}
		for i := range a.values {
			v := &a.values[i]
			if !s.metrics[i].Monotonic || v.rank == 0 {
				continue
			}
			current, least := float64(v.whole), s.sums.last[from][i]
			if s.rows[i].kind == kindDecimal {
				current, least = v.decimal, least-rounding*least
			}
			if current < 0 { // negative values are not recorded either
				continue
			}
			fell = fell || current < least
			s.sums.last[from][i] = current
		}
	}
	return fell
}

// startOfSums returns the start time of the sums: that of the component if it reports it, else the first scrape or, after a restart, the
// last scrape before it.
func (s *scraper) startOfSums(restarted bool) pcommon.Timestamp {
	switch started := s.reported.started; {
	case started > 0 && started <= float64(s.run.Now())/1e9:
		return pcommon.NewTimestampFromTime(time.UnixMilli(int64(math.Round(started * 1000))))
	case restarted && s.sums.recorded != 0:
		return s.sums.recorded
	}
	return cmp.Or(s.sums.start, s.run.StartTime())
}

func (s *scraper) startTime() pcommon.Timestamp { return s.sums.start }

// dropMixedSums drops the monotonic sums of components that respond in turn. It keeps those of the receiver itself.
func (s *scraper) dropMixedSums(metrics pmetric.MetricSlice) {
	if !s.mixture.mixed {
		return
	}
	metrics.RemoveIf(func(m pmetric.Metric) bool { return rows.IsMonotonic(m) && strings.HasPrefix(m.Name(), "jitsi.") })
}
