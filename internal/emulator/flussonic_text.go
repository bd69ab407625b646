// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// flussonicClock knows since when a server runs, and whether its values advance.
type flussonicClock struct {
	now func() time.Time

	mu        sync.Mutex
	moving    bool
	restarted bool
	started   time.Time
}

func (c *flussonicClock) begin(now func() time.Time, moving bool) {
	if now == nil {
		now = time.Now
	}
	c.now, c.moving, c.started = now, moving, now()
}

// restart forgets the past: everything counts from 0.
func (c *flussonicClock) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moving, c.restarted, c.started = true, true, c.now()
}

// flussonicMoment is when, and of which stream, a value is asked for.
type flussonicMoment struct {
	moving    bool  // else everything is as it was captured
	restarted bool  // what was captured is forgotten
	begin     int64 // since when values advance, in ms since 1970
	elapsed   int64 // ms since then
	streams   *flussonicList
	number    int // of the stream
	original  int // number of the captured stream that it is a copy of
}

func (c *flussonicClock) moment(streams *flussonicList) flussonicMoment {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := flussonicMoment{moving: c.moving, restarted: c.restarted, begin: c.started.UnixMilli(), streams: streams}
	m.elapsed = max(c.now().UnixMilli()-m.begin, 0)
	return m
}

// flussonicPace is how a captured thing was doing, so that it goes on like that.
type flussonicPace struct {
	made    int64 // when it was captured, in ms since 1970
	life    int64 // how long it had lived, in ms
	in, out int64 // bytes per second
	running bool
}

// flussonicNow is the server's own time when an answer was made, in ms since 1970.
func flussonicNow(body []byte) int64 {
	var stats struct{ Now int64 }
	_ = json.Unmarshal(body, &stats) // an answer without it does not move
	return stats.Now
}

// flussonicLife is the age of what does not tell it: that of the captured servers.
const flussonicLife = 600_000_000

// newFlussonicPace reads how a captured stream was doing.
func newFlussonicPace(row []byte, made int64) flussonicPace {
	var stream struct {
		Stats struct {
			Status          string
			Lifetime        float64
			Bitrate         float64
			OutBandwidth    float64 `json:"out_bandwidth"`    // kbit/s
			OutputBandwidth float64 `json:"output_bandwidth"` // bit/s
		}
	}
	_ = json.Unmarshal(row, &stream) // rows of other lists have no such values
	s := stream.Stats
	pace := flussonicPace{made: made, life: int64(s.Lifetime), in: int64(s.Bitrate * 125), out: int64(s.OutBandwidth * 125)}
	pace.running = s.Status == "running"
	if s.OutputBandwidth > 0 {
		pace.out = int64(s.OutputBandwidth / 8)
	}
	return pace
}

// flussonicText is a captured text that is cut at the values that are written anew.
type flussonicText struct {
	slots []flussonicSlot
	end   []byte // the captured bytes after the last slot
}

// flussonicSlot is a value of a text that is written anew.
type flussonicSlot struct {
	before  []byte // the captured bytes up to it
	literal []byte // the captured value
	number  int64  // the whole part of it
	value   func(*flussonicSlot, *flussonicMoment) int64
	pace    *flussonicPace
	gain    int64 // how much is added ...
	per     int64 // ... in so many ms
}

// appendTo appends the text as it is now.
func (t *flussonicText) appendTo(body []byte, m *flussonicMoment) []byte {
	for i := range t.slots {
		s := &t.slots[i]
		body = append(body, s.before...)
		if s.value == nil {
			body = m.appendSuffix(body)
			continue
		}
		body = s.appendTo(body, m)
	}
	return append(body, t.end...)
}

// appendSuffix appends what tells the name of a copy from that of its original, such as -00005.
func (m *flussonicMoment) appendSuffix(body []byte) []byte {
	if m.number == m.original {
		return body
	}
	body = append(body, '-')
	for digits := 10_000; m.number < digits; digits /= 10 {
		body = append(body, '0')
	}
	return strconv.AppendInt(body, int64(m.number), 10)
}

