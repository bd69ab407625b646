// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/kamailiotest"
)

// oftenKamailio overrides the shipped configuration for fast tests.
const oftenKamailio = `yaml:
receivers:
  kamailio: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`

// scrapeError is the message of log lines about failed calls.
const scrapeError = "Error scraping metrics"

// watch starts a collector that scrapes a Kamailio, and returns it after the first scrape.
func watch(t *testing.T, endpoint string, configs ...string) *collector {
	t.Helper()
	configs = append([]string{shipped("kamailio.yaml"), oftenKamailio}, configs...)
	c := start(t, []string{"KAMAILIO_ENDPOINT=" + endpoint}, configs...)
	awaitUp(t, c, 1)
	return c
}

func awaitUp(t *testing.T, c *collector, up float64) {
	t.Helper()
	eventually(t, func(ct *assert.CollectT) {
		assert.Equal(ct, []float64{up}, scrapePage(ct, c).values("rtc_target_up", nil))
	})
}

// transports are the transports for RPCs. Kamailio counts JSON-RPC in its statistics of requests and TCP connections.
var transports = map[string]struct {
	endpoint func(*kamailiotest.Server) string
	counts   bool
}{
	"unix": {func(s *kamailiotest.Server) string { return s.Unix }, false},
	"tcp":  {func(s *kamailiotest.Server) string { return s.TCP }, false},
	"http": {func(s *kamailiotest.Server) string { return s.JSONRPC }, true},
}

// TestKamailio compares the page with the traffic of SIPp and with JSON-RPC, and checks that scrapes do not change SIP statistics.
func TestKamailio(t *testing.T) {
	t.Parallel()
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kamailiotest.Start(t, kamailiotest.Options{})
			c := watch(t, transport.endpoint(s))
			if !transport.counts {
				checkNotCounted(t, s, c)
			}
			checkGrowth(t, s, c, transport.counts)
			s.Hold(t, "u1", 2)
			checkGauges(t, s, c)
			assert.Empty(t, complaints(c))
			c.Stop(t)
		})
	}
}

// checkNotCounted requires that scrapes do not change any statistics except those of memory.
func checkNotCounted(t *testing.T, s *kamailiotest.Server, c *collector) {
	t.Helper()
	const scrapes = 2
	read := func() map[string]int64 {
		all := s.Statistics(t, "all")
		maps.DeleteFunc(all, func(name string, _ int64) bool { return strings.HasPrefix(name, "shmem.") })
		return all
	}
	before, uptime := read(), sum(scrapePage(t, c).values("kamailio_uptime_seconds", nil))
	eventually(t, func(ct *assert.CollectT) {
		assert.GreaterOrEqual(ct, sum(scrapePage(ct, c).values("kamailio_uptime_seconds", nil)), uptime+scrapes)
	})
	assert.Greater(t, len(before), 100)
	assert.Equal(t, before, read())
}

// line is the expected sum of the series with these labels.
type line struct {
	name   string
	labels labels
	value  float64
}

func (l line) of(f families) float64 { return sum(f.values(l.name, l.labels)) }

