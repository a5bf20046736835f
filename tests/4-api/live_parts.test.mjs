// Tables in parts and tables that inherit, written by whatever name, and transactions that are prepared: as the log
// tells of them.  tests/4-api/live_outbox.test.mjs has the same for the outbox.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, credentials, environment, makeDatabase, startServer } from '../lib/app.mjs';
import { Live } from '../lib/live.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { freePort } from '../lib/process.mjs';
import { seed } from './board.mjs';

const name = 'live_parts';
const more = {
  'schema/parts.schema': `
    table event (id bigint, team_id integer not null, day date not null, note text, primary key (id, day), index (team_id)) partition by range (day);
    table event_old partition of event for values from ('2000-01-01') to ('2020-01-01');
    table event_new partition of event for values from ('2020-01-01') to ('2040-01-01');
    table visitor (id bigint, owner_id uuid, kind integer not null, primary key (id, kind), index (owner_id)) partition by list (kind);
    table visitor_1 partition of visitor for values in (1);
    table visitor_rest partition of visitor default;
    table place (id bigint primary key, team_id integer not null, index (team_id));
    table house (floors integer, primary key (id), index (team_id)) inherits (place);
    table ground (id bigint primary key);
    table hall (team_id integer not null, floors integer, primary key (id), index (team_id)) inherits (ground);`,
  'policies/parts.schema': `
    grant select on event, visitor, place, hall to authenticated;
    policy seen on event for select to authenticated using (in_team(team_id));
    policy own on visitor for select to authenticated using (owner_id = auth.uid() or owner_id is null);
    policy seen on place for select to authenticated using (public);
    policy seen on hall for select to authenticated using (public);
    live events(team integer) to authenticated as select id, day, note from event where team_id = team order by id, day limit 3;
    live days(team integer) to authenticated as select day, count(*) as n, max(id) as last from event where team_id = team group by day;
    live visitors() to authenticated as select id, kind from visitor order by id, kind limit 100;
    live places(team integer) to authenticated as select id from place where team_id = team order by id limit 100;
    live halls(team integer) to authenticated as select id, floors from hall where team_id = team order by id limit 100;`,
};

let cluster, server, db, live;
before(async () => {
  cluster = await Cluster.start('max_prepared_transactions = 4\n');
  const project = await buildProject('tests/4-api/live', { as: name, more, cluster });
  await makeDatabase(cluster, project, name);
  db = await connect(cluster, name);
  await db.query(seed);
  server = await startServer(join(project, 'build/server/board'), environment(cluster, name, await freePort(), await freePort()));
  live = await Live.open(server.port, { headers: credentials('ada') });
});
after(async () => {
  await live?.close();
  const how = await server?.stop('SIGTERM', 15_000);
  await db?.end().catch(() => {});
  await cluster?.stop();
  if (server) assert.equal(how.code, 0, server.output().slice(-4000));
  server?.forget();
});

const follow = (query, params) => live.subscribe(query, query, params).ready();
const selects = {
  events: `select id, day, note from event where team_id = 1 order by id, day limit 3`,
  days: `select day, count(*) as n, max(id) as last from event where team_id = 1 group by day`,
  places: `select id from place where team_id = 1 order by id`,
  halls: `select id, floors from hall where team_id = 1 order by id`,
};

/** Writes, then waits until each of `held` has what PostgreSQL has. */
async function write(text, ...held) {
  await db.query(text);
  for (const one of held) await one.become((await db.query(`select row_to_json(r) as row from (${selects[one.id]}) r`)).rows.map(({ row }) => row), { ordered: one.id !== 'days' });
}

test('partitions are followed by whatever name they are written', async () => {
  const events = await follow('events', { team: 1 }), days = await follow('days', { team: 1 });
  for (const text of [
    `insert into event select i, 1, '2010-01-01'::date + i * 1000 from generate_series(1, 8) i`,
    `insert into event_old values (0, 1, '2011-01-01')`,
    `update event set day = '2031-01-01' where id = 1`, // to the other partition
    `update event_new set note = 'x', team_id = 2 where id = 1`,
    `update event set team_id = 1 where id = 1`,
    `update event set id = 20 where id = 0`,
    `begin; delete from event_old where id = 2; savepoint s; delete from event; rollback to s; update event set day = day + 1 where id = 3; commit`,
    'delete from event where id < 6',
    `create table event_far partition of event for values from ('2040-01-01') to ('2060-01-01'); insert into event values (3, 1, '2050-01-01')`,
    `update event set day = '2020-01-01' where id = 3`,
    'truncate event',
  ]) await write(text, events, days);
  assert.equal(events.resets + days.resets, 0);
});

test('rows of partitions whose old values are told whole', async () => {
  const visitors = await follow('visitors', {});
  const rows = async (text, expected) => {
    await db.query(text);
    await visitors.become(expected.map(([id, kind]) => ({ id, kind })), { ordered: true });
  };
  await rows(`insert into visitor values (1, null, 1), (2, '0a0a0a0a-0000-4000-8000-000000000001', 2), (3, '0b0b0b0b-0000-4000-8000-000000000002', 1)`, [[1, 1], [2, 2]]);
  await rows(`update visitor set kind = 1 where id = 2`, [[1, 1], [2, 1]]);
  await rows(`update visitor_1 set owner_id = '0b0b0b0b-0000-4000-8000-000000000002' where id in (1, 2)`, []);
  await rows('update visitor set owner_id = null, kind = 9', [[1, 9], [2, 9], [3, 9]]);
  await rows('delete from visitor_rest where id < 3', [[3, 9]]);
});

test('tables that inherit are followed by whatever name they are written', async () => {
  const places = await follow('places', { team: 1 }), halls = await follow('halls', { team: 1 });
  for (const text of [
    'insert into place values (1, 1); insert into house values (2, 1, 3), (3, 2, 3); insert into hall values (1, 1, 3), (2, 1, 4)',
    'update place set id = 5 where id = 2; update ground set id = 7 where id = 1',
    'update place set team_id = 1 where id = 3; update hall set floors = 5',
    'update only place set team_id = 2',
    'delete from place where id = 5; delete from ground where id = 2',
    'truncate place, ground',
  ]) await write(text, places, halls);
});

test('a prepared transaction is told when it is committed', async () => {
  const tickets = await follow('tickets', { team_id: 1 });
  const row = (id, title) => ({ id, team_id: 1, title, state: 'open' });
  await db.query(`begin; insert into ticket (id, team_id, title) values (45, 1, 'prepared'); update ticket set title = 'b' where id = 1; prepare transaction 'p'`);
  await db.query(`begin; insert into ticket (id, team_id, title) values (47, 1, 'never'); prepare transaction 'n'`);
  const late = await live.subscribe('late', 'tickets', { team_id: 1 }).ready(); // its first result does not have it
  await db.query(`insert into ticket (id, team_id, title) values (46, 1, 'later')`);
  for (const one of [tickets, late]) await one.become([row(1, 'a'), row(46, 'later')], { ordered: true });
  await db.query(`commit prepared 'p'`);
  await db.query(`rollback prepared 'n'`);
  await db.query('delete from ticket where id = 46');
  for (const one of [tickets, late]) await one.become([row(1, 'b'), row(45, 'prepared')], { ordered: true });
  await db.query(`begin; delete from ticket where id = 45; update ticket set title = 'a' where id = 1; prepare transaction 'p'`);
  await db.query(`commit prepared 'p'`);
  for (const one of [tickets, late]) await one.become([row(1, 'a')], { ordered: true });
});