// appendTo appends the value; a captured fraction stays.
func (s *flussonicSlot) appendTo(body []byte, m *flussonicMoment) []byte {
	value := s.value(s, m)
	if value == s.number {
		return append(body, s.literal...)
	}
	body = strconv.AppendInt(body, value, 10)
	if at := bytes.IndexByte(s.literal, '.'); at >= 0 {
		body = append(body, s.literal[at:]...)
	}
	return body
}

// flussonicValues are the named values that are written anew, each with how it comes about. The first whose pattern
// matches the end of a path, such as streams.stats.bytes_in, counts.
var flussonicValues = []struct {
	path  *regexp.Regexp
	value func(*flussonicSlot, *flussonicMoment) int64
}{
	{regexp.MustCompile(`^streams\.position$`), (*flussonicSlot).position},
	{regexp.MustCompile(`([._](now|updated_at|last_access_at|last_dts_at)|dvr_info\.from)$`), (*flussonicSlot).current},
	{regexp.MustCompile(`[._](started_at|opened_at|connected_at|start_running_at|boot_time_seconds)$`), (*flussonicSlot).begun},
	{regexp.MustCompile(`\.(lifetime|last_dts)$`), (*flussonicSlot).aged},
	{regexp.MustCompile(`\.uptime$`), (*flussonicSlot).agedSeconds},
	{regexp.MustCompile(`^(config/stats\.total_streams|flussonic_streams)$`), (*flussonicSlot).present},
	{regexp.MustCompile(`^(config/stats\.|server_)online_streams$`), (*flussonicSlot).running},
	{regexp.MustCompile(`[._](bitrate|(in|out)put_bitrate|(in|out)put_kbit|out(put)?_bandwidth)$`), (*flussonicSlot).wobbling},
	{regexp.MustCompile(`(stats\.|stream_)(online_clients|client_count)$`), (*flussonicSlot).viewed},
	{flussonicCounter, (*flussonicSlot).counted},
}

// flussonicCounter matches what only grows.
var flussonicCounter = regexp.MustCompile(`^(` + strings.Join([]string{
	`streams\.stats\.(bytes_in|bytes_out|retry_count|playback_(bytes|duration|total_sessions)|(push|inputs)_(bytes|duration))`,
	`streams\.(stats\.(inputs?|push)|(inputs|pushes)\.stats)\.(bytes|bytes_dvr|frames|segments|retries|pusher_restarts|input_switches|` +
		`media_info_changes|num_sec_\w+|reorder_count|resync_count_\w+|resent_packets|errors\w*|pids\.(packets|errors_\w+))`,
	`streams\.stats\.play\.(play_(bytes|duration|total_sessions)(_by_proto\.\w+)?|authorizations_\w+|webrtc_\w+|play_\w+_(http|time)_\w+)`,
	`streams\.stats\.(transcoder\.(restarts|frames|tracks\.\w+_(added|removed))|dvr_write\.\w+|dvr_read_performance\.[\w.]+)`,
	`config/stats\.events\.\w+`, `dvrs\.(disks\.)?stats\.errors\.\w+`, `sessions\.bytes`, `vods/opened_files\.stats\.bytes_(in|out)`,
	`(flussonic_)?stream_(bytes_in|bytes_out|retry_count)`, `flussonic_net_(in|out)put_bytes`, `pusher_(bytes|retries)`,
}, "|") + `)$`)

// newFlussonicSlot finds out how a value comes about; ok is false when it stays as it is.
func newFlussonicSlot(path string, literal []byte, pace *flussonicPace) (slot flussonicSlot, ok bool) {
	whole, _, _ := bytes.Cut(literal, []byte("."))
	number, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil { // null and the like
		return slot, false
	}
	for _, v := range flussonicValues {
		if v.path.MatchString(path) {
			slot = flussonicSlot{literal: literal, number: number, value: v.value, pace: pace}
			slot.gain, slot.per = pace.gain(path, number)
			return slot, true
		}
	}
	return slot, false
}

