// Live queries where PostgreSQL has no logical log: fed by triggers, through an outbox.  What subscribers are
// told is the same; here is that, and what can go wrong on that way.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, credentials, environment, makeDatabase, startServer, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { Live } from '../lib/live.mjs';
import { limitHits, scrape } from '../lib/metrics.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { freePort, growth, sleep, until } from '../lib/process.mjs';
import { checkStatements, grammarOf, logSize, seenStatements, watchStatements } from '../lib/statements.mjs';
import { compareUnderWrites, seed, staff } from './board.mjs';
import { checkHistory, checkWholeTransactions } from './moments.mjs';

const { ada, bob, eve } = users;
const name = 'live_outbox';
// Beside the tables of tests/4-api/live: statements that do not name the table whose rows they change.
const more = {
  'policies/outbox.schema': `live outbox;
    grant select on event, house, fact to authenticated;
    policy seen on fact for select to authenticated using (public);
    live facts on fact filter (team_id) to authenticated limit 100;
    policy seen on event for select to authenticated using (public);
    policy seen on house for select to authenticated using (public);
    live events(team integer) to authenticated as select id, day from event where team_id = team order by id, day limit 100;
    live houses(team integer) to authenticated as select id from house where team_id = team order by id limit 100;`,
  'schema/outbox.schema': `
    table fact (id bigint primary key, team_id integer not null, size integer, made_at timestamptz, day date, lasts interval, tags text[] not null default '{}',
      price numeric, sure boolean, raw bytea, half double precision, code char(5), state state, body jsonb, index (team_id));
    table event (id bigint, team_id integer not null, day date not null, primary key (id, day), index (team_id)) partition by range (day);
    table event_old partition of event for values from ('2000-01-01') to ('2020-01-01');
    table event_new partition of event for values from ('2020-01-01') to ('2040-01-01');
    table place (id bigint primary key);
    table house (team_id integer not null, primary key (id), index (team_id)) inherits (place);`,
};

let cluster, project, program, env, server, db, log_from;
before(async () => {
  cluster = await Cluster.start('wal_level = replica\nmax_prepared_transactions = 4\n');
  project = await buildProject('tests/4-api/live', { as: name, more, cluster });
  await makeDatabase(cluster, project, name);
  program = join(project, 'build/server/board');
  env = environment(cluster, name, await freePort(), await freePort(), { LIVE_RESUME_TIME: '0' });
  db = await connect(cluster, name);
  await db.query(seed);
  await watchStatements(db, name);
  log_from = logSize(cluster.log);
  server = await startServer(program, env);
});
after(async () => {
  const how = await server?.stop('SIGTERM', 15_000);
  await db?.end().catch(() => {});
  const seen = cluster ? seenStatements(cluster.log, log_from, name) : [];
  await cluster?.stop();
  if (!server) return;
  assert.equal(how.code, 0, server.output().slice(-4000));
  checkStatements(program, seen);
  server.forget();
});

const open = (who, port = env.PORT) => Live.open(port, { headers: credentials(who) });
const sql = (text, values) => db.query(text, values);
const event = (of, name_) => of.lines().map((line) => JSON.parse(line)).findLast((line) => line.event === name_);
const recorded = () => db.value('select count(*)::integer from pgstack_live.outbox');
const asked = async () => (await scrape(env.ADMIN_PORT)).value('pgstack_live_results_total', { by: 'asking' });
const first = { id: 1, team_id: 1, title: 'a', state: 'open' };
const ticket = (id, title, team_id = 1) => ({ id, team_id, title, state: 'open' });

/** As if no server had ever listened: each has noticed that nobody is subscribed, and swept up. */
async function beginAnew() {
  await until('the readers to rest', () => db.value(`select bool_and(query ~ '^delete .*last_value') from pg_stat_activity where usename = 'pgstack_replicator'`), 30_000);
  await sql(`select setval('pgstack_live.listening', 1)`);
}

/** A second session that writes. */
async function withWriter(work) {
  const writer = await connect(cluster, name);
  try {
    return await work(writer);
  } finally {
    await writer.end();
  }
}

