// A libh2o that does not let its functions be replaced, as one linked with -Bsymbolic: what is not guarded is not served.
// Here it is Debian's own with one symbol marked as protected, which the dynamic linker then binds to libh2o itself.
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { credentials, startServer } from '../lib/app.mjs';
import { certificate } from '../lib/h2.mjs';
import { scratch } from '../lib/paths.mjs';
import { freePort, run, within } from '../lib/process.mjs';
import { openProof } from './proof.mjs';

const folder = mkdtempSync(join(scratch, 'unguarded-'));
const files = certificate(folder);
let app, libh2o;
before(async () => {
  app = await openProof('api_unguarded');
  libh2o = (await run('ldd', [app.program])).out.match(/=> (\S*libh2o-evloop\S*)/)[1];
});
after(async () => { await app?.close(); rmSync(folder, { recursive: true }); });

/** A folder with a libh2o whose own calls of `symbol` go to itself. */
function bindToItself(symbol) {
  const elf = readFileSync(libh2o);
  const long = (at) => Number(elf.readBigUInt64LE(at));
  const section = (i) => { const at = long(0x28) + i * elf.readUInt16LE(0x3a); return { type: elf.readUInt32LE(at + 4), offset: long(at + 0x18), size: long(at + 0x20), link: elf.readUInt32LE(at + 0x28) }; };
  const DYNSYM = 11, PROTECTED = 3;
  const symbols = Array.from({ length: elf.readUInt16LE(0x3c) }, (_, i) => section(i)).find(({ type }) => type === DYNSYM);
  const names = section(symbols.link);
  let found = 0;
  for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
    const name = names.offset + elf.readUInt32LE(at);
    if (elf.toString('latin1', name, elf.indexOf(0, name)) !== symbol) continue;
    elf[at + 5] |= PROTECTED;
    found++;
  }
  assert.equal(found, 1, `${symbol} is not a symbol of ${libh2o}`);
  const to = join(folder, symbol);
  mkdirSync(to);
  writeFileSync(join(to, basename(libh2o)), elf);
  return to;
}

async function start(symbol, how) {
  const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  const path = symbol === undefined ? {} : { LD_LIBRARY_PATH: bindToItself(symbol) };
  return startServer(app.program, { ...app.env, ...path, ...ports, THREADS: '1', SUPERVISE: 'false',
    TLS_MODE: 'manual', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key }, how);
}

/** What a client that offers `protocols` gets. */
const negotiate = (port, protocols) => within('a handshake', new Promise((resolve) => {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: protocols });
  socket.on('secureConnect', () => { resolve(socket.alpnProtocol); socket.destroy(); });
  socket.on('error', (error) => resolve(error.code));
}));

for (const [symbol, offered] of [[undefined, 'h2'], ['h2o_http2_accept', 'http/1.1'], ['h2o_http2_stream_reset', 'http/1.1'], ['h2o_socket_read_start', 'http/1.1'], ['h2o_http2_decode_frame', 'http/1.1'],
  ['h2o_http2__encode_rst_stream_frame', 'http/1.1'], ['h2o_http2_encode_goaway_frame', 'http/1.1'], ['h2o_hpack_parse_headers', 'http/1.1']])
  test(symbol === undefined ? 'Debian\'s libh2o is guarded' : `HTTP/2 is off without ${symbol}`, async () => {
    const server = await start(symbol);
    try {
      assert.equal(await negotiate(server.port, ['h2', 'http/1.1']), offered);
      assert.equal(/"HTTP\/2 is off","why":"this libh2o does not let itself be guarded"/.test(server.output()), offered !== 'h2', server.output());
      const { out } = await run('curl', ['-sS', '--cacert', files.cert, ...Object.entries(credentials('ada')).flatMap(([k, v]) => ['-H', `${k}: ${v}`]),
        '-w', ' %{http_version}', `https://localhost:${server.port}/rest/v1/item?id=eq.1&select=name`]);
      assert.equal(out, `[{"name":"apple"}] ${offered === 'h2' ? '2' : '1.1'}`);
    } finally {
      assert.equal((await server.stop()).code, 0, server.output());
    }
    server.forget();
  });

for (const symbol of ['phr_parse_request', 'phr_decode_chunked'])
  test(`nothing is served without ${symbol}`, async () => {
    const server = await start(symbol, { wait: false });
    assert.equal((await server.ends()).code, 1);
    assert.match(server.output(), /^libh2o: this one does not let itself be guarded, and nothing is served$/m);
    server.forget();
  });
