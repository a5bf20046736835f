// Random expressions: accepted or refused, type and nullability, the compiler against PostgreSQL.
// What differs on purpose is in `documented`, and in docs/language.md, Expressions.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';
import { random as seeded } from '../lib/random.mjs';
import { Expressions, randomRows, randomTables } from './generator.mjs';

const long = Boolean(process.env.LONG);
const seed = Number(process.env.SEED ?? (long ? Date.now() % 1_000_000 : 20240229));
const count = Number(process.env.EXPRESSIONS ?? (long ? 10_000 : 1_500));
const per_round = 500; // each on tables of their own

/** Findings about what is right in SQL: code, and what PostgreSQL's answer may be. */
const documented = [
  { code: 'PGS2027', why: 'a literal is read when it is compiled; PostgreSQL reads it, too, and fails then or later' },
  { code: 'PGS2028', why: 'the same for enumerations' },
  { code: 'PGS2029', why: 'a comparison with null is never true' },
  { code: 'PGS2030', why: 'a column compared with itself' },
  { code: 'PGS1142', why: 'an array type has no number of dimensions, so int[][] says what is not so' },
  { code: 'PGS1140', why: 'a view cannot have a column of a catalog type' },
];

/** A literal that PostgreSQL cannot read, and that we leave to it. */
const unread = /^syntax error in ts(query|vector)|^(text search configuration|relation|role|schema|type|function|invalid|malformed|unterminated).* (does not exist|in .*)|of jsonpath input|in tsquery:|wrong position info|invalid name syntax|improper qualified name|input of anonymous composite types/;

const server_side = `
create function look(expressions jsonb) returns setof jsonb language plpgsql as $$
declare e jsonb; answer jsonb; empty boolean;
begin
  for e in select * from jsonb_array_elements(expressions) loop
    begin
      execute 'create temp view looked as select ' || (e->>'x') || ' as x from ' || (e->>'from');
      select jsonb_build_object('type', atttypid::int8, 'name', atttypid::regtype) into answer
        from pg_attribute where attrelid = 'looked'::regclass and attnum = 1;
      drop view looked;
    exception when others then
      answer := jsonb_build_object('error', sqlstate, 'message', sqlerrm);
    end;
    return next answer;
  end loop;
end $$;
create function has_null(e jsonb) returns boolean language plpgsql as $$
declare found boolean := false; one boolean;
begin
  begin
    execute 'select coalesce(bool_or(num_nulls(x) > 0), false) from (select ' || (e->>'x') || ' as x from ' || (e->>'from') || ') q' into found;
    return found;
  exception when others then null;
  end;
  for i in 1 .. 8 loop
    begin
      execute 'select coalesce(bool_or(num_nulls(x) > 0), false) from (select ' || (e->>'x') || ' as x from ' || (e->>'from')
        || ' where t.id = ' || i || ') q' into one;
      found := found or one;
    exception when others then null;
    end;
  end loop;
  return found;
end $$;`;

async function dump(name, tables, expressions) {
  const text = ['pgstack 1; app typing; type mood as enum (\'sad\', \'ok\', \'happy\');',
    ...tables.map((t) => `table ${t.name} (id int primary key, ${t.columns.map((c) => `${c.name} ${c.type}${c.not_null ? ' not null' : ''}`).join(', ')});`),
    ...expressions.map((e) => `view x${e.number} as select ${e.x} as x from ${e.from};`)];
  const file = join(scratch, name);
  const first = text.length - expressions.length + 1;
  writeFileSync(file, text.join('\n'));
  const { out } = await run(join(build, 'tests/7-typing/dump'), [name], { cwd: scratch });
  const [views, findings] = out.split(/^---$/m);
  const types = new Map(views.split('\n').filter(Boolean).map((line) => {
    const [view, oid, nullable] = line.split(' ');
    return [Number(view.slice(1)), { oid, nullable: nullable === '1' }];
  }));
  const errors = JSON.parse(findings).filter((f) => f.severity === 'error');
  return { types, errors: errors.map((f) => ({ ...f, index: f.span.start.line - first })) };
}

