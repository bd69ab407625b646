// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// zlmSources is the list of media sources: the captured one, or one that is scaled and advances in time. Streams are
// numbered from 0. The first ones are the captured streams under their own names, so that proxies and players go on
// referring to streams that exist; the copies follow in turn, as cam1-00020.
type zlmSources struct {
	begin, separator, end []byte // the captured bytes around the rows
	rows                  []zlmRow
	originals             int // captured streams
	streams               int
	now                   func() time.Time

	mu        sync.Mutex
	moves     bool // scaled, or restarted: values advance
	restarted bool
	started   time.Time
	rendered  zlmRendering
}

// zlmRow is one captured media source.
type zlmRow struct {
	zlmName
	captured []byte
	original int // number of its stream
	slots    []zlmSlot
	end      []byte // the captured bytes after the last slot
}

// zlmName is what a media source says about itself.
type zlmName struct{ schema, vhost, app, stream string }

// zlmFilter is a request for some of the media sources; what is empty is not looked at.
type zlmFilter zlmName

// zlmRendering is the latest rendered list, kept while the clock stands still.
type zlmRendering struct {
	filter zlmFilter
	at     time.Time
	body   []byte
}

// zlmSlot is a value of a captured row that is written anew.
type zlmSlot struct {
	name     string
	before   []byte // the captured bytes up to it
	captured int64
	value    func(zlmSlot, zlmMoment) int64 // nil: the end of a stream's name
	gain     int64                          // how much is added ...
	per      int64                          // ... in so many milliseconds
}

// zlmMoment is when and of which stream a value is asked for.
type zlmMoment struct {
	number    int
	started   time.Time
	elapsed   int64 // ms since started
	restarted bool  // what was captured is forgotten
}

// newZLMSources takes a captured getMediaList apart. Another one of the same server, if there is one, shows which values stand
// still: those of on-demand schemas without readers.
func newZLMSources(body, other []byte, streams int, now func() time.Time) (*zlmSources, error) {
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	if streams < 0 || streams > 0 && len(list.Data) == 0 {
		return nil, fmt.Errorf("cannot scale %d media sources to %d streams", len(list.Data), streams)
	}
	s := &zlmSources{now: now, started: now(), moves: streams > 0, separator: []byte(","), end: body}
	numbers := map[zlmName]int{}
	for i, captured := range list.Data {
		row, err := newZLMRow(captured)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		name := row.zlmName
		name.schema = ""
		if _, known := numbers[name]; !known {
			numbers[name] = len(numbers)
		}
		row.original = numbers[name]
		s.rows = append(s.rows, row)
		at := bytes.Index(s.end, captured)
		switch i {
		case 0:
			s.begin = s.end[:at]
		case 1:
			s.separator = s.end[:at]
		}
		s.end = s.end[at+len(captured):]
	}
	if other != nil {
		if err := s.stopWhatStands(other); err != nil {
			return nil, fmt.Errorf("the other list: %w", err)
		}
	}
	s.originals = len(numbers)
	s.streams = s.originals
	if streams > 0 {
		s.streams = streams
	}
	return s, nil
}

// stopWhatStands stops the bytes and frames that are the same in another list.
func (s *zlmSources) stopWhatStands(body []byte) error {
	other, err := newZLMSources(body, nil, 0, s.now)
	if err != nil {
		return err
	}
	unread := map[int]bool{} // streams whose emulated viewer would see nothing
	for i := range s.rows {
		row := &s.rows[i]
		same := slices.IndexFunc(other.rows, func(r zlmRow) bool { return r.zlmName == row.zlmName })
		if same >= 0 && row.stop(&other.rows[same]) && row.schema == zlmViewed {
			unread[row.original] = true
		}
	}
	for i := range s.rows {
		if row := &s.rows[i]; unread[row.original] {
			row.stopReaders()
		}
	}
	return nil
}

// stop stops what is the same in another capture of the row, and reports whether its bytes are.
func (r *zlmRow) stop(other *zlmRow) (stands bool) {
	speed := -1
	for i := range min(len(r.slots), len(other.slots)) {
		slot := &r.slots[i]
		switch slot.name {
		case "bytesSpeed": // the members come sorted by name: totalBytes follows
			speed = i
		case "totalBytes", "duration", "frames", "key_frames":
			if slot.captured != other.slots[i].captured {
				continue
			}
			slot.gain = 0
			if slot.name == "totalBytes" && speed >= 0 {
				r.slots[speed].gain, stands = 0, true
			}
		}
	}
	return stands
}

// stopReaders keeps the captured numbers of readers.
func (r *zlmRow) stopReaders() {
	for i, slot := range r.slots {
		if slot.name == "readerCount" || slot.name == "totalReaderCount" {
			r.slots[i].value, r.slots[i].gain = zlmSlot.counted, 0
		}
	}
}

