// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

import { start } from './index.js';

export type { Address, Agent, Mediasoup, Options } from './index.js';
export { start };

declare const agent: { start: typeof start };
export default agent;
