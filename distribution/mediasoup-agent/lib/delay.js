// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const perfHooks = require('node:perf_hooks');

/** How often the monitor's timer fires, in ms. The monitor records the intervals between two of its turns. */
const INTERVAL_MS = 20;

/** Measures by how much the event loop is late. */
class EventLoopDelay {
  #histogram = perfHooks.monitorEventLoopDelay({ resolution: INTERVAL_MS });

  constructor() {
    this.#histogram.enable();
  }

  /**
   * The delays since the last call, as members of the snapshot's process: none where nothing was measured.
   *
   * @returns {{ eventLoopLagMs?: number, eventLoopDelayP99Ms?: number }}
   */
  read() {
    const { count, max } = this.#histogram;
    if (count === 0) return {};
    const delays = { eventLoopLagMs: late(max), eventLoopDelayP99Ms: late(this.#histogram.percentile(99)) };
    this.#histogram.reset();
    return delays;
  }

  close() {
    this.#histogram.disable();
  }
}

/**
 * By how many ms an interval was too long, to the microsecond.
 *
 * @param {number} ns
 */
const late = (ns) => Math.max(0, Math.round(ns / 1000 - 1000 * INTERVAL_MS)) / 1000;

module.exports = { EventLoopDelay };
