// Groups that are counted as the log tells of their rows: what subscribers hold is what PostgreSQL would answer them,
// and it is not asked where that is known.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { connect } from '../lib/postgres.mjs';
import { sleep, until } from '../lib/process.mjs';
import { counted, counts, dice, followed, question, seed, staff, truth, ways, write } from './board.mjs';

const { ada, bob, eve } = users;
let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_aggregate', seed });
  await followed(app);
});
after(() => app.close());

const open = (who) => Live.open(app.port, { headers: credentials(who) });
const sql = (text, values) => app.db.query(text, values);
const sale = (id, team, state, amount, day) => `insert into sale (id, team_id, state, amount, weight, day) values (${id}, ${team}, ${state}, ${amount}, ${amount}, '${day}')`;

/** Runs each statement and waits for what it makes of the rows; then how many results were matched and how many asked for. */
async function follow(held, steps) {
  const before_it = await ways(app);
  for (const [text, rows] of steps) {
    await sql(text);
    await held.become(rows);
  }
  const after_it = await ways(app);
  return { matching: after_it.matching - before_it.matching, asking: after_it.asking - before_it.asking };
}

/** A group of `sales`: amounts and days of its rows. */
function group(state, ...rows) {
  const amounts = rows.map(([amount]) => amount).filter((amount) => amount !== null), days = rows.map(([, day]) => day).sort();
  const sum = amounts.length > 0 ? amounts.reduce((a, b) => a + b) : null;
  return { state, paid: null, n: rows.length, known: amounts.length, amount: sum, weight: sum, first: days[0], last: days.at(-1) };
}

test('groups begin, grow, shrink, move and end without a question', async () => {
  const live = await open(staff), most = 2147483647;
  const sales = await live.subscribe('s', 'sales', { team: 1 }).ready();
  assert.deepEqual([sales.key, sales.rows], [['state', 'paid'], []]);
  const did = await follow(sales, [
    [sale(1, 1, `'open'`, 5, '2026-01-01'), [group('open', [5, '2026-01-01'])]],
    [sale(2, 1, `'open'`, null, '2026-01-09'), [group('open', [5, '2026-01-01'], [null, '2026-01-09'])]],
    [sale(3, 1, null, most, '2026-01-05'), [group('open', [5, '2026-01-01'], [null, '2026-01-09']), group(null, [most, '2026-01-05'])]],
    [`${sale(4, 1, null, most, '2026-01-09')}; ${sale(5, 1, null, 1, '2026-01-01')}`,
      [group('open', [5, '2026-01-01'], [null, '2026-01-09']), group(null, [most, '2026-01-05'], [most, '2026-01-09'], [1, '2026-01-01'])]],
    [`update sale set state = 'open', amount = 2, weight = 2 where id = 3`,
      [group('open', [5, '2026-01-01'], [null, '2026-01-09'], [2, '2026-01-05']), group(null, [most, '2026-01-09'], [1, '2026-01-01'])]],
    ['update sale set team_id = 2 where id = 3', [group('open', [5, '2026-01-01'], [null, '2026-01-09']), group(null, [most, '2026-01-09'], [1, '2026-01-01'])]],
    [`begin; delete from sale where state is null; ${sale(6, 1, `'solved'`, 9, '2026-01-02')}; savepoint s; ${sale(7, 1, `'open'`, 9, '2026-01-02')}; rollback to s; commit`,
      [group('open', [5, '2026-01-01'], [null, '2026-01-09']), group('solved', [9, '2026-01-02'])]],
    ['delete from sale', []],
  ]);
  assert.deepEqual(did, { matching: 8, asking: 0 });
  await live.close();
});

test('a row is there when nothing is counted', async () => {
  const live = await open('ada');
  const takings = await live.subscribe('t', 'takings').ready();
  const none = { n: 0, amount: null, weight: 0, most: null, furthest: null };
  assert.deepEqual([takings.key, takings.rows], [[], [none]]);
  const did = await follow(takings, [
    [`insert into sale (id, team_id, owner_id, state, amount) values (1, 9, '${ada}', 'pending', 4)`, [{ n: 1, amount: 4, weight: 0, most: null, furthest: 'pending' }]],
    [`insert into sale (id, team_id, owner_id, state, weight) values (2, 9, '${ada}', 'solved', -4)`, [{ n: 2, amount: 4, weight: -4, most: -4, furthest: 'solved' }]],
    [`update sale set owner_id = '${bob}' where id = 1`, [{ n: 1, amount: null, weight: -4, most: -4, furthest: 'solved' }]],
    ['delete from sale', [none]],
  ]);
  assert.deepEqual(did, { matching: 4, asking: 0 });
  await live.close();
});

