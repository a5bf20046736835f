// A network between two programs that can be cut, or held up.
import { once } from 'node:events';
import net from 'node:net';

/**
 * Listens on a port of its own and carries what comes to `to_port`.  `cut(n)` ends the next connection that
 * has carried n bytes of answers from now on; `hold` carries nothing more until `release`, `hold(true)` no answers,
 * as of a client that does not read; `drop` ends what is there, and `refuse` also what comes, until `admit`.
 */
export async function openProxy(to_port) {
  const pairs = new Set();
  let cut_after = Infinity;
  let held = false, refuses = false, port = to_port;
  const server = net.createServer((client) => {
    if (refuses) return client.resetAndDestroy();
    const upstream = net.connect(port, '127.0.0.1');
    const pair = { client, upstream };
    pairs.add(pair);
    const end = () => { pairs.delete(pair); client.destroy(); upstream.destroy(); };
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.on('error', end);
      from.on('close', end);
      from.on('data', (bytes) => {
        if (to !== client || bytes.length < cut_after) {
          if (to === client) cut_after -= bytes.length;
          to.write(bytes);
          return;
        }
        to.write(bytes.subarray(0, cut_after), () => end());
        cut_after = Infinity;
      });
      if (held) from.pause();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = () => { for (const { client, upstream } of pairs) { client.resetAndDestroy(); upstream.destroy(); } };
  return {
    port: server.address().port,
    cut(n) { cut_after = n; },
    hold(answers = false) { held = !answers; for (const { client, upstream } of pairs) { if (!answers) client.pause(); upstream.pause(); } },
    release() { held = false; for (const { client, upstream } of pairs) { client.resume(); upstream.resume(); } },
    drop,
    to(other) { port = other; },
    refuse() { refuses = true; drop(); },
    admit() { refuses = false; },
    close() { for (const { client, upstream } of pairs) { client.destroy(); upstream.destroy(); } server.close(); },
  };
}
