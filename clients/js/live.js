// SPDX-License-Identifier: MIT
// A connection to /live/v1 that lasts: it opens itself again, subscribes again, and takes a fresh
// token where the old one has expired.  docs/live.md has the protocol.

const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const CLOSE_TOKEN = 4401;

/** Why a subscription, or a connection, has ended. */
export class LiveError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'LiveError';
    this.code = code;
  }
}

const sameKey = (key, a, b) => key.every((name) => a[name] === b[name]);

/** The rows after a delta; the rows before are left as they are. */
export function applyDelta(key, rows, delta) {
  const { inserted = [], updated = [], deleted = [], inserted_at: insertedAt, updated_at: updatedAt } = delta;
  const gone = [...deleted, ...updated];
  const next = rows.slice();
  for (const row of gone) {
    const at = next.findIndex((held) => sameKey(key, held, row));
    if (at >= 0) next.splice(at, 1);
  }
  const coming = [...inserted.map((row, i) => ({ row, at: insertedAt?.[i] ?? Infinity })),
    ...updated.map((row, i) => ({ row, at: updatedAt?.[i] ?? Infinity }))];
  coming.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  for (const { row, at } of coming) next.splice(Math.min(at, next.length), 0, row);
  return next;
}

class Client {
  #url; #token; #WebSocket; #onState; #socket; #timer; #failures = 0; #ids = 0; #closed = false;
  #subscriptions = new Map();

  constructor(url, { token, WebSocket = globalThis.WebSocket, onState = () => {} } = {}) {
    if (!WebSocket) throw new TypeError('no WebSocket here: pass one as `WebSocket`');
    this.#url = new URL('/live/v1', url);
    this.#url.protocol = this.#url.protocol.replace(/^http/, 'ws');
    this.#token = typeof token === 'function' ? token : () => token;
    this.#WebSocket = WebSocket;
    this.#onState = onState;
  }

  live(query, params, { onChange, onError = () => {} }) {
    const id = String(++this.#ids);
    const subscription = { query, params, onChange, onError, rows: undefined, key: [] };
    this.#subscriptions.set(id, subscription);
    if (this.#socket?.readyState === 1) this.#subscribe(id, subscription);
    else this.#open();
    return {
      get rows() { return subscription.rows; },
      close: () => {
        if (this.#subscriptions.delete(id)) this.#say({ type: 'unsubscribe', id });
      },
    };
  }

  async refresh() {
    const token = await this.#token();
    if (token) this.#say({ type: 'token', token });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#subscriptions.clear();
    this.#socket?.close(1000);
  }

  #say(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #subscribe(id, { query, params }) {
    this.#say({ type: 'subscribe', id, query, params });
  }

  async #open() {
    if (this.#closed || this.#socket) return;
    this.#socket = { readyState: 0 }; // until there is a token
    const token = await Promise.resolve().then(this.#token).catch(() => undefined);
    if (this.#closed) return;
    const socket = new this.#WebSocket(this.#url, token ? ['pgstack.live.v1', `bearer.${token}`] : ['pgstack.live.v1']);
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#onState('open');
      for (const [id, subscription] of this.#subscriptions) this.#subscribe(id, subscription);
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onerror = () => {}; // onclose follows
    socket.onclose = ({ code }) => this.#lost(code);
  }

  #lost(code) {
    this.#socket = undefined;
    this.#onState('closed');
    if (this.#closed) return;
    // A token that was refused is asked for again, but not in a storm.
    const most = Math.min(BACKOFF_MIN_MS * 2 ** this.#failures, BACKOFF_MAX_MS);
    const first = this.#failures++ === 0 && code !== CLOSE_TOKEN;
    this.#timer = setTimeout(() => this.#open(), first ? Math.random() * BACKOFF_MIN_MS : most / 2 + Math.random() * most / 2);
  }

  #take(frame) {
    const subscription = this.#subscriptions.get(frame.id);
    if (!subscription) return;
    if (frame.type === 'error') {
      this.#subscriptions.delete(frame.id);
      subscription.onError(new LiveError(frame.code, frame.message));
    } else if (frame.type === 'snapshot') {
      subscription.key = frame.key;
      subscription.rows = frame.rows;
      subscription.onChange(subscription.rows, frame);
    } else if (frame.type === 'delta') {
      subscription.rows = applyDelta(subscription.key, subscription.rows, frame);
      subscription.onChange(subscription.rows, frame);
    }
  }
}

/** A client of the server at `url`. */
export function createLive(url, options) {
  return new Client(url, options);
}
