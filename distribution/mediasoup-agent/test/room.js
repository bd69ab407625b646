// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// An application on a real mediasoup with an agent in it, told what to do: node room.js [port]
//
// It reads one JSON object per line from stdin, does what "do" says, and writes one JSON object per line to stdout: what came of it,
// or {"error": "..."}. Commands are done one after another. The first line it writes, unasked, is the answer to {"do":"agent"}.
// It ends, and its workers with it, when stdin ends. The agent listens on the port that is given, or on any.
//
//   {"do":"agent","token":"t","timeoutMs":800}        starts the agent anew, with those options of start() that are given and those it had:
//                                                     {"host":..,"port":..,"pid":..}; the port stays the same, and only workers that are
//                                                     made afterwards are seen
//   {"do":"worker"}                                   makes a worker: {"worker":0,"pid":..}, numbered in order, as the agent does
//   {"do":"room","worker":0,"kind":"audio","consumers":3}
//                                                     makes a router, a plain transport with a producer, a plain transport with
//                                                     consumers: {"room":0,"router":..,"producer":..}; kind audio or video
//   {"do":"pipe","room":0,"worker":1,"consumers":2}   pipes the producer to a router of another worker, with consumers there: {"room":1,..}
//   {"do":"send","room":0,"packets":500,"lose":[5,6],"size":172,"perSecond":500}
//                                                     sends RTP packets of size bytes, with gaps for those at the places of lose;
//                                                     answers when all are sent: {"packets":498,"bytes":85656}
//   {"do":"got","room":0}                             what arrived at the room's consumers: {"packets":1494,"bytes":..}
//   {"do":"pause","room":0,"consumer":0}              pauses a consumer: {}
//   {"do":"closeConsumer","room":0}                   closes the room's oldest consumer: {}
//   {"do":"closeRoom","room":0}                       closes the room's router with all that is in it: {}
//   {"do":"signal","worker":0,"signal":"SIGSTOP"}     sends a signal to a worker: {}

'use strict';

const dgram = require('node:dgram');
const { once } = require('node:events');
const readline = require('node:readline');
const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises');
const { start } = require('..');

const HOST = '127.0.0.1';
const HEADER = 12; // bytes of an RTP header

const isRTCP = (message) => message[1] >= 200 && message[1] <= 206;
const isProbation = (message) => (message[1] & 0x7f) === 127; // mediasoup tries the bandwidth with this payload type

/** What is sent, by kind: codec, parameters, and the begin of a payload that consumers let pass (of VP8, a key frame). */
const MEDIA = {
  audio: { mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 100, ssrc: 1111, begin: [0xf8] },
  video: { mimeType: 'video/VP8', clockRate: 90000, payloadType: 101, ssrc: 2222, begin: [0x90, 0x00, 0x00] },
};
const CODECS = Object.values(MEDIA).map(({ mimeType, clockRate, channels }) => ({
  kind: mimeType.split('/')[0], mimeType, clockRate, channels,
}));

