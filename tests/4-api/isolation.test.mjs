// Many users over few connections, with failing statements, statements that run out of time, clients that hang
// up, backends that are killed, statements that an operator cancels and servers that are exchanged in between:
// nobody ever gets another's rows, and no innocent request fails.
//
// A request is innocent when nothing is wrong with it.  Its answer must be the right one; where its
// backend was killed while it was on the way, it may be 503 with Retry-After instead, and where a statement was
// cancelled 504, and must then succeed on a second try, or a third.  A read that was caught so is retried by the
// server itself, once: it is 503 only where two backends were killed under it.  A generation that goes closes what has
// been idle for a second: who asks on such a connection in that moment asks again, as all that keep connections do
// (RFC 9112, 9.3.1).
//
// SEED=n repeats a run; LONG=1 makes a million requests, REQUESTS= as many of each of the clients.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { request } from '../lib/http.mjs';
import { anon_key, service_key, token } from '../lib/jwt.mjs';
import { hasEnded, sleep, until } from '../lib/process.mjs';
import { random } from '../lib/random.mjs';
import { openProof } from './proof.mjs';

const clients = 64;
const requests = Number(process.env.REQUESTS ?? (process.env.LONG ? 15_625 : 200));
const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
const kept = 3; // rows of each user that nobody touches

const people = Array.from({ length: 40 }, (_, i) => {
  const sub = `00000000-0000-4000-8000-0000000000${String(i).padStart(2, '0')}`;
  const role = ['authenticated', 'authenticated', 'editor', 'robot'][i % 4];
  const claims = role === 'editor' ? { role: 'editor' } : role === 'robot' ? { app_metadata: { kind: 'robot', grade: i } } : { app_metadata: { grade: i } };
  return { sub, role, grade: role === 'editor' ? null : i, bearer: token(sub, claims) };
});

let app;
before(async () => {
  const rows = people.flatMap((p) => Array.from({ length: kept }, (_, i) => `('${p.sub}', 'kept ${p.sub} ${i}')`));
  app = await openProof('api_isolation', {
    env: { PG_POOL_MAX_CONNS: '9', THREADS: '2', SLOW_LANE_AFTER: '0', STOP_TIMEOUT: '60s' }, // what runs out of time has neighbours
    seed: `insert into diary (owner_id, text) values ${rows.join(', ')}; insert into trap values (1, 1), (2, 0); insert into bed values (1, 60);`,
  });
});
after(() => app?.close());

const as = (p) => ({ apikey: anon_key, Authorization: `Bearer ${p.bearer}` });
const refusedWith = (status, code) => (r) => assert.deepEqual([r.status, r.json.code], [status, code]);
const own = (p, rows) => {
  for (const row of rows) assert.equal(row.owner_id, p.sub, 'FOREIGN ROW');
};

// Robots may do nothing with diaries; the others do the same things.
const reads = [
  (p) => ({ path: 'diary?select=owner_id,text&order=text&limit=100', check: (r) => {
    if (p.role === 'robot') return refusedWith(403, '42501')(r);
    assert.equal(r.status, 200, r.text);
    own(p, r.json);
    assert.equal(r.json.filter((row) => row.text.startsWith('kept')).length, kept, 'all of its own rows');
  } }),
  (p, rnd) => {
    const other = rnd.pick(people.filter((q) => q !== p));
    return { path: `diary?owner_id=eq.${other.sub}`, check: (r) => {
      if (p.role === 'robot') return refusedWith(403, '42501')(r);
      assert.deepEqual([r.status, r.json], [200, []], 'FOREIGN ROW');
    } };
  },
  (p) => ({ path: 'rpc/who_am_i', check: (r) => assert.deepEqual([r.status, r.json], [200, { role: p.role, uid: p.sub, sub: p.sub, grade: p.grade }], 'FOREIGN IDENTITY') }),
  (p) => ({ path: 'diary?select=owner_id&limit=100', headers: { Prefer: 'count=exact' }, check: (r) => {
    if (p.role === 'robot') return refusedWith(403, '42501')(r);
    assert.ok([200, 206].includes(r.status), r.text); // rows may come between the page and its count
    own(p, r.json);
    assert.match(r.headers['content-range'], /^0-\d+\/\d+$/);
  } }),
  () => ({ as: { apikey: anon_key }, path: 'item?select=id&order=id', check: (r) => assert.deepEqual([r.status, r.json.map((row) => row.id)], [200, [1, 2, 3, 4, 5, 6]]) }),
  () => ({ as: { apikey: anon_key }, path: 'rpc/who_am_i', check: (r) => assert.deepEqual([r.status, r.json], [200, { role: 'anon', uid: null, sub: null, grade: null }], 'FOREIGN IDENTITY') }),
  () => ({ as: { apikey: service_key }, path: 'diary?select=owner_id&text=like.kept*', check: (r) => assert.deepEqual([r.status, r.json.length], [200, kept * people.length]) }),
];

