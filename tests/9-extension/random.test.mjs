// Random writes by several sessions against subscriptions of many shapes: the rows that the messages
// make are those that the query has.  SEED= repeats, LONG=1 goes on for 10 minutes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { sleep, until } from '../lib/process.mjs';
import { random } from '../lib/random.mjs';
import { Follower, answer, settled, startReactive, stat } from './reactive.mjs';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const rounds = process.env.LONG ? 600 : 8;
const round_ms = 1000;
const writers_count = 4;

const schema = `
  create table team (id int primary key, name text);
  create table task (id serial primary key, team int, state text, n int, note text, extra jsonb);
  create table log (k int, v text) partition by list (k);
  create table log_0 partition of log for values in (0, 1);
  create table log_1 partition of log default;
  create table animal (id int, name text);
  create table dog (tricks int) inherits (animal);
  create view open_task as select id, team, note from task where state = 'open';
  insert into team select n, 'team ' || n from generate_series(0, 9) n;
  insert into task (team, state, n, note) select n % 10, 'open', n, 'note' from generate_series(1, 100) n`;

const shapes = {
  all: 'select * from task',
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`team ${n}`, `select id, state, n from task where team = ${n}`])),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`name ${n}`, `select name from team where id = ${n}`])),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`group ${n}`, `select state, count(*) as n, min(note) as note from task where team = ${n} and n > ${n} group by state`])),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`joined ${n}`, `select m.name, t.id from team m left join task t on t.team = m.id and t.n >= ${n} where m.id >= ${n % 4}`])),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`top of ${n}`, `select id, n from task where team = ${n >> 1} order by n desc, id limit 3`])),
  bag: 'select state from task',
  join: 'select t.id, m.name from task t join team m on m.id = t.team where t.n % 2 = 0',
  outer: 'select m.id, m.name, count(t.id) as tasks from team m left join task t on t.team = m.id group by m.id',
  sums: 'select team, sum(n) as n, max(note) as note from task group by team having count(*) > 3',
  top: 'select id, n from task order by n desc, id limit 10',
  window: 'select id, rank() over (partition by team order by n desc) as place from task where state = \'open\'',
  cte: 'with recursive up(n) as (values (0) union all select n + 1 from up where n < 9) select up.n, (select count(*) from task where team = up.n) as tasks from up',
  view: 'select team, note from open_task',
  exists: 'select id from team m where not exists (select from task t where t.team = m.id and t.state = \'done\')',
  union: 'select v from log union all select note from task where n < 10',
  parent: 'select k, v from log',
  partition: 'select k, v from log_0 where v is not null',
  inherited: 'select id, name from animal',
  child: 'select * from dog',
  only: 'select id from only animal',
  json: 'select id, extra->>\'a\' as a from task where extra is not null',
  constant: 'select count(*) as n from task',
};

function change(r) {
  const id = r.between(1, 400);
  const team = r.below(10);
  const text = r.chance(0.05) ? `repeat('${r.below(1e6)}', ${r.between(1000, 20000)})` : `'${r.below(5)}'`;
  return r.pick([
    () => `insert into task (team, state, n, note) values (${team}, '${r.pick(['open', 'done'])}', ${r.below(20)}, ${text})`,
    () => `insert into task (team, state, n, note, extra) values (${team}, 'open', ${r.below(20)}, null, '{"a": ${r.below(3)}}')`,
    () => `update task set n = n + 1 where id = ${id}`,
    () => `update task set team = ${team} where id = ${id}`,
    () => `update task set note = ${text} where id between ${id} and ${id + 3}`,
    () => `update task set state = 'done' where team = ${team} and n > 10`,
    () => `delete from task where id = ${id}`,
    () => `delete from task where n = ${r.below(30)}`,
    () => `update team set name = ${text} where id = ${team}`,
    () => `insert into team values (${r.between(10, 14)}, 'late') on conflict (id) do update set name = excluded.name`,
    () => `delete from team where id = ${r.between(10, 14)}`,
    () => `insert into ${r.pick(['log', 'log_1'])} values (${r.between(2, 4)}, ${text})`,
    () => `insert into ${r.pick(['log', 'log_0'])} values (${r.below(2)}, ${r.pick([text, 'null'])})`,
    () => `update log set k = ${r.below(4)} where k = ${r.below(4)}`,
    () => `delete from ${r.pick(['log', 'log_0', 'log_1'])} where k = ${r.below(5)}`,
    () => `insert into animal values (${r.below(9)}, 'cat')`,
    () => `insert into dog values (${r.below(9)}, 'dog', ${r.below(9)})`,
    () => `update ${r.pick(['animal', 'dog', 'only animal'])} set name = ${text} where id = ${r.below(9)}`,
    () => `delete from ${r.pick(['animal', 'dog'])} where id = ${r.below(9)}`,
    () => r.chance(0.1) ? `insert into task (team, state, n) select n % 10, 'bulk', n from generate_series(1, 300) n` : `delete from task where state = 'bulk'`,
    () => r.chance(0.1) ? `truncate ${r.pick(['task', 'log', 'log_0', 'dog', 'animal'])}` : 'select 1',
  ])();
}

