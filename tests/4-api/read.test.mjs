// GET and HEAD: filters, columns, order, pages, counts, and how each goes wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_read'); });
after(() => app?.close());

const enc = encodeURIComponent;

/** The ids that a filter leaves, in order. */
async function ids(filter) {
  const r = await app.get('anon', `item?select=id&order=id&${filter}`);
  assert.equal(r.status, 200, `${filter}: ${r.text}`);
  return r.json.map((row) => row.id);
}

// filter -> the same in SQL, answered by psql
const filters = {
  'id=eq.3': 'id = 3',
  'id=neq.3': 'id <> 3',
  'price=gt.2.25': 'price > 2.25',
  'price=gte.2.25': 'price >= 2.25',
  'stock=lt.7': 'stock < 7',
  'stock=lte.7': 'stock <= 7',
  'weight=eq.0.5': 'weight = 0.5',
  'weight=gt.-1': 'weight > -1',
  'price=eq.0.050': 'price = 0.05',
  'name=eq.apple': "name = 'apple'",
  'name=like.*pp*': "name like '%pp%'",
  'name=like.p*': "name like 'p%'",
  'name=ilike.P*': "name ilike 'P%'",
  [`name=like.${enc('100%')}*`]: "name like '100%%'",
  [`name=eq.${enc('Plum, dark')}`]: "name = 'Plum, dark'",
  [`name=eq.${enc('a"b\\c')}`]: "name = 'a\"b\\c'",
  [`name=eq.${enc('100% (new)')}`]: "name = '100% (new)'",
  [`name=eq.${enc('mañana 🍎')}`]: "name = 'mañana 🍎'",
  'name=eq.Plum,+dark': "name = 'Plum, dark'",
  'name=eq.': "name = ''",
  [`name=eq.${enc("x' or '1'='1")}`]: 'false',
  [`name=eq.${enc("'; drop table item; --")}`]: 'false',
  'sold=is.true': 'sold is true',
  'sold=is.false': 'sold is false',
  'sold=is.null': 'sold is null',
  'sold=is.unknown': 'sold is unknown',
  'sold=eq.true': 'sold = true',
  'weight=is.null': 'weight is null',
  'weight=not.is.null': 'weight is not null',
  'id=in.(1,3,5)': 'id in (1, 3, 5)',
  'id=in.(4)': 'id in (4)',
  'id=in.()': 'false',
  'id=not.in.(1,3,5)': 'id not in (1, 3, 5)',
  [`name=in.(${enc('"Plum, dark",apple')})`]: "name in ('Plum, dark', 'apple')",
  [`name=in.(${enc('"a\\"b\\\\c"')})`]: "name = 'a\"b\\c'",
  [`name=in.("100%25 (new)",pear)`.replaceAll(' ', '%20')]: "name in ('100% (new)', 'pear')",
  'id=not.eq.3': 'not id = 3',
  'name=not.like.*a*': "not name like '%a%'",
  'mood=eq.happy': "mood = 'happy'",
  'mood=in.(sad,ok)': "mood in ('sad', 'ok')",
  [`mood=eq.${enc('so, so "quoted"')}`]: `mood = 'so, so "quoted"'`,
  [`mood=in.(${enc('"so, so \\"quoted\\"",sad')})`]: `mood in ('so, so "quoted"', 'sad')`,
  'mood=gt.sad': "mood > 'sad'",
  [`tags=cs.${enc('{fruit}')}`]: "tags @> '{fruit}'",
  [`tags=cs.${enc('{fruit,red}')}`]: "tags @> '{fruit,red}'",
  [`tags=cd.${enc('{red,fruit,round}')}`]: "tags <@ '{red,fruit,round}'",
  [`tags=ov.${enc('{green,"x y"}')}`]: `tags && '{green,"x y"}'`,
  [`tags=eq.${enc('{red,fruit}')}`]: "tags = '{red,fruit}'",
  [`sizes=ov.${enc('{1,9}')}`]: "sizes && '{1,9}'",
  [`sizes=not.cs.${enc('{3}')}`]: "not sizes @> '{3}'",
  [`attrs=cs.${enc('{"a": 1}')}`]: `attrs @> '{"a": 1}'`,
  [`attrs=cd.${enc('{"a": 2, "z": 1}')}`]: `attrs <@ '{"a": 2, "z": 1}'`,
  'ref=eq.11111111-1111-4111-8111-111111111111': "ref = '11111111-1111-4111-8111-111111111111'",
  'ref=eq.11111111-1111-4111-8111-11111111111F': 'false',
  'made=gte.2024-02-29': "made >= '2024-02-29'",
  [`seen=lt.${enc('2024-01-01T10:00:01+00:00')}`]: "seen < '2024-01-01T10:00:01+00'",
  'seen=lt.2024-01-01T10:00:01Z': "seen < '2024-01-01T10:00:01Z'",
  'stock=gte.5&stock=lt.10': 'stock >= 5 and stock < 10',
  'stock=eq.7&sold=is.true': 'stock = 7 and sold is true',
  'or=(id.eq.1,id.eq.2)': 'id = 1 or id = 2',
  'or=(id.eq.1,and(stock.eq.7,sold.is.true))': 'id = 1 or (stock = 7 and sold is true)',
  'and=(id.gt.1,or(stock.eq.7,mood.eq.sad))': "id > 1 and (stock = 7 or mood = 'sad')",
  'not.or=(id.eq.1,id.eq.2)': 'not (id = 1 or id = 2)',
  'not.and=(id.gte.2,id.lte.4)': 'not (id >= 2 and id <= 4)',
  'or=(id.not.eq.1,not.and(id.eq.1,sold.is.false))': 'not id = 1 or not (id = 1 and sold is false)',
  'or=(id.in.(1,2),id.eq.5)': 'id in (1, 2) or id = 5',
  [`or=(name.eq.${enc('"Plum, dark"')},id.eq.1)`]: "name = 'Plum, dark' or id = 1",
  [`or=(tags.cs.${enc('{red,fruit}')},id.eq.5)`]: "tags @> '{red,fruit}' or id = 5",
  'or=(id.eq.1,id.eq.2)&or=(stock.eq.0,stock.eq.99)': '(id = 1 or id = 2) and (stock = 0 or stock = 99)',
};

