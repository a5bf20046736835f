// Whatever breaks between a writer and a subscriber, what the subscriber holds in the end is what PostgreSQL
// would answer: a network that is cut within a frame, to clients and to the log, clients that do not read, a
// server and a feed that are killed, a database that stops at once.  LONG=1: a thousand connections lost, twenty
// restarts of PostgreSQL, a log that says nothing for more than a minute.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLive } from '../../clients/js/live.js';
import { buildProject, childrenOf, credentials, environment, makeDatabase, startServer, users } from '../lib/app.mjs';
import { token } from '../lib/jwt.mjs';
import { Live } from '../lib/live.mjs';
import { limitHits } from '../lib/metrics.mjs';
import { Cluster, connect, password } from '../lib/postgres.mjs';
import { freePort, sleep, until } from '../lib/process.mjs';
import { openProxy } from '../lib/proxy.mjs';
import { counts, dice, ordered, question, seed, staff, truth, writes } from './board.mjs';

const name = 'live_faults';
const people = [...['ada', 'bob', 'eve'].map((user) => ({ sub: users[user] })), staff];
const { random, pick } = dice();

let cluster, server, program, env, db, proxy, log_proxy;
before(async () => {
  const project = await buildProject('tests/4-api/live');
  cluster = await Cluster.start('synchronous_commit = on\n');
  await makeDatabase(cluster, project, name);
  program = join(project, 'build/server/board');
  log_proxy = await openProxy(cluster.port);
  env = environment(cluster, name, await freePort(), await freePort(), { ADMIN_DATABASE_URL: '', SERVICE_ROLE_KEY: '', THREADS: '2',
    LIVE_DATABASE_URL: `postgresql://pgstack_replicator:${password}@127.0.0.1:${log_proxy.port}/${name}` });
  db = await connect(cluster, name);
  await db.query(seed);
  server = await startServer(program, env);
  proxy = await openProxy(server.port);
});
after(async () => {
  proxy?.close();
  log_proxy?.close();
  const how = await server?.stop('SIGTERM', 15_000);
  await db?.end().catch(() => {});
  await cluster?.stop();
  if (server) assert.equal(how.code, 0, server.output().slice(-4000));
  server?.forget();
});

/** A connection of its own that writes until told to stop, whatever becomes of it. */
function beginWriting(write) {
  let on = true, written = 0;
  const done = (async () => {
    let writer;
    while (on) {
      try {
        writer ??= await connect(cluster, name);
        await writer.query(write());
        written++;
      } catch {
        await writer?.end().catch(() => {});
        writer = undefined;
        await sleep(50);
      }
      await sleep(2);
    }
    await writer?.end().catch(() => {});
  })();
  return async () => { on = false; await done; return written; };
}

/** A client with some subscriptions; `lost` counts its connections that broke. */
function openClient(who, transport) {
  const one = { who, lost: 0, held: [] };
  const live = one.live = createLive(`http://127.0.0.1:${proxy.port}`, { transport, getToken: () => token(who.sub, who), onState: (state) => { if (state === 'waiting') one.lost++; } });
  for (let i = 0; i < 6; i++) {
    const { query, params } = question({ random, pick }, who);
    const subscription = { who, query, params, errors: [] };
    subscription.at = live.live(query, params, {
      onChange: (rows, { type, seq }) => {
        if (type === 'delta' && seq !== subscription.seq + 1) subscription.errors.push(`${seq} behind ${subscription.seq}`);
        subscription.seq = seq;
      },
      onError: (error) => { if (!error.willRetry) subscription.errors.push(`${error.code}: ${error.message}`); },
    });
    one.held.push(subscription);
  }
  one.close = () => live.close();
  return one;
}

const meetAgain = async () => {
  await db.end().catch(() => {});
  db = await until('PostgreSQL', () => connect(cluster, name).catch(() => {}));
};
const walsender = () => until('the log to be followed', () => db.value(`select active_pid from pg_replication_slots where database = '${name}'`));
const heldBack = async () => (await limitHits(env.ADMIN_PORT)).live_queue;
let clients = [];
const allThere = () => until('all of them', () => clients.every(({ live, held }) => live.state === 'open' && held.every((one) => one.at.rows)), 60_000);

