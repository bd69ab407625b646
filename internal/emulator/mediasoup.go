// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

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

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Mediasoup are the options of an emulated agent in a mediasoup application.
type Mediasoup struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Capture is the version of mediasoup and the reading of it in testdata/mediasoup: "3.12.16-a" when empty.
	Capture string
	// Consumers adds rooms until there are about so many consumers, never more; 0: the captured ones alone. A room
	// holds up to ten people, who send audio and video over one transport and get those of all others over another.
	Consumers int
	// Token is what a bearer has to show; anybody may read when it is empty.
	Token string
	// SchemaVersion is what the snapshot claims; 1 when 0.
	SchemaVersion int
	// Unread is how many of 100 objects of every kind are listed without statistics, as when the agent ran out of time.
	Unread int
	// Carried is how many of 100 objects with statistics have those of an earlier reading, for the same reason.
	Carried int
	// Moving makes people come and go and counters grow with Now. They do so in any case once there was a restart.
	//
	// With s the whole seconds since the start, and captured what the capture (or the room's model in it) has:
	//   - A counter is captured + s*RATE, where RATE is a tenth of captured, rounded up. Of what came later, or after a
	//     restart, it is RATE times the seconds since it came.
	//   - From second 60 on, a room is empty and its router closed in every fifth minute; in most others somebody is away.
	//     Who comes back has new ids, and so have all consumers from and to them.
	//   - packetsLost of a consumer is 0, 1, 2, 3 less by turns, for ten seconds each.
	//   - The first captured producer counts anew from second 30 of every minute.
	//   - The second captured producer is without statistics from second 40 to 50 of every minute.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	mediasoupSnapshot = "/v1/snapshot"
	mediasoupHealth   = "/v1/health"
)

// soupStats are the kinds of statistics that may be asked for, by list of the snapshot.
var soupStats = map[string]string{
	"workers": "workers", "transports": "transports", "producers": "producers", "consumers": "consumers",
	"dataProducers": "data", "dataConsumers": "data",
}

type mediasoup struct {
	token    string
	snapshot *soupSnapshot
}

// NewMediasoup starts an emulated agent. The fault "restart" is a new process: another instanceId, and all objects new.
func NewMediasoup(o Mediasoup) (*Server, error) {
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
	m := &mediasoup{token: o.Token}
	if m.snapshot, err = newSoupSnapshot(captured, o); err != nil {
		return nil, fmt.Errorf("testdata/mediasoup/snapshot-%s.json: %w", o.Capture, err)
	}
	return newServer(o.Addr, system{
		api:     func(r *http.Request) string { return r.URL.Path },
		answer:  m.answer,
		denied:  unauthorizedBearer,
		restart: m.snapshot.restart,
	})
}

// unauthorizedBearer is the answer to a wrong token.
func unauthorizedBearer() answer {
	denied := refusal(http.StatusUnauthorized, "send the token of the agent as bearer token")
	denied.header.Set("Www-Authenticate", "Bearer")
	return denied
}

// refusal says what to do instead.
func refusal(status int, message string) answer {
	body, _ := json.Marshal(map[string]string{"error": message}) // a string can be encoded
	return jsonAnswer(status, body)
}

func jsonAnswer(status int, body []byte) answer {
	header := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Vary": {"Accept-Encoding"}}
	return answer{status: status, header: header, body: body}
}

// answer answers as the contract of distribution/mediasoup-agent/snapshot.schema.json says.
func (m *mediasoup) answer(r *http.Request) answer {
	path := r.URL.Path
	switch {
	case m.token != "" && r.Header.Get("Authorization") != "Bearer "+m.token:
		return unauthorizedBearer()
	case path != mediasoupSnapshot && path != mediasoupHealth:
		return refusal(http.StatusNotFound, "ask for "+mediasoupSnapshot+" or "+mediasoupHealth)
	case r.Method != http.MethodGet:
		refused := refusal(http.StatusMethodNotAllowed, "ask with GET")
		refused.header.Set("Allow", http.MethodGet)
		return refused
	case path == mediasoupHealth:
		body, _ := json.Marshal(map[string]string{"status": "ok", "instanceId": m.snapshot.instance()}) // strings can be encoded
		return jsonAnswer(http.StatusOK, body)
	}
	stats := soupAll
	if query := r.URL.Query(); query.Has("stats") {
		stats = query.Get("stats")
	}
	if !isSoupStats(stats) {
		return refusal(http.StatusBadRequest, "stats may name "+soupAll)
	}
	return m.reading(stats, strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"))
}

// isSoupStats tells whether there are statistics of these kinds.
func isSoupStats(stats string) bool {
	known := strings.Split(soupAll, ",")
	for kind := range strings.SplitSeq(stats, ",") {
		if kind != "" && !slices.Contains(known, kind) {
			return false
		}
	}
	return true
}

// reading is the answer with these statistics.
func (m *mediasoup) reading(stats string, isPacked bool) answer {
	plain, packed := m.snapshot.read(stats)
	if !isPacked {
		return jsonAnswer(http.StatusOK, plain)
	}
	reading := jsonAnswer(http.StatusOK, packed())
	reading.header.Set("Content-Encoding", "gzip")
	return reading
}

// pack is a body as gzip, fast rather than small.
func pack(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // the level exists
	_, _ = w.Write(body)                              // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
