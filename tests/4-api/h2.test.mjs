// TLS and HTTP/2: honest clients are served, floods end within their budget (docs/operations.md).
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { startServer, users } from '../lib/app.mjs';
import { DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST, SETTINGS, WINDOW, attack, certificate, exchange, frame, get, literal, newest, remember, uint32 } from '../lib/h2.mjs';
import { request } from '../lib/http.mjs';
import { anon_key, token } from '../lib/jwt.mjs';
import { limitHits, scrape } from '../lib/metrics.mjs';
import { scratch } from '../lib/paths.mjs';
import { acceptedBy, freePort, growth, most_kB, run, sleep, until, within } from '../lib/process.mjs';
import { floods, streams, upload } from './floods.mjs';
import { openProof } from './proof.mjs';

const folder = mkdtempSync(join(scratch, 'tls-'));
const first = certificate(folder, 'first');
const second = certificate(folder, 'second');
const files = { TLS_CERT_FILE: join(folder, 'tls.crt'), TLS_KEY_FILE: join(folder, 'tls.key') };
function use(pair) {
  copyFileSync(pair.cert, files.TLS_CERT_FILE);
  copyFileSync(pair.key, files.TLS_KEY_FILE);
}

let app; // clear text, for its database
let server; // the same over TLS
let port;
let admin_port;
let env;
before(async () => {
  use(first);
  app = await openProof('api_h2');
  port = await freePort();
  admin_port = await freePort();
  env = { ...app.env, PORT: String(port), ADMIN_PORT: String(admin_port), TLS_MODE: 'manual', ...files, READ_TIMEOUT: '3s',
    WRITE_TIMEOUT: '2s', THREADS: '1', MAX_FLOODS_PER_ADDRESS: '0' };
  server = await startServer(app.program, env);
});
after(async () => {
  const how = await server?.stop();
  await app?.close();
  rmSync(folder, { recursive: true });
  assert.equal(how.code, 0, server.output().slice(-4000));
});

const headers = { apikey: anon_key, authorization: `Bearer ${token(users.ada)}` };
const metrics = () => limitHits(admin_port);

function open() {
  return http2.connect(`https://localhost:${port}`, { ca: readFileSync(first.cert), maxSessionMemory: 1000, lookup: (_, o, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) });
}

function ask(session, path, { method = 'GET', body, more = {} } = {}) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': method, ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more });
    const chunks = [];
    let head;
    stream.on('response', (h) => (head = h));
    stream.on('data', (d) => chunks.push(d));
    stream.on('error', reject);
    stream.on('end', () => resolve({ status: head[':status'], headers: head, text: Buffer.concat(chunks).toString() }));
    stream.end(body);
  });
}

async function stillServes() {
  const session = open();
  assert.equal((await ask(session, '/rest/v1/item?id=eq.1')).status, 200);
  session.close();
}

test('HTTP/2: 90 requests at a time, bodies both ways, headers of 14 KB', async () => {
  const session = open();
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(Array.from({ length: 90 }, (_, i) => ask(session, `/rest/v1/rpc/add?a=${i}&b=${round}`)));
    answers.forEach((r, i) => { assert.equal(r.status, 200); assert.equal(r.text, String(i + round)); });
  }
  const post = await ask(session, '/rest/v1/rpc/add', { method: 'POST', body: '{"a": 2, "b": 3}' });
  assert.equal(post.text, '5');
  assert.equal(post.headers['strict-transport-security'], 'max-age=31536000');
  const long = await ask(session, '/rest/v1/item?id=eq.1', { more: { 'x-long': 'x'.repeat(14_000) } });
  assert.equal(long.status, 200);
  session.close();
});

test('HTTP/1.1 over TLS, and TLS 1.2, but nothing older', async () => {
  const status = (options) => new Promise((resolve) => {
    https.get({ host: '127.0.0.1', port, path: '/rest/v1/item?id=eq.1', headers, rejectUnauthorized: false, agent: false, ...options }, (res) => {
      res.resume();
      res.on('end', () => resolve(`${res.httpVersion} ${res.statusCode} ${res.socket.getProtocol()} ${res.headers['strict-transport-security']}`));
    }).on('error', (error) => resolve(error.code));
  });
  assert.equal(await status({}), '1.1 200 TLSv1.3 max-age=31536000');
  assert.equal(await status({ maxVersion: 'TLSv1.2' }), '1.1 200 TLSv1.2 max-age=31536000');
  assert.match(await status({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }), /^(ERR_SSL|ECONNRESET|EPROTO)/);
  const clear = await request(port, 'GET', '/health', { timeout_ms: 3000 }).catch((error) => error.code);
  assert.equal(clear, 'ECONNRESET');
});

