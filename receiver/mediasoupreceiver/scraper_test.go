// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

const testToken = "t0k3n/+&="

// captures are the versions of mediasoup with captured snapshots: a, and b about 5 s later.
var captures = []string{"3.7.19", "3.12.16", "3.27.1"}

// startAgent starts an emulated agent that requires testToken.
func startAgent(t testing.TB, o mediasoup.AgentOptions) *emulator.Server {
	t.Helper()
	o.Token = testToken
	server, err := mediasoup.NewAgent(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// system is a started receiver with its scraper.
type system struct {
	*scrape.System
	*scraper
	cfg *Config
}

// startSystem starts a receiver for the server at url. edit changes the default configuration.
func startSystem(t testing.TB, url string, edit func(*Config)) (*system, *observer.ObservedLogs) {
	t.Helper()
	cfg := createDefaultConfig()
	cfg.ClientConfig.Endpoint = url
	cfg.Token = testToken
	if edit != nil {
		edit(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s := newTestSystem(t, cfg, set)
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s, logs
}

// newTestSystem starts a system whose scraper is accessible to tests.
func newTestSystem(t testing.TB, cfg *Config, set receiver.Settings) *system {
	t.Helper()
	s := &system{cfg: cfg}
	s.System = scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) (_ []*scrape.Runner, err error) {
		s.scraper, err = newScraper(ctx, cfg, host, set)
		if err != nil {
			return nil, err
		}
		return []*scrape.Runner{s.run}, nil
	})
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	return s
}

// answers starts a server that returns bodies one by one, and then the last one repeatedly.
func answers(t testing.TB, bodies ...string) (url string) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := bodies[min(int(asked.Add(1)), len(bodies))-1]
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// captured returns a captured response.
func captured(t testing.TB, name string) string {
	t.Helper()
	text, err := fs.ReadFile(testdata.Files, "mediasoup/"+name)
	require.NoError(t, err)
	return string(text)
}

func scrapeOnce(t testing.TB, s *system) pmetric.Metrics {
	t.Helper()
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	return metrics
}

// everything enables all metrics and resource attributes, and rooms.
func everything(c *Config) {
	rtctest.EnableAll(&c.MetricsBuilderConfig.Metrics)
	rtctest.EnableAll(&c.MetricsBuilderConfig.ResourceAttributes)
	c.Rooms.Labels = []string{"room_id"}
}

// The sums are 0 in the first scrape, and what was counted since then in the second one.
func TestSnapshots(t *testing.T) {
	for _, version := range captures {
		for name, edit := range map[string]func(*Config){version: nil, version + "_everything": everything} {
			t.Run(name, func(t *testing.T) {
				s, _ := startSystem(t, answers(t, captured(t, "snapshot-"+version+"-a.json"), captured(t, "snapshot-"+version+"-b.json")), edit)
				for _, letter := range []string{"a", "b"} {
					metrics := scrapeOnce(t, s)
					rtctest.Golden(t, name+"_"+letter, metrics)
					rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), name+"_"+letter, rtctest.Points(t, metrics))
				}
			})
		}
	}
}

// sums returns the start times of the points of all sums, by metric.
func sums(metrics pmetric.Metrics) map[string][]time.Time {
	starts := map[string][]time.Time{}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Type() != pmetric.MetricTypeSum {
			continue
		}
		for _, dp := range m.Sum().DataPoints().All() {
			starts[m.Name()] = append(starts[m.Name()], dp.StartTimestamp().AsTime())
		}
	}
	return starts
}

// The agent's counters start with the application, those of workers with each worker, and sums over streams with the first scrape.
func TestStartTimes(t *testing.T) {
	s, _ := startSystem(t, answers(t, captured(t, "snapshot-3.12.16-a.json"), captured(t, "snapshot-3.12.16-b.json")), everything)
	application := time.UnixMilli(1795217487014).UTC() // from the capture by jq, like those of the workers
	worker := []time.Time{time.UnixMilli(1795217487522).UTC(), time.UnixMilli(1795217487570).UTC()}
	first := application.Add(time.Hour)
	now := first
	s.SetClock(func() time.Time { return now })
	scrapeOnce(t, s)
	now = now.Add(time.Minute)
	starts := sums(scrapeOnce(t, s))
	assert.Equal(t, []time.Time{application}, starts["mediasoup.transport.creations"])
	assert.Equal(t, []time.Time{application, application}, starts["mediasoup.agent.errors"])
	assert.Equal(t, []time.Time{worker[0], worker[0], worker[1], worker[1]}, starts["mediasoup.worker.cpu.time"])
	for _, metric := range []string{"mediasoup.consumer.io", "mediasoup.transport.io", "mediasoup.data.messages", "mediasoup.producer.rtcp.messages"} {
		assert.NotEmpty(t, starts[metric], metric)
		for _, start := range starts[metric] {
			assert.Equal(t, first, start, metric)
		}
	}
}

