// An application under test: its own database, its server on a free port, and ways to ask both.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { request } from './http.mjs';
import { anon_key, secret, service_key, token } from './jwt.mjs';
import { pgstack, root, scratch } from './paths.mjs';
import { connect, password, theCluster } from './postgres.mjs';
import { freePort, run, start, until } from './process.mjs';
import { checkStatements, logSize, seenStatements, watchStatements } from './statements.mjs';

/** The users that tests speak as. */
export const users = {
  ada: '0a0a0a0a-0000-4000-8000-000000000001',
  bob: '0b0b0b0b-0000-4000-8000-000000000002',
  eve: '0e0e0e0e-0000-4000-8000-000000000003',
};

/** Takes a lock of the whole cluster: roles belong to all of its databases. */
async function alone(cluster, work) {
  const db = await connect(cluster, 'postgres');
  try {
    await db.query('select pg_advisory_lock(7465737473)');
    return await work(db);
  } finally {
    await db.end();
  }
}

/** `pgstack migration run`; `more` are further arguments. */
export function migrate(project, url, more = []) {
  return run(pgstack, ['migration', 'run', '-C', project, '--database', url, ...more]);
}

/** A new, migrated database named `name`; an old one of that name goes. */
export async function makeDatabase(cluster, project, name) {
  await alone(cluster, async (db) => {
    await db.query(`drop database if exists ${name} with (force)`);
    await db.query(`create database ${name}`);
    await migrate(project, cluster.superUrl(name));
    const { rows } = await db.query("select rolname from pg_roles where rolname in ('authenticator', 'authenticator_admin', 'pgstack_replicator')");
    for (const { rolname } of rows) await db.query(`alter role ${rolname} password '${password}'`);
  });
}

/**
 * Copies the sources of an application to the build folder and builds it there, once a run: so that
 * no suite writes to the checkout, and a sanitized build stays apart.  `from` is relative to the
 * root; '.' is the root application.  `as`: a name for the copy where it is another one, with what
 * `more` has: texts by path.  `cluster`: another than that of the run.
 */
export async function buildProject(from, { as = from, more = {}, cluster } = {}) {
  const project = join(scratch, 'project', as === '.' ? 'root' : as.replaceAll('/', '-'));
  cluster ??= await theCluster();
  await alone(cluster, async () => {
    const built = join(project, `built-${cluster.port}`);
    if (existsSync(built)) return;
    rmSync(project, { recursive: true, force: true });
    mkdirSync(project, { recursive: true });
    for (const part of ['schema', 'policies']) cpSync(join(root, from, part), join(project, part), { recursive: true });
    for (const [path, text] of Object.entries(more)) writeFileSync(join(project, path), text);
    await run(pgstack, ['build', '-C', project]);
    writeFileSync(built, '');
  });
  return project;
}

/** For servers that are to die of a signal, whatever they are built with: sanitizers would end them in order. */
const unhandled = ':handle_segv=0:handle_abort=0';
export const mortal = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}${unhandled}`, TSAN_OPTIONS: `${process.env.TSAN_OPTIONS ?? ''}${unhandled}` };

/** The environment of a server of database `name`. */
export function environment(cluster, name, port, admin_port, more = {}) {
  return {
    PATH: process.env.PATH,
    ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '',
    UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? '',
    LSAN_OPTIONS: process.env.LSAN_OPTIONS ?? '',
    TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? '',
    DATABASE_URL: cluster.loginUrl('authenticator', name),
    ADMIN_DATABASE_URL: cluster.loginUrl('authenticator_admin', name),
    LIVE_DATABASE_URL: cluster.loginUrl('pgstack_replicator', name),
    JWT_SECRET: secret,
    ANON_KEY: anon_key,
    SERVICE_ROLE_KEY: service_key,
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_PORT: String(admin_port),
    THREADS: '2',
    ...more,
  };
}

/** Headers of a caller: 'anon', 'service', 'none', a name of `users`, or a token. */
export function credentials(who) {
  if (who === 'none' || who === undefined) return {};
  if (who === 'anon') return { apikey: anon_key };
  if (who === 'service') return { apikey: service_key };
  if (typeof who === 'object') return { apikey: anon_key, Authorization: `Bearer ${token(who.sub, who)}` };
  if (users[who]) return { apikey: anon_key, Authorization: `Bearer ${token(users[who])}` };
  return { Authorization: `Bearer ${who}` };
}

/** The process numbers of its children, oldest first. */
export function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Starts the server program; throws with its log when it ends or does not become ready. */
export async function startServer(program, env, { wait = true, args = [] } = {}) {
  const folder = mkdtempSync(join(scratch, 'server-'));
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const server = start(program, args, { log, cwd: folder, env });
  server.port = Number(env.PORT);
  server.log = log;
  // Under a supervisor: the process that serves.
  server.supervisor = server.pid;
  Object.defineProperty(server, 'pid', { get: () => childrenOf(server.supervisor).at(-1) ?? server.supervisor });
  server.lines = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  server.forget = () => rmSync(folder, { recursive: true, force: true });
  if (wait) {
    const port = env.TLS_MODE ? env.ADMIN_PORT : env.PORT;
    await until(`${program} to be ready`, async () => {
      if (!server.alive()) throw new Error(`the server ended (${JSON.stringify(await server.ended)}):\n${server.output().slice(-4000)}`);
      return request(port, 'GET', '/ready').then((r) => r.status === 200, () => false);
    }).catch(async (error) => {
      await server.stop('SIGKILL');
      throw new Error(`${error.message}\n${server.output().slice(-4000)}`);
    });
  }
  return server;
}

/**
 * An application ready to be asked.  `project` is a folder, `app` its name, `name` the database,
 * `env` further variables of the server.
 */
export async function openApp({ project, app, name, env = {}, seed }) {
  const cluster = await theCluster();
  await makeDatabase(cluster, project, name);
  const db = await connect(cluster, name);
  if (seed) await db.query(seed);
  await watchStatements(db, name);
  const log_from = logSize(cluster.log);
  const port = await freePort();
  const admin_port = await freePort();
  const variables = environment(cluster, name, port, admin_port, env);
  const program = join(project, 'build/server', app);
  if (!existsSync(program)) throw new Error(`no ${program}: pgstack build leaves it there`);
  const here = {
    cluster, db, port, admin_port, project, name, program, env: variables, log_from,
    known_strangers: [], // statements that a test sends itself as a login role
    agent: new http.Agent({ keepAlive: true, maxSockets: 16 }),
    server: await startServer(program, variables),
    /** One request as `who`. */
    ask(who, method, path, body, headers = {}) {
      return request(this.port, method, path, { headers: { ...credentials(who), ...headers }, body, agent: this.agent });
    },
    get(who, path, headers) {
      return this.ask(who, 'GET', `/rest/v1/${path}`, undefined, headers);
    },
    async restart(more = {}) {
      await this.server.stop();
      this.server = await startServer(program, { ...variables, ...more });
    },
    async close() {
      this.agent.destroy();
      const how = await this.server.stop();
      await db.end();
      const seen = seenStatements(cluster.log, log_from, name);
      await cluster.stop();
      for (const stranger of this.known_strangers) seen.delete(stranger);
      checkStatements(program, seen);
      if (how.code !== 0) throw new Error(`the server did not end in order (${JSON.stringify(how)}):\n${this.server.output().slice(-6000)}`);
      this.server.forget();
    },
  };
  return here;
}
