// Live queries: what they cost writers, how soon subscribers know, what a socket takes.
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import readline from 'node:readline';
import { buildProject, environment, makeDatabase, startServer } from '../tests/lib/app.mjs';
import { now, token } from '../tests/lib/jwt.mjs';
import { Cluster, binaries, connect } from '../tests/lib/postgres.mjs';
import { freePort, run, sleep, until } from '../tests/lib/process.mjs';
import { cpu } from './load.mjs';
import { memory } from './memory.mjs';
import { fixed, median, table } from './report.mjs';
import { folder, threads, uid_base, uid_head } from './stage.mjs';

const rooms = 10_000;
const messages = 100_000;
const password = 'a-password-of-the-bench';
const uid = (room) => `${uid_head}${uid_base + room}`;

/** As PostgreSQL is by default: a commit waits for the disk, which here takes as long as a good one of a server's does. */
const flush_us = 200;
const settings = `
shared_buffers = '512MB'
max_connections = 300
autovacuum = off
wal_level = logical
fsync = on
synchronous_commit = on
commit_siblings = 0
commit_delay = ${flush_us}
full_page_writes = on
max_wal_size = '8GB'
`;

const scripts = {
  update: `\\set id random(1, ${messages})\nupdate message set n = n + 1 where id = :id;\n`,
  insert: `\\set room random(1, ${rooms})\ninsert into message (room_id, body) values (:room, 'what somebody says, of a usual length');\n`,
};

// What others do: a trigger that notifies, and one that runs every subscription's query again.
const rivals = {
  notify: `create function tell() returns trigger language plpgsql as $$
      begin perform pg_notify('changes', json_build_object('id', new.id, 'room', new.room_id, 'n', new.n, 'body', new.body)::text); return null; end $$;
    create trigger tell after insert or update on message for each row execute function tell();`,
  rerun: `create table sub (room integer primary key);
    create unlogged table snap (room integer, id bigint, n integer, body text);
    create index on snap (room);
    create function tell() returns trigger language plpgsql as $$
      declare s record; added json; removed json;
      begin
        for s in select room from sub loop
          perform pg_advisory_xact_lock(s.room);
          with now as (select room_id, id, n, body from message where room_id = s.room order by id desc limit 50),
               was as (select room, id, n, body from snap where room = s.room)
          select (select json_agg(x) from (select * from now except select * from was) x),
                 (select json_agg(x) from (select * from was except select * from now) x) into added, removed;
          if added is not null or removed is not null then
            delete from snap where room = s.room;
            insert into snap select room_id, id, n, body from message where room_id = s.room order by id desc limit 50;
            perform pg_notify('changes', json_build_object('room', s.room, 'inserted', added, 'deleted', removed)::text);
          end if;
        end loop;
        return null;
      end $$;
    create trigger tell after insert or update on message for each statement execute function tell();`,
};

let dropped = [];

/** Dropped rather than disabled: for one that is disabled PostgreSQL keeps a statement's rows as well. */
async function setTriggers(db, on) {
  if (!on)
    dropped = (await db.query(`select quote_ident(tgname) as name, pg_get_triggerdef(oid) as text from pg_trigger where tgrelid = 'message'::regclass and not tgisinternal`)).rows;
  for (const { name, text } of dropped)
    await db.query(on ? `${text}; alter table message enable always trigger ${name}` : `drop trigger ${name} on message`);
  await db.query(`select setval('pgstack_live.listening', 1)`);
}

// Without a logical log: what its triggers cost, against none.
const outbox = {
  settings: settings.replace('logical', 'replica'),
  project: { as: 'bench/live_outbox', more: { 'policies/outbox.schema': 'live outbox;\n' } },
  triggers: setTriggers,
};
const log = { settings, project: {}, triggers: async () => {} };

async function openStage(source = log) {
  const cluster = await Cluster.start(source.settings);
  const project = await buildProject('bench/live', { ...source.project, cluster });
  await makeDatabase(cluster, project, 'live');
  const db = await connect(cluster, 'live');
  for (const text of [
    `insert into member select i, ('${uid_head}' || ${uid_base} + i)::uuid from generate_series(1, ${rooms}) i`,
    `insert into message (room_id, body) select 1 + i % ${rooms}, 'what somebody says, of a usual length' from generate_series(1, ${messages}) i`,
    `alter role pgstack_replicator password '${password}'`, 'vacuum analyze', 'checkpoint']) await db.query(text);
  const serve = async () => {
    const server = await startServer(join(project, 'build/server/live'), environment(cluster, 'live', await freePort(), await freePort(), {
      THREADS: String(threads), MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000',
      LIVE_RESUME_TIME: '1s', LIVE_DATABASE_URL: `postgresql://pgstack_replicator:${password}@${encodeURIComponent(cluster.sockets)}:${cluster.port}/live`,
    }));
    await until('it to have looked at the log', () => server.output().includes('"live_feed_ready"'));
    return server;
  };
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, `${name}.sql`), text);
  const stage = { cluster, db, serve, server: await serve(), triggers: (on) => source.triggers(db, on) };
  stage.close = async () => {
    await stage.server.stop();
    await db.end();
    await cluster.stop();
  };
  return stage;
}

