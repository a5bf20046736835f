// Declared queries under /rest/v1/rpc/: typed arguments by GET and POST.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { users } from '../lib/app.mjs';
import { closeGate, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_rpc'); });
after(() => app?.close());

const call = (who, name, body, headers) => app.ask(who, 'POST', `/rest/v1/rpc/${name}`, body, headers);

test('a scalar is a bare value', async () => {
  const r = await call('anon', 'add', { a: 2, b: 3 });
  assert.equal(r.status, 200, r.text);
  assert.equal(r.text, '5');
  assert.match(r.headers['content-type'], /^application\/json/);
  assert.equal((await app.get('anon', 'rpc/add?a=2&b=40')).text, '42');
});

test('defaults', async () => {
  assert.equal((await call('anon', 'add', { a: 2 })).text, '3');
  assert.equal((await app.get('anon', 'rpc/add?a=9')).text, '10');
  assert.equal((await call('anon', 'add', { a: null, b: 1 })).text, 'null');
});

test('sets: of rows, of scalars', async () => {
  const r = await call('anon', 'cheaper_items', { than: 2 });
  assert.deepEqual(r.json.map((row) => row.id), [1, 4]);
  assert.deepEqual(Object.keys(r.json[0]).length, 13);
  const names = await call('anon', 'names', {});
  assert.deepEqual(names.json, (await app.db.rows('select name from item order by id')).map((row) => row.name));
  assert.deepEqual((await app.get('anon', 'rpc/names')).json, names.json);
});

test('select, order, limit and filters on the rows of a call', async () => {
  const r = await app.get('anon', 'rpc/cheaper_items?than=13&select=id,name&order=id.desc&limit=2');
  if (r.status === 200) assert.deepEqual(r.json, [{ id: 4, name: 'a"b\\c' }, { id: 3, name: 'Plum, dark' }]);
  else assert.equal(r.status, 400, 'served, or refused: never ignored');
});

test('arguments of every type, by both ways', async () => {
  const args = { t: 'x "y" \\ 🍎', n: 12.50, day: '2024-02-29', words: ['a b', 'c,d', null], doc: { a: [1, null] } };
  const post = await call('ada', 'echo', args);
  assert.equal(post.status, 200, post.text);
  assert.deepEqual(post.json, [args]);
  assert.match(post.text, /"n":12\.5[,}]/);
  const query = new URLSearchParams({ t: args.t, n: '12.50', day: args.day, words: '{"a b","c,d",NULL}', doc: '{"a": [1, null]}' });
  const get = await app.get('ada', `rpc/echo?${query}`);
  assert.deepEqual(get.json, [args]);
  assert.deepEqual((await call('ada', 'echo', { t: 'only' })).json, [{ t: 'only', n: null, day: null, words: null, doc: null }]);
});

test('what is wrong is refused', async (t) => {
  const cases = [
    ['no such query', () => call('ada', 'nothing', {}), 404, 'PGRST202'],
    ['unknown argument', () => call('ada', 'add', { a: 1, c: 2 }), /^(400|404)$/, /^PGRST20[24]$/],
    ['missing argument', () => call('ada', 'add', {}), /^(400|404)$/, /./],
    ['missing argument, GET', () => app.get('ada', 'rpc/add'), /^(400|404)$/, /./],
    ['wrong type', () => call('ada', 'add', { a: 'x' }), 400, '22P02'],
    ['wrong type, GET', () => app.get('ada', 'rpc/add?a=x'), 400, '22P02'],
    ['too big', () => call('ada', 'add', '{"a": 2147483648}'), 400, /^(22003|22P02)$/],
    ['an error of SQL', () => call('ada', 'quotient', { a: 1, b: 0 }), 400, '22012'],
    ['overflow in SQL', () => call('ada', 'add', { a: 2147483647, b: 1 }), 400, '22003'],
    ['not an object', () => call('ada', 'add', '[1]'), 400, 'PGRST102'],
    ['not JSON', () => call('ada', 'add', '{"a": '), 400, 'PGRST102'],
    ['anon may not', () => call('anon', 'quotient', { a: 1, b: 1 }), 401, '42501'],
    ['anon may not, GET', () => app.get('anon', 'rpc/quotient?a=1&b=1'), 401, '42501'],
    ['NUL', () => call('ada', 'echo', '{"t": "a\\u0000"}'), 400, /./],
  ];
  for (const [name, request, status, code] of cases)
    await t.test(name, async () => {
      const r = await request();
      assert.match(String(r.status), new RegExp(status), r.text);
      assert.match(r.json.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), r.text);
    });
});

test('an object where one is asked for', async () => {
  const Accept = 'application/vnd.pgrst.object+json';
  assert.equal((await call('anon', 'cheaper_items', { than: 0.1 }, { Accept })).json.id, 4);
  const many = await call('anon', 'cheaper_items', { than: 100 }, { Accept });
  assert.equal(many.status, 406);
  assert.equal(many.json.code, 'PGRST116');
});

test('the caller is who it is, in raw SQL too', async () => {
  const me = async (who) => (await call(who, 'who_am_i', {})).json;
  assert.deepEqual(await me('ada'), { role: 'authenticated', uid: users.ada, sub: users.ada, grade: null });
  assert.deepEqual(await me('anon'), { role: 'anon', uid: null, sub: null, grade: null });
  assert.deepEqual(await me({ sub: users.bob, app_metadata: { grade: 3, kind: 'robot' } }), { role: 'robot', uid: users.bob, sub: users.bob, grade: 3 });
});

test('typed claims decide rows', async () => {
  await app.db.query("insert into level_note select i, i, 'note ' || i from generate_series(1, 5) i");
  const seen = async (more) => (await app.get({ sub: users.ada, ...more }, 'level_note?select=id&order=id')).json.map((r) => r.id);
  assert.deepEqual(await seen({}), []);
  assert.deepEqual(await seen({ app_metadata: { grade: 2 } }), [1, 2]);
  assert.deepEqual(await seen({ app_metadata: { grade: '4' } }), [1, 2, 3, 4]);
  assert.deepEqual(await seen({ app_metadata: { grade: null } }), []);
  assert.deepEqual(await seen({ app_metadata: { kind: 'robot' } }), [1, 2, 3, 4, 5]);
  const odd = await app.get({ sub: users.ada, app_metadata: { grade: 'many' } }, 'level_note');
  assert.ok(odd.status >= 400 ? odd.status < 500 : odd.json.length === 0, `${odd.status} ${odd.text}`);
});

test('a slow call holds up nobody', async () => {
  const gate = await closeGate(app), slow = Array.from({ length: 12 }, () => gate.call(app.port));
  await gate.running(2);
  for (let i = 0; i < 50; i++) assert.equal((await app.get('anon', 'item?limit=1')).status, 200);
  await gate.open();
  for (const r of await Promise.all(slow)) assert.equal(r.status, 200);
});
