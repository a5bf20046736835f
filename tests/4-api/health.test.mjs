// /health, /ready, the log, PostgreSQL gone and back, start and stop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { environment, makeDatabase, startServer } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { anon_key, secret, service_key, token } from '../lib/jwt.mjs';
import { Cluster, connect, password } from '../lib/postgres.mjs';
import { freePort, until } from '../lib/process.mjs';
import { openProxy } from '../lib/proxy.mjs';
import { closeGate, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_health'); });
after(() => app?.close());

test('/health', async () => {
  const r = await app.ask('none', 'GET', '/health');
  assert.equal(r.status, 200);
  assert.deepEqual(r.json, { status: 'ok', pg_connected: true });
});

test('/ready has both fingerprints', async () => {
  const r = await app.ask('none', 'GET', '/ready');
  assert.equal(r.status, 200);
  const stored = await app.db.value('select fingerprint from pgstack.state');
  assert.equal(r.text.split(stored).length - 1, 2, r.text);
});

test('/ready is 503 on a database of another model, and the log says so', async () => {
  const stored = await app.db.value('select fingerprint from pgstack.state');
  await app.db.query("update pgstack.state set fingerprint = 'deadbeef'");
  const port = await freePort();
  const server = await startServer(app.program, environment(app.cluster, app.name, port, await freePort()), { wait: false });
  try {
    const r = await until('the reason', () => request(port, 'GET', '/ready').then((answer) => (/deadbeef/.test(answer.text) ? answer : null), () => null));
    assert.equal(r.status, 503);
    await until('the log to say so', () => /fingerprint|model|migrat/i.test(server.output()));
  } finally {
    await server.stop();
    await app.db.query('update pgstack.state set fingerprint = $1', [stored]);
  }
});

test('one JSON line a request, without secrets and query strings', async () => {
  const canary = 'canary8f1c';
  const before = app.server.lines().length;
  const tok = token('0a0a0a0a-0000-4000-8000-000000000001', { email: `${canary}@example.com`, note: canary });
  const headers = { apikey: anon_key, Authorization: `Bearer ${tok}`, 'X-Canary': canary, Cookie: canary, Referer: `http://x/${canary}`, 'User-Agent': `agent-${canary}` };
  await app.ask('none', 'GET', `/rest/v1/item?name=eq.${canary}&apikey=${anon_key}`, undefined, headers);
  await app.ask('none', 'POST', '/rest/v1/diary', { text: canary }, headers);
  await app.ask('none', 'GET', `/rest/v1/item?id=eq.${canary}`, undefined, headers);
  await app.ask('none', 'GET', `/rest/v1/${canary}`, undefined, { Authorization: `Bearer ${canary}.${canary}.${canary}` });
  await app.ask('service', 'GET', '/rest/v1/diary');
  const said = () => app.server.lines().slice(before), answered = () => said().map((l) => JSON.parse(l)).filter((l) => l.status !== undefined);
  await until('a line for each', () => answered().length >= 5);
  const lines = said(), requests = answered();
  const text = lines.join('\n');
  for (const it of [anon_key, service_key, secret, password, tok, tok.split('.')[2]]) assert.ok(!text.includes(it), 'a secret in the log');
  assert.ok(!text.includes(`eq.${canary}`) && !text.includes('?'), 'a query string in the log');
  assert.ok(!text.includes(`${canary}@`) && !text.includes(`agent-${canary}`), 'claims or foreign headers in the log');
  const shown = requests[0];
  assert.equal(shown.method, 'GET');
  assert.match(JSON.stringify(shown), /\/rest\/v1\/item"/);
});

test('nothing of the environment is in what the server says at its start', async () => {
  const text = app.server.output();
  for (const it of [anon_key, service_key, secret, password]) assert.ok(!text.includes(it));
});

test('while a login is missing yet, /ready says no and requests are served', async () => {
  const slow = await openProxy(app.cluster.port);
  slow.hold();
  const port = await freePort();
  const more = { ADMIN_DATABASE_URL: `postgresql://authenticator_admin:${password}@127.0.0.1:${slow.port}/${app.name}`, THREADS: '1' };
  const server = await startServer(app.program, environment(app.cluster, app.name, port, await freePort(), more), { wait: false });
  const status = (path) => request(port, 'GET', path, { headers: { apikey: anon_key } }).then((r) => r.status, () => 0);
  try {
    await until('requests to be served', async () => await status('/rest/v1/item') === 200);
    assert.deepEqual((await request(port, 'GET', '/ready')).json, { status: 'starting' });
    assert.doesNotMatch(server.output(), /"event":"generation_ready"/);
    slow.release();
    await until('/ready', async () => await status('/ready') === 200);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
    slow.close();
  }
});

test('SIGTERM lets requests in flight end; meanwhile /ready says no, and /health still says yes', async () => {
  const port = await freePort();
  const admin_port = await freePort();
  const server = await startServer(app.program, environment(app.cluster, app.name, port, admin_port));
  const gate = await closeGate(app), slow = gate.call(port);
  await gate.running(1);
  assert.equal((await request(admin_port, 'GET', '/ready')).status, 200);
  const ended = server.stop('SIGTERM');
  const ready = await until('/ready to be 503', () => request(admin_port, 'GET', '/ready').then((r) => r.status === 503 && r));
  assert.deepEqual(ready.json, { status: 'draining' });
  assert.equal((await request(admin_port, 'GET', '/health')).status, 200);
  await gate.open();
  assert.equal((await slow).status, 200);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

/** A server that ends by itself, and not well. */
async function refuses(variables) {
  const server = await startServer(app.program, variables, { wait: false });
  assert.deepEqual(await server.ends(), { code: 1, signal: null }, server.output());
  return server;
}

test('a login that may do too much, or too little: the server refuses to start', async (t) => {
  const base = environment(app.cluster, app.name, await freePort(), await freePort());
  const url = (role) => `postgresql://${role}:${password}@127.0.0.1:${app.cluster.port}/${app.name}`;
  await app.db.query(`create role test_super login superuser password '${password}'; create role test_bypass login bypassrls noinherit password '${password}';
    create role test_owner login noinherit password '${password}'; grant pgstack_owner to test_owner; grant usage on schema public, store to test_owner;
    create role test_nobody login noinherit password '${password}';
    create role test_both login noinherit password '${password}'; grant anon, authenticated, editor, robot, service_role to test_both;`);
  const both = ['DATABASE_URL', 'ADMIN_DATABASE_URL'];
  try {
    for (const [role, why, variables = both] of [['test_super', /superuser/i], ['test_bypass', /bypassrls|row.level/i], ['test_owner', /owner/i],
      ['test_nobody', /is not a member of /], ['test_both', /may become service_role/, ['DATABASE_URL']]])
      for (const variable of variables)
        await t.test(`${role} as ${variable}`, async () => {
          const server = await refuses({ ...base, [variable]: url(role) });
          assert.match(server.output(), why);
          assert.ok(!server.output().includes(password));
        });
  } finally {
    await app.db.query('drop owned by test_owner; drop role test_super, test_bypass, test_owner, test_nobody, test_both');
  }
});

test('a password that PostgreSQL refuses is told at once, and tried again', async (t) => {
  await app.db.query("create role test_late login noinherit; grant anon, authenticated, editor, robot to test_late");
  const base = environment(app.cluster, app.name, await freePort(), await freePort());
  const DATABASE_URL = `postgresql://test_late:${password}@127.0.0.1:${app.cluster.port}/${app.name}`;
  try {
    for (const args of [['--check'], []])
      await t.test(args[0] ?? 'as a server', async () => {
        await app.db.query("alter role test_late password 'another'");
        const server = await startServer(app.program, { ...base, DATABASE_URL }, { wait: false, args });
        try {
          await until('the first word of it', () => /password authentication failed for user/.test(server.output()), 30_000);
          assert.ok(server.alive(), server.output());
          await app.db.query(`alter role test_late password '${password}'`);
          if (args.length > 0) assert.equal((await server.ends()).code, 0, server.output());
          else await until('it to answer', () => request(base.PORT, 'GET', '/health').then((r) => r.status === 200, () => false), 30_000);
          assert.ok(!server.output().includes(password));
        } finally {
          await server.stop();
        }
      });
  } finally {
    await app.db.query('drop role test_late');
  }
});

test('a setting that makes no sense: the server refuses to start and names it', async (t) => {
  const base = environment(app.cluster, app.name, await freePort(), await freePort());
  for (const [name, value] of [['PORT', 'x'], ['PORT', '70000'], ['THREADS', '0x'], ['GZIP_LEVEL', '12'], ['MAX_BODY_BYTES', '-1'], ['DATABASE_URL', '']])
    await t.test(`${name}=${value}`, async () => {
      assert.match((await refuses({ ...base, [name]: value })).output(), new RegExp(name));
    });
});

// That it is back within 2 s is proven where nothing but its own clock counts: test_back_within_two_seconds of 3-sql/pool.
test('PostgreSQL goes and comes: 503 with Retry-After, then 200', async (t) => {
  // a cluster of its own: others go on
  const cluster = await Cluster.start();
  let server;
  try {
    await makeDatabase(cluster, app.project, 'away');
    const db = await connect(cluster, 'away');
    await db.query("insert into item (id, name) values (1, 'apple')");
    await db.end();
    const port = await freePort();
    server = await startServer(app.program, environment(cluster, 'away', port, await freePort()));
    const ask = (path, method = 'GET', body) => request(port, method, path, { headers: { apikey: anon_key }, body });
    for (const signal of ['SIGINT', 'SIGQUIT']) {
      assert.equal((await ask('/rest/v1/item')).status, 200);
      await cluster.down(signal);
      await until('/health to notice', async () => (await ask('/health')).status === 503);
      assert.deepEqual((await ask('/health')).json.pg_connected, false);
      const r = await ask('/rest/v1/item');
      assert.equal(r.status, 503, r.text);
      assert.ok(Number(r.headers['retry-after']) >= 1, 'Retry-After');
      const w = await ask('/rest/v1/rpc/add', 'POST', { a: 1 });
      assert.equal(w.status, 503);
      await cluster.up();
      const up = performance.now();
      await until('/health to be back', async () => (await ask('/health')).status === 200);
      const took = performance.now() - up;
      t.diagnostic(`> PostgreSQL back after ${signal}: /health 200 in ${took.toFixed(0)} ms`);
      await until('rows', async () => (await ask('/rest/v1/item')).status === 200);
    }
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  } finally {
    await server?.stop('SIGKILL');
    await cluster.stop();
  }
});

test('the server starts while PostgreSQL is away, and serves when it comes', async () => {
  const cluster = await Cluster.start();
  let server;
  try {
    await makeDatabase(cluster, app.project, 'later');
    await cluster.down();
    const port = await freePort();
    server = await startServer(app.program, environment(cluster, 'later', port, await freePort()), { wait: false });
    await until('it to have tried', () => /database_connect_failed/.test(server.output()));
    assert.ok(server.alive(), server.output());
    await cluster.up();
    await until('/ready', () => request(port, 'GET', '/ready').then((r) => r.status === 200, () => false));
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  } finally {
    await server?.stop('SIGKILL');
    await cluster.stop();
  }
});
