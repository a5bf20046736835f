// /ws/{query}: one query a socket, in frames of its own; what is refused before the upgrade; who may have
// live queries at all.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { now, token } from '../lib/jwt.mjs';
import { request } from '../lib/http.mjs';
import { Live } from '../lib/live.mjs';
import { until, within } from '../lib/process.mjs';

const { ada, bob, eve } = users;
const staff = { sub: eve, staff: 'yes' };
const seed = `insert into team values (1, 'one'); insert into member values (1, '${ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a')`;

let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_single', seed,
    env: { REQUIRE_AUTHENTICATED_WS: 'true', ALLOWED_ORIGINS: 'https://desk.example.com' } });
  const live = await Live.open(app.port, { headers: credentials('ada') });
  await live.subscribe('m', 'mine', {}).ready(); // transactions of other files may hold it up; from here on the log is followed
  await live.close();
});
after(() => app.close());

const sql = (text, values) => app.db.query(text, values);
const one = encodeURIComponent('{"team_id":1}');

/** Opens; `frames` gathers what comes.  Rejects with the status of a refusal. */
function open(path, who, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}${path}`, { headers: who ? credentials(who) : {}, handshakeTimeout: 60_000, ...options });
    const ended = new Promise((end) => { socket.once('close', end); });
    const live = { socket, frames: [], get closed() { return within(`the end of ${path}: ${JSON.stringify(live.frames)}`, ended); } };
    socket.on('message', (data) => live.frames.push(JSON.parse(data)));
    socket.once('open', () => resolve(live));
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => { response.resume(); reject(Object.assign(new Error(), { status: response.statusCode, headers: response.headers })); });
  });
}
const refusal = (path, who, options) => open(path, who, options).then((live) => { live.socket.terminate(); return 101; }, (error) => error.status);

test('subscribed, then rows that come and go', async () => {
  const live = await open(`/ws/tickets?params=${one}&token=${token(ada)}`);
  await until('the rows', () => live.frames.length === 2);
  const [subscribed, all] = live.frames, gen = subscribed.gen;
  assert.deepEqual(subscribed, { query_id: 'tickets', type: 'subscribed', gen });
  assert.deepEqual(all, { query_id: 'tickets', gen, seq: 1, inserted: [{ id: 1, team_id: 1, title: 'a', state: 'open' }], deleted: [] });
  await sql(`insert into ticket (id, team_id, title) values (2, 1, 'b')`);
  await until('a row', () => live.frames.length === 3);
  await sql(`update ticket set title = 'bb' where id = 2`);
  await until('it changes', () => live.frames.length === 4);
  await sql('delete from ticket where id = 2');
  await until('it goes', () => live.frames.length === 5);
  assert.deepEqual(live.frames.slice(2), [
    { query_id: 'tickets', gen, seq: 2, inserted: [{ id: 2, team_id: 1, title: 'b', state: 'open' }], deleted: [] },
    { query_id: 'tickets', gen, seq: 3, inserted: [{ id: 2, team_id: 1, title: 'bb', state: 'open' }], deleted: [{ id: 2 }] },
    { query_id: 'tickets', gen, seq: 4, inserted: [], deleted: [{ id: 2 }] }]);
  live.socket.send('{"type":"subscribe","id":"x","query":"mine"}');
  live.socket.send('nonsense');
  await sql(`update ticket set title = 'aa' where id = 1`);
  await until('it only tells', () => live.frames.length === 6);
  assert.equal(live.frames[5].seq, 5);
  await sql(`update ticket set title = 'a' where id = 1`);
  live.socket.close(1000);
  assert.equal(await live.closed, 1000);
});

test('refused before the upgrade', async () => {
  for (const [status, path, who, options] of [
    [404, '/ws/nothing', 'ada'], [404, '/ws/Tickets', 'ada'], [404, '/ws/tickets/1', 'ada'], [404, '/ws/', 'ada'],
    [401, '/ws/mine', undefined], [401, '/ws/mine?token=nonsense'], [401, '/ws/mine', 'service'], [401, '/ws/nothing'], [401, '/ws/nothing?token=nonsense'],
    [403, '/ws/mine', 'anon'], [403, '/ws/mine', staff], [403, '/ws/mine', 'ada', { origin: 'https://evil.example' }], [403, '/ws/mine', 'ada', { origin: 'null' }],
    [400, '/ws/tickets', 'ada'], [400, `/ws/tickets?params=${encodeURIComponent('{"team_id":"x"}')}`, 'ada'], [400, '/ws/mine?what=1', 'ada'], [400, '/ws/mine?params=1', 'ada'],
    [426, '/ws/mine', 'ada', { protocolVersion: 8 }],
    [101, '/ws/mine', 'ada', { origin: 'https://desk.example.com' }], [101, '/ws/mine', 'ada', { origin: `http://127.0.0.1:${app.port}` }], [101, '/ws/mine', 'ada'],
  ]) assert.equal(await refusal(path, who, options), status, `${path} ${JSON.stringify(who)} ${JSON.stringify(options ?? {})}`);
  const plain = await request(app.port, 'GET', '/ws/mine', { headers: credentials('ada') });
  assert.deepEqual([plain.status, plain.headers.upgrade], [426, 'websocket']);
  const old = await open('/ws/mine', 'ada', { protocolVersion: 8 }).catch((error) => error);
  assert.equal(old.headers['sec-websocket-version'], '13');
});

