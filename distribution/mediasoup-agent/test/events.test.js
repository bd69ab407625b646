// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Tests the counters of events.

'use strict';

const assert = require('node:assert/strict');
const test = require('node:test');
const { serve } = require('./agent.js');
const { Fake, application, consumer } = require('./fake.js');

const transport = (id, type) => new Fake({ id, type, getStats: async () => [{}] });
const producer = (id, kind) => new Fake({ ...consumer(id), kind });

/** Starts an agent, and returns it with the only router of an application. */
async function withRouter(t, members, options) {
  const { mediasoup } = application();
  const agent = await serve(t, mediasoup, options);
  const worker = mediasoup.has('newworker', new Fake({ pid: 1, getResourceUsage: async () => ({}) }));
  return { agent, router: worker.has('newrouter', new Fake({ id: 'r', ...members })) };
}

test('transports are counted by type, and connected ones once', async (t) => {
  const { agent, router } = await withRouter(t);
  const peer = router.has('newtransport', transport('a', 'webrtc'));
  const lost = router.has('newtransport', transport('b', 'webrtc'));
  router.has('newtransport', transport('c', 'pipe')).close();
  for (const state of ['connected', 'completed', 'disconnected', 'completed']) peer.observer.emit('icestatechange', state);
  for (const state of ['connecting', 'connected', 'closed', 'connected']) peer.observer.emit('dtlsstatechange', state);
  lost.observer.emit('icestatechange', 'completed');
  lost.observer.emit('dtlsstatechange', 'failed');
  peer.close();
  lost.close();
  const { counters } = await agent.snapshot();
  assert.deepEqual(counters.transportsCreatedByType, { webrtc: 2, plain: 0, pipe: 1, direct: 0 });
  assert.deepEqual(counters.transportsClosedByType, { webrtc: 2, plain: 0, pipe: 1, direct: 0 });
  assert.deepEqual([counters.iceConnected, counters.dtlsConnected, counters.transportsClosedUnconnected], [2, 1, 1]);
  assert.ok(Number.isInteger(counters.transportConnectMs));
  assert.equal(counters.transportsFailed, undefined);
});

test('the first score of a producer is its start, unless it is piped', async (t) => {
  const { agent, router } = await withRouter(t);
  const parents = [transport('a', 'webrtc'), transport('b', 'pipe')].map((object) => router.has('newtransport', object));
  const [audio, , piped] = [
    parents[0].has('newproducer', producer('1', 'audio')), parents[0].has('newproducer', producer('2', 'video')),
    parents[1].has('newproducer', producer('1', 'audio')),
  ];
  for (const one of [audio, audio, piped]) one.observer.emit('score', [{ score: 10 }]);
  const { counters } = await agent.snapshot();
  assert.deepEqual(counters.producersStarted, { audio: 1, video: 0 });
  assert.ok(Number.isInteger(counters.producerStartMs.audio));
});

/** Returns an error with the name of a class of mediasoup. */
const named = (name) => Object.assign(new Error('closed 192.0.2.2'), { name });

test('transports that cannot be created are counted by type and reason, and the errors are unchanged', async (t) => {
  const errors = [new Error('no more available ports [192.0.2.2]'), named('InvalidStateError'), new TypeError('missing'), named('Error')];
  const failing = async (i) => { throw errors[i]; };
  const members = { createWebRtcTransport: failing, createPlainTransport: async (x) => [x] };
  const { agent, router } = await withRouter(t, members, { countFailures: true });
  for (const i of errors.keys()) await assert.rejects(router.createWebRtcTransport(i), errors[i]);
  assert.deepEqual(await router.createPlainTransport(5), [5]);
  const { counters } = await agent.snapshot();
  assert.deepEqual(counters.transportsFailed, { webrtc: { no_port: 1, closed: 1, invalid: 1, _OTHER: 1 } });
  await agent.close();
  assert.equal(router.createWebRtcTransport, failing);
});

test('routers are left alone by default', async (t) => {
  const create = async () => 1;
  const { router } = await withRouter(t, { createPipeTransport: create });
  assert.equal(router.createPipeTransport, create);
});
