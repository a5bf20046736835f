// A hostile client: paths, methods, headers, bodies and HTTP/2 heads that try to be read in two ways, to be answered for
// somebody else, or to cost more than they should.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { credentials, startServer, users } from '../lib/app.mjs';
import { CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, certificate, exchange, frame, get, literal, uint32 } from '../lib/h2.mjs';
import { raw, request } from '../lib/http.mjs';
import { anon_key, service_key, token } from '../lib/jwt.mjs';
import { scratch } from '../lib/paths.mjs';
import { freePort, sleep } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

const folder = mkdtempSync(join(scratch, 'hostile-'));
let app;
let server; // the same over TLS
let port;
before(async () => {
  app = await openProof('api_hostile');
  const { cert, key } = certificate(folder);
  port = await freePort();
  server = await startServer(app.program, { ...app.env, PORT: String(port), ADMIN_PORT: String(await freePort()), TLS_MODE: 'manual', TLS_CERT_FILE: cert,
    TLS_KEY_FILE: key, THREADS: '1' });
});
after(async () => {
  const how = await server?.stop();
  await app?.close();
  rmSync(folder, { recursive: true });
  assert.equal(how.code, 0, server.output().slice(-4000));
});

const head = `Host: x\r\napikey: ${anon_key}\r\nConnection: close\r\n`;

test('a path has one spelling', async (t) => {
  const refused = ['/rest/v1/x/../item', '/rest/v1/./item', '/rest/v1/rpc/../item', '/%2e%2e/health', '/rest/v1/%2E%2e/%2e./health', '/rest/v1/..%2f..%2fhealth',
    '/rest/v1%2fitem', '/rest/v1/item%00', '/rest/v1/item%00.json', '/rest/v1\\item', '/rest/v1/item#x', '/rest/v1/item?select=id#x', '/rest/v1/item%', '/rest/v1/item%4',
    '/rest/v1/item%zz', 'rest/v1/item', 'http://x/rest/v1/item', '?select=id'];
  for (const path of refused)
    await t.test(path, async () => assert.deepEqual((await raw(app.port, `GET ${path} HTTP/1.1\r\n${head}\r\n`)).statuses, [400]));
  const missing = ['//rest/v1/item', '/rest/v1//item', '/rest/v1/item/', '/rest/v1/item;x=1', '/REST/V1/ITEM', '/rest/v1/item%3fselect=id', '/health/', '/metrics',
    '/rest/v1/item%0d%0aX:y', '/rest/v1/%ff', '*'];
  for (const path of missing)
    await t.test(path, async () => {
      const r = await raw(app.port, `GET ${path} HTTP/1.1\r\n${head}\r\n`);
      assert.deepEqual(r.statuses, [404]);
      assert.equal(JSON.parse(r.text.split('\r\n\r\n')[1]).code, 'PGRST205');
    });
  const same = await raw(app.port, `GET /rest/v1/%69tem?select=id&id=eq.1 HTTP/1.1\r\n${head}\r\n`);
  assert.deepEqual(same.statuses, [200]);
});

test('methods are what they are', async () => {
  for (const method of ['TRACE', 'PROPFIND', 'PUT', 'get', 'GETX', 'CONNECT', 'PRI']) {
    const r = await raw(app.port, `${method} /rest/v1/item?id=eq.1 HTTP/1.1\r\n${head}X-Secret: planted\r\n\r\n`);
    assert.deepEqual(r.statuses, [405], method);
    assert.doesNotMatch(r.text, /planted/, 'no echo');
  }
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
    await app.ask('service', 'POST', '/rest/v1/rpc/add', { a: 1 }, { [name]: 'DELETE' }).then((r) => assert.equal(r.json, 2, name));
  const get_with_body = await app.ask('anon', 'GET', '/rest/v1/item?select=id&id=eq.1&_method=DELETE', undefined);
  assert.equal(get_with_body.status, 400, 'a column that there is not');
});

