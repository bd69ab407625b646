# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints expected.tsv: the expected points for each captured server, computed from the captures without the receiver's code."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = HERE.parents[2] / "testdata" / "kamailio"
METADATA = (HERE.parent / "metadata.yaml").read_text()
# Metrics that are disabled by default.
OFF = set(re.findall(r"\n  ([a-z][\w.]+):\n    enabled: false", METADATA))

# Statistics by group.name: the metric without "kamailio.", then an attribute, and a factor.
STATISTICS = """
cdp.average_response_time cdp.response_time.average * 0.001; cdp.queuelength cdp.queue.count; cdp.replies_received cdp.replies;
cdp.replies_response_time cdp.response.time * 0.001; cdp.timeout cdp.timeouts; core.bad_URIs_rcvd request.bad_uris;
core.bad_msg_hdr message.bad_headers; core.drop_replies reply.drops; core.drop_requests request.drops;
core.err_replies reply.errors; core.err_requests request.errors; core.fwd_replies reply.forwards;
core.fwd_requests request.forwards; core.rcv_replies replies; core.rcv_requests requests;
core.unsupported_methods request.unsupported_methods; dialog.active_dialogs dialog.active.count;
dialog.early_dialogs dialog.early.count; dialog.expired_dialogs dialog.expirations; dialog.failed_dialogs dialog.failures;
dialog.processed_dialogs dialog.creations; dns.failed_dns_request dns.failures; dns.slow_dns_request dns.slow_requests;
pike.blocked_ips pike.blocked_address.count; registrar.accepted_regs registrar.registrations registrar.outcome=accepted;
registrar.default_expire registrar.expires.default; registrar.default_expires_range registrar.expires.default_range * 0.01;
registrar.expires_range registrar.expires.range * 0.01; registrar.max_contacts registrar.contact.limit;
registrar.max_expires registrar.expires.max; registrar.rejected_regs registrar.registrations registrar.outcome=rejected;
shmem.fragments memory.shared.fragment.count; shmem.free_size memory.shared.usage memory.state=free;
shmem.max_used_size memory.shared.peak; shmem.total_size memory.shared.limit;
shmem.used_size memory.shared.usage memory.state=used; sipcapture.captured_replies sipcapture.replies;
sipcapture.captured_requests sipcapture.requests; siptrace.traced_replies siptrace.replies;
siptrace.traced_requests siptrace.requests; sl.failures sl.failures; sl.received_ACKs sl.acks;
sl.sent_err_replies sl.error_replies; tcp.con_reset tcp.errors error.type=connection_reset;
tcp.con_timeout tcp.errors error.type=connection_timeout; tcp.connect_failed tcp.errors error.type=connect_failed;
tcp.connect_success tcp.connection.opens tcp.initiator=self; tcp.current_opened_connections tcp.connection.count;
tcp.current_write_queue_size tcp.write_queue.size; tcp.established tcp.connection.establishments;
tcp.local_reject tcp.errors error.type=local_reject; tcp.passive_open tcp.connection.opens tcp.initiator=peer;
tcp.send_timeout tcp.errors error.type=send_timeout; tcp.sendq_full tcp.errors error.type=send_queue_full;
tls.clear_text_write_queued_bytes tls.write_queue.size; tls.max_connections tls.connection.limit;
tls.opened_connections tls.connection.count; tmx.UAC_transactions transaction.creations transaction.origin=local;
tmx.active_transactions transaction.active.count; tmx.inuse_transactions transaction.count;
tmx.rpl_absorbed transaction.absorbed_replies; tmx.rpl_generated transaction.sent_replies reply.origin=generated;
tmx.rpl_received transaction.received_replies; tmx.rpl_relayed transaction.sent_replies reply.origin=relayed;
uac.regactive uac.registration.active.count; uac.regdisabled uac.registration.disabled.count;
uac.regtotal uac.registration.count; usrloc.registered_users usrloc.registered_user.count;
websocket.ws_failed_connections websocket.connection.failures;
websocket.ws_failed_handshakes websocket.handshakes websocket.outcome=failed;
websocket.ws_local_closed_connections websocket.connection.closures websocket.initiator=local;
websocket.ws_msrp_current_connections websocket.connection.count websocket.protocol=msrp;
websocket.ws_msrp_max_concurrent_connections websocket.connection.peak websocket.protocol=msrp;
websocket.ws_received_frames websocket.frames network.io.direction=receive;
websocket.ws_remote_closed_connections websocket.connection.closures websocket.initiator=remote;
websocket.ws_sip_current_connections websocket.connection.count websocket.protocol=sip;
websocket.ws_sip_max_concurrent_connections websocket.connection.peak websocket.protocol=sip;
websocket.ws_successful_handshakes websocket.handshakes websocket.outcome=successful;
websocket.ws_transmitted_frames websocket.frames network.io.direction=transmit;
httpclient.connections http_client.connection.count;
httpclient.connfail http_client.connection.attempts http_client.outcome=failed;
httpclient.connok http_client.connection.attempts http_client.outcome=successful;
websocket.ws_current_connections websocket.connection.active.count;
websocket.ws_max_concurrent_connections websocket.connection.active.peak;
websocket.ws_msrp_failed_connections websocket.connection.failures_by_protocol websocket.protocol=msrp;
websocket.ws_msrp_local_closed_connections websocket.connection.closures_by_protocol websocket.initiator=local websocket.protocol=msrp;
websocket.ws_msrp_received_frames websocket.frames_by_protocol network.io.direction=receive websocket.protocol=msrp;
websocket.ws_msrp_remote_closed_connections websocket.connection.closures_by_protocol websocket.initiator=remote websocket.protocol=msrp;
websocket.ws_msrp_successful_handshakes websocket.handshakes_by_protocol websocket.protocol=msrp;
websocket.ws_msrp_transmitted_frames websocket.frames_by_protocol network.io.direction=transmit websocket.protocol=msrp;
websocket.ws_sip_failed_connections websocket.connection.failures_by_protocol websocket.protocol=sip;
websocket.ws_sip_local_closed_connections websocket.connection.closures_by_protocol websocket.initiator=local websocket.protocol=sip;
websocket.ws_sip_received_frames websocket.frames_by_protocol network.io.direction=receive websocket.protocol=sip;
websocket.ws_sip_remote_closed_connections websocket.connection.closures_by_protocol websocket.initiator=remote websocket.protocol=sip;
websocket.ws_sip_successful_handshakes websocket.handshakes_by_protocol websocket.protocol=sip;
websocket.ws_sip_transmitted_frames websocket.frames_by_protocol network.io.direction=transmit websocket.protocol=sip;
imc.active_rooms imc.room.count; ims_auth.mar_avg_response_time ims.response_time.average ims.command=mar * 0.001;
ims_auth.mar_replies_received ims.replies ims.command=mar;
ims_auth.mar_replies_response_time ims.response.time ims.command=mar * 0.001; ims_auth.mar_timeouts ims.timeouts ims.command=mar;
ims_icscf.lir_avg_response_time ims.response_time.average ims.command=lir * 0.001;
ims_icscf.lir_replies_received ims.replies ims.command=lir;
ims_icscf.lir_replies_response_time ims.response.time ims.command=lir * 0.001;
ims_icscf.lir_timeouts ims.timeouts ims.command=lir;
ims_icscf.uar_avg_response_time ims.response_time.average ims.command=uar * 0.001;
ims_icscf.uar_replies_received ims.replies ims.command=uar;
ims_icscf.uar_replies_response_time ims.response.time ims.command=uar * 0.001;
ims_icscf.uar_timeouts ims.timeouts ims.command=uar;
nat_traversal.dialog_endpoints nat_traversal.endpoint.count_by_reason nat_traversal.reason=dialog;
nat_traversal.keepalive_endpoints nat_traversal.endpoint.count;
nat_traversal.registered_endpoints nat_traversal.endpoint.count_by_reason nat_traversal.reason=registration;
nat_traversal.subscribed_endpoints nat_traversal.endpoint.count_by_reason nat_traversal.reason=subscription;
tsilo.added_branches tsilo.branches; tsilo.stored_ruris tsilo.uri.count; tsilo.stored_transactions tsilo.transaction.count;
tsilo.total_ruris tsilo.uri.creations; tsilo.total_transactions tsilo.transaction.creations
"""
STATISTICS = {words[0]: words[1:] for words in map(str.split, STATISTICS.split(";"))}
# Statistics that are redundant or handled below.
SILENT = {"shmem.real_used_size", "tmx.UAS_transactions", "tmx.rpl_sent", "sl.sent_replies"}
# Counters, in addition to names ending in _total, of modules without specific metrics.
COUNTS = re.compile(
    r"msilo\..*|sst\.expired_sst|ims_\w+\.\w+_(replies_received|replies_response_time|timeouts)"
)
METHODS = {"reg": "REGISTER"}


