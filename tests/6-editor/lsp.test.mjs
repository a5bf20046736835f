// `pgstack lsp`, as a client sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Editor, edited } from './client.mjs';
import { heading, notes, project } from './project.mjs';

const policies = 'policies/demo.schema';
const schema = 'schema/demo.schema';

const desk = {
  [schema]: `${heading}
type state as enum ('open', 'done');

-- What people write.
table note (
  id     bigint primary key generated always as identity,
  owner  uuid not null default auth.uid(),
  state  state not null default 'open',
  title  text not null,  -- é𝒳: shown in lists

  index (owner, state),
);

view titles as
  select n.id, n.title as heading from note n where n.state = 'open';
`,
  [policies]: `role clerk when claim job = 'clerk' inherits authenticated;
claim plan text from 'app_metadata.plan';

predicate mine(who uuid) as
  who = auth.uid() and plan = 'paid';

grant select, insert (title) on note to authenticated;

policy own on note for select, insert to authenticated
  using (mine(owner))
  with check (mine(owner) and note.state = 'open');

endpoint note {
  list filter (state, owner);
  create;
}

query open_notes(like_title text) returns setof note to authenticated as
  select * from note x where x.state = 'open' and x.title like like_title;
`,
};

async function open(files, options) {
  const { folder } = project(files);
  const editor = await Editor.open(folder, options);
  for (const [path, text] of Object.entries(files)) await editor.show(path, text);
  return editor;
}

async function withEditor(files, act, options) {
  const editor = await open(files, options);
  try {
    await act(editor);
  } finally {
    assert.equal(await editor.close(), 0);
  }
}

const labels = (items) => items.map(({ label }) => label);

test('findings appear, change and go with the text, in every file', () => withEditor(desk, async (editor) => {
  await editor.show(policies, desk[policies].replace('mine(owner))\n', 'mine(ownr))\n'));
  const [finding] = await editor.until(policies, (all) => all.length === 1);
  assert.equal(finding.code, 'PGS2003');
  assert.equal(finding.severity, 1);
  assert.deepEqual(finding.range, { start: { line: 9, character: 14 }, end: { line: 9, character: 18 } });
  assert.equal(finding.relatedInformation[0].location.uri, editor.uri(schema));
  await editor.show(schema, desk[schema].replace('  owner  uuid', '  ownr   uuid').replace('(owner,', '(ownr,'));
  const later = await editor.until(policies, (all) => all.length > 1);
  assert.ok(later.every(({ range }) => range.start.line !== 9));
  await editor.show(schema, desk[schema]);
  await editor.show(policies, desk[policies]);
  assert.deepEqual(await editor.until(policies, (all) => all.length === 0), []);
}));

test('incremental changes, in UTF-16 and in UTF-8', async () => {
  for (const encodings of [undefined, ['utf-8', 'utf-16']])
    await withEditor(desk, async (editor) => {
      const at = encodings ? 35 : 32; // after `-- é𝒳`
      assert.equal(editor.about.capabilities.positionEncoding, encodings ? 'utf-8' : 'utf-16');
      await editor.change(schema, [
        { range: { start: { line: 10, character: at }, end: { line: 10, character: at + 1 } }, text: ' \n  oops,\n--' }]);
      const [finding] = await editor.until(schema, (all) => all.length === 1);
      assert.equal(finding.range.start.line, 11);
      await editor.change(schema, [
        { range: { start: { line: 11, character: 0 }, end: { line: 12, character: 0 } }, text: '' }]);
      await editor.until(schema, (all) => all.length === 0);
    }, { encodings });
});

