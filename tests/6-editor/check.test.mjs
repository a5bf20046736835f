// `check --format json`, `check --fix` and `explain`.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../lib/paths.mjs';
import { heading, notes, project, run } from './project.mjs';

const golden = join(root, 'tests/2-golden');
const cases = readdirSync(golden).filter((name) => /^(PGS|incident)/.test(name));

const check = (folder, ...args) => run(['check', '-C', folder, ...args]);
const findings = (folder) => JSON.parse(check(folder, '--format', 'json').out);

test('no finding is an empty array, and status 0', () => {
  const { folder } = project(notes);
  assert.deepEqual(check(folder, '--format', 'json'), { status: 0, out: '[]\n', err: '' });
});

test('JSON has what the text has, in every golden case', () => {
  for (const name of cases) {
    const folder = join(golden, name, 'in');
    const text = check(folder);
    const json = check(folder, '--format', 'json');
    assert.equal(json.status, text.status, name);
    const lines = JSON.parse(json.out).map(({ code, severity, message, span }) =>
      `${span ? `${span.file}:${span.start.line}:${span.start.column}` : 'pgstack'}: ${severity}[${code}]: ${message}`);
    assert.deepEqual(lines, text.err.split('\n').filter((line) => /(error|warning)\[PGS\d{4}\]: /.test(line)), name);
  }
});

test('--fix leaves nothing to fix, and no new error, in every golden case', () => {
  const hidden = { // by the mistake that is fixed
    'PGS2004-unknown-role': ['PGS3001'], 'PGS3062-case-never-comes': ['PGS3029'], 'PGS4101-auth-option': ['PGS4103'],
  };
  let fixed = 0;
  for (const name of cases) {
    const all = findings(join(golden, name, 'in'));
    const before = all.filter(({ fix }) => fix);
    // the fixes of files that cannot be read are for editors, where a person looks on
    if (before.length === 0 || all.some(({ code }) => code < 'PGS0100')) continue;
    const { folder } = project({});
    cpSync(join(golden, name, 'in'), folder, { recursive: true });
    check(folder, '--fix');
    const after = findings(folder);
    assert.deepEqual(after.filter(({ fix }) => fix), [], name);
    for (const { code, message } of before) {
      const same = (list) => list.filter((each) => each.code === code && each.message === message).length;
      assert.ok(same(after) < same(all), `${name}: ${code} ${message} is still there`);
    }
    const known = new Set([...all.map(({ code }) => code), ...hidden[name] ?? []]);
    for (const { code, severity, message } of after)
      assert.ok(severity === 'warning' || known.has(code), `${name}: ${code} ${message}`);
    fixed += before.length;
  }
  assert.ok(fixed >= 55, `only ${fixed} fixes`);
});

test('offsets, columns and the fix of a finding are those of its text', () => {
  const { folder, read } = project({ ...notes,
    'policies/demo.schema': notes['policies/demo.schema'].replace('using (owner =', 'using (/* é𝒳 */ ownr =') });
  const [finding, ...others] = findings(folder);
  const bytes = Buffer.from(read('policies/demo.schema'));
  assert.equal(others.length, 0);
  assert.equal(finding.code, 'PGS2003');
  assert.equal(bytes.subarray(finding.span.start.offset, finding.span.end.offset).toString(), 'ownr');
  assert.deepEqual(finding.span.start, { offset: finding.span.start.offset, line: 4, column: 19, utf8: 23, utf16: 20 });
  assert.deepEqual(finding.fix, [{ span: finding.span, text: 'owner' }]);
  assert.equal(finding.notes[0].span.file, 'schema/demo.schema');
  assert.equal(finding.title, 'an unknown column');
});

test('a file that cannot be read has a finding with a place', () => {
  const { folder } = project({ 'schema/a.schema': Buffer.from([0xff]) });
  assert.deepEqual(findings(folder).map(({ code, span }) => [code, span.file]), [['PGS0003', 'schema/a.schema']]);
});

