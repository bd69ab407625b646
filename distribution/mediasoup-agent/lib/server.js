// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { createHash, timingSafeEqual } = require('node:crypto');
const http = require('node:http');
const { Readable, pipeline } = require('node:stream');
const zlib = require('node:zlib');
const { isKnownHost } = require('./hosts.js');
const { PARTS } = require('./stats.js');

/** @typedef {{ status: number, headers?: Record<string, string>, pieces: string[] }} Answer */

const MAX_CONNECTIONS = 32;

/** How long a client may take to send a request, or to take an answer's next bytes, in ms. */
const CLIENT_MS = 10_000;

/** The text of a snapshot shrinks to a tenth at the least effort. */
const GZIP = { level: 1 };

/** Serves snapshots over HTTP. */
class Server {
  #http;
  #token;
  #allowedHosts;

  /**
   * @param {import('./snapshot.js').Snapshots} snapshots
   * @param {{ token?: string, allowedHosts: string[] }} access what clients must send as bearer token; without one, the names by which
   * they may ask for this machine besides its own
   * @param {(error: unknown) => void} report is told what went wrong; must not throw
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
    this.#http.unref(); // an application that has nothing else to do may end
  }

  /**
   * Listens; resolves to the port. Rejects where that cannot be had, as when another process has it.
   *
   * @param {string} host
   * @param {number} port 0 takes any
   * @returns {Promise<number>}
   */
  listen(host, port) {
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error) => reject(new Error(`listen on ${host}:${port}: ${error.message}`)));
      this.#http.listen(port, host, () => {
        this.#http.on('error', this.report);
        resolve(/** @type {import('node:net').AddressInfo} */ (this.#http.address()).port);
      });
    });
  }

  /** Stops listening and cuts all connections. @returns {Promise<void>} */
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
      send(request, response, refusal(500, 'the agent failed; the application was told why'));
    }
  }

  /**
   * @param {http.IncomingMessage} request
   * @returns {Promise<Answer>}
   */
  async #answer(request) {
    if (!this.#isMeant(request)) {
      return refusal(421, 'this agent has no token and answers to localhost only: set its option token, or list the name in its option allowedHosts');
    }
    if (!this.#allows(request)) return refusal(401, 'send the token of the agent as bearer token', { 'WWW-Authenticate': 'Bearer' });
    const [path, query] = (request.url ?? '').split('?', 2);
    if (path !== '/v1/snapshot' && path !== '/v1/health') return refusal(404, 'ask for /v1/snapshot or /v1/health');
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
    return this.#token !== undefined || isKnownHost(request.headers.host, this.#allowedHosts);
  }

  /** @param {http.IncomingMessage} request */
  #allows(request) {
    return this.#token === undefined || timingSafeEqual(this.#token, digest(request.headers.authorization ?? ''));
  }
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
  const ignore = () => {}; // a client that goes away is nobody's error
  const text = Readable.from(pieces, { objectMode: false });
  if (zip) pipeline(text, zlib.createGzip(GZIP), response, ignore);
  else pipeline(text, response, ignore);
}

module.exports = { Server };
