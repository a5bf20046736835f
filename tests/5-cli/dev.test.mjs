// `pgstack init`, then `pgstack dev` on what it made: what it prints works, and it leaves nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keepAlive, load, newConnections } from '../lib/load.mjs';
import { pgstack, scratch } from '../lib/paths.mjs';
import { freePort, run, start, until } from '../lib/process.mjs';

let folder;
let project;
let port;
before(async () => {
  mkdirSync(scratch, { recursive: true });
  folder = mkdtempSync(join(scratch, 'cli-'));
  project = join(folder, 'My Notes');
  port = await freePort();
});
after(() => rmSync(folder, { recursive: true, force: true }));

const envFile = () => join(project, 'build/dev/env');
const readEnv = () => Object.fromEntries(readFileSync(envFile(), 'utf8').trim().split('\n').map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
const lives = (pid) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** Runs `dev` until all is up. */
async function dev(...more) {
  const log = join(folder, `dev-${performance.now()}.log`);
  const began = performance.now();
  const child = start(pgstack, ['dev', '-C', project, '--port', String(port), ...more], { log });
  await until('dev to be up', () => {
    if (!child.alive()) throw new Error(child.output());
    return existsSync(envFile()) && /Ctrl-C/.test(child.output());
  }, 120_000);
  return Object.assign(child, { took_ms: Math.round(performance.now() - began) });
}

async function notes(env) {
  const answer = await fetch(`http://127.0.0.1:${port}/rest/v1/note?order=id`, { headers: { authorization: `Bearer ${env.DEMO_TOKEN}` } });
  return { status: answer.status, rows: await answer.json() };
}

describe('a new project', () => {
  test('is made, and checks', async () => {
    const { out } = await run(pgstack, ['init', project]);
    assert.match(out, /pgstack dev -C/);
    assert.match(readFileSync(join(project, 'schema/notes.schema'), 'utf8'), /^app my_notes;$/m);
    await run(pgstack, ['check', '-C', project]);
  });

  test('is not made over another', async () => {
    const { code, err } = await run(pgstack, ['init', project], { may_fail: true });
    assert.equal(code, 1);
    assert.match(err, /not empty/);
  });
});

describe('dev', { concurrency: false }, () => {
  test('serves; what it prints works; Ctrl-C stops all of it', async (t) => {
    mkdirSync(join(project, 'demo/page'));
    writeFileSync(join(project, 'demo/page/index.html'), 'a page of mine');
    const child = await dev();
    const env = readEnv();
    for (const name of ['PORT', 'ADMIN_PORT', 'ANON_KEY', 'SERVICE_ROLE_KEY', 'JWT_SECRET', 'DATABASE_URL', 'ADMIN_DATABASE_URL', 'MIGRATION_DATABASE_URL', 'DEMO_TOKEN'])
      assert.ok(env[name], name);
    const lines = child.output().split('\n').filter((l) => l.startsWith('  curl '));
    assert.ok(lines.length >= 2);
    for (const line of lines) {
      const { out } = await run('sh', ['-c', `${line} -s -w ' %{http_code}'`]);
      assert.match(out, / 200$/, `${line}\n${out}`);
    }
    const page = child.output().match(/^ {2}(http:\S+\/demo\/)#(\S+)$/m);
    assert.equal(page[2], env.DEMO_TOKEN);
    assert.equal(await (await fetch(page[1])).text(), 'a page of mine');
    const { status, rows } = await notes(env);
    assert.equal(status, 200);
    assert.deepEqual(rows.map((r) => r.title), ['Buy milk', 'Call Grace']);
    const made = await fetch(`http://127.0.0.1:${port}/rest/v1/note`, {
      method: 'POST', body: JSON.stringify({ title: 'kept' }),
      headers: { authorization: `Bearer ${env.DEMO_TOKEN}`, 'content-type': 'application/json' },
    });
    assert.equal(made.status, 201, await made.text());

    const second = await run(pgstack, ['dev', '-C', project, '--port', '0'], { may_fail: true });
    assert.equal(second.code, 1);
    assert.match(second.err, /runs already/);

    const children = childrenOf(child.pid);
    assert.equal(children.length, 2);
    const { code } = await child.stop('SIGINT', 30_000);
    assert.equal(code, 0, child.output());
    for (const pid of children) assert.equal(lives(pid), false);
    assert.equal(existsSync(envFile()), false);
    t.diagnostic(`> first start ${child.took_ms} ms`);
  });

  test('keeps its data, and is up again soon', async (t) => {
    const child = await dev();
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.title), ['Buy milk', 'Call Grace', 'kept']);
    await child.stop('SIGTERM', 30_000);
    t.diagnostic(`> second start ${child.took_ms} ms`);
  });

  test('leaves nothing when it is killed, and recovers', async () => {
    const child = await dev();
    const children = childrenOf(child.pid);
    await child.stop('SIGKILL');
    for (const pid of children) await until(`process ${pid} to end`, () => !lives(pid), 30_000);
    const again = await dev();
    assert.equal((await notes(readEnv())).rows.length, 3);
    await again.stop('SIGTERM', 30_000);
  });

  test('says when the port is taken', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const { code, err } = await run(pgstack, ['dev', '-C', project, '--port', String(port)], { may_fail: true });
    other.close();
    assert.equal(code, 1);
    assert.match(err, new RegExp(`port ${port} is taken`));
  });

  test('a changed schema gets a new database, and the old one is kept', async () => {
    const schema = join(project, 'schema/notes.schema');
    writeFileSync(schema, readFileSync(schema, 'utf8').replace('  created_at', "  color       text not null default 'blue',\n  created_at"));
    const child = await dev();
    assert.match(child.output(), /kept as "app_until_\d+_1"/);
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.color), ['blue', 'blue']);
    await child.stop('SIGTERM', 30_000);
  });

  test('a comment in the schema changes nothing', async () => {
    const schema = join(project, 'schema/notes.schema');
    writeFileSync(schema, `-- One line more.\n${readFileSync(schema, 'utf8')}`);
    const child = await dev();
    assert.doesNotMatch(child.output(), /kept as/);
    await child.stop('SIGTERM', 30_000);
  });

  test('a change while it runs: the server is exchanged, and no request fails', async (t) => {
    const schema = join(project, 'schema/notes.schema');
    const first = readFileSync(schema, 'utf8');
    const child = await dev();
    t.after(() => child.stop('SIGKILL'));
    const path = '/rest/v1/note?order=id';
    const said = (what) => child.output().split(what).length - 1;
    const headers = { authorization: `Bearer ${readEnv().DEMO_TOKEN}` };
    const clients = load([keepAlive(port, path, headers), newConnections(port, path, headers)]);
    const change = async (file, text, what = 'has been exchanged') => {
      const before = said(what);
      writeFileSync(file, text);
      await until(what, () => {
        if (!child.alive()) throw new Error(child.output());
        return said(what) > before;
      }, 120_000);
    };
    await change(schema, first.replace("default 'blue'", "default 'green'"));
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.color), ['green', 'green']);
    assert.match(child.output(), /"app_2"; the old one is kept as "app"/);

    await change(schema, first.replace('title       text', 'title       txt'), 'goes on as it was');
    assert.match(child.output(), /error\[PGS\d{4}\]/);
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.color), ['green', 'green']);

    await change(schema, first.replace("default 'blue'", "default 'green'"));
    await change(join(project, '.env'), 'GZIP_LEVEL=99\n', 'goes on as it was');
    assert.match(child.output(), /GZIP_LEVEL: expected/);
    rmSync(join(project, '.env'));
    await change(schema, first.replace("default 'blue'", "default 'red'"));
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.color), ['red', 'red']);
    const databases = said('a new database');
    await change(schema, `-- Again.\n${readFileSync(schema, 'utf8')}`);
    assert.equal(said('a new database'), databases);

    const { asked, failed } = await clients.stop();
    assert.ok(asked > 100, `${asked} requests`);
    assert.deepEqual(failed, []);
    assert.equal((await child.stop('SIGTERM', 30_000)).code, 0);

    const again = await dev();
    assert.deepEqual((await notes(readEnv())).rows.map((r) => r.color), ['red', 'red'], 'the last database is the one');
    assert.match(readEnv().DATABASE_URL, /\/app$/);
    await again.stop('SIGTERM', 30_000);
  });

  test('--reset begins anew, --no-demo without data', async () => {
    const child = await dev('--reset', '--no-demo');
    assert.match(child.output(), /kept as "app_until_\d+_\d+"/);
    assert.deepEqual((await notes(readEnv())).rows, []);
    await child.stop('SIGTERM', 30_000);
  });

  test('an error in the schema is shown, and nothing is started', async () => {
    const schema = join(project, 'schema/notes.schema');
    const before = readFileSync(schema, 'utf8');
    writeFileSync(schema, before.replace('title       text', 'title       txt'));
    const { code, err } = await run(pgstack, ['dev', '-C', project, '--port', String(port)], { may_fail: true });
    writeFileSync(schema, before);
    assert.equal(code, 1);
    assert.match(err, /schema\/notes\.schema:\d+:\d+: error\[PGS\d{4}\]/);
  });
});
