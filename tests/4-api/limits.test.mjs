// Every limit of --show-limits: a client that runs into it is counted, and others are served on.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { credentials, startServer, users } from '../lib/app.mjs';
import { END_HEADERS, END_STREAM, HEADERS, attack, certificate, exchange, frame, get, literal } from '../lib/h2.mjs';
import { pipelined, raw, request } from '../lib/http.mjs';
import { limitHits, scrape } from '../lib/metrics.mjs';
import { root, scratch } from '../lib/paths.mjs';
import { freePort, processorTime, run, sleep, until } from '../lib/process.mjs';
import { floods, streams } from './floods.mjs';
import { closeGate, openProof } from './proof.mjs';

const folder = mkdtempSync(join(scratch, 'limits-'));
const tls = certificate(folder);
const headers = credentials('ada');
let app;
before(async () => { app = await openProof('api_limits', { seed: `insert into bed values (2, 0.6);
  insert into jotting (owner_id, body) select '${users.ada}', repeat('x', 1000) from generate_series(1, 30);` }); });
after(async () => { rmSync(folder, { recursive: true }); await app?.close(); });

/** A server with `env`, for `work(server)`; `server.metrics()` has the counters of all limits. */
async function withServer(env, work) {
  const [port, admin_port] = [await freePort(), await freePort()];
  const over_tls = env.TLS_MODE ? { TLS_CERT_FILE: tls.cert, TLS_KEY_FILE: tls.key } : {};
  const { nofile, unread, ...settings } = env; // few descriptors; a log that nobody reads
  const variables = { ...app.env, PORT: String(port), ADMIN_PORT: String(admin_port), THREADS: '1', ...over_tls, ...settings };
  const before = [nofile && `ulimit -n ${nofile}`, unread && 'mkfifo out; exec 3<>out >out'].filter(Boolean);
  const limit = before.length === 0 ? [] : ['sh', ['-c', [...before, `exec ${app.program}`].join('; ')]];
  const server = await startServer(limit[0] ?? app.program, variables, { wait: false, args: limit[1] });
  server.port = port;
  server.metrics = () => limitHits(admin_port);
  server.waiting = async () => (await scrape(admin_port)).value('pgstack_pool_waiting');
  let how;
  try {
    await until('the server to be connected', () => {
      assert.ok(server.alive(), server.output());
      return scrape(admin_port).then((now) => now.value('pgstack_pool_connections', { plane: 'data', lane: 'quick', state: 'idle' }) > 0, () => false);
    }).catch((error) => { throw new Error(`${error.message}\n${server.output().slice(-4000)}`); });
    await work(server);
    assert.ok(server.alive());
  } finally {
    how = await server.stop();
  }
  assert.equal(how.code, 0, server.output().slice(-3000));
  server.forget();
}

const item = '/rest/v1/item?id=eq.1';
const ask = (port, path, more = {}) => request(port, 'GET', path, { ...more, headers: { ...headers, ...more.headers } });
const nap = (port, seconds, more = {}) => request(port, 'POST', '/rest/v1/rpc/nap', { body: { seconds }, ...more, headers: { ...headers, ...more.headers } });
const statuses = async (answers) => (await Promise.all(answers)).map((r) => r.status);