// growth returns the growth of series caused by calls. If Kamailio counts scrapes, it omits the series that they affect.
func growth(sent kamailiotest.Traffic, scrapesCount bool) []line {
	invites, answered := sent.Requests["INVITE"], sent.Requests["BYE"]
	bySL := sent.Replies[403] // the sl module absorbs the ACKs of its replies before they are counted as requests
	all, byTM := -bySL, sent.Replies[486]+sent.Replies[603]
	var lines []line
	add := func(name string, value int, l labels) {
		lines = append(lines, line{"kamailio_" + name, l, float64(value)})
	}
	for method, n := range sent.Requests {
		all += n
		switch method {
		case "FOOBAR": // an unknown method
			add("request_unsupported_methods_total", n, nil)
		case "ACK":
			n -= bySL
			fallthrough
		default:
			add("requests_by_method_total", n, labels{"kamailio_request_method": method})
		}
	}
	add("replies_by_class_total", 2*answered, labels{"kamailio_reply_class": "2xx"}) // from the callee
	add("replies_by_code_total", answered, labels{"kamailio_reply_code": "18x"})
	add("replies_by_method_total", answered, labels{"kamailio_reply_class": "2xx", "kamailio_request_method": "BYE"})
	add("registrar_registrations_total", sent.Requests["REGISTER"], labels{"kamailio_registrar_outcome": "accepted"})
	add("registrar_registrations_total", 0, labels{"kamailio_registrar_outcome": "rejected"})
	add("usrloc_user_count", sent.Requests["REGISTER"], labels{"kamailio_usrloc_domain": "location"})
	add("transaction_creations_total", 2*answered+byTM, labels{"kamailio_transaction_origin": "remote"})
	add("transaction_creations_total", 0, labels{"kamailio_transaction_origin": "local"})
	add("transaction_completions_total", 2*answered, labels{"kamailio_reply_class": "2xx"})
	add("transaction_completions_total", sent.Replies[486], labels{"kamailio_reply_class": "4xx"})
	add("transaction_completions_total", sent.Replies[603], labels{"kamailio_reply_class": "6xx"})
	add("sl_replies_total", sent.Replies[202], labels{"kamailio_reply_group": "202"})
	add("sl_replies_total", sent.Replies[403], labels{"kamailio_reply_group": "403"})
	add("sl_acks_total", bySL, nil)
	add("dialog_creations_total", invites, nil)
	add("statistic_value", -7*invites, labels{"kamailio_statistic_name": "my_negative"})
	add("statistic_value", invites, labels{"kamailio_statistic_group": "scriptcnt", "kamailio_statistic_name": "sc_calls"})
	add("statistic_counts_total", invites, labels{"kamailio_statistic_name": "my_custom_value_total"})
	if !scrapesCount {
		add("requests_total", all, nil)
		add("tcp_connection_opens_total", 1, labels{"kamailio_tcp_initiator": "peer"}) // SIPp uses one connection for all calls
	}
	return lines
}

// checkGrowth makes calls and requires their growth on the page.
func checkGrowth(t *testing.T, s *kamailiotest.Server, c *collector, scrapesCount bool) {
	t.Helper()
	before := scrapePage(t, c)
	sent := s.Drive(
		t,
		kamailiotest.Calls{Scenario: "register", User: "u", Count: 4},
		kamailiotest.Calls{Scenario: "request", Count: 2},
		kamailiotest.Calls{Scenario: "call", User: "u1", Count: 5},
		kamailiotest.Calls{Scenario: "call", User: "u2", Count: 2, TCP: true},
		kamailiotest.Calls{Scenario: "fail", User: "busy", Count: 3},
		kamailiotest.Calls{Scenario: "fail", User: "forbidden", Count: 2},
		kamailiotest.Calls{Scenario: "fail", User: "decline", Count: 1},
	)
	assert.Equal(t, 5+2+3+2+1, sent.Requests["INVITE"])
	eventually(t, func(ct *assert.CollectT) {
		after := scrapePage(ct, c)
		for _, l := range growth(sent, scrapesCount) {
			assert.Len(ct, after.values(l.name, l.labels), 1, "%s%v", l.name, l.labels)
			assert.InDelta(ct, l.value, l.of(after)-l.of(before), 0, "%s%v", l.name, l.labels)
		}
	})
}

// gauges lists series whose values are also available over JSON-RPC, which does not change them.
var gauges = []struct {
	name, method, param, field string
	labels                     labels
}{
	{"dialog_active_count", "stats.fetch", "dialog:", "dialog.active_dialogs", nil},
	{"dialog_early_count", "stats.fetch", "dialog:", "dialog.early_dialogs", nil},
	{"usrloc_registered_user_count", "stats.fetch", "usrloc:", "usrloc.registered_users", nil},
	{"usrloc_contact_count", "stats.fetch", "usrloc:", "usrloc.location_contacts", labels{"kamailio_usrloc_domain": "location"}},
	{"memory_shared_limit_bytes", "stats.fetch", "shmem:", "shmem.total_size", nil},
	{"transaction_active_count", "stats.fetch", "tmx:", "tmx.active_transactions", nil},
	{"dialog_count", "dlg.stats_active", "", "ongoing", labels{"kamailio_dialog_state": "ongoing"}},
	{"dialog_count", "dlg.stats_active", "", "starting", labels{"kamailio_dialog_state": "starting"}},
	{"tcp_connection_limit", "core.tcp_info", "", "max_connections", nil},
	{"tcp_reader_count", "core.tcp_info", "", "readers", nil},
	{"dispatcher_set_count", "dispatcher.list", "", "NRSETS", nil},
}

