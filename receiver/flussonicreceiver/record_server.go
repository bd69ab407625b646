// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package flussonicreceiver

import (
	"cmp"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/flussonicreceiver/internal/metadata"
)

// serverRecorder records the server as a whole: its load, disks, GPUs, DVB cards, archives and sessions.
type serverRecorder struct {
	mb       *builder
	report   *scrape.Report
	clock    serverClock
	identity identity  // as last reported
	release  string    // as API v3 last reported it
	started  timestamp // as the server last reported it
	uptime   cumulative.Uptime
	counters map[counterKey]*cumulative.Counter

	// Rows whose metrics are enabled.
	numbers, stats []enabledRow[server, rows.None]
	disks          []enabledRow[disk, string]
	gpus           []enabledRow[gpu, gpuName]
	cards          []enabledRow[card, string]
	interfaces     []enabledRow[ethernet, string]
	dvrs           []enabledRow[dvr, string]
	dvrDisks       []enabledRow[dvrDisk, dvrDiskName]

	inScrape serverAnswers
}

// serverAnswers holds what the sources of the current scrape have already recorded, which later sources do not record again.
type serverAnswers struct {
	api      bool // whether config/stats was recorded
	identity identity
	started  bool
	numbers  []bool // by row
	// The sources use different names for the same device.
	disks, gpus, cards, dvrDisks bool
}

// counterKey identifies a counter by its row and attributes.
type counterKey struct{ row, attributes any }

// maxCounters bounds the number of counters that are kept. If it is exceeded, all are discarded.
const maxCounters = 20 * maxDevices

func newServerRecorder(mb *builder, run *scrape.Runner) *serverRecorder {
	return &serverRecorder{
		mb: mb, report: run.Report, clock: serverClock{report: run.Report}, counters: map[counterKey]*cumulative.Counter{},
		numbers: enabledRows(run, serverRows), stats: enabledRows(run, statsRows), disks: enabledRows(run, diskRows),
		gpus: enabledRows(run, gpuRows), cards: enabledRows(run, cardRows), interfaces: enabledRows(run, interfaceRows),
		dvrs: enabledRows(run, dvrRows), dvrDisks: enabledRows(run, dvrDiskRows),
	}
}

// beginScrape starts a scrape.
func (s *serverRecorder) beginScrape() {
	s.inScrape = serverAnswers{numbers: make([]bool, len(s.numbers))}
}

// startTime returns the start time of the server, 0 if not reported yet.
func (s *serverRecorder) startTime() timestamp { return cmp.Or(s.started, s.uptime.Start()) }

// recordNumber records a number of e, unless it is absent or impossible.
func recordNumber[E, K any](s *serverRecorder, r *enabledRow[E, K], e *E, of K) (recorded bool) {
	v, ok := r.number(e).Get()
	if !ok || r.refuses(v, s.report) {
		return false
	}
	start := timestamp(0)
	if r.metric.Monotonic {
		start = s.counter(counterKey{r, of}).ObserveSince(cmp.Or(s.startTime(), s.report.StartTime()), int64(v), s.report.Now())
	}
	return r.RecordFloatSince(s.mb, start, v, of)
}

func recordNumbers[E, K any](s *serverRecorder, table []enabledRow[E, K], e *E, of K) {
	for i := range table {
		recordNumber(s, &table[i], e, of)
	}
}

func (s *serverRecorder) counter(key counterKey) *cumulative.Counter {
	counter := s.counters[key]
	if counter == nil {
		if len(s.counters) == maxCounters {
			clear(s.counters)
		}
		counter = &cumulative.Counter{}
		s.counters[key] = counter
	}
	return counter
}

// recordStats records config/stats and reports whether the release of the server has changed.
func (s *serverRecorder) recordStats(answer *server) (upgraded bool) {
	s.inScrape.api = true
	s.clock.set(answer.Numbers[serverNow])
	s.recordState(answer.State)
	recordNumbers(s, s.stats, answer, rows.None{})
	s.recordAnswer(answer)
	if answer.Version == "" {
		return false
	}
	last := s.release
	s.release = answer.Version + " " + answer.Build
	return last != "" && last != s.release
}

