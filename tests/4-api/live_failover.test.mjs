// Live queries of a primary with a streaming standby.  The log is that of the primary, and so are the results:
// a standby that is behind would leave out what the log has told before.  When the primary dies, its standby goes on
// with the same numbers for other transactions; what the old one told and the new one never had has to go again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildProject, credentials, environment, makeDatabase, startServer, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { Live } from '../lib/live.mjs';
import { scrape } from '../lib/metrics.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { freePort, sleep, until, within } from '../lib/process.mjs';
import { ordered, seed, staff, truth } from './board.mjs';
import { place, placeNow } from './moments.mjs';

const name = 'live_failover', ada = { sub: users.ada };

// Each of them changes with every ticket of team 3 that ada owns; matched and asked.
const questions = [
  { who: staff, query: 'tickets', params: { team_id: 3 } },
  { who: staff, query: 'total', params: { team: 3 } },
  { who: staff, query: 'titles', params: { team: 3 } },
  { who: staff, query: 'counts', params: {} },
  { who: ada, query: 'tickets', params: { team_id: 3 } },
  { who: ada, query: 'owned', params: {} },
];

let primary, standby, program, env, server, on_primary, on_standby, held = [], lives = [];
const both = (role, attrs) => (first, second) =>
  `${first.loginUrl(role, name).replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${first.port},127.0.0.1:${second.port}`)}${attrs}`;
const urls = (first, second, attrs) => ({
  DATABASE_URL: both('authenticator', attrs)(first, second), LIVE_DATABASE_URL: both('pgstack_replicator', attrs)(first, second),
});

before(async () => {
  primary = await Cluster.start('synchronous_commit = on\n');
  const project = await buildProject('tests/4-api/live');
  await makeDatabase(primary, project, name);
  on_primary = await connect(primary, name);
  await on_primary.query(seed);
  standby = await primary.standby();
  on_standby = await connect(standby, name);
  program = join(project, 'build/server/board');
  env = environment(primary, name, await freePort(), await freePort(), { ADMIN_DATABASE_URL: '', SERVICE_ROLE_KEY: '',
    ...urls(primary, standby, '?target_session_attrs=read-write') });
});
after(async () => {
  const how = await server?.stop('SIGTERM', 15_000);
  for (const db of [on_primary, on_standby]) await db?.end().catch(() => {});
  for (const cluster of [standby, primary]) await cluster?.stop();
  if (server) assert.equal(how.code, 0, server.output().slice(-4000));
  server?.forget();
});

const insert = (id) => `insert into ticket (id, team_id, owner_id, title) values (${id}, 3, '${users.ada}', 'ticket ${id}')`;
const metric = async (...which) => (await scrape(env.ADMIN_PORT)).value(...which);
const isFollowed = async () => await metric('pgstack_live_feed_connected') === 1;
const matched = () => metric('pgstack_live_results_total', { by: 'matching' });

/** Writes tickets, each in a transaction of its own, until told to stop, or it fails: `ended` gives of what.  `acknowledged` grows. */
function beginWriting(cluster, id) {
  const acknowledged = [];
  let on = true;
  const done = (async () => {
    const db = await connect(cluster, name);
    for (; on; id++) {
      acknowledged.push({ id, xid: await db.value(`${insert(id)} returning pg_current_xact_id()::text`) });
      await sleep(20);
    }
    await db.end();
  })().catch((error) => error);
  const ended = () => within('the writer to end', done);
  return { acknowledged, ended, stop: () => { on = false; return ended(); } };
}

/** Every subscription holds what `db` says that its caller would be answered. */
async function compare(db) {
  for (const { subscription, ...one } of held) {
    await subscription.become(await truth(db, one), { ordered: ordered.includes(one.query) });
    assert.equal(subscription.error, undefined);
  }
  for (const live of lives) assert.ifError(live.failure);
}

const generations = () => held.map(({ subscription }) => subscription.gen);
const announced = (old) => until('each of them to be told of another generation', () => generations().every((gen, i) => gen !== old[i]));

test('where nothing asks for a primary, the data may be of a standby, live queries are not', { timeout: 60_000 }, async () => {
  await on_standby.query('select pg_wal_replay_pause()');
  await until('the standby to stand still', async () => await on_standby.value('select pg_get_wal_replay_pause_state()') === 'paused');
  await on_primary.query(insert(100));
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  const other = await startServer(program, { ...env, ...ports, ...urls(standby, primary, '') });
  try {
    const { json } = await request(other.port, 'GET', '/rest/v1/ticket?id=eq.100', { headers: credentials(staff) });
    assert.deepEqual(json, []);
    const live = await Live.open(other.port, { headers: credentials(staff) });
    const tickets = await live.subscribe('t', 'tickets', { team_id: 3 }).ready();
    await tickets.become(await truth(on_primary, questions[0]), { ordered: true });
    await on_primary.query(insert(101));
    await tickets.become(await truth(on_primary, questions[0]), { ordered: true });
    await live.close();
  } finally {
    await on_standby.query('select pg_wal_replay_resume()');
    await other.stop();
    other.forget();
  }
});

test('a failover is announced: what the new primary never had goes, what is committed there comes', { timeout: 90_000 }, async () => {
  server = await startServer(program, env);
  lives = await Promise.all([staff, ada].map((who) => Live.open(server.port, { headers: credentials(who) })));
  held = questions.map((one, i) => ({ ...one, subscription: lives[one.who === staff ? 0 : 1].subscribe(`q${i}`, one.query, one.params) }));
  for (const { subscription } of held) await subscription.ready();
  assert.ok(await isFollowed());
  const isTold = ({ id }) => held[0].subscription.rows?.some((row) => row.id === id);

  const old = beginWriting(primary, 1000);
  await until('writes to be told', () => held.every(({ subscription }) => subscription.seq > 3));
  const kept = [...old.acknowledged];
  await until('the standby to have them', () => on_standby.value('select count(*)::int from ticket where id = $1', [kept.at(-1).id]));
  await on_standby.query(`alter system set primary_conninfo = 'host=127.0.0.1 port=1'`);
  await on_standby.query('select pg_reload_conf()');
  await until('the standby to be cut off', async () => await on_primary.value(`select count(*)::int from pg_stat_replication where application_name <> 'pgstack-live'`) === 0);
  await on_primary.query(`select pg_logical_emit_message(false, 'filler', repeat('x', 1000000))`); // the new log is a shorter one
  const cut = old.acknowledged.length + 1; // one may have been under way
  await until('some that it never gets', () => old.acknowledged.length >= cut + 10);
  const place_then = await placeNow(on_primary);
  await until('them to be told', () => held.every(({ subscription }) => place(subscription.frames.at(-1).lsn) >= place_then));

  const old_gens = generations();
  await primary.down('SIGQUIT');
  assert.ok(await old.ended() instanceof Error, 'it wrote until the end');
  const lost = old.acknowledged.slice(cut);
  await on_standby.query('select pg_promote()');
  await announced(old_gens);
  await compare(on_standby); // without another write
  assert.ok(!lost.some(isTold), 'for the new primary they never were');
  assert.ok(kept.every(isTold), 'what the standby had is there');
  const now = await placeNow(on_standby);
  for (const { lsn } of held.map(({ subscription }) => subscription.frames.at(-1))) assert.ok(lsn === undefined || place(lsn) <= now, 'no place of the old log');

  const matched_before = await matched(), next = beginWriting(standby, 2000);
  await until('as many writes', () => next.acknowledged.length > lost.length);
  assert.ifError(await next.stop());
  await compare(on_standby);
  assert.ok(next.acknowledged.every(isTold), 'nothing that was acknowledged is missing');
  assert.ok(next.acknowledged.some(({ xid }) => lost.some((one) => one.xid === xid)), 'a transaction has the number of one that was told before');
  assert.ok(await matched() - matched_before >= next.acknowledged.length, 'they came from the log');
});

test('the old primary comes back as a standby, and the feed passes it by', { timeout: 60_000 }, async () => {
  await primary.upAsStandby();
  const gens = generations();
  const ended = await on_standby.rows('select pg_terminate_backend(active_pid, 30000) from pg_replication_slots where active');
  assert.deepEqual(ended, [{ pg_terminate_backend: true }]);
  await on_standby.query(insert(3000));
  await announced(gens);
  await until('the log to be followed', isFollowed);
  await on_standby.query(insert(3001));
  await compare(on_standby);
  for (const live of lives) await live.close();
});
