// Live queries over WebSocket: what subscribers hold follows what they may read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { now, token } from '../lib/jwt.mjs';
import { request } from '../lib/http.mjs';
import { limitHits } from '../lib/metrics.mjs';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { compareUnderWrites, seed, staff, ways } from './board.mjs';

const { ada, bob, eve } = users;
let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live', seed, env: { LIVE_IDLE_TIMEOUT: '8s' } });
});
after(() => app.close());

const open = (who, options = {}) => Live.open(app.port, { headers: credentials(who), ...options });
const sql = (text, values) => app.db.query(text, values);
const refusal = (promise) => promise.then((live) => { live.socket.terminate(); throw new Error('it was accepted'); }, (error) => error);

test('a snapshot, then each change', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  assert.deepEqual(tickets.rows, [{ id: 1, team_id: 1, title: 'a', state: 'open' }]);
  await sql(`insert into ticket (id, team_id, title) values (10, 1, 'x')`);
  await tickets.become([{ id: 1, team_id: 1, title: 'a', state: 'open' }, { id: 10, team_id: 1, title: 'x', state: 'open' }]);
  await sql(`update ticket set state = 'solved' where id = 10`);
  await tickets.become([{ id: 1, team_id: 1, title: 'a', state: 'open' }, { id: 10, team_id: 1, title: 'x', state: 'solved' }]);
  await sql('delete from ticket where id = 10');
  await tickets.become([{ id: 1, team_id: 1, title: 'a', state: 'open' }]);
  const last = tickets.frames.at(-1);
  assert.deepEqual(last.deleted, [{ id: 10 }]);
  assert.match(last.lsn, /^[0-9A-F]+\/[0-9A-F]+$/);
  await live.close();
});

test('the lsn of a frame is a place behind the commit, and not behind what came later', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  const place = async () => (await sql('select pg_current_wal_insert_lsn()::text as lsn')).rows[0].lsn;
  const before_it = await place();
  await sql(`update ticket set title = 'placed' where id = 1`);
  const after_it = await place();
  await until('the frame', () => tickets.rows[0].title === 'placed');
  const { lsn } = tickets.frames.at(-1);
  const { rows } = await sql('select $1::pg_lsn > $2::pg_lsn as later, $1::pg_lsn <= $3::pg_lsn as no_later', [lsn, before_it, after_it]);
  assert.deepEqual(rows, [{ later: true, no_later: true }], `${before_it} ${lsn} ${after_it}`);
  await sql(`update ticket set title = 'a' where id = 1`);
  await live.close();
});

test('a write that changes nothing of the result is not told', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await sql('update ticket set price = 9 where id = 1');
  await sql(`update ticket set title = 'aa' where id = 1`);
  await tickets.become([{ id: 1, team_id: 1, title: 'aa', state: 'open' }]);
  assert.equal(tickets.frames.length, 2);
  await sql(`update ticket set title = 'a', price = 1.50 where id = 1`);
  await live.close();
});

test('a row that moves to another team leaves one subscriber, without its content, and reaches the other', async () => {
  const one = await open('ada'), two = await open('bob');
  const from = await one.subscribe('from', 'tickets', { team_id: 1 }).ready();
  const to = await two.subscribe('to', 'tickets', { team_id: 2 }).ready();
  await sql(`insert into ticket (id, team_id, title) values (20, 1, 'moves')`);
  await until('the row', () => from.rows.length === 2);
  await sql(`update ticket set team_id = 2, title = 'secret of two' where id = 20`);
  await until('the row to leave', () => from.rows.length === 1);
  await until('the row to come', () => to.rows.length === 2);
  assert.doesNotMatch(JSON.stringify(from.frames), /secret of two/);
  await sql('delete from ticket where id = 20');
  await until('the row to go', () => to.rows.length === 1);
  await one.close();
  await two.close();
});