def own(attribute):
    """Returns the full name of an attribute, most of which begin with kamailio."""
    return attribute if attribute.startswith(("error.", "network.")) else "kamailio." + attribute


def point(metric, *attributes):
    """Returns the name of a point in the notation of expected.tsv."""
    return "kamailio." + metric + "{" + ",".join(sorted(map(own, attributes))) + "}"


def plain(record):
    """Converts a record of a .rep.json file to a number, a string, or a list of pairs."""
    (kind, content), *_ = record.items()
    if kind == "struct":
        return [(name, plain(member)) for name, member in content]
    return float(content) if kind == "double" else content


def pairs(node):
    """Converts a JSON node to the same form. Lists of objects with a single member lose a level."""
    if isinstance(node, dict):
        return [(key, pairs(member)) for key, member in node.items()]
    if isinstance(node, list):
        wrapped = all(isinstance(e, dict) and list(e) in (["SET"], ["DEST"]) for e in node)
        return [(next(iter(e)), pairs(next(iter(e.values())))) if wrapped else (None, pairs(e)) for e in node]
    return node


def get(node, name):
    """Returns a member of a struct."""
    return next((v for k, v in node if k == name), None) if node is not None else None


class Server:
    """The captured replies of a server from several directories, the first of which takes precedence."""

    def __init__(self, transport, *folders):
        self.transport, self.folders = transport, folders

    def reply(self, method, binrpc_name=None):
        """Returns the records of a reply, or an empty list."""
        for folder in self.folders:
            if self.transport == "jsonrpc":
                file = CAPTURES / "jsonrpc" / folder / (method + ".json")
                answer = json.loads(file.read_text()) if file.exists() else {}
                if "result" in answer:
                    result = answer["result"]
                    return [pairs(e) for e in result] if isinstance(result, list) else [pairs(result)]
                continue
            for name in (binrpc_name or method, method):
                file = CAPTURES / "binrpc" / folder / (name + ".rep.json")
                if file.exists():
                    answer = json.loads(file.read_text())
                    return [plain(r) for r in answer["records"]] if answer["type"] == "reply" else []
        return []


