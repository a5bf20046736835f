// What is said on the channel, and when.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { Follower, settled, startReactive, stat, subscribe } from './reactive.mjs';

let cluster;
let sql;
let follower;

before(async () => {
  cluster = await startReactive('pg_reactive.max_subscriptions = 40\n');
  sql = await connect(cluster, 'postgres');
  follower = await Follower.open(cluster);
  await sql.query(`create table item (id int primary key, grp int, note text, other int);
    insert into item select n, n % 3, 'note ' || n, 0 from generate_series(1, 6) n`);
});
after(async () => {
  await follower?.end();
  await sql?.end();
  await cluster?.stop();
});

test('a delta: what came and what went, with seq and gen', async () => {
  const registered = await subscribe(sql, 'one', 'select id, note from item where grp = 1');
  assert.deepEqual(registered, { query_id: 'one', mode: 'delta', generation: registered.generation, tables: ['public.item'] });
  await follower.follow('one');
  await follower.become('one', [{ id: 1, note: 'note 1' }, { id: 4, note: 'note 4' }]);
  await sql.query(`update item set note = 'new' where id = 4`);
  const message = await follower.message('one', ({ seq }) => seq === 1);
  assert.deepEqual(message, { query_id: 'one', seq: 1, gen: registered.generation,
    inserted: [{ id: 4, note: 'new' }], deleted: [{ id: 4, note: 'note 4' }] });
  await sql.query('update item set grp = 2 where id = 4; delete from item where id = 1');
  await follower.become('one', []);
});

test('identical rows are counted', async () => {
  await subscribe(sql, 'bag', `select grp from item where grp > 100`);
  await follower.follow('bag');
  await sql.query('insert into item select n, 101 from generate_series(101, 103) n');
  await follower.become('bag', [{ grp: 101 }, { grp: 101 }, { grp: 101 }]);
  await sql.query('delete from item where id = 102');
  await follower.become('bag', [{ grp: 101 }, { grp: 101 }]);
  await sql.query('delete from item where grp = 101');
  await follower.become('bag', []);
});

test('an update of columns that the query does not read costs nothing', async () => {
  await subscribe(sql, 'columns', 'select id, grp from item where grp >= 0');
  await settled(sql);
  const recomputed = () => sql.value(`select recompute_count from pgr.subscriptions where query_id = 'columns'`);
  const count = await recomputed();
  await sql.query('update item set other = other + 1');
  await settled(sql);
  assert.equal(await recomputed(), count);
  await sql.query('update item set grp = grp + 1');
  await settled(sql);
  assert.equal(Number(await recomputed()), Number(count) + 1);
});

test('a column that a BEFORE trigger sets is seen, and one that is generated', async () => {
  await sql.query(`create table stamped (id int primary key, a int, b int);
    create function stamp() returns trigger language plpgsql as $$ begin new.b := new.a * 2; return new; end $$;
    create trigger stamp before update on stamped for each row execute function stamp();
    insert into stamped values (1, 1, 2)`);
  await subscribe(sql, 'stamped', 'select b from stamped');
  await follower.follow('stamped');
  await sql.query('update stamped set a = 21');
  await follower.become('stamped', [{ b: 42 }]);
  await sql.query('create table derived (a int, g int generated always as (a * 3) stored); insert into derived values (1)');
  await subscribe(sql, 'derived', 'select g from derived');
  await follower.follow('derived');
  await sql.query('update derived set a = 2');
  await follower.become('derived', [{ g: 6 }]);
});

test('values of any type: json, point, bytea, dates, NULL', async () => {
  await sql.query(`create table odd (j json, p point, d date, t text, b bytea, n numeric, a int[]);
    insert into odd values ('{"a":1}', '(1,2)', '2024-02-29', E'tab\\t"\\\\', '\\x00ff', 1.50, '{1,NULL}')`);
  await subscribe(sql, 'odd', 'select * from odd');
  await follower.follow('odd');
  await sql.query(`update odd set j = '{"a": 1}', n = 1.5`);
  assert.equal((await follower.message('odd', () => true)).seq, 1); // what is printed otherwise is another row
  const rows = await sql.rows('select row_to_json(odd) as row from odd');
  await follower.become('odd', rows.map(({ row }) => row));
});

