// The types beyond the usual ones: in and out as JSON, in filters and arguments, and bad ones refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_types'); });
after(() => app?.close());

const rep = { Prefer: 'return=representation' };
const post = (body, path = 'sort') => app.ask(editor, 'POST', `/rest/v1/${path}`, body, rep);

// column -> [JSON in, JSON out (as in when left out)]
const kept = [
  ['c3', '"abc"'], ['c3', '"a"', '"a  "'], ['c3', '""', '"   "'], ['c3', '"漢字漢"'],
  ['opens', '"10:00:00+02"'], ['opens', '"10:00:00.5Z"', '"10:00:00.5+00"'],
  ['whole', '"2024-01-02T03:04:05.6"', '"2024-01-02T03:04:06"'],
  ['took', '"1 day 02:30:00"'], ['took', '"P1DT2H30M"', '"1 day 02:30:00"'], ['took', '"-00:00:01"'], ['took', '"90 min"', '"01:30:00"'],
  ['price', '"$1,234.50"'], ['price', '12.3', '"$12.30"'], ['price', '"-5"', '"-$5.00"'],
  ['mask', '"101"'], ['bits', '"10101"'], ['bits', '""'],
  ['host', '"10.0.0.1"'], ['host', '"10.0.0.1/8"'], ['host', '"::1"'], ['net', '"10.0.0.0/8"'], ['net', '"2001:db8::/32"'],
  ['nic', '"08:00:2b:01:02:03"'], ['nic', '"08002b010203"', '"08:00:2b:01:02:03"'], ['nic8', '"08:00:2b:01:02:03:04:05"'],
  ['words', '"\'cat\':1 \'mat\':4"'], ['words', '"a b a"', '"\'a\' \'b\'"'], ['search', '"\'a\' & !\'b\'"'],
  ['page', '"<a>\\"ä\\"</a>"'], ['way', '"$.\\"a\\"[*]"'],
  ['i4r', '"[1,5)"'], ['i4r', '"[1,5]"', '"[1,6)"'], ['i4r', '"empty"'], ['i4r', '"(,)"'], ['i8r', '"[9007199254740993,)"'], ['nr', '"(1.50,2]"'],
  ['tsr', '"[\\"2024-01-01 00:00:00\\",)"'], ['tzr', '"[2024-01-01T00:00:00+02:00,2024-01-02)"', '"[\\"2023-12-31 22:00:00+00\\",\\"2024-01-02 00:00:00+00\\")"'],
  ['dr', '"[2024-01-01,2024-02-01)"'], ['i4m', '"{[1,3),[5,7)}"'], ['i4m', '"{}"'], ['dm', '"{[2024-01-01,2024-02-01)}"'],
  ['at', '"(1,2.5)"'], ['frame', '"(1,1),(0,0)"'], ['area', '"((0,0),(1,0),(1,1))"'], ['ring', '"<(0,0),2>"'],
  ['c3s', '["abc","a  ",null]'], ['tooks', '["1 day","02:00:00",null]'], ['hosts', '["10.0.0.1","::1"]'], ['masks', '["101","000"]'],
  ['i4rs', '["[1,5)","empty",null]'], ['prices', '["$1.00","$2,000.00"]'], ['ats', '["(1,2)","(3,4)"]'], ['tooks', '[["1 day"],["2 days"]]'], ['i4rs', '[]'],
];

test('in and out', async (t) => {
  for (const [column, into, out = into] of kept)
    await t.test(`${column} ${into}`, async () => {
      const r = await post(`{"${column}": ${into}}`, `sort?select=${column}`);
      assert.equal(r.status, 201, r.text.slice(0, 300));
      assert.equal(r.text, `[{"${column}":${out}}]`);
      const changed = await app.ask(editor, 'PATCH', `/rest/v1/sort?id=eq.1&select=${column}`, `{"${column}": ${into}}`, rep);
      assert.equal(changed.text, `[{"${column}":${out}}]`, 'PATCH');
      const many = await post(`[{"${column}": ${into}}, {"${column}": null}]`, `sort?select=${column}`);
      assert.equal(many.text, `[{"${column}":${out}},\n {"${column}":null}]`, 'several rows');
    });
});

