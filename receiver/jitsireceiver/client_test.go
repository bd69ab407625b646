// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsireceiver

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// checkAnswer scrapes a component that responds with body, all metrics enabled. It requires exactly points, and message in the error.
func checkAnswer(t *testing.T, block, source, path, body string, points map[string]float64, message string) {
	t.Helper()
	server := serve(t, "", answers{path: " " + body})
	s, _ := startSystem(t, at(block, server.URL), withSource(source), everything, withoutVersion)
	metrics, err := s.Scrape(t.Context())
	if message == "" {
		require.NoError(t, err)
	} else {
		require.ErrorContains(t, err, message)
	}
	got := rtctest.Points(t, metrics)
	up := message == "" || len(points) > 0 || strings.Contains(message, "wrong type")
	if source != sourceMetrics {
		assert.InDelta(t, float64(rows.BoolToInt(up)), got["rtc.target.up{}"], 0)
	}
	remove(got, "rtc.")
	want := map[string]float64{}
	for point, value := range points {
		want["jitsi."+block+"."+point] = value
	}
	assert.Equal(t, want, got)
}

// Unusual responses of bridges give the expected points and error.
func TestOddStatistics(t *testing.T) {
	for name, tt := range map[string]struct {
		body    string
		points  map[string]float64 // all of them
		message string
	}{
		"nothing":                       {`{}`, nil, "nothing of the answer is known of a JVB"},
		"null":                          {` null`, nil, "the answer is no JSON object"},
		"null and a line feed":          {"null\n", nil, "the answer is no JSON object"},
		"a null":                        {`{"threads":null,"conferences":1}`, map[string]float64{"conference.count{}": 1}, ""},
		"a quoted NaN":                  {`{"rtt_aggregate":"NaN","stress_level":"Infinity","conferences":"NaN"}`, nil, ""},
		"quoted numbers":                {`{"conferences":"3","stress_level":"0.5"}`, map[string]float64{"conference.count{}": 3, "stress{}": 0.5}, ""},
		"whole numbers as others":       {`{"conferences":3.0,"threads":4.2E3,"total_bytes_sent":1.823123451234E12}`, map[string]float64{"conference.count{}": 3, "thread.count{}": 4200, "network.io{jitsi.peer=endpoint,network.io.direction=transmit}": 1823123451234}, ""},
		"another number":                {`{"conferences":3.5,"threads":1}`, map[string]float64{"thread.count{}": 1}, "skipped values of a wrong type or range: conferences"},
		"a number over 64 bits":         {`{"total_bytes_sent":18446744073709551615}`, nil, "skipped values of a wrong type or range: total_bytes_sent"},
		"wrong types":                   {`{"healthy":1,"conferences":true,"region":[],"stress_level":"high","threads":2}`, map[string]float64{"thread.count{}": 2}, "wrong type or range: healthy, conferences, region, stress_level"},
		"no round trip":                 {`{"rtt_aggregate":0.0}`, nil, ""},
		"no packets":                    {`{"loss_rate_download":-1.0,"loss_rate_upload":0.0}`, map[string]float64{"network.packet_loss{network.io.direction=transmit}": 0}, ""},
		"both names":                    {`{"participants":7,"endpoints":8}`, map[string]float64{"endpoint.count{}": 8}, ""},
		"both names, the better first":  {`{"endpoints":8,"participants":7}`, map[string]float64{"endpoint.count{}": 8}, ""},
		"the better name without value": {`{"participants":7,"endpoints":null}`, map[string]float64{"endpoint.count{}": 7}, ""},
		"both losses":                   {`{"incoming_loss":0.1,"loss_rate_download":0.2}`, map[string]float64{"network.packet_loss{network.io.direction=receive}": 0.1}, ""},
		"true only when true":           {`{"shutting_down":true,"graceful_shutdown":false}`, map[string]float64{"shutting_down{}": 1, "graceful_shutdown{}": 0}, ""},
		"sizes that are not there yet":  {`{"conference_sizes":"[]"}`, nil, ""},
		"sizes as text":                 {`{"conference_sizes":"[1,2]","threads":1}`, map[string]float64{"thread.count{}": 1}, "wrong type or range: conference_sizes"},
		"sizes with another among them": {`{"conference_sizes":[1,"x",3],"threads":1}`, map[string]float64{"thread.count{}": 1}, "wrong type or range: conference_sizes"},
		"sizes with null among them":    {`{"conference_sizes":[1,null,3]}`, nil, "wrong type or range: conference_sizes"},
		"no sizes":                      {`{"conference_sizes":[]}`, nil, ""},
		"15 sizes":                      {`{"conference_sizes":[1,0,2]}`, map[string]float64{"conference.count_by_size{jitsi.conference.size=0}": 1, "conference.count_by_size{jitsi.conference.size=1}": 0, "conference.count_by_size{jitsi.conference.size=2+}": 2}, ""},
		"octo in bit/s":                 {`{"octo_send_bitrate":8000,"version":"2.1.163-x"}`, map[string]float64{"network.throughput{jitsi.peer=relay,network.io.direction=transmit}": 1000}, ""},
		"octo in kbit/s":                {`{"octo_send_bitrate":8,"version":"2.1.157-x"}`, map[string]float64{"network.throughput{jitsi.peer=relay,network.io.direction=transmit}": 1000}, ""},
		"keys that nobody knows":        {`{"threads":1,"new":{"a":[1,{}]},"version":null}`, map[string]float64{"thread.count{}": 1}, ""},
		"white space behind it":         {"{\"threads\":1}\r\n\t ", map[string]float64{"thread.count{}": 1}, ""},
		"something behind it":           {`{"threads":1}{"threads":2}`, nil, "cannot be decoded (26 bytes read"},
		"a NUL behind it":               {"{\"threads\":1}\x00", nil, "unexpected byte '\\x00'"},
		"a list":                        {`[{"threads":1}]`, nil, "the answer is no JSON object"},
		"a number":                      {`1`, nil, "the answer is no JSON object"},
		"a cut object":                  {`{"threads":1,"conf`, nil, "unexpected EOF"},
		"nothing at all":                {``, nil, "unexpected EOF"},
		"a page":                        {`<html>`, nil, "an HTML page instead of the API's answer: `<html>`"},
		"another program":               {`{"status":"ok"}`, nil, "nothing of the answer is known of a JVB: check that the setting jvb::endpoint leads to it"},
		"Jicofo":                        {`{"conferences":1,"bridge_selector":{}}`, nil, "this is the answer of Jicofo, not of a JVB: its endpoint belongs into the setting jicofo::endpoint"},
		"Jicofo of 2021":                {`{"jibri_detector":{},"conferences":1}`, nil, "this is the answer of Jicofo, not of a JVB"},
		"Jicofo, most of it":            {`{"bit_rate_download":8,"bridge_selector":{},"jingle":{}}`, nil, "this is the answer of Jicofo, not of a JVB"},
		"Jicofo, half of it":            {`{"threads":1,"bit_rate_download":8,"bridge_selector":{}}`, map[string]float64{"thread.count{}": 1, "network.throughput{jitsi.peer=endpoint,network.io.direction=receive}": 1000}, ""},
		"a foreign key":                 {`{"bridge_selector":{"bridge_count":3},"muc_clients_configured":1,"drain":false}`, map[string]float64{"xmpp.client.configured.count{}": 1, "draining{}": 0}, ""},
		"foreign keys of two others":    {`{"bridge_selector":{},"total_transcriber_started":1,"drain":true}`, map[string]float64{"draining{}": 1}, ""},
		"shared keys only":              {`{"conferences":1,"largest_conference":2}`, map[string]float64{"conference.count{}": 1, "conference.size.max{}": 2}, ""},
		"Jigasi":                        {`{"conferences":1,"total_calls_with_dropped_media":0}`, nil, "this is the answer of Jigasi, not of a JVB: its endpoint belongs into the setting jigasi::endpoint"},
		"Jibri":                         {`{"status":{"busyStatus":"IDLE","health":{}}}`, nil, "this is the answer of Jibri, not of a JVB: its endpoint belongs into the setting jibri::endpoint"},
		"a status of another kind":      {`{"status":"ok","threads":1}`, map[string]float64{"thread.count{}": 1}, ""},
		"Jicofo, cut":                   {`{"bridge_selector":{},"thr`, nil, "unexpected EOF"},
		"below 0":                       {`{"conferences":-1,"total_bytes_sent":-1,"threads":1,"stress_level":-0.5,"bit_rate_download":-8,"total_conference_seconds":-1,"rtt_aggregate":-1}`, map[string]float64{"thread.count{}": 1}, ""},
		"sizes below 0":                 {`{"conference_sizes":[1,-2,3]}`, map[string]float64{"conference.count_by_size{jitsi.conference.size=0}": 1, "conference.count_by_size{jitsi.conference.size=2+}": 3}, ""},
		"products out of range":         {`{"bit_rate_download":1e308,"used_memory":1e300,"threads":1}`, map[string]float64{"thread.count{}": 1}, ""},
		"a fraction of a megabyte":      {`{"used_memory":1.0000006}`, map[string]float64{"host.memory.usage{}": 1000001}, ""},
		"too many sizes":                {`{"conference_sizes":[` + strings.Repeat("0,", 1000) + `0]}`, nil, "more than 1000 sizes"},
		"too many members":              {`{` + strings.Repeat(`"a":0,`, 100_000) + `"b":0}`, nil, "more than 100000 members"},
	} {
		t.Run(name, func(t *testing.T) {
			checkAnswer(t, "jvb", "colibri", apiColibri, tt.body, tt.points, tt.message)
		})
	}
}

