// Random valid schemas: the compiler takes each, its C compiles without a warning, and its migration
// goes up, down and up again on a real PostgreSQL.
//
//   SEED=n repeats one; SCHEMAS=n says how many (25; LONG=1: 500)
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { migrate } from '../lib/app.mjs';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';
import { randomSchema } from '../lib/random_schema.mjs';

const strict = ['-std=c11', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror',
  `-I${join(root, 'runtime/include')}`, '-fsyntax-only'];
const first = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 1e9));
const n = process.env.SEED ? 1 : Number(process.env.SCHEMAS ?? (process.env.LONG ? 500 : 25));

let cluster;
let admin;
before(async () => {
  cluster = await theCluster();
  admin = await connect(cluster, 'postgres');
});
after(async () => {
  await admin?.end();
  await cluster?.stop();
});

/** All that was generated, but for the lines of the sources: [path, text]. */
function contents(project) {
  return ['generated', 'migrations'].flatMap((folder) => readdirSync(join(project, folder)).sort()
    .map((file) => [file, readFileSync(join(project, folder, file), 'utf8').replace(/\.schema:\d+/g, '.schema')]));
}

async function tried(seed) {
  const project = mkdtempSync(join(scratch, 'random-'));
  mkdirSync(join(project, 'schema'));
  writeFileSync(join(project, 'schema/random.schema'), randomSchema(seed).text);
  await run(pgstack, ['generate', '-C', project]);
  JSON.parse((await run(pgstack, ['check', '--format', 'json', '-C', project])).out);
  const before = contents(project);
  await run(pgstack, ['fmt', '-C', project]);
  await run(pgstack, ['generate', '-C', project]);
  assert.deepEqual(contents(project), before, 'another form, another meaning');
  const c = readdirSync(join(project, 'generated')).filter((file) => file.endsWith('.c')).map((file) => join(project, 'generated', file));
  await run('cc', [...strict, ...c]);
  await admin.query('drop database if exists sql_random with (force)');
  await admin.query('create database sql_random');
  const db = await connect(cluster, 'sql_random');
  try {
    await admin.query('select pg_advisory_lock(7465737473)');
    await migrate(project, cluster.superUrl('sql_random'));
    const [file] = readdirSync(join(project, 'migrations')).filter((name) => name.endsWith('.sql'));
    await db.query(readFileSync(join(project, 'migrations', file), 'utf8').split(/^-- migrate:down$/m)[1]);
    await db.query('delete from pgstack.migrations');
    await migrate(project, cluster.superUrl('sql_random'));
  } finally {
    await admin.query('select pg_advisory_unlock(7465737473)');
    await db.end();
  }
  rmSync(project, { recursive: true });
}

for (let i = 0; i < n; i++)
  test(`schema ${first + i}`, async () => {
    try {
      await tried(first + i);
    } catch (error) {
      assert.fail(`SEED=${first + i} make test T=3-sql/random_schema\n${error.message}`);
    }
  });
