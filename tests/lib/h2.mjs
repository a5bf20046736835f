// HTTP/2 as an attacker writes it: frames by hand over TLS, and what comes back.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import tls from 'node:tls';

/** A certificate of localhost and its key, in files of `folder`; `name` tells them apart. */
export function certificate(folder, name = 'server') {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.crt`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key, cert };
}

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type, flags = 0, stream = 0, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const uint32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };
export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;

/** A literal header field without indexing (RFC 7541 section 6.2.2). */
export function literal(name, value) {
  const text = (s) => { const b = Buffer.from(s); return Buffer.concat([integer(b.length, 7, 0), b]); };
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** The same, to be had again as `newest` until another one is remembered (section 6.2.1). */
export const remember = (name, value) => Buffer.concat([Buffer.from([0x40]), literal(name, value).subarray(1)]);
export const newest = 0xbe;

function integer(n, bits, first) {
  const max = 2 ** bits - 1;
  if (n < max) return Buffer.from([first | n]);
  const bytes = [first | max];
  for (n -= max; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return Buffer.from([...bytes, n]);
}

/** The block of a GET of `path`: :method GET, :scheme https, :path, :authority. */
export const get = (path, fields = []) => Buffer.concat([Buffer.from([0x82, 0x87]), literal(':path', path), literal(':authority', 'localhost'),
  ...fields.map(([name, value]) => literal(name, value))]);

/**
 * Connects, sends the preface and `chunks` (an iterable of buffers, which may take its time) as fast as the peer takes them,
 * reads all answers, and `hear`s the type of each of their frames.  Answers { closed, goaway, sent, received } when the peer
 * closes, after `patience_ms`, or when `enough` is settled: who does not `read` may not see the end.
 */
export function attack(port, chunks, { patience_ms = 30_000, read = true, enough, hear } = {}) {
  return new Promise((resolve) => {
    const result = { closed: false, goaway: null, sent: 0, received: {}, statuses: 0 };
    const socket = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
    const end = () => { clearTimeout(timer); socket.destroy(); resolve(result); };
    const timer = setTimeout(end, patience_ms);
    enough?.then(end, end);
    let input = Buffer.alloc(0);
    socket.on('error', () => { result.closed = true; end(); });
    socket.on('close', () => { result.closed = true; end(); });
    socket.on('end', () => { result.closed = true; end(); });
    let resume = () => {};
    socket.on('drain', () => resume());
    socket.on('close', () => resume());
    if (!read) socket.pause();
    else socket.on('data', (data) => {
      input = input.length ? Buffer.concat([input, data]) : data;
      while (input.length >= 9 && input.length >= 9 + input.readUIntBE(0, 3)) {
        const length = input.readUIntBE(0, 3);
        const type = input[3];
        result.received[type] = (result.received[type] ?? 0) + 1;
        if (type === GOAWAY) result.goaway = input.readUInt32BE(13);
        hear?.(type);
        input = input.subarray(9 + length);
      }
    });
    socket.on('secureConnect', async () => {
      if (socket.alpnProtocol !== 'h2') { result.alpn = socket.alpnProtocol; end(); return; }
      socket.write(Buffer.concat([preface, frame(SETTINGS)]));
      for await (const chunk of chunks) {
        if (socket.destroyed) return;
        result.sent++;
        if (!socket.write(chunk)) await new Promise((done) => { resume = done; });
        else if (result.sent % 64 === 0) await new Promise((done) => setImmediate(done));
      }
    });
  });
}

/**
 * One exchange over a connection of its own: what answers `chunks`, until so many `streams` have ended, a PING is answered, or
 * the peer closes.
 */
export function exchange(port, chunks, { streams = 1, patience_ms = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const answer = { body: '', reset: undefined, goaway: undefined, headers: 0, ended: 0 };
    const socket = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
    const end = () => { clearTimeout(patience); socket.destroy(); resolve(answer); };
    const patience = setTimeout(() => { socket.destroy(); reject(new Error(`no end of it: ${JSON.stringify(answer)}`)); }, patience_ms);
    const ended = new Set();
    let input = Buffer.alloc(0);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('data', (data) => {
      input = Buffer.concat([input, data]);
      for (let length; input.length >= 9 && input.length >= 9 + (length = input.readUIntBE(0, 3)); input = input.subarray(9 + length)) {
        const payload = input.subarray(9, 9 + length), [type, flags, stream] = [input[3], input[4], input.readUInt32BE(5)];
        if (type === DATA) answer.body += payload.toString();
        if (type === HEADERS) answer.headers++;
        if (type === RST) answer.reset = payload.readUInt32BE(0);
        if (type === GOAWAY) answer.goaway = payload.readUInt32BE(4);
        if (type === RST || ([DATA, HEADERS].includes(type) && flags & END_STREAM)) answer.ended = ended.add(stream).size;
        if (type === PING && flags & ACK) end();
      }
      if (answer.ended >= streams) end();
    });
    socket.on('secureConnect', () => socket.write(Buffer.concat([preface, frame(SETTINGS), ...chunks])));
  });
}