// These fail, each in its own way, and must fail alone.
const failing = [
  (p) => ({ path: 'trap', check: p.role === 'robot' ? refusedWith(403, '42501') : refusedWith(400, '22012') }),
  (p) => ({ path: 'diary?select=text::integer', check: p.role === 'robot' ? refusedWith(403, '42501') : refusedWith(400, '22P02') }),
  (p) => ({ path: 'diary?id=eq.nonsense', check: (r) => assert.ok([400, 403].includes(r.status)) }),
  (p) => ({ path: 'rpc/quotient?a=1&b=0', check: p.role === 'robot' ? refusedWith(403, '42501') : refusedWith(400, '22012') }),
  (p) => ({ path: 'hasty_sleeper?id=eq.1', runs_out: p.role !== 'robot', check: p.role === 'robot' ? refusedWith(403, '42501') : refusedWith(504, '57014') }),
  () => ({ as: { apikey: anon_key }, path: 'diary', check: refusedWith(401, '42501') }),
  () => ({ as: { Authorization: 'Bearer garbage' }, path: 'diary', check: (r) => assert.equal(r.status, 401) }),
  (p) => ({ method: 'POST', path: 'shelf', body: { id: 1, code: 'x', height: 0 }, check: p.role === 'editor' ? refusedWith(400, '23514') : refusedWith(403, '42501') }),
];

const writers = people.filter((p) => p.role !== 'robot');
const written = new Set(); // texts that were answered with 2xx
const doubtful = new Set(); // texts that were answered with 503: there or not

const writes = [
  (p, rnd, mark) => ({ method: 'POST', path: 'diary?select=owner_id,text', body: { text: mark }, headers: { Prefer: 'return=representation' }, mark, check: (r) => {
    assert.equal(r.status, 201, r.text);
    assert.deepEqual(r.json, [{ owner_id: p.sub, text: mark }], 'FOREIGN ROW');
  } }),
  (p) => ({ method: 'PATCH', path: 'diary?text=like.kept*&select=owner_id', body: { secret: 'changed' }, headers: { Prefer: 'return=representation' }, check: (r) => {
    assert.equal(r.status, 200, r.text);
    own(p, r.json);
    assert.equal(r.json.length, kept);
  } }),
  () => ({ method: 'DELETE', path: 'diary?text=eq.nothing', check: (r) => assert.equal(r.status, 204, r.text) }),
];

