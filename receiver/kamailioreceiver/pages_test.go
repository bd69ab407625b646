// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// startPage starts a server that returns text.
func startPage(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
	t.Cleanup(server.Close)
	return server.URL + "/metrics"
}

// onlyResource removes all resources except that of a service.
func onlyResource(metrics pmetric.Metrics, service string) pmetric.Metrics {
	metrics.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		name, _ := rm.Resource().Attributes().Get("service.name")
		return name.Str() != service
	})
	return metrics
}

func TestRTPEnginePage(t *testing.T) {
	for _, tt := range []struct {
		page, name string
		edit       func(*Config)
		uptime     float64
	}{
		{"rtpengine", "rtpengine", nil, 687},
		{"rtpengine", "rtpengine_everything", everything, 687},
		{"rtpengine_sample", "rtpengine_sample", nil, 4000},
		{"rtpengine_sample", "rtpengine_sample_everything", everything, 4000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) {
				if tt.edit != nil {
					tt.edit(c)
				}
				c.RTPEngine.ClientConfig.Endpoint = startPages(t).URL + "/" + tt.page
			})
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 2, metrics.ResourceMetrics().Len())
			onlyResource(metrics, "rtpengine")
			start := metricOf(t, metrics, "rtpengine.mos.samples").Sum().DataPoints().At(0).StartTimestamp().AsTime()
			assert.InDelta(t, tt.uptime, time.Since(start).Seconds(), 5)
			rtctest.Golden(t, tt.name, metrics)
			rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), tt.name, rtctest.Points(t, metrics))
		})
	}
}

// Unknown metrics, malformed lines, repeated series and NaN are skipped, and infinities are counted. Samples with unlisted label values are
// summed and recorded as unknown, and those with unlisted directions are counted.
func TestRTPEnginePageOfNewerReleases(t *testing.T) {
	page := `rtpengine_uptime_seconds 5
rtpengine_packets_lost 7
rtpengine_rtp_duplicates 1
rtpengine_rtp_reordered 2
rtpengine_rtp_seq_resets 3
rtpengine_rtp_skips 4
rtpengine_transcoders{chain="PCMA -> opus"} 5
rtpengine_transcode_packets_total{chain="PCMA -> opus"} 6
rtpengine_transcode_bytes_total{chain="PCMA -> opus"} 8
rtpengine_transcode_samples_total{chain="PCMA -> opus"} 9
rtpengine_transcode_samples_total{chain="PCMA -> opus"} 10
rtpengine_sessions{type="own"} 4
rtpengine_sessions{type="unheard of"} 1
rtpengine_sessions{type="unknown"} 2
rtpengine_sessions 3
rtpengine_closed_sessions_total{reason="bored"} 7
rtpengine_packets_total{type="io_uring"} 8
rtpengine_transcoded_media NaN
rtpengine_errors_total +Inf
rtpengine_poller_items 3
rtpengine_interface_packets{name="a",address="192.0.2.1",direction="ingress"} 2
rtpengine_interface_packets{name="a",address="192.0.2.1",direction="sideways"} 1
`
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) {
		everything(c)
		c.RTPEngine.ClientConfig.Endpoint = startPage(t, page)
	})
	_, err := s.Scrape(t.Context())
	require.NoError(t, err)
	metrics, err := s.Scrape(t.Context()) // sums begin again
	require.NoError(t, err)
	points := withoutDurations(rtctest.Points(t, onlyResource(metrics, "rtpengine")))
	assert.Equal(t, map[string]float64{
		"rtc.target.up{}": 1, "rtc.scrapes{}": 2, "rtpengine.uptime{}": 5, "rtpengine.rtp.lost_packets{}": 7,
		"rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}":                                                     2,
		"rtpengine.interface.packets{network.io.direction=receive,rtpengine.interface.address=192.0.2.1,rtpengine.interface.name=a}": 2,
		"rtpengine.session.count{rtpengine.session.type=own}":                                                                        4,
		"rtpengine.session.count{rtpengine.session.type=unknown}":                                                                    6,
		"rtpengine.session.closures{rtpengine.close.reason=unknown}":                                                                 7,
		"rtpengine.network.packets{rtpengine.forwarding=unknown}":                                                                    8,
		"rtpengine.rtp.anomalies{rtpengine.rtp.anomaly=duplicate}":                                                                   1,
		"rtpengine.rtp.anomalies{rtpengine.rtp.anomaly=reordered}":                                                                   2,
		"rtpengine.rtp.anomalies{rtpengine.rtp.anomaly=sequence_reset}":                                                              3,
		"rtpengine.rtp.anomalies{rtpengine.rtp.anomaly=skip}":                                                                        4,
		"rtpengine.transcoder.count{rtpengine.transcoding.chain=PCMA -> opus}":                                                       5,
		"rtpengine.transcoding.packets{rtpengine.transcoding.chain=PCMA -> opus}":                                                    6,
		"rtpengine.transcoding.io{rtpengine.transcoding.chain=PCMA -> opus}":                                                         8,
		"rtpengine.transcoding.samples{rtpengine.transcoding.chain=PCMA -> opus}":                                                    9,
	}, points)
}