test('a membership that ends hides its rows, one that begins shows them', async () => {
  const live = await open('bob');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 2 }).ready();
  const teams = await live.subscribe('w', 'with_team', {}).ready();
  assert.equal(tickets.rows.length, 1);
  await sql(`delete from member where team_id = 2 and user_id = '${bob}'`);
  await tickets.become([]);
  await teams.become([]);
  await sql(`update ticket set title = 'not for bob' where id = 2`);
  await sql(`insert into member values (2, '${bob}')`);
  await tickets.become([{ id: 2, team_id: 2, title: 'not for bob', state: 'open' }]);
  await teams.become([{ team_id: 2, name: 'two', id: 2, title: 'not for bob' }]);
  assert.equal(tickets.frames.length, 3, 'nothing was told in between');
  await sql(`update ticket set title = 'b' where id = 2`);
  await live.close();
});

test('a row is hidden by a column that its policy reads', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await sql('update ticket set hidden = true where id = 1');
  await tickets.become([]);
  await sql('update ticket set hidden = false where id = 1');
  await until('the row', () => tickets.rows.length === 1);
  await live.close();
});

test('an ordered window keeps its order', async () => {
  const live = await open(staff);
  await sql(`insert into ticket (id, team_id, title) select 100 + i, 3, 'm' || lpad(i::text, 2, '0') from generate_series(1, 30) i`);
  const queue = await live.subscribe('q', 'queue', { team: 3 }).ready();
  const expected = async () => (await sql(`select id::int, title, state, price::float, tags from ticket where team_id = 3 and state <> 'solved' order by title collate "C", id limit 20`)).rows;
  await queue.become(await expected(), { ordered: true });
  await sql(`update ticket set title = 'zz' where id = 101`);
  await queue.become(await expected(), { ordered: true });
  await sql(`update ticket set title = 'm25b' where id in (103, 105)`);
  await queue.become(await expected(), { ordered: true });
  await sql(`update ticket set state = 'solved' where id = 104`);
  await queue.become(await expected(), { ordered: true });
  await sql('delete from ticket where id > 100');
  await queue.become(await expected(), { ordered: true });
  await live.close();
});

