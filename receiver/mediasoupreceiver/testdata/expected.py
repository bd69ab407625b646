#!/usr/bin/env python3
# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0

"""Prints expected.tsv: the expected points for the answers in testdata/mediasoup.

The formulas follow the descriptions of the metrics. The script shares no code with the receiver.
"""

import collections
import json
import pathlib
import re

ANSWERS = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "mediasoup"

# Entity, array of the snapshot, and member with the statistics.
ENTITIES = [
    ("worker", "workers", "resourceUsage"),
    ("transport", "transports", "stats"),
    ("producer", "producers", "stats"),
    ("consumer", "consumers", "stats"),
    ("data_producer", "dataProducers", "stats"),
    ("data_consumer", "dataConsumers", "stats"),
]
COUNTERS = {
    "workersDied": "worker.deaths", "routersCreated": "router.creations", "routersClosed": "router.closures",
    "transportsCreated": "transport.creations", "transportsClosed": "transport.closures",
    "iceDisconnected": "transport.ice.disconnections", "dtlsFailed": "transport.dtls.failures", "sctpFailed": "transport.sctp.failures",
    "producersCreated": "producer.creations", "producersClosed": "producer.closures",
    "consumersCreated": "consumer.creations", "consumersClosed": "consumer.closures",
    "iceConnected": "transport.ice.connections", "dtlsConnected": "transport.dtls.connections",
    "transportsClosedUnconnected": "transport.unconnected_closures",
}
GROUPED_COUNTERS = [  # field, metric, attribute, factor
    ("transportsCreatedByType", "transport.creations_by_type", "mediasoup.transport.type", 1),
    ("transportsClosedByType", "transport.closures_by_type", "mediasoup.transport.type", 1),
    ("producersStarted", "producer.starts", "mediasoup.media.kind", 1),
    ("producerStartMs", "producer.start.time", "mediasoup.media.kind", 1 / 1000),
]
USAGE = [  # field, metric, attributes, factor
    ("ru_utime", "worker.cpu.time", {"cpu.mode": "user"}, 1 / 1000),
    ("ru_stime", "worker.cpu.time", {"cpu.mode": "system"}, 1 / 1000),
    ("ru_maxrss", "worker.memory.peak", {}, 1024),
    ("ru_minflt", "worker.page_faults", {"mediasoup.page_fault.type": "minor"}, 1),
    ("ru_majflt", "worker.page_faults", {"mediasoup.page_fault.type": "major"}, 1),
    ("ru_inblock", "worker.block_operations", {"disk.io.direction": "read"}, 1),
    ("ru_oublock", "worker.block_operations", {"disk.io.direction": "write"}, 1),
    ("ru_nvcsw", "worker.context_switches", {"mediasoup.context_switch.type": "voluntary"}, 1),
    ("ru_nivcsw", "worker.context_switches", {"mediasoup.context_switch.type": "involuntary"}, 1),
]
RECEIVE, TRANSMIT = {"network.io.direction": "receive"}, {"network.io.direction": "transmit"}
TRANSPORT_SUMS = [
    ("bytesReceived", "transport.io", RECEIVE), ("bytesSent", "transport.io", TRANSMIT),
    ("rtpBytesReceived", "transport.rtp.io", RECEIVE), ("rtpBytesSent", "transport.rtp.io", TRANSMIT),
    ("rtxBytesReceived", "transport.rtx.io", RECEIVE), ("rtxBytesSent", "transport.rtx.io", TRANSMIT),
    ("probationBytesSent", "transport.probation.io", {}),
]
STREAM_SUMS = {
    "byteCount": "io", "packetCount": "packets", "packetsLost": "lost_packets", "packetsRetransmitted": "retransmitted_packets",
    "packetsDiscarded": "discarded_packets", "packetsRepaired": "repaired_packets",
}
FEEDBACK = {"nackCount": "nack", "pliCount": "pli", "firCount": "fir"}
DATA_SUMS = [
    ("dataProducers", "messagesReceived", "data.messages", RECEIVE), ("dataProducers", "bytesReceived", "data.io", RECEIVE),
    ("dataConsumers", "messagesSent", "data.messages", TRANSMIT), ("dataConsumers", "bytesSent", "data.io", TRANSMIT),
]
BOUNDS = {
    "score": [str(score) for score in range(11)],
    "packet_loss": ["0", "0.01", "0.02", "0.05", "0.1", "0.2", "inf"],
    "jitter": ["0.005", "0.01", "0.02", "0.03", "0.05", "0.1", "inf"],
    "round_trip_time": ["0.05", "0.1", "0.15", "0.2", "0.3", "0.5", "1", "inf"],
}
# Points checked with the default configuration. With all metrics enabled, all points are checked.
DEFAULTS = ["worker.count", "transport.count", "producer.io", "consumer.io", "consumer.lost_packets", "consumer.packet_losses",
            "consumer.score.min", "transport.io", "agent.coverage", "agent.skipped.count"]


