// /ws/{id}: subscriptions of the extension, told by the server to those whom their audience admits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { now, token } from '../lib/jwt.mjs';
import { limitHits, scrape } from '../lib/metrics.mjs';
import { connect, password, useCluster } from '../lib/postgres.mjs';
import { until, within } from '../lib/process.mjs';
import { settled, startReactive, stat, subscribe } from './reactive.mjs';

const { ada, bob } = users;
const name = 'relay';
let cluster;
let app;
let sql;
before(async () => {
  cluster = await startReactive();
  useCluster(cluster);
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name,
    env: { REACTIVE_DATABASE_URL: cluster.loginUrl('listener', name), MAX_CONNECTIONS_PER_ADDRESS: '3000', MAX_REQUESTS_PER_ADDRESS: '3000' } });
  sql = await connect(cluster, name);
  await sql.query(`create role listener login password '${password}'`);
  await sql.query('create table item (id int primary key, owner text, body text)');
  await install();
});
after(async () => {
  await sql?.end();
  await app?.close();
});

async function install() {
  await sql.query(`create extension pg_reactive; grant usage on schema pgr to listener;
    grant execute on function pgr.subscription_meta, pgr.sender to listener`);
}

const metric = async (which) => (await scrape(app.admin_port)).value(which);
const connected = () => until('the server to listen', async () => await metric('pgstack_reactive_connected') === 1, 20_000);
const path = (id) => `/ws/${encodeURIComponent(id)}`;

