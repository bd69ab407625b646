// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// listedObject is a captured object of a list.
type listedObject struct {
	captured objectLinks
	role     objectRole
	measured template // with statistics
	bare     template // without
}

// objectLinks holds the ids of an object and of its parents.
type objectLinks struct {
	ID          string
	RouterID    string
	TransportID string
	ProducerID  string
	Type        string
}

// template is the text of an object, split at the values that are rewritten.
type template struct {
	slots []valueSlot
	end   []byte // after the last slot
}

// valueSlot is the place of a value that is rewritten.
type valueSlot struct {
	before []byte // the text before it
	number int64  // the captured value
	text   string // the captured value without quotes
	role   objectRole
	append func(*valueSlot, *moment, []byte) []byte
}

// objectRole is the relation of an object to the people in a room.
type objectRole int

const (
	roleNone     objectRole = iota // not part of a room
	roleRouter                     // the room
	roleSender                     // a person who sends
	roleReceiver                   // a person who receives
	rolePair                       // both
)

// moment is the time and the object for which a value is computed.
type moment struct {
	incarnation int
	workers     []*listedObject
	origin      int64 // ms from the capture to the start
	started     int64 // unix ms
	elapsed     int64 // ms since the start
	second      int64 // since the start
	minute      int   // since the start
	moves       bool

	room   int                 // 0: captured
	owners [rolePair + 1]owner // by role
	ssrc   int64               // added to every SSRC
	lived  int64               // seconds
	born   int64               // unix ms; 0 for objects that existed at the start
	worker int                 // added to the ids of workers
	fresh  bool                // counters started at 0
	unread bool
}

// owner identifies the people in a room to whom an object belongs.
type owner struct{ generation, sender, receiver int }

// newMoment returns the moment of a snapshot.
func newMoment(s *application, now time.Time) moment {
	elapsed := max(now.Sub(s.started).Milliseconds(), 0)
	return moment{
		incarnation: s.incarnation,
		workers:     s.lists["workers"],
		origin:      s.started.UnixMilli() - s.head.TimeUnixMs,
		started:     s.started.UnixMilli(),
		elapsed:     elapsed,
		second:      elapsed / 1000,
		minute:      int(elapsed / 1000 / secondsPerMinute),
		moves:       s.Moving,
		lived:       elapsed / 1000,
		fresh:       s.incarnation > 0,
	}
}

// ofCaptured returns the moment of a captured object. At times, the first producer restarts at 0, and the second one has no
// statistics.
func (m moment) ofCaptured(list string, number int) moment {
	const recount, unreadFrom, unreadTo = 30, 40, 50
	if list != "producers" || !m.moves {
		return m
	}
	if number == 0 && m.second >= recount {
		m.fresh, m.lived = true, (m.second-recount)%secondsPerMinute
	}
	m.unread = number == 1 && m.second%secondsPerMinute >= unreadFrom && m.second%secondsPerMinute < unreadTo
	return m
}

// ofRoom returns the moment of an object in a room.
func (m moment) ofRoom(room *addedRoom, role objectRole, sender, receiver int) moment {
	m.room = room.number
	if room.mortal {
		_, m.worker = workerDeaths(m.minute)
	}
	m.owners = [rolePair + 1]owner{
		roleRouter:   {room.opened, 0, 0},
		roleSender:   {room.joined[sender], sender + 1, 0},
		roleReceiver: {room.joined[receiver], 0, receiver + 1},
		rolePair:     {max(room.joined[sender], room.joined[receiver]), sender + 1, receiver + 1},
	}
	m.ssrc = int64((room.number*roomSize+sender)*roomSize+receiver)*16 + 16
	if born := m.owners[role].generation; born > 0 {
		m.fresh, m.lived = true, m.second-int64(born)*secondsPerMinute
	}
	return m
}

// startOf returns the current value of a captured start time: its distance from the start equals that from the capture.
func (m *moment) startOf(captured int64) int64 {
	switch {
	case !m.moves:
		return captured
	case m.born > 0:
		return m.born
	case m.incarnation > 0:
		return m.started
	default:
		return captured + m.origin
	}
}

// appendReborn appends a captured id, or a new one after each restart.
func appendReborn(body []byte, captured string, incarnation int) []byte {
	if incarnation == 0 {
		return append(body, captured...)
	}
	return append(appendHex(append(body, captured[:9]...), incarnation, 4), captured[13:]...)
}

// appendID appends the id of a captured object or of an object in a room.
func (s *valueSlot) appendID(m *moment, body []byte) []byte {
	if m.room == 0 {
		return appendReborn(body, s.text, m.incarnation)
	}
	owner := m.owners[s.role]
	body = append(body, s.text[:9]...)
	for _, part := range [...]int{m.incarnation, owner.generation, m.room} {
		body = append(appendHex(body, part, 4), '-')
	}
	return appendHex(appendHex(body, owner.sender, 4), owner.receiver, 8)
}

// appendWorker appends the id of the worker of a router. Rooms are distributed over the workers.
func (s *valueSlot) appendWorker(m *moment, body []byte) []byte {
	if m.room == 0 {
		return append(body, s.text...)
	}
	return strconv.AppendInt(body, int64(m.room%len(m.workers)+m.worker), 10)
}

