// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	"github.com/otelcol-rtc/otelcol-rtc/internal/kamailiotest"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// exporter is an exporter whose metric names the collector can serve in addition to its own.
type exporter struct {
	config string // shipped configuration
	often  string // override for fast tests
	// start starts the monitored server and returns environment variables with its address.
	start func(t *testing.T) (env []string)
	// varying lists the families whose values differ between runs.
	varying []string
	// absent maps families, or patterns of them, that this server does not have or the collector does not supply, to the reasons.
	absent map[string]string
	// same lists values that both pages have: the sums over the old and the new family are equal after conversion.
	same []sameValue
}

type sameValue struct {
	old, new string
	labels   labels  // of the new family
	factor   float64 // from the old unit to the new one
}

var exporters = map[string]exporter{
	"flussonic_exporter": {
		config: "flussonic.yaml", often: oftenFlussonicPage,
		start: func(t *testing.T) []string {
			t.Helper()
			return flussonicEnv(startFlussonic(t, flussonic.Options{}))
		},
		same: []sameValue{
			{"flussonic_boot_time_seconds", "flussonic_start_time_seconds", nil, 1},
			{"flussonic_cpu_usage", "flussonic_cpu_utilization_ratio", nil, 0.01},
			{"flussonic_disk_usage", "flussonic_disk_utilization_ratio", nil, 0.01},
			{"flussonic_dvb_card_strength", "flussonic_dvb_signal_strength_ratio", nil, 0.01},
			{"flussonic_gpu_enc", "flussonic_gpu_encoder_utilization_ratio", nil, 0.01},
			{"flussonic_net_output_bytes", "flussonic_network_io_bytes_total", labels{"network_io_direction": "transmit"}, 1},
			{"flussonic_stream_bitrate", "flussonic_stream_throughput_bytes_per_second", labels{"network_io_direction": "receive"}, 125},
			{"flussonic_stream_bytes_in", "flussonic_stream_io_bytes_total", labels{"network_io_direction": "receive"}, 1},
			{"flussonic_stream_client_delay", "flussonic_stream_client_delay_seconds", nil, 0.001},
			{"flussonic_stream_dvr_info_depth", "flussonic_stream_dvr_depth_seconds", nil, 1},
			{"flussonic_stream_start_running_at", "flussonic_stream_start_time_seconds", nil, 0.001},
			{"flussonic_streams", "flussonic_stream_count", nil, 1},
		},
	},
	"jitsi_exporter": {
		config: "jitsi.yaml", often: oftenBridge,
		start: func(t *testing.T) []string {
			t.Helper()
			bridge, err := jitsi.NewJVB(jitsi.JVBOptions{Version: "2.3.92", Stats: true})
			require.NoError(t, err)
			t.Cleanup(bridge.Close)
			return []string{"JVB_ENDPOINT=" + bridge.URL()}
		},
		absent: map[string]string{ // covered by TestCompatOldBridge
			"jitsi_audiochannels":              "JVB 1",
			"jitsi_octo_version":               "2.1.273 to 2.1.607",
			"jitsi_shutting_down":              "only reported during a shutdown",
			"jitsi_total_packets_dropped_octo": "2.1.157 to 2.1.681",
			"jitsi_videostreams":               "until 2.1.273",
		},
		same: []sameValue{
			{"jitsi_stress_level", "jitsi_jvb_stress_ratio", nil, 1},
			{"jitsi_conferences", "jitsi_jvb_conference_count", nil, 1},
			{"jitsi_conference_sizes", "jitsi_jvb_conference_count_by_size", nil, 1},
			{"jitsi_participants", "jitsi_jvb_endpoint_count", nil, 1},
			{"jitsi_total_participants", "jitsi_jvb_endpoint_creations_total", nil, 1},
			{"jitsi_bit_rate_download", "jitsi_jvb_network_throughput_bytes_per_second", labels{"jitsi_peer": "endpoint", "network_io_direction": "receive"}, 125},
			{"jitsi_octo_send_bitrate", "jitsi_jvb_network_throughput_bytes_per_second", labels{"jitsi_peer": "relay", "network_io_direction": "transmit"}, 0.125},
			{"jitsi_total_bytes_sent", "jitsi_jvb_network_io_bytes_total", labels{"jitsi_peer": "endpoint", "network_io_direction": "transmit"}, 1},
			{"jitsi_incoming_loss", "jitsi_jvb_network_packet_loss_ratio", labels{"network_io_direction": "receive"}, 1},
			{"jitsi_rtt_aggregate", "jitsi_jvb_round_trip_time_average_seconds", nil, 0.001},
			{"jitsi_total_video_stream_milliseconds_received", "jitsi_jvb_video_time_seconds_total", nil, 0.001},
			{"total_ice_failed", "jitsi_jvb_ice_negotiations_total", labels{"jitsi_ice_outcome": "failed"}, 1},
		},
	},
	"kamailio_exporter": {
		config: "kamailio.yaml",
		often: `yaml:
receivers:
  kamailio: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms, user_metrics: {endpoint: "${env:USER_METRICS}"}}
`,
		start: func(t *testing.T) []string {
			t.Helper()
			return []string{"KAMAILIO_ENDPOINT=" + startKamailio(t).URL(), "USER_METRICS=" + servePage(t, userMetrics)}
		},
		same: []sameValue{
			{"kamailio_dns_failed_request_total", "kamailio_dns_failures_total", nil, 1},
			{"kamailio_my_custom_value_total", "kamailio_script_my_custom_value_total", nil, 1},
			{"kamailio_rtpengine_enabled", "kamailio_rtpengine_node_state", labels{"kamailio_rtpengine_state": "enabled"}, 1},
			{"kamailio_shm_fragments", "kamailio_memory_shared_fragment_count", nil, 1},
			{"kamailio_sl_reply_total", "kamailio_sl_replies_total", nil, 1},
			{"kamailio_tcp_connections", "kamailio_tcp_connection_count", nil, 1},
			{"kamailio_tcp_writequeue", "kamailio_tcp_write_queue_size_bytes", nil, 1},
			{"kamailio_tls_connections", "kamailio_tls_connection_count", nil, 1},
			{"kamailio_tmx_code_total", "kamailio_transaction_completions_total", nil, 1},
			{"kamailio_pkgmem_size", "kamailio_process_memory_limit_bytes", nil, 1},
			{"kamailio_pkgmem_used", "kamailio_process_memory_usage_bytes", labels{"kamailio_memory_state": "used"}, 1},
			{"kamailio_test_calls", "kamailio_test_calls", nil, 1},
		},
	},
	"mediasoup_exporter": {
		config: "mediasoup.yaml", often: oftenEdumeet,
		start: func(t *testing.T) []string {
			t.Helper()
			return []string{"MEDIASOUP_ENDPOINT=" + edumeet(t).URL()}
		},
		absent: map[string]string{ // TestCompatMediasoup covers the first three
			"mediasoup_*_count":          "provided by the page /metrics and by the agent",
			"mediasoup_*_bitrates_*_sum": "provided by the page /metrics and by the agent",
			"mediasoup_packets_*_sum":    "provided by the agent",
			"mediasoup_*_max":            "not supplied",
			"mediasoup_*_mean":           "not supplied",
			"mediasoup_*_min":            "not supplied",
			"mediasoup_*_p25":            "not supplied",
			"mediasoup_workers_cpu":      "not supplied",
			"mediasoup_workers_memory":   "not supplied",
			"mediasoup_nodejs_*":         "not supplied",
			"mediasoup_process_*":        "not supplied",
		},
		same: []sameValue{
			{"edumeet_rooms", "edumeet_room_count", nil, 1},
			{"edumeet_peers", "edumeet_peer_count", nil, 1},
			{"mediasoup_consumer_byte_count_bytes", "mediasoup_consumer_io_bytes", nil, 1},
			{"mediasoup_consumer_score", "mediasoup_consumer_score_average", nil, 1},
			{"mediasoup_producer_byte_count_bytes", "mediasoup_producer_io_bytes", nil, 1},
			{"mediasoup_producer_score", "mediasoup_producer_score_average", nil, 1},
		},
	},
	"zlm_exporter": {
		config: "zlmediakit.yaml", often: often,
		start: func(t *testing.T) []string {
			t.Helper()
			return []string{"ZLMEDIAKIT_ENDPOINT=" + startZLMediaKit(t, zlmediakit.Options{}).URL()}
		},
		varying: []string{"zlm_exporter_scrapes_total"},
		absent:  map[string]string{"zlm_scrape_errors_total": "nothing failed"},
		same: []sameValue{
			{"zlm_up", "rtc_target_up", nil, 1},
			{"zlm_stream_bitrate", "zlmediakit_stream_throughput_bytes_per_second", nil, 1},
			{"zlm_stream_total_reader_count", "zlmediakit_stream_reader_count", nil, 1},
			{"zlm_stream_total", "zlmediakit_stream_count", nil, 1},
			{"zlm_session_total", "zlmediakit_session_count", nil, 1},
			{"zlm_network_threads_total", "zlmediakit_thread_count", labels{"zlmediakit_thread_pool": "network"}, 1},
			{"zlm_network_threads_load_total", "zlmediakit_thread_utilization_ratio", labels{"zlmediakit_thread_pool": "network"}, 0.01},
			{"zlm_network_threads_delay_total", "zlmediakit_thread_delay_seconds", labels{"zlmediakit_thread_pool": "network"}, 0.001},
			{"zlm_statistics_rtp_packet", "zlmediakit_object_count", labels{"zlmediakit_object_type": "rtp_packet"}, 1},
		},
	},
}