/** Opens; `frames` gathers what comes.  Rejects with the status of a refusal. */
function open(where, who, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${app.port}${where}`, options.protocols ?? [], { headers: who ? credentials(who) : {}, ...options });
    const ended = new Promise((end) => { socket.once('close', end); });
    const shown = () => live.texts.slice(-5).map((text) => text.slice(0, 300));
    const live = { socket, frames: [], texts: [], get closed() { return within(`the end of ${where}`, ended).catch((error) => { throw new Error(`${error.message}: ${shown()}`); }); },
      has: (n) => until(`${n} frames of ${where}`, () => live.frames.length >= n, 20_000).catch((error) => { throw new Error(`${error.message}: ${live.frames.length}, the last are ${shown()}`); }) };
    socket.on('message', (data) => {
      live.texts.push(String(data));
      live.frames.push(JSON.parse(data));
    });
    socket.once('open', () => resolve(live));
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response) => { response.resume(); reject(Object.assign(new Error(`${response.statusCode}`), { status: response.statusCode })); });
  });
}
const status = (where, who, options) => open(where, who, options).then((live) => { live.socket.terminate(); return 101; }, (error) => error.status ?? error);

test('a server that came before the extension finds it', async () => {
  await connected();
});

test('subscribed, then the messages as the extension sends them', async () => {
  const { generation } = await subscribe(sql, 'all "items"', 'select id, body from item');
  const sent = [];
  const listener = await connect(cluster, name);
  listener.client.on('notification', ({ payload }) => sent.push(payload));
  await listener.query('listen pgr');
  const live = await open(path('all "items"'), 'ada');
  await live.has(1);
  assert.deepEqual(live.frames[0], { query_id: 'all "items"', type: 'subscribed', gen: generation });
  await sql.query(`insert into item values (1, 'x', 'one')`);
  await live.has(2);
  await sql.query(`update item set body = repeat('y', 9000) where id = 1`);
  await live.has(3);
  await sql.query('delete from item');
  await live.has(4);
  await until('the listener to have them too', () => sent.length === 3);
  assert.deepEqual(live.texts.slice(1), sent);
  assert.deepEqual(live.frames.slice(1), [
    { query_id: 'all "items"', seq: 1, gen: generation, inserted: [{ id: 1, body: 'one' }], deleted: [] },
    { query_id: 'all "items"', seq: 2, gen: generation, overflow: true, inserted_count: 1, deleted_count: 1 },
    { query_id: 'all "items"', seq: 3, gen: generation, overflow: true, inserted_count: 0, deleted_count: 1 }]);
  await sql.query(`select pgr.unsubscribe('all "items"')`);
  assert.equal(await live.closed, 1011);
  const last = live.frames.at(-1);
  assert.deepEqual([last.invalidated, last.reason], [true, 'unsubscribed']);
  assert.equal(await status(path('all "items"'), 'ada'), 404);
  await listener.end();
});

test('mode notify, and a query that fails for a while', async () => {
  await sql.query('create table other (id int)');
  await sql.query('insert into other values (1)');
  await subscribe(sql, 'count', 'select 1 / count(*) as n from other', 'notify');
  const live = await open(path('count'), 'anon');
  await sql.query('delete from other');
  await live.has(2);
  await sql.query('insert into other values (1), (2)');
  await live.has(3);
  assert.deepEqual(live.frames.slice(1).map(({ seq, invalidated, reason }) => ({ seq, invalidated, reason })),
    [{ seq: 1, invalidated: true, reason: '22012' }, { seq: 2, invalidated: true, reason: undefined }]);
  live.socket.close(1000);
  assert.equal(await live.closed, 1000);
});

test('who may follow: asked before the upgrade', async () => {
  await subscribe(sql, 'of ada', 'select id from item', 'delta', { sub: ada });
  await subscribe(sql, 'of anon', 'select id from item', 'delta', { role: 'anon' });
  await subscribe(sql, 'of floor 2', 'select id from item', 'delta', { app_metadata: { floor: '2' }, role: 'authenticated' });
  for (const id of ['of all', 'of/all']) await subscribe(sql, id, 'select id from item');
  const storey = (floor) => ({ sub: bob, app_metadata: { floor } });
  const evil = `x' or true; --`;
  await subscribe(sql, evil, 'select id from item', 'delta', { sub: ada });
  for (const [expected, where, who, options] of [
    [101, path('of ada'), 'ada'], [403, path('of ada'), 'bob'], [403, path('of ada'), 'anon'], [401, path('of ada')], [401, path('of ada'), 'nonsense'], [401, path('of ada'), 'service'],
    [101, `${path('of ada')}?token=${token(ada)}`], [403, `${path('of ada')}?token=${token(bob)}`], [401, `${path('of ada')}?token=nonsense`],
    [101, path('of ada'), undefined, { protocols: ['pgstack.live.v1', `bearer.${token(ada)}`] }], [403, path('of ada'), undefined, { protocols: ['pgstack.live.v1', `bearer.${token(bob)}`] }],
    [101, path('of anon'), 'anon'], [403, path('of anon'), 'ada'],
    [101, path('of floor 2'), storey('2')], [403, path('of floor 2'), storey('3')], [403, path('of floor 2'), 'ada'],
    [101, path('of all'), 'ada'], [101, path('of all'), 'anon'], [401, path('of all')],
    [101, path(evil), 'ada'], [403, path(evil), 'bob'],
    [404, path('nobody'), 'ada'], [404, path(`nobody' or '1' = '1`), 'ada'], [404, path('OF ALL'), 'ada'], [404, path('of all '), 'ada'],
    [404, '/ws/', 'ada'], [404, path('a'.repeat(58)), 'ada'], [404, '/ws/of%20all%0A', 'ada'], [400, '/ws/of%20all%00', 'ada'], [404, '/ws/%FF', 'ada'], [400, '/ws/of%2Fall', 'ada'], [101, '/ws/of/all', 'ada'],
    [403, path('of all'), 'ada', { origin: 'https://evil.example' }], [426, path('of all'), 'ada', { protocolVersion: 8 }],
  ]) assert.equal(await status(where, who, options), expected, `${where} ${JSON.stringify(who)} ${JSON.stringify(options ?? {})}`);
  assert.equal((await request(app.port, 'GET', path('of all'), { headers: credentials('ada') })).status, 426);
});

test('a token that expires ends it', async () => {
  await subscribe(sql, 'expiring', 'select id from item');
  const live = await open(path('expiring'), { sub: ada, exp: now() - 1 }); // within JWT_LEEWAY, for four seconds more
  assert.equal(await live.closed, 4401);
});

