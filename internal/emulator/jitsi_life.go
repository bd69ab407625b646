// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The life of a Jitsi deployment repeats itself: once in a cycle a conference begins, an endpoint joins it every
// jitsiJoinEvery until jitsiGuests are there, and at jitsiEnd it ends. All of it is seconds.
const (
	jitsiCycle     = 120
	jitsiJoinEvery = 10
	jitsiGuests    = 6
	jitsiEnd       = 90
	jitsiMidway    = 30 // a bridge joins and a recording begins; both leave at jitsiEnd
	// jitsiLargest is the last size that distributions count by itself, and more.
	jitsiLargest = 21
	// jitsiStayed is how long the guests of one conference stay, added up.
	jitsiStayed = jitsiGuests*jitsiEnd - jitsiJoinEvery*jitsiGuests*(jitsiGuests+1)/2
)

// jitsiMoment is a point of the life: the cycles that are over, and the second of this one.
type jitsiMoment struct{ cycle, second int64 }

// joined are the guests that have come in this cycle, guests those who are there.
func (m jitsiMoment) joined() int64 { return min(m.second/jitsiJoinEvery, jitsiGuests) }

func (m jitsiMoment) guests() int64 {
	if m.second >= jitsiEnd {
		return 0
	}
	return m.joined()
}

// meets is 1 while the conference is there, began and ended are 1 once it has.
func (m jitsiMoment) meets() int64 { return min(m.guests(), 1) }
func (m jitsiMoment) began() int64 { return min(m.joined(), 1) }
func (m jitsiMoment) ended() int64 { return min(m.second/jitsiEnd, 1) }

// midway is 1 while what comes and goes within a conference is there.
func (m jitsiMoment) midway() int64 { return min(m.second/jitsiMidway, 1) - m.ended() }

// The ways in which values move. A total of what an endpoint carries moves only when the endpoint leaves.
func jitsiPerGuest(each float64) jitsiMoves {
	return func(m jitsiMoment) float64 { return each * float64(m.guests()) }
}

func jitsiPerJoin(m jitsiMoment) float64 { return float64(m.cycle*jitsiGuests + m.joined()) }

func jitsiOnEnd(each float64) jitsiMoves {
	return func(m jitsiMoment) float64 { return each * float64(m.cycle+m.ended()) }
}

func jitsiPerMeeting(m jitsiMoment) float64 { return float64(m.meets()) }
func jitsiBegun(m jitsiMoment) float64      { return float64(m.cycle + m.began()) }

func jitsiMidwayBegun(m jitsiMoment) float64 {
	return float64(m.cycle + min(m.second/jitsiMidway, 1))
}

// jitsiMoves is by how much a value differs from the captured one.
type jitsiMoves func(jitsiMoment) float64

// jitsiValue is a value that moves: its path in the statistics and its name on the page, each empty where there is none.
type jitsiValue struct {
	stats, page string
	moves       jitsiMoves
}

// jitsiLife is the part that time plays in an emulated Jitsi server.
type jitsiLife struct {
	prefix string // of the names on the page
	values map[string]jitsiMoves
	resets *regexp.Regexp // what begins at 0, be it on the page or in the statistics

	now func() time.Time

	mu        sync.Mutex
	moving    bool
	restarted bool
	since     time.Time
}

func newJitsiLife(prefix string, values []jitsiValue, resets *regexp.Regexp, now func() time.Time, moving bool) *jitsiLife {
	if now == nil {
		now = time.Now
	}
	l := &jitsiLife{prefix: prefix, values: map[string]jitsiMoves{}, resets: resets, now: now, moving: moving, since: now()}
	for _, v := range values {
		for _, name := range []string{v.stats, v.page} {
			if name != "" {
				l.values[name] = v.moves
			}
		}
	}
	return l
}

// restart forgets the past: nobody is there, and everything counts from 0.
func (l *jitsiLife) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moving, l.restarted, l.since = true, true, l.now()
}

// state is the moment, whether there was a restart, and since when the server or the life runs.
func (l *jitsiLife) state() (at jitsiMoment, restarted bool, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moving {
		seconds := max(int64(l.now().Sub(l.since)/time.Second), 0)
		at = jitsiMoment{seconds / jitsiCycle, seconds % jitsiCycle}
	}
	return at, l.restarted, l.since
}

// jitsiEdit is what has become of a captured value at this moment.
type jitsiEdit func(name string, captured float64) float64

