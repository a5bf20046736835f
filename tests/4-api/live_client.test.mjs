// clients/js: rows that keep themselves up to date, through restarts, cut networks and fresh tokens.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { tokenEnd, tokenWait } from '../../clients/js/connection.js';
import { applyDelta, createLive } from '../../clients/js/live.js';
import { buildProject, openApp, users } from '../lib/app.mjs';
import { now, token } from '../lib/jwt.mjs';
import { until } from '../lib/process.mjs';
import { openProxy } from '../lib/proxy.mjs';

const { ada, bob } = users;
let app, proxy;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_client',
    seed: `insert into team values (1, 'one'), (2, 'two'); insert into member values (1, '${ada}'), (2, '${bob}');
      insert into ticket (id, team_id, title) values (1, 1, 'a'), (2, 2, 'b')` });
  proxy = await openProxy(app.port);
});
after(async () => {
  proxy.close();
  await app.close();
});

const sql = (text) => app.db.query(text);
const ids = (rows) => rows?.map((row) => row.id).sort((a, b) => a - b).join(' ');

/** What a client is told, kept. */
function connect(options) {
  const told = { states: [], errors: [], changes: [], rows: undefined };
  const live = createLive(`http://127.0.0.1:${proxy.port}`, { token: token(ada), onState: (state) => told.states.push(state), ...options });
  const follow = (query = 'tickets', params = { team_id: 1 }) => live.live(query, params, {
    onChange: (rows, change) => { told.rows = rows; told.changes.push(change); },
    onError: (error) => { told.errors.push(error); },
  });
  const has = (what, patience_ms = 20_000) => until(`rows ${what}: they are ${ids(told.rows)}`, () => ids(told.rows) === what, patience_ms);
  return { live, told, follow, has, close: () => live.close() };
}

test('a delta is applied without touching the rows before', () => {
  const rows = Object.freeze([{ id: 1, t: 'a' }, { id: 2, t: 'b' }, { id: 3, t: 'c' }]);
  assert.deepEqual(applyDelta(['id'], rows, { inserted: [{ id: 4, t: 'aa' }], inserted_at: [1], updated: [{ id: 3, t: '0' }], updated_at: [0], deleted: [{ id: 2 }] }),
    [{ id: 3, t: '0' }, { id: 4, t: 'aa' }, { id: 1, t: 'a' }]);
  assert.deepEqual(applyDelta([], [{ n: 1 }], { updated: [{ n: 2 }] }), [{ n: 2 }]);
});

test('a token is replaced in time, whatever the clock says', () => {
  const minute = 60_000;
  assert.equal(tokenEnd(token(ada, { exp: 2_000_000_000 })), 2_000_000_000_000);
  for (const text of ['an-anon-key', 'a.b.c', `x.${Buffer.from('{}').toString('base64url')}.x`]) assert.equal(tokenEnd(text), undefined);
  for (const [left, wait] of [[60 * minute, 59 * minute], [minute, minute / 2], [500, 1000], [0, 30_000], [-60 * minute, 30_000],
    [60 * 24 * 60 * minute, 2 ** 31 - 1]]) assert.equal(tokenWait(left, 0), wait, String(left));
});