// gain is how fast a counter grows: bytes as the rates say, other things as they did so far.
func (p *flussonicPace) gain(path string, captured int64) (by, ms int64) {
	switch {
	case p.in > 0 && (strings.HasSuffix(path, "bytes_in") || strings.HasSuffix(path, "stats.input.bytes")):
		return p.in, 1000
	case p.out > 0 && strings.HasSuffix(path, "bytes_out"):
		return p.out, 1000
	case p.life > 0:
		return captured, p.life
	}
	return captured, flussonicLife
}

// position is the place of a stream in the list.
func (s *flussonicSlot) position(m *flussonicMoment) int64 {
	return s.number + int64(m.number-m.original)
}

// scaled is a time in the unit of the captured one: times of 1e11 and more are in ms, others in seconds.
func (s *flussonicSlot) scaled(ms int64) int64 {
	if s.number < 1e11 {
		return (ms + 500) / 1000
	}
	return ms
}

// current is a time that goes on.
func (s *flussonicSlot) current(m *flussonicMoment) int64 {
	if !m.moving {
		return s.number
	}
	return s.number + s.scaled(m.begin+m.elapsed-s.pace.made)
}

// begun is a time at which something began: as long before the start as captured, or at the restart.
func (s *flussonicSlot) begun(m *flussonicMoment) int64 {
	switch {
	case m.restarted:
		return s.scaled(m.begin)
	case m.moving:
		return s.number + s.scaled(m.begin-s.pace.made)
	}
	return s.number
}

// aged is an age in ms.
func (s *flussonicSlot) aged(m *flussonicMoment) int64 { return s.older(m, m.elapsed) }

// agedSeconds is an age in seconds.
func (s *flussonicSlot) agedSeconds(m *flussonicMoment) int64 { return s.older(m, m.elapsed/1000) }

// older is what a captured value has become that has grown by so much.
func (s *flussonicSlot) older(m *flussonicMoment, by int64) int64 {
	switch {
	case m.restarted:
		return by
	case m.moving:
		return s.number + by
	}
	return s.number
}

// counted grows steadily from the captured value.
func (s *flussonicSlot) counted(m *flussonicMoment) int64 {
	return s.older(m, s.gain/s.per*m.elapsed+s.gain%s.per*m.elapsed/s.per)
}

// wobbling is within 4 % of the captured rate, another one every second.
func (s *flussonicSlot) wobbling(m *flussonicMoment) int64 {
	if !m.moving {
		return s.number
	}
	percent := (int64(m.number)*7+m.elapsed/1000*5)%9 - 4
	return s.number + s.number/100*percent
}

// viewed is a number of viewers: every stream that runs has one more every other minute.
func (s *flussonicSlot) viewed(m *flussonicMoment) int64 {
	if !m.moving || !s.pace.running {
		return s.number
	}
	return s.number + (int64(m.number)+m.elapsed/60_000)%2
}

// present is how many streams there are.
func (s *flussonicSlot) present(m *flussonicMoment) int64 {
	if m.streams == nil || m.streams.scaledTo == 0 {
		return s.number
	}
	present, _ := m.streams.count(*m)
	return int64(present)
}

// running is how many streams run.
func (s *flussonicSlot) running(m *flussonicMoment) int64 {
	if m.streams == nil || m.streams.scaledTo == 0 {
		return s.number
	}
	_, running := m.streams.count(*m)
	return int64(running)
}

// newFlussonicJSON cuts a JSON document at the values that are written anew; root is the first name of their paths.
func newFlussonicJSON(root string, document []byte, pace flussonicPace) flussonicText {
	var text flussonicText
	from := 0
	walkJSON(document, root, false, func(path string, end int, value json.Token) {
		switch v := value.(type) {
		case string:
			if path == "streams.name" { // the captured name stays, its copies continue before the closing quote
				text.slots = append(text.slots, flussonicSlot{before: document[from : end-1]})
				from = end - 1
			}
		case json.Number:
			begin := end - len(v)
			if slot, ok := newFlussonicSlot(path, document[begin:end], &pace); ok {
				slot.before = document[from:begin]
				text.slots = append(text.slots, slot)
				from = end
			}
		}
	})
	text.end = document[from:]
	return text
}
