// Which writes count, and that subscriptions are none of the writers' business.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { Follower, settled, startReactive, stat, subscribe } from './reactive.mjs';

let cluster;
let sql;
let other;
let follower;

before(async () => {
  cluster = await startReactive();
  sql = await connect(cluster, 'postgres');
  other = await connect(cluster, 'postgres');
  follower = await Follower.open(cluster);
  await sql.query('create table t (id int primary key, v int); create table u (id int)');
  await subscribe(sql, 't', 'select id, v from t');
  await subscribe(sql, 'u', 'select id from u');
  await follower.follow('t');
  await follower.follow('u');
});
after(async () => {
  for (const each of [follower, other, sql]) await each?.end();
  await cluster?.stop();
});

const messages = (id) => follower.of(id).length;
const ticks = () => stat(sql, 'recomputes');

test('nothing before the commit, all of it after', async () => {
  await sql.query('begin; insert into t values (1, 1)');
  await sql.query('insert into t values (2, 2)');
  await settled(other);
  assert.equal(messages('t'), 0);
  await sql.query('commit');
  await follower.become('t', [{ id: 1, v: 1 }, { id: 2, v: 2 }]);
  assert.equal(messages('t'), 1);
});

test('a rollback marks nothing, a savepoint rolled back neither', async () => {
  await settled(sql);
  const before_it = await ticks();
  await sql.query('begin; insert into t values (3, 3); rollback');
  await sql.query('begin; savepoint a; insert into u values (1); rollback to a; commit');
  await sql.query('begin; savepoint a; savepoint b; insert into u values (1); release b; rollback to a; commit');
  await settled(sql);
  assert.equal(await ticks(), before_it);
  await sql.query('begin; savepoint a; insert into u values (4); savepoint b; insert into t values (9, 9); rollback to b; release a; commit');
  await follower.become('u', [{ id: 4 }]);
  await settled(sql);
  assert.equal(await ticks(), before_it + 1, 'only u was written');
});

test('an error caught in PL/pgSQL is a savepoint', async () => {
  await settled(sql);
  const before_it = await ticks();
  await sql.query(`do $$ begin begin insert into t values (5, 5); raise 'no'; exception when others then null; end; end $$`);
  await settled(sql);
  assert.equal(await ticks(), before_it);
  await sql.query(`do $$ begin begin insert into t values (5, 5); exception when others then null; end; end $$`);
  await follower.become('t', [{ id: 1, v: 1 }, { id: 2, v: 2 }, { id: 5, v: 5 }]);
});

test('a prepared transaction counts when another session commits it', async () => {
  await sql.query(`begin; insert into u values (6); prepare transaction 'six'`);
  await sql.query(`begin; insert into u values (7); prepare transaction 'seven'`);
  await settled(sql);
  const count = messages('u');
  await other.query(`rollback prepared 'seven'`);
  await settled(sql);
  assert.equal(messages('u'), count);
  await other.query(`commit prepared 'six'`);
  await follower.become('u', [{ id: 4 }, { id: 6 }]);
});

test('a prepared transaction older than the server counts too', async () => {
  await sql.query(`begin; insert into u values (8); prepare transaction 'eight'`);
  for (const each of [follower, other, sql]) await each.end();
  await cluster.down();
  await cluster.up();
  [sql, other, follower] = [await connect(cluster, 'postgres'), await connect(cluster, 'postgres'), await Follower.open(cluster)];
  await sql.query('select pgr.restore_subscriptions()');
  await follower.follow('u');
  await settled(sql);
  await other.query(`commit prepared 'eight'`);
  await follower.become('u', [{ id: 4 }, { id: 6 }, { id: 8 }]);
});