test('no cache keeps an answer, and none holds what a client said of itself', async () => {
  const ask = (more) => app.ask('none', 'GET', '/rest/v1/item?select=id&id=eq.1', undefined, more);
  for (const more of [{ apikey: anon_key }, { apikey: token(users.ada) }, { Authorization: `Bearer ${token(users.ada)}` }, {}, { apikey: 'bad' }]) {
    const r = await ask({ ...more, Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example', 'X-Original-URL': '/evil', Origin: 'https://evil.example' });
    assert.equal(r.headers['cache-control'], 'no-store');
    assert.equal(r.headers['x-content-type-options'], 'nosniff');
    assert.match(r.headers['content-type'], /^application\/json/);
    assert.equal(r.headers['access-control-allow-origin'], undefined);
    assert.doesNotMatch(JSON.stringify(r.rawHeaders) + r.text, /evil/);
  }
  const cookie = await ask({ Cookie: `apikey=${service_key}; sb-access-token=${token(users.ada)}` });
  assert.equal(cookie.status, 401, 'cookies are no credentials');
});

test('line breaks stay within the answer that names them', async () => {
  const split = '%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0aHTTP/1.1%20200%20OK';
  for (const path of [`item?select=${split}`, `item?order=${split}`, `item?${split}=eq.1`, `item?id=${split}`, `item?limit=${split}`, `item?on_conflict=${split}`, `rpc/${split}`, `${split}`,
    `rpc/add?${split}=1`]) {
    const r = await raw(app.port, `GET /rest/v1/${path} HTTP/1.1\r\n${head}\r\n`);
    assert.equal(r.text.match(/^HTTP\/1/gm).length, 1, path);
    assert.doesNotMatch(r.text, /\r\nset-cookie/i, path);
    JSON.parse(r.text.split('\r\n\r\n')[1]);
  }
});

test('a trailer carries no credential', async () => {
  const r = await raw(app.port, `POST /rest/v1/rpc/add HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\napikey: ${service_key}\r\n\r\n`);
  assert.deepEqual(r.statuses, [401]);
});

const bombs = {
  'a million arrays': '['.repeat(1_000_000),
  'a hundred thousand objects': '{"attrs":'.repeat(100_000),
  'a value of 65 levels': `{"attrs":${'['.repeat(65)}${']'.repeat(65)}}`,
  'a hundred thousand keys': `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`)}}`,
  'a number of a million digits': `{"id":${'9'.repeat(1_000_000)}}`,
  'an exponent': '{"weight":1e999999999}',
  '100,001 rows': `[${Array(100_001).fill('{}')}]`,
  'a key twice': '{"id":1,"id":2}',
  'half a pair': '{"name":"\\ud800"}',
  'U+0000': '{"name":"\\u0000"}',
  'bytes that are no text': Buffer.from('{"name":"\xff"}', 'latin1'),
  'compressed': Buffer.from('1f8b08000000000000ffab5602005d9a1b2b02000000', 'hex'),
};

test('JSON bombs are 400, and cost no memory that stays', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${app.server.pid}/status`, 'utf8'))[1]);
  const begin = rss();
  for (const [name, body] of Object.entries(bombs)) {
    const r = await app.ask('service', 'POST', '/rest/v1/item', body);
    assert.equal(r.status, 400, `${name}: ${r.text.slice(0, 200)}`);
    assert.ok(r.text.length < 2000, name);
  }
  assert.ok(rss() - begin < 400_000, `${rss() - begin} kB more`); // a sanitizer keeps what was freed
  for (const type of ['text/csv', 'text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/octet-stream'])
    assert.equal((await app.ask('service', 'POST', '/rest/v1/item', 'id=1', { 'Content-Type': type })).status, 415, type);
});

