// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Tests the agent with a real mediasoup 3.12.16 and known RTP traffic.

'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { performance } = require('node:perf_hooks');
const test = require('node:test');
const { setTimeout: wait } = require('node:timers/promises');
const { validate } = require('./agent.js');
const mediasoup = require('./mediasoup.js');
const { Application } = require('./room.js');

const missing = mediasoup ? false : 'no mediasoup: run make test-deps';
if (missing && process.env.CI) throw new Error(missing);

// Alternating requests for different parts, so that no answer is reused. Together, they cover all parts.
const ALL = ['?stats=workers,transports,producers,consumers', '?stats=workers,transports,producers,consumers,data'];

async function application(t, options) {
  const rooms = new Application(mediasoup, options);
  t.after(() => rooms.close());
  const { host, port } = await rooms.agent();
  let requests = 0;
  return {
    rooms,
    async snapshot() {
      const response = await fetch(`http://${host}:${port}/v1/snapshot${ALL[requests++ % 2]}`);
      const snapshot = await response.json();
      assert.ok(validate(snapshot), JSON.stringify(validate.errors));
      return snapshot;
    },
  };
}

/** Requests snapshots until one passes the check, for at most 20 s (a worker updates losses every 2.5 to 7.5 s). */
async function eventually(snapshot, passes) {
  for (const begun = performance.now(); ; await wait(50)) {
    try {
      const now = await snapshot();
      passes(now);
      return now;
    } catch (error) {
      if (performance.now() - begun > 20_000) throw error;
    }
  }
}

const streams = (entities) => entities.flatMap((entity) => entity.stats);
const sum = (entities, member) => streams(entities).reduce((total, stream) => total + stream[member], 0);

test('sums over transports, pipes and workers equal the traffic', { skip: missing }, async (t) => {
  const { rooms, snapshot } = await application(t, { labels: () => ({ room: 'r' }) });
  await rooms.worker();
  await rooms.worker();
  await rooms.room({ worker: 0, consumers: 3 });
  await rooms.room({ worker: 1, kind: 'video', consumers: 2 });
  await rooms.pipe({ room: 0, worker: 1, consumers: 4 });
  const [audio, video] = await Promise.all([
    rooms.send({ room: 0, packets: 400, lose: [100, 101, 300], perSecond: 200 }),
    rooms.send({ room: 1, packets: 200, size: 900, perSecond: 100 }),
  ]);
  const of = (list, kind, type) => list.filter((entity) => entity.kind === kind && entity.type === type);
  const now = await eventually(snapshot, ({ producers, consumers }) => {
    assert.equal(sum(of(producers, 'video', 'simple'), 'packetCount'), 200);
    assert.equal(sum(of(consumers, 'video', 'simple'), 'packetCount'), 2 * 200);
    assert.equal(sum(of(consumers, 'audio', 'simple'), 'packetCount'), (3 + 4) * 397);
    assert.equal(sum(of(producers, 'audio', 'simple'), 'packetsLost'), 2 * 3); // also lost by the piped producer
  });
  assert.deepEqual([audio, video], [{ packets: 397, bytes: 397 * 172 }, { packets: 200, bytes: 200 * 900 }]);
  assert.equal(sum(of(now.producers, 'video', 'simple'), 'byteCount'), video.bytes);
  assert.equal(now.collection.complete, true);

  const type = Object.fromEntries(now.transports.map(({ id, type: name }) => [id, name]));
  const [original, piped] = of(now.producers, 'audio', 'simple');
  assert.equal(original.id, piped.id);
  assert.deepEqual([type[original.transportId], type[piped.transportId]], ['plain', 'pipe']);
  assert.equal(original.stats[0].byteCount, audio.bytes);
  assert.deepEqual([original.mimeType, original.clockRate], ['audio/opus', 48000]);
  assert.deepEqual(of(now.consumers, 'audio', 'pipe').map((consumer) => consumer.stats.length), [1]);
  const sent = now.consumers.filter(({ transportId }) => type[transportId] === 'plain');
  const got = [0, 1, 2].map((room) => rooms.got({ room }));
  assert.equal(sum(sent, 'packetCount'), got.reduce((total, { packets }) => total + packets, 0));
  assert.equal(sum(sent, 'byteCount'), got.reduce((total, { bytes }) => total + bytes, 0));
  assert.ok(now.transports.every(({ protocol }) => protocol === 'udp'));
  assert.deepEqual(now.routers.map(({ labels }) => labels), [{ room: 'r' }, { room: 'r' }, { room: 'r' }]);
  assert.ok(!JSON.stringify(now).includes('127.0.0.1'));
  assert.deepEqual(now.counters.producersStarted, { audio: 1, video: 1 });
  assert.deepEqual([now.counters.transportsCreatedByType.pipe, now.counters.transportsClosedUnconnected], [2, 0]);
});

