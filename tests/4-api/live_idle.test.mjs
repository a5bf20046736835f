// The log is read for subscribers alone: no slot and no walsender before the first one and a while after the last, and
// whoever comes then misses nothing, or is told.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { createLive } from '../../clients/js/live.js';
import { buildProject, credentials, environment, makeDatabase, startServer, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { token } from '../lib/jwt.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { freePort, sleep, until, within } from '../lib/process.mjs';
import { counts, dice, ordered, question, seed, staff, truth, write, writes } from './board.mjs';

const name = 'live_idle', rests_after_ms = 3000; // LIVE_RESUME_TIME, and what a shelf is swept in
const people = [...['ada', 'bob', 'eve'].map((user) => ({ sub: users[user] })), staff];

let cluster, program, env, server, db;
before(async () => {
  cluster = await Cluster.start();
  const project = await buildProject('tests/4-api/live');
  await makeDatabase(cluster, project, name);
  program = join(project, 'build/server/board');
  env = environment(cluster, name, await freePort(), await freePort(), { LIVE_RESUME_TIME: '1s' });
  db = await connect(cluster, name);
  await db.query(seed);
  server = await startServer(program, env);
});
after(async () => {
  const how = await server?.stop('SIGTERM', 15_000);
  await db?.end();
  await cluster?.stop();
  if (server) assert.equal(how.code, 0, server.output().slice(-4000));
  server?.forget();
});

const open = (who) => Live.open(env.PORT, { headers: credentials(who) });
const events = (of, event) => of.lines().map((line) => JSON.parse(line)).filter((line) => line.event === event);
const opened = () => events(server, 'live_feed_connected').length;
/** Who has a snapshot may know of it sooner than who reads the log. */
const wasOpened = async (times) => {
  await until(`the log to be followed ${times} times`, () => opened() >= times);
  assert.equal(opened(), times);
};
const metric = async (...which) => (await scrape(env.ADMIN_PORT)).value(...which);
const gauges = async () => {
  const metrics = await scrape(env.ADMIN_PORT);
  return Object.fromEntries(['wanted', 'connected'].map((which) => [which, metrics.value(`pgstack_live_feed_${which}`)]));
};
const readers = async () => (await db.rows(`select (select count(*)::int from pg_replication_slots) as slots, (select count(*)::int from pg_stat_replication) as senders,
  (select count(*)::int from pg_stat_activity where usename = 'pgstack_replicator') as sessions`))[0];
const none = { slots: 0, senders: 0, sessions: 0 };
const isUnread = () => until('PostgreSQL to be left alone', async () => JSON.stringify(await readers()) === JSON.stringify(none));
const client = (who) => createLive(`http://127.0.0.1:${env.PORT}`, { token: token(who.sub, who) });
const isReady = async () => (await request(Number(env.PORT), 'GET', '/ready')).status === 200 && (await request(Number(env.PORT), 'GET', '/health')).status === 200;
const total = (live, id = 'n') => live.subscribe(id, 'total', { team: 3 });
const insert = (id) => `insert into ticket (id, team_id, title) values (${id}, 3, 'ticket ${id}')`;

/** A transaction that has a number and stays open while `work` is done. */
async function withOpenTransaction(work) {
  const other = await connect(cluster, name);
  await other.query('begin; select pg_current_xact_id()');
  try {
    return await work(() => other.query('commit'));
  } finally {
    await other.end();
  }
}

/** Connections that write without a pause until told to stop. */
async function beginWriting({ random, pick }) {
  let on = true;
  const done = Promise.all([writes, writes, counts].map(async (kind) => {
    const next = kind({ random, pick }), writer = await connect(cluster, name);
    while (on) await write(writer, next());
    await writer.end();
  }));
  return () => { on = false; return within('the writers to end', done); };
}

/** What each holds is what its caller would be answered. */
async function compare(held) {
  for (const one of held) {
    await one.subscription.become(await truth(db, one), { ordered: ordered.includes(one.query) });
    assert.ifError(one.subscription.live.failure);
  }
}

test('while nobody listens nothing of ours is in PostgreSQL, and the server is ready', async () => {
  await until('the server to have looked', () => events(server, 'live_feed_ready').length === 1);
  assert.equal(events(server, 'live_feed_ready')[0].source, 'log');
  await isUnread();
  await db.query(`${insert(50)}; delete from ticket where id = 50`);
  assert.ok(await isReady());
  assert.deepEqual(await gauges(), { wanted: 0, connected: 0 });
  assert.deepEqual([opened(), events(server, 'live_feed_failed'), await metric('pgstack_live_commits_total')], [0, [], 0]);
});

test('the first subscription has the log read, and what is written meanwhile is not lost; the last one takes the slot along', async () => {
  const stop = await beginWriting(dice()), live = await open(staff), other = await open('ada');
  const held = ['tickets', 'total', 'titles', 'with_team'].flatMap((query) => [[live, staff], [other, people[0]]].map(([on, who]) => {
    const params = { tickets: { team_id: 3 }, total: { team: 3 }, titles: { team: 3 } }[query] ?? {};
    return { who, query, params, subscription: on.subscribe(query, query, params) };
  }));
  for (const { subscription } of held) await subscription.ready();
  assert.deepEqual(await readers(), { slots: 1, senders: 1, sessions: 1 });
  assert.deepEqual([(await gauges()).wanted, (await gauges()).connected], [1, 1]);
  await until('them to be told', () => held.some(({ subscription }) => subscription.seq > 20));
  await stop();
  await compare(held);
  for (const { subscription } of held) assert.equal(new Set(subscription.frames.map(({ gen }) => gen)).size, 1, 'the feed was there before its snapshot');
  await live.close();
  await sleep(rests_after_ms + 1000);
  assert.equal((await readers()).slots, 1, 'somebody listens');
  await other.close();
  await isUnread();
  await wasOpened(1);
  await until('it to rest', () => events(server, 'live_feed_rests').length === 1);
  assert.deepEqual(await gauges(), { wanted: 0, connected: 0 });
  assert.ok(await isReady());
});

test('whoever comes after that has it read once more, a socket of one query too', async () => {
  const stream = await fetch(`http://127.0.0.1:${env.PORT}/live/v1/stream?query=total&params=${encodeURIComponent('{"team":3}')}`,
    { headers: credentials(staff), signal: AbortSignal.timeout(60_000) });
  const reader = stream.body.getReader();
  for (let text = ''; !text.includes('"snapshot"'); text += Buffer.from((await reader.read()).value).toString()) assert.doesNotMatch(text, /"error"/);
  await wasOpened(2);
  await reader.cancel();
  await isUnread();
  const socket = new WebSocket(`ws://127.0.0.1:${env.PORT}/ws/tickets?params=${encodeURIComponent('{"team_id":3}')}`, { headers: credentials(staff), handshakeTimeout: 60_000 });
  const frames = [], closed = new Promise((ended) => { socket.once('close', ended); });
  socket.on('message', (data) => frames.push(JSON.parse(data)));
  await until('its rows', () => frames.length === 2);
  await db.query(insert(60));
  await until('a row', () => frames.length === 3);
  assert.deepEqual(frames.map(({ type, inserted }) => type ?? inserted.filter(({ id }) => id === 60).length), ['subscribed', 0, 1]);
  await db.query('delete from ticket where id = 60');
  socket.terminate();
  await within('its end', closed);
  await isUnread();
  await wasOpened(3);
});

test('who comes back while the log is still read goes on; later it is told to begin anew', async () => {
  const before_it = opened(), lose = async (live) => {
    live.socket.on('error', () => {});
    live.socket.terminate();
    await live.closed;
    await until('the server to have heard of it', async () => await metric('pgstack_live_subscriptions') === 0);
  };
  let live = await open(staff);
  const tickets = await live.subscribe('t', 'tickets', { team_id: 3 }).ready();
  await db.query(insert(61));
  for (let i = 0; tickets.resumed === 0; i++) {
    assert.ok(i < 10, 'it is never in time');
    await lose(live);
    live = await open(staff);
    live.resume(tickets, 'tickets', { team_id: 3 });
    await until('an answer', () => tickets.resumed + tickets.resets > i);
  }
  await until('what was missed', () => tickets.rows?.some(({ id }) => id === 61));
  await wasOpened(before_it + 1);
  const { resets } = tickets;
  await lose(live);
  await isUnread();
  await db.query('delete from ticket where id = 61');
  const last = await open(staff), { gen } = tickets;
  last.resume(tickets, 'tickets', { team_id: 3 });
  await until('it to begin anew', () => tickets.resets > resets && tickets.rows !== undefined);
  assert.ok(!tickets.rows.some(({ id }) => id === 61));
  assert.notEqual(tickets.gen, gen);
  assert.equal(tickets.resumed, 1);
  await wasOpened(before_it + 2);
  await last.close();
});

test('subscribers who come and go at random under writes, also in the moment when the log is left', { timeout: 600_000 }, async () => {
  const { random, pick } = dice(), before_it = opened(), rounds = process.env.LONG ? 100 : 6;
  let n = 0;
  for (let round = 0; round < rounds; round++) {
    const stop = await beginWriting({ random, pick }), held = [], lives = [];
    await sleep(round === 0 ? 0 : rests_after_ms - 50 + random(250)); // since the last one left
    for (let client = 0; client <= random(4); client++) {
      const who = pick(people), live = await open(who);
      lives.push(live);
      for (let i = 0; i < 5; i++) {
        const one = { who, ...question({ random, pick }, who) };
        held.push({ ...one, subscription: live.subscribe(`s${n++}`, one.query, one.params) });
        await sleep(random(30));
      }
      if (random(3) === 0) held.splice(random(held.length), 1)[0].subscription.leave();
    }
    await sleep(random(300));
    await stop();
    await compare(held);
    for (const live of lives) await live.close();
  }
  console.log(`${n} subscriptions; the log was followed ${opened() - before_it} times`);
  assert.ok(opened() > before_it);
});

test('limit: live_unfed: while a transaction holds up the slot a subscriber is told so in time, and served when it has ended', async () => {
  await isUnread();
  const hits = await metric('pgstack_limit_hits_total', { limit: 'live_unfed' }), waits = events(server, 'live_feed_waits').length, live = await open(staff);
  const page = client(staff), errors = [];
  await withOpenTransaction(async (end) => {
    const subscription = total(live);
    const shown = page.live('total', { team: 3 }, { onError: ({ code, willRetry }) => errors.push([code, willRetry]) });
    const refused = await live.frame('a refusal', ({ type }) => type === 'error');
    assert.deepEqual(refused, { type: 'error', id: 'n', code: 'unavailable', message: 'Changes cannot be followed at the moment' });
    assert.equal(subscription.rows, undefined);
    await until('the reason', () => events(server, 'live_feed_waits').length === waits + 1);
    assert.deepEqual(await gauges(), { wanted: 1, connected: 0 });
    assert.ok(await metric('pgstack_limit_hits_total', { limit: 'live_unfed' }) > hits);
    assert.ok(await isReady());
    const status = await new Promise((answer) => {
      const socket = new WebSocket(`ws://127.0.0.1:${env.PORT}/ws/mine`, { headers: credentials('ada'), handshakeTimeout: 60_000 });
      socket.on('error', () => {}).once('unexpected-response', (_, response) => { response.resume(); answer(response.statusCode); });
      socket.once('open', () => { socket.terminate(); answer(101); });
    });
    assert.equal(status, 503, 'it is known by now');
    await end();
    await until('its rows', () => subscription.rows && shown.rows); // they have asked again
    assert.ok(errors.length > 0 && errors.every(([code, willRetry]) => code === 'unavailable' && willRetry), JSON.stringify(errors));
    await db.query(insert(62));
    await subscription.become(await truth(db, { who: staff, query: 'total', params: { team: 3 } }));
    await until('the page to have it', async () => JSON.stringify(shown.rows) === JSON.stringify(await truth(db, { who: staff, query: 'total', params: { team: 3 } })));
    await db.query('delete from ticket where id = 62');
  });
  page.close();
  await live.close();
});

test('a server that is exchanged for another takes its slot along, and its clients go on', async () => {
  const page = client(staff), shown = page.live('total', { team: 3 }), old = server.pid;
  await until('its rows', () => shown.rows);
  process.kill(server.supervisor, 'SIGHUP');
  await until('the next one', () => server.pid !== old);
  await db.query(insert(64));
  await until('what is new', async () => JSON.stringify(shown.rows) === JSON.stringify(await truth(db, { who: staff, query: 'total', params: { team: 3 } })));
  await until('one slot', async () => (await readers()).slots === 1);
  page.close();
  await isUnread();
  await db.query('delete from ticket where id = 64');
});

test('where the last one leaves before there is a slot, it is given up, whoever still writes', async () => {
  await isUnread();
  await withOpenTransaction(async () => {
    const live = await open(staff);
    total(live);
    await until('a slot to be made', async () => (await readers()).slots === 1);
    await live.close();
    await isUnread();
  });
  const live = await open(staff), subscription = await total(live).ready();
  await db.query(insert(63));
  await subscription.become(await truth(db, { who: staff, query: 'total', params: { team: 3 } }));
  await live.close();
});

test('a server that ends before there is a slot leaves none behind', async () => {
  await isUnread();
  await withOpenTransaction(async () => {
    const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) }, other = await startServer(program, { ...env, ...ports });
    const live = await Live.open(ports.PORT, { headers: credentials(staff) });
    total(live);
    await until('a slot to be made', async () => (await readers()).slots === 1);
    assert.deepEqual(await other.stop('SIGTERM', 30_000), { code: 0, signal: null });
    other.forget();
    await isUnread();
  });
});

