// A real PgBouncer in front of PostgreSQL.
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { root, scratch } from './paths.mjs';
import { password } from './postgres.mjs';
import { freePort, start, until } from './process.mjs';

/** For the login roles `roles`; `mode` is 'session' or 'transaction'. */
export async function openPooler(cluster, mode, roles) {
  const folder = mkdtempSync(join(tmpdir(), 'pgs-pooler-')), port = await freePort();
  const config = join(folder, 'pgbouncer.ini'), users = join(folder, 'users');
  chmodSync(folder, 0o755); // it is no friend of root
  writeFileSync(users, roles.map((role) => `"${role}" "${password}"\n`).join(''));
  writeFileSync(config, `[databases]
* = host=127.0.0.1 port=${cluster.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits, options
`);
  const fetched = join(root, 'build/tools/pgbouncer');
  const program = start(existsSync(fetched) ? fetched : 'pgbouncer', [...(process.getuid() === 0 ? ['-u', 'postgres'] : []), config],
    { log: join(scratch, `pgbouncer-${port}.log`), env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  const pooler = {
    port,
    url: (role, database) => `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`,
    /** How often somebody has tried to log in. */
    logins: () => program.output().split('login attempt').length - 1,
    async close() {
      await program.stop('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await until('PgBouncer to answer', async () => {
    if (!program.alive()) throw new Error(`PgBouncer ended: ${program.output().slice(-2000)}`);
    const client = new pg.Client(pooler.url(roles[0], 'postgres'));
    return client.connect().then(() => client.query('select 1')).then(() => true, () => false).finally(() => client.end());
  }).catch(async (error) => {
    await pooler.close();
    throw error;
  });
  return pooler;
}
