// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonic

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// serverClock holds the start time of a server and whether its values advance.
type serverClock struct {
	now  func() time.Time
	life emulator.Life

	mu        sync.Mutex
	moving    bool
	restarted bool
	started   time.Time
}

func (c *serverClock) begin(now func() time.Time, moving bool) {
	if now == nil {
		now = time.Now
	}
	c.now, c.moving, c.started = now, moving, now()
}

// restart sets all counters to 0.
func (c *serverClock) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moving, c.restarted, c.started = true, true, c.now()
}

// moment is the time and the stream for which a value is computed.
type moment struct {
	moving    bool  // if false, all values are as captured
	restarted bool  // counters started at 0
	begin     int64 // start of the server, in ms since 1970
	elapsed   int64 // ms since then
	life      emulator.Life
	streams   *rowList
	number    int   // of the stream
	original  int   // number of the captured stream of which it is a copy
	flowing   int64 // ms since begin during which it sent media
	frozen    bool  // it sends none
	silence   int64 // ms for which it has been frozen
}

// at returns the time since the start of the server.
func (m *moment) at() time.Duration { return time.Duration(m.elapsed) * time.Millisecond }

// viewers returns the number of emulated viewers of a running stream: without life, one every other minute.
func (m *moment) viewers() int64 {
	if m.life == 0 {
		return (int64(m.number) + m.elapsed/60_000) % 2
	}
	audience := emulator.Load{Item: m.number, PerMinute: float64(5 + m.life.Draw(m.number, 40)), Stay: 2 * time.Minute}
	return m.life.Present(audience, m.at(), m.restarted)
}

// moment returns the current moment.
func (c *serverClock) moment(streams *rowList) moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := moment{moving: c.moving, restarted: c.restarted, begin: c.started.UnixMilli(), streams: streams, life: c.life}
	m.elapsed = max(c.now().UnixMilli()-m.begin, 0)
	m.flowing = m.elapsed
	return m
}

// activity describes a stream or another object at the time of the capture. Its values grow accordingly.
type activity struct {
	capturedAt int64 // ms since 1970
	lifetime   int64 // ms
	in, out    int64 // bytes per second
	running    bool
}

// serverTime returns the time of the server in a response, in ms since 1970.
func serverTime(body []byte) int64 {
	var stats struct{ Now int64 }
	_ = json.Unmarshal(body, &stats) // without a time, the times in the response do not advance
	return stats.Now
}

// defaultLifetime is the lifetime of objects without one: the uptime of the captured servers in ms.
const defaultLifetime = 600_000_000

// newActivity reads the activity of a captured row.
func newActivity(row []byte, capturedAt int64) activity {
	var stream struct {
		Stats struct {
			Status          string
			Lifetime        float64
			Bitrate         float64
			OutBandwidth    float64 `json:"out_bandwidth"`    // kbit/s
			OutputBandwidth float64 `json:"output_bandwidth"` // bit/s
		}
	}
	_ = json.Unmarshal(row, &stream) // rows of other lists do not have these values
	s := stream.Stats
	a := activity{capturedAt: capturedAt, lifetime: int64(s.Lifetime), in: int64(s.Bitrate * 125), out: int64(s.OutBandwidth * 125)}
	a.running = s.Status == "running"
	if s.OutputBandwidth > 0 {
		a.out = int64(s.OutputBandwidth / 8)
	}
	return a
}

// template is a captured text, split at the values that are rewritten.
type template struct {
	slots []valueSlot
	end   []byte // the captured bytes after the last slot
}

// valueSlot is the place of a value that is rewritten.
type valueSlot struct {
	before   []byte                          // the captured bytes before it
	literal  []byte                          // the captured value
	number   int64                           // the integer part of the captured value
	value    func(*valueSlot, *moment) int64 // nil for the end of a name
	activity *activity
	gain     int64 // the value grows by gain ...
	per      int64 // ... every so many ms
}

