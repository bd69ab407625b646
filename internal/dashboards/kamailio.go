// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

// finalInvites selects the final replies to INVITE that count for success. 3xx is a redirection and decides nothing.
const finalInvites = `{$kamailios, kamailio_request_method="INVITE", kamailio_reply_class=~"[2456]xx"}`

var kamailio = board{
	name:        "kamailio",
	title:       "Kamailio and rtpengine",
	description: "SIP proxies (Kamailio) and media relays (rtpengine).",
	jobs:        "(.+/)?(kamailio|rtpengine)",
	processes: []process{
		{"kamailio", "Kamailio", "(.+/)?kamailio"},
		{"rtpengine", "rtpengine", "(.+/)?rtpengine"},
	},
	alerts: "(Kamailio|Rtpengine|RTPEngine).*",
	filters: []filter{
		{"set", "Dispatcher set", "kamailio_dispatcher_set", "kamailio_dispatcher_target_state{$kamailios}"},
		{"interface", "Media interface", "rtpengine_interface_name", "rtpengine_port_count{$rtpengines}"},
	},
	restarts: []string{
		`resets(kamailio_uptime_seconds{$kamailios}[$__rate_interval]) > 0`,
		`resets(rtpengine_uptime_seconds{$rtpengines}[$__rate_interval]) > 0`,
	},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: states, title: "Servers", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5},
				description: "Whether each Kamailio and rtpengine answers the collector. If one is down, check the process first, then its RPC socket.",
				queries: []query{
					{`rtc_target_up{$kamailios, job=~"(.+/)?kamailio"}`, "Kamailio {{instance}}"},
					{`rtc_target_up{$rtpengines, job=~"(.+/)?rtpengine"}`, "rtpengine {{instance}}"},
				},
			},
			{
				kind: stat, title: "Uptime", unit: uptime, decimals: 1, width: 8, limits: limits{orange: 3600, red: 600},
				description: "Time since the start of each server. A short time that nobody planned is a crash: see the system log.",
				queries: []query{
					{`kamailio_uptime_seconds{$kamailios}`, "Kamailio {{instance}}"},
					{`rtpengine_uptime_seconds{$rtpengines}`, "rtpengine {{instance}}"},
				},
			},
			{
				kind: stat, title: "Trunks not active", unit: count, limits: zeroIsGood,
				description: "Dispatcher targets that are inactive or on trial. The table of trunks names them.",
				queries:     []query{{`sum(kamailio_dispatcher_target_state{$kamailios, kamailio_dispatcher_state=~"inactive|trying"})`, ""}},
			},
			{
				kind: stat, title: "Registrations at carriers missing", unit: count, limits: zeroIsGood,
				description: "Outgoing registrations (module uac) that are configured and not active. Incoming calls of that carrier do not arrive.",
				queries: []query{{
					`sum(kamailio_uac_registration_count{$kamailios}) - sum(kamailio_uac_registration_disabled_count{$kamailios}) - ` +
						`sum(kamailio_uac_registration_active_count{$kamailios})`, "",
				}},
			},
			{
				kind: stat, title: "Relays not enabled", unit: count, limits: zeroIsGood,
				description: "Media relays that Kamailio does not use. Without any in a set, calls have no audio.",
				queries:     []query{{`sum(kamailio_rtpengine_node_state{$kamailios, kamailio_rtpengine_state!="enabled"})`, ""}},
			},
			{
				kind: stat, title: "Cluster peers missing", unit: count, limits: zeroIsGood,
				description: "Peers of the cluster (module dmq) that are not active. Their registrations and calls are not shared.",
				queries:     []query{{`sum(kamailio_dmq_node_state{$kamailios, kamailio_dmq_state=~"not_active|disabled|timeout"})`, ""}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: table, title: "Trunks", unit: yesNo, texts: []text{{"1", "down", red}},
				description: "Dispatcher targets that are not active. `trying`: a probe failed. `inactive`: no calls are sent there. " +
					"`disabled`: by an operator.",
				queries: []query{{
					`max by (instance, kamailio_dispatcher_set, kamailio_dispatcher_uri, kamailio_dispatcher_state) ` +
						`(kamailio_dispatcher_target_state{$kamailios, kamailio_dispatcher_set=~"$set", kamailio_dispatcher_state!="active"}) == 1`, "state",
				}},
			},
			{
				kind: timeSeries, title: "Latency of trunks", unit: seconds, width: 12, limits: limits{orange: 0.3, red: 1},
				description: "Average time until a trunk answers OPTIONS. A rise to several times the usual value precedes failures.",
				queries: []query{{
					`max by (instance, kamailio_dispatcher_uri) ` +
						`(kamailio_dispatcher_target_latency_average_seconds{$kamailios, kamailio_dispatcher_set=~"$set"})`,
					"{{kamailio_dispatcher_uri}}",
				}},
			},
			{
				kind: stacked, title: "Media relays by state", unit: count, width: 12,
				description: "Nodes of rtpengine as Kamailio sees them, by set. `disabled`: Kamailio got no answer. " +
					"`disabled_permanently`: by an operator.",
				queries: []query{{
					`sum by (kamailio_rtpengine_set, kamailio_rtpengine_state) (kamailio_rtpengine_node_state{$kamailios}) > 0`,
					"set {{kamailio_rtpengine_set}}: {{kamailio_rtpengine_state}}",
				}},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: stacked, title: "Requests by method", unit: requests,
				description: "SIP requests that arrive. Many REGISTER or INVITE without more calls are an attack or a loop.",
				queries: []query{{
					`sum by (kamailio_request_method) (rate(kamailio_requests_by_method_total{$kamailios}[$__rate_interval]))`,
					"{{kamailio_request_method}}",
				}},
			},
			{
				kind: stacked, title: "Calls", unit: count,
				description: "Dialogs by state (module dialog). Many that are not `ongoing` mean that calls ring and are not answered, or hang.",
				queries:     []query{{`sum by (kamailio_dialog_state) (kamailio_dialog_count{$kamailios})`, "{{kamailio_dialog_state}}"}},
			},
			{
				kind: stacked, title: "Registered contacts", unit: count,
				description: "Phones that are registered, by table. A fall of a fifth within 15 minutes is an outage of an access network or of " +
					"this server.",
				queries: []query{{`sum by (kamailio_usrloc_domain) (kamailio_usrloc_contact_count{$kamailios})`, "{{kamailio_usrloc_domain}}"}},
			},
			{
				kind: timeSeries, title: "Media sessions", unit: count,
				description: "Calls with media on each rtpengine.",
				queries:     []query{{`sum by (instance) (rtpengine_session_count{$rtpengines})`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Media by interface", unit: bitsPerSecond,
				description: "Bit rate of the relayed media, by interface and direction.",
				queries: []query{{
					`8 * sum by (instance, rtpengine_interface_name, network_io_direction) ` +
						`(rate(rtpengine_interface_io_bytes_total{$rtpengines, rtpengine_interface_name=~"$interface"}[$__rate_interval]))`,
					"{{instance}} {{rtpengine_interface_name}} {{network_io_direction}}",
				}},
			},
		}},
		{"What hurts users?", []panel{
			{
				kind: timeSeries, title: "Success of calls", unit: ratio, upTo: 1, limits: limits{orange: 0.5, red: 0.3},
				description: "Share of final replies to INVITE that are 2xx. It includes retransmissions and re-INVITEs; busy and unanswered calls " +
					"count as failed. Compare it with the usual value at this hour.",
				queries: []query{{
					`sum by (instance) ` +
						`(rate(kamailio_replies_by_method_total{$kamailios, kamailio_request_method="INVITE", kamailio_reply_class="2xx"}[10m])) / ` +
						`sum by (instance) (rate(kamailio_replies_by_method_total` + finalInvites + `[10m]))`, "{{instance}}",
				}},
			},
			{
				kind: stacked, title: "Replies to INVITE", unit: eventsPerSecond,
				description: "Replies by class. 4xx: busy, not found or rejected. 5xx: a server or trunk fails. 6xx: declined.",
				queries: []query{{
					`sum by (kamailio_reply_class) ` +
						`(rate(kamailio_replies_by_method_total{$kamailios, kamailio_request_method="INVITE"}[$__rate_interval]))`,
					"{{kamailio_reply_class}}",
				}},
			},
			{
				kind: timeSeries, title: "Replies by code", unit: eventsPerSecond,
				description: "The ten most frequent codes. 408: no answer. 480: not registered. 403: refused. 503: overloaded or no route.",
				queries: []query{{
					`topk(10, sum by (kamailio_reply_code) (rate(kamailio_replies_by_code_total{$kamailios}[10m])))`, "{{kamailio_reply_code}}",
				}},
			},
			{
				kind: timeSeries, title: "Audio quality (MOS)", unit: count, decimals: 2, upTo: 5, limits: limits{orange: 4, red: 3.6},
				description: "Average opinion score of the calls on each rtpengine, 1 to 5. Below 3.6, users complain.",
				queries: []query{{
					`rate(rtpengine_mos_summed_scores_total{$rtpengines}[15m]) / rate(rtpengine_mos_samples_total{$rtpengines}[15m])`, "{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "One-way audio and media timeouts", unit: ratio, limits: limits{orange: 0.05, red: 0.1},
				description: "Share of sessions with media in one direction only, and share that end because media stops. Check NAT and firewalls.",
				queries: []query{
					{
						`rate(rtpengine_one_way_sessions_total{$rtpengines}[15m]) / rate(rtpengine_session_creations_total{$rtpengines}[15m])`,
						"{{instance}} one-way",
					},
					{
						`sum by (instance) ` +
							`(rate(rtpengine_session_closures_total{$rtpengines, rtpengine_close_reason=~"timeout|silent_timeout|offer_timeout"}[15m])) / ` +
							`sum by (instance) (rate(rtpengine_session_closures_total{$rtpengines}[15m]))`, "{{instance}} ended by timeout",
					},
				},
			},
			{
				kind: timeSeries, title: "Packet loss of calls", unit: ratio, limits: limits{orange: 0.01, red: 0.03},
				description: "Average packet loss that phones and gateways report. Above 3 %, words are lost.",
				queries: []query{{
					`rate(rtpengine_packet_loss_ratios_total{$rtpengines}[15m]) / rate(rtpengine_packet_loss_samples_total{$rtpengines}[15m])`,
					"{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "Jitter and round-trip time", unit: seconds,
				description: "Average jitter and round-trip time of the calls. A jitter above 30 ms or a round trip above 300 ms is audible.",
				queries: []query{
					{
						`sum by (instance, rtpengine_jitter_origin) (rate(rtpengine_jitter_time_seconds_total{$rtpengines}[15m])) / ` +
							`sum by (instance, rtpengine_jitter_origin) (rate(rtpengine_jitter_samples_total{$rtpengines}[15m]))`,
						"{{instance}} jitter, {{rtpengine_jitter_origin}}",
					},
					{
						`sum by (instance, rtpengine_round_trip_span) (rate(rtpengine_round_trip_time_seconds_total{$rtpengines}[15m])) / ` +
							`sum by (instance, rtpengine_round_trip_span) (rate(rtpengine_round_trip_samples_total{$rtpengines}[15m]))`,
						"{{instance}} round trip, {{rtpengine_round_trip_span}}",
					},
				},
			},
			{
				kind: timeSeries, title: "Registrations", unit: eventsPerSecond,
				description: "Registrations by outcome. Many rejected ones: wrong passwords, an attack, or a database that fails.",
				queries: []query{{
					`sum by (kamailio_registrar_outcome) (rate(kamailio_registrar_registrations_total{$kamailios}[$__rate_interval]))`,
					"{{kamailio_registrar_outcome}}",
				}},
			},
			{
				kind: timeSeries, title: "Replies of Kamailio itself", unit: eventsPerSecond,
				description: "Replies that Kamailio generates instead of relaying them, as transactions and without. " +
					"5xx without a transaction: the script or a module fails.",
				queries: []query{
					{
						`sum by (kamailio_reply_origin) (rate(kamailio_transaction_sent_replies_total{$kamailios}[$__rate_interval]))`,
						"{{kamailio_reply_origin}}",
					},
					{
						`sum by (kamailio_reply_group) (rate(kamailio_sl_replies_total{$kamailios, kamailio_reply_group=~"(4|5).+"}[$__rate_interval])) > 0`,
						"stateless {{kamailio_reply_group}}",
					},
				},
			},
		}},
		{"What runs out?", []panel{
			{
				kind: timeSeries, title: "Memory in use", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.85},
				description: "Shared memory, and private memory of the process that uses most. " +
					"When it is full, requests fail: increase `-m` or `-M` and restart.",
				queries: []query{
					{
						`1 - sum by (instance) (kamailio_memory_shared_usage_bytes{$kamailios, kamailio_memory_state="free"}) / ` +
							`sum by (instance) (kamailio_memory_shared_limit_bytes{$kamailios})`, "{{instance}} shared",
					},
					{
						`max by (instance) (kamailio_process_memory_usage_bytes{$kamailios, kamailio_memory_state="used"} / ` +
							`on (job, instance, kamailio_process_index, kamailio_process_description) kamailio_process_memory_limit_bytes{$kamailios})`,
						"{{instance}} private, highest",
					},
				},
			},
			{
				kind: timeSeries, title: "TCP and TLS connections", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.95},
				description: "Connections as a share of the limit. At 100 %, phones cannot connect: increase `tcp_max_connections` or " +
					"`tls_max_connections`.",
				queries: []query{
					{`kamailio_tcp_connection_count{$kamailios} / kamailio_tcp_connection_limit{$kamailios}`, "{{instance}} TCP"},
					{`kamailio_tls_connection_count{$kamailios} / kamailio_tls_connection_limit{$kamailios}`, "{{instance}} TLS"},
				},
			},
			{
				kind: timeSeries, title: "Media ports in use", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.9},
				description: "Share of the ports of each interface that are in use. When none is free, calls have no audio: increase the range of " +
					"ports.",
				queries: []query{{
					`sum by (instance, rtpengine_interface_name) ` +
						`(rtpengine_port_count{$rtpengines, rtpengine_interface_name=~"$interface", rtpengine_port_state="used"}) / ` +
						`sum by (instance, rtpengine_interface_name) (rtpengine_port_count{$rtpengines, rtpengine_interface_name=~"$interface"})`,
					"{{instance}} {{rtpengine_interface_name}}",
				}},
			},
			{
				kind: timeSeries, title: "Media forwarded in userspace", unit: ratio, upTo: 1, limits: limits{orange: 0.2, red: 0.5},
				description: "Share of streams that the kernel does not forward, which costs CPU. " +
					"A sudden rise: the kernel module is not loaded, or calls are transcoded.",
				queries: []query{{
					`sum by (instance) (rtpengine_stream_count{$rtpengines, rtpengine_forwarding="userspace"}) / sum by (instance) ` +
						`(rtpengine_stream_count{$rtpengines})`,
					"{{instance}}",
				}},
			},
			{
				kind: timeSeries, title: "Errors of TCP, DNS and MySQL", unit: eventsPerSecond, limits: zeroIsGood,
				description: "Errors of what Kamailio depends on. Slow DNS requests and database errors block its processes.",
				queries: []query{
					{`sum by (instance, error_type) (rate(kamailio_tcp_errors_total{$kamailios}[5m]))`, "{{instance}} TCP {{error_type}}"},
					{`rate(kamailio_dns_failures_total{$kamailios}[5m])`, "{{instance}} DNS failed"},
					{`rate(kamailio_dns_slow_requests_total{$kamailios}[5m])`, "{{instance}} DNS slow"},
					{`rate(kamailio_mysql_driver_errors_total{$kamailios}[5m])`, "{{instance}} MySQL"},
				},
			},
			{
				kind: timeSeries, title: "Attacks", unit: count,
				description: "Addresses that are blocked for flooding (module pike), and messages with invalid headers in the last 5 minutes.",
				queries: []query{
					{`kamailio_pike_blocked_address_count{$kamailios}`, "{{instance}} blocked"},
					{`increase(kamailio_message_bad_headers_total{$kamailios}[5m])`, "{{instance}} invalid headers"},
				},
			},
		}},
		{"Trunks and statistics of the script", []panel{
			{
				kind: table, title: "Statistics of the script", unit: eventsPerSecond,
				description: "Statistics that no other panel shows, such as those that the SIP script counts. " +
					"Count failures there with the trunk in the name: the server does not know which trunk a failed call used.",
				queries: []query{{
					`topk(20, sum by (kamailio_statistic_group, kamailio_statistic_name) (rate(kamailio_statistic_counts_total{$kamailios}[10m])))`,
					"rate",
				}},
			},
		}},
	},
}