def statistics(server, naming):
    """Yields the points of stats.fetch and of its fallbacks."""
    values = {}
    for key, text in (server.reply("stats.fetch", "stats.fetch_all") or [[]])[0]:
        number = int(text)
        values[key] = number - 2**64 if number >= 2**63 else number  # Kamailio prints a negative long with %lu
    connections = (server.reply("core.tcp_info") or [[]])[0]
    for member, value in (server.reply("tls.info") or [[]])[0]:
        values.setdefault("tls." + member, value)
    for member, key in (
        ("opened_connections", "tcp.current_opened_connections"), ("write_queued_bytes", "tcp.current_write_queue_size"),
        ("opened_tls_connections", "tls.opened_connections"), ("max_tls_connections", "tls.max_connections"),
    ):
        if get(connections, member) is not None:
            values.setdefault(key, get(connections, member))
    for key, value in values.items():
        yield from statistic(key, value, naming)
    for key, (metric, *attributes) in STATISTICS.items():
        if key not in values and not attributes:
            yield point(metric), "-"
    for whole, part, metric, attribute in (
        ("shmem.real_used_size", "shmem.used_size", "memory.shared.usage", "memory.state=overhead"),
        ("tmx.UAS_transactions", "tmx.UAC_transactions", "transaction.creations", "transaction.origin=remote"),
    ):
        if whole in values:
            yield point(metric, attribute), values[whole] - values[part]