// appendTo appends the text with the current values.
func (t *template) appendTo(body []byte, m *moment) []byte {
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

// appendSuffix appends the suffix of the name of a copy, such as -00005.
func (m *moment) appendSuffix(body []byte) []byte {
	if m.number == m.original {
		return body
	}
	body = append(body, '-')
	for digits := 10_000; m.number < digits; digits /= 10 {
		body = append(body, '0')
	}
	return strconv.AppendInt(body, int64(m.number), 10)
}

// appendTo appends the current value and keeps the captured fraction.
func (s *valueSlot) appendTo(body []byte, m *moment) []byte {
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

// rewrittenValues computes the values that are rewritten. The first pattern that matches a path such as
// streams.stats.bytes_in is used.
var rewrittenValues = []struct {
	path  *regexp.Regexp
	value func(*valueSlot, *moment) int64
}{
	{regexp.MustCompile(`^streams\.position$`), (*valueSlot).position},
	{regexp.MustCompile(`[._]last_dts_at$`), (*valueSlot).received},
	{regexp.MustCompile(`([._](now|updated_at|last_access_at)|dvr_info\.from)$`), (*valueSlot).current},
	{regexp.MustCompile(`[._](started_at|opened_at|connected_at|start_running_at|boot_time_seconds)$`), (*valueSlot).begun},
	{regexp.MustCompile(`\.lifetime$`), (*valueSlot).aged},
	{regexp.MustCompile(`\.last_dts$`), (*valueSlot).flowed},
	{regexp.MustCompile(`\.uptime$`), (*valueSlot).agedSeconds},
	{regexp.MustCompile(`^(config/stats\.total_streams|flussonic_streams)$`), (*valueSlot).present},
	{regexp.MustCompile(`^(config/stats\.|server_)online_streams$`), (*valueSlot).running},
	{regexp.MustCompile(`^config/stats\.total_clients$`), (*valueSlot).viewedTotal},
	{regexp.MustCompile(`[._](bitrate|(in|out)put_bitrate|(in|out)put_kbit|out(put)?_bandwidth)$`), (*valueSlot).wobbling},
	{regexp.MustCompile(`(stats\.|stream_)(online_clients|client_count)$`), (*valueSlot).viewed},
	{counterPath, (*valueSlot).counted},
}

// counterPath matches the paths of counters.
var counterPath = regexp.MustCompile(`^(` + strings.Join([]string{
	`streams\.stats\.(bytes_in|bytes_out|retry_count|playback_(bytes|duration|total_sessions)|(push|inputs)_(bytes|duration))`,
	`streams\.(stats\.(inputs?|push)|(inputs|pushes)\.stats)\.(bytes|bytes_dvr|frames|segments|retries|pusher_restarts|input_switches|` +
		`media_info_changes|num_sec_\w+|reorder_count|resync_count_\w+|resent_packets|errors\w*|pids\.(packets|errors_\w+))`,
	`streams\.stats\.play\.(play_(bytes|duration|total_sessions)(_by_proto\.\w+)?|authorizations_\w+|webrtc_\w+|play_\w+_(http|time)_\w+)`,
	`streams\.stats\.(transcoder\.(restarts|frames|tracks\.\w+_(added|removed))|dvr_write\.\w+|dvr_read_performance\.[\w.]+)`,
	`config/stats\.events\.\w+`, `dvrs\.(disks\.)?stats\.errors\.\w+`, `sessions\.bytes`, `vods/opened_files\.stats\.bytes_(in|out)`,
	`(flussonic_)?stream_(bytes_in|bytes_out|retry_count)`, `flussonic_net_(in|out)put_bytes`, `pusher_(bytes|retries)`,
}, "|") + `)$`)

// newValueSlot returns the slot of a value. ok is false if the value is not rewritten.
func newValueSlot(path string, literal []byte, of *activity) (slot valueSlot, ok bool) {
	whole, _, _ := bytes.Cut(literal, []byte("."))
	number, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil { // such as null
		return slot, false
	}
	for _, v := range rewrittenValues {
		if v.path.MatchString(path) {
			slot = valueSlot{literal: literal, number: number, value: v.value, activity: of}
			slot.gain, slot.per = of.gain(path, number)
			return slot, true
		}
	}
	return slot, false
}

// gain returns the growth of a counter: bytes grow at the captured rates, other counters at their average rate so far.
func (a *activity) gain(path string, captured int64) (by, ms int64) {
	switch {
	case a.in > 0 && (strings.HasSuffix(path, "bytes_in") || strings.HasSuffix(path, "stats.input.bytes")):
		return a.in, 1000
	case a.out > 0 && strings.HasSuffix(path, "bytes_out"):
		return a.out, 1000
	case a.lifetime > 0:
		return captured, a.lifetime
	}
	return captured, defaultLifetime
}

// position returns the position of a stream in the list.
func (s *valueSlot) position(m *moment) int64 {
	return s.number + int64(m.number-m.original)
}

// scaled converts ms to the unit of the captured time: times of at least 1e11 are in ms, others in seconds.
func (s *valueSlot) scaled(ms int64) int64 {
	if s.number < 1e11 {
		return (ms + 500) / 1000
	}
	return ms
}

// current returns a time that advances.
func (s *valueSlot) current(m *moment) int64 {
	if !m.moving {
		return s.number
	}
	return s.number + s.scaled(m.begin+m.elapsed-s.activity.capturedAt)
}

// begun returns the time when something began: as long before the start of the server as in the capture, or the time of the restart.
func (s *valueSlot) begun(m *moment) int64 {
	switch {
	case m.restarted:
		return s.scaled(m.begin)
	case m.moving:
		return s.number + s.scaled(m.begin-s.activity.capturedAt)
	}
	return s.number
}

// received returns the time of the last frame.
func (s *valueSlot) received(m *moment) int64 {
	if !m.moving {
		return s.number
	}
	return s.number + s.scaled(m.begin+m.elapsed-m.silence-s.activity.capturedAt)
}

// aged returns an age in ms.
func (s *valueSlot) aged(m *moment) int64 { return s.older(m, m.elapsed) }

// flowed returns the media time of the last frame in ms.
func (s *valueSlot) flowed(m *moment) int64 { return s.older(m, m.flowing) }

// agedSeconds returns an age in seconds.
func (s *valueSlot) agedSeconds(m *moment) int64 { return s.older(m, m.elapsed/1000) }

// older returns the captured value plus its growth.
func (s *valueSlot) older(m *moment, by int64) int64 {
	switch {
	case m.restarted:
		return by
	case m.moving:
		return s.number + by
	}
	return s.number
}

// counted returns a counter that grows steadily from the captured value while the stream sends media.
func (s *valueSlot) counted(m *moment) int64 {
	return s.older(m, s.gain/s.per*m.flowing+s.gain%s.per*m.flowing/s.per)
}

// wobbling returns a rate that changes every second, within 4 % of the captured one, or 0 for a frozen stream.
func (s *valueSlot) wobbling(m *moment) int64 {
	switch {
	case !m.moving:
		return s.number
	case m.frozen:
		return 0
	}
	percent := (int64(m.number)*7+m.elapsed/1000*5)%9 - 4
	return s.number + s.number/100*percent
}

// viewed returns a number of viewers: every running stream has emulated ones.
func (s *valueSlot) viewed(m *moment) int64 {
	if !m.moving || !s.activity.running {
		return s.number
	}
	return s.number + m.viewers()
}

// viewedTotal returns the number of viewers of all streams. Without life, it does not change.
func (s *valueSlot) viewedTotal(m *moment) int64 {
	total := s.number
	if m.streams == nil || m.life == 0 {
		return total
	}
	for number := range m.streams.total() {
		if of := m.streams.momentOf(number, *m); m.streams.isPresent(number, m) && m.streams.rows[of.original].activity.running {
			total += of.viewers()
		}
	}
	return total
}

// present returns the number of streams.
func (s *valueSlot) present(m *moment) int64 {
	if m.streams == nil || m.streams.scaledTo == 0 {
		return s.number
	}
	present, _ := m.streams.count(*m)
	return int64(present)
}

// running returns the number of running streams.
func (s *valueSlot) running(m *moment) int64 {
	if m.streams == nil || m.streams.scaledTo == 0 {
		return s.number
	}
	_, running := m.streams.count(*m)
	return int64(running)
}

// newJSONTemplate splits a JSON document at the values that are rewritten. Their paths begin with root.
func newJSONTemplate(root string, document []byte, of activity) template {
	var text template
	from := 0
	emulator.WalkJSON(document, root, false, func(path string, end int, value json.Token) {
		switch v := value.(type) {
		case string:
			if path == "streams.name" { // copies append a suffix to the name, before the closing quote
				text.slots = append(text.slots, valueSlot{before: document[from : end-1]})
				from = end - 1
			}
		case json.Number:
			begin := end - len(v)
			if slot, ok := newValueSlot(path, document[begin:end], &of); ok {
				slot.before = document[from:begin]
				text.slots = append(text.slots, slot)
				from = end
			}
		}
	})
	text.end = document[from:]
	return text
}
