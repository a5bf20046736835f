// POST, PATCH, DELETE: what is written, what comes back, what is refused.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { users } from '../lib/app.mjs';
import { until } from '../lib/process.mjs';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_write'); });
after(() => app?.close());
beforeEach(() => app.db.query(`truncate book, shelf, pair, diary, register restart identity;
  insert into shelf (id, code, height, note) values (1, 'one', 10, null), (2, 'two', 20, 'second'), (3, 'three', 30, null)`));

const rep = { Prefer: 'return=representation' };
const post = (path, body, headers, who = editor) => app.ask(who, 'POST', `/rest/v1/${path}`, body, headers);
const patch = (path, body, headers, who = editor) => app.ask(who, 'PATCH', `/rest/v1/${path}`, body, headers);
const remove = (path, headers, who = editor) => app.ask(who, 'DELETE', `/rest/v1/${path}`, undefined, headers);
const shelves = () => app.db.rows('select id, code, height, note from shelf order by id');

test('POST one object', async () => {
  const r = await post('shelf', { id: 9, code: 'nine' });
  assert.equal(r.status, 201, r.text);
  assert.equal(r.text, '');
  assert.deepEqual((await shelves()).at(-1), { id: 9, code: 'nine', height: 10, note: null });
});

test('POST return=representation, minimal, headers-only', async () => {
  const full = await post('shelf', { id: 10, code: 'ten' }, rep);
  assert.equal(full.status, 201);
  assert.deepEqual(full.json, [{ id: 10, code: 'ten', height: 10, note: null }]);
  assert.equal(full.headers['preference-applied'], 'return=representation');
  const some = await post('shelf?select=nr:id,code', { id: 11, code: 'x' }, rep);
  assert.deepEqual(some.json, [{ nr: 11, code: 'x' }]);
  const object = await post('shelf', { id: 12, code: 'y' }, { ...rep, Accept: 'application/vnd.pgrst.object+json' });
  assert.deepEqual(object.json, { id: 12, code: 'y', height: 10, note: null });
  const minimal = await post('shelf', { id: 13, code: 'z' }, { Prefer: 'return=minimal' });
  assert.equal(minimal.status, 201);
  assert.equal(minimal.text, '');
  assert.equal(minimal.headers['preference-applied'], 'return=minimal');
  const headers = await post('shelf', { id: 14, code: 'w' }, { Prefer: 'return=headers-only' });
  assert.equal(headers.status, 201);
  assert.equal(headers.text, '');
  assert.equal(headers.headers.location, '/rest/v1/shelf?id=eq.14');
});

test('POST an array: all or none', async () => {
  const rows = [{ id: 20, code: 'a' }, { id: 21, code: 'b', height: 5 }, { id: 22, note: 'n', code: 'c' }];
  const uneven = await post('shelf', rows);
  assert.deepEqual([uneven.status, uneven.json.code], [400, 'PGRST102'], 'keys must match, or columns= says which there are');
  const listed = await post('shelf?columns=id,code,note', rows, rep);
  assert.equal(listed.status, 201, listed.text);
  assert.deepEqual(listed.json, [{ id: 20, code: 'a', height: 10, note: null }, { id: 21, code: 'b', height: 10, note: null }, { id: 22, code: 'c', height: 10, note: 'n' }]);
  const defaults = await post('shelf?columns=id,code,height', rows.map((r) => ({ ...r, id: r.id + 3, code: `${r.code}2` })), { Prefer: 'return=representation, missing=default' });
  if (defaults.status === 201) assert.deepEqual(defaults.json.map((r) => r.height), [10, 5, 10]);
  else assert.deepEqual([defaults.status, defaults.json.code], [400, 'PGRST102'], 'the defaults, or a refusal: never null');
  const bad = await post('shelf', [{ id: 30, code: 'aa' }, { id: 30, code: 'bb' }]);
  assert.equal(bad.status, 409);
  assert.equal(await app.db.value('select count(*) from shelf where id = 30'), '0');
  const none = await post('shelf', [], rep);
  assert.equal(none.status, 201);
  assert.deepEqual(none.json, []);
});

test('POST two thousand rows in one body', async () => {
  const rows = Array.from({ length: 2000 }, (_, i) => ({ id: 1000 + i, code: `c${i}`, note: i % 2 ? `note ${i}` : null }));
  const r = await post('shelf', rows, { Prefer: 'count=exact' });
  assert.equal(r.status, 201, r.text);
  assert.equal(await app.db.value("select count(*) from shelf where code = 'c' || (id - 1000) and (note = 'note ' || (id - 1000)) is distinct from (id % 2 = 0)"), '2000');
});