test('a delta too long for a payload is an overflow with its counts', async () => {
  await subscribe(sql, 'long', 'select id, note from item where id > 1000');
  const held = await follower.follow('long');
  await sql.query(`insert into item select n, 0, repeat('x', 100) from generate_series(1001, 1200) n`);
  const message = await follower.message('long', ({ overflow }) => overflow);
  assert.deepEqual(message, { query_id: 'long', seq: 1, gen: held.gen, overflow: true, inserted_count: 200, deleted_count: 0 });
  await held.pending;
  await sql.query('delete from item where id > 1001');
  await follower.become('long', [{ id: 1001, note: 'x'.repeat(100) }]);
  // The longest payload that PostgreSQL takes, and one byte more.
  const around = JSON.stringify({ query_id: 'long', seq: 9, gen: held.gen, inserted: [{ id: 1002, note: '' }], deleted: [] });
  for (const [bytes, seq] of [[7999, 3], [8000, 5]]) {
    const before = follower.of('long').length;
    await sql.query('insert into item values (1002, 0, $1)', ['y'.repeat(bytes - around.length)]);
    const said = await follower.message('long', (m) => m.seq === seq, before);
    assert.equal(said.overflow, bytes === 8000 ? true : undefined);
    await held.pending;
    await sql.query('delete from item where id = 1002');
    await follower.message('long', (m) => m.seq === seq + 1, before);
  }
});

test('mode notify says only that something is different', async () => {
  const { generation } = await subscribe(sql, 'told', 'select count(*) from item where grp = 50', 'notify', { sub: '42' });
  await sql.query('insert into item values (2001, 50)');
  assert.deepEqual(await follower.message('told', () => true), { query_id: 'told', seq: 1, gen: generation, invalidated: true });
  await sql.query('insert into item values (2002, 51)');
  await settled(sql);
  assert.equal(follower.of('told').length, 1);
  assert.deepEqual(await sql.rows(`select * from pgr.subscription_meta('told')`),
    [{ mode: 'notify', audience: { sub: '42' }, generation: String(generation) }]);
  assert.deepEqual(await sql.rows(`select * from pgr.subscription_meta('nobody')`), []);
});

test('subscribing again is a new generation, and old sockets are told', async () => {
  const first = await subscribe(sql, 'again', 'select id from item where grp = 70');
  const second = await subscribe(sql, 'again', 'select id, grp from item where grp = 70');
  assert.ok(second.generation > first.generation);
  assert.deepEqual(await follower.message('again', ({ type }) => type), { type: 'resubscribed', query_id: 'again', gen: second.generation });
  await follower.follow('again');
  await sql.query('insert into item values (3001, 70)');
  await follower.become('again', [{ id: 3001, grp: 70 }]);
  assert.equal(follower.of('again').at(-1).gen, second.generation);
});

test('unsubscribe removes message, registry, snapshot and trigger', async () => {
  await sql.query('create table lonely (id int)');
  await subscribe(sql, 'lonely "x" é', 'select id from lonely');
  await until('its snapshot', () => sql.value(`select to_regclass('pgr."_snap_lonely ""x"" é"')`));
  assert.equal(await sql.value(`select pgr.unsubscribe('lonely "x" é')`), true);
  assert.equal(await sql.value(`select pgr.unsubscribe('lonely "x" é')`), false);
  assert.equal((await follower.message('lonely "x" é', ({ invalidated }) => invalidated)).reason, 'unsubscribed');
  assert.equal(await sql.value(`select to_regclass('pgr."_snap_lonely ""x"" é"')`), null);
  await until('the trigger to go', async () =>
    (await sql.value(`select count(*) from pg_trigger where tgrelid = 'lonely'::regclass`)) === '0');
  assert.equal(await sql.value(`select count(*) from pgr.subscriptions where query_id like 'lonely%'`), '0');
});

