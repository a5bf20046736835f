// Queries that differ in constants alone are asked in one statement, and the same query once: with the rows,
// the rights and the errors that each would have by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../lib/postgres.mjs';
import { sleep, until } from '../lib/process.mjs';
import { Follower, answer, settled, startReactive, stat } from './reactive.mjs';

let cluster;
let sql;
let follower;

/** Items of all teams, each with the team's number in all of its columns. */
const insert = (from, to) => `insert into item select n, n % 12, n % 7, 'note ' || n % 12, n % 12, ('0a0a0a0a-0000-4000-8000-' || lpad((n % 12)::text, 12, '0'))::uuid,
  (array['open', 'done', 'late'])[n % 3 + 1]::state, date '2024-01-01' + n % 12, n % 12, array[n % 12] from generate_series(${from}, ${to}) n`;

before(async () => {
  cluster = await startReactive();
  sql = await connect(cluster, 'postgres');
  follower = await Follower.open(cluster);
  await sql.query(`create type state as enum ('open', 'done', 'late'); create domain short as varchar(8);
    create table item (id int primary key, team int, v int, note text, code short, who uuid, state state, due date, price numeric(8, 2), tags int[]);
    create table team (id int primary key, name text);
    insert into team select n, 'team ' || n from generate_series(0, 11) n;
    ${insert(1, 240)}; analyze item`);
});
after(async () => {
  for (const each of [follower, sql]) await each?.end();
  await cluster?.stop();
});

/** Subscribes to `query(n)` for each n below `count`, and ends them after `work`. */
async function having(name, count, query, work) {
  const ids = Array.from({ length: count }, (_, n) => `${name} ${n}`);
  for (const [n, id] of ids.entries()) await sql.query('select pgr.subscribe($1, $2)', [id, query(n)]);
  await sql.query('select pgr.restore_subscriptions()');
  for (const id of ids) await follower.follow(id);
  await settled(sql);
  await work(ids);
  for (const id of ids) await sql.query('select pgr.unsubscribe($1)', [id]);
  await settled(sql);
}

/** How many were asked together with others while `write` was followed; before it, none has to rest any more. */
async function together(write) {
  await settled(sql);
  await sleep(10 * await sql.value('select max(recompute_ms) from pgr.subscriptions') + 50);
  const from = await stat(sql, 'together');
  await sql.query(write);
  await settled(sql);
  return await stat(sql, 'together') - from;
}

async function assertRows(ids, query) {
  for (const [n, id] of ids.entries()) {
    const { seq } = (await sql.rows('select seq from pgr.snapshot($1)', [id]))[0];
    const held = follower.held.get(id);
    await until(`${id} to have come to ${seq}`, () => !held.early && held.seq >= Number(seq));
    assert.deepEqual(held.wrong, []);
    assert.deepEqual(held.list(), await answer(sql, query(n)), query(n));
  }
}

const uuid = (n) => `0a0a0a0a-0000-4000-8000-${String(n).padStart(12, '0')}`;
const forms = {
  'an integer': (n) => `select id, v from item where team = ${n}`,
  'the constant first, and another that all have': (n) => `select id from item where ${n} = team and state <> 'late' and v > 1`,
  'a text': (n) => `select id, v from item where note = 'note ${n}'`,
  'a domain': (n) => `select id from item where code = '${n}'`,
  'a uuid': (n) => `select id from item where who = '${uuid(n)}'`,
  'an enumeration': (n) => `select id, v from item where state = '${['open', 'done', 'late'][n % 3]}' and team = ${n}`,
  'a date': (n) => `select id from item where due >= date '2024-01-01' + 1 and due < '2024-01-${n + 2}'`,
  'a numeric': (n) => `select id from item where price between ${n}.0 and ${n}.5`,
  'an array': (n) => `select id from item where tags = '{${n}}'`,
  'a list and a pattern, which stay what they are': (n) => `select id from item where team in (1, 3) and note like 'note 1%' and v < ${n}`,
  'a join': (n) => `select t.name, i.id from team t join item i on i.team = t.id and i.v > ${n % 5} where t.id = ${n}`,
  'an outer join': (n) => `select t.name, i.id from team t left join item i on i.team = t.id and i.v = ${n % 7} order by t.name`,
  'a group': (n) => `select state, count(*) as n, sum(v) as v from item where team = ${n} group by state having count(*) > 1`,
  'a count, with a row where there is none': (n) => `select count(*) as n, 'x' as x from item where team = ${n} and v > 5`,
  'a limit': (n) => `select id, v from item where team = ${n} order by v desc, id limit 3`,
  'a window': (n) => `select id, rank() over (order by v desc) as place from item where team = ${n}`,
  'sub-selects': (n) => `select id from item i where team = ${n} and v >= (select avg(v) from item where team = ${n}) and exists (select from team t where t.id = i.team and t.id = ${n})`,
  'a table of its own': (n) => `select q.id from (select id, team from item where v > ${n % 5}) q where q.team = ${n}`,
  'WITH': (n) => `with mine as materialized (select id, v from item where team = ${n}) select a.id from mine a, mine b where a.v = b.v + 1 and a.id < ${100 + n}`,
  'WITH RECURSIVE': (n) => `with recursive up (n) as (values (0) union all select n + 1 from up where n < ${n}) select up.n, (select count(*) from item where team = up.n and v > ${n % 4}) as c from up`,
  'UNION and EXCEPT': (n) => `select id from item where team = ${n} union all select id from team where id = ${n} except select v from item where team = ${n + 1}`,
  'DISTINCT': (n) => `select distinct v from item where team = ${n}`,
  'a system column and the whole row': (n) => `select i, tableoid::int8 as t from item i where team = ${n}`,
};

