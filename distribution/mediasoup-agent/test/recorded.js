// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Emulates an application recorded in testdata/mediasoup/getstats-*.json, with the properties and answers of that mediasoup version.

'use strict';

const { Fake } = require('./fake.js');

/** The properties of the transport classes. Versions with a property type have it in addition. */
const PROPERTIES = ({
  WebRtcTransport: ({ props, stats }) => ({
    iceState: props.iceState,
    dtlsState: props.dtlsState,
    sctpState: props.sctpState,
    iceSelectedTuple: stats[0].iceSelectedTuple,
  }),
  PlainTransport: ({ props, stats }) => ({ tuple: stats[0].tuple, rtcpTuple: stats[0].rtcpTuple, sctpState: props.sctpState }),
  PipeTransport: ({ props, stats }) => ({ tuple: stats[0].tuple, sctpState: props.sctpState }),
  DirectTransport: () => ({ sendRtcp: () => {} }),
});
const answers = (object) => ({
  ...object,
  ...('paused' in object.dump && { paused: object.dump.paused, dataProducerPaused: object.dump.dataProducerPaused }),
  getStats: async () => structuredClone(object.stats),
});

/**
 * @param {any} captured
 * @returns {{ mediasoup: Fake, play: () => void }}
 */
function application(captured) {
  const mediasoup = new Fake({ version: captured.version });
  // Objects of two transports can have the same id: each transport takes the first remaining one.
  const left = structuredClone({ ...captured, version: undefined });
  const take = (list, ids) => ids.map((id) => left[list].splice(left[list].findIndex((o) => o.id === id), 1)[0]);
  const fill = (transport, dump) => {
    for (const [list, event, ids] of [
      ['producers', 'newproducer', dump.producerIds],
      ['consumers', 'newconsumer', dump.consumerIds],
      ['dataProducers', 'newdataproducer', dump.dataProducerIds],
      ['dataConsumers', 'newdataconsumer', dump.dataConsumerIds],
    ]) {
      for (const object of take(list, ids)) {
        transport.has(event, new Fake({ ...answers(object), rtpParameters: object.dump.rtpParameters, appData: { secret: 'appdata' } }));
      }
    }
  };
  const play = () => {
    for (const { pid, resourceUsage, dump } of captured.workers) {
      const worker = mediasoup.has('newworker', new Fake({ pid, getResourceUsage: async () => ({ ...resourceUsage }) }));
      for (const router of take('routers', dump.routerIds)) {
        const fakeRouter = worker.has('newrouter', new Fake({ id: router.id, appData: { secret: 'appdata' } }));
        for (const id of router.dump.rtpObserverIds) fakeRouter.has('newrtpobserver', new Fake({ id }));
        // In the order of the capture, so that a piped producer follows its original.
        for (const transport of captured.transports) {
          if (!router.dump.transportIds.includes(transport.id)) continue;
          const properties = PROPERTIES[transport.class.replace('Impl', '')](transport);
          const type = transport.class.endsWith('Impl') ? { type: transport.class.replace('TransportImpl', '').toLowerCase() } : {};
          const fake = new Fake({ id: transport.id, ...properties, ...type, getStats: answers(transport).getStats });
          fill(fakeRouter.has('newtransport', fake), transport.dump);
        }
      }
    }
  };
  return { mediasoup, play };
}

module.exports = { application };
