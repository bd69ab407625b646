// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { randomUUID } = require('node:crypto');
const { performance } = require('node:perf_hooks');
const { Collector } = require('./collector.js');
const { EventLoopDelay } = require('./delay.js');
const { Writer, guardLabels } = require('./writer.js');
const { name, version } = require('../package.json');

/** Time in ms for which a snapshot is reused for further requests. */
const FRESH_MS = 1000;

/**
 * A snapshot: an object with its first members, including collection, and pieces of JSON with the others.
 *
 * @typedef {{ key: string, bornTime: number, head: any, pieces: string[] }} Snapshot
 */

/** Creates snapshots one at a time. Concurrent requests for the same parts share a snapshot. */
class Snapshots {
  /** Random identity of the process. */
  instanceId = randomUUID();

  #startTime = Math.round(Date.now() - process.uptime() * 1000);
  /** @type {Map<string, Promise<Snapshot>>} */
  #running = new Map();
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  /** @type {Snapshot | undefined} */
  #latest;

  /**
   * @param {string} mediasoupVersion
   * @param {import('./registry.js').Registry} registry
   * @param {ReturnType<typeof import('./options.js').complete>} options
   */
  constructor(mediasoupVersion, registry, options) {
    this.mediasoupVersion = mediasoupVersion;
    this.registry = registry;
    this.collector = new Collector(registry, options);
    this.labels = guardLabels(options.labels, registry.report);
    this.delay = options.eventLoopDelay ? new EventLoopDelay() : undefined;
  }

  close() {
    this.delay?.close();
  }

  /**
   * Returns a snapshot as pieces of JSON.
   *
   * @param {Set<string>} parts elements of PARTS to include statistics of
   * @returns {Promise<string[]>}
   */
  async get(parts) {
    const key = [...parts].sort().join();
    const latest = this.#latest;
    if (latest?.key === key && performance.now() - latest.bornTime < FRESH_MS) return text(latest, true);
    let running = this.#running.get(key);
    if (!running) {
      running = this.#last.then(() => this.#make(key, parts)).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
      this.#last = running.catch(() => {});
    }
    return text(await running, false);
  }

  /**
   * @param {string} key
   * @param {Set<string>} parts
   * @returns {Promise<Snapshot>}
   */
  async #make(key, parts) {
    const start = performance.now();
    const run = await this.collector.collect(parts);
    const timeUnixMs = Date.now();
    const durationMs = Math.round(1000 * (performance.now() - start)) / 1000;
    const writer = new Writer(this.registry, run, this.labels);
    const pieces = await writer.lists();
    const { fresh, skipped, carried, errors } = writer;
    const complete = [skipped, carried, errors].every((counts) => Object.keys(counts).length === 0);
    const collection = { durationMs, cached: false, complete, fresh, skipped, carried, errors };
    this.#latest = { key, bornTime: performance.now(), head: { ...this.#head(), timeUnixMs, collection }, pieces };
    return this.#latest;
  }

  #head() {
    const cpu = process.cpuUsage();
    return {
      schema: 'mediasoup.snapshot',
      schemaVersion: 1,
      agent: { name, version },
      mediasoup: { version: this.mediasoupVersion, binding: 'node' },
      instanceId: this.instanceId,
      process: {
        pid: process.pid,
        startTimeUnixMs: this.#startTime,
        cpuUserMs: Math.round(cpu.user / 1000),
        cpuSystemMs: Math.round(cpu.system / 1000),
        rssBytes: process.memoryUsage.rss(),
        ...this.delay?.read(),
      },
      counters: structuredClone({ ...this.registry.counters, ...this.registry.events.counters }),
    };
  }
}

/**
 * @param {Snapshot} snapshot
 * @param {boolean} cached whether the snapshot was created for an earlier request
 * @returns {string[]}
 */
function text({ head, pieces }, cached) {
  const start = JSON.stringify({ ...head, collection: { ...head.collection, cached } });
  return [start.slice(0, -1), ...pieces, '}'];
}

module.exports = { Snapshots };