const faults = {
  'the network is cut within a frame': async () => { for (let i = 0; i < 8; i++) { proxy.cut(1 + random(3000)); await sleep(20); } },
  'the network is gone for a while': async () => { proxy.refuse(); await sleep(random(400)); proxy.admit(); },
  'the network stands still': async () => { proxy.hold(); await sleep(random(300)); proxy.release(); },
  'no client reads': async () => {
    await allThere();
    const before_it = await heldBack();
    proxy.hold(true);
    try {
      for (let i = 0; await heldBack() === before_it; i++) {
        assert.ok(i < 100, 'nothing is held back');
        await db.query(`update ticket set title = repeat('${i % 10}', 30000)`);
      }
      await db.query(`update ticket set title = 'read again' || id`);
    } finally {
      proxy.release();
    }
  },
  'the feed is ended': async () => { await db.query('select pg_terminate_backend($1)', [await walsender()]); },
  'the log is cut within a message': async () => {
    for (let i = 0; i < 3; i++) {
      const pid = await walsender();
      log_proxy.cut(1 + random(3000));
      await until('it to be cut', async () => (await db.query('select from pg_replication_slots where active_pid = $1', [pid])).rowCount === 0);
    }
  },
  'the log is gone for a while': async () => { log_proxy.refuse(); await sleep(random(400)); log_proxy.admit(); },
  'the log stands still': async () => { await walsender(); log_proxy.hold(); await sleep(100 + random(900)); log_proxy.release(); },
  'the feed is killed, and PostgreSQL recovers': async () => {
    await until('it to be killed', async () => {
      try {
        return process.kill(await walsender(), 'SIGKILL');
      } catch {
        return false; // another one has come since
      }
    });
    await db.query('select pg_sleep(60)').catch(() => {}); // it ends all others
    await meetAgain();
  },
  'the server is killed': async () => {
    const old = childrenOf(server.supervisor).at(-1);
    process.kill(old, 'SIGKILL');
    await until('another one', () => ![old, undefined].includes(childrenOf(server.supervisor).at(-1)), 20_000);
  },
  'PostgreSQL stops at once': async () => { await cluster.down('SIGQUIT'); await sleep(random(300)); await cluster.up(); await meetAgain(); },
};

/** Every subscription holds what its caller would be answered now. */
async function compare(clients, what) {
  const plain = (rows, query) => JSON.stringify(ordered.includes(query) ? rows : rows?.map((row) => JSON.stringify(row)).sort());
  for (const { held } of clients)
    for (const one of held) {
      const expected = plain(await truth(db, one), one.query);
      await until(`${one.query} ${JSON.stringify(one.params)} of ${one.who.sub} after: ${what}`, () => plain(one.at.rows, one.query) === expected, 60_000)
        .catch((error) => { throw new Error(`${error.message}\nhas ${plain(one.at.rows, one.query)?.slice(0, 500)}\nnot ${expected.slice(0, 500)}`); });
      assert.deepEqual(one.errors, []);
    }
}

test('what breaks loses nothing', { timeout: 3_600_000 }, async () => {
  const wanted = process.env.LONG ? { lost: 1000, restarts: 20 } : { lost: 20, restarts: 1 };
  clients = people.flatMap((who) => [openClient(who, 'websocket'), openClient(who, 'sse')]);
  const seen = Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0]));
  const lost = () => clients.reduce((n, one) => n + one.lost, 0);
  const restarts = () => seen['PostgreSQL stops at once'];
  let compared = 0, written = 0;
  try {
    while (lost() < wanted.lost || restarts() < wanted.restarts || Object.values(seen).includes(0)) {
      const writers = [writes, writes, counts].map((kind) => beginWriting(kind({ random, pick })));
      const some = Object.keys(seen).filter((fault) => restarts() < wanted.restarts || !fault.startsWith('PostgreSQL'))
        .map((fault) => [seen[fault], random(1000), fault]).sort((x, y) => x[0] - y[0] || x[1] - y[1]).slice(0, 3).map(([, , fault]) => fault);
      for (const fault of some) {
        await sleep(100);
        await faults[fault]().catch((error) => { throw new Error(`${fault}: ${error.message}`); });
        seen[fault]++;
      }
      for (const stop of writers) written += await stop();
      await compare(clients, some.join(', '));
      compared += clients.length * 6;
    }
  } finally {
    for (const one of clients) one.close();
  }
  console.log(`${lost()} connections lost, ${JSON.stringify(seen)}, ${written} writes, ${compared} results compared`);
});

