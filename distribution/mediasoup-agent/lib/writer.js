// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { setImmediate: turn } = require('node:timers/promises');
const { CARRIED_ROUNDS } = require('./collector.js');
const { KINDS } = require('./registry.js');
const { pick } = require('./stats.js');

/** @typedef {import('./registry.js').Entry} Entry */
/** @typedef {import('./registry.js').Kind} Kind */

/** Objects that are written in one turn of the event loop: about a third of a millisecond. */
const CHUNK = 100;

const MAX_LABELS = 16;
const MAX_LABEL = 256;

/** Which property tells the type of a transport where it does not tell it itself, as before mediasoup 3.16. The order matters. */
const TRANSPORT_MARKS = [
  ['iceState', 'webrtc'],
  ['rtcpTuple', 'plain'],
  ['tuple', 'pipe'],
  ['sendRtcp', 'direct'],
];
const TRANSPORT_TYPES = TRANSPORT_MARKS.map(([, type]) => type);

/** Names of the members with which a kind's numbers are given; all others are called stats. */
const STATS_MEMBER = /** @type {Record<string, string>} */ ({ workers: 'resourceUsage' });

/** @param {any} transport */
function transportType(transport) {
  if (TRANSPORT_TYPES.includes(transport.type)) return transport.type;
  return TRANSPORT_MARKS.find(([property]) => property in transport)?.[1] ?? 'unknown';
}

/** @param {Entry} entry */
function media({ object }) {
  const codec = object.rtpParameters?.codecs?.[0];
  return { kind: object.kind, type: object.type, mimeType: codec?.mimeType, clockRate: codec?.clockRate };
}

/** @param {any} value layers, or nothing where a consumer has none */
const layers = (value) => (value ? pick(value, ['spatialLayer', 'temporalLayer']) : undefined);

/**
 * What is told of an object besides its id and its numbers: properties at hand, no call. Undefined members are left out.
 *
 * @type {Record<Kind, (entry: Entry, labels: (router: any) => any) => object>}
 */
const DESCRIPTIONS = {
  workers: ({ object, bornTime }) => ({ pid: object.pid, startTimeUnixMs: bornTime }),
  webRtcServers: (entry) => ({ workerId: entry.worker.id }),
  routers: (entry, labels) => ({ workerId: entry.worker.id, rtpObservers: entry.rtpObservers, labels: labels(entry.object) }),
  transports: (entry) => {
    const { object } = entry;
    return {
      routerId: entry.parent?.id,
      type: (entry.fixed ??= transportType(object)),
      protocol: (object.iceSelectedTuple ?? object.tuple)?.protocol,
      state: { ice: object.iceState, dtls: object.dtlsState, sctp: object.sctpState },
    };
  },
  producers: (entry) => ({
    transportId: entry.parent?.id,
    ...(entry.fixed ??= media(entry)),
    paused: entry.object.paused,
    score: entry.object.score?.map((/** @type {any} */ score) => pick(score, ['encodingIdx', 'ssrc', 'rid', 'score'])),
  }),
  consumers: (entry) => {
    const { object } = entry;
    return {
      transportId: entry.parent?.id,
      producerId: object.producerId,
      ...(entry.fixed ??= media(entry)),
      paused: object.paused,
      producerPaused: object.producerPaused,
      priority: object.priority,
      score: object.score && { ...pick(object.score, ['score', 'producerScore']), producerScores: object.score.producerScores },
      currentLayers: layers(object.currentLayers),
      preferredLayers: layers(object.preferredLayers),
    };
  },
  dataProducers: (entry) => ({ transportId: entry.parent?.id, type: entry.object.type, paused: entry.object.paused }),
  dataConsumers: (entry) => ({
    transportId: entry.parent?.id,
    dataProducerId: entry.object.dataProducerId,
    type: entry.object.type,
    paused: entry.object.paused,
    dataProducerPaused: entry.object.dataProducerPaused,
  }),
};

/**
 * What the application's callback says of a router, if that is short texts.
 *
 * @param {((router: any) => Record<string, string> | undefined) | undefined} callback
 * @param {(error: unknown) => void} report
 * @returns {(router: any) => Record<string, string> | undefined}
 */
function guardLabels(callback, report) {
  if (!callback) return () => undefined;
  return (router) => {
    try {
      const labels = Object.entries(callback(router) ?? {}).filter(([, value]) => typeof value === 'string');
      return Object.fromEntries(labels.slice(0, MAX_LABELS).map(([name, value]) => [name, value.slice(0, MAX_LABEL)]));
    } catch (error) {
      report(error);
      return undefined;
    }
  };
}

/** Writes the lists of the snapshot, a few objects per turn of the event loop. */
class Writer {
  /** Objects with numbers of this round, by kind. */
  fresh = /** @type {Record<string, number>} */ ({});
  /** Objects without numbers for want of a turn, by kind. */
  skipped = /** @type {Record<string, number>} */ ({});
  /** Objects with the numbers of an earlier round, by kind. */
  carried = /** @type {Record<string, number>} */ ({});
  /** Objects that were asked in vain, by kind. */
  errors = /** @type {Record<string, number>} */ ({});

  /**
   * @param {import('./registry.js').Registry} registry
   * @param {import('./collector.js').Run} run the collection whose numbers are written
   * @param {(router: any) => Record<string, string> | undefined} labels
   */
  constructor(registry, run, labels) {
    this.registry = registry;
    this.run = run;
    this.labels = labels;
    this.errors = Object.fromEntries(run.errors);
  }

  /**
   * The members that are lists, as pieces of JSON that stand after other members.
   *
   * @returns {Promise<string[]>}
   */
  async lists() {
    // Objects that come or go meanwhile do not matter: all lists are of this moment, so that no parent is missing.
    const lists = KINDS.map((kind) => /** @type {const} */ ([kind, [...this.registry.entries[kind]]]));
    const pieces = [];
    for (const [kind, entries] of lists) {
      pieces.push(`,"${kind}":[`);
      for (let from = 0; from < entries.length; from += CHUNK) {
        const texts = entries.slice(from, from + CHUNK).map((entry) => JSON.stringify(this.#describe(kind, entry)));
        pieces.push((from ? ',' : '') + texts.join(','));
        await turn();
      }
      pieces.push(']');
    }
    return pieces;
  }

  /**
   * @param {Kind} kind
   * @param {Entry} entry
   */
  #describe(kind, entry) {
    return { id: entry.id, ...DESCRIPTIONS[kind](entry, this.labels), ...this.#numbers(kind, entry) };
  }

  /**
   * @param {Kind} kind
   * @param {Entry} entry
   */
  #numbers(kind, entry) {
    const round = this.run.rounds.get(kind);
    if (round === undefined) return undefined;
    const member = STATS_MEMBER[kind] ?? 'stats';
    if (entry.stats && entry.readRound === round) {
      add(this.fresh, kind);
      return { [member]: entry.stats };
    }
    if (entry.askedRound === round) return undefined; // in vain: among the errors
    if (!entry.stats || round - entry.readRound > CARRIED_ROUNDS) {
      if (entry.bornTime < this.run.startTime) add(this.skipped, kind);
      return undefined;
    }
    add(this.carried, kind);
    return { [member]: entry.stats, statsAgeMs: Math.max(0, Date.now() - entry.statsTime) };
  }
}

/**
 * @param {Record<string, number>} counts
 * @param {string} kind
 */
function add(counts, kind) {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

module.exports = { Writer, guardLabels };
