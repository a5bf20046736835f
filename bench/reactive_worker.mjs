// What the worker of pg_reactive pays to ask a subscription again: microseconds of its processor time, with
// many subscriptions of one shape that a write concerns all at once.
//
//   tests/9-extension/with node bench/reactive_worker.mjs      SUBSCRIPTIONS=1000 ROUNDS=7 CASES=constant
import { readFileSync } from 'node:fs';
import { connect } from '../tests/lib/postgres.mjs';
import { settled, startReactive, stat } from '../tests/9-extension/reactive.mjs';
import { median } from './report.mjs';

const subscriptions = Number(process.env.SUBSCRIPTIONS ?? 1000);
const rounds = Number(process.env.ROUNDS ?? 7);
const rooms = 10_000;

/** Each has 10 of 100,000 rows. */
const cases = {
  'a constant': [subscriptions, (i) => `select id, n, body from msg where room = ${i}`],
  'a range': [subscriptions, (i) => `select id, n, body from msg where room between ${i} and ${i}`],
  'a sum': [subscriptions, (i) => `select room, count(*), sum(n) from msg where room = ${i} group by room`],
  'no index': [subscriptions / 10, (i) => `select id, n, body from msg where bare = ${i}`],
  'the same query': [subscriptions, () => 'select id, n, body from msg where room = 0'],
};

const writes = {
  'nothing is different': `update msg set n = n where room < ${subscriptions}`,
  'one row each': `update msg set n = n + 1 where id <= ${subscriptions}`,
};

/** Of a process, in microseconds. */
const processorTime = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;

async function measure(sql, write) {
  const costs = [];
  await settled(sql);
  const pid = await stat(sql, 'worker_pid');
  for (let round = 0; round < rounds; round++) {
    const [from, before] = [processorTime(pid), await stat(sql, 'recomputes')];
    for (let i = 0; i < 5; i++) {
      await sql.query(write);
      await settled(sql);
    }
    costs.push((processorTime(pid) - from) / (await stat(sql, 'recomputes') - before));
  }
  return `${median(costs).toFixed(0)} us`;
}

const cluster = await startReactive('shared_buffers = 512MB\nfsync = on\nlog_min_messages = warning\n');
const sql = await connect(cluster, 'postgres');
try {
  await sql.query(`create table msg (id int primary key, room int, bare int, n int, body text); create index on msg (room);
    insert into msg select n, n % ${rooms}, n % ${rooms}, 0, 'a line of text' from generate_series(1, 100000) n`);
  await sql.query('vacuum analyze msg');
  for (const [name, [count, query]] of Object.entries(cases).filter(([each]) => each.includes(process.env.CASES ?? ''))) {
    for (let i = 0; i < count; i++) await sql.query('select pgr.subscribe($1, $2)', [`s ${i}`, query(i)]);
    await sql.query('select pgr.restore_subscriptions()');
    for (const [what, write] of Object.entries(writes)) console.log(`${count} of ${name}, ${what}:`.padEnd(56), await measure(sql, write));
    await sql.query('delete from pgr.persisted_subscriptions');
    await settled(sql);
  }
} finally {
  await sql.end();
  await cluster.stop();
}
