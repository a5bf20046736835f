// A network between a client and a server that can be cut, or swallow all that is said.
import { once } from 'node:events';
import net from 'node:net';

/** Listens on a port of its own and hands on to `to`, a port of 127.0.0.1. */
export async function openProxy(to) {
  const pairs = new Set();
  const proxy = { isCut: false, isMute: false, accepted: 0 };
  const server = net.createServer((client) => {
    proxy.accepted++;
    if (proxy.isCut) return client.destroy();
    const upstream = net.connect(to, '127.0.0.1');
    const pair = [client, upstream];
    pairs.add(pair);
    for (const [from, other] of [pair, [upstream, client]]) {
      from.on('data', (data) => { if (!proxy.isMute) other.write(data); });
      from.on('error', () => {});
      from.on('close', () => { other.destroy(); pairs.delete(pair); });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dropAll = () => { for (const pair of pairs) for (const socket of pair) socket.destroy(); };
  return Object.assign(proxy, {
    port: server.address().port,
    /** Ends what is there, and refuses what comes, until mend(). */
    cut() {
      proxy.isCut = true;
      dropAll();
    },
    mend() {
      proxy.isCut = proxy.isMute = false;
    },
    close() {
      dropAll();
      return new Promise((done) => server.close(done));
    },
  });
}
