// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const perfHooks = require('node:perf_hooks');

/** Interval of the monitor's timer in ms. The monitor records the time between two expirations. */
const INTERVAL_MS = 20;

/** Measures the delay of the event loop. */
class EventLoopDelay {
  #histogram = perfHooks.monitorEventLoopDelay({ resolution: INTERVAL_MS });

  constructor() {
    this.#histogram.enable();
  }

  /**
   * Returns the delays since the last call as members of process in the snapshot, or no members if nothing was measured.
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
 * Returns the excess of an interval in ms, rounded to microseconds.
 *
 * @param {number} ns
 */
const late = (ns) => Math.max(0, Math.round(ns / 1000 - 1000 * INTERVAL_MS)) / 1000;

module.exports = { EventLoopDelay };