/** Another server of the database, which reads the outbox so often. */
async function withServer(interval, work) {
  const more_env = { ...env, PORT: String(await freePort()), ADMIN_PORT: String(await freePort()), LIVE_POLL_INTERVAL: interval };
  const other = await startServer(program, more_env);
  try {
    return await work(more_env, other);
  } finally {
    await other.stop('SIGTERM', 15_000);
    other.forget();
  }
}

test('the log says what feeds live queries, and writers write nothing for nobody', async () => {
  await until('the feed', () => event(server, 'live_feed_ready')?.source === 'outbox');
  await sql(`insert into ticket (id, team_id, title) values (9, 1, 'x'); update ticket set title = 'y' where id = 9; delete from ticket where id = 9; truncate note`);
  assert.equal(await recorded(), 0);
});

test('nobody but the reader reaches the outbox, and it only reads', async () => {
  const { rows } = await sql(`select rolname, has_schema_privilege(oid, 'pgstack_live', 'usage') as usage,
    has_table_privilege(oid, 'pgstack_live.outbox', 'insert, update, truncate') as writes, has_function_privilege(oid, 'pgstack_live.listen()', 'execute') as listens
    from pg_roles where not rolsuper and rolname !~ '^pg_' and rolname <> 'pgstack_owner' order by rolname`);
  assert.ok(rows.length > 5);
  for (const { rolname, usage, writes, listens } of rows) assert.deepEqual([usage, writes, listens], [rolname === 'pgstack_replicator', false, rolname === 'pgstack_replicator'], rolname);
});

test('one statement a transaction is matched, more are asked for', async () => {
  const live = await open('ada'), other = await open(staff);
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  const elsewhere = await other.subscribe('e', 'tickets', { team_id: 2 }).ready();
  await sql(`insert into ticket (id, team_id, title) values (10, 1, 'x')`);
  await tickets.become([first, ticket(10, 'x')]);
  await sql(`update ticket set title = 'bb' where id = 2`);
  await elsewhere.become([ticket(2, 'bb', 2)]);
  await sql(`update ticket set title = 'b' where id = 2`);
  await elsewhere.become([ticket(2, 'b', 2)]);
  const before_it = await asked();
  await sql(`update ticket set title = 'it''s "new", {a}', hidden = false where id = 10`);
  await tickets.become([first, ticket(10, `it's "new", {a}`)]);
  await sql('update ticket set team_id = 2 where id = 10');
  await tickets.become([first]);
  await elsewhere.become([ticket(2, 'b', 2), ticket(10, `it's "new", {a}`, 2)]);
  await sql('update ticket set id = 11 where id = 10');
  await elsewhere.become([ticket(2, 'b', 2), ticket(11, `it's "new", {a}`, 2)]);
  await sql('delete from ticket where id = 11');
  await elsewhere.become([ticket(2, 'b', 2)]);
  assert.equal(await asked(), before_it);
  assert.deepEqual(tickets.frames.at(-1).deleted, [{ id: 10 }]);
  assert.equal(tickets.frames.at(-1).lsn, undefined, 'no place in the log is known');
  await sql(`begin; insert into ticket (id, team_id, title) values (12, 2, 'one'); update ticket set title = 'two' where id = 12; commit`);
  await elsewhere.become([ticket(2, 'b', 2), ticket(12, 'two', 2)]);
  await until('whoever looks at the table to have asked', async () => await asked() === before_it + 2);
  assert.equal(elsewhere.frames.at(-1).inserted.length, 1);
  await sql('delete from ticket where id = 12');
  await live.close();
  await other.close();
});

test('a write is told its place in the log if it asks alone', async () => {
  const placeOf = async (id, prefer = {}) => {
    const r = await request(env.PORT, 'POST', '/rest/v1/ticket', { headers: { ...credentials('service'), ...prefer }, body: { id, team_id: 3, title: 'x' } });
    assert.equal(r.status, 201, r.text);
    return r.headers['pgstack-lsn'];
  };
  assert.equal(await placeOf(70), undefined);
  assert.match(await placeOf(71, { Prefer: 'lsn' }), /^[0-9A-F]+\/[0-9A-F]+$/);
  await sql('delete from ticket where id in (70, 71)');
});

