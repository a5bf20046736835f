// SPDX-License-Identifier: MIT
// A connection that lasts: it opens itself again, later and later, with a token that is still good, and
// notices when nobody is at the other end.

const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const STEADY_MS = 5_000; // a connection that lasted so long begins the back-off anew
const OPEN_MS = 20_000; // for a connection to be made
const LOOK_MS = 1_000;
const SILENT_MS = 25_000; // then the server is asked for a sign of life
const ANSWER_MS = 10_000; // for that sign
const QUICK_ANSWER_MS = 2_000; // when the platform says that the network has changed
const HEARTBEAT_MS = 12_000; // a stream says something so often, and cannot be asked
const TOKEN_EARLY_MS = 60_000; // a token is replaced so long before its end
const TIMER_MAX_MS = 2 ** 31 - 1;
const CLOSE_TOKEN = 4401;
const FINAL = new Set([400, 403, 404, 405, 414, 426, 431]); // what asking again does not change
const TOO_LONG = new Set([414, 431]); // but asking for less may

/** Why a subscription, or a connection, has failed. */
export class LiveError extends Error {
  constructor(code, message, willRetry = false) {
    super(message);
    this.name = 'LiveError';
    this.code = code;
    this.willRetry = willRetry;
  }
}

/** When a JWT ends, in milliseconds; undefined: it does not say. */
export function tokenEnd(token) {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const { exp } = JSON.parse(atob(payload));
    return Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** How long until a token should be replaced. */
export function tokenWait(end, now) {
  const left = end - now;
  const wait = left <= 0 ? 30_000 : Math.max(1_000, left > 2 * TOKEN_EARLY_MS ? left - TOKEN_EARLY_MS : left / 2);
  return Math.min(wait, TIMER_MAX_MS);
}

export class Connection {
  #open; #tokenOf; #isStatic; #client;
  #channel; #token; #attempt = 0; #failures = 0; #state = 'idle';
  #retry; #look; #renew; #openedAt = 0; #heardAt = 0; #deadline = Infinity;
  #isOver = false;

  /**
   * `open(token, requests, on)` opens a channel (transports.js).  `client` says what is wanted by requests(), and
   * is told of state(name, error), frame(object), trouble(error), and of shed(message): it wants too much at once.
   */
  constructor(open, { token, getToken }, client) {
    this.#open = open;
    this.#isStatic = getToken === undefined;
    this.#tokenOf = getToken ?? (() => token);
    this.#client = client;
    globalThis.addEventListener?.('online', this.#onNetwork);
    globalThis.addEventListener?.('offline', this.#onNetwork);
  }

  get state() {
    return this.#state;
  }

  /** A subscription is there that was not, or is not any more. */
  subscribe(request) {
    if (this.#channel?.isFixed) this.#reopen();
    else if (this.#state === 'open') this.#channel.say({ type: 'subscribe', ...request });
    else if (this.#state === 'idle') this.#reopen();
  }

  unsubscribe(id) {
    if (this.#channel?.isFixed) this.#reopen();
    else if (this.#state === 'open') this.#channel.say({ type: 'unsubscribe', id });
  }

  /** Takes a fresh token now. */
  async refresh() {
    if (this.#state === 'waiting') this.#connect();
    else if (this.#state === 'open') await this.#replaceToken(true);
  }

  close() {
    this.#isOver = true;
    this.#drop(true);
    globalThis.removeEventListener?.('online', this.#onNetwork);
    globalThis.removeEventListener?.('offline', this.#onNetwork);
    this.#say('closed');
  }

  #say(state, error) {
    if (state === this.#state && !error) return;
    this.#state = state;
    this.#client.state(state, error);
  }

  #drop(isGoodbye = false) {
    this.#attempt++; // what an older one still says is not heard
    this.#channel?.close(isGoodbye);
    this.#channel = undefined;
    clearTimeout(this.#retry);
    clearTimeout(this.#renew);
    clearInterval(this.#look);
  }

  /** What is wanted of it in one turn makes one new channel. */
  #reopen(token) {
    this.#drop();
    const attempt = this.#attempt;
    this.#say('connecting');
    queueMicrotask(() => {
      if (attempt === this.#attempt) this.#connect(token);
    });
  }

  async #connect(given) {
    if (this.#isOver) return;
    this.#drop();
    if (this.#client.requests().length === 0) return this.#say('idle');
    const attempt = this.#attempt;
    const mine = (act) => (...args) => (attempt === this.#attempt ? act(...args) : undefined);
    this.#say('connecting');
    this.#retry = setTimeout(mine(() => this.#lost({ message: 'no answer' })), OPEN_MS);
    try {
      const token = given ?? (await this.#tokenOf());
      if (attempt !== this.#attempt) return;
      this.#token = token;
      this.#channel = this.#open(token, this.#client.requests(), {
        open: mine(() => this.#opened()),
        heard: mine(() => this.#heard()),
        frame: mine((frame) => this.#client.frame(frame)),
        lost: mine((why) => this.#lost(why)),
      });
    } catch (error) { // of getToken, or of the platform: a bad URL, a blocked scheme
      mine(() => this.#lost({ message: error.message }))();
    }
  }

  #opened() {
    clearTimeout(this.#retry);
    this.#openedAt = Date.now();
    this.#heard();
    this.#look = setInterval(() => this.#lookAfter(), LOOK_MS);
    this.#planToken();
    for (const request of this.#client.requests()) this.#channel.say({ type: 'subscribe', ...request });
    this.#say('open');
  }

  /** It is over, or never began. */
  #lost({ code, status, message }) {
    const wasOpen = this.#state === 'open';
    const isToken = code === CLOSE_TOKEN || status === 401;
    const isTooLong = TOO_LONG.has(status) && this.#channel?.isFixed && this.#client.requests().length > 1;
    this.#drop();
    if (wasOpen && Date.now() - this.#openedAt >= STEADY_MS) this.#failures = 0;
    if (!isTooLong && (FINAL.has(status) || (isToken && this.#isStatic))) return this.#giveUp(isToken ? 'token' : 'refused', message);
    if (this.#client.requests().length === 0) return this.#say('idle');
    const most = Math.min(BACKOFF_MIN_MS * 2 ** (isTooLong ? 0 : this.#failures++), BACKOFF_MAX_MS);
    this.#retry = setTimeout(() => this.#connect(), most * (0.5 + Math.random() / 2));
    const error = new LiveError(isToken ? 'token' : 'connection', message, true);
    this.#say('waiting', error);
    if (isTooLong) this.#client.shed(message);
    else if (!wasOpen || (isToken && this.#failures > 1)) this.#client.trouble(error);
  }

  #giveUp(code, message) {
    const error = new LiveError(code, message);
    this.#failures = 0;
    this.#say('idle', error);
    this.#client.trouble(error);
  }

  // ---- is anybody there? ----

  #heard() {
    this.#heardAt = Date.now();
    this.#deadline = Infinity;
  }

  #ask(patience) {
    this.#deadline = Date.now() + patience;
    this.#channel.say({ type: 'ping' });
  }

  #lookAfter() {
    const now = Date.now();
    if (now > this.#deadline) this.#lost({ message: 'the server is silent' });
    else if (this.#deadline === Infinity && now - this.#heardAt > SILENT_MS) this.#ask(ANSWER_MS);
  }

  /** The network has come or gone; a server on this machine may not care. */
  #onNetwork = ({ type }) => {
    if (this.#state === 'waiting' && type === 'online') {
      this.#failures = 0;
      this.#connect();
    } else if (this.#state === 'open') {
      this.#ask(this.#channel.isFixed ? HEARTBEAT_MS : QUICK_ANSWER_MS);
    }
  };

  // ---- tokens ----

  #planToken() {
    const end = this.#isStatic || !this.#token ? undefined : tokenEnd(this.#token);
    clearTimeout(this.#renew);
    if (end !== undefined) this.#renew = setTimeout(() => this.#replaceToken(false), tokenWait(end, Date.now()));
  }

  async #replaceToken(isAsked) {
    const attempt = this.#attempt;
    const token = await Promise.resolve().then(this.#tokenOf).catch((error) => {
      this.#client.trouble(new LiveError('token', error.message, true));
    });
    if (attempt !== this.#attempt || this.#state !== 'open') return;
    if (token && (isAsked || token !== this.#token)) {
      if (this.#channel.isFixed) return this.#reopen(token);
      this.#channel.say({ type: 'token', token });
      this.#token = token;
    }
    this.#planToken();
  }
}