func checkGauges(t *testing.T, s *kamailiotest.Server, c *collector) {
	t.Helper()
	wanted := []line{{"kamailio_dialog_active_count", nil, 2}} // made by Hold
	for _, g := range gauges {
		var params []any
		if g.param != "" {
			params = append(params, g.param)
		}
		var answer map[string]any
		s.JSON(t, &answer, g.method, params...)
		value, err := strconv.ParseFloat(fmt.Sprint(answer[g.field]), 64) // stats.fetch returns strings
		require.NoError(t, err, g.field)
		wanted = append(wanted, line{"kamailio_" + g.name, g.labels, value})
	}
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		for _, l := range wanted {
			assert.Equal(ct, []float64{l.value}, page.values(l.name, l.labels), "%s%v", l.name, l.labels)
		}
	})
}

// seriesOf counts the series of each of Kamailio's metrics.
func seriesOf(f families) map[string]int {
	counts := map[string]int{}
	for name, family := range f {
		if strings.HasPrefix(name, "kamailio_") {
			counts[name] = len(family.GetMetric())
		}
	}
	return counts
}

// seldom leaves time for a restart between two scrapes, and logs the start times of sums.
const (
	seldom = `yaml:
receivers:
  kamailio: {collection_interval: 3s}
exporters:
  debug: {verbosity: detailed}
service:
  pipelines: {metrics/kamailio: {exporters: [prometheus_page, debug]}}
`
)

// loggedStart returns the start time of a sum logged last, or the zero time.
func loggedStart(c *collector, sum string) (start time.Time) {
	const before, layout = "StartTimestamp: ", "2006-01-02 15:04:05.999999999 -0700 MST"
	log := c.Log()
	if at := strings.LastIndex(log, "-> Name: "+sum+"\n"); at >= 0 {
		_, rest, _ := strings.Cut(log[at:], before)
		text, _, _ := strings.Cut(rest, "\n")
		start, _ = time.Parse(layout, text)
	}
	return start
}

// TestKamailioRestart checks that a restart between two scrapes loses no metrics, and that sums restart.
func TestKamailioRestart(t *testing.T) {
	t.Parallel()
	accepted := line{"kamailio_registrar_registrations_total", labels{"kamailio_registrar_outcome": "accepted"}, 3}
	uptime := line{name: "kamailio_uptime_seconds", value: 5} // greater than the uptime after the restart
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kamailiotest.Start(t, kamailiotest.Options{})
			c := watch(t, transport.endpoint(s), seldom)
			s.Drive(t, kamailiotest.Calls{Scenario: "register", User: "u", Count: int(accepted.value)})
			var before families
			eventually(t, func(ct *assert.CollectT) {
				before = scrapePage(ct, c)
				assert.InDelta(ct, accepted.value, accepted.of(before), 0)
				assert.GreaterOrEqual(ct, uptime.of(before), uptime.value)
			})
			restart := time.Now().Add(-time.Second) // the uptime is in whole seconds
			assert.Less(t, loggedStart(c, "kamailio.requests"), restart)
			s.Restart(t)
			eventually(t, func(ct *assert.CollectT) {
				after := scrapePage(ct, c)
				assert.Less(ct, uptime.of(after), uptime.value)
				assert.Equal(ct, []float64{0}, after.values(accepted.name, accepted.labels))
				assert.Equal(ct, seriesOf(before), seriesOf(after))
				assert.Greater(ct, loggedStart(c, "kamailio.requests"), restart)
			})
			assert.Empty(t, scrapePage(t, c)["rtc_scrape_errors_total"])
			assert.Empty(t, complaints(c))
			c.Stop(t)
		})
	}
}

