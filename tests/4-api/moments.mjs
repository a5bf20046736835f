// What a subscriber holds is checked after each of its frames, while others write: it is what some commit left,
// that commit is not before the last one, and not before the `lsn` that the frame says.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { users } from '../lib/app.mjs';
import { sleep } from '../lib/process.mjs';
import { counts, dice, ordered, question, truths, write, writes } from './board.mjs';

/** A place in the log, as a number. */
export const place = (lsn) => lsn.split('/').reduce((high, low) => (high << 32n) + BigInt(`0x${low}`), 0n);

/** Where the log is, behind all that this connection has committed. */
export const placeNow = async (db) => place((await db.query('select pg_current_wal_insert_lsn()::text as lsn')).rows[0].lsn);

const plain = (rows, in_order) => JSON.stringify(in_order ? rows : rows.map((row) => JSON.stringify(row)).sort());
const digest = (text) => createHash('sha256').update(text).digest('base64');

/** Writers whose commits change no result that is looked at, beside those that do: the log is never theirs alone. */
function beginNoise(writers, random) {
  let on = true;
  const all = writers.map(async (writer, i) => {
    while (on) {
      await writer.query(`insert into sign values (${i}, ${random(9)}, 1, true) on conflict (id) do update set hall = excluded.hall`);
      await writer.query(`insert into member values (1, gen_random_uuid())`);
      await writer.query(`begin; update ticket set title = 'never' where id = ${1000 + random(60)}; rollback`);
      await sleep(random(8));
    }
  });
  return async () => { on = false; await Promise.all(all); };
}

/** What `board` writes, as a transaction that is still open; whether it is to be rolled back. */
async function writeOpenly(writer, text) {
  const [, body, end] = /^begin; (.*); (commit|rollback)$/s.exec(text) ?? [, text, 'commit'];
  await writer.query(`begin; ${body}`);
  return end === 'rollback';
}

/** Each state that a subscription was told, against what the commits left: `history` has a digest for each of them. */
function follow({ told, name }, history, behind) {
  let at = -1, exact = 0;
  for (const { state, lsn, until, rows } of told) {
    const least = lsn === undefined ? -1 : behind.findLastIndex((commit) => commit <= lsn);
    const from = Math.max(at, least, 0);
    const found = history.indexOf(state, from);
    assert.ok(found !== -1 && found < until, `${name}: no commit of ${from} to ${until - 1} left what it holds (it was at ${at}, and ${
      found === -1 ? `at ${history.indexOf(state)} at first, -1: never` : `this is ${found}`}): ${rows.slice(0, 2000)}`);
    exact += found === from;
    at = found;
  }
  return exact;
}

/**
 * One writes at random, and asks before each commit what it will leave everybody; the others come and go.  Every
 * state of theirs is one of these, and they follow one another.
 */