test('rollback, savepoints, many rows, large rows, truncate, COPY', async () => {
  const live = await open(staff);
  const notes = await live.subscribe('n', 'notes', { ticket: 1 }).ready();
  await sql(`begin; insert into note values (2, 1, 'two'); rollback`);
  await sql(`begin; insert into note values (3, 1, 'three'); savepoint s; insert into note values (4, 1, 'four'); rollback to s; commit`);
  await notes.become([{ id: 3, body: 'three' }]);
  await sql(`update note set body = repeat('long ', 40000) where id = 3`);
  await until('the large one', () => notes.rows[0].body.length === 200_000);
  await sql(`update note set body = '' where id = 3`);
  await sql(`insert into note select i, 1, 'x' from generate_series(10, 90) i`);
  await until('some', () => notes.rows.length === 82);
  await sql(`insert into note select i, 1, 'x' from generate_series(100, 400) i`);
  await until('many', () => notes.rows.length === 383);
  await sql(`update note set body = body || id`);
  await until('all of them', () => notes.rows.every(({ id, body }) => body === (id === 3 ? '3' : `x${id}`)));
  await sql(`copy note from program 'printf "7\\t1\\tcopied\\n"'`);
  await until('the copied one', () => notes.rows.some(({ body }) => body === 'copied'));
  await sql(`set session_replication_role = replica; insert into note values (8, 1, 'restored'); reset session_replication_role`);
  await until('what a restore writes', () => notes.rows.some(({ body }) => body === 'restored'));
  await sql('truncate note');
  await notes.become([]);
  assert.ok(notes.frames.every((frame) => !JSON.stringify(frame).includes('four')));
  await live.close();
});

test('values arrive as they do in a result, whatever the session of the writer', async () => {
  const live = await open('ada');
  const facts = await live.subscribe('f', 'facts', { team_id: 1 }).ready();
  await sql('insert into fact (id, team_id) values (1, 1)');
  await until('a row of nothing', () => facts.rows.length === 1);
  const before_it = await asked();
  await sql(`set datestyle = 'SQL, DMY'; set timezone = 'Asia/Tokyo'; set intervalstyle = 'iso_8601'; set bytea_output = 'escape'; set extra_float_digits = -3;
    insert into fact values (2, 1, 7, '2026-11-21 23:15:42.5+00', '2026-03-04', '1 day 02:00', '{"a b",NULL,"c,d\\"e"}', 0.10, true, '\\x00ff5c', 0.1 + 0.2, 'ab', 'open', '{"a": [1, "x"]}');
    reset datestyle; reset timezone; reset intervalstyle; reset bytea_output; reset extra_float_digits`);
  await until('the row', () => facts.rows.length === 2);
  assert.equal(await asked(), before_it, 'they were matched');
  const fresh = await live.subscribe('g', 'facts', { team_id: 1 }).ready();
  assert.deepEqual(facts.rows, fresh.rows);
  assert.equal(Object.values(fresh.rows[0]).filter((value) => value === null).length, 11);
  assert.equal(Object.values(fresh.rows[1]).filter((value) => value === null).length, 0);
  await live.close();
});

test('large values of any kind are told that there was one, and do not fail their writer', async () => {
  const live = await open('ada');
  const facts = await live.subscribe('f', 'facts', { team_id: 3 }).ready();
  await sql(`insert into fact (id, team_id, raw, tags, body) values (30, 3, convert_to(repeat('x', 40000), 'UTF8'), array_fill('x'::text, '{70000}'), null), (31, 3, null, '{}', to_jsonb(repeat('x', 200000)))`);
  await until('both', () => facts.rows.length === 2);
  assert.deepEqual([facts.rows[0].raw.length, facts.rows[0].tags.length, facts.rows[1].body.length], [80_002, 70_000, 200_000]);
  if (process.env.LONG) await sql(`insert into fact (id, team_id, raw) values (32, 4, convert_to(repeat('x', 540000000), 'UTF8')); update fact set raw = null where id = 32`);
  await sql('delete from fact where id >= 30');
  await facts.become([]);
  await live.close();
});

