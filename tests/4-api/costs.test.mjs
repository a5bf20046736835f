// What the policy says a request of a route may cost: its body, its time, and what it holds up; and the
// limit of all requests together.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { openProof } from './proof.mjs';

describe('a route', () => {
  let app;
  before(async () => { app = await openProof('api_costs', { env: { THREADS: '1', SLOW_LANE_AFTER: '340ms' }, seed: 'insert into bed values (1, 0), (2, 1.42), (3, 60), (4, 0.5);' }); });
  after(() => app?.close());

  test('within: a statement that takes longer is 504, and the next one has its own time', async () => {
    const ended = await Promise.all([3, 3, 2].map((id) => app.get('ada', `brief_sleeper?id=eq.${id}`)));
    assert.deepEqual(ended.map((r) => [r.status, r.json.code]), Array(3).fill([504, '57014']));
    assert.deepEqual((await app.get('ada', 'brief_sleeper?id=eq.1')).json, [{ id: 1, slept: 0 }]);
    const unbounded = await Promise.all(Array.from({ length: 4 }, () => app.get('ada', 'rpc/nap?seconds=0.5')));
    assert.deepEqual(unbounded.map((r) => r.status), [200, 200, 200, 200]);
  });

  test('within: of a query, by GET and POST', async () => {
    assert.equal((await app.get('ada', 'rpc/brief_nap?seconds=60')).status, 504);
    assert.equal((await app.ask('ada', 'POST', '/rest/v1/rpc/brief_nap', { seconds: 60 })).status, 504);
    assert.equal((await app.ask('ada', 'POST', '/rest/v1/rpc/brief_nap', { seconds: 0 })).json, 1);
  });

  test('within: the service key is bound by it, too', async () => {
    assert.equal((await app.get('service', 'brief_sleeper?id=eq.3')).status, 504);
  });

  test('body: larger is 413, of each verb its own, and nothing was written', async () => {
    const write = (method, length) => app.ask('ada', method, `/rest/v1/parcel${method === 'PATCH' ? '?id=gt.0' : ''}`, `{"note":"${'x'.repeat(length - 11)}"}`);
    assert.deepEqual([(await write('POST', 1024)).status, (await write('POST', 1025)).status], [201, 413]);
    assert.deepEqual([(await write('PATCH', 100)).status, (await write('PATCH', 101)).status], [204, 413]);
    assert.equal((await app.ask('ada', 'POST', '/rest/v1/rpc/brief_nap', { seconds: 0, more: 'x'.repeat(64) })).status, 413);
    const refused = await write('POST', 2000);
    assert.deepEqual(refused.json, { code: 'PGRST102', message: 'Request body is too large: 1024 bytes at most here', details: null, hint: null });
    assert.deepEqual(await app.db.value('select array_agg(length(note)) from parcel'), [89]);
  });

  test('body: of a request that may not write, the refusal says that', async () => {
    assert.equal((await app.ask('anon', 'POST', '/rest/v1/parcel', { note: 'x'.repeat(2000) })).status, 401);
  });

  const lane = async (name) => Number(new RegExp(`^pgstack_pool_wait_seconds_count\\{plane="data",lane="${name}"\\} (\\d+)$`, 'm')
    .exec((await request(app.admin_port, 'GET', '/metrics')).text)?.[1] ?? assert.fail(name));

  test('what was slow once runs apart the next time, until it is quick again', async () => {
    const naps = (id, n) => Promise.all(Array.from({ length: n }, () => app.get('ada', `sleeper?id=eq.${id}`)));
    const all = async () => [await lane('quick'), await lane('slow')];
    let [quick, slow] = await all();
    const expect = async (of_quick, of_slow, what) => assert.deepEqual(await all(), [quick += of_quick, slow += of_slow], what);
    await naps(1, 2);
    await expect(2, 0, 'quick by nature');
    await naps(2, 1);
    await expect(1, 0, 'nobody knew');
    await Promise.all([naps(2, 3), ...Array.from({ length: 20 }, () => app.get('ada', 'parcel'))]);
    await expect(20, 3, 'the same text, others beside it');
    await app.get('ada', 'sleeper?id=eq.1&select=id');
    await expect(1, 0, 'another text');
    await app.get({ sub: users.ada, role: 'editor' }, 'sleeper?id=eq.1');
    await expect(1, 0, 'another role');
    for (let i = 0; i < 3; i++) await naps(1, 1);
    await expect(0, 3, 'to be sure');
    await naps(1, 1);
    await expect(1, 0, 'back');
  });

  test('what is a little slow has to be so twice, with nothing quick between', async () => {
    const path = (id) => `sleeper?select=slept&id=eq.${id}`;
    const before = await lane('slow');
    for (const id of [4, 1, 1, 1, 4, 1, 1, 1, 4]) await app.get('ada', path(id));
    assert.equal(await lane('slow'), before);
    await app.get('ada', path(4));
    await app.get('ada', path(1));
    assert.equal(await lane('slow'), before + 1);
  });

  test('slow: it runs apart from the quick ones', async () => {
    const before = [await lane('quick'), await lane('slow')];
    for (let i = 0; i < 3; i++) assert.equal((await app.get('ada', 'brief_sleeper?id=eq.1')).status, 200);
    assert.equal((await app.get('ada', 'parcel')).status, 200);
    assert.deepEqual([await lane('quick'), await lane('slow')], [before[0] + 1, before[1] + 3]);
  });
});

describe('a limit of all requests', () => {
  let app;
  before(async () => {
    app = await openApp({ project: await buildProject('tests/4-api/common'), app: 'common', name: 'api_common' });
  });
  after(() => app?.close());

  const ask = (from, path, who = 'anon') => request(app.port, 'GET', path, { localAddress: from, headers: credentials(who) });
  const statuses = async (from, paths) => (await Promise.all(paths.map((path) => ask(from, path)))).map((r) => r.status);

  test('whatever is asked for counts, also what is not there and who is not let in', async () => {
    const all = await statuses('127.0.0.2', Array.from({ length: 30 }, (_, i) => ['/rest/v1/note', '/rest/v1/note?id=eq.1', '/rest/v1/nothing'][i % 3]));
    assert.deepEqual(all.sort(), [...Array(20).fill(200), ...Array(10).fill(404)]);
    assert.deepEqual(await statuses('127.0.0.2', ['/rest/v1/note', '/rest/v1/rpc/one', '/rest/v1/nothing']), [429, 429, 429]);
    assert.equal((await ask('127.0.0.2', '/rest/v1/note', 'not.a.token')).status, 429);
    assert.equal((await ask('127.0.0.2', '/rest/v1/note', 'service')).status, 200);
    assert.equal((await ask('127.0.0.2', '/health')).status, 200);
    assert.equal((await ask('127.0.0.3', '/rest/v1/note')).status, 200, 'another address');
  });

  test('it holds beside the limit of a route, and both are told', async () => {
    const first = await ask('127.0.0.4', '/rest/v1/rpc/one');
    assert.equal(first.headers['ratelimit-policy'], '"one-day-address";q=5;w=86400, "day-address";q=30;w=86400');
    assert.equal(first.headers.ratelimit, '"one-day-address";r=4;t=17280, "day-address";r=29;t=2880');
    assert.deepEqual((await statuses('127.0.0.4', Array(6).fill('/rest/v1/rpc/one'))).sort(), [200, 200, 200, 200, 429, 429]);
    assert.deepEqual((await statuses('127.0.0.4', Array(24).fill('/rest/v1/note'))).sort(), [...Array(23).fill(200), 429]);
  });
});
