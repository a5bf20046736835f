// Small projects in folders of their own, and the command line over them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pgstack, scratch } from '../lib/paths.mjs';

mkdirSync(scratch, { recursive: true });

/** A folder with these files: { 'schema/a.schema': '...' }. */
export function project(files) {
  const folder = mkdtempSync(join(scratch, 'editor-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { folder, read: (path) => readFileSync(join(folder, path), 'utf8') };
}

export function run(args, input = '') {
  const { status, signal, stdout, stderr } = spawnSync(pgstack, args, { encoding: 'utf8', timeout: 60_000, input });
  assert.equal(signal, null, `it hangs or dies: ${stderr}`);
  return { status, out: stdout, err: stderr };
}

export const heading = 'pgstack 1;\napp demo;\n';

/** A project without a finding; the row's columns are id, owner, title. */
export const notes = {
  'schema/demo.schema': `${heading}
table note (
  id     bigint primary key generated always as identity,
  owner  uuid not null default auth.uid(),
  title  text not null,

  index (owner),
);
`,
  'policies/demo.schema': `grant select, insert (title) on note to authenticated;

policy own on note for select, insert to authenticated
  using (owner = auth.uid())
  with check (owner = auth.uid());

endpoint note;
`,
};
