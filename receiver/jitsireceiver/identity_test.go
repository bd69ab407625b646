// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// interval is the time between two scrapes of a story.
const interval = 10 * time.Second

// story is a component whose responses change from scrape to scrape.
type story struct {
	t      *testing.T
	server *fakeServer
	s      *system
	began  time.Time
	number int // of the scrape, from 1
}

func newStory(t *testing.T, block, source string) *story {
	t.Helper()
	st := &story{t: t, server: serve(t, "", nil)}
	st.s, _ = startSystem(t, at(block, st.server.URL), withSource(source), everything)
	st.began = st.s.scrapers[0].run.StartTime().AsTime()
	st.s.SetClock(func() time.Time { return st.time(st.number) })
	return st
}

// time returns the time of a scrape. The start of the receiver is scrape 0.
func (st *story) time(number int) time.Time { return st.began.Add(time.Duration(number) * interval) }

// scrape scrapes the component with the responses a and returns the metrics.
func (st *story) scrape(a answers) pmetric.Metrics {
	st.number++
	st.server.change(a)
	metrics, _ := st.s.Scrape(st.t.Context())
	return metrics
}

// starts returns the start times of a component's monotonic sums, as the number of a scrape if the scrape has the same time.
func (st *story) starts(metrics pmetric.Metrics) map[string]string {
	starts := map[string]string{}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Type() != pmetric.MetricTypeSum || !m.Sum().IsMonotonic() || strings.HasPrefix(m.Name(), "rtc.") {
			continue
		}
		for _, dp := range m.Sum().DataPoints().All() {
			name := m.Name()
			for _, value := range dp.Attributes().All() {
				name += " " + value.AsString()
			}
			starts[name] = st.name(dp.StartTimestamp())
		}
	}
	return starts
}

func (st *story) name(start pcommon.Timestamp) string {
	since := start.AsTime().Sub(st.began)
	if since%interval == 0 {
		return fmt.Sprintf("scrape %d", since/interval)
	}
	return start.AsTime().Format(time.RFC3339)
}

// If a component does not report its start time, it has restarted when any of its sums decreases: then all of them start at the
// previous scrape. A decrease of other values is not a restart.
func TestSumsThatFall(t *testing.T) {
	const created, length = "jitsi.jvb.conference.creations", "jitsi.jvb.conference.time"
	both := func(start string) map[string]string { return map[string]string{created: start, length: start} }
	st := newStory(t, "jvb", "colibri")
	for _, step := range []struct {
		name string
		body string // empty: every path is not found
		want map[string]string
	}{
		{"the first scrape", `{"total_conferences_created":900,"total_conference_seconds":1e12,"conferences":8,"tcc_unmatched_feedback":9}`, both("scrape 0")},
		{"rises", `{"total_conferences_created":913,"total_conference_seconds":1e12,"conferences":8,"tcc_unmatched_feedback":9}`, both("scrape 0")},
		{"others fall", `{"total_conferences_created":913,"total_conference_seconds":1e12,"conferences":2,"tcc_unmatched_feedback":1}`, both("scrape 0")},
		{"by rounding", `{"total_conferences_created":913,"total_conference_seconds":999999999999}`, both("scrape 0")},
		{"one falls", `{"total_conferences_created":912,"total_conference_seconds":1e12}`, both("scrape 4")},
		{"rises again", `{"total_conferences_created":920,"total_conference_seconds":1e12}`, both("scrape 4")},
		{"below 0", `{"total_conferences_created":920,"total_conference_seconds":1e12,"total_bytes_sent":-1}`, both("scrape 4")},
		{"one is missing", `{"total_conferences_created":920}`, map[string]string{created: "scrape 4"}},
		{"nobody", "", map[string]string{}},
		{"after a restart", `{"total_conferences_created":0,"total_conference_seconds":5}`, both("scrape 8")},
		{"goes on", `{"total_conferences_created":1,"total_conference_seconds":5}`, both("scrape 8")},
		{"the other falls", `{"total_conferences_created":1,"total_conference_seconds":4.99}`, both("scrape 11")},
	} {
		a := answers{}
		if step.body != "" {
			a[apiColibri] = " " + step.body
		}
		assert.Equal(t, step.want, st.starts(st.scrape(a)), step.name)
	}
}

