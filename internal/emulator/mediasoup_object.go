// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// soupObject is a captured object, cut at the values that are written anew.
type soupObject struct {
	captured soupLinks
	role     soupRole
	measured soupForm
	bare     soupForm // without statistics
}

// soupLinks is what an object is and to whom it belongs.
type soupLinks struct {
	ID          string
	RouterID    string
	TransportID string
	ProducerID  string
	Type        string
}

// soupForm is the text of an object.
type soupForm struct {
	slots []soupSlot
	end   []byte // after the last slot
}

// soupSlot is a value that is written anew.
type soupSlot struct {
	before []byte // the text up to it
	number int64  // as captured ...
	text   string // ... without its quotes
	role   soupRole
	append func(*soupSlot, *soupMoment, []byte) []byte
}

// soupRole says whom an object of a room belongs to.
type soupRole int

const (
	soupNobody   soupRole = iota // captured objects that no room has
	soupRouter                   // the room
	soupSender                   // who sends
	soupReceiver                 // who gets it
	soupPair                     // both
)

// soupMoment is when and of whom a value is asked for.
type soupMoment struct {
	incarnation int
	workers     []*soupObject
	origin      int64 // ms from the capture to the start
	started     int64 // unix ms
	elapsed     int64 // ms since the start
	second      int64 // since the start
	minute      int   // since the start
	moves       bool

	room   int // 0: captured
	people [soupPair + 1]soupPeople
	ssrc   int64 // added to every SSRC
	lived  int64 // seconds
	fresh  bool  // what was captured is forgotten
	unread bool
}

// soupPeople are those whom an id stands for.
type soupPeople struct{ generation, sender, receiver int }

// newSoupMoment is the moment of a snapshot.
func newSoupMoment(s *soupSnapshot, now time.Time) soupMoment {
	elapsed := max(now.Sub(s.started).Milliseconds(), 0)
	return soupMoment{
		incarnation: s.incarnation,
		workers:     s.lists["workers"],
		origin:      s.started.UnixMilli() - s.head.TimeUnixMs,
		started:     s.started.UnixMilli(),
		elapsed:     elapsed,
		second:      elapsed / 1000,
		minute:      int(elapsed / 1000 / soupMinute),
		moves:       s.Moving,
		lived:       elapsed / 1000,
		fresh:       s.incarnation > 0,
	}
}

// ofCaptured is the moment for a captured object. The first producer counts anew, the second one is not read now and then.
func (m soupMoment) ofCaptured(list string, number int) soupMoment {
	const anew, late, soon = 30, 40, 50
	if list != "producers" || !m.moves {
		return m
	}
	if number == 0 && m.second >= anew {
		m.fresh, m.lived = true, (m.second-anew)%soupMinute
	}
	m.unread = number == 1 && m.second%soupMinute >= late && m.second%soupMinute < soon
	return m
}

// ofRoom is the moment for an object of a room.
func (m soupMoment) ofRoom(room *soupRoom, role soupRole, sender, receiver int) soupMoment {
	m.room = room.number
	m.people = [soupPair + 1]soupPeople{
		soupRouter:   {room.opened, 0, 0},
		soupSender:   {room.joined[sender], sender + 1, 0},
		soupReceiver: {room.joined[receiver], 0, receiver + 1},
		soupPair:     {max(room.joined[sender], room.joined[receiver]), sender + 1, receiver + 1},
	}
	m.ssrc = int64((room.number*soupRoomSize+sender)*soupRoomSize+receiver)*16 + 16
	if born := m.people[role].generation; born > 0 {
		m.fresh, m.lived = true, m.second-int64(born)*soupMinute
	}
	return m
}

// startOf is a captured start time, as long before the start as it was before the capture.
func (m *soupMoment) startOf(captured int64) int64 {
	switch {
	case !m.moves:
		return captured
	case m.incarnation > 0:
		return m.started
	default:
		return captured + m.origin
	}
}

// appendReborn writes a captured id, another one after each restart.
func appendReborn(body []byte, captured string, incarnation int) []byte {
	if incarnation == 0 {
		return append(body, captured...)
	}
	return append(appendHex(append(body, captured[:9]...), incarnation, 4), captured[13:]...)
}

// appendID writes an id: as captured, or of a room.
func (s *soupSlot) appendID(m *soupMoment, body []byte) []byte {
	if m.room == 0 {
		return appendReborn(body, s.text, m.incarnation)
	}
	who := m.people[s.role]
	body = append(body, s.text[:9]...)
	for _, part := range [...]int{m.incarnation, who.generation, m.room} {
		body = append(appendHex(body, part, 4), '-')
	}
	return appendHex(appendHex(body, who.sender, 4), who.receiver, 8)
}

