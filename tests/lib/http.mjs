// HTTP as plain as it gets: paths go out as written, answers come back as bytes and text.
import http from 'node:http';
import net from 'node:net';

/** One request; `agent` keeps connections where it is given, `localAddress` is where it comes from. */
export function request(port, method, path, { headers = {}, body, agent, localAddress, timeout_ms = 20_000 } = {}) {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const all = { ...headers };
    const has = (name) => Object.keys(all).some((k) => k.toLowerCase() === name);
    if (bytes !== undefined && !has('content-type')) all['Content-Type'] = 'application/json';
    if (bytes !== undefined && !has('content-length') && !has('transfer-encoding')) all['Content-Length'] = bytes.length;
    const req = http.request({ host: '127.0.0.1', port, method, path, headers: all, agent, localAddress, timeout: timeout_ms }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('error', reject);
      res.on('end', () => {
        const raw = Buffer.concat(chunks);
        const text = raw.toString('utf8');
        resolve({
          status: res.statusCode,
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          raw,
          text,
          get json() {
            try {
              return JSON.parse(text);
            } catch {
              throw new Error(`not JSON (status ${res.statusCode}): ${text.slice(0, 300)}`);
            }
          },
        });
      });
    });
    req.on('error', (error) => reject(Object.assign(error, { was_kept: req.reusedSocket })));
    req.on('timeout', () => req.destroy(new Error(`no answer to ${method} ${path} within ${timeout_ms} ms`)));
    req.end(bytes);
  });
}

/** A head `n` times over, without the empty line behind it; the last one closes the connection. */
export const pipelined = (head, n) => `${`${head}\r\n`.repeat(n - 1)}${head}Connection: close\r\n\r\n`;

/**
 * Sends raw bytes and collects what comes back until the peer closes, `quiet_ms` pass after a byte of it, or
 * `patience_ms` without any.  Answers {text, closed, statuses}.
 */
export function raw(port, bytes, { quiet_ms = 400, patience_ms = 20_000, half_close = false } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const chunks = [];
    let timer;
    const finish = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, closed, statuses: [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((m) => Number(m[1])) });
    };
    const wait = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), ms);
    };
    socket.on('connect', () => {
      for (const part of Array.isArray(bytes) ? bytes : [bytes]) socket.write(part, 'latin1');
      if (half_close) socket.end();
      wait(patience_ms);
    });
    socket.on('data', (d) => { chunks.push(d); wait(quiet_ms); });
    socket.on('end', () => finish(true));
    socket.on('close', () => finish(true));
    socket.on('error', () => finish(true));
  });
}
