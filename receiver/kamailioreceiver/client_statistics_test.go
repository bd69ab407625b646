// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package kamailioreceiver

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/filter"

	rtctest "github.com/otelcol-rtc/otelcol-rtc/internal/receivertest"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
)

// small emulates a server whose replies are limited in size.
type small struct {
	names    []string // group.name
	room     int      // maximum size of a struct
	list     int      // maximum size of a list
	noModule bool     // the module counters is not loaded
}

func (s *small) answer(words []string) (body []byte, fault, ok bool) {
	switch words[0] {
	case apiStatistics:
		body = structBody(s.fetch(words[1:])...)
		fault = len(body) > s.room
	case apiGroups:
		var groups []string
		for _, name := range s.names {
			if group, _, _ := strings.Cut(name, "."); !slices.Contains(groups, group) {
				groups = append(groups, group)
			}
		}
		body = stringsBody(groups...)
	case apiNames:
		for _, name := range s.names {
			if name, ok := strings.CutPrefix(name, words[1]+"."); ok {
				body = append(body, stringsBody(name)...)
			}
		}
		fault = len(body) > s.list
	case apiStatisticLines:
		for i, name := range s.names {
			if name, ok := strings.CutPrefix(name, strings.TrimSuffix(words[1], ":")+"."); ok && len(body) < s.list-64 {
				body = append(body, stringsBody(fmt.Sprintf("%s%s = %d", words[1], name, i))...)
			}
		}
	default:
		return nil, false, false
	}
	switch {
	case s.noModule && strings.HasPrefix(words[0], "cnt."):
		return faultBody("command " + words[0] + " not found"), true, true
	case fault:
		return faultBody("Internal error"), true, true
	}
	return body, false, true
}

// fetch returns names and values as stats.fetch does: for a name without a group, it returns the first match.
func (s *small) fetch(words []string) (pairs []string) {
	for _, word := range words {
		for i, key := range s.names {
			group, name, _ := strings.Cut(key, ".")
			if word == "all" || word == group+":" || word == name {
				pairs = append(pairs, key, strconv.Itoa(i))
				if word == name {
					break
				}
			}
		}
	}
	return pairs
}

// All statistics that fit into the server's replies are read with as few calls as possible, and the others are counted.
func TestStatisticsThatDoNotFit(t *testing.T) {
	many := func(group string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s.a_statistic_of_the_group_%s_%04d", group, group, i))
		}
		return names
	}
	for name, tt := range map[string]struct {
		server  small
		calls   int // in the second scrape
		omitted int64
		message string
	}{
		"all fit":             {small{names: many("script", 50), room: 8 << 10, list: 32 << 10}, 1, 0, ""},
		"each group fits":     {small{names: slices.Concat(many("script", 100), many("a", 100)), room: 8 << 10, list: 32 << 10}, 2, 0, ""},
		"its names fit":       {small{names: slices.Concat(many("script", 600), many("a", 9)), room: 8 << 10, list: 32 << 10}, 13, 0, ""},
		"the names do not":    {small{names: many("script", 1500), room: 8 << 10, list: 32 << 10}, 0, 1, "an unknown number of statistics do not fit into kamailio's replies: raise"},
		"no batch does":       {small{names: many("script", 600), room: 1 << 10, list: 32 << 10}, 0, 594, "594 statistics do not fit into kamailio's replies: raise"},
		"nobody knows groups": {small{names: slices.Concat(many("script", 100), many("core", 100)), room: 8 << 10, list: 32 << 10, noModule: true}, 2, 0, ""},
		"nobody knows names":  {small{names: many("script", 300), room: 8 << 10, list: 32 << 10, noModule: true}, 0, 0, ""},
		"two groups, one name": {
			small{names: slices.Concat(many("script", 300), []string{"a.same", "b.same"}, many("b", 300)), room: 8 << 10, list: 32 << 10}, 0, 1, "1 statistic does not fit into kamailio's replies: raise",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startCtl(t, "unix")
			server.answer = tt.server.answer
			s, _ := startSystem(t, server.endpoint, nil)
			for range 2 {
				before := len(server.Requests())
				all, err := get(t.Context(), s.client, s.client.Statistics())
				calls := len(server.Requests()) - before
				if tt.message == "" {
					require.NoError(t, err)
					assert.Len(t, all.List, len(tt.server.names))
				} else {
					require.ErrorContains(t, err, tt.message)
					assert.True(t, scrape.IsPartial(err))
					assert.Equal(t, scrape.Size, scrape.TypeOf(err))
				}
				assert.Equal(t, tt.omitted, all.Omitted)
				for _, st := range all.List {
					assert.Equal(t, st.Key, tt.server.names[st.Value])
				}
				if before > 0 && tt.calls > 0 {
					assert.Equal(t, tt.calls, calls)
				}
			}
		})
	}
}

