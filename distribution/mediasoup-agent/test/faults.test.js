// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const test = require('node:test');
const { performance } = require('node:perf_hooks');
const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises');
const { start } = require('..');
const { share } = require('../lib/collector.js');
const { serve } = require('./agent.js');
const { Fake, application, consumer, never } = require('./fake.js');
const read = (snapshot) => snapshot.consumers.filter((c) => c.stats && c.statsAgeMs === undefined).map((c) => c.id);

/** A copy of the snapshot is given for a second: a part that was not asked for yet is collected anew. */
const PARTS = ['?stats=consumers', '?stats=consumers,data', '?stats=consumers,workers', '?stats=consumers,data,workers'];

/** Asks n times for consumers, each time for a new collection. @param {any} agent @param {number} n */
async function collections(agent, n) {
  const all = [];
  for (let i = 0; i < n; i++) all.push(await agent.snapshot(PARTS[i % PARTS.length]));
  return all;
}

test('a worker that hangs costs its own numbers, one call and half the time', async (t) => {
  const { mediasoup, build, all } = application({ workers: 2, transports: 2, consumers: 3 });
  const agent = await serve(t, mediasoup, { timeoutMs: 800 });
  build();
  let calls = 0;
  const hangs = () => { calls++; return never(); };
  const [hung] = all;
  Object.assign(hung, { getResourceUsage: hangs });
  for (const object of all) if (object.id?.startsWith('r0')) object.getStats = hangs;

  const before = performance.now();
  const snapshot = await agent.snapshot();
  assert.ok(performance.now() - before < 1500);
  assert.equal(calls, 1);
  assert.deepEqual([snapshot.collection.errors, snapshot.collection.skipped], [{ workers: 1, transports: 2, consumers: 6 }, {}]);
  assert.equal(snapshot.collection.complete, false);
  assert.equal(snapshot.counters.statsTimeouts, 1);
  assert.deepEqual(read(snapshot), ['r1t0c0', 'r1t0c1', 'r1t0c2', 'r1t1c0', 'r1t1c1', 'r1t1c2']);
  assert.deepEqual(snapshot.workers.map((w) => w.resourceUsage), [undefined, { ru_utime: 5 }]);

  await agent.snapshot('?stats=workers');
  assert.equal(calls, 1, 'a worker with a late call is left alone');
});

test('a worker that goes on is read again, and what it says late is not counted twice', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup, { timeoutMs: 400 });
  build();
  const gate = new EventEmitter();
  const worker = all[0];
  worker.getResourceUsage = async () => { await once(gate, 'open'); throw new Error('late'); };
  const hung = await agent.snapshot();
  assert.equal(hung.workers[0].resourceUsage, undefined);
  gate.emit('open');
  worker.getResourceUsage = async () => ({ ru_utime: 2 });
  const later = await agent.snapshot('?stats=workers,consumers');
  assert.deepEqual(later.workers[0].resourceUsage, { ru_utime: 2 });
  assert.equal(later.collection.complete, true);
  assert.deepEqual([later.counters.statsTimeouts, later.counters.statsErrors], [1, 0]);
});

test('an answer that is late does not count, even if others take longer', async (t) => {
  const { mediasoup, build, all } = application({ workers: 2 });
  const agent = await serve(t, mediasoup, { timeoutMs: 1000 }); // 500 for a call
  build();
  const gate = new EventEmitter();
  const [late, slow] = all.filter((o) => o.pid);
  const transport = all.find((o) => o.id === 'r1t0');
  late.getResourceUsage = async () => { await once(gate, 'open'); return { ru_utime: 1 }; };
  slow.getResourceUsage = async () => { await wait(300); return { ru_utime: 2 }; };
  transport.getStats = async () => { await wait(300); gate.emit('open'); return [{ bytesReceived: 3 }]; };
  const snapshot = await agent.snapshot();
  assert.deepEqual(snapshot.workers.map((w) => w.resourceUsage), [undefined, { ru_utime: 2 }]);
  assert.deepEqual(snapshot.transports.map((x) => x.stats), [undefined, { bytesReceived: 3 }]);
});

