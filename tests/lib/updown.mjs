// A migration applies, its down part leaves nothing, and it applies again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from './app.mjs';
import { connect } from './postgres.mjs';

const init = 'migrations/00000000000001_init.sql';

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

/** In a new database of that name, where `probe` is called at last; `admin` is connected to another one. */
export async function upDownUp(cluster, admin, project, database, probe = () => {}) {
  await admin.query(`drop database if exists ${database} with (force)`);
  await admin.query(`create database ${database}`);
  const url = cluster.superUrl(database);
  const db = await connect(cluster, database);
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
    await probe(db);
  } finally {
    await db.end();
  }
}
