// The compiler's SQL on a real PostgreSQL: it applies, it goes away, and what it leaves is locked.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildProject, migrate } from '../lib/app.mjs';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { Cluster, connect, password, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';

let cluster;
before(async () => { cluster = await theCluster(); });
after(() => cluster?.stop());

async function emptyDatabase(name) {
  const db = await connect(cluster, 'postgres');
  await db.query(`drop database if exists ${name} with (force)`);
  await db.query(`create database ${name}`);
  await db.end();
  return connect(cluster, name);
}

/** A copy of a project's migrations, for a test to add to. */
function copyOf(project) {
  const copy = mkdtempSync(join(scratch, 'migrations-'));
  for (const part of ['schema', 'policies', 'migrations']) cpSync(join(project, part), join(copy, part), { recursive: true });
  return copy;
}

const files = (project) => readdirSync(join(project, 'migrations')).filter((f) => f.endsWith('.sql')).sort();

/** The parts of a migration file before and behind `-- migrate:down`. */
const [up, down] = [0, 1].map((part) => (project, file) => readFileSync(join(project, 'migrations', file), 'utf8').split(/^-- migrate:down.*$/m)[part]);

const mayFail = (project, url, verb = 'run') => run(pgstack, ['migration', verb, '-C', project, '--database', url], { may_fail: true });