async function udp() {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

/** Sends one RTP stream to a transport. */
class Sender {
  #sequence = 1000; // not 0: mediasoup takes that for a number that wrapped, and counts 65,536 as lost

  constructor(socket, port, media) {
    Object.assign(this, { socket, port, media });
  }

  packet(size) {
    const packet = Buffer.alloc(size);
    packet[0] = 0x80;
    packet[1] = this.media.payloadType;
    packet.writeUInt16BE(this.#sequence & 0xffff, 2);
    packet.writeUInt32BE((this.#sequence * 960) >>> 0, 4);
    packet.writeUInt32BE(this.media.ssrc, 8);
    packet.set(this.media.begin, HEADER);
    return packet;
  }

  async send({ packets, lose = [], size = 172, perSecond = 500 }) {
    const lost = new Set(lose);
    const begun = performance.now();
    let sent = 0;
    for (let i = 0; i < packets; i++, this.#sequence++) {
      if (!lost.has(i)) {
        this.socket.send(this.packet(size), this.port, HOST);
        sent++;
      }
      const early = begun + (1000 * (i + 1)) / perSecond - performance.now();
      if (early > 1) await wait(early);
      else await turn(); // what is late goes at once, but not faster than sockets are emptied
    }
    return { packets: sent, bytes: sent * size };
  }
}

/** Workers and rooms, and the agent that watches them. */
class Application {
  workers = [];
  rooms = [];
  #sockets = [];
  #agent;
  #port;

  constructor(mediasoup, options = {}) {
    Object.assign(this, { mediasoup, options });
    this.#port = options.port ?? 0;
  }

  async agent(options = {}) {
    await this.#agent?.close();
    this.options = { ...this.options, ...options };
    this.#agent = start(this.mediasoup, { ...this.options, port: this.#port });
    const address = await this.#agent.ready;
    if (!address) throw new Error('the agent does not listen');
    this.#port = address.port;
    return { ...address, pid: process.pid };
  }

  async worker() {
    const worker = await this.mediasoup.createWorker();
    this.workers.push(worker);
    return { worker: this.workers.length - 1, pid: worker.pid };
  }

  async room({ worker, kind = 'audio', consumers = 0 }) {
    const router = await this.workers[worker].createRouter({ mediaCodecs: CODECS });
    const inbound = await router.createPlainTransport({ listenIp: HOST, rtcpMux: true, comedia: true });
    const { mimeType, clockRate, channels, payloadType, ssrc } = MEDIA[kind];
    const codec = { mimeType, clockRate, channels, payloadType };
    const producer = await inbound.produce({ kind, rtpParameters: { codecs: [codec], encodings: [{ ssrc }] } });
    const socket = this.#keep(await udp());
    return this.#open({ router, producer, sender: new Sender(socket, inbound.tuple.localPort, MEDIA[kind]) }, consumers);
  }

  async pipe({ room, worker, consumers = 0 }) {
    const { router: from, producer: original } = this.rooms[room];
    const router = await this.workers[worker].createRouter({ mediaCodecs: CODECS });
    const { pipeProducer } = await from.pipeToRouter({ producerId: original.id, router });
    return this.#open({ router, producer: pipeProducer }, consumers);
  }

  send({ room, ...what }) {
    return this.rooms[room].sender.send(what);
  }

  got({ room }) {
    return this.rooms[room].got;
  }

  async pause({ room, consumer }) {
    await this.rooms[room].consumers[consumer].pause();
  }

  closeConsumer({ room }) {
    this.rooms[room].consumers.shift().close();
  }

  closeRoom({ room }) {
    this.rooms[room].router.close();
  }

  signal({ worker, signal }) {
    process.kill(this.workers[worker].pid, signal);
  }

  /** Ends everything. A stopped worker would not end by itself. */
  async close() {
    await this.#agent?.close();
    for (const worker of this.workers.filter(({ closed }) => !closed)) {
      process.kill(worker.pid, 'SIGCONT');
      worker.close();
    }
    for (const socket of this.#sockets) socket.close();
  }

  async #open(room, consumers) {
    const { router, producer } = room;
    const transport = await router.createPlainTransport({ listenIp: HOST, rtcpMux: true });
    const sink = this.#keep(await udp());
    const got = { packets: 0, bytes: 0 };
    sink.on('message', (message) => {
      if (isRTCP(message) || isProbation(message)) return;
      got.packets++;
      got.bytes += message.length;
    });
    await transport.connect({ ip: HOST, port: sink.address().port });
    const opened = { ...room, transport, got, consumers: [] };
    for (let i = 0; i < consumers; i++) {
      opened.consumers.push(await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities }));
    }
    this.rooms.push(opened);
    return { room: this.rooms.length - 1, router: router.id, producer: producer.id };
  }

  #keep(socket) {
    this.#sockets.push(socket);
    return socket;
  }
}

const COMMANDS = ['agent', 'worker', 'room', 'pipe', 'send', 'got', 'pause', 'closeConsumer', 'closeRoom', 'signal'];

async function main(mediasoup) {
  const answer = (value) => process.stdout.write(`${JSON.stringify(value ?? {})}\n`);
  const application = new Application(mediasoup, { port: Number(process.argv[2] ?? 0) });
  answer(await application.agent());
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      const { do: command, ...what } = JSON.parse(line);
      if (!COMMANDS.includes(command)) throw new Error(`no command ${command}`);
      answer(await application[command](what));
    } catch (error) {
      answer({ error: error.message });
    }
  }
  await application.close();
}

if (require.main === module) {
  const mediasoup = require('./mediasoup.js');
  if (!mediasoup) {
    console.error('no mediasoup: run make test-deps');
    process.exit(1);
  }
  main(mediasoup);
}

module.exports = { Application };
