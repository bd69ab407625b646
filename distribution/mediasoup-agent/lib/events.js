// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { performance } = require('node:perf_hooks');

/** @typedef {import('./registry.js').Entry} Entry */
/** @typedef {(emitter: import('node:events').EventEmitter, event: string, listener: (value: any) => void) => () => void} Listen */

/** The properties that identify the type of a transport in mediasoup before 3.16, which has no property type. The order matters. */
const TRANSPORT_MARKS = [
  ['iceState', 'webrtc'],
  ['rtcpTuple', 'plain'],
  ['tuple', 'pipe'],
  ['sendRtcp', 'direct'],
];
const TRANSPORT_TYPES = TRANSPORT_MARKS.map(([, type]) => type);

/** The methods of a router that create transports, and their types. */
const CREATE = Object.entries({
  createWebRtcTransport: 'webrtc',
  createPlainTransport: 'plain',
  createPipeTransport: 'pipe',
  createDirectTransport: 'direct',
});

/** The states of a transport that are counted whenever they occur, and their counters. */
const STATES = [
  ['icestatechange', 'disconnected', 'iceDisconnected'],
  ['dtlsstatechange', 'failed', 'dtlsFailed'],
  ['sctpstatechange', 'failed', 'sctpFailed'],
];

/** Names of the errors of objects that are closed. */
const CLOSED = ['InvalidStateError', 'WorkerClosedError', 'NotFoundError'];

/** Counts events of transports and producers. */
class Events {
  /** Numbers of events since the start, with their names in the snapshot. */
  counters = {
    iceConnected: 0,
    iceDisconnected: 0,
    dtlsConnected: 0,
    dtlsFailed: 0,
    sctpFailed: 0,
    transportConnectMs: 0,
    transportsClosedUnconnected: 0,
    transportsCreatedByType: zeros(TRANSPORT_TYPES),
    transportsClosedByType: zeros(TRANSPORT_TYPES),
    producersStarted: zeros(['audio', 'video']),
    producerStartMs: zeros(['audio', 'video']),
    /** @type {Record<string, Record<string, number>> | undefined} */
    transportsFailed: undefined,
  };

  /**
   * @param {Listen} listen adds a listener and returns a function that removes it
   * @param {boolean} countFailures whether to count transports that could not be created
   */
  constructor(listen, countFailures) {
    this.listen = listen;
    if (countFailures) this.counters.transportsFailed = {};
  }

  /**
   * Counts the failures to create transports of a router. There is no event for them, so its methods are replaced. Returns a function
   * that restores the methods.
   *
   * @param {any} router
   */
  watchRouter(router) {
    const { transportsFailed } = this.counters;
    if (!transportsFailed) return () => {};
    const restore = CREATE.filter(([name]) => typeof router[name] === 'function').map(([name, type]) =>
      wrap(router, name, (error) => add((transportsFailed[type] ??= {}), reasonOf(error), 1)));
    return () => restore.forEach((undo) => undo());
  }

  /**
   * Counts the creation of a transport and listens to its states. Returns a function that removes the listeners.
   *
   * @param {Entry} entry
   */
  watchTransport(entry) {
    const { counters } = this;
    const { observer } = entry.object;
    const start = performance.now();
    entry.fixed = transportType(entry.object);
    add(counters.transportsCreatedByType, entry.fixed, 1);
    const stops = STATES.map(([event, state, counter]) =>
      this.listen(observer, event, (now) => {
        if (now === state) add(/** @type {any} */ (counters), counter, 1);
      }));
    stops.push(this.#once(observer, 'icestatechange', ['connected', 'completed'], () => { counters.iceConnected++; }));
    stops.push(this.#once(observer, 'dtlsstatechange', ['connected'], () => {
      entry.connected = true;
      counters.dtlsConnected++;
      counters.transportConnectMs += msSince(start);
    }));
    return () => stops.forEach((stop) => stop());
  }

  /** @param {Entry} entry */
  transportClosed(entry) {
    add(this.counters.transportsClosedByType, entry.fixed, 1);
    if (entry.fixed === 'webrtc' && !entry.connected) this.counters.transportsClosedUnconnected++;
  }

  /**
   * Waits for the first score of a producer, which the worker sends with the first packet. Returns a function that removes the
   * listener. Producers over pipes are copies and are not counted.
   *
   * @param {Entry} entry
   */
  watchProducer(entry) {
    const { counters } = this;
    const { kind, observer } = entry.object;
    if (entry.parent?.fixed === 'pipe') return () => {};
    const start = performance.now();
    return this.#once(observer, 'score', undefined, () => {
      add(counters.producersStarted, kind, 1);
      add(counters.producerStartMs, kind, msSince(start));
    });
  }

  /**
   * Calls listener for the first event with one of the values, or with any value if there are none.
   *
   * @param {import('node:events').EventEmitter} emitter
   * @param {string} event
   * @param {string[] | undefined} values
   * @param {() => void} listener
   */
  #once(emitter, event, values, listener) {
    const stop = this.listen(emitter, event, (value) => {
      if (values && !values.includes(value)) return;
      stop();
      listener();
    });
    return stop;
  }
}

/** @param {any} transport */
function transportType(transport) {
  if (TRANSPORT_TYPES.includes(transport.type)) return transport.type;
  return TRANSPORT_MARKS.find(([property]) => property in transport)?.[1] ?? 'unknown';
}

/**
 * Replaces an asynchronous method of an object by one that passes errors to failed and throws them. Returns a function that restores
 * the method.
 *
 * @param {any} object
 * @param {string} name
 * @param {(error: any) => void} failed
 */
function wrap(object, name, failed) {
  const original = object[name];
  const own = Object.hasOwn(object, name);
  /** @param {any[]} args */
  const wrapper = async (...args) => {
    try {
      return await original.apply(object, args);
    } catch (error) {
      failed(error);
      throw error;
    }
  };
  object[name] = wrapper;
  return () => {
    if (object[name] !== wrapper) return;
    if (own) object[name] = original;
    else delete object[name];
  };
}

/**
 * Returns why a transport could not be created. The message itself may contain an address.
 *
 * @param {any} error
 */
function reasonOf(error) {
  if (String(error?.message).startsWith('no more available ports')) return 'no_port';
  if (CLOSED.includes(error?.name)) return 'closed';
  return error instanceof TypeError ? 'invalid' : '_OTHER';
}

/** @param {number} start */
const msSince = (start) => Math.round(performance.now() - start);

/**
 * @param {string[]} names
 * @returns {Record<string, number>}
 */
function zeros(names) {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

/**
 * @param {Record<string, number>} counts
 * @param {string} name
 * @param {number} n
 */
function add(counts, name, n) {
  counts[name] = (counts[name] ?? 0) + n;
}

module.exports = { Events };