test('of two servers on one database one is killed: its clients go on with the other, whose own notice nothing', { timeout: 180_000 }, async () => {
  const other = await startServer(program, { ...env, PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) });
  clients = people.map((who) => openClient(who, 'websocket'));
  const own = await Promise.all(people.map((who) => Live.open(other.port, { headers: credentials(who) })));
  const followed = own.map((live, i) => ({ who: people[i], query: 'with_team', params: {}, subscription: live.subscribe('w', 'with_team', {}) }));
  const stop = beginWriting(writes({ random, pick }));
  try {
    await allThere();
    await Promise.all(followed.map(({ subscription }) => subscription.ready()));
    const gens = followed.map(({ subscription }) => subscription.gen), told = own.map((live) => live.frames.length);
    proxy.to(other.port);
    const pids = [server.supervisor, ...childrenOf(server.supervisor)], killed = performance.now();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await server.ended;
    server.forget();
    server = other;
    await until('all of them to be there again', () => clients.every(({ lost, live }) => lost > 0 && live.state === 'open'), 20_000); // 2 s on a machine that has nothing else to do
    console.log(`they were there again ${Math.round(performance.now() - killed)} ms after the server was killed`);
    await until('those of the other one to be told of what is written', () => own.some((live, i) => live.frames.length > told[i] + 5));
    await stop();
    await compare(clients, 'the other server');
    for (const { subscription, ...one } of followed) await subscription.become(await truth(db, one), { ordered: true });
    assert.deepEqual(followed.map(({ subscription }) => subscription.gen), gens);
    for (const live of own) {
      assert.deepEqual(live.frames.filter(({ type }) => type !== 'delta').map(({ type }) => type), ['snapshot'], 'one result, and its changes');
      await live.close();
    }
  } finally {
    await stop();
    for (const one of clients) one.close();
  }
});

test('a server that stands still holds the log up to the bound, and begins anew', { timeout: 180_000 }, async () => {
  const live = await Live.open(server.port, { headers: credentials(staff) });
  const tickets = await live.subscribe('t', 'tickets', { team_id: 3 }).ready(), { gen } = tickets;
  const slots = () => db.value(`select count(*)::int from pg_replication_slots where database = '${name}' and active`);
  await until('one slot', async () => await slots() === 1);
  await db.query("alter system set max_slot_wal_keep_size = '16MB'");
  await db.query('select pg_reload_conf()');
  const still = server.pid;
  process.kill(still, 'SIGSTOP');
  try {
    await db.query(`insert into ticket (id, team_id, title) values (7001, 3, 'unread')`);
    await db.query(`select pg_logical_emit_message(false, 'filler', repeat('x', 1000000)) from generate_series(1, 100)`);
    await until('PostgreSQL to give it up', async () => {
      await db.query('checkpoint');
      return await slots() === 0;
    }, 60_000);
  } finally {
    process.kill(still, 'SIGCONT');
    await db.query("alter system set max_slot_wal_keep_size = '4GB'");
    await db.query('select pg_reload_conf()');
  }
  await until('it', () => tickets.rows?.some(({ id }) => id === 7001), 60_000); // with what had left PostgreSQL, or when it is asked for anew
  await db.query('delete from ticket where id = 7001');
  await until('it to go', () => !tickets.rows?.some(({ id }) => id === 7001), 60_000);
  assert.notEqual(tickets.gen, gen);
  await live.close();
});