test('what a tick finds together is one delta', async () => {
  await subscribe(sql, 'tick', 'select id, note from item where id = 4001');
  await follower.follow('tick');
  await sql.query('insert into item values (4001, 0, 0)');
  for (let i = 1; i <= 200; i++) await sql.query(`update item set note = $1 where id = 4001`, [i]);
  await follower.become('tick', [{ id: 4001, note: '200' }]);
  assert.ok(follower.of('tick').length < 200, `${follower.of('tick').length} messages`);
});

test('a query that begins to fail is said once, and mends itself', async () => {
  await sql.query('create table divisor (d int); insert into divisor values (1)');
  await subscribe(sql, 'fails', 'select 10 / d as q from divisor');
  const held = await follower.follow('fails');
  await sql.query('update divisor set d = 0');
  const message = await follower.message('fails', ({ invalidated }) => invalidated);
  assert.deepEqual(message, { query_id: 'fails', seq: 1, gen: held.gen, invalidated: true, reason: '22012' });
  assert.equal(await sql.value(`select failing from pgr.subscriptions where query_id = 'fails'`), '22012');
  await sql.query('update divisor set d = 0');
  await settled(sql);
  await sql.query('update divisor set d = 5');
  await follower.become('fails', [{ q: 2 }]);
  assert.equal(held.seq, 2);
});

test('a first result that comes after a failure is told', async () => {
  await sql.query('create table z (id int); insert into z values (1), (2), (3)');
  await subscribe(sql, 'late', 'select id, 1 / (id - 2) as r from z');
  await follower.message('late', ({ reason }) => reason === '22012');
  await follower.follow('late');
  await sql.query('delete from z where id = 2');
  await follower.become('late', [{ id: 1, r: -1 }, { id: 3, r: 1 }]);
  await sql.query(`select pgr.unsubscribe('late')`);
});

test('a result of more bytes than a worker keeps is none', async () => {
  await sql.query('create table heavy (id int); insert into heavy select n from generate_series(1, 7) n');
  await subscribe(sql, 'heavy', `select id, repeat('x', 10000000) as x from heavy`);
  await follower.message('heavy', ({ reason }) => reason === '54000');
  await sql.query(`select pgr.unsubscribe('heavy'); drop table heavy`);
});

test('a query that takes too long does not hold the others', async () => {
  await sql.query('create table slow (n int); insert into slow values (1)');
  await sql.query(`alter system set pg_reactive.query_timeout = '200ms'`);
  await sql.query('select pg_reload_conf()');
  await subscribe(sql, 'slow', `select count(*) from slow, generate_series(1, (select max(n) from slow)) g where g % 7 = n % 7`);
  await subscribe(sql, 'quick', 'select n from slow');
  await follower.follow('quick');
  await sql.query('update slow set n = 100000000');
  await follower.become('quick', [{ n: 100000000 }]);
  assert.equal((await follower.message('slow', ({ invalidated }) => invalidated)).reason, '57014');
  await sql.query('update slow set n = 3');
  await until('it to be well again', async () =>
    (await sql.value(`select failing from pgr.subscriptions where query_id = 'slow'`)) === null);
  await sql.query('alter system reset pg_reactive.query_timeout');
  await sql.query('select pg_reload_conf()');
});

test('when the slots are taken, the least recently used subscription makes room', async () => {
  const free = 40 - await stat(sql, 'subscriptions');
  for (let i = 0; i < free; i++) await sql.query('select pgr.subscribe($1, $2)', [`fill ${i}`, `select id from item where grp = ${1000 + i}`]);
  assert.equal(await sql.value('select pgr.restore_subscriptions()'), 40);
  const oldest = await sql.value('select query_id from pgr.subscriptions order by last_used limit 1');
  assert.equal(oldest, 'one');
  await sql.query(`select * from pgr.subscription_meta('one')`);
  const next = await sql.value('select query_id from pgr.subscriptions order by last_used limit 1');
  await subscribe(sql, 'one more', 'select id from item');
  assert.equal((await follower.message(next, ({ invalidated }) => invalidated)).reason, 'evicted');
  assert.equal(await sql.value('select count(*) from pgr.persisted_subscriptions where query_id = $1', [next]), '0');
  assert.equal(await sql.value(`select count(*) from pgr.subscriptions where query_id in ('one', 'one more')`), '2');
  assert.equal(await stat(sql, 'evictions'), 1);
});
