// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Objects that look like mediasoup's to an agent, for tests of what a real worker does not do on demand.

'use strict';

const { EventEmitter } = require('node:events');

/** An object of mediasoup: events, an observer, and whatever members are given. */
class Fake extends EventEmitter {
  observer = new EventEmitter();
  /** Calls that were made, in order. @type {string[]} */
  asked = [];
  constructor(members) {
    super();
    Object.defineProperties(this, Object.getOwnPropertyDescriptors(members));
  }
  has(event, child) {
    this.observer.emit(event, child);
    return child;
  }

  close() {
    this.observer.emit('close');
  }

  /** How many listeners there are, of the object and its observer. */
  get listening() {
    const counts = [this, this.observer].flatMap((emitter) => emitter.eventNames().map((event) => emitter.listenerCount(event)));
    return counts.reduce((total, count) => total + count, 0);
  }
}

const never = () => new Promise(() => {});

/**
 * A module mediasoup with one worker, one router and transports with n consumers each.
 *
 * @param {{ workers?: number, transports?: number, consumers?: number }} size
 */
function application({ workers = 1, transports = 1, consumers = 1 } = {}) {
  const mediasoup = new Fake({ version: '3.99.0' });
  const all = [];
  const add = (parent, event, members) => {
    all.push(parent.has(event, new Fake(members)));
    return all.at(-1);
  };
  const build = () => {
    for (let w = 0; w < workers; w++) {
      const worker = add(mediasoup, 'newworker', { pid: 100 + w, getResourceUsage: async () => ({ ru_utime: 5 }) });
      const router = add(worker, 'newrouter', { id: `r${w}` });
      for (let t = 0; t < transports; t++) {
        const transport = add(router, 'newtransport', { id: `r${w}t${t}`, type: 'plain', getStats: async () => [{ bytesReceived: 7 }] });
        for (let c = 0; c < consumers; c++) add(transport, 'newconsumer', consumer(`r${w}t${t}c${c}`));
      }
    }
    return all;
  };
  return { mediasoup, build, all };
}
const consumer = (id) => ({
  id,
  producerId: 'p',
  kind: 'audio',
  type: 'simple',
  rtpParameters: { codecs: [{ mimeType: 'audio/opus', clockRate: 48000 }] },
  getStats: async () => [{ type: 'outbound-rtp', ssrc: 1, packetCount: 3 }, { type: 'inbound-rtp', ssrc: 2, packetCount: 4 }],
});

module.exports = { Fake, application, consumer, never };