// [what the row holds, filters that find it, filters that do not]
const found = [
  ['{"c3": "xy"}', ['c3=eq.xy', 'c3=eq.xy ', 'c3=in.(xy,zz)', 'c3=like.x*', 'c3=gt.xx'], ['c3=eq.xyz', 'c3=lt.xx']],
  ['{"took": "90 min"}', ['took=eq.1:30', 'took=gt.1 hour', 'took=lte.90 min', 'took=in.(1 day,"01:30:00")'], ['took=lt.1 hour']],
  ['{"price": 7}', ['price=eq.7', 'price=lt.8', 'price=eq.$7.00'], ['price=gt.7']],
  ['{"mask": "101"}', ['mask=eq.101', 'mask=in.(101,111)', 'mask=neq.100'], ['mask=eq.10', 'mask=eq.1']],
  ['{"host": "10.1.0.1", "net": "10.0.0.0/8"}', ['host=eq.10.1.0.1', 'host=gt.10.0.0.0', 'net=eq.10.0.0.0/8', 'net=ov.10.2.0.0/16', 'host=sl.10.0.0.0/8'], ['host=is.null']],
  ['{"opens": "10:00:00+00"}', ['opens=eq.10:00:00Z', 'opens=lt.10:00:01Z'], ['opens=eq.10:00:00%2B01']],
  ['{"i4r": "[1,5)"}', ['i4r=eq.[1,4]', 'i4r=cs.[2,3]', 'i4r=cd.[0,9]', 'i4r=ov.[4,9]', 'i4r=sl.[7,9]', 'i4r=sr.[-3,0]', 'i4r=adj.[5,9]', 'i4r=nxl.[1,2]', 'i4r=nxr.[1,9]',
    'i4r=in.("[1,5)",empty)', 'or=(i4r.eq."[1,5)",id.lt.0)'], ['i4r=ov.[5,9]', 'i4r=cs.[4,5]']],
  ['{"dr": "[2024-01-01,2024-02-01)"}', ['dr=cs.[2024-01-05,2024-01-06]', 'dr=gte.[2024-01-01,2024-01-02)'], ['dr=cs.[2024-02-01,2024-02-02]']],
  ['{"i4m": "{[1,3),[5,7)}"}', ['i4m=cs.{[1,2)}', 'i4m=ov.{[2,9)}'], ['i4m=cs.{[3,4)}']],
  ['{"nic": "08:00:2b:01:02:03"}', ['nic=eq.08002b010203', 'nic=in.(08002b010203)'], ['nic=eq.08002b010204']],
  ['{"tooks": ["1 day", "2 days"]}', ['tooks=cs.{24:00:00}', 'tooks=eq.{1 day,2 days}'], ['tooks=cs.{3 days}']],
  ['{"words": "a b"}', ['words=eq.b a', 'words=not.is.null'], ['words=eq.a']],
];

test('filters', async (t) => {
  for (const [row, yes, no] of found) {
    const [{ id }] = (await post(row)).json;
    for (const [filters, count] of [[yes, 1], [no, 0]])
      for (const filter of filters)
        await t.test(`${row} ${filter}`, async () => {
          const r = await app.get(editor, `sort?id=eq.${id}&select=id&${filter.replaceAll(' ', '%20').replaceAll('"', '%22')}`);
          assert.equal(r.status, 200, r.text);
          assert.equal(r.json.length, count);
        });
  }
});

test('null is null', async () => {
  const columns = [...new Set(kept.map(([c]) => c))];
  const r = await post(`{${columns.map((c) => `"${c}": null`).join(',')}}`);
  assert.equal(r.status, 201, r.text);
  for (const c of columns) {
    assert.equal(r.json[0][c], null, c);
    assert.equal((await app.get(editor, `sort?id=eq.${r.json[0].id}&${c}=is.null&select=id`)).json.length, 1, c);
  }
});

