// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/completeness"
)

// newProcess returns the Runner of a process with one call, ask, and the identity instance.
func newProcess(logger *zap.Logger, instance string, ask func(context.Context) error) *Runner {
	return NewRunner(newFakeBuilder(), words, Process{
		Endpoint: instance, Logger: logger,
		Scrape: func(ctx context.Context, s *Scrape) {
			s.Run(ctx, Call{API: "ask", Always: true, Ask: func(ctx context.Context) (func(), error) {
				if err := ask(ctx); err != nil {
					return nil, err
				}
				return func() {}, nil
			}})
		},
		Resource: func() pcommon.Resource { return resource("x", instance) },
		Close:    func() {},
	})
}

// startReceiver starts a receiver of a process with one call, which it makes at every interval.
func startReceiver(t *testing.T, interval time.Duration, ask func(context.Context) error) (receiver.Metrics, *consumertest.MetricsSink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	set := receivertest.NewNopSettings(component.MustNewType("x"))
	set.Logger = zap.New(core, zap.AddStacktrace(zapcore.ErrorLevel)).With(zap.String("server", "one"))
	sink := &consumertest.MetricsSink{}
	cfg := scraperhelper.ControllerConfig{CollectionInterval: interval, Timeout: interval}
	r, err := NewReceiver(set.ID.Type(), &cfg, sink, NewSystem(set, func(_ context.Context, _ component.Host, set receiver.Settings) ([]*Runner, error) {
		return []*Runner{newProcess(set.Logger, t.Name(), ask)}, nil
	}))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	return r, sink, logs
}

