// What the logs say of a request, and that nobody waits for who reads them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { credentials, environment } from '../lib/app.mjs';
import { pipelined, raw, request } from '../lib/http.mjs';
import { limitHits } from '../lib/metrics.mjs';
import { freePort, until, within } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_logs', { env: { SLOW_REQUEST: '200ms' } }); });
after(() => app?.close());

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

/** The log's line of the request that was answered with `r`; its event is 'request', or 'slow_request'. */
const line = (r, event = 'request') => until(`a line of ${r.headers['x-request-id']}`, () => app.server.lines().filter((l) => l.startsWith('{'))
  .map((l) => JSON.parse(l)).find((l) => l.event === event && l.id === r.headers['x-request-id']));

test('a line has what was asked, what came of it, and how long each part took', async () => {
  const r = await app.ask('ada', 'POST', '/rest/v1/rpc/nap', { seconds: 0.05 });
  const it = await line(r);
  assert.deepEqual(
    { method: it.method, path: it.path, route: it.route, role: it.role, status: it.status, bytes: it.bytes, client: it.client, level: it.level },
    { method: 'POST', path: '/rest/v1/rpc/nap', route: '/rest/v1/rpc/nap', role: 'authenticated', status: 200, bytes: 1, client: '127.0.0.1', level: 'info' });
  assert.ok(it.db_us >= 50_000 && it.duration_us >= it.db_us + it.wait_us, JSON.stringify(it));
  assert.match(it.trace_id, /^[0-9a-f]{32}$/);
  assert.match(it.span_id, /^[0-9a-f]{16}$/);
  assert.equal(it.parent_id, undefined);
  assert.equal(r.headers.traceparent, undefined);
});

test('a path that is not declared has no route; a query string in disguise is cut off', async () => {
  const it = await line(await app.ask('anon', 'GET', '/rest/v1/nothing%3Fapikey=abc'));
  assert.equal(it.route, null);
  assert.equal(it.path, '/rest/v1/nothing');
});

test('a trace is continued', async () => {
  const r = await app.get('ada', 'item?id=eq.1', { traceparent: `00-${trace}-${parent}-01`, tracestate: 'vendor=1' });
  const it = await line(r);
  assert.equal(it.trace_id, trace);
  assert.equal(it.parent_id, parent);
  assert.notEqual(it.span_id, parent);
  assert.equal(r.headers.traceparent, `00-${trace}-${it.span_id}-01`);
});

test('an invalid trace, or two of them, is left alone', async (t) => {
  const valid = `00-${trace}-${parent}-01`;
  for (const [name, value] of Object.entries({ short: valid.slice(1), capitals: valid.toUpperCase(), 'version ff': `ff${valid.slice(2)}`, two: [valid, valid] }))
    await t.test(name, async () => {
      const r = await app.get('ada', 'item?id=eq.1', { traceparent: value });
      const it = await line(r);
      assert.equal(r.status, 200);
      assert.notEqual(it.trace_id, trace);
      assert.equal(it.parent_id, undefined);
      assert.equal(r.headers.traceparent, `00-${it.trace_id}-${it.span_id}-00`);
    });
});

test('a slow request has an event of its own, a quick one has none', async () => {
  const quick = await app.get('ada', 'item?id=eq.1');
  const slow = await app.ask('ada', 'POST', '/rest/v1/rpc/nap', { seconds: 0.3 });
  const it = await line(slow, 'slow_request');
  assert.equal(it.level, 'warn');
  assert.equal(it.route, '/rest/v1/rpc/nap');
  assert.equal(it.trace_id, (await line(slow)).trace_id);
  assert.ok(it.duration_us >= 300_000 && it.db_us >= 300_000);
  assert.doesNotMatch(app.server.output(), new RegExp(`slow_request.*${quick.headers['x-request-id']}`));
});

test('ids of this server differ, also across threads', async () => {
  const ids = new Set();
  for (const r of await Promise.all(Array.from({ length: 200 }, () => app.get('anon', 'item?id=eq.1')))) ids.add((await line(r)).trace_id);
  assert.equal(ids.size, 200);
});

