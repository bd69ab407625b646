// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { Events } = require('./events.js');

/**
 * The state of a mediasoup object. Ids are not unique: a producer piped to another router is two objects with the same id. Only
 * transport and id together identify an object.
 *
 * @typedef {object} Entry
 * @property {any} object the mediasoup object
 * @property {Entry | undefined} parent the parent object, undefined for a worker
 * @property {Entry} worker the worker of the object, or the worker itself
 * @property {string} id id in the snapshot
 * @property {boolean} closed whether the object or the agent is closed, so that the object must not be called any more
 * @property {() => void} unlisten removes the agent's listeners
 * @property {any} fixed values that never change and are expensive to get; for a transport, its type
 * @property {boolean} connected whether DTLS was ever connected, only for a transport
 * @property {any} stats members of the snapshot with the last statistics
 * @property {number} bornTime time at which the agent first saw the object, in ms since 1970
 * @property {number} statsTime time at which stats was read, in ms since 1970
 * @property {number} readRound round of its kind in which stats was read
 * @property {number} askedRound round of its kind in which stats was last requested
 * @property {number} rtpObservers number of RTP observers, only for a router
 * @property {Promise<unknown> | undefined} late calls that have timed out, only for a worker
 * @property {number} retryTime time until which a worker with late calls is not called, in ms since 1970
 */

/** Kinds of objects, with the names of their arrays in the snapshot. */
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

/** The observer events that announce new objects, by the kind of the observed object. */
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

/** @param {string} kind */
const created = (kind) => `${kind}Created`;
/** @param {string} kind */
const closed = (kind) => `${kind}Closed`;

/** Tracks all live mediasoup objects by listening to observers, and to the event died of workers. */
class Registry {
  #nextWorker = 0;
  /** @type {() => void} */
  #unhook;

  /**
   * @param {any} mediasoup the mediasoup module
   * @param {(error: unknown) => void} report is called with errors and must not throw
   * @param {boolean} [countFailures] whether to count transports that could not be created
   */
  constructor(mediasoup, report, countFailures = false) {
    this.report = report;
    /** Live objects by kind, oldest first. */
    this.entries = /** @type {Record<Kind, Set<Entry>>} */ (Object.fromEntries(KINDS.map((kind) => [kind, new Set()])));
    /** Numbers of events since the start, with their names in the snapshot. */
    this.counters = /** @type {Record<string, number>} */ ({ workersDied: 0, statsErrors: 0, statsTimeouts: 0 });
    for (const kind of KINDS) this.counters[created(kind)] = this.counters[closed(kind)] = 0;
    this.events = new Events((emitter, event, listener) => this.#listen(emitter, event, listener), countFailures);
    this.#unhook = this.#listen(mediasoup.observer, 'newworker', (worker) => this.#add('workers', worker));
  }

  /** Removes all listeners and forgets all objects. */
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
    if (kind === 'routers') unlisten.push(this.#countRtpObservers(entry), this.events.watchRouter(object));
    if (kind === 'transports') unlisten.push(this.events.watchTransport(entry));
    if (kind === 'producers') unlisten.push(this.events.watchProducer(entry));
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
    if (kind === 'transports') this.events.transportClosed(entry);
    // Deferred, because mediasoup 3.7 emits died right after close.
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

  /** @param {any} worker in mediasoup 3.7, it has no property with the reason why it closed */
  #countDeath(worker) {
    return this.#listen(worker, 'died', () => {
      this.counters.workersDied++;
    });
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
   * Adds a listener and returns a function that removes it. Errors thrown by the listener do not reach the application.
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
    connected: false,
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