test('a statement of many large values takes no memory of its writer for them', async () => {
  const live = await open('ada');
  await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await sql(`insert into ticket (id, team_id, title) select i, 3, '' from generate_series(1000, 1099) i`);
  await withWriter(async (writer) => {
    const pid = await writer.value('select pg_backend_pid()'), rewrite = (bytes) => writer.query(`update ticket set title = repeat('x', ${bytes}), tags = array[repeat('y', ${bytes})] where id >= 1000`);
    await rewrite(1);
    const grown = await growth(pid, async () => { for (const bytes of [60_000, 4000, 4001]) await rewrite(bytes); });
    assert.ok(grown < 16_384, `${grown} kB more`);
  });
  await sql('delete from ticket where id >= 1000');
  await live.close();
});

test('rows of some KiB are matched, larger ones and what stands for them asked for; no rows are no record', async () => {
  const live = await open(staff);
  const notes = await live.subscribe('n', 'notes', { ticket: 1 }).ready();
  const write = async (body) => {
    const before_it = await asked();
    await sql(body === null ? 'insert into note values (5, 1, $1)' : 'update note set body = $1 where id = 5', [body ?? 'first']);
    await notes.become([{ id: 5, body: body ?? 'first' }]);
    return await asked() - before_it;
  };
  assert.equal(await write(null), 0);
  assert.equal(await write('x'.repeat(8192)), 0);
  assert.equal(await write('x'.repeat(8193)), 1);
  assert.equal(await write('x'.repeat(8194)), 1);
  assert.equal(await write(''), 1, 'it was large');
  assert.equal(await write('(more than is told)'), 1);
  const numbered = () => db.value('select last_value from pgstack_live.outbox_id_seq'), n = await numbered();
  await sql(`update note set body = 'nobody' where id = 6; delete from note where id = 6; insert into note select 6, 1, 'nobody' where false`);
  assert.equal(await numbered(), n);
  await sql('truncate note');
  await notes.become([]);
  await live.close();
});

test('partitions and tables that inherit are followed by whatever name they are written', async () => {
  const live = await open('ada');
  const events = await live.subscribe('e', 'events', { team: 1 }).ready(), houses = await live.subscribe('h', 'houses', { team: 1 }).ready();
  const row = (id, year) => ({ id, day: `${year}-01-01` });
  await sql(`insert into event values (1, 1, '2010-01-01'), (2, 1, '2030-01-01')`);
  await events.become([row(1, 2010), row(2, 2030)]);
  await sql(`insert into event_old values (3, 1, '2011-01-01')`);
  await events.become([row(1, 2010), row(2, 2030), row(3, 2011)]);
  await sql(`update event set day = '2031-01-01' where id = 1`);
  await events.become([row(1, 2031), row(2, 2030), row(3, 2011)]);
  await sql('truncate event_new');
  await events.become([row(3, 2011)]);
  await sql('insert into house values (1, 1), (2, 1)');
  await houses.become([{ id: 1 }, { id: 2 }]);
  await sql('update place set id = 5 where id = 2');
  await houses.become([{ id: 1 }, { id: 5 }]);
  await sql('truncate place, event');
  await houses.become([]);
  await events.become([]);
  await live.close();
});

test('a trigger that writes within a statement is told behind it', async () => {
  await sql(`create function again() returns trigger language plpgsql as $$ begin update public.ticket set title = title || '+' where id = new.id; return null; end $$;
    create trigger again after insert on ticket for each row execute function again()`);
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await sql(`insert into ticket (id, team_id, title) values (20, 1, 'x')`);
  await tickets.become([first, ticket(20, 'x+')]);
  await sql('drop trigger again on ticket; drop function again(); delete from ticket where id = 20');
  await tickets.become([first]);
  await live.close();
});