const write = `update item set v = (v + 1) % 7, note = 'note ' || (id + v) % 12 where id % 3 = 0; update item set team = (team + 1) % 12 where id % 7 = 0;
  delete from item where id >= 1000; ${insert(1000, 1030)}`;

for (const [name, query] of Object.entries(forms))
  test(`asked together: ${name}`, () => having('form', 12, query, async (ids) => {
    assert.ok(await together(write) > 0, 'they are asked one by one');
    await assertRows(ids, query);
    await sql.query(`update item set v = (v + 3) % 7; delete from item where id > 1010`);
    await settled(sql);
    await assertRows(ids, query);
  }));

test('few are asked one by one', () => having('few', 4, forms['an integer'], async (ids) => {
  assert.equal(await together(write), 0);
  await assertRows(ids, forms['an integer']);
}));

test('the same query runs once for all', async () => {
  await sql.query(`create sequence calls; create function noted(int) returns int immutable language plpgsql as $$ begin perform nextval('calls'); return $1; end $$;
    create table one (id int)`);
  const query = () => 'select noted(id) as id from one';
  await having('same', 20, query, async (ids) => {
    await sql.query(`select setval('calls', 1)`);
    assert.equal(await together('insert into one values (1)'), 20);
    assert.equal(await sql.value('select last_value from calls'), '2');
    await assertRows(ids, query);
    assert.deepEqual(new Set(ids.map((id) => follower.held.get(id).seq)), new Set([1]));
  });
  await sql.query('drop table one; drop function noted; drop sequence calls');
});

test('what is too large together is asked apart, and the same rows are counted once', async () => {
  await sql.query('create table wide (id int, part int)');
  for (const query of [(n) => `select id from wide where part = ${n}`, () => 'select id from wide where part = 1']) {
    for (let n = 0; n < 12; n++) await sql.query('select pgr.subscribe($1, $2)', [`wide ${n}`, query(n)]);
    assert.equal(await sql.value('select pgr.restore_subscriptions()'), 12);
    await sql.query('insert into wide select n, n % 12 from generate_series(1, 120000) n');
    await until('all rows', async () => Number(await sql.value('select min(row_count) from pgr.subscriptions')) === 10_000, 60_000);
    await sql.query(`truncate wide; select pgr.unsubscribe('wide ' || n) from generate_series(0, 11) n`);
    await settled(sql);
  }
  assert.deepEqual(follower.messages.filter(({ query_id, reason }) => query_id.startsWith('wide') && reason && reason !== 'unsubscribed'), []);
  await sql.query('drop table wide');
});

test('the same query among others', () => having('pairs', 24, (n) => forms['an integer'](n >> 1), async (ids) => {
  assert.ok(await together('update item set v = v + 1') >= 24);
  await assertRows(ids, (n) => forms['an integer'](n >> 1));
}));