// userMetrics is the part of a captured page of xhttp_prom with the metrics of the script.
const userMetrics = `# User defined metrics
kamailio_test_calls{outcome="relayed"} 13 1795215981738
kamailio_test_calls{outcome="busy"} 1 1795215981738
kamailio_test_calls{outcome="not_found"} 1 1795215981738
kamailio_test_level 42.000000 1795215981738
`

// servePage serves text and returns its URL.
func servePage(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
	t.Cleanup(server.Close)
	return server.URL + "/metrics"
}

// startKamailio starts an emulated server.
func startKamailio(t *testing.T) *emulator.Server {
	t.Helper()
	server, err := kamailio.NewCtl(kamailio.CtlOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// oftenBridge overrides the shipped configuration for fast tests that scrape only the bridge.
const oftenBridge = `yaml:
receivers:
  jitsi:
    jicofo: {endpoint: ""}
    collection_interval: 1s
    timeout: 1s
    initial_delay: 1ms
`

// oftenFlussonicPage overrides the shipped configuration for fast tests that scrape only Flussonic's metrics page.
const oftenFlussonicPage = `yaml:
receivers:
  flussonic: {sources: [prometheus], collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`

// flussonicEnv returns the environment variables for an emulated server.
func flussonicEnv(server *emulator.Server) []string {
	return []string{"FLUSSONIC_ENDPOINT=" + server.URL(), "FLUSSONIC_USER=" + flussonicUser, "FLUSSONIC_PASSWORD=" + secret}
}

// oftenEdumeet overrides the shipped configuration for fast tests that scrape edumeet's exporter.
const oftenEdumeet = `yaml:
receivers:
  mediasoup: {format: edumeet, collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`

// edumeet starts an emulated exporter of edumeet.
func edumeet(t *testing.T) *emulator.Server {
	t.Helper()
	server, err := mediasoup.NewEdumeet(mediasoup.EdumeetOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// TestCompat serves old and new names at the same time. The page with the old names must have the same families, types, labels and
// values as the exporter has for the same captured answers, and all families that the exporter documents.
func TestCompat(t *testing.T) {
	t.Parallel()
	for name, x := range exporters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := freeAddress(t)
			c := start(t, append(x.start(t), "COMPAT="+address), shipped(x.config), filepath.Join("compat", name+".yaml"), x.often, `yaml:
exporters:
  prometheus_page/`+name+`: {endpoint: "${env:COMPAT}"}
`)
			want := oldPage(t, name)
			eventually(t, func(ct *assert.CollectT) {
				got := parsePage(ct, fetch(ct, "http://"+address+"/metrics"))
				for _, varying := range x.varying {
					assert.NotEmpty(ct, got[varying].GetMetric(), varying)
					delete(got, varying)
				}
				assert.Equal(ct, seriesByType(want), seriesByType(got))
			})
			checkFamilies(t, name, x, want)
			checkSame(t, x, scrapePage(t, c), parsePage(t, fetch(t, "http://"+address+"/metrics")))
			c.Stop(t)
		})
	}
}

// TestCompatRTPEngine compares the old names of rtpengine with its page: the captured one of Debian's release, and that of a newer one.
func TestCompatRTPEngine(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string][]string{
		"rtpengine":        nil,
		"rtpengine_sample": {"rtpengine_*2_total", "rtpengine_poller_*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", "testdata", "kamailio", "prometheus", name+".txt"))
			require.NoError(t, err)
			want := parsePage(t, string(text))
			maps.DeleteFunc(want, func(family string, _ *dto.MetricFamily) bool {
				return family != "rtpengine_mos2_total" && slices.ContainsFunc(missing, func(pattern string) bool {
					matches, err := path.Match(pattern, family)
					return assert.NoError(t, err) && matches
				})
			})
			address := freeAddress(t)
			c := start(t, []string{"KAMAILIO_ENDPOINT=" + startKamailio(t).URL(), "RTPENGINE=" + servePage(t, string(text)), "COMPAT=" + address},
				shipped("kamailio.yaml"), filepath.Join("compat", "kamailio_exporter.yaml"), `yaml:
receivers:
  kamailio: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms, rtpengine: {endpoint: "${env:RTPENGINE}"}}
exporters:
  prometheus_page/kamailio_exporter: {endpoint: "${env:COMPAT}"}
`)
			eventually(t, func(ct *assert.CollectT) {
				got := parsePage(ct, fetch(ct, "http://"+address+"/metrics"))
				maps.DeleteFunc(got, func(family string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(family, "rtpengine_") })
				old, ours := seriesByType(want), seriesByType(got)
				assert.ElementsMatch(ct, slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(ours)))
				for series, v := range old {
					assert.InDelta(ct, v, ours[series], 1e-9*v, series)
				}
			})
			c.Stop(t)
		})
	}
}