def statistic(key, value, naming):
    """Yields the points of a statistic."""
    group, name = key.split(".", 1)
    method = name.rsplit("_", 1)[-1]
    by_method = "request.method=" + METHODS.get(method, method.upper())
    code = name.removeprefix("rcv_replies_")
    if key in SILENT:
        return
    if key in STATISTICS:
        metric, *rest = STATISTICS[key]
        factor = rest[rest.index("*") + 1:] if "*" in rest else []
        attributes = rest[:rest.index("*")] if factor else rest
        yield point(metric, *attributes), "-" if value < 0 else value * float(factor[0]) if factor else value
    elif group == "sl":
        group_of = {"xxx": "other", "1xx": "1xx", "6xx": "6xx"}.get(name[:3], name[:3] + "_other" if "xx" in name else name[:3])
        yield point("sl.replies", "reply.group=" + group_of), value
    elif group == "tmx" and name.endswith("xx_transactions"):
        yield point("transaction.completions", "reply.class=" + name[:3]), value
    elif group == "core" and name.startswith("rcv_requests_"):
        yield point("requests_by_method", by_method), value
    elif group == "core" and re.fullmatch(r"[1-6]xx", code):
        yield point("replies_by_class", "reply.class=" + code), value
    elif group == "core" and "_" in code:
        yield point("replies_by_method", "reply.class=" + code[:3], by_method), value
    elif group == "core":
        yield point("replies_by_code", "reply.code=" + code), value
    elif group == "usrloc":
        table, what = re.fullmatch(r"(.*)_(\w+)", name).groups()
        metric = {"users": "user.count", "contacts": "contact.count", "expires": "contact.expirations"}[what]
        yield point("usrloc." + metric, "usrloc.domain=" + table), value
    elif group == "script" and naming:
        yield "kamailio.script." + name + "{}", value
        yield point("statistic.value", "statistic.group=script", "statistic.name=" + name), "-"
    else:
        counts = name.endswith("_total") or COUNTS.fullmatch(key)
        attributes = "statistic.group=" + group, "statistic.name=" + name
        yield point("statistic.counts" if counts else "statistic.value", *attributes), value
        if counts:
            yield point("statistic.value", *attributes), "-"


