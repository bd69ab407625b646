// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakit

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

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// sourceList is the list of media sources: as captured, or scaled and advancing in time. Streams are numbered from 0. The
// first ones are the captured streams under their own names, so that proxies and players still refer to existing streams.
// Their copies follow in turn under names such as cam1-00020.
type sourceList struct {
	begin, separator, end []byte // the captured bytes around the rows
	rows                  []sourceRow
	originals             int // captured streams
	streams               int
	life                  emulator.Life
	now                   func() time.Time

	mu        sync.Mutex
	moving    bool // scaled or restarted, so that values advance
	restarted bool
	started   time.Time
	rendered  rendering
}

// sourceRow is one captured media source.
type sourceRow struct {
	sourceName
	captured []byte
	original int // number of the captured stream
	slots    []valueSlot
	end      []byte // the captured bytes after the last slot
}

// sourceName identifies a media source.
type sourceName struct{ schema, vhost, app, stream string }

// sourceFilter selects media sources. Empty fields match everything.
type sourceFilter sourceName

// rendering is the last rendered list. It is reused until the clock advances.
type rendering struct {
	filter sourceFilter
	at     time.Time
	body   []byte
}

// valueSlot is the place of a value in a captured row that is rewritten.
type valueSlot struct {
	name     string
	before   []byte // the captured bytes before it
	captured int64
	value    func(valueSlot, moment) int64 // nil for the end of a stream's name
	gain     int64                         // the value grows by gain ...
	per      int64                         // ... every so many milliseconds
}

// moment is the time and the stream for which a value is computed.
type moment struct {
	number    int
	started   time.Time
	elapsed   int64 // ms since then
	flowing   int64 // ms since then during which the stream sent media
	frozen    bool  // it sends none
	restarted bool  // counters began at 0
	viewers   int64 // emulated viewers
}