/** `n` sockets, each with its own user and room. */
async function openSockets(stage, n) {
  const child = spawn(join(process.env.BUILD ?? 'build', 'bench/sockets'), [String(stage.server.port), String(n)],
    { stdio: ['pipe', 'pipe', 'inherit'], cwd: join(import.meta.dirname, '..') });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exp = now() + 86_400;
  for (let room = 1; room <= n; room++) child.stdin.write(`${token(uid(room), { exp })}\n`);
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the ${n} sockets have ended`);
    return value;
  };
  await line();
  return {
    counted: async () => {
      child.stdin.write('?');
      return JSON.parse(await line());
    },
    close: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

const none = { counted: async () => ({ frames: 0 }), close: async () => {} };

/** Writers for `seconds`; `rate`: transactions a second in all, or as many as they can. */
async function write(stage, clients, seconds, rate) {
  const { out } = await run(join(binaries(), 'pgbench'), ['-n', '-M', 'prepared', '-j', '1', '-c', String(clients), '-T', String(seconds),
    ...(rate ? ['-R', String(rate)] : []), '-f', join(folder, 'update.sql'), '-f', join(folder, 'insert.sql'),
    '-h', stage.cluster.sockets, '-p', String(stage.cluster.port), '-U', 'postgres', 'live']);
  const found = /tps = ([\d.]+)/.exec(out);
  if (!found) throw new Error(out);
  return Number(found[1]);
}

/** Inserts that say when they were sent, into rooms that somebody follows. */
function probe(stage, n) {
  let on = true;
  const done = (async () => {
    const db = await connect(stage.cluster, 'live');
    for (let i = 0; on; i++) {
      const sent_us = Math.round((performance.timeOrigin + performance.now()) * 1000);
      await db.query('insert into message (room_id, body) values ($1, $2)', [1 + (i * 7919) % n, `p${sent_us}`]);
      await sleep(5);
    }
    await db.end();
  })();
  return async () => {
    on = false;
    await done;
  };
}

/** Those that read the log, as soon as there are `n`. */
function logReaders(stage, n) {
  return until(`${n} to follow the log`, async () => {
    const pids = (await stage.db.query('select active_pid as pid from pg_replication_slots')).rows.map(({ pid }) => pid);
    return pids.length === n && pids.every((pid) => pid !== null) ? pids : null;
  });
}

/** Writers beside these servers, to which `n` listen, and what a write costs the processes that read the log for them, and the servers themselves. */
async function writeBeside(stage, servers, n, clients, seconds) {
  const senders = await logReaders(stage, n);
  const used = () => [senders, servers.map((server) => server.pid)].map((pids) => pids.reduce((sum, pid) => sum + cpu(pid), 0));
  const before = used(), rate = await write(stage, clients, seconds);
  const [sender_us, server_us] = used().map((us, i) => (us - before[i]) / (rate * seconds));
  return { rate, sender_us, server_us };
}

/** What it costs writers that servers are there, before anybody listens, while one does at each, and after. */
async function measureServers(stage, { clients, rounds, seconds }, say) {
  const kinds = ['none', 'one, nobody has listened', 'one, somebody listens', 'one, nobody listens any more', 'two, somebody listens at each'];
  const lines = [];
  await stage.server.stop();
  for (const c of clients) {
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      const servers = [], cells = [], measure = async (n) => cells.push(await writeBeside(stage, servers, n, c, seconds));
      const listen = (server) => openSockets({ server }, 1);
      await measure(0);
      servers.push(await stage.serve());
      await measure(0);
      const first = await listen(servers[0]);
      await measure(1);
      await first.close();
      await measure(0);
      servers.push(await stage.serve());
      const both = [await listen(servers[0]), await listen(servers[1])];
      await measure(2);
      for (const sockets of both) await sockets.close();
      for (const server of servers) await server.stop();
      runs.push(cells);
    }
    for (const [n, kind] of kinds.entries()) {
      const of = (field) => median(runs.map((cells) => cells[n][field])), ratios = runs.map((cells) => cells[n].rate / cells[0].rate);
      lines.push([kind, String(c), fixed(of('rate')), ...(n === 0 ? ['', '', ''] : [`**${fixed(median(ratios), 2)}** (${fixed(Math.min(...ratios), 2)}, ${fixed(Math.max(...ratios), 2)})`, fixed(of('sender_us'), 1), fixed(of('server_us'), 1)])]);
      say(`live: ${lines.at(-1).join('  ')}`);
    }
  }
  stage.server = await stage.serve();
  return table(['servers', 'writers', 'writes/s', 'to none: median (least, most)', 'CPU us a write: PostgreSQL reading its log', 'servers'], lines);
}

/** The last subscriber has left long enough ago. */
const isLeft = ({ server }) => until('it to leave off following', () => {
  const times = (event) => server.output().split(`"${event}"`).length;
  return times('live_feed_connected') === times('live_feed_rests');
});

/** One cell: writers beside `n` subscribers, with writers beside none, and without triggers, before it. */
async function measureCell(stage, n, clients, seconds) {
  await isLeft(stage);
  await stage.db.query(`delete from message where id > ${messages}`); // else what is updated would not be among a room's newest
  await stage.db.query('vacuum message');
  await stage.triggers(false);
  const alone = await write(stage, clients, seconds);
  await stage.triggers(true);
  const sockets = n > 0 ? await openSockets(stage, n) : none;
  await sleep(500);
  await sockets.counted();
  const before = cpu(stage.server.pid);
  const beside = await write(stage, clients, seconds);
  await sleep(500);
  const { frames } = await sockets.counted();
  const us = cpu(stage.server.pid) - before;
  await sockets.close();
  return { ratio: beside / alone, beside, frames, us_a_write: us / (beside * seconds), us_a_delta: us / frames };
}

async function measureWriters(stage, { against, sizes, clients, rounds, seconds }, say) {
  const lines = [];
  for (const c of clients)
    for (const n of sizes) {
      const runs = [];
      for (let round = 0; round < rounds; round++) runs.push(await measureCell(stage, n, c, seconds));
      const of = (field) => median(runs.map((r) => r[field]));
      const ratios = runs.map((r) => r.ratio);
      lines.push([fixed(n), String(c), fixed(of('beside')), `**${fixed(of('ratio'), 2)}** (${fixed(Math.min(...ratios), 2)}, ${fixed(Math.max(...ratios), 2)})`, fixed(of('frames') / seconds), fixed(of('us_a_write'), 1), of('frames') < 100 * seconds ? '' : fixed(of('us_a_delta'), 1)]);
      say(`live: ${lines.at(-1).join('  ')}`);
    }
  return table(['subscriptions', 'writers', 'writes/s', `to ${against}: median (least, most)`, 'deltas/s', 'server CPU us a write', 'a delta'], lines);
}

async function measureDelay(stage, { sockets: n, rate, seconds, rounds }, say) {
  const runs = [];
  const sockets = await openSockets(stage, n);
  for (let round = 0; round < rounds; round++) {
    await sockets.counted();
    const stop = probe(stage, n);
    const done = await write(stage, 8, seconds, rate);
    await stop();
    await sleep(300);
    runs.push({ done, ...(await sockets.counted()) });
    say(`live: ${JSON.stringify(runs.at(-1))}`);
  }
  await sockets.close();
  const of = (field) => median(runs.map((r) => r[field]));
  return table(['sockets', 'writes/s', 'probes', 'p50 ms', 'p99 ms: median (least, most)'],
    [[fixed(n), fixed(of('done')), fixed(of('probes')), fixed(of('p50_us') / 1000, 2), `${fixed(of('p99_us') / 1000, 1)} (${fixed(Math.min(...runs.map((r) => r.p99_us)) / 1000, 1)}, ${fixed(Math.max(...runs.map((r) => r.p99_us)) / 1000, 1)})`]]);
}

/** A listener, and how long what `probe` wrote was on its way to it. */
async function openListener(stage) {
  const listener = await connect(stage.cluster, 'live');
  let delays_us = [];
  listener.client.on('notification', ({ payload }) => {
    const now_us = (performance.timeOrigin + performance.now()) * 1000, told = JSON.parse(payload);
    for (const { body } of told.inserted ?? [told])
      if (/^p\d+$/.test(body)) delays_us.push(now_us - Number(body.slice(1)));
  });
  await listener.query('listen changes');
  return {
    end: () => listener.end(),
    take: () => {
      const sorted = delays_us.sort((x, y) => x - y);
      delays_us = [];
      return (part) => (sorted.length === 0 ? '' : fixed(sorted[Math.floor(part * (sorted.length - 1))] / 1000, 2));
    },
  };
}

/** As many writes as they can, and then half as many, paced, with how long these take to be told. */
async function measureRivals(stage, { clients, seconds, sizes }, say) {
  const lines = [];
  const listener = await openListener(stage);
  const cell = async (name, n, c) => {
    const alone = await write(stage, c, seconds);
    await stage.db.query(rivals[name]);
    if (n > 0) await stage.db.query('insert into sub select i from generate_series(1, $1::integer) i', [n]);
    const beside = await write(stage, c, seconds);
    await sleep(300);
    listener.take();
    const stop = probe(stage, Math.max(n, 1));
    await write(stage, c, seconds, Math.min(4000, Math.max(1, beside / 2)));
    await stop();
    await sleep(300);
    const delay = listener.take();
    await stage.db.query(`drop trigger tell on message; drop function tell(); ${n > 0 ? 'drop table sub, snap;' : ''}`);
    lines.push([name === 'notify' ? 'a trigger that notifies' : `each query again in a trigger, ${fixed(n)} subscription${n === 1 ? '' : 's'}`,
      String(c), fixed(beside, beside < 100 ? 1 : 0), `**${(beside / alone).toPrecision(2)}**`, delay(0.5), delay(0.99)]);
    say(`live: ${lines.at(-1).join('  ')}`);
  };
  for (const c of clients) {
    await cell('notify', 0, c);
    for (const n of sizes) await cell('rerun', n, c);
  }
  await listener.end();
  return table(['', 'writers', 'writes/s', 'to none', 'p50 ms', 'p99 ms'], lines);
}

async function measureIdle(stage, n) {
  const before = memory(stage.server.pid);
  const sockets = await openSockets(stage, n);
  await sleep(3000);
  const each = (memory(stage.server.pid) - before) / n;
  await sockets.close();
  return `An idle WebSocket with one subscription of ten rows takes ${fixed(each, 1)} KiB of the server (${fixed(n)} of them).`;
}

/** How much longer a commit waits than for the disk of this machine. */
async function setFlush(stage, us) {
  await stage.db.query(`alter system set commit_delay = ${us}`);
  await stage.db.query('select pg_reload_conf()');
}

/** How often writers are measured, and how long. */
const asked = (quick) => ({ clients: quick ? [8] : [8, 32], rounds: quick ? 1 : 5, seconds: quick ? 2 : 4 });

/** A section of RESULTS.md. */
export async function measureLive(quick, say) {
  const most = quick ? 1000 : rooms;
  const stage = await openStage();
  try {
    const idle = await measureIdle(stage, most);
    const servers = await measureServers(stage, asked(quick), say);
    const writers = await measureWriters(stage, {
      against: 'none', sizes: [1, 100, 1000, rooms].filter((n) => n <= most), ...asked(quick) }, say);
    await setFlush(stage, 0);
    const unflushed = await measureWriters(stage, {
      against: 'none', sizes: [most], ...asked(quick) }, say);
    await setFlush(stage, flush_us);
    const delay = await measureDelay(stage, { sockets: most, rate: 4000, seconds: quick ? 2 : 5, rounds: quick ? 1 : 5 }, say);
    const others = await measureRivals(stage, { clients: quick ? [8] : [8, 32], seconds: quick ? 2 : 4, sizes: quick ? [1, 100] : [1, 100, 1000] }, say);
    return ['## Live queries', '',
      `Messages of ${fixed(rooms)} rooms, each followed by a member of its own over a WebSocket of its own; half of the writes`,
      `insert, half update by key, all rooms alike. fsync and synchronous_commit on, and a commit waits ${flush_us} us longer than for`,
      'the disk of this machine (`commit_delay`), as for that of a usual server. Writers, PostgreSQL, the server and all clients',
      'share the cores.', '',
      'Beside no server, one, and two; each reads the log for itself, while somebody has subscribed and for three seconds more:', '', servers, '',
      'Beside subscriptions, against one server without; each write is told to one of them, where there are as many as rooms:', '', writers, '',
      'The same where a commit does not wait longer than for the disk of this machine, and writers leave no processor idle:', '', unflushed, '',
      'From sending an insert to its delta in the client, beside paced writers:', '', delay, '',
      'What others do on the write path, with one listener; from sending an insert to its notification, beside writers that are',
      'paced to half of what they can, 4,000 a second at most:', '', others, '', idle].join('\n');
  } finally {
    await stage.close();
  }
}

/** Another: writers against themselves without triggers, beside none and beside 1,000 subscribers. */
export async function measureOutbox(quick, say) {
  const stage = await openStage(outbox);
  try {
    const writers = await measureWriters(stage, { against: 'no triggers', sizes: [0, 1000], ...asked(quick) }, say);
    const delay = await measureDelay(stage, { sockets: 1000, rate: 1000, seconds: quick ? 2 : 5, rounds: quick ? 1 : 5 }, say);
    return ['## Live queries without a logical log', '',
      'The same writers and subscribers, fed by triggers through an outbox (`live outbox;`), against writers without triggers.', '',
      writers, '', delay].join('\n');
  } finally {
    await stage.close();
  }
}
