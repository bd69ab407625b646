// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import "fmt"

// byServer groups by the server.
const byServer = "by (job, instance)"

var fleet = board{
	name:  "fleet",
	title: "Fleet of media servers",
	description: "All media servers: what is down and why, load and throughput of each system. " +
		"Click a server to open the dashboard of its system.",
	jobs:   ".+",
	alerts: ".+",
	restarts: []string{
		`resets({__name__=~"(kamailio|rtpengine|flussonic|mediasoup|jitsi_jvb)_uptime_seconds", $servers}[$__rate_interval]) > 0`,
	},
	rows: []row{
		{"Is it up?", []panel{
			{
				kind: stat, title: "Servers", unit: count,
				description: "Media servers that the collectors know. A fall without a planned change: a collector or a source of targets fails.",
				queries:     []query{{`count(rtc_target_up{$servers})`, ""}},
			},
			{
				kind: stat, title: "Servers down", unit: count, limits: zeroIsGood,
				description: "Media servers that do not answer. The table beside names them.",
				queries:     []query{{`sum(rtc_target_up{$servers} == bool 0)`, ""}},
			},
			{
				kind: stat, title: "Servers that vanished", unit: count, limits: zeroIsGood,
				description: "Servers that were known 10 minutes ago and have no metrics now: their collector is down, or they were removed from " +
					"its targets.",
				queries: []query{{`count(rtc_target_up{$servers} offset 10m unless rtc_target_up{$servers}) or vector(0)`, ""}},
			},
			{
				kind: stat, title: "Failed requests", unit: count, decimals: 1, limits: zeroIsGood,
				description: "Requests to media servers that failed in the last 5 minutes.",
				queries:     []query{{`sum(increase(rtc_scrape_errors_total{$servers}[5m])) or vector(0)`, ""}},
			},
			{
				kind: stat, title: "Restarts, last hour", unit: count, decimals: 1, limits: zeroIsGood,
				description: "Restarts of Kamailio, rtpengine, Flussonic, mediasoup and bridges of Jitsi. " +
					"ZLMediaKit, Jicofo, Jigasi and Jibri do not report them.",
				queries: []query{{
					`sum(resets({__name__=~"(kamailio|rtpengine|flussonic|mediasoup|jitsi_jvb)_uptime_seconds", $servers}[1h]))`, "",
				}},
			},
			{
				kind: stat, title: "Next certificate expires", unit: days, decimals: 1, limits: limits{orange: 21, red: 7},
				description: "Time until the first certificate of a monitored https endpoint expires. The table of certificates names it.",
				queries:     []query{{`min(rtc_target_certificate_remaining_seconds{$servers}) / 86400`, ""}},
			},
			{
				kind: table, title: "Servers that are down", unit: seconds, opens: true, limits: limits{orange: 0, red: 60},
				description: "Time since each server answered last, up to 6 hours. Check whether the process runs, then the network. " +
					"The table of errors says what the collector sees.",
				queries: []query{{linked(downFor), "down for"}},
			},
			{
				kind: table, title: "Errors by server", unit: count, opens: true, limits: zeroIsGood,
				description: "Failed requests in the last 15 minutes. `connection`: the process does not run or the port is closed. " +
					"`timeout`: it hangs or a firewall drops packets. " +
					"`authentication`: wrong secret.",
				queries: []query{{
					linked(`topk(50, sum by (job, instance, rtc_api, error_type) (increase(rtc_scrape_errors_total{$servers}[15m])) > 0)`), "errors",
				}},
			},
			{
				kind: states, title: "Servers over time", unit: yesNo, texts: upDown, limits: limits{orange: 1, red: 0.5}, opens: true,
				description: "Servers that were down at some time in the last 6 hours, since when and for how long. Up to 30 servers.",
				queries: []query{{
					linked(`topk(30, rtc_target_up{$servers}) and on (job, instance) (min_over_time(rtc_target_up{$servers}[6h]) == 0)`),
					"{{job}} {{instance}}",
				}},
			},
		}},
		{"Is it healthy?", []panel{
			{
				kind: timeSeries, title: "Share of servers up", unit: ratio, upTo: 1, limits: limits{orange: 0.99, red: 0.9},
				description: "Share of the servers of each system that answer.",
				queries:     []query{{`avg by (job) (rtc_target_up{$servers})`, "{{job}}"}},
			},
			{
				kind: timeSeries, title: "Errors by kind", unit: eventsPerSecond, limits: zeroIsGood,
				description: "Failed requests of all collectors, by system and error.",
				queries:     []query{{`sum by (job, error_type) (rate(rtc_scrape_errors_total{$servers}[5m])) > 0`, "{{job}} {{error_type}}"}},
			},
			{
				kind: timeSeries, title: "Slowest scrapes", unit: seconds, limits: limits{orange: 1, red: 5}, opens: true,
				description: "The ten servers that answer most slowly. Above a half of the collection interval, increase the interval or look for " +
					"load on the server.",
				queries: []query{{linked(`topk(10, max ` + byServer + ` (rtc_scrape_duration_seconds{$servers}))`), "{{job}} {{instance}}"}},
			},
			{
				kind: table, title: "Omitted items", unit: count, opens: true, limits: zeroIsGood,
				description: "What is missing on all dashboards because of a limit or an equal name. " +
					"Increase the limit in the receiver's configuration.",
				queries: []query{{
					linked(`sum by (job, instance, rtc_entity, rtc_omission_reason) (rtc_scrape_omitted_count{$servers}) > 0`), "omitted",
				}},
			},
			{
				kind: table, title: "Certificates", unit: days, decimals: 1, opens: true, limits: limits{orange: 21, red: 7},
				description: "Time until the certificates of https endpoints expire, first one first.",
				queries: []query{{
					linked(`bottomk(20, min ` + byServer + ` (rtc_target_certificate_remaining_seconds{$servers})) / 86400`), "expires in",
				}},
			},
		}},
		{"How much is it doing?", []panel{
			{
				kind: stacked, title: "Outgoing media by system", unit: bitsPerSecond, width: 12,
				description: "Bit rate to users. For ZLMediaKit it is an estimate. Kamailio carries no media.",
				queries: []query{
					{`8 * sum(zlmediakit_egress_throughput_bytes_per_second{$servers})`, "ZLMediaKit"},
					{`8 * sum(jitsi_jvb_network_throughput_bytes_per_second{$servers, jitsi_peer="endpoint", network_io_direction="transmit"})`, "Jitsi"},
					{`8 * sum(rate(rtpengine_interface_io_bytes_total{$servers, network_io_direction="transmit"}[$__rate_interval]))`, "rtpengine"},
					{`8 * sum(flussonic_network_throughput_bytes_per_second{$servers, network_io_direction="transmit"})`, "Flussonic"},
					{
						`8 * ` +
							`sum(mediasoup_transport_throughput_bytes_per_second{$servers, mediasoup_transport_type!="pipe", network_io_direction="transmit"})`,
						"mediasoup",
					},
				},
			},
			{
				kind: timeSeries, title: "Users by system", unit: count, width: 12,
				description: "Viewers, participants, calls and consumers: what the system counts as use. " +
					"The curves of different systems cannot be compared.",
				queries: []query{
					{`sum(zlmediakit_stream_reader_count{$servers})`, "ZLMediaKit: readers"},
					{`sum(jitsi_jicofo_participant_count{$servers})`, "Jitsi: participants"},
					{`sum(kamailio_dialog_active_count{$servers})`, "Kamailio: calls"},
					{`sum(rtpengine_session_count{$servers})`, "rtpengine: sessions"},
					{`sum(flussonic_client_count{$servers})`, "Flussonic: viewers"},
					{`sum(mediasoup_consumer_count{$servers, mediasoup_transport_type!="pipe"})`, "mediasoup: consumers"},
				},
			},
			{
				kind: timeSeries, title: "Busiest servers", unit: ratio, upTo: 1, width: 12, limits: limits{orange: 0.8, red: 0.95}, opens: true,
				description: "The 20 busiest servers by what limits them: event loop, stress, memory, media ports, scheduler or worker.",
				queries:     []query{{linked("topk(20, " + load + ")"), "{{job}} {{instance}}"}},
			},
			{
				kind: timeSeries, title: "Streams and calls that fail", unit: count, width: 12, limits: zeroIsGood,
				description: "What users notice, by system: streams without media, unhealthy bridges, inactive trunks, silent tracks.",
				queries: []query{
					{`sum(zlmediakit_stream_alive{$servers} == bool 0)`, "ZLMediaKit: streams not alive"},
					{`sum(jitsi_jvb_healthy{$servers} == bool 0)`, "Jitsi: unhealthy bridges"},
					{`sum(kamailio_dispatcher_target_state{$servers, kamailio_dispatcher_state=~"inactive|trying"})`, "Kamailio: trunks not active"},
					{`sum(flussonic_stream_count_by_state{$servers, flussonic_stream_state="error"})`, "Flussonic: streams in error"},
					{`sum(mediasoup_producer_silent_count{$servers})`, "mediasoup: silent tracks"},
				},
			},
		}},
		{"Hosts and collectors", []panel{
			{
				kind: timeSeries, title: "Datagrams lost by hosts", unit: packetsPerSecond, limits: zeroIsGood,
				description: "UDP datagrams that the kernel could not deliver, and packets that it dropped before. Increase `net.core.rmem_max` or " +
					"`net.core.netdev_max_backlog`, and check the CPU. With `host.yaml`.",
				queries: []query{
					{`sum by (job, instance) (rate(rtc_host_network_udp_receive_errors_total[$__rate_interval]))`, "{{instance}} UDP"},
					{`rate(rtc_host_network_softnet_dropped_packets_total[$__rate_interval])`, "{{instance}} backlog"},
				},
			},
			{
				kind: timeSeries, title: "CPU, memory and disks of hosts", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.9},
				description: "Share of memory and of the fullest disk in use, and share of CPU time that the hypervisor takes. With `host.yaml`.",
				queries: []query{
					{`sum by (job, instance) (system_memory_utilization_ratio{state=~"used|slab_unreclaimable"})`, "{{instance}} memory"},
					{
						`max by (job, instance) (sum by (job, instance, mountpoint) (system_filesystem_usage_bytes{state="used"}) / ` +
							`sum by (job, instance, mountpoint) (system_filesystem_usage_bytes))`, "{{instance}} fullest disk",
					},
					{`avg by (job, instance) (system_cpu_utilization_ratio{state="steal"})`, "{{instance}} CPU steal"},
				},
			},
			{
				kind: timeSeries, title: "Queues of collectors", unit: ratio, upTo: 1, limits: limits{orange: 0.8, red: 0.95},
				description: "How full the queues of exporters are. When they are full, metrics are lost: check the backend. " +
					"Needs the collector's own metrics, at port 18888.",
				queries: []query{{`otelcol_exporter_queue_size / otelcol_exporter_queue_capacity`, "{{instance}} {{exporter}}"}},
			},
			{
				kind: timeSeries, title: "Memory of collectors", unit: sizeInBytes,
				description: "Resident memory. A jump usually means that a server has many more streams or rooms. " +
					"Needs the collector's own metrics, at port 18888.",
				queries: []query{{`otelcol_process_memory_rss`, "{{instance}}"}},
			},
			{
				kind: timeSeries, title: "Metrics that collectors could not send", unit: eventsPerSecond, limits: zeroIsGood,
				description: "Data points that an exporter gave up. Check the address and credentials of the backend. " +
					"Needs the collector's own metrics, at port 18888.",
				queries: []query{{`rate(otelcol_exporter_send_failed_metric_points[$__rate_interval])`, "{{instance}} {{exporter}}"}},
			},
			{
				kind: table, title: "Versions", unit: count,
				description: "Number of servers by version. Several versions of a system after an upgrade: it is not finished.",
				queries:     []query{{`count by (job, service_version) (target_info{job=~"$job", service_version!=""})`, "servers"}},
			},
		}},
	},
}