test('rows are told apart where a collation lets several fit', async () => {
  await sql(`create collation public.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
  const live = await open(staff);
  const tagged = await live.subscribe('t', 'tagged', { team: 3, word: 'urgent' }).ready();
  assert.deepEqual([tagged.rows, tagged.key], [[], ['id', 'tag']]);
  await sql(`insert into tag values (1, 'urgent'), (2, 'Urgent'), (3, 'later')`);
  await tagged.become([{ id: 3, tag: 1, name: 'urgent' }, { id: 3, tag: 2, name: 'Urgent' }]);
  await sql('delete from tag where id = 1');
  await tagged.become([{ id: 3, tag: 2, name: 'Urgent' }]);
  await sql('delete from tag');
  await tagged.become([]);
  await live.close();
});

test('aggregates, groups, joins and distinct rows', async () => {
  const live = await open(staff);
  const total = await live.subscribe('n', 'total', { team: 1 }).ready();
  const counts = await live.subscribe('c', 'counts', {}).ready();
  const titles = await live.subscribe('d', 'titles', { team: 1 }).ready();
  assert.deepEqual(total.rows, [{ n: 1 }]);
  assert.deepEqual([total.key, counts.key, titles.key], [[], ['team_id', 'state'], ['title', 'state']]);
  await sql(`insert into ticket (id, team_id, title, price) values (30, 1, 'a', 0.25), (31, 1, 'b', 3)`);
  await total.become([{ n: 3 }]);
  await titles.become([{ title: 'a', state: 'open' }, { title: 'b', state: 'open' }]);
  await until('the group', () => counts.rows.some((row) => row.team_id === 1 && row.n === 3 && row.cheapest === 0.25));
  await sql('delete from ticket where id in (30, 31)');
  await total.become([{ n: 1 }]);
  await titles.become([{ title: 'a', state: 'open' }]);
  await live.close();
});

test('truncate, rollback, savepoints, a statement over many rows', async () => {
  const live = await open(staff);
  await sql(`insert into note values (1, 1, 'one')`);
  const notes = await live.subscribe('n', 'notes', { ticket: 1 }).ready();
  await sql(`begin; insert into note values (2, 1, 'two'); rollback`);
  await sql(`begin; insert into note values (3, 1, 'three'); savepoint s; insert into note values (4, 1, 'four'); rollback to s; commit`);
  await notes.become([{ id: 1, body: 'one' }, { id: 3, body: 'three' }]);
  await sql(`insert into note select i, 1, repeat('long ', 1000) from generate_series(10, 400) i`);
  await until('all of them', () => notes.rows.length === 393);
  await sql('truncate note');
  await notes.become([]);
  assert.ok(notes.frames.every((frame) => !JSON.stringify(frame).includes('four')));
  await live.close();
});

test('subscriptions are refused one by one', async () => {
  const live = await open('bob');
  const code = async (message) => {
    live.say({ type: 'subscribe', ...message });
    return (await live.frame(`an answer to ${message.id}`, (frame) => frame.id === message.id && frame.type === 'error')).code;
  };
  assert.equal(await code({ id: 'a', query: 'nothing', params: {} }), 'unknown_query');
  assert.equal(await code({ id: 'b', query: 'tickets' }), 'bad_params');
  assert.equal(await code({ id: 'c', query: 'tickets', params: { team_id: 'two' } }), 'bad_params');
  assert.equal(await code({ id: 'd', query: 'tickets', params: { team_id: 1, more: 1 } }), 'bad_params');
  assert.equal(await code({ id: 'e', query: 'mine', params: { team: 1 } }), 'bad_params');
  const held = await live.subscribe('held', 'tickets', { team_id: 2 }).ready();
  for (const [bad, expected] of [['{', 'object'], ['[]', 'object'], ['{"type":1}', 'strings'], ['{"type":"dance"}', 'subscribe, unsubscribe'],
    ['{"type":"subscribe","query":"mine"}', '"id"'], ['{"type":"subscribe","id":"held","query":"mine"}', 'in use'], ['{"type":"unsubscribe","id":"x"}', 'no subscription'],
    ['{"type":"ping","type":"ping"}', 'twice'], [`{"type":"subscribe","id":"${'x'.repeat(65)}","query":"mine"}`, '64 bytes']]) {
    live.frames.length = 0;
    live.say(bad);
    const frame = await live.frame(`an answer to ${bad}`, (f) => f.type === 'error');
    assert.equal(frame.code, 'bad_message');
    assert.ok(frame.message.includes(expected), `${bad}: ${frame.message}`);
  }
  live.say({ type: 'ping', id: 'p' });
  await live.frame('pong', (frame) => frame.type === 'pong' && frame.id === 'p');
  await sql(`insert into ticket (id, team_id, title) values (40, 2, 'still')`);
  await until('the others go on', () => held.rows.length === 2);
  live.say({ type: 'unsubscribe', id: 'held' });
  await until('the end', () => held.ended);
  await sql('delete from ticket where id = 40');
  await live.close();
});

test('a row that matches is told without asking PostgreSQL, one that cannot be told is asked for', async () => {
  const live = await open(staff), other = await open(staff);
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  const elsewhere = await other.subscribe('e', 'tickets', { team_id: 2 }).ready();
  await sql(`insert into ticket (id, team_id, title) values (70, 1, 'matched')`);
  await until('the row', () => tickets.rows.length === 2);
  const before = await ways(app);
  await sql(`update ticket set team_id = 2 where id = 70`);
  await until('it to move', () => tickets.rows.length === 1 && elsewhere.rows.length === 2);
  await sql('delete from ticket where id = 70');
  await until('it to go', () => elsewhere.rows.length === 1);
  const after = await ways(app);
  assert.deepEqual(after, { matching: before.matching + 3, asking: before.asking });
  const titles = await live.subscribe('d', 'titles', { team: 1 }).ready();
  assert.equal((await ways(app)).asking, after.asking + 1);
  await sql(`insert into ticket (id, team_id, title) values (71, 3, 'of another team')`);
  await sql(`insert into ticket (id, team_id, title) values (72, 1, 'of this one')`);
  await titles.become([{ title: 'a', state: 'open' }, { title: 'of this one', state: 'open' }]);
  assert.equal((await ways(app)).asking, after.asking + 2, 'the other team does not concern it');
  await sql('delete from ticket where id in (71, 72)');
  await titles.become([{ title: 'a', state: 'open' }]);
  await live.close();
  await other.close();
});

/** What PostgreSQL itself answers a caller with these claims. */
async function plain(claims, query) {
  await sql('begin');
  try {
    await sql(`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`, [JSON.stringify(claims)]);
    return (await sql(query)).rows;
  } finally {
    await sql('rollback');
  }
}

test('a claim that cannot be cast ends a query only where PostgreSQL has to cast it', async () => {
  const upstairs = { app_metadata: { floor: 'upstairs' } }, seventh = { app_metadata: { floor: '7' } };
  await sql('insert into sign values (1, 1, 7, true), (2, 2, 7, false)');
  assert.deepEqual(await plain(upstairs, 'select id::int from public.sign where hall = 1'), [{ id: 1 }]);
  await assert.rejects(plain(upstairs, 'select id from public.sign where hall = 2'), { code: '22P02' });
  const live = await open({ sub: ada, ...upstairs });
  const signs = await live.subscribe('s', 'signs', { hall_no: 1 }).ready();
  assert.deepEqual(signs.rows, [{ id: 1 }]);
  assert.equal((await live.subscribe('t', 'signs', { hall_no: 2 }).ready()).error.code, '22P02');
  const asked = await ways(app);
  await sql('insert into sign values (3, 1, 8, true)');
  await signs.become([{ id: 1 }, { id: 3 }]);
  assert.deepEqual(await ways(app), { ...asked, asking: asked.asking + 1 });
  live.say({ type: 'token', token: token(ada, seventh) });
  await sql('insert into sign values (4, 1, 7, false)');
  await signs.become([{ id: 1 }, { id: 3 }, { id: 4 }]);
  const matched = await ways(app);
  await sql('insert into sign values (5, 1, 7, false)');
  await signs.become([{ id: 1 }, { id: 3 }, { id: 4 }, { id: 5 }]);
  assert.equal((await ways(app)).asking, matched.asking, 'the claim can be cast, so rows are matched again');
  live.say({ type: 'token', token: token(ada, upstairs) });
  await until('the cast', () => signs.error);
  assert.equal(signs.error.code, '22P02');
  await live.close();
});

test('values of every kind arrive by matching as they do by asking', async () => {
  const live = await open(staff);
  await sql(`insert into note values (90, 9, E'quote " slash \\\\ tab \t line \n \u00e9 \U0001F600')`);
  const notes = await live.subscribe('n', 'notes', { ticket: 9 }).ready();
  const snapshot = notes.rows[0].body;
  await sql('delete from note where id = 90');
  await notes.become([]);
  await sql('insert into note values (90, 9, $1)', [snapshot]);
  await notes.become([{ id: 90, body: snapshot }]);
  await sql('delete from note');
  await live.close();
});

test('a label that its type got after the server was built stands where PostgreSQL has it', async () => {
  const live = await open('ada');
  const early = await live.subscribe('e', 'by_state', { team: 1 }).ready(), rows = (...all) => all.map(([id, state]) => ({ id, state }));
  assert.deepEqual(early.rows, rows([1, 'open']));
  await sql(`alter type state add value 'urgent' before 'open'`);
  await sql(`insert into ticket (id, team_id, title, state) values (70, 1, 'now', 'urgent'), (71, 1, 'later', 'pending')`);
  await early.become(rows([70, 'urgent'], [1, 'open'], [71, 'pending']), { ordered: true });
  const late = await live.subscribe('l', 'by_state', { team: 1 }).ready();
  assert.deepEqual(late.rows, early.rows);
  await sql(`update ticket set state = 'open' where id = 71`);
  for (const one of [early, late]) await one.become(rows([70, 'urgent'], [1, 'open'], [71, 'open']), { ordered: true });
  await sql('delete from ticket where id in (70, 71)');
  for (const one of [early, late]) await one.become(rows([1, 'open']), { ordered: true });
  await live.close();
});

const hits = () => limitHits(app.admin_port);
const limits = {
  async live_subscriptions() {
    const live = await open('ada');
    const all = Array.from({ length: 101 }, (_, i) => live.subscribe(`s${i}`, 'tickets', { team_id: 1 }));
    await Promise.all(all.map((one) => one.ready()));
    assert.equal(all.filter((one) => one.error?.code === 'too_many').length, 1);
    await live.close();
  },
  async live_result() {
    await sql('insert into note select i, 7, i::text from generate_series(1, 10001) i');
    const live = await open(staff);
    const notes = await live.subscribe('n', 'notes', { ticket: 7 }).ready();
    assert.equal(notes.error.code, 'too_large');
    await sql('delete from note where id = 1');
    assert.equal((await live.subscribe('m', 'notes', { ticket: 7 }).ready()).rows.length, 10000);
    await live.close();
    await sql('delete from note');
  },
  async live_queue() {
    const live = await open(staff);
    const notes = await live.subscribe('n', 'notes', { ticket: 8 }).ready();
    live.socket.pause();
    for (let i = 0; (await hits()).live_queue === 0; i++) {
      assert.ok(i < 400, 'it never waits');
      await sql(`insert into note values (8, 8, repeat('${i % 10}', 5000000)) on conflict (id) do update set body = excluded.body`);
    }
    await sql(`update note set body = 'the last' where id = 8`);
    live.socket.resume();
    await notes.become([{ id: 8, body: 'the last' }]);
    await live.close();
    await sql('delete from note');
  },
  async live_controls() {
    const live = await open('ada');
    let answered = 0;
    live.socket.on('pong', () => { answered++; });
    for (let i = 0; i < 50; i++) live.socket.ping();
    await until('pongs', () => answered === 50);
    for (let i = 0; i < 2000 && live.socket.readyState === live.socket.OPEN; i++) {
      live.socket.ping();
      if (i % 20 === 0) await new Promise((done) => { setImmediate(done); });
    }
    assert.equal((await live.closed).code, 1006);
    assert.ok(answered >= 50 && answered < 2050);
  },
  async live_idle() {
    const stays = await open('ada'), live = await open('ada', { autoPong: false });
    await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
    assert.deepEqual(await live.closed, { code: 1001, reason: 'no answer to a ping' });
    await stays.subscribe('t', 'tickets', { team_id: 1 }).ready(); // it has answered, and said nothing else
    await stays.close();
  },
};
for (const [limit, provoke] of Object.entries(limits))
  test(`limit: ${limit}`, async () => {
    const before = (await hits())[limit];
    await provoke();
    assert.ok((await hits())[limit] > before);
  });

test('each limit of live queries has a case here', async () => {
  const elsewhere = ['live_asked', 'live_behind', 'live_claims', 'live_kept', 'live_outbox', 'live_unfed']; // tests/1-unit/runtime_turns_test.c, runtime_hub_test.c, runtime_shelf_test.c, live_outbox.test.mjs, live_idle.test.mjs
  assert.deepEqual(Object.keys(await hits()).filter((name) => name.startsWith('live_')).sort(), [...Object.keys(limits), ...elsewhere].sort());
});

test('refused before the upgrade', async () => {
  assert.equal((await refusal(open('none'))).status, 401);
  assert.equal((await refusal(open('nonsense'))).status, 401);
  assert.equal((await refusal(open('service'))).status, 401);
  assert.equal((await refusal(open({ sub: ada, exp: now() - 60 }))).status, 401);
  assert.equal((await refusal(open('ada', { origin: 'https://evil.example' }))).status, 403);
  const plain = await app.ask('ada', 'GET', '/live/v1');
  assert.equal(plain.status, 426);
  assert.equal(plain.headers.upgrade, 'websocket');
  assert.equal((await refusal(open('ada', { protocolVersion: 8 }))).status, 426);
});

test('the token may come by header, URL or subprotocol, and stands in no log', async () => {
  const jwt = token(ada);
  for (const options of [{ headers: { authorization: `Bearer ${jwt}` } }, { query: `?token=${jwt}` }, { protocols: ['pgstack.live.v1', `bearer.${jwt}`] }]) {
    const live = await Live.open(app.port, options);
    await live.subscribe('m', 'mine').ready();
    await live.close();
  }
  const same = await Live.open(app.port, { query: `?token=${jwt}`, origin: `http://127.0.0.1:${app.port}` });
  await same.close();
  assert.ok(!app.server.output().includes(jwt));
});

test('an anonymous caller has no query', async () => {
  const live = await open('anon');
  assert.equal((await live.subscribe('t', 'tickets', { team_id: 1 }).ready()).error.code, 'unknown_query');
  await live.close();
});

test('a fresh token on the open socket', async () => {
  const live = await open('bob');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  assert.deepEqual(tickets.rows, []);
  live.say({ type: 'token', token: token(ada) });
  await until('what ada may see', () => tickets.rows.length === 1);
  live.say({ type: 'token', token: 'nonsense' });
  assert.equal((await live.closed).code, 4401);
});

test('what was asked for as the caller before is not told to the next one', async () => {
  const live = await open('ada');
  await sql('begin; lock table ticket in access exclusive mode');
  const tickets = live.subscribe('t', 'tickets', { team_id: 1 });
  try {
    await until('it to be asked for', async () => (await sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).rows.length > 0);
    live.say({ type: 'token', token: token(bob) });
    await live.frame('the fresh token', (frame) => frame.type === 'token');
  } finally {
    await sql('rollback');
  }
  await tickets.ready();
  assert.deepEqual(live.frames.filter((frame) => frame.id === 't').map(({ type, rows }) => ({ type, rows })), [{ type: 'snapshot', rows: [] }]);
  await live.close();
});

test('a token that expires ends the connection', async () => {
  const short = { sub: ada, exp: now() - 1 }; // within JWT_LEEWAY, for four seconds more
  const live = await open(short), stream = events('/live/v1/stream?query=mine', credentials(short), () => false);
  await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  assert.deepEqual(await live.closed, { code: 4401, reason: 'token expired' });
  assert.equal(live.frames.at(-1).code, 'token', 'and says so before');
  assert.deepEqual((await stream).frames.map(({ type, code }) => [type, code]), [['snapshot', undefined], ['error', 'token']]);
});

test('rules of the wire', async () => {
  const binary = await open('ada');
  binary.say(Buffer.from([1, 2, 3]));
  assert.equal((await binary.closed).code, 1003);
  const large = await open('ada');
  large.say(JSON.stringify({ type: 'ping', id: 'x'.repeat(70000) }));
  assert.equal((await large.closed).code, 1009);
});

test('the feed is lost and found', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  for (let i = 0; i < 3; i++) {
    await sql(`select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'api_live'`);
    await sql(`insert into ticket (id, team_id, title) values (${50 + i}, 1, 'missed?')`);
    await until('what was missed', () => tickets.rows.length === 2 + i);
  }
  await until('the reason', () => /"live_feed_lost","why":"FATAL: +terminating connection due to administrator command/.test(app.server.output()));
  await sql('delete from ticket where id >= 50');
  await until('the rest', () => tickets.rows.length === 1);
  await live.close();
});

/** Reads events until `enough` says so. */
async function events(path, headers, enough, { method = 'GET' } = {}) {
  const controller = new AbortController();
  const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { method, headers, signal: AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]) });
  const frames = [];
  if (response.status !== 200) return { response, body: await response.json() };
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2))
      if (text.startsWith('id: ')) frames.push(JSON.parse(text.slice(text.indexOf('\ndata: ') + 7, end)));
    if (await enough(frames)) break;
  }
  controller.abort();
  return { response, frames };
}