// TestKamailioFreeze checks that a suspended server is down, and that all metrics return when it resumes.
func TestKamailioFreeze(t *testing.T) {
	t.Parallel()
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := kamailiotest.Start(t, kamailiotest.Options{})
			c := watch(t, transport.endpoint(s))
			before := seriesOf(scrapePage(t, c))
			assert.Empty(t, complaints(c))
			s.Freeze(t)
			awaitUp(t, c, 0)
			for _, part := range []string{"core.uptime", transport.endpoint(s), "in time"} {
				assert.Contains(t, complaints(c), part)
			}
			eventually(t, func(ct *assert.CollectT) { assert.Empty(ct, seriesOf(scrapePage(ct, c))) })
			s.Thaw(t)
			eventually(t, func(ct *assert.CollectT) { assert.Equal(ct, before, seriesOf(scrapePage(ct, c))) })
			awaitUp(t, c, 1)
			c.Stop(t)
		})
	}
}

// complaints returns the log lines about failed calls.
func complaints(c *collector) string {
	var found strings.Builder
	for l := range strings.Lines(c.Log()) {
		if strings.Contains(l, scrapeError) {
			found.WriteString(l)
		}
	}
	return found.String()
}

// TestKamailioWithoutModules checks that metrics of missing modules are omitted without an error.
func TestKamailioWithoutModules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options     kamailiotest.Options
		there, gone []string
	}{
		"kex": {
			kamailiotest.Options{WithoutKex: true},
			[]string{"uptime_seconds", "transaction_creations_total", "transaction_completions_total", "dialog_count", "tcp_connection_count", "dispatcher_target_state", "htable_item_count"},
			[]string{"requests_total", "memory_shared_limit_bytes", "process_memory_limit_bytes"},
		},
		"tm": {
			kamailiotest.Options{WithoutTM: true},
			[]string{"uptime_seconds", "requests_total", "registrar_registrations_total", "process_memory_limit_bytes", "dispatcher_target_state"},
			[]string{"transaction_creations_total", "transaction_count", "dialog_count", "dialog_active_count"},
		},
		"minimal": {
			kamailiotest.Options{Minimal: true},
			[]string{"uptime_seconds", "requests_total", "process_memory_limit_bytes", "memory_shared_limit_bytes"},
			[]string{"transaction_count", "dialog_count", "dispatcher_target_state", "registrar_registrations_total", "htable_item_count"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := watch(t, kamailiotest.Start(t, test.options).Unix)
			page := seriesOf(scrapePage(t, c))
			for _, name := range test.there {
				assert.Contains(t, page, "kamailio_"+name)
			}
			for _, name := range test.gone {
				assert.NotContains(t, page, "kamailio_"+name)
			}
			assert.Empty(t, complaints(c))
			c.Stop(t)
		})
	}
}

// TestKamailioManyStatistics checks that all statistics of a large script are read if Kamailio can list their names. Otherwise, the
// listed ones are read, and the log says which setting to change.
func TestKamailioManyStatistics(t *testing.T) {
	t.Parallel()
	const extra, values = 1500, "kamailio_statistic_value"
	for name, test := range map[string]struct {
		format    string
		transport string
		truncated bool
	}{
		"short names":             {"extra_%d", "unix", false},
		"long names":              {"tenant_%04d_calls_rejected_now", "unix", true}, // exceeds the 32 KiB limit of a reply
		"long names, by JSON-RPC": {"tenant_%04d_calls_rejected_now", "http", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options kamailiotest.Options
			few := kamailiotest.Start(t, options)
			for i := range extra {
				options.Statistics = append(options.Statistics, fmt.Sprintf(test.format, i))
			}
			many := kamailiotest.Start(t, options)
			endpoint := transports[test.transport].endpoint
			usual := seriesOf(scrapePage(t, watch(t, endpoint(few))))
			c := watch(t, endpoint(many), "yaml:receivers::kamailio::statistics::limit: 2000")
			page := scrapePage(t, c)
			got := seriesOf(page)
			if test.truncated {
				checkTruncated(t, c, page)
				assert.Greater(t, got[values], extra/3)
				usual[values] = got[values]
			} else {
				assert.Empty(t, complaints(c))
				usual[values] += extra
			}
			assert.Equal(t, usual, got)
			c.Stop(t)
		})
	}
}

