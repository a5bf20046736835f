// `pgstack check --database`: what PostgreSQL says of the sources, where it is in them, and that
// nothing stays on the server.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pgstack, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run, start, until } from '../lib/process.mjs';

const tables = `pgstack 1;
app trial;
table note (
  id bigint primary key generated always as identity,
  title text not null
);
`;

let cluster;
let db;
let folder;
before(async () => {
  cluster = await theCluster();
  db = await connect(cluster, 'postgres');
  mkdirSync(scratch, { recursive: true });
  folder = mkdtempSync(join(scratch, 'cli-database-'));
});
after(async () => {
  await db?.end();
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = () => cluster.superUrl('postgres');
const left = async () => (await db.rows("select datname from pg_database where datname like 'pgstack_check%'")).length;
const roles = async () => (await db.rows('select rolname from pg_roles order by 1')).map((row) => row.rolname).join();

/** A project of the table `note` and these declarations. */
function project(name, declarations) {
  const path = join(folder, name);
  mkdirSync(join(path, 'schema'), { recursive: true });
  writeFileSync(join(path, 'schema/app.schema'), tables + declarations);
  return path;
}

function check(path, ...more) {
  return run(pgstack, ['check', '-C', path, '--database', url(), ...more], { may_fail: true });
}

/** The findings of a run that failed, as JSON. */
async function findings(name, declarations) {
  const { code, out, err } = await check(project(name, declarations), '--format', 'json');
  assert.equal(code, 1, err);
  return JSON.parse(out);
}

const place = (finding) => `${finding.span.start.line}:${finding.span.start.column}`;

test('what PostgreSQL takes has no findings, and writes nothing', async () => {
  const before_roles = await roles();
  const path = project('clean', 'view v (n bigint) as $$ select count(*) from public.note $$;\nsql $$ create sequence s $$ down $$ drop sequence s $$;\n');
  const { code, out, err } = await check(path);
  assert.equal(code, 0, err);
  assert.equal(out, '');
  assert.match(err, /^asked PostgreSQL \d+/);
  assert.equal(existsSync(join(path, 'migrations')), false);
  assert.equal(existsSync(join(path, 'build')), false);
  assert.equal(await left(), 0);
  assert.equal(await roles(), before_roles);
});

test('all mistakes in $$ are shown, each at its word', async () => {
  const found = await findings('raw', `view v (n int) as $$
  select größe.nix
    from public.note größe
$$;
function f(a int) returns int language sql as $$
  select nope + a
$$;
function g(a int) returns int language plpgsql as $$
begin
  retrun a;
end
$$;
sql $$
create sequence s;
create table x (a int, b txet);
comment on table x is 'follows from the line above';
do $do$ begin perform nixda(); end $do$;
$$;
`);
  assert.deepEqual(found.map((f) => [f.code, place(f)]), [
    ['PGS2310', '8:10'], ['PGS2310', '12:10'], ['PGS2310', '16:3'], ['PGS2310', '21:26'], ['PGS2310', '23:23'],
  ]);
  assert.match(found[0].message, /column größe\.nix does not exist \(42703\)/);
  assert.match(found[4].message, /nixda\(\)/);
  assert.equal(await left(), 0);
});

test('an expression in $$ is found where it stands', async () => {
  const [finding, ...more] = await findings('expression', 'table tag (id int primary key, name text, check ($$ lengt(name) > 0 $$));\n');
  assert.equal(place(finding), '7:53');
  assert.deepEqual(more, []);
});

test('what the view gives must be what it says', async () => {
  const found = await findings('view', 'view v (id bigint, n int, t text) as $$ select id, 1::bigint, title::varchar from public.note $$;\n');
  assert.deepEqual(found.map((f) => [f.code, place(f)]), [['PGS2312', '7:20']]);
  assert.match(found[0].message, /declared as integer, and the SQL of the view gives bigint/);
});

test('the down part is tried as well', async () => {
  const found = await findings('down', 'sql $$ create sequence s $$ down $$ drop sequence zzz $$;\n');
  assert.deepEqual(found.map((f) => [f.code, place(f)]), [['PGS2311', '7:37']]);
});

test('bodies are looked into where plpgsql_check is installed', async (t) => {
  const path = project('body', 'function g(a int) returns int language plpgsql as $$\ndeclare x int;\nbegin\n  select count(*) into x from public.noot;\n  return x + a;\nend\n$$;\n');
  const { code, err } = await check(path);
  if ((await db.rows("select from pg_available_extensions where name = 'plpgsql_check'")).length === 0) {
    assert.equal(code, 0, err);
    t.diagnostic('plpgsql_check is not installed');
    return;
  }
  assert.equal(code, 1);
  assert.match(err, /app\.schema:10:31: error\[PGS2310\]: .*"public\.noot" does not exist/);
  const unused = await check(project('unused', 'function g(a int) returns int language plpgsql as $$\ndeclare y int;\nbegin\n  return a;\nend\n$$;\n'));
  assert.match(unused.err, /warning\[PGS2313\]: plpgsql_check: unused variable "y"/);
});

test('sources with errors are not tried', async () => {
  const { code, err } = await check(project('unsound', 'view v as select nope from note;\n'));
  assert.equal(code, 1);
  assert.doesNotMatch(err, /asked/);
});

test('a role that may not make databases is told so', async () => {
  await db.query("drop role if exists trial_nobody; create role trial_nobody login password 'x'");
  const nobody = url().replace(/\/\/[^@]*@/, '//trial_nobody:x@');
  const { code, err } = await run(pgstack, ['check', '-C', project('nobody', ''), '--database', nobody], { may_fail: true });
  await db.query('drop role trial_nobody');
  assert.equal(code, 1);
  assert.match(err, /permission denied to create database[\s\S]*may create databases and roles/);
});

test('an unreachable server is said', async () => {
  const { code, err } = await run(pgstack, ['check', '-C', project('unreachable', ''), '--database', 'postgres://127.0.0.1:1/x'], { may_fail: true });
  assert.equal(code, 1);
  assert.match(err, /127\.0\.0\.1/);
});

test('Ctrl-C leaves no database behind', async () => {
  const child = start(pgstack, ['check', '-C', project('slow', 'sql $$ select pg_sleep(60) $$;\n'), '--database', url()], { log: join(folder, 'log') });
  await until('it to wait', async () => (await db.rows("select from pg_stat_activity where query like '%pg_sleep(60)%' and application_name = 'pgstack check'")).length > 0);
  await child.stop('SIGINT');
  assert.equal(await left(), 0);
});

test('without a URL the private PostgreSQL is started for it, and stopped', async () => {
  const path = project('private', 'view v (n int) as $$ select wrong $$;\n');
  const { code, err } = await run(pgstack, ['check', '-C', path, '--database'], { may_fail: true, env: { ...process.env, PGHOST: '/nowhere' } });
  assert.equal(code, 1);
  assert.match(err, /app\.schema:7:29: error\[PGS2310\]: .*column "wrong" does not exist/);
  assert.equal(existsSync(join(path, 'build/dev/env')), false);
  const { err: again } = await run(pgstack, ['check', '-C', path, '--database'], { may_fail: true });
  assert.doesNotMatch(again, /runs already|earlier run/, 'it was stopped in order');
});
