// /metrics: Prometheus takes it, and its numbers are those of what was asked.
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { credentials, startServer } from '../lib/app.mjs';
import { certificate } from '../lib/h2.mjs';
import { request } from '../lib/http.mjs';
import { promtool, scrape } from '../lib/metrics.mjs';
import { root, scratch } from '../lib/paths.mjs';
import { freePort, sleep, until } from '../lib/process.mjs';
import { closeGate, editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_metrics'); });
after(() => app?.close());

const requests = 'pgstack_http_requests_total';

/** The difference that `work` makes; counted when the answer has left, which may be after it was read. */
async function change(work, name, labels, wanted) {
  const before = (await scrape(app.admin_port)).value(name, labels);
  await work();
  let now;
  await until(`${name} ${JSON.stringify(labels)} to grow by ${wanted}`, async () => {
    now = (await scrape(app.admin_port)).value(name, labels) - before;
    return now >= wanted;
  });
  assert.equal(now, wanted, `${name} ${JSON.stringify(labels)}`);
}

test('promtool has nothing to say', async () => {
  await app.get('anon', 'item');
  await app.get('ada', 'diary');
  const { text, headers } = await scrape(app.admin_port);
  assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const { out, err } = await promtool(['check', 'metrics'], text);
  assert.equal(out + err, '');
});

test('the example alerts of docs/alerts.yml are rules, about metrics that there are', async () => {
  const file = join(root, 'docs/alerts.yml');
  const { out } = await promtool(['check', 'rules', file]);
  assert.match(out, /SUCCESS: \d+ rules found/);
  const { text } = await scrape(app.admin_port);
  const named = new Set(readFileSync(file, 'utf8').match(/\b(pgstack|process)_[a-z_]+/g));
  assert.ok(named.size > 5);
  for (const name of named) assert.ok(text.includes(`\n${name}`), name);
});

test('docs/operations.md has every metric', async () => {
  const docs = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const names = [...(await scrape(app.admin_port)).text.matchAll(/^# TYPE (pgstack_\w+) /gm)].map(([, name]) => name);
  assert.ok(names.length > 15);
  for (const name of names) assert.ok(docs.includes(`\`${name}\``), name);
});

test('requests by route, method, role and status', async (t) => {
  const cases = [
    ['a list', () => app.get('anon', 'item'), { route: '/rest/v1/item', method: 'GET', role: 'anon', status: '200' }],
    ['with a query string', () => app.get('ada', 'item?id=eq.1'), { route: '/rest/v1/item', method: 'GET', role: 'authenticated', status: '200' }],
    ['HEAD', () => app.ask('anon', 'HEAD', '/rest/v1/item'), { route: '/rest/v1/item', method: 'HEAD', status: '200' }],
    ['a declared role', () => app.ask(editor, 'POST', '/rest/v1/register', { id: 77 }), { route: '/rest/v1/register', method: 'POST', role: 'editor', status: '201' }],
    ['the service key', () => app.get('service', 'item'), { route: '/rest/v1/item', role: 'service_role', status: '200' }],
    ['a call', () => app.ask('anon', 'POST', '/rest/v1/rpc/add', { a: 1 }), { route: '/rest/v1/rpc/add', method: 'POST', status: '200' }],
    ['nobody', () => app.get('none', 'item'), { route: '/rest/v1/item', role: '', status: '401' }],
    ['not granted', () => app.ask('anon', 'POST', '/rest/v1/item', { id: 1 }), { route: '/rest/v1/item', method: 'POST', role: 'anon', status: '401' }],
    ['/health', () => app.ask('none', 'GET', '/health'), { route: '/health', status: '200' }],
    ['/ready', () => app.ask('none', 'GET', '/ready'), { route: '/ready', status: '200' }],
  ];
  for (const [name, ask, labels] of cases) await t.test(name, () => change(ask, requests, labels, 1));
});

test('what clients make up has one label', async () => {
  const many = 300;
  const ask = async () => {
    for (let i = 0; i < many; i++) await app.ask('anon', i % 2 ? 'GET' : `X-${i}`, `/rest/v1/made_up_${i}`);
  };
  const before = (await scrape(app.admin_port)).samples.length;
  await change(ask, requests, { route: 'other' }, many);
  const now = await scrape(app.admin_port);
  assert.ok(now.samples.length - before < 60, `${now.samples.length - before} new samples`);
  assert.doesNotMatch(now.text, /made_up/);
  assert.equal(now.value(requests, { route: 'other', method: 'other' }), many / 2);
});

test('histograms hold every request and every transaction', async () => {
  const route = { route: '/rest/v1/rpc/nap', method: 'POST' };
  const nap = () => app.ask('ada', 'POST', '/rest/v1/rpc/nap', { seconds: 0.3 });
  await change(nap, 'pgstack_http_request_duration_seconds_count', route, 1);
  const now = await scrape(app.admin_port);
  const name = 'pgstack_http_request_duration_seconds';
  assert.ok(now.value(`${name}_sum`, route) >= 0.3);
  assert.equal(now.value(`${name}_bucket`, { ...route, le: '0.25' }), 0);
  assert.equal(now.value(`${name}_bucket`, { ...route, le: '+Inf' }), 1);
  const slow = { plane: 'data', lane: 'slow' };
  assert.ok(now.value('pgstack_database_seconds_sum', slow) >= 0.3, 'a call is of the slow lane');
  for (const it of ['pgstack_database_seconds', 'pgstack_pool_wait_seconds'])
    for (const lane of ['quick', 'slow'])
      assert.ok(now.value(`${it}_count`, { plane: 'data', lane }) > 0, `${it} ${lane}`);
});

test('the pool: states, what is in flight, what waits', async () => {
  const calls = 12; // more than there are slow connections
  const gate = await closeGate(app), asked = Array.from({ length: calls }, () => gate.call(app.port));
  const slow = { plane: 'data', lane: 'slow' };
  const seen = await until('the slow lane to be full', async () => {
    const now = await scrape(app.admin_port);
    const [busy, waiting] = [now.value('pgstack_pool_connections', { ...slow, state: 'busy' }), now.value('pgstack_pool_waiting', slow)];
    return busy > 1 && busy + waiting === calls ? now : null;
  });
  const busy = seen.value('pgstack_pool_connections', { ...slow, state: 'busy' });
  assert.equal(seen.value('pgstack_pool_in_flight', slow), busy, 'one each');
  assert.equal(seen.value('pgstack_http_requests_active'), calls);
  assert.equal(seen.value('pgstack_pool_waiting', { lane: 'quick' }), 0);
  await gate.open();
  for (const r of await Promise.all(asked)) assert.equal(r.status, 200);
  await until('the pool to be idle', async () => {
    const now = await scrape(app.admin_port);
    return now.value('pgstack_pool_connections', { state: 'busy' }) === 0 && now.value('pgstack_pool_waiting') === 0;
  });
});

test('statements prepared, errors by class, transactions by outcome', async () => {
  await change(() => app.get('ada', 'item?select=id,stock,seen'), 'pgstack_statements_prepared_total', {}, 1);
  await app.db.query('insert into trap (id, depth) values (1, 0)');
  await change(() => app.get('ada', 'trap'), 'pgstack_statement_errors_total', { class: '22' }, 1);
  await change(() => app.ask(editor, 'POST', '/rest/v1/shelf', { id: 1, code: 'a', height: -1 }), 'pgstack_statement_errors_total', { class: '23' }, 1);
  await change(() => app.get('ada', 'trap'), 'pgstack_transactions_total', { result: 'failed' }, 1);
  assert.ok((await scrape(app.admin_port)).value('pgstack_statements', { plane: 'data' }) > 0);
});

test('a connection that is killed is counted, and so is the next', async () => {
  const before = await scrape(app.admin_port);
  await app.db.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'authenticator' and application_name = 'pgstack'");
  await until('all to be back', async () => {
    const now = await scrape(app.admin_port);
    const more = (event) => now.value('pgstack_pool_connection_events_total', { event }) - before.value('pgstack_pool_connection_events_total', { event });
    return more('lost') > 0 && more('connected') === more('lost');
  });
});

test('tokens: verified once, then remembered; refused', async () => {
  const who = { sub: '0f0f0f0f-0000-4000-8000-00000000000f', note: `${performance.now()}` };
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 }); // one connection is one thread, with one memory
  const headers = credentials(who);
  const ask = () => request(app.port, 'GET', '/rest/v1/item', { headers, agent });
  await change(ask, 'pgstack_tokens_total', { result: 'verified' }, 1);
  await change(ask, 'pgstack_tokens_total', { result: 'remembered' }, 1);
  await change(() => app.ask('none', 'GET', '/rest/v1/item', undefined, { Authorization: 'Bearer a.b.c' }), 'pgstack_tokens_total', { result: 'refused' }, 1);
  agent.destroy();
});

test('bytes of bodies', async () => {
  const body = JSON.stringify({ t: 'x'.repeat(5000) });
  let answer;
  await change(async () => { answer = await app.ask('ada', 'POST', '/rest/v1/rpc/echo', body); }, 'pgstack_http_request_body_bytes_total', {}, body.length);
  assert.equal(answer.status, 200);
  await change(() => app.ask('ada', 'POST', '/rest/v1/rpc/echo', body), 'pgstack_http_response_body_bytes_total', {}, answer.raw.length);
});

test('connections by protocol and TLS', async () => {
  const folder = mkdtempSync(join(scratch, 'metrics-tls-'));
  const { key, cert } = certificate(folder);
  const port = await freePort();
  const admin_port = await freePort();
  const server = await startServer(app.program, { ...app.env, PORT: String(port), ADMIN_PORT: String(admin_port), TLS_MODE: 'manual', TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
  const open = async (labels) => (await scrape(admin_port)).value('pgstack_http_connections', labels);
  try {
    assert.equal(await open({}), 0);
    const h2 = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const answered = h2.request({ ':path': '/health' });
    answered.resume();
    await new Promise((done) => answered.on('end', done));
    assert.equal(await open({ protocol: 'h2', tls: 'true' }), 1);
    assert.equal(await open({}), 1);
    h2.close();
    await until('it to go', async () => (await open({})) === 0);
    assert.equal((await scrape(admin_port)).value('pgstack_http_connections_accepted_total'), 1);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('process and build', async () => {
  const now = await scrape(app.admin_port);
  const build = now.find('pgstack_build_info')[0];
  assert.equal(build.labels.app, 'proof');
  assert.equal(build.labels.schema, await app.db.value('select fingerprint from pgstack.state'));
  const started = now.value('process_start_time_seconds');
  assert.ok(Math.abs(Date.now() / 1000 - started) < 3600, `${started}`);
  assert.ok(now.value('process_resident_memory_bytes') > 1e6);
  assert.ok(now.value('process_cpu_seconds_total') > 0);
  assert.ok(now.value('process_open_fds') > 5);
  assert.ok(now.value('process_max_fds') >= now.value('process_open_fds'));
});

test('only on the admin port, which counts nothing of itself', async () => {
  assert.equal((await app.ask('anon', 'GET', '/metrics')).status, 404);
  await sleep(200);
  const a = await scrape(app.admin_port);
  const b = await scrape(app.admin_port);
  assert.equal(a.value(requests), b.value(requests));
});
