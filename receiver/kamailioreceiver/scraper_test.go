// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/kamailioreceiver/internal/metadata"
)

// system is a started receiver with the scrapers of its processes.
type system struct {
	*scrape.System
	*scraper
	rtpengine *rtpengine // nil if none is configured
}

// startSystem starts a receiver for the server at endpoint. edit changes the default configuration.
func startSystem(t testing.TB, endpoint string, edit func(*Config)) (*system, *observer.ObservedLogs) {
	t.Helper()
	cfg := createDefaultConfig()
	cfg.ClientConfig.Endpoint = endpoint
	if edit != nil {
		edit(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	core, logs := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	s := &system{}
	s.System = scrape.NewSystem(set, func(ctx context.Context, host component.Host, set receiver.Settings) (runners []*scrape.Runner, err error) {
		s.scraper, err = newScraper(ctx, cfg, host, set)
		require.NoError(t, err)
		runners = append(runners, s.run)
		if cfg.RTPEngine.ClientConfig.Endpoint != "" {
			s.rtpengine, err = newRTPEngine(ctx, cfg, host, set)
			require.NoError(t, err)
			runners = append(runners, s.rtpengine.run)
		}
		return runners, nil
	})
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, s.Shutdown(context.Background())) })
	return s, logs
}

// everything enables all metrics.
func everything(c *Config) {
	rtctest.EnableAll(&c.MetricsBuilderConfig.Metrics)
	c.DialogProfiles = []string{"inbound", "caller/alice"}
}

func TestScenes(t *testing.T) {
	for _, tt := range []struct {
		scene, name string
		edit        func(*Config)
	}{
		{scene: "unix", name: "unix"},
		{scene: "many_modules", name: "many_modules", edit: everything},
		{scene: "6.1", name: "6.1"},
		{scene: "6.1", name: "6.1_everything", edit: everything},
		{scene: "unix", name: "unix_everything", edit: everything},
		{scene: "unix", name: "unix_named", edit: func(c *Config) { c.Statistics.Naming = namingName }},
		{scene: "tcp", name: "tcp"},
		{scene: "minimal", name: "minimal"},
		{scene: "minimal", name: "minimal_everything", edit: everything},
		{scene: "jsonrpc", name: "jsonrpc"},
		{scene: "jsonrpc", name: "jsonrpc_everything", edit: func(c *Config) {
			everything(c)
			c.DialogProfiles = []string{"inbound"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var endpoint string
			if tt.scene == "jsonrpc" {
				endpoint = startRPC(t, nil).URL + "/RPC"
			} else {
				endpoint = startCtl(t, sceneFolders(tt.scene)...).endpoint
			}
			s, _ := startSystem(t, endpoint, tt.edit)
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			resource := metrics.ResourceMetrics().At(0).Resource().Attributes()
			if tt.scene != "jsonrpc" {
				resource.PutStr("server.address", "/run/kamailio/kamailio_ctl") // replaces a directory that differs from run to run
			}
			rtctest.Golden(t, tt.name, metrics)
			rtctest.Expected(t, filepath.Join("testdata", "expected.tsv"), tt.name, rtctest.Points(t, metrics))
		})
	}
}

// The metrics of the captured server with many modules are complete over JSON-RPC as well.
func TestManyModulesOverHTTP(t *testing.T) {
	s, _ := startSystem(t, startRPC(t, nil, "many_modules").URL, func(c *Config) {
		everything(c)
		c.DialogProfiles = []string{"inbound"}
	})
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	assert.Contains(t, points, "kamailio.uac.registration.count{}")
	assert.NotContains(t, points, "kamailio.uac.registration.active.count{}")
	assert.InDelta(t, 5, points["kamailio.dispatcher.set.count{}"], 0)
	assert.InDelta(t, 1, points[relayPoint("udp:127.0.0.1:12223", "0", "disabled")], 0)
	assert.InDelta(t, 3, points["kamailio.rtpengine.call.count{}"], 0)
}

// sceneFolders returns the directories of a scene, of which the first one takes precedence: replies that were not captured over TCP,
// or have not changed since 5.6, are taken from the socket.
func sceneFolders(scene string) []string {
	if strings.HasPrefix(scene, "6.") || scene == "tcp" {
		return []string{scene, "unix"}
	}
	return []string{scene}
}

// Both transports result in the same points for the same replies.
func TestTransportsAgree(t *testing.T) {
	overSocket, _ := startSystem(t, startCtl(t, "unix").endpoint, everything)
	overHTTP, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage { return jsonAnswer(t, words) }).URL, everything)
	want, err := overSocket.Scrape(t.Context())
	require.NoError(t, err)
	got, err := overHTTP.Scrape(t.Context())
	require.NoError(t, err)
	assert.Equal(t, withoutDurations(rtctest.Points(t, want)), withoutDurations(rtctest.Points(t, got)))
}