class Points(dict):
    """Collects values by metric and attributes."""

    def put(self, metric, value, *attributes):
        self[metric, frozenset((k, v) for some in attributes for k, v in some.items())] = value

    def add(self, metric, value, attributes):
        key = metric, frozenset(attributes.items())
        self[key] = self.get(key, 0) + value

    def buckets(self, role, name, value, kind):
        """Counts a stream in the first bucket whose bound is not below its value."""
        attribute = "mediasoup.score" if name == "score" else f"mediasoup.{name}.bound"
        found = next(bound for bound in BOUNDS[name] if value <= float(bound))
        for bound in BOUNDS[name]:
            self.add(f"{role}.stream.count_by_{name}", int(bound == found), {**kind, attribute: bound})

    def figures(self, metric, values, attributes, last=("average", "min", "max")):
        """Adds statistics of values, or no points if there are none."""
        of = {"average": lambda v: sum(v) / len(v), "min": min, "max": max}
        for word in last:
            self.put(f"{metric}.{word}", of[word](values) if values else "-", attributes)


def counted(snapshot):
    """Returns the counters of each object and of each of its streams."""
    found = {}
    for name in "transports", "producers", "consumers", "dataProducers", "dataConsumers":
        for o in snapshot[name]:
            stats = o.get("stats", {})
            for s in stats if isinstance(stats, list) else [stats]:
                found[name, o.get("transportId"), o["id"], s.get("ssrc")] = s
    return found


