// What ends: the worker, PostgreSQL, the database.  Subscriptions come back by themselves.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binaries, connect } from '../lib/postgres.mjs';
import { run, until } from '../lib/process.mjs';
import { Follower, settled, startReactive, stat, subscribe } from './reactive.mjs';

let cluster;
let sql;
let follower;

before(async () => {
  cluster = await startReactive();
  await reconnect();
  await sql.query('create table t (id int)');
  await subscribe(sql, 't', 'select id from t');
  await follower.follow('t');
});
after(async () => {
  await follower?.end().catch(() => {});
  await sql?.end().catch(() => {});
  await cluster?.stop();
});

async function reconnect() {
  sql = await until('a connection', () => connect(cluster, 'postgres').catch(() => null), 30_000);
  follower = await until('a listener', () => Follower.open(cluster).catch(() => null), 30_000);
}

/** The rows are right, and the next write is told. */
async function works(id = Math.floor(Math.random() * 1e9)) {
  await until('the subscription to be back', async () =>
    (await sql.value(`select count(*) from pgr.snapshot('t')`)) === '1', 30_000);
  await follower.follow('t');
  await sql.query('insert into t values ($1)', [id]);
  await follower.become('t', await sql.rows('select id from t'));
  await settled(sql);
  return follower.held.get('t');
}

test('a worker that is terminated goes on where it stopped: nothing is lost, nothing is new', async () => {
  const { gen } = follower.held.get('t');
  for (let i = 0; i < 5; i++) {
    await sql.query(`insert into t values (${i})`);
    const pid = await until('a worker', () => stat(sql, 'worker_pid'));
    await sql.query('select pg_terminate_backend($1)', [pid]);
    await sql.query(`insert into t values (${i} + 10)`);
    await until('another worker', async () => ![0, pid].includes(await stat(sql, 'worker_pid')));
  }
  await follower.become('t', await sql.rows('select id from t'));
  assert.equal(follower.held.get('t').gen, gen);
  assert.ok(!follower.of('t').some(({ type }) => type === 'resubscribed'));
});

test('an orderly restart of PostgreSQL keeps generation and seq', async () => {
  await sql.query('insert into t values (50)');
  await follower.become('t', await sql.rows('select id from t'));
  const { gen, seq } = follower.held.get('t');
  await follower.end();
  await sql.end();
  await cluster.down();
  await cluster.up();
  await reconnect();
  const held = await works();
  assert.equal(held.gen, gen);
  assert.equal(held.seq, seq + 1);
});

test('a killed worker takes PostgreSQL down for a moment; then all is there, as a new generation', async () => {
  const { gen } = follower.held.get('t');
  process.kill(await stat(sql, 'worker_pid'), 'SIGKILL');
  await until('connections to break', () => sql.query('select 1').then(() => false, () => true));
  await reconnect();
  const held = await works();
  assert.ok(held.gen > gen);
});

test('an immediate stop in the middle of writes', async () => {
  for (let round = 0; round < 3; round++) {
    const { gen } = follower.held.get('t');
    const writing = (async () => { for (let i = 0; ; i++) await sql.query(`insert into t values (${i})`); })().catch(() => {});
    await until('a message', () => follower.of('t').length > 2);
    await cluster.down('SIGQUIT');
    await writing;
    await cluster.up();
    await reconnect();
    assert.ok((await works()).gen > gen);
    assert.equal(Number(await sql.value(`select generation from pgr.subscription_meta('t')`)), follower.held.get('t').gen);
  }
});

test('a standby that is promoted has them, as a new generation', async () => {
  const { gen } = follower.held.get('t'), primary = cluster;
  const leave = async () => { await follower.end().catch(() => {}); await sql.end().catch(() => {}); };
  await leave();
  cluster = await primary.standby();
  try {
    sql = await connect(cluster, 'postgres');
    assert.equal(await sql.value('select pgr.sender()'), 0);
    await sql.query('select pg_promote()');
    await sql.end();
    await reconnect();
    assert.ok((await works()).gen > gen);
    await leave();
  } finally {
    await cluster.stop();
    cluster = primary;
  }
  await reconnect();
  await works();
});

test('each database has its worker, and may be dropped', async () => {
  await sql.query('create database second');
  const second = await connect(cluster, 'second');
  await second.query('create extension pg_reactive; create table t (id int)');
  await subscribe(second, 't', 'select id from t');
  const there = await Follower.open(cluster, 'second');
  await there.follow('t');
  const here = follower.of('t').length;
  await second.query('insert into t values (1)');
  await there.become('t', [{ id: 1 }]);
  assert.notEqual(await stat(second, 'worker_pid'), await stat(sql, 'worker_pid'));
  assert.equal(follower.of('t').length, here);
  await there.end();
  await assert.rejects(sql.query('drop database second'), { code: '55006' });
  await second.query('insert into t values (2)');
  await until('the worker to be back', async () => (await second.rows(`select rows from pgr.snapshot('t')`))[0]?.rows.length === 2);
  await second.end();
  await sql.query('drop database second');
  await works();
});

