// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
)

// The identity of a new server is requested first, then everything else; from a known server, everything is requested at once.
func TestExchanges(t *testing.T) {
	server := startCtl(t, "unix", "many_modules")
	server.expectAtOnce(3)
	s, _ := startSystem(t, server.endpoint, everything)
	var asked []string
	server.answer = func(words []string) ([]byte, bool, bool) {
		asked = append(asked, words[0])
		if len(asked) == 4 && asked[2] == apiVersion { // the first request of the second exchange
			server.expectAtOnce(15)
		}
		return nil, false, false
	}
	rest := []string{
		apiTLS, apiTCP, apiTransactions, apiRTPEngineCalls, apiStatistics, apiProcesses, apiHtables, apiRTPEngines,
		apiDispatcher, apiDMQ, apiDialogs, apiProfileSize, apiProfileSize, apiPike, apiDNSMemory,
	}
	_, err := scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	assert.Equal(t, slices.Concat([]string{apiUptime, apiMethods, apiVersion}, rest), asked)

	asked = nil
	server.expectAtOnce(16)
	_, err = scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	assert.Equal(t, slices.Concat([]string{apiUptime}, rest), asked)
}

// durationOf returns the duration of a call in the last scrape.
func durationOf(points map[string]float64, api string) float64 {
	return points["rtc.scrape.duration{rtc.api="+api+"}"]
}

// The time of a call that hangs is not counted for other calls: those before it have their own duration, those behind it have 0.
func TestDurations(t *testing.T) {
	const timeout = 2 * time.Second
	for name, p := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, endpoint := p.start(t)
			s, _ := startSystem(t, endpoint, nil)
			_, err := scrapeInTime(t, s, plenty)
			require.NoError(t, err)
			require.NoError(t, server.SetFault("hang", apiDispatcher))
			points, err := scrapeInTime(t, s, timeout)
			require.ErrorContains(t, err, apiDispatcher+" of "+endpoint+": ")
			require.ErrorContains(t, err, "dmq.list_nodes, dlg.stats_active of "+endpoint+": behind dispatcher.list, which did not answer in time")
			hung := durationOf(points, apiDispatcher)
			assert.Greater(t, hung, 1.0)
			for _, api := range []string{apiUptime, apiStatistics, apiProcesses, apiRTPEngines} {
				took := durationOf(points, api)
				assert.Positive(t, took, api)
				assert.Less(t, took, hung, api)
			}
			for _, api := range []string{apiDMQ, apiDialogs} {
				took, there := points["rtc.scrape.duration{rtc.api="+api+"}"]
				assert.True(t, there, api)
				assert.Zero(t, took, api)
				assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=timeout,rtc.api="+api+"}"], 0)
			}
			assert.Contains(t, points, "kamailio.requests{}", "what came before counts")
		})
	}
}

// A method that hung is called last, where it affects no other method, until it has answered ten times.
func TestSuspects(t *testing.T) {
	for name, p := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, endpoint := p.start(t)
			s, _ := startSystem(t, endpoint, nil)
			last := func(timeout time.Duration, fails bool) (method string, points map[string]float64) {
				points, err := scrapeInTime(t, s, timeout)
				require.Equal(t, fails, err != nil, err)
				requests := server.Requests()
				return requests[len(requests)-1], points
			}
			usual, _ := last(plenty, false)
			require.NoError(t, server.SetFault("hang", apiStatistics))
			_, points := last(time.Second, true)
			assert.False(t, hasMetric(points, "kamailio.process.count"), "it was behind the one that hung")
			for range 2 {
				method, points := last(time.Second, true)
				assert.Contains(t, method, apiStatistics)
				assert.True(t, hasMetric(points, "kamailio.process.count"))
				assert.True(t, hasMetric(points, "kamailio.dialog.count"))
				assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
			}
			require.NoError(t, server.SetFault(""))
			for range trustedAfter {
				method, points := last(plenty, false)
				assert.Contains(t, method, apiStatistics)
				assert.True(t, hasMetric(points, "kamailio.requests"))
			}
			method, _ := last(plenty, false)
			assert.Equal(t, usual, method)
		})
	}
}

// If the whole server hangs, no method becomes a suspect.
func TestHungServerIsNoSuspect(t *testing.T) {
	server, err := kamailio.NewCtl(kamailio.CtlOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	s, _ := startSystem(t, server.URL(), nil)
	_, err = scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	require.NoError(t, server.SetFault("hang"))
	points, err := scrapeInTime(t, s, 500*time.Millisecond)
	require.ErrorContains(t, err, "core.uptime of "+server.URL()+": no complete reply in time")
	require.ErrorContains(t, err, "behind core.uptime, which did not answer in time")
	assert.InDelta(t, 0, points["rtc.target.up{}"], 0)
	assert.Empty(t, s.client.suspects)
}

// A reply whose header cannot be read fails the calls behind it with a connection error.
func TestBrokenHeaderCostsThoseBehindIt(t *testing.T) {
	server, endpoint := startUnix(t)
	s, _ := startSystem(t, endpoint, nil)
	_, err := scrapeInTime(t, s, plenty)
	require.NoError(t, err)
	require.NoError(t, server.SetFault("redirect_elsewhere", apiDispatcher))
	points, err := scrapeInTime(t, s, plenty)
	require.ErrorContains(t, err, "dmq.list_nodes, dlg.stats_active of "+endpoint+": behind dispatcher.list, whose reply cannot be read")
	assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=format,rtc.api=dispatcher.list}"], 0)
	assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=connection,rtc.api=dmq.list_nodes}"], 0)
	assert.Contains(t, points, "kamailio.requests{}")
	assert.Empty(t, s.client.suspects, "it did not hang")
}
