// async_recompute = off: the writer asks again itself, and what that costs it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { Follower, answer, settled, startReactive, stat, subscribe } from './reactive.mjs';

let cluster;
let sql;
let follower;

before(async () => {
  cluster = await startReactive('pg_reactive.async_recompute = off\n');
  sql = await connect(cluster, 'postgres');
  follower = await Follower.open(cluster);
  await sql.query('create table t (id int primary key, v int); create table u (d int); insert into t select n, 0 from generate_series(1, 4) n');
  await subscribe(sql, 't', 'select id, v from t where v >= 0');
  await subscribe(sql, 'sum', 'select sum(v) from t', 'notify');
  await follower.follow('t');
});
after(async () => {
  for (const each of [follower, sql]) await each?.end();
  await cluster?.stop();
});

test('each transaction is a delta of its own', async () => {
  for (let i = 1; i <= 20; i++) await sql.query('update t set v = $1 where id = 1', [i]);
  await follower.become('t', [{ id: 1, v: 20 }, ...[2, 3, 4].map((id) => ({ id, v: 0 }))]);
  assert.equal(follower.of('t').length, 20);
  assert.equal(follower.of('sum').length, 20);
  assert.equal(await sql.value(`select seq from pgr.subscriptions where query_id = 't'`), '20');
  const recomputed = await stat(sql, 'recomputes');
  await settled(sql);
  assert.equal(await stat(sql, 'recomputes'), recomputed, 'the worker has nothing to do');
});

test('once a transaction, or with batch_invalidation = off once a statement', async () => {
  let count = follower.of('t').length;
  await sql.query('begin; update t set v = 1 where id = 2; update t set v = 2 where id = 2; savepoint a; delete from t; rollback to a; commit');
  await until('one', () => follower.of('t').length === count + 1);
  count++;
  await sql.query('begin; set local pg_reactive.batch_invalidation = off; update t set v = 3 where id = 2; update t set v = 4 where id = 2; savepoint a; delete from t; rollback to a; commit');
  await until('two', () => follower.of('t').length === count + 2);
  await follower.become('t', await sql.rows('select id, v from t where v >= 0'));
});

test('writers of one subscription wait for one another, and the rows are right', async () => {
  const writers = await Promise.all([1, 2, 3, 4].map(() => connect(cluster, 'postgres')));
  await Promise.all(writers.map(async (writer, n) => {
    for (let i = 0; i < 40; i++) await writer.query('update t set v = v + 1 where id = $1', [n + 1]);
  }));
  await follower.become('t', await sql.rows('select id, v from t where v >= 0'));
  await writers[0].query('begin isolation level repeatable read; select count(*) from t');
  await sql.query('update t set v = v + 1 where id = 2');
  await writers[0].query('update t set v = v + 1 where id = 1');
  await assert.rejects(writers[0].query('commit'), { code: '40001' }, 'the price under REPEATABLE READ');
  for (const writer of writers) await writer.end();
});

test('rows are printed, and policies followed, as the worker does it, whatever the writer has set', async () => {
  await sql.query(`create table w (id int, at timestamptz, i interval, f float8, b bytea); create role reader; grant select on w to reader;
    alter table w enable row level security; create policy all_of_it on w using (true); grant usage on schema pgr to reader;
    grant execute on function pgr.subscribe to reader; insert into w select n, '2024-02-29 12:00Z', '1 day', 0.1, 'b' from generate_series(1, 3) n`);
  await sql.query('set role reader');
  await sql.query(`select pgr.subscribe('w', 'select id, at, at::text as t, i, f::text as f, b from w')`);
  await sql.query('reset role; select pgr.restore_subscriptions()');
  await follower.follow('w');
  const writer = await connect(cluster, 'postgres');
  await writer.query(`set timezone = 'Asia/Tokyo'; set datestyle = german; set intervalstyle = iso_8601; set extra_float_digits = -10;
    set bytea_output = escape; set row_security = off`);
  await writer.query(`insert into w select 4, at, i, f, b from w where id = 1`);
  const message = await follower.message('w', () => true);
  assert.deepEqual([message.inserted.length, message.deleted], [1, []]);
  assert.deepEqual({ ...message.inserted[0], id: 1 }, (await sql.rows(`select rows from pgr.snapshot('w')`))[0].rows.find(({ id }) => id === 1));
  await writer.end();
});

test('an error of the query is the error of the writer', async () => {
  await sql.query('insert into u values (1)');
  await subscribe(sql, 'ratio', 'select 1 / d as r from u');
  await assert.rejects(sql.query('update u set d = 0'), { code: '22012' });
  await sql.query('update u set d = 2');
  assert.deepEqual(await sql.rows('select d from u'), [{ d: 2 }]);
});

test('DDL, prepared transactions and new subscriptions are left to the worker', async () => {
  await sql.query('begin; insert into u values (3); alter table u add column more int; commit');
  await settled(sql);
  await sql.query('begin; insert into t values (7, 7); drop table u; commit');
  await sql.query(`begin; insert into t values (8, 8); prepare transaction 'eight'`);
  await sql.query(`commit prepared 'eight'`);
  await settled(sql);
  await follower.become('t', await sql.rows('select id, v from t where v >= 0'));
  const subscribing = sql.query(`select pgr.subscribe('new', 'select id from t')`);
  const other = await connect(cluster, 'postgres');
  for (let i = 100; i < 140; i++) await other.query('insert into t values ($1, 0)', [i]);
  await subscribing;
  await sql.query('select pgr.restore_subscriptions()');
  await follower.follow('new');
  await settled(sql);
  assert.deepEqual(follower.held.get('new').list(), await answer(sql, 'select id from t'));
  await other.end();
});
