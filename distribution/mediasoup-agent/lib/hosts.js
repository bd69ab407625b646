// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const { isIP } = require('node:net');

/**
 * Reports whether a name or address, without brackets, is a loopback address or localhost.
 *
 * @param {string} host
 */
const isLoopback = (host) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** A Host header: a name or an IPv6 address in brackets, optionally with a port. */
const HOST = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/;

/**
 * Reports whether a Host header names this machine or an allowed host. It protects against DNS rebinding: a web page of another site
 * whose name resolves to 127.0.0.1 sends that name.
 *
 * @param {string | undefined} header
 * @param {string[]} allowed in lower case
 */
function isKnownHost(header, allowed) {
  const [, address, name] = HOST.exec((header ?? '').toLowerCase()) ?? [];
  const host = address ?? name;
  return Boolean(host) && (isLoopback(host) || allowed.includes(host));
}

module.exports = { isKnownHost, isLoopback };