// recordState records the state of the server.
func (s *serverRecorder) recordState(state string) {
	if current, ok := serverStateOf(state); ok {
		rows.RecordState(serverState, s.mb, serverStates, current, func(state metadata.AttributeFlussonicState) metadata.AttributeFlussonicState {
			return state
		})
	}
}

// serverStateOf returns the state of a server, unknown if the attribute has no value for it, and whether the server sent any.
func serverStateOf(text string) (state metadata.AttributeFlussonicState, ok bool) {
	state, known := metadata.MapAttributeFlussonicState[text]
	if !known {
		state = metadata.AttributeFlussonicStateUnknown
	}
	return state, text != ""
}

// recordAnswer records the values that every source may have.
func (s *serverRecorder) recordAnswer(answer *server) {
	s.learnIdentity(&answer.identity)
	s.learnStart(answer)
	for i := range s.numbers {
		if recorded := &s.inScrape.numbers[i]; !*recorded {
			*recorded = recordNumber(s, &s.numbers[i], answer, rows.None{})
		}
	}
	s.recordDisks(answer.Disks)
	s.recordGPUs(answer.GPUs)
	s.recordCards(answer.Cards)
	if !s.inScrape.dvrDisks {
		s.recordDVRDisks("", answer.DVRDisks)
	}
	for i := range answer.Interfaces {
		recordNumbers(s, s.interfaces, &answer.Interfaces[i], answer.Interfaces[i].Name)
	}
}

// learnIdentity keeps the identity of the server. For each string, the first source of a scrape that has it is used.
func (s *serverRecorder) learnIdentity(answer *identity) {
	for _, text := range []struct{ answer, inScrape, last *string }{
		{&answer.Version, &s.inScrape.identity.Version, &s.identity.Version},
		{&answer.Build, &s.inScrape.identity.Build, &s.identity.Build},
		{&answer.Hostname, &s.inScrape.identity.Hostname, &s.identity.Hostname},
		{&answer.ID, &s.inScrape.identity.ID, &s.identity.ID},
	} {
		if *text.answer != "" && *text.inScrape == "" {
			*text.inScrape, *text.last = *text.answer, *text.answer
		}
	}
}

// learnStart keeps the start time of the server and converts the one in the response to seconds.
func (s *serverRecorder) learnStart(answer *server) {
	started, hasStart := s.clock.start(metadata.MetricsInfo.FlussonicStartTime.Name, answer.Numbers[serverStarted])
	uptime, hasUptime := answer.Numbers[serverUptime].Get()
	answer.Numbers[serverStarted] = number{}
	switch {
	case hasStart:
		answer.Numbers[serverStarted] = optional.Of(started)
		if !s.inScrape.started {
			s.inScrape.started, s.started = true, toTimestamp(started)
		}
	case hasUptime && uptime >= 0 && uptime <= maxDuration:
		s.started = 0
		s.uptime.Update(uptime, s.report.Now())
	}
}

// eachNamed calls f for each element of a list that has a name. If several have the same name, the first one is used. It returns the
// number of elements with a name, and how many of them were skipped.
func eachNamed[E any, K comparable](list []E, of func(*E) (K, bool), f func(*E, K)) (named, merged int64) {
	seen := map[K]bool{}
	for i := range list {
		name, ok := of(&list[i])
		switch {
		case !ok:
			continue
		case seen[name]:
			merged++
		default:
			seen[name] = true
			f(&list[i], name)
		}
		named++
	}
	return named, merged
}

// nameOf returns a name as an attribute value, and whether it is not empty.
func nameOf(text string) (name string, ok bool) { return selection.Name(text), text != "" }

