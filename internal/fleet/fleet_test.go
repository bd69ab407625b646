// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	waitTimeout = 10 * time.Second
	pollEvery   = time.Millisecond
)

// members are the receivers of a fleet under test.
type members struct {
	mu       sync.Mutex
	running  map[string]map[string]string // labels, by endpoint
	hosts    map[string]component.Host    // by endpoint
	starts   int
	refused  map[string]error      // errors of Start, by endpoint
	meter    metric.Meter          // of an instrument per start; may be nil
	shutdown func(endpoint string) // called by Shutdown; may be nil

	withdrawn []string // endpoints whose series have ended, in order
}

// fakeReceiver is the receiver of one target.
type fakeReceiver struct {
	*members
	target Target
}

func (r *fakeReceiver) Start(_ context.Context, host component.Host) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refused[r.target.Endpoint]; err != nil {
		return err
	}
	if _, twice := r.running[r.target.Endpoint]; twice {
		return errors.New("started twice")
	}
	r.starts++
	if r.meter != nil {
		if _, err := r.meter.Int64Counter(fmt.Sprintf("start_%d", r.starts)); err != nil {
			return err
		}
	}
	r.running[r.target.Endpoint], r.hosts[r.target.Endpoint] = r.target.Labels, host
	return nil
}

func (r *fakeReceiver) Shutdown(context.Context) error {
	if r.shutdown != nil {
		r.shutdown(r.target.Endpoint)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, r.target.Endpoint)
	return nil
}

func (r *fakeReceiver) Withdraw(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, running := r.running[r.target.Endpoint]; running {
		return errors.New("the receiver is running")
	}
	r.withdrawn = append(r.withdrawn, r.target.Endpoint)
	return nil
}

// ended returns the endpoints whose series have ended, in order.
func (m *members) ended() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.withdrawn)
}

// endpoints returns the endpoints of the running receivers, sorted.
func (m *members) endpoints() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.running))
}

// refuse makes the start of a target fail with err.
func (m *members) refuse(endpoint string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused[endpoint] = err
}

// testFleet is a fleet with fake receivers.
type testFleet struct {
	*fleet
	*members
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
	events    *events
	extra     *source // may be nil
}

// events is a host that collects status events.
type events struct {
	component.Host
	mu  sync.Mutex
	all []string
}

func (e *events) Report(event *componentstatus.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := "OK"
	if event.Err() != nil {
		text = event.Err().Error()
	}
	e.all = append(e.all, text)
}

func (e *events) get() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// newTestFleet returns a fleet with the targets of cfg that has not been started.
func newTestFleet(t *testing.T, cfg *example) *testFleet {
	t.Helper()
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zapcore.InfoLevel)
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := receivertest.NewNopSettings(component.MustNewType("example"))
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	m := &members{running: map[string]map[string]string{}, hosts: map[string]component.Host{}, refused: map[string]error{}}
	f := newFleet(set, cfg.endpoints(), cfg.Shard.Get(), func(a *assignment) (targetReceiver, error) {
		return &fakeReceiver{members: m, target: a.Target}, nil
	})
	return &testFleet{fleet: f, members: m, logs: logs, telemetry: telemetry, events: &events{Host: componenttest.NewNopHost()}}
}

// startFleet starts a fleet until the end of the test.
func startFleet(t *testing.T, cfg *example) *testFleet {
	t.Helper()
	f := newTestFleet(t, cfg)
	f.start(t)
	return f
}

func (f *testFleet) start(t *testing.T) {
	t.Helper()
	require.NoError(t, f.addSources(t.Context(), f.events))
	if f.extra != nil {
		f.sources = append(f.sources, f.extra)
	}
	require.NoError(t, f.startSources(t.Context()))
	t.Cleanup(func() {
		require.NoError(t, f.Shutdown(context.Background()))
		assert.Empty(t, f.members.endpoints())
	})
}

// waitFor waits until exactly these targets are running.
func (f *testFleet) waitFor(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	require.Eventually(t, func() bool { return slices.Equal(want, f.members.endpoints()) }, waitTimeout, pollEvery,
		"want %v", want)
}

// messages returns the messages that have been logged, with their errors.
func (f *testFleet) messages() (messages []string) {
	for _, entry := range f.logs.All() {
		text := entry.Message
		if err, ok := entry.ContextMap()["error"]; ok {
			text += fmt.Sprintf(": %v", err)
		}
		messages = append(messages, text)
	}
	return messages
}

// count returns how many messages contain text.
func (f *testFleet) count(text string) (n int) {
	for _, message := range f.messages() {
		if strings.Contains(message, text) {
			n++
		}
	}
	return n
}