for (const [app, from] of [['helpdesk', '.'], ['proof', 'tests/4-api/app'], ['debian_packages', 'examples/debian-packages']])
  describe(app, () => {
    const name = `sql_${app}`;
    let project;
    let db;
    before(async () => {
      project = await buildProject(from);
      db = await emptyDatabase(name);
      await migrate(project, cluster.superUrl(name));
    });
    after(() => db?.end());

    test('is recorded, and a second run does nothing', async () => {
      assert.equal(await db.value('select count(*) from pgstack.migrations'), String(files(project).length));
      const again = await migrate(project, cluster.superUrl(name));
      assert.match(again.out, /up to date/);
      assert.equal((await mayFail(project, cluster.superUrl(name), 'status')).code, 0);
      assert.match(await db.value('select fingerprint from pgstack.state'), /^[0-9a-f]{8,}$/);
    });

    test('row security is enabled and forced on every table', async () => {
      const access = readFileSync(join(project, 'generated/access.txt'), 'utf8');
      const rows = await db.rows(`select n.nspname as schema, c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname in ('public', 'pgstack')`);
      assert.ok(rows.length >= 3);
      for (const r of rows.filter((r) => r.schema === 'public' || r.name === 'users')) {
        assert.equal(r.enabled, true, `${r.name} enabled`);
        if (!r.forced) {
          assert.match(access, new RegExp(`^table ${r.name}\\n(  .*\\n)*  read past its policies`, 'm'), `${r.name} is not forced, and access.txt does not say so`);
        }
      }
    });

    test('PUBLIC may execute nothing and create nothing', async () => {
      assert.deepEqual(await db.rows(`select p.oid::regprocedure::text as f from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'auth', 'claim', 'pgstack', 'pgstack_policy') and ${not_of_a_type}
          and (p.proacl is null or exists (select 1 from aclexplode(p.proacl) a where a.grantee = 0))`), []);
      assert.deepEqual(await db.rows(`select n.nspname, a.privilege_type from pg_namespace n, aclexplode(n.nspacl) a
        where a.grantee = 0 and n.nspname in ('public', 'auth', 'claim', 'pgstack', 'pgstack_policy')`), []);
      assert.deepEqual(await db.rows(`select c.oid::regclass::text as t, a.privilege_type from pg_class c, aclexplode(c.relacl) a
        where a.grantee = 0 and c.relnamespace in ('public'::regnamespace, 'pgstack'::regnamespace)`), []);
    });

    test('what the owner makes later is not for PUBLIC either', async () => {
      await db.query('begin; set local role pgstack_owner; create function public.later() returns int language sql return 1');
      assert.equal(await db.value("select count(*) from aclexplode((select coalesce(proacl, acldefault('f', proowner)) from pg_proc where proname = 'later')) where grantee = 0"), '0');
      await db.query('rollback');
    });

    test('all belongs to the owner, who cannot log in', async () => {
      assert.deepEqual(await db.rows(`select c.oid::regclass::text from pg_class c where c.relnamespace = 'public'::regnamespace
        and c.relkind in ('r', 'v', 'p', 'm', 'S') and pg_get_userbyid(c.relowner) <> 'pgstack_owner'`), []);
      assert.deepEqual(await db.rows(`select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'auth', 'claim', 'pgstack_policy') and ${not_of_a_type} and pg_get_userbyid(p.proowner) <> 'pgstack_owner'`), []);
    });

    test('definer functions pin their path, and those of policies have a schema of their own', async () => {
      const sources = ['schema', 'policies'].flatMap((part) => readdirSync(join(project, part)).map((file) => readFileSync(join(project, part, file), 'utf8')));
      const declared = new Set([...sources.join('\n').matchAll(/^function (\w+)\(/gm)].map(([, name]) => name));
      for (const f of await db.rows(`select n.nspname as schema, p.proname as name, p.proconfig as config from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')`)) {
        assert.ok(f.schema === 'pgstack_policy' || declared.has(f.name), f.name);
        assert.ok(f.config?.some((c) => c.startsWith('search_path=')), f.name);
      }
    });

    test('views run with the rights of who asks', async () => {
      for (const v of await db.rows("select relname, reloptions from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace"))
        assert.ok(v.reloptions?.includes('security_invoker=true'), v.relname);
    });

    test('claims in policies are read once a query, not once a row', async () => {
      for (const p of await db.rows("select tablename, policyname, coalesce(qual, '') || ' ' || coalesce(with_check, '') as text from pg_policies where schemaname = 'public'")) {
        const bare = p.text.replaceAll(/\( ?SELECT (auth|claim)\.\w+\(\) AS \w+\)/gi, '');
        assert.doesNotMatch(bare, /(auth|claim)\.\w+\(\)/, `${p.tablename}.${p.policyname}: ${p.text}`);
      }
    });

    test('each policy names its roles', async () => {
      assert.deepEqual(await db.rows("select tablename, policyname from pg_policies where schemaname in ('public', 'pgstack') and 'public' = any (roles)"), []);
    });

    test('request roles reach nothing internal', async () => {
      for (const role of ['anon', 'authenticated', 'authenticator']) {
        for (const t of ['users', 'migrations']) {
          const may = await db.value("select has_schema_privilege($1, 'pgstack', 'usage') and has_any_column_privilege($1, 'pgstack.' || $2, 'select,insert,update')", [role, t]);
          assert.equal(may, false, `${role} on pgstack.${t}`);
        }
        assert.equal(await db.value("select has_schema_privilege($1, 'public', 'create') or has_schema_privilege($1, 'auth', 'create') or has_schema_privilege($1, 'pgstack', 'create')", [role]), false);
      }
    });

    test('down removes it, and up again works', async () => {
      const before = await inventory(db);
      for (const file of files(project).reverse()) await db.query(down(project, file));
      const left = await inventory(db);
      assert.deepEqual(left.filter((o) => /^(public|auth|claim|pgstack_policy)\./.test(o)), []);
      assert.equal(await db.value("select count(*) from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'authenticator')"), '4', 'roles stay: others may need them');
      await db.query('delete from pgstack.migrations').catch((e) => assert.match(e.code, /^(42P01|3F000)$/));
      await migrate(project, cluster.superUrl(name));
      assert.deepEqual(await inventory(db), before);
    });

    test('a second database of the same cluster', async () => {
      const other = await emptyDatabase(`${name}_2`);
      await migrate(project, cluster.superUrl(`${name}_2`));
      assert.deepEqual(await inventory(other), await inventory(db));
      await other.end();
    });
  });

/** Everything of ours, one line each. */
async function inventory(db) {
  return (await db.rows(`
    with ours as (select oid, nspname from pg_namespace where nspname in ('public', 'auth', 'claim', 'pgstack', 'pgstack_policy'))
    select nspname || '.' || relname || ' ' || relkind::text || ' ' || coalesce(relacl::text, '') as o from pg_class c join ours on ours.oid = relnamespace where relkind in ('r', 'v', 'i', 'S')
    union all select nspname || '.' || proname || ' ' || pg_get_function_identity_arguments(p.oid) || coalesce(proacl::text, '') from pg_proc p join ours on ours.oid = pronamespace
    union all select nspname || '.' || typname from pg_type t join ours on ours.oid = typnamespace where typtype = 'e'
    union all select schemaname || '.' || tablename || ' policy ' || policyname || cmd || roles::text || coalesce(qual, '') || coalesce(with_check, '') from pg_policies
    union all select nspname || '.' || conname || ' ' || pg_get_constraintdef(c.oid) from pg_constraint c join ours on ours.oid = connamespace
    order by 1`)).map((r) => r.o);
}

// A range type brings its constructors along; they are the type's, and change with its rights.
const not_of_a_type = `not exists (select 1 from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid
  and d.refclassid = 'pg_type'::regclass and d.deptype = 'i')`;

describe('roles', () => {
  let db;
  let project;
  before(async () => {
    project = await buildProject('.');
    db = await emptyDatabase('sql_roles');
    await migrate(project, cluster.superUrl('sql_roles'));
  });
  after(() => db?.end());

  test('have the attributes that they should, and no more', async () => {
    const roles = Object.fromEntries((await db.rows(`select rolname, rolcanlogin as login, rolinherit as inherit, rolreplication as replication,
      rolsuper or rolcreatedb or rolcreaterole or rolbypassrls as power from pg_roles where rolname !~ '^(pg_|postgres$|test_)'`)).map((r) => [r.rolname, r]));
    for (const [name, r] of Object.entries(roles)) {
      assert.equal(r.power, false, name);
      assert.equal(r.replication, name === 'pgstack_replicator', name);
    }
    for (const name of ['anon', 'authenticated', 'service_role', 'pgstack_owner', 'support']) assert.equal(roles[name]?.login, false, name);
    for (const name of ['authenticator', 'authenticator_admin', 'pgstack_replicator']) {
      assert.equal(roles[name]?.login, true, name);
      assert.equal(roles[name]?.inherit, false, name);
    }
  });

  test('logins are members of what they need', async () => {
    const members = async (login) => (await db.rows(`select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles l on l.oid = m.member
      where l.rolname = $1 order by 1`, [login])).map((r) => r.rolname);
    const data = await members('authenticator');
    for (const role of ['anon', 'authenticated', 'support']) assert.ok(data.includes(role), role);
    for (const role of ['service_role', 'pgstack_owner', 'authenticator_admin', 'postgres']) assert.ok(!data.includes(role), role);
    assert.deepEqual(await members('authenticator_admin'), ['service_role']);
    assert.deepEqual(await members('support'), ['authenticated']);
    assert.deepEqual(await members('pgstack_replicator'), []);
    assert.equal(await db.value("select pg_has_role('authenticator', 'service_role', 'member') or pg_has_role('authenticator', 'pgstack_owner', 'member')"), false);
  });

  test('passwords are not in migrations', () => {
    for (const file of files(project)) assert.doesNotMatch(readFileSync(join(project, 'migrations', file), 'utf8'), /password\s+'/i);
  });
});

describe('helpers', () => {
  let db;
  before(async () => {
    const project = await buildProject('.');
    db = await emptyDatabase('sql_helpers');
    await migrate(project, cluster.superUrl('sql_helpers'));
  });
  after(() => db?.end());

  const ada = '0a0a0a0a-0000-4000-8000-000000000001';
  const asked = async (settings, text) => {
    await db.query('begin');
    try {
      await db.query('set local role authenticated');
      for (const [name, value] of Object.entries(settings)) await db.query('select set_config($1, $2, true)', [name, value]);
      return await db.value(`select ${text}`);
    } finally {
      await db.query('rollback');
    }
  };
  const jwt = (claims) => ({ 'request.jwt.claims': typeof claims === 'string' ? claims : JSON.stringify(claims) });

  test('auth.uid() from the setting, else from the claims, else NULL', async () => {
    assert.equal(await asked({}, 'auth.uid()'), null);
    assert.equal(await asked({ 'pgstack.uid': '' }, 'auth.uid()'), null);
    assert.equal(await asked({ 'pgstack.uid': ada }, 'auth.uid()'), ada);
    assert.equal(await asked(jwt({ sub: ada }), 'auth.uid()'), ada);
    assert.equal(await asked({ 'pgstack.uid': '', ...jwt({ sub: ada }) }, 'auth.uid()'), ada);
    assert.equal(await asked(jwt(''), 'auth.uid()'), null);
    assert.equal(await asked(jwt({}), 'auth.uid()'), null);
  });

  test('the others', async () => {
    assert.equal(await asked({}, 'auth.role()'), 'authenticated');
    assert.equal(await asked(jwt({ email: 'a@b.c' }), 'auth.email()'), 'a@b.c');
    assert.equal(await asked({}, 'auth.email()'), null);
    assert.deepEqual(await asked(jwt({ sub: ada, x: [1] }), 'auth.jwt()'), { sub: ada, x: [1] });
    assert.equal(await asked(jwt(''), 'auth.jwt()'), null);
    assert.equal(await asked({ 'pgstack.claim_plan': 'pro' }, 'claim.plan()'), 'pro');
    assert.equal(await asked(jwt({ app_metadata: { plan: 'free' } }), 'claim.plan()'), 'free');
    assert.equal(await asked({}, 'claim.plan()'), null);
  });

  test('settings end with their transaction', async () => {
    await asked({ 'pgstack.uid': ada }, 'auth.uid()');
    assert.equal(await db.value('select auth.uid()'), null);
  });
});

describe('the runner', () => {
  let project;
  before(async () => { project = await buildProject('.'); });

  test('applies files written by hand, in order', async () => {
    const copy = copyOf(project);
    writeFileSync(join(copy, 'migrations/20990101000000_more.sql'), '-- migrate:up\ncreate table public.more (id int);\n-- migrate:down\ndrop table public.more;\n');
    writeFileSync(join(copy, 'migrations/20990102000000_still_more.sql'), '-- migrate:up\ninsert into public.more values (1);\n-- migrate:down\ndelete from public.more;\n');
    const db = await emptyDatabase('sql_by_hand');
    await migrate(copy, cluster.superUrl('sql_by_hand'));
    assert.equal(await db.value('select id from public.more'), 1);
    assert.equal(await db.value('select count(*) from pgstack.migrations'), String(files(copy).length));
    await db.end();
  });

  test('moments mean the same in every database, run or by hand', async () => {
    const made = copyOf(project);
    writeFileSync(join(made, 'schema/moment.schema'), "table moment (id bigint primary key, at timestamptz not null default '2026-01-02');\n");
    writeFileSync(join(made, 'policies/moment.schema'), `grant select on moment to authenticated;
      policy recent on moment for select to authenticated using (at > '2026-01-02');`);
    await run(pgstack, ['generate', '-C', made]);
    const meant = (db) => db.value(`select pg_get_expr(polqual, polrelid) || pg_get_expr(adbin, adrelid) from pg_policy
      join pg_attrdef on adrelid = polrelid where polrelid = 'public.moment'::regclass`);
    const found = [];
    for (const [name, zone, style] of [['sql_utc', 'UTC', 'ISO, MDY'], ['sql_berlin', 'Europe/Berlin', 'SQL, DMY']]) {
      const first = await emptyDatabase(name);
      await first.query(`alter database ${name} set timezone = '${zone}'; alter database ${name} set datestyle = '${style}'`);
      await first.end();
      await migrate(made, cluster.superUrl(name));
      const db = await connect(cluster, name);
      await db.query("set timezone = 'UTC'; set datestyle = 'ISO'");
      found.push(await meant(db));
      for (const file of files(made).reverse()) await db.query(down(made, file));
      await db.query('reset all');
      for (const file of files(made)) await db.query(up(made, file));
      assert.equal(await db.value('show timezone'), zone, 'the session has its own again');
      await db.query("set timezone = 'UTC'; set datestyle = 'ISO'");
      found.push(await meant(db));
      await db.end();
    }
    assert.deepEqual(new Set(found).size, 1, found.join('\n'));
  });

  test('a file that fails leaves nothing, and says where', async () => {
    const copy = copyOf(project);
    writeFileSync(join(copy, 'migrations/20990101000000_bad.sql'), '-- migrate:up\ncreate table public.more (id int);\nselect 1/0;\n-- migrate:down\n');
    const db = await emptyDatabase('sql_bad');
    const r = await mayFail(copy, cluster.superUrl('sql_bad'));
    assert.notEqual(r.code, 0);
    assert.match(r.err + r.out, /20990101000000_bad/);
    assert.match(r.err + r.out, /division by zero/);
    assert.equal(await db.value("select to_regclass('public.more')"), null);
    assert.equal(await db.value("select count(*) from pgstack.migrations where name = 'bad'"), '0');
    writeFileSync(join(copy, 'migrations/20990101000000_bad.sql'), '-- migrate:up\ncreate table public.more (id int);\n-- migrate:down\n');
    await migrate(copy, cluster.superUrl('sql_bad'));
    await db.end();
  });

  test('a file that was changed after it was applied is refused', async () => {
    const copy = copyOf(project);
    const db = await emptyDatabase('sql_changed');
    await migrate(copy, cluster.superUrl('sql_changed'));
    const file = join(copy, 'migrations', files(copy)[0]);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n-- a word more\n`);
    const r = await mayFail(copy, cluster.superUrl('sql_changed'));
    assert.notEqual(r.code, 0);
    assert.match(r.err, /error\[PGS5504\]: this file was applied on .*, and has changed since/);
    await db.end();
  });

  test('no database at all: a sentence, not a crash', async () => {
    const r = await mayFail(project, 'postgresql://nobody@127.0.0.1:1/none');
    assert.equal(r.code > 0 && r.code < 100, true);
    assert.ok(r.err.length > 0);
  });

  test('two at a time do it once', async () => {
    const db = await emptyDatabase('sql_two');
    await Promise.all([1, 2, 3].map(() => migrate(project, cluster.superUrl('sql_two'))));
    assert.equal(await db.value('select count(*) from pgstack.migrations'), String(files(project).length));
    await db.end();
  });

  test('a role that is no superuser, which cannot give REPLICATION: live queries have their outbox all the same', async () => {
    const alone = await Cluster.start(), copy = mkdtempSync(join(scratch, 'migrations-'));
    const db = await connect(alone, 'postgres');
    try {
      cpSync(join(root, 'tests/2-golden/live-outbox/in'), copy, { recursive: true });
      await run(pgstack, ['generate', '-C', copy]);
      await db.query(`create role migrator login createrole createdb password '${password}'`);
      await db.query('create database app owner migrator');
      const r = await migrate(copy, `postgresql://migrator:${password}@127.0.0.1:${alone.port}/app`);
      assert.match(r.out + r.err, /pgstack_replicator needs REPLICATION/);
      const app = await connect(alone, 'app');
      assert.equal(await app.value(`select has_table_privilege('pgstack_replicator', 'pgstack_live.outbox', 'select')
        and has_table_privilege('pgstack_replicator', 'pgstack_live.outbox', 'delete')`), true);
      await app.end();
      assert.deepEqual(await db.rows(`select rolcanlogin, rolreplication from pg_roles where rolname = 'pgstack_replicator'`), [{ rolcanlogin: true, rolreplication: false }]);
    } finally {
      await db.end();
      await alone.stop();
    }
  });
});