// [body, code]
const refused = [
  ['{"c3": "abcd"}', '22001'], ['{"c3": "abc "}', '22001'], ['{"c3": 1}', '22P02'], ['{"c3s": ["abcd"]}', '22001'],
  ['{"opens": "25:00"}', '22008'], ['{"opens": "now"}', '22007'], ['{"opens": "10:00+16"}', '22009'], ['{"whole": "x"}', '22007'],
  ['{"took": "x"}', '22007'], ['{"took": 5}', '22P02'], ['{"took": ""}', '22007'], ['{"took": "99999999999 years"}', '22015'], ['{"tooks": ["x"]}', '22007'], ['{"tooks": "{x}"}', '22007'],
  ['{"price": "x"}', '22P02'], ['{"price": 1e400}', '22P02'], ['{"price": 99999999999999999999}', '22003'], ['{"price": true}', '22P02'],
  ['{"mask": "10"}', '22026'], ['{"mask": "1011"}', '22026'], ['{"mask": "102"}', '22P02'], ['{"mask": 101}', '22P02'], ['{"bits": "101010"}', '22001'], ['{"masks": ["10"]}', '22026'],
  ['{"host": "10.0.0.256"}', '22P02'], ['{"net": "10.0.0.1/8"}', '22P02'], ['{"nic": "xx"}', '22P02'], ['{"nic8": "1"}', '22P02'], ['{"hosts": ["x"]}', '22P02'],
  ['{"words": "\'"}', '42601'], ['{"search": "a &"}', '42601'], ['{"page": "<a>"}', '2200N'], ['{"way": "$["}', '42601'],
  ['{"i4r": "[5,1]"}', '22000'], ['{"i4r": "x"}', '22P02'], ['{"i4r": [1,5]}', '22P02'], ['{"i4r": {}}', '22P02'], ['{"i4r": "[1,99999999999]"}', '22003'], ['{"dr": "[2024-02-30,)"}', '22008'],
  ['{"i4m": "[1,5)"}', '22P02'], ['{"i4rs": ["[1,"]}', '22P02'], ['{"i4r": "[1,2147483647]"}', '22003'],
  ['{"at": "1"}', '22P02'], ['{"frame": "(1,2)"}', '22P02'], ['{"area": "((0,0)"}', '22P02'], ['{"ring": "<(0,0),-1>"}', '22P02'], ['{"at": [1,2]}', '22P02'],
];

test('what is none is 400 with PostgreSQL\'s code', async (t) => {
  for (const [body, code] of refused)
    await t.test(body, async () => {
      const r = await post(body);
      assert.equal(r.status, 400, r.text);
      assert.equal(r.json.code, code, r.text);
    });
});

test('filters that are none are the client\'s fault', async () => {
  for (const [filter, status, code] of [
    ['took=eq.x', 400, '22007'], ['host=eq.x', 400, '22P02'], ['mask=in.(2)', 400, '22P02'], ['i4r=cs.5', 400, '22P02'], ['opens=gt.x', 400, '22007'],
    ['at=eq.(1,2)', 404, '42883'], ['page=eq.x', 404, '42883'], ['way=lt.$', 404, '42883'], ['took=like.x', 404, '42883'], ['c3=adj.x', 404, '42883']]) {
    const r = await app.get(editor, `sort?${filter}`);
    assert.equal(r.status, status, `${filter}: ${r.text}`);
    assert.equal(r.json.code, code, filter);
  }
});

test('casts in select', async () => {
  const [{ id }] = (await post('{"took": "1 day", "host": "10.0.0.1", "price": 5}')).json;
  const r = await app.get(editor, `sort?id=eq.${id}&select=took::text,host::cidr,p:price::numeric`);
  assert.equal(r.text, '[{"took":"1 day","host":"10.0.0.1/32","p":5.00}]');
});

test('arguments', async () => {
  const all = { took: '1 day', net: '10.0.0.1', room: '[1,5)', c3: 'abc', mask: '101', tooks: ['1 day', '2 days'] };
  const r = await app.ask(editor, 'POST', '/rest/v1/rpc/types_echo', JSON.stringify(all));
  assert.deepEqual(r.json, [all], r.text);
  const got = await app.get(editor, 'rpc/types_echo?took=1%20day&net=10.0.0.1&room=[1,5)&c3=abc&mask=101&tooks={1%20day,2%20days}');
  assert.deepEqual(got.json, [all], got.text);
  const bad = await app.get(editor, 'rpc/types_echo?took=x');
  assert.equal(bad.status, 400);
  assert.equal(bad.json.code, '22007');
});