// TestCompatKamailio compares the old names with the traffic of SIPp and a real Kamailio.
func TestCompatKamailio(t *testing.T) {
	t.Parallel()
	s := kamailiotest.Start(t, kamailiotest.Options{})
	address := freeAddress(t)
	c := watch(t, s.Unix, filepath.Join("compat", "kamailio_exporter.yaml"), "yaml:exporters::prometheus_page/kamailio_exporter::endpoint: "+address)
	read := func(t require.TestingT) families { return parsePage(t, fetch(t, "http://"+address+"/metrics")) }
	before := read(t)
	sent := s.Drive(
		t,
		kamailiotest.Calls{Scenario: "register", User: "u", Count: 4},
		kamailiotest.Calls{Scenario: "request", Count: 2},
		kamailiotest.Calls{Scenario: "call", User: "u1", Count: 5},
		kamailiotest.Calls{Scenario: "fail", User: "forbidden", Count: 2},
	)
	invites, answered, bySL := sent.Requests["INVITE"], sent.Requests["BYE"], sent.Replies[403]
	all := -bySL // the sl module absorbs the ACKs of its replies before they are counted
	for _, n := range sent.Requests {
		all += n
	}
	eventually(t, func(ct *assert.CollectT) {
		after := read(ct)
		for _, l := range []line{
			{"kamailio_core_request_total", labels{"method": "rcv"}, float64(all)},
			{"kamailio_core_rcv_request_total", labels{"method": "invite"}, float64(invites)},
			{"kamailio_core_rcv_request_total", labels{"method": "register"}, float64(sent.Requests["REGISTER"])},
			{"kamailio_core_rcv_request_total", labels{"method": "unsupported"}, float64(sent.Requests["FOOBAR"])},
			{"kamailio_core_rcv_reply_total", labels{"code": "2xx"}, float64(2 * answered)},
			{"kamailio_core_rcv_reply_total", labels{"code": "18x"}, float64(answered)},
			{"kamailio_sl_reply_total", labels{"code": "403"}, float64(bySL)},
			{"kamailio_tmx_type_total", labels{"type": "uas"}, float64(2 * answered)},
			{"kamailio_tmx_type_total", labels{"type": "uac"}, 0},
			{"kamailio_dialog", labels{"type": "processed_dialogs"}, float64(invites)},
			{"kamailio_my_custom_value_total", nil, float64(invites)},
			{"kamailio_my_negative", nil, float64(-7 * invites)},
		} {
			assert.Len(ct, after.values(l.name, l.labels), 1, "%s%v", l.name, l.labels)
			assert.InDelta(ct, l.value, l.of(after)-l.of(before), 0, "%s%v", l.name, l.labels)
		}
	})
	assert.NotContains(t, c.Log(), "conflict") // between the metrics that make up one family
	c.Stop(t)
}

