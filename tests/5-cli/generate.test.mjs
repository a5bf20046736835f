// `pgstack generate` where the folder is not as it should be: it says so, and writes all or nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync,
  rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';

mkdirSync(scratch, { recursive: true });

/** A copy of a small project; the schema is in schema/app.schema, the rules in policies/app.schema. */
function project() {
  const folder = mkdtempSync(join(scratch, 'generate-'));
  cpSync(join(root, 'tests/2-golden/note/in'), folder, { recursive: true });
  return folder;
}

function generate(...args) {
  const { status, signal, stdout, stderr } = spawnSync(pgstack, ['generate', ...args], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(signal, null, 'it hangs or dies');
  return { status, out: stdout, err: stderr };
}

function refused(folder, expected) {
  const before = tree(folder);
  const { status, err } = generate('-C', folder);
  assert.equal(status, 1, err);
  assert.match(err, expected);
  assert.ok(err.length < 4000, 'one cause, one message');
  assert.deepEqual(tree(folder), before, 'nothing is written');
}

/** Paths and contents of all that was generated, and what else there is. */
function tree(folder) {
  return readdirSync(folder, { recursive: true }).sort().map((path) => {
    const stat = lstatSync(join(folder, path));
    return [path, stat.isFile() ? readFileSync(join(folder, path), 'utf8') : stat.mode];
  });
}

const generated = (folder) => tree(folder).filter(([path]) => /^(generated|migrations)\//.test(path));

const reference = project();
test('a plain project', () => {
  assert.deepEqual(generate('-C', reference).out, '8 files written\n');
  assert.deepEqual(generate('-C', reference).out, 'generated/ and migrations/ are up to date\n');
});

test('-C to nowhere, to a file, to nothing', () => {
  const file = join(project(), 'schema/app.schema');
  assert.match(generate('-C', '/nowhere/at/all').err, /^pgstack: \/nowhere\/at\/all: No such file/);
  assert.match(generate('-C', file).err, /app\.schema: Not a directory/);
  for (const args of [['-C'], ['-C', '']]) {
    const { status, err } = generate(...args);
    assert.equal(status, 2);
    assert.match(err, /-C needs a folder/);
  }
});

test('an empty project', () => {
  const folder = mkdtempSync(join(scratch, 'generate-'));
  refused(folder, /this folder holds no schema/);
  mkdirSync(join(folder, 'schema'));
  mkdirSync(join(folder, 'policies'));
  refused(folder, /this folder holds no schema/);
});

test('a schema without policies is a project, policies without a schema are none', () => {
  const alone = project();
  rmSync(join(alone, 'policies'), { recursive: true });
  assert.equal(generate('-C', alone).status, 0);
  const lost = project();
  rmSync(join(lost, 'schema'), { recursive: true });
  refused(lost, /there is no table "note"/);
});

test('a byte order mark and CRLF change nothing', () => {
  for (const change of [(text) => `\uFEFF${text}`, (text) => text.replaceAll('\n', '\r\n')]) {
    const folder = project();
    for (const part of ['schema', 'policies']) {
      const path = join(folder, part, 'app.schema');
      writeFileSync(path, change(readFileSync(path, 'utf8')));
    }
    const { status, err } = generate('-C', folder);
    assert.equal(status, 0, err);
    assert.deepEqual(generated(folder), generated(reference));
  }
});

test('a byte order mark within a file is an error', () => {
  const folder = project();
  writeFileSync(join(folder, 'schema/more.schema'), '-- more\n\uFEFFtable more (id int primary key);\n');
  refused(folder, /more\.schema:2:1: error/);
});

test('a file that is too large is an error', () => {
  const folder = project();
  writeFileSync(join(folder, 'schema/more.schema'), '-'.repeat((4 << 20) + 1));
  refused(folder, /more\.schema:1:1: error\[PGS0002\]: larger than 4 MiB/);
});

test('links to files and folders are followed', () => {
  const folder = project();
  renameSync(join(folder, 'schema'), join(folder, 'elsewhere'));
  mkdirSync(join(folder, 'schema'));
  symlinkSync('../elsewhere/app.schema', join(folder, 'schema/app.schema'));
  renameSync(join(folder, 'policies'), join(folder, 'rules'));
  symlinkSync('rules', join(folder, 'policies'));
  assert.equal(generate('-C', folder).status, 0);
  assert.deepEqual(generated(folder), generated(reference));
});

test('what cannot be read may hold rules', () => {
  const dangling = project();
  symlinkSync('nothing', join(dangling, 'policies/gone.schema'));
  refused(dangling, /policies\/gone\.schema:1:1: error\[PGS0001\]: cannot be read: No such file/);
  const pipe = project();
  spawnSync('mkfifo', [join(pipe, 'policies/pipe.schema')]);
  refused(pipe, /policies\/pipe\.schema:1:1: error\[PGS0001\]: cannot be read: it is no file/);
  const file = project();
  rmSync(join(file, 'policies'), { recursive: true });
  writeFileSync(join(file, 'policies'), '');
  refused(file, /policies:1:1: error\[PGS0001\]: cannot be read: Not a directory/);
});

test('a link that leads back', () => {
  const folder = project();
  mkdirSync(join(folder, 'schema/inner'));
  symlinkSync('..', join(folder, 'schema/inner/loop'));
  refused(folder, /schema\/inner\/loop:1:1: error\[PGS0001\]: cannot be read: it leads back/);
});

test('folders in folders without end', () => {
  const folder = project();
  mkdirSync(join(folder, 'schema', ...Array(20).fill('x')), { recursive: true });
  refused(folder, /too many folders in folders/);
});

test('a file where a folder must be, and a folder where a file must be', () => {
  for (const name of ['generated', 'migrations']) {
    const folder = project();
    writeFileSync(join(folder, name), '');
    refused(folder, new RegExp(`^pgstack: ${name}/.*: Not a directory`, 'm'));
  }
  const folder = project();
  mkdirSync(join(folder, 'generated/note.c'), { recursive: true });
  refused(folder, /^pgstack: generated\/note\.c: Is a directory/m);
});

test('no room on the disk', () => {
  const folder = project();
  const before = tree(folder);
  // the limit of a file's size stands for the disk's: a write beyond it fails
  const { status, stderr } = spawnSync('bash', ['-c', 'trap "" XFSZ; ulimit -f 2; exec "$0" generate -C "$1"', pgstack, folder], { encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^pgstack: .*: File too large/m);
  assert.deepEqual(tree(folder), before);
});

test('a folder that may not be written', (t) => {
  const folder = project();
  const as_nobody = process.getuid() === 0 ? ['setpriv', '--reuid=nobody', '--clear-groups'] : [];
  const run = (...args) => spawnSync([...as_nobody, ...args][0], [...as_nobody, ...args].slice(1), { encoding: 'utf8' });
  chmodSync(folder, 0o555);
  if (run('test', '-x', pgstack, '-a', '-r', join(folder, 'schema')).status !== 0) {
    t.skip('nobody may come here');
    return;
  }
  t.after(() => chmodSync(folder, 0o755));
  const before = tree(folder);
  const { status, stderr } = run(pgstack, 'generate', '-C', folder);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^pgstack: migrations: Permission denied/m);
  assert.deepEqual(tree(folder), before);
});

test('a link in the place of what is generated is replaced, not followed', () => {
  const folder = project();
  const precious = join(folder, 'precious');
  writeFileSync(precious, 'precious');
  mkdirSync(join(folder, 'generated'));
  for (const name of ['note.c', 'note.c.tmp']) symlinkSync(precious, join(folder, 'generated', name));
  assert.equal(generate('-C', folder).status, 0);
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
  assert.deepEqual(generated(folder), generated(reference));
  assert.ok(!existsSync(join(folder, 'generated/note.c.tmp')));
});

test('nothing is written after an error in the schema', () => {
  const folder = project();
  writeFileSync(join(folder, 'schema/more.schema'), 'table more (id nonsense primary key);\n');
  refused(folder, /there is no type "nonsense"/);
});
