// NAME/schema and NAME/policies are an application's whole schema, carried over by hand: the checker
// says nothing of it.  NAME/wrong/CASE puts back one mistake of the origin: its files replace those
// of the same name, and errors.txt is what the checker says then.  NAME/probe.sql tries the database.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pgstack, root, scratch } from '../lib/paths.mjs';
import { connect, theCluster } from '../lib/postgres.mjs';
import { upDownUp } from '../lib/updown.mjs';

const here = join(root, 'tests/8-imported');
const strict = ['-std=c11', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror', '-fsyntax-only'];
const folders = (path) => readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort();

function call(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 });
  return { status, output: stdout + stderr };
}

const quiet = (program, ...args) => assert.deepEqual(call(program, ...args), { status: 0, output: '' });

function copyOf(name) {
  mkdirSync(scratch, { recursive: true });
  const project = mkdtempSync(join(scratch, 'imported-'));
  for (const folder of ['schema', 'policies']) cpSync(join(here, name, folder), join(project, folder), { recursive: true });
  return project;
}

function compileTypes(project) {
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', skipLibCheck: true, types: [] },
    files: ['generated/database.types.ts'],
  }));
  quiet(process.execPath, join(root, 'tests/node_modules/typescript/bin/tsc'), '-p', project);
}

function wrongCases(name) {
  const wrong = join(here, name, 'wrong');
  for (const kase of existsSync(wrong) ? folders(wrong) : [])
    test(kase, () => {
      const project = copyOf(name);
      for (const folder of folders(join(wrong, kase))) cpSync(join(wrong, kase, folder), join(project, folder), { recursive: true });
      assert.equal(call(pgstack, 'check', '-C', project).output, readFileSync(join(wrong, kase, 'errors.txt'), 'utf8'));
    });
}

for (const name of folders(here))
  describe(name, () => {
    let cluster;
    let admin;
    let project;
    before(async () => {
      cluster = await theCluster();
      admin = await connect(cluster, 'postgres');
      project = copyOf(name);
    });
    after(async () => {
      await admin?.end();
      await cluster?.stop();
    });

    test('is in the canonical form', () => quiet(pgstack, 'fmt', '--check', '-C', project));
    test('has no findings', () => quiet(pgstack, 'check', '-C', project));
    test('becomes C, SQL, types and OpenAPI', async () => {
      for (const what of [[], ['types'], ['openapi']])
        assert.equal(call(pgstack, 'generate', '-C', project, ...what).status, 0);
      const generated = join(project, 'generated');
      for (const file of readdirSync(generated).filter((f) => f.endsWith('.c')))
        quiet(process.env.CC ?? 'cc', ...strict, `-I${join(root, 'runtime/include')}`, join(generated, file));
      compileTypes(project);
      assert.ok(Object.keys(JSON.parse(readFileSync(join(generated, 'openapi.json'))).paths).length > 0);
      const probe = join(here, name, 'probe.sql');
      await upDownUp(cluster, admin, project, 'imported', (db) => existsSync(probe) && db.query(readFileSync(probe, 'utf8')));
    });
    wrongCases(name);
  });
