// From exec to the first answer, the process included.
//
// Over TCP each connection to PostgreSQL proves its password (SCRAM, 4096 rounds of a hash in libpq);
// over the Unix socket it does not.  The client asks from the first moment on, and waits.
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { environment, startServer } from '../tests/lib/app.mjs';
import { freePort } from '../tests/lib/process.mjs';
import { fixed, median, table } from './report.mjs';
import { tokens } from './stage.mjs';

/** Milliseconds until `path` is answered; connects again and again until somebody listens. */
function firstAnswer(port, path) {
  const begin = performance.now();
  return new Promise((resolve) => {
    const attempt = () => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => setImmediate(attempt));
      socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens[1]}\r\nConnection: close\r\n\r\n`));
      socket.on('data', (data) => {
        const took = performance.now() - begin;
        socket.destroy();
        resolve({ took, status: Number(data.toString('latin1').slice(9, 12)) });
      });
    };
    attempt();
  });
}

async function startOnce(program, env, path) {
  const port = await freePort();
  const server = await startServer(program, { ...env, PORT: String(port), ADMIN_PORT: '0', ACCESS_LOG: 'false' }, { wait: false });
  const { took, status } = await firstAnswer(port, path);
  if (status !== 200) throw new Error(`${path}: ${status}\n${server.output()}`);
  const used = cpu(server.pid) + (server.pid === server.supervisor ? 0 : cpu(server.supervisor));
  await server.stop();
  server.forget();
  return { took, cpu: used };
}

/** Processor time of all threads of a process, in milliseconds. */
function cpu(pid) {
  const of = (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(task), 0) / 1e6;
}

/** A section of RESULTS.md. */
export async function measureStart({ cluster, program }, rounds) {
  const tcp = environment(cluster, 'bench', 0, 0);
  const socket = (role) => `postgresql://${role}@${encodeURIComponent(cluster.sockets)}:${cluster.port}/bench`;
  const ways = {
    'TCP, SCRAM': tcp,
    'Unix socket': { ...tcp, DATABASE_URL: socket('authenticator'), ADMIN_DATABASE_URL: socket('authenticator_admin') },
  };
  const lines = [];
  for (const [way, env] of Object.entries(ways))
    for (const path of ['/rest/v1/item?id=eq.1', '/health']) {
      const starts = [];
      for (let i = 0; i < rounds; i++) starts.push(await startOnce(program, env, path));
      lines.push([way, `\`${path}\``, fixed(median(starts.map((s) => s.took)), 1), fixed(median(starts.map((s) => s.cpu)), 1)]);
    }
  return ['## Start', '', table(['connections to PostgreSQL', 'first answer of', 'ms', 'processor ms by then'], lines), '',
    `From exec, the process included; medians of ${rounds} starts.`].join('\n');
}
