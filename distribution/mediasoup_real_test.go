// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// application runs mediasoup-agent/test/room.js: a real mediasoup with an agent, controlled by commands.
type application struct {
	Endpoint string // of the agent

	port    int // of the agent
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers chan string
	log     log
	done    chan struct{} // closed when the application and its workers have exited and err is set
	err     error
}

// fields are the arguments of a command.
type fields map[string]any

// outcome is the result of a command. Members that do not apply to the command are 0.
type outcome struct {
	Port     int
	Worker   int
	Room     int
	Producer string // id
	Packets  int
	Bytes    int
	Error    string
}

func (o outcome) plus(more outcome) outcome {
	o.Packets += more.Packets
	o.Bytes += more.Bytes
	return o
}

// startApplication runs an application until the end of the test. Its agent listens on port, or on any free port if port is 0.
func startApplication(t *testing.T, port int) *application {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		notInstalled(t, "node")
	}
	a := &application{
		cmd:     exec.CommandContext(t.Context(), node, filepath.Join("mediasoup-agent", "test", "room.js"), strconv.Itoa(port)),
		answers: make(chan string, 1), done: make(chan struct{}),
	}
	// Signals to the process group reach the workers, too. SIGKILL also ends suspended ones.
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a.cmd.Cancel = func() error { return syscall.Kill(-a.cmd.Process.Pid, syscall.SIGKILL) }
	a.cmd.Stderr = &a.log
	a.stdin, err = a.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := a.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, a.cmd.Start())
	go func() {
		defer close(a.done)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			a.answers <- lines.Text()
		}
		a.err = a.cmd.Wait()
	}()
	t.Cleanup(func() {
		<-a.done // the context of the test kills the process
		if t.Failed() {
			t.Logf("last lines of the application's log:\n%s", end(a.log.String()))
		}
	})
	a.port = a.answer(t, "start").Port
	a.Endpoint = "http://127.0.0.1:" + strconv.Itoa(a.port)
	return a
}

// notInstalled skips a test because what is not installed, or fails it if CI=1.
func notInstalled(t *testing.T, what string) {
	t.Helper()
	stop := t.Skipf
	if os.Getenv("CI") == "1" {
		stop = t.Fatalf
	}
	stop("%s is not installed: run make test-deps", what)
}

// answer waits for the result of a command.
func (a *application) answer(t *testing.T, command string) (o outcome) {
	t.Helper()
	select {
	case line := <-a.answers:
		require.NoError(t, json.Unmarshal([]byte(line), &o), "%s: %s", command, line)
		require.Empty(t, o.Error, command)
	case <-a.done:
		if strings.Contains(a.log.String(), "no mediasoup") {
			notInstalled(t, "mediasoup")
		}
		require.NoError(t, a.err, command)
		require.Fail(t, "the application exited", command)
	case <-time.After(waitTimeout):
		require.Fail(t, "the application does not answer", command)
	}
	return o
}

// do sends a command to the application and returns its result.
func (a *application) do(t *testing.T, command string, arguments fields) outcome {
	t.Helper()
	line := fields{"do": command}
	maps.Copy(line, arguments)
	text, err := json.Marshal(line)
	require.NoError(t, err)
	_, err = a.stdin.Write(append(text, '\n'))
	require.NoError(t, err, command)
	return a.answer(t, command)
}

// room opens a room with a producer and consumers.
func (a *application) room(t *testing.T, worker int, kind string, consumers int) outcome {
	t.Helper()
	return a.do(t, "room", fields{"worker": worker, "kind": kind, "consumers": consumers})
}

// send sends packets into a room.
func (a *application) send(t *testing.T, room outcome, packets int) outcome {
	t.Helper()
	return a.do(t, "send", fields{"room": room.Room, "packets": packets})
}

