// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/cumulative"
	"github.com/otelcol-rtc/otelcol-rtc/internal/optional"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// roomRecord records rooms: the routers with the same labels, and what is on their transports to participants.
type roomRecord struct {
	mb     *builder
	report *scrape.Report
	key    []byte // of pseudonyms, or empty
	rooms  *selection.Set[room]
}

// room is the state of a room.
type room struct {
	name  string    // name or pseudonym
	start timestamp // of io
	io    [directions]sum

	current roomState
}

// roomState is the state of a room in the current snapshot.
type roomState struct {
	started       optional.Value[int64] // creation of the first router, Unix time in milliseconds
	transports    coverage
	bitrates      [directions]float64
	roles         [roles]roomRoleState
	silent        [mediaKinds]int64 // producers
	roundTripTime figure            // of consumers
}

// roomRoleState is the state of the producers or consumers of a room in the current snapshot.
type roomRoleState struct {
	counts       [mediaKinds]int64
	coverage     coverage
	scores, loss figure
}

func newRoomRecord(mb *builder, report *scrape.Report, cfg *RoomsConfig) *roomRecord {
	if len(cfg.Labels) == 0 {
		return nil
	}
	return &roomRecord{
		mb: mb, report: report, key: []byte(cfg.Key),
		rooms: selection.New[room](selection.Config{Include: cfg.Include, Exclude: cfg.Exclude, Limit: cfg.Limit}),
	}
}

// escape makes the joined labels of different rooms differ.
var escape = strings.NewReplacer("%", "%25", "/", "%2F")

// room returns the room of a router, or nil if it is in none.
func (r *roomRecord) room(one *router) *room {
	if r == nil {
		return nil
	}
	values := make([]string, 0, len(one.Labels))
	for _, label := range one.Labels {
		value, ok := label.Get()
		if !ok {
			return nil
		}
		values = append(values, escape.Replace(value))
	}
	joined := strings.Join(values, "/")
	item, first := r.rooms.Get([]byte(selection.Name(joined)))
	found := &item.Value
	if found.name == "" {
		found.name, found.start = r.pseudonym(joined, item.Name), r.report.Now()
	}
	if first {
		found.current = roomState{}
	}
	found.current.start(one.StartTime)
	return found
}

// pseudonym returns the attribute of a room.
func (r *roomRecord) pseudonym(joined, name string) string {
	if len(r.key) == 0 {
		return name
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(joined))
	return fmt.Sprintf("%x", mac.Sum(nil)[:8]) //nolint:perfsprint // only clients may import encoding packages
}

// start notes the creation of a router.
func (s *roomState) start(created optional.Value[int64]) {
	at, ok := created.Get()
	if earliest, known := s.started.Get(); ok && (!known || at < earliest) {
		s.started = created
	}
}

// addTransport adds a transport and what it has counted since the last snapshot.
func (r *room) addTransport(report *scrape.Report, one *transport, increase *[transportCounters]int64) {
	if r == nil {
		return
	}
	r.current.transports.add(one.Measured, one.Carried)
	if !one.Measured {
		return
	}
	for i, counter := range [directions]int{received: transportReceived, sent: transportSent} {
		r.io[i].add(report, increase[counter], one.Counters[counter] != cumulative.Absent)
		bits, _ := one.Bitrate[i].Get()
		r.current.bitrates[i] += float64(bits)
	}
}

// addObject adds a producer or consumer.
func (r *room) addObject(is role, kind mediaKind, o *rtpObject) {
	if r == nil {
		return
	}
	of := &r.current.roles[is]
	of.counts[kind]++
	of.coverage.add(o.Measured, o.Carried)
	if is == producers && o.Measured && o.silent() {
		r.current.silent[kind]++
	}
	if o.Carried {
		return
	}
	for i := range o.Streams {
		stream := &o.Streams[i]
		if score, ok := o.score(stream); ok {
			of.scores.add(score)
		}
		if lost, ok := stream.FractionLost.Get(); ok {
			of.loss.add(float64(lost))
		}
		if ms, ok := stream.roundTripTime(); ok && is == consumers {
			r.current.roundTripTime.add(ms)
		}
	}
}

func (r *roomRecord) begin() {
	if r != nil {
		r.rooms.Begin()
	}
}

func (r *roomRecord) end(complete bool) {
	if r != nil {
		r.rooms.End(complete)
	}
}

// record records the rooms of a snapshot that was taken at now.
func (r *roomRecord) record(now optional.Value[int64]) {
	if r == nil {
		return
	}
	rooms := r.rooms.Items()
	roomRows.Count.Record(r.mb, int64(len(rooms)), none{})
	r.report.Omit(metadata.AttributeRtcEntityRoom, metadata.AttributeRtcOmissionReasonLimit, int64(r.rooms.Limited()))
	for _, item := range rooms {
		if item.Kept {
			item.Value.record(r.mb, now)
		}
	}
}

func (r *room) record(mb *builder, now optional.Value[int64]) {
	state, of := &r.current, roomGroup{name: r.name}
	started, hasStart := state.started.Get()
	if now, ok := now.Get(); ok && hasStart {
		roomRows.Uptime.Record(mb, now-started, of)
	}
	roomRows.Transports.Record(mb, state.transports.listed, of)
	r.recordTransports(mb)
	for is := range state.roles {
		r.recordRole(mb, role(is))
	}
	if state.roles[consumers].coverage.sufficesForFigures() {
		roomRows.Consumers.RoundTripTime.record(mb, &state.roundTripTime, of)
	}
}

func (r *room) recordTransports(mb *builder) {
	for i, direction := range directionOf {
		of := roomGroup{name: r.name, direction: direction}
		if r.io[i].reported {
			roomRows.Measured.IO.RecordSince(mb, r.start, r.io[i].value, of)
		}
		if r.current.transports.sufficesForSums() {
			roomRows.Measured.Throughput.RecordFloat(mb, r.current.bitrates[i], of)
		}
	}
}

func (r *room) recordRole(mb *builder, is role) {
	state := &r.current.roles[is]
	for kind, n := range state.counts {
		of := roomGroup{name: r.name, kind: mediaKind(kind)}
		if of.kind != metadata.AttributeMediasoupMediaKindAudio && of.kind != metadata.AttributeMediasoupMediaKindVideo && n == 0 {
			continue
		}
		roomRows.Objects[is].Record(mb, n, of)
		if is == producers && state.coverage.sufficesForSums() {
			roomRows.Producers.Silent.Record(mb, r.current.silent[kind], of)
		}
	}
	if state.coverage.sufficesForFigures() {
		of := roomGroup{name: r.name, direction: roleOf[is].direction}
		roomRows.Streams.Scores.record(mb, &state.scores, of)
		roomRows.Streams.Loss.record(mb, &state.loss, of)
	}
}
