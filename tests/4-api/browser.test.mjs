// What a browser may ask (CORS), compression, and headers that must not be forged.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { raw } from '../lib/http.mjs';
import { anon_key } from '../lib/jwt.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_browser'); });
after(() => app?.close());

const allowed = ['https://app.example.com', 'http://localhost:5173'];
const foreign = [
  'null', 'https://site.evil', 'http://app.example.com', 'https://app.example.com.evil', 'https://evil-app.example.com',
  'https://xapp.example.com', 'https://APP.example.com', 'https://app.example.com.', 'https://app.example.com:8443', 'https://app.example.com/',
  'https://app.example.co', 'https://app.example.com@evil', 'https://evil/https://app.example.com', '*', 'http://localhost', 'http://localhost:51730',
  'https://app.example.com, https://site.evil', 'app.example.com', 'https://app.example.com%00',
];

const preflight = (Origin, method = 'GET', headers, path = '/rest/v1/item') => app.ask('none', 'OPTIONS', path, undefined,
  { Origin, 'Access-Control-Request-Method': method, ...(headers ? { 'Access-Control-Request-Headers': headers } : {}) });

test('an allowed origin is echoed, with Vary', async () => {
  for (const Origin of allowed) {
    const r = await app.get('anon', 'item?limit=1', { Origin });
    assert.equal(r.status, 200);
    assert.equal(r.headers['access-control-allow-origin'], Origin);
    assert.match(r.headers.vary ?? '', /origin/i);
    assert.match(r.headers['access-control-expose-headers'] ?? '', /content-range/i);
    assert.equal(r.headers['access-control-allow-credentials'], undefined);
  }
});

test('errors carry the same headers: a page must be able to read them', async () => {
  for (const path of ['item?nothing=eq.1', 'nothing']) {
    const r = await app.get('anon', path, { Origin: allowed[0] });
    assert.ok(r.status >= 400);
    assert.equal(r.headers['access-control-allow-origin'], allowed[0], path);
  }
  const unauthorized = await app.get('none', 'item', { Origin: allowed[0] });
  assert.equal(unauthorized.status, 401);
  assert.equal(unauthorized.headers['access-control-allow-origin'], allowed[0]);
});

test('no other origin gets any header', async (t) => {
  for (const Origin of foreign)
    await t.test(Origin, async () => {
      for (const r of [await app.get('anon', 'item?limit=1', { Origin }), await preflight(Origin)])
        for (const name of Object.keys(r.headers)) assert.ok(!name.startsWith('access-control-'), `${name}: ${r.headers[name]}`);
    });
});

test('an answer to one origin is not served to another from a cache', async () => {
  for (const Origin of [allowed[0], 'https://site.evil', undefined]) {
    const r = await app.get('anon', 'item?limit=1', Origin ? { Origin } : {});
    assert.match(r.headers.vary ?? '', /origin/i, `Vary for ${Origin}`);
  }
});

test('preflight', async () => {
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'HEAD']) {
    const r = await preflight(allowed[0], method, 'authorization, apikey, content-type, prefer, range, x-client-info, accept-profile');
    assert.ok([200, 204].includes(r.status), String(r.status));
    assert.equal(r.headers['access-control-allow-origin'], allowed[0]);
    assert.ok(r.headers['access-control-allow-methods'].split(/, */).includes(method), `${method} in ${r.headers['access-control-allow-methods']}`);
    for (const name of ['authorization', 'apikey', 'content-type', 'prefer', 'range', 'x-client-info'])
      assert.ok(r.headers['access-control-allow-headers'].toLowerCase().includes(name), name);
    assert.equal(r.headers['access-control-max-age'], '600');
    assert.equal(r.text, '');
  }
});

test('a preflight for what is not served grants nothing', async () => {
  for (const [method, path] of [['PUT', '/rest/v1/item'], ['POST', '/rest/v1/item_stock'], ['DELETE', '/rest/v1/rpc/add'], ['TRACE', '/rest/v1/item']]) {
    const r = await preflight(allowed[0], method, undefined, path);
    const methods = (r.headers['access-control-allow-methods'] ?? '').split(/, */);
    assert.ok(!methods.includes(method) && !methods.includes('*'), `${method} ${path}: ${methods}`);
  }
});

test('gzip where it is asked for', async () => {
  const path = '/rest/v1/item?select=*,a:attrs,b:tags,c:attrs,d:tags,e:name,f:seen,g:ref';
  const plain = await app.ask('anon', 'GET', path);
  assert.equal(plain.headers['content-encoding'], undefined);
  const packed = await app.ask('anon', 'GET', path, undefined, { 'Accept-Encoding': 'gzip, deflate, br' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.match(packed.headers.vary ?? '', /accept-encoding/i);
  assert.equal(gunzipSync(packed.raw).toString(), plain.text);
  const refused = await app.ask('anon', 'GET', path, undefined, { 'Accept-Encoding': 'gzip;q=0' });
  assert.equal(refused.headers['content-encoding'], undefined);
  const head = await app.ask('anon', 'HEAD', path, undefined, { 'Accept-Encoding': 'gzip' });
  assert.equal(head.raw.length, 0);
});

test('GZIP_LEVEL=0 turns it off', async () => {
  await app.restart({ GZIP_LEVEL: '0' });
  const r = await app.ask('anon', 'GET', '/rest/v1/item', undefined, { 'Accept-Encoding': 'gzip' });
  assert.equal(r.headers['content-encoding'], undefined);
  await app.restart();
});

test('no line break gets into a header', async () => {
  const paths = ['item?id=eq.1%0d%0aX-Evil:%201', 'item?select=id%0d%0aX-Evil:1', 'item%0d%0aX-Evil:1', 'rpc/add%0d%0aX-Evil:%201?a=1', 'item?order=id%0d%0aX-Evil:1', 'item?%0d%0aX-Evil:1=eq.1'];
  for (const path of paths) {
    const r = await raw(app.port, `GET /rest/v1/${path} HTTP/1.1\r\nHost: x\r\napikey: ${anon_key}\r\nOrigin: ${allowed[0]}\r\nConnection: close\r\n\r\n`);
    assert.equal(r.statuses.length, 1, path);
    assert.ok(r.statuses[0] >= 400, path);
    assert.doesNotMatch(r.text, /^x-evil/im, path);
  }
  for (const Prefer of ['return=\u000brepresentation', 'count=exact\tX-Evil: 1', 'a'.repeat(3000)]) {
    const r = await app.get('anon', 'item?limit=1', { Prefer }).catch(() => null);
    if (r) assert.equal(r.headers['x-evil'], undefined);
  }
});

test('no header tells versions', async () => {
  const r = await app.get('anon', 'item?limit=1');
  assert.doesNotMatch(`${r.headers.server ?? ''} ${r.headers['x-powered-by'] ?? ''}`, /\d/);
});
