// Rate limits that the policy declares, counted over two threads, before the database is asked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { credentials, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { anon_key, token } from '../lib/jwt.mjs';
import { until } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_rates', { env: { TRUSTED_PROXIES: '127.0.0.1', THREADS: '2' } }); });
after(() => app?.close());

/** One request on a connection of its own, so that any thread may get it; `from` is the client's address. */
const ask = (who, path, { from, method = 'GET', body, headers = {}, localAddress } = {}) => request(app.port, method, `/rest/v1/${path}`,
  { body, localAddress, headers: { ...credentials(who), ...(from ? { 'X-Forwarded-For': from } : {}), ...headers } });
const many = async (n, one) => (await Promise.all(Array.from({ length: n }, (_, i) => one(i)))).map((r) => r.status);
const served = (statuses) => statuses.filter((status) => status < 300).length;
const refused = (statuses) => statuses.filter((status) => status === 429).length;

test('by address: over all threads and connections, and no more', async () => {
  const statuses = await many(40, () => ask('anon', 'rpc/by_address', { from: '198.51.100.1' }));
  assert.deepEqual([served(statuses), refused(statuses)], [5, 35]);
  assert.equal((await ask('anon', 'rpc/by_address', { from: '198.51.100.2' })).status, 200, 'another address');
  assert.equal((await ask('ada', 'rpc/by_address', { from: '198.51.100.1' })).status, 429, 'another user of the address');
});

test('by address: IPv6 counts by its /64, an untrusted peer by itself, HEAD and POST like GET', async () => {
  const six = await many(10, (i) => ask('anon', 'rpc/by_address', { from: `2001:db8:0:1:${i}::1` }));
  assert.equal(served(six), 5);
  assert.equal((await ask('anon', 'rpc/by_address', { from: '2001:db8:0:2::1' })).status, 200);
  const spoofed = await many(10, (i) => ask('anon', 'rpc/by_address', { from: `198.51.100.${50 + i}`, localAddress: '127.0.0.2' }));
  assert.equal(served(spoofed), 5);
  const mixed = await many(12, (i) => ask('anon', 'rpc/by_address', { from: '198.51.100.3', method: ['GET', 'HEAD', 'POST'][i % 3], body: i % 3 === 2 ? {} : undefined }));
  assert.equal(served(mixed), 5);
});

test('by address: other spellings of the path are no other path', async () => {
  const paths = ['rpc/by_address', 'rpc/by%5Faddress', './rpc/by_address', '../v1/rpc/by_address', 'rpc/by_address?x=1', 'rpc/by_address?'];
  const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => ask('anon', paths[i % paths.length], { from: '198.51.100.4' })));
  assert.equal(served(answers.map((r) => r.status)) <= 5, true, answers.map((r) => r.status).join());
});

test('the answer says what the limit is, and browsers may read it', async () => {
  const Origin = 'https://app.example.com';
  const first = await ask('anon', 'rpc/by_address', { from: '198.51.100.5', headers: { Origin } });
  assert.equal(first.headers['ratelimit-policy'], '"by_address-day-address";q=5;w=86400');
  assert.equal(first.headers.ratelimit, '"by_address-day-address";r=4;t=17280');
  assert.match(first.headers['access-control-expose-headers'], /retry-after, ratelimit, ratelimit-policy/);
  await many(4, () => ask('anon', 'rpc/by_address', { from: '198.51.100.5' }));
  const over = await ask('anon', 'rpc/by_address', { from: '198.51.100.5', headers: { Origin } });
  assert.equal(over.status, 429);
  assert.deepEqual(over.json, { code: 'PGS105', message: 'Too many requests: 5 within 86400 s by address', details: null, hint: 'wait for as many seconds as Retry-After says' });
  const wait = Number(over.headers['retry-after']);
  assert.ok(wait > 17200 && wait <= 17280, over.headers['retry-after']);
  assert.match(over.headers.ratelimit, /^"by_address-day-address";r=0;t=8\d{4}$/);
  assert.equal(over.headers['access-control-allow-origin'], Origin);
});

test('by user: wherever he is; guests by their address', async () => {
  const statuses = await many(20, (i) => ask('ada', 'rpc/by_user', { from: `198.51.100.${100 + i}` }));
  assert.deepEqual([served(statuses), refused(statuses)], [5, 15]);
  assert.equal((await ask('bob', 'rpc/by_user', { from: '198.51.100.100' })).status, 200);
  const again = { sub: users.ada, session: 'another token of the same user' };
  assert.equal((await ask(again, 'rpc/by_user')).status, 429);
  assert.equal(served(await many(10, () => ask('anon', 'rpc/by_user', { from: '198.51.100.6' }))), 5);
  assert.equal((await ask('anon', 'rpc/by_user', { from: '198.51.100.7' })).status, 200);
});

test('by key: all callers of a key together', async () => {
  assert.equal(served(await many(10, (i) => ask('anon', 'rpc/by_key', { from: `198.51.100.${i}` }))), 5);
  assert.equal(served(await many(10, (i) => ask(i % 2 ? 'ada' : 'bob', 'rpc/by_key'))), 5);
});

test('a verb has a limit of its own beside that of the endpoint', async () => {
  const posts = await many(6, () => ask('eve', 'visit', { method: 'POST', body: { note: 'here' } }));
  assert.deepEqual([served(posts), refused(posts)], [3, 3]);
  assert.equal(await app.db.value('select count(*)::int from visit where owner_id = $1', [users.eve]), 3, 'the database was not asked for the others');
  const both = await ask('eve', 'visit', { method: 'POST', body: { note: 'here' } });
  assert.equal(both.headers['ratelimit-policy'], '"visit-create-day-user";q=3;w=86400, "visit-day-user";q=8;w=86400');
  assert.equal((await ask('eve', 'visit')).status, 200);
  assert.equal((await ask('eve', 'visit')).status, 429, 'the refused ones have counted for all verbs: they were asked');
});

test('whoever is not let in is counted by address, too', async () => {
  const statuses = await many(10, (i) => ask(`not.a.token${i}`, 'rpc/by_address', { from: '198.51.100.8' }));
  assert.deepEqual(statuses.sort(), [...Array(5).fill(401), ...Array(5).fill(429)]);
});

test('the service key has no limit', async () => {
  assert.equal(served(await many(12, () => ask('service', 'rpc/by_address', { from: '198.51.100.9' }))), 12);
});

test('what is spent comes back', async () => {
  const statuses = await many(6, () => ask('anon', 'rpc/again', { from: '198.51.100.10' }));
  assert.ok(served(statuses) >= 2 && refused(statuses) >= 1, statuses.join());
  await until('one more', async () => (await ask('anon', 'rpc/again', { from: '198.51.100.10' })).status === 200);
});

test('supabase-js sees an error with its code', async () => {
  const client = createClient(`http://127.0.0.1:${app.port}`, anon_key, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { headers: { Authorization: `Bearer ${token('0d0d0d0d-0000-4000-8000-000000000009')}` } } });
  const results = [];
  for (let i = 0; i < 6; i++) results.push(await client.rpc('by_user'));
  assert.deepEqual(results.map((r) => r.status), [200, 200, 200, 200, 200, 429]);
  assert.equal(results[5].error.code, 'PGS105');
  assert.equal(results[5].data, null);
});
