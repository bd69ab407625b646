// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator/emulatortest"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

func startAgent(t *testing.T, o AgentOptions) *emulator.Server {
	t.Helper()
	return emulatortest.Start(t, NewAgent, o)
}

func TestCaptures(t *testing.T) {
	for option, capture := range map[string]string{
		"": "3.12.16-a", "3.12.16-b": "3.12.16-b", "3.27.1-a": "3.27.1-a", "3.27.1-b": "3.27.1-b", "3.7.19-a": "3.7.19-a", "3.7.19-b": "3.7.19-b",
	} {
		t.Run(capture, func(t *testing.T) {
			clock := emulatortest.NewClock()
			server := startAgent(t, AgentOptions{Capture: option, Now: clock.Now})
			clock.Advance(time.Hour)
			status, body := fetch(t, server, "/v1/snapshot", "")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, readCapture(t, "snapshot-"+capture+".json"), body)
		})
	}
	_, err := NewAgent(AgentOptions{Capture: "2.0.0-a"})
	assert.ErrorContains(t, err, `"2.0.0-a" is no captured snapshot`)
}

func TestContract(t *testing.T) {
	server := startAgent(t, AgentOptions{Token: "t0ken"})
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/v1/snapshot", "t0ken", http.StatusOK},
		{"/v1/snapshot", "wrong", http.StatusUnauthorized},
		{"/v1/snapshot", "", http.StatusUnauthorized},
		{"/v1/health", "t0ken", http.StatusOK},
		{"/v1/health", "", http.StatusUnauthorized},
		{"/v2/snapshot", "t0ken", http.StatusNotFound},
		{"/", "", http.StatusUnauthorized},
		{"/v1/snapshot?stats=workers,,data", "t0ken", http.StatusOK},
		{"/v1/snapshot?stats=workers,sessions", "t0ken", http.StatusBadRequest},
	} {
		status, body := fetch(t, server, c.path, c.token)
		assert.Equal(t, c.status, status, c)
		assert.True(t, json.Valid([]byte(body)), c)
	}
	response := emulatortest.Do(t, emulatortest.NewClient(t), http.MethodPost, startAgent(t, AgentOptions{}).URL()+"/v1/snapshot")
	assert.Equal(t, http.StatusMethodNotAllowed, response.Status)
	assert.Equal(t, "GET", response.Header.Get("Allow"))
}

