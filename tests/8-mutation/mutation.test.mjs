// Each finding of the compiler, switched off in turn, must be missed by a golden case.
//
// A finding is a source line that calls diag_at() and the code that it is called with.  The program
// of this suite is the compiler with that call intercepted (mutant.c); objdump lists the calls,
// addr2line their lines.  A line that the compiler inlined in several places is one finding.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { before, test } from 'node:test';
import { build, root, scratch } from '../lib/paths.mjs';
import { run } from '../lib/process.mjs';

const mutant = join(build, 'tests/8-mutation/mutant');
const golden = join(root, 'tests/2-golden');
const folder = join(scratch, 'mutation');
const workers = 2;

// Code -> what proves it, for what `check` cannot find in a project.
const elsewhere = new Map(readFileSync(join(root, 'tests/8-mutation/elsewhere.txt'), 'utf8')
  .split('\n').filter((line) => /^PGS/.test(line)).map((line) => [line.slice(3, 7), line.slice(7).trim()]));
const codes = [...readFileSync(join(root, 'codegen/text/diag.def'), 'utf8').matchAll(/^DIAG\((\d{4}),/gm)].map((m) => m[1]);

const places = new Map(); // address -> { name, code }; the code where the line says it
const fired = new Map(); // 'address:code' -> cases
const expected = new Map(); // case -> output

/** What the compiler says of a case. */
async function check(name, env) {
  const child = spawn(mutant, ['check', '-C', join(golden, name, 'in')], { env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...env } });
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  child.stderr.on('data', (data) => (text += data));
  const [code, signal] = await once(child, 'close');
  return `${text}exit ${code ?? signal}\n`;
}

async function inParallel(items, work) {
  const queue = [...items];
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

/** The source line of a call, and the code in its arguments.  What a .re or .y became keeps its line numbers. */
function place(named, line) {
  const source = named.startsWith(`${build}/codegen/`) && ['.re', '.y'].map((end) => join(root, relative(build, named).replace(/\.c$/, end))).find(existsSync);
  const file = source || named;
  const text = readFileSync(file, 'utf8').split('\n').slice(line - 1, line + 2).join(' ').split(';')[0];
  return { name: `${file.slice(root.length + 1)}:${line}`, code: /PGS(\d{4})_/.exec(text)?.[1] };
}

async function name(addresses) {
  const { out } = await run('addr2line', ['-e', mutant, ...addresses.map((a) => (BigInt(`0x${a}`) - 1n).toString(16))]);
  addresses.forEach((address, i) => {
    const [, file, line] = /^(.*?):(\d+)/.exec(out.split('\n')[i]);
    places.set(address, place(file, Number(line)));
  });
}

/** Every call in the program.  One that is its function's last act returns to the caller of that: it shows when it fires. */
async function nameAll() {
  const { out } = await run('objdump', ['-d', '--no-show-raw-insn', mutant]);
  const lines = out.split('\n');
  const addresses = [];
  lines.forEach((line, i) => {
    if (!/\bcall\s.*<__wrap_diag_at>/.test(line)) return;
    const next = lines.slice(i + 1).find((text) => /^\s*[0-9a-f]+:/.test(text));
    addresses.push(/^\s*([0-9a-f]+):/.exec(next)[1]);
  });
  await name(addresses);
}

function whatToDo(list, what) {
  if (list.length === 0) return;
  assert.fail(`${what}\n${list.map((line) => `  ${line}`).join('\n')}`);
}

before(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await nameAll();
  const cases = readdirSync(golden).filter((entry) => existsSync(join(golden, entry, 'in')));
  await inParallel(cases, async (entry) => {
    const log = join(folder, entry);
    expected.set(entry, await check(entry, { MUTANT_LOG: log }));
    if (!existsSync(log)) return;
    for (const finding of new Set(readFileSync(log, 'utf8').trim().split('\n')))
      fired.set(finding, [...(fired.get(finding) ?? []), entry]);
  });
  await name([...new Set([...fired.keys()].map((finding) => finding.split(':')[0]))].filter((address) => !places.has(address)));
});

test('every code is made by a case', () => {
  const made = new Set([...fired.keys()].map((finding) => finding.split(':')[1]));
  whatToDo(codes.filter((code) => !made.has(code) && !elsewhere.has(code)).map((code) => `PGS${code}`),
    `No golden case makes these codes. Add tests/2-golden/PGSnnnn-name with the smallest schema that does; where \`check\` cannot, name
the test that does in tests/8-mutation/elsewhere.txt; a code that nothing makes is to be removed from diag.def and docs/errors.md.`);
});

test('every place that makes a finding is reached', () => {
  const reached = new Set([...fired.keys()].map((finding) => places.get(finding.split(':')[0]).name));
  const lines = new Map([...places.values()].map((entry) => [entry.name, entry.code]));
  const never = [...lines].filter(([line, code]) => !reached.has(line) && !elsewhere.has(code));
  whatToDo(never.map(([line, code]) => `${line}${code ? ` PGS${code}` : ''}`).sort(),
    `No golden case comes to these calls of diag_at(). Add to a case of the code, or add one, a schema that does; a place that no schema
can reach is dead code: remove it. Only findings outside of \`check\` belong in tests/8-mutation/elsewhere.txt.`);
  console.log(`> ${lines.size} places, ${fired.size} findings with their code, ${expected.size} golden cases`);
});

test('what stands in elsewhere.txt is there', () => {
  whatToDo([...elsewhere].filter(([code, file]) => !existsSync(join(root, file))
    || !readFileSync(join(root, file), 'utf8').includes(`PGS${code}`)).map(([code, file]) => `PGS${code} ${file}`),
  'tests/8-mutation/elsewhere.txt names files that do not exist or do not name the code:');
});

test('a finding that is switched off is missed', async () => {
  const survivors = [];
  await inParallel(fired, async ([finding, cases]) => {
    for (const entry of cases.slice(0, 8))
      if (await check(entry, { MUTANT_OFF: finding }) !== expected.get(entry)) return;
    const [address, code] = finding.split(':');
    survivors.push(`${places.get(address).name} PGS${code} (${cases[0]})`);
  });
  whatToDo(survivors, 'Switched off, and the output of the cases stays the same: another finding hides these. Either they are follow-up errors, to\nbe removed, or a case has to make them alone:');
});
