# Copyright The otelcol-rtc Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints expected.tsv: points of the first scrape of each scene, computed from its captured answers.

The script shares no code with the receiver. A value of - means that the point must not exist.
"""
import json
import pathlib

CAPTURES = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "zlmediakit"

# Scenes of TestScenes and their directories. Scenes that end in _everything have all metrics enabled.
SCENES = {
    "idle": "idle", "empty": "empty",
    "busy": "busy", "busy_later": "busy_later", "busy_everything": "busy",
    "degraded": "degraded", "degraded_everything": "degraded",
    "on_demand_later": "on_demand_later", "all_on_demand_later": "all_on_demand_later",
    "sample_everything": "sample",
    "legacy_shape": "legacy_shape", "legacy_shape_everything": "legacy_shape",
}
NO_STREAM_CALLS = ("sample_everything", "legacy_shape_everything")
STREAMS = ("cam1", "cam2", "cam3", "gb1", "hevc", "p1", "p2", "srt1")  # streams with points in the table, including all streams of sample
BY_SCHEMA = ("rtsp", "rtmp", "hls")  # schemas with points in the table
SCHEMAS = ("rtsp", "rtmp", "ts", "fmp4", "hls", "hls.fmp4")

NATIVE = {"rtmp_push": "rtmp", "ffmpeg_pull": "rtmp", "rtsp_push": "rtsp", "rtc_push": "rtsp",
          "rtp_push": "ts", "srt_push": "ts", "mp4_vod": "fmp4"}
CODECS = {"mpeg4-generic": "aac"}
MODES = {0: "udp", 1: "tcp_passive", 2: "tcp_active", None: "unknown"}
PROXY_STATES = {"connecting": "connecting", "playing": "playing", "play failed": "failed", "play shutdown": "shutdown"}
TRANSPORTS = {"http": "tcp", "rtmp": "tcp", "rtsp": "tcp", "srt": "udp"}

# Metric, member and factor, for the members of a media source, a track and a proxy.
SOURCE = [("stream.io", "totalBytes", 1), ("stream.throughput", "bytesSpeed", 1)]
SOURCE_DETAIL = [("stream.reader.count_by_schema", "readerCount", 1), ("stream.start_time", "createStamp", 1),
                 ("stream.uptime_by_schema", "aliveSecond", 1)]
TRACK = [("frames", "frames", 1), ("frame_rate", "fps", 1), ("gop.duration", "gop_interval_ms", 0.001)]
TRACK_DETAIL = [("time", "duration", 0.001), ("key_frames", "key_frames", 1), ("gop.size", "gop_size", 1),
                ("width", "width", 1), ("height", "height", 1), ("sample_rate", "sample_rate", 1),
                ("channel.count", "channels", 1), ("sample_depth", "sample_bit", 1), ("ready", "ready", 1)]
EXPECTED_PROXIES = [("proxy", "p1", "pull"), ("live", "cam1", "push"), ("proxy", "p1", "push")]
EXPECTED_SERVERS = ["gb1/main", "gb2"]
PROXY = [("age", "liveSecs", 1), ("io", "totalBytes", 1)]


class Scene:
    def __init__(self, name):
        self.name = name
        self.folder = CAPTURES / SCENES[name]
        self.everything = name.endswith("_everything")

    def read(self, file):
        path = self.folder / (file + ".json")
        return json.loads(path.read_text()) if path.exists() else None

    def data(self, api):
        """Returns the list of an answer, which the server omits if it is empty, or None if the server does not have the API."""
        if "/index/api/" + api not in self.read("getApiList")["data"]:
            return None
        return self.read(api).get("data", [])

    def of_stream(self, api, row):
        """Returns the answer for one stream according to the index of the captures."""
        for entry in self.read("index"):
            query = entry.get("query") or {}
            if entry["path"].endswith("/" + api) and all(query.get(key) == row[key] for key in ("vhost", "app", "stream")):
                return json.loads((self.folder / entry["file"]).read_text())
        return None

    def point(self, metric, value, **attributes):
        """Prints a point. Keys have __ instead of dots, and those of ZLMediaKit have no prefix."""
        pairs = sorted((key if key.startswith(("network.", "rtc.")) else "zlmediakit." + key, text)
                       for key, text in ((key.replace("__", "."), text) for key, text in attributes.items()))
        name = metric if metric.startswith("rtc.") else "zlmediakit." + metric
        if value is None:
            value = "-"
        elif value != "-":
            value = format(value, ".12g")
        print(self.name, name + "{" + ",".join(f"{key}={text}" for key, text in pairs) + "}", value, sep="\t")

    def scaled(self, metric, thing, member, factor, **attributes):
        value = thing.get(member)
        self.point(metric, None if value is None else value * factor, **attributes)


def server(scene):
    """Prints the points of threads, objects, sessions and APIs."""
    for api, pool in (("getThreadsLoad", "network"), ("getWorkThreadsLoad", "work")):
        threads = scene.data(api)
        scene.point("thread.count", len(threads), thread__pool=pool)
        for number, thread in enumerate(threads):
            attributes = {"thread__pool": pool, "thread__name": thread.get("name", str(number))}
            scene.scaled("thread.utilization", thread, "load", 0.01, **attributes)
            scene.scaled("thread.delay", thread, "delay", 0.001, **attributes)
            scene.scaled("thread.file_descriptor.count", thread, "fd_count", 1, **attributes)
    statistic = scene.data("getStatistic") or {}
    for name in ("MediaSource", "UdpSession", "Buffer", "RtmpPacket"):
        snake = "".join("_" * (i > 0 and c.isupper()) + c.lower() for i, c in enumerate(name))
        scene.scaled("object.count", statistic, name, 1, object__type=snake)
    sessions = scene.data("getAllSession")
    counts = {(kind, False, transport): "-" for kind, transport in TRANSPORTS.items()} if sessions else {("", False, "unknown"): 0}
    ports = {} if sessions else {("", False, 0): 0}
    for s in sessions:
        kind = s["typeid"].split("::")[-1].rstrip(">").removesuffix("Session").lower()
        tls = "SessionWithSSL<" in s["typeid"]
        key = (kind, tls, s.get("type", TRANSPORTS.get(kind, "unknown")))
        counts[key] = 1 if counts.get(key, "-") == "-" else counts[key] + 1
        port = (kind, tls, s["local_port"])
        ports[port] = ports.get(port, 0) + 1
        if scene.everything:
            scene.point("session.info", 1, session__id=s["id"], session__type=kind, session__class=s["typeid"], network__transport=key[2],
                        network__local__address=s["local_ip"], network__local__port=s["local_port"],
                        network__peer__address=s["peer_ip"], network__peer__port=s["peer_port"])
    for (kind, tls, transport), n in counts.items():
        scene.point("session.count", n, session__type=kind, session__tls=str(tls).lower(), network__transport=transport)
    for (kind, tls, port), n in ports.items() if scene.everything else []:
        scene.point("session.count_by_port", n, session__type=kind, session__tls=str(tls).lower(), network__local__port=port)
    sources = scene.data("listFFmpegSource")
    scene.point("ffmpeg_source.count", None if sources is None else len(sources))
    if not scene.everything:
        return
    scene.point("session.peer.count", len({s["peer_ip"] for s in sessions}))
    scene.scaled("memory.usage", statistic, "totalMemUsage", 1)
    apis = [path.removeprefix("/index/api/") for path in scene.data("getApiList") if path.startswith("/index/api/")]
    scene.point("api.count", len(apis))
    scene.point("api.available", 1 if "getMediaList" in apis else None, rtc__api="getMediaList")
    for metric, api in (("webrtc.room.count", "listWebrtcRooms"), ("webrtc.room_keeper.count", "listWebrtcRoomKeepers")):
        rooms = scene.data(api)
        scene.point(metric, None if rooms is None else len(rooms))
    first, last = scene.data("getServerConfig")[0]["rtp_proxy.port_range"].split("-")
    scene.point("rtp_server.limit", int(last) // 2 - (int(first) + 1) // 2)  # each uses an even port and the next one


def proxy_state(proxy, kind):
    if "status_str" in proxy:
        return PROXY_STATES.get(proxy["status_str"].split(":")[0], "unknown")
    return "failed" if proxy["status"] else "playing" if kind == "push" else "unknown"


def proxies(scene):
    for api, kind, reconnections in (("listStreamProxy", "pull", "rePullCount"), ("listStreamPusherProxy", "push", "rePublishCount")):
        listed = scene.data(api)
        states = [proxy_state(proxy, kind) for proxy in listed or []]
        for state in ("connecting", "playing", "failed", "shutdown", "unknown"):
            scene.point("proxy.count", None if listed is None else states.count(state), proxy__type=kind, proxy__state=state)
        names = [(proxy["src"]["app"], proxy["src"]["stream"], kind) for proxy in listed or []]
        for app, name, direction in EXPECTED_PROXIES:
            if scene.everything and direction == kind:
                scene.point("proxy.present", None if listed is None else int((app, name, kind) in names), proxy__type=kind,
                            vhost="__defaultVhost__", app=app, stream__name=name)
        for proxy, current in zip(listed or [], states):
            attributes = {"proxy__type": kind, "proxy__key": proxy["key"], "vhost": proxy["src"]["vhost"],
                          "app": proxy["src"]["app"], "stream__name": proxy["src"]["stream"]}
            for state in ("connecting", "playing", "failed", "shutdown", "unknown"):
                scene.point("proxy.state", int(state == current), proxy__state=state, **attributes)
            for metric, member, factor in PROXY + [("reconnections", reconnections, 1)]:
                scene.scaled("proxy." + metric, proxy, member, factor, **attributes)
            scene.point("proxy.throughput", None, **attributes)  # the first answer has no speed
            if scene.everything and kind == "pull":
                scene.scaled("proxy.reader.count", proxy, "totalReaderCount", 1, **attributes)


STATES = ["flowing", "idle", "stalled", "source_gone", "unknown"]


def native(row):
    if row["originTypeStr"] == "pull":
        return row["originUrl"].split("://")[0]
    return NATIVE.get(row["originTypeStr"])


def state(scene, rows):
    """Returns the state after a first list, which only has speeds."""
    if any(row["bytesSpeed"] > 0 for row in rows):
        return "flowing"
    name = [rows[0][key] for key in ("vhost", "app", "stream")]
    for proxy in scene.data("listStreamProxy") or []:
        if [proxy["src"][key] for key in ("vhost", "app", "stream")] == name and proxy_state(proxy, "pull") in ("failed", "shutdown"):
            return "source_gone"
    options = scene.data("getServerConfig")[0]
    for row in rows:
        made = options[f"protocol.{row['schema'].split('.')[0]}_demand"] == "0"
        if made or row["schema"] == native(row) and options.get(row["schema"] + ".directProxy") == "1":
            return "stalled"
    return "stalled" if rows[0]["totalReaderCount"] > 0 else "idle"


def stream(scene, rows):
    first = rows[0]
    name = {"vhost": first["vhost"], "app": first["app"], "stream__name": first["stream"]}
    scene.scaled("stream.reader.count", first, "totalReaderCount", 1, **name)
    current = state(scene, rows)
    scene.point("stream.alive", {"flowing": 1, "source_gone": 0, "stalled": 0}.get(current), **name)
    scene.point("stream.silence.duration", 0, **name)  # since the first list
    for one in STATES if scene.everything else []:
        scene.point("stream.state", int(one == current), stream__state=one, **name)
    scene.point("stream.uptime", max(row["aliveSecond"] for row in rows), **name)
    for recording, member in (("mp4", "isRecordingMP4"), ("hls", "isRecordingHLS")):
        scene.scaled("stream.recording.active", first, member, 1, recording__format=recording, **name)
    for row in rows if scene.folder.name == "sample" else [row for row in rows if row["schema"] in BY_SCHEMA]:
        for metric, member, factor in SOURCE + SOURCE_DETAIL * scene.everything:
            scene.scaled(metric, row, member, factor, schema=row["schema"], **name)
        if scene.everything:
            url = row["originUrl"].split("?")[0]
            scene.point("stream.info", 1, schema=row["schema"], origin__type=row["originTypeStr"], origin__url=url,
                        network__peer__address=(row.get("originSock") or {}).get("peer_ip", ""), **name)
    seen = {"video": 0, "audio": 0}
    for track in first.get("tracks", []):
        kind = ("video", "audio")[track["codec_type"]]
        codec = track["codec_id_name"].lower()
        attributes = {"media__kind": kind, "media__codec": CODECS.get(codec, codec), "track__index": seen[kind], **name}
        seen[kind] += 1
        for metric, member, factor in TRACK + TRACK_DETAIL * scene.everything:
            scene.scaled("stream.track." + metric, track, member, factor, **attributes)
    if scene.everything and scene.name not in NO_STREAM_CALLS:
        stream_calls(scene, first, name)


def stream_calls(scene, row, name):
    unit = {"rtp_push": 0.01, "rtc_push": 0.01, "pull": 1}.get(row["originTypeStr"])
    loss = [track["loss"] for track in scene.of_stream("getMediaInfo", row)["tracks"] if track["codec_type"] == 0]
    known = unit and loss and loss[0] >= 0
    scene.point("stream.packet_loss", loss[0] * unit if known else None, origin__type=row["originTypeStr"], **name)
    senders = scene.of_stream("listRtpSender", row)
    count = len(senders.get("data", []))
    scene.point("rtp_sender.count", count, **name)
    for metric, member in (("io", "totalBytes"), ("throughput", "bytesSpeed")):
        scene.point("rtp_sender." + metric, senders[member] if count == 1 else None, **name)


def streams(scene):
    rows = scene.data("getMediaList")
    by_name = {}
    for row in rows:
        by_name.setdefault((row["vhost"], row["app"], row["stream"]), []).append(row)
    counts, ingest = {}, {}
    for (vhost, app, _), sources in by_name.items():
        origin = sources[0]["originTypeStr"]
        counts[origin, vhost, app] = counts.get((origin, vhost, app), 0) + 1
        speeds = {row["schema"]: row["bytesSpeed"] for row in sources}
        ingest[origin] = ingest.get(origin, 0) + (speeds.get(native(sources[0])) or max(speeds.values()))
    for (origin, vhost, app), n in (counts or {("unknown", "", ""): 0}).items():
        scene.point("stream.count", n, origin__type=origin, vhost=vhost, app=app)
    measured = {row["originTypeStr"] for row in rows if "totalBytes" in row}
    for origin in ingest:
        scene.point("ingest.io", 0 if origin in measured else None, origin__type=origin)  # the sums start with the first list
    for schema in SCHEMAS:
        scene.point("egress.io", 0 if measured else None, schema=schema)
    for origin, speed in (ingest or {"unknown": 0}).items():
        scene.point("ingest.throughput", speed, origin__type=origin)
    for schema in SCHEMAS:
        sources = [row for row in rows if row["schema"] == schema]
        scene.point("media_source.count", len(sources), schema=schema)
        scene.point("egress.throughput", sum(row["bytesSpeed"] * row["readerCount"] for row in sources), schema=schema)
    for recording, member in (("mp4", "isRecordingMP4"), ("hls", "isRecordingHLS")):
        scene.point("stream.recording.count", sum(sources[0][member] for sources in by_name.values()), recording__format=recording)
    states = [state(scene, sources) for sources in by_name.values()]
    for one in STATES:
        scene.point("stream.count_by_state", states.count(one), stream__state=one)
    for (_, _, name), sources in by_name.items():
        if name in STREAMS or scene.folder.name == "sample":
            stream(scene, sources)
    if scene.folder.name == "degraded":
        gone_streams(scene, by_name)
    rtp_servers(scene, {key[:2] + (key[2].split("/")[0],) for key, sources in by_name.items() if sources[0]["originTypeStr"] == "rtp_push"})


def gone_streams(scene, listed):
    """Prints the absent points of streams of the busy server that have ended since."""
    for row in Scene("busy").data("getMediaList"):
        if (row["vhost"], row["app"], row["stream"]) not in listed and row["schema"] == "rtmp":
            for metric in ["stream.alive"] + ["rtp_sender.count", "rtp_sender.io"] * scene.everything:
                scene.point(metric, None, vhost=row["vhost"], app=row["app"], stream__name=row["stream"])


def rtp_servers(scene, fed):
    counts, idle = {}, 0
    for port in scene.data("listRtpServer"):
        vhost, app = port.get("vhost", "__defaultVhost__"), port.get("app", "rtp")
        mode = MODES[port.get("tcp_mode")]
        counts[app, mode] = counts.get((app, mode), 0) + 1
        idle += (vhost, app, port["stream_id"]) not in fed
        if scene.everything and "ssrc" in port:
            scene.point("rtp_server.info", 1, vhost=vhost, app=app, stream__name=port["stream_id"], ssrc=port["ssrc"],
                        rtp_server__mode=mode, rtp_server__port=port["port"])
    ids = [port["stream_id"] for port in scene.data("listRtpServer")]
    for name in EXPECTED_SERVERS if scene.everything else []:
        scene.point("rtp_server.present", int(name.split("/")[0] in ids), vhost="__defaultVhost__", app="rtp", stream__name=name)
    for (app, mode), n in (counts or {("", "unknown"): 0}).items():
        scene.point("rtp_server.count", n, app=app, rtp_server__mode=mode)
    scene.point("rtp_server.idle.count", idle)


def main():
    print("# scene", "point", "value: made by expected.py from the captures; - means no such point", sep="\t")
    for name in SCENES:
        scene = Scene(name)
        scene.point("rtc.target.up", 1)
        scene.point("media_list.interval", 30)
        scene.point("media_list.age", 0)
        for reason in ("limit", "merged", "truncated"):
            scene.point("rtc.scrape.omitted.count", 0, rtc__entity="stream", rtc__omission__reason=reason)
        server(scene)
        proxies(scene)
        streams(scene)


main()
