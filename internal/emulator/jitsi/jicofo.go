// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package jitsi

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-rtc/otelcol-rtc/internal/emulator"
	"github.com/otelcol-rtc/otelcol-rtc/testdata"
)

// JicofoOptions configures an emulated Jicofo.
type JicofoOptions struct {
	// Addr is the address to listen on. If it is empty, a free loopback port is used.
	Addr string
	// Version is the release to emulate: 2026-08 (the default), 2022-07 or 2021-04. Only 2026-08 has /metrics.
	Version string
	// Bridges is the number of bridges. If it is 0, the captured ones are used.
	Bridges int
	// Unhealthy makes the health check fail.
	Unhealthy bool
	// Moving makes conferences and a bridge come and go with Now. After a restart, this always happens.
	Moving bool
	// Life adds conferences.
	Life emulator.Life
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

const (
	jicofoStatsPath = "/stats"
	jicofoBridges   = 3 // on the captured page; the third one is shutting down
)

// jicofoSample names the captures of a release.
type jicofoSample struct{ stats, page string }

var jicofoSamples = map[string]jicofoSample{
	"2026-08": {stats: "constructed-master-2026-08-19", page: "jicofo/metrics.constructed-master-2026-08-19"},
	"2022-07": {stats: "like-real-2022-07-idle"},
	"2021-04": {stats: "like-real-2021-04-two-participants"},
}

// jicofoChanging lists prefixes of paths that change conferences, some of them with GET.
var jicofoChanging = []string{"/debug", "/move-endpoints", "/conference-request", "/pin"}

// jicofoResets matches the values that are 0 after a restart. The bridges remain.
var jicofoResets = regexp.MustCompile(`^(conferences|conference_sizes|largest_|participants|visitors|endpoint_|bridge_(failures|endpoints|failing_ice)` +
	`|participant_notifications|jibri\.|jibri_(sip|recording|live)|jigasi\.|jingle\.|queues\.|slow_|avg_|total_)|\.total_|\.lost_bridges$|_total$`)

// jicofoValues lists the values that change.
var jicofoValues = slices.Concat([]movingValue{
	{"conferences", "", perConference},
	{"total_conferences_created", "conferences_created_total", perBegun},
	{"", "conference_requests_new_total", perBegun},
	{"", "conference_requests_total", perJoin},
	{"", "conferences_seconds", perEnded(conferenceEnd - joinInterval)},
	{"", "endpoint_seconds", perEnded(guestSeconds)},
	{"participants", "participants_current", perGuest(1)},
	{"total_participants", "participants_total", perJoin},
	{"conference_sizes.total_value", "", perGuest(1)},
	{"conference_sizes.total_count", "", perConference},
	{"jingle.sent.SESSION_INITIATE", "jingle_session_initiate_sent_total", perJoin},
	{"jingle.received.SESSION_ACCEPT", "jingle_session_accept_received_total", perJoin},
	{"jingle.sent.session-initiate", "", perJoin},
	{"jingle.received.session-accept", "", perJoin},
	{"bridge_selector.lost_bridges", "bridge_selector_lost_bridges_total", notExtra(perEnded(1))},
}, jicofoSizes())

// jicofoSizes returns the elements and buckets of conference_sizes. The upper bound of a bucket is exclusive.
func jicofoSizes() []movingValue {
	values := sizeList("conference_sizes", moment.guests)
	for name, bounds := range map[string][2]int64{"1_to_2": {1, 1}, "2_to_3": {2, 2}, "3_to_5": {3, 4}, "5_to_10": {5, 9}} {
		delta := conferenceOfSize(moment.guests, bounds[0], bounds[1])
		values = append(values, movingValue{stats: "conference_sizes.buckets." + name, delta: delta})
	}
	return values
}

// jicofoBridgeCounts returns the number of all bridges and of operational ones. The third bridge is shutting down. A bridge that
// joins midway is operational.
func jicofoBridgeCounts(captured, bridges int64) []movingValue {
	others := notExtra(func(m moment) float64 { return float64(bridges - captured + m.midway()) })
	return []movingValue{
		{"bridge_selector.bridge_count", "bridge_selector_bridge_count", others},
		{"bridge_selector.operational_bridge_count", "bridge_selector_bridge_count_operational", others},
	}
}

// jicofoBridge matches a line of the page about one bridge; its groups are the text before the number of the bridge, the
// number, and the text after it.
var jicofoBridge = regexp.MustCompile(`(?m)^(jitsi_jicofo_bridge_\w+\{jvb="[^"]*/jvb)(\d+)(".*\n)`)

type jicofo struct {
	JicofoOptions
	scenario *scenario
	stats    []byte
}

// NewJicofo starts an emulated Jicofo.
func NewJicofo(o JicofoOptions) (*emulator.Server, error) {
	sample, err := findSample(jicofoSamples, o.Version, "2026-08")
	if err != nil {
		return nil, err
	}
	j := &jicofo{JicofoOptions: o}
	if j.stats, err = fs.ReadFile(testdata.Files, "jitsi/jicofo/stats."+sample.stats+".json"); err != nil {
		return nil, err
	}
	captured := jsonNumberAt(j.stats, "bridge_selector.bridge_count")
	if j.Bridges == 0 {
		j.Bridges = int(captured)
	}
	values := slices.Concat(jicofoValues, jicofoBridgeCounts(captured, int64(j.Bridges)))
	j.scenario = newScenario("jitsi_jicofo_", values, jicofoResets, o.Now, o.Moving, o.Life)
	paths, err := j.paths(sample)
	if err != nil {
		return nil, err
	}
	return newServer(o.Addr, paths, jicofoChanging, j.scenario)
}

// paths returns the handlers of the release.
func (j *jicofo) paths(sample jicofoSample) (handlers, error) {
	paths := handlers{jicofoStatsPath: func(*http.Request) emulator.Answer {
		return newAnswer(http.StatusOK, typeJSON, setHealth(j.scenario.editJSON(j.stats), j.Unhealthy))
	}}
	health, status := "jicofo/about-health.200.body", http.StatusOK
	if j.Unhealthy {
		health, status = "jicofo/about-health.500.body", http.StatusInternalServerError
	}
	if err := paths.addFile(healthPath, status, health); err != nil {
		return nil, err
	}
	if sample.page == "" {
		return paths, nil
	}
	page, err := readPage(sample.page)
	if err != nil {
		return nil, err
	}
	paths[metricsPath] = func(r *http.Request) emulator.Answer { return j.metrics(page, r) }
	return paths, paths.addFile(versionPath, http.StatusOK, "jicofo/about-version.json")
}

// metrics handles /metrics. JSON has no values of single bridges.
func (j *jicofo) metrics(page metricsPage, r *http.Request) emulator.Answer {
	answered := page.answer(r, j.scenario)
	answered.Body = setHealth(j.perBridge(answered.Body), j.Unhealthy)
	return answered
}

// perBridge writes the lines of every bridge. A copy follows its original and has its own number. The bridge that joins midway has a
// new number each time.
func (j *jicofo) perBridge(page []byte) []byte {
	at, _ := j.scenario.state()
	if j.Bridges == jicofoBridges && at.midway() == 0 {
		return page
	}
	guest := -1
	if at.midway() == 1 {
		guest = j.Bridges + 1 + int(at.cycle)
	}
	return jicofoBridge.ReplaceAllFunc(page, func(line []byte) []byte {
		parts := jicofoBridge.FindSubmatch(line)
		original, _ := strconv.Atoi(string(parts[2])) // the pattern matches only digits
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

// jsonNumberAt returns the integer at a path of a document, or 0 if there is none.
func jsonNumberAt(document []byte, path string) (found int64) {
	emulator.WalkJSON(document, "", true, func(at string, _ int, value json.Token) {
		if n, isNumber := value.(json.Number); isNumber && at == path {
			found, _ = n.Int64()
		}
	})
	return found
}