test('a membership that ends hides its rows, and a row that is committed later is not told by it', async () => {
  await withServer('400ms', async ({ PORT }) => {
    const live = await open('bob', PORT);
    const tickets = await live.subscribe('t', 'tickets', { team_id: 2 }).ready();
    assert.deepEqual(tickets.rows, [ticket(2, 'b', 2)]);
    await sql('delete from note'); // one reading behind us: what follows is in the next one
    await withWriter(async (writer) => {
      await writer.query(`begin; insert into ticket (id, team_id, title) values (30, 2, 'not for bob')`);
      await sql(`delete from member where team_id = 2 and user_id = '${bob}'`);
      await writer.query('commit');
    });
    await tickets.become([]);
    assert.doesNotMatch(JSON.stringify(tickets.frames), /not for bob/);
    await sql(`insert into member values (2, '${bob}'); delete from ticket where id = 30`);
    await tickets.become([ticket(2, 'b', 2)]);
    await live.close();
  });
});

test('a result that is ahead of the outbox does not go back', async () => {
  await withServer('400ms', async ({ PORT }) => {
    const one = await open('ada', PORT), two = await open('ada', PORT);
    const held = await one.subscribe('t', 'tickets', { team_id: 1 }).ready();
    for (const title of ['1', '2', '3']) await sql('update ticket set title = $1 where id = 1', [title]);
    const fresh = await two.subscribe('t', 'tickets', { team_id: 1 }).ready();
    assert.deepEqual(fresh.rows, [{ ...first, title: '3' }]);
    await held.become([{ ...first, title: '3' }]);
    await sql(`update ticket set title = '4' where id = 1`);
    await fresh.become([{ ...first, title: '4' }]);
    assert.equal(fresh.frames.length, 2);
    await sql(`update ticket set title = 'a' where id = 1`);
    await one.close();
    await two.close();
  });
});

test('what was under way when the first subscriber came is not missed', async () => {
  await beginAnew();
  await withWriter((early) => withWriter(async (old) => {
    await early.query(`begin; insert into ticket (id, team_id, title) values (40, 1, 'early')`);
    await old.query('begin isolation level repeatable read; select 1 from ticket');
    const live = await open('ada');
    const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
    await until('triggers to be told', async () => await db.value('select last_value from pgstack_live.listening') > 1);
    await old.query(`insert into ticket (id, team_id, title) values (41, 1, 'old'); commit`);
    await tickets.become([first, ticket(41, 'old')]);
    await early.query('commit');
    await tickets.become([first, ticket(40, 'early'), ticket(41, 'old')]);
    await sql('delete from ticket where id in (40, 41)');
    await tickets.become([first]);
    await live.close();
  }));
});

test('a prepared transaction is told when it is committed', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await sql(`begin; insert into ticket (id, team_id, title) values (45, 1, 'prepared'); prepare transaction 'p'`);
  await sql(`insert into ticket (id, team_id, title) values (46, 1, 'later')`);
  await tickets.become([first, ticket(46, 'later')]);
  await sql(`commit prepared 'p'`);
  await tickets.become([first, ticket(45, 'prepared'), ticket(46, 'later')]);
  await sql('delete from ticket where id in (45, 46)');
  await tickets.become([first]);
  await live.close();
});

/** What PostgreSQL did for a statement of the feed, and undoes: how many records it came upon, and how many it deleted. */
async function walk(begins, ...snapshots) {
  const statement = grammarOf(program).get('statement').map(([part]) => part.text).find((text) => text?.startsWith(begins));
  const { rows } = await sql(`begin; set local enable_seqscan = off; set local enable_sort = off; explain (analyze, format json) ${statement.replace(/\$(\d)/g, (_, n) => `'${snapshots[n - 1]}'`)}; rollback`)
    .then((results) => results.find(({ command }) => command === 'EXPLAIN'));
  const nodes = ({ Plans = [], ...node }) => [node, ...Plans.flatMap(nodes)];
  const all = nodes(rows[0]['QUERY PLAN'][0].Plan), records = all.filter((node) => /Index/.test(node['Node Type']));
  assert.deepEqual(records.map((node) => node['Index Name']), ['outbox_xid', 'outbox_xid'], 'by two ranges');
  return { walked: records.reduce((sum, node) => sum + node['Actual Rows'], 0), deleted: all.find((node) => node['Node Type'] === 'Tid Scan')?.['Actual Rows'] };
}