test('--fix makes the fixes of all rounds and says which', () => {
  const { folder, read } = project({ ...notes,
    'schema/demo.schema': `${heading}
table note (
  id     bigserial primary key,
  owner  uuid not null default auth.uid(),
  user_id uuid references auth.users,
  other  uuid references pgstack.users -- kept
);
`,
    'policies/demo.schema': `grant select, insert (user_id) on nots to authenticated;
policy own on note for select, insert to authenticated
  using (ownr = auth.uid())
  with check (owner = auth.uid() and user_id <> null);
endpoint note;
` });
  chmodSync(join(folder, 'schema/demo.schema'), 0o640);
  const { status, out, err } = check(folder, '--fix');
  assert.equal(err, '');
  assert.equal(status, 0);
  assert.equal(read('schema/demo.schema'), `${heading}
table note (
  id     bigint generated always as identity primary key,
  owner  uuid not null default auth.uid(),
  user_id uuid references pgstack.users,
  other  uuid references pgstack.users, -- kept
  index (other),
  index (owner),
  index (user_id),
);
`);
  assert.match(read('policies/demo.schema'), /on note to .*\(owner = auth\.uid\(\)\)\n.*user_id is not null\)/s);
  assert.equal(out.match(/^fixed /gm).length, 8);
  assert.equal(statSync(join(folder, 'schema/demo.schema')).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(join(folder, 'schema')), ['demo.schema'], 'no temporary file stays');
});

test('--fix --dry-run shows the difference and writes nothing', () => {
  const { folder, read } = project({ ...notes, 'policies/demo.schema': notes['policies/demo.schema'].replace('owner', 'ownr') });
  const before = read('policies/demo.schema');
  const { out, err, status } = check(folder, '--fix', '--dry-run');
  assert.equal(out, `--- policies/demo.schema
+++ policies/demo.schema
@@ -1,7 +1,7 @@
 grant select, insert (title) on note to authenticated;
 
 policy own on note for select, insert to authenticated
-  using (ownr = auth.uid())
+  using (owner = auth.uid())
   with check (owner = auth.uid());
 
 endpoint note;
`);
  assert.match(err, /^would fix policies\/demo\.schema:4: PGS2003/);
  assert.equal(status, 0);
  assert.equal(read('policies/demo.schema'), before);
});

test('--fix leaves a file with a syntax error alone', () => {
  const broken = `${notes['policies/demo.schema']}\npolicy two on note for;\ngrant select on nots to anon;\n`;
  const { folder, read } = project({ ...notes, 'policies/demo.schema': broken });
  assert.equal(check(folder, '--fix').status, 1);
  assert.equal(read('policies/demo.schema'), broken);
});

test('--fix keeps \\r\\n, a byte order mark and a link', () => {
  const text = `\ufeff${notes['policies/demo.schema'].replace('owner', 'ownr')}`.replaceAll('\n', '\r\n');
  const { folder, read } = project({ 'schema/demo.schema': notes['schema/demo.schema'], 'elsewhere/demo.schema': text, 'policies/x': '' });
  symlinkSync('../elsewhere/demo.schema', join(folder, 'policies/demo.schema'));
  assert.equal(check(folder, '--fix').status, 0);
  assert.equal(read('elsewhere/demo.schema'), text.replace('ownr', 'owner'));
});

test('a fix never makes things worse: every golden case', () => {
  for (const name of cases.filter((each) => !/0003|0004|0005/.test(each))) {
    const files = {};
    for (const path of readdirSync(join(golden, name, 'in'), { recursive: true }))
      if (path.endsWith('.schema')) files[path] = readFileSync(join(golden, name, 'in', path));
    const { folder } = project(files);
    const before = findings(folder);
    const { out, status } = check(folder, '--fix');
    const after = findings(folder);
    assert.ok(!after.some(({ code }) => code < 'PGS0100') || before.some(({ code }) => code < 'PGS0100'), `${name}: no new syntax error`);
    if (before.every(({ severity }) => severity === 'warning'))
      assert.equal(status, 0, `${name}: ${out}`);
    assert.deepEqual(after.filter(({ fix, code }) => fix && code >= 'PGS0100' && !after.some((f) => f.code < 'PGS0100')), [], `${name}: none is left`);
  }
});

test('explain: every code that a golden case names, in any spelling', () => {
  const list = run(['explain']).out;
  for (const [code] of list.matchAll(/^PGS\d{4}/gm)) {
    const { status, out } = run(['explain', code]);
    assert.equal(status, 0);
    assert.ok(out.startsWith(`${code}: `) && out.split('\n').length > 2, code);
  }
  assert.equal(run(['explain', 'pgs3001']).out, run(['explain', '3001']).out);
  assert.match(run(['explain', '24']).out, /^PGS0024: /);
});

test('explain: what is no code', () => {
  assert.deepEqual([run(['explain', '3999']).status, run(['explain', 'x']).status, run(['explain', '1', '2']).status], [1, 2, 2]);
  assert.match(run(['explain', '3999']).err, /nearest is PGS/);
});