test('a collection that takes too long ends, and the next one begins with the rest', async (t) => {
  const { mediasoup, build, all } = application({ consumers: 600 });
  const agent = await serve(t, mediasoup, { timeoutMs: 400 }); // 300 for a worker
  build();
  for (const object of all) if (object.kind) object.getStats = async () => { await wait(60); return [{ ssrc: 1 }]; };
  const [first, second] = await collections(agent, 2);
  const done = read(first);
  assert.ok(done.length > 0 && done.length < 600, String(done.length));
  assert.deepEqual(first.collection, { ...first.collection, complete: false, errors: {}, skipped: { consumers: 600 - done.length } });
  assert.deepEqual(read(second).filter((id) => done.includes(id)), []);
  assert.equal(second.collection.carried.consumers, done.length);
});

test('calls that hang in the end do not make the whole too long', async (t) => {
  const { mediasoup, build, all } = application({ consumers: 100 });
  const agent = await serve(t, mediasoup, { timeoutMs: 2000 }); // 1000 for a call
  build();
  all[0].getResourceUsage = async () => { await wait(600); return {}; };
  const quick = async () => { await wait(600); return []; };
  all.filter((o) => o.kind).forEach((o, i) => { o.getStats = i < 49 ? quick : never; });
  const { collection } = await agent.snapshot();
  assert.deepEqual([collection.errors, collection.skipped], [{ consumers: 51 }, {}]);
  assert.ok(collection.durationMs < 2150, String(collection.durationMs));
});

test('what is new while others are read is not counted as skipped', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  const transport = all.find((o) => o.id === 'r0t0');
  transport.getStats = async () => {
    transport.has('newconsumer', new Fake(consumer('new')));
    return [{}];
  };
  const { consumers, collection } = await agent.snapshot();
  assert.deepEqual(consumers.map(({ id, stats }) => [id, stats !== undefined]), [['r0t0c0', true], ['new', false]]);
  assert.equal(collection.complete, true);
});

test('calls that fail or throw cost their own numbers', async (t) => {
  const { mediasoup, build, all } = application({ consumers: 4 });
  const agent = await serve(t, mediasoup);
  build();
  assert.equal(read(await agent.snapshot('?stats=consumers')).length, 4);
  const [a, b, c] = all.filter((o) => o.kind === 'audio');
  a.getStats = async () => { throw new Error('no'); };
  b.getStats = () => { throw new Error('no'); };
  c.getStats = async () => undefined;
  const snapshot = await agent.snapshot();
  assert.deepEqual(snapshot.collection.errors, { consumers: 3 });
  assert.equal(snapshot.counters.statsErrors, 3);
  assert.deepEqual(read(snapshot), ['r0t0c3']);
});

test('an object that closes while it is asked is no error', async (t) => {
  const { mediasoup, build, all } = application({ consumers: 2 });
  const agent = await serve(t, mediasoup);
  build();
  const leaving = all.at(-1);
  leaving.getStats = async () => { leaving.close(); throw new Error('not found'); };
  const snapshot = await agent.snapshot();
  assert.deepEqual(snapshot.collection.errors, {});
  assert.deepEqual(read(snapshot), ['r0t0c0']);
  assert.deepEqual([snapshot.counters.consumersClosed, snapshot.counters.statsErrors], [1, 0]);
});

test('a worker that dies takes its objects along, whenever it says so', async (t) => {
  for (const order of [['died', 'close'], ['close', 'died']]) { // as of 3.12, as of 3.7
    const { mediasoup, build, all } = application();
    const agent = await serve(t, mediasoup);
    build();
    const [worker] = all;
    for (const event of order) (event === 'died' ? worker : worker.observer).emit(event, new Error('signal'));
    await null;
    assert.equal(worker.listening, 0);
    const { counters, workers } = await agent.snapshot();
    assert.deepEqual([counters.workersCreated, counters.workersDied, counters.workersClosed], [1, 1, 1]);
    assert.deepEqual(workers, []);
  }
});