// arrived waits until the consumers of rooms have received this number of packets, and returns their sizes, which include header
// extensions that mediasoup adds.
func (a *application) arrived(t *testing.T, packets int, rooms ...outcome) outcome {
	t.Helper()
	var all outcome
	require.Eventually(t, func() bool {
		all = outcome{}
		for _, room := range rooms {
			got := a.do(t, "got", fields{"room": room.Room})
			all.Packets += got.Packets
			all.Bytes += got.Bytes
		}
		return all.Packets >= packets
	}, waitTimeout, pollInterval, "missing packets")
	require.Equal(t, packets, all.Packets)
	return all
}

// Restart stops the application and starts another one whose agent listens on the same port.
func (a *application) Restart(t *testing.T) *application {
	t.Helper()
	require.NoError(t, a.stdin.Close())
	select {
	case <-a.done:
		require.NoError(t, a.err)
	case <-time.After(waitTimeout):
		require.Fail(t, "the application does not exit")
	}
	return startApplication(t, a.port)
}

// RestartAgent replaces the agent in the same application. The new agent does not see existing objects.
func (a *application) RestartAgent(t *testing.T) *application {
	t.Helper()
	a.do(t, "agent", nil)
	return a
}

// watchMediasoup starts a collector that scrapes an application, and returns it after the first scrape. The collector also exports
// all scrapes in order to a backend.
func watchMediasoup(t *testing.T, a *application, configs ...string) (*collector, *consumertest.MetricsSink) {
	t.Helper()
	address := freeAddress(t)
	sink := backend(t, address)
	configs = append([]string{shipped("mediasoup.yaml"), oftenMediasoup, `yaml:
exporters:
  otlp_http: {endpoint: "http://` + address + `", sending_queue: {num_consumers: 1}}
service:
  pipelines: {metrics/mediasoup: {exporters: [prometheus_page, otlp_http]}}
`}, configs...)
	c := start(t, []string{"MEDIASOUP_ENDPOINT=" + a.Endpoint}, configs...)
	awaitUp(t, c, 1)
	return c, sink
}

// Labels of sums by kind, codec and type of transport.
var (
	opus = labels{"mediasoup_media_kind": "audio", "mediasoup_media_codec": "opus"}
	vp8  = labels{"mediasoup_media_kind": "video", "mediasoup_media_codec": "vp8"}

	overPlain = labels{"mediasoup_transport_type": "plain"}
	overPipe  = labels{"mediasoup_transport_type": "pipe"}
)

func ofWorker(id string) labels { return labels{"mediasoup_worker_id": id} }

// carried returns the series with the packets and bytes of producers or consumers.
func carried(role string, l labels, what outcome) []line {
	return []line{
		{"mediasoup_" + role + "_packets_total", l, float64(what.Packets)},
		{"mediasoup_" + role + "_io_bytes_total", l, float64(what.Bytes)},
	}
}

// awaitLines waits until the page has exactly one series with the value of each line.
func awaitLines(t *testing.T, c *collector, lines ...line) {
	t.Helper()
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		for _, l := range lines {
			assert.Equal(ct, []float64{l.value}, page.values(l.name, l.labels), "%s%v", l.name, l.labels)
		}
	})
}

// checkSums checks all monotonic sums that a backend has received: they are not negative and fall only after a new start time.
func checkSums(t *testing.T, sink *consumertest.MetricsSink) {
	t.Helper()
	last := map[string]pmetric.NumberDataPoint{}
	for _, md := range sink.AllMetrics() {
		for m := range metricsOf(md) {
			if m.Type() != pmetric.MetricTypeSum || !m.Sum().IsMonotonic() {
				continue
			}
			for _, dp := range pointsOf(m).All() {
				series := m.Name() + fmt.Sprint(dp.Attributes().AsRaw())
				before, known := last[series]
				assert.GreaterOrEqual(t, number(dp), 0.0, series)
				if known && dp.StartTimestamp() < before.Timestamp() {
					assert.GreaterOrEqual(t, number(dp), number(before), series)
				}
				last[series] = dp
			}
		}
	}
	assert.Greater(t, len(last), 10)
}

// number returns the value of a point of either type.
func number(dp pmetric.NumberDataPoint) float64 { return float64(dp.IntValue()) + dp.DoubleValue() }