export async function checkHistory({ open, people, connect, lose, commits = process.env.LONG ? 4000 : 350 }) {
  const { random, pick } = dice();
  const kinds = [writes({ random, pick }, lose), counts({ random, pick })];
  const questions = new Map();
  while (questions.size < 16) {
    const who = pick(people), one = { who, ...question({ random, pick }, who) };
    questions.set(JSON.stringify(one), { ...one, history: [] });
  }
  const asked = [...questions.values()], behind = [], all = [];
  const writer = await connect(), noise = await Promise.all([connect(), connect()]);
  const lives = new Map(await Promise.all(people.map(async (who) => [who, await open(who)])));
  const remember = async () => {
    for (const [i, rows] of (await truths(writer, asked)).entries()) asked[i].history.push(digest(plain(rows, ordered.includes(asked[i].query))));
  };
  const subscribe = () => {
    const one = pick(asked), told = [], name = `${one.query} ${JSON.stringify(one.params)} of ${one.who.sub}`;
    const subscription = lives.get(one.who).subscribe(`h${all.length}`, one.query, one.params);
    subscription.told = ({ lsn }) => {
      const rows = plain(subscription.rows, ordered.includes(one.query));
      told.push({ state: digest(rows), rows: rows.slice(0, 2000), lsn: lsn && place(lsn), until: one.history.length });
    };
    all.push({ ...one, told, name, subscription });
  };
  await writer.query('begin');
  await remember();
  await writer.query('commit');
  behind.push(await placeNow(writer));
  const stop = beginNoise(noise, random);
  try {
    for (let i = 0; i < commits; i++) {
      if (all.length < 20 || random(8) === 0) subscribe();
      if (random(10) === 0) pick(all).subscription.leave();
      if (await writeOpenly(writer, pick(kinds)())) {
        await writer.query('rollback');
        continue;
      }
      await remember();
      await writer.query('commit');
      behind.push(await placeNow(writer));
    }
  } finally {
    await stop();
  }
  let frames = 0, exact = 0;
  for (const one of all) {
    if (!one.subscription.left) await one.subscription.become((await truths(writer, [one]))[0], { ordered: ordered.includes(one.query) });
    exact += follow(one, one.history, behind);
    frames += one.told.length;
  }
  console.log(`${behind.length} commits; ${all.length} subscriptions were told ${frames} states, ${exact} of them the earliest that can be`);
  for (const client of [writer, ...noise]) await client.end();
  for (const live of lives.values()) await live.close();
}

// ---- many writers at once: each leaves its mark in what it writes ----

const purses = 12, clock = 100_000_000, writers = 6;
const own = (w, n) => 1000 + 100 * w + n % 10;

/** Transaction `n` of writer `w`: an amount goes from one purse to another, by a purse of its own every second time. */
function transfer(random, w, n) {
  const moves = new Map();
  const add = (id, amount) => moves.set(id, (moves.get(id) ?? 0) + amount);
  const amount = 1 + random(99), gone = Math.floor(n / 10) % 2 === 1;
  add(1 + random(purses), -amount);
  add(1 + random(purses), amount);
  if (!gone) add(1 + random(purses), -n);
  else add(1 + random(purses), n - 10);
  const put = gone ? { id: own(w, n), amount: undefined } : { id: own(w, n), amount: n };
  return { moves, put };
}

const script = (w, { moves, put }) => [
  'begin',
  ...[...moves].sort(([a], [b]) => a - b).map(([id, amount]) => `update purse set amount = amount + ${amount} where id = ${id}`),
  put.amount === undefined ? `delete from purse where id = ${put.id}` : `insert into purse values (${put.id}, 1, ${put.amount})`,
  'savepoint s', `update purse set amount = -1 where id = ${clock + w}`, 'rollback to s',
  `update purse set amount = amount + 1 where id = ${clock + w}`].join('; ');

/** What is there, by id, where so many transactions of each writer are done. */
class Purses {
  rows = new Map(Array.from({ length: purses }, (_, i) => [i + 1, 1000]));
  done = Array(writers).fill(0);

  advance(transfers, counts_) {
    for (const [w, list] of transfers.entries()) {
      for (const { moves, put } of list.slice(this.done[w], counts_[w])) {
        for (const [id, amount] of moves) this.rows.set(id, this.rows.get(id) + amount);
        if (put.amount === undefined) this.rows.delete(put.id);
        else this.rows.set(put.id, put.amount);
      }
      this.rows.set(clock + w, clock + counts_[w]);
      this.done[w] = counts_[w];
    }
    return [...this.rows].map(([id, amount]) => ({ id, amount }));
  }
}

const byAmount = (a, b) => b.amount - a.amount || a.id - b.id;

/** Of each query over purses, what its rows should be where so many transactions of each writer are in them. */
const views = {
  purses: (all) => all.sort((a, b) => a.id - b.id),
  richest: (all) => all.sort(byAmount).slice(0, writers + 4),
  shares: (all) => all.sort((a, b) => a.id - b.id).map((row, _, { length }) => ({ ...row, of: length, total: all.reduce((sum, { amount }) => sum + amount, 0) })),
};

