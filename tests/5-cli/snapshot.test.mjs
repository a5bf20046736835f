// `pgstack migration snapshot`, and what is held against it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';

mkdirSync(scratch, { recursive: true });

function project(from) {
  const folder = mkdtempSync(join(scratch, 'snapshot-'));
  cpSync(join(root, from), folder, { recursive: true });
  return folder;
}

function run(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(pgstack, [...args, '-C', folder], { encoding: 'utf8', timeout: 20_000 });
  return { status, out: stdout, err: stderr };
}

const current = (folder) => join(folder, 'migrations/current.schema');

test('the sources are put one after the other, twice the same', () => {
  const folder = project('tests/2-golden/live-and-webhooks/in');
  let answer = run(folder, 'migration', 'snapshot');
  assert.deepEqual(answer, { status: 0, out: 'migrations/current.schema written\n', err: '' });
  const text = readFileSync(current(folder), 'utf8');
  assert.deepEqual(text.match(/^-- (schema|policies).*$/gm), ['-- schema/demo.schema', '-- policies/demo.schema']);
  assert.match(text, /live my_notes on note filter \(owner_id\) to authenticated limit 50;/);
  const formatted = spawnSync(pgstack, ['fmt', '--stdin'], { input: text, encoding: 'utf8' }).stdout;
  assert.equal(formatted, text, 'it is in canonical form');
  const before = statSync(current(folder)).mtimeMs;
  answer = run(folder, 'migration', 'snapshot');
  assert.deepEqual(answer, { status: 0, out: 'migrations/current.schema is up to date\n', err: '' });
  assert.equal(statSync(current(folder)).mtimeMs, before);
  assert.equal(run(folder, 'check').err, '', 'nothing has changed');
});

test('a column that is gone stops check and snapshot until it is said where it went', () => {
  const folder = project('tests/2-golden/incident-I51/in');
  const source = join(folder, 'schema/demo.schema');
  const old = readFileSync(current(folder), 'utf8');
  for (const args of [['check'], ['generate'], ['migration', 'snapshot']]) {
    const { status, err } = run(folder, ...args);
    assert.equal(status, 1);
    assert.match(err, /error\[PGS4501\]: column "body" of "note" is gone/);
  }
  assert.equal(readFileSync(current(folder), 'utf8'), old);
  writeFileSync(source, readFileSync(source, 'utf8').replace('content text not null', 'content text not null was body'));
  assert.equal(run(folder, 'migration', 'snapshot').status, 0);
  assert.equal(run(folder, 'check').err, '', 'a former name may stay');
  writeFileSync(source, readFileSync(source, 'utf8').replace(' was body', ''));
  assert.equal(run(folder, 'check').err, '', 'and may go');
});

test('what is declared and not served yet is said when it is generated, and not before', () => {
  const folder = project('tests/2-golden/live-and-webhooks/in');
  assert.deepEqual(run(folder, 'check'), { status: 0, out: '', err: '' });
  const { status, err } = run(folder, 'generate');
  assert.equal(status, 0);
  assert.equal(err.match(/warning\[PGS4190\]/g).length, 3, err);
});