// TestRealMediasoup compares sums with the packets sent and received while the application opens and closes rooms.
func TestRealMediasoup(t *testing.T) {
	t.Parallel()
	a := startApplication(t, 0)
	a.do(t, "worker", nil)
	a.do(t, "worker", nil)
	audio := a.room(t, 0, "audio", 3)
	a.send(t, audio, 10) // before the first scrape, at which sums start
	c, sink := watchMediasoup(t, a, `yaml:
receivers:
  mediasoup: {metrics: {mediasoup.transport.closures: {enabled: true}}}
`)
	early := a.arrived(t, 3*10, audio)
	video := a.room(t, 1, "video", 2)
	piped := a.do(t, "pipe", fields{"room": audio.Room, "worker": 1, "consumers": 4})
	sound := a.do(t, "send", fields{"room": audio.Room, "packets": 600, "lose": []int{100, 101, 300}, "perSecond": 500})
	picture := a.do(t, "send", fields{"room": video.Room, "packets": 300, "lose": []int{50}, "size": 900, "perSecond": 500})
	const extension = 16 // bytes of header extensions in a packet between workers
	assert.Equal(t, outcome{Packets: 600 - 3, Bytes: (600 - 3) * 172}, sound)
	assert.Equal(t, outcome{Packets: 300 - 1, Bytes: (300 - 1) * 900}, picture)

	sums := func(heard outcome) []line {
		heard = heard.plus(outcome{Packets: -early.Packets, Bytes: -early.Bytes})
		copied := outcome{Packets: sound.Packets, Bytes: sound.Bytes + sound.Packets*extension}
		return slices.Concat(
			carried("producer", opus.with(overPlain), sound),
			carried("producer", opus.with(overPipe), copied),
			carried("producer", vp8.with(overPlain), picture),
			carried("consumer", opus.with(overPlain), heard),
			carried("consumer", opus.with(overPipe), copied),
			carried("consumer", vp8.with(overPlain), a.arrived(t, 2*299, video)),
			[]line{
				{"mediasoup_producer_lost_packets", opus.with(overPlain), 3},
				{"mediasoup_producer_lost_packets", opus.with(overPipe), 3}, // the copy has the same gaps
				{"mediasoup_producer_lost_packets", vp8.with(overPlain), 1},
				{"mediasoup_producer_packet_losses_total", opus.with(overPlain), 3},
				{"mediasoup_producer_packet_losses_total", opus.with(overPipe), 3},
				{"mediasoup_producer_packet_losses_total", vp8.with(overPlain), 1},
			},
		)
	}
	awaitLines(t, c, append(
		sums(a.arrived(t, 3*(10+597)+4*597, audio, piped)),
		line{"mediasoup_worker_count", nil, 2},
		line{"mediasoup_router_count", ofWorker("0"), 1},
		line{"mediasoup_router_count", ofWorker("1"), 2},
		line{"mediasoup_transport_count", overPlain, 3 + 2},
		line{"mediasoup_transport_count", overPipe, 2},
		line{"mediasoup_transport_creations_total", nil, 7},
		line{"mediasoup_producer_count", labels{"mediasoup_media_kind": "video"}.with(overPlain), 1},
		line{"mediasoup_producer_count", labels{"mediasoup_media_kind": "audio"}.with(overPipe), 1},
		line{"mediasoup_consumer_count_by_worker", ofWorker("0"), 3 + 1}, // including that of the pipe
		line{"mediasoup_consumer_count_by_worker", ofWorker("1"), 2 + 4},
	)...)

	a.do(t, "closeConsumer", fields{"room": audio.Room})
	a.do(t, "closeConsumer", fields{"room": audio.Room})
	a.do(t, "closeRoom", fields{"room": video.Room})
	transports := 7
	for begun := len(scrapeTimes(sink)); len(scrapeTimes(sink)) < begun+3; transports += 2 {
		room := a.room(t, 0, "video", 10)
		sound = sound.plus(a.send(t, audio, 5))
		a.do(t, "closeConsumer", fields{"room": room.Room})
		a.do(t, "closeRoom", fields{"room": room.Room})
	}
	awaitLines(t, c, append(
		sums(a.arrived(t, 3*(10+597)+4*597+(1+4)*(sound.Packets-597), audio, piped)),
		line{"mediasoup_transport_count", overPlain, 3},
		line{"mediasoup_transport_creations_total", nil, float64(transports)},
		line{"mediasoup_transport_closures_total", nil, float64(transports - 3 - 2)},
		line{"mediasoup_router_count", ofWorker("0"), 1},
		line{"mediasoup_consumer_count_by_worker", ofWorker("0"), 1 + 1},
		line{"mediasoup_consumer_count_by_worker", ofWorker("1"), 4},
		line{"mediasoup_consumer_count", labels{"mediasoup_media_kind": "video"}, 0},
	)...)
	assert.Empty(t, complaints(c))
	c.Stop(t)
	checkSums(t, sink)
}

