// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

// onDemandExcepted restricts streams of Flussonic to those that run without viewers. Streams on demand without viewers are not at fault.
const onDemandExcepted = ` unless on (job, instance, flussonic_stream_name) flussonic_stream_static == 0`

var flussonic = board{
	name:        "flussonic",
	title:       "Flussonic",
	description: "Servers, streams, viewers, archives, disks and transcoders of Flussonic Media Server.",
	jobs:        "(.+/)?flussonic",
	alerts:      "Flussonic.*",
	filters:     []filter{{"stream", "Stream", "flussonic_stream_name", "flussonic_stream_alive{$servers}"}},
	restarts:    []string{`resets(flussonic_uptime_seconds{$servers}[$__rate_interval]) > 0`},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: states, title: "Servers", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5},
				description: "Whether each server answers the API. If one is down, check the process, the address and the password.",
				queries:     []query{{`rtc_target_up{$servers}`, "{{instance}}"}},
			},
			{
				kind: states, title: "State", unit: yesNo, texts: isActive, width: 12,
				description: "State that the server reports: `running`, `starting`, or a problem with its license or configuration. " +
					"With `no_license` or `license_failure`, streams stop.",
				queries: []query{{`flussonic_state{$servers} == 1`, "{{instance}} {{flussonic_state}}"}},
			},
			{
				kind: states, title: "Peers of the cluster", unit: yesNo, width: 12,
				texts: []text{{"0", "down", red}, {"1", "up", green}, {"2", "not running", orange}},
				description: "Whether each server reaches its peers. Streams that are pulled from a missing peer stop. " +
					"Enable `flussonic.cluster.peer.state` for the states of peers that are not running.",
				queries: []query{
					{`flussonic_cluster_peer_up{$servers}`, "{{instance}} to {{flussonic_cluster_peer}}"},
					{
						`2 * flussonic_cluster_peer_state{$servers, flussonic_state!="running"} > 0`,
						"{{instance}} to {{flussonic_cluster_peer}}: {{flussonic_state}}",
					},
				},
			},
			{
				kind: stat, title: "Uptime", unit: uptime, decimals: 1, width: 8, limits: limits{orange: 3600, red: 600},
				description: "Time since the start of each server. A short time that nobody planned is a crash.",
				queries:     []query{{`flussonic_uptime_seconds{$servers}`, "{{instance}}"}},
			},
			{
				kind: stat, title: "Problems reported", unit: count, limits: zeroIsGood,
				description: "Alerts that the servers raise themselves. Open the web interface of the server to read them.",
				queries:     []query{{`sum(flussonic_alert_count{$servers})`, ""}},
			},
			{
				kind: stat, title: "Invalid configurations", unit: count, limits: zeroIsGood,
				description: "Servers whose configuration has errors. They run with the last valid one.",
				queries:     []query{{`sum(flussonic_config_invalid{$servers})`, ""}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: stacked, title: "Streams by state", unit: count,
				description: "`running`: media arrives. `waiting`: on demand and without viewers. `error`: the source fails.",
				queries:     []query{{`sum by (flussonic_stream_state) (flussonic_stream_count_by_state{$servers})`, "{{flussonic_stream_state}}"}},
			},
			{
				kind: timeSeries, title: "Streams in error", unit: ratio, limits: limits{orange: 0.05, red: 0.1},
				description: "Share of the streams that are in error. If it rises on one server, check its network; on all servers, check the origin.",
				queries: []query{{
					`sum by (instance) (flussonic_stream_count_by_state{$servers, flussonic_stream_state="error"}) / ` +
						`sum by (instance) (flussonic_stream_count_by_state{$servers, flussonic_stream_state!="disabled"})`, "{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "Load of scheduler and bandwidth", unit: ratio, upTo: 1, limits: limits{orange: 0.85, red: 0.95},
				description: "Utilization of Flussonic's threads and of the bandwidth that is configured for the server. " +
					"Above 85 %, streams stutter: move some to another server.",
				queries: []query{
					{`flussonic_scheduler_utilization_ratio{$servers}`, "{{instance}} scheduler"},
					{`flussonic_bandwidth_utilization_ratio{$servers}`, "{{instance}} bandwidth"},
				},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: stacked, title: "Viewers", unit: count,
				description: "Clients of each server. A fall of more than a third within 10 minutes is an outage that viewers noticed.",
				queries:     []query{{`sum by (instance) (flussonic_client_count{$servers})`, "{{instance}}"}},
			},
			{
				kind: stacked, title: "Sessions by protocol", unit: count,
				description: "Open sessions of viewers. If those of one protocol disappear, its port or a proxy before the server fails.",
				queries:     []query{{`sum by (flussonic_protocol) (flussonic_play_session_count{$servers})`, "{{flussonic_protocol}}"}},
			},
			{
				kind: timeSeries, title: "Throughput", unit: bitsPerSecond,
				description: "Incoming and outgoing bit rate of each server.",
				queries: []query{{
					`8 * sum by (instance, network_io_direction) (flussonic_network_throughput_bytes_per_second{$servers})`,
					"{{instance}} {{network_io_direction}}",
				}},
			},
		}},
		{"What hurts viewers?", []panel{
			{
				kind: table, title: "Streams that are not alive", unit: yesNo,
				texts: []text{{"0", "down", red}, {"2", "failed", red}},
				description: "Streams without media, other than those on demand, and streams whose source fails, with the server's code for the " +
					"error. It includes the streams of `streams::expected` that do not exist. Check the source.",
				queries: []query{
					{
						`max by (instance, flussonic_stream_name) ` +
							`((flussonic_stream_alive{$servers, flussonic_stream_name=~"$stream"} == 0)` + onDemandExcepted + `)`, "alive",
					},
					{
						`2 * max by (instance, flussonic_stream_name, error_type) ` +
							`(flussonic_stream_source_failed{$servers, flussonic_stream_name=~"$stream"}) > 0`, "source",
					},
				},
			},
			{
				kind: table, title: "Oldest frames", unit: seconds, limits: limits{orange: 5, red: 12},
				description: "Time since the last frame of streams that should always run. Above 12 s, the picture is frozen.",
				queries: []query{{
					`topk(20, max by (instance, flussonic_stream_name) ` +
						`(flussonic_stream_frame_age_seconds{$servers, flussonic_stream_name=~"$stream"}` + onDemandExcepted + `))`,
					"age",
				}},
			},
			{
				kind: timeSeries, title: "Retries of sources", unit: count, width: 12, limits: limits{orange: 1, red: 5},
				description: "How often streams reconnected to their source in the last 15 minutes, ten worst. " +
					"More than 5: the source or the network flaps.",
				queries: []query{{
					`topk(10, sum by (instance, flussonic_stream_name) ` +
						`(increase(flussonic_stream_retries_total{$servers, flussonic_stream_name=~"$stream"}[15m])))`,
					"{{flussonic_stream_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Errors of inputs", unit: eventsPerSecond, width: 12, limits: limits{orange: 1, red: 10},
				description: "Errors of the ten worst inputs, such as lost packets. Viewers see artifacts: check the uplink of the source.",
				queries: []query{{
					`topk(10, sum by (instance, flussonic_stream_name) ` +
						`(rate(flussonic_stream_input_errors_total{$servers, flussonic_stream_name=~"$stream"}[5m])))`,
					"{{flussonic_stream_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Errors of inputs by type", unit: eventsPerSecond, width: 12,
				description: "Errors in the data of all inputs, and faulty packets of the worst MPEG transport streams. `continuity`: packets are " +
					"lost. `scrambled`: the stream is encrypted. `404`: the source does not have the stream.",
				queries: []query{
					{`sum by (instance, error_type) (rate(flussonic_input_errors_by_type_total{$servers}[5m])) > 0`, "{{instance}} {{error_type}}"},
					{
						`topk(5, sum by (instance, flussonic_stream_name, error_type) ` +
							`(rate(flussonic_stream_input_mpegts_errors_total{$servers, flussonic_stream_name=~"$stream"}[5m])) > 0)`,
						"{{flussonic_stream_name}} MPEG-TS {{error_type}}",
					},
				},
			},
			{
				kind: timeSeries, title: "Packets lost by SRT inputs", unit: packetsPerSecond, width: 12,
				description: "Lost packets, and those that were dropped because they came too late. " +
					"Increase the latency of the input if the loss is constant.",
				queries: []query{
					{
						`topk(5, rate(flussonic_stream_input_srt_lost_packets_total{$servers, flussonic_stream_name=~"$stream"}[5m]))`,
						"{{flussonic_stream_name}} lost",
					},
					{
						`topk(5, rate(flussonic_stream_input_srt_dropped_packets_total{$servers, flussonic_stream_name=~"$stream"}[5m]))`,
						"{{flussonic_stream_name}} dropped",
					},
				},
			},
			{
				kind: states, title: "Streams on a backup source", unit: yesNo, texts: isWrong, width: 12,
				description: "Streams that have a backup source, and whether they use it. Repair the primary source while the backup still runs.",
				queries: []query{{
					`topk(20, flussonic_stream_backup_active{$servers, flussonic_stream_name=~"$stream"})`, "{{flussonic_stream_name}}",
				}},
			},
			{
				kind: states, title: "Pushes", unit: yesNo, texts: isActive, width: 12,
				description: "State of streams that are pushed to other servers. `error`, `retry` and `stalling`: the other side does not accept " +
					"the stream.",
				queries: []query{{
					`flussonic_stream_push_state{$servers, flussonic_stream_name=~"$stream"} == 1`,
					"{{flussonic_stream_name}} #{{flussonic_push_index}}: {{flussonic_push_state}}",
				}},
			},
		}},
		{"What runs out?", []panel{
			{
				kind: timeSeries, title: "CPU and memory", unit: ratio, upTo: 1, limits: limits{orange: 0.85, red: 0.95},
				description: "Utilization of the machine, as the server reports it.",
				queries: []query{
					{`flussonic_cpu_utilization_ratio{$servers}`, "{{instance}} CPU"},
					{`flussonic_memory_utilization_ratio{$servers}`, "{{instance}} memory"},
				},
			},
			{
				kind: timeSeries, title: "Space on disks", unit: ratio, upTo: 1, limits: limits{orange: 0.9, red: 0.97},
				description: "Used share of each disk. The disks of archives fill up to their `disk_usage_limit` on purpose.",
				queries: []query{
					{`flussonic_disk_utilization_ratio{$servers}`, "{{instance}} {{flussonic_disk_path}}"},
					{`flussonic_dvr_disk_utilization_ratio{$servers}`, "{{instance}} archive {{flussonic_dvr_name}} {{flussonic_dvr_disk}}"},
				},
			},
			{
				kind: timeSeries, title: "Load of disks", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.95},
				description: "Share of time in which the disk is busy. Above 80 %, recordings get gaps and viewers of archives wait.",
				queries:     []query{{`flussonic_disk_io_utilization_ratio{$servers}`, "{{instance}} {{flussonic_disk_path}}"}},
			},
			{
				kind: timeSeries, title: "GPUs", unit: ratio, upTo: 1, limits: limits{orange: 0.9, red: 0.95},
				description: "Utilization of encoder, decoder and memory. At 100 %, transcoded streams lose frames.",
				queries: []query{
					{`flussonic_gpu_encoder_utilization_ratio{$servers}`, "{{instance}} {{flussonic_gpu_id}} encoder"},
					{`flussonic_gpu_decoder_utilization_ratio{$servers}`, "{{instance}} {{flussonic_gpu_id}} decoder"},
					{`flussonic_gpu_memory_utilization_ratio{$servers}`, "{{instance}} {{flussonic_gpu_id}} memory"},
				},
			},
			{
				kind: timeSeries, title: "Temperature of GPUs", unit: celsius, limits: limits{orange: 80, red: 85},
				description: "Above 85 °C, the GPU reduces its clock: check fans and air flow.",
				queries:     []query{{`flussonic_gpu_temperature_celsius{$servers}`, "{{instance}} {{flussonic_gpu_id}}"}},
			},
			{
				kind: timeSeries, title: "Transcoders", unit: count, limits: zeroIsGood,
				description: "Streams whose transcoder is overloaded, and restarts of transcoders in the last 15 minutes. " +
					"Reduce the number of qualities.",
				queries: []query{
					{`sum by (instance) (flussonic_stream_transcoder_overloaded{$servers, flussonic_stream_name=~"$stream"})`, "{{instance}} overloaded"},
					{
						`sum by (instance) (increase(flussonic_stream_transcoder_restarts_total{$servers, flussonic_stream_name=~"$stream"}[15m]))`,
						"{{instance}} restarts",
					},
				},
			},
		}},
		{"Archives", []panel{
			{
				kind: states, title: "Disks of archives", unit: yesNo,
				texts:       []text{{"0", "not mounted", red}, {"1", "mounted", green}, {"2", "degraded", orange}},
				description: "Whether the disks of archives are mounted and not degraded. Nothing is recorded on a disk that is not mounted.",
				queries: []query{{
					`flussonic_dvr_disk_mounted{$servers} + (flussonic_dvr_disk_degraded{$servers} or 0 * flussonic_dvr_disk_mounted{$servers})`,
					"{{instance}} {{flussonic_dvr_name}} {{flussonic_dvr_disk}}",
				}},
			},
			{
				kind: timeSeries, title: "Writing of segments and errors of archives", unit: eventsPerSecond, width: 24,
				description: "Segments that are written, by outcome, and errors of reading, writing and deleting. `failed`, `skipped` and " +
					"`collapsed` leave gaps; `slow` and `delayed`: the disk is too slow. With errors, check the disk and its file system.",
				queries: []query{
					{
						`sum by (flussonic_dvr_write_outcome) ` +
							`(rate(flussonic_stream_dvr_segment_writes_total{$servers, flussonic_stream_name=~"$stream"}[$__rate_interval]))`,
						"segments {{flussonic_dvr_write_outcome}}",
					},
					{
						`sum by (instance, flussonic_dvr_name, flussonic_dvr_operation) (rate(flussonic_dvr_errors_total{$servers}[5m])) > 0`,
						"{{instance}} {{flussonic_dvr_name}} errors of {{flussonic_dvr_operation}}",
					},
				},
			},
			{
				kind: table, title: "Depth of archives", unit: days, decimals: 1,
				description: "How far the archive reaches back, and the recorded time in it. The difference is gaps.",
				units:       map[string]string{"size": sizeInBytes},
				queries: []query{
					{
						`max by (instance, flussonic_stream_name) (flussonic_stream_dvr_depth_seconds{$servers, flussonic_stream_name=~"$stream"}) / 86400`,
						"depth",
					},
					{
						`max by (instance, flussonic_stream_name) (flussonic_stream_dvr_duration_seconds{$servers, flussonic_stream_name=~"$stream"}) / ` +
							`86400`, "recorded",
					},
					{
						`max by (instance, flussonic_stream_name) (flussonic_stream_dvr_disk_usage_bytes{$servers, flussonic_stream_name=~"$stream"})`,
						"size",
					},
				},
			},
			{
				kind: table, title: "Streams by viewers", unit: count,
				description: "The 20 streams with the most viewers, their bit rates, and whether they are pulled from another Flussonic. The viewers " +
					"of a pulled stream are not those of its origin.",
				units: map[string]string{"incoming": bitsPerSecond, "outgoing": bitsPerSecond, "pulled": yesNo},
				queries: []query{
					{
						`topk(20, max by (instance, flussonic_stream_name) (flussonic_stream_client_count{$servers, flussonic_stream_name=~"$stream"}))`,
						"viewers",
					},
					{
						`8 * sum by (instance, flussonic_stream_name) ` +
							`(flussonic_stream_throughput_bytes_per_second{$servers, flussonic_stream_name=~"$stream", network_io_direction="receive"}) ` +
							`and topk(20, max by (instance, flussonic_stream_name) (flussonic_stream_client_count{$servers, flussonic_stream_name=~"$stream"}))`,
						"incoming",
					},
					{
						`8 * sum by (instance, flussonic_stream_name) ` +
							`(flussonic_stream_throughput_bytes_per_second{$servers, flussonic_stream_name=~"$stream", network_io_direction="transmit"}) ` +
							`and topk(20, max by (instance, flussonic_stream_name) (flussonic_stream_client_count{$servers, flussonic_stream_name=~"$stream"}))`,
						"outgoing",
					},
					{
						`max by (instance, flussonic_stream_name) (flussonic_stream_remote{$servers, flussonic_stream_name=~"$stream"}) ` +
							`and topk(20, max by (instance, flussonic_stream_name) (flussonic_stream_client_count{$servers, flussonic_stream_name=~"$stream"}))`,
						"pulled",
					},
				},
			},
		}},
	},
}
