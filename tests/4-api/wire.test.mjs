// Raw sockets: smuggling, limits, order.  One request in, one answer out, or 400 and the end.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { raw, request } from '../lib/http.mjs';
import { anon_key } from '../lib/jwt.mjs';
import { acceptedBy, sleep, until, within } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

let app;
before(async () => { app = await openProof('api_wire', { env: { MAX_BODY_BYTES: '100000' } }); });
after(() => app?.close());

const key = `apikey: ${anon_key}\r\n`;
const head = `Host: 127.0.0.1\r\n${key}`;
const last = `${head}Connection: close\r\n`;
const json = 'Content-Type: application/json\r\n';
const call = '/rest/v1/rpc/add';
const body = '{"a":1}';
const hidden = `GET /rest/v1/item?select=id&id=eq.1 HTTP/1.1\r\nHost: x\r\n${key}\r\n`;
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

// Each must get 400 (or the status named), one answer at most, and the end of the connection.
const refused = {
  'CL and TE': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: ${chunked.length + hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}${hidden}`,
  'TE and CL': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunked}${hidden}`,
  'two CL, different': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  'two CL, equal': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 7\r\nContent-Length: 7\r\n\r\n${body}`,
  'CL a list': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 7, 7\r\n\r\n${body}`,
  'CL with a sign': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: +7\r\n\r\n${body}`,
  'CL negative': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: -7\r\n\r\n${body}`,
  'CL hex': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 0x7\r\n\r\n${body}`,
  'CL empty': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length:\r\n\r\n${body}`,
  'CL with letters': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 7abc\r\n\r\n${body}`,
  'CL too big for 64 bits': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 18446744073709551623\r\n\r\n${body}`,
  'CL inner space': `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 7 7\r\n\r\n${body}`,
  'TE a list': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: identity, chunked\r\n\r\n${chunked}${hidden}`,
  'TE gzip, chunked': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: gzip, chunked\r\n\r\n${chunked}`,
  'TE unknown': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: xchunked\r\n\r\n${chunked}`,
  'TE twice': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunked}${hidden}`,
  'TE space before the colon': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding : chunked\r\n\r\n${chunked}${hidden}`,
  'TE with a vertical tab': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: \x0bchunked\r\n\r\n${chunked}${hidden}`,
  'TE quoted': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: "chunked"\r\n\r\n${chunked}`,
  'TE in HTTP/1.0': `POST ${call} HTTP/1.0\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n${chunked}`,
  'folded header': `GET /rest/v1/item HTTP/1.1\r\n${head}X-A: b\r\n c\r\n\r\n`,
  'folded TE': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding:\r\n chunked\r\n\r\n${chunked}`,
  'bare LF': `GET /rest/v1/item HTTP/1.1\nHost: x\napikey: ${anon_key}\n\n`,
  'bare LF in the headers': `GET /rest/v1/item HTTP/1.1\r\n${head}X-A: b\nX-C: d\r\n\r\n`,
  'bare CR in a header': `GET /rest/v1/item HTTP/1.1\r\n${head}X-A: b\rX-C: d\r\n\r\n`,
  'NUL in a header': `GET /rest/v1/item HTTP/1.1\r\n${head}X-A: b\0c\r\n\r\n`,
  'NUL in the path': `GET /rest/v1/item\0 HTTP/1.1\r\n${head}\r\n`,
  'no Host': `GET /rest/v1/item HTTP/1.1\r\n${key}\r\n`,
  'two Hosts': `GET /rest/v1/item HTTP/1.1\r\nHost: a\r\nHost: b\r\n${key}\r\n`,
  'no colon': `GET /rest/v1/item HTTP/1.1\r\n${head}nonsense\r\n\r\n`,
  'empty header name': `GET /rest/v1/item HTTP/1.1\r\n${head}: x\r\n\r\n`,
  'HTTP/1.9': `GET /rest/v1/item HTTP/1.9\r\n${head}\r\n`,
  'HTTP/2.0 in a line': `GET /rest/v1/item HTTP/2.0\r\n${head}\r\n`,
  'HTTP/0.9': 'GET /rest/v1/item\r\n\r\n',
  'PRI preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  '101 headers': `GET /rest/v1/item HTTP/1.1\r\n${head}${Array.from({ length: 101 }, (_, i) => `X-${i}: y\r\n`).join('')}\r\n`,
  'a header of 40 KB': `GET /rest/v1/item HTTP/1.1\r\n${head}X-Long: ${'x'.repeat(40000)}\r\n\r\n`,
  'chunk size too big': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
  'chunk size with a sign': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n+7\r\n${body}\r\n0\r\n\r\n`,
  'chunk size negative': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n-7\r\n${body}\r\n0\r\n\r\n`,
  'chunk size 0x': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n0x7\r\n${body}\r\n0\r\n\r\n`,
  'chunk longer than said': `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n5\r\n${body}\r\n0\r\n\r\n`,
  'garbage': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'nothing but line ends': '\r\n\r\n\r\n\r\nx\r\n\r\n',
};

test('what smuggles is refused and the connection ends', async (t) => {
  for (const [name, bytes] of Object.entries(refused))
    await t.test(name, async () => {
      const r = await raw(app.port, bytes, { quiet_ms: 1500 });
      assert.ok(r.statuses.length <= 1, `${r.statuses.length} answers: ${r.statuses}`);
      for (const status of r.statuses) assert.ok([400, 413, 431, 501, 505].includes(status), `${status}\n${r.text.slice(0, 400)}`);
      assert.ok(r.closed, `left open after ${r.statuses}`);
      assert.doesNotMatch(r.text, /"id":1/);
    });
});

test('what is honest is served', async (t) => {
  const honest = {
    'plain': [`GET /rest/v1/item?select=id&id=eq.1 HTTP/1.1\r\n${last}\r\n`, [200]],
    'HTTP/1.0': [`GET /rest/v1/item?select=id&id=eq.1 HTTP/1.0\r\n${head}\r\n`, [200]],
    'chunked': [`POST ${call} HTTP/1.1\r\n${last}${json}Transfer-Encoding: chunked\r\n\r\n${chunked}`, [200]],
    'chunked, capital': [`POST ${call} HTTP/1.1\r\n${last}${json}Transfer-Encoding: Chunked\r\n\r\n${chunked}`, [200]],
    'chunks of one byte': [`POST ${call} HTTP/1.1\r\n${last}${json}Transfer-Encoding: chunked\r\n\r\n${[...body].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`, [200]],
    'many headers': [`GET /rest/v1/item?id=eq.1 HTTP/1.1\r\n${last}${Array.from({ length: 60 }, (_, i) => `X-${i}: y\r\n`).join('')}\r\n`, [200]],
    'header names in capitals': [`GET /rest/v1/item?id=eq.1 HTTP/1.1\r\nHOST: x\r\nAPIKEY: ${anon_key}\r\nCONNECTION: close\r\n\r\n`, [200]],
    'h2c upgrade is not taken': [`GET /rest/v1/item?id=eq.1 HTTP/1.1\r\n${head}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, [200]],
  };
  for (const [name, [bytes, statuses]] of Object.entries(honest))
    await t.test(name, async () => {
      const r = await raw(app.port, bytes);
      assert.deepEqual(r.statuses, statuses, r.text.slice(0, 400));
    });
});

