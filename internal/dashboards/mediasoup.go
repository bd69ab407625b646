// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

var mediasoup = board{
	name:        "mediasoup",
	title:       "mediasoup",
	description: "Workers, transports, producers, consumers and rooms of applications with mediasoup.",
	jobs:        "(.+/)?mediasoup",
	alerts:      "Mediasoup.*",
	filters: []filter{
		{"worker", "Worker", "mediasoup_worker_id", "mediasoup_worker_cpu_time_seconds_total{$servers}"},
		{"room", "Room", "mediasoup_room_name", "mediasoup_room_uptime_seconds{$servers}"},
	},
	restarts: []string{`resets(mediasoup_uptime_seconds{$servers}[$__rate_interval]) > 0`},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: states, title: "Applications", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5},
				description: "Whether the agent in each application answers. If it is down, the process has ended or its event loop is blocked.",
				queries:     []query{{`rtc_target_up{$servers}`, "{{instance}}"}},
			},
			{
				kind: stat, title: "Uptime", unit: uptime, decimals: 1, width: 8, limits: limits{orange: 3600, red: 600},
				description: "Time since the start of each application. All participants were disconnected at that time.",
				queries:     []query{{`mediasoup_uptime_seconds{$servers}`, "{{instance}}"}},
			},
			{
				kind: stat, title: "Workers", unit: count,
				description: "Workers that run. Fewer than usual: one has died and was not replaced.",
				queries:     []query{{`sum(mediasoup_worker_count{$servers})`, ""}},
			},
			{
				kind: stat, title: "Workers that hang", unit: count, limits: zeroIsGood,
				description: "Workers that do not answer the agent. Their participants have no media: restart the application or move its rooms.",
				queries:     []query{{`sum(mediasoup_worker_responsive{$servers} == bool 0)`, ""}},
			},
			{
				kind: stat, title: "Deaths of workers, last hour", unit: count, decimals: 1, limits: zeroIsGood,
				description: "Workers that ended without request. All rooms of a worker end with it: see the log of the application.",
				queries:     []query{{`sum(increase(mediasoup_worker_deaths_total{$servers}[1h]))`, ""}},
			},
			{
				kind: stat, title: "Coverage", unit: ratio, decimals: 1, limits: limits{orange: 1, red: 0.9},
				description: "Share of the objects whose statistics the agent could read in time. " +
					"Below 100 %, sums on this dashboard are partly older values.",
				queries: []query{{`min(mediasoup_agent_coverage_ratio{$servers})`, ""}},
			},
			{
				kind: timeSeries, title: "Objects without current statistics", unit: count, width: 12, limits: zeroIsGood,
				description: "Objects that the agent skipped. `limit`: increase it in the agent. `error`: the worker hangs. " +
					"`carried`: read in an earlier collection.",
				queries: []query{{
					`sum by (instance, rtc_entity, mediasoup_skip_reason) (mediasoup_agent_skipped_count{$servers})`,
					"{{instance}} {{rtc_entity}} {{mediasoup_skip_reason}}",
				}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: timeSeries, title: "CPU of workers", unit: ratio, upTo: 1, limits: limits{orange: 0.7, red: 0.85},
				description: "Utilization of the ten busiest workers. A worker uses one core: above 85 %, it loses packets. " +
					"Distribute rooms to more workers.",
				queries: []query{{
					`topk(10, sum by (instance, mediasoup_worker_id) ` +
						`(rate(mediasoup_worker_cpu_time_seconds_total{$servers, mediasoup_worker_id=~"$worker"}[$__rate_interval])))`,
					"{{instance}} {{mediasoup_worker_id}}",
				}},
			},
			{
				kind: timeSeries, title: "Delay of the event loop", unit: seconds, limits: limits{orange: 0.1, red: 1},
				description: "How late the event loop of Node.js is. Above 0.1 s, joining is slow: look for blocking code in the application.",
				queries: []query{
					{`mediasoup_agent_event_loop_lag_seconds{$servers}`, "{{instance}} now"},
					{`mediasoup_agent_event_loop_delay_p99_seconds{$servers}`, "{{instance}} 99th percentile"},
				},
			},
			{
				kind: timeSeries, title: "Duration of the agent's collection", unit: seconds,
				description: "How long the agent takes to read all statistics. If it approaches the collection interval, the coverage falls.",
				queries:     []query{{`mediasoup_agent_collection_duration_seconds{$servers}`, "{{instance}}"}},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: timeSeries, title: "Rooms and transports", unit: count,
				description: "Rooms or routers, and transports of participants. A sudden fall is an outage that users noticed.",
				queries: []query{
					{`sum(mediasoup_router_count{$servers, mediasoup_worker_id=~"$worker"})`, "routers"},
					{`sum by (mediasoup_transport_type) (mediasoup_transport_count{$servers})`, "{{mediasoup_transport_type}} transports"},
				},
			},
			{
				kind: stacked, title: "Producers", unit: count,
				description: "Audio and video tracks that participants send, without pipes between routers.",
				queries: []query{{
					`sum by (mediasoup_media_kind) (mediasoup_producer_count{$servers, mediasoup_transport_type!="pipe"})`, "{{mediasoup_media_kind}}",
				}},
			},
			{
				kind: stacked, title: "Consumers", unit: count,
				description: "Audio and video tracks that participants receive, without pipes between routers.",
				queries: []query{{
					`sum by (mediasoup_media_kind) (mediasoup_consumer_count{$servers, mediasoup_transport_type!="pipe"})`, "{{mediasoup_media_kind}}",
				}},
			},
			{
				kind: timeSeries, title: "Media of participants", unit: bitsPerSecond,
				description: "Bit rate of all transports but pipes.",
				queries: []query{{
					`8 * sum by (instance, network_io_direction) ` +
						`(mediasoup_transport_throughput_bytes_per_second{$servers, mediasoup_transport_type!="pipe"})`,
					"{{instance}} {{network_io_direction}}",
				}},
			},
			{
				kind: timeSeries, title: "Media of pipes", unit: bitsPerSecond,
				description: "Bit rate between routers, on the same host or others. 0 with open pipes: media does not reach the other workers.",
				queries: []query{{
					`8 * sum by (instance, network_io_direction) ` +
						`(mediasoup_transport_throughput_bytes_per_second{$servers, mediasoup_transport_type="pipe"})`,
					"{{instance}} {{network_io_direction}}",
				}},
			},
			{
				kind: timeSeries, title: "Outgoing media by worker", unit: bitsPerSecond,
				description: "The ten workers that send most.",
				queries: []query{{
					`topk(10, 8 * sum by (instance, mediasoup_worker_id) ` +
						`(mediasoup_worker_throughput_bytes_per_second{$servers, mediasoup_worker_id=~"$worker", network_io_direction="transmit"}))`,
					"{{instance}} {{mediasoup_worker_id}}",
				}},
			},
		}},
		{"What hurts users?", []panel{
			{
				kind: timeSeries, title: "Failed connections", unit: ratio, limits: limits{orange: 0.1, red: 0.2},
				description: "Share of transports that closed without ever connecting. Check the announced address, firewalls and TURN.",
				queries: []query{{
					`sum by (instance) (rate(mediasoup_transport_unconnected_closures_total{$servers}[15m])) / ` +
						`(sum by (instance) (rate(mediasoup_transport_unconnected_closures_total{$servers}[15m])) + ` +
						`sum by (instance) (rate(mediasoup_transport_dtls_connections_total{$servers}[15m])))`, "{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "Time to connect and to first media", unit: seconds, limits: limits{orange: 2, red: 5},
				description: "Average time from the creation of a transport to its connection, and from the creation of a producer to its first " +
					"packet.",
				queries: []query{
					{
						`sum(rate(mediasoup_transport_connection_time_seconds_total{$servers}[15m])) ` +
							`/ sum(rate(mediasoup_transport_dtls_connections_total{$servers}[15m]))`,
						"to connect",
					},
					{
						`sum by (mediasoup_media_kind) (rate(mediasoup_producer_start_time_seconds_total{$servers}[15m])) / ` +
							`sum by (mediasoup_media_kind) (rate(mediasoup_producer_starts_total{$servers}[15m]))`, "to first {{mediasoup_media_kind}}",
					},
				},
			},
			{
				kind: stacked, title: "Transports by ICE state", unit: count,
				description: "`new`: not connected yet. Many for a long time: participants cannot reach the server. " +
					"`disconnected`: the network of a participant is gone.",
				queries: []query{{`sum by (mediasoup_ice_state) (mediasoup_transport_count_by_ice_state{$servers})`, "{{mediasoup_ice_state}}"}},
			},
			{
				kind: timeSeries, title: "Packet loss", unit: ratio, limits: limits{orange: 0.02, red: 0.05},
				description: "Share of packets that are lost from and to participants. Above 5 %, audio has gaps and video freezes.",
				queries: []query{
					{
						`sum by (mediasoup_media_kind) (rate(mediasoup_producer_packet_losses_total{$servers}[5m])) / ` +
							`sum by (mediasoup_media_kind) (rate(mediasoup_producer_packets_total{$servers}[5m]))`, "{{mediasoup_media_kind}} from participants",
					},
					{
						`sum by (mediasoup_media_kind) (rate(mediasoup_consumer_packet_losses_total{$servers}[5m])) / ` +
							`sum by (mediasoup_media_kind) (rate(mediasoup_consumer_packets_total{$servers}[5m]))`, "{{mediasoup_media_kind}} to participants",
					},
				},
			},
			{
				kind: timeSeries, title: "Average round-trip time", unit: seconds, limits: limits{orange: 0.3, red: 0.6},
				description: "Average over the consumers. If it is high for all, participants are far away; if it rises suddenly, a link is full.",
				queries:     []query{{`mediasoup_consumer_round_trip_time_average_seconds{$servers}`, "{{instance}} {{mediasoup_media_kind}}"}},
			},
			{
				kind: timeSeries, title: "Average score", unit: count, decimals: 1, upTo: 10, limits: limits{orange: 8, red: 7},
				description: "mediasoup's own rating of the streams, 0 to 10. Below 7, quality is visibly bad.",
				queries: []query{
					{`mediasoup_producer_score_average{$servers}`, "{{instance}} {{mediasoup_media_kind}} from participants"},
					{`mediasoup_consumer_score_average{$servers}`, "{{instance}} {{mediasoup_media_kind}} to participants"},
				},
			},
			{
				kind: stacked, title: "Consumers by round-trip time", unit: count,
				description: "Number of streams to participants, by upper bound of the round-trip time in seconds.",
				queries: []query{{
					`sum by (mediasoup_round_trip_time_bound) (mediasoup_consumer_stream_count_by_round_trip_time{$servers})`,
					"up to {{mediasoup_round_trip_time_bound}} s",
				}},
			},
			{
				kind: timeSeries, title: "Silent tracks", unit: count, limits: zeroIsGood,
				description: "Tracks that are open, not paused and carry nothing. The participants are not heard or seen.",
				queries: []query{
					{`sum by (mediasoup_media_kind) (mediasoup_producer_silent_count{$servers})`, "{{mediasoup_media_kind}} from participants"},
					{`sum by (mediasoup_media_kind) (mediasoup_consumer_silent_count{$servers})`, "{{mediasoup_media_kind}} to participants"},
				},
			},
			{
				kind: timeSeries, title: "Requests for repair", unit: eventsPerSecond,
				description: "RTCP messages of receivers: `nack` requests lost packets, `pli` and `fir` request key frames. " +
					"A storm of `pli` costs bandwidth.",
				queries: []query{
					{`sum by (mediasoup_rtcp_type) (rate(mediasoup_producer_rtcp_messages_total{$servers}[5m]))`, "{{mediasoup_rtcp_type}} to senders"},
					{
						`sum by (mediasoup_rtcp_type) (rate(mediasoup_consumer_rtcp_messages_total{$servers}[5m]))`, "{{mediasoup_rtcp_type}} from receivers",
					},
				},
			},
		}},
		{"What runs out?", []panel{
			{
				kind: timeSeries, title: "Memory", unit: sizeInBytes,
				description: "Memory of the workers and of the application. A steady rise with a constant number of rooms is a leak.",
				queries: []query{
					{
						`topk(10, mediasoup_worker_memory_usage_bytes{$servers, mediasoup_worker_id=~"$worker"})`,
						"{{instance}} worker {{mediasoup_worker_id}}",
					},
					{`mediasoup_process_memory_usage_bytes{$servers}`, "{{instance}} application"},
				},
			},
			{
				kind: timeSeries, title: "Consumers by worker", unit: count, limits: limits{orange: 400, red: 500},
				description: "The ten workers with the most consumers. More than 500 on one core is the rule of thumb of mediasoup's authors.",
				queries: []query{{
					`topk(10, max by (instance, mediasoup_worker_id) (mediasoup_consumer_count_by_worker{$servers, mediasoup_worker_id=~"$worker"}))`,
					"{{instance}} {{mediasoup_worker_id}}",
				}},
			},
			{
				kind: timeSeries, title: "Empty routers, failed transports", unit: count, limits: limits{orange: 1, red: 10},
				description: "Routers without transports, which the application forgot to close, and transports that could not be created in the " +
					"last 15 minutes. `no_port`: increase the range of ports.",
				queries: []query{
					{`sum by (instance) (mediasoup_router_empty_count{$servers})`, "{{instance}} empty routers"},
					{`sum by (instance, error_type) (increase(mediasoup_transport_failed_creations_total{$servers}[15m]))`, "{{instance}} {{error_type}}"},
				},
			},
		}},
		{"Rooms (with rooms::labels)", []panel{
			{
				kind: table, title: "Worst rooms", unit: count, decimals: 1, limits: limits{orange: 8, red: 7},
				description: "The rooms with the lowest average score, and their loss and round-trip time. Configure `rooms::labels` to see rooms.",
				units:       map[string]string{"highest loss": ratio, "round trip": seconds},
				queries: []query{
					{
						`bottomk(20, min by (instance, mediasoup_room_name) (mediasoup_room_score_average{$servers, mediasoup_room_name=~"$room"}))`, "score",
					},
					{
						`max by (instance, mediasoup_room_name) (mediasoup_room_packet_loss_max_ratio{$servers, mediasoup_room_name=~"$room"})`,
						"highest loss",
					},
					{
						`max by (instance, mediasoup_room_name) (mediasoup_room_round_trip_time_average_seconds{$servers, mediasoup_room_name=~"$room"})`,
						"round trip",
					},
				},
			},
			{
				kind: table, title: "Largest rooms", unit: bitsPerSecond,
				description: "The rooms that send most, and their transports.",
				units:       map[string]string{"transports": count},
				queries: []query{
					{
						`topk(20, 8 * sum by (instance, mediasoup_room_name) ` +
							`(mediasoup_room_throughput_bytes_per_second{$servers, mediasoup_room_name=~"$room", network_io_direction="transmit"}))`, "outgoing",
					},
					{`max by (instance, mediasoup_room_name) (mediasoup_room_transport_count{$servers, mediasoup_room_name=~"$room"})`, "transports"},
				},
			},
		}},
	},
}
