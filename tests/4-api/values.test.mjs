// Values: what goes in comes out, and what does not fit its column is refused by name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { editor, openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_values', { env: { MAX_BODY_BYTES: '1000000' } }); });
after(() => app?.close());

const rep = { Prefer: 'return=representation' };
const post = (body, path = 'kind', headers = rep) => app.ask(editor, 'POST', `/rest/v1/${path}`, body, headers);

// column -> [JSON in, JSON out (as in when left out)]: compared as text, so that no digit is lost
const kept = [
  ['i2', '-32768'], ['i2', '32767'], ['i4', '-2147483648'], ['i4', '2147483647'],
  ['i8', '-9223372036854775808'], ['i8', '9223372036854775807'], ['i8', '9007199254740993'], ['i8', '0'],
  ['num', '123456789012345678901234567890.123456789012345678901234567890'], ['num', '-0.000000000000000000000000000001'],
  ['num', '100.00'], ['num', '1e3', '1000'], ['num', '1E-5', '0.00001'], ['money2', '1234567890.12'], ['money2', '0.1', '0.10'],
  ['f8', '0.1'], ['f8', '1e300', '1e+300'], ['f8', '-1.7976931348623157e+308'], ['f8', '5e-324'], ['f4', '0.1'], ['f4', '3.4028235e+38'],
  ['yes', 'true'], ['yes', 'false'],
  ['txt', '""'], ['txt', '"a\\"b\\\\c/d"'], ['txt', '"\\n\\t\\r\\b\\f"'], ['txt', '"\\u0001\\u001f"'], ['txt', '"ÄÖ ñ 漢字 🍎"'],
  ['txt', '"\\ud83c\\udf4e"', '"🍎"'], ['txt', '"\\u00e9"', '"é"'], ['txt', '"null"'], ['txt', '"</script>"'], ['txt', '"a\u2028b"'],
  ['txt', "\"'; drop table kind; --\""], ['txt', '"$1 $$ {}"'], ['txt', '"{a,b}"'], ['txt', `"${'x'.repeat(100000)}"`],
  ['code', '"12345"'], ['code', '"漢字漢字漢"'],
  ['uid', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'], ['uid', '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'],
  ['raw', '"\\\\x00ff10"'], ['raw', '"\\\\x"'],
  ['day', '"2024-02-29"'], ['day', '"0001-01-01"'], ['day', '"9999-12-31"'], ['day', '"infinity"'],
  ['at', '"2024-02-29T23:59:59.123456"'], ['at', '"2024-02-29 10:00:00"', '"2024-02-29T10:00:00"'],
  ['atz', '"2024-02-29T23:59:59.123456+00:00"'], ['atz', '"2024-02-29T23:59:59+05:30"', '"2024-02-29T18:29:59+00:00"'], ['atz', '"2024-02-29T23:59:59Z"', '"2024-02-29T23:59:59+00:00"'],
  ['doc', '{"b": 1,   "a": [1, 2, {"c": null}], "b": 2}'], ['doc', '123456789012345678901234567890'], ['doc', 'true'], ['doc', '"text"'], ['doc', '[]'],
  ['docb', '{"a": 1, "b": [true, null, "x"]}'], ['docb', '12345678901234567890.123456789'], ['docb', '"text"'], ['docb', '[1, "2", {}]'],
  ['docb', '{"k": "\\"\\\\ 🍎"}'],
  ['mood', '"happy"'], ['mood', '"so, so \\"quoted\\""'],
  ['i4s', '[1,2,3]'], ['i4s', '[]'], ['i4s', '[1,null,3]'], ['i4s', '[[1,2],[3,4]]'],
  ['txts', '["a","b"]'], ['txts', '["a b","c,d","{}","\\"","\\\\","","null",null,"NULL"]'], ['txts', '["漢","🍎"]'],
  ['uids', '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]'], ['moods', '["ok","so, so \\"quoted\\""]'], ['nums', '[1.50,123456789012345678901234567890]'],
];

test('nothing is lost on the way in and out', async (t) => {
  for (const [column, into, out = into] of kept)
    await t.test(`${column} ${into.slice(0, 60)}`, async () => {
      const r = await post(`{"${column}": ${into}}`, `kind?select=${column}`);
      assert.equal(r.status, 201, r.text.slice(0, 300));
      assert.equal(r.text, `[{"${column}":${out}}]`);
      const changed = await app.ask(editor, 'PATCH', `/rest/v1/kind?id=eq.1&select=${column}`, `{"${column}": ${into}}`, rep);
      assert.equal(changed.text, `[{"${column}":${out}}]`, 'PATCH');
    });
});

test('null is null, absent is the default', async () => {
  const columns = [...new Set(kept.map(([c]) => c))];
  const r = await post(`{${columns.map((c) => `"${c}": null`).join(',')}}`);
  assert.equal(r.status, 201, r.text);
  for (const c of columns) assert.equal(r.json[0][c], null, c);
  const stored = await app.db.value('select count(*) from kind where id = $1 and doc is null and docb is null', [r.json[0].id]);
  assert.equal(stored, '1', 'a null of JSON is a null of SQL');
});

test('floats beyond numbers', async () => {
  await app.db.query("insert into kind (id, f8, f4, num) overriding system value values (-1, 'NaN', 'Infinity', 'NaN')");
  const r = await app.get(editor, 'kind?id=eq.-1&select=f8,f4,num');
  assert.equal(r.text, '[{"f8":"NaN","f4":"Infinity","num":"NaN"}]');
});

// body -> [code, what the message must name]
const refused = [
  ['{"i2": 32768}', /^(22003|22P02)$/, 'i2'], ['{"i4": 2147483648}', /^(22003|22P02)$/, 'i4'], ['{"i8": 9223372036854775808}', /^(22003|22P02)$/, 'i8'],
  ['{"i4": 1.5}', /^22/, 'i4'], ['{"i4": "x"}', /^22/, 'i4'], ['{"i4": true}', /./, 'i4'], ['{"i4": [1]}', /./, 'i4'], ['{"i4": {}}', /./, 'i4'],
  ['{"i4": 1e400}', /^22/, 'i4'], ['{"i8": 1e19}', /^22/, 'i8'], ['{"f8": 1e999}', /^22/, 'f8'], ['{"f4": 1e60}', /^22/, 'f4'],
  ['{"money2": 12345678901.00}', /^22003$/, ''], ['{"num": "abc"}', /^22P02$/, ''], ['{"num": true}', /./, 'num'],
  ['{"yes": "maybe"}', /^22P02$/, 'yes'], ['{"yes": 2}', /./, 'yes'], ['{"txt": 5}', /./, 'txt'], ['{"txt": {}}', /./, 'txt'], ['{"txt": ["a"]}', /./, 'txt'],
  ['{"code": "123456"}', /^22001$/, 'code'], ['{"code": "漢字漢字漢字"}', /^22001$/, 'code'],
  ['{"uid": "nonsense"}', /^22P02$/, 'uid'], ['{"uid": 5}', /./, 'uid'], ['{"uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"}', /^22P02$/, 'uid'],
  ['{"day": "2024-02-30"}', /^220/, ''], ['{"day": 20240101}', /./, 'day'], ['{"at": "yesterdayish"}', /^220/, ''], ['{"atz": ""}', /^220/, ''],
  ['{"mood": "angry"}', /^22P02$/, 'mood'], ['{"mood": "OK"}', /^22P02$/, 'mood'], ['{"mood": 1}', /./, 'mood'],
  ['{"raw": "\\\\xzz"}', /^22/, ''], ['{"i4s": [1, "x"]}', /^22/, 'i4s'], ['{"i4s": 5}', /./, 'i4s'], ['{"i4s": [[1],[2,3]]}', /^22/, ''],
  ['{"moods": ["ok", "angry"]}', /^22P02$/, ''],
  ['{"txt": "a\\u0000b"}', /./, 'txt'], ['{"txt": "\\ud800"}', /./, 'txt'], ['{"docb": {"a": "\\u0000"}}', /./, 'docb'],
  ['{"txt": "a", "txt": "b"}', /./, 'txt'], ['{"nothing": 1}', /^PGRST204$/, 'nothing'], ['{"": 1}', /./, ''],
  ['{"I4": 1}', /^PGRST204$/, 'I4'], ['{"id": 1}', /^(428C9|PGRST204|42501)$/, 'id'],
  [`{"docb": ${'['.repeat(5000)}${']'.repeat(5000)}}`, /./, ''], [`{"doc": ${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, /./, ''],
  ['['.repeat(500000), /./, ''], [`[{"i4": 1}, {"i4": "x"}]`, /^22/, 'i4'], ['\ufeff{"i4": 1}', /^PGRST102$/, ''],
  ['{"i4": 01}', /^PGRST102$/, ''], ['{"i4": +1}', /^PGRST102$/, ''], ['{"i4": NaN}', /^PGRST102$/, ''], ["{'i4': 1}", /^PGRST102$/, ''],
  ['{"i4": 1,}', /^PGRST102$/, ''], ['{"i4": 1} {"i4": 2}', /^PGRST102$/, ''], ['// hi\n{"i4": 1}', /^PGRST102$/, ''], ['{"txt": "a\nb"}', /^PGRST102$/, ''],
];

test('what does not fit is refused, and named', async (t) => {
  const before = await app.db.value('select count(*) from kind');
  for (const [body, code, name] of refused)
    await t.test(body.slice(0, 70), async () => {
      const r = await post(body);
      assert.equal(r.status, 400, `${r.status} ${r.text.slice(0, 300)}`);
      assert.match(r.json.code, code, r.text.slice(0, 300));
      assert.ok(`${r.json.message} ${r.json.details ?? ''}`.includes(name), r.text.slice(0, 300));
    });
  assert.equal(await app.db.value('select count(*) from kind'), before);
});

test('bytes that are not UTF-8', async (t) => {
  const texts = { 'lone continuation': [0x80], overlong: [0xc0, 0xaf], 'cut short': [0xe6, 0xbc], surrogate: [0xed, 0xa0, 0x80], 'beyond Unicode': [0xf4, 0x90, 0x80, 0x80], 'zero byte': [0] };
  for (const [name, bytes] of Object.entries(texts))
    await t.test(name, async () => {
      for (const column of ['txt', 'docb', 'doc']) {
        const body = Buffer.concat([Buffer.from(`{"${column}": "a`), Buffer.from(bytes), Buffer.from('b"}')]);
        const r = await post(body);
        assert.equal(r.status, 400, `${column}: ${r.status} ${r.text}`);
      }
    });
});

