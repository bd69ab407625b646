// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Measures the cost of the agent in an application with a real mediasoup: node bench/lag.js [consumers]
//
// Compares the event loop lag of an idle application with that of one whose snapshot another process requests continuously.
// Fails if the 99th percentile is more than 10 ms higher.

'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setTimeout: wait } = require('node:timers/promises');

const CONSUMERS = Number(process.argv[2] ?? 2000);
const ROOMS = 20;
const SECONDS = 10;
const LIMIT_MS = 10;

/** Sends requests continuously until it is killed. Alternates between parts, so that no answer is reused, and counts the answers. */
async function reader(url) {
  for (let n = 0; ; n++) {
    const stats = n % 2 ? 'workers,transports,producers,consumers' : 'workers,transports,producers,consumers,data';
    const snapshot = await (await fetch(`${url}?stats=${stats}`)).json();
    process.send({
      ms: snapshot.collection.durationMs,
      read: snapshot.consumers.filter((consumer) => consumer.stats).length,
      worker: snapshot.workers.reduce((ms, { resourceUsage: usage }) => ms + usage.ru_utime + usage.ru_stime, 0),
    });
  }
}

/** Measures the lag of the event loop and the CPU time over some seconds, in ms. */
async function measure() {
  const lag = monitorEventLoopDelay({ resolution: 1 });
  const before = process.cpuUsage();
  lag.enable();
  await wait(1000 * SECONDS);
  lag.disable();
  const cpu = process.cpuUsage(before);
  // The histogram includes the interval.
  return { p99: lag.percentile(99) / 1e6 - 1, max: lag.max / 1e6 - 1, cpu: (cpu.user + cpu.system) / 1000 };
}

async function main() {
  const mediasoup = require('../test/mediasoup.js');
  if (!mediasoup) throw new Error('no mediasoup: run make test-deps');
  const { Application } = require('../test/room.js');
  const application = new Application(mediasoup);
  const { host, port } = await application.agent();
  await application.worker();
  for (let room = 0; room < ROOMS; room++) {
    await application.room({ worker: 0, consumers: Math.round(CONSUMERS / ROOMS) });
    await application.send({ room, packets: 10 });
  }

  const idle = await measure();
  const child = fork(__filename, ['--reader', `http://${host}:${port}/v1/snapshot`]);
  const answers = [];
  child.on('message', (answer) => answers.push(answer));
  await once(child, 'message');
  answers.length = 0;
  const busy = await measure();
  child.kill();
  await application.close();

  const { length } = answers;
  const perThousand = (ms) => `${(1000 * ms / length / CONSUMERS).toFixed(1)} ms per 1,000 consumers and collection`;
  const middle = answers.map(({ ms }) => ms).sort((a, b) => a - b)[length >> 1];
  console.log(`${CONSUMERS} consumers, ${Math.min(...answers.map(({ read }) => read))} read at least, ${length} collections in ${SECONDS} s`);
  console.log(`collection, median    ${middle.toFixed(0)} ms`);
  console.log(`CPU of the process    ${perThousand(busy.cpu - idle.cpu)}`);
  console.log(`CPU of the worker     ${perThousand(answers[length - 1].worker - answers[0].worker)}`);
  console.log(`event loop lag, idle  p99 ${idle.p99.toFixed(1)} ms, max ${idle.max.toFixed(1)} ms`);
  console.log(`event loop lag, read  p99 ${busy.p99.toFixed(1)} ms, max ${busy.max.toFixed(1)} ms`);
  if (busy.p99 - idle.p99 > LIMIT_MS) throw new Error(`the agent adds more than ${LIMIT_MS} ms to the lag`);
}

if (process.argv[2] === '--reader') reader(process.argv[3]);
else main();
