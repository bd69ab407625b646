// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
)

// The events in an emulated deployment repeat every cycleLength: a conference begins, an endpoint (a guest) joins it every
// joinInterval up to guestLimit, and the conference ends at conferenceEnd. All times are in seconds.
const (
	cycleLength   = 120
	joinInterval  = 10
	guestLimit    = 6
	conferenceEnd = 90
	midwayStart   = 30 // a bridge joins and a recording begins; both end at conferenceEnd
	// largestSize is the last size in distributions. It also counts all larger ones.
	largestSize = 21
	// guestSeconds is the total time that the guests of a conference stay.
	guestSeconds = guestLimit*conferenceEnd - joinInterval*guestLimit*(guestLimit+1)/2
)

// moment is a point in time of a conference that recurs: the number of complete cycles, and the second of the current one.
type moment struct {
	cycle, second int64
	extra         bool // of a conference that life adds
}

// joined returns the number of guests that have joined in this cycle.
func (m moment) joined() int64 { return min(m.second/joinInterval, guestLimit) }

// guests returns the number of guests in the conference.
func (m moment) guests() int64 {
	if m.second >= conferenceEnd {
		return 0
	}
	return m.joined()
}

// active is 1 during the conference. began and ended are 1 after it has begun or ended in this cycle.
func (m moment) active() int64 { return min(m.guests(), 1) }
func (m moment) began() int64  { return min(m.joined(), 1) }
func (m moment) ended() int64  { return min(m.second/conferenceEnd, 1) }

// midway is 1 from midwayStart to the end of the conference.
func (m moment) midway() int64 { return min(m.second/midwayStart, 1) - m.ended() }

// perGuest returns a value that grows with the number of guests.
func perGuest(each float64) delta {
	return func(m moment) float64 { return each * float64(m.guests()) }
}

// perJoin counts the guests that have joined.
func perJoin(m moment) float64 { return float64(m.cycle*guestLimit + m.joined()) }

// perEnded returns a total that grows when a conference ends, as totals of endpoints do when they leave.
func perEnded(each float64) delta {
	return func(m moment) float64 { return each * float64(m.cycle+m.ended()) }
}

// notExtra returns a value that conferences that life adds do not change.
func notExtra(of delta) delta {
	return func(m moment) float64 {
		if m.extra {
			return 0
		}
		return of(m)
	}
}

// perConference returns the number of current conferences.
func perConference(m moment) float64 { return float64(m.active()) }

// perBegun returns the number of conferences that have begun.
func perBegun(m moment) float64 { return float64(m.cycle + m.began()) }

// perMidwayBegun returns the number of recordings that have begun.
func perMidwayBegun(m moment) float64 {
	return float64(m.cycle + min(m.second/midwayStart, 1))
}

// delta returns the difference between the current value and the captured one.
type delta func(moment) float64

// movingValue is a value that changes, with its path in the statistics and its name on the page. Either is empty if it is not there.
type movingValue struct {
	stats, page string
	delta       delta
}

// scenario changes the captured values of a server as time advances.
type scenario struct {
	prefix string // of the names on the page
	values map[string]delta
	resets *regexp.Regexp // names of the values that are 0 after a restart, on the page and in the statistics

	now     func() time.Time
	delays  []int64       // in seconds, of the first cycles of conferences
	outages emulator.Life // makes the server restart after outages

	mu        sync.Mutex
	moving    bool
	restarted bool
	since     time.Time
}

func newScenario(prefix string, values []movingValue, resets *regexp.Regexp, now func() time.Time, moving bool, life emulator.Life) *scenario {
	if now == nil {
		now = time.Now
	}
	s := &scenario{prefix: prefix, values: map[string]delta{}, resets: resets, now: now, moving: moving, since: now(), delays: delays(life)}
	for _, v := range values {
		for _, name := range []string{v.stats, v.page} {
			if name != "" {
				s.values[name] = v.delta
			}
		}
	}
	return s
}

// delays returns when conferences begin for the first time: one at once and, with life, others within the first minute.
func delays(life emulator.Life) []int64 {
	const others, within = 7, 60
	delays := []int64{0}
	if life != 0 {
		for i := range others {
			delays = append(delays, int64(life.Draw(i, within)))
		}
	}
	return delays
}

// restart ends all conferences and sets the counters to 0.
func (s *scenario) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moving, s.restarted, s.since = true, true, s.now()
}

// state returns the current moment of the first conference, and whether there was a restart.
func (s *scenario) state() (at moment, restarted bool) {
	elapsed, restarted, _ := s.uptime()
	return momentAt(int64(elapsed / time.Second)), restarted
}

// uptime returns the time since the start, 0 if the scenario is not moving, whether it was a restart, and when it was.
func (s *scenario) uptime() (elapsed time.Duration, restarted bool, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moving {
		elapsed = max(s.now().Sub(s.since), 0)
	}
	started, _ := s.outages.Outage(elapsed)
	return elapsed - started, s.restarted || started > 0, s.since.Add(started)
}

