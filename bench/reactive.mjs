// What subscriptions of pg_reactive cost those who write: transactions a second, as a part of those
// without subscriptions measured just before and after.
//
//   tests/9-extension/with node bench/reactive.mjs      SECONDS_EACH=3 ROUNDS=3 CLIENTS=8
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../tests/lib/paths.mjs';
import { connect } from '../tests/lib/postgres.mjs';
import { run } from '../tests/lib/process.mjs';
import { settled, startReactive, stat } from '../tests/9-extension/reactive.mjs';
import { median } from './report.mjs';

const seconds = process.env.SECONDS_EACH ?? '3';
const rounds = Number(process.env.ROUNDS ?? 3);
const clients = process.env.CLIENTS ?? '8';
const rooms = 10_000;

const durable = 'fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nshared_buffers = 1GB\n' +
  `pg_reactive.tick_interval = 100ms\nlog_min_messages = warning\n`;

const load = join(scratch, 'reactive.pgbench');
writeFileSync(load, `\\set id random(1, 100000)
\\set room random(0, ${rooms - 1})
update msg set n = n + 1 where id = :id;
insert into msg (room, n, body) values (:room, 0, 'a line of text');
`);

/** Statements a second of the load. */
async function rate(cluster) {
  const { out } = await run('pgbench', ['-n', '-M', 'prepared', '-c', clients, '-j', '2', '-T', seconds, '-f', load,
    '-h', cluster.sockets, '-p', String(cluster.port), '-U', 'postgres', 'postgres']);
  return Number(/tps = ([\d.]+)/.exec(out)[1]);
}

async function ratio(cluster, sql, prepare, undo) {
  const ratios = [];
  const recomputes = [];
  const all = [];
  for (let round = 0; round < rounds; round++) {
    await sql.query(`truncate msg; insert into msg (id, room, n, body) select n, n % ${rooms}, 0, 'a line of text' from generate_series(1, 100000) n;
      select setval('msg_id_seq', 100000); analyze msg`);
    const before = await rate(cluster);
    await prepare();
    const from = await stat(sql, 'recomputes');
    const with_it = await rate(cluster);
    recomputes.push((await stat(sql, 'recomputes') - from) / seconds);
    await undo();
    const after = await rate(cluster);
    ratios.push((2 * with_it) / (before + after));
    all.push(with_it);
  }
  return [Math.round(median(all)), median(ratios).toFixed(2), Math.round(median(recomputes))];
}

/** One for each room, by a key of its own or by a condition that says the same and is none. */
async function subscribe(sql, count, condition) {
  for (let i = 0; i < count; i++) await sql.query('select pgr.subscribe($1, $2)', [`room ${i}`, `select id, n, body from msg where ${condition(i)}`]);
  await sql.query('select pgr.restore_subscriptions()');
  await settled(sql);
}
const by_key = (i) => `room = ${i}`;
const by_range = (i) => `room between ${i} and ${i}`;

async function unsubscribe(sql) {
  await sql.query(`delete from pgr.persisted_subscriptions`);
  while (Number(await sql.value(`select count(*) from pg_trigger where tgname = 'pgr_mark'`)) > 0) await new Promise((done) => setTimeout(done, 100));
}

async function measure(settings, cases) {
  const cluster = await startReactive(durable + settings);
  const sql = await connect(cluster, 'postgres');
  try {
    await sql.query(`create table msg (id bigserial primary key, room int, n int, body text); create index on msg (room);
      create function tell() returns trigger language plpgsql as $$ begin perform pg_notify('told', new.id::text); return null; end $$`);
    if (!settings) console.log('an update of 100,000 rows, watched by statement, by row:'.padEnd(52), ...await bulk(sql));
    for (const [name, prepare, undo] of cases(sql)) console.log(name.padEnd(52), ...await ratio(cluster, sql, prepare, undo));
  } finally {
    await sql.end();
    await cluster.stop();
  }
}

const of_subscriptions = (name) => (sql) => (process.env.SUBSCRIPTIONS ?? '1 100 1000').split(' ').map(Number)
  .filter((count) => name === 'worker' || count < 1000)
  .flatMap((count) => Object.entries({ 'a constant': by_key, 'a range': by_range }).filter(([how]) => name === 'worker' || how === 'a constant')
    .map(([how, condition]) => [`${count} subscriptions of ${how}, recomputed in the ${name}`, () => subscribe(sql, count, condition), () => unsubscribe(sql)]));

/** How long a statement takes that writes 100,000 rows, in ms, as a part of the same without subscriptions. */
async function bulk(sql) {
  const times = async () => {
    const list = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await sql.query('update msg set n = n + 1');
      list.push(performance.now() - start);
      await sql.query('vacuum msg');
    }
    return median(list);
  };
  await sql.query(`truncate msg; insert into msg (id, room, n, body) select n, n % ${rooms}, 0, 'a line of text' from generate_series(1, 100000) n; analyze msg`);
  await times();
  const before = await times();
  await subscribe(sql, 1, by_range);
  const by_statement = await times();
  await subscribe(sql, 1, by_key);
  const by_row = await times();
  await unsubscribe(sql);
  const after = await times();
  return [by_statement, by_row].map((time) => `${Math.round(time)} ms ${(2 * time / (before + after)).toFixed(2)}`);
}

console.log(`${clients} clients, ${rounds} rounds of ${seconds} s: transactions a second, ratio to none, recomputes a second`);
await measure('', (sql) => [
  ['nothing', async () => {}, async () => {}],
  ['a row trigger with NOTIFY', () => sql.query('create trigger tell after insert or update on msg for each row execute function tell()'), () => sql.query('drop trigger tell on msg')],
  ...of_subscriptions('worker')(sql),
]);
await measure('pg_reactive.async_recompute = off\n', of_subscriptions('writer'));
