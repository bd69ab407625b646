// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
	"github.com/otelcol-rtc/otelcol-rtc/internal/scrape"
	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
	"github.com/otelcol-rtc/otelcol-rtc/receiver/mediasoupreceiver/internal/metadata"
)

// edumeetRecord records pages of edumeet's exporter: / with samples of each producer and consumer, /metrics with sums, or the page of
// its room server.
type edumeetRecord struct {
	mb       *builder
	report   *scrape.Report
	maxRooms int // maximum number of rooms that are reported individually; 0 for none
}

func newEdumeetRecord(mb *builder, run *scrape.Runner, maxRooms int) *edumeetRecord {
	if len(run.Enabled(edumeetRoomPeers)) == 0 {
		maxRooms = 0
	}
	return &edumeetRecord{mb: mb, report: run.Report, maxRooms: maxRooms}
}

// edumeetPage sums the samples of a page.
type edumeetPage struct {
	maxRooms int
	numbers  map[string]float64 // by family
	rooms    map[string]float64 // peers by room
	limited  int64              // peer samples of rooms beyond the limit
	refused  int64              // samples with impossible values
	bytes    [roles]map[streamGroup]float64
	scores   [roles][mediaKinds]figure
}

func newEdumeetPage(maxRooms int) *edumeetPage {
	return &edumeetPage{
		maxRooms: maxRooms, numbers: map[string]float64{}, rooms: map[string]float64{},
		bytes: [roles]map[streamGroup]float64{{}, {}},
	}
}

// isEdumeetNumber is the set of families in edumeetNumbers.
var isEdumeetNumber = func() map[string]bool {
	is := map[string]bool{}
	for _, row := range edumeetNumbers {
		for _, family := range row.families {
			is[family] = true
		}
	}
	return is
}()

// add adds a sample and reports whether its family is known. It skips negative numbers and numbers above maxExact.
func (p *edumeetPage) add(s *edumeetSample) (known bool) {
	addSeries, isSeries := edumeetSeries[string(s.Family)]
	isNumber := isEdumeetNumber[string(s.Family)]
	known = isNumber || isSeries
	if s.Value < 0 || s.Value > maxExact {
		p.refused += rows.BoolToInt(known)
		return known
	}
	if isNumber {
		p.numbers[string(s.Family)] += s.Value
	}
	if isSeries {
		addSeries(p, s)
	}
	return known
}

// addPeers adds the peers of a room.
func (p *edumeetPage) addPeers(s *edumeetSample) {
	if p.maxRooms == 0 || s.Room == nil {
		return
	}
	room := selection.Name(s.Room)
	if _, known := p.rooms[room]; known || len(p.rooms) < p.maxRooms {
		p.rooms[room] += s.Value
	} else {
		p.limited++
	}
}

// addBytes adds the bytes of a producer or consumer. The page has only those of WebRTC transports.
func (p *edumeetPage) addBytes(r role, s *edumeetSample) {
	group := streamGroup{mediaKindOf(s.Kind), strings.ToLower(selection.Name(s.Codec)), metadata.AttributeMediasoupTransportTypeWebrtc}
	if _, known := p.bytes[r][group]; known || len(p.bytes[r]) < maxKeys {
		p.bytes[r][group] += s.Value
	}
}

func (p *edumeetPage) addScore(r role, s *edumeetSample) {
	p.scores[r][mediaKindOf(s.Kind)].add(s.Value)
}

func (e *edumeetRecord) record(p *edumeetPage) {
	e.mb.Refuse(p.refused)
	for _, row := range edumeetNumbers {
		for _, family := range row.families {
			if v, present := p.numbers[family]; present {
				row.Point.RecordFloat(e.mb, v, none{})
				break
			}
		}
	}
	for room, n := range p.rooms {
		edumeetRoomPeers.RecordFloat(e.mb, n, room)
	}
	if p.limited > 0 {
		e.report.Omit(metadata.AttributeRtcEntityRoom, metadata.AttributeRtcOmissionReasonLimit, p.limited)
	}
	for r := range p.bytes {
		for group, n := range p.bytes[r] {
			edumeetIO[r].RecordFloat(e.mb, n, group)
		}
		for kind := range mediaKinds {
			edumeetScore[r].record(e.mb, &p.scores[r][kind], kind)
		}
	}
}

// markNonMonotonic marks the sums that are monotonic only in the other format: those of edumeet fall when an object is closed.
func markNonMonotonic(metrics pmetric.MetricSlice) {
	for _, m := range metrics.All() {
		switch m.Name() {
		case metadata.MetricsInfo.MediasoupProducerIo.Name, metadata.MetricsInfo.MediasoupConsumerIo.Name:
			m.Sum().SetIsMonotonic(false)
		}
	}
}
