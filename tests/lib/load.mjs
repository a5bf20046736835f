// Clients that ask without a pause, each in its own way, and count what went wrong.
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';

/** One GET; resolves to its status, rejects with what went wrong. */
function get(port, path, headers, { tls, agent }) {
  return new Promise((resolve, reject) => {
    const req = (tls ? https : http).get({ host: '127.0.0.1', port, path, headers, agent, rejectUnauthorized: false, timeout: 20_000 }, (res) => {
      res.on('error', reject).on('end', () => resolve(res.statusCode)).resume();
    });
    req.on('error', reject).on('timeout', () => req.destroy(new Error('no answer within 20 s')));
  });
}

/** Keeps its connection as long as the server does. */
export function keepAlive(port, path, headers, tls = false) {
  const agent = new (tls ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
  return { ask: () => get(port, path, headers, { tls, agent }), close: () => agent.destroy() };
}

/** A connection for each request. */
export function newConnections(port, path, headers, tls = false) {
  return { ask: () => get(port, path, { ...headers, connection: 'close' }, { tls, agent: false }), close() {} };
}

/**
 * HTTP/2 over TLS; another session when the server has sent GOAWAY.  A request that node had not sent yet when GOAWAY
 * came is refused by node itself (REFUSED_STREAM), and begins again on the next session, as RFC 9113 (8.7) has it.
 */
export function multiplexed(port, path, headers) {
  let session;
  const open = () => {
    session = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false, host: '127.0.0.1' });
    session.on('error', () => {}); // each request says so itself
  };
  const once = () => new Promise((resolve, reject) => {
    if (!session || session.closed || session.destroyed) open();
    const stream = session.request({ ':path': path, ...headers });
    let status;
    stream.on('response', (h) => { status = h[':status']; }).on('error', reject).resume();
    stream.on('close', () => (status ? resolve(status) : reject(new Error(`closed without an answer, code ${stream.rstCode}`))));
  });
  const ask = async () => {
    for (let tries = 1; ; tries++) {
      try {
        return await once();
      } catch (error) {
        if (!/REFUSED_STREAM/.test(error.message) || !session.closed || tries === 3) throw error;
      }
    }
  };
  return { ask, close: () => session?.destroy() };
}

/**
 * Has all `clients` ask on and on.  `may_end(error)`: such an error ends its client, and is no failure.
 * `stop()` answers { asked, failed: [what went wrong] }.
 */
export function load(clients, may_end = () => false) {
  const result = { asked: 0, failed: [] };
  let going = true;
  const each = clients.map(async (client) => {
    while (going) {
      try {
        const status = await client.ask();
        result.asked++;
        if (status !== 200) result.failed.push(`status ${status}`);
      } catch (error) {
        if (may_end(error)) return;
        result.asked++;
        result.failed.push(`${error.code}: ${error.message}`);
        await new Promise((done) => setTimeout(done, 5));
      }
    }
  });
  return {
    result,
    async stop() {
      going = false;
      await Promise.all(each);
      for (const client of clients) client.close();
      return result;
    },
    ended: () => Promise.all(each).then(() => result),
  };
}