// newSourceList splits a captured getMediaList. Values that are the same in other, another capture of the same server or nil, do not
// advance: those of on-demand schemas without readers.
func newSourceList(body, other []byte, streams int, now func() time.Time) (*sourceList, error) {
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	if streams < 0 || streams > 0 && len(list.Data) == 0 {
		return nil, fmt.Errorf("cannot scale %d media sources to %d streams", len(list.Data), streams)
	}
	s := &sourceList{now: now, started: now(), moving: streams > 0, separator: []byte(","), end: body}
	numbers := map[sourceName]int{}
	for i, captured := range list.Data {
		row, err := newSourceRow(captured)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		name := row.sourceName
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
		if err := s.stopIdle(other); err != nil {
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

// stopIdle stops the bytes and frames that are the same in another list.
func (s *sourceList) stopIdle(body []byte) error {
	other, err := newSourceList(body, nil, 0, s.now)
	if err != nil {
		return err
	}
	unread := map[int]bool{} // streams whose emulated viewer would receive nothing
	for i := range s.rows {
		row := &s.rows[i]
		same := slices.IndexFunc(other.rows, func(r sourceRow) bool { return r.sourceName == row.sourceName })
		if same >= 0 && row.stop(&other.rows[same]) && row.schema == viewedSchema {
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

// stop stops the values that are the same in another capture of the row, and reports whether its byte counter is.
func (r *sourceRow) stop(other *sourceRow) (idle bool) {
	speed := -1
	for i := range min(len(r.slots), len(other.slots)) {
		slot := &r.slots[i]
		switch slot.name {
		case "bytesSpeed": // members are sorted by name, so totalBytes follows
			speed = i
		case "totalBytes", "duration", "frames", "key_frames":
			if slot.captured != other.slots[i].captured {
				continue
			}
			slot.gain = 0
			if slot.name == "totalBytes" && speed >= 0 {
				r.slots[speed].gain, idle = 0, true
			}
		}
	}
	return idle
}

// stopReaders fixes the numbers of readers at the captured values.
func (r *sourceRow) stopReaders() {
	for i, slot := range r.slots {
		if slot.name == "readerCount" || slot.name == "totalReaderCount" {
			r.slots[i].value, r.slots[i].gain = valueSlot.counted, 0
		}
	}
}

// rewrittenValues computes the values that are rewritten, by name.
var rewrittenValues = map[string]func(valueSlot, moment) int64{
	"aliveSecond":      valueSlot.aged,
	"bytesSpeed":       valueSlot.wobbling,
	"createStamp":      valueSlot.created,
	"duration":         valueSlot.counted,
	"frames":           valueSlot.counted,
	"key_frames":       valueSlot.counted,
	"readerCount":      valueSlot.read,
	"stream":           nil,
	"totalBytes":       valueSlot.counted,
	"totalReaderCount": valueSlot.read,
}

var memberPattern = regexp.MustCompile(`"(\w+)"\s*:\s*("[^"]*"|\d+)`)

// newSourceRow splits a captured media source at the values that are rewritten. The server sorts members by name, so a value follows
// those it depends on: frames after duration, totalBytes after bytesSpeed.
func newSourceRow(captured []byte) (sourceRow, error) {
	var source struct {
		Schema, Vhost, App, Stream string
		AliveSecond                int64
		Tracks                     []struct{ Duration int64 }
	}
	if err := json.Unmarshal(captured, &source); err != nil {
		return sourceRow{}, err
	}
	row := sourceRow{sourceName: sourceName{source.Schema, source.Vhost, source.App, source.Stream}, captured: captured}
	// When a publisher goes silent, the server adds a mute audio track, and the other track stops advancing.
	ended, goesOn := false, false
	for _, track := range source.Tracks {
		ended = ended || track.Duration < source.AliveSecond*1000/2
		goesOn = goesOn || track.Duration > source.AliveSecond*1000*3/4
	}
	stalled := ended && goesOn
	seen, from := map[string]int64{}, 0
	for _, at := range memberPattern.FindAllSubmatchIndex(captured, -1) {
		name := string(captured[at[2]:at[3]])
		value, known := rewrittenValues[name]
		if !known || name == "readerCount" && source.Schema != viewedSchema {
			continue
		}
		begin, end := at[4], at[5]
		if value == nil { // copies append a suffix to the name, before the closing quote
			begin, end = at[5]-1, at[5]-1
		}
		slot := valueSlot{name: name, before: captured[from:begin], value: value}
		slot.captured, _ = strconv.ParseInt(string(captured[begin:end]), 10, 64) // the pattern matches only digits
		seen[name] = slot.captured
		slot.gain, slot.per = gain(name, seen, stalled)
		row.slots = append(row.slots, slot)
		from = end
	}
	row.end = captured[from:]
	return row, nil
}

// gain returns the growth of a value: its amount and the number of milliseconds it takes.
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

// counted returns a value that grows steadily from the captured one while the stream sends media.
func (s valueSlot) counted(m moment) int64 { return s.grown(m, m.flowing) }

// aged returns an age.
func (s valueSlot) aged(m moment) int64 { return s.grown(m, m.elapsed) }

func (s valueSlot) grown(m moment, ms int64) int64 {
	grown := ms * s.gain / s.per
	if m.restarted {
		return grown
	}
	return s.captured + grown
}

// wobbling returns a rate that changes every second, within 4 % of the captured one, or 0 for a frozen stream.
func (s valueSlot) wobbling(m moment) int64 {
	if m.frozen {
		return 0
	}
	percent := (int64(m.number)*7+m.elapsed/1000*5)%9 - 4
	return s.gain + s.gain*percent/100
}

// created returns the time of registration: the captured age before the start, or the restart.
func (s valueSlot) created(m moment) int64 {
	if m.restarted {
		return m.started.Unix()
	}
	return m.started.Unix() - s.gain
}

// viewedSchema is the schema that the emulated viewers of each stream read.
const viewedSchema = "rtmp"

// read returns a number of readers including the emulated viewers.
func (s valueSlot) read(m moment) int64 { return s.captured + m.viewers }

// appendTo appends the row of the stream m.number.
func (r *sourceRow) appendTo(body []byte, m moment) []byte {
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

// restart sets all counters to 0.
func (s *sourceList) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moving, s.restarted, s.started, s.rendered = true, true, s.now(), rendering{}
}

// isMoving reports whether the list differs from the captured one.
func (s *sourceList) isMoving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moving
}

// list returns the body of getMediaList.
func (s *sourceList) list(filter sourceFilter) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last := s.rendered; last.body != nil && last.filter == filter && last.at.Equal(now) {
		return last.body
	}
	body := s.render(filter, now)
	s.rendered = rendering{filter, now, body}
	return body
}

// render renders the list in the captured order: schema by schema, each with all streams. The caller holds mu.
func (s *sourceList) render(filter sourceFilter, now time.Time) []byte {
	body := make([]byte, 0, len(s.rendered.body)+len(s.rendered.body)/64)
	body = append(body, s.begin...)
	empty := true
	for _, group := range s.schemas() {
		for first := 0; first < s.streams; first += s.originals {
			for i := range group {
				row, number := &group[i], first+group[i].original
				if number >= s.streams || !s.matches(row, number, filter) || !s.stream(number, now).Present {
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
		return []byte("{\n\t\"code\" : 0\n}\n") // as captured in the idle scene: without a list
	}
	return append(body, s.end...)
}

// appendRow appends a row of a stream, as captured or at the time now. The caller holds mu.
func (s *sourceList) appendRow(body []byte, row *sourceRow, number int, now time.Time) []byte {
	if !s.moving {
		return append(body, row.captured...)
	}
	return row.appendTo(body, s.moment(number, now))
}

// moment returns the moment of a stream. Without life, each stream has a viewer every other minute. The caller holds mu.
func (s *sourceList) moment(number int, now time.Time) moment {
	elapsed := max(now.Sub(s.started), 0)
	stream := s.stream(number, now)
	m := moment{number: number, started: s.started.Add(stream.Began), restarted: s.restarted || stream.Began > 0, frozen: stream.Frozen}
	m.elapsed, m.flowing = (elapsed - stream.Began).Milliseconds(), stream.Flowing.Milliseconds()
	m.viewers = (int64(number) + m.elapsed/60_000) % 2
	if s.life != 0 {
		audience := emulator.Load{Item: number, PerMinute: float64(2 + s.life.Draw(number, 20)), Stay: 2 * time.Minute}
		m.viewers = s.life.Present(audience, elapsed-stream.Began, m.restarted)
	}
	return m
}

// stream returns the state of a stream. The captured ones always send media. The caller holds mu.
func (s *sourceList) stream(number int, now time.Time) emulator.Stream {
	elapsed := max(now.Sub(s.started), 0)
	if number < s.originals {
		return emulator.Life(0).Stream(number, elapsed)
	}
	return s.life.Stream(number, elapsed)
}

// schemas groups the captured rows by schema.
func (s *sourceList) schemas() [][]sourceRow {
	var groups [][]sourceRow
	for from, i := 0, 1; i <= len(s.rows); i++ {
		if i == len(s.rows) || s.rows[i].schema != s.rows[from].schema {
			groups = append(groups, s.rows[from:i])
			from = i
		}
	}
	return groups
}

// matches reports whether the row of a stream passes the filter.
func (s *sourceList) matches(row *sourceRow, number int, filter sourceFilter) bool {
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

// number returns the number of the named stream among the copies of the row's stream.
func (s *sourceList) number(row *sourceRow, name string) (int, bool) {
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

// find returns a captured row of a stream and the number of the stream.
func (s *sourceList) find(filter sourceFilter) (sourceRow, int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rows {
		row := &s.rows[i]
		number, ok := s.number(row, filter.stream)
		if ok && s.matches(row, number, filter) && s.stream(number, s.now()).Present {
			return *row, number, true
		}
	}
	return sourceRow{}, 0, false
}

// info returns a captured getMediaInfo for a schema of a stream at the current time.
func (s *sourceList) info(captured []byte, schema string, number int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, err := newSourceRow(captured)
	if err != nil {
		return captured
	}
	row.original = number % s.originals
	body := s.appendRow(nil, &row, number, s.now())
	return bytes.Replace(body, []byte(`"schema" : "`+row.schema+`"`), []byte(`"schema" : "`+schema+`"`), 1)
}

// added returns the numbers of streams and media sources in addition to the captured ones.
func (s *sourceList) added() (streams, sources int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	present := make([]int, s.originals) // streams by the captured one
	for number := range s.streams {
		if s.stream(number, now).Present {
			present[number%s.originals]++
			streams++
		}
	}
	for i := range s.rows {
		sources += present[s.rows[i].original] - 1
	}
	return streams - s.originals, sources
}

// addTo adds to a numeric member of a JSON object.
func addTo(body []byte, member string, by int) []byte {
	at := regexp.MustCompile(`"` + member + `"\s*:\s*(\d+)`).FindSubmatchIndex(body)
	if by == 0 || at == nil {
		return body
	}
	value, _ := strconv.Atoi(string(body[at[2]:at[3]])) // the pattern matches only digits
	return slices.Concat(body[:at[2]], strconv.AppendInt(nil, int64(value+by), 10), body[at[3]:])
}