// The statistics of a scrape do not depend on those of the previous one, even if statistics appear, disappear or move.
func TestStatisticsThatMove(t *testing.T) {
	server := startCtl(t, "unix")
	s, _ := startSystem(t, server.endpoint, nil)
	for _, names := range [][]string{
		{"core.fwd_requests", "script.a", "script.b"},
		{"script.b", "core.fwd_requests"},
		{"script.b", "nogroup", "script.new", "core.fwd_requests"},
		{"core.fwd_requests", "script.a", "script.b"},
		nil,
		{"script.b"},
	} {
		server.answer = (&small{names: names, room: 8 << 10, list: 32 << 10}).answer
		all, err := get(t.Context(), s.client, s.client.Statistics())
		if names == nil {
			require.ErrorContains(t, err, "no statistic in it")
			continue
		}
		require.Equal(t, len(all.Unreadable) > 0, err != nil)
		want := []statistic{}
		for i, name := range names {
			if group, rest, ok := strings.Cut(name, "."); ok {
				want = append(want, statistic{name, group, rest, int64(i)})
			}
		}
		assert.Equal(t, want, slices.Clone(all.List))
	}
}

// A statistic whose value is not an integer affects no other, and its error differs from that of statistics that do not fit.
func TestUnreadableStatistics(t *testing.T) {
	const advice = ": please report it with the version of kamailio"
	for want, pairs := range map[string][]string{
		`1 statistic has a value that is no whole number, such as "script.a"` + advice:                     {"script.a", "x"},
		`1 statistic has a value that is no whole number, such as "nogroup"` + advice:                      {"nogroup", "1"},
		`2 statistics have values that are no whole numbers, such as "script.a" and "script.b"` + advice:   {"script.a", "x", "script.b", ""},
		`3 statistics have values that are no whole numbers, such as "script.\"a" and "script.�"` + advice: {"script.\"a", "x", "script.\xff", "1.5", "script.c", "NaN"},
	} {
		t.Run(want, func(t *testing.T) {
			server := startCtl(t, "unix")
			server.answer = func(words []string) ([]byte, bool, bool) {
				return structBody(append(pairs, "core.fwd_requests", "7")...), false, words[0] == apiStatistics
			}
			s, _ := startSystem(t, server.endpoint, nil)
			all, err := get(t.Context(), s.client, s.client.Statistics())
			require.EqualError(t, err, want)
			assert.True(t, scrape.IsPartial(err))
			assert.Equal(t, scrape.Format, scrape.TypeOf(err))
			assert.Equal(t, []statistic{{"core.fwd_requests", "core", "fwd_requests", 7}}, all.List)
			assert.Zero(t, all.Omitted)
		})
	}
}

// If the server refuses to send all statistics at once, they are requested by group.
func TestCapturedOverflow(t *testing.T) {
	server := startCtl(t, "limits", "unix")
	s, _ := startSystem(t, server.endpoint, nil)
	all, err := get(t.Context(), s.client, s.client.Statistics())
	require.NoError(t, err)
	assert.Len(t, all.List, 85, "those of core, the only group captured by itself")
	assert.Contains(t, server.Requests(), "stats.fetch core:")
	assert.Contains(t, server.Requests(), "cnt.grps_list")
}

// The statistics requested by group are the same as those requested at once. A group that the server does not have is not requested
// again.
func TestCapturedGroups(t *testing.T) {
	server := startCtl(t, "many_modules")
	s, _ := startSystem(t, server.endpoint, nil)
	want, err := get(t.Context(), s.client, s.client.Statistics())
	require.NoError(t, err)
	assert.Len(t, want.List, 237)
	keysOf := func(all []statistic) (keys []string) {
		for _, st := range all {
			keys = append(keys, st.Key)
		}
		return keys
	}
	all := keysOf(want.List)
	s.client.Restarted()
	server.answer = func(words []string) ([]byte, bool, bool) {
		switch {
		case slices.Equal(words, []string{apiStatistics, "all"}):
			return faultBody("Internal error"), true, true
		case words[0] == apiGroups:
			return stringsBody(append([]string{"nosuch"}, capturedGroups(t)...)...), false, true
		}
		return nil, false, false
	}
	for scrapes := range 2 {
		before := len(server.Requests())
		got, err := get(t.Context(), s.client, s.client.Statistics())
		require.NoError(t, err)
		assert.ElementsMatch(t, all, keysOf(got.List))
		asked := server.Requests()[before:]
		assert.Equal(t, scrapes == 0, slices.Contains(asked, "stats.fetch nosuch:"))
	}
}

