// What the runner does with files that are more than plain SQL in one transaction.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pgstack, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run, start, until } from '../lib/process.mjs';

let cluster;
let db;
let project;
let url;
before(async () => {
  cluster = await theCluster();
  const admin = await connect(cluster, 'postgres');
  await admin.query('drop database if exists cli_migration with (force)');
  await admin.query('create database cli_migration');
  await admin.end();
  db = await connect(cluster, 'cli_migration');
  mkdirSync(scratch, { recursive: true });
  project = mkdtempSync(join(scratch, 'cli-migration-'));
  mkdirSync(join(project, 'migrations'));
  url = cluster.superUrl('cli_migration');
});
after(async () => {
  await db?.end();
  await cluster?.stop();
});

const write = (name, text) => writeFileSync(join(project, 'migrations', name), text);
const migration = (verb, options = {}) => run(pgstack, ['migration', verb, '-C', project], { may_fail: true, env: { ...process.env, MIGRATION_DATABASE_URL: url }, ...options });

test('the database is named by the environment or by .env', async () => {
  write('20240101000000_first.sql', '-- migrate:up\ncreate table t (a int);\ninsert into t select generate_series(1, 3);\n');
  assert.equal((await migration('status')).code, 1, 'something is pending');
  writeFileSync(join(project, '.env'), `MIGRATION_DATABASE_URL="${url}"\n`);
  const environment = { ...process.env };
  delete environment.MIGRATION_DATABASE_URL;
  const { code, out, err } = await migration('run', { env: environment });
  assert.equal(code, 0, err);
  assert.match(out, /applied 1 migration/);
  assert.equal((await migration('status')).code, 0);
});

test('transaction:false runs statement by statement', async () => {
  write('20240101000001_index.sql', '-- migrate:up transaction:false\ncreate index concurrently t_a_idx on t (a);\ncreate index concurrently t_a_idx_2 on t (a);\n');
  const { code, err } = await migration('run');
  assert.equal(code, 0, err);
  assert.equal(await db.value("select count(*) from pg_indexes where tablename = 't'"), '2');
});

test('what such a file did before its error is said and stays', async () => {
  write('20240101000002_half.sql', '-- migrate:up transaction:false\ncreate table half (a int);\nselect nonsense;\n');
  const { code, err } = await migration('run');
  assert.equal(code, 1);
  assert.match(err, /_half\.sql:3:8: error\[PGS5503\]: column "nonsense" does not exist/);
  assert.match(err, /have taken effect/);
  assert.equal(await db.value("select count(*) from pgstack.migrations where name = 'half'"), '0');
  assert.equal(await db.value("select to_regclass('half') is not null"), true);
  write('20240101000002_half.sql', '-- migrate:up\nselect 1;\n');
});

test('the place of an error counts characters and lines of the file', async () => {
  write('20240101000003_place.sql', "-- migrate:up\nselect 'ä';\n\n/* ; */ select 'öü', 1\n  from nowhere;\n");
  const { err } = await migration('run');
  assert.match(err, /_place\.sql:5:8: error\[PGS5503\]: relation "nowhere" does not exist/);
  write('20240101000003_place.sql', '-- migrate:up\nselect 1;\n');
});

test('a file that sets role or search_path does not set it for the next, nor for its record', async () => {
  write('20240101000004_role.sql', "-- migrate:up\ncreate role cli_weak;\nset role cli_weak;\nset search_path = '';\n");
  write('20240101000005_after.sql', '-- migrate:up\ninsert into t values (4);\n');
  const { code, err } = await migration('run');
  assert.equal(code, 0, err);
  assert.equal(await db.value('select count(*) from t'), '4');
  await db.query('drop role cli_weak');
});

test('a lock that others hold is waited for', async () => {
  write('20240101000006_locked.sql', '-- migrate:up\nalter table t add column b int;\n');
  const other = await connect(cluster, 'cli_migration');
  await other.query('begin; select * from t');
  const running = start(pgstack, ['migration', 'run', '-C', project], { log: join(project, 'log'), env: { ...process.env, MIGRATION_DATABASE_URL: url } });
  await until('it to say so', () => /locked by others; trying again/.test(running.output()));
  await other.query('commit');
  await other.end();
  assert.equal((await running.ends()).code, 0, running.output());
});

const malformed = [
  ['select 1;\n-- migrate:up\n', /PGS5501.*a statement before/],
  ['-- no marker\n', /PGS5501.*no `-- migrate:up`/],
  ['-- migrate:up\n-- migrate:up\n', /PGS5501.*has begun before/],
  ['-- migrate:down\n-- migrate:up\n', /PGS5501.*comes before migrate:down/],
  ['-- migrate:up fast\n', /PGS5501.*unknown option/],
  ['-- migrate:up\n-- migrate:sideways\n', /PGS5501.*unknown marker/],
  ["-- migrate:up\nselect 'open;\n", /PGS5501.*never ends/],
  ['-- migrate:up\nselect 1\0;\n', /PGS5501.*zero byte/],
  ['-- migrate:up\nbegin;\n', /PGS5502.*`begin`/],
  ['-- migrate:up\ncopy t from stdin;\n', /PGS5503.*`copy`/],
];
for (const [text, expected] of malformed)
  test(`refused: ${JSON.stringify(text)}`, async () => {
    write('20240101000007_bad.sql', text);
    const { code, err } = await migration('run');
    rmSync(join(project, 'migrations/20240101000007_bad.sql'));
    assert.equal(code, 1);
    assert.match(err, expected);
  });

test('names that are none are refused, all at once', async () => {
  write('7_short.sql', '-- migrate:up\n');
  write('20240101000006_again.sql', '-- migrate:up\n');
  const { code, err } = await migration('run');
  assert.equal(code, 1);
  assert.match(err, /7_short\.sql.*PGS5500/);
  assert.match(err, /PGS5500.*taken/);
});
