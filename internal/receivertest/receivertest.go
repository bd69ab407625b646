// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package receivertest provides helpers for the tests of receivers: golden files, tables of expected values, field ledgers, and a
// search for secrets.
package receivertest

import (
	"encoding/base64"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var update = flag.Bool("update", false, "update the golden files")

// Golden compares metrics with the file testdata/name.golden.yaml of the package under test, except for values that differ between
// runs. With -update it writes the file, with 0 or an empty string for these values.
func Golden(t *testing.T, name string, got pmetric.Metrics) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden.yaml")
	if *update {
		stable := pmetric.NewMetrics()
		got.CopyTo(stable)
		clearVolatile(stable)
		require.NoError(t, golden.WriteMetricsToFile(file, stable))
		return
	}
	want, err := golden.ReadMetrics(file)
	require.NoError(t, err, "run the test with -update to write the golden file")
	assert.NoError(t, pmetrictest.CompareMetrics(want, got,
		pmetrictest.IgnoreTimestamp(), pmetrictest.IgnoreStartTimestamp(),
		pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder(),
		pmetrictest.IgnoreMetricValues("rtc.scrape.duration"),
		pmetrictest.IgnoreResourceAttributeValue("server.port"), pmetrictest.IgnoreResourceAttributeValue("service.instance.id"),
	))
}

// clearVolatile clears values that differ between runs: the ports of test servers and the duration of requests.
func clearVolatile(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes()
		if port, ok := attributes.Get("server.port"); ok {
			port.SetInt(0)
		}
		if instance, ok := attributes.Get("service.instance.id"); ok {
			instance.SetStr("")
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != "rtc.scrape.duration" {
					continue
				}
				for _, dp := range NumberPoints(m).All() {
					dp.SetDoubleValue(0)
				}
			}
		}
	}
}

// Points returns the value of every point. The keys are those of expected.tsv: name{key=value,...}, sorted by attribute key.
func Points(t *testing.T, md pmetric.Metrics) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, dp := range NumberPoints(m).All() {
					key := m.Name() + attributes(dp.Attributes())
					_, twice := values[key]
					require.False(t, twice, "two points of %s", key)
					values[key] = value(dp)
				}
			}
		}
	}
	return values
}

// NumberPoints returns the points of a gauge or sum.
func NumberPoints(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeGauge {
		return m.Gauge().DataPoints()
	}
	return m.Sum().DataPoints()
}

func value(dp pmetric.NumberDataPoint) float64 {
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(dp.IntValue())
	}
	return dp.DoubleValue()
}

func attributes(m pcommon.Map) string {
	raw := m.AsRaw()
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(raw)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", k, raw[k]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// EnableAll enables everything in config, a pointer to a generated MetricsConfig or ResourceAttributesConfig.
func EnableAll(config any) {
	for _, field := range reflect.ValueOf(config).Elem().Fields() {
		field.FieldByName("Enabled").SetBool(true)
	}
}

// Expected compares points with the lines of a scene in a table. Its columns are scene, point in the notation of Points, and value,
// which was computed from the captured answers without the receiver's code. A value of - means that the point must not exist.
func Expected(t *testing.T, file, scene string, got map[string]float64) {
	t.Helper()
	lines := 0
	for _, row := range Table(t, file) {
		if row[0] != scene {
			continue
		}
		lines++
		value, exists := got[row[1]]
		if row[2] == "-" {
			assert.False(t, exists, "unexpected point %s", row[1])
			continue
		}
		want, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		assert.True(t, exists, "missing point %s", row[1])
		assert.InDelta(t, want, value, 1e-9, row[1])
	}
	assert.Positive(t, lines, "%s has no line for %s", file, scene)
}

// Table reads a file of tab-separated values. It skips empty lines and lines that begin with #.
func Table(t *testing.T, file string) [][]string {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	require.NoError(t, err)
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows
}

// NoSecret requires that no text contains the secret, neither plain nor encoded as in URLs and headers.
func NoSecret(t *testing.T, secret string, texts ...string) {
	t.Helper()
	require.NotEmpty(t, secret)
	for _, encoded := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		for _, text := range texts {
			assert.NotContains(t, text, encoded)
		}
	}
}

// Text returns all metrics, attributes and values as text.
func Text(t *testing.T, md pmetric.Metrics) string {
	t.Helper()
	text, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return string(text)
}

// Clock is a clock whose offset from the real time tests can set.
type Clock struct{ offset atomic.Int64 }

// Now returns the real time plus the offset.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// ClockJumps scrapes while the clocks of the collector and of the server jump by an hour and back. It requires that no point starts
// after its own time, and that start times return to their first values with the collector's clock.
func ClockJumps(t *testing.T, collector, server *Clock, scrape func() pmetric.Metrics) {
	t.Helper()
	const tolerance = 10 * time.Second // for start times derived from whole seconds, on a slow machine
	scrapeAt := func(clock *Clock, offset time.Duration) map[string]time.Time {
		clock.offset.Store(int64(offset))
		return sumStarts(t, scrape(), collector.Now())
	}
	first := scrapeAt(collector, 0)
	require.NotEmpty(t, first)
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		scrapeAt(collector, jump)
		again := scrapeAt(collector, 0)
		for sum, start := range first {
			assert.WithinDuration(t, start, again[sum], tolerance, sum)
		}
	}
	for _, jump := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
		assert.NotEmpty(t, scrapeAt(server, jump))
	}
}

// sumStarts checks the times of all points and returns the start times of monotonic sums, keyed as in Points.
func sumStarts(t *testing.T, md pmetric.Metrics, now time.Time) map[string]time.Time {
	t.Helper()
	starts := map[string]time.Time{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, dp := range NumberPoints(m).All() {
					key := m.Name() + attributes(dp.Attributes())
					assert.LessOrEqual(t, dp.StartTimestamp(), dp.Timestamp(), key)
					assert.WithinDuration(t, now, dp.Timestamp().AsTime(), time.Minute, key)
					if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
						starts[key] = dp.StartTimestamp().AsTime()
					}
				}
			}
		}
	}
	return starts
}