// ---- types of the schema's own ----

const place = '{"street":"Main \\"St\\" \\\\ (1), x","code":"ab","hue":"light \\"green\\"","floor":-3,"mails":["a@b",null,"c \\"d\\"@e"],"doc":{"a": [1, "x"]},"made":"2024-01-02T03:04:05+00:00","flat":true}';
const nothing = '{"street":null,"code":null,"hue":null,"floor":null,"mails":null,"doc":null,"made":null,"flat":null}';
const person = `{"name":"","home":${place},"others":[${place},null,${nothing}],"stars":5}`;
const keptOwn = [
  ['mail', '"a@b"'], ['stars', '4'], ['few', '["a","b"]'], ['few', '[]'], ['mails', '["a@b",null]'], ['code', '"abc"'],
  ['place', place], ['place', nothing], ['place', '{}', nothing], ['place', '{"street": "ä"}', nothing.replace('null', '"ä"')],
  ['place', '"(a,b,red,1,{},,,t)"', '{"street":"a","code":"b","hue":"red","floor":1,"mails":[],"doc":null,"made":null,"flat":true}'],
  ['places', `[${place},${nothing}]`], ['places', '[]'], ['places', `[null,${place}]`],
  ['person', person], ['person', `{"stars": 1}`, `{"name":null,"home":null,"others":null,"stars":1}`],
  ['spot', place], ['span', '"[1.5,2)"'], ['spans', '"{[1,2),[3,4.5]}"'],
];

test('types of the schema\'s own, in and out', async (t) => {
  for (const [column, into, out = into] of keptOwn)
    await t.test(`${column} ${into.slice(0, 60)}`, async () => {
      const r = await post(`{"${column}": ${into}}`, `own?select=${column}`);
      assert.equal(r.status, 201, r.text.slice(0, 300));
      assert.equal(r.text, `[{"${column}":${out}}]`);
      const changed = await app.ask(editor, 'PATCH', `/rest/v1/own?id=eq.1&select=${column}`, `{"${column}": ${into}}`, rep);
      assert.equal(changed.text, `[{"${column}":${out}}]`, 'PATCH');
      const many = await post(`[{"${column}": ${into}}, {"${column}": ${into}}]`, `own?select=${column}`);
      assert.equal(many.text, `[{"${column}":${out}},\n {"${column}":${out}}]`, 'several rows');
    });
  const r = await post('{"mail": null, "place": null, "places": null, "span": null}', 'own?select=mail,place,places,span,stars');
  assert.equal(r.text, '[{"mail":null,"place":null,"places":null,"span":null,"stars":3}]');
});

const refusedOwn = [
  ['{"mail": "ab"}', '23514'], ['{"mails": ["a@b", "x"]}', '23514'], ['{"stars": 6}', '23514'], ['{"stars": null}', '23502'], ['{"stars": "x"}', '22P02'], ['{"few": ["a","b","c"]}', '23514'],
  ['{"code": "abcd"}', '22001', 'code'], ['{"place": {"code": "abcd"}}', '22001', 'code'], ['{"place": {"floor": "x"}}', '22P02', 'floor'], ['{"place": {"floor": 1.5}}', '22P02', 'floor'],
  ['{"place": {"hue": "blue"}}', '22P02', 'hue'], ['{"place": {"mails": ["x"]}}', '23514'], ['{"place": {"mails": "x"}}', '22P02', 'mails'], ['{"place": {"mails": {"a": 1}}}', '22P02', 'mails'], ['{"place": {"made": "x"}}', '22007', 'made'], ['{"place": {"street": ["a"]}}', '22P02', 'street'],
  ['{"place": {"city": "x"}}', 'PGRST204', 'city'], ['{"place": {"floor": 1, "floor": 2}}', 'PGRST102', 'floor'], ['{"place": 5}', '22P02', 'place'], ['{"place": []}', '22P02', 'place'], ['{"place": "x"}', '22P02'], ['{"place": "(a)"}', '22P02'],
  ['{"places": {}}', '22P02', 'places'], ['{"places": [5]}', '22P02'], ['{"places": [[{}]]}', '22P02'], ['{"places": [{"floor": true}]}', '22P02', 'floor'],
  ['{"person": {"home": {"floor": "x"}, "stars": 1}}', '22P02', 'floor'], ['{"person": {"others": [{"x": 1}], "stars": 1}}', 'PGRST204', 'x'], ['{"person": {"name": "x"}}', '23502'], ['{"person": {"stars": 9}}', '23514'],
  ['{"spot": {"floor": 1}}', '23514', 'spot_check'], ['{"span": "[2,1]"}', '22000'], ['{"span": "x"}', '22P02'], ['{"place": {"street": "a\\u0000"}}', '22P05'],
];

