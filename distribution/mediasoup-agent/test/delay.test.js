// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const perfHooks = require('node:perf_hooks');
const test = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { start } = require('..');
const { serve } = require('./agent.js');
const { application } = require('./fake.js');

/** Replaces the event loop monitor by one whose values, in ns, are set by the test. */
function fakeMonitor(t) {
  const monitor = {
    count: 0, max: 0, p99: 511, enabled: undefined, resolution: undefined,
    percentile(share) { assert.equal(share, 99); return this.p99; },
    reset() { Object.assign(this, { count: 0, max: 0, p99: 511 }); },
    enable() { this.enabled = true; },
    disable() { this.enabled = false; },
  };
  t.mock.method(perfHooks, 'monitorEventLoopDelay', ({ resolution }) => Object.assign(monitor, { resolution }));
  return monitor;
}

/** Returns the members of a snapshot about the event loop. */
const eventLoopDelays = ({ process }) => [process.eventLoopLagMs, process.eventLoopDelayP99Ms];

test('the delay of the event loop excludes the interval of the monitor and is reset by each collection', async (t) => {
  const monitor = fakeMonitor(t);
  const agent = await serve(t, application().mediasoup);
  assert.deepEqual([monitor.enabled, monitor.resolution], [true, 20]);
  assert.deepEqual(eventLoopDelays(await agent.snapshot('?stats=workers')), [undefined, undefined], 'nothing was measured yet');
  Object.assign(monitor, { count: 51, max: 417_600_000, p99: 26_900_000 });
  assert.deepEqual(eventLoopDelays(await agent.snapshot('?stats=data')), [397.6, 6.9]);
  Object.assign(monitor, { count: 1, max: 19_100_000, p99: 19_100_000 });
  assert.deepEqual(eventLoopDelays(await agent.snapshot('?stats=data')), [397.6, 6.9], 'a repeat of the same collection');
  assert.deepEqual(eventLoopDelays(await agent.snapshot('?stats=workers')), [0, 0], 'never below 0');
  assert.deepEqual(eventLoopDelays(await agent.snapshot('?stats=data')), [undefined, undefined]);
  await agent.close();
  assert.equal(monitor.enabled, false);
});

test('the delay is not measured if the option is off', async (t) => {
  const monitor = fakeMonitor(t);
  const agent = await serve(t, application().mediasoup, { eventLoopDelay: false });
  assert.deepEqual(eventLoopDelays(await agent.snapshot()), [undefined, undefined]);
  assert.equal(monitor.enabled, undefined);
});

test('an agent that cannot start does not measure the delay', async (t) => {
  const monitor = fakeMonitor(t);
  assert.equal(await start(application().mediasoup, { port: -1, onError: () => {} }).ready, undefined);
  assert.equal(monitor.enabled, undefined);
  const other = await serve(t, application().mediasoup, { eventLoopDelay: false });
  const agent = start(application().mediasoup, { port: Number(new URL(other.url).port), onError: () => {} });
  assert.equal(monitor.enabled, true);
  assert.equal(await agent.ready, undefined);
  assert.equal(monitor.enabled, false);
});

test('a blocked event loop is measured', async (t) => {
  const agent = await serve(t, application().mediasoup);
  const monitor = perfHooks.monitorEventLoopDelay({ resolution: 20 }); // started after the agent's monitor
  monitor.enable();
  while (monitor.count === 0) await turn();
  monitor.disable();
  const begun = performance.now();
  while (performance.now() - begun < 400);
  const [lag] = eventLoopDelays(await agent.snapshot());
  assert.ok(lag >= 375, `${lag} ms`);
});