function checkTransfers(name, view, told, transfers) {
  const now = new Purses();
  for (const { rows, lsn } of told) {
    if (rows.length === 0) continue; // not a member at that moment
    const counts_ = transfers.map((_, w) => (rows.find(({ id }) => id === clock + w)?.amount ?? clock) - clock);
    counts_.forEach((n, w) => {
      assert.ok(n >= now.done[w], `${name}: of writer ${w} it held ${now.done[w]} transactions, and now ${n}`);
      const least = lsn === undefined ? 0 : 1 + transfers[w].findLastIndex(({ behind }) => behind <= lsn);
      assert.ok(n >= least, `${name}: it holds ${n} transactions of writer ${w}, and says that it has ${least}`);
    });
    const all = view(now.advance(transfers, counts_));
    assert.deepEqual(view === views.richest ? rows : [...rows].sort((a, b) => a.id - b.id), all, `${name}: whole transactions, ${counts_} of each writer`);
  }
}

/** Many write at once, and each state that somebody is told has whole transactions of each of them, from the first one on. */
export async function checkWholeTransactions({ open, connect, lose, each = process.env.LONG ? 1000 : 60 }) {
  const { random } = dice();
  const { ada, bob } = users;
  const db = await connect();
  await db.query(`insert into purse select i, 1, 1000 from generate_series(1, ${purses}) i`);
  await db.query(`insert into purse select ${clock} + i, 1, ${clock} from generate_series(0, ${writers - 1}) i`);
  await db.query(`insert into member values (1, '${ada}'), (1, '${bob}') on conflict do nothing`);
  const done = Array.from({ length: writers }, () => []), all = [];
  const lives = await Promise.all([ada, bob, ada].map((sub) => open({ sub })));
  const subscribe = (live) => {
    for (const query of Object.keys(views)) {
      const subscription = live.subscribe(`${query}${all.length}`, query, { team: 1 }), told = [];
      subscription.told = ({ lsn }) => told.push({ rows: structuredClone(subscription.rows), lsn: lsn && place(lsn) });
      all.push({ query, told, subscription });
    }
  };
  for (const live of lives) subscribe(live);
  await Promise.all(all.map(({ subscription }) => subscription.ready()));
  let on = true;
  const comeAndGo = (async () => {
    for (let i = 0; on; i++) {
      await write(db, i % 2 ? `insert into member values (1, '${bob}') on conflict do nothing` : `delete from member where team_id = 1 and user_id = '${bob}'`);
      if (i % 8 === 0 && i < 40) subscribe(lives[2]);
      if (lose && i % 50 === 25) await db.query(lose);
      await sleep(random(40));
    }
  })();
  await Promise.all(done.map(async (list, w) => {
    const writer = await connect();
    for (let n = 0; n < each; n++) {
      const one = transfer(random, w, n);
      if (random(10) === 0) await writer.query(`${script(w, one)}; rollback`);
      await writer.query(script(w, one));
      list.push(one);
      await writer.query('commit');
      one.behind = await placeNow(writer);
    }
    await writer.end();
  }));
  on = false;
  await comeAndGo;
  await db.query(`insert into member values (1, '${bob}') on conflict do nothing`);
  const end = new Purses().advance(done, done.map(() => each));
  let states = 0;
  for (const { query, told, subscription } of all) {
    await subscription.become(views[query](end.slice()), { ordered: query === 'richest' });
    checkTransfers(subscription.id, views[query], told, done);
    states += told.length;
  }
  console.log(`${writers * each} transactions of ${writers} writers; ${all.length} subscriptions were told ${states} states`);
  for (const live of lives) await live.close();
  await db.query('delete from purse');
  await db.end();
}