// oldPage returns the page of the exporter for the captured answers.
func oldPage(t *testing.T, name string) families {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "testdata", "compat", name+".prom"))
	require.NoError(t, err)
	return parsePage(t, string(page))
}

func parsePage(t require.TestingT, page string) families {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(strings.NewReader(page))
	require.NoError(t, err)
	return f
}

// seriesByType returns the value of every series, keyed by its type, name and labels.
func seriesByType(f families) map[string]float64 {
	values := map[string]float64{}
	for name, family := range f {
		for _, series := range family.GetMetric() {
			var key []string
			for _, pair := range series.GetLabel() {
				key = append(key, pair.GetName()+"="+pair.GetValue())
			}
			slices.Sort(key)
			values[family.GetType().String()+" "+name+"{"+strings.Join(key, ",")+"}"] = value(series)
		}
	}
	return values
}

func value(series *dto.Metric) float64 {
	return series.GetCounter().GetValue() + series.GetGauge().GetValue() + series.GetUntyped().GetValue() // all but one are 0
}

// checkFamilies requires that the page has all families that the exporter documents.
func checkFamilies(t *testing.T, name string, x exporter, page families) {
	t.Helper()
	for _, row := range rtctest.Table(t, filepath.Join("..", "testdata", "compat", name+".tsv")) {
		absent := slices.ContainsFunc(slices.Collect(maps.Keys(x.absent)), func(pattern string) bool {
			matches, err := path.Match(pattern, row[0])
			return assert.NoError(t, err) && matches
		})
		if !absent && !slices.Contains(x.varying, row[0]) {
			assert.NotEmpty(t, page[row[0]].GetMetric(), row[0])
		}
	}
}

