// The compiler on schemas of 10, 100 and 1,000 tables, each with an owner, a reference to the table
// before it, policies and an endpoint: what `check`, `generate` and the C compiler take.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pgstack, scratch } from '../tests/lib/paths.mjs';
import { run } from '../tests/lib/process.mjs';
import { median } from './report.mjs';

const all_sizes = (process.env.TABLES ?? '10,100,1000').split(',').map(Number);
const all_rounds = Number(process.env.ROUNDS ?? 3);

function table(i) {
  return `table item_${i} (
  id        bigint primary key generated always as identity,
  owner_id  uuid not null default auth.uid(),
  before    bigint references ${i > 0 ? `item_${i - 1}` : 'item_0'} on delete set null,
  title     text not null check (length(title) between 1 and 200),
  state     item_state not null default 'open',
  price     numeric(8, 2),
  made_at   timestamptz not null default now(),

  index (owner_id, made_at desc),
  index (before),
);

grant select, insert (title, state, price), update (title, state, price), delete
  on item_${i} to authenticated;
policy own on item_${i} for select, insert, update, delete to authenticated
  using (owner_id = auth.uid())
  with check (owner_id = auth.uid() and (price is null or price > 0 or state = 'free'));
policy watched on item_${i} for select to support
  using (exists (select 1 from watch w where w.item = item_${i}.id and w.person = auth.uid()));

endpoint item_${i} {
  list filter (id, owner_id, made_at) order (made_at) limit 50 max 200;
  get;
  create;
  update;
  delete;
}
`;
}

const head = `pgstack 1;
app many;

role support when claim role = 'support' inherits authenticated;
type item_state as enum ('open', 'done', 'free');

table watch (
  item    bigint not null,
  person  uuid not null default auth.uid(),

  primary key (item, person),
  index (person),
);

grant select on watch to authenticated;
policy own on watch for select to authenticated
  using (person = auth.uid());
endpoint watch;
`;

/** The schema of `n` tables. */
export const manyTables = (n) => head + Array.from({ length: n }, (_, i) => table(i)).join('\n');

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));

/** Processor time of all children so far, in seconds. */
function spent() {
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticks;
}

async function timed(n, args) {
  const times = [];
  for (let i = 0; i < n; i++) {
    const from = spent();
    await run(pgstack, args);
    times.push(spent() - from);
  }
  return median(times);
}

async function measured(n, rounds) {
  const project = mkdtempSync(join(scratch, 'compiler-'));
  mkdirSync(join(project, 'schema'));
  writeFileSync(join(project, 'schema/many.schema'), manyTables(n));
  const check = await timed(rounds, ['check', '-C', project]);
  const first = await timed(1, ['generate', '-C', project]);
  const again = await timed(rounds, ['generate', '-C', project]);
  const build = await timed(1, ['build', '-C', project]);
  const files = readdirSync(join(project, 'generated')).length;
  rmSync(project, { recursive: true });
  return { n, check, first, again, build, files };
}

/** A section of RESULTS.md. */
export async function measureCompiler({ sizes = all_sizes, rounds = all_rounds } = {}) {
  mkdirSync(scratch, { recursive: true });
  const rows = [];
  for (const n of sizes) rows.push(await measured(n, rounds));
  const fixed = (x, digits) => x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return ['## The compiler', '',
    'Processor seconds for tables with an owner, a reference, an enumeration, two policies (one of them with a sub-select) and five verbs.', '',
    '| tables | `check` | `generate`, all new | `generate`, nothing new | `build` after it: compile and link | files |',
    '|---|---|---|---|---|---|',
    ...rows.map((r) => `| ${fixed(r.n, 0)} | ${fixed(r.check, 2)} | ${fixed(r.first, 2)} | ${fixed(r.again, 2)} | ${fixed(r.build, 1)} | ${fixed(r.files, 0)} |`), '',
    `Medians of ${rounds} runs, starting the program included; all new and build once.`].join('\n');
}

if (process.argv[1] === import.meta.filename) console.log(await measureCompiler());
