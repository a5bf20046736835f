// What a function leaves in its session does not meet the next caller of the connection.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { credentials } from '../lib/app.mjs';
import { until } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

// One connection for what is quick, one for what is slow.
let app;
before(async () => {
  app = await openProof('api_sessions', { env: { THREADS: '1', PG_POOL_MAX_CONNS: '3', ADMIN_DATABASE_URL: '', SERVICE_ROLE_KEY: '' } });
});
after(() => app?.close());

const call = (who, what) => app.ask(who, 'POST', '/rest/v1/rpc/run_text', { what });
const errand = (who, what) => app.ask(who, 'POST', '/rest/v1/errand?select=answer', { what }, { Prefer: 'return=representation' });

/** Each way to run a text, and how its answer is read. */
const ways = {
  'a function': async (who, what) => {
    const { status, json } = await call(who, what);
    return { status, answer: json };
  },
  'a trigger': async (who, what) => {
    const { status, json } = await errand(who, what);
    return { status, answer: json?.[0]?.answer };
  },
};

const held = (key) => `select count(*) from pg_catalog.pg_locks where locktype = 'advisory' and objid = ${key} and pid = pg_backend_pid()`;
const setting = (name) => `select current_setting('${name}', true)`;

/** What ada's text does, what bob's text asks, and what he must hear. */
const traces = [
  ['a setting of the application', "set app.tenant = 'ada'", setting('app.tenant'), /^$/],
  ['a setting by set_config', "select set_config('app.owner', 'ada', false)", setting('app.owner'), /^$/],
  ['the search_path', 'set search_path = nowhere', setting('search_path'), /^(?!nowhere)/],
  ['a statement_timeout', "set statement_timeout = '1ms'", setting('statement_timeout'), /^30s$/],
  ['a lock_timeout', "set lock_timeout = '1ms'", setting('lock_timeout'), /^(?!1ms)/],
  ['read only', 'set default_transaction_read_only = on', setting('default_transaction_read_only'), /^off$/],
  ['an isolation level', "set default_transaction_isolation = 'serializable'", setting('default_transaction_isolation'), /^read committed$/],
  ['a form of dates', "set DateStyle = 'SQL, DMY'", "select date '2024-02-29'", /^2024-02-29$/],
  ['an encoding', "set client_encoding = 'LATIN1'", setting('client_encoding'), /^UTF8$/],
  ['another role', 'set role anon', 'select current_user', /^authenticated$/],
  ['a lock', 'select pg_advisory_lock(4711)', held(4711), /^0$/],
  ['a shared lock, and an error', "do $do$ begin perform pg_advisory_lock_shared(4712); raise 'no'; end $do$", held(4712), /^0$/],
  ['a temporary table', "create temp table hers as select 'ada' as secret", "select to_regclass('pg_temp.hers')", /^$/],
  ['a cursor', "declare hers cursor with hold for select 'ada'", "select count(*) from pg_catalog.pg_cursors where name = 'hers'", /^0$/],
  ['a channel', 'listen hers', 'select count(*) from pg_listening_channels()', /^0$/],
];

for (const [way, run] of Object.entries(ways)) {
  describe(way, () => {
    for (const [what, leaves, asks, wanted] of traces) {
      test(`leaves ${what}`, async () => {
        const before_ = await run('ada', 'select pg_backend_pid()');
        const left = await run('ada', leaves);
        assert.ok(left.status === 400 === leaves.includes('raise'), `${left.status}`);
        const met = await run('bob', asks);
        assert.equal(Math.floor(met.status / 100), 2, met.answer);
        assert.match(String(met.answer ?? ''), wanted);
        const after_ = await run('bob', 'select pg_backend_pid()');
        assert.equal(after_.answer, before_.answer, 'both must have met on one connection');
      });
    }
  });
}

test('the quick ones behind are answered as ever', async () => {
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 3 === 0
    ? errand('ada', "select set_config('search_path', 'nowhere', false)")
    : app.get('bob', 'item?select=made&id=eq.2'))));
  for (const { status, json } of all) {
    assert.equal(Math.floor(status / 100), 2, JSON.stringify(json));
    if (json[0].made !== undefined) assert.equal(json[0].made, '2024-02-29');
  }
});

test('a function that nobody waits for is cancelled all the same', async () => {
  const sleeping = "select count(*)::int from pg_stat_activity where usename = 'authenticator' and query like '%run_text%' and wait_event = 'PgSleep'";
  const asked = http.request({ port: app.port, host: '127.0.0.1', method: 'POST', path: '/rest/v1/rpc/run_text',
    headers: { ...credentials('ada'), 'Content-Type': 'application/json' } });
  asked.on('error', () => {});
  asked.end(JSON.stringify({ what: 'select pg_sleep(600)' }));
  await until('it to sleep', async () => await app.db.value(sleeping) === 1);
  asked.destroy();
  await until('it to be cancelled', async () => await app.db.value(sleeping) === 0, 15_000);
  assert.equal((await call('bob', 'select 1')).status, 200);
});

test('a session is cleaned where its own statements were taken', async () => {
  const disorder = "do $do$ begin deallocate all; set app.tenant = 'ada'; perform pg_advisory_lock(4713); end $do$";
  for (const run of Object.values(ways)) {
    const before_ = await run('ada', 'select pg_backend_pid()');
    assert.equal(Math.floor((await run('ada', disorder)).status / 100), 2);
    assert.equal((await run('bob', setting('app.tenant'))).answer ?? '', '');
    assert.equal((await run('bob', held(4713))).answer, '0');
    assert.equal((await run('bob', 'select pg_backend_pid()')).answer, before_.answer);
  }
});
