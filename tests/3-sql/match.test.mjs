// Conditions and policies of live queries as the compiler writes them in C, beside PostgreSQL: for
// random rows, callers and arguments, NULLs among them, both must name the same rows, and of groups the
// same totals; and a row that by its ties concerns nobody must make no difference.
//
//   SEED=n repeats a run; PAIRS=n rows beside callers (50,000; LONG=1: 1,000,000)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { migrate } from '../lib/app.mjs';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { run } from '../lib/process.mjs';
import { random } from '../lib/random.mjs';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const pairs_wanted = Number(process.env.PAIRS ?? (process.env.LONG ? 1_000_000 : 50_000));
const again = `SEED=${seed} make test T=3-sql/match`;
const rnd = random(seed);

const database = 'sql_match';
const raw = { getTypeParser: () => (text) => text };
let cluster, db, matchers, harness, answers;

// ---- random values ----

const uuid = (n) => `0000000${n}-0000-4000-8000-00000000000${n}`;
const maybe = (value) => (rnd.chance(0.12) ? null : value);
const values = {
  uuid: () => uuid(rnd.below(6)),
  'uuid[]': () => `{${Array.from({ length: rnd.below(4) }, () => (rnd.chance(0.1) ? 'NULL' : values.uuid()))}}`,
  'public.state': () => rnd.pick(['draft', 'open', 'closed']),
  boolean: () => rnd.pick(['true', 'false']),
  smallint: () => String(rnd.between(-3, 12)),
  integer: () => String(rnd.between(-3, 12)),
  bigint: () => rnd.pick([String(rnd.between(-3, 12)), '-9000000000000', '9000000000000']),
  date: () => rnd.pick(['2024-02-29', '2024-03-01', '0044-03-15 BC', '0044-03-16 BC', '0045-03-15 BC', '12024-01-01', 'infinity', '-infinity', '1999-12-31']),
  'timestamp without time zone': () => rnd.pick(['2024-02-29 12:00:00', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.25', '2024-02-29 12:00:01', 'infinity', '-infinity', '0044-03-15 01:00:00 BC']),
  'timestamp with time zone': () => `${rnd.pick(['2024-02-29 12:00:00', '2024-02-29 12:00:00.5', '2031-01-01 00:00:00', '2029-12-31 23:30:00'])}${rnd.pick(['+00', '+01', '-01:30'])}`,
  text: () => rnd.pick(['', 'a', 'A', 'b', 'aa', 'ä', "it's", 'back\\slash', 'z z']),
  'character varying': () => values.text(),
  'public.spot': () => rnd.pick(['(,)', '(1,)', '(1,2)']),
};

const tables = {
  item: { id: null, owner_id: 'uuid', team_id: 'uuid?', state: 'public.state?', shared: 'boolean?', rank: 'integer?', size: 'smallint', due: 'date?',
    seen_at: 'timestamp without time zone?', made_at: 'timestamp with time zone', label: 'text?', code: 'character varying?', spot: 'public.spot?' },
  note: { id: null, owner_id: 'uuid?', team_id: 'uuid', state: 'public.state', shared: 'boolean?', hidden: 'boolean' },
  page: { id: null, owner_id: 'uuid', team_id: 'uuid', shared: 'boolean' },
  item_code: { id: null, team_id: 'uuid?', label: 'text?' },
  entry: { id: null, user_id: 'uuid', n: 'integer' },
  post: { id: null, team_id: 'uuid?', author_id: 'uuid' },
};

function rowOf(columns, id) {
  return Object.values(columns).map((type) => {
    if (type === null) return String(id);
    return type.endsWith('?') ? maybe(values[type.slice(0, -1)]()) : values[type]();
  });
}

async function fill() {
  await db.query(`truncate ${[...Object.keys(tables), 'member'].map((name) => `public.${name}`)}`);
  for (const [name, columns] of Object.entries(tables))
    for (let id = 1; id <= 120; id++) {
      const row = rowOf(columns, id);
      await db.query(`insert into public.${name} (${Object.keys(columns)}) values (${row.map((_, i) => `$${i + 1}`)})`, row);
    }
  for (let i = 0; i < 18; i++)
    await db.query('insert into public.member values ($1, $2, $3, $4) on conflict do nothing', [values.uuid(), values.uuid(), rnd.below(4), maybe(values.date())]);
}

// ---- both sides ----

const texts = async (text, parameters = []) => (await db.query({ text, values: parameters, rowMode: 'array', types: raw })).rows;

/** Who asks, and with what; of all matchers in turn. */
function question(n) {
  const matcher = matchers[n % matchers.length];
  const claims = { app_metadata: {} };
  if (rnd.chance(0.7)) claims.app_metadata.plan = rnd.pick(['pro', 'free']);
  if (rnd.chance(0.7)) claims.app_metadata.teams = Array.from({ length: rnd.below(4) }, values.uuid);
  return { matcher, claims, role: rnd.pick(matcher.roles), uid: rnd.chance(0.9) ? values.uuid() : '', arguments: matcher.types.map((type) => maybe(values[type]())) };
}

async function become(q) {
  await db.query(`select set_config('role', $1, true), set_config('pgstack.uid', $2, true), set_config('request.jwt.claims', $3, true)`,
    [q.role, q.uid, JSON.stringify(q.claims)]);
}

const ask = (q, query) => texts(query.sql, query.arguments.map((i) => q.arguments[i]));

async function facts(q) {
  const sets = [];
  const found = q.matcher.values.sql ? (await ask(q, q.matcher.values))[0] : [];
  for (const set of q.matcher.sets) sets.push(await ask(q, set));
  return { values: found, sets };
}

const result = (q) => texts(q.matcher.sql.replace(/ limit \d+$/, ''), q.arguments);

const fields = (row) => row.map((value) => `${value ?? '\x1e'}\x1f`).join('');

async function matched(q, known, rows) {
  const lines = [q.matcher.live, q.matcher.matcher, fields(known.values)];
  for (const set of known.sets) lines.push(set.length, ...set.map(fields));
  harness.stdin.write(`${[...lines, rows.length, ...rows.map(fields)].join('\n')}\n`);
  const { value } = await answers.next();
  return value.split(' ');
}

const said = (q, more) => `${q.matcher.name} as ${q.role} ${q.uid}, ${JSON.stringify(q.arguments)}, ${JSON.stringify(q.claims)}: ${more}\n${again}`;

/** By the ties of some source of its table the row may matter. */
const concerns = (q, known, table, row) => q.matcher.sources.filter((s) => s.table === table)
  .some((s) => s.ties.every(([column, value]) => known.values[value] !== null && row[column] === known.values[value]));

/** Every row of the table, in C and in PostgreSQL. */
async function compareRows(q, known) {
  const rows = await texts(`select ${q.matcher.columns.map((c) => `"${c}"`)} from public.${q.matcher.table} order by id`);
  await become(q);
  const there = await result(q);
  const [truth] = await matched(q, known, rows);
  const id = q.matcher.columns.indexOf('id');
  const here = rows.filter((_, i) => truth[i] === '1').map((row) => row[id]);
  assert.deepEqual(here, there.map((row) => row[0]).sort((a, b) => a - b), said(q, 'other rows'));
  for (const row of rows.filter((one) => here.includes(one[id])))
    assert.ok(concerns(q, known, q.matcher.table, Object.fromEntries(row.map((value, i) => [q.matcher.columns[i], value]))), said(q, `tied away: ${row}`));
  const inOrder = there.map((row) => rows.find((one) => one[id] === row[0]));
  if (/ order by /.test(q.matcher.sql)) assert.equal((await matched(q, known, inOrder))[1], 'ordered', said(q, 'another order'));
  return rows.length;
}

/** What is kept of a group of rows: PostgreSQL computes with the values, and is not asked which they are. */
async function totalOf(q, total, rows) {
  const of = rows.map((row) => row[q.matcher.columns.indexOf(total.column)]), known = of.filter((value) => value !== null);
  if (total.kind === 'rows') return String(rows.length);
  if (total.kind === 'group') return of[0];
  if (total.kind === 'values') return String(known.length);
  const type = tables[q.matcher.table][total.column].replace('?', '');
  return (await texts(`select ${total.kind}(x::${type}${type === 'text' ? ' collate "C"' : ''})::text from unnest($1::text[]) x`, [known]))[0][0];
}

/** The groups of the rows that C lets in, and PostgreSQL's. */
async function compareTotals(q, known) {
  const { columns, totals, table } = q.matcher;
  const rows = await texts(`select ${columns.map((c) => `"${c}"`)} from public.${table}`);
  const by = totals.filter(({ kind }) => kind === 'group').map(({ column }) => columns.indexOf(column));
  const groups = new Map(by.length === 0 ? [['[]', []]] : []), here = [];
  const [truth] = await matched(q, known, rows);
  for (const row of rows.filter((_, i) => truth[i] === '1')) {
    const name = JSON.stringify(by.map((i) => row[i]));
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  for (const members of groups.values()) {
    const one = [];
    for (const total of totals) one.push(await totalOf(q, total, members));
    here.push(JSON.stringify(one));
  }
  await become(q);
  assert.deepEqual(here.sort(), (await result(q)).map((row) => JSON.stringify(row)).sort(), said(q, 'other groups'));
  return rows.length;
}

/** A row that concerns nobody is taken away: then result and facts are what they were. */
async function leaveOut(q, known) {
  const { table } = rnd.pick(q.matcher.sources);
  const { rows: [row] } = await db.query({ text: `select *, ctid from public.${table} order by random() limit 1`, types: raw });
  if (!row || concerns(q, known, table, row)) return 0;
  await become(q);
  const before = [await result(q), await facts(q)];
  await db.query('reset role');
  await db.query(`delete from public.${table} where ctid = $1`, [row.ctid]);
  await become(q);
  assert.deepEqual([await result(q), await facts(q)], before, said(q, `a row of ${table} made a difference: ${JSON.stringify(row)}`));
  return 1;
}

/** In a transaction that leaves nothing behind. */
async function asked(q, what) {
  await db.query('begin');
  try {
    await become(q);
    const known = await facts(q);
    await db.query('reset role');
    return await what(q, known);
  } finally {
    await db.query('rollback');
  }
}

// ---- the project ----

async function build() {
  const project = mkdtempSync(join(scratch, 'match-'));
  const program = join(project, 'harness');
  cpSync(join(root, 'tests/3-sql/match/project'), project, { recursive: true });
  await run(pgstack, ['generate', '-C', project]);
  const c = readdirSync(join(project, 'generated')).filter((file) => file.endsWith('.c')).map((file) => join(project, 'generated', file));
  await run(process.env.CC ?? 'cc', ['-std=c11', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra', '-Werror', '-g', '-fsanitize=undefined,address',
    `-I${join(project, 'generated')}`, `-I${join(root, 'runtime/include')}`, `-I${join(root, 'runtime')}`, '-o', program, ...c, join(root, 'tests/3-sql/match/harness.c'),
    ...['truth.c', 'order.c'].map((file) => join(root, 'runtime/codec', file))]);
  return { project, program };
}

before(async () => {
  cluster = await theCluster();
  const { project, program } = await build();
  const admin = await connect(cluster, 'postgres');
  await admin.query(`drop database if exists ${database} with (force)`);
  await admin.query(`create database ${database}`);
  await admin.end();
  await migrate(project, cluster.superUrl(database));
  db = await connect(cluster, database);
  await db.query(`set search_path = pg_catalog, pg_temp; set timezone = 'UTC'; set datestyle = 'ISO, YMD'`);
  matchers = (await run(program, ['describe'])).out.trim().split('\n').map((line) => JSON.parse(line));
  harness = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' } });
  answers = createInterface({ input: harness.stdout })[Symbol.asyncIterator]();
});

after(async () => {
  if (harness) {
    harness.stdin.end();
    await once(harness, 'exit');
  }
  await db?.end();
  await cluster?.stop();
});

test('the same rows as PostgreSQL', async () => {
  let pairs = 0;

  for (let n = 0; pairs < pairs_wanted; n++) {
    if (n % 400 === 0) await fill();
    const q = question(n);
    if (q.matcher.rows) pairs += await asked(q, q.matcher.totals.length > 0 ? compareTotals : compareRows);
  }
  assert.ok(pairs_wanted / 120 > 2 * matchers.length, 'each matcher was asked several times');
});

test('what a tie leaves out makes no difference', async () => {
  let left_out = 0;

  await fill();
  for (let n = 0; n < pairs_wanted / 100; n++) left_out += await asked(question(n), leaveOut);
  assert.ok(left_out > pairs_wanted / 400, `${left_out} rows were left out`);
});