test('a declared live query is found before an id of its name', async () => {
  await subscribe(sql, 'mine', 'select id from item');
  const live = await open('/ws/mine', 'ada');
  await live.has(2);
  assert.ok(Array.isArray(live.frames[1].inserted), 'the whole result comes first');
  assert.equal(await status('/ws/mine', 'anon'), 403);
  live.socket.terminate();
});

test('an audience that is another one ends the sockets of the last', async () => {
  const first = await subscribe(sql, 'doc', 'select id from item');
  const [one, two] = [await open(path('doc'), 'ada'), await open(path('doc'), 'bob')];
  const second = await subscribe(sql, 'doc', 'select id from item', 'delta', { sub: ada });
  for (const live of [one, two]) {
    assert.equal(await live.closed, 1012);
    assert.deepEqual(live.frames.at(-1), { type: 'resubscribed', query_id: 'doc', gen: second.generation });
    assert.equal(live.frames[0].gen, first.generation);
  }
  assert.equal(await status(path('doc'), 'bob'), 403);
  const again = await open(path('doc'), 'ada');
  await sql.query(`insert into item values (5, 'x', 'five')`);
  await again.has(2);
  assert.deepEqual(again.frames[1].gen, second.generation);
  again.socket.terminate();
  await sql.query('delete from item');
});

test('an audience that nobody has committed lets nobody in, and keeps nobody out', async () => {
  await subscribe(sql, 'kept', 'select id from item', 'delta', { sub: ada });
  await sql.query('begin');
  await sql.query(`select pgr.subscribe('kept', 'select id from item', 'delta', $1)`, [{ sub: bob }]);
  await sql.query(`select pgr.subscribe('never', 'select id from item')`);
  assert.deepEqual([await status(path('kept'), 'bob'), await status(path('kept'), 'ada'), await status(path('never'), 'ada')], [403, 101, 404]);
  await sql.query('rollback');
  assert.deepEqual([await status(path('kept'), 'bob'), await status(path('kept'), 'ada')], [403, 101]);
});

test('what another process says on the channel is not told', async () => {
  const { generation } = await subscribe(sql, 'true', 'select id from item');
  const live = await open(path('true'), 'ada');
  const before = await metric('pgstack_reactive_strangers_total');
  const stranger = await connect(cluster, name);
  for (const message of [
    { query_id: 'true', seq: 1, gen: generation, inserted: [{ id: 'a lie' }], deleted: [] },
    { type: 'resubscribed', query_id: 'true', gen: generation + 1000 },
    'nonsense',
  ]) for (let i = 0; i < 20; i++) await stranger.query(`select pg_notify('pgr', $1)`, [`${typeof message === 'string' ? message : JSON.stringify(message)}${' '.repeat(i)}`]);
  await until('them to be counted', async () => await metric('pgstack_reactive_strangers_total') === before + 60);
  await sql.query(`insert into item values (6, 'x', 'six')`);
  await live.has(2);
  assert.deepEqual(live.frames.map(({ type, inserted }) => type ?? inserted), ['subscribed', [{ id: 6 }]]);
  live.socket.terminate();
  await stranger.end();
  await sql.query('delete from item');
});