/** What we say: { errors } or { oid, nullable }, one for each expression. */
async function ours(tables, expressions) {
  const answers = new Map(expressions.map((e) => [e.number, {}]));
  // What is wrong in one way hides what is wrong in another: asked again without it.
  for (let left = expressions; ;) {
    const { types, errors } = await dump('typing.schema', tables, left);
    for (const error of errors) {
      assert.ok(left[error.index], `a finding outside of the expressions: ${error.message}`);
      (answers.get(left[error.index].number).errors ??= []).push(error);
    }
    for (const [number, type] of types) Object.assign(answers.get(number), type);
    if (errors.length === 0) return [...answers.values()];
    left = left.filter((e) => !answers.get(e.number).errors);
  }
}

function differs(our, their, enums) {
  const refused = our.errors?.[0];
  if (refused && documented.some((d) => our.errors.some((e) => e.code === d.code))) return null;
  if (refused && their.error) return null;
  if (refused) return `we refuse (${refused.code} ${refused.message}), PostgreSQL gives ${their.name}`;
  if (/^22/.test(their.error ?? '') || unread.test(their.message ?? '')) return null;
  if (their.error) return `PostgreSQL refuses (${their.error} ${their.message}), we give ${our.oid}`;
  const oid = enums.get(our.oid) ?? Number(our.oid);
  if (oid !== Number(their.type)) return `PostgreSQL gives ${their.name} (${their.type}), we give ${our.oid}`;
  return null;
}

describe(`typing, seed ${seed}`, () => {
  let cluster;
  let admin;
  let db;
  before(async () => {
    mkdirSync(scratch, { recursive: true });
    cluster = await theCluster();
    admin = await connect(cluster, 'postgres');
    await admin.query('drop database if exists typing with (force)');
    await admin.query('create database typing');
    db = await connect(cluster, 'typing');
    await db.query("create type mood as enum ('sad', 'ok', 'happy')");
    await db.query(server_side);
  });
  after(async () => {
    await db?.end();
    await admin?.end();
    await cluster?.stop();
  });

  test(`${count} random expressions`, async () => {
    const random = seeded(seed);
    const figures = { expressions: 0, accepted: 0, refused: 0, 'not null': 0 };
    const differences = [];
    const enums = new Map([['mood', await db.value("select 'mood'::regtype::int8")], ['mood[]', await db.value("select 'mood[]'::regtype::int8")]]
      .map(([name, oid]) => [name, Number(oid)]));
    for (let done = 0; done < count; done += per_round) {
      const tables = randomTables(random);
      for (const t of tables) {
        await db.query(`drop table if exists ${t.name} cascade`);
        await db.query(`create table ${t.name} (id int primary key, ${t.columns.map((c) => `${c.name} ${c.type}${c.not_null ? ' not null' : ''}`).join(', ')})`);
        // u has fewer rows, for the outer joins
        const rows = randomRows(random, t).slice(0, t.name === 'u' ? 6 : 8);
        await db.query(`insert into ${t.name} values ${rows.map((r) => `(${r.join(', ')})`).join(', ')}`);
      }
      const generator = new Expressions(random, tables);
      const expressions = Array.from({ length: Math.min(per_round, count - done) }, (_, i) => ({ number: i, ...generator.select() }));
      const our = await ours(tables, expressions);
      const their = (await db.rows('select look($1) as a', [JSON.stringify(expressions)])).map((r) => r.a);
      const certain = expressions.filter((_, i) => !our[i].errors && !our[i].nullable && !their[i].error);
      const nulls = new Map((await db.rows(`select (e->>'number')::int as n, has_null(e) as found from jsonb_array_elements($1) e`,
        [JSON.stringify(certain)])).map((r) => [r.n, r.found]));
      expressions.forEach((e, i) => {
        figures.expressions++;
        figures[their[i].error ? 'refused' : 'accepted']++;
        figures['not null'] += !our[i].errors && !our[i].nullable ? 1 : 0;
        const difference = differs(our[i], their[i], enums) ?? (nulls.get(i) ? 'PostgreSQL gives NULL where we say that there is none' : null);
        if (difference) differences.push(`select ${e.x} from ${e.from}\n    ${difference}`);
      });
    }
    console.log(`  typing: ${Object.entries(figures).map(([k, v]) => `${v} ${k}`).join(', ')}, ${differences.length} different (SEED=${seed})`);
    assert.equal(differences.length, 0, `${differences.length} differences, SEED=${seed}:\n${differences.slice(0, Number(process.env.SHOW ?? 20)).join('\n')}`);
  });
});
