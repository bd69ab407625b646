// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		unit  unit
		value float64
		want  string
	}{
		{count, 0, "0"},
		{count, 999, "999"},
		{count, 1000, "1,000"},
		{count, -1234567, "-1,234,567"},
		{count, 12345678, "12.3 M"},
		{count, math.NaN(), "–"},
		{count, math.Inf(1), "–"},
		{count, 0.5, "0.50"},
		{bitRate, 0, "0 bit/s"},
		{bitRate, 12, "96 bit/s"},
		{bitRate, 125, "1.00 kbit/s"},
		{bitRate, 124.99, "1.00 kbit/s"},
		{bitRate, 1.25e6, "10.0 Mbit/s"},
		{bitRate, 15.4e6, "123 Mbit/s"},
		{bitRate, 1.25e9, "10.0 Gbit/s"},
		{byteSize, 999, "999 B"},
		{byteSize, 1536, "1.54 kB"},
		{byteSize, 5e18, "5000 PB"},
		{duration, 0, "0 s"},
		{duration, 0.0005, "0.50 ms"},
		{duration, 0.0123, "12.3 ms"},
		{duration, 5.25, "5.25 s"},
		{duration, 59.9, "59 s"},
		{duration, 60, "0:01 h"},
		{duration, 3723, "1:02 h"},
		{duration, 86399, "23:59 h"},
		{duration, 90000, "1 d 1 h"},
		{percent, 0, "0 %"},
		{percent, 0.0345, "3.45 %"},
		{percent, 0.5, "50.0 %"},
		{percent, 1, "100 %"},
		{perSecond, 2.5, "2.50 /s"},
		{frameRate, 25, "25.0 fps"},
	} {
		assert.Equal(t, test.want, test.unit.format(test.value).String(), "%v of unit %d", test.value, test.unit)
	}
	for elapsed, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 90 * time.Minute: "1:30 h", 50 * time.Hour: "2 d 2 h",
	} {
		assert.Equal(t, want, ago(noon, noon.Add(-elapsed)))
	}
}

func TestRing(t *testing.T) {
	var r ring
	known := func(now time.Time) (got map[int]float32) {
		got = map[int]float32{}
		for i, v := range r.last(now) {
			if v == v { // not NaN
				got[i] = v
			}
		}
		return got
	}
	last := int(ringSize) - 1
	assert.Empty(t, known(noon))
	r.put(noon, 1)
	r.put(noon.Add(19*time.Second), 2)
	assert.Equal(t, map[int]float32{last: 2}, known(noon), "the last one of a step")
	r.put(noon.Add(time.Minute), 3)
	assert.Equal(t, map[int]float32{last: 3, last - 3: 2}, known(noon.Add(time.Minute)), "steps without a value")
	r.put(noon.Add(-time.Minute), 4)
	assert.Equal(t, map[int]float32{last: 3, last - 3: 2}, known(noon.Add(time.Minute)), "the clock was set back")
	assert.Equal(t, map[int]float32{0: 3}, known(noon.Add(time.Hour+40*time.Second)), "an hour later")
	r.put(noon.Add(3*time.Hour), 5)
	assert.Equal(t, map[int]float32{last: 5}, known(noon.Add(3*time.Hour)), "after a gap of more than an hour")
	assert.Len(t, (*ring)(nil).last(noon), int(ringSize))
}

func TestCurve(t *testing.T) {
	nan := float32(math.NaN())
	for name, test := range map[string]struct {
		values     []float32
		line, area string
		label      string
	}{
		"unknown": {[]float32{nan, nan}, "", "", "X in the last hour: not known"},
		"gap":     {[]float32{0, 10, nan, 5, nan}, "M0 38.0L1 2.0M3 20.0h-0.5", "M0 40L0 38.0L1 2.0L1 40Z", "X in the last hour: highest 10"},
		"zero":    {[]float32{0, 0}, "M0 38L1 38", "M0 40L0 38L1 38L1 40Z", "X in the last hour: highest 0"},
	} {
		got := draw("X", count, test.values, window(ringSize))
		assert.Equal(t, test.line, got.Line, name)
		assert.Equal(t, test.area, got.Area, name)
		assert.Equal(t, test.label, got.Label, name)
	}
}

func TestWindow(t *testing.T) {
	for elapsed, want := range map[time.Duration]string{
		0: "6 2 min", 2 * time.Minute: "6 2 min", 5 * time.Minute: "15 5 min", 301 * time.Second: "16 6 min", 59 * time.Minute: "177 59 min",
		time.Hour: "180 hour", 5 * time.Hour: "180 hour",
	} {
		w := newWindow(noon, noon.Add(elapsed))
		assert.Equal(t, want, fmt.Sprintf("%d %s", int(w), w), "after %s", elapsed)
	}
	c := draw("X", count, make([]float32, ringSize), 15)
	assert.Equal(t, []int{165, 14}, []int{c.From, c.Width})
	assert.Equal(t, "X in the last 5 min: highest 0", c.Label)
}

func TestRate(t *testing.T) {
	b := newBench()
	var got []string
	for i, total := range []float64{100, 160, 160, 20, 80} {
		b.at = noon.Add(time.Duration(i) * 10 * time.Second)
		b.take(t, b.payload(kamailio, "k").counter("kamailio.requests", total))
		for _, target := range b.fleet.targets {
			got = append(got, fmt.Sprint(target.values[3].now))
		}
	}
	assert.Equal(t, []string{"NaN", "6", "0", "NaN", "6"}, got)
}

// TestMetrics checks that all metrics and attributes of the tables exist, that states are values of their attributes, and that titles are
// unique.
func TestMetrics(t *testing.T) {
	for _, s := range systems {
		var metadata struct {
			Attributes map[string]struct{ Enum []string }
			Metrics    map[string]struct{ Attributes []string }
		}
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "receiver", s.receiver, "metadata.yaml"))
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &metadata))
		check := func(q query, attributes ...string) {
			metric, ok := metadata.Metrics[q.metric]
			assert.True(t, ok, q.metric)
			for _, attribute := range attributes {
				assert.Contains(t, metric.Attributes, attribute, q.metric)
			}
			for i := 0; i < len(q.where); i += 2 {
				assert.Contains(t, metric.Attributes, q.where[i], q.metric)
				assert.Contains(t, metadata.Attributes[q.where[i]].Enum, q.where[i+1], q.metric)
			}
			if q.over != "" {
				assert.Contains(t, metadata.Metrics, q.over)
			}
		}
		for _, metric := range append(s.uptime, metricUp) {
			check(query{metric: metric})
		}
		check(query{metric: metricErrors}, attributeAPI, attributeErrorType)
		titles := map[string]bool{}
		for _, v := range s.values {
			check(v.of)
			assert.False(t, titles[v.title], v.title)
			titles[v.title] = true
		}
		for _, table := range s.tables {
			for _, c := range table.columns {
				attributes := []string{}
				for _, k := range table.keys {
					attributes = append(attributes, k.attribute)
				}
				if c.state != nil && c.state.attribute != "" {
					attributes = append(attributes, c.state.attribute)
					for word := range c.state.tones {
						assert.Contains(t, metadata.Attributes[c.state.attribute].Enum, word, c.of.metric)
					}
				}
				check(c.of, attributes...)
				assert.False(t, c.of.rate, "%s: columns have no rates", c.title)
			}
		}
	}
}