func withoutDurations(points map[string]float64) map[string]float64 {
	for point := range points {
		if strings.HasPrefix(point, "rtc.scrape.duration") {
			delete(points, point)
		}
	}
	return points
}

// captureFolders are the directories with the replies of jsonAnswer, of which the first one takes precedence.
var captureFolders = []string{"unix", "6.1", "many_modules"}

// jsonAnswer returns the captured BINRPC reply to a request as JSON-RPC sends it.
func jsonAnswer(t *testing.T, words []string) json.RawMessage {
	t.Helper()
	files := map[string]string{
		"stats.fetch all": "stats.fetch_all", "rtpengine.show all": "rtpengine.show_all", "pike.top ALL": "pike.top",
		"dispatcher.list full":         "dispatcher.list",
		"dns.stats_get dc_all_stats 0": "dns.stats_get",
		"dlg.profile_get_size inbound": "dlg.profile_get_size_inbound", "dlg.profile_get_size caller alice": "dlg.profile_get_size_caller",
	}
	file := strings.Join(words, " ")
	if known := files[file]; known != "" {
		file = known
	}
	found := slices.IndexFunc(captureFolders, func(folder string) bool {
		_, err := os.Stat(filepath.Join(captures, "binrpc", folder, file+".rep.json"))
		return err == nil
	})
	require.GreaterOrEqual(t, found, 0, file)
	reply := readDecoded(t, filepath.Join(captures, "binrpc", captureFolders[found], file+".rep.json"))
	assert.Equal(t, "reply", reply.Type)
	var result any
	switch all := reply.Records; len(all) {
	case 1:
		result = jsonOf(t, all[0])
	default:
		list := make([]any, len(all))
		for i := range all {
			list[i] = jsonOf(t, all[i])
		}
		result = list
	}
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "result": result, "id": 1})
	assert.NoError(t, err)
	return text
}

// jsonOf encodes a record as Kamailio's JSON-RPC does: lists, whose elements all have the same name or none, become arrays.
func jsonOf(t *testing.T, d datum) any {
	t.Helper()
	switch {
	case d.Int != nil:
		return *d.Int
	case d.Double != nil:
		return *d.Double
	case d.String != nil:
		return *d.String
	}
	object, list := map[string]any{}, []any{}
	for _, m := range d.members(t) {
		v := jsonOf(t, m.value)
		switch m.name {
		case "":
			list = append(list, v)
		case "SET", "DEST":
			list = append(list, map[string]any{m.name: v})
		default:
			object[m.name] = v
		}
	}
	if len(list) > 0 {
		return list
	}
	return object
}

// The sums of the server start when the server starts, also after a restart; those about the scrapes start with the receiver.
func TestStartTimes(t *testing.T) {
	server := startCtl(t, "unix")
	uptime := []byte{0x03}
	set := func(seconds byte) { uptime = append(append([]byte{0x03}, record(5, "uptime")...), 0x10, seconds, 0x83) }
	server.answer = func(words []string) ([]byte, bool, bool) { return uptime, false, words[0] == apiUptime }
	s, _ := startSystem(t, server.endpoint, nil)

	set(100)
	first := startOf(t, s)
	assert.InDelta(t, 100, time.Since(first).Seconds(), 2)
	set(102) // the difference is within the tolerance
	assert.Equal(t, first, startOf(t, s))
	set(3)
	second := startOf(t, s)
	assert.InDelta(t, 3, time.Since(second).Seconds(), 2)
	set(0)
	assert.False(t, startOf(t, s).After(time.Now()))
}

func startOf(t *testing.T, s *system) time.Time {
	t.Helper()
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	m := metricOf(t, metrics, "kamailio.requests")
	return m.Sum().DataPoints().At(0).StartTimestamp().AsTime()
}

func metricOf(t *testing.T, metrics pmetric.Metrics, name string) pmetric.Metric {
	t.Helper()
	for _, m := range metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == name {
			return m
		}
	}
	require.Fail(t, "no metric "+name)
	return pmetric.Metric{}
}

