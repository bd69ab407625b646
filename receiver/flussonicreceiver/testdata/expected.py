# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints testdata/expected.tsv: the expected points for the captured answers of Flussonic.

The tables below compute the values from the captures according to Flussonic's documentation. The script shares no code with the
receiver. A value of - means that the point must not exist.
"""

import json
import pathlib
import re

CAPTURES = pathlib.Path(__file__).resolve().parent / "../../../testdata/flussonic"

# Scenes of API v3: directories, the first of which that has an answer is used, and whether all metrics are enabled.
API_SCENES = {
    "23.01": (["23.01", "full-23.10"], True),
    "23.10": (["23.10", "full-23.10"], False),
    "23.10_everything": (["23.10", "full-23.10"], True),
    "25.11": (["25.11"], False),
    "25.11_everything": (["25.11"], True),
    "full-23.10_everything": (["full-23.10"], True),
    "edge": (["edge", "25.11"], True),
}
# Files of the scenes with pages.
PAGE_SCENES = {
    "page": ["metrics-typed.prom"],
    "aliases": ["metrics-aliases.prom"],
    "openmetrics": ["openmetrics-config.txt", "openmetrics-streams.txt"],
}

# Multiplier and divisor of each unit.
ONE, PERCENT, MILLI, KBIT, BIT, MEGA, MINUTE = (1, 1), (1, 100), (1, 1000), (125, 1), (1, 8), (1 << 20, 1), (1, 60)

RECEIVE, TRANSMIT = {"network.io.direction": "receive"}, {"network.io.direction": "transmit"}

# Metrics of the server: name, attributes, path in config/stats, unit, enabled by default.
SERVER = [
    ("bandwidth.utilization", {}, "bandwidth_usage", PERCENT, True),
    ("cpu.utilization", {}, "cpu_usage", PERCENT, True),
    ("memory.utilization", {}, "memory_usage", PERCENT, True),
    ("scheduler.utilization", {}, "scheduler_load", PERCENT, True),
    ("client.count", {}, "total_clients", ONE, True),
    ("stream.count", {}, "total_streams", ONE, True),
    ("stream.online.count", {}, "online_streams", ONE, True),
    ("file.open.count", {}, "opened_files", ONE, True),
    ("network.throughput", RECEIVE, "input_kbit", KBIT, True),
    ("network.throughput", TRANSMIT, "output_kbit", KBIT, True),
    ("start_time", {}, "started_at", ONE, True),
    ("uptime", {}, "uptime", ONE, True),
    ("event.drops", {}, "events.dropped_events", ONE, False),
    ("event.resends", {}, "events.resent_events", ONE, False),
]

# Metrics of a stream: name, attributes, paths with units, the first of which that has a value is used, enabled by default.
STREAM = [
    ("static", {}, [("static", ONE)], True),
    ("alive", {}, [("stats.alive", ONE)], True),
    ("client.count", {}, [(f"stats.{p}", ONE) for p in ("play.play_opened_sessions", "online_clients", "client_count")], True),
    ("io", RECEIVE, [("stats.input.bytes", ONE), ("stats.bytes_in", ONE)], True),
    ("io", TRANSMIT, [("stats.bytes_out", ONE)], True),
    ("throughput", RECEIVE, [("stats.input_bitrate", KBIT), ("stats.bitrate", KBIT)], True),
    ("throughput", TRANSMIT, [("stats.output_bandwidth", BIT), ("stats.out_bandwidth", KBIT)], True),
    ("retries", {}, [("stats.input.retries", ONE), ("stats.retry_count", ONE)], True),
    ("input.errors", {}, [("stats.input.errors", ONE)], True),
    ("input.error_rate", {}, [("stats.input.error_rate", MINUTE), ("stats.input_error_rate", ONE)], True),
    ("frame.age", {}, [("stats.ts_delay", MILLI), ("since_last_frame", MILLI)], True),
    ("backup.active", {}, [("stats.backup_running", ONE)], True),
    ("dvr.depth", {}, [("stats.dvr_info.depth", ONE)], True),
    ("dvr.duration", {}, [("stats.dvr_info.duration", ONE)], True),
    ("dvr.expiration", {}, [("dvr.expiration", ONE)], True),
    ("dvr.archive.size", {}, [("stats.dvr_info.bytes", ONE)], True),
    ("dvr.disk.usage", {}, [("stats.dvr_info.disk_size", ONE)], True),
    ("transcoder.overloaded", {}, [("stats.transcoder_overloaded", ONE)], True),
    ("transcoder.restarts", {}, [("stats.transcoder.restarts", ONE)], True),
    ("transcoder.running", {}, [("stats.running_transcoder", ONE)], False),
    ("transcoder.frames", {}, [("stats.transcoder.frames", ONE)], False),
    ("transcoder.quality.count", {}, [("stats.transcoder.qualities", ONE)], False),
    ("start_time", {}, [("stats.start_running_at", MILLI)], False),
    ("uptime", {}, [("stats.lifetime", MILLI)], False),
    ("input.frames", {}, [("stats.input.frames", ONE)], False),
    ("input.switches", {}, [("stats.input.input_switches", ONE)], False),
    ("input.srt.round_trip_time", {}, [("stats.input.srt.rtt", MILLI)], False),
    ("input.srt.latency", {}, [("stats.input.srt.latency", MILLI)], False),
    ("input.srt.packets", {}, [("stats.input.srt.packets", ONE)], False),
    ("input.srt.retransmitted_packets", {}, [("stats.input.srt.retransmitted_packets", ONE)], False),
    *[(f"input.srt.{kind}_packets", {}, [(f"stats.input.srt.error_{kind}_packets", ONE)], True) for kind in ("dropped", "lost")],
    ("input.udp.packets", {}, [("stats.input.udp_mpegts.packets", ONE)], False),
    ("input.udp.unaligned_packets", {}, [("stats.input.udp_mpegts.not_aligned_packets", ONE)], False),
    ("input.divergent", {}, [("stats.input.divergent_inputs", ONE)], False),
    ("input.media_info.changes", {}, [("stats.input.media_info_changes", ONE)], False),
    *[(f"thumbnail.{metric}", {}, [(f"stats.thumbnails.{key}_count", ONE)], False) for metric, key in {"drops": "dropped", "errors": "errors"}.items()],
    ("play.webrtc.nacks", {}, [("stats.play.webrtc_nacks", ONE)], False),
    ("play.webrtc.retransmitted_packets", {}, [("stats.play.webrtc_retransmits", ONE)], False),
    *[("input.time", {"flussonic.input.kind": kind}, [(f"stats.input.num_sec_{key}", ONE)], False)
      for kind, key in {"primary": "on_primary_input", "secondary": "on_secondary_input", "none": "no_data"}.items()],
    *[("input.secondary.count", {"flussonic.input.state": s}, [(f"stats.input.{s}_secondary_inputs", ONE)], False) for s in ("valid", "invalid")],
    *[("input.resyncs", {"flussonic.resync.reason": r}, [(f"stats.input.resync_count_{r}", ONE)], False) for r in ("normal", "jump", "drift")],
    *[("dvr.segment.writes", {"flussonic.dvr.write.outcome": o.removeprefix("written_")}, [(f"stats.dvr_write.segments_{o}", ONE)], True)
      for o in ("written_fast", "written_slow", "written_delayed", "written_collapsed", "failed", "skipped", "discontinuity")],
    *[("dvr.segment.read_failures", {"flussonic.dvr.read.reason": r}, [(f"stats.dvr_read_performance.segments_read_{r}", ONE)], False)
      for r in ("enoent", "failed")],
    *[("dvr.segment.reads", {"flussonic.dvr.read.outcome": o, "flussonic.dvr.read.source": s},
       [(f"stats.dvr_read_performance.segments_read_{o}.{s}", ONE)], False)
      for o in ("fast", "slow", "delayed") for s in ("ram", "cache", "local", "remote")],
    *[("play.authorizations", {"flussonic.outcome": o}, [(f"stats.play.authorizations_{o}", ONE)], False)
      for o in ("success", "failed", "denied", "declined")],
]

# Metrics of an input of a stream: name, field, unit.
INPUT = [
    ("active", "active", ONE), ("io", "bytes", ONE), ("retries", "retries", ONE), ("errors_by_index", "errors", ONE), ("frame.age", "ts_delay", MILLI),
]

# Errors of a packet identifier: field and type.
PID_ERRORS = {
    "errors_ts_cc": "continuity", "errors_ts_scrambled": "scrambled", "errors_ts_tei": "transport", "errors_ts_pmt": "pmt",
    "errors_ts_psi_checksum": "checksum", "errors_pid_lost": "pid_lost", "errors_adaptation_broken": "adaptation",
}

# Numbers of a stream with variable names: a pattern of their paths, the metric, and the attributes.
PLAY = r"stats\.play\.play_(?:(other|preview)|(\w+)_(playlist|segment))"
CLASSES = {"200": "2xx", "400": "4xx", "500": "5xx"}
DURATIONS = {"100ms": "100ms", "500ms": "500ms", "1000ms": "1000ms", "longms": "longer"}


def answers(match, attribute, values):
    alone, protocol, resource, last = match.groups()
    return {"flussonic.protocol": protocol or "other", "flussonic.resource": alone or resource, attribute: values[last]}


NAMED = [
    (r"stats\.input\.errors_(\w+)", "input.errors_by_type", lambda m: {"error.type": m[1]}),
    (r"stats\.play\.play_opened_sessions_by_proto\.(\w+)", "play.session.count", lambda m: {"flussonic.protocol": m[1]}),
    (r"stats\.play\.play_total_sessions_by_proto\.(\w+)", "play.session.creations", lambda m: {"flussonic.protocol": m[1]}),
    (r"stats\.play\.play_bytes_by_proto\.(\w+)", "play.io", lambda m: {"flussonic.protocol": m[1]}),
    (PLAY + r"_http_(\w+)", "play.responses", lambda m: answers(m, "flussonic.response.class", CLASSES)),
    (PLAY + r"_time_(\w+)", "play.responses_by_duration", lambda m: answers(m, "flussonic.response.duration", DURATIONS)),
]

SERVER_STATES = ["no_config", "broken_config", "config_external_error", "license_failure", "no_license", "starting", "running", "unknown"]
PUSH_STATES = ["starting", "pending", "retry", "error", "establishing", "running", "stalling", "finished", "unknown"]
STREAM_STATES = ["running", "waiting", "error", "disabled", "other"]

# Samples of the page in both vocabularies: metric, attribute for the name of the object, unit, fixed attributes, names.
DISK, CARD, GPU, INTERFACE = "flussonic.disk.path", "flussonic.dvb.card", "flussonic.gpu.id", "network.interface.name"
NAME = "flussonic.stream.name"
PAGE = [
    ("start_time", "", ONE, {}, "flussonic_boot_time_seconds server_started_at"),
    ("client.count", "", ONE, {}, "flussonic_clients server_total_clients"),
    ("stream.count", "", ONE, {}, "flussonic_streams"),
    ("stream.online.count", "", ONE, {}, "server_online_streams"),
    ("file.open.count", "", ONE, {}, "flussonic_opened_files server_opened_files"),
    ("memory.utilization", "", PERCENT, {}, "flussonic_memory_usage server_memory_usage"),
    ("cpu.utilization", "", PERCENT, {}, "flussonic_cpu_usage server_cpu_usage"),
    ("scheduler.utilization", "", PERCENT, {}, "flussonic_scheduler_load server_scheduler_load"),
    ("network.throughput", "", KBIT, RECEIVE, "server_input_bitrate"),
    ("network.throughput", "", KBIT, TRANSMIT, "server_output_bitrate"),
    ("disk.limit", DISK, ONE, {}, "flussonic_disk_size"),
    ("disk.limit", DISK, MEGA, {}, "partition_total_mb"),
    ("disk.utilization", DISK, PERCENT, {}, "flussonic_disk_usage partition_usage"),
    ("disk.io_utilization", DISK, PERCENT, {}, "flussonic_disk_io_usage"),
    ("network.io", INTERFACE, ONE, RECEIVE, "flussonic_net_input_bytes"),
    ("network.io", INTERFACE, ONE, TRANSMIT, "flussonic_net_output_bytes"),
    ("dvb.signal.strength", CARD, PERCENT, {}, "flussonic_dvb_card_strength dvb_card_strength"),
    ("gpu.decoder.utilization", GPU, PERCENT, {}, "flussonic_gpu_dec gpu_decoder_load"),
    ("gpu.encoder.utilization", GPU, PERCENT, {}, "flussonic_gpu_enc gpu_encoder_load"),
    ("gpu.temperature", GPU, ONE, {}, "flussonic_gpu_temp gpu_temperature"),
    ("dvr.disk.io_utilization", "flussonic.dvr.disk", PERCENT, {"flussonic.dvr.name": ""}, "raid_disk_io_usage"),
    ("stream.client.delay", NAME, MILLI, {}, "flussonic_stream_client_delay"),
    ("stream.io", NAME, ONE, RECEIVE, "flussonic_stream_bytes_in stream_bytes_in"),
    ("stream.io", NAME, ONE, TRANSMIT, "flussonic_stream_bytes_out stream_bytes_out"),
    ("stream.throughput", NAME, KBIT, RECEIVE, "flussonic_stream_bitrate stream_bitrate"),
    ("stream.throughput", NAME, KBIT, TRANSMIT, "stream_out_bandwidth"),
    ("stream.start_time", NAME, MILLI, {}, "flussonic_stream_start_running_at"),
    ("stream.retries", NAME, ONE, {}, "flussonic_stream_retry_count stream_retry_count"),
    ("stream.client.count", NAME, ONE, {}, "flussonic_stream_client_count stream_client_count stream_online_clients"),
    ("stream.dvr.disk.usage", NAME, ONE, {}, "flussonic_stream_dvr_info_disk_size dvr_disk_size"),
    ("stream.dvr.depth", NAME, ONE, {}, "flussonic_stream_dvr_info_depth dvr_depth"),
    ("stream.dvr.duration", NAME, ONE, {}, "flussonic_stream_dvr_info_duration dvr_duration"),
]


def get(tree, path):
    """Returns the value at a path, or None if it is absent."""
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def paths(tree, at=""):
    """Yields the paths and values of all numbers in objects."""
    for key, value in tree.items():
        path = f"{at}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from paths(value, path)
        elif isinstance(value, (int, float)):
            yield path, value


class Scene:
    """Prints the points of one scene."""

    def __init__(self, name, everything=True):
        self.name, self.everything, self.seen = name, everything, set()

    def point(self, metric, attributes, value, unit=ONE, on=True):
        """Prints the first point of a series, with - if there is no value. Prints nothing if the metric is disabled."""
        pairs = ",".join(f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in sorted(attributes.items()))
        key = f"flussonic.{metric}{{{pairs}}}" if not metric.startswith("rtc.") else f"{metric}{{{pairs}}}"
        if key in self.seen or not (on or self.everything) or not on and value is None:
            return
        self.seen.add(key)
        if value is None:
            text = "-"
        else:
            value = value * unit[0] if unit[1] == 1 else value * unit[0] / unit[1]
            text = repr(int(value) if isinstance(value, bool) or value == int(value) else value)
        print(self.name, key, text, sep="\t")

    def states(self, metric, attribute, known, current, attributes):
        """Prints a point for each state."""
        current = current if current in known else "unknown"
        for state in known:
            self.point(metric, {attribute: state, **attributes}, int(state == current))


def read(folders, answer):
    """Returns an answer from the first directory that has it. Joins the rows of several pages into one list."""
    for folder in folders:
        documents = [json.loads(f.read_text()) for f in sorted((CAPTURES / "api-v3" / folder).glob(f"{answer}*.json"))]
        for other in documents[1:]:
            for key, rows in other.items():
                if isinstance(rows, list):
                    documents[0][key] += rows
        if documents:
            return documents[0]
    return {}


def server(scene, stats):
    for metric, attributes, path, unit, on in SERVER:
        scene.point(metric, attributes, get(stats, path), unit, on)
    if "text_alerts" in stats:
        scene.point("alert.count", {}, len(stats["text_alerts"]))
    if "config_error" in stats:
        scene.point("config.invalid", {}, int(bool(stats["config_error"])))
    scene.point("config.external.loaded", {}, {"loaded": 1, "error": 0}.get(get(stats, "config_external_status.status")))
    scene.states("state", "flussonic.state", SERVER_STATES, stats["streamer_status"], {})
    for disk in stats.get("partitions", []):
        path = {DISK: disk["path"]}
        scene.point("disk.limit", path, disk["total_mb"], MEGA)
        scene.point("disk.utilization", path, disk["usage"], PERCENT)
        scene.point("disk.io_utilization", path, disk.get("io_util"), PERCENT)
    for gpu in stats.get("transcoder_devices", []):
        if gpu["type"] == "cpu":
            continue
        which = {GPU: gpu["id"], "flussonic.gpu.name": gpu["name"]}
        scene.point("gpu.decoder.utilization", which, gpu["gpu_dec"], PERCENT)
        scene.point("gpu.encoder.utilization", which, gpu["gpu_enc"], PERCENT)
        scene.point("gpu.temperature", which, gpu["gpu_temp"])
        scene.point("gpu.memory.utilization", which, gpu["memUsed"], (1, gpu["memTotal"]))


def collections(scene, folders):
    for card in read(folders, "dvb_cards")["dvb_cards"]:
        which = {CARD: card["name"]}
        scene.point("dvb.signal.strength", which, get(card, "stats.strength"), PERCENT)
        scene.point("dvb.signal.snr", which, get(card, "stats.snr"), PERCENT, False)
        scene.point("dvb.signal.bit_error", which, get(card, "stats.ber"), PERCENT, False)
        scene.point("dvb.locked", which, get(card, "stats.has_lock"))
    for dvr in read(folders, "dvrs")["dvrs"]:
        which = {"flussonic.dvr.name": dvr["name"]}
        for metric, field, unit in (("limit", "size", ONE), ("usage", "used", ONE), ("utilization", "usage", PERCENT)):
            scene.point("dvr." + metric, which, get(dvr, "stats." + field), unit, False)
        for operation in ("read_errors", "write_errors", "delete_errors", "drop_write_count", "collapsed_write_count"):
            name = operation.removesuffix("_errors").removesuffix("_count")
            scene.point("dvr.errors", {"flussonic.dvr.operation": name, **which}, get(dvr, "stats.errors." + operation))
        for disk in dvr["disks"]:
            one = {"flussonic.dvr.disk": disk["path"], **which}
            scene.point("dvr.disk.mounted", one, get(disk, "stats.mounted"))
            scene.point("dvr.disk.utilization", one, get(disk, "stats.usage"), PERCENT)
            scene.point("dvr.disk.degraded", one, {"degraded": 1, "active": 0}.get(get(disk, "stats.status")))
            for kind, value in (get(disk, "stats.errors") or {}).items():
                scene.point("dvr.disk.errors", {"error.type": kind, **one}, value, on=False)
            if scene.everything:
                scene.point("dvr.disk.io_utilization", one, get(disk, "stats.io_usage"), PERCENT)
    for peer in read(folders, "peers")["peers"]:
        which = {"flussonic.cluster.peer": peer["hostname"]}
        scene.point("cluster.peer.up", which, int("error" not in peer["stats"]))
        if scene.everything and get(peer, "stats.streamer_status"):
            scene.states("cluster.peer.state", "flussonic.state", SERVER_STATES, peer["stats"]["streamer_status"], which)
    groups, viewers = {}, {}
    for session in read(folders, "sessions")["sessions"]:
        group = session["proto"], session["type"], session.get("dvr", False)
        groups[group] = groups.get(group, 0) + 1
    for (protocol, kind, dvr), n in groups.items():
        which = {"flussonic.protocol": protocol, "flussonic.session.type": kind, "flussonic.session.dvr": dvr}
        scene.point("session.count", which, n, on=False)
    for file in read(folders, "opened_files")["files"]:
        if file["stats"]["client_count"] is not None:
            viewers[file["prefix"]] = viewers.get(file["prefix"], 0) + file["stats"]["client_count"]
    for prefix, n in viewers.items():
        scene.point("vod.client.count", {"flussonic.vod.prefix": prefix}, n, on=False)


def runs_here(row, own, proven):
    stats = row.get("stats") or {}
    hosts = [host.partition(":")[0].lower() for host in stats.get("running_on", [])]
    if own in hosts:
        return True
    if hosts and proven:
        return False
    signs = ("opened_at", "bytes_in", "bytes_out", "input.bytes", "play.play_opened_sessions", "online_clients", "client_count")
    alive = stats.get("status") == "running" and stats.get("alive")
    return row.get("named_by") != "remote" or bool(alive) or any(get(stats, sign) for sign in signs)


def stream(scene, row, now):
    name, stats = {NAME: row["name"]}, row.get("stats")
    if stats is None:
        row = {**row, "stats": {"alive": False}}
    elif stats.get("last_dts_at"):
        row["since_last_frame"] = now - stats["last_dts_at"]
    for metric, attributes, sources, on in STREAM:
        values = ((get(row, path), unit) for path, unit in sources)
        value, unit = next((v for v in values if v[0] is not None), (None, ONE))
        if metric == "dvr.expiration" and value == 0:
            value = None
        scene.point("stream." + metric, {**name, **attributes}, value, unit, on)
    for path, value in paths({"stats": row["stats"]}):
        for pattern, metric, attributes in NAMED:
            if match := re.fullmatch(pattern, path):
                scene.point("stream." + metric, {**name, **attributes(match)}, value, on=False)
    scene.point("stream.remote", name, 1 if row["named_by"] == "remote" else None)
    if error := get(row, "stats.source_error"):
        scene.point("stream.source.failed", {**name, "error.type": error}, 1)
    kinds = [track["content"] for track in get(row, "stats.media_info.tracks") or []]
    for kind in {kind if kind in ("audio", "video", "text") else "other": None for kind in kinds}:
        n = sum(k == kind or kind == "other" and k not in ("audio", "video", "text") for k in kinds)
        scene.point("stream.track.count", {**name, "flussonic.media.kind": kind}, n, on=False)
    pids = get(row, "stats.input.pids") or []
    for field, kind in PID_ERRORS.items():
        counts = {pid["pid"]: pid[field] for pid in pids if field in pid}
        if counts and kind in ("continuity", "scrambled", "transport"):
            scene.point("stream.input.mpegts.errors", {**name, "error.type": kind}, sum(counts.values()))
        for pid, n in counts.items():
            scene.point("stream.input.mpegts.errors_by_pid", {**name, "flussonic.mpegts.pid": pid, "error.type": kind}, n, on=False)
    older = [part.get("stats", {}) for part in row.get("inputs", [])]
    for i, part in enumerate(get(row, "stats.inputs") or older):
        which = {**name, "flussonic.input.index": i}
        for metric, field, unit in INPUT:
            scene.point("stream.input." + metric, which, part.get(field), unit, False)
    older = [part["stats"] for part in row.get("pushes", [])]
    for i, part in enumerate(get(row, "stats.push") or older):
        which = {**name, "flussonic.push.index": i}
        scene.states("stream.push.state", "flussonic.push.state", PUSH_STATES, part["status"], which)
        scene.point("stream.push.io", which, part["bytes"], on=False)
        scene.point("stream.push.retries", which, part.get("pusher_restarts", part.get("retries")), on=False)
        for field in (field for field in part if field.startswith("errors_")):
            scene.point("stream.push.errors", {**which, "error.type": field.removeprefix("errors_")}, part[field], on=False)


def totals(scene, rows):
    """Sums over all streams. Those of errors count from the first list, so that they are 0 there."""
    sessions = {}
    for row in rows:
        for protocol, n in (get(row, "stats.play.play_opened_sessions_by_proto") or {}).items():
            sessions[protocol] = sessions.get(protocol, 0) + n
        for field in get(row, "stats.input") or {}:
            if field.startswith("errors_"):
                scene.point("input.errors_by_type", {"error.type": field.removeprefix("errors_")}, 0)
    for protocol, n in sessions.items():
        scene.point("play.session.count", {"flussonic.protocol": protocol}, n)


def absent(scene, name):
    for metric, attributes, _, on in STREAM:
        scene.point("stream." + metric, {**name, **attributes}, None, on=on)


def streams(scene, folders, stats):
    rows, own = read(folders, "streams")["streams"], stats["hostname"].lower()
    proven = any(own in str((row.get("stats") or {}).get("running_on", "")).lower() for row in rows)
    here = [row for row in rows if runs_here(row, own, proven)]
    which = {"rtc.entity": "stream", "rtc.omission.reason": "elsewhere"}
    scene.point("rtc.scrape.omitted.count", which, len(rows) - len(here))
    totals(scene, here)
    counts = dict.fromkeys(STREAM_STATES, 0)
    for row in rows:
        name = {NAME: row["name"]}
        if row not in here:
            absent(scene, name)
            continue
        state = "disabled" if row.get("disabled") else get(row, "stats.status") or "other"
        counts[state] += 1
        for known in STREAM_STATES:
            scene.point("stream.state", {**name, "flussonic.stream.state": known}, int(known == state), on=False)
        if state == "disabled":
            absent(scene, name)
        else:
            stream(scene, row, stats["now"])
    for state, n in counts.items():
        scene.point("stream.count_by_state", {"flussonic.stream.state": state}, n)


LABELS = {
    NAME: "stream stream_name media channel name", DISK: "path disk mount mountpoint device dev volume", INTERFACE: "interface iface if device dev name",
    CARD: "card adapter dvb_card name", GPU: "gpu id index device", "flussonic.dvr.disk": "disk",
}


def page(scene, files):
    samples = {name: row[:4] for row in PAGE for name in row[4].split()}
    series, names = set(), {}
    text = "".join((CAPTURES / "prometheus" / file).read_text() for file in files)
    for name, labels, value in re.findall(r"^(\w+)(?:{(.*)})? (\S+)$", text, re.MULTILINE):
        if name not in samples:
            continue
        metric, thing, unit, attributes = samples[name]
        known = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        named = next((known[label] for label in LABELS.get(thing, "").split() if label in known), "")
        which = {**attributes, **({thing: named} if thing else {})}
        if thing == GPU:
            which["flussonic.gpu.name"] = known.get("name", known.get("model", ""))
        scene.point(metric, which, int(value), unit)
        if thing == NAME:
            names[named] = series.add((metric, tuple(attributes.items())))
    for metric, attributes in sorted(series):
        for name in names:
            scene.point(metric, {**dict(attributes), NAME: name}, None)


def main():
    print("# scene\tpoint\tvalue: printed by expected.py; - means no such point")
    for name, (folders, everything) in API_SCENES.items():
        scene = Scene(name, everything)
        stats = read(folders, "config_stats")
        server(scene, stats)
        collections(scene, folders)
        streams(scene, folders, stats)
    for name, files in PAGE_SCENES.items():
        page(Scene(name), files)
    old = json.loads((CAPTURES / "legacy/server.json").read_text())
    scene = Scene("legacy")
    for metric, attributes, path, unit, _ in SERVER:
        if path in old:
            scene.point(metric, attributes, old[path], unit)


main()