test('a commit that waits for a standby in the moment when the slot is made is not lost', async () => {
  await isUnread();
  const [first, second, writer] = await Promise.all(Array.from({ length: 3 }, () => connect(cluster, name)));
  const begin = async (one) => (await one.query('begin; set local synchronous_commit = local; select pg_current_xact_id()::xid as xid'))[2].rows[0].xid;
  const isWaitedFor = (xid) => until(`${xid} to be waited for`, async () => (await db.query('select from pg_locks where not granted and transactionid = $1', [xid])).rowCount > 0);
  const waitsForStandby = async () => (await db.query(`select from pg_stat_activity where wait_event = 'SyncRep'`)).rowCount > 0;
  const live = await open(staff);
  await db.query('set synchronous_commit = local');
  await writer.query('set synchronous_commit = on');
  try {
    await db.query(`alter system set synchronous_standby_names = 'nobody'`);
    await db.query('select pg_reload_conf()');
    await until('the standby to be waited for', async () => { // not before the checkpointer has heard of it
      let has_ended = false;
      const probe = writer.query(`select pg_logical_emit_message(true, '', '')`).then(() => { has_ended = true; });
      await until('it to wait or to end', async () => has_ended || waitsForStandby());
      if (has_ended) return false;
      await db.query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`);
      await probe;
      return true;
    });
    const before_it = await begin(first);
    live.subscribe('t', 'tickets', { team_id: 3 });
    await isWaitedFor(before_it);
    const meanwhile = await begin(second);
    await first.query('commit');
    await isWaitedFor(meanwhile);
    const written = writer.query(insert(71)); // what the slot does not tell of
    await until('it to be committed but for its standby', waitsForStandby);
    await second.query('commit');
    await until('the slot', async () => (await db.query('select from pg_replication_slots where confirmed_flush_lsn is not null')).rowCount > 0);
    await db.query('alter system reset synchronous_standby_names');
    await db.query('select pg_reload_conf()');
    await within('the commit', written);
  } finally {
    await db.query('alter system reset synchronous_standby_names');
    await db.query('select pg_reload_conf(); reset synchronous_commit');
    for (const one of [first, second, writer]) await one.end();
  }
  await live.subscriptions.get('t').become(await truth(db, { who: staff, query: 'tickets', params: { team_id: 3 } }));
  await db.query('delete from ticket where id = 71');
  await live.close();
});

test('the host that was found at the start is asked first when somebody comes', async () => {
  let asked = 0;
  const clients = new Set(), silent = createServer((client) => { asked++; clients.add(client.on('error', () => {})); }); // lets connect, and says nothing
  const port = await freePort();
  await new Promise((listening) => { silent.listen(port, '127.0.0.1', listening); });
  const url = env.LIVE_DATABASE_URL.replace('@', `@127.0.0.1:${port},`);
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) }, other = await startServer(program, { ...env, ...ports, LIVE_DATABASE_URL: url });
  try {
    await until('the second host to be found', () => events(other, 'live_feed_ready').length === 1);
    const asked_at_start = asked;
    assert.ok(asked_at_start > 0, 'the first one was tried');
    const live = await Live.open(ports.PORT, { headers: credentials(staff) });
    assert.equal((await total(live).ready()).error, undefined);
    assert.equal(asked, asked_at_start, 'and not again');
    await live.close();
  } finally {
    await other.stop('SIGTERM', 15_000);
    other.forget();
    for (const client of clients) client.destroy();
    silent.close();
  }
  await isUnread();
});

test('what is wrong is said at the start, though nobody listens, and so is that it is mended', async () => {
  const wrongs = {
    'permission denied|replication role': ['alter role pgstack_replicator noreplication', 'alter role pgstack_replicator replication'],
    'there is no publication pgstack_live': ['alter publication pgstack_live rename to pgstack_other', 'alter publication pgstack_other rename to pgstack_live'],
    'no replication slot is free': [
      `select pg_create_physical_replication_slot('taken_' || i) from generate_series(1, current_setting('max_replication_slots')::int) i`,
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots'],
  };
  await isUnread();
  for (const [why, [spoil, mend]] of Object.entries(wrongs)) {
    await db.query(spoil);
    const other = await startServer(program, { ...env, PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) });
    try {
      const [said] = await until(why, () => { const all = events(other, 'live_feed_failed'); return all.length > 0 && all; });
      assert.match(said.why, new RegExp(why));
      await db.query(mend);
      await until('it to be well', () => events(other, 'live_feed_ready').length === 1);
      assert.equal(events(other, 'live_feed_failed').length, 1, 'said once');
    } finally {
      await other.stop('SIGTERM', 15_000);
      other.forget();
    }
  }
});