test('the same as Server-Sent Events', async () => {
  const params = encodeURIComponent('{"team_id":1}');
  let wrote = false;
  const { response, frames } = await events(`/live/v1/stream?query=tickets&params=${params}`, credentials('ada'), async (all) => {
    if (all.length === 1 && !wrote) { wrote = true; await sql(`insert into ticket (id, team_id, title) values (60, 1, 'ça')`); }
    return all.length === 2;
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('content-encoding'), null);
  assert.deepEqual(frames.map((frame) => [frame.type, frame.id, frame.seq]), [['snapshot', 'tickets', 1], ['delta', 'tickets', 2]]);
  assert.deepEqual(frames[1].inserted, [{ id: 60, team_id: 1, title: 'ça', state: 'open' }]);
  await sql('delete from ticket where id = 60');
  const subscribe = (message) => `subscribe=${encodeURIComponent(JSON.stringify(message))}`;
  const many = await events(`/live/v1/stream?${subscribe({ id: 'a', query: 'tickets', params: { team_id: 1 } })}&${subscribe({ id: 'b', query: 'mine' })}&${subscribe({ id: 'c', query: 'none' })}`, credentials('ada'), (all) => all.length === 3);
  assert.deepEqual(many.frames.map((frame) => [frame.type, frame.id]).sort(), [['error', 'c'], ['snapshot', 'a'], ['snapshot', 'b']]);
});

test('a stream is refused', async () => {
  for (const [path, who, status] of [['?query=tickets', 'none', 401], ['', 'ada', 400], ['?query=a&query=b', 'ada', 400], ['?what=1', 'ada', 400], ['?query=%zz', 'ada', 400], ['?query', 'ada', 400]])
    assert.equal((await events(`/live/v1/stream${path}`, credentials(who), () => true)).response.status, status, path);
  assert.equal((await events('/live/v1/stream?query=mine', credentials('ada'), () => true, { method: 'POST' })).response.status, 405);
});

test('a server that stops says so', async () => {
  const live = await open('ada');
  await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  let seen = 0;
  const stream = events('/live/v1/stream?query=mine', credentials('ada'), ({ length }) => { seen = length; return false; }).then(({ frames }) => frames.length);
  await until('the stream', () => seen === 1);
  const stopped = app.restart();
  assert.deepEqual(await live.closed, { code: 1001, reason: 'the server is stopping' });
  assert.equal(await stream, 1);
  await stopped;
});

test('under random writes, moves, memberships and lost feeds, subscribers hold what they would be answered', { timeout: 600000 }, async () => {
  await compareUnderWrites({
    open, db: app.db, people: [{ sub: ada }, { sub: bob }, { sub: eve }, staff], connect: () => connect(app.cluster, app.name),
    lose: `select pg_terminate_backend(active_pid) from pg_replication_slots where database = 'api_live'`,
  });
  await sql('delete from ticket where id >= 1000; delete from note; delete from member');
  await sql(`insert into member values (1, '${ada}'), (2, '${ada}'), (2, '${bob}')`);
});