test('what the URL says is a value, and no part of the message', async () => {
  const query = (params) => refusal(`/ws/tickets?params=${encodeURIComponent(params)}`, 'ada');
  for (const more of ['"type":"ping"', `"type":"token","token":"${token(ada)}"`, '"resume":{"gen":5,"seq":1}', '"id":"y"'])
    assert.equal(await query(`{"team_id":1},${more}`), 400, more);
  assert.equal(await query('{"team_id":1}'), 101);
  const stopped = new AbortController();
  const { body } = await fetch(`http://127.0.0.1:${app.port}/live/v1/stream?query=tickets&params=${encodeURIComponent('{"team_id":1},"type":"ping"')}`,
    { headers: credentials('ada'), signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(60_000)]) });
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) if ((text += part).includes('}')) break;
  stopped.abort();
  assert.match(text, /bad_params/);
});

test('a result that is too large is an overflow, and one that cannot be had is invalidated', async () => {
  await sql('insert into note select i, 7, i::text from generate_series(1, 10001) i');
  const live = await open(`/ws/notes?params=${encodeURIComponent('{"ticket":7}')}`, staff);
  assert.equal(await live.closed, 1013);
  assert.deepEqual(live.frames.map(({ type, overflow, code }) => ({ type, overflow, code })), [{ type: 'subscribed', overflow: undefined, code: undefined }, { type: 'overflow', overflow: true, code: 'too_large' }]);
  await sql('delete from note');
  const other = await open(`/ws/titles?params=${encodeURIComponent('{"team":1}')}`, staff); // asked for, not matched
  await until('its rows', () => other.frames.length === 2);
  await sql('revoke select on ticket from staff'); // alone: other backends hear of it a moment after its commit can be seen
  await sql(`insert into ticket (id, team_id, title) values (9, 1, 'x')`);
  assert.equal(await other.closed, 1011);
  const { type, invalidated, code } = other.frames.at(-1);
  assert.deepEqual({ type, invalidated, code }, { type: 'invalidated', invalidated: true, code: '42501' });
  await sql('grant select on ticket to staff; delete from ticket where id = 9');
});

test('a token that expires ends it', async () => {
  const live = await open('/ws/mine', { sub: ada, exp: now() - 1 }); // within JWT_LEEWAY, for four seconds more
  assert.equal(await live.closed, 4401);
});

test('where the log was lost the client is told to come again', async () => {
  const live = await open(`/ws/tickets?params=${one}`, 'ada');
  await until('its rows', () => live.frames.length === 2);
  assert.equal((await sql(`select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'api_live_single'`)).rowCount, 1);
  assert.equal(await live.closed, 1012);
  const last = live.frames.at(-1);
  assert.equal(last.type, 'resubscribed');
  assert.notEqual(last.gen, live.frames[0].gen);
  await sql('revoke connect on database api_live_single from public');
  try {
    await until('the log not to be followed', async () => {
      await sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pgstack_replicator' and datname = 'api_live_single'`);
      return await refusal('/ws/mine', 'ada') === 503;
    });
    assert.deepEqual(await Promise.all(['nonsense', undefined, 'anon', staff].map((who) => refusal('/ws/mine', who))), [401, 401, 403, 403], 'who is not let in hears so, whatever PostgreSQL says');
  } finally {
    await sql('grant connect on database api_live_single to public');
  }
  const again = await until('the log to be followed again', () => open(`/ws/tickets?params=${one}`, 'ada').catch(({ status }) => { assert.equal(status, 503); }));
  await until('all of it', () => again.frames[1]?.inserted.length === 1);
  again.socket.close();
});

test('REQUIRE_AUTHENTICATED_WS holds for every way to live queries', async () => {
  const refused = await Live.open(app.port, { headers: credentials('anon') }).then(() => 101, (error) => error.status);
  assert.equal(refused, 403);
  assert.equal((await request(app.port, 'GET', '/live/v1/stream?query=mine', { headers: credentials('anon') })).status, 403);
  const live = await Live.open(app.port, { headers: credentials('bob') });
  live.say({ type: 'token', token: token(bob) });
  await live.frame('a fresh token', (frame) => frame.type === 'token');
  live.say({ type: 'token', token: credentials('anon').apikey });
  assert.equal((await live.closed).code, 4401, 'not on the open socket either');
});