test('an old transaction, in another database too, holds up neither reading nor deleting', async () => {
  const holder = await connect(cluster, 'postgres'), live = await open(staff);
  try {
    await holder.query('begin; select pg_current_xact_id()');
    const notes = await live.subscribe('n', 'notes', { ticket: 1 }).ready();
    const now = () => db.value('select pg_current_snapshot()::text');
    await until('triggers to be told', () => db.value('select last_value > extract(epoch from now()) * 1000 from pgstack_live.listening'));
    const from = await now(), written = 300;
    await sql(`do $$ begin for i in 1..${written} loop insert into note values (i, 1, 'x'); commit; end loop; end $$`);
    const to = await now();
    await until('all of them', () => notes.rows.length === written);
    assert.deepEqual(await walk('select now.snapshot', from), { walked: written, deleted: undefined });
    assert.deepEqual(await walk('select now.snapshot', to), { walked: 0, deleted: undefined }, 'what was read is not read again');
    assert.deepEqual(await walk('with gone', to, from, '0'), { walked: written, deleted: written });
    assert.deepEqual(await walk('with gone', to, to, '0'), { walked: 0, deleted: 0 });
    await sql('truncate note');
    await notes.become([]);
  } finally {
    await holder.end();
    await live.close();
  }
});

test('a record that a dump has brought from elsewhere is not taken for ours', async () => {
  await sql(`insert into pgstack_live.outbox (xid, table_schema, table_name, columns, after) select (pg_current_xact_id()::text::bigint + 40)::text::xid8, 'public', 'ticket', '{id}', '{{1}}'`);
  await beginAnew();
  const live = await open('ada');
  await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  await until('it to go', async () => await db.value(`select count(*)::integer from pgstack_live.outbox where columns = '{id}'`) === 0);
  await live.close();
});

test('the reader is killed: it is announced, and nothing is lost', async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  const { gen } = tickets;
  for (let i = 0; i < 3; i++) {
    await sql(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pgstack_replicator'`);
    await sql(`insert into ticket (id, team_id, title) values (${50 + i}, 1, 'missed?')`);
    await until('what was missed', () => tickets.rows.length === 2 + i);
  }
  assert.ok(event(server, 'live_feed_lost'));
  assert.notEqual(tickets.gen, gen);
  await sql('delete from ticket where id >= 50');
  await until('the rest', () => tickets.rows.length === 1);
  await live.close();
});

test('limit: live_outbox', async () => {
  const live = await open(staff);
  const notes = await live.subscribe('n', 'notes', { ticket: 5 }).ready();
  await until('triggers to be told', () => db.value('select last_value > extract(epoch from now()) * 1000 from pgstack_live.listening'));
  await sql(`do $$ begin for i in 1..51000 loop insert into note values (i, case when i = 51000 then 5 else 6 end, ''); end loop; end $$`);
  await until('the last of them', () => notes.rows.length === 1);
  assert.equal((await limitHits(env.ADMIN_PORT)).live_outbox, 1);
  await sql('truncate note');
  await notes.become([]);
  await live.close();
});

test('two servers read one outbox, and what all have read is deleted', { timeout: 120_000 }, async () => {
  await withServer('20ms', async ({ PORT }) => withWriter(async (holder) => {
    await holder.query('begin; select pg_current_xact_id()');
    const lives = [await open('ada'), await open('ada', PORT)];
    const both = await Promise.all(lives.map((live) => live.subscribe('t', 'tickets', { team_id: 1 }).ready()));
    await sql(`insert into ticket (id, team_id, title) values (70, 1, 'x')`);
    for (const tickets of both) await tickets.become([first, ticket(70, 'x')]);
    await sql('delete from ticket where id = 70');
    for (const tickets of both) await tickets.become([first]);
    if (process.env.LONG) await until('the outbox to be empty', async () => await recorded() === 0, 60_000);
    for (const live of lives) await live.close();
  }));
});

