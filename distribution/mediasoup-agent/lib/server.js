// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { createHash, timingSafeEqual } = require('node:crypto');
const { chmod, lstat, unlink } = require('node:fs/promises');
const http = require('node:http');
const net = require('node:net');
const { Readable, pipeline } = require('node:stream');
const zlib = require('node:zlib');
const { isKnownHost } = require('./hosts.js');
const { PARTS } = require('./stats.js');

/** @typedef {{ status: number, headers?: Record<string, string>, pieces: string[] }} Answer */

const MAX_CONNECTIONS = 32;

/** Timeout in ms for receiving a request, and for a client to accept the next bytes of an answer. */
const CLIENT_MS = 10_000;

/** The mode of a socket: only the user and the group of the process can connect. */
const SOCKET_MODE = 0o660;

/** The lowest compression level, which reduces a snapshot to a tenth. */
const GZIP = { level: 1 };

/** Serves snapshots over HTTP. */
class Server {
  #http;
  #token;
  #allowedHosts;
  #onSocket = false;

  /**
   * @param {import('./snapshot.js').Snapshots} snapshots
   * @param {{ token?: string, allowedHosts: string[] }} access bearer token that clients must send; without one, the host names that
   * requests may use in addition to loopback ones
   * @param {(error: unknown) => void} report is called with errors and must not throw
   */
  constructor(snapshots, { token, allowedHosts }, report) {
    this.snapshots = snapshots;
    this.report = report;
    this.#token = token === undefined ? undefined : digest(`Bearer ${token}`);
    this.#allowedHosts = allowedHosts.map((host) => host.toLowerCase());
    this.#http = http.createServer({ requestTimeout: CLIENT_MS }, (request, response) => void this.#serve(request, response));
    this.#http.maxConnections = MAX_CONNECTIONS;
    this.#http.setTimeout(CLIENT_MS);
    this.#http.on('connection', (socket) => socket.unref());
    this.#http.unref(); // do not keep the process alive
  }

  /**
   * Listens and resolves to the port. Rejects if it cannot listen, for example because another process uses the port.
   *
   * @param {string} host
   * @param {number} port 0 selects any free port
   * @returns {Promise<number>}
   */
  async listen(host, port) {
    await this.#listen({ host, port }, `${host}:${port}`);
    return /** @type {net.AddressInfo} */ (this.#http.address()).port;
  }

  /**
   * Listens on a Unix socket. Rejects if it cannot listen, for example because another process listens on the socket.
   *
   * @param {string} path
   */
  async listenOnSocket(path) {
    this.#onSocket = true;
    if (await isAbandoned(path)) await unlink(path);
    await this.#listen({ path }, path);
    await chmod(path, SOCKET_MODE);
  }

  /**
   * @param {net.ListenOptions} options
   * @param {string} address for errors
   * @returns {Promise<void>}
   */
  #listen(options, address) {
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error) => reject(new Error(`listen on ${address}: ${error.message}`)));
      // Without exclusive, the processes of a cluster share an address, and requests reach one of them at random.
      this.#http.listen({ ...options, exclusive: true }, () => {
        this.#http.on('error', this.report);
        resolve();
      });
    });
  }

  /** Stops listening and closes all connections. @returns {Promise<void>} */
  close() {
    return new Promise((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
    });
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   */
  async #serve(request, response) {
    try {
      send(request, response, await this.#answer(request));
    } catch (error) {
      this.report(error);
      send(request, response, refusal(500, 'internal error; the agent has reported it to the application'));
    }
  }

  /**
   * @param {http.IncomingMessage} request
   * @returns {Promise<Answer>}
   */
  async #answer(request) {
    if (!this.#isMeant(request)) {
      return refusal(421, 'without a token, the agent only accepts requests for localhost: set its option token, or add the host to its option allowedHosts');
    }
    if (!this.#allows(request)) return refusal(401, 'missing or wrong token: send the token of the agent as a bearer token', { 'WWW-Authenticate': 'Bearer' });
    const [path, query] = (request.url ?? '').split('?', 2);
    if (path !== '/v1/snapshot' && path !== '/v1/health') return refusal(404, 'not found: the agent serves /v1/snapshot and /v1/health');
    if (request.method !== 'GET') return refusal(405, 'ask with GET', { Allow: 'GET' });
    const { instanceId } = this.snapshots;
    if (path === '/v1/health') return { status: 200, pieces: [JSON.stringify({ status: 'ok', instanceId })] };
    const wanted = new URLSearchParams(query).get('stats');
    const parts = wanted === null ? PARTS : wanted.split(',').filter(Boolean);
    if (!parts.every((part) => PARTS.includes(part))) return refusal(400, `stats may name ${PARTS.join(', ')}`);
    return { status: 200, pieces: await this.snapshots.get(new Set(parts)) };
  }

  /** @param {http.IncomingMessage} request */
  #isMeant(request) {
    return this.#onSocket || this.#token !== undefined || isKnownHost(request.headers.host, this.#allowedHosts);
  }

  /** @param {http.IncomingMessage} request */
  #allows(request) {
    return this.#token === undefined || timingSafeEqual(this.#token, digest(request.headers.authorization ?? ''));
  }
}

/**
 * Reports whether a path is a socket on which no process listens.
 *
 * @param {string} path
 * @returns {Promise<boolean>}
 */
async function isAbandoned(path) {
  const isSocket = await lstat(path).then((stats) => stats.isSocket(), () => false); // any other file refuses connections, too
  if (!isSocket) return false;
  return new Promise((resolve) => {
    const connection = net.connect(path, () => {
      connection.destroy();
      resolve(false);
    });
    connection.on('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
}

/** @param {string} text */
const digest = (text) => createHash('sha256').update(text).digest();

/**
 * @param {number} status
 * @param {string} error
 * @param {Record<string, string>} [headers]
 * @returns {Answer}
 */
const refusal = (status, error, headers) => ({ status, headers, pieces: [JSON.stringify({ error })] });

/**
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 * @param {Answer} answer
 */
function send(request, response, { status, headers, pieces }) {
  const zip = status === 200 && /\bgzip\b(?!;\s*q=0(?:\.0*)?(?:,|$))/.test(String(request.headers['accept-encoding']));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    Vary: 'Accept-Encoding',
    ...(zip && { 'Content-Encoding': 'gzip' }),
    ...headers,
  });
  const ignore = () => {}; // a closed connection is not an error
  const text = Readable.from(pieces, { objectMode: false });
  if (zip) pipeline(text, zlib.createGzip(GZIP), response, ignore);
  else pipeline(text, response, ignore);
}

module.exports = { Server };
