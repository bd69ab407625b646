// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// Jicofo are the options of an emulated Jicofo.
type Jicofo struct {
	// Addr is where to listen; a free loopback port when empty.
	Addr string
	// Version is the release to play: 2026-08 (when empty), 2022-07 or 2021-04. Only 2026-08 has the page /metrics.
	Version string
	// Bridges is the number of bridges it knows; 0: those that were captured.
	Bridges int
	// Unhealthy makes the health check fail.
	Unhealthy bool
	// Moving makes conferences and a bridge come and go with Now. They do so in any case once there was a restart.
	Moving bool
	// Now is time.Now when nil.
	Now func() time.Time
}

const (
	jicofoStatsPath = "/stats"
	jicofoBridges   = 3 // on the captured page; the third one shuts down
)

// jicofoSample is what was captured of a release: files.
type jicofoSample struct{ stats, page string }

var jicofoSamples = map[string]jicofoSample{
	"2026-08": {stats: "constructed-master-2026-08-19", page: "jicofo/metrics.constructed-master-2026-08-19"},
	"2022-07": {stats: "like-real-2022-07-idle"},
	"2021-04": {stats: "like-real-2021-04-two-participants"},
}

// jicofoChanging are the beginnings of paths that change conferences, be it with GET.
var jicofoChanging = []string{"/debug", "/move-endpoints", "/conference-request", "/pin"}

// jicofoResets are the values that are 0 after a restart. The bridges are still there.
var jicofoResets = regexp.MustCompile(`^(conferences|conference_sizes|largest_|participants|visitors|endpoint_|bridge_(failures|endpoints|failing_ice)` +
	`|participant_notifications|jibri\.|jibri_(sip|recording|live)|jigasi\.|jingle\.|queues\.|slow_|avg_|total_)|\.total_|\.lost_bridges$|_total$`)

// jicofoValues are the values that move.
var jicofoValues = slices.Concat([]jitsiValue{
	{"conferences", "", jitsiPerMeeting},
	{"total_conferences_created", "conferences_created_total", jitsiBegun},
	{"", "conference_requests_new_total", jitsiBegun},
	{"", "conference_requests_total", jitsiPerJoin},
	{"", "conferences_seconds", jitsiOnEnd(jitsiEnd - jitsiJoinEvery)},
	{"", "endpoint_seconds", jitsiOnEnd(jitsiStayed)},
	{"participants", "participants_current", jitsiPerGuest(1)},
	{"total_participants", "participants_total", jitsiPerJoin},
	{"conference_sizes.total_value", "", jitsiPerGuest(1)},
	{"conference_sizes.total_count", "", jitsiPerMeeting},
	{"jingle.sent.SESSION_INITIATE", "jingle_session_initiate_sent_total", jitsiPerJoin},
	{"jingle.received.SESSION_ACCEPT", "jingle_session_accept_received_total", jitsiPerJoin},
	{"jingle.sent.session-initiate", "", jitsiPerJoin},
	{"jingle.received.session-accept", "", jitsiPerJoin},
	{"bridge_selector.lost_bridges", "bridge_selector_lost_bridges_total", jitsiOnEnd(1)},
}, jicofoSizes())

// jicofoSizes are the elements and buckets of conference_sizes. A bucket ends before its second number.
func jicofoSizes() []jitsiValue {
	values := jitsiSizes("conference_sizes", jitsiMoment.guests)
	for name, bounds := range map[string][2]int64{"1_to_2": {1, 1}, "2_to_3": {2, 2}, "3_to_5": {3, 4}, "5_to_10": {5, 9}} {
		moves := jitsiMeetingOf(jitsiMoment.guests, bounds[0], bounds[1])
		values = append(values, jitsiValue{stats: "conference_sizes.buckets." + name, moves: moves})
	}
	return values
}

// jicofoBridgeCounts are the numbers of bridges: all of them, those that take conferences, those that shut down. The
// third one shuts down, and one that joins midway takes conferences.
func jicofoBridgeCounts(captured, bridges int64) []jitsiValue {
	others := func(m jitsiMoment) float64 { return float64(bridges - captured + m.midway()) }
	return []jitsiValue{
		{"bridge_selector.bridge_count", "bridge_selector_bridge_count", others},
		{"bridge_selector.operational_bridge_count", "bridge_selector_bridge_count_operational", others},
	}
}

