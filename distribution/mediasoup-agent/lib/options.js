// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { isIP } = require('node:net');
const path = require('node:path');
const { isLoopback } = require('./hosts.js');

/** @typedef {import('../index').Options} Options */

const DEFAULTS = {
  host: '127.0.0.1',
  port: 9414,
  allowedHosts: /** @type {string[]} */ ([]),
  maxStats: Infinity,
  timeoutMs: 2000,
  eventLoopDelay: true,
  countFailures: false,
};

/** The names of all options. */
const NAMES = [...Object.keys(DEFAULTS), 'socket', 'token', 'labels', 'onError'];

/** Maximum length of the path of a socket in bytes, on any system. */
const MAX_PATH = 103;

/** Maximum edit distance between an unknown option and a suggested one. */
const MAX_DISTANCE = 2;

/**
 * Returns the options with defaults. Throws an error that names the option if one is invalid.
 *
 * @param {Options} [options] undefined members have their defaults
 * @returns {Options & typeof DEFAULTS}
 */
function complete(options = {}) {
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new TypeError(`unknown option "${unknown}"${suggestion(unknown)}`);
  const defined = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  if ('socket' in defined && ('host' in defined || 'port' in defined)) throw new TypeError('socket replaces host and port: remove them');
  const completed = { ...DEFAULTS, ...defined };
  check(completed);
  return completed;
}

/** @param {any} options */
function check({ host, port, socket, token, allowedHosts, maxStats, timeoutMs, eventLoopDelay, countFailures, labels }) {
  const whole = (/** @type {any} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (typeof host !== 'string') throw new TypeError('host must be a string such as 127.0.0.1');
  if (!whole(port, 0, 65535)) throw new TypeError('port must be an integer from 0 to 65535');
  if (socket !== undefined && !isSocketPath(socket)) {
    throw new TypeError(`socket must be an absolute path of at most ${MAX_PATH} bytes, such as /run/mediasoup-agent/0.sock`);
  }
  if (token === '' || !['string', 'undefined'].includes(typeof token)) throw new TypeError('token must be a non-empty string');
  if (!token && !isLoopback(host)) throw new TypeError(`host ${host} is reachable from other machines: set token, or listen on 127.0.0.1`);
  if (!Array.isArray(allowedHosts) || !allowedHosts.every(isName)) {
    throw new TypeError('allowedHosts must be an array of names without ports, such as ["agent.internal"]');
  }
  if (maxStats !== Infinity && !whole(maxStats, 1, Infinity)) throw new TypeError('maxStats must be an integer of at least 1');
  if (!whole(timeoutMs, 10, 5000)) throw new TypeError('timeoutMs must be an integer from 10 to 5000');
  if (typeof eventLoopDelay !== 'boolean') throw new TypeError('eventLoopDelay must be true or false');
  if (typeof countFailures !== 'boolean') throw new TypeError('countFailures must be true or false');
  if (labels !== undefined && typeof labels !== 'function') throw new TypeError('labels must be a function');
}

/** @param {any} socket */
const isSocketPath = (socket) => typeof socket === 'string' && path.isAbsolute(socket) && Buffer.byteLength(socket) <= MAX_PATH;

/** @param {any} host */
const isName = (host) => typeof host === 'string' && (isIP(host) > 0 || /^[^\s:/[\]]+$/.test(host));

/**
 * Returns the end of an error message that suggests the most similar option, or an empty string.
 *
 * @param {string} unknown
 */
function suggestion(unknown) {
  const distances = NAMES.map((name) => ({ name, letters: distance(unknown.toLowerCase(), name.toLowerCase()) }));
  const [nearest] = distances.sort((a, b) => a.letters - b.letters);
  return nearest.letters <= MAX_DISTANCE ? `: did you mean "${nearest.name}"?` : '';
}

/**
 * Returns the edit distance between two strings.
 *
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    }
    row = next;
  }
  return row[b.length];
}

module.exports = { complete };