test('Accept-Profile and Content-Profile: the schema of the table, and no other', async () => {
  const other = { code: 'PGRST106', message: 'The schema must be one of the following: public', details: null, hint: null };
  for (const [method, header, body] of [['GET', 'Accept-Profile'], ['HEAD', 'Accept-Profile'], ['POST', 'Content-Profile', { id: 999 }], ['PATCH', 'Content-Profile', {}], ['DELETE', 'Content-Profile']]) {
    const refused = await app.ask('service', method, '/rest/v1/item?id=eq.-1', body, { [header]: 'secret' });
    assert.deepEqual([refused.status, method === 'HEAD' ? other : refused.json], [406, other], method);
    assert.notEqual((await app.ask('service', method, '/rest/v1/item?id=eq.-1', body, { [header]: 'public' })).status, 406, method);
  }
  assert.equal((await app.ask('anon', 'GET', '/rest/v1/item?id=eq.1', undefined, { 'Content-Profile': 'secret' })).status, 200, 'of writes');
  assert.equal((await app.ask('anon', 'GET', '/rest/v1/rpc/add?a=1', undefined, { 'Accept-Profile': 'secret' })).status, 406);
});

test('filters answer what SQL answers', async (t) => {
  for (const [filter, where] of Object.entries(filters))
    await t.test(filter, async () => {
      const expected = (await app.db.rows(`select id from item where ${where} order by id`)).map((r) => r.id);
      assert.deepEqual(await ids(filter), expected);
    });
});