// Lost calls do not reset the fetches, because for each call whose reply is too large, the server logs one line per statistic.
func TestLostCallsForgetNothing(t *testing.T) {
	names := make([]string, 300)
	for i := range names {
		names[i] = fmt.Sprintf("%s.a_statistic_of_its_own_%04d", []string{"script", "a"}[i%2], i)
	}
	server := startCtl(t, "unix")
	play := (&small{names: names, room: 8 << 10, list: 32 << 10}).answer
	server.answer = play
	s, _ := startSystem(t, server.endpoint, nil)
	_, err := get(t.Context(), s.client, s.client.Statistics())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	server.expectAtOnce(3)
	_, err = get(ctx, s.client, s.client.Statistics())
	require.ErrorContains(t, err, "in time")
	server.expectAtOnce(0)
	before := len(server.Requests())
	_, err = get(t.Context(), s.client, s.client.Statistics())
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"stats.fetch script:", "stats.fetch a:"}, server.Requests()[before:])

	server.answer = func([]string) ([]byte, bool, bool) { return []byte{0x10, 7}, false, true } // a different server
	_, err = get(t.Context(), s.client, s.client.Statistics())
	require.Error(t, err)
	server.answer = play
	_, err = get(t.Context(), s.client, s.client.Statistics())
	require.NoError(t, err)
	assert.Contains(t, server.Requests()[before+4:], "stats.fetch all")
}

// capturedGroups returns the groups of the server with many modules.
func capturedGroups(t *testing.T) (groups []string) {
	t.Helper()
	for _, record := range readDecoded(t, filepath.Join(captures, "binrpc", "many_modules", "cnt.grps_list.rep.json")).Records {
		groups = append(groups, *record.String)
	}
	return groups
}

func TestStatisticValues(t *testing.T) {
	for text, want := range map[string]struct {
		n  int64
		ok bool
	}{
		"0": {0, true}, "42000000000": {42_000_000_000, true}, "18446744073709551469": {-147, true}, "-7": {-7, true},
		"18446744073709551615": {-1, true}, "9223372036854775807": {1<<63 - 1, true}, "18446744073709551616": {0, false},
		"": {0, false}, "x": {0, false}, "1.5": {0, false}, "NaN": {0, false},
	} {
		n, ok := (&value{kind: kindText, bytes: []byte(text)}).statistic().Get()
		assert.Equal(t, want.n, n, text)
		assert.Equal(t, want.ok, ok, text)
	}
}

// Statistics of the script may have any bytes in their names, and are filtered, limited and typed.
func TestScriptStatistics(t *testing.T) {
	server := startCtl(t, "unix")
	names := []string{"script.a_total", "script.b", "script.c_seconds", "script.bad\xffbytes", "script.bad\xfebytes", "tenant.a", "core.new_thing", "sst.expired_sst"}
	server.answer = (&small{names: names, room: 8 << 10, list: 32 << 10}).answer
	const value, counts = "kamailio.statistic.value", "kamailio.statistic.counts"
	of := func(metric, group, name string) string {
		return metric + "{kamailio.statistic.group=" + group + ",kamailio.statistic.name=" + name + "}"
	}
	const limited, merged = "rtc.scrape.omitted.count{rtc.entity=statistic,rtc.omission.reason=limit}", "rtc.scrape.omitted.count{rtc.entity=statistic,rtc.omission.reason=merged}"
	for name, tt := range map[string]struct {
		edit    func(*StatisticsConfig)
		want    map[string]float64
		without []string
	}{
		"default": {nil, map[string]float64{
			of(counts, "script", "a_total"): 0, of(value, "script", "b"): 1, of(value, "script", "c_seconds"): 2, of(value, "script", "bad\uFFFDbytes"): 3,
			of(value, "tenant", "a"): 5, of(value, "core", "new_thing"): 6, of(counts, "sst", "expired_sst"): 7, merged: 1, limited: 0,
		}, nil},
		"filtered": {
			func(c *StatisticsConfig) {
				c.Include = []filter.Config{{Regex: "^script\\."}}
				c.Exclude = []filter.Config{{Strict: "script.b"}}
			},
			map[string]float64{of(counts, "script", "a_total"): 0, limited: 0},
			[]string{of(value, "script", "b"), of(value, "tenant", "a")},
		},
		"limited": {
			func(c *StatisticsConfig) { c.Limit = 2 },
			map[string]float64{of(counts, "script", "a_total"): 0, of(value, "script", "b"): 1, limited: 5},
			[]string{of(value, "tenant", "a")},
		},
		"counters": {
			func(c *StatisticsConfig) { c.Counters = []filter.Config{{Strict: "tenant.a"}} },
			map[string]float64{of(counts, "tenant", "a"): 5},
			[]string{of(value, "tenant", "a")},
		},
		"named": {
			func(c *StatisticsConfig) { c.Naming = namingName },
			map[string]float64{
				"kamailio.script.a_total{}": 0, "kamailio.script.b{}": 1, "kamailio.script.c_seconds{}": 2, "kamailio.script.bad\uFFFDbytes{}": 3,
				of(value, "tenant", "a"): 5, merged: 1,
			},
			[]string{of(value, "script", "b")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, logs := startSystem(t, server.endpoint, func(c *Config) {
				if tt.edit != nil {
					tt.edit(&c.Statistics)
				}
			})
			metrics, err := s.Scrape(t.Context())
			require.NoError(t, err)
			points := rtctest.Points(t, metrics)
			for point, want := range tt.want {
				got, there := points[point]
				assert.True(t, there, point)
				assert.InDelta(t, want, got, 0, point)
			}
			for _, point := range tt.without {
				assert.NotContains(t, points, point)
			}
			assert.Equal(t, tt.want[limited] > 0, logs.FilterMessageSnippet("raise statistics::limit").Len() == 1)
			if name == "named" {
				assert.True(t, metricOf(t, metrics, "kamailio.script.c_seconds").Sum().IsMonotonic())
				assert.Equal(t, 1, metricOf(t, metrics, "kamailio.script.b").Gauge().DataPoints().Len())
			}
		})
	}
}

