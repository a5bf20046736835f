// What happens when PostgreSQL breaks: one clear answer for the request concerned, no innocent one
// harmed, all well again soon after, /health and /ready true throughout, nothing leaked.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, run, sleep, until } from '../lib/process.mjs';
import { connect } from '../lib/postgres.mjs';
import { startServer, users } from '../lib/app.mjs';
import { raw, request } from '../lib/http.mjs';
import { anon_key, token } from '../lib/jwt.mjs';
import { editor } from './proof.mjs';
import { openProxy } from '../lib/proxy.mjs';
import { checkLeaks, countDescriptors, checkWrites, openFaulty, outage } from './faulty.mjs';

/** Well within what an operator would call at once, on a machine that has other things to do. */
const soon = (back_ms) => assert.ok(back_ms < 10_000, `${back_ms} ms`);

describe('PostgreSQL goes and comes back', () => {
  let app;
  before(async () => { app = await openFaulty(); });
  after(() => app?.close());

  for (const [what, stop] of [
    ['stopped (fast)', () => app.cluster.down('SIGINT')],
    ['stopped (immediate)', () => app.cluster.down('SIGQUIT')],
    ['killed (SIGKILL, all of its processes)', () => app.cluster.signal('SIGKILL')],
  ])
    test(what, async (t) => {
      const { back_ms, load } = await outage(t, app, { what, begin: stop, end: () => app.cluster.up() });
      soon(back_ms);
      await app.meetAgain();
      await checkWrites(app, load.written);
      await checkLeaks(app);
    });

  test('restarted at once: reads are all served', async (t) => {
    const { load, bad, back_ms } = await outage(t, app, { what: 'restarted', lasts_ms: 0, is_down: false,
      begin: () => app.cluster.down('SIGINT'), end: () => app.cluster.up() });
    soon(back_ms);
    assert.ok(bad.filter((a) => a.kind === 'write').length <= 40, 'writes wait for it, too');
    await app.meetAgain();
    await checkWrites(app, load.written);
    await checkLeaks(app);
  });

  test('one of its processes is killed (SIGKILL): it ends all sessions and recovers', async (t) => {
    const { back_ms, load } = await outage(t, app, { what: 'a backend killed (SIGKILL)', lasts_ms: 500, is_down: false,
      begin: async () => process.kill(await app.db.value("select pid from pg_stat_activity where usename = 'authenticator' limit 1"), 'SIGKILL'),
      end: () => app.meetAgain() });
    soon(back_ms);
    await app.meetAgain();
    await checkWrites(app, load.written);
    await checkLeaks(app);
  });

  test('frozen (SIGSTOP): no request hangs, /health says so', async (t) => {
    await app.server.stop();
    app.server = await startServer(app.program, { ...app.env, STATEMENT_TIMEOUT: '500ms' });
    await until('all connections', async () => await app.backends() === app.connections());
    const { back_ms, load } = await outage(t, app, { what: 'frozen', lasts_ms: 8000, back_after_ms: 1500,
      begin: () => app.cluster.signal('SIGSTOP'), end: () => app.cluster.signal('SIGCONT') });
    soon(back_ms);
    const longest = Math.max(...load.seen.map((a) => a.end - a.begin));
    t.diagnostic(`> frozen: the longest answer took ${Math.round(longest)} ms (STATEMENT_TIMEOUT 500 ms)`);
    assert.ok(longest < 20_000);
    await app.meetAgain();
    await checkWrites(app, load.written);
    await app.server.stop();
    app.server = await startServer(app.program, app.env);
    await checkLeaks(app);
  });
});