// zlmValues are the named values that are written anew, each with how it comes about.
var zlmValues = map[string]func(zlmSlot, zlmMoment) int64{
	"aliveSecond":      zlmSlot.counted,
	"bytesSpeed":       zlmSlot.wobbling,
	"createStamp":      zlmSlot.created,
	"duration":         zlmSlot.counted,
	"frames":           zlmSlot.counted,
	"key_frames":       zlmSlot.counted,
	"readerCount":      zlmSlot.read,
	"stream":           nil,
	"totalBytes":       zlmSlot.counted,
	"totalReaderCount": zlmSlot.read,
}

var zlmMember = regexp.MustCompile(`"(\w+)"\s*:\s*("[^"]*"|\d+)`)

// newZLMRow cuts a captured media source at the values that are written anew. The server sorts members by name, so what
// a value depends on comes before it: duration before frames, bytesSpeed before totalBytes.
func newZLMRow(captured []byte) (zlmRow, error) {
	var source struct {
		Schema, Vhost, App, Stream string
		AliveSecond                int64
		Tracks                     []struct{ Duration int64 }
	}
	if err := json.Unmarshal(captured, &source); err != nil {
		return zlmRow{}, err
	}
	row := zlmRow{zlmName: zlmName{source.Schema, source.Vhost, source.App, source.Stream}, captured: captured}
	// Where the publisher went silent the server fills in a mute audio track: the other one stands still.
	ended, goesOn := false, false
	for _, track := range source.Tracks {
		ended = ended || track.Duration < source.AliveSecond*1000/2
		goesOn = goesOn || track.Duration > source.AliveSecond*1000*3/4
	}
	stalled := ended && goesOn
	seen, from := map[string]int64{}, 0
	for _, at := range zlmMember.FindAllSubmatchIndex(captured, -1) {
		name := string(captured[at[2]:at[3]])
		value, known := zlmValues[name]
		if !known || name == "readerCount" && source.Schema != zlmViewed {
			continue
		}
		begin, end := at[4], at[5]
		if value == nil { // the captured name stays, its copies continue before the closing quote
			begin, end = at[5]-1, at[5]-1
		}
		slot := zlmSlot{name: name, before: captured[from:begin], value: value}
		slot.captured, _ = strconv.ParseInt(string(captured[begin:end]), 10, 64) // the pattern has digits only
		seen[name] = slot.captured
		slot.gain, slot.per = gain(name, seen, stalled)
		row.slots = append(row.slots, slot)
		from = end
	}
	row.end = captured[from:]
	return row, nil
}

// gain is how fast a value grows: by how much in how many milliseconds.
func gain(name string, seen map[string]int64, stalled bool) (by, ms int64) {
	switch {
	case name == "aliveSecond":
		return 1, 1000
	case name == "createStamp":
		return seen["aliveSecond"], 1
	case stalled:
		return 0, 1
	case name == "bytesSpeed", name == "totalBytes":
		return seen["bytesSpeed"], 1000
	case name == "duration":
		return 1, 1
	default: // frames of a track
		return seen[name], max(seen["duration"], 1)
	}
}

// counted grows steadily from the captured value.
func (s zlmSlot) counted(m zlmMoment) int64 {
	grown := m.elapsed * s.gain / s.per
	if m.restarted {
		return grown
	}
	return s.captured + grown
}

// wobbling is within 4 % of the captured rate, another one every second.
func (s zlmSlot) wobbling(m zlmMoment) int64 {
	percent := (int64(m.number)*7+m.elapsed/1000*5)%9 - 4
	return s.gain + s.gain*percent/100
}

// created is when the source was registered: its captured life before the start, or at the restart.
func (s zlmSlot) created(m zlmMoment) int64 {
	if m.restarted {
		return m.started.Unix()
	}
	return m.started.Unix() - s.gain
}

// zlmViewed is the schema of the viewer that every stream has every other minute.
const zlmViewed = "rtmp"

func (s zlmSlot) read(m zlmMoment) int64 {
	return s.captured + (int64(m.number)+m.elapsed/60_000)%2
}

// appendTo appends the row as stream m.number has it.
func (r *zlmRow) appendTo(body []byte, m zlmMoment) []byte {
	for _, slot := range r.slots {
		body = append(body, slot.before...)
		switch {
		case slot.value != nil:
			body = strconv.AppendInt(body, slot.value(slot, m), 10)
		case m.number != r.original:
			body = fmt.Appendf(body, "-%05d", m.number)
		}
	}
	return append(body, r.end...)
}

// restart forgets the past: from now on everything counts from 0.
func (s *zlmSources) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moves, s.restarted, s.started, s.rendered = true, true, s.now(), zlmRendering{}
}

