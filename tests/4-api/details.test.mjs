// Details that clients of PostgREST rely on, each of which was once wrong here.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { anon_key, token } from '../lib/jwt.mjs';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_details'); });
after(() => app?.close());
beforeEach(() => app.db.query(`truncate book, shelf, pair, kind restart identity;
  insert into shelf (id, code, note) values (1, 'one', null), (2, 'two', 'second'), (10, 'ten', null)`));

const exact = { Prefer: 'count=exact' };
const rep = { Prefer: 'return=representation' };
const single = { Accept: 'application/vnd.pgrst.object+json' };
const as_editor = (method, path, body, headers) => app.ask(editor, method, `/rest/v1/${path}`, body, headers);
const shelves = () => app.db.rows('select id, code, note from shelf order by id');

test('a page that begins right behind the last row is empty, not wrong', async () => {
  const r = await app.get('anon', 'item?select=id&offset=6', exact);
  assert.deepEqual([r.status, r.headers['content-range'], r.text], [206, '*/6', '[]']);
  const none = await app.get('anon', 'item?select=id&id=eq.0&offset=0', exact);
  assert.deepEqual([none.status, none.headers['content-range']], [200, '*/0']);
  assert.equal((await app.get('anon', 'item?select=id&offset=7', exact)).status, 416);
});

test('Range and limit= name the same rows: the page is what both name', async () => {
  const cases = [
    ['limit=4&offset=1', '2-3', 200, [3, 4]],
    ['limit=2&offset=1', '0-9', 200, [2, 3]],
    ['offset=4', '0-4', 200, [5]],
    ['limit=9223372036854775807&offset=9223372036854775807', '0-9', 416],
    ['limit=9223372036854775807&offset=1', '0-1', 200, [2]],
    ['limit=5&offset=10', '0-4', 416],
    ['limit=0', '0-4', 200, []],
    ['', '3-1', 416],
  ];
  for (const [page, Range, status, ids] of cases) {
    const r = await app.get('anon', `item?select=id&order=id&${page}`, { Range });
    assert.equal(r.status, status, `${page} ${Range}: ${r.text}`);
    if (ids) assert.deepEqual(r.json.map((x) => x.id), ids, `${page} ${Range}`);
    else assert.equal(r.json.code, 'PGRST103');
  }
  const head = await app.ask('anon', 'HEAD', '/rest/v1/item?select=id', undefined, { Range: '0-1' });
  assert.equal(head.headers['content-range'], '0-5/*', 'Range is for GET');
});

test('order means the column, not what is selected under its name', async () => {
  const r = await as_editor('GET', 'shelf?select=id::text&order=id');
  assert.deepEqual(r.json.map((x) => x.id), ['1', '2', '10']);
  const twice = await as_editor('GET', 'shelf?select=id::text,id&order=id.desc&limit=1');
  assert.equal(twice.text, '[{"id":"10","id":10}]');
  const both = await app.get('anon', 'rpc/cheaper_items?than=13&select=id::text&order=id.desc&limit=1');
  assert.deepEqual(both.json, [{ id: '4' }]);
});

test('more columns than a row can have are refused', async () => {
  const r = await app.get('anon', `item?select=${Array(200).fill('*').join(',')}`);
  assert.deepEqual([r.status, r.json.code], [400, '54011']);
});

test('what is wrong in a URL or a body is told with its details', async () => {
  const url = await app.get('anon', 'item?id=not.not.eq.1');
  assert.equal(url.json.details, 'unknown single value operator not');
  const body = await as_editor('POST', 'shelf', '{"id":1');
  assert.match(body.json.details, /^line 1, column /);
  const field = await as_editor('POST', 'shelf', [{ id: 20, code: 'x' }, { id: 'y', code: 'x' }]);
  assert.equal(field.json.details, 'field "id" of row 2');
});

test('nothing is told to nobody: credentials come before paths', async () => {
  for (const [method, path] of [['GET', '/rest/v1/nothing'], ['GET', '/rest/v1/rpc/nothing'], ['PUT', '/rest/v1/item'], ['GET', '/nothing']])
    assert.equal((await app.ask('none', method, path)).status, 401, `${method} ${path}`);
});

test('an object asked for is one row written, or none, shown or not', async () => {
  const before = await shelves();
  for (const more of [{}, { Prefer: 'return=minimal' }, { Prefer: 'return=headers-only' }, rep])
    for (const [method, path, body] of [
      ['POST', 'shelf', [{ id: 20, code: 'a' }, { id: 21, code: 'b' }]],
      ['POST', 'shelf', []],
      ['PATCH', 'shelf?id=lt.3', { note: 'never' }],
      ['PATCH', 'shelf?id=eq.77', { note: 'never' }],
      ['PATCH', 'shelf?id=eq.1', {}],
      ['DELETE', 'shelf?id=lt.3'],
      ['DELETE', 'shelf?id=eq.77'],
    ]) {
      const r = await as_editor(method, path, body, { ...single, ...more });
      assert.deepEqual([r.status, r.json.code], [406, 'PGRST116'], `${method} ${path} ${JSON.stringify(more)}`);
    }
  assert.deepEqual(await shelves(), before);
  assert.equal((await as_editor('PATCH', 'shelf?id=eq.1', { note: 'x' }, single)).status, 204);
  assert.equal((await as_editor('POST', 'shelf', { id: 22, code: 'c' }, single)).status, 201);
  assert.equal((await as_editor('DELETE', 'shelf?id=eq.22', undefined, single)).status, 204);
});

