// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// The package as npm makes it, in applications as the README shows them.

'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { mkdir, mkdtemp, rm, symlink, writeFile } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');
const mediasoup = require('./mediasoup.js');

const run = promisify(execFile);
const missing = mediasoup ? false : 'no mediasoup: run make test-deps';
if (missing && process.env.CI) throw new Error(missing);

const LIMITS = { timeout: 30_000 };
const NAME = 'otelcol-rtc-mediasoup-agent';

const REST = `
  agent.ready.then(async ({ port }) => {
    const worker = await mediasoup.createWorker();
    const { workers } = await (await fetch(\`http://127.0.0.1:\${port}/v1/snapshot\`)).json();
    worker.close();
    await agent.close();
    process.stdout.write(String(workers.length));
  });`;

/** Packs the package into a new folder that is gone after the test. */
async function pack(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'agent-'));
  t.after(() => rm(folder, { recursive: true }));
  const args = ['pack', '--silent', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: path.join(__dirname, '..'), ...LIMITS });
  const [{ filename, files }] = JSON.parse(stdout);
  return { folder, file: path.join(folder, filename), paths: files.map((file) => file.path) };
}

test('the package has what an application needs, and no more', async (t) => {
  const { paths } = await pack(t);
  const modules = ['collector', 'registry', 'server', 'snapshot', 'stats', 'writer'].map((name) => `lib/${name}.js`);
  assert.deepEqual(paths.sort(), ['LICENSE', 'README.md', 'index.d.ts', 'index.js', 'index.mjs', ...modules, 'package.json']);
});

test('one line is enough, with require and with import', { skip: missing }, async (t) => {
  const { folder, file } = await pack(t);
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, NAME), { recursive: true });
  await run('tar', ['-xzf', file, '--strip-components=1', '-C', path.join(modules, NAME)], LIMITS);
  const cache = path.dirname(process.env.MEDIASOUP_WORKER_BIN ?? ''); // mediasoup.js has set it
  await symlink(path.join(cache, 'node_modules/mediasoup'), path.join(modules, 'mediasoup'));
  for (const [name, program] of Object.entries({
    'application.cjs': `
      const mediasoup = require('mediasoup');
      const agent = require('${NAME}').start(mediasoup, { port: 0 });`,
    'application.mjs': `
      import * as mediasoup from 'mediasoup';
      import { start } from '${NAME}';
      const agent = start(mediasoup, { port: 0 });`,
  })) {
    await writeFile(path.join(folder, name), program + REST);
    const { stdout } = await run(process.execPath, [name], { cwd: folder, ...LIMITS });
    assert.equal(stdout, '1', name);
  }
});