test('a fix is a code action that makes the finding go', () => withEditor(desk, async (editor) => {
  const wrong = desk[schema].replace('  index (owner, state),\n', '');
  await editor.show(schema, wrong);
  const findings = await editor.until(policies, (all) => all.length > 0);
  const actions = await editor.request('textDocument/codeAction', policies,
    { range: findings[0].range, context: { diagnostics: findings } });
  assert.equal(actions[0].kind, 'quickfix');
  assert.match(actions[0].title, /index \(owner\)/);
  await editor.show(schema, edited(wrong, actions[0].edit.changes[editor.uri(schema)]));
  const left = await editor.until(policies, (all) => all.length < findings.length);
  assert.ok(left.every(({ message }) => !message.includes('"owner"')));
}));

test('hover: type and nullability, comments, policies by role', () => withEditor(desk, async (editor) => {
  const hover = async (path, at) => (await editor.ask('textDocument/hover', path, at))?.contents.value;
  assert.match(await hover(policies, 'x.ti|tle'), /note\.title text not null[^]*shown in lists/);
  assert.match(await hover(policies, 'policy own on no|te'), /table public\.note[^]*What people write\.|select to \*\*authenticated\*\* using \(`mine\(owner\)`\)/);
  assert.match(await hover(policies, 'policy own on no|te'), /insert to \*\*authenticated\*\* with check \(`mine\(owner\) and note\.state = 'open'`\)/);
  assert.match(await hover(policies, 'using (mi|ne'), /predicate mine\(who uuid\)[^]*who = auth\.uid\(\) and plan = 'paid'/);
  assert.match(await hover(policies, 'and pl|an ='), /claim plan text from 'app_metadata\.plan'/);
  assert.match(await hover(policies, 'role cl|erk'), /role clerk when claim job = 'clerk' inherits authenticated/);
  assert.match(await hover(schema, 'state  sta|te not'), /type state as enum \('open', 'done'\)/);
  assert.match(await hover(policies, 'like like_t|itle'), /like_title text/);
  assert.equal(await hover(policies, 'ret|urns'), undefined);
}));