test('rows written come back in the order asked for', async () => {
  const ids = (r) => r.json.map((x) => x.code ?? x.id);
  assert.deepEqual(ids(await as_editor('PATCH', 'shelf?id=gt.0&select=id&order=id.desc', { note: 'x' }, rep)), [10, 2, 1]);
  assert.deepEqual(ids(await as_editor('POST', 'shelf?select=code&order=height.desc.nullslast,code', [{ id: 20, code: 'b', height: 1 }, { id: 21, code: 'a', height: 1 }, { id: 22, code: 'c', height: 2 }], rep)), ['c', 'a', 'b']);
  assert.deepEqual(ids(await as_editor('DELETE', 'shelf?id=gte.20&select=id&order=id', undefined, rep)), [20, 21, 22]);
  const edit = createClient(`http://127.0.0.1:${app.port}`, anon_key, { auth: { persistSession: false }, global: { headers: { Authorization: `Bearer ${token(editor.sub, editor)}` } } });
  const { data, error } = await edit.from('shelf').update({ note: 'y' }).gt('id', 0).select('id').order('id', { ascending: false });
  assert.equal(error, null);
  assert.deepEqual(data, [{ id: 10 }, { id: 2 }, { id: 1 }]);
});

test('Location is a URL that leads to the row', async () => {
  const b = 'x&y=z #?%/ é\n"';
  const r = await as_editor('POST', 'pair', { a: 1, b }, { Prefer: 'return=headers-only' });
  assert.equal(r.status, 201, r.text);
  const found = await app.ask(editor, 'GET', r.headers.location);
  assert.deepEqual(found.json, [{ a: 1, b, v: null }]);
  const many = await as_editor('POST', 'pair', [{ a: 2, b: 'p' }, { a: 2, b: 'q' }], { Prefer: 'return=headers-only' });
  assert.equal(many.headers.location, undefined);
  const changed = await as_editor('PATCH', 'pair?a=eq.2&b=eq.p', { v: 'x' }, { Prefer: 'return=headers-only' });
  assert.deepEqual([changed.status, changed.headers.location], [204, undefined]);
});

test('Content-Range of writes', async () => {
  const range = async (...request) => (await as_editor(...request)).headers['content-range'];
  assert.equal(await range('POST', 'shelf', [{ id: 20, code: 'a' }, { id: 21, code: 'b' }]), '*/*');
  assert.equal(await range('POST', 'shelf', [{ id: 22, code: 'c' }, { id: 23, code: 'd' }], exact), '*/2');
  assert.equal(await range('PATCH', 'shelf?id=gte.20', { note: 'x' }, exact), '0-3/4');
  assert.equal(await range('PATCH', 'shelf?id=eq.77', { note: 'x' }, exact), '*/0');
  assert.equal(await range('PATCH', 'shelf?id=gte.20', {}, exact), '*/0');
  assert.equal(await range('DELETE', 'shelf?id=gte.20', undefined, exact), '*/4');
});

test('what does not go with a write is refused, never ignored', async () => {
  const before = await shelves();
  for (const [method, path, body] of [
    ['POST', 'shelf?id=eq.9', { id: 9, code: 'x' }],
    ['POST', 'shelf?limit=1', { id: 9, code: 'x' }],
    ['PATCH', 'shelf?id=gt.0&limit=1', { note: 'x' }],
    ['PATCH', 'shelf?nothing=eq.1', {}],
    ['DELETE', 'shelf?id=gt.0&offset=1'],
  ]) assert.equal((await as_editor(method, path, body)).status, 400, `${method} ${path}`);
  assert.deepEqual(await shelves(), before);
});

test('upsert leaves the columns alone by which duplicates are known', async () => {
  const merge = { Prefer: 'resolution=merge-duplicates,return=representation' };
  const r = await as_editor('POST', 'shelf?on_conflict=code&select=id,note', [{ code: 'two', id: 5, note: 'new' }], merge);
  assert.deepEqual(r.json, [{ id: 5, note: 'new' }]);
  const keys = await as_editor('POST', 'pair?select=v', [{ a: 1, b: 'x' }, { a: 1, b: 'y' }], merge);
  assert.equal(keys.status, 201, keys.text);
  assert.equal((await as_editor('POST', 'pair?select=a,b', { a: 1, b: 'x' }, merge)).json.length, 1, 'a row of keys alone counts as written');
});

