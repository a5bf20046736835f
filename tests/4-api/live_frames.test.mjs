// RFC 6455 on the raw socket, row by row: what a frame is answered with, or the code that the connection
// is closed with.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { buildProject, credentials, openApp, users } from '../lib/app.mjs';
import { scrape } from '../lib/metrics.mjs';
import { until } from '../lib/process.mjs';

let app;
before(async () => {
  app = await openApp({ project: await buildProject('tests/4-api/live'), app: 'board', name: 'api_live_frames', seed: `insert into team values (1, 'one'); insert into member values (1, '${users.ada}')` });
});
after(() => app.close());

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
const bytes = (...all) => Buffer.concat(all.map((one) => (typeof one === 'number' ? Buffer.from([one]) : Buffer.from(one))));

/** A frame as a client sends it. */
function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload), mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  const form = length ?? (body.length < 126 ? 7 : body.length < 65536 ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | rsv << 4 | opcode;
  head[1] = (masked ? 0x80 : 0) | (form === 7 ? body.length : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(body.length, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(body.length), 2);
  return bytes(head, masked ? mask : '', masked ? body.map((byte, i) => byte ^ mask[i % 4]) : body);
}
const part = (opcode, payload, fin = false) => frame(opcode, payload, { fin });
const closing = (code, reason = '') => frame(CLOSE, bytes(code >> 8, code & 255, reason));
const say = (id) => JSON.stringify({ type: 'ping', id });

/** A connection after the handshake: `frames` are the server's, `ended` when it has hung up. */
async function open() {
  const socket = net.connect(app.port, '127.0.0.1');
  socket.on('error', () => {});
  const peer = { socket, frames: [], ended: false };
  let read = Buffer.alloc(0), upgraded = false;
  socket.on('close', () => { peer.ended = true; });
  socket.on('data', (chunk) => {
    read = Buffer.concat([read, chunk]);
    const end = read.indexOf('\r\n\r\n');
    if (!upgraded && end < 0) return;
    if (!upgraded) {
      assert.match(read.toString(), /^HTTP\/1.1 101 /);
      assert.match(read.toString(), /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
      upgraded = true;
      read = read.subarray(end + 4);
    }
    for (;;) {
      if (read.length < 2) return;
      const form = read[1] & 127, head = form === 126 ? 4 : form === 127 ? 10 : 2;
      assert.equal(read[1] & 128, 0, 'a server does not mask');
      if (read.length < head) return;
      const length = form === 126 ? read.readUInt16BE(2) : form === 127 ? Number(read.readBigUInt64BE(2)) : form;
      if (read.length < head + length) return;
      peer.frames.push({ opcode: read[0] & 15, first: read[0], body: read.subarray(head, head + length) });
      read = read.subarray(head + length);
    }
  });
  await once(socket, 'connect');
  const { Authorization: authorization } = credentials('ada');
  socket.write(['GET /live/v1 HTTP/1.1', `Host: 127.0.0.1:${app.port}`, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: ${authorization}`, '', ''].join('\r\n'));
  await until('the upgrade', () => upgraded);
  return peer;
}

/** What came, in short: pongs of JSON by id, control frames by payload, a close by its code. */
const short = ({ opcode, first, body }) => {
  assert.equal(first & 0xf0, 0x80, 'whole frames, no reserved bits');
  if (opcode === CLOSE) return `close ${body.length > 0 ? body.readUInt16BE(0) : 'bare'}`;
  if (opcode === PONG) return `pong ${body.length > 20 ? body.length : body}`;
  const { type, id, code } = JSON.parse(body.toString());
  return type === 'pong' ? `text ${id}` : `${type} ${code}`;
};

async function check(name, sent, expected, { piecewise = false } = {}) {
  const peer = await open();
  peer.socket.setNoDelay(piecewise);
  for (const one of sent) {
    if (!piecewise) peer.socket.write(one);
    else for (const byte of one) { peer.socket.write(Buffer.from([byte])); await new Promise(setImmediate); }
  }
  const is_closed = /^(close|cut)/.test(expected.at(-1));
  const seen = () => {
    const all = peer.frames.map(short);
    return peer.ended && !all.at(-1)?.startsWith('close') ? [...all, 'cut'] : all;
  };
  try {
    await until('answers', () => seen().length >= expected.length && (!is_closed || peer.ended), 30_000);
  } catch { /* the comparison says more */ }
  assert.deepEqual(seen(), expected, name);
  assert.equal(peer.ended, is_closed, `${name}: ${is_closed ? 'the server hangs up' : 'it stays'}`);
  peer.socket.destroy();
}

const euro = Buffer.from(say('€')), split = euro.indexOf(0xe2) + 1;
const good = {
  'a text': [[frame(TEXT, say('a'))], ['text a']],
  'two in one write': [[bytes(frame(TEXT, say('a')), frame(TEXT, say('b')))], ['text a', 'text b']],
  'three fragments': [[part(TEXT, '{"type":'), part(0, '"ping",'), part(0, '"id":"a"}', true)], ['text a']],
  'empty fragments': [[part(TEXT, ''), part(0, ''), part(0, say('a')), part(0, '', true)], ['text a']],
  'control frames between fragments': [[part(TEXT, '{"type":'), frame(PING, 'x'), part(0, '"ping",'), frame(PONG, 'y'), frame(PING, ''), part(0, '"id":"a"}', true)], ['pong x', 'pong ', 'text a']],
  'a code point in two fragments': [[part(TEXT, euro.subarray(0, split)), part(0, euro.subarray(split), true)], ['text €']],
  'a code point in three, a ping between': [[part(TEXT, euro.subarray(0, split)), part(0, euro.subarray(split, split + 1)), frame(PING, '!'), part(0, euro.subarray(split + 1), true)], ['pong !', 'text €']],
  'four bytes of UTF-8': [[frame(TEXT, say('\u{10FFFF}'))], ['text \u{10FFFF}']],
  'length in 16 bits': [[frame(TEXT, say('a') + ' '.repeat(200))], ['text a']],
  'the largest message': [[frame(TEXT, say('a') + ' '.repeat(65536 - say('a').length))], ['text a']],
  'the largest, in fragments': [[part(TEXT, say('a')), part(0, ' '.repeat(30000)), part(0, ' '.repeat(65536 - 30000 - say('a').length), true)], ['text a']],
  'a ping of 125 bytes': [[frame(PING, 'p'.repeat(125))], ['pong 125']],
  'a pong that nobody asked for': [[frame(PONG, 'x'), frame(TEXT, say('a'))], ['text a']],
  'an empty text': [[frame(TEXT, ''), frame(TEXT, say('a'))], ['error bad_message', 'text a']],
  ...Object.fromEntries([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) => [`close ${code}`, [[closing(code)], [`close ${code}`]]])),
  'close without a code': [[frame(CLOSE)], ['close bare']],
  'close with a reason': [[closing(1000, 'bye €')], ['close 1000']],
  'nothing counts after a close': [[bytes(closing(1000), frame(TEXT, say('a')), frame(PING, 'x'))], ['close 1000']],
  'who closes wants no answers': [[bytes(frame(TEXT, say('a')), closing(1000))], ['close 1000']],
};
const invalid = { 'a lone byte': [0x80], 'overlong': [0xc0, 0xaf], 'a surrogate': [0xed, 0xa0, 0x80], 'beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80], 'cut off': [0xe2, 0x82], 'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80], 'FF': [0xff] };
// `cut`: libwslay ends the connection without a close frame where a frame's head makes no sense.
const bad = {
  ...Object.fromEntries([1, 2, 4, 7].map((rsv) => [`reserved bits ${rsv}`, [[frame(TEXT, say('a'), { rsv })], ['close 1002']]])),
  ...Object.fromEntries([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, [[frame(opcode, 'x')], ['close 1002']]])),
  'not masked': [[frame(TEXT, say('a'), { masked: false })], ['close 1002']],
  'a ping that is not masked': [[frame(PING, 'a', { masked: false })], ['close 1002']],
  'a ping of 126 bytes': [[frame(PING, 'p'.repeat(126))], ['cut']],
  'a ping in fragments': [[part(PING, 'p')], ['cut']],
  'a close in fragments': [[part(CLOSE, '')], ['cut']],
  'a fragment of nothing': [[part(0, 'x', true)], ['close 1002']],
  'a fragment of nothing, more to come': [[part(0, 'x')], ['close 1002']],
  'a text within a text': [[part(TEXT, '{'), frame(TEXT, say('a'))], ['close 1002']],
  'a binary within a text': [[part(TEXT, '{'), frame(BINARY, 'a')], ['close 1002']],
  'a length of 5 in 16 bits': [[frame(TEXT, 'hello', { length: 16 })], ['cut']],
  'a length of 5 in 64 bits': [[frame(TEXT, 'hello', { length: 64 })], ['cut']],
  'a length of 300 in 64 bits': [[frame(TEXT, 'x'.repeat(300), { length: 64 })], ['cut']],
  'a length of more than 63 bits': [[bytes(0x81, 0xff, 0xff, ...Array(7).fill(0xff), 1, 2, 3, 4)], ['cut']],
  'a length that is never to come': [[bytes(0x81, 0xff, 0x7f, ...Array(7).fill(0xff), 1, 2, 3, 4, 'begun')], ['close 1009']],
  'a message that is too long': [[frame(TEXT, 'x'.repeat(65537))], ['close 1009']],
  'fragments that are too long together': [[part(TEXT, 'x'.repeat(40000)), part(0, 'x'.repeat(40000), true)], ['close 1009']],
  'a binary message': [[frame(BINARY, 'x')], ['close 1003']],
  ...Object.fromEntries(Object.entries(invalid).flatMap(([name, all]) => [
    [`no UTF-8: ${name}`, [[frame(TEXT, all)], ['close 1007']]],
    [`no UTF-8 in a fragment: ${name}`, [[part(TEXT, '"'), part(0, all, true)], ['close 1007']]],
    [`no UTF-8 in a reason: ${name}`, [[frame(CLOSE, bytes(3, 232, Buffer.from(all)))], ['close 1007']]]])),
  'a code point that is never whole': [[part(TEXT, [0xe2]), part(0, [0x82]), part(0, '', true)], ['close 1007']],
  'a close of one byte': [[frame(CLOSE, 'x')], ['close bare']], // RFC 6455 would have it 1002
  'a close of 126 bytes': [[frame(CLOSE, bytes(3, 232, 'x'.repeat(124)))], ['cut']],
  ...Object.fromEntries([0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => [`close ${code}`, [[closing(code)], ['close 1002']]])),
};

for (const [title, rows] of Object.entries({ 'what is allowed': good, 'what is not': bad }))
  test(title, async (t) => {
    for (const [name, [sent, expected]] of Object.entries(rows)) await t.test(name, () => check(name, sent, expected));
  });

// What is sent behind a close meets a reset, which may overtake what the server said before.
const talks_on = ['nothing counts after a close', 'who closes wants no answers'];

test('byte by byte', async () => {
  for (const [name, row] of Object.entries(good))
    if (Buffer.concat(row[0]).length < 400 && !talks_on.includes(name)) await check(name, ...row, { piecewise: true });
  for (const name of ['reserved bits 1', 'no UTF-8: overlong', 'close 1005', 'a length of 5 in 16 bits']) await check(name, ...bad[name], { piecewise: true });
});

test('libwslay is there for a message under way, and for no other socket', async () => {
  const readers = async () => (await scrape(app.admin_port)).value('pgstack_live_readers');
  const become = (what, n) => until(`${what}: ${n} readers`, async () => await readers() === n);
  await become('those of the tests before', 0);
  const [peer, ...others] = await Promise.all(Array.from({ length: 20 }, open));
  const steps = [
    ['a byte', frame(TEXT, say('a')).subarray(0, 1), 0, 0],
    ['half a message', frame(TEXT, say('a')).subarray(1, 12), 1, 0],
    ['the rest', frame(TEXT, say('a')).subarray(12), 0, 1],
    ['one and a half', bytes(frame(TEXT, say('b')), frame(TEXT, say('c')).subarray(0, 5)), 1, 2],
    ['the rest of it', frame(TEXT, say('c')).subarray(5), 0, 3],
    ['a fragment', part(TEXT, '{"type":"ping",'), 1, 3],
    ['a ping between fragments', frame(PING, 'x'), 1, 4],
    ['half a ping', frame(PING, 'yy').subarray(0, 7), 1, 4],
    ['the other half', frame(PING, 'yy').subarray(7), 1, 5],
    ['an empty fragment', part(0, ''), 1, 5],
    ['the last one', part(0, '"id":"d"}', true), 0, 6],
    ['a ping alone', frame(PING, 'z'), 0, 7],
    ['a pong', frame(PONG, 'z'), 0, 7],
    ['a subscription', frame(TEXT, JSON.stringify({ type: 'subscribe', id: 's', query: 'no_such' })), 0, 8],
  ];
  for (const [what, sent, n, answers] of steps) {
    peer.socket.write(sent);
    await until(`${what}: answered`, () => peer.frames.length === answers);
    await become(what, n);
  }
  assert.deepEqual(peer.frames.map(short), ['text a', 'text b', 'text c', 'pong x', 'pong yy', 'text d', 'pong z', 'error unknown_query']);
  for (const other of others) other.socket.write(frame(TEXT, say('o')).subarray(0, 9));
  await become('the others in the middle of a message', 19);
  for (const [i, other] of others.entries())
    if (i % 2) other.socket.destroy();
    else other.socket.write(bytes(frame(TEXT, say('o')).subarray(9), closing(1000)));
  await become('the others, cut or closed', 0);
  peer.socket.destroy();
});
