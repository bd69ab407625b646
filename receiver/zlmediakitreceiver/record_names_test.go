// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// An expected name and the name from the server match in every spelling: the stream has exactly one point.
func TestExpectedNames(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		expected         string
		vhost, app, name string // as listed by the server
	}{
		{"v/live/cam", "v", "live", "cam"},
		{"v/a%20b/cam", "v", "a%20b", "cam"}, // as pushed, because the server does not decode it
		{"v/a%2520b/cam", "v", "a%20b", "cam"},
		{"v/a%b/cam", "v", "a%b", "cam"},
		{"v/a%25b/cam", "v", "a%b", "cam"},
		{"v/a%2Fb/cam", "v", "a/b", "cam"},
		{"v%2Fw/a%/cam", "v/w", "a%", "cam"},
		{"v/a/b/cam%20%2F1", "v", "a", "b/cam%20%2F1"}, // stream names are not decoded
		{"v/a/" + long, "v", "a", long},
		{"v/a/\xffcam", "v", "a", "\xffcam"},
	} {
		s := newTestStreams(t, func(c *StreamsConfig) { c.Expected = []string{tt.expected, tt.expected} })
		m := source("v/a/s", "rtmp", 7, 10)
		m.Vhost, m.App, m.Stream = []byte(tt.vhost), []byte(tt.app), []byte(tt.name)
		assert.Equal(t, []float64{1}, valuesOf(walkMetrics(t, s, m), "zlmediakit.stream.alive"), tt.expected)
		assert.Equal(t, []float64{0}, valuesOf(walkMetrics(t, s), "zlmediakit.stream.alive"), "missing: "+tt.expected)
	}
}