test('rows of nothing but defaults, several at a time', async () => {
  const r = await as_editor('POST', 'kind?select=id', [{}, {}, {}], rep);
  assert.deepEqual(r.json, [{ id: 1 }, { id: 2 }, { id: 3 }]);
});

test('an argument is known by its name, whatever its value looks like', async () => {
  await app.db.query("insert into item (id, name) values (50, 'eq.x'), (51, 'is.this'), (52, 'in.(a)')");
  const ids = async (query) => (await app.get('anon', `rpc/named?select=id&${query}`)).json.map?.((x) => x.id);
  assert.deepEqual(await ids('q=eq.x'), [50]);
  assert.deepEqual(await ids('q=is.this'), [51]);
  assert.deepEqual(await ids('q=in.(a)'), [52]);
  assert.deepEqual(await ids('q=apple&limit=0'), [], 'an argument named like a word of the grammar');
  assert.deepEqual(await ids('q=apple&id=eq.1&stock=gt.100'), [], 'other names are filters');
  assert.equal((await app.get('anon', 'rpc/named?q=apple&nothing=5')).json.code, 'PGRST202');
  const post = await app.ask('anon', 'POST', '/rest/v1/rpc/named?select=id&name=eq.apple', { q: 'apple' });
  assert.deepEqual(post.json, [{ id: 1 }]);
  const both = await app.ask('anon', 'POST', '/rest/v1/rpc/named?q=pear', { q: 'apple' });
  assert.deepEqual([both.status, both.json.code], [400, 'PGRST100'], 'POST has its arguments in the body');
  await app.db.query('delete from item where id >= 50');
});

test('a call with other arguments is a call that there is not, by both ways', async () => {
  const call = (body) => app.ask('anon', 'POST', '/rest/v1/rpc/add', body);
  for (const [r, details] of [
    [await call({ a: 1, c: 2 }), 'it has no argument "c"'],
    [await app.get('anon', 'rpc/add?a=1&c=2'), 'it has no argument "c"'],
    [await call({ b: 1 }), 'it needs the argument "a"'],
    [await call(), 'it needs the argument "a"'],
    [await app.get('anon', 'rpc/add?b=1'), 'it needs the argument "a"'],
  ]) assert.deepEqual([r.status, r.json.code, r.json.details], [404, 'PGRST202', details]);
  assert.equal((await call({ a: 'x' })).json.code, '22P02');
  assert.equal((await call('{"a":1,"a":2}')).json.code, 'PGRST102');
});

test('GET of a call may only read, and a count does not call twice', async () => {
  const get = await app.get(editor, 'rpc/shelve?nr=30&label=x');
  assert.deepEqual([get.status, get.json.code, get.headers.allow], [405, '25006', 'POST, OPTIONS']);
  const head = await app.ask(editor, 'HEAD', '/rest/v1/rpc/shelve?nr=30&label=x');
  assert.equal(head.status, 405);
  assert.equal(await app.db.value('select count(*) from shelf where id = 30'), '0');
  const post = await as_editor('POST', 'rpc/shelve', { nr: 30, label: 'x' }, exact);
  assert.deepEqual([post.status, post.text, post.headers['content-range']], [200, '[30]', '0-0/1']);
  const pages = await app.get('anon', 'rpc/cheaper_items?than=13&select=id&limit=1&offset=1', exact);
  assert.deepEqual([pages.status, pages.headers['content-range']], [206, '1-1/4']);
  const none = await app.get('anon', 'rpc/cheaper_items?than=0', exact);
  assert.deepEqual([none.status, none.headers['content-range']], [200, '*/0']);
});

test('values of calls: one where one is asked for, and no columns', async () => {
  const one = await app.get('anon', 'rpc/names?limit=1', single);
  assert.deepEqual([one.text, one.headers['content-type']], ['"apple"', 'application/vnd.pgrst.object+json; charset=utf-8']);
  assert.equal((await app.get('anon', 'rpc/names', single)).json.code, 'PGRST116');
  assert.equal((await app.get('anon', 'rpc/names?limit=2', exact)).headers['content-range'], '0-1/6');
  for (const query of ['add=eq.3', 'select=add', 'order=add'])
    assert.equal((await app.get('anon', `rpc/add?a=1&b=2&${query}`)).json.code, 'PGRST100', query);
  const row = await app.get('anon', 'rpc/one_item?nr=1&select=id,name');
  assert.deepEqual([row.text, row.headers['content-type']], ['{"id":1,"name":"apple"}', 'application/json; charset=utf-8']);
  assert.equal((await app.get('anon', 'rpc/one_item?nr=1&id=eq.2')).text, 'null');
  assert.equal((await app.get('anon', 'rpc/one_item?nr=1&id=eq.2', single)).status, 406);
});

test('a form of JSON that is not there is not acceptable', async () => {
  const r = await app.get('anon', 'item?id=eq.1', { Accept: 'application/vnd.pgrst.object+json;nulls=stripped' });
  assert.deepEqual([r.status, r.json.code], [406, 'PGRST107']);
});