// metric returns the value of a metric by its attributes besides the receiver.
func (f *testFleet) metric(t *testing.T, name string) map[string]int64 {
	t.Helper()
	got, err := f.telemetry.GetMetric(name)
	require.NoError(t, err)
	var points []metricdata.DataPoint[int64]
	switch data := got.Data.(type) {
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	case metricdata.Sum[int64]:
		points = data.DataPoints
	}
	values := map[string]int64{}
	for _, p := range points {
		key := ""
		for _, a := range p.Attributes.ToSlice() {
			if a.Key != "receiver" {
				key = a.Value.String()
			}
		}
		values[key] = p.Value
	}
	return values
}

// TestStatic checks that a target listed twice is read once, that components without targets are targets too, and that a target in the
// configuration that cannot be started is an error.
func TestStatic(t *testing.T) {
	cfg := load(t, `
targets: {static: [10.0.0.5, "http://10.0.0.5:80/", "http://10.0.0.6"]}
relay: {endpoint: "http://10.0.0.5/"}
`)
	f := startFleet(t, cfg)
	assert.Equal(t, []string{"http://10.0.0.5", "http://10.0.0.5/", "http://10.0.0.6"}, f.members.endpoints(), "the relay is another process")
}

func TestStaticFails(t *testing.T) {
	f := newTestFleet(t, load(t, `targets: {static: [a, b, c]}`))
	f.refuse("http://b", errors.New("read by another"))
	require.EqualError(t, f.Start(t.Context(), f.events), "read by another")
	require.NoError(t, f.Shutdown(t.Context()))
	assert.Empty(t, f.members.endpoints())
}

func TestShutdownWithoutStart(t *testing.T) {
	require.NoError(t, newTestFleet(t, load(t, `targets: {static: [a]}`)).Shutdown(t.Context()))
}

// changing replaces the source of static targets by one with targets that change.
type changing struct {
	mu      sync.Mutex
	answers []answer
	wake    chan struct{}
}

func (c *changing) find(context.Context) []answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.answers)
}

// set changes the targets and waits until they are known.
func (c *changing) set(answers ...answer) {
	c.mu.Lock()
	c.answers = answers
	c.mu.Unlock()
	c.wake <- struct{}{}
}

func (c *changing) setTargets(endpoints ...string) {
	targets := make([]Target, len(endpoints))
	for i, endpoint := range endpoints {
		targets[i].Endpoint = endpoint
	}
	c.set(answer{part: "list", targets: targets})
}

// startChanging starts a fleet with the configuration cfg and another source.
func startChanging(t *testing.T, cfg string, adapt func(*testFleet)) (*testFleet, *changing) {
	t.Helper()
	f := newTestFleet(t, load(t, cfg))
	c := &changing{wake: make(chan struct{})}
	f.extra = &source{
		setting: "targets::test", endpoint: &f.fleet.endpoints[0], logger: f.set.Logger, find: c.find, interval: time.Hour, wake: c.wake,
		allowed: newAddressFilter(nil, nil),
	}
	if adapt != nil {
		adapt(f)
	}
	f.start(t)
	c.wake <- struct{}{} // after the first refresh
	return f, c
}

// TestDiscoveredTargetIsSkipped checks that a discovered target that cannot be started is logged once and tried again.
func TestDiscoveredTargetIsSkipped(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	f.refuse("http://b", errors.New("read by another"))
	for range 3 {
		c.setTargets("http://b", "http://c")
	}
	f.waitFor(t, "http://a", "http://c")
	require.Eventually(t, func() bool { return f.metric(t, "otelcol_fleet_skipped_targets")["start"] == 1 }, waitTimeout, pollEvery)
	assert.Equal(t, 1, f.count("the target is skipped: read by another"))
	f.refuse("http://b", nil)
	c.setTargets("http://b", "http://c")
	f.waitFor(t, "http://a", "http://b", "http://c")
	assert.Equal(t, map[string]int64{"": 3}, f.metric(t, "otelcol_fleet_targets"))
	assert.Equal(t, map[string]int64{"start": 0, "limit": 0, "network": 0}, f.metric(t, "otelcol_fleet_skipped_targets"))
}

// TestSeriesEnd checks that the series of a target end when the target leaves, but neither when another receiver takes it over nor with
// the fleet.
func TestSeriesEnd(t *testing.T) {
	var f *testFleet
	t.Cleanup(func() { assert.Equal(t, []string{"http://b"}, f.ended(), "after the shutdown") })
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	c.setTargets("http://b", "http://c")
	f.waitFor(t, "http://a", "http://b", "http://c")
	c.setTargets("http://c")
	require.Eventually(t, func() bool { return slices.Equal([]string{"http://b"}, f.ended()) }, waitTimeout, pollEvery)

	f.refuse("http://c", errors.New("read by another"))
	f.fleet.mu.Lock()
	var key string
	for k, m := range f.fleet.members {
		if m.Endpoint == "http://c" {
			key = k
		}
	}
	f.fleet.mu.Unlock()
	f.displace(key)
	f.waitFor(t, "http://a")
}