class Scene:
    """A snapshot and the previous one, which is None in the first scrape, at which sums start."""

    def __init__(self, snapshot, before):
        self.now = snapshot
        self.first = before is None
        self.before = counted(before) if before else {}
        self.types = {t["id"]: t["type"] for t in snapshot["transports"]}
        routers = {r["id"]: r["workerId"] for r in snapshot["routers"]}
        self.workers = {t["id"]: routers[t["routerId"]] for t in snapshot["transports"]}
        self.points = Points()

    def growth(self, name, o, stats, field):
        before = self.before.get((name, o.get("transportId"), o["id"], stats.get("ssrc")), {})
        return 0 if self.first else stats[field] - before.get(field, 0)

    def increase(self, name, o, stats, field):
        """The growth of the maximum of a counter that may fall. The maximum starts at 0."""
        before = self.before.get((name, o.get("transportId"), o["id"], stats.get("ssrc")), {})
        return 0 if self.first else max(0, stats[field] - max(0, before.get(field, 0)))

    def all(self):
        self.application()
        self.collection()
        self.workers_and_routers()
        self.transports()
        for role, direction in ("producer", RECEIVE), ("consumer", TRANSMIT):
            self.streams(role, direction)
        self.data()
        self.rooms()
        return self.points

    def application(self):
        p, now, process = self.points, self.now, self.now["process"]
        p.put("uptime", (now["timeUnixMs"] - process["startTimeUnixMs"]) / 1000)
        for field, mode in ("cpuUserMs", "user"), ("cpuSystemMs", "system"):
            if field in process:
                p.put("process.cpu.time", process[field] / 1000, {"cpu.mode": mode})
        if "rssBytes" in process:
            p.put("process.memory.usage", process["rssBytes"])
            p.put("agent.event_loop.lag", process["eventLoopLagMs"] / 1000)
        if "eventLoopDelayP99Ms" in process:
            p.put("agent.event_loop.delay.p99", process["eventLoopDelayP99Ms"] / 1000)
        self.counters(now["counters"])
        p.put("webrtc_server.count", len(now["webRtcServers"]))

    def counters(self, counters):
        p = self.points
        for field, metric in COUNTERS.items():
            if field in counters:
                p.put(metric, counters[field])
        if "transportConnectMs" in counters:
            p.put("transport.connection.time", counters["transportConnectMs"] / 1000)
        for field, kind in ("statsErrors", "failed"), ("statsTimeouts", "timeout"):
            p.put("agent.errors", counters[field], {"error.type": kind})
        for field, metric, attribute, factor in GROUPED_COUNTERS:
            for word, count in counters.get(field, {}).items():
                p.put(metric, count * factor, {attribute: word})
        for type_, reasons in counters.get("transportsFailed", {}).items():
            for reason, count in reasons.items():
                p.put("transport.failed_creations", count, {"mediasoup.transport.type": type_, "error.type": reason})

    def collection(self):
        p, collection = self.points, self.now["collection"]
        p.put("agent.collection.duration", collection["durationMs"] / 1000)
        for entity, name, member in ENTITIES:
            for field, reason in ("skipped", "limit"), ("errors", "error"), ("carried", "carried"):
                count = collection.get(field, {}).get(name, 0)
                p.put("agent.skipped.count", count, {"mediasoup.skip.reason": reason, "rtc.entity": entity})
            objects = self.now[name]
            fresh = collection.get("fresh", {}).get(name, sum(member in o and "statsAgeMs" not in o for o in objects))
            if objects:
                p.put("agent.coverage", fresh / len(objects), {"rtc.entity": entity})

    def workers_and_routers(self):
        p, now = self.points, self.now
        p.put("worker.count", len(now["workers"]))
        used = {t["routerId"] for t in now["transports"]}
        p.put("router.empty.count", sum(r["id"] not in used for r in now["routers"]))
        p.put("rtp_observer.count", sum(r.get("rtpObservers", 0) for r in now["routers"]))
        for w in now["workers"]:
            attributes = {"mediasoup.worker.id": w["id"]}
            p.put("router.count", sum(r["workerId"] == w["id"] for r in now["routers"]), attributes)
            p.put("transport.count_by_worker", list(self.workers.values()).count(w["id"]), attributes)
            for role in "producer", "consumer":
                p.put(f"{role}.count_by_worker", sum(self.workers[o["transportId"]] == w["id"] for o in now[role + "s"]), attributes)
            p.put("worker.uptime", (now["timeUnixMs"] - w["startTimeUnixMs"]) / 1000, attributes)
            if "rssBytes" in w:
                p.put("worker.memory.usage", w["rssBytes"], attributes)
            if "responsive" in w or "resourceUsage" in w:
                p.put("worker.responsive", int(w.get("responsive", True)), attributes)
            own = [t for t in now["transports"] if self.workers[t["id"]] == w["id"]]
            for field, direction in ("recvBitrate", RECEIVE), ("sendBitrate", TRANSMIT):
                rate = sum(t["stats"][field] / 8 for t in own if "stats" in t)
                p.put("worker.throughput", rate if 4 * sum("stats" in t for t in own) >= len(own) else "-", attributes, direction)
            for field, metric, more, factor in USAGE:
                if field in w.get("resourceUsage", {}):
                    p.put(metric, w["resourceUsage"][field] * factor, attributes, more)

    def transports(self):
        p, figures = self.points, collections.defaultdict(list)
        for t in self.now["transports"]:
            kind, stats = {"mediasoup.transport.type": t["type"]}, t.get("stats", {})
            p.add("transport.count", 1, kind)
            p.add("transport.count_by_protocol", 1, {"network.transport": t.get("protocol", "unknown")})
            for state, value in t["state"].items():
                p.add(f"transport.count_by_{state}_state", 1, {f"mediasoup.{state}.state": value})
            for field, metric, direction in TRANSPORT_SUMS:
                if field in stats:
                    p.add(metric, self.growth("transports", t, stats, field), {**kind, **direction})
            for field, direction in ("recvBitrate", RECEIVE), ("sendBitrate", TRANSMIT):
                if field in stats:
                    p.add("transport.throughput", stats[field] / 8, {**kind, **direction})
            if "statsAgeMs" not in t:
                for field, value in stats.items():
                    figures[field].append(value)
        for word, direction in ("Incoming", RECEIVE), ("Outgoing", TRANSMIT):
            p.figures("transport.available_throughput", [v / 8 for v in figures[f"available{word}Bitrate"]], direction)
        for word, direction in ("Received", RECEIVE), ("Sent", TRANSMIT):
            p.figures("transport.packet_loss", figures[f"rtpPacketLoss{word}"], direction, ("average", "max"))

    def streams(self, role, direction):
        p, figures, flows = self.points, collections.defaultdict(list), collections.defaultdict(list)
        for o in self.now[role + "s"]:
            kind, over = {"mediasoup.media.kind": o["kind"]}, {"mediasoup.transport.type": self.types[o["transportId"]]}
            group = {**kind, **over, "mediasoup.media.codec": o["mimeType"].split("/")[1].lower()}
            paused, fresh, streams = bool(o.get("paused") or o.get("producerPaused")), "statsAgeMs" not in o, o.get("stats", [])
            p.add(f"{role}.count", 1, {**kind, **over, "mediasoup.stream.type": o["type"], "mediasoup.paused": str(paused).lower()})
            p.add(f"{role}.stream.count", len(streams), kind)
            p.add(f"{role}.silent.count", int("stats" in o and not paused and not any(s["bitrate"] for s in streams)), kind)
            if role == "consumer" and o.get("currentLayers"):
                layers = {f"mediasoup.layer.{word}": o["currentLayers"][word + "Layer"] for word in ("spatial", "temporal")}
                p.add("consumer.count_by_layer", 1, layers)
            for s in streams:
                for field, metric in STREAM_SUMS.items():
                    if field in s:
                        p.add(f"{role}.{metric}", self.growth(role + "s", o, s, field), group)
                if "packetsLost" in s:
                    p.add(f"{role}.packet_losses", self.increase(role + "s", o, s, "packetsLost"), group)
                for field, word in FEEDBACK.items():
                    if field in s:
                        p.add(f"{role}.rtcp.messages", self.growth(role + "s", o, s, field), {**kind, "mediasoup.rtcp.type": word})
                if "nackPacketCount" in s:
                    p.add(f"{role}.rtcp.nacked_packets", self.growth(role + "s", o, s, "nackPacketCount"), kind)
                p.add(f"{role}.throughput", s["bitrate"] / 8, {**kind, **over})
                self.single(o, s, fresh, {**kind, **direction})
                if not fresh:
                    continue
                flows[o["kind"], over["mediasoup.transport.type"]].append(s["bitrate"] / 8)
                values = {"packet_loss": s["fractionLost"] / 256}
                if not paused and s["packetCount"]:
                    values["score"] = s["score"]
                if "jitter" in s:
                    values["jitter"] = s["jitter"] / o["clockRate"]
                if s.get("roundTripTime"):
                    values["round_trip_time"] = s["roundTripTime"] / 1000
                for name, value in values.items():
                    figures[o["kind"], name].append(value)
                    if self.types[o["transportId"]] in ("webrtc", "plain"):
                        p.buckets(role, name, value, kind)
        for kind in "audio", "video":
            for name, word in ("score", "min"), ("packet_loss", "max"), ("jitter", "max"), ("round_trip_time", "max"):
                p.figures(f"{role}.{name}", figures[kind, name], {"mediasoup.media.kind": kind}, ("average", word))
        for (kind, over), values in flows.items():
            p.figures(f"{role}.stream.throughput", values, {"mediasoup.media.kind": kind, "mediasoup.transport.type": over})

    def rooms(self):
        """Rooms have the routers with the same label. Only transports to participants are in a room."""
        p, now, names = self.points, self.now, {}
        for r in now["routers"]:
            if "room_id" in r.get("labels", {}):
                names.setdefault(r["labels"]["room_id"], []).append(r)
        p.put("room.count", len(names))
        for name, routers in names.items():
            of = {"mediasoup.room.name": name}
            ids = [r["id"] for r in routers]
            transports = [t for t in now["transports"] if t["routerId"] in ids and t["type"] in ("webrtc", "plain")]
            starts = [r["startTimeUnixMs"] for r in routers if "startTimeUnixMs" in r]
            p.put("room.uptime", (now["timeUnixMs"] - min(starts)) / 1000 if starts else "-", of)
            p.put("room.transport.count", len(transports), of)
            for bytes_, rate, direction in ("bytesReceived", "recvBitrate", RECEIVE), ("bytesSent", "sendBitrate", TRANSMIT):
                stats = [(t, t["stats"]) for t in transports if "stats" in t]
                if stats:
                    p.put("room.io", sum(self.growth("transports", t, s, bytes_) for t, s in stats), of, direction)
                p.put("room.throughput", sum(s[rate] / 8 for _, s in stats), of, direction)
            for role, direction in ("producer", RECEIVE), ("consumer", TRANSMIT):
                self.room_streams(role, {t["id"] for t in transports}, of, direction)

    def room_streams(self, role, transports, of, direction):
        p, scores, losses, times = self.points, [], [], []
        for kind in "audio", "video":
            objects = [o for o in self.now[role + "s"] if o["transportId"] in transports and o["kind"] == kind]
            p.put(f"room.{role}.count", len(objects), of, {"mediasoup.media.kind": kind})
            silent = 0
            for o in objects:
                paused, streams = bool(o.get("paused") or o.get("producerPaused")), o.get("stats", [])
                silent += "stats" in o and not paused and not any(s["bitrate"] for s in streams)
                for s in streams if "statsAgeMs" not in o else []:
                    losses.append(s["fractionLost"] / 256)
                    if not paused and s["packetCount"]:
                        scores.append(s["score"])
                    if s.get("roundTripTime"):
                        times.append(s["roundTripTime"] / 1000)
            if role == "producer":
                p.put("room.producer.silent.count", silent, of, {"mediasoup.media.kind": kind})
        p.figures("room.score", scores, {**of, **direction}, ("average", "min"))
        p.figures("room.packet_loss", losses, {**of, **direction}, ("average", "max"))
        if role == "consumer":
            p.figures("room.round_trip_time", times, of, ("average", "max"))

    def single(self, o, s, fresh, attributes):
        attributes = {**attributes, "mediasoup.transport.id": o["transportId"], "mediasoup.object.id": o["id"], "mediasoup.ssrc": s["ssrc"]}
        p = self.points
        p.put("stream.io", s["byteCount"], attributes)
        p.put("stream.lost_packets", s["packetsLost"], attributes)
        if fresh:
            p.put("stream.score", s["score"], attributes)
            p.put("stream.throughput", s["bitrate"] / 8, attributes)
        if fresh and s.get("roundTripTime"):
            p.put("stream.round_trip_time", s["roundTripTime"] / 1000, attributes)

    def data(self):
        p = self.points
        for entity, name in ("data_producer", "dataProducers"), ("data_consumer", "dataConsumers"):
            for o in self.now[name]:
                p.add(f"{entity}.count", 1, {"mediasoup.data.type": o["type"]})
        for name, field, metric, direction in DATA_SUMS:
            for o in self.now[name]:
                if "stats" in o:
                    p.add(metric, self.growth(name, o, o["stats"], field), direction)
        p.put("data.buffer.size", sum(o["stats"]["bufferedAmount"] for o in self.now["dataConsumers"] if "stats" in o))