// Unusual pages give the expected points and error.
func TestOddPages(t *testing.T) {
	for name, tt := range map[string]struct {
		page    string
		points  map[string]float64
		message string
	}{
		"no metric":              {"# nothing\n", nil, "nothing of the answer is known of a JVB"},
		"no number":              {"jitsi_jvb_stress NaN\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, ""},
		"an infinite number":     {"jitsi_jvb_conferences +Inf\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "wrong type or range: jitsi_jvb_conferences"},
		"another number":         {"jitsi_jvb_conferences 1.5\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "skipped values of a wrong type or range: jitsi_jvb_conferences"},
		"a huge number":          {"jitsi_jvb_conferences 1e19\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "wrong type or range: jitsi_jvb_conferences"},
		"a bad line":             {"jitsi_jvb_conferences x\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "skipped lines that cannot be parsed: 1; line 1 (jitsi_jvb_conferences)"},
		"when counters began":    {"jitsi_jvb_endpoints_total 5\njitsi_jvb_endpoints_created 1.7e9\n", map[string]float64{"endpoint.creations{}": 5}, ""},
		"the sum of all queues":  {"jitsi_jvb_queue_dropped_packets_total 7\njitsi_jvb_srtp_send_queue_dropped_packets_total 7\n", map[string]float64{"queue.dropped_packets{jitsi.queue.name=srtp_send}": 7}, ""},
		"transit times":          {"jitsi_jvb_rtp_transit_time_bucket{le=\"5.0\"} 6\njitsi_jvb_rtp_transit_time_bucket{le=\"50.0\"} 8\njitsi_jvb_rtp_transit_time_bucket{le=\"+Inf\"} 11\njitsi_jvb_rtp_transit_time_count 11\n", map[string]float64{"transit.packets{jitsi.transit.protocol=rtp}": 11, "transit.late_packets{jitsi.transit.protocol=rtp}": 3}, ""},
		"buckets in any order":   {"jitsi_jvb_conferences_by_size_bucket{le=\"+Inf\"} 5\njitsi_jvb_conferences_by_size_bucket{le=\"1.0\"} 3\njitsi_jvb_conferences_by_size_bucket{le=\"0.0\"} 1\n", map[string]float64{"conference.count_by_size{jitsi.conference.size=0}": 1, "conference.count_by_size{jitsi.conference.size=1}": 2, "conference.count_by_size{jitsi.conference.size=2+}": 2}, ""},
		"buckets that fall":      {"jitsi_jvb_conferences_by_size_bucket{le=\"0.0\"} 5\njitsi_jvb_conferences_by_size_bucket{le=\"+Inf\"} 3\n", nil, "wrong type or range: conferences_by_size"},
		"a bucket that is twice": {"jitsi_jvb_conferences_by_size_bucket{le=\"0.0\"} 5\njitsi_jvb_conferences_by_size_bucket{le=\"0\"} 5\n", nil, "wrong type or range: conferences_by_size"},
		"a bucket of no size":    {"jitsi_jvb_conferences_by_size_bucket{le=\"x\"} 5\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "wrong type or range: jitsi_jvb_conferences_by_size_bucket"},
		"below 0":                {"jitsi_jvb_conferences -1\njitsi_jvb_bytes_sent_total -1\njitsi_jvb_cpu_steal -0.1\njitsi_jvb_jvm_gc_time -1\njitsi_jvb_startup_time -1e300\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, ""},
		"no yes and no no":       {"jitsi_jvb_healthy 5\njitsi_jvb_drain_mode -1\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "wrong type or range: jitsi_jvb_drain_mode, jitsi_jvb_healthy"},
		"buckets out of range":   {"jitsi_jvb_conferences_by_size_bucket{le=\"0.0\"} -9e18\njitsi_jvb_conferences_by_size_bucket{le=\"+Inf\"} 9e18\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, "wrong type or range: conferences_by_size"},
		"transit times below 0":  {"jitsi_jvb_rtp_transit_time_bucket{le=\"50.0\"} -9e18\njitsi_jvb_rtp_transit_time_count 9e18\n", map[string]float64{"transit.packets{jitsi.transit.protocol=rtp}": 9e18}, ""},
		"another program":        {"go_goroutines 7\n", nil, "nothing of the answer is known of a JVB"},
		"Jicofo":                 {"jitsi_jicofo_conferences 7\n", nil, "this is the answer of Jicofo, not of a JVB: its endpoint belongs into the setting jicofo::endpoint"},
		"Jicofo, most of it":     {"jitsi_jvb_thread_count 1\njitsi_jicofo_conferences 7\njitsi_jicofo_participants_current 7\n", nil, "this is the answer of Jicofo, not of a JVB"},
		"bridges of Jicofo":      {"jitsi_jicofo_bridge_endpoints{jvb=\"a\"} 1\njitsi_jicofo_bridge_endpoints{jvb=\"b\"} 1\njitsi_jvb_thread_count 1\n", map[string]float64{"thread.count{}": 1}, ""},
		"a foreign family":       {"jitsi_jigasi_threads 5\njitsi_jvb_thread_count 1\njitsi_jvb_new 1\n", map[string]float64{"thread.count{}": 1}, ""},
		"an old page":            {"jitsi_thread_count 1\njitsi_jigasi_threads 5\n", map[string]float64{"thread.count{}": 1}, ""},
		"families of tomorrow":   {"jitsi_jvb_new 1\n", nil, "nothing of the answer is known of a JVB"},
		"JSON":                   {`{"conferences_total":5}`, nil, "JSON instead of a page of metrics: `{\"conferences_total\":5}`: check that the setting jvb::endpoint leads to a JVB"},
	} {
		t.Run(name, func(t *testing.T) {
			checkAnswer(t, "jvb", sourceMetrics, apiMetrics, tt.page, tt.points, tt.message)
		})
	}
}

// Valid statistics in a response with an error status are not used.
func TestStatusCounts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"conferences":1}`))
	}))
	defer server.Close()
	s, _ := startSystem(t, at("jvb", server.URL))
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "HTTP status 500 Internal Server Error: `{\"conferences\":1}`")
	assert.InDelta(t, 0, rtctest.Points(t, metrics)["rtc.target.up{}"], 0)
}

// Jicofo's sizes may be an array or buckets, its actions have three spellings, and the response of a bridge is an error.
func TestOddFocus(t *testing.T) {
	for name, tt := range map[string]struct {
		body    string
		points  map[string]float64
		message string
	}{
		"buckets": {
			`{"conference_sizes":{"average":"NaN","buckets":{"0_to_1":1,"3_to_5":2,"500_to_max":3,"p99_upper_bound":-1,"5_to_3":1,"a_to_b":1,"-1_to_2":1}}}`,
			map[string]float64{"conference.count_by_size{jitsi.conference.size=0}": 1, "conference.count_by_size{jitsi.conference.size=3-4}": 2, "conference.count_by_size{jitsi.conference.size=500+}": 3},
			"",
		},
		"spellings": {
			`{"jingle":{"sent":{"session-initiate":1,"TRANSPORT_INFO":2,"SOURCEADD":3,"rm -rf":4},"received":{}}}`,
			map[string]float64{
				"jingle.stanzas{jitsi.jingle.action=session-initiate,network.io.direction=transmit}": 1,
				"jingle.stanzas{jitsi.jingle.action=transport-info,network.io.direction=transmit}":   2,
				"jingle.stanzas{jitsi.jingle.action=source-add,network.io.direction=transmit}":       3,
			},
			"",
		},
		"failures of old":  {`{"total_recording_failures":2}`, map[string]float64{"jibri.failures{jitsi.jibri.mode=recording}": 2}, ""},
		"queues":           {`{"queues":{"a":{"added_packets":1},"b":{"added_packets":2,"x":{}}}}`, map[string]float64{"queue.added_packets{jitsi.queue.name=a}": 1, "queue.added_packets{jitsi.queue.name=b}": 2}, ""},
		"objects gone bad": {`{"jibri":5,"queues":{"a":[]},"bridge_selector":{"bridge_count":{}},"threads":1}`, map[string]float64{"thread.count{}": 1}, "wrong type or range: jibri, a, bridge_count"},
		"nothing in them":  {`{"jigasi":{},"xmpp":{},"jibri":null,"threads":1}`, map[string]float64{"thread.count{}": 1}, ""},
		"nothing":          {`{}`, nil, "nothing of the answer is known of Jicofo"},
		"null":             {`null`, nil, "the answer is no JSON object"},
		"an empty object":  {`{"jigasi":{}}`, nil, ""},
		"a bridge":         {`{"bit_rate_download":1}`, nil, "this is the answer of a JVB, not of Jicofo: its endpoint belongs into the setting jvb::endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			checkAnswer(t, "jicofo", "stats", apiStats, tt.body, tt.points, tt.message)
		})
	}
}

// Jicofo's page names actions after the constants in its code.
func TestActionsOnPage(t *testing.T) {
	checkAnswer(t, "jicofo", sourceMetrics, apiMetrics,
		"jitsi_jicofo_jingle_session_initiate_sent_total 1\njitsi_jicofo_jingle_sourceadd_sent_total 2\njitsi_jicofo_jingle_sourceremove_received_total 3\n",
		map[string]float64{
			"jingle.stanzas{jitsi.jingle.action=session-initiate,network.io.direction=transmit}": 1,
			"jingle.stanzas{jitsi.jingle.action=source-add,network.io.direction=transmit}":       2,
			"jingle.stanzas{jitsi.jingle.action=source-remove,network.io.direction=receive}":     3,
		}, "")
}

// A response is attributed to the component that sent it.
func TestWhoseAnswer(t *testing.T) {
	captured := map[string]string{
		"jvb": "jvb/" + jvb3, "jicofo": "jicofo/" + focus, "jigasi": "jigasi/" + gateway, "jibri": "jibri/health.idle.json",
	}
	for block, file := range captured {
		text, err := os.ReadFile(filepath.Join(captures, file))
		require.NoError(t, err)
		for of, p := range components {
			t.Run(block+" asked as "+of, func(t *testing.T) {
				server := serve(t, "", answers{p.stats: " " + string(text), apiHealth: " {}"})
				s, _ := startSystem(t, at(of, server.URL), withSource(p.statsSource), withoutVersion)
				metrics, err := s.Scrape(t.Context())
				points := rtctest.Points(t, metrics)
				if of == block {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "this is the answer of "+components[block].title+", not of "+p.title)
				assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=format,rtc.api="+p.stats+"}"], 0)
			})
		}
	}
}

// A single key of another component does not affect the points, wherever it is.
func TestForeignKey(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(captures, "jvb", jvb3))
	require.NoError(t, err)
	want := pointsOf(t, "jvb", answers{apiColibri: jvb3}, withSource("colibri"))
	require.Greater(t, len(want), 70)
	end := strings.LastIndexByte(string(text), '}')
	for name, body := range map[string]string{
		"first": `{"bridge_selector":{"bridge_count":1},` + string(text[1:]),
		"last":  string(text[:end]) + `,"jibri_detector":{"count":1}}`,
	} {
		assert.Equal(t, want, pointsOf(t, "jvb", answers{apiColibri: " " + body}, withSource("colibri")), name)
	}
}

// A wrong response of one source affects only that source, in every scrape.
func TestWrongAnswerOfOneSource(t *testing.T) {
	for _, body := range []string{"null", "{}", "[]", "7", `{"bridge_selector":{}}`} {
		server := serve(t, filepath.Join(captures, "jvb"), answers{apiColibri: " " + body, apiMetrics: jvbPage})
		s, _ := startSystem(t, at("jvb", server.URL), withoutVersion)
		for scrapes := 1; scrapes <= 3; scrapes++ {
			metrics, err := s.Scrape(t.Context())
			require.ErrorContains(t, err, apiColibri+" of "+server.URL)
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			assert.InDelta(t, scrapes, points["rtc.scrape.errors{error.type=format,rtc.api=/colibri/stats}"], 0)
			assert.InDelta(t, 8, points["jitsi.jvb.conference.count{}"], 0)
		}
	}
}