// Without the page, the start time that it last reported is used until a value decreases.
func TestStartWithoutPage(t *testing.T) {
	const created = "jitsi.jvb.conference.creations"
	st := newStory(t, "jvb", sourceAuto)
	stats := func(n int) string { return fmt.Sprintf(` {"total_conferences_created":%d,"drain":false}`, n) }
	page := func(started time.Time) string {
		return fmt.Sprintf(" jitsi_jvb_startup_time %d\njitsi_jvb_thread_count 1\n", started.UnixMilli())
	}
	first, second := st.began.Add(-time.Hour).Truncate(time.Second), st.time(2).Truncate(time.Second)
	for _, step := range []struct {
		name    string
		answers answers
		want    string
	}{
		{"told by the page", answers{apiColibri: stats(10), apiMetrics: page(first)}, first.Format(time.RFC3339)},
		{"the page is lost", answers{apiColibri: stats(11)}, first.Format(time.RFC3339)},
		{"a value falls", answers{apiColibri: stats(1)}, "scrape 2"},
		{"told again", answers{apiColibri: stats(2), apiMetrics: page(second)}, second.Format(time.RFC3339)},
		{"a value falls, but the start stays", answers{apiColibri: stats(1), apiMetrics: page(second)}, second.Format(time.RFC3339)},
	} {
		assert.Equal(t, map[string]string{created: step.want}, st.starts(st.scrape(step.answers)), step.name)
	}
}

// Jicofo's page lags behind its statistics, so a lower value in the other source is not a restart. A decrease of a value that only
// the page has is a restart of all sums.
func TestFallsBySource(t *testing.T) {
	const created, requests = "jitsi.jicofo.conference.creations", "jitsi.jicofo.conference.requests"
	st := newStory(t, "jicofo", sourceAuto)
	stats := func(n int) string { return fmt.Sprintf(` {"total_conferences_created":%d,"bridge_selector":{}}`, n) }
	page := func(n, asked int) string {
		return fmt.Sprintf(" jitsi_jicofo_conferences_created_total %d\njitsi_jicofo_conference_requests_total %d\n", n, asked)
	}
	for _, step := range []struct {
		answers answers
		want    map[string]string
	}{
		{answers{apiStats: stats(100), apiMetrics: page(95, 7)}, map[string]string{created: "scrape 0", requests: "scrape 0"}},
		{answers{apiMetrics: page(95, 7)}, map[string]string{created: "scrape 0", requests: "scrape 0"}},
		{answers{apiStats: stats(100), apiMetrics: page(96, 7)}, map[string]string{created: "scrape 0", requests: "scrape 0"}},
		{answers{apiStats: stats(100), apiMetrics: page(96, 2)}, map[string]string{created: "scrape 3", requests: "scrape 3"}},
	} {
		assert.Equal(t, step.want, st.starts(st.scrape(step.answers)), st.number)
	}
}

// Jicofo forgets a bridge that leaves. If the bridge comes back, its counters restart, and no others do.
func TestStartsOfThings(t *testing.T) {
	const moves, asked = "jitsi.jicofo.bridge.endpoint.moves", "jitsi.jicofo.conference.requests"
	st := newStory(t, "jicofo", sourceMetrics)
	for _, step := range []struct {
		page string // empty: every path is not found
		want map[string]string
	}{
		{"requests 5, a 3, b 4", map[string]string{asked: "scrape 0", moves + " a": "scrape 0", moves + " b": "scrape 0"}},
		{"requests 6, a 3, b 5", map[string]string{asked: "scrape 0", moves + " a": "scrape 0", moves + " b": "scrape 0"}},
		{"", map[string]string{}},
		{"requests 6, a 3, b 1", map[string]string{asked: "scrape 0", moves + " a": "scrape 0", moves + " b": "scrape 2"}},
		{"requests 6, b 1", map[string]string{asked: "scrape 0", moves + " b": "scrape 2"}},
		{"requests 6, a 1, b 2, c 9", map[string]string{asked: "scrape 0", moves + " a": "scrape 5", moves + " b": "scrape 2", moves + " c": "scrape 5"}},
		{"requests 6, a -5, b 3, c 9", map[string]string{asked: "scrape 0", moves + " b": "scrape 2", moves + " c": "scrape 5"}},
		{"requests 1, a 1, b 3", map[string]string{asked: "scrape 7", moves + " a": "scrape 7", moves + " b": "scrape 7"}},
	} {
		a := answers{}
		if step.page != "" {
			page := " "
			for sample := range strings.SplitSeq(step.page, ", ") {
				name, value, _ := strings.Cut(sample, " ")
				if name == "requests" {
					page += "jitsi_jicofo_conference_requests_total " + value + "\n"
				} else {
					page += fmt.Sprintf("jitsi_jicofo_bridge_endpoints_moved_total{jvb=%q} %s\n", name, value)
				}
			}
			a[apiMetrics] = page
		}
		assert.Equal(t, step.want, st.starts(st.scrape(a)), st.number)
	}
}

