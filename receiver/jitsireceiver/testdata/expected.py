# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints expected.tsv: values of points, computed from the captured answers in testdata/jitsi.

A formula names a value and its multiplier or divisor. Of several formulas, separated by |, the first that has a value is used.
In the statistics, a.b is the member b of a, [n] an element of a list, and a==WORD a comparison. On the page, name[n] is the number
of observations of a histogram between the buckets n-1 and n, [n+] the number above n-1, and name{key=value} the sample with that
label.
"""

import json
import pathlib
import re

ANSWERS = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "jitsi"
CAPTURED = 1787187723  # time of the clock in tests

JVB1 = "colibri-stats.constructed-1.x-stable-4101.json"
JVB2 = "colibri-stats.constructed-2.3.92-stable-9364.json"
JVB3 = "colibri-stats.constructed-2.3.312-master-2026-08-19.json"
JVB_PAGE = "metrics.constructed-2.3.312-master.004.txt"
FOCUS = "stats.constructed-master-2026-08-19.json"
FOCUS_PAGE = "metrics.constructed-master-2026-08-19.004.txt"

# Scene: component, statistics, page.
SCENES = {
    "jvb_1": ("jvb", JVB1, None),
    "jvb_2.1.169_idle": ("jvb", "colibri-stats.like-real-2.1.169-idle.json", None),
    "jvb_2.1.508_active": ("jvb", "colibri-stats.like-real-2.1.508-active.json", None),
    "jvb_2.3.92": ("jvb", JVB2, None),
    "jvb_2.3.92_page": ("jvb", None, "metrics.constructed-2.3.92-stable-9364.004.txt"),
    "jvb_2.3.168_idle": ("jvb", "colibri-stats.like-real-2.3.168-idle.json", None),
    "jvb_2.3.312": ("jvb", JVB3, JVB_PAGE),
    "jvb_2.3.312_stats": ("jvb", JVB3, None),
    "jvb_2.3.312_page": ("jvb", None, JVB_PAGE),
    "jvb_export_page": ("jvb", None, "metrics.constructed-master-2026-07-export.004.txt"),
    "jicofo": ("jicofo", FOCUS, FOCUS_PAGE),
    "jicofo_stats": ("jicofo", FOCUS, None),
    "jicofo_page": ("jicofo", None, FOCUS_PAGE),
    "jicofo_2021": ("jicofo", "stats.like-real-2021-04-two-participants.json", None),
    "jicofo_2022": ("jicofo", "stats.like-real-2022-07-idle.json", None),
    "jigasi": ("jigasi", "about-stats.constructed-master-2026-06-17.json", None),
    "jigasi_page": ("jigasi", None, "metrics.constructed-master-2026-06-17.004.txt"),
    "jibri_idle": ("jibri", "health.idle.json", None),
    "jibri_busy": ("jibri", "health.busy.constructed.json", "metrics.constructed-master-2026-08-05.004.txt"),
}

# Metrics that are disabled by default.
OFF = {
    "jitsi.jvb.audio.tossed_packets", "jitsi.jvb.media_exporter.messages", "jitsi.jvb.media_exporter.packets",
    "jitsi.jvb.media_exporter.starts", "jitsi.jvb.bwe.expirations", "jitsi.jvb.channel.creations", "jitsi.jvb.channel.failures", "jitsi.jvb.conference.count_by_audio_senders",
    "jitsi.jvb.connection.creations", "jitsi.jvb.host.cpu.utilization", "jitsi.jvb.host.memory.limit", "jitsi.jvb.host.memory.usage",
    "jitsi.jicofo.bridge.selections", "jitsi.jicofo.jingle.stanzas", "jitsi.jicofo.participant.pair.count",
    "jitsi.jicofo.queue.added_packets", "jitsi.jicofo.queue.removed_packets", "jitsi.jicofo.slow_health_checks",
    "jitsi.jigasi.transcription.time",
}

RECEIVE, TRANSMIT = "network.io.direction=receive", "network.io.direction=transmit"
BRIDGE = "jvbbrewery@internal.example.org/jvb"

# Component: point without its prefix, formula for the statistics, formula for the page.
POINTS = {
    "jvb": [
        ("audio.tossed_packets{}", None, "tossed_packets_energy_count"),
        ("media_exporter.messages{jitsi.media_exporter.message=transcript}", None, "exporter_transcripts_received_total"),
        ("media_exporter.messages{jitsi.media_exporter.message=media_event}", None, "exporter_media_events_received_total"),
        ("media_exporter.messages{jitsi.media_exporter.message=sending_change}", None, "exporter_sending_changes_received_total"),
        ("media_exporter.messages{jitsi.media_exporter.message=info}", None, "exporter_info_received_total"),
        ("media_exporter.messages{jitsi.media_exporter.message=other}", None, "exporter_other_messages_received_total"),
        ("media_exporter.packets{}", None, "exporter_packets_sent_total"),
        ("media_exporter.parse_failures{}", None, "exporter_parse_failures_total"),
        ("media_exporter.starts{}", None, "exporter_starts_total"),
        ("media_exporter.websocket.failures{}", None, "exporter_websocket_failures_total"),
        ("media_exporter.websocket.internal_errors{}", None, "exporter_websocket_internal_errors_total"),
        ("transit.unknown_packets{jitsi.transit.protocol=rtp}", None, "rtp_transit_time_unknown_delay_total"),
        ("transit.unknown_packets{jitsi.transit.protocol=rtcp}", None, "rtcp_transit_time_unknown_delay_total"),
        ("conference.count{}", "conferences", "conferences"),
        ("conference.inactive.count{}", "inactive_conferences", "conferences_inactive"),
        ("conference.count_by_size{jitsi.conference.size=0}", "conference_sizes[0]", "conferences_by_size[0]"),
        ("conference.count_by_size{jitsi.conference.size=2}", "conference_sizes[2]", "conferences_by_size[2]"),
        ("conference.count_by_size{jitsi.conference.size=21+}", "conference_sizes[21]", "conferences_by_size[21+]"),
        ("conference.count_by_audio_senders{jitsi.conference.senders=1}", "conferences_by_audio_senders[1]", "conferences_by_audio_sender[1]"),
        ("conference.failures{jitsi.failure.scope=full}", "total_failed_conferences", "failed_conferences_total"),
        ("conference.failures{jitsi.failure.scope=partial}", "total_partially_failed_conferences", "partially_failed_conferences_total"),
        ("endpoint.count{}", "endpoints|participants", "current_endpoints"),
        ("endpoint.creations{}", "total_participants", "endpoints_total"),
        ("endpoint.stress{}", "average_participant_stress", None),
        ("visitor.count{}", "visitors", "current_visitors"),
        ("visitor.creations{}", "total_visitors", "visitors_total"),
        ("connection.failures{error.type=dtls,jitsi.peer=endpoint}", "dtls_failed_endpoints", "endpoints_dtls_failed_total"),
        ("connection.creations{network.transport=tcp}", "total_tcp_connections", None),
        ("connection.creations{network.transport=udp}", "total_udp_connections", None),
        ("channel.count{jitsi.media.kind=audio}", "audiochannels", None),
        ("channel.creations{}", "total_channels", None),
        ("channel.failures{error.type=no_payload}", "total_no_payload_channels", None),
        ("video_stream.count{}", "videostreams", None),
        ("video.time{}", "total_video_stream_milliseconds_received/1000", "video_milliseconds_received_total/1000"),
        ("ice.negotiations{jitsi.ice.outcome=failed}", "total_ice_failed", "ice_failed_total"),
        ("ice.tcp_negotiations{}", "total_ice_succeeded_tcp", "ice_succeeded_tcp_total"),
        ("ice.restarts{}", None, "ice_restarts_started_total"),
        ("ice.restart.results{jitsi.ice.restart.outcome=not_established}", None, "ice_restarts_not_established_total"),
        ("messages{jitsi.message.transport=websocket," + TRANSMIT + "}", "total_colibri_web_socket_messages_sent", "colibri_web_socket_messages_sent_total"),
        ("network.throughput{jitsi.peer=endpoint," + RECEIVE + "}", "bit_rate_download*1000/8", "incoming_bitrate/8"),
        ("network.throughput{jitsi.peer=relay," + TRANSMIT + "}", "octo_send_bitrate/8", "relay_outgoing_bitrate/8"),
        ("network.io{jitsi.peer=endpoint," + TRANSMIT + "}", "total_bytes_sent", "bytes_sent_total"),
        ("network.io{jitsi.peer=relay," + RECEIVE + "}", "total_bytes_received_octo", "relay_bytes_received_total"),
        ("network.packets{jitsi.peer=endpoint," + RECEIVE + "}", "total_packets_received", "packets_received_total"),
        ("network.packets{jitsi.peer=endpoint," + TRANSMIT + "}", "total_packets_sent", "packets_sent_total"),
        ("network.dropped_packets{jitsi.peer=relay}", "total_packets_dropped_octo", None),
        ("network.packet_loss{" + RECEIVE + "}", "incoming_loss|loss_rate_download", "incoming_loss_fraction"),
        ("network.packet_loss{" + TRANSMIT + "}", "outgoing_loss|loss_rate_upload", "outgoing_loss_fraction"),
        ("network.packet_loss_overall{}", "overall_loss", "loss_fraction"),
        ("round_trip_time.average{}", "rtt_aggregate/1000>0", "average_rtt/1000>0"),
        ("jitter.average{}", "jitter_aggregate/1000", None),
        ("bwe.expirations{}", "total_aimd_bwe_expirations", "incoming_bitrate_expirations_total"),
        ("loss_state.time{jitsi.loss.state=controlled}", "total_loss_controlled_participant_seconds", None),
        ("queue.dropped_packets{jitsi.queue.name=srtp_send}", None, "srtp_send_queue_dropped_packets_total"),
        ("queue.exceptions{jitsi.queue.name=endpoint_message}", None, "endpoint_receive_message_queue_exceptions_total"),
        ("xmpp.room.configured.count{}", "mucs_configured", "mucs_connected"),
        ("thread.count{}", "threads", "thread_count"),
        ("stress{}", "stress_level", "stress"),
        ("healthy{}", "healthy", "healthy"),
        ("draining{}", "drain", "drain_mode"),
        ("graceful_shutdown{}", "graceful_shutdown", "graceful_shutdown"),
        ("shutting_down{}", "shutting_down", "shutting_down"),
        ("uptime{}", None, "startup_time/1000~"),
        ("jvm.gc.time{}", None, "jvm_gc_time/1000"),
        ("jvm.heap.usage{}", None, "jvm_heap_used"),
        ("host.cpu.utilization{}", "cpu_usage", None),
        ("host.memory.usage{}", "used_memory*1000000", None),
        ("host.memory.limit{}", "total_memory*1000000", None),
    ],
    "jicofo": [
        ("conference.count{}", "conferences", "conferences"),
        ("conference.count_by_size{jitsi.conference.size=0}", "conference_sizes.buckets.0_to_1|conference_sizes[0]", None),
        ("conference.count_by_size{jitsi.conference.size=2}", "conference_sizes.buckets.2_to_3|conference_sizes[2]", None),
        ("conference.count_by_size{jitsi.conference.size=3-4}", "conference_sizes.buckets.3_to_5", None),
        ("conference.count_by_size{jitsi.conference.size=5-9}", "conference_sizes.buckets.5_to_10", None),
        ("conference.count_by_size{jitsi.conference.size=20-49}", "conference_sizes.buckets.20_to_50", None),
        ("conference.count_by_size{jitsi.conference.size=500+}", "conference_sizes.buckets.500_to_max", None),
        ("conference.count_by_size{jitsi.conference.size=p99_upper_bound}", None, None),
        ("conference.time{}", None, "conferences_seconds"),
        ("conference.requests{}", None, "conference_requests_total"),
        ("participant.count{}", "participants", "participants_current"),
        ("participant.pair.count{}", "endpoint_pairs", "participants_pairs"),
        ("participant.notifications{jitsi.notification.type=restart_requested}", "participant_notifications.request_restart", "participants_restart_requested_total"),
        ("bridge.operational.count{}", "bridge_selector.operational_bridge_count", "bridge_selector_bridge_count_operational"),
        ("bridge.shutting_down.count{}", "bridge_selector.in_shutdown_bridge_count", "bridge_selector_bridge_count_in_shutdown"),
        ("bridge.losses{}", "bridge_selector.lost_bridges", "bridge_selector_lost_bridges_total"),
        ("bridge.removals{}", "bridge_failures.bridges_removed", "bridges_removed_total"),
        ("bridge.selections{jitsi.selection.reason=least_loaded}", "bridge_selector.total_least_loaded", None),
        *[("bridge.endpoint.count{jitsi.bridge.id=" + BRIDGE + n + "}", None, "bridge_endpoints{jvb=" + BRIDGE + n + "}") for n in "123"],
        *[("bridge.endpoint.moves{jitsi.bridge.id=" + BRIDGE + n + "}", None, "bridge_endpoints_moved_total{jvb=" + BRIDGE + n + "}") for n in "12"],
        ("bridge.failing_ice{jitsi.bridge.id=" + BRIDGE + "3}", None, "bridge_failing_ice{jvb=" + BRIDGE + "3}"),
        ("jibri.failures{jitsi.jibri.mode=recording}", "jibri.total_recording_failures|total_recording_failures", "jibri_recording_failures_total"),
        ("jibri.instance.available.count{jitsi.jibri.pool=jibri}", "jibri_detector.available", "jibri_instances_available"),
        ("jibri.session.count{jitsi.jibri.mode=sip_call}", "jibri.sip_call_active", "jibri_sip_active"),
        ("jingle.stanzas{jitsi.jingle.action=session-initiate," + TRANSMIT + "}",
         "jingle.sent.session-initiate|jingle.sent.SESSION_INITIATE", "jingle_session_initiate_sent_total"),
        ("jingle.stanzas{jitsi.jingle.action=source-add," + TRANSMIT + "}", "jingle.sent.source-add|jingle.sent.SOURCEADD", "jingle_source_add_sent_total"),
        ("jingle.stanzas{jitsi.jingle.action=transport-info," + RECEIVE + "}",
         "jingle.received.transport-info|jingle.received.TRANSPORT_INFO", "jingle_transport_info_received_total"),
        ("queue.added_packets{jitsi.queue.name=jibri-iq-queue}", "queues.jibri-iq-queue.added_packets", None),
        ("queue.removed_packets{jitsi.queue.name=jibri-iq-queue}", "queues.jibri-iq-queue.removed_packets", None),
        ("healthy{}", "healthy", "healthy"),
        ("slow_health_checks{}", "slow_health_check", None),
    ],
    "jigasi": [
        ("healthy{}", "=1", "=1"),  # the health check passes in all scenes
        ("conference.count{}", "conferences", "conferences"),
        ("conference.count_by_size{jitsi.conference.size=4}", "conference_sizes[4]", None),
        ("participant.creations{}", "total_participants", "total_participants_total"),
        ("call.events{jitsi.call.event=dropped_media}", "total_calls_with_dropped_media", "total_calls_with_dropped_media_total"),
        ("stress{}", "stress_level", "stress_level"),
        ("transcription.events{jitsi.transcription.event=started}", "total_transcriber_started", "total_transcriber_started_total"),
        ("transcription.time{jitsi.transcription.backend=google}", "total_transcriber_ggl_millis/1000", "total_transcriber_ggl_millis/1000"),
    ],
    "jibri": [
        ("component.healthy{jitsi.jibri.component=JibriManager}", "status.health.details.JibriManager.healthStatus==HEALTHY", None),
        *[("state{jitsi.jibri.state=" + word.lower() + "}", "status.busyStatus==" + word, None) for word in ("IDLE", "BUSY", "EXPIRED", "UNKNOWN")],
        ("healthy{}", "status.health.healthStatus==HEALTHY", "healthy"),
        ("recording{}", None, "recording"),
        ("session.creations{}", None, "sessions_started_total"),
        ("request.rejections{}", None, "busy_total"),
        ("xmpp.events{jitsi.xmpp.event=connected}", None, "xmpp_connected_total"),
    ],
}

FORMULA = re.compile(r"([\w.-]+)(?:\[(\d+)(\+?)\])?(?:\{(\w+)=([^}]*)\})?(?:==(\w+))?((?:[*/]\d+)*)(>0)?(~)?")


def read_page(component, text):
    """Returns the samples of a page: name without its prefix, label value or "", number."""
    line = re.compile(r'jitsi_' + component + r'_(\w+)(?:\{\w+="([^"]*)",?\})? (\S+)')
    return {(m[1], m[2] or ""): float(m[3]) for m in map(line.fullmatch, text.splitlines()) if m}


def find(answer, path, at):
    """Returns a value of the statistics, or None."""
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    if at is None:
        return None if isinstance(answer, (dict, list)) else answer
    return answer[int(at)] if isinstance(answer, list) and int(at) < len(answer) else None


def find_sample(page, name, at, above, label):
    """Returns a value of the page, or None."""
    if at is None:
        return page.get((name, label or ""))
    upper = page.get((name + "_bucket", "+Inf" if above else at + ".0"))
    lower = page.get((name + "_bucket", str(int(at) - 1) + ".0"), 0)
    return None if upper is None else upper - lower


def compute(formula, answer, is_page):
    """Returns the value of a formula for an answer, or None."""
    if formula == "=1":
        return 1
    name, at, above, _, label, word, operations, positive, ago = FORMULA.fullmatch(formula).groups()
    value = find_sample(answer, name, at, above, label) if is_page else find(answer, name, at)
    if value is None:
        return None
    value = int(value == word) if word else float(value)
    for operator, number in re.findall(r"([*/])(\d+)", operations):
        value = value * int(number) if operator == "*" else value / int(number)
    if ago:
        value = CAPTURED - value
    return None if positive and value <= 0 else value


def evaluate(scene, stats_formula, page_formula):
    """Returns the value of a point from the statistics or, if they do not have it, from the page."""
    component, stats, page = SCENES[scene]
    for file, formulas in ((stats, stats_formula), (page, page_formula)):
        if file is None or formulas is None:
            continue
        text = (ANSWERS / component / file).read_text()
        is_page = file is page
        answer = read_page(component, text) if is_page else json.loads(text)
        for formula in formulas.split("|"):
            value = compute(formula, answer, is_page)
            if value is not None:
                return value
    return None


def write(value):
    if value is None:
        return "-"
    return str(int(value)) if value == int(value) else repr(value)


print("# scene, point, value (- for: no such point). Printed by expected.py.")
for scene, (component, _, _) in SCENES.items():
    for point, stats_formula, page_formula in POINTS[component]:
        point = f"jitsi.{component}.{point}"
        value = write(evaluate(scene, stats_formula, page_formula))
        if point.partition("{")[0] not in OFF:
            print(scene, point, value, sep="\t")
        print(scene + "_everything", point, value, sep="\t")
