// `pgstack fmt`.  tests/1-unit/codegen_format_test.c has the forms, and every schema with noise in it.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, scratch } from '../lib/paths.mjs';
import { notes, project, run } from './project.mjs';

const ugly = { ...notes, 'policies/demo.schema': notes['policies/demo.schema'].replaceAll('\n  ', ' ') };

test('--check lists the files that would change, and changes none', () => {
  const { folder, read } = project(ugly);
  assert.deepEqual(run(['fmt', '-C', folder, '--check']), { status: 1, out: 'policies/demo.schema\n', err: '' });
  assert.equal(read('policies/demo.schema'), ugly['policies/demo.schema']);
  assert.deepEqual(run(['fmt', '-C', folder]), { status: 0, out: 'formatted policies/demo.schema\n', err: '' });
  assert.equal(read('policies/demo.schema'), notes['policies/demo.schema']);
  assert.deepEqual(run(['fmt', '-C', folder, '--check']), { status: 0, out: '', err: '' });
});

test('a file that is named, and standard input', () => {
  const { folder, read } = project({ 'x.schema': 'app  A;' });
  assert.equal(run(['fmt', '-C', folder, 'x.schema']).status, 0);
  assert.equal(read('x.schema'), 'app A;\n');
  assert.deepEqual(run(['fmt', '--stdin'], 'TABLE t(a int)\n;'), { status: 0, out: 'table t (\n  a  int,\n);\n', err: '' });
  assert.equal(run(['fmt', '-C', folder, 'none.schema']).status, 1);
});

test('a file with a syntax error is left alone, the others are not; semantic errors do not matter', () => {
  const broken = `${notes['policies/demo.schema']}  policy  x;;\ntable (`;
  const { folder, read } = project({ ...notes, 'policies/demo.schema': broken, 'policies/b.schema': 'grant   all on nowhere to nobody;' });
  const { status, err } = run(['fmt', '-C', folder]);
  assert.equal(status, 1);
  assert.match(err, /policies\/demo\.schema:8:\d+: error\[PGS0020\]/);
  assert.equal(read('policies/demo.schema'), broken);
  assert.equal(read('policies/b.schema'), 'grant all on nowhere to nobody;\n');
});

/** All that a project generates, without the places of declarations. */
function generated(folder) {
  const { status, err } = run(['generate', '-C', folder]);
  if (status !== 0) return err.replace(/^.*?: (error|warning|note|hint)/gm, '$1').replace(/ +/g, ' ').split('\n').filter((line) => /^(error|warning|note|hint)/.test(line)).sort();
  const all = {};
  for (const part of ['generated', 'migrations'])
    if (existsSync(join(folder, part)))
      for (const name of readdirSync(join(folder, part)))
        all[`${part}/${name}`] = readFileSync(join(folder, part, name), 'utf8')
          .replace(/(schema|policies)\/[\w/-]+\.schema:\d+/g, '').replace(name === 'access.txt' ? /\s+/g : /$^/, '');
  return all;
}

test('what is formatted generates the same: the project, its examples, the golden cases', () => {
  const golden = join(root, 'tests/2-golden');
  const folders = [root, join(root, 'examples/debian-packages'), join(root, 'tests/4-api/app'),
    ...readdirSync(golden).map((name) => join(golden, name, 'in')).filter(existsSync)];
  for (const from of folders) {
    const folder = mkdtempSync(join(scratch, 'fmt-'));
    for (const part of ['schema', 'policies', 'migrations'])
      if (existsSync(join(from, part))) cpSync(join(from, part), join(folder, part), { recursive: true });
    const before = generated(folder);
    for (const part of ['generated']) rmSync(join(folder, part), { recursive: true, force: true });
    const { status, err } = run(['fmt', '-C', folder]);
    assert.doesNotMatch(err, /this is a bug/, from);
    if (status === 0) assert.deepEqual(generated(folder), before, from);
    rmSync(folder, { recursive: true });
  }
});

test('what `init` makes is formatted', () => {
  const { folder } = project({});
  rmSync(folder, { recursive: true });
  assert.equal(run(['init', folder]).status, 0);
  assert.deepEqual(run(['fmt', '-C', folder, '--check']), { status: 0, out: '', err: '' });
});

test('\\r\\n stays, and the text is the same as without', () => {
  const { folder, read } = project({ 'a.schema': '', 'b.schema': '' });
  writeFileSync(join(folder, 'a.schema'), 'app   a;\r\n-- x\r\n');
  assert.equal(run(['fmt', '-C', folder, 'a.schema']).status, 0);
  assert.equal(read('a.schema'), 'app a;\r\n-- x\r\n');
});
