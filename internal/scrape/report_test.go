// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/scraper/scrapererror"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
)

// points notes what is recorded, as a generated builder would.
type points []string

func (p *points) RecordRtcTargetUpDataPoint(_ pcommon.Timestamp, up int64) {
	*p = append(*p, fmt.Sprintf("up %d", up))
}

func (p *points) RecordRtcScrapesDataPoint(_ pcommon.Timestamp, n int64) {
	*p = append(*p, fmt.Sprintf("scrapes %d", n))
}

func (p *points) RecordRtcScrapeDurationDataPoint(_ pcommon.Timestamp, seconds float64, api string) {
	*p = append(*p, fmt.Sprintf("duration %v %s", seconds, api))
}

func (p *points) RecordRtcScrapeErrorsDataPoint(_ pcommon.Timestamp, n int64, api, errorType string) {
	*p = append(*p, fmt.Sprintf("errors %d %s %s", n, api, errorType))
}

func (p *points) RecordRtcScrapeOmittedCountDataPoint(_ pcommon.Timestamp, n int64, entity, reason string) {
	*p = append(*p, fmt.Sprintf("omitted %d %s %s", n, entity, reason))
}

func TestReport(t *testing.T) {
	var starts cumulative.Starts
	r := NewReport[string, string, string](map[string]string{"connection": "CONNECTION"}, &starts)
	results := []Result{
		{Part: Part{API: "a"}, Duration: 2 * time.Second},
		{Part: Part{API: "b"}, Duration: time.Second, Err: &failure{counted: Connection}},
		{Part: Part{API: "c"}, Err: errNotAsked},
	}
	for scrapes := 1; scrapes <= 2; scrapes++ {
		r.Begin()
		r.Omit("stream", "limit", 2)
		r.Omit("stream", "limit", 1)
		r.Omit("stream", "merged", 0)
		var got points
		r.Record(&got, 1, true, results)
		slices.Sort(got)
		assert.Equal(t, points{
			"duration 1 b", "duration 2 a", fmt.Sprintf("errors %d b CONNECTION", scrapes),
			"omitted 0 stream merged", "omitted 3 stream limit", fmt.Sprintf("scrapes %d", scrapes), "up 1",
		}, got)
	}
	for reason, want := range map[string]map[string]int64{"limit": {"stream": 3}, "merged": {}} {
		assert.Equal(t, want, maps.Collect(r.Omitted(reason)), reason)
	}
	for range r.Omitted("limit") {
		break // a reader may stop
	}
}

func TestNotices(t *testing.T) {
	var n Notices
	assert.True(t, n.First("a"))
	assert.True(t, n.First("b"))
	assert.False(t, n.First("a"))
}

func TestEnabledMetrics(t *testing.T) {
	type metric struct{ Enabled bool }
	assert.Equal(t, []string{"x.on"}, EnabledMetrics(&struct {
		On  metric `mapstructure:"x.on"`
		Off metric `mapstructure:"x.off"`
	}{On: metric{Enabled: true}}))
}

func TestJoin(t *testing.T) {
	require.NoError(t, Join(nil, nil))
	err := Join(scrapererror.NewPartialScrapeError(errors.New("first"), 3), nil, scrapererror.NewPartialScrapeError(errors.New("second"), 4))
	require.EqualError(t, err, "first; second")
	partial, ok := errors.AsType[scrapererror.PartialScrapeError](err)
	require.True(t, ok)
	assert.Equal(t, 7, partial.Failed)
}
