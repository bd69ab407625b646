// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { complete } = require('./lib/options.js');
const { Registry } = require('./lib/registry.js');
const { Server } = require('./lib/server.js');
const { Snapshots } = require('./lib/snapshot.js');

/** @typedef {import('./index').Options} Options */

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
    return run(mediasoup, complete(options ?? {}), report);
  } catch (error) {
    report(error);
    return { ready: Promise.resolve(undefined), close: async () => {} };
  }
}

/**
 * @param {import('./index').Mediasoup} mediasoup
 * @param {ReturnType<typeof complete>} options
 * @param {(error: unknown) => void} report
 * @returns {import('./index').Agent}
 */
function run(mediasoup, options, report) {
  if (typeof mediasoup?.observer?.on !== 'function') throw new TypeError('the first argument must be the module mediasoup');
  const registry = new Registry(mediasoup, report);
  const snapshots = new Snapshots(String(mediasoup.version), registry, options);
  const server = new Server(snapshots, options, report);
  const { host } = options;
  const unwatch = () => {
    registry.close();
    snapshots.close();
  };
  const ready = server.listen(host, options.port).then((port) => ({ host, port }), (error) => {
    unwatch();
    report(error);
  });
  return {
    ready: ready.then((address) => address || undefined),
    close: async () => {
      unwatch();
      await ready; // what does not listen yet cannot be closed
      await server.close();
    },
  };
}

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
