// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// soupLists are the lists of a snapshot, in its order.
var soupLists = []string{
	"workers", "webRtcServers", "routers", "transports", "producers", "consumers", "dataProducers", "dataConsumers",
}

// soupAll asks for all statistics there are.
const soupAll = "workers,transports,producers,consumers,data"

// soupSnapshot is the captured snapshot: as it is, or with rooms added, and as it advances in time.
type soupSnapshot struct {
	Mediasoup
	captured []byte
	head     soupHead
	lists    map[string][]*soupObject // as captured
	model    map[string][]*soupObject // of every room
	rooms    []soupRoom

	mu          sync.Mutex
	incarnation int // how often it was restarted
	started     time.Time
	tally       soupTally
	rendered    soupRendering
}

// soupHead is what a snapshot says besides its lists.
type soupHead struct {
	Schema        string           `json:"schema"`
	SchemaVersion int              `json:"schemaVersion"`
	Agent         json.RawMessage  `json:"agent"`
	Mediasoup     json.RawMessage  `json:"mediasoup"`
	InstanceID    string           `json:"instanceId"`
	Process       map[string]int64 `json:"process"`
	TimeUnixMs    int64            `json:"timeUnixMs"`
	Collection    soupCollection   `json:"collection"`
	Counters      map[string]int   `json:"counters"`
}

type soupCollection struct {
	DurationMs float64        `json:"durationMs"`
	Complete   bool           `json:"complete"`
	Skipped    map[string]int `json:"skipped"`
	Carried    map[string]int `json:"carried,omitempty"`
	Errors     map[string]int `json:"errors"`
}

// soupRendering is the latest rendered snapshot, kept while the clock stands still.
type soupRendering struct {
	stats  string
	at     time.Time
	body   []byte
	packed func() []byte
}

// newSoupSnapshot takes a captured snapshot apart.
func newSoupSnapshot(captured []byte, o Mediasoup) (*soupSnapshot, error) {
	s := &soupSnapshot{Mediasoup: o, captured: captured, started: o.Now(), lists: map[string][]*soupObject{}}
	if err := json.Unmarshal(captured, &s.head); err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(captured, &members); err != nil {
		return nil, err
	}
	for _, list := range soupLists {
		var objects []json.RawMessage
		if err := json.Unmarshal(members[list], &objects); err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		for i, captured := range objects {
			object, err := newSoupObject(list, captured)
			if err != nil {
				return nil, fmt.Errorf("%s[%d]: %w", list, i, err)
			}
			s.lists[list] = append(s.lists[list], object)
		}
	}
	if s.Consumers > 0 {
		if err := s.addRooms(); err != nil {
			return nil, err
		}
	}
	s.tally = newSoupTally(s.rooms)
	return s, nil
}

// restart is a new process: other ids, and everything counts from 0.
func (s *soupSnapshot) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Moving, s.started, s.tally, s.rendered = true, s.Now(), newSoupTally(s.rooms), soupRendering{}
	s.incarnation++
}

// instance is the identity of the process.
func (s *soupSnapshot) instance() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(appendReborn(nil, s.head.InstanceID, s.incarnation))
}

// read is the snapshot with these statistics, plain and packed.
func (s *soupSnapshot) read(stats string) (plain []byte, packed func() []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if !s.Moving {
		now = s.started
	}
	if last := s.rendered; last.body == nil || last.stats != stats || !last.at.Equal(now) {
		body := s.render(stats, now)
		s.rendered = soupRendering{stats, now, body, sync.OnceValue(func() []byte { return pack(body) })}
	}
	return s.rendered.body, s.rendered.packed
}

// asCaptured tells whether nothing in the snapshot differs from the capture.
func (s *soupSnapshot) asCaptured(stats string) bool {
	return !s.Moving && len(s.rooms) == 0 && s.Unread == 0 && s.Carried == 0 && s.SchemaVersion == 0 && stats == soupAll
}

// render puts the snapshot together. The caller holds mu.
func (s *soupSnapshot) render(stats string, now time.Time) []byte {
	if s.asCaptured(stats) {
		return s.captured
	}
	m := newSoupMoment(s, now)
	s.tally.advance(m.minute, s.rooms)
	for i := range s.rooms {
		s.rooms[i].settle(m.minute)
	}
	w := soupWriter{
		s: s, moment: m, asked: strings.Split(stats, ","), skipped: map[string]int{}, carried: map[string]int{},
		body: make([]byte, 0, len(s.rendered.body)+len(s.rendered.body)/64),
	}
	for _, list := range soupLists {
		w.list(list)
	}
	head, _ := json.Marshal(s.headNow(&m, w.skipped, w.carried)) // what was decoded can be encoded
	return slices.Concat(bytes.TrimSuffix(head, []byte("}")), w.body, []byte("}"))
}

// headNow is the head at a moment.
func (s *soupSnapshot) headNow(m *soupMoment, skipped, carried map[string]int) soupHead {
	head := s.head
	if s.SchemaVersion > 0 {
		head.SchemaVersion = s.SchemaVersion
	}
	head.Collection.Complete = len(skipped) == 0 && len(carried) == 0
	head.Collection.Skipped, head.Collection.Carried = skipped, carried
	head.Counters = s.tally.counters(s.head.Counters)
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

// soupWriter writes the lists of one snapshot.
type soupWriter struct {
	s       *soupSnapshot
	moment  soupMoment // of the snapshot
	of      soupMoment // of the object
	asked   []string
	skipped map[string]int
	carried map[string]int
	body    []byte
	written int // objects of the list
}

// list writes a list: what was captured, then the rooms.
func (w *soupWriter) list(name string) {
	w.body = append(w.body, `,"`+name+`":[`...)
	w.written = 0
	for i, object := range w.s.lists[name] {
		w.of = w.moment.ofCaptured(name, i)
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

// object writes an object, with statistics if they were asked for and the agent had the time.
func (w *soupWriter) object(list string, object *soupObject) {
	if w.written > 0 {
		w.body = append(w.body, ',')
	}
	asked := slices.Contains(w.asked, soupStats[list])
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

// turn reports whether the agent has statistics of the next object in the list, and whether they are from an earlier collection.
func (w *soupWriter) turn() (read, carried bool) {
	among := func(n, of100 int) bool { return (n+1)*of100/100 > n*of100/100 }
	n := w.written
	w.written++
	read = !among(n, w.s.Unread) && !w.of.unread
	return read, read && among(n-n*w.s.Unread/100, w.s.Carried)
}
