// A pooler between the server and PostgreSQL, which would give one session to many: it is found out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildProject, credentials, environment, makeDatabase, startServer } from '../lib/app.mjs';
import { request } from '../lib/http.mjs';
import { theCluster } from '../lib/postgres.mjs';
import { openPooler } from '../lib/pooler.mjs';
import { freePort, run, until } from '../lib/process.mjs';
import { openProxy } from '../lib/proxy.mjs';

const name = 'api_pooler';
let cluster, program;
before(async () => {
  cluster = await theCluster();
  const project = await buildProject('tests/4-api/app');
  await makeDatabase(cluster, project, name);
  program = join(project, 'build/server/proof');
});
after(() => cluster?.stop());

const settings = async (more) => environment(cluster, name, await freePort(), 0, { LIVE_DATABASE_URL: '', ...more });

for (const mode of ['transaction', 'session'])
  describe(`PgBouncer in ${mode} mode`, () => {
    let pooler, server;
    before(async () => { pooler = await openPooler(cluster, mode, ['authenticator', 'authenticator_admin']); });
    after(async () => {
      await server?.stop('SIGKILL');
      await pooler?.close();
    });

    for (const [variable, role] of [['DATABASE_URL', 'authenticator'], ['ADMIN_DATABASE_URL', 'authenticator_admin']])
      test(`as ${variable}: the server does not start, and says why`, async () => {
        const env = await settings({ [variable]: pooler.url(role, name) });
        const why = new RegExp(`^${variable}: login role "${role}" reaches PostgreSQL through a pooler.*: name PostgreSQL itself$`, 'm');
        server = await startServer(program, env, { wait: false });
        assert.deepEqual(await server.ends(), { code: 1, signal: null });
        assert.match(server.output(), why);
        const checked = await run(program, ['--check'], { env, may_fail: true });
        assert.equal(checked.code, 1);
        assert.match(checked.err, why);
      });

    test('in the place of PostgreSQL while the server runs: nothing goes through it', async () => {
      const proxy = await openProxy(cluster.port);
      try {
        const env = await settings({ DATABASE_URL: `${pooler.url('authenticator', name).replace(`:${pooler.port}/`, `:${proxy.port}/`)}` });
        server = await startServer(program, env);
        const status = async () => (await request(server.port, 'GET', '/rest/v1/item?limit=1', { headers: credentials('ada') })).status;
        assert.equal(await status(), 200, 'a proxy that carries bytes is no pooler');
        proxy.to(pooler.port);
        proxy.drop();
        const before_ = pooler.logins();
        await until('many logins', () => pooler.logins() > before_ + 5);
        for (let i = 0; i < 20; i++) assert.equal(await status(), 503);
        proxy.to(cluster.port);
        proxy.drop();
        await until('PostgreSQL to be back', async () => await status() === 200);
      } finally {
        await server.stop();
        proxy.close();
      }
    });

    test('before what is followed: it is not', async () => {
      server = await startServer(program, await settings({ REACTIVE_DATABASE_URL: pooler.url('authenticator', name) }));
      const line = await until('the reason', () => server.lines().find((l) => /"reactive_failed"/.test(l)));
      assert.match(line, /a pooler, or a proxy/);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  });