test('query strings that grow are cut', async () => {
  const many = (n, text) => Array(n).fill(text).join(',');
  const refused = [`or=(${'or('.repeat(50)}id.eq.1${')'.repeat(50)})`, `or=(${many(900, 'id.eq.1')})`, `select=${many(900, 'id')}`, `order=${many(900, 'id')}`,
    'limit=-1', 'offset=-1', 'limit=1e3', 'limit=99999999999999999999', 'offset=9223372036854775808', 'limit=1&limit=2', 'id=eq.%00', 'name=eq.%ff',
    'select=id::int4;drop', 'id=eq.1);drop%20table%20item;--', 'select=*,item(*)', 'id=not.not.eq.1'];
  for (const query of refused) {
    const r = await app.get('anon', `item?${query}`);
    assert.ok([400, 416].includes(r.status), `${query.slice(0, 60)}: ${r.status}`);
  }
  const pairs = await app.get('anon', `item?${Array.from({ length: 1500 }, (_, i) => `a${i}=`).join('&')}`);
  assert.ok([400, 414].includes(pairs.status));
  assert.equal((await app.get('anon', `item?select=id&id=in.(${many(3000, '1')})`)).json.length, 1);
  for (const range of ['0-99999999999999999999', 'bytes=0-0,1-1', '-1', 'x', '0-0,5-6', '9223372036854775807-'])
    assert.ok([200, 206, 416].includes((await app.get('anon', 'item?select=id', { Range: range })).status), range);
});

const path = '/rest/v1/item?select=id&id=eq.1';
const keyed = (fields = [], of = path) => get(of, [['apikey', anon_key], ...fields]);
const whole = END_HEADERS | END_STREAM;
const ask = (block, flags = whole, id = 1) => frame(HEADERS, flags, id, block);
const pseudo = (method, fields) => Buffer.concat([method, Buffer.from([0x87]), ...fields.map(([n, v]) => literal(n, v)), literal('apikey', anon_key)]);
const GET = Buffer.from([0x82]);
const post = (fields) => Buffer.concat([Buffer.from([0x83, 0x87]), ...[[':path', '/rest/v1/rpc/add'], [':authority', 'x'], ['content-type', 'application/json'], ...fields].map(([n, v]) => literal(n, v))]);
const body = Buffer.from('{"a":1}');

