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

// AgentOptions configure an emulated agent in a mediasoup application.
type AgentOptions struct {
	// Addr is the address to listen on; a free loopback port when empty.
	Addr string
	// Capture is a version of mediasoup and a capture of it in testdata/mediasoup; "3.12.16-a" when empty.
	Capture string
	// Consumers is the number of consumers. Rooms are added as long as they fit; 0 leaves the captured consumers alone. A room
	// has up to ten people, who send audio and video over one transport and receive those of all others over another.
	Consumers int
	// Token is the bearer token; none is required when it is empty.
	Token string
	// SchemaVersion is the schema version in the snapshot; 1 when 0.
	SchemaVersion int
	// Unread is how many of 100 objects of every kind are listed without statistics, as if the agent had run out of time.
	Unread int
	// Carried is how many of 100 objects with statistics have those of an earlier collection, for the same reason.
	Carried int
	// Moving makes people come and go and counters grow with Now. After a restart they do so in any case.
	//
	// Where s is the number of whole seconds since the start, and captured is the captured value:
	//   - A counter is captured + s*RATE, where RATE is a tenth of captured, rounded up. For an object that appeared later, and
	//     after a restart, it is RATE times the seconds since then.
	//   - From second 60 on, a room is empty and its router closed in every fifth minute; in most others one person is away.
	//     A person who comes back has new ids, and so have all consumers from and to that person.
	//   - packetsLost of a consumer is lower by 0, 1, 2 and 3 in turn, for ten seconds each.
	//   - The first captured producer begins to count at 0 in second 30 of every minute.
	//   - The second captured producer has no statistics from second 40 to 50 of every minute.
	Moving bool
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

const (
	snapshotPath = "/v1/snapshot"
	healthPath   = "/v1/health"
)

// statsKinds has the kind of statistics to request, by list of the snapshot.
var statsKinds = map[string]string{
	"workers": "workers", "transports": "transports", "producers": "producers", "consumers": "consumers",
	"dataProducers": "data", "dataConsumers": "data",
}

type agent struct {
	token       string
	application *application
}

// NewAgent starts an emulated agent. The fault Restart starts a new process, with another instanceId and new objects.
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

// unauthorizedBearer returns the answer to a wrong token.
func unauthorizedBearer() emulator.Answer {
	denied := refusal(http.StatusUnauthorized, "missing or wrong token: send the token of the agent as a bearer token")
	denied.Header.Set("Www-Authenticate", "Bearer")
	return denied
}

// refusal returns an answer that says what to do instead.
func refusal(status int, message string) emulator.Answer {
	body, _ := json.Marshal(map[string]string{"error": message}) // a string can be encoded
	return jsonAnswer(status, body)
}

func jsonAnswer(status int, body []byte) emulator.Answer {
	header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Vary": {"Accept-Encoding"}}
	return emulator.Answer{Status: status, Header: header, Body: body}
}

// answer answers according to distribution/mediasoup-agent/snapshot.schema.json.
func (a *agent) answer(r *http.Request) emulator.Answer {
	path := r.URL.Path
	switch {
	case a.token != "" && r.Header.Get("Authorization") != "Bearer "+a.token:
		return unauthorizedBearer()
	case path != snapshotPath && path != healthPath:
		return refusal(http.StatusNotFound, "ask for "+snapshotPath+" or "+healthPath)
	case r.Method != http.MethodGet:
		refused := refusal(http.StatusMethodNotAllowed, "ask with GET")
		refused.Header.Set("Allow", http.MethodGet)
		return refused
	case path == healthPath:
		body, _ := json.Marshal(map[string]string{"status": "ok", "instanceId": a.application.instance()}) // strings can be encoded
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

// answerSnapshot answers with a snapshot that has these statistics.
func (a *agent) answerSnapshot(stats string, isPacked bool) emulator.Answer {
	plain, packed := a.application.read(stats)
	if !isPacked {
		return jsonAnswer(http.StatusOK, plain)
	}
	answer := jsonAnswer(http.StatusOK, packed())
	answer.Header.Set("Content-Encoding", "gzip")
	return answer
}

// pack compresses a body with gzip, fast rather than small.
func pack(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // the level exists
	_, _ = w.Write(body)                              // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
