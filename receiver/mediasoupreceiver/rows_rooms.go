// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoupreceiver

import (
	"github.com/otelcol-rtc/otelcol-rtc/internal/rows"
)

// roomGroup holds the attributes of a metric of a room.
type roomGroup struct {
	name      string
	direction direction
	kind      mediaKind
}

// roomRows map rooms. They are recorded only if labels identify rooms.
var roomRows = struct {
	Count      point[none]
	Uptime     point[roomGroup]
	Transports point[roomGroup]
	Objects    [roles]point[roomGroup]
	Measured   roomTransportRows
	Producers  struct{ Silent point[roomGroup] }
	Consumers  struct{ RoundTripTime figureRows[roomGroup] }
	Streams    struct{ Scores, Loss figureRows[roomGroup] }
}{
	Count:      rows.Whole((*generated).RecordMediasoupRoomCountDataPoint),
	Uptime:     rows.DecimalOf(ofRoom((*generated).RecordMediasoupRoomUptimeDataPoint)).In(rows.Milliseconds),
	Transports: rows.WholeOf(ofRoom((*generated).RecordMediasoupRoomTransportCountDataPoint)),
	Objects: [roles]point[roomGroup]{
		producers: rows.WholeOf(ofRoomAndKind((*generated).RecordMediasoupRoomProducerCountDataPoint)),
		consumers: rows.WholeOf(ofRoomAndKind((*generated).RecordMediasoupRoomConsumerCountDataPoint)),
	},
	Measured: roomTransportRows{
		IO:         rows.WholeOf(ofRoomAndDirection((*generated).RecordMediasoupRoomIoDataPoint)),
		Throughput: rows.DecimalOf(ofRoomAndDirection((*generated).RecordMediasoupRoomThroughputDataPoint)).In(rows.Bits),
	},
	Producers: struct{ Silent point[roomGroup] }{
		Silent: rows.WholeOf(ofRoomAndKind((*generated).RecordMediasoupRoomProducerSilentCountDataPoint)),
	},
	Consumers: struct{ RoundTripTime figureRows[roomGroup] }{
		RoundTripTime: figures(rows.Milliseconds,
			ofRoom((*generated).RecordMediasoupRoomRoundTripTimeAverageDataPoint), nil,
			ofRoom((*generated).RecordMediasoupRoomRoundTripTimeMaxDataPoint)),
	},
	Streams: struct{ Scores, Loss figureRows[roomGroup] }{
		Scores: figures(rows.Unit{},
			ofRoomAndDirection((*generated).RecordMediasoupRoomScoreAverageDataPoint),
			ofRoomAndDirection((*generated).RecordMediasoupRoomScoreMinDataPoint), nil),
		Loss: figures(rows.Per256,
			ofRoomAndDirection((*generated).RecordMediasoupRoomPacketLossAverageDataPoint), nil,
			ofRoomAndDirection((*generated).RecordMediasoupRoomPacketLossMaxDataPoint)),
	},
}

// roomTransportRows map the statistics of the transports of a room.
type roomTransportRows struct{ IO, Throughput point[roomGroup] }

// roomStatistics are the statistics that an agent can collect, with the rows of rooms that need them.
var roomStatistics = map[string][]any{
	"transports": {roomRows.Measured},
	"producers":  {roomRows.Producers, roomRows.Streams},
	"consumers":  {roomRows.Consumers, roomRows.Streams},
}

func ofRoom[V any](record func(*generated, timestamp, V, string)) func(*generated, timestamp, V, roomGroup) {
	return func(mb *generated, start timestamp, v V, of roomGroup) { record(mb, start, v, of.name) }
}

func ofRoomAndDirection[V any](record func(*generated, timestamp, V, string, direction)) func(*generated, timestamp, V, roomGroup) {
	return func(mb *generated, start timestamp, v V, of roomGroup) { record(mb, start, v, of.name, of.direction) }
}

func ofRoomAndKind(record func(*generated, timestamp, int64, string, mediaKind)) func(*generated, timestamp, int64, roomGroup) {
	return func(mb *generated, start timestamp, n int64, of roomGroup) { record(mb, start, n, of.name, of.kind) }
}