// TestShutdownCancelsScrape checks that a hanging server does not delay the shutdown, and that a canceled scrape reports nothing.
func TestShutdownCancelsScrape(t *testing.T) {
	running := make(chan struct{})
	r, sink, logs := startReceiver(t, time.Hour, func(ctx context.Context) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	<-running
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
	require.NoError(t, ctx.Err())
	for _, md := range sink.AllMetrics() {
		assert.Zero(t, md.ResourceMetrics().Len())
	}
	assert.Zero(t, logs.Len())
}

// TestLastingFailureIsLoggedOnce checks that a persistent failure logs one line, and its end another.
func TestLastingFailureIsLoggedOnce(t *testing.T) {
	const failing = 20
	scrapes, enough := 0, make(chan struct{})
	r, _, logs := startReceiver(t, time.Millisecond, func(context.Context) error {
		scrapes++
		switch {
		case scrapes <= failing:
			return fmt.Errorf("refused after %d bytes", scrapes)
		case scrapes == failing+2:
			close(enough)
		}
		return nil
	})
	<-enough
	require.NoError(t, r.Shutdown(t.Context()))
	var lines []string
	for _, entry := range logs.All() {
		lines = append(lines, entry.Message)
		assert.Empty(t, entry.Stack)
		assert.Equal(t, "one", entry.ContextMap()["server"])
	}
	assert.Equal(t, []string{failureMessage, "all requests are answered again"}, lines)
}

// TestFailureLog checks when an error is logged again.
func TestFailureLog(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	var failures failureLog
	logger := failures.wrap(zap.New(core))
	began := time.Now()
	for i, step := range []struct {
		after  time.Duration
		text   string
		logged bool
	}{
		{0, "refused", true},
		{time.Second, "refused", false},
		{repeatAfter - 1, "refused", false},
		{repeatAfter, "refused", true},
		{repeatAfter + time.Second, "timeout after 9s", true},
		{repeatAfter + 2*time.Second, "refused", false},
		{repeatAfter + 3*time.Second, "timeout after 10s", false},
		{2 * repeatAfter, "refused", true},
	} {
		before := logs.Len()
		entry := zapcore.Entry{Level: zapcore.ErrorLevel, Time: began.Add(step.after), Message: failureMessage}
		if checked := logger.Core().Check(entry, nil); checked != nil {
			checked.Write(zap.Error(errors.New(step.text)))
		}
		assert.Equal(t, step.logged, logs.Len() > before, "step %d", i)
	}
	for i := range 3 * maxFailures {
		logger.Error(failureMessage, zap.Error(errors.New("reason "+string(rune('a'+i)))))
	}
	assert.Equal(t, 4+maxFailures-2, logs.Len(), "different errors are bounded")
	logger.Error("another line")
	logger.Debug(failureMessage)
	failures.end(logger)
	failures.end(logger)
	assert.Equal(t, 4+maxFailures-2+2, logs.Len())
}

// TestOneReceiverPerIdentity checks that a second receiver of a server does not start until the first one has been shut down.
func TestOneReceiverPerIdentity(t *testing.T) {
	newReceiver := func(name string) receiver.Metrics {
		set := receivertest.NewNopSettings(component.MustNewType("x"))
		set.ID = component.NewIDWithName(set.ID.Type(), name)
		cfg := scraperhelper.ControllerConfig{CollectionInterval: time.Hour}
		r, err := NewReceiver(set.ID.Type(), &cfg, consumertest.NewNop(), NewSystem(set, func(context.Context, component.Host, receiver.Settings) ([]*Runner, error) {
			return []*Runner{newProcess(zap.NewNop(), "host:1", func(context.Context) error { return nil })}, nil
		}))
		require.NoError(t, err)
		return r
	}
	a, b := newReceiver("a"), newReceiver("b")
	require.NoError(t, a.Start(t.Context(), componenttest.NewNopHost()))
	require.ErrorContains(t, b.Start(t.Context(), componenttest.NewNopHost()), "x host:1 is also read by x/a")
	require.NoError(t, b.Shutdown(t.Context()))
	require.ErrorContains(t, newReceiver("c").Start(t.Context(), componenttest.NewNopHost()), "x/a", "the failed one has released nothing")
	require.NoError(t, a.Shutdown(t.Context()))
	d := newReceiver("d")
	require.NoError(t, d.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, d.Shutdown(t.Context()))
}

// TestSystemOfSeveralProcesses checks that each process has its own resource. If one is down, the others are not affected, and the
// component status has its error.
func TestSystemOfSeveralProcesses(t *testing.T) {
	refused := &failure{text: "refused", counted: Connection}
	set := receivertest.NewNopSettings(component.MustNewType("x"))
	host := &listener{Host: componenttest.NewNopHost()}
	s := NewSystem(set, func(context.Context, component.Host, receiver.Settings) ([]*Runner, error) {
		return []*Runner{
			newProcess(zap.NewNop(), "a", func(context.Context) error { return nil }),
			newProcess(zap.NewNop(), "b", func(context.Context) error { return refused }),
		}, nil
	})
	require.NoError(t, s.Start(t.Context(), host))
	s.SetClock(func() time.Time { return time.Unix(5000, 0) })
	metrics, err := s.Scrape(t.Context())
	require.EqualError(t, err, "ask of b: refused")
	require.Equal(t, 2, metrics.ResourceMetrics().Len())
	up := map[string]float64{}
	for _, rm := range metrics.ResourceMetrics().All() {
		m := rm.ScopeMetrics().At(0).Metrics().At(0)
		assert.Equal(t, time.Unix(5000, 0).UTC(), m.Gauge().DataPoints().At(0).Timestamp().AsTime())
		up[rm.Resource().Attributes().AsRaw()["service.instance.id"].(string)] = m.Gauge().DataPoints().At(0).DoubleValue()
	}
	assert.Equal(t, map[string]float64{"a": 1, "b": 0}, up)
	require.Len(t, host.events, 1)
	require.EqualError(t, host.events[0].Err(), "ask of b: refused")
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestWithdraw checks that the last payload of a receiver has the resource and scope of those before it, and only rtc.target.up, without a
// value.
func TestWithdraw(t *testing.T) {
	set := receivertest.NewNopSettings(component.MustNewType("x"))
	system := NewSystem(set, func(context.Context, component.Host, receiver.Settings) ([]*Runner, error) {
		return []*Runner{newProcess(zap.NewNop(), "host:1", func(context.Context) error { return nil })}, nil
	})
	var extents []completeness.Completeness
	var payloads []pmetric.Metrics
	var scrapes atomic.Int64
	sink, err := consumer.NewMetrics(func(ctx context.Context, metrics pmetric.Metrics) error {
		extents, payloads = append(extents, completeness.From(ctx)), append(payloads, metrics)
		scrapes.Add(1)
		return nil
	})
	require.NoError(t, err)
	cfg := scraperhelper.ControllerConfig{CollectionInterval: time.Hour}
	r, err := NewReceiver(set.ID.Type(), &cfg, sink, system)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return scrapes.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))

	require.NoError(t, r.Withdraw(t.Context()))
	require.Len(t, payloads, 2)
	assert.Equal(t, []completeness.Completeness{completeness.Full, completeness.Full}, extents)
	before, after := payloads[0].ResourceMetrics().At(0), payloads[1].ResourceMetrics().At(0)
	assert.Equal(t, before.Resource().Attributes().AsRaw(), after.Resource().Attributes().AsRaw())
	assert.Equal(t, before.ScopeMetrics().At(0).Scope().Name(), after.ScopeMetrics().At(0).Scope().Name())
	require.Equal(t, 1, payloads[1].DataPointCount())
	up := after.ScopeMetrics().At(0).Metrics().At(0)
	assert.Equal(t, "up", up.Name())
	assert.True(t, up.Gauge().DataPoints().At(0).Flags().NoRecordedValue())
	assert.Positive(t, up.Gauge().DataPoints().At(0).Timestamp())
}