def page(file, everything):
    """Returns the points of a page of edumeet's exporter."""
    p, scores = Points(), collections.defaultdict(list)
    sums = {
        "edumeet_rooms": "edumeet.room.count", "mediasoup_rooms": "edumeet.room.count", "edumeet_peers": "edumeet.peer.count",
        "mediasoup_peers": "edumeet.peer.count", "mediasoup_workers_count": "worker.count",
    }
    p.put("worker.count", "-")
    for name, labels, text in re.findall(r"^(\w+)(\{.*\})? (\S+)$", (ANSWERS / file).read_text(), re.M):
        value = float(text)
        label = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
        kind = {"mediasoup.media.kind": label.get("kind")}
        stream = re.fullmatch(r"mediasoup_(producer|consumer)_(byte_count_bytes|score)", name)
        figure = re.fullmatch(r"mediasoup_(audio|video)_(?:(in|out)_count|bitrates_(in|out)_sum)", name)
        if name in sums:
            p.put(sums[name], value)
        if name == "edumeet_peers" and everything:
            p.put("edumeet.peer.count_by_room", value, {"edumeet.room.id": label["room_id"]})
        if stream and stream[2] == "score":
            scores[stream[1], label["kind"]].append(value)
        elif stream:
            p.add(f"{stream[1]}.io", value, {**kind, "mediasoup.media.codec": label["codec"].lower(), "mediasoup.transport.type": "webrtc"})
        if figure:
            role, kind = {"in": "producer", "out": "consumer"}[figure[2] or figure[3]], {"mediasoup.media.kind": figure[1]}
            if figure[3]:
                p.put(f"{role}.throughput", value / 8, kind, {"mediasoup.transport.type": "unknown"})
            elif everything:
                p.put(f"{role}.stream.count", value, kind)
    for (role, kind), values in scores.items():
        p.figures(f"{role}.score", values, {"mediasoup.media.kind": kind}, ("average", "min"))
    return p