// appendWorker spreads the rooms over the workers.
func (s *soupSlot) appendWorker(m *soupMoment, body []byte) []byte {
	if m.room == 0 {
		return append(body, s.text...)
	}
	return append(body, m.workers[m.room%len(m.workers)].captured.ID...)
}

// appendCounter grows by a tenth of what was captured, rounded up, in every second.
func (s *soupSlot) appendCounter(m *soupMoment, body []byte) []byte {
	return strconv.AppendInt(body, s.base(m)+(s.number+9)/10*m.lived, 10)
}

// appendWave falls by 1 every ten seconds and comes back after three times.
func (s *soupSlot) appendWave(m *soupMoment, body []byte) []byte {
	return strconv.AppendInt(body, s.base(m)-m.lived/10%4, 10)
}

// base is what was captured unless it is forgotten.
func (s *soupSlot) base(m *soupMoment) int64 {
	if m.fresh {
		return 0
	}
	return s.number
}

func (s *soupSlot) appendClock(m *soupMoment, body []byte) []byte {
	return strconv.AppendInt(body, s.number+m.elapsed, 10)
}

func (s *soupSlot) appendStart(m *soupMoment, body []byte) []byte {
	return strconv.AppendInt(body, m.startOf(s.number), 10)
}

func (s *soupSlot) appendSSRC(m *soupMoment, body []byte) []byte {
	return strconv.AppendUint(body, uint64(uint32(s.number+m.ssrc)), 10) //nolint:gosec // an SSRC wraps around
}

// appendHex writes the last digits of a number.
func appendHex(body []byte, n, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		body = append(body, "0123456789abcdef"[n>>shift&0xf])
	}
	return body
}

var soupCounters = []string{
	"bytesReceived", "bytesSent", "rtpBytesReceived", "rtpBytesSent", "rtxBytesReceived", "rtxBytesSent", "probationBytesSent",
	"packetCount", "byteCount", "packetsLost", "packetsDiscarded", "packetsRetransmitted", "packetsRepaired", "rtxPacketsDiscarded",
	"nackCount", "nackPacketCount", "pliCount", "firCount", "messagesReceived", "messagesSent",
	"ru_utime", "ru_stime", "ru_minflt", "ru_majflt", "ru_nvcsw", "ru_nivcsw", "ru_inblock", "ru_oublock",
}

// soupMembers are the members that are written anew; one that is named after its list is so in this list only.
var soupMembers = func() map[string]func(*soupSlot, *soupMoment, []byte) []byte {
	members := map[string]func(*soupSlot, *soupMoment, []byte) []byte{
		"consumers.packetsLost": (*soupSlot).appendWave,
		"dataProducerId":        (*soupSlot).appendID,
		"id":                    (*soupSlot).appendID,
		"producerId":            (*soupSlot).appendID,
		"routerId":              (*soupSlot).appendID,
		"routers.workerId":      (*soupSlot).appendWorker,
		"rtxSsrc":               (*soupSlot).appendSSRC,
		"ssrc":                  (*soupSlot).appendSSRC,
		"startTimeUnixMs":       (*soupSlot).appendStart,
		"timestamp":             (*soupSlot).appendClock,
		"transportId":           (*soupSlot).appendID,
		"workers.id":            nil,
	}
	for _, name := range soupCounters {
		members[name] = (*soupSlot).appendCounter
	}
	return members
}()

var soupMember = regexp.MustCompile(`"(\w+)":(?:"([^"]*)"|(-?\d+))`)

// newSoupObject cuts a captured object of a list. Its statistics come last.
func newSoupObject(list string, captured []byte) (*soupObject, error) {
	object := &soupObject{}
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
	object.measured, object.bare = newSoupForm(list, text.Bytes()), newSoupForm(list, bare)
	return object, nil
}

func newSoupForm(list string, text []byte) soupForm {
	var form soupForm
	from := 0
	for _, at := range soupMember.FindAllSubmatchIndex(text, -1) {
		name := string(text[at[2]:at[3]])
		value, known := soupMembers[list+"."+name]
		if !known {
			value = soupMembers[name]
		}
		if value == nil {
			continue
		}
		begin, end := max(at[4], at[6]), max(at[5], at[7]) // one of the groups is -1
		slot := soupSlot{before: text[from:begin], text: string(text[begin:end]), append: value}
		slot.number, _ = strconv.ParseInt(slot.text, 10, 64) // 0 for an id
		form.slots = append(form.slots, slot)
		from = end
	}
	form.end = text[from:]
	return form
}