// covered returns the series with the fractions of objects that have new statistics.
func covered(workers, transports, producers, consumers float64) (lines []line) {
	for entity, share := range map[string]float64{"worker": workers, "transport": transports, "producer": producers, "consumer": consumers} {
		lines = append(lines, line{"mediasoup_agent_coverage_ratio", labels{"rtc_entity": entity}, share})
	}
	return lines
}

// skipped returns the series with the numbers of objects for which the agent has no statistics.
func skipped(workers, transports, producers, consumers float64) (lines []line) {
	for entity, n := range map[string]float64{"worker": workers, "transport": transports, "producer": producers, "consumer": consumers} {
		for reason, value := range map[string]float64{"error": n, "limit": 0, "carried": 0} {
			l := labels{"rtc_entity": entity, "mediasoup_skip_reason": reason}
			lines = append(lines, line{"mediasoup_agent_skipped_count", l, value})
		}
	}
	return lines
}

// present lists metrics that require statistics of some objects.
var present = []string{
	"mediasoup_transport_throughput_bytes_per_second", "mediasoup_producer_throughput_bytes_per_second",
	"mediasoup_consumer_throughput_bytes_per_second", "mediasoup_producer_score_average", "mediasoup_consumer_silent_count",
}

// TestRealMediasoupWorkers checks that a suspended or dead worker only affects its own metrics: sums remain exact, and other metrics
// cover the other worker.
func TestRealMediasoupWorkers(t *testing.T) {
	t.Parallel()
	a := startApplication(t, 0)
	a.do(t, "agent", fields{"timeoutMs": 800}) // less than the timeout of the collector
	c, sink := watchMediasoup(t, a)
	a.do(t, "worker", nil)
	a.do(t, "worker", nil)
	audio, video := a.room(t, 0, "audio", 5), a.room(t, 1, "video", 2)
	sound, picture := a.send(t, audio, 20), a.send(t, video, 20)
	sums := func() []line {
		return slices.Concat(
			carried("producer", opus, sound), carried("consumer", opus, a.arrived(t, 5*sound.Packets, audio)),
			carried("producer", vp8, picture), carried("consumer", vp8, a.arrived(t, 2*picture.Packets, video)),
		)
	}
	whole := slices.Concat(skipped(0, 0, 0, 0), covered(1, 1, 1, 1), []line{
		{"rtc_target_up", nil, 1},
		{"mediasoup_worker_count", nil, 2},
		{"mediasoup_worker_deaths_total", nil, 0},
		{"mediasoup_consumer_count_by_worker", ofWorker("0"), 5},
		{"mediasoup_consumer_count_by_worker", ofWorker("1"), 2},
	})
	awaitLines(t, c, slices.Concat(whole, sums())...)
	assert.Subset(t, slices.Collect(maps.Keys(scrapePage(t, c))), present)

	a.do(t, "signal", fields{"worker": 0, "signal": "SIGSTOP"})
	waiting := a.send(t, audio, 20) // until the worker resumes
	picture = picture.plus(a.send(t, video, 30))
	rest := whole[len(skipped(0, 0, 0, 0))+len(covered(1, 1, 1, 1)):]
	awaitLines(t, c, slices.Concat(rest, skipped(1, 2, 1, 5), covered(1.0/2, 2.0/4, 1.0/2, 2.0/7), sums())...)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		assert.Subset(ct, slices.Collect(maps.Keys(page)), present)
		assert.Empty(ct, page.values("mediasoup_worker_memory_peak_bytes", ofWorker("0")))
		assert.Len(ct, page.values("mediasoup_worker_memory_peak_bytes", ofWorker("1")), 1)
	})

	a.do(t, "signal", fields{"worker": 0, "signal": "SIGCONT"})
	sound = sound.plus(waiting)
	awaitLines(t, c, slices.Concat(whole, sums())...)

	a.do(t, "signal", fields{"worker": 0, "signal": "SIGKILL"})
	awaitLines(t, c, slices.Concat(skipped(0, 0, 0, 0), sums(), []line{
		{"rtc_target_up", nil, 1},
		{"mediasoup_worker_count", nil, 1},
		{"mediasoup_worker_deaths_total", nil, 1},
		{"mediasoup_consumer_count", labels{"mediasoup_media_kind": "audio"}, 0},
		{"mediasoup_consumer_count", labels{"mediasoup_media_kind": "video"}, 2},
	})...)
	eventually(t, func(ct *assert.CollectT) {
		assert.Empty(ct, scrapePage(ct, c).values("mediasoup_consumer_count_by_worker", ofWorker("0")))
	})
	assert.Empty(t, complaints(c))
	c.Stop(t)
	checkSums(t, sink)
}

