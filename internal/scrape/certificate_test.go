// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestCertificates checks that the certificate counts that ends first, only in the scrape that saw it, and only if it is the process's.
func TestCertificates(t *testing.T) {
	now := time.Unix(1700000000, 0)
	noting := func(api string, ends ...time.Duration) Call {
		return Call{API: api, Always: true, Ask: func(ctx context.Context) (func(), error) {
			for _, end := range ends {
				NoteCertificate(ctx, now.Add(end))
			}
			return func() {}, nil
		}}
	}
	p := newFakeProcess()
	p.runner.clock = func() time.Time { return now }
	p.runner.process.Scrape = func(ctx context.Context, s *Scrape) {
		s.Run(ctx, p.calls...)
		s.RunElsewhere(ctx, "other:81", noting("other", -time.Minute))
	}
	for name, tc := range map[string]struct {
		ends []time.Duration
		want any
	}{
		"none":     {},
		"one":      {[]time.Duration{time.Hour}, 3600.0},
		"ended":    {[]time.Duration{-time.Hour}, -3600.0},
		"several":  {[]time.Duration{time.Hour, time.Second, time.Minute}, 1.0},
		"just now": {[]time.Duration{0}, 0.0},
	} {
		p.calls = []Call{noting("a"), noting("b", tc.ends...)}
		o, _ := p.scrape(t)
		var got any
		for _, m := range o.metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			if m.Name() == "certificate" {
				got = m.Gauge().DataPoints().At(0).DoubleValue()
			}
		}
		assert.Equal(t, tc.want, got, name)
	}
	NoteCertificate(t.Context(), now) // outside of a scrape
}