test('POST columns=: only these are taken', async () => {
  const r = await post('shelf?columns=id,code', [{ id: 40, code: 'p', note: 'left out' }], rep);
  assert.equal(r.status, 201, r.text);
  assert.deepEqual(r.json, [{ id: 40, code: 'p', height: 10, note: null }]);
  const bad = await post('shelf?columns=id,nothing', { id: 41, code: 'q' });
  assert.equal(bad.status, 400);
  assert.equal(bad.json.code, 'PGRST204');
});

test('POST with nothing but defaults', async () => {
  const r = await app.ask('ada', 'POST', '/rest/v1/diary', { text: 'mine' }, { Prefer: 'return=representation' });
  assert.equal(r.status, 201, r.text);
  assert.deepEqual(r.json[0].owner_id, users.ada);
  assert.deepEqual(Object.keys(r.json[0]), ['id', 'owner_id', 'text']);
  const empty = await post('kind', {}, rep);
  assert.equal(empty.status, 201, empty.text);
  assert.equal(empty.json[0].txt, null);
});

test('PATCH', async () => {
  const r = await patch('shelf?id=eq.1', { height: 11 });
  assert.equal(r.status, 204);
  assert.equal(r.text, '');
  const full = await patch('shelf?id=in.(1,2)', { note: 'both' }, { Prefer: 'return=representation,count=exact' });
  assert.equal(full.status, 200, full.text);
  assert.equal(full.headers['content-range'], '0-1/2');
  assert.deepEqual(full.json.sort((a, b) => a.id - b.id), [{ id: 1, code: 'one', height: 11, note: 'both' }, { id: 2, code: 'two', height: 20, note: 'both' }]);
  const to_null = await patch('shelf?id=eq.2', { note: null }, rep);
  assert.equal(to_null.json[0].note, null);
  const nobody = await patch('shelf?id=eq.77', { note: 'x' });
  assert.equal(nobody.status, 204);
  const nobody_shown = await patch('shelf?id=eq.77', { note: 'x' }, rep);
  assert.equal(nobody_shown.status, 200);
  assert.deepEqual(nobody_shown.json, []);
  const single = await patch('shelf?id=eq.77', { note: 'x' }, { ...rep, Accept: 'application/vnd.pgrst.object+json' });
  assert.equal(single.status, 406);
  const several = await patch('shelf?id=lt.4', { note: 'never' }, { ...rep, Accept: 'application/vnd.pgrst.object+json' });
  assert.equal(several.status, 406);
  assert.equal(await app.db.value("select count(*) from shelf where note = 'never'"), '0', 'a 406 changes nothing');
});

test('PATCH of nothing changes nothing', async () => {
  const before = await shelves();
  const r = await patch('shelf?id=eq.1', {});
  assert.ok([200, 204].includes(r.status), String(r.status));
  assert.deepEqual(await shelves(), before);
});

test('PATCH and DELETE without filters', async () => {
  // PostgREST changes every row; either that, or a refusal: never a part
  const r = await patch('shelf', { note: 'all' });
  const n = Number(await app.db.value("select count(*) from shelf where note = 'all'"));
  if (r.status < 300) assert.equal(n, 3);
  else assert.equal(n, 0);
  const d = await remove('shelf');
  const left = (await shelves()).length;
  if (d.status < 300) assert.equal(left, 0);
  else assert.equal(left, 3);
});

test('DELETE', async () => {
  const r = await remove('shelf?id=eq.1');
  assert.equal(r.status, 204);
  assert.equal(r.text, '');
  const shown = await remove('shelf?id=eq.2&select=id,note', rep);
  assert.equal(shown.status, 200);
  assert.deepEqual(shown.json, [{ id: 2, note: 'second' }]);
  const nobody = await remove('shelf?id=eq.2', { Prefer: 'count=exact,return=minimal' });
  assert.equal(nobody.status, 204);
  assert.equal(nobody.headers['content-range'], '*/0');
  assert.deepEqual((await shelves()).map((s) => s.id), [3]);
});

test('a filter that is refused changes nothing', async () => {
  for (const query of ['id=eq.x', 'nothing=eq.1', 'id=foo.1', 'or=(id.eq.1', 'limit=1x']) {
    assert.equal((await remove(`shelf?${query}`)).status, 400, query);
    assert.equal((await patch(`shelf?${query}`, { note: 'x' })).status, 400, query);
  }
  assert.deepEqual((await shelves()).map((s) => s.note), [null, 'second', null]);
});

