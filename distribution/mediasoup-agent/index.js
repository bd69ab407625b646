// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { isIP } = require('node:net');
const { Registry } = require('./lib/registry.js');
const { Server } = require('./lib/server.js');
const { Snapshots } = require('./lib/snapshot.js');

/** @typedef {import('./index').Options} Options */

const DEFAULTS = { host: '127.0.0.1', port: 9414, maxStats: 5000, timeoutMs: 2000 };

/**
 * Begins to watch mediasoup and to serve snapshots. Call it before the application makes its first worker: workers that are older
 * are not seen. Never throws and never rejects: what goes wrong is told to options.onError, and as a warning of the process where
 * there is none; the application runs on without an agent.
 *
 * @param {import('./index').Mediasoup} mediasoup the module mediasoup
 * @param {Options} [options]
 * @returns {import('./index').Agent}
 */
function start(mediasoup, options) {
  const report = reporter(options?.onError);
  try {
    return run(mediasoup, { ...DEFAULTS, ...defined(options ?? {}) }, report);
  } catch (error) {
    report(error);
    return { ready: Promise.resolve(undefined), close: async () => {} };
  }
}

/**
 * @param {import('./index').Mediasoup} mediasoup
 * @param {Options & typeof DEFAULTS} options
 * @param {(error: unknown) => void} report
 * @returns {import('./index').Agent}
 */
function run(mediasoup, options, report) {
  check(mediasoup, options);
  const registry = new Registry(mediasoup, report);
  const snapshots = new Snapshots(String(mediasoup.version), registry, options);
  const server = new Server(snapshots, options.token, report);
  const { host } = options;
  const ready = server.listen(host, options.port).then((port) => ({ host, port }), (error) => report(error));
  return {
    ready: ready.then((address) => address || undefined),
    close: async () => {
      registry.close();
      await ready; // what does not listen yet cannot be closed
      await server.close();
    },
  };
}

/**
 * Refuses what cannot be meant. Each complaint names the option.
 *
 * @param {any} mediasoup
 * @param {any} options
 */
function check(mediasoup, { host, port, token, maxStats, timeoutMs, labels }) {
  const whole = (/** @type {any} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (typeof mediasoup?.observer?.on !== 'function') throw new TypeError('the first argument must be the module mediasoup');
  if (typeof host !== 'string') throw new TypeError('host must be a text such as 127.0.0.1');
  if (!whole(port, 0, 65535)) throw new TypeError('port must be a number from 0 to 65535');
  if (token === '' || !['string', 'undefined'].includes(typeof token)) throw new TypeError('token must be a text that is not empty');
  if (!token && !isLoopback(host)) throw new TypeError(`host ${host} is open to others: set token, or listen on 127.0.0.1`);
  if (!whole(maxStats, 1, Infinity)) throw new TypeError('maxStats must be a number of objects, at least 1');
  if (!whole(timeoutMs, 10, 5000)) throw new TypeError('timeoutMs must be a number from 10 to 5000');
  if (labels !== undefined && typeof labels !== 'function') throw new TypeError('labels must be a function of a router');
}

/** @param {string} host */
const isLoopback = (host) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/**
 * Without the members that are undefined: these mean the default.
 *
 * @param {object} options
 */
const defined = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/**
 * @param {unknown} onError
 * @returns {(error: unknown) => void}
 */
function reporter(onError) {
  return (thrown) => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    try {
      if (typeof onError === 'function') onError(error);
      else process.emitWarning(error.message, 'MediasoupAgentWarning');
    } catch {
      // Whoever is told of errors and throws has had the chance.
    }
  };
}

module.exports = { start };