test('a prepared transaction that wrote more tables than it could mark', async () => {
  await sql.query('create table more_1 (id int)');
  await subscribe(sql, 'more_1', 'select id from more_1');
  await follower.follow('more_1');
  await sql.query(`do $$ begin for i in 2..70 loop execute format('create table more_%s (id int)', i);
    perform pgr.subscribe('more ' || i, format('select id from more_%s', i)); end loop; end $$`);
  await sql.query('select pgr.restore_subscriptions()');
  await sql.query('begin');
  for (let i = 70; i > 0; i--) await sql.query(`insert into more_${i} values (${i})`);
  await sql.query(`prepare transaction 'more'`);
  await settled(sql);
  await other.query(`commit prepared 'more'`);
  await follower.become('more_1', [{ id: 1 }]);
  await sql.query(`begin; select pgr.unsubscribe('more 2')`);
  await assert.rejects(sql.query(`prepare transaction 'unsubscribed'`), /cannot PREPARE a transaction that has subscribed/);
});

test('COPY, MERGE, upserts, cascades, writes of functions and of replicated sessions', async () => {
  await sql.query(`create table parent (id int primary key); create table child (id int, parent int references parent on delete cascade);
    insert into parent values (1), (2); insert into child values (10, 1), (20, 2)`);
  await subscribe(sql, 'child', 'select id from child');
  await follower.follow('child');
  await sql.query('delete from parent where id = 1');
  await follower.become('child', [{ id: 20 }]);
  await sql.query('merge into child using (values (20), (30)) as n (id) on child.id = n.id when matched then update set id = 21 when not matched then insert values (n.id, 2)');
  await follower.become('child', [{ id: 21 }, { id: 30 }]);
  await sql.query(`copy child from program 'echo 50,2' (format csv); create function put() returns void language sql as 'insert into child values (40, 2)'; select put()`);
  await follower.become('child', [{ id: 21 }, { id: 30 }, { id: 40 }, { id: 50 }]);
  await sql.query(`begin; set local session_replication_role = replica; delete from child where id >= 40; commit`);
  await follower.become('child', [{ id: 21 }, { id: 30 }]);
  await sql.query('truncate parent cascade');
  await follower.become('child', []);
});

test('more tables in a transaction than there is room for mark everything', async () => {
  await sql.query(`do $$ begin for i in 1..80 loop
      execute format('create table many_%s (id int)', i);
      perform pgr.subscribe('many ' || i, format('select id from many_%s', i));
    end loop; end $$`);
  await sql.query('select pgr.restore_subscriptions()');
  for (const n of [1, 64, 65, 80]) await follower.follow(`many ${n}`);
  await settled(sql);
  await sql.query(`do $$ begin for i in 1..80 loop execute format('insert into many_%s values (%s)', i, i); end loop; end $$`);
  for (const n of [1, 64, 65, 80]) await follower.become(`many ${n}`, [{ id: n }]);
  assert.ok(await stat(sql, 'all_dirty') >= 1);
});

test('partitions and children: rows change under any name, and new ones are followed', async () => {
  await sql.query(`create table part (k int, v text) partition by range (k);
    create table part_a partition of part for values from (0) to (10);
    create table base (id int); create table derived (extra int) inherits (base)`);
  await subscribe(sql, 'part', 'select k, v from part');
  await subscribe(sql, 'part_a', 'select k, v from part_a');
  await subscribe(sql, 'base', 'select id from base');
  for (const id of ['part', 'part_a', 'base']) await follower.follow(id);
  await sql.query(`insert into part values (1, 'through the parent'); insert into part_a values (2, 'directly'); insert into derived values (7, 8)`);
  await follower.become('part', [{ k: 1, v: 'through the parent' }, { k: 2, v: 'directly' }]);
  await follower.become('part_a', [{ k: 1, v: 'through the parent' }, { k: 2, v: 'directly' }]);
  await follower.become('base', [{ id: 7 }]);
  await sql.query(`create table part_b partition of part for values from (10) to (20)`);
  await sql.query('select pgr.restore_subscriptions()');
  await sql.query(`insert into part_b values (11, 'new'); update part set k = 12 where k = 1`);
  await follower.become('part', [{ k: 12, v: 'through the parent' }, { k: 2, v: 'directly' }, { k: 11, v: 'new' }]);
  await follower.become('part_a', [{ k: 2, v: 'directly' }]);
  await sql.query('alter table part detach partition part_b');
  await follower.become('part', [{ k: 2, v: 'directly' }]);
  await sql.query('truncate part');
  await follower.become('part', []);
});

