// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { complete } = require('./lib/options.js');
const { Registry } = require('./lib/registry.js');
const { Server } = require('./lib/server.js');
const { Snapshots } = require('./lib/snapshot.js');

/** @typedef {import('./index').Options} Options */

/**
 * Starts to observe mediasoup and to serve snapshots. Call it before the application creates its first worker: existing workers are
 * not observed. It never throws or rejects. Errors are passed to options.onError, or emitted as process warnings without that option,
 * and the application continues without an agent.
 *
 * @param {import('./index').Mediasoup} mediasoup the mediasoup module
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
  if (typeof mediasoup?.observer?.on !== 'function') throw new TypeError('the first argument must be the mediasoup module');
  const registry = new Registry(mediasoup, report, options.countFailures);
  const snapshots = new Snapshots(String(mediasoup.version), registry, options);
  const server = new Server(snapshots, options, report);
  const unwatch = () => {
    registry.close();
    snapshots.close();
  };
  const ready = listen(server, options).catch((error) => {
    unwatch();
    report(error);
    return server.close();
  });
  return {
    ready: ready.then((address) => address || undefined),
    close: async () => {
      unwatch();
      await ready; // only a listening server can be closed
      await server.close();
    },
  };
}

/**
 * Listens on the socket or the port of the options, and resolves to the address.
 *
 * @param {Server} server
 * @param {ReturnType<typeof complete>} options
 * @returns {Promise<import('./index').Address>}
 */
async function listen(server, { socket, host, port }) {
  if (socket === undefined) return { host, port: await server.listen(host, port) };
  await server.listenOnSocket(socket);
  return { socket };
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
      // An error handler that throws is ignored.
    }
  };
}

module.exports = { start };
