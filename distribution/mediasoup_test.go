// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
)

// oftenMediasoup overrides the shipped configuration for fast tests.
const oftenMediasoup = `yaml:
receivers:
  mediasoup: {collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
`

// onMediasoupPage lists documented series. The values were read with jq from testdata/mediasoup/snapshot-3.12.16-a.json.
var onMediasoupPage = []struct {
	name   string
	kind   dto.MetricType
	labels labels
	value  float64
}{
	{"mediasoup_worker_count", dto.MetricType_GAUGE, nil, 2},
	{"mediasoup_worker_cpu_time_seconds_total", dto.MetricType_COUNTER, labels{"mediasoup_worker_id": "0", "cpu_mode": "user"}, 0.173},
	{"mediasoup_worker_memory_peak_bytes", dto.MetricType_GAUGE, labels{"mediasoup_worker_id": "1"}, 14740 * 1024},
	{"mediasoup_transport_creations_total", dto.MetricType_COUNTER, nil, 9},
	{"mediasoup_transport_count", dto.MetricType_GAUGE, labels{"mediasoup_transport_type": "direct"}, 1},
	{"mediasoup_producer_io_bytes_total", dto.MetricType_COUNTER, labels{"mediasoup_media_kind": "audio", "mediasoup_transport_type": "plain"}, 0},
	{"mediasoup_agent_collection_duration_seconds", dto.MetricType_GAUGE, nil, 0.002969},
	{"mediasoup_uptime_seconds", dto.MetricType_GAUGE, nil, 17.841},
	{"rtc_target_up", dto.MetricType_GAUGE, labels{"job": "mediasoup"}, 1},
}

// TestMediasoup checks the values on the page, and that rtc_target_up is 0 while the application is down.
func TestMediasoup(t *testing.T) {
	t.Parallel()
	server, err := mediasoup.NewAgent(mediasoup.AgentOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	c := start(t, []string{"MEDIASOUP_ENDPOINT=" + server.URL()}, shipped("mediasoup.yaml"), oftenMediasoup)
	awaitUp(t, c, 1)
	page := scrapePage(t, c)
	for _, row := range onMediasoupPage {
		assert.Equal(t, row.kind, page[row.name].GetType(), row.name)
		assert.Equal(t, []float64{row.value}, page.values(row.name, row.labels), row.name)
	}
	require.NoError(t, server.SetFault("refuse"))
	awaitUp(t, c, 0)
	require.NoError(t, server.SetFault(""))
	awaitUp(t, c, 1)
	c.Stop(t)
}

// TestMediasoupLife checks that sums over consumers that come and go grow.
func TestMediasoupLife(t *testing.T) {
	t.Parallel()
	server, err := mediasoup.NewAgent(mediasoup.AgentOptions{Consumers: 200, Moving: true})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	c := start(t, []string{"MEDIASOUP_ENDPOINT=" + server.URL()}, shipped("mediasoup.yaml"), oftenMediasoup)
	awaitUp(t, c, 1)
	const sent = "mediasoup_consumer_io_bytes_total"
	before := sum(scrapePage(t, c).values(sent, nil))
	eventually(t, func(ct *assert.CollectT) {
		assert.Greater(ct, sum(scrapePage(ct, c).values(sent, nil)), before)
	})
	c.Stop(t)
}

// TestEdumeet checks the metrics of edumeet's exporter, whose service name is edumeet.
func TestEdumeet(t *testing.T) {
	t.Parallel()
	server, err := mediasoup.NewEdumeet(mediasoup.EdumeetOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	c := start(t, []string{"MEDIASOUP_ENDPOINT=" + server.URL()}, shipped("mediasoup.yaml"), oftenMediasoup, `yaml:
receivers:
  mediasoup: {format: edumeet}
`)
	awaitUp(t, c, 1)
	page := scrapePage(t, c)
	assert.Equal(t, []float64{1}, page.values("edumeet_room_count", labels{"job": "edumeet"}))
	assert.Equal(t, []float64{2}, page.values("edumeet_peer_count", nil))
	assert.Equal(t, []float64{222553 + 96901}, page.values("mediasoup_consumer_io_bytes", labels{"mediasoup_media_kind": "audio"}))
	assert.Equal(t, dto.MetricType_GAUGE, page["mediasoup_consumer_io_bytes"].GetType(), "it falls when a consumer is closed")
	c.Stop(t)
}

// startAgentOnSocket starts the agent without mediasoup on a socket. stop kills it, so that the socket remains.
func startAgentOnSocket(t *testing.T, socket string) (stop func()) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		notInstalled(t, "node")
	}
	const program = `
		const mediasoup = { observer: new (require('node:events'))(), version: '3.27.1' };
		const agent = require('./mediasoup-agent').start(mediasoup, { socket: process.argv[1] });
		agent.ready.then((address) => console.log(address.socket));
		setInterval(() => {}, 1000); // the agent does not keep the process alive`
	cmd := exec.CommandContext(t.Context(), node, "-e", program, socket)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, socket+"\n", line)
	return func() {
		_ = cmd.Process.Kill() // may have been killed by the end of the test
		require.Error(t, cmd.Wait(), "killed")
	}
}

// TestMediasoupSocket checks that two processes on sockets are independent while one of them is killed and restarted.
func TestMediasoupSocket(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a, b := filepath.Join(folder, "0.sock"), filepath.Join(folder, "1.sock")
	stop := startAgentOnSocket(t, a)
	t.Cleanup(startAgentOnSocket(t, b))
	c := start(t, []string{"MEDIASOUP_ENDPOINT=unix://" + a, "SECOND=unix://" + b}, shipped("mediasoup.yaml"), oftenMediasoup, `yaml:
receivers:
  mediasoup/b: {endpoint: "${env:SECOND}", collection_interval: 1s, timeout: 1s, initial_delay: 1ms}
service:
  pipelines: {metrics/mediasoup: {receivers: [mediasoup, mediasoup/b]}}
`)
	machine, err := os.Hostname()
	require.NoError(t, err)
	check := func(up float64) {
		t.Helper()
		eventually(t, func(ct *assert.CollectT) {
			page := scrapePage(ct, c)
			assert.Equal(ct, []float64{up}, page.values("rtc_target_up", labels{"job": "mediasoup", "instance": machine + ":" + a}))
			assert.Equal(ct, []float64{1}, page.values("rtc_target_up", labels{"job": "mediasoup", "instance": machine + ":" + b}))
		})
	}
	check(1)
	stop()
	check(0)
	t.Cleanup(startAgentOnSocket(t, a))
	check(1)
	c.Stop(t)
}