/** Heads of HTTP/2 that must not be served, however they end. */
const malformed = {
  'a name in capitals': [ask(keyed([['X-Upper', 'y']]))],
  'connection': [ask(keyed([['connection', 'keep-alive']]))],
  'transfer-encoding': [ask(keyed([['transfer-encoding', 'chunked']]))],
  'upgrade': [ask(keyed([['upgrade', 'websocket']]))],
  'te: gzip': [ask(keyed([['te', 'gzip']]))],
  'a pseudo-header behind the others': [ask(keyed([[':path', '/health']]))],
  'two paths': [ask(pseudo(GET, [[':path', path], [':path', '/health'], [':authority', 'x']]))],
  'no path': [ask(pseudo(GET, [[':authority', 'x']]))],
  'no method': [ask(pseudo(Buffer.alloc(0), [[':path', path], [':authority', 'x']]))],
  'an unknown pseudo-header': [ask(pseudo(GET, [[':path', path], [':evil', 'x'], [':authority', 'x']]))],
  'an empty path': [ask(keyed([], ''))],
  'a relative path': [ask(keyed([], 'rest/v1/item'))],
  'an absolute target': [ask(keyed([], 'http://evil/rest/v1/item'))],
  'dots': [ask(keyed([], '/rest/v1/x/../item'))],
  'an encoded slash': [ask(keyed([], '/rest/v1%2fitem'))],
  'a path with a line break': [ask(keyed([], '/rest/v1/item HTTP/1.1\r\nX: y'))],
  'a path of 9 KB': [ask(keyed([], `/rest/v1/item?select=${'id,'.repeat(3000)}id`))],
  'a head of 40 KB': [frame(HEADERS, END_STREAM, 1, keyed()), ...[0, 1, 2].map((i) => frame(CONTINUATION, i === 2 ? END_HEADERS : 0, 1, literal(`x-${i}`, 'y'.repeat(13_000))))],
  'a line break in a value': [ask(keyed([['x-request-id', 'a\r\nset-cookie: b']]))],
  'NUL in a value': [ask(keyed([['x-a', 'a\0b']]))],
  'a colon in a name': [ask(keyed([['x:a', 'b']]))],
  'a space in a name': [ask(keyed([['x a', 'b']]))],
  'no name': [ask(keyed([['', 'b']]))],
  'a method of two words': [ask(pseudo(literal(':method', 'GET /x'), [[':path', path], [':authority', 'x']]))],
  'CONNECT': [ask(pseudo(literal(':method', 'CONNECT'), [[':authority', 'x:80']]))],
  'a line break in the authority': [ask(pseudo(GET, [[':path', path], [':authority', 'x\r\ny']]))],
  'two credentials': [ask(keyed([['apikey', service_key]]))],
  'a longer body than there is': [ask(post([['apikey', anon_key], ['content-length', '70']]), END_HEADERS), frame(DATA, END_STREAM, 1, body)],
  'a shorter body than there is': [ask(post([['apikey', anon_key], ['content-length', '3']]), END_HEADERS), frame(DATA, END_STREAM, 1, body)],
  'two lengths': [ask(post([['apikey', anon_key], ['content-length', '7'], ['content-length', '9']]), END_HEADERS), frame(DATA, END_STREAM, 1, body)],
  'a length that is none': [ask(post([['apikey', anon_key], ['content-length', '-7']]), END_HEADERS), frame(DATA, END_STREAM, 1, body)],
  'a credential in the trailers': [ask(post([]), END_HEADERS), frame(DATA, 0, 1, body), frame(HEADERS, whole, 1, literal('apikey', service_key))],
  'an even stream': [ask(keyed(), whole, 2)],
  'stream 0': [ask(keyed(), whole, 0)],
  'PUSH_PROMISE': [frame(5, END_HEADERS, 1, Buffer.concat([uint32(2), keyed()]))],
  'SETTINGS of five bytes': [frame(SETTINGS, 0, 0, Buffer.alloc(5)), ask(keyed())],
  'frames of one byte': [frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 5]), uint32(1)])), ask(keyed())],
  'a table of two gigabytes': [ask(Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0xff, 0x7f]), keyed()]))],
  'index 0': [ask(Buffer.concat([Buffer.from([0x80]), keyed()]))],
  'index 200': [ask(Buffer.concat([Buffer.from([0xff, 0x49]), keyed()]))],
  'Huffman rubbish': [ask(Buffer.concat([keyed(), Buffer.from([0, 0x82, 0xff, 0xff, 1, 0x61])]))],
  'a frame of 16,385 bytes': [frame(DATA, 0, 1, Buffer.alloc(16_385)), ask(keyed())],
};

test('HTTP/2 heads that are malformed are not served', async (t) => {
  assert.equal((await exchange(port, [ask(keyed())])).body, '[{"id":1}]', 'an honest one is');
  assert.equal((await exchange(port, [ask(post([['apikey', anon_key]]), END_HEADERS), frame(DATA, 0, 1, body), frame(HEADERS, whole, 1, literal('x-sum', '1'))])).body, '2', 'with trailers');
  for (const [name, chunks] of Object.entries(malformed))
    await t.test(name, async () => {
      const r = await exchange(port, chunks);
      const refused = r.body.startsWith('{"code":"PGRST') && !r.body.includes('PGRST2');
      assert.ok(refused || r.reset !== undefined || r.goaway > 0, JSON.stringify(r));
      assert.doesNotMatch(r.body, /"id":1|^2$/);
      assert.ok(server.alive());
    });
});

test('hundreds of slow clients hold up nobody', async () => {
  const sockets = Array.from({ length: 400 }, (_, i) => {
    const socket = net.connect(app.port, '127.0.0.1').on('error', () => {});
    socket.write(i % 2 ? `GET /rest/v1/item HTTP/1.1\r\n${head}` : `POST /rest/v1/rpc/add HTTP/1.1\r\n${head}Content-Length: 100000\r\n\r\n{`);
    return socket;
  });
  const drip = setInterval(() => { for (const socket of sockets) if (!socket.destroyed) socket.write(' '); }, 100);
  try {
    await sleep(300);
    for (let i = 0; i < 20; i++) {
      const r = await request(app.port, 'GET', path, { headers: credentials('anon'), timeout_ms: 5000 });
      assert.equal(r.status, 200);
    }
  } finally {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
  }
});