test('a request in pieces', async () => {
  const bytes = `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const socket = net.connect(app.port, '127.0.0.1');
  let text = '';
  socket.on('data', (d) => (text += d));
  for (const c of bytes) {
    socket.write(c);
    await new Promise((done) => setImmediate(done));
  }
  await new Promise((done) => socket.on('close', done));
  assert.match(text, /^HTTP\/1\.1 200/);
});

test('pipelined requests are answered in order', async () => {
  const n = 30;
  let bytes = '';
  for (let i = 1; i <= n; i++) bytes += `GET /rest/v1/rpc/add?a=${i}&b=1000${i === 7 ? 'x' : ''} HTTP/1.1\r\n${head}${i === n ? 'Connection: close\r\n' : ''}\r\n`;
  const r = await raw(app.port, bytes, { quiet_ms: 3000 });
  assert.equal(r.statuses.length, n);
  assert.deepEqual(r.statuses.map((s, i) => (i === 6 ? 400 : 200)), r.statuses);
  const values = [...r.text.matchAll(/\r\n\r\n(\d{4})(?=HTTP|$)/g)].map((m) => Number(m[1]));
  assert.deepEqual(values, Array.from({ length: n }, (_, i) => 1001 + i).filter((v) => v !== 1007));
});

test('keep-alive, and Connection: close', async () => {
  const twice = await raw(app.port, `GET /rest/v1/item?id=eq.1 HTTP/1.1\r\n${head}\r\n`.repeat(2), { quiet_ms: 300 });
  assert.deepEqual(twice.statuses, [200, 200]);
  assert.equal(twice.closed, false);
  const once = await raw(app.port, `GET /rest/v1/item?id=eq.1 HTTP/1.1\r\n${head}Connection: close\r\n\r\n`, { quiet_ms: 2000 });
  assert.deepEqual(once.statuses, [200]);
  assert.ok(once.closed);
});

test('413 before the body is read', async () => {
  const r = await raw(app.port, `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 100001\r\n\r\n{`, { quiet_ms: 2000 });
  assert.deepEqual(r.statuses, [413], r.text);
  const gigabytes = await raw(app.port, `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 9000000000\r\n\r\n{`, { quiet_ms: 2000 });
  assert.deepEqual(gigabytes.statuses, [413]);
  const chunks = await raw(app.port, `POST ${call} HTTP/1.1\r\n${head}${json}Transfer-Encoding: chunked\r\n\r\n${`2000\r\n${'x'.repeat(8192)}\r\n`.repeat(13)}0\r\n\r\n`, { quiet_ms: 2000 });
  assert.deepEqual(chunks.statuses, [413]);
});

test('Expect: 100-continue', async () => {
  const r = await raw(app.port, `POST ${call} HTTP/1.1\r\n${head}${json}Expect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`, { quiet_ms: 2000 });
  assert.equal(r.statuses.at(-1), 200, r.text);
});

test('a request that does not arrive is given up', async () => {
  await app.restart({ READ_TIMEOUT: '1s' });
  const slow = (bytes, drip) => {
    const socket = net.connect(app.port, '127.0.0.1');
    socket.write(bytes);
    const timer = drip ? setInterval(() => socket.write(drip), 150) : undefined;
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise((done) => { socket.on('close', done); });
    return within(`the end of ${bytes.slice(0, 10)}...${drip ?? ''}`, closed, 20_000).finally(() => { clearInterval(timer); socket.destroy(); });
  };
  await Promise.all([
    slow('GET /rest/v1/item HTTP/1.1\r\nHost: x\r\n'),
    slow('GET /rest/v1/item HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'),
    slow(`POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 5000\r\n\r\n{`),
    slow(`POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 5000\r\n\r\n{`, ' '),
    slow(''),
  ]);
  await app.restart();
});

test('no more connections than MAX_CONNECTIONS', async () => {
  await app.restart({ MAX_CONNECTIONS: '21' }); // of two threads
  const sockets = Array.from({ length: 60 }, () => net.connect(app.port, '127.0.0.1').on('error', () => {}));
  const held = () => acceptedBy(app.server.pid, app.port);
  await until('as many as are allowed', () => held() >= 21);
  await sleep(300);
  assert.equal(held(), 21, 'of 60');
  for (const socket of sockets) socket.destroy();
  const r = await request(app.port, 'GET', '/rest/v1/item?select=id&id=eq.1', { headers: { apikey: anon_key } });
  assert.equal(r.status, 200, 'served again when they have gone');
  await app.restart();
});

test('clients that leave do no harm', async () => {
  for (let i = 0; i < 200; i++) void raw(app.port, `GET /rest/v1/item HTTP/1.1\r\n${head}\r\n`, { patience_ms: 0 });
  for (let i = 0; i < 50; i++) void raw(app.port, `POST ${call} HTTP/1.1\r\n${head}${json}Content-Length: 500\r\n\r\n{"a"`, { patience_ms: 1 });
  await new Promise((done) => setTimeout(done, 300));
  const r = await request(app.port, 'GET', '/rest/v1/item?select=id&order=id', { headers: { apikey: anon_key } });
  assert.equal(r.json.length, 6);
});