// TestRealMediasoupRooms checks the metrics of rooms: a stream that is piped to another router of its room counts once, and a room ends
// with its last router.
func TestRealMediasoupRooms(t *testing.T) {
	t.Parallel()
	a := startApplication(t, 0)
	c, sink := watchMediasoup(t, a, "yaml:receivers: {mediasoup: {rooms: {labels: [room]}}}")
	a.do(t, "worker", nil)
	a.do(t, "worker", nil)
	alpha := a.do(t, "room", fields{"worker": 0, "kind": "audio", "consumers": 3, "name": "alpha"})
	piped := a.do(t, "pipe", fields{"room": alpha.Room, "worker": 1, "consumers": 2})
	beta := a.do(t, "room", fields{"worker": 1, "kind": "video", "consumers": 1, "name": "beta"})
	awaitLines(t, c, line{"mediasoup_room_count", nil, 2}) // before its first snapshot, a room has no sums
	sound, picture := a.send(t, alpha, 20), a.send(t, beta, 20)
	heard, seen := a.arrived(t, 5*sound.Packets, alpha, piped), a.arrived(t, picture.Packets, beta)

	of := func(room, key, value string) labels { return labels{"mediasoup_room_name": room, key: value} }
	ofBeta := []line{
		{"mediasoup_room_producer_count", of("beta", "mediasoup_media_kind", "video"), 1},
		{"mediasoup_room_consumer_count", of("beta", "mediasoup_media_kind", "video"), 1},
		{"mediasoup_room_io_bytes_total", of("beta", "network_io_direction", "receive"), float64(picture.Bytes)},
	}
	awaitLines(t, c, append([]line{
		{"mediasoup_room_producer_count", of("alpha", "mediasoup_media_kind", "audio"), 1},
		{"mediasoup_room_consumer_count", of("alpha", "mediasoup_media_kind", "audio"), 5},
		{"mediasoup_room_transport_count", labels{"mediasoup_room_name": "alpha"}, 3},
		{"mediasoup_room_io_bytes_total", of("alpha", "network_io_direction", "receive"), float64(sound.Bytes)},
	}, ofBeta...)...)
	eventually(t, func(ct *assert.CollectT) {
		page := scrapePage(ct, c)
		for room, arrived := range map[string]outcome{"alpha": heard, "beta": seen} { // RTCP and probes are sent in addition
			sent := page.values("mediasoup_room_io_bytes_total", of(room, "network_io_direction", "transmit"))
			if assert.Len(ct, sent, 1) {
				assert.GreaterOrEqual(ct, sent[0], float64(arrived.Bytes))
			}
		}
	})

	a.do(t, "signal", fields{"worker": 0, "signal": "SIGKILL"})
	awaitLines(t, c, append([]line{
		{"mediasoup_worker_deaths_total", nil, 1},
		{"mediasoup_room_count", nil, 2}, // alpha has a router on the other worker
	}, ofBeta...)...)
	a.do(t, "closeRoom", fields{"room": piped.Room})
	awaitLines(t, c, append([]line{{"mediasoup_room_count", nil, 1}}, ofBeta...)...)
	assert.Empty(t, scrapePage(t, c).values("mediasoup_room_io_bytes_total", labels{"mediasoup_room_name": "alpha"}))
	c.Stop(t)
	checkSums(t, sink)
}

