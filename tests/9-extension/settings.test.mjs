// pg_reactive.database, pg_reactive.notify_channel, the bounds of a result, and what is waited for.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';
import { settled, startReactive, stat } from './reactive.mjs';

let cluster;
let sql;

before(async () => {
  cluster = await startReactive(`pg_reactive.database = ' second , "Third"'\npg_reactive.notify_channel = 'News of all'\n`);
  sql = await connect(cluster, 'postgres');
  await sql.query('create table t (id int)');
});
after(async () => {
  await sql?.end();
  await cluster?.stop();
});

async function open(name) {
  await sql.query(`create database "${name}"`);
  const there = await connect(cluster, name);
  await there.query('create extension pg_reactive; create table t (id int)');
  return there;
}

test('databases that are named are served, others are not', async () => {
  for (const name of ['second', 'Third']) {
    const there = await open(name);
    const heard = [];
    there.client.on('notification', ({ channel, payload }) => heard.push([channel, JSON.parse(payload).inserted]));
    await there.query('listen "News of all"; listen pgr');
    await there.query(`select pgr.subscribe('t', 'select id from t')`);
    assert.equal(await there.value('select pgr.restore_subscriptions()'), 1);
    await there.query('insert into t values (1)');
    await until('the message', () => heard.length > 0);
    assert.deepEqual(heard, [['News of all', [{ id: 1 }]]]);
    await there.end();
  }
  await sql.query(`select pgr.subscribe('t', 'select id from t')`);
  await sql.query('insert into t values (1)');
  assert.equal(await stat(sql, 'worker_pid'), 0);
  assert.equal(await sql.value(`select count(*) from pgr.snapshot('t')`), '0');
});

test('a channel may be changed while it runs; one that cannot be is refused', async () => {
  const there = await connect(cluster, 'second');
  const heard = [];
  there.client.on('notification', ({ channel }) => heard.push(channel));
  await there.query('listen pgr; listen "News of all"');
  await sql.query('alter system set pg_reactive.notify_channel = pgr');
  await sql.query('select pg_reload_conf()');
  await until('the new channel', async () => await sql.value('show pg_reactive.notify_channel') === 'pgr');
  for (let i = 2; !heard.includes('pgr'); i++) {
    assert.ok(i < 100, `still on ${heard}`);
    await there.query('insert into t values ($1)', [i]);
    await settled(there);
  }
  for (const wrong of ['', 'x'.repeat(64)])
    await assert.rejects(sql.query(`alter system set pg_reactive.notify_channel = '${wrong}'`), { code: '22023' });
  await there.end();
});

test('a result of more rows than a worker keeps is none, until it is smaller', async () => {
  const there = await connect(cluster, 'second');
  await there.query(`create table many (id int); insert into many values (0); select pgr.subscribe('many', 'select id from many')`);
  await there.query('select pgr.restore_subscriptions()');
  await there.query('insert into many select generate_series(1, 100000)');
  const failing = () => there.value(`select failing from pgr.subscriptions where query_id = 'many'`);
  await until('it to be too many', async () => await failing() === '54000', 60_000);
  await there.query('delete from many where id > 99999');
  await until('it to be well', async () => await failing() === null, 90_000);
  assert.equal(await there.value(`select json_array_length(rows) from pgr.snapshot('many')`), 100_000);
  await there.end();
});

test('who waits for subscriptions in vain is told why', { skip: !process.env.LONG, timeout: 120_000 }, async () => {
  const there = await connect(cluster, 'second');
  const worker = await stat(there, 'worker_pid');
  process.kill(worker, 'SIGSTOP');
  try {
    await Promise.all([
      assert.rejects(sql.query('select pgr.restore_subscriptions()'), { code: '55000', message: /no worker/ }),
      assert.rejects(there.query('select pgr.restore_subscriptions()'), { code: '55000', message: /has not come to all/ }),
    ]);
  } finally {
    process.kill(worker, 'SIGCONT');
  }
  assert.equal(await there.value('select pgr.restore_subscriptions()'), 2);
  await there.end();
});
