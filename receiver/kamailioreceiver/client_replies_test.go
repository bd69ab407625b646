// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/binrpc"
	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// shapes are replies that are wrong for most methods, as each transport sends them.
var shapes = map[string]struct {
	body []byte
	json string
}{
	"a number":        {[]byte{0x10, 7}, `{"result":7}`},
	"a string":        {record(1, "x"), `{"result":"x"}`},
	"nothing":         {nil, `{"id":1}`},
	"null":            {[]byte{0x01}, `{"result":null}`},
	"an empty struct": {[]byte{0x03, 0x83}, `{"result":{}}`},
	"an empty array":  {[]byte{0x04, 0x84}, `{"result":[]}`},
	"another struct":  {structBody("x", "y"), `{"result":{"x":"y"}}`},
	"other structs":   {append(structBody("x", "y"), structBody("x", "z")...), `{"result":[{"x":"y"},{"x":"z"}]}`},
	"nested arrays":   {[]byte{0x04, 0x04, 0x84, 0x84}, `{"result":[[]]}`},
}

// rightShapes are the shapes that are valid replies of a method.
var rightShapes = map[string]string{
	"binrpc " + apiRTPEngineCalls: "a number", "jsonrpc " + apiRTPEngineCalls: "a number",
	"binrpc " + apiProfileSize: "a number", "jsonrpc " + apiProfileSize: "a number",
	"binrpc " + apiRTPEngines: "nothing", "jsonrpc " + apiRTPEngines: "an empty array", // if all nodes were removed from their sets
	"binrpc " + apiPipes: "nothing", "jsonrpc " + apiPipes: "an empty array", // before the first message
	"binrpc " + apiSecfilter: "null", // the first line of the text before 5.7 is blank
}

// shapeMetrics has a metric of each method.
var shapeMetrics = map[string]string{
	apiUptime: "kamailio.uptime", apiVersion: "", apiMethods: "", apiStatistics: "kamailio.requests", apiTLS: "kamailio.tls.write_queue.size",
	apiTCP: "kamailio.tcp.reader.count", apiTransactions: "kamailio.transaction.releases", apiDialogs: "kamailio.dialog.count",
	apiProfileSize: "kamailio.dialog.count_by_profile", apiProcesses: "kamailio.process.count", apiDispatcher: "kamailio.dispatcher.set.count",
	apiRTPEngines: "kamailio.rtpengine.node.state", apiRTPEngineCalls: "kamailio.rtpengine.call.count", apiHtables: "kamailio.htable.item.count",
	apiPike: "kamailio.pike.address.count", apiDMQ: "kamailio.dmq.node.state",
	apiDNSMemory: "kamailio.dns.cache.usage", apiPeers: "kamailio.peerstate.peer.count", apiPipes: "kamailio.pipelimit.message.count",
	apiSecfilter: "kamailio.secfilter.matches", apiDNSStatistics: "kamailio.dns.cache.requests",
}

// methodsBody returns the body of a reply that lists methods.
func methodsBody(methods []string) (body []byte) {
	for _, method := range methods {
		body = append(body, longRecord(1, method)...)
	}
	return body
}

// startShaped starts a server that replies to one method with a shape.
func startShaped(t *testing.T, transport, method, shape string) (endpoint string) {
	t.Helper()
	if transport == "binrpc" {
		server := startCtl(t, "unix", "6.1", "many_modules")
		server.answer = func(words []string) ([]byte, bool, bool) {
			if words[0] == apiMethods && method != apiMethods {
				return methodsBody(slices.Sorted(maps.Keys(shapeMetrics))), false, true
			}
			return shapes[shape].body, false, words[0] == method
		}
		return server.endpoint
	}
	return startRPC(t, func(words []string) json.RawMessage {
		if words[0] == method {
			return json.RawMessage(shapes[shape].json)
		}
		if words[0] == apiMethods {
			methods, err := json.Marshal(map[string]any{"result": slices.Sorted(maps.Keys(shapeMetrics))})
			assert.NoError(t, err)
			return methods
		}
		return jsonAnswer(t, words)
	}).URL
}