def lists(server):
    """Yields the points of replies with lists."""
    processes = server.reply("pkg.stats")
    if processes:
        yield point("process.count"), len(processes)
    for p in map(dict, processes):
        of = f"process.index={p['entry']}", "process.description=" + p["desc"]
        used = p["used"] % 2**32
        yield point("process.memory.limit", *of), p["total_size"]
        yield point("process.memory.fragment.count", *of), p["total_frags"]
        yield point("process.memory.usage", "memory.state=used", *of), used
        yield point("process.memory.usage", "memory.state=overhead", *of), p["real_used"] % 2**32 - used
        yield point("process.memory.usage", "memory.state=free", *of), p["free"] % 2**32
    for table in map(dict, server.reply("htable.stats")):
        for member, metric in (("all", "item.count"), ("slots", "slot.count"), ("min", "slot.fill.min"), ("max", "slot.fill.max")):
            yield point("htable." + metric, "htable.name=" + table["name"]), table[member]
    for node in map(dict, server.reply("dmq.list_nodes")):
        of = f"dmq.node={node['host']}:{node['port']}", f"dmq.local={'true' if node['local'] else 'false'}"
        for state in ("active", "not_active", "pending", "disabled", "timeout", "other"):
            yield point("dmq.node.state", "dmq.state=" + state, *of), int(node["status"] == state)
        if "fail_count" in node:
            yield point("dmq.node.failure.count", *of), node["fail_count"]
    addresses = server.reply("pike.top", "pike.top_ALL")
    if addresses:
        found = [get(row, "status") for _, row in get(addresses[0], "list") or []]
        for state in ("warm", "hot"):
            yield point("pike.address.count", "pike.state=" + state), found.count(state.upper())
    for pipe in map(dict, server.reply("pl.list")):
        yield point("pipelimit.message.count", "pipelimit.pipe=" + pipe["name"]), pipe["last_counter"]
        limit = pipe["limit"] if pipe["algorithm"] in ("TAILDROP", "RED") else "-"
        yield point("pipelimit.message.limit", "pipelimit.pipe=" + pipe["name"]), limit
    yield from relays(server)
    yield from destinations(server)
    yield from modules(server)


def modules(server):
    """Yields the points of the DNS cache and of the modules peerstate and secfilter."""
    memory = server.reply("dns.mem_info")
    if memory and server.transport == "binrpc":
        yield point("dns.cache.usage"), memory[0]
        yield point("dns.cache.limit"), memory[1]
    counters = (
        ("dns_req_cnt", "requests", ()), ("dc_hits_cnt", "hits", ["dns.cache.answer=positive"]),
        ("dc_neg_hits_cnt", "hits", ["dns.cache.answer=negative"]), ("dc_lru_cnt", "evictions", ()),
    )
    for reply in server.reply("dns.stats_get"):
        for member, metric, of in counters:
            yield point("dns.cache." + metric, *of), get(reply, member)
    for member, metric in (("total_peers", "count"), ("incall_peers", "in_call.count"), ("registered_peers", "registered.count")):
        for reply in server.reply("peerstate.stats"):
            yield point("peerstate.peer." + metric), get(reply, member)
    for name, entries in next((r for r in server.reply("secfilter.stats") if isinstance(r, list)), []):
        for field, value in entries:
            of = "secfilter.list=" + name.lower(), "secfilter.field=" + field.lower().replace("-", "_")
            yield point("secfilter.matches", *of), value


def relays(server):
    """Yields the points of Kamailio about rtpengines."""
    for node in map(dict, server.reply("rtpengine.show", "rtpengine.show_all")):
        of = f"rtpengine.set={node['set']}", "rtpengine.node=" + node["url"]
        if "active" in node:  # since 6.0
            current = "enabled" if node["active"] else "disabled_permanently" if node["disabled"] else "disabled"
        else:
            current = {0: "enabled", 1: "disabled", "1(permanent)": "disabled_permanently"}[node["disabled"]]
        for state in ("enabled", "disabled", "disabled_permanently"):
            yield point("rtpengine.node.state", "rtpengine.state=" + state, *of), int(state == current)
        info = f"rtpengine.index={node['index']}", f"rtpengine.weight={node['weight']}", "rtpengine.state=" + current
        yield point("rtpengine.node.info", *info, *of), 1
        yield point("rtpengine.node.weight", *of), node["weight"]
        ticks = node["recheck_ticks"]
        yield point("rtpengine.node.recheck_delay", *of), ticks if ticks != "N/A" and ticks >= 0 else "-"


