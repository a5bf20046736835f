// Live queries over several tables: a row with what it leads to by keys of others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { compareUnderWrites, followed, seed, staff, truth, ways } from './board.mjs';

const { ada, bob, eve } = users;

let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_joined', seed });
  await followed(app);
});
after(() => app?.close());

const sql = (text) => app.db.query(text);
const open = (who) => Live.open(app.port, { headers: credentials(who) });
const caller = (who) => (typeof who === 'string' ? { sub: users[who] } : who);

/** Subscribes to a query without parameters; `is_right` compares with PostgreSQL's answer. */
async function follow(who, query) {
  const live = await open(who), subscription = await live.subscribe('q', query).ready();
  return Object.assign(subscription, {
    is_right: async () => subscription.become(await truth(app.db, { who: caller(who), query, params: {} }), { ordered: true }),
    close: () => live.close(),
  });
}

/** What becomes of results by what `text` writes: they are matched, or asked for. */
async function by(text, followers) {
  const before = await ways(app);
  await sql(text);
  for (const one of followers) await one.is_right();
  const now = await ways(app);
  return ['matching', 'asking'].filter((way) => now[way] > before[way]).join(' and ');
}

test('what a row is joined to is known from rows that lead to the same', async () => {
  const held = await follow('ada', 'with_team');
  assert.equal(await by(`update ticket set title = 'of a known team' where id = 1`, [held]), 'matching');
  assert.equal(await by(`insert into ticket (id, team_id, title) values (10, 2, 'another')`, [held]), 'matching');
  assert.equal(await by('update ticket set team_id = 1 where id = 10', [held]), 'matching');
  assert.equal(held.frames.at(-1).updated?.length, 1, 'it is the same row, in another team');
  assert.equal(await by('delete from ticket where id = 10', [held]), 'matching');
  await held.close();
});

test('what nobody has led to yet is asked for, once', async () => {
  await sql(`insert into team values (7, 'seven'); insert into member values (7, '${ada}')`);
  const held = await follow('ada', 'with_team');
  assert.equal(await by(`insert into ticket (id, team_id, title) values (11, 7, 'the first of seven')`, [held]), 'asking');
  assert.equal(await by(`insert into ticket (id, team_id, title) values (12, 7, 'the second')`, [held]), 'matching');
  await held.close();
});

test('what leads nowhere is asked for once, until the other table is written', async () => {
  await sql(`insert into team values (8, 'eight'), (9, 'nine')`);
  const held = await follow('ada', 'with_team');
  const shown = () => [13, 14, 15, 16].filter((id) => held.rows.some((row) => row.id === id));
  /** Writes these, and one that is shown. */
  const rewrite = (...ids) => by(`update ticket set title = title || 'x' where id in (${[...ids, 15]})`, [held]);
  const insert = (...rows) => by(`insert into ticket (id, team_id, owner_id, title) values ${rows.map(([id, team]) => `(${id}, ${team}, '${ada}', '')`)}; update ticket set title = '.' where id = 15`, [held]);
  assert.equal(await insert([13, 8], [15, 1]), 'asking');
  assert.deepEqual(shown(), [15], 'she owns the other, and does not see its team');
  assert.deepEqual([await rewrite(13), await rewrite(13)], ['matching', 'matching']);
  assert.deepEqual([await insert([14, 9]), await rewrite(13, 14), await rewrite(14)], ['asking', 'matching', 'matching'], 'both are known');
  assert.equal(await insert([16, 8]), 'matching', 'another that leads there');
  assert.equal(await by('update ticket set team_id = 9 where id = 15', [held]), 'matching');
  assert.deepEqual(shown(), [], 'it has come to lead nowhere');
  assert.equal(await by('update ticket set team_id = 1 where id = 15', [held]), 'matching');
  assert.equal(await by(`insert into member values (8, '${ada}')`, [held]), 'asking');
  assert.deepEqual(shown(), [13, 15, 16]);
  assert.deepEqual([await rewrite(13), await rewrite(14), await rewrite(14)], ['matching', 'asking', 'matching'], 'what was not there might have come');
  assert.equal(await by(`delete from member where team_id = 8`, [held]), 'asking');
  assert.deepEqual(shown(), [15]);
  assert.deepEqual([await rewrite(16), await rewrite(13)], ['asking', 'matching']);
  await sql('delete from ticket where id between 13 and 16; delete from team where id in (8, 9)');
  await held.is_right();
  await held.close();
});