def show(scene, points):
    rows = []
    for (metric, attributes), value in points.items():
        name = metric if metric.startswith("edumeet.") else "mediasoup." + metric
        pairs = ",".join(f"{k}={v}" for k, v in sorted(attributes))
        rows.append(f"{scene}\t{name}{{{pairs}}}\t{value}")
    print("\n".join(sorted(rows)))


def main():
    print("# scene	point	value; made by expected.py; a value of - means that there is no such point")
    for version in "3.7.19", "3.12.16", "3.27.1":
        a, b = (json.loads((ANSWERS / f"snapshot-{version}-{letter}.json").read_text()) for letter in "ab")
        for letter, snapshot, before in ("a", a, None), ("b", b, a):
            points = Scene(snapshot, before).all()
            default = Points({k: v for k, v in points.items() if k[0] in DEFAULTS})
            for entity in "data_producer", "data_consumer":  # not requested
                default.pop(("agent.coverage", frozenset({("rtc.entity", entity)})), None)
            show(f"{version}_{letter}", default)
            show(f"{version}_everything_{letter}", points)
    constructed = json.loads((ANSWERS / "snapshot-3.constructed.json").read_text())
    show("constructed", Scene(constructed, {**constructed, **{k: [] for k, v in constructed.items() if isinstance(v, list)}}).all())
    for scene, file in ("default", "default"), ("later", "default-5s-later"), ("quiet", "default-quiet"), ("aggregated", "aggregated"):
        if scene in ("default", "aggregated"):
            show(f"edumeet_{scene}", page(f"edumeet-{file}.prom", False))
        show(f"edumeet_{scene}_everything", page(f"edumeet-{file}.prom", True))


main()