test('a server that stood still for too long begins anew', { skip: !process.env.LONG && 'LONG=1 runs it', timeout: 120_000 }, async () => {
  const live = await open('ada');
  const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
  process.kill(server.pid, 'SIGSTOP');
  await sleep(12_000);
  await sql(`insert into ticket (id, team_id, title) values (80, 1, 'unrecorded')`);
  process.kill(server.pid, 'SIGCONT');
  await tickets.become([first, ticket(80, 'unrecorded')]);
  assert.match(event(server, 'live_feed_lost').why, /for too long/);
  await sql('delete from ticket where id = 80');
  await live.close();
});

const under_load = {
  open, people: [{ sub: ada }, { sub: bob }, { sub: eve }, staff], connect: () => connect(cluster, name),
  lose: `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pgstack_replicator'`,
};

test('under random writes, moves, memberships and lost readers, subscribers hold what they would be answered', { timeout: 600_000 }, async () => {
  await compareUnderWrites({ ...under_load, db });
});

test('each state is what a commit left, in the order of the commits', { timeout: 600_000 }, async () => {
  await checkHistory(under_load);
});

test('each state has whole transactions of all that write at once', { timeout: 600_000 }, async () => {
  await checkWholeTransactions(under_load);
});

test('with a logical log, the log is read, and triggers write nothing; unless the role may not', async () => {
  const other = await Cluster.start();
  await makeDatabase(other, project, name);
  const its = await connect(other, name);
  await its.query(seed);
  const its_env = environment(other, name, await freePort(), await freePort());
  const its_server = await startServer(program, its_env);
  try {
    const live = await open('ada', its_env.PORT);
    const tickets = await live.subscribe('t', 'tickets', { team_id: 1 }).ready();
    await its.query(`update ticket set title = 'logged' where id = 1`);
    await tickets.become([{ ...first, title: 'logged' }]);
    assert.equal(event(its_server, 'live_feed_connected').source, 'log');
    assert.equal(await its.value('select count(*)::integer from pgstack_live.outbox'), 0);
    await its.query(`alter role pgstack_replicator noreplication; select pg_terminate_backend(active_pid) from pg_replication_slots`);
    await until('the outbox', () => event(its_server, 'live_feed_connected').source === 'outbox');
    assert.ok(event(its_server, 'live_log_refused'));
    await its.query(`update ticket set title = 'recorded' where id = 1`);
    await tickets.become([{ ...first, title: 'recorded' }]);
    await live.close();
  } finally {
    await its_server.stop('SIGTERM', 15_000);
    its_server.forget();
    await its.end();
    await other.stop();
  }
});

test('without an outbox it is said what is missing', async () => {
  const plain = await buildProject('tests/4-api/live', { as: 'live_neither', cluster });
  await makeDatabase(cluster, plain, 'live_neither');
  const its_env = environment(cluster, 'live_neither', await freePort(), await freePort());
  const its_server = await startServer(join(plain, 'build/server/board'), its_env);
  try {
    const said = await until('the line', () => event(its_server, 'live_feed_failed'));
    assert.match(said.why, /wal_level=logical.*live outbox/);
    assert.equal((await request(Number(its_env.PORT), 'GET', '/rest/v1/team', { headers: credentials('ada') })).status, 200);
    const refused = await open('ada', its_env.PORT).then(() => assert.fail('it was accepted'), (error) => error);
    assert.equal(refused.status, 503);
    assert.match(refused.body, /wal_level=logical, or the schema `live outbox;`/);
    assert.equal((await open('nonsense', its_env.PORT).then(() => assert.fail('it was accepted'), (error) => error)).status, 401);
    for (const [who, status] of [['ada', 503], ['nonsense', 401]])
      assert.equal((await request(Number(its_env.PORT), 'GET', '/live/v1/stream?query=mine', { headers: credentials(who) })).status, status);
  } finally {
    await its_server.stop('SIGTERM', 15_000);
    its_server.forget();
  }
});