// Negative counters, which rtpengine prints as numbers near 2^64, have no points and are named in one error.
func TestRTPEngineValuesOutOfRange(t *testing.T) {
	page := `rtpengine_uptime_seconds 5
rtpengine_sessions{type="own"} 18446744073709551615
rtpengine_sessions{type="foreign"} 1
rtpengine_packets_lost -1
rtpengine_sessions_total 9223372036854775808
rtpengine_call_duration_total 18446744073709551000
rtpengine_one_way_sessions_total 9223372036854774784
rtpengine_mediastreams{type="a"} 9223372036854774784
rtpengine_mediastreams{type="b"} 9223372036854774784
`
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) {
		everything(c)
		c.RTPEngine.ClientConfig.Endpoint = startPage(t, page)
	})
	for scrapes := 1; scrapes <= 3; scrapes++ {
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, "skipped values that are negative or exceed int64: "+
			"rtpengine_call_duration_total, rtpengine_mediastreams, rtpengine_packets_lost, rtpengine_sessions, rtpengine_sessions_total")
		points := withoutDurations(rtctest.Points(t, onlyResource(metrics, "rtpengine")))
		assert.Equal(t, map[string]float64{
			"rtc.target.up{}": 1, "rtc.scrapes{}": float64(scrapes), "rtpengine.uptime{}": 5,
			"rtc.scrape.errors{error.type=format,rtc.api=/metrics}":                  float64(scrapes),
			"rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}": 5,
			"rtpengine.session.count{rtpengine.session.type=foreign}":                1,
			"rtpengine.one_way_sessions{}":                                           9223372036854774784,
		}, points)
	}
}

// Errors of a page are returned and counted in every scrape. scrape.NewReceiver limits how often they are logged.
func TestBadLineOfAPageIsCounted(t *testing.T) {
	good, bad := "level 1\n", "level 1\nbad line\n"
	page := bad
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if page == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(page))
	}))
	defer server.Close()
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) { c.UserMetrics.Endpoint = server.URL + "/metrics" })
	for i, tt := range []struct {
		page    string
		counted float64
	}{{bad, 1}, {bad, 2}, {good, 2}, {bad, 3}, {"", 3}, {bad, 4}} {
		page = tt.page
		metrics, err := s.Scrape(t.Context())
		assert.Equal(t, tt.page != good, err != nil, "scrape %d: %v", i, err)
		points := rtctest.Points(t, metrics)
		assert.InDelta(t, tt.counted, points["rtc.scrape.errors{error.type=format,rtc.api=/metrics}"], 0, i)
		assert.Equal(t, tt.page != "", hasMetric(points, "level"))
	}
}