// edit returns what has become of captured values at this moment; every answer is edited at one moment.
func (l *jitsiLife) edit() jitsiEdit {
	at, restarted, since := l.state()
	return func(name string, captured float64) float64 {
		if restarted && name == "startup_time" {
			return float64(since.UnixMilli())
		}
		if restarted && strings.HasSuffix(name, ".created") {
			return float64(since.UnixMilli()) / 1000
		}
		moves, known := l.values[name]
		if restarted && captured > 0 && l.resets.MatchString(name) { // -1 stands for what is not known yet
			captured = 0
		}
		if known {
			captured += moves(at)
		}
		if name == "largest_conference" || name == "conference_sizes.max" {
			captured = max(captured, float64(at.guests()))
		}
		return captured
	}
}

// jitsiNumber writes a number in the form of the captured one: whole, or as Java prints a double.
func jitsiNumber(captured string, edit jitsiEdit, name string) string {
	before, err := strconv.ParseFloat(captured, 64)
	if err != nil {
		return captured
	}
	after := edit(name, before)
	switch {
	case after == before: // stays byte for byte
		return captured
	case strings.ContainsAny(captured, ".E"):
		return javaDouble(after)
	}
	return strconv.FormatInt(int64(after), 10)
}

// javaDouble is Double.toString of Java for what occurs here: no sign, no NaN.
func javaDouble(v float64) string {
	if v == 0 || v >= 1e-3 && v < 1e7 {
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	power, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(power)
}

// jitsiLine is a sample on a page: prefix and name, labels, value.
var jitsiLine = regexp.MustCompile(`(?m)^(\w+)(?:\{(?:le="([^"]*)")?[^}\n]*\})? (\S+)$`)

// editPage edits the values of a page. Buckets and times of creation have the names that they have in JSON.
func (l *jitsiLife) editPage(page []byte) []byte {
	edit := l.edit()
	var edited []byte
	from := 0
	for _, at := range jitsiLine.FindAllSubmatchIndex(page, -1) {
		name := strings.TrimPrefix(string(page[at[2]:at[3]]), l.prefix)
		if family, isBucket := strings.CutSuffix(name, "_bucket"); isBucket && at[4] >= 0 {
			name = family + ".bucket_le_" + string(page[at[4]:at[5]])
		} else if family, isCreated := strings.CutSuffix(name, "_created"); isCreated {
			name = family + ".created"
		}
		edited = append(append(edited, page[from:at[6]]...), jitsiNumber(string(page[at[6]:at[7]]), edit, name)...)
		from = at[7]
	}
	return append(edited, page[from:]...)
}

// editJSON edits the numbers of a JSON document by path, such as bridge_selector.bridge_count or conference_sizes.2.
func (l *jitsiLife) editJSON(document []byte) []byte {
	edit := l.edit()
	var edited []byte
	from := 0
	walkJSON(document, "", true, func(path string, end int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber {
			edited = append(append(edited, document[from:end-len(n)]...), jitsiNumber(n.String(), edit, path)...)
			from = end
		}
	})
	return append(edited, document[from:]...)
}

// jitsiSizes are the elements of a list in the statistics, the last of which counts 21 and more. The conference of the
// life adds one to that of its size.
func jitsiSizes(stats string, size func(jitsiMoment) int64) []jitsiValue {
	values := make([]jitsiValue, 0, jitsiLargest+1)
	for i := range int64(jitsiLargest + 1) {
		values = append(values, jitsiValue{stats: fmt.Sprintf("%s.%d", stats, i), moves: jitsiMeetingOf(size, i, i)})
	}
	return values
}

// jitsiHistogram are the values of a histogram on the page, in text and in JSON, to which that conference adds one.
func jitsiHistogram(page string, size func(jitsiMoment) int64) []jitsiValue {
	sum := func(m jitsiMoment) float64 { return float64(size(m) * m.meets()) }
	values := []jitsiValue{
		{page: page + "_count", moves: jitsiPerMeeting},
		{page: page + ".count", moves: jitsiPerMeeting},
		{page: page + "_sum", moves: sum},
		{page: page + ".sum", moves: sum},
		{page: page + ".bucket_le_+Inf", moves: jitsiPerMeeting},
	}
	for i := range int64(jitsiLargest) {
		values = append(values, jitsiValue{page: fmt.Sprintf("%s.bucket_le_%d.0", page, i), moves: jitsiMeetingOf(size, 0, i)})
	}
	return values
}

// jitsiMeetingOf is 1 while the conference is there and its size is within these bounds, which belong to it.
func jitsiMeetingOf(size func(jitsiMoment) int64, from, to int64) jitsiMoves {
	return func(m jitsiMoment) float64 {
		if size(m) < from || size(m) > to {
			return 0
		}
		return jitsiPerMeeting(m)
	}
}