// load is the utilization of each server, 0 to 1, by what limits its system.
var load = fmt.Sprintf(`(max %[1]s (zlmediakit_thread_utilization_ratio{$servers}) or max %[1]s (jitsi_jvb_stress_ratio{$servers}) or `+
	`1 - min %[1]s (kamailio_memory_shared_usage_bytes{$servers, kamailio_memory_state="free"} / ignoring (kamailio_memory_state) `+
	`kamailio_memory_shared_limit_bytes{$servers}) or `+
	`sum %[1]s (rtpengine_port_count{$servers, rtpengine_port_state="used"}) / sum %[1]s (rtpengine_port_count{$servers}) or `+
	`max %[1]s (flussonic_scheduler_utilization_ratio{$servers}) or `+
	`max %[1]s (sum by (job, instance, mediasoup_worker_id) `+
	`(rate(mediasoup_worker_cpu_time_seconds_total{$servers}[$__rate_interval]))))`, byServer)

// downFor is the time for which servers have been down, or 6 hours if it is longer.
const downFor = `(time() - max ` + byServer + ` (max_over_time(timestamp(rtc_target_up{$servers} == 1)[6h:1m])) ` +
	`and on (job, instance) rtc_target_up{$servers} == 0 or max ` + byServer + ` (rtc_target_up{$servers} == 0) + 6 * 3600)`