// checkTruncated requires that the page and the log report missing statistics, and that the log names the settings.
func checkTruncated(t *testing.T, c *collector, page families) {
	t.Helper()
	truncated := labels{"rtc_entity": "statistic", "rtc_omission_reason": "truncated"}
	assert.Positive(t, sum(page.values("rtc_scrape_omitted_count", truncated)))
	assert.Positive(t, sum(page.values("rtc_scrape_errors_total", labels{"rtc_api": "stats.fetch", "error_type": "size"})))
	for _, part := range []string{"stats.fetch of ", "binrpc_struct_max_body_size", "binrpc_max_body_size"} {
		assert.Contains(t, complaints(c), part)
	}
}

// watchBoth returns a collector that scrapes a Kamailio and its rtpengine.
func watchBoth(t *testing.T, s *kamailiotest.Server) *collector {
	t.Helper()
	return start(t, []string{"KAMAILIO_ENDPOINT=" + s.Unix}, shipped("kamailio.yaml"), oftenKamailio, `yaml:
receivers:
  kamailio: {rtpengine: {endpoint: `+s.RTPEngine+`}}
`)
}

// TestRTPEngine checks that an rtpengine is a separate target on the page of its Kamailio.
func TestRTPEngine(t *testing.T) {
	t.Parallel()
	s := kamailiotest.Start(t, kamailiotest.Options{RTPEngine: true})
	c := watchBoth(t, s)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		for _, job := range []string{"kamailio", "rtpengine"} {
			assert.Equal(ct, []float64{1}, page.values("rtc_target_up", map[string]string{"job": job}), job)
		}
		assert.Equal(ct, []float64{1}, page.values("kamailio_rtpengine_node_state", map[string]string{
			"kamailio_rtpengine_node": "udp:" + s.RTPEngineControl(), "kamailio_rtpengine_state": "enabled",
		}))
		assert.Equal(ct, []float64{0}, page.values("rtpengine_session_count", map[string]string{"rtpengine_session_type": "own"}))
		assert.Len(ct, page.values("rtpengine_uptime_seconds", nil), 1)
	})
	assert.Empty(t, complaints(c))
	c.Stop(t)
}

// mediaReports are the reports of a call, alternately by the caller and by the callee: a good connection, a bad one, and one that is
// unusable. rtpengine scores no report before it knows the round-trip times of both legs, so the first one is without effect.
var mediaReports = []kamailiotest.Report{{}, {}, {FractionLost: 26, Jitter: 160}, {FractionLost: 255, Jitter: 160}}

// opinionScore returns the mean opinion score of a report, rounded down to tenths, by the simplified E-model that rtpengine uses.
func opinionScore(r kamailiotest.Report, roundTrip time.Duration) float64 {
	const clockRate = 8 // per ms
	percentLost := math.Floor(float64(r.FractionLost) * 100 / 256)
	latency := float64(roundTrip.Milliseconds()) + 2*math.Floor(float64(r.Jitter)/clockRate) + 10
	rating := 93.2 - latency/40
	if latency >= 160 {
		rating = 93.2 - (latency-120)/10
	}
	rating -= 2.5 * percentLost
	if rating < 0 {
		return 1
	}
	return math.Floor(10*(1+0.035*rating+0.000007*rating*(rating-60)*(100-rating))) / 10
}

