// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

var kamailio = &system{
	name: "Kamailio", receiver: "kamailioreceiver",
	uptime: []string{"kamailio.uptime", "rtpengine.uptime"},
	values: []value{
		{title: "Calls", of: query{metric: "kamailio.dialog.active.count"}, unit: count, use: carried, total: totalCalls},
		{title: "Contacts", of: query{metric: "kamailio.usrloc.contact.count"}, unit: count, use: carried},
		{title: "Transactions", of: query{metric: "kamailio.transaction.active.count"}, unit: count, use: carried},
		{title: "Requests", of: query{metric: "kamailio.requests", rate: true}, unit: perSecond},
		{title: "Replies 5xx", of: query{
			metric: "kamailio.transaction.completions", where: []string{"kamailio.reply.class", "5xx"}, rate: true,
		}, unit: perSecond},
		{title: "Failed calls", of: query{metric: "kamailio.dialog.failures", rate: true}, unit: perSecond},
		{title: "Inactive destinations", of: query{
			metric: "kamailio.dispatcher.target.count", where: []string{"kamailio.dispatcher.state", "inactive"},
		}, unit: count},
		{title: "TCP connections", of: query{metric: "kamailio.tcp.connection.count"}, unit: count},
		{title: "Shared memory in use", of: query{
			metric: "kamailio.memory.shared.usage", where: []string{"kamailio.memory.state", "used"}, over: "kamailio.memory.shared.limit",
		}, unit: percent},

		{title: "Media sessions", of: query{metric: "rtpengine.session.count"}, unit: count, use: carried},
		{title: "Media streams", of: query{metric: "rtpengine.stream.count"}, unit: count, use: carried},
		{title: "In", of: query{
			metric: "rtpengine.interface.io", where: []string{direction, receive}, rate: true,
		}, unit: bitRate, use: inbound},
		{title: "Out", of: query{
			metric: "rtpengine.interface.io", where: []string{direction, transmit}, rate: true,
		}, unit: bitRate, use: outbound},
		{title: "Lost packets", of: query{metric: "rtpengine.rtp.lost_packets", rate: true}, unit: perSecond},
		{title: "Packet errors", of: query{metric: "rtpengine.network.packet_errors", rate: true}, unit: perSecond},
		{title: "One-way sessions", of: query{metric: "rtpengine.one_way_sessions", rate: true}, unit: perSecond},
		{title: "Transcoded media", of: query{metric: "rtpengine.transcoded_media.count"}, unit: count},
		{title: "Ports in use", of: query{metric: "rtpengine.port.count", where: []string{"rtpengine.port.state", "used"}}, unit: count},
	},
	tables: []table{
		{
			title: "Destinations",
			keys:  []key{{"Destination", "kamailio.dispatcher.uri"}, {"Set", "kamailio.dispatcher.set"}},
			columns: []column{
				{title: "State", of: query{metric: "kamailio.dispatcher.target.state"}, state: &states{
					attribute: "kamailio.dispatcher.state", tones: map[string]tone{"active": good, "trying": warn, "inactive": bad},
				}},
				{title: "Dialogs", of: query{metric: "kamailio.dispatcher.target.dialog.count"}, unit: count},
				{title: "Average latency", of: query{metric: "kamailio.dispatcher.target.latency.average"}, unit: duration},
				{title: "Longest latency", of: query{metric: "kamailio.dispatcher.target.latency.max"}, unit: duration},
				{title: "Timeouts", of: query{metric: "kamailio.dispatcher.target.timeouts"}, unit: count},
			},
		},
		{
			title: "rtpengine nodes",
			keys:  []key{{"Node", "kamailio.rtpengine.node"}, {"Set", "kamailio.rtpengine.set"}},
			columns: []column{
				{title: "State", of: query{metric: "kamailio.rtpengine.node.state"}, state: &states{
					attribute: "kamailio.rtpengine.state", tones: map[string]tone{"enabled": good, "disabled": bad, "disabled_permanently": warn},
				}},
				{title: "Weight", of: query{metric: "kamailio.rtpengine.node.weight"}, unit: count},
			},
		},
		{
			title: "Interfaces",
			keys:  []key{{"Interface", "rtpengine.interface.name"}, {"Address", "rtpengine.interface.address"}},
			columns: []column{
				{title: "Ports in use", of: query{metric: "rtpengine.port.count", where: []string{"rtpengine.port.state", "used"}}, unit: count},
				{title: "Free ports", of: query{metric: "rtpengine.port.count", where: []string{"rtpengine.port.state", "free"}}, unit: count},
				{title: "Received", of: query{metric: "rtpengine.interface.io", where: []string{direction, receive}}, unit: byteSize},
				{title: "Sent", of: query{metric: "rtpengine.interface.io", where: []string{direction, transmit}}, unit: byteSize},
				{title: "Lost packets", of: query{metric: "rtpengine.interface.lost_packets"}, unit: count},
			},
		},
	},
}