test('keys of several columns, identity keys', async () => {
  assert.equal((await post('pair', [{ a: 1, b: 'x', v: '1' }, { a: 1, b: 'y', v: null }])).status, 201);
  assert.equal((await patch('pair?a=eq.1&b=eq.y', { v: '2' })).status, 204);
  assert.deepEqual(await app.db.rows('select * from pair order by b'), [{ a: 1, b: 'x', v: '1' }, { a: 1, b: 'y', v: '2' }]);
  const book = await post('book', { shelf_id: 1, title: 'T' }, rep);
  assert.equal(book.status, 201);
  assert.equal(book.json[0].id, 1);
  const forced = await post('book', { id: 7, shelf_id: 1, title: 'U' });
  assert.equal(forced.status, 400, 'generated always');
});

test('names that are words of C and SQL', async () => {
  const r = await post('register', { id: 1, while: 'a', select_: 'b', user: 'c', table: 'd' }, rep);
  assert.equal(r.status, 201, r.text);
  assert.deepEqual(r.json, [{ id: 1, while: 'a', select_: 'b', user: 'c', table: 'd' }]);
  assert.deepEqual((await app.get(editor, 'register?user=eq.c&select=table,while')).json, [{ table: 'd', while: 'a' }]);
  assert.equal((await patch('register?while=eq.a', { user: 'z' })).status, 204);
  assert.equal(await app.db.value('select "user" from register'), 'z');
});

// [what, request, status, code]
const refusals = [
  ['unique', () => post('shelf', { id: 50, code: 'one' }), 409, '23505'],
  ['primary key', () => post('shelf', { id: 1, code: 'new' }), 409, '23505'],
  ['foreign key, insert', () => post('book', { shelf_id: 99, title: 'T' }), 409, '23503'],
  ['foreign key, delete', async () => { await post('book', { shelf_id: 1, title: 'T' }); return remove('shelf?id=eq.1'); }, 409, '23503'],
  ['not null, absent', () => post('shelf', { id: 50 }), 400, /^(23502|PGRST204|PGRST102)$/],
  ['not null, null', () => post('shelf', { id: 50, code: null }), 400, '23502'],
  ['not null, update', () => patch('shelf?id=eq.1', { code: null }), 400, '23502'],
  ['check', () => post('shelf', { id: 50, code: 'c', height: 0 }), 400, '23514'],
  ['unknown column', () => post('shelf', { id: 50, code: 'c', hight: 1 }), 400, 'PGRST204'],
  ['unknown column, update', () => patch('shelf?id=eq.1', { hight: 1 }), 400, 'PGRST204'],
  ['anon may not', () => post('shelf', { id: 50, code: 'c' }, {}, 'anon'), 401, '42501'],
  ['a user may not', () => post('shelf', { id: 50, code: 'c' }, {}, 'ada'), 403, '42501'],
  ['a user may not delete', () => remove('shelf?id=eq.1', {}, 'ada'), 403, '42501'],
  ['a user may not update', () => patch('shelf?id=eq.1', { note: 'x' }, {}, 'ada'), 403, '42501'],
  ['anon may not read', () => app.get('anon', 'shelf'), 401, '42501'],
  ['a user may not read', () => app.get('ada', 'kind'), 403, '42501'],
  ['a column without select', () => app.get('ada', 'diary?select=secret'), 403, '42501'],
  ['a filter on a column without select', () => app.get('ada', 'diary?secret=eq.hidden'), 403, '42501'],
  ['an order by a column without select', () => app.get('ada', 'diary?order=secret'), 403, '42501'],
  ['a column without insert', () => post('diary', { text: 't', owner_id: users.bob }, {}, 'ada'), 403, /^(42501|PGRST204)$/],
  ['a column without update', () => patch('diary?text=eq.t', { owner_id: users.bob }, {}, 'ada'), 403, /^(42501|PGRST204)$/],
  ['empty body', () => post('shelf', ''), 400, 'PGRST102'],
  ['not JSON', () => post('shelf', '{"id": 50,'), 400, 'PGRST102'],
  ['after the JSON', () => post('shelf', '{"id": 50, "code": "c"} x'), 400, 'PGRST102'],
  ['a number', () => post('shelf', '5'), 400, 'PGRST102'],
  ['null', () => post('shelf', 'null'), 400, 'PGRST102'],
  ['array of numbers', () => post('shelf', '[1]'), 400, 'PGRST102'],
  ['array of arrays', () => post('shelf', '[[]]'), 400, 'PGRST102'],
  ['an array to PATCH', () => patch('shelf?id=eq.1', [{ note: 'x' }]), 400, 'PGRST102'],
  ['duplicate key', () => post('shelf', '{"id": 50, "id": 51, "code": "c"}'), 400, 'PGRST102'],
  ['a form', () => post('shelf', 'id=50&code=c', { 'Content-Type': 'application/x-www-form-urlencoded' }), 415, 'PGRST102'],
  ['text', () => post('shelf', '{}', { 'Content-Type': 'text/plain' }), 415, 'PGRST102'],
];