test('objects may come and go while they are read', { skip: missing }, async (t) => {
  const { rooms, snapshot } = await application(t);
  await rooms.worker();
  let stop = false;
  const churn = (async () => {
    for (let room = 0; !stop; room++) {
      await rooms.room({ worker: 0, consumers: 20 });
      await rooms.send({ room, packets: 5 });
      for (let i = 0; i < 10; i++) rooms.closeConsumer({ room });
      if (room > 0) rooms.closeRoom({ room: room - 1 });
    }
    return rooms.rooms.length;
  })();
  for (let i = 0; i < 30; i++) {
    const { collection, counters, ...lists } = await snapshot();
    assert.deepEqual(collection.errors, {});
    assert.equal(counters.statsErrors, 0);
    const transports = new Set(lists.transports.map(({ id }) => id));
    assert.ok(lists.consumers.every(({ transportId }) => transports.has(transportId)));
  }
  stop = true;
  const made = await churn;
  assert.ok(made > 1);
  const { counters, routers, consumers } = await snapshot();
  assert.deepEqual([counters.routersCreated, counters.routersClosed, routers.length], [made, made - 1, 1]);
  assert.deepEqual([counters.consumersCreated - counters.consumersClosed, consumers.length], [10, 10]);
});

test('a suspended or killed worker costs only its own statistics', { skip: missing }, async (t) => {
  const { rooms, snapshot } = await application(t, { timeoutMs: 500 });
  for (const worker of [0, 1]) {
    await rooms.worker();
    await rooms.room({ worker, consumers: 5 });
    await rooms.send({ room: worker, packets: 10 });
  }
  const whole = (lists, worker) => {
    const routers = lists.routers.filter(({ workerId }) => workerId === worker).map(({ id }) => id);
    const transports = lists.transports.filter(({ routerId }) => routers.includes(routerId));
    const ids = transports.map(({ id }) => id);
    const below = [...lists.producers, ...lists.consumers].filter(({ transportId }) => ids.includes(transportId));
    return [...transports, ...below].map(({ stats }) => stats !== undefined);
  };
  const none = Array(8).fill(false); // two transports, a producer, five consumers
  const all = Array(8).fill(true);

  rooms.signal({ worker: 0, signal: 'SIGSTOP' });
  const stopped = await snapshot();
  assert.deepEqual([whole(stopped, '0'), whole(stopped, '1')], [none, all]);
  const workers = stopped.workers.map(({ responsive, rssBytes }) => [responsive, rssBytes > 0]);
  assert.deepEqual(workers, [[false, false], [true, process.platform === 'linux']]);
  assert.deepEqual(stopped.collection.errors, { workers: 1, transports: 2, producers: 1, consumers: 5 });
  const begun = performance.now();
  assert.deepEqual(whole(await snapshot(), '1'), all);
  assert.ok(performance.now() - begun < 200, 'the worker is not waited for twice');

  rooms.signal({ worker: 0, signal: 'SIGCONT' });
  await eventually(snapshot, (now) => assert.deepEqual([whole(now, '0'), whole(now, '1')], [all, all]));

  rooms.signal({ worker: 0, signal: 'SIGKILL' });
  await once(rooms.workers[0], 'died');
  const dead = await snapshot();
  assert.deepEqual(dead.workers.map(({ id }) => id), ['1']);
  assert.deepEqual([whole(dead, '0'), whole(dead, '1')], [[], all]);
  assert.deepEqual([dead.counters.workersDied, dead.counters.workersClosed, dead.collection.complete], [1, 1, true]);
});

test('a restarted agent has a new identity and observes only new objects', { skip: missing }, async (t) => {
  const { rooms, snapshot } = await application(t);
  await rooms.worker();
  const before = await snapshot();
  await rooms.agent();
  await rooms.worker();
  const after = await snapshot();
  assert.notEqual(after.instanceId, before.instanceId);
  assert.deepEqual([before.workers.length, after.workers.length], [1, 1]);
  assert.equal(after.workers[0].pid, rooms.workers[1].pid);
});
