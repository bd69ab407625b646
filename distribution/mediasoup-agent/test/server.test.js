// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');
const zlib = require('node:zlib');
const { start } = require('..');
const { isKnownHost } = require('../lib/hosts.js');
const { serve, validate } = require('./agent.js');
const { application } = require('./fake.js');

const TOKEN = 'correct-horse';

/**
 * Sends a request without the headers that fetch adds.
 *
 * @param {string} url
 * @param {http.RequestOptions} [options]
 * @returns {Promise<{ status: number | undefined, headers: http.IncomingHttpHeaders, body: Buffer }>}
 */
function ask(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
    });
    request.on('error', reject).end();
  });
}

/** Returns the path for a socket in a temporary directory. @param {import('node:test').TestContext} t */
function socketPath(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'agent-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, '0.sock');
}

test('requests have the expected status', async (t) => {
  const agent = await serve(t, application().mediasoup, { token: TOKEN });
  const right = { authorization: `Bearer ${TOKEN}` };
  for (const [path, options, status] of [
    ['/v1/snapshot', { headers: right }, 200],
    ['/v1/snapshot?stats=workers,data', { headers: right }, 200],
    ['/v1/snapshot?stats=', { headers: right }, 200],
    ['/v1/snapshot?other=1', { headers: right }, 200],
    ['/v1/health', { headers: right }, 200],
    ['/v1/snapshot', {}, 401],
    ['/v1/health', {}, 401],
    ['/v1/snapshot', { headers: { authorization: 'Bearer wrong' } }, 401],
    ['/v1/snapshot', { headers: { authorization: TOKEN } }, 401],
    ['/', { headers: right }, 404],
    ['/v1/snapshot/', { headers: right }, 404],
    ['//', { headers: right }, 404],
    ['/v1/snapshot', { headers: right, method: 'POST' }, 405],
    ['/v1/snapshot', { headers: right, method: 'OPTIONS' }, 405],
    ['/v1/snapshot?stats=rooms', { headers: right }, 400],
  ]) {
    const answer = await ask(agent.url + path, options);
    assert.equal(answer.status, status, `${options.method} ${path}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
    assert.equal(answer.headers.allow, status === 405 ? 'GET' : undefined);
    assert.equal('error' in JSON.parse(answer.body.toString()), status !== 200);
    assert.ok(!answer.body.includes(TOKEN));
  }
  assert.deepEqual(agent.errors, []);
});

test('without a token, only requests for this machine are accepted', async (t) => {
  const open = await serve(t, application().mediasoup, { allowedHosts: ['Agent.internal'] });
  for (const [host, status] of [
    ['localhost', 200],
    ['LOCALHOST:80', 200],
    ['127.0.0.1', 200],
    ['127.9.9.9:9414', 200],
    ['[::1]:9414', 200],
    ['agent.internal:1', 200],
    ['AGENT.internal', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:9414', 421],
    ['[::2]', 421],
    ['192.0.2.1', 421],
    ['127.0.0.1:9414:80', 421],
  ]) {
    for (const path of ['/v1/snapshot', '/v1/health', '/']) {
      const { status: got, body } = await ask(open.url + path, { headers: { host } });
      assert.equal(got, status === 200 && path === '/' ? 404 : status, `${host}${path}`);
      if (status === 421) assert.match(JSON.parse(body.toString()).error, /option allowedHosts/);
    }
  }
  for (const header of [undefined, '', ':80', '[]']) assert.equal(isKnownHost(header, []), false);
  const closed = await serve(t, application().mediasoup, { token: TOKEN });
  const headers = { host: 'evil.example', authorization: `Bearer ${TOKEN}` };
  assert.equal((await ask(`${closed.url}/v1/health`, { headers })).status, 200, 'a page of another site has no token');
});

test('answers are compressed for clients that accept it', async (t) => {
  const { mediasoup, build } = application({ consumers: 500 });
  const agent = await serve(t, mediasoup);
  build();
  for (const [accept, packed] of [['gzip', true], ['deflate, gzip;q=1.0, *;q=0.5', true], ['gzip;q=0', false], ['br', false]]) {
    const { headers, body } = await ask(`${agent.url}/v1/snapshot`, { headers: { 'accept-encoding': accept } });
    assert.equal(headers['content-encoding'], packed ? 'gzip' : undefined, accept);
    const snapshot = JSON.parse((packed ? zlib.gunzipSync(body) : body).toString());
    assert.ok(validate(snapshot));
    assert.equal(snapshot.consumers.length, 500);
  }
});

test('parts that are not requested have objects without statistics', async (t) => {
  const { mediasoup, build } = application();
  const agent = await serve(t, mediasoup);
  build();
  const numbers = (s) => [s.workers[0].resourceUsage, s.transports[0].stats, s.consumers[0].stats].map(Boolean);
  for (const [query, want] of [
    ['', [true, true, true]],
    ['?stats=workers', [true, false, false]],
    ['?stats=consumers,transports', [false, true, true]],
    ['?stats=', [false, false, false]],
  ]) {
    const snapshot = await agent.snapshot(query);
    assert.deepEqual(numbers(snapshot), want, query);
    assert.equal(snapshot.collection.complete, true, query);
  }
});

test('a closed connection is not an error', async (t) => {
  const { mediasoup, build } = application({ consumers: 2000 });
  const agent = await serve(t, mediasoup);
  build();
  await new Promise((resolve) => {
    const request = http.get(`${agent.url}/v1/snapshot`, (response) => response.once('data', () => request.destroy()));
    request.on('error', resolve).on('close', resolve);
  });
  assert.equal((await agent.snapshot()).consumers.length, 2000);
  assert.deepEqual(agent.errors, []);
});

test('an object that cannot be serialized fails the request, not the application', async (t) => {
  const { mediasoup, build, all } = application();
  const agent = await serve(t, mediasoup);
  build();
  Object.defineProperty(all.at(-1), 'paused', { get: () => { throw new Error('odd'); } });
  const { status, body } = await ask(`${agent.url}/v1/snapshot`);
  assert.equal(status, 500);
  assert.ok(!body.includes('odd'));
  assert.deepEqual(agent.errors.map(({ message }) => message), ['odd']);
});

test('invalid options are rejected, and the application continues without an agent', async () => {
  const { mediasoup } = application();
  for (const [first, options, complaint] of [
    [undefined, {}, /mediasoup module/],
    [{ version: '3' }, {}, /mediasoup module/],
    [mediasoup, { port: '9414' }, /^port /],
    [mediasoup, { port: 65536 }, /^port /],
    [mediasoup, { host: 5 }, /^host /],
    [mediasoup, { host: '0.0.0.0' }, /^host 0\.0\.0\.0 is reachable from other machines/],
    [mediasoup, { socket: '' }, /^socket must be an absolute path/],
    [mediasoup, { socket: 'agent.sock' }, /^socket must be an absolute path/],
    [mediasoup, { socket: `/${'a'.repeat(103)}` }, /^socket must be an absolute path of at most 103 bytes/],
    [mediasoup, { socket: '/run/agent.sock', port: 9414 }, /^socket replaces host and port: remove them$/],
    [mediasoup, { socket: '/nowhere/agent.sock' }, /^listen on \/nowhere\/agent\.sock: /],
    [mediasoup, { token: '' }, /^token /],
    [mediasoup, { maxStats: 0 }, /^maxStats /],
    [mediasoup, { timeoutMs: 5001 }, /^timeoutMs /],
    [mediasoup, { labels: 'room' }, /^labels /],
    [mediasoup, { eventLoopDelay: 'no' }, /^eventLoopDelay /],
    [mediasoup, { allowedHosts: 'agent' }, /^allowedHosts /],
    [mediasoup, { allowedHosts: ['agent:9414'] }, /^allowedHosts /],
    [mediasoup, { allowedHosts: [''] }, /^allowedHosts /],
    [mediasoup, { labls: () => ({}) }, /^unknown option "labls": did you mean "labels"\?$/],
    [mediasoup, { Token: 'x' }, /^unknown option "Token": did you mean "token"\?$/],
    [mediasoup, { timeout: undefined }, /^unknown option "timeout": did you mean "timeoutMs"\?$/],
    [mediasoup, { interval: 5 }, /^unknown option "interval"$/],
  ]) {
    const errors = [];
    const agent = start(first, { ...options, onError: (error) => { errors.push(error); throw error; } });
    assert.equal(await agent.ready, undefined);
    await agent.close();
    assert.match(errors.map((error) => error.message).join('\n'), complaint);
  }
  assert.equal(mediasoup.listening, 0);
});

test('a port in use is reported, not thrown', async (t) => {
  const agent = await serve(t, application().mediasoup);
  const errors = [];
  const { mediasoup } = application();
  const other = start(mediasoup, { port: Number(new URL(agent.url).port), onError: (error) => errors.push(error) });
  assert.equal(await other.ready, undefined);
  assert.equal(mediasoup.listening, 0, 'an agent that cannot listen does not observe mediasoup');
  assert.match(errors[0].message, /^listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  await other.close();
});

test('an agent on a socket serves its user and group, without a token and with any host name', async (t) => {
  const socket = socketPath(t);
  const { mediasoup, build } = application();
  const agent = await serve(t, mediasoup, { socket });
  build();
  assert.deepEqual(await agent.ready, { socket });
  assert.equal(statSync(socket).mode & 0o777, 0o660);
  const { status, body } = await ask('http://evil.example/v1/snapshot', { socketPath: socket });
  assert.equal(status, 200);
  assert.equal(JSON.parse(body.toString()).consumers.length, 1);
  await agent.close();
  assert.equal(existsSync(socket), false, 'close removes the socket');
  assert.deepEqual(agent.errors, []);
});

test('an agent on a socket accepts only its token, if it has one', async (t) => {
  const socket = socketPath(t);
  await serve(t, application().mediasoup, { socket, token: TOKEN });
  const url = 'http://localhost/v1/health';
  assert.equal((await ask(url, { socketPath: socket })).status, 401);
  assert.equal((await ask(url, { socketPath: socket, headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
});

test('an abandoned socket is replaced', async (t) => {
  const socket = socketPath(t);
  const program = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(execFile(process.execPath, ['-e', program]), 'exit');
  assert.ok(statSync(socket).isSocket());
  await serve(t, application().mediasoup, { socket });
  assert.equal((await ask('http://localhost/v1/health', { socketPath: socket })).status, 200);
});

test('a socket in use and files of other kinds are kept', async (t) => {
  const socket = socketPath(t);
  const file = `${socket}.txt`;
  writeFileSync(file, 'kept');
  await serve(t, application().mediasoup, { socket });
  for (const taken of [socket, file]) {
    const errors = [];
    const other = start(application().mediasoup, { socket: taken, onError: (error) => errors.push(error) });
    assert.equal(await other.ready, undefined);
    await other.close();
    assert.match(errors[0].message, /^listen on \/.*: .*EADDRINUSE/);
    assert.ok(existsSync(taken));
  }
  assert.equal((await ask('http://localhost/v1/health', { socketPath: socket })).status, 200);
});

test('the processes of a cluster do not share an address', async (t) => {
  const socket = socketPath(t);
  const program = path.join(path.dirname(socket), 'cluster.js');
  writeFileSync(program, `
    const cluster = require('node:cluster');
    if (cluster.isPrimary) {
      const started = [];
      const fork = () => cluster.fork().on('message', (result) => {
        if (started.push(result) < 2) return fork();
        process.stdout.write(started.join(), () => process.exit());
      });
      fork();
    } else {
      let result = 'listens';
      const onError = ({ message }) => { result = /EADDRINUSE/.exec(message)?.[0] ?? message; };
      const mediasoup = { observer: new (require('events'))(), version: '3' };
      const agent = require(${JSON.stringify(require.resolve('..'))}).start(mediasoup, { socket: ${JSON.stringify(socket)}, onError });
      agent.ready.then(() => process.send(result));
    }`);
  const child = execFile(process.execPath, [program], { timeout: 10_000 });
  const [text] = await once(child.stdout, 'data');
  assert.equal(text, 'listens,EADDRINUSE');
  await once(child, 'exit');
});

test('an agent that is closed immediately does not listen afterwards', async () => {
  const agent = start(application().mediasoup, { host: 'localhost', port: 0 });
  await agent.close();
  const address = await agent.ready;
  await assert.rejects(ask(`http://localhost:${address?.port}/v1/health`), /ECONNREFUSED/);
});

test('the agent does not keep the process alive, even with a connected client', async () => {
  const program = `
    const agent = require('otelcol-rtc-mediasoup-agent').start({ observer: new (require('events'))(), version: '3' }, { port: 0 });
    agent.ready.then(({ port }) => process.stdout.write(String(port)));
    setTimeout(() => {}, 300); // time for the test to connect`;
  const child = execFile(process.execPath, ['-e', program], { cwd: __dirname, timeout: 4000 }); // connections time out after 5 s
  const [port] = await once(child.stdout, 'data');
  const keepAlive = new http.Agent({ keepAlive: true });
  assert.equal((await ask(`http://127.0.0.1:${port}/v1/health`, { agent: keepAlive })).status, 200);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  keepAlive.destroy();
});

test('the package can be imported', async () => {
  const module = await import('otelcol-rtc-mediasoup-agent');
  assert.equal(module.start, start);
  assert.equal(module.default.start, start);
});
