// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Fake mediasoup objects, for tests of behavior that a real worker does not show on demand.

'use strict';

const { EventEmitter } = require('node:events');

/** A mediasoup object with events, an observer and the given members. */
class Fake extends EventEmitter {
  observer = new EventEmitter();
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

  /** Number of listeners of the object and its observer. */
  get listening() {
    const counts = [this, this.observer].flatMap((emitter) => emitter.eventNames().map((event) => emitter.listenerCount(event)));
    return counts.reduce((total, count) => total + count, 0);
  }
}

const never = () => new Promise(() => {});

/**
 * Returns a mediasoup module with workers that have one router each, and transports with consumers.
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