test('where nothing bounds the log that is kept, the server says so, once', { timeout: 120_000 }, async () => {
  const said = (other) => other.lines().filter((line) => line.includes('"live_log_unbounded"')).length;
  await db.query("alter system set max_slot_wal_keep_size = '-1'");
  await db.query('select pg_reload_conf()');
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  const other = await startServer(program, { ...env, ...ports });
  const lives = [];
  const feeds = () => db.rows(`select active_pid as pid from pg_replication_slots where database = '${name}' and active`);
  try {
    await until('it to say so', () => said(other) === 1);
    for (const { port } of [server, other]) {
      const live = await Live.open(port, { headers: credentials(staff) });
      lives.push(live);
      await live.subscribe('t', 'tickets', { team_id: 3 }).ready();
    }
    await until('both to follow', async () => (await feeds()).length === 2);
    for (const { pid } of await feeds()) await db.query('select pg_terminate_backend($1)', [pid]);
    await until('it to follow again', () => other.lines().filter((line) => line.includes('"live_feed_connected"')).length === 2);
    assert.equal(said(other), 1);
  } finally {
    for (const live of lives) live.socket.terminate();
    await db.query("alter system set max_slot_wal_keep_size = '4GB'");
    await db.query('select pg_reload_conf()');
    await other.stop();
  }
});

test('a log that says nothing more is taken for lost', { skip: !process.env.LONG && 'LONG=1 runs it', timeout: 180_000 }, async () => {
  const live = await Live.open(server.port, { headers: credentials(staff) });
  const tickets = await live.subscribe('t', 'tickets', { team_id: 3 }).ready(), { gen } = tickets;
  const losses = () => server.output().split('"live_feed_lost"').length, before = losses();
  await walsender();
  log_proxy.hold();
  try {
    await db.query(`insert into ticket (id, team_id, title) values (7000, 3, 'unheard')`);
    await until('the server to notice', () => losses() > before, 120_000);
  } finally {
    log_proxy.release();
  }
  await until('it', () => tickets.rows?.some(({ id }) => id === 7000));
  assert.notEqual(tickets.gen, gen);
  await db.query('delete from ticket where id = 7000');
  await live.close();
});

test('a commit that the log tells of, and nobody can see yet, is counted once', { timeout: 120_000 }, async () => {
  const visit = (id) => `insert into visit values (${id}, 3, 1, 1)`, rows = (n) => [{ room: 1, n, minutes: n, longest: 1 }];
  const writer = await connect(cluster, name), live = await Live.open(server.port, { headers: credentials(staff) });
  const subscribe = (id) => live.subscribe(id, 'rooms', { team: 3 }).ready();
  let written = 0, waiting;
  await db.query('set synchronous_commit = local; delete from visit where team_id = 3 or id >= 5000');
  const first = await subscribe('first');
  try {
    await db.query(`alter system set synchronous_standby_names = 'nobody'`);
    await db.query('select pg_reload_conf()');
    await until('a commit to wait for a standby', async () => {
      waiting ??= writer.query(visit(5000 + written++)).then(() => { waiting = undefined; });
      return (await db.query(`select from pg_stat_activity where wait_event = 'SyncRep'`)).rowCount > 0;
    });
    await first.become(rows(written));
    const seen = (await db.query('select count(*)::int as n from visit where team_id = 3')).rows[0].n;
    assert.equal(seen, written - 1, 'the last one cannot be seen');
    const second = await subscribe('second');
    await second.become(rows(written));
    await db.query(visit(6000));
    for (const one of [first, second, await subscribe('third')]) await one.become(rows(written + 1));
  } finally {
    await db.query('alter system reset synchronous_standby_names');
    await db.query('select pg_reload_conf()');
    await waiting;
    await writer.end();
  }
  await db.query(visit(6001));
  for (const id of ['first', 'second', 'third', 'fourth']) await (live.subscriptions.get(id) ?? await subscribe(id)).become(rows(written + 2));
  await live.close();
});