for (const transport of ['websocket', 'sse'])
  describe(transport, () => {
    test('rows follow the database, and survive a cut network and a restart of the server', async () => {
      await sql(`delete from ticket where team_id = 1; insert into ticket (id, team_id, title) values (1, 1, 'a')`);
      const c = connect({ transport });
      const subscription = c.follow();
      await c.has('1');
      await sql(`insert into ticket (id, team_id, title) values (3, 1, 'c')`);
      await c.has('1 3');
      assert.equal(c.told.changes.at(-1).type, 'delta');
      proxy.refuse();
      await until('that it notices', () => c.live.state === 'waiting');
      await sql('delete from ticket where id = 1');
      proxy.admit();
      await c.has('3');
      // It goes on behind the last frame, unless the server has not noticed yet that it was away.
      for (let i = 0; i < 10 && c.told.changes.at(-1).type === 'snapshot'; i++) {
        proxy.refuse();
        await until('that it notices', () => c.live.state === 'waiting');
        await sql(`update ticket set title = title || '.' where id = 3`);
        const told = c.told.changes.length;
        proxy.admit();
        await until('the change', () => c.told.changes.length > told, 20_000);
      }
      assert.equal(c.told.changes.at(-1).type, 'delta');
      const restarted = app.restart();
      await sql(`insert into ticket (id, team_id, title) values (4, 1, 'd')`);
      await restarted;
      await c.has('3 4');
      assert.equal(subscription.rows, c.told.rows);
      c.close();
      assert.equal(c.told.states[0], 'connecting');
      assert.equal(c.told.states.at(-1), 'closed');
    });

    test('cut anywhere, again and again: in the end it holds what is stored', async () => {
      const c = connect({ transport });
      c.follow();
      await until('the rows', () => c.told.rows);
      for (let round = 0; round < (process.env.LONG ? 300 : 6); round++) {
        proxy.cut(1 + (round * 397) % 1200);
        for (let i = 0; i < 5; i++) {
          await sql(`insert into ticket (id, team_id, title) values (${100 + (round * 7 + i * 3) % 20}, 1, 'round ${round}') on conflict (id) do update set title = excluded.title`);
          await sql(`delete from ticket where id = ${100 + (round * 5 + i) % 20}`);
          await new Promise((done) => setTimeout(done, 5));
        }
      }
      proxy.cut(Infinity);
      const stored = async () => JSON.stringify((await sql('select id::int, team_id, title, state from ticket where team_id = 1 order by id')).rows);
      const held = () => JSON.stringify([...c.told.rows].sort((a, b) => a.id - b.id));
      await until('what is stored', async () => held() === await stored(), 60_000).catch(async (error) => { throw new Error(`${error.message}: ${held()} is not ${await stored()}`); });
      await sql('delete from ticket where id >= 100');
      c.close();
    });

    test('subscriptions come and go while it is open; an error ends its own alone', async () => {
      const c = connect({ transport }), other = [];
      const first = c.follow();
      await until('the snapshot', () => c.told.rows);
      const second = c.live.live('titles', { team: 1 }, { onChange: (rows) => other.push(rows) });
      c.follow('nothing', {});
      await until('both', () => other.length > 0 && c.told.errors.length > 0);
      assert.deepEqual(c.told.errors.map((error) => [error.code, error.willRetry]), [['unknown_query', false]]);
      first.close();
      const seen = c.told.changes.length;
      await sql(`insert into ticket (id, team_id, title) values (5, 1, 'e'); delete from ticket where id = 5; insert into ticket (id, team_id, title) values (6, 1, 'f')`);
      await until('that the other goes on', () => second.rows.some((row) => row.title === 'f'), 20_000);
      assert.equal(c.told.changes.length, seen, 'what is closed is told nothing');
      await sql('delete from ticket where id = 6');
      c.close();
    });

    test('a fixed token that is refused ends it all, and says so', async () => {
      const c = connect({ transport, token: token(ada, { exp: now() - 100 }) });
      c.follow();
      await until('the error', () => c.told.errors.length > 0);
      assert.deepEqual(c.told.errors.map((error) => [error.code, error.willRetry]), [['token', false]]);
      assert.match(c.told.errors[0].message, /expired/i);
      assert.equal(c.live.state, 'idle');
      c.close();
    });

    test('a callback whose token is refused is asked again, later, and what it says is told', async () => {
      let good = false, asked = 0;
      const c = connect({ transport, token: undefined, getToken: async () => { asked++; return good ? token(ada) : 'no.good.token'; } });
      c.follow();
      await until('two refusals', () => c.told.errors.length >= 2);
      assert.ok(c.told.errors.every((error) => error.code === 'token' && error.willRetry));
      assert.equal(asked, c.told.errors.length);
      good = true;
      await until('the rows', () => c.told.rows, 20_000);
      c.close();
    });

    test('a token is replaced before it ends, and nothing is interrupted', async () => {
      let asked = 0;
      const c = connect({ transport, token: undefined, getToken: async () => token(ada, asked++ === 0 ? { exp: now() + 3 } : {}) });
      c.follow();
      await until('the second token', () => asked === 2, 20_000);
      await sql(`insert into ticket (id, team_id, title) values (9, 1, 'later')`);
      await until('the change', () => c.told.rows?.some((row) => row.id === 9), 20_000);
      await sql('delete from ticket where id = 9');
      await until('the next', () => !c.told.rows.some((row) => row.id === 9));
      assert.deepEqual([c.told.errors, c.told.states.includes('waiting')], [[], false]);
      c.close();
    });
  });