// TestCompleteness checks what the next consumer learns about series that are missing from a scrape.
func TestCompleteness(t *testing.T) {
	answer := func(context.Context) (func(), error) { return func() {}, nil }
	fail := func(context.Context) (func(), error) { return nil, errors.New("broken") }
	for name, tc := range map[string]struct {
		calls []Call
		want  completeness.Completeness
	}{
		"all calls are answered":          {[]Call{{API: "a", Always: true, Ask: answer}}, completeness.Full},
		"a call fails":                    {[]Call{{API: "a", Always: true, Ask: answer}, {API: "b", Always: true, Ask: fail}}, completeness.Full},
		"an answer is known":              {[]Call{{API: "a", Always: true, Ask: answer}, {API: "b", Always: true, Known: true}}, completeness.Full},
		"a call is not due":               {[]Call{{API: "a", Always: true, Ask: answer}, {API: "b", Always: true, NotDue: true}}, completeness.Incremental},
		"no metric needs what is not due": {[]Call{{API: "a", Always: true, Ask: answer}, {API: "b", NotDue: true}}, completeness.Full},
		"the process is down":             {[]Call{{API: "a", Always: true, Ask: fail}, {API: "b", Always: true, NotDue: true}}, completeness.Full},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := newProcess(zap.NewNop(), "first", func(context.Context) error { return nil }), newProcess(zap.NewNop(), "second", nil)
			second.process.Scrape = func(ctx context.Context, s *Scrape) { s.Run(ctx, tc.calls...) }
			system := NewSystem(receivertest.NewNopSettings(component.MustNewType("x")), nil)
			system.runners = []*Runner{first, second}
			metrics, _ := system.Scrape(t.Context())

			var got []completeness.Completeness
			sink, err := consumer.NewMetrics(func(ctx context.Context, _ pmetric.Metrics) error {
				got = append(got, completeness.From(ctx))
				return nil
			})
			require.NoError(t, err)
			next, err := withCompleteness(sink, system)
			require.NoError(t, err)
			require.NoError(t, next.ConsumeMetrics(t.Context(), metrics))
			assert.Equal(t, []completeness.Completeness{tc.want}, got)
		})
	}
}