// A reply of a wrong shape is an error of the type format that names the method. The method has no points; other methods are not
// affected.
func TestWrongShapes(t *testing.T) {
	for _, transport := range []string{"binrpc", "jsonrpc"} {
		for method, metric := range shapeMetrics {
			if transport == "jsonrpc" && method == apiDNSMemory {
				continue // not called: JSON-RPC keeps only the last number
			}
			t.Run(transport+" "+method, func(t *testing.T) {
				for shape := range shapes {
					if rightShapes[transport+" "+method] == shape {
						continue
					}
					s, _ := startSystem(t, startShaped(t, transport, method, shape), everything)
					metrics, err := s.Scrape(t.Context())
					require.ErrorContains(t, err, method+" of ", shape)
					points := rtctest.Points(t, metrics)
					assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=format,rtc.api="+method+"}"], 0, shape)
					assert.InDelta(t, 1, points["rtc.target.up{}"], 0)
					for other, name := range map[string]string{apiUptime: "kamailio.uptime", apiTCP: "kamailio.tcp.reader.count", method: metric} {
						if name != "" {
							assert.Equal(t, other != method, hasMetric(points, name), "%s: %s", shape, name)
						}
					}
				}
			})
		}
	}
}

// A JSON-RPC response with the wrong structure is an error of the type format that describes it.
func TestJSONShapes(t *testing.T) {
	for name, tt := range map[string]struct {
		method, answer, want string
	}{
		"an object for an array":  {apiProcesses, `{"result":{"entry":0,"used":1,"desc":"x"}}`, "an array where none belongs, or none where one belongs"},
		"an array for an object":  {apiUptime, `{"result":[{"uptime":5}]}`, "an array where none belongs, or none where one belongs"},
		"a result and an error":   {apiUptime, `{"result":{"uptime":5},"error":{"code":500,"message":"x"}}`, "both result and error in it"},
		"yes for a number":        {apiUptime, `{"result":{"uptime":true}}`, "no uptime in it"},
		"strings and a number":    {apiMethods, `{"result":["core.uptime",5]}`, "a list of strings with something else in it"},
		"a list without sets":     {apiDispatcher, `{"result":{"NRSETS":2,"RECORDS":[]}}`, "no SET in it"},
		"a number of sets, text":  {apiDispatcher, `{"result":{"NRSETS":"x","RECORDS":[{"SET":{"ID":1}}]}}`, "NRSETS is no number"},
		"an address of no status": {apiPike, `{"result":{"max_hits":5,"list":[{"ip_addr":"10.0.0.1"}]}}`, "an address without status"},
		"addresses, a number":     {apiPike, `{"result":{"max_hits":5,"list":5}}`, "a list that is none"},
		"an rtpengine of no set":  {apiRTPEngines, `{"result":[{"url":"udp:x","disabled":0}]}`, "an rtpengine without url or set"},
		"half of the processes":   {apiProcesses, `{"result":[{"entry":0,"used":1},{"entry":1}]}`, "a process without entry or used"},
		"no number of statistics": {apiStatistics, `{"result":{"core.x":"y"}}`, "no statistic in it that is a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
				if words[0] == tt.method {
					return json.RawMessage(tt.answer)
				}
				return jsonAnswer(t, words)
			}).URL, everything)
			metrics, err := s.Scrape(t.Context())
			require.ErrorContains(t, err, tt.want)
			assert.InDelta(t, 1, rtctest.Points(t, metrics)["rtc.scrape.errors{error.type=format,rtc.api="+tt.method+"}"], 0)
		})
	}
}

// Faults that mean that a list is empty are no errors, and no metrics are recorded for the list.
func TestFaultsOfEmptyLists(t *testing.T) {
	for _, tt := range []struct {
		method, text string
		fails        bool
	}{
		{apiDispatcher, "No Destination Sets", false},
		{apiRTPEngines, "Instance not found (no sets loaded)", false},
		{apiRTPEngines, "Initializing - try later", true},
		{apiHtables, "No htables", false},
		{apiHtables, "Htable count is zero", true},
		{apiTCP, "tcp support disabled", false},
	} {
		t.Run(tt.text, func(t *testing.T) {
			server := startCtl(t, "unix")
			server.answer = func(words []string) ([]byte, bool, bool) { return faultBody(tt.text), true, words[0] == tt.method }
			s, _ := startSystem(t, server.endpoint, everything)
			metrics, err := s.Scrape(t.Context())
			points := rtctest.Points(t, metrics)
			if tt.fails {
				require.ErrorContains(t, err, tt.text)
				assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=response,rtc.api="+tt.method+"}"], 0)
			} else {
				require.NoError(t, err)
			}
			sets, there := points["kamailio.dispatcher.set.count{}"]
			assert.True(t, there)
			assert.Equal(t, tt.method == apiDispatcher, sets == 0)
			assert.Equal(t, tt.method != apiRTPEngines, hasMetric(points, "kamailio.rtpengine.node.state"))
			assert.Equal(t, tt.method != apiHtables, hasMetric(points, "kamailio.htable.item.count"))
		})
	}
}

