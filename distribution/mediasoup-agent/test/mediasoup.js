// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// The real mediasoup installed by mediasoup/install.sh, or undefined if it is missing.

'use strict';

const { existsSync } = require('node:fs');
const { homedir } = require('node:os');
const path = require('node:path');

const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'otelcol-rtc/mediasoup-3.12.16');
const worker = path.join(cache, 'mediasoup-worker');

function load() {
  if (!existsSync(worker)) return undefined;
  process.env.MEDIASOUP_WORKER_BIN = worker; // read when the module is loaded
  return require(path.join(cache, 'node_modules/mediasoup'));
}

module.exports = load();