// Statistics that are gone make room below the limit at once: what is present and fits is never omitted.
func TestStatisticsThatAreGone(t *testing.T) {
	server := startCtl(t, "unix")
	var current atomic.Pointer[small]
	server.answer = func(words []string) ([]byte, bool, bool) { return current.Load().answer(words) }
	s, _ := startSystem(t, server.endpoint, func(c *Config) { c.Statistics.Limit, c.UsrlocDomains.Limit = 2, 1 })
	for _, step := range []struct{ names, want []string }{
		{[]string{"script.a", "script.b", "usrloc.x_users"}, []string{"a", "b", "x"}},
		{[]string{"script.c", "script.d", "usrloc.y_users"}, []string{"c", "d", "y"}},
		{[]string{"script.e", "script.c", "script.d", "usrloc.z_users", "usrloc.y_users"}, []string{"c", "d", "y"}},
	} {
		current.Store(&small{names: step.names, room: 8 << 10, list: 32 << 10})
		metrics, err := s.Scrape(t.Context())
		require.NoError(t, err)
		var got []string
		for point := range rtctest.Points(t, metrics) {
			if m := regexp.MustCompile(`kamailio\.(?:statistic\.name|usrloc\.domain)=(\w+)`).FindStringSubmatch(point); m != nil {
				got = append(got, m[1])
			}
		}
		assert.ElementsMatch(t, step.want, got, step.names)
	}
}

// The core writes the names of SIP methods in lower case, and that of REGISTER also as reg.
func TestMethodNames(t *testing.T) {
	for name, method := range methodNames {
		if name == "reg" {
			name = "register"
		}
		assert.Equal(t, strings.ToUpper(name), method)
	}
	assert.Len(t, methodNames, 16)
}

// Names in Kamailio 5.3 have a hyphen. If the name of a table contains separators, the last one is used.
func TestUsrlocDomains(t *testing.T) {
	server := startCtl(t, "unix")
	names := []string{"usrloc.registered_users", "usrloc.location-users", "usrloc.my_table_contacts", "usrloc.my-table_expires"}
	server.answer = (&small{names: names, room: 8 << 10, list: 32 << 10}).answer
	s, _ := startSystem(t, server.endpoint, nil)
	metrics, err := s.Scrape(t.Context())
	require.NoError(t, err)
	points := rtctest.Points(t, metrics)
	assert.Contains(t, points, "kamailio.usrloc.registered_user.count{}")
	assert.Contains(t, points, "kamailio.usrloc.user.count{kamailio.usrloc.domain=location}")
	assert.Contains(t, points, "kamailio.usrloc.contact.count{kamailio.usrloc.domain=my_table}")
	assert.Contains(t, points, "kamailio.usrloc.contact.expirations{kamailio.usrloc.domain=my-table}")
}
