// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

const flussonicUser = "view"

// oftenFlussonic overrides the shipped configuration for fast tests.
const oftenFlussonic = `yaml:
receivers:
  flussonic: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`

// startFlussonic starts an emulated server that requires credentials.
func startFlussonic(t testing.TB, o flussonic.Options) *emulator.Server {
	t.Helper()
	o.User, o.Password = flussonicUser, secret
	server, err := flussonic.New(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// flussonicTarget returns the labels that identify a server.
func flussonicTarget(t *testing.T, server *emulator.Server) labels {
	t.Helper()
	return labels{"job": "flussonic", "instance": instance(t, server)}
}

var hockey1 = labels{"flussonic_stream_name": "hockey1"}

// onFlussonicPage lists documented series. The values were read with jq from testdata/flussonic/api-v3/25.11, and those of network_io
// and client_delay from the metrics page.
var onFlussonicPage = []struct {
	name   string
	kind   dto.MetricType
	labels labels
	value  float64
}{
	{"flussonic_stream_io_bytes_total", dto.MetricType_COUNTER, hockey1.with(labels{"network_io_direction": "receive"}), 2445568},
	{"flussonic_stream_throughput_bytes_per_second", dto.MetricType_GAUGE, hockey1.with(labels{"network_io_direction": "transmit"}), 953625},
	{"flussonic_stream_alive", dto.MetricType_GAUGE, hockey1, 1},
	{"flussonic_stream_static", dto.MetricType_GAUGE, labels{"flussonic_stream_name": "ondemand"}, 0},
	{"flussonic_stream_retries_total", dto.MetricType_COUNTER, labels{"flussonic_stream_name": "cam-7"}, 27},
	{"flussonic_stream_client_delay_seconds", dto.MetricType_GAUGE, hockey1, 1.284},
	{"flussonic_stream_count_by_state", dto.MetricType_GAUGE, labels{"flussonic_stream_state": "disabled"}, 1},
	{"flussonic_network_io_bytes_total", dto.MetricType_COUNTER, labels{"network_interface_name": "eth1", "network_io_direction": "transmit"}, 64},
	{"flussonic_gpu_temperature_celsius", dto.MetricType_GAUGE, labels{"flussonic_gpu_id": "0"}, 71},
	{"flussonic_scheduler_utilization_ratio", dto.MetricType_GAUGE, nil, 0.4},
	{"rtc_target_up", dto.MetricType_GAUGE, nil, 1},
	{"target_info", dto.MetricType_GAUGE, labels{"service_version": "25.11"}, 1},
}

// TestFlussonic checks that two servers on one page are independent while one of them is down, and that the password does not leak.
func TestFlussonic(t *testing.T) {
	t.Parallel()
	captured := startFlussonic(t, flussonic.Options{})
	older := startFlussonic(t, flussonic.Options{Generation: "23.10", Streams: 20})
	a, b := flussonicTarget(t, captured), flussonicTarget(t, older)
	env := []string{"FLUSSONIC_ENDPOINT=" + captured.URL(), "SECOND=" + older.URL(), "FLUSSONIC_USER=" + flussonicUser, "FLUSSONIC_PASSWORD=" + secret}
	c := start(t, env, shipped("flussonic.yaml"), oftenFlussonic, `yaml:
receivers:
  flussonic/b: {endpoint: "${env:SECOND}", auth: {authenticator: basicauth}, collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
service:
  pipelines: {metrics/flussonic: {receivers: [flussonic, flussonic/b]}}
`)
	const alive = "flussonic_stream_alive"
	check := func(aUp float64, aStreams int) {
		t.Helper()
		eventually(t, func(ct *assert.CollectT) {
			page := scrapePage(ct, c)
			assert.Equal(ct, []float64{aUp}, page.values("rtc_target_up", a))
			assert.Len(ct, page.values(alive, a), aStreams)
			assert.Equal(ct, []float64{1}, page.values("rtc_target_up", b))
			assert.Len(ct, page.values(alive, b), 16, "all enabled streams")
			if aUp == 0 {
				return
			}
			for _, row := range onFlussonicPage {
				assert.Equal(ct, row.kind, page[row.name].GetType(), row.name)
				assert.Equal(ct, []float64{row.value}, page.values(row.name, a.with(row.labels)), row.name)
			}
		})
	}
	check(1, 4)
	require.NoError(t, captured.SetFault("refuse"))
	check(0, 0)
	require.NoError(t, captured.SetFault(""))
	check(1, 4)
	rtctest.NoSecret(t, secret, fetch(t, c.Page), c.Log())
	c.Stop(t)
}