// TestLabelsChange checks that a target with other labels is started again, after the first receiver has stopped.
func TestLabelsChange(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	for i := range 20 {
		labels := map[string]string{"site": strconv.Itoa(i)}
		c.set(answer{part: "list", targets: []Target{{Endpoint: "http://b", Labels: labels}}})
		require.Eventually(t, func() bool {
			f.members.mu.Lock()
			defer f.members.mu.Unlock()
			return maps.Equal(f.members.running["http://b"], labels)
		}, waitTimeout, pollEvery)
	}
	assert.Zero(t, f.count("skipped"))
}

// TestFailuresKeepTargets checks that a part of a source that fails keeps its targets, and that this is logged once and counted.
func TestFailuresKeepTargets(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	good := answer{part: "good", targets: []Target{{Endpoint: "http://b"}}}
	c.set(good, answer{part: "bad", targets: []Target{{Endpoint: "http://c"}}})
	f.waitFor(t, "http://a", "http://b", "http://c")
	good.targets = []Target{{Endpoint: "http://d"}}
	for range 3 {
		c.set(good, answer{part: "bad", err: errors.New("line 3: no colon")})
	}
	c.set(good, answer{part: "bad", err: errors.New("line 5: no colon")})
	f.waitFor(t, "http://a", "http://c", "http://d")
	require.Eventually(t, func() bool { return f.metric(t, "otelcol_fleet_source_failures")["targets::test"] == 4 }, waitTimeout, pollEvery)
	c.set(good, answer{part: "bad"})
	f.waitFor(t, "http://a", "http://d")
	c.set()
	f.waitFor(t, "http://a")
	assert.Equal(t, []string{
		"the source has no targets",
		"the source of targets fails: its last targets are kept: line 3: no colon",
		"the source of targets fails: its last targets are kept: line 5: no colon",
		"the source of targets works again",
		"the source has no targets",
	}, f.messages())
	assert.Equal(t, map[string]int64{"targets::static": 1, "targets::test": 0}, f.metric(t, "otelcol_fleet_source_targets"))
	assert.InDelta(t, time.Now().Unix(), f.metric(t, "otelcol_fleet_source_refresh_time")["targets::test"], 60)
}

func TestLimit(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [z], limit: 3}`, nil)
	c.setTargets("http://d", "http://b", "http://c", "http://a")
	f.waitFor(t, "http://a", "http://b", "http://z")
	c.setTargets("http://c", "http://d", "http://a", "http://b", "http://a:80/")
	require.Eventually(t, func() bool { return f.metric(t, "otelcol_fleet_skipped_targets")["limit"] == 2 }, waitTimeout, pollEvery)
	assert.Equal(t, []string{"http://a", "http://b", "http://z"}, f.members.endpoints(), "the order does not matter")
	assert.Equal(t, 1, f.count("targets are omitted: raise targets::limit"))
}

func TestAllowedNetworks(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [192.0.2.1]}`, func(f *testFleet) {
		f.extra.allowed = newAddressFilter(net.DefaultResolver, []string{"10.0.0.0/8", "127.0.0.0/8", "::1/128", "fd00::/8"})
	})
	c.setTargets("http://10.1.2.3", "http://11.1.2.3", "http://[fd00::1]:80", "http://[fe80::1]", "http://localhost", "unix:///run/a",
		"http://[::ffff:10.0.0.1]", "http://no.such.name.invalid")
	f.waitFor(t, "http://192.0.2.1", "http://10.1.2.3", "http://[fd00::1]:80", "http://localhost", "unix:///run/a", "http://[::ffff:10.0.0.1]")
	require.Eventually(t, func() bool { return f.metric(t, "otelcol_fleet_skipped_targets")["network"] == 3 }, waitTimeout, pollEvery)
	assert.Equal(t, 1, f.count("targets are refused"))
}

// TestHangingTargetDelaysNobody checks that all targets stop concurrently, and that discovery does not wait for them.
func TestHangingTargetDelaysNobody(t *testing.T) {
	release, stopping := make(chan struct{}), make(chan string, 10)
	f, c := startChanging(t, `targets: {static: [a]}`, func(f *testFleet) {
		f.members.shutdown = func(endpoint string) {
			stopping <- endpoint
			<-release
		}
	})
	c.setTargets("http://b", "http://c")
	f.waitFor(t, "http://a", "http://b", "http://c")
	c.setTargets("http://d")
	assert.ElementsMatch(t, []string{"http://b", "http://c"}, []string{<-stopping, <-stopping})
	f.waitFor(t, "http://a", "http://b", "http://c", "http://d")
	c.setTargets("http://b", "http://e") // b comes back before it has stopped
	assert.Equal(t, "http://d", <-stopping)
	f.waitFor(t, "http://a", "http://b", "http://c", "http://d", "http://e")
	close(release)
	f.waitFor(t, "http://a", "http://b", "http://e")
	assert.Zero(t, f.count("skipped"))
}

