// Live queries over TLS: streams of events over HTTP/2, beside others of their connection, and WebSockets.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { buildProject, credentials, openApp, startServer, users } from '../lib/app.mjs';
import { END_HEADERS, END_STREAM, HEADERS, SETTINGS, attack, certificate, frame, get, uint32 } from '../lib/h2.mjs';
import { Live } from '../lib/live.mjs';
import { limitHits } from '../lib/metrics.mjs';
import { scratch } from '../lib/paths.mjs';
import { freePort, sleep, until } from '../lib/process.mjs';

const folder = mkdtempSync(join(scratch, 'live-tls-'));
const files = certificate(folder);
const seed = `insert into team values (1, 'one'); insert into member values (1, '${users.ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a')`;

let app; // clear text, for its database
let server; // the same over TLS, whose clients may not keep it waiting
let port, admin_port;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_tls', seed, env: { TRUSTED_PROXIES: '127.0.0.1' } });
  [port, admin_port] = [await freePort(), await freePort()];
  server = await startServer(app.program, { ...app.env, PORT: String(port), ADMIN_PORT: String(admin_port), THREADS: '1', WRITE_TIMEOUT: '1s',
    TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key });
});
after(async () => {
  const how = await server?.stop();
  await app?.close();
  rmSync(folder, { recursive: true });
  if (server) assert.equal(how.code, 0, server.output().slice(-4000));
});

const headers = Object.fromEntries(Object.entries(credentials('ada')).map(([name, value]) => [name.toLowerCase(), value]));
const sql = (text, values) => app.db.query(text, values);
const hits = async (limit) => (await limitHits(admin_port))[limit];
const one = encodeURIComponent('{"team_id":1}');

function connect() {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => {});
  return session;
}

/** A GET; `frames` and `beats` gather what a stream of events says. */
function ask(session, path) {
  const stream = session.request({ ':path': path, ...headers });
  const asked = { stream, status: undefined, frames: [], beats: 0, text: '', ended: false };
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('response', (head) => { asked.status = head[':status']; });
  stream.on('error', () => {});
  stream.on('close', () => { asked.ended = true; });
  stream.on('data', (text) => {
    asked.text += text;
    rest += text;
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
      if (rest.startsWith(':')) asked.beats++;
      if (rest.startsWith('id: ')) asked.frames.push(JSON.parse(rest.slice(rest.indexOf('\ndata: ') + 7, end)));
    }
  });
  return asked;
}

async function status(session, path) {
  const asked = ask(session, path);
  await until(`the answer of ${path}`, () => asked.ended);
  return asked.status;
}

test('streams of events over HTTP/2 outlive WRITE_TIMEOUT while there is nothing to say, beat, and harm no neighbour', async () => {
  const session = connect();
  const subscribe = Array.from({ length: 10 }, (_, i) => `subscribe=${encodeURIComponent(JSON.stringify({ id: `s${i}`, query: 'tickets', params: { team_id: 1 } }))}`);
  const streams = [ask(session, `/live/v1/stream?query=tickets&params=${one}`), ask(session, `/live/v1/stream?${subscribe.join('&')}`)];
  const told = (type, n) => streams[0].frames.filter((f) => f.type === type).length === n && streams[1].frames.filter((f) => f.type === type).length === 10 * n;
  await until('all snapshots', () => told('snapshot', 1));
  const before = streams.map(({ beats }) => beats);
  for (let silent = 0; silent < 40 && !streams.every(({ beats }, i) => beats > before[i]); silent++) {
    assert.equal(await status(session, '/rest/v1/ticket?id=eq.1'), 200);
    assert.ok(!session.closed && !session.destroyed && streams.every(({ ended }) => !ended), 'the connection was ended');
    await sleep(1000);
  }
  assert.ok(streams.every(({ beats }, i) => beats > before[i]), 'no beat');
  await sql(`update ticket set title = 'b' where id = 1`);
  await until('all deltas', () => told('delta', 1));
  assert.deepEqual(new Set(streams[1].frames.filter((f) => f.type === 'delta').map((f) => f.id)).size, 10);
  assert.equal(await hits('write_timeout'), 0);
  session.close();
  for (const { stream } of streams) stream.close();
});

test('a stream of events whose client opens no window for it is ended', async () => {
  const none = frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(0)]));
  const asks = frame(HEADERS, END_HEADERS | END_STREAM, 1, get(`/live/v1/stream?query=tickets&params=${one}`, Object.entries(headers)));
  const before = await hits('write_timeout');
  assert.ok((await attack(port, [Buffer.concat([none, asks])])).closed, 'still open');
  assert.equal(await hits('write_timeout'), before + 1);
});

test('WebSockets over TLS', async () => {
  const live = await Live.open(port, { headers, scheme: 'wss', rejectUnauthorized: false });
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  const single = new WebSocket(`wss://127.0.0.1:${port}/ws/tickets?params=${one}`, { headers, rejectUnauthorized: false });
  const said = [];
  single.on('message', (data) => said.push(JSON.parse(data)));
  await until('the rows', () => said.length === 2);
  const title = 'x'.repeat(100_000); // more than a record of TLS
  await sql('update ticket set title = $1 where id = 1', [title]);
  await tickets.become([{ id: 1, team_id: 1, title, state: 'open' }]);
  await until('the change', () => said.length === 3);
  assert.equal(said[2].inserted[0].title, title);
  single.close();
  await live.close();
});

test('a page without TLS is another origin than the server with it', async () => {
  /** 101, or the status of the refusal. */
  const open = (to, origin, { scheme = 'wss', proto } = {}) => Live.open(to, { headers: { ...headers, ...(proto && { 'x-forwarded-proto': proto }) }, origin: `${origin}://127.0.0.1:${to}`, scheme, rejectUnauthorized: false })
    .then((live) => live.close().then(() => 101), (error) => error.status ?? Promise.reject(error));
  const behind = (origin, proto) => open(app.port, origin, { scheme: 'ws', proto });
  assert.deepEqual([await open(port, 'https'), await open(port, 'http'), await open(port, 'ftp')], [101, 403, 403]);
  assert.deepEqual([await behind('http'), await behind('https'), await behind('https', 'https'), await behind('http', 'https'), await behind('http', 'http')], [101, 101, 101, 403, 101]);
});

test('WebSockets are not for streams of HTTP/2: a clear answer, and the connection stays', async () => {
  const session = connect();
  for (const path of ['/live/v1', '/ws/tickets', '/ws/0a0a0a0a-0000-4000-8000-000000000001']) {
    const asked = ask(session, path);
    await until(`the answer of ${path}`, () => asked.ended);
    assert.deepEqual([asked.status, JSON.parse(asked.text).message], [400, 'WebSockets are spoken over HTTP/1.1 only'], path);
  }
  assert.equal(await status(session, '/rest/v1/ticket?id=eq.1'), 200);
  session.close();
});