test('where messages may have been missed the clients are told to connect again', async () => {
  await subscribe(sql, 'lost', 'select id from item');
  const { gen } = (await (async () => { const live = await open(path('lost'), 'ada'); await live.has(1); live.socket.terminate(); return live.frames[0]; })());
  for (const lose of [
    () => sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'listener'`), // our connection
    async () => sql.query('select pg_terminate_backend($1)', [await stat(sql, 'worker_pid')]), // who sends
  ]) {
    const all = [];
    for (let i = 0; i < 6; i++) all.push(await open(path('lost'), 'ada'));
    await lose();
    await until('a worker', () => stat(sql, 'worker_pid'));
    await sql.query(`insert into item values (7, 'x', 'seven')`);
    for (const live of all) {
      assert.equal(await live.closed, 1012);
      assert.deepEqual(live.frames.at(-1), { query_id: 'lost', type: 'resubscribed', gen });
    }
    await connected();
    await settled(sql);
    const again = await until('to be let in', () => open(path('lost'), 'ada').catch(() => null));
    await sql.query('delete from item');
    await again.has(2);
    assert.deepEqual(again.frames[1].deleted, [{ id: 7 }]);
    again.socket.terminate();
  }
});

test('many sockets of both threads: each is told everything, in order', async () => {
  const ids = [0, 1, 2, 3].map((n) => `rows ${n}`);
  await sql.query('create table row (id int, k int, v int)');
  for (const [n, id] of ids.entries()) await subscribe(sql, id, `select id, v from row where k = ${n}`);
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => open(path(ids[i % 4]), 'ada')));
  await until('all to be counted', async () => await metric('pgstack_reactive_sockets') >= 40);
  const writers = await Promise.all([0, 1, 2].map(() => connect(cluster, name)));
  await Promise.all(writers.map(async (writer, w) => {
    for (let i = 0; i < 150; i++) {
      await writer.query('insert into row values ($1, $2, 0)', [w * 1000 + i, i % 4]);
      if (i % 5 === 0) await writer.query('update row set v = v + 1 where id = $1', [w * 1000 + i - 3]);
      if (i % 7 === 0) await writer.query('delete from row where id = $1', [w * 1000 + i - 1]);
    }
  }));
  await settled(sql);
  for (const [i, live] of all.entries()) {
    const wanted = (await sql.rows('select id, v from row where k = $1', [i % 4])).map((row) => JSON.stringify(row)).sort();
    const { seq } = (await sql.rows('select seq from pgr.snapshot($1)', [ids[i % 4]]))[0];
    await until(`all messages of socket ${i}`, () => live.frames.at(-1).seq === Number(seq), 20_000);
    const held = [];
    for (const [n, frame] of live.frames.slice(1).entries()) {
      assert.equal(frame.seq, n + 1);
      for (const row of frame.deleted) held.splice(held.indexOf(JSON.stringify(row)) >>> 0, 1);
      for (const row of frame.inserted) held.push(JSON.stringify(row));
    }
    assert.deepEqual(held.sort(), wanted);
    live.socket.terminate();
  }
  await until('none to be counted', async () => await metric('pgstack_reactive_sockets') === 0);
  for (const writer of writers) await writer.end();
});

const hits = () => limitHits(app.admin_port);

test('a client that does not read is cut off, and others are told', async () => {
  await sql.query(`create table big (id int, body text); insert into big values (1, '')`);
  await sql.query('alter system set pg_reactive.tick_interval = 0');
  await sql.query('select pg_reload_conf()');
  await subscribe(sql, 'big', 'select * from big');
  const [slow, quick] = [await open(path('big'), 'ada'), await open(path('big'), 'ada')];
  slow.socket.pause();
  const before = (await hits()).live_queue;
  let n = 0;
  for (; (await hits()).live_queue === before; n++) {
    assert.ok(n < 10_000, 'it never waits');
    await sql.query(`update big set body = repeat('${n % 10}', 3800)`);
    await quick.has(n + 2);
  }
  slow.socket.resume();
  assert.equal(await slow.closed, 1013);
  assert.deepEqual([slow.frames.at(-1).type, slow.frames.at(-1).overflow], ['overflow', true]);
  await quick.has(n + 1);
  quick.socket.terminate();
  await sql.query('drop table big');
});

test('limit: reactive_waiting', async () => {
  await subscribe(sql, 'of all', 'select id from item');
  const blocker = await connect(cluster, name);
  await blocker.query('begin; lock table pgr.persisted_subscriptions in access exclusive mode');
  const before = (await hits()).reactive_waiting;
  const answers = Promise.all(Array.from({ length: 1050 }, () => status(path('of all'), 'ada')));
  await until('too many to wait', async () => (await hits()).reactive_waiting > before, 20_000);
  await blocker.query('rollback');
  const counts = {};
  for (const answer of await answers) counts[answer] = (counts[answer] ?? 0) + 1;
  const refused = (await hits()).reactive_waiting - before;
  assert.ok(counts[503] > 0 && (counts[101] ?? 0) + counts[503] === 1050, JSON.stringify(counts));
  assert.ok(refused <= 50 && refused <= counts[503], `${refused} refused of ${JSON.stringify(counts)}`);
  assert.equal(await status(path('of all'), 'ada'), 101);
  await blocker.end();
});

test('each limit of it has a case', async () => {
  const elsewhere = ['reactive_backlog']; // tests/1-unit/runtime_relay_test.c
  assert.deepEqual(Object.keys(await hits()).filter((which) => which.startsWith('reactive_')).sort(), [...elsewhere, 'reactive_waiting'].sort());
});

test('a client that leaves before it is known whether it may', async () => {
  const blocker = await connect(cluster, name);
  await blocker.query('begin; lock table pgr.persisted_subscriptions in access exclusive mode');
  const leaving = Array.from({ length: 10 }, () => new WebSocket(`ws://127.0.0.1:${app.port}${path('of all')}`, { headers: credentials('ada') }));
  for (const socket of leaving) socket.on('error', () => {});
  await until('a question to wait', () => sql.value(`select count(*) > 0 from pg_locks where not granted`));
  for (const socket of leaving) socket.terminate();
  await blocker.query('rollback');
  await blocker.end();
  assert.equal(await status(path('of all'), 'ada'), 101);
});

test('who is not let in hears so, whatever PostgreSQL says', async () => {
  const refused = async () => [await status(path('of all'), 'nonsense'), await status(path('of all')), await status(path('nobody'), 'nonsense'), await status(path('of all'), 'ada')];
  assert.deepEqual(await refused(), [401, 401, 401, 101]);
  await sql.query('alter role listener nologin');
  try {
    await sql.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'listener'`);
    await until('it to be noticed', async () => await metric('pgstack_reactive_connected') === 0);
    assert.deepEqual(await refused(), [401, 401, 401, 503]);
  } finally {
    await sql.query('alter role listener login');
  }
  await connected();
  assert.deepEqual(await refused(), [401, 401, 401, 101]);
});

test('PostgreSQL does not say: 503, and the next one is answered', async () => {
  const blocker = await connect(cluster, name);
  await blocker.query('begin; lock table pgr.persisted_subscriptions in access exclusive mode');
  assert.equal(await status(path('of all'), 'ada'), 503); // after the statement's time
  await blocker.query('rollback');
  await blocker.end();
  assert.equal(await until('to be let in', async () => await status(path('of all'), 'ada') === 101), true);
});

test('REQUIRE_AUTHENTICATED_WS holds here too', async () => {
  await app.restart({ REQUIRE_AUTHENTICATED_WS: 'true' });
  await connected();
  assert.deepEqual([await status(path('of all'), 'anon'), await status(path('of all'), 'ada')], [403, 101]);
});

test('where the log is lost, which it does not need, it goes on', async () => {
  await subscribe(sql, 'goes on', 'select id from item');
  const live = await open(path('goes on'), 'ada'), log = await open('/ws/mine', 'ada');
  await Promise.all([live.has(1), log.has(2)]);
  assert.equal((await sql.query(`select pg_terminate_backend(active_pid) from pg_replication_slots where database = '${name}'`)).rowCount, 1);
  assert.equal(await log.closed, 1012);
  await sql.query(`insert into item values (77, 'x', 'one')`);
  await live.has(2);
  assert.deepEqual(live.frames.map(({ type }) => type), ['subscribed', undefined]);
  live.socket.terminate();
  await sql.query('delete from item');
});

test('without the extension there are no ids; nor without the setting', async () => {
  await app.restart();
  await connected();
  const live = await open(path('of all'), 'ada');
  await sql.query('drop extension pg_reactive cascade');
  live.socket.terminate();
  await until('it to be noticed', async () => await status(path('of all'), 'ada') === 404, 30_000);
  assert.equal(await status(path('of all'), 'nonsense'), 401);
  await install();
  await connected();
  await subscribe(sql, 'of all', 'select id from item');
  await until('to be let in', async () => await status(path('of all'), 'ada') === 101);
  await app.restart({ REACTIVE_DATABASE_URL: '' });
  assert.equal(await status(path('of all'), 'ada'), 404);
  await app.restart({ LIVE_DATABASE_URL: '' }); // neither needs the other
  await connected();
  assert.deepEqual([await status(path('of all'), 'ada'), await status('/ws/mine', 'ada')], [101, 503]);
});