// relayPoint returns the name of a point of kamailio.rtpengine.node.state.
func relayPoint(node, set, state string) string {
	return "kamailio.rtpengine.node.state{kamailio.rtpengine.node=" + node + ",kamailio.rtpengine.set=" + set + ",kamailio.rtpengine.state=" + state + "}"
}

// The state of an rtpengine is read from disabled before 6.0, and from active and disabled since then.
func TestRelayStates(t *testing.T) {
	for release, want := range map[string]map[[2]string]string{
		"6.0": {
			{"udp:127.0.0.1:12222", "0"}: "enabled",
			{"udp:127.0.0.1:12223", "0"}: "disabled",
			{"udp:127.0.0.1:12225", "1"}: "disabled_permanently",
		},
		"6.1": {
			{"udp:10.0.0.1:2223", "0"}:       "disabled",
			{"udp:10.0.0.2:2223", "0"}:       "enabled",
			{"udp6:[2001:db8::1]:2223", "7"}: "disabled_permanently",
			{"udp:10.0.0.2:2223", "7"}:       "enabled",
		},
	} {
		for transport, endpoint := range map[string]string{
			"binrpc": startCtl(t, release, "unix").endpoint, "jsonrpc": startRPC(t, nil, release).URL,
		} {
			t.Run(release+" "+transport, func(t *testing.T) {
				s, _ := startSystem(t, endpoint, func(c *Config) { c.MetricsBuilderConfig.Metrics.KamailioRtpengineNodeRecheckDelay.Enabled = true })
				metrics, err := s.Scrape(t.Context())
				require.NoError(t, err)
				points := rtctest.Points(t, metrics)
				states := 0
				for node, current := range want {
					for _, state := range []string{"enabled", "disabled", "disabled_permanently"} {
						point := relayPoint(node[0], node[1], state)
						got, there := points[point]
						assert.True(t, there, point)
						assert.InDelta(t, float64(rows.BoolToInt(state == current)), got, 0, point)
						states++
					}
					// Permanently disabled nodes have a delay of -1, which is not recorded.
					delay := "kamailio.rtpengine.node.recheck_delay{kamailio.rtpengine.node=" + node[0] + ",kamailio.rtpengine.set=" + node[1] + "}"
					got, there := points[delay]
					assert.Equal(t, current != "disabled_permanently", there, delay)
					assert.GreaterOrEqual(t, got, 0.0)
				}
				all := 0
				for point := range points {
					all += int(rows.BoolToInt(strings.HasPrefix(point, "kamailio.rtpengine.node.state{")))
				}
				assert.Equal(t, states, all)
			})
		}
	}
}

// A node with an unknown value of active or disabled has no state, and the error names the key. Other nodes keep their state.
func TestUnknownRelayStates(t *testing.T) {
	for members, key := range map[string]string{
		`"disabled":0,"active":2`:              "active",
		`"disabled":0,"active":"yes"`:          "active",
		`"disabled":2,"active":1`:              "disabled",
		`"active":true`:                        "disabled",
		`"disabled":2`:                         "disabled",
		`"disabled":"1(for a while)"`:          "disabled",
		`"disabled":"1(permanent)","active":0`: "disabled",
		`"weight":1`:                           "disabled",
	} {
		t.Run(members, func(t *testing.T) {
			answer := `{"result":[{"url":"udp:odd","set":0,` + members + `},{"url":"udp:good","set":0,"disabled":false,"active":true}]}`
			s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
				if words[0] == apiRTPEngines {
					return json.RawMessage(answer)
				}
				return jsonAnswer(t, words)
			}).URL, nil)
			metrics, err := s.Scrape(t.Context())
			require.ErrorContains(t, err, "rtpengine.show of ")
			require.ErrorContains(t, err, ": "+key+" of udp:odd is ")
			points := rtctest.Points(t, metrics)
			assert.InDelta(t, 1, points["rtc.scrape.errors{error.type=format,rtc.api=rtpengine.show}"], 0)
			for _, state := range []string{"enabled", "disabled", "disabled_permanently"} {
				assert.NotContains(t, points, relayPoint("udp:odd", "0", state))
			}
			assert.InDelta(t, 1, points[relayPoint("udp:good", "0", "enabled")], 0)
		})
	}
}

