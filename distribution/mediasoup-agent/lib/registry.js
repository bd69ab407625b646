// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

/**
 * What a mediasoup object is to the agent. The object itself is the key: a producer that is piped to another router is two objects
 * with one id, so ids tell objects apart only together with the transport.
 *
 * @typedef {object} Entry
 * @property {any} object mediasoup's object
 * @property {Entry | undefined} parent what the object belongs to; undefined for a worker
 * @property {Entry} worker the worker of the object; of a worker, itself
 * @property {string} id id in the snapshot
 * @property {boolean} closed whether the object is gone, or the agent: then it is not asked any more
 * @property {() => void} unlisten removes the agent's listeners
 * @property {any} fixed what never changes and is dear to ask for
 * @property {any} stats what was read last
 * @property {number} bornTime when the agent met the object, in ms since 1970
 * @property {number} statsTime when stats was read, in ms since 1970
 * @property {number} readRound round of its kind in which stats was read
 * @property {number} askedRound round of its kind in which it was asked for last
 * @property {number} rtpObservers observers of speakers and levels; of a router only
 * @property {Promise<unknown> | undefined} late calls that outlasted their time; of a worker only
 * @property {number} retryTime until when a worker with late calls is left alone, in ms since 1970
 */

/** Kinds of objects, as the snapshot calls their lists. */
const KINDS = /** @type {const} */ ([
  'workers',
  'webRtcServers',
  'routers',
  'transports',
  'producers',
  'dataProducers',
  'dataConsumers',
  'consumers',
]);

/** @typedef {typeof KINDS[number]} Kind */

/** Which event of an object's observer tells of which new objects. */
const BIRTHS = /** @type {Record<string, [string, Kind][]>} */ ({
  workers: [['newwebrtcserver', 'webRtcServers'], ['newrouter', 'routers']],
  routers: [['newtransport', 'transports']],
  transports: [
    ['newproducer', 'producers'],
    ['newconsumer', 'consumers'],
    ['newdataproducer', 'dataProducers'],
    ['newdataconsumer', 'dataConsumers'],
  ],
});

/** Which state of a transport counts, in which counter. */
const FAILURES = [
  ['icestatechange', 'disconnected', 'iceDisconnected'],
  ['dtlsstatechange', 'failed', 'dtlsFailed'],
  ['sctpstatechange', 'failed', 'sctpFailed'],
];

/** @param {string} kind */
const created = (kind) => `${kind}Created`;
/** @param {string} kind */
const closed = (kind) => `${kind}Closed`;

/** Knows every live object of mediasoup, by listening to observers and, of workers, to the event died. */
class Registry {
  #nextWorker = 0;
  /** @type {() => void} */
  #unhook;

  /**
   * @param {any} mediasoup the module mediasoup
   * @param {(error: unknown) => void} report is told what went wrong; must not throw
   */
  constructor(mediasoup, report) {
    this.report = report;
    /** Live objects by kind, oldest first. */
    this.entries = /** @type {Record<Kind, Set<Entry>>} */ (Object.fromEntries(KINDS.map((kind) => [kind, new Set()])));
    /** Events since the start, by the names of the snapshot. */
    this.counters = /** @type {Record<string, number>} */ ({ workersDied: 0, statsErrors: 0, statsTimeouts: 0 });
    for (const kind of KINDS) this.counters[created(kind)] = this.counters[closed(kind)] = 0;
    for (const [, , counter] of FAILURES) this.counters[counter] = 0;
    this.#unhook = this.#listen(mediasoup.observer, 'newworker', (worker) => this.#add('workers', worker));
  }

  /** Removes every listener and forgets every object. */
  close() {
    this.#unhook();
    for (const kind of KINDS) {
      for (const entry of this.entries[kind]) {
        entry.closed = true;
        entry.unlisten();
      }
      this.entries[kind].clear();
    }
  }

  /**
   * @param {Kind} kind
   * @param {any} object
   * @param {Entry} [parent]
   */
  #add(kind, object, parent) {
    const entry = newEntry(kind === 'workers' ? String(this.#nextWorker++) : object.id, object, parent);
    const unlisten = this.#births(kind, entry);
    unlisten.push(this.#listen(object.observer, 'close', () => this.#remove(kind, entry)));
    if (kind === 'workers') unlisten.push(this.#countDeath(object));
    if (kind === 'routers') unlisten.push(this.#countRtpObservers(entry));
    if (kind === 'transports') unlisten.push(...this.#countFailures(object));
    entry.unlisten = () => unlisten.forEach((stop) => stop());
    this.entries[kind].add(entry);
    this.counters[created(kind)]++;
  }

  /**
   * @param {Kind} kind
   * @param {Entry} entry
   */
  #remove(kind, entry) {
    if (entry.closed) return;
    entry.closed = true;
    this.entries[kind].delete(entry);
    this.counters[closed(kind)]++;
    // Not at once: mediasoup 3.7 says that a worker died right after it said that the worker closed.
    queueMicrotask(entry.unlisten);
  }

  /**
   * @param {Kind} kind
   * @param {Entry} entry
   */
  #births(kind, entry) {
    return (BIRTHS[kind] ?? []).map(([event, child]) =>
      this.#listen(entry.object.observer, event, (object) => this.#add(child, object, entry)));
  }

  /** @param {any} worker mediasoup 3.7's has no property that tells why it closed */
  #countDeath(worker) {
    return this.#listen(worker, 'died', () => {
      this.counters.workersDied++;
    });
  }

  /** @param {any} transport */
  #countFailures(transport) {
    return FAILURES.map(([event, state, counter]) =>
      this.#listen(transport.observer, event, (now) => {
        if (now === state) this.counters[counter]++;
      }));
  }

  /** @param {Entry} router */
  #countRtpObservers(router) {
    /** @type {Set<() => void>} */
    const unlisten = new Set();
    const stop = this.#listen(router.object.observer, 'newrtpobserver', (rtpObserver) => {
      router.rtpObservers++;
      const stopClose = this.#listen(rtpObserver.observer, 'close', () => {
        router.rtpObservers--;
        stopClose();
        unlisten.delete(stopClose);
      });
      unlisten.add(stopClose);
    });
    return () => {
      stop();
      for (const stopClose of unlisten) stopClose();
    };
  }

  /**
   * Listens to an event and returns what ends that. Nothing that listener throws reaches the application.
   *
   * @param {import('node:events').EventEmitter} emitter
   * @param {string} event
   * @param {(value: any) => void} listener
   */
  #listen(emitter, event, listener) {
    /** @param {unknown} value */
    const guarded = (value) => {
      try {
        listener(value);
      } catch (error) {
        this.report(error);
      }
    };
    emitter.on(event, guarded);
    return () => {
      emitter.off(event, guarded);
    };
  }
}

/**
 * @param {string} id
 * @param {any} object
 * @param {Entry | undefined} parent
 */
function newEntry(id, object, parent) {
  const entry = /** @type {Entry} */ ({
    object,
    parent,
    id,
    closed: false,
    unlisten: () => {},
    fixed: undefined,
    stats: undefined,
    bornTime: Date.now(),
    statsTime: 0,
    readRound: -Infinity,
    askedRound: 0,
    rtpObservers: 0,
    late: undefined,
    retryTime: 0,
  });
  entry.worker = parent ? parent.worker : entry;
  return entry;
}

module.exports = { KINDS, Registry };