test('sessions are resumed by ticket, also with a new certificate', async () => {
  const connect = (session) => new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], session });
    let ticket;
    let name;
    let reused;
    socket.on('session', (s) => (ticket = s));
    socket.on('error', reject);
    socket.on('secureConnect', () => { name = socket.getPeerCertificate().subject?.CN; reused = socket.isSessionReused(); socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'); });
    socket.resume();
    socket.on('close', () => resolve({ reused, ticket, name }));
  });
  const one = await connect();
  assert.equal(one.reused, false);
  const two = await connect(one.ticket);
  assert.equal(two.reused, true);
  use(second);
  await until('the second certificate', async () => (await connect()).name === 'second');
  assert.equal((await connect(two.ticket ?? one.ticket)).reused, true);
  writeFileSync(files.TLS_KEY_FILE, readFileSync(first.key));
  await until('the log to refuse a key of another certificate', () => /certificate not taken/.test(server.output()));
  assert.equal((await connect()).name, 'second', 'the old one stays');
  use(first);
  await until('the first certificate again', async () => (await connect()).name === 'first');
});

test('431 as JSON on HTTP/2', async () => {
  const session = open();
  session.on('error', () => {});
  const many = await ask(session, '/rest/v1/item', { more: Object.fromEntries(Array.from({ length: 105 }, (_, i) => [`x-${i}`, 'y'])) });
  assert.equal(many.status, 431);
  assert.equal(JSON.parse(many.text).code, 'PGRST100');
  assert.equal((await ask(session, '/rest/v1/item?id=eq.1')).status, 200, 'the connection stays');
  session.close();
});

test('413 on HTTP/2, announced or not: what is on its way is no flood, and the connection stays', async () => {
  const session = open();
  let ended = false;
  session.on('close', () => { ended = true; });
  const before = await metrics();
  const large = Buffer.alloc(20_000_000, ' ');
  const upload = { ':path': '/rest/v1/rpc/add', ':method': 'POST', 'content-type': 'application/json', ...headers };
  /** All of it is written, whatever comes back meanwhile. */
  const answer = (stream, write) => within('a whole answer', new Promise((resolve, reject) => {
    const got = { text: '' };
    stream.setEncoding('utf8');
    stream.on('response', (head) => { got.status = head[':status']; });
    stream.on('data', (text) => { got.text += text; });
    stream.on('error', reject);
    stream.on('close', () => resolve({ ...got, reset: stream.rstCode }));
    write(stream);
  }));
  for (let round = 0; round < 3; round++) {
    const announced = await answer(session.request({ ...upload, 'content-length': large.length }), (stream) => stream.end(large));
    assert.deepEqual([announced.status, announced.reset, JSON.parse(announced.text).message], [413, 0, 'request entity is too large']);
    const chunks = await answer(session.request(upload), (stream) => stream.end(large));
    assert.deepEqual([chunks.status, chunks.reset, chunks.text], [413, 0, '']);
  }
  const said = await ask(session, '/rest/v1/rpc/add', { method: 'POST', more: { 'content-length': '9000000' } }).catch((error) => error);
  assert.equal(said.status, 413, 'also where nothing follows');
  const route = await ask(session, '/rest/v1/parcel', { method: 'POST', body: JSON.stringify({ note: 'x'.repeat(2000) }) });
  assert.deepEqual([route.status, JSON.parse(route.text).message], [413, 'Request body is too large: 1024 bytes at most here']);
  const fits = await ask(session, '/rest/v1/rpc/echo', { method: 'POST', body: JSON.stringify({ t: 'x'.repeat(90_000) }) });
  assert.ok(fits.status === 200 && fits.text.length > 90_000, fits.text.slice(0, 400));
  assert.ok(!ended, 'the connection was ended');
  session.close();
  const now = await metrics();
  assert.deepEqual(Object.keys(now).filter((name) => name.startsWith('h2_') && now[name] > before[name]), []);
  assert.deepEqual([now.body_bytes - before.body_bytes, now.route_body - before.route_body], [7, 1]);
});

test('curl is told 413 by HTTP/2', async () => {
  const file = join(folder, 'large');
  writeFileSync(file, Buffer.alloc(20_000_000, ' '));
  const { out } = await run('curl', ['-sS', '--http2', '--cacert', first.cert, '-H', `apikey: ${anon_key}`, '-w', ' %{http_version} %{http_code}',
    '--data-binary', `@${file}`, '-o', '/dev/null', `https://localhost:${port}/rest/v1/rpc/add`]);
  assert.equal(out.trim(), '2 413');
});

