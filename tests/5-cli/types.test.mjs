// `pgstack generate types`: what supabase-js's createClient<Database> takes.  Right uses compile,
// wrong ones do not: each `@ts-expect-error` that finds no error is one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';

mkdirSync(scratch, { recursive: true });
const modules = join(root, 'tests/node_modules');

function generate(...args) {
  const { status, stdout, stderr } = spawnSync(pgstack, ['generate', ...args], { encoding: 'utf8', timeout: 30_000 });
  return { status, out: stdout, err: stderr };
}

/** Compiles the files of `folder`, which may import supabase-js; returns what tsc says. */
function compile(folder, ...files) {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true,
      types: [], lib: ['es2022', 'dom'], paths: { '@supabase/supabase-js': [join(modules, '@supabase/supabase-js')] } },
    files,
  }));
  const { status, stdout } = spawnSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', folder], { encoding: 'utf8', timeout: 120_000 });
  return status === 0 ? '' : stdout;
}

const uses = `
import { createClient } from '@supabase/supabase-js';
import type { Database, Enums, Tables, TablesInsert, TablesUpdate } from './database.types.js';

const api = createClient<Database>('http://127.0.0.1', 'key');
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_: Same<A, B>) {}

async function right() {
  const { data } = await api.from('ticket').select('id, subject:title, due').eq('state', 'open').limit(3);
  same<NonNullable<typeof data>, { id: number; subject: string; due: string | null }[]>(true);
  const all = await api.from('team').select('*').single();
  same<NonNullable<typeof all.data>, Tables<'team'>>(true);
  await api.from('ticket').insert({ team_id: 'x', title: 'y' });
  await api.from('ticket').insert([{ team_id: 'x', title: 'y', due: null, tags: ['a'] }]);
  await api.from('ticket').update({ state: 'solved', due: null }).eq('id', 1);
  await api.from('article').upsert({ slug: 's', title: 't' }, { onConflict: 'slug' });
  await api.from('time_entry').delete().eq('ticket_id', 1);
  const found = await api.rpc('search_tickets', { q: 'fire' });
  same<NonNullable<typeof found.data>[number]['state'], 'open' | 'pending' | 'solved'>(true);
  const open = await api.rpc('open_tickets', { team: 'x' });
  same<NonNullable<typeof open.data>, number>(true);
  await api.rpc('team_work', { team: 'x', since: '2024-01-01' });
  const ages = await api.rpc('ticket_ages');
  same<NonNullable<typeof ages.data>, { ticket_id: number | null; age: string | null }[]>(true);
  const counts = await api.from('ticket_count').select('*');
  same<NonNullable<typeof counts.data>, { team_id: string; state: Enums<'ticket_state'>; n: number }[]>(true);
  const loads = await api.from('team_load').select('waiting');
  same<NonNullable<typeof loads.data>, { waiting: number | null }[]>(true);
  const insert: TablesInsert<'comment'> = { ticket_id: 1, body: 'b', id: 7 };
  const update: TablesUpdate<'comment'> = {};
  return [insert, update];
}

async function wrong() {
  // @ts-expect-error there is no such table
  await api.from('tickets').select('*');
  // @ts-expect-error no such column
  const { data } = await api.from('ticket').select('id, titel'); data!.map((row) => row.id);
  // @ts-expect-error a required column is missing
  await api.from('ticket').insert({ title: 'y' });
  // @ts-expect-error an identity is not written
  await api.from('ticket').insert({ team_id: 'x', title: 'y', id: 1 });
  // @ts-expect-error null in a column that is not null
  await api.from('ticket').update({ title: null });
  // @ts-expect-error no label of the enumeration
  await api.from('ticket').update({ state: 'closed' });
  // @ts-expect-error a number is no text
  await api.from('ticket').insert({ team_id: 'x', title: 1 });
  // @ts-expect-error a view is only read
  await api.from('ticket_count').insert({ team_id: 'x' });
  // @ts-expect-error related rows are not served
  const joined = await api.from('ticket').select('id, team(*)'); joined.data!.map((row) => row.team.name);
  // @ts-expect-error there is no such query
  await api.rpc('search_tikets', { q: 'x' });
  // @ts-expect-error an argument without a default is missing
  await api.rpc('open_tickets', {});
  // @ts-expect-error an argument of another type
  await api.rpc('search_tickets', { q: 'x', n: 'many' });
  // @ts-expect-error no such enumeration
  const state: Enums<'state'> = 'open';
  // @ts-expect-error a nullable column is not assumed to be there
  const load: number = (await api.from('team_load').select('*')).data![0].waiting;
  return [state, load];
}
export { right, wrong };
`;

test('types of the root application', () => {
  const folder = mkdtempSync(join(scratch, 'types-'));
  const { status, out } = generate('types', '-', '-C', root);
  assert.equal(status, 0);
  assert.equal(out, readFileSync(join(root, 'generated/database.types.ts'), 'utf8'));
  writeFileSync(join(folder, 'database.types.ts'), out);
  writeFileSync(join(folder, 'uses.ts'), uses);
  assert.equal(compile(folder, 'uses.ts'), '');
});

/** What `code` is to TypeScript, beside the types of a golden case. */
function compileCase(name, code) {
  const folder = mkdtempSync(join(scratch, 'types-'));
  cpSync(join(root, 'tests/2-golden', name, 'out/generated/database.types.ts'), join(folder, 'database.types.ts'));
  writeFileSync(join(folder, 'uses.ts'), `import { createClient } from '@supabase/supabase-js';
import type { CompositeTypes, Database } from './database.types.js';
const api = createClient<Database>('http://127.0.0.1', 'key');
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_: Same<A, B>) {}
export type All = CompositeTypes<never> | Database;
export async function uses() {\n${code}\n}\n`);
  return compile(folder, 'uses.ts');
}