// A destination with an unknown state has no state point and results in an error. Its set still counts the others.
func TestUnknownDispatcherStates(t *testing.T) {
	answer := `{"result":{"NRSETS":1,"RECORDS":[{"SET":{"ID":4,"TARGETS":[{"DEST":{"URI":"sip:a","FLAGS":"ZP"}},{"DEST":{"URI":"sip:b","FLAGS":"AX"}}]}}]}}`
	s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
		if words[0] == apiDispatcher {
			return json.RawMessage(answer)
		}
		return jsonAnswer(t, words)
	}).URL, nil)
	metrics, err := s.Scrape(t.Context())
	require.ErrorContains(t, err, `FLAGS of sip:a are "ZP"`)
	points := rtctest.Points(t, metrics)
	assert.False(t, hasMetric(points, "kamailio.dispatcher.target.state{kamailio.dispatcher.set=4,kamailio.dispatcher.state=active,kamailio.dispatcher.uri=sip:a"))
	assert.InDelta(t, 1, points["kamailio.dispatcher.target.state{kamailio.dispatcher.set=4,kamailio.dispatcher.state=active,kamailio.dispatcher.uri=sip:b}"], 0)
	assert.InDelta(t, 1, points["kamailio.dispatcher.target.count{kamailio.dispatcher.set=4,kamailio.dispatcher.state=active}"], 0)
	assert.NotContains(t, points, "kamailio.dispatcher.target.state{kamailio.dispatcher.set=4,kamailio.dispatcher.state=active,kamailio.dispatcher.uri=sip:a}")
}

// Fields that cannot be negative are unsigned 32-bit integers in BINRPC. JSON numbers keep their sign.
func TestSigns(t *testing.T) {
	word := func(n int32) *value { return &value{kind: kindWord, integer: int64(n)} }
	number := func(n int64) *value { return &value{kind: kindInt, integer: n} }
	for name, tt := range map[string]struct {
		v               *value
		count, unsigned int64 // -1 if absent
	}{
		"BINRPC 5":        {word(5), 5, 5},
		"BINRPC -1":       {word(-1), -1, math.MaxUint32},
		"BINRPC -2^31":    {word(math.MinInt32), -1, 1 << 31},
		"BINRPC, 56 bits": {&value{kind: kindWord, integer: math.MinInt32 - 1}, -1, -1},
		"JSON 5":          {number(5), 5, 5},
		"JSON -1":         {number(-1), -1, -1},
		"JSON 5 GiB":      {number(5 << 30), 5 << 30, 5 << 30},
		"a double":        {&value{kind: kindFloat, decimal: 7}, 7, 7},
		"half":            {&value{kind: kindFloat, decimal: .5}, -1, -1},
		"below zero":      {&value{kind: kindFloat, decimal: -7}, -1, -1},
		"text":            {&value{kind: kindText, bytes: []byte("7")}, -1, -1},
		"yes":             {&value{kind: kindBool, integer: 1}, -1, -1},
	} {
		orNone := func(n int64, ok bool) int64 {
			if !ok {
				return -1
			}
			return n
		}
		assert.Equal(t, tt.count, orNone(tt.v.count().Get()), name)
		assert.Equal(t, tt.unsigned, orNone(tt.v.unsigned().Get()), name)
	}
}