/** One transaction of a writer, as a list of statements. */
function transaction(r, name) {
  const some = () => Array.from({ length: r.between(1, 3) }, () => change(r));
  const body = r.pick([
    () => some(),
    () => [...some(), 'savepoint a', ...some(), 'rollback to a', ...some()],
    () => ['savepoint a', ...some(), 'savepoint b', ...some(), 'release a'],
    () => [...some(), 'savepoint a', ...some(), 'select 1 / 0', 'rollback to a'],
  ])();
  const end = r.chance(0.1) ? [`prepare transaction '${name}'`, r.chance(0.7) ? `commit prepared '${name}'` : `rollback prepared '${name}'`]
    : [r.chance(0.2) ? 'rollback' : 'commit'];
  const isolation = r.pick(['read committed', 'read committed', 'repeatable read', 'serializable']);
  return [`begin isolation level ${isolation}`, ...body, ...end];
}

// What writers do to one another: serialization, deadlock, the division by zero, a transaction that it ended.
const of_their_own = new Set(['40001', '40P01', '22012', '25P02']);

async function runOne(sql, statements) {
  for (const statement of statements) {
    try {
      await sql.query(statement);
    } catch (error) {
      if (!of_their_own.has(error.code)) throw error;
      if (error.code === '22012') continue;
      await sql.query('rollback');
      return;
    }
  }
}

async function write(sql, r, name, until_ms) {
  while (performance.now() < until_ms) await runOne(sql, transaction(r, name));
}

test(`random writes (SEED=${seed})`, async () => {
  const cluster = await startReactive();
  const sql = await connect(cluster, 'postgres');
  const writers = await Promise.all(Array.from({ length: writers_count }, () => connect(cluster, 'postgres')));
  const follower = await Follower.open(cluster);
  try {
    await sql.query(schema);
    for (const [id, query] of Object.entries(shapes)) await sql.query('select pgr.subscribe($1, $2)', [id, query]);
    await sql.query('select pgr.restore_subscriptions()');
    for (const id of Object.keys(shapes)) await follower.follow(id);
    for (let round = 0; round < rounds; round++) {
      await Promise.all(writers.map((writer, n) =>
        write(writer, random(seed + round * writers_count + n), `w${n}`, performance.now() + round_ms)));
      await settled(sql);
      for (const [id, query] of Object.entries(shapes)) await compare(sql, follower, id, query, round);
      if (round === rounds >> 1) await sql.query('select pg_terminate_backend($1)', [await stat(sql, 'worker_pid')]);
      await until('a worker', () => stat(sql, 'worker_pid'));
    }
    assert.ok(follower.messages.length > 100, `${follower.messages.length} messages`);
  } finally {
    for (const each of [follower, sql, ...writers]) await each.end();
    await cluster.stop();
  }
});

async function compare(sql, follower, id, query, round) {
  const held = follower.held.get(id);
  const { seq } = (await sql.rows('select seq from pgr.snapshot($1)', [id]))[0];
  await until(`${id} to have come to ${seq}`, () => !held.early && held.seq >= Number(seq));
  assert.deepEqual(held.wrong, [], `SEED=${seed} round ${round}`);
  assert.deepEqual(held.list(), await answer(sql, query), `SEED=${seed} round ${round}: ${id}`);
  await sleep(0);
}