test('functions', () => {
  assert.equal(compileCase('functions', `
  const made = await api.rpc('add_task', { team: 'x', title: 'y' });
  same<NonNullable<typeof made.data>, number>(true);
  const count = await api.rpc('task_count');
  same<NonNullable<typeof count.data>, number>(true);
  const tasks = await api.rpc('my_tasks', { most: 3 });
  same<NonNullable<typeof tasks.data>[number]['state'], 'open' | 'done'>(true);
  same<NonNullable<typeof tasks.data>[number]['changed_at'], string | null>(true);
  const done = await api.rpc('finish', { ids: [1, 2] });
  same<NonNullable<typeof done.data>, number[]>(true);
  same<Database['public']['Functions']['drop_done']['Returns'], undefined>(true);
  // @ts-expect-error an argument without a default is missing
  await api.rpc('add_task', { team: 'x' });
  // @ts-expect-error no label of the enumeration
  await api.rpc('my_tasks', { s: 'gone' });
  // @ts-expect-error not served
  await api.rpc('count_change', { task: 1 });
  // @ts-expect-error a list is wanted
  await api.rpc('finish', { ids: 1 });`), '');
});

test('composites, domains, ranges and arrays of them', () => {
  assert.equal(compileCase('types-own', `
  const { data } = await api.from('customer').select('mail, former, labels, home, others, hours, rating').single();
  same<NonNullable<typeof data>['home'], CompositeTypes<'address'> | null>(true);
  same<NonNullable<typeof data>['others'], CompositeTypes<'address'>[] | null>(true);
  same<NonNullable<typeof data>['hours'], string | null>(true);
  same<NonNullable<typeof data>['rating'], number | null>(true);
  same<NonNullable<typeof data>['labels'], string[] | null>(true);
  same<CompositeTypes<'person'>['home'], CompositeTypes<'address'> | null>(true);
  await api.from('customer').insert({ home: { street: 's', zip: '1', color: 'red', mails: [] }, hours: '[09:00,17:00)', rating: 4 });
  // @ts-expect-error no label of the enumeration
  await api.from('customer').insert({ home: { street: 's', zip: '1', color: 'blue', mails: [] } });`), '');
});

test('generated columns, materialized views, partitions', () => {
  assert.equal(compileCase('tables', `
  type Invoice = Database['public']['Tables']['invoice'];
  same<Invoice['Row']['gross'], number>(true);
  same<Invoice['Insert']['gross'], undefined>(true);
  same<Invoice['Update']['gross'], undefined>(true);`), '');
  assert.equal(compileCase('materialized', `
  const { data } = await api.from('daily').select('*');
  same<NonNullable<typeof data>, { day: string; shop_id: number; cents: number; n: number }[]>(true);
  // @ts-expect-error kept from the last refresh
  await api.from('daily').insert({ day: '2024-01-01' });`), '');
  const parts = readFileSync(join(root, 'tests/2-golden/partitions/out/generated/database.types.ts'), 'utf8');
  const source = readFileSync(join(root, 'tests/2-golden/partitions/in/schema/parts.schema'), 'utf8');
  for (const [, part] of source.matchAll(/^table (?:\w+\.)?(\w+) partition of/gm)) assert.ok(!parts.includes(` ${part}:`), part);
});

test('live queries', () => {
  assert.equal(compileCase('live-and-webhooks', `
  type Live = Database['public']['Live'];
  same<Live['note_count']['Row'], { n: number }>(true);
  same<Live['my_notes']['Args'], { owner_id: string | null }>(true);`), '');
});

test('private columns and methods that are not served', () => {
  const folder = mkdtempSync(join(scratch, 'types-'));
  cpSync(join(root, 'tests/2-golden/access/in'), folder, { recursive: true });
  const { out } = generate('types', '-', '-C', folder);
  assert.ok(!out.includes('password'));
  assert.match(out, /^ {6}bill: \{\n(.*\n)*? {8}Update: never;$/m);
});

test('the types of every golden case compile', () => {
  const folder = mkdtempSync(join(scratch, 'types-'));
  const files = [];
  for (const name of readdirSync(join(root, 'tests/2-golden'))) {
    const types = join(root, 'tests/2-golden', name, 'out/generated/database.types.ts');
    if (!existsSync(types)) continue;
    files.push(`${name}.ts`);
    cpSync(types, join(folder, `${name}.ts`));
    writeFileSync(join(folder, `${name}.use.ts`), `import { createClient } from '@supabase/supabase-js';
import type { Database } from './${name}.js';
export const api = createClient<Database>('http://127.0.0.1', 'key');\n`);
    files.push(`${name}.use.ts`);
  }
  assert.ok(files.length > 10);
  assert.equal(compile(folder, ...files), '');
});

test('one file alone, and nothing else is touched', () => {
  const folder = mkdtempSync(join(scratch, 'types-'));
  cpSync(join(root, 'tests/2-golden/note/in'), folder, { recursive: true });
  assert.equal(generate('-C', folder).status, 0);
  rmSync(join(folder, 'generated/openapi.json'));
  writeFileSync(join(folder, 'generated/database.types.ts'), '');
  assert.equal(generate('types', '-C', folder).out, '1 file written\n');
  assert.equal(generate('types', '-C', folder).out, 'generated/database.types.ts is up to date\n');
  assert.ok(!existsSync(join(folder, 'generated/openapi.json')));
  assert.ok(existsSync(join(folder, 'generated/note.c')), 'the rest is left alone');
  for (const args of [['typs'], ['types', 'x'], ['types', '-', '-'], ['-']]) assert.equal(generate(...args, '-C', folder).status, 2);
});
