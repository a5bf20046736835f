// A PostgreSQL with pg_reactive, and a client of its messages that believes nothing.
import assert from 'node:assert/strict';
import { Cluster, connect } from '../lib/postgres.mjs';
import { until } from '../lib/process.mjs';

/** A cluster that has the extension in the database postgres; `more` are lines of postgresql.conf. */
export async function startReactive(more = '') {
  const cluster = await Cluster.start(`shared_preload_libraries = 'pg_reactive'\nmax_prepared_transactions = 10
pg_reactive.tick_interval = 20ms\nlog_min_messages = log\n${more}`);
  const sql = await connect(cluster, 'postgres');
  await sql.query('create extension pg_reactive');
  await sql.end();
  return cluster;
}

/* A query that a loaded machine held up rests for ten times as long, and for up to a minute. */
const patience_ms = 60_000;

const plain = (row) => JSON.stringify(row);
const sorted = (rows) => rows.map(plain).sort();

/** What a subscriber holds, as a bag of rows. */
class Held {
  constructor(id) {
    Object.assign(this, { id, gen: undefined, seq: 0, rows: new Map(), messages: [], wrong: [] });
  }

  begin({ generation, seq, rows }) {
    this.gen = Number(generation);
    this.seq = Number(seq);
    this.rows = new Map();
    for (const row of rows) this.add(row, 1);
  }

  add(row, copies) {
    const key = plain(row);
    const now = (this.rows.get(key) ?? 0) + copies;
    if (now < 0) this.wrong.push(`${this.id}: deleted but not held: ${key}`);
    if (now === 0) this.rows.delete(key);
    else this.rows.set(key, now);
  }

  /** False when the rows must be asked for again. */
  apply(message) {
    if (message.gen !== this.gen || message.seq <= this.seq) return true;
    if (message.seq !== this.seq + 1) this.wrong.push(`${this.id}: seq ${message.seq} after ${this.seq}`);
    this.seq = message.seq;
    if (message.overflow || message.invalidated) return false;
    for (const row of message.deleted) this.add(row, -1);
    for (const row of message.inserted) this.add(row, 1);
    return true;
  }

  list() {
    return [...this.rows].flatMap(([key, copies]) => Array(copies).fill(key)).sort();
  }
}

/** Listens on the channel, and keeps what each wanted subscription has. */
export class Follower {
  static async open(cluster, database = 'postgres') {
    const follower = new Follower();
    Object.assign(follower, { held: new Map(), messages: [], resyncs: 0, asking: Promise.resolve() });
    follower.sql = await connect(cluster, database);
    follower.sql.client.on('notification', ({ payload }) => follower.take(JSON.parse(payload)));
    await follower.sql.query('listen pgr');
    return follower;
  }

  /** Begins to follow a subscription: listening came first, so that nothing falls between. */
  async follow(id) {
    const held = new Held(id);
    const early = [];
    held.early = early;
    this.held.set(id, held);
    await this.resync(held);
    return held;
  }

  async resync(held) {
    held.early ??= [];
    const asked = this.asking.catch(() => {}).then(() => until(`a snapshot of ${held.id}`, async () =>
      (await this.sql.rows('select * from pgr.snapshot($1)', [held.id]))[0], patience_ms));
    this.asking = asked;
    held.begin(await asked);
    const early = held.early;
    held.early = undefined;
    for (const message of early) this.apply(held, message);
  }

  apply(held, message) {
    if (held.early) held.early.push(message);
    else if (!held.apply(message) && !message.reason) {
      this.resyncs++;
      held.pending = this.resync(held);
    }
  }

  take(message) {
    this.messages.push(message);
    const held = this.held.get(message.query_id);
    if (!held) return;
    held.messages.push(message);
    if (!message.type) this.apply(held, message);
  }

  of(id) {
    return this.messages.filter((message) => message.query_id === id);
  }

  /** Waits for a message about a subscription that `test` likes. */
  message(id, test, from = 0) {
    return until(`a message about ${id}`, () => this.of(id).slice(from).find(test), patience_ms)
      .catch((error) => { throw new Error(`${error.message}: there are ${plain(this.of(id))}`); });
  }

  async become(id, rows) {
    const held = this.held.get(id);
    const wanted = sorted(rows);
    await until(`${id} to become ${wanted}`, () => !held.early && plain(held.list()) === plain(wanted), patience_ms)
      .catch((error) => { throw new Error(`${error.message}; it is ${held.list()}`); });
    assert.deepEqual(held.wrong, []);
  }

  end() {
    return this.sql.end();
  }
}

/** Subscribes and waits until the worker holds it. */
export async function subscribe(sql, id, query, mode = 'delta', audience = null) {
  const answer = await sql.value('select pgr.subscribe($1, $2, $3, $4)', [id, query, mode, audience]);
  await sql.query('select pgr.restore_subscriptions()');
  return answer;
}

/** Waits until the worker has done all that was marked. */
export async function settled(sql) {
  await until('the worker to have nothing to do', async () =>
    (await sql.value(`select value from pgr.stats() where metric = 'pending'`)) === '0', 90_000);
}

/** The bag that the query has now, as a Held would list it. */
export async function answer(sql, query) {
  const rows = await sql.rows(`select row_to_json(q) as row from (${query}) q`);
  return sorted(rows.map(({ row }) => row));
}

export const stat = async (sql, metric) =>
  Number(await sql.value('select value from pgr.stats() where metric = $1', [metric]));