// appendReplaced appends the id or the pid of a worker. Those of its replacement are higher by 1.
func (s *valueSlot) appendReplaced(m *moment, body []byte) []byte {
	return strconv.AppendInt(body, s.number+int64(m.worker), 10)
}

// appendCounter appends a counter that grows every second by a tenth of the captured value, rounded up.
func (s *valueSlot) appendCounter(m *moment, body []byte) []byte {
	return strconv.AppendInt(body, s.base(m)+(s.number+9)/10*m.lived, 10)
}

// appendWave appends a value that decreases by 1 every ten seconds and returns to the captured one after three decreases.
func (s *valueSlot) appendWave(m *moment, body []byte) []byte {
	return strconv.AppendInt(body, s.base(m)-m.lived/10%4, 10)
}

// base returns the captured value, or 0 if counters started at 0.
func (s *valueSlot) base(m *moment) int64 {
	if m.fresh {
		return 0
	}
	return s.number
}

// appendClock appends a time that advances.
func (s *valueSlot) appendClock(m *moment, body []byte) []byte {
	return strconv.AppendInt(body, s.number+m.elapsed, 10)
}

// appendStart appends a start time.
func (s *valueSlot) appendStart(m *moment, body []byte) []byte {
	return strconv.AppendInt(body, m.startOf(s.number), 10)
}

// appendSSRC appends an SSRC.
func (s *valueSlot) appendSSRC(m *moment, body []byte) []byte {
	return strconv.AppendUint(body, uint64(uint32(s.number+m.ssrc)), 10) //nolint:gosec // an SSRC wraps around
}

// appendHex appends the last hexadecimal digits of a number.
func appendHex(body []byte, n, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		body = append(body, "0123456789abcdef"[n>>shift&0xf])
	}
	return body
}

var counterMembers = []string{
	"bytesReceived", "bytesSent", "rtpBytesReceived", "rtpBytesSent", "rtxBytesReceived", "rtxBytesSent", "probationBytesSent",
	"packetCount", "byteCount", "packetsLost", "packetsDiscarded", "packetsRetransmitted", "packetsRepaired", "rtxPacketsDiscarded",
	"nackCount", "nackPacketCount", "pliCount", "firCount", "messagesReceived", "messagesSent",
	"ru_utime", "ru_stime", "ru_minflt", "ru_majflt", "ru_nvcsw", "ru_nivcsw", "ru_inblock", "ru_oublock",
}

// rewrittenMembers maps rewritten members to the functions that write them. A member with a nil function is not rewritten. A name
// such as routers.workerId applies only to members in the list routers.
var rewrittenMembers = func() map[string]func(*valueSlot, *moment, []byte) []byte {
	members := map[string]func(*valueSlot, *moment, []byte) []byte{
		"consumers.packetsLost": (*valueSlot).appendWave,
		"dataProducerId":        (*valueSlot).appendID,
		"id":                    (*valueSlot).appendID,
		"producerId":            (*valueSlot).appendID,
		"routerId":              (*valueSlot).appendID,
		"routers.workerId":      (*valueSlot).appendWorker,
		"rtxSsrc":               (*valueSlot).appendSSRC,
		"ssrc":                  (*valueSlot).appendSSRC,
		"startTimeUnixMs":       (*valueSlot).appendStart,
		"timestamp":             (*valueSlot).appendClock,
		"transportId":           (*valueSlot).appendID,
		"workers.id":            (*valueSlot).appendReplaced,
		"workers.pid":           (*valueSlot).appendReplaced,
	}
	for _, name := range counterMembers {
		members[name] = (*valueSlot).appendCounter
	}
	return members
}()

var memberPattern = regexp.MustCompile(`"(\w+)":(?:"([^"]*)"|(-?\d+))`)

// newListedObject parses a captured object of a list. Its statistics come last.
func newListedObject(list string, captured []byte) (*listedObject, error) {
	object := &listedObject{}
	if err := json.Unmarshal(captured, &object.captured); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := json.Compact(&text, captured); err != nil {
		return nil, err
	}
	bare := text.Bytes()
	for _, name := range []string{"stats", "resourceUsage"} {
		if before, _, found := bytes.Cut(bare, []byte(`,"`+name+`":`)); found {
			bare = append(bytes.Clone(before), '}')
		}
	}
	if !json.Valid(bare) {
		return nil, fmt.Errorf("something comes after the statistics of %s", object.captured.ID)
	}
	object.measured, object.bare = newTemplate(list, text.Bytes()), newTemplate(list, bare)
	return object, nil
}

func newTemplate(list string, text []byte) template {
	var form template
	from := 0
	for _, at := range memberPattern.FindAllSubmatchIndex(text, -1) {
		name := string(text[at[2]:at[3]])
		value, known := rewrittenMembers[list+"."+name]
		if !known {
			value = rewrittenMembers[name]
		}
		if value == nil {
			continue
		}
		begin, end := max(at[4], at[6]), max(at[5], at[7]) // one of the groups is -1
		slot := valueSlot{before: text[from:begin], text: string(text[begin:end]), append: value}
		slot.number, _ = strconv.ParseInt(slot.text, 10, 64) // 0 for an id
		form.slots = append(form.slots, slot)
		from = end
	}
	form.end = text[from:]
	return form
}
