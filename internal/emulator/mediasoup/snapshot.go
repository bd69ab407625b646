// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// lists holds the names of the lists of a snapshot in order.
var lists = []string{
	"workers", "webRtcServers", "routers", "transports", "producers", "consumers", "dataProducers", "dataConsumers",
}

// allStats requests all statistics.
const allStats = "workers,transports,producers,consumers,data"

// application is the emulated application: as captured, or with added rooms and advancing in time.
type application struct {
	AgentOptions
	captured []byte
	head     snapshotHead
	lists    map[string][]*listedObject // as captured
	model    map[string][]*listedObject // objects that every room copies
	rooms    []addedRoom

	mu          sync.Mutex
	incarnation int // number of restarts
	started     time.Time
	tally       tally
	rendered    rendering
}

// snapshotHead is a snapshot without its lists.
type snapshotHead struct {
	Schema        string           `json:"schema"`
	SchemaVersion int              `json:"schemaVersion"`
	Agent         json.RawMessage  `json:"agent"`
	AgentOptions  json.RawMessage  `json:"mediasoup"`
	InstanceID    string           `json:"instanceId"`
	Process       map[string]int64 `json:"process"`
	TimeUnixMs    int64            `json:"timeUnixMs"`
	Collection    collection       `json:"collection"`
	Counters      map[string]int   `json:"counters"`
}

type collection struct {
	DurationMs float64        `json:"durationMs"`
	Complete   bool           `json:"complete"`
	Skipped    map[string]int `json:"skipped"`
	Carried    map[string]int `json:"carried,omitempty"`
	Errors     map[string]int `json:"errors"`
}

// rendering is the last rendered snapshot. It is reused until the clock advances.
type rendering struct {
	stats  string
	at     time.Time
	body   []byte
	packed func() []byte
}

// newApplication parses a captured snapshot.
func newApplication(captured []byte, o AgentOptions) (*application, error) {
	s := &application{AgentOptions: o, captured: captured, started: o.Now(), lists: map[string][]*listedObject{}}
	if err := json.Unmarshal(captured, &s.head); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(captured, &members); err != nil {
		return nil, err
	}
	for _, list := range lists {
		var objects []json.RawMessage
		if err := json.Unmarshal(members[list], &objects); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		for i, captured := range objects {
			object, err := newListedObject(list, captured)
			if err != nil {
				return nil, fmt.Errorf("%s[%d]: %w", list, i, err)
			}
			s.lists[list] = append(s.lists[list], object)
		}
	}
	if s.Life != 0 {
		s.addMortalWorker()
	}
	if s.Consumers > 0 {
		if err := s.addRooms(); err != nil {
			return nil, err
		}
	}
	s.tally = newTally(s.rooms)
	return s, nil
}

// restart starts a new process with new ids and with counters at 0.
func (s *application) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Moving, s.started, s.tally, s.rendered = true, s.Now(), newTally(s.rooms), rendering{}
	s.incarnation++
}

// instance returns the identity of the process.
func (s *application) instance() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(appendReborn(nil, s.head.InstanceID, s.incarnation))
}

// read returns the snapshot with these statistics, plain and compressed.
func (s *application) read(stats string) (plain []byte, packed func() []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if !s.Moving {
		now = s.started
	}
	if last := s.rendered; last.body == nil || last.stats != stats || !last.at.Equal(now) {
		body := s.render(stats, now)
		s.rendered = rendering{stats, now, body, sync.OnceValue(func() []byte { return pack(body) })}
	}
	return s.rendered.body, s.rendered.packed
}

// asCaptured reports whether the snapshot equals the capture.
func (s *application) asCaptured(stats string) bool {
	return !s.Moving && s.Life == 0 && len(s.rooms) == 0 && s.Unread == 0 && s.Carried == 0 && s.SchemaVersion == 0 && stats == allStats
}

