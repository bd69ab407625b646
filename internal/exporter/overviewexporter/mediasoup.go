// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

var mediasoup = &system{
	name: "mediasoup", receiver: "mediasoupreceiver",
	uptime: []string{"mediasoup.uptime"},
	values: []value{
		{title: "Rooms", of: query{metric: "mediasoup.room.count"}, unit: count, use: carried, total: totalConferences},
		{title: "Consumers", of: query{metric: "mediasoup.consumer.count"}, unit: count, use: carried},
		{title: "Producers", of: query{metric: "mediasoup.producer.count"}, unit: count, use: carried},
		{title: "In", of: query{metric: "mediasoup.transport.throughput", where: []string{direction, receive}}, unit: bitRate, use: inbound},
		{title: "Out", of: query{metric: "mediasoup.transport.throughput", where: []string{direction, transmit}}, unit: bitRate, use: outbound},
		{title: "Transports", of: query{metric: "mediasoup.transport.count"}, unit: count},
		{title: "Workers", of: query{metric: "mediasoup.worker.count"}, unit: count},
		{title: "Silent producers", of: query{metric: "mediasoup.producer.silent.count"}, unit: count},
		{title: "Silent consumers", of: query{metric: "mediasoup.consumer.silent.count"}, unit: count},
		{title: "Longest round trip", of: query{metric: "mediasoup.consumer.round_trip_time.max", largest: true}, unit: duration},
		{title: "DTLS failures", of: query{metric: "mediasoup.transport.dtls.failures", rate: true}, unit: perSecond},
		{title: "Event loop lag", of: query{metric: "mediasoup.agent.event_loop.lag"}, unit: duration},

		{title: "edumeet rooms", of: query{metric: "edumeet.room.count"}, unit: count, use: carried, total: totalConferences},
		{title: "edumeet peers", of: query{metric: "edumeet.peer.count"}, unit: count, use: carried},
	},
	tables: []table{
		{
			title: "Rooms",
			keys:  []key{{"Room", "mediasoup.room.name"}},
			columns: []column{
				{title: "Producers", of: query{metric: "mediasoup.room.producer.count"}, unit: count},
				{title: "Silent", of: query{metric: "mediasoup.room.producer.silent.count"}, unit: count},
				{title: "Consumers", of: query{metric: "mediasoup.room.consumer.count"}, unit: count},
				{title: "In", of: query{metric: "mediasoup.room.throughput", where: []string{direction, receive}}, unit: bitRate},
				{title: "Out", of: query{metric: "mediasoup.room.throughput", where: []string{direction, transmit}}, unit: bitRate},
				{title: "Highest loss", of: query{metric: "mediasoup.room.packet_loss.max", largest: true}, unit: percent},
				{title: "Longest round trip", of: query{metric: "mediasoup.room.round_trip_time.max", largest: true}, unit: duration},
				{title: "Age", of: query{metric: "mediasoup.room.uptime"}, unit: duration},
			},
		},
		{
			title: "Workers", empty: "No workers. This server reports none.",
			keys: []key{{"Worker", "mediasoup.worker.id"}},
			columns: []column{
				{title: "State", of: query{metric: "mediasoup.worker.responsive"}, state: &states{
					zero: state{"not responding", bad}, other: state{"responding", good},
				}},
				{title: "Routers", of: query{metric: "mediasoup.router.count"}, unit: count},
				{title: "Transports", of: query{metric: "mediasoup.transport.count_by_worker"}, unit: count},
				{title: "Producers", of: query{metric: "mediasoup.producer.count_by_worker"}, unit: count},
				{title: "Consumers", of: query{metric: "mediasoup.consumer.count_by_worker"}, unit: count},
				{title: "Memory", of: query{metric: "mediasoup.worker.memory.usage"}, unit: byteSize},
				{title: "Age", of: query{metric: "mediasoup.worker.uptime"}, unit: duration},
			},
		},
	},
}