test('definition and references, across files', () => withEditor(desk, async (editor) => {
  const at = async (path, place) => {
    const { uri, range } = await editor.ask('textDocument/definition', path, place);
    const file = uri === editor.uri(schema) ? schema : policies;
    return `${file}: ${desk[file].split('\n')[range.start.line].slice(range.start.character)}`;
  };
  assert.match(await at(policies, 'mine(own|er))'), /^schema.*: owner {2}uuid/);
  assert.match(await at(policies, 'using (mi|ne'), /^policies.*: mine\(who/);
  assert.match(await at(policies, 'plan| ='), /^policies.*: plan text/);
  assert.match(await at(schema, "n.state| = 'open'"), /^schema.*: state {2}state/);
  assert.match(await at(schema, 'note n where'.replace('note', 'no|te')), /^schema.*: note \(/);
  assert.match(await at(policies, 'like like_|title'), /^policies.*: like_title text/);
  const all = await editor.ask('textDocument/references', schema, 'title|  text', { context: { includeDeclaration: true } });
  assert.equal(all.length, 4);
  const uses = await editor.ask('textDocument/references', schema, 'title|  text', { context: { includeDeclaration: false } });
  assert.equal(uses.length, 3);
}));

test('rename: all uses in all files, and the project still compiles', () => withEditor(desk, async (editor) => {
  for (const [path, at, name] of [[schema, 'title|  text', 'subject'], [schema, 'table no|te', 'entry'], [policies, 'predicate mi|ne', 'belongs'],
    [policies, 'who| uuid', 'person'], [policies, 'claim pl|an', 'tariff'], [schema, 'type sta|te', 'condition'], [schema, 'owner|  uuid', 'Written By']]) {
    assert.ok(await editor.ask('textDocument/prepareRename', path, at));
    const { changes } = await editor.ask('textDocument/rename', path, at, { newName: name });
    for (const [uri, edits] of Object.entries(changes)) {
      const file = uri === editor.uri(schema) ? schema : policies;
      await editor.show(file, edited(desk[file], edits));
    }
    // findings of a text come before answers about it
    assert.ok((await editor.request('textDocument/documentSymbol', schema)).length > 0);
    assert.deepEqual(editor.findings.get(editor.uri(schema)) ?? [], [], name);
    assert.deepEqual(editor.findings.get(editor.uri(policies)) ?? [], [], name);
    for (const file of [schema, policies]) await editor.show(file, desk[file]);
  }
}));

test('rename refuses a clash, a capture and what is built in', () => withEditor(desk, async (editor) => {
  const rename = (path, at, newName) => editor.ask('textDocument/rename', path, at, { newName });
  await assert.rejects(rename(schema, 'title|  text', 'owner'), /not renamed/);
  await assert.rejects(rename(policies, 'who| uuid', 'plan'), /not renamed/);
  await assert.rejects(rename(policies, 'to authen|ticated', 'people'), /no name here/);
  await assert.rejects(rename(policies, 'gr|ant', 'x'), /no name here/);
  assert.equal(await editor.ask('textDocument/prepareRename', policies, 'to authen|ticated'), null);
}));

test('completion: what may stand there', () => withEditor(desk, async (editor) => {
  const complete = async (text, at) => {
    await editor.show(policies, text);
    return labels(await editor.ask('textDocument/completion', policies, at));
  };
  const plus = (line) => `${desk[policies]}\n${line}\n`;
  const at = async (line) => complete(plus(line.replace('|', '')), line);
  assert.deepEqual((await at('policy p on | ')).filter((each) => each !== 'pgstack'), ['note', 'titles']);
  assert.deepEqual((await at('grant select on note to |')).slice(0, 4), ['anon', 'authenticated', 'service_role', 'clerk']);
  assert.deepEqual((await at('grant select (| ) on note to anon;')).slice(0, 4), ['id', 'owner', 'state', 'title']);
  const inside = await at('policy p on note for select to anon using (ow|)');
  for (const each of ['owner', 'plan', 'mine', 'length', 'auth', 'exists', 'not']) assert.ok(inside.includes(each), each);
  assert.deepEqual(await at('query q() returns bigint to clerk as select x.| from titles x;'), ['id', 'heading']);
  assert.deepEqual((await at('policy p on note for |')).sort(), ['all', 'delete', 'insert', 'select', 'update']);
  assert.ok((await at('|')).includes('policy'));
  assert.ok((await at('claim c |')).includes('state'));
  assert.ok((await at('table t (a |)')).includes('timestamptz'));
  assert.deepEqual(await at('policy p on note using (owner = auth.|'), ['uid', 'role', 'email', 'jwt']);
  assert.deepEqual((await at('endpoint note { | }')).includes('list'), true);
}));

test('symbols and formatting', () => withEditor(desk, async (editor) => {
  const symbols = await editor.request('textDocument/documentSymbol', schema);
  assert.deepEqual(symbols.map(({ name }) => name), ['state', 'note', 'titles']);
  assert.deepEqual(symbols[1].children.map(({ name }) => name), ['id', 'owner', 'state', 'title']);
  const ugly = desk[schema].replaceAll('  ', ' ');
  await editor.show(schema, ugly);
  const edits = await editor.request('textDocument/formatting', schema, { options: { tabSize: 2, insertSpaces: true } });
  assert.equal(edited(ugly, edits), desk[schema]);
  await editor.show(schema, 'table (');
  assert.equal(await editor.request('textDocument/formatting', schema, { options: {} }), null);
}));

test('the project is found from a document, when the folder that is open is another', async () => {
  const { folder } = project(notes);
  const editor = await Editor.open(folder, { root: '/' });
  await editor.show(policies, notes[policies].replace('owner', 'ownr'));
  assert.equal((await editor.until(policies, (all) => all.length > 0))[0].code, 'PGS2003');
  assert.equal(await editor.close(), 0);
});

test('what is no request is answered, and does not end the server', () => withEditor(desk, async (editor) => {
  await assert.rejects(editor.connection.sendRequest('x/y', {}), /x\/y/);
  assert.equal(await editor.connection.sendRequest('textDocument/hover', {}), null);
  assert.equal(await editor.connection.sendRequest('textDocument/hover', { textDocument: { uri: 'file:///nowhere' }, position: {} }), null);
  await editor.connection.sendNotification('textDocument/didChange', { textDocument: { uri: 'untitled:1' }, contentChanges: [{ text: 'x' }] });
  assert.ok(await editor.ask('textDocument/hover', schema, 'table no|te'));
}));

test('500 edits of 1,000 tables: memory stays, and findings come soon', async (t) => {
  const table = (n) => `table t${n} (
  id     bigint primary key generated always as identity,
  owner  uuid not null default auth.uid(),
  title  text not null,

  index (owner),
);
`;
  const rule = (n) => `grant select on t${n} to authenticated;
policy own_${n} on t${n} for select to authenticated using (owner = auth.uid());
endpoint t${n};
`;
  const all = [...Array(1000).keys()];
  const files = { [schema]: heading + all.map(table).join(''), [policies]: all.map(rule).join('') };
  await withEditor(files, async (editor) => {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${editor.server.pid}/status`, 'utf8'))[1]) / 1024;
    const times = [];
    let warm = 0;
    for (let i = 0; i < 500; i++) {
      const wrong = i % 2 === 0;
      const start = performance.now();
      await editor.change(policies, [{ range: { start: { line: 1, character: 54 }, end: { line: 1, character: wrong ? 59 : 58 } }, text: wrong ? 'ownr' : 'owner' }]);
      await editor.until(policies, (now) => (now.length > 0) === wrong);
      times.push(performance.now() - start);
      if (i === 50) warm = rss();
    }
    times.sort((a, b) => a - b);
    const grown = rss() - warm;
    t.diagnostic(`> ${all.length} tables: median ${times[250].toFixed(0)} ms, p95 ${times[475].toFixed(0)} ms, RSS ${rss().toFixed(0)} MiB, grown by ${grown.toFixed(1)} MiB`);
    assert.ok(grown < 8 + 0.1 * warm, `RSS grew by ${grown} MiB`);
  });
});

const whole = {
  [schema]: `${heading}
schema billing;
domain percent as int check (value between 0 and 100);
type address as (street text, town text);
type span as range (subtype = float8);

-- What is owed.
table billing.invoice (
  id     bigint primary key generated always as identity,
  owner  uuid not null,
  share  percent not null default 10,
  sent   address,
  width  span,
  paid   boolean not null default false,

  index (owner),
);

function due(of_owner uuid) returns bigint to authenticated stable as
  with open as (select i.id from billing.invoice i where not i.paid and i.owner = of_owner)
  select count(*) from open where open.id > 0;

function stamp() returns trigger language plpgsql as $$ begin return new; end $$;

trigger stamped before update on billing.invoice for each row execute stamp();
`,
  [policies]: `grant select on billing.invoice to authenticated;
policy own on billing.invoice for select to authenticated using (owner = auth.uid());
endpoint billing.invoice { list; }
endpoint due;
`,
};

test('functions, types, schemas, aliases: hover, definition, references, rename', () => withEditor(whole, async (editor) => {
  const hover = async (path, at) => (await editor.ask('textDocument/hover', path, at))?.contents.value ?? '';
  const lineOf = async (path, at) => (await editor.ask('textDocument/definition', path, at))?.range.start.line;
  assert.match(await hover(policies, 'endpoint du|e'), /function due\(of_owner uuid\) returns bigint stable[^]*to \*\*authenticated/);
  assert.match(await hover(schema, 'execute sta|mp'), /function stamp\(\) returns trigger volatile[^]*No role/);
  assert.match(await hover(schema, 'share  perc|ent'), /domain percent as integer/);
  assert.match(await hover(schema, 'sent   add|ress'), /type address as \(street text, town text\)/);
  assert.match(await hover(schema, 'width  sp|an'), /type span as range/);
  assert.match(await hover(schema, 'trigger stam|ped'), /trigger stamped on invoice execute stamp\(\)/);
  assert.match(await hover(policies, 'policy o|wn'), /policy own on invoice for select[^]*owner = auth.uid\(\)/);
  assert.match(await hover(schema, 'not i|.paid'), /i: rows of invoice[^]*share/);
  assert.equal(await lineOf(policies, 'on bill|ing.invoice to'), whole[schema].split('\n').indexOf('schema billing;'));
  assert.equal((await editor.ask('textDocument/references', schema, 'schema bill|ing', { context: { includeDeclaration: true } })).length, 7);
  for (const [path, at, name] of [[policies, 'endpoint du|e', 'owed'], [schema, 'domain per|cent', 'portion'], [schema, 'type add|ress', 'place'],
    [schema, 'schema bill|ing', 'money'], [schema, 'billing.invoice i| where', 'inv'], [schema, 'with op|en', 'unpaid'], [schema, 'function sta|mp', 'mark']]) {
    assert.ok(await editor.ask('textDocument/prepareRename', path, at), at);
    const { changes } = await editor.ask('textDocument/rename', path, at, { newName: name });
    for (const [uri, edits] of Object.entries(changes)) {
      const file = uri === editor.uri(schema) ? schema : policies;
      await editor.show(file, edited(whole[file], edits));
    }
    assert.ok((await editor.request('textDocument/documentSymbol', schema)).length > 0);
    for (const file of [schema, policies])
      assert.deepEqual((editor.findings.get(editor.uri(file)) ?? []).filter(({ severity }) => severity === 1), [], name);
    for (const file of [schema, policies]) await editor.show(file, whole[file]);
  }
  await assert.rejects(editor.ask('textDocument/rename', schema, 'check (val|ue', { newName: 'x' }), /no name here/);
  const symbols = await editor.request('textDocument/documentSymbol', schema);
  assert.deepEqual(symbols.map(({ name }) => name), ['billing', 'percent', 'address', 'span', 'invoice', 'due', 'stamp', 'stamped']);
}));

test('while a table is being written, it is known as it was', () => withEditor(desk, async (editor) => {
  await editor.show(schema, desk[schema].replace("  title  text", "  extra\n  title  text"));
  assert.ok((await editor.until(schema, (all) => all.length > 0)).some(({ code }) => code === 'PGS0020'));
  const { contents } = await editor.ask('textDocument/hover', policies, 'note.sta|te');
  assert.match(contents.value, /note\.state state not null/);
  const place = await editor.ask('textDocument/definition', schema, 'n.tit|le as heading');
  assert.equal(place.range.start.line, desk[schema].split('\n').findIndex((line) => line.startsWith('  title')) + 1);
  await editor.show(policies, `${desk[policies]}\npolicy p on note for select to anon using ()`);
  const inside = labels(await editor.ask('textDocument/completion', policies, 'to anon using (|)'));
  for (const each of ['owner', 'title', 'mine']) assert.ok(inside.includes(each), each);
}));

test('a file made on disk is seen; what is about no file is shown at the first', async () => {
  const { folder } = project(desk);
  const editor = await Editor.open(folder, { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } });
  try {
    await editor.show(policies, desk[policies]);
    for (const path of [schema, policies]) rmSync(join(folder, path));
    await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [] });
    const [none] = await editor.until('schema/app.schema', (all) => all.length > 0);
    assert.equal(none.code, 'PGS0005');
    writeFileSync(join(folder, schema), desk[schema].replace('not null', 'not nul'));
    await editor.connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [] });
    assert.equal((await editor.until(schema, (all) => all.length > 0))[0].code, 'PGS0020');
    assert.deepEqual(await editor.until('schema/app.schema', (all) => all.length === 0), []);
    assert.equal(editor.registered[0].method, 'workspace/didChangeWatchedFiles');
  } finally {
    assert.equal(await editor.close(), 0);
  }
});