test('Server-Timing: nobody, the service key, or all', async () => {
  const ask = async (who, method, path, body) => (await app.ask(who, method, path, body)).headers['server-timing'];
  const list = (who) => ask(who, 'GET', '/rest/v1/item?id=eq.1');
  for (const who of ['anon', 'ada', 'service', 'none']) assert.equal(await list(who), undefined, who);
  await app.restart({ SERVER_TIMING: 'service' });
  for (const who of ['anon', 'ada', 'none']) assert.equal(await list(who), undefined, who);
  assert.match(await list('service'), /^auth;dur=.*total;dur=/);
  await app.restart({ SERVER_TIMING: 'all' });
  assert.equal(await list('none'), undefined, 'who is not known is told nothing');
  for (const who of ['anon', 'ada', 'service']) assert.match(await list(who), /^auth;dur=[\d.]+, queue;dur=[\d.]+, db;dur=[\d.]+, encode;dur=[\d.]+, total;dur=[\d.]+$/);
  const nap = Object.fromEntries((await ask('ada', 'POST', '/rest/v1/rpc/nap', { seconds: 0.1 })).split(', ').map((it) => it.split(';dur=')).map(([k, v]) => [k, Number(v)]));
  assert.ok(nap.db >= 100 && nap.total >= nap.auth + nap.queue + nap.db + nap.encode, JSON.stringify(nap));
  assert.match(await ask('ada', 'GET', '/rest/v1/item?id=eq.x'), /db;dur/, 'also where PostgreSQL refuses');
  assert.match(await ask('ada', 'GET', '/rest/v1/nothing'), /^auth;dur=[\d.]+, total;dur=[\d.]+$/, 'without PostgreSQL');
});

/** A server whose output nobody reads, until `read()`: both pipes fill up. */
async function unread(more) {
  const port = await freePort();
  const admin_port = await freePort();
  const child = spawn(app.program, [], { env: environment(app.cluster, app.name, port, admin_port, more), stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pause();
  child.stderr.pause();
  const ended = new Promise((done) => child.once('exit', (code) => done(code)));
  const text = { stdout: '', stderr: '' };
  await until('the server', () => request(port, 'GET', '/ready').then((r) => r.status === 200, () => false));
  return {
    port, admin_port, child, text,
    ends: () => within('its end', ended).catch((error) => { child.kill('SIGKILL'); throw error; }),
    read() {
      for (const name of ['stdout', 'stderr']) child[name].on('data', (d) => (text[name] += d)).resume();
    },
  };
}

test('a reader that stops stops nobody: lines are dropped and counted', async () => {
  const server = await unread({ SLOW_REQUEST: '1ms' });
  const dropped = async () => (await limitHits(server.admin_port)).log_buffer;
  const head = Object.entries(credentials('ada')).map(([k, v]) => `${k}: ${v}\r\n`).join('');
  const burst = (path, n) => raw(server.port, pipelined(`GET ${path} HTTP/1.1\r\nHost: x\r\n${head}`, n), { quiet_ms: 20_000 });
  try {
    let n = 0;
    while ((await dropped()) === 0 && n < 20_000) {
      const { statuses } = await burst('/health', 1000);
      assert.equal(statuses.filter((s) => s === 200).length, 1000, 'all are answered');
      n += 1000;
    }
    const lost = await dropped();
    assert.ok(lost > 0, `${n} lines and none dropped`);
    while ((await dropped()) < lost + 2000) { // events on standard error, too: 2 ms each
      await Promise.all(Array.from({ length: 4 }, () => burst('/rest/v1/rpc/nap?seconds=0.002', 100)));
      assert.ok((n += 400) < 40_000, 'nothing more is dropped');
    }
    assert.equal((await request(server.port, 'GET', '/ready')).status, 200);
    server.read();
    await until('the log to say how many it lost', async () => {
      await burst('/health', 1);
      return server.text.stdout.split('\n').some((l) => l.endsWith('}') && JSON.parse(l).dropped > 0);
    });
    for (const it of [server.text.stdout, server.text.stderr])
      for (const l of it.split('\n').slice(0, -1)) JSON.parse(l); // whole lines
  } finally {
    server.child.kill('SIGTERM');
  }
  assert.equal(await server.ends(), 0);
});

test('it ends in order although nobody reads', async () => {
  const server = await unread({});
  await raw(server.port, pipelined('GET /health HTTP/1.1\r\nHost: x\r\n', 3000), { quiet_ms: 20_000 });
  server.child.kill('SIGTERM');
  assert.equal(await server.ends(), 0);
});
