// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

var jitsi = board{
	name:        "jitsi",
	title:       "Jitsi",
	description: "Bridges (JVB), the focus (Jicofo), SIP gateways (Jigasi) and recorders (Jibri) of Jitsi Meet.",
	jobs:        "(.+/)?jitsi-.+",
	processes: []process{
		{"videobridge", "Bridge", "(.+/)?jitsi-videobridge"},
		{"jicofo", "Jicofo", "(.+/)?jitsi-jicofo"},
		{"jigasi", "Jigasi", "(.+/)?jitsi-jigasi"},
		{"jibri", "Jibri", "(.+/)?jitsi-jibri"},
	},
	alerts:   "Jitsi.*",
	filters:  []filter{{"bridge", "Bridge in Jicofo", "jitsi_bridge_id", "jitsi_jicofo_bridge_endpoint_count{$jicofos}"}},
	restarts: []string{`resets(jitsi_jvb_uptime_seconds{$videobridges}[$__rate_interval]) > 0`},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: states, title: "Components", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5},
				description: "Whether each component answers. A bridge that is down: its conferences move to others. " +
					"Without Jicofo, no conference can start.",
				queries: []query{
					{`rtc_target_up{$videobridges, job=~"(.+/)?jitsi-videobridge"}`, "bridge {{instance}}"},
					{`rtc_target_up{$jicofos, job=~"(.+/)?jitsi-jicofo"}`, "Jicofo {{instance}}"},
					{`rtc_target_up{$jigasis, job=~"(.+/)?jitsi-jigasi"}`, "Jigasi {{instance}}"},
					{`rtc_target_up{$jibris, job=~"(.+/)?jitsi-jibri"}`, "Jibri {{instance}}"},
				},
			},
			{
				kind: states, title: "Health", unit: yesNo, texts: healthy, limits: limits{orange: 1, red: 0.5}, width: 12,
				description: "Result of the health check of each component, and of each part of Jibri. Jicofo does not select an unhealthy bridge. " +
					"Open `/about/health` of the component for the reason.",
				queries: []query{
					{`jitsi_jvb_healthy{$videobridges}`, "bridge {{instance}}"},
					{`jitsi_jicofo_healthy{$jicofos}`, "Jicofo {{instance}}"},
					{`jitsi_jigasi_healthy{$jigasis}`, "Jigasi {{instance}}"},
					{`jitsi_jibri_healthy{$jibris}`, "Jibri {{instance}}"},
					{`jitsi_jibri_component_healthy{$jibris}`, "Jibri {{instance}}: {{jitsi_jibri_component}}"},
				},
			},
			{
				kind: states, title: "Draining bridges", unit: yesNo, texts: isActive, width: 12,
				description: "Bridges that take no new conferences. A draining bridge without endpoints can be stopped.",
				queries: []query{{
					`max by (instance) (jitsi_jvb_draining{$videobridges}) or max by (instance) (jitsi_jvb_graceful_shutdown{$videobridges})`,
					"{{instance}}",
				}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: stat, title: "Operational bridges", unit: count, limits: limits{orange: 2, red: 1},
				description: "Bridges that Jicofo can use. Below 1, no conference can start. With 1, its failure ends all conferences.",
				queries:     []query{{`sum(jitsi_jicofo_bridge_operational_count{$jicofos})`, ""}},
			},
			{
				kind: stat, title: "Lost bridges, last hour", unit: count, decimals: 1, limits: zeroIsGood,
				description: "Bridges that disappeared without a shutdown. Their participants were disconnected for some seconds.",
				queries:     []query{{`sum(increase(jitsi_jicofo_bridge_losses_total{$jicofos}[1h]))`, ""}},
			},
			{
				kind: stat, title: "Versions of bridges", unit: count, limits: limits{orange: 2, red: 3},
				description: "Different versions among the bridges. Bridges of different versions are not connected to each other: finish the upgrade.",
				queries:     []query{{`max(jitsi_jicofo_bridge_version_count{$jicofos})`, ""}},
			},
			{
				kind: stat, title: "XMPP connections missing", unit: count, limits: zeroIsGood,
				description: "Connections of bridges to XMPP servers that are configured and not established. " +
					"Jicofo does not see such a bridge: check Prosody.",
				queries: []query{{
					`sum(jitsi_jvb_xmpp_client_configured_count{$videobridges}) - sum(jitsi_jvb_xmpp_client_connected_count{$videobridges})`, "",
				}},
			},
			{
				kind: stat, title: "Free recorders", unit: count, limits: limits{orange: 2, red: 1},
				description: "Recorders that Jicofo can use. At 0, the next recording or stream fails.",
				queries:     []query{{`sum(jitsi_jicofo_jibri_instance_available_count{$jicofos})`, ""}},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: timeSeries, title: "Participants", unit: count,
				description: "Participants of the installation, as Jicofo counts them. A sudden fall is an outage that users noticed.",
				queries: []query{
					{`sum(jitsi_jicofo_participant_count{$jicofos})`, "participants"},
					{`sum(jitsi_jicofo_visitor_count{$jicofos})`, "of whom visitors"},
				},
			},
			{
				kind: timeSeries, title: "Conferences", unit: count,
				description: "Conferences of the installation, as Jicofo counts them.",
				queries: []query{
					{`sum(jitsi_jicofo_conference_count{$jicofos})`, "conferences"},
					{`sum(jitsi_jicofo_conference_with_visitors_count{$jicofos})`, "with visitors"},
				},
			},
			{
				kind: stacked, title: "Conferences by size", unit: count,
				description: "Conferences on the bridges by their number of endpoints. Large conferences load a bridge most.",
				queries: []query{{
					`sum by (jitsi_conference_size) (jitsi_jvb_conference_count_by_size{$videobridges}) > 0`, "{{jitsi_conference_size}}",
				}},
			},
			{
				kind: stacked, title: "Endpoints by bridge", unit: count,
				description: "Participants that are connected to each bridge. An uneven distribution shows in the stress as well.",
				queries:     []query{{`sum by (instance) (jitsi_jvb_endpoint_local_count{$videobridges})`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Media by bridge", unit: bitsPerSecond,
				description: "Bit rate between the bridges and the participants.",
				queries: []query{{
					`8 * sum by (instance, network_io_direction) (jitsi_jvb_network_throughput_bytes_per_second{$videobridges, jitsi_peer="endpoint"})`,
					"{{instance}} {{network_io_direction}}",
				}},
			},
			{
				kind: timeSeries, title: "Media between bridges", unit: bitsPerSecond,
				description: "Bit rate of the relays between bridges, which exist in conferences on several bridges.",
				queries: []query{{
					`8 * sum by (instance, network_io_direction) (jitsi_jvb_network_throughput_bytes_per_second{$videobridges, jitsi_peer="relay"})`,
					"{{instance}} {{network_io_direction}}",
				}},
			},
		}},
		{"What hurts users?", []panel{
			{
				kind: timeSeries, title: "Packet loss", unit: ratio, limits: limits{orange: 0.03, red: 0.1},
				description: "Share of packets that are lost, by bridge and direction. Loss on one bridge points to its host or link, loss on all " +
					"to the network.",
				queries: []query{{`jitsi_jvb_network_packet_loss_ratio{$videobridges}`, "{{instance}} {{network_io_direction}}"}},
			},
			{
				kind: timeSeries, title: "Average round-trip time", unit: seconds, limits: limits{orange: 0.3, red: 0.6},
				description: "Average over the endpoints of each bridge. If it is high, participants are assigned to a distant bridge: check the " +
					"regions.",
				queries: []query{{`jitsi_jvb_round_trip_time_average_seconds{$videobridges}`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Endpoints with bad quality", unit: ratio, limits: limits{orange: 0.1, red: 0.3},
				description: "Share of endpoints with more than 10 % loss or with suspended video. An endpoint may be counted in both.",
				queries: []query{{
					`sum by (instance) (jitsi_jvb_endpoint_high_loss_count{$videobridges} + jitsi_jvb_endpoint_suspended_count{$videobridges}) / ` +
						`sum by (instance) (jitsi_jvb_endpoint_local_count{$videobridges})`, "{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "Connections: failed, over TURN", unit: ratio, limits: limits{orange: 0.1, red: 0.3},
				description: "Share of ICE negotiations that fail, and share of the successful ones that use TURN. " +
					"Failures: check the UDP port of the bridges and their public address.",
				queries: []query{
					{
						`sum(rate(jitsi_jvb_ice_negotiations_total{$videobridges, jitsi_ice_outcome="failed"}[10m])) ` +
							`/ sum(rate(jitsi_jvb_ice_negotiations_total{$videobridges}[10m]))`,
						"failed",
					},
					{
						`sum(rate(jitsi_jvb_ice_relayed_negotiations_total{$videobridges}[10m])) / ` +
							`sum(rate(jitsi_jvb_ice_negotiations_total{$videobridges, jitsi_ice_outcome="succeeded"}[10m]))`,
						"over TURN",
					},
				},
			},
			{
				kind: timeSeries, title: "Broken bridge channels", unit: eventsPerSecond,
				description: "Endpoints that lose the channel to their bridge. Without it, they see frozen or low-quality video: check the " +
					"WebSocket proxy.",
				queries: []query{
					{
						`sum by (instance) (rate(jitsi_jvb_message_transport_timeouts_total{$videobridges, jitsi_peer="endpoint"}[10m]))`,
						"{{instance}} timeouts",
					},
					{
						`sum by (instance) (rate(jitsi_jvb_websocket_closures_total{$videobridges, jitsi_websocket_outcome="abnormal"}[10m]))`,
						"{{instance}} abnormal closures",
					},
				},
			},
			{
				kind: timeSeries, title: "Participants that reconnect or move", unit: eventsPerSecond,
				description: "Sessions that restart or fail, and participants that Jicofo moves to another bridge. " +
					"Users notice each of them as an interruption.",
				queries: []query{
					{
						`sum by (jitsi_notification_type) (rate(jitsi_jicofo_participant_notifications_total{$jicofos}[10m]))`, "{{jitsi_notification_type}}",
					},
					{`sum(rate(jitsi_jicofo_participant_moves_total{$jicofos}[10m]))`, "moved"},
				},
			},
		}},
		{"What runs out?", []panel{
			{
				kind: timeSeries, title: "Stress by bridge", unit: ratio, limits: limits{orange: 0.8, red: 1},
				description: "Load of each bridge, as it reports it to Jicofo. Add bridges when the average exceeds 60 %.",
				queries:     []query{{`jitsi_jvb_stress_ratio{$videobridges}`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Packets dropped by queues", unit: packetsPerSecond, limits: zeroIsGood,
				description: "Packets that a bridge drops because it lacks CPU. Check the host for CPU steal and other processes.",
				queries: []query{{
					`sum by (instance, jitsi_queue_name) (rate(jitsi_jvb_queue_dropped_packets_total{$videobridges}[5m]))`,
					"{{instance}} {{jitsi_queue_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Late packets", unit: ratio, limits: limits{orange: 0.05, red: 0.15},
				description: "Share of packets that spend more than 50 ms in a bridge, by protocol: it lacks CPU although its stress may be low. " +
					"Newer bridges only.",
				queries: []query{{
					`sum by (instance, jitsi_transit_protocol) (rate(jitsi_jvb_transit_late_packets_total{$videobridges}[10m])) / ` +
						`sum by (instance, jitsi_transit_protocol) (rate(jitsi_jvb_transit_packets_total{$videobridges}[10m]))`,
					"{{instance}} {{jitsi_transit_protocol}}",
				}},
			},
			{
				kind: timeSeries, title: "Heap of the JVM", unit: sizeInBytes,
				description: "Memory of the bridges' JVM in use. The lowest points of the curve must not rise over days. " +
					"JVB does not report the maximum.",
				queries: []query{{`jitsi_jvb_jvm_heap_usage_bytes{$videobridges}`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Time in garbage collection", unit: ratio, limits: limits{orange: 0.1, red: 0.3},
				description: "Share of time that the JVM spends in garbage collection. Above 10 %, increase the heap.",
				queries:     []query{{`rate(jitsi_jvb_jvm_gc_time_seconds_total{$videobridges}[10m])`, "{{instance}}"}},
			},
		}},
		{"Bridges, recorders and gateways", []panel{
			{
				kind: table, title: "Bridges in Jicofo", unit: count,
				description: "What Jicofo knows about each bridge: endpoints, requests to restart sessions in the last hour, and whether ICE fails " +
					"on it.",
				units: map[string]string{"failing ICE": yesNo},
				queries: []query{
					{`max by (jitsi_bridge_id) (jitsi_jicofo_bridge_endpoint_count{$jicofos, jitsi_bridge_id=~"$bridge"})`, "endpoints"},
					{
						`sum by (jitsi_bridge_id) (increase(jitsi_jicofo_bridge_restart_requests_total{$jicofos, jitsi_bridge_id=~"$bridge"}[1h]))`,
						"restart requests",
					},
					{`max by (jitsi_bridge_id) (jitsi_jicofo_bridge_failing_ice{$jicofos, jitsi_bridge_id=~"$bridge"})`, "failing ICE"},
				},
			},
			{
				kind: states, title: "State of recorders", unit: yesNo, texts: isActive, width: 24,
				description: "Whether each recorder (Jibri) is busy. A recorder that is expired must be restarted.",
				queries:     []query{{`jitsi_jibri_state{$jibris, jitsi_jibri_state=~"busy|expired"}`, "{{instance}} {{jitsi_jibri_state}}"}},
			},
			{
				kind: timeSeries, title: "Recorders and their sessions", unit: count,
				description: "Known and free recorders, and sessions by mode.",
				queries: []query{
					{`sum by (jitsi_jibri_pool) (jitsi_jicofo_jibri_instance_count{$jicofos})`, "{{jitsi_jibri_pool}}: known"},
					{`sum by (jitsi_jibri_pool) (jitsi_jicofo_jibri_instance_available_count{$jicofos})`, "{{jitsi_jibri_pool}}: free"},
					{`sum by (jitsi_jibri_mode) (jitsi_jicofo_jibri_session_count{$jicofos})`, "sessions: {{jitsi_jibri_mode}}"},
				},
			},
			{
				kind: timeSeries, title: "Failures of recordings", unit: count, limits: zeroIsGood,
				description: "Recordings and streams that failed in the last 15 minutes, by mode, or for which no recorder was free. " +
					"See the log of Jibri.",
				queries: []query{
					{`sum by (jitsi_jibri_mode) (increase(jitsi_jicofo_jibri_failures_total{$jicofos}[15m]))`, "{{jitsi_jibri_mode}}"},
					{`sum(increase(jitsi_jicofo_jibri_no_instance_failures_total{$jicofos}[15m]))`, "no recorder free"},
				},
			},
			{
				kind: timeSeries, title: "Calls of SIP gateways", unit: count,
				description: "Conferences with a dial-in, and trouble with calls in the last 15 minutes. `dropped_media`: the SIP side sends no audio.",
				queries: []query{
					{`sum(jitsi_jigasi_conference_count{$jigasis})`, "conferences"},
					{`sum by (jitsi_call_event) (increase(jitsi_jigasi_call_events_total{$jigasis}[15m]))`, "{{jitsi_call_event}}"},
				},
			},
		}},
	},
}
