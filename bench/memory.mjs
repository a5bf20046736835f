// Memory of the server: idle, with idle connections, after a large answer, after a crowd.
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { request } from '../tests/lib/http.mjs';
import { sleep } from '../tests/lib/process.mjs';
import { family } from './load.mjs';
import { fixed, table } from './report.mjs';
import { tokens } from './stage.mjs';

const settle_ms = 3000;
const answer_bytes = 10_000_000;

const sum = (list) => list.reduce((a, b) => a + b, 0);

/** KiB resident of a server and its supervisor; what they share counts twice. */
export const memory = (pid) => sum(family(pid).map((p) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, 'utf8'))[1])));
export const descriptors = (pid) => sum(family(pid).map((p) => readdirSync(`/proc/${p}/fd`).length));

const ask_health = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

/** A connection that has asked once and now waits. */
async function openIdle(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(ask_health);
  const [answer] = await once(socket, 'data');
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(answer.toString('latin1'));
  return socket;
}

async function openMany(port, n) {
  const sockets = [];
  while (sockets.length < n)
    sockets.push(...await Promise.all(Array.from({ length: Math.min(200, n - sockets.length) }, () => openIdle(port))));
  return sockets;
}

async function askLarge(port) {
  const r = await request(port, 'GET', `/rest/v1/rpc/large?bytes=${answer_bytes}`, { headers: { Authorization: `Bearer ${tokens[0]}` } });
  if (r.raw.length !== answer_bytes + 2) throw new Error(`${r.status}: ${r.raw.length} bytes`);
}

/** A section of RESULTS.md. */
export async function measureMemory(stage, { connections = 10_000 } = {}) {
  const server = await stage.serve({ READ_TIMEOUT: '10m', MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000' });
  const mib = (kib) => fixed(kib / 1024, 1);
  const lines = [];
  const note = (what) => lines.push([what, mib(memory(server.pid)), fixed(descriptors(server.pid))]);

  await sleep(settle_ms);
  note('idle, after the start');
  await askLarge(server.port);
  await sleep(settle_ms);
  note(`after an answer of ${fixed(answer_bytes / 1e6)} MB`);
  const before = memory(server.pid);
  const sockets = await openMany(server.port, connections);
  await sleep(settle_ms);
  const each = (memory(server.pid) - before) / connections;
  note(`${fixed(connections)} idle connections: ${fixed(each, 2)} KiB each`);
  for (const socket of sockets) socket.destroy();
  await sleep(settle_ms);
  note('after they have gone');
  await server.stop();
  return ['## Memory', '', table(['', 'MiB', 'descriptors'], lines), '',
    'The supervisor and the server added, resident, TLS off. A connection has had one answer (HTTP/1.1); what',
    'the kernel keeps for its sockets is not counted.'].join('\n');
}
