// An application on a PostgreSQL of its own, which may be stopped, frozen and killed; clients that go
// on asking meanwhile, and what must hold of their answers whatever breaks.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { buildProject, credentials, environment, makeDatabase, startServer } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { Cluster, connect } from '../lib/postgres.mjs';
import { family, freePort, sleep, until } from '../lib/process.mjs';
import { items } from './proof.mjs';

const name = 'faults';

/** `settings` go to PostgreSQL, `env` to the server. */
export async function openFaulty({ settings = '', env = {} } = {}) {
  const cluster = await Cluster.start(`synchronous_commit = on\n${settings}`);
  const project = await buildProject('tests/4-api/app');
  await makeDatabase(cluster, project, name);
  const db = await connect(cluster, name);
  await db.query(items);
  const port = await freePort();
  const variables = environment(cluster, name, port, 0, { ADMIN_DATABASE_URL: '', SERVICE_ROLE_KEY: '', ...env });
  const app = {
    name, cluster, db, port, env: variables,
    program: join(project, 'build/server/proof'),
    agent: new http.Agent({ keepAlive: true, maxSockets: 64 }),
    ask(who, method, path, body, headers = {}) {
      return request(port, method, path, { headers: { ...credentials(who), ...headers }, body, agent: app.agent });
    },
    get: (who, path, headers) => app.ask(who, 'GET', `/rest/v1/${path}`, undefined, headers),
    /** Server connections that PostgreSQL counts; `more` narrows. */
    backends: (more = '') => app.db.value(`select count(*)::int from pg_stat_activity where usename = 'authenticator' ${more}`),
    descriptors: () => family(app.server.supervisor).reduce((n, pid) => n + readdirSync(`/proc/${pid}/fd`).length, 0),
    connections: () => app.server.lines().map((line) => JSON.parse(line)).find((line) => line.event === 'listening')?.connections,
    events: () => app.server.lines().map((line) => JSON.parse(line)).filter((line) => line.event !== undefined),
    /** Connects the superuser again, where PostgreSQL was away. */
    async meetAgain(other = cluster) {
      await db.end().catch(() => {});
      app.db = await connect(other, name);
    },
    async close() {
      app.agent.destroy();
      const how = await app.server.stop('SIGTERM', 15_000);
      await app.db.end().catch(() => {});
      await cluster.stop();
      assert.equal(how.code, 0, app.server.output().slice(-4000));
      app.server.forget();
    },
  };
  try {
    app.server = await startServer(app.program, variables);
    await countDescriptors(app);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return app;
}

/** What checkLeaks compares with: the server is ready before all of its connections are. */
export async function countDescriptors(app) {
  await until('all connections', async () => await app.backends() === app.connections());
  app.fds = app.descriptors();
}

let marks = 0;

/** Readers, writers and those who watch /health and /ready, until `stop`. */
export function beginLoad(app) {
  const seen = [];
  let running = true;
  const note = async (kind, begin, asked) => {
    const r = await asked;
    seen.push({ kind, begin, end: performance.now(), status: r.status, text: r.text, headers: r.headers });
    return r;
  };
  const loop = async (pause_ms, work) => {
    for (let i = 0; running; i++) {
      await work(i);
      await sleep(pause_ms);
    }
  };
  const written = []; // {mark, status, text}
  const failures = [];
  const guard = (work) => (i) => work(i).catch((error) => failures.push(error.message));
  const read = guard(() => note('read', performance.now(), app.get('anon', 'item?id=eq.1')));
  const write = guard(async () => {
    const mark = `mark ${marks++}`;
    const r = await note('write', performance.now(), app.ask('ada', 'POST', '/rest/v1/diary', { text: mark }));
    written.push({ mark, status: r.status, text: r.text });
  });
  const call = guard(() => note('call', performance.now(), app.get('anon', 'rpc/add?a=1')));
  const loops = [loop(2, read), loop(2, read), loop(2, write), loop(2, write), loop(5, call),
    loop(50, guard(() => note('health', performance.now(), app.ask('none', 'GET', '/health')))),
    loop(50, guard(() => note('ready', performance.now(), app.ask('none', 'GET', '/ready'))))];
  return {
    seen, written, failures,
    async stop() {
      running = false;
      await Promise.all(loops);
    },
  };
}

const kinds = ['read', 'write', 'call', 'health', 'ready'];

/**
 * Breaks something under load, mends it, and holds what came to the promises: a clear answer for each
 * request, all well again soon, nothing acknowledged that is not there, nothing done that was said not
 * to be.  Answers {back_ms, seen}.
 */
export async function outage(t, app, { what, begin, end, lasts_ms = 1500, is_down = true, back_after_ms = 0 }) {
  const load = beginLoad(app);
  await sleep(300);
  const began = performance.now();
  await begin();
  await sleep(lasts_ms);
  const over = performance.now();
  await end();
  const ended = performance.now();
  await until('all to be well again', () => kinds.every((kind) => {
    const good = load.seen.filter((a) => a.kind === kind && a.begin > ended + back_after_ms);
    return good.length > 3 && good.slice(-3).every((a) => a.status < 300);
  }), 20_000);
  await sleep(300);
  await load.stop();
  const bad = load.seen.filter((a) => a.status >= 300);
  const last = bad.length > 0 ? Math.max(...bad.map((a) => a.end)) : began;
  const back_ms = Math.max(0, Math.round(last - ended));
  t.diagnostic(`> ${what}: ${load.seen.length} answers, ${bad.length} of them not served, the last ${back_ms} ms after its end`);
  assert.deepEqual(load.failures, [], 'every request gets an answer');
  checkAnswers(bad);
  if (is_down) {
    const during = load.seen.filter((a) => a.kind === 'health' && a.begin > began + 1000 + back_after_ms && a.end < over);
    assert.ok(during.length > 0 && during.every((a) => a.status === 503 && a.text.includes('"pg_connected":false')), '/health tells the truth');
  }
  return { back_ms, load, bad };
}

/** Each refusal is 503 or 504 with a body like PostgREST's, and 503 says when to try again. */
export function checkAnswers(bad) {
  for (const a of bad) {
    if (a.kind === 'health' || a.kind === 'ready') {
      assert.equal(a.status, 503, a.text);
      continue;
    }
    assert.ok([503, 504].includes(a.status), `${a.status} ${a.text}`);
    const { code, message, details, hint } = JSON.parse(a.text);
    assert.ok(typeof code === 'string' && typeof message === 'string' && details !== undefined && hint !== undefined, a.text);
    if (a.status === 503) assert.ok(Number(a.headers['retry-after']) > 0, 'Retry-After');
  }
}

/** What was acknowledged is there, once; what was refused is not, unless its answer says that it may be. */
export async function checkWrites(app, written) {
  const stored = new Map((await app.db.rows("select text, count(*)::int as n from diary where text like 'mark %' group by text")).map((r) => [r.text, r.n]));
  for (const { mark, status, text } of written) {
    const n = stored.get(mark) ?? 0;
    if (status === 201) assert.equal(n, 1, `${mark} was acknowledged and is there ${n} times`);
    else if (/it was done, or not/.test(text)) assert.ok(n <= 1, `${mark} is there ${n} times`);
    else assert.equal(n, 0, `${mark} was refused (${text}) and is there`);
  }
  await app.db.query("delete from diary where text like 'mark %'");
}

/** As many connections at PostgreSQL, and as many descriptors, as when it began. */
export async function checkLeaks(app) {
  await until('all connections', async () => await app.backends() === app.connections());
  await until('all of them to be idle', async () => await app.backends("and state <> 'idle'") === 0);
  app.agent.destroy();
  await until('as many descriptors as before', () => app.descriptors() <= app.fds, 30_000);
}