test('an error of one is nobody else\'s', () => having('errs', 12, (n) => `select id, 60 / (v - 100) as part from item where team = ${n}`, async (ids) => {
  await sql.query('update item set v = 5; update item set v = 100 where id = 3');
  assert.equal((await follower.message('errs 3', ({ reason }) => reason)).reason, '22012');
  await settled(sql);
  const others = ids.filter((id) => id !== 'errs 3');
  assert.deepEqual(await sql.rows('select query_id from pgr.subscriptions where failing is not null'), [{ query_id: 'errs 3' }]);
  for (const id of others) await follower.become(id, await sql.rows(`select id, 60 / (v - 100) as part from item where team = ${id.split(' ')[1]}`));
  await sql.query('update item set v = 6');
  await follower.become('errs 3', await sql.rows('select id, 60 / (v - 100) as part from item where team = 3'));
}));

test('each role has its own rows, and each search_path its tables', async () => {
  await sql.query(`create role ann; create role bob; create table doc (id int, owner text); alter table doc enable row level security;
    create policy own on doc using (owner = current_user); create schema other; create table other.doc (id int, owner text);
    insert into doc select n, case when n % 2 = 0 then 'ann' else 'bob' end from generate_series(1, 40) n; insert into other.doc values (7, 'x');
    grant select on doc to ann, bob; grant usage on schema pgr to ann, bob; grant execute on function pgr.subscribe to ann, bob`);
  const roles = ['ann', 'bob', 'postgres'];
  const query = (n) => `select id from doc where id > ${n}`;
  for (let n = 0; n < 30; n++) {
    await sql.query(`set role ${roles[n % 3]}; set search_path = ${n % 3 === 2 ? 'other' : 'public'}`);
    await sql.query('select pgr.subscribe($1, $2)', [`doc ${n}`, query(n - n % 3)]);
    await sql.query('reset role; reset search_path');
  }
  await sql.query('select pgr.restore_subscriptions()');
  for (let n = 0; n < 30; n++) await follower.follow(`doc ${n}`);
  await settled(sql);
  assert.ok(await together(`insert into doc select n, case when n % 2 = 0 then 'ann' else 'bob' end from generate_series(41, 60) n; insert into other.doc values (99, 'ann')`) >= 30);
  const wanted = (n) => [() => `select id from doc where owner = 'ann' and id > ${n}`, () => `select id from doc where owner = 'bob' and id > ${n - 1}`,
    () => `select id from other.doc where id > ${n - 2}`][n % 3]();
  for (let n = 0; n < 30; n++) await follower.become(`doc ${n}`, await sql.rows(wanted(n)));
  await sql.query('revoke select on doc from bob');
  for (let n = 1; n < 30; n += 3) assert.equal((await follower.message(`doc ${n}`, ({ reason }) => reason)).reason, '42501');
  await sql.query(`insert into doc values (70, 'ann')`);
  for (let n = 0; n < 30; n += 3) await follower.become(`doc ${n}`, await sql.rows(wanted(n)));
  await sql.query(`select pgr.unsubscribe('doc ' || n) from generate_series(0, 29) n`);
  await sql.query('drop table doc; drop schema other cascade; drop owned by ann, bob; drop role ann, bob');
});

test('a definition that changes', async () => {
  await sql.query('create view seen as select id, team, v from item where v > 4');
  const query = (n) => `select * from seen where team = ${n}`;
  await having('view', 12, query, async (ids) => {
    await sql.query('create or replace view seen as select id, team, v from item where v > 2');
    await settled(sql);
    await assertRows(ids, query);
    assert.ok(await together('update item set v = (v + 1) % 7') >= 12);
    await assertRows(ids, query);
  });
  await sql.query('drop view seen');
});

test('what takes too long together is asked apart', async () => {
  await sql.query(`create table slow (id int); create function nap(int) returns int immutable language plpgsql as $$ begin perform pg_sleep(0.05); return $1; end $$`);
  await sql.query(`alter system set pg_reactive.query_timeout = '300ms'`);
  await sql.query('select pg_reload_conf()');
  const query = (n) => `select nap(id) as id from slow where id = ${n}`;
  await having('slow', 12, query, async (ids) => {
    await sql.query('insert into slow select n from generate_series(0, 11) n');
    for (const [n, id] of ids.entries()) await follower.become(id, [{ id: n }]);
    assert.deepEqual(await sql.rows('select query_id from pgr.subscriptions where failing is not null'), []);
    assert.ok(ids.every((id) => follower.held.get(id).messages.every(({ reason }) => !reason)));
  });
  await sql.query('alter system reset pg_reactive.query_timeout');
  await sql.query('select pg_reload_conf()');
});
