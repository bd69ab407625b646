// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// A fake clock: time advances only when no other work is pending.

'use strict';

const { performance } = require('node:perf_hooks');
const { setImmediate: turn } = require('node:timers/promises');

/** Number of turns of the event loop after which only timers are pending. */
const REST = 10;

/** Replaces clocks and timers until the end of the test. */
function fakeClock(t) {
  const timers = new Set();
  const clock = {
    now: 0, // ms
    /** Returns a promise that resolves after some ms. */
    after: (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value)),
    /** Advances time until a promise settles. */
    async until(promise) {
      let running = true;
      promise.then(() => { running = false; });
      while (running) {
        for (let i = 0; i < REST; i++) await turn();
        if (running) fire();
      }
      return promise;
    },
  };
  const fire = () => {
    const [next] = [...timers].sort((a, b) => a.due - b.due);
    timers.delete(next);
    clock.now = next.due;
    next.run();
  };
  const begun = Date.now();
  t.mock.method(performance, 'now', () => clock.now);
  t.mock.method(Date, 'now', () => begun + clock.now);
  t.mock.method(globalThis, 'clearTimeout', (timer) => timers.delete(timer));
  t.mock.method(globalThis, 'setTimeout', (run, ms, ...args) => {
    const timer = { due: clock.now + ms, run: () => run(...args) };
    timers.add(timer);
    return timer;
  });
  return clock;
}

module.exports = { fakeClock };