test('roles that are changed from another database', async () => {
  await sql.query(`create role team; create role ann; create table doc (id int); insert into doc values (1); alter table doc enable row level security;
    create policy of_team on doc to team using (true); grant select on doc to ann; grant usage on schema pgr to ann; grant execute on function pgr.subscribe to ann`);
  await sql.query(`set role ann; select pgr.subscribe('doc', 'select id from doc'); reset role; select pgr.restore_subscriptions()`);
  await follower.follow('doc');
  await sql.query('create database elsewhere');
  const there = await connect(cluster, 'elsewhere');
  await settled(sql);
  const worker = await stat(sql, 'worker_pid');
  process.kill(worker, 'SIGSTOP');
  try {
    await there.query('grant team to ann');
    assert.equal(await stat(sql, 'pending'), 1, 'the worker has been told');
  } finally {
    process.kill(worker, 'SIGCONT');
  }
  await follower.become('doc', [{ id: 1 }]);
  await there.query('revoke team from ann');
  await follower.become('doc', []);
  await there.end();
  await sql.query('drop database elsewhere');
  await sql.query(`select pgr.unsubscribe('doc'); drop table doc; drop owned by ann; drop role ann, team`);
});

test('who may not drop a database does not end its worker', async () => {
  const pid = await stat(sql, 'worker_pid');
  await sql.query('create role nobody; set role nobody');
  await assert.rejects(sql.query('drop database postgres'), { code: '42501' });
  await sql.query('reset role');
  await assert.rejects(sql.query('begin; drop database postgres'), { code: '25001' });
  await sql.query('rollback');
  await works();
  assert.equal(await stat(sql, 'worker_pid'), pid);
});

/** Subscribes to a query that stops the worker while somebody else has the advisory lock 7. */
async function subscribeWaiting(id) {
  await sql.query(`create table ${id} (id int); create or replace function wait_for_7(int) returns int immutable language plpgsql as $$
    begin while not pg_try_advisory_xact_lock_shared(7) loop perform pg_sleep(0.02); end loop; return $1; end $$`);
  await subscribe(sql, id, `select wait_for_7(id) as id from ${id}`);
  await settled(sql);
}

const waits = () => until('the worker to be in the query', () =>
  sql.value(`select pid from pg_stat_activity where backend_type = 'pg_reactive worker' and wait_event = 'PgSleep'`), 30_000);

test('a drop that fails at once leaves the database a worker, however busy that was', async () => {
  await subscribeWaiting('busy');
  await sql.query('begin; select pg_advisory_xact_lock(7)');
  const other = await connect(cluster, 'postgres');
  await other.query('insert into busy values (1)');
  await waits();
  await assert.rejects(other.query('drop database postgres'), { code: '55006' });
  await sql.query('commit');
  await works();
  await sql.query(`select pgr.unsubscribe('busy'); drop table busy`);
  await other.end();
});

test('a query runs when the locks of new triggers have gone', async () => {
  await subscribeWaiting('quiet');
  const other = await connect(cluster, 'postgres');
  await sql.query('begin; select pg_advisory_xact_lock(7)');
  const before = await stat(other, 'worker_pid');
  await other.query(`begin; drop trigger pgr_mark on quiet; delete from pgr._state where query_id = 'quiet'; insert into quiet values (1)`);
  await other.query('select pg_terminate_backend($1, 30000)', [before]);
  await other.query('commit');
  const worker = await waits();
  assert.deepEqual(await other.rows(`select mode from pg_locks where pid = $1 and relation = 'quiet'::regclass and mode like '%Exclusive%'`, [worker]), []);
  await other.query('insert into quiet values (2)');
  await sql.query('commit');
  await follower.follow('quiet');
  await follower.become('quiet', [{ id: 1 }, { id: 2 }]);
  await sql.query(`select pgr.unsubscribe('quiet'); drop table quiet`);
  await other.end();
});

