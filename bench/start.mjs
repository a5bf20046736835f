// From exec to the first answer, the process included: node bench/start.mjs [ROUNDS]
//
// Over TCP each connection to PostgreSQL proves its password (SCRAM, 4096 rounds of a hash in libpq);
// over the Unix socket it does not.  The client asks from the first moment on, and waits.
import { readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProject, environment, makeDatabase, startServer } from '../tests/lib/app.mjs';
import { anon_key } from '../tests/lib/jwt.mjs';
import { theCluster } from '../tests/lib/postgres.mjs';
import { freePort } from '../tests/lib/process.mjs';

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Milliseconds until `path` is answered; connects again and again until somebody listens. */
function firstAnswer(port, path) {
  const begin = performance.now();
  return new Promise((resolve) => {
    const attempt = () => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => setImmediate(attempt));
      socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\napikey: ${anon_key}\r\nConnection: close\r\n\r\n`));
      socket.on('data', (data) => {
        const took = performance.now() - begin;
        socket.destroy();
        resolve({ took, status: Number(data.toString('latin1').slice(9, 12)) });
      });
    };
    attempt();
  });
}

/** Processor time of all threads of a process, in milliseconds. */
function cpu(pid) {
  const of = (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(task), 0) / 1e6;
}

/** Rows of { way, path, ms, cpu_ms }: medians of `rounds` starts. */
export async function measureStart(cluster, program, name, path, rounds = 9) {
  const tcp = environment(cluster, name, 0, 0);
  const socket = (role) => `postgresql://${role}@${encodeURIComponent(cluster.sockets)}:${cluster.port}/${name}`;
  const ways = {
    'TCP, SCRAM': tcp,
    'Unix socket': { ...tcp, DATABASE_URL: socket('authenticator'), ADMIN_DATABASE_URL: socket('authenticator_admin') },
  };
  const rows = [];
  for (const [way, env] of Object.entries(ways))
    for (const asked of [path, '/health']) {
      const times = [];
      const cpus = [];
      for (let i = 0; i < rounds; i++) {
        const port = await freePort();
        const server = await startServer(program, { ...env, PORT: String(port), ACCESS_LOG: 'false' }, { wait: false });
        const { took, status } = await firstAnswer(port, asked);
        if (status !== 200) throw new Error(`${asked}: ${status}\n${server.output()}`);
        times.push(took);
        cpus.push(cpu(server.pid) + (server.pid === server.supervisor ? 0 : cpu(server.supervisor)));
        await server.stop();
        server.forget();
      }
      rows.push({ way, path: asked, ms: median(times), cpu_ms: median(cpus) });
    }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cluster = await theCluster();
  try {
    const project = await buildProject('.');
    await makeDatabase(cluster, project, 'bench_start');
    const rows = await measureStart(cluster, join(project, 'build/server/helpdesk'), 'bench_start', '/rest/v1/article?select=slug&limit=1', Number(process.argv[2] ?? 9));
    for (const { way, path, ms, cpu_ms } of rows) console.log(`${way.padEnd(12)} ${path.padEnd(40)} ${ms.toFixed(1)} ms, ${cpu_ms.toFixed(1)} ms of processor by then`);
  } finally {
    await cluster.stop();
  }
}
