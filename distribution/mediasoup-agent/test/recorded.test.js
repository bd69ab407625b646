// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { KINDS } = require('../lib/registry.js');
const { capture, serve, validate } = require('./agent.js');
const { application } = require('./recorded.js');

const VERSIONS = ['3.7.19', '3.12.16', '3.27.1'];

/** Returns the arrays by id and parent, without values that change between two snapshots. @param {any} snapshot */
function still(snapshot) {
  return Object.fromEntries(KINDS.map((kind) => [kind, snapshot[kind].map(({
    stats, score, resourceUsage, rssBytes, responsive, startTimeUnixMs, labels, currentLayers, preferredLayers, ...rest
  }) => rest).sort(byKey)]));
}
const key = (o) => `${o.transportId} ${o.id}`;
const byKey = (a, b) => (key(a) < key(b) ? -1 : 1);

for (const version of VERSIONS) {
  test(`mediasoup ${version}: the snapshot equals that of another agent for the same application`, async (t) => {
    const other = capture(`snapshot-${version}-a.json`);
    assert.ok(validate(other));
    const { mediasoup, play } = application(capture(`getstats-${version}.json`));
    const agent = await serve(t, mediasoup);
    play();
    const snapshot = await agent.snapshot();
    assert.deepEqual(still(snapshot), still(other));
    assert.deepEqual(snapshot.mediasoup, { version, binding: 'node' });
    assert.equal(snapshot.collection.complete, true);
    assert.deepEqual(agent.errors, []);
  });

  test(`mediasoup ${version}: statistics equal those of getStats()`, async (t) => {
    const captured = capture(`getstats-${version}.json`);
    const { mediasoup, play } = application(captured);
    const agent = await serve(t, mediasoup);
    play();
    const snapshot = await agent.snapshot();
    assert.deepEqual(snapshot.workers.map((w) => w.resourceUsage), captured.workers.map((w) => w.resourceUsage));
    for (const consumer of snapshot.consumers) {
      const original = captured.consumers.find((c) => c.id === consumer.id);
      const outbound = original.stats.filter((s) => s.type === 'outbound-rtp');
      assert.equal(consumer.stats.length, outbound.length);
      consumer.stats.forEach((s, i) => assert.deepEqual(s, outbound[i]));
    }
    const producers = snapshot.producers.flatMap((p) => p.stats).map((s) => [s.ssrc, s.byteCount, s.packetsLost]);
    const originals = captured.producers.flatMap((p) => p.stats).map((s) => [s.ssrc, s.byteCount, s.packetsLost]);
    assert.deepEqual(producers.sort(), originals.sort());
  });

  test(`mediasoup ${version}: addresses, labels and appData do not leave the process`, async (t) => {
    const { mediasoup, play } = application(capture(`getstats-${version}.json`));
    const agent = await serve(t, mediasoup);
    play();
    const text = JSON.stringify(await agent.snapshot());
    for (const secret of ['127.0.0.1', '192.0.2.2', 'localIp', 'localPort', 'remote', 'appdata', 'appData', 'chat', 'direct-ü']) {
      assert.ok(!text.includes(secret), secret);
    }
  });
}

test('the constructed snapshot is valid', () => {
  assert.ok(validate(capture('snapshot-3.constructed.json')), JSON.stringify(validate.errors));
});

test('a piped producer and its original are two objects with the same id, and the original outlives the copy', async (t) => {
  const { mediasoup, play } = application(capture('getstats-3.12.16.json'));
  const producers = [];
  mediasoup.observer.on('newworker', (w) => w.observer.on('newrouter', (r) =>
    r.observer.on('newtransport', (x) => x.observer.on('newproducer', (p) => producers.push([x, p])))));
  const agent = await serve(t, mediasoup);
  play();
  const before = await agent.snapshot();
  const ids = before.producers.map((p) => p.id);
  const piped = ids.find((id, i) => ids.indexOf(id) !== i);
  const [original, copy] = producers.filter(([, p]) => p.id === piped);
  assert.notEqual(original[0].id, copy[0].id);
  copy[1].close();
  const after = await agent.snapshot('?stats=workers');
  assert.deepEqual(after.producers.filter((p) => p.id === piped).map((p) => p.transportId), [original[0].id]);
});