describe('one statement is in trouble', () => {
  let app;
  before(async () => { app = await openFaulty({ env: { STATEMENT_TIMEOUT: '3s', LOCK_TIMEOUT: '1s', THREADS: '1' } }); });
  after(() => app?.close());

  const waiting = (n = 1) => until('the statement to wait', async () => await app.backends("and wait_event_type in ('Lock', 'Timeout')") >= n);
  const blockedPid = () => app.db.value("select pid from pg_stat_activity where usename = 'authenticator' and wait_event_type in ('Lock', 'Timeout') limit 1");

  test('statement timeout: 504', async () => {
    const r = await app.get('ada', 'rpc/nap?seconds=20');
    assert.deepEqual([r.status, r.json], [504, { code: '57014', message: 'canceling statement due to statement timeout', details: null, hint: null }]);
  });

  test('pg_cancel_backend: 504, and its neighbour is served', async () => {
    const napping = app.get('ada', 'rpc/nap?seconds=20');
    await waiting();
    await app.db.query('select pg_cancel_backend($1)', [await blockedPid()]);
    const r = await napping;
    assert.deepEqual([r.status, r.json.code, r.json.message], [504, '57014', 'canceling statement due to user request']);
    assert.equal((await app.get('anon', 'rpc/add?a=1')).status, 200);
  });

  test('lock timeout: 503 with Retry-After, and what stands behind it on the connection is served', async () => {
    await app.db.query('begin; lock table diary in access exclusive mode');
    try {
      const writes = Array.from({ length: 4 }, (_, i) => app.ask('ada', 'POST', '/rest/v1/diary', { text: `locked ${i}` }));
      const reads = Array.from({ length: 4 }, () => app.get('anon', 'item?id=eq.1'));
      for (const r of await Promise.all(reads)) assert.equal(r.status, 200);
      for (const r of await Promise.all(writes))
        assert.deepEqual([r.status, r.json.code, r.json.message, r.headers['retry-after']], [503, '55P03', 'canceling statement due to lock timeout', '1']);
    } finally {
      await app.db.query('rollback');
    }
  });

  test('a backend ended under a read: asked once more, and served', async () => {
    await app.db.query('begin; lock table item in access exclusive mode');
    const reading = app.get('anon', 'item?id=eq.1');
    await waiting();
    await app.db.query('select pg_terminate_backend($1, 5000)', [await blockedPid()]);
    await waiting();
    await app.db.query('rollback');
    assert.equal((await reading).status, 200);
  });

  test('again and again: 503', async () => {
    await app.db.query('begin; lock table item in access exclusive mode');
    let answer;
    const reading = app.get('anon', 'item?id=eq.1').then((r) => { answer = r; });
    while (!answer) {
      const pid = await blockedPid();
      if (pid) await app.db.query('select pg_terminate_backend($1, 5000)', [pid]);
    }
    await reading;
    await app.db.query('rollback');
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'], answer.text);
  });

  test('a backend ended under a write: 503, never a second time, and its neighbours are served', async () => {
    const shelve = (id) => app.ask(editor, 'POST', '/rest/v1/shelf', { id, code: `${id}`, height: 1 });
    await app.db.query("begin; insert into shelf (id, code) values (100, 'taken')");
    const first = shelve(100);
    await waiting();
    const others = [shelve(101), app.get('anon', 'item?id=eq.1'), shelve(102), shelve(103), app.get('anon', 'item?id=eq.2')];
    await sleep(200);
    await app.db.query('select pg_terminate_backend($1, 5000)', [await blockedPid()]);
    await app.db.query('rollback');
    const r = await first;
    assert.deepEqual([r.status, r.json], [503, { code: 'PGRST001', message: 'Database connection error',
      details: 'The connection broke before the answer came: it was done, or not', hint: null }]);
    assert.deepEqual((await Promise.all(others)).map((o) => o.status), [201, 200, 201, 201, 200]);
    assert.deepEqual((await app.db.rows('select id from shelf where id >= 100 order by id')).map((row) => row.id), [101, 102, 103]);
  });

  test('a backend ended under a volatile call by GET: not called again', async () => {
    const napping = app.get('ada', 'rpc/nap?seconds=2');
    await waiting();
    await app.db.query('select pg_terminate_backend($1, 5000)', [await blockedPid()]);
    const r = await napping;
    assert.equal(r.status, 503);
    assert.match(r.json.details, /it was done, or not/);
    assert.equal(await app.backends("and wait_event_type = 'Timeout'"), 0);
  });

  test('nothing leaked', () => checkLeaks(app));
});

