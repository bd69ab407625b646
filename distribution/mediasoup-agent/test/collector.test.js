// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { Collector } = require('../lib/collector.js');
const { complete } = require('../lib/options.js');
const { Registry } = require('../lib/registry.js');
const { PARTS } = require('../lib/stats.js');
const { Writer } = require('../lib/writer.js');
const { fakeClock } = require('./clock.js');
const { application, never } = require('./fake.js');

const TIMEOUT = 1000; // a call has 500 ms, a worker 750 ms

/** Returns an application whose objects are read with a fake clock. */
function read(t, size) {
  const clock = fakeClock(t);
  const { mediasoup, build } = application(size);
  const registry = new Registry(mediasoup, assert.ifError);
  const all = build();
  clock.now = 1; // objects that are not older than the collection are not counted as skipped
  const collector = new Collector(registry, complete({ timeoutMs: TIMEOUT }));
  /** Collects while time advances or stands still. Returns what was written and the duration of the collection in ms. */
  const collect = async (passing = clock.until) => {
    const begun = clock.now;
    const run = await passing(collector.collect(new Set(PARTS)));
    const ms = clock.now - begun;
    const writer = new Writer(registry, run, () => undefined);
    const lists = JSON.parse(`{"ms":${ms}${(await writer.lists()).join('')}}`);
    const { fresh: read, errors, skipped, carried } = writer;
    return { ...lists, read, errors, skipped, carried };
  };
  return { clock, registry, all, collect };
}

const fresh = ({ consumers }) => consumers.filter((c) => c.stats && c.statsAgeMs === undefined).map(({ id }) => id);

test('a collection is limited by time, not by a number of objects', async (t) => {
  const { all, collect } = read(t, { workers: 2, consumers: 4000 });
  all.at(-1).getStats = async () => { throw new Error('no'); };
  const { read: counts, errors, skipped, carried } = await collect((collecting) => collecting);
  assert.deepEqual(counts, { workers: 2, transports: 2, consumers: 7999 });
  assert.deepEqual([skipped, carried, errors], [{}, {}, { consumers: 1 }]);
});

test('a hanging worker costs only its own statistics, one call and half of the time', async (t) => {
  const { all, collect, registry } = read(t, { workers: 2, transports: 2, consumers: 3 });
  let calls = 0;
  const hangs = () => { calls++; return never(); };
  all[0].getResourceUsage = hangs;
  for (const object of all) if (object.id?.startsWith('r0')) object.getStats = hangs;

  const first = await collect();
  assert.deepEqual([first.ms, calls], [500, 1]);
  assert.deepEqual([first.errors, first.skipped, first.carried], [{ workers: 1, transports: 2, consumers: 6 }, {}, {}]);
  assert.deepEqual(fresh(first), ['r1t0c0', 'r1t0c1', 'r1t0c2', 'r1t1c0', 'r1t1c1', 'r1t1c2']);
  assert.deepEqual(first.workers.map((w) => w.resourceUsage), [undefined, { ru_utime: 5 }]);
  assert.deepEqual(first.workers.map((w) => w.responsive), [false, true]);
  assert.equal(registry.counters.statsTimeouts, 1);

  const second = await collect();
  assert.deepEqual([second.ms, calls], [0, 1], 'it is left alone');
  assert.deepEqual(second.errors, first.errors);
});

test('a hanging worker is called again after 30 s', async (t) => {
  const { all, clock, collect } = read(t);
  all[0].getResourceUsage = never;
  await collect();
  all[0].getResourceUsage = async () => ({ ru_utime: 6 });
  clock.now += 29_999;
  assert.deepEqual((await collect()).errors, { workers: 1, transports: 1, consumers: 1 });
  clock.now += 1;
  const third = await collect();
  assert.deepEqual([third.errors, third.workers[0].resourceUsage], [{}, { ru_utime: 6 }]);
});

test('a worker that resumes is called again at once, and late answers are not counted twice', async (t) => {
  const { all, clock, collect, registry } = read(t);
  all[0].getResourceUsage = async () => { await clock.after(600); throw new Error('late'); };
  await collect();
  await clock.until(clock.after(100));
  all[0].getResourceUsage = async () => ({ ru_utime: 6 });
  const second = await collect();
  assert.deepEqual([second.errors, second.workers[0].resourceUsage], [{}, { ru_utime: 6 }]);
  assert.deepEqual([registry.counters.statsTimeouts, registry.counters.statsErrors], [1, 0]);
});

test('a late answer is discarded even if others take longer', async (t) => {
  const { all, clock, collect } = read(t, { workers: 2 });
  const [late, slow] = all.filter((o) => o.pid);
  late.getResourceUsage = () => clock.after(550, { ru_utime: 1 });
  slow.getResourceUsage = () => clock.after(300, { ru_utime: 2 });
  all.find((o) => o.id === 'r1t0').getStats = () => clock.after(300, [{ bytesReceived: 3 }]);
  const { ms, workers, transports } = await collect();
  assert.equal(ms, 600);
  assert.deepEqual(workers.map((w) => w.resourceUsage), [undefined, { ru_utime: 2 }]);
  assert.deepEqual(transports.map((x) => x.stats), [undefined, { bytesReceived: 3 }]);
});

test('a collection that takes too long is aborted, and the next one starts with the remaining objects', async (t) => {
  const { all, clock, collect } = read(t, { consumers: 600 });
  for (const object of all) if (object.kind) object.getStats = () => clock.after(100, [{ ssrc: 1 }]);
  const first = await collect();
  const done = fresh(first);
  assert.deepEqual([first.ms, done.length], [800, 399]); // eight batches, the transport in the first
  assert.deepEqual([first.errors, first.skipped], [{}, { consumers: 201 }]);
  const second = await collect();
  assert.deepEqual(fresh(second).slice(-201), first.consumers.slice(399).map(({ id }) => id));
  assert.deepEqual([second.skipped, second.carried], [{}, { consumers: 201 }]);
});

test('calls that hang at the end do not exceed the time limit', async (t) => {
  const { all, clock, collect } = read(t, { consumers: 100 });
  all[0].getResourceUsage = () => clock.after(350, {});
  all.filter((o) => o.kind).forEach((o, i) => { o.getStats = i < 49 ? () => clock.after(350, []) : never; });
  const { ms, errors } = await collect();
  assert.deepEqual([ms, errors], [TIMEOUT, { consumers: 51 }]);
});