test(`${clients} clients x ${requests} requests`, async (t) => {
  t.diagnostic(`> seed ${seed}`);
  const kills = [];
  const cancels = [];
  const drains = []; // of generations that another has taken the place of
  let swaps = 0;
  const tally = { answers: 0, cancelled: 0, closed: 0, refused: 0, retried_reads: 0, retried_writes: 0, hung_up: 0, foreign: 0 };
  const failures = [];
  let running = true;

  /** Has PostgreSQL do something to a few of the server's backends, now and then, and notes when. */
  async function disturb(what, of, pause_ms, notes) {
    const rnd = random(seed ^ 0x5eed ^ pause_ms);
    while (running) {
      await sleep(pause_ms + rnd.below(3 * pause_ms));
      const most = 1 + rnd.below(2);
      const note = { from: performance.now(), to: Infinity, n: most }; // what it hits may be heard of before its own answer
      notes.push(note);
      const hit = await app.db.value(`select count(${what}(pid)) from (select pid from pg_stat_activity
        where usename like 'authenticator%' and datname = current_database() and ${of} order by random() limit ${most}) x`);
      Object.assign(note, { to: performance.now(), n: Number(hit) });
    }
  }

  async function swap() {
    while (running) {
      await sleep(1500);
      if (!running) return;
      const { pid } = app.server;
      const note = { from: performance.now(), to: Infinity, n: 1 };
      drains.push(note);
      app.server.child.kill('SIGHUP');
      // one whose login is killed may fail: then the old one stays
      if (await until('the next generation', () => app.server.pid !== pid, 20_000).catch(() => false)) {
        swaps++;
        await until('the old one to end', () => hasEnded(pid), 90_000);
      }
      note.to = performance.now();
    }
  }

  /** How many of `notes` there are between two times, give or take `slack` ms. */
  const within = (notes, begin, end, slack) => notes.reduce((sum, k) => sum + (begin <= k.to + slack && end >= k.from - slack ? k.n : 0), 0);

  /** Kills, and cancels: one may hit a connection that is being set up. */
  const killed = (begin, end, slack) => within(kills, begin, end, slack) + within(cancels, begin, end, slack);

  /** The same write under another mark. */
  const again = (what) => {
    const mark = `${what.mark}+`;
    return { ...what, mark, body: { text: mark }, check: (r) => { assert.equal(r.status, 201, r.text); assert.equal(r.json[0].text, mark); } };
  };

  async function one(agent, what, headers) {
    for (let attempt = 1; ; attempt++) {
      const begin = performance.now();
      const r = await request(app.port, what.method ?? 'GET', `/rest/v1/${what.path}`, { headers: { ...headers, ...what.headers }, body: what.body, agent })
        .catch((error) => {
          assert.ok(error.was_kept && error.code === 'ECONNRESET' && within(drains, begin, performance.now(), 1000) > 0, error.message);
        });
      const end = performance.now();
      if (!r) {
        assert.ok(attempt < 5, 'closed five times');
        tally.closed++;
        if (what.mark) what = again(what); // the first is not there: nothing was under way
        continue;
      }
      tally.answers++;
      if (r.status === 504 && !what.runs_out) {
        await sleep(20);
        assert.ok(within(cancels, begin, end, 50) > 0, `504 and nothing was cancelled: ${r.text}`);
        tally.cancelled++;
        assert.ok(attempt < 8, `504 so often: ${r.text}`);
        if (what.mark) what = again(what);
        continue;
      }
      if (r.status !== 503) {
        what.check(r);
        if (r.status >= 400) tally.refused++;
        if (what.mark) written.add(what.mark);
        return;
      }
      assert.ok(Number(r.headers['retry-after']) > 0, '503 without Retry-After');
      await sleep(20); // the killer notes its kill when it has returned
      assert.ok(killed(begin, end, 1500) > 0, `503 and nobody was killed: ${r.text}`); // with the time to connect again
      // a call in unchecked SQL may do more than read, and is not made twice
      if (!what.method && !what.path.startsWith('rpc/')) assert.ok(killed(begin, end, 50) > 1, `a read that one kill has failed: ${r.text}`);
      assert.ok(attempt < 5, `503 five times: ${r.text}`);
      if (what.method) tally.retried_writes++;
      else tally.retried_reads++;
      if (what.mark) {
        doubtful.add(what.mark);
        what = again(what);
      }
      await sleep(100 * attempt);
    }
  }

  function hangUp(path, headers, rnd) {
    return new Promise((done) => {
      const req = http.get({ host: '127.0.0.1', port: app.port, path: `/rest/v1/${path}`, headers });
      req.on('error', () => {});
      req.on('close', done);
      setTimeout(() => req.destroy(), rnd.below(4));
      tally.hung_up++;
    });
  }

  async function client(number) {
    const rnd = random(seed + number);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < requests; i++) {
      const p = rnd.pick(people);
      const dice = rnd.below(100);
      try {
        if (dice < 3) await hangUp('diary', as(p), rnd);
        else {
          const kind = dice < 60 ? reads : dice < 80 ? failing : writes;
          const who = kind === writes ? rnd.pick(writers) : p;
          const what = rnd.pick(kind)(who, rnd, `w ${number} ${i}`);
          await one(agent, what, what.as ?? as(who));
        }
      } catch (error) {
        if (/FOREIGN/.test(error.message)) tally.foreign++;
        failures.push(`client ${number}, request ${i}: ${error.message.slice(0, 300)}`);
      }
    }
    agent.destroy();
  }

  const begin = performance.now();
  const disturbing = [disturb('pg_terminate_backend', 'true', 30, kills), disturb('pg_cancel_backend', "state = 'active'", 40, cancels), swap()];
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
  running = false;
  await Promise.all(disturbing);
  const seconds = (performance.now() - begin) / 1000;
  t.diagnostic(`> ${tally.answers} answers in ${seconds.toFixed(1)} s, ${kills.length} kills, ${cancels.length} cancels, ${swaps} swaps, ${tally.closed} closed, ${tally.refused} refused as they should, `
    + `${tally.hung_up} hung up, 503: ${tally.retried_reads} reads, ${tally.retried_writes} writes, 504: ${tally.cancelled}`);
  const backends = await app.db.value("select count(*) from pg_stat_activity where usename like 'authenticator%' and datname = current_database()");
  t.diagnostic(`> ${backends} connections to PostgreSQL`);

  assert.equal(tally.foreign, 0, `answers with another's rows\n${failures.slice(0, 5).join('\n')}`);
  assert.equal(failures.length, 0, `${failures.length} innocent requests failed (SEED=${seed})\n${failures.slice(0, 12).join('\n')}`);
  assert.ok(tally.closed <= drains.length * clients, 'each has one connection');
  assert.ok(kills.length > 5 && cancels.length > 5 && swaps > 0, 'it was disturbed');
  const stored = new Set((await app.db.rows("select text from diary where text like 'w %'")).map((r) => r.text));
  for (const text of written) assert.ok(stored.has(text), `${text} was acknowledged and is not there`);
  for (const text of stored) assert.ok(written.has(text) || doubtful.has(text), `${text} is there and was never answered`);
  assert.equal(stored.size, Number(await app.db.value("select count(*) from diary where text like 'w %'")), 'written once each');
});

test('and afterwards everything is as before', async () => {
  for (const p of people.slice(0, 8))
    reads[2](p).check(await request(app.port, 'GET', '/rest/v1/rpc/who_am_i', { headers: as(p) }));
  const leaked = await app.db.value("select count(*) from pg_stat_activity where usename like 'authenticator%' and datname = current_database() and state like 'idle in transaction%'");
  assert.equal(leaked, '0');
});