// live tells whether answers differ from the captured ones.
func (s *zlmSources) live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moves
}

// list is the body of getMediaList.
func (s *zlmSources) list(filter zlmFilter) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last := s.rendered; last.body != nil && last.filter == filter && last.at.Equal(now) {
		return last.body
	}
	body := s.render(filter, now)
	s.rendered = zlmRendering{filter, now, body}
	return body
}

// render puts the list together in the captured order: schema by schema, in each all streams. The caller holds mu.
func (s *zlmSources) render(filter zlmFilter, now time.Time) []byte {
	body := make([]byte, 0, len(s.rendered.body)+len(s.rendered.body)/64)
	body = append(body, s.begin...)
	empty := true
	for _, group := range s.schemas() {
		for first := 0; first < s.streams; first += s.originals {
			for i := range group {
				row, number := &group[i], first+group[i].original
				if number >= s.streams || !s.matches(row, number, filter) {
					continue
				}
				if !empty {
					body = append(body, s.separator...)
				}
				empty = false
				body = s.appendRow(body, row, number, now)
			}
		}
	}
	if empty {
		return []byte("{\n\t\"code\" : 0\n}\n") // as captured in the idle scene: no list at all
	}
	return append(body, s.end...)
}

// appendRow appends a row of a stream, as it was captured or as it is now. The caller holds mu.
func (s *zlmSources) appendRow(body []byte, row *zlmRow, number int, now time.Time) []byte {
	if !s.moves {
		return append(body, row.captured...)
	}
	elapsed := max(now.Sub(s.started).Milliseconds(), 0)
	return row.appendTo(body, zlmMoment{number: number, started: s.started, elapsed: elapsed, restarted: s.restarted})
}

// schemas are the rows grouped by schema, as they were captured.
func (s *zlmSources) schemas() [][]zlmRow {
	var groups [][]zlmRow
	for from, i := 0, 1; i <= len(s.rows); i++ {
		if i == len(s.rows) || s.rows[i].schema != s.rows[from].schema {
			groups = append(groups, s.rows[from:i])
			from = i
		}
	}
	return groups
}

// matches tells whether the row of a stream passes the filter.
func (s *zlmSources) matches(row *zlmRow, number int, filter zlmFilter) bool {
	passes := func(wanted, value string) bool { return wanted == "" || wanted == value }
	if !passes(filter.schema, row.schema) || !passes(filter.vhost, row.vhost) || !passes(filter.app, row.app) {
		return false
	}
	if filter.stream == "" {
		return true
	}
	asked, ok := s.number(row, filter.stream)
	return ok && asked == number
}

// number is the number of the stream of this name among the copies of the row's stream.
func (s *zlmSources) number(row *zlmRow, name string) (int, bool) {
	suffix, ok := strings.CutPrefix(name, row.stream)
	if !ok {
		return 0, false
	}
	if suffix == "" {
		return row.original, row.original < s.streams
	}
	number, err := strconv.Atoi(strings.TrimPrefix(suffix, "-"))
	ok = err == nil && number >= s.originals && number < s.streams && number%s.originals == row.original &&
		suffix == fmt.Sprintf("-%05d", number)
	return number, ok
}

// find finds a stream by name: one of its captured rows, and its number.
func (s *zlmSources) find(filter zlmFilter) (zlmRow, int, bool) {
	for i := range s.rows {
		row := &s.rows[i]
		number, ok := s.number(row, filter.stream)
		if ok && s.matches(row, number, filter) {
			return *row, number, true
		}
	}
	return zlmRow{}, 0, false
}

// info is a captured getMediaInfo as one schema of a stream has it now.
func (s *zlmSources) info(captured []byte, schema string, number int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, err := newZLMRow(captured)
	if err != nil {
		return captured
	}
	row.original = number % s.originals
	body := s.appendRow(nil, &row, number, s.now())
	return bytes.Replace(body, []byte(`"schema" : "`+row.schema+`"`), []byte(`"schema" : "`+schema+`"`), 1)
}

// added is how many streams and media sources there are more than captured.
func (s *zlmSources) added() (streams, sources int) {
	for i := range s.rows {
		copies := (s.streams - s.rows[i].original + s.originals - 1) / s.originals
		sources += copies - 1
	}
	return s.streams - s.originals, sources
}

// addTo adds to a number that is a member of a JSON object.
func addTo(body []byte, member string, by int) []byte {
	at := regexp.MustCompile(`"` + member + `"\s*:\s*(\d+)`).FindSubmatchIndex(body)
	if by == 0 || at == nil {
		return body
	}
	value, _ := strconv.Atoi(string(body[at[2]:at[3]])) // the pattern has digits only
	return slices.Concat(body[:at[2]], strconv.AppendInt(nil, int64(value+by), 10), body[at[3]:])
}
