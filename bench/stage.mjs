// What is measured, ready to be asked: PostgreSQL with the rows of bench/app, our server with and
// without TLS, and the peers, all on this machine.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProject, environment, makeDatabase, startServer } from '../tests/lib/app.mjs';
import { certificate } from '../tests/lib/h2.mjs';
import { request } from '../tests/lib/http.mjs';
import { now, secret, token } from '../tests/lib/jwt.mjs';
import { scratch } from '../tests/lib/paths.mjs';
import { Cluster, connect } from '../tests/lib/postgres.mjs';
import { freePort, start, until } from '../tests/lib/process.mjs';

export const here = fileURLToPath(new URL('.', import.meta.url));
export const folder = join(scratch, 'bench');
export const rows = 100_000;
export const n_users = 100;

// a uuid whose last part is a number, so that pgbench can make it with one `||`
export const uid_head = '00000000-0000-4000-8000-';
export const uid_base = 100_000_000_000;
const uid = (user) => `${uid_head}${uid_base + user}`;

export const threads = availableParallelism();
export const tokens = Array.from({ length: n_users }, (_, user) =>
  token(uid(user), { exp: now() + 86_400, app_metadata: { plan: 'pro' } }));

export const postgres_settings = `
shared_buffers = '512MB'
max_connections = 300
autovacuum = off
`;

async function fill(db) {
  await db.query(`insert into item (id, owner_id, title, body, state)
    select i, ('${uid_head}' || ${uid_base} + i % ${n_users})::uuid, 'Title of item ' || i, repeat('text ', 16), i % 7
    from generate_series(1, ${rows}) i`);
  await db.query('vacuum analyze');
}

function tlsSettings() {
  const { cert, key } = certificate(folder);
  return { TLS_MODE: 'manual', TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
}

/** A peer's processes; `path` is asked, with a token, until it answers. */
async function startPeer(name, database_url, path, options = {}) {
  const port = await freePort();
  const home = join(here, 'peers', name);
  if (!existsSync(join(home, 'node_modules'))) throw new Error(`${home} is not installed: tools/deps bench`);
  const log = join(folder, `${name}.log`);
  writeFileSync(log, '');
  const server = start(process.execPath, ['server.mjs'], { log, cwd: home,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), DATABASE_URL: database_url, JWT_SECRET: secret, WORKERS: String(threads) } });
  await until(`${name} to answer`, async () => {
    if (!server.alive()) throw new Error(`${name} ended:\n${server.output().slice(-3000)}`);
    return request(port, options.method ?? 'GET', path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${tokens[1]}` } }).then((r) => r.status === 200, () => false);
  }, 60_000);
  return Object.assign(server, { port });
}

/** Opens all of it; `close` ends it. */
export async function openStage() {
  mkdirSync(folder, { recursive: true });
  const opened = [];
  const close = async () => {
    for (const one of opened.reverse()) await one();
  };
  try {
    const cluster = await Cluster.start(postgres_settings);
    opened.push(() => cluster.stop());
    process.env.PGSTACK_TEST_CLUSTER = cluster.describe();
    const project = await buildProject('bench/app');
    await makeDatabase(cluster, project, 'bench');
    const db = await connect(cluster, 'bench');
    opened.push(() => db.end());
    await fill(db);

    const url = (role) => `postgresql://${role}@${encodeURIComponent(cluster.sockets)}:${cluster.port}/bench`;
    const program = join(project, 'build/server/bench');
    const serve = async (more) => {
      const settings = { THREADS: String(threads), DATABASE_URL: url('authenticator'), ADMIN_DATABASE_URL: url('authenticator_admin'), ...more };
      const env = environment(cluster, 'bench', await freePort(), await freePort(), settings);
      const server = await startServer(program, env);
      opened.push(() => server.stop());
      return Object.assign(server, { settings, forget_log: () => writeFileSync(server.log, '') });
    };
    const peer = async (...args) => {
      const server = await startPeer(...args);
      opened.push(() => server.stop());
      return server;
    };

    return {
      cluster, db, url, program, serve, close,
      ours: await serve({}),
      tls: await serve(tlsSettings()),
      fastify: await peer('fastify', url('authenticator'), '/item/1'),
      postgraphile: await peer('postgraphile', url('authenticator'), '/graphql', { method: 'POST', body: { query: '{ itemByRowId(rowId: 1) { title } }' } }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
