// A client of /live/v1 that believes nothing: a delta that does not fit what it holds is an error.
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { until, within } from './process.mjs';

const short = (value) => (JSON.stringify(value) ?? 'nothing').slice(0, 100_000).replaceAll(/(.)\1{20,}/g, '$1...').slice(0, 2000);
const keyOf = (key, row) => JSON.stringify(key.map((name) => row[name]));

/** What a subscriber holds. */
class Subscription {
  constructor(live, id) {
    Object.assign(this, { live, id, key: undefined, rows: undefined, gen: undefined, seq: 0, frames: [], error: undefined, ended: false, resumed: 0, resets: 0 });
  }

  take(frame) {
    if (frame.message === 'Changes cannot be followed at the moment' && this.asked) { // transactions of other files hold up the log: asked again, as clients do
      setTimeout(() => { if (this.asked) this.live.say(this.asked); }, 100);
      return;
    }
    this.frames.push(frame);
    if (frame.type === 'error') this.error = frame;
    if (frame.type === 'unsubscribed') this.ended = true;
    if (frame.type === 'reset') {
      Object.assign(this, { rows: undefined, seq: 0 });
      this.resets++;
    }
    if (frame.type === 'resumed') {
      assert.equal(frame.seq, this.seq, `${this.id} goes on where it was`);
      this.resumed++;
    }
    if (frame.type === 'snapshot' || frame.type === 'delta') {
      assert.equal(frame.seq, this.seq + 1, `seq of ${this.id}`);
      this.seq = frame.seq;
    }
    this.gen = frame.gen ?? this.gen;
    if (frame.type === 'snapshot') {
      assert.equal(this.rows, undefined, 'one snapshot');
      this.rows = frame.rows;
      this.key = frame.key;
    } else if (frame.type === 'delta') this.apply(frame);
    if (frame.type === 'snapshot' || frame.type === 'delta') this.told?.(frame);
  }

  /** Ends it; what is on its way may still come. */
  leave() {
    this.asked = undefined;
    if (!this.left) this.live.say({ type: 'unsubscribe', id: this.id });
    this.left = true;
  }

  find(row) {
    return this.rows.findIndex((held) => keyOf(this.key, held) === keyOf(this.key, row));
  }

  apply({ inserted = [], updated = [], deleted = [], inserted_at, updated_at }) {
    for (const row of [...deleted, ...updated]) {
      const at = this.find(row);
      assert.notEqual(at, -1, `${this.id}: ${JSON.stringify(row)} is not held`);
      this.rows.splice(at, 1);
    }
    for (const row of inserted) assert.equal(this.find(row), -1, `${this.id}: ${JSON.stringify(row)} is held already`);
    const places = [...inserted.map((row, i) => [inserted_at?.[i] ?? Infinity, row]), ...updated.map((row, i) => [updated_at?.[i] ?? Infinity, row])];
    places.sort((a, b) => a[0] - b[0]);
    for (const [at, row] of places) this.rows.splice(at === Infinity ? this.rows.length : at, 0, row);
  }

  /** Waits for the snapshot, or for a refusal. */
  async ready() {
    await until(`a snapshot of ${this.id}`, () => this.rows !== undefined || this.error !== undefined);
    return this;
  }

  /** Waits until the rows are these, in any order unless `ordered`. */
  async become(rows, { ordered = false } = {}) {
    const plain = (list) => JSON.stringify(ordered ? list : list.map((row) => JSON.stringify(row)).sort());
    await until(`${this.id} to become ${short(rows)}`, () => this.rows !== undefined && plain(this.rows) === plain(rows))
      .catch((error) => { throw new Error(`${error.message}; it is ${short(this.rows)} ${JSON.stringify(this.error ?? '')}`); });
  }
}

export class Live {
  /** Opens; rejects with `{ status, body }` when it is refused. */
  static open(port, { headers = {}, query = '', protocols = [], scheme = 'ws', ...options } = {}) {
    return new Promise((resolve, reject) => {
      const live = new Live();
      live.socket = new WebSocket(`${scheme}://127.0.0.1:${port}/live/v1${query}`, protocols, { headers, handshakeTimeout: 60_000, ...options });
      live.subscriptions = new Map();
      live.frames = [];
      const ended = new Promise((end) => { live.socket.once('close', (code, reason) => end({ code, reason: String(reason) })); });
      Object.defineProperty(live, 'closed', { get: () => within('the connection to be closed', ended) });
      live.socket.on('message', (data) => live.take(JSON.parse(data)));
      live.socket.once('open', () => resolve(live));
      live.socket.once('error', reject);
      live.socket.once('unexpected-response', (_, response) => {
        let body = '';
        response.on('data', (data) => { body += data; });
        response.on('end', () => reject(Object.assign(new Error(`refused: ${response.statusCode} ${body}`), { status: response.statusCode, body, headers: response.headers })));
      });
    });
  }

  take(frame) {
    this.frames.push(frame);
    try {
      this.subscriptions.get(frame.id)?.take(frame);
    } catch (error) {
      this.failure ??= error;
    }
  }

  say(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Waits for a frame that `test` holds for. */
  async frame(what, test) {
    await until(what, () => this.frames.some(test));
    return this.frames.find(test);
  }

  /** A subscription that is not asked for yet. */
  hold(id) {
    const subscription = new Subscription(this, id);
    this.subscriptions.set(id, subscription);
    return subscription;
  }

  subscribe(id, query, params) {
    const subscription = this.hold(id);
    subscription.asked = { type: 'subscribe', id, query, params };
    this.say(subscription.asked);
    return subscription;
  }

  /** Goes on with a subscription of another connection. */
  resume(subscription, query, params, mark = { gen: subscription.gen, seq: subscription.seq }) {
    subscription.live = this;
    this.subscriptions.set(subscription.id, subscription);
    subscription.asked = { type: 'subscribe', id: subscription.id, query, params };
    this.say({ ...subscription.asked, resume: mark });
  }

  async close() {
    for (const subscription of this.subscriptions.values()) subscription.asked = undefined;
    this.socket.close(1000);
    await this.closed;
    if (this.failure) throw this.failure;
  }
}