test('types of the schema\'s own: what is none is 400', async (t) => {
  for (const [body, code, name = ''] of refusedOwn)
    await t.test(body, async () => {
      const r = await post(body, 'own');
      assert.equal(r.status, 400, r.text);
      assert.equal(r.json.code, code, r.text);
      assert.ok(`${r.json.message} ${r.json.details}`.includes(name), r.text);
    });
});

test('types of the schema\'s own in filters', async (t) => {
  const [{ id }] = (await post('{"mail": "q@r", "mails": ["q@r", "s@t"], "place": {"street": "x", "floor": 2}, "span": "[1,2)", "few": ["k"]}', 'own')).json;
  const row = '(x,,,2,,,,)';
  for (const [filter, n] of [['mail=eq.q@r', 1], ['mail=like.q*', 1], ['mail=in.(q@r,no-mail)', 1], ['mail=eq.no-mail', 0], ['stars=lt.4', 1], ['stars=eq.77', 0],
    ['mails=cs.{s@t}', 1], ['few=cs.{k}', 1], [`place=eq.${row}`, 1], ['place=eq.(y,,,2,,,,)', 0], ['place=is.null', 0], ['span=cs.[1,1.5]', 1], ['span=ov.[2,3]', 0]])
    await t.test(filter, async () => {
      const r = await app.get(editor, `own?id=eq.${id}&select=id&${filter}`);
      assert.equal(r.status, 200, r.text);
      assert.equal(r.json.length, n);
    });
  assert.equal((await app.get(editor, 'own?place=eq.x')).json.code, '22P02');
});

test('types of the schema\'s own as arguments', async () => {
  const r = await app.ask(editor, 'POST', '/rest/v1/rpc/own_echo', `{"place": ${place}, "mail": "a@b", "places": [${nothing}], "span": "[1,2)"}`);
  assert.equal(r.text, `[{"place":${place},"street":"Main \\"St\\" \\\\ (1), x","mail":"a@b","places":[${nothing}],"span":"[1,2)"}]`);
  const got = await app.get(editor, 'rpc/own_echo?place=(a,,,,,,,)&mail=a@b');
  assert.equal(got.json[0].street, 'a', got.text);
  assert.equal((await app.get(editor, 'rpc/own_echo?place=(a,,,,,,,)&mail=x')).json.code, '23514');
});

test('claims that are arrays', async () => {
  for (const [claims, answer] of [
    [{ grades: [1, null, 3], names: ['a b', 'c,"d"', '{}', null] }, { grades: [1, null, 3], names: ['a b', 'c,"d"', '{}', null] }],
    [{ grades: [], names: ['NULL'] }, { grades: [], names: ['NULL'] }], [{}, { grades: null, names: null }],
    [{ grades: '{4,5}', names: null }, { grades: [4, 5], names: null }]]) {
    const r = await app.get({ sub: editor.sub, app_metadata: claims }, 'rpc/my_arrays');
    assert.deepEqual(r.json, [answer], r.text);
  }
  for (const grades of [['x'], 'x', [[1]], { a: 1 }]) {
    const r = await app.get({ sub: editor.sub, app_metadata: { grades } }, 'rpc/my_arrays');
    assert.deepEqual([r.status, r.json.message], [401, 'A claim of the JWT is not of its declared type']);
  }
});