describe('no room', () => {
  test('PostgreSQL is out of connections', async (t) => {
    const app = await openFaulty({ settings: 'max_connections = 20\n' });
    const others = [];
    try {
      const { back_ms, load } = await outage(t, app, { what: 'out of connections',
        async begin() {
          await app.db.query("alter role authenticator connection limit 0");
          await app.db.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'authenticator'");
          for (let i = 0; i < 17; i++) others.push(await until('a place that its last holder has left', () => connect(app.cluster, app.name).catch(() => null)));
          await app.db.query("alter role authenticator connection limit -1");
        },
        end: () => Promise.all(others.map((o) => o.end())) });
      soon(back_ms);
      await checkWrites(app, load.written);
      await checkLeaks(app);
      assert.ok(app.events().filter((e) => e.event === 'database_connect_failed').length < 10, 'said, and not at each attempt');
    } finally {
      await app.close();
    }
  });

  // A file system of 24 MB is the one way to a disk that is truly full, and mounting it is root's alone.
  test('the disk is full', { skip: process.getuid() !== 0 && 'mounting needs root' }, async (t) => {
    const app = await openFaulty();
    const folder = join(app.cluster.folder, 'small');
    mkdirSync(folder);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0777', 'tmpfs', folder]);
    try {
      mkdirSync(join(folder, 'space'));
      await run('chown', ['-R', 'postgres', folder]);
      await app.db.query(`create tablespace small location '${join(folder, 'space')}'`);
      await app.db.query('alter table shelf set tablespace small');
      const { back_ms, load } = await outage(t, app, { what: 'disk full', is_down: false,
        async begin() {
          await run('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=4k'], { may_fail: true });
          const long = Array.from({ length: 2000 }, (_, i) => ({ id: 1000 + i, code: `${i}`, note: 'x'.repeat(200) }));
          const r = await app.ask(editor, 'POST', '/rest/v1/shelf', long);
          assert.deepEqual([r.status, r.json, r.headers['retry-after']], [503, { code: '53100', message: 'The database could not answer this request', details: null, hint: null }, '1']);
        },
        end: () => rmSync(join(folder, 'filler')) });
      assert.equal(load.seen.filter((a) => a.status >= 300).length, 0, 'the rest is served');
      soon(back_ms);
      assert.equal((await app.ask(editor, 'POST', '/rest/v1/shelf', [{ id: 1, code: 'fits' }])).status, 201);
      await checkWrites(app, load.written);
      await checkLeaks(app);
    } finally {
      await app.cluster.down('SIGQUIT');
      await run('umount', [folder]);
      await app.close();
    }
  });

  test('the login is refused: said once, clearly, and mended without a restart', async (t) => {
    const app = await openFaulty();
    try {
      const password = await app.db.value("select rolpassword from pg_authid where rolname = 'authenticator'");
      const { back_ms, load } = await outage(t, app, { what: 'wrong password',
        async begin() {
          await app.db.query("alter role authenticator password 'another'");
          await app.db.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'authenticator'");
        },
        end: () => app.db.query(`alter role authenticator password '${password}'`) });
      soon(back_ms);
      await checkWrites(app, load.written);
      await checkLeaks(app);
      const said = app.events().filter((e) => e.event === 'database_login_refused');
      assert.ok(said.length >= 1 && said.length <= 4, `${said.length} times`); // a pool is told of
      assert.match(said[0].why, /password authentication failed for user "authenticator"/);
      assert.ok(!app.server.output().includes('a-password-of-the-tests'));
    } finally {
      await app.close();
    }
  });
});

