// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// totalsOf returns the sums over all streams without the prefix flussonic.
func totalsOf(points map[string]float64) map[string]float64 {
	totals := map[string]float64{}
	for point, value := range points {
		if name := strings.TrimPrefix(point, "flussonic."); strings.HasPrefix(name, "input.errors_by_type") || strings.HasPrefix(name, "play.session") {
			totals[name] = value
		}
	}
	return totals
}

// The sums are over all streams that run here, also those that are excluded. The errors of a stream count from the first complete list,
// or from 0 if the stream is newer, and remain when the stream is gone.
func TestTotals(t *testing.T) {
	const lost, pat = "input.errors_by_type{error.type=lost_packets}", "input.errors_by_type{error.type=ts_pat}"
	const hls, dash = "play.session.count{flussonic.protocol=hls}", "play.session.count{flussonic.protocol=dash}"
	row := func(name, input, sessions string) string {
		return fmt.Sprintf(`{"name":%q,"stats":{"opened_at":1763600000000,"input":{%s},"play":{"play_opened_sessions_by_proto":{%s}}}}`, name, input, sessions)
	}
	list, fails := "", false
	url := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("cursor") != "":
			http.Error(w, "boom", http.StatusBadGateway)
		case fails:
			_, _ = fmt.Fprintf(w, `{"streams":[%s],"next":"x"}`, list)
		default:
			_, _ = fmt.Fprintf(w, `{"streams":[%s]}`, list)
		}
	})
	s, _ := startScraper(t, url, func(c *Config) {
		onlyAPI(c)
		c.Streams.IncludeRemote = true
		c.Streams.Exclude = []filter.Config{{Strict: "b"}}
	})
	for _, step := range []struct {
		name, list string
		fails      bool
		want       map[string]float64
	}{
		{"incomplete", row("a", `"errors_lost_packets":5`, `"hls":9`), true, map[string]float64{}},
		{"first", row("a", `"errors_lost_packets":10`, `"hls":1`) + `,{"name":"b"}`, false, map[string]float64{lost: 0, hls: 1}},
		{
			"grown, and a new one", row("a", `"errors_lost_packets":13`, `"hls":2`) + `,{"name":"b"},` + row("c", `"errors_lost_packets":4,"errors_new":1`, `"hls":3`),
			false,
			map[string]float64{lost: 7, hls: 5},
		},
		{
			"excluded and duplicate", row("b", `"errors_ts_pat":100`, `"dash":1`) + `,` + row("b", `"errors_ts_pat":900`, `"dash":9`),
			false,
			map[string]float64{lost: 7, pat: 0, dash: 1},
		},
		{"impossible", row("b", `"errors_ts_pat":-1`, `"dash":-1,"hls":0.5`), false, map[string]float64{lost: 7, pat: 0}},
		{"incomplete again", row("b", `"errors_ts_pat":101`, `"hls":1`), true, map[string]float64{}},
		{"restarted", row("b", `"errors_ts_pat":2`, `"hls":0`), false, map[string]float64{lost: 7, pat: 3, hls: 0}},
		{
			"elsewhere", `{"name":"d","named_by":"remote","stats":{"input":{"errors_ts_pat":50},"play":{"play_opened_sessions_by_proto":{"hls":7}}}}`,
			false,
			map[string]float64{lost: 7, pat: 3},
		},
	} {
		list, fails = step.list, step.fails
		metrics, err := s.Scrape(t.Context())
		if step.fails {
			require.ErrorContains(t, err, "page 2")
		} else {
			require.NoError(t, err, step.name)
		}
		points := rtctest.Points(t, metrics)
		assert.Equal(t, step.want, totalsOf(points), step.name)
		maps.DeleteFunc(points, func(point string, _ float64) bool { return !strings.Contains(point, "stream.name=b") })
		assert.Empty(t, points, "b is excluded")
	}
}
