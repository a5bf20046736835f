// What comes late: a log that tells of what an answer holds already, a table that is locked, a log
// that cannot be followed again while somebody writes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { sleep, until, within } from '../lib/process.mjs';
import { ways } from './board.mjs';

const seed = `insert into team values (1, 'one'), (2, 'two'); insert into member values (1, '${users.ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a'), (2, 2, 'secret')`;

let app, other;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_late', seed, env: { LOCK_TIMEOUT: '200ms' } });
  other = await connect(await theCluster(), 'api_live_late');
});
after(async () => {
  await other?.end();
  await app?.close();
});

const sql = (text, values) => app.db.query(text, values);
const open = (who = 'ada') => Live.open(app.port, { headers: credentials(who) });

/** The process that sends the log. */
const sender = () => until('the log to be followed', async () =>
  (await sql(`select active_pid as pid from pg_replication_slots where database = 'api_live_late' and active`)).rows[0]?.pid);

test('what an answer holds is not told once more by a log that is behind', async () => {
  const live = await open();
  await live.subscribe('m', 'mine', {}).ready();
  const pid = await sender();
  process.kill(pid, 'SIGSTOP');
  try {
    await sql(`update ticket set title = 'b' where id = 1`);
    await sql(`update ticket set title = 'c' where id = 1`);
    await sql(`update ticket set team_id = 1 where id = 2`); // not for ada, until it is blank
    await sql(`delete from member where team_id = 1`);
    await sql(`update ticket set title = '-' where id = 2`);
    await sql(`insert into member values (1, '${users.ada}')`);
    await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
    live.subscribe('n', 'total', { team: 1 }); // counted by a turn that is behind the log too
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const held = live.subscriptions.get('t');
  assert.deepEqual(held.rows.map(({ title }) => title).sort(), ['-', 'c']);
  await sql(`insert into ticket (id, team_id, title) values (3, 1, 'last')`);
  await until('what is new', () => held.rows.some(({ id }) => id === 3));
  assert.deepEqual(held.frames.slice(1).map(({ inserted, updated = [], deleted = [] }) => [inserted.map(({ id }) => id), updated, deleted]), [[[3], [], []]]);
  await live.subscriptions.get('n').become([{ n: 3 }]);
  await live.close();
});

test('what an answer does not have leads nowhere only if the log tells of nothing else that it saw', async () => {
  await sql(`insert into team values (9, 'nine'); insert into ticket (id, team_id, owner_id, title) values (30, 9, null, 'of a hidden team')`);
  const live = await open(), held = await live.subscribe('w', 'with_team').ready(), pid = await sender(), before_it = (await ways(app)).asking;
  await other.query('begin; lock table team in access exclusive mode');
  try {
    await sql(`update ticket set owner_id = '${users.ada}' where id = 30`);
    const waits = async () => (await sql(`select from pg_locks where relation = 'team'::regclass and not granted`)).rowCount > 0;
    await until('it to be asked for', waits);
    process.kill(pid, 'SIGSTOP');
    await until('LOCK_TIMEOUT', async () => !await waits()); // what is asked next sees all that follows
    await other.query(`delete from ticket where id = 30; insert into member values (9, '${users.ada}'); commit`);
    await until('the answer', async () => (await ways(app)).asking > before_it);
    await sql(`insert into ticket (id, team_id, owner_id, title) values (31, 9, '${users.ada}', 'of the same team, which she sees')`);
  } finally {
    await other.query('rollback');
    process.kill(pid, 'SIGCONT');
  }
  await until('the new one', () => held.rows.some(({ id }) => id === 31));
  await sql('delete from ticket where id = 31; delete from team where id = 9');
  await live.close();
});

test('a table that is locked for a while ends nothing', async () => {
  const live = await open();
  const matched = live.subscribe('m', 'tickets', { team_id: 1 }), asked = live.subscribe('a', 'with_team');
  await Promise.all([matched.ready(), asked.ready()]);
  await other.query('begin; lock table ticket in access exclusive mode');
  try {
    await sql(`insert into member values (2, '${users.ada}')`); // each is asked again
    await sleep(1000); // five times LOCK_TIMEOUT
    await other.query(`insert into ticket (id, team_id, title) values (4, 1, 'behind the lock')`);
  } finally {
    await other.query('commit');
  }
  for (const subscription of [matched, asked]) {
    await until(`${subscription.id} to go on`, () => subscription.rows.some(({ id }) => id === 4), 30_000);
    assert.equal(subscription.error, undefined);
  }
  await live.close();
});

test('while the log cannot be followed again, a socket of one query is ended, and the log of the server says why', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${app.port}/ws/mine`, { headers: credentials('ada'), handshakeTimeout: 60_000 });
  const frames = [], closed = new Promise((ended) => { socket.once('close', ended); });
  socket.on('message', (data) => frames.push(JSON.parse(data)));
  await until('its rows', () => frames.length === 2);
  const live = await open(), held = await live.subscribe('m', 'tickets', { team_id: 1 }).ready();
  await other.query('begin; select pg_current_xact_id()');
  try {
    assert.equal((await sql('select pg_terminate_backend($1)', [await sender()])).rowCount, 1);
    assert.equal(await within('the end of the socket', closed), 1012);
    assert.equal(frames.at(-1).type, 'resubscribed');
    await sql(`insert into ticket (id, team_id, title) values (5, 1, 'unheard of')`);
    await until('the reason', () => app.server.output().includes('"live_feed_waits"'), 60_000);
    assert.ok((await scrape(app.admin_port)).value('pgstack_live_feed_waits_total') >= 1); // others of the cluster may write for long, too
  } finally {
    await other.query('commit');
  }
  await until('the log', () => held.rows?.some(({ id }) => id === 5), 60_000);
  await live.close();
});