def destinations(server):
    """Yields the points of the dispatcher. Addresses are unique in every captured set."""
    reply = server.reply("dispatcher.list", "dispatcher.list_full")
    if not reply:
        return
    states = {"A": "active", "T": "trying", "I": "inactive", "D": "disabled"}
    yield point("dispatcher.set.count"), get(reply[0], "NRSETS")
    for _, in_set in get(reply[0], "RECORDS"):
        number = f"dispatcher.set={get(in_set, 'ID')}"
        targets = [target for _, target in get(in_set, "TARGETS")]
        for letter, state in states.items():
            count = sum(get(t, "FLAGS")[0] == letter for t in targets)
            yield point("dispatcher.target.count", number, "dispatcher.state=" + state), count
        for t in targets:
            of = number, "dispatcher.uri=" + re.sub(r";(?!transport=)[^;]*", "", get(t, "URI"))
            for letter, state in states.items():
                yield point("dispatcher.target.state", "dispatcher.state=" + state, *of), int(get(t, "FLAGS")[0] == letter)
            yield point("dispatcher.target.probing", *of), int(get(t, "FLAGS")[1] == "P")
            latency = get(t, "LATENCY")
            for member, name in (("AVG", "average"), ("STD", "deviation"), ("EST", "estimate"), ("MAX", "max")):
                if latency:
                    yield point("dispatcher.target.latency." + name, *of), get(latency, member) / 1000
            if latency:
                yield point("dispatcher.target.timeouts", *of), get(latency, "TIMEOUT")
            if get(t, "OCRATE") is not None:
                yield point("dispatcher.target.overload.reduction", *of), get(t, "OCRATE") / 100
            if get(t, "RUNTIME"):
                yield point("dispatcher.target.dialog.count", *of), get(get(t, "RUNTIME"), "DLGLOAD")


def kamailio(server, naming=False):
    """Yields all points of a server."""
    yield point("uptime"), get(server.reply("core.uptime")[0], "uptime")
    yield from statistics(server, naming)
    yield from lists(server)
    for method, members in (
        ("core.tcp_info", {"max_connections": "tcp.connection.limit", "readers": "tcp.reader.count"}),
        ("tm.stats", {"freed": "transaction.releases", "delayed_free": "transaction.delayed_releases"}),
    ):
        for member, metric in members.items():
            for reply in server.reply(method) or [[(member, "-")]]:
                yield point(metric), get(reply, member)
    for reply in server.reply("dlg.stats_active"):
        for state in ("starting", "connecting", "answering", "ongoing"):
            yield point("dialog.count", "dialog.state=" + state), get(reply, state)
    for profile, value, name in (("inbound", "", "inbound"), ("caller", "alice", "caller")):
        if server.transport == "binrpc" or not value:
            for reply in server.reply("dlg.profile_get_size", "dlg.profile_get_size_" + name):
                yield point("dialog.count_by_profile", "dialog.profile=" + profile, "dialog.value=" + value), reply
    for reply in server.reply("rtpengine.get_hash_total"):
        yield point("rtpengine.call.count"), reply


