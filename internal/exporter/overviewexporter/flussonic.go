// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

var flussonic = &system{
	name: "Flussonic", receiver: "flussonicreceiver",
	uptime: []string{"flussonic.uptime"},
	values: []value{
		{title: "Streams online", of: query{metric: "flussonic.stream.online.count"}, unit: count, use: carried, total: totalStreams},
		{title: "Clients", of: query{metric: "flussonic.client.count"}, unit: count, use: carried, total: totalViewers},
		{title: "In", of: query{metric: "flussonic.network.throughput", where: []string{direction, receive}}, unit: bitRate, use: inbound},
		{title: "Out", of: query{metric: "flussonic.network.throughput", where: []string{direction, transmit}}, unit: bitRate, use: outbound},
		{title: "Streams", of: query{metric: "flussonic.stream.count"}, unit: count},
		{title: "Streams with errors", of: query{
			metric: "flussonic.stream.count_by_state", where: []string{"flussonic.stream.state", "error"},
		}, unit: count},
		{title: "Bandwidth in use", of: query{metric: "flussonic.bandwidth.utilization"}, unit: percent},
		{title: "CPU", of: query{metric: "flussonic.cpu.utilization"}, unit: percent},
		{title: "Scheduler", of: query{metric: "flussonic.scheduler.utilization"}, unit: percent},
		{title: "Memory", of: query{metric: "flussonic.memory.utilization"}, unit: percent},
		{title: "Fullest disk", of: query{metric: "flussonic.disk.utilization", largest: true}, unit: percent},
		{title: "Alerts", of: query{metric: "flussonic.alert.count"}, unit: count},
	},
	tables: []table{
		{
			title: "Streams", empty: "No streams. This server reports none.",
			keys: []key{{"Stream", "flussonic.stream.name"}},
			columns: []column{
				{title: "State", of: query{metric: "flussonic.stream.alive"}, state: &states{
					zero: state{"dead", bad}, other: state{"alive", good},
				}},
				{title: "Source", of: query{metric: "flussonic.stream.source.failed", largest: true}, state: &states{
					zero: state{"working", good}, other: state{"failed", bad},
				}},
				{title: "Clients", of: query{metric: "flussonic.stream.client.count"}, unit: count},
				{title: "In", of: query{metric: "flussonic.stream.throughput", where: []string{direction, receive}}, unit: bitRate},
				{title: "Out", of: query{metric: "flussonic.stream.throughput", where: []string{direction, transmit}}, unit: bitRate},
				{title: "Last frame", of: query{metric: "flussonic.stream.frame.age"}, unit: duration},
				{title: "Input errors", of: query{metric: "flussonic.stream.input.error_rate"}, unit: perSecond},
				{title: "Retries", of: query{metric: "flussonic.stream.retries"}, unit: count},
				{title: "Archive", of: query{metric: "flussonic.stream.dvr.depth"}, unit: duration},
				{title: "Age", of: query{metric: "flussonic.stream.uptime"}, unit: duration},
			},
		},
		{
			title: "Pushes",
			keys:  []key{{"Stream", "flussonic.stream.name"}, {"Push", "flussonic.push.index"}},
			columns: []column{
				{title: "State", of: query{metric: "flussonic.stream.push.state"}, state: &states{
					attribute: "flussonic.push.state",
					tones: map[string]tone{
						"running": good, "starting": warn, "pending": warn, "establishing": warn, "retry": bad, "error": bad, "stalling": bad,
					},
				}},
				{title: "Retries", of: query{metric: "flussonic.stream.push.retries"}, unit: count},
				{title: "Sent", of: query{metric: "flussonic.stream.push.io"}, unit: byteSize},
			},
		},
		{
			title: "Cluster peers",
			keys:  []key{{"Peer", "flussonic.cluster.peer"}},
			columns: []column{
				{title: "State", of: query{metric: "flussonic.cluster.peer.up"}, state: &states{
					zero: state{"down", bad}, other: state{"up", good},
				}},
			},
		},
		{
			title: "Disks",
			keys:  []key{{"Path", "flussonic.disk.path"}},
			columns: []column{
				{title: "In use", of: query{metric: "flussonic.disk.utilization"}, unit: percent},
				{title: "Size", of: query{metric: "flussonic.disk.limit"}, unit: byteSize},
				{title: "Busy", of: query{metric: "flussonic.disk.io_utilization"}, unit: percent},
			},
		},
	},
}