test('refusals: status, code, and nothing changed', async (t) => {
  for (const [name, request, status, code] of refusals)
    await t.test(name, async () => {
      const before = await shelves();
      const r = await request();
      assert.equal(r.status, status, `${r.status} ${r.text}`);
      assert.deepEqual(Object.keys(r.json).sort(), ['code', 'details', 'hint', 'message']);
      assert.match(r.json.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), r.text);
      assert.deepEqual(await shelves(), before);
    });
});

test('upsert is not silently an insert', async () => {
  const r = await post('shelf?on_conflict=id', { id: 1, code: 'changed' }, { Prefer: 'resolution=merge-duplicates' });
  const code = await app.db.value('select code from shelf where id = 1');
  if (r.status < 300) assert.equal(code, 'changed');
  else assert.equal(code, 'one');
});

test('rows of others stay as they are', async () => {
  await app.db.query(`insert into diary (owner_id, text) values ('${users.ada}', 'of ada'), ('${users.bob}', 'of bob')`);
  const seen = await app.get('ada', 'diary?select=text', { Prefer: 'count=exact' });
  assert.deepEqual(seen.json, [{ text: 'of ada' }]);
  assert.equal(seen.headers['content-range'], '0-0/1');
  assert.deepEqual((await patch('diary?text=like.of*', { text: 'changed' }, rep, 'ada')).json.map((r) => r.text), ['changed']);
  assert.deepEqual((await remove('diary?text=neq.nothing', rep, 'ada')).json.map((r) => r.text), ['changed']);
  assert.deepEqual(await app.db.rows('select text from diary'), [{ text: 'of bob' }]);
  assert.equal((await app.get('anon', 'diary')).status, 401);
  assert.equal((await app.get('service', 'diary?select=text,secret')).json.length, 1);
});

test('Prefer: lsn names a place in the log behind the commit', async () => {
  const { db } = app;
  await db.query('create publication wrote for table shelf');
  await db.query(`select pg_create_logical_replication_slot('api_write_lsn', 'pgoutput', true)`);
  const behind = async (lsn) => (await db.rows(`select max(lsn)::text as last, max(lsn) <= $1::pg_lsn as holds, count(*)::int as n from pg_logical_slot_get_binary_changes('api_write_lsn', null, null, 'proto_version', '1', 'publication_names', 'wrote')`, [lsn]))[0];
  const lsn = { Prefer: 'lsn' };
  for (const ask of [() => post('shelf', { id: 90, code: 'lsn' }, lsn), () => post('shelf', { id: 91, code: 'lsn too' }, { Prefer: 'lsn, return=representation' }),
    () => patch('shelf?id=eq.90', { note: 'x' }, { Prefer: 'lsn,handling=strict' }), () => remove('shelf?id=in.(90,91)', lsn)]) {
    const r = await ask();
    assert.ok(r.status < 300, r.text);
    assert.match(r.headers['pgstack-lsn'], /^[0-9A-F]+\/[0-9A-F]+$/);
    assert.match(r.headers['preference-applied'], /\blsn\b/);
    let seen;
    await until('the log to be written', async () => (seen = await behind(r.headers['pgstack-lsn'])).n > 0);
    assert.ok(seen.holds, `${seen.last} is behind ${r.headers['pgstack-lsn']}`);
  }
  const rows = await post('shelf', { id: 92, code: 'rows' }, { Prefer: 'lsn, return=representation' });
  assert.equal(rows.json[0].id, 92);
  for (const r of [await post('shelf', { id: 93, code: 'plain' }), await post('shelf', { id: 93, code: 'twice' }, lsn), await app.ask(editor, 'GET', '/rest/v1/shelf?id=eq.92', undefined, lsn)])
    assert.equal(r.headers['pgstack-lsn'], undefined);
  await db.query(`select pg_drop_replication_slot('api_write_lsn')`);
  await db.query('drop publication wrote');
});