// request -> [status, code]
const refused = {
  'item?id=eq.abc': [400, '22P02'],
  'item?id=eq.99999999999': [400, /^(22003|22P02)$/],
  'item?price=eq.1,5': [400, '22P02'],
  'item?ref=eq.nonsense': [400, '22P02'],
  'item?mood=eq.angry': [400, '22P02'],
  'item?made=eq.2024-02-30': [400, /^(22008|22007|22P02)$/],
  'item?sold=is.maybe': [400, 'PGRST100'],
  'item?id=in.1,2': [400, 'PGRST100'],
  'item?id=in.(1,2': [400, 'PGRST100'],
  'item?id=3': [400, 'PGRST100'],
  'item?id=equals.3': [400, 'PGRST100'],
  'item?or=(id.eq.1': [400, 'PGRST100'],
  'item?or=(id.eq.1)x': [400, 'PGRST100'],
  'item?or=()': [400, 'PGRST100'],
  'item?nothing=eq.1': [400, '42703'],
  'item?select=id,nothing': [400, '42703'],
  'item?select=id,': [400, 'PGRST100'],
  'item?order=nothing': [400, '42703'],
  'item?order=id.up': [400, 'PGRST100'],
  'item?limit=x': [400, 'PGRST100'],
  'item?offset=x': [400, 'PGRST100'],
  'item?limit=-1': [/^(400|416)$/, /^(PGRST100|PGRST103)$/],
  [`item?tags=cs.${enc('{a')}`]: [400, '22P02'],
  [`item?attrs=cs.${enc('{a')}`]: [400, '22P02'],
  'item?name=eq.%ff': [400, /^(PGRST100|22021)$/],
  'item?name=eq.%00': [400, /^(PGRST100|22021)$/],
  'item?name=eq.%zz': [400, 'PGRST100'],
  'item?select=name::nonsense': [400, /^(42704|PGRST100)$/],
  [`item?select=${enc('id,name"; drop table item; --')}`]: [400, /./],
  [`item?order=${enc('id;drop table item')}`]: [400, /./],
  [`item?${enc('id"=1 or "1"')}=eq.1`]: [400, /./],
  'nothing': [404, 'PGRST205'],
  'nothing?select=id': [404, 'PGRST205'],
  'pgstack.users': [404, 'PGRST205'],
  'users': [404, 'PGRST205'],
};

test('what is wrong is refused, by name', async (t) => {
  for (const [path, [status, code]] of Object.entries(refused))
    await t.test(path, async () => {
      const r = await app.get('anon', path);
      assert.match(String(r.status), status instanceof RegExp ? status : new RegExp(`^${status}$`), r.text);
      assert.match(r.headers['content-type'], /^application\/json/);
      assert.deepEqual(Object.keys(r.json).sort(), ['code', 'details', 'hint', 'message']);
      assert.match(r.json.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), r.text);
      assert.equal(typeof r.json.message, 'string');
    });
  assert.equal(await app.db.value('select count(*) from item'), '6');
});

test('bounds: deep trees, long lists, long URLs are refused, not served', async () => {
  const deep = `item?and=(${'or('.repeat(20)}id.eq.1${')'.repeat(20)})`;
  assert.equal((await app.get('anon', deep)).status, 400);
  const list = (await app.get('anon', `item?id=in.(${Array.from({ length: 20000 }, () => 1).join(',')})`));
  assert.ok([400, 414, 431].includes(list.status), String(list.status));
  const many = (await app.get('anon', `item?${Array.from({ length: 200 }, (_, i) => `id=neq.${i}`).join('&')}`));
  assert.equal(many.status, 400);
  const huge = (await app.get('anon', 'item?limit=1000000000&order=id'));
  assert.equal(huge.status, 200);
  assert.equal((await app.get('anon', 'item?select=id&id=eq.1')).json.length, 1);
});

test('columns, aliases, casts', async () => {
  const one = async (select) => (await app.get('anon', `item?id=eq.1&select=${select}`)).json[0];
  assert.deepEqual(Object.keys(await one('*')), ['id', 'name', 'price', 'stock', 'weight', 'sold', 'mood', 'tags', 'sizes', 'attrs', 'ref', 'made', 'seen']);
  assert.deepEqual((await app.get('anon', 'item?id=eq.1')).json[0], await one('*'));
  assert.deepEqual(await one('name,id'), { name: 'apple', id: 1 });
  assert.equal((await app.get('anon', 'item?id=eq.1&select=name,id')).text, '[{"name":"apple","id":1}]');
  assert.deepEqual(await one('title:name,nr:id'), { title: 'apple', nr: 1 });
  assert.deepEqual(await one('id::text,price::text'), { id: '1', price: '1.50' });
  assert.deepEqual(await one('p:price::integer'), { p: 2 });
  assert.deepEqual(await one('*,again:id').then((r) => r.again), 1);
  const spaces = await app.get('anon', `item?id=eq.1&select=${enc('id, name')}`);
  assert.ok([200, 400].includes(spaces.status));
});