func (s *serverRecorder) recordDisks(disks []disk) {
	if s.inScrape.disks {
		return
	}
	named, merged := eachNamed(disks, func(d *disk) (string, bool) { return nameOf(d.Path) }, func(d *disk, path string) {
		recordNumbers(s, s.disks, d, path)
	})
	if s.inScrape.disks = named > 0; s.inScrape.disks {
		s.report.Omit(metadata.AttributeRtcEntityDisk, metadata.AttributeRtcOmissionReasonMerged, merged)
	}
}

func (s *serverRecorder) recordGPUs(gpus []gpu) {
	if s.inScrape.gpus {
		return
	}
	named, _ := eachNamed(gpus, func(g *gpu) (gpuName, bool) {
		return gpuName{selection.Name(g.ID), selection.Name(g.Name)}, g.hasNumbers()
	}, func(g *gpu, name gpuName) {
		recordNumbers(s, s.gpus, g, name)
	})
	s.inScrape.gpus = named > 0
}

// hasNumbers reports whether the device is a GPU rather than a CPU in the same list, which may have the ID of a GPU.
func (g *gpu) hasNumbers() bool {
	for _, n := range [...]number{g.Decoder, g.Encoder, g.Temperature, g.MemoryUsed} {
		if _, ok := n.Get(); ok {
			return true
		}
	}
	return false
}

func (s *serverRecorder) recordCards(cards []card) {
	if s.inScrape.cards {
		return
	}
	named, _ := eachNamed(cards, func(c *card) (string, bool) { return nameOf(c.Name) }, func(c *card, name string) {
		recordNumbers(s, s.cards, c, name)
	})
	s.inScrape.cards = named > 0
}

// recordDVRs records the archives and their disks.
func (s *serverRecorder) recordDVRs(all []dvr) {
	s.inScrape.dvrDisks = true
	eachNamed(all, func(d *dvr) (string, bool) { return nameOf(d.Name) }, func(d *dvr, name string) {
		recordNumbers(s, s.dvrs, d, name)
		s.recordDVRDisks(name, d.Disks)
	})
}

func (s *serverRecorder) recordDVRDisks(dvr string, disks []dvrDisk) {
	eachNamed(disks, func(d *dvrDisk) (string, bool) { return nameOf(d.Path) }, func(d *dvrDisk, path string) {
		of := dvrDiskName{dvr, path}
		recordNumbers(s, s.dvrDisks, d, of)
		seen := map[string]bool{}
		for name, count := range d.Errors {
			name = selection.Name(name)
			if n, ok := count.Get(); ok && !seen[name] {
				seen[name] = true
				dvrDiskErrors.RecordFloat(s.mb, n, dvrDiskError{of, name})
			}
		}
	})
}

func (s *serverRecorder) recordPeers(peers map[string]peer) {
	seen := map[string]bool{}
	for hostname, p := range peers {
		name := selection.Name(hostname)
		if seen[name] {
			continue
		}
		seen[name] = true
		peerUp.Record(s.mb, rows.BoolToInt(p.Up), name)
		if current, ok := serverStateOf(p.State); ok {
			rows.RecordState(peerState, s.mb, serverStates, current, func(state metadata.AttributeFlussonicState) peerStateName {
				return peerStateName{name, state}
			})
		}
	}
}

func (s *serverRecorder) recordSessions(all sessions) {
	counts := map[session]int64{}
	for group, n := range all.Counts {
		counts[session{selection.Name(group.Protocol), selection.Name(group.Type), group.DVR}] += n
	}
	for group, n := range counts {
		sessionCount.Record(s.mb, n, group)
	}
	s.report.Omit(metadata.AttributeRtcEntitySession, metadata.AttributeRtcOmissionReasonLimit, all.Over)
}

// recordFiles records the number of viewers of files by location prefix.
func (s *serverRecorder) recordFiles(viewers map[string]float64) {
	sums := map[string]float64{}
	for prefix, n := range viewers {
		sums[selection.Name(prefix)] += n
	}
	for prefix, n := range sums {
		vodClients.RecordFloat(s.mb, n, prefix)
	}
}
