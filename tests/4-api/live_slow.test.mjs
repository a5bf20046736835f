// Live queries that take long, or give much: they cost their subscriber, and nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { connect } from '../lib/postgres.mjs';
import { growth, most_kB, sleep, until } from '../lib/process.mjs';

const { ada, eve } = users;
const staff = { sub: eve, staff: 'yes' };
const seed = `insert into team values (1, 'one'); insert into member values (1, '${ada}');
  insert into ticket (id, team_id, title) values (1, 1, 'a'); insert into sign (id, hall, shown) values (1, 1, true);
  insert into note select i, 7, 'x' from generate_series(1, 2000) i; insert into note select 10000 + i, 8, repeat('x', 1000000) from generate_series(1, 100) i`;

let app, locker;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_slow', seed, env: { THREADS: '1', SLOW_LANE_AFTER: '20ms', LOCK_TIMEOUT: '60s', STATEMENT_TIMEOUT: '60s' } });
  locker = await connect(app.cluster, app.name);
  await sql('alter policy seen on sign using (shown and (select count(pg_advisory_xact_lock_shared(4711))) = 1)');
});
after(async () => { await locker?.end(); await app?.close(); });

const open = (who) => Live.open(app.port, { headers: credentials(who) });
const sql = (text, values) => app.db.query(text, values);
const signs = { hall_no: 1 };

/** Until `release`, whoever asks for signs waits; nothing is written, which would hold up slots of the whole cluster. */
async function hold() {
  await locker.query('select pg_advisory_lock(4711)');
  return { release: () => locker.query('select pg_advisory_unlock(4711)') };
}
const waiting = async () => (await sql(`select count(*)::int as n from pg_locks where not granted and locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`)).rows[0].n;
const waits = (n) => until(`${n} to wait for the signs`, async () => await waiting() === n, 20_000);

/** From now on the server knows that signs take long. */
async function learn() {
  const held = await hold(), live = await open('ada'), first = live.subscribe('first', 'signs', signs);
  await waits(1);
  await sleep(500); // a multiple of SLOW_LANE_AFTER
  await held.release();
  await first.ready();
  await live.close();
}

test('who asks for what takes long keeps nobody waiting, and is not worked for once he has left', async () => {
  await learn();
  const held = await hold(), slow = await open('ada'), quick = await open(staff);
  try {
    const all = Array.from({ length: 60 }, (_, i) => slow.subscribe(`s${i}`, 'signs', signs));
    await waits(1);
    const counts = await quick.subscribe('c', 'counts', {}).ready(), with_team = await slow.subscribe('w', 'with_team', {}).ready();
    await sql(`insert into ticket (id, team_id, title) values (2, 1, 'b')`);
    await counts.become([{ team_id: 1, state: 'open', n: 2, cheapest: null }]);
    await until('the one that is slow to be told of what is quick', () => with_team.rows.length === 2);
    assert.ok(all.every((one) => one.rows === undefined));
    assert.equal(await waiting(), 1, 'one at a time');
    slow.socket.terminate();
    await waits(0);
    await sql('delete from ticket where id = 2');
    await counts.become([{ team_id: 1, state: 'open', n: 1, cheapest: null }]);
  } finally {
    await held.release();
  }
  const again = await open('ada');
  assert.equal((await again.subscribe('s', 'signs', signs).ready()).rows.length, 1, 'and whoever comes then is served');
  await Promise.all([again.close(), quick.close()]);
});

test('the connections of live queries are shown apart', async () => {
  const shown = async (plane, lane) => (await scrape(app.admin_port)).value('pgstack_pool_connections', { plane, lane });
  for (const lane of ['quick', 'slow']) {
    assert.equal(await shown('live', lane), 1);
    assert.equal(await shown('data', lane), 2);
  }
});

test('those who unsubscribe from what takes long do not pile up in PostgreSQL', async () => {
  await learn();
  const held = await hold(), live = await open('ada');
  try {
    for (let i = 0; i < 200; i++) {
      live.say({ type: 'subscribe', id: 'x', query: 'signs', params: signs });
      live.say({ type: 'unsubscribe', id: 'x' });
    }
    await until('all of them to be gone', () => live.frames.filter((one) => one.type === 'unsubscribed').length === 200);
    assert.ok(await waiting() <= 1);
    await waits(0);
  } finally {
    await held.release();
  }
  await live.close();
});

for (const [name, query, params] of [['too many rows', 'crowd', {}], ['too many bytes', 'notes', { ticket: 8 }]])
  test(`a result of ${name} is neither computed nor kept`, async () => {
    const live = await open(staff);
    const grown = await growth(app.server.pid, async () => {
      const large = await live.subscribe('l', query, params).ready();
      assert.equal(large.error?.code, 'too_large');
    });
    assert.ok(grown < most_kB, `${grown} kB more`);
    assert.equal((await live.subscribe('n', 'notes', { ticket: 7 }).ready()).rows.length, 2000);
    await live.close();
  });
