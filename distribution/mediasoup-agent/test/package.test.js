// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

// Tests the package created by npm in the applications of the README.

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

/** Packs the package into a temporary directory. */
async function pack(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'agent-'));
  t.after(() => rm(folder, { recursive: true }));
  const args = ['pack', '--silent', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: path.join(__dirname, '..'), ...LIMITS });
  const [{ filename, files }] = JSON.parse(stdout);
  return { folder, file: path.join(folder, filename), paths: files.map((file) => file.path) };
}

/** Creates node_modules with the package in a directory, and returns its path. */
async function unpack(folder, file) {
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, NAME), { recursive: true });
  await run('tar', ['-xzf', file, '--strip-components=1', '-C', path.join(modules, NAME)], LIMITS);
  return modules;
}

test('the package contains exactly the files that an application needs', async (t) => {
  const { paths } = await pack(t);
  const modules = ['collector', 'delay', 'events', 'hosts', 'options', 'registry', 'server', 'snapshot', 'stats', 'writer'].map((name) => `lib/${name}.js`);
  const types = ['index.d.mts', 'index.d.ts'];
  const all = ['CHANGELOG.md', 'LICENSE', 'README.md', ...types, 'index.js', 'index.mjs', ...modules, 'package.json', 'snapshot.schema.json'];
  assert.deepEqual(paths.sort(), all);
});

test('the package declares its repository and its dependencies', () => {
  const { repository, homepage, bugs, keywords, peerDependencies, peerDependenciesMeta } = require('../package.json');
  assert.equal(repository.directory, 'distribution/mediasoup-agent');
  assert.match(repository.url, /^git\+https:.*\.git$/);
  for (const url of [homepage, bugs.url]) assert.match(url, /^https:/);
  for (const word of ['mediasoup', 'opentelemetry', 'prometheus', 'metrics', 'webrtc', 'sfu']) assert.ok(keywords.includes(word), word);
  assert.deepEqual([peerDependencies, peerDependenciesMeta], [{ mediasoup: '>=3.7.0' }, { mediasoup: { optional: true } }]);
});

test('the package has types for require and for import', async (t) => {
  const { folder, file } = await pack(t);
  await unpack(folder, file);
  const rest = `
    import type { EventEmitter } from 'node:events';
    declare const observer: EventEmitter;
    const agent = start({ observer, version: '3' }, { port: 0, eventLoopDelay: false, allowedHosts: ['agent'], labels: () => ({ room: 'a' }) });
    agent.ready.then((address) => address?.port?.toFixed());
    // @ts-expect-error: there is no such option
    start({ observer, version: '3' }, { labls: () => ({}) });`;
  await writeFile(path.join(folder, 'application.cts'), `import module = require('${NAME}');\nconst { start } = module;${rest}`);
  await writeFile(path.join(folder, 'application.mts'), `
    import module, { start, type Options } from '${NAME}';
    import schema from '${NAME}/snapshot.schema.json' with { type: 'json' };
    const options: Options = { token: 'x' };
    export const both = [module.start === start, options, schema.title];${rest}`);
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const typeRoots = path.join(path.dirname(require.resolve('@types/node/package.json')), '..');
  const args = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--resolveJsonModule', '--types', 'node', '--typeRoots', typeRoots];
  const compile = [tsc, ...args, 'application.cts', 'application.mts'];
  const { stdout } = await run(process.execPath, compile, { cwd: folder, timeout: 120_000 }).catch((error) => error);
  assert.equal(stdout, '');
});

test('one line starts the agent, with require and with import', { skip: missing }, async (t) => {
  const { folder, file } = await pack(t);
  const modules = await unpack(folder, file);
  const cache = path.dirname(process.env.MEDIASOUP_WORKER_BIN ?? ''); // set by mediasoup.js
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
