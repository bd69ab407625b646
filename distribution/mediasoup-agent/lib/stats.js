// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { readFileSync } = require('node:fs');

/** @typedef {import('./registry.js').Entry} Entry */
/** @typedef {import('./registry.js').Kind} Kind */

// The members that may leave the process. All others never do, such as addresses, ports, and labels and protocols of data channels.

const RESOURCE_USAGE = [
  'ru_utime', 'ru_stime', 'ru_maxrss', 'ru_ixrss', 'ru_idrss', 'ru_isrss', 'ru_minflt', 'ru_majflt', 'ru_nswap', 'ru_inblock',
  'ru_oublock', 'ru_msgsnd', 'ru_msgrcv', 'ru_nsignals', 'ru_nvcsw', 'ru_nivcsw',
];
const TRANSPORT = [
  'timestamp', 'bytesReceived', 'bytesSent', 'recvBitrate', 'sendBitrate', 'rtpBytesReceived', 'rtpBytesSent', 'rtpRecvBitrate',
  'rtpSendBitrate', 'rtxBytesReceived', 'rtxBytesSent', 'rtxRecvBitrate', 'rtxSendBitrate', 'probationBytesSent',
  'probationSendBitrate', 'availableOutgoingBitrate', 'availableIncomingBitrate', 'maxIncomingBitrate', 'maxOutgoingBitrate',
  'minOutgoingBitrate', 'rtpPacketLossReceived', 'rtpPacketLossSent',
];
const RTP = [
  'type', 'timestamp', 'ssrc', 'rtxSsrc', 'rid', 'kind', 'mimeType', 'packetCount', 'byteCount', 'bitrate', 'packetsLost',
  'fractionLost', 'packetsDiscarded', 'packetsRetransmitted', 'packetsRepaired', 'rtxPacketsDiscarded', 'nackCount',
  'nackPacketCount', 'pliCount', 'firCount', 'jitter', 'roundTripTime', 'score',
];
const DATA_PRODUCER = ['messagesReceived', 'bytesReceived'];
const DATA_CONSUMER = ['messagesSent', 'bytesSent', 'bufferedAmount'];

const MAX_STRING = 256;

/**
 * Copies the named members that are short strings or numbers from 0 to Number.MAX_SAFE_INTEGER. -1 means unknown. Only packetsLost may
 * be negative, because of late packets.
 *
 * @param {any} from
 * @param {readonly string[]} names
 */
function pick(from, names) {
  /** @type {Record<string, number | string>} */
  const to = {};
  for (const name of names) {
    const value = from?.[name];
    const good = typeof value === 'number'
      ? Math.abs(value) <= Number.MAX_SAFE_INTEGER && (value >= 0 || name === 'packetsLost')
      : typeof value === 'string' && value.length <= MAX_STRING;
    if (good) to[name] = value;
  }
  return to;
}

/** @param {any} stream an entry of getStats(), without a type in the Rust binding */
const outbound = (stream) => stream.type !== 'inbound-rtp';

/** @param {any[]} streams */
const rtp = (streams) => streams.map((s) => pick(s, RTP));

/** @param {any} object */
const getStats = (object) => object.getStats();

/**
 * Returns the resource usage of a worker, and its resident memory where the system provides it.
 *
 * @param {any} worker
 */
async function askWorker(worker) {
  const usage = await worker.getResourceUsage();
  return { usage, rssBytes: readRss(worker.pid) };
}

/**
 * Returns the resident memory of a process in bytes, or undefined. Only Linux has the file, whose contents are in memory.
 *
 * @param {number} pid
 */
function readRss(pid) {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kib === undefined ? undefined : 1024 * Number(kib);
  } catch {
    return undefined;
  }
}

/**
 * How the statistics of each kind are requested and which members are kept, in the order of reading.
 *
 * @type {{ kind: Kind, part: string, ask: (object: any) => Promise<any>, keep: (answer: any) => any }[]}
 */
const READINGS = [
  {
    kind: 'workers',
    part: 'workers',
    ask: askWorker,
    keep: ({ usage, rssBytes }) => ({ resourceUsage: pick(usage, RESOURCE_USAGE), rssBytes }),
  },
  { kind: 'transports', part: 'transports', ask: getStats, keep: ([stats]) => ({ stats: pick(stats, TRANSPORT) }) },
  { kind: 'producers', part: 'producers', ask: getStats, keep: (streams) => ({ stats: rtp(streams) }) },
  { kind: 'dataProducers', part: 'data', ask: getStats, keep: ([stats]) => ({ stats: pick(stats, DATA_PRODUCER) }) },
  { kind: 'dataConsumers', part: 'data', ask: getStats, keep: ([stats]) => ({ stats: pick(stats, DATA_CONSUMER) }) },
  {
    kind: 'consumers',
    part: 'consumers',
    ask: getStats,
    // mediasoup appends the stream of the producer, which the producer already reports.
    keep: (streams) => ({ stats: rtp(streams.filter(outbound)) }),
  },
];

/** The valid values of the parameter stats. */
const PARTS = [...new Set(READINGS.map((reading) => reading.part))];

module.exports = { PARTS, READINGS, pick };
