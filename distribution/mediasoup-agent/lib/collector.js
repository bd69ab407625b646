// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { performance } = require('node:perf_hooks');
const { setImmediate: turn } = require('node:timers/promises');
const { READINGS } = require('./stats.js');

/** @typedef {import('./registry.js').Entry} Entry */
/** @typedef {import('./registry.js').Kind} Kind */
/** @typedef {typeof READINGS[number]} Reading */
/** @typedef {{ entry: Entry, reading: Reading, round: number }} Call */

/** Maximum number of calls in flight over all workers. More of them block the event loop for longer. */
const IN_FLIGHT = 50;

/** Time in ms for which a worker with late calls is not called, unless they end earlier. */
const RETRY_MS = 30_000;

/** Maximum age, in rounds, of statistics of an object whose turn has not come. */
const CARRIED_ROUNDS = 4;

/**
 * The state of a collection.
 *
 * @typedef {object} Run
 * @property {number} startTime start time in ms since 1970
 * @property {number} deadline deadline of the collection on performance's clock
 * @property {number} workerDeadline deadline of a worker's calls on performance's clock
 * @property {Map<Kind, number>} rounds the kinds to read and their rounds
 * @property {Map<Kind, number>} errors number of objects whose calls failed, by kind
 */

/** Reads the statistics of all objects. The caller must run one collection at a time. */
class Collector {
  /** @type {Map<Kind, number>} */
  #rounds = new Map();

  /**
   * @param {import('./registry.js').Registry} registry
   * @param {{ maxStats: number, timeoutMs: number }} limits maximum number of objects per collection, and maximum duration
   */
  constructor(registry, limits) {
    this.registry = registry;
    this.limits = limits;
  }

  /**
   * Reads the statistics of some kinds of objects into their entries. Never rejects.
   *
   * @param {Set<string>} parts elements of PARTS to read
   * @returns {Promise<Run>}
   */
  async collect(parts) {
    const run = this.#begin(parts);
    const queues = this.#plan(run);
    const batch = Math.max(1, Math.floor(IN_FLIGHT / queues.size));
    await Promise.all(Array.from(queues, ([worker, calls]) => this.#readWorker(run, worker, calls, batch)));
    return run;
  }

  /**
   * @param {Set<string>} parts
   * @returns {Run}
   */
  #begin(parts) {
    const now = performance.now();
    const { timeoutMs } = this.limits;
    const rounds = new Map();
    for (const { kind, part } of READINGS) {
      if (!parts.has(part)) continue;
      this.#rounds.set(kind, (this.#rounds.get(kind) ?? 0) + 1);
      rounds.set(kind, this.#rounds.get(kind));
    }
    // Workers have an earlier deadline, so that there is time left to write the answer.
    const workerDeadline = now + 0.75 * timeoutMs;
    return { startTime: Date.now(), deadline: now + timeoutMs, workerDeadline, rounds, errors: new Map() };
  }

  /**
   * Divides the limit and assigns calls to workers in the order of READINGS. Within a kind, objects that waited longest come first.
   *
   * @param {Run} run
   * @returns {Map<Entry, Call[]>}
   */
  #plan(run) {
    const readings = READINGS.filter(({ kind }) => run.rounds.has(kind));
    const quotas = share(this.limits.maxStats, readings.map(({ kind }) => this.registry.entries[kind].size));
    /** @type {Map<Entry, Call[]>} */
    const queues = new Map();
    readings.forEach((reading, i) => {
      const round = run.rounds.get(reading.kind) ?? 0;
      const waiting = [...this.registry.entries[reading.kind]].sort((a, b) => a.askedRound - b.askedRound);
      for (const entry of waiting.slice(0, quotas[i])) {
        const calls = queues.get(entry.worker) ?? [];
        calls.push({ entry, reading, round });
        queues.set(entry.worker, calls);
      }
    });
    return queues;
  }

  /**
   * @param {Run} run
   * @param {Entry} worker
   * @param {Call[]} calls
   * @param {number} size number of concurrent calls
   */
  async #readWorker(run, worker, calls, size) {
    let next = 0;
    while (next < calls.length) {
      if (worker.late && Date.now() < worker.retryTime) {
        for (const call of calls.slice(next)) fail(run, call);
        return;
      }
      if (performance.now() > run.workerDeadline) return;
      // The first call is made alone, so that a hanging worker blocks only one call.
      const batch = calls.slice(next, next + (next === 0 ? 1 : size));
      next += batch.length;
      await this.#readBatch(run, worker, batch);
      await turn();
    }
  }

  /**
   * @param {Run} run
   * @param {Entry} worker
   * @param {Call[]} batch
   */
  async #readBatch(run, worker, batch) {
    const waiting = new Set(batch);
    const answers = Promise.all(batch.map((call) => this.#read(run, call, waiting)));
    const left = Math.min(0.5 * this.limits.timeoutMs, run.deadline - performance.now());
    if (await endsWithin(answers, left)) return;
    for (const call of waiting) {
      if (!call.entry.closed) this.registry.counters.statsTimeouts++;
      fail(run, call);
    }
    waiting.clear();
    worker.late = answers;
    worker.retryTime = Date.now() + RETRY_MS;
    answers.then(() => {
      if (worker.late === answers) worker.late = undefined;
    });
  }

  /**
   * Makes a call. Never rejects. The answer is discarded if the call is no longer in waiting.
   *
   * @param {Run} run
   * @param {Call} call
   * @param {Set<Call>} waiting
   */
  async #read(run, call, waiting) {
    const { entry, reading, round } = call;
    entry.askedRound = round;
    try {
      if (entry.closed) throw new Error('closed');
      const stats = reading.keep(await reading.ask(entry.object));
      if (!waiting.delete(call)) return;
      entry.stats = stats;
      entry.statsTime = Date.now();
      entry.readRound = round;
    } catch {
      if (!waiting.delete(call) || entry.closed) return;
      this.registry.counters.statsErrors++;
      fail(run, call);
    }
  }
}

/**
 * Counts a call that failed, or that was not made because it would fail.
 *
 * @param {Run} run
 * @param {Call} call
 */
function fail(run, { entry, reading, round }) {
  entry.askedRound = round;
  if (!entry.closed) run.errors.set(reading.kind, (run.errors.get(reading.kind) ?? 0) + 1);
}

/**
 * Reports whether a promise that never rejects settles within some ms.
 *
 * @param {Promise<unknown>} promise
 * @param {number} ms
 * @returns {Promise<boolean>}
 */
function endsWithin(promise, ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ms), false);
    promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/**
 * Divides a limit: small requests are granted completely, large ones share the rest equally.
 *
 * @param {number} limit
 * @param {number[]} wishes
 * @returns {number[]}
 */
function share(limit, wishes) {
  const granted = wishes.map(() => 0);
  const smallestFirst = wishes.map((_, i) => i).sort((a, b) => wishes[a] - wishes[b]);
  smallestFirst.forEach((i, done) => {
    granted[i] = Math.min(wishes[i], Math.floor(limit / (wishes.length - done)));
    limit -= granted[i];
  });
  return granted;
}

module.exports = { CARRIED_ROUNDS, Collector, share };