/** A browser's `online` and `offline`, for clients that are made meanwhile. */
function fakeNetwork() {
  const network = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener']) globalThis[name] = network[name].bind(network);
  return {
    say: (type) => network.dispatchEvent(new Event(type)),
    forget: () => { for (const name of ['addEventListener', 'removeEventListener']) delete globalThis[name]; },
  };
}

test('a network that went silent is noticed, at once where the platform tells', async () => {
  const network = fakeNetwork(), c = connect();
  c.follow();
  await until('the rows', () => c.told.rows);
  network.say('offline');
  await new Promise((done) => setTimeout(done, 3_200));
  assert.equal(c.live.state, 'open', 'the server answers: it is not as the platform says');
  proxy.hold();
  if (!process.env.LONG) network.say('offline'); // without it takes half a minute
  await until('that it is given up', () => c.live.state === 'waiting', 60_000);
  proxy.release();
  network.say('online');
  await until('that it is open again', () => c.live.state === 'open', 20_000);
  c.close();
  network.forget();
});

test('what the platform refuses is told, and tried again', async () => {
  let thrown = 0;
  class Blocked extends WebSocket {
    constructor(...args) {
      if (thrown < 2) throw new DOMException(`blocked ${++thrown}`, 'SecurityError');
      super(...args);
    }
  }
  const c = connect({ WebSocket: Blocked });
  c.follow();
  await until('the rows', () => c.told.rows, 20_000);
  assert.deepEqual(c.told.errors.map((error) => [error.code, error.message, error.willRetry]), [['connection', 'blocked 1', true], ['connection', 'blocked 2', true]]);
  c.close();
  const bad = [];
  const wrong = createLive('http://127.0.0.1:1', { token: 'not good\n', WebSocket });
  wrong.live('tickets', { team_id: 1 }, { onError: (error) => bad.push(error) });
  await until('that it is told', () => bad.length > 0);
  assert.equal(bad[0].code, 'connection');
  wrong.close();
});

test('a frame that is missing makes it ask anew, not guess', async () => {
  let forgotten = 0;
  class Forgetful extends WebSocket {
    set onmessage(handler) {
      super.onmessage = (event) => { if (JSON.parse(event.data).type !== 'delta' || ++forgotten !== 1) handler(event); };
    }
  }
  const c = connect({ WebSocket: Forgetful });
  c.follow();
  await until('the rows', () => c.told.rows);
  await sql(`insert into ticket (id, team_id, title) values (11, 1, 'x')`);
  await until('the first delta to be lost', () => forgotten > 0);
  await sql(`insert into ticket (id, team_id, title) values (12, 1, 'y')`);
  await until('both', () => ids(c.told.rows)?.endsWith('11 12'));
  assert.equal(c.told.changes.at(-1).type, 'snapshot');
  await sql('delete from ticket where id in (11, 12)');
  c.close();
});