/** Opens `n` connections, waits until `done`, and closes them. */
async function hold(port, n, done) {
  const sockets = Array.from({ length: n }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  try {
    await done(sockets);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function overH2(port, work, localAddress) {
  const session = http2.connect(`https://localhost:${port}`, { ca: readFileSync(tls.cert), localAddress, lookup: (_, { all }, done) => done(null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4) });
  const call = (path, more = {}) => new Promise((resolve) => {
    const stream = session.request({ ':path': path, ...headers, ...more });
    let status;
    stream.on('response', (h) => (status = h[':status']));
    stream.on('error', () => {});
    stream.on('close', () => resolve(status ?? `refused ${stream.rstCode}`));
    stream.resume();
    stream.end();
  });
  session.on('error', () => {});
  try {
    return await work(call);
  } finally {
    session.close();
  }
}

const h2 = { TLS_MODE: 'manual', MAX_FLOODS_PER_ADDRESS: '0' };
const counts = (server, name, before) => until(`${name} to count`, async () => (await server.metrics())[name] > before);

/** limit: [settings, what a client does] */
const cases = {
  connections: [{ MAX_CONNECTIONS: '4' }, ({ port }, counted) => hold(port, 12, counted)],
  address_connections: [{ MAX_CONNECTIONS_PER_ADDRESS: '5' }, ({ port }, counted) => hold(port, 8, async (sockets) => {
    await counted();
    await until('three of them to be closed', () => sockets.filter((s) => s.closed).length === 3);
    assert.equal((await ask(port, item, { localAddress: '127.0.0.2' })).status, 200, 'another address is served');
  })],
  descriptors: [{ nofile: 64 }, (server, counted) => hold(server.port, 100, async () => {
    await counted();
    const [used, since, before] = [processorTime(server.pid), performance.now(), (await server.metrics()).descriptors];
    await sleep(1000);
    const seconds = (performance.now() - since) / 1000, pauses = (await server.metrics()).descriptors - before;
    assert.ok(pauses > 0 && pauses <= 20 * (seconds + 1), `${pauses} pauses in ${seconds} s`);
    assert.ok(processorTime(server.pid) - used < 0.3 * seconds, 'it waits, and does not spin');
  })],
  address_requests: [{ MAX_REQUESTS_PER_ADDRESS: '2' }, async ({ port }) => {
    const gate = await closeGate(app), served = [1, 2].map(() => gate.call(port));
    await gate.running(2);
    const refused = await gate.call(port);
    assert.deepEqual([refused.status, refused.headers['retry-after'], refused.json.code], [503, '1', 'PGRST003']);
    assert.equal((await ask(port, '/health', { localAddress: '127.0.0.2' })).status, 200, 'another address is served');
    await gate.open();
    assert.deepEqual(await statuses(served), [200, 200]);
  }],
  connection_requests: [{ ...h2, MAX_REQUESTS_PER_CONNECTION: '2' }, async ({ port }) => {
    const answers = await overH2(port, (call) => Promise.all([1, 2, 3, 4].map(() => call('/rest/v1/rpc/nap?seconds=0.3'))));
    assert.deepEqual(answers.sort(), [200, 200, 503, 503]);
  }],
  address_penalty: [{ TLS_MODE: 'manual', MAX_FLOODS_PER_ADDRESS: '2' }, async ({ port }) => {
    const flood = floods['empty CONTINUATION'][0];
    assert.ok((await attack(port, flood())).closed);
    await overH2(port, async (call) => assert.equal(await call(item), 200, 'one is forgiven'));
    assert.ok((await attack(port, flood())).closed);
    await assert.rejects(run('curl', ['-sS', '--cacert', tls.cert, `https://localhost:${port}/health`]), /exit/);
    await run('curl', ['-sS', '--interface', '127.0.0.2', '--cacert', tls.cert, `https://127.0.0.1:${port}/health`]);
  }],
  addresses: [{ MAX_ADDRESSES: '64', TRUSTED_PROXIES: '127.0.0.1' }, async ({ port }) => {
    const all = await statuses(Array.from({ length: 120 }, (_, i) => nap(port, 0.02, { headers: { 'X-Forwarded-For': `198.51.100.${i}` } })));
    assert.ok(all.every((status) => status === 200), 'nobody pays for it');
  }],
  waiting: [{ PG_MAX_WAITING: '1' }, async ({ port }) => {
    const gate = await closeGate(app), answers = Array.from({ length: 12 }, () => gate.call(port));
    assert.equal((await Promise.race(answers)).status, 503);
    await gate.open();
    const all = await statuses(answers);
    assert.ok(all.includes(200), all.join());
  }],
  rate: [{}, async ({ port }) => {
    const all = await statuses(Array.from({ length: 7 }, () => request(port, 'GET', '/rest/v1/rpc/by_key', { headers })));
    assert.deepEqual(all.sort(), [200, 200, 200, 200, 200, 429, 429]);
  }],
  rate_callers: [{ MAX_RATE_CALLERS: '64', TRUSTED_PROXIES: '127.0.0.1' }, async ({ port }) => {
    const all = await statuses(Array.from({ length: 200 }, (_, i) => ask(port, '/rest/v1/rpc/by_address', { headers: { 'X-Forwarded-For': `198.51.100.${i}` } })));
    assert.ok(all.every((status) => status === 200), 'nobody pays for it');
  }],
  statement_timeout: [{ STATEMENT_TIMEOUT: '200ms' }, async ({ port }) => {
    const [never, other] = await Promise.all([nap(port, 3600), ask(port, item)]);
    assert.deepEqual([never.status, never.json.code, other.status], [504, '57014', 200]);
  }],
  slow_lane: [{}, async ({ port }) => {
    assert.equal((await ask(port, '/rest/v1/sleeper?id=eq.2')).status, 200);
  }],
  route_time: [{}, async ({ port }) => {
    const [brief, other] = await Promise.all([ask(port, '/rest/v1/rpc/brief_nap?seconds=3600'), ask(port, item)]);
    assert.deepEqual([brief.status, brief.json.code, other.status], [504, '57014', 200]);
  }],
  route_body: [{}, async ({ port }) => {
    const r = await request(port, 'POST', '/rest/v1/parcel', { headers, body: { note: 'x'.repeat(2000) } });
    assert.deepEqual([r.status, r.json.message], [413, 'Request body is too large: 1024 bytes at most here']);
  }],
  head_bytes: [{}, async ({ port }) => {
    const r = await raw(port, `GET ${item} HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`);
    assert.deepEqual([r.statuses, r.closed], [[431], true]);
  }],
  header_count: [h2, ({ port }) => overH2(port, async (call) => {
    assert.equal(await call(item, Object.fromEntries(Array.from({ length: 105 }, (_, i) => [`x-${i}`, 'y']))), 431);
  })],
  body_bytes: [{ MAX_BODY_BYTES: '1024' }, async ({ port }) => {
    assert.equal((await request(port, 'POST', '/rest/v1/rpc/add', { headers, body: 'x'.repeat(2000) })).status, 413);
  }],
  answer_bytes: [{ MAX_ANSWER_BYTES: '20000' }, async ({ port }) => {
    const jotted = (most) => ask(port, `/rest/v1/rpc/jotted?most=${most}`), other = ask(port, item);
    const read = await jotted(30), few = await jotted(3);
    assert.deepEqual([read.status, read.json], [413, { code: 'PGS107', message: 'The answer has too many bytes', details: null, hint: 'ask for fewer rows or columns' }]);
    assert.deepEqual([few.status, few.json.length, (await other).status], [200, 3, 200]);
    const written = await request(port, 'POST', '/rest/v1/rpc/run_text', { headers, body: { what: "select repeat('x', 30000) || public.jot('more')" } });
    assert.deepEqual([written.status, written.json.details], [413, 'It was done; only the answer is missing']);
    assert.equal((await ask(port, '/rest/v1/rpc/jot_count')).json, 31);
  }],
  malformed: [{}, async ({ port }) => {
    const r = await raw(port, `GET ${item} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`);
    assert.deepEqual([r.statuses, r.closed], [[400], true]);
  }],
  read_timeout: [{ READ_TIMEOUT: '500ms' }, async ({ port }, counted) => {
    const half = [`GET ${item} HTTP/1.1\r\nHost: x\r\n`, 'POST /rest/v1/rpc/add HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'];
    for (const head of half) assert.ok((await raw(port, head, { quiet_ms: 20_000 })).closed, head);
    await counted();
  }],
  write_timeout: [{ WRITE_TIMEOUT: '500ms' }, ({ port }, counted) => hold(port, 1, async ([socket]) => {
    const body = JSON.stringify({ t: 'x'.repeat(90_000) });
    const head = Object.entries({ Host: 'x', ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length }).map(([k, v]) => `${k}: ${v}\r\n`);
    socket.pause();
    for (let i = 0; i < 250; i++) socket.write(`POST /rest/v1/rpc/echo HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    await counted();
  })],
  log_buffer: [{ unread: true }, async ({ port }, counted) => {
    for (let i = 0; i < 6; i++) await raw(port, pipelined('GET /health HTTP/1.1\r\nHost: x\r\n', 1000), { quiet_ms: 20_000 });
    await counted();
  }],
  h2_streams: [h2, async ({ port }) => {
    const call = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const open = streams(150).map((id) => frame(HEADERS, END_HEADERS | END_STREAM, id, get('/rest/v1/rpc/nap?seconds=0.01', call)));
    const { ended, goaway } = await exchange(port, open, { streams: 150 });
    assert.deepEqual({ ended, goaway }, { ended: 150, goaway: undefined }, 'a few too many end no connection');
  }],
};
for (const [name, [frames, limit]] of Object.entries(floods))
  cases[limit] ??= [h2, async ({ port }) => assert.ok((await attack(port, frames())).closed, name)];

for (const [limit, [env, provoke]] of Object.entries(cases))
  test(`limit: ${limit}`, () => withServer(env, async (server) => {
    const before = (await server.metrics())[limit];
    await provoke(server, () => counts(server, limit, before));
    await counts(server, limit, before);
    if (limit !== 'address_penalty')
      await until('the next request to be served', async () => (await (env.TLS_MODE ? overH2(server.port, (call) => call(item)) : ask(server.port, item).then((r) => r.status, () => 0))) === 200);
  }));

test('eight attackers that come back after each flood are shut out, another address is served throughout', () => withServer({ TLS_MODE: 'manual', MAX_FLOODS_PER_ADDRESS: '10' }, async (server) => {
  const flood = floods['rapid reset (CVE-2023-44487)'][0]().slice(0, 1000);
  let floods_taken = 0;
  let are_done = false;
  const attacker = async () => {
    for (;;) {
      const { closed, sent } = await attack(server.port, flood);
      assert.ok(closed, 'a flood is not ended');
      if (sent === 0) return;
      assert.ok(++floods_taken <= 10 + 7, 'ten are forgiven, and seven that had begun by then');
    }
  };
  const attackers = Promise.all(Array.from({ length: 8 }, attacker)).finally(() => { are_done = true; });
  const neighbour = overH2(server.port, async (call) => {
    do assert.equal(await call(item), 200); while (!are_done);
  }, '127.0.0.2');
  await Promise.all([attackers, neighbour]);
  assert.ok(floods_taken >= 10, `${floods_taken} floods`);
  assert.ok((await server.metrics()).address_penalty >= 8, 'each was turned away');
}));

test('what waits for PostgreSQL is not sent when its client has gone', () => withServer({}, async (server) => {
  const jotted = () => app.db.value("select count(*)::int from jotting where body = 'gone'");
  const gate = await closeGate(app), busy = Array.from({ length: 4 }, () => gate.call(server.port));
  await gate.running(2); // all slow connections
  const body = JSON.stringify({ body: 'gone' });
  const head = Object.entries({ Host: 'x', ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length }).map(([k, v]) => `${k}: ${v}\r\n`);
  await hold(server.port, 6, async (sockets) => {
    for (const socket of sockets) socket.write(`POST /rest/v1/rpc/jot HTTP/1.1\r\n${head.join('')}\r\n${body}`);
    await until('the six to wait', async () => await server.waiting() >= 8);
  });
  await until('them to be gone', async () => await server.waiting() < 8);
  await gate.open();
  await Promise.all(busy);
  assert.equal((await request(server.port, 'POST', '/rest/v1/rpc/jot', { headers, body: { body: 'stayed' } })).status, 200);
  assert.equal(await jotted(), 0);
}));

test('a WebSocket upgrade is an ordinary request, over HTTP/2 a protocol error', () => withServer(h2, async (server) => {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  await withServer({}, async ({ port }) => assert.equal((await ask(port, item, { headers: upgrade })).status, 200));
  const connect = Buffer.concat([...Object.entries({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':path': '/rest/v1/item', ':authority': 'localhost' })
    .map(([name, value]) => literal(name, value))]);
  const upgraded = get(item, [...Object.entries(headers), ...Object.entries(upgrade).filter(([name]) => name !== 'Connection')].map(([name, value]) => [name.toLowerCase(), value]));
  for (const [i, block] of [connect, upgraded].entries()) {
    const { goaway, headers: answers } = await exchange(server.port, [frame(HEADERS, END_HEADERS | END_STREAM, 1, block)]);
    assert.deepEqual({ goaway, answers }, { goaway: 1, answers: 0 });
    assert.equal((await server.metrics()).malformed, i + 1);
  }
  // Who writes on is cut off, and may not see the GOAWAY for it.
  const { closed, goaway, received } = await attack(server.port, streams(400).map((id) => frame(HEADERS, END_HEADERS, id, connect)));
  assert.ok(closed && [1, null].includes(goaway) && received[HEADERS] === undefined, JSON.stringify({ closed, goaway, received }));
  assert.ok(server.alive());
  await overH2(server.port, async (call) => assert.equal(await call(item), 200));
}));

test('a server that nobody has asked has reached no limit', () => withServer(h2, async (server) => {
  assert.deepEqual(Object.entries(await server.metrics()).filter(([, n]) => n > 0), []);
}));

const shown = async () => (await run(app.program, ['--show-limits'], { env: {} })).out.trim().split('\n').slice(1)
  .map((line) => [line.slice(0, 20), line.slice(21, 45), line.slice(46, 74), line.slice(75)].map((cell) => cell.trim()));

test('each limit of --show-limits has a case here, and a counter', async () => {
  const names = (await shown()).map(([name]) => name).sort();
  assert.deepEqual(Object.keys(cases).sort(), names.filter((name) => !/^(live|reactive)_/.test(name))); // those: live.test.mjs, tests/9-extension/relay.test.mjs
  await withServer({}, async (server) => assert.deepEqual(Object.keys(await server.metrics()).sort(), names));
});

test('docs/operations.md has the same list', async () => {
  const rows = readFileSync(join(root, 'docs/operations.md'), 'utf8').split('\n').filter((line) => /^\| `\w+` \|.*\|.*\|.*\|$/.test(line));
  const wanted = (await shown()).map(([name, value, setting, meaning]) => `| \`${name}\` | ${value} | ${setting && `\`${setting}\``} | ${meaning} |`);
  assert.deepEqual(rows, wanted);
});