func TestPacks(t *testing.T) {
	w := emulatortest.Dial(t, startAgent(t, AgentOptions{}).URL())
	_, err := io.WriteString(w.Conn, "GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(w.Reader, nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
	content, err := gzip.NewReader(response.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(content)
	require.NoError(t, err)
	assert.Equal(t, readCapture(t, "snapshot-3.12.16-a.json"), string(body))
}

// snapshot is a snapshot decoded by a client.
type snapshot struct {
	SchemaVersion int
	InstanceID    string
	TimeUnixMs    int64
	Process       struct{ StartTimeUnixMs int64 }
	Collection    struct {
		Complete bool
		Skipped  map[string]int
		Carried  map[string]int
	}
	Counters                                           map[string]int
	Workers, Routers, Transports                       []listed
	Producers, Consumers, DataProducers, DataConsumers []listed
}

// listed is an object of a snapshot.
type listed struct {
	ID, WorkerID, RouterID, TransportID, ProducerID, Kind string
	StartTimeUnixMs, StatsAgeMs                           int64
	ResourceUsage                                         map[string]int64
	Stats                                                 json.RawMessage
}

// streams returns the statistics of a producer or consumer.
func (o listed) streams(t *testing.T) (streams []stream) {
	t.Helper()
	require.NoError(t, json.Unmarshal(o.Stats, &streams))
	return streams
}

type stream struct {
	SSRC                                          uint32
	ByteCount, PacketCount, PacketsLost, PliCount int64
}

// sizes returns the lengths of the lists.
func (s *snapshot) sizes() map[string]int {
	return map[string]int{
		"routers": len(s.Routers), "transports": len(s.Transports), "producers": len(s.Producers), "consumers": len(s.Consumers),
	}
}

func readSnapshot(t *testing.T, server *emulator.Server, query string) (s snapshot) {
	t.Helper()
	status, body := fetch(t, server, "/v1/snapshot"+query, "")
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, json.Unmarshal([]byte(body), &s))
	return s
}

// TestRendersTheCapture checks that a rendered snapshot equals the captured one.
func TestRendersTheCapture(t *testing.T) {
	captures, err := fs.Glob(testdata.Files, "mediasoup/snapshot-*-?.json")
	require.NoError(t, err)
	require.Len(t, captures, 6)
	for _, file := range captures {
		name := strings.TrimPrefix(file, "mediasoup/snapshot-")
		server := startAgent(t, AgentOptions{Capture: strings.TrimSuffix(name, ".json"), SchemaVersion: 1})
		_, body := fetch(t, server, "/v1/snapshot", "")
		assert.JSONEq(t, readCapture(t, "snapshot-"+name), body)
	}
}

func TestSchemaVersion(t *testing.T) {
	assert.Equal(t, 2, readSnapshot(t, startAgent(t, AgentOptions{SchemaVersion: 2}), "").SchemaVersion)
}

// assertWhole checks that every object is listed once and belongs to one that is listed.
func assertWhole(t *testing.T, s *snapshot) {
	t.Helper()
	parents := map[string]bool{}
	for _, worker := range s.Workers {
		parents[worker.ID] = true
	}
	check := func(list []listed, key, parent func(listed) string) {
		keys := map[string]bool{}
		for _, o := range list {
			keys[key(o)] = true
			if !parents[parent(o)] {
				require.Fail(t, "an object without parent", o)
			}
		}
		require.Equal(t, len(list), len(keys)) //nolint:testifylint // Len prints them all
		for k := range keys {
			parents[k] = true
		}
	}
	id := func(o listed) string { return o.ID }
	whole := func(o listed) string { return o.TransportID + o.ID }
	transport := func(o listed) string { return o.TransportID }
	check(s.Routers, id, func(o listed) string { return o.WorkerID })
	check(s.Transports, id, func(o listed) string { return o.RouterID })
	check(s.Producers, whole, transport)
	for _, producer := range s.Producers {
		parents[producer.ID] = true
	}
	check(s.Consumers, whole, transport)
	check(s.Consumers, whole, func(o listed) string { return o.ProducerID })
	for list, listed := range s.sizes() {
		assert.Equal(t, s.Counters[list+"Created"]-s.Counters[list+"Closed"], listed, list)
	}
}

func TestScaled(t *testing.T) {
	for _, c := range []struct{ wanted, routers, transports, producers, consumers int }{
		{1, 2, 9, 5, 7},
		{11, 3, 9 + 4, 5 + 4, 7 + 4},
		{100, 5, 9 + 22, 5 + 22, 7 + 84 + 4 + 4},
		{187, 3, 9 + 20, 5 + 20, 7 + 180},
		{2_000, 2 + 12, 9 + 220 + 6, 5 + 220 + 6, 1999},
	} {
		for _, capture := range []string{"3.12.16-a", "3.27.1-b", "3.7.19-a"} {
			t.Run(capture+" "+strconv.Itoa(c.wanted), func(t *testing.T) {
				server := startAgent(t, AgentOptions{Capture: capture, Consumers: c.wanted, Now: emulatortest.NewClock().Now})
				s := readSnapshot(t, server, "")
				assertWhole(t, &s)
				assert.Equal(t, map[string]int{
					"routers": c.routers, "transports": c.transports, "producers": c.producers, "consumers": c.consumers,
				}, s.sizes())
				ssrcs := map[string]bool{}
				for _, consumer := range s.Consumers {
					for _, stream := range consumer.streams(t) {
						ssrcs[consumer.TransportID+strconv.Itoa(int(stream.SSRC))] = true
					}
				}
				assert.Equal(t, c.consumers+2, len(ssrcs), "a piped consumer has three") //nolint:testifylint // Len prints them all
			})
		}
	}
	_, err := NewAgent(AgentOptions{Consumers: -1})
	assert.ErrorContains(t, err, "cannot scale to -1 consumers")
}

// unread returns the number of objects of a list without statistics.
func unread(list []listed) (n int) {
	for _, o := range list {
		if o.Stats == nil && o.ResourceUsage == nil {
			n++
		}
	}
	return n
}

func TestStatsAsked(t *testing.T) {
	server := startAgent(t, AgentOptions{})
	for query, want := range map[string][6]int{ // without statistics
		"?stats=workers,transports,producers,consumers,data": {},
		"?stats=":             {2, 9, 5, 7, 2, 2},
		"?stats=transports":   {2, 0, 5, 7, 2, 2},
		"?stats=workers,data": {0, 9, 5, 7, 0, 0},
		"?stats=consumers,":   {2, 9, 5, 0, 2, 2},
	} {
		s := readSnapshot(t, server, query)
		assertWhole(t, &s)
		lists := [6][]listed{s.Workers, s.Transports, s.Producers, s.Consumers, s.DataProducers, s.DataConsumers}
		for i, list := range lists {
			assert.Equal(t, want[i], unread(list), query)
		}
		assert.True(t, s.Collection.Complete, query)
		assert.Empty(t, s.Collection.Skipped, query)
	}
}

func TestUnread(t *testing.T) {
	s := readSnapshot(t, startAgent(t, AgentOptions{Consumers: 100, Unread: 20}), "?stats=transports,consumers")
	assertWhole(t, &s)
	assert.Equal(t, 6, unread(s.Transports))
	assert.Equal(t, 19, unread(s.Consumers))
	assert.False(t, s.Collection.Complete)
	assert.Equal(t, map[string]int{"transports": 6, "consumers": 19}, s.Collection.Skipped)
	_, err := NewAgent(AgentOptions{Unread: 101})
	assert.ErrorContains(t, err, "101 % are unread")
}

func TestCarried(t *testing.T) {
	s := readSnapshot(t, startAgent(t, AgentOptions{Consumers: 100, Unread: 20, Carried: 50}), "?stats=transports,consumers")
	assertWhole(t, &s)
	assert.Equal(t, 19, unread(s.Consumers))
	aged := 0
	for _, consumer := range s.Consumers {
		if consumer.StatsAgeMs > 0 {
			assert.NotNil(t, consumer.Stats)
			aged++
		}
	}
	assert.Equal(t, 40, aged)
	assert.False(t, s.Collection.Complete)
	assert.Equal(t, map[string]int{"transports": 6, "consumers": 19}, s.Collection.Skipped)
	assert.Equal(t, map[string]int{"transports": 12, "consumers": 40}, s.Collection.Carried)
	_, err := NewAgent(AgentOptions{Unread: 51, Carried: 101})
	assert.ErrorContains(t, err, "51 % are unread, and 101 % of the others carried")
}

func TestCounters(t *testing.T) {
	clock := emulatortest.NewClock()
	server := startAgent(t, AgentOptions{Consumers: 11, Moving: true, Now: clock.Now})
	first := readSnapshot(t, server, "")
	assert.Equal(t, clock.Now().UnixMilli(), first.TimeUnixMs)
	assert.Equal(t, clock.Now().UnixMilli()-(1795217504855-1795217487014), first.Process.StartTimeUnixMs)
	assert.Equal(t, clock.Now().UnixMilli()-(1795217504855-1795217487522), first.Workers[0].StartTimeUnixMs)

	// As captured: 229,646 bytes, 211 packets, 5 lost; a room's consumer of audio 66,926 and 614.
	video, audio := first.Consumers[1].streams(t)[0], first.Consumers[7].streams(t)[0]
	assert.Equal(t, stream{843267563, 229646, 211, 5, 0}, video)
	assert.EqualValues(t, 66926, audio.ByteCount)
	clock.Advance(25500 * time.Millisecond)
	later := readSnapshot(t, server, "")
	assert.Equal(t, stream{843267563, 229646 + 25*22965, 211 + 25*22, 3, 0}, later.Consumers[1].streams(t)[0])
	assert.EqualValues(t, 66926+25*6693, later.Consumers[7].streams(t)[0].ByteCount)
	assert.EqualValues(t, -2, later.Consumers[7].streams(t)[0].PacketsLost)
	assert.Equal(t, audio.SSRC, later.Consumers[7].streams(t)[0].SSRC)
	assert.EqualValues(t, 173+25*18, later.Workers[0].ResourceUsage["ru_utime"])
	assert.EqualValues(t, 17592, later.Workers[0].ResourceUsage["ru_maxrss"])
	assert.Equal(t, first.InstanceID, later.InstanceID)
	assert.Equal(t, first.Process, later.Process)
	assert.Equal(t, first.TimeUnixMs+25500, later.TimeUnixMs)
	assert.Equal(t, first.Producers[0].streams(t)[0].SSRC, later.Producers[0].streams(t)[0].SSRC)
}

// TestOddProducers checks that one producer restarts at 0 and another one has no statistics for some time.
func TestOddProducers(t *testing.T) {
	clock := emulatortest.NewClock()
	server := startAgent(t, AgentOptions{Moving: true, Now: clock.Now})
	begin := readSnapshot(t, server, "").Producers[0].streams(t)[0].ByteCount
	rate := (begin + 9) / 10
	for second, want := range []int64{10: begin + 10*rate, 29: begin + 29*rate, 30: 0, 40: 10 * rate, 49: 19 * rate, 50: 20 * rate, 89: 59 * rate, 90: 0, 100: 10 * rate} {
		if want == 0 && second%60 != 30 {
			continue
		}
		at := emulatortest.NewClock()
		at.Advance(time.Duration(second) * time.Second)
		clock.Advance(at.Now().Sub(clock.Now()))
		s := readSnapshot(t, server, "")
		assert.Equal(t, want, s.Producers[0].streams(t)[0].ByteCount, second)
		isUnread := second%60 >= 40 && second%60 < 50
		assert.Equal(t, isUnread, s.Producers[1].Stats == nil, second)
		assert.Equal(t, !isUnread, s.Collection.Complete, second)
		if isUnread {
			assert.Equal(t, map[string]int{"producers": 1}, s.Collection.Skipped)
		}
	}
}

func TestPeopleComeAndGo(t *testing.T) {
	clock := emulatortest.NewClock()
	server := startAgent(t, AgentOptions{Consumers: 187, Moving: true, Now: clock.Now})
	var last snapshot
	// Room 1 is empty in minutes 4 and 9. Person 2 is away in minute 1, and person 3 in minute 2.
	for minute, people := range []int{10, 9, 9, 9, 0, 9, 9, 9, 9, 0, 9, 9} {
		s := readSnapshot(t, server, "")
		assertWhole(t, &s)
		assert.Equal(t, map[string]int{
			"routers": 2 + min(people, 1), "transports": 9 + 2*people, "producers": 5 + 2*people, "consumers": 7 + 2*people*(people-1),
		}, s.sizes(), minute)
		known := map[string]bool{}
		for _, consumer := range last.Consumers {
			known[consumer.TransportID+consumer.ID] = true
		}
		stayed := 0
		for _, consumer := range s.Consumers {
			if known[consumer.TransportID+consumer.ID] {
				stayed++
			} else if minute > 0 {
				assert.Zero(t, consumer.streams(t)[0].ByteCount, "it begins now")
			}
		}
		if minute == 2 { // 8 people stayed, 1 joined
			assert.Equal(t, 7+2*8*7, stayed)
			assert.Equal(t, last.Counters["consumersCreated"]+2*(9*8-8*7), s.Counters["consumersCreated"])
		}
		last = s
		clock.Advance(time.Minute)
	}
}

func TestRestart(t *testing.T) {
	for _, consumers := range []int{0, 100} {
		clock := emulatortest.NewClock()
		server := startAgent(t, AgentOptions{Consumers: consumers, Now: clock.Now})
		before := readSnapshot(t, server, "")
		clock.Advance(time.Hour)
		require.NoError(t, server.SetFault(emulator.Restart))
		clock.Advance(2 * time.Second)
		after := readSnapshot(t, server, "")
		assertWhole(t, &after)
		assert.NotEqual(t, before.InstanceID, after.InstanceID)
		_, health := fetch(t, server, "/v1/health", "")
		assert.JSONEq(t, `{"status":"ok","instanceId":"`+after.InstanceID+`"}`, health)
		assert.Equal(t, clock.Now().Add(-2*time.Second).UnixMilli(), after.Process.StartTimeUnixMs)
		require.Equal(t, before.sizes(), after.sizes())
		for i, consumer := range after.Consumers {
			was := before.Consumers[i]
			assert.NotEqual(t, was.ID, consumer.ID)
			assert.NotEqual(t, was.TransportID, consumer.TransportID)
			assert.Equal(t, (was.streams(t)[0].ByteCount+9)/10*2, consumer.streams(t)[0].ByteCount)
		}
		assert.Equal(t, before.Counters, after.Counters)
	}
}

// TestFaults checks that faults edit the text even if the client accepts gzip.
func TestFaults(t *testing.T) {
	server := startAgent(t, AgentOptions{})
	ask := func(fault string) string {
		t.Helper()
		require.NoError(t, server.SetFault(fault))
		_, body := emulatortest.Dial(t, server.URL()).Ask(t, http.MethodGet, "GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
		return body
	}
	whole := readCapture(t, "snapshot-3.12.16-a.json")
	assert.Equal(t, whole[:len(whole)/2], ask("invalid_json"))
	assert.Contains(t, ask("wrong_types"), `"consumers":{"0":{`)
	assert.JSONEq(t, `{"error":"missing or wrong token: send the token of the agent as a bearer token"}`, ask("wrong_secret"))
	assert.Equal(t, emulator.Page404, ask("html_404"))
}

// BenchmarkSnapshot renders a snapshot of 20,000 consumers without reuse.
func BenchmarkSnapshot(b *testing.B) {
	clock := emulatortest.NewClock()
	s, err := newApplication([]byte(readCapture(b, "snapshot-3.12.16-a.json")), AgentOptions{Consumers: 20_000, Moving: true, Now: clock.Now})
	require.NoError(b, err)
	for b.Loop() {
		clock.Advance(time.Second)
		plain, _ := s.read(allStats)
		b.SetBytes(int64(len(plain)))
	}
}