// Only methods that enabled metrics need are called. The method list and the version are requested once, even if the connection was
// lost, and again after a restart.
func TestRequests(t *testing.T) {
	always := []string{"core.uptime"}
	identity := []string{"system.listMethods", "core.version"}
	defaults := []string{
		"stats.fetch all", "core.tcp_info", "dlg.stats_active", "pkg.stats", "dispatcher.list",
		"rtpengine.show all", "rtpengine.get_hash_total", "htable.stats", "dmq.list_nodes",
	}
	server := startCtl(t, "unix")
	s, _ := startSystem(t, server.endpoint, nil)
	asked := func() []string {
		before := len(server.Requests())
		_, err := s.Scrape(t.Context())
		require.NoError(t, err)
		return server.Requests()[before:]
	}
	join := func(lists ...[]string) (all []string) {
		for _, list := range lists {
			all = append(all, list...)
		}
		return all
	}
	// The captured server has transaction statistics, but no TLS statistics.
	assert.ElementsMatch(t, join(always, identity, defaults, []string{"tls.info", "tm.stats"}), asked())
	assert.ElementsMatch(t, join(always, defaults, []string{"tls.info"}), asked())
	server.restart(t)
	assert.ElementsMatch(t, join(always, defaults, []string{"tls.info"}), asked(), "the same server, on a new connection")
	server.answer = func(words []string) ([]byte, bool, bool) {
		return append(append([]byte{0x03}, record(5, "uptime")...), 0x10, 1, 0x83), false, words[0] == apiUptime
	}
	server.restart(t)
	assert.ElementsMatch(t, join(always, identity, defaults, []string{"tls.info"}), asked(), "started again")

	none, _ := startSystem(t, server.endpoint, func(c *Config) { c.MetricsBuilderConfig.Metrics = metadata.MetricsConfig{} })
	before := len(server.Requests())
	_, err := none.Scrape(t.Context())
	require.NoError(t, err)
	assert.ElementsMatch(t, join(always, identity), server.Requests()[before:])
}

// A method is called for its own metrics, and for metrics of statistics that the server does not have.
func TestMetricsOfFallbacks(t *testing.T) {
	s, _ := startSystem(t, "unix:///run/ctl", everything)
	tcp := []string{"kamailio.tcp.connection.limit", "kamailio.tcp.reader.count"}
	transactions := []string{"kamailio.transaction.delayed_releases", "kamailio.transaction.releases"}
	all := []string{apiTCP, apiTLS, apiTransactions}
	for name, tt := range map[string]struct {
		groups, methods []string
		api             string
		want            []string
	}{
		"all groups":     {[]string{"tcp", "tls", "tmx"}, all, apiTCP, tcp},
		"transactions":   {[]string{"tmx"}, all, apiTransactions, transactions},
		"TLS":            {[]string{"tls"}, all, apiTLS, nil},
		"no group tcp":   {[]string{"tls"}, all, apiTCP, append([]string{"kamailio.tcp.connection.count", "kamailio.tcp.write_queue.size"}, tcp...)},
		"TLS of its own": {[]string{"tcp"}, all, apiTCP, tcp},
		"TLS beside TCP": {[]string{"tcp"}, []string{apiTCP}, apiTCP, append([]string{"kamailio.tls.connection.count", "kamailio.tls.connection.limit"}, tcp...)},
		"no group tls":   {nil, all, apiTLS, []string{"kamailio.tls.connection.count", "kamailio.tls.connection.limit", "kamailio.tls.write_queue.size"}},
		"no group tmx": {nil, all, apiTransactions, append([]string{
			"kamailio.transaction.active.count", "kamailio.transaction.completions", "kamailio.transaction.count", "kamailio.transaction.creations",
			"kamailio.transaction.received_replies", "kamailio.transaction.sent_replies",
		}, transactions...)},
	} {
		s.methods, s.statistics.groups = tt.methods, map[string]bool{}
		for _, group := range tt.groups {
			s.statistics.groups[group] = true
		}
		var got []string
		for _, m := range s.metricsOf(tt.api) {
			got = append(got, m.Name)
		}
		assert.ElementsMatch(t, tt.want, got, name)
	}
}

// forbidden are the methods that change the server, reveal secrets or are expensive.
var forbidden = []string{
	"dns.delete_", "dns.add_", "dns.set_server_state", "dns.debug", "dns.view", "dns.lookup", "pl.set_", "pl.reset_", "pl.rm_",
	"pl.push_", "pl.get_", "pl.stats", "secfilter.add_", "secfilter.del_", "secfilter.print", "secfilter.reload", "secfilter.stats_", "dispatcher.oclist",
	"cfg.", "core.kill", "core.arg", "corex.debug", "cnt.reset", "stats.reset_statistics", "stats.clear_statistics", "mod.stats",
	"dispatcher.set_state", "dispatcher.set_duid_state", "dispatcher.reload", "dispatcher.add", "dispatcher.remove", "dispatcher.ping_active", "dlg.end_dlg",
	"dlg.terminate_dlg", "dlg.set_state", "dlg.bridge_dlg", "dlg.list", "dlg.dump_file", "dmq.remove", "dst_blocklist.",
	"htable.set", "htable.delete", "htable.flush", "htable.reload", "htable.store", "htable.dump", "pv.shvSet", "rtpengine.enable",
	"rtpengine.reload", "rtpengine.ping", "tls.reload", "tls.kill", "tls.list", "tm.cancel", "tm.clean", "tm.reply", "tm.t_uac", "tm.list", "ul.", "uac.",
	"xhttp_prom.", "core.tcp_list", "core.shmmem", "permissions.", "domain.", "drouting.", "lcr.", "presence.", "mtree.", "sqlops.", "app_",
}