func checkSame(t *testing.T, x exporter, ours, old families) {
	t.Helper()
	for _, s := range x.same {
		require.NotEmpty(t, old[s.old].GetMetric(), s.old)
		require.NotEmpty(t, ours.values(s.new, s.labels), s.new)
		assert.InEpsilon(t, 1+sum(ours.values(s.new, s.labels)), 1+sum(old.values(s.old, nil))*s.factor, 1e-9, s.old)
	}
}

// TestCompatOldBridge covers families that only older bridges have. Values that a bridge does not send are not on the page. The last
// conference size has no plus sign.
func TestCompatOldBridge(t *testing.T) {
	t.Parallel()
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/colibri/stats" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"conferences":2,"octo_version":1,"audiochannels":3,"videostreams":4,"total_packets_dropped_octo":5,"shutting_down":true,
			"loss_rate_download":0.25,"rtt_aggregate":null,"octo_send_bitrate":8000,"conference_sizes":[0,1,2]}`)
	}))
	t.Cleanup(bridge.Close)
	address := freeAddress(t)
	c := start(t, []string{"JVB_ENDPOINT=" + bridge.URL, "COMPAT=" + address},
		shipped("jitsi.yaml"), filepath.Join("compat", "jitsi_exporter.yaml"), oftenBridge, `yaml:
exporters:
  prometheus_page/jitsi_exporter: {endpoint: "${env:COMPAT}"}