test('refresh() changes who asks on the open connection', async () => {
  let who = bob;
  const c = connect({ token: undefined, getToken: () => token(who) });
  const subscription = c.follow('tickets', { team_id: 2 });
  await until('the rows of bob', () => c.told.rows?.length === 1);
  who = ada;
  await c.live.refresh();
  await until('that ada sees none', () => c.told.rows.length === 0);
  assert.equal(c.told.states.includes('waiting'), false);
  subscription.close();
  c.close();
});

test('what is wanted from within its handlers is asked for once', async () => {
  const titles = [];
  const c = connect({ onState: (state) => { if (state === 'open') c.live.live('titles', { team: 1 }, { onChange: (rows) => titles.push(rows), onError: (error) => c.told.errors.push(error) }); } });
  c.follow();
  await until('both', () => c.told.rows && titles.length > 0);
  assert.deepEqual(c.told.errors, []);
  c.close();
});

/** Subscriptions to the same rows, and what each was told. */
function followMany(live, n) {
  return Array.from({ length: n }, () => {
    const one = { errors: [] };
    one.at = live.live('tickets', { team_id: 1 }, { onError: (error) => one.errors.push(error) });
    return one;
  });
}
const isSettled = (one) => one.at.rows !== undefined || one.errors.some((error) => !error.willRetry);

test('of more subscriptions than an address has room for, the newest are refused and the others work', async () => {
  const c = connect({ transport: 'sse' }), all = followMany(c.live, 60);
  await until('an answer to each', () => all.every(isSettled), 20_000);
  const n = all.findIndex((one) => one.errors.length > 0);
  assert.ok(n > 20, `${n} have room`);
  assert.deepEqual(all.map((one) => one.errors.map((error) => [error.code, error.willRetry])), all.map((_, i) => (i < n ? [] : [['too_many', false]])));
  all[0].at.close();
  c.follow();
  await until('that another one has its place', () => c.told.rows !== undefined, 20_000);
  proxy.refuse(); // where they go on from has room as well
  await until('that it notices', () => c.live.state === 'waiting', 20_000);
  proxy.admit();
  await until('that it is back', () => c.live.state === 'open', 20_000);
  c.close();
});

for (const status of [414, 431])
  test(`an address that somebody on the way finds too long (${status}) costs the newest, and no other`, async () => {
    const asked = [], short = (url, options) => {
      asked.push(String(url).length);
      return String(url).length > 600 ? new Response('', { status }) : fetch(url, options);
    };
    const c = connect({ transport: 'sse', fetch: short }), all = followMany(c.live, 6);
    await until('an answer to each', () => all.every(isSettled), 20_000);
    const n = all.filter((one) => one.at.rows).length;
    assert.ok(n > 0 && n < 6, `${n} of 6 are held`);
    assert.deepEqual(all.map((one) => one.errors.map((error) => error.code)), all.map((_, i) => (i < n ? [] : ['too_many'])));
    assert.equal(asked.length, 6 - n + 1);
    assert.equal(c.live.state, 'open');
    c.close();
  });

test('a head that is too long even for one subscription ends it', async () => {
  for (const transport of ['sse', 'websocket']) {
    const c = connect({ transport, fetch: async () => new Response('', { status: 431 }), WebSocket: class { constructor() { setTimeout(() => this.onerror()); } close() {} } });
    c.follow();
    await until('the error', () => c.told.errors.length > 0);
    assert.deepEqual(c.told.errors.map((error) => [error.code, error.willRetry]), [['refused', false]], transport);
    assert.equal(c.live.state, 'idle');
    c.close();
  }
});

test('an exception of a handler does not end the others', async () => {
  const thrown = [];
  globalThis.reportError = (error) => thrown.push(error.message);
  const c = connect({ transport: 'sse' });
  c.live.live('tickets', { team_id: 1 }, { onChange: () => { throw new Error('mine'); } });
  c.follow('titles', { team: 1 });
  await until('both', () => thrown.length > 0 && c.told.rows);
  assert.deepEqual([thrown, c.live.state], [['mine'], 'open']);
  delete globalThis.reportError;
  c.close();
});
