// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package distribution_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/flussonic"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/jitsi"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/kamailio"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/mediasoup"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/zlmediakit"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
)

// traffic lists, for each exporter, servers whose values change, and the overrides of the configuration for fast tests.
var traffic = map[string][]struct {
	start     func(t *testing.T) (env []string)
	overrides string
	format    string   // of the receiver, if there are several: the documented pairs name it
	zero      []string // old queries whose values are 0
}{
	"flussonic_exporter": {{
		start: func(t *testing.T) []string {
			t.Helper()
			return flussonicEnv(startFlussonic(t, flussonic.Options{Moving: true}))
		},
		overrides: oftenFlussonicPage,
		zero: []string{
			`rate(flussonic_stream_bytes_in[15s]) == 0`,
		},
	}},
	"jitsi_exporter": {{
		start: func(t *testing.T) []string {
			t.Helper()
			began := time.Now()
			fast := func() time.Time { return began.Add(50 * time.Since(began)) } // a conference every few seconds
			bridge, err := jitsi.NewJVB(jitsi.JVBOptions{Version: "2.3.92", Stats: true, Moving: true, Now: fast})
			return endpoint(t, "JVB_ENDPOINT", bridge, err)
		},
		overrides: oftenBridge,
		zero: []string{
			`rate(jitsi_total_data_channel_messages_received[1m])`,
			`rate(jitsi_total_data_channel_messages_sent[1m])`,
		},
	}},
	"kamailio_exporter": {{
		start: func(t *testing.T) []string {
			t.Helper()
			server, err := kamailio.NewCtl(kamailio.CtlOptions{Moving: true})
			return append(endpoint(t, "KAMAILIO_ENDPOINT", server, err), "USER_METRICS="+servePage(t, userMetrics))
		},
		overrides: exporters["kamailio_exporter"].often,
		zero: []string{
			`kamailio_core_request_total{method="drop"}`,
			`kamailio_bad_msg_hdr`,
			`kamailio_dns_failed_request_total`,
			`rate(kamailio_sl_reply_total{code="404"}[5m])`,
			`kamailio_tcp_writequeue`,
		},
	}},
	"mediasoup_exporter": {{
		start: func(t *testing.T) []string {
			t.Helper()
			agent, err := mediasoup.NewAgent(mediasoup.AgentOptions{Moving: true, Consumers: 100})
			return endpoint(t, "MEDIASOUP_ENDPOINT", agent, err)
		},
		overrides: oftenMediasoup,
		format:    "snapshot",
	}, {
		start: func(t *testing.T) []string {
			t.Helper()
			server, err := mediasoup.NewEdumeet(mediasoup.EdumeetOptions{Moving: true})
			return endpoint(t, "MEDIASOUP_ENDPOINT", server, err)
		},
		overrides: oftenEdumeet,
		format:    "edumeet",
	}},
	"zlm_exporter": {{
		start: func(t *testing.T) []string {
			t.Helper()
			return []string{"ZLMEDIAKIT_ENDPOINT=" + startZLMediaKit(t, zlmediakit.Options{Scene: "on_demand", Streams: 5}).URL()}
		},
		overrides: often,
		zero: []string{
			`zlm_network_threads_delay_total`,
			`zlm_work_threads_delay_total`,
		},
	}},
}

// endpoint returns the environment variable with the address of a server that runs until the end of the test.
func endpoint(t *testing.T, name string, server *emulator.Server, err error) []string {
	t.Helper()
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return []string{name + "=" + server.URL()}
}

// TestQueries evaluates the documented pairs of old and new queries, and the queries of published dashboards, in a real Prometheus that
// scrapes both pages. The queries of a pair must have the same values, whatever their labels are.
func TestQueries(t *testing.T) {
	t.Parallel()
	for name, scenes := range traffic {
		for _, scene := range scenes {
			t.Run(filepath.Join(name, scene.format), func(t *testing.T) {
				t.Parallel()
				p, old := scrapeBoth(t, name, scene.start(t), scene.overrides)
				pairs := pairsOf(t, name, scene.format)
				eventually(t, func(ct *assert.CollectT) {
					at := time.Now().Add(-time.Second) // the samples of that time have been scraped from both pages
					var zero []string
					for _, pair := range pairs {
						if p.checkPair(ct, pair, at)+p.checkPair(ct, pair.withoutRates(), at) == 0 {
							zero = append(zero, pair.old)
						}
					}
					assert.ElementsMatch(ct, scene.zero, zero)
				})
				checkPublished(t, name, p, old)
			})
		}
	}
}

// scrapeBoth starts a collector with the names of an exporter in addition to the new ones, and a Prometheus that scrapes both pages. The
// samples have the time of the scrape of the server, so that both pages have the same samples. It returns the address of the old page.
func scrapeBoth(t *testing.T, name string, env []string, overrides string) (p *prometheus, old string) {
	t.Helper()
	old = freeAddress(t)
	c := start(t, append(env, "COMPAT="+old), shipped(exporters[name].config), filepath.Join("compat", name+".yaml"), overrides, `yaml:
exporters:
  prometheus_page: {send_timestamps: true}
  prometheus_page/`+name+`: {endpoint: "${env:COMPAT}", send_timestamps: true}
`)
	return startPrometheus(t, scrapeConfig(t, c.Page)+`
  - job_name: old
    static_configs: [{targets: ["`+old+`"]}]
`), old
}

// pair is an old query and its replacement.
type pair struct{ old, new string }

// rates matches the rate or increase of a counter.
var rates = regexp.MustCompile(`(?:rate|increase)\(([^()]*)\[\w+]\)`)

// withoutRates returns the pair with counters instead of their rates, because not all counters grow during the test.
func (q pair) withoutRates() pair {
	return pair{rates.ReplaceAllString(q.old, "$1"), rates.ReplaceAllString(q.new, "$1")}
}

// checkPair requires that both queries have the same values, and returns the sum of their magnitudes.
func (p *prometheus) checkPair(t require.TestingT, q pair, at time.Time) (sum float64) {
	values, want := p.values(t, q.old, at), p.values(t, q.new, at)
	require.NotEmpty(t, values, q.old)
	require.Len(t, values, len(want), q.old)
	for i := range values {
		assert.InDelta(t, want[i], values[i], 1e-9*math.Abs(want[i]), q.old)
		sum += math.Abs(values[i])
	}
	return sum
}

// pairsOf returns the documented pairs of an exporter that are available with a format of the receiver.
func pairsOf(t *testing.T, name, format string) (pairs []pair) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("compat", name+".md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "## Queries\n")
	require.True(t, found)
	table, _, _ := strings.Cut(rest, "\n## ")
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "`"); strings.HasPrefix(line, "| `") && strings.Contains(cells[4], format) {
			pairs = append(pairs, pair{cells[1], cells[3]})
		}
	}
	require.NotEmpty(t, pairs)
	return pairs
}

// checkPublished requires that the queries of published dashboards have data on the old page, except for those with a reason.
func checkPublished(t *testing.T, name string, p *prometheus, old string) {
	t.Helper()
	file := filepath.Join("..", "testdata", "compat", name+".queries.tsv")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, row := range rtctest.Table(t, file) {
		query := strings.ReplaceAll(row[0], "$instance", old)
		reason := ""
		if len(row) > 2 {
			reason = row[2]
		}
		if reason == "" {
			assert.NotEmpty(t, p.query(t, query), query)
		} else {
			assert.Empty(t, p.query(t, query), query)
		}
	}
}
