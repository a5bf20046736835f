// A private PostgreSQL: its own folder, port and socket, gone when the run ends.
//
// PostgreSQL refuses root, so as root it runs as the user postgres; the folder must then be one
// that this user can reach, which a checkout under /root is not: hence the second choice in /tmp.
import { accessSync, appendFileSync, chmodSync, chownSync, constants, existsSync, mkdirSync, mkdtempSync,
  readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { scratch } from './paths.mjs';
import { family, freePort, hasEnded, run, signalAll, start, until } from './process.mjs';

export const password = 'a-password-of-the-tests';

const is_root = process.getuid() === 0;
const as_postgres = is_root ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

/** The folder of initdb and postgres, of the newest release there is; PGSTACK_POSTGRES names another. */
export function binaries() {
  if (process.env.PGSTACK_POSTGRES) return process.env.PGSTACK_POSTGRES;
  const base = '/usr/lib/postgresql';
  const releases = existsSync(base) ? readdirSync(base).map(Number).sort((a, b) => b - a) : [];
  const found = releases.map((r) => join(base, String(r), 'bin')).find((d) => existsSync(join(d, 'initdb')));
  if (!found) throw new Error('no initdb under /usr/lib/postgresql: install postgresql');
  return found;
}

function asServerUser(program, args) {
  const all = [...as_postgres, program, ...args];
  return [all[0], all.slice(1)];
}

/** user id and group id of postgres, as /etc/passwd has them */
function postgresIds() {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((l) => l.startsWith('postgres:'));
  if (!line) throw new Error('no user postgres');
  return line.split(':').slice(2, 4).map(Number);
}

async function makeFolder() {
  mkdirSync(scratch, { recursive: true });
  const folders = [join(scratch, 'pg-'), join(tmpdir(), 'pgstack-test-')];
  for (const prefix of folders) {
    const folder = mkdtempSync(prefix);
    chmodSync(folder, 0o755);
    if (!is_root) {
      accessSync(folder, constants.W_OK);
      return folder;
    }
    chownSync(folder, ...postgresIds());
    const [program, args] = asServerUser('test', ['-w', folder]);
    if ((await run(program, args, { may_fail: true, cwd: '/' })).code === 0) return folder;
    rmSync(folder, { recursive: true });
  }
  throw new Error('no folder that the user postgres can write in');
}

const settings = `
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = '128MB'
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_slot_wal_keep_size = 4GB
log_line_prefix = '%m [%p] %q%u@%d '
log_statement = none
`;

/** Those whose folders are still there; they go at the latest with us. */
const placed = new Set();
process.on('exit', () => { for (const cluster of placed) cluster.remove(); });

export class Cluster {
  /** Starts a new cluster; `more` are lines of postgresql.conf. */
  static async start(more = '') {
    const cluster = await Cluster.make();
    writeFileSync(join(cluster.data, 'postgresql.auto.conf'),
      `${settings}${cluster.address()}${more}`);
    await cluster.up();
    return cluster;
  }

  /** One that nobody has started, by initdb or as a copy of one that a run has made so. */
  static async make() {
    const cluster = new Cluster();
    await cluster.place();
    const [program, args] = process.env.PGSTACK_TEST_PRISTINE
      ? asServerUser('cp', ['-a', process.env.PGSTACK_TEST_PRISTINE, cluster.data])
      : asServerUser(join(binaries(), 'initdb'), ['-D', cluster.data, '-U', 'postgres',
        '-E', 'UTF8', '--locale=C.UTF-8', '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync']);
    await run(program, args, { cwd: '/' });
    return cluster;
  }

  /** Takes a folder, a port and a place for sockets. */
  async place() {
    this.folder = await makeFolder();
    placed.add(this);
    this.data = join(this.folder, 'data');
    this.sockets = mkdtempSync(join(tmpdir(), 'pgs-'));
    chmodSync(this.sockets, 0o755);
    if (is_root) chownSync(this.sockets, ...postgresIds());
    this.port = await freePort();
  }

  address() {
    return `port = ${this.port}\nunix_socket_directories = '${this.sockets}'\n`;
  }

  async up() {
    const [program, args] = asServerUser(join(binaries(), 'postgres'), ['-D', this.data]);
    this.log = join(scratch, `postgres-${this.port}.log`);
    this.process = start(program, args, { log: this.log, cwd: '/' });
    await until('PostgreSQL to start', async () => {
      if (!this.process.alive()) throw new Error(`PostgreSQL ended: ${this.process.output().slice(-2000)}`);
      const client = new pg.Client(this.where('postgres'));
      return client.connect().then(() => client.end().then(() => true), () => false);
    }, 30_000);
  }

  /** Stops PostgreSQL; 'SIGQUIT' is its immediate way. */
  async down(signal = 'SIGINT') {
    await this.process.stop(signal, 30_000);
  }

  /** Sends a signal to PostgreSQL and all of its processes; SIGKILL is a machine that fails. */
  async signal(signal) {
    if (signal === 'SIGKILL') signalAll([this.process.pid], 'SIGSTOP'); // it starts no more of them
    const pids = family(this.process.pid);
    signalAll(pids, signal);
    if (signal !== 'SIGKILL') return;
    await this.process.ended;
    await until('its processes to end', () => pids.every(hasEnded));
  }

  /** A streaming standby, made by pg_basebackup. */
  async standby() {
    const other = new Cluster();
    await other.place();
    const [program, args] = asServerUser(join(binaries(), 'pg_basebackup'), ['-D', other.data, '-R', '-X', 'stream',
      '-c', 'fast', '--no-sync', '-h', this.sockets, '-p', String(this.port), '-U', 'postgres']);
    await run(program, args, { cwd: '/' });
    appendFileSync(join(other.data, 'postgresql.auto.conf'), other.address());
    await other.up();
    return other;
  }

  /** Starts what was stopped as a standby, which takes no writes and follows nobody. */
  async upAsStandby() {
    writeFileSync(join(this.data, 'standby.signal'), '');
    await this.up();
  }

  async stop() {
    await this.signal('SIGCONT');
    await this.down('SIGQUIT');
    this.remove();
  }

  remove() {
    placed.delete(this);
    for (const folder of [this.folder, this.sockets].filter(Boolean)) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** What another process needs to know to use it. */
  describe() {
    return JSON.stringify({ port: this.port, sockets: this.sockets, log: this.log });
  }

  /** Settings of a pg.Client as the superuser, over the socket. */
  where(database) {
    return { host: this.sockets, port: this.port, user: 'postgres', database };
  }

  /** A URL for programs: the superuser over the socket. */
  superUrl(database) {
    return `postgresql://postgres@${encodeURIComponent(this.sockets)}:${this.port}/${database}`;
  }

  /** A URL for the server: a login role over TCP, with its password. */
  loginUrl(role, database) {
    return `postgresql://${role}:${password}@127.0.0.1:${this.port}/${database}`;
  }
}

let own;

/** The cluster of the run, or one of our own when a file runs alone. */
export function theCluster() {
  own ??= process.env.PGSTACK_TEST_CLUSTER ? attach(JSON.parse(process.env.PGSTACK_TEST_CLUSTER)) : Cluster.start();
  return own;
}

/** From now on theCluster() is this one. */
export function useCluster(cluster) {
  own = Promise.resolve(cluster);
}

async function attach(where) {
  const cluster = Object.assign(new Cluster(), where);
  cluster.stop = async () => {};
  return cluster;
}

/** One connection as the superuser with the shortest way to ask. */
export async function connect(cluster, database) {
  const client = new pg.Client(cluster.where(database));
  client.on('error', () => {}); // the server may be stopped under us, on purpose
  await client.connect();
  return {
    client,
    query: (text, values) => client.query(text, values),
    rows: async (text, values) => (await client.query(text, values)).rows,
    value: async (text, values) => {
      const { rows } = await client.query({ text, values, rowMode: 'array' });
      return rows[0]?.[0];
    },
    end: () => client.end(),
  };
}
