// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// readPage requests and records the page.
func (r *rtpengine) readPage(ctx context.Context) (recorded bool, err error) {
	answer, err := r.page.Get(ctx)
	if err != nil && !scrape.IsPartial(err) {
		return false, err
	}
	r.mb.Refuse(answer.Refused)
	return true, errors.Join(err, r.record(answer.Samples))
}

// record records the samples of a page. It returns an error that names samples with impossible values, nil if there are none.
func (r *rtpengine) record(samples []sample) error {
	clear(r.unlisted)
	r.refused = r.refused[:0]
	for i := range samples {
		s := &samples[i]
		switch row := sampleRows[s.Name]; {
		case !isCount(s.Value):
			r.mb.Refuse(1)
			r.refuse(s.Name)
		case row.listed == nil || row.listed(s.Labels):
			r.recordSample(s.Name, s.Value, s.Labels)
		case row.hasUnknown:
			r.unlisted[s.Name] += s.Value
		default:
			r.mb.Refuse(1)
		}
	}
	for name, sum := range r.unlisted {
		r.recordSample(name, sum, nil)
	}
	if len(r.refused) == 0 {
		return nil
	}
	slices.Sort(r.refused)
	return &partialError{scrape.Format, "skipped values that are negative or exceed int64: " + strings.Join(r.refused, ", ")}
}

func (r *rtpengine) recordSample(name string, v float64, l labels) {
	switch {
	case !sampleRows[name].Point.RecordFloat(r.mb, v, l):
		r.refuse(name)
	case name == sampleUptime:
		r.uptime.Update(v, r.run.Now())
	}
}

// isCount reports whether a value can be a count. rtpengine prints a negative counter as a number near 2^64.
func isCount(v float64) bool { return v >= 0 && v < 1<<63 }

func (r *rtpengine) refuse(name string) {
	if !slices.Contains(r.refused, name) {
		r.refused = append(r.refused, name)
	}
}