`)
	eventually(t, func(ct *assert.CollectT) {
		assert.Equal(ct, map[string]float64{
			"GAUGE jitsi_conferences{}":                       2,
			"GAUGE jitsi_octo_version{}":                      1,
			"GAUGE jitsi_audiochannels{}":                     3,
			"GAUGE jitsi_videostreams{}":                      4,
			"COUNTER jitsi_total_packets_dropped_octo{}":      5,
			"GAUGE jitsi_shutting_down{}":                     1,
			"GAUGE jitsi_loss_rate_download{}":                0.25,
			"GAUGE jitsi_incoming_loss{}":                     0.25,
			"GAUGE jitsi_octo_send_bitrate{}":                 8000,
			"GAUGE jitsi_conference_sizes{conference_size=0}": 0,
			"GAUGE jitsi_conference_sizes{conference_size=1}": 1,
			"GAUGE jitsi_conference_sizes{conference_size=2}": 2,
		}, seriesByType(parsePage(ct, fetch(ct, "http://"+address+"/metrics"))))
	})
	c.Stop(t)
}

// TestCompatFlussonicAPI checks the old names for a server without the metrics page, of which API v3 lacks some values.
func TestCompatFlussonicAPI(t *testing.T) {
	t.Parallel()
	const name = "flussonic_exporter"
	server := startFlussonic(t, flussonic.Options{})
	require.NoError(t, server.SetFault("html_404", "/flussonic/api/metrics"))
	address := freeAddress(t)
	c := start(t, append(flussonicEnv(server), "COMPAT="+address), shipped("flussonic.yaml"), filepath.Join("compat", name+".yaml"), oftenFlussonic, `yaml:
exporters:
  prometheus_page/`+name+`: {endpoint: "${env:COMPAT}"}
`)
	want := oldPage(t, name+".api")
	eventually(t, func(ct *assert.CollectT) {
		assert.Equal(ct, seriesByType(want), seriesByType(parsePage(ct, fetch(ct, "http://"+address+"/metrics"))))
	})
	x := exporter{absent: map[string]string{
		"flussonic_net_*":               "only on the metrics page",
		"flussonic_stream_client_delay": "only on the metrics page",
	}}
	for _, s := range exporters[name].same {
		if s.old != "flussonic_net_output_bytes" && s.old != "flussonic_stream_client_delay" {
			x.same = append(x.same, s)
		}
	}
	checkFamilies(t, name, x, want)
	checkSame(t, x, scrapePage(t, c), parsePage(t, fetch(t, "http://"+address+"/metrics")))
	c.Stop(t)
}

// TestCompatMediasoup checks the old names for the aggregated page of edumeet's exporter, and for the agent with sums and with single
// streams.
func TestCompatMediasoup(t *testing.T) {
	t.Parallel()
	totals := []sameValue{
		{"mediasoup_workers_count", "mediasoup_worker_count", nil, 1},
		{"mediasoup_audio_in_count", "mediasoup_producer_stream_count", labels{"mediasoup_media_kind": "audio"}, 1},
		{"mediasoup_video_out_count", "mediasoup_consumer_stream_count", labels{"mediasoup_media_kind": "video"}, 1},
		{"mediasoup_video_bitrates_in_sum", "mediasoup_producer_throughput_bytes_per_second", labels{"mediasoup_media_kind": "video"}, 0.125},
	}
	single := []sameValue{
		{"mediasoup_consumer_byte_count_bytes", "mediasoup_stream_io_bytes_total", labels{"network_io_direction": "transmit"}, 1},
		{"mediasoup_producer_byte_count_bytes", "mediasoup_stream_io_bytes_total", labels{"network_io_direction": "receive"}, 1},
	}
	agent, err := mediasoup.NewAgent(mediasoup.AgentOptions{})
	require.NoError(t, err)
	t.Cleanup(agent.Close)
	for name, scene := range map[string]struct {
		endpoint  string
		overrides []string
		same      []sameValue
	}{
		"aggregated": {edumeet(t).URL() + "/metrics", []string{oftenEdumeet}, totals},
		"snapshot":   {agent.URL(), []string{oftenMediasoup}, totals},
		"streams":    {agent.URL(), []string{oftenMediasoup, documentedYAML(t, "mediasoup_exporter")}, single},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, page := compatMediasoup(t, scene.endpoint, scene.overrides...)
			want := oldPage(t, "mediasoup_exporter."+name)
			eventually(t, func(ct *assert.CollectT) {
				assert.Equal(ct, seriesByType(want), seriesByType(parsePage(ct, fetch(ct, page))))
			})
			checkSame(t, exporter{same: scene.same}, scrapePage(t, c), parsePage(t, fetch(t, page)))
			c.Stop(t)
		})
	}
}

// compatMediasoup starts the collector with the names of edumeet's exporter and returns the URL of the page.
func compatMediasoup(t *testing.T, endpoint string, overrides ...string) (c *collector, page string) {
	t.Helper()
	address := freeAddress(t)
	configs := append([]string{shipped("mediasoup.yaml"), filepath.Join("compat", "mediasoup_exporter.yaml"), `yaml:
