// A worker: connections that send a head, or a body, by the byte, until it is terminated.
import { once } from 'node:events';
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { anon_key } from '../tests/lib/jwt.mjs';

const { port, clients } = workerData;
const head = `Host: x\r\nApikey: ${anon_key}\r\n`;
const begun = [`GET /rest/v1/item?id=eq.1 HTTP/1.1\r\n${head}X-Slow: `, `POST /rest/v1/item HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n`];

async function open(i) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write(begun[i % 2]);
  return socket;
}

const sockets = [];
while (sockets.length < clients)
  sockets.push(...await Promise.all(Array.from({ length: Math.min(200, clients - sockets.length) }, (_, i) => open(i))));
setInterval(() => {
  const gone = sockets.filter((socket) => socket.destroyed).length;
  if (gone > 0) throw new Error(`${gone} of ${clients} were cut off`);
  for (const socket of sockets) socket.write(' ');
}, 1000);
parentPort.postMessage('ready');
