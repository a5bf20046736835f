// SPDX-License-Identifier: MIT
// Live queries of a pgstack server: rows that keep themselves up to date.  docs/live.md has the protocol.

import { Connection, LiveError } from './connection.js';
import { applyDelta } from './rows.js';
import { fitsStream, openEvents, openSocket } from './transports.js';

export { applyDelta, LiveError };

const CHANGES = new Set(['snapshot', 'delta']);
const FRAMES = new Set([...CHANGES, 'resumed', 'reset']);
const UNAVAILABLE_MS = 1_000; // the server has waited for longer than that itself

/** An exception of a handler is its author's to see; it must not end anything of ours. */
function guarded(handler, ...args) {
  try {
    handler?.(...args);
  } catch (error) {
    if (globalThis.reportError) globalThis.reportError(error);
    else queueMicrotask(() => { throw error; });
  }
}

/** What one subscriber holds. */
class Subscription {
  rows; key = []; gen; seq;

  constructor(id, query, params, handlers) {
    Object.assign(this, { id, query, params, handlers });
  }

  /** To begin, or to go on behind the last frame. */
  request() {
    const { id, query, params, gen, seq } = this;
    return { id, query, params, ...(gen !== undefined && seq !== undefined ? { resume: { gen, seq } } : {}) };
  }

  /** Takes in the next frame; false: one is missing before it. */
  take(frame) {
    if (frame.type === 'snapshot') {
      this.key = frame.key;
      this.rows = frame.rows;
    } else if (frame.type !== 'reset') { // behind that one comes a snapshot; until then the rows are shown as they were
      if (frame.seq !== (frame.type === 'delta' ? this.seq + 1 : this.seq)) return false;
      if (frame.type === 'delta') this.rows = applyDelta(this.key, this.rows, frame);
    }
    this.gen = frame.gen;
    this.seq = frame.seq;
    return true;
  }
}

class Client {
  #connection; #onState; #fits; #ids = 0;
  #subscriptions = new Map();
  #refused = new Map(); // for now: each with its timer

  constructor(base, { transport, token, getToken, onState, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch } = {}) {
    if (transport !== 'sse' && !WebSocket) throw new TypeError("no WebSocket here: pass one as `WebSocket`, or choose transport: 'sse'");
    const open = transport === 'sse' ? openEvents : openSocket;
    const means = { base, WebSocket, fetch: (...args) => fetch(...args) };
    this.#onState = onState;
    this.#fits = (requests) => open !== openEvents || fitsStream(base, requests);
    this.#connection = new Connection((...args) => open(means, ...args), { token, getToken }, {
      requests: () => this.#requests(),
      state: (state, error) => guarded(this.#onState, state, error),
      frame: (frame) => this.#take(frame),
      trouble: (error) => this.#trouble(error),
      shed: (message) => this.#refuse([...this.#subscriptions.values()].at(-1), message),
    });
  }

  get state() {
    return this.#connection.state;
  }

  live(query, params, handlers = {}) {
    const subscription = new Subscription('', query, params, handlers);
    if (this.#fits([...this.#requests(), subscription.request()])) this.#begin(subscription);
    else queueMicrotask(() => this.#refuse(subscription, 'the subscriptions of a stream stand in its address, where there is no room for another one'));
    return {
      get rows() { return subscription.rows; },
      close: () => {
        subscription.handlers = {};
        this.#forget(subscription);
        if (this.#subscriptions.delete(subscription.id)) this.#connection.unsubscribe(subscription.id);
      },
    };
  }

  refresh() {
    return this.#connection.refresh();
  }

  close() {
    for (const subscription of [...this.#refused.keys()]) this.#forget(subscription);
    this.#subscriptions.clear();
    this.#connection.close();
  }

  #requests() {
    return [...this.#subscriptions.values()].map((subscription) => subscription.request());
  }

  /** One too many. */
  #refuse(subscription, message) {
    this.#subscriptions.delete(subscription.id);
    guarded(subscription.handlers.onError, new LiveError('too_many', message));
  }

  /** Under a new id: what still comes for an older one is not meant for it. */
  #begin(subscription) {
    subscription.id = String(++this.#ids);
    subscription.seq = undefined;
    this.#subscriptions.set(subscription.id, subscription);
    this.#connection.subscribe(subscription.request());
  }

  #beginLater(subscription) {
    this.#refused.set(subscription, setTimeout(() => {
      this.#forget(subscription);
      this.#begin(subscription);
    }, UNAVAILABLE_MS));
  }

  #forget(subscription) {
    clearTimeout(this.#refused.get(subscription));
    this.#refused.delete(subscription);
  }

  #take(frame) {
    const subscription = this.#subscriptions.get(frame.id);
    if (frame.type === 'error') return this.#fail(frame, subscription);
    if (!subscription || !FRAMES.has(frame.type)) return undefined;
    if (subscription.take(frame)) return CHANGES.has(frame.type) ? guarded(subscription.handlers.onChange, subscription.rows, frame) : undefined;
    this.#subscriptions.delete(subscription.id);
    this.#connection.unsubscribe(subscription.id);
    return this.#begin(subscription);
  }

  #fail({ id, code, message }, subscription) {
    if (subscription) {
      const willRetry = code === 'unavailable';
      this.#subscriptions.delete(id);
      if (willRetry) this.#beginLater(subscription);
      guarded(subscription.handlers.onError, new LiveError(code, message, willRetry));
    } else if (id === undefined && code !== 'token') { // that one closes the connection too
      this.#trouble(new LiveError(code, message, true));
    }
  }

  #trouble(error) {
    const all = [...this.#subscriptions.values(), ...this.#refused.keys()];
    if (!error.willRetry) {
      this.#subscriptions.clear();
      for (const subscription of [...this.#refused.keys()]) this.#forget(subscription);
    }
    for (const { handlers } of all) guarded(handlers.onError, error);
  }
}

/** A client of the server at `url`. */
export function createLive(url, options) {
  return new Client(url, options);
}
