// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// startReceiver starts a receiver of a scrape function that is called every interval.
func startReceiver(t *testing.T, interval time.Duration, scrape func(context.Context) (pmetric.Metrics, error)) (receiver.Metrics, *consumertest.MetricsSink, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	set := receivertest.NewNopSettings(component.MustNewType("x"))
	set.Logger = zap.New(core).With(zap.String("server", "one"))
	sink := &consumertest.MetricsSink{}
	cfg := scraperhelper.ControllerConfig{CollectionInterval: interval, Timeout: interval}
	r, err := NewReceiver(set, set.ID.Type(), &cfg, sink, func(receiver.Settings) Scraper {
		return Scraper{Scrape: scrape, Resources: func() []pcommon.Resource { return nil }}
	})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	return r, sink, logs
}

// A hung server does not hold up the shutdown, and a scrape that was broken off reports nothing.
func TestShutdownCancelsScrape(t *testing.T) {
	running := make(chan struct{})
	r, sink, logs := startReceiver(t, time.Hour, func(ctx context.Context) (pmetric.Metrics, error) {
		close(running)
		<-ctx.Done()
		md := pmetric.NewMetrics()
		md.ResourceMetrics().AppendEmpty()
		return md, ctx.Err()
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

// A failure that lasts is one line, and its end another.
func TestLastingFailureIsLoggedOnce(t *testing.T) {
	const failing = 20
	scrapes, enough := 0, make(chan struct{})
	r, _, logs := startReceiver(t, time.Millisecond, func(context.Context) (pmetric.Metrics, error) {
		scrapes++
		switch {
		case scrapes <= failing:
			return pmetric.NewMetrics(), fmt.Errorf("refused after %d bytes", scrapes)
		case scrapes == failing+2:
			close(enough)
		}
		return pmetric.NewMetrics(), nil
	})
	<-enough
	require.NoError(t, r.Shutdown(t.Context()))
	var lines []string
	for _, entry := range logs.All() {
		lines = append(lines, entry.Message)
		assert.Equal(t, "one", entry.ContextMap()["server"])
	}
	assert.Equal(t, []string{failureMessage, "all requests are answered again"}, lines)
}

// When an error is logged again.
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

// Two receivers of one server: the second does not start until the first has been shut down.
func TestOneReceiverPerIdentity(t *testing.T) {
	newReceiver := func(name string) receiver.Metrics {
		set := receivertest.NewNopSettings(component.MustNewType("x"))
		set.ID = component.NewIDWithName(set.ID.Type(), name)
		cfg := scraperhelper.ControllerConfig{CollectionInterval: time.Hour}
		r, err := NewReceiver(set, set.ID.Type(), &cfg, consumertest.NewNop(), func(receiver.Settings) Scraper {
			return Scraper{
				Scrape:    func(context.Context) (pmetric.Metrics, error) { return pmetric.NewMetrics(), nil },
				Resources: func() []pcommon.Resource { return []pcommon.Resource{resource("x", "host:1")} },
			}
		})
		require.NoError(t, err)
		return r
	}
	a, b := newReceiver("a"), newReceiver("b")
	require.NoError(t, a.Start(t.Context(), componenttest.NewNopHost()))
	require.ErrorContains(t, b.Start(t.Context(), componenttest.NewNopHost()), "x host:1 is read by x/a too")
	require.NoError(t, b.Shutdown(t.Context()))
	require.ErrorContains(t, newReceiver("c").Start(t.Context(), componenttest.NewNopHost()), "x/a", "the failed one has released nothing")
	require.NoError(t, a.Shutdown(t.Context()))
	d := newReceiver("d")
	require.NoError(t, d.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, d.Shutdown(t.Context()))
}
