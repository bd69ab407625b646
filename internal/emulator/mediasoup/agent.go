// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Package mediasoup emulates mediasoup applications: the agent in one, and the metrics pages of edumeet.
package mediasoup

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// AgentOptions configures an emulated agent in a mediasoup application.
type AgentOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Capture is a version of mediasoup and a capture of it in testdata/mediasoup. The default is "3.12.16-a".
	Capture string
	// Consumers is the maximum number of consumers to scale to by adding rooms. If it is 0, no rooms are added. A room has up to ten
	// people, who send audio and video over one transport and receive those of all others over another.
	Consumers int
	// Token is the bearer token. If it is empty, none is required.
	Token string
	// SchemaVersion is the schema version in the snapshot. The default is 1.
	SchemaVersion int
	// Unread is the percentage of objects of every kind that are listed without statistics, as if the agent had run out of time.
	Unread int
	// Carried is the percentage of objects with statistics whose statistics are from an earlier collection, for the same reason.
	Carried int
	// Moving makes people come and go and counters grow with Now. After a restart, this always happens. If s is the number of whole
	// seconds since the start, and captured is the captured value:
	//
	//   - A counter is captured + s*RATE, where RATE is a tenth of captured, rounded up. For an object that appeared later, and
	//     after a restart, it is RATE times the seconds since then.
	//   - From second 60 on, a room is empty and its router closed in every fifth minute; in most others one person is away.
	//     A person who returns has new ids, and so do all consumers from and to that person.
	//   - packetsLost of a consumer decreases by 0, 1, 2 and 3 in turn, for ten seconds each.
	//   - The first captured producer restarts at 0 in second 30 of every minute.
	//   - The second captured producer has no statistics from second 40 to 50 of every minute.
	Moving bool
	// Life adds a worker, which has some of the added rooms. It dies with them after every six minutes, and a minute later, another one
	// replaces it.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	snapshotPath = "/v1/snapshot"
	healthPath   = "/v1/health"
)

// statsKinds maps the lists of the snapshot to the kinds of statistics to request.
var statsKinds = map[string]string{
	"workers": "workers", "transports": "transports", "producers": "producers", "consumers": "consumers",
	"dataProducers": "data", "dataConsumers": "data",
}

type agent struct {
	token       string
	application *application
}

// NewAgent starts an emulated agent. The fault Restart starts a new process with another instanceId and new objects.
func NewAgent(o AgentOptions) (*emulator.Server, error) {
	if o.Capture == "" {
		o.Capture = "3.12.16-a"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Consumers < 0 || o.Unread < 0 || o.Unread > 100 || o.Carried < 0 || o.Carried > 100 {
		return nil, fmt.Errorf("cannot scale to %d consumers of which %d %% are unread, and %d %% of the others carried", o.Consumers, o.Unread, o.Carried)
	}
	captured, err := fs.ReadFile(testdata.Files, "mediasoup/snapshot-"+o.Capture+".json")
	if err != nil {
		return nil, fmt.Errorf("%q is no captured snapshot: %w", o.Capture, err)
	}
	a := &agent{token: o.Token}
	if a.application, err = newApplication(captured, o); err != nil {
		return nil, fmt.Errorf("testdata/mediasoup/snapshot-%s.json: %w", o.Capture, err)
	}
	return emulator.NewServer(o.Addr, emulator.Handler{
		API:     func(r *http.Request) string { return r.URL.Path },
		Answer:  a.answer,
		Denied:  unauthorizedBearer,
		Restart: a.application.restart,
	})
}

// unauthorizedBearer returns the response to a wrong token.
func unauthorizedBearer() emulator.Answer {
	denied := refusal(http.StatusUnauthorized, "missing or wrong token: send the token of the agent as a bearer token")
	denied.Header.Set("Www-Authenticate", "Bearer")
	return denied
}

// refusal returns an error response that says what to do instead.
func refusal(status int, message string) emulator.Answer {
	body, _ := json.Marshal(map[string]string{"error": message}) // a string can always be encoded
	return jsonAnswer(status, body)
}

func jsonAnswer(status int, body []byte) emulator.Answer {
	header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Vary": {"Accept-Encoding"}}
	return emulator.Answer{Status: status, Header: header, Body: body}
}

// answer handles requests according to distribution/mediasoup-agent/snapshot.schema.json.
func (a *agent) answer(r *http.Request) emulator.Answer {
	path := r.URL.Path
	switch {
	case a.token != "" && r.Header.Get("Authorization") != "Bearer "+a.token:
		return unauthorizedBearer()
	case path != snapshotPath && path != healthPath:
		return refusal(http.StatusNotFound, "not found: the agent serves "+snapshotPath+" and "+healthPath)
	case r.Method != http.MethodGet:
		refused := refusal(http.StatusMethodNotAllowed, "ask with GET")
		refused.Header.Set("Allow", http.MethodGet)
		return refused
	case path == healthPath:
		body, _ := json.Marshal(map[string]string{"status": "ok", "instanceId": a.application.instance()}) // strings can always be encoded
		return jsonAnswer(http.StatusOK, body)
	}
	stats := allStats
	if query := r.URL.Query(); query.Has("stats") {
		stats = query.Get("stats")
	}
	if !knowsStats(stats) {
		return refusal(http.StatusBadRequest, "stats may name "+allStats)
	}
	return a.answerSnapshot(stats, strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"))
}

// knowsStats reports whether all these kinds of statistics exist.
func knowsStats(stats string) bool {
	known := strings.Split(allStats, ",")
	for kind := range strings.SplitSeq(stats, ",") {
		if kind != "" && !slices.Contains(known, kind) {
			return false
		}
	}
	return true
}

// answerSnapshot returns a snapshot with these statistics.
func (a *agent) answerSnapshot(stats string, isPacked bool) emulator.Answer {
	plain, packed := a.application.read(stats)
	if !isPacked {
		return jsonAnswer(http.StatusOK, plain)
	}
	answer := jsonAnswer(http.StatusOK, packed())
	answer.Header.Set("Content-Encoding", "gzip")
	return answer
}

// pack compresses a body with gzip at the fastest level.
func pack(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // the level exists
	_, _ = w.Write(body)                              // a bytes.Buffer does not fail
	_ = w.Close()
	return out.Bytes()
}
