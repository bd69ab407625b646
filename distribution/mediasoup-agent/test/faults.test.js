// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const { start } = require('..');
const { share } = require('../lib/collector.js');
const { serve } = require('./agent.js');
const { Fake, application, consumer } = require('./fake.js');

/** Returns the ids of the consumers with statistics of this collection. */
const read = (snapshot) => snapshot.consumers.filter((c) => c.stats && c.statsAgeMs === undefined).map((c) => c.id);

/** A snapshot is reused for a second. A part that was not requested before is collected again. */
const PARTS = ['?stats=consumers', '?stats=consumers,data', '?stats=consumers,workers', '?stats=consumers,data,workers'];

/** Requests consumers n times, each time with a new collection. @param {any} agent @param {number} n */
async function collections(agent, n) {
  const all = [];
  for (let i = 0; i < n; i++) all.push(await agent.snapshot(PARTS[i % PARTS.length]));
  return all;
}

test('objects created during a collection are not counted as skipped', async (t) => {
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

test('calls that reject or throw cost only their own statistics', async (t) => {
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

test('an object that closes during its call is not an error', async (t) => {
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

test('the objects of a dead worker are removed in any order of events', async (t) => {
  for (const order of [['died', 'close'], ['close', 'died']]) { // 3.12, 3.7
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

test('with a limit, objects take turns, and statistics are carried for four rounds and marked', async (t) => {
  const { mediasoup, build } = application({ transports: 1, consumers: 12 });
  const agent = await serve(t, mediasoup, { maxStats: 2 });
  build();
  const rounds = await collections(agent, 7);
  // If workers are read, they use one of the two calls: 2, 2, 1, 1, 2, 2, 1 consumers.
  assert.deepEqual(rounds.map((s) => read(s).length), [2, 2, 1, 1, 2, 2, 1]);
  assert.deepEqual(rounds.slice(0, 6).flatMap(read).map((id) => Number(id.split('c')[1])), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(rounds.map((s) => s.collection.carried.consumers ?? 0), [0, 2, 4, 5, 6, 6, 6]);
  assert.deepEqual(rounds.map((s) => s.collection.fresh.consumers), [2, 2, 1, 1, 2, 2, 1]);
  assert.deepEqual(rounds.map((s) => s.collection.skipped.consumers ?? 0), [10, 8, 7, 6, 4, 4, 5]);
  assert.deepEqual(rounds[4].consumers.map((c) => c.statsAgeMs !== undefined),
    [true, true, true, true, true, true, false, false, false, false, false, false]);
  assert.ok(rounds.every((s) => s.collection.complete === false));
});

test('small kinds are read completely, large ones share the rest of the limit', () => {
  for (const [limit, wishes, granted] of [
    [100, [1, 2, 3], [1, 2, 3]],
    [5000, [4, 1000, 500, 20000], [4, 1000, 500, 3496]],
    [10, [100, 100], [5, 5]],
    [10, [100, 3, 100], [3, 3, 4]],
    [1, [5, 5], [0, 1]],
    [1, [], []],
    [Infinity, [5, 5000], [5, 5000]],
  ]) assert.deepEqual(share(limit, wishes), granted);
});

test('concurrent requests share a collection, and requests soon afterwards reuse it', async (t) => {
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

test('requests for different parts wait for each other', async (t) => {
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
  // Either may be the first. Its calls end before those of the other start.
  assert.ok(log[0] === 'r0t0' || log.at(-1) === 'r0t0', log.join());
});

test('calls are made in batches', async (t) => {
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

test('no calls are made without requests, and close removes all listeners', async () => {
  const { mediasoup, build, all } = application({ workers: 2, transports: 2, consumers: 2 });
  let calls = 0;
  const agent = start(mediasoup, { port: 0 });
  await agent.ready;
  build();
  const router = all.find((o) => o.id === 'r0');
  const rtpObserver = router.has('newrtpobserver', new Fake({ id: 'o' }));
  for (const object of all) if (object.getStats) object.getStats = async () => { calls++; return []; };
  await turn();
  assert.equal(calls, 0);
  assert.ok([mediasoup, ...all, rtpObserver].every((o) => o.listening > 0));
  await agent.close();
  await agent.close();
  assert.deepEqual([mediasoup, ...all, rtpObserver].map((o) => o.listening).filter(Boolean), []);
});

test('close aborts a running collection', async () => {
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

test('labels are the strings returned by the callback', async (t) => {
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

test('invalid numbers are omitted', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  Object.assign(all.at(-1), {
    getStats: async () => [{ ssrc: 1, jitter: NaN, roundTripTime: Infinity, packetCount: -1, packetsLost: -2, rid: null, score: '9'.repeat(300),
      byteCount: 1e21, pliCount: 2 ** 53, firCount: 2 ** 53 - 1 }],
  });
  const { consumers } = await agent.snapshot();
  assert.deepEqual(consumers[0].stats, [{ ssrc: 1, packetsLost: -2, firCount: 2 ** 53 - 1 }]);
});