for (const [name, [frames, limit]] of Object.entries(floods))
  test(`flood: ${name}`, async () => {
    const before = await metrics();
    let result;
    const grown = await growth(server.pid, async () => { result = await attack(port, frames()); });
    assert.ok(result.closed, `still open after ${result.sent} writes`);
    assert.ok(result.goaway === null || result.goaway === 11, `GOAWAY says ${result.goaway}`);
    const now = await metrics();
    assert.ok(now[limit] > before[limit], `${limit} counted nothing`);
    assert.ok(grown < most_kB, `${grown} kB more`);
    assert.ok(server.alive());
    await stillServes();
  });

test('heads of 47 KB that take 12 bytes on the wire are told 431, and those that wait for their bodies are given up', async () => {
  const bomb = (id, flags) => frame(HEADERS, END_HEADERS | flags, id, Buffer.concat([get('/rest/v1/item', Object.entries(headers)),
    id === 1 ? remember('x-bomb', 'x'.repeat(3900)) : Buffer.alloc(0), Buffer.alloc(12, newest)]));
  assert.equal((await exchange(port, streams(90).map((id) => bomb(id, END_STREAM)), { streams: 90 })).headers, 90);
  const before = await metrics();
  let result;
  const grown = await growth(server.pid, async () => { result = await attack(port, streams(90).map((id) => bomb(id, 0))); });
  assert.ok(result.closed, 'still open');
  assert.ok(grown < most_kB, `${grown} kB more`);
  assert.equal((await metrics()).h2_header_bomb, before.h2_header_bomb);
});

test('a rapid reset starts no work', async () => {
  const post = Buffer.concat([Buffer.from([0x83, 0x87]), ...[[':path', '/rest/v1/diary'], [':authority', 'localhost'],
    ['content-type', 'application/json'], ...Object.entries(headers)].map(([name, value]) => literal(name, value))]);
  const write = (id) => [frame(HEADERS, END_HEADERS, id, post), frame(DATA, END_STREAM, id, Buffer.from('{"text": "rapid"}'))];
  const written = async () => Number((await app.db.query(`select count(*) as n from diary where text = 'rapid'`)).rows[0].n);
  assert.equal((await exchange(port, streams(20).flatMap(write), { streams: 20 })).ended, 20);
  assert.equal(await written(), 20, 'the rows of streams that were not reset');
  await exchange(port, [...streams(150).flatMap((id) => [...write(id), frame(RST, 0, id, uint32(8))]), frame(PING, 0, 0, Buffer.alloc(8))], { streams: Infinity });
  await until('all that was begun to end', async () => { const now = await scrape(admin_port); return now.value('pgstack_pool_in_flight') + now.value('pgstack_pool_waiting') === 0; });
  const more = await written() - 20;
  assert.ok(more < 15, `${more} of 150 streams that were reset in the same breath have written`);
});

const drip = async function* (first, more) {
  yield first;
  for (;;) { await sleep(400); yield more; }
};

test('who opens no window for its answers is ended, PINGs or not', async () => {
  const before = await metrics();
  const none = frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(0)]));
  const asks = streams(50).map((id) => frame(HEADERS, END_HEADERS | END_STREAM, id, get('/rest/v1/item?id=eq.1', Object.entries(headers))));
  const result = await attack(port, drip(Buffer.concat([none, ...asks]), frame(PING, 0, 0, Buffer.alloc(8))));
  assert.ok(result.closed, 'still open');
  assert.ok((await metrics()).write_timeout > before.write_timeout, 'the limit counts it');
});

test('who opens its windows by one byte at a time is ended, and its neighbours are served meanwhile', async () => {
  const before = await metrics();
  const narrow = frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(1)]));
  const asks = streams(50).map((id) => frame(HEADERS, END_HEADERS | END_STREAM, id, get('/rest/v1/item', Object.entries(headers))));
  const more = Buffer.concat(streams(50).map((id) => frame(WINDOW, 0, id, uint32(1))));
  let over = false;
  const attacked = attack(port, drip(Buffer.concat([narrow, ...asks]), more)).finally(() => { over = true; });
  while (!over) await stillServes();
  const { closed, received } = await attacked;
  assert.ok(closed, 'still open');
  assert.ok(received[DATA] > 50, 'it was given some bytes');
  assert.ok((await metrics()).write_timeout > before.write_timeout, 'the limit counts it');
});

