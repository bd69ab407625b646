// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"maps"
)

const (
	soupRoomSize = 10
	soupMinute   = 60 // seconds between two changes of who is there
)

// soupRoom is one of the rooms that were added.
type soupRoom struct {
	number int // from 1
	size   int // people who belong there

	// Who is there, and since which minute.
	here   []int
	opened int
	joined [soupRoomSize]int
}

// addRooms adds rooms until there are as many consumers as wanted. Each is a copy of who sends over WebRTC and who gets it.
func (s *soupSnapshot) addRooms() error {
	if err := s.findModel(); err != nil {
		return err
	}
	for rest := s.Consumers - len(s.lists["consumers"]); rest >= soupConsumers(2); {
		size := soupRoomSize
		for soupConsumers(size) > rest {
			size--
		}
		s.rooms = append(s.rooms, soupRoom{number: len(s.rooms) + 1, size: size})
		rest -= soupConsumers(size)
	}
	return nil
}

// soupConsumers is how many consumers so many people have: everybody gets audio and video of everybody else.
func soupConsumers(people int) int { return 2 * people * (people - 1) }

// findModel finds the captured objects that every room has copies of.
func (s *soupSnapshot) findModel() error {
	roles := map[string]soupRole{}
	webrtc := map[string]bool{}
	for _, transport := range s.lists["transports"] {
		webrtc[transport.captured.ID] = transport.captured.Type == "webrtc"
	}
	for _, producer := range s.lists["producers"] {
		if c := producer.captured; webrtc[c.TransportID] {
			roles[c.ID], roles[c.TransportID] = soupSender, soupSender
		}
	}
	for _, consumer := range s.lists["consumers"] {
		if c := consumer.captured; webrtc[c.TransportID] && roles[c.ProducerID] == soupSender {
			roles[c.ID], roles[c.TransportID] = soupPair, soupReceiver
		}
	}
	for _, transport := range s.lists["transports"] {
		if roles[transport.captured.ID] == soupSender {
			roles[transport.captured.RouterID] = soupRouter
		}
	}
	s.model = map[string][]*soupObject{}
	for list, objects := range s.lists {
		for _, object := range objects {
			object.takeRole(roles)
			if piped := list == "producers" && !webrtc[object.captured.TransportID]; object.role != soupNobody && !piped {
				s.model[list] = append(s.model[list], object)
			}
		}
	}
	for list, want := range map[string]int{"routers": 1, "transports": 2, "producers": 2, "consumers": 2} {
		if len(s.model[list]) != want {
			return errors.New("the " + list + " of one sender and one receiver over WebRTC were not found")
		}
	}
	return nil
}

// takeRole says of every id in the object whom it stands for.
func (o *soupObject) takeRole(roles map[string]soupRole) {
	o.role = roles[o.captured.ID]
	for _, slots := range [][]soupSlot{o.measured.slots, o.bare.slots} {
		for i := range slots {
			slots[i].role = roles[slots[i].text]
		}
	}
}

// isOpen tells whether anybody is in the room in a minute.
func (r *soupRoom) isOpen(minute int) bool { return minute == 0 || (minute+r.number)%5 != 0 }

// isHere tells whether somebody is in the room in a minute.
func (r *soupRoom) isHere(person, minute int) bool {
	return minute == 0 || r.isOpen(minute) && (minute+r.number)%soupRoomSize != person
}

// settle notes who is there in a minute, and since when.
func (r *soupRoom) settle(minute int) {
	for r.opened = minute; r.opened > 0 && r.isOpen(r.opened-1); {
		r.opened--
	}
	r.here = r.here[:0]
	for person := range r.size {
		if !r.isHere(person, minute) {
			continue
		}
		r.here = append(r.here, person)
		since := minute
		for since > 0 && r.isHere(person, since-1) {
			since--
		}
		r.joined[person] = since
	}
}

// visit calls do for each object of a role that the room has now.
func (r *soupRoom) visit(minute int, role soupRole, do func(sender, receiver int)) {
	if role == soupRouter && r.isOpen(minute) {
		do(0, 0)
	}
	for _, sender := range r.here {
		switch role {
		case soupSender:
			do(sender, 0)
		case soupReceiver:
			do(0, sender)
		case soupPair:
			for _, receiver := range r.here {
				if receiver != sender {
					do(sender, receiver)
				}
			}
		}
	}
}

// soupTally counts what came and went in the rooms until a minute.
type soupTally struct {
	minute          int
	created, closed soupCensus
}

type soupCensus struct{ rooms, people, consumers int }

// newSoupTally begins with everybody there.
func newSoupTally(rooms []soupRoom) soupTally {
	var t soupTally
	for _, room := range rooms {
		t.created.add(1, room.size, soupConsumers(room.size))
	}
	return t
}

func (c *soupCensus) add(rooms, people, consumers int) {
	c.rooms += rooms
	c.people += people
	c.consumers += consumers
}

// advance counts on until a minute.
func (t *soupTally) advance(minute int, rooms []soupRoom) {
	for ; t.minute < minute; t.minute++ {
		for i := range rooms {
			t.change(&rooms[i], t.minute, t.minute+1)
		}
	}
}

// change counts what differs between two minutes.
func (t *soupTally) change(room *soupRoom, from, to int) {
	var before, after, stayed int
	for person := range room.size {
		was, is := room.isHere(person, from), room.isHere(person, to)
		before += oneIf(was)
		after += oneIf(is)
		stayed += oneIf(was && is)
	}
	opened, was := room.isOpen(to), room.isOpen(from)
	t.created.add(oneIf(opened && !was), after-stayed, soupConsumers(after)-soupConsumers(stayed))
	t.closed.add(oneIf(was && !opened), before-stayed, soupConsumers(before)-soupConsumers(stayed))
}

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// counters are the agent's counters, of what was captured and of the rooms.
func (t *soupTally) counters(captured map[string]int) map[string]int {
	counters := maps.Clone(captured)
	for suffix, census := range map[string]soupCensus{"Created": t.created, "Closed": t.closed} {
		counters["routers"+suffix] += census.rooms
		counters["transports"+suffix] += 2 * census.people
		counters["producers"+suffix] += 2 * census.people
		counters["consumers"+suffix] += census.consumers
	}
	return counters
}
