// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// An application with a real mediasoup and an agent, controlled by commands: node room.js [port]
//
// It reads one JSON object per line from stdin, runs the command "do", and writes its result as one JSON object per line to stdout, or
// {"error": "..."}. Commands run one after another. The first line of output is the result of {"do":"agent"}, which runs at the start.
// The application exits with its workers when stdin ends. The agent listens on the given port or on any free port.
//
//   {"do":"agent","token":"t","timeoutMs":800}        restarts the agent with the given options of start() in addition to its earlier
//                                                     ones: {"host":..,"port":..,"pid":..}; the port stays the same, and the agent only
//                                                     observes workers created afterwards
//   {"do":"worker"}                                   creates a worker: {"worker":0,"pid":..}, numbered in order like in the agent
//   {"do":"room","worker":0,"kind":"audio","consumers":3}
//                                                     creates a router, a plain transport with a producer and a plain transport with
//                                                     consumers: {"room":0,"router":..,"producer":..}; kind is audio or video. With a
//                                                     "name", the router and those that it is piped to have the label room
//   {"do":"pipe","room":0,"worker":1,"consumers":2}   pipes the producer to a router of another worker, with consumers there: {"room":1,..}
//   {"do":"send","room":0,"packets":500,"lose":[5,6],"size":172,"perSecond":500}
//                                                     sends RTP packets of size bytes and skips those with the indexes in lose;
//                                                     answers after the last packet: {"packets":498,"bytes":85656}
//   {"do":"got","room":0}                             returns the traffic received by the room's consumers: {"packets":1494,"bytes":..}
//   {"do":"pause","room":0,"consumer":0}              pauses a consumer: {}
//   {"do":"closeConsumer","room":0}                   closes the room's oldest consumer: {}
//   {"do":"closeRoom","room":0}                       closes the room's router and all of its objects: {}
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
const isProbation = (message) => (message[1] & 0x7f) === 127; // payload type of mediasoup's bandwidth probes

/** The streams by kind: codec, parameters, and the start of a payload that consumers forward (for VP8, a key frame). */
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
  #sequence = 1000; // not 0, which mediasoup treats as a wrapped number and counts as 65,536 lost packets

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
      else await turn(); // send late packets at once, but let sockets drain
    }
    return { packets: sent, bytes: sent * size };
  }
}

/** Workers, rooms, and the agent that observes them. */
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

  async room({ worker, kind = 'audio', consumers = 0, name }) {
    const router = await this.workers[worker].createRouter({ mediaCodecs: CODECS, appData: { name } });
    const inbound = await router.createPlainTransport({ listenIp: HOST, rtcpMux: true, comedia: true });
    const { mimeType, clockRate, channels, payloadType, ssrc } = MEDIA[kind];
    const codec = { mimeType, clockRate, channels, payloadType };
    const producer = await inbound.produce({ kind, rtpParameters: { codecs: [codec], encodings: [{ ssrc }] } });
    const socket = this.#keep(await udp());
    return this.#open({ router, producer, sender: new Sender(socket, inbound.tuple.localPort, MEDIA[kind]) }, consumers);
  }

  async pipe({ room, worker, consumers = 0 }) {
    const { router: from, producer: original } = this.rooms[room];
    const router = await this.workers[worker].createRouter({ mediaCodecs: CODECS, appData: from.appData });
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

  /** Closes everything and kills workers, because a suspended worker does not exit by itself. */
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
  const labels = ({ appData: { name } }) => (name ? { room: name } : {});
  const application = new Application(mediasoup, { port: Number(process.argv[2] ?? 0), labels });
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
