// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
)

// maxAllocations bounds the allocations of a default scrape of the captured server; about 120 are made by the emulator, 2,300 by
// pdata.
const maxAllocations = 2850

// startFixedServer starts a server whose clock stands still and whose replies have room for all its statistics.
func startFixedServer(t testing.TB, o kamailio.CtlOptions) string {
	t.Helper()
	now := time.Now()
	o.Now, o.StructLimit = func() time.Time { return now }, binrpc.MaxBody
	server, err := kamailio.NewCtl(o)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server.URL()
}

// BenchmarkScrape measures a whole scrape over a unix socket: of the captured server, which has 16 processes and 166 statistics, and
// of servers with many script statistics or many destinations.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range []struct {
		name   string
		server kamailio.CtlOptions
		points int
	}{
		{"captured", kamailio.CtlOptions{}, 362},
		{"statistics=900", kamailio.CtlOptions{Statistics: 900 - 166}, 362 + 900 - 166},
		{"targets=1000", kamailio.CtlOptions{Targets: 1000}, 362 + 10*(1000-5)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s, _ := startSystem(b, startFixedServer(b, bench.server), nil)
			scrapeOnce := func() int {
				metrics, err := s.Scrape(b.Context())
				require.NoError(b, err)
				return metrics.DataPointCount()
			}
			scrapeOnce() // the first one also requests the identity
			require.Equal(b, bench.points, scrapeOnce())
			b.ReportAllocs()
			for b.Loop() {
				scrapeOnce()
			}
			b.ReportMetric(float64(bench.points), "points")
		})
	}
}

// BenchmarkBareCalls makes the calls of a default scrape at once without reading the replies. The difference to BenchmarkScrape is
// the cost of the receiver.
func BenchmarkBareCalls(b *testing.B) {
	conn, err := binrpc.Dial(b.Context(), startFixedServer(b, kamailio.CtlOptions{}))
	require.NoError(b, err)
	defer conn.Close() //nolint:errcheck // nothing to do about it
	var calls []binrpc.Call
	for _, words := range [][]string{
		{apiUptime},
		{apiStatistics, "all"},
		{apiTLS},
		{apiTCP},
		{apiDialogs},
		{apiProcesses},
		{apiDispatcher},
		{apiRTPEngines, "all"},
		{apiRTPEngineCalls},
		{apiHtables},
		{apiDMQ},
	} {
		calls = append(calls, binrpc.Call{Request: binrpc.NewRequest(words[0], words[1:]...), Handle: func(binrpc.Records) error { return nil }})
	}
	b.ReportAllocs()
	for b.Loop() {
		conn.Do(b.Context(), calls)
		for i := range calls {
			require.NoError(b, calls[i].Err)
		}
	}
}

// A default scrape does not exceed maxAllocations.
func TestScrapeAllocations(t *testing.T) {
	s, _ := startSystem(t, startFixedServer(t, kamailio.CtlOptions{}), nil)
	allocations := testing.AllocsPerRun(10, func() {
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
	})
	require.Less(t, allocations, float64(maxAllocations))
}