# Metric families of rtpengine's page: the metric without "rtpengine.", then fixed attributes, and a factor.
PAGE = """
bytes_total network.io; call_duration2_total call.squared_time; call_duration_avg call.duration.average;
call_duration_total call.time; closed_sessions_total session.closures; errors_total request.errors;
interface_bytes interface.io; interface_duplicates interface.duplicate_packets; interface_errors interface.packet_errors;
interface_packets interface.packets; interface_packets_lost interface.lost_packets; media_cache media_cache.count;
mediastreams stream.count; mos2_total mos.summed_squared_scores; one_way_sessions_total one_way_sessions;
packet_errors_total network.packet_errors; packets_lost rtp.lost_packets; packets_total network.packets;
player_cache player_cache.count; ports_free port.count rtpengine.port.state=free;
ports_used port.count rtpengine.port.state=used; request_seconds_total request.time; requests_total requests;
rtp_duplicates rtp.anomalies rtpengine.rtp.anomaly=duplicate; rtp_reordered rtp.anomalies rtpengine.rtp.anomaly=reordered;
rtp_seq_resets rtp.anomalies rtpengine.rtp.anomaly=sequence_reset; rtp_skips rtp.anomalies rtpengine.rtp.anomaly=skip;
sessions session.count; sessions_total session.creations; transcode_bytes_total transcoding.io;
transcode_packets_total transcoding.packets; transcode_samples_total transcoding.samples; transcoded_media transcoded_media.count;
transcoders transcoder.count; uptime_seconds uptime; zero_packet_streams_total zero_packet_streams
"""
# Sampled values, of the whole rtpengine and of each interface: the sum, the samples, a fixed attribute, and the factor of the sum.
SAMPLED = """
jitter jitter.time jitter.samples jitter.origin=reported 0.001; jitter_measured jitter.time jitter.samples jitter.origin=measured 0.001;
mos mos.summed_scores mos.samples - 1; packetloss packet_loss.ratios packet_loss.samples - 0.01;
rtt_dsct round_trip.time round_trip.samples round_trip.span=leg 0.000001;
rtt_e2e round_trip.time round_trip.samples round_trip.span=end_to_end 0.000001
"""
PAGE = {words[0]: [*words[1:], "*", "1"] for words in map(str.split, PAGE.split(";"))}
for family, total, samples, fixed, factor in map(str.split, SAMPLED.split(";")):
    for of in ("", "interface."):
        attributes = [] if fixed == "-" else ["rtpengine." + fixed]
        PAGE[of.replace(".", "_") + family + "_total"] = [of + total, *attributes, "*", factor]
        PAGE[of.replace(".", "_") + family + "_samples_total"] = [of + samples, *attributes, "*", "1"]
LABELS = {
    "reason": "close.reason", "proxy": "proxy", "request": "command", "name": "interface.name", "address": "interface.address",
    "chain": "transcoding.chain",
}
DIRECTIONS = {"ingress": "receive", "egress": "transmit"}


def rtpengine(page):
    """Yields all points of a page of rtpengine."""
    for line in (CAPTURES / "prometheus" / page).read_text().splitlines():
        sample = re.fullmatch(r"rtpengine_(\w+)(?:{(.*)})? (\S+)", line)
        if sample and sample[1] in PAGE:
            metric, *fixed, _, factor = PAGE[sample[1]]
            for label, value in re.findall(r'(\w+)="([^"]*)"', sample[2] or ""):
                kind = "session.type" if sample[1] == "sessions" else "forwarding"
                if label == "direction":
                    fixed.append("network.io.direction=" + DIRECTIONS[value])
                else:
                    fixed.append(f"rtpengine.{LABELS.get(label, kind)}={value}")
            value = float(sample[3]) * float(factor) if "." in sample[3] else int(sample[3])
            yield f"rtpengine.{metric}{{{','.join(sorted(fixed))}}}", value


UNIX, MINIMAL, HTTP = Server("binrpc", "unix"), Server("binrpc", "minimal"), Server("jsonrpc", "")
SCENES = [
    ("unix", UNIX), ("unix_everything", UNIX), ("unix_named", UNIX), ("tcp", Server("binrpc", "tcp", "unix")), ("minimal", MINIMAL),
    ("minimal_everything", MINIMAL), ("many_modules", Server("binrpc", "many_modules")), ("6.1", Server("binrpc", "6.1", "unix")),
    ("6.1_everything", Server("binrpc", "6.1", "unix")),
    ("jsonrpc", HTTP), ("jsonrpc_everything", HTTP), ("rtpengine", "rtpengine.txt"), ("rtpengine_everything", "rtpengine.txt"),
    ("rtpengine_sample", "rtpengine_sample.txt"), ("rtpengine_sample_everything", "rtpengine_sample.txt"),
]
print("# scene\tpoint\tvalue; made by expected.py from the captures, independently of the receiver; - means no such point")
for scene, captured in SCENES:
    all_on = scene.endswith("_everything") or scene == "many_modules"
    points = rtpengine(captured) if isinstance(captured, str) else kamailio(captured, scene == "unix_named")
    for name, value in points:
        off = name.split("{")[0] in OFF and not all_on
        if value is not None and not (off and value == "-"):
            print(scene, name, "-" if off else value, sep="\t")
