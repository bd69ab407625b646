// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

import agent from './index.js';

export const start = agent.start;
export default agent;