// The CPU time of the application starts when the application starts.
func TestStartOfProcessorTime(t *testing.T) {
	body := small(`"process":{"pid":1,"startTimeUnixMs":1795217487014,"cpuUserMs":5,"cpuSystemMs":6}`, `"producers":[],"consumers":[]`)
	s, _ := startSystem(t, answers(t, body), everything)
	application := time.UnixMilli(1795217487014).UTC()
	assert.Equal(t, []time.Time{application, application}, sums(scrapeOnce(t, s))["mediasoup.process.cpu.time"])
}

// The bytes of an individual stream start when it was first seen, and again when they fall.
func TestStartOfSingleStreams(t *testing.T) {
	before, after := captured(t, "snapshot-3.12.16-a.json"), captured(t, "snapshot-3.12.16-b.json")
	s, _ := startSystem(t, answers(t, before, after, before), everything)
	scrapes := []time.Time{time.Unix(1_795_300_000, 0).UTC(), time.Unix(1_795_300_060, 0).UTC(), time.Unix(1_795_300_120, 0).UTC()}
	fell := map[time.Time]int{}
	for i, now := range scrapes {
		s.SetClock(func() time.Time { return now })
		starts := sums(scrapeOnce(t, s))["mediasoup.stream.io"]
		require.NotEmpty(t, starts)
		for _, start := range starts {
			if i == 0 {
				assert.Equal(t, now, start)
			}
			if i == 2 {
				fell[start]++
			}
		}
	}
	assert.Positive(t, fell[scrapes[1]], "bytes fell after the second scrape")
}

func TestStartTimeIsNeverAfterThePoint(t *testing.T) {
	ahead := time.Now().Add(time.Hour)
	server := startAgent(t, mediasoup.AgentOptions{Moving: true, Now: func() time.Time { return ahead }})
	s, _ := startSystem(t, server.URL(), everything)
	metrics := scrapeOnce(t, s)
	for name, starts := range sums(metrics) {
		for _, start := range starts {
			assert.False(t, start.After(s.run.Now().AsTime()), name)
		}
	}
}

// A time that does not fit into a timestamp is not used as a start time: this one would overflow to 1970 in nanoseconds.
func TestStartTimeBeyondTimestamps(t *testing.T) {
	body := strings.ReplaceAll(captured(t, "snapshot-3.12.16-a.json"), `"startTimeUnixMs": 17952174`, `"startTimeUnixMs": 18446744073710, "": 17952174`)
	s, _ := startSystem(t, answers(t, body), everything)
	for name, starts := range sums(scrapeOnce(t, s)) {
		for _, start := range starts {
			assert.WithinDuration(t, s.run.Now().AsTime(), start, time.Minute, name)
		}
	}
}

// byMetric returns the number of points of each metric.
func byMetric(metrics pmetric.Metrics) map[string]int {
	counts := map[string]int{}
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		counts[m.Name()] = rtctest.NumberPoints(m).Len()
	}
	return counts
}

// Statistics that no enabled metric needs are not requested.
func TestStatisticsAskedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		metrics []string
		want    []string
	}{
		"nothing":          {nil, nil},
		"lists only":       {[]string{"mediasoup.consumer.count", "mediasoup.consumer.count_by_layer", "mediasoup.worker.deaths", "mediasoup.transport.count_by_ice_state", "mediasoup.data_producer.count"}, nil},
		"workers":          {[]string{"mediasoup.worker.cpu.time"}, []string{"workers"}},
		"transports":       {[]string{"mediasoup.transport.throughput"}, []string{"transports"}},
		"silent producers": {[]string{"mediasoup.producer.silent.count"}, []string{"producers"}},
		"single streams":   {[]string{"mediasoup.stream.score"}, []string{"producers", "consumers"}},
		"data":             {[]string{"mediasoup.data.io"}, []string{"data"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig()
			enableOnly(t, cfg, tt.metrics...)
			s := newTestSystem(t, cfg, receivertest.NewNopSettings(metadata.Type))
			assert.Len(t, s.call.Metrics, len(tt.metrics))
			assert.Equal(t, tt.want, s.statistics)
		})
	}
	s := newTestSystem(t, createDefaultConfig(), receivertest.NewNopSettings(metadata.Type))
	assert.Equal(t, []string{"workers", "transports", "producers", "consumers"}, s.statistics)
}

// The resource attributes stay the same while the application is down.
func TestResourceOutlivesTheApplication(t *testing.T) {
	server := startAgent(t, mediasoup.AgentOptions{Capture: "3.27.1-a"})
	s, _ := startSystem(t, server.URL(), everything)
	up := scrapeOnce(t, s)
	require.NoError(t, server.SetFault("refuse"))
	down, err := s.Scrape(t.Context())
	require.True(t, scrapererror.IsPartialScrapeError(err))
	resource := up.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "mediasoup", resource["service.name"])
	assert.Equal(t, "3.27.1", resource["service.version"])
	assert.Equal(t, "node", resource["mediasoup.binding"])
	assert.Equal(t, resource, down.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
}