// outage returns how long the current outage lasts.
func (s *scenario) outage() time.Duration {
	elapsed, _, _ := s.uptime()
	_, remaining := s.outages.Outage(elapsed)
	return remaining
}

// momentAt returns the moment some seconds after the start. Before the start, nothing has happened.
func momentAt(seconds int64) moment {
	seconds = max(seconds, 0)
	return moment{cycle: seconds / cycleLength, second: seconds % cycleLength}
}

// editFunc returns the current value for a captured one.
type editFunc func(name string, captured float64) float64

// edit returns the editFunc of the current moment, for a whole response.
func (s *scenario) edit() editFunc {
	elapsed, restarted, since := s.uptime()
	moments := make([]moment, len(s.delays))
	largest := int64(0)
	for i, delay := range s.delays {
		moments[i] = momentAt(int64(elapsed/time.Second) - delay)
		moments[i].extra = i > 0
		largest = max(largest, moments[i].guests())
	}
	return func(name string, captured float64) float64 {
		if restarted && name == "startup_time" {
			return float64(since.UnixMilli())
		}
		if restarted && strings.HasSuffix(name, ".created") {
			return float64(since.UnixMilli()) / 1000
		}
		delta, known := s.values[name]
		if restarted && captured > 0 && s.resets.MatchString(name) { // -1 means unknown
			captured = 0
		}
		if known {
			for _, at := range moments {
				captured += delta(at)
			}
		}
		if name == "largest_conference" || name == "conference_sizes.max" {
			captured = max(captured, float64(largest))
		}
		return captured
	}
}

// editNumber formats the current value like the captured one: as an integer, or as Java prints a double.
func editNumber(captured string, edit editFunc, name string) string {
	before, err := strconv.ParseFloat(captured, 64)
	if err != nil {
		return captured
	}
	after := edit(name, before)
	switch {
	case after == before: // keep it unchanged
		return captured
	case strings.ContainsAny(captured, ".E"):
		return javaDouble(after)
	}
	return strconv.FormatInt(int64(after), 10)
}

// javaDouble formats a positive finite number or 0 like Java's Double.toString.
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

// sampleLine matches a sample on a page: name with prefix, label le, value.
var sampleLine = regexp.MustCompile(`(?m)^(\w+)(?:\{(?:le="([^"]*)")?[^}\n]*\})? (\S+)$`)

// editPage edits the values of a page. It looks up buckets and creation times by their names in JSON.
func (s *scenario) editPage(page []byte) []byte {
	edit := s.edit()
	var edited []byte
	from := 0
	for _, at := range sampleLine.FindAllSubmatchIndex(page, -1) {
		name := strings.TrimPrefix(string(page[at[2]:at[3]]), s.prefix)
		if family, isBucket := strings.CutSuffix(name, "_bucket"); isBucket && at[4] >= 0 {
			name = family + ".bucket_le_" + string(page[at[4]:at[5]])
		} else if family, isCreated := strings.CutSuffix(name, "_created"); isCreated {
			name = family + ".created"
		}
		edited = append(append(edited, page[from:at[6]]...), editNumber(string(page[at[6]:at[7]]), edit, name)...)
		from = at[7]
	}
	return append(edited, page[from:]...)
}

// editJSON edits the numbers of a JSON document by path, such as bridge_selector.bridge_count or conference_sizes.2.
func (s *scenario) editJSON(document []byte) []byte {
	edit := s.edit()
	var edited []byte
	from := 0
	emulator.WalkJSON(document, "", true, func(path string, end int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber {
			edited = append(append(edited, document[from:end-len(n)]...), editNumber(n.String(), edit, path)...)
			from = end
		}
	})
	return append(edited, document[from:]...)
}

// sizeList returns the elements of a distribution that is an array in the statistics. The conference adds 1 to the element of its
// size.
func sizeList(stats string, size func(moment) int64) []movingValue {
	values := make([]movingValue, 0, largestSize+1)
	for i := range int64(largestSize + 1) {
		values = append(values, movingValue{stats: fmt.Sprintf("%s.%d", stats, i), delta: conferenceOfSize(size, i, i)})
	}
	return values
}

// sizeHistogram returns the values of a histogram on the page, in text and in JSON. The conference adds 1 to it.
func sizeHistogram(page string, size func(moment) int64) []movingValue {
	sum := func(m moment) float64 { return float64(size(m) * m.active()) }
	values := []movingValue{
		{page: page + "_count", delta: perConference},
		{page: page + ".count", delta: perConference},
		{page: page + "_sum", delta: sum},
		{page: page + ".sum", delta: sum},
		{page: page + ".bucket_le_+Inf", delta: perConference},
	}
	for i := range int64(largestSize) {
		values = append(values, movingValue{page: fmt.Sprintf("%s.bucket_le_%d.0", page, i), delta: conferenceOfSize(size, 0, i)})
	}
	return values
}

// conferenceOfSize returns 1 during the conference if its size is between from and to, inclusive.
func conferenceOfSize(size func(moment) int64, from, to int64) delta {
	return func(m moment) float64 {
		if size(m) < from || size(m) > to {
			return 0
		}
		return perConference(m)
	}
}