test('what a group does not know is asked for: the next highest, a sum beyond 64 bits, a truncated table', async () => {
  const live = await open(staff);
  const rooms = await live.subscribe('r', 'rooms', { team: 1 }).ready();
  await sql('insert into visit values (1, 1, 3, 10), (2, 1, 3, 20), (3, 1, 3, 20)');
  await rooms.become([{ room: 3, n: 3, minutes: 50, longest: 20 }]);
  const are_asked = async (...steps) => {
    const { matching, asking } = await follow(rooms, steps);
    assert.ok(matching === 0 && asking > 0, `${steps[0][0]}: ${matching} matched, ${asking} asked for`);
  };
  await are_asked(['delete from visit where id = 2', [{ room: 3, n: 2, minutes: 30, longest: 20 }]]);
  assert.deepEqual(await follow(rooms, [['update visit set minutes = 21 where id = 3', [{ room: 3, n: 2, minutes: 31, longest: 21 }]]]), { matching: 1, asking: 0 });
  await are_asked(['truncate visit', []]);
  const sales = await live.subscribe('s', 'sales', { team: 1 }).ready();
  await sql('insert into sale (id, team_id, weight) values (1, 1, 9223372036854775807)');
  await until('one', () => sales.rows.length === 1);
  const before_it = await ways(app);
  await sql('insert into sale (id, team_id, weight) values (2, 1, 9223372036854775807)');
  await until('both', () => sales.rows[0].n === 2);
  assert.ok((await ways(app)).asking > before_it.asking);
  await sales.become(await truth(app.db, { who: staff, query: 'sales', params: { team: 1 } }));
  await sql('delete from sale');
  await sales.become([]);
  await live.close();
});

test('a transaction over many rows of a few groups is one change', async () => {
  const live = await open(staff);
  const rooms = await live.subscribe('r', 'rooms', { team: 2 }).ready();
  const rows = (await sql('select i % 5 as room, count(*)::int as n, sum(i)::int as minutes, max(i) as longest from generate_series(1, 900) i group by 1')).rows;
  assert.deepEqual(await follow(rooms, [['insert into visit select i, 2, i % 5, i from generate_series(1, 900) i', rows]]), { matching: 1, asking: 0 });
  assert.equal(rooms.frames.length, 2);
  await sql('delete from visit');
  await rooms.become([]);
  await live.close();
});

test('a membership that ends takes its groups along', async () => {
  const live = await open('bob');
  await sql('insert into visit values (1, 2, 1, 10), (2, 1, 1, 10)');
  const busy = await live.subscribe('b', 'busy').ready();
  assert.deepEqual(busy.rows, [{ team_id: 2, n: 1, minutes: 10 }]);
  await sql(`delete from member where user_id = '${bob}'`);
  await busy.become([]);
  await sql('insert into visit values (3, 2, 1, 10)');
  await sql(`insert into member values (1, '${bob}'), (2, '${bob}')`);
  await busy.become([{ team_id: 2, n: 2, minutes: 20 }, { team_id: 1, n: 1, minutes: 10 }]);
  await sql(`delete from member where team_id = 1 and user_id = '${bob}'`);
  await sql('delete from visit');
  await busy.become([]);
  await live.close();
});

test('what an answer has counted is not counted again by a log that is behind', async () => {
  const live = await open(staff);
  await live.subscribe('t', 'tickets', { team_id: 3 }).ready();
  const { pid } = (await sql(`select active_pid as pid from pg_replication_slots where database = 'api_live_aggregate' and active`)).rows[0];
  let rooms;
  await sql('insert into visit values (1, 3, 1, 10), (2, 3, 1, 20), (3, 3, 2, 30)');
  process.kill(pid, 'SIGSTOP'); // the process that sends the log
  try {
    await sql('insert into visit values (4, 3, 1, 15)');
    await sql('update visit set room = 2 where id = 1');
    await sql('delete from visit where id = 2');
    rooms = await live.subscribe('r', 'rooms', { team: 3 }).ready();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await rooms.become([{ room: 1, n: 1, minutes: 15, longest: 15 }, { room: 2, n: 2, minutes: 40, longest: 30 }]);
  await sql('insert into visit values (5, 3, 1, 1)');
  await rooms.become([{ room: 1, n: 2, minutes: 16, longest: 15 }, { room: 2, n: 2, minutes: 40, longest: 30 }]);
  assert.deepEqual(rooms.frames.map(({ type }) => type), ['snapshot', 'delta']);
  await sql('delete from visit');
  await rooms.become([]);
  await live.close();
});

test('whenever it is subscribed to, nothing is counted twice or left out', { timeout: 600_000 }, async () => {
  const { random, pick } = dice();
  const people = [{ sub: ada }, { sub: bob }, { sub: eve }, staff];
  const writers = await Promise.all(Array.from({ length: 4 }, () => connect(app.cluster, app.name)));
  const next = counts({ random, pick });
  const lives = await Promise.all(people.map((who) => open(who)));
  const held = [], from = await ways(app);
  let compared = 0;

  for (let round = 0; round < (process.env.LONG ? 60 : 6); round++) {
    const scripts = writers.map(() => Array.from({ length: 80 }, next));
    await Promise.all([...writers.map(async (db, i) => { for (const text of scripts[i]) await write(db, text); }), (async () => {
      for (let i = 0; i < 12; i++) {
        const n = random(people.length), who = people[n], asked = question({ random, pick }, who, counted);
        if (held.filter((one) => one.who === who).length < 90)
          held.push({ ...asked, who, subscription: lives[n].subscribe(`${round}.${i}`, asked.query, asked.params) });
        await sleep(random(20));
      }
    })()]);
    for (const one of held) {
      await one.subscription.become(await truth(app.db, one));
      compared++;
    }
    for (const live of lives) assert.ifError(live.failure);
  }
  const now = await ways(app), matched = now.matching - from.matching, asked = now.asking - from.asking;
  console.log(`${compared} results compared; ${matched} matched, ${asked} asked for`);
  assert.ok(matched > asked / 4 && matched > compared, 'most of what can be matched is');
  for (const db of writers) await db.end();
  for (const live of lives) await live.close();
});