test('beyond the limit everybody has a turn, and numbers are carried for four rounds and marked', async (t) => {
  const { mediasoup, build } = application({ transports: 1, consumers: 12 });
  const agent = await serve(t, mediasoup, { maxStats: 2 });
  build();
  const rounds = await collections(agent, 7);
  // With workers, one of the two is theirs: 2, 2, 1, 1, 2, 2, 1 consumers.
  assert.deepEqual(rounds.map((s) => read(s).length), [2, 2, 1, 1, 2, 2, 1]);
  assert.deepEqual(rounds.slice(0, 6).flatMap(read).map((id) => Number(id.split('c')[1])), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(rounds.map((s) => s.collection.carried.consumers ?? 0), [0, 2, 4, 5, 6, 6, 6]);
  assert.deepEqual(rounds.map((s) => s.collection.skipped.consumers ?? 0), [10, 8, 7, 6, 4, 4, 5]);
  assert.deepEqual(rounds[4].consumers.map((c) => c.statsAgeMs !== undefined),
    [true, true, true, true, true, true, false, false, false, false, false, false]);
  assert.ok(rounds.every((s) => s.collection.complete === false));
});

test('small kinds are read whole, large ones share what is left', () => {
  for (const [limit, wishes, granted] of [
    [100, [1, 2, 3], [1, 2, 3]],
    [5000, [4, 1000, 500, 20000], [4, 1000, 500, 3496]],
    [10, [100, 100], [5, 5]],
    [10, [100, 3, 100], [3, 3, 4]],
    [1, [5, 5], [0, 1]],
    [1, [], []],
  ]) assert.deepEqual(share(limit, wishes), granted);
});

test('readers at one time share one collection; who comes soon after gets it again', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  let calls = 0;
  Object.assign(all[0], { getResourceUsage: async () => { calls++; return { ru_utime: calls }; } });
  const snapshots = await Promise.all(Array.from({ length: 5 }, () => agent.snapshot()));
  assert.equal(calls, 1);
  const again = await agent.snapshot();
  assert.equal(calls, 1);
  assert.equal(again.collection.cached, true);
  assert.ok(snapshots.some((s) => s.collection.cached === false));
  assert.equal(again.timeUnixMs, snapshots[0].timeUnixMs);
});

test('readers of different parts wait for each other', async (t) => {
  const { mediasoup, build, all } = application({ consumers: 30 });
  const agent = await serve(t, mediasoup);
  build();
  const log = [];
  for (const object of all) {
    if (!object.getStats) continue;
    const { getStats, id } = object;
    object.getStats = async () => {
      await turn();
      log.push(id);
      return getStats();
    };
  }
  const [one, two] = await Promise.all([agent.snapshot('?stats=consumers'), agent.snapshot('?stats=transports')]);
  assert.equal(read(one).length, 30);
  assert.equal(two.transports[0].stats.bytesReceived, 7);
  assert.equal(two.consumers[0].stats, undefined);
  // Either may have come first; its calls are over before those of the other begin.
  assert.ok(log[0] === 'r0t0' || log.at(-1) === 'r0t0', log.join());
});

test('calls come in batches', async (t) => {
  const { mediasoup, build, all } = application({ workers: 2, consumers: 200 });
  const agent = await serve(t, mediasoup);
  build();
  let now = 0;
  let most = 0;
  for (const object of all) {
    if (object.kind) object.getStats = async () => {
      most = Math.max(most, ++now);
      await turn();
      now--;
      return [];
    };
  }
  const snapshot = await agent.snapshot();
  assert.equal(snapshot.collection.complete, true);
  assert.equal(most, 50);
});

