// Whatever the compiler accepts, PostgreSQL accepts too: the migration of each case of 2-golden
// applies, its down part leaves nothing, and it applies again.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { migrate } from '../lib/app.mjs';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';

const cases = join(root, 'tests/2-golden');
const init = 'migrations/00000000000001_init.sql';

const isAccepted = (name) => existsSync(join(cases, name, 'in')) &&
  (existsSync(join(cases, name, 'out')) || !/error\[/.test(readFileSync(join(cases, name, 'errors.txt'), 'utf8')));

/** Roles belong to the whole cluster, and another file may be making the same ones. */
async function migrateAlone(admin, project, url) {
  await admin.query('select pg_advisory_lock(7465737473)');
  try {
    await migrate(project, url);
  } finally {
    await admin.query('select pg_advisory_unlock(7465737473)');
  }
}

/** What there is, one line each, but for the record of migrations. */
const inventory = (db) => db.rows(`
  select 'schema' as kind, nspname::text as name, array(select unnest(nspacl)::text order by 1)::text as acl
    from pg_namespace where nspname !~ '^pg_(toast|temp)' and nspname <> 'pgstack'
  union all select 'relation', oid::regclass::text, relacl::text from pg_class where oid >= 16384
    and relnamespace <> 'pg_toast'::regnamespace and relname !~ '^migrations(_pkey)?$'
  union all select 'function', oid::regprocedure::text, proacl::text from pg_proc where oid >= 16384
  union all select 'type', oid::regtype::text, typacl::text from pg_type where oid >= 16384 and typtype <> 'c' and typname !~ '^_'
  union all select 'default', defaclrole::regrole::text, defaclacl::text from pg_default_acl
  order by 1, 2`);

describe('golden', () => {
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

  for (const name of readdirSync(cases).filter(isAccepted))
    test(name, async () => {
      const project = mkdtempSync(join(scratch, 'golden-'));
      if (existsSync(join(cases, name, 'out'))) {
        cpSync(join(cases, name, 'out'), project, { recursive: true });
      } else {
        cpSync(join(cases, name, 'in'), project, { recursive: true });
        await run(pgstack, ['generate', '-C', project]);
      }
      await admin.query('drop database if exists sql_golden with (force)');
      await admin.query('create database sql_golden');
      const url = cluster.superUrl('sql_golden');
      const db = await connect(cluster, 'sql_golden');
      try {
        const empty = await inventory(db);
        await migrateAlone(admin, project, url);
        const full = await inventory(db);
        assert.ok(full.length > empty.length);
        await db.query(readFileSync(join(project, init), 'utf8').split(/^-- migrate:down$/m)[1]);
        assert.deepEqual(await inventory(db), empty);
        await db.query('delete from pgstack.migrations');
        await migrateAlone(admin, project, url);
        assert.deepEqual(await inventory(db), full);
      } finally {
        await db.end();
      }
    });
});