// With all metrics enabled, and with small replies of the server, only the allowed methods are called.
func TestOnlyReadingMethods(t *testing.T) {
	allowed := []string{
		apiMethods, apiVersion, apiUptime, apiStatistics, apiStatisticLines, apiGroups, apiNames, apiProcesses, apiTCP, apiTLS, apiTransactions,
		apiDialogs, apiProfileSize, apiDispatcher, apiRTPEngines, apiRTPEngineCalls, apiHtables, apiPike, apiDMQ,
		apiDNSMemory, apiDNSStatistics, apiPeers, apiPipes, apiSecfilter,
	}
	for _, method := range allowed {
		for _, prefix := range forbidden {
			assert.False(t, strings.HasPrefix(method, prefix), "%s %s", method, prefix)
		}
	}
	server := startCtl(t, "limits", "6.1", "unix")
	methods, err := json.Marshal(map[string]any{"result": allowed})
	require.NoError(t, err)
	var overHTTP []string
	http := startRPC(t, func(words []string) json.RawMessage {
		overHTTP = append(overHTTP, strings.Join(words, " "))
		if words[0] == apiMethods {
			return methods
		}
		return jsonAnswer(t, words)
	})
	for _, endpoint := range []string{server.endpoint, http.URL} {
		s, _ := startSystem(t, endpoint, everything)
		for range 3 {
			_, _ = s.Scrape(t.Context())
		}
	}
	for transport, requests := range map[string][]string{"binrpc": server.Requests(), "jsonrpc": overHTTP} {
		assert.Contains(t, requests, "dns.stats_get dc_all_stats 0", transport)
		for _, request := range requests {
			method, _, _ := strings.Cut(request, " ")
			assert.Contains(t, allowed, method)
			assert.True(t, method != apiDNSStatistics || request == "dns.stats_get dc_all_stats 0", "resets the counters: %s", request)
		}
	}
}

func TestTargets(t *testing.T) {
	for endpoint, want := range map[string]struct {
		address, instance string
		port              int64
	}{
		"unix:///run/kamailio/kamailio_ctl": {"/run/kamailio/kamailio_ctl", ":/run/kamailio/kamailio_ctl", 0},
		"tcp://sip.example":                 {"sip.example", "sip.example:2049", 2049},
		"tcp://127.0.0.1:2046":              {"127.0.0.1", ":2046", 2046},
		"https://sip.example/RPC":           {"sip.example", "sip.example:443", 443},
	} {
		got, err := newTarget(endpoint)
		require.NoError(t, err)
		assert.Equal(t, want.address, got.Address)
		assert.Equal(t, want.port, got.Port)
		assert.Truef(t, strings.HasSuffix(got.Instance, want.instance), "%s", got.Instance)
		assert.False(t, strings.HasPrefix(got.Instance, ":"), got.Instance)
	}
}

// A ctl port that is reachable over the network is logged once as a warning.
func TestOpenPortIsWarnedOf(t *testing.T) {
	for endpoint, warned := range map[string]bool{
		"tcp://10.0.0.5:2049": true, "tcp://sip.example": true, "tcp://127.0.0.1": false, "tcp://[::1]:2049": false, "tcp://localhost": false,
		"unix:///run/ctl": false, "http://10.0.0.5:5060/RPC": false,
	} {
		_, logs := startSystem(t, endpoint, nil)
		assert.Equal(t, warned, logs.FilterMessageSnippet("no authentication").Len() == 1, endpoint)
	}
}

// The resource attributes stay the same while the server is down.
func TestResourceOutlivesTheServer(t *testing.T) {
	server := startCtl(t, "unix")
	s, _ := startSystem(t, server.endpoint, nil)
	up, err := s.Scrape(t.Context())
	require.NoError(t, err)
	server.stop()
	down, err := s.Scrape(t.Context())
	require.Error(t, err)
	resource := up.ResourceMetrics().At(0).Resource().Attributes().AsRaw()
	assert.Equal(t, "5.6.3", resource["service.version"])
	assert.Equal(t, "kamailio", resource["service.name"])
	assert.Equal(t, resource, down.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
	assert.InDelta(t, 0, rtctest.Points(t, down)["rtc.target.up{}"], 0)
}