// jicofoBridge is a line of the page about one bridge: what is before its number, the number, what is after it.
var jicofoBridge = regexp.MustCompile(`(?m)^(jitsi_jicofo_bridge_\w+\{jvb="[^"]*/jvb)(\d+)(".*\n)`)

type jicofo struct {
	Jicofo
	life  *jitsiLife
	stats []byte
}

// NewJicofo starts an emulated Jicofo.
func NewJicofo(o Jicofo) (*Server, error) {
	sample, err := jitsiSample(jicofoSamples, o.Version, "2026-08")
	if err != nil {
		return nil, err
	}
	j := &jicofo{Jicofo: o}
	if j.stats, err = fs.ReadFile(testdata.Files, "jitsi/jicofo/stats."+sample.stats+".json"); err != nil {
		return nil, err
	}
	captured := jsonNumberAt(j.stats, "bridge_selector.bridge_count")
	if j.Bridges == 0 {
		j.Bridges = int(captured)
	}
	values := slices.Concat(jicofoValues, jicofoBridgeCounts(captured, int64(j.Bridges)))
	j.life = newJitsiLife("jitsi_jicofo_", values, jicofoResets, o.Now, o.Moving)
	paths, err := j.paths(sample)
	if err != nil {
		return nil, err
	}
	return newJitsi(o.Addr, paths, jicofoChanging, j.life.restart)
}

// paths are what this release answers.
func (j *jicofo) paths(sample jicofoSample) (jitsiPaths, error) {
	paths := jitsiPaths{jicofoStatsPath: func(*http.Request) answer {
		return jitsiAnswer(http.StatusOK, jitsiJSON, jitsiIll(j.life.editJSON(j.stats), j.Unhealthy))
	}}
	health, status := "jicofo/about-health.200.body", http.StatusOK
	if j.Unhealthy {
		health, status = "jicofo/about-health.500.body", http.StatusInternalServerError
	}
	if err := paths.read(jitsiHealth, status, health); err != nil {
		return nil, err
	}
	if sample.page == "" {
		return paths, nil
	}
	page, err := readJitsiPage(sample.page)
	if err != nil {
		return nil, err
	}
	paths[metricsPath] = func(r *http.Request) answer { return j.metrics(page, r) }
	return paths, paths.read(jitsiVersion, http.StatusOK, "jicofo/about-version.json")
}

// metrics answers /metrics; the JSON form has nothing about single bridges.
func (j *jicofo) metrics(page jitsiPage, r *http.Request) answer {
	answered := page.answer(r, j.life)
	answered.body = jitsiIll(j.perBridge(answered.body), j.Unhealthy)
	return answered
}

// perBridge writes the lines of every bridge: a copy follows its original, under its own number. The bridge that joins
// midway has a new number each time.
func (j *jicofo) perBridge(page []byte) []byte {
	at, _, _ := j.life.state()
	if j.Bridges == jicofoBridges && at.midway() == 0 {
		return page
	}
	guest := -1
	if at.midway() == 1 {
		guest = j.Bridges + 1 + int(at.cycle)
	}
	return jicofoBridge.ReplaceAllFunc(page, func(line []byte) []byte {
		parts := jicofoBridge.FindSubmatch(line)
		original, _ := strconv.Atoi(string(parts[2])) // the pattern has digits only
		var lines []byte
		add := func(number int) {
			lines = append(strconv.AppendInt(append(lines, parts[1]...), int64(number), 10), parts[3]...)
		}
		for number := original; number <= j.Bridges; number += jicofoBridges {
			add(number)
		}
		if guest > 0 && (guest-1)%jicofoBridges == original-1 {
			add(guest)
		}
		return lines
	})
}

// jsonNumberAt is the whole number at a path of a document; 0 when there is none.
func jsonNumberAt(document []byte, path string) (found int64) {
	walkJSON(document, "", true, func(at string, _ int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber && at == path {
			found, _ = n.Int64()
		}
	})
	return found
}
