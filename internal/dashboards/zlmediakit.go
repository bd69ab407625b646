// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

// zlmStream is the selector of the selected streams of ZLMediaKit.
const zlmStream = `{$servers, zlmediakit_vhost=~"$vhost", zlmediakit_app=~"$app", zlmediakit_stream_name=~"$stream"}`

// byZLMStream groups by the stream.
const byZLMStream = `by (instance, zlmediakit_vhost, zlmediakit_app, zlmediakit_stream_name)`

var zlmediakit = board{
	name:        "zlmediakit",
	title:       "ZLMediaKit",
	description: "Servers, streams, readers, proxies, RTP servers and event loops of ZLMediaKit.",
	jobs:        "(.+/)?zlmediakit",
	alerts:      "ZLMediaKit.*",
	filters: []filter{
		{"vhost", "Virtual host", "zlmediakit_vhost", "zlmediakit_stream_alive{$servers}"},
		{"app", "Application", "zlmediakit_app", "zlmediakit_stream_alive{$servers}"},
		{"stream", "Stream", "zlmediakit_stream_name", "zlmediakit_stream_alive{$servers}"},
	},
	restarts: []string{ // the API has no uptime
		`(max by (job, instance) (zlmediakit_stream_uptime_seconds{$servers}) < 120 ` +
			`and max by (job, instance) (zlmediakit_stream_uptime_seconds{$servers} offset 5m) > 300)`,
	},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: states, title: "Servers", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5},
				description: "Whether each server answers API requests. If one is down, check the process, the address and the secret. " +
					"The next panel names the error.",
				queries: []query{{`rtc_target_up{$servers}`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Failed API requests", unit: eventsPerSecond, width: 12, limits: zeroIsGood,
				description: "API requests that fail, by error. `authentication`: the secret is wrong. " +
					"`timeout`: an event loop of the server is blocked. " +
					"Metrics of a failed request are missing on this dashboard.",
				queries: []query{{
					`sum by (instance, rtc_api, error_type) (rate(rtc_scrape_errors_total{$servers}[5m])) > 0`, "{{instance}} {{rtc_api}}: {{error_type}}",
				}},
			},
			{
				kind: timeSeries, title: "Duration of API requests", unit: seconds, width: 12, limits: limits{orange: 0.5, red: 2},
				description: "How long the server takes to answer. The list of streams is built on an event loop that also serves players: " +
					"above 0.5 s, increase `collection_interval` or select fewer schemas.",
				queries: []query{{`max by (instance, rtc_api) (rtc_scrape_duration_seconds{$servers})`, "{{instance}} {{rtc_api}}"}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: stat, title: "Streams not alive", unit: count, limits: zeroIsGood,
				description: "Streams without media at the moment. The table of the longest silent ones names them.",
				queries:     []query{{`sum(zlmediakit_stream_alive` + zlmStream + ` == bool 0)`, ""}},
			},
			{
				kind: stat, title: "Proxies not playing", unit: count, limits: zeroIsGood,
				description: "Pulled and pushed streams whose connection to the other server is not established. See the row of proxies.",
				queries:     []query{{`sum(zlmediakit_proxy_count{$servers, zlmediakit_proxy_state!="playing"})`, ""}},
			},
			{
				kind: stat, title: "Idle RTP servers", unit: count, limits: limits{orange: 1, red: 10},
				description: "RTP servers that wait for a camera which does not send. Each of them occupies ports.",
				queries:     []query{{`sum(zlmediakit_rtp_server_idle_count{$servers})`, ""}},
			},
			{
				kind: stat, title: "Busiest event loop", unit: ratio, limits: limits{orange: 0.7, red: 0.9},
				description: "Utilization of the busiest thread. Above 90 %, all streams and players on this thread stutter: move streams to " +
					"another server.",
				queries: []query{{`max(zlmediakit_thread_utilization_ratio{$servers})`, ""}},
			},
			{
				kind: stat, title: "Slowest event loop", unit: seconds, limits: limits{orange: 0.1, red: 1},
				description: "Longest delay of a task. Above 1 s, something blocks the thread, such as a slow disk, DNS or a web hook.",
				queries:     []query{{`max(zlmediakit_thread_delay_seconds{$servers})`, ""}},
			},
			{
				kind: stat, title: "Omitted items", unit: count, limits: zeroIsGood,
				description: "Streams or other items that are missing here because of a limit or an equal name. " +
					"Increase the limit in the receiver's configuration.",
				queries: []query{{`sum(rtc_scrape_omitted_count{$servers}) or vector(0)`, ""}},
			},
			{
				kind: stacked, title: "Streams by state", unit: count, width: 12,
				description: "`flowing`: media arrives. `stalled`: it does not. `idle`: pulled on demand and without readers. " +
					"`source_gone`: the publisher has left, and the server keeps the stream for a while.",
				queries: []query{{`sum by (zlmediakit_stream_state) (zlmediakit_stream_count_by_state{$servers})`, "{{zlmediakit_stream_state}}"}},
			},
			{
				kind: timeSeries, title: "Delay of event loops", unit: seconds, width: 12, limits: limits{orange: 0.1, red: 1},
				description: "Longest delay of a task, by pool of threads. Delays on `network` are audible and visible to all viewers of a thread.",
				queries: []query{{
					`max by (instance, zlmediakit_thread_pool) (zlmediakit_thread_delay_seconds{$servers})`, "{{instance}} {{zlmediakit_thread_pool}}",
				}},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: stacked, title: "Streams by origin", unit: count,
				description: "Number of streams by how they arrive: pushed with RTMP, RTSP, SRT, RTP or WebRTC, pulled, or read from a file.",
				queries: []query{{
					`sum by (zlmediakit_origin_type) (zlmediakit_stream_count{$servers, zlmediakit_vhost=~"$vhost", zlmediakit_app=~"$app"})`,
					"{{zlmediakit_origin_type}}",
				}},
			},
			{
				kind: stacked, title: "Readers", unit: count,
				description: "Players and proxies that read, by server. A sudden fall means that viewers have left: look for frozen streams and " +
					"busy event loops.",
				queries: []query{{`sum by (instance) (zlmediakit_stream_reader_count` + zlmStream + `)`, "{{instance}}"}},
			},
			{
				kind: stacked, title: "Sessions by type", unit: count,
				description: "Connections to the server by type, with and without TLS. If only those over TLS disappear, the certificate is wrong.",
				queries: []query{
					{
						`sum by (zlmediakit_session_type) (zlmediakit_session_count{$servers, zlmediakit_session_tls="false"})`,
						"{{zlmediakit_session_type}}",
					},
					{
						`sum by (zlmediakit_session_type) (zlmediakit_session_count{$servers, zlmediakit_session_tls="true"})`,
						"{{zlmediakit_session_type}} over TLS",
					},
				},
			},
			{
				kind: stacked, title: "Incoming media", unit: bitsPerSecond, width: 12,
				description: "Bit rate of the media that arrives, by origin. A fall to 0 for one origin: the network to its sources fails.",
				queries: []query{{
					`8 * sum by (zlmediakit_origin_type) (rate(zlmediakit_ingest_io_bytes_total{$servers}[5m]))`, "{{zlmediakit_origin_type}}",
				}},
			},
			{
				kind: stacked, title: "Outgoing media", unit: bitsPerSecond, width: 12,
				description: "Bit rate to readers, by schema: an estimate from the bit rate of each stream and its number of readers. " +
					"Compare it with the capacity of the link.",
				queries: []query{{`8 * sum by (zlmediakit_schema) (rate(zlmediakit_egress_io_bytes_total{$servers}[5m]))`, "{{zlmediakit_schema}}"}},
			},
		}},
		{"What hurts users?", []panel{
			{
				kind: table, title: "Silent longest", unit: seconds, limits: limits{orange: 0, red: 45},
				description: "The 50 streams without media, including those of `streams::expected` that do not exist, for the longest time. " +
					"Check the publisher or the pulled source.",
				queries: []query{{
					`topk(50, max ` + byZLMStream + ` (zlmediakit_stream_silence_duration_seconds` + zlmStream +
						` and zlmediakit_stream_alive` + zlmStream + ` == 0))`, "silent for",
				}},
			},
			{
				kind: table, title: "Missing proxies and RTP servers", unit: yesNo, texts: []text{{"0", "missing", red}},
				description: "Those of `proxies::expected` and `rtp_servers::expected` that are not on the server. Something removed them, or " +
					"nothing has added them since a restart: see the system that adds them.",
				queries: []query{
					{
						`max by (instance, zlmediakit_vhost, zlmediakit_app, zlmediakit_stream_name, zlmediakit_proxy_type) ` +
							`(zlmediakit_proxy_present{$servers}) == 0`, "proxy",
					},
					{`max ` + byZLMStream + ` (zlmediakit_rtp_server_present{$servers}) == 0`, "RTP server"},
				},
			},
			{
				kind: table, title: "Proxies by reconnections", unit: count, limits: limits{orange: 1, red: 3},
				description: "Pulled and pushed streams that reconnected in the last hour. More than 3 in 15 minutes: the other server or the " +
					"network fails.",
				queries: []query{{
					`topk(20, sum by (instance, zlmediakit_app, zlmediakit_stream_name, zlmediakit_proxy_type) ` +
						`(increase(zlmediakit_proxy_reconnections_total{$servers}[1h])))`,
					"reconnections",
				}},
			},
			{
				kind: timeSeries, title: "Frame rate: actual / nominal", unit: ratio, limits: limits{orange: 0.8, red: 0.5},
				description: "Frames that arrive, as a share of the frame rate that the stream declares, lowest first. " +
					"Below 80 %, the picture stutters: check the encoder and the uplink.",
				queries: []query{{
					`bottomk(10, sum ` + byZLMStream + ` (rate(zlmediakit_stream_track_frames_total{$servers, zlmediakit_media_kind="video", ` +
						`zlmediakit_vhost=~"$vhost", zlmediakit_app=~"$app", zlmediakit_stream_name=~"$stream"}[$__rate_interval])) / sum ` + byZLMStream +
						` (zlmediakit_stream_track_frame_rate_per_second` + zlmStream + ` > 0))`,
					"{{zlmediakit_app}}/{{zlmediakit_stream_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Distance of key frames", unit: seconds, limits: limits{orange: 5, red: 10},
				description: "Seconds between key frames, longest first. A player waits that long for the first picture. " +
					"Configure the encoder to 1 to 4 s.",
				queries: []query{{
					`topk(10, max ` + byZLMStream + ` (zlmediakit_stream_track_gop_duration_seconds` + zlmStream + `))`,
					"{{zlmediakit_app}}/{{zlmediakit_stream_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Packet loss of publishers", unit: ratio, limits: limits{orange: 0.02, red: 0.05},
				description: "Share of RTP packets that are lost on the way from the publisher, highest first. Enable `zlmediakit.stream.packet_loss`.",
				queries: []query{{
					`topk(10, max ` + byZLMStream + ` (zlmediakit_stream_packet_loss_ratio` + zlmStream + `))`,
					"{{zlmediakit_app}}/{{zlmediakit_stream_name}}",
				}},
			},
		}},
		{"What runs out?", []panel{
			{
				kind: timeSeries, title: "Utilization of event loops", unit: ratio, upTo: 1, limits: limits{orange: 0.7, red: 0.9},
				description: "The ten busiest threads. A stream stays on its thread, so one busy thread hurts although others are free.",
				queries: []query{{
					`topk(10, max by (instance, zlmediakit_thread_name) (zlmediakit_thread_utilization_ratio{$servers}))`,
					"{{instance}} {{zlmediakit_thread_name}}",
				}},
			},
			{
				kind: timeSeries, title: "RTP servers", unit: count,
				description: "Open RTP servers, those without media, and the size of the range of ports. " +
					"Enable `zlmediakit.rtp_server.limit` for the size.",
				queries: []query{
					{`sum by (instance) (zlmediakit_rtp_server_count{$servers})`, "{{instance}} open"},
					{`sum by (instance) (zlmediakit_rtp_server_idle_count{$servers})`, "{{instance}} idle"},
					{`sum by (instance) (zlmediakit_rtp_server_limit{$servers})`, "{{instance}} limit"},
				},
			},
			{
				kind: timeSeries, title: "File descriptors", unit: count,
				description: "Sockets and files that the event loops watch. A steady rise with a constant number of sessions is a leak. " +
					"Compare it with `LimitNOFILE` of the service.",
				queries: []query{{`sum by (instance) (zlmediakit_thread_file_descriptor_count{$servers})`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Objects in memory", unit: count, width: 12,
				description: "Objects of the server, by type. Buffers or packets that rise for hours are a leak: plan a restart and report it.",
				queries: []query{{
					`topk(10, sum by (instance, zlmediakit_object_type) (zlmediakit_object_count{$servers}))`, "{{instance}} {{zlmediakit_object_type}}",
				}},
			},
			{
				kind: timeSeries, title: "List of streams: interval and age", unit: seconds, width: 12,
				description: "How often the receiver requests the list of streams, and how old the metrics of streams are. The receiver widens the " +
					"interval by itself if the list is expensive. An age that exceeds the interval: requests fail.",
				queries: []query{
					{`max by (instance) (zlmediakit_media_list_interval_seconds{$servers})`, "{{instance}} interval"},
					{`max by (instance) (zlmediakit_media_list_age_seconds{$servers})`, "{{instance}} age"},
				},
			},
		}},
		{"Streams", []panel{
			{
				kind: table, title: "Largest streams", unit: bitsPerSecond,
				description: "The 20 streams with the highest bit rate, and their readers.",
				units:       map[string]string{"readers": count},
				queries: []query{
					{`topk(20, 8 * max ` + byZLMStream + ` (zlmediakit_stream_throughput_bytes_per_second` + zlmStream + `))`, "bit rate"},
					{
						`max ` + byZLMStream + ` (zlmediakit_stream_reader_count` + zlmStream + `) and ` +
							`topk(20, max ` + byZLMStream + ` (zlmediakit_stream_throughput_bytes_per_second` + zlmStream + `))`, "readers",
					},
				},
			},
			{
				kind: table, title: "Most read streams", unit: count,
				description: "The 20 streams with the most readers.",
				queries:     []query{{`topk(20, max ` + byZLMStream + ` (zlmediakit_stream_reader_count` + zlmStream + `))`, "readers"}},
			},
			{
				kind: states, title: "Recordings", unit: yesNo, texts: isActive,
				description: "Whether each recorded stream is written at the moment. If a recording stops while the stream is alive, check the disk.",
				queries: []query{{
					`topk(20, max by (instance, zlmediakit_app, zlmediakit_stream_name, zlmediakit_recording_format) ` +
						`(zlmediakit_stream_recording_active` + zlmStream + `))`,
					"{{zlmediakit_app}}/{{zlmediakit_stream_name}} {{zlmediakit_recording_format}}",
				}},
			},
		}},
	},
}
