// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

var jitsi = &system{
	name: "Jitsi", receiver: "jitsireceiver",
	uptime: []string{"jitsi.jvb.uptime"},
	values: []value{
		{title: "Conferences", of: query{metric: "jitsi.jicofo.conference.count"}, unit: count, use: carried, total: totalConferences},
		{title: "Participants", of: query{metric: "jitsi.jicofo.participant.count"}, unit: count, use: carried},
		{title: "Bridges in operation", of: query{metric: "jitsi.jicofo.bridge.operational.count"}, unit: count, use: carried},
		{title: "Bridges lost per second", of: query{metric: "jitsi.jicofo.bridge.losses", rate: true}, unit: perSecond},
		{title: "Jibri available", of: query{metric: "jitsi.jicofo.jibri.instance.available.count"}, unit: count},
		{title: "Jibri sessions", of: query{metric: "jitsi.jicofo.jibri.session.count"}, unit: count},

		{title: "Conferences on the bridge", of: query{metric: "jitsi.jvb.conference.count"}, unit: count, use: carried, total: totalConferences},
		{title: "Endpoints", of: query{metric: "jitsi.jvb.endpoint.count"}, unit: count, use: carried},
		{title: "In", of: query{metric: "jitsi.jvb.network.throughput", where: []string{direction, receive}}, unit: bitRate, use: inbound},
		{title: "Out", of: query{metric: "jitsi.jvb.network.throughput", where: []string{direction, transmit}}, unit: bitRate, use: outbound},
		{title: "Stress", of: query{metric: "jitsi.jvb.stress"}, unit: percent},
		{title: "Packet loss in", of: query{metric: "jitsi.jvb.network.packet_loss", where: []string{direction, receive}}, unit: percent},
		{title: "Packet loss out", of: query{metric: "jitsi.jvb.network.packet_loss", where: []string{direction, transmit}}, unit: percent},
		{title: "Round trip", of: query{metric: "jitsi.jvb.round_trip_time.average"}, unit: duration},
		{title: "Jitter", of: query{metric: "jitsi.jvb.jitter.average"}, unit: duration},
		{title: "Endpoints with high loss", of: query{metric: "jitsi.jvb.endpoint.high_loss.count"}, unit: count},
		{title: "Visitors", of: query{metric: "jitsi.jvb.visitor.count"}, unit: count},
		{title: "Java heap", of: query{metric: "jitsi.jvb.jvm.heap.usage"}, unit: byteSize},

		{title: "Conferences with Jigasi", of: query{metric: "jitsi.jigasi.conference.count"}, unit: count, use: carried},
		{title: "Participants through Jigasi", of: query{metric: "jitsi.jigasi.participant.count"}, unit: count, use: carried},
		{title: "Stress of Jigasi", of: query{metric: "jitsi.jigasi.stress"}, unit: percent},
		{title: "Recordings", of: query{metric: "jitsi.jibri.recording"}, unit: count, use: carried},
	},
	tables: []table{
		{
			title: "Bridges",
			keys:  []key{{"Bridge", "jitsi.bridge.id"}},
			columns: []column{
				{title: "ICE", of: query{metric: "jitsi.jicofo.bridge.failing_ice"}, state: &states{
					zero: state{"working", good}, other: state{"failing", bad},
				}},
				{title: "Endpoints", of: query{metric: "jitsi.jicofo.bridge.endpoint.count"}, unit: count},
				{title: "Moved endpoints", of: query{metric: "jitsi.jicofo.bridge.endpoint.moves"}, unit: count},
				{title: "Restart requests", of: query{metric: "jitsi.jicofo.bridge.restart_requests"}, unit: count},
			},
		},
		{
			title: "Jibri pools",
			keys:  []key{{"Pool", "jitsi.jibri.pool"}},
			columns: []column{
				{title: "Instances", of: query{metric: "jitsi.jicofo.jibri.instance.count"}, unit: count},
				{title: "Available", of: query{metric: "jitsi.jicofo.jibri.instance.available.count"}, unit: count},
			},
		},
	},
}