// An rtpengine that is down does not affect the metrics of Kamailio, and vice versa.
func TestEachTargetIsUpForItself(t *testing.T) {
	server := startCtl(t, "unix")
	pages := startPages(t)
	s, _ := startSystem(t, server.endpoint, func(c *Config) {
		c.RTPEngine.ClientConfig.Endpoint = pages.URL + "/rtpengine"
		c.UserMetrics.Endpoint = pages.URL + "/xhttp_prom"
	})
	up := func() (kamailio, relay float64, err error) {
		metrics, err := s.Scrape(t.Context())
		require.Equal(t, 2, metrics.ResourceMetrics().Len())
		both := pmetric.NewMetrics()
		metrics.CopyTo(both)
		return rtctest.Points(t, onlyResource(metrics, "kamailio"))["rtc.target.up{}"], rtctest.Points(t, onlyResource(both, "rtpengine"))["rtc.target.up{}"], err
	}
	kamailio, relay, _ := up()
	assert.Equal(t, []float64{1, 1}, []float64{kamailio, relay})
	server.stop()
	kamailio, relay, err := up()
	require.ErrorContains(t, err, "core.uptime, ")
	require.ErrorContains(t, err, " of "+server.endpoint+": ")
	assert.Equal(t, []float64{0, 1}, []float64{kamailio, relay})
	server.listen(t)
	pages.Close()
	kamailio, relay, err = up()
	require.ErrorContains(t, err, "/rtpengine of "+pages.URL+"/rtpengine: ")
	require.ErrorContains(t, err, "/xhttp_prom of "+pages.URL+"/xhttp_prom: ")
	assert.Equal(t, []float64{1, 0}, []float64{kamailio, relay})
}

// A page of user metrics that hangs does not affect the metrics of Kamailio.
func TestHungUserMetrics(t *testing.T) {
	hung := make(chan struct{})
	page := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer page.Close()
	defer close(hung)
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) { c.UserMetrics.Endpoint = page.URL + "/metrics" })
	points, err := scrapeInTime(t, s, 2*time.Second)
	require.ErrorContains(t, err, "/metrics of "+page.URL+"/metrics: ")
	assert.NotContains(t, err.Error(), apiUptime)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
	assert.InDelta(t, 140, points["kamailio.requests{}"], 0)
	assert.Contains(t, points, "kamailio.dispatcher.set.count{}")
}

// All samples of the captured page pass except its one malformed line.
func TestUserMetricsPage(t *testing.T) {
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) { c.UserMetrics.Endpoint = startPages(t).URL + "/xhttp_prom" })
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "skipped lines that cannot be parsed: 1")
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 13, points["kamailio_test_calls{outcome=relayed}"], 0)
	assert.InDelta(t, 42, points["kamailio_test_level{}"], 0)
	assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
}

func TestUserMetricsTypesAndNames(t *testing.T) {
	page := `# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{carrier="a"} 5
calls_total{carrier="b"} 6
calls_total{carrier="b"} 7
# TYPE level gauge
level -1.5
untyped 3
infinite +Inf
kamailio_uptime_seconds 9
rtc_target_up 1
`
	s, _ := startSystem(t, startCtl(t, "unix").endpoint, func(c *Config) { c.UserMetrics.Endpoint = startPage(t, page) })
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, "skipped samples with names of the receiver's own metrics: kamailio_uptime_seconds, rtc_target_up")
	calls := metricOf(t, metrics, "calls_total")
	assert.True(t, calls.Sum().IsMonotonic())
	assert.Equal(t, "Calls.", calls.Description())
	assert.Equal(t, 2, calls.Sum().DataPoints().Len())
	assert.Equal(t, pmetric.MetricTypeGauge, metricOf(t, metrics, "level").Type())
	assert.Equal(t, pmetric.MetricTypeGauge, metricOf(t, metrics, "untyped").Type())
	points := rtctest.Points(t, metrics)
	assert.NotContains(t, points, "kamailio_uptime_seconds{}")
	assert.NotContains(t, points, "infinite{}")
	assert.InDelta(t, 1, points["rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}"], 0)
}