// Several bridges behind one address are distinguished from one that restarts or is upgraded by their identities.
func TestSeveralBridges(t *testing.T) {
	// The bridges: start time, relay id, version, region; - if not reported.
	bridges := map[rune]string{
		'a': "1000 r1 v1 eu", 'b': "2000 r2 v1 eu", 'c': "3000 r3 v1 eu",
		'A': "9000 r1 v1 eu", // a, restarted
		'u': "9000 r1 v2 eu", // a, upgraded
		'i': "- r1 v1 eu", 'j': "- r2 v1 eu", 'k': "- - v1 -", 'l': "- - v2 -",
		's': "1000 - - -", 't': "1003 - - -", 'o': "994 - - -",
		'n': "- - - -", // reports none of them
	}
	for name, tt := range map[string]struct {
		bridges string // that respond, scrape by scrape
		want    string // number of other bridges that are detected; - if there is no point
	}{
		"one":                            {"aaaaaaaaaaaa", "000000000000"},
		"a restart":                      {"aaaAAAAAAAAA", "000000000000"},
		"an upgrade":                     {"aaauuuuuuuuu", "000000000000"},
		"two, the older one first":       {"ababababab", "0011111111"},
		"two, the younger one first":     {"babababab", "011111111"},
		"three":                          {"abcabcabc", "000222222"},
		"two that do not say when":       {"ijijij", "001111"},
		"versions only":                  {"klk", "001"},
		"one goes":                       {"abaaaaaaaaaaaa", "00111111111000"},
		"one was seen long ago":          {"i" + strings.Repeat("j", 10) + "i", strings.Repeat("0", 12)},
		"a page that fails now and then": {"aiaiaiaAiAiA", "000000000000"},
		"the start back by 3 s":          {"ts", "00"},
		"the start back by 6 s":          {"so", "01"},
		"starts that are close":          {"tst", "001"},
		"one that tells nothing":         {"nnnn", "----"},
		"nothing between":                {"nanbna", "-00001"},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStory(t, "jvb", sourceAuto)
			got := ""
			for _, bridge := range tt.bridges {
				points := rtctest.Points(t, st.scrape(bridgeAnswers(bridges[bridge])))
				n, there := points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"]
				assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
				assert.Contains(t, points, "jitsi.jvb.conference.count{}", "gauges are true of one bridge")
				_, sums := points["jitsi.jvb.conference.creations{}"]
				assert.Equal(t, n == 0, sums, "sums of several bridges are of no use")
				if !there {
					got += "-"
					continue
				}
				got += fmt.Sprint(n)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// bridgeAnswers returns the statistics and the page of a bridge with these properties. Without a start time, there is no page.
func bridgeAnswers(bridge string) answers {
	words := strings.Fields(bridge)
	stats := ` {"drain":false,"conferences":1,"total_conferences_created":5`
	for i, key := range []string{"relay_id", "version", "region"} {
		if words[i+1] != "-" {
			stats += fmt.Sprintf(",%q:%q", key, words[i+1])
		}
	}
	a := answers{apiColibri: stats + "}"}
	if words[0] != "-" {
		a[apiMetrics] = fmt.Sprintf(" jitsi_jvb_startup_time %s000\n", words[0])
	}
	return a
}

// A mixture is logged once when it begins and once when it ends. Afterwards, sums start with the remaining bridge.
func TestSeveralBridgesEnd(t *testing.T) {
	for name, tt := range map[string]struct{ first, second, start string }{
		"that say when they started": {"1000 r1 v1 eu", "2000 r2 v1 eu", time.Unix(2000, 0).UTC().Format(time.RFC3339)},
		"that do not":                {"- r1 v1 eu", "- r2 v1 eu", "scrape 12"},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStory(t, "jvb", sourceAuto)
			core, logs := observer.New(zap.DebugLevel)
			st.s.scrapers[0].run.Logger = zap.New(core)
			st.scrape(bridgeAnswers(tt.first))
			st.scrape(bridgeAnswers(tt.second))
			assert.Zero(t, logs.FilterMessageSnippet("several").Len())
			st.scrape(bridgeAnswers(tt.first))
			for range 9 {
				metrics := st.scrape(bridgeAnswers(tt.second))
				require.Empty(t, st.starts(metrics))
			}
			metrics := st.scrape(bridgeAnswers(tt.second))
			assert.Equal(t, map[string]string{"jitsi.jvb.conference.creations": tt.start}, st.starts(metrics))
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 0, points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"], 0)
			assert.Contains(t, points, "rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}")

			entries := logs.FilterMessageSnippet("several").All()
			require.Len(t, entries, 2)
			assert.Equal(t, zap.WarnLevel, entries[0].Level)
			assert.Contains(t, entries[0].Message, "point each receiver at one of them (pod address, headless service)")
			assert.Equal(t, st.server.URL, entries[0].ContextMap()["endpoint"])
			identities := fmt.Sprint(entries[0].ContextMap()["identities"])
			assert.Contains(t, identities, "r1")
			assert.Contains(t, identities, "r2")
			assert.Equal(t, tt.first[0] != '-', strings.Contains(identities, "started 1970-01-01T00:16:40Z"), identities)
			assert.Equal(t, tt.first[0] != '-', strings.Contains(identities, "started"), identities)
			assert.Equal(t, zap.InfoLevel, entries[1].Level)
		})
	}
}

// Two bridges behind a load balancer that alternates between them are detected, and their sums are dropped.
func TestAlternatingBridges(t *testing.T) {
	var turn atomic.Int64
	var bridges []http.Handler
	for _, region := range []string{"restarted", ""} {
		bridge := emulate(t, func() (*emulator.Server, error) { return jitsi.NewJVB(jitsi.JVBOptions{Stats: true}) })
		if region == "restarted" {
			require.NoError(t, bridge.SetFault("restart"))
		}
		target, err := url.Parse(bridge.URL())
		require.NoError(t, err)
		bridges = append(bridges, httputil.NewSingleHostReverseProxy(target))
	}
	balancer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bridges[turn.Load()%2].ServeHTTP(w, r)
	}))
	t.Cleanup(balancer.Close)
	s, _ := startSystem(t, at("jvb", balancer.URL))
	for scrapes := range 6 {
		turn.Store(int64(scrapes))
		points, err := scrapeInTime(t, s, plenty)
		require.NoError(t, err)
		assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
		assert.Contains(t, points, "jitsi.jvb.stress{}")
		mixed := scrapes > 0 // the start of the second one is before that of the first
		_, sums := points["jitsi.jvb.conference.creations{}"]
		assert.Equal(t, !mixed, sums)
		omitted := points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"]
		assert.Equal(t, mixed, omitted == 1)
		assert.Zero(t, sumOf(points, "rtc.scrape.errors"))
	}
}

// Two Jicofos are distinguished by their versions.
func TestSeveralFocuses(t *testing.T) {
	st := newStory(t, "jicofo", "stats")
	for i, want := range []float64{0, 0, 1} {
		body := fmt.Sprintf(` {"bridge_selector":{},"version":"v%d","total_participants":5,"participants":1}`, i%2)
		points := rtctest.Points(t, st.scrape(answers{apiStats: body}))
		assert.InDelta(t, want, points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"], 0)
		assert.Contains(t, points, "jitsi.jicofo.participant.count{}")
		_, sums := points["jitsi.jicofo.participant.creations{}"]
		assert.Equal(t, want == 0, sums)
	}
}

// A bridge that is down for a while is not mistaken for several bridges.
func TestSeveralBridgesOutage(t *testing.T) {
	st := newStory(t, "jvb", sourceAuto)
	for range 3 {
		st.scrape(bridgeAnswers("1000 r1 v1 eu"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := st.s.Scrape(ctx)
		require.Error(t, err)
	}
	points := rtctest.Points(t, st.scrape(bridgeAnswers("1000 r1 v1 eu")))
	assert.InDelta(t, 0, points["rtc.scrape.omitted.count{rtc.entity=bridge,rtc.omission.reason=merged}"], 0)
}