// Negative counts are skipped, except for statistics without a metric of their own.
func TestNegativeNumbers(t *testing.T) {
	answers := map[string]string{
		apiTCP:            `{"readers":-1,"max_connections":-2,"opened_connections":3}`,
		apiDialogs:        `{"starting":-1,"connecting":0,"answering":0,"ongoing":2}`,
		apiTransactions:   `{"current":5,"waiting":9,"total":7,"total_local":8,"rpl_sent":1,"rpl_generated":2,"freed":-1,"delayed_free":0}`,
		apiProcesses:      `[{"entry":0,"used":9,"real_used":8,"free":-1,"total_size":-1,"total_frags":0,"desc":"x"}]`,
		apiHtables:        `[{"name":"x","all":-1,"slots":-1,"min":0,"max":-1}]`,
		apiRTPEngines:     `[{"url":"udp:x","set":0,"index":0,"weight":-1,"disabled":0,"recheck_ticks":-1}]`,
		apiRTPEngineCalls: `3`,
		apiStatistics: `{"core.fwd_requests":"18446744073709551615","core.rcv_requests_invite":"-1","core.rcv_replies_2xx":"18446744073709551615",` +
			`"shmem.used_size":"9","shmem.real_used_size":"8","uac.regactive":"18446744073709551615","uac.regtotal":"3","usrloc.location_users":"-2",` +
			`"script.x_total":"-3","script.y":"-4","core.new":"-5"}`,
	}
	s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
		if answer, ok := answers[words[0]]; ok {
			return json.RawMessage(`{"result":` + answer + `}`)
		}
		return jsonAnswer(t, words)
	}).URL, everything)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	below := map[string]float64{}
	for point, v := range points {
		if v < 0 {
			below[point] = v
		}
	}
	assert.Equal(t, map[string]float64{
		"kamailio.statistic.value{kamailio.statistic.group=script,kamailio.statistic.name=y}": -4,
		"kamailio.statistic.value{kamailio.statistic.group=core,kamailio.statistic.name=new}": -5,
	}, below)
	for _, absent := range []string{
		"kamailio.tcp.reader.count", "kamailio.tcp.connection.limit", "kamailio.transaction.releases", "kamailio.transaction.active.count",
		"kamailio.process.memory.limit", "kamailio.htable.item.count", "kamailio.htable.slot.count", "kamailio.htable.slot.fill.max",
		"kamailio.rtpengine.node.weight", "kamailio.rtpengine.node.recheck_delay", "kamailio.request.forwards", "kamailio.requests_by_method",
		"kamailio.replies_by_class", "kamailio.uac.registration.active.count", "kamailio.usrloc.user.count", "kamailio.statistic.counts",
	} {
		assert.False(t, hasMetric(points, absent), absent)
	}
	assert.InDelta(t, 9, points["kamailio.memory.shared.usage{kamailio.memory.state=used}"], 0)
	assert.NotContains(t, points, "kamailio.memory.shared.usage{kamailio.memory.state=overhead}")
	assert.NotContains(t, points, "kamailio.process.memory.usage{kamailio.memory.state=overhead,kamailio.process.description=x,kamailio.process.index=0}")
	assert.NotContains(t, points, "kamailio.transaction.creations{kamailio.transaction.origin=remote}")
	assert.InDelta(t, 3, points["kamailio.uac.registration.count{}"], 0)
	assert.InDelta(t, 2, points["kamailio.dialog.count{kamailio.dialog.state=ongoing}"], 0)
}

// Unsigned 32-bit integers that BINRPC reports as negative are recorded as positive values.
func TestUnsignedNumbers(t *testing.T) {
	ones := []byte{0x40, 0xff, 0xff, 0xff, 0xff}
	numbers := func(names ...string) []byte {
		body := []byte{0x03}
		for _, name := range names {
			body = append(append(body, record(5, name)...), ones...)
		}
		return append(body, 0x83)
	}
	answers := map[string][]byte{
		apiTransactions: numbers("current", "waiting", "total", "freed", "delayed_free"),
		apiTCP:          numbers("readers", "max_connections"),
		apiProfileSize:  ones, apiRTPEngineCalls: ones,
	}
	server := startCtl(t, "unix")
	server.answer = func(words []string) ([]byte, bool, bool) { return answers[words[0]], false, answers[words[0]] != nil }
	s, _ := startSystem(t, server.endpoint, everything)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	for _, name := range []string{"kamailio.transaction.releases", "kamailio.transaction.delayed_releases", "kamailio.rtpengine.call.count"} {
		assert.InDelta(t, math.MaxUint32, points[name+"{}"], 0, name)
	}
	assert.InDelta(t, math.MaxUint32, points["kamailio.dialog.count_by_profile{kamailio.dialog.profile=inbound,kamailio.dialog.value=}"], 0)
	assert.False(t, hasMetric(points, "kamailio.tcp.connection.limit"))
}