exporters:
  prometheus_page/mediasoup_exporter: {endpoint: "${env:COMPAT}"}
`}, overrides...)
	return start(t, []string{"MEDIASOUP_ENDPOINT=" + endpoint, "COMPAT=" + address}, configs...), "http://" + address + "/metrics"
}

// documentedYAML returns the additional configuration documented on the page of an exporter.
func documentedYAML(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("compat", name+".md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\n")
	require.True(t, found)
	override, _, _ := strings.Cut(rest, "```")
	return "yaml:\n" + override
}

// TestCompatMediasoupGrowth checks that sums include only the growth since the start of the collector, and only WebRTC streams.
func TestCompatMediasoupGrowth(t *testing.T) {
	t.Parallel()
	const later = 10 * time.Second
	var age atomic.Int64
	start := time.Now()
	agent, err := mediasoup.NewAgent(mediasoup.AgentOptions{Moving: true, Now: func() time.Time { return start.Add(time.Duration(age.Load())) }})
	require.NoError(t, err)
	t.Cleanup(agent.Close)
	c, page := compatMediasoup(t, agent.URL(), oftenMediasoup)
	grown := func(want map[string]float64) {
		eventually(t, func(ct *assert.CollectT) {
			got := seriesByType(parsePage(ct, fetch(ct, page)))
			for series, value := range want {
				assert.Contains(ct, got, series)
				assert.InDelta(ct, value, got[series], 0, series)
			}
		})
	}
	const (
		sent     = "COUNTER mediasoup_consumer_byte_count_bytes{codec=opus,kind=audio,type=outbound-rtp}"
		received = "COUNTER mediasoup_producer_byte_count_bytes{codec=opus,kind=audio,type=inbound-rtp}"
		packets  = "COUNTER mediasoup_packets_counts_in_sum{}"
	)
	grown(map[string]float64{sent: 0, received: 0, packets: 0})
	age.Store(int64(later))
	grown(map[string]float64{ // per second, a tenth of the value of each stream in snapshot-3.12.16-a.json, rounded up
		sent:     10 * (16463 + 6693),
		received: 10 * 8550,
		packets:  10 * (84 + 28 + 79 + 28 + 59 + 146 + 20 + 42 + 105),
	})
	c.Stop(t)
}

// TestCompatMediasoupReal compares the old names with the traffic of a real mediasoup, by producer and consumer.
func TestCompatMediasoupReal(t *testing.T) {
	t.Parallel()
	a := startApplication(t, 0)
	c, page := compatMediasoup(t, a.Endpoint, oftenMediasoup, documentedYAML(t, "mediasoup_exporter"))
	awaitUp(t, c, 1)
	a.do(t, "worker", nil)
	audio, video := a.room(t, 0, "audio", 2), a.room(t, 0, "video", 1)
	sound, picture := a.send(t, audio, 200), a.send(t, video, 100)
	heard, seen := a.arrived(t, 2*200, audio), a.arrived(t, 100, video)
	eventually(t, func(ct *assert.CollectT) {
		after := parsePage(ct, fetch(ct, page))
		for _, l := range []line{
			{"mediasoup_producer_byte_count_bytes", labels{"id": audio.Producer, "kind": "audio", "type": "inbound-rtp"}, float64(sound.Bytes)},
			{"mediasoup_producer_byte_count_bytes", labels{"id": video.Producer, "kind": "video", "type": "inbound-rtp"}, float64(picture.Bytes)},
			{"mediasoup_consumer_byte_count_bytes", labels{"kind": "audio", "type": "outbound-rtp"}, float64(heard.Bytes)},
			{"mediasoup_consumer_byte_count_bytes", labels{"kind": "video", "type": "outbound-rtp"}, float64(seen.Bytes)},
			{"mediasoup_packets_counts_in_sum", nil, float64(sound.Packets + picture.Packets)},
			{"mediasoup_workers_count", nil, 1},
			{"mediasoup_audio_in_count", nil, 1},
			{"mediasoup_audio_out_count", nil, 2},
		} {
			assert.InDelta(ct, l.value, l.of(after), 0, "%s%v", l.name, l.labels)
		}
	})
	assert.Empty(t, complaints(c))
	c.Stop(t)
}

