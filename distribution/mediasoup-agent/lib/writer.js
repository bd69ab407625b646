// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { setImmediate: turn } = require('node:timers/promises');
const { CARRIED_ROUNDS } = require('./collector.js');
const { KINDS } = require('./registry.js');
const { pick } = require('./stats.js');

/** @typedef {import('./registry.js').Entry} Entry */
/** @typedef {import('./registry.js').Kind} Kind */

/** Number of objects written per turn of the event loop, which takes about a third of a millisecond. */
const CHUNK = 100;

const MAX_LABELS = 16;
const MAX_LABEL = 256;

/** @param {Entry} entry */
function media({ object }) {
  const codec = object.rtpParameters?.codecs?.[0];
  return { kind: object.kind, type: object.type, mimeType: codec?.mimeType, clockRate: codec?.clockRate };
}

/** @param {any} value layers, or undefined or null if a consumer has none */
const layers = (value) => (value ? pick(value, ['spatialLayer', 'temporalLayer']) : undefined);

/**
 * Returns the members of an object besides id and statistics, without any calls. Undefined members are omitted.
 *
 * @type {Record<Kind, (entry: Entry, labels: (router: any) => any) => object>}
 */
const DESCRIPTIONS = {
  workers: ({ object, bornTime, late }) => ({ pid: object.pid, startTimeUnixMs: bornTime, responsive: late === undefined }),
  webRtcServers: (entry) => ({ workerId: entry.worker.id }),
  routers: (entry, labels) => ({
    workerId: entry.worker.id,
    startTimeUnixMs: entry.bornTime,
    rtpObservers: entry.rtpObservers,
    labels: labels(entry.object),
  }),
  transports: (entry) => {
    const { object } = entry;
    return {
      routerId: entry.parent?.id,
      type: entry.fixed,
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
 * Returns a function that calls the application's callback and keeps labels that are short strings.
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

/** Writes the arrays of the snapshot, a few objects per turn of the event loop. */
class Writer {
  /** Number of objects with statistics of this round, by kind. */
  fresh = /** @type {Record<string, number>} */ ({});
  /** Number of objects without statistics because of the limits, by kind. */
  skipped = /** @type {Record<string, number>} */ ({});
  /** Number of objects with statistics of an earlier round, by kind. */
  carried = /** @type {Record<string, number>} */ ({});
  /** Number of objects whose calls failed, by kind. */
  errors = /** @type {Record<string, number>} */ ({});

  /**
   * @param {import('./registry.js').Registry} registry
   * @param {import('./collector.js').Run} run the collection whose statistics are written
   * @param {(router: any) => Record<string, string> | undefined} labels
   */
  constructor(registry, run, labels) {
    this.registry = registry;
    this.run = run;
    this.labels = labels;
    this.errors = Object.fromEntries(run.errors);
  }

  /**
   * Returns the members that are arrays as pieces of JSON to append to other members.
   *
   * @returns {Promise<string[]>}
   */
  async lists() {
    // Copy all lists at once, so that no parent is missing if objects come or go meanwhile.
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
    if (entry.stats && entry.readRound === round) {
      add(this.fresh, kind);
      return entry.stats;
    }
    if (entry.askedRound === round) return undefined; // the call failed and is counted in errors
    if (!entry.stats || round - entry.readRound > CARRIED_ROUNDS) {
      if (entry.bornTime < this.run.startTime) add(this.skipped, kind);
      return undefined;
    }
    add(this.carried, kind);
    return { ...entry.stats, statsAgeMs: Math.max(0, Date.now() - entry.statsTime) };
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