// TestRTPEngineCall compares the page with a call through rtpengine, whose RTP and RTCP the test sends.
func TestRTPEngineCall(t *testing.T) {
	t.Parallel()
	s := kamailiotest.Start(t, kamailiotest.Options{RTPEngine: true})
	c := watchBoth(t, s)
	call := s.Call(t)
	var least, most float64
	var before time.Duration // the round trip of the other leg
	for i, report := range mediaReports {
		party := []*kamailiotest.Party{call.Caller, call.Callee}[i%2]
		roundTrip := party.Report(t, report)
		if i > 0 {
			least += opinionScore(report, roundTrip+before)
			most += opinionScore(report, 0)
		}
		before = roundTrip
	}
	userspace, own := labels{"rtpengine_forwarding": "userspace"}, labels{"rtpengine_session_type": "own"}
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Equal(ct, []float64{3}, page.values("rtpengine_mos_samples_total", nil))
		scores := page.values("rtpengine_mos_summed_scores_total", nil)
		if assert.Len(ct, scores, 1) {
			assert.GreaterOrEqual(ct, scores[0], least-1e-9)
			assert.LessOrEqual(ct, scores[0], most+1e-9)
		}
		packets, bytes := float64(call.Caller.Packets+call.Callee.Packets), float64(call.Caller.Bytes+call.Callee.Bytes)
		assert.Equal(ct, []float64{packets}, page.values("rtpengine_network_packets_total", userspace))
		assert.Equal(ct, []float64{bytes}, page.values("rtpengine_network_io_bytes_total", userspace))
		assert.Equal(ct, []float64{1}, page.values("rtpengine_session_count", own))
	})
	call.End(t)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Equal(ct, []float64{0}, page.values("rtpengine_session_count", own))
		assert.Equal(ct, []float64{1}, page.values("rtpengine_session_creations_total", nil))
		assert.Equal(ct, []float64{1}, page.values("rtpengine_session_closures_total", labels{"rtpengine_close_reason": "terminated"}))
		assert.Equal(ct, []float64{0}, page.values("rtpengine_one_way_sessions_total", nil))
	})
	assert.Empty(t, complaints(c))
	c.Stop(t)
}

// TestKamailioUserMetrics checks that the metrics of xhttp_prom keep their names, and that an invalid name only affects its own line.
func TestKamailioUserMetrics(t *testing.T) {
	t.Parallel()
	s := kamailiotest.Start(t, kamailiotest.Options{})
	c := watch(t, s.Unix, `yaml:
receivers:
  kamailio: {user_metrics: {endpoint: `+s.Metrics+`}}
`)
	s.Drive(
		t,
		kamailiotest.Calls{Scenario: "register", User: "u", Count: 1},
		kamailiotest.Calls{Scenario: "call", User: "u1", Count: 2},
		kamailiotest.Calls{Scenario: "fail", User: "busy", Count: 3},
	)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Equal(ct, []float64{2}, page.values("kamailio_test_calls", labels{"outcome": "relayed"}))
		assert.Equal(ct, []float64{3}, page.values("kamailio_test_calls", labels{"outcome": "busy"}))
		assert.Equal(ct, []float64{42}, page.values("kamailio_test_level", nil))
		assert.Equal(ct, []float64{1}, page.values("rtc_target_up", nil))
	})
	assert.Contains(t, complaints(c), "/metrics of "+s.Metrics+": skipped lines that cannot be parsed: 1")
	c.Stop(t)
}

// TestKamailioTLSAndDMQ checks the metrics of TLS connections and DMQ nodes.
func TestKamailioTLSAndDMQ(t *testing.T) {
	t.Parallel()
	s := kamailiotest.Start(t, kamailiotest.Options{TLS: true, DMQ: true})
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // self-signed certificate
	conn, err := dialer.DialContext(t.Context(), "tcp", s.TLS)
	require.NoError(t, err)
	defer conn.Close()
	c := watch(t, s.Unix)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Equal(ct, []float64{1}, page.values("kamailio_tls_connection_count", nil))
		assert.Equal(ct, []float64{1}, page.values("kamailio_dmq_node_state", labels{"kamailio_dmq_local": "true", "kamailio_dmq_state": "active"}))
		assert.Equal(ct, []float64{0}, page.values("kamailio_dmq_node_state", labels{"kamailio_dmq_local": "true", "kamailio_dmq_state": "disabled"}))
	})
	assert.Empty(t, complaints(c))
	c.Stop(t)
}