/** The limit counts, and the connection is closed, though its client does not read that. */
async function endsUnread(limit, chunks) {
  const before = await metrics();
  const counted = until(`${limit} to count`, async () => (await metrics())[limit] > before[limit])
    .then(() => until('the connection to be closed', () => acceptedBy(server.pid, port) === 0));
  let result;
  const grown = await growth(server.pid, async () => { result = await attack(port, chunks, { read: false, enough: counted, patience_ms: 90_000 }); });
  await counted;
  assert.deepEqual(result.received, {});
  return grown;
}

test('who reads nothing is ended, over HTTP/2', async () => {
  const wide = [frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(0x7fffffff)])), frame(WINDOW, 0, 0, uint32(0x7fff0000))];
  const post = Buffer.concat([Buffer.from([0x83, 0x87]), ...[[':path', '/rest/v1/rpc/echo'], [':authority', 'localhost'],
    ['content-type', 'application/json'], ...Object.entries(headers)].map(([name, value]) => literal(name, value))]);
  const body = Buffer.from(JSON.stringify({ t: 'x'.repeat(1_000_000) }));
  const parts = Array.from({ length: Math.ceil(body.length / 16_384) }, (_, i) => body.subarray(i * 16_384, (i + 1) * 16_384));
  const calls = streams(24).flatMap((id) => [frame(HEADERS, END_HEADERS, id, post), ...parts.map((part, i) => frame(DATA, i === parts.length - 1 ? END_STREAM : 0, id, part))]);
  await endsUnread('write_timeout', [...wide, ...calls]); // answers of 24 MB, more than the kernel's buffers hold
  await stillServes();
});

for (const name of ['PING', 'SETTINGS', 'rapid reset (CVE-2023-44487)'])
  test(`flood whose answers nobody reads: ${name}`, async () => {
    const [frames, limit] = floods[name];
    const grown = await endsUnread(limit, frames());
    assert.ok(grown < most_kB, `${grown} kB more`);
    await stillServes();
  });

test('who reads nothing is ended, over HTTP/1.1', async () => {
  const before = await metrics();
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.pause();
  socket.on('error', () => {});
  const closed = new Promise((done) => socket.on('close', done));
  const body = JSON.stringify({ t: 'x'.repeat(90_000) });
  const call = `POST /rest/v1/rpc/echo HTTP/1.1\r\nHost: x\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (let i = 0; i < 250; i++) socket.write(call); // answers of 22 MB, more than the kernel's buffers hold
  await until('the limit to count it', async () => (await metrics()).write_timeout > before.write_timeout);
  await until('the connection to be closed', () => acceptedBy(server.pid, port) === 0); // who reads by then is served
  socket.resume();
  await within('the end of the connection', closed);
});

test('an upload that drips over HTTP/2 is given up', async () => {
  const before = await metrics();
  const result = await attack(port, drip(upload(1), frame(DATA, 0, 1, Buffer.from(' '))));
  assert.ok(result.closed, 'still open');
  assert.ok((await metrics()).read_timeout > before.read_timeout);
});

test('curl speaks HTTP/2 with it', async () => {
  const { out } = await run('curl', ['-sS', '--http2', '--cacert', first.cert, '-H', `apikey: ${anon_key}`, '-w', ' %{http_version} %{http_code}',
    '-o', '/dev/null', `https://localhost:${port}/rest/v1/item?id=eq.1`]);
  assert.equal(out.trim(), '2 200');
});

test('of protocols that a client offers one is spoken, or none: HTTP/2 only where HTTP2 says so', async () => {
  const speaks = (to, ALPNProtocols) => within('a handshake', new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port: to, rejectUnauthorized: false, ALPNProtocols }, () => { resolve(socket.alpnProtocol); socket.destroy(); });
    socket.on('error', () => resolve('refused'));
  }));
  const all = async (to) => [await speaks(to, ['h2', 'http/1.1']), await speaks(to, ['http/1.1', 'h2']), await speaks(to, ['h2']), await speaks(to, ['spdy/3', 'h2c']), await speaks(to)];
  assert.deepEqual(await all(port), ['h2', 'h2', 'h2', 'refused', false]);
  const other = { ...env, PORT: String(await freePort()), ADMIN_PORT: String(await freePort()), HTTP2: 'false' };
  const without = await startServer(app.program, other);
  try {
    assert.deepEqual(await all(other.PORT), ['http/1.1', 'http/1.1', 'refused', 'refused', false]);
    const { out } = await run('curl', ['-sS', '--http2', '--cacert', first.cert, '-w', '%{http_version} %{http_code}', '-o', '/dev/null', `https://localhost:${other.PORT}/health`]);
    assert.equal(out, '1.1 200');
  } finally {
    await without.stop();
  }
});
