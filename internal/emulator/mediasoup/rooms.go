// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

import (
	"errors"
	"maps"
)

const (
	roomSize         = 10
	secondsPerMinute = 60 // people join and leave every minute
)

// addedRoom is a room that was added to the captured ones.
type addedRoom struct {
	number int  // from 1
	size   int  // number of people in the room if all are present
	mortal bool // on the mortal worker

	here   []int         // people who are present
	opened int           // minute in which it opened
	joined [roomSize]int // minute in which each person joined
}

// addRooms adds rooms up to the number of consumers. Each person is a copy of the captured sender and receiver over WebRTC.
func (s *application) addRooms() error {
	if err := s.findModel(); err != nil {
		return err
	}
	for rest := s.Consumers - len(s.lists["consumers"]); rest >= consumersOf(2); {
		size := roomSize
		for consumersOf(size) > rest {
			size--
		}
		number := len(s.rooms) + 1
		s.rooms = append(s.rooms, addedRoom{number: number, size: size, mortal: s.isMortal(number)})
		rest -= consumersOf(size)
	}
	return nil
}

// consumersOf returns the number of consumers in a room: each person receives audio and video from all others.
func consumersOf(people int) int { return 2 * people * (people - 1) }

// findModel finds the captured objects that every room copies.
func (s *application) findModel() error {
	roles := map[string]objectRole{}
	webrtc := map[string]bool{}
	for _, transport := range s.lists["transports"] {
		webrtc[transport.captured.ID] = transport.captured.Type == "webrtc"
	}
	for _, producer := range s.lists["producers"] {
		if c := producer.captured; webrtc[c.TransportID] {
			roles[c.ID], roles[c.TransportID] = roleSender, roleSender
		}
	}
	for _, consumer := range s.lists["consumers"] {
		if c := consumer.captured; webrtc[c.TransportID] && roles[c.ProducerID] == roleSender {
			roles[c.ID], roles[c.TransportID] = rolePair, roleReceiver
		}
	}
	for _, transport := range s.lists["transports"] {
		if roles[transport.captured.ID] == roleSender {
			roles[transport.captured.RouterID] = roleRouter
		}
	}
	s.model = map[string][]*listedObject{}
	for list, objects := range s.lists {
		for _, object := range objects {
			object.takeRole(roles)
			if piped := list == "producers" && !webrtc[object.captured.TransportID]; object.role != roleNone && !piped {
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

// takeRole sets the role of the object and of every id in it.
func (o *listedObject) takeRole(roles map[string]objectRole) {
	o.role = roles[o.captured.ID]
	for _, slots := range [][]valueSlot{o.measured.slots, o.bare.slots} {
		for i := range slots {
			slots[i].role = roles[slots[i].text]
		}
	}
}

// isOpen reports whether anyone is in the room in a minute.
func (r *addedRoom) isOpen(minute int) bool {
	return minute == 0 || (minute+r.number)%5 != 0 && (!r.mortal || !isWorkerDead(minute))
}

// isHere reports whether a person is in the room in a minute.
func (r *addedRoom) isHere(person, minute int) bool {
	return minute == 0 || r.isOpen(minute) && (minute+r.number)%roomSize != person
}

// settle sets who is present in a minute, and since when.
func (r *addedRoom) settle(minute int) {
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

// visit calls do for each object of a role in the room.
func (r *addedRoom) visit(minute int, role objectRole, do func(sender, receiver int)) {
	if role == roleRouter && r.isOpen(minute) {
		do(0, 0)
	}
	for _, sender := range r.here {
		switch role {
		case roleSender:
			do(sender, 0)
		case roleReceiver:
			do(0, sender)
		case rolePair:
			for _, receiver := range r.here {
				if receiver != sender {
					do(sender, receiver)
				}
			}
		}
	}
}

// tally counts the objects of rooms that were created and closed before a minute.
type tally struct {
	minute          int
	created, closed headcount
}

// headcount is a number of rooms, of people in them, and of their consumers.
type headcount struct{ rooms, people, consumers int }

// newTally returns the tally at the start, when all people are present.
func newTally(rooms []addedRoom) tally {
	var t tally
	for _, room := range rooms {
		t.created.add(1, room.size, consumersOf(room.size))
	}
	return t
}

func (c *headcount) add(rooms, people, consumers int) {
	c.rooms += rooms
	c.people += people
	c.consumers += consumers
}

// advance counts up to a minute.
func (t *tally) advance(minute int, rooms []addedRoom) {
	for ; t.minute < minute; t.minute++ {
		for i := range rooms {
			t.change(&rooms[i], t.minute, t.minute+1)
		}
	}
}

// change counts the differences between two minutes.
func (t *tally) change(room *addedRoom, from, to int) {
	var before, after, stayed int
	for person := range room.size {
		was, is := room.isHere(person, from), room.isHere(person, to)
		before += oneIf(was)
		after += oneIf(is)
		stayed += oneIf(was && is)
	}
	opened, was := room.isOpen(to), room.isOpen(from)
	t.created.add(oneIf(opened && !was), after-stayed, consumersOf(after)-consumersOf(stayed))
	t.closed.add(oneIf(was && !opened), before-stayed, consumersOf(before)-consumersOf(stayed))
}

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// counters returns the counters of the agent, for the captured objects and the rooms.
func (t *tally) counters(captured map[string]int) map[string]int {
	counters := maps.Clone(captured)
	for suffix, count := range map[string]headcount{"Created": t.created, "Closed": t.closed} {
		counters["routers"+suffix] += count.rooms
		counters["transports"+suffix] += 2 * count.people
		counters["producers"+suffix] += 2 * count.people
		counters["consumers"+suffix] += count.consumers
	}
	return counters
}