// startOf returns the start time of a sum that the backend received last, or 0.
func startOf(sink *consumertest.MetricsSink, sum string) (start pcommon.Timestamp) {
	for _, md := range sink.AllMetrics() {
		for m := range metricsOf(md) {
			if m.Name() == sum && pointsOf(m).Len() > 0 {
				start = pointsOf(m).At(0).StartTimestamp()
			}
		}
	}
	return start
}

// TestRealMediasoupRestart checks that sums restart with the agent, in the same process or in a new one.
func TestRealMediasoupRestart(t *testing.T) {
	t.Parallel()
	for name, scene := range map[string]struct {
		restart func(*application, *testing.T) *application
	}{
		"application": {(*application).Restart},
		"agent":       {(*application).RestartAgent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startApplication(t, 0)
			c, sink := watchMediasoup(t, a)
			traffic := func(packets int) {
				room := a.room(t, a.do(t, "worker", nil).Worker, "audio", 2)
				awaitLines(t, c, append(
					slices.Concat(carried("producer", opus, a.send(t, room, packets)), carried("consumer", opus, a.arrived(t, 2*packets, room))),
					line{"mediasoup_worker_count", nil, 1}, line{"mediasoup_transport_creations_total", nil, 2},
				)...)
			}
			traffic(50)
			restart := pcommon.NewTimestampFromTime(time.Now())
			assert.Less(t, startOf(sink, "mediasoup.producer.packets"), restart)
			a = scene.restart(a, t)
			awaitLines(t, c, line{"mediasoup_worker_count", nil, 0}, line{"rtc_target_up", nil, 1})
			traffic(30)
			eventually(t, func(ct *assert.CollectT) {
				assert.Greater(ct, startOf(sink, "mediasoup.producer.packets"), restart)
				assert.Greater(ct, startOf(sink, "mediasoup.consumer.io"), restart)
			})
			c.Stop(t)
			checkSums(t, sink)
		})
	}
}

// TestRealMediasoupToken checks that an agent with a token rejects requests without it, and that the token does not leak.
func TestRealMediasoupToken(t *testing.T) {
	t.Parallel()
	a := startApplication(t, 0)
	a.do(t, "agent", fields{"token": secret})
	a.do(t, "worker", nil)
	c := start(t, []string{"MEDIASOUP_ENDPOINT=" + a.Endpoint}, shipped("mediasoup.yaml"), oftenMediasoup)
	awaitUp(t, c, 0)
	assert.Contains(t, complaints(c), "HTTP status 401")
	c.Stop(t)
	c = start(t, []string{"MEDIASOUP_ENDPOINT=" + a.Endpoint, "MEDIASOUP_TOKEN=" + secret}, shipped("mediasoup.yaml"), oftenMediasoup, `yaml:
receivers:
  mediasoup: {token: "${env:MEDIASOUP_TOKEN}"}
`)
	awaitUp(t, c, 1)
	awaitLines(t, c, line{"mediasoup_worker_count", nil, 1})
	assert.Empty(t, complaints(c))
	c.Stop(t)
	rtctest.NoSecret(t, secret, c.Log())
}