test('nothing is asked while nobody asks, and close leaves no listener', async () => {
  const { mediasoup, build, all } = application({ workers: 2, transports: 2, consumers: 2 });
  let asked = 0;
  const agent = start(mediasoup, { port: 0 });
  await agent.ready;
  build();
  const router = all.find((o) => o.id === 'r0');
  const rtpObserver = router.has('newrtpobserver', new Fake({ id: 'o' }));
  for (const object of all) if (object.getStats) object.getStats = async () => { asked++; return []; };
  await turn();
  assert.equal(asked, 0);
  assert.ok([mediasoup, ...all, rtpObserver].every((o) => o.listening > 0));
  await agent.close();
  await agent.close();
  assert.deepEqual([mediasoup, ...all, rtpObserver].map((o) => o.listening).filter(Boolean), []);
});

test('close during a collection ends it', async () => {
  const { mediasoup, build, all } = application({ consumers: 500 });
  const agent = start(mediasoup, { port: 0 });
  const address = await agent.ready;
  build();
  let calls = 0;
  for (const object of all) {
    if (object.kind) object.getStats = async () => {
      if (++calls === 60) agent.close();
      return [];
    };
  }
  await assert.rejects(fetch(`http://127.0.0.1:${address?.port}/v1/snapshot`));
  await agent.close();
  for (let i = 0; i < 50; i++) await turn();
  assert.equal(calls, 60);
});

test('no exception reaches the application', async (t) => {
  const { mediasoup, build } = application();
  const agent = await serve(t, mediasoup, { labels: () => { throw new Error('label'); } });
  build();
  const odd = [undefined, {}, { id: 'x' }, { observer: {} }];
  for (const worker of odd) mediasoup.observer.emit('newworker', worker);
  assert.equal(agent.errors.length, odd.length);
  const snapshot = await agent.snapshot();
  assert.equal(agent.errors.at(-1)?.message, 'label');
  assert.equal(snapshot.routers[0].labels, undefined);
  assert.equal(snapshot.consumers.length, 1);
});

test('labels are what the callback says, if it is text', async (t) => {
  const { mediasoup, build } = application();
  const labels = (router) => ({ room: `of ${router.id}`, long: 'x'.repeat(300), number: 5, nothing: undefined });
  const agent = await serve(t, mediasoup, { labels: labels });
  build();
  const snapshot = await agent.snapshot();
  assert.deepEqual(snapshot.routers[0].labels, { room: 'of r0', long: 'x'.repeat(256) });
});

test('events of transports are counted', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  const transport = all.find((o) => o.id === 'r0t0');
  for (const [event, ...states] of [
    ['icestatechange', 'connected', 'disconnected', 'connected', 'disconnected'],
    ['dtlsstatechange', 'connecting', 'failed'],
    ['sctpstatechange', 'failed'],
  ]) for (const state of states) transport.observer.emit(event, state);
  transport.has('newdataproducer', new Fake({ id: 'd', type: 'sctp', getStats: async () => [{ messagesReceived: 1, label: 'chat' }] }));
  transport.has('newconsumer', new Fake(consumer('late'))).close();
  const { counters, dataProducers } = await agent.snapshot();
  assert.deepEqual([counters.iceDisconnected, counters.dtlsFailed, counters.sctpFailed], [2, 1, 1]);
  assert.deepEqual([counters.consumersCreated, counters.consumersClosed, counters.dataProducersCreated], [2, 1, 1]);
  assert.deepEqual(dataProducers, [{ id: 'd', transportId: 'r0t0', type: 'sctp', stats: { messagesReceived: 1 } }]);
});

test('numbers that are none are left out', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  Object.assign(all.at(-1), {
    getStats: async () => [{ ssrc: 1, jitter: NaN, roundTripTime: Infinity, packetCount: -1, packetsLost: -2, rid: null, score: '9'.repeat(300) }],
  });
  const { consumers } = await agent.snapshot();
  assert.deepEqual(consumers[0].stats, [{ ssrc: 1, packetsLost: -2 }]);
});
