// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package busyday runs expressions with the engine of Prometheus over half an hour of the emulated servers, during which some of them
// fail and restart. The receivers scrape the servers in fast motion, and what Prometheus would scrape from the page is stored.
package busyday

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
)

const (
	// Interval is the time between two scrapes.
	Interval = 30 * time.Second
	// scrapes is the number of scrapes of the day.
	scrapes = 60
)

// Start and End are the times of the first and the last scrape.
var (
	Start = time.Unix(1_800_000_000, 0)
	End   = Start.Add((scrapes - 1) * Interval)
)

// event sets the fault of a server before a scrape.
type event struct {
	scrape int
	server string // all servers if it is empty
	fault  string // the previous fault ends if it is empty
	apis   []string
}

// events are what happens on the day.
var events = []event{
	{scrape: 15, server: "jvb-old", fault: emulator.Refuse},
	{scrape: 15, server: "zlmediakit", fault: "status_500", apis: []string{"getThreadsLoad"}},
	{scrape: 19, server: "zlmediakit"},
	{scrape: 22, server: "jvb-old"},
	{scrape: 30, fault: emulator.Restart},
	{scrape: 40, server: "kamailio", fault: "status_500", apis: []string{"dlg.stats_active"}},
	{scrape: 40, server: "flussonic", fault: "status_500"},
	{scrape: 40, server: "mediasoup", fault: "status_500"},
	{scrape: 40, server: "jicofo", fault: "status_500"},
	{scrape: 44, server: "kamailio"},
	{scrape: 44, server: "flussonic"},
	{scrape: 44, server: "mediasoup"},
	{scrape: 44, server: "jicofo"},
	{scrape: 50, server: "zlmediakit", fault: "status_500", apis: []string{"getMediaList"}},
	{scrape: 53, server: "zlmediakit"},
	{scrape: 58, server: "jvb-old", fault: emulator.Refuse}, // is down at the end of the day
}

// Day holds the series that Prometheus would have stored.
type Day struct {
	*Engine
	// Storage holds the series.
	Storage *teststorage.TestStorage
}

// Run scrapes all servers for a day, with the default metrics and those in enable. In growing, the counters that stood still all day grow
// by 1 per second.
func Run(tb testing.TB, enable ...string) (day, growing *Day) {
	tb.Helper()
	clock := emulatortest.NewClock()
	f := newFleet(tb, clock.Now)
	c := startCollector(tb, f, enable)
	r := &recorder{byLabels: map[string]*series{}}
	for i := range scrapes {
		if i > 0 {
			clock.Advance(Interval)
			f.apply(i)
			c.resume()
		}
		r.add(tb, c.scrape(tb), i)
		r.add(tb, collectorPage, i)
	}
	c.shutdown(tb)
	return r.store(tb, false), r.store(tb, true)
}

// apply makes the events before a scrape happen.
func (f *fleet) apply(scrape int) {
	for _, e := range events {
		if e.scrape != scrape {
			continue
		}
		if e.server != "" {
			require.NoError(f.tb, f.servers[e.server].SetFault(e.fault, e.apis...))
			continue
		}
		for _, server := range f.servers {
			require.NoError(f.tb, server.SetFault(e.fault, e.apis...))
		}
	}
}

// recorder keeps the samples of all scrapes.
type recorder struct {
	order    []*series
	byLabels map[string]*series
}

type series struct {
	labels  labels.Labels
	counter bool
	values  [scrapes]float64
	present [scrapes]bool
}

// add adds the samples of a page.
func (r *recorder) add(tb testing.TB, page []byte, scrape int) {
	tb.Helper()
	for _, sample := range parse(tb, page) {
		one := r.find(sample.Labels)
		one.counter = sample.Counter
		one.values[scrape], one.present[scrape] = sample.Value, true
	}
}

func (r *recorder) find(l labels.Labels) *series {
	key := l.String()
	one := r.byLabels[key]
	if one == nil {
		one = &series{labels: l}
		r.byLabels[key] = one
		r.order = append(r.order, one)
	}
	return one
}

// store stores the samples. A series that is not on a page becomes stale.
func (r *recorder) store(tb testing.TB, grow bool) *Day {
	tb.Helper()
	require.NotEmpty(tb, r.order)
	storage := teststorage.New(tb)
	appender := storage.Appender(tb.Context())
	for _, s := range r.order {
		growing := grow && s.counter && s.still()
		for i := range scrapes {
			sample := s.values[i]
			switch {
			case s.present[i] && growing:
				sample += float64(i) * Interval.Seconds()
			case !s.present[i] && (i == 0 || !s.present[i-1]):
				continue
			case !s.present[i]:
				sample = math.Float64frombits(value.StaleNaN)
			}
			_, err := appender.Append(0, s.labels, Start.Add(time.Duration(i)*Interval).UnixMilli(), sample)
			require.NoError(tb, err, s.labels)
		}
	}
	require.NoError(tb, appender.Commit())
	return &Day{NewEngine(storage), storage}
}

// still reports whether the series never increased.
func (s *series) still() bool {
	for i := 1; i < scrapes; i++ {
		if s.present[i] && s.present[i-1] && s.values[i] > s.values[i-1] {
			return false
		}
	}
	return true
}