// render renders the snapshot. The caller holds mu.
func (s *application) render(stats string, now time.Time) []byte {
	if s.asCaptured(stats) {
		return s.captured
	}
	m := newMoment(s, now)
	s.tally.advance(m.minute, s.rooms)
	for i := range s.rooms {
		s.rooms[i].settle(m.minute)
	}
	w := snapshotWriter{
		s: s, moment: m, asked: strings.Split(stats, ","), skipped: map[string]int{}, carried: map[string]int{},
		body: make([]byte, 0, len(s.rendered.body)+len(s.rendered.body)/64),
	}
	for _, list := range lists {
		w.list(list)
	}
	head, _ := json.Marshal(s.headNow(&m, w.skipped, w.carried)) // a decoded value can always be encoded
	return slices.Concat(bytes.TrimSuffix(head, []byte("}")), w.body, []byte("}"))
}

// headNow returns the head at a moment.
func (s *application) headNow(m *moment, skipped, carried map[string]int) snapshotHead {
	head := s.head
	if s.SchemaVersion > 0 {
		head.SchemaVersion = s.SchemaVersion
	}
	head.Collection.Complete = len(skipped) == 0 && len(carried) == 0
	head.Collection.Skipped, head.Collection.Carried = skipped, carried
	head.Counters = s.tally.counters(s.head.Counters)
	if s.Life != 0 {
		died, replaced := workerDeaths(m.minute)
		head.Counters["workersDied"] += died
		head.Counters["workersCreated"] += replaced
	}
	if !s.Moving {
		return head
	}
	head.InstanceID = string(appendReborn(nil, s.head.InstanceID, s.incarnation))
	head.TimeUnixMs = s.started.UnixMilli() + m.elapsed
	head.Process = map[string]int64{
		"pid":             s.head.Process["pid"] + int64(s.incarnation),
		"startTimeUnixMs": m.startOf(s.head.Process["startTimeUnixMs"]),
	}
	return head
}

// snapshotWriter writes the lists of one snapshot.
type snapshotWriter struct {
	s       *application
	moment  moment // of the snapshot
	of      moment // of the object
	asked   []string
	skipped map[string]int
	carried map[string]int
	body    []byte
	written int // number of objects in the list
}

// list writes a list: the captured objects, then the rooms.
func (w *snapshotWriter) list(name string) {
	w.body = append(w.body, `,"`+name+`":[`...)
	w.written = 0
	for i, object := range w.s.lists[name] {
		w.of = w.moment.ofCaptured(name, i)
		if name == "workers" && w.s.isMortal(i) {
			if isWorkerDead(w.moment.minute) {
				continue
			}
			w.of = w.moment.ofMortalWorker()
		}
		w.object(name, object)
	}
	for r := range w.s.rooms {
		room := &w.s.rooms[r]
		for _, object := range w.s.model[name] {
			room.visit(w.moment.minute, object.role, func(sender, receiver int) {
				w.of = w.moment.ofRoom(room, object.role, sender, receiver)
				w.object(name, object)
			})
		}
	}
	w.body = append(w.body, ']')
}

// object writes an object, with statistics if they were requested and the agent had time to read them.
func (w *snapshotWriter) object(list string, object *listedObject) {
	if w.written > 0 {
		w.body = append(w.body, ',')
	}
	asked := slices.Contains(w.asked, statsKinds[list])
	measured := len(object.measured.slots) > len(object.bare.slots)
	read, carried := w.turn()
	form := &object.bare
	if asked && read {
		form = &object.measured
	} else if asked && measured {
		w.skipped[list]++
	}
	for i := range form.slots {
		slot := &form.slots[i]
		w.body = slot.append(slot, &w.of, append(w.body, slot.before...))
	}
	w.body = append(w.body, form.end...)
	if asked && carried && measured {
		w.carried[list]++
		w.body = append(bytes.TrimSuffix(w.body, []byte("}")), `,"statsAgeMs":1000}`...)
	}
}

// turn reports whether the next object in the list has statistics, and whether they are from an earlier collection.
func (w *snapshotWriter) turn() (read, carried bool) {
	among := func(n, of100 int) bool { return (n+1)*of100/100 > n*of100/100 }
	n := w.written
	w.written++
	read = !among(n, w.s.Unread) && !w.of.unread
	return read, read && among(n-n*w.s.Unread/100, w.s.Carried)
}