test('a subscriber neither fails nor stops a writer, whatever its isolation', async () => {
  const levels = ['serializable', 'repeatable read', 'repeatable read', 'read committed']; // two serializable ones may stop each other
  const writers = await Promise.all(levels.map(() => connect(cluster, 'postgres')));
  await sql.query('create table counter (id int primary key, n int); insert into counter select n, 0 from generate_series(0, 3) n');
  await subscribe(sql, 'counter', 'select id, n from counter');
  await follower.follow('counter');
  await Promise.all(writers.map(async (writer, id) => {
    for (let i = 0; i < 100; i++)
      await writer.query(`begin isolation level ${levels[id]}; update counter set n = n + 1 where id = ${id}; commit`);
  }));
  await follower.become('counter', [0, 1, 2, 3].map((id) => ({ id, n: 100 })));
  for (const writer of writers) await writer.end();
});

test('a subscription that is not committed yet stops no other', async () => {
  await sql.query('create table unwatched (id int)');
  await other.query(`begin; select pgr.subscribe('uncommitted', 'select id from unwatched')`);
  await subscribe(sql, 'beside', 'select id from u where id > 0');
  await follower.follow('beside');
  await follower.become('beside', await sql.rows('select id from u where id > 0'));
  await other.query('rollback');
});

test('a trigger that was switched off is on again, and what it missed is told', async () => {
  await sql.query('create table off (id int)');
  await subscribe(sql, 'off', 'select id from off');
  await follower.follow('off');
  const enabled = () => sql.value(`select tgenabled from pg_trigger where tgrelid = 'off'::regclass and tgname = 'pgr_mark'`);
  await sql.query('begin; alter table off disable trigger all; insert into off values (1); commit');
  await until('it to be on', async () => await enabled() === 'A');
  await follower.become('off', [{ id: 1 }]);
  await sql.query('alter table off enable trigger all');
  await until('it to be always on', async () => await enabled() === 'A');
});

test('a trigger of that name that is somebody else\'s is refused', async () => {
  await sql.query(`create table theirs (id int); create function theirs() returns trigger language plpgsql as 'begin return new; end';
    create trigger pgr_mark after insert on theirs for each statement execute function theirs()`);
  await assert.rejects(sql.query(`select pgr.subscribe('theirs', 'select id from theirs')`), { code: '42710' });
});

test('what depends on a locked table waits for it, and the rest does not', async () => {
  await sql.query('create table locked (id int)');
  await subscribe(sql, 'both', 'select id from u where id not in (select id from locked)');
  await follower.follow('both');
  await other.query('begin; lock table locked in access exclusive mode');
  for (const id of [300, 301]) {
    await sql.query('insert into u values ($1)', [id]);
    await until('u to be told', () => follower.of('u').some(({ inserted }) => inserted?.some((row) => row.id === id)), 60_000);
  }
  await until('it to be said why', async () => await sql.value(`select failing from pgr.subscriptions where query_id = 'both'`) === '55P03');
  assert.deepEqual(follower.of('both').filter(({ reason }) => reason), []);
  await other.query('rollback');
  await follower.become('both', await sql.rows('select id from u'));
  assert.equal(await sql.value(`select failing from pgr.subscriptions where query_id = 'both'`), null);
});

test('a locked table holds up neither the worker nor those who write elsewhere', async () => {
  await other.query('begin; lock table t in access exclusive mode; insert into t values (100, 0)');
  await sql.query('insert into u values (200)');
  await until('u to be told', () => follower.of('u').some(({ inserted }) => inserted?.some(({ id }) => id === 200)));
  await other.query('rollback');
});