test('a dump takes the subscriptions along', async () => {
  await subscribe(sql, 'dumped', 'select id from t where id > 0');
  const bin = (name) => join(binaries(), name);
  const where = ['-h', cluster.sockets, '-p', String(cluster.port), '-U', 'postgres'];
  const dump = await run(bin('pg_dump'), [...where, '--no-sync', 'postgres']);
  await sql.query('create database restored');
  const said = await run(bin('psql'), [...where, '-X', '-d', 'restored'], { input: dump.out, may_fail: true });
  assert.ok(!/ERROR(?!.*pgr_mark)/.test(said.err), said.err);
  const restored = await connect(cluster, 'restored');
  assert.equal(await restored.value('select pgr.restore_subscriptions()'), 2);
  const there = await Follower.open(cluster, 'restored');
  await there.follow('dumped');
  await restored.query('insert into t values (77777)');
  await there.become('dumped', await restored.rows('select id from t where id > 0'));
  await there.end();
  await restored.end();
  await sql.query('drop database restored');
});

test('a dump that is restored in parts: what cannot be asked before the keys are there waits for them', async () => {
  await sql.query(`create table keyed (id int primary key, title text);
    create view counted as select k.id, k.title, count(*) from keyed k, t group by k.id`);
  await subscribe(sql, 'grouped', 'select k.id, k.title, count(*) from keyed k, t group by k.id');
  await subscribe(sql, 'viewed', 'select id, title from counted');
  const bin = (name) => join(binaries(), name);
  const where = ['-h', cluster.sockets, '-p', String(cluster.port), '-U', 'postgres'];
  const restore = async (...sections) => run(bin('psql'), [...where, '-X', '-d', 'parts'], { may_fail: true,
    input: (await run(bin('pg_dump'), [...where, '--no-sync', ...sections.map((name) => `--section=${name}`), 'postgres'])).out });
  await sql.query('create database parts');
  await restore('pre-data', 'data');
  const parts = await connect(cluster, 'parts');
  await until('both to fail', async () => (await parts.rows(
    `select failing from pgr.subscriptions where query_id in ('grouped', 'viewed') order by failing`)).map(({ failing }) => failing).join() === '0A000,42803');
  await settled(parts);
  await restore('post-data');
  const there = await Follower.open(cluster, 'parts');
  for (const id of ['grouped', 'viewed']) await there.follow(id);
  await parts.query(`insert into t values (88888); insert into keyed values (1, 'one')`);
  await there.become('viewed', await parts.rows('select id, title from counted'));
  await there.become('grouped', await parts.rows('select id, title, count::int from counted'));
  await there.end();
  await parts.end();
  await sql.query('drop database parts');
  await sql.query(`select pgr.unsubscribe('grouped'), pgr.unsubscribe('viewed'); drop view counted; drop table keyed`);
});

test('a worker that ends after its launcher did is started again', async () => {
  const launcher = () => sql.value(`select pid from pg_stat_activity where backend_type = 'pg_reactive launcher'`);
  const before = await launcher();
  await sql.query('select pg_terminate_backend($1)', [before]);
  await until('another launcher', async () => ![undefined, null, before].includes(await launcher()));
  await sql.query('select pg_sleep(0.5)'); // it has looked at what runs, and waits to be told
  await sql.query('select pg_terminate_backend($1)', [await stat(sql, 'worker_pid')]);
  await works();
});

test('the worker needs no role that may log in', async () => {
  await sql.query('alter role postgres nologin');
  try {
    const pid = await stat(sql, 'worker_pid');
    await sql.query('select pg_terminate_backend($1, 30000)', [pid]);
    await works();
  } finally {
    await sql.query('alter role postgres login');
  }
});

test('dropping the extension leaves nothing, and it can come back', async () => {
  await sql.query('drop extension pg_reactive');
  assert.equal(await sql.value(`select count(*) from pg_trigger where tgrelid = 't'::regclass`), '0');
  assert.equal(await sql.value(`select to_regnamespace('pgr')`), null);
  await sql.query('insert into t values (-1)');
  await sql.query('create extension pg_reactive');
  await subscribe(sql, 't', 'select id from t where id < 0');
  await follower.follow('t');
  await sql.query('delete from t where id = -1');
  await follower.become('t', []);
});

test('without preloading: the functions say so, writers do not notice', async () => {
  await follower.end();
  await sql.query(`alter system reset shared_preload_libraries`);
  await sql.end();
  await cluster.down();
  await cluster.up();
  sql = await connect(cluster, 'postgres');
  await sql.query('insert into t values (1); create table x (id int); truncate t');
  await assert.rejects(sql.query(`select pgr.subscribe('x', 'select id from x')`), /pg_reactive is not running/);
  await assert.rejects(sql.query(`select pgr.restore_subscriptions()`), /pg_reactive is not running/);
  assert.equal(await sql.value('select count(*) from pgr.subscriptions'), '0');
  assert.equal(await stat(sql, 'subscriptions'), 0);
  assert.equal(await sql.value(`select pgr.unsubscribe('t')`), true);
});