test('rows that are written all the time come and go with what they lead to', async () => {
  await sql(`insert into team values (8, 'eight'); insert into ticket (id, team_id, owner_id, title) select i, 8, '${ada}', '' from generate_series(50, 55) i`);
  const held = await follow('ada', 'with_team'), writers = await Promise.all([0, 1, 2].map(() => connect(app.cluster, 'api_live_joined')));
  const shown = () => held.rows.filter(({ team_id }) => team_id === 8).length;
  let running = true;
  const writing = writers.map(async (writer, i) => { while (running) await writer.query(`update ticket set title = 'x' || random() where id in (${50 + i}, ${53 + i})`); });
  try {
    for (let round = 0; round < (process.env.LONG ? 300 : 10); round++) {
      await sql(`insert into member values (8, '${ada}')`);
      await until('all of them', () => shown() === 6, 60_000);
      await sql('delete from member where team_id = 8');
      await until('none of them', () => shown() === 0, 60_000);
    }
  } finally {
    running = false;
    await Promise.all(writing);
    for (const writer of writers) await writer.end();
  }
  assert.ifError(held.live.failure);
  await sql('delete from ticket where team_id = 8; delete from team where id = 8');
  await held.is_right();
  await held.close();
});

test('a write to the other table is seen in all rows that lead there', async () => {
  const held = await follow('ada', 'with_team');
  assert.equal(await by(`update team set name = 'SEVEN' where id = 7`, [held]), 'asking');
  assert.equal(held.frames.at(-1).updated.length, 2);
  assert.equal(await by(`update ticket set title = 'after it' where id = 12`, [held]), 'matching');
  assert.equal(held.rows.find(({ id }) => id === 12).name, 'SEVEN');
  await sql('delete from team where id = 7');
  await held.is_right();
  await held.close();
});

test('each subscriber has what it may see of the other table', async () => {
  await sql(`insert into ticket (id, team_id, owner_id, title) values (20, 1, '${eve}', 'shared'); insert into note values (1, 20, 'begun')`);
  const inside = await follow('ada', 'noted'), outside = await follow('eve', 'noted'), above = await follow(staff, 'noted');
  const team = ({ rows }) => rows.find(({ id }) => id === 1)?.team;
  assert.deepEqual([inside, outside, above].map(team), ['one', null, 'one']);
  await by(`update note set body = 'changed' where id = 1`, [inside, outside, above]);
  assert.deepEqual([inside, outside, above].map(team), ['one', null, 'one']);
  await by(`insert into note values (2, 20, 'one more')`, [inside, outside, above]);
  await by(`update ticket set state = 'solved' where id = 20`, [inside, outside, above]);
  assert.deepEqual(inside.rows, []);
  await by(`update note set body = 'unheard of' where id = 1`, [inside, outside, above]);
  await by(`update ticket set state = 'open' where id = 20`, [inside, outside, above]);
  await by(`insert into member values (1, '${eve}')`, [inside, outside, above]);
  assert.deepEqual([inside, outside, above].map(team), ['one', 'one', 'one']);
  await by(`delete from member where user_id = '${eve}'; delete from note; delete from ticket where id = 20`, [inside, outside, above]);
  for (const one of [inside, outside, above]) await one.close();
});

test('behind a full window nobody looks at what a row is joined to', async () => {
  await sql(`insert into ticket (id, team_id, owner_id, title) select i, 1, '${bob}', 't' || i from generate_series(30, 39) i`);
  const held = await follow('bob', 'owned');
  assert.equal(held.rows.length, 4);
  assert.equal(await by(`update ticket set title = 'in it' where id = 38`, [held]), 'matching');
  assert.equal(await by(`update ticket set team_id = 3, title = 'behind it' where id = 31; update ticket set title = 'again' where id = 38`, [held]), 'matching');
  assert.deepEqual(held.frames.at(-1).updated.map(({ id }) => id), [38]);
  await by(`update ticket set state = 'pending' where id = 39`, [held]);
  await by('delete from ticket where id between 36 and 39', [held]);
  await by(`insert into ticket (id, team_id, owner_id, title) values (40, 2, '${bob}', 'first'), (41, 3, '${bob}', 'of a team that is hidden')`, [held]);
  await by('delete from ticket where id >= 30', [held]);
  await held.close();
});

test('rows that never fit, however many are written, keep nobody from the others', async () => {
  await sql(`insert into team values (8, 'nobody''s'); insert into ticket (id, team_id, title) values (60, 8, ''), (61, 1, '')`);
  const held = await follow(staff, 'renamed'), writers = await Promise.all([0, 1].map(() => connect(app.cluster, 'api_live_joined')));
  let running = true;
  const writing = writers.map(async (writer) => { while (running) await writer.query(`update ticket set title = title || 'x' where id = 60`); });
  try {
    await sql('update ticket set team_id = 2 where id = 61');
    await until('its team', () => held.rows.find(({ team_id }) => team_id === 61).name === 'two', 60_000);
  } finally {
    running = false;
    await Promise.all(writing);
    for (const writer of writers) await writer.end();
  }
  await sql('delete from ticket where id in (60, 61); delete from team where id = 8');
  await held.is_right();
  await held.close();
});

test('under random writes', { timeout: 600_000 }, () =>
  compareUnderWrites({ open, db: app.db, people: [{ sub: ada }, { sub: bob }, staff], among: ['with_team', 'noted', 'owned', 'renamed'],
    connect: () => connect(app.cluster, 'api_live_joined') }));
