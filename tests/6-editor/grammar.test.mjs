// The TextMate grammar, by the libraries that VS Code reads it with, on the project's own files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import oniguruma from 'vscode-oniguruma';
import textmate from 'vscode-textmate';
import { root } from '../lib/paths.mjs';

const require = createRequire(import.meta.url);
const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const sql = { scopeName: 'source.sql', patterns: [{ match: '\\bselect\\b', name: 'keyword.sql' }] };
const path = join(root, 'editors/vscode/syntaxes/pgstack.tmLanguage.json');
const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async (scope) => (scope === 'source.sql' ? sql : textmate.parseRawGrammar(readFileSync(path, 'utf8'), path)),
});
const grammar = await registry.loadGrammar('source.pgstack');

/** Each piece of the text with its scopes, innermost last. */
function pieces(text) {
  let stack = textmate.INITIAL;
  return text.split('\n').flatMap((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens.map(({ startIndex, endIndex, scopes }) => ({ text: line.slice(startIndex, endIndex), scopes: scopes.join(' ') }));
  });
}

const scopesOf = (text, word) => pieces(text).filter((piece) => piece.text.trim() === word).map(({ scopes }) => scopes);

test('words, names, strings, comments, numbers', () => {
  const text = "table note ( -- a 'comment'\n  id bigint default 42,\n  t text not null check (t <> 'it''s null'), /* /* in */ null */\n" +
    "  x text default E'\\'null',\n);\npolicy p on note using (auth.uid() = \"select\");";
  assert.match(scopesOf(text, 'table')[0], /keyword\.declaration/);
  assert.match(scopesOf(text, 'note')[0], /entity\.name/);
  assert.match(scopesOf(text, "-- a 'comment'")[0], /comment\.line/);
  assert.match(scopesOf(text, '42')[0], /constant\.numeric/);
  assert.match(scopesOf(text, 'check')[0], /keyword\.other/);
  const nulls = scopesOf(text, 'null');
  assert.equal(nulls.filter((scopes) => /constant\.language/.test(scopes)).length, 1, nulls);
  assert.ok(nulls.some((scopes) => /comment\.block/.test(scopes)) && nulls.some((scopes) => /string\.quoted/.test(scopes)), nulls);
  assert.match(scopesOf(text, 'using')[0], /keyword\.other/);
  assert.match(scopesOf(text, 'auth.uid')[0], /support\.function/);
  assert.deepEqual(scopesOf(text, 'id bigint'), ['source.pgstack']);
  assert.ok(pieces(text).some((piece) => piece.text === 'select' && /quoted/.test(piece.scopes)));
});

test('$$ holds SQL, to the mark that began it', () => {
  const text = 'sql $x$\n  select $$ 1 $$\n$x$ down $$ select 2 $$;\ntable t (a int);';
  const found = scopesOf(text, 'select');
  assert.equal(found.length, 2);
  for (const scopes of found) assert.match(scopes, /meta\.embedded\.block\.sql.*keyword\.sql/);
  assert.match(scopesOf(text, 'down')[0], /keyword\.other/);
  assert.match(scopesOf(text, 'table')[0], /keyword\.declaration/);
});

test('nothing stays open at the end of the project\'s files', () => {
  for (const file of ['pgstack.schema.example', 'schema/desk.schema', 'policies/desk.schema', 'examples/debian-packages/schema/packages.schema']) {
    const text = readFileSync(join(root, file), 'utf8');
    const last = pieces(`${text}\ntable zz (a int);`);
    assert.match(last.find((piece) => piece.text === 'zz').scopes, /^source\.pgstack entity\.name/, file);
    for (const { text: word, scopes } of last)
      if (/^(policy|grant|endpoint)$/.test(word)) assert.match(scopes, /keyword|comment|string|meta\.embedded/, `${file}: ${word}`);
  }
});

test('the extension starts the server of the program that is set', async () => {
  const folder = join(root, 'editors/vscode');
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const file of [about.main, about.contributes.languages[0].configuration, about.contributes.grammars[0].path])
    assert.ok(readFileSync(join(folder, file), 'utf8').length > 0, file);
  assert.equal(about.contributes.grammars[0].scopeName, JSON.parse(readFileSync(path, 'utf8')).scopeName);
  const started = [];
  const fakes = {
    vscode: { workspace: { getConfiguration: () => ({ get: (key) => `the ${key}` }), createFileSystemWatcher: (glob) => glob } },
    'vscode-languageclient/node': { LanguageClient: class {
      constructor(...all) { started.push(all); }
      start() { return 'started'; }
      stop() { return 'stopped'; }
    } },
  };
  const exports = {};
  new Function('require', 'exports', readFileSync(join(folder, about.main), 'utf8'))((name) => fakes[name], exports);
  const subscriptions = [];
  assert.equal(exports.activate({ subscriptions }), 'started');
  assert.deepEqual(started[0][2], { command: 'the path', args: ['lsp'] });
  assert.equal(started[0][3].documentSelector[0].language, about.contributes.languages[0].id);
  assert.equal(subscriptions.length, 1);
  assert.equal(exports.deactivate(), 'stopped');
});

test('every keyword of the compiler is one of the grammar', () => {
  const words = [...readFileSync(join(root, 'codegen/syntax/keywords.def'), 'utf8').matchAll(/^KEYWORD\((\w+),/gm)].map(([, word]) => word);
  assert.ok(words.length > 100);
  for (const word of words) assert.match(scopesOf(`x ${word} y`, word)[0] ?? '', /keyword|constant/, word);
});
