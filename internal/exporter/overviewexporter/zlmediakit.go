// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package overviewexporter

var zlmediakit = &system{
	name: "ZLMediaKit", receiver: "zlmediakitreceiver",
	values: []value{
		{title: "Streams", of: query{metric: "zlmediakit.stream.count"}, unit: count, use: carried, total: totalStreams},
		{title: "Viewers", of: query{metric: "zlmediakit.stream.reader.count"}, unit: count, use: carried, total: totalViewers},
		{title: "In", of: query{metric: "zlmediakit.ingest.throughput"}, unit: bitRate, use: inbound},
		{title: "Out", of: query{metric: "zlmediakit.egress.throughput"}, unit: bitRate, use: outbound},
		{title: "Stalled streams", of: query{
			metric: "zlmediakit.stream.count_by_state", where: []string{"zlmediakit.stream.state", "stalled"},
		}, unit: count},
		{title: "Sessions", of: query{metric: "zlmediakit.session.count"}, unit: count},
		{title: "MP4 recordings", of: query{
			metric: "zlmediakit.stream.recording.count", where: []string{"zlmediakit.recording.format", "mp4"},
		}, unit: count},
		{title: "Failed proxies", of: query{
			metric: "zlmediakit.proxy.count", where: []string{"zlmediakit.proxy.state", "failed"},
		}, unit: count},
		{title: "RTP servers", of: query{metric: "zlmediakit.rtp_server.count"}, unit: count},
		{title: "Busiest thread", of: query{metric: "zlmediakit.thread.utilization", largest: true}, unit: percent},
		{title: "Longest thread delay", of: query{metric: "zlmediakit.thread.delay", largest: true}, unit: duration},
		{title: "Sources", of: query{metric: "zlmediakit.media_source.count"}, unit: count},
	},
	tables: []table{
		{
			title: "Streams", empty: "No streams. This server reports none.",
			keys: []key{{"Stream", "zlmediakit.stream.name"}, {"App", "zlmediakit.app"}, {"Virtual host", "zlmediakit.vhost"}},
			columns: []column{
				{title: "State", of: query{metric: "zlmediakit.stream.alive"}, state: &states{
					zero: state{"silent", bad}, other: state{"alive", good},
				}},
				{title: "Viewers", of: query{metric: "zlmediakit.stream.reader.count"}, unit: count},
				{title: "Bit rate", of: query{metric: "zlmediakit.stream.throughput", largest: true}, unit: bitRate},
				{title: "Frame rate", of: query{
					metric: "zlmediakit.stream.track.frame_rate", where: []string{"zlmediakit.media.kind", "video"}, largest: true,
				}, unit: frameRate},
				{title: "Packet loss", of: query{metric: "zlmediakit.stream.packet_loss", largest: true}, unit: percent},
				{title: "MP4", of: query{
					metric: "zlmediakit.stream.recording.active", where: []string{"zlmediakit.recording.format", "mp4"},
				}, state: &states{
					zero: state{"off", neutral}, other: state{"recording", good},
				}},
				{title: "Silence", of: query{metric: "zlmediakit.stream.silence.duration"}, unit: duration},
				{title: "Age", of: query{metric: "zlmediakit.stream.uptime"}, unit: duration},
			},
		},
		{
			title: "Proxies",
			keys: []key{
				{"Stream", "zlmediakit.stream.name"}, {"App", "zlmediakit.app"}, {"Type", "zlmediakit.proxy.type"}, {"Key", "zlmediakit.proxy.key"},
			},
			columns: []column{
				{title: "State", of: query{metric: "zlmediakit.proxy.state"}, state: &states{
					attribute: "zlmediakit.proxy.state", tones: map[string]tone{"playing": good, "connecting": warn, "failed": bad, "shutdown": bad},
				}},
				{title: "Bit rate", of: query{metric: "zlmediakit.proxy.throughput"}, unit: bitRate},
				{title: "Viewers", of: query{metric: "zlmediakit.proxy.reader.count"}, unit: count},
				{title: "Reconnections", of: query{metric: "zlmediakit.proxy.reconnections"}, unit: count},
				{title: "Age", of: query{metric: "zlmediakit.proxy.age"}, unit: duration},
			},
		},
	},
}
