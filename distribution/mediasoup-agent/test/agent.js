// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Starts agents on free ports for tests, and sends requests to them.

'use strict';

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const Ajv = require('ajv/dist/2020').default;
const agent = require('..');

const captures = path.join(__dirname, '../../../testdata/mediasoup');
const capture = (name) => JSON.parse(readFileSync(path.join(captures, name), 'utf8'));

const validate = new Ajv({ strict: false }).compile(require('../snapshot.schema.json'));

/**
 * Starts an agent that stops with the test. It collects errors, which fail the test unless the test reads them.
 *
 * @param {import('node:test').TestContext} t
 * @param {any} mediasoup
 * @param {import('..').Options} [options]
 */
async function serve(t, mediasoup, options) {
  const errors = [];
  const place = options?.socket ? {} : { port: 0 };
  const running = agent.start(mediasoup, { ...place, onError: (error) => errors.push(error), ...options });
  t.after(() => running.close());
  const address = await running.ready;
  assert.ok(address, errors[0]?.message);
  const url = `http://127.0.0.1:${address.port}`;
  return {
    ...running,
    errors,
    url,
    /** Returns a snapshot that has been validated with the schema. @param {string} [query] @returns {Promise<any>} */
    async snapshot(query = '') {
      const response = await fetch(`${url}/v1/snapshot${query}`);
      assert.equal(response.status, 200);
      const snapshot = await response.json();
      assert.ok(validate(snapshot), JSON.stringify(validate.errors));
      return snapshot;
    },
  };
}

module.exports = { capture, serve, validate };