// TestStatus checks that the status of the receiver counts the targets that are down.
func TestStatus(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	c.setTargets("http://b", "http://c")
	f.waitFor(t, "http://a", "http://b", "http://c")
	report := func(endpoint string, err error) {
		event := componentstatus.NewEvent(componentstatus.StatusOK)
		if err != nil {
			event = componentstatus.NewRecoverableErrorEvent(err)
		}
		componentstatus.ReportStatus(f.members.hosts[endpoint], event)
	}
	refused := errors.New("refused")
	report("http://b", refused)
	report("http://a", refused)
	report("http://c", nil)
	report("http://b", nil)
	report("http://c", refused)
	c.setTargets("http://b")
	f.waitFor(t, "http://a", "http://b")
	want := []string{
		"1 of 3 targets down: http://b", "2 of 3 targets down: http://a, http://b", "1 of 3 targets down: http://a",
		"2 of 3 targets down: http://a, http://c", "2 of 2 targets down: http://a, http://c", "1 of 2 targets down: http://a",
	}
	require.Eventually(t, func() bool { return slices.Equal(want, f.events.get()) }, waitTimeout, pollEvery, "%v", f.events.get())
	report("http://a", nil)
	assert.Equal(t, "OK", f.events.get()[len(want)])
	for range 3 {
		report("http://a", nil)
	}
	assert.Len(t, f.events.get(), len(want)+1)
}

// TestManyChanges checks that 1,000 changes leave nothing behind.
func TestManyChanges(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		want, targets := []string{"http://a"}, []string(nil)
		for i := range 50 {
			if random.IntN(2) == 0 {
				targets = append(targets, fmt.Sprintf("http://10.0.0.%d", i))
			}
		}
		c.setTargets(targets...)
		f.waitFor(t, append(want, targets...)...)
	}
	c.setTargets()
	f.waitFor(t, "http://a")
	require.Eventually(t, func() bool {
		f.fleet.mu.Lock()
		defer f.fleet.mu.Unlock()
		return len(f.stopping)+len(f.failed) == 0
	}, waitTimeout, pollEvery)
	assert.Greater(t, f.starts, 1000)
	assert.Len(t, f.fleet.members, 1)
	assert.Empty(t, f.status.down)
}

// TestTelemetryWhileTargetsStart checks that reading the metrics of the collector and starting receivers, which create instruments, do
// not wait for each other.
func TestTelemetryWhileTargetsStart(t *testing.T) {
	f, c := startChanging(t, `targets: {static: [a]}`, func(f *testFleet) { f.members.meter = f.set.MeterProvider.Meter("test") })
	var reader sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	reader.Go(func() {
		for ctx.Err() == nil {
			_ = f.telemetry.Reader.Collect(ctx, &metricdata.ResourceMetrics{})
		}
	})
	for i := range 100 {
		target := fmt.Sprintf("http://%d", i)
		c.setTargets(target)
		f.waitFor(t, "http://a", target)
	}
	cancel()
	reader.Wait()
}

// TestShards checks that shards have about the same size, and how many targets move when their number changes.
func TestShards(t *testing.T) {
	const targets = 10_000
	owner := func(key string, count int) int {
		for index := range count {
			if (&Shard{index, count}).owns(key) {
				return index
			}
		}
		return -1
	}
	sizes, moved := make([]int, 50), 0
	for i := range targets {
		key := fmt.Sprintf("http://10.0.%d.%d:80", i/250, i%250)
		before, after := owner(key, 50), owner(key, 51)
		sizes[before]++
		if before != after {
			moved++
			assert.Equal(t, 50, after, "targets only move to the new collector")
		}
	}
	t.Logf("10,000 targets in 50 shards: %d to %d, mean 200; %d move to a 51st", slices.Min(sizes), slices.Max(sizes), moved)
	assert.Greater(t, slices.Min(sizes), 150)
	assert.Less(t, slices.Max(sizes), 250)
	assert.InDelta(t, targets/51, moved, 50)
}

// TestShardsCoverAll checks that three collectors start every target exactly once.
func TestShardsCoverAll(t *testing.T) {
	var list, all []string
	for i := range 300 {
		list = append(list, fmt.Sprintf("http://10.0.0.%d", i))
	}
	for index := range 3 {
		f := startFleet(t, load(t, fmt.Sprintf("{targets: {static: [%s]}, shard: {index: %d, count: 3}}", strings.Join(list, ", "), index)))
		all = append(all, f.members.endpoints()...)
	}
	assert.ElementsMatch(t, list, all)
}