test('the form of each value', async () => {
  const r = await app.get('anon', 'item?id=eq.2');
  assert.equal(r.text, '[{"id":2,"name":"pear","price":2.25,"stock":0,"weight":0.5,"sold":true,"mood":"happy",'
    + '"tags":["green","fruit"],"sizes":[2,3],"attrs":{"a": 2},"ref":"22222222-2222-4222-8222-222222222222",'
    + '"made":"2024-02-29","seen":"2024-02-29T23:59:59.123456+00:00"}]');
  assert.equal(r.headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual((await app.get('anon', 'item?id=eq.3')).json[0],
    { id: 3, name: 'Plum, dark', price: 12.00, stock: 5, weight: null, sold: null, mood: 'sad', tags: [], sizes: null, attrs: null, ref: null, made: null, seen: null });
  assert.equal((await app.get('anon', 'item?id=eq.3&select=price')).text, '[{"price":12.00}]');
});

test('order', async () => {
  const order = async (by) => (await app.get('anon', `item?select=id&order=${by}`)).json.map((r) => r.id);
  const sql = async (by) => (await app.db.rows(`select id from item order by ${by}`)).map((r) => r.id);
  for (const [by, text] of Object.entries({
    'id.desc': 'id desc', 'name': 'name', 'name.asc,id.desc': 'name, id desc', 'stock.desc,id': 'stock desc, id',
    'weight.asc.nullsfirst': 'weight asc nulls first', 'weight.desc.nullslast': 'weight desc nulls last',
    'weight.nullsfirst': 'weight nulls first', 'weight.desc': 'weight desc', 'mood,id': 'mood, id',
  })) assert.deepEqual(await order(by), await sql(text), by);
});

test('pages: limit, offset, Range, Content-Range, 206, 416', async (t) => {
  const all = 'item?select=id&order=id';
  const ask = async (path, headers) => {
    const r = await app.get('anon', path, headers);
    return [r.status, r.headers['content-range'], r.status < 300 ? r.json.map((x) => x.id) : r.json.code];
  };
  const exact = { Prefer: 'count=exact' };
  const cases = [
    [all, {}, 200, '0-5/*', [1, 2, 3, 4, 5, 6]],
    [all, exact, 200, '0-5/6', [1, 2, 3, 4, 5, 6]],
    [`${all}&limit=2`, {}, 200, '0-1/*', [1, 2]],
    [`${all}&limit=2`, exact, 206, '0-1/6', [1, 2]],
    [`${all}&limit=2&offset=2`, exact, 206, '2-3/6', [3, 4]],
    [`${all}&offset=4`, exact, 206, '4-5/6', [5, 6]],
    [`${all}&offset=4`, {}, 200, '4-5/*', [5, 6]],
    [`${all}&limit=100`, exact, 200, '0-5/6', [1, 2, 3, 4, 5, 6]],
    [`${all}&limit=0`, {}, 200, '*/*', []],
    [`${all}&offset=100`, {}, 200, '*/*', []],
    [`${all}&offset=100`, exact, 416, '*/6', 'PGRST103'],
    [`${all}&id=eq.77`, {}, 200, '*/*', []],
    [`${all}&id=eq.77`, exact, 200, '*/0', []],
    [`${all}&id=lt.3`, exact, 200, '0-1/2', [1, 2]],
    [all, { Range: '0-1' }, 200, '0-1/*', [1, 2]],
    [all, { Range: '0-1', 'Range-Unit': 'items', ...exact }, 206, '0-1/6', [1, 2]],
    [all, { Range: '2-', ...exact }, 206, '2-5/6', [3, 4, 5, 6]],
    [all, { Range: '2-3', ...exact }, 206, '2-3/6', [3, 4]],
    [all, { Range: '100-101', ...exact }, 416, '*/6', 'PGRST103'],
    [all, { Range: '3-1' }, 416, undefined, 'PGRST103'],
  ];
  for (const [path, headers, status, range, what] of cases)
    await t.test(`${path.slice(24)} ${JSON.stringify(headers)}`, async () => {
      const got = await ask(path, headers);
      if (range === undefined) got[1] = undefined;
      assert.deepEqual(got, [status, range, what]);
    });
  const applied = await app.get('anon', all, exact);
  assert.equal(applied.headers['preference-applied'], 'count=exact');
});

test('HEAD is GET without a body', async () => {
  for (const path of ['item?select=id', 'item?select=id&limit=2', 'item?id=eq.77', 'nothing', 'item?id=eq.abc']) {
    const headers = { Prefer: 'count=exact' };
    const get = await app.ask('anon', 'GET', `/rest/v1/${path}`, undefined, headers);
    const head = await app.ask('anon', 'HEAD', `/rest/v1/${path}`, undefined, headers);
    assert.equal(head.status, get.status, path);
    assert.equal(head.raw.length, 0);
    assert.equal(head.headers['content-range'], get.headers['content-range']);
    assert.equal(head.headers['content-type'], get.headers['content-type']);
  }
});

test('one object where the client asks for one', async () => {
  const Accept = 'application/vnd.pgrst.object+json';
  const one = await app.get('anon', 'item?id=eq.1&select=id,name', { Accept });
  assert.equal(one.status, 200);
  assert.equal(one.text, '{"id":1,"name":"apple"}');
  assert.match(one.headers['content-type'], /^application\/vnd\.pgrst\.object\+json/);
  for (const [path, rows] of [['item?id=eq.77', 0], ['item?id=lt.4', 3]]) {
    const r = await app.get('anon', path, { Accept });
    assert.equal(r.status, 406);
    assert.equal(r.json.code, 'PGRST116');
    assert.equal(r.json.details, `The result contains ${rows} rows`);
  }
});

test('media types', async () => {
  for (const Accept of ['*/*', 'application/json', 'application/*', 'text/html, application/json;q=0.9, */*;q=0.1'])
    assert.equal((await app.get('anon', 'item?limit=1', { Accept })).status, 200, Accept);
  const none = await app.get('anon', 'item?limit=1', { Accept: 'image/png' });
  assert.equal(none.status, 406);
  assert.equal(none.json.code, 'PGRST107');
  const problem = await app.get('anon', 'nothing', { Accept: 'application/problem+json' });
  assert.equal(problem.status, 404);
  assert.match(problem.headers['content-type'], /^application\/problem\+json/);
  assert.equal(problem.json.status, 404);
});

test('methods that a path does not have', async () => {
  for (const [method, path] of [['PUT', 'item'], ['POST', 'item_stock'], ['DELETE', 'item_stock?n=eq.1'], ['PATCH', 'rpc/add'], ['DELETE', 'rpc/add'], ['TRACE', 'item'], ['BREW', 'item']]) {
    const r = await app.ask('anon', method, `/rest/v1/${path}`);
    assert.equal(r.status, 405, `${method} ${path}: ${r.status} ${r.text}`);
    assert.ok(r.headers.allow, `${method} ${path} has no Allow`);
  }
  const options = await app.ask('none', 'OPTIONS', '/rest/v1/item');
  assert.ok([200, 204].includes(options.status));
  assert.match(options.headers.allow, /GET/);
});

test('views: aggregates, filters, order', async () => {
  const r = await app.get('anon', 'item_stock?order=mood&n=gte.1');
  const rows = await app.db.rows('select mood, n::int, stock::int from item_stock order by mood');
  assert.deepEqual(r.json, rows);
});

test('paths are exact', async () => {
  for (const path of ['/rest/v1/item/', '/rest/v1/ITEM', '/rest/v1//item', '/rest/v1', '/REST/v1/item', '/rest/v1/item/1', '/nothing', '/rest/v1/../v1/nothing', '/rest/v1/item%00']) {
    const r = await app.ask('anon', 'GET', path);
    assert.ok([404, 400].includes(r.status), `${path}: ${r.status}`);
  }
  assert.equal((await app.ask('anon', 'GET', '/rest/v1/%69tem?limit=1')).status, 200);
});