// Values that cannot be have no point and count as refused: a counter below 0, and a reduction by more than 100 %.
func TestImpossibleValues(t *testing.T) {
	replies := map[string]string{
		apiMethods:    `{"result":["` + apiUptime + `","` + apiStatistics + `","` + apiDispatcher + `"]}`,
		apiStatistics: `{"result":{"core.rcv_requests":"1","script.a_total":"-1","script.b_total":"7"}}`,
		apiDispatcher: `{"result":{"NRSETS":1,"RECORDS":[{"SET":{"ID":1,"TARGETS":[
			{"DEST":{"URI":"sip:a","FLAGS":"AX","OCRATE":101}},{"DEST":{"URI":"sip:b","FLAGS":"AX","OCRATE":100}}]}}]}}`,
	}
	s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
		if reply, ok := replies[words[0]]; ok {
			return json.RawMessage(reply)
		}
		return jsonAnswer(t, words)
	}).URL, func(c *Config) {
		everything(c)
		c.Statistics.Naming = namingName
	})
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	assert.InDelta(t, 2, points["rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}"], 0)
	maps.DeleteFunc(points, func(name string, _ float64) bool {
		return !strings.HasPrefix(name, "kamailio.script.") && !strings.HasPrefix(name, "kamailio.dispatcher.target.overload.")
	})
	assert.Equal(t, map[string]float64{
		"kamailio.script.b_total{}": 7,
		"kamailio.dispatcher.target.overload.reduction{kamailio.dispatcher.set=1,kamailio.dispatcher.uri=sip:b}": 1,
	}, points)
}

// Matches of a list of secfilter that is not known count for the list other. Fields that are not known are counted as refused.
func TestUnknownSecfilterLists(t *testing.T) {
	methods, err := json.Marshal(map[string]any{"result": []string{apiUptime, apiSecfilter}})
	require.NoError(t, err)
	s, _ := startSystem(t, startRPC(t, func(words []string) json.RawMessage {
		switch words[0] {
		case apiMethods:
			return methods
		case apiSecfilter:
			return json.RawMessage(`{"result":{"Blacklist":{"Country":1,"Shoe-Size":2},"Graylist":{"Country":4},"Other":{"Country":8,"Destination":16}}}`)
		}
		return jsonAnswer(t, words)
	}).URL, everything)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	const point = "kamailio.secfilter.matches{kamailio.secfilter.field=%s,kamailio.secfilter.list=%s}"
	matches := rtctest.Points(t, metrics)
	assert.InDelta(t, 1, matches["rtc.scrape.omitted.count{rtc.entity=value,rtc.omission.reason=invalid}"], 0)
	maps.DeleteFunc(matches, func(name string, _ float64) bool { return !strings.HasPrefix(name, "kamailio.secfilter.") })
	assert.Equal(t, map[string]float64{
		fmt.Sprintf(point, "country", "blacklist"): 1, fmt.Sprintf(point, "country", "other"): 12, fmt.Sprintf(point, "destination", "other"): 16,
	}, matches)
}

// smallRecords returns a reply of n numbers of one byte each.
func smallRecords(n int) binrpc.Records {
	p := make([]byte, 8+n)
	copy(p, []byte{0xa1, 0x1c, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 1, 0})
	records, err := binrpc.Decode(append(p[:7], p[8:]...))
	if err != nil {
		panic(err)
	}
	return records
}

// A reply of many small records allocates only what its values need and its memory is freed. A reply of too many records is refused
// before anything is allocated.
func TestManySmallRecords(t *testing.T) {
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	var c collector
	most, more := smallRecords(maxValues), smallRecords(maxValues+1)
	assert.Less(t, allocated(func() {
		reply, err := c.collect(most)
		assert.NoError(t, err)
		assert.Len(t, reply, maxValues)
	}), uint64(24<<20))
	c.shrink()
	assert.Zero(t, cap(c.values))
	assert.Less(t, allocated(func() {
		_, err := c.collect(more)
		assert.Equal(t, scrape.Size, scrape.TypeOf(err))
	}), uint64(1<<16))
}

// The methods of the core are never treated as absent.
func TestCoreIsNeverAbsent(t *testing.T) {
	for _, method := range []string{apiUptime, apiMethods, apiVersion} {
		server := startCtl(t, "unix")
		server.answer = func(words []string) ([]byte, bool, bool) {
			return faultBody("command " + method + " not found"), true, words[0] == method
		}
		s, _ := startSystem(t, server.endpoint, nil)
		metrics, err := s.Scrape(t.Context())
		require.ErrorContains(t, err, method+" of ")
		assert.InDelta(t, 1, rtctest.Points(t, metrics)["rtc.scrape.errors{error.type=response,rtc.api="+method+"}"], 0)
	}
}

// A null result beside an error is treated as absent.
func TestNullBesideError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"result":null,"error":{"code":-32601,"message":"nosuch"}}`))
	}))
	defer server.Close()
	s, _ := startSystem(t, server.URL, nil)
	_, err := get(t.Context(), s.client, ask(apiUptime, readUptime))
	assert.True(t, isAbsent(err), err)
}