describe('the client leaves', () => {
  let app;
  before(async () => { app = await openFaulty({ env: { THREADS: '1' } }); });
  after(() => app?.close());

  const naps = () => app.backends("and state = 'active' and wait_event = 'PgSleep'");
  const headers = { apikey: anon_key, Authorization: `Bearer ${token(users.ada)}` };
  const begin = () => {
    const req = http.get({ host: '127.0.0.1', port: app.port, path: '/rest/v1/rpc/nap?seconds=25', headers });
    req.on('error', () => {});
    return req;
  };

  test('its statement is cancelled, and its neighbours are served', async () => {
    const leaving = begin();
    await until('the statement to run', async () => await naps() === 1);
    const neighbours = Array.from({ length: 6 }, () => app.get('ada', 'rpc/nap?seconds=0.3'));
    leaving.destroy();
    await until('the statement to end', async () => await naps() <= 2, 10_000);
    for (const r of await Promise.all(neighbours)) assert.equal(r.status, 200, r.text);
    await until('no statement', async () => await naps() === 0);
  });

  test('more of them than there are slow connections: the lane is free again', async () => {
    const leaving = Array.from({ length: 8 }, begin);
    await until('statements to run', async () => await naps() === 2);
    for (const req of leaving) req.destroy();
    const r = await app.get('ada', 'rpc/nap?seconds=0');
    assert.equal(r.status, 200, r.text);
    await until('no statement', async () => await naps() === 0);
  });

  test('it closes only its side: a quick answer comes, a slow statement is cancelled, 499', async () => {
    const lines = (path) => `GET /rest/v1/${path} HTTP/1.1\r\nHost: x\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
    const quick = await raw(app.port, lines('item?id=eq.1'), { half_close: true });
    assert.deepEqual(quick.statuses, [200]);
    const slow = await raw(app.port, lines('rpc/nap?seconds=25'), { half_close: true, quiet_ms: 10_000 });
    assert.deepEqual(slow.statuses, [499]);
    assert.match(slow.text, /"code":"PGS106"/);
    await until('no statement', async () => await naps() === 0);
  });

  test('nothing leaked', () => checkLeaks(app));
});

describe('the network', () => {
  let app;
  let proxy;
  before(async () => {
    app = await openFaulty({ env: { THREADS: '1', STATEMENT_TIMEOUT: '1s' } });
    proxy = await openProxy(app.cluster.port);
    await app.server.stop();
    app.server = await startServer(app.program, { ...app.env, DATABASE_URL: app.env.DATABASE_URL.replace(`:${app.cluster.port}/`, `:${proxy.port}/`) });
    await countDescriptors(app);
  });
  after(async () => { await app?.close(); proxy?.close(); });

  test('cut in the middle of an answer: a read is asked again, a write says what is not known', async () => {
    const quiet = async () => {
      await until('all connections', async () => await app.backends() === app.connections());
      await sleep(150); // nothing more comes over the new ones
    };
    for (const n of [1, 60, 200]) {
      await quiet();
      proxy.cut(n);
      const r = await app.get('anon', 'item?select=*&order=id');
      assert.deepEqual([r.status, r.json.length], [200, 6]);
      await quiet();
      proxy.cut(n);
      const w = await app.ask('ada', 'POST', '/rest/v1/diary', { text: `cut ${n}` });
      assert.equal(w.status, 503);
      assert.match(w.json.details, /it was done, or not/);
    }
    await quiet();
    assert.ok(await app.db.value("select count(*)::int from diary where text like 'cut %'") <= 3);
  });

  for (const [what, begin, end] of [
    ['all connections reset', () => proxy.drop(), () => {}],
    ['nothing comes through', () => proxy.hold(), () => proxy.release()],
  ])
    test(what, async (t) => {
      const held = what.startsWith('nothing');
      const { back_ms, load } = await outage(t, app, { what, lasts_ms: held ? 8000 : 100, is_down: held, back_after_ms: held ? 1500 : 0, begin, end });
      soon(back_ms);
      await checkWrites(app, load.written);
      await checkLeaks(app);
    });
});

describe('failover', () => {
  let app;
  let standby;
  before(async () => {
    app = await openFaulty({ settings: 'wal_level = replica\nhot_standby = on\n', env: { STATEMENT_TIMEOUT: '1s' } });
    standby = await app.cluster.standby();
    await app.server.stop();
    const both = app.env.DATABASE_URL.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${app.cluster.port},127.0.0.1:${standby.port}`);
    app.env = { ...app.env, DATABASE_URL: `${both}?target_session_attrs=read-write` };
    app.server = await startServer(app.program, app.env);
    await countDescriptors(app);
  });
  after(async () => { await app?.close(); await standby?.stop(); });

  test('a primary that takes no writes any more is left, and found again', async (t) => {
    const { back_ms, load, bad } = await outage(t, app, { what: 'read-only', lasts_ms: 1500, is_down: false,
      async begin() {
        await app.db.query('alter system set default_transaction_read_only = on');
        await app.db.query('select pg_reload_conf()');
      },
      async end() {
        await app.db.query('set default_transaction_read_only = off');
        await app.db.query('alter system reset default_transaction_read_only');
        await app.db.query('select pg_reload_conf()');
      } });
    soon(back_ms);
    assert.ok(bad.every((a) => a.status === 503), 'never 405');
    await checkWrites(app, load.written);
    await checkLeaks(app);
  });

  test('the primary is killed, the standby promoted', async (t) => {
    await until('the standby to have caught up', async () => await app.db.value('select count(*)::int from pg_stat_replication where sent_lsn = replay_lsn') === 1);
    const { back_ms, load } = await outage(t, app, { what: 'failover', begin: () => app.cluster.signal('SIGKILL'),
      async end() {
        const db = await connect(standby, app.name);
        await db.query('select pg_promote()');
        await db.end();
      } });
    soon(back_ms);
    await app.meetAgain(standby);
    // The standby was asynchronous: what the primary acknowledged last may not have reached it.
    const stored = new Set((await app.db.rows("select text from diary where text like 'mark %'")).map((r) => r.text));
    const refused = load.written.filter((w) => w.status !== 201 && !/it was done, or not/.test(w.text));
    for (const { mark, text } of refused) assert.ok(!stored.has(mark), `${mark} was refused (${text}) and is there`);
    await checkLeaks(app);
  });
});

test('a standby alone: reads are served, writes are 503, and nothing is retried for ever', async () => {
  const app = await openFaulty({ settings: 'wal_level = replica\nhot_standby = on\n' });
  let standby;
  let server;
  try {
    standby = await app.cluster.standby();
    const port = await freePort();
    server = await startServer(app.program, { ...app.env, PORT: String(port), DATABASE_URL: standby.loginUrl('authenticator', app.name) });
    const headers = { apikey: app.env.ANON_KEY };
    assert.equal((await request(port, 'GET', '/rest/v1/item?id=eq.1', { headers })).status, 200);
    const w = await request(port, 'POST', '/rest/v1/diary', { headers: { Authorization: `Bearer ${token(users.ada)}` }, body: { text: 'x' } });
    assert.deepEqual([w.status, w.json.code, w.json.message, w.headers['retry-after']], [503, '25006', 'The database takes no writes at present', '1']);
    assert.equal((await request(port, 'GET', '/rest/v1/item?id=eq.1', { headers })).status, 200);
  } finally {
    await server?.stop();
    await standby?.stop();
    await app.close();
  }
});