test('deep enough is served', async () => {
  const doc = `${'['.repeat(50)}1${']'.repeat(50)}`;
  const r = await post(`{"doc": ${doc}}`, 'kind?select=doc');
  assert.equal(r.status, 201, r.text);
  assert.equal(r.text, `[{"doc":${doc}}]`);
});

test('a body over the limit is 413, at once', async () => {
  const r = await post(`{"txt": "${'x'.repeat(1000001)}"}`);
  assert.equal(r.status, 413);
  const fits = await post(`{"txt": "${'x'.repeat(990000)}"}`, 'kind', {});
  assert.equal(fits.status, 201, fits.text);
});

test('arrays in filters and back', async () => {
  const { id } = (await post('{"txts": ["a b", "c,d", "\\"", "{}"], "i4s": [1, 2]}')).json[0];
  for (const [filter, n] of [[`txts=cs.${encodeURIComponent('{"c,d"}')}`, 1], [`txts=cs.${encodeURIComponent('{"\\""}')}`, 1], [`i4s=eq.${encodeURIComponent('{1,2}')}`, 1], [`i4s=eq.${encodeURIComponent('{2,1}')}`, 0]])
    assert.equal((await app.get(editor, `kind?id=eq.${id}&${filter}`)).json.length, n, filter);
});