// TestCompatSessions checks that sessions have the class sent by the server, and that empty totals are 0 as in the exporter.
func TestCompatSessions(t *testing.T) {
	t.Parallel()
	classes := []string{
		"mediakit::HttpSession", "mediakit::RtmpSession", "mediakit::RtspSession", "mediakit::RtpSession", "mediakit::WebRtcSession", "mediakit::IceSession",
		"mediakit::WebRtcSignalingSession", "SRT::SrtSession", "toolkit::SessionWithSSL<mediakit::HttpSession>",
		"toolkit::SessionWithSSL<mediakit::RtmpSession>", "toolkit::SessionWithSSL<mediakit::RtspSession>",
	}
	var sessions []string
	for _, class := range classes {
		sessions = append(sessions, `{"id":"`+class+`","typeid":"`+class+`"}`)
	}
	const none = `{"code":0}`
	var some atomic.Bool
	some.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := map[string]string{"/index/api/getApiList": `{"code":0,"data":["/index/api/getAllSession","/index/api/getMediaList","/index/api/listRtpServer"]}`}[r.URL.Path]
		if r.URL.Path == "/index/api/getAllSession" && some.Load() {
			body = `{"code":0,"data":[` + strings.Join(sessions, ",") + `]}`
		}
		if body == "" {
			body = none
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	address := freeAddress(t)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL},
		shipped("zlmediakit.yaml"), filepath.Join("compat", "zlm_exporter.yaml"), often, "yaml:exporters::prometheus_page/zlm_exporter::endpoint: "+address)
	totals := func(want map[string]float64) {
		eventually(t, func(ct *assert.CollectT) {
			page := parsePage(ct, fetch(ct, "http://"+address+"/metrics"))
			for family, n := range want {
				assert.Equal(ct, []float64{n}, page.values(family, nil), family)
			}
		})
	}
	totals(map[string]float64{"zlm_session_total": float64(len(classes)), "zlm_stream_total": 0, "zlm_rtp_server_total": 0})
	page := parsePage(t, fetch(t, "http://"+address+"/metrics"))
	for _, class := range classes {
		assert.Len(t, page.values("zlm_session_info", labels{"id": class, "typeid": class}), 1, class)
	}
	some.Store(false)
	totals(map[string]float64{"zlm_session_total": 0})
	c.Stop(t)
}

// TestCompatThreads checks the sums over busy threads, which are in percent and milliseconds. In the captures, threads are idle.
func TestCompatThreads(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"/index/api/getApiList":         `{"code":0,"data":["/index/api/getThreadsLoad","/index/api/getWorkThreadsLoad"]}`,
		"/index/api/getThreadsLoad":     `{"code":0,"data":[{"name":"a","load":30,"delay":2},{"name":"b","load":50,"delay":3}]}`,
		"/index/api/getWorkThreadsLoad": `{"code":0,"data":[{"name":"c","load":1,"delay":1000}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	address := freeAddress(t)
	c := start(t, []string{"ZLMEDIAKIT_ENDPOINT=" + server.URL},
		shipped("zlmediakit.yaml"), filepath.Join("compat", "zlm_exporter.yaml"), often, "yaml:exporters::prometheus_page/zlm_exporter::endpoint: "+address)
	eventually(t, func(ct *assert.CollectT) {
		page := parsePage(ct, fetch(ct, "http://"+address+"/metrics"))
		for family, want := range map[string]float64{
			"zlm_network_threads_load_total": 80, "zlm_network_threads_delay_total": 5,
			"zlm_work_threads_load_total": 1, "zlm_work_threads_delay_total": 1000,
		} {
			assert.InDelta(ct, want, sum(page.values(family, nil)), 1e-9, family)
		}
	})
	c.Stop(t)
}
